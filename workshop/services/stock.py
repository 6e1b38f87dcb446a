"""Commands on the shelf: receive, reserve, issue, take back, transfer, count (3.2). Only movements change what is on hand.

A part's row of stock is locked before its bins, so that no two people wait for each other in one bin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import NOT_NEW, Part, PartKind, Tracing
from dealership.catalogue.rules import POURED
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel, Store
from dealership.kernel.saying import say_date, say_name, say_plate
from dealership.kernel.services import queue_message
from reception.models import EXPECTED_STATES, Appointment
from reception.selectors.appointments import parts_needed
from reception.services.appointments import report_part_missing
from staff.selectors.employees import employee_of, employees_with_role
from workshop import events, permissions
from workshop.limits import COUNT_APPROVE_FROM, PARTS_LEAD_DAYS
from workshop.models import (
    HoldCause,
    LineHold,
    LineState,
    MovementKind,
    OrderLine,
    PartLine,
    PartReturn,
    PartTrial,
    PurchaseLine,
    RepairOrder,
    ReservationMove,
    ReturnCondition,
    SaleLine,
    SaleReturn,
    StockBin,
    StockItem,
    StockLot,
    StockMovement,
    Warehouse,
)
from workshop.selectors.part_consents import consents_of
from workshop.selectors.places import usual_bin
from workshop.selectors.purchasing import arrivals
from workshop.selectors.suppliers import lead_days
from workshop.selectors.tracing import lots_out, unnamed
from workshop.services.cores import follow_issue
from workshop.services.orders import price_what_stays
from workshop.stock_models import MAIN
from workshop.stock_take_models import StockTake, StockTakeLine
from workshop.tool_models import CountState

AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED)
ZERO = Decimal(0)
UNNAMED = "-"
"""Stands for what lies on the shelf from before its part was traced."""
LOT_CODE = re.compile(r"[A-Z0-9][A-Z0-9 ./_-]{0,39}")
"""What a batch or a serial number is written with."""
FROM_SHELF = PartLine.objects.exclude(kind=PartKind.CUSTOMER_SUPPLIED)
"""What the customer brings isn't kept, issued or waited for (3.2)."""


def _item(store_id: int, part: Part) -> StockItem:
    """The part's place on the store's shelf, locked; it is made on the first touch."""
    StockItem.objects.bulk_create([StockItem(store_id=store_id, part=part)], ignore_conflicts=True)
    return StockItem.objects.locked().select_related("part").get(store_id=store_id, part=part)


def _bin(item: StockItem, *, warehouse_uid: UUID | None, bin: str | None) -> StockBin:
    """The named bin of a locked part; the usual one where nothing is named. It is made on the first touch."""
    if warehouse_uid is None:
        Warehouse.objects.bulk_create(
            [Warehouse(store_id=item.store_id, code=MAIN, name=gettext("Main warehouse"))], ignore_conflicts=True
        )
        warehouse = Warehouse.objects.get(store_id=item.store_id, code=MAIN)
    else:
        warehouse = Warehouse.objects.get(store_id=item.store_id, uid=warehouse_uid)
    name = usual_bin(item, warehouse) if bin is None else bin.strip()
    StockBin.objects.bulk_create([StockBin(item=item, warehouse=warehouse, bin=name)], ignore_conflicts=True)
    return StockBin.objects.select_related("warehouse").get(item=item, warehouse=warehouse, bin=name)


def _settle(item: StockItem, *, warehouse_uid: UUID | None, bin: str) -> StockBin:
    """Where what comes in goes: the named bin, else the usual one of that warehouse. The first one named in the main
    warehouse becomes the part's usual bin."""
    name = one_line(bin)
    place = _bin(item, warehouse_uid=warehouse_uid, bin=name or None)
    if name and not item.bin and place.warehouse.code == MAIN:
        item.bin = name
        item.save(update_fields=["bin"])
    return place


def _move(
    item: StockItem, place: StockBin, kind: MovementKind, quantity: Decimal, *, by: Actor, **facts: Any
) -> StockMovement:
    """One movement at one bin of a locked part, with who made it; the database moves bin and part with it."""
    facts.setdefault("unit_cost", item.average_cost)
    return StockMovement.objects.create(
        store_id=item.store_id, item=item, place=place, kind=kind, quantity=quantity, moved_by=employee_of(by), **facts
    )


def _take_from(item: StockItem, wanted: Decimal, bin_uid: UUID | None) -> list[tuple[StockBin, Decimal]]:
    """Which bins ``wanted`` is taken from: the named one, or the usual bin first and then the others by their order."""
    if bin_uid is not None:
        place = item.bins.select_related("warehouse").get(uid=bin_uid)
        if wanted > place.on_hand:
            raise RuleError(
                "stock.bin_short",
                _("Only %(left)s %(unit)s lie in %(bin)s."),
                field="quantity",
                left=f"{place.on_hand.normalize():f}",
                unit=say_name(item.part.unit),
                bin=str(place),
            )
        return [(place, wanted)]
    full = list(item.bins.filter(on_hand__gt=0))
    full.sort(key=lambda place: (place.bin != item.bin, place.warehouse_id, place.bin, place.pk))
    taken = []
    for place in full:
        if wanted <= 0:
            break
        taken.append((place, min(wanted, place.on_hand)))
        wanted -= taken[-1][1]
    return taken


def _part_line(uid: UUID, by: Actor) -> tuple[PartLine, StockItem]:
    """The part line and its shelf, locked in the house's order: order, line, part line, stock (design 5)."""
    found = PartLine.objects.for_actor(by).values("line_id", "line__order_id").get(uid=uid)
    order = RepairOrder.objects.locked().get(pk=found["line__order_id"])
    OrderLine.objects.locked().get(pk=found["line_id"])
    part_line = PartLine.objects.locked().select_related("part", "line__order__visit").get(uid=uid)
    return part_line, _item(order.store_id, part_line.part)


def _lots(
    item: StockItem, codes: Sequence[str], quantity: Decimal, *, coming: MovementKind | None = None
) -> list[tuple[StockLot | None, Decimal]]:
    """The batch or serial numbers by which ``quantity`` of a locked part comes or goes; one nameless where it isn't traced,
    or where ``UNNAMED`` alone is told: what lies there from before tracing goes out without a number.

    Raises RuleError ``stock.lot_untraced``, ``.lot_missing``, ``.one_lot``, ``.serials``, ``.lot_code``,
    ``.lot_unknown``, ``.lot_short`` and ``.serial_there``.
    """
    how, unit = item.part.tracing, item.part.unit
    names = [" ".join(code.split()).upper() for code in codes if code.strip()]
    if how == Tracing.NONE:
        if names:
            raise RuleError("stock.lot_untraced", _("This part isn't traced; leave its number out."), field="lots")
        return [(None, quantity)]
    if not names:
        text = _("This part is traced: name its batch, or the serial number of each piece.")
        raise RuleError("stock.lot_missing", text, field="lots")
    if names == [UNNAMED] and coming is None:
        left = unnamed(item)
        if quantity > left:
            raise RuleError(
                "stock.lot_short", _("Only %(left)s %(unit)s without a number are left."), field="lots", unit=unit,
                left=f"{left.normalize():f}",
            )  # fmt: skip
        return [(None, quantity)]
    wrong = next((name for name in names if not LOT_CODE.fullmatch(name)), None)
    if wrong is not None:
        raise RuleError(
            "stock.lot_code", _("“%(lot)s” is no number: letters, digits and - . / _ only, 40 at most."), field="lots",
            lot=wrong[:40],
        )  # fmt: skip
    if how == Tracing.BATCH and len(names) > 1:
        raise RuleError("stock.one_lot", _("Name one batch at a time."), field="lots")
    if how == Tracing.SERIAL and (len(set(names)) < len(names) or quantity != len(names)):
        raise RuleError(
            "stock.serials", _("Give %(quantity)s different serial numbers, one for each piece."), field="lots",
            quantity=f"{quantity.normalize():f}",
        )  # fmt: skip
    if coming:
        StockLot.objects.bulk_create([StockLot(item=item, code=name) for name in sorted(names)], ignore_conflicts=True)
    rows = {row.code: row for row in StockLot.objects.locked().filter(item=item, code__in=names).order_by("pk")}
    each = quantity if how == Tracing.BATCH else Decimal(1)
    for name in names:
        if name not in rows:
            raise RuleError("stock.lot_unknown", _("“%(lot)s” never came in."), field="lots", lot=name)
        before = rows[name].movements.filter(kind=MovementKind.RECEIPT)
        there = rows[name].on_hand > 0 if coming == MovementKind.COUNT else bool(coming) and before.exists()
        if coming and how == Tracing.SERIAL and there:
            raise RaceLost("stock.serial_there", _("“%(lot)s” is there or came in already."), field="lots", lot=name)
        lent = sum(rows[name].trials.filter(state="OUT").values_list("quantity", flat=True), ZERO)
        if not coming and rows[name].on_hand - lent < each:
            raise RuleError(
                "stock.lot_short", _("Only %(left)s %(unit)s of “%(lot)s” are left."), field="lots", lot=name, unit=unit,
                left=f"{(rows[name].on_hand - lent).normalize():f}",
            )  # fmt: skip
    return [(rows[name], each) for name in names]


def _by_lots(
    taken: Sequence[tuple[StockBin, Decimal]], lots: Sequence[tuple[StockLot | None, Decimal]]
) -> list[tuple[StockBin, StockLot | None, Decimal]]:
    """What is taken from bins, split by batch and serial number; both lists add up to the same."""
    found: list[tuple[StockBin, StockLot | None, Decimal]] = []
    named = list(lots)
    for place, wanted in taken:
        left = wanted
        while left > 0:
            lot, there = named.pop(0)
            step = min(left, there)
            found.append((place, lot, step))
            left -= step
            if there > step:
                named.insert(0, (lot, there - step))
    return found


def positive(quantity: Decimal, *, field: str = "quantity") -> Decimal:
    """A quantity as parts are moved by. Raises RuleError ``stock.quantity``."""
    if quantity <= 0 or quantity != round(quantity, 2):
        raise RuleError("stock.quantity", _("Give a quantity above zero with two decimals at most."), field=field)
    return quantity


def whole(part: Part, quantity: Decimal, *, field: str = "quantity") -> None:
    """Only what is poured, weighed or cut off comes in fractions. Raises RuleError ``stock.whole``."""
    if part.unit not in POURED and quantity != quantity.to_integral_value():
        raise RuleError(
            "stock.whole",
            _("“%(part)s” is counted by the piece (%(unit)s): give a whole number."),
            field=field,
            part=part.said,
            unit=part.unit,
        )


@transaction.atomic
def name_stock(*, uid: UUID, lots: Sequence[str], by: Actor, quantity: Decimal | None = None) -> StockItem:
    """3.2: what lies there from before its part was traced gets its numbers: one a piece, or one batch for ``quantity``
    of it (default: all of it). What is on hand stays the same.

    Raises RuleError ``stock.named`` (all of it is), ``stock.quantity``, ``stock.lot_short`` and those of a receipt's numbers.
    """
    by.require(permissions.STOCK_MOVE)
    found = StockItem.objects.for_actor(by).select_related("part").get(uid=uid)
    item = _item(found.store_id, found.part)
    left = unnamed(item)
    if item.part.tracing == Tracing.NONE or left <= 0:
        raise RuleError("stock.named", _("All of it has its numbers, or the part isn't traced."), field="lots")
    if item.part.tracing == Tracing.SERIAL:
        wanted = Decimal(len([code for code in lots if code.strip()]))
    else:
        wanted = positive(left if quantity is None else quantity)
    if wanted > left:
        raise RuleError(
            "stock.lot_short", _("Only %(left)s %(unit)s without a number are left."), field="lots",
            unit=say_name(item.part.unit), left=f"{left.normalize():f}",
        )  # fmt: skip
    named = _lots(item, lots, wanted, coming=MovementKind.COUNT)
    taken = _by_lots(_take_from(item, wanted, None), named)
    if StockTakeLine.objects.filter(
        place__in={place.pk for place, _lot, _each in taken}, take__state=CountState.COUNTING
    ).exists():
        raise RuleError(
            "take.being_counted", _("A stock-take counts this bin; write it down there, or wait until it is closed.")
        )
    reason = gettext("Numbers written")
    # The number comes first: so what is kept for orders is covered at every moment.
    for place, lot, each in taken:
        _move(item, place, MovementKind.COUNT, each, reason=reason, lot=lot, by=by)
        movement = _move(item, place, MovementKind.COUNT, -each, reason=reason, by=by)
    record(movement, events.STOCK_NAMED, by=by, part=item.part.uid, quantity=wanted, lots=len(named))
    item.refresh_from_db()
    return item


@transaction.atomic
def open_warehouse(*, code: str, name: str, by: Actor) -> Warehouse:
    """3.2: one more warehouse of the actor's store. Raises RuleError ``warehouse.empty`` and ``warehouse.code`` (taken)."""
    by.require(permissions.STOCK_MOVE)
    code, name = one_line(code).upper(), one_line(name)
    for field, value, most in (("code", code, 10), ("name", name, 60)):
        if not value or len(value) > most:
            raise RuleError("warehouse.empty", _("A warehouse has a short code and a name."), field=field)
    store = Store.objects.select_for_update(no_key=True).get(pk=by.store_id)
    if code == MAIN or Warehouse.objects.filter(store=store, code=code).exists():
        raise RaceLost("warehouse.code", _("The store has a warehouse of this code already."), field="code")
    warehouse = Warehouse.objects.create(store=store, code=code, name=name)
    record(warehouse, events.WAREHOUSE_OPENED, by=by)
    return warehouse


@transaction.atomic
def receive_stock(
    *,
    part_uid: UUID,
    quantity: Decimal,
    unit_cost: Decimal,
    by: Actor,
    reason: str = "",
    bin: str = "",
    warehouse_uid: UUID | None = None,
    lots: Sequence[str] = (),
) -> StockMovement:
    """Puts a delivery on the shelf; ``unit_cost`` (CNY, without VAT) moves the average cost.

    It goes into the named bin, else into the part's usual one of that warehouse; a part that has none lies there without a
    bin, and the keeper is asked to put it away. A traced part names its batch or serial numbers (``lots``). Back-ordered
    lines are served behind the outbox, oldest first.
    """
    by.require(permissions.STOCK_MOVE)
    positive(quantity)
    if unit_cost < 0:
        raise RuleError("stock.cost", _("The cost can't be negative."), field="unit_cost")
    item = _item(by.store_id, Part.objects.get(uid=part_uid))
    place = _settle(item, warehouse_uid=warehouse_uid, bin=bin)
    for lot, each in _lots(item, lots, quantity, coming=MovementKind.RECEIPT):
        movement = _move(item, place, MovementKind.RECEIPT, each, unit_cost=unit_cost, reason=reason, lot=lot, by=by)
    record(movement, events.STOCK_RECEIVED, by=by, part=part_uid, quantity=quantity)
    return movement


@transaction.atomic
def put_in(
    *,
    line: PurchaseLine,
    store_id: int,
    quantity: Decimal,
    reason: str,
    by: Actor,
    lots: Sequence[str] = (),
    warehouse_uid: UUID | None = None,
    bin: str = "",
) -> StockMovement:
    """What came in of a locked purchase goes into the named bin, else the part's usual one, at the cost that was ordered."""
    item = _item(store_id, line.part)
    place = _settle(item, warehouse_uid=warehouse_uid, bin=bin)
    for lot, each in _lots(item, lots, quantity, coming=MovementKind.RECEIPT):
        movement = _move(
            item, place, MovementKind.RECEIPT, each, unit_cost=line.unit_cost, reason=reason, purchase_line=line, lot=lot, by=by
        )  # fmt: skip
    record(movement, events.STOCK_RECEIVED, by=by, part=line.part.uid, quantity=quantity)
    return movement


@transaction.atomic
def expect_part(*, part_line_uid: UUID, expected_on: date, by: Actor) -> bool:
    """A line that waits for a part learns the day on which it comes; False where it knows it or waits no more."""
    part_line, _shelf = _part_line(part_line_uid, by)
    before = part_line.expected_on
    if before in (None, expected_on) or part_line.line.settled:
        return False
    part_line.expected_on = expected_on
    part_line.save(update_fields=["expected_on"])
    record(
        part_line, events.PART_EXPECTED, by=by, store_id=part_line.line.order.store_id,
        changed={"expected_on": (before, expected_on)}, part=part_line.part.uid, line=part_line.line.uid,
    )  # fmt: skip
    return True


@transaction.atomic
def transfer_stock(
    *, from_uid: UUID, quantity: Decimal, by: Actor, to_warehouse_uid: UUID | None = None, to_bin: str = ""
) -> StockItem:
    """3.2: ``quantity`` goes from one bin of a part into another one of the store; what is on hand stays the same.

    Without a warehouse the bin is one of the same warehouse. Raises RuleError ``stock.whole``, ``.same_bin``, ``.bin_short``.
    """
    by.require(permissions.STOCK_MOVE)
    positive(quantity)
    found = StockBin.objects.for_actor(by).select_related("item__part", "warehouse").get(uid=from_uid)
    whole(found.item.part, quantity)
    item = _item(found.item.store_id, found.item.part)
    [(source, _quantity)] = _take_from(item, quantity, from_uid)
    target = _bin(item, warehouse_uid=to_warehouse_uid or found.warehouse.uid, bin=one_line(to_bin))
    if target.pk == source.pk:
        raise RuleError("stock.same_bin", _("It lies in that bin already; name another one."), field="to_bin")
    pair = uuid4()  # the arrival's own uid names the pair
    # The arrival first: so what is kept for orders is covered at every moment.
    _move(item, target, MovementKind.TRANSFER, quantity, uid=pair, transfer=pair, by=by)
    movement = _move(item, source, MovementKind.TRANSFER, -quantity, transfer=pair, by=by)
    emptied = (source.warehouse.code, source.bin, source.on_hand) == (MAIN, item.bin, quantity)
    if emptied and target.warehouse.code == MAIN:
        item.bin = target.bin  # all of it has a new usual place
        item.save(update_fields=["bin"])
    record(
        movement, events.STOCK_TRANSFERRED, by=by, part=item.part.uid, quantity=quantity,
        source=source.uid, target=target.uid,
    )  # fmt: skip
    item.refresh_from_db()
    return item


def _expect(part_line: PartLine) -> None:
    """Writes the day on which what a locked part line lacks will be there; none where it lacks nothing."""
    store_id = part_line.line.order.store_id
    if part_line.quantity <= part_line.issued_quantity + part_line.reserved_quantity:
        part_line.expected_on = None
    else:
        known = lead_days(
            store_id, [part_line.part_id]
        )  # of whom it was last ordered; else what the store reckons with
        days = known.get(part_line.part_id, limits.value(PARTS_LEAD_DAYS, store_id=store_id))
        part_line.expected_on = clock.today() + timedelta(days=days)
    part_line.save(update_fields=["reserved_quantity", "expected_on"])
    coming = dict(arrivals(store_id, part_line.part.uid)).get(part_line.uid) if part_line.expected_on else None
    if coming is not None and coming != part_line.expected_on:
        part_line.expected_on = coming  # a delivery that is on its way brings it
        part_line.save(update_fields=["expected_on"])


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
    _expect(part_line)
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
def issue_part(
    *,
    part_line_uid: UUID,
    by: Actor,
    quantity: Decimal | None = None,
    bin_uid: UUID | None = None,
    lots: Sequence[str] = (),
) -> PartLine:
    """Hands a part out to the line: what is kept for it first, then what is free (3.2), from the named bin or all of them.

    Refused for a line nobody agreed to, beyond the agreed quantity, where the shelf hasn't that much, and for a traced
    part without its batch or the serial numbers of all pieces (``lots``).
    """
    by.require(permissions.PARTS_ISSUE)
    part_line, item = _part_line(part_line_uid, by)
    left = part_line.quantity - part_line.issued_quantity
    wanted = left if quantity is None else positive(quantity)
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
    if part_line.kind in NOT_NEW and any(row.signed_at is None for row in consents_of([part_line.line])):
        raise RuleError(
            "part.consent",
            _(
                "“%(part)s” isn't new (%(kind)s): the customer agrees to it in writing before it is issued. The advisor "
                "has it signed on the order's page."
            ),
            part=part_line.part.said,
            kind=part_line.get_kind_display(),
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
    taken = _by_lots(_take_from(item, wanted, bin_uid), _lots(item, lots, wanted))
    before = part_line.issued_quantity
    item.reserved -= kept
    item.save(update_fields=["reserved"])
    part_line.reserved_quantity -= kept
    part_line.issued_quantity += wanted
    part_line.save(update_fields=["reserved_quantity", "issued_quantity"])
    for place, lot, quantity_there in taken:
        _move(item, place, MovementKind.ISSUE, -quantity_there, part_line=part_line, lot=lot, by=by)
    follow_issue(part_line, store_id=item.store_id, by=by)
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
def return_part(
    *,
    part_line_uid: UUID,
    quantity: Decimal,
    reason: str,
    by: Actor,
    condition: str = ReturnCondition.UNOPENED,
    lot: str = "",
) -> PartLine:
    """Takes an issued part back (3.2): unopened onto the shelf it came from; opened or fitted among old and trial parts.

    Of a traced part one batch or one serial number comes back at a time (``lot``; left out where only one is out).
    A settled line takes nothing back (write a counter-line). Raises RuleError ``stock.quantity``, ``part.condition``,
    ``part.reason``, ``part.returned``, ``line.settled``, ``stock.lot_missing`` and ``stock.lot_not_out``.
    """
    by.require(permissions.PARTS_ISSUE)
    part_line, item = _part_line(part_line_uid, by)
    positive(quantity)
    if condition not in ReturnCondition.values:
        raise RuleError("part.condition", _("Say whether it is unopened, opened or was fitted."), field="condition")
    reason = one_line(reason)[:120]
    if not reason:
        raise RuleError("part.reason", _("Say why the part comes back."), field="reason")
    if quantity > part_line.issued_quantity:
        raise RuleError(
            "part.returned", _("Only %(issued)s were issued."), field="quantity", issued=part_line.issued_quantity
        )
    if part_line.line.settled:
        raise RuleError("line.settled", _("This line is settled; correct it with a counter-line."))
    before = part_line.issued_quantity
    came = _lot_back(part_line, lot, quantity)
    returned = PartReturn.objects.create(
        part_line=part_line, condition=condition, quantity=quantity, reason=reason, lot=came
    )  # fmt: skip
    if condition == ReturnCondition.UNOPENED:
        last = part_line.movements.filter(kind=MovementKind.ISSUE).select_related("place").order_by("-id").first()
        place = last.place if last and last.place else _bin(item, warehouse_uid=None, bin=None)
        _move(
            item, place, MovementKind.RETURN, quantity, part_line=part_line, part_return=returned, reason=reason, lot=came, by=by
        )  # fmt: skip
    part_line.refresh_from_db(fields=["issued_quantity", "version"])
    if part_line.line.state == LineState.WITHDRAWN:
        price_what_stays(part_line)
    follow_issue(part_line, store_id=item.store_id, by=by)
    record(
        part_line,
        events.PART_RETURNED,
        by=by,
        store_id=item.store_id,
        changed={"issued_quantity": (before, part_line.issued_quantity)},
        part=part_line.part.uid,
        line=part_line.line.uid,
        quantity=quantity,
        condition=condition,
    )
    return part_line


def _lot_back(part_line: PartLine, code: str, quantity: Decimal) -> StockLot | None:
    """The batch or serial number that comes back from a locked part line; None where its part isn't traced."""
    if part_line.part.tracing == Tracing.NONE:
        return None
    out = lots_out([part_line]).get(part_line.pk, [])
    wanted = " ".join(code.split()).upper()
    if wanted == UNNAMED:
        return None  # the database knows how much of it is out
    if not wanted and len(out) > 1:
        text = _("Several batches or serial numbers are out for this line; say which one comes back.")
        raise RuleError("stock.lot_missing", text, field="lot")
    for lot, there in out:
        if wanted in ("", lot.code) and quantity <= there:
            return lot
    if not wanted and not out:
        return None  # it went out before the part was traced
    raise RuleError("stock.lot_not_out", _("This batch or serial number isn't out for the line."), field="lot")


@transaction.atomic
def move_reservation(*, source_uid: UUID, target_uid: UUID, reason: str, by: Actor) -> ReservationMove:
    """3.2: what is kept for the part line ``source`` goes to the line ``target``, as much as that one lacks.

    The order that gives it up waits for the next delivery; its advisor and the foremen are told behind the outbox, and
    its plan is worked out anew. Raises RuleError ``reservation.reason``, ``reservation.part`` (another part or store),
    ``part.not_agreed``, ``reservation.enough`` (nothing lacks), ``reservation.gone`` (nothing is kept any more).
    """
    by.require(permissions.PARTS_GIVE)
    reason = one_line(reason)[:120]
    if not reason:
        raise RuleError(
            "reservation.reason", _("Say why the other order gives it up; its advisor reads it."), field="reason"
        )
    rows = PartLine.objects.for_actor(by).filter(uid__in=(source_uid, target_uid))
    named = {row.uid: row for row in rows.select_related("line")}
    loser, winner = (named.get(uid) for uid in (source_uid, target_uid))
    if loser is None or winner is None:
        raise PartLine.DoesNotExist
    if loser == winner or loser.part_id != winner.part_id:
        raise RuleError("reservation.part", _("Only the same part of another line in this store can be given over."))
    list(RepairOrder.objects.locked().filter(pk__in=[row.line.order_id for row in named.values()]).order_by("pk"))
    list(OrderLine.objects.locked().filter(pk__in=[row.line_id for row in named.values()]).order_by("pk"))
    kept = PartLine.objects.locked().filter(uid__in=named).select_related("part", "line__order__visit").order_by("pk")
    locked = {row.uid: row for row in kept}
    loser, winner = locked[source_uid], locked[target_uid]
    store_id = winner.line.order.store_id
    if loser.line.order.store_id != store_id:
        raise RuleError("reservation.part", _("Only the same part of another line in this store can be given over."))
    _item(store_id, winner.part)
    if winner.line.state not in AGREED or winner.line.settled:
        raise RuleError(
            "part.not_agreed", _("Nobody has agreed to this line yet; parts are kept after the customer's yes.")
        )
    lacks = winner.quantity - winner.issued_quantity - winner.reserved_quantity
    if lacks <= 0:
        raise RuleError("reservation.enough", _("This line has all it needs."))
    if loser.reserved_quantity <= 0:
        raise RaceLost("reservation.gone", _("Nothing is kept there any more; look again."), field="source")
    move = ReservationMove.objects.create(
        store_id=store_id, source=loser, target=winner, quantity=min(lacks, loser.reserved_quantity), reason=reason
    )
    for part_line, gives in ((loser, True), (winner, False)):
        before = part_line.reserved_quantity
        part_line.refresh_from_db(fields=["reserved_quantity", "version"])
        _expect(part_line)
        record(
            part_line, events.PART_GIVEN_AWAY if gives else events.PART_RESERVED, by=by, store_id=store_id,
            changed={"reserved_quantity": (before, part_line.reserved_quantity)}, part=part_line.part.uid,
            line=part_line.line.uid, move=move.uid,
        )  # fmt: skip
        _wait_or_go_on(part_line.line, by)
    return move


@transaction.atomic
def count_stock(
    *,
    part_uid: UUID,
    counted: Decimal,
    reason: str,
    by: Actor,
    bin_uid: UUID | None = None,
    lots: Sequence[str] = (),
) -> StockItem:
    """A small correction (3.2): the difference becomes a movement with its reason, by batch or numbers where it is traced.

    ``counted`` is what lies in the named bin; a part that lies in several is counted bin by bin (``stock.which_bin``).
    Refused while a stock-take counts the bin (``take.being_counted``), and where the part's corrections of the store's
    day come to more than ``workshop.count_approve_from`` (CNY at the mean cost): then a stock-take is made, which somebody
    else closes (``stock.count_value``).
    """
    by.require(permissions.STOCK_MOVE)
    if counted < 0 or counted != round(counted, 2):
        raise RuleError("stock.quantity", _("Give a count of zero or more with two decimals at most."), field="counted")
    item = _item(by.store_id, Part.objects.get(uid=part_uid))
    whole(item.part, counted, field="counted")
    if bin_uid is not None:
        place = item.bins.get(uid=bin_uid)
    else:
        full = list(item.bins.filter(on_hand__gt=0)[:2])
        if len(full) > 1:
            raise RuleError(
                "stock.which_bin", _("This part lies in several bins; say which one was counted."), field="bin"
            )
        place = full[0] if full else _bin(item, warehouse_uid=None, bin=None)
    difference = counted - place.on_hand
    if not difference:
        return item
    if not reason.strip():
        raise RuleError("stock.reason", _("Say what explains the difference."), field="reason")
    if item.on_hand + difference < item.reserved:
        raise RuleError(
            "stock.reserved",
            _("%(reserved)s are kept for orders; free those first."),
            field="counted",
            reserved=item.reserved,
        )
    if StockTakeLine.objects.filter(place=place, take__state=CountState.COUNTING).exists():
        raise RuleError(
            "take.being_counted", _("A stock-take counts this bin; write it down there, or wait until it is closed.")
        )
    _small(item, difference)
    for lot, each in _lots(item, lots, abs(difference), coming=MovementKind.COUNT if difference > 0 else None):
        signed = each if difference > 0 else -each
        movement = _move(item, place, MovementKind.COUNT, signed, reason=reason.strip()[:120], lot=lot, by=by)
    record(movement, events.STOCK_COUNTED, by=by, part=part_uid, difference=difference)
    item.refresh_from_db()
    return item


def _small(item: StockItem, difference: Decimal) -> None:
    """Refuses a correction of a locked part that makes this day's ones worth more than somebody may book alone."""
    store = Store.objects.get(pk=item.store_id)
    most = Decimal(str(limits.value(COUNT_APPROVE_FROM, store_id=store.pk)))
    since = datetime.combine(clock.today(store.time_zone), time(), ZoneInfo(store.time_zone))
    before = item.movements.filter(kind=MovementKind.COUNT, take_line=None, at__gte=since).aggregate(
        sum=Sum("quantity")
    )
    value = abs(((before["sum"] or ZERO) + difference) * item.average_cost)
    if value > most:
        raise RuleError(
            "stock.count_value",
            _(
                "With this the day's corrections of the part are worth ¥%(value)s; above ¥%(most)s a stock-take is made, "
                "which somebody else closes."
            ),
            field="counted",
            value=f"{value:.2f}",
            most=f"{most.normalize():f}",
        )


def tell_loser(*, move_uid: UUID) -> int:
    """Tells the advisor of the order that gave a part up, and the foremen, why and until when it waits (3.2).

    Returns how many people are told.
    """
    move = ReservationMove.objects.select_related(
        "store", "source__part", "source__line__order__visit", "source__line__order__vehicle",
        "source__line__order__advisor__user", "target__line__order",
    ).get(uid=move_uid)  # fmt: skip
    line, day = move.source.line, move.source.expected_on
    order = line.order
    people = {person.pk: person for person in employees_with_role(move.store_id, "foreman").select_related("user")}
    people[order.advisor.pk] = order.advisor
    told = 0
    for person in people.values():
        if person.user is None:
            continue
        with override(person.user.language):
            body = gettext(
                "%(plate)s, %(line)s: %(part)s went to order %(other)s (%(reason)s). Expected again: %(day)s."
            ) % {
                "plate": say_plate(order.vehicle.plate) or order.number,
                "line": say_name(line.description),
                "part": move.source.part.said,
                "other": move.target.line.order.number,
                "reason": move.reason,
                "day": say_date(day, today=clock.today(move.store.time_zone)) if day else "—",
            }
        queue_message(
            key=f"part-given:{move.uid}:{person.pk}",
            store=move.store,
            channel=MessageChannel.STAFF,
            recipient=person.number,
            recipient_name=person.name,
            template="workshop.part_given",
            language=person.user.language,
            body=body,
            visit_uid=order.visit.uid,
            by=machine("parts", store_id=move.store_id),
        )
        told += 1
    return told


@transaction.atomic
def book_line(*, line: StockTakeLine, item: StockItem, reason: str, by: Actor) -> None:
    """What a line of a locked stock-take found in a bin of a locked part becomes movements that name it (3.2).

    Raises RuleError ``take.short`` (more left the bin since than the count allows), ``take.kept`` (less would be left than
    is kept for orders) and those of a receipt's numbers where the part is traced.
    """
    said = {"part": item.part.said, "bin": str(line.place)}
    if line.place.on_hand + line.difference < 0:
        raise RuleError(
            "take.short",
            _(
                "%(part)s in %(bin)s: since it was counted more of it left the bin than the count allows; count it again."
            ),
            **said,
        )
    if item.on_hand + line.difference < item.reserved:
        raise RuleError(
            "take.kept",
            _("%(part)s: %(reserved)s are kept for orders, and fewer would be left; free those first."),
            reserved=f"{item.reserved.normalize():f}", **said,
        )  # fmt: skip
    coming = MovementKind.COUNT if line.difference > 0 else None
    for lot, each in _lots(item, line.codes, abs(line.difference), coming=coming):
        signed = each if line.difference > 0 else -each
        movement = _move(
            item, line.place, MovementKind.COUNT, signed, reason=reason, lot=lot, take_line=line,
            unit_cost=line.unit_cost, by=by,
        )  # fmt: skip
    record(movement, events.STOCK_COUNTED, by=by, part=item.part.uid, difference=line.difference, take=line.take.uid)


def found_bin(*, take: StockTake, part: Part, bin: str) -> StockBin:
    """The bin of a stock-take's warehouse in which a part was found that the list doesn't name there."""
    item = _item(take.store_id, part)
    return _bin(item, warehouse_uid=take.warehouse.uid, bin=bin)


@transaction.atomic
def take_off_tried(*, trial: PartTrial, by: Actor) -> None:
    """What came back opened or fitted from a locked trial, that has ended, leaves what can be sold (3.2)."""
    item = _item(trial.store_id, trial.item.part)
    lots: list[tuple[StockLot | None, Decimal]] = [(trial.lot, trial.quantity)]
    for place, lot, quantity in _by_lots(_take_from(item, trial.quantity, None), lots):
        _move(item, place, MovementKind.TRIED, -quantity, trial=trial, lot=lot, reason=trial.reason, by=by)


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
    parts = Part.objects.filter(active=True, tracing=Tracing.NONE).exclude(stock__store=store).order_by("pk")
    with override(settings.LANGUAGE_CODE):
        reason = gettext("Opening stock")
    for part in parts:
        price = part.prices.filter(store=store).order_by("-starts_on").values_list("price", flat=True).first()
        cost = round((price or Decimal(100)) * Decimal("0.62"), 2)
        receive_stock(part_uid=part.uid, quantity=quantity, unit_cost=cost, reason=reason, by=by)
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


@transaction.atomic
def put_out_sold(*, line: SaleLine, by: Actor) -> StockMovement:
    """What stands on a line of a locked sale over the counter leaves the shelf. Raises RuleError ``stock.short``."""
    item = _item(line.sale.store_id, line.part)
    if line.quantity > item.on_hand - item.reserved:
        raise RuleError(
            "stock.short",
            _("Only %(free)s %(unit)s are free on the shelf."),
            field="quantity",
            free=item.on_hand - item.reserved,
            unit=line.part.unit,
        )
    lots = _lots(item, line.lot_codes, line.quantity)
    for place, lot, quantity in _by_lots(_take_from(item, line.quantity, None), lots):
        movement = _move(item, place, MovementKind.SALE, -quantity, sale_line=line, lot=lot, by=by)
    record(movement, events.STOCK_SOLD, by=by, part=line.part.uid, quantity=line.quantity)
    return movement


@transaction.atomic
def put_back_sold(*, returned: SaleReturn, by: Actor) -> StockMovement:
    """What came back unopened from a sale goes where it was taken from."""
    line = returned.line
    item = _item(line.sale.store_id, line.part)
    last = line.movements.filter(kind=MovementKind.SALE).select_related("place").order_by("-id").first()
    place = last.place if last and last.place else _bin(item, warehouse_uid=None, bin=None)
    movement = _move(
        item, place, MovementKind.SALE_BACK, returned.quantity, sale_line=line, sale_return=returned, lot=returned.lot,
        reason=returned.reason, by=by
    )  # fmt: skip
    record(movement, events.STOCK_SOLD_BACK, by=by, part=line.part.uid, quantity=returned.quantity)
    return movement
