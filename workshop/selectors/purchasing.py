"""Reads of purchases (3.2): what is on its way, when what lines wait for comes, and what should be ordered."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from dealership.catalogue.models import Part, PartKind
from dealership.catalogue.selectors.replacements import successors
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from workshop.limits import PARTS_LEAD_DAYS, STOCK_COVER_DAYS, STOCK_USE_DAYS
from workshop.models import LineState, MovementKind, PartLine, PurchaseLine, PurchaseOrder, StockItem, StockMovement
from workshop.rules import reorder_quantity
from workshop.selectors.suppliers import lead_days
from workshop.stock_models import RUNNING

ZERO = Decimal(0)
USES = (
    MovementKind.ISSUE, MovementKind.RETURN, MovementKind.SALE, MovementKind.SALE_BACK, MovementKind.TRIED,
)  # fmt: skip
"""Movements by which a part is used, or comes back unused."""
_AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED)


def purchases(by: Actor, *, show: str = "OPEN") -> QuerySet[PurchaseOrder]:
    """Orders of the store. OPEN: what is on its way, the next delivery first; else the ended ones, the last first."""
    rows = PurchaseOrder.objects.for_actor(by).annotate(
        parts=Count("lines"), complete=Count("lines", filter=Q(lines__received__gte=F("lines__quantity")))
    )
    if show == "OPEN":
        return rows.filter(state__in=RUNNING).order_by("expected_on", "id")
    return rows.exclude(state__in=RUNNING).order_by("-id")


def lines_of(purchase: PurchaseOrder) -> QuerySet[PurchaseLine]:
    return purchase.lines.select_related("part").order_by("id")


def _on_the_way(store_id: int) -> QuerySet[PurchaseLine]:
    return PurchaseLine.objects.filter(
        purchase__store_id=store_id, purchase__state__in=RUNNING, quantity__gt=F("received")
    )


def _short(store_id: int) -> QuerySet[PartLine]:
    """Parts that agreed lines lack, oldest order first; what a customer brings isn't bought."""
    return (
        PartLine.objects.filter(
            line__order__store_id=store_id,
            line__state__in=_AGREED,
            line__settled=False,
            quantity__gt=F("issued_quantity") + F("reserved_quantity"),
        )
        .exclude(kind=PartKind.CUSTOMER_SUPPLIED)
        .order_by("line__order__opened_at", "id")
    )


def arrivals(store_id: int, part_uid: UUID) -> list[tuple[UUID, date]]:
    """(part line, day) of what waits for a part: each is served whole by the deliveries in their order of days."""
    return _arrivals(store_id, Q(part__uid=part_uid))


def _arrivals(store_id: int, of: Q) -> list[tuple[UUID, date]]:
    coming: dict[int, list[tuple[date, Decimal]]] = defaultdict(list)
    rows = _on_the_way(store_id).filter(of).order_by("purchase__expected_on", "id")
    for part, day, quantity in rows.values_list("part", "purchase__expected_on", F("quantity") - F("received")):
        coming[part].append((day, quantity))
    found: list[tuple[UUID, date]] = []
    needed: dict[int, Decimal] = defaultdict(Decimal)
    for row in _short(store_id).filter(of, expected_on__isnull=False) if coming else ():
        needed[row.part_id] += row.quantity - row.issued_quantity - row.reserved_quantity
        there = ZERO
        for day, quantity in coming[row.part_id]:
            there += quantity
            if there >= needed[row.part_id]:
                found.append((row.uid, day))
                break
    return found


def with_arrivals(store_id: int, part_lines: Iterable[PartLine]) -> None:
    """Gives each part line that waits for a delivery the day of the one that brings it (``arrives``), None where nothing is
    ordered for it: a reckoned day isn't shown as an expected one (3.2)."""
    rows = list(part_lines)
    waits = {row.part_id for row in rows if row.expected_on}
    days = dict(_arrivals(store_id, Q(part__in=waits))) if waits else {}
    for row in rows:
        row.arrives = days.get(row.uid)  # type: ignore[attr-defined]


def parts_named(uids: Sequence[str]) -> list[Part]:
    """The parts of these uids; what is none is left out."""
    found = []
    for text in uids:
        with contextlib.suppress(ValueError):
            found.append(UUID(text))
    return list(Part.objects.filter(uid__in=found).order_by("number"))


@dataclass(frozen=True, slots=True)
class Proposal:
    """So much of a part should be ordered, and why; ``used`` is the use of the last ``days`` days."""

    part: Part
    free: Decimal
    on_the_way: Decimal
    missing: Decimal
    used: Decimal
    level: Decimal
    unit_cost: Decimal
    quantity: Decimal
    instead_of: Sequence[Part] = ()
    """Parts that this one follows: what is left of them is used up first, what is missing of them is ordered as this."""


def proposals(by: Actor) -> list[Proposal]:
    """What the store should order today from its use, its lowest levels and what work waits for (3.2)."""
    return [row for row in reckoned(by) if row.quantity]


def runs_low(rows: Iterable[Proposal]) -> set[int]:
    """Parts that run low: those that are proposed to be ordered, and those whose rest is used up before them (3.2)."""
    return {part.pk for row in rows if row.quantity for part in (row.part, *row.instead_of)}


def reckoned(by: Actor) -> list[Proposal]:
    """Each part of the store with what speaks for ordering it, and how many; zero where it lasts."""
    store_id = by.store_id or 0
    days = int(limits.value(STOCK_USE_DAYS, store_id=store_id))
    cover = int(limits.value(STOCK_COVER_DAYS, store_id=store_id))
    lead = int(limits.value(PARTS_LEAD_DAYS, store_id=store_id))
    since = clock.now() - timedelta(days=days)
    moved = StockMovement.objects.filter(store_id=store_id, at__gte=since)
    moved = moved.filter(kind__in=USES)
    used = dict(moved.values_list("item__part").annotate(q=-Sum("quantity")).values_list("item__part", "q"))
    coming = _on_the_way(store_id).values_list("part").annotate(q=Sum(F("quantity") - F("received")))
    on_the_way = dict(coming.values_list("part", "q"))
    missing: dict[int, Decimal] = defaultdict(Decimal)
    for row in _short(store_id):
        missing[row.part_id] += row.quantity - row.issued_quantity - row.reserved_quantity
    items = {
        item.part_id: item for item in StockItem.objects.filter(store_id=store_id).select_related("part").order_by("pk")
    }
    takes = lead_days(store_id, items)
    later = successors(items)
    together: dict[int, list[StockItem]] = defaultdict(list)
    for key, item in items.items():
        together[later[key].pk if key in later else key].append(item)
    found = []
    for key, rows in together.items():
        own = items.get(key)
        part = own.part if own else later[rows[0].part_id]
        if not part.active:
            continue
        keys = {key, *(row.part_id for row in rows)}
        facts = {
            "free": sum((row.on_hand - row.reserved for row in rows), ZERO),
            "on_the_way": sum((on_the_way.get(pk, ZERO) for pk in keys), ZERO),
            "missing": sum((missing.get(pk, ZERO) for pk in keys), ZERO),
            "used": sum((max(ZERO, used.get(pk, ZERO)) for pk in keys), ZERO),
            "level": max(row.reorder_level for row in rows),
        }
        quantity = reorder_quantity(**facts, days=days, lead=takes.get(key, lead), cover=cover)
        cost = own.average_cost if own else ZERO
        before = [row.part for row in rows if row.part_id != key]
        found.append(Proposal(part=part, **facts, unit_cost=cost, quantity=quantity, instead_of=before))
    return sorted(found, key=lambda row: (-row.missing, row.part.number))
