"""3.2, 3.4, 8.1: who begins work may do it now, whatever was planned; high voltage beside a second, in gloves just seen."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from dealership.kernel import clock
from dealership.kernel.models import History
from staff.models import EmployeeSkill
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import DAY, actor, clock_at, make_agreed
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib, told
from workshop.glove_models import GloveLook
from workshop.models import Clocking, ToolIssue
from workshop.services import clocking, tools
from workshop.services.gloves import look_at_gloves
from workshop.tool_models import ToolAsset

pytestmark = pytest.mark.django_db
ROW = (
    "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id, started_at,"
    " pause_cause, corrected_reason) SELECT gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, '', ''"
)


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def high_voltage(crib: Crib):
    """A line given to two certified people, each with a tested pair that they have looked at."""
    lead, second = crib.floor.technician("高压甲", hv=4), crib.floor.technician("高压乙", hv=4)
    _order, [line] = make_agreed(crib.floor, "HV-10")
    crib.floor.give(line, lead, "4", second_uid=second.uid)
    pairs = [crib.tool("GLOVES", tested=0) for _person in range(2)]
    for pair, person in zip(pairs, (lead, second), strict=True):
        tools.issue_tool(uid=pair.uid, by=actor(person))
        look_at_gloves(uid=pair.uid, by=actor(person))
    return line, lead, second, pairs


def test_the_skill_is_asked_for_again_of_whoever_is_clocked_on(nine):
    crib = Crib()
    able, unable = crib.floor.technician("能做", engine=4), crib.floor.technician("学徒", engine=1)
    _order, [line] = make_agreed(crib.floor, "EN-20")
    crib.floor.give(line, able)
    with rule("clocking.skill"):
        clocking.clock_on(line_uid=line.uid, employee_uid=unable.uid, by=crib.floor.foreman)
    EmployeeSkill.objects.filter(employee=able).update(level=1)  # the matrix was put right meanwhile
    with rule("clocking.skill"):
        clocking.clock_on(line_uid=line.uid, by=actor(able))
    assert Clocking.objects.count() == 0
    EmployeeSkill.objects.filter(employee=able).update(level=4)
    clocking.clock_on(line_uid=line.uid, by=actor(able))


def test_a_certificate_that_ran_out_since_the_plan_stops_the_clock(nine, refused):
    crib = Crib()
    line, lead, second, _pairs = high_voltage(crib)
    held = EmployeeSkill.objects.filter(employee=lead, skill__code="hv")
    held.update(valid_until=DAY - timedelta(days=1))
    with rule("clocking.certificate"):
        clocking.clock_on(line_uid=line.uid, by=actor(lead))
    with rule("clocking.two_people"):  # nor does the other begin beside somebody without one
        clocking.clock_on(line_uid=line.uid, by=actor(second))
    with refused("clocking_certified") as sql:
        sql(ROW, [line.order.store_id, lead.pk, line.pk, clock.now()])
    with refused("clocking_hv_two") as sql:
        sql(ROW, [line.order.store_id, second.pk, line.pk, clock.now()])
    held.update(valid_until=DAY)
    clocking.clock_on(line_uid=line.uid, by=actor(lead))
    clocking.clock_on(line_uid=line.uid, by=actor(second))


def test_nobody_begins_at_high_voltage_alone(nine, refused):
    crib = Crib()
    line, lead, second, _pairs = high_voltage(crib)
    line.dispatches.filter(technician=second).update(live=False)
    line.dispatches.filter(technician=lead).update(share=100)
    with rule("clocking.two_people"):
        clocking.clock_on(line_uid=line.uid, by=actor(lead))
    with refused("clocking_hv_two") as sql:
        sql(ROW, [line.order.store_id, lead.pk, line.pk, clock.now()])


def test_each_looks_at_the_pair_that_they_wear_after_taking_it_on_that_day(nine, refused):
    crib = Crib()
    line, lead, second, pairs = high_voltage(crib)
    for pair, person in zip(pairs, (lead, second), strict=True):
        tools.return_tool(uid=pair.uid, condition="GOOD", by=actor(person))
    with clock_at(10):
        tools.issue_tool(uid=pairs[0].uid, by=actor(lead))
        with rule("clocking.gloves"):  # what was seen before it was handed back doesn't count
            clocking.clock_on(line_uid=line.uid, by=actor(lead))
        look_at_gloves(uid=pairs[0].uid, by=actor(second))  # nor somebody else's look
        with rule("clocking.gloves"):
            clocking.clock_on(line_uid=line.uid, by=actor(lead))
        with refused("clocking_hv_gloves") as sql:
            sql(ROW, [line.order.store_id, lead.pk, line.pk, clock.now()])
        look_at_gloves(uid=pairs[0].uid, by=actor(lead))
        clocking.clock_on(line_uid=line.uid, by=actor(lead))


def test_a_pair_found_wrong_is_taken_out(nine, refused):
    crib = Crib()
    pair, shelved = crib.tool("GLOVES", tested=0), crib.tool("GLOVES", tested=0)
    tools.issue_tool(uid=pair.uid, by=crib.worker)
    for code, given in (
        ("gloves.note", {"wrong": ["AIR"], "note": " "}),
        ("gloves.point", {"wrong": ["LEAKS"], "note": "漏"}),
    ):
        with rule(code):
            look_at_gloves(uid=pair.uid, by=crib.worker, **given)
    with rule("gloves.none"):
        look_at_gloves(uid=crib.tool().uid, by=crib.worker)
    made = look_at_gloves(uid=pair.uid, wrong=["AIR"], note="右手食指漏气", by=crib.worker)
    assert (made.done_on, made.wrong, made.done_by) == (DAY, ["AIR"], crib.technician)
    pair.refresh_from_db()
    assert (pair.state, pair.state_note) == ("TO_CHECK", "右手食指漏气")
    assert (ToolIssue.objects.get().condition_in, told(pair)[-1]) == ("DAMAGED", "gloves_failed")
    with rule("tool.unavailable"):
        tools.issue_tool(uid=pair.uid, by=crib.worker)
    look_at_gloves(uid=shelved.uid, wrong=["CRACKS"], note="裂口", by=crib.worker)
    assert ToolAsset.objects.get(pk=shelved.pk).state == "TO_CHECK"
    crib.test(pair)
    tools.issue_tool(uid=pair.uid, by=crib.worker)
    insert = (
        "INSERT INTO workshop_glovelook (uid, version, created_at, updated_at, store_id, tool_id, done_on, wrong, note,"
        " done_by_id, at) SELECT gen_random_uuid(), 1, now(), now(), t.store_id, t.id, %s, %s, '', t.keeper_id, now()"
        " FROM workshop_toolasset t WHERE t.id = %s"
    )
    wrench = ToolAsset.objects.get(kind="GENERAL")
    for name, values in (
        ("glovelook_of_pair", [DAY, [], wrench.pk]),
        ("glovelook_wrong_told", [DAY, ["AIR"], pair.pk]),
    ):
        with refused(name) as sql:
            sql(insert, values)
    for statement in ("UPDATE workshop_glovelook SET note = 'x'", "DELETE FROM workshop_glovelook"):
        with refused("glovelook_append_only") as sql:
            sql(statement)


def test_the_look_on_a_phone_and_over_the_api(nine):
    crib = Crib()
    pair = crib.tool("GLOVES", tested=0)
    phone = client_of(crib.technician)
    taken = phone.post(f"/tools/{pair.uid}/take/", {"form_token": uuid4(), "from": "scan"})
    address = f"/tools/{pair.uid}/look/"
    assert taken["Location"] == address
    assert "Loses air when rolled up" in english(phone, address)
    kept = phone.post(address, {"form_token": uuid4(), "wrong": ["AIR"], "note": ""})
    assert (kept.status_code, GloveLook.objects.count()) == (422, 0)
    assert phone.post(address, {"form_token": uuid4()})["Location"] == "/my-jobs/"
    assert "Last looks" in english(phone, f"/tools/{pair.uid}/")
    assert "no pair of insulating gloves" in english(phone, f"/tools/{crib.tool().uid}/look/")
    assert client_of(crib.floor.hire("cashier")).get(address).status_code == 403
    caller = ApiCaller("workshop:write", "workshop:read", store=pair.store, acts_for=crib.technician.user)
    made = caller.post("glove-looks", {"tool_uid": str(pair.uid), "wrong": ["AIR"], "note": "漏气"})
    assert (made.status_code, made.json()["wrong"]) == (201, ["AIR"])
    assert len(caller.get(f"glove-looks?tool_uid={pair.uid}").json()["data"]) == 2
    machine = ApiCaller("workshop:write", store=pair.store)
    problem(machine.post("glove-looks", {"tool_uid": str(pair.uid)}), 409, "gloves.person")
    assert History.objects.filter(code="workshop.tool.gloves_failed").count() == 1
