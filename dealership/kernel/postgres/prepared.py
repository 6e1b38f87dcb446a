"""Statements that PostgreSQL parses and plans once in each kept connection, by a name of ours."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import connection


def run_prepared(name: str, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of ``sql`` ($1, $2 …). Behind a pooler that changes connections it is sent as it is."""
    with connection.cursor() as cursor:
        cursor.execute(*statement(name, sql, values))
        return list(cursor.fetchall())


_names: dict[tuple[str, str], str] = {}


def statement(name: str, sql: str, values: list[Any]) -> tuple[str, list[Any] | None]:
    """What the driver is given for ``sql``, which is prepared in this connection where it isn't yet."""
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        return (_in_place(sql, len(values)), values) if values else (sql, None)
    made = _names.get((name, sql))
    if made is None:
        made = _names[name, sql] = f"p_{hashlib.sha256((name + sql).encode()).hexdigest()[:20]}"
    known: set[str] = connection.prepared_here  # type: ignore[attr-defined]  # of this thread's connection; a new one begins empty
    if made not in known:
        with connection.cursor() as cursor:
            cursor.execute(f"PREPARE {made} AS {sql}")
        known.add(made)
    return (f"EXECUTE {made} ({', '.join(['%s'] * len(values))})", values) if values else (f"EXECUTE {made}", None)


def _in_place(sql: str, count: int) -> str:
    """$1, $2 … as the places of the driver; each stands once and in order."""
    sql = sql.replace("%", "%%")
    for number in range(count, 0, -1):
        sql = sql.replace(f"${number}", "%s")
    return sql
