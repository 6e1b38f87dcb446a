"""Reads of vehicles: one record with owners over time, readings, visits and bookings (2.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from dealership.kernel.actors import Actor
from reception.models import Appointment, Vehicle, Visit, VisitState


def vehicle_of(*, uid: UUID, by: Actor) -> Vehicle:
    """One vehicle; raises Vehicle.DoesNotExist."""
    return Vehicle.objects.for_actor(by).select_related("model").get(uid=uid)


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
        "owners": owners,
        "owner": next((row.customer for row in owners if row.ends_on is None), None),
        "visits": visits,
        "open_visit": next((visit for visit in visits if visit.state in here), None),
        "appointments": list(appointments.order_by("-starts_at")[:5]),
        "readings": list(vehicle.readings.order_by("-read_at", "-id")[:10]),
    }
