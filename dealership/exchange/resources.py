"""Resources of the kernel and of chapter 7 itself."""

from __future__ import annotations

from django.db.models import QuerySet

from dealership.kernel import permissions, services
from dealership.kernel.actors import Actor
from dealership.kernel.api import masking
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Flag, Moment, Money, Text, Uid, Whole
from dealership.kernel.models import Approval, ApprovalState, Message, MessageChannel, MessageState
from delivery.permissions import GOODWILL_ASK
from delivery.services.settlements import ask_goodwill

register(
    Resource(
        path="messages",
        name="Message",
        room="kernel",
        model=Message,
        view=permissions.MESSAGES_VIEW,
        help="Messages to customers and staff: what was sent, when, and why not (1.3).",
        shape={
            "channel": Choice(choices=MessageChannel),
            "recipient": Text(mask=masking.mask_phone),
            "recipient_name": Text(mask=masking.mask_name),
            "template": Text(),
            "language": Text(),
            "state": Choice(choices=MessageState),
            "attempts": Whole(),
            "reason": Text(mask=masking.mask_text),
            "sent_at": Moment(null=True),
            "not_before": Moment(null=True, help="The quiet hours of the customer end then (2.3)."),
            "visit_uid": Uid(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=MessageState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit_uid"),
        },
    )
)


def _approvals(by: Actor) -> QuerySet[Approval]:
    """Those of the store; a person who doesn't decide sees the own requests."""
    rows = Approval.objects.for_actor(by)
    own = by.user is not None and not by.may(permissions.APPROVALS_DECIDE)
    return rows.filter(asked_by=by.user) if own else rows


register(
    Resource(
        path="approvals",
        name="Approval",
        room="kernel",
        model=Approval,
        view=(permissions.APPROVALS_VIEW, permissions.APPROVALS_DECIDE),
        rows=_approvals,
        help="Decisions asked of whoever may decide: discount, goodwill, unpaid exit (1.2). Who asks never decides.",
        state="state",
        shape={
            "kind": Text(),
            "state": Choice(choices=ApprovalState),
            "amount": Money(null=True),
            "reason": Text(mask=masking.mask_text),
            "answer": Text(mask=masking.mask_text),
            "subject_type": Text(source="root_type"),
            "subject_uid": Uid(source="root_uid"),
            "visit_uid": Uid(null=True),
            "decided_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=ApprovalState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit_uid"),
            "subject_uid": Filter(field=Uid(), lookup="root_uid"),
        },
        create=Command(
            run=ask_goodwill,
            permission=GOODWILL_ASK,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "amount": Money(),
                "reason": Text(300, min=1),
            },
            help="Ask that a part of an order's bill is waived; discounts and unpaid exits are asked where they arise",
        ),
        actions=(
            Action(
                verb="decide",
                run=services.decide_approval,
                permission=permissions.APPROVALS_DECIDE,
                when={ApprovalState.ASKED},
                input={"approve": Flag(), "answer": Text(300, optional=True)},
                help="Approve or refuse; what was asked for follows by itself",
            ),
            Action(
                verb="withdraw",
                run=services.withdraw_approval,
                permission=permissions.APPROVALS_VIEW,
                when={ApprovalState.ASKED},
                help="Take the request back; only who asked",
            ),
        ),
    )
)
