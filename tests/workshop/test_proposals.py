"""2.4: a plan is proposed by a worker, looked at with every change and its reason, and applied only when it is accepted."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from dealership.catalogue.models import Reservation, Resource
from dealership.celery import app
from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost
from dealership.kernel.models import History
from reception.models import Visit, WaitingMode
from staff.models import EmployeeSkill, RosterDay
from tests.factories.floor import DAY, actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, agree_all, make_order
from workshop import planning, tasks
from workshop.models import Dispatch, DispatchProposal, PartLine, PlanChange, RepairOrder
from workshop.selectors import replan
from workshop.services import clocking, dispatch, proposals


@pytest.fixture(autouse=True)
def same_on_every_machine(settings):
    settings.PLANNER_DETERMINISTIC = 2.0


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def propose(floor, **words) -> DispatchProposal:
    """Asked for and worked out, as the worker does it."""
    asked = proposals.ask_proposal(by=floor.foreman, **words)
    made = proposals.work_out(uid=asked.uid)
    assert made is not None
    return made


def promise(order: RepairOrder, hour: int, minute: int = 0) -> None:
    """The customer left the car until then."""
    RepairOrder.objects.filter(pk=order.pk).update(promised_at=at(hour, minute))
    Visit.objects.filter(pk=order.visit_id).update(waiting_mode=WaitingMode.LEAVE)


def written() -> tuple[int, ...]:
    return (
        Dispatch.objects.count(),
        Dispatch.objects.filter(live=True).count(),
        Reservation.objects.filter(live=True).count(),
        History.objects.count(),
    )


def codes(proposal: DispatchProposal) -> list[str]:
    rows = History.objects.filter(root_uid=proposal.uid).order_by("id")
    return [code.removeprefix("workshop.dispatch_proposal.") for code in rows.values_list("code", flat=True)]


@pytest.mark.django_db
def test_loose_work_is_given_out_by_promise_and_who_waits_comes_first(nine):
    floor = make_floor()
    floor.technician("高试工")
    later, [calm] = make_agreed(floor, "BR-10")
    soon, [urgent] = make_agreed(floor, "BR-10")
    promise(later, 17)
    promise(soon, 11)
    proposal = propose(floor)
    assert proposal.state == "READY"
    changes = {change.line_id: change for change in proposal.changes.all()}
    assert set(changes) == {calm.pk, urgent.pk}
    assert (changes[urgent.pk].starts_at, changes[urgent.pk].ends_at) == (at(9, 10), at(10))
    assert changes[urgent.pk].kind == "NEW"
    assert changes[urgent.pk].reason == "PROMISE"
    assert changes[calm.pk].starts_at >= at(10)
    assert proposal.summary["new"] == 2
    assert proposal.summary["before"]["open"] == 2
    assert proposal.expires_at == at(9, 10), "nothing in it begins before it may no longer be accepted"
    assert not Dispatch.objects.exists(), "looked at before it is accepted"
    assert codes(proposal) == ["asked", "ready"]


@pytest.mark.django_db
def test_what_is_late_is_compared_over_the_same_lines_and_new_ones_stand_apart(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    given, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person, "2", (9, 0))
    loose, _lines = make_agreed(floor, "BR-10")
    promise(given, 9, 30)
    promise(loose, 9, 20)
    proposal = propose(floor)
    before, after, fresh = (proposal.summary[key] for key in ("before", "after", "fresh"))
    assert (before["late"], before["minutes"]) == (1, 20), "planned to 9:50, promised for 9:30"
    assert (after["late"], after["minutes"]) == (1, 20), "it begins within the hour and stays"
    assert (fresh["lines"], fresh["late"], fresh["minutes"]) == (1, 1, 80), "9:50 to 10:40, promised for 9:20"
    client = Client()
    user = floor.hire("foreman", name="蒋试管").user
    user.language = "en"
    user.save(update_fields=["language"])
    client.force_login(user)
    page = client.get(f"/plan/proposals/{proposal.uid}/").content.decode()
    assert "1 line that nobody had comes on top: after the promise 1, together 80 min." in page


@pytest.mark.django_db
def test_accepting_carries_everything_out_through_the_dispatch_commands(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    _order, [line] = make_agreed(floor, "BR-10")
    proposal = propose(floor)
    accepted = proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    assert (accepted.state, accepted.ended_at) == ("ACCEPTED", at(9))
    made = Dispatch.objects.get()
    assert (made.line_id, made.technician_id, made.live) == (line.pk, person.pk, True)
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 2
    assert codes(proposal) == ["asked", "ready", "accepted"]
    event = History.objects.get(code="workshop.line.dispatched")
    assert event.facts["employee"] == str(person.uid)
    with rule("state.move"):
        proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)


@pytest.mark.django_db
def test_a_slip_moves_what_it_hits_and_nothing_else(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [running] = make_agreed(floor, "BR-10")
    _order, [hit] = make_agreed(floor, "BR-10")
    _order, [apart] = make_agreed(floor, "BR-10")
    floor.give(running, person, "2", (9, 0))
    with clock_at(9):
        clocking.clock_on(line_uid=running.uid, by=actor(person))
    blocked = floor.give(hit, person, "2", (13, 0))
    stays = floor.give(apart, other, "4", (14, 0))
    held = Reservation.objects.get(subject_uid=running.uid, live=True, resource=floor.bays["2"])
    assert held.period.upper == at(9, 50)
    with clock_at(11, 30):  # 40 minutes over its hours: a quarter of an hour more is forecast, 11:45
        floor.give(make_agreed(floor, "BR-10")[1][0], other, "4", (15, 0))
        proposal = propose(floor, cause="SLIP")
        assert [c.line_id for c in proposal.changes.all()] == [], "at one o'clock nothing is in the way"
        proposals.reject_proposal(uid=proposal.uid, by=floor.foreman)
    with clock_at(11, 30):
        dispatch.take_back_dispatch(uid=blocked.uid, reason="改期", by=floor.foreman)
        again = floor.give(hit, person, "2", (14, 0))
        RosterDay.objects.filter(employee=person, day=DAY).update(shift=None, absence="病假")
        proposal = propose(floor, cause="ABSENCE")
        (change,) = proposal.changes.all()
        assert (change.line_id, change.replaces_id, change.reason) == (hit.pk, again.pk, "PERSON")
        assert change.technician_id == other.pk
        proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    stays.refresh_from_db()
    again.refresh_from_db()
    assert (stays.live, again.live) == (True, False)
    assert Dispatch.objects.get(line=hit, live=True).technician_id == other.pk


@pytest.mark.django_db
def test_an_overrun_is_said_with_the_job_that_is_in_the_way(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    other = floor.technician("袁试工")
    _order, [running] = make_agreed(floor, "EN-20")  # 3.5 h: 9:00–13:30
    _order, [hit] = make_agreed(floor, "BR-10")
    first = floor.give(running, person, "2", (9, 0), ends_at=at(11))
    clocking.clock_on(line_uid=running.uid, by=actor(person))
    floor.give(hit, person, "2", (11, 0))
    proposal = propose(floor, cause="SLIP")
    (change,) = proposal.changes.all()
    assert (change.line_id, change.kind, change.reason) == (hit.pk, "PERSON", "CONFLICT")
    assert (change.other_id, change.technician_id) == (running.pk, other.pk)
    assert proposal.summary["before"]["broken"] == 1
    proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    first.refresh_from_db()
    assert first.live, "who is clocked on keeps the job"


@pytest.mark.django_db
def test_the_next_hour_stays_and_a_plan_that_slid_into_it_is_refused_by_database_and_command(nine, refused):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [near] = make_agreed(floor, "BR-10")
    _order, [far] = make_agreed(floor, "BR-10")
    floor.give(near, person, "2", (10, 5))
    plan = floor.give(far, person, "2", (13, 0))
    RosterDay.objects.filter(employee=person, day=DAY).update(shift=None, absence="病假")
    proposal = propose(floor, cause="ABSENCE")
    (change,) = proposal.changes.all()
    assert (change.line_id, change.technician_id) == (far.pk, other.pk), "what begins within the hour is the foreman's"
    before = written()
    with refused("dispatchproposal_leaves_the_next_hour") as sql:
        sql(
            "UPDATE workshop_dispatchproposal SET state = 'ACCEPTED', ended_at = %s, expires_at = %s WHERE id = %s",
            [at(12, 10), at(12, 20), proposal.pk],
        )
    DispatchProposal.objects.filter(pk=proposal.pk).update(expires_at=at(12, 30))
    with clock_at(12, 10), pytest.raises(RaceLost) as refusal:
        proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    assert refusal.value.code == "proposal.next_hour"
    assert written() == before
    plan.refresh_from_db()
    assert plan.live


@pytest.mark.django_db
def test_who_was_clocked_on_meanwhile_keeps_the_job(nine, refused):
    floor = make_floor()
    person = floor.technician("高试工")
    _order, [line] = make_agreed(floor, "BR-10")
    proposal = propose(floor)
    clocking.clock_on(line_uid=line.uid, employee_uid=person.uid, by=floor.foreman)
    before = written()
    with rule("proposal.next_hour"):
        proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    with refused("dispatchproposal_leaves_the_next_hour") as sql:
        sql(
            "UPDATE workshop_dispatchproposal SET state = 'ACCEPTED', ended_at = %s WHERE id = %s",
            [at(9), proposal.pk],
        )
    assert written() == before


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["given", "taken back"])
def test_a_plan_that_changed_since_makes_it_stale(nine, how):
    floor = make_floor()
    person = floor.technician("高试工")
    floor.technician("袁试工")
    _order, [one] = make_agreed(floor, "BR-10")
    _order, [two] = make_agreed(floor, "BR-10")
    planned = floor.give(two, person, "2", (14, 0))
    proposal = propose(floor)
    assert not replan.is_stale(proposal)
    if how == "given":
        _order, [third] = make_agreed(floor, "BR-10")
        floor.give(third, person, "4", (15, 0))
    else:
        dispatch.take_back_dispatch(uid=planned.uid, reason="改期", by=floor.foreman)
    assert replan.is_stale(proposal)
    before = written()
    with rule("proposal.stale"):
        proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    assert written() == before
    assert not one.dispatches.exists()


@pytest.mark.django_db
def test_that_time_passes_is_no_change_of_the_plan():
    floor = make_floor()
    with clock_at(9):
        person = floor.technician("高试工")
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person, "2", (9, 0))
        proposal = propose(floor)
    with clock_at(9, 55):  # the plan ended at 9:50
        assert not replan.is_stale(proposal)


@pytest.mark.django_db
def test_out_of_date_rejected_and_failed(nine, refused):
    floor = make_floor()
    floor.technician("高试工")
    make_agreed(floor, "BR-10")
    proposal = propose(floor)
    with clock_at(9, 11):
        with rule("proposal.expired"):
            proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
        assert proposals.expire_proposals() == 1
    proposal.refresh_from_db()
    assert proposal.state == "EXPIRED"
    second = propose(floor)
    third = propose(floor)
    second.refresh_from_db()
    assert (second.state, third.state) == ("EXPIRED", "READY")
    rejected = proposals.reject_proposal(uid=third.uid, by=floor.foreman)
    assert rejected.state == "REJECTED"
    assert codes(third) == ["asked", "ready", "rejected"]
    fourth = proposals.ask_proposal(by=floor.foreman)
    assert proposals.fail_proposal(uid=fourth.uid, problem="too_long").state == "FAILED"
    assert proposals.fail_proposal(uid=fourth.uid, problem="too_long") is None
    assert codes(fourth) == ["asked", "failed"]
    with refused("dispatchproposal_accepted_in_time") as sql:
        sql(
            "UPDATE workshop_dispatchproposal SET state = 'ACCEPTED', ended_at = expires_at + interval '1 minute'"
            " WHERE id = %s",
            [propose(floor).pk],
        )
    with refused("dispatchproposal_moves") as sql:
        sql("UPDATE workshop_dispatchproposal SET state = 'READY' WHERE id = %s", [fourth.pk])
    with refused("planchange_append_only") as sql:
        sql("UPDATE workshop_planchange SET saved = 99")


@pytest.mark.django_db
def test_one_at_a_time_and_only_for_who_gives_out_work(nine, refused):
    floor = make_floor()
    person = floor.technician("高试工")
    asked = proposals.ask_proposal(by=floor.foreman)
    with rule("proposal.running"):
        proposals.ask_proposal(by=floor.foreman)
    with rule("proposal.cause"):
        proposals.ask_proposal(by=floor.foreman, cause="MOOD")
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        proposals.ask_proposal(by=actor(person))
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        proposals.reject_proposal(uid=asked.uid, by=actor(person))
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        proposals.accept_proposal(uid=asked.uid, by=actor(person))
    with refused("dispatchproposal_one_open") as sql:
        sql(
            "INSERT INTO workshop_dispatchproposal (uid, version, created_at, updated_at, store_id, state, cause,"
            " asked_at, seconds, found, cost, bound, basis, summary, problem) SELECT gen_random_uuid(), 1, now(), now(),"
            " store_id, 'RUNNING', 'WISH', now(), 5, 0, 0, 0, '{}', '{}', '' FROM workshop_dispatchproposal"
        )
    proposals.reject_proposal(uid=asked.uid, by=floor.foreman)
    assert proposals.work_out(uid=asked.uid) is None, "nobody wants it any more"
    empty = propose(floor)
    with rule("proposal.nothing"):
        proposals.accept_proposal(uid=empty.uid, by=floor.foreman)
    foreign = make_floor()
    with pytest.raises(DispatchProposal.DoesNotExist):
        proposals.accept_proposal(uid=empty.uid, by=foreign.foreman)


@pytest.mark.django_db
def test_high_voltage_goes_to_two_people_with_certificates_and_moves_as_a_pair(nine):
    floor = make_floor()
    lead, mate = floor.technician("高试工", hv=3), floor.technician("袁试工", hv=3)
    third = floor.technician("马试工", hv=3)
    EmployeeSkill.objects.filter(employee=third).update(valid_until=DAY)
    _order, [line] = make_agreed(floor, "HV-10")
    proposal = propose(floor)
    (change,) = proposal.changes.all()
    assert {change.technician_id, change.second_id} == {lead.pk, mate.pk}, (
        "a certificate holds through all planned days"
    )
    assert change.bay_id == floor.bays["4"].pk
    proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    assert Dispatch.objects.filter(line=line, live=True).count() == 2
    EmployeeSkill.objects.filter(employee=third).update(valid_until=DAY + timedelta(days=30))
    dispatch_of = {d.technician_id: d for d in Dispatch.objects.filter(line=line, live=True)}
    for row in dispatch_of.values():
        dispatch.take_back_dispatch(uid=row.uid, reason="改到下午", by=floor.foreman)
    floor.give(line, lead, "4", (14, 0), second_uid=mate.uid)
    RosterDay.objects.filter(employee=mate, day=DAY).update(shift=None, absence="病假")
    moved = propose(floor, cause="ABSENCE")
    (change,) = moved.changes.all()
    assert {change.technician_id, change.second_id} == {lead.pk, third.pk}, "and the car stays today"
    proposals.accept_proposal(uid=moved.uid, by=floor.foreman)
    live = Dispatch.objects.filter(line=line, live=True)
    assert {row.technician_id for row in live} == {lead.pk, third.pk}
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 4


@pytest.mark.django_db
def test_what_waits_for_somebodys_word_isnt_planned(nine):
    floor = make_floor()
    floor.technician("高试工")
    _order, [held] = make_agreed(floor, "BR-10")
    clocking.hold_line(line_uid=held.uid, cause="CUSTOMER", note="等电话", by=floor.foreman)
    _order, [free] = make_agreed(floor, "BR-10")
    proposal = propose(floor)
    assert [c.line_id for c in proposal.changes.all()] == [free.pk]
    assert proposal.summary["waiting"] == [str(held.uid)]


@pytest.mark.django_db
def test_parts_that_come_are_waited_for(nine):
    floor = make_floor()
    floor.technician("高试工")
    order = make_order(floor.shop, with_diagnosis=False)
    line = add_operation(floor.shop, order, "BR-10")
    agree_all(floor.shop, order)
    PartLine.objects.filter(line=line).update(expected_on=DAY + timedelta(days=1))
    (change,) = propose(floor).changes.all()
    assert change.starts_at == at(8, 30, day=DAY + timedelta(days=1))


@pytest.mark.django_db
def test_the_problem_keeps_every_rule_of_the_planner_and_says_who_waits(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    order, [_line] = make_agreed(floor, "BR-10")
    Visit.objects.filter(pk=order.visit_id).update(waiting_mode=WaitingMode.WAIT_AT_DEALER)
    problem = replan.read_problem(floor.shop.store)
    (job,) = problem.jobs
    assert (job.waiting, job.minutes, job.leads) == (True, 50, (str(person.uid),))
    assert problem.shop.people[str(person.uid)].open[0] == (9 * 60, 12 * 60), "from now on, with the person's own lunch"
    plan = planning.optimize(problem.shop, problem.jobs, workers=1, deterministic=1.0)
    assert planning.broken_rules(problem.shop, problem.jobs, plan) == []
    (change,) = propose(floor).changes.all()
    assert change.reason == "WAITING"


@pytest.mark.django_db(transaction=True)
def test_the_outbox_hands_it_to_a_worker_and_a_dead_worker_is_replaced():
    floor = make_floor()
    with clock_at(9):
        floor.technician("高试工")
        make_agreed(floor, "BR-10")
        eager, app.conf.task_always_eager = app.conf.task_always_eager, True
        try:
            asked = proposals.ask_proposal(by=floor.foreman)
            outbox.drain()
            asked.refresh_from_db()
            assert asked.state == "READY"
            dead = proposals.ask_proposal(by=floor.foreman)  # its message is lost
            with clock_at(9, 1):
                assert replan.standing_still(clock.now() - proposals.LEASE)
                assert tasks.tend_proposals() == 1
            dead.refresh_from_db()
            assert dead.state == "READY"
            gone = proposals.ask_proposal(by=floor.foreman)
        finally:
            app.conf.task_always_eager = eager
        with clock_at(9, 20):
            tasks.tend_proposals()
        gone.refresh_from_db()
        assert (gone.state, gone.problem) == ("FAILED", "lost")


@pytest.mark.django_db
def test_a_search_that_isnt_wanted_any_more_is_stopped(nine, monkeypatch):
    floor = make_floor()
    floor.technician("高试工")
    make_agreed(floor, "BR-10")
    asked = proposals.ask_proposal(by=floor.foreman)
    ended = threading.Event()

    def endless(shop, jobs, *, begun, progress, **_more):
        begun(ended.set)
        progress(500, 100)
        assert ended.wait(30)
        return planning.Plan({})

    monkeypatch.setattr(planning, "optimize", endless)
    monkeypatch.setattr(proposals, "PULSE", 0.01)
    real = proposals._sign_of_life
    seen: list[int] = []

    def sign(pk, run, search):
        alive = real(pk, run, search)
        seen.append(search.found)
        proposals.reject_proposal(uid=asked.uid, by=floor.foreman) if len(seen) == 1 else None
        return alive

    monkeypatch.setattr(proposals, "_sign_of_life", sign)
    assert proposals.work_out(uid=asked.uid) is None
    assert ended.is_set()
    asked.refresh_from_db()
    assert asked.state == "REJECTED"


@pytest.mark.django_db(transaction=True)
def test_two_foremen_accept_at_once_and_one_is_told():
    floor = make_floor()
    with clock_at(9):
        floor.technician("高试工")
        make_agreed(floor, "BR-10")
        proposal = propose(floor)
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def accept() -> None:
        with clock_at(9):
            barrier.wait()
            try:
                proposals.accept_proposal(uid=proposal.uid, by=machine("test", store_id=floor.shop.store.pk))
                outcomes.append("accepted")
            except proposals.RuleError as refusal:
                outcomes.append(refusal.code)
            finally:
                connection.close()

    threads = [threading.Thread(target=accept) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted", "state.move"]
    assert Dispatch.objects.filter(live=True).count() == 1
    assert PlanChange.objects.count() == 1


@pytest.mark.django_db
def test_one_tool_for_two_jobs_is_used_one_after_the_other_and_efficiency_counts(nine):
    floor = make_floor()
    slow, quick = floor.technician("高试工"), floor.technician("袁试工")
    _order, [one] = make_agreed(floor, "EN-20")
    _order, [two] = make_agreed(floor, "EN-20")
    floor.give(make_agreed(floor, "BR-10")[1][0], slow, "4", (9, 0))  # both have a row in the plan
    Resource.objects.filter(employee=slow).update(efficiency=50)
    proposal = propose(floor)
    changes = sorted(proposal.changes.filter(line__in=[one.pk, two.pk]), key=lambda change: change.starts_at)
    assert changes[0].technician_id == quick.pk
    assert changes[0].ends_at <= changes[1].starts_at, "the store has one set of timing tools"
    proposals.accept_proposal(uid=proposal.uid, by=floor.foreman)
    kit = Reservation.objects.filter(resource=floor.tools["TIMING_KIT"], live=True)
    assert kit.count() == 2
    assert set(Dispatch.objects.filter(tool_plan__in=kit).values_list("line_id", flat=True)) == {one.pk, two.pk}
