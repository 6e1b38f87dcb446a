"""Accident repairs in the API (3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Many, Resource, register
from dealership.kernel.api.shapes import Bytes, Choice, Day, Flag, ListOf, Moment, Money, Nested, Text, Uid, Whole
from workshop import permissions
from workshop.accident_models import (
    AccidentCase,
    Assessment,
    AssessmentRow,
    AssessmentState,
    StructuralJob,
    StructureCheck,
    StructurePart,
    StructureResult,
)
from workshop.difference_models import DifferenceConsent
from workshop.models import AuthorizationMethod
from workshop.services import accidents, differences


def _rows() -> QuerySet:
    return AssessmentRow.objects.order_by("id")


def _ask(*, accident_uid: UUID, rows: list[dict[str, Any]], by: Actor, reason: str = "") -> Assessment:
    amounts: dict[UUID, Decimal] = {row["line_uid"]: row["amount"] for row in rows}
    return accidents.ask_assessment(accident_uid=accident_uid, amounts=amounts, reason=reason, by=by)


def _agree(
    *, uid: UUID, decided_by: str, by: Actor, note: str = "", rows: list[dict[str, Any]] | None = None
) -> Assessment:
    amounts: dict[UUID, Decimal] = {row["line_uid"]: row["amount"] for row in rows or []}
    return accidents.agree_assessment(uid=uid, decided_by=decided_by, note=note, amounts=amounts, by=by)


ROW = {"labor_operation_uid": Uid(source="line_uid"), "amount": Money()}
SHARE = {
    "assessor": Text(60, optional=True),
    "own_share": Money(optional=True),
    "share_agreed_by": Text(60, optional=True),
}
register(
    Resource(
        path="accidents",
        name="Accident",
        room="workshop",
        model=AccidentCase,
        view=permissions.ORDERS_VIEW,
        help="The insurer's case behind an insurance order, with the customer's own share (3.2).",
        lock_first=("order",),
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "policy_number": Text(),
            "report_number": Text(),
            "happened_on": Day(),
            "assessor": Text(mask=mask_name),
            "own_share": Money(help="What the customer bears of the bill, CNY with VAT."),
            "share_agreed_by": Text(mask=mask_name),
            "opened_at": Moment(),
        },
        filters={"repair_order_uid": Filter(field=Uid(), lookup="order__uid")},
        create=Command(
            run=accidents.open_accident,
            permission=permissions.ACCIDENTS_WORK,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "policy_number": Text(40, min=1),
                "report_number": Text(40, min=1),
                "happened_on": Day(),
                **SHARE,
            },
        ),
        actions=(
            Action(
                verb="change",
                run=accidents.change_accident,
                permission=permissions.ACCIDENTS_WORK,
                input=SHARE,
                help="Another assessor or another share of the customer (3.2)",
            ),
        ),
    )
)
register(
    Resource(
        path="assessments",
        name="Assessment",
        room="workshop",
        model=Assessment,
        view=permissions.ORDERS_VIEW,
        help="One version of what the insurer is to pay; those after the first are supplements (3.2).",
        state="state",
        lock_first=("accident__order",),
        shape={
            "accident_uid": Uid(source="accident__uid"),
            "number": Whole(),
            "reason": Text(mask=mask_text),
            "amount": Money(),
            "state": Choice(choices=AssessmentState),
            "asked_at": Moment(),
            "decided_at": Moment(null=True),
            "decided_by": Text(mask=mask_name),
            "note": Text(mask=mask_text),
            "rows": Many(
                rows=_rows,
                by="assessment_id",
                fields={
                    "labor_operation_uid": Uid(source="line__uid"),
                    "amount": Money(),
                    "agreed_amount": Money(null=True, help="What the insurer agreed to pay; null before its answer."),
                },
            ),
        },
        filters={
            "accident_uid": Filter(field=Uid(), lookup="accident__uid"),
            "state": Filter(field=Choice(choices=AssessmentState), lookup="state"),
        },
        create=Command(
            run=_ask,
            permission=permissions.ACCIDENTS_WORK,
            input={
                "accident_uid": Uid(),
                "rows": ListOf(inner=Nested(fields=ROW)),
                "reason": Text(300, optional=True),
            },
        ),
        actions=(
            Action(
                verb="agree",
                run=_agree,
                permission=permissions.AUTHORIZATIONS_RECORD,
                when={AssessmentState.ASKED},
                input={
                    "decided_by": Text(60, min=1),
                    "note": Text(300, optional=True),
                    "rows": ListOf(inner=Nested(fields=ROW), optional=True),
                },
                help="The insurer agrees, to all that was asked or to the amounts named in rows (3.2)",
            ),
            Action(
                verb="refuse",
                run=accidents.refuse_assessment,
                permission=permissions.ACCIDENTS_WORK,
                when={AssessmentState.ASKED},
                input={"decided_by": Text(60, min=1), "note": Text(300, min=1)},
                help="The insurer refuses (3.2)",
            ),
        ),
    )
)


def _answer_difference(
    *, agreed: bool = True, signature: bytes | None = None, by: Actor, **given: Any
) -> DifferenceConsent:
    if agreed:
        return differences.bear_difference(signature=signature, by=by, **given)
    return differences.decline_difference(by=by, **given)


register(
    Resource(
        path="difference-consents",
        name="DifferenceConsent",
        room="workshop",
        model=DifferenceConsent,
        view=permissions.ORDERS_VIEW,
        help="What the customer says to bear what the insurer leaves open of a line; a yes holds until ended_at (3.2).",
        lock_first=("line__order", "line"),
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "amount": Money(),
            "agreed_by": Text(mask=mask_name),
            "method": Choice(choices=AuthorizationMethod),
            "note": Text(mask=mask_text),
            "at": Moment(),
            "ended_at": Moment(null=True),
            "agreed": Flag(help="false: the customer doesn't bear it, and it stays open."),
            "seen_hash": Text(help="Of what they saw on the link."),
        },
        filters={"labor_operation_uid": Filter(field=Uid(), lookup="line__uid")},
        create=Command(
            run=_answer_difference,
            permission=permissions.AUTHORIZATIONS_RECORD,
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "agreed_by": Text(60, min=1),
                "method": Choice(choices=AuthorizationMethod),
                "amount": Money(optional=True),
                "note": Text(300, optional=True),
                "signature": Bytes(optional=True),
                "agreed": Flag(optional=True, help="false where the customer doesn't bear it."),
            },
        ),
    )
)
register(
    Resource(
        path="structural-jobs",
        name="StructuralJob",
        room="workshop",
        model=StructuralJob,
        view=permissions.ORDERS_VIEW,
        help="A line that repairs the body's structure; it has a check of its own (3.2).",
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "part": Choice(choices=StructurePart),
            "marked_at": Moment(),
        },
        filters={"labor_operation_uid": Filter(field=Uid(), lookup="line__uid")},
        create=Command(
            run=accidents.mark_structural,
            permission=permissions.STRUCTURE_MARK,
            input={"labor_operation_uid": Uid(source="line_uid"), "part": Choice(choices=StructurePart)},
        ),
    )
)
register(
    Resource(
        path="structure-checks",
        name="StructureCheck",
        room="workshop",
        model=StructureCheck,
        view=permissions.ORDERS_VIEW,
        help="What was measured of a structural repair after it; the last one counts (3.2).",
        shape={
            "structural_job_uid": Uid(source="job__uid"),
            "result": Choice(choices=StructureResult),
            "findings": Text(mask=mask_text),
            "inspector_uid": Uid(source="inspector__uid"),
            "at": Moment(),
        },
        filters={"structural_job_uid": Filter(field=Uid(), lookup="job__uid")},
        create=Command(
            run=accidents.check_structure,
            permission=permissions.STRUCTURE_CHECK,
            input={
                "structural_job_uid": Uid(source="job_uid"),
                "result": Choice(choices=StructureResult),
                "findings": Text(500, min=1),
            },
        ),
    )
)
