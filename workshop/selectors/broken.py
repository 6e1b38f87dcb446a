"""Plans that can't be carried out as they stand: who does them is away, or their special tool isn't to be had (2.4, 3.4)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.saying import say_date, say_name
from dealership.kernel.worktime import CLOSED, Calendar
from staff.models import RosterDay
from staff.selectors.hours import shift_hours
from workshop.limits import TOOL_PLANNED_MINUTES
from workshop.models import Clocking, Dispatch, LineState
from workshop.tool_models import ToolAsset, ToolIssue, ToolState

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)
UNFIT = (ToolState.TO_CHECK, ToolState.OUT_OF_ORDER, ToolState.SCRAPPED)


@dataclass
class Broken:
    """One plan ahead and why it doesn't hold; ``what`` is the person or the tool, ``absent`` which of the two it is."""

    plan: Dispatch
    what: str
    why: str
    absent: bool
    tool: ToolAsset | None = None


def broken_plans(actor: Actor) -> list[Broken]:
    """The store's plans that lie ahead and don't hold, the next first; a count of queries that doesn't grow with them.

    A person is away where the roster gives no working time in what is left of the plan, or who left before it; whoever is
    clocked on to the line is there. A tool isn't to be had where it is damaged, out of use or out of date on the day of
    the plan, or with somebody else while the plan begins within ``workshop.tool_planned_minutes``.
    """
    store, now = Store.objects.get(pk=actor.store_id), clock.now()
    plans = list(
        Dispatch.objects.for_actor(actor)
        .filter(live=True, line__state__in=OPEN, ends_at__gt=now)
        .select_related("line__order__vehicle", "technician", "bay", "tool_plan")
        .prefetch_related(Prefetch("line__clockings", Clocking.objects.filter(ended_at__isnull=True)))
        .order_by("starts_at", "pk")
    )
    there = {plan.pk for plan in plans if plan.technician_id in {c.employee_id for c in plan.line.clockings.all()}}
    absent = _absent(store, [plan for plan in plans if plan.pk not in there])
    tools = _tools(store, plans)
    return [found for plan in plans if (found := absent.get(plan.pk) or tools.get(plan.pk)) is not None]


def _absent(store: Store, plans: list[Dispatch]) -> dict[int, Broken]:
    if not plans:
        return {}
    zone, now = ZoneInfo(store.time_zone), clock.now()
    first = clock.today(store.time_zone)
    last = max(plan.ends_at for plan in plans).astimezone(zone).date()
    rows = RosterDay.objects.filter(employee__in={plan.technician_id for plan in plans}, day__range=(first, last))
    roster: dict[int, dict[date, RosterDay]] = defaultdict(dict)
    for row in rows.select_related("shift"):
        roster[row.employee_id][row.day] = row
    found = {}
    for plan in plans:
        mine, person = roster[plan.technician_id], plan.technician
        start = max(plan.starts_at, now)
        day = start.astimezone(zone).date()
        left = person.left_on is not None and person.left_on < day
        hours = Calendar((CLOSED,) * 7, {on: shift_hours(row.shift) for on, row in mine.items()}, store.time_zone)
        if not left and hours.working_time_between(start, plan.ends_at):
            continue
        if plan.starts_at <= now and hours.working_time_between(plan.starts_at, now):
            continue  # the rest of the plan is a break or the end of the shift
        row = mine.get(day)
        word = say_name(row.absence) if row is not None and row.shift is None and row.absence else ""
        off = _("off duty") if row is None or row.shift is None else _("not on shift then")
        why = _("has left") if left else word or off
        found[plan.pk] = Broken(plan, person.name, why, absent=True)
    return found


def _tools(store: Store, plans: list[Dispatch]) -> dict[int, Broken]:
    held = {plan.pk: plan for plan in plans if plan.tool_plan is not None and plan.tool_plan.live}
    if not held:
        return {}
    zone, now, today = ZoneInfo(store.time_zone), clock.now(), clock.today(store.time_zone)
    near = now + timedelta(minutes=int(limits.value(TOOL_PLANNED_MINUTES, store_id=store.pk)))
    resources = {plan.tool_plan.resource_id for plan in held.values() if plan.tool_plan is not None}
    assets = {row.resource_id: row for row in ToolAsset.objects.filter(store=store, resource__in=resources)}
    out = {
        issue.tool_id: issue
        for issue in ToolIssue.objects.filter(tool__in=assets.values(), returned_at__isnull=True).select_related(
            "employee"
        )
    }
    people: dict[int, set[int]] = defaultdict(set)
    for plan in plans:
        people[plan.line_id].add(plan.technician_id)
    found = {}
    for plan in held.values():
        tool = assets.get(plan.tool_plan.resource_id) if plan.tool_plan is not None else None
        if tool is None:
            continue
        day = plan.ends_at.astimezone(zone).date()
        issue = out.get(tool.pk)
        why = ""
        if tool.state in UNFIT:
            why = tool.get_state_display()
        elif tool.check_months and (tool.valid_until is None or tool.valid_until < day):
            why = (
                _("its test runs out before it, on %(day)s") % {"day": say_date(tool.valid_until, today=today)}
                if tool.valid_until is not None and tool.valid_until >= today
                else _("out of date")
            )
        elif issue is not None and issue.employee_id not in people[plan.line_id] and plan.starts_at <= near:
            why = _("still with %(name)s") % {"name": issue.employee.name}
        if why:
            found[plan.pk] = Broken(plan, str(tool), why, absent=False, tool=tool)
    return found
