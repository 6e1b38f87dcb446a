"""The insurer's case of an order: what is assessed, what is open, what the customer bears (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import DecimalField, F, Func

from dealership.catalogue.models import PayType
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.money import ZERO
from workshop.accident_models import AccidentCase, Assessment, AssessmentRow, AssessmentState, StructuralJob
from workshop.difference_models import DifferenceConsent
from workshop.limits import STRUCTURE_AMOUNT
from workshop.models import L, OrderKind, OrderLine, RepairOrder
from workshop.rules import content_hash, total_of

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


def get_difference(line_uid: UUID, by: Actor) -> tuple[OrderLine, Difference | None]:
    """An item and what the insurer has left open of it; None where nothing is."""
    rows = OrderLine.objects.for_actor(by)
    line = rows.select_related("order__customer", "order__visit__customer", "order__vehicle", "order__store").get(
        uid=line_uid
    )
    return line, next((row for row in differences_of(line.order) if row.line.pk == line.pk), None)


def get_job(uid: UUID, by: Actor) -> StructuralJob:
    return StructuralJob.objects.for_actor(by).select_related("line__order__vehicle", "line__operation").get(uid=uid)


def price_of(line: OrderLine) -> Decimal:
    return total_of([line.labor_amount, *(part.amount for part in line.part_lines.all()), line.fee_amount])


def insured_of(line_ids: Iterable[int]) -> dict[int, Decimal]:
    """What the insurer has agreed to pay of each line, by its key; a line that stands in no agreed assessment is left out.
    The database reads the same in ``workshop_insured``."""
    found: dict[int, Decimal] = {}
    rows = AssessmentRow.objects.filter(line_id__in=line_ids, assessment__state=AssessmentState.AGREED)
    for row in rows.order_by("pk"):
        found[row.line_id] = found.get(row.line_id, ZERO) + row.borne
    return found


def own_share_of(order: RepairOrder) -> Decimal:
    """3.2: what the customer bears of an order that an insurer pays, CNY with VAT: the share named in the insurer's case
    and the agreed differences. The one place where it is added up is the database's ``workshop_own_share``."""
    share = Func(F("pk"), function="workshop_own_share", output_field=DecimalField())
    return AccidentCase.objects.filter(order=order).values_list(share, flat=True).first() or ZERO


def customer_pays(order: RepairOrder, lines: Iterable[tuple[OrderLine, Decimal]]) -> Decimal:
    """3.2: what the customer pays of lines with their amounts (客户应付), CNY with VAT: what is theirs, and of what the
    insurer pays their own share, never more than it costs. The one sum for the order, the link and messages; a
    settlement list divides its total by the same share (``delivery.selectors.shares``)."""
    own, insured = ZERO, ZERO
    for line, amount in lines:
        if line.pay_type == PayType.CUSTOMER_PAY:
            own += amount
        elif line.pay_type == PayType.INSURANCE:
            insured += amount
    return own + (min(own_share_of(order), insured) if insured else ZERO)


def to_assess(case: AccidentCase) -> list[tuple[OrderLine, Decimal]]:
    """The insurer's lines with what it has not agreed to pay of each yet, CNY with VAT."""
    rows = case.order.lines.filter(pay_type=PayType.INSURANCE).exclude(state__in=ENDED)
    found = list(rows.select_related("operation").prefetch_related("part_lines", "photos").order_by("position"))
    insured = insured_of([line.pk for line in found])
    waiting = [line for line in found if line.pk not in insured or line.state in (L.DRAFT, L.PENDING)]
    left = [(line, price_of(line) - insured.get(line.pk, ZERO)) for line in waiting]
    return [(line, amount) for line, amount in left if amount > 0]


@dataclass(frozen=True, slots=True)
class Difference:
    """A line whose price is above what the insurer has agreed to; amounts CNY with VAT. ``open`` 0: it only waits to be
    released. ``reprice``: its price can be brought down to the assessment."""

    line: OrderLine
    price: Decimal
    insured: Decimal
    asked: bool
    sent: bool
    refused: DifferenceConsent | None = None
    """The customer's last no to bear it."""

    @property
    def seen_hash(self) -> str:
        """Of what a customer is shown of it, in the form that is kept with the answer."""
        shown = {
            "order": self.line.order.number,
            "line": str(self.line.uid),
            "description": self.line.description,
            "currency": "CNY",
            "price": str(self.price),
            "insured": str(self.insured),
            "open": str(self.open),
        }
        return content_hash(shown)

    @property
    def open(self) -> Decimal:
        return max(ZERO, self.price - self.insured)

    @property
    def reprice(self) -> bool:
        return self.insured > 0 and self.line.package_id is None and self.line.reassembles_id is None


def differences_of(order: RepairOrder) -> list[Difference]:
    """3.2: what waits though the insurer has answered: lines dearer than assessed, and those to be released yet."""
    rows = order.lines.filter(pay_type=PayType.INSURANCE, state__in=(L.DRAFT, L.PENDING), assessed_in__isnull=False)
    lines = list(
        rows.distinct().select_related("operation", "order").prefetch_related("part_lines").order_by("position")
    )
    insured = insured_of([line.pk for line in lines])
    asked = AssessmentRow.objects.filter(line__in=lines, assessment__state=AssessmentState.ASKED)
    waiting = set(asked.values_list("line_id", flat=True))
    refused = {row.line_id: row for row in DifferenceConsent.objects.filter(line__in=lines, agreed=False)}
    return [
        Difference(
            line, price_of(line), insured[line.pk], line.pk in waiting, line.state == L.PENDING, refused.get(line.pk)
        )
        for line in lines
        if line.pk in insured
    ]


def differences_to_bear(visit_id: int, by: Actor) -> list[Difference]:
    """What of a visit's accidents its customer is asked to bear now: sent, open, and with the insurer no more."""
    rows = RepairOrder.objects.for_actor(by).filter(visit_id=visit_id, accident__isnull=False)
    orders = rows.filter(lines__state=L.PENDING, lines__pay_type=PayType.INSURANCE).distinct().order_by("pk")
    found = [row for order in orders for row in differences_of(order)]
    return [row for row in found if row.open and row.sent and not row.asked]


@dataclass(frozen=True, slots=True)
class AccidentFile:
    case: AccidentCase | None
    may_be_case: bool
    assessments: list[Assessment]
    agreed: Decimal
    asked: bool
    left: int
    drafts: int
    share: Decimal
    differences: list[Difference]
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
    left = to_assess(case) if case is not None else []
    return AccidentFile(
        case=case,
        may_be_case=accident and case is None,
        assessments=found,
        agreed=sum((row.agreed for row in found if row.state == AssessmentState.AGREED), ZERO),
        asked=any(row.state == AssessmentState.ASKED for row in found),
        left=len(left),
        drafts=sum(line.state == L.DRAFT for line, _amount in left),
        share=own_share_of(order) if case is not None else ZERO,
        differences=differences_of(order) if case is not None else [],
        structural=structural,
        unmarked=list(open_lines.select_related("operation").order_by("position")) if accident else [],
    )


def structure_demanded(order: RepairOrder, lines: Iterable[OrderLine]) -> str | None:
    """Why the order's structure must still be declared and checked before it passes (JT/T 795): the name of a finished line
    whose operation is on the structure, '' for the amount that the insurer agreed to, None where nothing asks for it."""
    done = [line for line in lines if line.state == L.COMPLETED and line.operation_id is not None]
    marked = set(StructuralJob.objects.filter(line__order=order).values_list("line_id", flat=True))
    for line in done:
        if line.pk not in marked and line.operation is not None and line.operation.is_structural:
            return line.said
    case = accident_of(order)
    if marked or case is None:
        return None
    found = [row for row in case.assessments.prefetch_related("rows") if row.state == AssessmentState.AGREED]
    least = limits.value(STRUCTURE_AMOUNT, store_id=order.store_id, on=clock.today(order.store.time_zone))
    return "" if found and sum((row.agreed for row in found), ZERO) >= least else None
