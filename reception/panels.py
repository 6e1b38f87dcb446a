"""What reception itself says on its pages of a loan car, and on the hand-over of the customer's own car (2.1.2, 4.1)."""

from __future__ import annotations

from typing import Any

from dealership.kernel.actors import Actor
from dealership.kernel.panels import Panel, register_panel

from . import permissions
from .models import Appointment, Visit
from .selectors import loans


def _standing(actor: Actor, found: loans.Standing | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "loan": found,
        "may_see": actor.may(permissions.LOANS_VIEW),
        "may_work": actor.may(permissions.LOANS_WORK),
    }


def visit_loan(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    return _standing(actor, loans.standing(actor, visit=visit, appointment=visit.appointment))


def booking_loan(actor: Actor, appointment: Appointment) -> dict[str, Any] | None:
    visit = Visit.objects.for_actor(actor).filter(appointment=appointment).select_related("vehicle").first()
    return _standing(actor, loans.standing(actor, visit=visit, appointment=appointment))


def still_out(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """4.1: the hand-over says that the loan car isn't back; it doesn't block."""
    trip = loans.open_trip(visit)
    return {"trip": trip, "may_work": actor.may(permissions.LOANS_WORK)} if trip is not None else None


def overdue_today(actor: Actor, board: Any) -> dict[str, Any] | None:
    """The three that are overdue the longest."""
    rows = loans.overdue(actor)[:3] if actor.may(permissions.LOANS_VIEW) else []
    return {"rows": rows} if rows else None


register_panel("visit", Panel("reception.loan", "reception/loans/panel.html", visit_loan, order=5))
register_panel("appointment", Panel("reception.loan", "reception/loans/panel.html", booking_loan, order=5))
register_panel("handover", Panel("reception.loan", "reception/loans/still_out.html", still_out, order=5))
register_panel("today_actions", Panel("reception.loan", "reception/loans/today.html", overdue_today, order=60))
