"""Goodwill on lines over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Money, Text, Uid
from workshop import permissions
from workshop.goodwill_models import GoodwillBearer, LineGoodwill
from workshop.services import goodwill

register(
    Resource(
        path="line-goodwill",
        name="LineGoodwill",
        room="workshop",
        model=LineGoodwill,
        view=permissions.ORDERS_VIEW,
        help="A request that the maker or the shop bears a line out of goodwill; its approval says what became of it (3.2).",
        lock_first=("line__order", "line"),
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "bearer": Choice(choices=GoodwillBearer),
            "reason": Text(mask=mask_text),
            "amount": Money(help="The line and putting together again what it takes apart, CNY with VAT."),
            "approval_uid": Uid(source="approval__uid"),
            "asked_at": Moment(),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
            "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
        },
        create=Command(
            run=goodwill.ask_line_goodwill,
            permission=permissions.GOODWILL_ASK,
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "bearer": Choice(choices=GoodwillBearer),
                "reason": Text(300, min=1),
            },
            help="Ask that a drafted line be goodwill; it goes ahead when somebody approves",
        ),
    )
)
