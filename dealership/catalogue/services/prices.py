"""Labour rates, part and model prices of a store: what an hour, a part, a new car cost on a day, and how that changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import LaborRate, ModelPrice, Operation, Part, PartPrice, PayType, VehicleModel
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import Line, record, record_many
from dealership.kernel.models import Store
from dealership.kernel.money import line_amount, round_money
from dealership.kernel.postgres.kept import Kept
from dealership.kernel.postgres.prepared import run_prepared


@dataclass(frozen=True, slots=True)
class Quote:
    """Hours of labour, CNY with VAT per hour, and both together."""

    hours: Decimal
    rate: Decimal
    amount: Decimal


def _in_force(on: date) -> Q:
    return Q(starts_on__lte=on) & (Q(ends_on__isnull=True) | Q(ends_on__gte=on))


_rate: Kept[Any] = Kept(
    lambda store_id, pay_type, on: LaborRate.objects.filter(
        _in_force(on), store_id=store_id, pay_type=pay_type
    ).values_list("rate", flat=True),
    store_id=int,
    pay_type=str,
    on=date,
)


def labor_rate(store_id: int, pay_type: str, on: date | None = None) -> Decimal:
    """CNY with VAT for one hour on day ``on`` (default: today). RuleError ``price.rate_missing`` where none is set."""
    found = _rate.first(store_id=store_id, pay_type=str(pay_type), on=on or clock.today())
    if found is None:
        raise RuleError(
            "price.rate_missing",
            _("No labour rate is set for “%(pay_type)s” on this day; the service manager sets it."),
            pay_type=PayType(pay_type).label,
        )
    return Decimal(found)


def price_operation(operation: Operation, store_id: int, pay_type: str, on: date | None = None) -> Quote:
    """What an operation costs in a store on a day (3.2): standard hours × the payer's rate."""
    rate = labor_rate(store_id, pay_type, on)
    return Quote(operation.hours, rate, line_amount(operation.hours, rate))


def part_prices(part_ids: list[int], store_id: int, on: date | None = None) -> dict[int, Decimal]:
    """Price per unit by part id; a part without a price on that day is missing from the answer."""
    day = on or clock.today()
    return dict(run_prepared("part prices", _PRICES, [store_id, part_ids, day, day])) if part_ids else {}


_PRICES = """
    SELECT part_id, price FROM catalogue_partprice
    WHERE store_id = $1 AND part_id = ANY($2::bigint[]) AND starts_on <= $3 AND (ends_on IS NULL OR ends_on >= $4)
"""


def price_part(part: Part, store_id: int, on: date | None = None) -> Decimal:
    """CNY with VAT for one unit on day ``on``. RuleError ``price.part_missing`` where none is set."""
    found = part_prices([part.pk], store_id, on).get(part.pk)
    if found is None:
        raise RuleError(
            "price.part_missing",
            _("Part %(number)s has no price in this store; set one first."),
            number=part.number,
        )
    return found


def core_charge(part: Part, store_id: int, on: date | None = None) -> Decimal:
    """Core charge (旧件押金) of one unit on day ``on`` (CNY); nothing for most parts (3.2)."""
    rows = PartPrice.objects.filter(_in_force(on or clock.today()), store_id=store_id, part=part)
    return rows.values_list("core", flat=True).first() or Decimal(0)


def price_model(model: VehicleModel, store_id: int, on: date | None = None) -> Decimal:
    """CNY with VAT for a new car on day ``on``. RuleError ``price.model_missing`` where none is set, ``price.model_ended``
    where it isn't sold any more."""
    if model.ends_on is not None and model.ends_on < (on or clock.today()):
        raise RuleError("price.model_ended", _("“%(model)s” isn't sold any more."), model=str(model))
    found = ModelPrice.objects.filter(_in_force(on or clock.today()), store_id=store_id, model=model).first()
    if found is None:
        raise RuleError(
            "price.model_missing",
            _("“%(model)s” has no price in this store; set one first."),
            model=str(model),
        )
    return found.price


def _follow(rows: QuerySet, starts_on: date, *, later: RuleError) -> Any:
    """The row that holds until further notice, ended the day before ``starts_on``; None where there is none.

    Raises ``later`` where one from that day or later is already there.
    """
    if rows.filter(starts_on__gte=starts_on).exists():
        raise later
    before = rows.filter(ends_on__isnull=True).first()
    if before is not None:
        before.ends_on = starts_on - timedelta(days=1)
        before.save(update_fields=["ends_on"])
    return before


def _later_price() -> RuleError:
    return RuleError(
        "price.later_exists",
        _("A price from that day or later is already there; choose a later day."),
        field="starts_on",
    )


@transaction.atomic
def set_labor_rate(*, store: Store, pay_type: str, rate: Decimal, starts_on: date, by: Actor) -> LaborRate:
    """Gives an hour a new price from a day on; the rate before it ends the day before (3.2).

    Raises RuleError for a negative rate and where a rate from that day or later is already set.
    """
    by.require(permissions.PRICES_MANAGE)
    if rate < 0:
        raise RuleError("rate.negative", _("A rate is not negative."), field="rate")
    rows = LaborRate.objects.for_actor(by).filter(store=store, pay_type=pay_type)
    later = RuleError(
        "rate.later_exists",
        _("A rate from that day or later is already there; choose a later day."),
        field="starts_on",
    )
    before = _follow(rows, starts_on, later=later)
    row = LaborRate.objects.create(store=store, pay_type=pay_type, rate=round_money(rate), starts_on=starts_on)
    changed = {"rate": (before.rate if before else None, row.rate)}
    record(row, events.LABOR_RATE_SET, by=by, changed=changed, pay_type=pay_type, starts_on=starts_on)
    return row


@transaction.atomic
def set_part_price(
    *, store: Store, part: Part, price: Decimal, starts_on: date, by: Actor, core: Decimal | None = None
) -> PartPrice:
    """Gives a part a new price from a day on; the price before it ends the day before (3.2).

    ``core`` is the core charge of one unit; left out, it stays as it was.

    Raises RuleError for a negative price and where a price from that day or later is already set.
    """
    by.require(permissions.PRICES_MANAGE)
    if price < 0 or (core is not None and core < 0):
        raise RuleError("price.negative", _("A price is not negative."), field="price" if price < 0 else "core")
    rows = PartPrice.objects.for_actor(by).filter(store=store, part=part)
    before = _follow(rows, starts_on, later=_later_price())
    old_core = before.core if before else Decimal(0)
    row = PartPrice.objects.create(
        store=store, part=part, price=round_money(price), starts_on=starts_on,
        core=old_core if core is None else round_money(core),
    )  # fmt: skip
    changed = {"price": (before.price if before else None, row.price)}
    if row.core != old_core:
        changed["core"] = (old_core, row.core)
    record(row, events.PART_PRICE_SET, by=by, changed=changed, part=part.uid, starts_on=starts_on)
    return row


@transaction.atomic
def set_first_part_prices(*, store: Store, prices: dict[Part, Decimal], starts_on: date, by: Actor) -> None:
    """Prices of many parts that have none yet in the store, in CNY a unit, from a day on (3.2).

    Raises RuleError for a negative price; the database refuses a second price for a day that has one.
    """
    by.require(permissions.PRICES_MANAGE)
    if any(price < 0 for price in prices.values()):
        raise RuleError("price.negative", _("A price is not negative."), field="price")
    rows = PartPrice.objects.bulk_create(
        PartPrice(store=store, part=part, price=round_money(price), starts_on=starts_on)
        for part, price in prices.items()
    )
    record_many(
        [
            Line(
                row,
                events.PART_PRICE_SET,
                changed={"price": (None, row.price)},
                facts={"part": row.part.uid, "starts_on": starts_on},
            )
            for row in rows
        ],
        by=by,
    )


@transaction.atomic
def set_model_price(*, store: Store, model: VehicleModel, price: Decimal, starts_on: date, by: Actor) -> ModelPrice:
    """Gives a new car of a model a price from a day on; the price before it ends the day before (2.2.2).

    Raises RuleError ``price.positive`` and where a price from that day or later is already set.
    """
    by.require(permissions.PRICES_MANAGE)
    if price <= 0:
        raise RuleError("price.positive", _("A car costs more than nothing."), field="price")
    rows = ModelPrice.objects.for_actor(by).filter(store=store, model=model)
    before = _follow(rows, starts_on, later=_later_price())
    row = ModelPrice.objects.create(store=store, model=model, price=round_money(price), starts_on=starts_on)
    changed = {"price": (before.price if before else None, row.price)}
    record(row, events.MODEL_PRICE_SET, by=by, changed=changed, model=model.uid, starts_on=starts_on)
    return row
