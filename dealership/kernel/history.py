"""``record``: the one way into the history. One line and its outbox rows, in the command's own transaction (1.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from . import clock, registry
from .actors import Actor
from .models import Root
from .postgres.prepared import run_prepared

_HAN = re.compile(r"[\u3400-\u9fff]")
_MAX_FACT = 80

#: SQL: the lowest transaction that may still write lines here; all below it are final. A snapshot names the running
#: transactions of the whole server: those of another database can't write here, so they hold nothing back. One that ended
#: since the snapshot was taken has no lock any more and counts as ours.
HORIZON = """least(
    pg_current_xact_id_if_assigned()::text::bigint,
    coalesce((
        SELECT min(running::text::bigint) FROM pg_snapshot_xip(pg_current_snapshot()) AS running
        WHERE NOT EXISTS (
            SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
                AND l.transactionid = running::xid
                AND a.datid <> (SELECT oid FROM pg_database WHERE datname = current_database())
        )
    ), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
)"""


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the history as handlers see it. ``at`` is aware (UTC).

    ``again`` says that an earlier run of this handler began and never said how it ended: what it did in the database
    is gone with it, what it did outside may have happened.
    """

    id: int
    at: datetime
    code: str
    root_type: str
    root_uid: UUID
    store_id: int | None
    facts: dict[str, Any]
    changed: dict[str, Any]
    again: bool = False


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, str) and (len(value) > _MAX_FACT or _HAN.search(value)):
        # A person must be erasable without touching history: free text and names stay in the tables.
        raise ValueError("History takes ids, codes, amounts and hashes, never names or free text.")
    return value


_INSERT = """
WITH said AS (
    SELECT $1::timestamptz AS at, $2::text AS actor_kind, $3::text AS actor_id, $4::text AS late_reason,
        $5::timestamptz AS written, $6::jsonb AS handlers, $7::jsonb AS lines
), given AS (
    SELECT x.* FROM said, jsonb_to_recordset(said.lines) AS x(code text, root_type text, root_uid uuid, store_id bigint,
        visit uuid, vehicle uuid, customer uuid, "order" uuid, changed jsonb, facts jsonb)
), line AS (
    INSERT INTO kernel_history (at, code, root_type, root_uid, store_id, actor_kind, actor_id,
        visit_uid, vehicle_uid, customer_uid, order_uid, late_reason, changed, facts)
    SELECT said.at, code, root_type, root_uid, store_id, said.actor_kind, said.actor_id,
        visit, vehicle, customer, "order", said.late_reason, changed, facts
    FROM given, said
    RETURNING id, at, code, root_uid, store_id
), owed AS (
    INSERT INTO kernel_outbox (event_id, event_at, code, handler, root_uid, store_id, state, available_at,
        attempts, last_error, created_at)
    SELECT line.id, line.at, line.code, name, line.root_uid, line.store_id, 'DUE', said.written, 0, '', said.written
    FROM line JOIN said ON true JOIN jsonb_each(said.handlers) AS h(code, names) ON h.code = line.code,
        jsonb_array_elements_text(h.names) AS name
)
SELECT id FROM line
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line for ``record_many``; the same facts as ``record`` takes."""

    root: Root
    code: str
    changed: dict[str, tuple[Any, Any]] | None = None
    store_id: int | None = None
    facts: dict[str, Any] | None = None


_together: ContextVar[list[dict[str, Any]] | None] = ContextVar("lines_together", default=None)


@contextmanager
def one_statement(*, by: Actor) -> Iterator[None]:
    """What is recorded inside is written at the end of the block, in its order, in one statement.

    For commands whose lines nobody needs before their end; a refusal inside leaves none.
    """
    rows: list[dict[str, Any]] = []
    token = _together.set(rows)
    try:
        yield
    finally:
        _together.reset(token)
    if rows:
        _write(rows, by=by)


def record_many(lines: list[Line], *, by: Actor) -> int:
    """Writes many lines and what is owed for each in one statement. The rules of ``record`` hold."""
    if lines:
        _write([_row(line) for line in lines], by=by)
    return len(lines)


def _row(line: Line) -> dict[str, Any]:
    """A line as the statement takes it. Raises ValueError for what history must not hold: a defect of the caller."""
    if line.code not in registry.EVENTS:
        raise ValueError(f"Event {line.code} is not declared in any chapter's events.py.")
    keys = line.root.history_keys()
    return {
        "code": line.code,
        "root_type": line.root._meta.model_name,
        "root_uid": line.root.uid,
        "store_id": line.store_id if line.store_id is not None else getattr(line.root, "store_id", None),
        **{key: keys.get(key) for key in ("visit", "vehicle", "customer", "order")},
        "changed": {name: [_plain(a), _plain(b)] for name, (a, b) in (line.changed or {}).items()},
        "facts": {name: _plain(value) for name, value in (line.facts or {}).items() if value is not None},
    }


def _write(rows: list[dict[str, Any]], *, by: Actor) -> list[int]:
    if not connection.in_atomic_block:
        raise RuntimeError("record() runs inside the command's transaction only.")
    reported = clock.reported()
    handlers = {code: registry.SUBSCRIPTIONS.get(code, []) for code in {row["code"] for row in rows}}
    late = reported.reason if reported else ""
    values = [clock.now(), str(by.kind), by.id, late, clock.written_now(), _json(handlers), _json(rows)]
    return [number for (number,) in run_prepared("history", _INSERT, values)]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def record(
    root: Root,
    code: str,
    *,
    by: Actor,
    changed: dict[str, tuple[Any, Any]] | None = None,
    store_id: int | None = None,
    **facts: Any,
) -> Event:
    """Writes one line about ``root`` and what is owed for it.

    ``changed`` maps a field to (before, after). Refuses to run outside a transaction, for a code no chapter declared
    and for facts that are names or free text (ValueError: a defect of the caller, never of the user). Inside
    ``one_statement`` the event has no number yet.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() runs inside the command's transaction only.")
    row = _row(Line(root, code, changed, store_id, facts))
    waiting = _together.get()
    if waiting is None:
        at, (number,) = clock.now(), _write([row], by=by)
    else:
        waiting.append(row)
        at, number = clock.now(), 0
    return Event(number, at, code, row["root_type"], root.uid, row["store_id"], row["facts"], row["changed"])
