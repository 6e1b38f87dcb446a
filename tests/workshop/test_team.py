"""3.2: the foreman's team on one page, with what doesn't hold and the hours of the day so far (6.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from dealership.kernel.actors import machine
from dealership.kernel.errors import RaceLost
from dealership.process.selectors.figures import read
from dealership.process.services import rollup
from staff.services import rosters
from tests.factories.api import ApiCaller
from tests.factories.floor import DAY, actor, at, clock_at, make_agreed, make_floor
from tests.factories.workshop import add_operation, agree_all, make_order
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib
from workshop.models import Clocking, Dispatch, OrderLine, RepairOrder
from workshop.selectors import plan as reads
from workshop.selectors.broken import broken_plans
from workshop.selectors.team import Doing, team
from workshop.services import clocking, findings, tools


@pytest.fixture
def floor(db):
    with clock_at(8, 50):
        made = make_floor()
    return made


def by_name(floor, **facts):
    return {member.person.name: member for member in team(floor.foreman, **facts).members}


def away(floor, person, day=DAY, word="病假"):
    by = machine("test", store_id=floor.shop.store.pk)
    rosters.set_roster_day(employee_uid=person.uid, day=day, shift_code=None, absence=word, by=by)


def test_everybody_stands_as_they_are(floor):
    with clock_at(8, 50):
        working, waiting, rests, idle, off = (
            floor.technician(name) for name in ("高试工", "袁试工", "邓试工", "闲试工", "休试工")
        )
        away(floor, off)
        lines = [make_agreed(floor, "BR-10")[1][0] for _n in range(4)]
        for line, person, bay in zip(lines[:3], (working, waiting, rests), ("2", "4", "2"), strict=True):
            floor.give(line, person, bay, start=(9, 0) if bay == "4" or person == working else (10, 0))
        floor.give(lines[3], idle, "4", start=(14, 0))
    with clock_at(9):
        for line, person in ((lines[0], working), (lines[1], waiting), (lines[2], rests)):
            clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(9, 20):
        clocking.clock_off(pause_cause="PARTS", by=actor(waiting))
        clocking.clock_off(pause_cause="BREAK", by=actor(rests))
        findings.ask_for(line_uid=lines[0].uid, need="HELP", by=actor(working))
    with clock_at(9, 30):
        foreman = client_of(floor.hire("foreman", name="孟工长"))
        rows = {member.person.name: member for member in team(actor(floor.hire("manager", name="管试理"))).members}
        assert {name: member.doing for name, member in rows.items()} == {
            "高试工": Doing.WORKING,
            "袁试工": Doing.WAITING,
            "邓试工": Doing.BREAK,
            "闲试工": Doing.FREE,
            "休试工": Doing.OFF,
        }
        assert (rows["高试工"].minutes, rows["高试工"].standard_minutes) == (30, int(lines[0].hours * 60))
        assert (rows["袁试工"].since, rows["袁试工"].holds[0].cause) == (at(9, 20), "PARTS")
        assert (rows["闲试工"].since, rows["闲试工"].next.line_id) == (at(8, 30), lines[3].pk)
        assert [call.need for call in rows["高试工"].calls] == ["HELP"]
        assert rows["休试工"].shift == "病假"
        assert next(iter(rows)) == "闲试工", "who is free stands first"
        page = english(foreman, "/team/")
        assert "30 min of" in page
        assert "nothing planned today" in page or "Next job" in page
        assert page.count('id="who-') == 5
        assert english(foreman, "/team/?show=WAITING").count('id="who-') == 1
        seen = foreman.get("/team/").context["stamp"]
        assert foreman.get(f"/team/?seen={seen}").status_code == 204
    with clock_at(12, 30):
        assert by_name(floor)["闲试工"].doing == Doing.BREAK
    with clock_at(18):
        assert by_name(floor)["闲试工"].doing == Doing.OFF


def test_the_hours_so_far_are_the_figures_of_the_day_once_the_shift_is_over(floor):
    with clock_at(8, 50):
        person, mate = floor.technician(), floor.technician("袁试工")
        helper = floor.hire("leader", skills={"engine": 4, "chassis": 4}, name="班试长")
        lines = [make_agreed(floor, "BR-10")[1][0], make_agreed(floor, "BR-30")[1][0]]
        floor.give(lines[0], person)
    with clock_at(9):
        clocking.clock_on(line_uid=lines[0].uid, by=actor(person))
    with clock_at(10):
        rows = by_name(floor)
        assert (rows[person.name].hours.worked, rows[person.name].hours.attended) == (1.0, 1.5)
        assert rows[person.name].hours.efficiency is None
    with clock_at(11):
        clocking.finish_line(line_uid=lines[0].uid, cause="磨到极限", correction="已更换", by=actor(person))
        clocking.clock_on(line_uid=lines[1].uid, employee_uid=helper.uid, by=floor.foreman)
    with clock_at(12, 30):  # the leader works half an hour into the lunch break
        clocking.finish_line(line_uid=lines[1].uid, cause="磨到极限", correction="已更换", by=actor(helper))
    with clock_at(17, 31):
        store, by = floor.shop.store, machine("test", store_id=floor.shop.store.pk)
        rollup.recompute_day(store_id=store.pk, day=DAY)
        rows = by_name(floor)
        for who in (person, mate, helper):
            hours = rows[who.name].hours if who.name in rows else None
            for code, pair in (
                ("workshop.efficiency", ("sold", "took")),
                ("workshop.utilisation", ("worked", "attended")),
                ("workshop.productivity", ("sold", "attended")),
            ):
                figure = read(by, code, DAY, DAY, dimension=str(who.uid))
                assert hours is not None
                assert (round(float(figure.numerator), 4), round(float(figure.denominator), 4)) == tuple(
                    round(getattr(hours, name), 4) for name in pair
                ), (who.name, code)
        total, whole = team(floor.foreman).hours, read(by, "workshop.productivity", DAY, DAY)
        assert (round(total.sold, 4), round(total.attended, 4)) == (
            round(float(whole.numerator), 4),
            round(float(whole.denominator), 4),
        )


def test_one_tap_gives_a_loose_job_to_who_is_free(floor):
    with clock_at(8, 50):
        person, chief = floor.technician(), floor.hire("foreman", name="孟工长")
        _order, [line] = make_agreed(floor, "BR-10")
    with clock_at(9):
        assert all(m.ways is None for m in team(actor(chief)).members)
        found = team(actor(chief), ways=True)
        member = next(m for m in found.members if m.person == person)
        assert member.ways is not None
        assert (member.ways[0].line, found.loose_count) == (line, 1)
        client = client_of(chief)
        assert reverse("plan-assign", args=[line.uid]) in english(client, "/team/")
        page = english(client, "/team/?ways=1")
        assert "Jobs without a person" in page
        assert page.count(f'action="{reverse("plan-assign", args=[line.uid])}"') == 2, "at the person and at the job"
        way = member.ways[1]
        sent = client.post(
            reverse("plan-assign", args=[line.uid]),
            {
                "technician": way.technician.uid,
                "bay": way.bay.uid,
                "starts_at": f"{way.starts_at + timedelta(hours=0):%Y-%m-%dT%H:%M}",
                "alone": "1",
                "next": "/team/",
            },
        )
        assert (sent.status_code, sent.headers["Location"]) == (302, "/team/")
        assert Dispatch.objects.get(live=True).technician == person
        assert "Jobs without a person" not in english(client, "/team/")


def test_one_tap_pauses_the_clock_that_was_seen_and_no_other(floor):
    with clock_at(8, 50):
        person, chief = floor.technician(), floor.hire("foreman", name="孟工长")
        lines = [make_agreed(floor, "BR-10")[1][0] for _n in range(2)]
        for hour, line in ((9, lines[0]), (11, lines[1])):
            floor.give(line, person, start=(hour, 0))
    with clock_at(9):
        seen = clocking.clock_on(line_uid=lines[0].uid, by=actor(person))
    with clock_at(9, 10):
        client = client_of(chief)
        assert reverse("team-pause", args=[seen.uid]) in english(client, "/team/")
        assert client.post(reverse("team-pause", args=[seen.uid]), {}).status_code in (302, 422)
        assert Clocking.objects.get(pk=seen.pk).ended_at is None
        sent = client.post(reverse("team-pause", args=[seen.uid]), {"pause_cause": "TOOL"})
        assert sent.headers["Location"] == "/team/"
        seen.refresh_from_db()
        assert (seen.ended_at, seen.pause_cause) == (at(9, 10), "TOOL")
        assert OrderLine.objects.get(pk=lines[0].pk).holds.get(ended_at=None).cause == "TOOL"
    with clock_at(9, 20):
        other = clocking.clock_on(line_uid=lines[1].uid, by=actor(person))
        with pytest.raises(RaceLost) as late:
            clocking.clock_off(employee_uid=person.uid, clocking_uid=seen.uid, pause_cause="BREAK", by=floor.foreman)
        assert late.value.code == "clocking.other"
        assert Clocking.objects.get(pk=other.pk).ended_at is None


def test_who_is_away_breaks_the_plans_ahead(floor):
    with clock_at(8, 50):
        person, mate, chief = floor.technician(), floor.technician("袁试工"), floor.hire("foreman", name="孟工长")
        now, later, tomorrow = (make_agreed(floor, "BR-10")[1][0] for _n in range(3))
        floor.give(now, person, start=(9, 0))
        floor.give(later, person, start=(14, 0))
        floor.give(tomorrow, mate, "4", start=(10, 0))
        assert broken_plans(floor.foreman) == []
    with clock_at(9):
        clocking.clock_on(line_uid=now.uid, by=actor(person))
    with clock_at(9, 10):
        away(floor, person)
        broken = broken_plans(floor.foreman)
        assert [(one.plan.line_id, one.what, one.why) for one in broken] == [(later.pk, "高试工", "病假")]
        client = client_of(chief)
        for path in ("/team/", "/plan/?day=2026-11-24"):
            page = english(client, path)
            assert "高试工 isn&#x27;t there" in page or "高试工 isn't there" in page, path
            assert reverse("plan-move", args=[broken[0].plan.uid]) in page
    with clock_at(12, 30):
        assert [one.plan.line_id for one in broken_plans(floor.foreman)] == [later.pk], "a lunch break breaks nothing"


@pytest.mark.django_db
def test_a_tool_that_is_out_or_unfit_breaks_the_plan_it_is_kept_for():
    with clock_at(9):
        crib = Crib()
        kit = crib.floor.tools["TIMING_KIT"]
        tool = crib.tool("SPECIAL", name="正时工具", resource_uid=kit.uid)
        person, chief = crib.floor.technician("正时", engine=4), crib.floor.hire("foreman", name="孟工长")
        _order, [line] = make_agreed(crib.floor, "EN-20")
        plan = crib.floor.give(line, person, start=(13, 0))
        tools.issue_tool(uid=tool.uid, note="量一下", by=crib.worker)
        assert broken_plans(crib.floor.foreman) == [], "there is time to bring it back"
    with clock_at(12, 30):
        [one] = broken_plans(crib.floor.foreman)
        assert (one.plan, one.tool, one.absent) == (plan, tool, False)
        assert "高试工" in one.why
        page = english(client_of(chief), "/plan/?day=2026-11-24")
        assert "still with" in page
        assert f"/tools/{tool.uid}/" in page
        tools.return_tool(uid=tool.uid, condition="DAMAGED", note="断了", by=crib.worker)
        [one] = broken_plans(crib.floor.foreman)
        assert one.why == "待检"


@pytest.mark.django_db
def test_the_plan_follows_a_clock_that_overruns_its_plan(floor):
    """The bar grows with the forecast as far as the next one, and what is proposed begins after it."""
    with clock_at(8, 50):
        person = floor.technician()
        line, other = (make_agreed(floor, "BR-10")[1][0] for _n in range(2))
        plan = floor.give(line, person, start=(9, 0))
    with clock_at(9):
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10, 30):  # 0.8 h are used up: a quarter of an hour more, as the forecast has it
        assert plan.ends_at < at(10, 30)
        row = next(r for r in reads.board(floor.foreman, day=DAY).rows if r.uid == floor.bays["2"].uid)
        [bar] = row.bars
        assert (bar.at, bar.at + bar.length) == (12, 33), "09:00 to 10:45"
        assert "超出计划" in bar.title
        way = next(iter(reads.proposals(other)))
        assert way.starts_at >= at(10, 45), "the only technician is still at it"
        week = next(r for r in reads.week_board(floor.foreman, day=DAY).rows if r.uid == floor.bays["2"].uid)
        assert len(week.bars) == 1


@pytest.mark.django_db
def test_a_drop_that_ends_too_late_says_so_before(floor):
    with clock_at(8, 50):
        person, chief = floor.technician(), floor.hire("foreman", name="孟工长")
        order, [line, later] = make_agreed(floor, "BR-10", "BR-10")
        RepairOrder.objects.filter(pk=order.pk).update(promised_at=at(11))
        plan = floor.give(line, person, start=(9, 0))
        client = client_of(chief)

        def told(**what):
            return client.get(reverse("plan-drop"), {"row": floor.bays["2"].uid, **what}).json()

        assert told(plan=plan.uid, starts_at="2026-11-24T09:30") == {"late": ""}
        assert "later than promised" in told(plan=plan.uid, starts_at="2026-11-24T10:30")["late"]
        assert "not done that day" in told(plan=plan.uid, starts_at="2026-11-24T17:00")["late"]
        assert told(line=later.uid, starts_at="2026-11-24T10:00")["late"] == ""
        assert "later than promised" in told(line=later.uid, starts_at="2026-11-24T14:00")["late"]
        plan.refresh_from_db()
        assert plan.starts_at == at(9), "nothing was written"


@pytest.mark.django_db
def test_a_car_that_waits_for_a_part_nobody_named_stands_in_a_queue(floor):
    with clock_at(9):
        keeper, person = floor.hire("parts", name="柯备件"), floor.technician()
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        client = client_of(keeper)
        assert "No car waits for a part" in english(client, "/parts/?show=WAIT")
        clocking.hold_line(line_uid=line.uid, cause="PARTS", note="卡扣断了", by=floor.foreman)
        page = english(client, "/parts/?show=WAIT")
        assert "卡扣断了" in page
        assert client.get("/parts/").context["counts"]["WAIT"] == 1
        clocking.release_line(line_uid=line.uid, by=floor.foreman)
        order = make_order(floor.shop, with_diagnosis=False)
        named = add_operation(floor.shop, order, "BR-10")
        agree_all(floor.shop, order)
        assert named.part_lines.exists()
        clocking.hold_line(line_uid=named.uid, cause="PARTS", by=floor.foreman)
        assert client.get("/parts/").context["counts"]["WAIT"] == 0, "what stands on its line isn't told twice"


@pytest.mark.django_db
def test_another_system_reads_the_team_and_what_does_not_hold(floor):
    with clock_at(8, 50):
        person = floor.technician()
        now, later = (make_agreed(floor, "BR-10")[1][0] for _n in range(2))
        floor.give(now, person, start=(9, 0))
        plan = floor.give(later, person, start=(14, 0))
    with clock_at(9):
        running = clocking.clock_on(line_uid=now.uid, by=actor(person))
    with clock_at(9, 30):
        away(floor, person)
        caller = ApiCaller("workshop:read", store=floor.shop.store)
        [row] = caller.get("technicians-now").json()["data"]
        assert (row["employee_uid"], row["state"], row["labor_operation_uid"]) == (
            str(person.uid),
            "WORKING",
            str(now.uid),
        )
        assert (row["clocking_uid"], row["clocked_minutes"], row["hours_worked"]) == (str(running.uid), 30, "0.50")
        [broken] = caller.get("broken-plans").json()["data"]
        assert (broken["dispatch_uid"], broken["is_absent"], broken["tool_uid"]) == (str(plan.uid), True, None)
        assert "病假" not in str(broken), "why somebody is away is personal"
