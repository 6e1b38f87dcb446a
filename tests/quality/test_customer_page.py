"""The customer's page from all around (2.3): open promises, declined advice, money, complaints, in a bounded number of
questions; and who sees which of it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dealership.kernel import clock
from delivery.selectors.settlements import money_of
from delivery.services.deposits import return_deposit, take_deposit
from quality.services.complaints import open_complaint
from reception.selectors.customers import open_promises
from reception.services import consultations, quotations, visits
from tests.factories.appointments import at, make_appointment, make_bookable
from tests.factories.departed import make_departed
from tests.factories.floor import clock_at
from tests.factories.kernel import make_actor, make_user
from tests.factories.staff import make_store
from tests.factories.workshop import add_operation, agree_all, make_order, make_received_visit, operation
from workshop.models import OrderLine
from workshop.selectors.declined import declined_advice
from workshop.services import authorizations, orders

pytestmark = pytest.mark.django_db


class Known:
    """A customer whose car left this morning and who stands there with another one, of which a line is declined."""

    def __init__(self) -> None:
        self.house, self.done = make_departed()
        self.shop, self.store = self.house.floor.shop, self.house.floor.shop.store
        self.customer, self.vehicle = self.done.visit.customer, self.done.vehicle
        self.numbers = itertools.count(1)
        with clock_at(10):
            self.visit = self.come_again()
            self.order = make_order(self.shop, visit=self.visit)
            self.line = self.decline("EL-10", "太贵")

    def come_again(self) -> Any:
        return make_received_visit(self.shop, customer_uid=self.customer.uid)

    def decline(self, code: str, reason: str) -> OrderLine:
        line = add_operation(self.shop, self.order, code)
        orders.send_estimate(order_uid=self.order.uid, by=self.shop.advisor)
        authorizations.decide_lines(
            order_uid=self.order.uid,
            decisions={line.uid: (False, reason)},
            method="VERBAL_PHONE",
            authorized_by="沈示例",
            note="电话",
            by=self.shop.advisor,
        )
        line.refresh_from_db()
        return line

    def page(self, client: Client, post: str = "manager") -> str:
        client.force_login(make_user(post, store=self.store))
        return client.get(reverse("customer-detail", args=[self.customer.uid])).content.decode()


@pytest.fixture
def known(db: None) -> Known:
    return Known()


def test_declined_advice_stands_with_reason_and_value_until_it_is_done(known: Known, client: Client) -> None:
    (row,) = declined_advice(known.customer, known.shop.advisor)
    asked = known.line.authorizations.get()
    assert (row, row.value, row.said_at) == (known.line, asked.amount, asked.at)
    assert row.value > 0
    text = known.page(client)
    assert known.line.description in text
    assert "太贵" in text
    other = make_actor("advisor", store=make_store())
    assert declined_advice(known.customer, other) == []
    again = add_operation(known.shop, known.order, "EL-10")
    agree_all(known.shop, known.order)
    OrderLine.objects.filter(pk=again.pk).update(state="IN_PROGRESS")
    OrderLine.objects.filter(pk=again.pk).update(state="COMPLETED", cause="老化", correction="更换")
    assert declined_advice(known.customer, known.shop.advisor) == []


def test_money_says_paid_open_and_held(known: Known, client: Client) -> None:
    total = known.done.settlements.get().total
    deposit = take_deposit(order_uid=known.order.uid, method="CASH", amount=Decimal(200), by=known.house.cashier)
    return_deposit(
        deposit_uid=deposit.uid, amount=Decimal("50.00"), reason="多收", by=make_actor("accountant", store=known.store)
    )
    money = money_of(known.customer, known.shop.advisor)
    assert (money.billed, money.paid, money.open, money.deposits) == (total, total, Decimal(0), Decimal("150.00"))
    assert [row.due for row in money.lists] == [Decimal(0)]
    assert known.done.settlements.get().number in known.page(client)
    other = money_of(known.customer, make_actor("advisor", store=make_store()))
    assert (other.billed, other.deposits, other.lists) == (0, 0, [])


def test_everything_that_is_promised_stands_on_the_page(client: Client) -> None:
    """A booking and a question are open promises as well; a booking whose hour has passed is late."""
    with clock.moved_to(at("9:00")):
        shop = make_bookable()
        made = make_appointment(shop)
        customer = made.customer
        consultations.register_consultation(
            channel="PHONE", body="几点到？", contact_phone=customer.phone, by=shop.desk
        )
        found = open_promises(customer, by=shop.desk)
        assert [(row.page, row.late) for row in found] == [
            ("appointment-detail", False),
            ("consultation-detail", False),
        ]
        client.force_login(make_user("advisor", store=shop.store))
        answer = client.get(reverse("customer-detail", args=[customer.uid]))
        assert answer.status_code == 200
        assert reverse("appointment-detail", args=[made.uid]) in answer.content.decode()
    with clock.moved_to(made.starts_at + timedelta(minutes=1)):
        assert open_promises(customer, by=shop.desk)[0].late


def test_open_promises_are_the_next_first_and_end_when_they_are_kept(known: Known, client: Client) -> None:
    until = clock.now() + timedelta(hours=3)
    visits.promise_visit(uid=known.visit.uid, promised_at=until, reason="首次承诺", by=known.shop.advisor)
    quotations.give_quotation(
        operation_uids=[operation("EL-10").uid],
        plate=known.vehicle.plate,
        valid_until=clock.today() + timedelta(days=7),
        by=known.shop.advisor,
    )
    found = open_promises(known.customer, by=known.shop.advisor)
    assert [(row.page, row.late) for row in found] == [("visit-detail", False), ("quotation-detail", False)]
    with clock.moved_to(until + timedelta(minutes=1)):
        assert [row.late for row in open_promises(known.customer, by=known.shop.advisor)] == [True, False]
    with clock.moved_to(until + timedelta(days=9)):
        assert len(open_promises(known.customer, by=known.shop.advisor)) == 1
    assert open_promises(known.customer, by=make_actor("advisor", store=make_store())) == []
    assert 'id="promises"' in known.page(client)


def test_complaints_are_seen_by_who_may_see_them(known: Known, client: Client) -> None:
    open_complaint(customer_uid=known.customer.uid, description="等太久没人理", source="PHONE", by=known.shop.manager)
    assert "等太久没人理" in known.page(client)
    assert "等太久没人理" not in known.page(client, "accountant")


def test_more_rows_ask_no_more_questions(known: Known, client: Client) -> None:
    take_deposit(order_uid=known.order.uid, method="CASH", amount=Decimal(200), by=known.house.cashier)
    given = {"customer_uid": known.customer.uid, "source": "PHONE", "by": known.shop.manager}
    open_complaint(description="等太久", **given)
    client.force_login(make_user("manager", store=known.store))

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("customer-detail", args=[known.customer.uid])).status_code == 200
        return len(queries)

    count()
    few = count()
    for code in ("MT-10", "BR-10"):
        known.decline(code, "下次")
        open_complaint(description=f"又是{code}", **given)
        take_deposit(order_uid=known.order.uid, method="CASH", amount=Decimal(10), by=known.house.cashier)
    assert count() == few
