"""3.4: tools go out and come back by scanning, are tested at intervals, and nobody gets or names what isn't fit."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Message, StoredFile
from dealership.process.selectors.figures import read, rows_behind
from dealership.process.services.rollup import recompute_touched
from staff.models import EmployeeSkill
from tests.factories.floor import DAY, Floor, actor, clock_at, make_agreed, make_floor
from tests.factories.reception import make_picture, rule
from tests.workshop.test_floor_pages import client_of, english
from workshop import tool_rules
from workshop.models import Inspection, InspectionTool, ToolAsset, ToolCheck, ToolIssue
from workshop.selectors import plan
from workshop.services import clocking, inspections, tools
from workshop.services.gloves import look_at_gloves
from workshop.tasks import remind_of_tools
from workshop.tool_models import CLASS_OF, TESTED_KINDS, AssetKind

PDF = b"%PDF-1.4 calibration"


@pytest.fixture
def nine():
    with clock_at(9):
        yield


class Crib:
    """A floor with people around the tools."""

    def __init__(self) -> None:
        self.floor: Floor = make_floor()
        self.keeper = self.floor.hire("parts", name="库试管")
        self.director = self.floor.hire("techdirector", name="总试工")
        self.technician = self.floor.technician("高试工")
        self.parts, self.techdirector, self.worker = map(actor, (self.keeper, self.director, self.technician))
        self.numbers = 0

    def tool(self, kind: str = "GENERAL", *, tested: int | None = None, **values) -> ToolAsset:
        """A tool; ``tested`` so many days ago."""
        self.numbers += 1
        given = {
            "number": f"G-{self.numbers:04d}",
            "name": "扳手",
            "place": "A1",
            "keeper_uid": self.keeper.uid,
        } | values
        made = tools.register_tool(kind=kind, by=self.parts, **given)
        if tested is not None:
            self.test(made, done_on=DAY - timedelta(days=tested))
        return ToolAsset.objects.get(pk=made.pk)

    def test(self, tool: ToolAsset, *, done_on: date = DAY, result: str = "PASSED", **values) -> ToolCheck:
        given = {"body": "市计量所", "certificate_number": "JL-1"} | values
        return tools.check_tool(uid=tool.uid, done_on=done_on, result=result, by=self.techdirector, **given)


def told(tool: ToolAsset) -> list[str]:
    codes = History.objects.filter(root_uid=tool.uid).order_by("id").values_list("code", flat=True)
    return [code.removeprefix("workshop.tool.") for code in codes]


# --- rules ---


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 60))
def test_an_interval_ends_on_the_day_before_its_day_comes_again(day: date, months: int) -> None:
    last = tool_rules.good_until(day, months)
    assert day < last + timedelta(days=1)
    assert tool_rules.months_after(day, months) == last + timedelta(days=1)
    assert (last + timedelta(days=1)).day <= day.day
    assert tool_rules.due(check_months=months, valid_until=last, today=last, soon_days=0) == "soon"
    assert (
        tool_rules.due(check_months=months, valid_until=last, today=last + timedelta(days=1), soon_days=9) == "overdue"
    )
    assert tool_rules.due(check_months=months, valid_until=last, today=last - timedelta(days=9), soon_days=8) == "later"


def test_months_have_their_lengths() -> None:
    assert tool_rules.good_until(date(2026, 3, 1), 12) == date(2027, 2, 28)
    assert tool_rules.good_until(date(2026, 8, 31), 6) == date(2027, 2, 27)
    assert tool_rules.due(check_months=None, valid_until=None, today=DAY, soon_days=30) == "none"
    assert tool_rules.due(check_months=6, valid_until=None, today=DAY, soon_days=30) == "overdue"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (" g-0001 ", "G-0001"),
        ("https://shop.example/tools/scan/?code=G-0001", "G-0001"),
        ("https://shop.example/tools/scan/?x=1&code=g-2#top", "G-2"),
        ("", ""),
    ],
)
def test_a_number_is_read_from_the_label(typed: str, number: str) -> None:
    assert tool_rules.number_meant(typed) == number


def test_every_kind_has_its_class_and_what_the_norms_ask_is_tested() -> None:
    assert set(CLASS_OF) == set(AssetKind)
    assert {"GLOVES", "LIFT", "TORQUE_WRENCH"} <= set(TESTED_KINDS)
    assert not {"GENERAL", "JACK", "DIAGNOSTIC"} & set(TESTED_KINDS)


# --- entering ---


@pytest.mark.django_db
def test_a_tool_is_entered_with_its_usual_interval_and_corrected(nine):
    crib = Crib()
    tool = crib.tool("TORQUE_WRENCH", number=" g-7 ", photo=make_picture(), maker="示例 T100")
    assert (tool.number, tool.tool_class, tool.check_months, tool.valid_until) == ("G-7", "MEASURING", 12, None)
    assert tool.state == "AVAILABLE"
    assert tool.photo.media_type == "image/jpeg"
    assert crib.tool("GENERAL").check_months is None
    assert crib.tool("GENERAL", check_months=3).check_months == 3
    facts = {"name": "扭力扳手", "place": "B2", "keeper_uid": crib.director.uid, "check_months": 6}
    changed = tools.change_tool(uid=tool.uid, by=crib.techdirector, **facts)
    assert (changed.name, changed.place, changed.keeper_id, changed.check_months) == (
        "扭力扳手",
        "B2",
        crib.director.pk,
        6,
    )
    assert changed.photo_id == tool.photo_id
    assert told(tool) == ["registered", "changed"]
    line = History.objects.filter(root_uid=tool.uid).last()
    assert line.changed["check_months"] == [12, 6]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("tool.number", {"number": " "}),
        ("tool.number", {"number": "G-0001"}),
        ("tool.name", {"name": ""}),
        ("tool.place", {"place": " "}),
        ("tool.kind", {"kind": "SPOON"}),
        ("tool.interval", {"check_months": 61}),
        ("file.kind", {"photo": b"no picture"}),
    ],
)
def test_what_a_new_tool_needs(nine, code, wrong):
    crib = Crib()
    crib.tool()
    before = ToolAsset.objects.count(), History.objects.count(), StoredFile.objects.count()
    with rule(code):
        crib.tool(**({"number": "G-9"} | wrong))
    assert (ToolAsset.objects.count(), History.objects.count(), StoredFile.objects.count()) == before


@pytest.mark.django_db
def test_who_may_do_what_and_only_in_the_own_store(nine):
    crib, other = Crib(), Crib()
    tool = crib.tool()
    for command, values in (
        (
            tools.register_tool,
            {"number": "1", "name": "x", "kind": "GENERAL", "place": "x", "keeper_uid": crib.keeper.uid},
        ),
        (tools.check_tool, {"uid": tool.uid, "done_on": DAY, "result": "PASSED", "body": "x"}),
        (tools.stop_tool, {"uid": tool.uid, "note": "x"}),
        (tools.scrap_tool, {"uid": tool.uid, "note": "x"}),
        (tools.issue_tool, {"uid": tool.uid, "employee_uid": crib.keeper.uid}),
    ):
        with pytest.raises(NotAllowed):
            command(by=crib.worker, **values)
    with pytest.raises(ToolAsset.DoesNotExist):
        tools.issue_tool(uid=tool.uid, by=other.worker)
    with rule("tool.person"):
        tools.issue_tool(uid=tool.uid, employee_uid=other.technician.uid, by=crib.parts)
    with rule("tool.person"):
        crib.tool(keeper_uid=other.keeper.uid)


# --- out and back ---


@pytest.mark.django_db
def test_a_tool_goes_out_and_comes_back_with_its_condition(nine):
    crib = Crib()
    tool = crib.tool()
    issue = tools.issue_tool(uid=tool.uid, by=crib.worker)
    tool.refresh_from_db()
    assert (issue.employee_id, issue.returned_at, tool.state) == (crib.technician.pk, None, "ISSUED")
    with rule("tool.out"):
        tools.issue_tool(uid=tool.uid, employee_uid=crib.director.uid, by=crib.parts)
    with rule("tool.out"):
        tools.report_damage(uid=tool.uid, note="断", by=crib.parts)
    with pytest.raises(NotAllowed):
        tools.return_tool(uid=tool.uid, condition="GOOD", by=actor(crib.floor.technician("别试工")))
    with rule("tool.condition"):
        tools.return_tool(uid=tool.uid, condition="", by=crib.worker)
    with rule("tool.damage"):
        tools.return_tool(uid=tool.uid, condition="DAMAGED", note=" ", by=crib.worker)
    tools.return_tool(uid=tool.uid, condition="GOOD", by=crib.worker)
    with rule("tool.not_out"):
        tools.return_tool(uid=tool.uid, condition="GOOD", by=crib.worker)
    tools.issue_tool(uid=tool.uid, employee_uid=crib.technician.uid, note="缸盖", by=crib.parts)
    back = tools.return_tool(uid=tool.uid, condition="DAMAGED", note="棘轮打滑", by=crib.parts)
    tool.refresh_from_db()
    assert (back.condition_in, tool.state, tool.state_note) == ("DAMAGED", "TO_CHECK", "棘轮打滑")
    assert told(tool) == ["registered", "issued", "returned", "issued", "damaged"]


@pytest.mark.django_db
def test_what_is_damaged_or_out_of_use_is_not_given_out_until_a_check_passes(nine):
    crib = Crib()
    tool = crib.tool()
    tools.report_damage(uid=tool.uid, note="裂纹", by=crib.worker)
    with rule("tool.unavailable"):
        tools.issue_tool(uid=tool.uid, by=crib.worker)
    with rule("state.move"):
        tools.report_damage(uid=tool.uid, note="裂纹", by=crib.worker)
    crib.test(tool, result="FAILED", note="不能修")
    tool.refresh_from_db()
    assert (tool.state, tool.state_note) == ("OUT_OF_ORDER", "不能修")
    with rule("state.move"):
        tools.stop_tool(uid=tool.uid, note="x", by=crib.techdirector)
    crib.test(tool)
    tools.issue_tool(uid=tool.uid, by=crib.worker)
    with rule("tool.out"):
        crib.test(tool)
    tools.return_tool(uid=tool.uid, condition="GOOD", by=crib.worker)
    for command in (tools.stop_tool, tools.scrap_tool):
        with rule("tool.reason"):
            command(uid=tool.uid, note="", by=crib.techdirector)
    tools.stop_tool(uid=tool.uid, note="送修", by=crib.techdirector)
    tools.scrap_tool(uid=tool.uid, note="修不好", by=crib.techdirector)
    with rule("tool.scrapped"):
        crib.test(tool)
    with rule("tool.scrapped"):
        tools.change_tool(uid=tool.uid, name="x", place="x", keeper_uid=crib.keeper.uid, by=crib.parts)
    assert told(tool)[1:] == ["damaged", "failed", "checked", "issued", "returned", "stopped", "scrapped"]


@pytest.mark.django_db
def test_a_tool_is_not_given_out_before_its_first_test_and_after_its_last_day(nine):
    crib = Crib()
    gloves = crib.tool("GLOVES")
    with rule("tool.expired"):
        tools.issue_tool(uid=gloves.uid, by=crib.worker)
    made = crib.test(gloves, certificate=PDF, certificate_number="")
    assert (made.valid_until, made.due_on) == (date(2027, 5, 23), None)
    assert made.certificate.media_type == "application/pdf"
    tools.issue_tool(uid=gloves.uid, by=crib.worker)
    tools.return_tool(uid=gloves.uid, condition="GOOD", by=crib.worker)
    wrench = crib.tool("TORQUE_WRENCH", tested=0)
    with clock.moved_to(clock.now() + timedelta(days=364)):
        tools.issue_tool(uid=wrench.uid, by=crib.parts, employee_uid=crib.technician.uid)
        tools.return_tool(uid=wrench.uid, condition="GOOD", by=crib.parts)
    with clock.moved_to(clock.now() + timedelta(days=365)), rule("tool.expired"):
        tools.issue_tool(uid=wrench.uid, by=crib.parts, employee_uid=crib.technician.uid)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("tool.check_day", {"done_on": DAY + timedelta(days=1)}),
        ("tool.check_order", {"done_on": DAY - timedelta(days=11)}),
        ("tool.body", {"body": " "}),
        ("tool.certificate", {"certificate_number": ""}),
        ("tool.check_interval", {"valid_until": date(2027, 11, 24)}),
        ("tool.check_interval", {"valid_until": DAY}),
        ("tool.check_result", {"result": "FAILED"}),
        ("tool.check_result", {"result": "GOOD"}),
        ("file.kind", {"certificate": b"MZ"}),
    ],
)
def test_what_a_test_needs(nine, code, wrong):
    crib = Crib()
    tool = crib.tool("MULTIMETER", tested=10)
    before = list(ToolCheck.objects.values()), list(ToolAsset.objects.values()), History.objects.count()
    with rule(code):
        crib.test(tool, **wrong)
    assert (list(ToolCheck.objects.values()), list(ToolAsset.objects.values()), History.objects.count()) == before
    assert crib.test(tool, valid_until=date(2027, 11, 23)).valid_until == date(2027, 11, 23)


# --- inspections ---


def inspected(crib: Crib):
    order, [line] = make_agreed(crib.floor, "BR-10")
    crib.floor.give(line, crib.technician)
    clocking.clock_on(line_uid=line.uid, by=crib.worker)
    clocking.finish_line(line_uid=line.uid, cause="磨损", correction="更换", by=crib.worker)
    return order


@pytest.mark.django_db
def test_an_inspection_names_only_instruments_in_date_and_in_order(nine):
    crib = Crib()
    order = inspected(crib)
    good, late, broken = (
        crib.tool("TORQUE_WRENCH", tested=1),
        crib.tool("TORQUE_WRENCH"),
        crib.tool("MULTIMETER", tested=3),
    )
    tools.report_damage(uid=broken.uid, note="无显示", by=crib.worker)
    stranger = Crib().tool("MULTIMETER", tested=0)
    given = {"order_uid": order.uid, "level": "SELF", "result": "PASSED", "by": crib.worker}
    for code, tool in (("tool.expired", late), ("tool.unavailable", broken), ("tool.unknown", stranger)):
        with rule(code):
            inspections.inspect_order(instrument_uids=[good.uid, tool.uid], **given)
        assert not Inspection.objects.exists()
    made = inspections.inspect_order(instrument_uids=[good.uid, good.uid], **given)
    assert [row.tool_id for row in made.instruments.all()] == [good.pk]
    assert History.objects.get(root_uid=made.uid).facts["instruments"] == [str(good.uid)]


# --- the database ---

ISSUE = (
    "INSERT INTO workshop_toolissue (uid, version, created_at, updated_at, store_id, tool_id, employee_id, issued_at,"
    " note_out, condition_in, note_in) SELECT gen_random_uuid(), 1, now(), now(), t.store_id, t.id, t.keeper_id, %s, '',"
    " '', '' FROM workshop_toolasset t WHERE t.id = %s"
)
CHECK = (
    "INSERT INTO workshop_toolcheck (uid, version, created_at, updated_at, store_id, tool_id, done_on, result,"
    " valid_until, body, certificate_number, note) SELECT gen_random_uuid(), 1, now(), now(), t.store_id, t.id, %s, %s,"
    " %s, 'x', %s, %s FROM workshop_toolasset t WHERE t.id = %s"
)
NAMED = "INSERT INTO workshop_inspectiontool (inspection_id, tool_id) SELECT max(id), %s FROM workshop_inspection"


@pytest.mark.django_db
def test_the_database_refuses_what_isnt_fit_around_the_commands(nine, refused):
    crib = Crib()
    order = inspected(crib)
    fit, late, broken, out = (
        crib.tool("TORQUE_WRENCH", tested=1), crib.tool("TORQUE_WRENCH"), crib.tool(), crib.tool("JACK")
    )  # fmt: skip
    tools.report_damage(uid=broken.uid, note="断", by=crib.worker)
    tools.issue_tool(uid=out.uid, by=crib.worker)
    with refused("toolissue_in_date") as sql:
        sql(ISSUE, [clock.now(), late.pk])
    with refused("toolissue_in_date") as sql:
        sql(ISSUE, [clock.now() + timedelta(days=400), fit.pk])
    for tool in (broken, out):
        with refused("toolissue_available") as sql:
            sql(ISSUE, [clock.now(), tool.pk])
    inspections.inspect_order(order_uid=order.uid, level="SELF", result="PASSED", by=crib.worker)
    with refused("inspectiontool_in_date") as sql:
        sql(NAMED, [late.pk])
    with refused("inspectiontool_in_order") as sql:
        sql(NAMED, [broken.pk])
    with refused("inspectiontool_in_order") as sql:
        sql(NAMED, [Crib().tool("MULTIMETER", tested=0).pk])
    inspections.inspect_order(
        order_uid=order.uid,
        level="SELF",
        result="FAILED",
        reason="x",
        cause="OTHER",
        instrument_uids=[fit.uid],
        by=crib.worker,
    )
    with refused("inspectiontool_once") as sql:
        sql(NAMED, [fit.pk])
    for statement in (
        "UPDATE workshop_inspectiontool SET tool_id = tool_id + 1",
        "DELETE FROM workshop_inspectiontool",
    ):
        with refused(sqlstate="P0001") as sql:
            sql(statement)
    assert InspectionTool.objects.count() == 1


@pytest.mark.django_db
def test_the_database_holds_state_dates_and_rows_together(nine, refused):
    crib = Crib()
    tool, out, gauge = crib.tool(), crib.tool(), crib.tool("TYRE_GAUGE", tested=5)
    tools.issue_tool(uid=out.uid, by=crib.worker)
    issue = ToolIssue.objects.get()
    for name, statement in (
        ("toolasset_state_by_rows", f"UPDATE workshop_toolasset SET state = 'ISSUED' WHERE id = {tool.pk}"),
        ("toolasset_state_by_rows", f"UPDATE workshop_toolasset SET state = 'AVAILABLE' WHERE id = {out.pk}"),
        ("toolasset_valid_by_check", f"UPDATE workshop_toolasset SET valid_until = '2030-01-01' WHERE id = {gauge.pk}"),
        ("toolasset_fixed", f"UPDATE workshop_toolasset SET number = 'X' WHERE id = {tool.pk}"),
        ("toolasset_interval", f"UPDATE workshop_toolasset SET check_months = NULL WHERE id = {gauge.pk}"),
        ("toolissue_fixed", f"UPDATE workshop_toolissue SET employee_id = {crib.director.pk}"),
        ("toolissue_return", "UPDATE workshop_toolissue SET returned_at = now()"),
        ("toolissue_return", "UPDATE workshop_toolissue SET condition_in = 'GOOD'"),
        ("toolissue_damage_told", "UPDATE workshop_toolissue SET returned_at = issued_at, condition_in = 'DAMAGED'"),
        ("toolcheck_append_only", "UPDATE workshop_toolcheck SET valid_until = '2030-01-01'"),
        ("toolcheck_append_only", "DELETE FROM workshop_toolcheck"),
    ):
        with refused(name) as sql:
            sql(statement)
    for name, values in (
        ("toolcheck_interval", [DAY, "PASSED", date(2030, 1, 1), "JL", "", gauge.pk]),
        ("toolcheck_interval", [DAY, "PASSED", None, "JL", "", gauge.pk]),
        ("toolcheck_interval", [DAY, "PASSED", date(2027, 1, 1), "JL", "", tool.pk]),
        ("toolcheck_certificate", [DAY, "PASSED", date(2027, 1, 1), "", "", gauge.pk]),
        ("toolcheck_result", [DAY, "FAILED", None, "", "", gauge.pk]),
        ("toolcheck_result", [DAY, "PASSED", DAY, "JL", "", gauge.pk]),
        ("toolcheck_in_order", [DAY - timedelta(days=6), "PASSED", date(2027, 1, 1), "JL", "", gauge.pk]),
        ("toolcheck_in_order", [DAY, "PASSED", None, "", "", out.pk]),
    ):
        with refused(name) as sql:
            sql(CHECK, values)
    tools.return_tool(uid=out.uid, condition="GOOD", by=crib.worker)
    with refused("toolissue_ends_once") as sql:
        sql("UPDATE workshop_toolissue SET returned_at = NULL, condition_in = ''")
    tools.scrap_tool(uid=tool.uid, note="旧", by=crib.techdirector)
    with refused("toolasset_moves") as sql:
        sql(f"UPDATE workshop_toolasset SET state = 'OUT_OF_ORDER' WHERE id = {tool.pk}")
    with refused("toolasset_number") as sql:
        sql(
            "INSERT INTO workshop_toolasset (uid, version, created_at, updated_at, store_id, number, name, kind, tool_class,"
            " maker, serial, place, keeper_id, state, state_note) SELECT gen_random_uuid(), 1, now(), now(), store_id,"
            " number, name, kind, tool_class, '', '', place, keeper_id, 'AVAILABLE', '' FROM workshop_toolasset"
            f" WHERE id = {tool.pk}"
        )
    with refused("toolasset_class_of_kind") as sql:
        sql(
            "INSERT INTO workshop_toolasset (uid, version, created_at, updated_at, store_id, number, name, kind, tool_class,"
            " maker, serial, place, keeper_id, state, state_note) SELECT gen_random_uuid(), 1, now(), now(), store_id,"
            " 'Z', name, 'TORQUE_WRENCH', 'GENERAL', '', '', place, keeper_id, 'AVAILABLE', '' FROM workshop_toolasset"
            f" WHERE id = {tool.pk}"
        )
    issue.refresh_from_db()
    assert issue.condition_in == "GOOD"


# --- reminders and figure ---


@pytest.mark.django_db
def test_the_keeper_is_told_once_that_a_test_is_due_and_once_that_it_is_overdue(nine):
    crib = Crib()
    tool, later = crib.tool("GLOVES"), crib.tool("GLOVES", tested=0)
    crib.test(tool, valid_until=DAY + timedelta(days=30), certificate_number="")
    tools.scrap_tool(uid=crib.tool("GLOVES").uid, note="旧", by=crib.techdirector)
    remind_of_tools()
    [message] = Message.objects.filter(template="workshop.tool_due")
    assert message.recipient == crib.keeper.number
    assert tool.number in message.body
    assert not tools.remind_of_tool(uid=tool.uid, by=machine("tools", store_id=tool.store_id))
    with clock.moved_to(clock.now() + timedelta(days=31)):
        assert tools.remind_of_tool(uid=tool.uid, by=machine("tools", store_id=tool.store_id))
        assert not tools.remind_of_tool(uid=tool.uid, by=machine("tools", store_id=tool.store_id))
    assert Message.objects.filter(template="workshop.tool_due").count() == 2
    assert told(tool)[-2:] == ["reminded", "reminded"]
    assert told(later) == ["registered", "checked"]


@pytest.mark.django_db
def test_the_figure_counts_what_was_tested_before_its_date(nine):
    crib = Crib()
    by = machine("test", store_id=crib.floor.shop.store.pk)
    kept, lapsed, done_late, scrapped = (crib.tool("GLOVES", number=n) for n in ("G-71", "G-72", "G-73", "G-74"))
    for tool in (kept, lapsed, done_late, scrapped):
        crib.test(tool, valid_until=DAY + timedelta(days=2))
    with clock.moved_to(clock.now() + timedelta(days=1)):
        crib.test(kept, done_on=clock.today())
        tools.scrap_tool(uid=scrapped.uid, note="旧", by=crib.techdirector)
    with clock.moved_to(clock.now() + timedelta(days=4)):
        crib.test(done_late, done_on=clock.today())
        outbox.drain()
        recompute_touched(limit=1000)
        end = DAY + timedelta(days=4)
        reading = read(by, "workshop.tools_in_time", DAY, end)
        assert (reading.numerator, reading.denominator) == (1, 3)
        behind = rows_behind(by, "workshop.tools_in_time", DAY, end)
        assert sorted((row.plate, int(row.numerator)) for row in behind.rows) == [("G-71", 1), ("G-72", 0), ("G-73", 0)]
        on = read(by, "workshop.tools_in_time", DAY + timedelta(days=2), DAY + timedelta(days=2))
        assert (on.numerator, on.denominator) == (0, 2)


# --- pages ---


@pytest.mark.django_db
def test_a_scan_takes_a_tool_out_and_the_next_one_brings_it_back(nine):
    crib = Crib()
    tool = crib.tool("TORQUE_WRENCH", tested=2, name="扭力扳手")
    client = client_of(crib.technician)
    page = english(client, f"/tools/scan/?code=http://shop/tools/scan/?code={tool.number}")
    assert "I take it" in page
    assert "For somebody else" not in page
    assert client.post(f"/tools/{tool.uid}/take/", {"from": "scan"})["Location"] == "/tools/scan/"
    page = english(client, f"/tools/scan/?code={tool.number.lower()}")
    assert "Back, in order" in page
    refusal = client.post(f"/tools/{tool.uid}/return/", {"from": "scan", "condition": "DAMAGED", "note": ""})
    assert refusal.status_code == 422
    assert ToolIssue.objects.filter(returned_at=None).count() == 1
    assert (
        client.post(f"/tools/{tool.uid}/return/", {"from": "scan", "condition": "GOOD"})["Location"] == "/tools/scan/"
    )
    assert "There is no tool with this number" in english(client, "/tools/scan/?code=G-9999")
    tools.stop_tool(uid=tool.uid, note="送检", by=crib.techdirector)
    assert "送检" in english(client, f"/tools/scan/?code={tool.number}")
    keeper = client_of(crib.keeper)
    other = crib.tool(name="拉拔器")
    assert "For somebody else" in english(keeper, f"/tools/scan/?code={other.number}")
    keeper.post(f"/tools/{other.uid}/issue/", {"employee_uid": crib.technician.uid, "from": "scan"})
    assert ToolIssue.objects.get(returned_at=None).employee_id == crib.technician.pk
    stranger = client_of(crib.floor.technician("别试工"))
    assert "brings it back, or the parts counter" in english(stranger, f"/tools/scan/?code={other.number}")


@pytest.mark.django_db
def test_the_list_counts_and_filters_and_a_scanned_number_opens_its_tool(nine):
    crib = Crib()
    client = client_of(crib.director)
    assert "No tool is entered yet" in english(client, "/tools/")
    late, broken, fine = (
        crib.tool("GLOVES", name="手套"),
        crib.tool(name="锤"),
        crib.tool("GLOVES", tested=1, name="手套乙"),
    )
    tools.report_damage(uid=broken.uid, note="裂", by=crib.worker)
    page = client.get("/tools/")
    assert page.context["counts"] == {
        "all": 3, "available": 1, "out": 0, "to_check": 1, "stopped": 0, "soon": 0, "overdue": 1, "kept": 0
    }  # fmt: skip
    assert [row.tool for row in client.get("/tools/?show=overdue").context["rows"]] == [late]
    assert [row.tool for row in client.get("/tools/?class=INSULATED&words=乙").context["rows"]] == [fine]
    assert client.get(f"/tools/?words={late.number}")["Location"] == f"/tools/{late.uid}/"
    assert "No tool fits" in english(client, "/tools/?words=nichts")
    assert "never tested" in english(client, "/tools/due/")
    assert [month.first for month in client.get("/tools/due/").context["months"]] == [None, date(2027, 5, 1)]
    assert client.get("/tools/due/?who=mine").context["months"] == []
    detail = english(client, f"/tools/{late.uid}/")
    assert "Not given out and not named on an inspection until it is tested" in detail
    assert "Tool entered" in detail


@pytest.mark.django_db
def test_a_test_with_its_certificate_is_written_down_on_the_page(nine):
    crib = Crib()
    director = client_of(crib.director)
    made = director.post(
        "/tools/new/",
        {"number": "G-1", "kind": "MULTIMETER", "name": "万用表", "place": "A", "keeper_uid": crib.keeper.uid,
         "photo": SimpleUploadedFile("a.jpg", make_picture())},
    )  # fmt: skip
    tool = ToolAsset.objects.get()
    assert made["Location"] == f"/tools/{tool.uid}/"
    assert director.get(f"/tools/{tool.uid}/photo/")["Content-Type"] == "image/jpeg"
    given = {"done_on": DAY.isoformat(), "result": "PASSED", "body": "市计量所", "note": ""}
    wrong = director.post(f"/tools/{tool.uid}/test/", given)
    assert wrong.status_code == 422
    assert "市计量所" in wrong.content.decode()
    file = SimpleUploadedFile("c.pdf", PDF, content_type="application/pdf")
    director.post(f"/tools/{tool.uid}/test/", given | {"certificate_number": "JL-9", "certificate": file})
    check = ToolCheck.objects.get()
    assert director.get(f"/tools/checks/{check.uid}/certificate/").getvalue() == PDF
    facts = {"name": "万用表 2", "place": "B", "keeper_uid": crib.keeper.uid}
    director.post(f"/tools/{tool.uid}/edit/", facts)
    tool.refresh_from_db()
    assert (tool.name, tool.check_months, tool.valid_until) == ("万用表 2", 12, date(2027, 11, 23))
    labels = english(director, "/tools/labels/")
    assert "data:image/svg+xml" in labels
    assert "valid until 2027-11-23" in labels
    order = inspected(crib)
    worker = client_of(crib.technician)
    assert "G-1 万用表 2" in english(worker, f"/inspections/{order.uid}/self/")
    worker.post(f"/inspections/{order.uid}/self/", {"result": "PASSED", "instruments": [str(tool.uid)]})
    assert InspectionTool.objects.get().tool_id == tool.pk
    desk = client_of(crib.floor.hire("manager"))
    assert "measured with" in english(desk, f"/orders/{order.uid}/?tab=inspections")


@pytest.mark.django_db
def test_who_keeps_a_tool_is_told_on_the_today_board(nine):
    crib = Crib()
    manager = crib.floor.hire("manager")
    assert "overdue" not in english(client_of(manager), "/today/?view=list")
    crib.tool("GLOVES", keeper_uid=manager.uid)
    assert "1 tool overdue" in english(client_of(manager), "/today/?view=list")


# --- high voltage ---


@pytest.mark.django_db
def test_high_voltage_work_is_begun_with_gloves_in_date_by_each_who_works(nine, refused):
    crib = Crib()
    lead, second = crib.floor.technician("高压甲", hv=4), crib.floor.technician("高压乙", hv=4)
    _order, [line] = make_agreed(crib.floor, "HV-10")
    crib.floor.give(line, lead, "4", second_uid=second.uid)
    sql_row = (
        "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id, started_at,"
        " pause_cause, corrected_reason) SELECT gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, '', ''"
    )
    values = [line.order.store_id, lead.pk, line.pk, clock.now()]
    with rule("clocking.gloves"):
        clocking.clock_on(line_uid=line.uid, by=actor(lead))
    with refused("clocking_hv_gloves") as sql:
        sql(sql_row, values)
    gloves = [crib.tool("GLOVES", tested=0) for _pair in range(2)]
    tools.issue_tool(uid=gloves[0].uid, by=actor(lead))
    certified = EmployeeSkill.objects.filter(employee__in=[lead, second])
    certified.update(valid_until=DAY + timedelta(days=900))  # so that the gloves alone are late
    with clock.moved_to(clock.now() + timedelta(days=200)), rule("clocking.gloves"):
        clocking.clock_on(line_uid=line.uid, employee_uid=lead.uid, by=crib.floor.foreman)
    with refused("clocking_hv_gloves") as sql:
        sql(sql_row, [*values[:3], clock.now() + timedelta(days=200)])
    with rule("clocking.gloves"):  # not looked at yet
        clocking.clock_on(line_uid=line.uid, by=actor(lead))
    look_at_gloves(uid=gloves[0].uid, by=actor(lead))
    clocking.clock_on(line_uid=line.uid, by=actor(lead))
    with rule("clocking.gloves"):
        clocking.clock_on(line_uid=line.uid, by=actor(second))
    tools.issue_tool(uid=gloves[1].uid, by=actor(second))
    look_at_gloves(uid=gloves[1].uid, by=actor(second))
    clocking.clock_on(line_uid=line.uid, by=actor(second))
    assert line.clockings.count() == 2


# --- special tools of the plan ---


@pytest.mark.django_db
def test_a_special_tool_that_isnt_fit_is_not_planned(nine, refused):
    crib = Crib()
    person = crib.floor.technician("正时", engine=4)
    kit = crib.floor.tools["TIMING_KIT"]
    tool = crib.tool("SPECIAL", resource_uid=kit.uid, check_months=6)
    with rule("tool.resource"):
        crib.tool(resource_uid=kit.uid)
    with rule("tool.resource"):
        crib.tool(resource_uid=crib.floor.bays["2"].uid)
    _order, [line] = make_agreed(crib.floor, "EN-20")
    with rule("dispatch.tool_unfit"):
        crib.floor.give(line, person)  # never tested
    assert plan.proposals(line) == []
    crib.test(tool)
    assert plan.proposals(line) != []
    tools.report_damage(uid=tool.uid, note="缺一件", by=crib.worker)
    with rule("dispatch.tool_unfit"):
        crib.floor.give(line, person)
    crib.test(tool)
    made = crib.floor.give(line, person)
    assert made.tool_plan.resource_id == kit.pk
    tools.report_damage(uid=tool.uid, note="又缺一件", by=crib.worker)
    with refused("dispatch_tool_fit") as sql:
        sql(f"UPDATE workshop_dispatch SET ends_at = ends_at + interval '1 minute' WHERE id = {made.pk}")
    with refused("toolasset_resource") as sql:
        sql(f"UPDATE workshop_toolasset SET resource_id = {crib.floor.bays['2'].pk} WHERE id = {tool.pk}")
