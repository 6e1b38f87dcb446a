"""2.4, 4.1: a deposit is asked for some bookings, paid at the till, and counts on the customer's list of that visit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, limits, outbox
from dealership.kernel.actors import machine
from dealership.kernel.models import History, Message
from dealership.kernel.services import set_setting
from delivery.models import Deposit, Payment
from delivery.selectors.payments import day_close
from delivery.selectors.settlements import deposits_of
from delivery.services.deposits import deposit_left, return_deposit, take_booking_deposit
from delivery.services.settlements import issue_settlement, sign_settlement, still_open
from reception.models import Appointment, Visit
from reception.selectors import capacity
from reception.services.appointments import cancel_appointment, mark_no_show
from reception.services.online import booking_path
from tests.factories.appointments import MONDAY, TUESDAY, at, make_appointment, make_bookable, operation
from tests.factories.delivery import make_ready, make_team
from tests.factories.reception import rule
from tests.factories.staff import actor_for, make_employee
from workshop.services.stock import stock_up

pytestmark = pytest.mark.django_db
WEDNESDAY = MONDAY + timedelta(days=2)


@pytest.fixture(autouse=True)
def _settings_as_declared():
    limits.forget()
    yield
    limits.forget()


@pytest.fixture
def shop():
    with clock.moved_to(at("8:00")):
        yield make_bookable(bays=("STANDARD_LIFT",) * 2, technicians=2, advisors=2)


def of_a_no_show(shop) -> Appointment:
    """The booking of a customer who missed two."""
    made = make_appointment(shop)
    same = {"customer_uid": made.customer.uid, "vehicle_uid": made.vehicle.uid}
    for n in (1, 2):
        with clock.moved_to(made.starts_at + timedelta(hours=1)):
            mark_no_show(uid=made.uid, by=shop.desk)
        made = make_appointment(shop, starts_at=at("9:30", TUESDAY + timedelta(days=n)), **same)
    return made


def test_it_is_asked_of_who_missed_bookings_and_for_dear_parts_and_of_nobody_else(shop, refused):
    assert make_appointment(shop).deposit_asked == 0
    with mock.patch.object(capacity, "PART_DATES", [lambda store, parts: MONDAY]):
        cheap = make_appointment(shop, starts_at=at("14:00", TUESDAY), operation_uids=[operation("MT-10")])
        set_setting(
            key="reception.deposit_parts", value=50, starts_on=MONDAY, by=machine("test", store_id=shop.store.pk)
        )
        dear = make_appointment(shop, starts_at=at("15:00", TUESDAY), operation_uids=[operation("MT-10")])
        # ordered or not: what the shelf has free asks for nothing
    missing = make_appointment(shop, starts_at=at("16:00", TUESDAY), operation_uids=[operation("MT-10")])
    stock_up(store=shop.store, by=machine("test", store_id=shop.store.pk))
    there = make_appointment(shop, starts_at=at("16:30", TUESDAY), operation_uids=[operation("MT-10")])
    assert (missing.deposit_reason, there.deposit_reason) == ("PARTS", "")
    assert (cheap.deposit_reason, dear.deposit_reason, dear.deposit_asked) == ("", "PARTS", 200)
    desk = Client()
    desk.force_login(shop.advisor.user)
    with mock.patch.object(capacity, "PART_DATES", [lambda store, parts: MONDAY]):
        for work, asked in (("MT-10", True), ("DG-10", False)):
            page = desk.post(reverse("appointment-new"), {"look": "1", "operations": [str(operation(work))]})
            assert ("因需订货备件而收取" in page.content.decode()) is asked
    made = of_a_no_show(shop)
    assert (made.deposit_asked, made.deposit_reason) == (200, "NO_SHOWS")
    page = desk.post(reverse("appointment-new"), {"look": "1", "q": made.vehicle.plate})
    assert "因多次爽约而收取" in page.content.decode()
    booked = History.objects.filter(code="reception.appointment.booked", root_uid=made.uid).get()
    assert (booked.facts["deposit"], booked.facts["deposit_reason"]) == ("200", "NO_SHOWS")
    with refused("appointment_deposit_fixed") as sql:
        sql("UPDATE reception_appointment SET deposit_asked = 1 WHERE id = %s", [made.pk])


def test_the_message_the_page_and_the_customers_page_say_whether_it_is_paid(shop):
    made = of_a_no_show(shop)
    outbox.drain()
    message = Message.objects.filter(template="appointment_confirmed").order_by("-pk")[0]
    assert "200" in message.body
    desk, till = Client(), Client()
    desk.force_login(shop.advisor.user)
    till.force_login(make_employee(shop.store, "cashier", "advisor").user)
    page, own = reverse("appointment-detail", args=[made.uid]), booking_path(made)
    assert "200" in Client().get(own).content.decode()
    assert reverse("deposit-booking", args=[made.uid]) not in desk.get(page).content.decode()
    pay = reverse("deposit-booking", args=[made.uid])
    assert pay in till.get(page).content.decode()
    assert till.post(pay, {"method": "CASH", "amount": "0"}).status_code == 422
    assert till.post(pay, {"method": "CASH", "amount": "200"}).status_code == 302
    made.refresh_from_db()
    assert capacity.deposit_open(made) == 0
    assert "已付" in Client().get(own, headers={"accept-language": "zh-hans"}).content.decode()
    assert made.number in till.get(reverse("payment-list")).content.decode()
    with rule("deposit.ended"):
        cancel_appointment(uid=made.uid, reason="客户取消", by=shop.desk)
        take_booking_deposit(
            appointment_uid=made.uid,
            method="CASH",
            amount=Decimal(1),
            by=actor_for(make_employee(shop.store, "cashier")),
        )


def test_it_counts_on_the_list_of_its_visit_and_the_rest_goes_back(refused):
    team = make_team()
    order = make_ready(team)  # 340.00
    booked = Appointment.objects.create(
        store=order.store,
        number="AP-DEP-1",
        customer=order.customer,
        vehicle=order.vehicle,
        contact_name="李试约",
        contact_phone="13900002290",
        starts_at=clock.now() + timedelta(hours=1),
        concern="保养",
        state="CONFIRMED",
        deposit_asked=200,
        deposit_reason="PARTS",
    )
    paid = take_booking_deposit(appointment_uid=booked.uid, method="CASH", amount=Decimal("200.00"), by=team.cashier)
    assert deposits_of(order) == []
    Visit.objects.filter(pk=order.visit_id).update(appointment=booked)
    order.visit.refresh_from_db()
    assert [row.left for row in deposits_of(order)] == [Decimal("200.00")]
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    assert (Payment.objects.get().deposit, still_open(settlement), deposit_left(paid)) == (paid, 140, 0)
    assert day_close(by=team.cashier).taken == Decimal("200.00")
    with refused("deposit_for_one") as sql:
        sql(
            "INSERT INTO delivery_deposit (uid, version, created_at, updated_at, store_id, number, method, amount,"
            " reference, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'X', 'CASH', 1, '', '', now())",
            [order.store_id],
        )
    with rule("deposit.amount"):
        return_deposit(deposit_uid=paid.uid, amount=Decimal(1), reason="多收", by=team.accountant)
    more = take_booking_deposit(appointment_uid=booked.uid, method="CASH", amount=Decimal(50), by=team.cashier)
    back = return_deposit(deposit_uid=more.uid, amount=Decimal(50), reason="客户取消", by=team.accountant)
    assert (back.appointment, back.order, capacity.deposit_open(booked)) == (booked, None, 0)
    with refused("payment_within_deposit") as sql:  # another visit's list
        other = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
        again = Deposit.objects.get(pk=paid.pk)
        sql(
            "INSERT INTO delivery_payment (uid, version, created_at, updated_at, store_id, number, settlement_id, method,"
            " amount, deposit_id, reference, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'Y', %s,"
            " 'DEPOSIT', 1, %s, '', '', now())",
            [order.store_id, other.pk, again.pk],
        )
