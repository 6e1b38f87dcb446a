"""2.4: the waiting list of full days: what gets free is offered, who is first has it, nobody loses the place on the list."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Reservation
from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.limits import forget
from dealership.kernel.models import History, Message
from reception.models import A, Appointment, OfferState, SlotOffer, W, WaitingEntry
from reception.services import appointments, visits, waiting
from reception.services.online import booking_path
from tests.factories.api import ApiCaller, problem
from tests.factories.appointments import MONDAY, TUESDAY, at, booking, make_appointment, make_bookable, operation
from tests.factories.kernel import make_actor
from tests.factories.reception import rule

pytestmark = pytest.mark.django_db
NOW = at("9:00")


@pytest.fixture
def shop():
    """One lift, one technician: Tuesday is full after one long job."""
    forget()
    with clock.moved_to(NOW):
        yield make_bookable(bays=("STANDARD_LIFT",), technicians=1, advisors=2)


def full_tuesday(shop) -> Appointment:
    return make_appointment(shop, starts_at=at("8:30", TUESDAY), operation_uids=[operation("AS-10")])


def wish(shop, **more) -> WaitingEntry:
    values = booking(**more)
    values.pop("starts_at")
    return waiting.join_waiting_list(**{"first_day": TUESDAY, "by": shop.desk} | values)


def states() -> list[str]:
    return list(WaitingEntry.objects.order_by("pk").values_list("state", flat=True))


def test_a_cancelled_booking_is_offered_and_taken_once(shop):
    booked = full_tuesday(shop)
    first, second = wish(shop), wish(shop)
    outbox.drain()
    assert waiting.offer_times(store=shop.store) == 0
    appointments.cancel_appointment(uid=booked.uid, reason="客户出差", by=shop.desk)
    outbox.drain()
    offers = list(SlotOffer.objects.order_by("pk"))
    assert [(offer.entry, offer.starts_at, offer.state) for offer in offers] == [
        (first, at("8:30", TUESDAY), "OPEN"),
        (second, at("8:30", TUESDAY), "OPEN"),
    ]
    message = Message.objects.get(key=f"offer:{offers[1].uid}")
    assert f"/offer/{offers[1].token}/" in message.body
    made = waiting.take_offer(token=offers[1].token)  # the second is quicker
    assert (made.state, made.starts_at, made.vehicle) == (A.CONFIRMED, at("8:30", TUESDAY), second.vehicle)
    second.refresh_from_db()
    assert (second.state, second.appointment) == (W.BOOKED, made)
    before = (Appointment.objects.count(), History.objects.count(), states())
    with rule("offer.lost"):
        waiting.take_offer(token=offers[0].token)
    with rule("offer.over"):
        waiting.take_offer(token=offers[1].token)
    assert (Appointment.objects.count(), History.objects.count(), states()) == before
    with clock.moved_to(NOW + timedelta(minutes=1)):  # the first keeps its place and is offered the next time
        waiting.tend_lists()
    assert [offer.state for offer in SlotOffer.objects.filter(entry=first).order_by("pk")] == ["LOST", "OPEN"]
    assert SlotOffer.objects.get(entry=first, state="OPEN").starts_at == at("9:30", TUESDAY)
    again = Message.objects.get(key=f"offer:{SlotOffer.objects.get(entry=first, state='OPEN').uid}")
    assert "08:30 已被约走" in again.body
    assert "09:30" in again.body
    codes = History.objects.filter(root_uid=second.uid).order_by("id").values_list("code", flat=True)
    assert list(codes) == ["reception.waiting_entry.joined", "reception.waiting_entry.booked"]


def test_one_place_is_offered_to_so_many_and_the_longest_waiting_first(shop):
    booked = full_tuesday(shop)
    entries = [wish(shop) for _n in range(4)]
    appointments.cancel_appointment(uid=booked.uid, reason="x", by=shop.desk)
    outbox.drain()
    times = [
        (offer.entry, f"{offer.starts_at + timedelta(hours=8):%H:%M}") for offer in SlotOffer.objects.order_by("pk")
    ]
    assert times == [(entries[0], "08:30"), (entries[1], "08:30"), (entries[2], "08:30"), (entries[3], "09:30")]


def test_wishes_are_kept_to(shop):
    booked = full_tuesday(shop)
    wish(shop, part_of_day="AFTERNOON")
    later = wish(shop, first_day=TUESDAY + timedelta(days=1), last_day=TUESDAY + timedelta(days=3))
    assert waiting.offer_times(store=shop.store) == 1  # Wednesday is free
    assert SlotOffer.objects.get().entry == later
    appointments.cancel_appointment(uid=booked.uid, reason="x", by=shop.desk)
    outbox.drain()
    assert SlotOffer.objects.order_by("-pk")[0].starts_at == at("13:00", TUESDAY)


def test_an_offer_runs_out_and_isnt_made_twice(shop):
    wish(shop)
    assert waiting.offer_times(store=shop.store) == 1
    offer = SlotOffer.objects.get()
    assert offer.ends_at == NOW + timedelta(minutes=120)
    with clock.moved_to(NOW + timedelta(minutes=120)):
        with rule("offer.over"):
            waiting.take_offer(token=offer.token)
        waiting.tend_lists()
        assert list(SlotOffer.objects.order_by("pk").values_list("starts_at", "state")) == [
            (at("8:30", TUESDAY), "EXPIRED"),
            (at("9:30", TUESDAY), "OPEN"),
        ]


def test_no_message_in_the_quiet_hours_and_none_for_what_begins_too_soon(shop):
    wish(shop, first_day=MONDAY)
    with clock.moved_to(at("21:30")):
        assert waiting.offer_times(store=shop.store) == 0
    with clock.moved_to(at("9:05")):
        assert waiting.offer_times(store=shop.store) == 1
    assert SlotOffer.objects.get().starts_at == at("11:30")  # 90 minutes ahead at least


def test_declining_goes_on_waiting_and_leaving_ends_it(shop):
    wish(shop)
    waiting.offer_times(store=shop.store)
    offer = SlotOffer.objects.get()
    assert waiting.decline_offer(token=offer.token).state == W.WAITING
    waiting.offer_times(store=shop.store)
    again = SlotOffer.objects.get(state="OPEN")
    assert again.starts_at == at("9:30", TUESDAY)
    gone = waiting.decline_offer(token=again.token, leave=True)
    assert (gone.state, bool(gone.ended_reason)) == (W.WITHDRAWN, True)
    assert waiting.offer_times(store=shop.store) == 0
    assert set(SlotOffer.objects.values_list("state", flat=True)) == {OfferState.DECLINED}


def test_the_list_is_left_by_booking_otherwise_and_when_the_days_have_passed(shop):
    booked = full_tuesday(shop)
    entry = wish(shop)
    appointments.cancel_appointment(uid=booked.uid, reason="x", by=shop.desk)
    with clock.moved_to(NOW + timedelta(minutes=1)):
        make_appointment(
            shop, vehicle_uid=entry.vehicle.uid, customer_uid=entry.customer.uid, starts_at=at("14:00", TUESDAY)
        )
        waiting.tend_lists()
    assert states() == ["WITHDRAWN"]
    wish(shop)
    with clock.moved_to(at("8:30", TUESDAY + timedelta(days=1))):
        waiting.tend_lists()
    assert states() == ["WITHDRAWN", "EXPIRED"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"contact_name": ""}, "appointment.mandatory"),
        ({"last_day": MONDAY}, "waiting.days"),
        ({"first_day": MONDAY - timedelta(days=1)}, "waiting.days"),
        ({"last_day": TUESDAY + timedelta(days=60)}, "waiting.days"),
        ({"part_of_day": "NIGHT"}, "appointment.choice"),
        ({"operation_uids": ["00000000-0000-0000-0000-000000000000"]}, "appointment.operation"),
    ],
)
def test_each_refusal_writes_nothing(shop, change, code):
    values = booking() | {"first_day": TUESDAY} | change
    values.pop("starts_at")
    before = History.objects.count()
    with rule(code):
        waiting.join_waiting_list(**values, by=shop.desk)
    with pytest.raises(NotAllowed):
        waiting.join_waiting_list(**values, by=make_actor("technician", store=shop.store))
    assert (WaitingEntry.objects.count(), History.objects.count()) == (0, before)


def test_a_car_stands_once_on_the_list_and_is_taken_off_with_a_reason(shop):
    entry = wish(shop)
    with rule("waiting.already"):
        wish(shop, vehicle_uid=entry.vehicle.uid, customer_uid=entry.customer.uid)
    with rule("waiting.reason"):
        waiting.withdraw_entry(uid=entry.uid, reason=" ", by=shop.desk)
    waiting.withdraw_entry(uid=entry.uid, reason="不修了", by=shop.desk)
    with rule("state.move"):
        waiting.withdraw_entry(uid=entry.uid, reason="x", by=shop.desk)
    stranger = make_bookable(code="ZZ98")
    with pytest.raises(WaitingEntry.DoesNotExist):
        waiting.withdraw_entry(uid=entry.uid, reason="x", by=stranger.desk)


@pytest.mark.parametrize(
    ("name", "table", "change"),
    [
        ("waitingentry_moves", "waitingentry", "state = 'BOOKED'"),
        ("waitingentry_offered", "waitingentry", "state = 'OFFERED'"),
        ("waitingentry_days", "waitingentry", "last_day = first_day - 1"),
        ("waitingentry_reason", "waitingentry", "state = 'WITHDRAWN'"),
        ("slotoffer_moves", "slotoffer", "state = 'OPEN'"),
    ],
)
def test_the_database_refuses_what_the_clause_forbids(shop, refused, name, table, change):
    wish(shop)
    if table == "slotoffer":
        waiting.offer_times(store=shop.store)
        waiting.decline_offer(token=SlotOffer.objects.get().token)
    with refused(name) as sql:
        sql(f"UPDATE reception_{table} SET {change}")


# --- instead of a booking ---


def waits_for_tuesday(shop) -> tuple[Appointment, Appointment, WaitingEntry]:
    """Tuesday is full; a car booked for Wednesday would rather come then."""
    full = full_tuesday(shop)
    booked = make_appointment(shop, starts_at=at("9:30", TUESDAY + timedelta(days=1)))
    return full, booked, waiting.wait_instead(appointment_uid=booked.uid, first_day=TUESDAY, by=shop.desk)


def plans_of(booked: Appointment) -> set[str]:
    rows = Reservation.objects.filter(subject_uid=booked.uid, live=True)
    return {f"{row.period.lower + timedelta(hours=8):%d %H:%M}" for row in rows}


def test_a_time_of_the_list_takes_the_place_of_the_booking_in_one_transaction(shop):
    full, booked, entry = waits_for_tuesday(shop)
    assert plans_of(booked) == {"25 09:50"}
    appointments.cancel_appointment(uid=full.uid, reason="x", by=shop.desk)
    outbox.drain()
    offer = SlotOffer.objects.get()
    page = Client().get(reverse("slot-offer", args=[offer.token])).content.decode()
    assert "原时段随即释放" in page
    made = waiting.take_offer(token=offer.token)
    assert (made, made.starts_at, made.state, made.shop_moves) == (booked, at("8:30", TUESDAY), A.CONFIRMED, 0)
    assert plans_of(booked) == {"24 08:50"}
    entry.refresh_from_db()
    assert (entry.state, entry.appointment, Appointment.objects.count()) == (W.BOOKED, booked, 2)
    page = Client().get(reverse("slot-offer", args=[offer.token])).content.decode()
    assert booking_path(booked) in page


def test_who_was_slower_keeps_the_booking_and_the_place_on_the_list(shop):
    full, booked, _entry = waits_for_tuesday(shop)
    appointments.cancel_appointment(uid=full.uid, reason="x", by=shop.desk)
    outbox.drain()
    full_tuesday(shop)  # the desk is quicker
    before = (plans_of(booked), History.objects.count(), states())
    with rule("offer.lost"):
        waiting.take_offer(token=SlotOffer.objects.get().token)
    booked.refresh_from_db()
    assert (plans_of(booked), History.objects.count(), states()) == before
    assert booked.starts_at == at("9:30", TUESDAY + timedelta(days=1))


def test_the_list_lets_go_of_a_booking_that_was_kept_cancelled_or_moved_there(shop):
    by = machine("waiting-list", store_id=shop.store.pk)
    full, booked, entry = waits_for_tuesday(shop)
    assert waiting.tend_entry(uid=entry.uid, by=by) is False
    appointments.cancel_appointment(uid=booked.uid, reason="x", by=shop.desk)
    assert waiting.stands_instead(WaitingEntry.objects.get(pk=entry.pk)) is None
    assert waiting.tend_entry(uid=entry.uid, by=by) is False  # still wants Tuesday: a new booking then
    waiting.withdraw_entry(uid=entry.uid, reason="x", by=shop.desk)
    with rule("waiting.replaces"):
        waiting.wait_instead(appointment_uid=booked.uid, first_day=TUESDAY, by=shop.desk)
    other = make_appointment(shop, starts_at=at("9:30", TUESDAY + timedelta(days=1)))
    entry = waiting.wait_instead(appointment_uid=other.uid, first_day=TUESDAY, by=shop.desk)
    appointments.cancel_appointment(uid=full.uid, reason="x", by=shop.desk)
    appointments.move_appointment(uid=other.uid, starts_at=at("10:30", TUESDAY), reason="客户改期", by=shop.desk)
    assert waiting.tend_entry(uid=entry.uid, by=by) is True
    entry.refresh_from_db()
    assert entry.state == W.WITHDRAWN
    entry = waiting.wait_instead(appointment_uid=other.uid, first_day=TUESDAY, by=shop.desk)
    with clock.moved_to(at("10:30", TUESDAY)):
        visits.register_arrival(
            plate=other.vehicle.plate, contact_name="李试约", contact_phone="13900002290", model_text="途远",
            need="保养", appointment_uid=other.uid, by=shop.desk,
        )  # fmt: skip
        assert waiting.tend_entry(uid=entry.uid, by=by) is True


def test_a_booking_of_another_car_isnt_replaced(shop, refused):
    _full, booked, entry = waits_for_tuesday(shop)
    other = make_appointment(shop, starts_at=at("13:00", TUESDAY + timedelta(days=1)))
    with rule("waiting.replaces"):
        wish(shop, replaces_uid=booked.uid)
    with refused("waitingentry_replaces_own") as sql:
        sql(f"UPDATE reception_waitingentry SET replaces_id = {other.pk} WHERE id = {entry.pk}")


def test_the_customer_waits_for_a_full_day_on_the_bookings_page(shop):
    full_tuesday(shop)
    booked = make_appointment(shop, starts_at=at("9:30", TUESDAY + timedelta(days=1)))
    client, path = Client(), booking_path(booked, "online-move")
    assert f'name="wait" value="{TUESDAY}"' in client.get(path).content.decode()
    assert client.post(path, {"wait": TUESDAY.isoformat()}).url == booking_path(booked)
    assert WaitingEntry.objects.get().replaces == booked
    assert "候补" in client.get(booking_path(booked)).content.decode()
    assert 'name="wait"' not in client.get(path).content.decode()
    again = client.post(path, {"wait": TUESDAY.isoformat()})
    assert (again.status_code, WaitingEntry.objects.count()) == (422, 1)
    assert "候补名单" in again.content.decode()


# --- pages and API ---


def test_the_customers_link_takes_the_time_once(shop):
    booked = full_tuesday(shop)
    entry = wish(shop)
    appointments.cancel_appointment(uid=booked.uid, reason="x", by=shop.desk)
    outbox.drain()
    offer = SlotOffer.objects.get()
    client = Client()
    path = reverse("slot-offer", args=[offer.token])
    page = client.get(path)
    assert page.status_code == 200
    said = page.content.decode()
    assert "08:30" in said
    for known in (entry.contact_name, entry.contact_phone, entry.vehicle.plate[2:]):
        assert known not in said
    assert client.post(path, {}).status_code == 409  # no answer is no answer
    assert SlotOffer.objects.get().state == "OPEN"
    token = re.search(r'name="form_token" value="([^"]+)"', said)[1]
    assert client.post(path, {"form_token": token, "answer": "take"}).status_code == 302
    assert client.post(path, {"form_token": token, "answer": "take"}).status_code == 302  # the same form again
    assert Appointment.objects.get(vehicle=entry.vehicle).number in client.get(path).content.decode()
    late = client.post(path, {"answer": "take"})
    assert late.status_code == 409
    assert Appointment.objects.filter(vehicle=entry.vehicle).count() == 1
    assert client.get(reverse("slot-offer", args=["nothing"])).status_code == 404


def test_the_desk_puts_a_car_on_the_list_from_a_full_day(shop):
    full_tuesday(shop)
    client = Client()
    client.force_login(shop.desk.user)
    values = booking()
    form = {
        "vehicle": values["vehicle_uid"],
        "contact_name": "李试约",
        "contact_phone": "13900002290",
        "operations": [operation("MT-50")],
        "concern": "保养",
        "waiting_mode": "LEAVE",
        "source": "PHONE",
        "wait": TUESDAY.isoformat(),
        "part_of_day": "MORNING",
    }
    shown = client.post(reverse("appointment-new"), {**form, "look": TUESDAY.isoformat(), "wait": ""})
    assert f'name="wait" value="{TUESDAY}"' in shown.content.decode()
    assert client.post(reverse("appointment-new"), {**form, "contact_phone": "1"}).status_code == 422
    assert client.post(reverse("appointment-new"), form).url == reverse("waiting-list")
    entry = WaitingEntry.objects.get()
    assert (entry.first_day, entry.last_day, entry.part_of_day) == (TUESDAY, TUESDAY, "MORNING")
    page = client.get(reverse("waiting-list")).content.decode()
    assert entry.vehicle.model_text in page
    off = reverse("waiting-withdraw", args=[entry.uid])
    assert client.post(off, {"reason": ""}).status_code == 422
    assert client.post(off, {"reason": "不修了"}).url == reverse("waiting-list")
    assert "不修了" in client.get(reverse("waiting-list")).content.decode()


def test_a_customer_joins_online_for_a_full_day_without_learning_anything(shop):
    full_tuesday(shop)
    client = Client()
    path = reverse("online-booking", args=[shop.store.code])
    work = str(operation("MT-50"))
    page = client.get(path, {"op": work}).content.decode()
    assert f"wait={TUESDAY}" in page
    form = {
        "op": work,
        "wait": TUESDAY.isoformat(),
        "contact_name": "章试约",
        "contact_phone": "13900005511",
        "plate": "京A8K399",
        "model_text": "途远",
        "waiting_mode": "LEAVE",
    }
    assert client.post(path, {**form, "plate": "x"}).status_code == 422
    assert client.post(path, form).url == reverse("online-waiting", args=[shop.store.code])
    assert client.get(reverse("online-waiting", args=[shop.store.code])).status_code == 200
    assert WaitingEntry.objects.get().contact_name == "章试约"
    again = client.post(path, form)
    assert again.status_code == 422
    assert WaitingEntry.objects.count() == 1


def test_the_api_joins_and_withdraws(shop):
    caller = ApiCaller("reception:write", store=shop.store)
    values = booking()
    body = {
        "contact_name": "李试约",
        "contact_phone": "13900002290",
        "concern": "保养",
        "vehicle_uid": str(values["vehicle_uid"]),
        "first_day": TUESDAY.isoformat(),
    }
    made = caller.post("waiting-entries", body).json()
    assert (made["state"], made["last_day"]) == ("WAITING", TUESDAY.isoformat())
    problem(caller.post("waiting-entries", body), 409, "waiting.already")
    done = caller.act(f"waiting-entries/{made['uid']}", "withdraw", {"reason": "不修了"}).json()
    assert done["state"] == "WITHDRAWN"
