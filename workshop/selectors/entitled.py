"""Who may say yes for the payer of an order, and up to what amount (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from dealership.catalogue.models import PayType
from dealership.kernel import clock
from dealership.kernel.money import ZERO
from reception.models import ContactRole, CustomerContact, CustomerKind
from workshop.models import LineState, RepairOrder

ASKED = (PayType.CUSTOMER_PAY, PayType.INSURANCE)
"""Who pays here is asked; the others have agreed beforehand."""
AGREED = (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED)


@dataclass(frozen=True, slots=True)
class Deciders:
    """The people whose yes counts on an order today.

    ``owner``: the private payer's own name, without a limit. ``anybody``: the payer brought the car and has named
    nobody, so whoever signs for it decides. ``agreed``: what of the order is agreed already, CNY with VAT.
    """

    owner: str
    anybody: bool
    named: list[CustomerContact]
    agreed: Decimal

    @property
    def names(self) -> list[str]:
        return [name for name in (self.owner, *(person.name for person in self.named)) if name]

    @property
    def proposed(self) -> str:
        """The name that stands in the form at first."""
        return self.names[0] if self.names else ""

    def entitle(self, name: str, amount: Decimal) -> tuple[bool, CustomerContact | None]:
        """Whether ``name`` may agree to ``amount`` more, and as whom the payer named."""
        if self.anybody or (self.owner and name == self.owner):
            return True, None
        for person in self.named:
            limit = person.authorises_up_to
            if person.name == name and (limit is None or self.agreed + amount <= limit):
                return True, person
        return False, None


def deciders_of(order: RepairOrder) -> Deciders:
    """Reads ``order.visit``, ``order.customer`` and ``order.store``; one query for the people, one for what is agreed."""
    payer, today = order.customer, clock.today(order.store.time_zone)
    listed = [
        person
        for person in CustomerContact.objects.filter(customer=payer, ended_at__isnull=True).order_by("pk")
        if ContactRole.AUTHORISES in person.roles
    ]
    brings = payer.pk == order.visit.customer_id
    borne = Sum("differences__amount", filter=Q(differences__ended_at__isnull=True), default=ZERO)
    agreed = order.lines.filter(state__in=AGREED, pay_type__in=ASKED).annotate(borne=borne)
    rows = agreed.values_list("authorized_amount", "borne")
    return Deciders(
        owner=payer.name if payer.kind == CustomerKind.PERSON else "",
        anybody=brings and not listed,
        named=[person for person in listed if person.authorises_on(today)],
        agreed=sum(((amount or ZERO) - borne for amount, borne in rows), ZERO),
    )


def bearers_of(order: RepairOrder) -> Deciders:
    """Whose yes counts for what the insurer leaves open: the customer of the visit, not the payer of the order (3.2)."""
    customer, today = order.visit.customer, clock.today(order.store.time_zone)
    listed = [
        person
        for person in CustomerContact.objects.filter(customer=customer, ended_at__isnull=True).order_by("pk")
        if ContactRole.AUTHORISES in person.roles
    ]
    return Deciders(
        owner=customer.name if customer.kind == CustomerKind.PERSON else "",
        anybody=not listed,
        named=[person for person in listed if person.authorises_on(today)],
        agreed=ZERO,
    )
