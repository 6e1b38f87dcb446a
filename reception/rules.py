"""Arithmetic of booking: what a job needs, who and what is free, and why a time doesn't work (2.4). No tables here.

One *need* is a stretch of work on one kind of bay by one person, perhaps with a special tool; a job is its needs one
after the other, after the reception and before inspection and wash. Lunch breaks and nights don't count as work; what
is needed before and after lunch is held over it, but not over a night. A loan car is held from arrival to hand-over.

Inside, moments are whole minutes since 1970 (UTC) and a resource's day is a number with one bit for each taken minute,
so that a fortnight of a large store is looked through in milliseconds; outside, moments are aware datetimes.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dealership.kernel.worktime import Calendar

Span = tuple[datetime, datetime]
ALSO_DO = {"QUICK_LUBE": ("STANDARD_LIFT",)}
"""Kinds of bays on which the work of another kind can be done too, taken after its own."""
ROOM_AHEAD = 7
"""Working days after the last one asked about into which a job may reach."""
LONGEST_CLOSURE = 60
CARRIED_DAYS = 2
"""Work that waits in the shop counts on today and the next working day; after that it is planned or done."""


def minute_of_epoch(at: datetime) -> int:
    """Whole minutes since 1970, rounded down."""
    return int(at.timestamp() // 60)


@dataclass(frozen=True, slots=True)
class Need:
    """Work of ``minutes`` on a bay with ``capability`` by somebody with ``skill`` at ``level`` (None: anybody).

    ``tool`` is the kind of special tool that is used for the whole stretch ("": none).
    """

    capability: str
    skill: int | None
    level: int
    minutes: int
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Bay:
    """A bay, or one of the places of a bay that takes several cars.

    Of those the first one is taken while one car or more is there, the second one from two on (``Supply.take``): the
    free ones say how many more cars it takes. ``part_of`` is the bay itself, None where it takes one.
    """

    id: int
    capability: str
    name: str
    part_of: int | None = None

    @property
    def resource(self) -> int:
        return self.id if self.part_of is None else self.part_of


def places_of(resource: int, capability: str, name: str, capacity: int) -> list[Bay]:
    """A bay with its places; those after the first have negative ids, which no resource has."""
    if capacity == 1:
        return [Bay(resource, capability, name)]
    more = [Bay(-(resource * 10 + n), capability, name, resource) for n in range(1, capacity)]
    return [Bay(resource, capability, name, resource), *more]


@dataclass(frozen=True, slots=True)
class Tool:
    """A special tool of a kind, or a loan car (kind "")."""

    id: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the plan; ``skills`` gives the level by skill and ``valid`` the last day of its certificate.

    ``efficiency`` is standard minutes done in 100 minutes of presence.
    """

    id: int
    employee: int
    name: str
    skills: Mapping[int, int]
    valid: Mapping[int, date]
    efficiency: int = 100

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


class Piece(NamedTuple):
    """The part of a stretch that lies on one day of the line: its number, and minutes from ``start`` to ``end``."""

    day: int
    start: int
    end: int


class Line:
    """The opening minutes of a calendar from ``first`` on, laid end to end.

    It reaches ``ROOM_AHEAD`` working days past the ``days`` asked about, holidays between them not counted.
    """

    def __init__(self, calendar: Calendar, first: date, days: int) -> None:
        self.zone, self.first, self.asked = ZoneInfo(calendar.zone), first, days
        self.names: list[date] = []
        self.midnights: list[int] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.before: list[int] = []
        self.owners: list[int] = []
        self.open_masks: list[int] = []
        room, total, n = ROOM_AHEAD, 0, 0
        while n < days + LONGEST_CLOSURE and (n < days or room):
            day = first + timedelta(days=n)
            base = minute_of_epoch(datetime(day.year, day.month, day.day, tzinfo=self.zone))
            mask = 0
            for opens, closes in calendar.spans(day, 1):
                start, end = minute_of_epoch(opens), minute_of_epoch(closes)
                self.starts.append(start)
                self.ends.append(end)
                self.before.append(total)
                self.owners.append(n)
                total += end - start
                mask |= bits(start - base, end - base)
            room -= n >= days and bool(mask)
            self.names.append(day)
            self.midnights.append(base)
            self.open_masks.append(mask)
            n += 1
        self.total = total
        last = first + timedelta(days=n)
        self.end = minute_of_epoch(datetime(last.year, last.month, last.day, tzinfo=self.zone))

    def moment(self, minute: int) -> datetime:
        return datetime.fromtimestamp(minute * 60, UTC).astimezone(self.zone)

    def number(self, minute: int) -> int:
        """The day's number on the line; ValueError outside it."""
        if not self.midnights or not self.midnights[0] <= minute < self.end:
            raise ValueError("That moment lies outside the days that were asked about.")
        return bisect_right(self.midnights, minute) - 1

    def opening(self, minute: int) -> int | None:
        """The index of the opening span in which a minute lies."""
        n = bisect_right(self.starts, minute) - 1
        return n if n >= 0 and minute < self.ends[n] else None

    def worked(self, minute: int) -> int:
        """Opening minutes on the line before a minute."""
        n = bisect_right(self.starts, minute) - 1
        return 0 if n < 0 else self.before[n] + min(minute, self.ends[n]) - self.starts[n]

    def next_open(self, minute: int) -> int | None:
        """The minute itself when open, else the next opening; None past the line."""
        n = bisect_right(self.starts, minute) - 1
        if n >= 0 and minute < self.ends[n]:
            return minute
        return self.starts[n + 1] if n + 1 < len(self.starts) else None

    def add(self, minute: int, length: int) -> int | None:
        """The earliest minute at which ``length`` opening minutes have passed; None past the line."""
        if not length:
            return minute
        goal = self.worked(minute) + length
        if goal > self.total:
            return None
        n = bisect_right(self.before, goal - 1) - 1
        return self.starts[n] + goal - self.before[n]

    def pieces(self, start: int, end: int) -> tuple[Piece, ...]:
        """The days' pieces of a stretch: on each day from its first to its last opening minute."""
        found: dict[int, Piece] = {}
        n = max(0, bisect_right(self.starts, start) - 1)
        while n < len(self.starts) and self.starts[n] < end:
            begin, stop, day = max(self.starts[n], start), min(self.ends[n], end), self.owners[n]
            if begin < stop:
                found[day] = Piece(day, found[day].start if day in found else begin, stop)
            n += 1
        return tuple(found.values())

    def minutes_of(self, day: int) -> int:
        """Opening minutes of a day."""
        return self.open_masks[day].bit_count()

    def mask(self, piece: Piece) -> int:
        base = self.midnights[piece.day]
        return bits(piece.start - base, piece.end - base)

    def cut(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """A stretch of clock time as (day, mask), clipped to the line; nights belong to it."""
        start, end = max(start, self.midnights[0]), min(end, self.end)
        if start >= end:
            return
        day = self.number(start)
        while start < end:
            base = self.midnights[day]
            stop = self.midnights[day + 1] if day + 1 < len(self.midnights) else self.end
            yield day, bits(start - base, min(end, stop) - base)
            start, day = stop, day + 1


def bits(start: int, end: int) -> int:
    """Ones from bit ``start`` up to, not including, ``end``."""
    return ((1 << (end - start)) - 1) << start if end > start else 0


@dataclass
class Supply:
    """What a store has on a line of days; times are taken with ``take``.

    ``shifts`` maps (employee, day) to working hours, ``advisors`` a day to its advisors, ``arrivals`` are the minutes
    at which booked cars come with their advisor (None: whoever is free). ``waiting`` is agreed work in the shop that
    nobody has planned yet; it comes before new bookings on today and the next working day. ``parts_on`` is the day on
    which the job's parts will be there, None where they are or nobody knows.
    """

    line: Line
    bays: list[Bay]
    people: list[Person]
    shifts: Mapping[tuple[int, date], Span]
    advisors: Mapping[date, list[int]]
    times: Times
    tools: list[Tool] = field(default_factory=list)
    loan_cars: list[Tool] = field(default_factory=list)
    arrivals: Iterable[tuple[int, int | None]] = ()
    waiting: Sequence[Need] = ()
    parts_on: date | None = None

    def __post_init__(self) -> None:
        self._busy: dict[tuple[int, int], int] = {}
        self._booked: dict[tuple[int, int], int] = {}
        self._blocked: dict[tuple[int, int], int] = {}
        self._able: dict[tuple[int | None, int, int], list[tuple[Person, int, int, int]]] = {}
        self._left: dict[tuple[object, ...], int] = {}
        self._receiving: dict[int, list[tuple[int, int, int]]] = {}
        self._near: dict[int, list[tuple[int, int | None]]] = {}
        self._places: dict[int, list[int]] = {}
        for bay in self.bays:
            if bay.part_of is not None:
                self._places.setdefault(bay.part_of, []).append(bay.id)
        for minute, who in self.arrivals:
            if self.line.midnights[0] <= minute < self.line.end:
                self._near.setdefault(self.line.number(minute), []).append((minute, who))

    def take(self, resource: int, start: int, end: int, *, booking: bool = False, blocked: bool = False) -> None:
        """Marks a resource as taken between two minutes of the epoch.

        ``booking``: an appointment has it. ``blocked``: it isn't there at all. In a bay that takes several cars it is
        one more car there, and a block takes all of it.
        """
        day = bisect_right(self.line.midnights, start) - 1
        base, nights = self.line.midnights[day], self.line.midnights
        if day >= 0 and day + 1 < len(nights) and end <= nights[day + 1]:
            pieces: Iterable[tuple[int, int]] = ((day, bits(start - base, end - base)),)
        else:
            pieces = self.line.cut(start, end)
        places = self._places.get(resource)
        for day, mask in pieces:
            if places is not None:
                self._crowd(self._busy, places, day, mask, all_of_it=blocked)
                if booking:
                    self._crowd(self._booked, places, day, mask)
                continue
            key = (resource, day)
            self._busy[key] = self._busy.get(key, 0) | mask
            if booking:
                self._booked[key] = self._booked.get(key, 0) | mask
            if blocked:
                self._blocked[key] = self._blocked.get(key, 0) | mask

    @staticmethod
    def _crowd(
        taken: dict[tuple[int, int], int], places: list[int], day: int, mask: int, *, all_of_it: bool = False
    ) -> None:
        """One more car: minutes at which a place is taken already fall to the next one."""
        for place in places:
            before = taken.get((place, day), 0)
            taken[place, day] = before | mask
            if not all_of_it:
                mask &= before

    def taken(self, resource: int, day: int) -> int:
        return self._busy.get((resource, day), 0)

    def booked(self, resource: int, day: int) -> int:
        """Opening minutes of a day that appointments have."""
        return (self._booked.get((resource, day), 0) & self.line.open_masks[day]).bit_count()

    def is_free(self, resource: int, pieces: Iterable[tuple[int, int]]) -> bool:
        """Whether none of the (day, mask) pieces is taken."""
        return not any(self._busy.get((resource, day), 0) & mask for day, mask in pieces)

    def able(self, need: Need, day: int) -> list[tuple[Person, int, int, int]]:
        """Who can do it and works that day, with the shift's first and last minute and its mask."""
        key = (need.skill, need.level if need.skill is not None else 0, day)
        if key not in self._able:
            name, base = self.line.names[day], self.line.midnights[day]
            rows = []
            for person in self.people:
                shift = self.shifts.get((person.employee, name))
                if shift is not None and person.can(need, name):
                    start, end = minute_of_epoch(shift[0]), minute_of_epoch(shift[1])
                    rows.append((person, start, end, bits(start - base, end - base)))
            self._able[key] = rows
        return self._able[key]

    def receiving(self, day: int) -> list[tuple[int, int, int]]:
        """Advisors of a day with first and last minute of their shift."""
        if day not in self._receiving:
            name = self.line.names[day]
            shifts = [(who, self.shifts.get((who, name))) for who in self.advisors.get(name, [])]
            self._receiving[day] = [
                (who, minute_of_epoch(shift[0]), minute_of_epoch(shift[1])) for who, shift in shifts if shift
            ]
        return self._receiving[day]

    def coming(self, day: int) -> list[tuple[int, int | None]]:
        """Minute and advisor of the cars that are expected on a day."""
        return self._near.get(day, [])

    def load(self, resource: int, day: int) -> int:
        return self._busy.get((resource, day), 0).bit_count()

    # what is left of a day in minutes, after efficiency and the work that waits

    def hours_left(self, need: Need, day: int, now: int) -> int:
        """Standard minutes that the people who can do it still have on a day, waiting work taken off."""
        key = ("hours", need.skill, need.level if need.skill is not None else 0, day)
        if key not in self._left:
            ahead = self._ahead(day, now)
            left = 0
            for person, _start, _end, shift in self.able(need, day):
                there = shift & self.line.open_masks[day] & ahead & ~self._blocked.get((person.id, day), 0)
                left += there.bit_count() * person.efficiency // 100 - (there & self.taken(person.id, day)).bit_count()
            self._left[key] = left - self.carried("hours", need, day, now)
        return self._left[key]

    def bays_left(self, need: Need, day: int, now: int) -> int:
        """Opening minutes that the bays for it still have on a day, waiting work taken off."""
        key = ("bays", need.capability, day)
        if key not in self._left:
            ahead = self._ahead(day, now) & self.line.open_masks[day]
            left = sum((ahead & ~self.taken(bay.id, day)).bit_count() for bay in fitting_bays(self.bays, need))
            self._left[key] = left - self.carried("bays", need, day, now)
        return self._left[key]

    def _ahead(self, day: int, now: int) -> int:
        """The minutes of a day that haven't passed."""
        gone = now - self.line.midnights[day]
        return -1 << gone if gone > 0 else -1

    def carried(self, what: str, need: Need, day: int, now: int) -> int:
        """Minutes of waiting work that fall on a day, by skill (``hours``) or kind of bay (``bays``).

        What today can't take spills on to the next working day.
        """
        if what == "hours":
            backlog = sum(w.minutes for w in self.waiting if w.skill == need.skill)
        else:
            backlog = sum(w.minutes for w in self.waiting if w.capability == need.capability)
        if not backlog or not self.line.midnights[0] <= now < self.line.end:
            return 0
        today = self.line.number(now)
        working = [n for n in range(today, len(self.line.names)) if self.line.open_masks[n]][:CARRIED_DAYS]
        if day not in working:
            return 0
        if day == working[0]:
            return backlog
        left = self.hours_left if what == "hours" else self.bays_left
        return max(0, -left(need, working[0], now))


@dataclass(frozen=True, slots=True)
class Step:
    """One need in time: a piece per day, the bays and tools that could be used, and who could do each piece."""

    need: Need
    pieces: tuple[Piece, ...]
    bays: tuple[Bay, ...]
    people: tuple[tuple[Person, ...], ...]
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a time doesn't work.

    ``code``: closed, past, closing, too_long, no_bay, bay, no_person, person, no_tool, tool, no_loan_car, loan_car,
    advisor, walk_ins, hours, carried or parts.
    """

    code: str
    capability: str = ""
    skill: int | None = None
    level: int = 0
    tool: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """An arrival at ``at``: ``count`` cars could still be taken then; 0 has a ``cause``."""

    at: datetime
    count: int
    cause: Cause | None = None
    work_at: datetime | None = None
    ready_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    loan_cars: tuple[Tool, ...] = ()


def fitting_bays(bays: Sequence[Bay], need: Need) -> list[Bay]:
    """The bays on which a need can be done, its own kind first."""
    kinds = (need.capability, *ALSO_DO.get(need.capability, ()))
    return sorted((bay for bay in bays if bay.capability in kinds), key=lambda bay: kinds.index(bay.capability))


def option_at(
    supply: Supply,
    needs: Sequence[Need],
    at: datetime,
    *,
    now: datetime,
    waits: bool = False,
    loan_car: bool = False,
    advisor: int | None = None,
) -> Option:
    """What an arrival at ``at`` would come to.

    ``waits``: the customer stays, so the car is ready on that day. ``loan_car``: one is lent until the car is ready.
    """
    line, times = supply.line, supply.times
    minute = minute_of_epoch(at)
    if line.opening(minute) is None:
        return Option(at, 0, Cause("closed"))
    if at <= now:
        return Option(at, 0, Cause("past"))
    day = line.number(minute)
    if supply.parts_on is not None and line.names[day] < supply.parts_on:
        return Option(at, 0, Cause("parts", day=supply.parts_on))
    received = line.add(minute, times.reception)
    begin = None if received is None else line.next_open(received)
    moment = begin
    steps: list[tuple[Need, tuple[Piece, ...]]] = []
    for need in needs:
        start = None if moment is None else line.next_open(moment)
        moment = None if start is None else line.add(start, need.minutes)
        if start is None or moment is None:
            return Option(at, 0, Cause("too_long"))
        steps.append((need, line.pieces(start, moment)))
    ready = None if moment is None else line.add(moment, times.after)
    if begin is None or ready is None:
        return Option(at, 0, Cause("too_long"))
    total = times.reception + sum(need.minutes for need in needs) + times.after
    if line.number(ready) != day and (waits or total <= line.minutes_of(day)):
        return Option(at, 0, Cause("closing"))
    count = advisors_free(supply, at, advisor)
    if not count:
        return Option(at, 0, Cause("advisor"))
    found: list[Step] = []
    mine: Counter[tuple[object, ...]] = Counter()
    for need, pieces in steps:
        step, cause = _staffed(supply, need, pieces, mine, now=minute_of_epoch(now))
        if cause is not None:
            return Option(at, 0, cause)
        count = min(count, len(step.bays), *(len(people) for people in step.people))
        if need.tool:
            count = min(count, len(step.tools))
        found.append(step)
    cars: tuple[Tool, ...] = ()
    if loan_car:
        whole = list(line.cut(minute, ready))
        cars = tuple(car for car in supply.loan_cars if supply.is_free(car.id, whole))
        if not cars:
            return Option(at, 0, Cause("loan_car" if supply.loan_cars else "no_loan_car"))
        count = min(count, len(cars))
    return Option(at, count, None, line.moment(begin), line.moment(ready), tuple(found), cars)


def _staffed(
    supply: Supply, need: Need, pieces: tuple[Piece, ...], mine: Counter[tuple[object, ...]], *, now: int
) -> tuple[Step, Cause | None]:
    """``mine`` adds up the minutes that this job itself takes of each kind of bay, skill and day."""
    line = supply.line
    masks = [(piece.day, line.mask(piece)) for piece in pieces]
    able = fitting_bays(supply.bays, need)
    bays = tuple(bay for bay in able if supply.is_free(bay.id, masks))
    several = len(pieces) > 1
    skilled = [_on_duty(supply, need, piece, most=several) for piece in pieces]
    people = tuple(
        tuple(person for person in there if not supply.taken(person.id, day) & mask)
        for (day, mask), there in zip(masks, skilled, strict=True)
    )
    kind = [tool for tool in supply.tools if tool.kind == need.tool] if need.tool else []
    tools = tuple(tool for tool in kind if supply.is_free(tool.id, masks))
    step = Step(need, pieces, bays, people, tools)
    person = (need.capability, need.skill, need.level, need.tool)
    if not able:
        return step, Cause("no_bay", need.capability)
    if not bays:
        return step, Cause("bay", need.capability)
    if need.tool and not tools:
        return step, Cause("tool" if kind else "no_tool", need.capability, tool=need.tool)
    if not all(skilled):
        return step, Cause("no_person", *person)
    if not all(people):
        return step, Cause("person", *person)
    for day, mask in masks:
        minutes = (mask & line.open_masks[day]).bit_count()
        mine["bays", need.capability, day] += minutes
        mine["hours", need.skill, day] += minutes
        carried = supply.carried("hours", need, day, now)
        if carried or any(p.efficiency < 100 for p, *_shift in supply.able(need, day)):
            left = supply.hours_left(need, day, now)
            if mine["hours", need.skill, day] > left:
                waits = mine["hours", need.skill, day] <= left + carried
                return step, Cause("carried" if waits else "hours", *person)
        if supply.carried("bays", need, day, now) and (
            mine["bays", need.capability, day] > supply.bays_left(need, day, now)
        ):
            return step, Cause("carried", *person)
        if line.midnights[day] <= now:  # what is left on the day itself is given away
            continue
        open_minutes = line.minutes_of(day) * len(able)
        taken = sum(supply.booked(bay.id, day) for bay in able)
        if taken and (taken + mine["bays", need.capability, day]) * 100 > open_minutes * (100 - supply.times.walk_ins):
            return step, Cause("walk_ins", need.capability)
    return step, None


def _on_duty(supply: Supply, need: Need, piece: Piece, *, most: bool) -> list[Person]:
    """Who can do a piece within the shift, or with ``most`` (work over several days) at least half of it."""
    found = []
    for person, start, end, _mask in supply.able(need, piece.day):
        part = min(end, piece.end) - max(start, piece.start)
        if part == piece.end - piece.start or (most and part > 0 and part * 2 >= piece.end - piece.start):
            found.append(person)
    return found


def advisors_free(supply: Supply, at: datetime, advisor: int | None = None) -> int:
    """How many more cars can be received at a moment; for one advisor 1 or 0."""
    minute, length = minute_of_epoch(at), supply.times.reception
    day = supply.line.number(minute)
    there = [who for who, start, end in supply.receiving(day) if start <= minute and minute + length <= end]
    near = [who for moment, who in supply.coming(day) if abs(moment - minute) < length]
    free = max(0, len(there) - len(near))
    if advisor is not None:
        return int(free > 0 and advisor in there and advisor not in near)
    return free


def starts_of_day(line: Line, day: date, step: int) -> Iterator[datetime]:
    """The arrival times offered on a day: every ``step`` minutes from each opening on."""
    number = (day - line.first).days
    for start, end, owner in zip(line.starts, line.ends, line.owners, strict=True):
        if owner == number:
            for minute in range(start, end, step):
                yield line.moment(minute)


def main_cause(options: Sequence[Option]) -> Cause | None:
    """The reason that stands most often in the way of a day without a free time; what has passed doesn't count."""
    causes = Counter(o.cause for o in options if o.cause is not None and o.cause.code != "past")
    if not causes:
        return options[-1].cause if options else None
    telling = {cause: n for cause, n in causes.items() if cause.code not in ("closing", "too_long")} or causes
    return max(telling, key=lambda cause: telling[cause])


def choose(supply: Supply, option: Option) -> list[tuple[int, Span]]:
    """Bay, person and tool for each step: the same as before where they can, else the first bay and the least busy
    person; and the loan car from arrival to hand-over."""
    line = supply.line
    chosen: list[tuple[int, Span]] = []
    bay: Bay | None = None
    person: Person | None = None
    for step in option.steps:
        bay = bay if bay in step.bays else step.bays[0]
        whole = [(line.moment(piece.start), line.moment(piece.end)) for piece in step.pieces]
        chosen += [(bay.resource, span) for span in whole]
        chosen += [(step.tools[0].id, span) for span in whole if step.tools]
        for piece, people in zip(step.pieces, step.people, strict=True):
            if person not in people:
                person = min(people, key=lambda p: (supply.load(p.id, piece.day), p.id))
            assert person is not None
            start, end = next((a, b) for p, a, b, _m in supply.able(step.need, piece.day) if p.id == person.id)
            chosen.append((person.id, (line.moment(max(start, piece.start)), line.moment(min(end, piece.end)))))
    if option.loan_cars and option.ready_at is not None:
        chosen.append((option.loan_cars[0].id, (option.at, option.ready_at)))
    return chosen


def due_step(steps: Iterable[timedelta], starts_at: datetime, known_at: datetime, now: datetime) -> timedelta | None:
    """The reminder that is due: the latest step that has come since the booking was known; none after the arrival."""
    if now >= starts_at:
        return None
    ladder = sorted(steps)
    come = [step for step in ladder if known_at <= starts_at - step <= now]
    return come[0] if come else None


def quiet_end(local: datetime, quiet_from: str, quiet_to: str) -> datetime | None:
    """When the quiet hours (12:30, 14:00; they may reach over midnight) that ``local`` lies in end; None outside (2.3).

    ``local`` is in the store's time zone, and so is the answer.
    """
    if not quiet_from or not quiet_to:
        return None
    start, end = ((int(hour[:2]) * 60 + int(hour[3:])) for hour in (quiet_from, quiet_to))
    minute = local.hour * 60 + local.minute
    if not is_quiet(minute, start, end):
        return None
    day = local.date() + timedelta(days=1 if minute >= end else 0)
    return datetime.combine(day, time(end // 60, end % 60), tzinfo=local.tzinfo)


def inspection_after(
    registered_on: date, today: date, *, inspections: Sequence[int], stickers: Sequence[int]
) -> tuple[date, bool]:
    """The next end of an inspection period from ``today`` on and whether the car is looked at then (年检) or only gets
    its sticker (2.3, domain 2.3).

    ``inspections`` and ``stickers`` are years after the first registration; after the last of them the car is
    inspected every year. A period ends with the last day of the month of registration.
    """
    years = sorted({*inspections, *stickers})
    age = 0
    while True:
        age = next((year for year in years if year > age), age + 1)
        year = registered_on.year + age
        due = date(year, registered_on.month, monthrange(year, registered_on.month)[1])
        if due >= today:
            return due, age not in stickers


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


# --- opening checklists (2.1.1) ---
USUAL_ITEMS: dict[str, tuple[tuple[str, bool], ...]] = {
    "DESK": (
        ("咨询台整洁，无杂物", True),
        ("资料架齐全，资料为现行版", False),
        ("座椅完好，摆放整齐", True),
        ("标识与价格公示牌清晰", True),
        ("防护三件套备足", False),
        ("单据与签字笔备足", False),
        ("平板已充电，能拍照", False),
        ("网络、打印机正常", False),
    ),
    "LOUNGE": (
        ("休息区整洁，座椅完好", True),
        ("饮水与茶点备好", False),
        ("卫生间干净，纸品充足", True),
        ("空调、电视、无线网正常", False),
    ),
    "OUTSIDE": (
        ("入口与接车区畅通", True),
        ("客户车位空出，标线清楚", True),
        ("指引标识完好", False),
        ("灯箱与照明正常", False),
    ),
}
"""Area → what is usually looked at before it opens (domain 2.1), and whether a photo shows what isn't in order."""
