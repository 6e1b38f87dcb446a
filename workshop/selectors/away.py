"""Cars that are away until their part comes: on the order, and on Today what is to be booked (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.urls import reverse

from dealership.catalogue.models import PartKind
from dealership.kernel.actors import Actor
from reception.models import EXPECTED_STATES, Appointment, VisitState
from reception.permissions import APPOINTMENTS_BOOK
from workshop import permissions
from workshop.away_models import AwayWait
from workshop.models import HoldCause, LineHold, LineState, PartLine, RepairOrder

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


def waits_for_parts(order: RepairOrder) -> bool:
    """Whether an agreed line of the order is held for a part."""
    rows = LineHold.objects.filter(line__order=order, line__state__in=OPEN, ended_at__isnull=True)
    return rows.filter(cause=HoldCause.PARTS).exists()


def kept_on_shelf(order: RepairOrder) -> str:
    """The parts for which agreed lines of the order are held, where each of them is here; "" while one is missing."""
    held = LineHold.objects.filter(line__order=order, line__state__in=OPEN, ended_at__isnull=True)
    lines = set(held.filter(cause=HoldCause.PARTS).values_list("line_id", flat=True))
    rows = PartLine.objects.filter(line__in=lines).exclude(kind=PartKind.CUSTOMER_SUPPLIED).select_related("part")
    parts = list(rows.order_by("id"))
    if lines - {row.line_id for row in parts}:
        return ""
    if any(row.quantity > row.reserved_quantity + row.issued_quantity for row in parts):
        return ""
    return ", ".join(dict.fromkeys(str(row.part.said) for row in parts))


def may_leave(actor: Actor, order: RepairOrder) -> bool:
    """Whether the person may note that the order's car, here and waiting for a part, drives on until it comes."""
    return (
        actor.may(permissions.AWAY_PLAN)
        and order.visit.state == VisitState.IN_SHOP
        and not order.visit.away_waits.filter(back_at__isnull=True, cancelled_at__isnull=True).exists()
    )


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
    """What stands on the order: that the car is to leave for its part, is away, or is to be booked."""
    wait = (
        AwayWait.objects.filter(order=order, back_at__isnull=True, cancelled_at__isnull=True)
        .select_related("safe_said_by")
        .first()
    )
    if wait is None:
        return None
    return {
        "order": order,
        "wait": wait,
        "may": actor.may(permissions.AWAY_PLAN),
        "may_pass": actor.may("delivery.gate_passes.issue"),
        "book": booking_url(order) if actor.may(APPOINTMENTS_BOOK) else "",
    }
