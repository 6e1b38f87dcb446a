"""Resources of the kernel and of chapter 7 itself."""

from __future__ import annotations

from dealership.kernel import permissions
from dealership.kernel.api import masking
from dealership.kernel.api.resources import Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Text, Uid, Whole
from dealership.kernel.models import Message, MessageChannel, MessageState

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
