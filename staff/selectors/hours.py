"""When a person works: the roster as a calendar, each day with the shift's own lunch break (5.1)."""

from __future__ import annotations

from datetime import date, time

from dealership.kernel.worktime import CLOSED, Calendar, Hours
from staff.models import Employee, RosterDay, Shift


def shift_hours(shift: Shift | None) -> Hours:
    """The spans of a shift in minutes after midnight, its break left out; () without a shift."""
    if shift is None:
        return CLOSED
    starts, ends = _minutes(shift.starts), _minutes(shift.ends)
    if shift.break_from is None or shift.break_to is None:
        return ((starts, ends),)
    return ((starts, _minutes(shift.break_from)), (_minutes(shift.break_to), ends))


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def calendar_of(employee: Employee, *, first: date, last: date) -> Calendar:
    """The person's working hours from the roster between two dates (store time); a day without a shift is closed."""
    rows = RosterDay.objects.filter(employee=employee, day__range=(first, last)).select_related("shift")
    days = {row.day: shift_hours(row.shift) for row in rows}
    return Calendar((CLOSED,) * 7, days, employee.store.time_zone)
