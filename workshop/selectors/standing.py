"""Reads of what payers agreed to in advance (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from dealership.catalogue.models import PayType
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.money import ZERO
from reception.models import Customer, CustomerContact
from workshop import permissions, rules
from workshop.models import AGREED, OrderLine, RepairOrder
from workshop.selectors.entitled import deciders_of
from workshop.standing_models import StandingConsent


def live_consent(customer: Customer) -> StandingConsent | None:
    """The consent that nobody has taken back, though its days may be over."""
    return StandingConsent.objects.filter(customer=customer, ended_at__isnull=True).first()


def covered_in_advance(
    order: RepairOrder, lines: Iterable[OrderLine]
) -> tuple[StandingConsent | None, list[tuple[OrderLine, CustomerContact | None]]]:
    """Which of the drafted ``lines`` go ahead on the payer's consent of before, each with the person it counts for.

    Additions of the customer's alone, one by one up to the amount of the visit. Packages and what was found by taking
    apart are asked about: more hangs on these than their sum.
    """
    asked = [
        line
        for line in lines
        if line.is_addition
        and line.pay_type == PayType.CUSTOMER_PAY
        and not line.package_id
        and not line.found_by_id
        and not (line.is_dismantling or line.is_diagnosis)
    ]
    consent = live_consent(order.customer) if asked else None
    today = clock.today(order.store.time_zone)
    if consent is None or not consent.starts_on <= today <= consent.ends_on:
        return None, []
    used = used_of(consent, order)
    people = deciders_of(order)
    agreed: Decimal = ZERO
    found: list[tuple[OrderLine, CustomerContact | None]] = []
    for line in sorted(asked, key=lambda row: row.pk):
        amount = rules.line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)
        entitled, contact = people.entitle(consent.given_by, agreed + amount)
        if entitled and used + agreed + amount <= consent.up_to:
            agreed += amount
            found.append((line, contact))
    return (consent, found) if found else (None, [])


def used_of(consent: StandingConsent, order: RepairOrder) -> Decimal:
    """What of the consent the visit has used so far."""
    rows = OrderLine.objects.filter(order__visit=order.visit_id, state__in=AGREED, authorizations__standing=consent)
    total = rows.distinct().aggregate(sum=Sum("authorized_amount"))["sum"]
    return total or ZERO


def standing_panel(actor: Actor, customer: Customer) -> dict[str, Any] | None:
    """The customer's page says what was agreed to in advance, and lets it be noted or taken back."""
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    consent = live_consent(customer)
    may = actor.may(permissions.AUTHORIZATIONS_RECORD)
    if consent is None and not may:
        return None
    over = consent is not None and consent.ends_on < clock.today()
    return {"consent": consent, "over": over, "customer": customer, "may_change": may}
