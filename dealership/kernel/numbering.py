"""Numbers that people read: one gapless series per store, kind and day, with the store's code in it (design 5)."""

from __future__ import annotations

import re

from . import clock
from .models import Store
from .postgres.prepared import run_prepared

_NEXT = """
INSERT INTO kernel_counter (store_id, kind, period, value) VALUES ($1, $2, $3, 1)
ON CONFLICT ON CONSTRAINT counter_series DO UPDATE SET value = kernel_counter.value + 1
RETURNING value
"""


def next_number(store: Store, kind: str) -> str:
    """The next number such as ``RO-BJ01-261123-0001``; taken last in a command, given back when it rolls back."""
    period = clock.today(store.time_zone).strftime("%y%m%d")
    [(value,)] = run_prepared("counter", _NEXT, [store.pk, kind, period])
    return f"{kind}-{store.code}-{period}-{value:04d}"


def numbers_meant(typed: str, *, kind: str, store: Store) -> list[str]:
    """Numbers of one series that a person may mean: ``RO-BJ01-261123-0001``, ``261123-1``, or ``1`` for today's.

    Exact candidates, so that the look-up stays on the unique index. [] where the text is no number of this series.
    """
    text = re.sub(r"\s+", "", typed).upper().replace("–", "-").replace("_", "-")
    if text.startswith(f"{kind}-"):
        text = text.removeprefix(f"{kind}-")
    elif text.startswith(kind) and text[len(kind) :][:1].isdigit():
        text = text.removeprefix(kind)
    text = text.removeprefix(f"{store.code}-")
    match = re.fullmatch(r"(?:([0-9]{6})-?)?([0-9]{1,4})", text)
    if match is None or (match[1] is None and len(text) > 4):
        return []
    period = match[1] or clock.today(store.time_zone).strftime("%y%m%d")
    return [f"{kind}-{store.code}-{period}-{int(match[2]):04d}"]
