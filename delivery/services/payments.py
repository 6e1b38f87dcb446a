"""Money in and money back; what was written is corrected by a counter-entry only (4.1)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import ZERO, format_money, round_money

from .. import events, permissions
from ..models import MONEY, Payment, Settlement, SettlementState
from .settlements import still_open


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0 or round_money(amount) != amount:
        raise RuleError("payment.amount", _("Write a positive amount in yuan with at most two places."), field="amount")
    return round_money(amount)


@transaction.atomic
def take_payment(*, settlement_uid: UUID, method: str, amount: Decimal, by: Actor, reference: str = "") -> Payment:
    """Takes a payment on a signed list, in part or in full (CNY).

    The list's row is locked, so of two cashiers who take the whole sum at once one is refused. Raises RuleError
    ``payment.unsigned``, ``payment.amount`` and ``payment.method``.
    """
    by.require(permissions.PAYMENTS_TAKE)
    if method not in MONEY:
        raise RuleError("payment.method", _("Choose how it is paid."), field="method")
    amount = _positive(amount)
    settlement = Settlement.objects.for_actor(by).locked().select_related("store", "order").get(uid=settlement_uid)
    if settlement.state != SettlementState.SIGNED:
        raise RuleError("payment.unsigned", _("The customer signs the list first; then it is paid (4.1)."))
    due = still_open(settlement)
    if amount > due:
        raise RuleError(
            "payment.amount", _("Only %(due)s is still open on this list."), field="amount", due=format_money(due)
        )
    payment = Payment.objects.create(
        store=settlement.store,
        number=numbering.next_number(settlement.store, "SK"),
        settlement=settlement,
        method=method,
        amount=amount,
        reference=reference.strip()[:60],
        cashier=by.user,
        at=clock.now(),
    )
    record(
        payment,
        events.PAYMENT_TAKEN,
        by=by,
        number=payment.number,
        method=payment.method,
        amount=payment.amount,
        settlement=settlement.uid,
        open=due - amount,
    )
    return payment


@transaction.atomic
def refund_payment(*, payment_uid: UUID, amount: Decimal, reason: str, by: Actor) -> Payment:
    """Gives money back as a counter-entry that names its payment (CNY, ``amount`` positive).

    What was paid from a deposit goes back to the deposit, from which it is given back or used again.

    Raises RuleError ``payment.amount`` (more than is left of that payment), ``payment.reason``, ``payment.counter``.
    """
    by.require(permissions.PAYMENTS_REFUND)
    if not reason.strip():
        raise RuleError("payment.reason", _("Say why money is given back."), field="reason")
    amount = _positive(amount)
    original = Payment.objects.for_actor(by).get(uid=payment_uid)
    settlement = Settlement.objects.locked().select_related("store", "order").get(pk=original.settlement_id)
    if original.amount < 0:
        raise RuleError("payment.counter", _("This is itself a counter-entry; choose the payment it belongs to."))
    left = original.amount + sum(original.reversals.values_list("amount", flat=True), ZERO)
    if amount > left:
        raise RuleError(
            "payment.amount", _("Of this payment only %(left)s is left."), field="amount", left=format_money(left)
        )
    refund = Payment.objects.create(
        store=settlement.store,
        number=numbering.next_number(settlement.store, "TK"),
        settlement=settlement,
        method=original.method,
        amount=-amount,
        reverses=original,
        deposit_id=original.deposit_id,
        reason=reason.strip()[:200],
        cashier=by.user,
        at=clock.now(),
    )
    record(
        refund,
        events.PAYMENT_REFUNDED,
        by=by,
        number=refund.number,
        method=refund.method,
        amount=refund.amount,
        payment=original.uid,
        settlement=settlement.uid,
    )
    return refund
