"""Money in and money back for sales over the counter (3.2, 4.1). The sale is locked while its payments are summed."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.money import ZERO, format_money
from workshop.models import CounterSale, SaleState

from .. import events, permissions
from ..models import SalePayment
from .receipts import read_amount, require_method, write_receipt


def _locked(uid: UUID, by: Actor) -> tuple[CounterSale, Decimal]:
    """The sale, locked, and what is paid of it so far."""
    sale = CounterSale.objects.for_actor(by).locked().select_related("store").get(uid=uid)
    return sale, sum(sale.payments.values_list("amount", flat=True), ZERO)


@transaction.atomic
def take_sale_payment(*, sale_uid: UUID, method: str, amount: Decimal, by: Actor, reference: str = "") -> SalePayment:
    """Takes a payment for a sale, in part or in full (CNY). RuleError ``sale.not_sold``, ``payment.amount``, ``.method``."""
    by.require(permissions.PAYMENTS_TAKE)
    require_method(method)
    amount = read_amount(amount, "payment.amount")
    sale, paid = _locked(sale_uid, by)
    if sale.state != SaleState.SOLD:
        raise RuleError("sale.not_sold", _("Nothing was sold here yet."))
    due = max(ZERO, sale.owed - paid)
    if amount > due:
        raise RuleError(
            "payment.amount", _("Only %(due)s is still open on this sale."), field="amount", due=format_money(due)
        )
    return write_receipt(
        SalePayment, "SK", events.SALE_PAYMENT_TAKEN, store=sale.store, by=by, told={"sale": sale.uid, "open": due - amount},
        sale=sale, method=method, amount=amount, reference=formats.one_line(reference)[:60],
    )  # fmt: skip


@transaction.atomic
def refund_sale_payment(*, payment_uid: UUID, amount: Decimal, reason: str, by: Actor) -> SalePayment:
    """Gives money of a sale back as a counter-entry (CNY, ``amount`` positive). Refuses as ``refund_payment`` does."""
    by.require(permissions.PAYMENTS_REFUND)
    reason = formats.one_line(reason)[:200]
    if not reason:
        raise RuleError("payment.reason", _("Say why money is given back."), field="reason")
    amount = read_amount(amount, "payment.amount")
    original = SalePayment.objects.for_actor(by).select_related("sale").get(uid=payment_uid)
    sale, _paid = _locked(original.sale.uid, by)
    if original.amount < 0:
        raise RuleError("payment.counter", _("This is itself a counter-entry; choose the payment it belongs to."))
    left = original.amount + sum(original.reversals.values_list("amount", flat=True), ZERO)
    if amount > left:
        raise RuleError(
            "payment.amount", _("Of this payment only %(left)s is left."), field="amount", left=format_money(left)
        )
    return write_receipt(
        SalePayment, "TK", events.SALE_PAYMENT_REFUNDED, store=sale.store, by=by,
        told={"payment": original.uid, "sale": sale.uid}, sale=sale, method=original.method, amount=-amount,
        reverses=original, reason=reason,
    )  # fmt: skip
