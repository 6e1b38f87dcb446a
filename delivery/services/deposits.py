"""预付: money taken on an order before its list, used when the list is signed, or given back (4.1, domain 3.5).

Lock order: order, settlement, deposit, counter.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.money import ZERO, format_money
from reception.models import Appointment
from workshop.models import RepairOrder

from .. import events, permissions
from ..models import Deposit, Payment, PaymentMethod, Settlement, SettlementState
from ..selectors.settlements import usable_on
from .receipts import read_amount, require_method, write_receipt


def deposit_left(deposit: Deposit) -> Decimal:
    """What of a deposit is neither used on a list nor given back (CNY)."""
    back = Deposit.objects.filter(reverses=deposit).aggregate(sum=Sum("amount"))["sum"] or ZERO
    used = Payment.objects.filter(deposit=deposit).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return deposit.amount + back - used


@transaction.atomic
def take_deposit(*, order_uid: UUID, method: str, amount: Decimal, by: Actor, reference: str = "") -> Deposit:
    """Takes money in advance on a running order, such as for a part that is ordered (CNY).

    Raises RuleError ``deposit.amount``, ``deposit.signed`` (the list is signed: pay there), ``deposit.ended`` and
    ``payment.method``.
    """
    by.require(permissions.PAYMENTS_TAKE)
    require_method(method)
    amount = read_amount(amount, "deposit.amount")
    order = RepairOrder.objects.for_actor(by).locked().select_related("store", "visit").get(uid=order_uid)
    if order.closed_at is not None or order.withdrawn_at is not None:
        raise RuleError("deposit.ended", _("This order has ended; nothing is paid in advance on it."))
    if order.settlements.filter(state=SettlementState.SIGNED).exists():
        raise RuleError("deposit.signed", _("The list of this order is signed; take the payment there."))
    return write_receipt(
        Deposit,
        "YS",
        events.DEPOSIT_TAKEN,
        store=order.store,
        by=by,
        told={},
        order=order,
        method=method,
        amount=amount,
        reference=formats.one_line(reference)[:60],
    )


@transaction.atomic
def take_booking_deposit(
    *, appointment_uid: UUID, method: str, amount: Decimal, by: Actor, reference: str = ""
) -> Deposit:
    """2.4: takes money in advance for a booking whose car hasn't come (CNY); it counts on the list of its visit.

    Raises RuleError ``deposit.amount``, ``deposit.ended`` and ``payment.method``.
    """
    by.require(permissions.PAYMENTS_TAKE)
    require_method(method)
    amount = read_amount(amount, "deposit.amount")
    appointment = Appointment.objects.for_actor(by).locked().select_related("store").get(uid=appointment_uid)
    if not appointment.is_expected:
        raise RuleError("deposit.ended", _("The car is here or doesn't come; take the deposit on its order."))
    return write_receipt(
        Deposit,
        "YS",
        events.DEPOSIT_TAKEN,
        store=appointment.store,
        by=by,
        told={"appointment": appointment.uid},
        appointment=appointment,
        method=method,
        amount=amount,
        reference=formats.one_line(reference)[:60],
    )


@transaction.atomic
def return_deposit(*, deposit_uid: UUID, amount: Decimal, reason: str, by: Actor) -> Deposit:
    """Gives back what is left of a deposit, in part or in full, as a counter-entry (CNY, ``amount`` positive).

    Raises RuleError ``deposit.amount``, ``deposit.reason`` and ``deposit.counter``.
    """
    by.require(permissions.PAYMENTS_REFUND)
    if not reason.strip():
        raise RuleError("deposit.reason", _("Say why money is given back."), field="reason")
    amount = read_amount(amount, "deposit.amount")
    order_id = Deposit.objects.for_actor(by).values_list("order_id", flat=True).get(uid=deposit_uid)
    list(RepairOrder.objects.locked().filter(pk=order_id).values_list("pk"))
    deposit = Deposit.objects.locked().get(uid=deposit_uid)
    if deposit.amount < 0:
        raise RuleError("deposit.counter", _("This is itself a counter-entry; choose the deposit it belongs to."))
    left = deposit_left(deposit)
    if amount > left:
        raise RuleError(
            "deposit.amount", _("Of this deposit only %(left)s is left."), field="amount", left=format_money(left)
        )
    return write_receipt(
        Deposit,
        "YT",
        events.DEPOSIT_RETURNED,
        store=deposit.store,
        by=by,
        told={"deposit": deposit.uid},
        order=deposit.order,
        appointment=deposit.appointment,
        method=deposit.method,
        amount=-amount,
        reverses=deposit,
        reason=reason.strip()[:200],
    )


def booking_deposit(appointment: Appointment) -> Decimal:
    """What was paid in advance for a booking and not given back (CNY)."""
    return Deposit.objects.filter(appointment=appointment).aggregate(sum=Sum("amount"))["sum"] or ZERO


def use_deposits(settlement: Settlement, *, by: Actor) -> list[Payment]:
    """Turns what is left of the order's deposits into payments on its signed list, the oldest first.

    The caller holds the locks of order and list.
    """
    paid = Payment.objects.filter(settlement=settlement).aggregate(sum=Sum("amount"))["sum"] or ZERO
    due = settlement.total - paid
    written = []
    mine = usable_on(settlement.order, payer_id=settlement.payer_id)
    for deposit in Deposit.objects.filter(mine, amount__gt=0).locked().order_by("pk"):
        used = min(deposit_left(deposit), due)
        if used <= 0:
            continue
        due -= used
        payment = write_receipt(
            Payment,
            "SK",
            events.PAYMENT_TAKEN,
            store=settlement.store,
            by=by,
            told={"settlement": settlement.uid, "deposit": deposit.uid, "open": due},
            settlement=settlement,
            method=PaymentMethod.DEPOSIT,
            amount=used,
            deposit=deposit,
            reference=deposit.number,
        )
        written.append(payment)
    return written
