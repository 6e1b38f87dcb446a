"""The one clock. Everything asks ``now()``; the simulator moves it and a late entry sets it back.

The demo may run some hours behind (``DEMO_CLOCK``), so that its shop is at work whenever it is opened.
The moved clock is a context variable of the process and is never stored. Times are aware and in UTC inside; a store's
time zone is applied where people read or type them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .errors import RuleError


@dataclass(frozen=True, slots=True)
class Reported:
    """An hour that a person states for what happened earlier (power cut, paper form), with the reason."""

    at: datetime
    reason: str


_moved: ContextVar[datetime | None] = ContextVar("moved_clock", default=None)
_reported: ContextVar[Reported | None] = ContextVar("reported_hour", default=None)
LATEST_ENTRY = timedelta(days=7)


def now() -> datetime:
    """The current moment (UTC); inside ``reported_at`` the stated hour, inside ``moved_to`` the moved one."""
    reported = _reported.get()
    return reported.at if reported else written_now()


def written_now() -> datetime:
    """When something is written down, whatever hour is stated for it."""
    return _moved.get() or datetime.now(UTC) + settings.DEMO_CLOCK


def of_database(moment: datetime) -> datetime:
    """A moment that the database took from its own clock, as this clock shows it."""
    return moment + settings.DEMO_CLOCK


def today(zone: str = "Asia/Shanghai") -> date:
    """The calendar day at a store."""
    return now().astimezone(ZoneInfo(zone)).date()


def reported() -> Reported | None:
    return _reported.get()


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """Runs a block at another moment (simulator, tests). ``moment`` must be aware."""
    if moment.tzinfo is None:
        raise ValueError("The clock is moved to an aware moment only.")
    token = _moved.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _moved.reset(token)


@contextmanager
def reported_at(moment: datetime, reason: str) -> Iterator[None]:
    """Runs one command as of the hour at which it happened; history keeps both times (1.1).

    Raises RuleError when the hour lies ahead, lies more than seven days back, or no reason is given.
    """
    if not reason.strip():
        raise RuleError("late_entry.reason", _("Say why this is entered late."), field="happened_reason")
    if moment > written_now():
        raise RuleError("late_entry.future", _("The stated hour lies in the future."), field="happened_at")
    if moment < written_now() - LATEST_ENTRY:
        raise RuleError(
            "late_entry.too_old",
            _("Late entries go back seven days at most; correct older ones instead."),
            field="happened_at",
        )
    token = _reported.set(Reported(moment.astimezone(UTC), reason.strip()))
    try:
        yield
    finally:
        _reported.reset(token)
