"""Figures as people read them: value, numerator and denominator over a period, by day and by person (6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store

from ..figures import FIGURES, Figure
from ..models import KpiValue


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure over a period. ``value`` is None where nothing was counted (no population, no figure)."""

    figure: Figure
    numerator: Decimal
    denominator: Decimal
    day: date | None = None
    dimension: str = ""

    @property
    def value(self) -> Decimal | None:
        if not self.denominator:
            return None
        raw = self.numerator * self.figure.scale
        if not self.figure.sums:
            raw = raw / self.denominator
        return raw.quantize(Decimal(1).scaleb(-self.figure.decimals), ROUND_HALF_UP)

    @property
    def on_target(self) -> bool | None:
        if self.value is None or self.figure.target is None or self.figure.higher_is_better is None:
            return None
        above = self.value >= self.figure.target
        return above if self.figure.higher_is_better else self.value <= self.figure.target


def read(by: Actor, code: str, first: date, last: date, dimension: str = "") -> Reading:
    """One figure of the actor's stores over the days ``first`` to ``last`` inclusive; of one person by ``dimension``."""
    rows = KpiValue.objects.for_actor(by).filter(code=code, day__range=(first, last), dimension=dimension)
    total = rows.aggregate(n=Sum("numerator"), d=Sum("denominator"))
    return Reading(FIGURES[code], total["n"] or Decimal(0), total["d"] or Decimal(0))


def read_many(by: Actor, first: date, last: date) -> dict[str, Reading]:
    """All figures of a period in one query."""
    rows = (
        KpiValue.objects.for_actor(by)
        .filter(day__range=(first, last), dimension="")
        .values("code")
        .annotate(n=Sum("numerator"), d=Sum("denominator"))
    )
    found = {row["code"]: row for row in rows}
    zero = {"n": Decimal(0), "d": Decimal(0)}
    return {c: Reading(f, found.get(c, zero)["n"], found.get(c, zero)["d"]) for c, f in FIGURES.items()}


def by_day(by: Actor, code: str, first: date, last: date, dimension: str = "") -> list[Reading]:
    """The figure of each day that has one, oldest first; of one person by ``dimension``."""
    rows = (
        KpiValue.objects.for_actor(by)
        .filter(code=code, day__range=(first, last), dimension=dimension)
        .values("day")
        .annotate(n=Sum("numerator"), d=Sum("denominator"))
        .order_by("day")
    )
    return [Reading(FIGURES[code], row["n"], row["d"], day=row["day"]) for row in rows]


def by_dimension(by: Actor, code: str, first: date, last: date) -> list[Reading]:
    """The figure per person over the period; ``dimension`` is the employee's uid."""
    rows = (
        KpiValue.objects.for_actor(by)
        .filter(code=code, day__range=(first, last))
        .exclude(dimension="")
        .values("dimension")
        .annotate(n=Sum("numerator"), d=Sum("denominator"))
        .order_by("dimension")
    )
    return [Reading(FIGURES[code], row["n"], row["d"], dimension=row["dimension"]) for row in rows]


def store_day(store: Store, day: date) -> tuple[datetime, datetime]:
    """Beginning and end (exclusive) of a calendar day at the store, in UTC."""
    zone = ZoneInfo(store.time_zone)
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    return start, datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


ROWS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Behind:
    """One thing that a figure counted: a visit, order, appointment or complaint with its car and person."""

    kind: str
    uid: UUID
    plate: str
    color: str
    at: datetime
    person: str
    numerator: Decimal
    denominator: Decimal


@dataclass(frozen=True, slots=True)
class RowsBehind:
    """A page of the rows, newest first, with the sums of all of them: they are the figure."""

    rows: list[Behind]
    count: int
    numerator: Decimal
    denominator: Decimal
    page: int
    more: bool


def rows_behind(
    by: Actor, code: str, first: date, last: date, *, dimension: str | None = None, page: int = 1
) -> RowsBehind:
    """What stands behind a figure of the actor's stores over days of the store, for everybody or one ``dimension``.

    Read from the base tables, never from the rollup. ``page`` counts from 1.
    """
    figure = FIGURES[code]
    found: list[str] = []
    values: dict[str, Any] = {"dimension": dimension, "shown": ROWS_SHOWN, "before": (page - 1) * ROWS_SHOWN}
    for store in Store.objects.for_actor(by).order_by("pk"):
        start, end = store_day(store, first)[0], store_day(store, last)[1]
        given = {"store_id": store.pk, "zone": store.time_zone, "day_start": start, "day_end": end, "now": clock.now()}
        values |= {f"{name}_{store.pk}": value for name, value in given.items()}
        found.append("(" + re.sub(r"%\((\w+)\)s", rf"%(\1_{store.pk})s", figure.rows) + ")")
    if not found:
        return RowsBehind([], 0, Decimal(0), Decimal(0), page, False)
    union = " UNION ALL ".join(found)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH behind (kind, uid, plate, color, at, dimension, person, numerator, denominator) AS ("  # noqa: S608
            f"{union}) SELECT kind, uid, plate, color, at, person, numerator, denominator, count(*) OVER (),"
            " sum(numerator) OVER (), sum(denominator) OVER () FROM behind"
            " WHERE %(dimension)s::text IS NULL OR dimension = %(dimension)s"
            " ORDER BY at DESC NULLS LAST, uid LIMIT %(shown)s OFFSET %(before)s",
            values,
        )
        got = cursor.fetchall()
    if not got:
        return RowsBehind([], 0, Decimal(0), Decimal(0), page, False)
    count, numerator, denominator = got[0][8:]
    shown = [
        Behind(kind, uid, plate, color, at, person, Decimal(own or 0), Decimal(of or 0))
        for kind, uid, plate, color, at, person, own, of, *_sums in got
    ]
    return RowsBehind(shown, count, Decimal(numerator or 0), Decimal(denominator or 0), page, count > page * ROWS_SHOWN)
