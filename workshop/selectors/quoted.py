"""What was quoted and binds the shop for a visit's car and people, and the orders that took it (2.2.2)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.postgres.kept import Kept
from reception.models import Quotation, QuotationLine, Visit
from reception.selectors.quotations import binding_lines
from workshop import permissions
from workshop.models import LineState, OrderLine, RepairOrder

FREE = (LineState.CANCELLED, LineState.WITHDRAWN, LineState.DECLINED)
"""A quoted price whose order line ended like this can be taken again."""


def _free(
    store_id: int, vehicle_id: int, customer_id: int, payer_id: int, phone: str, on: date
) -> QuerySet[QuotationLine]:
    taken = OrderLine.objects.filter(quoted=OuterRef("pk")).exclude(state__in=FREE)
    rows = binding_lines(
        store_id=store_id, vehicle_id=vehicle_id, customer_ids=[customer_id, payer_id], phone=phone, on=on
    )
    return rows.filter(~Exists(taken))


_of_operation: Kept[QuotationLine] = Kept(
    lambda operation_id, **whose: _free(**whose).filter(operation_id=operation_id),
    operation_id=int,
    store_id=int,
    vehicle_id=int,
    customer_id=int,
    payer_id=int,
    phone=str,
    on=date,
)


def quoted_for(visit: Visit) -> list[QuotationLine]:
    """The quoted operations that bind the shop today for the visit's car, its customer or the telephone."""
    return list(
        _free(
            visit.store_id,
            visit.vehicle_id,
            visit.customer_id,
            visit.customer_id,
            visit.contact_phone,
            clock.today(visit.store.time_zone),
        )
    )


def quoted_operation(order: RepairOrder, operation_id: int, on: date) -> list[QuotationLine]:
    """The quoted prices of one operation that bind the shop on a day for the order's car, people or telephone."""
    visit = order.visit
    return _of_operation(
        operation_id=operation_id,
        store_id=order.store_id,
        vehicle_id=order.vehicle_id,
        customer_id=visit.customer_id,
        payer_id=order.customer_id,
        phone=visit.contact_phone,
        on=on,
    )


def quoted_orders(by: Actor, quotation: Quotation) -> dict[str, Any] | None:
    """The order lines that took prices of a quotation."""
    if not by.may(permissions.ORDERS_VIEW):
        return None
    rows = OrderLine.objects.for_actor(by).filter(quoted__quotation=quotation).select_related("order", "quoted")
    taken = list(rows.order_by("pk"))
    return {"taken": taken} if taken else None
