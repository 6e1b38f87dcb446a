"""Reads of the price list for customers and of what was quoted (2.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext, pgettext_lazy

from dealership.catalogue.models import Operation
from dealership.catalogue.selectors.items import search_operations
from dealership.catalogue.selectors.prices import model_prices
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO
from dealership.kernel.saying import say_money, say_name

from ..models import Quotation, QuotationLine, QuotationPart
from . import capacity

SHOWN = 60
FILTERS: dict[str, Any] = {
    "valid": pgettext_lazy("quotations", "valid"),
    "over": pgettext_lazy("quotations", "no longer valid"),
    "all": pgettext_lazy("quotations", "all"),
}


@dataclass(frozen=True, slots=True)
class Priced:
    """One item of the price list: ``field`` is the name under which it is chosen; ``amount`` None: no price today."""

    field: str
    uid: UUID
    name: str
    second: str
    amount: Decimal | None


def price_list(by: Actor, *, text: str, cars: bool) -> list[Priced]:
    """Operations with labour and usual parts, or new cars, at today's prices of the actor's store."""
    if cars:
        return [
            Priced("model", row.model.uid, str(row.model), row.model.get_powertrain_display(), row.now)
            for row in model_prices(by, text=text)
        ]
    found = [operation.pk for operation in search_operations(text, limit=SHOWN)]
    rows = Operation.objects.in_bulk(found)
    return _priced(by, [rows[pk] for pk in found])


def _priced(by: Actor, operations: list[Operation]) -> list[Priced]:
    whole = Operation.objects.filter(pk__in=[o.pk for o in operations]).prefetch_related("parts__part")
    parts = {operation.pk: operation for operation in whole}
    quoted = (
        capacity.quote(Store.objects.get(pk=by.store_id), [parts[o.pk] for o in operations]) if operations else None
    )
    return [
        Priced(
            "op", item.operation.uid, say_name(item.description), f"{item.operation.code} · {item.hours} h", item.amount
        )
        for item in (quoted.items if quoted else ())
        if item.operation is not None
    ]


def chosen(by: Actor, *, operations: list[UUID], models: list[UUID]) -> dict[str, Any]:
    """What was ticked with today's prices, and the sum (None where a price isn't set)."""
    rows = _priced(by, list(Operation.objects.filter(uid__in=operations, active=True).order_by("code")))
    rows += [row for row in price_list(by, text="", cars=True) if row.uid in models] if models else []
    amounts = [row.amount for row in rows if row.amount is not None]
    return {"chosen": rows, "sum": sum(amounts, ZERO) if rows and len(amounts) == len(rows) else None}


def quotations(by: Actor, show: str) -> dict[str, Any]:
    """The store's quotations of one filter, latest first, and the counts of all."""
    today = clock.today()
    rows = Quotation.objects.for_actor(by).filter(store_id=by.store_id, total__isnull=False)
    filters = {"valid": Q(valid_until__gte=today), "over": Q(valid_until__lt=today), "all": Q()}
    counts = rows.aggregate(
        **{code: Count("pk", filter=condition) if condition else Count("pk") for code, condition in filters.items()}
    )
    found = rows.filter(filters[show]).select_related("vehicle", "quoted_by").order_by("-quoted_at", "-pk")
    return {
        "rows": list(found[:100]),
        "strip": [{"code": code, "value": counts[code], "label": label} for code, label in FILTERS.items()],
        "today": today,
        "any": counts["all"] > 0,
    }


def quotation_of(by: Actor, uid: UUID) -> Quotation:
    """One quotation with what its page shows. Raises Quotation.DoesNotExist for a foreign store's."""
    rows = Quotation.objects.for_actor(by).filter(total__isnull=False)
    return rows.select_related("store", "customer", "vehicle", "quoted_by", "consultation").get(uid=uid)


def lines_of(quotation: Quotation) -> list[dict[str, Any]]:
    """The lines with their parts and what each costs in all."""
    rows = quotation.lines.select_related("operation").prefetch_related(
        Prefetch("parts", QuotationPart.objects.select_related("part"))
    )
    return [
        {
            "line": line,
            "parts": list(line.parts.all()),
            "whole": line.amount + sum((p.amount for p in line.parts.all()), ZERO),
        }
        for line in rows
    ]


def words_of(quotation: Quotation) -> str:
    """The quotation as it is put into an answer."""
    lines = [f"{say_name(row['line'].description)} {say_money(row['whole'])}" for row in lines_of(quotation)]
    end = gettext("Altogether ¥%(total)s, valid until %(day)s (%(number)s).") % {
        "total": say_money(quotation.total or ZERO, sign=False),
        "day": quotation.valid_until.isoformat(),
        "number": quotation.number,
    }
    return "\n".join([*lines, end])


def quotations_for_answer(by: Actor, consultation_id: int) -> list[dict[str, Any]]:
    """What was quoted to a question, each with its words for the answer."""
    rows = Quotation.objects.for_actor(by).filter(consultation_id=consultation_id, total__isnull=False).order_by("-pk")
    today = clock.today()
    return [{"quotation": row, "words": words_of(row), "holds": row.holds(today)} for row in rows[:5]]


def binding_lines(
    *, store_id: int, vehicle_id: int, customer_ids: list[int], phone: str, on: date
) -> QuerySet[QuotationLine]:
    """The quoted operations that bind the shop on a day for a car, one of these customers or a telephone number."""
    whose = (
        Q(quotation__customer_id__in=customer_ids)
        | Q(quotation__vehicle_id=vehicle_id)
        | (Q(quotation__contact_phone=phone) & ~Q(quotation__contact_phone=""))
    )
    # A quotation for one car doesn't bind for another one of the same person.
    fits = Q(quotation__vehicle__isnull=True) | Q(quotation__vehicle_id=vehicle_id)
    return (
        QuotationLine.objects.filter(
            whose,
            fits,
            quotation__store_id=store_id,
            quotation__total__isnull=False,
            quotation__valid_until__gte=on,
            operation__isnull=False,
        )
        .select_related("quotation")
        .order_by("-quotation__quoted_at", "pk")
    )
