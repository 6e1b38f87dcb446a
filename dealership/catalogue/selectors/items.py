"""Operations and parts as people look them up: by code, number, name, pinyin or its initials (3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from dealership.catalogue import english
from dealership.catalogue.check_models import CheckItem, CheckTemplate
from dealership.catalogue.models import Operation, OperationPart, Part, PayType, Resource, ServicePackage
from dealership.catalogue.selectors.replacements import successors
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import labor_rate, part_prices
from dealership.kernel.actors import Actor
from dealership.kernel.formats import fold_width
from dealership.kernel.money import ZERO, line_amount
from dealership.kernel.postgres.kept import Kept


@dataclass(frozen=True, slots=True)
class UsualPart:
    """What comes with an operation; ``amount`` is CNY with VAT, None where the store has no price today."""

    name: str
    quantity: Decimal
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class PricedOperation:
    """``amount`` is labour alone, ``total`` with the parts that have a price; CNY with VAT."""

    uid: UUID
    code: str
    name: str
    category: str
    hours: Decimal
    amount: Decimal
    parts: list[UsualPart] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return self.amount + sum((part.amount for part in self.parts if part.amount is not None), ZERO)


@dataclass(frozen=True, slots=True)
class PricedPart:
    """``price`` is CNY with VAT per unit, None where the store has none today; ``successor`` what is used now instead."""

    uid: UUID
    number: str
    name: str
    unit: str
    kind: str
    kind_label: str
    price: Decimal | None
    successor: Part | None = None


def _matching(rows: QuerySet, text: str, code: str) -> QuerySet:
    """Every word must be found in code, name or pinyin; an exact beginning of the code comes first."""
    words = fold_width(text).strip().lower().split()
    for word in words:
        rows = rows.filter(
            Q(**{f"{code}__icontains": word})
            | Q(name__icontains=word)
            | Q(name_en__icontains=word)
            | Q(pinyin__contains=word.replace(" ", ""))
        )
    first = words[0] if words else ""
    rank = Case(
        When(**{f"{code}__istartswith": first}, then=Value(0)),
        When(name__startswith=first, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.order_by(rank, code)


def search_operations(text: str, *, limit: int = 20, diagnosis: bool | None = None) -> list[Operation]:
    """Active operations that match, best first; an empty text lists the first ones by code."""
    rows = Operation.objects.filter(active=True)
    if diagnosis is not None:
        rows = rows.filter(is_diagnosis=diagnosis)
    return list(matching_operations(rows, text)[:limit])


def matching_operations(rows: QuerySet, text: str) -> QuerySet:
    """Those of the operations that match, best first."""
    return _matching(rows, text, "code")


def matching_parts(text: str) -> QuerySet:
    """Active parts that match, best first."""
    return _matching(Part.objects.filter(active=True), text, "number")


def search_parts(text: str, *, limit: int = 20) -> list[Part]:
    """Active parts that match, best first."""
    return list(matching_parts(text)[:limit])


def priced_operations(
    text: str,
    *,
    by: Actor,
    pay_type: str = PayType.CUSTOMER_PAY,
    limit: int = 20,
    chosen: UUID | None = None,
    model_id: int | None = None,
) -> list[PricedOperation]:
    """Operations that match with today's labour price in the actor's store; a ``chosen`` one stays on top of them.

    ``model_id``: the hours are those of this model.
    """
    rate = labor_rate(by.store_id, pay_type)
    rows = search_operations(text, limit=limit)
    if chosen is not None and all(row.uid != chosen for row in rows):
        rows = [*Operation.objects.filter(uid=chosen, active=True), *rows[: max(limit - 1, 0)]]
    fit_hours(rows, model_id)
    with_it = _usual_parts(rows, by.store_id)
    return [
        PricedOperation(
            o.uid, o.code, o.said, o.get_category_display(), o.hours, line_amount(o.hours, rate), with_it.get(o.pk, [])
        )
        for o in rows
    ]


def _usual_parts(operations: list[Operation], store_id: int) -> dict[int, list[UsualPart]]:
    """What comes with each operation, at today's price of the store (None where it has none)."""
    needs = list(OperationPart.objects.filter(operation__in=operations).select_related("part").order_by("id"))
    prices = part_prices([need.part_id for need in needs], store_id)
    found: dict[int, list[UsualPart]] = {}
    for need in needs:
        price = prices.get(need.part_id)
        amount = None if price is None else line_amount(need.quantity, price)
        found.setdefault(need.operation_id, []).append(UsualPart(need.part.said, need.quantity, amount))
    return found


def priced_parts(text: str, *, by: Actor, limit: int = 20) -> list[PricedPart]:
    """Parts that match with today's price in the actor's store."""
    rows = search_parts(text, limit=limit)
    prices = part_prices([p.pk for p in rows], by.store_id)
    later = successors([p.pk for p in rows])
    return [
        PricedPart(
            p.uid, p.number, p.said, p.unit, p.kind, p.get_kind_display(), prices.get(p.pk), later.get(p.pk)
        )
        for p in rows
    ]  # fmt: skip


def default_diagnosis(powertrain: str) -> Operation | None:
    """The diagnosis a repair order opens with: the high-voltage one for cars that can be charged (domain 3.3)."""
    rows = _diagnoses()
    charged = powertrain in ("PHEV", "BEV", "FCEV")
    return next((row for row in rows if (row.capability == "EV_DIAGNOSTIC") == charged), rows[0] if rows else None)


usual_parts: Kept[OperationPart] = Kept(  # what an operation usually needs, with the part
    lambda operation_id: OperationPart.objects.filter(operation_id=operation_id).select_related("part").order_by("id"),
    operation_id=int,
)
_diagnoses: Kept[Operation] = Kept(lambda: Operation.objects.filter(active=True, is_diagnosis=True).order_by("code"))


def english_names() -> dict[str, str]:
    """{Chinese name: English name} of operations, packages, parts, bays, check sheets and their items that have one, of
    units and of the starting plans."""
    kinds = (Resource, CheckItem, CheckTemplate, Part, ServicePackage, Operation)
    first, *others = (kind.objects.exclude(name_en="").values_list("name", "name_en") for kind in kinds)
    held = dict(first.order_by().union(*(rows.order_by() for rows in others), all=True))
    return english.UNITS | english.PLANS | held
