"""What was taken apart is put together again where the repair found by it is declined, at the agreed price (3.2)."""

from __future__ import annotations

from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor
from dealership.kernel.history import record
from dealership.kernel.postgres.kept import insert
from workshop import events, rules
from workshop.models import AuthorizationStatus, Clocking, LineState, OrderLine, RepairOrder
from workshop.services.orders import end_line, write_decision

L = LineState
BEGUN = (L.IN_PROGRESS, L.COMPLETED, L.INSPECTED)
ENDED = (L.CANCELLED, L.WITHDRAWN)
PUT_TOGETHER = _("Put together again: %s")


def follow_decisions(order: RepairOrder, *, by: Actor) -> None:
    """After a decision: writes what is to be put together again, or takes it off where the repair is agreed to after all.

    The caller holds the order's lock. Nothing is written while anything found by the taking apart is still undecided or
    agreed to.
    """
    lines = list(order.lines.select_related("operation").order_by("pk"))
    for apart in lines:
        found = [line for line in lines if line.found_by_id == apart.pk and line.state not in ENDED]
        if not apart.takes_apart or not found:
            continue
        standing = next((line for line in lines if line.reassembles_id == apart.pk and line.state not in ENDED), None)
        for line in (apart, standing):
            if line is not None:
                line.order = order
        declined = all(line.state == L.DECLINED for line in found)
        if declined and standing is None and apart.state in BEGUN:
            _put_together(apart, by=by)
        agreed = any(line.state == L.AUTHORIZED for line in found)
        if agreed and standing is not None and standing.state == L.AUTHORIZED and not _begun(standing):
            end_line(standing, reason=gettext("The repair is done after all."), by=by, code=events.LINE_WITHDRAWN)


def _begun(line: OrderLine) -> bool:
    return Clocking.objects.filter(line=line).exists()


def _put_together(apart: OrderLine, *, by: Actor) -> OrderLine:
    """The line that puts together again, agreed to by the same decision as the taking apart (CNY with VAT)."""
    agreed = (
        apart.authorizations.filter(status__in=(AuthorizationStatus.APPROVED, AuthorizationStatus.NOT_REQUIRED))
        .order_by("-id")
        .first()
    )
    price = apart.reassembly_amount
    if agreed is None or price is None:
        return apart
    order = apart.order
    hours, off = rules.reassembly_hours(price, apart.rate)
    with translation.override("zh-hans"):  # kept in the language of the catalogue, said in the reader's
        words = PUT_TOGETHER % apart.description
        why = gettext("The repair found was declined; put together again as agreed.")
    line = OrderLine(
        order=order,
        position=(order.lines.aggregate(last=Max("position"))["last"] or 0) + 1,
        description=words[:120],
        category=apart.category,
        pay_type=apart.pay_type,
        hours=hours,
        rate=apart.rate,
        discount=off,
        labor_amount=rules.labor_amount(hours, apart.rate, off),
        is_safety=apart.is_safety,
        complaint=apart.complaint,
        cause=why,
        reassembles=apart,
    )
    insert(line)
    record(
        line,
        events.LINE_ADDED,
        by=by,
        store_id=order.store_id,
        pay_type=line.pay_type,
        amount=line.labor_amount,
        is_addition=False,
        reassembles=apart.uid,
    )
    write_decision(
        line,
        status=AuthorizationStatus(agreed.status),
        method=agreed.method,
        authorized_by=agreed.authorized_by,
        note=agreed.note,
        contact=agreed.contact,
        signature=agreed.signature,
        estimate=agreed.estimate,
        by=by,
    )
    return line
