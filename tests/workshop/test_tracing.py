"""3.2: parts that safety wants traced come and go by batch or serial number; a recall finds the cars they went into."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from compliance.services.archives import order_file
from dealership.catalogue.models import Part
from dealership.catalogue.services.parts import set_tracing
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_returns import MOVE, RETURN
from tests.workshop.test_stock import keeper, part_line, shelf
from workshop.models import PartLine, PartReturn, StockLot, StockMovement
from workshop.selectors.tracing import traces, unnamed
from workshop.services import purchasing, stock

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


def trace(shop, how) -> Part:
    part = Part.objects.order_by("pk").first()
    assert part is not None
    return set_tracing(part_uid=part.uid, tracing=how, by=keeper(shop))


def receive(shop, part, quantity, *lots):
    return stock.receive_stock(part_uid=part.uid, quantity=D(quantity), unit_cost=D(10), lots=lots, by=keeper(shop))


def issue(shop, row, *lots, quantity=None):
    return stock.issue_part(part_line_uid=row.uid, quantity=quantity, lots=lots, by=keeper(shop))


def there(shop, part):
    return dict(StockLot.objects.filter(item__store=shop.store, item__part=part).values_list("code", "on_hand"))


def test_a_batch_goes_into_the_cars_and_is_found_again(shop):
    part = trace(shop, "BATCH")
    receive(shop, part, 5, " b-7 ")
    receive(shop, part, 1, "B-8")
    first, second = part_line(shop), part_line(shop)
    issue(shop, first, "B-7")
    issue(shop, second, "b-7", quantity=D(1))
    issue(shop, second, "B-8")
    stock.return_part(part_line_uid=first.uid, quantity=D(1), reason="多领", by=keeper(shop))
    stock.return_part(
        part_line_uid=second.uid, quantity=D(1), reason="拆下", condition="FITTED", lot="B-8", by=keeper(shop)
    )
    assert there(shop, part) == {"B-7": D(3), "B-8": D(0)}
    assert shelf(shop, part).on_hand == D(3)
    last, batch = traces(keeper(shop), "b-")
    assert (batch.lot.code, [row.quantity for row in batch.receipts]) == ("B-7", [D(5)])
    assert [(use.part_line, use.out, use.left) for use in batch.uses] == [(first, 2, 1), (second, 1, 1)]
    assert [(use.part_line, use.left) for use in last.uses] == [(second, 0)]
    assert [row["lots"] for line in order_file(second.line.order)["lines"] for row in line["parts"]] == [["B-7"]]
    assert traces(keeper(make_shop()), "b-") == []


def test_serial_numbers_go_out_one_by_one_and_once(shop):
    part = trace(shop, "SERIAL")
    receive(shop, part, 3, "S1", "S2", "S3")
    row = part_line(shop)
    issue(shop, row, "S1", "S3")
    assert there(shop, part) == {"S1": 0, "S2": 1, "S3": 0}
    other = part_line(shop)
    receive(shop, part, 1, "S4")
    for new, quantity, lots, code in (
        (False, 2, ("S1", "S2"), "stock.lot_short"),
        (False, 2, ("S2",), "stock.serials"),
        (False, 2, ("S2", "S2"), "stock.serials"),
        (False, 2, ("S2", "S9"), "stock.lot_unknown"),
        (False, 2, ("S2", "电池"), "stock.lot_code"),
        (False, 2, (), "stock.lot_missing"),
        (True, 2, ("S5", "S1"), "stock.serial_there"),
    ):
        before = StockMovement.objects.count()
        with pytest.raises(RuleError) as refusal:
            receive(shop, part, len(lots), *lots) if new else issue(shop, other, *lots, quantity=D(quantity))
        assert (refusal.value.code, StockMovement.objects.count()) == (code, before)
    with pytest.raises(RuleError) as refusal:
        stock.return_part(part_line_uid=row.uid, quantity=D(1), reason="错", by=keeper(shop))
    assert refusal.value.code == "stock.lot_missing"
    with pytest.raises(RuleError) as refusal:
        stock.return_part(part_line_uid=row.uid, quantity=D(1), reason="错", lot="S2", by=keeper(shop))
    assert refusal.value.code == "stock.lot_not_out"
    stock.return_part(part_line_uid=row.uid, quantity=D(1), reason="错", lot="s3", by=keeper(shop))
    assert there(shop, part) == {"S1": 0, "S2": 1, "S3": 1, "S4": 1}


def test_a_count_names_what_is_missing_and_found(shop):
    part = trace(shop, "SERIAL")
    receive(shop, part, 2, "S1", "S2")
    count = {"part_uid": part.uid, "reason": "盘点", "by": keeper(shop)}
    with pytest.raises(RuleError) as refusal:
        stock.count_stock(counted=D(1), **count)
    assert refusal.value.code == "stock.lot_missing"
    stock.count_stock(counted=D(1), lots=["S2"], **count)
    assert there(shop, part) == {"S1": 1, "S2": 0}
    stock.count_stock(counted=D(2), lots=["S2"], **count)  # it was behind the shelf
    assert there(shop, part) == {"S1": 1, "S2": 1}


def test_tracing_is_changed_while_none_of_it_lies_anywhere(shop):
    part = trace(shop, "BATCH")
    assert History.objects.get(code="catalogue.part.tracing_set").changed == {"tracing": ["NONE", "BATCH"]}
    receive(shop, part, 1, "B-1")
    for how, code in (("SERIAL", "part.in_stock"), ("BATCH", "part.tracing_same"), ("X", "part.tracing")):
        with pytest.raises(RuleError) as refusal:
            set_tracing(part_uid=part.uid, tracing=how, by=keeper(shop))
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        set_tracing(part_uid=part.uid, tracing="NONE", by=shop.advisor)
    plain = Part.objects.order_by("pk")[1]
    with pytest.raises(RuleError) as refusal:
        receive(shop, plain, 1, "B-1")
    assert refusal.value.code == "stock.lot_untraced"
    assert Part.objects.get(pk=part.pk).tracing == "BATCH"


def test_the_database_lets_no_traced_part_go_without_its_number(shop, refused):
    part = trace(shop, "SERIAL")
    receive(shop, part, 2, "S1", "S2")
    row, other = part_line(shop), part_line(shop)
    issue(shop, row, "S1", quantity=D(1))
    item = shelf(shop, part)
    one, two = item.lots.order_by("code")
    where = [shop.store.pk, item.pk, item.bins.get().pk]
    with_lot = MOVE.replace("part_line_id,", "lot_id, part_line_id,").replace(
        "%s, %s, %s, %s,", "%s, %s, %s, %s, %s,", 1
    )
    for rule, statement, values in (
        ("stockmovement_traced", MOVE, [*where, other.pk, None, "ISSUE", -1]),
        ("stockmovement_traced", MOVE, [*where, None, None, "RECEIPT", 1]),
        ("stockmovement_traced", with_lot, [*where, two.pk, other.pk, None, "ISSUE", -2]),
        ("stockmovement_traced", with_lot, [*where, one.pk, None, None, "RECEIPT", 1]),
        ("stocklot_not_negative", with_lot, [*where, one.pk, other.pk, None, "ISSUE", -1]),
        ("stocklot_serial_once", with_lot, [*where, two.pk, None, None, "COUNT", 1]),
        ("partreturn_of_what_is_out", RETURN, [row.pk, "OPENED", 1, "x"]),
        ("stocklot_by_movement_only", "UPDATE workshop_stocklot SET on_hand = 5", []),
        ("stocklot_item_fixed", "UPDATE workshop_stocklot SET item_id = item_id + 1", []),
        ("stocklot_code_fixed", "UPDATE workshop_stocklot SET code = code || 'X'", []),
        ("stocklot_once", "INSERT INTO workshop_stocklot (uid,"
         " version, created_at, updated_at, item_id, code, on_hand) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'S1', 0)",
         [item.pk]),
    ):  # fmt: skip
        with refused(rule) as sql:
            sql(statement, values)
    of_lot = RETURN.replace("part_line_id,", "lot_id, part_line_id,").replace(
        "now(), now(), %s,", "now(), now(), %s, %s,"
    )
    with refused("partreturn_of_what_is_out") as sql:
        sql(of_lot, [two.pk, row.pk, "OPENED", 1, "x"])
    assert (there(shop, part), PartReturn.objects.count()) == ({"S1": 0, "S2": 1}, 0)


def test_a_purchase_names_the_numbers_of_its_traced_lines(shop):
    part, by = trace(shop, "SERIAL"), keeper(shop)
    plain = Part.objects.order_by("pk")[1]
    bought = purchasing.order_parts(
        supplier="示例备件", expected_on=clock.today(), lines=[(part.uid, D(2), D(9)), (plain.uid, D(1), D(5))], by=by
    )  # fmt: skip
    client = Client()
    client.force_login(by.user)
    page = reverse("purchase", args=[bought.uid])
    mine, other = bought.lines.order_by("id")
    body = {f"came_{mine.uid}": "2", f"came_{other.uid}": "1"} | {f"bin_{line.uid}": "A-01" for line in (mine, other)}
    assert f"lots_{mine.uid}" in client.get(page).content.decode()
    assert f"lots_{other.uid}" not in client.get(page).content.decode()
    assert client.post(page, body).status_code == 422
    assert client.post(page, body | {f"lots_{mine.uid}": "A1\r\nA2"}).status_code == 302
    assert there(shop, part) == {"A1": 1, "A2": 1}
    shown = client.get(reverse("stock-trace") + "?code=a").content.decode()
    assert bought.number in shown


def test_the_keeper_chooses_and_scans_the_numbers(shop):
    part = trace(shop, "SERIAL")
    client = Client()
    client.force_login(make_actor("parts", store=shop.store).user)
    row = part_line(shop)
    receive(shop, part, 3, "S1", "S2", "S3")
    chooses = reverse("part-issue-lot", args=[row.uid])
    assert chooses in client.get(reverse("parts-board")).content.decode()
    order = reverse("order-parts", args=[row.line.order.uid])
    assert chooses in client.get(order).content.decode()
    assert client.post(chooses, {}).status_code == 422
    assert client.post(chooses, {"lots": ["S1"]}).headers["Location"] == order
    assert client.post(order, {"code": "s3"}).status_code == 302
    assert PartLine.objects.get(pk=row.pk).issued_quantity == 2
    shown = client.get(reverse("order-detail", args=[row.line.order.uid]) + "?tab=parts").content.decode()
    assert client.get(chooses).status_code == 200
    assert shown.count("S3") >= 1
    back = {"code": "S1", "reason": "多领", "condition": "UNOPENED"}
    assert client.post(order + "?mode=back", back).status_code == 302
    taken = reverse("part-return", args=[row.uid])
    assert client.post(taken, {"lot": "S3", "quantity": "1", "reason": "x", "condition": "OPENED"}).status_code == 302
    assert there(shop, part) == {"S1": 1, "S2": 1, "S3": 0}
    item = shelf(shop, part)
    assert "S2" in client.get(reverse("stock-item", args=[item.uid])).content.decode()
    body = {"quantity": "1", "unit_cost": "9", "lots": "S4", "bin": "A-01"}
    assert client.post(reverse("stock-item", args=[item.uid]), body).status_code == 302
    counts = reverse("stock-count", args=[item.uid])
    there_now = item.bins.get(bin="A-01").uid
    assert client.post(counts, {"bin": there_now, "counted": "0", "reason": "盘点", "lots": "S4"}).status_code == 302
    assert client.get(reverse("stock-trace")).status_code == 200
    assert client.get(reverse("stock-trace") + "?code=zz").status_code == 200
    how = reverse("part-tracing", args=[part.uid])
    assert client.post(how, {"tracing": "NONE"}).status_code == 422
    assert Part.objects.get(pk=part.pk).tracing == "SERIAL"


def test_another_system_receives_issues_and_traces(shop):
    part = Part.objects.order_by("pk").first()
    caller = ApiCaller("catalogue:write", "workshop:write", store=shop.store)
    set_to = caller.act(f"parts/{part.uid}", "set-tracing", {"tracing": "BATCH"})
    assert set_to.json()["tracing"] == "BATCH"
    body = {"part_uid": str(part.uid), "quantity": "4.00", "unit_cost": "9.0000"}
    problem(caller.post("stock-movements", body), 409, "stock.lot_missing")
    came = caller.post("stock-movements", body | {"lots": ["B-1"]})
    assert (came.status_code, came.json()["lot_code"]) == (201, "B-1")
    row = part_line(shop)
    assert caller.act(f"part-lines/{row.uid}", "issue", {"lots": ["B-1"]}).json()["issued_quantity"] == "2.00"
    went = caller.get("stock-movements?lot_code=B-1&kind=ISSUE").json()["data"]
    assert [found["part_line_uid"] for found in went] == [str(row.uid)]


def test_tracing_begins_while_stock_lies_there_and_what_lies_there_is_used_up_or_named(shop, refused):
    part = Part.objects.order_by("pk").first()
    assert part is not None
    receive(shop, part, 5)
    row, before = part_line(shop), part_line(shop)
    issue(shop, before, quantity=D(1))
    trace(shop, "SERIAL")
    item = shelf(shop, part)
    item.part.refresh_from_db()
    assert unnamed(item) == D(4)
    client = Client()
    client.force_login(keeper(shop).user)
    assert "4 升没有编号" in client.get(reverse("stock-item", args=[item.uid])).content.decode()
    for lots, code in ((["S1", "S2", "S3", "S4", "S5"], "stock.lot_short"), ([], "stock.lot_missing")):
        with pytest.raises(RuleError) as refusal:
            stock.name_stock(uid=item.uid, lots=lots, by=keeper(shop))
        assert refusal.value.code == code
    answer = client.post(reverse("stock-name", args=[item.uid]), {"lots": "S1\nS2"})
    assert answer.status_code == 302
    assert (there(shop, part), shelf(shop, part).on_hand) == ({"S1": 1, "S2": 1}, D(4))
    # what has no number goes without one, and no more of it than there is
    chooses = reverse("part-issue-lot", args=[row.uid])
    assert client.post(chooses, {"lots": ["-"], "quantity": "2"}).status_code == 302
    with pytest.raises(RuleError) as refusal:
        issue(shop, before, "-", quantity=D(1))
    assert refusal.value.code == "stock.lot_short"
    with refused("stockmovement_traced") as sql:
        sql(MOVE, [shop.store.pk, item.pk, item.bins.get().pk, None, None, "COUNT", -1])
    assert (there(shop, part), shelf(shop, part).on_hand) == ({"S1": 1, "S2": 1}, D(2))
    # it comes back without one as well, unopened onto the shelf
    taken = reverse("part-return", args=[before.uid])
    assert "无编号" in client.get(taken).content.decode()
    back = {"lot": "-", "quantity": "1", "reason": "多领", "condition": "UNOPENED"}
    assert client.post(taken, back).status_code == 302
    assert unnamed(shelf(shop, part)) == D(1)
    with pytest.raises(RuleError) as refusal:
        set_tracing(part_uid=part.uid, tracing="NONE", by=keeper(shop))
    assert refusal.value.code == "part.in_stock"
    caller = ApiCaller("workshop:write", store=shop.store)
    assert caller.act(f"stock-items/{item.uid}", "name", {"lots": ["S3"]}).status_code == 200
    assert unnamed(shelf(shop, part)) == D(0)
