"""Reads of stock-takes of parts (3.2): what is to be counted, by whom, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, Max, Q

from dealership.kernel.actors import Actor
from staff.selectors.employees import employee_of
from workshop import rules
from workshop.models import MovementKind, StockBin, StockItem, StockMovement, Warehouse
from workshop.stock_take_models import StockTake, StockTakeLine
from workshop.tool_models import CountState

ZERO = Decimal(0)
MOST = 500
"""Lines that one look at a stock-take shows."""


def places_to_count(
    warehouse: Warehouse, *, bin_from: str = "", bin_to: str = "", value_class: str = ""
) -> list[StockBin]:
    """The bins of a warehouse in which something lies, in the order in which one walks along them."""
    rows = StockBin.objects.filter(warehouse=warehouse, on_hand__gt=0).select_related("item")
    found = sorted(rows, key=lambda row: (row.bin.casefold(), row.item_id))
    if bin_from:
        found = [row for row in found if row.bin.casefold() >= bin_from.casefold()]
    if bin_to:
        last = bin_to.casefold()
        found = [row for row in found if row.bin.casefold() <= last or row.bin.casefold().startswith(last)]
    if value_class:
        worth = StockItem.objects.filter(store=warehouse.store_id, on_hand__gt=0)
        values = dict(worth.values_list("pk", F("on_hand") * F("average_cost")))
        classes = rules.value_classes(values)
        found = [row for row in found if classes.get(row.item_id) == value_class]
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """How a stock-take stands; ``net`` and ``gross`` are CNY at the mean cost, without and with regard to the sign."""

    lines: Sequence[StockTakeLine]
    uncounted: list[StockTakeLine] = field(default_factory=list)
    recounts: list[StockTakeLine] = field(default_factory=list)
    differing: list[StockTakeLine] = field(default_factory=list)
    counters: set[int] = field(default_factory=set)

    @property
    def counted(self) -> int:
        """Lines that somebody has counted, with those that are to be counted once more."""
        return len(self.lines) - len(self.uncounted)

    @property
    def done(self) -> int:
        return len(self.lines) - len(self.uncounted) - len(self.recounts)

    @property
    def net(self) -> Decimal:
        return sum((line.value for line in self.differing), ZERO)

    @property
    def gross(self) -> Decimal:
        return sum((abs(line.value) for line in self.differing), ZERO)

    @property
    def whole(self) -> bool:
        """Everything is counted, so that the differences may be shown."""
        return not self.uncounted and not self.recounts


def standing(take: StockTake, lines: Sequence[StockTakeLine]) -> Standing:
    found = Standing(lines)
    for line in lines:
        found.counters.update(key for key in (line.first_by_id, line.second_by_id) if key)
        if line.first_at is None:
            found.uncounted.append(line)
        elif line.second_at is None and abs(line.value) > take.recount_from:
            found.recounts.append(line)
        if line.difference:
            found.differing.append(line)
    return found


def takes(by: Actor) -> list[StockTake]:
    """The last stock-takes with how many lines they have and how many are counted."""
    rows = StockTake.objects.for_actor(by).select_related("warehouse", "started_by", "ended_by")
    return list(
        rows.annotate(
            expected=Count("lines"),
            counted=Count("lines", filter=Q(lines__first_at__isnull=False)),
            differing=Count("lines", filter=~Q(lines__difference=0)),
        ).order_by("-id")[:50]
    )


def read_take(uid: UUID, by: Actor) -> StockTake:
    rows = StockTake.objects.for_actor(by).select_related("warehouse", "store", "started_by", "ended_by")
    return rows.get(uid=uid)


def lines_of(take: StockTake) -> list[StockTakeLine]:
    """Its lines in the order in which one walks along the bins."""
    rows = take.lines.select_related("place__item__part", "first_by", "second_by")
    return sorted(rows, key=lambda row: (row.place.bin.casefold(), row.place.item.part.number))


def mine_first(sheet: Standing, by: Actor) -> tuple[list[StockTakeLine], list[StockTakeLine]]:
    """What this person may count now (the second counts of others first), and the second counts that wait for others."""
    me = employee_of(by)
    again = [line for line in sheet.recounts if me is None or line.first_by_id != me.pk]
    others = [line for line in sheet.recounts if line not in again]
    return [*again, *sheet.uncounted], others


def last_counted(bins: Sequence[StockBin]) -> dict[int, datetime]:
    """By bin: when it was counted last, in a closed stock-take or by a correction of its own."""
    keys = [row.pk for row in bins]
    counted = StockTakeLine.objects.filter(place__in=keys, take__state=CountState.CLOSED).order_by().values("place")
    found: dict[int, datetime] = {}
    for row in counted.annotate(first=Max("first_at"), second=Max("second_at")):
        found[row["place"]] = max(at for at in (row["first"], row["second"]) if at)
    apart = StockMovement.objects.filter(place__in=keys, kind=MovementKind.COUNT, take_line=None).order_by()
    for key, at in apart.values_list("place").annotate(at=Max("at")).values_list("place", "at"):
        found[key] = max(at, found.get(key, at))
    return found
