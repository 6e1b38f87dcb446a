"""The resource of written consents to parts that aren't new (domain 3.3); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Flag, Moment, Text, Uid
from workshop import permissions
from workshop.part_consent_models import PartConsent
from workshop.services import part_consents

register(
    Resource(
        path="part-consents",
        name="PartConsent",
        room="workshop",
        model=PartConsent,
        view=permissions.ORDERS_VIEW,
        help="The customer's written consent to used, repaired or remanufactured parts of a line (3.3).",
        lock_first=("line__order", "line"),
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "authorization_uid": Uid(source="decision__uid"),
            "signed_name": Text(mask=mask_name),
            "on_paper": Flag(),
            "signed_at": Moment(),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
            "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
        },
        create=Command(
            run=part_consents.consent_on_paper,
            permission=permissions.AUTHORIZATIONS_RECORD,
            input={"labor_operation_uid": Uid(source="line_uid"), "signed_name": Text(60, min=1)},
            help="Say that the consent was signed on paper; a drawn signature comes from the page alone",
        ),
    )
)
