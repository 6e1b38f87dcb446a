"""Arithmetic of booking: what a job needs, who and what is free, and why a time doesn't work (2.4). No tables here.

Moments are aware, durations minutes of opening time. One *need* is a stretch of work on one kind of bay by one person;
a job is its needs one after the other, after the reception and before inspection and wash. Lunch breaks and nights
don't count as work; a bay or person that is needed before and after lunch is held over it, but not over a night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dealership.kernel.worktime import Calendar

Span = tuple[datetime, datetime]
ALSO_DO = {"QUICK_LUBE": ("STANDARD_LIFT",)}
"""Kinds of bays on which the work of another kind can be done too, taken after its own."""


@dataclass(frozen=True, slots=True)
class Need:
    """Work of ``minutes`` on a bay with ``capability`` by somebody with ``skill`` at ``level`` (None: anybody)."""

    capability: str
    skill: int | None
    level: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Bay:
    id: int
    capability: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the plan; ``skills`` gives the level by skill and ``valid`` the last day of its certificate."""

    id: int
    employee: int
    name: str
    skills: Mapping[int, int]
    valid: Mapping[int, date]

    def can(self, need: Need, day: date) -> bool:
        if need.skill is None:
            return True
        return self.skills.get(need.skill, 0) >= need.level and self.valid.get(need.skill, day) >= day


@dataclass(frozen=True, slots=True)
class Times:
    """Minutes around the work, and the share of the bays (percent) that bookings leave to walk-ins."""

    reception: int
    after: int
    slot: int
    walk_ins: int


@dataclass
class Supply:
    """What a store has in a stretch of days. ``busy`` holds the plans of a resource, ``booked`` those of bookings.

    ``shifts`` maps (employee, day) to working hours, ``advisors`` a day to its advisors, ``arrivals`` are the moments
    at which booked cars come with their advisor (None: whoever is free).
    """

    calendar: Calendar
    bays: list[Bay]
    people: list[Person]
    shifts: Mapping[tuple[int, date], Span]
    advisors: Mapping[date, list[int]]
    times: Times
    busy: dict[int, list[Span]] = field(default_factory=dict)
    booked: Mapping[tuple[int, date], int] = field(default_factory=dict)
    arrivals: list[tuple[datetime, int | None]] = field(default_factory=list)

    def is_free(self, resource: int, pieces: Iterable[Span]) -> bool:
        plans = self.busy.get(resource, [])
        return not any(start < end_ and start_ < end for start, end in pieces for start_, end_ in plans)

    def shift_part(self, employee: int, piece: Span) -> Span | None:
        """The part of a day's piece that lies in the person's shift; None where they don't work then."""
        start, end = piece
        shift = self.shifts.get((employee, start.date()))
        if shift is None or end <= shift[0] or shift[1] <= start:
            return None
        return max(start, shift[0]), min(end, shift[1])

    def works(self, employee: int, piece: Span, *, most: bool = False) -> bool:
        """Whether the shift covers the piece, or with ``most`` at least half of it (work over several days)."""
        part = self.shift_part(employee, piece)
        if part is None:
            return False
        return part == piece or (most and (part[1] - part[0]) * 2 >= piece[1] - piece[0])


@dataclass(frozen=True, slots=True)
class Step:
    """One need in time: a piece per day, the bays that could be used, and who could do each piece."""

    need: Need
    pieces: tuple[Span, ...]
    bays: tuple[Bay, ...]
    people: tuple[tuple[Person, ...], ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a time doesn't work. ``code``: closed, past, closing, no_bay, bay, no_person, person, advisor or walk_ins."""

    code: str
    capability: str = ""
    skill: int | None = None
    level: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """An arrival at ``at``: ``count`` cars could still be taken then; 0 has a ``cause``."""

    at: datetime
    count: int
    cause: Cause | None = None
    work_at: datetime | None = None
    ready_at: datetime | None = None
    steps: tuple[Step, ...] = ()


def pieces_of(calendar: Calendar, start: datetime, end: datetime) -> tuple[Span, ...]:
    """The days' pieces of a stretch of work: on each day from its first to its last moment of opening time."""
    pieces: dict[date, Span] = {}
    first = calendar.local_day(start)
    for opens, closes in calendar.spans(first, (calendar.local_day(end) - first).days + 1):
        begin, stop = max(opens, start), min(closes, end)
        if begin < stop:
            day = opens.date()
            pieces[day] = (pieces[day][0] if day in pieces else begin, stop)
    return tuple(pieces.values())


def day_minutes(calendar: Calendar, day: date) -> int:
    """Opening minutes of a day."""
    return sum(end - start for start, end in calendar.hours_on(day))


def option_at(
    supply: Supply,
    needs: Sequence[Need],
    at: datetime,
    *,
    now: datetime,
    waits: bool = False,
    advisor: int | None = None,
) -> Option:
    """What an arrival at ``at`` would come to. ``waits``: the customer stays, so the car is ready on that day."""
    calendar, times = supply.calendar, supply.times
    day = calendar.local_day(at)
    if not calendar.is_open(at):
        return Option(at, 0, Cause("closed"))
    if at <= now:
        return Option(at, 0, Cause("past"))
    begin = calendar.next_open(calendar.add_working(at, times.reception))
    steps, moment = [], begin
    for need in needs:
        start = calendar.next_open(moment)
        moment = calendar.add_working(start, need.minutes)
        steps.append((need, pieces_of(calendar, start, moment)))
    ready = calendar.add_working(moment, times.after)
    total = times.reception + sum(need.minutes for need in needs) + times.after
    if calendar.local_day(ready) != day and (waits or total <= day_minutes(calendar, day)):
        return Option(at, 0, Cause("closing"))
    count = advisors_free(supply, at, advisor)
    if not count:
        return Option(at, 0, Cause("advisor"))
    found: list[Step] = []
    mine: Counter[tuple[str, date]] = Counter()
    for need, pieces in steps:
        step, cause = _staffed(supply, need, pieces, mine, today=calendar.local_day(now))
        if cause is not None:
            return Option(at, 0, cause)
        count = min(count, len(step.bays), *(len(people) for people in step.people))
        found.append(step)
    return Option(at, count, None, begin, ready, tuple(found))


def _staffed(
    supply: Supply, need: Need, pieces: tuple[Span, ...], mine: Counter[tuple[str, date]], *, today: date
) -> tuple[Step, Cause | None]:
    """``mine`` adds up the minutes that this job itself takes of each kind of bay and day."""
    kinds = (need.capability, *ALSO_DO.get(need.capability, ()))
    able = sorted((bay for bay in supply.bays if bay.capability in kinds), key=lambda bay: kinds.index(bay.capability))
    bays = [bay for bay in able if supply.is_free(bay.id, pieces)]
    several = len(pieces) > 1
    skilled = [
        [p for p in supply.people if p.can(need, piece[0].date()) and supply.works(p.employee, piece, most=several)]
        for piece in pieces
    ]
    people = tuple(
        tuple(p for p in able_people if supply.is_free(p.id, [piece]))
        for piece, able_people in zip(pieces, skilled, strict=True)
    )
    step = Step(need, pieces, tuple(bays), people)
    if not able:
        return step, Cause("no_bay", need.capability)
    if not bays:
        return step, Cause("bay", need.capability)
    if not all(skilled):
        return step, Cause("no_person", need.capability, need.skill, need.level)
    if not all(people):
        return step, Cause("person", need.capability, need.skill, need.level)
    for start, end in pieces:
        key = (need.capability, start.date())
        mine[key] += supply.calendar.working_minutes_between(start, end)
        if start.date() == today:  # what is left on the day itself is given away
            continue
        open_minutes = day_minutes(supply.calendar, start.date()) * len(able)
        taken = sum(supply.booked.get((bay.id, start.date()), 0) for bay in able)
        if taken and (taken + mine[key]) * 100 > open_minutes * (100 - supply.times.walk_ins):
            return step, Cause("walk_ins", need.capability)
    return step, None


def advisors_free(supply: Supply, at: datetime, advisor: int | None = None) -> int:
    """How many more cars can be received at a moment; for one advisor 1 or 0."""
    length = timedelta(minutes=supply.times.reception)
    local = at.astimezone(ZoneInfo(supply.calendar.zone))
    there = [
        person
        for person in supply.advisors.get(supply.calendar.local_day(at), [])
        if supply.works(person, (local, local + length))
    ]
    near = [who for moment, who in supply.arrivals if abs(moment - at) < length]
    free = max(0, len(there) - len(near))
    if advisor is not None:
        return int(free > 0 and advisor in there and advisor not in near)
    return free


def starts_of_day(calendar: Calendar, day: date, step: int) -> Iterator[datetime]:
    """The arrival times offered on a day: every ``step`` minutes from each opening on."""
    for opens, closes in calendar.spans(day, 1):
        at = opens
        while at < closes:
            yield at
            at += timedelta(minutes=step)


def main_cause(options: Sequence[Option]) -> Cause | None:
    """The reason that stands most often in the way of a day without a free time; what has passed doesn't count."""
    causes = Counter(o.cause for o in options if o.cause is not None and o.cause.code != "past")
    if not causes:
        return options[-1].cause if options else None
    telling = {cause: n for cause, n in causes.items() if cause.code != "closing"} or causes
    return max(telling, key=lambda cause: telling[cause])


def choose(supply: Supply, option: Option) -> list[tuple[int, Span]]:
    """Bay and person for each step: the same as before where they can, else the first bay and the least busy person."""
    chosen: list[tuple[int, Span]] = []
    bay: Bay | None = None
    person: Person | None = None
    for step in option.steps:
        bay = bay if bay in step.bays else step.bays[0]
        chosen += [(bay.id, piece) for piece in step.pieces]
        for piece, people in zip(step.pieces, step.people, strict=True):
            if person not in people:
                loads = {p.id: _load(supply, p.id, piece[0].date()) for p in people}
                least = min((load, pk) for pk, load in loads.items())[1]
                person = next(p for p in people if p.id == least)
            assert person is not None
            chosen.append((person.id, supply.shift_part(person.employee, piece) or piece))
    return chosen


def _load(supply: Supply, resource: int, day: date) -> float:
    return sum((end - start).total_seconds() for start, end in supply.busy.get(resource, []) if start.date() == day)


def due_step(steps: Iterable[timedelta], starts_at: datetime, known_at: datetime, now: datetime) -> timedelta | None:
    """The reminder that is due: the latest step that has come since the booking was known; none after the arrival."""
    if now >= starts_at:
        return None
    ladder = sorted(steps)
    come = [step for step in ladder if known_at <= starts_at - step <= now]
    return come[0] if come else None


def is_quiet(minute: int, quiet_from: int, quiet_to: int) -> bool:
    """Whether a minute of the day lies in the quiet hours, which may reach over midnight."""
    if quiet_from <= quiet_to:
        return quiet_from <= minute < quiet_to
    return minute >= quiet_from or minute < quiet_to


def car_part(side: str, x: int, y: int) -> str:
    """The part of the car under a mark (2.1.2), by the drawing of ``templates/reception/sketch.html``.

    ``x`` and ``y`` are thousandths of that side. Both long sides are drawn with the front up and the roof outwards;
    front and rear as somebody sees them who stands over the car, so left on paper is the left of the car.
    """
    if side == "TOP":
        for below, part in ((230, "BONNET"), (375, "WINDSCREEN"), (750, "ROOF"), (905, "REAR_WINDOW")):
            if y < below:
                return part
        return "BOOT_LID"
    if side in ("FRONT", "REAR"):
        return _end_part(side, x, y)
    hand, out = (side, 1000 - x) if side == "LEFT" else (side, x)  # out: from the sill to the roof
    for place, down in (("FRONT", 183), ("REAR", 817)):
        if ((y - down) * 0.35) ** 2 + ((out - 255) * 0.11) ** 2 <= 25**2:
            return f"{hand}_{place}_WHEEL"
    if y < 285:
        return f"{hand}_FRONT_WING"
    if y >= 745:
        return f"{hand}_REAR_WING"
    place = "FRONT" if y < 515 else "REAR"
    return f"{hand}_{place}_WINDOW" if out > 420 else f"{hand}_{place}_DOOR"


def _end_part(side: str, x: int, y: int) -> str:
    lamp = "LAMP" if side == "FRONT" else "TAIL_LAMP"
    if 200 <= y < 750:
        if x < 300:
            return f"LEFT_{lamp}"
        if x >= 700:
            return f"RIGHT_{lamp}"
    if side == "FRONT":
        return "GRILLE" if y < 500 else "FRONT_BUMPER"
    return "BOOT_LID" if y < 450 else "REAR_BUMPER"
