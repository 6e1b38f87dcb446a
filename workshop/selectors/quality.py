"""The quality inspection sheet (汽车维修质量检验单) of an order, as its paper shows it (3.2, domain 3.4 and 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from dealership.catalogue.check_models import CheckStage
from dealership.kernel.actors import Actor
from workshop.check_models import SheetState
from workshop.models import Certificate, Inspection, OrderLine, RepairOrder
from workshop.rules import certificate_category
from workshop.selectors.same_work import GONE
from workshop.selectors.sheets import Sheet, read_sheets


@dataclass(frozen=True, slots=True)
class QualityPaper:
    """The signed sheets of the three inspections, the newest of each, with the levels that passed and the certificate."""

    order: RepairOrder
    category: str
    lines: list[OrderLine]
    sheets: list[Sheet]
    inspections: list[Inspection]
    certificate: Certificate | None


def has_quality_sheet(order: RepairOrder) -> bool:
    return order.sheets.filter(state=SheetState.SIGNED).exclude(template__stage="").exists()


def quality_of(uid: UUID, by: Actor) -> QualityPaper:
    """The paper of an order in the actor's stores; without sheets where none of the three is signed yet."""
    order = RepairOrder.objects.for_actor(by).select_related("vehicle", "visit", "store", "customer").get(uid=uid)
    rows = (
        order.sheets.filter(state=SheetState.SIGNED)
        .exclude(template__stage="")
        .select_related("template", "vehicle", "store", "signed_by", "order__visit")
        .prefetch_related("instruments__tool")
        .order_by("turn", "id")
    )
    newest = {row.template.code: row for row in rows}
    stages = CheckStage.values
    ordered = sorted(newest.values(), key=lambda row: (stages.index(row.template.stage), row.pk))
    lines = list(order.lines.exclude(state__in=GONE).order_by("position"))
    checks = order.inspections.select_related("inspector", "road_test_driver", "failed_line").order_by("id")
    return QualityPaper(
        order=order,
        category=certificate_category(line.category for line in lines) or "",
        lines=lines,
        sheets=read_sheets(ordered),
        inspections=list(checks),
        certificate=order.certificates.filter(voided_at__isnull=True).first(),
    )
