"""The workshop plan of one day: bays or people × hours, plan over clocked time, what isn't given out, conflicts (2.4)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Prefetch, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
from dealership.catalogue.rules import lanes_of, most_at_once
from dealership.catalogue.services.plans import PLANNED, taken_spans
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import CalendarDay, OpeningHours, Store
from dealership.kernel.saying import say_date, say_initials, say_name, say_plate, say_span, say_time
from dealership.kernel.worktime import Calendar
from reception.models import Appointment, VisitState, WaitingMode
from staff.models import Employee, EmployeeSkill, RosterDay
from staff.selectors.employees import employees_with_role
from staff.selectors.hours import calendar_of, shift_hours
from workshop import rules
from workshop.limits import HV_SECOND_LEVEL, PLAN_DAYS
from workshop.models import (
    Clocking,
    Dispatch,
    LineHold,
    LineState,
    OrderKind,
    OrderLine,
    PauseCause,
    ScreenKind,
    WallScreen,
)
from workshop.selectors.broken import Broken, broken_plans
from workshop.selectors.calls import open_on_lines
from workshop.selectors.fitness import needs_two, skilled
from workshop.selectors.lifts import BayLift, ShutBay, bay_lifts
from workshop.selectors.tools import gloves_until, unfit_resources
from workshop.tool_models import ToolAsset

L = LineState
OPEN = (L.AUTHORIZED, L.IN_PROGRESS)
STEP = 5
MINUTE = timedelta(minutes=1)
SLACK = timedelta(minutes=10)
"""A forecast is worth a note only from here on."""


@dataclass
class Bar:
    """``at`` and ``length`` are columns of five minutes from the first hour of the plan."""

    at: int
    length: int
    stage: str = ""
    plate: str = ""
    text: str = ""
    href: str = ""
    title: str = ""
    high_voltage: bool = False
    paused: bool = False
    rest: bool = False
    """What is still to be worked, by the hours of the line."""
    waits: bool = False
    """The customer sits in the shop."""
    booked: bool = False
    """Time kept for a car that is still to come."""
    plan: UUID | None = None
    """The dispatch that may be dragged elsewhere."""
    moved: bool = False
    """A proposed plan changes it."""
    brief: str = ""
    """Too short for its plate: these last signs of it stand for it until it is pointed at."""
    leftward: bool = False
    """It begins late in the day: what it says when pointed at runs to the left."""
    calls: int = 0
    """What its technicians have asked for and nobody has answered."""
    line: int = 0
    """The line worked on, 0 for a booking."""
    car: int = 0
    """The order of the car that stands there; below zero for a booking."""
    clock: str = ""
    """When it begins, as the store's clock says it; for the week."""
    runs_to: int = 0
    """The column to which running work goes by its forecast, where that is beyond its plan."""


@dataclass
class WeekDay:
    """One day of a row of the week: how full it is in per cent, why nobody works, and the jobs in order of time."""

    day: date
    load: int
    off: str
    bars: list[Bar]
    is_today: bool = False


@dataclass
class Row:
    """A bay or a person; ``load`` is planned time in per cent of what there is.

    A bay that takes several cars (``room``) has as many ``lanes`` one under the other; ``cars`` is how many are planned or
    being worked on there now, on other days at once at most.
    """

    uid: UUID
    name: str
    say: str
    load: int = 0
    bars: list[Bar] = field(default_factory=list)
    acts: list[Bar] = field(default_factory=list)
    offs: list[Bar] = field(default_factory=list)
    room: int = 1
    cars: int = 0
    at_work: frozenset[int] = frozenset()
    """The orders of the cars that somebody is clocked on to there."""
    lift: ToolAsset | None = None
    """The bay's lift, where nobody has looked at it today (3.4)."""
    shut: str = ""
    """Why the bay's lift isn't to be used that day, so that nothing is planned or begun there (3.4)."""
    lanes: list[Row] = field(default_factory=list)
    days: list[WeekDay] = field(default_factory=list)
    """In a week: its days beside one another."""

    def spread(self, columns: int, now: int | None) -> None:
        """Puts the bars of a bay with room for several cars onto its lanes, each with what was clocked for it."""
        if self.room == 1:
            self.lanes = [self]
            return
        spans = [(bar.at, bar.at + bar.length) for bar in self.bars]
        self.cars = most_at_once(spans) if now is None else self._cars_at(now)
        self.lanes = [Row(self.uid, self.name, self.say, offs=self.offs) for _lane in range(self.room)]
        where: dict[int, int] = {}
        for bar, lane in zip(self.bars, lanes_of(spans, self.room), strict=True):
            self.lanes[lane].bars.append(bar)
            where.setdefault(bar.line, lane)
        rest = [act for act in self.acts if not act.line or act.line not in where]
        spare = lanes_of([(act.at, act.at + act.length) for act in rest], self.room)
        for act, lane in zip(rest, spare, strict=True):
            self.lanes[lane].acts.append(act)
        for act in self.acts:
            if act.line in where and act.line:
                self.lanes[where[act.line]].acts.append(act)
        for row in self.lanes:
            _let_short_bars_speak(row.bars, columns)

    def _cars_at(self, now: int) -> int:
        """The cars that are planned at a column, and those somebody is clocked on to there whatever the plan says."""
        planned = {bar.car for bar in self.bars if bar.at <= now < bar.at + bar.length}
        return len(planned | self.at_work)


@dataclass
class Loose:
    """An agreed line that nobody has been given."""

    line: OrderLine
    needs: list[str]
    rework: bool
    hold: LineHold | None

    @property
    def columns(self) -> int:
        """How long it is on the plan, without breaks."""
        return rules.plan_minutes(self.line.hours) // STEP

    @property
    def stage(self) -> str:
        if self.rework:
            return "late"
        return "wait" if self.hold else "work"


@dataclass
class Conflict:
    """Work that will outlast its plan into the next one: what, from when, how bad, and a way out where there is one.

    ``bay`` names what both need: the bay, else the person, else the car.
    """

    bay: str
    at: datetime
    minutes: int
    running: Dispatch
    hit: Dispatch
    way: Proposal | None = None


@dataclass
class Proposal:
    """A technician and a bay that can do the line, and when both are free."""

    technician: Employee
    bay: Resource
    starts_at: datetime
    ends_at: datetime
    second: Employee | None = None


@dataclass
class Board:
    day: date
    is_today: bool
    rows: list[Row]
    hours: list[tuple[int, str, str]]
    """Column, words and, in a week, the day it leads to."""
    frame: str
    now: int | None
    loose: list[Loose]
    conflicts: list[Conflict]
    orders: int
    planned: float
    available: float
    """Hours of the technicians on the roster; ``planned`` are theirs of it, ``others`` of who stands in for them."""
    others: float = 0.0
    blocks: list[Reservation] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    """Plans of the shown days that don't hold: who does them is away, or their tool isn't to be had."""
    shut: list[ShutBay] = field(default_factory=list)
    """Bays that their lift shuts today, with what is planned there (3.4)."""
    """Bays out of use that day, as far as it lies ahead."""
    first_hour: int = 8
    columns: int = 120
    mark: int = 12
    """How many columns one heading spans: an hour of the day, a day of the week."""
    week: bool = False

    @property
    def loose_hours(self) -> float:
        return float(sum(row.line.hours for row in self.loose))


class Frame:
    """The hours a plan shows and the columns in it (store time)."""

    def __init__(self, store: Store, day: date, ends: Iterable[int]) -> None:
        self.zone = ZoneInfo(store.time_zone)
        self.day = day
        opening = OpeningHours.objects.filter(store=store, weekday=day.weekday()).first()
        special = CalendarDay.objects.filter(store=store, day=day).first()
        opens = special.opens if special and special.opens else (opening.opens if opening else time(8))
        closes = special.closes if special and special.closes else (opening.closes if opening else time(18))
        self.first = opens.hour
        last = max([closes.hour + bool(closes.minute), *(-(-end // 60) for end in ends)])
        self.count = min(12, max(10, last - self.first))
        self.closed = special is not None and special.opens is None
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        self.begin = midnight + timedelta(hours=self.first)
        self.end = self.begin + timedelta(hours=self.count)
        self.columns = self.count * 60 // STEP
        self.lunch: tuple[int, int] | None = None
        if opening and opening.break_from and opening.break_to:
            self.lunch = (
                opening.break_from.hour * 60 + opening.break_from.minute,
                opening.break_to.hour * 60 + opening.break_to.minute,
            )

    def bar(self, start: datetime, end: datetime, **more: Any) -> Bar | None:
        """A bar clipped to the day; None outside it."""
        start, end = max(start, self.begin), min(end, self.end)
        if end <= start:
            return None
        at = int((start - self.begin).total_seconds() // 60 // STEP)
        length = max(1, round((end - start).total_seconds() / 60 / STEP))
        return Bar(at=at, length=min(length, self.columns - at), **more)

    def span(self, start: int, end: int, text: str) -> Bar | None:
        """A bar by minutes after midnight."""
        midnight = self.begin - timedelta(hours=self.first)
        return self.bar(midnight + timedelta(minutes=start), midnight + timedelta(minutes=end), text=text)

    @property
    def open_spans(self) -> tuple[tuple[int, int], ...]:
        """The shown hours without lunch, in minutes after midnight."""
        begin, end = self.first * 60, (self.first + self.count) * 60
        return ((begin, self.lunch[0]), (self.lunch[1], end)) if self.lunch else ((begin, end),)

    @property
    def column_of_now(self) -> int | None:
        now = clock.now()
        return int((now - self.begin).total_seconds() // 60 // STEP) if self.begin <= now < self.end else None

    @property
    def hour_marks(self) -> list[tuple[int, str, str]]:
        return [(n * 12, f"{self.first + n}:00", "") for n in range(self.count)]

    @property
    def css(self) -> str:
        return {11: "h11", 12: "h12"}.get(self.count, "")


class WeekFrame(Frame):
    """Seven days beside one another, each ten hours in columns of half an hour; the nights between are left out."""

    HOURS, PER_DAY = 10, 20

    def __init__(self, store: Store, day: date) -> None:
        monday = day - timedelta(days=day.weekday())
        super().__init__(store, monday, ())
        self.count = self.HOURS
        self.columns = 7 * self.PER_DAY
        self.monday = monday
        midnight = datetime(monday.year, monday.month, monday.day, tzinfo=self.zone)
        self.begin, self.end = midnight, midnight + timedelta(days=7)

    def column(self, at: datetime) -> int:
        """The column of a moment; before and after the shown hours it is the edge of its day."""
        there = at.astimezone(self.zone)
        days = (there.date() - self.monday).days
        if days < 0 or days > 6:
            return 0 if days < 0 else self.columns
        minutes = there.hour * 60 + there.minute - self.first * 60
        return days * self.PER_DAY + min(self.PER_DAY, max(0, minutes // 30))

    def bar(self, start: datetime, end: datetime, **more: Any) -> Bar | None:
        if end <= self.begin or start >= self.end:
            return None
        at, until = self.column(start), self.column(end)
        at = min(at, self.columns - 1)
        return Bar(at=at, length=max(1, until - at), **more)

    def whole_day(self, day: date, text: str) -> Bar:
        return Bar(at=(day - self.monday).days * self.PER_DAY, length=self.PER_DAY, text=text)

    @property
    def days(self) -> list[date]:
        return [self.monday + timedelta(days=n) for n in range(7)]

    @property
    def column_of_now(self) -> int | None:
        now = clock.now()
        return min(self.column(now), self.columns - 1) if self.begin <= now < self.end else None

    @property
    def hour_marks(self) -> list[tuple[int, str, str]]:
        today = clock.today(self.zone.key)
        return [(n * self.PER_DAY, say_date(day, today=today), day.isoformat()) for n, day in enumerate(self.days)]

    @property
    def css(self) -> str:
        return "w7"


def _dispatches(actor: Actor, frame: Frame) -> list[Dispatch]:
    return list(
        Dispatch.objects.for_actor(actor)
        .filter(live=True, starts_at__lt=frame.end, ends_at__gt=frame.begin)
        .select_related(
            "line__operation__skill", "line__order__vehicle", "line__order__visit", "technician", "bay", "person_plan"
        )
        .prefetch_related(
            Prefetch("line__clockings", Clocking.objects.order_by("started_at", "id")),
            Prefetch("line__holds", LineHold.objects.filter(ended_at__isnull=True)),
            open_on_lines("line__calls"),
        )
        .order_by("starts_at", "pk")
    )


def stage_of(line: OrderLine) -> str:
    """The stage colour of a line on the plan."""
    if line.state == L.COMPLETED:
        return "inspect"
    if line.state == L.INSPECTED:
        return "ready"
    if line.holds.all():
        return "wait"
    return "work" if line.state == L.IN_PROGRESS else "booked"


def _plan_end(dispatch: Dispatch) -> datetime:
    """Where the bar ends: as planned, or where finishing freed the rest."""
    plan = dispatch.person_plan
    if plan is not None and plan.live and dispatch.line.state not in OPEN:
        return min(dispatch.ends_at, plan.period.upper)
    if dispatch.line.state not in OPEN and dispatch.line.completed_at:
        return max(dispatch.starts_at + timedelta(minutes=STEP), min(dispatch.ends_at, dispatch.line.completed_at))
    return dispatch.ends_at


def _minutes_on_day(dispatch: Dispatch, roster: RosterDay | None, frame: Frame) -> float:
    """Working minutes of a plan on the shown day: in the technician's shift, without one in the store's hours."""
    midnight = frame.begin - timedelta(hours=frame.first)
    spans = shift_hours(roster.shift) if roster is not None and roster.shift is not None else frame.open_spans
    starts, ends = dispatch.starts_at, _plan_end(dispatch)
    return sum(
        max(
            0.0,
            (min(ends, midnight + timedelta(minutes=end)) - max(starts, midnight + timedelta(minutes=begin))) / MINUTE,
        )
        for begin, end in spans
    )


def board(
    actor: Actor,
    *,
    day: date,
    by_people: bool = False,
    instead: list[Dispatch] | None = None,
    marked: frozenset[int] = frozenset(),
) -> Board:
    """One day of the actor's store; a query count that doesn't grow with the number of jobs.

    ``marked`` are lines that a proposed plan changes; with ``instead`` their plans stand where it would put them.
    """
    store = Store.objects.get(pk=actor.store_id)
    roster = {
        row.employee_id: row
        for row in RosterDay.objects.filter(store=store, day=day).select_related("shift", "employee")
    }
    ends = [span[1] for row in roster.values() for span in shift_hours(row.shift)]
    frame = Frame(store, day, ends)
    dispatches = _dispatches(actor, frame)
    if instead is not None:
        here = [d for d in instead if d.starts_at < frame.end and d.ends_at > frame.begin]
        dispatches = sorted([*(d for d in dispatches if d.line_id not in marked), *here], key=lambda d: d.starts_at)
    resources = list(
        Resource.objects.for_actor(actor)
        .filter(active=True, kind=ResourceKind.PERSON if by_people else ResourceKind.BAY)
        .select_related("employee")
        .order_by("position", "code")
    )
    conflicts = [] if marked else _conflicts(actor, dispatches, frame)
    broken = [] if marked else _broken_in(actor, dispatches)
    hit = {*(conflict.hit.pk for conflict in conflicts), *(one.plan.pk for one in broken)}
    held = _other_reservations(actor, resources, frame)
    clockings = _clockings(actor, frame)
    rows = []
    for resource in resources:
        rows.append(_row(resource, roster, frame, by_people, dispatches, hit, held, clockings, marked))
    shut = [] if by_people else _mind_lifts(store, day, rows, resources)
    technicians = _technician_ids(actor, day)
    available = sum(
        sum(end - start for start, end in shift_hours(row.shift)) for key, row in roster.items() if key in technicians
    )
    minutes = [
        (d.technician_id in technicians, _minutes_on_day(d, roster.get(d.technician_id), frame)) for d in dispatches
    ]
    planned = sum(spent for own, spent in minutes if own)
    today = clock.today(store.time_zone)
    return Board(
        day=day,
        is_today=day == today,
        rows=rows,
        hours=frame.hour_marks,
        frame=frame.css,
        now=frame.column_of_now,
        loose=loose_lines(actor),
        conflicts=conflicts,
        orders=len({d.line.order_id for d in dispatches}),
        planned=round(planned / 60, 1),
        others=round(sum(spent for own, spent in minutes if not own) / 60, 1),
        available=round(available / 60, 1),
        blocks=blocks_of(actor, frame.begin, frame.end),
        broken=broken,
        shut=shut,
        first_hour=frame.first,
        columns=frame.columns,
    )


def _broken_in(actor: Actor, dispatches: list[Dispatch]) -> list[Broken]:
    shown = {dispatch.pk for dispatch in dispatches}
    return [one for one in broken_plans(actor) if one.plan.pk in shown]


def _mind_lifts(store: Store, day: date, rows: list[Row], resources: list[Resource]) -> list[ShutBay]:
    """Says at each bay's head what is with its lift, and returns the bays that one shuts, with what is planned there."""
    today = clock.today(store.time_zone)
    lifts = bay_lifts(store.pk, today)
    closed: dict[int, tuple[BayLift, str]] = {}
    for row, resource in zip(rows, resources, strict=True):
        found = lifts.get(resource.pk)
        if found is None:
            continue
        row.shut = found.unfit(day)
        row.lift = found.lift if day == today and found.unseen(today) else None
        if why := found.unfit(today):
            closed[resource.pk] = found, why
    if not closed:
        return []
    plans: dict[int, list[Dispatch]] = defaultdict(list)
    ahead = Dispatch.objects.filter(bay__in=closed, live=True, line__state__in=OPEN, ends_at__gt=clock.now())
    seen: set[tuple[int, datetime]] = set()
    for plan in ahead.select_related("line__order__vehicle", "technician").order_by("starts_at", "pk"):
        if (plan.line_id, plan.starts_at) not in seen:  # of two people at one job the leading one is named
            seen.add((plan.line_id, plan.starts_at))
            plans[plan.bay_id].append(plan)
    bays = {resource.pk: resource for resource in resources}
    return [ShutBay(bays[key], found.lift, why, plans[key]) for key, (found, why) in closed.items()]


def week_board(actor: Actor, *, day: date, by_people: bool = False) -> Board:
    """The week of that day: the same bars with the nights left out, and how full each row is."""
    store = Store.objects.get(pk=actor.store_id)
    frame = WeekFrame(store, day)
    dispatches = _dispatches(actor, frame)
    resources = list(
        Resource.objects.for_actor(actor)
        .filter(active=True, kind=ResourceKind.PERSON if by_people else ResourceKind.BAY)
        .select_related("employee")
        .order_by("position", "code")
    )
    held = _other_reservations(actor, resources, frame)
    clockings = _clockings(actor, frame)
    rostered: dict[int, dict[date, RosterDay]] = defaultdict(dict)
    for row in RosterDay.objects.filter(store=store, day__in=frame.days).select_related("shift"):
        rostered[row.employee_id][row.day] = row
    closed = _closed_days(store, frame.days)
    broken = _broken_in(actor, dispatches)
    hit = {one.plan.pk for one in broken}
    rows = []
    for resource in resources:
        mine = rostered.get(resource.employee_id or 0, {})
        rows.append(_week_row(resource, frame, by_people, dispatches, held, clockings, mine, closed, hit))
    technicians = _technician_ids(actor, day)
    available = sum(
        end - start
        for key, mine in rostered.items()
        if key in technicians
        for roster in mine.values()
        for start, end in shift_hours(roster.shift)
    )
    return Board(
        day=day,
        is_today=frame.begin <= clock.now() < frame.end,
        rows=rows,
        hours=frame.hour_marks,
        frame=frame.css,
        now=frame.column_of_now,
        loose=loose_lines(actor),
        conflicts=[],
        orders=len({d.line.order_id for d in dispatches}),
        planned=round(sum(_hours_of(d) for d in dispatches if d.technician_id in technicians), 1),
        others=round(sum(_hours_of(d) for d in dispatches if d.technician_id not in technicians), 1),
        available=round(available / 60, 1),
        blocks=blocks_of(actor, frame.begin, frame.end),
        broken=broken,
        columns=frame.columns,
        mark=frame.PER_DAY,
        week=True,
    )


def _hours_of(dispatch: Dispatch) -> float:
    """Hours that the line is sold for, not the nights a plan runs through."""
    return float(dispatch.line.hours)


def _closed_days(store: Store, days: list[date]) -> dict[date, str]:
    """Days without opening hours, with the word for them."""
    weekdays = set(OpeningHours.objects.filter(store=store).values_list("weekday", flat=True))
    special = {row.day: row for row in CalendarDay.objects.filter(store=store, day__in=days)}
    found = {}
    for day in days:
        known = special.get(day)
        if known is not None and known.opens is None:
            found[day] = known.name
        elif known is None and day.weekday() not in weekdays:
            found[day] = _("closed")
    return found


def _week_row(
    resource: Resource,
    frame: WeekFrame,
    by_people: bool,
    dispatches: list[Dispatch],
    held: dict[int, list[tuple[Reservation, Appointment | None]]],
    clockings: list[Clocking],
    roster: dict[date, RosterDay],
    closed: dict[date, str],
    hit: set[int],
) -> Row:
    row = Row(resource.uid, resource.said, resource.get_capability_display(), room=resource.capacity)
    mine = [
        d for d in dispatches if (d.technician_id == resource.employee_id if by_people else d.bay_id == resource.pk)
    ]
    if by_people:
        at_work = [day for day in frame.days if day in roster and roster[day].shift is not None]
        row.say = _("%(n)s days") % {"n": len(at_work)}
        away = [(day, roster[day].absence if day in roster else "") for day in frame.days if day not in at_work]
        row.offs = [frame.whole_day(day, word or _("off today")) for day, word in away]
        room = sum(end - start for day in at_work for start, end in shift_hours(roster[day].shift))
    else:
        row.offs = [frame.whole_day(day, word) for day, word in closed.items()]
        room = (7 - len(closed)) * frame.HOURS * 60
    seen: set[tuple[int, datetime]] = set()
    for dispatch in mine:
        if not by_people and (dispatch.line_id, dispatch.starts_at) in seen:
            continue
        seen.add((dispatch.line_id, dispatch.starts_at))
        bar = _dispatch_bar(frame, dispatch, mine, by_people, dispatch.pk in hit)
        if bar is not None:
            row.bars.append(bar)
    for reservation, booking in held.get(resource.pk, []):
        other = _held_bar(frame, reservation, booking)
        if other is not None:
            (row.offs if reservation.purpose == ReservationPurpose.BLOCKED else row.bars).append(other)
    row.load = round(sum(bar.length for bar in row.bars) * 30 * 100 / (room * row.room)) if room else 0
    row.days = _week_days(frame, row, away if by_people else list(closed.items()), roster if by_people else None)
    _let_short_bars_speak(row.bars, frame.columns)
    work = [c for c in clockings if (c.employee_id == resource.employee_id if by_people else c.bay_id == resource.pk)]
    row.acts = _acts(frame, work)
    row.at_work = frozenset(c.line.order_id for c in work if c.ended_at is None)
    row.spread(frame.columns, frame.column_of_now)
    return row


def _week_days(
    frame: WeekFrame, row: Row, offs: list[tuple[date, str]], roster: dict[date, RosterDay] | None
) -> list[WeekDay]:
    """Each job stands on every day that it touches; a day off in between has none."""
    today, size = clock.today(frame.zone.key), frame.PER_DAY
    words = {day: word or _("off today") for day, word in offs}
    found = []
    for number, day in enumerate(frame.days):
        begin, end = number * size, (number + 1) * size
        here = (b for b in row.bars if b.at < end and b.at + b.length > begin and not (day in words and b.at < begin))
        bars = sorted(here, key=lambda b: b.at)
        taken = sum(min(b.at + b.length, end) - max(b.at, begin) for b in bars) * 30
        if roster is None:
            room = 0 if day in words else frame.HOURS * 60
        else:
            shift = roster[day].shift if day in roster else None
            room = sum(until - since for since, until in shift_hours(shift))
        load = round(taken * 100 / (room * row.room)) if room else 0
        found.append(WeekDay(day, load, words.get(day, ""), bars, day == today))
    return found


def _technician_ids(actor: Actor, day: date) -> set[int]:
    """Whose hours are the store's capacity: technicians by post. Who stands in for them adds none (2.4)."""
    return set(employees_with_role(actor.store_id or 0, "technician", day).values_list("pk", flat=True))


def _other_reservations(
    actor: Actor, resources: list[Resource], frame: Frame
) -> dict[int, list[tuple[Reservation, Appointment | None]]]:
    """Booked and blocked time of the rows, with the booking behind it."""
    rows = list(
        Reservation.objects.for_actor(actor)
        .filter(resource__in=resources, live=True, period__startswith__lt=frame.end, period__endswith__gt=frame.begin)
        .exclude(purpose=ReservationPurpose.WORK)
    )
    booked = [row.subject_uid for row in rows if row.purpose == ReservationPurpose.APPOINTMENT]
    bookings = {
        found.uid: found
        for found in Appointment.objects.for_actor(actor).filter(uid__in=booked).select_related("vehicle")
    }
    found: dict[int, list[tuple[Reservation, Appointment | None]]] = defaultdict(list)
    for row in rows:
        found[row.resource_id].append((row, bookings.get(row.subject_uid) if row.subject_uid else None))
    return found


def blocks_of(actor: Actor, begin: datetime, end: datetime) -> list[Reservation]:
    """Bays out of use in that time that haven't come back yet."""
    return list(
        Reservation.objects.for_actor(actor)
        .filter(purpose=ReservationPurpose.BLOCKED, live=True, resource__kind=ResourceKind.BAY)
        .filter(period__startswith__lt=end, period__endswith__gt=max(begin, clock.now()))
        .select_related("resource")
        .order_by("resource__position", "pk")
    )


def screen_of(key: str, kind: str = ScreenKind.PLAN) -> WallScreen | None:
    """The screen of a kind behind an address that is still good."""
    return WallScreen.objects.filter(key=key, kind=kind, ended_at__isnull=True).select_related("store").first()


def screens(actor: Actor) -> QuerySet[WallScreen]:
    return WallScreen.objects.for_actor(actor).filter(ended_at__isnull=True)


def rest_of_day(store: Store) -> tuple[datetime, datetime]:
    """From the next five minutes to the end of today's plan."""
    zone = ZoneInfo(store.time_zone)
    now = clock.now().astimezone(zone).replace(second=0, microsecond=0)
    now += timedelta(minutes=-now.minute % STEP)
    end = Frame(store, now.date(), ()).end
    return now, max(end, now + timedelta(hours=1))


def worked_in(actor: Actor, bay: Resource) -> list[Clocking]:
    """Who is at work in a bay right now, whatever the plan says."""
    rows = Clocking.objects.for_actor(actor).filter(bay=bay, ended_at__isnull=True)
    return list(rows.select_related("employee", "line__order__vehicle").order_by("started_at", "pk"))


def planned_in(actor: Actor, bay: Resource) -> list[tuple[Reservation, str, str, str]]:
    """What is planned in a bay from now on, the next ten: plan, plate with its colour, and what for."""
    rows = list(
        Reservation.objects.for_actor(actor)
        .filter(resource=bay, live=True, period__endswith__gt=clock.now())
        .order_by("period")[:10]
    )
    uids = [row.subject_uid for row in rows if row.subject_uid]
    lines = {
        line.uid: (line.order.vehicle.plate, line.order.vehicle.plate_color, line.said)
        for line in OrderLine.objects.for_actor(actor).filter(uid__in=uids).select_related("order__vehicle")
    }
    booked = {
        row.uid: (row.vehicle.plate, row.vehicle.plate_color, row.concern)
        for row in Appointment.objects.for_actor(actor).filter(uid__in=uids).select_related("vehicle")
    }
    return [(row, *(lines | booked).get(row.subject_uid or row.uid, ("", "", row.note))) for row in rows]


def _clockings(actor: Actor, frame: Frame) -> list[Clocking]:
    return list(
        Clocking.objects.for_actor(actor)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gt=frame.begin), started_at__lt=frame.end)
        .select_related("line")
        .prefetch_related(Prefetch("line__holds", LineHold.objects.filter(ended_at__isnull=True)))
        .order_by("started_at", "id")
    )


def _row(
    resource: Resource,
    roster: dict[int, RosterDay],
    frame: Frame,
    by_people: bool,
    dispatches: list[Dispatch],
    hit: set[int],
    held: dict[int, list[tuple[Reservation, Appointment | None]]],
    clockings: list[Clocking],
    marked: frozenset[int] = frozenset(),
) -> Row:
    mine = [
        d for d in dispatches if (d.technician_id == resource.employee_id if by_people else d.bay_id == resource.pk)
    ]
    row = Row(resource.uid, resource.said, resource.get_capability_display(), room=resource.capacity)
    spans: tuple[tuple[int, int], ...]
    if by_people:
        day = roster.get(resource.employee_id or 0)
        spans = shift_hours(day.shift if day else None)
        row.say = say_name(day.shift.name) if day and day.shift else ((day.absence if day else "") or _("off today"))
    else:
        spans = frame.open_spans
    row.offs = _offs(frame, spans, by_people)
    seen: set[tuple[int, datetime]] = set()
    for dispatch in mine:
        if not by_people and (dispatch.line_id, dispatch.starts_at) in seen:
            continue
        seen.add((dispatch.line_id, dispatch.starts_at))
        bar = _dispatch_bar(frame, dispatch, mine, by_people, dispatch.pk in hit)
        if bar is not None:
            bar.moved = dispatch.line_id in marked
            row.bars.append(bar)
    for reservation, booking in held.get(resource.pk, []):
        other = _held_bar(frame, reservation, booking)
        if other is None:
            continue
        if reservation.purpose == ReservationPurpose.BLOCKED:
            row.offs.append(other)
        else:
            row.bars.append(other)
    _follow_the_clock(row)
    _let_short_bars_speak(row.bars, frame.columns)
    first = frame.first * 60 // STEP
    work = [c for c in clockings if (c.employee_id == resource.employee_id if by_people else c.bay_id == resource.pk)]
    row.acts = [*_acts(frame, work), *_rests(frame, mine)]
    breaks = [(a[1] // STEP - first, b[0] // STEP - first) for a, b in itertools.pairwise(spans)]
    idle = sum(max(0, min(bar.at + bar.length, b) - max(bar.at, a)) for bar in row.bars for a, b in breaks)
    minutes = (sum(bar.length for bar in row.bars) - idle) * STEP
    room = sum(end - start for start, end in spans)
    row.load = round(minutes * 100 / (room * row.room)) if room else 0
    row.at_work = frozenset(c.line.order_id for c in work if c.ended_at is None)
    row.spread(frame.columns, frame.column_of_now)
    return row


def _offs(frame: Frame, spans: tuple[tuple[int, int], ...], by_people: bool) -> list[Bar]:
    """The hatched times: lunch, before and after the shift, the whole day of who is away."""
    begin, end = frame.first * 60, (frame.first + frame.count) * 60
    if not spans:
        whole = frame.span(begin, end, _("off duty"))
        return [whole] if whole else []
    gaps = [(begin, spans[0][0], "")] if spans[0][0] > begin else []
    gaps += [(a[1], b[0], _("lunch")) for a, b in itertools.pairwise(spans)]
    gaps += [(spans[-1][1], end, "")] if by_people and spans[-1][1] < end else []
    return [bar for start, stop, word in gaps if (bar := frame.span(start, stop, word))]


WORDS_NEED = 14
"""Columns that a plate takes on the plan at its narrowest."""


def _let_short_bars_speak(bars: list[Bar], columns: int) -> None:
    """A bar too short for its plate says the end of it, never over its own end; all of it when it is pointed at."""
    for bar in bars:
        bar.leftward = bar.at * 2 > columns
        if bar.length < WORDS_NEED:
            bar.brief = bar.plate[-3:] if bar.length > 3 else bar.plate[-2:] if bar.length == 3 else "·"


def _dispatch_bar(frame: Frame, dispatch: Dispatch, row: list[Dispatch], by_people: bool, late: bool) -> Bar | None:
    line, order = dispatch.line, dispatch.line.order
    if by_people:
        names = [dispatch.technician.name]
        who = dispatch.bay.said
    else:
        names = [d.technician.name for d in row if d.line_id == line.pk and d.starts_at == dispatch.starts_at]
        who = "、".join(say_initials(name) for name in names)
    says = [who]
    if dispatch.share < 100:
        same = [d for d in row if d.line_id == line.pk and d.starts_at == dispatch.starts_at]
        says.append("/".join(str(d.share) for d in ([dispatch] if by_people else same)) + " %")
    if line.state in OPEN and order.promised_at is not None:
        says.append(pgettext("hand-over time", "due %(time)s") % {"time": say_time(order.promised_at, now=clock.now())})
    ends = forecast_end(dispatch)
    if ends is not None:
        says.append(_("%(span)s to go") % {"span": say_span(ends - clock.now())})
    overruns = ends is not None and ends > dispatch.ends_at + SLACK
    if ends is not None and overruns:
        says.append(_("%(span)s beyond its plan") % {"span": say_span(ends - dispatch.ends_at)})
    asked = len(line.calls.all()) if line.state in OPEN else 0
    if asked:
        says.append(ngettext("%(n)s call not answered", "%(n)s calls not answered", asked) % {"n": asked})
    zone = frame.zone
    ahead = frame.bar(dispatch.starts_at, ends) if ends is not None and overruns else None
    times = f"{dispatch.starts_at.astimezone(zone):%H:%M}–{dispatch.ends_at.astimezone(zone):%H:%M}"
    return frame.bar(
        dispatch.starts_at,
        _plan_end(dispatch),
        stage="late" if late and line.state in OPEN else stage_of(line),
        plate=order.vehicle.plate,
        text=" · ".join((*says, line.said)),
        href=reverse("plan-move", args=[dispatch.uid]),
        plan=dispatch.uid if _may_move(dispatch) else None,
        line=line.pk,
        car=line.order_id,
        clock=f"{dispatch.starts_at.astimezone(zone):%H:%M}",
        runs_to=ahead.at + ahead.length if ahead is not None else 0,
        title=" · ".join(
            (
                say_plate(order.vehicle.plate),
                line.said,
                "、".join(names),
                dispatch.bay.said,
                times,
                *says[1:],
            )
        ),
        calls=asked,
        waits=line.state in OPEN and order.visit.waiting_mode == WaitingMode.WAIT_AT_DEALER,
        high_voltage=bool(line.operation and line.operation.skill and line.operation.skill.code == rules.HIGH_VOLTAGE),
    )


def _follow_the_clock(row: Row) -> None:
    """A bar whose work runs beyond its plan grows with it, as far as the next bar of the row; a bay with room for several
    cars shows it by the rest under its bars."""
    if row.room > 1:
        return
    for bar in row.bars:
        if bar.runs_to > bar.at + bar.length:
            end = bar.at + bar.length
            nexts = [other.at for other in row.bars if other is not bar and other.at >= end]
            bar.length = max(bar.length, min([bar.runs_to, *nexts]) - bar.at)


def _may_move(dispatch: Dispatch) -> bool:
    """Agreed work that nobody is clocked on to."""
    return dispatch.line.state in OPEN and all(c.ended_at is not None for c in dispatch.line.clockings.all())


def _held_bar(frame: Frame, reservation: Reservation, booking: Appointment | None) -> Bar | None:
    href = ""
    if reservation.purpose == ReservationPurpose.APPOINTMENT and reservation.subject_uid:
        try:
            href = reverse("appointment-detail", args=[reservation.subject_uid])
        except NoReverseMatch:
            href = ""
    plate = booking.vehicle.plate if booking else ""
    if booking is not None:
        word = f"{booking.contact_name} · {booking.concern}"
    elif reservation.purpose == ReservationPurpose.APPOINTMENT:
        word = _("booked")
    else:
        word = reservation.note or _("not in use")
    return frame.bar(
        reservation.period.lower,
        reservation.period.upper,
        stage="booked",
        plate=plate,
        text=word,
        href=href,
        title=" · ".join(filter(None, (say_plate(plate), word, _("booked") if booking else ""))),
        booked=True,
        car=-reservation.pk,
        clock=f"{reservation.period.lower.astimezone(frame.zone):%H:%M}",
        waits=booking is not None and booking.waiting_mode == WaitingMode.WAIT_AT_DEALER,
    )


def _acts(frame: Frame, clockings: list[Clocking]) -> list[Bar]:
    """What was really worked, and hatched the time a line stood still between two clockings."""
    bars: list[Bar] = []
    last: dict[int, Clocking] = {}
    for clocking in clockings:
        before = last.get(clocking.line_id)
        waited = before is not None and before.pause_cause not in ("", PauseCause.BREAK, PauseCause.OTHER_JOB)
        if before is not None and before.ended_at is not None and waited:
            gap = frame.bar(before.ended_at, clocking.started_at, paused=True, line=clocking.line_id)
            bars += [gap] if gap else []
        bar = frame.bar(
            clocking.started_at,
            clocking.ended_at or clock.now(),
            stage=stage_of(clocking.line),
            line=clocking.line_id,
        )
        bars += [bar] if bar else []
        last[clocking.line_id] = clocking
    for clocking in last.values():
        still = clocking.ended_at is not None and clocking.line.holds.all()
        if still and clocking.ended_at is not None:
            gap = frame.bar(clocking.ended_at, min(clock.now(), frame.end), paused=True, line=clocking.line_id)
            bars += [gap] if gap else []
    return bars


def _rests(frame: Frame, dispatches: list[Dispatch]) -> list[Bar]:
    """From now on, what running work still takes; once for two people on a line."""
    bars = {}
    for dispatch in dispatches:
        ends = forecast_end(dispatch)
        word = {"stage": stage_of(dispatch.line), "rest": True, "line": dispatch.line_id}
        bar = frame.bar(clock.now(), ends, **word) if ends else None
        if bar is not None:
            bars[dispatch.line_id] = bar
    return list(bars.values())


# --- forecast ---


def forecast_end(dispatch: Dispatch) -> datetime | None:
    """When a line that is being worked on will be done by its hours; None where nobody is clocked on.

    A line that has used up its hours is taken to need a quarter of an hour more. A warning, never a refusal.
    """
    clockings = list(dispatch.line.clockings.all())
    if dispatch.line.state != L.IN_PROGRESS or not any(c.ended_at is None for c in clockings):
        return None
    now = clock.now()
    worked = int(sum(((c.ended_at or now) - c.started_at).total_seconds() for c in clockings) // 60)
    return now + timedelta(minutes=rules.rest_minutes(dispatch.line.hours, worked))


MOST_CONFLICTS = 3
"""How many are told over the plan; a way out is looked for with each."""


def _conflicts(actor: Actor, dispatches: list[Dispatch], frame: Frame) -> list[Conflict]:
    found: dict[int, Conflict] = {}
    open_ones = [d for d in dispatches if d.line.state in OPEN]
    for running in open_ones:
        ends = forecast_end(running)
        early = running.starts_at > clock.now()  # begun before its plan: it stands where others are planned now
        if ends is None or (not early and ends <= running.ends_at + SLACK):
            continue
        begin, until = (clock.now(), ends - SLACK) if early else (running.starts_at, ends)
        nexts = {
            (d.line_id, d.starts_at): (d, what)
            for d in reversed(open_ones)
            if d.line_id != running.line_id
            and begin < d.starts_at < until
            and (what := _taken_by(running, ends, d, open_ones))
        }
        for hit, what in sorted(nexts.values(), key=lambda pair: (pair[0].starts_at, pair[0].pk))[:2]:
            minutes = int((ends - hit.starts_at).total_seconds() // 60)
            if minutes > 0 and hit.pk not in found and len(found) < MOST_CONFLICTS:
                before = hit.bay_id if hit.bay_id == running.bay_id else None
                way = next(iter(proposals(hit.line, after=ends, bays_before=before)), None)
                found[hit.pk] = Conflict(what, hit.starts_at, minutes, running, hit, way)
    return list(found.values())


def _taken_by(running: Dispatch, ends: datetime, hit: Dispatch, dispatches: list[Dispatch]) -> str:
    """What ``hit`` needs and ``running``, which ends late, still has: the bay, the person or the car; "" where nothing."""
    if _full_with(running, ends, hit, dispatches):
        return running.bay.said
    if hit.technician_id == running.technician_id:
        return running.technician.name
    if hit.line.order.vehicle_id == running.line.order.vehicle_id and hit.bay_id != running.bay_id:
        return say_plate(hit.line.order.vehicle.plate)
    return ""


def _full_with(running: Dispatch, ends: datetime, hit: Dispatch, dispatches: list[Dispatch]) -> bool:
    """Whether ``hit`` finds no place in the bay while ``running``, which ends late, is still there."""
    if hit.bay_id != running.bay_id:
        return False
    if running.bay.capacity == 1:
        return True
    there = {
        d.line_id
        for d in dispatches
        if d.bay_id == hit.bay_id and d.starts_at <= hit.starts_at < (forecast_end(d) or d.ends_at)
    }
    return len(there) > running.bay.capacity


# --- what isn't given out, and who could do it ---


def loose_lines(actor: Actor) -> list[Loose]:
    """Agreed lines without a live plan: rework first, then by promise."""
    rows = (
        OrderLine.objects.for_actor(actor)
        .filter(state__in=OPEN)
        .exclude(dispatches__live=True)
        .exclude(order__visit__state=VisitState.AWAY)
        .exclude(clockings__ended_at__isnull=True, clockings__isnull=False)
        .select_related("operation__skill", "order__vehicle", "order__visit")
        .prefetch_related(Prefetch("holds", LineHold.objects.filter(ended_at__isnull=True)))
        .order_by(F("order__promised_at").asc(nulls_last=True), "order_id", "position")
    )
    found = []
    for line in rows:
        rework = line.order.kind == OrderKind.REWORK
        found.append(Loose(line, _needs(line), rework, next(iter(line.holds.all()), None)))
    found.sort(key=lambda row: not row.rework)
    return found


def _needs(line: OrderLine) -> list[str]:
    operation = line.operation
    if operation is None:
        return []
    needs = [operation.get_capability_display(), *([operation.get_tool_display()] if operation.tool else [])]
    if operation.skill:
        two = " ×2" if operation.skill.code == rules.HIGH_VOLTAGE else ""
        needs.insert(
            0, _("%(skill)s level %(level)s") % {"skill": operation.skill.label, "level": operation.skill_level} + two
        )
    return needs


def place_of(actor: Actor, row: UUID) -> dict[str, UUID]:
    """What a row of the plan stands for: a bay, or the technician behind it."""
    found = Resource.objects.for_actor(actor).select_related("employee").get(uid=row)
    if found.kind == ResourceKind.PERSON and found.employee is not None:
        return {"technician_uid": found.employee.uid}
    return {"bay_uid": found.uid}


def count_loose(actor: Actor) -> int:
    """For the rail: agreed lines that nobody has been given."""
    return (
        OrderLine.objects.for_actor(actor)
        .filter(state__in=OPEN)
        .exclude(dispatches__live=True)
        .exclude(order__visit__state=VisitState.AWAY)
        .count()
    )


def fitting_people(line: OrderLine) -> list[tuple[Employee, int]]:
    """People of the plan with their level in what the line needs, those who may do it alone first."""
    store_id = line.order.store_id
    skill = line.operation.skill if line.operation else None
    high_voltage = skill is not None and skill.code == rules.HIGH_VOLTAGE
    workers = employees_with_role(store_id, "technician").values("pk")
    at_work = Q(resource__active=True) | Q(pk__in=workers)
    if high_voltage:
        at_work |= Q(skills__skill=skill, skills__level__gt=1)
    people = list(
        Employee.objects.filter(at_work, store_id=store_id, left_on__isnull=True)
        .select_related("store", "resource")
        .distinct()
    )
    if skill is None:
        return [(person, 0) for person in people]
    levels = dict(EmployeeSkill.objects.filter(skill=skill, employee__in=people).values_list("employee_id", "level"))
    wanted = line.operation.skill_level if line.operation else 0
    rows = [(person, levels.get(person.pk, 0)) for person in people]
    hands = set(workers.values_list("pk", flat=True))
    return sorted(rows, key=lambda row: (row[1] < wanted, row[0].pk not in hands, -row[1], row[0].pinyin))


def fitting_bays(line: OrderLine) -> list[Resource]:
    """Bays that can do the line, the plainest first (a lift isn't blocked by a quick service)."""
    bays = Resource.objects.filter(store_id=line.order.store_id, kind=ResourceKind.BAY, active=True).order_by(
        "position"
    )
    needed = line.operation.capability if line.operation else None
    fitting = [bay for bay in bays if needed is None or rules.bay_serves(needed, bay.capability)]
    return sorted(fitting, key=lambda bay: (bay.capability != needed, bay.position))


@dataclass
class _Ways:
    """Who and what could do a line from a time on, with their hours and what is planned already."""

    able: list[Employee]
    mates: list[Employee]
    bays: list[Resource]
    tools: list[Resource] | None
    """Special tools of the kind that is needed; None where none is."""
    calendars: dict[int, Calendar]
    busy: dict[int, list[tuple[datetime, datetime]]]
    hours: Decimal
    last: date
    two: bool
    until: dict[int, date]
    """Last days of the bays' lifts (3.4)."""
    stands: list[tuple[int, datetime, datetime]]
    """When other lines of the car keep it in which bay."""
    hands: set[int]
    """Technicians by post; the others stand in where none of these is free."""
    gloved: set[int]
    pairs: int | None
    """Who has tested gloves, and how many pairs lie in the crib for the others (None: not counted)."""

    def stand_ins(self, way: Proposal) -> int:
        """How many of its people aren't technicians by post."""
        return sum(person.pk not in self.hands for person in (way.technician, way.second) if person is not None)

    def clothed(self, people: list[Employee]) -> bool:
        """Whether there are gloves for everybody who needs them."""
        bare = sum(person.pk not in self.gloved for person in people)
        return not self.two or self.pairs is None or bare <= self.pairs

    def best(self, person: Employee, bays: list[Resource], start: datetime) -> Proposal | None:
        """The earliest with this person in one of these bays, with the first second person who can stand by."""
        for mate in [mate for mate in self.mates if mate.pk != person.pk] if self.two else [None]:
            found: Proposal | None = None
            people = [person, *([mate] if mate else [])]
            if not self.clothed(people):
                continue
            for bay in bays:
                slot = self.slot(people, bay, start)
                if slot and slot[1].date() > self.until.get(bay.pk, date.max):
                    continue
                if slot and (found is None or slot[0] < found.starts_at):
                    found = Proposal(person, bay, slot[0], slot[1], mate)
            if found is not None:
                return found
        return None

    def slot(self, people: list[Employee], bay: Resource, start: datetime) -> tuple[datetime, datetime] | None:
        lead = people[0]
        efficiency = lead.resource.efficiency if hasattr(lead, "resource") else 100
        length = timedelta(minutes=rules.plan_minutes(self.hours, efficiency))
        away = [(lower, upper) for other, lower, upper in self.stands if other != bay.pk]
        found = [
            slot
            for tool in ([None] if self.tools is None else self.tools)
            if (slot := _slot(people, bay, start, length, self.calendars, self.busy, self.last, tool, away)) is not None
        ]
        return min(found, default=None)


def _overruns(store_id: int) -> dict[int, list[tuple[datetime, datetime]]]:
    """By bay and person in the plan: the time that running work takes beyond its plan, by its forecast."""
    rows = (
        Dispatch.objects.filter(
            store_id=store_id, live=True, line__state=L.IN_PROGRESS, line__clockings__ended_at__isnull=True
        )
        .select_related("line", "bay", "technician__resource")
        .prefetch_related("line__clockings")
        .distinct()
    )
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for dispatch in rows:
        ends = forecast_end(dispatch)
        if ends is None or ends <= dispatch.ends_at:
            continue
        if dispatch.bay.capacity == 1:
            found[dispatch.bay_id].append((dispatch.ends_at, ends))
        if hasattr(dispatch.technician, "resource"):
            found[dispatch.technician.resource.pk].append((dispatch.ends_at, ends))
    return found


def _ways(line: OrderLine, start: datetime, *, follow: bool = False, moving: Collection[int] = ()) -> _Ways:
    """``follow``: time that running work needs beyond its plan is taken as well; ``moving``: reservations that are given up."""
    store = line.order.store
    day = start.astimezone(ZoneInfo(store.time_zone)).date()
    skill = line.operation.skill if line.operation else None
    level = line.operation.skill_level if line.operation else 0
    two = needs_two(line)
    people = [person for person, _level in fitting_people(line)]
    able = [p for p in people if skill is None or skilled(p, skill, level, day)]
    second_level = limits.value(HV_SECOND_LEVEL, store_id=store.pk)
    mates = [p for p in people if two and skill is not None and skilled(p, skill, second_level, day)]
    until = {key: found.last_day for key, found in bay_lifts(store.pk, day).items()}
    bays = [bay for bay in fitting_bays(line) if until.get(bay.pk, day) >= day]
    kind = line.operation.tool if line.operation else ""
    fit = Resource.objects.filter(store=store, kind=ResourceKind.TOOL, tool=kind, active=True).exclude(
        pk__in=unfit_resources(store.pk, start.date())
    )
    tools = list(fit) if kind else []
    last = day + timedelta(days=min(3, limits.value(PLAN_DAYS, store_id=store.pk)))
    hands = set(employees_with_role(store.pk, "technician").values_list("pk", flat=True))
    gloved, pairs = gloves_until(store.pk, day) if two else (set(), None)
    mates.sort(key=lambda person: person.pk not in hands)
    able.sort(key=lambda person: person.pk not in hands)
    busy = _busy(
        [*bays, *tools, *(p.resource for p in {*able, *mates} if hasattr(p, "resource"))],
        start,
        _booked(line),
        moving,
    )
    if follow:
        for key, spans in _overruns(store.pk).items():
            busy[key] = [*busy.get(key, ()), *spans]
    return _Ways(
        hands=hands,
        gloved=gloved,
        pairs=pairs,
        able=able,
        mates=mates,
        bays=bays,
        calendars={p.pk: calendar_of(p, first=day, last=last + timedelta(days=2)) for p in {*able, *mates}},
        tools=tools if kind else None,
        busy=busy,
        hours=line.hours,
        last=last,
        two=two,
        until=until,
        stands=list(
            Dispatch.objects.filter(
                line__order__visit=line.order.visit_id, line__state__in=OPEN, live=True, ends_at__gt=start
            )
            .exclude(line=line)
            .values_list("bay_id", "starts_at", "ends_at")
        ),
    )


def proposals(
    line: OrderLine,
    *,
    after: datetime | None = None,
    bays_before: int | None = None,
    most: int = 3,
    moving: Collection[int] = (),
) -> list[Proposal]:
    """The earliest fitting technician and bay, looked at before they are accepted (2.4); somebody whose post isn't the
    trade stands in only where no technician is free in these days.

    Reads plans, rosters, skills and how long running work will still take; ``bays_before`` leaves that bay out,
    ``moving`` are the reservations of the plan that is moved, which are free for it. Locks
    nothing: who is quicker still wins.
    """
    zone = ZoneInfo(line.order.store.time_zone)
    start = max(after or clock.now(), clock.now()).astimezone(zone).replace(second=0, microsecond=0)
    start += timedelta(minutes=-start.minute % STEP)
    ways = _ways(line, start, follow=True, moving=moving)
    bays = [bay for bay in ways.bays if bay.pk != bays_before]
    found = [way for person in ways.able if (way := ways.best(person, bays, start)) is not None]
    fewest = min((ways.stand_ins(way) for way in found), default=0)
    return sorted((way for way in found if ways.stand_ins(way) == fewest), key=lambda p: p.starts_at)[:most]


def fit_at(line: OrderLine, row: Resource, start: datetime) -> Proposal | None:
    """Who does the line in this bay, or where this person does it, beginning exactly then; None where nobody can."""
    ways = _ways(line, start)
    people = [p for p in ways.able if row.kind == ResourceKind.BAY or p.pk == row.employee_id]
    bays = [bay for bay in ways.bays if row.kind == ResourceKind.PERSON or bay.pk == row.pk]
    for person in people:
        for bay in bays:
            way = ways.best(person, [bay], start)
            if way is not None and way.starts_at == start:
                return way
    return None


def _booked(line: OrderLine) -> UUID | None:
    """The booking of the car that is here: its time is given back as soon as the line is given out."""
    appointment = line.order.visit.appointment
    return appointment.uid if appointment is not None else None


def _busy(
    resources: list[Resource], start: datetime, without: UUID | None = None, moving: Collection[int] = ()
) -> dict[int, list[tuple[datetime, datetime]]]:
    rows = Reservation.objects.filter(resource__in=resources, live=True, period__endswith__gt=start)
    if without is not None:
        rows = rows.exclude(subject_uid=without)
    if moving:
        rows = rows.exclude(pk__in=moving)
    return taken_spans(rows.values_list(*PLANNED))


def _slot(
    people: list[Employee],
    bay: Resource,
    start: datetime,
    length: timedelta,
    calendars: dict[int, Calendar],
    busy: dict[int, list[tuple[datetime, datetime]]],
    last: date,
    tool: Resource | None = None,
    away: Sequence[tuple[datetime, datetime]] = (),
) -> tuple[datetime, datetime] | None:
    """The first time at which the people work and all are free, through the first one's own breaks.

    ``away`` is when the car stands in another bay.
    """
    taken = [*away, *busy.get(bay.pk, ()), *(busy.get(tool.pk, ()) if tool else ())]
    for person in people:
        if hasattr(person, "resource"):
            taken += busy.get(person.resource.pk, ())
    begin = start
    for _try in range(40):
        try:
            begin = calendars[people[0].pk].next_open(begin)
            end = calendars[people[0].pk].add_working_time(begin, length)
        except ValueError:
            return None
        if begin.date() > last:
            return None
        clash = [upper for lower, upper in taken if lower < end and upper > begin]
        mates_there = all(
            calendars[p.pk].is_open(begin) and calendars[p.pk].is_open(end - timedelta(seconds=1)) for p in people[1:]
        )
        if not clash and mates_there:
            return begin, end
        begin = max(clash) if clash else begin + timedelta(minutes=30)
    return None
