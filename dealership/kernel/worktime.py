"""Working time: opening hours, holidays and make-up days, working days, and clocks that pause (2.2.1, 2.4, 6.4).

Two calendars are two things. A *shop calendar* says when a store is open, usually at weekends too; appointments,
promised times and answers to customers run by it. The *statutory calendar* says which days count as working days in
China (public holidays and 调休 make-up days); the legal clocks ("within 10 working days") run by it.

Moments are aware; a naive datetime is refused with ValueError. Results are in the calendar's time zone. Durations are
exact: a shift across lunch, a holiday or a make-up day counts to the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import chinese_calendar

DEFAULT_ZONE = "Asia/Shanghai"
FIRST_STATUTORY_YEAR = 2020
LONGEST_CLOSURE = timedelta(days=400)

Hours = tuple[tuple[int, int], ...]
"""Opening spans of one day as minutes after midnight, in order: ((510, 720), (780, 1050)). () is closed."""

CLOSED: Hours = ()


def hours(*spans: str) -> Hours:
    """Opening spans of a day: ``hours("08:30-12:00", "13:00-17:30")``; "24:00" is the end of the day.

    Raises ValueError where a span ends before it begins or overlaps the one before it.
    """
    read = []
    for span in spans:
        match = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])-([0-9]{1,2}):([0-5][0-9])", span)
        if match is None:
            raise ValueError(f"Hours are written 08:30-12:00, not {span!r}.")
        start_hour, start_minute, end_hour, end_minute = (int(part) for part in match.groups())
        read.append((start_hour * 60 + start_minute, end_hour * 60 + end_minute))
    return _checked(tuple(read))


def _checked(spans: Hours) -> Hours:
    last = 0
    for start, end in spans:
        if not last <= start < end <= 24 * 60:
            raise ValueError("Opening spans lie within one day, in order and apart.")
        last = end
    return spans


def _require_aware(*moments: datetime) -> None:
    if any(moment.utcoffset() is None for moment in moments):
        raise ValueError("A moment needs a time zone.")


@dataclass(frozen=True)
class Calendar:
    """Weekly opening hours (Monday first) in a time zone; ``exceptions`` give a date its own hours, () for closed."""

    week: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
    exceptions: Mapping[date, Hours] = field(default_factory=dict)
    zone: str = DEFAULT_ZONE

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("A week has seven days.")
        for spans in (*self.week, *self.exceptions.values()):
            _checked(spans)
        ZoneInfo(self.zone)

    def hours_on(self, day: date) -> Hours:
        """The opening spans of a date."""
        special = self.exceptions.get(day)
        return self.week[day.weekday()] if special is None else special

    def spans(self, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Opening spans of ``days`` dates from ``first`` on, as moments in the calendar's time zone."""
        zone = ZoneInfo(self.zone)
        for offset in range(days):
            day = first + timedelta(days=offset)
            midnight = datetime(day.year, day.month, day.day)
            for start, end in self.hours_on(day):
                yield (
                    (midnight + timedelta(minutes=start)).replace(tzinfo=zone),
                    (midnight + timedelta(minutes=end)).replace(tzinfo=zone),
                )

    def local_day(self, at: datetime) -> date:
        """The date at the store."""
        _require_aware(at)
        return at.astimezone(ZoneInfo(self.zone)).date()

    def is_open(self, at: datetime) -> bool:
        """Whether the moment lies in an opening span; its first moment does, its last doesn't."""
        return any(start <= at < end for start, end in self.spans(self.local_day(at), 1))

    def next_open(self, at: datetime) -> datetime:
        """``at`` itself when open, else the next opening. ValueError after ``LONGEST_CLOSURE`` without one."""
        for start, end in self.spans(self.local_day(at), LONGEST_CLOSURE.days):
            if at < end:
                return max(start, at.astimezone(start.tzinfo))
        raise ValueError("The calendar does not open again.")

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Opening time between two moments; zero where ``end`` is not after ``start``."""
        _require_aware(start, end)
        if end <= start:
            return timedelta(0)
        first = self.local_day(start)
        days = (self.local_day(end) - first).days + 1
        total = timedelta(0)
        for opens, closes in self.spans(first, days):
            total += max(_elapsed(max(opens, start), min(closes, end)), timedelta(0))
        return total

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Whole opening minutes between two moments."""
        return self.working_time_between(start, end) // timedelta(minutes=1)

    def add_working_time(self, start: datetime, duration: timedelta) -> datetime:
        """The moment when ``duration`` of opening time has passed since ``start``: the earliest one.

        Four hours from 08:30 with lunch at 12:30 end at 12:30, not at 13:30. Zero gives ``start``. Raises ValueError
        for a negative duration and where the calendar stays closed for ``LONGEST_CLOSURE``.
        """
        if duration < timedelta(0):
            raise ValueError("A duration is not negative.")
        first = self.local_day(start)
        if not duration:
            return start.astimezone(ZoneInfo(self.zone))
        left, day, closed_for = duration, first, 0
        while closed_for < LONGEST_CLOSURE.days:
            spans = list(self.spans(day, 1))
            for opens, closes in spans:
                begin = max(opens, start.astimezone(opens.tzinfo))
                length = _elapsed(begin, closes)
                if length >= left:
                    return (begin.astimezone(UTC) + left).astimezone(opens.tzinfo)
                left -= max(length, timedelta(0))
            closed_for = 0 if spans else closed_for + 1
            day += timedelta(days=1)
        raise ValueError("The calendar does not open again.")

    def add_working(self, start: datetime, minutes: int) -> datetime:
        """``add_working_time`` in whole minutes."""
        return self.add_working_time(start, timedelta(minutes=minutes))

    def is_working_day(self, day: date) -> bool:
        """Whether the date has any opening hours."""
        return bool(self.hours_on(day))

    def add_working_days(self, day: date, days: int) -> date:
        """The date of the ``days``-th working day after ``day``, which itself is not counted; zero gives ``day``."""
        if days < 0:
            raise ValueError("Working days are not negative.")
        closed_for = 0
        while days:
            day += timedelta(days=1)
            closed_for = 0 if self.is_working_day(day) else closed_for + 1
            days -= closed_for == 0
            if closed_for > LONGEST_CLOSURE.days:
                raise ValueError("The calendar does not open again.")
        return day

    def working_days_between(self, day: date, until: date) -> int:
        """Working days after ``day`` up to and including ``until``; zero where ``until`` is not later."""
        return sum(self.is_working_day(day + timedelta(days=n)) for n in range(1, (until - day).days + 1))

    def end_of_working_days(self, start: datetime, days: int) -> datetime:
        """The end (24:00) of the ``days``-th working day after the day of ``start``: the legal clocks' last moment."""
        last = self.add_working_days(self.local_day(start), days) + timedelta(days=1)
        return datetime(last.year, last.month, last.day, tzinfo=ZoneInfo(self.zone))


def _elapsed(start: datetime, end: datetime) -> timedelta:
    """Real time between two moments; two moments of one zone would otherwise be subtracted by their wall clocks."""
    return end.astimezone(UTC) - start.astimezone(UTC)


def every_day(spans: Hours, *, exceptions: Mapping[date, Hours] | None = None, zone: str = DEFAULT_ZONE) -> Calendar:
    """A shop that opens all seven days with the same hours."""
    return Calendar((spans,) * 7, MappingProxyType(dict(exceptions or {})), zone)


# --- The statutory calendar -----------------------------------------------------------------------------------------


class DayKind(StrEnum):
    WORKING = "WORKING"
    WEEKEND = "WEEKEND"
    HOLIDAY = "HOLIDAY"
    MAKE_UP = "MAKE_UP"


@dataclass(frozen=True, slots=True)
class StatutoryDay:
    """What a date is by law. ``official`` is False where the year's list is not yet known and weekends are a guess."""

    day: date
    kind: DayKind
    name: str
    official: bool

    @property
    def is_working(self) -> bool:
        return self.kind in {DayKind.WORKING, DayKind.MAKE_UP}


def statutory_day(day: date) -> StatutoryDay:
    """The day by the State Council's list: public holiday with its English name, 调休 make-up day, or ordinary.

    Beyond the known lists weekends are free, and ``official`` is False.
    """
    weekend = day.weekday() >= 5
    ordinary = DayKind.WEEKEND if weekend else DayKind.WORKING
    if not _is_listed(day.year):
        return StatutoryDay(day, ordinary, "", official=False)
    free, name = chinese_calendar.get_holiday_detail(day)
    if free:
        named = name if name and name in _HOLIDAY_NAMES else ""
        return StatutoryDay(day, DayKind.HOLIDAY if named else ordinary, named, official=True)
    return StatutoryDay(day, DayKind.MAKE_UP if weekend else DayKind.WORKING, name if weekend else "", official=True)


_HOLIDAY_NAMES = frozenset(holiday.value for holiday in chinese_calendar.Holiday)


@cache
def _is_listed(year: int) -> bool:
    if year < FIRST_STATUTORY_YEAR:
        return False
    try:
        chinese_calendar.get_holiday_detail(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@cache
def official_until() -> date:
    """The last date of the last year whose official list is known."""
    year = FIRST_STATUTORY_YEAR
    while _is_listed(year + 1):
        year += 1
    return date(year, 12, 31)


@cache
def statutory_calendar(day_hours: Hours = ((540, 720), (780, 1080))) -> Calendar:
    """The statutory working days with office hours (09:00–12:00, 13:00–18:00 unless given).

    Dates after ``official_until()`` fall back to plain weekends; whoever shows such a due date says that the
    official list is not yet known.
    """
    exceptions: dict[date, Hours] = {}
    day = date(FIRST_STATUTORY_YEAR, 1, 1)
    while day <= official_until():
        known = statutory_day(day)
        if known.kind is DayKind.MAKE_UP:
            exceptions[day] = day_hours
        elif known.kind is DayKind.HOLIDAY:
            exceptions[day] = CLOSED
        day += timedelta(days=1)
    return Calendar((day_hours,) * 5 + (CLOSED,) * 2, MappingProxyType(exceptions))


# --- Clocks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a clock stands; ``end`` is None while it still does."""

    start: datetime
    end: datetime | None = None

    def __post_init__(self) -> None:
        _require_aware(self.start, *([self.end] if self.end else []))
        if self.end is not None and self.end < self.start:
            raise ValueError("A pause ends after it begins.")


@dataclass(frozen=True)
class Sla:
    """One clock: so much time from a start, in opening time of a calendar or, without one, in elapsed time.

    Nothing here is stored; breach is computed, never typed (2.2.1). Pauses may overlap and come in any order.
    """

    started_at: datetime
    limit: timedelta
    calendar: Calendar | None = None
    pauses: tuple[Pause, ...] = ()

    def __post_init__(self) -> None:
        _require_aware(self.started_at)
        if self.limit < timedelta(0):
            raise ValueError("A limit is not negative.")

    def _runs(self) -> Iterator[tuple[datetime, datetime | None]]:
        """The times in which the clock runs; the last has no end, and is missing while the clock stands."""
        begin = self.started_at
        for pause in sorted(self.pauses, key=lambda pause: pause.start):
            if pause.start > begin:
                yield begin, pause.start
            if pause.end is None:
                return
            begin = max(begin, pause.end)
        yield begin, None

    def _between(self, start: datetime, end: datetime) -> timedelta:
        if self.calendar is not None:
            return self.calendar.working_time_between(start, end)
        return max(_elapsed(start, end), timedelta(0))

    @property
    def due_at(self) -> datetime | None:
        """The last moment in time; None while a pause without an end holds the clock before it."""
        left = self.limit
        for start, end in self._runs():
            if end is not None:
                run = self._between(start, end)
                if run < left:
                    left -= run
                    continue
            if self.calendar is not None:
                return self.calendar.add_working_time(start, left)
            return (start.astimezone(UTC) + left).astimezone(start.tzinfo)
        return None

    def used(self, at: datetime) -> timedelta:
        """Time on the clock at a moment."""
        _require_aware(at)
        total = timedelta(0)
        for start, end in self._runs():
            total += self._between(start, at if end is None else min(end, at))
        return total

    def remaining(self, now: datetime, met_at: datetime | None = None) -> timedelta:
        """Time left, negative when overdue; it stands still once met."""
        return self.limit - self.used(now if met_at is None else met_at)

    def breached(self, now: datetime, met_at: datetime | None = None) -> bool:
        """Whether the due moment has passed unmet. Meeting it at the due moment itself is in time."""
        _require_aware(now)
        due = self.due_at
        return due is not None and (now if met_at is None else met_at) > due
