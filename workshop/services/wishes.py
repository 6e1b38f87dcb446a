"""What the customer ticks on the link out of what the car is due for: kept, answered, put on the order (3.1).

Nothing of it is an authorisation: it becomes a line of the next estimate, which asks for its own yes.
Lock order (design 5): car, booking, visit, order, line, wish.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, saying
from dealership.kernel.actors import Actor, ActorKind, NotAllowed, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel
from dealership.kernel.services import queue_message
from dealership.kernel.states import require
from reception.models import Appointment, Vehicle, Visit, VisitState
from reception.services import appointments
from workshop import events, permissions
from workshop.models import LineState, OrderKind, OrderLine, RepairOrder
from workshop.selectors import maintenance as reads
from workshop.services.orders import add_line, locked_order
from workshop.wish_models import WISH_MOVES, MaintenanceWish, WishState

GONE = (LineState.CANCELLED, LineState.WITHDRAWN)


@transaction.atomic
def wish_maintenance(*, visit_uid: UUID, operation_uids: Collection[UUID], by: Actor) -> list[MaintenanceWish]:
    """3.1: the customer asks on the link for work that the car is due for; a second tap changes nothing.

    Returns the wishes for the work that was ticked. Raises RuleError ``wish.none`` (nothing ticked), ``wish.ended`` (the
    car isn't here any more) and ``wish.gone`` (not due any more, or on an order already).
    """
    if by.kind != ActorKind.LINK:
        raise NotAllowed(permissions.LINES_EDIT)
    visit: Visit = Visit.objects.for_actor(by).locked().select_related("store", "vehicle__model").get(uid=visit_uid)
    if not visit.is_open or visit.state == VisitState.WAITING:
        raise RuleError("wish.ended", _("Your car isn't in the shop now; please call us."))
    return _keep(visit.vehicle, operation_uids, visit.orders.all(), of={"visit": visit}, store_id=visit.store_id, by=by)


@transaction.atomic
def wish_for_booking(
    *, appointment: Appointment, operation_uids: Collection[UUID], address: str = ""
) -> list[MaintenanceWish]:
    """3.1: the same on the page of a booking that the shop made; it waits for the visit.

    ``address`` is the network address it comes from. Raises ``appointment.many`` besides.
    """
    appointments.throttle(appointment.store, address)
    by = machine("online-booking", store_id=appointment.store_id)
    vehicle = Vehicle.objects.locked().get(pk=appointment.vehicle_id)
    booked = appointments.lock_appointment(uid=appointment.uid, by=by)
    if not reads.shown_on_booking(booked):
        raise RuleError("wish.ended", _("Nothing can be added to this booking here any more; please call us."))
    there = {item.operation_id for item in booked.items.all() if item.operation_id}
    return _keep(
        vehicle, operation_uids, (), of={"appointment": booked}, store_id=booked.store_id, by=by, besides=there
    )


def _keep(
    vehicle: Vehicle,
    operation_uids: Collection[UUID],
    orders: Iterable[RepairOrder],
    *,
    of: dict[str, Any],
    store_id: int,
    by: Actor,
    besides: Collection[int] = (),
) -> list[MaintenanceWish]:
    wanted = set(operation_uids)
    if not wanted:
        raise RuleError("wish.none", _("Tick what you want done."))
    known = list(MaintenanceWish.objects.filter(**of, operation__uid__in=wanted).select_related("operation"))
    fresh = wanted - {row.operation.uid for row in known}
    if not fresh:
        return known
    found = reads.due_list(vehicle, store_id=store_id)
    rows = [row for row in (found.proposed if found else []) if row.operation.uid in fresh]
    rows = reads.not_on(orders, rows, besides)
    if len(rows) != len(fresh):
        raise RuleError("wish.gone", _("Some of it isn't due any more, or stands on your order already; look again."))
    for row in rows:
        wish = MaintenanceWish.objects.create(
            **of,
            store_id=store_id,
            vehicle=vehicle,
            operation=row.operation,
            why=row.why[:300],
            due=reads.due_facts(row.due),
            amount=row.amount,
        )
        record(wish, events.WISH_MADE, by=by, store_id=store_id, operation=row.operation.code, amount=row.amount)
        known.append(wish)
    return known


def _answerable(order_visit: Visit) -> Q:
    """The wishes of a visit: ticked on its link, or on the booking before it."""
    mine = Q(visit=order_visit)
    return mine | Q(appointment=order_visit.appointment_id) if order_visit.appointment_id else mine


@transaction.atomic
def take_wishes(*, order_uid: UUID, by: Actor, wish_uids: Collection[UUID] | None = None) -> list[OrderLine]:
    """3.1: what the customer asked for is written on the order of the visit as draft lines, with why it is due.

    ``wish_uids`` None: all that is open. Raises RuleError ``wish.payer`` (not the customer's own order), ``wish.none``,
    ``wish.there`` (work that is agreed or asked already) and RaceLost ``wish.answered``.
    """
    by.require(permissions.LINES_EDIT)
    order = locked_order(order_uid, by)
    if order.kind != OrderKind.CUSTOMER:
        raise RuleError("wish.payer", _("What the customer asks for goes on an order that the customer pays."))
    rows = MaintenanceWish.objects.filter(_answerable(order.visit), vehicle=order.vehicle, store_id=order.store_id)
    rows = rows.filter(uid__in=wish_uids) if wish_uids is not None else rows.filter(state=WishState.OPEN)
    wishes = list(rows.locked().select_related("operation", "visit", "appointment").order_by("pk"))
    if not wishes or (wish_uids is not None and len(wishes) != len(set(wish_uids))):
        raise RuleError("wish.none", _("The customer asks for nothing of this on this visit; look again."))
    if any(wish.state != WishState.OPEN for wish in wishes):
        raise RaceLost("wish.answered", _("Somebody has answered this wish already; look again."))
    live = {
        line.operation_id: line
        for line in order.lines.filter(operation__isnull=False).exclude(state__in=GONE).order_by("-pk")
    }
    lines = []
    for wish in wishes:
        line = live.get(wish.operation_id)
        if line is None:
            cause = reads.say_due(wish.due, wish.why, language=order.visit.customer.language)
            line = add_line(
                order_uid=order.uid, operation_uid=wish.operation.uid, cause=cause, cause_due=wish.due, by=by
            )
        elif line.state != LineState.DRAFT:
            raise RuleError(
                "wish.there",
                _("“%(work)s” stands on the order already; tell the customer so instead."),
                work=wish.operation.said,
            )
        require(WISH_MOVES, WishState(wish.state), WishState.TAKEN)
        wish.state, wish.ended_at, wish.line = WishState.TAKEN, clock.now(), line
        wish.save(update_fields=["state", "ended_at", "line"])
        record(wish, events.WISH_TAKEN, by=by, store_id=order.store_id, line=line.uid, order=order.uid)
        lines.append(line)
    return lines


@transaction.atomic
def decline_wish(*, uid: UUID, answer: str, by: Actor) -> MaintenanceWish:
    """3.1: why not this time, in words that the customer reads on the link. Raises ``wish.answer``, ``wish.answered``."""
    by.require(permissions.LINES_EDIT)
    words = formats.one_line(answer)[:200]
    if not words:
        raise RuleError("wish.answer", _("Say why not this time; the customer reads it."), field="answer")
    wish: MaintenanceWish = (
        MaintenanceWish.objects.for_actor(by).locked().select_related("visit", "appointment", "store").get(uid=uid)
    )
    if wish.state != WishState.OPEN:
        raise RaceLost("wish.answered", _("Somebody has answered this wish already; look again."))
    before = wish.state
    wish.state, wish.ended_at, wish.answer = WishState.DECLINED, clock.now(), words
    wish.save(update_fields=["state", "ended_at", "answer"])
    record(wish, events.WISH_DECLINED, by=by, changed={"state": (before, wish.state)})
    return wish


def tell_wish(*, uid: UUID, key: str, by: Actor) -> int:
    """The visit's advisor reads under the bell what the customer asks for; how many were told."""
    wish = MaintenanceWish.objects.select_related(
        "operation", "vehicle", "store", "visit__advisor__user", "appointment__advisor__user"
    ).get(uid=uid)
    held = wish.visit or wish.appointment
    assert held is not None
    advisor = held.advisor
    if advisor is None or advisor.user is None:
        return 0
    with override(advisor.user.language):
        body = gettext("%(plate)s: the customer asks for %(work)s, which is due. Put it on the order or answer.") % {
            "plate": saying.say_plate(wish.vehicle.plate) or held.number,
            "work": wish.operation.said,
        }
    queue_message(
        key=key,
        store=wish.store,
        channel=MessageChannel.STAFF,
        recipient=advisor.user.username,
        recipient_name=advisor.name,
        template="workshop.wish",
        language=advisor.user.language,
        body=body,
        visit_uid=wish.visit.uid if wish.visit else None,
        by=by,
    )
    return 1
