"""What a database says, without what differs from run to run: to compare two runs of the simulator.

Every table of every room is read, whatever columns it has. A uid is replaced by the row that bears it, so that links
between rows are compared too, also those inside texts and JSON.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from uuid import UUID as Uid

from dealership.kernel.registry import OUR_PACKAGES

ROOMS = frozenset(name.split(".")[-1] for name in OUR_PACKAGES) | {"kernel", "process", "catalogue", "exchange"}
LEFT_OUT = {
    # when a row was written or a run began, and in which transaction, by the wall clock and the server's count
    "kernel_history.written_at", "kernel_history.txid", "kernel_outbox.started_at", "*.updated_at",
    "kernel_user.date_joined", "kernel_periodicrun.started_at",
    # drawn by chance on purpose: nobody may guess them
    "kernel_user.password", "delivery_gatepass.code",
    "reception_openingcheck.drawn_id",
    # rows of one day come in the order of people's uids
    "process_kpivalue.id",
}  # fmt: skip
LIKE_UIDS = {
    "workshop_estimate": "seen_hash",
    "compliance_archiveaddendum": "sha256",
    "compliance_archiverecord": "sha256",
    "reception_visitlink": "token",
    "reception_slotoffer": "token",
    "reception_calendarfeed": "token",
}
"""Hashes over content that names uids, and links: each is replaced by the row that bears it, as a uid is."""
UID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b[0-9a-f]{64}\b|(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{24}(?![A-Za-z0-9_-])"
)

SIGNED = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
"""The address of a booking's own page: its uid, signed."""


def tables_of(cursor: Any) -> dict[str, list[tuple[str, str]]]:
    """Every table of the rooms → its columns with their types; a partitioned table counts as one."""
    cursor.execute(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in cursor.fetchall():
        if table.split("_")[0] in ROOMS:
            found.setdefault(table, []).append((column, kind))
    return found


def fingerprint(cursor: Any) -> dict[str, list[str]]:
    """Table → its rows as text, in the order in which they were written."""
    tables = tables_of(cursor)
    bearer: dict[str, str] = {}
    for table, columns in tables.items():
        if {"id", "uid"} <= {name for name, _kind in columns}:
            cursor.execute(f'SELECT uid::text, id FROM "{table}"')
            bearer |= {uid: f"{table}#{pk}" for uid, pk in cursor.fetchall()}
        if table in LIKE_UIDS:
            cursor.execute(f'SELECT "{LIKE_UIDS[table]}", id FROM "{table}"')
            bearer |= {drawn: f"{table}#{pk}'s {LIKE_UIDS[table]}" for drawn, pk in cursor.fetchall()}

    deleted: dict[str, str] = {}

    def gone(named: str) -> str:
        """A uid that no row bears: a sent estimate still names the parts of a line that was withdrawn later."""
        return deleted.setdefault(named, f"gone#{len(deleted)}") if len(named) == 36 else named

    def plain(value: Any) -> str:
        text = SIGNED.sub(lambda found: str(Uid(bytes=base64.urlsafe_b64decode(found[1] + "=="))), str(value))
        return UID.sub(lambda found: bearer.get(found[0]) or gone(found[0]), text)

    said: dict[str, list[str]] = {}
    for table, columns in tables.items():
        names = [f'"{name}"::text' for name, _kind in columns if not {f"{table}.{name}", f"*.{name}"} & LEFT_OUT]
        order = "id" if any(name == "id" for name, _kind in columns) else "1"
        cursor.execute(f'SELECT {", ".join(names)} FROM "{table}" ORDER BY {order}')
        said[table] = ["|".join(map(plain, row)) for row in cursor.fetchall()]
        if f"{table}.id" in LEFT_OUT:
            said[table].sort()
    return said


def digest(said: dict[str, list[str]]) -> str:
    return hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()
