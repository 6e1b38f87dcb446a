"""3.2: what the maker, the shop or a service contract pays goes ahead by itself up to an amount, above it on somebody's yes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import outbox
from dealership.kernel.services import decide_approval
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import Shop, agree_all, make_order, make_shop
from workshop.models import OrderLine, PayerApproval, RepairOrder
from workshop.services import orders, payers, warranty_claims

pytestmark = pytest.mark.django_db
HOUR = Decimal(1)


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def paid_by(shop: Shop, order: RepairOrder, pay_type: str, hours: int = 40, fee: int = 0) -> OrderLine:
    more = {"fee_amount": Decimal(fee), "fee_note": "外协"} if fee else {}
    return orders.add_line(
        order_uid=order.uid,
        description=f"大件{hours}",
        hours=Decimal(hours),
        pay_type=pay_type,
        by=shop.advisor,
        **more,
    )


def send(shop: Shop, order: RepairOrder) -> None:
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)


@pytest.mark.parametrize("pay_type", ["INTERNAL", "WARRANTY", "SERVICE_CONTRACT"])
def test_above_the_amount_somebody_else_approves_first(shop: Shop, client: Client, pay_type: str) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = paid_by(shop, order, pay_type, 40, 9000)
    with rule("payer.not_granted"):
        send(shop, order)
    client.force_login(shop.advisor.user)
    page = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert reverse("line-payer", args=[line.uid]) in page
    assert "超出无须授权的金额" in page
    assert reverse("order-estimate", args=[order.uid]) not in page  # nothing would be sent
    form = client.get(reverse("line-payer", args=[line.uid])).content.decode()
    assert "须先由他人审批" in form
    row = payers.ask_payer(line_uid=line.uid, reason="交车前弄坏", by=shop.advisor)
    with rule("payer.asked"):
        payers.ask_payer(line_uid=line.uid, reason="再问", by=shop.advisor)
    assert line.authorizations.count() == 0
    decide_approval(uid=row.approval.uid, approve=True, by=shop.manager)
    outbox.drain()
    line.refresh_from_db()
    assert (line.state, line.authorized_amount) == ("AUTHORIZED", row.amount)
    small = paid_by(shop, order, pay_type, 1)  # what was approved by itself doesn't count
    send(shop, order)
    small.refresh_from_db()
    assert small.state == "AUTHORIZED"


def test_a_refusal_leaves_it_drafted(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = paid_by(shop, order, "INTERNAL")
    row = payers.ask_payer(line_uid=line.uid, reason="交车前弄坏", by=shop.advisor)
    decide_approval(uid=row.approval.uid, approve=False, by=shop.manager)
    outbox.drain()
    line.refresh_from_db()
    assert line.state == "DRAFT"


def test_the_makers_number_is_the_clerks_to_write_down_and_lets_its_line_go(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = paid_by(shop, order, "WARRANTY", 40, 9000)
    ours = paid_by(shop, order, "INTERNAL", 41)
    clerk = make_actor("warranty", store=shop.store)
    with rule("payer.maker"):
        payers.ask_payer(line_uid=ours.uid, reason="x", maker_number="SQ-1", by=clerk)
    payers.ask_payer(line_uid=line.uid, reason="总成故障", maker_number="SQ-1", by=clerk)
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"


def test_small_lines_add_up_and_the_rest_of_the_estimate_goes_out(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    first, second = paid_by(shop, order, "INTERNAL", 15), paid_by(shop, order, "INTERNAL", 16)
    send(shop, order)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("AUTHORIZED", "DRAFT")
    asked = orders.add_line(order_uid=order.uid, description="客户项目", hours=HOUR, by=shop.advisor)
    agree_all(shop, order)
    asked.refresh_from_db()
    second.refresh_from_db()
    assert (asked.state, second.state) == ("AUTHORIZED", "DRAFT")


def test_it_is_asked_for_what_needs_it_only(shop: Shop, client: Client) -> None:
    order = make_order(shop, with_diagnosis=False)
    small, own = paid_by(shop, order, "INTERNAL", 1), paid_by(shop, order, "CUSTOMER_PAY", 40)
    for line, code in ((small, "payer.unneeded"), (own, "payer.line")):
        with rule(code):
            payers.ask_payer(line_uid=line.uid, reason="x", by=shop.advisor)
    client.force_login(shop.advisor.user)
    assert "才这样审批" in client.get(reverse("line-payer", args=[own.uid])).content.decode()
    with rule("payer.reason"):
        payers.ask_payer(line_uid=paid_by(shop, order, "INTERNAL", 41).uid, reason=" ", by=shop.advisor)


def test_nobody_begins_while_the_maker_is_asked(shop: Shop, refused: Any) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = paid_by(shop, order, "WARRANTY", 2)
    send(shop, order)
    clerk = make_actor("warranty", store=shop.store)
    claim = warranty_claims.open_warranty_claim(order_uid=order.uid, told_free=False, by=clerk)
    warranty_claims.ask_maker(uid=claim.uid, by=clerk)
    said = (
        "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id, started_at,"
        " pause_cause, corrected_reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, now(), '', '')"
    )
    with refused("clocking_not_while_maker_is_asked") as sql:
        sql(said, [shop.store.pk, shop.employee.pk, line.pk])


def test_the_database_lets_nothing_pass_by_it(shop: Shop, refused: Any) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = paid_by(shop, order, "INTERNAL")
    said = (
        "INSERT INTO workshop_authorization (uid, version, created_at, updated_at, order_id, line_id, status, method,"
        " amount, authorized_by, note, reason, decline_cause, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s,"
        " 'NOT_REQUIRED', 'AUTOMATED_POLICY_PREAUTHORIZATION', %s, 'INTERNAL', '', '', '', now())"
    )
    amount = line.labor_amount
    with refused("authorization_within_payer_limit") as sql:
        sql(said, [order.pk, line.pk, amount])
    row = payers.ask_payer(line_uid=line.uid, reason="交车前弄坏", by=shop.advisor)
    with refused("authorization_within_payer_limit") as sql:  # asked isn't approved
        sql(said, [order.pk, line.pk, amount])
    decide_approval(uid=row.approval.uid, approve=True, by=shop.manager)
    with refused("authorization_within_payer_limit") as sql:  # for no more than was approved
        sql(said, [order.pk, line.pk, amount + 1])
    with refused("payerapproval_append_only") as sql:
        sql("UPDATE workshop_payerapproval SET amount = 99999")
    add = (
        "INSERT INTO workshop_payerapproval (uid, version, created_at, updated_at, line_id, amount, reason, maker_number,"
        " asked_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, now())"
    )
    with refused("payerapproval_of_its_line") as sql:  # the maker authorises its own lines only
        sql(add, [line.pk, 99999, "x", "SQ-1"])
    makers = paid_by(shop, order, "WARRANTY", 1)
    with refused("payerapproval_one_way") as sql:
        sql(add, [makers.pk, 99999, "x", ""])
    with refused("payerapproval_reason") as sql:
        sql(add, [makers.pk, 99999, "", "SQ-1"])


def test_another_system_asks_too(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = paid_by(shop, order, "INTERNAL")
    caller = ApiCaller("workshop:write", store=shop.store, acts_for=shop.advisor.user)
    body = {"labor_operation_uid": str(line.uid), "reason": "交车前弄坏"}
    assert caller.post("payer-approvals", body).status_code == 201
    problem(caller.post("payer-approvals", body), 409, "payer.asked")
    assert PayerApproval.objects.count() == 1
