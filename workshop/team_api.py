"""How each of the team stands now and what plans don't hold, over the API (3.2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from dealership.kernel.actors import Actor
from dealership.kernel.api.resources import Listing, register_listing
from dealership.kernel.api.shapes import Choice, Flag, Moment, Number, Uid, Whole
from dealership.kernel.models import Store
from workshop import permissions
from workshop.selectors.broken import broken_plans
from workshop.selectors.team import Doing, Member, team


def _hours(value: float) -> Decimal:
    return Decimal(str(round(value, 2)))


def _row(member: Member) -> dict[str, Any]:
    running = member.running
    return {
        "employee_uid": member.person.uid,
        "state": member.doing.value,
        "since": member.since,
        "labor_operation_uid": running.line.uid if running else None,
        "clocking_uid": running.uid if running else None,
        "clocked_minutes": member.minutes if running else None,
        "planned_minutes": member.standard_minutes if running else None,
        "next_dispatch_uid": member.next.uid if member.next else None,
        "next_starts_at": member.next.starts_at if member.next else None,
        "waiting_lines": len(member.holds),
        "hours_sold": _hours(member.hours.sold),
        "hours_worked": _hours(member.hours.worked),
        "hours_attended": _hours(member.hours.attended),
    }


def _stores(actor: Actor) -> list[Actor]:
    """The caller once for each store that it sees."""
    stores = Store.objects.order_by("code")
    seen = stores if actor.store_ids is None else stores.filter(pk__in=actor.store_ids)
    return [replace(actor, store_ids=frozenset({key})) for key in seen.values_list("pk", flat=True)]


def _team(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, None]:
    members, most = [member for one in _stores(actor) for member in team(one).members], values["limit"]
    return [_row(member) for member in members[:most]], len(members) > most, None


def _broken(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, None]:
    found, most = [broken for one in _stores(actor) for broken in broken_plans(one)], values["limit"]
    rows = [
        {
            "dispatch_uid": one.plan.uid,
            "labor_operation_uid": one.plan.line.uid,
            "technician_uid": one.plan.technician.uid,
            "starts_at": one.plan.starts_at,
            "is_absent": one.absent,
            "tool_uid": one.tool.uid if one.tool else None,
        }
        for one in found[:most]
    ]
    return rows, len(found) > most, None


register_listing(
    Listing(
        path="technicians-now",
        name="TechnicianNow",
        room="workshop",
        view=permissions.TEAM_VIEW,
        help="How each technician stands at this moment, store by store, and the hours of the day so far (3.2, 6.1).",
        parameters={},
        shape={
            "employee_uid": Uid(),
            "state": Choice(choices=Doing),
            "since": Moment(null=True),
            "labor_operation_uid": Uid(null=True, help="The line that the person is clocked on to."),
            "clocking_uid": Uid(null=True),
            "clocked_minutes": Whole(null=True, help="Worked by everybody on that line so far."),
            "planned_minutes": Whole(null=True, help="The line's standard time."),
            "next_dispatch_uid": Uid(null=True),
            "next_starts_at": Moment(null=True),
            "waiting_lines": Whole(help="Lines given to the person that wait for something."),
            "hours_sold": Number(help="Standard hours of work finished today, the person's part of it."),
            "hours_worked": Number(),
            "hours_attended": Number(help="Of the shift without its break, and worked outside it."),
        },
        read=_team,
    )
)
register_listing(
    Listing(
        path="broken-plans",
        name="BrokenPlan",
        room="workshop",
        view=permissions.PLAN_VIEW,
        help="Plans ahead that don't hold: who does the work is away, or its special tool isn't to be had (2.4, 3.4).",
        parameters={},
        shape={
            "dispatch_uid": Uid(),
            "labor_operation_uid": Uid(),
            "technician_uid": Uid(),
            "starts_at": Moment(),
            "is_absent": Flag(help="The person is away; else it is the tool."),
            "tool_uid": Uid(null=True),
        },
        read=_broken,
    )
)
