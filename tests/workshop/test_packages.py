"""Packages: several pieces of work at one price, allotted to the fen, agreed to as a whole (3.1)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import assume, given
from hypothesis import strategies as st

from dealership.catalogue.models import ServicePackage
from dealership.catalogue.services.packages import end_package, set_package, single_price
from dealership.kernel import clock
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.workshop import PHONE, YES, Shop, add_operation, make_order, make_shop, operation
from workshop.models import OrderLine, RepairOrder
from workshop.package_models import OrderPackage
from workshop.package_rules import Shares, share_price
from workshop.package_rules import single_price as one_by_one
from workshop.selectors.maintenance import due_list, not_there, operations_of
from workshop.selectors.orders import asked_of
from workshop.selectors.packages import offers_for, packages_panel
from workshop.services import authorizations, orders, packages

CODES = ("MT-10", "MT-20", "TY-20")
NO = (False, "太贵", "PRICE")
labors = st.lists(st.decimals("20.00", "900.00", places=2), min_size=1, max_size=6)
parts = st.lists(st.tuples(st.decimals("0.50", "4.00", places=2), st.decimals("5.00", "800.00", places=2)), max_size=5)


@given(labors, parts, st.decimals("0.30", "0.99", places=2))
def test_the_shares_add_up_to_the_price_to_the_fen(labor: list, held: list, part_of: Decimal) -> None:
    single = one_by_one(labor, held)
    price = (single * part_of).quantize(Decimal("0.01"))
    assume(sum(labor) * 10 >= single >= 100)
    shares = share_price(price, labor, held)
    units = [(quantity, unit) for (quantity, _old), unit in zip(held, shares.units, strict=True)]
    assert one_by_one(list(shares.labor), units) == price
    assert all(0 <= share <= gross for share, gross in zip(shares.labor, labor, strict=True))
    assert all(0 <= unit <= old for unit, (_quantity, old) in zip(shares.units, held, strict=True))


def test_a_price_that_saves_nothing_is_no_package() -> None:
    for price in ("0.00", "-1.00", "100.00", "100.01"):
        with pytest.raises(ValueError, match="costs less"):
            share_price(Decimal(price), [Decimal("60.00"), Decimal("40.00")], [])
    saved = share_price(Decimal("90.00"), [Decimal("60.00"), Decimal("20.00")], [(Decimal(1), Decimal("20.00"))])
    assert saved == Shares((Decimal("52.50"), Decimal("17.50")), (Decimal("20.00"),))


pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def offered(shop: Shop, *, price: str = "", **more) -> ServicePackage:
    operations = [operation(code) for code in CODES]
    single = single_price(operations, shop.store.pk, clock.today())
    given = {
        "code": "PK-10", "name": "省心保养套餐", "name_en": "Carefree service", "starts_on": clock.today(),
        "price": Decimal(price) if price else single - Decimal("100.01"),
        "operation_uids": [one.uid for one in operations], "by": shop.manager,
    }  # fmt: skip
    return set_package(**given | more)


def put(shop: Shop) -> tuple[RepairOrder, OrderPackage]:
    order = make_order(shop, with_diagnosis=False)
    return order, packages.put_package(order_uid=order.uid, package_uid=offered(shop).uid, by=shop.advisor)


def lines(order: RepairOrder) -> list[OrderLine]:
    return list(order.lines.order_by("position"))


def worth(rows: list[OrderLine]) -> Decimal:
    return sum((orders.line_total(line) for line in rows), Decimal(0))


def decide(order: RepairOrder, decisions: dict, shop: Shop) -> RepairOrder:
    return authorizations.decide_lines(
        order_uid=order.uid, decisions=decisions, method=PHONE, authorized_by="沈示例", note="电话", by=shop.advisor
    )


# --- what a store offers ---


def test_a_version_ends_the_one_before_it(shop: Shop, refused) -> None:
    first = offered(shop)
    second = offered(shop, starts_on=clock.today() + timedelta(days=5))
    first.refresh_from_db()
    assert (first.ends_on, second.number) == (clock.today() + timedelta(days=4), 2)
    with rule("package.later"):
        offered(shop, starts_on=clock.today() + timedelta(days=5))
    with rule("package.empty"):
        offered(shop, code="X", operation_uids=[operation("MT-10").uid])
    with rule("package.price"):
        offered(shop, code="X", price="99999")
    with rule("package.ended"):
        end_package(uid=first.uid, ends_on=clock.today(), by=shop.manager)
    for change in ("price = 1", "name = 'x'", "ends_on = NULL"):
        with refused("servicepackage_is_fixed") as sql:
            sql(f"UPDATE catalogue_servicepackage SET {change} WHERE id = %s", [first.pk])
    with refused("packageitem_append_only") as sql:
        sql("DELETE FROM catalogue_packageitem WHERE package_id = %s", [first.pk])
    with refused("servicepackage_one_a_day"):
        ServicePackage.objects.create(
            store=shop.store, code="PK-10", number=9, name="x", price=1, starts_on=clock.today()
        )


# --- on the order ---


def test_its_lines_cost_what_the_package_costs(shop: Shop) -> None:
    order, made = put(shop)
    rows = lines(order)
    assert ([line.operation.code for line in rows], worth(rows)) == (list(CODES), made.price)
    assert all(line.discount > 0 for line in rows)
    assert History.objects.filter(order_uid=order.uid, code="workshop.package.put").count() == 1
    with rule("package.there"):
        packages.put_package(order_uid=order.uid, package_uid=made.package.uid, by=shop.advisor)


def test_the_customer_sees_one_price_and_decides_on_the_whole(shop: Shop) -> None:
    order, made = put(shop)
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert {entry["package"]["price"] for entry in estimate.content["lines"]} == {str(made.price)}
    (asked,) = asked_of(order.visit_id, shop.advisor)
    (card,) = asked.lines
    assert (card.total, len(card.holds), card.description) == (made.price, 3, "省心保养套餐")
    said = Client().get(reverse("visit-link", args=[order.visit.link.token])).content.decode()
    assert "省心保养套餐" in said
    first, second, _third = lines(order)
    with rule("package.whole"):
        decide(order, {first.uid: YES, second.uid: NO}, shop)
    decide(order, {first.uid: YES}, shop)
    rows = lines(order)
    assert {line.state for line in rows} == {"AUTHORIZED"}
    assert sum(line.authorized_amount for line in rows) == made.price
    with rule("package.agreed"):
        packages.dissolve_package(uid=made.uid, reason="x", by=shop.advisor)
    with rule("package.line"):
        orders.change_line(line_uid=first.uid, pay_type="WARRANTY", by=shop.advisor)


def test_a_declined_package_is_offered_again_as_a_whole(shop: Shop) -> None:
    order, made = put(shop)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    decide(order, {lines(order)[0].uid: NO}, shop)
    assert {line.state for line in lines(order)} == {"DECLINED"}
    authorizations.offer_again(line_uid=lines(order)[1].uid, by=shop.advisor)
    assert {line.state for line in lines(order)} == {"DRAFT"}
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert worth(lines(order)) == made.price


def test_losing_a_line_dissolves_it(shop: Shop) -> None:
    order, made = put(shop)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    first, *rest = lines(order)
    for change in (
        lambda: orders.change_line(line_uid=first.uid, hours=Decimal(9), by=shop.advisor),
        lambda: orders.discount_line(line_uid=first.uid, amount=Decimal(1), reason="x", by=shop.advisor),
        lambda: orders.remove_part(part_line_uid=first.part_lines.first().uid, by=shop.advisor),
    ):
        with rule("package.line"):
            change()
    single = one_by_one([line.labor_amount + line.discount for line in rest], [])
    desk = Client()
    desk.force_login(shop.employee.user)
    assert "省心保养套餐" in desk.get(reverse("line-cancel", args=[first.uid])).content.decode()
    answer = desk.post(reverse("line-cancel", args=[first.uid]), {"reason": "客户不做"}, follow=True)
    assert "套餐“省心保养套餐”已解散" in answer.content.decode()
    made.refresh_from_db()
    after = lines(order)
    assert (made.dissolved_reason, [line.state for line in after]) == ("客户不做", ["CANCELLED", "DRAFT", "DRAFT"])
    assert ({line.discount for line in after}, {line.package_id for line in after}) == ({Decimal("0.00")}, {None})
    assert sum(line.labor_amount for line in after[1:]) == single
    assert History.objects.filter(order_uid=order.uid, code="workshop.package.dissolved").count() == 1


def test_the_database_holds_the_price_and_the_whole(shop: Shop, refused) -> None:
    order, made = put(shop)
    first, second, _third = lines(order)
    with refused("orderline_package_adds_up") as sql:
        sql(
            "UPDATE workshop_orderline SET discount = discount + 1, labor_amount = labor_amount - 1 WHERE id = %s",
            [second.pk],
        )
        sql("UPDATE workshop_orderline SET state = 'PENDING' WHERE id = %s", [first.pk])
    with refused("orderline_package_adds_up") as sql:
        sql("UPDATE workshop_orderline SET package_id = NULL, discount = 0 WHERE id = %s", [second.pk])
        sql("UPDATE workshop_orderline SET state = 'PENDING' WHERE id = %s", [first.pk])
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    with refused("orderline_package_whole") as sql:
        sql("UPDATE workshop_orderline SET state = 'DECLINED' WHERE id = %s", [first.pk])
        OrderLine.objects.get(pk=second.pk)
        decision = {"order": order, "line": second, "status": "APPROVED", "method": PHONE, "authorized_by": "沈示例"}
        second.authorizations.create(**decision, amount=orders.line_total(second), note="x")
        sql(
            "UPDATE workshop_orderline SET state = 'AUTHORIZED', authorized_amount = %s WHERE id = %s",
            [orders.line_total(second), second.pk],
        )
    with refused("orderline_package_fixed") as sql:
        sql("UPDATE workshop_orderline SET package_id = NULL WHERE id = %s", [first.pk])
    with refused("orderpackage_dissolved_before_yes") as sql:
        sql("UPDATE workshop_orderpackage SET dissolved_at = now(), dissolved_reason = 'x' WHERE id = %s", [made.pk])
    with refused("orderpackage_fixed") as sql:
        sql("UPDATE workshop_orderpackage SET price = 1 WHERE id = %s", [made.pk])


# --- offered by what is due ---


def test_what_is_due_offers_the_package(shop: Shop) -> None:
    package = offered(shop)
    order = make_order(shop, with_diagnosis=False)
    vehicle = order.vehicle
    vehicle.delivered_on = clock.today() - timedelta(days=900)
    vehicle.save(update_fields=["delivered_on"])
    found = due_list(vehicle, store_id=shop.store.pk)
    (offer,) = offers_for(vehicle, store_id=shop.store.pk, found=found)
    due = {row.operation.code for row in found.proposed}
    assert (offer.package, offer.saves) == (package, Decimal("100.01"))
    assert (offer.covers, offer.due) == (len(due & set(CODES)), len(due))
    assert offer.covers > 0
    desk = Client()
    desk.force_login(shop.employee.user)
    page = desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert f"涵盖 {offer.due} 项到期保养中的 {offer.covers} 项" in page
    assert "省 ¥100.01" in page
    adding = desk.get(reverse("line-new", args=[order.uid])).content.decode()
    assert "省 ¥100.01" in adding, "who adds work sees the package too"
    answer = desk.post(reverse("order-package", args=[order.uid]), {"package": str(package.uid)})
    assert answer.status_code == 302
    assert (worth(lines(order)), bool(lines(order)[0].cause)) == (package.price, True)
    assert desk.post(reverse("order-package", args=[order.uid]), {"package": "x"}).status_code == 422


def test_another_cars_package_isnt_offered(shop: Shop) -> None:
    package = offered(shop, powertrain="BEV")
    order = make_order(shop, with_diagnosis=False)
    assert offers_for(order.vehicle, store_id=shop.store.pk, found=None) == []
    with rule("package.gone"):
        packages.put_package(order_uid=order.uid, package_uid=package.uid, by=shop.advisor)
    assert not order.lines.exists()


# --- pages and other systems ---


def test_pages_of_packages(shop: Shop) -> None:
    desk = Client()
    desk.force_login(shop.manager.user)
    assert "还没有套餐" in desk.get(reverse("packages")).content.decode()
    sent = {
        "code": "pk-20", "name": "轮胎套餐", "price": "200", "starts_on": clock.today().isoformat(),
        "operations": [str(operation(code).uid) for code in CODES],
    }  # fmt: skip
    assert desk.post(reverse("package-new"), sent).status_code == 302
    made = ServicePackage.objects.get()
    assert (made.code, made.items.count()) == ("PK-20", 3)
    assert "轮胎套餐" in desk.get(reverse("package-new"), {"from": str(made.uid)}).content.decode()
    assert desk.post(reverse("package-end", args=[made.uid]), {"ends_on": clock.today().isoformat()}).status_code == 302
    assert "轮胎套餐" in desk.get(reverse("packages")).content.decode()


def test_other_systems_set_put_and_dissolve(shop: Shop) -> None:
    manager = ApiCaller("catalogue:write", store=shop.store, acts_for=shop.manager.user)
    body = {
        "code": "PK-30", "name": "套餐", "price": "200.00", "starts_on": clock.today().isoformat(),
        "operation_uids": [str(operation(code).uid) for code in CODES],
    }  # fmt: skip
    made = manager.post("service-packages", body)
    assert (made.status_code, len(made.json()["items"])) == (201, 3)
    order = make_order(shop, with_diagnosis=False)
    desk = ApiCaller("workshop:write", store=shop.store, acts_for=shop.advisor.user)
    given = {"repair_order_uid": str(order.uid), "package_uid": made.json()["uid"]}
    row = desk.post("order-packages", given)
    assert row.status_code == 201
    problem(desk.post("order-packages", given), 409, "package.there")
    done = desk.act(f"order-packages/{row.json()['uid']}", "dissolve", {"reason": "客户只做机油"})
    assert (done.status_code, done.json()["dissolved_reason"]) == (200, "客户只做机油")


def test_what_stands_on_the_order_is_not_offered_again(shop: Shop) -> None:
    """Its oil and filter come with the bigger service that is on the order already: neither offered nor put on twice."""
    package = offered(shop, operation_uids=[operation("MT-10").uid, operation("EN-30").uid], price="400.00")
    order = make_order(shop, with_diagnosis=False)
    panel = packages_panel(shop.advisor, order, None)
    assert panel is not None
    assert [offer.package for offer in panel["offers"]] == [package]
    line = add_operation(shop, order, "MT-20")
    assert packages_panel(shop.advisor, order, None) is None
    with rule("package.part_there"):
        packages.put_package(order_uid=order.uid, package_uid=package.uid, by=shop.advisor)
    assert (order.lines.count(), OrderPackage.objects.count()) == (1, 0)
    orders.cancel_line(line_uid=line.uid, reason="改做套餐", by=shop.advisor)
    packages.put_package(order_uid=order.uid, package_uid=package.uid, by=shop.advisor)
    assert OrderPackage.objects.count() == 1


def test_due_work_that_bigger_work_on_the_order_brings_is_not_offered_again(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    add_operation(shop, order, "MT-20")
    small, other = (SimpleNamespace(operation=operation(code)) for code in ("MT-10", "TY-20"))
    assert not_there([small, other], operations_of(order)) == [other]  # type: ignore[list-item]
    assert not_there([small, other], []) == [small, other]  # type: ignore[list-item]
