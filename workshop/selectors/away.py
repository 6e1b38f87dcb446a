"""Cars that are away until their part comes: on the order, and on Today what is to be booked (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.urls import reverse

from dealership.kernel.actors import Actor
from reception.models import EXPECTED_STATES, Appointment, VisitState
from workshop import permissions
from workshop.away_models import AwayWait
from workshop.models import HoldCause, LineHold, LineState, RepairOrder

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


def waits_for_parts(order: RepairOrder) -> bool:
    """Whether an agreed line of the order is held for a part."""
    rows = LineHold.objects.filter(line__order=order, line__state__in=OPEN, ended_at__isnull=True)
    return rows.filter(cause=HoldCause.PARTS).exists()


@dataclass(frozen=True, slots=True)
class ToBook:
    """``url`` is the booking with the car and the open work of its order."""

    wait: AwayWait
    url: str


def booking_url(order: RepairOrder) -> str:
    """The page of a new booking, filled with the car and the open operations of the order."""
    uids = order.lines.filter(state__in=OPEN, operation__isnull=False).values_list("operation__uid", flat=True)
    vehicle = order.vehicle
    query = [("q", vehicle.plate or vehicle.vin), *(("operation", str(uid)) for uid in uids)]
    return f"{reverse('appointment-new')}?{urlencode(query)}"


def to_book(by: Actor) -> list[ToBook]:
    """The waits whose part has come and that nobody has booked, the longest first."""
    booked = Appointment.objects.filter(vehicle=OuterRef("visit__vehicle"), state__in=EXPECTED_STATES)
    rows = (
        AwayWait.objects.for_actor(by)
        .filter(part_came_at__isnull=False, back_at__isnull=True)
        .exclude(Exists(booked))
        .select_related("order__vehicle")
        .order_by("part_came_at", "pk")
    )
    return [ToBook(row, booking_url(row.order)) for row in rows]


def away_panel(actor: Actor, order: RepairOrder) -> dict[str, object] | None:
    """What stands on the order: that the car may leave for its part, is away, or is to be booked."""
    wait = (
        AwayWait.objects.filter(order=order, back_at__isnull=True, cancelled_at__isnull=True)
        .select_related("safe_said_by")
        .first()
    )
    may = actor.may(permissions.PROMISE_CHANGE)
    if wait is None:
        fits = may and order.visit.state == VisitState.IN_SHOP and waits_for_parts(order)
        return {"order": order, "wait": None} if fits else None
    return {"order": order, "wait": wait, "may": may, "book": booking_url(order)}
