"""What technicians call for from their jobs, as keeper, foreman and the technician see it (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dealership.kernel.actors import Actor
from staff.models import Employee
from staff.selectors.employees import employee_of, employees_with_role
from workshop import permissions
from workshop.call_models import OPEN_CALLS, CallPass, CallState, Need, TechnicianCall
from workshop.models import Clocking, Dispatch, LineState

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)
ASKED_OF = {Need.PARTS: ("parts",), Need.HELP: ("leader", "foreman"), Need.TOOL: ("foreman",)}
"""Who is told, by what is needed."""
MOST_ON_THE_WALL = 6


def people_called(store_id: int, need: str) -> list[Employee]:
    """Who is called for a need: by post or as a deputy, each once, with their log-in."""
    people = {
        person.pk: person
        for role in ASKED_OF[Need(need)]
        for person in employees_with_role(store_id, role).select_related("user")
    }
    return list(people.values())


def cannot_come(call: TechnicianCall) -> set[int]:
    """Who has passed the call on and wasn't named for it again since."""
    said: set[int] = set()
    for passed_by, passed_to in call.passes.order_by("id").values_list("passed_by_id", "passed_to_id"):
        said.add(passed_by)
        said.discard(passed_to or 0)
    return said


def needs_of(by: Actor) -> tuple[Need, ...]:
    """What this person is called for: parts at the counter, help and tools on the floor."""
    if not by.may(permissions.CALLS_ANSWER):
        return ()
    found = (Need.PARTS,) if by.may(permissions.PARTS_ISSUE) else ()
    return (*found, Need.HELP, Need.TOOL) if by.may(permissions.CLOCK_OTHERS) else found


def open_calls(by: Actor, needs: tuple[Need, ...]) -> list[TechnicianCall]:
    """Open calls for ``needs``, the longest first; what this person passed on (``is_passed``) stands at the end."""
    if not needs:
        return []
    return sorted(_open(by).filter(need__in=needs)[:100], key=lambda call: bool(getattr(call, "is_passed", False)))


def unanswered(by: Actor) -> int:
    """How many calls wait for this person's answer: not those that they have passed on."""
    needs = needs_of(by)
    if not needs:
        return 0
    return _open(by).filter(Q(("is_passed", False)), need__in=needs, state=CallState.OPEN).count()


def _open(by: Actor) -> QuerySet[TechnicianCall]:
    rows = TechnicianCall.objects.for_actor(by).filter(state__in=OPEN_CALLS, line__state__in=OPEN).order_by("id")
    rows = rows.select_related("line__operation", "line__order__vehicle", "employee", "answered_by")
    who = employee_of(by)
    return _with_last_pass(rows, who.pk if who else 0)


def _with_last_pass(rows: QuerySet[TechnicianCall], who: int = 0) -> QuerySet[TechnicianCall]:
    """Beside each call who passed it on last, when, to whom, and whether ``who`` has (and wasn't named again since)."""
    passes = CallPass.objects.filter(call=OuterRef("pk")).order_by("-id")
    mine = passes.filter(Q(passed_by=who) | Q(passed_to=who)).annotate(
        own=ExpressionWrapper(Q(passed_by=who), BooleanField())
    )
    return rows.annotate(
        passed_by_name=Subquery(passes.values("passed_by__name")[:1]),
        passed_to_name=Subquery(passes.values("passed_to__name")[:1]),
        passed_note=Subquery(passes.values("note")[:1]),
        passed_at=Subquery(passes.values("at")[:1]),
        is_passed=Coalesce(Subquery(mine.values("own")[:1]), False),
    )


def open_on_lines(path: str) -> Prefetch[Any]:
    """For the plan: the calls of each line that nobody has answered."""
    return Prefetch(path, TechnicianCall.objects.filter(state=CallState.OPEN).order_by("id"))


def on_jobs(path: str) -> Prefetch[Any]:
    """For the technician: every call of the job, the last first, with who answered or passed it on."""
    rows = TechnicianCall.objects.select_related("employee", "answered_by").order_by("-id")
    return Prefetch(path, _with_last_pass(rows))


@dataclass
class Cry:
    """An open call as the wall shows it: where, which car, what, since when. No names of customers."""

    bay: str
    plate: str
    call: TechnicianCall


def on_the_wall(by: Actor) -> list[Cry]:
    """The store's open calls for the screen on the wall, the longest first; the bay is where the caller works, else is planned."""
    clocked = Prefetch("line__clockings", Clocking.objects.filter(ended_at__isnull=True).select_related("bay"))
    planned = Prefetch("line__dispatches", Dispatch.objects.filter(live=True).select_related("bay"))
    calls = _with_last_pass(
        TechnicianCall.objects.for_actor(by)
        .filter(state__in=OPEN_CALLS, line__state__in=OPEN)
        .select_related("line__order__vehicle", "answered_by")
        .prefetch_related(clocked, planned)
        .order_by("id")
    )
    found = []
    for call in calls[:MOST_ON_THE_WALL]:
        work = [*call.line.clockings.all(), *call.line.dispatches.all()]
        own = [
            row
            for row in work
            if call.employee_id in (getattr(row, "employee_id", 0), getattr(row, "technician_id", 0))
        ]
        bay = next((row.bay.said for row in (*own, *work) if row.bay is not None), "")
        found.append(Cry(bay, call.line.order.vehicle.plate, call))
    return found
