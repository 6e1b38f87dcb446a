"""Dated settings: reads the value in force on a day, the store's own before the group's before the declared default."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.db.models import Q

from . import clock, registry
from .models import Setting

_CACHE_SECONDS = 5.0
_cache: dict[str, tuple[float, list[tuple[int | None, date, date | None, Any]]]] = {}


def forget() -> None:
    """Drops what this process remembers (after a change, and between tests)."""
    _cache.clear()


def read_all() -> None:
    """Reads the rows of every key in one question, for whoever shows them all."""
    rows: dict[str, list[tuple[int | None, date, date | None, Any]]] = {key: [] for key in registry.LIMITS}
    for key, *row in Setting.objects.values_list("key", "store_id", "starts_on", "ends_on", "value"):
        if key in rows:
            rows[key].append((row[0], row[1], row[2], row[3]))
    now = time.monotonic()
    _cache.update({key: (now, kept) for key, kept in rows.items()})


def value(key: str, *, store_id: int | None = None, on: date | None = None) -> Any:
    """The value of ``key`` on day ``on`` (default: today). Raises KeyError for a key no chapter declared.

    Another process sees a change after five seconds at the latest.
    """
    declared = registry.LIMITS[key]
    day = on or clock.today()
    kept = _cache.get(key)
    if kept is None or time.monotonic() - kept[0] > _CACHE_SECONDS:
        rows = list(Setting.objects.filter(key=key).values_list("store_id", "starts_on", "ends_on", "value"))
        kept = _cache[key] = (time.monotonic(), rows)
    best: tuple[bool, Any] | None = None
    for row_store, starts, ends, row_value in kept[1]:
        if starts <= day and (ends is None or day <= ends) and row_store in (None, store_id):
            own = row_store is not None
            if best is None or own > best[0]:
                best = (own, row_value)
    return declared.default if best is None else best[1]


def rows_of(key: str) -> list[Setting]:
    """All dated rows of a key, newest first, for the settings page."""
    return list(Setting.objects.filter(Q(key=key)).select_related("store").order_by("-starts_on", "store_id"))
