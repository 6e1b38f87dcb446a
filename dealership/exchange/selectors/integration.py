"""What integrators' people look at: clients and their use, the newest events of the feed, examples (7.3)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection

from dealership.exchange.models import ApiClient
from dealership.kernel import limits, registry
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.api import ratelimit
from dealership.kernel.history import HORIZON

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SHOWN = 12

_NEWEST = f"""
SELECT h.txid, h.id, h.code, h.at, h.root_type, s.code, h.actor_kind
FROM kernel_history h LEFT JOIN kernel_store s ON s.id = h.store_id
WHERE h.txid < {HORIZON}
    AND (%(all)s OR h.store_id IS NULL OR h.store_id = ANY(%(stores)s))
ORDER BY h.txid DESC, h.id DESC
LIMIT %(limit)s
"""  # noqa: S608


def clients(by: Actor) -> list[dict[str, Any]]:
    """Every client with its stores, the requests of the present minute and how many it may send; active ones first."""
    allowed = limits.value("exchange.api_requests_per_minute")
    rows = ApiClient.objects.for_actor(by).select_related("application", "acts_for").prefetch_related("stores")
    return [
        {
            "client": client,
            "stores": [store.code for store in client.stores.all()],
            "used": ratelimit.used(f"client:{client.uid}") if client.active else 0,
            "allowed": allowed,
        }
        for client in rows.order_by("-active", "name")
    ]


def newest_events(by: Actor) -> list[dict[str, Any]]:
    """The end of the feed, newest first, as a client of these stores would read it."""
    stores = None if by.store_ids is None else sorted(by.store_ids)
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, {"all": stores is None, "stores": stores or [], "limit": SHOWN})
        rows = cursor.fetchall()
    kinds = dict(ActorKind.choices)
    return [
        {
            "cursor": f"{txid}-{line}",
            "code": code,
            "label": registry.EVENTS[code].label if code in registry.EVENTS else code,
            "at": at,
            "root_type": root_type,
            "store": store,
            "kind": kinds.get(kind, kind),
        }
        for txid, line, code, at, root_type, store, kind in rows
    ]


@cache
def example(name: str) -> str:
    """The text of an example; the tests run this very file."""
    return (EXAMPLES / name).read_text(encoding="utf-8")
