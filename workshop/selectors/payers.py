"""What goes ahead unasked for the maker, the shop and service contracts, and what waits for somebody's yes (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import Q

from dealership.catalogue.models import PayType
from dealership.kernel import limits
from dealership.kernel.models import ApprovalState
from dealership.kernel.money import ZERO
from workshop import rules
from workshop.campaign_models import CampaignVehicle
from workshop.limits import UNASKED_DEFAULTS, UNASKED_UP_TO
from workshop.models import AGREED, LineState, OrderKind, OrderLine, RepairOrder
from workshop.payer_models import PayerApproval

UNASKED = (PayType.WARRANTY, PayType.INTERNAL, PayType.SERVICE_CONTRACT)
GRANTED = Q(approval__state=ApprovalState.APPROVED) | ~Q(maker_number="")


def whole(line: OrderLine) -> Decimal:
    return rules.line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)


def unasked_up_to(order: RepairOrder, pay_type: str) -> Decimal:
    """How much of an order goes ahead for this payer without anybody's yes; CNY with VAT."""
    table = UNASKED_DEFAULTS | limits.value(UNASKED_UP_TO, store_id=order.store_id)
    return Decimal(str(table.get(pay_type, 0)))


def granted_amounts(lines: Iterable[OrderLine]) -> dict[int, Decimal]:
    """Line → the highest amount that was approved for it, or that the maker has authorised."""
    found: dict[int, Decimal] = {}
    for pk, amount in PayerApproval.objects.filter(GRANTED, line__in=list(lines)).values_list("line_id", "amount"):
        found[pk] = max(amount, found.get(pk, ZERO))
    return found


def waiting_for_payer(order: RepairOrder, lines: Iterable[OrderLine]) -> list[OrderLine]:
    """Those drafted ``lines`` that exceed what goes ahead unasked on this order and that nobody has approved so far.

    The amount holds for the order and the payer, lines use it up in the order they were written; what was approved by
    itself doesn't count. Rework, putting together again and campaigns are owed already: no amount holds them up.
    """
    drafted = [line for line in lines if line.state == LineState.DRAFT and line.pay_type in UNASKED]
    if not drafted or order.kind == OrderKind.REWORK:
        return []
    owed = set(CampaignVehicle.objects.filter(line__in=drafted).values_list("line_id", flat=True))
    drafted = [line for line in drafted if line.reassembles_id is None and line.pk not in owed]
    granted = granted_amounts(drafted)
    used = {pay_type: _used(order, pay_type) for pay_type in {line.pay_type for line in drafted}}
    waiting = []
    for line in sorted(drafted, key=lambda row: row.pk):
        amount = whole(line)
        if amount <= granted.get(line.pk, ZERO):
            continue
        if used[line.pay_type] + amount <= unasked_up_to(order, line.pay_type):
            used[line.pay_type] += amount
        else:
            waiting.append(line)
    return waiting


def _used(order: RepairOrder, pay_type: str) -> Decimal:
    """What went ahead unasked for this payer on the order before."""
    rows = order.lines.filter(pay_type=pay_type, state__in=AGREED, reassembles__isnull=True, campaigns__isnull=True)
    amounts = list(rows.values_list("pk", "authorized_amount"))
    granted = granted_amounts(rows)
    return sum((amount or ZERO for pk, amount in amounts if granted.get(pk, ZERO) < (amount or ZERO)), ZERO)


def payer_of(line: OrderLine) -> list[PayerApproval]:
    """What was asked for the line, the last first, with what became of it."""
    return list(line.payer_approvals.select_related("approval__asked_by", "approval__decided_by"))
