"""From the sixth day of a repair: a loan car or transport money, written down by days; and the copy of its record."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Resource, ResourceKind
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import round_money
from reception.loan_models import LoanState, LoanTrip
from workshop import events, permissions
from workshop.day_six_models import CareKind, DaySixCare, RecordCopy
from workshop.limits import TRANSPORT_MONEY_A_DAY
from workshop.models import OrderStage, RepairOrder
from workshop.rules import content_hash
from workshop.selectors.day_six import day_six_of
from workshop.selectors.repair_record import record_of
from workshop.services.orders import locked_order

DONE = (OrderStage.READY, OrderStage.SETTLED, OrderStage.CLOSED)


@transaction.atomic
def give_care(
    *,
    order_uid: UUID,
    kind: str,
    starts_on: date,
    by: Actor,
    ends_on: date | None = None,
    loan_car_uid: UUID | None = None,
    note: str = "",
) -> DaySixCare:
    """Art. 21: writes down what the owner of a car in a long repair was given, for days in the store's time zone.

    A loan car is one of the store's; it is out until it is back (``end_care``, or the front desk takes back the car of the
    visit) unless ``ends_on`` is known. Transport money is worked out: each day
    by that day's setting, never typed, and only for days that have begun. Raises RuleError ``day_six.not_long`` before
    the repair's fourth day, ``day_six.kind``, ``day_six.days`` and ``day_six.overlap``.
    """
    by.require(permissions.DAY_SIX_GIVE)
    order = locked_order(order_uid, by, living=False)
    long = day_six_of(order)
    if long is None:
        raise RuleError("day_six.not_long", _("This repair hasn't reached its fourth day, or doesn't count."))
    words = formats.one_line(note)[:200]
    car = _loan_car(loan_car_uid, order) if kind == CareKind.LOAN_CAR else None
    if kind not in CareKind.values:
        raise RuleError("day_six.kind", _("Choose what the owner is given."), field="kind")
    if kind == CareKind.LOAN_CAR and car is None:
        raise RuleError("day_six.kind", _("Choose the loan car."), field="loan_car_uid")
    if kind != CareKind.LOAN_CAR and ends_on is None:
        raise RuleError("day_six.kind", _("Write the last day it is for."), field="ends_on")
    if kind == CareKind.AGREED and not words:
        raise RuleError("day_six.kind", _("Write down what was agreed."), field="note")
    today = clock.today(order.store.time_zone)
    if ends_on is not None and ends_on < starts_on:
        raise RuleError("day_six.days", _("The last day isn't before the first one."), field="ends_on")
    first = order.opened_at.astimezone(ZoneInfo(order.store.time_zone)).date()
    if starts_on < first or starts_on > today or (kind != CareKind.LOAN_CAR and ends_on > today):  # type: ignore[operator]
        raise RuleError(
            "day_six.days", _("These are days of this repair that have begun, until today."), field="starts_on"
        )
    for other in long.given:
        if (other.ends_on is None or other.ends_on >= starts_on) and (ends_on is None or other.starts_on <= ends_on):
            raise RuleError(
                "day_six.overlap",
                _("Something was given for one of these days already; look below."),
                field="starts_on",
            )
    amount = None
    if kind == CareKind.TRANSPORT_MONEY and ends_on is not None:
        days = (starts_on + timedelta(days=n) for n in range((ends_on - starts_on).days + 1))
        amount = round_money(
            sum(
                (Decimal(str(limits.value(TRANSPORT_MONEY_A_DAY, store_id=order.store_id, on=day))) for day in days),
                Decimal(0),
            )
        )
    care = DaySixCare.objects.create(
        order=order,
        kind=kind,
        starts_on=starts_on,
        ends_on=ends_on,
        amount=amount,
        loan_car=car,
        loan_trip=_trip_of(order, car) if ends_on is None else None,
        loan_plate=(car.plate or car.code)[:12] if car is not None else "",
        note=words,
        given_at=clock.now(),
        given_by=by.user,
    )
    record(
        care,
        events.DAY_SIX_GIVEN,
        by=by,
        kind=kind,
        starts_on=starts_on,
        ends_on=ends_on,
        amount=amount,
        car=car.uid if car is not None else None,
    )
    return care


def _loan_car(uid: UUID | None, order: RepairOrder) -> Resource | None:
    if uid is None:
        return None
    return Resource.objects.filter(uid=uid, store_id=order.store_id, kind=ResourceKind.LOAN_CAR).first()


def _trip_of(order: RepairOrder, car: Resource | None) -> LoanTrip | None:
    """The way of this car to the order's customer that isn't over."""
    return LoanTrip.objects.filter(visit_id=order.visit_id, car=car, state=LoanState.OUT).first() if car else None


def end_care_of_trip(*, trip_uid: UUID, by: Actor) -> DaySixCare | None:
    """The front desk has taken the loan car back: what was given with it ends on that day. None where nothing was."""
    open_one = DaySixCare.objects.for_actor(by).filter(loan_trip__uid=trip_uid, ends_on__isnull=True).first()
    if open_one is None:
        return None
    today = clock.today(open_one.order.store.time_zone)
    return end_care(uid=open_one.uid, ends_on=max(open_one.starts_on, today), by=by)


@transaction.atomic
def end_care(*, uid: UUID, by: Actor, ends_on: date | None = None) -> DaySixCare:
    """The loan car is back; ``ends_on`` is its last day (default today). Raises RuleError ``day_six.ended``, ``day_six.days``."""
    by.require(permissions.DAY_SIX_GIVE)
    rows = DaySixCare.objects.for_actor(by).select_related("order__store", "order__vehicle", "order__visit")
    care: DaySixCare = rows.locked().get(uid=uid)
    if care.ends_on is not None:
        raise RuleError("day_six.ended", _("This loan car is back already."))
    today = clock.today(care.order.store.time_zone)
    last = ends_on or today
    if not care.starts_on <= last <= today:
        raise RuleError(
            "day_six.days", _("These are days of this repair that have begun, until today."), field="ends_on"
        )
    care.ends_on = last
    care.save(update_fields=["ends_on"])
    record(care, events.DAY_SIX_ENDED, by=by, changed={"ends_on": (None, last)})
    return care


@transaction.atomic
def hand_out_record(*, order_uid: UUID, receiver: str, by: Actor) -> RecordCopy:
    """Art. 17: the owner got a copy of the record of a repair that is done; what it lacked is kept with it.

    Raises RuleError ``record.receiver`` and ``record.not_done``.
    """
    by.require(permissions.DAY_SIX_GIVE)
    name = formats.one_line(receiver)[:60]
    if not name:
        raise RuleError("record.receiver", _("Write who received the record."), field="receiver")
    order = locked_order(order_uid, by, living=False)
    if order.stage not in DONE:
        raise RuleError("record.not_done", _("The record is handed out when the repair is done and inspected."))
    found = record_of(order)
    copy = RecordCopy.objects.create(
        order=order,
        receiver=name,
        content_hash=content_hash(found.content()),
        missing=found.missing,
        given_at=clock.now(),
        given_by=by.user,
    )
    record(copy, events.RECORD_HANDED_OUT, by=by, content_hash=copy.content_hash, missing=found.missing)
    return copy
