"""3.2: parts ordered from suppliers, received in pieces, over and short with a reason; who waits for them knows the day."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.catalogue.models import Part
from dealership.kernel import clock, outbox
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_stock import keeper, part_line
from workshop.models import PurchaseLine, PurchaseOrder, StockItem, StockMovement
from workshop.rules import reorder_quantity
from workshop.selectors.purchasing import proposals
from workshop.services import purchasing, stock

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


def day(ahead=5):
    return clock.today() + timedelta(days=ahead)


def order(shop, *lines, expected_on=None, by=None) -> PurchaseOrder:
    wanted = [(part.uid, D(quantity), D(cost)) for part, quantity, cost in lines]
    return purchasing.order_parts(
        supplier="示例备件", expected_on=expected_on or day(), lines=wanted, by=by or keeper(shop)
    )


def receive(shop, purchase, *quantities, **more) -> PurchaseOrder:
    rows = list(purchase.lines.order_by("id"))
    lines = [(row.uid, D(quantity)) for row, quantity in zip(rows, quantities, strict=False) if quantity is not None]
    return purchasing.receive_purchase(uid=purchase.uid, lines=lines, by=keeper(shop), **more)


def shelf(shop, part) -> StockItem:
    return StockItem.objects.get(store=shop.store, part=part)


def test_an_order_comes_in_pieces_and_is_complete_when_all_is_there(shop):
    first, second = Part.objects.order_by("pk")[:2]
    purchase = order(shop, (first, 4, "10"), (second, "1.5", "8"))
    assert (purchase.state, purchase.number.split("-")[0]) == ("ORDERED", "PO")
    purchase = receive(shop, purchase, 3, None, note="SH-1")
    assert (purchase.state, shelf(shop, first).on_hand) == ("PARTLY", D(3))
    purchase = receive(shop, purchase, 1, "1.5")
    assert (purchase.state, purchase.ended_at is not None) == ("RECEIVED", True)
    assert list(purchase.lines.order_by("id").values_list("received", flat=True)) == [D(4), D("1.50")]
    assert (shelf(shop, second).on_hand, shelf(shop, second).average_cost) == (D("1.50"), D("8.0000"))
    told = History.objects.filter(root_uid=purchase.uid).order_by("id").values_list("code", flat=True)
    assert list(told) == ["workshop.purchase.ordered"] + ["workshop.purchase.received"] * 2


def test_more_than_ordered_needs_a_reason_and_less_is_given_up_with_one(shop):
    part = Part.objects.first()
    purchase = order(shop, (part, 4, "10"))
    with pytest.raises(RuleError) as refusal:
        receive(shop, purchase, 5)
    assert (refusal.value.code, StockMovement.objects.count()) == ("purchase.over", 0)
    purchase = receive(shop, purchase, 5, reason="供应商多发，留用")
    assert (purchase.state, purchase.lines.get().over_reason) == ("RECEIVED", "供应商多发，留用")
    short = receive(shop, order(shop, (part, 4, "10")), 1)
    with pytest.raises(RuleError) as refusal:
        purchasing.end_purchase(uid=short.uid, reason=" ", by=keeper(shop))
    assert refusal.value.code == "purchase.reason"
    assert purchasing.end_purchase(uid=short.uid, reason="停产", by=keeper(shop)).state == "CLOSED"
    nothing = order(shop, (part, 4, "10"))
    assert purchasing.end_purchase(uid=nothing.uid, reason="重复下单", by=keeper(shop)).state == "CANCELLED"
    with pytest.raises(RuleError) as refusal:
        receive(shop, nothing, 1)
    assert refusal.value.code == "purchase.ended"


def test_who_waits_learns_the_day_and_is_served_when_it_comes(shop):
    wanted = part_line(shop)
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    outbox.drain()
    purchase = order(shop, (wanted.part, 2, "10"), expected_on=day(9))
    outbox.drain()
    wanted.refresh_from_db()
    assert wanted.expected_on == day(9)
    later = part_line(shop)  # two more than this delivery brings
    stock.reserve_part(part_line_uid=later.uid, by=keeper(shop))
    later.refresh_from_db()
    assert later.expected_on != day(9)
    purchasing.change_expected(uid=purchase.uid, expected_on=day(12), by=keeper(shop))
    outbox.drain()
    wanted.refresh_from_db()
    assert wanted.expected_on == day(12)
    assert History.objects.filter(code="workshop.part.expected", root_uid=wanted.uid).count() == 2
    receive(shop, purchase, 2)
    outbox.drain()
    wanted.refresh_from_db()
    assert (wanted.reserved_quantity, wanted.expected_on) == (D(2), None)


def test_what_is_missing_for_work_is_proposed_and_on_its_way_no_more(shop):
    wanted = part_line(shop, quantity=D(3))
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    [row] = proposals(keeper(shop))
    assert (row.part, row.missing, row.quantity) == (wanted.part, D(3), D(3))
    order(shop, (row.part, row.quantity, "10"))
    assert proposals(keeper(shop)) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"supplier": " "}, "purchase.supplier"),
        ({"lines": []}, "purchase.empty"),
        ({"expected_on": -1}, "purchase.past"),
        ({"quantity": 0}, "stock.quantity"),
        ({"cost": -1}, "stock.cost"),
        ({"twice": True}, "purchase.twice"),
    ],
)
def test_refused_orders_change_nothing(shop, change, code):
    line = (Part.objects.first().uid, D(change.get("quantity", 1)), D(change.get("cost", 1)))
    facts = {
        "supplier": change.get("supplier", "示例备件"),
        "expected_on": day(change.get("expected_on", 1)),
        "lines": change.get("lines", [line] * (2 if change.get("twice") else 1)),
    }
    with pytest.raises(RuleError) as refusal:
        purchasing.order_parts(**facts, by=keeper(shop))
    assert refusal.value.code == code
    assert (PurchaseOrder.objects.count(), History.objects.filter(code__contains="purchase").count()) == (0, 0)


def test_who_may_not_buy_is_refused_and_another_stores_order_is_not_there(shop):
    purchase = order(shop, (Part.objects.first(), 1, 1))
    with pytest.raises(NotAllowed):
        order(shop, (Part.objects.first(), 1, 1), by=make_actor("foreman", store=shop.store))
    with pytest.raises(PurchaseOrder.DoesNotExist):
        purchasing.end_purchase(uid=purchase.uid, reason="x", by=keeper(make_shop()))


def test_the_database_keeps_an_order_and_its_receipts_together(shop, refused):
    part, other = Part.objects.order_by("pk")[:2]
    purchase = receive(shop, order(shop, (part, 4, "10")), 1)
    line = purchase.lines.get()
    stock.receive_stock(part_uid=other.uid, quantity=D(1), unit_cost=D(1), by=keeper(shop))
    with refused("purchaseline_by_receipt_only") as sql:
        sql("UPDATE workshop_purchaseline SET received = 4")
    with refused("purchaseline_fixed") as sql:
        sql("UPDATE workshop_purchaseline SET quantity = 1")
    with refused("purchaseorder_moves") as sql:
        sql("UPDATE workshop_purchaseorder SET state = 'ORDERED'")
    with refused("purchaseorder_ended") as sql:
        sql("UPDATE workshop_purchaseorder SET state = 'CLOSED', ended_at = now()")
    insert = (
        "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, kind,"
        " quantity, unit_cost, reason, at, purchase_line_id)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'RECEIPT', %s, 0, '', now(), %s)"
    )
    here, there = shelf(shop, part), shelf(shop, other)
    with refused("purchaseline_over_has_reason") as sql:
        sql(insert, [shop.store.pk, here.pk, here.bins.get().pk, 9, line.pk])
    with refused("stockmovement_of_its_purchase") as sql:
        sql(insert, [shop.store.pk, there.pk, there.bins.get().pk, 1, line.pk])
    purchasing.end_purchase(uid=purchase.uid, reason="停产", by=keeper(shop))
    with refused("stockmovement_of_its_purchase") as sql:
        sql(insert, [shop.store.pk, here.pk, here.bins.get().pk, 1, line.pk])
    assert PurchaseLine.objects.get(pk=line.pk).received == D(1)


COST = st.decimals(D("0.01"), D("9999"), places=2)
MANY = st.decimals(D("0.01"), D("500"), places=2)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.tuples(MANY, COST), min_size=1, max_size=6))
def test_the_mean_cost_is_exact_to_four_places(shop, receipts):
    part, by = Part.objects.order_by("-pk").first(), keeper(shop)
    before = StockItem.objects.filter(store=shop.store, part=part).first()
    on_hand, mean = (before.on_hand, before.average_cost) if before else (D(0), D(0))
    for quantity, cost in receipts:
        stock.receive_stock(part_uid=part.uid, quantity=quantity, unit_cost=cost, by=by)
        mean = (on_hand * mean + quantity * cost) / (on_hand + quantity)
        mean, on_hand = mean.quantize(D("0.0001"), ROUND_HALF_UP), on_hand + quantity
    item = shelf(shop, part)
    assert (item.on_hand, item.average_cost) == (on_hand, mean)


WHOLE = st.decimals(D(0), D(200), places=2)


@given(WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, st.integers(1, 180), st.integers(0, 30), st.integers(0, 60))
def test_an_order_lifts_the_stock_to_its_target_and_not_a_unit_beyond(
    free, on_the_way, missing, level, used, days, lead, cover
):
    quantity = reorder_quantity(
        free=free, on_the_way=on_the_way, missing=missing, level=level, used=used, days=days, lead=lead, cover=cover
    )
    there, lowest = free + on_the_way - missing, max(level, used / days * lead)
    target = max(level, used / days * (lead + cover))
    assert (quantity == 0) == (there >= lowest)
    assert quantity == 0 or target <= there + quantity < target + 1


def test_pages_propose_order_receive_and_give_up(shop):
    client = Client()
    client.force_login(keeper(shop).user)
    wanted = part_line(shop, quantity=D(3))
    stock.reserve_part(part_line_uid=wanted.uid, by=keeper(shop))
    page = client.get("/stock/purchases/propose/").content.decode()
    assert wanted.part.number in page
    cells = {f"quantity_{wanted.part.uid}": "3", f"cost_{wanted.part.uid}": "9.50"}
    refused = client.post("/stock/purchases/propose/", cells | {"supplier": "", "expected_on": day().isoformat()})
    assert (refused.status_code, "9.50" in refused.content.decode()) == (422, True)
    extra = Part.objects.exclude(pk=wanted.part_id).first()
    facts = {"supplier": "示例备件", "expected_on": day().isoformat(), "number": extra.number.lower(), "more": "2"}
    facts["new_supplier"] = "on"
    assert client.post("/stock/purchases/propose/", cells | facts).status_code == 422  # what does one cost?
    answer = client.post("/stock/purchases/propose/", cells | facts | {"cost": "7.00"})
    purchase = PurchaseOrder.objects.get()
    address = f"/stock/purchases/{purchase.uid}/"
    assert (answer.status_code, answer.url, purchase.lines.count()) == (302, address, 2)
    assert purchase.number in client.get("/stock/purchases/").content.decode()
    line = purchase.lines.get(part=wanted.part)
    over = client.post(address, {f"came_{line.uid}": "4"})
    assert (over.status_code, 'value="4"' in over.content.decode()) == (422, True)
    assert client.post(address, {f"came_{line.uid}": "3", f"bin_{line.uid}": "A-01", "note": "SH-1"}).status_code == 302
    assert client.post(f"{address}day/", {"expected_on": day(8).isoformat()}).status_code == 302
    assert client.post(f"{address}end/", {"reason": ""}).status_code == 422
    assert client.post(f"{address}end/", {"reason": "停产"}).status_code == 302
    purchase.refresh_from_db()
    assert (purchase.state, purchase.expected_on) == ("CLOSED", day(8))
    assert "停产" in client.get(address).content.decode()
    assert purchase.number in client.get("/stock/purchases/?show=ENDED").content.decode()


def test_the_api_orders_and_receives(shop):
    api = ApiCaller("workshop:write", store=shop.store)
    part = Part.objects.first()
    line = {"part_uid": str(part.uid), "quantity": "2.00", "unit_cost": "9.5000"}
    body = {"supplier": "示例备件", "expected_on": day().isoformat(), "lines": [line]}
    made = api.post("purchase-orders", body).json()
    came = {"purchase_line_uid": made["lines"][0]["purchase_line_uid"], "quantity": "3.00"}
    path = f"purchase-orders/{made['uid']}"
    problem(api.act(path, "receive", {"lines": [came]}), 409, "purchase.over")
    done = api.act(path, "receive", {"lines": [came], "reason": "多发"}).json()
    assert (done["state"], done["lines"][0]["received"]) == ("RECEIVED", "3.00")
    problem(api.act(path, "end", {"reason": "停产"}), 409, "purchase.ended")
