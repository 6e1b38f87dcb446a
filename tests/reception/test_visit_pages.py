"""The visit's pages: the board, one visit, the walk-around, keys, the evening count, the customer's link."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dealership.kernel import clock, limits, stages
from dealership.kernel.models import History, Message, User
from dealership.kernel.signatures import EMPTY_PAD
from reception.models import DamageMark, EveningCount, Vehicle, Visit, VisitState
from reception.selectors import today
from reception.selectors.today import LANE_SOURCES, Placement, Remedy
from reception.selectors.visits import stage_steps
from reception.services import visits, walkarounds
from tests.factories.departed import make_departed
from tests.factories.reception import make_picture, make_received_visit, make_signed_visit, make_visit
from tests.factories.staff import actor_for, make_actor, make_employee, make_store

NOW = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def employee(store):
    return make_employee(store, "advisor", name="林晓")


@pytest.fixture
def advisor(employee):
    return actor_for(employee)


@pytest.fixture
def desk(employee):
    """A browser in which the advisor is signed in."""
    client = Client()
    client.force_login(employee.user)
    return client


def sign_in(store, *posts):
    client = Client()
    client.force_login(make_employee(store, *posts).user)
    return client


def text_of(response):
    return response.content.decode()


# --- the board ---


def test_an_empty_board_says_what_to_do_first(desk):
    answer = desk.get("/today/")
    assert answer.status_code == 200
    assert "今天没有车在店" in text_of(answer)
    assert "/visits/new/" in text_of(answer)


def test_the_board_shows_who_waits_too_long_with_a_way_out(desk, advisor):
    with clock.moved_to(NOW):
        visit = make_visit(advisor, plate="京P30X61", contact_name="魏试")
    with clock.moved_to(NOW + timedelta(minutes=9)):
        page = text_of(desk.get("/today/"))
    assert "京P·30X61" in page
    assert "等待 9 分" in page
    assert f"/visits/{visit.uid}/greet/" in page
    assert "超过 5 分钟未接待" in page


def test_rooms_above_place_cars_in_lanes(advisor, monkeypatch):
    with clock.moved_to(NOW):
        visit = make_signed_visit(advisor)
        visits.promise_visit(uid=visit.uid, promised_at=NOW + timedelta(hours=1), reason="保养", by=advisor)
        visits.admit_visit(visit=visit, by=advisor)
        asked = []

        def source(actor, open_visits):
            asked.append([v.pk for v in open_visits])
            return {
                visit.pk: Placement(
                    "DISPATCH",
                    line="途远 · 等件",
                    warning="会晚 2 小时",
                    expected_at=NOW + timedelta(hours=3),
                    remedies=(Remedy("告知客户", "/x/"),),
                )
            }

        waiting = make_visit(advisor)
        monkeypatch.setattr(today, "LANE_SOURCES", [source])
        board = today.board(advisor)
    assert asked == [[visit.pk]]
    lanes = {shown.lane.code: [card.visit.pk for card in shown.cards] for shown in board.lanes}
    assert lanes == {
        "EXPECTED": [],
        "RECEPTION": [waiting.pk],
        "CONSENT": [],
        "DISPATCH": [visit.pk],
        "WORKSHOP": [],
        "INSPECTION": [],
        "DELIVERY": [],
    }
    card = board.lanes[3].cards[0]
    assert (card.line, card.warning, card.late) == ("途远 · 等件", "会晚 2 小时", True)
    assert [remedy.label for remedy in card.remedies] == ["告知客户"]
    assert {item.code: item.value for item in board.strip if item.code} == {
        "all": "2",
        "unreceived": "0",
        "consent": "0",
        "parts": "1",
        "late": "1",
        "ready": "0",
    }
    assert today.LANE_SOURCES is not LANE_SOURCES


def test_a_customer_who_does_not_look_is_sent_the_link_again_or_called(advisor, monkeypatch):
    with clock.moved_to(NOW):
        visit = make_signed_visit(advisor)
        visits.admit_visit(visit=visit, by=advisor)
        visits.view_link(token=visit.link.token)
    monkeypatch.setattr(today, "LANE_SOURCES", [lambda actor, cars: {visit.pk: Placement("CONSENT")}])
    with clock.moved_to(NOW + timedelta(minutes=38)):
        (card,) = today.board(advisor, show="consent").cards
        assert (card.note, card.remedies) == ("", ()), "nothing is asked yet, so nothing waits to be looked at"
    asked = Placement("CONSENT", asked=True)
    monkeypatch.setattr(today, "LANE_SOURCES", [lambda actor, cars: {visit.pk: asked}])
    with clock.moved_to(NOW + timedelta(minutes=29)):
        (card,) = today.board(advisor, show="consent").cards
        assert (card.note, card.remedies) == ("", ())
    with clock.moved_to(NOW + timedelta(minutes=38)):
        (card,) = today.board(advisor, show="consent").cards
    assert card.note == "38 分没有查看"
    assert [remedy.url for remedy in card.remedies] == [
        f"/visits/{visit.uid}/link/send/",
        f"/visits/{visit.uid}/",
    ]


def test_the_room_furthest_on_has_the_last_word():
    rooms = [source.__module__.split(".")[0] for source in sorted(LANE_SOURCES, key=today._room_order)]
    assert list(dict.fromkeys(rooms)) == ["workshop", "delivery"]


def test_counts_are_filters(desk, advisor):
    with clock.moved_to(NOW):
        make_visit(advisor, plate="京P30X61")
    with clock.moved_to(NOW + timedelta(minutes=9)):
        make_visit(advisor, plate="京Q11D83")
        page = text_of(desk.get("/today/?show=unreceived"))
    assert "京P·30X61" in page
    assert "京Q·11D83" not in page


def test_mine_and_list_are_remembered(desk, advisor, store, employee):
    make_received_visit(advisor, plate="京P30X61")
    make_received_visit(make_actor(store, "advisor"), plate="京Q11D83")
    desk.get("/today/?who=mine&view=list")
    page = text_of(desk.get("/today/"))
    assert "京P·30X61" in page
    assert "京Q·11D83" not in page
    assert "<table" in page
    assert User.objects.get(pk=employee.user.pk).preferences == {"today.who": "mine", "today.view": "list"}


def test_the_board_asks_the_same_number_of_questions_for_more_cars(desk, advisor, django_assert_num_queries):
    for _n in range(2):
        make_received_visit(advisor)
    desk.get("/today/")

    def queries():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        cache.clear()  # the rail keeps its counts for some seconds, dated settings are kept too
        limits.forget()
        with CaptureQueriesContext(connection) as caught:
            desk.get("/today/")
        return len(caught)

    few = queries()
    for _n in range(6):
        make_received_visit(advisor)
    assert queries() == few


def test_another_store_s_cars_are_not_on_the_board(desk):
    make_visit(make_actor(make_store("SH01"), "advisor"), plate="京P30X61")
    assert "京P·30X61" not in text_of(desk.get("/today/"))


def test_a_technician_has_no_board_but_may_see_keys(store):
    client = sign_in(store, "technician")
    assert client.get("/today/").status_code == 403
    assert client.get("/keys/").status_code == 200


# --- one visit ---


def test_the_visit_page_leads_to_what_is_next(desk, advisor):
    visit = make_visit(advisor)
    assert f"/visits/{visit.uid}/greet/" in text_of(desk.get(f"/visits/{visit.uid}/"))
    answer = desk.post(f"/visits/{visit.uid}/greet/", {"form_token": uuid4()})
    assert (answer.status_code, answer.url) == (302, f"/visits/{visit.uid}/walkaround/")
    page = text_of(desk.get(f"/visits/{visit.uid}/"))
    assert f"/visits/{visit.uid}/walkaround/" in page
    assert "客户已接待" in page
    visit.refresh_from_db()
    assert visit.state == VisitState.IN_RECEPTION


def test_a_foreign_store_s_visit_is_not_found(desk):
    visit = make_visit(make_actor(make_store("SH01"), "advisor"))
    assert desk.get(f"/visits/{visit.uid}/").status_code == 404
    assert desk.post(f"/visits/{visit.uid}/key/", {"key_tag": "07"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("left", {"reason": "等太久"}),
        ("area", {"area": "LOUNGE"}),
        ("key", {"key_tag": "07", "place": "A1"}),
        ("promise", {"promised_at": "2030-01-01T11:20", "reason": "常规保养", "told": ""}),
    ],
)
def test_actions_go_back_to_the_visit(desk, advisor, path, data):
    visit = make_visit(advisor)
    assert desk.get(f"/visits/{visit.uid}/{path}/").status_code == 200
    before = History.objects.count()
    answer = desk.post(f"/visits/{visit.uid}/{path}/", data | {"form_token": uuid4()})
    assert (answer.status_code, answer.url) == (302, f"/visits/{visit.uid}/")
    assert History.objects.count() == before + 1


def test_a_promise_is_typed_in_the_store_s_time(desk, advisor):
    visit = make_visit(advisor)
    desk.post(
        f"/visits/{visit.uid}/promise/", {"promised_at": "2030-01-01T11:20", "reason": "常规保养", "told": "PHONE"}
    )
    visit.refresh_from_db()
    assert visit.promised_at == datetime(2030, 1, 1, 3, 20, tzinfo=UTC)


def test_a_refusal_keeps_what_was_typed(desk, advisor):
    first, visit = make_visit(advisor), make_visit(advisor)
    visits.give_key(uid=first.uid, key_tag="07", by=advisor)
    answer = desk.post(f"/visits/{visit.uid}/key/", {"key_tag": "07", "place": "二号位", "form_token": uuid4()})
    assert answer.status_code == 422
    assert "二号位" in text_of(answer)
    visit.refresh_from_db()
    assert visit.key_tag == ""


def test_the_desk_gives_a_customer_to_an_advisor(store, employee):
    client = sign_in(store, "receptionist")
    visit = make_visit(actor_for(employee))
    assert client.post(f"/visits/{visit.uid}/assign/", {"advisor": employee.uid}).status_code == 302
    visit.refresh_from_db()
    assert visit.advisor == employee


def test_a_consultation_is_ended_on_its_page(desk, advisor):
    visit = make_received_visit(advisor)
    assert desk.post(f"/visits/{visit.uid}/consulted/", {"outcome": "SALES_LEAD"}).status_code == 422
    assert desk.post(f"/visits/{visit.uid}/consulted/", {"outcome": "CONSULTED"}).status_code == 302
    visit.refresh_from_db()
    assert visit.state == VisitState.CONSULTED


# --- the walk-around ---


def test_the_walk_around_works_as_plain_forms_from_start_to_signature(desk, advisor):
    visit = make_received_visit(advisor)
    page = f"/visits/{visit.uid}/walkaround/"
    for step in ("arrival", "look", "need", "sign"):
        assert desk.get(f"{page}?step={step}").status_code == 200
    answer = desk.post(f"{page}?step=arrival", {"waiting_mode": "LEAVE", "form_token": uuid4()})
    assert answer.url == f"{page}?step=look"
    mark = {"side": "LEFT", "kind": "DENT", "place": "左前门", "size_mm": "120", "x": "300", "y": "400"}
    marked = desk.post(f"{page}marks/", mark | {"form_token": uuid4()}).url
    made = DamageMark.objects.get().uid
    assert marked == f"{page}?step=look&mark={made}"
    assert f'<option value="{made}" selected>' in desk.get(marked).text  # the photo taken next is of this mark
    look = {
        "odometer_km": "63208",
        "energy_eighths": "5",
        "belongings": ["TOOLS"],
        "warning_lights": ["TPMS"],
        "kit_fitted": "on",
        "no_valuables": "on",
    }
    assert desk.post(f"{page}?step=look", look | {"form_token": uuid4()}).url == f"{page}?step=need"
    need = {"own_words": "刹车有异响", "old_parts": "TAKE", "form_token": uuid4()}
    assert desk.post(f"{page}?step=need", need).url == f"{page}?step=sign"
    assert "左前门 凹陷" in text_of(desk.get(f"{page}?step=sign"))
    undrawn = desk.post(f"{page}?step=sign", {"signed_name": "李代签", "signature": EMPTY_PAD, "form_token": uuid4()})
    assert undrawn.status_code == 422
    assert "签名板上还没有签名" in text_of(undrawn)
    assert 'value="李代签"' in text_of(undrawn)
    answer = desk.post(f"{page}?step=sign", {"signed_name": "周试车", "signature": "", "form_token": uuid4()})
    assert answer.url == f"/visits/{visit.uid}/"
    visit.refresh_from_db()
    walkaround = visit.walkaround
    assert (walkaround.state, walkaround.odometer_km, walkaround.energy_eighths) == ("SIGNED", 63208, 5)
    assert (walkaround.belongings, walkaround.warning_lights) == (["TOOLS"], ["TPMS"])
    assert (walkaround.kit_fitted, walkaround.no_valuables, walkaround.own_words) == (True, True, "刹车有异响")
    assert visit.waiting_mode == "LEAVE"
    assert "不能再修改" in text_of(desk.get(page))


def test_the_queue_of_a_device_is_answered_in_short(desk, advisor):
    visit = make_received_visit(advisor)
    page, queued = f"/visits/{visit.uid}/walkaround/?step=look", {"X-Queued": "1"}
    answer = desk.post(page, {"odometer_km": "63208", "form_token": uuid4()}, headers=queued)
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(answer.headers["X-Saved-At"]) == 5
    assert visit.walkaround.odometer_km == 63208
    refused = desk.post(page, {"odometer_km": "63208", "energy_eighths": "12"}, headers=queued)
    assert refused.status_code == 422
    assert list(refused.json()["wrong"]) == ["energy_eighths"]
    assert desk.post(f"/visits/{visit.uid}/photos/", {"place": "左前"}, headers=queued).status_code == 422
    assert (
        Client().post(page, {"odometer_km": "1"}, headers=queued).status_code == 302
    )  # to the sign-in: it goes on waiting


def test_what_the_queue_sends_twice_is_there_once_and_a_photo_outlives_its_mark(desk, advisor):
    visit = make_received_visit(advisor)
    base, queued = f"/visits/{visit.uid}", {"X-Queued": "1"}
    mark, photo = uuid4(), uuid4()
    for _again in range(2):  # a new token: only the name given on the device tells that it is the same
        sent = {"side": "LEFT", "kind": "DENT", "x": "100", "y": "200", "uid": mark, "form_token": uuid4()}
        assert desk.post(f"{base}/walkaround/marks/", sent, headers=queued).status_code == 204
    assert desk.post(f"{base}/walkaround/marks/{mark}/remove/", headers=queued).status_code == 204
    assert desk.post(f"{base}/walkaround/marks/{mark}/remove/", headers=queued).status_code == 204
    for _again in range(2):
        file = SimpleUploadedFile("a.jpg", make_picture(), "image/jpeg")
        sent = {"photos": file, "mark": mark, "place": "左前", "uid": photo, "form_token": uuid4()}
        assert desk.post(f"{base}/photos/", sent, headers=queued).status_code == 204
    assert (visit.walkaround.marks.count(), list(visit.photos.values_list("uid", "mark", "place"))) == (
        0,
        [(photo, None, "左前")],
    )
    codes = list(History.objects.filter(visit_uid=visit.uid).values_list("code", flat=True))
    once = ("walkaround.damage_added", "walkaround.damage_removed", "visit.photo_added")
    assert [codes.count(f"reception.{code}") for code in once] == [1, 1, 1]


def test_a_lower_mileage_is_asked_about(desk, advisor):
    first = make_signed_visit(advisor, plate="京P30X61", odometer_km=63208)
    visits.end_consultation(uid=first.uid, outcome="CONSULTED", by=advisor)
    visit = make_received_visit(advisor, plate="京P30X61")
    answer = desk.post(f"/visits/{visit.uid}/walkaround/?step=look", {"odometer_km": "100", "form_token": uuid4()})
    assert answer.status_code == 422
    assert "63208" in text_of(answer)


def test_an_incomplete_walk_around_is_not_signed(desk, advisor):
    visit = make_received_visit(advisor)
    answer = desk.post(f"/visits/{visit.uid}/walkaround/?step=sign", {"signed_name": "周试车", "form_token": uuid4()})
    assert answer.status_code == 422
    assert "请先读取里程" in text_of(answer)


def test_before_the_signature_stands_what_is_missing_with_the_way_to_it(desk, advisor):
    visit = make_received_visit(advisor)
    page = f"/visits/{visit.uid}/walkaround/"
    asked = text_of(desk.get(f"{page}?step=sign"))
    assert "签字前还缺 4 项" in asked
    for step, field in (("look", "odometer_km"), ("look", "no_valuables"), ("need", "old_parts")):
        assert f"{page}?step={step}#id_{field}" in asked
    assert "确认车内无贵重物品" not in asked
    drawn = "data:image/png;base64," + b64encode(make_picture(kind="PNG")).decode()
    sent = {"signed_name": "周试车", "signature": drawn, "form_token": uuid4()}
    refused = desk.post(f"{page}?step=sign", sent)
    assert refused.status_code == 422
    assert f'name="signature" value="{drawn}"' in text_of(refused).replace("&#x2B;", "+").replace("&#x3D;", "=")
    assert "* 请" not in text_of(refused)
    walkarounds.save_walkaround(
        visit_uid=visit.uid, odometer_km=63208, energy_eighths=5, no_valuables=True, old_parts="TAKE", by=advisor
    )
    asked = text_of(desk.get(f"{page}?step=sign"))
    assert "签字前还缺" not in asked
    assert "确认车内无贵重物品" in asked


def test_a_mark_is_taken_back(desk, advisor):
    visit = make_received_visit(advisor)
    mark = walkarounds.add_damage(visit_uid=visit.uid, side="TOP", kind="CHIP", by=advisor)
    assert desk.post(f"/visits/{visit.uid}/walkaround/marks/{mark.uid}/remove/").status_code == 302
    assert visit.walkaround.marks.count() == 0


def test_photos_are_served_to_who_may_see_the_visit_and_to_nobody_else(desk, advisor, store):
    visit = make_received_visit(advisor)
    files = [SimpleUploadedFile(f"{n}.png", make_picture(kind="PNG"), "image/png") for n in range(2)]
    answer = desk.post(f"/visits/{visit.uid}/photos/", {"photos": files, "place": "左前", "form_token": uuid4()})
    assert answer.status_code == 302
    one, two = visit.photos.all()
    assert (one.place, two.place) == ("左前", "左前")
    picture = desk.get(f"/visits/photos/{one.uid}/")
    assert (picture.status_code, picture["Content-Type"], picture["X-Content-Type-Options"]) == (
        200,
        "image/jpeg",
        "nosniff",
    )
    assert b"".join(picture.streaming_content).startswith(b"\xff\xd8\xff")
    assert sign_in(make_store("SH01"), "advisor").get(f"/visits/photos/{one.uid}/").status_code == 404
    assert sign_in(store, "accountant").get(f"/visits/photos/{one.uid}/").status_code == 403
    assert Client().get(f"/visits/photos/{one.uid}/").status_code == 302


def test_a_file_that_is_no_picture_is_refused_and_none_is_kept(desk, advisor):
    visit = make_received_visit(advisor)
    files = [
        SimpleUploadedFile("1.png", make_picture(kind="PNG"), "image/png"),
        SimpleUploadedFile("2.jpg", b"<html>", "image/jpeg"),
    ]
    answer = desk.post(f"/visits/{visit.uid}/photos/", {"photos": files, "form_token": uuid4()})
    assert answer.status_code == 422
    assert visit.photos.count() == 0


# --- keys and the evening ---


def test_keys_show_the_gap_first(desk, advisor, employee):
    one, two = make_visit(advisor, plate="京P30X61"), make_visit(advisor, plate="京Q11D83")
    visits.give_key(uid=one.uid, key_tag="07", holder_uid=employee.uid, place="A1", by=advisor)
    page = text_of(desk.get("/keys/"))
    assert page.index("京Q·11D83") < page.index("京P·30X61")
    assert f"/visits/{two.uid}/key/" in page
    back = desk.post(f"/visits/{two.uid}/key/?next=/keys/", {"key_tag": "08", "next": "/keys/"})
    assert back.url == "/keys/"


def test_the_evening_count_by_form(desk, advisor):
    visit = make_visit(advisor)
    uid = visit.uid
    assert desk.get("/evening-count/").status_code == 200
    refused = desk.post("/evening-count/", {f"car_{uid}": "on", f"place_{uid}": "A1", "form_token": uuid4()})
    assert refused.status_code == 422
    assert EveningCount.objects.count() == 0
    done = {f"car_{uid}": "on", f"place_{uid}": "A1", f"remark_{uid}": "客户带走", "form_token": uuid4()}
    assert desk.post("/evening-count/", done).status_code == 302
    page = text_of(desk.get("/evening-count/"))
    assert "客户带走" in page
    assert "缺失" in page


# --- the car by its VIN ---


def test_a_vin_brings_the_known_car_along_and_else_the_model_of_its_build(desk, advisor):
    visit = make_visit(advisor, plate="京L7H268", vin="LSJA24U62JG269225", model_text="锐放 1.5T 舒适型")
    assert visit.vehicle.model is not None, "written as the catalogue writes it, so that its interval is known"
    known = text_of(desk.get("/visits/new/known-car/", {"vin": "lsja24u62jg269225"}))
    assert 'value="京L7H268"' in known
    assert visit.number in known
    other = text_of(desk.get("/visits/new/known-car/", {"vin": "LSJA24U69JG269223", "contact_name": "李试"}))
    assert 'value="锐放 1.5T 舒适型"' in other
    assert 'value="李试"' in other
    assert '<option value="锐放 1.5T 舒适型">' in text_of(desk.get("/visits/new/"))


def test_a_car_that_was_here_before_and_whose_dates_end_soon_opens_by_its_plate():
    house, order = make_departed()
    car = order.vehicle
    soon = clock.today() + timedelta(days=5)
    Vehicle.objects.filter(pk=car.pk).update(insured_until=soon, inspected_until=soon)
    client = Client()
    client.force_login(house.advisor.user)
    for address in ("/visits/new/", "/visits/new/known-car/"):
        answer = client.get(address, {"plate": car.plate})
        assert answer.status_code == 200
        assert f"/visits/{order.visit.uid}/" in text_of(answer)


# --- the customer's link ---


def test_the_customer_sees_progress_promise_photos_and_whom_to_call(advisor):
    with clock.moved_to(NOW):
        visit = make_received_visit(advisor, plate="京L7H268")
        photo = visits.add_photo(visit_uid=visit.uid, content=make_picture(), name="x.jpg", place="左前", by=advisor)
        for hours, reason in ((2, "常规保养"), (3, "等一个配件")):
            visits.promise_visit(uid=visit.uid, promised_at=NOW + timedelta(hours=hours), reason=reason, by=advisor)
        page = text_of(Client().get(f"/v/{visit.link.token}/"))
    for words in ("京L·7H268", "正在为您接待", "13:42", "12:42", "等一个配件", "林晓"):
        assert words in page
    picture = f"/v/{visit.link.token}/photos/{photo.uid}/"
    assert picture in page
    assert Client().get(picture)["X-Content-Type-Options"] == "nosniff"
    visit.link.refresh_from_db()
    assert visit.link.views == 1


@pytest.mark.parametrize(("booked", "state"), [(False, "none"), (True, "done")])
def test_who_was_never_booked_has_no_green_booking_and_a_planned_follow_up_is_not_done(advisor, booked, state):
    visit = make_visit(advisor)
    visit.appointment_id = 1 if booked else None
    steps = {step["label"]: step["state"] for step in stage_steps(visit, stages.FOLLOW_UP, over=True)}
    assert (steps[stages.BOOKING.label], steps[stages.DELIVERY.label]) == (state, "done")
    assert steps[stages.FOLLOW_UP.label] == "todo"


def test_a_link_shows_no_other_visit_s_photo(advisor):
    mine, other = make_received_visit(advisor), make_received_visit(advisor)
    photo = visits.add_photo(visit_uid=other.uid, content=make_picture(), name="x.jpg", by=advisor)
    assert Client().get(f"/v/{mine.link.token}/photos/{photo.uid}/").status_code == 404


def test_the_customer_rates_with_one_tap(advisor):
    visit = make_received_visit(advisor)
    answer = Client().post(f"/v/{visit.link.token}/rate/", {"rating": "4", "form_token": uuid4()})
    assert answer.url == f"/v/{visit.link.token}/#rating", "back to where it asks why"
    visit.refresh_from_db()
    assert visit.rating == 4


def test_an_unknown_or_expired_link_says_what_to_do(advisor):
    with clock.moved_to(NOW):
        visit = make_visit(advisor)
    for token, moment in (("nobody-has-this", NOW), (visit.link.token, NOW + timedelta(days=91))):
        with clock.moved_to(moment):
            answer = Client().get(f"/v/{token}/")
        assert answer.status_code == 404
        assert "这个页面已失效" in text_of(answer)
        with clock.moved_to(moment):
            assert Client().post(f"/v/{token}/rate/", {"rating": "1"}).status_code == 404


def test_the_customer_chooses_the_language(advisor):
    visit = make_received_visit(advisor)
    client, page = Client(), f"/v/{visit.link.token}/"
    answer = client.get(f"{page}?lang=en")
    assert (answer.status_code, answer.url) == (302, page)
    assert "We are receiving you" in text_of(client.get(page))
    assert "正在为您接待" in text_of(Client().get(page))


def test_the_link_is_sent_and_shown_as_a_code(desk, advisor):
    visit = make_visit(advisor)
    assert desk.post(f"/visits/{visit.uid}/link/send/", {"form_token": uuid4()}).status_code == 302
    message = Message.objects.get(template="visit_link")
    assert visit.link.token in message.body
    [told] = [str(words) for words in desk.get(f"/visits/{visit.uid}/").context["messages"]]
    assert "没有发出" in told
    assert f'href="/messages/{message.uid}/"' in told
    assert desk.get(f"/visits/{visit.uid}/link/").status_code == 200
    code = desk.get(f"/visits/{visit.uid}/link/qr.svg")
    assert code["Content-Type"] == "image/svg+xml"
    assert b"<svg" in code.content


@pytest.mark.parametrize(
    "path", ["/today/", "/keys/", "/evening-count/", "/visits/{uid}/", "/visits/{uid}/walkaround/"]
)
def test_strangers_are_asked_to_sign_in(advisor, path):
    visit = make_visit(advisor)
    answer = Client().get(path.format(uid=visit.uid))
    assert (answer.status_code, urlsplit(answer.url).path) == (302, "/accounts/login/")
    assert Visit.objects.get(pk=visit.pk).state == VisitState.WAITING
