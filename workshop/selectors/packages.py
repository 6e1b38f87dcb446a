"""Packages that fit a car, with what they save and how much of what is due they cover (3.1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from dealership.catalogue.models import PayType, ServicePackage
from dealership.catalogue.selectors.packages import packages_for
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import labor_rate, part_prices
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store
from dealership.kernel.money import line_amount
from reception.models import Vehicle
from workshop import permissions
from workshop.models import RepairOrder
from workshop.package_models import OrderPackage
from workshop.package_rules import share_price, single_price
from workshop.selectors.maintenance import DueList, operations_of, parts_of


@dataclass(frozen=True, slots=True)
class PackageOffer:
    """``single`` is what its work costs one by one today; ``covers`` of ``due`` proposed pieces of work are in it."""

    package: ServicePackage
    single: Decimal
    covers: int
    due: int

    @property
    def saves(self) -> Decimal:
        return self.single - self.package.price

    @property
    def holds(self) -> list[str]:
        return [item.operation.said for item in self.package.items.all()]


def offers_for(
    vehicle: Vehicle,
    *,
    store_id: int,
    found: DueList | None,
    there: Collection[int] = (),
    parts_there: Collection[int] = (),
) -> list[PackageOffer]:
    """What can be offered today: it saves money, and none of its work (``there``) nor of its parts (``parts_there``) stands
    on the order. Who covers most comes first."""
    today = clock.today(Store.objects.get(pk=store_id).time_zone)
    rows = packages_for(vehicle.model, vehicle.powertrain, store_id=store_id, on=today)
    rows = [row for row in rows if not any(item.operation_id in there for item in row.items.all())]
    taken = set(parts_there)
    rows = [
        row for row in rows if not any(need.part_id in taken for item in row.items.all() for need in item.parts.all())
    ]
    if not rows:
        return []
    try:
        rate = labor_rate(store_id, PayType.CUSTOMER_PAY, today)
    except RuleError:
        return []
    fit_hours((item.operation for row in rows for item in row.items.all()), vehicle.model_id)
    needs = {row.pk: [need for item in row.items.all() for need in item.parts.all()] for row in rows}
    prices = part_prices(sorted({need.part_id for held in needs.values() for need in held}), store_id, today)
    due = {row.operation.pk for row in found.proposed} if found else set()
    offers = []
    for row in rows:
        if any(need.part_id not in prices for need in needs[row.pk]):
            continue
        labor = [line_amount(item.operation.hours, rate) for item in row.items.all()]
        parts = [(need.quantity, prices[need.part_id]) for need in needs[row.pk]]
        try:
            share_price(row.price, labor, parts)
        except ValueError:  # dearer than one by one at today's prices
            continue
        covers = sum(item.operation_id in due for item in row.items.all())
        offers.append(PackageOffer(row, single_price(labor, parts), covers, len(due)))
    return sorted(offers, key=lambda offer: (-offer.covers, -offer.saves, offer.package.code))


def any_offered(order: RepairOrder) -> bool:
    """Whether the order's store has any package today, so that nothing is worked out in vain."""
    today = clock.today(order.store.time_zone)
    vehicle = order.vehicle
    return bool(packages_for(vehicle.model, vehicle.powertrain, store_id=order.store_id, on=today))


def packages_panel(actor: Actor, order: RepairOrder, found: DueList | None) -> dict[str, object] | None:
    """What stands on the order as a package, and what could be offered."""
    put = list(OrderPackage.objects.filter(order=order, dissolved_at__isnull=True).order_by("pk"))
    may = actor.may(permissions.LINES_EDIT)
    ended = order.settled_at or order.withdrawn_at or order.closed_at
    offers = []
    if may and not ended and order.kind == "CUSTOMER":
        offers = offers_for(
            order.vehicle,
            store_id=order.store_id,
            found=found,
            there=set(operations_of(order)),
            parts_there=parts_of([order]),
        )
    return {"put": put, "offers": offers, "may": may, "order": order} if put or offers else None
