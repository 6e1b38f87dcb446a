"""Dispatch: a line goes to a technician and a bay for a time; the plans are reservations (2.4, 3.2).

Lock order (design 5): resources, order, line. Plans can't overlap; a line of high-voltage work has two people.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
from dealership.catalogue.services import plans
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.saying import say_time
from dealership.kernel.worktime import Calendar
from staff.models import Employee, EmployeeSkill, Skill
from staff.selectors.hours import calendar_of
from workshop import events, permissions, rules
from workshop.limits import HV_SECOND_LEVEL, PLAN_DAYS
from workshop.models import Dispatch, LineState, OrderLine
from workshop.selectors.fitness import needs_two, skilled
from workshop.selectors.plan import Proposal, fit_at, proposals
from workshop.selectors.tools import unfit_resources
from workshop.services import shares
from workshop.services.lift_gates import NOT_PLANNED, refuse_unfit_lift
from workshop.services.orders import locked_line

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


@transaction.atomic
def dispatch_line(
    *,
    line_uid: UUID,
    technician_uid: UUID,
    bay_uid: UUID,
    starts_at: datetime,
    by: Actor,
    ends_at: datetime | None = None,
    second_uid: UUID | None = None,
    replaces_uid: UUID | None = None,
    together: bool = False,
    alone: bool = False,
    share: int | None = None,
) -> Dispatch:
    """Gives an agreed line to a technician and a bay; without ``ends_at`` its hours run through the person's shifts.

    Times are aware. ``second_uid`` is a second person (two do high-voltage work), ``replaces_uid`` a plan of this line
    that is moved, with that of who does it ``together`` at the same place and time; ``alone`` is said by who saw that the
    line had no plan yet. ``share``: the technician's part of the line's hours in per cent, the others divide the rest;
    without it the parts are equal, or as somebody has said them. The time booked for the car by its appointment is given
    back first. What is worked on now keeps its bay, people and beginning (``dispatch.clocked_on``); only its end and shares
    are set anew. Raises RuleError ``dispatch.not_agreed``, ``.past``, ``.too_far``, ``.bay``, ``.skill``,
    ``.certificate``, ``.off_duty``, ``.two_people``, ``.twice``, ``.shares``,
    ``.car_elsewhere``; RaceLost ``reservation.taken`` and ``dispatch.given``. A refusal leaves the old plan as it was.
    """
    by.require(permissions.PLAN_DISPATCH)
    replaces, goes = [replaces_uid] if replaces_uid else [], False
    if replaces_uid:
        old = Dispatch.objects.for_actor(by).select_related("line", "bay", "technician").get(uid=replaces_uid)
        rows = together_with(old) if together else [old]
        replaces = [row.uid for row in rows]
        stays = (old.bay.uid, old.starts_at.replace(second=0, microsecond=0))
        goes = stays != (bay_uid, starts_at.replace(second=0, microsecond=0)) or any(
            row.technician.uid not in (technician_uid, second_uid) for row in rows
        )
    return give_out(
        line_uid=line_uid,
        technician_uid=technician_uid,
        bay_uid=bay_uid,
        starts_at=starts_at,
        ends_at=ends_at,
        second_uid=second_uid,
        replaces=replaces,
        alone=alone,
        idle=goes,
        share=share,
        by=by,
    )


def give_out(
    *,
    line_uid: UUID,
    technician_uid: UUID,
    bay_uid: UUID,
    starts_at: datetime,
    ends_at: datetime | None,
    by: Actor,
    second_uid: UUID | None = None,
    replaces: Sequence[UUID] = (),
    alone: bool = False,
    idle: bool = False,
    share: int | None = None,
) -> Dispatch:
    """What every way of giving out work comes down to; ``idle`` refuses a line that somebody is clocked on to."""
    if starts_at.tzinfo is None or (ends_at is not None and ends_at.tzinfo is None):
        raise ValueError("A plan's times are aware.")
    bay = Resource.objects.for_actor(by).get(uid=bay_uid, kind=ResourceKind.BAY)
    people = [_employee(technician_uid, by), *([_employee(second_uid, by)] if second_uid else [])]
    if len(people) == 2 and people[0].pk == people[1].pk:
        raise RuleError("dispatch.two_people", _("The second person is somebody else."), field="second")
    persons = [plans.person_in_plan(employee=person, by=by) for person in people]
    tools = _tools_for(line_uid, bay, by)
    plans.lock_resources([bay.pk, *(person.pk for person in persons), *(tool.pk for tool in tools)])
    line = locked_line(line_uid, by)
    if line.state not in OPEN:
        raise RuleError(
            "dispatch.not_agreed",
            _("“%(line)s” is %(state)s; only agreed work that isn't done is given out."),
            line=line.said,
            state=line.get_state_display(),
        )
    if idle:
        _refuse_clocked(line)
    shares_before = shares.held_of(line)
    for uid in replaces:
        take_back(Dispatch.objects.locked().get(uid=uid, line=line), by=by)
    others = list(line.dispatches.filter(live=True).select_related("technician", "bay_plan", "bay"))
    if alone and others:
        raise RaceLost(
            "dispatch.given",
            _("%(name)s has just been given this line (%(bay)s); look at the plan again."),
            name=others[0].technician.name,
            bay=others[0].bay.said,
        )
    for number, person in enumerate(people):
        if any(other.technician_id == person.pk for other in others):
            raise RuleError(
                "dispatch.twice",
                _("%(name)s already has this line; move that plan instead."),
                field="second" if number else "technician",
                name=person.name,
            )
    ends_at = _check_times(line, people[0], starts_at, ends_at, persons[0].efficiency)
    _check_bay(line, bay)
    refuse_unfit_lift(bay, _local_day(ends_at, line), code="dispatch.lift", text=NOT_PLANNED, field="bay")
    on = _local_day(starts_at, line)
    _check_people(line, people, others, on)
    for person in people[1:]:
        _check_duty(person, starts_at, ends_at, field="second")
    _refuse_elsewhere(line, bay, starts_at, ends_at)
    release_booking(line, by=by)
    tool = None if any(other.tool_plan_id for other in others) else _free_tool(line, tools, starts_at, ends_at)
    shared = next((o for o in others if o.bay_id == bay.pk and (o.starts_at, o.ends_at) == (starts_at, ends_at)), None)
    wanted = [person.uid for person in persons] + ([tool.uid] if tool else []) + ([] if shared else [bay.uid])
    made = plans.reserve_all(
        resource_uids=wanted,
        starts_at=starts_at,
        ends_at=ends_at,
        purpose=ReservationPurpose.WORK,
        subject_uid=line.uid,
        by=by,
    )
    bay_plan: Reservation | None = None if shared else made[-1]
    tool_plan = made[len(persons)] if tool else None
    first: Dispatch | None = None
    for number, (person, plan) in enumerate(zip(people, made, strict=False)):
        row = Dispatch.objects.create(
            store_id=line.order.store_id,
            line=line,
            technician=person,
            bay=bay,
            person_plan=plan,
            bay_plan=bay_plan if number == 0 else None,
            tool_plan=tool_plan if number == 0 else None,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        record(
            line,
            events.LINE_DISPATCHED,
            by=by,
            store_id=line.order.store_id,
            dispatch=row.uid,
            employee=person.uid,
            bay=bay.uid,
            starts_at=starts_at,
            ends_at=ends_at,
            replaces=replaces[0] if replaces else None,
        )
        first = first or row
    assert first is not None
    shares.divide_among(line, shares_before, {} if share is None else {people[0].pk: share})
    first.refresh_from_db(fields=["share", "share_said", "version"])
    return first


@transaction.atomic
def move_dispatch(
    *,
    uid: UUID,
    by: Actor,
    bay_uid: UUID | None = None,
    technician_uid: UUID | None = None,
    starts_at: datetime | None = None,
) -> Dispatch:
    """Moves a plan with the length it has: another bay, technician or beginning (2.4).

    Two people who were given the line together move together. What is worked on now stays (``dispatch.clocked_on``); a plan
    that somebody else has moved meanwhile is refused (``dispatch.ended``); otherwise as ``dispatch_line``.
    """
    by.require(permissions.PLAN_DISPATCH)
    rows = Dispatch.objects.for_actor(by).select_related("technician__store", "bay", "line")
    old = rows.get(uid=uid)
    mates = rows.filter(line=old.line, live=True, bay=old.bay, starts_at=old.starts_at, ends_at=old.ends_at)
    others = list(mates.exclude(pk=old.pk).order_by("pk"))
    if len(others) > 1:  # of three and more each moves alone, so that nobody is lost
        others = []
    start = starts_at or old.starts_at
    lead = _employee(technician_uid, by) if technician_uid else old.technician
    return give_out(
        line_uid=old.line.uid,
        technician_uid=lead.uid,
        bay_uid=bay_uid or old.bay.uid,
        starts_at=start,
        ends_at=_as_long(old, lead, start),
        second_uid=others[0].technician.uid if others else None,
        replaces=[old.uid, *(other.uid for other in others)],
        idle=True,
        by=by,
    )


def end_of_move(
    *, uid: UUID, by: Actor, technician_uid: UUID | None = None, bay_uid: UUID | None = None, starts_at: datetime
) -> tuple[OrderLine, datetime | None]:
    """The line of a plan and when it would end if it were moved so; None where the line's own hours decide. Writes nothing."""
    by.require(permissions.PLAN_DISPATCH)
    rows = Dispatch.objects.for_actor(by).select_related("technician__store", "line__order__store")
    old = rows.get(uid=uid)
    person = _employee(technician_uid, by) if technician_uid else old.technician
    return old.line, _as_long(old, person, starts_at)


def _as_long(old: Dispatch, person: Employee, start: datetime) -> datetime | None:
    """The end of a plan that takes as much working time as the old one; None where the hours of the line decide."""
    days = timedelta(days=limits.value(PLAN_DAYS, store_id=old.store_id))
    zone = ZoneInfo(person.store.time_zone)
    first = min(old.starts_at, start).astimezone(zone).date()
    took = calendar_of(old.technician, first=first, last=old.ends_at.astimezone(zone).date()).working_time_between(
        old.starts_at, old.ends_at
    )
    if not took:
        return None
    calendar = calendar_of(person, first=first, last=(start + days).astimezone(zone).date())
    try:
        return calendar.add_working_time(start, took)
    except ValueError:
        return None  # the line's own hours are tried, and the roster's end is said there


def together_with(plan: Dispatch) -> list[Dispatch]:
    """The plan with those of the others who do the line at the same place and time, the leading person first."""
    same = Dispatch.objects.filter(
        line_id=plan.line_id, bay_id=plan.bay_id, starts_at=plan.starts_at, ends_at=plan.ends_at
    )
    mates = same.filter(live=True).exclude(pk=plan.pk).select_related("technician")
    return sorted([plan, *mates], key=lambda row: row.pk)


@transaction.atomic
def drop_line(
    *, line_uid: UUID, resource_uid: UUID, starts_at: datetime, by: Actor, technician_uid: UUID | None = None
) -> Dispatch:
    """A line without a plan is put on a row of the plan at a time; who or what else it needs is found (2.4).

    On a bay's row the best fitting technician who is free then does it, on a technician's row the plainest free bay
    serves. ``technician_uid`` is who was shown before the drop: RaceLost ``dispatch.other`` where it would be somebody
    else by now. Raises RuleError ``dispatch.nobody`` where there is none, naming the earliest way; otherwise as
    ``dispatch_line``.
    """
    line, way = way_of_drop(line_uid=line_uid, resource_uid=resource_uid, starts_at=starts_at, by=by)
    if technician_uid is not None and way.technician.uid != technician_uid:
        raise RaceLost(
            "dispatch.other",
            _("Who was shown isn't free any more; now %(name)s would do it. Drop it once more if that is right."),
            name=way.technician.name,
        )
    return give_out(
        line_uid=line.uid,
        technician_uid=way.technician.uid,
        bay_uid=way.bay.uid,
        starts_at=starts_at,
        ends_at=None,
        second_uid=way.second.uid if way.second else None,
        alone=True,
        by=by,
    )


def way_of_drop(*, line_uid: UUID, resource_uid: UUID, starts_at: datetime, by: Actor) -> tuple[OrderLine, Proposal]:
    """Who would do a line that is dropped on this row at this time, and where; writes nothing. Refuses as ``drop_line``."""
    by.require(permissions.PLAN_DISPATCH)
    row = Resource.objects.for_actor(by).filter(kind__in=(ResourceKind.BAY, ResourceKind.PERSON)).get(uid=resource_uid)
    line = (
        OrderLine.objects.for_actor(by)
        .select_related("operation__skill", "order__store", "order__visit")
        .get(uid=line_uid)
    )
    if row.kind == ResourceKind.BAY:
        _check_bay(line, row)
        refuse_unfit_lift(row, _local_day(starts_at, line), code="dispatch.lift", text=NOT_PLANNED)
    way = fit_at(line, row, starts_at)
    if way is None:
        _refuse_person(line, row, starts_at)
        first = next(iter(proposals(line, after=starts_at)), None)
        if first is None:
            raise RuleError("dispatch.nobody", _("Nobody who may do this is free then; look at skills and roster."))
        raise RuleError(
            "dispatch.nobody",
            _("Nobody who may do this is free then. The earliest after it: %(time)s, %(name)s, %(bay)s."),
            time=say_time(first.starts_at, now=clock.now()),
            name=first.technician.name,
            bay=first.bay.said,
        )
    return line, way


def _refuse_person(line: OrderLine, row: Resource, starts_at: datetime) -> None:
    """Where a line is dropped on a person who can't do it then: why not, by name; nothing where somebody else is short."""
    person = row.employee if row.kind == ResourceKind.PERSON else None
    if person is None:
        return
    if not needs_two(line):
        _check_people(line, [person], [], _local_day(starts_at, line))
    ends_at = _check_times(line, person, starts_at, None, row.efficiency)
    taken = Reservation.objects.filter(
        resource=row, live=True, period__startswith__lt=ends_at, period__endswith__gt=starts_at
    )
    first = taken.order_by("period").first()
    if first is not None:
        raise RuleError(
            "dispatch.person_taken",
            _("%(name)s has something else planned from %(start)s to %(end)s."),
            field="technician",
            name=person.name,
            start=say_time(first.period.lower, now=clock.now()),
            end=say_time(first.period.upper, now=clock.now()),
        )


def _refuse_clocked(line: OrderLine) -> None:
    working = line.clockings.filter(ended_at__isnull=True).select_related("employee").first()
    if working is not None:
        raise RuleError(
            "dispatch.clocked_on",
            _("%(name)s is working on it right now; clock off first."),
            name=working.employee.name,
        )


def _employee(uid: UUID, by: Actor) -> Employee:
    return Employee.objects.for_actor(by).select_related("store").get(uid=uid)


def _refuse_elsewhere(line: OrderLine, bay: Resource, starts_at: datetime, ends_at: datetime) -> None:
    """A car stands in one bay at a time, whichever of its lines is worked on there."""
    other = (
        Dispatch.objects.filter(
            line__order__visit=line.order.visit_id,
            line__state__in=OPEN,
            live=True,
            starts_at__lt=ends_at,
            ends_at__gt=starts_at,
        )
        .exclude(bay=bay)
        .select_related("bay", "line")
        .first()
    )
    if other is None:
        return
    raise RuleError(
        "dispatch.car_elsewhere",
        _("The car stands in %(bay)s from %(start)s to %(end)s for “%(line)s”: choose that bay or another time."),
        field="bay",
        bay=other.bay.name,
        start=say_time(other.starts_at, now=clock.now()),
        end=say_time(other.ends_at, now=clock.now()),
        line=other.line.said,
    )


def _local_day(moment: datetime, line: OrderLine) -> date:
    return moment.astimezone(ZoneInfo(line.order.store.time_zone)).date()


def _tools_for(line_uid: UUID, bay: Resource, by: Actor) -> list[Resource]:
    """The store's special tools of the kind that the line needs, [] where it needs none."""
    kind = OrderLine.objects.for_actor(by).values_list("operation__tool", flat=True).get(uid=line_uid)
    if not kind:
        return []
    return list(
        Resource.objects.filter(store_id=bay.store_id, kind=ResourceKind.TOOL, tool=kind, active=True).order_by("pk")
    )


def _free_tool(line: OrderLine, tools: list[Resource], starts_at: datetime, ends_at: datetime) -> Resource | None:
    """A tool of the kind that is free for the whole time; None where the line needs none (2.4)."""
    if line.operation is None or not line.operation.tool:
        return None
    taken = Reservation.objects.filter(
        resource__in=tools, live=True, period__startswith__lt=ends_at, period__endswith__gt=starts_at
    )
    busy = set(taken.values_list("resource_id", flat=True))
    unfit = set(unfit_resources(line.order.store_id, _local_day(ends_at, line)).values_list("resource_id", flat=True))
    if tools and all(tool.pk in unfit for tool in tools):
        raise RuleError(
            "dispatch.tool_unfit",
            _("“%(tool)s” is damaged, out of use or out of date; it is checked first (3.4)."),
            tool=line.operation.get_tool_display(),
        )
    tools = [tool for tool in tools if tool.pk not in unfit]
    free = next((tool for tool in tools if tool.pk not in busy), None)
    if free is not None:
        return free
    if not tools:
        raise RuleError(
            "dispatch.tool",
            _("This work needs “%(tool)s”, and the store has none in use."),
            tool=line.operation.get_tool_display(),
        )
    next_at = min(plans.next_free([tool.pk], starts_at=starts_at, length=ends_at - starts_at) for tool in tools)
    raise RaceLost(
        "dispatch.tool",
        _("“%(tool)s” is in use elsewhere then. Next free time: %(free)s."),
        field="starts_at",
        tool=line.operation.get_tool_display(),
        free=say_time(next_at, now=clock.now()),
        free_at=next_at.isoformat(),
    )


def _check_times(
    line: OrderLine, person: Employee, starts_at: datetime, ends_at: datetime | None, efficiency: int
) -> datetime:
    """The end of the plan: as given, or after the line's hours of the person's own working time and efficiency."""
    days = limits.value(PLAN_DAYS, store_id=line.order.store_id)
    today = clock.today(line.order.store.time_zone)
    first = _local_day(starts_at, line)
    if first > today + timedelta(days=days):
        raise RuleError(
            "dispatch.too_far", _("Work is planned %(days)s days ahead at most."), field="starts_at", days=days
        )
    calendar = calendar_of(person, first=first, last=first + timedelta(days=days))
    _require_open(person, calendar, starts_at)
    if ends_at is None:
        try:
            ends_at = calendar.add_working_time(
                starts_at, timedelta(minutes=rules.plan_minutes(line.hours, efficiency))
            )
        except ValueError:
            raise RuleError(
                "dispatch.off_duty",
                _("The roster of %(name)s ends before this work would; plan the roster first."),
                field="technician",
                name=person.name,
            ) from None
    elif ends_at > starts_at:
        _require_open(person, calendar, ends_at - timedelta(seconds=1))
    if ends_at <= clock.now():
        raise RuleError("dispatch.past", _("A plan lies ahead; this time has passed."), field="starts_at")
    return ends_at


def _require_open(person: Employee, calendar: Calendar, at: datetime, field: str = "technician") -> None:
    if calendar.is_open(at):
        return
    day = list(calendar.spans(calendar.local_day(at), 1))
    if any(end <= at for _start, end in day) and any(start > at for start, _end in day):
        raise RuleError(
            "dispatch.off_duty",
            _("%(name)s has the lunch break then (until %(time)s); choose another time."),
            field=field,
            name=person.name,
            time=say_time(min(start for start, _end in day if start > at), now=clock.now()),
        )
    raise RuleError(
        "dispatch.off_duty",
        _("%(name)s doesn't work at that time (roster); choose another person or time."),
        field=field,
        name=person.name,
    )


def _check_duty(person: Employee, starts_at: datetime, ends_at: datetime, field: str) -> None:
    zone = ZoneInfo(person.store.time_zone)
    calendar = calendar_of(person, first=starts_at.astimezone(zone).date(), last=ends_at.astimezone(zone).date())
    for at in (starts_at, ends_at - timedelta(seconds=1)):
        _require_open(person, calendar, at, field)


def _check_bay(line: OrderLine, bay: Resource) -> None:
    if line.operation and not rules.bay_serves(line.operation.capability, bay.capability):
        raise RuleError(
            "dispatch.bay",
            _("%(bay)s can't do this: the work needs “%(needed)s”."),
            field="bay",
            bay=bay.said,
            needed=line.operation.get_capability_display(),
        )


def _check_people(line: OrderLine, people: list[Employee], others: list[Dispatch], on: date) -> None:
    """Skill level and certificate of each person, and two people for high voltage (3.2, 5.1, 8.1)."""
    operation = line.operation
    if operation is None or operation.skill is None:
        return
    skill, full = operation.skill, operation.skill_level
    two = needs_two(line)
    second = limits.value(HV_SECOND_LEVEL, store_id=line.order.store_id)
    lead_known = any(skilled(other.technician, skill, full, on) for other in others)
    for number, person in enumerate(people):
        wanted = second if two and (number > 0 or lead_known) else full
        level = _level(person, skill)
        if level < wanted:
            raise RuleError(
                "dispatch.skill",
                _("%(name)s has level %(level)s in “%(skill)s”; this work needs level %(wanted)s."),
                field="second" if number else "technician",
                name=person.name,
                level=level,
                skill=skill.label,
                wanted=wanted,
            )
        if not skilled(person, skill, wanted, on):
            raise RuleError(
                "dispatch.certificate",
                _("%(name)s has no certificate in “%(skill)s” that is valid on that day."),
                field="second" if number else "technician",
                name=person.name,
                skill=skill.label,
            )
    if two and len(people) + len(others) < 2:
        raise RuleError(
            "dispatch.two_people",
            _("High-voltage work is done by two people with that skill; name the second one."),
            field="second",
        )


def _level(person: Employee, skill: Skill) -> int:
    return EmployeeSkill.objects.filter(employee=person, skill=skill).values_list("level", flat=True).first() or 0


def release_booking(line: OrderLine, *, by: Actor) -> None:
    """The car is here: the time its appointment kept for it is given back to the plan."""
    appointment = line.order.visit.appointment
    if appointment is None:
        return
    held = Reservation.objects.filter(
        subject_uid=appointment.uid,
        live=True,
        purpose=ReservationPurpose.APPOINTMENT,
        resource__kind__in=(ResourceKind.BAY, ResourceKind.PERSON),  # tool and loan car stay with the car
    )
    for uid in held.order_by("pk").values_list("uid", flat=True):
        plans.release(reservation_uid=uid, by=by)


@transaction.atomic
def take_back_dispatch(*, uid: UUID, reason: str, by: Actor) -> Dispatch:
    """Takes a plan back, with a reason; what was clocked stays. Raises RuleError ``dispatch.reason`` and ``.ended``.

    Who is clocked on to the line by this plan clocks off first (``dispatch.clocked_on``).
    """
    by.require(permissions.PLAN_DISPATCH)
    if not reason.strip():
        raise RuleError("dispatch.reason", _("Say why the work is taken back."), field="reason")
    line_uid = Dispatch.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=uid)
    line = locked_line(line_uid, by)
    dispatch = Dispatch.objects.locked().select_related("technician").get(uid=uid)
    dispatch.line = line
    if dispatch.line.clockings.filter(employee=dispatch.technician, ended_at__isnull=True).exists():
        raise RuleError(
            "dispatch.clocked_on",
            _("%(name)s is working on it right now; clock off first."),
            name=dispatch.technician.name,
        )
    take_back(dispatch, reason=reason.strip()[:200], by=by)
    return dispatch


def take_back(dispatch: Dispatch, *, by: Actor, reason: str = "") -> None:
    """Ends a live plan. Bay and tool stay with whoever else works there on the same line at the same time."""
    if not dispatch.live:
        raise RuleError("dispatch.ended", _("This plan was already taken back or moved; reload the page."))
    dispatch.live, dispatch.ended_reason = False, reason
    held = [plan for plan in (dispatch.bay_plan, dispatch.tool_plan) if plan is not None]
    heir = (
        Dispatch.objects.filter(
            line_id=dispatch.line_id,
            bay_id=dispatch.bay_id,
            starts_at=dispatch.starts_at,
            ends_at=dispatch.ends_at,
            live=True,
            bay_plan__isnull=True,
        )
        .exclude(pk=dispatch.pk)
        .order_by("pk")
        .first()
    )
    bay_plan, tool_plan = dispatch.bay_plan, dispatch.tool_plan
    if held and heir is not None:
        dispatch.bay_plan = dispatch.tool_plan = None
    dispatch.save(update_fields=["live", "ended_reason", "bay_plan", "tool_plan"])
    if held and heir is not None:
        heir.bay_plan, heir.tool_plan = bay_plan, tool_plan
        heir.save(update_fields=["bay_plan", "tool_plan"])
    else:
        for plan in held:
            if plan.live:
                plans.release(reservation_uid=plan.uid, by=by)
    shares.divide_among_the_rest(dispatch.line, reason=reason or gettext("Somebody was taken off the line."))
    if dispatch.person_plan is not None and dispatch.person_plan.live:
        plans.release(reservation_uid=dispatch.person_plan.uid, by=by)
    record(
        dispatch,
        events.DISPATCH_TAKEN_BACK,
        by=by,
        changed={"live": (True, False)},
        employee=dispatch.technician.uid,
        line=dispatch.line.uid,
    )


def give_back_plans(line: OrderLine, by: Actor, reason: str = "") -> None:
    """Before a line is withdrawn, its agreement revoked or a new plan carried out: all its plans are freed.

    Each is read as it comes: the plan of the bay passes from the first of two people to the second.
    """
    for pk in line.dispatches.filter(live=True).order_by("pk").values_list("pk", flat=True):
        dispatch = Dispatch.objects.select_related("technician", "bay_plan", "tool_plan", "person_plan").get(pk=pk)
        dispatch.line = line
        take_back(dispatch, by=by, reason=reason)


def free_rest(line: OrderLine, by: Actor) -> None:
    """Work is done before its plan ends: what lies ahead of now is free for others; the plan bar ends here."""
    now = clock.now()
    held = Reservation.objects.filter(subject_uid=line.uid, live=True, period__endswith__gt=now).locked()
    for reservation in held.order_by("pk"):
        if reservation.period.lower >= now - timedelta(minutes=1):
            plans.release(reservation_uid=reservation.uid, by=by)
        else:
            reservation.period = (reservation.period.lower, now)
            reservation.save(update_fields=["period"])


def hand_over_dispatches(giver: Employee, taker: Employee, by: Actor) -> int:
    """Plans of ``giver`` that still lie ahead go to ``taker``; returns how many left ``giver``'s hands (1.2).

    What the colleague can't do at that time (skill, roster, another plan) goes back to the foreman's loose work instead
    of standing under somebody who is away. Who is clocked on to a line keeps it: what happens now isn't a plan.
    """
    rows = (
        Dispatch.objects.for_actor(by)
        .filter(technician=giver, live=True, line__state__in=OPEN, ends_at__gt=clock.now())
        .exclude(line__clockings__in=giver.clockings.filter(ended_at__isnull=True))
        .select_related("bay")
        .order_by("pk")
    )
    moved = 0
    for dispatch in rows:
        try:
            with transaction.atomic():
                give_out(
                    line_uid=dispatch.line.uid,
                    technician_uid=taker.uid,
                    bay_uid=dispatch.bay.uid,
                    starts_at=dispatch.starts_at,
                    ends_at=dispatch.ends_at,
                    replaces=[dispatch.uid],
                    by=by,
                )
        except RuleError:
            line = locked_line(dispatch.line.uid, by)
            held = (
                Dispatch.objects.locked()
                .select_related("technician", "bay_plan", "tool_plan", "person_plan")
                .get(pk=dispatch.pk)
            )
            held.line = line
            take_back(held, by=by, reason=gettext("%(name)s hands the work over.") % {"name": giver.name})
        moved += 1
    return moved
