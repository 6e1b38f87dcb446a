"""Cars that come back within the guarantee of our work: entered, judged, mended by us or by another repairer (3.2).

Lock order (design 5): the case stands before everything else, as no command waits for one while it holds another row;
then customer, visit, order, line.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import round_money
from dealership.kernel.states import require
from delivery import events, permissions
from delivery.limits import REWORK_EVIDENCE_DAYS
from delivery.models import Handover
from delivery.rework_models import OTHERS, OURS, REWORK_MOVES, CostBearer, ReworkCase, ReworkCause, ReworkState
from delivery.selectors.rework import covered_lines
from reception.models import Visit
from workshop.models import OrderKind
from workshop.permissions import ORDERS_OPEN
from workshop.services.orders import add_line, open_repair_order

R = ReworkState


def _locked(uid: UUID, by: Actor) -> ReworkCase:
    rows = ReworkCase.objects.for_actor(by).locked()
    case: ReworkCase = rows.select_related(
        "line__order", "line__operation", "visit__vehicle", "visit__customer", "store"
    ).get(uid=uid)
    return case


def _require_no_order(case: ReworkCase) -> None:
    """A rework order that was withdrawn gives the return free again."""
    if case.order is not None and case.order.withdrawn_at is None:
        raise RuleError("rework.started", _("The rework order is open already."), held_by=case.order)
    case.order = None


def _move(case: ReworkCase, new: ReworkState, *fields: str) -> ReworkState:
    before = R(case.state)
    require(REWORK_MOVES, before, new)
    case.state = new
    case.save(update_fields=["state", *fields])
    return before


@transaction.atomic
def open_rework(*, visit_uid: UUID, line_uid: UUID, complaint: str, by: Actor) -> ReworkCase:
    """A car of the shop came back within the guarantee of a piece of our work; the days to show another cause begin.

    They end with the last day in the store's time zone. The reading is the one at the reception. Raises RuleError
    ``rework.complaint``, ``rework.visit``, ``rework.over`` (not covered by date and kilometres), ``rework.running``.
    """
    by.require(permissions.REWORK_OPEN)
    words = complaint.strip()
    if not words:
        raise RuleError("rework.complaint", _("Write down what the customer says."), field="complaint")
    visit = Visit.objects.for_actor(by).locked().select_related("vehicle", "store", "customer").get(uid=visit_uid)
    if not visit.is_open or visit.odometer_in_km is None:
        raise RuleError("rework.visit", _("A return is entered while the car is here, with its mileage read."))
    found = covered_lines(visit.vehicle, by, km=visit.odometer_in_km, but_visit=visit.pk)
    covered = next((row for row in found if row.line.uid == line_uid), None)
    if covered is None or not covered.running:
        raise RuleError(
            "rework.over", _("The guarantee of this work is over by date or by kilometres."), field="line_uid"
        )
    if covered.case is not None:
        raise RuleError(
            "rework.running", _("A return of this work is open already; go on with that one."), held_by=covered.case
        )
    now, zone = clock.now(), ZoneInfo(visit.store.time_zone)
    today = now.astimezone(zone).date()
    days = limits.value(REWORK_EVIDENCE_DAYS, store_id=visit.store_id)
    case = ReworkCase.objects.create(
        store=visit.store,
        line=covered.line,
        vehicle=visit.vehicle,
        visit=visit,
        handover=covered.out,
        attempt=covered.mended + 1,
        complaint=words[:500],
        claimed_at=now,
        claimed_on=today,
        odometer_km=visit.odometer_in_km,
        out_on=covered.since,
        out_km=covered.out.odometer_km,
        until=covered.until,
        until_km=covered.km,
        evidence_due_at=datetime.combine(today + timedelta(days=days + 1), time(), zone),
    )
    record(
        case,
        events.REWORK_OPENED,
        by=by,
        changed={"state": (None, case.state)},
        line=case.line.uid,
        attempt=case.attempt,
        evidence_due_at=case.evidence_due_at,
    )
    return case


@transaction.atomic
def judge_rework(*, uid: UUID, cause: str, findings: str, by: Actor, bearer: str = "") -> ReworkCase:
    """Says what the return came from. A cause of ``OURS`` makes it ours to mend free of charge, on whose cost ``bearer``
    says (default the shop); one of ``OTHERS`` needs the findings that show it, within the days.

    Raises RuleError ``rework.cause``, ``rework.findings``, ``rework.late``, ``rework.bearer`` and ``state.move``.
    """
    by.require(permissions.REWORK_JUDGE)
    case = _locked(uid, by)
    ours, words = cause in OURS, findings.strip()
    new = R.ACCEPTED if ours else R.REFUSED
    require(REWORK_MOVES, R(case.state), new)
    if cause not in (*OURS, *OTHERS) or cause == ReworkCause.NO_EVIDENCE:
        raise RuleError("rework.cause", _("Choose what it came from."), field="cause")
    if not words:
        raise RuleError("rework.findings", _("Write down what was found."), field="findings")
    if not ours and clock.now() >= case.evidence_due_at:
        raise RuleError(
            "rework.late",
            _("The days to show another cause are over: it is ours to mend free of charge (art. 38)."),
            field="cause",
        )
    if ours and bearer == CostBearer.CUSTOMER:
        raise RuleError("rework.bearer", _("What is ours to mend costs the customer nothing."), field="bearer")
    case.cause, case.findings = cause, words[:500]
    case.bearer = (bearer or CostBearer.SHOP) if ours else CostBearer.CUSTOMER
    case.judged_at, case.judged_by = clock.now(), by.user
    before = _move(case, new, "cause", "findings", "bearer", "judged_at", "judged_by")
    record(
        case,
        events.REWORK_ACCEPTED if ours else events.REWORK_REFUSED,
        by=by,
        changed={"state": (before, case.state)},
        cause=case.cause,
        bearer=case.bearer,
    )
    return case


@transaction.atomic
def accept_unshown(*, uid: UUID, by: Actor) -> ReworkCase:
    """The days have passed without another cause: it is ours to mend (art. 38). A second run changes nothing."""
    case = _locked(uid, by)
    if case.state != R.OPEN or clock.now() < case.evidence_due_at:
        return case
    case.cause, case.bearer, case.judged_at = ReworkCause.NO_EVIDENCE, CostBearer.SHOP, clock.now()
    before = _move(case, R.ACCEPTED, "cause", "bearer", "judged_at")
    record(
        case,
        events.REWORK_ACCEPTED,
        by=by,
        changed={"state": (before, case.state)},
        cause=case.cause,
        bearer=case.bearer,
    )
    return case


@transaction.atomic
def start_rework(*, uid: UUID, by: Actor) -> ReworkCase:
    """Opens the rework order of an accepted return at its visit, with the line to be done again at our cost.

    Parts are added by whoever finds what is needed. Raises RuleError ``rework.other_repairer`` after two failed repairs,
    ``rework.started``, ``state.move`` and what ``open_repair_order`` says.
    """
    by.require(ORDERS_OPEN)
    case = _locked(uid, by)
    if case.state != R.ACCEPTED:
        require(REWORK_MOVES, R(case.state), R.MENDED)
    if case.goes_out:
        raise RuleError(
            "rework.other_repairer",
            _("Two repairs of ours haven't mended this: another repairer does it now, found and paid by us (art. 38)."),
        )
    _require_no_order(case)
    was = case.line
    order = open_repair_order(
        visit_uid=case.visit.uid,
        complaint=case.complaint,
        kind=OrderKind.REWORK,
        original_uid=was.order.uid,
        with_diagnosis=False,
        by=by,
    )
    operation = was.operation if was.operation is not None and was.operation.active else None
    add_line(
        order_uid=order.uid,
        operation_uid=operation.uid if operation else None,
        description="" if operation else was.description,
        hours=None if operation else was.hours,
        category=was.category,
        parts=[],
        is_safety=was.is_safety,
        complaint=case.complaint,
        by=by,
    )
    case.order = order
    case.save(update_fields=["order"])
    record(case, events.REWORK_STARTED, by=by, order_uid=order.uid)
    return case


@transaction.atomic
def mend_reworks(*, visit_uid: UUID, by: Actor) -> list[ReworkCase]:
    """The car was handed over after its rework: its returns are mended. A second run finds nothing left."""
    if not Handover.objects.filter(visit__uid=visit_uid).exists():
        return []
    rows = ReworkCase.objects.for_actor(by).locked().order_by("pk")
    found = rows.filter(order__visit__uid=visit_uid, state=R.ACCEPTED, order__withdrawn_at__isnull=True)
    mended = list(found.select_related("visit__vehicle", "visit__customer", "store"))
    for case in mended:
        case.ended_at = clock.now()
        before = _move(case, R.MENDED, "ended_at")
        record(case, events.REWORK_MENDED, by=by, changed={"state": (before, case.state)})
    return mended


@transaction.atomic
def send_rework_out(*, uid: UUID, repairer: str, by: Actor) -> ReworkCase:
    """Gives an accepted return to another repairer at our cost, after two repairs of ours or because the shop wants it.

    Raises RuleError ``rework.repairer``, ``rework.started`` where a rework order of ours is open, and ``state.move``.
    """
    by.require(permissions.REWORK_JUDGE)
    name = formats.one_line(repairer)
    if not name:
        raise RuleError("rework.repairer", _("Write which other repairer mends it."), field="repairer")
    case = _locked(uid, by)
    _require_no_order(case)
    if name.casefold() in (case.store.name.casefold(), case.store.code.casefold()):
        raise RuleError("rework.repairer", _("Another repairer than our own shop has to mend it."), field="repairer")
    case.repairer = name[:80]
    before = _move(case, R.SENT_OUT, "repairer", "order")
    record(case, events.REWORK_SENT_OUT, by=by, changed={"state": (before, case.state)}, attempt=case.attempt)
    return case


@transaction.atomic
def pay_rework(*, uid: UUID, amount: Decimal, paper: str, by: Actor) -> ReworkCase:
    """The other repairer is done and was paid ``amount`` (CNY with VAT) on the invoice ``paper``.

    Raises RuleError ``rework.amount``, ``rework.paper`` and ``state.move``.
    """
    by.require(permissions.REWORK_JUDGE)
    number = formats.one_line(paper)
    if amount < 0:
        raise RuleError("rework.amount", _("The amount isn't negative."), field="amount")
    if not number:
        raise RuleError("rework.paper", _("Write the number of their invoice."), field="paper")
    case = _locked(uid, by)
    case.outside_amount, case.outside_paper, case.ended_at = round_money(amount), number[:40], clock.now()
    before = _move(case, R.PAID_OUT, "outside_amount", "outside_paper", "ended_at")
    record(case, events.REWORK_PAID, by=by, changed={"state": (before, case.state)}, amount=case.outside_amount)
    return case


@transaction.atomic
def withdraw_rework(*, uid: UUID, reason: str, by: Actor) -> ReworkCase:
    """Takes a return back that was entered by mistake or that the customer doesn't follow up.

    Raises RuleError ``rework.reason``, ``rework.started`` where a rework order is open, and ``state.move``.
    """
    by.require(permissions.REWORK_OPEN)
    words = formats.one_line(reason)
    if not words:
        raise RuleError("rework.reason", _("Say why it is taken back."), field="reason")
    case = _locked(uid, by)
    _require_no_order(case)
    case.ended_at, case.ended_reason = clock.now(), words[:200]
    before = _move(case, R.WITHDRAWN, "ended_at", "ended_reason", "order")
    record(case, events.REWORK_WITHDRAWN, by=by, changed={"state": (before, case.state)})
    return case
