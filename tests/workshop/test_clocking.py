"""3.2: people clock on to agreed work only, one job at a time; pauses make lines wait; finishing closes everything."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.db.utils import DatabaseError

from dealership.catalogue.models import Reservation
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError, from_database
from dealership.kernel.models import History
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, agree_all, make_order, operation, part
from tests.workshop.test_floor_pages import client_of
from workshop import tasks
from workshop.models import Clocking, LineHold, OrderLine, PartLine, RepairOrder
from workshop.services import authorizations, clocking, dispatch, orders, stock


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def written() -> tuple[int, int, int, list[str]]:
    return (
        Clocking.objects.count(),
        LineHold.objects.count(),
        History.objects.count(),
        list(OrderLine.objects.order_by("pk").values_list("state", flat=True)),
    )


def stage(order: RepairOrder) -> str:
    return RepairOrder.objects.values_list("stage", flat=True).get(pk=order.pk)


@pytest.mark.django_db
def test_the_first_clock_on_starts_the_line_and_a_pause_for_parts_makes_it_wait(nine):
    floor = make_floor()
    person = floor.technician()
    order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    assert (made.employee_id, made.bay_id, made.started_at) == (person.pk, floor.bays["2"].pk, at(9))
    assert stage(order) == "IN_WORK"
    event = History.objects.get(code="workshop.line.started")
    assert event.changed == {"state": ["AUTHORIZED", "IN_PROGRESS"]}
    with clock_at(9, 25):
        clocking.clock_off(pause_cause="PARTS", by=actor(person))
    made.refresh_from_db()
    assert (made.ended_at, made.pause_cause) == (at(9, 25), "PARTS")
    assert History.objects.get(code="workshop.line.paused").facts["minutes"] == 25
    assert (LineHold.objects.get().cause, stage(order)) == ("PARTS", "ON_HOLD")
    with clock_at(10):
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    assert (LineHold.objects.get().ended_at, stage(order)) == (at(10), "IN_WORK")
    assert History.objects.filter(code="workshop.line.started").latest("id").changed == {}


@pytest.mark.django_db
def test_a_break_is_the_persons_and_the_line_does_not_wait(nine):
    floor = make_floor()
    person = floor.technician()
    order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    clocking.clock_off(pause_cause="BREAK", by=actor(person))
    assert not LineHold.objects.exists()
    assert stage(order) == "IN_WORK"


@pytest.mark.django_db
def test_what_clocking_refuses_writes_nothing(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line, second] = make_agreed(floor, "BR-10", "BR-30")
    draft = add_operation(floor.shop, make_order(floor.shop, with_diagnosis=False), "BR-10")
    floor.give(line, person)
    floor.give(second, person, "2", (10, 0))
    before = written()
    with rule("clocking.not_dispatched"):
        clocking.clock_on(line_uid=line.uid, by=actor(other))
    with rule("clocking.not_agreed"):
        clocking.clock_on(line_uid=draft.uid, by=actor(person))
    with rule("clocking.none"):
        clocking.clock_off(pause_cause="BREAK", by=actor(person))
    with pytest.raises(NotAllowed, match=r"workshop\.clockings\.others"):
        clocking.clock_on(line_uid=line.uid, employee_uid=person.uid, by=actor(other))
    assert written() == before
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    before = written()
    with rule("clocking.open"):
        clocking.clock_on(line_uid=second.uid, by=actor(person))
    with rule("clocking.cause"):
        clocking.clock_off(by=actor(person))
    with rule("clocking.cause"):
        clocking.clock_off(pause_cause="NAP", by=actor(person))
    assert written() == before


@pytest.mark.django_db
def test_the_foreman_clocks_somebody_on_without_a_plan_and_what_happens_is_recorded(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    made = clocking.clock_on(line_uid=line.uid, employee_uid=person.uid, bay_uid=floor.bays["4"].uid, by=floor.foreman)
    assert (made.employee_id, made.bay_id) == (person.pk, floor.bays["4"].pk)


@pytest.mark.django_db
def test_finishing_asks_cause_and_correction_of_a_fault_and_closes_every_clock(nine):
    floor = make_floor()
    one, two, third = (floor.technician(name) for name in ("高试工", "袁试工", "丙试工"))
    order, [line] = make_agreed(floor, "BR-20")
    floor.give(line, one, ends_at=at(12))
    floor.give(line, two, ends_at=at(12))
    for person in (one, two):
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        before = written()
        with rule("line.cause"):
            clocking.finish_line(line_uid=line.uid, by=actor(one))
        with rule("line.correction"):
            clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", by=actor(one))
        with rule("line.not_yours"):
            clocking.finish_line(line_uid=line.uid, cause="x", correction="y", by=actor(third))
        assert written() == before
        done = clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="换片、换盘", by=actor(one))
    assert (done.state, done.completed_at, done.cause) == ("COMPLETED", at(10), "片磨到 2 mm")
    assert list(Clocking.objects.values_list("ended_at", "pause_cause")) == [(at(10), "")] * 2
    assert stage(order) == "INSPECTION"
    assert History.objects.get(code="workshop.line.finished").facts["minutes"] == 120
    ends = {r.period.upper for r in Reservation.objects.filter(subject_uid=line.uid, live=True)}
    assert ends == {at(10)}, "the rest of the plan is free"


@pytest.mark.django_db
def test_what_the_customer_read_stays_beside_what_was_found(nine, refused, client):
    floor = make_floor()
    person = floor.technician()
    order, _lines = make_agreed(floor, "BR-10")
    line = orders.add_line(
        order_uid=order.uid,
        operation_uid=operation("BR-20").uid,
        cause="制动盘疑似变形",
        is_addition=True,
        by=floor.shop.advisor,
    )
    agree_all(floor.shop, order)
    line.refresh_from_db()
    assert (line.state, line.told_cause) == ("AUTHORIZED", "制动盘疑似变形")
    PartLine.objects.filter(line=line).update(issued_quantity=F("quantity"))
    floor.give(line, person, ends_at=at(12))
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    client.force_login(person.user)
    assert "制动盘疑似变形" in client.get(f"/my-jobs/{line.uid}/finish/").content.decode()
    clocking.finish_line(line_uid=line.uid, cause="制动盘厚度不足", correction="换盘", by=actor(person))
    line.refresh_from_db()
    assert (line.cause, line.told_cause) == ("制动盘厚度不足", "制动盘疑似变形")
    with refused("orderline_told_stays") as sql:
        sql("UPDATE workshop_orderline SET told_cause = cause WHERE id = %s", [line.pk])
    client.force_login(floor.shop.advisor.user)
    page = client.get(f"/orders/{order.uid}/").content.decode()
    assert "制动盘厚度不足" in page
    assert "制动盘疑似变形" in page


@pytest.mark.django_db
def test_maintenance_asks_no_cause_and_missing_parts_stop_the_finish(nine):
    floor = make_floor()
    person = floor.technician()
    order = make_order(floor.shop, with_diagnosis=False)
    line = add_operation(floor.shop, order, "MT-10", parts=[(part("FLT-OIL-01").uid, 1)])
    agree_all(floor.shop, order)
    floor.give(line, person)
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    with rule("line.parts_open"):
        clocking.finish_line(line_uid=line.uid, by=actor(person))
    stock.receive_stock(
        part_uid=part("FLT-OIL-01").uid, quantity=5, unit_cost=20, by=machine("test", store_id=floor.shop.store.pk)
    )
    stock.issue_part(part_line_uid=PartLine.objects.get().uid, by=machine("test", store_id=floor.shop.store.pk))
    assert clocking.finish_line(line_uid=line.uid, by=actor(person)).state == "COMPLETED"


@pytest.mark.django_db
def test_the_foreman_corrects_a_clocking_with_a_reason_and_history_keeps_both(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        clocking.clock_off(pause_cause="BREAK", by=actor(person))
    with clock_at(11):
        second = clocking.clock_on(line_uid=line.uid, by=actor(person))
        given = {"uid": made.uid, "started_at": at(8, 40), "by": floor.foreman}
        before = written()
        with rule("clocking.reason"):
            clocking.correct_clocking(**given, ended_at=at(9, 30), reason="")
        with rule("clocking.period"):
            clocking.correct_clocking(**given, ended_at=at(8, 30), reason="忘打卡")
        with rule("clocking.future"):
            clocking.correct_clocking(**given, ended_at=at(11, 1), reason="忘打卡")
        with rule("clocking.ended"):
            clocking.correct_clocking(**given, ended_at=None, reason="忘打卡")
        with rule("clocking.overlap"):
            clocking.correct_clocking(
                uid=second.uid, started_at=at(9, 59), ended_at=None, reason="忘打卡", by=floor.foreman
            )
        with pytest.raises(NotAllowed):
            clocking.correct_clocking(**given | {"by": actor(person)}, ended_at=at(9, 30), reason="忘打卡")
        assert written() == before
        clocking.correct_clocking(**given, ended_at=at(9, 30), reason="忘打卡")
    made.refresh_from_db()
    assert (made.started_at, made.ended_at, made.corrected_reason) == (at(8, 40), at(9, 30), "忘打卡")
    changed = History.objects.get(code="workshop.clocking.corrected").changed
    assert changed["started_at"] == ["2026-11-24T01:00:00+00:00", "2026-11-24T00:40:00+00:00"]


@pytest.mark.django_db
def test_a_clock_left_open_is_closed_at_the_end_of_the_shift_and_flagged(nine):
    floor = make_floor()
    person, late = floor.technician(), floor.technician(name="陶试夜")
    _order, [line, other] = make_agreed(floor, "BR-10", "BR-30")
    floor.give(line, person)
    floor.give(other, late, start=(10, 0))
    made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(18):
        overtime = clocking.clock_on(line_uid=other.uid, by=actor(late))  # after the shift: the day's end counts
    before, sweep = written(), machine("clocks", store_id=floor.shop.store.pk)
    with clock_at(18, 29):  # the shift ends at half past five
        assert clocking.close_left_clocking(uid=made.uid, by=sweep) is None
    assert written() == before
    with clock_at(18, 30):
        assert tasks.close_left_clocks() == 1
        assert clocking.close_left_clocking(uid=made.uid, by=sweep) is None  # never twice
    made.refresh_from_db()
    overtime.refresh_from_db()
    assert (made.ended_at, made.left_open, overtime.ended_at) == (at(17, 30), True, None)
    told = History.objects.get(code="workshop.clocking.left")
    assert told.changed == {"ended_at": [None, "2026-11-24T09:30:00+00:00"]}
    with clock_at(19, 30):
        clocking.correct_clocking(uid=made.uid, started_at=at(9), ended_at=at(17), reason="忘打卡", by=floor.foreman)
    made.refresh_from_db()
    assert (made.ended_at, made.left_open) == (at(17), False)


@pytest.mark.django_db
def test_the_database_refuses_a_fault_done_without_cause_and_correction(refused, nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line, service] = make_agreed(floor, "BR-10", "MT-10")
    for row in (line, service):
        floor.give(row, person, bay="2" if row == line else "1", start=(9 if row == line else 11, 0))
        clocking.clock_on(line_uid=row.uid, by=actor(person))
        clocking.clock_off(pause_cause="BREAK", by=actor(person))
    done = "UPDATE workshop_orderline SET state = 'COMPLETED', cause = %s, correction = %s WHERE id = %s"
    for cause, correction in (("", ""), ("磨到极限", ""), ("", "已更换")):
        with refused("orderline_fault_explained") as sql:
            sql(done, [cause, correction, line.pk])
    with connection.cursor() as cursor:
        cursor.execute(done, ["磨到极限", "已更换", line.pk])
        cursor.execute(done, ["", "", service.pk])  # maintenance has neither
    assert {row.state for row in OrderLine.objects.filter(pk__in=(line.pk, service.pk))} == {"COMPLETED"}


@pytest.mark.django_db
def test_one_line_waits_while_the_other_goes_on(nine):
    floor = make_floor()
    person = floor.technician()
    order, [line, other] = make_agreed(floor, "BR-10", "BR-30")
    floor.give(other, person)
    clocking.hold_line(line_uid=line.uid, cause="TOOL", note="扭力扳手送检", by=floor.foreman)
    assert stage(order) == "AUTHORIZED"
    with rule("hold.open"):
        clocking.hold_line(line_uid=line.uid, cause="BAY", by=floor.foreman)
    clocking.clock_on(line_uid=other.uid, by=actor(person))
    with rule("hold.clocked_on"):
        clocking.hold_line(line_uid=other.uid, cause="BAY", by=floor.foreman)
    with rule("hold.cause"):
        clocking.hold_line(line_uid=other.uid, cause="RAIN", by=floor.foreman)
    assert stage(order) == "IN_WORK"
    clocking.release_line(line_uid=line.uid, by=floor.foreman)
    with rule("hold.none"):
        clocking.release_line(line_uid=line.uid, by=floor.foreman)
    assert [h.cause for h in LineHold.objects.filter(ended_at__isnull=False)] == ["TOOL"]


INSERT = (
    "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id, started_at,"
    " ended_at, pause_cause, corrected_reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, '', '')"
)


@pytest.mark.django_db
def test_the_database_refuses_two_open_clockings_overlaps_and_work_nobody_agreed_to(refused, nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line, second] = make_agreed(floor, "BR-10", "BR-30")
    draft = add_operation(floor.shop, make_order(floor.shop, with_diagnosis=False), "BR-10")
    floor.give(line, person)
    made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    rows = list(Clocking.objects.values())
    store = floor.shop.store.pk
    with refused("clocking_one_open") as sql:
        sql(INSERT, [store, person.pk, second.pk, at(8), None])
    with refused("clocking_no_overlap") as sql:
        sql(INSERT, [store, person.pk, second.pk, at(8), at(9, 10)])
    with refused("clocking_needs_agreement") as sql:
        sql(INSERT, [store, person.pk, draft.pk, at(7), at(8)])
    with refused("clocking_needs_agreement") as sql:
        sql("UPDATE workshop_clocking SET line_id = %s WHERE id = %s", [draft.pk, made.pk])
    with refused("clocking_period") as sql:
        sql("UPDATE workshop_clocking SET ended_at = started_at - interval '1 min' WHERE id = %s", [made.pk])
    assert list(Clocking.objects.values()) == rows


def race(*acts):
    """Runs each act in a thread of its own at the same moment; answers are a value or the refusal's code."""
    barrier, outcomes = threading.Barrier(len(acts)), []

    def run(act):
        try:
            with clock_at(9):
                barrier.wait()
                outcomes.append(act())
        except RuleError as refusal:
            outcomes.append(refusal.code)
        except DatabaseError as error:
            told = from_database(error)
            outcomes.append(told.code if told else repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_of_two_clock_ons_of_one_person_at_once_one_wins_and_one_is_told():
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        _order, [one] = make_agreed(floor, "BR-10")
        _order, [two] = make_agreed(floor, "BR-10")
        floor.give(one, person)
        floor.give(two, person, "4", (10, 0))
        by = actor(person)
    told = race(*[lambda line=line: clocking.clock_on(line_uid=line.uid, by=by) and "on" for line in (one, two)])
    assert told == ["clocking.open", "on"]
    assert Clocking.objects.filter(ended_at__isnull=True).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_a_clock_on_and_a_revocation_of_the_same_line_never_both_succeed(_round):
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        by, advisor = actor(person), floor.shop.advisor
    told = race(
        lambda: clocking.clock_on(line_uid=line.uid, by=by) and "on",
        lambda: authorizations.revoke_line(line_uid=line.uid, reason="不修了", risk="已告知", by=advisor) and "revoked",
    )
    line.refresh_from_db()
    if line.state == "IN_PROGRESS":
        assert (told, Clocking.objects.count()) == (["line.begun", "on"], 1)
    else:
        assert (told, Clocking.objects.count()) == (["clocking.not_agreed", "revoked"], 0)
        assert line.state == "DECLINED"


@pytest.mark.django_db(transaction=True)
def test_of_two_foremen_giving_one_bay_at_once_one_is_told_when_it_is_free():
    with clock_at(9):
        floor = make_floor()
        people = [floor.technician("高试工"), floor.technician("袁试工")]
        lines = [make_agreed(floor, "BR-10")[1][0] for _person in people]
    told = race(
        *[
            lambda line=line, person=person: floor.give(line, person) and "given"
            for line, person in zip(lines, people, strict=True)
        ]
    )
    assert told == ["given", "reservation.taken"]
    assert dispatch.Dispatch.objects.filter(live=True).count() == 1


@pytest.mark.django_db
def test_work_after_the_finish_is_counted_only_where_it_is_meant(nine):
    floor = make_floor()
    person, foreman = floor.technician(), floor.hire("foreman", name="孟工长")
    order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        clocking.finish_line(line_uid=line.uid, cause="片薄", correction="换新片", by=actor(person))
    with clock_at(12):
        client, page = client_of(foreman), f"/clockings/{made.uid}/"
        form = {"started_at": "2026-11-24T09:00", "ended_at": "2026-11-24T11:00", "reason": "收尾"}
        answer = client.post(page, form | {"form_token": uuid4()})
        assert (answer.status_code, "finished at 10:00" in answer.content.decode()) == (422, True)
        made.refresh_from_db()
        assert made.ended_at == at(10)
        answer = client.post(page, form | {"past_finish": "on", "form_token": uuid4()})
        assert answer.headers["Location"] == f"/orders/{order.uid}/"
    made.refresh_from_db()
    assert made.ended_at == at(11)
