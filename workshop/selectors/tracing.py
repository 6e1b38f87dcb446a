"""Where batches and serial numbers came from and which cars they went into (3.2): what a recall asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from dealership.catalogue.models import Part, Tracing
from dealership.kernel.actors import Actor
from workshop.models import (
    LineState,
    MovementKind,
    PartLine,
    PartReturn,
    RepairOrder,
    ReturnCondition,
    StockItem,
    StockLot,
)
from workshop.models import StockMovement as Movement

MOST = 50
"""Batches and serial numbers that one look shows."""


def traced(part: Part) -> bool:
    return part.tracing != Tracing.NONE


def lots_out(part_lines: Iterable[PartLine]) -> dict[int, list[tuple[StockLot, Decimal]]]:
    """By part line (with its part read): the batches and serial numbers that went out for it and didn't come back."""
    keys = [row.pk for row in part_lines if traced(row.part)]
    if not keys:
        return {}
    out: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    moved = Movement.objects.filter(part_line__in=keys, lot__isnull=False).order_by().values_list("part_line", "lot")
    for line, lot, quantity in moved.annotate(q=Sum("quantity")):
        out[line, lot] -= quantity
    gone = PartReturn.objects.filter(part_line__in=keys, lot__isnull=False).exclude(condition=ReturnCondition.UNOPENED)
    for line, lot, quantity in gone.order_by().values_list("part_line", "lot").annotate(q=Sum("quantity")):
        out[line, lot] -= quantity
    rows = StockLot.objects.in_bulk({lot for _line, lot in out})
    found: dict[int, list[tuple[StockLot, Decimal]]] = defaultdict(list)
    for (line, lot), quantity in sorted(out.items()):
        if quantity > 0:
            found[line].append((rows[lot], quantity))
    return dict(found)


def with_lots(part_lines: Iterable[PartLine]) -> None:
    """Gives each part line what of it is traced (``lots``): the numbers that are in the car or with the technician."""
    rows = list(part_lines)
    found = lots_out(rows)
    for row in rows:
        row.lots = [lot.code for lot, _quantity in found.get(row.pk, ())]  # type: ignore[attr-defined]


def unnamed(item: StockItem) -> Decimal:
    """What lies there of a traced part without a number: it came in before it was traced, and nobody has it to try."""
    if not traced(item.part):
        return Decimal(0)
    named = item.lots.aggregate(sum=Sum("on_hand"))["sum"] or Decimal(0)
    lent = item.trials.filter(state="OUT", lot=None).aggregate(sum=Sum("quantity"))["sum"] or Decimal(0)
    return item.on_hand - named - lent


def unnamed_out(part_line: PartLine) -> Decimal:
    """What went out for a line before its part was traced, or without a number, and didn't come back."""
    out = part_line.movements.filter(kind=MovementKind.ISSUE, lot=None).aggregate(sum=Sum("quantity"))["sum"]
    back = part_line.returns.filter(lot=None).aggregate(sum=Sum("quantity"))["sum"]
    return -(out or Decimal(0)) - (back or Decimal(0))


def lots_there(item: StockItem) -> list[StockLot]:
    """What lies on the shelf of a traced part, the oldest first."""
    return list(item.lots.filter(on_hand__gt=0).order_by("id"))


def lot_scanned(order: RepairOrder, code: str, *, back: bool = False) -> tuple[PartLine, str] | None:
    """The order's part line that the scanned batch or serial number is meant for, with the number; None where it is none."""
    wanted = " ".join(code.split()).upper()
    rows = PartLine.objects.filter(line__order=order).exclude(part__tracing=Tracing.NONE).select_related("part")
    lines = list(rows.order_by("line__position", "id"))
    if back:
        for key, lots in lots_out(lines).items():
            if any(lot.code == wanted for lot, _quantity in lots):
                return next(row for row in lines if row.pk == key), wanted
        return None
    here = StockLot.objects.filter(item__store=order.store_id, code=wanted, on_hand__gt=0)
    parts = set(here.values_list("item__part", flat=True))
    fit = [row for row in lines if row.part_id in parts and row.quantity > row.issued_quantity]
    return (fit[0], wanted) if fit else None


@dataclass(frozen=True, slots=True)
class Use:
    """So much of a batch or number went out for a part line; ``left`` is what didn't come back."""

    part_line: PartLine
    out: Decimal
    left: Decimal

    @property
    def fitted(self) -> bool:
        """Its work is done, so what is left of it is in the car; before, the technician has it."""
        return self.part_line.line.state in (LineState.COMPLETED, LineState.INSPECTED)


@dataclass(frozen=True, slots=True)
class Trace:
    lot: StockLot
    receipts: list[Movement]
    uses: list[Use]
    sales: list[Movement]
    """What went over the counter."""


def found_lots(by: Actor, code: str) -> list[StockLot]:
    """Batches and serial numbers of the store that begin with what was typed, the last received first."""
    text = " ".join(code.split()).upper()
    if not text:
        return []
    rows = StockLot.objects.for_actor(by).filter(Q(code__istartswith=text) | Q(item__part__number__iexact=text))
    return list(rows.select_related("item__part").order_by("-id")[:MOST])


def traces(by: Actor, code: str) -> list[Trace]:
    """Each batch or serial number that fits, with its receipts and the orders and cars it went into (3.2)."""
    lots = found_lots(by, code)
    receipts: dict[int, list[Movement]] = defaultdict(list)
    sales: dict[int, list[Movement]] = defaultdict(list)
    uses: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    moved = Movement.objects.filter(lot__in=lots).order_by("id")
    for row in moved.select_related("purchase_line__purchase", "sale_line__sale__customer"):
        assert row.lot_id is not None
        if row.kind == MovementKind.RECEIPT:
            receipts[row.lot_id].append(row)
        elif row.kind in (MovementKind.SALE, MovementKind.SALE_BACK):
            sales[row.lot_id].append(row)
        elif row.kind == MovementKind.ISSUE and row.part_line_id:
            uses[row.lot_id, row.part_line_id] -= row.quantity
    back: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for returned in PartReturn.objects.filter(lot__in=lots):
        assert returned.lot_id is not None
        back[returned.lot_id, returned.part_line_id] += returned.quantity
    lines = (
        PartLine.objects.filter(pk__in={line for _lot, line in uses})
        .select_related("part", "line__order__vehicle", "line__order__visit")
        .in_bulk()
    )
    found: dict[int, list[Use]] = defaultdict(list)
    for (lot, line), out in uses.items():
        found[lot].append(Use(lines[line], out, out - back[lot, line]))
    return [Trace(lot, receipts[lot.pk], found[lot.pk], sales[lot.pk]) for lot in lots]
