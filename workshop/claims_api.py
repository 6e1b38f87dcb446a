"""Resource of the demands under 三包 (domain 3.6, art. 28); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Command, Filter, One, Resource, register
from dealership.kernel.api.shapes import Choice, Flag, Moment, Money, Number, Text, Uid, Whole
from workshop import permissions
from workshop.claim_models import ClaimRefusal, ClaimRemedy, ClaimState, StatutoryClaim
from workshop.services import claims

OPEN, GRANTED = ClaimState.OPEN, ClaimState.GRANTED

register(
    Resource(
        path="statutory-claims",
        name="StatutoryClaim",
        room="workshop",
        model=StatutoryClaim,
        view=permissions.FAULTS_VIEW,
        help="What an owner demands under the statutory warranty, with its two clocks and the answer (3.2).",
        state="state",
        shape={
            "number": Text(),
            "state": Choice(choices=ClaimState),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "customer_uid": Uid(source="customer__uid"),
            "remedy": Choice(choices=ClaimRemedy),
            "words": Text(mask=mask_text),
            "asked_at": Moment(),
            "odometer_km": Whole(),
            "grounds_hash": Text(help="SHA-256 of what the rules said when the demand was entered."),
            "right_stands": Flag(help="The demand's own condition was met then."),
            "pays_for_use": Flag(help="The right stands on article 24 alone, so the use is paid for (art. 27)."),
            "answer_due_at": Moment(help="The end of the last working day for the answer."),
            "finish_due_at": Moment(help="The end of the last working day for carrying it out."),
            "answered_at": Moment(null=True),
            "answer": Text(mask=mask_text),
            "refusal": Choice(choices=ClaimRefusal, null=True),
            "car_price": Money(null=True),
            "coefficient": Number(5, null=True),
            "use_fee": Money(null=True),
            "ended_at": Moment(null=True),
            "result": Text(mask=mask_text),
        },
        filters={
            "state": Filter(field=Choice(choices=ClaimState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
        },
        expand={
            "vehicle": One(target="vehicles", source="vehicle__uid"),
            "customer": One(target="customers", source="customer__uid"),
        },
        create=Command(
            run=claims.open_claim,
            permission=permissions.CLAIMS_OPEN,
            input={
                "vehicle_uid": Uid(),
                "customer_uid": Uid(),
                "remedy": Choice(choices=ClaimRemedy),
                "words": Text(1000, min=1),
                "asked_at": Moment(optional=True, null=True),
                "odometer_km": Whole(0, 2_000_000, optional=True, null=True),
            },
            help="Enter a demand; the working days for the answer begin",
        ),
        actions=(
            Action(
                verb="grant",
                run=claims.grant_claim,
                permission=permissions.CLAIMS_ANSWER,
                when={OPEN},
                input={
                    "answer": Text(1000, min=1),
                    "car_price": Money(optional=True, null=True),
                    "coefficient": Number(5, optional=True, null=True, help="As a fraction: 0.005 is 0.5 %."),
                },
                help="Grant it (art. 28)",
            ),
            Action(
                verb="refuse",
                run=claims.refuse_claim,
                permission=permissions.CLAIMS_ANSWER,
                when={OPEN},
                input={"refusal": Choice(choices=ClaimRefusal), "answer": Text(1000, min=1)},
                help="Refuse it with its reason (art. 28)",
            ),
            Action(
                verb="finish",
                run=claims.finish_claim,
                permission=permissions.CLAIMS_ANSWER,
                when={GRANTED},
                input={"result": Text(500, min=1)},
                help="It is carried out",
            ),
            Action(
                verb="withdraw",
                run=claims.withdraw_claim,
                permission=permissions.CLAIMS_OPEN,
                when={OPEN, GRANTED},
                input={"result": Text(500, min=1)},
                help="The owner takes it back",
            ),
        ),
    )
)
