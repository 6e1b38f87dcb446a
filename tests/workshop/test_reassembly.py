"""What is taken apart states what putting it together again costs; discounts within the post's limit; locked offers (3.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dealership.kernel import registry, saying
from dealership.kernel.services import decide_approval
from reception.models import Visit
from tests.factories.api import ApiCaller
from tests.factories.floor import Floor, actor, at, clock_at, make_floor
from tests.factories.reception import rule
from tests.factories.workshop import PHONE, YES, agree_all, make_order, operation
from workshop import permissions, rules
from workshop.models import LARGE_DISCOUNTS, SMALL_DISCOUNTS, Authorization, OrderLine, RepairOrder
from workshop.services import authorizations, clocking, findings, orders

pytestmark = pytest.mark.django_db
NO = (False, "太贵", "PRICE")
money = st.decimals("0.01", "99999.99", places=2)


@given(money, st.decimals("1.00", "999.99", places=2))
def test_hours_and_what_is_taken_off_meet_the_price_exactly(price: Decimal, rate: Decimal) -> None:
    hours, off = rules.reassembly_hours(price, rate)
    assert rules.labor_amount(hours, rate, off) == price
    assert 0 <= off <= rate


@given(money, money, money)
def test_a_discount_never_grows_when_the_labour_changes(discount: Decimal, before: Decimal, after: Decimal) -> None:
    discount = min(discount, before)
    kept = rules.same_discount(discount, before, after)
    assert 0 <= kept <= min(discount, after)
    assert kept * before <= discount * after or after >= before


@pytest.fixture
def floor() -> Floor:
    return make_floor()


def decide(floor: Floor, order: RepairOrder, decisions: dict) -> RepairOrder:
    return authorizations.decide_lines(
        order_uid=order.uid,
        decisions=decisions,
        method=PHONE,
        authorized_by="沈示例",
        note="电话",
        by=floor.shop.advisor,
    )


def dismantling(floor: Floor, *, price: str | None = "320.00") -> tuple[RepairOrder, OrderLine]:
    order = make_order(floor.shop, with_diagnosis=False)
    line = orders.add_line(
        order_uid=order.uid,
        description="拆检变速箱",
        hours=Decimal("2.50"),
        is_dismantling=True,
        reassembly_amount=None if price is None else Decimal(price),
        by=floor.shop.advisor,
    )
    return order, line


def taken_apart(floor: Floor, **more) -> tuple[RepairOrder, OrderLine, OrderLine]:
    """The gearbox lies open; a repair found by it is asked."""
    order, line = dismantling(floor, **more)
    agree_all(floor.shop, order)
    person = floor.technician()
    with clock_at(9):
        floor.give(line, person)
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        found = findings.report_more_work(
            line_uid=line.uid, cause="离合器烧蚀", description="更换离合器", by=actor(person)
        )
    orders.change_line(line_uid=found.uid, hours=Decimal("5.00"), by=floor.shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)  # holds from now on, whatever day it is
    return order, line, found


def test_a_price_is_stated_before_the_question(floor: Floor, refused) -> None:
    order, line = dismantling(floor, price=None)
    with rule("line.reassembly"):
        orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    with refused("orderline_reassembly_stated") as sql:
        sql("UPDATE workshop_orderline SET state = 'PENDING' WHERE id = %s", [line.pk])
    with refused("orderline_reassembly") as sql:
        sql("UPDATE workshop_orderline SET reassembly_amount = -1 WHERE id = %s", [line.pk])
    orders.change_line(line_uid=line.uid, reassembly_amount=Decimal("0"), by=floor.shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    line.refresh_from_db()
    assert (line.state, line.reassembly_amount) == ("PENDING", Decimal("0.00"))


def test_only_what_takes_apart_states_it(floor: Floor, refused) -> None:
    order = make_order(floor.shop)
    diagnosis = order.lines.get()
    assert diagnosis.reassembly_amount == Decimal("0.00")
    with rule("line.reassembly"):
        orders.add_line(
            order_uid=order.uid, description="x", hours=Decimal(1), reassembly_amount=Decimal(1), by=floor.shop.advisor
        )
    plain = orders.add_line(order_uid=order.uid, description="x", hours=Decimal(1), by=floor.shop.advisor)
    with refused("orderline_reassembly") as sql:
        sql("UPDATE workshop_orderline SET reassembly_amount = 1 WHERE id = %s", [plain.pk])
    with rule("line.found_by"):
        orders.add_line(
            order_uid=order.uid, description="y", hours=Decimal(1), found_by_uid=plain.uid, by=floor.shop.advisor
        )


def test_the_customer_sees_it_and_it_is_in_the_hash(floor: Floor, refused) -> None:
    order, line = dismantling(floor)
    estimate = orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    (entry,) = estimate.content["lines"]
    assert entry["reassembly_amount"] == "320.00"
    assert rules.content_hash(estimate.content | {"lines": [entry | {"reassembly_amount": "1"}]}) != estimate.seen_hash
    said = Client().get(reverse("visit-link", args=[order.visit.link.token])).content.decode()
    assert "装复费用为 ¥320.00" in said
    with refused("orderline_agreed_is_fixed") as sql:
        sql("UPDATE workshop_orderline SET reassembly_amount = 900 WHERE id = %s", [line.pk])


def test_a_declined_repair_is_put_together_again_at_the_agreed_price(floor: Floor) -> None:
    order, line, found = taken_apart(floor)
    assert found.found_by == line
    decide(floor, order, {found.uid: NO})
    again = order.lines.get(reassembles=line)
    assert (again.state, again.authorized_amount, again.description) == (
        "AUTHORIZED",
        Decimal("320.00"),
        "装复：拆检变速箱",
    )
    row, first = again.authorizations.get(), line.authorizations.get()
    assert (row.status, row.method, row.authorized_by, row.estimate) == (
        "APPROVED", first.method, first.authorized_by, first.estimate,
    )  # fmt: skip
    assert saying.say_name(again.description) == again.description
    # asked again and agreed to after all: what isn't begun is taken off
    authorizations.offer_again(line_uid=found.uid, by=floor.shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    decide(floor, order, {found.uid: YES})
    again.refresh_from_db()
    assert (again.state, again.labor_amount) == ("WITHDRAWN", Decimal("0.00"))


def test_nothing_is_put_together_while_something_found_is_open_or_agreed(floor: Floor) -> None:
    order, line, found = taken_apart(floor)
    other = orders.add_line(
        order_uid=order.uid, description="更换油封", hours=Decimal(1), found_by_uid=line.uid, by=floor.shop.advisor
    )
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    decide(floor, order, {found.uid: NO})
    assert not order.lines.filter(reassembles=line).exists()
    decide(floor, order, {other.uid: YES})
    assert not order.lines.filter(reassembles=line).exists()


def test_nothing_is_put_together_that_wasnt_taken_apart(floor: Floor) -> None:
    order, line = dismantling(floor)
    agree_all(floor.shop, order)
    found = orders.add_line(
        order_uid=order.uid, description="更换离合器", hours=Decimal(1), found_by_uid=line.uid, by=floor.shop.advisor
    )
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    decide(floor, order, {found.uid: NO})
    assert not order.lines.filter(reassembles=line).exists()


def test_the_database_holds_the_agreed_price(floor: Floor, refused) -> None:
    order, line, found = taken_apart(floor)
    with refused("orderline_reassembly_as_agreed"):
        OrderLine.objects.create(
            order=order,
            position=9,
            description="x",
            hours=2,
            rate=170,
            labor_amount=Decimal("320.01"),
            reassembles=line,
        )
    decide(floor, order, {found.uid: NO})
    again = order.lines.get(reassembles=line)
    with refused("orderline_reassembly_as_agreed") as sql:
        sql("UPDATE workshop_orderline SET authorized_amount = 400 WHERE id = %s", [again.pk])
    with refused("orderline_reassembled_once"):
        OrderLine.objects.create(
            order=order, position=9, description="x", hours=0, rate=0, labor_amount=0, reassembles=line
        )
    assert again.authorizations.count() == 1


# --- discounts ---


def test_the_posts_that_give_discounts_are_those_of_the_database() -> None:
    for permission, roles in (
        (permissions.DISCOUNT_SMALL, SMALL_DISCOUNTS),
        (permissions.DISCOUNT_LARGE, LARGE_DISCOUNTS),
    ):
        assert {code for code, granted in registry.ROLES.items() if permission in granted} == set(roles)


def test_a_discount_above_the_post_needs_an_approval(floor: Floor, refused) -> None:
    order = make_order(floor.shop, with_diagnosis=False)
    line = orders.add_line(order_uid=order.uid, description="x", hours=Decimal(1), by=floor.shop.advisor)
    give = "UPDATE workshop_orderline SET discount = %s, labor_amount = 170 - %s, discount_by_id = %s WHERE id = %s"
    for amount, who in ((8.51, floor.shop.advisor), (34.01, floor.shop.manager), (0.01, floor.foreman)):
        with refused("orderline_discount_within_limit") as sql:
            sql(give, [amount, amount, who.user.pk, line.pk])
    with refused("orderline_discount_within_limit") as sql:
        sql(give, [34.01, 34.01, None, line.pk])
    asked = orders.discount_line(line_uid=line.uid, amount=Decimal("60"), reason="等待过久", by=floor.shop.advisor)
    with refused("orderline_discount_within_limit") as sql:
        sql(give, [60, 60, floor.shop.advisor.user.pk, line.pk])
    decide_approval(uid=asked.uid, approve=True, by=floor.shop.manager)
    with refused("orderline_discount_within_limit") as sql:
        sql(give, [61, 61, floor.shop.advisor.user.pk, line.pk])
    asked.refresh_from_db()
    orders.give_approved_discount(approval=asked)
    line.refresh_from_db()
    assert (line.discount, line.labor_amount) == (Decimal("60.00"), Decimal("110.00"))
    orders.change_line(line_uid=line.uid, hours=Decimal("0.50"), by=floor.shop.advisor)
    line.refresh_from_db()
    assert (line.discount, line.labor_amount) == (Decimal("30.00"), Decimal("55.00"))


# --- what was sent and what was agreed ---


def test_a_sent_estimate_keeps_its_order_number_and_end(floor: Floor, refused) -> None:
    order, _line = dismantling(floor)
    estimate = orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    other = make_order(floor.shop)
    for change, value in (
        ("number", 7),
        ("expires_at", "2999-01-01T00:00:00Z"),
        ("order_id", other.pk),
    ):
        with refused("estimate_locked") as sql:
            sql(f"UPDATE workshop_estimate SET {change} = %s WHERE id = %s", [value, estimate.pk])
    estimate.refresh_from_db()
    assert (estimate.number, estimate.order_id) == (1, order.pk)


def test_a_yes_isnt_taken_back_once_work_has_begun(floor: Floor, refused) -> None:
    order, line, _found = taken_apart(floor)
    with refused("authorization_revoked_before_work"):
        Authorization.objects.create(
            order=order, line=line, status="REVOKED", method=PHONE, amount=1, authorized_by="沈示例", note="x"
        )
    with rule("line.begun"):
        authorizations.revoke_line(line_uid=line.uid, reason="不修了", by=floor.shop.advisor)


def test_another_system_reads_and_states_it(floor: Floor) -> None:
    order = make_order(floor.shop, with_diagnosis=False)
    api = ApiCaller("workshop:write", store=floor.shop.store, acts_for=floor.shop.advisor.user)
    body = {
        "repair_order_uid": str(order.uid), "description": "拆检", "hours": "1.00", "is_dismantling": True,
        "reassembly_amount": "50.00",
    }  # fmt: skip
    made = api.post("labor-operations", body)
    assert made.status_code == 201
    assert (made.json()["is_dismantling"], made.json()["reassembly_amount"]) == (True, "50.00")


def test_the_page_states_it_and_asks_what_was_found(floor: Floor) -> None:
    order, line, _found = taken_apart(floor)
    desk = Client()
    desk.force_login(floor.shop.advisor.user)
    said = desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "拒修时装复：¥320.00" in said
    page = desk.get(reverse("line-new", args=[order.uid]))
    assert (
        f'<option value="{line.uid}" selected>' in page.content.decode()
    )  # it lies open now: found by it, unless said


def test_the_page_asks_for_the_price_at_its_field_when_adding_and_when_sending(floor: Floor) -> None:
    order = make_order(floor.shop, with_diagnosis=False)
    desk = Client()
    desk.force_login(floor.shop.advisor.user)
    new = {"description": "拆检变速箱", "hours": "2.5", "pay_type": "CUSTOMER_PAY", "is_dismantling": "on"}
    refused = desk.post(reverse("line-new", args=[order.uid]), new)
    assert (refused.status_code, order.lines.count()) == (422, 0)
    assert list(refused.context["form"].errors) == ["reassembly_amount"]
    assert "“拆检变速箱”" in str(refused.context["form"].errors["reassembly_amount"])
    chosen = {"operation": str(operation("BR-10").uid), "pay_type": "CUSTOMER_PAY", "is_dismantling": "on"}
    named = desk.post(reverse("line-new", args=[order.uid]), chosen).context["form"].errors["reassembly_amount"]
    assert f"“{operation('BR-10').name}”" in str(named)
    unnamed = desk.post(reverse("line-new", args=[order.uid]), new | {"description": " "})
    assert list(unnamed.context["form"].errors) == ["description"]
    _order, line = dismantling(floor, price=None)  # a technician proposed it without a price
    edit = reverse("line-edit", args=[line.uid])
    sent = desk.post(reverse("order-estimate", args=[line.order.uid]))
    assert sent.url == edit
    assert not line.order.estimates.exists()
    page = desk.get(edit)
    assert list(page.context["form"].errors) == ["reassembly_amount"]
    assert page.context["form"]["description"].value() == line.description
    assert not desk.get(edit).context["form"].errors  # said once
    whole = new | {"category": line.category, "reassembly_amount": ""}
    assert list(desk.post(edit, whole).context["form"].errors) == ["reassembly_amount"]
    assert desk.post(edit, whole | {"reassembly_amount": "200"}).status_code == 302
    assert desk.post(reverse("order-estimate", args=[line.order.uid])).url == reverse(
        "order-detail", args=[line.order.uid]
    )
    unpriced = orders.add_line(order_uid=order.uid, description="听异响", hours=Decimal(0), by=floor.shop.advisor)
    assert desk.post(reverse("order-estimate", args=[order.uid])).url == reverse("line-edit", args=[unpriced.uid])
    page = desk.get(reverse("line-edit", args=[unpriced.uid]))
    assert list(page.context["form"].errors) == ["hours"]


def test_a_new_order_begins_with_no_promise_that_has_passed(floor: Floor) -> None:
    with clock_at(9):
        visit = make_order(floor.shop).visit
        Visit.objects.filter(pk=visit.pk).update(promised_at=at(11))
        kept = orders.open_repair_order(visit_uid=visit.uid, complaint="异响", by=floor.shop.advisor)
        assert kept.promised_at == at(11)
    with clock_at(12):
        desk = Client()
        desk.force_login(floor.shop.advisor.user)
        page = desk.get(reverse("order-open", args=[visit.uid]))
        field = page.context["form"]["promised_at"]
        assert (field.value(), bool(field.help_text)) == (None, True)
        fresh = orders.open_repair_order(visit_uid=visit.uid, complaint="漏油", by=floor.shop.advisor)
        assert fresh.promised_at is None
