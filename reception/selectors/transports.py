"""Reads of fetching and bringing back cars (2.1.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor

from ..models import EXPECTED_STATES, OPEN_TRANSPORTS, Appointment, Transport, Vehicle, Visit

JOINED = ("vehicle", "driver", "visit", "appointment")


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
    """The car that the address of the planning page names: by its visit, its booking, itself or its plate."""
    try:
        if visit and (row := Visit.objects.for_actor(by).filter(uid=visit).select_related("vehicle").first()):
            return {"visit": row, "vehicle": row.vehicle, "contact": row}
        if appointment:
            rows = Appointment.objects.for_actor(by).filter(uid=appointment, state__in=EXPECTED_STATES)
            if booking := rows.select_related("vehicle").first():
                return {"appointment": booking, "vehicle": booking.vehicle, "contact": booking}
        if vehicle and (car := Vehicle.objects.for_actor(by).filter(uid=vehicle).first()):
            return {"vehicle": car}
    except ValidationError:
        return {}
    if plate and (car := Vehicle.objects.for_actor(by).filter(plate=formats.normalise_plate(plate)).first()):
        return {"vehicle": car}
    return {}
