"""The feed of events (1.1, 7.3): everything that was committed, in an order in which nothing is skipped.

The cursor is (transaction id, line id); only rows of transactions older than every one that
runs in this database are given, because a transaction that commits late has a lower number than lines already read.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from ..actors import Actor
from ..history import HORIZON
from ..permissions import EVENTS_READ
from .problems import Problem
from .resources import RESOURCES, Listing, register_listing
from .shapes import Choice, Facts, Field, Moment, Text, Uid

AFTER = Text(
    40, min=1, pattern=r"^[0-9]{1,18}-[0-9]{1,18}$", help="next_cursor of the answer before; none: from the start."
)
SHAPE: dict[str, Field] = {
    "id": Text(help="The event's own name, also its cursor."),
    "type": Text(help="<chapter>.<root>.<past participle>"),
    "at": Moment(help="When it happened."),
    "written_at": Moment(help="When it was written down."),
    "root_type": Text(),
    "root_uid": Uid(),
    "resource": Text(
        null=True,
        help="Where the item with this root_uid is read. Null: it is part of what visit_uid, order_uid, vehicle_uid or "
        "customer_uid names, or isn't given by the API.",
    ),
    "store_code": Text(null=True),
    "actor_kind": Choice(choices=("USER", "LINK", "CLIENT", "MACHINE")),
    "visit_uid": Uid(null=True),
    "vehicle_uid": Uid(null=True),
    "customer_uid": Uid(null=True),
    "order_uid": Uid(null=True),
    "changed": Facts(help="field → [before, after]"),
    "facts": Facts(help="Ids, codes, amounts and hashes; never names or free text."),
}

_SQL = f"""
SELECT h.txid, h.id, h.code, h.at, h.written_at, h.root_type, h.root_uid, s.code, h.actor_kind,
    h.visit_uid, h.vehicle_uid, h.customer_uid, h.order_uid, h.changed, h.facts
FROM kernel_history h LEFT JOIN kernel_store s ON s.id = h.store_id
WHERE (h.txid, h.id) > (%(txid)s, %(id)s)
    AND h.txid < {HORIZON}
    AND (%(all)s OR h.store_id IS NULL OR h.store_id = ANY(%(stores)s))
ORDER BY h.txid, h.id
LIMIT %(limit)s
"""  # noqa: S608


def read_events(*, after: tuple[int, int], limit: int, stores: list[int] | None) -> list[dict[str, Any]]:
    """Events after the cursor in the order of their transactions; ``stores`` None means all."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL,
            {"txid": after[0], "id": after[1], "all": stores is None, "stores": stores or [], "limit": limit},
        )
        rows = cursor.fetchall()
    names = [name for name in SHAPE if name not in ("id", "resource")]
    of_type = resources_by_type()
    events = []
    for txid, line, *rest in rows:
        values = dict(zip(names, rest, strict=True)) | {"id": f"{txid}-{line}"}
        values["resource"] = of_type.get(values["root_type"])
        for name in ("changed", "facts"):
            values[name] = orjson.loads(values[name]) if isinstance(values[name], str) else values[name]
        events.append(values)
    return events


def resources_by_type() -> dict[str, str | None]:
    """The resource that gives a kind of root; None where several share it."""
    found: dict[str, str | None] = {}
    for resource in RESOURCES.values():
        found[resource.root_type] = None if resource.root_type in found else resource.path
    return found


def _require_known(txid: int) -> None:
    """A cursor of a transaction that hasn't begun is of another installation: going on from it would wait for ever."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        if txid < cursor.fetchone()[0]:
            return
    message = _("Nothing was given under this cursor here: it is of another or an older installation. Begin anew.")
    errors = [{"pointer": "?after", "code": "cursor", "message": message}]
    raise Problem(400, "validation", _("Some parameters can't be taken; see “errors”."), errors=errors)


def _read(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """A page of the feed; the cursor stays where it was when nothing new is there."""
    txid, _dash, line = values.get("after", "0-0").partition("-")
    stores = None if actor.store_ids is None else sorted(actor.store_ids)
    limit = values["limit"]
    events = read_events(after=(int(txid), int(line)), limit=limit + 1, stores=stores)
    if not events:
        _require_known(int(txid))
    has_more, events = len(events) > limit, events[:limit]
    return events, has_more, events[-1]["id"] if events else values.get("after")


FEED = register_listing(
    Listing(
        path="events",
        name="Event",
        room="kernel",
        view=EVENTS_READ,
        help="What happened, in the order of the transactions; a line is given when no older one can follow (1.1).",
        parameters={"after": AFTER},
        shape=SHAPE,
        read=_read,
    )
)
