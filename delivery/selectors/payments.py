"""Payments of a day by method, and the lists that wait for money (4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO

from ..models import MONEY, CorePayout, Deposit, Payment, PaymentMethod, SalePayment, Settlement, SettlementState
from .settlements import with_paid


@dataclass(slots=True)
class MethodSum:
    """One way of paying on one day; ``given_back`` is positive (CNY)."""

    method: str
    label: str
    taken: Decimal = ZERO
    given_back: Decimal = ZERO
    count: int = 0

    @property
    def net(self) -> Decimal:
        return self.taken - self.given_back


@dataclass(slots=True)
class DayClose:
    """What came in and went back on one day of one store; the methods add up to the whole.

    A deposit counts on the day it comes in; what is paid from it later is no money and stands in no sum.
    """

    day: date
    methods: list[MethodSum] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    sales: list[SalePayment] = field(default_factory=list)
    cores: list[CorePayout] = field(default_factory=list)

    @property
    def taken(self) -> Decimal:
        return sum((m.taken for m in self.methods), ZERO)

    @property
    def given_back(self) -> Decimal:
        return sum((m.given_back for m in self.methods), ZERO)

    @property
    def net(self) -> Decimal:
        return self.taken - self.given_back


def day_close(*, by: Actor, day: date | None = None) -> DayClose:
    """The payments of a calendar day at the actor's store (default: today), newest first, summed by method."""
    zone = ZoneInfo(Store.objects.get(pk=by.store_id).time_zone)
    day = day or clock.today(str(zone))
    start = datetime.combine(day, time(), zone)
    payments = list(
        Payment.objects.for_actor(by)
        .filter(at__gte=start, at__lt=start + timedelta(days=1))
        .select_related("settlement__order__vehicle", "settlement__payer", "cashier", "reverses")
        .order_by("-at", "-pk")
    )
    deposits = list(
        Deposit.objects.for_actor(by)
        .filter(at__gte=start, at__lt=start + timedelta(days=1))
        .select_related("order__vehicle", "appointment__vehicle", "cashier", "reverses")
        .order_by("-at", "-pk")
    )
    sales = list(
        SalePayment.objects.for_actor(by)
        .filter(at__gte=start, at__lt=start + timedelta(days=1))
        .select_related("sale__customer", "cashier", "reverses")
        .order_by("-at", "-pk")
    )
    cores = list(
        CorePayout.objects.for_actor(by)
        .filter(at__gte=start, at__lt=start + timedelta(days=1))
        .select_related("core__part", "core__part_line__line__order__vehicle", "cashier")
        .order_by("-at", "-pk")
    )
    sums = {method.value: MethodSum(method.value, str(method.label)) for method in MONEY}
    for payment in [*(p for p in payments if p.method != PaymentMethod.DEPOSIT), *deposits, *sales, *cores]:
        entry = sums[payment.method]
        entry.count += 1
        if payment.amount > 0:
            entry.taken += payment.amount
        else:
            entry.given_back -= payment.amount
    return DayClose(day, list(sums.values()), payments, deposits, sales, cores)


def unpaid_settlements(*, by: Actor) -> QuerySet[Settlement]:
    """Live lists with money open, each with ``due`` (CNY), the oldest first."""
    return (
        with_paid(Settlement.objects.for_actor(by).exclude(state=SettlementState.VOIDED))
        .filter(due__gt=0)
        .select_related("order__vehicle", "order__visit", "payer")
        .order_by("issued_at", "pk")
    )
