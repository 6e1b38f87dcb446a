"""What customers ask for out of what their cars are due for, over the API (3.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Money, Text, Uid
from workshop import permissions
from workshop.services import wishes
from workshop.wish_models import MaintenanceWish, WishState


def _take(*, uid: UUID, order_uid: UUID, by: Actor) -> Any:
    wishes.take_wishes(order_uid=order_uid, wish_uids=[uid], by=by)
    return MaintenanceWish.objects.get(uid=uid)


register(
    Resource(
        path="maintenance-wishes",
        name="MaintenanceWish",
        room="workshop",
        model=MaintenanceWish,
        view=permissions.ORDERS_VIEW,
        help="Work that is due and that a customer asked for on the link; no authorisation (3.1).",
        shape={
            "vehicle_uid": Uid(source="vehicle__uid"),
            "visit_uid": Uid(source="visit__uid", null=True),
            "appointment_uid": Uid(source="appointment__uid", null=True),
            "operation_uid": Uid(source="operation__uid"),
            "why": Text(help="As the customer read it."),
            "amount": Money(null=True, help="As the customer read it, CNY with VAT."),
            "state": Choice(choices=WishState),
            "wished_at": Moment(),
            "ended_at": Moment(null=True),
            "answer": Text(mask=mask_text, help="Why not this time."),
            "labor_operation_uid": Uid(source="line__uid", null=True, help="The line that it became."),
        },
        filters={
            "state": Filter(field=Choice(choices=WishState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
        },
        actions=(
            Action(
                verb="take",
                run=_take,
                permission=permissions.LINES_EDIT,
                when={WishState.OPEN},
                input={"order_uid": Uid()},
                help="Write it as a draft line of the customer's order of this visit (3.1)",
            ),
            Action(
                verb="decline",
                run=wishes.decline_wish,
                permission=permissions.LINES_EDIT,
                when={WishState.OPEN},
                input={"answer": Text(200, min=1)},
                help="Say why not this time; the customer reads it (3.1)",
            ),
        ),
    )
)
