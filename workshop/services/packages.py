"""Packages on an order: put on in one tap, taken apart while nobody has agreed (3.1).

Lock order (design 5): order before its lines; the caller of ``dissolve`` holds the order.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.catalogue.selectors.packages import get_package, packages_for
from dealership.catalogue.services.operations import fit_hours
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import line_amount
from workshop import events, permissions
from workshop.models import AGREED, LineState, OrderLine
from workshop.package_models import OrderPackage
from workshop.package_rules import share_price
from workshop.selectors.maintenance import operations_of, parts_of
from workshop.services.orders import dissolve_package_of, locked_order, write_line

L = LineState


@transaction.atomic
def put_package(
    *, order_uid: UUID, package_uid: UUID, by: Actor, causes: dict[UUID, tuple[str, dict[str, Any]]] | None = None
) -> OrderPackage:
    """Writes a line for each piece of work of a package, which add up to its price to the fen (3.1).

    ``causes``: why each is due, in words and by its facts, by operation uid. Raises RuleError ``package.gone`` (not offered
    today, or not for this car), ``package.payer``, ``package.there`` (some of its work stands on the order),
    ``package.part_there`` (one of its parts does), ``package.price`` (not less than the single prices of today), and what
    is said where a price is missing.
    """
    by.require(permissions.LINES_EDIT)
    order = locked_order(order_uid, by)
    package = get_package(package_uid, by)
    vehicle = order.vehicle
    today = clock.today(order.store.time_zone)
    offered = packages_for(vehicle.model, vehicle.powertrain, store_id=order.store_id, on=today)
    if package.pk not in {row.pk for row in offered}:
        raise RuleError("package.gone", _("This package isn't offered for this car today."))
    if order.kind != "CUSTOMER":
        raise RuleError("package.payer", _("A package is for orders that the customer pays."))
    items = list(package.items.all())
    fit_hours((item.operation for item in items), vehicle.model_id)
    there = set(operations_of(order))
    again = next((item for item in items if item.operation_id in there), None)
    if again is not None:
        raise RuleError(
            "package.there",
            _("“%(work)s” stands on the order already; take it off first."),
            work=again.operation.said,
        )
    parts_there = parts_of([order])
    twice = next((need.part for item in items for need in item.parts.all() if need.part_id in parts_there), None)
    if twice is not None:
        raise RuleError(
            "package.part_there",
            _("“%(part)s” of this package stands on the order already; take that line off first."),
            part=twice.said,
        )
    told = causes or {}
    begun = order.lines.filter(state__in=AGREED, is_diagnosis=False).exists()
    put = OrderPackage.objects.create(
        order=order, package=package, name=package.name, price=package.price, put_at=clock.now()
    )
    lines = [
        write_line(
            order,
            by=by,
            operation=item.operation,
            pay_type=PayType.CUSTOMER_PAY,
            hours=item.operation.hours,
            parts=[(need.part.uid, need.quantity) for need in item.parts.all()],
            is_addition=begun,
            cause=told[item.operation.uid][0] if item.operation.uid in told else "",
            cause_due=told[item.operation.uid][1] if item.operation.uid in told else None,
            package=put,
        )
        for item in items
    ]
    _lay_price(put, lines)
    record(
        put,
        events.PACKAGE_PUT,
        by=by,
        store_id=order.store_id,
        package=package.uid,
        price=put.price,
        lines=[line.uid for line in lines],
    )
    return put


def _lay_price(put: OrderPackage, lines: list[OrderLine]) -> None:
    parts = [part for line in lines for part in line.part_lines.order_by("pk")]
    try:
        shares = share_price(
            put.price, [line.labor_amount for line in lines], [(part.quantity, part.unit_price) for part in parts]
        )
    except ValueError as exc:
        raise RuleError(
            "package.price", _("At today's prices this package costs no less than its work one by one; offer that.")
        ) from exc
    for part, unit in zip(parts, shares.units, strict=True):
        if unit != part.unit_price:
            part.unit_price, part.amount = unit, line_amount(part.quantity, unit)
            part.save(update_fields=["unit_price", "amount"])
    for line, labor in zip(lines, shares.labor, strict=True):
        if labor != line.labor_amount:
            line.discount, line.labor_amount = line.labor_amount - labor, labor
            line.save(update_fields=["discount", "labor_amount"])


@transaction.atomic
def dissolve_package(*, uid: UUID, reason: str, by: Actor) -> OrderPackage:
    """Takes a package apart while nobody has agreed: its lines stay, each at its single price of today (3.1).

    What the customer was asked goes back to draft. Raises RuleError ``package.reason``, ``package.agreed`` and
    ``package.dissolved``.
    """
    by.require(permissions.LINES_EDIT)
    reason = formats.one_line(reason)[:200]
    if not reason:
        raise RuleError("package.reason", _("Say why the package is dissolved."), field="reason")
    order_uid = OrderPackage.objects.for_actor(by).values_list("order__uid", flat=True).get(uid=uid)
    order = locked_order(order_uid, by)
    put: OrderPackage = OrderPackage.objects.locked().get(uid=uid)
    put.order = order
    if put.dissolved_at is not None:
        raise RuleError("package.dissolved", _("This package is dissolved already."))
    dissolve_package_of(put, reason=reason, by=by)
    return put
