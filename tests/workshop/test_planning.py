"""2.4: the day's plan as arithmetic: hours of people, the two plain rules, the solver, and why something changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import dispatcher
from workshop import planning
from workshop.planning import Job, Person, Place, Shop, Slot

H = 60
DAY = ((8 * H, 12 * H), (13 * H, 17 * H))
TWO_DAYS = (*DAY, *((b + 24 * H, e + 24 * H) for b, e in DAY))


def shop(people: int = 2, bays: int = 2, **more: Person) -> Shop:
    staff = {f"T{n}": Person(f"T{n}", TWO_DAYS) for n in range(people)} | more
    return Shop(staff, {f"B{n}": Place(f"B{n}") for n in range(bays)}, {"scope": Place("scope")})


def job(name: str, minutes: int = 60, **more: object) -> Job:
    given_: dict[str, object] = {"car": name, "leads": ("T0", "T1"), "bays": ("B0", "B1"), **more}
    return Job(id=name, minutes=minutes, **given_)  # type: ignore[arg-type]


def best(place: Shop, jobs: list[Job]) -> planning.Plan:
    plan = planning.optimize(place, jobs, seconds=30, workers=1, deterministic=4)
    assert planning.broken_rules(place, jobs, plan) == []
    return plan


# --- hours ---


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        (8 * H, 60, 9 * H),
        (11 * H + 30, 30, 12 * H),
        (11 * H + 30, 60, 13 * H + 30),  # through lunch
        (16 * H, 120, 33 * H),  # into the next morning
        (12 * H, 30, None),  # nobody begins at lunch
        (7 * H, 30, None),
        (40 * H, 120, None),  # the roster ends
    ],
)
def test_a_job_runs_through_the_persons_own_hours(start: int, minutes: int, end: int | None) -> None:
    assert planning.run(Person("T", TWO_DAYS), start, minutes) == end


def test_a_slower_person_needs_longer_on_the_grid() -> None:
    assert planning.run(Person("T", TWO_DAYS, pace=85), 8 * H, 60) == 8 * H + 75
    assert planning.run(Person("T", TWO_DAYS, pace=120), 8 * H, 60) == 8 * H + 50


spans = st.lists(st.integers(0, 200), min_size=2, max_size=8, unique=True).map(
    lambda cuts: tuple((a * 5, b * 5) for a, b in zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)


@given(open_=spans, minutes=st.integers(1, 400), pace=st.integers(50, 150), first=st.integers(0, 600))
@settings(max_examples=300, deadline=None)
def test_pieces_are_exactly_the_starts_that_run(open_: tuple, minutes: int, pace: int, first: int) -> None:
    person, horizon = Person("T", open_, pace=pace), 1000
    by_pieces = {
        start: start + length
        for low, high, length in planning.pieces(person, minutes, first, horizon)
        for start in range(low, high + 1, planning.STEP)
    }
    by_run = {
        start: end
        for start in range(-(-first // 5) * 5, horizon, planning.STEP)
        if (end := planning.run(person, start, minutes)) is not None and end <= horizon
    }
    assert by_pieces == by_run


# --- plans ---


def test_the_plain_rules_keep_their_order() -> None:
    place = shop(people=1, bays=1)
    jobs = [
        job("early", arrived=8 * H, due=17 * H, leads=("T0",), bays=("B0",), release=8 * H),
        job("urgent", arrived=8 * H + 5, due=9 * H, leads=("T0",), bays=("B0",), release=8 * H),
    ]
    assert planning.first_come(place, jobs).slots["early"].start == 8 * H
    assert planning.earliest_promise(place, jobs).slots["urgent"].start == 8 * H


def test_the_solver_finds_what_the_rules_miss_and_proves_it() -> None:
    """A long job with the earlier promise would make three short ones late; the best plan lets it wait."""
    place = shop(people=1, bays=1)
    alone = {"leads": ("T0",), "bays": ("B0",), "release": 8 * H}
    jobs = [
        job("long", 180, due=9 * H, **alone),
        *(job(f"s{n}", 30, due=9 * H + 30 * n + 30, **alone) for n in range(3)),
    ]
    rule, plan = planning.earliest_promise(place, jobs), best(place, jobs)
    assert planning.score(place, jobs, rule, 18 * H).late == 4
    assert planning.score(place, jobs, plan, 18 * H).late == 1
    assert plan.proven
    assert plan.gap == 0
    assert {plan.slots[f"s{n}"].start for n in range(3)} == {8 * H, 8 * H + 30, 9 * H}


def test_who_waits_comes_before_who_does_not_and_rework_too() -> None:
    place = shop(people=1, bays=1)
    alone = {"leads": ("T0",), "bays": ("B0",), "release": 8 * H, "due": 9 * H}
    for favoured in ({"waiting": True}, {"rework": True}):
        plan = best(place, [job("a", **alone), job("b", **alone, **favoured)])
        assert (plan.slots["b"].start, plan.slots["a"].start) == (8 * H, 9 * H)


def test_high_voltage_work_has_two_people_all_the_time() -> None:
    half = Person("T2", ((8 * H, 9 * H),))
    place = shop(people=2, bays=1, T2=half)
    jobs = [job("hv", 90, leads=("T0",), seconds=("T0", "T2", "T1"), bays=("B0",), release=8 * H)]
    plan = best(place, jobs)
    assert plan.slots["hv"].people == ("T0", "T1"), "T2 goes home before it ends, and nobody is their own second"
    assert best(place, [replace(jobs[0], seconds=("T0", "T2"))]).left == ["hv"]


def test_one_tool_one_car_and_parts_that_come_later() -> None:
    place = shop()
    tool = {"tools": (("scope",),), "release": 8 * H}
    plan = best(place, [job("a", **tool), job("b", **tool)])
    assert sorted(slot.start for slot in plan.slots.values()) == [8 * H, 9 * H]
    plan = best(place, [job("a", car="C", release=8 * H), job("b", car="C", release=8 * H)])
    assert sorted(slot.start for slot in plan.slots.values()) == [8 * H, 9 * H]
    assert best(place, [job("a", release=10 * H)]).slots["a"].start == 10 * H
    plan = best(place, [job("a", car="C", release=8 * H, after=("b",)), job("b", 30, car="C", release=8 * H)])
    assert plan.slots["a"].start == plan.slots["b"].end == 8 * H + 30


def test_a_replan_never_touches_what_is_frozen_and_moves_as_little_as_possible() -> None:
    place = shop(people=2, bays=2)
    running = Slot(("T0",), "B0", 8 * H, 10 * H)  # planned until nine, forecast until ten
    jobs = [
        job("running", car="R", now=running, frozen=True),
        job("next", release=8 * H, due=11 * H, now=Slot(("T0",), "B0", 9 * H, 10 * H)),
        job("other", release=8 * H, due=17 * H, now=Slot(("T1",), "B1", 11 * H, 12 * H)),
    ]
    plan = best(place, jobs)
    assert plan.slots["running"] == running
    assert plan.slots["other"] == jobs[2].now, "what isn't in the way stays"
    assert plan.slots["next"].start >= 8 * H
    (change,) = planning.changes(jobs, plan)
    assert (change.job, change.reason, change.other, change.until) == ("next", "CONFLICT", "running", 10 * H)


def test_frozen_work_that_overlaps_in_reality_is_no_reason_to_find_no_plan() -> None:
    place = shop(people=1, bays=1)
    alone = {"leads": ("T0",), "bays": ("B0",)}
    jobs = [
        job("a", now=Slot(("T0",), "B0", 8 * H, 10 * H), frozen=True, **alone),
        job("b", now=Slot(("T0",), "B0", 9 * H, 11 * H), frozen=True, **alone),
        job("c", release=8 * H, **alone),
    ]
    assert best(place, jobs).slots["c"].start == 11 * H


def test_what_finds_no_place_is_said() -> None:
    place = Shop({"T0": Person("T0", ((8 * H, 9 * H),))}, {"B0": Place("B0", ((8 * H, 9 * H),))}, horizon=24 * H)
    jobs = [job("a", leads=("T0",), bays=("B0",), release=8 * H)]
    assert planning.first_come(place, jobs).left == ["a"]
    plan = best(place, jobs)
    assert (plan.left, plan.slots) == (["a"], {})
    (change,) = planning.changes(jobs, plan)
    assert (change.kind, change.reason) == ("LEFT", "NO_PLACE")
    assert best(place, []).slots == {}


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_simulated_day_keeps_every_rule_and_is_never_worse_than_the_plain_ones(number: int) -> None:
    place, jobs = dispatcher.day(number)
    rules = [planning.first_come(place, jobs), planning.earliest_promise(place, jobs)]
    for plan in rules:
        assert planning.broken_rules(place, jobs, plan) == []
    plan = planning.optimize(place, jobs, seconds=60, workers=1, deterministic=0.5)
    assert planning.broken_rules(place, jobs, plan) == []
    assert plan.bound <= plan.cost <= min(rule.cost for rule in rules)
    assert plan.cost == planning.cost_of(jobs, plan.slots)


def test_a_broken_plan_is_seen() -> None:
    place = shop()
    jobs = [job("a", release=8 * H), job("b", release=8 * H, leads=("T1",), tools=(("scope",),))]
    good = best(place, jobs)
    for slot, said in (
        (replace(good.slots["a"], people=good.slots["b"].people), "person T1: a and b overlap"),
        (replace(good.slots["a"], bay="B9"), "a doesn't fit B9"),
        (replace(good.slots["a"], start=7 * H), "a begins before it can"),
        (replace(good.slots["a"], end=10 * H), "a doesn't run through T0's hours"),
    ):
        bad = planning.Plan({**good.slots, "a": slot})
        assert said in "; ".join(sorted(planning.broken_rules(place, jobs, bad)))
    bad = planning.Plan({**good.slots, "b": replace(good.slots["b"], tools=())})
    assert "b lacks a tool" in planning.broken_rules(place, jobs, bad)


# --- who waits, and the quick lane ---


def test_a_customer_who_waits_goes_before_cars_promised_for_later_days_also_where_one_is_planned_already() -> None:
    place = shop(people=1, bays=1)
    alone = {"leads": ("T0",), "bays": ("B0",), "release": 8 * H}
    waits = job("waits", 35, waiting=True, due=17 * H, **alone)
    planned = job("planned", 90, due=40 * H, now=Slot(("T0",), "B0", 8 * H, 9 * H + 30), **alone)
    loose = [job(f"loose{n}", 15, due=40 * H, **alone) for n in range(4)]
    plan = best(place, [planned, *loose, waits])
    assert plan.slots["waits"].start == 8 * H
    promised = job("promised", 60, due=9 * H, **alone)
    plan = best(place, [promised, replace(waits, minutes=180)])
    assert (plan.slots["promised"].start, plan.slots["waits"].start) == (8 * H, 9 * H), "nobody is late for it"


def test_a_quick_job_goes_to_the_quick_lane_that_has_room_soon_and_elsewhere_where_it_would_wait_long() -> None:
    people = {f"T{n}": Person(f"T{n}", TWO_DAYS) for n in range(2)}
    quick = job("quick", 30, bays=("A", "Q"), release=8 * H, dear=frozenset({"A"}))
    for taken, bay in (((), "Q"), (((8 * H, 8 * H + 45),), "Q"), (((8 * H, 10 * H),), "A")):
        place = Shop(people, {"A": Place("A"), "Q": Place("Q", taken)})
        assert best(place, [quick]).slots["quick"].bay == bay
    place = Shop(people, {"A": Place("A"), "Q": Place("Q")})
    assert planning.first_come(place, [quick]).slots["quick"].bay == "Q"
    stays = replace(quick, now=Slot(("T0",), "A", 8 * H, 8 * H + 30))
    assert best(place, [stays]).slots["quick"] == stays.now, "what people count on isn't moved for it"
