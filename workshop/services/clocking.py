"""Clocking: what a person really works on a line, pauses, the end of the work, and lines that wait (3.2).

Lock order: employee (in the place of resources), order, line. One open clocking per person; the database refuses a
second one (``clocking_one_open``) and work nobody agreed to (``clocking_needs_agreement``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind, PayType, Resource, ResourceKind
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.saying import say_plate, say_time
from dealership.kernel.states import require
from staff.models import Employee, EmployeeSkill
from staff.selectors.employees import require_employee
from staff.selectors.hours import calendar_of
from workshop import events, permissions
from workshop.limits import CLOCK_LEFT_MINUTES, HV_SECOND_LEVEL, LIFT_FIRST
from workshop.models import (
    LINE_MOVES,
    Clocking,
    Dispatch,
    HoldCause,
    LineHold,
    LineState,
    OrderLine,
    PauseCause,
    RepairOrder,
)
from workshop.selectors.fitness import needs_two, skilled
from workshop.selectors.gloves import gloves_unseen
from workshop.selectors.lifts import bay_lifts
from workshop.selectors.tools import wears_gloves
from workshop.selectors.warranty_claims import maker_is_asked
from workshop.services.dispatch import free_rest
from workshop.services.lift_gates import NOT_STARTED, refuse_unfit_lift
from workshop.services.orders import locked_line
from workshop.services.own_parts import refuse_unchecked
from workshop.services.shares import leave_to_who_worked
from workshop.services.sublets import refuse_while_out

L = LineState
OPEN = (L.AUTHORIZED, L.IN_PROGRESS)
HOLD_OF_PAUSE = {
    PauseCause.PARTS: HoldCause.PARTS,
    PauseCause.CUSTOMER: HoldCause.CUSTOMER,
    PauseCause.BAY: HoldCause.BAY,
    PauseCause.TOOL: HoldCause.TOOL,
    PauseCause.HELP: HoldCause.HELP,
}
"""Pauses after which the line itself waits; a break or another car is only the person's."""
BEFORE_START: list[Callable[[OrderLine, Employee, Actor], None]] = []
"""Gates of upper rooms (permits): called with the locked line before work starts; a RuleError refuses it."""


def _worker(employee_uid: UUID | None, by: Actor) -> Employee:
    """Whose clocking it is, locked: one's own, or another person's for who may clock others."""
    own = require_employee(by) if employee_uid is None or by.user is not None else None
    if own is not None and employee_uid in (None, own.uid):
        if not by.may(permissions.CLOCK_OTHERS):
            by.require(permissions.JOBS_OWN)
        return Employee.objects.locked().select_related("store").get(pk=own.pk)
    by.require(permissions.CLOCK_OTHERS)
    return Employee.objects.for_actor(by).locked().select_related("store").get(uid=employee_uid)


def open_clocking(employee: Employee) -> Clocking | None:
    return (
        Clocking.objects.filter(employee=employee, ended_at__isnull=True)
        .select_related("line", "line__order", "line__order__vehicle")
        .first()
    )


def _lock_orders(*line_uids: UUID, by: Actor) -> None:
    """The orders of several lines in one order, so that two people who change places don't wait for one another."""
    orders = OrderLine.objects.for_actor(by).filter(uid__in=line_uids).values("order_id")
    list(RepairOrder.objects.locked().filter(pk__in=orders).order_by("pk"))


@transaction.atomic
def clock_on(
    *, line_uid: UUID, by: Actor, employee_uid: UUID | None = None, bay_uid: UUID | None = None, leave: bool = False
) -> Clocking:
    """A person begins or resumes work on an agreed line; the first start turns it IN_PROGRESS, a wait ends (3.2).

    Who isn't dispatched to the line is clocked on by somebody who may clock others. What really happens is recorded
    whatever the plan says. With ``leave`` the person first pauses where they are clocked on, for another car: both or
    neither. Raises RuleError ``clocking.open``, ``clocking.not_agreed``, ``clocking.not_dispatched``,
    ``clocking.skill`` and ``.certificate`` (as they are now, whatever was planned), ``clocking.two_people``,
    ``clocking.gloves`` (none in date, or not looked at today), ``clocking.lift`` (out of use, to be checked or past its test; where
    the setting ``workshop.lift_first`` says so, not looked at today), and what a gate of an upper room says.
    """
    worker = _worker(employee_uid, by)
    busy = open_clocking(worker)
    if busy is not None and leave and busy.line.uid != line_uid:
        _lock_orders(busy.line.uid, line_uid, by=by)
        clock_off(employee_uid=worker.uid, pause_cause=PauseCause.OTHER_JOB, by=by)
    elif busy is not None:
        raise RaceLost(
            "clocking.open",
            _("%(name)s is still clocked on to “%(line)s” (%(plate)s); clock off there first."),
            name=worker.name,
            line=busy.line.said,
            plate=say_plate(busy.line.order.vehicle.plate) or busy.line.order.number,
            held_by=busy,
        )
    line = locked_line(line_uid, by)
    if line.state not in OPEN:
        raise RuleError(
            "clocking.not_agreed",
            _("“%(line)s” is %(state)s; people work only on lines the customer has agreed to (3.2)."),
            line=line.said,
            state=line.get_state_display(),
        )
    if line.pay_type == PayType.WARRANTY and maker_is_asked(line):
        raise RuleError(
            "clocking.maker_asked",
            _("The maker is asked about “%(line)s”; work begins when its yes is written down."),
            line=line.said,
        )
    dispatches = list(line.dispatches.filter(live=True).select_related("bay", "technician"))
    mine = next((d for d in dispatches if d.technician_id == worker.pk), None)
    if mine is None and not by.may(permissions.CLOCK_OTHERS):
        raise RuleError(
            "clocking.not_dispatched",
            _("“%(line)s” wasn't given to you; ask the foreman."),
            line=line.said,
        )
    if line.order.visit.awaits_confirmation:
        raise RuleError(
            "clocking.walkaround",
            _("The customer hasn't seen and confirmed the car's state yet: no work before that (2.1.2)."),
        )
    _check_who_works(line, worker, dispatches)
    if needs_two(line) and not wears_gloves(worker, clock.today(line.order.store.time_zone)):
        raise RuleError(
            "clocking.gloves",
            _("High-voltage work is begun with insulating gloves in date: %(name)s scans a pair out first (3.4)."),
            name=worker.name,
        )
    unseen = gloves_unseen(worker, clock.today(line.order.store.time_zone)) if needs_two(line) else None
    if unseen is not None:
        raise RuleError(
            "clocking.gloves",
            _("Gloves are looked at and tested with air before use: %(name)s does it with %(tool)s first (3.4)."),
            name=worker.name,
            tool=unseen.number,
        )
    for gate in BEFORE_START:
        gate(line, worker, by)
    bay = (
        Resource.objects.for_actor(by).get(uid=bay_uid, kind=ResourceKind.BAY)
        if bay_uid
        else (mine.bay if mine else None)
    )
    today = clock.today(line.order.store.time_zone)
    if bay is not None:
        refuse_unfit_lift(bay, today, code="clocking.lift", text=NOT_STARTED)
    if bay is not None and limits.value(LIFT_FIRST, store_id=line.order.store_id):
        lift = bay_lifts(bay.store_id, today).get(bay.pk)
        if lift is not None and lift.unseen(today):
            raise RuleError(
                "clocking.lift",
                _("%(lift)s isn't checked today: look at it first, then the clock starts (3.4)."),
                lift=lift.name,
            )
    _end_hold(line, by=by)
    before, now = line.state, clock.now()
    clocking = Clocking.objects.create(
        store_id=line.order.store_id, employee=worker, line=line, bay=bay, started_at=now
    )
    if line.state == L.AUTHORIZED:
        line.state = L.IN_PROGRESS
        line.save(update_fields=["state"])
    record(
        line,
        events.LINE_STARTED,
        by=by,
        store_id=line.order.store_id,
        changed={"state": (before, line.state)} if before != line.state else None,
        clocking=clocking.uid,
        employee=worker.uid,
        bay=bay.uid if bay else None,
    )
    return clocking


def _check_who_works(line: OrderLine, worker: Employee, dispatches: list[Dispatch]) -> None:
    """3.2, 5.1, 8.1: skill and certificate as they are now, whoever was planned; high voltage beside a second person."""
    operation = line.operation
    if operation is None or operation.skill is None:
        return
    today, skill, full = clock.today(line.order.store.time_zone), operation.skill, operation.skill_level
    mates = {d.technician_id: d.technician for d in dispatches if d.technician_id != worker.pk}.values()
    wanted = full
    if needs_two(line):
        second = limits.value(HV_SECOND_LEVEL, store_id=line.order.store_id)
        if len({d.technician_id for d in dispatches}) < 2:
            raise RuleError("clocking.two_people", _("High-voltage work needs two dispatched people before it starts."))
        if not any(skilled(mate, skill, second, today) for mate in mates):
            raise RuleError(
                "clocking.two_people",
                _(
                    "High-voltage work is begun beside a second dispatched person whose certificate is valid today (8.1)."
                ),
            )
        if any(skilled(mate, skill, full, today) for mate in mates):
            wanted = second
    if not skilled(worker, skill, wanted, today):
        held = EmployeeSkill.objects.filter(employee=worker, skill=skill).values_list("level", flat=True).first() or 0
        if held < wanted:
            raise RuleError(
                "clocking.skill",
                _("%(name)s has level %(level)s in “%(skill)s”; this work needs level %(wanted)s."),
                name=worker.name,
                level=held,
                skill=skill.label,
                wanted=wanted,
            )
        raise RuleError(
            "clocking.certificate",
            _(
                "%(name)s has no certificate in “%(skill)s” that is valid today; the foreman gives the work to somebody else."
            ),
            name=worker.name,
            skill=skill.label,
        )


def _own_open(employee_uid: UUID | None, by: Actor) -> tuple[Clocking, OrderLine]:
    """The person's open clocking and its line, locked; refused where there is none."""
    worker = _worker(employee_uid, by)
    found = open_clocking(worker)
    if found is not None:
        line = locked_line(found.line.uid, by, living=False)
        clocking = Clocking.objects.locked().filter(pk=found.pk, ended_at__isnull=True).first()
        if clocking is not None:
            clocking.employee, clocking.line = worker, line
            return clocking, line
    raise RuleError("clocking.none", _("%(name)s isn't clocked on to any job."), name=worker.name)


@transaction.atomic
def clock_off(
    *,
    by: Actor,
    employee_uid: UUID | None = None,
    pause_cause: str = "",
    note: str = "",
    clocking_uid: UUID | None = None,
) -> Clocking:
    """A person leaves a line that isn't finished, with the cause of the pause (3.2).

    When the last one leaves for parts, the customer, a bay, a tool or help, the line itself waits for that.
    ``clocking_uid`` is the clock that was seen running. Raises RuleError ``clocking.none`` and ``clocking.cause``;
    RaceLost ``clocking.other`` where the person has gone over to another job meanwhile.
    """
    clocking, line = _own_open(employee_uid, by)
    if clocking_uid is not None and clocking.uid != clocking_uid:
        raise RaceLost(
            "clocking.other",
            _("%(name)s is at another job by now: “%(line)s”; look again."),
            name=clocking.employee.name,
            line=line.said,
        )
    if not pause_cause or pause_cause not in PauseCause.values:
        raise RuleError("clocking.cause", _("Say why the work pauses."), field="pause_cause")
    _close(clocking, pause_cause, formats.one_line(note)[:200])
    record(
        line,
        events.LINE_PAUSED,
        by=by,
        store_id=line.order.store_id,
        clocking=clocking.uid,
        employee=clocking.employee.uid,
        cause=pause_cause,
        minutes=_minutes(clocking),
    )
    cause = HOLD_OF_PAUSE.get(PauseCause(pause_cause))
    alone = not line.clockings.filter(ended_at__isnull=True).exists()
    if cause is not None and alone and line.state in OPEN and not line.holds.filter(ended_at__isnull=True).exists():
        _begin_hold(line, cause, note, by=by)
    return clocking


def _close(clocking: Clocking, cause: str, note: str = "") -> None:
    now = clock.now()
    if now < clocking.started_at:
        raise RuleError("clocking.period", _("Work can't end before it began; check the hour."))
    clocking.ended_at, clocking.pause_cause, clocking.pause_note = now, cause, note
    clocking.save(update_fields=["ended_at", "pause_cause", "pause_note"])


def _minutes(clocking: Clocking) -> int:
    assert clocking.ended_at is not None
    return int((clocking.ended_at - clocking.started_at).total_seconds() // 60)


def parts_open(line: OrderLine) -> int:
    """How many parts of the line are agreed but not issued (what the customer brought isn't issued)."""
    return sum(p.issued_quantity < p.quantity for p in line.part_lines.all() if p.kind != PartKind.CUSTOMER_SUPPLIED)


@transaction.atomic
def finish_line(*, line_uid: UUID, by: Actor, cause: str = "", correction: str = "") -> OrderLine:
    """The work on a line is done: all its clockings close, the rest of its planned time is freed (3.2).

    A fault needs its cause and correction, a diagnosis its finding, maintenance neither. Raises RuleError
    ``line.cause``, ``line.correction``, ``line.parts_open``, ``own_part.unchecked``, ``line.not_yours``,
    ``sublet.unfinished`` and ``state.move``.
    """
    own = None
    if not by.may(permissions.CLOCK_OTHERS):
        by.require(permissions.JOBS_OWN)
        own = require_employee(by)
    line = locked_line(line_uid, by)
    require(LINE_MOVES, L(line.state), L.COMPLETED)
    worked = Clocking.objects.filter(line=line)
    if own is not None and not worked.filter(employee=own).exists():
        raise RuleError("line.not_yours", _("Only who worked on a line, or the foreman, finishes it."))
    maintenance = line.operation is not None and line.operation.is_maintenance
    cause, correction = cause.strip() or line.cause, correction.strip() or line.correction
    if not maintenance and not cause:
        raise RuleError("line.cause", _("Write down what was found."), field="cause")
    if not maintenance and not line.is_diagnosis and not correction:
        raise RuleError("line.correction", _("Write down what was done about it."), field="correction")
    missing = parts_open(line)
    if missing:
        raise RuleError(
            "line.parts_open",
            _("Parts of “%(line)s” that are not issued yet: %(count)s. Get them or have the line withdrawn."),
            count=missing,
            line=line.said,
        )
    refuse_unchecked(line)
    refuse_while_out(line)
    minutes = 0
    for clocking in worked.filter(ended_at__isnull=True).locked().order_by("pk"):
        _close(clocking, PauseCause.NONE)
    for clocking in worked:
        minutes += _minutes(clocking)
    _end_hold(line, by=by)
    leave_to_who_worked(line)
    before, line.state = line.state, L.COMPLETED
    line.cause, line.correction, line.completed_at = cause[:300], correction[:300], clock.now()
    line.save(update_fields=["state", "cause", "correction", "completed_at"])
    free_rest(line, by)
    record(
        line,
        events.LINE_FINISHED,
        by=by,
        store_id=line.order.store_id,
        changed={"state": (before, line.state)},
        minutes=minutes,
        hours=line.hours,
    )
    return line


@transaction.atomic
def correct_clocking(
    *,
    uid: UUID,
    started_at: datetime,
    ended_at: datetime | None,
    reason: str,
    by: Actor,
    past_finish: bool = False,
) -> Clocking:
    """The foreman puts a clocking right, with a reason; history keeps both (3.2). Times are aware.

    Work after the line's finish is taken only where ``past_finish`` says that it is meant. Raises RuleError
    ``clocking.reason``, ``clocking.period``, ``clocking.future``, ``clocking.settled``, ``clocking.overlap``,
    ``clocking.past_finish``.
    """
    by.require(permissions.CLOCKINGS_CORRECT)
    if started_at.tzinfo is None or (ended_at is not None and ended_at.tzinfo is None):
        raise ValueError("A clocking's times are aware.")
    if not reason.strip():
        raise RuleError("clocking.reason", _("Say why the clocking is corrected."), field="reason")
    employee_id, line_uid = Clocking.objects.for_actor(by).values_list("employee_id", "line__uid").get(uid=uid)
    worker = Employee.objects.locked().get(pk=employee_id)
    line = locked_line(line_uid, by, living=False)
    clocking = Clocking.objects.locked().get(uid=uid)
    clocking.employee, clocking.line = worker, line
    if line.settled:
        raise RuleError("clocking.settled", _("This line is settled; its clockings stay."))
    if ended_at is not None and ended_at < started_at:
        raise RuleError("clocking.period", _("Work can't end before it began; check the hour."), field="ended_at")
    if max(started_at, ended_at or started_at) > clock.now():
        raise RuleError("clocking.future", _("A clocking tells what happened; it doesn't lie ahead."), field="ended_at")
    if ended_at is None and clocking.ended_at is not None:
        raise RuleError("clocking.ended", _("An ended clocking isn't opened again; clock on anew."), field="ended_at")
    finish = line.completed_at if line.state in (L.COMPLETED, L.INSPECTED) else None
    if finish is not None and (ended_at or started_at) > finish and not past_finish:
        raise RuleError(
            "clocking.past_finish",
            _("The line was finished at %(time)s. Confirm that work after it is meant, or check the hour."),
            field="past_finish",
            time=say_time(finish, now=clock.now()),
        )
    others = Clocking.objects.filter(employee=worker).exclude(pk=clocking.pk)
    others = others.exclude(ended_at__lte=started_at)
    if ended_at is not None:
        others = others.filter(started_at__lt=ended_at)
    clash = others.select_related("line").order_by("started_at", "id").first()
    if clash is not None:
        raise RuleError(
            "clocking.overlap",
            _("In this time %(name)s was clocked on to “%(line)s”."),
            name=worker.name,
            line=clash.line.said,
        )
    before = (clocking.started_at, clocking.ended_at)
    clocking.started_at, clocking.ended_at, clocking.corrected_reason = started_at, ended_at, reason.strip()[:200]
    clocking.left_open = False  # the foreman has looked at it
    clocking.corrections += 1
    clocking.save(update_fields=["started_at", "ended_at", "corrected_reason", "left_open", "corrections"])
    record(
        clocking,
        events.CLOCKING_CORRECTED,
        by=by,
        changed={"started_at": (before[0], started_at), "ended_at": (before[1], ended_at)},
        employee=worker.uid,
        line=line.uid,
    )
    return clocking


def left_since(clocking: Clocking) -> datetime | None:
    """When the clock should have been closed: the end of the shift it began in, or of the day where it began after the
    shift or without one; None while the person may still be at it (3.2). Reads ``clocking.employee``."""
    zone = ZoneInfo(clocking.employee.store.time_zone)
    day = clocking.started_at.astimezone(zone).date()
    hours = calendar_of(clocking.employee, first=day, last=day).hours_on(day)
    midnight = datetime.combine(day, time(), zone)
    ends = midnight + timedelta(minutes=hours[-1][1]) if hours else None
    if ends is None or ends <= clocking.started_at:
        ends = midnight + timedelta(days=1)
    grace = limits.value(CLOCK_LEFT_MINUTES, store_id=clocking.store_id)
    return ends.astimezone(UTC) if clock.now() >= ends + timedelta(minutes=grace) else None


@transaction.atomic
def close_left_clocking(*, uid: UUID, by: Actor) -> Clocking | None:
    """Closes a clock that its person left open at the end of the shift, at that end, and flags it for the foreman, who
    puts it right (3.2). Returns None where it was closed meanwhile or isn't left: a second run does nothing."""
    employee_id, line_uid = Clocking.objects.for_actor(by).values_list("employee_id", "line__uid").get(uid=uid)
    worker = Employee.objects.locked().select_related("store").get(pk=employee_id)
    line = locked_line(line_uid, by, living=False)
    clocking = Clocking.objects.locked().get(uid=uid)
    clocking.employee, clocking.line = worker, line
    ends = left_since(clocking) if clocking.ended_at is None else None
    if ends is None:
        return None
    clocking.ended_at, clocking.left_open = ends, True
    clocking.save(update_fields=["ended_at", "left_open"])
    record(
        clocking,
        events.CLOCKING_LEFT,
        by=by,
        changed={"ended_at": (None, ends)},
        employee=worker.uid,
        line=line.uid,
    )
    return clocking


# --- lines that wait ---


@transaction.atomic
def hold_line(*, line_uid: UUID, cause: str, by: Actor, note: str = "") -> LineHold:
    """Lets one agreed line wait; other lines of the order go on. Raises RuleError ``hold.cause``, ``.state``, ``.open``
    and ``.clocked_on``."""
    by.require(permissions.LINES_HOLD)
    if cause not in HoldCause.values:
        raise RuleError("hold.cause", _("Say what the line waits for."), field="cause")
    line = locked_line(line_uid, by)
    if line.state not in OPEN:
        raise RuleError(
            "hold.state", _("Only agreed work that isn't done can wait; this line is %(state)s."),
            state=line.get_state_display(),
        )  # fmt: skip
    if line.holds.filter(ended_at__isnull=True).exists():
        raise RuleError("hold.open", _("This line is already waiting; end that first."))
    if line.clockings.filter(ended_at__isnull=True).exists():
        raise RuleError("hold.clocked_on", _("Somebody is working on this line; clock off first."))
    return _begin_hold(line, cause, note, by=by)


def _begin_hold(line: OrderLine, cause: str, note: str, *, by: Actor) -> LineHold:
    hold = LineHold.objects.create(line=line, cause=cause, note=note.strip()[:200], started_at=clock.now())
    record(line, events.LINE_HELD, by=by, store_id=line.order.store_id, cause=cause, hold=hold.uid)
    return hold


@transaction.atomic
def release_line(*, line_uid: UUID, by: Actor) -> OrderLine:
    """The line goes on; it is clear what it waited for. Raises RuleError ``hold.none``."""
    by.require(permissions.LINES_HOLD)
    line = locked_line(line_uid, by, living=False)
    if not _end_hold(line, by=by):
        raise RuleError("hold.none", _("This line isn't waiting."))
    return line


def _end_hold(line: OrderLine, *, by: Actor) -> bool:
    hold = LineHold.objects.locked().filter(line=line, ended_at__isnull=True).first()
    if hold is None:
        return False
    hold.ended_at = max(clock.now(), hold.started_at)
    hold.save(update_fields=["ended_at"])
    waited = int((hold.ended_at - hold.started_at).total_seconds() // 60)
    record(
        line, events.LINE_RELEASED, by=by, store_id=line.order.store_id, cause=hold.cause, hold=hold.uid, minutes=waited
    )
    return True
