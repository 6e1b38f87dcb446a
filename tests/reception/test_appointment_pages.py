"""2.4 on the page: book step by step without JavaScript, the lists, preparation, and the customer's own booking."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Operation
from dealership.kernel import clock
from dealership.kernel.limits import forget
from reception.models import A, Appointment, Customer, WaitingEntry
from reception.selectors import capacity
from reception.services import appointments as commands
from reception.services.visits import register_arrival
from tests.factories.appointments import MONDAY, TUESDAY, at, make_appointment, make_bookable, operation
from tests.factories.kernel import make_user
from tests.factories.reception import make_customer, make_vehicle, make_visit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday_morning():
    forget()
    cache.clear()
    with clock.moved_to(at("8:00")):
        yield


@pytest.fixture
def shop():
    return make_bookable()


def signed_in(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


def body(response) -> str:
    return response.content.decode()


def test_booking_works_step_by_step_without_javascript(shop):
    owner = make_customer(name="李试娜", phone="13900002290")
    car = make_vehicle(plate="京A5K903", owner_uid=owner.uid)
    client = signed_in(shop.desk)
    page = client.post("/appointments/new/", {"q": "5k903", "look": "1"})
    assert page.status_code == 200
    assert 'value="李试娜"' in body(page)
    assert 'value="13900002290"' in body(page)
    assert str(car.uid) in body(page)
    form = {
        "q": "5k903",
        "vehicle": str(car.uid),
        "filled_for": str(car.uid),
        "contact_name": "李试娜",
        "contact_phone": "13900002290",
        "concern": "方向盘往左偏",
        "waiting_mode": "LEAVE",
        "source": "PHONE",
        "add": str(operation("AL-10")),
        "operations": [str(operation("MT-50"))],
    }
    added = client.post("/appointments/new/", form | {"look": "1"})
    assert body(added).count('name="operations"') == 2
    assert "2026-11-24T09:30:00+08:00" in body(added)
    dropped = client.post(
        "/appointments/new/",
        form | {"operations": [str(operation("MT-50"))], "add": "", "drop": str(operation("MT-50"))},
    )
    assert body(dropped).count('name="operations"') == 0
    assert Appointment.objects.count() == 0
    token = {"form_token": str(uuid4())}
    without_time = client.post("/appointments/new/", form | token)
    assert without_time.status_code == 422
    assert "方向盘往左偏" in body(without_time)
    chosen = form | token | {"starts_at": "2026-11-24T09:30:00+08:00"}
    first, second = client.post("/appointments/new/", chosen), client.post("/appointments/new/", chosen)
    made = Appointment.objects.get()
    assert first.url == second.url == f"/appointments/{made.uid}/"
    assert (made.vehicle, made.customer, made.state) == (car, owner, A.CONFIRMED)


def test_enter_in_the_search_box_looks_and_carries_an_unknown_plate_along(shop):
    client = signed_in(shop.desk)
    page = body(client.get("/appointments/new/"))
    in_form = [button for button in re.findall(r"<button[^>]*>", page) if 'form="booking"' in button]
    assert 'name="look"' in in_form[0], "the browser's Enter presses the first button of the form in the page"
    assert page.index(in_form[0]) < page.index('id="booking"'), "so no button inside the form comes before it"
    looked = client.post("/appointments/new/", {"q": "沪A·12345", "look": "1"})
    assert looked.status_code == 200
    assert re.search(r'<input[^>]*name="plate"[^>]*value="沪A12345"', body(looked))
    assert "is-invalid" not in body(looked)


def test_a_time_that_went_meanwhile_keeps_what_was_typed_and_names_the_next(shop):
    make_appointment(shop)
    form = {
        "plate": "京A8K312",
        "model_text": "途远",
        "contact_name": "李试约",
        "contact_phone": "13900000002",
        "concern": "制动液更换",
        "waiting_mode": "LEAVE",
        "source": "PHONE",
        "operations": [str(operation("MT-50"))],
        "starts_at": "2026-11-24T09:30:00+08:00",
    }
    page = signed_in(shop.desk).post("/appointments/new/", form)
    assert page.status_code == 422
    assert "10:30" in body(page)
    assert "制动液更换" in body(page)
    assert Appointment.objects.count() == 1


def test_the_lists_show_the_day_the_week_and_the_filters(shop):
    made = make_appointment(shop)
    client = signed_in(shop.desk)
    day = client.get(f"/appointments/?day={TUESDAY}")
    assert str(made.uid) in body(day)
    assert [(c.code, c.value) for c in day.context["strip"]] == [
        ("all", 1),
        ("requested", 0),
        ("unprepared", 1),
        ("replan", 0),
        ("late", 0),
        ("arrived", 0),
        ("gone", 0),
    ]
    assert str(made.uid) not in body(client.get(f"/appointments/?day={TUESDAY}&show=late"))
    with clock.moved_to(at("9:41", TUESDAY)):
        late = client.get("/appointments/?show=late")
    assert late.context["rows"][0].late_minutes == 11
    assert made.contact_phone not in body(late)  # the booking itself opens the number
    with clock.moved_to(at("9:41", TUESDAY)):
        assert f"tel:{made.contact_phone}" in body(client.get(f"/appointments/{made.uid}/"))
    assert str(made.uid) in body(client.get(f"/appointments/?view=week&day={TUESDAY}"))
    assert client.get("/appointments/?day=x&show=y&view=z").status_code == 200


def test_the_booked_car_stands_on_today_with_late_minutes_and_remedies(shop):
    made = make_appointment(shop)
    with clock.moved_to(at("9:41", TUESDAY)):
        page = body(signed_in(shop.desk).get("/today/?who=all"))
    assert f"/appointments/{made.uid}/" in page
    assert f"/appointments/{made.uid}/move/" in page
    assert made.contact_phone not in page
    assert "11" in page


def test_parts_and_foreman_confirm_on_the_preparation_list(shop):
    made = make_appointment(shop)
    parts, foreman = signed_in(shop.parts), signed_in(shop.foreman)
    assert f"/appointments/{made.uid}/parts/" in body(parts.get("/appointments/preparation/"))
    assert f"/appointments/{made.uid}/parts/" not in body(foreman.get("/appointments/preparation/"))
    assert foreman.post(f"/appointments/{made.uid}/parts/").status_code == 403
    there = {"next": "/appointments/preparation/"}
    assert parts.post(f"/appointments/{made.uid}/parts/", there).url == "/appointments/preparation/"
    assert foreman.post(f"/appointments/{made.uid}/workshop/", there).status_code == 302
    made.refresh_from_db()
    assert made.state == A.PREPARED
    assert parts.post(f"/appointments/{made.uid}/parts/").status_code == 422


def test_a_booking_is_moved_and_cancelled_on_its_page(shop):
    made = make_appointment(shop)
    client = signed_in(shop.desk)
    page = client.get(f"/appointments/{made.uid}/")
    assert page.status_code == 200
    assert made.number in body(page)
    move = f"/appointments/{made.uid}/move/"
    assert client.get(move).status_code == 200
    assert client.post(move, {"starts_at": "", "reason": "x"}).status_code == 422
    assert client.post(move, {"starts_at": "2026-11-24T14:00:00+08:00", "reason": "客户改时间"}).status_code == 302
    made.refresh_from_db()
    assert made.starts_at == at("14:00", TUESDAY)
    cancel = f"/appointments/{made.uid}/cancel/"
    assert client.get(cancel).status_code == 200
    assert client.post(cancel, {"reason": " "}).status_code == 422
    assert client.post(cancel, {"reason": "出差"}).status_code == 302
    made.refresh_from_db()
    assert made.state == A.CANCELLED


def test_another_store_sees_nothing_of_it(shop):
    made = make_appointment(shop)
    stranger = signed_in(make_bookable(code="ZZ98").desk)
    for path in ("", "move/", "cancel/"):
        assert stranger.get(f"/appointments/{made.uid}/{path}").status_code == 404
    assert stranger.post(f"/appointments/{made.uid}/confirm/").status_code == 404
    assert str(made.uid) not in body(stranger.get(f"/appointments/?day={TUESDAY}"))


def test_who_may_not_book_sees_the_lists_only(shop):
    parts = signed_in(shop.parts)
    assert parts.get("/appointments/").status_code == 200
    assert parts.get("/appointments/new/").status_code == 403
    assert Client().get("/appointments/").status_code == 302


# --- online ---


ONLINE = {
    "contact_name": "王试客",
    "contact_phone": "13900000077",
    "plate": "京A7T777",
    "model_text": "途远 2.0T",
    "waiting_mode": "LEAVE",
    "concern": "保养",
    "starts_at": "2026-11-24T09:30:00+08:00",
}


def test_a_customer_books_online_and_the_desk_confirms(shop):
    client, uid = Client(), str(operation("MT-50"))
    address = f"/book/{shop.store.code}/"
    assert client.get(address).status_code == 200
    times = client.get(address, {"op": uid, "day": TUESDAY.isoformat()})
    assert "2026-11-24T09:30:00+08:00" in body(times)
    assert "AL-10" not in body(times)
    answer = client.post(address, ONLINE | {"op": uid, "form_token": str(uuid4())})
    made = Appointment.objects.get()
    assert (made.state, made.source) == (A.REQUESTED, "CONSUMER_PORTAL")
    done = client.get(answer.url)
    assert made.number in body(done)
    assert not any(word in body(done) for word in ("王试客", "13900000077", "京A7T777", "京A·7T777"))
    file = client.get(answer.url, {"file": "calendar"})
    assert (file.status_code, file["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert "DTSTART:20261124T" in body(file)
    assert "STATUS:TENTATIVE" in body(file)
    assert not any(word in body(file) for word in ("王试客", "13900000077", "7T777"))
    assert client.get(f"/book/{shop.store.code}/forged/?file=calendar").status_code == 404
    desk = signed_in(shop.desk)
    assert str(made.uid) in body(desk.get(f"/appointments/?day={TUESDAY}&show=requested"))
    assert desk.post(f"/appointments/{made.uid}/confirm/").status_code == 302
    made.refresh_from_db()
    assert made.state == A.CONFIRMED


def test_the_public_page_never_tells_whom_a_car_belongs_to(shop):
    owner = make_customer(name="赵机主", phone="13911112222")
    make_vehicle(plate="京A7T777", owner_uid=owner.uid, model_text="别的车")
    client, uid = Client(), str(operation("MT-50"))
    answer = client.post(f"/book/{shop.store.code}/", ONLINE | {"op": uid})
    made = Appointment.objects.get()
    assert made.customer != owner
    assert made.customer.name == "王试客"
    assert "赵机主" not in body(client.get(answer.url))
    again = client.post(f"/book/{shop.store.code}/", ONLINE | {"op": uid, "starts_at": "2026-11-24T14:00:00+08:00"})
    assert again.status_code == 422
    assert made.number not in body(again)


def test_online_and_desk_offer_the_same_times_of_today_but_for_the_notice(shop):
    work = list(Operation.objects.filter(uid=operation("MT-10")))
    today = clock.today(shop.store.time_zone)

    def offered(now: str, **more) -> list[str]:
        with clock.moved_to(at(now)):
            [day] = capacity.free_days(shop.store, work, first=today, days=1, **more)
        return [f"{option.at.astimezone(shanghai):%H:%M}" for option in day.free]

    shanghai = ZoneInfo(shop.store.time_zone)
    desk = offered("9:31")
    online = offered("9:31", notice=commands.online_notice(shop.store))
    assert online == [time for time in desk if time >= "10:31"] != desk
    with clock.moved_to(at("9:31")):
        page = body(Client().get(f"/book/{shop.store.code}/?op={operation('MT-10')}"))
        assert "网上预约须至少提前 60 分钟" in page
        assert f"T{desk[0]}" not in page
        soon = ONLINE | {"op": str(operation("MT-10")), "starts_at": f"{today}T{desk[0]}:00+08:00"}
        answer = Client().post(f"/book/{shop.store.code}/", soon)
        assert answer.status_code == 422
        assert "网上预约须至少提前60分钟" in body(answer)
        assert not Appointment.objects.exists()
        later = soon | {"starts_at": f"{today}T{online[0]}:00+08:00"}
        assert Client().post(f"/book/{shop.store.code}/", later).status_code == 302


@pytest.mark.parametrize("field", ["contact_name", "contact_phone", "plate", "model_text", "starts_at"])
def test_what_is_missing_online_is_named_and_nothing_is_written(shop, field):
    answer = Client().post(f"/book/{shop.store.code}/", ONLINE | {"op": str(operation("MT-50")), field: ""})
    assert answer.status_code == 422
    assert (Appointment.objects.count(), Customer.objects.filter(name="王试客").count()) == (0, 0)


def test_only_what_is_offered_online_is_booked_online(shop):
    answer = Client().post(f"/book/{shop.store.code}/", ONLINE | {"op": str(operation("HV-30"))})
    assert answer.status_code == 422
    assert Appointment.objects.count() == 0
    assert Client().get("/book/NONE/").status_code == 404
    assert Client().get(f"/book/{shop.store.code}/?op=x").status_code == 404


def test_one_number_and_one_address_can_book_so_often_and_no_more(shop):
    client, uid = Client(), str(operation("MT-50"))

    def book(day: int, phone: str = "13900000077"):
        moment = (TUESDAY + timedelta(days=day)).isoformat() + "T09:30:00+08:00"
        form = ONLINE | {"op": uid, "starts_at": moment, "contact_phone": phone, "plate": f"京A7T7{day:02}"}
        return client.post(f"/book/{shop.store.code}/", form).status_code

    assert [book(n) for n in range(4)] == [302, 302, 302, 422]
    assert Appointment.objects.count() == 3
    assert [book(n, f"139000001{n:02}") for n in range(4, 11)] == [302] * 6 + [422]
    assert Appointment.objects.count() == 9


def test_the_rail_counts_who_is_expected_today_and_turns_red_for_requests(shop):
    from reception.selectors import appointments as reads

    make_appointment(shop)
    with clock.moved_to(at("8:00", TUESDAY)):
        assert reads.today_count(shop.desk) == 1
    assert not reads.has_requests(shop.desk)
    commands.request_appointment(
        store=shop.store,
        contact_name="王试客",
        contact_phone="13900000077",
        plate="京A7T777",
        model_text="途远",
        starts_at=at("14:00", TUESDAY),
        concern="保养",
    )
    assert reads.has_requests(shop.desk)


def test_other_systems_read_the_free_times(shop):
    from tests.factories.api import ApiCaller, problem

    client = ApiCaller("reception:read", store=shop.store)
    made = make_appointment(shop)
    answer = client.get(f"appointment-slots?operation_codes=MT-50&day_gte={TUESDAY}&days=1").json()
    assert [row["starts_at"][11:16] for row in answer["data"]] == [
        "08:30",
        "10:30",
        "11:30",
        "13:00",
        "14:00",
        "15:00",
        "16:00",
    ]
    assert {row["left"] for row in answer["data"]} == {1}
    assert made.starts_at == at("9:30", TUESDAY)
    problem(client.get("appointment-slots?operation_codes=NONE"), 409, "appointment.operation")


def test_a_step_of_the_form_keeps_its_draft_silent_and_goes_on_to_the_next_empty_field(shop):
    client = signed_in(shop.desk)
    fresh = client.get("/appointments/new/")
    assert "data-draft-carried" not in body(fresh)
    assert re.search(r'<input[^>]*name="q"[^>]*autofocus', body(fresh))
    looked = body(client.post("/appointments/new/", {"q": "沪A·12345", "look": "1"}))
    assert "data-draft-carried" in looked
    assert re.findall(r'<[^>]*name="(\w+)"[^>]*autofocus', looked) == ["model_text"]


def test_a_car_that_is_in_the_shop_says_so_and_arrives_no_second_time(shop):
    made = make_appointment(shop)
    with clock.moved_to(at("9:00", TUESDAY)):
        page = f"/appointments/{made.uid}/"
        client = signed_in(shop.desk)
        arrives = f"/visits/new/?plate={made.vehicle.plate}"
        assert arrives in body(client.get(page))
        inside = make_visit(by=shop.desk, plate=made.vehicle.plate)
        looked = body(client.post("/appointments/new/", {"q": made.vehicle.plate, "look": "1"}))
        assert "该车正在店内" in looked
        assert f"/visits/{inside.uid}/" in looked
        booked = body(client.get(page))
        assert "该车正在店内" in booked
        assert f"/visits/{inside.uid}/" in booked
        assert arrives not in booked


def test_the_page_of_a_customer_with_a_coming_booking_names_it(shop):
    made = make_appointment(shop)
    page = signed_in(shop.desk).get(f"/customers/{made.customer.uid}/")
    assert page.status_code == 200
    assert f"/appointments/{made.uid}/" in body(page)
    assert made.concern in body(page)


def test_moving_to_a_full_day_puts_the_car_on_its_waiting_list_and_keeps_the_booking():
    shop = make_bookable(bays=("STANDARD_LIFT",), technicians=1, advisors=2)
    make_appointment(shop, starts_at=at("8:30", TUESDAY), operation_uids=[operation("AS-10")])
    made = make_appointment(
        shop, plate="京A8K399", model_text="途远", starts_at=at("8:30", TUESDAY + timedelta(days=1))
    )
    page, client = f"/appointments/{made.uid}/move/", signed_in(shop.desk)
    shown = body(client.get(f"{page}?first={TUESDAY}"))
    assert f'name="wait" value="{TUESDAY}"' in shown
    bare = client.post(page, {"reason": ""})
    assert "请填写原因。" in body(bare)
    answer = client.post(page, {"wait": str(TUESDAY), "form_token": str(uuid4())})
    assert answer.status_code == 302
    entry = WaitingEntry.objects.get()
    assert (entry.vehicle, entry.first_day, entry.concern) == (made.vehicle, TUESDAY, made.concern)
    assert entry.operation_uids == [item.operation.uid for item in made.items.all()]
    made.refresh_from_db()
    assert made.is_expected


def test_a_car_booked_for_another_day_is_told_at_the_gate_and_its_booking_is_moved_first(client: Client, shop) -> None:
    made = make_appointment(shop)
    client.force_login(make_user("receptionist", store=shop.store))
    arrival, page = reverse("visit-new"), reverse("appointment-detail", args=[made.uid])
    with clock.moved_to(at("9:00", MONDAY)):
        told = client.get(arrival, {"plate": made.vehicle.plate}).content.decode()
        assert "另一天有预约" in told
        assert reverse("appointment-move", args=[made.uid]) in told
        assert f"{arrival}?plate=" not in client.get(page).content.decode()
    with clock.moved_to(at("9:00", TUESDAY)):
        assert "另一天有预约" not in client.get(arrival, {"plate": made.vehicle.plate}).content.decode()
        assert f"{arrival}?plate=" in client.get(page).content.decode()


def test_a_booked_car_that_comes_hours_early_is_told_so(shop):
    """2.4: bay and technician are kept for the booked time; who receives the car sooner reads it before promising anything."""
    booked = make_appointment(shop, starts_at=at("15:00"))
    client = signed_in(shop.advisor)
    known = reverse("visit-known-car")
    for hour, early in (("9:00", True), ("14:30", False)):
        with clock.moved_to(at(hour)):
            said = client.get(known, {"plate": booked.vehicle.plate}).content.decode()
            assert ("比预约时间早到" in said) is early, hour
    with clock.moved_to(at("9:00")):
        visit = register_arrival(
            plate=booked.vehicle.plate, contact_name="李试约", contact_phone="13900002290", model_text="星澜",
            need="异响", appointment_uid=booked.uid, by=shop.desk,
        )  # fmt: skip
        assert "提前到店" in client.get(reverse("visit-detail", args=[visit.uid])).content.decode()
