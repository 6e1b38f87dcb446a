"""What payers agreed to in advance, over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Moment, Money, Text, Uid
from workshop import permissions
from workshop.services import standing
from workshop.standing_models import ConsentGiven, StandingConsent

register(
    Resource(
        path="standing-consents",
        name="StandingConsent",
        room="workshop",
        model=StandingConsent,
        view=permissions.ORDERS_VIEW,
        help="Additions up to an amount of a visit that a payer agreed to in advance (3.2).",
        lock_first=("customer",),
        shape={
            "customer_uid": Uid(source="customer__uid"),
            "up_to": Money(help="Additions of one visit, CNY with VAT."),
            "given_by": Text(mask=mask_name),
            "how": Choice(choices=ConsentGiven),
            "note": Text(mask=mask_text),
            "starts_on": Day(),
            "ends_on": Day(),
            "given_at": Moment(),
            "ended_at": Moment(null=True),
            "ended_reason": Text(mask=mask_text),
        },
        filters={"customer_uid": Filter(field=Uid(), lookup="customer__uid")},
        create=Command(
            run=standing.give_standing_consent,
            permission=permissions.AUTHORIZATIONS_RECORD,
            input={
                "customer_uid": Uid(),
                "up_to": Money(),
                "given_by": Text(60, min=1),
                "how": Choice(choices=ConsentGiven),
                "note": Text(200, optional=True),
                "ends_on": Day(),
            },
            help="Write down that a payer agrees in advance to additions up to an amount of a visit",
        ),
        actions=(
            Action(
                verb="end",
                run=standing.end_standing_consent,
                uid="uid",
                permission=permissions.AUTHORIZATIONS_RECORD,
                input={"reason": Text(200, min=1)},
                help="Take the consent back; from then on every addition is asked about",
            ),
        ),
    )
)
