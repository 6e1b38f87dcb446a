"""Rows into items: one ``.values()`` read into the declared shape, masked, with transitions, references and expansion."""

from __future__ import annotations

import re
import uuid
import zlib
from collections.abc import Iterable
from typing import Any

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from .. import events
from ..actors import Actor, ActorKind
from ..history import Line, record_many
from ..models import ExternalRef, Root
from ..postgres.kept import Kept
from ..postgres.prepared import run_prepared
from .auth import Caller
from .problems import Problem
from .resources import RESOURCES, Many, One, Resource, require_any
from .shapes import Field, Uid

CURRENCY = "CNY"


class _Shown:
    """Whose personal data was shown, as far as ``record_many`` needs it."""

    def __init__(self, resource: Resource, row: dict[str, Any]) -> None:
        self._meta = resource.model._meta
        self.uid = uuid.UUID(str(row["uid"]))
        self.store_id = row.get("store_id")
        self.keys = {resource.timeline: self.uid} if resource.timeline else {}

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return dict(self.keys)


def _sources(resource: Resource) -> list[str]:
    """The look-ups of the columns that an item needs."""
    sources = {field.source or name for name, field in resource.columns().items()}
    sources |= {one.source for one in resource.expand.values() if isinstance(one, One)}
    if resource.state:
        sources.add(resource.state)
    sources |= {column for action in resource.actions if action.only for column in action.only.columns}
    if any(f.name == "store" for f in resource.model._meta.fields):
        sources.add("store_id")
    return sorted(sources)


def read_rows(resource: Resource, queryset: Any) -> list[dict[str, Any]]:
    """The columns that the shape needs, and ``pk``; one query. Uids come as UUID or as text."""
    return list(queryset.values("pk", *_sources(resource)))


class _Statement:
    """One read of a resource that never changes its form: translated once, prepared once in each connection.

    The columns and conditions are those of the queryset that ``read_rows`` would run; the marks put into it are found
    again among its parameters. Uids are given as text and references come along, so that one question is enough.
    """

    def __init__(self, resource: Resource, stores: int | None, limit: int | None) -> None:
        marks = {-1_000_000_000 - n: n for n in range(stores or 0)}
        actor = Actor(ActorKind.CLIENT, "", store_ids=None if stores is None else frozenset(marks))
        queryset = resource.base(actor)
        queryset = queryset.filter(uid=_MARK) if limit is None else queryset.order_by("-pk")[:limit]
        self.names = ["pk", *_sources(resource)]
        query = queryset.values_list(*self.names).query
        inner, given = query.sql_with_params()
        self.values = [("store", marks[v]) if v in marks else ("uid" if v == _MARK else "", v) for v in given]
        columns = ", ".join(f"c{n}" for n in range(len(self.names)))
        shown = []
        kept = {field.source or name for name, field in resource.columns().items() if isinstance(field, Uid)}
        kept |= {one.source for one in resource.expand.values() if isinstance(one, One)}
        for n, name in enumerate(self.names):
            shown.append(f"q.c{n}::text" if name in kept else f"q.c{n}")
        if resource.refs:
            place = self.names.index("uid")
            shown.append(
                "(SELECT json_agg(json_build_object('system', x.system, 'id', x.external_id) ORDER BY x.system)"  # noqa: S608
                f" FROM kernel_externalref x WHERE x.root_type = '{resource.root_type}' AND x.root_uid = q.c{place})"
            )
            self.names = [*self.names, REFS]
        numbers = iter(range(1, len(given) + 1))
        inner = re.sub(r"%(s|%)", lambda found: f"${next(numbers)}" if found[1] == "s" else "%", inner)
        self.sql = f"SELECT {', '.join(shown)} FROM ({inner}) AS q({columns}) ORDER BY q.c0 DESC"  # noqa: S608
        compiler = query.get_compiler("default")
        compiler.setup_query()
        self.converters = compiler.get_converters([column[0] for column in compiler.select])

    def read(self, name: str, stores: list[int], uid: uuid.UUID | None) -> list[dict[str, Any]]:
        made = [stores[v] if kind == "store" else uid if kind == "uid" else v for kind, v in self.values]
        rows = run_prepared(name, self.sql, made)
        for place, (functions, expression) in self.converters.items():
            rows = [(*row[:place], _converted(row[place], functions, expression), *row[place + 1 :]) for row in rows]
        return [dict(zip(self.names, row, strict=True)) for row in rows]


def _converted(value: Any, functions: Any, expression: Any) -> Any:
    for function in functions:
        value = function(value, expression, connection)
    return value


_MARK = uuid.UUID(int=0x4D61726B)
REFS = "external_refs"
_statements: dict[str, _Statement] = {}


def read_plainly(
    resource: Resource, caller: Caller, *, uid: uuid.UUID | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """One item by uid, or the newest ``limit`` of them: the two reads that are asked for most.

    Where a resource reads its rows in a way of its own, its queryset is run.
    """
    stores = caller.actor.store_ids if resource.model.store_path is not None else None
    if resource.rows is not None or caller.actor.kind == ActorKind.LINK:
        queryset = resource.base(caller.actor)
        queryset = queryset.filter(uid=uid)[:1] if limit is None else queryset.order_by("-pk")[:limit]
        return read_rows(resource, queryset)
    name = f"{resource.path}:{'all' if stores is None else len(stores)}:{'one' if limit is None else limit}"
    statement = _statements.get(name)
    if statement is None:
        count = None if stores is None else len(stores)
        if count == 0:
            return []
        statement = _statements[name] = _Statement(resource, count, limit)
    return statement.read(name, sorted(stores or ()), uid)


def shower(field: Field) -> Any:
    """The field's way from a column to JSON; None where the value goes out as it is."""
    return None if type(field).show is Field.show else field.show


def _show(field: Field, value: Any, unmasked: bool) -> Any:
    shown = field.show(value)
    return field.mask(shown) if field.mask and not unmasked and isinstance(shown, str) else shown


def items_of(
    resource: Resource, rows: list[dict[str, Any]], caller: Caller, expand: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Items in the order of ``rows``; writes a history line for each item whose personal data is shown unmasked."""
    unmasked = caller.unmasked
    columns = resource.columns()
    manys = {name: _many(many, rows, unmasked) for name, many in resource.manys().items()}
    refs: dict[str, list[dict[str, str]]] = {}
    if resource.refs and rows and REFS not in rows[0]:
        refs = _references(resource, rows)
    possible: dict[Any, list[str]] = {}
    plan = [
        (name, field.source or name, shower(field), None if unmasked else field.mask)
        if (field := columns.get(name)) is not None
        else (name, "", None, None)
        for name in resource.fields_out()
    ]
    items = []
    for row in rows:
        item: dict[str, Any] = {}
        for name, source, show, mask in plan:
            if source:
                value = row[source]
                if show is not None:
                    value = show(value)
                item[name] = mask(value) if mask is not None and isinstance(value, str) else value
            elif name in manys:
                item[name] = manys[name].get(row["pk"], [])
            elif name == "currency_code":
                item[name] = CURRENCY
            elif name == REFS:
                item[name] = (row[REFS] or []) if REFS in row else refs.get(str(row["uid"]), [])
            else:
                state = row.get(resource.state) if resource.state else None
                if state not in possible or resource.conditional:
                    possible[state] = transitions(resource, row, caller)
                item[name] = possible[state]
        items.append(item)
    for name in expand:
        _expand(resource, name, rows, items, caller)
    if unmasked and resource.personal():
        seen: list[Any] = [_Shown(resource, row) for row in rows]
        facts = {"resource": resource.path}
        record_many([Line(root, events.PERSONAL_DATA_READ, facts=facts) for root in seen], by=caller.actor)
    return items


def transitions(resource: Resource, row: dict[str, Any], caller: Caller) -> list[str]:
    state = row.get(resource.state) if resource.state else None
    return [
        action.verb
        for action in resource.actions
        if (action.when is None or state in action.when)
        and (action.only is None or action.only(row))
        and action.allowed(caller.actor)
    ]


_of_one: dict[int, Kept[Any]] = {}


def _many(many: Many, rows: list[dict[str, Any]], unmasked: bool) -> dict[Any, list[dict[str, Any]]]:
    sources = {field.source or name for name, field in many.fields.items()} | {many.by}
    found: dict[Any, list[dict[str, Any]]] = {}
    if len(rows) == 1:
        kept = _of_one.get(id(many))
        if kept is None:
            kept = _of_one[id(many)] = Kept(
                lambda pk: many.rows().filter(**{many.by: pk}).values(*sorted(sources)), pk=int
            )
        inner = kept(pk=rows[0]["pk"])
    else:
        inner = list(many.rows().filter(**{f"{many.by}__in": [r["pk"] for r in rows]}).values(*sorted(sources)))
    for row in inner:
        item = {name: _show(field, row[field.source or name], unmasked) for name, field in many.fields.items()}
        found.setdefault(row[many.by], []).append(item)
    return found


def _references(resource: Resource, rows: list[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    refs = ExternalRef.objects.filter(root_type=resource.root_type, root_uid__in=[row["uid"] for row in rows])
    for uid, system, external_id in refs.order_by("system").values_list("root_uid", "system", "external_id"):
        found.setdefault(str(uid), []).append({"system": system, "id": external_id})
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
    owners = {str(uid): str(link) for uid, link in queryset.values_list("uid", how.link)}
    grouped: dict[Any, list[dict[str, Any]]] = {}
    for item in items_of(target, read_rows(target, queryset), caller):
        grouped.setdefault(owners[item["uid"]], []).append(item)
    for row, item in zip(rows, items, strict=True):
        item[name] = grouped.get(str(row["uid"]), [])


def etag_of(item: dict[str, Any], content: bytes) -> str:
    """A strong ETag: the version that If-Match compares, and a checksum of what stands in this answer."""
    return f'"{item["version"]}-{zlib.crc32(content):08x}"'


_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e]*"\s*)*')


def versions_named(header: str) -> set[int] | None:
    """The versions an If-Match header names; None for ``*``. A weak or foreign tag names none.

    Raises Problem 400 for what is no list of entity tags (the quotes are part of a tag).
    """
    if header.strip() == "*":
        return None
    if not _TAGS.fullmatch(header):
        raise Problem(
            400,
            "if_match.form",
            _('Send the ETag as it came, with its quotes, like "3-1a2b3c4d"; If-Match takes nothing else but *.'),
        )
    named = set()
    for tag in header.split(","):
        number = tag.strip().strip('"').split("-", 1)[0]
        if number.isascii() and number.isdigit() and len(number) < 10:
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
        )
    return root


def encode(value: Any) -> bytes:
    return orjson.dumps(value)
