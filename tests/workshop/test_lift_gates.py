"""3.4: a lift that is found wrong, waits for its check or is past its test shuts its bay – for plans and for clocks."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from dealership.kernel import clock, outbox
from dealership.kernel.models import Message
from tests.factories.floor import DAY, actor, at, clock_at, make_agreed
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib
from workshop.models import Clocking, Dispatch
from workshop.selectors import plan, replan
from workshop.services import clocking, dispatch, tools
from workshop.services.lifts import record_round
from workshop.tool_models import ToolAsset

pytestmark = pytest.mark.django_db


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def in_bay(crib: Crib, **more) -> ToolAsset:
    """The lift of bay 2, tested a month ago."""
    return crib.tool("LIFT", **{"tested": 30, "name": "2 号举升机", "place": "2 号举升"} | more)


def break_down(crib: Crib, lift: ToolAsset) -> None:
    record_round(uid=lift.uid, kind="DAILY", wrong=["LEAKS"], note="左柱漏油", by=crib.worker)


def test_a_lift_stands_in_a_bay_of_its_store_and_only_lifts_do(nine, refused):
    crib = Crib()
    bay = crib.floor.bays["2"]
    lift = in_bay(crib)
    assert lift.bay == bay  # the bay that its place is called after
    elsewhere = in_bay(crib, place="院内", bay_uid=crib.floor.bays["4"].uid)
    assert elsewhere.bay == crib.floor.bays["4"]
    facts = {"name": "举升机", "place": "院内", "keeper_uid": crib.keeper.uid}
    tools.change_tool(uid=lift.uid, by=crib.parts, **facts)
    assert ToolAsset.objects.get(pk=lift.pk).bay is None
    with rule("tool.bay"):
        tools.change_tool(uid=lift.uid, bay_uid=crib.floor.tools["TIMING_KIT"].uid, by=crib.parts, **facts)
    tools.change_tool(uid=lift.uid, bay_uid=bay.uid, by=crib.parts, **facts)
    assert crib.tool("JACK", place="2 号举升").bay is None
    jack = ToolAsset.objects.get(kind="JACK")
    for tool, key in ((jack, bay.pk), (lift, crib.floor.tools["TIMING_KIT"].pk)):
        with refused("toolasset_bay") as sql:
            sql("UPDATE workshop_toolasset SET bay_id = %s WHERE id = %s", [key, tool.pk])


def test_lifts_from_before_find_their_bay_by_its_name(nine):
    crib = Crib()
    lift = in_bay(crib)
    ToolAsset.objects.filter(pk=lift.pk).update(bay=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("workshop.migrations.0071_lifts_into_their_bays").FILL)
    assert ToolAsset.objects.get(pk=lift.pk).bay == crib.floor.bays["2"]


def test_what_is_found_wrong_shuts_the_bay_until_a_test_passes(nine, refused):
    crib = Crib()
    lift, person = in_bay(crib), crib.technician
    _order, [line] = make_agreed(crib.floor, "BR-10")
    made = crib.floor.give(line, person, "2")
    break_down(crib, lift)
    with rule("clocking.lift"):
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with refused("clocking_lift_fit") as sql:
        sql(
            "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id, bay_id,"
            " started_at, pause_cause, corrected_reason)"
            " SELECT gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, '', ''",
            [line.order.store_id, person.pk, line.pk, made.bay_id, clock.now()],
        )
    _other, [more] = make_agreed(crib.floor, "BR-10")
    with rule("dispatch.lift"):
        crib.floor.give(more, person, "2", (14, 0))
    with rule("dispatch.lift"):
        dispatch.move_dispatch(uid=made.uid, starts_at=at(15), by=crib.floor.foreman)
    with rule("dispatch.lift"):
        dispatch.drop_line(line_uid=more.uid, resource_uid=made.bay.uid, starts_at=at(15), by=crib.floor.foreman)
    with refused("dispatch_lift_fit") as sql:
        sql("UPDATE workshop_dispatch SET bay_id = bay_id WHERE id = %s", [made.pk])
    assert {way.bay for way in plan.proposals(more)} == {crib.floor.bays["4"]}
    assert Dispatch.objects.filter(live=True).count() == 1
    with rule("tool.check_order"):  # a paper from before it broke changes nothing
        crib.test(lift, done_on=DAY - timedelta(days=1))
    crib.test(lift)
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    assert Clocking.objects.get().bay == made.bay


def test_a_late_paper_doesnt_open_it_around_the_command_either(nine, refused):
    crib = Crib()
    lift = in_bay(crib)
    break_down(crib, lift)
    with refused("toolcheck_in_order") as sql:
        sql(
            "INSERT INTO workshop_toolcheck (uid, version, created_at, updated_at, store_id, tool_id, done_on, result,"
            " valid_until, body, certificate_number, note) SELECT gen_random_uuid(), 1, now(), now(), store_id, id, %s,"
            " 'PASSED', %s, 'x', '', '' FROM workshop_toolasset WHERE id = %s",
            [DAY - timedelta(days=1), DAY + timedelta(days=30), lift.pk],
        )


def test_a_lift_past_its_test_is_neither_planned_nor_worked_on(nine):
    crib = Crib()
    lift = in_bay(crib, tested=364)  # its year ends tomorrow
    until = ToolAsset.objects.get(pk=lift.pk).valid_until
    _order, [line] = make_agreed(crib.floor, "BR-10")
    late = until + timedelta(days=1)
    with rule("dispatch.lift"):
        dispatch.dispatch_line(
            line_uid=line.uid, technician_uid=crib.technician.uid, bay_uid=crib.floor.bays["2"].uid,
            starts_at=at(9, day=late), by=crib.floor.foreman,
        )  # fmt: skip
    crib.floor.give(line, crib.technician, "2")
    with clock.moved_to(at(9, day=late)), rule("clocking.lift"):
        clocking.clock_on(line_uid=line.uid, employee_uid=crib.technician.uid, by=crib.floor.foreman)


def test_the_planner_gives_the_bay_nothing(nine):
    crib = Crib()
    lift = in_bay(crib)
    bay = str(crib.floor.bays["2"].uid)
    before = replan.read_problem(lift.store).shop
    assert before.bays[bay].busy == ()
    break_down(crib, lift)
    after = replan.read_problem(lift.store).shop
    [(begin, end)] = after.bays[bay].busy
    assert (begin <= 9 * 60, end) == (True, after.horizon)


def test_who_finds_it_wrong_reads_what_is_planned_there_and_a_foreman_is_led_to_the_plan(nine):
    crib = Crib()
    lift = in_bay(crib)
    _order, [line] = make_agreed(crib.floor, "BR-10")
    crib.floor.give(line, crib.technician, "2", (14, 0))
    wrong = {"kind": "DAILY", "wrong": ["LEAKS"], "note": "漏油"}
    address = f"/tools/{lift.uid}/round/"
    said = client_of(crib.technician).post(address, wrong, follow=True).content.decode()
    assert "Jobs planned there: 1" in said
    crib.test(lift)
    foreman = client_of(crib.floor.hire("foreman", name="孟工长"))
    assert foreman.post(address, wrong)["Location"] == "/plan/"


def test_the_plan_says_it_and_leads_the_foreman_there(nine):
    crib = Crib()
    lift = in_bay(crib)
    _order, [line] = make_agreed(crib.floor, "BR-10")
    made = crib.floor.give(line, crib.technician, "2", (14, 0))
    boss = crib.floor.hire("foreman", name="孟工长")
    foreman = client_of(boss)
    assert "passed its test" not in english(foreman, "/plan/?day=2026-11-24")
    break_down(crib, lift)
    outbox.drain()
    told = Message.objects.get(template="workshop.lift_unfit", recipient=boss.number)
    assert "左柱漏油" in told.body
    page = english(foreman, "/plan/?day=2026-11-24")
    assert page.count("– Out of use: 左柱漏油") == 2  # at the bay's head and above the plan
    assert f"/plan/{made.uid}/" in page
    assert "左柱漏油" in english(foreman, f"/plan/{made.uid}/")
    block = f"/plan/bays/{made.bay.uid}/block/?why=lift"
    assert block in page
    assert "左柱漏油" in english(foreman, block)
    assert "左柱漏油" in english(client_of(crib.technician), "/my-jobs/")
    crib.test(lift)
    assert "passed its test" not in english(foreman, "/plan/?day=2026-11-24")
