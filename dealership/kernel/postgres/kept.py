"""Querysets and rows whose SQL is made once and prepared once in each connection (``prepared.py``).

A hot command asks the same few questions each time; Django's making of their SQL costs more than PostgreSQL's answer.
``Kept`` keeps the translation of a queryset, ``insert`` that of a model's row. What comes out is what Django gives.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from django.db.models.query import (  # type: ignore[attr-defined]
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    ValuesIterable,
    ValuesListIterable,
    get_related_populators,
)
from psycopg2.extras import DateTimeTZRange

from ..actors import Actor, ActorKind
from .prepared import run_prepared

T = TypeVar("T")

# Values that stand for the parameters while the queryset is translated, and are found again in what comes out.
_MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda n: -1_900_000_000 - n,
    str: lambda n: f"kept-{n}-\u2603",
    UUID: lambda n: UUID(int=0x6B657074 << 64 | n),
    date: lambda n: date(1701, 1, 1) + timedelta(days=n),
    datetime: lambda n: datetime(1701, 1, 1, tzinfo=UTC) + timedelta(days=n),
}


class Kept(Generic[T]):
    """``Kept(lambda by, uid: Model.objects.for_actor(by).filter(uid=uid), by=Actor, uid=UUID)(by=…, uid=…)`` is the list
    that the queryset would give.

    The parameters' types are named; each stands in the queryset as a plain value (no list). An actor counts with its
    stores; a customer's link is asked in Django's way. No prefetch, no parameter that is None.
    """

    def __init__(self, make: Callable[..., models.QuerySet[Any]], **kinds: type) -> None:
        self.make, self.kinds = make, kinds

    def __call__(self, **values: Any) -> list[T]:
        by: Actor | None = values.get("by")
        stores: list[int] | None = None
        if by is not None:
            if by.kind == ActorKind.LINK:
                return list(self.make(**values))
            stores = None if by.store_ids is None else sorted(by.store_ids)
            values |= {f"by {n}": store for n, store in enumerate(stores or ())}
        form = self, None if stores is None else len(stores)
        kept: dict[Any, _Translated] = connection.kept_here  # type: ignore[attr-defined]
        translated = kept.get(form)
        if translated is None:
            translated = kept[form] = _Translated(self, form[1])
        return translated.ask(values)

    def first(self, **values: Any) -> T | None:
        found = self(**values)
        return found[0] if found else None


class _Translated:
    """One queryset in SQL, with the places of its parameters."""

    def __init__(self, kept: Kept[Any], stores: int | None) -> None:
        marks: dict[str, Any] = {}
        named: dict[Any, str] = {}
        for name, kind in kept.kinds.items():
            if kind is Actor:
                held = [_MARKS[int](1000 + n) for n in range(stores or 0)]
                marks[name] = Actor(ActorKind.MACHINE, "", store_ids=None if stores is None else frozenset(held))
                named |= {mark: f"{name} {n}" for n, mark in enumerate(held)}
            else:
                marks[name] = _MARKS[kind](len(named))
                named[marks[name]] = name
        self.queryset = kept.make(**marks)
        self.compiler = self.queryset.query.get_compiler(connection=connection)
        self.places: list[str] = []
        try:
            sql, given = self.compiler.as_sql()
        except EmptyResultSet:
            self.sql = ""
        else:
            self.sql = self._prepared(sql, given, named)
            plain = {name for name, kind in kept.kinds.items() if kind is not Actor}  # a group's rows ask for no store
            if missing := plain - set(self.places):
                raise ValueError(f"Parameters without a place of their own: {missing}")
            self.build = _builder(self.queryset, self.compiler)

    def _prepared(self, sql: str, given: Any, named: dict[Any, str]) -> str:
        values = iter(given)

        def place(found: re.Match[str]) -> str:
            if found[1] == "%":
                return "%"
            value = next(values)
            if isinstance(value, date | int | str | UUID) and value in named:
                return self._place(named[value])
            if isinstance(value, DateTimeTZRange) and value.lower in named and value.upper in named:
                return f"tstzrange({self._place(named[value.lower])}, {self._place(named[value.upper])})"
            with connection.cursor() as cursor:  # a constant stays one, so that partial indexes are found
                return str(cursor.mogrify("%s", [value]).decode())

        return re.sub(r"%(s|%)", place, sql)

    def _place(self, name: str) -> str:
        self.places.append(name)
        return f"${len(self.places)}"

    def ask(self, values: dict[str, Any]) -> list[Any]:
        if not self.sql:
            return []
        return self.build(run_prepared("kept", self.sql, [values[name] for name in self.places]))


def _builder(queryset: Any, compiler: Any) -> Callable[[list[Any]], list[Any]]:
    """How rows become what the queryset gives; as Django's iterables do it, worked out once."""
    converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
    kind, query = queryset._iterable_class, queryset.query

    def converted(rows: list[Any]) -> list[Any]:
        if compiler.has_extra_select:
            rows = [row[: compiler.col_count] for row in rows]
        return list(map(tuple, compiler.apply_converters(rows, converters))) if converters else rows

    if kind is ModelIterable:
        klass, select = compiler.klass_info, compiler.select
        model, start, end = klass["model"], klass["select_fields"][0], klass["select_fields"][-1] + 1
        names = [column[0].target.attname for column in select[start:end]]
        related = get_related_populators(klass, select, queryset.db)
        annotated = dict(compiler.annotation_col_map or {})

        def built(row: Any) -> Any:
            made = model.from_db(connection.alias, names, row[start:end])
            for populator in related:
                populator.populate(row, made)
            for name, place in annotated.items():
                setattr(made, name, row[place])
            return made

        return lambda rows: [built(row) for row in converted(rows)]
    names = list(query.selected or [*query.extra_select, *query.values_select, *query.annotation_select])
    if kind is ValuesIterable:
        return lambda rows: [dict(zip(names, row, strict=True)) for row in converted(rows)]
    if names != list(queryset._fields):
        raise ValueError("Name the columns of a kept list, in one order.")
    if kind is FlatValuesListIterable:
        return lambda rows: [row[0] for row in converted(rows)]
    if kind is NamedValuesListIterable:
        make = namedtuple("Row", names)  # type: ignore[misc]
        return lambda rows: [make._make(row) for row in converted(rows)]
    if kind is ValuesListIterable:
        return converted
    raise ValueError(f"{kind.__name__} isn't kept.")


_inserts: dict[tuple[type[models.Model], tuple[str, ...]], str] = {}


def insert(row: Any) -> Any:
    """Writes a new row of a model and returns it with its key, like ``save`` does for one that has no signals."""
    meta = row._meta
    fields, values = [], []
    for field in meta.local_concrete_fields:
        if field.primary_key or field.generated:
            continue
        value = field.pre_save(row, True)
        if isinstance(value, DatabaseDefault):
            continue
        fields.append(field)
        values.append(field.get_db_prep_save(value, connection))
    key = type(row), tuple(field.column for field in fields)
    sql = _inserts.get(key)
    if sql is None:
        columns = ", ".join(f'"{column}"' for column in key[1])
        places = ", ".join(f"${n}" for n in range(1, len(fields) + 1))
        sql = f'INSERT INTO "{meta.db_table}" ({columns}) VALUES ({places}) RETURNING "{meta.pk.column}"'  # noqa: S608
        _inserts[key] = sql
    row.pk = run_prepared("insert", sql, values)[0][0]
    row._state.adding, row._state.db = False, connection.alias
    return row


def forget(row: models.Model, *fields: str) -> None:
    """What triggers may have changed is read again when somebody asks for it."""
    for name in fields:
        row.__dict__.pop(name, None)
