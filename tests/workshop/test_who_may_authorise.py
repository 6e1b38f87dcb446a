"""Who may say yes for the payer, up to what amount and how long; another payer is asked again (3.2)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import History
from reception.models import Customer
from reception.services.contacts import add_contact, correct_contact, end_contact
from tests.factories.reception import make_customer, rule
from tests.factories.workshop import (
    PHONE,
    YES,
    Shop,
    add_operation,
    agree_all,
    link_actor,
    make_order,
    make_received_visit,
    make_shop,
)
from workshop.models import Authorization, OrderLine, RepairOrder
from workshop.services import authorizations, orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def fleet(shop: Shop) -> Customer:
    return make_customer(name="试运物流", kind="COMPANY")


@pytest.fixture
def asked(shop: Shop, fleet: Customer) -> RepairOrder:
    """The fleet's car: brakes (¥1,426) and wipers (¥115) are asked, the driver 沈示例 brought it."""
    visit = make_received_visit(shop, customer_uid=fleet.uid)
    order = make_order(shop, visit=visit, with_diagnosis=False)
    add_operation(shop, order, "BR-20")
    add_operation(shop, order, "EL-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    return RepairOrder.objects.get(pk=order.pk)


def name(shop: Shop, payer: Customer, who: str, **values: Any) -> Any:
    given = {"roles": ["AUTHORISES"], "phone": f"1390000{abs(hash(who)) % 9000 + 1000}"} | values
    return add_contact(customer_uid=payer.uid, name=who, by=shop.advisor, **given)


def say_yes(shop: Shop, order: RepairOrder, who: str, *lines: OrderLine) -> list[str]:
    """Who says yes to the lines (all of them) by telephone; the states afterwards."""
    authorizations.decide_lines(
        order_uid=order.uid,
        decisions={line.uid: YES for line in lines or order.lines.filter(state="PENDING")},
        method=PHONE,
        authorized_by=who,
        note="电话",
        by=shop.advisor,
    )
    return [line.state for line in order.lines.order_by("position")]


def test_whoever_brings_the_car_decides_where_the_payer_named_nobody(shop: Shop, asked: RepairOrder) -> None:
    assert say_yes(shop, asked, "沈示例") == ["AUTHORIZED", "AUTHORIZED"]


def test_the_yes_of_anybody_else_is_kept_as_a_message(shop: Shop, fleet: Customer, asked: RepairOrder) -> None:
    manager = name(shop, fleet, "李试管")
    assert say_yes(shop, asked, "沈示例") == ["PENDING", "PENDING"]
    kept = list(Authorization.objects.order_by("id"))
    assert [(row.status, row.authorized_by, row.contact_id) for row in kept] == [("NOT_ENTITLED", "沈示例", None)] * 2
    assert History.objects.filter(code="workshop.line.wished").count() == 2
    assert say_yes(shop, asked, "李试管") == ["AUTHORIZED", "AUTHORIZED"]
    assert {row.contact_id for row in Authorization.objects.filter(status="APPROVED")} == {manager.pk}


def test_up_to_the_amount_of_an_order_and_no_more(shop: Shop, fleet: Customer, asked: RepairOrder) -> None:
    name(shop, fleet, "李试管", authorises_up_to=Decimal("1426.00"))
    brakes, wipers = asked.lines.order_by("position")
    assert say_yes(shop, asked, "李试管") == ["PENDING", "PENDING"]  # ¥1,541 together
    assert say_yes(shop, asked, "李试管", brakes) == ["AUTHORIZED", "PENDING"]
    assert say_yes(shop, asked, "李试管", wipers) == ["AUTHORIZED", "PENDING"]


@pytest.mark.parametrize(
    ("first", "last", "good"), [(0, 0, True), (1, None, False), (None, -1, False), (-5, None, True)]
)
def test_in_the_days_that_were_named(shop: Shop, fleet: Customer, asked: RepairOrder, first, last, good) -> None:
    today = clock.today(shop.store.time_zone)
    days = [None if n is None else today + timedelta(days=n) for n in (first, last)]
    name(shop, fleet, "李试管", authorises_from=days[0], authorises_until=days[1])
    assert say_yes(shop, asked, "李试管") == ["AUTHORIZED" if good else "PENDING"] * 2


def test_who_was_taken_off_the_list_decides_nothing(shop: Shop, fleet: Customer, asked: RepairOrder) -> None:
    name(shop, fleet, "王试管")
    person = name(shop, fleet, "李试管")
    end_contact(uid=person.uid, by=shop.advisor)
    assert say_yes(shop, asked, "李试管") == ["PENDING", "PENDING"]


def test_a_private_payers_own_yes_is_always_good(shop: Shop) -> None:
    order = make_order(shop)
    name(shop, order.customer, "李试亲", authorises_up_to=Decimal(1))
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert say_yes(shop, order, "李试亲") == ["PENDING"]
    assert say_yes(shop, order, order.customer.name) == ["AUTHORIZED"]


def test_who_pays_for_somebody_elses_car_says_yes_in_person(shop: Shop) -> None:
    father = make_customer(name="沈试父")
    order = make_order(shop, payer_uid=father.uid)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert say_yes(shop, order, "沈示例") == ["PENDING"]
    assert say_yes(shop, order, "沈试父") == ["AUTHORIZED"]


def test_an_insurer_that_named_nobody_hasnt_agreed(shop: Shop) -> None:
    payer = make_customer(name="示例财险", kind="COMPANY")
    order = make_order(shop, with_diagnosis=False, kind="INSURANCE", payer_uid=payer.uid)
    add_operation(shop, order, "BR-20")
    agree_all(shop, order)
    assert order.lines.get().state == "PENDING"
    name(shop, payer, "罗定损", authorises_up_to=Decimal(5000))
    assert say_yes(shop, order, "罗定损") == ["AUTHORIZED"]


def test_the_database_refuses_what_nobody_may_agree_to(
    shop: Shop, fleet: Customer, asked: RepairOrder, refused: Any
) -> None:
    manager = name(shop, fleet, "李试管", authorises_up_to=Decimal(1000))
    stranger = name(shop, make_customer(name="别家物流", kind="COMPANY"), "赵试外")
    line = asked.lines.order_by("position")[0]
    estimate = asked.estimates.get()
    row = (
        "INSERT INTO workshop_authorization (uid, version, created_at, updated_at, order_id, line_id, estimate_id, "
        "status, method, amount, authorized_by, contact_id, note, reason, decline_cause, at) VALUES "
        "(%s, 1, now(), now(), %s, %s, %s, %s, %s, %s, %s, %s, 'x', '', '', %s)"
    )

    def facts(
        status: str, who: str, contact: Any = None, *, amount: int = 1, method: str = PHONE, at: Any = None
    ) -> list:
        when = at or clock.now()
        return [uuid4(), asked.pk, line.pk, estimate.pk, status, method, amount, who, contact and contact.pk, when]

    for values in (
        facts("APPROVED", "沈示例"),
        facts("APPROVED", "李试管"),
        facts("APPROVED", "沈示例", manager),
        facts("APPROVED", "赵试外", stranger),
        facts("APPROVED", "李试管", manager, amount=1001),
    ):
        with refused("authorization_by_who_may") as sql:
            sql(row, values)
    with refused("authorization_unasked_for_others") as sql:
        sql(row, facts("NOT_REQUIRED", "INTERNAL"))
    with refused("authorization_as_it_says") as sql:
        sql(row, facts("APPROVED", "李试管", manager, method="IN_PERSON_DIGITAL_SIGNATURE"))
    with refused("authorization_as_it_says") as sql:
        sql(row, facts("APPROVED", "李试管", manager, at=estimate.expires_at + timedelta(seconds=1)))
    with refused("orderline_agreed_by_decision") as sql:
        sql("UPDATE workshop_orderline SET state = 'AUTHORIZED', authorized_amount = 1 WHERE id = %s", [line.pk])
    with refused("customercontact_authorises") as sql:
        sql("UPDATE reception_customercontact SET roles = '{DRIVER}' WHERE id = %s", [manager.pk])
    assert not Authorization.objects.exists()


def test_limits_are_of_who_may_authorise(shop: Shop, fleet: Customer) -> None:
    for values in (
        {"roles": ["DRIVER"], "authorises_up_to": Decimal(5)},
        {"authorises_up_to": Decimal(0)},
        {"authorises_from": clock.now().date(), "authorises_until": clock.now().date() - timedelta(days=1)},
    ):
        with rule("contact.authorises"):
            name(shop, fleet, "李试管", **values)
    person = name(shop, fleet, "李试管", authorises_up_to=Decimal(5000))
    with rule("contact.authorises"):
        correct_contact(uid=person.uid, authorises_up_to=Decimal(-1), by=shop.advisor)
    correct_contact(uid=person.uid, roles=["DRIVER"], by=shop.advisor)
    person.refresh_from_db()
    assert (person.roles, person.authorises_up_to) == (["DRIVER"], None)


def test_a_typed_name_is_neither_signature_nor_paper(shop: Shop, asked: RepairOrder) -> None:
    visit = make_received_visit(shop)
    with rule("authorization.signature"):
        make_order(shop, visit=visit, diagnosis_agreed_by="沈示例")
    assert not RepairOrder.objects.filter(visit=visit).exists()
    with rule("authorization.signature"):
        authorizations.decide_lines(
            order_uid=asked.uid,
            decisions={asked.lines.all()[0].uid: YES},
            method="IN_PERSON_DIGITAL_SIGNATURE",
            authorized_by="沈示例",
            by=shop.advisor,
        )


def test_another_payer_is_asked_again(shop: Shop, asked: RepairOrder, refused: Any) -> None:
    say_yes(shop, asked, "沈示例")
    brakes, wipers = asked.lines.order_by("position")
    with refused("orderline_payer_before_work") as sql:
        sql("UPDATE workshop_orderline SET state = 'DRAFT', authorized_amount = NULL WHERE id = %s", [brakes.pk])
    desk = Client()
    desk.force_login(shop.advisor.user)
    assert desk.post(reverse("line-edit", args=[brakes.uid]), {"pay_type": "WARRANTY"}).status_code == 302
    brakes.refresh_from_db()
    assert (brakes.state, brakes.authorized_amount, brakes.pay_type) == ("DRAFT", None, "WARRANTY")
    assert brakes.authorizations.order_by("-id")[0].status == "REVOKED"
    orders.send_estimate(order_uid=asked.uid, by=shop.advisor)
    brakes.refresh_from_db()
    assert (brakes.state, brakes.authorizations.order_by("-id")[0].status) == ("AUTHORIZED", "NOT_REQUIRED")
    with rule("line.agreed"):
        orders.change_line(line_uid=wipers.uid, hours=Decimal(3), by=shop.advisor)


def test_the_pages_say_who_may_decide(shop: Shop, fleet: Customer, asked: RepairOrder) -> None:
    name(shop, fleet, "李试管", authorises_up_to=Decimal(5000))
    link = reverse("visit-link", args=[asked.visit.link.token])
    customer = Client()
    assert "李试管" in customer.get(link).content.decode()
    line = asked.lines.all()[0]
    sent = {
        f"decision_{line.uid}": "yes",
        "signed_by": "沈示例",
        "seen_hash": asked.estimates.get().seen_hash,
        "form_token": uuid4(),
    }
    answer = customer.post(reverse("visit-link-decide", args=[asked.visit.link.token, asked.uid]), sent, follow=True)
    assert "已作为留言保存" in answer.content.decode()
    assert Authorization.objects.get().status == "NOT_ENTITLED"
    desk = Client()
    desk.force_login(shop.advisor.user)
    form = desk.get(reverse("order-decide", args=[asked.uid])).content.decode()
    assert 'value="李试管"' in form
    assert "5,000.00" in form
    assert "沈示例 说同意，但无权决定" in desk.get(reverse("order-detail", args=[asked.uid])).content.decode()
    assert link_actor(asked).kind == "LINK"
