"""What the maker, the shop or a service contract pays above the amount that goes ahead unasked, over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Moment, Money, Text, Uid
from workshop import permissions
from workshop.payer_models import PayerApproval
from workshop.services import payers

register(
    Resource(
        path="payer-approvals",
        name="PayerApproval",
        room="workshop",
        model=PayerApproval,
        view=permissions.ORDERS_VIEW,
        help="A line of the maker, the shop or a service contract above the amount that goes ahead unasked: its approval, or "
        "the maker's authorisation (3.2).",
        lock_first=("line__order", "line"),
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "amount": Money(help="The line, CNY with VAT."),
            "reason": Text(mask=mask_text),
            "maker_number": Text(),
            "approval_uid": Uid(source="approval__uid", null=True),
            "asked_at": Moment(),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
            "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
        },
        create=Command(
            run=payers.ask_payer,
            permission=(permissions.LINES_EDIT, permissions.WARRANTY_CLAIMS_WORK),
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "reason": Text(300, min=1),
                "maker_number": Text(40, optional=True),
            },
            help="Ask that such a line goes ahead, or write down the maker's authorisation",
        ),
    )
)
