"""3.2: an issued part comes back unopened, opened or fitted, and only the first goes onto the shelf; a kept part goes to
another order with a reason, and who loses it is told and planned anew.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.catalogue.models import ResourceKind
from dealership.catalogue.services.resources import add_resource
from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, Message
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_stock import keeper, part_line, receive, shelf
from workshop.models import (
    Dispatch,
    DispatchProposal,
    LineHold,
    PartLine,
    PartReturn,
    ReservationMove,
    StockItem,
    StockMovement,
)
from workshop.services import orders, proposals, stock

D = Decimal
ONE, TWO = D(1), D(2)
CONDITIONS = ["UNOPENED", "OPENED", "FITTED"]


@pytest.fixture
def shop(db):
    return make_shop()


def issued(shop, quantity=TWO) -> PartLine:
    wanted = part_line(shop, quantity=quantity)
    receive(shop, wanted.part, quantity)
    return stock.issue_part(part_line_uid=wanted.uid, by=keeper(shop))


def take_back(shop, row, condition, *, quantity=ONE, reason="领错"):
    return stock.return_part(
        part_line_uid=row.uid, quantity=quantity, reason=reason, condition=condition, by=keeper(shop)
    )


@pytest.mark.parametrize(("condition", "there"), [("UNOPENED", 1), ("OPENED", 0), ("FITTED", 0)])
def test_only_what_nobody_opened_is_stock_again(shop, condition, there):
    row = take_back(shop, issued(shop), condition)
    assert (row.issued_quantity, shelf(shop, row.part).on_hand) == (D(1), D(there))
    [back] = PartReturn.objects.all()
    assert (back.condition, back.quantity, back.reason) == (condition, D(1), "领错")
    assert StockMovement.objects.filter(part_return=back, kind="RETURN", quantity=1).count() == there
    facts = History.objects.get(code="workshop.part.returned").facts
    assert facts["condition"] == condition
    assert "领错" not in str(facts)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"condition": "USED"}, "part.condition"),
        ({"reason": "  "}, "part.reason"),
        ({"quantity": D(3)}, "part.returned"),
        ({"quantity": D(0)}, "stock.quantity"),
    ],
)
def test_a_refused_return_changes_nothing(shop, facts, code):
    row = issued(shop)
    before = (History.objects.count(), StockMovement.objects.count())
    with pytest.raises(RuleError) as refusal:
        take_back(shop, row, **{"condition": "OPENED"} | facts)
    row.refresh_from_db()
    assert (refusal.value.code, row.issued_quantity, PartReturn.objects.count()) == (code, D(2), 0)
    assert (History.objects.count(), StockMovement.objects.count()) == before


RETURN = (
    "INSERT INTO workshop_partreturn (uid, version, created_at, updated_at, part_line_id, condition, quantity, reason, at)"
    " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, now()) RETURNING id"
)
MOVE = (
    "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, part_line_id,"
    " part_return_id, kind, quantity, unit_cost, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s,"
    " %s, %s, 0, '', now())"
)


def test_the_database_takes_nothing_opened_onto_the_shelf(shop, refused):
    row = issued(shop)
    take_back(shop, row, "FITTED")
    item, back = shelf(shop, row.part), PartReturn.objects.get()
    where = [shop.store.pk, item.pk, item.bins.get().pk, row.pk]
    for other in ([back.pk, "RETURN", 1], [None, "RETURN", 1], [back.pk, "COUNT", 1]):
        with refused("stockmovement_return_unopened") as sql:
            sql(MOVE, [*where, *other])
    with refused("partreturn_on_the_shelf") as sql:
        sql(RETURN, [row.pk, "UNOPENED", 1, "x"])
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    with refused("partline_quantities") as sql:
        sql(RETURN, [row.pk, "OPENED", 2, "x"])  # one only is still out
    for values, rule in (
        (["OPENED", 1, ""], "partreturn_reason"),
        (["USED", 1, "x"], "partreturn_condition"),
        (["OPENED", -1, "x"], "partreturn_quantity"),
    ):
        with refused(rule) as sql:
            sql(RETURN, [row.pk, *values])
    with refused("partline_back_by_return_only") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 0 WHERE id = %s", [row.pk])
    with refused("partreturn_append_only") as sql:
        sql("UPDATE workshop_partreturn SET condition = 'UNOPENED'")
    row.refresh_from_db()
    assert (row.issued_quantity, shelf(shop, row.part).on_hand, PartReturn.objects.count()) == (D(1), D(0), 1)


# --- a kept part goes to another order ---
def two_lines(shop, there="2"):
    """``there`` pieces are kept for the first of two orders that need two each; the second one waits."""
    first, second = part_line(shop), part_line(shop)
    receive(shop, first.part, there)
    for row in (first, second):
        stock.reserve_part(part_line_uid=row.uid, by=keeper(shop))
    outbox.drain()
    return first, second


def give(first, second, by, reason="客户在店等候"):
    return stock.move_reservation(source_uid=first.uid, target_uid=second.uid, reason=reason, by=by)


def test_a_kept_part_goes_over_and_the_loser_waits_and_is_told(shop):
    first, second = two_lines(shop)
    foreman = make_actor("foreman", store=shop.store)
    move = give(first, second, foreman)
    outbox.drain()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (move.quantity, first.reserved_quantity, second.reserved_quantity) == (D(2), D(0), D(2))
    assert (first.expected_on > clock.today(), second.expected_on) == (True, None)
    assert (shelf(shop, first.part).reserved, shelf(shop, first.part).on_hand) == (D(2), D(2))
    assert LineHold.objects.get(line=first.line, ended_at=None).cause == "PARTS"
    assert not LineHold.objects.filter(line=second.line, ended_at=None).exists()
    told = Message.objects.filter(template="workshop.part_given")
    assert first.line.order.advisor.number in set(told.values_list("recipient", flat=True))
    assert all(
        "客户在店等候" in body and second.line.order.number in body for body in told.values_list("body", flat=True)
    )
    assert "客户" not in str(History.objects.get(code="workshop.part.given_away").facts)
    assert not DispatchProposal.objects.exists()  # nothing was planned with it


def test_work_that_was_planned_with_the_part_is_planned_anew(shop, monkeypatch):
    first, second = two_lines(shop)
    asked = []
    monkeypatch.setattr(proposals, "ask_proposal", lambda **facts: asked.append(facts))
    assert proposals.plan_without_part(line_uid=first.line.uid, store_id=shop.store.pk) is None
    plan(first.line, shop)
    give(first, second, keeper(shop))
    outbox.drain()
    assert [facts["cause"] for facts in asked] == ["PARTS"]


def plan(line, shop):
    bay = add_resource(
        store=shop.store, kind=ResourceKind.BAY, code="7", name="7 号工位", capability="STANDARD_LIFT",
        by=machine("test", store_id=shop.store.pk),
    )  # fmt: skip
    starts = clock.now() + timedelta(hours=3)
    Dispatch.objects.create(
        store=shop.store, line=line, technician=line.order.advisor, bay=bay, starts_at=starts,
        ends_at=starts + timedelta(hours=1),
    )  # fmt: skip


def test_only_as_much_as_lacks_goes_over(shop):
    first, second = two_lines(shop, "3")  # one is kept for the second already
    give(first, second, keeper(shop))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.reserved_quantity, second.reserved_quantity) == (D(1), D(2))
    with pytest.raises(RuleError) as refusal:
        give(first, second, keeper(shop))
    assert refusal.value.code == "reservation.enough"


def test_refused_moves_change_nothing(shop):
    first, second = two_lines(shop)
    by, before = keeper(shop), History.objects.count()
    for rows, reason, code in (
        ((first, second), " ", "reservation.reason"),
        ((first, first), "x", "reservation.part"),
        ((second, first), "x", "reservation.enough"),
        ((first, part_line(shop, agreed=False)), "x", "part.not_agreed"),
        ((second, part_line(shop)), "x", "reservation.gone"),
    ):
        before = History.objects.count()
        with pytest.raises(RuleError) as refusal:
            give(*rows, by, reason)
        assert (refusal.value.code, History.objects.count()) == (code, before)
    with pytest.raises(NotAllowed):
        give(first, second, shop.advisor)
    with pytest.raises(PartLine.DoesNotExist):
        give(first, second, keeper(make_shop()))
    assert not ReservationMove.objects.exists()


def test_a_withdrawn_line_keeps_what_was_given_away_and_what_came_back(shop):
    first, second = two_lines(shop)
    give(first, second, keeper(shop))
    orders.withdraw_line(line_uid=first.line.uid, reason="客户不做了", by=shop.advisor)
    stock.issue_part(part_line_uid=second.uid, by=keeper(shop))
    take_back(shop, second, "FITTED", quantity=TWO)
    orders.withdraw_line(line_uid=second.line.uid, reason="客户不做了", by=shop.advisor)
    assert [(row.issued_quantity, row.amount) for row in (first, second) if row.refresh_from_db() is None] == [
        (0, 0)
    ] * 2


def test_the_database_gives_only_what_is_kept_to_the_same_part_with_a_reason(shop, refused):
    first, second = two_lines(shop)
    insert = (
        "INSERT INTO workshop_reservationmove (uid, version, created_at, updated_at, store_id, source_id, target_id,"
        " quantity, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, now())"
    )
    with refused("reservationmove_reason") as sql:
        sql(insert, [shop.store.pk, first.pk, second.pk, 1, ""])
    with refused("reservationmove_quantity") as sql:
        sql(insert, [shop.store.pk, first.pk, second.pk, 0, "x"])
    with refused("partline_quantities") as sql:
        sql(insert, [shop.store.pk, first.pk, second.pk, 3, "x"])
    with refused("reservationmove_same_part") as sql:
        sql(insert, [shop.store.pk, first.pk, first.pk, 1, "x"])
    elsewhere = make_shop()
    with refused("reservationmove_same_part") as sql:
        sql(insert, [shop.store.pk, first.pk, part_line(elsewhere).pk, 1, "x"])
    first.refresh_from_db()
    assert (first.reserved_quantity, ReservationMove.objects.count()) == (D(2), 0)


STEPS = st.lists(st.tuples(st.sampled_from(["issue", "give", *CONDITIONS]), st.integers(0, 2)), min_size=1, max_size=9)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(STEPS)
def test_nothing_is_lost_between_shelf_lines_and_old_parts(shop, steps):
    rows, by = [part_line(shop) for _ in range(3)], keeper(shop)
    part = rows[0].part
    receive(shop, part, 4)
    before = shelf(shop, part).on_hand + sum_of(PartLine.objects.filter(part=part), "issued_quantity") + old(part)
    for row in rows:
        stock.reserve_part(part_line_uid=row.uid, by=by)
    for what, which in steps:
        try:
            if what == "issue":
                stock.issue_part(part_line_uid=rows[which].uid, quantity=D(1), by=by)
            elif what == "give":
                give(rows[which], rows[which - 1], by)
            else:
                take_back(shop, rows[which], what)
        except RuleError:
            continue
    item = shelf(shop, part)
    lines = PartLine.objects.filter(part=part, line__order__store=shop.store)
    assert item.on_hand + sum_of(lines, "issued_quantity") + old(part) == before
    assert item.reserved == sum_of(lines, "reserved_quantity")
    assert item.on_hand == item.movements.aggregate(s=Sum("quantity"))["s"] >= item.reserved


def sum_of(rows, field):
    return rows.aggregate(s=Sum(field))["s"] or D(0)


def old(part):
    return sum_of(PartReturn.objects.filter(part_line__part=part).exclude(condition="UNOPENED"), "quantity")


@pytest.mark.django_db(transaction=True)
def test_sixteen_people_issue_return_and_give_over_one_bin():
    """Eight lines, one bin: each is picked and taken back at once, while others give their part away; nothing is lost."""
    shop = make_shop()
    rows = [part_line(shop, quantity=D(1)) for _ in range(8)]
    part, by = rows[0].part, keeper(shop)
    stock.receive_stock(part_uid=part.uid, quantity=D(5), unit_cost=D(5), bin="A-01", by=by)
    for row in rows:
        stock.reserve_part(part_line_uid=row.uid, by=by)
    barrier, outcomes = threading.Barrier(16), []

    def work(number):
        row, other = rows[number % 8], rows[(number + 5) % 8]
        try:
            barrier.wait()
            if number < 8:
                stock.issue_part(part_line_uid=row.uid, by=by)
                outcomes.append("issued")
                stock.return_part(
                    part_line_uid=row.uid, quantity=D(1), reason="x", condition=CONDITIONS[number % 3], by=by
                )
                outcomes.append(CONDITIONS[number % 3])
            else:
                give(row, other, by)
                outcomes.append("given")
        except RuleError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 16 + outcomes.count("issued"), outcomes
    assert outcomes.count("issued") == sum(outcomes.count(condition) for condition in CONDITIONS)
    item = StockItem.objects.get(store=shop.store, part=part)
    assert item.on_hand + old(part) == 5
    assert item.on_hand == item.bins.get().on_hand == item.movements.aggregate(s=Sum("quantity"))["s"]
    assert item.reserved == sum_of(PartLine.objects.filter(part=part), "reserved_quantity") <= item.on_hand


# --- pages and API ---
def test_the_pages_take_back_and_give_over(shop):
    client = Client()
    client.force_login(keeper(shop).user)
    row = issued(shop)
    address = f"/part-lines/{row.uid}/return/"
    refused = client.post(address, {"quantity": "1", "reason": "异响未消除"})
    assert (refused.status_code, "异响未消除" in refused.content.decode()) == (422, True)
    done = client.post(address, {"quantity": "1", "reason": "异响未消除", "condition": "FITTED"})
    assert (done.status_code, PartReturn.objects.count()) == (302, 1)
    assert "异响未消除" in client.get("/parts/?show=OLD").content.decode()
    first, second = two_lines(shop)
    give_page = f"/part-lines/{second.uid}/give/"
    assert f"{give_page}" in client.get("/parts/?show=SHORT").content.decode()
    assert str(first.uid) in client.get(give_page).content.decode()
    assert client.post(give_page, {"source": str(first.uid), "reason": ""}).status_code == 422
    assert client.post(give_page, {"source": str(first.uid), "reason": "客户等候"}).status_code == 302
    assert ReservationMove.objects.get().target == second


def test_the_api_says_the_condition_and_gives_over(shop):
    api = ApiCaller("workshop:write", store=shop.store)
    row = issued(shop)
    body = {"quantity": "1.00", "reason": "领错", "condition": "OPENED"}
    assert api.act(f"part-lines/{row.uid}", "return", body).json()["issued_quantity"] == "1.00"
    assert [r["condition"] for r in api.get("part-returns?condition=OPENED").json()["data"]] == ["OPENED"]
    first, second = two_lines(shop)
    body = {"source_part_line_uid": str(first.uid), "target_part_line_uid": str(second.uid), "reason": "客户等候"}
    assert api.post("reservation-moves", body).json()["quantity"] == "2.00"
    problem(api.post("reservation-moves", body), 409, "reservation.enough")
