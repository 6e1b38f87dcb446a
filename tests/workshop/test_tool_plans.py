"""3.4: a special tool that the plan keeps for somebody isn't lent to another without a word; technicians are named first."""

from __future__ import annotations

import pytest

from tests.factories.floor import actor, clock_at, make_agreed
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib
from workshop.models import ToolIssue
from workshop.services import dispatch, tools


def planned(crib: Crib, hour: int):
    """The timing kit, and a job for it at that hour."""
    kit = crib.floor.tools["TIMING_KIT"]
    tool = crib.tool("SPECIAL", name="正时工具", resource_uid=kit.uid)
    person = crib.floor.technician("正时", engine=4)
    _order, [line] = make_agreed(crib.floor, "EN-20")
    return tool, person, crib.floor.give(line, person, start=(hour, 0))


@pytest.mark.django_db
def test_what_is_planned_for_somebody_else_goes_out_with_a_reason_and_soon_before_not_at_all():
    with clock_at(9):
        crib = Crib()
        tool, person, plan = planned(crib, 13)
        with rule("tool.planned_reason"):
            tools.issue_tool(uid=tool.uid, by=crib.worker)
        with rule("tool.planned_reason"):
            tools.issue_tool(uid=tool.uid, employee_uid=crib.technician.uid, by=crib.parts)
        tools.issue_tool(uid=tool.uid, note="量一下", by=crib.worker)
        assert ToolIssue.objects.get().note_out == "量一下"
        tools.return_tool(uid=tool.uid, condition="GOOD", by=crib.worker)
    with clock_at(12, 5):
        with rule("tool.planned"):
            tools.issue_tool(uid=tool.uid, note="量一下", by=crib.worker)
        tools.issue_tool(uid=tool.uid, by=actor(person))  # who it is planned for needs no reason
        tools.return_tool(uid=tool.uid, condition="GOOD", by=actor(person))
        dispatch.take_back_dispatch(uid=plan.uid, reason="改日", by=crib.floor.foreman)
        tools.issue_tool(uid=tool.uid, by=crib.worker)
    assert ToolIssue.objects.count() == 3


@pytest.mark.django_db
def test_the_pages_show_who_has_it_when_and_ask_for_the_reason():
    with clock_at(9):
        crib = Crib()
        tool, _person, _plan = planned(crib, 13)
        client = client_of(crib.technician)
        page = english(client, f"/tools/scan/?code={tool.number}")
        assert "Planned for somebody else later today" in page
        assert "正时 ·" in page
        assert "Planned for somebody else later today" in english(client, f"/tools/{tool.uid}/")
        refusal = client.post(f"/tools/{tool.uid}/take/", {"from": "scan", "note": ""})
        assert (refusal.status_code, ToolIssue.objects.count()) == (422, 0)
        assert "What it is needed for" in english(client, f"/tools/{tool.uid}/take/")
        client.post(f"/tools/{tool.uid}/take/", {"from": "scan", "note": "量一下"})
        assert ToolIssue.objects.get().employee_id == crib.technician.pk


@pytest.mark.django_db
def test_a_tool_is_given_to_nobody_by_default_and_technicians_are_named_first():
    with clock_at(9):
        crib = Crib()
        crib.floor.hire("manager", name="安经理")
        tool = crib.tool(name="锤")
        keeper = client_of(crib.keeper)
        page = english(keeper, f"/tools/scan/?code={tool.number}")
        assert '<option value="">—</option>' in page
        assert page.index("高试工</option>") < page.index("安经理</option>")
        refusal = keeper.post(f"/tools/{tool.uid}/issue/", {"employee_uid": "", "from": "scan"})
        assert (refusal.status_code, ToolIssue.objects.count()) == (422, 0)
        form = english(keeper, f"/tools/{tool.uid}/issue/")
        assert form.index("高试工</option>") < form.index("安经理</option>")
