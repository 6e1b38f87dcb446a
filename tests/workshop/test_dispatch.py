"""2.4, 3.2: a line goes to a technician and a bay; plans never overlap, and people can do what they are given."""

from __future__ import annotations

import random
import threading
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.utils import translation

from dealership.catalogue.models import Reservation
from dealership.catalogue.services import plans
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History, User
from staff.models import EmployeeSkill, RosterDay
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, make_order
from workshop.models import Dispatch
from workshop.selectors.plan import proposals
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
def test_a_car_stands_in_one_bay_at_a_time(nine):
    floor = make_floor()
    person, other = floor.technician("马试工"), floor.technician("袁试工")
    _order, [first, second] = make_agreed(floor, "BR-10", "BR-30")
    floor.give(first, person, "2", (9, 0))
    before = written()
    with pytest.raises(RuleError) as refusal:
        floor.give(second, other, "4", (9, 30))
    assert refusal.value.code == "dispatch.car_elsewhere"
    assert written() == before
    offered = proposals(second, after=at(9, 0), most=9)
    assert offered
    assert [way for way in offered if way.bay.code != "2" and way.starts_at < at(9, 50)] == []
    assert floor.give(second, other, "4", (9, 50)).bay.code == "4"


@pytest.mark.django_db
def test_skill_level_bay_roster_and_agreement_are_checked_and_nothing_is_written(nine):
    floor = make_floor()
    novice, master = floor.technician("甲试工", chassis=2), floor.technician("乙试工")
    away = floor.hire("technician", skills={"chassis": 4}, roster=False)
    _order, [line] = make_agreed(floor, "BR-10")
    draft = add_operation(floor.shop, make_order(floor.shop, with_diagnosis=False), "BR-10")
    before = written()
    for language, skill in (("en", "“Chassis”"), ("zh-hans", "“底盘”")):
        with translation.override(language), pytest.raises(RuleError) as refusal:
            floor.give(line, novice)
        assert refusal.value.code == "dispatch.skill"
        assert skill in str(refusal.value)
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
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 4, (
        "two people, bay, insulation tester"
    )
    # One of the two is taken back: the bay stays planned with the other, and nobody starts alone.
    dispatch.take_back_dispatch(uid=made.uid, reason="临时外出", by=floor.foreman)
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 3
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
def test_a_withdrawn_line_of_two_people_gives_the_bay_back_too(nine):
    floor = make_floor()
    lead, second = floor.technician("高试工", hv=3), floor.technician("袁试工", hv=3)
    _order, [line] = make_agreed(floor, "HV-10")
    floor.give(line, lead, "4", second_uid=second.uid)
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


# --- dragging: a plan moves with its length, a line finds who does it ---


@pytest.mark.django_db
def test_a_plan_moves_with_its_length_to_another_bay_time_and_person(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")  # 50 min by its hours
    made = floor.give(line, person, "2", (10, 0), ends_at=at(11, 30))
    moved = dispatch.move_dispatch(uid=made.uid, bay_uid=floor.bays["4"].uid, starts_at=at(11), by=floor.foreman)
    assert (moved.bay_id, moved.technician_id) == (floor.bays["4"].pk, person.pk)
    assert (moved.starts_at, moved.ends_at) == (at(11), at(13, 30)), "ninety minutes of work, around lunch"
    with rule("dispatch.ended"):
        dispatch.move_dispatch(uid=made.uid, starts_at=at(14), by=floor.foreman)
    again = dispatch.move_dispatch(uid=moved.uid, technician_uid=other.uid, by=floor.foreman)
    assert (again.technician_id, again.starts_at, again.ends_at) == (other.pk, at(11), at(13, 30))
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 2
    clocking.clock_on(line_uid=line.uid, by=actor(other))
    before = written()
    with rule("dispatch.clocked_on"):
        dispatch.move_dispatch(uid=again.uid, starts_at=at(15), by=floor.foreman)
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        dispatch.move_dispatch(uid=again.uid, starts_at=at(15), by=actor(person))
    assert written() == before


@pytest.mark.django_db
def test_two_people_of_high_voltage_work_move_together(nine):
    floor = make_floor()
    lead, second = floor.technician("高试工", hv=3), floor.technician("袁试工", hv=3)
    _order, [line] = make_agreed(floor, "HV-10")
    made = floor.give(line, lead, "4", second_uid=second.uid)
    dispatch.move_dispatch(uid=made.uid, starts_at=at(14), by=floor.foreman)
    live = list(Dispatch.objects.filter(line=line, live=True))
    assert {(d.technician_id, d.starts_at) for d in live} == {(lead.pk, at(14)), (second.pk, at(14))}
    assert Reservation.objects.filter(subject_uid=line.uid, live=True).count() == 4


@pytest.mark.django_db
def test_a_dropped_line_finds_its_technician_or_bay_or_says_the_earliest(nine):
    floor = make_floor()
    busy, free = floor.technician("高试工"), floor.technician("袁试工")
    _order, [taken] = make_agreed(floor, "BR-10")
    floor.give(taken, busy, "4", (10, 0))
    _order, [line] = make_agreed(floor, "BR-10")
    made = dispatch.drop_line(line_uid=line.uid, resource_uid=floor.bays["2"].uid, starts_at=at(10), by=floor.foreman)
    assert (made.technician_id, made.bay_id, made.starts_at) == (free.pk, floor.bays["2"].pk, at(10))
    with rule("dispatch.given"):
        dispatch.drop_line(line_uid=line.uid, resource_uid=floor.bays["2"].uid, starts_at=at(14), by=floor.foreman)
    _order, [third] = make_agreed(floor, "BR-10")
    onto = dispatch.drop_line(line_uid=third.uid, resource_uid=busy.resource.uid, starts_at=at(13), by=floor.foreman)
    assert (onto.technician_id, onto.bay_id) == (busy.pk, floor.bays["2"].pk), "the plainest bay that serves"
    _order, [fourth] = make_agreed(floor, "BR-10")
    before = written()
    with pytest.raises(RuleError) as refusal:
        dispatch.drop_line(line_uid=fourth.uid, resource_uid=floor.bays["2"].uid, starts_at=at(10), by=floor.foreman)
    assert refusal.value.code == "dispatch.nobody"
    assert "10:50" in str(refusal.value)
    with rule("dispatch.bay"):
        dispatch.drop_line(line_uid=fourth.uid, resource_uid=floor.bays["1"].uid, starts_at=at(15), by=floor.foreman)
    assert written() == before


@pytest.mark.django_db
def test_a_line_dropped_on_a_person_says_why_this_person_cannot(nine):
    floor = make_floor()
    busy, off = floor.technician("高试工"), floor.technician("何试工")
    RosterDay.objects.filter(employee=off).delete()
    green = floor.hire("technician", skills={"chassis": 1}, name="孙试工")
    _order, [taken] = make_agreed(floor, "BR-10")
    floor.give(taken, busy, "4", (10, 0))
    _order, [line] = make_agreed(floor, "BR-10")
    rows = [plans.person_in_plan(employee=person, by=floor.foreman) for person in (busy, off, green)]
    before = written()
    for row, code in zip(rows, ("dispatch.person_taken", "dispatch.off_duty", "dispatch.skill"), strict=True):
        with pytest.raises(RuleError) as refusal:
            dispatch.way_of_drop(line_uid=line.uid, resource_uid=row.uid, starts_at=at(10), by=floor.foreman)
        assert refusal.value.code == code
        assert row.name in str(refusal.value)
    assert written() == before


@pytest.mark.django_db
def test_who_would_do_a_dropped_line_is_shown_before_and_nobody_else_does_it(nine, client):
    floor = make_floor()
    shown, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")
    onto = {"line_uid": line.uid, "resource_uid": floor.bays["2"].uid, "starts_at": at(10), "by": floor.foreman}
    _line, way = dispatch.way_of_drop(**onto)
    assert not Dispatch.objects.exists()
    assert way.technician == shown
    client.force_login(User.objects.get(uid=floor.foreman.id))
    place = {
        "line": str(line.uid),
        "row": str(floor.bays["2"].uid),
        "starts_at": f"{at(10) + timedelta(hours=8):%Y-%m-%dT%H:%M}",
    }
    answer = client.get("/plan/drop/", place)
    assert answer.json() == {"technician": str(shown.uid), "who": f"高试工 · {floor.bays['2'].name}", "late": ""}
    asked = client.get(f"/plan/lines/{line.uid}/", {"row": place["row"], "starts_at": place["starts_at"]})
    assert asked.context["form"].initial["technician"] == str(shown.uid)
    assert asked.context["form"].initial["starts_at"] == at(10)
    assert "why" in client.get("/plan/drop/", place | {"row": str(floor.bays["1"].uid)}).json()
    assert "why" in client.get("/plan/drop/", place | {"starts_at": "soon"}).json()
    _order, [taken] = make_agreed(floor, "BR-10")
    floor.give(taken, shown, "4", (10, 0))
    before = written()
    with rule("dispatch.other"):
        dispatch.drop_line(technician_uid=shown.uid, **onto)
    assert written() == before
    made = dispatch.drop_line(technician_uid=other.uid, **onto)
    assert (made.technician_id, made.bay_id) == (other.pk, floor.bays["2"].pk)


@pytest.mark.django_db
def test_two_planners_who_give_out_the_same_line_one_is_told(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person, alone=True)
    before = written()
    with pytest.raises(RaceLost) as refusal:
        floor.give(line, other, "4", (14, 0), alone=True)
    assert refusal.value.code == "dispatch.given"
    assert "高试工" in str(refusal.value)
    assert written() == before


# --- special tools and efficiency ---


@pytest.mark.django_db
def test_a_special_tool_is_held_with_the_plan_moves_with_it_and_is_refused_twice(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    kit = floor.tools["TIMING_KIT"]
    _order, [line] = make_agreed(floor, "EN-20")  # 3.5 h with the timing tool set
    _order, [second] = make_agreed(floor, "EN-20")
    made = floor.give(line, person, "2", (9, 0))
    assert made.tool_plan.resource_id == kit.pk
    held = Reservation.objects.get(resource=kit, live=True)
    assert (held.period.lower, held.period.upper) == (made.starts_at, made.ends_at)
    before = written()
    with pytest.raises(RaceLost) as refusal:
        floor.give(second, other, "4", (10, 0))
    assert refusal.value.code == "dispatch.tool"
    assert datetime.fromisoformat(refusal.value.params["free_at"]) == made.ends_at
    assert written() == before
    moved = dispatch.move_dispatch(uid=made.uid, bay_uid=floor.bays["4"].uid, starts_at=at(13), by=floor.foreman)
    assert moved.tool_plan.live
    assert Reservation.objects.filter(resource=kit, live=True).count() == 1
    taken = floor.give(second, other, "2", (9, 0), ends_at=at(12))
    dispatch.take_back_dispatch(uid=taken.uid, reason="改期", by=floor.foreman)
    dispatch.take_back_dispatch(uid=moved.uid, reason="改期", by=floor.foreman)
    assert not Reservation.objects.filter(live=True).exists()
    type(kit).objects.filter(pk=kit.pk).update(active=False)
    with rule("dispatch.tool"):
        floor.give(line, person, "2", (9, 0))


@pytest.mark.django_db
def test_the_tool_of_two_people_passes_to_who_stays(nine):
    floor = make_floor()
    lead, second = floor.technician("高试工", hv=3), floor.technician("袁试工", hv=3)
    _order, [line] = make_agreed(floor, "HV-10")
    made = floor.give(line, lead, "4", second_uid=second.uid)
    tool = made.tool_plan
    assert tool.resource_id == floor.tools["INSULATION_TESTER"].pk
    dispatch.take_back_dispatch(uid=made.uid, reason="临时外出", by=floor.foreman)
    assert line.dispatches.get(live=True).tool_plan == tool
    dispatch.give_back_plans(line, floor.foreman)
    assert not Reservation.objects.filter(live=True).exists()


@pytest.mark.django_db
def test_a_slower_person_is_planned_longer(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    _order, [first] = make_agreed(floor, "BR-10")  # 0.8 h
    made = floor.give(first, person, "2", (9, 0))
    assert made.ends_at == at(9, 50)
    type(person.resource).objects.filter(pk=person.resource.pk).update(efficiency=80)
    _order, [line] = make_agreed(floor, "BR-10")
    assert floor.give(line, person, "2", (10, 0)).ends_at == at(11), "48 minutes at 80 %, in whole five minutes"
