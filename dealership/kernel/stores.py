"""Commands that open a store and say when it works (1.2, 2.4)."""

from __future__ import annotations

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
    by.require(permissions.STORES_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist


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
    if not 0 <= weekday <= 6 or closes <= opens or (break_from is None) != (break_to is None):
        raise RuleError("store.hours", _("A day opens before it closes; a break has a beginning and an end."))
    OpeningHours.objects.update_or_create(
        store=store,
        weekday=weekday,
        defaults={"opens": opens, "closes": closes, "break_from": break_from, "break_to": break_to},
    )
    record(store, events.STORE_HOURS_SET, by=by, store_id=store.pk, weekday=weekday, opens=opens, closes=closes)
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
