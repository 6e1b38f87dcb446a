"""Goodwill on a line: asked with a reason, approved by somebody else, and then the line goes ahead (3.2)."""

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
from workshop.goodwill_models import GOODWILL, GoodwillBearer, LineGoodwill
from workshop.models import LineState, OrderLine
from workshop.selectors.goodwill import asked_amount
from workshop.services.orders import authorize_unasked, locked_line


@transaction.atomic
def ask_line_goodwill(*, line_uid: UUID, bearer: str, reason: str, by: Actor) -> LineGoodwill:
    """3.2: asks that the maker or the shop (``bearer``) bears a drafted line; it goes ahead when somebody else approves.

    Only whole lines are goodwill: where the customer bears a share, the work is written as two lines. Raises RuleError
    ``goodwill.payer``, ``goodwill.state``, ``goodwill.bearer``, ``goodwill.reason``, ``goodwill.asked``,
    ``line.reassembly`` and ``line.unpriced``.
    """
    by.require(permissions.GOODWILL_ASK)
    line = locked_line(line_uid, by)
    if line.pay_type != PayType.GOODWILL:
        text = _("Goodwill is asked for a line whose payer is goodwill; change the payer first.")
        raise RuleError("goodwill.payer", text)
    if line.state != LineState.DRAFT:
        text = _("Goodwill is asked before a line goes ahead; this one is %(state)s.")
        raise RuleError("goodwill.state", text, state=line.get_state_display())
    if bearer not in GoodwillBearer.values:
        raise RuleError("goodwill.bearer", _("Say who bears it: the maker or our shop."), field="bearer")
    reason = formats.one_line(reason)[:300]
    if not reason:
        raise RuleError("goodwill.reason", _("Say why this is goodwill."), field="reason")
    if line.is_dismantling and line.reassembly_amount is None:
        raise RuleError(
            "line.reassembly",
            _("“%(line)s” takes something apart: say what putting it together again costs if the repair is declined."),
            line=line.said,
        )
    amount = asked_amount(line)
    if amount <= 0:
        raise RuleError("line.unpriced", _("“%(line)s” has neither hours nor parts; price it first."), line=line.said)
    if Approval.objects.filter(kind=GOODWILL, root_uid=line.uid, state=ApprovalState.ASKED).exists():
        raise RuleError("goodwill.asked", _("Goodwill is asked for this line already; it waits for a decision."))
    order = line.order
    approval = ask_approval(
        kind=GOODWILL, root=line, store=order.store, reason=reason, amount=amount, visit_uid=order.visit.uid, by=by
    )
    row = LineGoodwill.objects.create(line=line, bearer=bearer, reason=reason, amount=amount, approval=approval)
    record(
        row,
        events.GOODWILL_ASKED,
        by=by,
        store_id=order.store_id,
        line=line.uid,
        bearer=bearer,
        amount=amount,
        approval=approval.uid,
    )
    return row


@transaction.atomic
def give_approved_goodwill(*, approval: Approval) -> OrderLine | None:
    """What an approved goodwill does: its drafted line goes ahead. A line that changed meanwhile waits to be asked anew,
    and history says so."""
    if approval.kind != GOODWILL or approval.state != ApprovalState.APPROVED or approval.amount is None:
        return None
    by = machine("goodwill", store_id=approval.store_id)
    line = locked_line(approval.root_uid, by, living=False)
    if line.pay_type == PayType.GOODWILL and line.authorized_amount is not None:
        return line  # it goes ahead already: the event came twice, or the estimate was sent first
    order = line.order
    living = not (order.settled_at or order.closed_at or order.withdrawn_at)
    stated = line.reassembly_amount is not None or not line.is_dismantling
    fits = line.pay_type == PayType.GOODWILL and asked_amount(line) <= approval.amount
    if line.state == LineState.DRAFT and fits and living and stated:
        if line.is_diagnosis and line.reassembly_amount is None:  # as the estimate does
            line.reassembly_amount = ZERO
            line.save(update_fields=["reassembly_amount"])
        authorize_unasked(line, by=by)
    else:
        record(line, events.GOODWILL_LAPSED, by=by, store_id=approval.store_id, amount=approval.amount)
    return line
