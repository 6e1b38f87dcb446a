"""Reads of parts and stock (3.2): what waits for the parts keeper, and what is on the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Min, Q, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from workshop.models import LineState, PartLine, StockItem, StockMovement

AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part that an agreed line still needs; ``free`` is what the shelf has beyond what is kept for others."""

    part_line: PartLine
    bin: str
    free: Decimal

    @property
    def left(self) -> Decimal:
        return self.part_line.quantity - self.part_line.issued_quantity

    @property
    def can_issue(self) -> bool:
        return self.left <= self.part_line.reserved_quantity + self.free

    @property
    def short(self) -> Decimal:
        return max(Decimal(0), self.left - self.part_line.reserved_quantity - self.free)


def _waiting(by: Actor) -> QuerySet[PartLine]:
    return PartLine.objects.for_actor(by).filter(
        line__state__in=AGREED, line__settled=False, quantity__gt=F("issued_quantity")
    )


def wanted(by: Actor, *, show: str = "ISSUE", number: str = "") -> list[Wanted]:
    """What agreed lines still need, oldest order first. ISSUE: the shelf has it; SHORT: it hasn't."""
    rows = _waiting(by)
    if number.strip():
        rows = rows.filter(part__number__iexact=number.strip())
    lines = list(
        rows.select_related("part", "line__order__visit__vehicle", "line__order__advisor")
        .order_by("line__order__promised_at", "id")[:300]
    )  # fmt: skip
    shelves = {
        (item.store_id, item.part_id): item
        for item in StockItem.objects.for_actor(by).filter(part__in=[line.part_id for line in lines])
    }
    found = []
    for line in lines:
        item = shelves.get((line.line.order.store_id, line.part_id))
        found.append(Wanted(line, item.bin if item else "", item.on_hand - item.reserved if item else Decimal(0)))
    return [row for row in found if row.can_issue == (show != "SHORT")]


def wanted_counts(by: Actor) -> dict[str, int]:
    rows = wanted(by) + wanted(by, show="SHORT")
    return {"ISSUE": sum(r.can_issue for r in rows), "SHORT": sum(not r.can_issue for r in rows)}


def returnable(by: Actor) -> QuerySet[PartLine]:
    """Issued parts on lines that aren't settled yet: these can still come back."""
    return (
        PartLine.objects.for_actor(by)
        .filter(issued_quantity__gt=0, line__settled=False, line__order__closed_at__isnull=True)
        .select_related("part", "line__order__visit__vehicle")
        .order_by("-id")[:100]
    )


def shelf(by: Actor, *, words: str = "", low: bool = False) -> QuerySet[StockItem]:
    """The store's stock by part number; ``words`` is part of number, name or pinyin."""
    rows = StockItem.objects.for_actor(by).select_related("part").order_by("part__number")
    if words.strip():
        text = words.strip()
        rows = rows.filter(
            Q(part__number__icontains=text) | Q(part__name__icontains=text) | Q(part__pinyin__icontains=text.lower())
        )
    if low:
        rows = rows.filter(on_hand__lte=F("reorder_level") + F("reserved"))
    return rows.annotate(available=F("on_hand") - F("reserved"))


def item(by: Actor, uid: object) -> StockItem:
    return StockItem.objects.for_actor(by).select_related("part").get(uid=uid)


def movements(stock_item: StockItem) -> QuerySet[StockMovement]:
    return stock_item.movements.select_related("part_line__line__order").order_by("-id")[:50]


def parts_due(store: Store, parts: Sequence[tuple[int, Decimal]]) -> date | None:
    """A source of ``reception.selectors.capacity.PART_DATES``: the store day on which all of these are there.

    What the shelf lacks comes with the next delivery that is expected for a line in the shop; None where the shelf has
    everything or nobody named a day (the parts keeper sees it on the preparation list).
    """
    there = availability(store.pk, parts)
    short = [part_id for (part_id, _quantity), enough in zip(parts, there, strict=True) if not enough]
    if not short:
        return None
    expected = PartLine.objects.filter(
        line__order__store=store, part__in=short, expected_on__gte=clock.today(store.time_zone)
    ).filter(quantity__gt=F("issued_quantity"))
    days = dict(expected.values_list("part_id").annotate(day=Min("expected_on")).values_list("part_id", "day"))
    return max(days.values(), default=None)


def availability(store_id: int, parts: Sequence[tuple[int, Decimal]]) -> list[bool]:
    """For each (part id, quantity): does the store's shelf have it free?"""
    free = {
        part_id: on_hand - reserved
        for part_id, on_hand, reserved in StockItem.objects.filter(
            store_id=store_id, part_id__in=[part_id for part_id, _ in parts]
        ).values_list("part_id", "on_hand", "reserved")
    }
    return [free.get(part_id, Decimal(0)) >= quantity for part_id, quantity in parts]
