"""3.2: parts to the line; the shelf is never negative and never disagrees with its movements."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.catalogue.models import Part
from dealership.kernel import outbox
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from tests.factories.kernel import make_actor
from tests.factories.workshop import PHONE, YES, make_order, make_shop
from workshop.models import LineHold, OrderLine, PartLine, StockItem, StockMovement
from workshop.selectors.orders import order_page
from workshop.services import authorizations, clocking, orders, stock

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


def keeper(shop):
    return make_actor("parts", store=shop.store)


TWO = D(2)


def part_line(shop, *, quantity=TWO, agreed=True) -> PartLine:
    """A line with one part, agreed to by telephone."""
    order = make_order(shop)
    part = Part.objects.order_by("pk").first()
    line = orders.add_line(
        order_uid=order.uid, description="更换测试件", hours=D("0.5"), parts=[(part.uid, quantity)], by=shop.advisor
    )
    if agreed:
        orders.send_estimate(order_uid=order.uid, by=shop.advisor)
        authorizations.decide_lines(
            order_uid=order.uid,
            decisions={line.uid: YES},
            method=PHONE,
            authorized_by="沈示例",
            note="同意",
            by=shop.advisor,
        )
    return PartLine.objects.get(line=line)


def shelf(shop, part) -> StockItem:
    return StockItem.objects.get(store=shop.store, part=part)


def receive(shop, part, quantity, cost="10"):
    return stock.receive_stock(part_uid=part.uid, quantity=D(quantity), unit_cost=D(cost), by=keeper(shop))


def test_receipts_move_the_average_cost(shop):
    part = Part.objects.first()
    receive(shop, part, 4, "10")
    receive(shop, part, 6, "20")
    item = shelf(shop, part)
    assert (item.on_hand, item.average_cost) == (D(10), D("16.0000"))
    assert History.objects.filter(code="workshop.stock.received").count() == 2


def test_reserve_issue_and_return_with_their_history(shop):
    wanted = part_line(shop)
    receive(shop, wanted.part, 5)
    by = keeper(shop)
    stock.reserve_part(part_line_uid=wanted.uid, by=by)
    assert (shelf(shop, wanted.part).on_hand, shelf(shop, wanted.part).reserved) == (D(5), D(2))
    stock.issue_part(part_line_uid=wanted.uid, by=by)
    item = shelf(shop, wanted.part)
    assert (item.on_hand, item.reserved) == (D(3), D(0))
    stock.return_part(part_line_uid=wanted.uid, quantity=D(1), reason="多领", by=by)
    wanted.refresh_from_db()
    assert (wanted.reserved_quantity, wanted.issued_quantity, shelf(shop, wanted.part).on_hand) == (D(0), D(1), D(4))
    codes = History.objects.filter(order_uid=wanted.line.order.uid, code__startswith="workshop.part.").order_by("id")
    assert list(codes.values_list("code", flat=True))[-3:] == [
        "workshop.part.reserved", "workshop.part.issued", "workshop.part.returned",
    ]  # fmt: skip


def test_a_missing_part_holds_its_line_until_it_arrives(shop):
    wanted = part_line(shop)
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    wanted.refresh_from_db()
    assert (wanted.reserved_quantity, wanted.expected_on is not None) == (D(0), True)
    hold = LineHold.objects.get(line=wanted.line)
    assert (hold.cause, hold.ended_at) == ("PARTS", None)
    receive(shop, wanted.part, 5)
    outbox.drain()
    wanted.refresh_from_db()
    hold.refresh_from_db()
    assert (wanted.reserved_quantity, wanted.expected_on, hold.ended_at is not None) == (D(2), None, True)


def test_what_another_order_gives_up_ends_the_wait(shop):
    first, second = part_line(shop), part_line(shop)
    receive(shop, first.part, 2)
    stock.reserve_part(part_line_uid=first.uid, by=keeper(shop))
    stock.reserve_part(part_line_uid=second.uid, by=keeper(shop))
    outbox.drain()
    hold = LineHold.objects.get(line=second.line)
    assert (hold.cause, hold.ended_at) == ("PARTS", None)
    orders.withdraw_line(line_uid=first.line.uid, reason="客户改变主意", by=shop.advisor)
    outbox.drain()
    second.refresh_from_db()
    hold.refresh_from_db()
    assert (second.reserved_quantity, second.expected_on, hold.ended_at is not None) == (D(2), None, True)


@pytest.mark.parametrize("way", ["count", "return"])
def test_what_is_found_or_comes_back_goes_to_who_waits(shop, way):
    first, second = part_line(shop), part_line(shop)
    receive(shop, first.part, 2)
    stock.issue_part(part_line_uid=first.uid, by=keeper(shop))
    outbox.drain()
    stock.reserve_part(part_line_uid=second.uid, by=keeper(shop))
    before = History.objects.filter(code="workshop.part.reserved").count()
    if way == "count":
        stock.count_stock(part_uid=first.part.uid, counted=TWO, reason="盘盈", by=keeper(shop))
    else:
        stock.return_part(part_line_uid=first.uid, quantity=TWO, reason="没用上", by=keeper(shop))
    outbox.drain()
    second.refresh_from_db()
    assert (second.reserved_quantity, LineHold.objects.get(line=second.line).ended_at is not None) == (D(2), True)
    assert History.objects.filter(code="workshop.part.reserved").count() == before + 1


def test_a_line_that_a_person_lets_wait_for_parts_says_when_they_are_here(shop):
    wanted = part_line(shop)
    receive(shop, wanted.part, 5)
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    clocking.hold_line(line_uid=wanted.line.uid, cause="PARTS", by=make_actor("foreman", store=shop.store))
    row = order_page(wanted.line.order.uid, shop.advisor).held[0]
    assert row.parts_are_here is True
    PartLine.objects.filter(pk=wanted.pk).update(reserved_quantity=D(1))
    row = order_page(wanted.line.order.uid, shop.advisor).held[0]
    assert row.parts_are_here is False


def test_what_the_customer_brings_is_not_waited_for(shop):
    order = make_order(shop)
    line = orders.add_line(order_uid=order.uid, description="换雨刮", hours=D("0.2"), by=shop.advisor)
    part = Part.objects.order_by("pk").first()
    orders.add_part(line_uid=line.uid, part_uid=part.uid, quantity=D(1), kind="CUSTOMER_SUPPLIED", by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    authorizations.decide_lines(
        order_uid=order.uid,
        decisions={line.uid: YES},
        method=PHONE,
        authorized_by="沈示例",
        note="同意",
        by=shop.advisor,
    )
    outbox.drain()
    assert not LineHold.objects.filter(line=line).exists()


def test_agreement_keeps_the_parts_by_itself(shop):
    part = Part.objects.order_by("pk").first()
    receive(shop, part, 5)
    wanted = part_line(shop)
    outbox.drain()
    wanted.refresh_from_db()
    assert wanted.reserved_quantity == D(2)


def test_withdrawn_work_keeps_no_parts(shop):
    wanted = part_line(shop)
    receive(shop, wanted.part, 5)
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    orders.withdraw_line(line_uid=wanted.line.uid, reason="客户改变主意", by=shop.advisor)
    assert shelf(shop, wanted.part).reserved == D(0)


@pytest.mark.parametrize(
    ("agreed", "on_shelf", "quantity", "code"),
    [
        (False, 5, None, "part.not_agreed"),
        (True, 1, None, "stock.short"),
        (True, 5, D(3), "part.quantity"),
        (True, 5, D("-1"), "stock.quantity"),
        (True, 5, D("0.001"), "stock.quantity"),
    ],
)
def test_refused_issues_change_nothing(shop, agreed, on_shelf, quantity, code):
    wanted = part_line(shop, agreed=agreed)
    receive(shop, wanted.part, on_shelf)
    before = (StockMovement.objects.count(), History.objects.count(), shelf(shop, wanted.part).on_hand)
    with pytest.raises(RuleError) as refusal:
        stock.issue_part(part_line_uid=wanted.uid, quantity=quantity, by=keeper(shop))
    assert refusal.value.code == code
    assert (StockMovement.objects.count(), History.objects.count(), shelf(shop, wanted.part).on_hand) == before


def test_who_may_not_issue_is_refused(shop):
    wanted = part_line(shop)
    with pytest.raises(NotAllowed):
        stock.issue_part(part_line_uid=wanted.uid, by=make_actor("cashier", store=shop.store))


def test_another_stores_line_is_not_there(shop):
    wanted = part_line(shop)
    with pytest.raises(PartLine.DoesNotExist):
        stock.issue_part(part_line_uid=wanted.uid, by=keeper(make_shop()))


def test_a_count_writes_the_difference_with_its_reason(shop):
    part = Part.objects.first()
    receive(shop, part, 5)
    with pytest.raises(RuleError) as refusal:
        stock.count_stock(part_uid=part.uid, counted=D(4), reason="", by=keeper(shop))
    assert (refusal.value.code, shelf(shop, part).on_hand) == ("stock.reason", D(5))
    item = stock.count_stock(part_uid=part.uid, counted=D(4), reason="盘亏", by=keeper(shop))
    assert (item.on_hand, item.movements.order_by("-id").first().quantity) == (D(4), D(-1))


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("stockitem_by_movement_only", "UPDATE workshop_stockitem SET on_hand = 99"),
        ("stockitem_not_negative", "UPDATE workshop_stockitem SET reserved = 99"),
        ("stockmovement_append_only", "UPDATE workshop_stockmovement SET quantity = 1"),
        ("stockmovement_append_only", "DELETE FROM workshop_stockmovement"),
    ],
)
def test_the_database_keeps_the_shelf(shop, refused, rule, statement):
    part = Part.objects.first()
    receive(shop, part, 5)
    before = list(StockItem.objects.values()) + list(StockMovement.objects.values())
    with refused(rule) as sql:
        sql(statement)
    assert list(StockItem.objects.values()) + list(StockMovement.objects.values()) == before


def test_the_database_refuses_parts_on_a_line_nobody_agreed_to(shop, refused):
    wanted = part_line(shop, agreed=False)
    with refused("partline_issue_needs_agreement") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [wanted.pk])
    wanted.refresh_from_db()
    assert wanted.issued_quantity == D(0)


def test_the_database_refuses_more_than_agreed_and_a_movement_of_the_wrong_sign(shop, refused):
    wanted = part_line(shop)
    receive(shop, wanted.part, 9)
    with refused("partline_quantities") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 9 WHERE id = %s", [wanted.pk])
    with refused("stockmovement_sign") as sql:
        sql(
            "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, kind,"
            " quantity, unit_cost, reason, at)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'ISSUE', 1, 0, '', now())",
            [shop.store.pk, shelf(shop, wanted.part).pk, shelf(shop, wanted.part).bins.get().pk],
        )
    assert (shelf(shop, wanted.part).on_hand, StockMovement.objects.count()) == (D(9), 1)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(st.sampled_from(["receive", "count"]), st.integers(1, 30)), min_size=1, max_size=8))
def test_the_shelf_always_equals_the_sum_of_its_movements(shop, steps):
    part = Part.objects.order_by("-pk").first()
    by = keeper(shop)
    for kind, number in steps:
        if kind == "receive":
            stock.receive_stock(part_uid=part.uid, quantity=D(number), unit_cost=D(1), by=by)
        else:
            stock.count_stock(part_uid=part.uid, counted=D(number), reason="盘点", by=by)
    item = shelf(shop, part)
    assert item.on_hand == item.movements.aggregate(s=Sum("quantity"))["s"]
    assert item.on_hand >= 0


@pytest.mark.django_db(transaction=True)
def test_sixteen_pickers_at_one_bin_never_take_what_is_not_there():
    shop = make_shop()
    lines = [part_line(shop, quantity=D(1)) for _ in range(16)]
    part = lines[0].part
    stock.receive_stock(part_uid=part.uid, quantity=D(10), unit_cost=D(5), by=keeper(shop))
    by, barrier, outcomes = keeper(shop), threading.Barrier(16), []

    def pick(uid):
        try:
            barrier.wait()
            stock.issue_part(part_line_uid=uid, by=by)
            outcomes.append("issued")
        except RuleError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=pick, args=[line.uid]) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count("issued"), outcomes.count("stock.short")) == (10, 6)
    item = StockItem.objects.get(store=shop.store, part=part)
    assert item.on_hand == 0 == item.movements.aggregate(s=Sum("quantity"))["s"]
    assert OrderLine.objects.filter(part_lines__issued_quantity=1).count() == 10
