"""Statements that PostgreSQL parses and plans once in each kept connection, by a name of ours."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import connection


def run_prepared(name: str, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of ``sql`` ($1, $2 …). Behind a pooler that changes connections it is sent as it is."""
    with connection.cursor() as cursor:
        if not values:
            cursor.execute(sql)
        elif connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            cursor.execute(_in_place(sql, len(values)), values)
        else:
            known: set[str] = connection.prepared_here  # type: ignore[attr-defined]  # of this thread's connection; a new one begins empty
            made = f"p_{hashlib.sha256((name + sql).encode()).hexdigest()[:20]}"
            if made not in known:
                cursor.execute(f"PREPARE {made} AS {sql}")
                known.add(made)
            cursor.execute(f"EXECUTE {made} ({', '.join(['%s'] * len(values))})", values)
        return list(cursor.fetchall())


def _in_place(sql: str, count: int) -> str:
    """$1, $2 … as the places of the driver; each stands once and in order."""
    sql = sql.replace("%", "%%")
    for number in range(count, 0, -1):
        sql = sql.replace(f"${number}", "%s")
    return sql
