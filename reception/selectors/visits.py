"""Reads of visits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor

from ..models import A, Appointment, Customer, Vehicle, Visit, VisitState

OPEN_STATES = (VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP)


@dataclass(frozen=True, slots=True)
class KnownCar:
    """A car found by its plate, with what the desk wants to see at once and what it fills in."""

    vehicle: Vehicle
    owner: Customer | None
    open_visit: Visit | None
    appointment: Appointment | None
    last_visits: list[Visit] = field(default_factory=list)

    @property
    def fills(self) -> dict[str, Any]:
        """Field → value for the arrival form; a booking knows more than the file."""
        booked = self.appointment
        return {
            "vin": self.vehicle.vin,
            "plate_kind": self.vehicle.plate_kind,
            "model_text": self.vehicle.model_text,
            "contact_name": booked.contact_name if booked else (self.owner.name if self.owner else ""),
            "contact_phone": booked.contact_phone if booked else (self.owner.phone if self.owner else ""),
            "need": booked.concern if booked else "",
            "waiting_mode": booked.waiting_mode if booked else "WAIT_AT_DEALER",
            "appointment": booked.uid if booked else None,
        }


def known_car(by: Actor, *, plate: str) -> KnownCar | None:
    """The car with this plate, its owner, today's booking, and an open visit where it is already here."""
    if not plate.strip():
        return None
    vehicle = Vehicle.objects.for_actor(by).filter(plate=formats.normalise_plate(plate)).first()
    if vehicle is None:
        return None
    ownership = vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
    near = (clock.now() - timedelta(hours=12), clock.now() + timedelta(hours=12))
    return KnownCar(
        vehicle=vehicle,
        owner=ownership.customer if ownership else None,
        open_visit=Visit.objects.for_actor(by).filter(vehicle=vehicle, state__in=OPEN_STATES).first(),
        appointment=Appointment.objects.for_actor(by)
        .filter(vehicle=vehicle, state__in=[A.REQUESTED, A.CONFIRMED, A.PREPARED, A.NO_SHOW], starts_at__range=near)
        .first(),
        last_visits=list(
            Visit.objects.for_actor(by)
            .filter(vehicle=vehicle, state=VisitState.DEPARTED)
            .select_related("advisor")
            .order_by("-arrived_at")[:3]
        ),
    )
