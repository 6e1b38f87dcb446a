"""The team as its foreman looks at it: who works on what, who waits, who is free or away, and the hours of the day (3.2, 6.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.saying import say_name
from staff.models import Employee, PostHolding, RosterDay
from staff.selectors.employees import employees_with_role, in_force
from staff.selectors.hours import shift_hours
from workshop import permissions
from workshop.call_models import Need, TechnicianCall
from workshop.labour_sql import EARNED
from workshop.models import Clocking, Dispatch, LineHold, LineState, PauseCause
from workshop.selectors import calls
from workshop.selectors.broken import Broken, broken_plans
from workshop.selectors.jobs import worked_minutes
from workshop.selectors.plan import Loose, Proposal, loose_lines, proposals

OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)
MOST_WITH_WAYS = 4
"""For so many lines without a person it is worked out who could do them; the others lead to the plan."""
AT_ONCE = timedelta(minutes=15)
"""A job may be handed to who is free where it could begin within this time."""
Span = tuple[datetime, datetime]
_EARNED = f"WITH {EARNED} SELECT employee_id, sum(hours), sum(took) FROM earned GROUP BY employee_id"  # noqa: S608


class Doing(models.TextChoices):
    """How a person stands right now, in the order in which the foreman looks."""

    FREE = "FREE", pgettext_lazy("technician now", "Free")
    WAITING = "WAITING", pgettext_lazy("technician now", "Job waits")
    WORKING = "WORKING", pgettext_lazy("technician now", "At work")
    BREAK = "BREAK", pgettext_lazy("technician now", "On a break")
    OFF = "OFF", pgettext_lazy("technician now", "Off")


STAGES = {Doing.FREE: "ready", Doing.WAITING: "wait", Doing.WORKING: "work", Doing.BREAK: "booked", Doing.OFF: "booked"}


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of today so far: standard hours of finished work, hours clocked on that work, hours worked and attended (6.1)."""

    sold: float = 0.0
    took: float = 0.0
    worked: float = 0.0
    attended: float = 0.0

    @property
    def efficiency(self) -> int | None:
        """Standard hours ÷ hours clocked on finished work, per cent."""
        return round(self.sold * 100 / self.took) if self.took else None

    @property
    def utilisation(self) -> int | None:
        return round(self.worked * 100 / self.attended) if self.attended else None

    @property
    def productivity(self) -> int | None:
        return round(self.sold * 100 / self.attended) if self.attended else None


@dataclass
class Member:
    """One person: the job, since when, planned against clocked minutes, what comes next and what waits."""

    person: Employee
    shift: str
    doing: Doing
    hours: Hours
    since: datetime | None = None
    """Since when it is so; None for who is off or on the shift's own break."""
    running: Clocking | None = None
    minutes: int = 0
    paused: Clocking | None = None
    """The last clocking of the day, where the person isn't clocked on."""
    nexts: list[Dispatch] = field(default_factory=list)
    holds: list[LineHold] = field(default_factory=list)
    calls: list[TechnicianCall] = field(default_factory=list)
    left_open: Clocking | None = None
    """A clock that the end of a shift closed and nobody has put right."""
    ways: tuple[Loose, Proposal] | None = None
    """For who is free: the first line without a person that could be begun now."""

    @property
    def stage(self) -> str:
        return "late" if self.over_minutes else STAGES[self.doing]

    @property
    def standard_minutes(self) -> int:
        return int(self.running.line.hours * 60) if self.running else 0

    @property
    def over_minutes(self) -> int:
        return max(0, self.minutes - self.standard_minutes) if self.running else 0

    @property
    def next(self) -> Dispatch | None:
        return self.nexts[0] if self.nexts else None

    @property
    def is_overdue(self) -> bool:
        """Whether the next job should have begun already while nothing is clocked."""
        return self.running is None and bool(self.nexts) and self.nexts[0].starts_at < clock.now() - AT_ONCE


@dataclass
class Team:
    members: list[Member]
    counts: dict[str, int]
    loose: list[tuple[Loose, list[Proposal]]]
    rest: list[Loose]
    """Lines without a person for which no ways were worked out."""
    broken: list[Broken]
    calls: list[TechnicianCall]
    hours: Hours
    day: date

    @property
    def loose_count(self) -> int:
        return len(self.loose) + len(self.rest)


def team(actor: Actor, *, show: str = "", ways: bool = False) -> Team:
    """The store's technicians now, and whoever else works or is planned today; ``show`` keeps one way of ``Doing``.

    ``ways``: for the first lines without a person it is worked out who could do them; this costs what looking for the
    earliest time costs, for each.
    """
    store = Store.objects.get(pk=actor.store_id)
    day = clock.today(store.time_zone)
    midnight = datetime.combine(day, time(), ZoneInfo(store.time_zone))
    clockings, plans = _clockings(actor, midnight), _plans(actor, midnight + timedelta(days=1))
    people = _people(store, day, clockings, plans)
    roster = {row.employee_id: row for row in _roster(store, day, people)}
    own = set(PostHolding.objects.filter(in_force(day), post__role="technician").values_list("employee_id", flat=True))
    asked = calls.open_calls(actor, tuple(Need)) if actor.may(permissions.CALLS_ANSWER) else []
    earned = _earned(store, midnight)
    left = {c.employee_id: c for c in _left_open(actor)}
    members = [
        _member(
            person,
            roster.get(person.pk),
            midnight,
            [c for c in clockings if c.employee_id == person.pk],
            [p for p in plans if p.technician_id == person.pk],
            earned.get(person.pk, (0.0, 0.0)),
            person.pk in own,
        )
        for person in people
    ]
    for member in members:
        member.calls = [call for call in asked if call.employee_id == member.person.pk]
        member.left_open = left.get(member.person.pk)
    order = list(Doing)
    members.sort(key=lambda m: (order.index(m.doing), m.person.pinyin, m.person.pk))
    rows = loose_lines(actor)
    looks = ways and actor.may(permissions.PLAN_DISPATCH)
    loose = [(row, proposals(row.line, most=20) if looks else []) for row in rows[:MOST_WITH_WAYS]]
    _give_the_free(members, loose)
    return Team(
        members=[m for m in members if not show or m.doing == show],
        counts={doing.value: sum(m.doing == doing for m in members) for doing in Doing},
        loose=[(row, found[:3]) for row, found in loose],
        rest=rows[MOST_WITH_WAYS:],
        broken=broken_plans(actor),
        calls=asked,
        hours=_sum(m.hours for m in members),
        day=day,
    )


def _clockings(actor: Actor, midnight: datetime) -> list[Clocking]:
    """What was clocked today, and what runs."""
    return list(
        Clocking.objects.for_actor(actor)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gt=midnight))
        .select_related("employee", "bay", "line__operation", "line__order__vehicle")
        .prefetch_related(
            Prefetch("line__clockings", Clocking.objects.order_by("started_at", "id")),
            Prefetch("line__holds", LineHold.objects.filter(ended_at__isnull=True)),
        )
        .order_by("started_at", "id")
    )


def _plans(actor: Actor, until: datetime) -> list[Dispatch]:
    """What is given out and not done, up to the end of the day; what should have been begun before is among it."""
    return list(
        Dispatch.objects.for_actor(actor)
        .filter(live=True, line__state__in=OPEN, starts_at__lt=until)
        .select_related("technician", "bay", "line__operation", "line__order__vehicle")
        .prefetch_related(Prefetch("line__holds", LineHold.objects.filter(ended_at__isnull=True)))
        .order_by("starts_at", "pk")
    )


def _people(store: Store, day: date, clockings: list[Clocking], plans: list[Dispatch]) -> list[Employee]:
    people = {person.pk: person for person in employees_with_role(store.pk, "technician", day)}
    people |= {clocking.employee_id: clocking.employee for clocking in clockings}
    people |= {plan.technician_id: plan.technician for plan in plans}
    return list(people.values())


def _roster(store: Store, day: date, people: list[Employee]) -> list[RosterDay]:
    return list(RosterDay.objects.filter(employee__in=people, day=day).select_related("shift"))


def _left_open(actor: Actor) -> list[Clocking]:
    rows = Clocking.objects.for_actor(actor).filter(left_open=True)
    return list(rows.select_related("line__order__vehicle").order_by("-started_at", "-id")[:50])[::-1]


def _earned(store: Store, midnight: datetime) -> dict[int, tuple[float, float]]:
    """Per person the standard hours of work finished today, and the hours it took, as the figures count them (6.1)."""
    with connection.cursor() as cursor:
        cursor.execute(
            _EARNED,
            {"store_id": store.pk, "day_start": midnight, "day_end": midnight + timedelta(days=1)},
        )
        return {row[0]: (float(row[1]), float(row[2])) for row in cursor.fetchall()}


def _member(
    person: Employee,
    roster: RosterDay | None,
    midnight: datetime,
    clockings: list[Clocking],
    plans: list[Dispatch],
    earned: tuple[float, float],
    own: bool,
) -> Member:
    now = clock.now()
    spans = [
        (midnight + timedelta(minutes=start), midnight + timedelta(minutes=end))
        for start, end in shift_hours(roster.shift if roster else None)
    ]
    running = next((c for c in clockings if c.ended_at is None), None)
    last = clockings[-1] if clockings and running is None else None
    worked: list[Span] = [(max(c.started_at, midnight), c.ended_at or now) for c in clockings]
    shift_so_far = [(start, min(end, now)) for start, end in spans if start < now]
    hours = Hours(
        sold=earned[0],
        took=earned[1],
        worked=_length(worked),
        attended=_length([*worked, *(shift_so_far if own else [])]),
    )
    doing, since = _doing(spans, running, last)
    ahead = [plan for plan in plans if running is None or plan.line_id != running.line_id]
    held = {hold.pk: hold for plan in ahead for hold in plan.line.holds.all()}
    for hold in held.values():
        hold.line = next(plan.line for plan in ahead if plan.line_id == hold.line_id)
    return Member(
        person=person,
        shift=_shift_words(roster),
        doing=doing,
        hours=hours,
        since=since,
        running=running,
        minutes=worked_minutes(list(running.line.clockings.all())) if running else 0,
        paused=last,
        nexts=[plan for plan in ahead if not plan.line.holds.all()],
        holds=list(held.values()),
    )


def _doing(spans: list[Span], running: Clocking | None, last: Clocking | None) -> tuple[Doing, datetime | None]:
    """How the person stands, and since when."""
    now = clock.now()
    if running is not None:
        return Doing.WORKING, running.started_at
    shift = next((span for span in spans if span[0] <= now < span[1]), None)
    if shift is None:
        between = bool(spans) and spans[0][0] <= now < spans[-1][1]
        return (Doing.BREAK if between else Doing.OFF), None
    if last is None or last.ended_at is None:
        return Doing.FREE, shift[0]
    if last.pause_cause == PauseCause.BREAK and last.ended_at >= shift[0]:
        return Doing.BREAK, last.ended_at
    if last.line.state in OPEN and last.line.holds.all():
        return Doing.WAITING, last.ended_at
    return Doing.FREE, max(last.ended_at, shift[0])


def _shift_words(roster: RosterDay | None) -> str:
    if roster is None:
        return _("off today")
    if roster.shift is None:
        return say_name(roster.absence) if roster.absence else _("off today")
    return f"{roster.shift.starts:%H:%M}–{roster.shift.ends:%H:%M}"


def _length(spans: list[Span]) -> float:
    """Hours that the spans cover, each moment once."""
    total, reached = timedelta(), None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += end - begin
            reached = end
    return total / timedelta(hours=1)


def _sum(rows: Iterable[Hours]) -> Hours:
    total: dict[str, float] = defaultdict(float)
    for row in rows:
        for name in ("sold", "took", "worked", "attended"):
            total[name] += getattr(row, name)
    return Hours(**total)


def _give_the_free(members: list[Member], loose: list[tuple[Loose, list[Proposal]]]) -> None:
    """To each who is free the first line that they could begin now; no line is held out to two."""
    soon, given = clock.now() + AT_ONCE, set[int]()
    for member in members:
        if member.doing not in (Doing.FREE, Doing.WAITING):
            continue
        for row, found in loose:
            way = next((w for w in found if w.technician.pk == member.person.pk and w.starts_at <= soon), None)
            if way is not None and row.line.pk not in given and row.hold is None:
                member.ways = row, way
                given.add(row.line.pk)
                break
