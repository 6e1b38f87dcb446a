"""3.2: what comes in is told its bin; what lies in none is listed to be put away; a part never in stock can be received."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Part
from tests.factories.api import ApiCaller
from tests.factories.workshop import make_shop
from tests.workshop.test_bins import lies, receive, shelf, tyre_store
from tests.workshop.test_purchasing import order
from tests.workshop.test_purchasing import receive as came_in
from tests.workshop.test_stock import keeper
from workshop.models import StockBin, StockItem, Warehouse

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


@pytest.fixture
def desk(shop):
    client = Client()
    client.force_login(keeper(shop).user)
    return client


def cell(line, came, bin, **more):
    return {f"came_{line.uid}": came, f"bin_{line.uid}": bin} | {f"{k}_{line.uid}": v for k, v in more.items()}


def test_a_delivery_says_its_bins_the_usual_one_is_proposed_and_a_part_without_one_needs_it(shop, desk):
    known, new = Part.objects.order_by("pk")[:2]
    receive(shop, known, 1, bin="A-01")
    receive(shop, known, 1, bin="B-02")
    purchase = order(shop, (known, 2, "10"), (new, 3, "8"))
    first, second = purchase.lines.order_by("id")
    address = reverse("purchase", args=[purchase.uid])
    page = desk.get(address).content.decode()
    assert re.search(rf'name="bin_{first.uid}" value="A-01"', page)
    assert '<option value="B-02">' in page
    refused = desk.post(address, cell(first, "2", "") | cell(second, "3", " ") | {"note": "SH-7"})
    said = refused.content.decode()
    assert (refused.status_code, "SH-7" in said, lies(shelf(shop, known))[("MAIN", "A-01")]) == (422, True, D(1))
    assert refused.context["form"].errors.keys() == {f"bin_{second.uid}"}
    assert desk.post(address, cell(first, "2", "") | cell(second, "3", "N-09")).status_code == 302
    assert lies(shelf(shop, known)) == {("MAIN", "A-01"): D(3), ("MAIN", "B-02"): D(1)}
    assert (lies(shelf(shop, new)), shelf(shop, new).bin) == ({("MAIN", "N-09"): D(3)}, "N-09")


def test_a_scanned_label_names_warehouse_and_bin_and_the_last_bin_there_is_the_usual_one(shop, desk):
    part = Part.objects.first()
    receive(shop, part, 1, bin="A-01")
    tyres = tyre_store(shop)
    purchase = order(shop, (part, 4, "10"))
    [line] = purchase.lines.all()
    address = reverse("purchase", args=[purchase.uid])
    assert desk.post(address, cell(line, "1", "tyre  T-9", warehouse="")).status_code == 302
    assert desk.post(address, cell(line, "1", "", warehouse=str(tyres.uid))).status_code == 302
    assert lies(shelf(shop, part)) == {("MAIN", "A-01"): D(1), ("TYRE", "T-9"): D(2)}
    item = reverse("stock-item", args=[shelf(shop, part).uid])
    new = {"quantity": "1", "unit_cost": "9", "warehouse": str(box(shop, desk)), "bin": ""}
    assert desk.post(item, new).status_code == 422  # nothing of it ever lay there


def box(shop, desk):
    desk.post(reverse("warehouses"), {"code": "BOX", "name": "退货箱"})
    return Warehouse.objects.get(store=shop.store, code="BOX").uid


def test_what_lies_in_no_bin_is_listed_and_placed_in_one_tap(shop, desk):
    part = Part.objects.first()
    came_in(shop, order(shop, (part, 4, "10")), 4)
    place = StockBin.objects.get()
    assert (place.bin, place.on_hand) == ("", D(4))
    assert reverse("put-away") in desk.get(reverse("stock-list")).content.decode()
    page = desk.get(reverse("put-away")).content.decode()
    assert part.number in page
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    empty = desk.post(reverse("put-away"), {"source": place.uid, "bin": "", "form_token": token})
    assert (empty.status_code, StockItem.objects.get().bin) == (422, "")
    assert desk.post(reverse("put-away"), {"source": place.uid, "bin": "C-03"}).status_code == 302
    assert (lies(shelf(shop, part)), StockItem.objects.get().bin) == ({("MAIN", "C-03"): D(4)}, "C-03")
    assert part.number not in desk.get(reverse("put-away")).content.decode()
    stranger = Client()
    stranger.force_login(keeper(make_shop()).user)
    assert stranger.post(reverse("put-away"), {"source": place.uid, "bin": "C-04"}).status_code == 404


def test_a_part_of_the_master_that_was_never_in_stock_is_found_received_and_ordered(shop, desk):
    part = Part.objects.first()
    page = desk.get(reverse("stock-list"), {"words": part.number}).content.decode()
    address = reverse("stock-receive", args=[part.uid])
    assert address in page
    assert f"?number={part.number}" in page
    assert f'value="{part.number}"' in desk.get(reverse("reorder"), {"number": part.number}).content.decode()
    assert desk.post(address, {"quantity": "2", "unit_cost": "9"}).status_code == 422
    answer = desk.post(address, {"quantity": "2", "unit_cost": "9", "bin": "A-07"})
    item = shelf(shop, part)
    assert (answer.url, lies(item)) == (reverse("stock-item", args=[item.uid]), {("MAIN", "A-07"): D(2)})
    assert address not in desk.get(reverse("stock-list"), {"words": part.number}).content.decode()


def test_the_api_names_places_by_purchase_line(shop):
    api = ApiCaller("workshop:write", store=shop.store)
    part = Part.objects.first()
    [line] = order(shop, (part, 2, "10")).lines.all()
    body = {
        "lines": [{"purchase_line_uid": str(line.uid), "quantity": "2.00"}],
        "places": {str(line.uid): {"warehouse_uid": None, "bin": "A-03"}},
    }
    done = api.act(f"purchase-orders/{line.purchase.uid}", "receive", body)
    assert (done.status_code, lies(shelf(shop, part))) == (200, {("MAIN", "A-03"): D(2)})
