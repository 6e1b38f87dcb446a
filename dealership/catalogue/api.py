"""Resources of the catalogue: operations, parts, and bays."""

from __future__ import annotations

from django.db.models import QuerySet

from dealership.catalogue import permissions
from dealership.catalogue.models import (
    BayCapability,
    Operation,
    OperationPart,
    Part,
    PartKind,
    RepairCategory,
    ResourceKind,
)
from dealership.catalogue.models import (
    Resource as PlannedResource,
)
from dealership.kernel.actors import Actor
from dealership.kernel.api.resources import Filter, Many, Resource, register
from dealership.kernel.api.shapes import Choice, Flag, Number, Text, Uid, Whole
from dealership.kernel.api.star import star_codes


def _operation_parts() -> QuerySet:
    return OperationPart.objects.order_by("part__number")


def _bays(by: Actor) -> QuerySet:
    return PlannedResource.objects.for_actor(by).filter(kind=ResourceKind.BAY)


register(
    Resource(
        path="operations",
        name="Operation",
        room="catalogue",
        model=Operation,
        view=permissions.CATALOGUE_VIEW,
        help="Kinds of work with their standard hours and usual parts (3.2).",
        shape={
            "code": Text(),
            "name": Text(),
            "category": Choice(choices=RepairCategory),
            "hours": Number(2),
            "skill_code": Text(source="skill__code", null=True),
            "skill_level": Whole(),
            "capability": Choice(choices=BayCapability),
            "is_diagnosis": Flag(),
            "is_maintenance": Flag(),
            "is_safety": Flag(),
            "bookable_online": Flag(),
            "active": Flag(),
            "parts": Many(
                rows=_operation_parts,
                by="operation_id",
                fields={"part_uid": Uid(source="part__uid"), "quantity": Number(2)},
            ),
        },
        filters={
            "code": Filter(field=Text(30, min=1), lookup="code"),
            "active": Filter(field=Flag(), lookup="active"),
        },
    )
)

register(
    Resource(
        path="parts",
        name="Part",
        room="catalogue",
        model=Part,
        view=permissions.CATALOGUE_VIEW,
        help="Parts and materials of the group.",
        shape={
            "number": Text(),
            "name": Text(),
            "unit": Text(),
            "brand": Text(),
            "kind": Choice(choices=PartKind),
            "guarantee_months": Whole(),
            "guarantee_km": Whole(),
            "active": Flag(),
        },
        filters={
            "number": Filter(field=Text(40, min=1), lookup="number"),
            "active": Filter(field=Flag(), lookup="active"),
        },
    )
)

register(
    Resource(
        path="bays",
        name="Bay",
        room="catalogue",
        model=PlannedResource,
        view=permissions.CATALOGUE_VIEW,
        rows=_bays,
        help="Working places of a store, by what can be done there (2.4).",
        star="Bay",
        star_fields={"capability": "bay_capability_type"},
        shape={
            "code": Text(),
            "name": Text(),
            "store_code": Text(source="store__code"),
            "capability": Choice(choices=BayCapability, null=True),
            "active": Flag(),
        },
        filters={"code": Filter(field=Text(20, min=1), lookup="code")},
    )
)

# --- STAR's values of our codes (peers: a dictionary, no protocol) ---
star_codes(
    BayCapability,
    "QUICK_LUBE",
    "STANDARD_LIFT",
    "ALIGNMENT_RACK",
    "EV_DIAGNOSTIC",
    "BODY_AND_FRAME",
    "DETAIL_AND_WASH",
)
