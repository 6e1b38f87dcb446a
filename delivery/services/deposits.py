"""预付: money taken on an order before its list, used when the list is signed, or given back (4.1, domain 3.5).

Lock order: order, settlement, deposit, counter.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import ZERO, format_money, round_money
from workshop.models import RepairOrder

from .. import events, permissions
from ..models import MONEY, Deposit, Payment, PaymentMethod, Settlement, SettlementState


def deposit_left(deposit: Deposit) -> Decimal:
    """What of a deposit is neither used on a list nor given back (CNY)."""
    back = Deposit.objects.filter(reverses=deposit).aggregate(sum=Sum("amount"))["sum"] or ZERO
    used = Payment.objects.filter(deposit=deposit).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return deposit.amount + back - used


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0 or round_money(amount) != amount:
        raise RuleError("deposit.amount", _("Write a positive amount in yuan with at most two places."), field="amount")
    return round_money(amount)


@transaction.atomic
def take_deposit(*, order_uid: UUID, method: str, amount: Decimal, by: Actor, reference: str = "") -> Deposit:
    """Takes money in advance on a running order, such as for a part that is ordered (CNY).

    Raises RuleError ``deposit.amount``, ``deposit.signed`` (the list is signed: pay there), ``deposit.ended`` and
    ``payment.method``.
    """
    by.require(permissions.PAYMENTS_TAKE)
    if method not in MONEY:
        raise RuleError("payment.method", _("Choose how it is paid."), field="method")
    amount = _positive(amount)
    order = RepairOrder.objects.for_actor(by).locked().select_related("store", "visit").get(uid=order_uid)
    if order.closed_at is not None or order.withdrawn_at is not None:
        raise RuleError("deposit.ended", _("This order has ended; nothing is paid in advance on it."))
    if order.settlements.filter(state=SettlementState.SIGNED).exists():
        raise RuleError("deposit.signed", _("The list of this order is signed; take the payment there."))
    deposit = Deposit.objects.create(
        store=order.store,
        number=numbering.next_number(order.store, "YS"),
        order=order,
        method=method,
        amount=amount,
        reference=reference.strip()[:60],
        cashier=by.user,
        at=clock.now(),
    )
    record(deposit, events.DEPOSIT_TAKEN, by=by, number=deposit.number, method=method, amount=amount)
    return deposit


@transaction.atomic
def return_deposit(*, deposit_uid: UUID, amount: Decimal, reason: str, by: Actor) -> Deposit:
    """Gives back what is left of a deposit, in part or in full, as a counter-entry (CNY, ``amount`` positive).

    Raises RuleError ``deposit.amount``, ``deposit.reason`` and ``deposit.counter``.
    """
    by.require(permissions.PAYMENTS_REFUND)
    if not reason.strip():
        raise RuleError("deposit.reason", _("Say why money is given back."), field="reason")
    amount = _positive(amount)
    order_id = Deposit.objects.for_actor(by).values_list("order_id", flat=True).get(uid=deposit_uid)
    order = RepairOrder.objects.locked().select_related("store", "visit").get(pk=order_id)
    deposit = Deposit.objects.locked().get(uid=deposit_uid)
    if deposit.amount < 0:
        raise RuleError("deposit.counter", _("This is itself a counter-entry; choose the deposit it belongs to."))
    left = deposit_left(deposit)
    if amount > left:
        raise RuleError(
            "deposit.amount", _("Of this deposit only %(left)s is left."), field="amount", left=format_money(left)
        )
    back = Deposit.objects.create(
        store=order.store,
        number=numbering.next_number(order.store, "YT"),
        order=order,
        method=deposit.method,
        amount=-amount,
        reverses=deposit,
        reason=reason.strip()[:200],
        cashier=by.user,
        at=clock.now(),
    )
    record(
        back,
        events.DEPOSIT_RETURNED,
        by=by,
        number=back.number,
        method=back.method,
        amount=back.amount,
        deposit=deposit.uid,
    )
    return back


def use_deposits(settlement: Settlement, *, by: Actor) -> list[Payment]:
    """Turns what is left of the order's deposits into payments on its signed list, the oldest first.

    The caller holds the locks of order and list.
    """
    paid = Payment.objects.filter(settlement=settlement).aggregate(sum=Sum("amount"))["sum"] or ZERO
    due = settlement.total - paid
    written = []
    for deposit in Deposit.objects.filter(order_id=settlement.order_id, amount__gt=0).locked().order_by("pk"):
        used = min(deposit_left(deposit), due)
        if used <= 0:
            continue
        payment = Payment.objects.create(
            store=settlement.store,
            number=numbering.next_number(settlement.store, "SK"),
            settlement=settlement,
            method=PaymentMethod.DEPOSIT,
            amount=used,
            deposit=deposit,
            reference=deposit.number,
            cashier=by.user,
            at=clock.now(),
        )
        due -= used
        record(
            payment,
            events.PAYMENT_TAKEN,
            by=by,
            number=payment.number,
            method=payment.method,
            amount=used,
            settlement=settlement.uid,
            deposit=deposit.uid,
            open=due,
        )
        written.append(payment)
    return written
