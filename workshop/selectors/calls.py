"""What technicians call for from their jobs, as keeper, foreman and the technician see it (3.2)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet

from dealership.kernel.actors import Actor
from workshop import permissions
from workshop.call_models import OPEN_CALLS, CallState, Need, TechnicianCall
from workshop.models import LineState

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


def needs_of(by: Actor) -> tuple[Need, ...]:
    """What this person is called for: parts at the counter, help and tools on the floor."""
    if not by.may(permissions.CALLS_ANSWER):
        return ()
    found = (Need.PARTS,) if by.may(permissions.PARTS_ISSUE) else ()
    return (*found, Need.HELP, Need.TOOL) if by.may(permissions.CLOCK_OTHERS) else found


def open_calls(by: Actor, needs: tuple[Need, ...]) -> list[TechnicianCall]:
    """Open calls for ``needs``, the longest first."""
    if not needs:
        return []
    return list(_open(by).filter(need__in=needs)[:100])


def unanswered(by: Actor) -> int:
    """How many calls wait for this person's answer."""
    needs = needs_of(by)
    return _open(by).filter(need__in=needs, state=CallState.OPEN).count() if needs else 0


def _open(by: Actor) -> QuerySet[TechnicianCall]:
    rows = TechnicianCall.objects.for_actor(by).filter(state__in=OPEN_CALLS, line__state__in=OPEN).order_by("id")
    return rows.select_related("line__operation", "line__order__vehicle", "employee", "answered_by")


def open_on_lines(path: str) -> Prefetch[Any]:
    """For the plan: the calls of each line that nobody has answered."""
    return Prefetch(path, TechnicianCall.objects.filter(state=CallState.OPEN).order_by("id"))


def on_jobs(path: str) -> Prefetch[Any]:
    """For the technician: every call of the job, the last first, with who answered."""
    return Prefetch(path, TechnicianCall.objects.select_related("employee", "answered_by").order_by("-id"))
