"""Figures as people read them: value, numerator and denominator over a period, by day and by person (6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Sum

from dealership.kernel.actors import Actor

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


def read(by: Actor, code: str, first: date, last: date) -> Reading:
    """One figure of the actor's stores over the days ``first`` to ``last`` inclusive."""
    rows = KpiValue.objects.for_actor(by).filter(code=code, day__range=(first, last), dimension="")
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


def by_day(by: Actor, code: str, first: date, last: date) -> list[Reading]:
    """The figure of each day that has one, oldest first."""
    rows = (
        KpiValue.objects.for_actor(by)
        .filter(code=code, day__range=(first, last), dimension="")
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
