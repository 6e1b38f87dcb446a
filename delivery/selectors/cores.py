"""What of core charges is to be given back in money (3.2, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Sum

from dealership.kernel.money import ZERO
from workshop.models import CoreCharge

from ..models import CorePayout, Settlement, SettlementLine, SettlementLineKind, SettlementState
from .settlements import with_paid


def owed_back(cores: Sequence[CoreCharge]) -> dict[int, Decimal]:
    """By key: what the signed and paid list took for it, less what stays with the shop and what was given back (CNY)."""
    taken = dict.fromkeys([core.part_line_id for core in cores if core.part_line_id], ZERO)
    paid = with_paid(Settlement.objects.filter(state=SettlementState.SIGNED)).filter(due__lte=0)
    rows = SettlementLine.objects.filter(part_line__in=list(taken), kind=SettlementLineKind.OTHER)
    for part_line, amount in rows.filter(settlement__in=paid.values("pk")).values_list("part_line_id", "amount"):
        taken[part_line] += amount
    gone = CorePayout.objects.filter(core__in=cores).order_by().values_list("core").annotate(sum=Sum("amount"))
    given = {key: -amount for key, amount in gone}
    return {
        core.pk: max(ZERO, taken.get(core.part_line_id or 0, ZERO) - core.kept - given.get(core.pk, ZERO))
        for core in cores
    }
