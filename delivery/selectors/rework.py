"""Our work that is still under guarantee, and the cars that came back within it (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from reception.models import Vehicle, Visit
from workshop.models import Clocking, LineState, OrderLine, RepairOrder

from ..limits import REWORK_RESTARTS
from ..models import Handover, Settlement, SettlementState
from ..rework_models import RUNNING, ReworkCase, ReworkState
from ..rules import strongest_guarantee

PAGE = 50


@dataclass(slots=True)
class Covered:
    """A piece of our work with its guarantee: from the exit ``out`` until a day or a mileage, whichever comes first.

    ``mended`` counts the returns that were mended since, by us or elsewhere; ``case`` is the return that is open.
    """

    line: OrderLine
    out: Handover
    since: date
    until: date
    km: int
    running: bool
    mended: int = 0
    case: ReworkCase | None = None


def covered_lines(vehicle: Vehicle, by: Actor, *, km: int | None = None, but_visit: int | None = None) -> list[Covered]:
    """What was done on a car in the actor's stores under a guarantee, running ones first, the latest exit first.

    ``km`` is today's reading (default the vehicle's own). Where a return was mended by us and its list carries a
    guarantee, that one counts (setting ``delivery.rework_restarts``).
    """
    outs = {
        out.visit_id: out
        for out in Handover.objects.for_actor(by).filter(visit__vehicle=vehicle).select_related("store")
        if out.visit_id != but_visit
    }
    if not outs:
        return []
    lists: dict[int, Settlement] = {}
    signed = Settlement.objects.for_actor(by).filter(
        order__visit_id__in=outs, state=SettlementState.SIGNED, guarantee_days__gt=0
    )
    for settlement in signed.order_by("signed_at"):
        lists[settlement.order_id] = settlement
    cases = list(
        ReworkCase.objects.for_actor(by).filter(vehicle=vehicle).select_related("order", "handover").order_by("pk")
    )
    again = {case.order_id for case in cases if case.order_id}
    lines = (
        OrderLine.objects.filter(order_id__in=set(lists) - again, state=LineState.INSPECTED, settled=True)
        .select_related("order", "operation")
        .order_by("pk")
    )
    reading = vehicle.odometer_km if km is None else km
    found = []
    for line in lines:
        out, given = outs[line.order.visit_id], lists[line.order_id]
        mended = 0
        running: ReworkCase | None = None
        for case in cases:
            if case.line_id != line.pk:
                continue
            if case.state in (ReworkState.MENDED, ReworkState.PAID_OUT):
                mended += 1
            if case.state in RUNNING:
                running = case
            if case.state == ReworkState.MENDED and case.order_id in lists and case.order is not None:
                out, given = outs[case.order.visit_id], lists[case.order_id]
        zone = ZoneInfo(out.store.time_zone)
        since = out.at.astimezone(zone).date()
        until, limit = since + timedelta(days=given.guarantee_days), out.odometer_km + given.guarantee_km
        alive = clock.today(out.store.time_zone) <= until and reading <= limit
        found.append(Covered(line, out, since, until, limit, alive, mended, running))
    return sorted(found, key=lambda row: (not row.running, -row.out.pk, row.line.pk))


def guarantee_after_rework(order: RepairOrder, categories: Sequence[str], table: dict) -> tuple[int, int] | None:
    """(days, km) that the list of a rework order carries: at least those of the work it mends, or none where the first
    guarantee runs on. None: the order mends no return.
    """
    first = list(ReworkCase.objects.filter(order=order).values_list("line__category", flat=True))
    if not first:
        return None
    if not limits.value(REWORK_RESTARTS, store_id=order.store_id):
        return 0, 0
    return strongest_guarantee([*categories, *first], table)


def _with_facts(rows: QuerySet[ReworkCase]) -> QuerySet[ReworkCase]:
    return rows.select_related("line__order", "line__operation", "vehicle", "visit", "order", "judged_by", "store")


def get_case(uid: UUID, by: Actor) -> ReworkCase:
    return _with_facts(ReworkCase.objects.for_actor(by)).get(uid=uid)


def cases_of(vehicle: Vehicle, by: Actor) -> list[ReworkCase]:
    """The returns of a car in the actor's stores, the newest first."""
    return list(_with_facts(ReworkCase.objects.for_actor(by).filter(vehicle=vehicle)).order_by("-pk")[:10])


def cases_at(visit: Visit, by: Actor) -> list[ReworkCase]:
    return list(_with_facts(ReworkCase.objects.for_actor(by).filter(visit=visit)).order_by("pk"))


def workers_of(line: OrderLine) -> list[str]:
    """Who worked on it, by name."""
    rows = Clocking.objects.filter(line=line).order_by("employee__number").values_list("employee__name", flat=True)
    return list(dict.fromkeys(rows))


@dataclass(frozen=True, slots=True)
class ReworkList:
    rows: list[ReworkCase]
    found: int
    sought: int
    late: int
    mend: int
    out: int


def rework_list(by: Actor, *, show: str = "") -> ReworkList:
    """Returns of the store: those whose cause is sought, that are ours to mend, that are with another repairer; or all."""
    rows = ReworkCase.objects.for_actor(by).filter(store_id=by.store_id)
    soon = Q(state=ReworkState.OPEN, evidence_due_at__lte=clock.now() + timedelta(hours=24))
    sums = rows.aggregate(
        all=Count("pk"),
        sought=Count("pk", filter=Q(state=ReworkState.OPEN)),
        late=Count("pk", filter=soon),
        mend=Count("pk", filter=Q(state=ReworkState.ACCEPTED)),
        out=Count("pk", filter=Q(state=ReworkState.SENT_OUT)),
    )
    shown, found = {
        "sought": (rows.filter(state=ReworkState.OPEN).order_by("evidence_due_at", "pk"), sums["sought"]),
        "soon": (rows.filter(soon).order_by("evidence_due_at", "pk"), sums["late"]),
        "mend": (rows.filter(state=ReworkState.ACCEPTED).order_by("judged_at", "pk"), sums["mend"]),
        "out": (rows.filter(state=ReworkState.SENT_OUT).order_by("pk"), sums["out"]),
    }.get(show, (rows.order_by("-pk"), sums["all"]))
    return ReworkList(list(_with_facts(shown)[:PAGE]), found, sums["sought"], sums["late"], sums["mend"], sums["out"])


def to_be_done(by: Actor) -> int:
    """Returns that wait for a verdict or for the work, for the rail."""
    rows = ReworkCase.objects.for_actor(by).filter(store_id=by.store_id)
    return rows.filter(state__in=(ReworkState.OPEN, ReworkState.ACCEPTED)).count()


def unshown() -> list[tuple[UUID, int]]:
    """Returns whose days to show another cause are over: (uid, store)."""
    rows = ReworkCase.objects.filter(state=ReworkState.OPEN, evidence_due_at__lte=clock.now()).order_by("pk")
    return list(rows.values_list("uid", "store_id"))
