"""What of an accident's bill the customer bears, and whether it is paid (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from dealership.kernel.money import ZERO
from reception.models import Visit
from workshop.selectors.accidents import own_share_of

from ..models import Settlement, SettlementState


@dataclass(frozen=True, slots=True)
class Share:
    """Of one list, CNY with VAT: the customer's share, the insurer's rest, and what of the share is not paid yet."""

    own: Decimal
    insurer: Decimal
    unpaid: Decimal


def share_of(settlement: Settlement) -> Share | None:
    """None where the list belongs to no accident, or the customer bears nothing of it."""
    share = own_share_of(settlement.order)
    if not share:
        return None
    own = min(share, settlement.total)
    paid = settlement.payments.aggregate(sum=Sum("amount"))["sum"] or ZERO
    return Share(own, settlement.total - own, max(ZERO, own - paid))


def unpaid_share(visit: Visit) -> Decimal:
    """What the customer still has to pay of the accidents of a visit before the car goes."""
    lists = (
        Settlement.objects.filter(order__visit=visit, state=SettlementState.SIGNED)
        .select_related("order")
        .order_by("pk")
    )
    return sum((share.unpaid for row in lists if (share := share_of(row)) is not None), ZERO)
