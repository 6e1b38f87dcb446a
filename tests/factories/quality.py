"""The three inspections that the law asks of second-class maintenance, assembly and whole-vehicle repair, for tests."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dealership.catalogue.check_models import READINGS, CheckItem, CheckKind, CheckStage, CheckTemplate
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import Store
from staff.models import Employee
from workshop.check_models import CheckAnswer, CheckSheet, SheetState, Verdict
from workshop.models import RepairOrder, ToolAsset
from workshop.rules import CERTIFICATE_CATEGORIES
from workshop.selectors.sheets import bounds_for, items_for
from workshop.services import tools
from workshop.tool_models import SheetTool


def gauge(store: Store, keeper: Employee, number: str = "QC-1") -> ToolAsset:
    """A measuring instrument of the store that is in date."""
    there = ToolAsset.objects.filter(store=store, number=number).first()
    if there is not None:
        return there
    setup, today = machine("test", store_id=store.pk), clock.today(store.time_zone)
    made = tools.register_tool(
        number=number, name="制动检验台", kind="BRAKE_TESTER", place="检测区", keeper_uid=keeper.uid, by=setup
    )
    tools.check_tool(
        uid=made.uid, done_on=today - timedelta(days=1), result="PASSED", body="示例计量所",
        certificate_number="JL-9", by=setup,
    )  # fmt: skip
    return ToolAsset.objects.get(pk=made.pk)


def good_value(item: CheckItem, sheet: CheckSheet) -> Decimal:
    """A value that is good by the bounds of the car."""
    return bounds_for(item, model_id=sheet.vehicle.model_id, powertrain=sheet.powertrain).good()


def good_answers(sheet: CheckSheet) -> list[CheckAnswer]:
    return [
        CheckAnswer(
            sheet=sheet,
            item=item,
            verdict=Verdict.GREEN,
            readings=[good_value(item, sheet)] * READINGS[CheckKind(item.kind)] if item.kind in READINGS else [],
        )
        for item in items_for(sheet.template_id, sheet.powertrain)
        if item.kind not in (CheckKind.NOTE, CheckKind.PHOTO)
    ]


def begin_stage(order: RepairOrder, stage: str) -> CheckSheet:
    template = CheckTemplate.objects.filter(stage=stage, state="RELEASED").order_by("-number")[0]
    turn = order.sheets.filter(template=template).count() + 1
    return CheckSheet.objects.create(
        store=order.store, order=order, vehicle=order.vehicle, template=template,
        powertrain=order.vehicle.powertrain or "ICE", turn=turn, started_at=clock.now(),
    )  # fmt: skip


def sign_stage(order: RepairOrder, stage: str, by: Employee, tool: ToolAsset) -> CheckSheet:
    sheet = begin_stage(order, stage)
    CheckAnswer.objects.bulk_create(good_answers(sheet))
    SheetTool.objects.create(sheet=sheet, tool=tool)
    sheet.state, sheet.signed_at, sheet.signed_by = SheetState.SIGNED, clock.now(), by
    sheet.save(update_fields=["state", "signed_at", "signed_by"])
    return sheet


def sign_stages(order: RepairOrder, by: Employee) -> None:
    """All three sheets, nothing bad on them, where the order's work needs them and hasn't them since the last work."""
    if not order.lines.filter(category__in=CERTIFICATE_CATEGORIES).exists():
        return
    tool = gauge(order.store, by)
    for stage in CheckStage.values:
        sign_stage(order, stage, by, tool)
