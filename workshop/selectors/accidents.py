"""The insurer's case of an order: what is assessed, what is open, what the customer bears (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from dealership.catalogue.models import PayType
from dealership.kernel.actors import Actor
from dealership.kernel.money import ZERO
from workshop.accident_models import AccidentCase, Assessment, AssessmentRow, AssessmentState, StructuralJob
from workshop.models import L, OrderKind, OrderLine, RepairOrder
from workshop.rules import total_of

ENDED = (L.CANCELLED, L.WITHDRAWN, L.DECLINED, L.INSPECTED)


def accident_of(order: RepairOrder) -> AccidentCase | None:
    return AccidentCase.objects.filter(order=order).select_related("order__customer", "order__vehicle").first()


def get_accident(uid: UUID, by: Actor) -> AccidentCase:
    rows = AccidentCase.objects.for_actor(by)
    return rows.select_related("order__customer", "order__vehicle", "order__visit", "order__store").get(uid=uid)


def get_assessment(uid: UUID, by: Actor) -> Assessment:
    rows = Assessment.objects.for_actor(by)
    return rows.select_related("accident__order__customer", "accident__order__vehicle", "accident__order__visit").get(
        uid=uid
    )


def get_job(uid: UUID, by: Actor) -> StructuralJob:
    return StructuralJob.objects.for_actor(by).select_related("line__order__vehicle", "line__operation").get(uid=uid)


def price_of(line: OrderLine) -> Decimal:
    return total_of([line.labor_amount, *(part.amount for part in line.part_lines.all()), line.fee_amount])


def to_assess(case: AccidentCase) -> list[OrderLine]:
    """The insurer's lines that it has not agreed to in an assessment."""
    agreed = AssessmentRow.objects.filter(assessment__state=AssessmentState.AGREED).values("line_id")
    rows = case.order.lines.filter(pay_type=PayType.INSURANCE).exclude(state__in=ENDED).exclude(pk__in=agreed)
    return list(rows.select_related("operation").prefetch_related("part_lines", "photos").order_by("position"))


@dataclass(frozen=True, slots=True)
class AccidentFile:
    case: AccidentCase | None
    may_be_case: bool
    assessments: list[Assessment]
    agreed: Decimal
    asked: bool
    left: int
    structural: list[StructuralJob]
    unmarked: list[OrderLine]


def accident_file(order: RepairOrder) -> AccidentFile:
    """All that the order's page shows of an accident; the structure's jobs also where no insurer pays."""
    case = accident_of(order)
    found: list[Assessment] = []
    if case is not None:
        found = list(
            case.assessments.prefetch_related("rows__line__operation", "rows__line__photos").order_by("number")
        )
    jobs = StructuralJob.objects.filter(line__order=order).select_related("line__operation")
    structural = list(jobs.prefetch_related("checks__inspector").order_by("pk"))
    marked = [job.line_id for job in structural]
    open_lines = order.lines.exclude(state__in=ENDED).exclude(pk__in=marked).exclude(is_diagnosis=True)
    accident = order.kind == OrderKind.INSURANCE
    return AccidentFile(
        case=case,
        may_be_case=accident and case is None,
        assessments=found,
        agreed=sum((row.amount for row in found if row.state == AssessmentState.AGREED), ZERO),
        asked=any(row.state == AssessmentState.ASKED for row in found),
        left=len(to_assess(case)) if case is not None else 0,
        structural=structural,
        unmarked=list(open_lines.select_related("operation").order_by("position")) if accident else [],
    )
