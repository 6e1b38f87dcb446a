"""Reads of sales over the counter: what is open, and one sale with its money (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from dealership.kernel.actors import Actor
from dealership.kernel.money import ZERO
from workshop.models import CounterSale, SaleLine, SaleState

from ..models import SalePayment

MONEY_FIELD: DecimalField = DecimalField(max_digits=12, decimal_places=2)


def _with_paid(rows: QuerySet[CounterSale]) -> QuerySet[CounterSale]:
    paid = (
        SalePayment.objects.filter(sale=OuterRef("pk")).order_by().values("sale").annotate(s=Sum("amount")).values("s")
    )
    rows = rows.annotate(paid=Coalesce(Subquery(paid, output_field=MONEY_FIELD), ZERO, output_field=MONEY_FIELD))
    return rows.annotate(due=F("total") - F("returned_total") - F("paid"))


def sales(by: Actor) -> list[CounterSale]:
    """The store's sales, the last first; with ``paid`` and ``due`` (negative: to be given back)."""
    rows = _with_paid(CounterSale.objects.for_actor(by).exclude(state=SaleState.DROPPED))
    return list(rows.select_related("customer").order_by("-id")[:100])


def unsettled_sales(by: Actor) -> list[CounterSale]:
    """Sold and not paid in full, or with money to be given back; the oldest first."""
    rows = _with_paid(CounterSale.objects.for_actor(by).filter(state=SaleState.SOLD))
    return list(rows.exclude(due=0).select_related("customer").order_by("id")[:100])  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class SalePaper:
    sale: CounterSale
    lines: list[SaleLine]
    payments: list[SalePayment]
    paid: Decimal

    @property
    def gross(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def lacks_buyer(self) -> bool:
        """Whether it can't be sold before a customer is named: something on it must be found by a recall."""
        return self.sale.customer is None and any(line.part.sold_with_care for line in self.lines)

    @property
    def cores(self) -> Decimal:
        """Core charges beside the parts, as they were sold."""
        return sum((line.core_amount for line in self.lines), ZERO)

    @property
    def cores_back(self) -> Decimal:
        """What of the core charges was given back for old parts that came in."""
        return sum((line.core.credited for line in self.lines if hasattr(line, "core")), ZERO)

    @property
    def goods_back(self) -> Decimal:
        """What was given back for parts that came back, core charges included."""
        return self.sale.returned_total - self.cores_back

    @property
    def due(self) -> Decimal:
        """Open (positive) or to be given back (negative); of a sale being written, what it will cost."""
        if self.sale.state == SaleState.DRAFT:
            return self.gross + self.cores - self.sale.discount
        return self.sale.owed - self.paid

    @property
    def to_give_back(self) -> Decimal:
        return max(ZERO, -self.due)


def read_sale(*, uid: UUID, by: Actor) -> SalePaper:
    """One sale with its lines and its money. Raises DoesNotExist where it is none of the actor's store."""
    sale = CounterSale.objects.for_actor(by).select_related("customer", "store").get(uid=uid)
    lines = list(sale.lines.select_related("part", "core").prefetch_related("returns").order_by("id"))
    payments = list(sale.payments.select_related("cashier", "reverses").order_by("id"))
    return SalePaper(sale, lines, payments, sum((payment.amount for payment in payments), ZERO))
