"""Looks at insulating gloves for other systems (3.4)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, ListOf, Moment, Text, Uid
from workshop import permissions
from workshop.glove_models import GloveLook, GlovePoint
from workshop.services import gloves

register(
    Resource(
        path="glove-looks",
        name="GloveLook",
        room="workshop",
        model=GloveLook,
        view=permissions.TOOLS_VIEW,
        help="A look at insulating gloves with the air test before use; what is wrong takes the pair out (3.4).",
        shape={
            "tool_uid": Uid(source="tool__uid"),
            "done_on": Day(),
            "wrong": ListOf(inner=Choice(choices=GlovePoint), help="Empty: all in order."),
            "note": Text(mask=mask_text),
            "done_by_uid": Uid(source="done_by__uid"),
            "at": Moment(),
        },
        filters={
            "tool_uid": Filter(field=Uid(), lookup="tool__uid"),
            "done_on": Filter(field=Day(), lookup="done_on"),
        },
        create=Command(
            run=gloves.look_at_gloves,
            permission=permissions.TOOLS_TAKE,
            input={
                "tool_uid": Uid(source="uid"),
                "wrong": ListOf(inner=Choice(choices=GlovePoint), most=4, optional=True),
                "note": Text(200, optional=True),
            },
        ),
    )
)
