"""Rates, prices and places of a store as its managers see them: what holds, what is to come, what was (2.4, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q

from dealership.catalogue.models import (
    LaborRate,
    ModelPrice,
    Part,
    PartPrice,
    PayType,
    Reservation,
    Resource,
    ResourceKind,
    VehicleModel,
)
from dealership.kernel import clock
from dealership.kernel.actors import Actor

from .items import matching_parts

SHOWN = 100
"""Parts on one page; a search narrows the rest."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A price from a day on; ``ends_on`` is its last day, None while no other follows."""

    amount: Decimal
    starts_on: date
    ends_on: date | None
    core: Decimal = Decimal(0)

    def holds(self, on: date) -> bool:
        return self.starts_on <= on and (self.ends_on is None or self.ends_on >= on)


@dataclass(frozen=True, slots=True)
class PayerRates:
    pay_type: str
    label: Any
    now: Dated | None
    coming: Dated | None
    earlier: list[Dated]


@dataclass(frozen=True, slots=True)
class PricedRow:
    part: Part
    now: Decimal | None
    coming: Dated | None


@dataclass(frozen=True, slots=True)
class PriceList:
    """``rows`` are the first ``SHOWN`` of ``found`` parts; ``missing`` of all active parts have no price today."""

    rows: list[PricedRow]
    found: int
    missing: int


def labor_rates(by: Actor) -> list[PayerRates]:
    """Every payer with the rate of today, the next one and the earlier ones, newest first."""
    today = clock.today()
    dated: dict[str, list[Dated]] = {code: [] for code in PayType.values}
    rows = LaborRate.objects.for_actor(by).filter(store_id=by.store_id).order_by("-starts_on")
    for pay_type, *facts in rows.values_list("pay_type", "rate", "starts_on", "ends_on"):
        dated[pay_type].append(Dated(*facts))
    return [
        PayerRates(
            code,
            PayType(code).label,
            next((row for row in dated[code] if row.holds(today)), None),
            next((row for row in reversed(dated[code]) if row.starts_on > today), None),
            [row for row in dated[code] if row.ends_on is not None and row.ends_on < today],
        )
        for code in PayType.values
    ]


def _held(by: Actor, on: date) -> Any:
    return PartPrice.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=on), store_id=by.store_id).filter(
        starts_on__lte=on
    )


def price_list(by: Actor, *, text: str = "", missing: bool = False) -> PriceList:
    """Active parts with the store's price of today; ``missing`` keeps those that have none."""
    today = clock.today()
    unpriced = ~Exists(_held(by, today).filter(part=OuterRef("pk")))
    parts = matching_parts(text)
    if missing:
        parts = parts.filter(unpriced)
    found = parts.count()
    rows = list(parts[:SHOWN])
    prices = dict(_held(by, today).filter(part__in=rows).values_list("part_id", "price"))
    coming: dict[int, Dated] = {}
    later = PartPrice.objects.filter(store_id=by.store_id, part__in=rows, starts_on__gt=today).order_by("-starts_on")
    for part_id, *facts in later.values_list("part_id", "price", "starts_on", "ends_on"):
        coming[part_id] = Dated(*facts)
    return PriceList(
        [PricedRow(part, prices.get(part.pk), coming.get(part.pk)) for part in rows],
        found,
        Part.objects.filter(unpriced, active=True).count(),
    )


def prices_of(part: Part, by: Actor) -> list[Dated]:
    """All prices of a part in the store, newest first."""
    rows = PartPrice.objects.filter(store_id=by.store_id, part=part).order_by("-starts_on")
    return [Dated(*facts) for facts in rows.values_list("price", "starts_on", "ends_on", "core")]


@dataclass(frozen=True, slots=True)
class ModelRow:
    model: VehicleModel
    now: Decimal | None
    coming: Dated | None


def model_prices(by: Actor, *, text: str = "") -> list[ModelRow]:
    """Models whose make, series or name fits, with the store's price of today and the next one."""
    today = clock.today()
    rows = VehicleModel.objects.all()
    for word in text.split():
        rows = rows.filter(
            Q(make__icontains=word) | Q(series__icontains=word) | Q(name__icontains=word) | Q(aliases__icontains=word)
        )
    found = list(rows[:SHOWN])
    dated: dict[int, list[Dated]] = {model.pk: [] for model in found}
    prices = ModelPrice.objects.filter(store_id=by.store_id, model__in=found).order_by("starts_on")
    for model_id, *facts in prices.values_list("model_id", "price", "starts_on", "ends_on"):
        dated[model_id].append(Dated(*facts))
    return [
        ModelRow(
            model,
            next((row.amount for row in dated[model.pk] if row.holds(today)), None),
            next((row for row in dated[model.pk] if row.starts_on > today), None),
        )
        for model in found
    ]


def prices_of_model(model: VehicleModel, by: Actor) -> list[Dated]:
    """All prices of a model in the store, newest first."""
    rows = ModelPrice.objects.filter(store_id=by.store_id, model=model).order_by("-starts_on")
    return [Dated(*facts) for facts in rows.values_list("price", "starts_on", "ends_on")]


def places(by: Actor) -> list[Resource]:
    """Bays, tools and loan cars of the store in the order of the plan, each with ``planned``: is time ahead taken?"""
    ahead = Reservation.objects.filter(resource=OuterRef("pk"), live=True, period__endswith__gt=clock.now())
    return list(
        Resource.objects.for_actor(by)
        .filter(store_id=by.store_id)
        .exclude(kind=ResourceKind.PERSON)
        .annotate(planned=Exists(ahead))
        .order_by("kind", "position", "code")
    )


def plan_people(by: Actor) -> list[Resource]:
    """Who can be given work in the store, with the efficiency that booking counts by."""
    people = Resource.objects.for_actor(by).filter(store_id=by.store_id, kind=ResourceKind.PERSON, active=True)
    return list(people.order_by("position", "code"))
