"""Many customers, vehicles and ownerships at once, for imports and their undo (7.2). One history line per row changed.

The caller decided what is written and looked for what is taken; constraints of the database stay the last word, and a
violation undoes the whole call.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, models

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.history import Line, record_many
from dealership.kernel.models import Root
from reception import events
from reception.models import Customer, Ownership, Vehicle

DATES = ("invoiced_on", "delivered_on", "registered_on", "insured_until", "inspected_until")
Written = dict[str, Any]


def write_rows(rows: list[dict[str, Any]], *, by: Actor, import_uid: UUID, store_id: int) -> None:
    """Writes what an import decided: ``rows`` hold customer, vehicle and ownership with op, uid and columns to set.

    Runs inside the caller's transaction. After it each write carries ``version``: what the row's version is now.
    Raises IntegrityError where somebody else was quicker with a VIN, a plate or an owner.
    """
    now = clock.now()
    lines: list[Line] = []
    facts = {"import": import_uid}
    customers, vehicles = _created(rows, "customer"), _created(rows, "vehicle")
    people = {
        write["uid"]: Customer(uid=write["uid"], home_store_id=store_id, **_person_columns(write["set"]))
        for write in customers
    }
    cars = {write["uid"]: Vehicle(uid=write["uid"], **_car_columns(write["set"], now)) for write in vehicles}
    Customer.objects.bulk_create(people.values())
    Vehicle.objects.bulk_create(cars.values())
    for person in people.values():
        lines.append(Line(person, events.CUSTOMER_REGISTERED, store_id=store_id, facts=facts | {"kind": person.kind}))
    for car in cars.values():
        said = {"odometer_km": car.odometer_km} | ({"vin_overridden": True} if car.vin_note else {})
        lines.append(Line(car, events.VEHICLE_REGISTERED, facts=facts | said))
    known_people = _fetch(Customer, (w["uid"] for w in _all(rows, "customer")), people)
    known_cars = _fetch(Vehicle, (w["uid"] for w in _all(rows, "vehicle")), cars)
    owned = [write for row in rows if (write := row.get("ownership"))]
    missing = {write["customer"] for write in owned} - known_people.keys()
    known_people |= _fetch(Customer, missing, {})
    for write in _changed(rows, "customer"):
        columns = _person_columns(write["set"])
        Customer.objects.filter(uid=write["uid"]).update(**columns)
        names = sorted(columns.keys() - {"pinyin", "pinyin_initials"})
        lines.append(Line(known_people[write["uid"]], events.CUSTOMER_CORRECTED, facts=facts | {"columns": names}))
    for write in _changed(rows, "vehicle"):
        columns = _car_columns(write["set"], now)
        Vehicle.objects.filter(uid=write["uid"]).update(**columns)
        car = known_cars[write["uid"]]
        changed = (
            {"odometer_km": (write["before"]["odometer_km"], columns["odometer_km"])}
            if "odometer_km" in columns
            else {}
        )
        lines.append(Line(car, events.VEHICLE_CORRECTED, changed=changed, facts=facts | {"columns": sorted(columns)}))
    ownerships = [
        Ownership(
            uid=write["uid"],
            vehicle=known_cars[write["vehicle"]],
            customer=known_people[write["customer"]],
            starts_on=date.fromisoformat(write["starts_on"]),
        )
        for write in owned
    ]
    Ownership.objects.bulk_create(ownerships)
    for ownership in ownerships:
        changed = {"customer": (None, ownership.customer.uid)}
        lines.append(
            Line(ownership, events.OWNER_CHANGED, changed=changed, facts=facts | {"starts_on": ownership.starts_on})
        )
    record_many(lines, by=by)
    _note_versions(rows)


def _all(rows: list[dict[str, Any]], key: str) -> list[Written]:
    return [row[key] for row in rows if key in row]


def _created(rows: list[dict[str, Any]], key: str) -> list[Written]:
    return [write for write in _all(rows, key) if write["op"] == "CREATE"]


def _changed(rows: list[dict[str, Any]], key: str) -> list[Written]:
    return [write for write in _all(rows, key) if write["op"] == "UPDATE"]


def _person_columns(values: dict[str, Any]) -> dict[str, Any]:
    if "name" not in values:
        return values
    full, initials = _pinyin(values["name"])
    return values | {"pinyin": full, "pinyin_initials": initials}


@lru_cache(maxsize=20_000)
def _pinyin(name: str) -> tuple[str, str]:
    return formats.pinyin_full(name)[:160], formats.pinyin_initials(name)[:40]


def _car_columns(values: dict[str, Any], now: datetime) -> dict[str, Any]:
    columns = dict(values)
    for name in DATES:
        if columns.get(name):
            columns[name] = date.fromisoformat(columns[name])
    if columns.get("odometer_at"):
        columns["odometer_at"] = (
            now if columns["odometer_at"] == "now" else datetime.fromisoformat(columns["odometer_at"])
        )
    return columns


def _fetch(model: type[Root], uids: Iterable[str], made: dict[str, Any]) -> dict[str, Any]:
    wanted = set(uids) - made.keys()
    found = {str(row.uid): row for row in model._base_manager.filter(uid__in=wanted)} if wanted else {}
    return made | found


def _note_versions(rows: list[dict[str, Any]]) -> None:
    for key, model in (("customer", Customer), ("vehicle", Vehicle), ("ownership", Ownership)):
        writes = [write for write in _all(rows, key) if write["op"] != "MATCH"]
        found = model._base_manager.filter(uid__in=[write["uid"] for write in writes])
        versions = {str(uid): version for uid, version in found.values_list("uid", "version")}
        for write in writes:
            write["version"] = versions[write["uid"]]


def used_since(model: type[models.Model], uids: Iterable[str]) -> dict[str, str]:
    """Which of these customers or vehicles something else refers to, and what: uid → the other table's words.

    Asks every table of every room that has a foreign key to ``model``, except ownerships.
    """
    ids = dict(model._base_manager.filter(uid__in=list(uids)).values_list("pk", "uid"))
    used: dict[str, str] = {}
    with connection.cursor() as cursor:
        for relation in model._meta.related_objects:
            other = relation.related_model
            assert not isinstance(other, str)  # relations are resolved once the apps are loaded
            if other is Ownership or not ids or not getattr(relation.field, "column", None):
                continue
            table, column = connection.ops.quote_name(other._meta.db_table), relation.field.column
            quoted = connection.ops.quote_name(column)
            cursor.execute(f"SELECT DISTINCT {quoted} FROM {table} WHERE {quoted} = ANY(%s)", [list(ids)])  # noqa: S608
            for (pk,) in cursor.fetchall():
                used.setdefault(str(ids[pk]), other._meta.model_name or "")
    return used


def remove_rows(
    *,
    ownerships: list[str],
    vehicles: list[str],
    customers: list[str],
    restore: list[tuple[type[Customer] | type[Vehicle], str, dict[str, Any]]],
    by: Actor,
    import_uid: UUID,
    store_id: int,
) -> None:
    """Takes back what an import wrote: deletes what it made and puts back the columns it filled (uids as text).

    Runs inside the caller's transaction. A foreign key from anywhere refuses at the end of the transaction.
    """
    facts = {"import": import_uid}
    lines: list[Line] = []
    gone = Ownership.objects.filter(uid__in=ownerships).select_related("vehicle", "customer").order_by("pk")
    for row in gone:
        changed = {"customer": (row.customer.uid, None)}
        lines.append(Line(row, events.OWNER_REMOVED, changed=changed, facts=facts))
    for car in Vehicle.objects.filter(uid__in=vehicles).order_by("pk"):
        lines.append(Line(car, events.VEHICLE_REMOVED, facts=facts))
    for person in Customer.objects.filter(uid__in=customers).order_by("pk"):
        lines.append(Line(person, events.CUSTOMER_REMOVED, store_id=store_id, facts=facts))
    for model, uid, before in restore:
        columns = _car_columns(before, clock.now()) if model is Vehicle else before
        model.objects.filter(uid=uid).update(**columns)
        code = events.VEHICLE_CORRECTED if model is Vehicle else events.CUSTOMER_CORRECTED
        lines.append(Line(model.objects.get(uid=uid), code, facts=facts | {"columns": sorted(columns), "undone": True}))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reception_ownership WHERE uid = ANY(%s::uuid[])", [ownerships])
        cursor.execute("DELETE FROM reception_vehicle WHERE uid = ANY(%s::uuid[])", [vehicles])
        cursor.execute(
            "DELETE FROM reception_duplicate d USING reception_customer c"
            " WHERE c.uid = ANY(%s::uuid[]) AND c.id IN (d.first_id, d.second_id)",
            [customers],
        )
        cursor.execute("DELETE FROM reception_customer WHERE uid = ANY(%s::uuid[])", [customers])
    record_many(lines, by=by)
