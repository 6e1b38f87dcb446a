"""Vehicles: registering, correcting, owners over time and the odometer (2.3)."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Powertrain, VehicleModel
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError, constraint_name, from_database
from dealership.kernel.history import record
from reception import events, permissions
from reception.limits import ODOMETER_KM_A_DAY
from reception.models import (
    Customer,
    HardUse,
    OdometerReading,
    Ownership,
    PlateColor,
    PlateKind,
    Vehicle,
    VehicleUse,
)
from reception.services.customers import tidy

MAX_KM = 2_000_000
_FIELD_OF = {"vehicle_vin": "vin", "vehicle_plate": "plate"}
_ELECTRIC = (Powertrain.BEV, Powertrain.PHEV, Powertrain.FCEV)


def read_plate(plate: str, kind: str) -> str:
    """The plate without separators. Raises RuleError where it fits neither the pattern nor the stated kind."""
    if kind not in PlateKind.values:
        raise RuleError("vehicle.plate_kind", _("Choose the kind of plate."), field="plate_kind")
    value = formats.demand(formats.check_plate(plate, formats.PlateKind(kind)), field="plate")
    return tidy(value, field="plate", limit=12)


def color_of_plate(plate: str, kind: str) -> str:
    """The colour that follows from plate and kind; blue where nothing follows."""
    color = formats.plate_colour(plate, formats.PlateKind(kind))
    return PlateColor[color.name] if color else PlateColor.BLUE


def _read_vin(vin: str, reason: str, by: Actor) -> tuple[str, str]:
    """VIN and the note why a wrong one was kept; only whoever may override does so, with a reason."""
    text = tidy(vin, field="vin", limit=60)
    if not text:
        return "", ""
    checked = formats.check_vin(text)
    reason = tidy(reason, field="vin_override_reason", limit=200)
    if checked.level is formats.Level.REFUSED and checked.overridable and reason:
        by.require(permissions.VIN_OVERRIDE)
        return checked.value, reason
    return formats.demand(checked, field="vin"), ""


def _read_km(km: Any) -> int:
    if not isinstance(km, int) or isinstance(km, bool) or not 0 <= km <= MAX_KM:
        raise RuleError("vehicle.odometer", _("The mileage lies between 0 and 2,000,000 km."), field="odometer_km")
    return km


def _read_year(year: int | None) -> int | None:
    if year is not None and not 1950 <= year <= clock.today().year + 1:
        raise RuleError("vehicle.year", _("The model year lies between 1950 and next year."), field="model_year")
    return year


def _read_day(day: date | None, field: str) -> date | None:
    if day is not None and not date(1950, 1, 1) <= day <= clock.today():
        raise RuleError("vehicle.day", _("This day lies in the future or before 1950."), field=field)
    return day


def _read_end(day: date | None, field: str) -> date | None:
    """The last day of an insurance or inspection: it may lie ahead, but not more than ten years."""
    if day is not None and not date(1990, 1, 1) <= day <= clock.today() + timedelta(days=3660):
        raise RuleError("vehicle.end_day", _("This day lies before 1990 or more than ten years ahead."), field=field)
    return day


def _powertrain_of(plate_color: str, powertrain: str, model: VehicleModel | None) -> str:
    """A green plate means a new-energy car: battery electric unless model or person says otherwise."""
    if powertrain and powertrain not in Powertrain.values:
        raise RuleError("vehicle.powertrain", _("Choose the kind of drive."), field="powertrain")
    chosen = powertrain or (model.powertrain if model else "")
    green = plate_color in (PlateColor.GREEN, PlateColor.YELLOW_GREEN)
    if green and not chosen:
        return Powertrain.BEV
    if green and chosen not in _ELECTRIC:
        raise RuleError(
            "vehicle.green_plate",
            _("A green plate belongs to a battery electric, plug-in hybrid or fuel-cell vehicle; choose its drive."),
            field="powertrain",
        )
    return chosen or Powertrain.ICE


def _write(action) -> Any:
    """Runs an INSERT or UPDATE; who loses a race for a VIN or a plate is told which."""
    try:
        with transaction.atomic():
            return action()
    except IntegrityError as exc:
        refusal = from_database(exc)
        if refusal is None or constraint_name(exc) not in _FIELD_OF:
            raise
        raise RaceLost(refusal.code, refusal.text, field=_FIELD_OF[constraint_name(exc)]) from exc


def _require_free(*, vin: str, plate: str, plate_kind: str, besides: int | None = None) -> None:
    others = Vehicle.objects.all() if besides is None else Vehicle.objects.exclude(pk=besides)
    if vin and (other := others.filter(vin=vin).first()):
        text = _("A vehicle with this VIN already exists; open that one.")
        raise RuleError("vehicle.vin_taken", text, field="vin", held_by=other)
    same = others.filter(plate=plate, plate_kind=PlateKind.NORMAL)
    if plate and plate_kind == PlateKind.NORMAL and (other := same.first()):
        text = _("A vehicle with this plate already exists; open that one.")
        raise RuleError("vehicle.plate_taken", text, field="plate", held_by=other)


def _model_named(words: str) -> VehicleModel | None:
    """The catalogue's model that is written or called exactly like this: it brings engine and service interval along."""
    said = Concat("series", Value(" "), "name")
    known = VehicleModel.objects.annotate(said=said)
    return known.filter(Q(said=words) | Q(aliases__contains=[words])).order_by("pk").first()


@transaction.atomic
def register_vehicle(
    *,
    model_text: str,
    by: Actor,
    plate: str = "",
    vin: str = "",
    plate_kind: str = PlateKind.NORMAL,
    plate_color: str = "",
    model_uid: UUID | None = None,
    powertrain: str = "",
    owner_uid: UUID | None = None,
    owner_since: date | None = None,
    vehicle_type: str = "",
    engine_number: str = "",
    battery_code: str = "",
    color: str = "",
    model_year: int | None = None,
    invoiced_on: date | None = None,
    delivered_on: date | None = None,
    registered_on: date | None = None,
    insured_until: date | None = None,
    inspected_until: date | None = None,
    odometer_km: int = 0,
    vin_override_reason: str = "",
) -> Vehicle:
    """Takes a car into the group's file by plate or VIN (2.3); kilometres are whole, the type is the licence's word.

    Raises RuleError for a plate or VIN that can't be right or is taken (RaceLost where somebody was quicker), and
    NotAllowed where a refused VIN is overridden without the right to.
    """
    owner = Customer.objects.for_actor(by).locked().standing(owner_uid) if owner_uid else None
    model = VehicleModel.objects.get(uid=model_uid) if model_uid else None
    plate = read_plate(plate, plate_kind) if plate or plate_kind != PlateKind.NORMAL else ""
    vin, vin_note = _read_vin(vin, vin_override_reason, by)
    if not plate and not vin:
        raise RuleError("vehicle.identified", _("Give the plate or the VIN."), field="plate")
    if plate_color and plate_color not in PlateColor.values:
        raise RuleError("vehicle.plate_color", _("Choose the colour of the plate."), field="plate_color")
    follows = color_of_plate(plate, plate_kind)
    if follows not in (PlateColor.BLUE, plate_color):
        plate_color = follows
    _require_free(vin=vin, plate=plate, plate_kind=plate_kind)
    words = tidy(model_text, field="model_text", limit=80) or (str(model) if model else "")
    if not words:
        raise RuleError("vehicle.model", _("Enter the model."), field="model_text")
    model = model or _model_named(words)
    km = _read_km(odometer_km)
    vehicle = Vehicle(
        plate=plate,
        plate_kind=plate_kind,
        plate_color=plate_color or follows,
        vin=vin,
        vin_note=vin_note,
        model=model,
        model_text=words,
        powertrain=_powertrain_of(plate_color or follows, powertrain, model),
        vehicle_type=tidy(vehicle_type, field="vehicle_type", limit=20),
        engine_number=tidy(engine_number, field="engine_number", limit=40),
        battery_code=tidy(battery_code, field="battery_code", limit=40),
        color=tidy(color, field="color", limit=20),
        model_year=_read_year(model_year),
        invoiced_on=_read_day(invoiced_on, "invoiced_on"),
        delivered_on=_read_day(delivered_on, "delivered_on"),
        registered_on=_read_day(registered_on, "registered_on"),
        insured_until=_read_end(insured_until, "insured_until"),
        inspected_until=_read_end(inspected_until, "inspected_until"),
        odometer_km=km,
        odometer_at=clock.now() if km else None,
    )
    _write(vehicle.save)
    record(
        vehicle,
        events.VEHICLE_REGISTERED,
        by=by,
        owner=owner.uid if owner else None,
        odometer_km=km,
        vin_overridden=True if vin_note else None,
    )
    if owner:
        since = _read_day(owner_since, "owner_since") or vehicle.delivered_on or clock.today()
        ownership = Ownership.objects.create(vehicle=vehicle, customer=owner, starts_on=since)
        record(ownership, events.OWNER_CHANGED, by=by, changed={"customer": (None, owner.uid)}, starts_on=since)
    return vehicle


@transaction.atomic
def correct_vehicle(*, uid: UUID, by: Actor, vin_override_reason: str = "", **changes: Any) -> Vehicle:
    """Corrects any of plate, plate_kind, plate_color, vin, model_uid, model_text, powertrain, engine_number,
    battery_code, color, vehicle_type, model_year, invoiced_on, delivered_on, registered_on, insured_until, inspected_until (2.3).
    The mileage goes through ``read_odometer``.

    Raises RuleError where nothing changes or the new plate or VIN is taken.
    """
    vehicle = Vehicle.objects.for_actor(by).locked().get(uid=uid)
    read: dict[str, Any] = {}
    for key, value in changes.items():
        if key == "vin":
            if formats.normalise_vin(value or "") != vehicle.vin:
                read["vin"], read["vin_note"] = _read_vin(value, vin_override_reason, by)
        elif key in ("plate", "plate_kind", "plate_color", "powertrain"):
            continue
        elif key == "model_uid":
            read["model"] = VehicleModel.objects.get(uid=value) if value else None
        elif key == "model_text":
            read[key] = tidy(value, field=key, limit=80)
            if not read[key]:
                raise RuleError("vehicle.model", _("Enter the model."), field="model_text")
        elif key in ("engine_number", "battery_code"):
            read[key] = tidy(value, field=key, limit=40)
        elif key in ("color", "vehicle_type"):
            read[key] = tidy(value, field=key, limit=20)
        elif key == "model_year":
            read[key] = _read_year(value)
        elif key in ("invoiced_on", "delivered_on", "registered_on"):
            read[key] = _read_day(value, key)
        elif key in ("insured_until", "inspected_until"):
            read[key] = _read_end(value, key)
        else:
            raise TypeError(f"A vehicle has no column {key} to correct.")
    if changes.keys() & {"plate", "plate_kind", "plate_color", "powertrain"}:
        kind = changes.get("plate_kind") or vehicle.plate_kind
        typed = changes.get("plate", vehicle.plate)
        plate = read_plate(typed, kind) if typed or kind != PlateKind.NORMAL else ""
        follows = color_of_plate(plate, kind)
        kept = changes.get("plate_color") or (vehicle.plate_color if plate == vehicle.plate else follows)
        if kept not in PlateColor.values:
            raise RuleError("vehicle.plate_color", _("Choose the colour of the plate."), field="plate_color")
        read["plate"], read["plate_kind"] = plate, kind
        read["plate_color"] = kept if follows in (PlateColor.BLUE, kept) else follows
        if "powertrain" in changes or read["plate_color"] != vehicle.plate_color:
            chosen = changes.get("powertrain") or (vehicle.powertrain if vehicle.powertrain in _ELECTRIC else "")
            read["powertrain"] = _powertrain_of(read["plate_color"], chosen, read.get("model", vehicle.model))
    read = {key: value for key, value in read.items() if getattr(vehicle, key) != value}
    if not read:
        raise RuleError("vehicle.unchanged", _("Nothing was changed."))
    for key, value in read.items():
        setattr(vehicle, key, value)
    if not vehicle.plate and not vehicle.vin:
        raise RuleError("vehicle.identified", _("Give the plate or the VIN."), field="plate")
    _require_free(vin=vehicle.vin, plate=vehicle.plate, plate_kind=vehicle.plate_kind, besides=vehicle.pk)
    _write(lambda: vehicle.save(update_fields=list(read)))
    record(
        vehicle,
        events.VEHICLE_CORRECTED,
        by=by,
        columns=sorted(read),
        vin_overridden=True if read.get("vin_note") else None,
    )
    return vehicle


@transaction.atomic
def change_owner(*, uid: UUID, owner_uid: UUID | None, on: date, by: Actor) -> Vehicle:
    """The car belongs to another customer from day ``on`` on (store's calendar); None: to nobody known (2.3).

    Raises RuleError for a future day, a day before the present owner's first, or the same owner.
    """
    owner = Customer.objects.for_actor(by).locked().standing(owner_uid) if owner_uid else None
    vehicle = Vehicle.objects.for_actor(by).locked().get(uid=uid)
    if on > clock.today():
        raise RuleError("vehicle.owner_day", _("A new owner is entered from today or an earlier day on."), field="on")
    last = vehicle.ownerships.select_related("customer", "vehicle").order_by("-starts_on").first()
    current = last if last and last.ends_on is None else None
    if owner is None and current is None:
        raise RuleError("vehicle.owner_none", _("The vehicle has no owner that could end."), field="owner")
    if owner and current and current.customer_id == owner.pk:
        raise RuleError("vehicle.owner_same", _("This customer already is the owner."), field="owner")
    if last and (on < last.starts_on or (last.ends_on is not None and on <= last.ends_on)):
        raise RuleError(
            "vehicle.owner_order",
            _("An owner is known from %(day)s on; choose a later day."),
            field="on",
            day=str(last.ends_on or last.starts_on),
        )
    before = current.customer.uid if current else None
    touched = current
    if current and on == current.starts_on and owner:
        current.customer = owner  # the owner entered for this very day was wrong
        current.save(update_fields=["customer"])
    elif current and on == current.starts_on:
        raise RuleError(
            "vehicle.owner_order",
            _("An owner is known from %(day)s on; choose a later day."),
            field="on",
            day=str(current.starts_on),
        )
    else:
        if current:
            current.ends_on = on - timedelta(days=1)
            current.save(update_fields=["ends_on"])
            _forget_use(vehicle, by)
        if owner:
            touched = Ownership.objects.create(vehicle=vehicle, customer=owner, starts_on=on)
    assert touched is not None
    record(
        touched,
        events.OWNER_CHANGED,
        by=by,
        changed={"customer": (before, owner.uid if owner else None)},
        starts_on=on,
    )
    return vehicle


def _forget_use(vehicle: Vehicle, by: Actor) -> None:
    """How the former owner drove says nothing of the next one, who is asked (3.1)."""
    if vehicle.use == VehicleUse.UNKNOWN:
        return
    before = vehicle.use
    vehicle.use, vehicle.hard_uses, vehicle.use_noted_at = VehicleUse.UNKNOWN, [], None
    vehicle.save(update_fields=["use", "hard_uses", "use_noted_at"])
    record(vehicle, events.USE_NOTED, by=by, changed={"use": (before, vehicle.use)})


@transaction.atomic
def note_use(*, uid: UUID, hard_uses: Collection[str], by: Actor) -> Vehicle:
    """How the owner uses the car: why its use is hard (``HardUse``), nothing for ordinary use (3.1).

    From now on the due list counts with the plan's intervals for hard use, or doesn't. Noting the same again renews the
    day. Raises RuleError ``vehicle.use`` for a reason that isn't known.
    """
    by.require(permissions.VEHICLES_EDIT)
    if not set(hard_uses) <= set(HardUse.values):
        raise RuleError("vehicle.use", _("Choose why its use is hard."), field="hard_uses")
    why = [code for code in HardUse.values if code in hard_uses]
    vehicle = Vehicle.objects.for_actor(by).locked().get(uid=uid)
    before = (vehicle.use, ",".join(vehicle.hard_uses))
    vehicle.use = VehicleUse.HARD if why else VehicleUse.ORDINARY
    vehicle.hard_uses, vehicle.use_noted_at = why, clock.now()
    vehicle.save(update_fields=["use", "hard_uses", "use_noted_at"])
    record(
        vehicle,
        events.USE_NOTED,
        by=by,
        changed={"use": (before[0], vehicle.use), "hard_uses": (before[1], ",".join(why))},
    )
    return vehicle


def most_km(vehicle: Vehicle, *, store_id: int | None = None) -> int | None:
    """The highest mileage that nobody has to confirm: the last reading and what is driven since at most, a day at least;
    None where the car was never read."""
    if vehicle.odometer_at is None:
        return None
    days = max(1, math.ceil((clock.now() - vehicle.odometer_at) / timedelta(days=1)))
    return vehicle.odometer_km + days * int(limits.value(ODOMETER_KM_A_DAY, store_id=store_id))


@transaction.atomic
def read_odometer(*, vehicle: Vehicle, km: int, by: Actor, reason: str = "") -> Vehicle:
    """Writes a reading in whole kilometres; ``vehicle`` gets the new value.

    Raises RuleError for a lower reading without a reason (2.3: the odometer never falls by itself).
    """
    km = _read_km(km)
    row = Vehicle.objects.for_actor(by).locked().get(pk=vehicle.pk)
    before, most = row.odometer_km, most_km(row)
    why = tidy(reason, field="odometer_reason", limit=200)
    if km < before and not why:
        raise RuleError(
            "vehicle.odometer_lower",
            _("The last reading was %(before)s km. A lower one needs a reason (new instrument, mistyped before)."),
            field="odometer_km",
            before=before,
        )
    row.odometer_km, row.odometer_at = km, clock.now()
    row.save(update_fields=["odometer_km", "odometer_at"])
    OdometerReading.objects.create(
        vehicle=row,
        km=km,
        before_km=before,
        read_at=clock.now(),
        reason=why if km < before or (most is not None and km > most) else "",
    )
    record(
        row,
        events.ODOMETER_READ,
        by=by,
        changed={"odometer_km": (before, km)},
        fell=True if km < before else None,
    )
    vehicle.odometer_km, vehicle.odometer_at = row.odometer_km, row.odometer_at
    return vehicle
