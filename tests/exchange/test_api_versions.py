"""Whatever an item shows moves its version and its time of change, so that If-Match and updated_gte miss nothing.

Derived from the resources: for each look-up of a field into another table, and for each list of rows inside an item,
the table must carry a trigger that moves the item's root, or the column must be one that never changes. The stories of
``test_api_schemathesis.py`` look at the same from outside, operation by operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models

from dealership.catalogue.models import Part
from dealership.exchange import api
from dealership.exchange.models import ImportBatch
from dealership.kernel.actors import machine
from dealership.kernel.api.resources import RESOURCES, Resource
from dealership.kernel.models import StoredFile
from dealership.kernel.states import ShownIn
from delivery.models import Payment
from reception.models import Ownership, Vehicle
from staff.models import Post
from tests.exchange.shown import snapshot, unmoved
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_customer, make_vehicle
from tests.factories.staff import make_employee, make_store
from tests.factories.workshop import add_operation, make_order, make_shop
from workshop.models import Certificate, PartLine, PromiseChange, StockTakeLine
from workshop.services import stock

api.load()

# Fields that a resource's own ``rows`` works out, and the table they come from.
WORKED_OUT = {
    ("vehicles", "owner_uid"): Ownership,
    ("settlements", "paid_total"): Payment,
    ("settlements", "due_total"): Payment,
    ("certificate-ranges", "used"): Certificate,
    ("certificate-ranges", "void"): Certificate,
    ("certificate-ranges", "left"): Certificate,
    ("stock-takes", "lines.first_book"): StockTakeLine,
    ("stock-takes", "lines.second_book"): StockTakeLine,
    ("stock-takes", "lines.difference"): StockTakeLine,
    ("stock-takes", "lines.value"): StockTakeLine,
} | {
    ("imports", name): ImportBatch for name, f in RESOURCES["imports"].columns().items() if f.source.startswith("said_")
}
# Triggers in plain SQL, for a table that lies below the room of the root: (table's model, column) → its name.
IN_SQL = {(Part, "name"): "part_name_is_shown"}
NEVER_CHANGED = {StoredFile, PromiseChange}  # storedfile_immutable, promisechange_append_only


def triggers(model: type[models.Model]) -> list[Any]:
    return list(getattr(model._meta, "triggers", []))


def is_fixed(model: type[models.Model], field: models.Field) -> bool:
    """A key of others (uid), or a column that ``states.fixed`` holds."""
    if field.name == "uid" or model in NEVER_CHANGED:
        return True
    held = [str(t.operation) for t in triggers(model) if t.name.endswith("_fixed")]
    return any(f'"{field.column}"' in operation.removeprefix("UPDATE OF ").split(", ") for operation in held)


def moves(model: type[models.Model], root: type[models.Model], field: str = "") -> bool:
    """A change of ``model`` (of its ``field``) moves ``root``, perhaps by way of another table."""
    if (model, field) in IN_SQL:
        return True
    for trigger in triggers(model):
        if isinstance(trigger, ShownIn) and (not trigger.fields or field in trigger.fields):
            to = trigger.root_model(model)
            if to is root or (to is not model and moves(to, root)):
                return True
    return False


def hops(model: type[models.Model], path: str) -> Iterator[tuple[type[models.Model], models.Field]]:
    """Each column on the way of a look-up, with its table; what follows a plain column is a part of it (a range's end)."""
    for part in path.split("__"):
        field: Any = model._meta.get_field(part)
        if field.concrete:
            yield model, field
        if not field.related_model:
            return
        model = field.related_model


def not_held(resource: Resource) -> list[str]:
    root, left = resource.model, []

    def look(start: type[models.Model], path: str) -> None:
        for model, field in hops(start, path):
            if model not in (root, start) and not (is_fixed(model, field) or moves(model, root, field.name)):
                left.append(f"{path}: a change of {model.__name__}.{field.name} doesn't move {root.__name__}")

    for name, field in resource.columns().items():
        if (resource.path, name) in WORKED_OUT:
            if WORKED_OUT[resource.path, name] is not root and not moves(WORKED_OUT[resource.path, name], root):
                left.append(f"{name}: {WORKED_OUT[resource.path, name].__name__} doesn't move {root.__name__}")
        else:
            look(root, field.source or name)
    for name, many in resource.manys().items():
        rows = many.rows().model
        if not moves(rows, root):
            left.append(f"{name}: {rows.__name__} doesn't move {root.__name__}")
        for inner, field in many.fields.items():
            if (resource.path, f"{name}.{inner}") in WORKED_OUT:
                assert WORKED_OUT[resource.path, f"{name}.{inner}"] is rows  # which moves the root, as seen above
            else:
                look(rows, field.source or inner)
    return left


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_whatever_an_item_shows_moves_it(path: str) -> None:
    assert not_held(RESOURCES[path]) == []


def test_the_look_finds_what_is_missing() -> None:
    """Without the triggers of one table exactly the fields that come from it are named."""
    kept = Vehicle._meta.triggers
    Vehicle._meta.triggers = [t for t in kept if not isinstance(t, ShownIn)]
    try:
        assert not_held(RESOURCES["visits"]) == ["vehicle__plate: a change of Vehicle.plate doesn't move Visit"]
    finally:
        Vehicle._meta.triggers = kept


@pytest.mark.django_db
def test_the_triggers_in_sql_exist() -> None:
    with connection.cursor() as cursor:
        for (model, _field), name in IN_SQL.items():
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgname = %s AND tgrelid = %s::regclass AND tgenabled = 'O'",
                [name, model._meta.db_table],
            )
            assert cursor.fetchone() == (1,)


@pytest.mark.django_db
def test_another_systems_name_moves_the_item_but_not_what_may_not_change(store) -> None:
    """If-Match read before the name was given is refused afterwards; ``updated_gte`` gives the item again."""
    desk = ApiCaller("reception:write", "personal:read", store=store)
    path = f"customers/{make_customer().uid}"
    read = desk.get(path)
    before = snapshot()
    assert desk.act(path, "add-reference", {"system": "dms", "id": "C-1"}).status_code == 200
    after = snapshot()
    assert unmoved(before, after) == []
    assert after[1]["customers", read.json()["uid"]][0] == read.json()["version"] + 1
    body = {"name": "李试驾", "phone": "13800009999"}
    problem(desk.put(path, body, If_Match=read.headers["ETag"]), 412, "if_match.changed")


@pytest.mark.django_db
def test_the_cars_new_plate_moves_its_visits(store) -> None:
    desk = ApiCaller("reception:write", "personal:read", store=store)
    car = make_vehicle()
    body = {"contact_name": "张试驾", "contact_phone": "13800001111", "model_text": "途远", "need": "保养"}
    visit = desk.post("visits", {**body, "plate": car.plate, "vehicle_uid": str(car.uid)}).json()
    path, before = f"vehicles/{car.uid}", snapshot()
    said = desk.put(path, {"plate": "京B54321"}, If_Match=desk.get(path).headers["ETag"])
    assert said.status_code == 200, said.content
    again = desk.get(f"visits/{visit['uid']}").json()
    assert (again["plate"], again["version"]) == ("京B54321", visit["version"] + 1)
    assert unmoved(before, snapshot()) == []


def with_a_part_on_the_shelf() -> PartLine:
    shop = make_shop()
    line = add_operation(shop, make_order(shop), "BR-10")
    row = PartLine.objects.select_related("part").filter(line=line).first()
    assert row is not None
    by = machine("tests", store_id=shop.store.pk)
    stock.receive_stock(part_uid=row.part.uid, quantity=Decimal(2), unit_cost=Decimal(10), by=by)
    return row


@pytest.mark.django_db
def test_a_new_name_of_a_part_moves_its_lines_and_shelves() -> None:
    row = with_a_part_on_the_shelf()
    before = snapshot()
    row.part.name = "别的名称"
    row.part.save(update_fields=["name"])
    after = snapshot()
    assert unmoved(before, after) == []
    changed = {path for (path, uid), item in after[1].items() if item[2] != before[1][path, uid][2]}
    assert changed == {"parts", "part-lines", "stock-items"}


@pytest.mark.django_db
def test_columns_that_items_are_known_by_never_change(refused) -> None:
    with_a_part_on_the_shelf()
    for rule, change in (
        ("store_code_fixed", "UPDATE kernel_store SET code = 'XX99'"),
        ("department_code_fixed", "UPDATE staff_department SET code = code || 'X'"),
        ("post_code_fixed", "UPDATE staff_post SET code = code || 'X'"),
        ("skill_code_fixed", "UPDATE staff_skill SET code = code || 'X'"),
        ("part_number_fixed", "UPDATE catalogue_part SET number = number || 'X'"),
        ("stockitem_part_fixed", "UPDATE workshop_stockitem SET part_id = part_id + 1"),
        ("repairorder_visit_fixed", "UPDATE workshop_repairorder SET visit_id = visit_id + 1"),
        ("orderline_order_fixed", "UPDATE workshop_orderline SET order_id = order_id + 1"),
    ):
        with refused(rule) as sql:
            sql(change)


@pytest.mark.django_db
def test_a_post_that_grants_another_role_moves_who_holds_it() -> None:
    holder = make_employee(make_store(), "advisor")
    before = snapshot()
    Post.objects.filter(code="advisor").update(role="inspector")
    after = snapshot()
    assert unmoved(before, after) == []
    assert [key for key in after[1] if after[1][key] != before[1][key]] == [("employees", str(holder.uid))]
