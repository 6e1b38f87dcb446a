"""3.2: a core charge is written with the issue or the sale, given back for the old part, and credited by the supplier."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.catalogue.services.prices import set_part_price
from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.models import History
from delivery.selectors.payments import day_close
from delivery.services import cores as money
from delivery.services import sales as till
from delivery.services.payments import take_payment
from delivery.services.settlements import draft_settlement, issue_settlement, sign_settlement
from tests.factories.api import ApiCaller, problem
from tests.factories.cores import make_core, make_paid_core
from tests.factories.delivery import make_team, make_visit
from tests.factories.kernel import make_actor
from tests.factories.workshop import link_actor, make_order, make_received_visit, make_shop, part
from tests.workshop.test_stock import keeper, part_line
from workshop.core_models import CoreCharge, CoreReturn
from workshop.documents import contract_data, contract_pdf
from workshop.models import RepairOrder
from workshop.selectors.contracts import contract_of
from workshop.selectors.orders import asked_of, chosen_sum, order_page
from workshop.services import authorizations, cores, orders, sales, stock
from workshop.services.old_parts import decide_old_part, keep_old_parts

D = Decimal
STARTER = "BLB-LED-H7"  # 860.00


@pytest.fixture
def shop(db):
    shop = make_shop()
    for number in (STARTER, "OIL-5W30-1L"):
        price = part(number).prices.get(store=shop.store)
        set_part_price(
            store=shop.store, part=part(number), price=price.price, core=D("300.00"), starts_on=clock.today(), by=shop.manager
        )  # fmt: skip
        stock.receive_stock(part_uid=part(number).uid, quantity=D(9), unit_cost=D(40), by=keeper(shop))
    return shop


def agree():
    """Checks what the database looks at when a transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refusal_of(call, **facts):
    before = (History.objects.count(), CoreReturn.objects.count())
    with pytest.raises(RuleError) as refusal:
        call(**facts)
    assert (History.objects.count(), CoreReturn.objects.count()) == before
    return refusal.value.code


def issued(shop) -> CoreCharge:
    row = part_line(shop)
    assert row.core_price == D("300.00")
    stock.issue_part(part_line_uid=row.uid, by=keeper(shop))
    return CoreCharge.objects.get(part_line=row)


def bring(shop, core, quantity=1, **facts):
    told = {"core_uid": core.uid, "quantity": D(quantity), "brought_by": "沈示例", "by": keeper(shop)} | facts
    return cores.take_core(**told)


def test_it_follows_what_is_issued_and_is_given_back_for_the_old_part(shop):
    core = issued(shop)
    assert (core.quantity, core.amount, core.due_on) == (D(2), D("600.00"), clock.today() + timedelta(days=30))
    stock.return_part(part_line_uid=core.part_line.uid, quantity=D("0.5"), reason="多领", by=keeper(shop))
    core.refresh_from_db()
    assert (core.quantity, core.amount) == (D("1.5"), D("450.00"))
    assert bring(shop, core).credit == D("300.00")
    damaged = bring(shop, core, "0.5", condition="DAMAGED", credit=D("50.00"), reason="壳体开裂")
    core.refresh_from_db()
    assert (core.left, core.credited, core.kept) == (D(0), D("350.00"), D("100.00"))
    agree()
    back = {"part_line_uid": core.part_line.uid, "quantity": D(1), "reason": "错", "by": keeper(shop)}
    assert refusal_of(stock.return_part, **back) == "core.credited"
    assert refusal_of(cores.credit_core, uid=damaged.uid, amount=D(1), by=keeper(shop)) == "state.move"
    cores.send_core(uid=damaged.uid, reference="SF-77", by=keeper(shop))
    sent = cores.credit_core(uid=damaged.uid, amount=D("40.00"), by=keeper(shop))
    assert (sent.state, sent.supplier_credit) == ("CREDITED", D("40.00"))


def test_what_is_refused_changes_nothing(shop):
    core = issued(shop)
    for facts, code in (
        ({"quantity": D(3)}, "core.quantity"),
        ({"brought_by": " "}, "core.who"),
        ({"condition": "X"}, "core.condition"),
        ({"condition": "DAMAGED", "credit": D(1)}, "core.reason"),
        ({"condition": "DAMAGED", "credit": D(301), "reason": "裂"}, "core.credit"),
        ({"condition": "DAMAGED", "reason": "裂"}, "core.credit"),
    ):
        assert refusal_of(bring, shop=shop, core=core, **facts) == code
    with clock.moved_to(clock.now() + timedelta(days=31)):
        assert refusal_of(bring, shop=shop, core=core) == "core.too_late"


COME = (
    "INSERT INTO workshop_corereturn (uid, version, created_at, updated_at, core_id, quantity, condition, credit, reason,"
    " brought_by, at, state, reference) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, %s, %s, 'HERE', '')"
)


def test_the_database_keeps_charge_and_returns_together(shop, refused):
    core = issued(shop)
    now, late = clock.now(), clock.now() + timedelta(days=31)
    agree()
    for rule, statement, values in (
        ("corecharge_by_return_only", "UPDATE workshop_corecharge SET credited = 1 WHERE id = %s", [core.pk]),
        ("corecharge_fixed", "UPDATE workshop_corecharge SET unit_amount = 1 WHERE id = %s", [core.pk]),
        ("corecharge_amounts", "UPDATE workshop_corecharge SET amount = 1 WHERE id = %s", [core.pk]),
        ("corereturn_as_agreed", COME, [core.pk, 1, "WHOLE", 299, "", "沈", now]),
        ("corereturn_as_agreed", COME, [core.pk, 1, "DAMAGED", 301, "裂", "沈", now]),
        ("corereturn_as_agreed", COME, [core.pk, 1, "WHOLE", 300, "", "沈", late]),
        ("corecharge_amounts", COME, [core.pk, 3, "WHOLE", 900, "", "沈", now]),
        ("corereturn_reason", COME, [core.pk, 1, "DAMAGED", 1, "", "沈", now]),
    ):
        with refused(rule) as sql:
            sql(statement, values)
    with refused("corecharge_of_what_is_out") as sql:
        sql("UPDATE workshop_corecharge SET quantity = 1, amount = 300 WHERE id = %s", [core.pk])
        sql("SET CONSTRAINTS ALL IMMEDIATE", [])
    other = part_line(shop)
    with refused("partline_core_follows") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [other.pk])
        sql("SET CONSTRAINTS ALL IMMEDIATE", [])


def test_a_counter_sale_takes_it_and_gives_it_back(shop):
    by = keeper(shop)
    cashier, accountant = (make_actor(post, store=shop.store) for post in ("cashier", "accountant"))
    sale = sales.begin_sale(by=by)
    sales.put_on_sale(uid=sale.uid, code=STARTER, quantity=D(3), by=by)
    sales.change_sale(uid=sale.uid, discount=D("30.00"), reason="老客户", by=shop.manager)
    sale = sales.sell(uid=sale.uid, by=by)
    assert sale.total == D("3450.00")  # 2,580 and 900 less 30
    assert (sale.goods_total, sale.core_total) == (D("2550.00"), D("900.00"))
    paid = till.take_sale_payment(sale_uid=sale.uid, method="CASH", amount=sale.total, by=cashier)
    core = CoreCharge.objects.get(sale_line__sale=sale)
    bring(shop, core, brought_by="散客")
    line = sale.lines.get()
    # one new part unopened: its price less its share of the discount, and its core charge
    assert sales.take_back_sold(line_uid=line.uid, quantity=D(1), reason="买错", by=by).amount == D("1150.00")
    sale.refresh_from_db()
    assert sale.returned_total == D("1450.00")
    till.refund_sale_payment(payment_uid=paid.uid, amount=D("1450.00"), reason="退货及旧件", by=accountant)
    agree()
    back = {"line_uid": line.uid, "quantity": D(2), "reason": "又退", "by": by}
    assert refusal_of(sales.take_back_sold, **back) == "core.credited"
    client = Client()
    client.force_login(by.user)
    shown = client.get(reverse("counter-sale", args=[sale.uid])).content.decode()
    assert "旧件押金已退" in shown
    assert "−1,150.00" in shown


@pytest.fixture
def listed(db):
    """A finished order whose part has a core charge of 300, still to be listed."""
    team = make_team()
    core = make_core(make_visit(team))
    return team, RepairOrder.objects.get(pk=core.part_line.line.order_id), core


def test_the_list_shows_it_and_money_goes_back_for_an_old_part_that_comes_later(listed, refused):
    team, order, core = listed
    agree()
    settlement = issue_settlement(order_uid=order.uid, by=team.cashier)
    assert (settlement.other_total, settlement.total) == (D("300.00"), D("640.00"))
    assert "旧件押金" in settlement.lines.get(kind="OTHER").description
    settlement = sign_settlement(uid=settlement.uid, signed_name="沈示例", by=team.advisor)
    keeps = make_actor("parts", store=team.store)
    cores.take_core(core_uid=core.uid, quantity=D(1), brought_by="沈示例", by=keeps)
    give = {"core_uid": core.uid, "method": "CASH", "amount": D("300.00"), "by": team.accountant}
    assert refusal_of(money.pay_core_back, **give) == "core.payout"  # nothing is paid yet
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=team.cashier)
    with refused("corepayout_within") as sql:
        sql(
            "INSERT INTO delivery_corepayout (uid, version, created_at, updated_at, store_id, number, core_id, method, amount,"
            " at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'YJ-1', %s, 'CASH', -300.01, now())",
            [team.store.pk, core.pk],
        )
    client = Client()
    client.force_login(team.accountant.user)
    page = reverse("core-payout", args=[core.uid])
    assert client.get(page).status_code == 200
    assert client.post(page, {"method": "CASH", "amount": "300.00"}).status_code == 302
    assert refusal_of(money.pay_core_back, **give | {"amount": D("0.01")}) == "core.payout"
    assert day_close(by=team.cashier).net == D("340.00")
    assert "旧件押金已退" in client.get(reverse("payment-list")).content.decode()


def test_what_the_customer_leaves_counts_as_come_in_and_doesnt_go_home_as_well(listed):
    team, _order, core = listed
    [old] = keep_old_parts(line_uid=core.part_line.line.uid, by=make_actor("parts", store=team.store))
    core.refresh_from_db()
    assert (old.disposition, core.left, core.credited) == ("SHOP", D(0), D("300.00"))
    told = {"uid": old.uid, "disposition": "CUSTOMER", "by": team.advisor}
    assert refusal_of(decide_old_part, **told) == "core.credited"


def test_what_came_in_before_the_list_isnt_on_it(listed):
    team, order, core = listed
    cores.take_core(core_uid=core.uid, quantity=D(1), brought_by="沈示例", by=make_actor("parts", store=team.store))
    assert draft_settlement(order).totals.other == D(0)


def test_the_keeper_takes_it_in_and_sends_it_on(shop):
    core = issued(shop)
    client = Client()
    client.force_login(keeper(shop).user)
    assert STARTER not in client.get(reverse("cores")).content.decode()
    assert "OIL-5W30-1L" in client.get(reverse("cores")).content.decode()
    told = {"condition": "WHOLE", "quantity": "2", "brought_by": "沈示例"}
    assert client.post(reverse("core-take", args=[core.uid]), told | {"quantity": "5"}).status_code == 422
    assert client.post(reverse("core-take", args=[core.uid]), told).status_code == 302
    came = core.returns.get()
    assert client.post(reverse("core-send", args=[came.uid]), {"reference": "SF-1"}).status_code == 302
    assert client.post(reverse("core-credit", args=[came.uid]), {"amount": "0"}).status_code == 302
    assert "供应商已抵扣" in client.get(reverse("cores") + "?show=all").content.decode()
    assert client.get(reverse("old-parts")).status_code == 200


def test_another_system_takes_it_in(shop):
    core = issued(shop)
    caller = ApiCaller("workshop:write", store=shop.store)
    assert caller.get(f"core-charges/{core.uid}").json()["amount"] == "600.00"
    body = {"core_charge_uid": str(core.uid), "quantity": "9.00", "brought_by": "沈示例"}
    problem(caller.post("core-returns", body), 409, "core.quantity")
    came = caller.post("core-returns", body | {"quantity": "2.00"})
    assert came.status_code == 201
    sent = caller.act(f"core-returns/{came.json()['uid']}", "send", {"reference": "SF-1"})
    assert sent.json()["state"] == "SENT"


def test_another_system_gives_the_money_back(shop):
    core = make_paid_core(make_received_visit(shop))
    cores.take_core(core_uid=core.uid, quantity=D(1), brought_by="沈示例", by=keeper(shop))
    caller = ApiCaller("delivery:write", store=shop.store)
    body = {"core_charge_uid": str(core.uid), "method": "CASH", "amount": "300.01"}
    problem(caller.post("core-payouts", body), 409, "core.payout")
    paid = caller.post("core-payouts", body | {"amount": "300.00"})
    assert (paid.status_code, paid.json()["amount"]) == (201, "-300.00")


def test_order_estimate_and_contract_say_what_is_paid_with_the_core_charges(shop, client: Client) -> None:
    order = make_order(shop)
    line = orders.add_line(order_uid=order.uid, description="更换大灯", hours=D(20), category="MINOR", by=shop.advisor)
    orders.add_part(line_uid=line.uid, part_uid=part(STARTER).uid, quantity=D(2), by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    asked = asked_of(order.visit_id, link_actor(order))[0]
    said = chosen_sum(asked, {str(line.uid)})
    assert (said["cores"], said["to_pay"]) == (D(600), said["total"] + 600)
    assert chosen_sum(asked, set())["cores"] == 0
    token = order.visit.link.token
    total = reverse("visit-link-total", args=[token, order.uid])
    shown = client.get(total, {f"decision_{line.uid}": "yes"}).content.decode()
    assert "+ ¥600" in shown
    assert f"{said['to_pay']:,.2f}" in shown
    contract = contract_of(order)
    assert contract is not None
    assert contract.cores == D(600)
    assert "¥600" in contract_data(contract)["cores"]
    assert contract_pdf(contract)[:5] == b"%PDF-"
    agree_all_open(shop, order)
    page = order_page(order.uid, shop.advisor)
    assert (page.cores, page.to_pay) == (D(600), page.owed_total + 600)
    client.force_login(shop.advisor.user)
    assert "旧件押金 ¥600.00（交回旧件即退）" in client.get(reverse("order-detail", args=[order.uid])).content.decode()
    row = line.part_lines.get()
    stock.issue_part(part_line_uid=row.uid, by=keeper(shop))
    bring(shop, CoreCharge.objects.get(part_line=row))
    assert order_page(order.uid, shop.advisor).cores == D(300)


def agree_all_open(shop, order: RepairOrder) -> None:
    lines = order.lines.filter(state="PENDING").values_list("uid", flat=True)
    authorizations.decide_lines(
        order_uid=order.uid, decisions=dict.fromkeys(lines, (True, "")), method="VERBAL_PHONE", authorized_by="沈示例",
        note="电话", by=shop.advisor,
    )  # fmt: skip


def test_what_an_insurer_pays_carries_no_core_charge(shop) -> None:
    order = make_order(shop)
    line = orders.add_line(
        order_uid=order.uid, description="更换大灯", hours=D(1), pay_type="WARRANTY", by=shop.advisor
    )
    orders.add_part(line_uid=line.uid, part_uid=part(STARTER).uid, quantity=D(1), by=shop.advisor)
    assert line.part_lines.get().core_price == 0
    assert order_page(order.uid, shop.advisor).cores == 0
