"""Reads of goodwill on lines (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from dealership.catalogue.models import PayType
from dealership.kernel.models import ApprovalState
from dealership.kernel.money import ZERO
from workshop import rules
from workshop.models import LineGoodwill, LineState, OrderLine


def asked_amount(line: OrderLine) -> Decimal:
    """What goodwill for this line bears: the line, and putting together again what it takes apart; CNY with VAT."""
    total = rules.line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)
    return total + (line.reassembly_amount or ZERO)


def waiting_for_goodwill(lines: Iterable[OrderLine]) -> list[OrderLine]:
    """Those of ``lines`` that are to be goodwill and that nobody has approved as they stand."""
    drafted = [line for line in lines if line.pay_type == PayType.GOODWILL and line.state == LineState.DRAFT]
    if not drafted:
        return []
    granted: dict[int, Decimal] = {}
    rows = LineGoodwill.objects.filter(line__in=drafted, approval__state=ApprovalState.APPROVED)
    for pk, amount in rows.values_list("line_id", "amount"):
        granted[pk] = max(amount, granted.get(pk, ZERO))
    return [line for line in drafted if line.pk not in granted or granted[line.pk] < asked_amount(line)]


def goodwill_of(line: OrderLine) -> list[LineGoodwill]:
    """What was asked for the line, the last first, with what became of it."""
    return list(line.goodwill.select_related("approval__asked_by", "approval__decided_by"))
