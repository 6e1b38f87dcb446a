"""Rounds of lifts for other systems (3.4)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, ListOf, Moment, Text, Uid
from workshop import permissions
from workshop.lift_models import LiftPoint, LiftRound, RoundKind
from workshop.services import lifts

register(
    Resource(
        path="lift-rounds",
        name="LiftRound",
        room="workshop",
        model=LiftRound,
        view=permissions.TOOLS_VIEW,
        help="A look at a lift before the day's work, or its monthly service; what is wrong takes it out of use (3.4).",
        shape={
            "tool_uid": Uid(source="tool__uid"),
            "kind": Choice(choices=RoundKind),
            "done_on": Day(),
            "wrong": ListOf(inner=Choice(choices=LiftPoint), help="Empty: all in order."),
            "note": Text(mask=mask_text),
            "done_by_uid": Uid(source="done_by__uid"),
            "at": Moment(),
        },
        filters={
            "tool_uid": Filter(field=Uid(), lookup="tool__uid"),
            "kind": Filter(field=Choice(choices=RoundKind), lookup="kind"),
            "done_on": Filter(field=Day(), lookup="done_on"),
        },
        create=Command(
            run=lifts.record_round,
            permission=permissions.TOOLS_TAKE,
            input={
                "tool_uid": Uid(source="uid"),
                "kind": Choice(choices=RoundKind),
                "wrong": ListOf(inner=Choice(choices=LiftPoint), most=9, optional=True),
                "note": Text(200, optional=True),
            },
        ),
    )
)
