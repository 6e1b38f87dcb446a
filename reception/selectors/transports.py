"""Reads of fetching and bringing back cars (2.1.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor

from ..models import EXPECTED_STATES, OPEN_TRANSPORTS, Appointment, Transport, Vehicle, Visit

JOINED = ("vehicle", "driver", "visit", "appointment")
BEFORE_BOOKING = timedelta(hours=1)
"""The window proposed for fetching a car ends at its booked arrival and begins this much earlier."""


def transport_lists(by: Actor) -> dict[str, Any]:
    """``there``: what is planned or under way, the earliest first; ``ended``: the last twenty of thirty days."""
    rows = Transport.objects.for_actor(by).select_related(*JOINED)
    since = clock.now() - timedelta(days=30)
    return {
        "there": list(rows.filter(state__in=OPEN_TRANSPORTS).order_by("starts_at", "pk")),
        "ended": list(
            rows.exclude(state__in=OPEN_TRANSPORTS).filter(starts_at__gte=since).order_by("-starts_at", "-pk")[:20]
        ),
    }


def transport_of(by: Actor, uid: UUID) -> Transport:
    """One way with what its page shows. Raises Transport.DoesNotExist for a foreign store's."""
    return Transport.objects.for_actor(by).select_related(*JOINED, "store").get(uid=uid)


def open_count(by: Actor) -> int:
    return Transport.objects.for_actor(by).filter(state__in=OPEN_TRANSPORTS).count()


def what_for(by: Actor, *, visit: str, appointment: str, vehicle: str, plate: str) -> dict[str, Any]:
    """The car that the address of the planning page names: by its visit, its booking, itself or its plate.

    With a car come its owner, its next booking and the window that keeps the booked arrival.
    """
    try:
        if visit and (row := Visit.objects.for_actor(by).filter(uid=visit).select_related("vehicle").first()):
            return {"visit": row, "vehicle": row.vehicle, "contact": row}
        if appointment:
            rows = Appointment.objects.for_actor(by).filter(uid=appointment, state__in=EXPECTED_STATES)
            if booking := rows.select_related("vehicle").first():
                return _for_booking(booking)
        if vehicle and (car := Vehicle.objects.for_actor(by).filter(uid=vehicle).first()):
            return _for_car(by, car)
    except ValidationError:
        return {}
    if plate and (car := Vehicle.objects.for_actor(by).filter(plate=formats.normalise_plate(plate)).first()):
        return _for_car(by, car)
    return {}


def _for_booking(booking: Appointment) -> dict[str, Any]:
    found: dict[str, Any] = {"appointment": booking, "vehicle": booking.vehicle, "contact": booking}
    window: tuple[datetime, datetime] = (booking.starts_at - BEFORE_BOOKING, booking.starts_at)
    return found | ({"window": window} if window[0] > clock.now() else {})


def _for_car(by: Actor, car: Vehicle) -> dict[str, Any]:
    """The next booking of the car, else its owner."""
    coming = Appointment.objects.for_actor(by).filter(vehicle=car, state__in=EXPECTED_STATES)
    booking = coming.filter(starts_at__gte=clock.now()).select_related("vehicle").order_by("starts_at", "pk").first()
    if booking is not None:
        return _for_booking(booking)
    held = car.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
    return {"vehicle": car, "owner": held.customer if held else None}
