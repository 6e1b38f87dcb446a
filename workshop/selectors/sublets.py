"""Reads of outside work (3.2): what is out, what is late, what came back, what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile
from dealership.kernel.money import ZERO
from reception.models import Visit
from workshop.models import LineState, OrderLine, RepairOrder
from workshop.sublet_models import OPEN, TO_GO, SubletLeaves, SubletOrder, SubletState

SHOWN = 200
AWAY = (SubletState.ASKED, SubletState.SENT, SubletState.NOT_OK)


@dataclass(frozen=True, slots=True)
class SubletList:
    """The list with the counts over it, which are its filters."""

    rows: list[SubletOrder]
    open: int
    late: int
    back: int
    unbilled: int
    now: datetime


def _with_car(by: Actor) -> QuerySet[SubletOrder]:
    return SubletOrder.objects.for_actor(by).select_related(
        "line__order__vehicle", "line__order__visit", "line__operation", "asked_by", "sent_by", "taken_back_by",
        "checked_by", "bill", "store",
    )  # fmt: skip


def sublet_list(by: Actor, *, show: str) -> SubletList:
    """Outside work of the store: open, late (should be back), back to be checked, accepted without a bill, or ended."""
    rows, now = SubletOrder.objects.for_actor(by), clock.now()
    groups = {
        "open": Q(state__in=OPEN),
        "late": Q(state__in=AWAY, expected_at__lt=now),
        "back": Q(state=SubletState.BACK),
        "unbilled": Q(state=SubletState.ACCEPTED, final_cost__isnull=True),
        "ended": ~Q(state__in=OPEN),
    }
    counted = ("open", "late", "back", "unbilled")
    counts = rows.aggregate(**{name: Count("pk", filter=groups[name]) for name in counted})
    order = ("-id",) if show == "ended" else ("expected_at", "id")
    wanted = _with_car(by).filter(groups[show]).order_by(*order)
    return SubletList(rows=list(wanted[:SHOWN]), now=now, **counts)


def get_sublet(uid: UUID, by: Actor) -> SubletOrder:
    """Raises SubletOrder.DoesNotExist for another store's."""
    return _with_car(by).get(uid=uid)


def sublets_of(order: RepairOrder, by: Actor) -> list[SubletOrder]:
    return list(_with_car(by).filter(line__order=order).order_by("id"))


def lines_to_give(order: RepairOrder) -> list[OrderLine]:
    """Agreed work of an order that isn't done and isn't at a firm."""
    out = SubletOrder.objects.filter(line=OuterRef("pk"), state__in=OPEN)
    rows = order.lines.filter(state__in=(LineState.AUTHORIZED, LineState.IN_PROGRESS), settled=False)
    return list(rows.exclude(Exists(out)).select_related("operation").order_by("position"))


def open_on_order(order: RepairOrder) -> list[SubletOrder]:
    return list(SubletOrder.objects.filter(line__order=order, state__in=OPEN).order_by("expected_at", "id"))


def expected_back(lines: Iterable[OrderLine]) -> dict[int, datetime]:
    """Line → when what an outside firm has of it is expected back."""
    rows = SubletOrder.objects.filter(line__in=list(lines), state__in=AWAY)
    return dict(rows.values_list("line_id", "expected_at"))


def sublets_expected(line_ids: list[int]) -> list[SubletOrder]:
    """What of these lines an outside firm has or is to have."""
    return list(SubletOrder.objects.filter(line__in=line_ids, state__in=AWAY).order_by("id"))


def car_goes_out(visit: Visit) -> bool:
    """Whether outside work is noted for which this car is to leave."""
    rows = SubletOrder.objects.filter(line__order__visit=visit, leaves=SubletLeaves.CAR, state__in=TO_GO)
    return rows.exists()


def sublets_to_end(line: OrderLine) -> list[SubletOrder]:
    """What is arranged for a line and hasn't gone out: given up with the customer's yes."""
    return list(SubletOrder.objects.filter(line=line, state__in=TO_GO).select_related("asked_by").order_by("id"))


def sublet_cost(order: RepairOrder) -> Decimal:
    """What outside firms cost on an order as far as is known, CNY without VAT; what was given up costs nothing."""
    rows = SubletOrder.objects.filter(line__order=order).exclude(state=SubletState.CANCELLED)
    return sum((row.cost for row in rows), ZERO)


def count_open(by: Actor) -> tuple[int, int]:
    """How many are open, and how many of them are late."""
    rows = SubletOrder.objects.for_actor(by).filter(state__in=OPEN)
    found = list(rows.only("state", "expected_at"))
    now = clock.now()
    return len(found), sum(row.is_late(now) for row in found)


def bill_of(uid: UUID, by: Actor) -> StoredFile:
    """The picture of the firm's bill; Raises SubletOrder.DoesNotExist where there is none."""
    row = SubletOrder.objects.for_actor(by).filter(bill__isnull=False).select_related("bill").get(uid=uid)
    assert row.bill is not None
    return row.bill
