"""The statutory calendar as rows: what the State Council's list says for years that the package doesn't know (2.4, 6.4).

The list of a year is published in the autumn before. Until somebody writes it down or the package brings it, weekends
are a guess, and ``missing_year`` says so.
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from . import clock, events, limits, permissions, worktime
from .actors import Actor
from .errors import RuleError
from .history import record
from .models import PublicDay, PublicDayKind
from .registry import limit

LIST_MONTH = limit(
    "kernel.holiday_list_month",
    11,
    "",
    _("Month from which next year's list of holidays is asked for"),
    clause="2.4",
    source="design",
)
OFFICE_HOURS = worktime.hours("09:00-12:00", "13:00-18:00")


@transaction.atomic
def set_public_day(*, day: date, kind: str, name: str, by: Actor) -> PublicDay:
    """Writes one day of the published list down; the same day again is changed.

    Raises RuleError "publicday.kind" for a make-up day on a weekday (it is a weekend day that is worked) and for an
    unknown kind, "publicday.name" without a name.
    """
    by.require(permissions.CALENDAR_MANAGE)
    if kind not in PublicDayKind.values or (kind == PublicDayKind.MAKE_UP and day.weekday() < 5):
        raise RuleError(
            "publicday.kind", _("A make-up day is a Saturday or Sunday that is worked; check the date."), field="kind"
        )
    if not name.strip():
        raise RuleError("publicday.name", _("Name the holiday that the day belongs to."), field="name")
    facts = {"kind": kind, "name": name.strip()[:40]}
    row, created = PublicDay.objects.get_or_create(day=day, defaults=facts)
    before = None
    if not created:
        row = PublicDay.objects.locked().get(pk=row.pk)
        before, row.kind, row.name = row.kind, facts["kind"], facts["name"]
        row.save(update_fields=["kind", "name"])
    record(row, events.PUBLIC_DAY_SET, by=by, changed={"kind": (before, kind)}, day=day)
    return row


@transaction.atomic
def drop_public_day(*, uid: UUID, by: Actor) -> date:
    """Takes a day that was written down by mistake off the list."""
    by.require(permissions.CALENDAR_MANAGE)
    row = PublicDay.objects.locked().get(uid=uid)
    record(row, events.PUBLIC_DAY_DROPPED, by=by, changed={"kind": (row.kind, None)}, day=row.day)
    row.delete()
    return row.day


def own_days(year: int | None = None) -> list[PublicDay]:
    rows = PublicDay.objects.order_by("day")
    return list(rows.filter(day__year=year) if year else rows)


def is_listed(year: int) -> bool:
    """Whether the year's official days are known: by the package or written down."""
    return date(year, 12, 31) <= worktime.official_until() or PublicDay.objects.filter(day__year=year).exists()


def missing_year(today: date | None = None) -> int | None:
    """The year whose list is needed and not there: this one, or from the asking month on the next."""
    on = today or clock.today()
    years = [on.year] + ([on.year + 1] if on.month >= limits.value(LIST_MONTH, on=on) else [])
    return next((year for year in years if not is_listed(year)), None)


def public_day(day: date) -> worktime.StatutoryDay:
    """What a date is by law: the written row, else the package's list, else a guess by weekday (``official`` False)."""
    row = PublicDay.objects.filter(day=day).first()
    if row is not None:
        return worktime.StatutoryDay(day, worktime.DayKind(row.kind), row.name, official=True)
    known = worktime.statutory_day(day)
    if not known.official and PublicDay.objects.filter(day__year=day.year).exists():
        return worktime.StatutoryDay(day, known.kind, "", official=True)
    return known


def statutory_calendar(day_hours: worktime.Hours = OFFICE_HOURS) -> worktime.Calendar:
    """The working days that legal clocks run by, with the rows written down over the package's list."""
    known = worktime.statutory_calendar(day_hours)
    own = {
        row.day: day_hours if row.kind == PublicDayKind.MAKE_UP else worktime.CLOSED for row in PublicDay.objects.all()
    }
    return worktime.Calendar(known.week, MappingProxyType({**known.exceptions, **own}), known.zone)
