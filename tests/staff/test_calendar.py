"""2.4: the list of public holidays as rows, the warning that a year's list is missing, the store's special days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, holidays, worktime
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import CalendarDay, History, PublicDay
from dealership.kernel.stores import DayHours, hours_of_week
from staff.views.calendar import HOLIDAYS
from tests.factories.staff import actor_for, make_employee, make_store

pytestmark = pytest.mark.django_db
YEAR = worktime.official_until().year + 1  # the first year that the package doesn't know
MONDAY = date.fromisocalendar(YEAR, 20, 1)
SATURDAY = date.fromisocalendar(YEAR, 20, 6)


@pytest.fixture
def manager():
    return make_employee(make_store(), "manager")


def test_written_days_make_the_year_official_and_move_legal_clocks(manager):
    by = actor_for(manager)
    assert not holidays.public_day(MONDAY).official
    before = holidays.statutory_calendar().add_working_days(date.fromisocalendar(YEAR, 19, 5), 1)
    assert before == MONDAY
    holidays.set_public_day(day=MONDAY, kind="HOLIDAY", name="测试节", by=by)
    holidays.set_public_day(day=SATURDAY, kind="MAKE_UP", name="测试节", by=by)
    calendar = holidays.statutory_calendar()
    assert calendar.add_working_days(date.fromisocalendar(YEAR, 19, 5), 1) == date.fromisocalendar(YEAR, 20, 2)
    assert calendar.is_working_day(SATURDAY)
    assert (holidays.public_day(MONDAY).official, holidays.public_day(MONDAY).is_working) == (True, False)
    ordinary = holidays.public_day(date.fromisocalendar(YEAR, 20, 3))
    assert (ordinary.official, ordinary.is_working) == (True, True)
    row = PublicDay.objects.get(day=MONDAY)
    line = History.objects.get(root_uid=row.uid)
    assert (line.code, line.changed) == ("kernel.public_day.set", {"kind": [None, "HOLIDAY"]})


def test_the_same_day_is_changed_and_taken_off(manager):
    by = actor_for(manager)
    holidays.set_public_day(day=SATURDAY, kind="HOLIDAY", name="测试节", by=by)
    row = holidays.set_public_day(day=SATURDAY, kind="MAKE_UP", name="测试节", by=by)
    assert PublicDay.objects.count() == 1
    holidays.drop_public_day(uid=row.uid, by=by)
    assert PublicDay.objects.count() == 0
    codes = list(History.objects.filter(root_uid=row.uid).order_by("id").values_list("code", flat=True))
    assert codes == ["kernel.public_day.set", "kernel.public_day.set", "kernel.public_day.dropped"]


def test_what_is_no_day_of_the_list_is_refused(manager, refused):
    by = actor_for(manager)
    for given, code in (
        ({"day": MONDAY, "kind": "MAKE_UP", "name": "节"}, "publicday.kind"),
        ({"day": MONDAY, "kind": "FEAST", "name": "节"}, "publicday.kind"),
        ({"day": MONDAY, "kind": "HOLIDAY", "name": " "}, "publicday.name"),
    ):
        with pytest.raises(RuleError) as refusal:
            holidays.set_public_day(by=by, **given)
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        holidays.set_public_day(
            day=MONDAY, kind="HOLIDAY", name="节", by=actor_for(make_employee(manager.store, "advisor"))
        )
    row = holidays.set_public_day(day=SATURDAY, kind="MAKE_UP", name="节", by=by)
    with refused("publicday_make_up_on_weekend") as sql:
        sql("UPDATE kernel_publicday SET day = %s WHERE id = %s", [MONDAY, row.pk])
    with refused("publicday_named") as sql:
        sql("UPDATE kernel_publicday SET name = '' WHERE id = %s", [row.pk])
    assert PublicDay.objects.get().day == SATURDAY


def test_next_years_list_is_asked_for_from_november_on(manager):
    assert holidays.missing_year(date(YEAR - 1, 10, 31)) is None
    assert holidays.missing_year(date(YEAR - 1, 11, 1)) == YEAR
    assert holidays.missing_year(date(YEAR, 1, 1)) == YEAR
    holidays.set_public_day(day=date(YEAR, 1, 1), kind="HOLIDAY", name="元旦", by=actor_for(manager))
    assert holidays.missing_year(date(YEAR, 10, 1)) is None


def test_the_page_warns_and_takes_the_days(client: Client, manager):
    client.force_login(manager.user)
    with clock.moved_to(datetime(YEAR - 1, 11, 20, 3, tzinfo=UTC)):
        page = client.get(reverse("calendar"))
        assert (page.context["missing"], page.context["may_edit"]) == (YEAR, True)
        assert f"{YEAR}" in page.content.decode()
        answer = client.post(
            reverse("calendar-public-day"), {"day": f"{YEAR}-01-01", "kind": "HOLIDAY", "name": "元旦"}
        )
        assert answer["Location"] == f"{reverse('calendar')}?year={YEAR}"
        page = client.get(answer["Location"])
        assert page.context["missing"] is None
        assert "元旦" in page.content.decode()
        wrong = client.post(
            reverse("calendar-public-day"), {"day": MONDAY.isoformat(), "kind": "MAKE_UP", "name": "元旦"}
        )
        assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["kind"])
        uid = PublicDay.objects.get().uid
        assert client.post(reverse("calendar-public-day-drop", args=[uid])).status_code == 302
        assert PublicDay.objects.count() == 0
        closed = client.post(reverse("calendar-store-day"), {"day": f"{YEAR}-02-02", "name": "盘点"})
        assert closed.status_code == 302
        assert CalendarDay.objects.get(store=manager.store).opens is None
        assert "盘点" in client.get(reverse("calendar")).content.decode()
    for odd in ("year=x", "year=1999", "year=99999"):
        assert client.get(f"{reverse('calendar')}?{odd}").status_code == 200


def test_official_names_are_in_the_readers_language(client: Client, manager):
    client.force_login(manager.user)
    address = f"{reverse('calendar')}?year={worktime.official_until().year}"
    with clock.moved_to(datetime(worktime.official_until().year, 3, 2, 3, tzinfo=UTC)):
        assert "春节" in client.get(address).content.decode()
        manager.user.language = "en"
        manager.user.save(update_fields=["language"])
        page = client.get(address).content.decode()
    assert "Spring Festival" in page
    assert "春节" not in page


def test_every_official_holiday_has_a_name():
    year = worktime.official_until().year
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    named = {worktime.statutory_day(day).name for day in days} - {""}
    assert len(named) == 7
    assert named <= HOLIDAYS.keys()


def test_who_only_looks_sees_no_buttons(client: Client, manager):
    client.force_login(make_employee(manager.store, "advisor").user)
    page = client.get(reverse("calendar"))
    assert page.status_code == 200
    assert reverse("calendar-public-day") not in page.content.decode()
    assert client.post(reverse("calendar-store-day"), {"day": "2027-02-02", "name": "x"}).status_code == 403


def test_the_weekly_hours_are_set_on_one_page(client: Client, manager):
    client.force_login(manager.user)
    page = client.get(reverse("calendar-hours"))
    given = {name: value.strftime("%H:%M") for name, value in page.context["form"].initial.items() if value}
    assert (given["opens_0"], given["closes_6"], len(given)) == ("08:30", "18:00", 28)
    sunday = {f"{part}_6": "" for part in ("opens", "closes", "break_from", "break_to")}
    sent = {**given, **sunday, "closes_5": "16:00"}
    assert client.post(reverse("calendar-hours"), sent).status_code == 302
    week = hours_of_week(manager.store)
    assert week[6] is None
    assert (week[5], week[0]) == (
        DayHours(time(8, 30), time(16), time(12), time(13)),
        DayHours(time(8, 30), time(18), time(12), time(13)),
    )
    lines = History.objects.filter(code="kernel.store.hours_set", store_id=manager.store.pk).order_by("id")
    assert [line.facts["weekday"] for line in lines] == [5, 6]


def test_hours_that_make_no_day_are_refused_with_everything_kept(client: Client, manager):
    client.force_login(manager.user)
    before = hours_of_week(manager.store)
    given = {
        name: value.strftime("%H:%M")
        for name, value in client.get(reverse("calendar-hours")).context["form"].initial.items()
    }
    for changed, field in (
        ({"opens_2": "19:00"}, "opens_2"),
        ({"break_to_3": "11:00"}, "opens_3"),
        ({"break_to_3": ""}, "opens_3"),
        ({"break_to_3": "20:00"}, "opens_3"),
        ({"opens_1": ""}, "opens_1"),
        ({"closes_4": "25:00"}, "closes_4"),
        (dict.fromkeys(given, ""), "__all__"),
    ):
        answer = client.post(reverse("calendar-hours"), given | changed)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
        if changed.get("opens_2"):
            assert 'value="19:00"' in answer.content.decode()
    assert hours_of_week(manager.store) == before
    assert not History.objects.filter(code="kernel.store.hours_set").exists()


def test_a_special_day_is_taken_off_again(client: Client, manager):
    client.force_login(manager.user)
    with clock.moved_to(datetime(YEAR - 1, 11, 20, 3, tzinfo=UTC)):
        client.post(reverse("calendar-store-day"), {"day": f"{YEAR}-02-02", "name": "盘点"})
        drop = reverse("calendar-store-day-drop", args=[f"{YEAR}-02-02"])
        assert drop in client.get(reverse("calendar")).content.decode()
        assert client.post(drop)["Location"] == reverse("calendar")
        assert not CalendarDay.objects.filter(store=manager.store).exists()
        assert client.post(drop).status_code == 404
    assert History.objects.filter(code="kernel.store.day_dropped", store_id=manager.store.pk).count() == 1
