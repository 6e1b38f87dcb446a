"""Declined advice: kept when the car leaves, offered again, taken up or not wanted (3.1).

Lock order (design 5): order before line before advice; who only notes a call holds the advice alone.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.states import require
from reception.models import Visit
from workshop import events, permissions
from workshop.limits import ADVICE_DAYS, ADVICE_SAFETY_DAYS
from workshop.models import ADVICE_MOVES, Advice, AdviceState, LineState, OrderLine
from workshop.selectors.advice import sold_on
from workshop.selectors.maintenance import falls_due
from workshop.services.orders import add_line, line_total, locked_order

MOST_DAYS = 730


def _first_offer(line: OrderLine, on: date, due: dict[int, date]) -> date:
    """After the usual days, or when the plan asks for it where that is sooner (3.1)."""
    key = ADVICE_SAFETY_DAYS if line.is_safety else ADVICE_DAYS
    return _sooner(on + timedelta(days=limits.value(key, store_id=line.order.store_id)), line, due)


def _sooner(day: date, line: OrderLine, due: dict[int, date]) -> date:
    return min(day, due.get(line.operation_id or 0, day))


@transaction.atomic
def keep_advice(*, visit_uid: UUID, by: Actor) -> list[Advice]:
    """Keeps what was declined at a visit that has ended, once; what was done at it ends older advice for the same work.

    Diagnoses and what somebody else would have paid are no advice. Returns what was kept now.
    """
    visit = Visit.objects.for_actor(by).select_related("store").locked().get(uid=visit_uid)
    lines = (
        OrderLine.objects.filter(order__visit=visit, order__withdrawn_at__isnull=True)
        .select_related("order__vehicle", "order__visit", "order__customer")
        .prefetch_related("part_lines")
        .order_by("pk")
    )
    done = {
        line.operation_id: line
        for line in lines
        if line.operation_id and line.state in (LineState.COMPLETED, LineState.INSPECTED)
    }
    today = clock.today(visit.store.time_zone)
    older = Advice.objects.filter(vehicle_id=visit.vehicle_id, store=visit.store, state=AdviceState.OPEN)
    for row in (
        older.select_related("line__order__visit", "line__order__vehicle", "line__order__customer")
        .locked()
        .order_by("pk")
    ):
        if row.line.operation_id in done:
            _take(row, done[row.line.operation_id], by=by)
    kept: list[Advice] = []
    due: dict[int, date] | None = None
    there = set(Advice.objects.filter(line__in=lines).values_list("line_id", flat=True))
    for line in lines:
        declined = line.state == LineState.DECLINED and line.pay_type == PayType.CUSTOMER_PAY and not line.is_diagnosis
        if not declined or line.pk in there or (line.operation_id and line.operation_id in done):
            continue
        if due is None:
            due = falls_due(line.order.vehicle, store_id=visit.store_id, after=today)
        row = Advice.objects.create(
            store_id=visit.store_id,
            vehicle_id=line.order.vehicle_id,
            line=line,
            amount=line_total(line),
            cause=line.declined_cause,
            is_safety=line.is_safety,
            declined_at=clock.now(),
            offer_on=_first_offer(line, today, due),
        )
        record(row, events.ADVICE_KEPT, by=by, amount=row.amount, cause=row.cause or None, offer_on=row.offer_on)
        kept.append(row)
    return kept


def _locked(uid: UUID, by: Actor) -> Advice:
    rows = Advice.objects.for_actor(by).locked()
    row: Advice = rows.select_related(
        "line__order__visit", "line__order__vehicle", "line__order__customer", "store"
    ).get(uid=uid)
    return row


def _take(row: Advice, line: OrderLine, *, by: Actor) -> None:
    before = AdviceState(row.state)
    require(ADVICE_MOVES, before, AdviceState.TAKEN)
    row.state, row.ended_at, row.taken_as = AdviceState.TAKEN, clock.now(), line
    row.save(update_fields=["state", "ended_at", "taken_as"])
    record(row, events.ADVICE_TAKEN, by=by, changed={"state": (before, row.state)}, line=line.uid, amount=row.amount)


@transaction.atomic
def take_up_advice(*, uid: UUID, order_uid: UUID, by: Actor) -> Advice:
    """Writes the declined work as a line of an order of the same car, with its parts at today's prices (3.1).

    Raises RuleError ``state.move`` where it was taken up or dropped, ``advice.car`` for another car's order, and what
    ``add_line`` says.
    """
    by.require(permissions.LINES_EDIT)
    order = locked_order(order_uid, by)
    row = _locked(uid, by)
    require(ADVICE_MOVES, AdviceState(row.state), AdviceState.TAKEN)
    if row.vehicle_id != order.vehicle_id:
        raise RuleError("advice.car", _("This advice belongs to another car."))
    if row.line.order_id == order.pk:
        raise RuleError("advice.same_order", _("The customer declined it on this very order; offer its line again."))
    was = row.line
    active = was.operation is not None and was.operation.active
    parts = [(p.part.uid, p.quantity) for p in was.part_lines.select_related("part") if p.part.active]
    line = add_line(
        order_uid=order.uid,
        operation_uid=was.operation.uid if was.operation is not None and active else None,
        description="" if active else was.description,
        hours=None if active else was.hours,
        category=None if active else was.category,
        parts=None if active else parts,
        cause=was.cause,
        is_safety=was.is_safety,
        fee_amount=was.fee_amount or Decimal(0),
        fee_note=was.fee_note,
        by=by,
    )
    _take(row, line, by=by)
    return row


@transaction.atomic
def offer_advice(*, uid: UUID, by: Actor, again_on: date | None = None) -> Advice:
    """The customer was asked again and wants to think about it until ``again_on`` (default: the usual days from today, or
    when the plan asks for it where that is sooner).

    Raises RuleError ``advice.ended``, ``advice.sold`` (the car has another owner: it is offered at its next visit), and
    ``advice.again_on`` for a day that isn't ahead or is over two years away.
    """
    by.require(permissions.ADVICE_WORK)
    row = _locked(uid, by)
    if row.state != AdviceState.OPEN:
        raise RuleError("advice.ended", _("Somebody has closed this advice already; look again."))
    if Advice.objects.filter(sold_on(), pk=row.pk).exists():
        raise RuleError(
            "advice.sold",
            _("The car has another owner now: who declined it isn't asked again; offer it at its next visit."),
        )
    today = clock.today(row.store.time_zone)
    day = again_on
    if day is None:
        usual = today + timedelta(days=limits.value(ADVICE_DAYS, store_id=row.store_id))
        vehicle = row.line.order.vehicle
        day = _sooner(usual, row.line, falls_due(vehicle, store_id=row.store_id, after=today))
    if not today < day <= today + timedelta(days=MOST_DAYS):
        raise RuleError("advice.again_on", _("Choose a day ahead, within two years."), field="again_on")
    before, row.offer_on = row.offer_on, day
    row.offered, row.offered_at = row.offered + 1, clock.now()
    row.save(update_fields=["offer_on", "offered", "offered_at"])
    record(row, events.ADVICE_OFFERED, by=by, changed={"offer_on": (before, day)}, times=row.offered)
    return row


@transaction.atomic
def drop_advice(*, uid: UUID, reason: str, by: Actor) -> Advice:
    """The customer doesn't want it, or it was done elsewhere: nobody asks again. Raises ``advice.reason``, ``advice.ended``."""
    by.require(permissions.ADVICE_WORK)
    words = formats.one_line(reason)
    if not words:
        raise RuleError("advice.reason", _("Say why the customer doesn't want it."), field="reason")
    row = _locked(uid, by)
    if row.state != AdviceState.OPEN:
        raise RuleError("advice.ended", _("Somebody has closed this advice already; look again."))
    before = row.state
    row.state, row.ended_at, row.ended_reason = AdviceState.DROPPED, clock.now(), words[:200]
    row.save(update_fields=["state", "ended_at", "ended_reason"])
    record(row, events.ADVICE_DROPPED, by=by, changed={"state": (before, row.state)}, amount=row.amount)
    return row
