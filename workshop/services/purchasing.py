"""Parts ordered from suppliers and received (3.2).

Lock order: the purchase, then stock by part; the number is taken last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part
from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.numbering import next_number
from dealership.kernel.states import require
from workshop import events, permissions
from workshop.models import PurchaseLine, PurchaseOrder, PurchaseState
from workshop.selectors.purchasing import arrivals
from workshop.services import stock
from workshop.services.suppliers import named_supplier
from workshop.stock_models import PURCHASE_MOVES
from workshop.supplier_models import SupplierKind

S = PurchaseState


@transaction.atomic
def order_parts(
    *, supplier: str, expected_on: date, lines: Sequence[tuple[UUID, Decimal, Decimal]], by: Actor
) -> PurchaseOrder:
    """Orders ``lines`` (part, quantity, cost of one in CNY without VAT) from a supplier for a day of the store (3.2).

    A supplier that the register hasn't is entered with it. Lines of work that wait for these parts learn the day behind
    the outbox. Raises RuleError ``purchase.supplier``, ``purchase.empty``, ``purchase.twice``, ``purchase.past``,
    ``supplier.inactive``, ``supplier.other_kind``, ``supplier.unknown``, ``stock.quantity`` and ``stock.cost``.
    """
    by.require(permissions.PARTS_BUY)
    supplier = one_line(supplier)
    if not supplier:
        raise RuleError("purchase.supplier", _("Name the supplier."), field="supplier")
    if not lines:
        raise RuleError("purchase.empty", _("Order at least one part."), field="lines")
    if len({part for part, _quantity, _cost in lines}) < len(lines):
        raise RuleError("purchase.twice", _("A part stands on an order once; add its quantities up."), field="lines")
    store = Store.objects.get(pk=by.store_id)
    _not_past(store, expected_on)
    for _part, quantity, cost in lines:
        stock.positive(quantity)
        if cost < 0:
            raise RuleError("stock.cost", _("The cost can't be negative."), field="unit_cost")
    parts = {uid: Part.objects.get(uid=uid) for uid, _quantity, _cost in lines}
    firm = named_supplier(store=store, name=supplier, kind=SupplierKind.PARTS, by=by)
    purchase = PurchaseOrder.objects.create(
        store=store, firm=firm, supplier=firm.name, expected_on=expected_on, number=next_number(store, "PO")
    )
    for uid, quantity, cost in lines:
        PurchaseLine.objects.create(purchase=purchase, part=parts[uid], quantity=quantity, unit_cost=cost)
    record(purchase, events.PURCHASE_ORDERED, by=by, parts=[str(uid) for uid in parts], expected_on=expected_on)
    return purchase


def _not_past(store: Store, day: date) -> None:
    if day < clock.today(store.time_zone):
        raise RuleError("purchase.past", _("This day is past; when will the parts come?"), field="expected_on")


def _running(uid: UUID, by: Actor) -> PurchaseOrder:
    purchase = PurchaseOrder.objects.for_actor(by).locked().select_related("store").get(uid=uid)
    if not purchase.is_running:
        raise RuleError("purchase.ended", _("Nothing more is expected from this order."))
    return purchase


@transaction.atomic
def receive_purchase(
    *,
    uid: UUID,
    lines: Sequence[tuple[UUID, Decimal]],
    by: Actor,
    note: str = "",
    reason: str = "",
    lots: Mapping[UUID, Sequence[str]] | None = None,
    places: Mapping[UUID, tuple[UUID | None, str]] | None = None,
) -> PurchaseOrder:
    """Puts what came in of an order on the shelf, at the cost that was ordered (3.2).

    ``places`` names warehouse (None: the main one) and bin by purchase line; left out, each part's usual bin. A part
    that has none yet lies without a bin until it is put away.

    ``lines`` are (purchase line, quantity); less than ordered leaves the order open for the rest, more needs
    ``reason``; ``lots`` names batch or serial numbers of the lines whose part is traced. Raises RuleError
    ``purchase.empty``, ``purchase.over``, ``purchase.ended``, ``stock.quantity`` and those of a traced part.
    """
    by.require(permissions.STOCK_MOVE)
    purchase = _running(uid, by)
    rows = {row.uid: row for row in purchase.lines.select_related("part").order_by("part_id")}
    came = {line_uid: stock.positive(quantity) for line_uid, quantity in lines}
    if not came:
        raise RuleError("purchase.empty", _("Say how much of which part came in."))
    if not set(came) <= set(rows) or len(came) < len(lines):
        raise RuleError("purchase.line", _("Name each line of this order once."))
    reason = one_line(reason)[:120]
    over = [row for row in rows.values() if row.uid in came and row.received + came[row.uid] > row.quantity]
    if over and not (reason or all(row.over_reason for row in over)):
        raise RuleError(
            "purchase.over",
            _("More of %(part)s came in than was ordered; say why it is kept."),
            field="reason",
            part=over[0].part.name,
        )
    for row in over if reason else ():
        row.over_reason = reason
        row.save(update_fields=["over_reason"])
    for row in (row for row in rows.values() if row.uid in came):
        stock.put_in(
            line=row, store_id=purchase.store_id, quantity=came[row.uid], reason=one_line(note)[:120], by=by,
            lots=(lots or {}).get(row.uid, ()), warehouse_uid=(places or {}).get(row.uid, (None, ""))[0],
            bin=(places or {}).get(row.uid, (None, ""))[1],
        )  # fmt: skip
    complete = not any(row.missing for row in purchase.lines.all())
    before = purchase.state
    after = S.RECEIVED if complete else S.PARTLY
    if before != after:
        require(PURCHASE_MOVES, S(before), after)
        purchase.state = after
        purchase.ended_at = clock.now() if complete else None
        purchase.save(update_fields=["state", "ended_at"])
    else:
        purchase.refresh_from_db()
    record(
        purchase, events.PURCHASE_RECEIVED, by=by, changed={"state": (before, after)}, over=len(over), lines=len(came)
    )  # fmt: skip
    return purchase


@transaction.atomic
def change_expected(*, uid: UUID, expected_on: date, by: Actor) -> PurchaseOrder:
    """The supplier names another day; lines that wait for these parts learn it behind the outbox (3.2)."""
    by.require(permissions.PARTS_BUY)
    purchase = _running(uid, by)
    if expected_on == purchase.expected_on:
        raise RuleError("purchase.same_day", _("The parts are expected on that day already."), field="expected_on")
    _not_past(purchase.store, expected_on)
    before, purchase.expected_on = purchase.expected_on, expected_on
    purchase.save(update_fields=["expected_on"])
    record(
        purchase, events.PURCHASE_MOVED, by=by, changed={"expected_on": (before, expected_on)}, parts=_parts(purchase)
    )  # fmt: skip
    return purchase


@transaction.atomic
def end_purchase(*, uid: UUID, reason: str, by: Actor) -> PurchaseOrder:
    """What hasn't come isn't coming any more: cancelled where nothing came, else closed short (3.2)."""
    by.require(permissions.PARTS_BUY)
    reason = one_line(reason)
    if not reason:
        raise RuleError("purchase.reason", _("Say why the rest isn't coming any more."), field="reason")
    purchase = _running(uid, by)
    before, after = S(purchase.state), S.CANCELLED if purchase.state == S.ORDERED else S.CLOSED
    require(PURCHASE_MOVES, before, after)
    purchase.state, purchase.ended_at, purchase.ended_reason = after, clock.now(), reason[:120]
    purchase.save(update_fields=["state", "ended_at", "ended_reason"])
    record(purchase, events.PURCHASE_ENDED, by=by, changed={"state": (before, after)}, parts=_parts(purchase))
    return purchase


def _parts(purchase: PurchaseOrder) -> list[str]:
    return [str(uid) for uid in purchase.lines.values_list("part__uid", flat=True)]


def tell_waiting(*, store_id: int, part_uid: UUID) -> int:
    """Lines that wait for a part learn the day of the delivery it comes with, oldest order first; returns how many changed.

    What no delivery brings keeps the day it was promised for.
    """
    by, told = machine("parts", store_id=store_id), 0
    for line_uid, day in arrivals(store_id, part_uid):
        told += stock.expect_part(part_line_uid=line_uid, expected_on=day, by=by)
    return told
