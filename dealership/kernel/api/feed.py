"""The feed of events (1.1, 7.3): everything that was committed, in an order in which nothing is skipped.

The cursor is (transaction id, line id); only rows of transactions older than every running one are given, because a
transaction that commits late has a lower number than lines already read.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse

from ..permissions import EVENTS_READ
from . import lists
from .auth import Caller
from .shapes import Choice, Facts, Field, Moment, Text, Uid
from .views import answer

AFTER = Text(
    40, min=1, pattern=r"^[0-9]{1,18}-[0-9]{1,18}$", help="next_cursor of the answer before; none: from the start."
)
PARAMETERS: dict[str, Field] = {"after": AFTER, "limit": lists.LIMIT}
SHAPE: dict[str, Field] = {
    "id": Text(help="The event's own name, also its cursor."),
    "type": Text(help="<chapter>.<root>.<past participle>"),
    "at": Moment(help="When it happened."),
    "written_at": Moment(help="When it was written down."),
    "root_type": Text(),
    "root_uid": Uid(),
    "store_code": Text(null=True),
    "actor_kind": Choice(choices=("USER", "LINK", "CLIENT", "MACHINE")),
    "visit_uid": Uid(null=True),
    "vehicle_uid": Uid(null=True),
    "customer_uid": Uid(null=True),
    "order_uid": Uid(null=True),
    "changed": Facts(help="field → [before, after]"),
    "facts": Facts(help="Ids, codes, amounts and hashes; never names or free text."),
}

_SQL = """
SELECT h.txid, h.id, h.code, h.at, h.written_at, h.root_type, h.root_uid, s.code, h.actor_kind,
    h.visit_uid, h.vehicle_uid, h.customer_uid, h.order_uid, h.changed, h.facts
FROM kernel_history h LEFT JOIN kernel_store s ON s.id = h.store_id
WHERE (h.txid, h.id) > (%(txid)s, %(id)s)
    AND h.txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    AND (%(all)s OR h.store_id IS NULL OR h.store_id = ANY(%(stores)s))
ORDER BY h.txid, h.id
LIMIT %(limit)s
"""


def read_events(*, after: tuple[int, int], limit: int, stores: list[int] | None) -> list[dict[str, Any]]:
    """Events after the cursor in the order of their transactions; ``stores`` None means all."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL,
            {
                "txid": after[0],
                "id": after[1],
                "all": stores is None,
                "stores": stores or [],
                "limit": limit,
            },
        )
        rows = cursor.fetchall()
    events = []
    for txid, line, *rest in rows:
        values = dict(zip([name for name in SHAPE if name != "id"], rest, strict=True))
        for name in ("changed", "facts"):
            values[name] = _object(values[name])
        shown = {name: field.show(values[name]) for name, field in SHAPE.items() if name != "id"}
        events.append({"id": f"{txid}-{line}"} | shown)
    return events


def _object(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


def get_events(request: HttpRequest, caller: Caller) -> HttpResponse:
    caller.actor.require(EVENTS_READ)
    values = lists.read_query(request.GET, PARAMETERS)
    limit = values.get("limit", lists.DEFAULT_LIMIT)
    txid, _dash, line = values.get("after", "0-0").partition("-")
    stores = None if caller.actor.store_ids is None else sorted(caller.actor.store_ids)
    events = read_events(after=(int(txid), int(line)), limit=limit + 1, stores=stores)
    has_more, events = len(events) > limit, events[:limit]
    cursor = events[-1]["id"] if events else values.get("after")
    return answer({"data": events, "has_more": has_more, "next_cursor": cursor})
