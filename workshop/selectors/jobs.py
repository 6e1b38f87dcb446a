"""My jobs: what a person is to do, is doing and has to check, as the phone shows it (3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q

from dealership.catalogue.models import PartKind
from dealership.kernel import clock, saying
from dealership.kernel.actors import Actor
from staff.models import Employee
from staff.selectors.employees import employee_of
from workshop import rules
from workshop.call_models import TechnicianCall
from workshop.models import (
    Clocking,
    Dispatch,
    Inspection,
    LineHold,
    LineState,
    OrderLine,
    PartLine,
    RepairOrder,
)
from workshop.selectors.calls import on_jobs
from workshop.selectors.fitness import needs_two
from workshop.selectors.gloves import gloves_unseen
from workshop.selectors.lifts import bay_lifts
from workshop.selectors.own_parts import OwnPart, unfit
from workshop.selectors.tools import gloves_out, wears_gloves
from workshop.tool_models import ToolAsset, ToolIssue

L = LineState
OPEN = (L.AUTHORIZED, L.IN_PROGRESS)


@dataclass
class Job:
    """One line as its technician sees it; minutes are worked time of everybody on the line."""

    line: OrderLine
    dispatch: Dispatch | None = None
    clocking: Clocking | None = None
    hold: LineHold | None = None
    paused: Clocking | None = None
    """Where the person is off this line: the last clocking, with why and since when."""
    minutes: int = 0
    colleagues: list[str] = field(default_factory=list)
    agreed: list[OrderLine] = field(default_factory=list)
    asked: list[OrderLine] = field(default_factory=list)
    parts: list[PartLine] = field(default_factory=list)
    calls: list[TechnicianCall] = field(default_factory=list)
    """What was asked for from this job, the last first."""

    @property
    def order(self) -> RepairOrder:
        return self.line.order

    @property
    def standard_minutes(self) -> int:
        return int(self.line.hours * 60)

    @property
    def left_minutes(self) -> int:
        """Minutes of the standard time that are left, negative when it is used up."""
        return self.standard_minutes - self.minutes

    @property
    def over_minutes(self) -> int:
        return max(0, -self.left_minutes)

    @property
    def rest(self) -> timedelta:
        """What the plan counts on from now, as the foreman reads it on the bar."""
        return timedelta(minutes=rules.rest_minutes(self.line.hours, self.minutes))

    @property
    def percent(self) -> int:
        return min(100, self.minutes * 100 // self.standard_minutes) if self.standard_minutes else 0

    @property
    def missing_parts(self) -> list[PartLine]:
        return [p for p in self.parts if p.kind != PartKind.CUSTOMER_SUPPLIED and p.issued_quantity < p.quantity]

    @property
    def own_waiting(self) -> list[OwnPart]:
        """What the customer brought and mayn't be fitted: nobody looked at it, or it was refused."""
        return unfit(self.line) if any(p.kind == PartKind.CUSTOMER_SUPPLIED for p in self.parts) else []

    @property
    def issued_parts(self) -> list[PartLine]:
        return [p for p in self.parts if p.issued_quantity > 0]

    @property
    def asks_words(self) -> bool:
        """Whether finishing asks what was found and done: not for maintenance."""
        return not (self.line.operation and self.line.operation.is_maintenance)

    @property
    def rework(self) -> Inspection | None:
        """The inspection that sent the line back last: an open line with one is rework."""
        return next(iter(self.line.failures.all()), None)

    @property
    def open_count(self) -> int:
        """How many things are open before the work can be finished."""
        return len(self.missing_parts)

    @property
    def may_start(self) -> bool:
        return self.clocking is None and self.line.state in OPEN

    @property
    def stage(self) -> str:
        if self.clocking:
            return "work"
        return "wait" if self.hold or self.paused else "booked"

    @property
    def clock_from(self) -> datetime:
        """From when the stopwatch runs, so that it shows all minutes worked on the line."""
        assert self.clocking is not None
        return clock.now() - timedelta(minutes=self.minutes)


@dataclass
class MyJobs:
    """``current`` is the job on the screen; the others are one tap away."""

    employee: Employee | None
    current: Job | None
    jobs: list[Job]
    to_check: list[RepairOrder]
    done_today: int
    bare_hands: bool = False
    """3.4, 8.1: the job on the screen is begun with insulating gloves, and the person has none out that are in date."""
    gloves: list[ToolIssue] = field(default_factory=list)
    """Then: who has which pair, so that they can be asked."""
    bring_back: list[ToolIssue] = field(default_factory=list)
    """Pairs that the person has out with no high-voltage job left for them: others wait for these (3.4)."""

    lift: ToolAsset | None = None
    """3.4: the lift of the job's bay, where nobody has looked at it today."""
    waiting: list[RepairOrder] = field(default_factory=list)
    """Orders on which the person's work is done and that wait for the customer's word on what was found (``undecided``)."""
    shut: str = ""
    """3.4: why the lift of the job's bay isn't to be used, so that the clock doesn't start there."""
    unseen: ToolAsset | None = None
    """3.4, 8.1: the pair of gloves that the person has out and hasn't looked at today."""

    @property
    def running(self) -> Job | None:
        """Where the person is clocked on."""
        return next((job for job in self.jobs if job.clocking is not None), None)

    @property
    def others(self) -> list[Job]:
        return [job for job in self.jobs if self.current is None or job.line.pk != self.current.line.pk]


def _lines(actor: Actor, employee: Employee) -> list[OrderLine]:
    given = Q(dispatches__technician=employee, dispatches__live=True)
    running = Q(clockings__employee=employee, clockings__ended_at__isnull=True)
    return list(
        OrderLine.objects.for_actor(actor)
        .filter(given | running, state__in=OPEN, order__closed_at__isnull=True)
        .select_related("operation__skill", "order__store", "order__vehicle", "order__visit", "order__advisor")
        .prefetch_related(
            Prefetch("clockings", Clocking.objects.select_related("employee").order_by("started_at", "id")),
            Prefetch("dispatches", Dispatch.objects.filter(live=True).select_related("technician", "bay")),
            Prefetch("holds", LineHold.objects.filter(ended_at__isnull=True)),
            Prefetch("part_lines", PartLine.objects.select_related("part")),
            Prefetch("failures", Inspection.objects.select_related("inspector").order_by("-id")),
            on_jobs("calls"),
            Prefetch("order__lines", OrderLine.objects.order_by("position")),
        )
        .distinct()
    )


def worked_minutes(clockings: list[Clocking]) -> int:
    """Whole minutes of these clockings, the open ones up to now."""
    now = clock.now()
    return int(sum(((c.ended_at or now) - c.started_at).total_seconds() for c in clockings) // 60)


def _paused(clockings: list[Clocking], employee: Employee) -> Clocking | None:
    own = [c for c in clockings if c.employee_id == employee.pk]
    return own[-1] if own and own[-1].ended_at is not None and own[-1].pause_cause else None


def open_lines(line: OrderLine, actor: Actor) -> tuple[int, str]:
    """How many agreed lines of the same order aren't done yet, and the first of them that is the actor's own."""
    rows = OrderLine.objects.filter(order_id=line.order_id, state__in=OPEN).order_by("position")
    mine = rows.filter(dispatches__technician=employee_of(actor), dispatches__live=True)
    return rows.count(), saying.say_name(mine.values_list("description", flat=True).first() or "")


def undecided_lines(line: OrderLine) -> int:
    """How many lines of the same order still wait for the customer's answer."""
    return OrderLine.objects.filter(order_id=line.order_id, state__in=[L.DRAFT, L.PENDING]).count()


def _job(line: OrderLine, employee: Employee) -> Job:
    clockings, dispatches = list(line.clockings.all()), list(line.dispatches.all())
    return Job(
        line=line,
        dispatch=next((d for d in dispatches if d.technician_id == employee.pk), None),
        clocking=next((c for c in clockings if c.employee_id == employee.pk and c.ended_at is None), None),
        hold=next(iter(line.holds.all()), None),
        paused=_paused(clockings, employee),
        minutes=worked_minutes(clockings),
        colleagues=[d.technician.name for d in dispatches if d.technician_id != employee.pk],
        agreed=[x for x in line.order.lines.all() if x.state in (*OPEN, L.COMPLETED, L.INSPECTED)],
        asked=[x for x in line.order.lines.all() if x.state in (L.DRAFT, L.PENDING)],
        parts=list(line.part_lines.all()),
        calls=list(line.calls.all()),
    )


def my_jobs(actor: Actor, *, chosen: UUID | None = None) -> MyJobs:
    """The actor's jobs: the one being worked on first, then by planned time. Without an employee nothing is shown."""
    employee = employee_of(actor)
    if employee is None:
        return MyJobs(None, None, [], [], 0)
    jobs = [_job(line, employee) for line in _lines(actor, employee)]
    far = clock.now() + timedelta(days=999)
    jobs.sort(key=lambda j: (j.clocking is None, j.dispatch.starts_at if j.dispatch else far, j.line.pk))
    current = next((job for job in jobs if job.line.uid == chosen), None) or (jobs[0] if jobs else None)
    today = clock.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    done = OrderLine.objects.filter(clockings__employee=employee, completed_at__gte=today).distinct().count()
    bare = (
        current is not None
        and current.may_start
        and needs_two(current.line)
        and not wears_gloves(employee, clock.today(current.order.store.time_zone))
    )
    gloves = list(gloves_out(employee.store_id)) if bare else []
    unseen = None
    if current is not None and current.may_start and needs_two(current.line):
        unseen = gloves_unseen(employee, clock.today(current.order.store.time_zone))
    lift, shut = None, ""
    if current is not None and current.dispatch is not None:
        day = clock.today(current.order.store.time_zone)
        found = bay_lifts(employee.store_id, day).get(current.dispatch.bay_id)
        lift = found.lift if found is not None and found.unseen(day) else None
        shut = found.unfit(day) if found is not None else ""
    wears_on = any(needs_two(job.line) for job in jobs)
    back = [] if wears_on else list(gloves_out(employee.store_id).filter(employee=employee))
    waiting = _waiting(actor, employee)
    return MyJobs(
        employee, current, jobs, _to_check(actor, employee), done, bare, gloves, back, lift, waiting, shut, unseen
    )


def _waiting(actor: Actor, employee: Employee) -> list[RepairOrder]:
    """Orders without open work on which this person finished a line and something found isn't decided: no self check yet."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    mine = lines.filter(state=L.COMPLETED, clockings__employee=employee)
    rows = RepairOrder.objects.for_actor(actor).filter(Exists(mine), closed_at__isnull=True, withdrawn_at__isnull=True)
    return list(
        rows.exclude(Exists(lines.filter(state__in=OPEN)))
        .annotate(undecided=Count("lines", filter=Q(lines__state__in=[L.DRAFT, L.PENDING])))
        .filter(undecided__gt=0)
        .select_related("vehicle")
        .order_by("pk")
    )


def _to_check(actor: Actor, employee: Employee) -> list[RepairOrder]:
    """Orders whose work is done, with a line of this person's that nobody has self-checked."""
    from workshop.selectors.inspections import waiting

    return [row.order for row in waiting(actor, level="SELF") if employee.pk in row.owing]


def count_mine(actor: Actor) -> int:
    """For the rail: jobs given to me."""
    employee = employee_of(actor)
    if employee is None:
        return 0
    return (
        OrderLine.objects.for_actor(actor)
        .filter(dispatches__technician=employee, dispatches__live=True, state__in=OPEN)
        .distinct()
        .count()
    )
