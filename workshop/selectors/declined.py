"""Advice that a customer said no to and that was not done since (3.1)."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from dealership.kernel.actors import Actor
from reception.models import Customer, Ownership
from workshop.models import AdviceState, Authorization, AuthorizationStatus, LineState, OrderLine

SHOWN = 20
DONE = (LineState.COMPLETED, LineState.INSPECTED)


def declined_advice(customer: Customer, by: Actor) -> list[Any]:
    """Declined lines of the customer's orders and visits, newest first, each with ``value`` (CNY with VAT, as it was
    asked) and ``said_at``; what was done later on the same car, taken up again or not
    wanted any more is left out, and what concerns a car that this customer has sold since. One query."""
    asked = Authorization.objects.filter(line=OuterRef("pk"), status=AuthorizationStatus.DECLINED).order_by("-id")
    since = OrderLine.objects.filter(
        order__vehicle=OuterRef("order__vehicle"),
        operation=OuterRef("operation"),
        state__in=DONE,
        pk__gt=OuterRef("pk"),
    )
    owned = Ownership.objects.filter(vehicle=OuterRef("order__vehicle"), customer=customer)
    sold = owned.filter(ends_on__isnull=False).exclude(
        Exists(Ownership.objects.filter(vehicle=OuterRef("vehicle"), customer=customer, ends_on__isnull=True))
    )
    rows = (
        OrderLine.objects.for_actor(by)
        .filter(Q(order__customer=customer) | Q(order__visit__customer=customer), state=LineState.DECLINED)
        .exclude(Exists(since))
        .exclude(advice__state__in=(AdviceState.TAKEN, AdviceState.DROPPED))
        .exclude(Exists(sold))
        .annotate(
            value=Coalesce(Subquery(asked.values("amount")[:1]), F("labor_amount") + F("fee_amount")),
            said_at=Subquery(asked.values("at")[:1]),
        )
        .select_related("order__vehicle")
    )
    return list(rows.order_by("-id")[:SHOWN])
