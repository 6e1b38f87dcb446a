"""Work that the maker, the shop or a service contract pays, above the amount that goes ahead by itself (3.2)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel import formats
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Approval, ApprovalState
from dealership.kernel.money import ZERO
from dealership.kernel.services import ask_approval
from workshop import events, permissions
from workshop.models import LineState, OrderLine
from workshop.payer_models import PAYER, PayerApproval
from workshop.selectors.payers import UNASKED, waiting_for_payer, whole
from workshop.services.orders import authorize_unasked, locked_line, no_reassembly


@transaction.atomic
def ask_payer(*, line_uid: UUID, reason: str, by: Actor, maker_number: str = "") -> PayerApproval:
    """3.2: asks that a drafted line above the amount goes ahead; it does when somebody else approves.

    ``maker_number``: the maker has authorised its own line already, which whoever works on claims writes down; the line
    goes ahead at once. Raises RuleError ``payer.line``, ``payer.state``, ``payer.unneeded``, ``payer.reason``,
    ``payer.asked``, ``payer.maker``, ``line.reassembly`` and ``line.unpriced``.
    """
    number = formats.one_line(maker_number)[:40]
    by.require(permissions.WARRANTY_CLAIMS_WORK if number else permissions.LINES_EDIT)
    line = locked_line(line_uid, by)
    order = line.order
    if line.pay_type not in UNASKED:
        text = _("Only a line that the maker, our shop or a service contract pays is approved this way.")
        raise RuleError("payer.line", text)
    if number and line.pay_type != PayType.WARRANTY:
        raise RuleError("payer.maker", _("The maker authorises only what it pays itself."), field="maker_number")
    if line.state != LineState.DRAFT:
        text = _("This is asked before a line goes ahead; this one is %(state)s.")
        raise RuleError("payer.state", text, state=line.get_state_display())
    reason = formats.one_line(reason)[:300]
    if not reason:
        raise RuleError("payer.reason", _("Say why this work is needed."), field="reason")
    if line.is_dismantling and line.reassembly_amount is None:
        raise no_reassembly(line.said, line)
    amount = whole(line)
    if amount <= 0:
        raise RuleError("line.unpriced", _("“%(line)s” has neither hours nor parts; price it first."), line=line.said)
    if line not in waiting_for_payer(order, order.lines.prefetch_related("part_lines")):
        raise RuleError("payer.unneeded", _("This line goes ahead by itself: send the estimate."))
    if Approval.objects.filter(kind=PAYER, root_uid=line.uid, state=ApprovalState.ASKED).exists():
        raise RuleError("payer.asked", _("It is asked already and waits for a decision."))
    approval = None
    if not number:
        approval = ask_approval(
            kind=PAYER, root=line, store=order.store, reason=reason, amount=amount, visit_uid=order.visit.uid, by=by
        )
    row: PayerApproval = PayerApproval.objects.create(
        line=line, amount=amount, reason=reason, approval=approval, maker_number=number
    )
    record(
        row,
        events.PAYER_ASKED,
        by=by,
        store_id=order.store_id,
        line=line.uid,
        pay_type=line.pay_type,
        amount=amount,
        approval=approval.uid if approval else None,
        maker_number=number or None,
    )
    if number:
        _go_ahead(line, by=by)
    return row


def _go_ahead(line: OrderLine, *, by: Actor) -> None:
    if line.is_diagnosis and line.reassembly_amount is None:  # as the estimate does
        line.reassembly_amount = ZERO
        line.save(update_fields=["reassembly_amount"])
    authorize_unasked(line, by=by)


@transaction.atomic
def give_payer_yes(*, approval: Approval) -> OrderLine | None:
    """What an approval does: its drafted line goes ahead. A line that changed meanwhile waits to be asked anew, and
    history says so."""
    if approval.kind != PAYER or approval.state != ApprovalState.APPROVED or approval.amount is None:
        return None
    by = machine("payers", store_id=approval.store_id)
    line = locked_line(approval.root_uid, by, living=False)
    if line.pay_type in UNASKED and line.authorized_amount is not None:
        return line  # it goes ahead already: the event came twice, or the estimate was sent first
    order = line.order
    living = not (order.settled_at or order.closed_at or order.withdrawn_at)
    stated = line.reassembly_amount is not None or not line.is_dismantling
    fits = line.pay_type in UNASKED and whole(line) <= approval.amount
    if line.state == LineState.DRAFT and fits and living and stated:
        _go_ahead(line, by=by)
    else:
        record(line, events.PAYER_LAPSED, by=by, store_id=approval.store_id, amount=approval.amount)
    return line
