"""3.2: labels of parts and bins, and what a scanned one means; one rule for what runs low; parts chosen by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote_plus

import pytest
from django.urls import reverse

from dealership.catalogue.models import Part
from dealership.kernel import clock
from tests.factories.floor import actor, make_floor
from tests.factories.workshop import make_shop
from tests.workshop.test_floor_pages import client_of
from tests.workshop.test_stock import keeper, part_line
from workshop.models import PurchaseOrder, StockItem, Warehouse
from workshop.selectors import purchasing as reorders
from workshop.selectors.places import bins_to_label, code_meant, read_bin
from workshop.selectors.stock import scanned, shelf, wanted
from workshop.services import purchasing, stock

D = Decimal


def receive(part, quantity, *, by, **where):
    return stock.receive_stock(part_uid=part.uid, quantity=D(quantity), unit_cost=D(9), by=by, **where)


@pytest.mark.django_db
def test_a_scanned_label_names_its_part_or_bin():
    shop = make_shop()
    row = part_line(shop)
    tyres = stock.open_warehouse(code="tyre", name="轮胎库", by=keeper(shop))
    receive(row.part, 2, by=keeper(shop), bin="A-01")
    receive(row.part, 2, by=keeper(shop), bin="T 9", warehouse_uid=tyres.uid)
    address = "https://shop.example/stock/scan/?"
    assert code_meant(f"{address}code={quote_plus(row.part.number)}") == row.part.number
    assert code_meant("  A  1 ") == "A 1"
    assert read_bin(f"{address}bin={quote_plus('TYRE T 9')}", [tyres]) == (tyres, "T 9")
    assert [(place.warehouse.code, place.bin) for place in bins_to_label(keeper(shop))] == [
        ("MAIN", "A-01"),
        ("TYRE", "T 9"),
    ]
    assert [place.bin for place in bins_to_label(keeper(shop), first="B")] == ["T 9"]
    assert [place.bin for place in bins_to_label(keeper(shop), last="A")] == ["A-01"]
    assert [place.bin for place in bins_to_label(keeper(shop), warehouse=tyres)] == ["T 9"]
    order = row.line.order
    assert scanned(order, f"{address}code={row.part.number}", keeper(shop)) == (row, None)
    found, place = scanned(order, f"{address}bin=A-01", keeper(shop))
    assert (found, place.bin) == (row, "A-01")


@pytest.mark.django_db
def test_labels_are_printed_and_lead_to_their_part_or_bin():
    floor = make_floor()
    person = floor.hire("parts")
    client, by = client_of(person), actor(person)
    part = Part.objects.order_by("pk").first()
    receive(part, 2, by=by, bin="A-01")
    item = StockItem.objects.get(store=floor.shop.store, part=part)
    page = reverse("part-labels")
    assert "Show the labels" in client.get(page).content.decode()
    bins = client.get(page + "?what=BINS").content.decode()
    assert ("A-01" in bins, 'class="qr"' in bins) == (True, True)
    assert part.number in client.get(page + "?what=PARTS&first=A&last=A").content.decode()
    assert "No bin or part fits" in client.get(page + "?what=PARTS&first=Z").content.decode()
    one = client.get(page + f"?part={part.uid}").content.decode()
    assert one.count('class="qr"') == 1
    assert client.get(page + "?part=x").status_code == 200
    scan = reverse("stock-scan")
    assert client.get(scan + f"?code={part.number.lower()}").headers["Location"] == reverse(
        "stock-item", args=[item.uid]
    )
    assert client.get(scan + "?bin=A-01").headers["Location"] == reverse("stock-list") + "?words=A-01"
    assert client.get(scan + "?code=NO-SUCH").headers["Location"] == reverse("stock-list") + "?words=NO-SUCH"


@pytest.mark.django_db
def test_what_runs_low_is_what_is_proposed_and_several_parts_are_chosen_by_hand():
    floor = make_floor()
    person = floor.hire("parts")
    client, by = client_of(person), actor(person)
    low, enough, other = Part.objects.filter(tracing="NONE").order_by("pk")[:3]
    for part in (low, enough, other):
        receive(part, 2, by=by, bin="A-01")
    StockItem.objects.filter(store=floor.shop.store, part=low).update(reorder_level=D(3))
    proposed = {row.part.pk for row in reorders.proposals(by)}
    assert reorders.runs_low(reorders.reckoned(by)) == proposed
    assert (low.pk in proposed, enough.pk in proposed) == (True, False)
    assert {item.part_id for item in shelf(by, only=proposed)} == proposed
    shown = client.get(reverse("stock-list") + "?low=1").content.decode()
    assert (low.number in shown, enough.number in shown) == (True, False)
    page = reverse("reorder") + f"?part={enough.uid}&part={other.uid}"
    seen = client.get(page).content.decode()
    assert (enough.number in seen, other.number in seen, low.number in seen) == (True, True, False)
    body = {
        "supplier": "示例备件", "new_supplier": "on", "expected_on": str(clock.today() + timedelta(days=2)),
        f"quantity_{enough.uid}": "4", f"cost_{enough.uid}": "9", f"quantity_{other.uid}": "5", f"cost_{other.uid}": "8",
    }  # fmt: skip
    assert client.post(page, body).status_code == 302
    assert PurchaseOrder.objects.get().lines.count() == 2


@pytest.mark.django_db
def test_nothing_is_expected_where_nothing_is_ordered():
    floor = make_floor()
    shop, person = floor.shop, floor.hire("parts")
    client, by = client_of(person), actor(person)
    row = part_line(shop)
    stock.reserve_part(part_line_uid=row.uid, by=by)
    row.refresh_from_db()
    assert row.expected_on is not None  # what the plan reckons with
    page = reverse("parts-board") + "?show=SHORT"
    seen = client.get(page).content.decode()
    assert ("nothing ordered yet" in seen, "expected" in seen) == (True, False)
    order = reverse("order-detail", args=[row.line.order.uid]) + "?tab=parts"
    assert "nothing ordered yet" in client.get(order).content.decode()
    day = clock.today() + timedelta(days=4)
    lines = [(row.part.uid, D(1), D(9))]
    purchasing.order_parts(supplier="示例备件", expected_on=day, lines=lines, by=by)
    assert [found.part_line.arrives for found in wanted(by, show="SHORT")] == [None]  # one of the two that it lacks
    purchasing.order_parts(supplier="示例备件", expected_on=day, lines=lines, by=by)
    assert [found.part_line.arrives for found in wanted(by, show="SHORT")] == [day]
    seen = client.get(page).content.decode()
    assert ("nothing ordered yet" in seen, f"{day:%m-%d}" in seen) == (False, True)
    assert Warehouse.objects.filter(store=shop.store).count() <= 1
