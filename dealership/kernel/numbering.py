"""Numbers that people read: one gapless series per store, kind and day, with the store's code in it (design 5)."""

from __future__ import annotations

from django.db import connection

from . import clock
from .models import Store


def next_number(store: Store, kind: str) -> str:
    """The next number such as ``RO-BJ01-261123-0001``; taken last in a command, given back when it rolls back."""
    period = clock.today(store.time_zone).strftime("%y%m%d")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO kernel_counter (store_id, kind, period, value) VALUES (%s, %s, %s, 1)
            ON CONFLICT ON CONSTRAINT counter_series DO UPDATE SET value = kernel_counter.value + 1
            RETURNING value
            """,
            [store.pk, kind, period],
        )
        value = cursor.fetchone()[0]
    return f"{kind}-{store.code}-{period}-{value:04d}"
