"""Money of the sale over the counter (3.2, 4.1)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Money, Text, Uid
from delivery import permissions
from delivery.models import MONEY, PaymentMethod, SalePayment
from delivery.services import sales

register(
    Resource(
        path="sale-payments",
        name="SalePayment",
        room="delivery",
        model=SalePayment,
        view=permissions.PAYMENTS_VIEW,
        help="Money received for a sale over the counter, or given back as a counter-entry; never changed (4.1).",
        lock_first=("sale",),
        shape={
            "number": Text(),
            "counter_sale_uid": Uid(source="sale__uid"),
            "method": Choice(choices=PaymentMethod),
            "amount": Money(help="Negative where money was given back."),
            "reverses_uid": Uid(source="reverses__uid", null=True),
            "reference": Text(mask=mask_text),
            "reason": Text(),
            "at": Moment(),
        },
        filters={"counter_sale_uid": Filter(field=Uid(), lookup="sale__uid")},
        create=Command(
            run=sales.take_sale_payment,
            permission=permissions.PAYMENTS_TAKE,
            input={
                "counter_sale_uid": Uid(source="sale_uid"),
                "method": Choice(choices=tuple(MONEY)),
                "amount": Money(),
                "reference": Text(60, optional=True),
            },
            help="Take a payment, in part or in full",
        ),
        actions=(
            Action(
                verb="refund",
                run=sales.refund_sale_payment,
                uid="payment_uid",
                permission=permissions.PAYMENTS_REFUND,
                input={"amount": Money(), "reason": Text(200, min=1)},
                help="Give money back; the counter-entry is a payment of its own",
            ),
        ),
    )
)
