"""3.2: a discount on a part of a line, within the limit of the post; it stands in every sum and on every paper."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import Approval, History
from dealership.kernel.money import line_amount
from dealership.kernel.services import decide_approval, set_setting
from delivery.services.settlements import issue_settlement
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, make_team, make_visit, move_line
from tests.factories.delivery import make_order as make_settled_order
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import Shop, add_operation, agree_all, make_order, make_shop, part
from tests.workshop.test_differences import assessed_below
from tests.workshop.test_packages import put
from tests.workshop.test_replacements import agreed_with, follows, new_part
from tests.workshop.test_stock import keeper, receive
from workshop import rules
from workshop.documents import contract_data
from workshop.limits import PART_DISCOUNT_LARGE_PERCENT, PART_DISCOUNT_SMALL_PERCENT
from workshop.models import OrderLine, PartLine
from workshop.selectors.accidents import price_of
from workshop.selectors.contracts import order_paper
from workshop.services import differences, orders, stock
from workshop.services.replacements import take_replacement

pytestmark = pytest.mark.django_db
GIVE = (
    "UPDATE workshop_partline SET discount = %s, amount = round(quantity * unit_price, 2) - %s, discount_reason = 'x',"
    " discount_at = now(), discount_by_id = %s WHERE id = %s"
)


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def pads(shop: Shop) -> PartLine:
    """Two sets of brake pads for 1120.00 on a line of its own."""
    line = add_operation(shop, make_order(shop, with_diagnosis=False), "BR-10", parts=[])
    return orders.add_part(line_uid=line.uid, part_uid=part("BRK-PAD-F").uid, quantity=D(2), by=shop.advisor)


def off(row: PartLine, amount: str, by, reason: str = "老客户"):
    return orders.discount_part(part_line_uid=row.uid, amount=D(amount), reason=reason, by=by)


@given(
    st.decimals("0.01", "99.99", places=2), st.decimals("0.01", "9999.99", places=2), st.decimals("0", "1", places=4)
)
def test_a_sum_less_its_discount_is_never_below_nothing(quantity: D, price: D, share: D) -> None:
    gross = line_amount(quantity, price)
    discount = line_amount(gross, share)
    assert rules.part_amount(quantity, price, discount) + discount == gross
    with pytest.raises(ValueError):
        rules.part_amount(quantity, price, gross + D("0.01"))


def test_within_the_post_it_is_given_above_it_is_asked(shop: Shop) -> None:
    row = pads(shop)
    given_row = off(row, "33.60", shop.advisor)
    assert (given_row.discount, given_row.amount, given_row.discount_reason) == (D("33.60"), D("1086.40"), "老客户")
    said = History.objects.get(code="workshop.part.discounted")
    assert (said.changed, said.facts["amount"]) == ({"discount": ["0.00", "33.60"]}, "1086.40")
    asked = off(row, "112.01", shop.advisor, "等待过久")
    assert isinstance(asked, Approval)
    row.refresh_from_db()
    assert row.discount == D("33.60")
    decide_approval(uid=asked.uid, approve=True, by=shop.manager)
    outbox.drain()
    row.refresh_from_db()
    assert (row.discount, row.amount, row.discount_reason) == (D("112.01"), D("1007.99"), "等待过久")
    assert isinstance(off(row, "112.00", shop.manager), PartLine)
    assert isinstance(off(row, "112.01", shop.manager), Approval)


def test_a_discount_has_bounds_a_reason_and_its_time(shop: Shop) -> None:
    row = pads(shop)
    for amount in ("-0.01", "1120.01"):
        with rule("discount.amount"):
            off(row, amount, shop.advisor)
    with rule("discount.reason"):
        off(row, "1", shop.advisor, " ")
    with pytest.raises(NotAllowed):
        off(row, "1", make_actor("cashier", store=shop.store))
    agree_all(shop, row.line.order)
    with rule("line.agreed"):
        off(row, "1", shop.advisor)
    assert not History.objects.filter(code="workshop.part.discounted").exists()


def test_what_was_asked_too_late_lapses_and_a_part_that_is_gone_gets_none(shop: Shop) -> None:
    row = pads(shop)
    asked = off(row, "200", shop.advisor)
    agree_all(shop, row.line.order)
    decide_approval(uid=asked.uid, approve=True, by=shop.manager)
    outbox.drain()
    row.refresh_from_db()
    assert row.discount == 0
    assert History.objects.filter(code="workshop.part.discount_lapsed", root_uid=row.uid).exists()
    other = pads(shop)
    asked = off(other, "200", shop.advisor)
    orders.remove_part(part_line_uid=other.uid, by=shop.advisor)
    decide_approval(uid=asked.uid, approve=True, by=shop.manager)
    outbox.drain()
    asked.refresh_from_db()
    assert orders.give_approved_part_discount(approval=asked) is None


def test_the_database_holds_the_limit_of_the_post_on_its_day(shop: Shop, refused) -> None:
    row = pads(shop)
    foreman = make_actor("foreman", store=shop.store)
    for amount, who in (
        (33.61, shop.advisor.user.pk),
        (112.01, shop.manager.user.pk),
        (0.01, foreman.user.pk),
        (1, None),
    ):
        with refused("partline_discount_within_limit") as sql:
            sql(GIVE, [amount, amount, who, row.pk])
    asked = off(row, "300", shop.advisor)
    with refused("partline_discount_within_limit") as sql:  # asked isn't approved
        sql(GIVE, [300, 300, shop.advisor.user.pk, row.pk])
    decide_approval(uid=asked.uid, approve=True, by=shop.manager)
    with refused("partline_discount_within_limit") as sql:  # another amount than the approved one
        sql(GIVE, [301, 301, shop.advisor.user.pk, row.pk])
    set_setting(key=PART_DISCOUNT_SMALL_PERCENT, value=5, starts_on=clock.today() + timedelta(days=1), by=machine("t"))
    with refused("partline_discount_within_limit") as sql:  # 5 % hold from tomorrow on
        sql(GIVE, [56, 56, shop.advisor.user.pk, row.pk])
    set_setting(key=PART_DISCOUNT_LARGE_PERCENT, value=2, starts_on=clock.today(), by=machine("t"))
    with refused("partline_discount_within_limit") as sql:
        sql(GIVE, [33.61, 33.61, shop.manager.user.pk, row.pk])


def test_the_database_holds_the_sum_the_reason_and_what_was_agreed(shop: Shop, refused) -> None:
    row = pads(shop)
    who = shop.advisor.user.pk
    with refused("partline_discount") as sql:
        sql(GIVE.replace("'x'", "''"), [20, 20, who, row.pk])
    with refused("partline_discount") as sql:
        sql(GIVE, [20, 30, who, row.pk])
    off(row, "20", shop.advisor)
    agree_all(shop, row.line.order)
    with refused("partline_agreed_is_fixed") as sql:
        sql(GIVE, [10, 10, who, row.pk])


def test_it_never_grows_with_the_quantity(shop: Shop) -> None:
    row = pads(shop)
    off(row, "33.60", shop.advisor)
    less = orders.change_part(part_line_uid=row.uid, quantity=D(1), by=shop.advisor)
    assert (less.discount, less.amount) == (D("16.80"), D("543.20"))
    more = orders.change_part(part_line_uid=row.uid, quantity=D(3), by=shop.advisor)
    assert (more.discount, more.amount) == (D("16.80"), D("1663.20"))


def test_the_customer_sees_it_and_it_is_in_the_hash(shop: Shop) -> None:
    row = pads(shop)
    off(row, "20", shop.advisor)
    order = row.line.order
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    (entry,) = estimate.content["lines"]
    (asked,) = entry["parts"]
    assert (asked["discount"], asked["amount"]) == ("20.00", "1100.00")
    assert D(entry["total"]) == estimate.total == orders.line_total(OrderLine.objects.get(pk=row.line_id))
    other = [entry | {"parts": [asked | {"discount": "0.00"}]}]
    assert rules.content_hash(estimate.content | {"lines": other}) != estimate.seen_hash
    said = Client().get(reverse("visit-link", args=[order.visit.link.token])).content.decode()
    assert "优惠 ¥20.00" in said
    with translation.override("en"):
        contract = order_paper(order)
        assert contract is not None
        assert "× 560.00 − 20.00" in contract_data(contract)["items"][0][1]


def test_the_list_says_the_price_and_what_is_off_for_what_stayed() -> None:
    team = make_team()
    order = make_settled_order(make_visit(team), team)
    line = add_line(
        order, state="DRAFT", hours=D("1.00"),
        parts=[{"quantity": "2.00", "price": "100.00", "issued": "0.00", "name": "刹车片"}],
    )  # fmt: skip
    row = line.part_lines.get()
    off(row, "5.01", team.advisor)
    row.refresh_from_db()
    line.refresh_from_db()
    move_line(line, "COMPLETED")
    row.issued_quantity = D("1.00")
    row.save(update_fields=["issued_quantity"])
    line.state = "INSPECTED"
    line.save()
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (settlement.material_total, settlement.discount_total) == (D("100.00"), D("2.51"))
    assert settlement.total == settlement.labor_total + D("97.49")
    assert [(r.description, r.part_line_id, r.amount) for r in settlement.lines.filter(kind="DISCOUNT")] == [
        ("刹车片", row.pk, D("2.51"))
    ]


def test_what_stays_of_an_ended_line_keeps_its_share(shop: Shop) -> None:
    row = pads(shop)
    off(row, "33.60", shop.advisor)
    agree_all(shop, row.line.order)
    receive(shop, row.part, 5)
    stock.issue_part(part_line_uid=row.uid, quantity=D(1), by=keeper(shop))
    orders.withdraw_line(line_uid=row.line.uid, reason="客户撤单", by=shop.advisor)
    row.refresh_from_db()
    assert (row.quantity, row.discount, row.amount) == (D(1), D("16.80"), D("543.20"))
    stock.return_part(part_line_uid=row.uid, quantity=D(1), reason="退回", by=keeper(shop))
    row.refresh_from_db()
    assert (row.discount, row.amount) == (D(0), D(0))


def test_a_replacement_keeps_its_share_and_an_assessment_takes_its_place(shop: Shop) -> None:
    row, other = agreed_with(shop)
    follows(shop, row.part, other, "STAND_IN")
    took = take_replacement(part_line_uid=row.uid, part_uid=other.uid, by=keeper(shop))
    assert took.discount == 0
    fresh = pads(shop)
    off(fresh, "33.60", shop.advisor)
    cheap = new_part(shop, "CHEAP", price="280.00")
    follows(shop, fresh.part, cheap)
    swapped = take_replacement(part_line_uid=fresh.uid, part_uid=cheap.uid, by=shop.advisor)
    swapped.refresh_from_db()
    assert (swapped.discount, swapped.amount) == (D("16.80"), D("543.20"))
    line = assessed_below(shop)
    brought = line.part_lines.first()
    assert brought is not None
    off(brought, "1.00", shop.advisor)
    differences.price_as_assessed(line_uid=line.uid, by=shop.advisor)
    brought.refresh_from_db()
    assert (brought.discount, price_of(OrderLine.objects.get(pk=line.pk))) == (D(0), D("300.00"))


def test_a_package_stays_at_its_price(shop: Shop) -> None:
    _order, packaged = put(shop)
    row = PartLine.objects.filter(line__package=packaged).first()
    assert row is not None
    with rule("package.line"):
        off(row, "1", shop.advisor)


def test_the_page_gives_it_and_says_what_waits(shop: Shop, client: Client) -> None:
    row = pads(shop)
    client.force_login(shop.advisor.user)
    page = reverse("part-discount", args=[row.uid])
    edit = reverse("line-edit", args=[row.line.uid])
    assert page in client.get(edit).content.decode()
    assert "3% 以内" in client.get(page).content.decode()
    wrong = client.post(page, {"amount": "20", "reason": ""})
    assert wrong.status_code == 422
    assert client.post(page, {"amount": "20", "reason": "老客户"}).headers["Location"] == edit
    client.post(page, {"amount": "200", "reason": "等待过久"})
    said = client.get(edit).content.decode()
    assert "−20.00 · 老客户" in said
    assert "优惠待批：" in said
    shown = client.get(reverse("order-detail", args=[row.line.order.uid])).content.decode()
    assert "优惠待批：¥200.00" in shown or "200.00" in shown
    client.force_login(make_actor("foreman", store=shop.store).user)
    assert client.get(page).status_code == 403


def test_another_system_gives_it(shop: Shop) -> None:
    row = pads(shop)
    caller = ApiCaller("workshop:write", store=shop.store, acts_for=shop.advisor.user)
    answer = caller.act(f"part-lines/{row.uid}", "discount", {"amount": "20.00", "reason": "老客户"})
    assert answer.status_code == 200, answer.content
    shown = caller.get(f"part-lines/{row.uid}").json()
    assert (shown["discount"], shown["discount_reason"], shown["amount"]) == ("20.00", "老客户", "1100.00")
    too_much = caller.act(f"part-lines/{row.uid}", "discount", {"amount": "2000.00", "reason": "老客户"})
    problem(too_much, 409, "discount.amount")
