"""3.2: the register of suppliers: each name once, chosen for purchases and outside work; lead times tell when parts come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Part
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import make_shop
from tests.workshop.test_purchasing import day, order
from tests.workshop.test_stock import keeper, part_line
from workshop import migrations
from workshop.models import PurchaseOrder
from workshop.selectors.purchasing import proposals
from workshop.services import purchasing, stock
from workshop.services.suppliers import correct_supplier, enter_supplier
from workshop.supplier_models import Supplier

D = Decimal
FACTS = {"name": "示例备件", "kind": "PARTS", "contact": "示例业务员", "phone": "010-88886666", "lead_days": 9}


@pytest.fixture
def shop(db):
    return make_shop()


def told(uid) -> list[str]:
    return list(History.objects.filter(root_uid=uid).order_by("id").values_list("code", flat=True))


def test_a_supplier_is_entered_once_and_put_right(shop):
    by = keeper(shop)
    row = enter_supplier(**FACTS, by=by)
    with rule("supplier.twice"):
        enter_supplier(name=" 示例备件 ", kind="WORK", by=by)
    kept = correct_supplier(uid=row.uid, **(FACTS | {"lead_days": 4, "active": False}), by=by)
    assert (kept.lead_days, kept.active, kept.contact) == (4, False, "示例业务员")
    correct_supplier(uid=row.uid, **(FACTS | {"lead_days": 4, "active": False}), by=by)  # nothing changes
    assert told(row.uid) == ["workshop.supplier.entered", "workshop.supplier.corrected"]
    assert "示例业务员" not in str(list(History.objects.values_list("facts", "changed")))
    for wrong, code in (
        ({"name": " "}, "supplier.name"),
        ({"kind": "X"}, "supplier.kind"),
        ({"lead_days": 366}, "supplier.lead_days"),
    ):
        with rule(code):
            enter_supplier(**(FACTS | {"name": "另一家"} | wrong), by=by)
    for wrong in ({"phone": "12"}, {"tax_number": "91110000X"}):
        with pytest.raises(ValidationError):
            enter_supplier(**(FACTS | {"name": "另一家"} | wrong), by=by)
    with pytest.raises(NotAllowed):
        enter_supplier(name="另一家", kind="PARTS", by=make_actor("technician", store=shop.store))
    with pytest.raises(Supplier.DoesNotExist):
        correct_supplier(uid=row.uid, **FACTS, by=keeper(make_shop()))
    assert Supplier.objects.filter(store=shop.store).count() == 1


def test_an_order_names_its_supplier_and_keeps_the_name_it_was_written_under(shop):
    part, by = Part.objects.first(), keeper(shop)
    first = order(shop, (part, 1, "5"))
    second = order(shop, (part, 1, "5"))
    row = Supplier.objects.get(store=shop.store)
    assert (row.name, row.kind, first.firm, second.firm) == ("示例备件", "PARTS", row, row)
    correct_supplier(uid=row.uid, **(FACTS | {"name": "示例备件（新名）"}), by=by)
    first.refresh_from_db()
    assert (first.supplier, first.firm.name) == ("示例备件", "示例备件（新名）")
    correct_supplier(uid=row.uid, **(FACTS | {"active": False}), by=by)
    with rule("supplier.inactive"):
        order(shop, (part, 1, "5"))
    correct_supplier(uid=row.uid, **(FACTS | {"kind": "WORK"}), by=by)
    with rule("supplier.other_kind"):
        order(shop, (part, 1, "5"))
    assert PurchaseOrder.objects.filter(store=shop.store).count() == 2


def test_the_lead_time_of_who_sold_it_last_tells_when_missing_parts_come(shop):
    by, wanted = keeper(shop), part_line(shop, quantity=D(3))
    usual = clock.today() + timedelta(days=3)
    stock.reserve_part(part_line_uid=wanted.uid, by=by)
    wanted.refresh_from_db()
    assert wanted.expected_on == usual  # nobody knows better
    enter_supplier(**FACTS, by=by)
    bought = order(shop, (wanted.part, 1, "5"), expected_on=day(1))
    purchasing.end_purchase(uid=bought.uid, reason="停产", by=by)
    stock.reserve_part(part_line_uid=wanted.uid, by=by)
    wanted.refresh_from_db()
    assert wanted.expected_on == clock.today() + timedelta(days=9)
    desk = Client()
    desk.force_login(by.user)
    form = desk.get(reverse("reorder")).context["form"]
    assert (form["supplier"].value(), form["expected_on"].value()) == ("示例备件", clock.today() + timedelta(days=9))
    [row] = proposals(by)
    cells = {f"quantity_{row.part.uid}": "3", f"cost_{row.part.uid}": "5", "supplier": "示例备件", "expected_on": ""}
    made = desk.post(reverse("reorder"), cells)
    assert made.status_code == 302
    assert PurchaseOrder.objects.latest("pk").expected_on == clock.today() + timedelta(days=9)


def test_the_pages_search_enter_and_put_right(shop):
    by = keeper(shop)
    desk = Client()
    desk.force_login(by.user)
    answer = desk.post(reverse("supplier-new"), FACTS | {"phone": "12"})
    assert (answer.status_code, "示例业务员" in answer.content.decode()) == (422, True)
    assert desk.post(reverse("supplier-new"), FACTS)["Location"] == reverse("suppliers")
    row = Supplier.objects.get()
    page = reverse("supplier", args=[row.uid])
    for words, there in (("示例业", True), ("8888", True), ("没有", False)):
        assert (page in desk.get(reverse("suppliers"), {"words": words}).content.decode()) == there
    bought = order(shop, (Part.objects.first(), 1, "5"))
    assert bought.number in desk.get(page).content.decode()
    assert desk.post(page, FACTS | {"kind": "BOTH"}).status_code == 302  # the box "is used" is left empty
    row.refresh_from_db()
    assert (row.kind, row.active) == ("BOTH", False)
    assert page in desk.get(reverse("suppliers") + "?show=gone").content.decode()
    slip = {"supplier": "示列备件", "number": Part.objects.first().number, "more": "1", "cost": "5"}
    refused = desk.post(reverse("reorder"), slip)
    assert (refused.status_code, "supplier" in refused.context["form"].errors) == (422, True)
    assert Supplier.objects.count() == 1
    assert desk.post(reverse("reorder"), slip | {"new_supplier": "on"}).status_code == 302
    assert Supplier.objects.count() == 2
    reader = Client()
    reader.force_login(make_actor("accountant", store=shop.store).user)
    assert "<form" not in reader.get(page).content.decode().split("<main", 1)[1].split("</main", 1)[0]
    assert reader.post(page, FACTS).status_code == 403


def test_the_database_knows_who_may_be_ordered_from(shop, refused):
    row = enter_supplier(**FACTS, by=keeper(shop))
    other = enter_supplier(**FACTS, by=keeper(make_shop()))
    insert = (
        "INSERT INTO workshop_purchaseorder (uid, version, created_at, updated_at, store_id, number, firm_id, supplier,"
        " expected_on, state, ordered_at, ended_reason)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, 'PO-X', %s, 'x', now(), 'ORDERED', now(), '')"
    )
    with refused("purchaseorder_supplier_known") as sql:
        sql(insert, [shop.store.pk, other.pk])
    correct_supplier(uid=row.uid, **(FACTS | {"active": False}), by=keeper(shop))
    with refused("purchaseorder_supplier_known") as sql:
        sql(insert, [shop.store.pk, row.pk])
    for statement, name in (
        ("UPDATE workshop_supplier SET name = '' WHERE id = %s", "supplier_named"),
        ("UPDATE workshop_supplier SET kind = 'X' WHERE id = %s", "supplier_kind"),
        ("UPDATE workshop_supplier SET lead_days = 400 WHERE id = %s", "supplier_lead_days"),
        (f"UPDATE workshop_supplier SET store_id = {other.store_id} WHERE id = %s", "supplier_store_fixed"),
        ("DELETE FROM workshop_supplier WHERE id = %s", "supplier_never_deleted"),
    ):
        with refused(name) as sql:
            sql(statement, [row.pk])
    bought = order_of(shop)
    with refused("purchaseorder_fixed") as sql:
        sql("UPDATE workshop_purchaseorder SET firm_id = %s WHERE id = %s", [row.pk, bought.pk])


def order_of(shop) -> PurchaseOrder:
    lines = [(Part.objects.first().uid, D(1), D(5))]
    return purchasing.order_parts(supplier="另一家示例", expected_on=day(), lines=lines, by=keeper(shop))


def test_the_migration_carries_every_name_over_once(shop):
    """Its own statement, on rows as they were before: names typed by hand, some of them twice."""
    [file] = Path(migrations.__file__).parent.glob("*_suppliers_carried_over.py")
    carried = import_module(f"workshop.migrations.{file.stem}").CARRIED
    select = carried[carried.index("    SELECT gen_random_uuid()") : carried.index(";\nALTER")]
    order(shop, (Part.objects.first(), 1, "5"))
    order(shop, (Part.objects.first(), 1, "5"))
    order_of(shop)
    with connection.cursor() as cursor:
        cursor.execute(select)
        found = {(row[4], row[5], row[6]) for row in cursor.fetchall()}
    assert found == {(shop.store.pk, "示例备件", "PARTS"), (shop.store.pk, "另一家示例", "PARTS")}


def test_the_api_enters_corrects_and_names_it_on_orders(shop):
    api = ApiCaller("workshop:write", "personal:read", store=shop.store)
    made = api.post("suppliers", {"name": "示例备件", "kind": "PARTS", "lead_days": 2}).json()
    problem(api.post("suppliers", {"name": "示例备件", "kind": "PARTS"}), 409, "supplier.twice")
    bought = api.post("purchase-orders", {
        "supplier": "示例备件", "expected_on": day().isoformat(),
        "lines": [{"part_uid": str(Part.objects.first().uid), "quantity": "1.00", "unit_cost": "5.0000"}],
    }).json()  # fmt: skip
    assert bought["supplier_uid"] == made["uid"]
    assert api.get("suppliers?kind=PARTS").json()["data"][0]["lead_days"] == 2
