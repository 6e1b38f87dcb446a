"""3.2: parts are issued and taken back by scanning a part's number or a bin's label on the order's parts page."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from dealership.catalogue.models import Part
from tests.factories.kernel import make_actor
from tests.factories.workshop import PHONE, YES, make_order, make_shop
from tests.workshop.test_stock import keeper, shelf
from workshop.models import PartLine, PartReturn, StockMovement
from workshop.services import authorizations, orders, stock

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


@pytest.fixture
def desk(shop):
    """An agreed order with two sets of pads and a litre and a half of fluid in bins; the keeper's page of it."""
    first, second = Part.objects.get(number="BRK-PAD-F"), Part.objects.filter(unit="升").order_by("pk")[0]
    order = make_order(shop, with_diagnosis=False)
    parts = [(first.uid, D(2)), (second.uid, D("1.5"))]
    line = orders.add_line(order_uid=order.uid, description="更换测试件", hours=D("0.5"), parts=parts, by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    authorizations.decide_lines(
        order_uid=order.uid, decisions={line.uid: YES}, method=PHONE, authorized_by="沈示例", note="同意", by=shop.advisor
    )  # fmt: skip
    for part, place in ((first, "A-01"), (first, "B-02"), (second, "C-03")):
        stock.receive_stock(part_uid=part.uid, quantity=D(2), unit_cost=D(9), bin=place, by=keeper(shop))
    client = Client()
    client.force_login(keeper(shop).user)
    return client, f"/orders/{order.uid}/parts/", first, second


def issued(part):
    return PartLine.objects.get(part=part).issued_quantity


def test_a_scan_and_enter_is_one_piece_out(shop, desk):
    client, page, first, second = desk
    for code, out in ((first.number.lower(), D(1)), (" b-02 ", D(2))):
        done = client.post(page, {"code": code})
        assert (done.status_code, done["Location"], issued(first)) == (302, page, out)
    places = StockMovement.objects.filter(kind="ISSUE").order_by("pk").values_list("place__bin", flat=True)
    assert list(places) == ["A-01", "B-02"]
    assert client.post(page, {"line": str(PartLine.objects.get(part=second).uid)}).status_code == 302
    assert issued(second) == D("1.5")  # what is poured goes out as a whole


def test_a_scan_that_means_nothing_is_kept_and_said(shop, desk):
    client, page, first, second = desk
    stock.receive_stock(part_uid=second.uid, quantity=D(1), unit_cost=D(9), bin="A-01", by=keeper(shop))
    for code in ("NIX-99", "", "A-01"):  # unknown, nothing, a bin of both parts
        refused = client.post(page, {"code": code})
        assert (refused.status_code, code in refused.content.decode()) == (422, True)
    for _turn in range(2):
        client.post(page, {"code": first.number})
    assert client.post(page, {"code": first.number}).status_code == 422  # no more is agreed
    assert (issued(first), issued(second), shelf(shop, first).on_hand) == (D(2), D(0), D(2))


def test_scanned_back_unopened_or_not(shop, desk):
    client, page, first, _second = desk
    for _turn in range(2):
        client.post(page, {"code": first.number})
    back = page + "?mode=back"
    assert client.post(back, {"code": first.number, "condition": "UNOPENED", "reason": ""}).status_code == 422
    for condition in ("UNOPENED", "FITTED"):
        done = client.post(back, {"code": first.number, "condition": condition, "reason": "领错"})
        assert (done.status_code, "mode=back" in done["Location"]) == (302, True)
    assert client.post(back, {"code": first.number, "condition": "FITTED", "reason": "领错"}).status_code == 422
    assert (issued(first), shelf(shop, first).on_hand, PartReturn.objects.count()) == (D(0), D(3), 2)


def test_who_doesnt_issue_doesnt_scan(shop, desk):
    _client, page, first, _second = desk
    client = Client()
    client.force_login(make_actor("foreman", store=shop.store).user)
    assert (client.get(page).status_code, client.post(page, {"code": first.number}).status_code) == (403, 403)
    client.force_login(keeper(make_shop()).user)
    assert client.get(page).status_code == 404


def test_what_is_missing_shows_the_way_out(shop):
    part = Part.objects.get(number="BRK-PAD-F")
    order = make_order(shop, with_diagnosis=False)
    line = orders.add_line(
        order_uid=order.uid, description="更换测试件", hours=D("0.5"), parts=[(part.uid, D(2))], by=shop.advisor
    )
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    authorizations.decide_lines(
        order_uid=order.uid, decisions={line.uid: YES}, method=PHONE, authorized_by="沈示例", note="同意", by=shop.advisor
    )  # fmt: skip
    client = Client()
    client.force_login(keeper(shop).user)
    page = client.get(f"/orders/{order.uid}/parts/").content.decode()
    assert "缺 2 套" in page
    assert 'href="/parts/?show=SHORT">去订货或调拨</a>' in page
    assert "更换测试件" in client.get("/parts/?show=SHORT").content.decode()
