"""2.4: parts of bookings: a delivery that is expected holds a booking back, one that went elsewhere is planned anew."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from dealership.kernel import clock, outbox
from dealership.kernel.errors import NotAllowed
from dealership.kernel.limits import forget
from dealership.kernel.models import History, Message
from reception.models import A, Appointment
from reception.selectors import capacity
from reception.services import appointments
from tests.factories.api import ApiCaller, problem
from tests.factories.appointments import TUESDAY, at, make_appointment, make_bookable, operation
from tests.factories.reception import rule
from workshop.services import stock

pytestmark = pytest.mark.django_db
WEDNESDAY = TUESDAY + timedelta(days=1)


@pytest.fixture
def shop():
    forget()
    with clock.moved_to(at("8:00")):
        yield make_bookable(bays=("STANDARD_LIFT",) * 3, technicians=3, advisors=3)


def prepared(shop, **more) -> Appointment:
    made = make_appointment(shop, **more)
    appointments.confirm_parts(uid=made.uid, by=shop.parts)
    return appointments.confirm_workshop(uid=made.uid, by=shop.foreman)


def fluid():
    return capacity.parts_of(appointments.offered_operations([operation("MT-50")]))[0][0]


def report(shop, made, **more):
    return appointments.report_part_missing(
        **{"uid": made.uid, "reason": "制动液被领走", "expected_on": WEDNESDAY, "by": shop.parts} | more
    )


def test_a_missing_part_undoes_the_preparation_and_the_move_counts_against_the_shop(shop):
    made = prepared(shop, advisor_uid=shop.advisor.uid)
    price, items = made.estimated_amount, list(made.items.values())
    outbox.drain()
    undone = report(shop, made)
    assert (undone.state, undone.parts_confirmed_at, undone.needs_replan) == (A.CONFIRMED, None, True)
    assert undone.workshop_confirmed_at is not None
    outbox.drain()
    told = set(Message.objects.filter(template="replan").values_list("recipient", flat=True))
    assert shop.advisor.number in told
    with rule("appointment.parts_later"):
        appointments.move_appointment(uid=made.uid, starts_at=at("15:00", TUESDAY), reason="缺件", by=shop.desk)
    moved = appointments.move_appointment(uid=made.uid, starts_at=at("9:30", WEDNESDAY), reason="缺件", by=shop.desk)
    assert (moved.shop_moves, moved.needs_replan, moved.replan_from) == (1, False, None)
    assert (moved.estimated_amount, list(moved.items.values())) == (price, items)
    assert History.objects.get(code="reception.appointment.moved").facts["by_shop"] is True
    again = appointments.move_appointment(uid=made.uid, starts_at=at("14:00", WEDNESDAY), reason="客户", by=shop.desk)
    assert again.shop_moves == 1


def test_a_part_that_comes_after_all_keeps_the_time(shop):
    made = prepared(shop)
    report(shop, made)
    kept = appointments.confirm_parts(uid=made.uid, by=shop.parts)
    assert (kept.state, kept.needs_replan, kept.shop_moves) == (A.PREPARED, False, 0)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"reason": " "}, "appointment.missing_reason"), ({"expected_on": TUESDAY}, "appointment.in_time")],
)
def test_each_refusal_changes_nothing(shop, change, code):
    made = prepared(shop)
    before = (Appointment.objects.values().get(), History.objects.count())
    with rule(code):
        report(shop, made, **change)
    with pytest.raises(NotAllowed):
        report(shop, made, by=shop.foreman)
    assert (Appointment.objects.values().get(), History.objects.count()) == before
    report(shop, made)
    with rule("appointment.replan_known"):
        report(shop, made)
    appointments.cancel_appointment(uid=made.uid, reason="x", by=shop.desk)
    with rule("appointment.ended"):
        report(shop, made)


def test_the_database_keeps_what_is_planned_anew_unprepared(shop, refused):
    made = prepared(shop)
    with refused("appointment_replan_unprepared") as sql:
        sql("UPDATE reception_appointment SET replan_reason = '缺件' WHERE id = %s", [made.pk])


def test_the_shelf_gives_its_stock_to_the_first_cars_and_says_what_is_lost(shop):
    first = prepared(shop, starts_at=at("9:30", TUESDAY))
    second = prepared(shop, starts_at=at("14:00", TUESDAY))
    stock.receive_stock(
        part_uid=fluid().uid, quantity=Decimal(2), unit_cost=Decimal(30), reason="DELIVERY", by=shop.parts
    )
    outbox.drain()
    assert Appointment.objects.filter(state=A.PREPARED).count() == 2
    stock.count_stock(part_uid=fluid().uid, counted=Decimal(1), reason="破损", by=shop.parts)
    outbox.drain()
    outbox.drain()  # what the first effect wrote
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.needs_replan) == (A.PREPARED, False)
    assert (second.state, second.needs_replan) == (A.CONFIRMED, True)
    assert fluid().name in second.replan_reason
    assert Message.objects.filter(template="replan").exists()


def test_an_expected_delivery_holds_a_booking_back(shop, monkeypatch):
    monkeypatch.setattr(capacity, "PART_DATES", [lambda store, parts: WEDNESDAY])
    work = appointments.offered_operations([operation("MT-50")])
    tuesday, wednesday = capacity.free_days(shop.store, work, first=TUESDAY, days=2)
    assert {option.cause.code for option in tuesday.options} == {"parts"}
    assert str(WEDNESDAY.day) in tuesday.reason
    assert wednesday.free
    with rule("appointment.taken"):
        make_appointment(shop)
    without_parts = capacity.free_days(shop.store, appointments.offered_operations([operation("AL-10")]), days=1)
    assert {option.cause.code for option in without_parts[0].options if option.cause} <= {"no_bay", "closing", "past"}


def test_who_books_after_the_list_lets_parts_and_workshop_know_at_once(shop):
    make_appointment(shop)
    outbox.drain()
    assert not Message.objects.filter(template="late_booking").exists()
    with clock.moved_to(at("16:00")):
        appointments.send_preparation_lists()
    with clock.moved_to(at("16:30")):
        late = make_appointment(shop, starts_at=at("14:00", TUESDAY))
        make_appointment(shop, starts_at=at("14:00", WEDNESDAY))  # on tomorrow's list
        outbox.drain()
        outbox.drain()
    told = Message.objects.filter(template="late_booking")
    assert told.count() == 2
    assert all(late.number in message.body for message in told)
    assert History.objects.filter(code="reception.appointment.asked").count() == 1


def test_the_page_and_the_api(shop):
    made = prepared(shop)
    client = Client()
    client.force_login(shop.parts.user)
    page = f"/appointments/{made.uid}/part-missing/"
    assert fluid().name in client.get(page).content.decode()
    assert client.post(page, {"reason": ""}).status_code == 422
    given = {"reason": "被领走", "part_number": fluid().number, "expected_on": str(WEDNESDAY)}
    assert client.post(page, given).url == f"/appointments/{made.uid}/"
    client.force_login(shop.desk.user)
    said = client.get(f"/appointments/{made.uid}/").content.decode()
    assert "被领走" in said
    assert client.get(f"/appointments/?day={TUESDAY}&show=replan").content.decode().count(str(made.uid)) > 0
    caller = ApiCaller("reception:write", store=shop.store)
    assert caller.get(f"appointments/{made.uid}").json()["replan_reason"] == "被领走"
    problem(caller.act(f"appointments/{made.uid}", "report-part-missing", given), 409, "appointment.replan_known")
