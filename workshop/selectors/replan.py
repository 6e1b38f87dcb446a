"""The store's open work as the planner's arithmetic reads it: people, bays, jobs, and what stays where it is (2.4).

Minutes count from midnight of the store's day. What is clocked on, what begins within ``FROZEN`` of the moment at which
the proposal may still be accepted, what waits for somebody's word and what people arranged by hand is frozen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Prefetch, Q, QuerySet

from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from reception.models import VisitState, WaitingMode
from staff.models import Employee, EmployeeSkill, RosterDay
from staff.selectors.employees import employees_with_role
from staff.selectors.hours import shift_hours
from workshop import rules
from workshop.limits import HV_SECOND_LEVEL, PLANNER_DAYS, PROPOSAL_MINUTES
from workshop.models import (
    Clocking,
    Dispatch,
    DispatchProposal,
    LineHold,
    LineState,
    OrderKind,
    OrderLine,
    ProposalState,
)
from workshop.planning import STEP, Job, Person, Place, Shop, Slot, Span, overlap, run
from workshop.selectors.fitness import needs_two
from workshop.selectors.lifts import bay_lifts
from workshop.selectors.plan import forecast_end
from workshop.selectors.tools import gloves_until, unfit_resources

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)
FROZEN = timedelta(hours=1)
"""A plan that begins within this time is never moved (2.4; trigger ``dispatchproposal_leaves_the_next_hour``)."""
LOOK_AHEAD = 7


@dataclass
class Problem:
    """``jobs`` and ``shop`` for the planner, with the rows behind their names; ``waiting`` isn't planned, and why."""

    origin: datetime
    usable_until: datetime
    shop: Shop
    jobs: list[Job]
    lines: dict[str, OrderLine]
    people: dict[str, Employee]
    bays: dict[str, Resource]
    tools: dict[str, tuple[str, ...]]
    """Names of the special tools of each kind."""
    plans: dict[str, list[Dispatch]]
    basis: dict[str, int]
    waiting: list[OrderLine] = field(default_factory=list)

    def at(self, minute: int) -> datetime:
        return self.origin + timedelta(minutes=minute)

    def minute(self, at: datetime) -> int:
        return int((at - self.origin).total_seconds() // 60)


def live_dispatches(store_id: int) -> QuerySet[Dispatch]:
    """Plans in force that haven't ended."""
    return Dispatch.objects.filter(store_id=store_id, live=True, ends_at__gt=clock.now())


def basis_of(dispatches: Iterable[Dispatch]) -> dict[str, int]:
    """uid → version of each plan in force: what a proposal was worked out from."""
    return {str(dispatch.uid): dispatch.version for dispatch in dispatches}


def is_stale(proposal: DispatchProposal) -> bool:
    """Whether the plan has changed since the proposal was worked out; that a plan's time has passed is no change."""
    known = proposal.basis
    now = {str(uid): version for uid, version in live_dispatches(proposal.store_id).values_list("uid", "version")}
    gone = [uid for uid in known if uid not in now]
    ended = Dispatch.objects.filter(uid__in=gone, live=True).count() if gone else 0
    return ended != len(gone) or any(known.get(uid) != version for uid, version in now.items())


def proposals(by: Actor) -> QuerySet[DispatchProposal]:
    return DispatchProposal.objects.for_actor(by).select_related("store", "asked_by")


def open_proposal(by: Actor) -> DispatchProposal | None:
    """The store's proposal that is being worked out or waits to be looked at."""
    rows = DispatchProposal.objects.for_actor(by).filter(store_id=by.store_id)
    return rows.filter(state__in=(ProposalState.RUNNING, ProposalState.READY)).order_by("-pk").first()


def standing_still(before: datetime) -> list[DispatchProposal]:
    """Proposals whose worker gave no sign of life since ``before``."""
    rows = DispatchProposal.objects.filter(state=ProposalState.RUNNING, asked_at__lt=before)
    return list(rows.filter(Q(seen_at__isnull=True) | Q(seen_at__lt=before)).order_by("pk"))


def out_of_date() -> list[DispatchProposal]:
    """Proposals that nobody accepted in their time."""
    return list(DispatchProposal.objects.filter(state=ProposalState.READY, expires_at__lt=clock.now()).order_by("pk"))


# --- reading the shop ---


def read_problem(store: Store) -> Problem:
    """Reads everything the planner needs in one go; a count of queries that doesn't grow with the jobs."""
    now = clock.now()
    zone = ZoneInfo(store.time_zone)
    today = now.astimezone(zone).date()
    origin = datetime(today.year, today.month, today.day, tzinfo=zone)
    usable = now + timedelta(minutes=limits.value(PROPOSAL_MINUTES, store_id=store.pk))
    rostered, last = _roster(store, today)
    horizon = (last - today).days * 24 * 60 + 24 * 60
    ends = origin + timedelta(minutes=horizon)

    dispatches = list(
        live_dispatches(store.pk)
        .select_related("technician__resource", "bay", "tool_plan__resource", "line")
        .prefetch_related(Prefetch("line__clockings", Clocking.objects.order_by("started_at", "id")))
        .order_by("pk")
    )
    lines = _open_lines(store)
    people = _people(store, {d.technician_id for d in dispatches})
    workers = _workers(store, people)
    bays = list(Resource.objects.filter(store=store, kind=ResourceKind.BAY, active=True).order_by("position", "pk"))
    tools = list(
        Resource.objects.filter(store=store, kind=ResourceKind.TOOL, active=True)
        .exclude(Q(tool="") | Q(pk__in=unfit_resources(store.pk, clock.today(store.time_zone))))
        .order_by("pk")
    )
    kinds: dict[str, tuple[str, ...]] = {}
    for tool in tools:
        kinds[tool.tool] = (*kinds.get(tool.tool, ()), str(tool.uid))
    plans: dict[str, list[Dispatch]] = defaultdict(list)
    for dispatch in dispatches:
        plans[str(dispatch.line.uid)].append(dispatch)

    problem = Problem(
        origin=origin,
        usable_until=usable,
        shop=Shop({}, {}, {}, horizon, *_gloves(store, people, last)),
        jobs=[],
        lines={str(line.uid): line for line in lines},
        people={str(person.uid): person for person in people},
        bays={str(bay.uid): bay for bay in bays},
        tools=kinds,
        plans=dict(plans),
        basis=basis_of(dispatches),
    )
    hours = {person.pk: _open_spans(rostered.get(person.pk, {}), today) for person in people}
    skills = _skills(people)
    hands = set(employees_with_role(store.pk, "technician").values_list("pk", flat=True))
    stand_ins = frozenset(str(person.uid) for person in people if person.pk not in hands)
    for line in lines:
        job = _job(problem, line, people if needs_two(line) else workers, bays, hours, skills, last)
        if job is not None:
            there = job.now.people if job.now is not None else ()
            able = {*job.leads, *job.seconds}
            job = replace(job, spare=(stand_ins & able) - frozenset(there), gloves=needs_two(line))
        if job is not None:
            problem.jobs.append(job)
    _order_diagnosis_first(problem)
    _fill_shop(problem, people, [*bays, *tools], hours, now, ends)
    return problem


def _gloves(store: Store, people: list[Employee], until: date) -> tuple[frozenset[str], int | None]:
    """Who has a tested pair of insulating gloves, and how many lie in the crib; a store that enters none isn't held up.

    A pair that is out serves the one who has it; nobody can count on its coming back (3.4, 8.1).
    """
    worn, free = gloves_until(store.pk, until)
    if free is None:
        return frozenset(), None
    return frozenset(str(person.uid) for person in people if person.pk in worn), free


def _roster(store: Store, today: date) -> tuple[dict[int, dict[date, tuple[Span, ...]]], date]:
    """Working spans by person and day, and the last of the rostered days that are planned."""
    found: dict[int, dict[date, tuple[Span, ...]]] = defaultdict(dict)
    rows = RosterDay.objects.filter(
        store=store, day__range=(today, today + timedelta(days=LOOK_AHEAD)), shift__isnull=False
    ).select_related("shift")
    for row in rows:
        found[row.employee_id][row.day] = shift_hours(row.shift)
    days = sorted({day for mine in found.values() for day in mine})
    most = limits.value(PLANNER_DAYS, store_id=store.pk)
    last = days[:most][-1] if days else today
    return found, last


def _open_spans(days: dict[date, tuple[Span, ...]], today: date) -> tuple[Span, ...]:
    """A person's hours in minutes from midnight of today, on the grid."""
    found = []
    for day in sorted(days):
        base = (day - today).days * 24 * 60
        for begin, end in days[day]:
            low, high = base + -(-begin // STEP) * STEP, base + end // STEP * STEP
            if low < high:
                found.append((low, high))
    return tuple(found)


def _open_lines(store: Store) -> list[OrderLine]:
    return list(
        OrderLine.objects.filter(order__store=store, state__in=OPEN, order__withdrawn_at__isnull=True)
        .exclude(order__visit__state=VisitState.AWAY)
        .select_related("operation__skill", "order__visit__appointment", "order__vehicle", "order__store")
        .prefetch_related(
            "part_lines",
            Prefetch("holds", LineHold.objects.filter(ended_at__isnull=True)),
            Prefetch("clockings", Clocking.objects.order_by("started_at", "id")),
        )
        .order_by(F("order__promised_at").asc(nulls_last=True), "order_id", "position")
    )


def _workers(store: Store, people: list[Employee]) -> list[Employee]:
    """Who does ordinary work: technicians by post, and who has a row on the plan."""
    posts = set(employees_with_role(store.pk, "technician").values_list("pk", flat=True))
    return [p for p in people if p.pk in posts or (hasattr(p, "resource") and p.resource.active)]


def _people(store: Store, also: set[int]) -> list[Employee]:
    """Everybody who may be needed: technicians, people who can stand by at high voltage, and who has work now."""
    workers = employees_with_role(store.pk, "technician").values("pk")
    able = EmployeeSkill.objects.filter(skill__code=rules.HIGH_VOLTAGE, level__gt=1).values("employee_id")
    return list(
        Employee.objects.filter(store=store, left_on__isnull=True)
        .filter(Q(resource__active=True) | Q(pk__in=workers) | Q(pk__in=able) | Q(pk__in=also))
        .select_related("resource")
        .distinct()
        .order_by("pk")
    )


Skills = dict[tuple[int, int], EmployeeSkill]


def _skills(people: list[Employee]) -> Skills:
    rows = EmployeeSkill.objects.filter(employee__in=people)
    return {(row.employee_id, row.skill_id): row for row in rows}


def _able(line: OrderLine, people: list[Employee], skills: Skills, level: int, until: date) -> tuple[str, ...]:
    """Who has the level in the line's skill, with a certificate through ``until`` where the skill needs one."""
    skill = line.operation.skill if line.operation else None
    if skill is None:
        return tuple(str(person.uid) for person in people)
    found = []
    for person in people:
        row = skills.get((person.pk, skill.pk))
        if row is None or row.level < level:
            continue
        if skill.certificate_required and (
            not row.certificate_number or row.valid_until is None or row.valid_until < until
        ):
            continue
        found.append(str(person.uid))
    return tuple(found)


def _pace(person: Employee) -> int:
    """Standard minutes that the person does in 100 minutes."""
    return person.resource.efficiency if hasattr(person, "resource") else 100


def _floor(problem: Problem, at: datetime) -> int:
    return int((at - problem.origin).total_seconds() // 60) // STEP * STEP


def _ceil(problem: Problem, at: datetime) -> int:
    return -(-int(-(-(at - problem.origin).total_seconds() // 60)) // STEP) * STEP


def _job(
    problem: Problem,
    line: OrderLine,
    people: list[Employee],
    bays: list[Resource],
    hours: dict[int, tuple[Span, ...]],
    skills: Skills,
    last: date,
) -> Job | None:
    """The line as a job; None where it can't be planned (kept in ``waiting``) or lies beyond the planned days."""
    key = str(line.uid)
    plans = problem.plans.get(key, [])
    running = any(clocking.ended_at is None for clocking in line.clockings.all())
    first = _ceil(problem, problem.usable_until)
    if plans and _floor(problem, plans[0].starts_at) >= problem.shop.horizon:
        return None
    now, frozen = _now(problem, line, plans, running, hours)
    parts = _parts_release(problem, line)
    if not frozen and now is None and (running or line.holds.all()):
        problem.waiting.append(line)
        return None
    two = needs_two(line)
    level = line.operation.skill_level if line.operation and line.operation.skill else 0
    second = limits.value(HV_SECOND_LEVEL, store_id=line.order.store_id)
    movable_from = _ceil(problem, problem.usable_until + FROZEN)
    release = max(first if now is None else movable_from, parts)
    if release >= problem.shop.horizon and not frozen:
        problem.waiting.append(line)
        return None
    waits = line.order.visit.waiting_mode == WaitingMode.WAIT_AT_DEALER
    return Job(
        id=key,
        car=str(line.order.vehicle.uid),
        minutes=_minutes(line, plans if now is not None else [], hours, problem),
        leads=_able(line, people, skills, level, last),
        seconds=_able(line, people, skills, second, last) if two else (),
        bays=tuple(str(bay.uid) for bay in _fitting(line, bays)),
        dear=frozenset(str(bay.uid) for bay in _fitting(line, bays) if not _is_made_for(line, bay)),
        tools=_tools(problem, line),
        release=release,
        due=_due(problem, line, now, waits, hours),
        waiting=waits,
        rework=line.order.kind == OrderKind.REWORK,
        arrived=_floor(problem, line.order.opened_at),
        now=now,
        frozen=frozen,
    )


def _tools(problem: Problem, line: OrderLine) -> tuple[tuple[str, ...], ...]:
    """One of the tools of the kind that the line needs; a kind that the store hasn't got leaves no choice."""
    kind = line.operation.tool if line.operation else ""
    return (problem.tools.get(kind, ()),) if kind else ()


def _due(
    problem: Problem, line: OrderLine, now: Slot | None, waits: bool, hours: dict[int, tuple[Span, ...]]
) -> int | None:
    """The promise; without one, what people count on: who waits the planned end, every plan its day, who waits today."""
    if line.order.promised_at is not None:
        return _floor(problem, line.order.promised_at)
    if waits and now is not None:
        return now.end
    if not waits and now is None:
        return None
    day = (now.end if now is not None else _floor(problem, clock.now())) // (24 * 60)
    closing = [end for spans in hours.values() for _begin, end in spans if (end - 1) // (24 * 60) == day]
    return max(closing, default=(day + 1) * 24 * 60)


def _fitting(line: OrderLine, bays: list[Resource]) -> list[Resource]:
    needed = line.operation.capability if line.operation else None
    return [bay for bay in bays if needed is None or rules.bay_serves(needed, bay.capability)]


def _is_made_for(line: OrderLine, bay: Resource) -> bool:
    """Whether the bay is no more than the line needs; a line that names no kind of bay leaves the others theirs."""
    needed = line.operation.capability if line.operation else None
    return not needed or bay.capability == needed


def _now(
    problem: Problem, line: OrderLine, plans: list[Dispatch], running: bool, hours: dict[int, tuple[Span, ...]]
) -> tuple[Slot | None, bool]:
    """Where the job stands in the plan in force, and whether it stays there."""
    if not plans:
        return None, False
    lead = plans[0]
    same = all((d.bay_id, d.starts_at, d.ends_at) == (lead.bay_id, lead.starts_at, lead.ends_at) for d in plans)
    start = _floor(problem, lead.starts_at)
    ends = [d.ends_at for d in plans]
    if running:
        ends += [likely for d in plans if (likely := forecast_end(d)) is not None]
    end = _ceil(problem, max(ends))
    by_hand = not same or len(plans) != (2 if needs_two(line) else 1)
    soon = lead.starts_at < problem.usable_until + FROZEN
    frozen = running or soon or by_hand or bool(line.holds.all())
    if not frozen:
        person = Person("", hours.get(lead.technician_id, ()), (), _pace(lead.technician))
        end = run(person, start, _minutes(line, plans, hours, problem)) or end
    held = tuple(str(d.tool_plan.resource.uid) for d in plans if d.tool_plan is not None)
    slot = Slot(tuple(str(d.technician.uid) for d in plans), str(lead.bay.uid), start, end, held)
    return slot, frozen


def _minutes(line: OrderLine, plans: list[Dispatch], hours: dict[int, tuple[Span, ...]], problem: Problem) -> int:
    """As planned by the foreman, else the line's hours less what was worked already."""
    if plans:
        lead = plans[0]
        spans = hours.get(lead.technician_id, ())
        planned = sum(
            end - begin
            for begin, end in overlap(spans, (_floor(problem, lead.starts_at), _ceil(problem, lead.ends_at)))
        )
        if planned:
            return max(STEP, planned * _pace(lead.technician) // 100)
    worked = sum(((c.ended_at or clock.now()) - c.started_at).total_seconds() for c in line.clockings.all()) / 60
    return max(15, rules.plan_minutes(line.hours) - int(worked) // STEP * STEP)


def _parts_release(problem: Problem, line: OrderLine) -> int:
    """The first minute at which the line's parts are there, as far as a day is named."""
    release = 0
    for part in line.part_lines.all():
        if part.reserved_quantity + part.issued_quantity >= part.quantity:
            continue
        if part.expected_on is None:
            continue
        due = datetime(
            part.expected_on.year, part.expected_on.month, part.expected_on.day, tzinfo=problem.origin.tzinfo
        )
        release = max(release, _floor(problem, due))
    return release


def _order_diagnosis_first(problem: Problem) -> None:
    """What was ordered is done after the diagnosis of the same order."""
    diagnoses: dict[int, list[str]] = defaultdict(list)
    planned = {job.id for job in problem.jobs}
    for key in planned:
        line = problem.lines[key]
        if line.is_diagnosis:
            diagnoses[line.order_id].append(key)
    for number, job in enumerate(problem.jobs):
        line = problem.lines[job.id]
        if not line.is_diagnosis and line.order_id in diagnoses:
            problem.jobs[number] = replace(job, after=tuple(sorted(diagnoses[line.order_id])))


def _fill_shop(
    problem: Problem,
    people: list[Employee],
    places: list[Resource],
    hours: dict[int, tuple[Span, ...]],
    now: datetime,
    ends: datetime,
) -> None:
    """Who and what there is, with the time that other plans hold: bookings of cars to come, blocked bays, later work."""
    jobs = {job.id for job in problem.jobs}
    booked = (problem.lines[job.id].order.visit.appointment for job in problem.jobs)
    own = {appointment.uid for appointment in booked if appointment is not None}
    held = Reservation.objects.filter(
        resource__in=[*(b.pk for b in places), *(p.resource.pk for p in people if hasattr(p, "resource"))],
        live=True,
        period__startswith__lt=ends,
        period__endswith__gt=now,
    )
    busy: dict[int, list[Span]] = defaultdict(list)
    rooms = {place.pk: place.capacity for place in places}
    for row in held:
        if row.purpose == ReservationPurpose.WORK and str(row.subject_uid) in jobs:
            continue  # the job itself says where it stands
        if row.purpose == ReservationPurpose.APPOINTMENT and row.subject_uid in own:
            continue  # this car is here: what was booked for it is given back as it is given out
        times = rooms.get(row.resource_id, 1) if row.purpose == ReservationPurpose.BLOCKED else 1
        busy[row.resource_id] += [(_floor(problem, row.period.lower), _ceil(problem, row.period.upper))] * times
    for job in problem.jobs:  # several plans of one line: the first is the job's slot, the others are taken time
        for dispatch in problem.plans.get(job.id, [])[1:] if job.frozen else []:
            span = (_floor(problem, dispatch.starts_at), _ceil(problem, dispatch.ends_at))
            if hasattr(dispatch.technician, "resource"):
                busy[dispatch.technician.resource.pk].append(span)
            lead = problem.plans[job.id][0]
            if (dispatch.bay_id, dispatch.starts_at, dispatch.ends_at) != (lead.bay_id, lead.starts_at, lead.ends_at):
                busy[dispatch.bay_id].append(span)  # else the car stands there once
    for place, last in _lift_days(places, now):  # a lift that isn't fit shuts its bay (3.4)
        shut = _floor(problem, now) if last == date.min else _day_after(problem, last)
        busy[place.pk] += [(shut, problem.shop.horizon)] * place.capacity if shut < problem.shop.horizon else []
    first = _floor(problem, now)
    for person in people:
        spans = tuple((max(b, first), e) for b, e in hours[person.pk] if e > max(b, first))
        taken = tuple(sorted(busy[person.resource.pk])) if hasattr(person, "resource") else ()
        made = Person(str(person.uid), spans, taken, _pace(person))
        problem.shop.people[made.id] = made  # type: ignore[index]
    for place in places:
        where = problem.shop.bays if place.kind == ResourceKind.BAY else problem.shop.tools
        where[str(place.uid)] = Place(str(place.uid), tuple(sorted(busy[place.pk])), place.capacity)  # type: ignore[index]


def _lift_days(places: list[Resource], now: datetime) -> list[tuple[Resource, date]]:
    """Bays with a lift, and the last day on which it may be used."""
    if not places:
        return []
    lifts = bay_lifts(places[0].store_id, now.date())
    return [(place, lifts[place.pk].last_day) for place in places if place.pk in lifts]


def _day_after(problem: Problem, day: date) -> int:
    """The first minute of the day after ``day``, counted as the planner does."""
    return ((day - problem.origin.date()).days + 1) * 24 * 60
