"""2.4, 3.2: a line goes to a technician and a bay; plans never overlap, and people can do what they are given."""

from __future__ import annotations

import random
import threading
from datetime import date, timedelta

import pytest
from django.db import connection

from dealership.catalogue.models import Reservation
from dealership.catalogue.services import plans
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from staff.models import EmployeeSkill, RosterDay
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, make_order
from workshop.models import Dispatch
from workshop.services import clocking, dispatch
from workshop.services.orders import withdraw_line


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def written() -> tuple[int, int, int, int]:
    return (
        Dispatch.objects.count(),
        Reservation.objects.count(),
        Reservation.objects.filter(live=True).count(),
        History.objects.count(),
    )


@pytest.mark.django_db
def test_a_dispatch_plans_person_and_bay_through_the_persons_lunch(nine):
    floor = make_floor()
    person = floor.technician()
    order, [line] = make_agreed(floor, "BR-20")  # 1.8 h
    made = floor.give(line, person, start=(11, 0))
    assert (made.starts_at, made.ends_at) == (at(11), at(13, 50))
    held = Reservation.objects.filter(subject_uid=line.uid, live=True).order_by("resource__kind")
    assert [(r.resource.name, r.period.lower, r.period.upper) for r in held] == [
        ("2 号举升", at(11), at(13, 50)),
        ("高试工", at(11), at(13, 50)),
    ]
    event = History.objects.get(code="workshop.line.dispatched")
    assert (event.root_uid, event.order_uid, event.visit_uid) == (line.uid, order.uid, order.visit.uid)
    assert event.facts["employee"] == str(person.uid)
    order.refresh_from_db()
    assert order.stage == "AUTHORIZED"


@pytest.mark.django_db
@pytest.mark.parametrize("taken", ["bay", "person"])
def test_a_taken_bay_or_person_is_refused_and_the_next_free_time_is_named(nine, taken):
    floor = make_floor()
    person, other = floor.technician("马试工"), floor.technician("袁试工")
    _order, [first] = make_agreed(floor, "BR-10")  # 0.8 h → 50 min
    _order, [second] = make_agreed(floor, "BR-10")
    floor.give(first, person, "2", (9, 0))
    before = written()
    with pytest.raises(RaceLost) as refusal:
        if taken == "bay":
            floor.give(second, other, "2", (9, 30))
        else:
            floor.give(second, person, "4", (9, 30))
    assert refusal.value.code == "reservation.taken"
    assert refusal.value.params["free_at"] == at(9, 50).isoformat()
    assert "09:50" in str(refusal.value)
    assert written() == before
    assert floor.give(second, person, "2", (9, 50)).starts_at == at(9, 50)


@pytest.mark.django_db
def test_skill_level_bay_roster_and_agreement_are_checked_and_nothing_is_written(nine):
    floor = make_floor()
    novice, master = floor.technician("甲试工", chassis=2), floor.technician("乙试工")
    away = floor.hire("technician", skills={"chassis": 4}, roster=False)
    _order, [line] = make_agreed(floor, "BR-10")
    draft = add_operation(floor.shop, make_order(floor.shop, with_diagnosis=False), "BR-10")
    before = written()
    with rule("dispatch.skill"):
        floor.give(line, novice)
    with rule("dispatch.bay"):
        floor.give(line, master, "1")
    with rule("dispatch.off_duty"):
        floor.give(line, away)
    with rule("dispatch.off_duty"):
        floor.give(line, master, start=(12, 30))
    with rule("dispatch.off_duty"):
        floor.give(line, master, start=(17, 0), ends_at=at(18))
    with rule("dispatch.past"):
        floor.give(line, master, start=(8, 30), ends_at=at(8, 45))
    with rule("dispatch.not_agreed"):
        floor.give(draft, master)
    with rule("reservation.period"):
        floor.give(line, master, start=(10, 0), ends_at=at(9, 30))
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        dispatch.dispatch_line(
            line_uid=line.uid,
            technician_uid=master.uid,
            bay_uid=floor.bays["2"].uid,
            starts_at=at(9),
            by=actor(master),
        )
    assert written() == before


@pytest.mark.django_db
def test_work_that_outlasts_the_shift_goes_on_the_next_day(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "EN-20")  # 3.5 h
    made = floor.give(line, person, start=(15, 30))
    assert made.ends_at == at(10, day=date(2026, 11, 25))
    RosterDay.objects.filter(employee=person, day__gt=date(2026, 11, 24)).delete()
    _order, [late] = make_agreed(floor, "EN-20")
    with rule("dispatch.off_duty"):
        floor.give(late, person, "4", (15, 30))


@pytest.mark.django_db
def test_high_voltage_needs_two_people_with_valid_certificates(nine):
    floor = make_floor()
    lead, second, without = (
        floor.technician("高试工", hv=3),
        floor.technician("袁试工", hv=3),
        floor.technician("马试工"),
    )
    _order, [line] = make_agreed(floor, "HV-10")
    with rule("dispatch.two_people"):
        floor.give(line, lead, "4")
    with rule("dispatch.two_people"):
        floor.give(line, lead, "4", second_uid=lead.uid)
    with rule("dispatch.skill"):
        floor.give(line, lead, "4", second_uid=without.uid)
    EmployeeSkill.objects.filter(employee=second).update(valid_until=date(2026, 11, 23))
    with rule("dispatch.certificate"):
        floor.give(line, lead, "4", second_uid=second.uid)
    EmployeeSkill.objects.filter(employee=second).update(valid_until=date(2026, 11, 24))
    made = floor.give(line, lead, "4", second_uid=second.uid)
    assert Dispatch.objects.filter(line=line, live=True).count() == 2
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 3
    # One of the two is taken back: the bay stays planned with the other, and nobody starts alone.
    dispatch.take_back_dispatch(uid=made.uid, reason="临时外出", by=floor.foreman)
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 2
    assert line.dispatches.get(live=True).bay_plan.live
    with rule("clocking.two_people"):
        clocking.clock_on(line_uid=line.uid, by=actor(second))


@pytest.mark.django_db
def test_a_plan_is_moved_in_one_step_or_stays_as_it_was(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")
    _order, [busy] = make_agreed(floor, "BR-10")
    first = floor.give(line, person)
    floor.give(busy, other, "4", (10, 0))
    with rule("dispatch.twice"):
        floor.give(line, person, "4", (14, 0))
    with rule("reservation.taken"):
        floor.give(line, other, "2", (10, 0), replaces_uid=first.uid)
    first.refresh_from_db()
    assert first.live
    assert first.person_plan.live
    assert first.bay_plan.live
    moved = floor.give(line, other, "2", (9, 10), replaces_uid=first.uid)
    first.refresh_from_db()
    assert (first.live, moved.live, moved.technician_id) == (False, True, other.pk)
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 2


@pytest.mark.django_db
def test_taking_back_frees_the_time_with_a_reason_and_not_under_a_running_clock(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    made = floor.give(line, person)
    with rule("dispatch.reason"):
        dispatch.take_back_dispatch(uid=made.uid, reason=" ", by=floor.foreman)
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    with rule("dispatch.clocked_on"):
        dispatch.take_back_dispatch(uid=made.uid, reason="换人", by=floor.foreman)
    clocking.clock_off(pause_cause="OTHER_JOB", by=actor(person))
    ended = dispatch.take_back_dispatch(uid=made.uid, reason="换人", by=floor.foreman)
    assert (ended.live, ended.ended_reason) == (False, "换人")
    assert not Reservation.objects.filter(subject_uid=line.uid, live=True).exists()
    with rule("dispatch.ended"):
        dispatch.take_back_dispatch(uid=made.uid, reason="换人", by=floor.foreman)


@pytest.mark.django_db
def test_a_withdrawn_line_gives_its_plans_back(nine):
    floor = make_floor()
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, floor.technician())
    withdraw_line(line_uid=line.uid, reason="客户改期", by=floor.shop.advisor)
    assert not Reservation.objects.filter(live=True).exists()
    assert not Dispatch.objects.filter(live=True).exists()


@pytest.mark.django_db
def test_a_foreign_stores_line_isnt_there(nine):
    floor, foreign = make_floor(), make_floor()
    _order, [line] = make_agreed(foreign, "BR-10")
    with pytest.raises(type(line).DoesNotExist):
        floor.give(line, floor.technician())


@pytest.mark.django_db
def test_the_database_refuses_overlapping_plans(refused, nine):
    floor = make_floor()
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, floor.technician())
    rows = list(Reservation.objects.order_by("pk").values())
    with refused("reservation_no_overlap") as sql:
        sql(
            "INSERT INTO catalogue_reservation (uid, version, created_at, updated_at, store_id, resource_id, period,"
            " purpose, subject_uid, live, note) SELECT gen_random_uuid(), 1, now(), now(), store_id, resource_id,"
            " tstzrange(lower(period) + interval '10 min', upper(period) + interval '1 h'), purpose, NULL, true, ''"
            " FROM catalogue_reservation WHERE id = %s",
            [rows[0]["id"]],
        )
    with refused("reservation_bounded") as sql:
        sql("UPDATE catalogue_reservation SET period = 'empty' WHERE id = %s", [rows[0]["id"]])
    assert list(Reservation.objects.order_by("pk").values()) == rows


@pytest.mark.django_db(transaction=True)
def test_sixteen_planners_at_one_bay_never_overlap_nor_deadlock_and_losers_are_told():
    floor = make_floor()
    by = machine("test", store_id=floor.shop.store.pk)
    bays = [floor.bays["1"].uid, floor.bays["2"].uid, floor.bays["4"].uid]
    outcomes: list[str] = []
    barrier = threading.Barrier(16)

    def plan(number: int) -> None:
        mine = random.Random(number)
        with clock_at(9):
            barrier.wait()
            for _round in range(4):
                start = at(9) + timedelta(minutes=mine.randrange(0, 90))
                uids = mine.sample(bays, 2)
                try:
                    plans.reserve_all(
                        resource_uids=uids,
                        starts_at=start,
                        ends_at=start + timedelta(minutes=45),
                        purpose="BLOCKED",
                        subject_uid=None,
                        by=by,
                    )
                    outcomes.append("planned")
                except RuleError as refusal:
                    outcomes.append(refusal.code)
                except Exception as error:  # a deadlock or a raw database error is a failure of the test
                    outcomes.append(repr(error))
        connection.close()

    threads = [threading.Thread(target=plan, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 64
    assert set(outcomes) == {"planned", "reservation.taken"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM catalogue_reservation a JOIN catalogue_reservation b ON a.resource_id = b.resource_id"
            " AND a.id < b.id AND a.period && b.period WHERE a.live AND b.live"
        )
        assert cursor.fetchone() == (0,)
    assert Reservation.objects.count() == outcomes.count("planned") * 2


@pytest.mark.django_db
def test_a_released_plan_is_free_for_others_and_isnt_released_twice():
    floor = make_floor()
    by = machine("test", store_id=floor.shop.store.pk)
    given = {"resource_uid": floor.bays["1"].uid, "purpose": "BLOCKED", "subject_uid": None, "by": by}
    made = plans.reserve(starts_at=at(9), ends_at=at(10), note="设备校准", **given)
    with rule("reservation.taken"):
        plans.reserve(starts_at=at(9, 59), ends_at=at(11), **given)
    plans.release(reservation_uid=made.uid, by=by)
    plans.reserve(starts_at=at(9, 59), ends_at=at(11), **given)
    with rule("reservation.released"):
        plans.release(reservation_uid=made.uid, by=by)
