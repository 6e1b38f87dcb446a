"""Rows into items: one ``.values()`` read into the declared shape, masked, with transitions, references and expansion."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable
from typing import Any

import orjson
from django.utils.translation import gettext as _

from .. import events
from ..history import record
from ..models import ExternalRef, Root
from .auth import Caller
from .problems import Problem
from .resources import RESOURCES, Many, One, Resource, require_any
from .shapes import Field

CURRENCY = "CNY"


class _Shown:
    """Whose personal data was shown, as far as ``record`` needs it."""

    def __init__(self, resource: Resource, row: dict[str, Any]) -> None:
        self._meta = resource.model._meta
        self.uid: uuid.UUID = row["uid"]
        self.store_id = row.get("store_id")
        self.keys = {resource.timeline: self.uid} if resource.timeline else {}

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return dict(self.keys)


def read_rows(resource: Resource, queryset: Any) -> list[dict[str, Any]]:
    """The columns that the shape needs, and ``pk``; one query."""
    sources = {field.source or name for name, field in resource.columns().items()}
    sources |= {one.source for one in resource.expand.values() if isinstance(one, One)}
    if resource.state:
        sources.add(resource.state)
    if any(f.name == "store" for f in resource.model._meta.fields):
        sources.add("store_id")
    return list(queryset.values("pk", *sorted(sources)))


def _show(field: Field, value: Any, unmasked: bool) -> Any:
    shown = field.show(value)
    return field.mask(shown) if field.mask and not unmasked and isinstance(shown, str) else shown


def items_of(
    resource: Resource, rows: list[dict[str, Any]], caller: Caller, expand: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Items in the order of ``rows``; writes a history line for each item whose personal data is shown unmasked."""
    unmasked = caller.unmasked
    columns = [(name, field.source or name, field) for name, field in resource.columns().items()]
    manys = {name: _many(many, rows, unmasked) for name, many in resource.manys().items()}
    refs = _references(resource, rows) if resource.refs else {}
    order, money = list(resource.fields_out()), resource.has_money()
    items = []
    for row in rows:
        made = {name: _show(field, row[source], unmasked) for name, source, field in columns}
        for name, found in manys.items():
            made[name] = found.get(row["pk"], [])
        if money:
            made["currency_code"] = CURRENCY
        if resource.refs:
            made["external_refs"] = refs.get(row["uid"], [])
        if "transitions" in resource.extras():
            made["transitions"] = transitions(resource, row, caller)
        items.append({name: made[name] for name in order})
    for name in expand:
        _expand(resource, name, rows, items, caller)
    if unmasked and resource.personal():
        for row in rows:
            shown: Any = _Shown(resource, row)
            record(shown, events.PERSONAL_DATA_READ, by=caller.actor, resource=resource.path)
    return items


def transitions(resource: Resource, row: dict[str, Any], caller: Caller) -> list[str]:
    state = row.get(resource.state) if resource.state else None
    return [
        action.verb
        for action in resource.actions
        if (action.when is None or state in action.when) and action.allowed(caller.actor)
    ]


def _many(many: Many, rows: list[dict[str, Any]], unmasked: bool) -> dict[Any, list[dict[str, Any]]]:
    sources = {field.source or name for name, field in many.fields.items()} | {many.by}
    found: dict[Any, list[dict[str, Any]]] = {}
    for row in many.rows().filter(**{f"{many.by}__in": [r["pk"] for r in rows]}).values(*sorted(sources)):
        item = {name: _show(field, row[field.source or name], unmasked) for name, field in many.fields.items()}
        found.setdefault(row[many.by], []).append(item)
    return found


def _references(resource: Resource, rows: list[dict[str, Any]]) -> dict[Any, list[dict[str, str]]]:
    found: dict[Any, list[dict[str, str]]] = {}
    refs = ExternalRef.objects.filter(root_type=resource.root_type, root_uid__in=[row["uid"] for row in rows])
    for uid, system, external_id in refs.order_by("system").values_list("root_uid", "system", "external_id"):
        found.setdefault(uid, []).append({"system": system, "id": external_id})
    return found


def _expand(resource: Resource, name: str, rows: list[dict[str, Any]], items: list[dict[str, Any]], caller: Caller):
    how = resource.expand[name]
    target = RESOURCES[how.target]
    require_any(caller.actor, target.view)
    if isinstance(how, One):
        wanted = {row[how.source] for row in rows if row[how.source]}
        found = read_rows(target, target.base(caller.actor).filter(uid__in=wanted))
        by_uid = {item["uid"]: item for item in items_of(target, found, caller)}
        for row, item in zip(rows, items, strict=True):
            item[name] = by_uid.get(str(row[how.source]))
        return
    queryset = target.base(caller.actor).filter(**{f"{how.link}__in": [row["uid"] for row in rows]}).order_by("pk")
    owners = dict(queryset.values_list("uid", how.link))
    grouped: dict[Any, list[dict[str, Any]]] = {}
    for item in items_of(target, read_rows(target, queryset), caller):
        grouped.setdefault(owners[uuid.UUID(item["uid"])], []).append(item)
    for row, item in zip(rows, items, strict=True):
        item[name] = grouped.get(row["uid"], [])


def etag_of(item: dict[str, Any], content: bytes) -> str:
    """A strong ETag: the version that If-Match compares, and a checksum of what stands in this answer."""
    return f'"{item["version"]}-{zlib.crc32(content):08x}"'


def versions_named(header: str) -> set[int] | None:
    """The versions an If-Match header names; None for ``*``. A weak or foreign tag names none."""
    if header.strip() == "*":
        return None
    named = set()
    for tag in header.split(","):
        tag = tag.strip()
        if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
            number = tag[1:-1].split("-", 1)[0]
            if number.isascii() and number.isdigit():
                named.add(int(number))
    return named


def lock(resource: Resource, uid: uuid.UUID, caller: Caller, if_match: str | None) -> Root:
    """Locks the item (what the commands lock before it, first) and compares If-Match under the lock.

    Raises Problem 404, 428 (no If-Match) or 412 (somebody changed it since).
    """
    scoped: Any = resource.base(caller.actor).filter(uid=uid)
    for path in resource.lock_first:
        model: Any = resource.model
        for part in path.split("__"):
            model = model._meta.get_field(part).related_model
        pks = list(scoped.values_list(f"{path}__pk", flat=True))
        list(model.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    root: Root | None = scoped.locked().first()
    if root is None:
        raise Problem(404, "not_found", _("There is nothing here, or it belongs to another store."))
    if if_match is None:
        raise Problem(
            428, "if_match.missing", _("Send the ETag of what you read as If-Match, so that nobody's change is lost.")
        )
    named = versions_named(if_match)
    if named is not None and root.version not in named:
        raise Problem(
            412,
            "if_match.changed",
            _("It was changed since you read it; read it again and decide again."),
            headers={"ETag": f'"{root.version}"'},
        )
    return root


def encode(value: Any) -> bytes:
    return orjson.dumps(value)
