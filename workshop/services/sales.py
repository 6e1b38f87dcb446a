"""Commands of the sale over the counter (3.2). Lock order: the sale, then stock by part; the number is taken last."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, Tracing
from dealership.catalogue.services.prices import core_charge, price_part
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO, line_amount, round_money
from dealership.kernel.numbering import next_number
from dealership.kernel.saying import say_money
from reception.models import Customer
from workshop import events, permissions
from workshop.limits import SALE_RETURN_DAYS
from workshop.models import CounterSale, ReturnCondition, SaleLine, SaleReturn, SaleState, StockItem, StockLot
from workshop.rules import discount_percent
from workshop.services import stock
from workshop.services.cores import charge_sold, take_off_sold
from workshop.services.orders import allowed_percent


@transaction.atomic
def begin_sale(*, by: Actor, customer_uid: UUID | None = None) -> CounterSale:
    """3.2: begins a sale over the counter; anonymous without a customer."""
    by.require(permissions.SALES_SELL)
    store = Store.objects.get(pk=by.store_id)
    customer = Customer.objects.for_actor(by).get(uid=customer_uid) if customer_uid else None
    sale = CounterSale.objects.create(store=store, customer=customer, number=next_number(store, "LS"))
    record(sale, events.SALE_BEGUN, by=by)
    return sale


def _draft(uid: UUID, by: Actor) -> CounterSale:
    by.require(permissions.SALES_SELL)
    sale = CounterSale.objects.for_actor(by).locked().select_related("store").get(uid=uid)
    if sale.state != SaleState.DRAFT:
        raise RuleError("sale.final", _("This sale is closed; what comes back is written as a return."))
    return sale


def _meant(sale: CounterSale, code: str) -> tuple[Part, str]:
    """The part that a scan means, and the batch or serial number where it was that. RuleError ``sale.unknown``."""
    text = " ".join(code.split())
    part = Part.objects.filter(number__iexact=text, active=True).first()
    if part is not None:
        return part, ""
    lots = StockLot.objects.filter(item__store=sale.store_id, code=text.upper(), on_hand__gt=0)
    found = list(lots.select_related("item__part")[:2])
    if len(found) != 1:
        raise RuleError(
            "sale.unknown", _("No part and no batch or serial number is called that: %(scanned)s"), field="code",
            scanned=text[:40] or "—",
        )  # fmt: skip
    return found[0].item.part, found[0].code


@transaction.atomic
def put_on_sale(*, uid: UUID, code: str, by: Actor, quantity: Decimal = Decimal(1), reason: str = "") -> SaleLine:
    """Puts a scanned part on a sale at today's price, or more of it; of a traced part its batch or serial number is scanned.

    A high-voltage or traced part goes over the counter only with a ``reason``. Raises RuleError ``sale.unknown``,
    ``sale.final``, ``stock.quantity``, ``stock.whole``, ``stock.short``, ``stock.lot_missing``, ``sale.scanned`` (its number stands
    there already), ``sale.careful`` and ``price.part_missing``.
    """
    sale = _draft(uid, by)
    stock.positive(quantity)
    part, lot = _meant(sale, code)
    stock.whole(part, quantity)
    if part.tracing != Tracing.NONE and not lot:
        text = _("This part is traced: scan its batch, or the serial number of each piece.")
        raise RuleError("stock.lot_missing", text, field="code")
    line = SaleLine.objects.filter(sale=sale, part=part).first()
    if line is None:
        line = SaleLine(
            sale=sale, part=part, quantity=ZERO, unit_price=price_part(part, sale.store_id), lot_codes=[],
            core_price=core_charge(part, sale.store_id),
        )  # fmt: skip
    line.reason = one_line(reason)[:120] or line.reason
    if part.sold_with_care and not line.reason:
        raise RuleError(
            "sale.careful",
            _("“%(part)s” is a high-voltage or traced part and is fitted by trained people: say why it is sold like this."),
            field="reason", part=part.said,
        )  # fmt: skip
    if part.tracing == Tracing.SERIAL:
        quantity = Decimal(1)
        if lot in line.lot_codes:
            raise RuleError("sale.scanned", _("“%(lot)s” stands on the sale already."), field="code", lot=lot)
    if lot and lot not in line.lot_codes:
        line.lot_codes = [*line.lot_codes, lot]
    if part.tracing == Tracing.BATCH and len(line.lot_codes) > 1:
        raise RuleError("stock.one_lot", _("Name one batch at a time."), field="code")
    _write(line, line.quantity + quantity)
    record(sale, events.SALE_CHANGED, by=by, part=part.uid, quantity=line.quantity, amount=line.amount)
    return line


def _write(line: SaleLine, quantity: Decimal) -> None:
    free = sum(
        (i.on_hand - i.reserved for i in StockItem.objects.filter(store=line.sale.store_id, part=line.part)), ZERO
    )
    if quantity > free:
        raise RuleError(
            "stock.short", _("Only %(free)s %(unit)s are free on the shelf."), field="quantity",
            free=f"{free.normalize():f}", unit=line.part.unit,
        )  # fmt: skip
    line.quantity, line.amount = quantity, line_amount(quantity, line.unit_price)
    line.core_amount = line_amount(quantity, line.core_price)
    line.save()


@transaction.atomic
def take_off_sale(*, line_uid: UUID, by: Actor) -> CounterSale:
    """Takes a line off a sale that is still being written."""
    sale = _draft(SaleLine.objects.for_actor(by).values_list("sale__uid", flat=True).get(uid=line_uid), by)
    found = SaleLine.objects.locked().select_related("part").get(uid=line_uid)
    found.delete()
    record(sale, events.SALE_CHANGED, by=by, part=found.part.uid, quantity=ZERO)
    sale.refresh_from_db(fields=["version"])
    return sale


@transaction.atomic
def change_sale(
    *, uid: UUID, by: Actor, customer_uid: UUID | None = None, discount: Decimal = ZERO, reason: str = ""
) -> CounterSale:
    """Who buys (nobody named: anonymous) and the discount (CNY) within the limit of the actor's post, with its reason.

    Raises RuleError ``discount.amount``, ``discount.reason`` and ``discount.limit`` (above what the post may give).
    """
    sale = _draft(uid, by)
    gross = sum(sale.lines.values_list("amount", flat=True), ZERO)
    reason = one_line(reason)[:120]
    if discount < 0 or discount > gross or discount != round_money(discount):
        raise RuleError(
            "discount.amount", _("A discount lies between nothing and the sum of the parts, %(gross)s."),
            field="discount", gross=say_money(gross),
        )  # fmt: skip
    if discount and not reason:
        raise RuleError("discount.reason", _("Say why the discount is given."), field="reason")
    percent = allowed_percent(by, sale.store_id)
    if discount != sale.discount and discount and discount_percent(discount, gross) > percent:
        raise RuleError(
            "discount.limit", _("Your post gives %(percent)s %% at most; somebody who may give more writes it here."),
            field="discount", percent=percent,
        )  # fmt: skip
    before = sale.discount
    sale.customer = Customer.objects.for_actor(by).get(uid=customer_uid) if customer_uid else None
    sale.discount, sale.discount_reason = discount, reason if discount else ""
    sale.save(update_fields=["customer", "discount", "discount_reason"])
    record(sale, events.SALE_CHANGED, by=by, changed={"discount": (before, discount)})
    return sale


@transaction.atomic
def sell(*, uid: UUID, by: Actor) -> CounterSale:
    """3.2: the parts leave the shelf, the sale is closed, and the cashier takes the money.

    Raises RuleError ``sale.empty``, ``sale.final``, ``sale.careful``, ``stock.short``, ``discount.amount`` and those of
    traced parts.
    """
    sale = _draft(uid, by)
    lines = list(sale.lines.select_related("part", "sale").order_by("part_id"))
    if not lines:
        raise RuleError("sale.empty", _("Nothing stands on this sale yet; scan a part."), field="code")
    if sale.customer_id is None and any(line.part.sold_with_care for line in lines):
        raise RuleError(
            "sale.careful",
            _("A high-voltage or traced part is sold to somebody whom a recall finds: name the customer first."),
            field="phone",
        )
    gross = sum((line.amount for line in lines), ZERO)
    if sale.discount > gross:
        raise RuleError(
            "discount.amount", _("A discount lies between nothing and the sum of the parts, %(gross)s."),
            field="discount", gross=say_money(gross),
        )  # fmt: skip
    for line in lines:
        stock.put_out_sold(line=line, by=by)
        charge_sold(line, by=by)
    cores = sum((line.core_amount for line in lines), ZERO)
    sale.state, sale.total, sale.core_total = SaleState.SOLD, gross - sale.discount + cores, cores
    sale.sold_at = clock.now()
    sale.save(update_fields=["state", "total", "core_total", "sold_at"])
    record(
        sale, events.SALE_SOLD, by=by, changed={"state": (SaleState.DRAFT, SaleState.SOLD)}, total=sale.total,
        parts=[line.part.uid for line in lines],
    )  # fmt: skip
    return sale


@transaction.atomic
def drop_sale(*, uid: UUID, by: Actor) -> CounterSale:
    """A sale that comes to nothing is put aside; nothing has left the shelf."""
    sale = _draft(uid, by)
    sale.state = SaleState.DROPPED
    sale.save(update_fields=["state"])
    record(sale, events.SALE_DROPPED, by=by, changed={"state": (SaleState.DRAFT, SaleState.DROPPED)})
    return sale


@transaction.atomic
def take_back_sold(
    *,
    line_uid: UUID,
    quantity: Decimal,
    reason: str,
    by: Actor,
    condition: str = ReturnCondition.UNOPENED,
    lot: str = "",
) -> SaleReturn:
    """3.2: something sold comes back within the days of ``workshop.sale_return_days``; unopened it is stock again.

    What is given back is its price less its share of the discount, and its core charge; the cashier pays it out. Raises
    RuleError ``core.credited`` (its old part came in already), ``sale.not_sold``, ``sale.too_late``, ``sale.returned``,
    ``stock.quantity``, ``part.reason``, ``part.condition``, ``stock.lot_missing`` and ``stock.lot_not_out``.
    """
    by.require(permissions.SALES_RETURN)
    sale_uid = SaleLine.objects.for_actor(by).values_list("sale__uid", flat=True).get(uid=line_uid)
    sale = CounterSale.objects.locked().select_related("store").get(uid=sale_uid)
    line = SaleLine.objects.locked().select_related("part", "sale__store").get(uid=line_uid)
    stock.positive(quantity)
    reason = one_line(reason)[:120]
    if not reason:
        raise RuleError("part.reason", _("Say why the part comes back."), field="reason")
    if condition not in ReturnCondition.values:
        raise RuleError("part.condition", _("Say whether it is unopened, opened or was fitted."), field="condition")
    if sale.state != SaleState.SOLD or sale.sold_at is None:
        raise RuleError("sale.not_sold", _("Nothing was sold here yet."))
    days = int(limits.value(SALE_RETURN_DAYS, store_id=sale.store_id))
    if clock.now() > sale.sold_at + timedelta(days=days):
        raise RuleError("sale.too_late", _("What is sold is taken back for %(days)s days; these are over."), days=days)
    if quantity > line.left:
        raise RuleError("sale.returned", _("No more comes back than was sold."), field="quantity")
    found = None
    if line.part.tracing != Tracing.NONE and line.lot_codes:
        wanted = " ".join(lot.split()).upper() or (line.lot_codes[0] if len(line.lot_codes) == 1 else "")
        if not wanted:
            text = _("Several serial numbers were sold; say which one comes back.")
            raise RuleError("stock.lot_missing", text, field="lot")
        found = StockLot.objects.filter(item__store=sale.store_id, item__part=line.part, code=wanted).first()
        back = sum(line.returns.filter(lot=found).values_list("quantity", flat=True), ZERO)
        sold = Decimal(1) if line.part.tracing == Tracing.SERIAL else line.quantity
        if wanted not in line.lot_codes or found is None or back + quantity > sold:
            raise RuleError("stock.lot_not_out", _("This number wasn't sold here, or is back already."), field="lot")
    goods = sale.goods_total
    gross = goods + sale.discount
    share = ZERO if not gross else round_money(line_amount(quantity, line.unit_price) * goods / gross)
    share += take_off_sold(line, quantity, by=by)
    returned = SaleReturn.objects.create(
        line=line, lot=found, condition=condition, quantity=quantity, reason=reason,
        amount=min(share, sale.total - sale.returned_total),
    )  # fmt: skip
    if condition == ReturnCondition.UNOPENED:
        stock.put_back_sold(returned=returned, by=by)
    record(
        returned, events.SALE_RETURNED, by=by, store_id=sale.store_id, sale=sale.uid, part=line.part.uid,
        quantity=quantity, amount=returned.amount, condition=condition,
    )  # fmt: skip
    return returned
