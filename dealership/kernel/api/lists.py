"""Lists {data, has_more, next_cursor}: strict parameters, stable order, an opaque cursor without inner keys."""

from __future__ import annotations

import base64
import binascii
import zlib
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from .problems import Problem
from .resources import Resource
from .shapes import Field, Moment, Refused, Text, Whole

LIMIT = Whole(1, 100, help="How many items, 1 to 100 (default 50).")
CURSOR = Text(400, min=1, pattern=r"^[A-Za-z0-9_-]+$", help="next_cursor of the page before.")
UPDATED = Moment(
    help="Only what was changed at or after this moment, oldest change first. Nothing is lost by reading the feed "
    "/events instead."
)
DEFAULT_LIMIT = 50


def read_query(query: QueryDict, known: dict[str, Field], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Reads the parameters; unknown, missing, repeated and wrong ones are named together in a 400."""
    errors, values = [], {}
    for name in required:
        if name not in query:
            message = _("This parameter is required.")
            errors.append({"pointer": f"?{name}", "code": "required", "message": message})
    for name in query:
        given = query.getlist(name)
        if name not in known:
            message = _("There is no such parameter.")
            errors.append({"pointer": f"?{name[:60]}", "code": "unknown", "message": message})
        elif len(given) > 1:
            errors.append({"pointer": f"?{name}", "code": "repeated", "message": _("Give this parameter once.")})
        else:
            try:
                values[name] = known[name].read_text(given[0], f"?{name}")
            except Refused as refused:
                errors += refused.errors
    if errors:
        raise Problem(400, "validation", _("Some parameters can't be taken; see “errors”."), errors=errors)
    return values


def parameters(resource: Resource) -> dict[str, Field]:
    known: dict[str, Field] = {"limit": LIMIT, "cursor": CURSOR, "updated_gte": UPDATED}
    known |= {name: f.field for name, f in resource.filters.items()}
    return known | expand_parameter(resource)


def expand_parameter(resource: Resource) -> dict[str, Field]:
    if not resource.expand:
        return {}
    names = "|".join(sorted(resource.expand))
    return {
        "expand": Text(
            200,
            pattern=rf"^({names})(,({names}))*$",
            help=f"Related items to put in, separated by commas: {', '.join(sorted(resource.expand))}.",
        )
    }


def expand_of(values: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(values["expand"].split(","))) if "expand" in values else []


def _cursor(made: list[str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(made)).decode().rstrip("=")


def _list_of(resource: Resource, values: dict[str, Any]) -> str:
    """Which list a cursor is of: the collection with its filters."""
    filters = sorted((name, str(values[name])) for name in resource.filters if name in values)
    return f"{zlib.crc32(orjson.dumps([resource.path, filters])):08x}"


def _read_cursor(text: str, of: str, length: int) -> list[str]:
    try:
        whole = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not (isinstance(whole, list) and len(whole) == length + 1 and all(isinstance(part, str) for part in whole)):
            raise ValueError
        made = whole[1:]
        if whole[0] != of:
            raise ValueError
        UUID(made[-1])
        if length == 2 and datetime.fromisoformat(made[0]).tzinfo is None:
            raise ValueError
    except (ValueError, binascii.Error, orjson.JSONDecodeError):
        raise Problem(
            400,
            "validation",
            _("Some parameters can't be taken; see “errors”."),
            errors=[
                {
                    "pointer": "?cursor",
                    "code": "cursor",
                    "message": _(
                        "This cursor doesn't belong to this list: keep the filters of the page before, or begin without it."
                    ),
                }
            ],
        ) from None
    return made


def page(resource: Resource, queryset: Any, values: dict[str, Any]) -> tuple[Any, int]:
    """The queryset of one page and one row more, so that ``has_more`` is known without counting.

    Newest first; with ``updated_gte`` oldest change first, so that a reader can go on where it stopped. The row that
    the cursor names is looked for among those of ``queryset``: another store's row has no place in this list.
    """
    limit = values.get("limit", DEFAULT_LIMIT)
    visible = queryset.order_by()
    for name, made in resource.filters.items():
        if name in values:
            queryset = queryset.filter(**{made.lookup: made.of(values[name]) if made.of else values[name]})
    if "updated_gte" in values:
        queryset = queryset.filter(updated_at__gte=values["updated_gte"]).order_by("updated_at", "pk")
        if "cursor" in values:
            at, uid = _read_cursor(values["cursor"], _list_of(resource, values), 2)
            last = visible.filter(uid=uid).values("pk")[:1]
            queryset = queryset.filter(Q(updated_at__gt=at) | Q(updated_at=at, pk__gt=last))
    else:
        queryset = queryset.order_by("-pk")
        if "cursor" in values:
            (uid,) = _read_cursor(values["cursor"], _list_of(resource, values), 1)
            queryset = queryset.filter(pk__lt=visible.filter(uid=uid).values("pk")[:1])
    return queryset[: limit + 1], limit


def next_cursor(resource: Resource, row: dict[str, Any], values: dict[str, Any]) -> str:
    uid = str(row["uid"])
    of = _list_of(resource, values)
    return _cursor([of, row["updated_at"].isoformat(), uid] if "updated_gte" in values else [of, uid])
