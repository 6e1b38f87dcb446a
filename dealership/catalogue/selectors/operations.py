"""Operations of the catalogue as lists and pages show them, with what they cost in the store today (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from dealership.catalogue.models import Operation, OperationHours, PayType, RepairCategory
from dealership.catalogue.selectors.items import matching_operations
from dealership.catalogue.services.prices import labor_rate
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.money import line_amount

SHOWN = 100
"""Operations on one page; a search narrows the rest."""


@dataclass(frozen=True, slots=True)
class OperationRow:
    """``amount`` is labour alone, CNY with VAT, None while the store has no rate; ``models`` have hours of their own."""

    operation: Operation
    amount: Decimal | None
    models: int
    parts: int


@dataclass(frozen=True, slots=True)
class OperationList:
    rows: list[OperationRow]
    found: int


def list_operations(by: Actor, *, text: str = "", category: str = "", ended: bool = False) -> OperationList:
    """The first ``SHOWN`` that fit, with the rate that customers pay today in the actor's store."""
    rows: QuerySet = matching_operations(Operation.objects.filter(active=not ended), text)
    if category in RepairCategory.values:
        rows = rows.filter(category=category)
    rate = rate_of(by)
    counted = rows.select_related("skill").annotate(
        own=Count("model_hours", distinct=True), with_it=Count("parts", distinct=True)
    )
    return OperationList(
        [
            OperationRow(row, None if rate is None else line_amount(row.hours, rate), row.own, row.with_it)
            for row in counted[:SHOWN]
        ],
        rows.count(),
    )


def rate_of(by: Actor) -> Decimal | None:
    """What customers pay for an hour today in the actor's store (CNY with VAT); None where none is set."""
    try:
        return labor_rate(by.store_id, PayType.CUSTOMER_PAY)
    except RuleError:
        return None


def get_operation(uid: UUID) -> Operation:
    return Operation.objects.select_related("skill").prefetch_related("parts__part").get(uid=uid)


def hours_by_model(operation: Operation) -> list[OperationHours]:
    """Models that take another time than the others, by make and series."""
    rows = OperationHours.objects.filter(Q(operation=operation)).select_related("model")
    return list(rows.order_by("model__make", "model__series", "model__name"))
