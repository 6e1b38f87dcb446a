"""Commands on the shelf: receive, reserve, issue, take back, count (3.2). Only movements change what is on hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, PartKind
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from reception.models import EXPECTED_STATES, Appointment
from reception.selectors.appointments import parts_needed
from reception.services.appointments import report_part_missing
from workshop import events, permissions
from workshop.limits import PARTS_LEAD_DAYS
from workshop.models import (
    HoldCause,
    LineHold,
    LineState,
    MovementKind,
    OrderLine,
    PartLine,
    RepairOrder,
    StockItem,
    StockMovement,
)

AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED)
ZERO = Decimal(0)
FROM_SHELF = PartLine.objects.exclude(kind=PartKind.CUSTOMER_SUPPLIED)
"""What the customer brings isn't kept, issued or waited for (3.2)."""


def _item(store_id: int, part: Part) -> StockItem:
    """The part's place on the store's shelf, locked; it is made on the first touch."""
    StockItem.objects.bulk_create([StockItem(store_id=store_id, part=part)], ignore_conflicts=True)
    return StockItem.objects.locked().get(store_id=store_id, part=part)


def _part_line(uid: UUID, by: Actor) -> tuple[PartLine, StockItem]:
    """The part line and its shelf, locked in the house's order: order, line, part line, stock (design 5)."""
    found = PartLine.objects.for_actor(by).values("line_id", "line__order_id").get(uid=uid)
    order = RepairOrder.objects.locked().get(pk=found["line__order_id"])
    OrderLine.objects.locked().get(pk=found["line_id"])
    part_line = PartLine.objects.locked().select_related("part", "line__order__visit").get(uid=uid)
    return part_line, _item(order.store_id, part_line.part)


def _positive(quantity: Decimal, *, field: str = "quantity") -> Decimal:
    if quantity <= 0 or quantity != round(quantity, 2):
        raise RuleError("stock.quantity", _("Give a quantity above zero with two decimals at most."), field=field)
    return quantity


@transaction.atomic
def receive_stock(
    *, part_uid: UUID, quantity: Decimal, unit_cost: Decimal, by: Actor, reason: str = "", bin: str = ""
) -> StockMovement:
    """Puts a delivery on the shelf; ``unit_cost`` (CNY, without VAT) moves the average cost.

    Back-ordered lines are served behind the outbox, oldest first.
    """
    by.require(permissions.STOCK_MOVE)
    _positive(quantity)
    if unit_cost < 0:
        raise RuleError("stock.cost", _("The cost can't be negative."), field="unit_cost")
    item = _item(by.store_id, Part.objects.get(uid=part_uid))
    if bin and bin != item.bin:
        item.bin = bin
        item.save(update_fields=["bin"])
    movement = StockMovement.objects.create(
        store_id=item.store_id,
        item=item,
        kind=MovementKind.RECEIPT,
        quantity=quantity,
        unit_cost=unit_cost,
        reason=reason,
    )
    record(movement, events.STOCK_RECEIVED, by=by, part=part_uid, quantity=quantity)
    return movement


@transaction.atomic
def reserve_part(*, part_line_uid: UUID, by: Actor) -> PartLine:
    """Keeps for the line what is free on the shelf; what is missing is back-ordered and the line waits for it.

    Other lines of the order go on. Reserving again takes what has become free since.
    """
    by.require(permissions.PARTS_RESERVE)
    part_line, item = _part_line(part_line_uid, by)
    line = part_line.line
    if line.state not in AGREED:
        raise RuleError(
            "part.not_agreed", _("Nobody has agreed to this line yet; parts are kept after the customer's yes.")
        )
    missing = part_line.quantity - part_line.issued_quantity - part_line.reserved_quantity
    take = max(ZERO, min(missing, item.on_hand - item.reserved))
    before = part_line.reserved_quantity
    if take:
        item.reserved += take
        item.save(update_fields=["reserved"])
        part_line.reserved_quantity += take
    short = missing - take
    days = limits.value(PARTS_LEAD_DAYS, store_id=item.store_id)
    part_line.expected_on = clock.today() + timedelta(days=days) if short else None
    part_line.save(update_fields=["reserved_quantity", "expected_on"])
    if take or short:
        record(
            part_line,
            events.PART_RESERVED,
            by=by,
            store_id=item.store_id,
            changed={"reserved_quantity": (before, part_line.reserved_quantity)},
            part=part_line.part.uid,
            line=line.uid,
            short=short,
        )
    _wait_or_go_on(line, by)
    return part_line


@transaction.atomic
def reserve_parts(*, order_uid: UUID, by: Actor) -> RepairOrder:
    """Keeps what all agreed lines of an order need."""
    by.require(permissions.PARTS_RESERVE)
    order = RepairOrder.objects.for_actor(by).locked().get(uid=order_uid)
    wanted = FROM_SHELF.filter(line__order=order, line__state__in=AGREED, line__settled=False)
    for uid in wanted.order_by("part_id", "id").values_list("uid", flat=True):
        reserve_part(part_line_uid=uid, by=by)
    return order


@transaction.atomic
def keep_for_line(*, line_uid: UUID, by: Actor) -> OrderLine:
    """Keeps what one agreed line needs; does nothing for a line that is no longer agreed."""
    line = OrderLine.objects.for_actor(by).get(uid=line_uid)
    wanted = FROM_SHELF.filter(line=line, line__state__in=AGREED, line__settled=False)
    for uid in wanted.order_by("part_id", "id").values_list("uid", flat=True):
        reserve_part(part_line_uid=uid, by=by)
    return line


def _wait_or_go_on(line: OrderLine, by: Actor) -> None:
    """Opens a hold while a part of the line is missing, and ends it when none is (other causes are left alone)."""
    short = FROM_SHELF.filter(line=line, quantity__gt=F("issued_quantity") + F("reserved_quantity")).exists()
    hold = LineHold.objects.filter(line=line, ended_at__isnull=True).first()
    if short and hold is None and line.state in (LineState.AUTHORIZED, LineState.IN_PROGRESS):
        LineHold.objects.create(line=line, cause=HoldCause.PARTS, started_at=clock.now())
        record(line, events.LINE_HELD, by=by, store_id=line.order.store_id, cause=HoldCause.PARTS)
    elif not short and hold is not None and hold.cause == HoldCause.PARTS:
        hold.ended_at = clock.now()
        hold.save(update_fields=["ended_at"])
        record(line, events.LINE_RELEASED, by=by, store_id=line.order.store_id, cause=HoldCause.PARTS)


@transaction.atomic
def issue_part(*, part_line_uid: UUID, by: Actor, quantity: Decimal | None = None) -> PartLine:
    """Hands a part out to the line: what is kept for it first, then what is free (3.2).

    Refused for a line nobody agreed to, beyond the agreed quantity, and where the shelf hasn't that much.
    """
    by.require(permissions.PARTS_ISSUE)
    part_line, item = _part_line(part_line_uid, by)
    left = part_line.quantity - part_line.issued_quantity
    wanted = left if quantity is None else _positive(quantity)
    if wanted <= 0 or wanted > left:
        raise RuleError(
            "part.quantity",
            _("%(left)s %(unit)s of this part are still agreed, no more."),
            field="quantity",
            left=left,
            unit=part_line.part.unit,
        )
    if part_line.line.state not in AGREED:
        raise RuleError(
            "part.not_agreed", _("Nobody has agreed to this line yet; parts are issued after the customer's yes.")
        )
    kept = min(wanted, part_line.reserved_quantity)
    if wanted - kept > item.on_hand - item.reserved:
        raise RuleError(
            "stock.short",
            _("Only %(free)s %(unit)s are free on the shelf."),
            field="quantity",
            free=item.on_hand - item.reserved + kept,
            unit=part_line.part.unit,
        )
    before = part_line.issued_quantity
    item.reserved -= kept
    item.save(update_fields=["reserved"])
    part_line.reserved_quantity -= kept
    part_line.issued_quantity += wanted
    part_line.save(update_fields=["reserved_quantity", "issued_quantity"])
    StockMovement.objects.create(
        store_id=item.store_id,
        item=item,
        part_line=part_line,
        kind=MovementKind.ISSUE,
        quantity=-wanted,
        unit_cost=item.average_cost,
    )
    record(
        part_line,
        events.PART_ISSUED,
        by=by,
        store_id=item.store_id,
        changed={"issued_quantity": (before, part_line.issued_quantity)},
        part=part_line.part.uid,
        line=part_line.line.uid,
        quantity=wanted,
    )
    _wait_or_go_on(part_line.line, by)
    return part_line


@transaction.atomic
def return_part(*, part_line_uid: UUID, quantity: Decimal, reason: str, by: Actor) -> PartLine:
    """Takes an unopened part back onto the shelf; a settled line takes nothing back (write a counter-line)."""
    by.require(permissions.PARTS_ISSUE)
    part_line, item = _part_line(part_line_uid, by)
    _positive(quantity)
    if not reason.strip():
        raise RuleError("part.reason", _("Say why the part comes back."), field="reason")
    if quantity > part_line.issued_quantity:
        raise RuleError(
            "part.returned", _("Only %(issued)s were issued."), field="quantity", issued=part_line.issued_quantity
        )
    if part_line.line.settled:
        raise RuleError("line.settled", _("This line is settled; correct it with a counter-line."))
    before = part_line.issued_quantity
    part_line.issued_quantity -= quantity
    part_line.save(update_fields=["issued_quantity"])
    StockMovement.objects.create(
        store_id=item.store_id,
        item=item,
        part_line=part_line,
        kind=MovementKind.RETURN,
        quantity=quantity,
        unit_cost=item.average_cost,
        reason=reason.strip()[:120],
    )
    record(
        part_line,
        events.PART_RETURNED,
        by=by,
        store_id=item.store_id,
        changed={"issued_quantity": (before, part_line.issued_quantity)},
        part=part_line.part.uid,
        line=part_line.line.uid,
        quantity=quantity,
    )
    return part_line


@transaction.atomic
def count_stock(*, part_uid: UUID, counted: Decimal, reason: str, by: Actor) -> StockItem:
    """Writes what was counted; the difference becomes a movement with its reason."""
    by.require(permissions.STOCK_MOVE)
    if counted < 0:
        raise RuleError("stock.quantity", _("A count can't be negative."), field="counted")
    item = _item(by.store_id, Part.objects.get(uid=part_uid))
    difference = counted - item.on_hand
    if not difference:
        return item
    if not reason.strip():
        raise RuleError("stock.reason", _("Say what explains the difference."), field="reason")
    if counted < item.reserved:
        raise RuleError(
            "stock.reserved",
            _("%(reserved)s are kept for orders; free those first."),
            field="counted",
            reserved=item.reserved,
        )
    movement = StockMovement.objects.create(
        store_id=item.store_id,
        item=item,
        kind=MovementKind.COUNT,
        quantity=difference,
        unit_cost=item.average_cost,
        reason=reason.strip()[:120],
    )
    record(movement, events.STOCK_COUNTED, by=by, part=part_uid, difference=difference)
    item.refresh_from_db()
    return item


def give_back(line: OrderLine, by: Actor) -> None:
    """Gives back to the shelf what is kept for a locked line that will not be done.

    What was issued stays with the line until it is returned or settled.
    """
    kept = PartLine.objects.filter(line=line, reserved_quantity__gt=0).select_related("part").order_by("part_id", "id")
    for part_line in kept.locked():
        item = _item(line.order.store_id, part_line.part)
        before, part_line.reserved_quantity, part_line.expected_on = part_line.reserved_quantity, ZERO, None
        item.reserved -= before
        item.save(update_fields=["reserved"])
        part_line.save(update_fields=["reserved_quantity", "expected_on"])
        record(
            part_line, events.PART_FREED, by=by, store_id=item.store_id,
            changed={"reserved_quantity": (before, ZERO)}, part=part_line.part.uid, line=line.uid,
        )  # fmt: skip


def serve_back_orders(*, store_id: int, part_uid: UUID) -> int:
    """Keeps what is free on the shelf for the lines that wait for it, oldest order first; returns how many were served.

    It comes after a receipt, a count, a part that came back and a line that gave up what was kept for it.
    """
    waiting = (
        FROM_SHELF.filter(
            line__state__in=AGREED,
            line__order__store_id=store_id,
            part__uid=part_uid,
            line__settled=False,
            quantity__gt=F("issued_quantity") + F("reserved_quantity"),
            expected_on__isnull=False,
        )
        .order_by("line__order__opened_at", "id")
        .values_list("uid", flat=True)
    )
    by, served = machine("parts", store_id=store_id), 0
    free = StockItem.objects.filter(store_id=store_id, part__uid=part_uid, on_hand__gt=F("reserved"))
    for uid in waiting:
        if not free.exists():
            break
        reserve_part(part_line_uid=uid, by=by)
        served += 1
    return served


def stock_up(*, store: Store, by: Actor, quantity: Decimal = Decimal(40)) -> int:
    """Opening stock for a demo or a new store: ``quantity`` of every active part that has none."""
    parts = Part.objects.filter(active=True).exclude(stock__store=store).order_by("pk")
    for part in parts:
        price = part.prices.filter(store=store).order_by("-starts_on").values_list("price", flat=True).first()
        cost = round((price or Decimal(100)) * Decimal("0.62"), 2)
        receive_stock(part_uid=part.uid, quantity=quantity, unit_cost=cost, reason="opening", by=by)
    return len(parts)


def lose_booked_parts(*, store_id: int, part_uid: UUID) -> int:
    """2.4: what the shelf no longer has for prepared bookings of the coming days is said to the desk, the last first.

    The free stock goes to the bookings in the order in which the cars come; returns how many are planned anew. Each is
    a command of its own, so that one that has changed meanwhile stops nothing.
    """
    item = StockItem.objects.filter(store_id=store_id, part__uid=part_uid).select_related("part").first()
    if item is None:
        return 0
    by = machine("stock", store_id=store_id)
    booked = Appointment.objects.filter(
        store_id=store_id, state__in=EXPECTED_STATES, parts_confirmed_at__isnull=False, starts_at__gt=clock.now()
    )
    rows = list(booked.filter(items__operation__parts__part=item.part).distinct().order_by("starts_at", "pk"))
    needs = parts_needed(rows)
    free, lost = item.on_hand - item.reserved, 0
    for appointment in rows:
        wanted = sum((need.quantity for need in needs[appointment.pk] if need.part.pk == item.part_id), Decimal(0))
        if wanted <= free:
            free -= wanted
            continue
        reason = gettext("%(part)s went to another car; the shelf has no more.") % {"part": item.part.said}
        try:
            report_part_missing(uid=appointment.uid, reason=reason, part_number=item.part.number, by=by)
        except RuleError:
            continue
        lost += 1
    return lost
