"""A settlement list as people read it, on the page, on the link and on paper (domain 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext

from dealership.kernel import limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Approval, ApprovalState
from dealership.kernel.money import ZERO, vat_included
from dealership.kernel.saying import say_list, say_name
from reception.models import Customer
from workshop.models import Certificate, LineState, RepairOrder

from ..limits import VAT_RATE
from ..models import UNPAID_EXIT, Deposit, Handover, Payment, Settlement, SettlementLine, SettlementState
from .exits import approved_amounts


@dataclass(slots=True)
class Paper:
    """Everything that stands on a list; ``vat`` is contained in the total, ``due`` still to be paid (CNY)."""

    settlement: Settlement
    owner: Customer | None
    labor: list[SettlementLine]
    material: list[SettlementLine]
    other: list[SettlementLine]
    discounts: list[SettlementLine]
    vat_percent: Decimal
    vat: Decimal
    payments: list[Payment]
    paid: Decimal
    due: Decimal
    certificate: Certificate | None
    handover: Handover | None
    approval: Approval | None
    approved: Decimal
    deposits: list[Deposit]
    declined_safety: list[str]

    @property
    def risk(self) -> str:
        """What concerns safety and was declined, on page and paper (3.2); empty where nothing was."""
        if not self.declined_safety:
            return ""
        return gettext(
            "Declined by the customer although it concerns safety: %(lines)s. The risk was explained; the car drives"
            " without this work."
        ) % {"lines": say_list(say_name(name) for name in self.declined_safety)}

    @property
    def guarantee(self) -> str:
        """The guarantee of the work in words, the same on page and paper; empty where none is given (domain 3.2)."""
        s = self.settlement
        if not s.guarantee_days:
            return ""
        return gettext(
            "Guarantee of the work: %(days)s days or %(km)s km, whichever comes first, counted from the day the car"
            " was handed over. Parts carry their makers' guarantee besides."
        ) % {"days": s.guarantee_days, "km": f"{s.guarantee_km:,}"}

    @property
    def exit_covered(self) -> bool:
        """Paid, or somebody has approved that the car leaves with this much open."""
        return self.due <= self.approved

    @property
    def deposit(self) -> Decimal:
        """What was paid in advance on the order and is neither used nor given back (CNY)."""
        return sum((d.left for d in self.deposits), ZERO)  # type: ignore[attr-defined]

    @property
    def after_deposit(self) -> Decimal:
        """What is left to pay when the deposit is used at the signature (CNY)."""
        return max(self.due - self.deposit, ZERO)

    @property
    def waits_for_approval(self) -> bool:
        return self.approval is not None and self.approval.state == ApprovalState.ASKED

    @property
    def refundable(self) -> list[Payment]:
        """Payments of which something is left to give back."""
        return [p for p in self.payments if p.amount > 0 and p.left > 0]  # type: ignore[attr-defined]

    @property
    def voided(self) -> bool:
        return self.settlement.state == SettlementState.VOIDED


def read_settlement(*, uid: UUID, by: Actor) -> Paper:
    """One list with its rows and payments. Raises Settlement.DoesNotExist outside the actor's store or visit."""
    settlement = (
        Settlement.objects.for_actor(by)
        .select_related("store", "payer", "signature", "order__vehicle__model", "order__visit__link", "order__advisor")
        .get(uid=uid)
    )
    rows = list(settlement.lines.select_related("order_line", "part_line__part").order_by("kind", "position"))
    payments = list(settlement.payments.select_related("cashier", "reverses").order_by("pk"))
    for payment in payments:
        payment.left = payment.amount + sum((r.amount for r in payments if r.reverses_id == payment.pk), ZERO)
    paid = sum((p.amount for p in payments), ZERO)
    rate = Decimal(str(limits.value(VAT_RATE, store_id=settlement.store_id, on=settlement.issued_at.date())))
    owned = settlement.order.vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
    by_kind: dict[str, list[SettlementLine]] = {"LABOR": [], "MATERIAL": [], "OTHER": [], "DISCOUNT": []}
    for row in rows:
        by_kind[row.kind].append(row)
    return Paper(
        settlement=settlement,
        owner=owned.customer if owned else None,
        labor=by_kind["LABOR"],
        material=by_kind["MATERIAL"],
        other=by_kind["OTHER"],
        discounts=by_kind["DISCOUNT"],
        vat_percent=(rate * 100).normalize(),
        vat=vat_included(settlement.total, rate).vat,
        payments=payments,
        paid=paid,
        due=settlement.total - paid,
        certificate=Certificate.objects.filter(order=settlement.order, voided_at__isnull=True).first(),
        handover=Handover.objects.filter(visit=settlement.order.visit_id).first(),
        approval=Approval.objects.filter(kind=UNPAID_EXIT, root_uid=settlement.uid).order_by("-pk").first(),
        approved=approved_amounts([settlement]).get(settlement.uid, ZERO),
        deposits=deposits_of(settlement.order),
        declined_safety=list(
            settlement.order.lines.filter(state=LineState.DECLINED, is_safety=True)
            .order_by("position")
            .values_list("description", flat=True)
        ),
    )


def usable_on(order: RepairOrder, *, payer_id: int) -> Q:
    """The deposits that count on a list of the order for this payer: the order's own, and the customer's for the booking
    with which the car came."""
    booked = order.visit.appointment
    if booked is None or booked.customer_id != payer_id:
        return Q(order=order)
    return Q(order=order) | Q(appointment=booked)


def deposits_of(order: RepairOrder) -> list[Deposit]:
    """The deposits of an order, each with ``left`` (CNY), the oldest first."""
    rows = list(
        Deposit.objects.filter(usable_on(order, payer_id=order.customer_id), amount__gt=0)
        .select_related("cashier")
        .annotate(
            back=Coalesce(Subquery(_sums(Deposit.objects.filter(reverses=OuterRef("pk")), "reverses")), ZERO),
            used=Coalesce(Subquery(_sums(Payment.objects.filter(deposit=OuterRef("pk")), "deposit")), ZERO),
        )
        .order_by("pk")
    )
    for row in rows:
        row.left = row.amount + row.back - row.used
    return rows


@dataclass(frozen=True, slots=True)
class CustomerMoney:
    """A customer's money with the shop (CNY): the newest lists with what is open of each, and the three sums."""

    lists: list[Settlement]
    billed: Decimal
    paid: Decimal
    deposits: Decimal

    @property
    def open(self) -> Decimal:
        return self.billed - self.paid


def money_of(customer: Customer, by: Actor, *, shown: int = 5) -> CustomerMoney:
    """2.3: what the customer was billed, has paid, owes, and has paid in advance and not used; four queries.

    Papers of a customer merged into this one count too; they stay as they were signed.
    """
    own = Q(payer=customer) | Q(payer__merged_into=customer)
    lists = Settlement.objects.for_actor(by).filter(own).exclude(state=SettlementState.VOIDED)
    billed = lists.aggregate(sum=Sum("total"))["sum"] or ZERO
    paid = Payment.objects.filter(settlement__in=lists).aggregate(sum=Sum("amount"))["sum"] or ZERO
    newest = list(with_paid(lists).select_related("order__vehicle").order_by("-pk")[:shown])
    used = Coalesce(Subquery(_sums(Payment.objects.filter(deposit=OuterRef("pk")), "deposit")), ZERO)
    whose = Q(order__customer=customer) | Q(appointment__customer=customer)
    advance = Deposit.objects.for_actor(by).filter(whose).annotate(used=used)
    left = advance.aggregate(sum=Sum(F("amount") - F("used")))["sum"] or ZERO
    return CustomerMoney(newest, billed, paid, left)


def with_paid(rows: QuerySet) -> QuerySet:
    """Lists with ``paid`` (payments less what was given back) and ``due`` (still open), CNY."""
    paid = Coalesce(Subquery(_sums(Payment.objects.filter(settlement=OuterRef("pk")), "settlement")), ZERO)
    return rows.annotate(paid=paid, due=F("total") - paid)


def _sums(rows: Any, by: str) -> Any:
    return rows.order_by().values(by).annotate(sum=Sum("amount")).values("sum")


def settlements_of_visit(*, visit_id: int, by: Actor) -> list[Settlement]:
    """The live lists of a visit, for the customer's link."""
    return list(
        Settlement.objects.for_actor(by)
        .filter(order__visit_id=visit_id)
        .exclude(state=SettlementState.VOIDED)
        .select_related("order", "payer")
        .order_by("pk")
    )


def spent_by(first: int, last: int, since: datetime) -> dict[int, Decimal]:
    """2.3: what customers with keys from ``first`` to ``last`` were asked to pay since then (CNY); voided lists don't count.

    A list keeps the payer it was written for; after a merge it counts for whoever that one was merged into.
    """
    payer = Coalesce("payer__merged_into_id", "payer_id")
    rows = Settlement.objects.exclude(state=SettlementState.VOIDED).filter(issued_at__gte=since).annotate(whose=payer)
    rows = rows.filter(whose__gte=first, whose__lte=last).order_by()
    return {row["whose"]: row["sum"] for row in rows.values("whose").annotate(sum=Sum("total"))}
