"""3.2: what the catalogue says of a part decides about old parts, sales over the counter and replacements."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Part, PartReplacement
from dealership.catalogue.services.part_master import add_master_part
from dealership.catalogue.services.parts import set_handling
from dealership.catalogue.services.replacements import replace_part
from dealership.kernel.errors import NotAllowed, RuleError
from reception.services import customers
from tests.factories.api import ApiCaller
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop, part
from tests.workshop.test_stock import keeper, part_line, receive
from workshop.models import CounterSale
from workshop.services import orders, sales, stock

D = Decimal
FUSE = "HV-FUSE-01"


@pytest.fixture
def shop(db):
    return make_shop()


def refusal_of(call, **facts):
    with pytest.raises(RuleError) as refusal:
        call(**facts)
    return refusal.value.code, refusal.value.field


def test_only_what_comes_off_a_car_gets_a_tag_and_the_catalogue_says_what_that_is(shop):
    without = set(Part.objects.filter(leaves_old=False).values_list("number", flat=True))
    assert {"AC-CLEAN-01", "PNT-BASE-01", "PNT-PRIM-01", "TYR-PATCH", "OIL-5W30-1L", "WGT-BAL-10"} <= without
    assert not without & {"BRK-PAD-F", "BRK-DISC-F", "BAT-12V-60", "TRN-ASSY-01"}
    by, pads = keeper(shop), part("BRK-PAD-F")
    assert not add_master_part(number="OIL-X", name="测试机油", unit="升", by=by).leaves_old
    assert add_master_part(number="PAD-X", name="测试制动片", unit="套", by=by).leaves_old
    assert not set_handling(part_uid=pads.uid, leaves_old=False, high_voltage=False, by=by).leaves_old
    again = {"part_uid": pads.uid, "leaves_old": False, "high_voltage": False, "by": by}
    assert refusal_of(set_handling, **again)[0] == "part.handling_same"
    with pytest.raises(NotAllowed):
        set_handling(part_uid=pads.uid, leaves_old=True, high_voltage=False, by=shop.advisor)
    client = Client()
    client.force_login(by.user)
    client.post(reverse("part-handling", args=[pads.uid]), {"leaves_old": "1"})
    page = client.get(reverse("part-replacements", args=[pads.uid])).content.decode()
    assert "更换时会拆下旧件" in page
    assert Part.objects.get(pk=pads.pk).leaves_old
    caller = ApiCaller("catalogue:read", "catalogue:write", store=shop.store)
    set_to = caller.act(f"parts/{pads.uid}", "set-handling", {"leaves_old": True, "high_voltage": True})
    assert set_to.status_code == 200
    assert set_to.json()["high_voltage"] is True


def test_a_high_voltage_part_is_sold_with_a_reason_to_somebody_who_is_named(shop, refused):
    by = keeper(shop)
    stock.receive_stock(part_uid=part(FUSE).uid, quantity=D(3), unit_cost=D(9), by=by)
    sale = sales.begin_sale(by=by)
    assert refusal_of(sales.put_on_sale, uid=sale.uid, code=FUSE, by=by) == ("sale.careful", "reason")
    client = Client()
    client.force_login(by.user)
    at = reverse("counter-sale", args=[sale.uid])
    assert 'name="reason"' not in client.get(at).content.decode()
    asked = client.post(at, {"code": FUSE, "quantity": "1"})
    assert asked.status_code == 422
    assert 'name="reason"' in asked.content.decode()
    client.post(at, {"code": FUSE, "quantity": "1", "reason": "持证维修厂购买"})
    assert sale.lines.get().reason == "持证维修厂购买"
    assert "请先登记客户" in client.get(at).content.decode()
    assert refusal_of(sales.sell, uid=sale.uid, by=by) == ("sale.careful", "phone")
    with refused("countersale_with_care") as sql:
        sql("UPDATE workshop_countersale SET state = 'SOLD', total = 320, sold_at = now() WHERE id = %s", [sale.pk])
    buyer = customers.register_customer(name="向维修", phone="13900008888", by=shop.manager)
    sales.change_sale(uid=sale.uid, customer_uid=buyer.uid, by=by)
    assert sales.sell(uid=sale.uid, by=by).state == "SOLD"
    assert CounterSale.objects.get(pk=sale.pk).customer_id


def test_a_successor_of_another_kind_asks_first(shop, refused):
    by = make_actor("parts", store=shop.store)
    facts = {"part_uid": part("BRK-PAD-F").uid, "other_uid": part("BRK-PAD-FE").uid, "kind": "SUCCESSOR", "by": by}
    assert refusal_of(replace_part, **facts) == ("replacement.other_kind", "other_kind")
    with refused("partreplacement_kind_known") as sql:
        sql(
            "INSERT INTO catalogue_partreplacement (uid, version, created_at, updated_at, part_id, other_id, kind, starts_on,"
            " note) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, 'EITHER', now(), '')",
            [part("BRK-PAD-F").pk, part("BRK-PAD-FE").pk],
        )
    client = Client()
    client.force_login(by.user)
    at = reverse("part-replacements", args=[facts["part_uid"]])
    typed = {"number": "BRK-PAD-FE", "kind": "SUCCESSOR", "starts_on": "2026-01-01"}
    assert "同质" in client.post(at, typed).content.decode()
    assert not PartReplacement.objects.exists()
    client.post(at, typed | {"other_kind": "on"})
    assert PartReplacement.objects.get().other_kind


def test_the_orders_parts_page_counts_what_may_be_issued_and_what_nobody_agreed_to(shop):
    row = part_line(shop)
    receive(shop, row.part, 5)
    orders.add_line(
        order_uid=row.line.order.uid, description="增项", hours=D("0.5"), parts=[(part("BRK-PAD-F").uid, D(1))],
        by=shop.advisor,
    )  # fmt: skip
    client = Client()
    client.force_login(keeper(shop).user)
    at = reverse("order-parts", args=[row.line.order.uid])
    page = client.get(at).content.decode()
    assert "本工单还有 1 种备件待发" in page
    assert "1 种客户尚未同意。" in page
    stock.issue_part(part_line_uid=row.uid, by=keeper(shop))
    page = client.get(at).content.decode()
    assert "待发 0 种。" in page
    assert "1 种客户尚未同意。" in page


def test_the_parts_board_hints_at_a_successor_while_the_old_part_is_there(shop):
    row = part_line(shop)
    receive(shop, row.part, 5)
    replace_part(part_uid=row.part.uid, other_uid=part("FLT-AIR-01").uid, kind="SUCCESSOR", by=keeper(shop))
    client = Client()
    client.force_login(keeper(shop).user)
    assert "FLT-AIR-01" in client.get(reverse("parts-board")).content.decode()
