"""Reads of vehicles: one record with owners over time, readings, visits and bookings (2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from reception import rules
from reception.limits import EXPIRY_DAYS, INSPECTION_YEARS, STICKER_YEARS, USE_AGAIN_DAYS
from reception.models import Appointment, Vehicle, Visit, VisitState


def vehicle_of(*, uid: UUID, by: Actor) -> Vehicle:
    """One vehicle; raises Vehicle.DoesNotExist."""
    return Vehicle.objects.for_actor(by).select_related("model").get(uid=uid)


def use_to_ask(vehicle: Vehicle, *, store_id: int) -> bool:
    """3.1: whether the owner is to be asked how the car is used: never answered, or so many days ago."""
    if vehicle.use_noted_at is None:
        return True
    return clock.now() - vehicle.use_noted_at > timedelta(days=limits.value(USE_AGAIN_DAYS, store_id=store_id))


@dataclass(frozen=True, slots=True)
class Ending:
    """Until when something of a car holds; ``late``: it has ended, ``near``: it will within the days that are set."""

    until: date
    late: bool
    near: bool
    known: bool = True  # False: worked out from the first registration
    inspection: bool = True  # False: only the sticker is due


def _ending(until: date, **more: Any) -> Ending:
    today = clock.today()
    near = today <= until <= today + timedelta(days=limits.value(EXPIRY_DAYS))
    return Ending(until, until < today, near, **more)


def insurance_of(vehicle: Vehicle) -> Ending | None:
    """2.3: the last day of the insurance; None where nobody has said."""
    return _ending(vehicle.insured_until) if vehicle.insured_until else None


def inspection_of(vehicle: Vehicle) -> Ending | None:
    """2.3: until when the car is inspected: as the licence says, else by the rule from the first registration.

    The rule is a dated setting; the one of today counts. None where neither day is known.
    """
    if vehicle.inspected_until:
        return _ending(vehicle.inspected_until)
    if not vehicle.registered_on:
        return None
    until, looked_at = rules.inspection_after(
        vehicle.registered_on,
        clock.today(),
        inspections=limits.value(INSPECTION_YEARS),
        stickers=limits.value(STICKER_YEARS),
    )
    return _ending(until, known=False, inspection=looked_at)


def vehicle_page(*, uid: UUID, by: Actor) -> dict[str, Any]:
    """Everything the vehicle's page shows but panels and timeline; raises Vehicle.DoesNotExist."""
    vehicle = vehicle_of(uid=uid, by=by)
    owners = list(vehicle.ownerships.select_related("customer").order_by("-starts_on"))
    visits = list(
        Visit.objects.for_actor(by)
        .filter(vehicle=vehicle)
        .select_related("advisor", "customer")
        .order_by("-arrived_at")[:20]
    )
    here = (VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP)
    appointments = Appointment.objects.for_actor(by).filter(vehicle=vehicle).select_related("customer")
    return {
        "vehicle": vehicle,
        "insurance": insurance_of(vehicle),
        "inspection": inspection_of(vehicle),
        "owners": owners,
        "owner": next((row.customer for row in owners if row.ends_on is None), None),
        "visits": visits,
        "open_visit": next((visit for visit in visits if visit.state in here), None),
        "appointments": list(appointments.order_by("-starts_at")[:5]),
        "readings": list(vehicle.readings.order_by("-read_at", "-id")[:10]),
    }
