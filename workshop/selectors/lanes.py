"""Where a car in the shop stands, for the Today board: to dispatch or waiting, in work, to be inspected (1.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _

from dealership.kernel import clock, stages
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_list, say_time
from reception.models import Visit
from reception.selectors.today import DISPATCH, INSPECTION, WORKSHOP, Placement, Remedy, Sign
from workshop import permissions
from workshop.models import (
    Clocking,
    Dispatch,
    HoldCause,
    Inspection,
    LineHold,
    LineState,
    OrderLine,
    OrderStage,
    RepairOrder,
)
from workshop.selectors.day_six import long_repairs
from workshop.selectors.jobs import worked_minutes
from workshop.selectors.plan import forecast_end
from workshop.selectors.promises import Outlook, do_not_fit
from workshop.selectors.sublets import sublets_expected

L = LineState
OPEN = (L.AUTHORIZED, L.IN_PROGRESS)
RANK = {OrderStage.IN_WORK: 0, OrderStage.ON_HOLD: 1, OrderStage.AUTHORIZED: 2, OrderStage.INSPECTION: 3}
"""Of several orders of one visit the first in this row says where the car stands."""


def place_work(actor: Actor, visits: Sequence[Visit]) -> Mapping[int, Placement]:
    """Placements of visits with an order in the workshop; others are left to other sources."""
    orders: dict[int, list[RepairOrder]] = defaultdict(list)
    rows = (
        RepairOrder.objects.for_actor(actor)
        .filter(visit__in=visits, stage__in=RANK)
        .select_related("store")
        .prefetch_related(
            Prefetch("lines", OrderLine.objects.exclude(state=L.CANCELLED).order_by("position")),
            Prefetch("lines__clockings", Clocking.objects.select_related("employee").order_by("started_at", "id")),
            Prefetch("lines__dispatches", Dispatch.objects.filter(live=True).select_related("technician", "bay")),
            Prefetch("lines__holds", LineHold.objects.filter(ended_at__isnull=True)),
            Prefetch("inspections", Inspection.objects.order_by("id")),
        )
    )
    for order in rows:
        orders[order.visit_id].append(order)
    by_pk = {visit.pk: visit for visit in visits}
    placed = {
        pk: _with_questions(
            actor, _place(actor, by_pk[pk], min(found, key=lambda order: RANK[OrderStage(order.stage)])), found
        )
        for pk, found in orders.items()
    }
    placed |= _short_promises(actor, placed, orders, by_pk)
    placed |= _outside_work(placed, orders)
    return placed | _long_repairs(actor, placed, orders)


def _short_promises(
    actor: Actor,
    placed: Mapping[int, Placement],
    orders: Mapping[int, list[RepairOrder]],
    visits: Mapping[int, Visit],
) -> dict[int, Placement]:
    """3.2: where the agreed work that is left doesn't fit the promise, the car is marked before it is late."""
    watched = [order for found in orders.values() for order in found]
    for order in watched:
        order.visit = visits[order.visit_id]
    noted: dict[int, Placement] = {}
    by_key = {order.pk: order for order in watched}
    for key, outlook in do_not_fit(watched).items():
        order = by_key[key]
        now = noted.get(order.visit_id, placed[order.visit_id])
        if not outlook.hours and now.expected_at is not None:  # work goes on, planned too late: the card's time says so
            continue
        sign = Sign("clock-exclamation", _cannot_be_kept(outlook), "bad")
        ways = now.remedies
        if actor.may(permissions.PROMISE_CHANGE):
            ways = (*ways, Remedy(_("Promise another time"), reverse("order-promise", args=[order.uid])))
        expected = max(filter(None, (now.expected_at, outlook.ready_at)))
        noted[order.visit_id] = replace(now, signs=(*now.signs, sign), remedies=ways, expected_at=expected)
    return noted


def _cannot_be_kept(outlook: Outlook) -> str:
    promised = say_time(outlook.promised_at, now=clock.now())
    if outlook.hours:
        words = {"hours": f"{outlook.hours.normalize():f}", "time": promised}
        return _("%(hours)s h to give out: %(time)s can't be kept") % words
    end = say_time(outlook.ready_at, now=clock.now())
    return _("planned until %(end)s: %(time)s can't be kept") % {"end": end, "time": promised}


def _outside_work(placed: Mapping[int, Placement], orders: Mapping[int, list[RepairOrder]]) -> dict[int, Placement]:
    """3.2: a car isn't ready before what it waits for is back from the outside firm."""
    waiting = {
        line.pk: pk
        for pk, found in orders.items()
        for order in found
        for line in order.lines.all()
        if any(hold.cause == HoldCause.SUBLET for hold in line.holds.all())
    }
    later: dict[int, Placement] = {}
    for row in sublets_expected(list(waiting)) if waiting else ():
        pk = waiting[row.line_id]
        now = later.get(pk, placed[pk])
        expected = max(filter(None, (now.expected_at, row.expected_at)))
        late = (Sign("clock-exclamation", _("%(firm)s is late") % {"firm": row.supplier}, "bad"),)
        signs = (*now.signs, *late) if row.is_late(clock.now()) else now.signs
        later[pk] = replace(now, expected_at=expected, signs=signs)
    return later


def _long_repairs(
    actor: Actor, placed: Mapping[int, Placement], orders: Mapping[int, list[RepairOrder]]
) -> dict[int, Placement]:
    """Art. 21: on the fourth day a loan car is prepared, from the sixth on something is owed for each day."""
    early = clock.now() - timedelta(days=3)
    old = {order.pk: pk for pk, found in orders.items() for order in found if order.opened_at < early}
    if not old or not actor.may(permissions.FAULTS_VIEW):
        return {}
    rows = RepairOrder.objects.filter(pk__in=old).select_related("vehicle", "store")
    noted: dict[int, Placement] = {}
    for pk, long in long_repairs(list(rows)).items():
        if long.missing:
            sign = Sign("car", _("No loan car or transport money for %(n)s day(s)") % {"n": len(long.missing)}, "bad")
        elif long.prepare:
            sign = Sign("car", _("Day %(n)s of the repair: prepare a loan car") % {"n": long.day}, "warn")
        else:
            continue
        now = noted.get(old[pk], placed[old[pk]])
        ways = (
            (Remedy(_("Loan car or transport money"), reverse("day-six", args=[long.order.uid])),)
            if actor.may(permissions.DAY_SIX_GIVE)
            else ()
        )
        noted[old[pk]] = replace(now, signs=(*now.signs, sign), remedies=(*now.remedies, *ways))
    return noted


def _with_questions(actor: Actor, placed: Placement, orders: list[RepairOrder]) -> Placement:
    """Work that goes on while the customer is asked about more says so; what was found and isn't priced yet as well."""
    found = [order for order in orders for line in order.lines.all() if line.state == L.DRAFT and line.is_addition]
    if found:
        sign = Sign("plus", _("%(n)s addition(s) to price and send") % {"n": len(found)}, "warn")
        ways = (
            (Remedy(_("Price the addition"), reverse("order-detail", args=[found[0].uid])),)
            if actor.may(permissions.LINES_EDIT)
            else ()
        )
        placed = replace(placed, signs=(*placed.signs, sign), remedies=(*placed.remedies, *ways))
    asked = sum(line.state == L.PENDING for order in orders for line in order.lines.all())
    if not asked:
        return placed
    sign = Sign("message-2-question", _("%(n)s addition(s) asked") % {"n": asked}, "warn")
    return replace(placed, signs=(*placed.signs, sign), asked=True)


def _place(actor: Actor, visit: Visit, order: RepairOrder) -> Placement:
    lines = [line for line in order.lines.all() if line.state not in (L.DRAFT, L.PENDING, L.DECLINED, L.WITHDRAWN)]
    work = say_list(line.said for line in lines if not line.is_diagnosis) or (lines[0].said if lines else "")
    what = f"{visit.model_text} · {work}"
    people = tuple(dict.fromkeys(c.employee.name for line in lines for c in line.clockings.all() if c.ended_at is None))
    if order.stage == OrderStage.INSPECTION:
        failed = sum(check.result == "FAILED" for check in order.inspections.all())
        signs = (Sign("repeat", _("%(count)s times back to work") % {"count": failed}, "warn"),) if failed else ()
        inspect = Remedy(_("Inspect"), reverse("inspections"))
        ways = (inspect,) if actor.may(permissions.INSPECT_FINAL) else ()
        return Placement(INSPECTION.code, line=what, signs=signs, remedies=ways)
    placed = _in_work(what, lines, people) if order.stage == OrderStage.IN_WORK else _waits(actor, what, lines, order)
    looks_only = bool(lines) and all(line.is_diagnosis for line in lines)
    return replace(placed, stage=stages.DIAGNOSIS) if looks_only else placed


def _in_work(what: str, lines: list[OrderLine], people: tuple[str, ...]) -> Placement:
    hours = float(sum(line.hours for line in lines)) * 60
    worked = sum(
        float(line.hours) * 60
        if line.state in (L.COMPLETED, L.INSPECTED)
        else min(worked_minutes(list(line.clockings.all())), float(line.hours) * 60)
        for line in lines
    )
    ends = []
    for line in lines:
        for dispatch in line.dispatches.all():
            dispatch.line = line
            if line.state in OPEN:
                ends.append(forecast_end(dispatch) or dispatch.ends_at)
    names = people or tuple(
        dict.fromkeys(d.technician.name for line in lines for d in line.dispatches.all() if line.state in OPEN)
    )
    held = [hold for line in lines for hold in line.holds.all()]
    signs = tuple(Sign("hourglass", _cause(hold), "warn") for hold in held[:1])
    return Placement(
        WORKSHOP.code,
        line=what,
        progress=round(min(worked, hours) * 100 / hours) if hours else None,
        people=names,
        signs=signs,
        expected_at=max(ends) if ends else None,
    )


def _cause(hold: LineHold) -> str:
    return _("waits: %(cause)s") % {"cause": HoldCause(hold.cause).label}


def _waits(actor: Actor, what: str, lines: list[OrderLine], order: RepairOrder) -> Placement:
    held = [hold for line in lines for hold in line.holds.all()]
    given = any(line.dispatches.all() for line in lines if line.state in OPEN)
    if held:
        return Placement(DISPATCH.code, line=what, warning=_cause(held[0]), signs=(Sign("package", _cause(held[0])),))
    if given:
        ahead = [d for line in lines if line.state in OPEN for d in line.dispatches.all()]
        bays = say_list(dict.fromkeys(d.bay.said for d in ahead))
        soon = say_time(min(d.starts_at for d in ahead), now=clock.now())
        return Placement(
            DISPATCH.code, line=what, warning=_("%(time)s %(bay)s") % {"time": soon, "bay": bays}, good=True
        )
    first = next((line for line in lines if line.state in OPEN), None)
    ways: tuple[Remedy, ...] = ()
    if first is not None and actor.may(permissions.PLAN_DISPATCH):
        ways = (Remedy(_("Give out"), reverse("plan-assign", args=[first.uid])),)
    return Placement(DISPATCH.code, line=what, warning=_("to be given out"), remedies=ways)
