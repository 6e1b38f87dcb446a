"""The resource of checks of parts that customers bring (3.2); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Bytes, Choice, Flag, Moment, Number, Text, Uid
from workshop import permissions
from workshop.own_part_models import OwnPartCheck, OwnPartCondition, OwnPartPackaging
from workshop.services import own_parts

register(
    Resource(
        path="own-part-checks",
        name="OwnPartCheck",
        room="workshop",
        model=OwnPartCheck,
        view=permissions.ORDERS_VIEW,
        help="How a part looked that the customer brought; one that fits and isn't damaged may be fitted (3.2).",
        lock_first=("line__order", "line"),
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "part_uid": Uid(source="part__uid"),
            "quantity": Number(2),
            "condition": Choice(choices=OwnPartCondition),
            "packaging": Choice(choices=OwnPartPackaging),
            "damaged": Flag(),
            "fits": Flag(),
            "note": Text(),
            "checked_at": Moment(),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
            "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
        },
        create=Command(
            run=own_parts.check_own_part,
            permission=permissions.PARTS_CHECK_OWN,
            input={
                "part_line_uid": Uid(),
                "quantity": Number(2, optional=True, null=True, help="Default: all that the line needs."),
                "condition": Choice(choices=OwnPartCondition),
                "packaging": Choice(choices=OwnPartPackaging),
                "damaged": Flag(),
                "fits": Flag(),
                "note": Text(200, optional=True),
                "photo": Bytes(optional=True, null=True, help="JPEG, PNG or WebP as base64."),
            },
            help="Look at a part that the customer brought, before it is fitted",
        ),
    )
)
