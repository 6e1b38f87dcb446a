"""Commands on the walk-around (环检): what the car is like when it comes, until the customer signs it (2.1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad

from .. import events, permissions
from ..models import (
    Belonging,
    DamageKind,
    DamageMark,
    DamageSide,
    OldParts,
    Vehicle,
    Visit,
    VisitPhoto,
    VisitState,
    WaitingMode,
    WalkAround,
    WalkAroundState,
    WarningLight,
)
from . import visits
from .vehicles import read_odometer

add_photo = visits.add_photo
"""A photo belongs to the visit; it is offered here too, where most are taken."""

MOST_MARKS = 60


def _open_walkaround(visit: Visit) -> WalkAround:
    """The walk-around of a visit in reception, made on first use. Raises RuleError once it is signed."""
    if visit.state == VisitState.WAITING:
        raise RuleError("walkaround.not_greeted", _("Receive the customer first; then walk around the car together."))
    walkaround = WalkAround.objects.locked().filter(visit=visit).first()
    if walkaround is not None and walkaround.state == WalkAroundState.SIGNED:
        raise RuleError(
            "walkaround.signed", _("The customer has signed this walk-around; it can't be changed any more.")
        )
    if visit.state != VisitState.IN_RECEPTION:
        raise RuleError("walkaround.late", _("The walk-around belongs to the reception; this visit is past it."))
    return walkaround or WalkAround.objects.create(visit=visit)


def _codes(values: Iterable[str], allowed: type[TextChoices], *, field: str) -> list[str]:
    chosen = set(values)
    if unknown := chosen - set(allowed.values):
        raise RuleError("walkaround.choice", _("“%(value)s” isn't on the list."), field=field, value=min(unknown))
    return [value for value in allowed.values if value in chosen]


def _whole_or_none(value: Any, *, lowest: int, highest: int, field: str, text: Any) -> int | None:
    return None if value is None else _whole(value, lowest=lowest, highest=highest, field=field, text=text)


def _whole(value: Any, *, lowest: int, highest: int, field: str, text: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise RuleError("walkaround.range", text, field=field)
    return value


def _read_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The given fields, checked one by one. Raises TypeError for a field a walk-around doesn't have."""
    read: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "odometer_km":
            text = _("The mileage lies between 0 and 2,000,000 km.")
            read[name] = _whole_or_none(value, lowest=0, highest=2_000_000, field=name, text=text)
        elif name == "energy_eighths":
            read[name] = _whole_or_none(
                value, lowest=0, highest=8, field=name, text=_("Fuel or charge is 0 to 8 eighths.")
            )
        elif name == "warning_lights":
            read[name] = _codes(value, WarningLight, field=name)
        elif name == "belongings":
            read[name] = _codes(value, Belonging, field=name)
        elif name in ("kit_fitted", "no_valuables"):
            read[name] = bool(value)
        elif name == "old_parts":
            if value and value not in OldParts.values:
                raise RuleError("walkaround.choice", _("Choose what happens to old parts."), field=name)
            read[name] = value or ""
        elif name == "odometer_reason":
            read[name] = " ".join((value or "").split())[:200]
        elif name == "own_words":
            read[name] = (value or "").strip()[:500]
        else:
            raise TypeError(f"A walk-around has no field {name}.")
    return read


def _check_odometer(walkaround: WalkAround, vehicle: Vehicle) -> None:
    """2.1.2: a lower reading than the last one needs a reason."""
    km = walkaround.odometer_km
    if km is not None and km < vehicle.odometer_km and not walkaround.odometer_reason:
        raise RuleError(
            "walkaround.odometer",
            _("The last reading was %(before)s km. Read it again, or say why it is lower now."),
            field="odometer_reason",
            before=vehicle.odometer_km,
        )


@transaction.atomic
def save_walkaround(*, visit_uid: UUID, by: Actor, waiting_mode: str | None = None, **fields: Any) -> WalkAround:
    """2.1.2: writes down any of odometer_km (whole km), odometer_reason, energy_eighths (0–8), warning_lights,
    belongings, kit_fitted, no_valuables, old_parts, own_words; ``waiting_mode`` is the visit's own.

    What isn't named stays. Raises RuleError for a lower mileage without a reason, once signed, or before the customer
    was received. Saving what is already there writes nothing.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    read = _read_fields(fields)
    changed = {name: value for name, value in read.items() if getattr(walkaround, name) != value}
    before = {name: getattr(walkaround, name) for name in changed}
    for name, value in changed.items():
        setattr(walkaround, name, value)
    _check_odometer(walkaround, visit.vehicle)
    if changed:
        walkaround.save(update_fields=list(changed))
    facts = {
        name: (before[name], value) for name, value in changed.items() if name not in ("own_words", "odometer_reason")
    }
    if waiting_mode is not None and waiting_mode != visit.waiting_mode:
        if waiting_mode not in WaitingMode.values:
            raise RuleError("walkaround.choice", _("Choose where the customer waits."), field="waiting_mode")
        facts["waiting_mode"] = (visit.waiting_mode, waiting_mode)
        visit.waiting_mode = waiting_mode
        visit.save(update_fields=["waiting_mode"])
    if changed or facts:
        record(
            walkaround,
            events.WALKAROUND_SAVED,
            by=by,
            store_id=visit.store_id,
            changed=facts,
            own_words=True if "own_words" in changed else None,
        )
    return walkaround


@transaction.atomic
def add_damage(
    *,
    visit_uid: UUID,
    side: str,
    kind: str,
    by: Actor,
    place: str = "",
    x: int = 500,
    y: int = 500,
    size_mm: int | None = None,
    note: str = "",
    uid: UUID | None = None,
) -> DamageMark:
    """2.1.2: marks a damage; ``x`` and ``y`` in thousandths of that side's drawing, ``size_mm`` its length.

    ``uid`` is the name a device without a connection gave it: the same one again is the same mark. Raises RuleError
    for a side or kind off the list, a point outside, and once the walk-around is signed.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    if uid is not None and (known := walkaround.marks.filter(uid=uid).first()) is not None:
        return known
    if side not in DamageSide.values:
        raise RuleError("damage.side", _("Choose the side of the car."), field="side")
    if kind not in DamageKind.values:
        raise RuleError("damage.kind", _("Choose the kind of damage."), field="kind")
    outside = _("The mark lies outside the drawing.")
    if walkaround.marks.count() >= MOST_MARKS:
        raise RuleError("damage.many", _("That is too many marks; describe the rest in a note."), field="note")
    mark = DamageMark.objects.create(
        uid=uid or uuid4(),
        walkaround=walkaround,
        side=side,
        kind=kind,
        place=" ".join(place.split())[:40],
        x=_whole(x, lowest=0, highest=1000, field="x", text=outside),
        y=_whole(y, lowest=0, highest=1000, field="y", text=outside),
        size_mm=_whole_or_none(size_mm, lowest=1, highest=9999, field="size_mm", text=_("The size is 1 to 9,999 mm.")),
        note=" ".join(note.split())[:120],
    )
    record(walkaround, events.DAMAGE_ADDED, by=by, store_id=visit.store_id, mark=mark.uid, side=side, kind=kind)
    return mark


@transaction.atomic
def remove_damage(*, visit_uid: UUID, mark_uid: UUID, by: Actor) -> WalkAround:
    """2.1.2: takes a mark back before the signature; its photos stay with the visit."""
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    mark = DamageMark.objects.get(uid=mark_uid, walkaround=walkaround)
    record(
        walkaround,
        events.DAMAGE_REMOVED,
        by=by,
        store_id=visit.store_id,
        mark=mark.uid,
        side=mark.side,
        kind=mark.kind,
    )
    VisitPhoto.objects.filter(mark=mark).update(mark=None)
    mark.delete()
    return walkaround


@transaction.atomic
def sign_walkaround(*, visit_uid: UUID, signed_name: str, by: Actor, signature: bytes | None = None) -> WalkAround:
    """2.1.2: the customer signs, drawn (``signature`` is a PNG) or by the typed name alone.

    The mileage becomes the car's, the visit may go on into the shop. Raises RuleError naming the first thing that is
    missing; what was signed is never changed again.
    """
    if by.visit_id is None:
        by.require(permissions.VISITS_RECEIVE)
    # Lock order (design 5): vehicle before visit.
    unlocked = Visit.objects.for_actor(by).get(uid=visit_uid)
    vehicle = Vehicle.objects.locked().get(pk=unlocked.vehicle_id)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    name = " ".join(signed_name.split())[:60]
    _require_complete(walkaround, name)
    _check_odometer(walkaround, vehicle)
    refuse_empty_pad(signature)
    walkaround.signature = (
        store_file(content=signature, name="walkaround.png", store_id=visit.store_id, by=by, visit_uid=visit.uid)
        if signature
        else None
    )
    walkaround.state, walkaround.signed_at, walkaround.signed_name = WalkAroundState.SIGNED, clock.now(), name
    walkaround.save(update_fields=["state", "signed_at", "signed_name", "signature"])
    visit.signed_at, visit.odometer_in_km = walkaround.signed_at, walkaround.odometer_km
    visit.save(update_fields=["signed_at", "odometer_in_km"])
    assert walkaround.odometer_km is not None
    read_odometer(vehicle=vehicle, km=walkaround.odometer_km, by=by, reason=walkaround.odometer_reason)
    record(
        walkaround,
        events.WALKAROUND_SIGNED,
        by=by,
        store_id=visit.store_id,
        changed={"state": (WalkAroundState.DRAFT, walkaround.state)},
        odometer_km=walkaround.odometer_km,
        energy_eighths=walkaround.energy_eighths,
        marks=walkaround.marks.count(),
        photos=visit.photos.count(),
        signature=walkaround.signature.sha256 if walkaround.signature else None,
    )
    return walkaround


def missing_of(walkaround: WalkAround | None) -> list[tuple[str, Any]]:
    """What has to be written down before the customer signs: the field and what to do, in the order of the steps."""
    known = walkaround or WalkAround()
    asked = (
        (known.odometer_km is None, "odometer_km", _("Read the mileage first.")),
        (known.energy_eighths is None, "energy_eighths", _("Read fuel or charge first.")),
        (not known.no_valuables, "no_valuables", _("Ask the customer to take valuables along and confirm it.")),
        (not known.old_parts, "old_parts", _("Ask what happens to old parts.")),
    )
    return [(field, text) for lacks, field, text in asked if lacks]


def _require_complete(walkaround: WalkAround, name: str) -> None:
    missing = missing_of(walkaround)
    if not name:
        missing.append(("signed_name", _("Write the name of the person who signs.")))
    if missing:
        field, text = missing[0]
        raise RuleError("walkaround.incomplete", text, field=field)
