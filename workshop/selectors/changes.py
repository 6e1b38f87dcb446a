"""What of the customer's decisions can still be changed on the link (3.2); the commands say the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from workshop import rules
from workshop.models import Clocking, HoldCause, L, LineHold, OrderLine, PartLine
from workshop.selectors.apart import Again, falls_due
from workshop.selectors.entitled import ASKED, Deciders, deciders_of
from workshop.services.authorizations import has_begun, offer_of
from workshop.services.orders import line_total

DECIDED = (L.AUTHORIZED, L.DECLINED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED)


@dataclass(frozen=True, slots=True)
class Change:
    """A decided line: whether it may still be changed, what goes along with it, CNY with VAT."""

    may: bool
    total: Decimal
    holds: list[str]
    is_safety: bool
    seen_hash: str
    deciders: Deciders
    again: Again | None = None
    """What falls due if an agreed repair isn't done (3.2)."""


def changeable(lines: Sequence[OrderLine]) -> set[UUID]:
    """Agreed lines of which nothing was begun, and declined ones while their offer holds."""
    agreed = [line for line in lines if line.state == L.AUTHORIZED and line.pay_type in ASKED]
    keys = [line.pk for line in agreed]
    begun = set(Clocking.objects.filter(line__in=keys).values_list("line_id", flat=True))
    begun |= set(PartLine.objects.filter(line__in=keys, issued_quantity__gt=0).values_list("line_id", flat=True))
    begun |= set(LineHold.objects.filter(line__in=keys, cause=HoldCause.SUBLET).values_list("line_id", flat=True))
    found = {line.uid for line in agreed if line.pk not in begun}
    return found | {line.uid for line in lines if line.state == L.DECLINED and _holds(line)}


def _holds(line: OrderLine) -> bool:
    offer = offer_of(line)
    return offer is not None and offer.expires_at >= clock.now()


def get_decided(uid: UUID, visit_id: int, by: Actor) -> OrderLine:
    """A line of this visit; another visit's isn't there."""
    rows = OrderLine.objects.for_actor(by).filter(order__visit_id=visit_id)
    return rows.select_related(
        "operation", "package", "order__customer", "order__visit", "order__store", "order__advisor"
    ).get(uid=uid)


def change_of(line: OrderLine) -> Change:
    """What the page of one decision shows."""
    lines = [line]
    if line.package_id is not None:
        lines = list(line.order.lines.filter(package_id=line.package_id, state=line.state).order_by("position"))
    offer = offer_of(line)
    may = (
        not any(has_begun(each) for each in lines)
        if line.state == L.AUTHORIZED
        else line.state == L.DECLINED and _holds(line)
    )
    ended = line.order.settled_at or line.order.closed_at or line.order.withdrawn_at
    return Change(
        may=may and not ended,
        total=rules.total_of(line_total(each) for each in lines),
        holds=[each.said for each in lines] if line.package_id is not None else [],
        is_safety=any(each.is_safety for each in lines),
        seen_hash=offer.seen_hash if offer else "",
        deciders=deciders_of(line.order),
        again=falls_due(line) if line.state == L.AUTHORIZED and line.found_by_id is not None else None,
    )
