"""When a car is due for what its maintenance plan asks for: pure arithmetic on its own history and its mileage (3.1).

Kilometres are whole, days are the store's. What a car needs first, after so many km or months, is what counts. Without
Django; held by ``tests/workshop/test_maintenance_rules.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

WINDOW_DAYS = 730
"""Readings older than this before the last one say nothing about how the car is driven now."""
LEAST_SPAN = 30
"""Days between two readings from which they tell a trend."""
LAST_DAY = date(9999, 12, 31)


class Standing(StrEnum):
    """How a piece of work stands, the most urgent first."""

    OVERDUE = "OVERDUE"
    DUE = "DUE"
    SOON = "SOON"
    UNKNOWN = "UNKNOWN"
    UNREAD = "UNREAD"
    LATER = "LATER"


URGENCY = {standing: place for place, standing in enumerate(Standing)}


@dataclass(frozen=True, slots=True)
class Interval:
    """What the plan says of one piece of work."""

    every_km: int | None = None
    every_months: int | None = None
    first_km: int | None = None
    first_months: int | None = None
    severe_km: int | None = None
    severe_months: int | None = None
    repeats: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    on: date
    km: int


@dataclass(frozen=True, slots=True)
class Done:
    """When it was last done; ``km`` None where nobody read the mileage then."""

    on: date
    km: int | None


@dataclass(frozen=True, slots=True)
class Trend:
    """``km`` is the mileage of today by the trend, ``per_year`` the km driven in a year; ``measured``: from readings;
    ``read``: somebody has read the instrument at all, else ``km`` says nothing."""

    km: int
    per_year: int
    measured: bool
    read: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """How near the point is at which work is due soon, and how far past it is overdue."""

    km: int
    days: int


@dataclass(frozen=True, slots=True)
class Due:
    """``due_km`` and ``due_on`` are the points that come by the plan, ``expected_on`` the day on which the first of them
    is reached as the car is driven now; ``first``: counted from the new car; ``every_…`` is what was counted with;
    ``sooner``: the plan's intervals for hard use were counted with, and they are shorter than the usual ones."""

    standing: Standing
    due_km: int | None
    due_on: date | None
    expected_on: date | None
    last: Done | None
    every_km: int | None
    every_months: int | None
    first: bool
    sooner: bool = False


def add_months(day: date, months: int) -> date:
    """The same day so many months later, the month's last one where it has no such day; no later than the calendar."""
    place = day.year * 12 + day.month - 1 + months
    year, month = place // 12, place % 12 + 1
    if year > LAST_DAY.year:
        return LAST_DAY
    following = date(year + month // 12, month % 12 + 1, 1) if (year, month) < (9999, 12) else LAST_DAY
    return date(year, month, min(day.day, (following - timedelta(days=1)).day))


def trend(readings: Iterable[Reading], *, today: date, usual_per_year: int) -> Trend:
    """How much the car is driven: from its readings since the instrument last went back, at least two that lie
    ``LEAST_SPAN`` days apart, of the last two years; else ``usual_per_year``. The mileage never goes back."""
    rows = sorted((r for r in readings if r.on <= today), key=lambda r: (r.on, r.km))
    if not rows:
        return Trend(0, usual_per_year, False, read=False)
    rising = [rows[-1]]
    for row in reversed(rows[:-1]):
        if row.km > rising[-1].km or (rows[-1].on - row.on).days > WINDOW_DAYS:
            break
        rising.append(row)
    last, first = rising[0], rising[-1]
    span = (last.on - first.on).days
    measured = span >= LEAST_SPAN
    per_year = (last.km - first.km) * 365 // span if measured else usual_per_year
    return Trend(last.km + per_year * (today - last.on).days // 365, per_year, measured)


def due(
    interval: Interval,
    *,
    last: Done | None,
    born: date | None,
    today: date,
    trend: Trend,
    window: Window,
    severe: bool = False,
) -> Due | None:
    """How the work stands. None where it is due once only and was done, or where nothing can be counted from.

    Without a record of it the points are counted from the new car (``born``: its first day, None where unknown). A point
    that was passed longer ago than ``window`` isn't called overdue then: whether it was done elsewhere is to be asked
    (UNKNOWN), and the next point is named.

    While nobody has read the mileage, kilometres say nothing: what isn't due by its months can't be told (UNREAD), and no
    kilometre point is named that was counted from zero.
    """
    every_km = interval.severe_km if severe and interval.severe_km else interval.every_km
    every_months = interval.severe_months if severe and interval.severe_months else interval.every_months
    shorter = (every_km, every_months) != (interval.every_km, interval.every_months)
    if last is not None:
        if not interval.repeats:
            return None
        due_km = last.km + every_km if every_km and last.km is not None else None
        due_on = add_months(last.on, every_months) if every_months else None
        if due_km is None and due_on is None:
            return None
        standing = _standing(due_km, due_on, today, trend, window)
        if every_km and not trend.read and standing == Standing.LATER:
            standing = Standing.UNREAD
        return Due(
            standing,
            due_km,
            due_on,
            _expected(due_km, due_on, today, trend),
            last,
            every_km,
            every_months,
            False,
            shorter,
        )
    first_km = interval.first_km or every_km
    first_months = interval.first_months or every_months
    passed = False
    due_km, due_on = None, None
    if first_km and trend.read:
        due_km, missed = _point_km(first_km, every_km if interval.repeats else None, trend.km, window.km)
        passed = passed or missed
    if first_months and born is not None:
        due_on, missed = _point_on(born, first_months, every_months if interval.repeats else None, today, window.days)
        passed = passed or missed
    if due_km is None and due_on is None and not passed and (trend.read or not first_km):
        return None
    standing = _standing(due_km, due_on, today, trend, window)
    if passed and standing == Standing.LATER:
        standing = Standing.UNKNOWN
    if first_km and not trend.read and standing == Standing.LATER:
        standing = Standing.UNREAD
    fresh = due_km == first_km if due_km is not None else not passed
    return Due(
        standing,
        due_km,
        due_on,
        _expected(due_km, due_on, today, trend),
        None,
        first_km if fresh else every_km,
        first_months if fresh else every_months,
        fresh,
        shorter and (not fresh or (first_km, first_months) != (interval.first_km, interval.first_months)),
    )


def _point_km(first: int, every: int | None, now: int, near: int) -> tuple[int | None, bool]:
    """The point that counts at a mileage and whether an earlier one was passed: the last one while it is near, else the
    next."""
    if now < first:
        return first, False
    at = first + (now - first) // every * every if every else first
    if now - at <= near:
        return at, at > first
    return (at + every if every else None), True


def _point_on(born: date, first: int, every: int | None, today: date, near: int) -> tuple[date | None, bool]:
    at = add_months(born, first)
    if today < at:
        return at, False
    months = first
    while every and add_months(born, months + every) <= today:
        months += every
    at = add_months(born, months)
    if (today - at).days <= near:
        return at, months > first
    return (add_months(born, months + every) if every else None), True


def _standing(due_km: int | None, due_on: date | None, today: date, trend: Trend, window: Window) -> Standing:
    found = [Standing.LATER]
    if due_km is not None and trend.read:
        found.append(_of_left(due_km - trend.km, window.km))
    if due_on is not None:
        found.append(_of_left((due_on - today).days, window.days))
    return min(found, key=lambda s: URGENCY[s])


def _of_left(left: int, near: int) -> Standing:
    if left < -near:
        return Standing.OVERDUE
    if left <= 0:
        return Standing.DUE
    return Standing.SOON if left <= near else Standing.LATER


def _expected(due_km: int | None, due_on: date | None, today: date, trend: Trend) -> date | None:
    days = [due_on] if due_on else []
    if due_km is not None and trend.read:
        left = due_km - trend.km
        if left <= 0:
            days.append(today)
        elif trend.per_year > 0 and left * 365 // trend.per_year < (LAST_DAY - today).days:
            days.append(today + timedelta(days=left * 365 // trend.per_year))
    return min(days, default=None)


def includes(bigger: Mapping[int, Decimal], smaller: Mapping[int, Decimal]) -> bool:
    """Whether work that brings ``bigger`` (part → quantity) has done what ``smaller`` asks for as well."""
    return bool(smaller) and all(bigger.get(part, Decimal(0)) >= quantity for part, quantity in smaller.items())
