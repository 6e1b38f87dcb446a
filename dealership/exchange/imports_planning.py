"""What becomes of each row of an import (7.2): created, matched, added to, or refused and why. Pure: no database.

Rows are decided one after the other against a ``World``: what the group's file holds, and what earlier rows of the same
import add to it. Preview and write use the same function, the write with a world read anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from dealership.kernel import formats

from .imports_reading import INFO, WARN, Reading, note

CREATE, MATCH, UPDATE, REFUSED = "CREATE", "MATCH", "UPDATE", "REFUSE"
CUSTOMER_COLUMNS = ("email", "uscc", "note")
VEHICLE_COLUMNS = (
    "color", "vehicle_type", "engine_number", "battery_code", "model_year", "invoiced_on", "delivered_on", "registered_on",
    "insured_until", "inspected_until", "odometer_km",
)  # fmt: skip
NOW = "now"  # the moment of writing, for ``odometer_at``
KEPT = "undo.kept"
GREEN = ("GREEN", "YELLOW_GREEN")


@dataclass(slots=True)
class Person:
    """A customer as known; ``row`` is the row of this import that makes it, 0 where it is there already."""

    uid: str
    values: dict[str, Any]
    row: int = 0


@dataclass(slots=True)
class Car:
    """A vehicle as known, with its present owner's uid and the day after which a new owner may start."""

    uid: str
    values: dict[str, Any]
    owner: str | None = None
    owned_until: date | None = None
    row: int = 0


@dataclass(slots=True)
class World:
    people: dict[str, Person] = field(default_factory=dict)
    cars: dict[str, Car] = field(default_factory=dict)
    by_phone: dict[str, list[str]] = field(default_factory=dict)
    by_vin: dict[str, str] = field(default_factory=dict)
    by_plate: dict[str, str] = field(default_factory=dict)

    def add_person(self, person: Person) -> None:
        if person.uid in self.people:
            return
        self.people[person.uid] = person
        for number in (person.values.get("phone"), person.values.get("phone_2")):
            if number:
                self.by_phone.setdefault(number, []).append(person.uid)

    def add_car(self, car: Car) -> None:
        self.cars[car.uid] = car
        if car.values.get("vin"):
            self.by_vin[car.values["vin"]] = car.uid
        if car.values.get("plate") and car.values.get("plate_kind", "NORMAL") == "NORMAL":
            self.by_plate[car.values["plate"]] = car.uid


@dataclass(slots=True)
class Decision:
    """``writes`` maps customer, vehicle and ownership to what is to be written: op, uid and the columns to set."""

    action: str
    notes: list[dict[str, Any]]
    writes: dict[str, Any] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said


def decide(row: Reading, world: World, *, new_uid: Callable[[], str], today: date) -> Decision:
    """Decides one row and enters what it adds into ``world``."""
    notes = list(row.notes)
    if row.refused:
        return Decision(REFUSED, notes)
    try:
        car = _find_car(row, world)
        person = _find_person(row, world, car)
        _check_owner(row, world, car, person)
        writes: dict[str, Any] = {}
        if "name" in row.values:
            person = _write_person(row, world, person, writes, notes, new_uid)
        if {"plate", "vin"} & row.values.keys():
            car = _write_car(row, world, car, writes, notes, new_uid)
            if person and car.owner is None:
                _write_ownership(row, car, person, writes, new_uid, today)
    except _Refused as refusal:
        return Decision(REFUSED, [*notes, refusal.said])
    ops = {write["op"] for write in writes.values()}
    added = {"CREATE"} & {writes.get(key, {}).get("op") for key in ("customer", "vehicle")}
    action = CREATE if added else UPDATE if ops & {"UPDATE", "CREATE"} else MATCH
    return Decision(action, notes, writes)


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same but for width, space and case."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return re.sub(r"[\s·・.]+", "", formats.fold_width(name)).lower()


def _find_car(row: Reading, world: World) -> Car | None:
    vin, plate = row.values.get("vin", ""), row.values.get("plate", "")
    by_vin = world.cars.get(world.by_vin.get(vin, "")) if vin else None
    ordinary = plate and row.values.get("plate_kind", "NORMAL") == "NORMAL"  # the other kinds may come again
    by_plate = world.cars.get(world.by_plate.get(plate, "")) if ordinary else None
    if by_vin and by_plate and by_vin.uid != by_plate.uid:
        raise _Refused(note("vehicle.two", "plate", value=plate, other=by_plate.values["vin"][-8:], row=by_plate.row))
    if by_plate and not by_vin and vin and by_plate.values.get("vin"):
        raise _Refused(note("vehicle.other_vin", "vin", value=vin, other=by_plate.values["vin"][-8:], row=by_plate.row))
    if by_vin and plate and not by_plate and by_vin.row and by_vin.values.get("plate"):
        raise _Refused(note("vehicle.vin_twice", "vin", value=vin, other=by_vin.values["plate"], row=by_vin.row))
    return by_vin or by_plate


def _find_person(row: Reading, world: World, car: Car | None) -> Person | None:
    name = row.values.get("name")
    if not name:
        return None
    for number in (row.values.get("phone"), row.values.get("phone_2")):
        for uid in world.by_phone.get(number or "", []):
            if same_name(world.people[uid].values["name"], name):
                return world.people[uid]
    owner = world.people.get(car.owner) if car and car.owner else None
    return owner if owner and same_name(owner.values["name"], name) else None


def _check_owner(row: Reading, world: World, car: Car | None, person: Person | None) -> None:
    if not car or not car.owner or "name" not in row.values:
        return
    if person is None or car.owner != person.uid:
        owner = world.people[car.owner]
        raise _Refused(
            note("vehicle.other_owner", "name", value=row.values["name"], other=owner.values["name"], row=car.row)
        )


def _write_person(
    row: Reading,
    world: World,
    person: Person | None,
    writes: dict[str, Any],
    notes: list[dict[str, Any]],
    new_uid: Callable[[], str],
) -> Person:
    phone, phone_2 = row.values.get("phone", ""), row.values.get("phone_2", "")
    if person is None:
        for number in filter(None, (phone, phone_2)):
            shared = world.by_phone.get(number)
            if shared:
                other = world.people[shared[0]]
                notes.append(
                    note("customer.shared_phone", "phone", WARN, number, other=other.values["name"], row=other.row)
                )
                break
        values = {"name": row.values["name"], "kind": row.values.get("kind", "PERSON"), "phone": phone}
        values |= {"phone_2": phone_2} | {key: row.values.get(key, "") for key in CUSTOMER_COLUMNS}
        person = Person(new_uid(), values, row.number)
        world.add_person(person)
        writes["customer"] = {"op": "CREATE", "uid": person.uid, "set": dict(values)}
        return person
    adds = {key: row.values[key] for key in CUSTOMER_COLUMNS if row.values.get(key) and not person.values.get(key)}
    kept = [number for number in (phone, phone_2) if number]
    for number in kept:
        if number in (person.values.get("phone"), person.values.get("phone_2"), adds.get("phone"), adds.get("phone_2")):
            continue
        place = next((key for key in ("phone", "phone_2") if not person.values.get(key) and key not in adds), None)
        if place:
            adds[place] = number
        else:
            notes.append(note("customer.phone_kept", "phone", WARN, number))
    if person.row and not adds:
        notes.append(note("customer.in_file", "name", INFO, row=person.row))
    for number in (adds.get("phone"), adds.get("phone_2")):
        if number:
            world.by_phone.setdefault(number, []).append(person.uid)
    writes["customer"] = _change(person.uid, adds, person.values)
    person.values.update(adds)
    return person


def _write_car(
    row: Reading,
    world: World,
    car: Car | None,
    writes: dict[str, Any],
    notes: list[dict[str, Any]],
    new_uid: Callable[[], str],
) -> Car:
    vin, plate = row.values.get("vin", ""), row.values.get("plate", "")
    given = {key: row.values[key] for key in VEHICLE_COLUMNS if row.values.get(key)}
    if car is None:
        values = {"vin": vin, "model_text": row.values.get("model_text", "—")} | given | _plate_values(row, "ICE")
        if row.values.get("vin_note"):
            values["vin_note"] = row.values["vin_note"]
        if "odometer_km" in given:
            values["odometer_at"] = NOW
        car = Car(new_uid(), values, row=row.number)
        world.add_car(car)
        writes["vehicle"] = {"op": "CREATE", "uid": car.uid, "set": dict(values)}
        return car
    adds = {key: value for key, value in given.items() if not car.values.get(key)}
    if row.values.get("model_text") and car.values.get("model_text") in ("", "—"):
        adds["model_text"] = row.values["model_text"]
    if vin and not car.values.get("vin"):
        adds |= {"vin": vin, "vin_note": row.values.get("vin_note", "")}
    if plate and not car.values.get("plate"):
        adds |= _plate_values(row, car.values.get("powertrain", "ICE"))
    elif plate and plate != car.values.get("plate"):
        notes.append(note("vehicle.plate_kept", "plate", WARN, plate, other=car.values["plate"]))
    if car.row and not adds:
        notes.append(note("vehicle.in_file", "vin" if vin else "plate", INFO, row=car.row))
    if "odometer_km" in adds:
        adds["odometer_at"] = NOW
    writes["vehicle"] = _change(car.uid, adds, car.values)
    car.values.update(adds)
    world.add_car(car)
    return car


def _change(uid: str, adds: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """What is added to something that is there, with what stood there before (for the undo)."""
    if not adds:
        return {"op": "MATCH", "uid": uid}
    return {"op": "UPDATE", "uid": uid, "set": adds, "before": {key: known.get(key) for key in adds}}


def _plate_values(row: Reading, powertrain: str) -> dict[str, Any]:
    """Plate with what follows from it; without a plate the car is not yet registered."""
    plate, kind = row.values.get("plate", ""), row.values.get("plate_kind", "NORMAL")
    if not plate:
        return {"plate": "", "plate_kind": "UNREGISTERED", "plate_color": "BLUE", "powertrain": powertrain}
    color = formats.plate_colour(plate, formats.PlateKind(kind))
    name = color.name if color else "BLUE"
    drive = "BEV" if name in GREEN and powertrain == "ICE" else powertrain
    return {"plate": plate, "plate_kind": kind, "plate_color": name, "powertrain": drive}


def _write_ownership(
    row: Reading, car: Car, person: Person, writes: dict[str, Any], new_uid: Callable[[], str], today: date
) -> None:
    stated = row.values.get("delivered_on") or row.values.get("invoiced_on")
    since = date.fromisoformat(stated) if stated else today
    if car.owned_until is not None and since <= car.owned_until:
        since = car.owned_until + timedelta(days=1)
    writes["ownership"] = {
        "op": "CREATE",
        "uid": new_uid(),
        "vehicle": car.uid,
        "customer": person.uid,
        "starts_on": since.isoformat(),
    }
    car.owner = person.uid
