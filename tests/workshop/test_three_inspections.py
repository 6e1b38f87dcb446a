"""Domain 3.4: second-class maintenance, assembly and whole-vehicle repair are inspected before, during and after the work."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from compliance.order_file import file_rows
from dealership.catalogue.check_models import CheckStage, CheckTemplate
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.floor import actor, at, clock_at, work
from tests.factories.quality import begin_stage, gauge, good_answers, sign_stage
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_inspections import INSERT, Crew, stage
from workshop.check_models import CheckAnswer, CheckSheet, SheetState, Verdict
from workshop.check_rules import Bounds
from workshop.documents import quality_data, quality_pdf, say_bounds
from workshop.models import Inspection, InspectionTool, OrderLine
from workshop.selectors.quality import quality_of
from workshop.selectors.sheets import read_sheet, sheets_to_begin, stages_of
from workshop.services import inspections, sheets, tools
from workshop.tool_models import SheetTool


@pytest.fixture
def nine():
    with clock_at(9):
        yield


class Quality(Crew):
    """Finished second-class maintenance that has passed self check and team check."""

    def __init__(self) -> None:
        super().__init__()
        self.order, [self.line] = self.finished("MT-80")
        self.gauge = gauge(self.floor.shop.store, self.inspector)
        for level in ("SELF", "TEAM"):
            self.inspect(self.order, level)

    def final(self, **more):
        return inspections.inspect_order(
            order_uid=self.order.uid, level="FINAL", result="PASSED", by=actor(self.inspector), **more
        )

    def sign(self, stage: str, by=None) -> CheckSheet:
        return sign_stage(self.order, stage, by or self.inspector, self.gauge)

    def lacks(self) -> list[str]:
        return [row.lacks for row in stages_of(self.order, self.order.lines.all())]


@pytest.mark.django_db
def test_such_work_passes_only_with_its_three_sheets_signed(refused, nine):
    crew = Quality()
    assert crew.lacks() == ["SHEET", "SHEET", "SHEET"]
    row = [crew.floor.shop.store.pk, crew.order.pk, "FINAL", crew.inspector.pk, at(10)]
    for each in CheckStage.values:
        before = Inspection.objects.count()
        with rule("inspection.stages"):
            crew.final()
        with refused("inspection_stages_signed") as sql:
            sql(INSERT, row)
        assert Inspection.objects.count() == before
        crew.sign(each)
    assert crew.lacks() == ["", "", ""]
    made = crew.final()
    assert [used.tool for used in made.instruments.all()] == [crew.gauge], "those of the sheet at completion"
    assert stage(crew.order) == "READY"


@pytest.mark.django_db
def test_an_open_sheet_one_from_before_the_last_work_or_something_bad_does_not_let_it_pass(refused, nine):
    crew = Quality()
    crew.sign("BEFORE")
    crew.sign("PROCESS")
    opened = begin_stage(crew.order, "FINAL")
    with rule("inspection.stages"):
        crew.final()
    assert crew.lacks() == ["", "", "SIGNATURE"]
    CheckAnswer.objects.bulk_create(good_answers(opened))
    weak = CheckAnswer.objects.get(sheet=opened, item__code="Q-BRAKE")
    weak.readings, weak.verdict, weak.note = [Decimal(51)], Verdict.RED, "左前制动力不足"
    weak.save()
    sheets.sign_sheet(uid=opened.uid, instrument_uids=[crew.gauge.uid], by=actor(crew.inspector))
    assert crew.lacks() == ["", "", "BAD"]
    row = [crew.floor.shop.store.pk, crew.order.pk, "FINAL", crew.inspector.pk, at(11)]
    with rule("inspection.stages"):
        crew.final()
    with refused("inspection_stages_signed") as sql:
        sql(INSERT, row)
    with clock_at(11):
        crew.inspect(
            crew.order, "FINAL", "FAILED", reason="制动力不足", cause="ADJUSTMENT", failed_line_uid=crew.line.uid
        )
    with clock_at(12):
        crew.line.refresh_from_db()
        work(crew.floor, crew.line, crew.worker)
    with clock_at(13):
        crew.inspect(crew.order, "SELF")
        crew.inspect(crew.order, "TEAM")
        assert crew.lacks() == ["", "", "AGAIN"]
        again = sheets.begin_sheet(
            order_uid=crew.order.uid,
            template_uid=CheckTemplate.objects.get(code="QC-FINAL").uid,
            by=actor(crew.inspector),
        )
        assert again.turn == 2
        CheckAnswer.objects.bulk_create(good_answers(again))
        sheets.sign_sheet(uid=again.uid, instrument_uids=[crew.gauge.uid], by=actor(crew.inspector))
        crew.final()
    assert stage(crew.order) == "READY"


@pytest.mark.django_db
def test_who_may_sign_which_and_never_ones_own_work_at_completion(refused, nine):
    crew = Quality()
    sheet = begin_stage(crew.order, "PROCESS")
    CheckAnswer.objects.bulk_create(good_answers(sheet))
    with pytest.raises(NotAllowed):
        sheets.sign_sheet(uid=sheet.uid, by=actor(crew.worker))
    sheets.sign_sheet(uid=sheet.uid, by=actor(crew.leader))  # nothing is measured on it
    final = begin_stage(crew.order, "FINAL")
    CheckAnswer.objects.bulk_create(good_answers(final))
    with pytest.raises(NotAllowed):
        sheets.sign_sheet(uid=final.uid, instrument_uids=[crew.gauge.uid], by=actor(crew.leader))
    SheetTool.objects.create(sheet=final, tool=crew.gauge)
    rows = list(CheckSheet.objects.values())
    with refused("checksheet_final_by_other") as sql:
        sql(SIGN, [clock.now(), crew.worker.pk, final.pk])
    assert list(CheckSheet.objects.values()) == rows


SIGN = "UPDATE workshop_checksheet SET state = 'SIGNED', signed_at = %s, signed_by_id = %s WHERE id = %s"
NAME = "INSERT INTO workshop_sheettool (sheet_id, tool_id) VALUES (%s, %s)"


@pytest.mark.django_db
def test_what_was_measured_names_an_instrument_that_is_in_order_and_in_date(refused, nine):
    crew = Quality()
    store = crew.floor.shop.store
    sheet = begin_stage(crew.order, "FINAL")
    CheckAnswer.objects.bulk_create(good_answers(sheet))
    keeper = actor(crew.floor.hire("parts", name="库试管"))
    facts = {"place": "A1", "keeper_uid": crew.inspector.uid, "by": keeper}
    late = tools.register_tool(number="QC-2", name="胎压表", kind="TYRE_GAUGE", **facts)
    reader = tools.register_tool(number="QC-3", name="诊断仪", kind="DIAGNOSTIC", **facts)
    for used, code in (
        ([], "sheet.instruments"),
        ([reader.uid], "sheet.instruments"),  # it reads, it doesn't measure
        ([late.uid], "tool.expired"),
    ):
        before = list(CheckSheet.objects.values()), SheetTool.objects.count()
        with rule(code):
            sheets.sign_sheet(uid=sheet.uid, instrument_uids=used, by=actor(crew.inspector))
        assert (list(CheckSheet.objects.values()), SheetTool.objects.count()) == before
    with refused("checksheet_measured_with") as sql:
        sql(SIGN, [clock.now(), crew.inspector.pk, sheet.pk])
    with refused("checksheet_tools_in_date") as sql:
        sql(NAME, [sheet.pk, crew.gauge.pk])
        sql(NAME, [sheet.pk, late.pk])
        sql(SIGN, [clock.now(), crew.inspector.pk, sheet.pk])
    broken = gauge(store, crew.inspector, "QC-4")
    tools.report_damage(uid=broken.uid, note="摔坏", by=keeper)
    with refused("sheettool_in_order") as sql:
        sql(NAME, [sheet.pk, broken.pk])
    sheets.sign_sheet(uid=sheet.uid, instrument_uids=[crew.gauge.uid], by=actor(crew.inspector))
    event = History.objects.filter(code="workshop.check_sheet.signed").latest("id")
    assert event.facts["instruments"] == [str(crew.gauge.uid)]
    with refused("sheettool_while_open") as sql:
        sql(NAME, [sheet.pk, reader.pk])
    with refused("sheettool_append_only") as sql:
        sql("DELETE FROM workshop_sheettool")


@pytest.mark.django_db
def test_a_final_inspection_of_such_work_names_what_it_was_measured_with_and_a_puncture_needs_nothing(refused, nine):
    crew = Quality()
    for each in CheckStage.values:
        crew.sign(each)
    rows = list(Inspection.objects.values())
    with refused("inspection_measured_with") as sql:
        sql(INSERT, [crew.floor.shop.store.pk, crew.order.pk, "FINAL", crew.inspector.pk, at(10)])
    reader = tools.register_tool(
        number="QC-3", name="诊断仪", kind="DIAGNOSTIC", place="A1", keeper_uid=crew.inspector.uid,
        by=actor(crew.floor.hire("parts", name="库试管")),
    )  # fmt: skip
    with rule("inspection.instruments"):
        crew.final(instrument_uids=[reader.uid])
    assert list(Inspection.objects.values()) == rows
    crew.final(instrument_uids=[crew.gauge.uid])
    crew.worker = crew.floor.technician("袁试工")
    minor, _lines = crew.finished("MT-50")
    for level in ("SELF", "TEAM", "FINAL"):
        if level == "TEAM" and stage(minor) != "INSPECTION":
            continue
        inspections.inspect_order(
            order_uid=minor.uid, level=level, result="PASSED", road_test_km=1,
            by=actor({"SELF": crew.worker, "TEAM": crew.leader, "FINAL": crew.inspector}[level]),
        )  # fmt: skip
    assert (stage(minor), InspectionTool.objects.filter(inspection__order=minor).count()) == ("READY", 0)


@pytest.mark.django_db
def test_the_sheets_are_offered_where_the_work_needs_them_and_again_only_after_work(refused, nine):
    crew = Quality()
    day = clock.today()
    codes = {row.code for row in sheets_to_begin(crew.order, day)}
    assert {"QC-BEFORE", "QC-PROCESS", "QC-FINAL"} <= codes
    signed = crew.sign("FINAL")
    assert "QC-FINAL" not in {row.code for row in sheets_to_begin(crew.order, day)}
    with rule("sheet.there"):
        sheets.begin_sheet(order_uid=crew.order.uid, template_uid=signed.template.uid, by=actor(crew.inspector))
    with refused("checksheet_again") as sql:  # a turn without the one before
        sql(
            "INSERT INTO workshop_checksheet (uid, version, created_at, updated_at, store_id, order_id, vehicle_id,"
            " template_id, powertrain, turn, state, started_at) SELECT gen_random_uuid(), 1, now(), now(), store_id,"
            " order_id, vehicle_id, template_id, powertrain, 3, 'OPEN', now() FROM workshop_checksheet"
        )
    crew.worker = crew.floor.technician("袁试工")
    other, _lines = crew.finished("BR-10")
    assert not {row.code for row in sheets_to_begin(other, day)} & {"QC-BEFORE", "QC-PROCESS", "QC-FINAL"}


@pytest.mark.django_db
def test_the_inspector_sees_the_three_signs_with_the_instrument_and_prints_the_sheet(nine):
    crew = Quality()
    for each in ("BEFORE", "PROCESS"):
        crew.sign(each)
    client = client_of(crew.inspector)
    address = reverse("order-inspect", args=[crew.order.uid, "final"])
    page = english(client, address)
    for words in ("The three inspections of this work", "Check at completion", "missing"):
        assert words in page
    refused = client.post(address, {"result": "PASSED"})
    assert (refused.status_code, Inspection.objects.filter(level="FINAL").count()) == (422, 0)
    template = CheckTemplate.objects.get(code="QC-FINAL")
    row = page[page.index("Check at completion") :]
    assert f'form="begin-{template.uid}"' in row[: row.index("</li>")], "it is begun where it is missing"
    begun = client.post(reverse("check-sheet-begin", args=[crew.order.uid]), {"template": template.uid})
    assert begun.status_code == 302
    sheet = CheckSheet.objects.get(order=crew.order, template=template)
    CheckAnswer.objects.bulk_create(good_answers(sheet))
    page = english(client, begun["Location"])
    assert "Measured with" in page
    assert f'value="{crew.gauge.uid}"' in page
    sign = reverse("check-sheet-sign", args=[sheet.uid])
    client.post(sign, {"instruments": "none"})
    client.post(sign, {})
    sheet.refresh_from_db()
    assert sheet.state == SheetState.OPEN
    client.post(sign, {"instruments": str(crew.gauge.uid)})
    sheet.refresh_from_db()
    assert sheet.state == SheetState.SIGNED
    assert "measured with" in english(client, begun["Location"])
    answer = client.post(address, {"result": "PASSED"})
    assert answer.status_code == 302, answer.context["form"].errors
    pdf = reverse("order-quality-pdf", args=[crew.order.uid])
    assert pdf in client.get(reverse("order-detail", args=[crew.order.uid])).content.decode()
    assert client.get(pdf).content.startswith(b"%PDF-")


@pytest.mark.django_db
def test_who_may_not_sign_reads_who_does(nine):
    crew = Quality()
    final, process = (begin_stage(crew.order, each) for each in ("FINAL", "PROCESS"))
    for person, sheet, words in (
        (crew.worker, process, "signed by who does team checks"),
        (crew.leader, final, "signed by who does final inspections"),
        (crew.inspector, final, ""),
    ):
        page = english(client_of(person), reverse("check-sheet", args=[sheet.uid]))
        assert ("This sheet is signed by" in page) is bool(words)
        assert words in page


@pytest.mark.django_db
def test_the_paper_says_what_was_measured_with_bounds_who_when_and_with_what(nine):
    crew = Quality()
    for each in CheckStage.values:
        crew.sign(each)
    crew.final()
    data = quality_data(quality_of(crew.order.uid, actor(crew.inspector)))
    assert [part["title"] for part in data["sheets"]] == ["维修前诊断检验", "维修过程检验", "竣工检验"]
    rows = {row[0]: row for row in data["sheets"][2]["rows"]}
    assert rows["整车制动率"][1:4] == ["61 %", "≥ 60 %", "良好"]
    assert rows["转向轮横向侧滑量"][1:3] == ["0 m/km", "-5–5 m/km"]
    assert data["sheets"][2]["tools"][1] == "QC-1 制动检验台"
    assert crew.inspector.name in data["sheets"][2]["signed"]
    assert [row[2] for row in data["levels"]] == [crew.worker.name, crew.leader.name, crew.inspector.name]
    assert quality_pdf(quality_of(crew.order.uid, actor(crew.inspector))).startswith(b"%PDF-")
    kept = file_rows(crew.order)["sheets"]
    assert [row["stage"] for row in kept] == ["BEFORE", "PROCESS", "FINAL"]
    assert kept[2]["instruments"] == [{"number": "QC-1", "name": "制动检验台", "serial": ""}]
    assert read_sheet(CheckSheet.objects.get(template__stage="FINAL")).red == 0
    assert OrderLine.objects.get().state == "INSPECTED"


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (Bounds(Decimal("1.60"), Decimal(3), None, None), "≥ 1.6 mm"),
        (Bounds(None, None, Decimal(20), Decimal(24)), "≤ 24 mm"),
        (Bounds(Decimal(-5), None, None, Decimal(5)), "-5–5 mm"),
        (Bounds(), ""),
    ],
)
def test_bounds_are_said_as_what_is_not_bad(bounds: Bounds, said: str) -> None:
    assert say_bounds(bounds, "mm") == said
