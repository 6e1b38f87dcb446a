"""What was taken apart on an order and isn't together again (3.2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dealership.kernel import clock
from dealership.kernel.saying import say_time
from workshop.models import Authorization, AuthorizationStatus, Clocking, LineState, OrderLine, ReassemblyAnswer
from workshop.selectors.entitled import ASKED

L = LineState
BEGUN = (L.IN_PROGRESS, L.COMPLETED, L.INSPECTED)
ENDED = (L.CANCELLED, L.WITHDRAWN)
AGREED_TO = (L.AUTHORIZED, *BEGUN)
UNDECIDED = (L.DRAFT, L.PENDING)


def clocked_on(lines: Sequence[OrderLine]) -> set[int]:
    """Keys of the lines that somebody has worked on."""
    return set(Clocking.objects.filter(line__in=lines).values_list("line_id", flat=True))


def lying_apart(
    lines: Sequence[OrderLine], *, leaving: Collection[int] = (), clocked: Collection[int] | None = None
) -> list[OrderLine]:
    """Of an order's lines those that took something apart which nobody puts together again, once ``leaving`` are ended.

    Not those of which something found is still to be decided or agreed to: they follow that decision; nor those of which
    somebody said that putting them together isn't charged. What stays in pieces may be put together later.
    """
    candidates = [line for line in lines if line.takes_apart and line.reassembly_amount is not None]
    if not candidates:
        return []
    worked = clocked_on(lines) if clocked is None else clocked

    def lies(apart: OrderLine) -> bool:
        gone = apart.pk in leaving or apart.state == L.WITHDRAWN
        begun = apart.pk in worked if gone else apart.state in BEGUN
        if not begun or apart.reassembly_answer == ReassemblyAnswer.FREE:
            return False
        for line in lines:
            stays = line.state not in ENDED and line.pk not in leaving
            if line.reassembles_id == apart.pk and (stays or line.pk in worked):
                return False
            if line.found_by_id == apart.pk and stays and line.state != L.DECLINED:
                return False
        return True

    return [apart for apart in candidates if lies(apart)]


def first_yes(apart: OrderLine) -> Authorization | None:
    """The agreement to the taking apart, which names the price of putting it together again."""
    agreed = (AuthorizationStatus.APPROVED, AuthorizationStatus.NOT_REQUIRED)
    return apart.authorizations.filter(status__in=agreed).order_by("-id").first()


@dataclass(frozen=True, slots=True)
class Again:
    """What putting together again costs (CNY with VAT), and when and by whom it was agreed to."""

    price: Decimal
    agreed_at: datetime
    agreed_by: str

    @property
    def agreed(self) -> str:
        return say_time(self.agreed_at, now=clock.now())


def price_again(apart: OrderLine) -> Again | None:
    yes = first_yes(apart)
    if yes is None or apart.reassembly_amount is None:
        return None
    return Again(apart.reassembly_amount, yes.at, yes.authorized_by)


def falls_due(line: OrderLine) -> Again | None:
    """What falls due if this repair, and all else that was found by the same taking apart, isn't done; None where nothing
    does or somebody else pays."""
    apart = line.found_by
    if apart is None or apart.pay_type not in ASKED or not apart.reassembly_amount:
        return None
    lines = list(OrderLine.objects.filter(order_id=line.order_id).order_by("pk"))
    package = {row.pk for row in lines if row.package_id and row.package_id == line.package_id}
    found = {row.pk for row in lines if row.found_by_id == apart.pk and row.state in UNDECIDED}
    lies = lying_apart(lines, leaving={line.pk} | package | found)
    return price_again(apart) if any(row.pk == apart.pk for row in lies) else None
