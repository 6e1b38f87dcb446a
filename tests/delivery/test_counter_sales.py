"""3.2: parts are sold over the counter without a car, paid at the cashier's, and taken back within the limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from dealership.catalogue.services.parts import set_tracing
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from delivery.models import SalePayment
from delivery.selectors.payments import day_close
from delivery.selectors.sales import read_sale, unsettled_sales
from delivery.services import sales as money
from reception.services import customers
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop, part
from tests.workshop.test_stock import keeper, shelf
from workshop.models import CounterSale, SaleLine, SaleReturn, StockMovement
from workshop.selectors.purchasing import proposals
from workshop.services import sales, stock

D = Decimal
WIPER, PLUG = "WIP-PAIR-01", "SPK-IR-01"  # 98.00 and 96.00


@pytest.fixture
def shop(db):
    return make_shop()


def stocked(shop, number=WIPER, quantity=5, lots=()):
    return stock.receive_stock(
        part_uid=part(number).uid, quantity=D(quantity), unit_cost=D(40), lots=lots, by=keeper(shop)
    )  # fmt: skip


def written(shop, *codes, by=None):
    by = by or keeper(shop)
    sale = sales.begin_sale(by=by)
    for code in codes or (WIPER, WIPER):
        sales.put_on_sale(uid=sale.uid, code=code, by=by)
    return sale


def sold(shop, *codes):
    stocked(shop)
    return sales.sell(uid=written(shop, *codes).uid, by=keeper(shop))


def pay(shop, sale, amount, method="CASH"):
    by = make_actor("cashier", store=shop.store)
    return money.take_sale_payment(sale_uid=sale.uid, method=method, amount=D(amount), by=by)


def refund(shop, payment, amount, reason="退货"):
    by = make_actor("accountant", store=shop.store)
    return money.refund_sale_payment(payment_uid=payment.uid, amount=D(amount), reason=reason, by=by)


def back(shop, sale, quantity=1, **facts):
    given = {"reason": "买错", "by": keeper(shop)} | facts
    return sales.take_back_sold(line_uid=sale.lines.get().uid, quantity=D(quantity), **given)


def refusal_of(call, *args, **facts):
    before = (History.objects.count(), StockMovement.objects.count(), SalePayment.objects.count())
    with pytest.raises(RuleError) as refusal:
        call(*args, **facts)
    assert (History.objects.count(), StockMovement.objects.count(), SalePayment.objects.count()) == before
    return refusal.value.code


def test_sold_paid_and_in_the_cashiers_day(shop):
    sale = sold(shop)
    assert (sale.state, sale.total, shelf(shop, part(WIPER)).on_hand) == ("SOLD", D("196.00"), D(3))
    assert [row.pk for row in unsettled_sales(keeper(shop))] == [sale.pk]
    pay(shop, sale, "100.00")
    assert refusal_of(pay, shop, sale, "96.01") == "payment.amount"
    assert refusal_of(pay, shop, sale, "96", "DEPOSIT") == "payment.method"
    pay(shop, sale, "96.00", "SCAN_CODE")
    assert unsettled_sales(keeper(shop)) == []
    close = day_close(by=make_actor("cashier", store=shop.store))
    assert (close.taken, close.net, len(close.sales)) == (D("196.00"), D("196.00"), 2)
    with pytest.raises(NotAllowed):
        money.take_sale_payment(sale_uid=sale.uid, method="CASH", amount=D(1), by=keeper(shop))
    assert History.objects.filter(code="workshop.counter_sale.sold").count() == 1


def test_what_comes_back_unopened_is_stock_and_its_money_goes_back(shop):
    sale = sold(shop)
    paid = pay(shop, sale, "196.00")
    assert back(shop, sale).amount == D("98.00")
    opened = back(shop, sale, condition="OPENED")
    item = shelf(shop, part(WIPER))
    assert (item.on_hand, opened.line.sale.number, SaleReturn.objects.count()) == (D(4), sale.number, 2)
    paper = read_sale(uid=sale.uid, by=keeper(shop))
    assert (paper.due, paper.to_give_back) == (D("-196.00"), D("196.00"))
    refund(shop, paid, "100.00")
    assert refusal_of(refund, shop, paid, "97.00") == "payment.amount"
    assert refusal_of(refund, shop, paid, "1.00", " ") == "payment.reason"
    refund(shop, paid, "96.00")
    assert unsettled_sales(keeper(shop)) == []
    assert day_close(by=make_actor("cashier", store=shop.store)).net == D(0)
    assert refusal_of(back, shop, sale) == "sale.returned"


def test_a_discount_has_the_limit_of_the_post_and_comes_off_what_is_given_back(shop):
    stocked(shop)
    sale = written(shop, by=shop.advisor)
    facts = {"uid": sale.uid, "reason": "老客户"}
    assert refusal_of(sales.change_sale, discount=D("9.81"), by=shop.advisor, **facts) == "discount.limit"
    assert refusal_of(sales.change_sale, discount=D("0.01"), by=keeper(shop), **facts) == "discount.limit"
    assert refusal_of(sales.change_sale, discount=D("197"), by=shop.manager, **facts) == "discount.amount"
    assert refusal_of(sales.change_sale, uid=sale.uid, discount=D("5"), by=shop.manager) == "discount.reason"
    sales.change_sale(discount=D("9.80"), by=shop.advisor, **facts)
    sale = sales.sell(uid=sale.uid, by=shop.advisor)
    assert sale.total == D("186.20")
    assert back(shop, sale).amount == D("93.10")


def test_refused_sales_change_nothing(shop):
    stocked(shop, quantity=1)
    by = keeper(shop)
    sale = sales.begin_sale(by=by)
    assert refusal_of(sales.sell, uid=sale.uid, by=by) == "sale.empty"
    for code, quantity, said in (
        ("NO-SUCH", 1, "sale.unknown"), (WIPER, 2, "stock.short"), (WIPER, 0, "stock.quantity"), (PLUG, 1, "stock.short"),
        (WIPER, "0.5", "stock.whole"),
    ):  # fmt: skip
        assert refusal_of(sales.put_on_sale, uid=sale.uid, code=code, quantity=D(quantity), by=by) == said
    line = sales.put_on_sale(uid=sale.uid, code=WIPER.lower(), by=by)
    other = written(shop, WIPER)
    sales.sell(uid=other.uid, by=by)
    assert refusal_of(sales.sell, uid=sale.uid, by=by) == "stock.short"  # the last one was sold in between
    assert refusal_of(sales.take_back_sold, line_uid=line.uid, quantity=D(1), reason="x", by=by) == "sale.not_sold"
    assert refusal_of(pay, shop, sale, "1.00") == "sale.not_sold"
    sales.take_off_sale(line_uid=line.uid, by=by)
    sales.drop_sale(uid=sale.uid, by=by)
    assert refusal_of(sales.put_on_sale, uid=sale.uid, code=WIPER, by=by) == "sale.final"
    with pytest.raises(NotAllowed):
        sales.begin_sale(by=make_actor("cashier", store=shop.store))
    with pytest.raises(CounterSale.DoesNotExist):
        sales.sell(uid=other.uid, by=keeper(make_shop()))


def test_it_is_taken_back_for_so_many_days(shop):
    sale = sold(shop)
    with clock.moved_to(clock.now() + timedelta(days=7, minutes=1)):
        assert refusal_of(back, shop, sale) == "sale.too_late"
    for facts, said in (
        ({"reason": " "}, "part.reason"),
        ({"condition": "X"}, "part.condition"),
        ({"quantity": 3}, "sale.returned"),
    ):
        assert refusal_of(back, shop, sale, **facts) == said


def test_traced_parts_are_sold_and_taken_back_by_their_numbers(shop):
    by = keeper(shop)
    set_tracing(part_uid=part(PLUG).uid, tracing="SERIAL", by=by)
    stocked(shop, PLUG, 2, ["S1", "S2"])
    sale = sales.begin_sale(by=by)
    assert refusal_of(sales.put_on_sale, uid=sale.uid, code=PLUG, by=by) == "stock.lot_missing"
    for code in ("s1", "S2"):
        sales.put_on_sale(uid=sale.uid, code=code, reason="自行更换", by=by)
    assert refusal_of(sales.put_on_sale, uid=sale.uid, code="S1", by=by) == "sale.scanned"
    buyer = customers.register_customer(name="向示例", phone="13900007777", by=shop.manager)
    sales.change_sale(uid=sale.uid, customer_uid=buyer.uid, by=by)
    sales.sell(uid=sale.uid, by=by)
    assert set(StockMovement.objects.filter(kind="SALE").values_list("lot__code", "quantity")) == {
        ("S1", -1),
        ("S2", -1),
    }
    assert refusal_of(back, shop, sale) == "stock.lot_missing"
    assert refusal_of(back, shop, sale, lot="S3") == "stock.lot_not_out"
    back(shop, sale, lot="S2")
    assert refusal_of(back, shop, sale, lot="S2") == "stock.lot_not_out"
    assert shelf(shop, part(PLUG)).lots.get(on_hand=1).code == "S2"


def test_sales_count_as_use_when_parts_are_ordered(shop):
    stocked(shop, quantity=2)
    assert [row for row in proposals(keeper(shop)) if row.part.number == WIPER] == []
    sales.sell(uid=written(shop).uid, by=keeper(shop))
    assert [row.used for row in proposals(keeper(shop)) if row.part.number == WIPER] == [D(2)]


MOVE = (
    "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, sale_line_id,"
    " sale_return_id, kind, quantity, unit_cost, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s,"
    " %s, %s, 0, '', now())"
)
BACK = (
    "INSERT INTO workshop_salereturn (uid, version, created_at, updated_at, line_id, condition, quantity, amount, reason, at)"
    " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, now())"
)
PAY = (
    "INSERT INTO delivery_salepayment (uid, version, created_at, updated_at, store_id, number, sale_id, method, amount,"
    " reverses_id, reference, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, %s, '', %s, now())"
)


def test_the_database_keeps_goods_and_money_together(shop, refused):
    sale, draft = sold(shop), written(shop, WIPER)
    paid = pay(shop, sale, "100.00")
    line, open_line = sale.lines.get(), draft.lines.get()
    item = shelf(shop, part(WIPER))
    where, me = [shop.store.pk, item.pk, item.bins.get().pk], shop.store.pk
    for rule, statement, values in (
        ("stockmovement_of_its_sale", MOVE, [*where, line.pk, None, "SALE", -1]),  # closed
        ("stockmovement_of_its_sale", MOVE, [*where, None, None, "SALE", -1]),
        ("stockmovement_of_its_sale", MOVE, [*where, open_line.pk, None, "SALE", -2]),  # more than stands there
        ("stockmovement_of_its_sale", MOVE, [*where, line.pk, None, "SALEBACK", 1]),
        ("stockmovement_of_its_sale", MOVE, [*where, line.pk, None, "COUNT", 1]),
        ("countersale_sold_whole", "UPDATE workshop_countersale SET state = 'SOLD', total = 98, sold_at = now() WHERE id = %s",
         [draft.pk]),
        ("countersale_sold_is_final", "UPDATE workshop_countersale SET total = 1 WHERE id = %s", [sale.pk]),
        ("countersale_sold_is_final", "UPDATE workshop_countersale SET core_total = 1 WHERE id = %s", [sale.pk]),
        ("countersale_sold_is_final", "UPDATE workshop_countersale SET returned_total = 1 WHERE id = %s", [sale.pk]),
        ("countersale_moves", "UPDATE workshop_countersale SET state = 'DRAFT', sold_at = NULL WHERE id = %s", [sale.pk]),
        ("countersale_discount_reason", "UPDATE workshop_countersale SET discount = 1 WHERE id = %s", [draft.pk]),
        ("saleline_while_written", "UPDATE workshop_saleline SET quantity = 9 WHERE id = %s", [line.pk]),
        ("saleline_while_written", "UPDATE workshop_saleline SET returned = 1 WHERE id = %s", [line.pk]),
        ("saleline_while_written", "DELETE FROM workshop_saleline WHERE id = %s", [line.pk]),
        ("salereturn_of_a_sale", BACK, [open_line.pk, "OPENED", 1, 0, "x"]),
        ("saleline_quantities", BACK, [line.pk, "OPENED", 3, 0, "x"]),
        ("countersale_amounts", BACK, [line.pk, "OPENED", 1, 999, "x"]),
        ("salereturn_reason", BACK, [line.pk, "OPENED", 1, 0, ""]),
        ("salereturn_condition", BACK, [line.pk, "NEW", 1, 0, "x"]),
        ("salereturn_on_the_shelf", BACK, [line.pk, "UNOPENED", 1, 98, "x"]),
        ("salepayment_within_sale", PAY, [me, "X1", sale.pk, "CASH", "96.01", None, ""]),
        ("salepayment_within_sale", PAY, [me, "X1", draft.pk, "CASH", "1.00", None, ""]),
        ("salepayment_within_sale", PAY, [me, "X1", sale.pk, "CASH", "-100.01", paid.pk, "x"]),
        ("salepayment_sign", PAY, [me, "X1", sale.pk, "CASH", "-1.00", paid.pk, ""]),
        ("salepayment_is_money", PAY, [me, "X1", sale.pk, "DEPOSIT", "1.00", None, ""]),
        ("salepayment_append_only", "UPDATE delivery_salepayment SET amount = 1", []),
        ("salereturn_append_only", "DELETE FROM workshop_salereturn", []),
    ):  # fmt: skip
        if rule == "salereturn_append_only":
            back(shop, sale, condition="OPENED")
        with refused(rule) as sql:
            sql(statement, values)
    assert (SalePayment.objects.count(), SaleReturn.objects.count(), shelf(shop, part(WIPER)).on_hand) == (1, 1, D(3))
    assert not CounterSale.objects.filter(returned_total__gt=F("total")).exists()


def test_the_counter_is_worked_by_scanning_and_enter(shop):
    stocked(shop)
    known = customers.register_customer(name="张试买", phone="13900001111", by=shop.advisor)
    client, till = Client(), Client()
    client.force_login(make_actor("parts", store=shop.store).user)
    assert client.get(reverse("counter-sales")).status_code == 200
    page = client.post(reverse("counter-sale-begin")).headers["Location"]
    assert client.post(page, {"code": WIPER, "quantity": "2"}).headers["Location"] == page
    assert client.post(page, {"code": "NO", "quantity": "1"}).status_code == 422
    sale = CounterSale.objects.get()
    line = SaleLine.objects.get()
    client.post(page, {"code": WIPER, "quantity": "1"})
    change = reverse("counter-sale-change", args=[sale.uid])
    assert client.post(change, {"phone": "13900009999"}).status_code == 422
    assert client.post(change, {"phone": "139 0000 1111"}).status_code == 302
    assert client.get(change).status_code == 200
    assert client.post(reverse("counter-sale-sell", args=[sale.uid])).headers["Location"] == page
    shown = client.get(page).content.decode()
    assert "294.00" in shown
    assert known.name in shown
    returns = reverse("sale-line-return", args=[line.uid])
    assert returns in shown
    assert client.get(returns).status_code == 200
    cashier = make_actor("cashier", store=shop.store)
    till.force_login(cashier.user)
    assert sale.number in till.get(reverse("payment-list")).content.decode()
    pays = reverse("counter-sale-pay", args=[sale.uid])
    assert 'value="294.00"' in till.get(pays).content.decode()
    assert till.post(pays, {"method": "CASH", "amount": "294.00"}).status_code == 302
    assert client.post(returns, {"condition": "UNOPENED", "quantity": "1", "reason": "买错"}).status_code == 302
    till.force_login(make_actor("accountant", store=shop.store).user)
    gives = reverse("sale-payment-refund", args=[SalePayment.objects.get().uid])
    assert 'value="98.00"' in till.get(gives).content.decode()
    assert "应退 ¥98.00" in till.get(gives).content.decode()
    assert till.post(gives, {"amount": "98.00", "reason": "退货"}).status_code == 302
    day = till.get(reverse("payment-list")).content.decode()
    assert day.count(sale.number) == 2  # in and out; nothing is open
    assert till.get(page).status_code == 200
    second = client.post(reverse("counter-sale-begin")).headers["Location"]
    client.post(second, {"code": WIPER, "quantity": "1"})
    off = reverse("sale-line-off", args=[SaleLine.objects.latest("id").uid])
    assert client.post(off).headers["Location"] == second
    assert client.post(second + "drop/").headers["Location"] == reverse("counter-sales")
    assert sale.number in client.get(reverse("counter-sales")).content.decode()


def test_another_system_sells_and_takes_the_money(shop):
    stocked(shop)
    caller = ApiCaller("workshop:write", "delivery:write", store=shop.store)
    sale = caller.post("counter-sales", {}).json()["uid"]
    put = caller.act(f"counter-sales/{sale}", "put", {"code": WIPER, "quantity": "2.00"}).json()
    assert put["lines"][0]["amount"] == "196.00"
    assert caller.act(f"counter-sales/{sale}", "sell").json()["total"] == "196.00"
    body = {"counter_sale_uid": sale, "method": "CASH", "amount": "196.00"}
    paid = caller.post("sale-payments", body)
    assert paid.status_code == 201, paid.content
    problem(caller.post("sale-payments", body), 409, "payment.amount")
    given = {"sale_line_uid": put["lines"][0]["sale_line_uid"], "quantity": "1.00", "reason": "买错"}
    came = caller.post("sale-returns", given)
    assert (came.status_code, came.json()["amount"]) == (201, "98.00")
    gone = caller.act(f"sale-payments/{paid.json()['uid']}", "refund", {"amount": "98.00", "reason": "退货"})
    assert gone.status_code == 200
