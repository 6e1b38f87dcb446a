"""Money back for core charges, over the API (3.2, 4.1)."""

from __future__ import annotations

from dealership.kernel.api.resources import Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Money, Text, Uid
from delivery import permissions
from delivery.models import MONEY, CorePayout, PaymentMethod
from delivery.services import cores

register(
    Resource(
        path="core-payouts",
        name="CorePayout",
        room="delivery",
        model=CorePayout,
        view=permissions.PAYMENTS_VIEW,
        help="Money given back for an old part that came in after the list was signed; never changed (3.2, 4.1).",
        shape={
            "number": Text(),
            "core_charge_uid": Uid(source="core__uid"),
            "method": Choice(choices=PaymentMethod),
            "amount": Money(help="Negative: it was given back."),
            "at": Moment(),
        },
        filters={"core_charge_uid": Filter(field=Uid(), lookup="core__uid")},
        create=Command(
            run=cores.pay_core_back,
            permission=permissions.PAYMENTS_REFUND,
            input={
                "core_charge_uid": Uid(source="core_uid"),
                "method": Choice(choices=tuple(MONEY)),
                "amount": Money(),
            },
            help="Give money back",
        ),
    )
)
