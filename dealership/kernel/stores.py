"""Commands that open a store and say when it works (1.2, 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, time
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from . import events, permissions
from .actors import Actor
from .errors import RuleError
from .history import record
from .models import CalendarDay, OpeningHours, Store


@transaction.atomic
def open_store(*, code: str, name: str, brand: str, by: Actor, **facts: Any) -> Store:
    """Adds a store to the group. ``facts``: company, uscc, address, phone, complaint_phone, time_zone.

    Raises RuleError for a code that isn't two to four capital letters and digits or is taken.
    """
    by.require(permissions.STORES_MANAGE)
    if not (2 <= len(code) <= 4 and code.isascii() and code.isalnum() and code.upper() == code):
        raise RuleError("store.code", _("A store's code is two to four capital letters and digits."), field="code")
    if Store.objects.filter(code=code).exists():
        raise RuleError("store.taken", _("There is a store with this code."), field="code")
    store = Store.objects.create(code=code, name=name.strip(), brand=brand.strip(), **facts)
    record(store, events.STORE_OPENED, by=by, store_id=store.pk, store_code=code)
    return store


def _own(store: Store, by: Actor) -> None:
    by.require(permissions.CALENDAR_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist


@dataclass(frozen=True, slots=True)
class DayHours:
    """One weekday's hours in store time, with the lunch break where there is one."""

    opens: time
    closes: time
    break_from: time | None = None
    break_to: time | None = None

    @property
    def in_order(self) -> bool:
        if self.break_from is None or self.break_to is None:
            return self.opens < self.closes and self.break_from is self.break_to
        return self.opens <= self.break_from < self.break_to <= self.closes


@transaction.atomic
def set_opening_hours(
    *,
    store: Store,
    weekday: int,
    opens: time,
    closes: time,
    by: Actor,
    break_from: time | None = None,
    break_to: time | None = None,
) -> Store:
    """Sets a weekday's hours (0 = Monday, store time) with the lunch break; clocks in working time run by them."""
    _own(store, by)
    given = DayHours(opens, closes, break_from, break_to)
    if not 0 <= weekday <= 6 or not given.in_order:
        raise RuleError("store.hours", _("A day opens before it closes; a break has a beginning and an end."))
    OpeningHours.objects.update_or_create(
        store=store,
        weekday=weekday,
        defaults={"opens": opens, "closes": closes, "break_from": break_from, "break_to": break_to},
    )
    record(store, events.STORE_HOURS_SET, by=by, store_id=store.pk, weekday=weekday, opens=opens, closes=closes)
    return store


def hours_of_week(store: Store) -> dict[int, DayHours | None]:
    """The week as it is set, Monday (0) first; None is closed."""
    rows = OpeningHours.objects.filter(store=store)
    known = {row.weekday: DayHours(row.opens, row.closes, row.break_from, row.break_to) for row in rows}
    return {weekday: known.get(weekday) for weekday in range(7)}


@transaction.atomic
def set_opening_week(*, store: Store, week: Mapping[int, DayHours | None], by: Actor) -> Store:
    """Sets the hours of all weekdays that differ from what is set; None closes a weekday (2.4).

    Raises RuleError "store.hours" for hours out of order (its field is ``day_<weekday>``) and "store.never_open" for a
    week without an open day: no promised time could be worked out.
    """
    _own(store, by)
    for weekday, given in week.items():
        if given is not None and not given.in_order:
            raise RuleError(
                "store.hours",
                _("A day opens before it closes; a break has a beginning and an end."),
                field=f"day_{weekday}",
            )
    before = hours_of_week(store)
    if not any({**before, **week}.values()):
        raise RuleError("store.never_open", _("A store is open on at least one day of the week."))
    for weekday, given in week.items():
        if given == before.get(weekday):
            continue
        if given is None:
            OpeningHours.objects.filter(store=store, weekday=weekday).delete()
            record(store, events.STORE_HOURS_SET, by=by, store_id=store.pk, weekday=weekday, opens=None, closes=None)
        else:
            set_opening_hours(store=store, weekday=weekday, by=by, **asdict(given))
    return store


@transaction.atomic
def set_calendar_day(
    *, store: Store, day: date, name: str, by: Actor, opens: time | None = None, closes: time | None = None
) -> CalendarDay:
    """Gives one day its own hours, or closes it where none are given (holiday, make-up day, stock-taking)."""
    _own(store, by)
    if (opens is None) != (closes is None) or (opens is not None and closes is not None and closes <= opens):
        raise RuleError("store.hours", _("A day opens before it closes; a break has a beginning and an end."))
    row, _created = CalendarDay.objects.update_or_create(
        store=store, day=day, defaults={"name": name[:60], "opens": opens, "closes": closes}
    )
    record(store, events.STORE_DAY_SET, by=by, store_id=store.pk, day=day, open=opens is not None)
    return row


@transaction.atomic
def drop_calendar_day(*, store: Store, day: date, by: Actor) -> Store:
    """Takes a special day off: the weekly hours hold again. CalendarDay.DoesNotExist where none is set."""
    _own(store, by)
    row = CalendarDay.objects.get(store=store, day=day)
    row.delete()
    record(store, events.STORE_DAY_DROPPED, by=by, store_id=store.pk, day=day)
    return store
