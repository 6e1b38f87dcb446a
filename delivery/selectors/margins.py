"""What an order brings and costs (3.2, 4.1): for those who may see costs, never for customers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Sum

from dealership.kernel import limits
from dealership.kernel.money import ZERO, round_money
from workshop.models import AGREED, MovementKind, OrderLine, RepairOrder, StockMovement
from workshop.selectors.orders import total
from workshop.selectors.sublets import sublet_cost

from ..limits import VAT_RATE


@dataclass(frozen=True, slots=True)
class Margin:
    """CNY without VAT. ``revenue`` is what agreed lines are priced at, whoever pays; wages are no part of it."""

    revenue: Decimal
    borne: Decimal
    parts: Decimal
    outside: Decimal

    @property
    def margin(self) -> Decimal:
        """What is left of what others pay, after parts and outside firms."""
        return self.revenue - self.borne - self.parts - self.outside

    @property
    def percent(self) -> Decimal | None:
        earned = self.revenue - self.borne
        return round(self.margin * 100 / earned, 1) if earned > 0 else None


def _is_ours(line: OrderLine) -> bool:
    """Whether the shop bears the line: its own, or its goodwill."""
    if line.pay_type == "INTERNAL":
        return True
    granted = [row for row in line.goodwill.all() if row.approval.state == "APPROVED"]
    return line.pay_type == "GOODWILL" and bool(granted) and granted[0].bearer == "SHOP"


def margin_of(order: RepairOrder) -> Margin:
    """Agreed lines at their prices less what the shop bears, parts at what they cost the shelf, outside firms."""
    lines = list(
        order.lines.filter(state__in=AGREED).prefetch_related("part_lines", "goodwill__approval").order_by("pk")
    )
    vat = 1 + Decimal(str(limits.value(VAT_RATE, store_id=order.store_id)))
    moved = StockMovement.objects.filter(
        part_line__line__order=order, kind__in=(MovementKind.ISSUE, MovementKind.RETURN)
    ).aggregate(cost=Sum(F("quantity") * F("unit_cost")))["cost"]
    return Margin(
        revenue=round_money(sum((total(line) for line in lines), ZERO) / vat),
        borne=round_money(sum((total(line) for line in lines if _is_ours(line)), ZERO) / vat),
        parts=round_money(-(moved or ZERO)),
        outside=sublet_cost(order),
    )
