"""A repair in two trips: the car drives on while its part is on the way, and comes back for it (3.2).

Lock order (design 5): visit, orders, lines, then the wait itself. The gate (chapter 4) calls ``drive_away`` and
``drive_back``.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.saying import say_plate
from reception.models import Visit, VisitState
from reception.services.away import let_away, take_in_again
from staff.selectors.employees import require_employee
from workshop import events, permissions
from workshop.away_models import AwayWait
from workshop.models import LineState, OrderLine, RepairOrder
from workshop.selectors.away import OPEN, kept_on_shelf, waits_for_parts
from workshop.services.dispatch import give_back_plans
from workshop.services.orders import link_address, tell_customer

L = LineState


def _orders_of(visit: Visit) -> list[RepairOrder]:
    rows = RepairOrder.objects.filter(visit=visit).locked().select_related("store", "visit", "vehicle", "customer")
    return list(rows.order_by("pk"))


def _require_drivable(visit: Visit) -> None:
    """Raises RuleError ``away.clocked_on`` and ``away.unsafe``."""
    lines = OrderLine.objects.filter(order__visit=visit)
    busy = lines.filter(clockings__isnull=False, clockings__ended_at__isnull=True).order_by("pk").first()
    if busy is not None:
        raise RuleError("away.clocked_on", _("Somebody is working on “%(line)s”; clock off first."), line=busy.said)
    half = lines.filter(Q(is_safety=True) | Q(is_dismantling=True), state=L.IN_PROGRESS).order_by("pk").first()
    if half is not None:
        raise RuleError(
            "away.unsafe",
            _("“%(line)s” is half done and concerns safety or lies open; finish it before the car leaves."),
            line=half.said,
        )


@transaction.atomic
def plan_away(
    *, order_uid: UUID, reason: str, expected_on: date, safe_to_drive: bool, by: Actor, although_here: bool = False
) -> AwayWait:
    """Notes that the car drives on until the part comes; the gate then lets it out on a pass “waits for a part” (3.2).

    ``expected_on`` is the day the part is expected, ``safe_to_drive`` that the person says the car may be driven,
    ``although_here`` that it leaves though all it waits for is kept on the shelf. Raises RuleError ``away.reason``,
    ``.safe``, ``.past``, ``.visit``, ``.no_part``, ``.part_here``, ``.clocked_on``, ``.unsafe``, ``.open``.
    """
    by.require(permissions.AWAY_PLAN)
    visit_id = RepairOrder.objects.for_actor(by).values_list("visit_id", flat=True).get(uid=order_uid)
    visit = Visit.objects.locked().select_related("store").get(pk=visit_id)
    order = next(row for row in _orders_of(visit) if row.uid == order_uid)
    reason = formats.one_line(reason)[:200]
    if not reason:
        raise RuleError("away.reason", _("Say which part the car comes back for."), field="reason")
    if not safe_to_drive:
        raise RuleError("away.safe", _("Confirm that the car is safe to drive."), field="safe_to_drive")
    if expected_on < clock.today(visit.store.time_zone):
        raise RuleError("away.past", _("The part is expected today or later."), field="expected_on")
    if visit.state != VisitState.IN_SHOP:
        raise RuleError("away.visit", _("Only a car that is in the shop can leave and come back."))
    if not waits_for_parts(order):
        raise RuleError("away.no_part", _("No agreed item of this order waits for a part."))
    here = kept_on_shelf(order)
    if here and not although_here:
        raise RuleError(
            "away.part_here",
            _("On the shelf already, kept for this order: %(parts)s. Do the work now, or confirm that the car leaves."),
            field="although_here",
            parts=here,
        )
    _require_drivable(visit)
    if visit.away_waits.filter(back_at__isnull=True, cancelled_at__isnull=True).exists():
        raise RuleError("away.open", _("It is already noted that this car waits away for its part."))
    wait = AwayWait.objects.create(
        order=order,
        visit=visit,
        reason=reason,
        expected_on=expected_on,
        safe_said_by=require_employee(by),
        planned_at=clock.now(),
    )
    record(wait, events.AWAY_PLANNED, by=by, store_id=visit.store_id, expected_on=expected_on)
    return wait


@transaction.atomic
def cancel_away(*, uid: UUID, by: Actor) -> AwayWait:
    """The car stays after all. Raises RuleError ``away.ended`` once it has left."""
    by.require(permissions.AWAY_PLAN)
    wait = AwayWait.objects.for_actor(by).locked().select_related("order", "visit").get(uid=uid)
    if wait.left_at is not None or wait.cancelled_at is not None:
        raise RuleError("away.ended", _("The car has left already, or it was taken back."))
    wait.cancelled_at = clock.now()
    wait.save(update_fields=["cancelled_at"])
    record(wait, events.AWAY_CANCELLED, by=by, store_id=wait.visit.store_id)
    return wait


def open_wait(visit: Visit) -> AwayWait | None:
    """The wait of a car that is to leave or has left for its part, locked."""
    rows = AwayWait.objects.filter(visit=visit, back_at__isnull=True, cancelled_at__isnull=True)
    return rows.locked().select_related("order").first()


@transaction.atomic
def drive_away(*, visit: Visit, by: Actor) -> AwayWait:
    """The car leaves: plans and promises of its orders get free, its parts stay kept. The caller holds the visit.

    Raises RuleError ``away.none``, ``away.clocked_on`` and ``away.unsafe``.
    """
    orders = _orders_of(visit)
    wait = open_wait(visit)
    if wait is None or wait.left_at is not None:
        raise RuleError("away.none", _("First note on the order that the car waits away for its part."))
    _require_drivable(visit)
    system = machine("away", store_id=visit.store_id)
    for line in OrderLine.objects.filter(order__in=orders, state__in=OPEN).locked().order_by("pk"):
        line.order = next(order for order in orders if order.pk == line.order_id)
        give_back_plans(line, system, gettext("The car is away until its part comes."))
    wait.left_at = clock.now()
    wait.save(update_fields=["left_at"])
    for order in orders:
        if order.promised_at is not None and not (order.settled_at or order.closed_at or order.withdrawn_at):
            before, order.promised_at = order.promised_at, None
            order.save(update_fields=["promised_at"])
            record(order, events.PROMISE_CHANGED, by=by, changed={"promised_at": (before, None)})
    let_away(visit=visit, by=by)
    record(wait, events.AWAY_LEFT, by=by, store_id=visit.store_id)
    return wait


@transaction.atomic
def drive_back(*, visit: Visit, by: Actor) -> AwayWait:
    """The car is here again; its order goes on with its lines. The caller holds the visit. RuleError ``away.none``."""
    _orders_of(visit)
    wait = open_wait(visit)
    if wait is None or wait.left_at is None:
        raise RuleError("away.none", _("This car isn't away."))
    wait.back_at = clock.now()
    wait.save(update_fields=["back_at"])
    take_in_again(visit=visit, by=by)
    record(wait, events.AWAY_BACK, by=by, store_id=visit.store_id)
    return wait


@transaction.atomic
def note_part_came(*, line_uid: UUID, by: Actor) -> AwayWait | None:
    """The last part that an away car waits for is kept: somebody is to book it, and the customer reads so. Once only."""
    line = OrderLine.objects.for_actor(by).select_related("order").get(uid=line_uid)
    if not AwayWait.objects.filter(order=line.order, left_at__isnull=False, back_at__isnull=True).exists():
        return None
    order = (
        RepairOrder.objects.locked()
        .select_related("visit__customer", "visit__link", "vehicle", "store")
        .get(pk=line.order_id)
    )
    rows = AwayWait.objects.filter(order=order, left_at__isnull=False, back_at__isnull=True, part_came_at__isnull=True)
    wait = rows.locked().first()
    if wait is None or waits_for_parts(order):
        return None
    wait.order = order
    wait.part_came_at = clock.now()
    wait.save(update_fields=["part_came_at"])
    record(wait, events.AWAY_PART_CAME, by=by, store_id=order.store_id)
    with translation.override(order.visit.customer.language):
        body = gettext("%(store)s: the part for %(plate)s is here. Please tell us when you come: %(link)s") % {
            "store": order.store.name,
            "plate": say_plate(order.vehicle.plate) or order.vehicle.vin[-6:],
            "link": link_address(order.visit),
        }
        subject = gettext("Your part is here")
    tell_customer(order, key=f"away:{wait.uid}", template="workshop.part_came", subject=subject, body=body, by=by)
    return wait
