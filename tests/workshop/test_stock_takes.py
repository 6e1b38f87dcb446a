"""3.2: parts are counted blind, again by somebody else where it differs by much, and booked by who counted nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dealership.catalogue.models import Part
from dealership.catalogue.services.parts import set_tracing
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller
from tests.factories.floor import actor, make_floor
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of
from tests.workshop.test_stock import part_line
from workshop.models import StockBin, StockItem, StockMovement, StockTake, StockTakeLine, Warehouse
from workshop.rules import value_classes
from workshop.selectors.stock_takes import last_counted, lines_of, standing
from workshop.services import stock, taking_stock

D = Decimal


class Store:
    """Three parts in three bins, two people who count, a manager who doesn't."""

    def __init__(self) -> None:
        self.floor = make_floor()
        self.shop = self.floor.shop
        self.people = [self.floor.hire(post) for post in ("parts", "foreman", "manager")]
        self.keeper, self.second, self.manager = map(actor, self.people)
        self.parts = list(Part.objects.order_by("pk")[:3])
        for part, bin, cost in zip(self.parts, ("A-01", "A-02", "B-01"), ("10", "300", "400"), strict=True):
            self.receive(part, 5, bin=bin, unit_cost=D(cost))
        self.main = Warehouse.objects.get(store=self.shop.store)

    def receive(self, part, quantity, **facts):
        facts = {"unit_cost": D(10)} | facts
        return stock.receive_stock(part_uid=part.uid, quantity=D(quantity), by=self.keeper, **facts)

    def take(self, **facts) -> StockTake:
        return taking_stock.start_take(warehouse_uid=self.main.uid, by=self.keeper, **facts)

    def count(self, take, index, counted, by=None, **facts):
        part = self.parts[index].number
        return taking_stock.count_line(uid=take.uid, part=part, counted=D(counted), by=by or self.keeper, **facts)

    def on_hand(self, index) -> Decimal:
        return StockItem.objects.get(store=self.shop.store, part=self.parts[index]).on_hand


@pytest.fixture
def store(db):
    return Store()


def test_counted_blind_again_by_another_and_booked_by_who_counted_nothing(store):
    take = store.take()
    assert (take.recount_from, take.approve_from, take.lines.count()) == (D(200), D(1000), 3)
    with rule("take.open"):
        store.take()
    line = store.count(take, 0, 4)
    assert (line.first_book, line.difference, line.value, line.first_by) == (D(5), D(-1), D(-10), store.people[0])
    with rule("take.other_person"):
        store.count(take, 0, 5)
    store.count(take, 1, 5)
    store.count(take, 2, 2, bin="b-01")  # 3 × 400 are missing
    sheet = standing(take, lines_of(take))
    assert [row.place.bin for row in sheet.recounts] == ["B-01"]
    with rule("take.recount"):
        taking_stock.close_take(uid=take.uid, note="短少", by=store.manager)
    with rule("take.other_person"):
        store.count(take, 2, 5)
    again = store.count(take, 2, 2, by=store.second)
    assert (again.second_book, again.value, again.second_by) == (D(5), D(-1200), store.people[1])
    with rule("take.counted"):
        store.count(take, 2, 5, by=store.manager)
    with rule("take.approve"):
        taking_stock.close_take(uid=take.uid, note="短少", by=store.second)
    with rule("take.note"):
        taking_stock.close_take(uid=take.uid, note=" ", by=store.manager)
    closed = taking_stock.close_take(uid=take.uid, note="货架后未找到", by=store.manager)
    assert (closed.state, closed.ended_by) == ("CLOSED", store.people[2])
    moved = (
        StockMovement.objects.filter(kind="COUNT").order_by("pk").values_list("quantity", "reason", "take_line__take")
    )
    assert list(moved) == [(D(-1), "货架后未找到", take.pk), (D(-3), "货架后未找到", take.pk)]
    assert set(StockMovement.objects.filter(kind="COUNT").values_list("moved_by", flat=True)) == {store.people[2].pk}
    assert [store.on_hand(index) for index in range(3)] == [D(4), D(5), D(2)]
    codes = [
        code.rsplit(".", 1)[1]
        for code in History.objects.filter(root_uid=take.uid).order_by("id").values_list("code", flat=True)
    ]
    assert codes == ["started", "counted", "counted", "counted", "counted", "closed"]
    counted = last_counted(list(StockBin.objects.all()))
    assert counted[again.place_id] == again.second_at
    for command, facts in (
        (taking_stock.count_line, {"part": store.parts[0].number, "counted": D(1)}),
        (taking_stock.close_take, {}), (taking_stock.cancel_take, {"note": "x"}),
    ):  # fmt: skip
        with rule("take.ended"):
            command(uid=take.uid, by=store.manager, **facts)


def test_who_counted_doesnt_approve_and_small_differences_are_closed_by_who_counted(store):
    with rule("take.range"):
        store.take(bin_from="B", bin_to="A-01")
    take = store.take(bin_from="B")
    assert [line.place.bin for line in lines_of(take)] == ["B-01"]
    store.count(take, 0, 1, bin="B-01")  # found where the books know none
    store.count(take, 2, 2)
    with rule("take.unknown"):
        taking_stock.count_line(uid=take.uid, part="NO-SUCH", counted=D(1), by=store.keeper)
    with rule("take.not_listed"):
        store.count(take, 1, 1)
    with rule("stock.quantity"):
        store.count(take, 2, "-1")
    with rule("stock.whole"):
        store.count(take, 2, "1.5")
    with rule("stock.whole"):
        stock.count_stock(part_uid=store.parts[2].uid, counted=D("1.5"), reason="盘点", by=store.keeper)
    store.count(take, 2, 2, by=store.manager)
    with rule("take.second_person"):
        taking_stock.close_take(uid=take.uid, note="短少", by=store.manager)
    taking_stock.cancel_take(uid=take.uid, note="重来", by=store.keeper)
    assert store.on_hand(2) == D(5)
    small = store.take(bin_from="A-01", bin_to="A-01")
    store.count(small, 0, 6)
    assert taking_stock.close_take(uid=small.uid, note="多一件", by=store.keeper).state == "CLOSED"
    assert store.on_hand(0) == D(6)
    with pytest.raises(NotAllowed):
        taking_stock.start_take(warehouse_uid=store.main.uid, by=store.shop.advisor)
    with pytest.raises(StockTake.DoesNotExist):
        taking_stock.cancel_take(uid=small.uid, note="x", by=Store().keeper)


def test_what_is_issued_meanwhile_stays_right_and_nothing_is_counted_apart(store):
    wanted = part_line(store.shop)  # two of the first part
    take = store.take(bin_to="A-01")
    store.count(take, 0, 4)  # one is missing
    stock.issue_part(part_line_uid=wanted.uid, by=store.keeper)
    with rule("take.being_counted"):
        stock.count_stock(part_uid=store.parts[0].uid, counted=D(1), reason="盘点", by=store.keeper)
    taking_stock.close_take(uid=take.uid, note="短少", by=store.keeper)
    assert store.on_hand(0) == D(2)


def test_it_never_takes_what_is_kept_and_never_falls_below_nothing(store):
    wanted = part_line(store.shop, quantity=D(4))
    stock.reserve_part(part_line_uid=wanted.uid, by=store.keeper)
    take = store.take(bin_to="A-01")
    store.count(take, 0, 2)
    with rule("take.kept"):
        taking_stock.close_take(uid=take.uid, note="短少", by=store.keeper)
    stock.issue_part(
        part_line_uid=wanted.uid, by=store.keeper
    )  # one is left by the books, three are said to be missing
    with rule("take.short"):
        taking_stock.close_take(uid=take.uid, note="短少", by=store.keeper)
    store.count(take, 0, 1, by=store.second)  # so it is counted again
    taking_stock.close_take(uid=take.uid, note="已找到", by=store.keeper)
    assert store.on_hand(0) == D(1)


def test_a_traced_part_names_what_is_missing(store):
    part = store.parts[0]
    stock.count_stock(part_uid=part.uid, counted=D(0), reason="改为追溯", by=store.keeper)
    set_tracing(part_uid=part.uid, tracing="SERIAL", by=store.keeper)
    store.receive(part, 2, lots=["S1", "S2"], bin="A-01")
    take = store.take(bin_to="A-01")
    store.count(take, 0, 2)
    with rule("take.no_difference"):
        taking_stock.name_difference(uid=take.uid, part=part.number, codes=["S1"], by=store.keeper)
    taking_stock.cancel_take(uid=take.uid, note="重来", by=store.keeper)
    take = store.take(bin_to="A-01")
    store.count(take, 0, 1)
    with rule("take.numbers"):
        taking_stock.close_take(uid=take.uid, note="短少", by=store.keeper)
    taking_stock.name_difference(uid=take.uid, part=part.number, codes=["s2"], by=store.keeper)
    taking_stock.close_take(uid=take.uid, note="短少", by=store.keeper)
    item = StockItem.objects.get(store=store.shop.store, part=part)
    assert {lot.code: lot.on_hand for lot in item.lots.all()} == {"S1": D(1), "S2": D(0)}


def test_nobody_books_alone_what_is_worth_much(store):
    part = store.parts[2]
    with rule("stock.count_value"):
        stock.count_stock(part_uid=part.uid, counted=D(2), reason="短少", by=store.keeper)
    stock.count_stock(part_uid=part.uid, counted=D(3), reason="短少", by=store.keeper)
    with rule("stock.count_value"):  # neither piece by piece
        stock.count_stock(part_uid=part.uid, counted=D(2), reason="短少", by=store.keeper)
    assert store.on_hand(2) == D(3)


def test_the_database_holds_the_count(store, refused):
    take = store.take()
    store.count(take, 0, 4)
    store.count(take, 1, 5)
    line = store.count(take, 2, 2)
    one, two, boss = (person.pk for person in store.people)
    end = f"state = 'CLOSED', ended_at = now(), note = 'x', ended_by_id = {boss}"
    move = (
        "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, take_line_id,"
        " kind, quantity, unit_cost, reason, at) SELECT gen_random_uuid(), 1, now(), now(), i.store_id, i.id, b.id, {line},"
        " 'COUNT', {quantity}, 0, 'x', now() FROM workshop_stockbin b JOIN workshop_stockitem i ON i.id = b.item_id"
        " WHERE b.id = {place}"
    )
    first = lines_of(take)[0]
    booked = [
        move.format(line=row.pk, place=row.place_id, quantity=quantity) for row, quantity in ((first, -1), (line, -3))
    ]
    apart = move.format(line="NULL", place=line.place_id, quantity=-1)
    with refused("stocktake_counted") as sql:  # the second count is missing
        for statement in (*booked, f"UPDATE workshop_stocktake SET {end}"):
            sql(statement)
    with refused("stocktakeline_second_person") as sql:
        sql(
            f"UPDATE workshop_stocktakeline SET second_counted = 5, second_at = now(), second_by_id = {one} WHERE id = {line.pk}"
        )
    with refused("stocktakeline_first_stays") as sql:
        sql("UPDATE workshop_stocktakeline SET first_counted = 5")
    with refused("stocktakeline_never_deleted") as sql:
        sql("DELETE FROM workshop_stocktakeline")
    with refused("stocktake_fixed") as sql:
        sql("UPDATE workshop_stocktake SET approve_from = 99999")
    with refused("stocktake_one_open") as sql:
        sql(
            "INSERT INTO workshop_stocktake (uid, version, created_at, updated_at, store_id, warehouse_id, bin_from, bin_to,"
            " value_class, recount_from, approve_from, state, started_at, started_by_id, note) SELECT gen_random_uuid(), 1,"
            " now(), now(), store_id, warehouse_id, '', '', '', 0, 0, 'COUNTING', now(), started_by_id, ''"
            " FROM workshop_stocktake"
        )
    store.count(take, 2, 2, by=store.second)
    # what the books say can't be told otherwise
    StockTakeLine.objects.filter(pk=line.pk).update(second_book=D(2), difference=D(0), value=D(0), unit_cost=D(0))
    line.refresh_from_db()
    assert (line.second_book, line.difference, line.value) == (D(5), D(-3), D(-1200))
    with refused("stocktake_second_person") as sql:
        for statement in booked:
            sql(statement)
        sql(f"UPDATE workshop_stocktake SET {end.replace(f'= {boss}', f'= {two}')}")
    with refused("stocktake_booked") as sql:
        sql(f"UPDATE workshop_stocktake SET {end}")
    with refused("stockmovement_of_its_take") as sql:  # apart from the stock-take that counts this bin
        sql(apart)
    with refused("stockmovement_take_closed") as sql:  # booked, and the stock-take stays open
        sql(booked[1])
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    taking_stock.close_take(uid=take.uid, note="短少", by=store.manager)
    for name, statement in (
        (
            "stocktakeline_while_counting",
            "UPDATE workshop_stocktakeline SET second_counted = 5 WHERE second_at IS NOT NULL",
        ),
        ("stocktake_ended_stays", "UPDATE workshop_stocktake SET note = 'y'"),
        ("stocktake_moves", "UPDATE workshop_stocktake SET state = 'COUNTING'"),
        ("stocktake_never_deleted", "DELETE FROM workshop_stocktake"),
        ("stockmovement_of_its_take", booked[1]),
        ("stockmovement_append_only", f"UPDATE workshop_stockmovement SET moved_by_id = {one}"),
    ):
        with refused(name) as sql:
            sql(statement)


def test_a_class_by_value_is_counted(store):
    take = store.take(value_class="A")
    assert {line.place.bin for line in lines_of(take)} == {"A-02", "B-01"}
    taking_stock.cancel_take(uid=take.uid, note="x", by=store.keeper)
    with rule("take.nothing"):
        store.take(bin_from="Z")
    with rule("take.class"):
        store.take(value_class="X")


@given(st.dictionaries(st.integers(1, 99), st.decimals(0, 10_000, places=2), max_size=30))
def test_classes_by_value_cover_everything_and_the_dearest_is_the_first(values):
    found = value_classes(values)
    assert found.keys() == values.keys()
    ordered = [found[key] for key, _value in sorted(values.items(), key=lambda row: (-row[1], row[0]))]
    assert ordered == sorted(ordered)
    if max(values.values(), default=D(0)) > 0:
        assert ordered[0] == "A"


def test_pages_from_the_list_to_the_closed_count(store):
    client, other, boss = map(client_of, store.people)
    assert client.get(reverse("stock-takes")).status_code == 200
    assert client.post(reverse("stock-takes"), {"warehouse_uid": store.main.uid, "bin_from": "Z"}).status_code == 422
    begun = client.post(reverse("stock-takes"), {"warehouse_uid": store.main.uid})
    take = StockTake.objects.get()
    page = reverse("stock-take", args=[take.uid])
    assert begun.headers["Location"] == page
    seen = client.get(page + "?bin=A-01").content.decode()
    assert store.parts[0].number in seen
    assert "By the books" not in seen
    label = f"https://shop.example/stock/scan/?code={store.parts[0].number}"
    assert client.post(page, {"part": label, "bin": "A-01", "counted": "5"}).headers["Location"].endswith("?bin=A-01")
    assert client.post(page, {"part": store.parts[0].number, "counted": "5"}).status_code == 422
    client.post(page, {"part": store.parts[1].number, "counted": "5"})
    client.post(page, {"part": store.parts[2].number, "counted": "1"})
    assert "Somebody else counts these again" in client.get(page).content.decode()
    again = other.get(page).content.decode()
    assert "second count, the first was by" in again
    assert "waits for its second count" in again, "what the first count said isn't shown to who counts again"
    listed = client.get(reverse("stock-take-list", args=[take.uid])).content.decode()
    assert "A-02" in listed
    close = reverse("stock-take-close", args=[take.uid])
    assert "By the books" not in client.get(close).content.decode()
    other.post(page, {"part": store.parts[2].number, "counted": "1"})
    assert "By the books" in client.get(close).content.decode()
    assert client.post(close, {"note": "短少"}).status_code == 422
    assert boss.post(close, {"note": "短少"}).headers["Location"] == page
    assert "By the books" in client.get(page).content.decode()
    item = StockItem.objects.get(store=store.shop.store, part=store.parts[2])
    shown = client.get(reverse("stock-item", args=[item.uid])).content.decode()
    assert store.people[2].name in shown  # who moved it
    assert page not in client.get(reverse("stock-takes")).content.decode() or take.uid
    assert boss.get(reverse("stock-take-cancel", args=[take.uid])).status_code == 200


def test_another_system_counts_without_the_books(store):
    caller = ApiCaller("workshop:write", store=store.shop.store)
    assert caller.post("stock-takes", {"warehouse_uid": str(store.main.uid)}).status_code in (403, 409)
    take = store.take(bin_to="A-01")
    store.count(take, 0, 4)
    shown = ApiCaller("workshop:read", store=store.shop.store).get(f"stock-takes/{take.uid}").json()
    [line] = shown["lines"]
    assert (line["first_counted"], line["first_book"], line["difference"]) == ("4.00", None, None)
    taking_stock.close_take(uid=take.uid, note="短少", by=store.keeper)
    [line] = ApiCaller("workshop:read", store=store.shop.store).get(f"stock-takes/{take.uid}").json()["lines"]
    assert (line["first_book"], line["difference"], line["value"]) == ("5.00", "-1.00", "-10.00")
    moved = ApiCaller("workshop:read", store=store.shop.store).get("stock-movements?kind=COUNT").json()["data"]
    assert [(row["stock_take_uid"], row["moved_by_uid"]) for row in moved] == [
        (str(take.uid), str(store.people[0].uid))
    ]
