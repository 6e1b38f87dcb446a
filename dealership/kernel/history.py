"""``record``: the one way into the history. One line and its outbox rows, in the command's own transaction (1.1)."""

from __future__ import annotations

import re
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

_HAN = re.compile(r"[\u3400-\u9fff]")
_MAX_FACT = 80


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
WITH line AS (
    INSERT INTO kernel_history (at, code, root_type, root_uid, store_id, actor_kind, actor_id,
        visit_uid, vehicle_uid, customer_uid, order_uid, late_reason, changed, facts)
    VALUES (%(at)s, %(code)s, %(root_type)s, %(root_uid)s, %(store_id)s, %(actor_kind)s, %(actor_id)s,
        %(visit)s, %(vehicle)s, %(customer)s, %(order)s, %(late_reason)s, %(changed)s, %(facts)s)
    RETURNING id, at
), owed AS (
    INSERT INTO kernel_outbox (event_id, event_at, code, handler, root_uid, store_id, state, available_at,
        attempts, last_error, created_at)
    SELECT line.id, line.at, %(code)s, handler, %(root_uid)s, %(store_id)s, 'DUE', %(written)s, 0, '', %(written)s
    FROM line, unnest(%(handlers)s::text[]) AS handler
)
SELECT id FROM line
"""


_INSERT_MANY = """
WITH given AS (
    SELECT * FROM jsonb_to_recordset(%(lines)s::jsonb) AS x(code text, root_type text, root_uid uuid, store_id bigint,
        visit uuid, vehicle uuid, customer uuid, "order" uuid, changed jsonb, facts jsonb)
), line AS (
    INSERT INTO kernel_history (at, code, root_type, root_uid, store_id, actor_kind, actor_id,
        visit_uid, vehicle_uid, customer_uid, order_uid, late_reason, changed, facts)
    SELECT %(at)s, code, root_type, root_uid, store_id, %(actor_kind)s, %(actor_id)s,
        visit, vehicle, customer, "order", %(late_reason)s, changed, facts
    FROM given
    RETURNING id, at, code, root_uid, store_id
), owed AS (
    INSERT INTO kernel_outbox (event_id, event_at, code, handler, root_uid, store_id, state, available_at,
        attempts, last_error, created_at)
    SELECT line.id, line.at, line.code, name, line.root_uid, line.store_id, 'DUE', %(written)s, 0, '', %(written)s
    FROM line JOIN jsonb_each(%(handlers)s::jsonb) AS h(code, names) ON h.code = line.code,
        jsonb_array_elements_text(h.names) AS name
)
SELECT count(*) FROM line
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line for ``record_many``; the same facts as ``record`` takes."""

    root: Root
    code: str
    changed: dict[str, tuple[Any, Any]] | None = None
    store_id: int | None = None
    facts: dict[str, Any] | None = None


def record_many(lines: list[Line], *, by: Actor) -> int:
    """Writes many lines and what is owed for each in one statement, for imports. The rules of ``record`` hold."""
    if not connection.in_atomic_block:
        raise RuntimeError("record_many() runs inside the command's transaction only.")
    if not lines:
        return 0
    rows = []
    for line in lines:
        if line.code not in registry.EVENTS:
            raise ValueError(f"Event {line.code} is not declared in any chapter's events.py.")
        keys = line.root.history_keys()
        rows.append(
            {
                "code": line.code,
                "root_type": line.root._meta.model_name,
                "root_uid": line.root.uid,
                "store_id": line.store_id if line.store_id is not None else getattr(line.root, "store_id", None),
                **{key: keys.get(key) for key in ("visit", "vehicle", "customer", "order")},
                "changed": {name: [_plain(a), _plain(b)] for name, (a, b) in (line.changed or {}).items()},
                "facts": {name: _plain(value) for name, value in (line.facts or {}).items() if value is not None},
            }
        )
    reported = clock.reported()
    handlers = {code: registry.SUBSCRIPTIONS.get(code, []) for code in {line.code for line in lines}}
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_MANY,
            {
                "lines": orjson.dumps(rows).decode(),
                "handlers": orjson.dumps(handlers).decode(),
                "at": clock.now(),
                "written": clock.written_now(),
                "actor_kind": str(by.kind),
                "actor_id": by.id,
                "late_reason": reported.reason if reported else "",
            },
        )
        return int(cursor.fetchone()[0])


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
    and for facts that are names or free text (ValueError: a defect of the caller, never of the user).
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() runs inside the command's transaction only.")
    if code not in registry.EVENTS:
        raise ValueError(f"Event {code} is not declared in any chapter's events.py.")
    keys = root.history_keys()
    if store_id is None:
        store_id = getattr(root, "store_id", None)
    at, reported = clock.now(), clock.reported()
    plain_changed = {name: [_plain(a), _plain(b)] for name, (a, b) in (changed or {}).items()}
    plain_facts = {name: _plain(value) for name, value in facts.items() if value is not None}
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "at": at,
                "written": clock.written_now(),
                "code": code,
                "root_type": root._meta.model_name,
                "root_uid": root.uid,
                "store_id": store_id,
                "actor_kind": str(by.kind),
                "actor_id": by.id,
                "visit": keys.get("visit"),
                "vehicle": keys.get("vehicle"),
                "customer": keys.get("customer"),
                "order": keys.get("order"),
                "late_reason": reported.reason if reported else "",
                "changed": orjson.dumps(plain_changed).decode(),
                "facts": orjson.dumps(plain_facts).decode(),
                "handlers": registry.SUBSCRIPTIONS.get(code, []),
            },
        )
        event_id = cursor.fetchone()[0]
    return Event(event_id, at, code, str(root._meta.model_name), root.uid, store_id, plain_facts, plain_changed)
