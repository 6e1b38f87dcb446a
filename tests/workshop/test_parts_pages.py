"""3.2: the parts keeper's pages: issue, keep, take back, receive, count; what is refused keeps what was typed."""

from decimal import Decimal

import pytest
from django.test import Client

from tests.factories.kernel import make_user
from tests.factories.workshop import make_shop
from tests.workshop.test_stock import keeper, part_line
from workshop.models import StockBin, StockItem
from workshop.services import stock


@pytest.fixture
def desk(db):
    """(client of the parts keeper, shop, an agreed part line of two)"""
    shop = make_shop()
    by = keeper(shop)
    client = Client()
    client.force_login(by.user)
    return client, shop, part_line(shop)


def test_short_parts_are_shown_apart_and_issued_when_they_are_there(desk):
    client, shop, wanted = desk
    assert wanted.part.number in client.get("/parts/?show=SHORT").content.decode()
    assert wanted.part.number not in client.get("/parts/?show=ISSUE").content.decode()
    assert client.post(f"/part-lines/{wanted.uid}/issue/").status_code == 422
    stock.receive_stock(part_uid=wanted.part.uid, quantity=Decimal(5), unit_cost=Decimal(9), by=keeper(shop))
    page = client.get(f"/parts/?number={wanted.part.number.lower()}").content.decode()
    assert f"/part-lines/{wanted.uid}/issue/" in page
    assert client.post(f"/part-lines/{wanted.uid}/issue/").url == "/parts/"
    wanted.refresh_from_db()
    assert wanted.issued_quantity == Decimal(2)
    refused = client.post(
        f"/part-lines/{wanted.uid}/return/", {"condition": "UNOPENED", "quantity": "9", "reason": "多领"}
    )
    assert (refused.status_code, "多领" in refused.content.decode()) == (422, True)
    back = {"condition": "UNOPENED", "quantity": "1", "reason": "多领"}
    assert client.post(f"/part-lines/{wanted.uid}/return/", back).status_code == 302
    assert wanted.part.number in client.get("/parts/?show=BACK").content.decode()


def test_the_shelf_receives_and_counts(desk):
    client, shop, wanted = desk
    stock.receive_stock(part_uid=wanted.part.uid, quantity=Decimal(5), unit_cost=Decimal(9), by=keeper(shop))
    item = StockItem.objects.get(store=shop.store, part=wanted.part)
    assert wanted.part.number in client.get("/stock/").content.decode()
    address = f"/stock/{item.uid}/"
    assert client.post(address, {"quantity": "-1", "unit_cost": "9"}).status_code == 422
    assert client.post(address, {"quantity": "3", "unit_cost": "9", "bin": "A-01"}).status_code == 302
    bin_ = StockBin.objects.get(item=item, bin="A-01").uid
    assert client.post(f"{address}count/", {"bin": bin_, "counted": "2"}).status_code == 422
    assert client.post(f"{address}count/", {"bin": bin_, "counted": "2", "reason": "盘亏"}).status_code == 302
    item.refresh_from_db()
    assert (item.on_hand, item.bin) == (Decimal(7), "A-01")
    assert client.get(address).status_code == 200


def test_who_may_only_look_sees_no_buttons_and_another_store_sees_nothing(desk):
    _client, shop, wanted = desk
    stock.receive_stock(part_uid=wanted.part.uid, quantity=Decimal(5), unit_cost=Decimal(9), by=keeper(shop))
    onlooker = Client()
    onlooker.force_login(make_user("technician", store=shop.store))
    assert f"/part-lines/{wanted.uid}/issue/" not in onlooker.get("/parts/").content.decode()
    assert onlooker.post(f"/part-lines/{wanted.uid}/issue/").status_code == 403
    stranger = Client()
    stranger.force_login(keeper(make_shop()).user)
    assert stranger.post(f"/part-lines/{wanted.uid}/issue/").status_code == 404
    assert stranger.get(f"/stock/{StockItem.objects.get(part=wanted.part).uid}/").status_code == 404
