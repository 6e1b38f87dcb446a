"""What was taken apart is put together again where its repair isn't done, at the price agreed with the taking apart (3.2).

It follows a no by itself; where nothing was ever offered, or the order or line ends, somebody says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import saying
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.postgres.kept import insert
from workshop import events, permissions, rules
from workshop.models import AuthorizationStatus, LineState, OrderLine, ReassemblyAnswer, RepairOrder
from workshop.selectors.apart import AGREED_TO, ENDED, UNDECIDED, clocked_on, first_yes, lying_apart
from workshop.services.orders import end_line, locked_line, write_decision

L = LineState
PUT_TOGETHER = _("Put together again: %s")
AFTER_NO = _("The repair found was declined; put together again as agreed.")
WITHOUT_REPAIR = _("Not repaired; put together again as agreed.")


def follow_decisions(order: RepairOrder, *, by: Actor) -> None:
    """After a decision: writes what is to be put together again, or takes it off where the repair is agreed to after all.

    The caller holds the order's lock. Nothing is written while anything found by the taking apart is still undecided or
    agreed to.
    """
    lines = list(order.lines.select_related("operation").order_by("pk"))
    if not any(line.takes_apart for line in lines):
        return
    clocked = clocked_on(lines)
    lying = {line.pk for line in lying_apart(lines, clocked=clocked)}
    for apart in lines:
        found = [line for line in lines if line.found_by_id == apart.pk and line.state not in ENDED]
        if not apart.takes_apart or not found:
            continue
        standing = next((line for line in lines if line.reassembles_id == apart.pk and line.state not in ENDED), None)
        for line in (apart, standing):
            if line is not None:
                line.order = order
        if apart.pk in lying and not apart.reassembly_answer and all(line.state == L.DECLINED for line in found):
            _put_together(apart, why=AFTER_NO, by=by)
        agreed = any(line.state == L.AUTHORIZED for line in found)
        if agreed and standing is not None and standing.state == L.AUTHORIZED and standing.pk not in clocked:
            end_line(standing, reason=gettext("The repair is done after all."), by=by, code=events.LINE_WITHDRAWN)


@transaction.atomic
def reassemble_line(*, line_uid: UUID, by: Actor) -> OrderLine:
    """Puts together again what a line took apart, without a repair: a line of its own at the price agreed with it (3.2).

    Authorised by the agreement to the taking apart; once for each. Taken off where a repair is agreed to before it is
    begun. Returns the new line. Raises RuleError ``line.reassembly`` (nothing is taken apart here, or it is on the order),
    ``line.repair_agreed`` and ``line.repair_asked`` (something found by it is agreed to or not decided yet).
    """
    by.require(permissions.LINES_EDIT)
    apart = locked_line(line_uid, by)
    lines = list(apart.order.lines.order_by("pk"))
    found = [line for line in lines if line.found_by_id == apart.pk]
    for line in found:
        if line.state in AGREED_TO:
            raise RuleError(
                "line.repair_agreed",
                _("“%(line)s” was agreed to: it is repaired, not only put together again."),
                line=line.said,
            )
    for line in found:
        if line.state in UNDECIDED:
            raise RuleError(
                "line.repair_asked",
                _(
                    "“%(line)s” isn't decided yet: record the customer's answer, or take it off. After a no it is put "
                    "together again by itself."
                ),
                line=line.said,
            )
    if apart.pk not in {line.pk for line in lying_apart(lines)}:
        raise RuleError(
            "line.reassembly",
            _("Nothing of “%(line)s” lies in pieces, or putting it together again is settled already."),
            line=apart.said,
        )
    return _put_together(apart, why=WITHOUT_REPAIR, by=by)


def refuse_unanswered(aparts: Sequence[OrderLine], answer: str) -> None:
    """Raises RuleError ``line.apart``: who ends work on something that lies in pieces says what becomes of it."""
    if aparts and answer not in ReassemblyAnswer.values:
        raise RuleError(
            "line.apart",
            _("“%(line)s” lies in pieces: say whether it is put together again, and whether ¥%(amount)s is charged."),
            field="reassembly",
            line=aparts[0].said,
            amount=saying.say_money(aparts[0].reassembly_amount or 0, sign=False),
        )


def answer_apart(aparts: Sequence[OrderLine], answer: str, *, by: Actor) -> list[OrderLine]:
    """What was said when the work ended: the lines that put together again, or the answer kept on what lies apart.

    The caller holds the order and has ended what is ended.
    """
    made = []
    for apart in aparts:
        if answer == ReassemblyAnswer.CHARGED:
            made.append(_put_together(apart, why=WITHOUT_REPAIR, by=by))
            continue
        before, apart.reassembly_answer = apart.reassembly_answer, answer
        apart.save(update_fields=["reassembly_answer"])
        record(
            apart,
            events.LINE_LEFT_APART,
            by=by,
            store_id=apart.order.store_id,
            changed={"reassembly_answer": (before, answer)},
            amount=apart.reassembly_amount,
        )
    return made


def _put_together(apart: OrderLine, *, why: Any, by: Actor) -> OrderLine:
    """The line that puts together again, agreed to by the same decision as the taking apart (CNY with VAT)."""
    agreed = first_yes(apart)
    price = apart.reassembly_amount
    if agreed is None or price is None:
        return apart
    order = apart.order
    if apart.reassembly_answer:
        apart.reassembly_answer = ""
        apart.save(update_fields=["reassembly_answer"])
    hours, off = rules.reassembly_hours(price, apart.rate)
    with translation.override("zh-hans"):  # kept in the language of the catalogue, said in the reader's
        words, cause = PUT_TOGETHER % apart.description, str(why)
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
        cause=cause,
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
