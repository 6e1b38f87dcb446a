"""The resource of signed repair contracts (domain 3.3); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Flag, Moment, Text, Uid
from workshop import permissions
from workshop.contract_models import ContractSignature
from workshop.services import contracts

register(
    Resource(
        path="contract-signatures",
        name="ContractSignature",
        room="workshop",
        model=ContractSignature,
        view=permissions.ORDERS_VIEW,
        help="Repair contracts signed at the desk or on paper, where the customer decided by telephone (3.3).",
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "estimate_uid": Uid(source="estimate__uid"),
            "signed_name": Text(mask=mask_name),
            "on_paper": Flag(),
            "signed_at": Moment(),
        },
        filters={"repair_order_uid": Filter(field=Uid(), lookup="order__uid")},
        create=Command(
            run=contracts.sign_on_paper,
            permission=permissions.AUTHORIZATIONS_RECORD,
            input={"repair_order_uid": Uid(source="order_uid"), "signed_name": Text(60, min=1)},
            help="Say that the newest contract was signed on paper; a drawn signature comes from the page alone",
        ),
    )
)
