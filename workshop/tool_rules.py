"""Arithmetic of the tool crib: how long a calibration is good, when it is due (3.4, domain 3.7)."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

OVERDUE, SOON, LATER, NONE = "overdue", "soon", "later", "none"


def months_after(day: date, months: int) -> date:
    """The same day so many months later, the last one of a shorter month."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def good_until(done_on: date, months: int) -> date:
    """The last day of an interval that begins on ``done_on``: twelve months from 1 March end on the last of February."""
    return months_after(done_on, months) - timedelta(days=1)


def due(*, check_months: int | None, valid_until: date | None, today: date, soon_days: int) -> str:
    """OVERDUE (never tested included), SOON within ``soon_days``, LATER, or NONE for a tool without an interval."""
    if check_months is None:
        return NONE
    if valid_until is None or valid_until < today:
        return OVERDUE
    return SOON if valid_until <= today + timedelta(days=soon_days) else LATER


def number_meant(typed: str) -> str:
    """A tool's number out of what was typed or scanned: the number itself, or the label's address that ends in it."""
    text = typed.strip()
    if found := re.search(r"[?&]code=([^&#\s]+)", text):
        text = found[1]
    return text.upper()
