"""2.1.1: opening checklists, the drawn photo, what the next shift takes over, and what the database refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from dealership.process.selectors.figures import read, rows_behind
from dealership.process.services.rollup import recompute_day
from reception.models import Checklist, ChecklistItem, OpeningAnswer, OpeningCheck
from reception.selectors import checklists as reads
from reception.services import checklists
from staff.models import Shift
from staff.services import rosters
from tests.factories.reception import make_picture
from tests.factories.staff import SETUP, actor_for, make_employee, make_store

NOW = datetime(2026, 11, 23, 0, 20, tzinfo=UTC)  # 08:20 at the store
DAY = date(2026, 11, 23)
pytestmark = pytest.mark.django_db
ITEMS = [
    {"text": "咨询台整洁", "photo_if_wrong": True},
    {"text": "座椅完好", "photo_if_wrong": False},
    {"text": "网络正常", "photo_if_wrong": False},
]


@pytest.fixture(autouse=True)
def morning():
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def manager(store):
    return actor_for(make_employee(store, "manager"))


@pytest.fixture
def employee(store):
    person = make_employee(store, "receptionist", name="林晓")
    rosters.set_roster_day(employee_uid=person.uid, day=DAY, shift_code="DAY", by=SETUP)
    return person


@pytest.fixture
def desk(employee):
    return actor_for(employee)


@pytest.fixture
def checklist(manager):
    return checklists.write_checklist(area="DESK", shift_code="DAY", items=ITEMS, by=manager)


def answers(checklist, *, wrong=(), bare=()):
    """All in order with the drawn photo, but for the texts named in ``wrong``; ``bare`` go without a photo."""
    items = list(checklist.items.filter(active=True))
    drawn = checklist.drawn_on(clock.today(), items)
    return [
        {
            "item_uid": item.uid,
            "in_order": item.text not in wrong,
            "remark": "有污渍" if item.text in wrong else "",
            "photo": make_picture()
            if item.text not in bare and (item == drawn or (item.text in wrong and item.photo_if_wrong))
            else None,
        }
        for item in items
    ]


def rows():
    return (OpeningCheck.objects.count(), OpeningAnswer.objects.count(), History.objects.count())


def unchanged(command, **values):
    before = rows()
    with pytest.raises(RuleError) as refusal:
        command(**values)
    assert rows() == before
    return refusal.value


def test_a_check_is_written_down_once_with_its_hour(checklist, desk):
    check = checklists.check_opening(
        checklist_uid=checklist.uid, answers=answers(checklist, wrong=["座椅完好"]), note="前台缺笔", by=desk
    )
    begins = Shift.objects.get(store=checklist.store, code="DAY").starts
    assert check.due_at == datetime(2026, 11, 23, begins.hour - 8, begins.minute, tzinfo=UTC) + timedelta(minutes=15)
    assert [(a.text, a.in_order, a.remark) for a in check.answers.all()] == [
        ("咨询台整洁", True, ""),
        ("座椅完好", False, "有污渍"),
        ("网络正常", True, ""),
    ]
    line = History.objects.get(code="reception.opening_check.checked")
    assert (line.facts["items"], line.facts["wrong"], line.facts["area"]) == (3, 1, "DESK")
    refusal = unchanged(checklists.check_opening, checklist_uid=checklist.uid, answers=answers(checklist), by=desk)
    assert (type(refusal), refusal.code) == (RaceLost, "check.done")


def test_the_draw_is_the_same_for_everybody_and_changes_over_days(checklist):
    items = list(checklist.items.all())
    drawn = [checklist.drawn_on(DAY + timedelta(days=n), items) for n in range(40)]
    assert drawn == [checklist.drawn_on(DAY + timedelta(days=n), reversed(items)) for n in range(40)]
    assert set(drawn) == set(items)
    left = [item for item in items if item != drawn[0]]
    assert all(
        checklist.drawn_on(DAY + timedelta(days=n), left) == item for n, item in enumerate(drawn) if item in left
    )


def test_what_is_missing_is_named_and_nothing_is_written(checklist, desk):
    given = answers(checklist)
    run = checklists.check_opening
    assert unchanged(run, checklist_uid=checklist.uid, answers=given[:2], by=desk).code == "check.items"
    drawn = checklist.drawn_on(DAY, checklist.items.all())
    refusal = unchanged(run, checklist_uid=checklist.uid, answers=answers(checklist, bare=[drawn.text]), by=desk)
    assert (refusal.code, refusal.field) == ("check.photo", f"photo_{drawn.uid}")
    wordless = [answer | {"in_order": False, "remark": " "} for answer in given]
    assert unchanged(run, checklist_uid=checklist.uid, answers=wordless, by=desk).code == "check.remark"
    dirty = answers(checklist, wrong=["咨询台整洁"], bare=["咨询台整洁"])
    assert unchanged(run, checklist_uid=checklist.uid, answers=dirty, by=desk).code == "check.photo"


def test_open_points_go_on_to_the_next_shift_until_they_are_put_right(checklist, desk, manager):
    checklists.check_opening(checklist_uid=checklist.uid, answers=answers(checklist, wrong=["座椅完好"]), by=desk)
    (point,) = reads.open_points(desk, area="DESK")
    with clock.moved_to(NOW + timedelta(days=1)):
        assert [p.text for p in reads.open_points(desk)] == ["座椅完好"]
        bare = unchanged(checklists.right_point, uid=point.uid, how=" ", by=desk)
        assert (bare.code, bare.field) == ("check.how", f"how_{point.uid}")
        checklists.check_opening(
            checklist_uid=checklist.uid, answers=answers(checklist), righted={point.uid: "已换新座椅"}, by=desk
        )
    assert reads.open_points(desk) == []
    point.refresh_from_db()
    assert (point.righted_how, point.righted_by.name) == ("已换新座椅", "林晓")
    assert unchanged(checklists.right_point, uid=point.uid, how="又换", by=desk).code == "check.righted"


def test_a_checklist_is_changed_and_ended_by_whom_it_belongs_to(checklist, desk, manager, store):
    again = unchanged(checklists.write_checklist, area="DESK", shift_code="DAY", items=ITEMS, by=manager)
    assert (again.code, again.field) == ("checklist.once", "shift_code")
    first = checklist.items.first()
    checklists.write_checklist(
        uid=checklist.uid,
        due_minutes=0,
        items=[{"uid": first.uid, "text": "咨询台整洁无杂物", "photo_if_wrong": False}],
        by=manager,
    )
    assert [(i.uid, i.text) for i in checklist.items.filter(active=True)] == [(first.uid, "咨询台整洁无杂物")]
    assert unchanged(checklists.write_checklist, uid=checklist.uid, items=[], by=manager).code == "checklist.empty"
    with pytest.raises(NotAllowed):
        checklists.write_checklist(area="LOUNGE", shift_code="DAY", items=ITEMS, by=desk)
    other = actor_for(make_employee(make_store("SH01"), "manager"))
    with pytest.raises(Checklist.DoesNotExist):
        checklists.end_checklist(uid=checklist.uid, by=other)
    checklists.end_checklist(uid=checklist.uid, by=manager)
    assert unchanged(checklists.end_checklist, uid=checklist.uid, by=manager).code == "checklist.ended"
    with clock.moved_to(NOW + timedelta(days=1)):
        given = {"checklist_uid": checklist.uid, "answers": answers(checklist), "by": desk}
        assert unchanged(checklists.check_opening, **given).code == "checklist.ended"


def test_the_database_keeps_checks_and_demands_their_photos(checklist, desk, refused):
    check = checklists.check_opening(
        checklist_uid=checklist.uid, answers=answers(checklist, wrong=["座椅完好"]), by=desk
    )
    kept = check.answers.get(text="网络正常")
    values = list(OpeningAnswer.objects.order_by("pk").values())
    with refused("openingcheck_once") as sql:
        sql(
            "INSERT INTO reception_openingcheck (uid, version, created_at, updated_at, store_id, checklist_id, day,"
            " due_at, drawn_id, checked_by_id, checked_at, note) SELECT gen_random_uuid(), 1, now(), now(), store_id,"
            " checklist_id, day, due_at, drawn_id, checked_by_id, checked_at, '' FROM reception_openingcheck"
        )
    for change in ("note = 'x'", "day = day - 1", "checked_at = checked_at - interval '1 hour'"):
        with refused("openingcheck_kept") as sql:
            sql(f"UPDATE reception_openingcheck SET {change}")
    with refused("openingcheck_kept") as sql:
        sql("DELETE FROM reception_openingcheck")
    with refused("openinganswer_kept") as sql:
        sql("UPDATE reception_openinganswer SET in_order = true WHERE NOT in_order")
    with refused("openinganswer_kept") as sql:
        sql("UPDATE reception_openinganswer SET remark = 'x' WHERE id = %s", [kept.pk])
    with refused("openinganswer_kept") as sql:
        sql("DELETE FROM reception_openinganswer")
    with refused("openinganswer_righted") as sql:
        sql("UPDATE reception_openinganswer SET righted_at = now() WHERE NOT in_order")
    insert = (
        "INSERT INTO reception_openinganswer (uid, check_of_id, item_id, text, in_order, remark, righted_how)"
        " VALUES (gen_random_uuid(), %s, %s, 'x', %s, %s, '')"
    )
    with refused("openinganswer_once") as sql:
        sql(insert, [check.pk, ChecklistItem.objects.exclude(pk=check.drawn_id).first().pk, True, ""])
    photographed = ChecklistItem.objects.create(checklist=checklist, text="价格牌", photo_if_wrong=True)
    with refused("openinganswer_photo") as sql:
        sql(insert, [check.pk, photographed.pk, False, "看不清"])
    with refused("openinganswer_photo") as sql:
        sql(insert, [check.pk, check.drawn_id, True, ""])
    plain = ChecklistItem.objects.create(checklist=checklist, text="灯箱")
    with refused("openinganswer_remark") as sql:
        sql(insert, [check.pk, plain.pk, False, ""])
    with refused("checklist_once") as sql:
        sql(
            "INSERT INTO reception_checklist (uid, version, created_at, updated_at, store_id, area, shift_id, due_minutes,"
            " starts_on) SELECT gen_random_uuid(), 1, now(), now(), store_id, area, shift_id, 0, starts_on"
            " FROM reception_checklist"
        )
    assert list(OpeningAnswer.objects.order_by("pk").values()) == values


def sign_in(employee):
    client = Client()
    client.force_login(employee.user)
    return client


def sent(checklist, **more):
    """The form as a browser sends it, all in order with the drawn photo."""
    given = {"form_token": uuid4(), "note": ""}
    for answer in answers(checklist):
        uid = answer["item_uid"]
        given[f"found_{uid}"] = "IN_ORDER"
        if answer["photo"]:
            given[f"photo_{uid}"] = SimpleUploadedFile("a.jpg", answer["photo"], "image/jpeg")
    return given | more


def test_the_pages_from_overdue_to_put_right(checklist, employee, desk):
    browser = sign_in(employee)
    page = f"/checklists/{checklist.uid}/"
    with clock.moved_to(NOW + timedelta(hours=3)):
        assert "营业前检查逾期：前台" in browser.get("/today/").content.decode()
        seat = checklist.items.get(text="座椅完好")
        refused = browser.post(page, sent(checklist, **{f"found_{seat.uid}": "WRONG"}))
        assert refused.status_code == 422
        assert "座椅完好：请写明哪里不符合" in refused.content.decode()
        done = browser.post(page, sent(checklist, **{f"found_{seat.uid}": "WRONG", f"remark_{seat.uid}": "有划痕"}))
        assert done.url == "/checklists/" or done.status_code == 422
        assert "营业前检查逾期" not in browser.get("/today/").content.decode()
    listed = browser.get("/checklists/").content.decode()
    assert "1 项不符合" in listed
    assert "有划痕" in listed
    assert "林晓 已检查" in browser.get(page).content.decode()
    point = OpeningAnswer.objects.get(in_order=False)
    assert browser.post(f"/checklists/points/{point.uid}/", {"how": "", "form_token": uuid4()}).status_code == 422
    assert (
        browser.post(f"/checklists/points/{point.uid}/", {"how": "已更换", "form_token": uuid4()}).url == "/checklists/"
    )
    assert "没有未关闭的问题" in browser.get("/checklists/").content.decode()
    shown = OpeningAnswer.objects.get(photo__isnull=False)
    assert browser.get(f"/checklists/photos/{shown.uid}/").headers["Content-Type"] == "image/jpeg"
    stranger = sign_in(make_employee(make_store("SH01"), "receptionist"))
    assert stranger.get(f"/checklists/photos/{shown.uid}/").status_code == 404
    assert stranger.get(page).status_code == 404


def test_the_editor_begins_with_the_usual_items_and_keeps_what_was_typed(store):
    browser = sign_in(make_employee(store, "manager"))
    page = browser.get("/checklists/new/?area=LOUNGE").content.decode()
    assert "卫生间干净，纸品充足" in page
    form = {"area": "LOUNGE", "shift": "DAY", "due_minutes": "500", "rows": "2", "text_0": "茶水备好", "text_1": ""}
    refused = browser.post("/checklists/new/", form | {"form_token": uuid4()})
    assert refused.status_code == 422
    assert "茶水备好" in refused.content.decode()
    form |= {"due_minutes": "10", "photo_0": "on", "form_token": uuid4()}
    assert browser.post("/checklists/new/", form).url == "/checklists/"
    made = Checklist.objects.get()
    (item,) = made.items.all()
    assert (item.text, item.photo_if_wrong, made.due_minutes) == ("茶水备好", True, 10)
    assert browser.get(f"/checklists/{made.uid}/edit/").status_code == 200
    change = {"due_minutes": "5", "rows": "1", "uid_0": item.uid, "text_0": "茶水", "form_token": uuid4()}
    assert browser.post(f"/checklists/{made.uid}/edit/", change).url == "/checklists/"
    assert list(made.items.values_list("uid", "text", "photo_if_wrong")) == [(item.uid, "茶水", False)]
    assert browser.post(f"/checklists/{made.uid}/end/").url == "/checklists/"


def test_an_empty_page_says_who_begins(employee):
    assert "还没有检查表" in sign_in(employee).get("/checklists/").content.decode()


def test_the_figure_counts_what_is_due_and_leads_to_it(checklist, desk, manager, store):
    code = "reception.opened_in_time"

    def figure(day):
        recompute_day(store_id=store.pk, day=day)
        shown = read(manager, code, day, day)
        behind = rows_behind(manager, code, day, day)
        assert (behind.numerator, behind.denominator) == (shown.numerator, shown.denominator)
        return shown.numerator, shown.denominator

    checklists.write_checklist(area="LOUNGE", shift_code="DAY", items=ITEMS, due_minutes=240, by=manager)
    outside = checklists.write_checklist(area="OUTSIDE", shift_code="DAY", items=ITEMS, by=manager)
    checklists.check_opening(checklist_uid=outside.uid, answers=answers(outside), by=desk)
    begins = outside.due_on(DAY)
    assert figure(DAY) == ((1, 1) if begins > NOW else (0, 2))  # due so far: what was checked, and what is overdue
    with clock.moved_to(NOW + timedelta(hours=9)):
        checklists.check_opening(checklist_uid=checklist.uid, answers=answers(checklist), by=desk)
        assert figure(DAY) == (1 if begins > NOW else 0, 3)
        assert figure(DAY - timedelta(days=1)) == (0, 0)
