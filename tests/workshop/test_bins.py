"""3.2: warehouses and bins; a part may lie in several, its bins add up to what is on hand, and nothing is lost on the way."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.catalogue.models import Part
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_stock import keeper, part_line
from workshop.models import StockBin, StockItem, StockMovement, Warehouse
from workshop.services import stock

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


def receive(shop, part, quantity, **where):
    return stock.receive_stock(part_uid=part.uid, quantity=D(quantity), unit_cost=D(9), by=keeper(shop), **where)


def tyre_store(shop) -> Warehouse:
    return stock.open_warehouse(code="tyre", name="轮胎库", by=keeper(shop))


def lies(item: StockItem) -> dict[tuple[str, str], Decimal]:
    rows = item.bins.filter(on_hand__gt=0).values_list("warehouse__code", "bin", "on_hand")
    return {(code, name): on_hand for code, name, on_hand in rows}


def shelf(shop, part) -> StockItem:
    return StockItem.objects.get(store=shop.store, part=part)


def test_a_part_lies_in_several_bins_and_is_moved_between_them(shop):
    part = Part.objects.filter(unit="升").first()
    receive(shop, part, 5, bin="A-01")
    receive(shop, part, 3, bin="B-02")
    receive(shop, part, "1.5")  # no bin named: the usual one
    there = tyre_store(shop)
    item = shelf(shop, part)
    source = item.bins.get(bin="B-02")
    moved = stock.transfer_stock(
        from_uid=source.uid, quantity=D("2.25"), to_warehouse_uid=there.uid, to_bin="T-9", by=keeper(shop)
    )
    assert (moved.on_hand, moved.bin) == (D("9.50"), "A-01")
    assert lies(item) == {("MAIN", "A-01"): D("6.50"), ("MAIN", "B-02"): D("0.75"), ("TYRE", "T-9"): D("2.25")}
    assert History.objects.filter(code="workshop.stock.transferred").count() == 1
    assert item.movements.filter(kind="TRANSFER").aggregate(s=Sum("quantity"))["s"] == 0


def test_what_is_kept_for_orders_can_be_moved_and_the_usual_bin_moves_with_all_of_it(shop):
    wanted = part_line(shop)
    receive(shop, wanted.part, 2, bin="A-01")
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    item = shelf(shop, wanted.part)
    moved = stock.transfer_stock(from_uid=item.bins.get().uid, quantity=D(2), to_bin="C-07", by=keeper(shop))
    assert (moved.on_hand, moved.reserved, moved.bin, lies(item)) == (D(2), D(2), "C-07", {("MAIN", "C-07"): D(2)})


def test_issues_take_the_usual_bin_first_and_returns_go_where_it_came_from(shop):
    wanted = part_line(shop, quantity=D(3))
    receive(shop, wanted.part, 2, bin="B-02")
    receive(shop, wanted.part, 4, bin="A-01")
    stock.issue_part(part_line_uid=wanted.uid, by=keeper(shop))
    item = shelf(shop, wanted.part)
    assert lies(item) == {("MAIN", "A-01"): D(3)}
    stock.return_part(part_line_uid=wanted.uid, quantity=D(1), reason="多领", by=keeper(shop))
    assert lies(item) == {("MAIN", "A-01"): D(4)}
    stock.issue_part(part_line_uid=wanted.uid, bin_uid=item.bins.get(bin="A-01").uid, by=keeper(shop))
    assert lies(item) == {("MAIN", "A-01"): D(3)}


def moved(item, by, quantity, to):
    return stock.transfer_stock(from_uid=item.bins.get(bin="A-01").uid, quantity=D(quantity), to_bin=to, by=by)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda item, by: moved(item, by, 6, "X"), "stock.bin_short"),
        (lambda item, by: moved(item, by, 1, "A-01"), "stock.same_bin"),
        (lambda item, by: moved(item, by, 0, "X"), "stock.quantity"),
        (
            lambda item, by: stock.count_stock(part_uid=item.part.uid, counted=D(1), reason="x", by=by),
            "stock.which_bin",
        ),
        (lambda item, by: stock.open_warehouse(code="main", name="主库", by=by), "warehouse.code"),
        (lambda item, by: stock.open_warehouse(code="X", name=" ", by=by), "warehouse.empty"),
    ],
)
def test_refusals_change_nothing_and_say_what_is_left(shop, call, code):
    part = Part.objects.first()
    receive(shop, part, 5, bin="A-01")
    receive(shop, part, 5, bin="B-02")
    item = shelf(shop, part)
    before = (lies(item), History.objects.count(), StockMovement.objects.count(), Warehouse.objects.count())
    with pytest.raises(RuleError) as refusal:
        call(item, keeper(shop))
    assert refusal.value.code == code
    assert code != "stock.bin_short" or "5 " in str(refusal.value)
    assert (lies(item), History.objects.count(), StockMovement.objects.count(), Warehouse.objects.count()) == before


def test_who_may_only_look_moves_nothing_and_another_stores_bin_is_not_there(shop):
    receive(shop, Part.objects.first(), 5, bin="A-01")
    row = StockBin.objects.get()
    with pytest.raises(NotAllowed):
        stock.transfer_stock(from_uid=row.uid, quantity=D(1), to_bin="X", by=make_actor("foreman", store=shop.store))
    stranger = keeper(make_shop())
    with pytest.raises(StockBin.DoesNotExist):
        stock.transfer_stock(from_uid=row.uid, quantity=D(1), to_bin="X", by=stranger)
    with pytest.raises(Warehouse.DoesNotExist):
        stock.receive_stock(
            part_uid=row.item.part.uid, quantity=D(1), unit_cost=D(1), warehouse_uid=row.warehouse.uid, by=stranger
        )


def move(sql, shop, item, place, quantity, *, kind="TRANSFER", transfer="'00000000-0000-4000-8000-000000000001'"):
    sql(
        "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, kind,"
        " quantity, unit_cost, reason, at, transfer)"
        f" VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, '{kind}', %s, 0, '', now(), {transfer})",
        [shop.store.pk, item.pk, place, quantity],
    )


def test_the_database_keeps_bins_and_what_is_on_hand_together(shop, refused):
    part, other = Part.objects.order_by("pk")[:2]
    receive(shop, part, 5, bin="A-01")
    receive(shop, part, 5, bin="B-02")
    receive(shop, other, 5, bin="A-01")
    item = shelf(shop, part)
    a, b = item.bins.order_by("bin").values_list("pk", flat=True)
    with refused("stockbin_by_movement_only") as sql:
        sql("UPDATE workshop_stockbin SET on_hand = 99")
    with refused("stockbin_fixed") as sql:
        sql("UPDATE workshop_stockbin SET bin = 'Z' WHERE id = %s", [a])
    with refused("stockmovement_in_its_bin") as sql:
        move(sql, shop, item, None, -1, kind="ISSUE", transfer="NULL")
    with refused("stockmovement_in_its_bin") as sql:
        move(sql, shop, item, shelf(shop, other).bins.get().pk, -1, kind="ISSUE", transfer="NULL")
    with refused("stockbin_not_negative") as sql:
        move(sql, shop, item, a, -6, kind="ISSUE", transfer="NULL")
    with refused("stockmovement_transfer") as sql:
        move(sql, shop, item, a, -1, transfer="NULL")
    with refused("stockmovement_transfer_whole") as sql:
        move(sql, shop, item, b, 2)
        move(sql, shop, item, a, -1)
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    with refused("stockbin_in_own_store") as sql:
        elsewhere = receive(make_shop(), part, 1).place
        sql(
            "INSERT INTO workshop_stockbin (uid, version, created_at, updated_at, item_id, warehouse_id, bin, on_hand)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, 'Q', 0)",
            [item.pk, elsewhere.warehouse_id],
        )
    assert lies(item) == {("MAIN", "A-01"): D(5), ("MAIN", "B-02"): D(5)}


STEPS = st.tuples(
    st.sampled_from(["receive", "transfer", "count"]), st.integers(0, 2), st.integers(0, 2), st.integers(1, 900)
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(STEPS, min_size=1, max_size=8))
def test_bins_always_add_up_to_what_is_on_hand(shop, steps):
    part = Part.objects.filter(unit="升").order_by("-pk").first()  # it comes in hundredths
    by, names = keeper(shop), ("A", "B", "C")
    for kind, where, to, hundredths in steps:
        quantity = D(hundredths) / 100
        place = StockBin.objects.filter(item__part=part, item__store=shop.store, bin=names[where]).first()
        if kind == "receive" or place is None:
            receive(shop, part, quantity, bin=names[where])
        elif kind == "count":
            stock.count_stock(part_uid=part.uid, counted=quantity, reason="盘点", bin_uid=place.uid, by=by)
        elif quantity <= place.on_hand and to != where:
            stock.transfer_stock(from_uid=place.uid, quantity=quantity, to_bin=names[to], by=by)
    item = shelf(shop, part)
    assert item.on_hand == sum(lies(item).values()) == item.movements.aggregate(s=Sum("quantity"))["s"]
    for place in item.bins.all():
        assert place.on_hand == (place.movements.aggregate(s=Sum("quantity"))["s"] or 0)


@pytest.mark.django_db(transaction=True)
def test_sixteen_pickers_and_movers_in_two_bins_lose_and_invent_nothing():
    shop = make_shop()
    lines = [part_line(shop, quantity=D(1)) for _ in range(8)]
    part, by = lines[0].part, keeper(shop)
    for name in ("A-01", "B-02"):
        stock.receive_stock(part_uid=part.uid, quantity=D(3), unit_cost=D(5), bin=name, by=by)
    item = StockItem.objects.get(store=shop.store, part=part)
    bins = list(item.bins.order_by("bin"))
    barrier, outcomes = threading.Barrier(16), []

    def work(call, facts):
        try:
            barrier.wait()
            call(by=by, **facts)
            outcomes.append("issued" if call is stock.issue_part else "moved")
        except RuleError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    calls = [(stock.issue_part, {"part_line_uid": line.uid}) for line in lines]
    for number in range(8):
        source, target = bins[number % 2], bins[1 - number % 2]
        calls.append((stock.transfer_stock, {"from_uid": source.uid, "quantity": D(1), "to_bin": target.bin}))
    threads = [threading.Thread(target=work, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 16, "a picker died of something that is no refusal"
    assert (outcomes.count("issued"), outcomes.count("stock.short")) == (6, 2)
    assert outcomes.count("moved") + outcomes.count("stock.bin_short") == 8
    item.refresh_from_db()
    assert item.on_hand == 0 == sum(lies(item).values()) == item.movements.aggregate(s=Sum("quantity"))["s"]


def test_pages_move_count_by_bin_and_open_warehouses(shop):
    client = Client()
    client.force_login(keeper(shop).user)
    part = Part.objects.first()
    receive(shop, part, 5, bin="A-01")
    item = shelf(shop, part)
    row = item.bins.get()
    address = f"/stock/{item.uid}/transfer/"
    facts = {"source": str(row.uid), "quantity": "9", "to_bin": "B-02"}
    refused = client.post(address, facts)
    assert (refused.status_code, "B-02" in refused.content.decode()) == (422, True)
    assert client.post("/stock/warehouses/", {"code": "tyre", "name": "轮胎库"}).status_code == 302
    there = Warehouse.objects.get(code="TYRE")
    assert client.post(address, facts | {"quantity": "2", "warehouse": str(there.uid)}).status_code == 302
    assert lies(item) == {("MAIN", "A-01"): D(3), ("TYRE", "B-02"): D(2)}
    assert "轮胎库 B-02" in client.get(f"/stock/{item.uid}/").content.decode()
    counted = {"bin": str(item.bins.get(bin="B-02").uid), "counted": "1", "reason": "盘亏"}
    assert client.post(f"/stock/{item.uid}/count/", counted).status_code == 302
    assert lies(item) == {("MAIN", "A-01"): D(3), ("TYRE", "B-02"): D(1)}
    assert part.number in client.get("/stock/?words=b-02").content.decode()


def test_the_api_moves_between_bins(shop):
    api = ApiCaller("workshop:write", store=shop.store)
    part = Part.objects.first()
    receive(shop, part, 5, bin="A-01")
    item = shelf(shop, part)
    body = {"bin_uid": str(item.bins.get().uid), "quantity": "2.00", "to_bin": "B-02"}
    moved = api.act(f"stock-items/{item.uid}", "transfer", body).json()
    assert [(row["bin"], row["on_hand"]) for row in moved["bins"]] == [("A-01", "3.00"), ("B-02", "2.00")]
    problem(api.act(f"stock-items/{item.uid}", "transfer", body | {"quantity": "4.00"}), 409, "stock.bin_short")
