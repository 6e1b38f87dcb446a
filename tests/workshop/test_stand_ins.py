"""2.4, 3.4: who stands in for a technician is planned only where no technician is free, and nobody without gloves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dealership.kernel import clock
from tests.factories.floor import DAY, at, clock_at, make_agreed, make_floor
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_planning import H, best, job, shop
from tests.workshop.test_tools import Crib
from workshop import planning
from workshop.models import ToolIssue
from workshop.planning import Plan, Slot
from workshop.selectors import plan as board_reads
from workshop.selectors import replan
from workshop.selectors.proposed import look_at
from workshop.services import proposals, tools


@pytest.fixture(autouse=True)
def same_on_every_machine(settings):
    settings.PLANNER_DETERMINISTIC = 2.0


def people_of(plan: Plan) -> list[str]:
    return sorted(who for slot in plan.slots.values() for who in slot.people)


# --- the arithmetic ---


def test_who_stands_in_waits_for_a_job_that_finds_nobody_else() -> None:
    spare = frozenset({"T1"})
    later = [job("a", 60, spare=spare), job("b", 60, spare=spare)]
    for plan in (best(shop(), later), planning.first_come(shop(), later)):
        assert people_of(plan) == ["T0", "T0"]
    full = [job(str(n), 8 * H, spare=spare) for n in range(3)]  # two days of one technician, and one job more
    for plan in (best(shop(bays=3), [replace(one, bays=("B0", "B1", "B2")) for one in full]),):
        assert people_of(plan) == ["T0", "T0", "T1"]
        assert plan.left == []


def test_gloves_are_counted_hour_by_hour() -> None:
    hv = {"seconds": ("T0", "T1", "T2", "T3"), "leads": ("T0", "T1", "T2", "T3"), "gloves": True}
    jobs = [job("a", 60, **hv), job("b", 60, **hv)]
    enough = best(replace(shop(people=4), pairs=4), jobs)
    assert {slot.start for slot in enough.slots.values()} == {8 * H}
    for plan in (
        best(replace(shop(people=4), pairs=2), jobs),
        planning.first_come(replace(shop(people=4), pairs=2), jobs),
    ):
        first, second = sorted(plan.slots.values(), key=lambda slot: slot.start)
        assert second.start >= first.end
    own = best(replace(shop(people=4), pairs=0, gloved=frozenset({"T1", "T3"})), jobs[:1])
    assert people_of(own) == ["T1", "T3"]
    none = best(replace(shop(people=4), pairs=1), jobs)
    assert sorted(none.left) == ["a", "b"]
    both = Plan({"a": Slot(("T0", "T1"), "B0", 8 * H, 9 * H), "b": Slot(("T2", "T3"), "B1", 8 * H, 9 * H)})
    assert planning.broken_rules(replace(shop(people=4), pairs=4), jobs, both) == []
    assert planning.broken_rules(replace(shop(people=4), pairs=3), jobs, both) != []


def test_the_reason_of_a_swap_is_the_person_where_the_place_would_have_done() -> None:
    before = Slot(("T0",), "B0", 8 * H, 9 * H)
    moved = job("a", now=before, car="a")
    other = job("b", car="b", leads=("T0",), bays=("B1",), waiting=True)
    plan = Plan({"a": replace(before, people=("T1",)), "b": Slot(("T0",), "B1", 8 * H, 9 * H)})
    (swap,) = [change for change in planning.changes([moved, other], plan) if change.job == "a"]
    assert (swap.kind, swap.reason, swap.other) == ("PERSON", "NEEDED", "b")
    frozen = replace(other, frozen=True, now=plan.slots["b"])
    (swap,) = planning.changes([moved, frozen], plan)
    assert (swap.reason, swap.other, swap.until) == ("BUSY", "b", 9 * H)
    place = Plan({"a": replace(before, bay="B1"), "b": Slot(("T1",), "B0", 8 * H, 9 * H)})
    (swap,) = [change for change in planning.changes([moved, other], place) if change.job == "a"]
    assert (swap.kind, swap.reason) == ("BAY", "MAKES_ROOM")


# --- the shop ---


@pytest.mark.django_db
def test_the_foreman_is_proposed_only_when_no_technician_is_there() -> None:
    floor = make_floor()
    skills = {"engine": 4, "chassis": 4, "hv": 4}
    boss = floor.hire("foreman", skills=skills, name="派试长")
    safety = floor.hire("safety", skills=skills, name="安试员")
    with clock_at(9):
        _order, [line] = make_agreed(floor, "HV-10")
        (way, *_more) = board_reads.proposals(line)
        assert {way.technician, way.second} == {boss, safety}  # nobody else is there
        lead, mate = floor.technician("高压甲", hv=3), floor.technician("高压乙", hv=3)
        ways = board_reads.proposals(line)
        assert ways != []
        assert {person.pk for way in ways for person in (way.technician, way.second)} == {lead.pk, mate.pk}
        problem = replan.read_problem(floor.shop.store)
        (made,) = problem.jobs
        assert made.spare == {str(boss.uid), str(safety.uid)}
        made_plan = planning.optimize(problem.shop, problem.jobs, seconds=30, workers=1, deterministic=2)
        assert set(made_plan.slots[str(line.uid)].people) == {str(lead.uid), str(mate.uid)}


@pytest.mark.django_db
def test_the_capacity_is_the_technicians_before_and_after_a_plan() -> None:
    floor = make_floor()
    with clock_at(9):
        technician = floor.technician("高试工")
        boss = floor.hire("foreman", skills={"engine": 4, "chassis": 4}, name="派试长")
        _order, [line, other] = make_agreed(floor, "EL-10", "BR-20")
        before = board_reads.board(floor.foreman, day=DAY)
        assert before.available == board_reads.board(floor.foreman, day=DAY, by_people=True).available == 8.0
        floor.give(line, technician)
        floor.give(other, boss, start=(13, 0))
        after = board_reads.board(floor.foreman, day=DAY)
        assert after.available == before.available
        assert (after.planned, after.others) == (0.2, float(other.hours))  # a quarter of an hour at least
        week = board_reads.week_board(floor.foreman, day=DAY)
        assert (week.available, week.others) == (4 * 8.0, after.others)
        said = english(client_of(boss), "/plan/")
        assert "h of the technicians on the roster" in said
        assert "h of people who stand in" in said


@pytest.mark.django_db
def test_high_voltage_waits_for_gloves_that_are_tested() -> None:
    with clock.moved_to(at(9)):
        crib = Crib()
        floor = crib.floor
        lead, mate = floor.technician("高压甲", hv=4), floor.technician("高压乙", hv=4)
        _order, [line] = make_agreed(floor, "HV-10")
        first, second = crib.tool("GLOVES", tested=1), crib.tool("GLOVES")  # the second was never tested
        problem = replan.read_problem(floor.shop.store)
        assert (problem.shop.pairs, problem.shop.gloved) == (1, frozenset())
        assert board_reads.proposals(line) == []
        asked = proposals.ask_proposal(by=floor.foreman)
        made = proposals.work_out(uid=asked.uid)
        assert made is not None
        assert made.summary["left"] == [str(line.uid)]
        crib.test(second)
        tools.issue_tool(uid=first.uid, by=crib.parts, employee_uid=lead.uid)
        problem = replan.read_problem(floor.shop.store)
        assert (problem.shop.pairs, problem.shop.gloved) == (1, frozenset({str(lead.uid)}))
        proposals.reject_proposal(uid=made.uid, by=floor.foreman)
        again = proposals.work_out(uid=proposals.ask_proposal(by=floor.foreman).uid)
        assert again is not None
        (told,) = look_at(floor.foreman, again, day=None, before=False).told
        assert {told.change.technician, told.change.second} == {lead, mate}


@pytest.mark.django_db
def test_gloves_are_asked_for_when_no_job_needs_them_and_what_stays_out_is_marked() -> None:
    with clock.moved_to(at(9)):
        crib = Crib()
        floor = crib.floor
        lead, mate = floor.technician("高压甲", hv=4), floor.technician("高压乙", hv=4)
        _order, [line] = make_agreed(floor, "HV-10")
        floor.give(line, lead, "4", second_uid=mate.uid)
        pair = crib.tool("GLOVES", tested=1)
        tools.issue_tool(uid=pair.uid, by=crib.parts, employee_uid=lead.uid)
        asks = f"Bring the gloves {pair.number} back"
        assert asks not in english(client_of(lead), "/my-jobs/")  # the job is ahead
        assert client_of(crib.keeper).get("/tools/?show=out").context["counts"]["kept"] == 0
        line.dispatches.update(live=False)
        assert asks in english(client_of(lead), "/my-jobs/")
        assert asks not in english(client_of(mate), "/my-jobs/")
    with clock.moved_to(at(9, day=DAY + timedelta(days=1))):
        page = client_of(crib.keeper).get("/tools/?show=kept")
        assert page.context["counts"]["kept"] == 1
        assert [row.tool for row in page.context["rows"]] == [pair]
        assert ToolIssue.objects.get().returned_at is None
