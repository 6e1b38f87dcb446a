"""3.2: the maker or the shop bears a line out of goodwill: asked with a reason, approved by somebody else, never owed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.catalogue.services.prices import labor_rate
from dealership.kernel import clock, outbox
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import Approval, History
from dealership.kernel.services import decide_approval
from dealership.process.figures import FIGURES
from delivery.services.settlements import draft_settlement, issue_settlement, sign_settlement
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, inspect, make_team, make_visit
from tests.factories.delivery import make_order as make_ready_order
from tests.factories.kernel import make_actor
from tests.factories.workshop import Shop, add_operation, agree_all, make_order, make_shop
from workshop.models import LineGoodwill, OrderLine
from workshop.selectors.orders import order_page
from workshop.services import old_parts, orders
from workshop.services.goodwill import ask_line_goodwill, give_approved_goodwill

D = Decimal


@pytest.fixture
def shop(db) -> Shop:
    return make_shop()


def drafted(shop: Shop, **facts) -> OrderLine:
    return add_operation(shop, make_order(shop), "BR-10", pay_type="GOODWILL", **facts)


def ask(shop: Shop, line: OrderLine, **facts) -> LineGoodwill:
    given = {"bearer": "SHOP", "reason": "刚过保修期十天，老客户"} | facts
    return ask_line_goodwill(line_uid=line.uid, by=shop.advisor, **given)


def approve(shop: Shop, row: LineGoodwill, *, yes: bool = True) -> None:
    decide_approval(uid=row.approval.uid, approve=yes, by=shop.manager)
    outbox.drain()


def code_of(call, *args, **facts) -> str:
    before = (History.objects.count(), LineGoodwill.objects.count(), Approval.objects.count())
    with pytest.raises(RuleError) as refusal:
        call(*args, **facts)
    assert (History.objects.count(), LineGoodwill.objects.count(), Approval.objects.count()) == before
    return refusal.value.code


def test_a_line_on_goodwill_goes_ahead_when_somebody_else_approves(shop: Shop) -> None:
    line = drafted(shop)
    assert line.rate == labor_rate(shop.store.pk, "GOODWILL") != labor_rate(shop.store.pk, "CUSTOMER_PAY")
    row = ask(shop, line)
    total = orders.line_total(line)
    assert (row.amount, row.approval.amount, row.approval.kind) == (total, total, "workshop.goodwill")
    assert code_of(ask, shop, line) == "goodwill.asked"
    line.refresh_from_db()
    assert line.state == "DRAFT"
    approve(shop, row)
    line.refresh_from_db()
    assert (line.state, line.authorized_amount, line.authorizations.get().status) == (
        "AUTHORIZED",
        total,
        "NOT_REQUIRED",
    )
    assert code_of(ask, shop, line) == "goodwill.state"
    owed = order_page(line.order.uid, shop.advisor)
    assert (owed.owed_total, owed.pending_total) == (D(0), D(0))
    give_approved_goodwill(approval=Approval.objects.get(pk=row.approval_id))  # the event comes twice
    assert not History.objects.filter(code="workshop.goodwill.lapsed").exists()


def test_the_estimate_goes_without_what_nobody_approved(shop: Shop) -> None:
    line = drafted(shop)
    work = add_operation(shop, line.order, "AC-10")
    agree_all(shop, line.order)
    work.refresh_from_db()
    line.refresh_from_db()
    assert (work.state, line.state) == ("AUTHORIZED", "DRAFT")
    assert code_of(orders.send_estimate, order_uid=line.order.uid, by=shop.advisor) == "goodwill.not_granted"
    row = ask(shop, line)
    orders.change_line(line_uid=line.uid, hours=line.hours + 1, by=shop.advisor)  # dearer than what was asked
    approve(shop, row)
    line.refresh_from_db()
    assert line.state == "DRAFT"
    assert History.objects.filter(code="workshop.goodwill.lapsed", root_uid=line.uid).count() == 1
    approve(shop, ask(shop, line))
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"


def test_a_refusal_leaves_the_line_where_it_is_and_the_customer_can_be_asked(shop: Shop) -> None:
    line = drafted(shop)
    approve(shop, ask(shop, line), yes=False)
    line.refresh_from_db()
    assert line.state == "DRAFT"
    orders.change_line(line_uid=line.uid, pay_type="CUSTOMER_PAY", by=shop.advisor)
    agree_all(shop, line.order)
    line.refresh_from_db()
    assert (line.state, line.rate) == ("AUTHORIZED", labor_rate(shop.store.pk, "CUSTOMER_PAY"))


def test_an_agreed_line_becomes_goodwill_only_when_it_is_approved(shop: Shop) -> None:
    """3.2: another payer is another yes; what the customer said isn't the manager's."""
    line = add_operation(shop, make_order(shop), "BR-10")
    agree_all(shop, line.order)
    orders.change_line(line_uid=line.uid, pay_type="GOODWILL", by=shop.advisor)
    line.refresh_from_db()
    assert (line.state, line.authorized_amount) == ("DRAFT", None)
    approve(shop, ask(shop, line, bearer="MAKER"))
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"
    assert list(line.authorizations.order_by("id").values_list("status", flat=True)) == [
        "APPROVED", "REVOKED", "NOT_REQUIRED",
    ]  # fmt: skip


def test_who_asks_names_a_reason_and_a_bearer_and_never_decides(shop: Shop) -> None:
    line = drafted(shop)
    assert code_of(ask, shop, line, reason="  ") == "goodwill.reason"
    assert code_of(ask, shop, line, bearer="CUSTOMER") == "goodwill.bearer"
    assert code_of(ask, shop, add_operation(shop, line.order, "AC-10")) == "goodwill.payer"
    free = orders.add_line(
        order_uid=line.order.uid, description="检查", pay_type="GOODWILL", hours=D(0), by=shop.advisor
    )
    assert code_of(ask, shop, free) == "line.unpriced"
    apart = orders.add_line(
        order_uid=line.order.uid,
        description="拆检",
        pay_type="GOODWILL",
        hours=D(1),
        is_dismantling=True,
        by=shop.advisor,
    )
    assert code_of(ask, shop, apart) == "line.reassembly"
    orders.change_line(line_uid=apart.uid, reassembly_amount=D(50), by=shop.advisor)
    apart.refresh_from_db()
    assert ask(shop, apart).amount == orders.line_total(apart) + 50
    with pytest.raises(NotAllowed):
        ask_line_goodwill(line_uid=line.uid, bearer="SHOP", reason="x", by=make_actor("technician", store=shop.store))
    row = ask_line_goodwill(line_uid=line.uid, bearer="SHOP", reason="刚过保", by=shop.manager)
    with pytest.raises(RuleError):
        decide_approval(uid=row.approval.uid, approve=True, by=shop.manager)


def test_the_database_lets_no_line_ahead_on_goodwill_that_nobody_approved(shop: Shop, refused) -> None:
    line = drafted(shop)
    row = ask(shop, line)
    said = (
        "INSERT INTO workshop_authorization (uid, version, created_at, updated_at, order_id, line_id, status, method,"
        " amount, authorized_by, note, reason, decline_cause, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s,"
        " 'AUTOMATED_POLICY_PREAUTHORIZATION', %s, %s, '', '', '', now())"
    )
    total = orders.line_total(line)
    with refused("authorization_goodwill_granted") as sql:
        sql(said, [line.order_id, line.pk, "NOT_REQUIRED", total, "GOODWILL"])
    with refused("linegoodwill_append_only") as sql:
        sql("UPDATE workshop_linegoodwill SET amount = 1 WHERE id = %s", [row.pk])
    decide_approval(uid=row.approval.uid, approve=True, by=shop.manager)
    with refused("authorization_goodwill_granted") as sql:  # for no more than was approved
        sql(said, [line.order_id, line.pk, "NOT_REQUIRED", total + 1, "GOODWILL"])
    with refused("authorization_goodwill_granted") as sql:  # and nobody signs for it instead
        spoken = said.replace("AUTOMATED_POLICY_PREAUTHORIZATION", "VERBAL_PHONE")
        sql(spoken, [line.order_id, line.pk, "APPROVED", total, "沈示例"])
    new = (
        "INSERT INTO workshop_linegoodwill (uid, version, created_at, updated_at, line_id, bearer, reason, amount,"
        " approval_id, asked_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'SHOP', %s, %s, %s, now())"
    )
    other = Approval.objects.create(
        kind="workshop.goodwill", root_type="orderline", root_uid=line.uid, store=shop.store, reason="x", amount=total,
        asked_by=shop.advisor.user,
    )  # fmt: skip
    with refused("linegoodwill_of_its_approval") as sql:
        sql(new, [line.pk, "x", total + 1, other.pk])
    with refused("linegoodwill_reason") as sql:
        sql(new, [line.pk, "", total, other.pk])


def test_the_list_shows_goodwill_at_nothing_and_the_shop_sees_what_it_bore(db) -> None:
    team = make_team()
    order = make_ready_order(make_visit(team), team)
    line = add_line(order, pay_type="INTERNAL", hours=D("1.00"))
    own = add_line(order, pay_type="INTERNAL", hours=D("1.00"))
    for each in (line, own):
        for step in ("IN_PROGRESS", "COMPLETED", "INSPECTED"):
            each.state = step
            each.save()
    inspect(order, team)
    assert draft_settlement(order).totals.total == 0
    listed = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=listed.uid, signed_name="周示例", by=team.advisor)
    outbox.drain()
    amount = sum((orders.line_total(each) for each in (line, own)), D(0))
    sql = FIGURES["delivery.internal_cost"].sql
    day = {"day_start": clock.now() - timedelta(hours=1), "day_end": clock.now() + timedelta(hours=1)}
    with connection.cursor() as cursor:
        cursor.execute(sql, {"store_id": team.store.pk, **day})
        found = {who: (amount, count) for who, amount, count in cursor.fetchall()}
    assert found[""] == (amount, 2)


def test_the_page_asks_and_says_where_it_stands(shop: Shop, client: Client) -> None:
    line = drafted(shop)
    client.force_login(shop.advisor.user)
    order = reverse("order-detail", args=[line.order.uid])
    assert reverse("line-goodwill", args=[line.uid]) in client.get(order).content.decode()
    url = reverse("line-goodwill", args=[line.uid])
    assert client.post(url, {"bearer": "SHOP", "reason": ""}).status_code == 422
    assert client.post(url, {"bearer": "SHOP", "reason": "刚过保"}).status_code == 302
    assert "善意承担已申请" in client.get(order).content.decode()
    edit = client.get(reverse("line-edit", args=[line.uid])).content.decode()
    assert "刚过保" in edit
    approve(shop, LineGoodwill.objects.get())
    assert "善意承担已批准" in client.get(order).content.decode()


def test_over_the_api(shop: Shop) -> None:
    line = drafted(shop)
    api = ApiCaller("workshop:read", "workshop:write", store=shop.store, acts_for=shop.advisor.user)
    body = {"labor_operation_uid": str(line.uid), "bearer": "MAKER", "reason": "刚过保"}
    made = api.post("line-goodwill", body)
    assert made.status_code == 201, made.content
    assert problem(api.post("line-goodwill", body), 409, "goodwill.asked")


@pytest.mark.parametrize(("bearer", "goes"), [("MAKER", "MAKER"), ("SHOP", "CUSTOMER")])
def test_old_parts_are_the_makers_where_it_bears_the_goodwill(shop: Shop, refused, bearer: str, goes: str) -> None:
    line = drafted(shop)
    approve(shop, ask(shop, line, bearer=bearer))
    line.refresh_from_db()
    row = line.part_lines.first()
    row.issued_quantity = row.quantity
    row.save(update_fields=["issued_quantity"])
    for state in ("IN_PROGRESS", "COMPLETED"):
        line.state, line.cause, line.correction = state, "磨损", "更换"
        line.save()
    keeper = make_actor("parts", store=shop.store)
    [kept] = old_parts.keep_old_parts(line_uid=line.uid, by=keeper)
    assert kept.disposition == goes
    if bearer == "SHOP":
        with refused("oldpart_maker_is_warranty") as sql:
            sql("UPDATE workshop_oldpart SET disposition = 'MAKER' WHERE id = %s", [kept.pk])
        with pytest.raises(RuleError) as refusal:
            old_parts.decide_old_part(uid=kept.uid, disposition="MAKER", by=shop.advisor)
        assert refusal.value.code == "old_part.owner"
