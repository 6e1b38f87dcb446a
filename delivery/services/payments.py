"""Money in and money back; what was written is corrected by a counter-entry only (4.1)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.money import ZERO, format_money

from .. import events, permissions
from ..models import Payment, Settlement, SettlementState
from .receipts import read_amount, require_method, write_receipt
from .settlements import still_open


@transaction.atomic
def take_payment(*, settlement_uid: UUID, method: str, amount: Decimal, by: Actor, reference: str = "") -> Payment:
    """Takes a payment on a signed list, in part or in full (CNY).

    The list's row is locked, so of two cashiers who take the whole sum at once one is refused. Raises RuleError
    ``payment.unsigned``, ``payment.amount`` and ``payment.method``.
    """
    by.require(permissions.PAYMENTS_TAKE)
    require_method(method)
    amount = read_amount(amount, "payment.amount")
    settlement = Settlement.objects.for_actor(by).locked().select_related("store", "order").get(uid=settlement_uid)
    if settlement.state != SettlementState.SIGNED:
        raise RuleError("payment.unsigned", _("The customer signs the list first; then it is paid (4.1)."))
    due = still_open(settlement)
    if amount > due:
        raise RuleError(
            "payment.amount", _("Only %(due)s is still open on this list."), field="amount", due=format_money(due)
        )
    return write_receipt(
        Payment,
        "SK",
        events.PAYMENT_TAKEN,
        store=settlement.store,
        by=by,
        told={"settlement": settlement.uid, "open": due - amount},
        settlement=settlement,
        method=method,
        amount=amount,
        reference=formats.one_line(reference)[:60],
    )


@transaction.atomic
def refund_payment(*, payment_uid: UUID, amount: Decimal, reason: str, by: Actor) -> Payment:
    """Gives money back as a counter-entry that names its payment (CNY, ``amount`` positive).

    What was paid from a deposit goes back to the deposit, from which it is given back or used again.

    Raises RuleError ``payment.amount`` (more than is left of that payment), ``payment.reason``, ``payment.counter``.
    """
    by.require(permissions.PAYMENTS_REFUND)
    if not reason.strip():
        raise RuleError("payment.reason", _("Say why money is given back."), field="reason")
    amount = read_amount(amount, "payment.amount")
    original = Payment.objects.for_actor(by).get(uid=payment_uid)
    settlement = Settlement.objects.locked().select_related("store", "order").get(pk=original.settlement_id)
    if original.amount < 0:
        raise RuleError("payment.counter", _("This is itself a counter-entry; choose the payment it belongs to."))
    left = original.amount + sum(original.reversals.values_list("amount", flat=True), ZERO)
    if amount > left:
        raise RuleError(
            "payment.amount", _("Of this payment only %(left)s is left."), field="amount", left=format_money(left)
        )
    return write_receipt(
        Payment,
        "TK",
        events.PAYMENT_REFUNDED,
        store=settlement.store,
        by=by,
        told={"payment": original.uid, "settlement": settlement.uid},
        settlement=settlement,
        method=original.method,
        amount=-amount,
        reverses=original,
        deposit_id=original.deposit_id,
        reason=reason.strip()[:200],
    )
