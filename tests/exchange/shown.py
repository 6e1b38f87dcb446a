"""What every item of the API shows at a moment, to see that whatever changes in it moves its version (design 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from dealership.kernel.actors import machine
from dealership.kernel.api.auth import Caller
from dealership.kernel.api.items import items_of, read_rows
from dealership.kernel.api.resources import RESOURCES

Items = dict[tuple[str, str], tuple[int, datetime, dict[str, Any]]]
MOVING = ("version", "updated_at", "transitions")  # transitions follow from the state and from who asks


def snapshot() -> tuple[datetime, Items]:
    """The database's hour, and every item in clear by (path, uid) with its version and time of change."""
    found: Items = {}
    reader = Caller(machine("tests"), "tests", 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    with transaction.atomic():
        for path, resource in RESOURCES.items():
            rows = read_rows(resource, resource.base(reader.actor))
            for row, item in zip(rows, items_of(resource, rows, reader), strict=True):
                shown = {name: value for name, value in item.items() if name not in MOVING}
                found[path, item["uid"]] = (row["version"], row["updated_at"], shown)
        transaction.set_rollback(True)  # reading in clear writes history
    return now, found


def unmoved(before: tuple[datetime, Items], after: tuple[datetime, Items]) -> list[str]:
    """Items that show something else than before under the version, or the time of change, of before."""
    began, old = before
    left = []
    for key, (version, changed_at, shown) in after[1].items():
        if key in old and old[key][2] != shown and (version <= old[key][0] or changed_at < began):
            names = [name for name in shown if shown[name] != old[key][2][name]]
            left.append(f"{key[0]}: {', '.join(names)}")
    return left
