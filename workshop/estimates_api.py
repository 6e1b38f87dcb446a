"""The resource of estimates: what the customer was asked, version by version, and what was decided (3.2)."""

from __future__ import annotations

from django.db.models import QuerySet

from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.resources import Command, Filter, Many, Resource, register
from dealership.kernel.api.shapes import Choice, Facts, Moment, Money, Text, Uid, Whole
from workshop import permissions
from workshop.models import Authorization, AuthorizationMethod, AuthorizationStatus, DeclineCause, Estimate
from workshop.services import orders


def _decisions() -> QuerySet[Authorization]:
    return Authorization.objects.order_by("pk")


register(
    Resource(
        path="estimates",
        name="Estimate",
        room="workshop",
        model=Estimate,
        view=permissions.ORDERS_VIEW,
        help=(
            "One version of what the customer was asked, locked as it was sent, with what was decided on it (3.2). It can be "
            "decided on until expires_at, unless it was withdrawn or a later version of its order is out."
        ),
        lock_first=("order",),
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "number": Whole(1, help="The version of its order, counted from 1."),
            "content": Facts(
                help="Lines, parts and amounts (strings, CNY) as the customer read them; seen_hash is the SHA-256 of it."
            ),
            "total": Money(),
            "seen_hash": Text(help="Given with a decision, it says that this very version was seen."),
            "sent_at": Moment(),
            "expires_at": Moment(),
            "first_viewed_at": Moment(null=True),
            "withdrawn_at": Moment(null=True),
            "withdrawn_reason": Text(mask=mask_text),
            "decisions": Many(
                rows=_decisions,
                by="estimate_id",
                fields={
                    "authorization_uid": Uid(source="uid"),
                    "labor_operation_uid": Uid(source="line__uid"),
                    "status": Choice(choices=AuthorizationStatus),
                    "method": Choice(choices=AuthorizationMethod),
                    "amount": Money(),
                    "authorized_by": Text(mask=mask_name),
                    "decline_cause": Choice(choices=DeclineCause, null=True),
                    "at": Moment(),
                },
                help="Oldest first.",
            ),
        },
        filters={"repair_order_uid": Filter(field=Uid(), lookup="order__uid")},
        create=Command(
            run=orders.send_estimate,
            permission=permissions.ESTIMATES_SEND,
            input={"repair_order_uid": Uid(source="order_uid")},
            help="Lock what is drafted on the order as a new version and ask the customer; withdraw-estimate takes it back",
        ),
    )
)
