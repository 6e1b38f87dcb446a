"""What customers ask for on their links: as they see it, and as staff answer it (3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from dealership.kernel.actors import Actor
from reception.models import EXPECTED_STATES, OPEN_VISITS, Appointment, Visit
from workshop import permissions
from workshop.models import LineState
from workshop.selectors.maintenance import say_due
from workshop.wish_models import MaintenanceWish, WishState

AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS)
DONE = (LineState.COMPLETED, LineState.INSPECTED)


@dataclass(frozen=True, slots=True)
class WishRow:
    """A wish in the reader's language; ``said`` is what became of it, ``color`` its chip."""

    wish: MaintenanceWish
    why: str
    said: str
    color: str
    line_state: str = ""


def _rows() -> QuerySet[MaintenanceWish]:
    return MaintenanceWish.objects.select_related("operation", "line__order", "visit", "appointment", "vehicle")


def wishes_of_visit(visit: Visit) -> list[WishRow]:
    """What was ticked on the visit's link or on the booking before it."""
    mine = Q(visit=visit)
    if visit.appointment_id:
        mine |= Q(appointment=visit.appointment_id)
    return [_said(wish) for wish in _rows().filter(mine, vehicle=visit.vehicle_id)]


def wishes_of_booking(appointment: Appointment) -> list[WishRow]:
    return [_said(wish) for wish in _rows().filter(appointment=appointment)]


def get_wish(uid: UUID, by: Actor) -> MaintenanceWish:
    wish: MaintenanceWish = _rows().for_actor(by).get(uid=uid)  # type: ignore[attr-defined]
    return wish


def open_wishes(by: Actor) -> list[MaintenanceWish]:
    """Unanswered ones of cars that are here or booked, in the actor's store; the oldest first."""
    if not by.may(permissions.LINES_EDIT):
        return []
    here = Q(visit__state__in=OPEN_VISITS) | Q(appointment__visit__state__in=OPEN_VISITS)
    rows = MaintenanceWish.objects.filter(store_id=by.store_id, state=WishState.OPEN).filter(
        here | Q(appointment__state__in=EXPECTED_STATES)
    )
    return list(rows.select_related("visit", "appointment__visit", "vehicle").order_by("pk")[:50])


def _said(wish: MaintenanceWish) -> WishRow:
    why = say_due(wish.due, wish.why)
    if wish.state == WishState.OPEN:
        return WishRow(wish, why, gettext("asked for; your advisor answers"), "wait")
    if wish.state == WishState.DECLINED:
        return WishRow(wish, why, gettext("not this time: %(answer)s") % {"answer": wish.answer}, "booked")
    assert wish.line is not None
    state = LineState(wish.line.state)
    said, color = _of_line(state)
    return WishRow(wish, why, said, color, str(state))


def _of_line(state: Any) -> tuple[str, str]:
    if state == LineState.DRAFT:
        return gettext("your advisor writes the offer"), "wait"
    if state == LineState.PENDING:
        return gettext("stands above for your decision"), "consent"
    if state in AGREED:
        return gettext("you have agreed; it will be done"), "work"
    if state in DONE:
        return gettext("is done"), "ready"
    if state == LineState.DECLINED:
        return gettext("you decided against it"), "booked"
    return gettext("was taken off again"), "booked"
