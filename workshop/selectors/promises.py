"""Whether a promised hand-over holds for the work that is left (3.2, domain 3.3). Derived each time, stored nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime

from dealership.kernel import clock
from dealership.kernel.models import Store
from dealership.kernel.worktime import Calendar
from reception.models import VisitState
from reception.selectors.capacity import store_calendar
from workshop import rules
from workshop.models import Clocking, Dispatch, Estimate, L, OrderLine, OrderStage, RepairOrder
from workshop.selectors.jobs import worked_minutes
from workshop.selectors.plan import proposals
from workshop.selectors.sublets import expected_back

OPEN = (L.AUTHORIZED, L.IN_PROGRESS)
WORKED_ON = (
    OrderStage.DRAFT,
    OrderStage.AWAITING_AUTHORIZATION,
    OrderStage.AUTHORIZED,
    OrderStage.IN_WORK,
    OrderStage.ON_HOLD,
    OrderStage.INSPECTION,
)
STEP = timedelta(minutes=30)
"""Promises are given by the half hour."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """``hours`` are the standard hours that nobody has been given yet; ``ready_at`` is when all of it can be done."""

    promised_at: datetime
    hours: Decimal
    ready_at: datetime
    suggested: datetime

    @property
    def fits(self) -> bool:
        return self.ready_at <= self.promised_at


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of some lines: minutes without a plan, and the end of what is planned."""

    loose: list[tuple[OrderLine, int]]
    planned: int
    end: datetime | None


def _left(
    lines: Iterable[OrderLine],
    plans: Mapping[int, Sequence[Dispatch]],
    worked: Mapping[int, list[Clocking]],
    firms: Iterable[datetime],
) -> _Left:
    """A plan whose end is over counts as none while nobody is at work."""
    now, loose, planned, ends = clock.now(), [], 0, list(firms)
    for line in lines:
        if not line.hours:
            continue
        clockings = worked.get(line.pk, [])
        rest = max(rules.LEAST_REST_MINUTES, rules.plan_minutes(line.hours) - worked_minutes(clockings))
        if any(row.ended_at is None for row in clockings):
            ends.append(now + timedelta(minutes=rest))
            planned += rest
        elif ahead := [plan.ends_at for plan in plans.get(line.pk, ()) if plan.ends_at > now]:
            ends.append(max(ahead))
            planned += rest
        else:
            loose.append((line, rest))
    return _Left(loose, planned, max(ends, default=None))


def _least(left: _Left, calendar: Calendar) -> datetime | None:
    """The earliest by the opening hours alone: a car's work is done one after the other. None for a closed shop."""
    if not left.loose:
        return left.end
    minutes = left.planned + sum(rest for _line, rest in left.loose)
    try:
        least = calendar.add_working_time(clock.now(), timedelta(minutes=minutes))
    except ValueError:
        return left.end
    return max(least, left.end) if left.end else least


def _planned(left: _Left) -> datetime | None:
    """When the planner would find the loose work done, as one piece with its most demanding line's needs."""
    if not left.loose:
        return left.end
    lead = max(
        (line for line, _rest in left.loose),
        key=lambda line: (line.operation.skill_level if line.operation else 0, line.hours, -line.pk),
    )
    whole = copy(lead)
    whole.hours = (Decimal(sum(rest for _line, rest in left.loose)) / 60).quantize(Decimal("0.01"))
    found = proposals(whole, most=1)
    return found[0].ends_at if found else None


def _to_promise(ready_at: datetime, calendar: Calendar) -> datetime:
    """The next half hour at which the shop is open, so that the car can be fetched."""
    local = ready_at.astimezone(ZoneInfo(calendar.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    rounded = midnight + -(-(local - midnight) // STEP) * STEP
    try:
        opens = calendar.next_open(rounded - timedelta(minutes=1))
    except ValueError:
        return rounded
    return rounded if opens < rounded else opens + STEP


def _outlook(order: RepairOrder, left: _Left, calendar: Calendar, *, plan: bool) -> Outlook | None:
    times = [_least(left, calendar), *([_planned(left)] if plan else [])]
    ready = max((at for at in times if at is not None), default=None)
    if ready is None or order.promised_at is None:
        return None
    hours = sum((line.hours for line, _rest in left.loose), Decimal(0))
    return Outlook(order.promised_at, hours, ready, _to_promise(ready, calendar))


def to_promise(store: Store, ready_at: datetime) -> datetime:
    """What to promise where the work is done at ``ready_at``."""
    return _to_promise(ready_at, store_calendar(store))


def is_promised(order: RepairOrder) -> bool:
    """Whether a promise is to be kept: the car is here and its work isn't passed yet."""
    here = order.visit.state != VisitState.AWAY
    return order.promised_at is not None and here and not order.withdrawn_at and order.stage in WORKED_ON


def outlook_of(order: RepairOrder, lines: Sequence[OrderLine], *, plan: bool = False) -> Outlook | None:
    """Whether the promise holds for these lines of an order; None where nothing is promised or left to do.

    By the opening hours alone, which a list can afford; with ``plan`` as the planner would find it as well.
    """
    if not is_promised(order) or not lines:
        return None
    left = _left(lines, _plans(lines), _clocked(lines), expected_back(lines).values())
    return _outlook(order, left, store_calendar(order.store), plan=plan)


def with_asked(order: RepairOrder, asked: Sequence[OrderLine]) -> Outlook | None:
    """The outlook if the customer says yes to ``asked``, as the planner would find it."""
    if not is_promised(order) or not asked:
        return None
    keys = [line.pk for line in asked]
    rows = order.lines.exclude(pk__in=keys).filter(state__in=OPEN).select_related("operation__skill")
    lines = [*rows, *asked]
    for line in lines:
        line.order = order
    return outlook_of(order, lines, plan=True)


def do_not_fit(orders: Iterable[RepairOrder]) -> dict[int, Outlook]:
    """Of these orders (with store and visit) those whose agreed work that is left doesn't fit their promise, by key."""
    watched = {order.pk: order for order in orders if is_promised(order)}
    if not watched:
        return {}
    every = list(OrderLine.objects.filter(order__in=watched, state__in=OPEN))
    if not every:
        return {}
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in every:
        lines[line.order_id].append(line)
    plans, worked, firms = _plans(every), _clocked(every), expected_back(every)
    calendars: dict[int, Calendar] = {}
    found: dict[int, Outlook] = {}
    for key, own in lines.items():
        order = watched[key]
        if order.store_id not in calendars:
            calendars[order.store_id] = store_calendar(order.store)
        left = _left(own, plans, worked, [firms[line.pk] for line in own if line.pk in firms])
        outlook = _outlook(order, left, calendars[order.store_id], plan=False)
        if outlook is not None and not outlook.fits:
            found[key] = outlook
    return found


def _plans(lines: Sequence[OrderLine]) -> dict[int, list[Dispatch]]:
    """Line → its live plans."""
    found: dict[int, list[Dispatch]] = defaultdict(list)
    for row in Dispatch.objects.filter(line__in=lines, live=True):
        found[row.line_id].append(row)
    return found


def _clocked(lines: Sequence[OrderLine]) -> dict[int, list[Clocking]]:
    """Line → its clockings."""
    found: dict[int, list[Clocking]] = defaultdict(list)
    for row in Clocking.objects.filter(line__in=lines):
        found[row.line_id].append(row)
    return found


def proposed_in(estimate: Estimate | None) -> datetime | None:
    """The hand-over that a yes to this version means as well, while it lies ahead."""
    kept = estimate.content.get("promise") if estimate is not None else None
    found = parse_datetime(kept["proposed"]) if kept else None
    return found if found is not None and found > clock.now() else None
