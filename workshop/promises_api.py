"""Changes of the promised time, and who told the customer (3.2); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Text, Uid
from reception.models import ToldBy
from workshop import permissions
from workshop.models import PromiseChange, PromiseTold
from workshop.promise_models import PromiseTelling
from workshop.services import orders

register(
    Resource(
        path="promise-changes",
        name="PromiseChange",
        room="workshop",
        model=PromiseChange,
        view=permissions.ORDERS_VIEW,
        help="One change of an order's promised time, why, and how the customer was to hear of it (3.2).",
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "before": Moment(null=True),
            "after": Moment(),
            "reason": Text(mask=mask_text),
            "told": Choice(choices=PromiseTold),
            "changed_at": Moment(source="at"),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="order__uid"),
            "told": Filter(field=Choice(choices=PromiseTold), lookup="told"),
        },
    )
)

register(
    Resource(
        path="promise-tellings",
        name="PromiseTelling",
        room="workshop",
        model=PromiseTelling,
        view=permissions.ORDERS_VIEW,
        help="Who told the customer of a new promised time, how and when; the system's own message has none (3.2).",
        lock_first=("change__order",),
        shape={
            "promise_change_uid": Uid(source="change__uid"),
            "repair_order_uid": Uid(source="change__order__uid"),
            "how": Choice(choices=ToldBy),
            "told_to": Text(mask=mask_name),
            "told_by_uid": Uid(source="told_by__uid"),
            "told_at": Moment(),
        },
        filters={"repair_order_uid": Filter(field=Uid(), lookup="change__order__uid")},
        create=Command(
            run=orders.tell_promise,
            permission=permissions.PROMISE_CHANGE,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "how": Choice(choices=ToldBy),
                "told_to": Text(60, min=1),
            },
            help="Write down that the customer was told of the time that is promised last",
        ),
    )
)
