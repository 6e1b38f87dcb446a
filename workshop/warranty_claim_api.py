"""Claims to the maker in the API (3.2)."""

from __future__ import annotations

from django.db.models import QuerySet

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Many, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Flag, ListOf, Moment, Money, Text, Uid, Whole
from workshop import permissions
from workshop.services import warranty_claims
from workshop.warranty_claim_models import ShopBears, WarrantyClaim, WarrantyClaimLine, WarrantyClaimState

W = WarrantyClaimState
ACCOUNT = Choice(choices=ShopBears, optional=True, help="On what account the shop bears what the maker doesn't pay.")


def _claim_lines() -> QuerySet:
    return WarrantyClaimLine.objects.order_by("id")


register(
    Resource(
        path="warranty-claims",
        name="WarrantyClaim",
        room="workshop",
        model=WarrantyClaim,
        view=permissions.WARRANTY_CLAIMS_VIEW,
        help="What one order's warranty repair costs the maker: papers, submission, verdict, money (3.2).",
        state="state",
        lock_first=("order",),
        shape={
            "number": Text(),
            "repair_order_uid": Uid(source="order__uid"),
            "state": Choice(choices=W),
            "told_free": Flag(help="The customer was told that it is free; it never comes back to them."),
            "opened_at": Moment(),
            "authorised_as": Text(help="The maker's yes before the repair."),
            "repaired_on": Day(null=True),
            "submit_until": Day(null=True),
            "reference": Text(help="The maker's claim number."),
            "claimed_amount": Money(),
            "submitted_on": Day(null=True),
            "times_submitted": Whole(),
            "late_reason": Text(mask=mask_text),
            "return_reason": Text(mask=mask_text),
            "approved_amount": Money(null=True),
            "decided_on": Day(null=True),
            "reason": Text(mask=mask_text),
            "shop_bears": Choice(choices=ShopBears, null=True),
            "paid_amount": Money(null=True),
            "paid_on": Day(null=True),
            "payment_reference": Text(),
            "ended_at": Moment(null=True),
            "lines": Many(
                rows=_claim_lines,
                by="claim_id",
                fields={"labor_operation_uid": Uid(source="line__uid"), "live": Flag()},
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=W), lookup="state"),
            "repair_order_uid": Filter(field=Uid(), lookup="order__uid"),
        },
        create=Command(
            run=warranty_claims.open_warranty_claim,
            permission=permissions.WARRANTY_CLAIMS_WORK,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "labor_operation_uids": ListOf(inner=Uid(), optional=True, source="line_uids"),
                "told_free": Flag(optional=True),
            },
        ),
        actions=(
            Action(
                verb="ask",
                run=warranty_claims.ask_maker,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.JUDGED},
                help="The maker has to say yes first (3.2)",
            ),
            Action(
                verb="start",
                run=warranty_claims.start_warranty_repair,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.JUDGED, W.TO_AUTHORISE},
                input={"authorised_as": Text(40, optional=True)},
                help="The repair goes ahead at the maker's cost (3.2)",
            ),
            Action(
                verb="complete",
                run=warranty_claims.complete_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.REPAIRING},
                help="All papers are there (3.2)",
            ),
            Action(
                verb="submit",
                run=warranty_claims.submit_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.COMPLETE, W.RETURNED},
                input={"reference": Text(40, min=1), "late_reason": Text(200, optional=True)},
                help="It goes to the maker (3.2)",
            ),
            Action(
                verb="return",
                run=warranty_claims.return_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.SUBMITTED},
                input={"reason": Text(300, min=1)},
                help="The maker sends it back (3.2)",
            ),
            Action(
                verb="approve",
                run=warranty_claims.approve_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.SUBMITTED},
                input={"amount": Money(), "reason": Text(300, optional=True), "shop_bears": ACCOUNT},
                help="The maker approves it, in full or in part (3.2)",
            ),
            Action(
                verb="reject",
                run=warranty_claims.reject_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.TO_AUTHORISE, W.SUBMITTED},
                input={"reason": Text(300, min=1), "shop_bears": ACCOUNT},
                help="The maker doesn't pay (3.2)",
            ),
            Action(
                verb="withdraw",
                run=warranty_claims.withdraw_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_WORK,
                when={W.JUDGED, W.TO_AUTHORISE, W.REPAIRING, W.COMPLETE, W.RETURNED},
                input={"reason": Text(300, min=1), "shop_bears": ACCOUNT},
                help="The shop gives it up (3.2)",
            ),
            Action(
                verb="pay",
                run=warranty_claims.pay_warranty_claim,
                permission=permissions.WARRANTY_CLAIMS_PAY,
                when={W.APPROVED},
                input={
                    "amount": Money(),
                    "reference": Text(40, min=1),
                    "paid_on": Day(optional=True),
                    "reason": Text(300, optional=True),
                    "shop_bears": ACCOUNT,
                },
                help="The maker has paid (3.2)",
            ),
        ),
    )
)
