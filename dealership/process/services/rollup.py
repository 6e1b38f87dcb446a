"""The KPI engine: computes a store's day from the base tables, only where an event has touched it (6.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from dealership.kernel import clock
from dealership.kernel.history import Event
from dealership.kernel.models import Store

from ..figures import FIGURES, OTHER_DAYS
from ..models import KpiTouchedDay, KpiValue
from ..selectors.figures import store_day


@transaction.atomic
def recompute_day(*, store_id: int, day: date) -> int:
    """Writes every figure of one store and day afresh; returns how many rows there are now.

    Runs of the same store-day wait for each other (advisory lock), so that two workers leave one result.
    """
    store = Store.objects.get(pk=store_id)
    start, end = store_day(store, day)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [store_id, day.toordinal()])
        KpiTouchedDay.objects.filter(store_id=store_id, day=day).delete()
        rows = []
        for figure in FIGURES.values():
            given: dict[str, Any] = {"store_id": store_id, "day_start": start, "day_end": end, "now": clock.now()}
            cursor.execute(figure.sql, given)
            rows += [
                KpiValue(
                    store_id=store_id,
                    code=figure.code,
                    day=day,
                    dimension=str(dimension or ""),
                    numerator=numerator or 0,
                    denominator=denominator or 0,
                    computed_at=clock.written_now(),
                )
                for dimension, numerator, denominator in cursor.fetchall()
                if denominator
            ]
    KpiValue.objects.filter(store_id=store_id, day=day).delete()
    KpiValue.objects.bulk_create(rows)
    return len(rows)


def recompute_touched(*, limit: int = 500) -> int:
    """Recomputes the days that events or the hour have touched; returns how many days were done."""
    touch_run_out()
    days = list(KpiTouchedDay.objects.order_by("touched_at").values_list("store_id", "day")[:limit])
    for store_id, day in days:
        recompute_day(store_id=store_id, day=day)
    return len(days)


def touch(*, store_id: int, at: datetime) -> None:
    """Marks the store's day of ``at`` for recomputing; marking it again changes nothing."""
    store = Store.objects.get(pk=store_id)
    _touch_days({(store_id, at.astimezone(ZoneInfo(store.time_zone)).date())})


def touch_other_days(*, store_id: int, code: str, root_uid: UUID) -> None:
    """Marks the days, other than its own, on which an event changes what was counted (a call on the callback's day)."""
    _touch_days({(store_id, day) for day in _other_days(code, root_uid)})


def touch_for(events: Iterable[Event]) -> None:
    """Marks the day of each event, and every other day on which it changes what was counted."""
    zones = {pk: ZoneInfo(name) for pk, name in Store.objects.values_list("pk", "time_zone")}
    days: set[tuple[int, date]] = set()
    asked: set[tuple[str, UUID]] = set()
    for event in events:
        if event.store_id is None:
            continue
        days.add((event.store_id, event.at.astimezone(zones[event.store_id]).date()))
        if (event.code, event.root_uid) not in asked:
            asked.add((event.code, event.root_uid))
            days |= {(event.store_id, day) for day in _other_days(event.code, event.root_uid)}
    _touch_days(days)


def _other_days(code: str, root_uid: UUID) -> set[date]:
    found: set[date] = set()
    for days in OTHER_DAYS.get(code, []):
        with connection.cursor() as cursor:
            cursor.execute(days, {"root_uid": root_uid})
            found |= {day for (day,) in cursor.fetchall() if day is not None}
    return found


def touch_run_out() -> None:
    """Marks the days whose count time alone has changed since it was made (a clock that ran out unanswered)."""
    for figure in FIGURES.values():
        if figure.run_out:
            with connection.cursor() as cursor:
                cursor.execute(figure.run_out, {"now": clock.now()})
                found = cursor.fetchall()
            for store_id, at in found:
                touch(store_id=store_id, at=at)


def _touch_days(days: set[tuple[int, date]]) -> None:
    # In one order, so that two who mark the same days wait for each other and never both for ever.
    rows = [KpiTouchedDay(store_id=store_id, day=day) for store_id, day in sorted(days)]
    KpiTouchedDay.objects.bulk_create(rows, ignore_conflicts=True)
