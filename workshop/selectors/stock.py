"""Reads of parts and stock (3.2): what waits for the parts keeper, and what is on the shelf."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, Count, Exists, F, Min, OuterRef, Prefetch, Q, QuerySet, When
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, PartKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store
from workshop.models import (
    HoldCause,
    LineHold,
    LineState,
    OrderLine,
    PartLine,
    PartReturn,
    RepairOrder,
    ReturnCondition,
    StockBin,
    StockItem,
    StockMovement,
    Warehouse,
)
from workshop.selectors.places import code_meant
from workshop.selectors.purchasing import with_arrivals
from workshop.selectors.replacing import Offer
from workshop.stock_models import MAIN

AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


MEASURED = frozenset({"升", "毫升", "克", "千克", "米"})
"""Units of what is poured, weighed or cut: a scan moves all of it, not one of it."""
FULL_BINS = Prefetch("bins", StockBin.objects.filter(on_hand__gt=0).select_related("warehouse"), to_attr="full_bins")
"""The bins in which a part lies, with its row of stock."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part that an agreed line still needs; ``free`` is what the shelf has beyond what is kept for others."""

    part_line: PartLine
    bins: Sequence[StockBin]
    free: Decimal
    elsewhere: bool = False
    """Something of this part is kept for other lines of the store."""
    offers: Sequence[Offer] = ()
    """What may be used instead, where the page asks for it."""

    @property
    def left(self) -> Decimal:
        return self.part_line.quantity - self.part_line.issued_quantity

    @property
    def agreed(self) -> bool:
        """Whether the customer has said yes to its line, so that it may be issued."""
        return self.part_line.line.state in (*AGREED, LineState.COMPLETED)

    @property
    def measured(self) -> bool:
        return self.part_line.part.unit in MEASURED

    @property
    def can_issue(self) -> bool:
        return self.left <= self.part_line.reserved_quantity + self.free

    @property
    def unkept(self) -> Decimal:
        """What its line still needs and nobody keeps for it, though the shelf has it free: it can be reserved (again)."""
        if self.part_line.line.state not in AGREED or self.part_line.line.settled:
            return Decimal(0)
        return max(Decimal(0), min(self.left - self.part_line.reserved_quantity, self.free))

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
    with_arrivals(by.store_id or 0, lines if show == "SHORT" else ())
    return [row for row in _with_shelves(lines, by) if row.can_issue == (show != "SHORT")]


def _with_shelves(lines: Sequence[PartLine], by: Actor) -> list[Wanted]:
    """These part lines with the bins in which their parts lie, and what is free."""
    shelves = {
        (item.store_id, item.part_id): item
        for item in StockItem.objects.for_actor(by)
        .filter(part__in=[line.part_id for line in lines])
        .prefetch_related(FULL_BINS)
    }
    found = []
    for line in lines:
        item = shelves.get((line.line.order.store_id, line.part_id))
        free = item.on_hand - item.reserved if item else Decimal(0)
        elsewhere = item is not None and item.reserved > line.reserved_quantity
        found.append(Wanted(line, item.full_bins if item else (), free, elsewhere))
    return found


def of_order(order: RepairOrder, by: Actor) -> list[Wanted]:
    """Every part of an order that comes from the shelf, in the order of its lines."""
    gone = (LineState.CANCELLED, LineState.DECLINED, LineState.WITHDRAWN)
    rows = PartLine.objects.filter(line__order=order).exclude(kind=PartKind.CUSTOMER_SUPPLIED)
    rows = rows.exclude(line__state__in=gone, issued_quantity=0).select_related("part", "line__order")
    return _with_shelves(list(rows.order_by("line__position", "id")), by)


def scanned(order: RepairOrder, code: str, by: Actor, *, back: bool = False) -> tuple[PartLine, StockBin | None]:
    """What a scan on the order's parts page means: a part's number, or the label of a bin in which one lies (3.2).

    Issuing it is a line that still needs it, of a bin that has it; taking back, a line that has it out. Raises RuleError
    ``scan.unknown``, ``scan.several`` (a bin of several parts of the order) and ``scan.none_left``.
    """
    code = code_meant(code_meant(code), key="bin")
    rows = of_order(order, by)
    hits: list[tuple[Wanted, StockBin | None]] = [
        (row, None) for row in rows if row.part_line.part.number.casefold() == code.casefold()
    ]
    if not hits and not back:
        hits = [
            (row, place) for row in rows for place in row.bins
            if code.casefold() in (place.bin.casefold(), f"{place.warehouse.code} {place.bin}".casefold())
        ]  # fmt: skip
    if not hits or not code:
        raise RuleError(
            "scan.unknown",
            _("This is no part of the order, and no bin of one: %(scanned)s"),
            scanned=code[:40],
            field="code",
        )
    if len({row.part_line.part_id for row, _place in hits}) > 1:
        raise RuleError(
            "scan.several", _("Several parts of this order lie in this bin; scan the part's number."), field="code"
        )
    fit = [hit for hit in hits if (hit[0].part_line.issued_quantity if back else hit[0].left) > 0]
    if not fit:
        text = _("None of this part is out for the order.") if back else _("All of this part is issued already.")
        raise RuleError("scan.none_left", text, field="code")
    agreed = [hit for hit in fit if hit[0].part_line.line.state in AGREED]
    row, place = (agreed or fit)[0]
    return row.part_line, place


def wanted_counts(by: Actor) -> dict[str, int]:
    rows = wanted(by) + wanted(by, show="SHORT")
    return {"ISSUE": sum(r.can_issue for r in rows), "SHORT": sum(not r.can_issue for r in rows)}


def waits_without_part(by: Actor) -> QuerySet[LineHold]:
    """Agreed lines that wait for parts while no part that is still to come stands on them: nobody orders anything (3.2)."""
    open_parts = PartLine.objects.filter(line=OuterRef("line"), quantity__gt=F("issued_quantity")).exclude(
        kind=PartKind.CUSTOMER_SUPPLIED
    )
    return (
        LineHold.objects.filter(ended_at__isnull=True, cause=HoldCause.PARTS, line__state__in=AGREED)
        .filter(~Exists(open_parts), line__in=OrderLine.objects.for_actor(by))
        .select_related("line__order__vehicle", "line__order__advisor")
        .order_by("started_at", "id")
    )


def kept_for(stock_item: StockItem) -> list[PartLine]:
    """The lines of the item's store for which the part is kept, the first promised first."""
    rows = PartLine.objects.filter(
        line__order__store=stock_item.store_id, part=stock_item.part_id, reserved_quantity__gt=0
    )
    return list(
        rows.select_related("line__order__vehicle").order_by(F("line__order__promised_at").asc(nulls_last=True), "pk")
    )


def returnable(by: Actor) -> QuerySet[PartLine]:
    """Issued parts on lines that aren't settled yet: these can still come back."""
    return (
        PartLine.objects.for_actor(by)
        .filter(issued_quantity__gt=0, line__settled=False, line__order__closed_at__isnull=True)
        .select_related("part", "line__order__visit__vehicle")
        .order_by("-id")[:100]
    )


def came_back(by: Actor) -> QuerySet[PartReturn]:
    """Old and trial parts: what came back opened or fitted and is no longer stock, the last first."""
    return (
        PartReturn.objects.for_actor(by)
        .exclude(condition=ReturnCondition.UNOPENED)
        .select_related("part_line__part", "part_line__line__order__visit__vehicle")
        .order_by("-id")[:100]
    )


def keepers(part_line: PartLine) -> list[PartLine]:
    """Other lines of the store for which the same part is kept; what can wait longest first."""
    rows = PartLine.objects.filter(
        line__order__store=part_line.line.order.store_id, part=part_line.part_id, reserved_quantity__gt=0
    ).exclude(pk=part_line.pk)
    return list(
        rows.select_related("part", "line__order__visit__vehicle", "line__order__advisor")
        .order_by("-line__order__promised_at", "-id")[:50]
    )  # fmt: skip


def shelf(by: Actor, *, words: str = "", only: Collection[int] | None = None) -> QuerySet[StockItem]:
    """The store's stock by part number; ``words`` is part of number, name or pinyin, or the bin it lies in; ``only``: of
    these parts alone."""
    rows = StockItem.objects.for_actor(by).select_related("part").order_by("part__number").prefetch_related(FULL_BINS)
    if words.strip():
        text = words.strip()
        here = StockBin.objects.for_actor(by).filter(bin__iexact=text, on_hand__gt=0)
        rows = rows.filter(
            Q(part__number__icontains=text)
            | Q(part__name__icontains=text)
            | Q(part__pinyin__icontains=text.lower())
            | Q(pk__in=here.values("item"))
        )
    if only is not None:
        rows = rows.filter(part__in=only)
    return rows.annotate(available=F("on_hand") - F("reserved"))


def item(by: Actor, uid: object) -> StockItem:
    return StockItem.objects.for_actor(by).select_related("part").get(uid=uid)


def movements(stock_item: StockItem) -> QuerySet[StockMovement]:
    rows = stock_item.movements.select_related(
        "part_line__line__order", "place__warehouse", "lot", "moved_by", "take_line__take", "trial__order", "sale_line__sale",
        "purchase_line__purchase",
    )  # fmt: skip
    return rows.order_by("-id")[:50]


def bins_of(stock_item: StockItem) -> list[StockBin]:
    """Where the part lies now."""
    return list(stock_item.bins.filter(on_hand__gt=0).select_related("warehouse"))


def warehouses(by: Actor) -> QuerySet[Warehouse]:
    """The store's warehouses, the main one first, with how many parts lie in each."""
    rows = Warehouse.objects.for_actor(by).order_by(Case(When(code=MAIN, then=0), default=1), "id")
    return rows.annotate(parts=Count("bins__item", distinct=True, filter=Q(bins__on_hand__gt=0)))


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


def lies_somewhere(part: Part) -> bool:
    """Has any store some of this part on its shelf?"""
    return StockItem.objects.filter(part=part, on_hand__gt=0).exists()
