"""2.4: a quick-service bay takes several cars at once: never more than it has places, for bookers, planners and raw SQL."""

from __future__ import annotations

import itertools
import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connections, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extras import DateTimeTZRange

from dealership.catalogue.models import Reservation, ReservationPurpose, Resource
from dealership.catalogue.rules import crowded, lanes_of, most_at_once
from dealership.catalogue.services import plans
from dealership.catalogue.services.resources import set_capacity
from dealership.kernel.actors import machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.models import History
from dealership.kernel.worktime import Calendar
from reception import rules
from tests.factories.api import ApiCaller
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from workshop import planning
from workshop.selectors import plan as reads
from workshop.selectors.replan import read_problem
from workshop.services import blocking, clocking

spans_of_minutes = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


@pytest.fixture
def floor():
    with clock_at(8):
        made = make_floor()
        set_capacity(uid=made.bays["1"].uid, capacity=3, by=machine("test", store_id=made.shop.store.pk))
        yield made


def stand(floor, start, end, *, purpose=ReservationPurpose.APPOINTMENT, bay="1"):
    return plans.reserve(
        resource_uid=floor.bays[bay].uid,
        starts_at=start,
        ends_at=end,
        purpose=purpose,
        subject_uid=None,
        by=floor.foreman,
    )


# --- arithmetic ---


@given(spans_of_minutes, st.integers(1, 3))
def test_when_a_place_is_full_is_counted_minute_by_minute(spans, room):
    held = [sum(begin <= minute < end for begin, end in spans) for minute in range(41)]
    full = crowded(spans, room)
    assert [any(b <= minute < e for b, e in full) for minute in range(41)] == [n >= room for n in held]
    assert most_at_once(spans) == max(held)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(full))
    lanes = lanes_of(spans, 8)  # with room for everybody nobody shares a lane
    for one, other in ((a, b) for a in range(len(spans)) for b in range(a)):
        apart = spans[one][1] <= spans[other][0] or spans[other][1] <= spans[one][0]
        assert (
            apart or lanes[one] != lanes[other] or spans[one][0] >= spans[one][1] or spans[other][0] >= spans[other][1]
        )


@given(spans_of_minutes, st.tuples(st.integers(0, 40), st.integers(1, 40)))
def test_booking_finds_as_many_places_as_the_minutes_leave(spans, wanted):
    line = rules.Line(Calendar((((0, 24 * 60),),) * 7), date(2026, 11, 23), 1)
    supply = rules.Supply(line, rules.places_of(7, "QUICK_LUBE", "B", 3), [], {}, {}, rules.Times(0, 0, 15, 0))
    base = line.midnights[0]
    for begin, end in spans:
        if begin < end:
            supply.take(7, base + begin, base + end)
    begin, end = wanted[0], wanted[0] + wanted[1]
    most = max(sum(b <= minute < e for b, e in spans) for minute in range(begin, end))
    free = [bay for bay in supply.bays if supply.is_free(bay.id, list(line.cut(base + begin, base + end)))]
    assert len(free) == max(0, 3 - most)
    assert {bay.resource for bay in supply.bays} == {7}


# --- the database and the commands ---


@pytest.mark.django_db
def test_a_bay_takes_as_many_cars_as_it_has_places_and_the_next_is_told_when(floor, refused):
    for _car in range(3):
        stand(floor, at(9), at(10))
    stand(floor, at(10), at(11))
    with pytest.raises(RaceLost) as lost:
        stand(floor, at(9, 30), at(10, 30))
    assert lost.value.code == "reservation.taken"
    assert lost.value.params["free_at"] == at(10).isoformat()
    with pytest.raises(RaceLost):  # a block takes all of it
        stand(floor, at(10, 30), at(11, 30), purpose=ReservationPurpose.BLOCKED)
    stand(floor, at(9), at(10), bay="2")
    with pytest.raises(RaceLost):
        stand(floor, at(9, 30), at(10, 30), bay="2")
    again = (
        "INSERT INTO catalogue_reservation (uid, version, created_at, updated_at, store_id, resource_id, period, purpose,"
        " live, note) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, tstzrange(%s, %s), %s, true, '')"
    )
    bay, store = floor.bays["1"].pk, floor.shop.store.pk
    with refused("reservation_room") as sql:
        sql(again, [store, bay, at(9, 30), at(10, 30), "WORK"])
    with refused("reservation_room") as sql:
        sql(again, [store, bay, at(10, 30), at(11, 30), "BLOCKED"])
    with refused("reservation_room") as sql:  # growing into the full hour
        sql(
            "UPDATE catalogue_reservation SET period = tstzrange(%s, %s) WHERE resource_id = %s AND lower(period) = %s",
            [at(9, 30), at(11), bay, at(10)],
        )
    with refused("reservation_no_overlap") as sql:
        sql(again, [store, floor.bays["2"].pk, at(9, 30), at(10, 30), "WORK"])
    with refused("resource_capacity") as sql:
        sql("UPDATE catalogue_resource SET capacity = 2 WHERE kind = 'PERSON' OR kind = 'TOOL'")


@pytest.mark.django_db
def test_a_bay_grows_and_shrinks_only_as_far_as_its_plans_allow(floor):
    by = machine("test", store_id=floor.shop.store.pk)
    bay = floor.bays["1"]
    held = [stand(floor, at(9), at(10)), stand(floor, at(9, 30), at(10, 30))]
    lines = History.objects.count()
    for capacity, code in (
        (1, "resource.crowded"),
        (3, "resource.same"),
        (0, "resource.capacity"),
        (10, "resource.capacity"),
    ):
        with pytest.raises(RuleError) as refusal:
            set_capacity(uid=bay.uid, capacity=capacity, by=by)
        assert refusal.value.code == code
    assert History.objects.count() == lines
    set_capacity(uid=bay.uid, capacity=2, by=by)
    assert History.objects.latest("pk").changed == {"capacity": [3, 2]}
    plans.release(reservation_uid=held[1].uid, by=by)
    set_capacity(uid=bay.uid, capacity=1, by=by)
    assert not Reservation.objects.get(pk=held[0].pk).shared
    with pytest.raises(RaceLost):
        stand(floor, at(9, 30), at(10, 30))


@pytest.mark.django_db(transaction=True)
def test_eight_bookers_at_three_places_end_with_three_cars():
    """Half of them by the command, half by plain INSERTs that lock nothing first."""
    with clock_at(8):
        floor = make_floor()
        by = machine("test", store_id=floor.shop.store.pk)
        bay = floor.bays["1"]
        set_capacity(uid=bay.uid, capacity=3, by=by)
        gate, ends = threading.Barrier(8), []

    def book(number: int) -> None:
        start = at(9, 5 * number)
        try:
            gate.wait(20)
            with clock_at(8):
                if number % 2:
                    stand(floor, start, start + timedelta(hours=1))
                else:
                    with transaction.atomic():
                        Reservation.objects.create(
                            store=floor.shop.store,
                            resource=bay,
                            period=DateTimeTZRange(start, start + timedelta(hours=1)),
                            purpose=ReservationPurpose.WORK,
                        )
            ends.append("in")
        except RaceLost as lost:
            ends.append(lost.code)
        except IntegrityError as lost:
            ends.append(lost.__cause__.diag.constraint_name)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=book, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ends.count("in") == 3
    assert len(ends) == 8
    assert set(ends) <= {"in", "reservation.taken", "reservation_room"}
    rows = Reservation.objects.filter(resource=bay, live=True)
    assert most_at_once([(row.period.lower, row.period.upper) for row in rows]) == 3


# --- planner, plan, block, page, API ---


def test_the_planner_uses_every_place_and_no_more():
    staff = {f"T{n}": planning.Person(f"T{n}", ((480, 720),)) for n in range(3)}
    shop = planning.Shop(staff, {"Q": planning.Place("Q", ((480, 540),), 2)}, horizon=24 * 60)
    jobs = [planning.Job(f"J{n}", f"car{n}", 60, tuple(staff), ("Q",)) for n in range(3)]
    for plan in (
        planning.optimize(shop, jobs, seconds=30, workers=1, deterministic=4),
        planning.first_come(shop, jobs),
    ):
        assert planning.broken_rules(shop, jobs, plan) == []
        assert sorted(slot.start for slot in plan.slots.values()) == [480, 540, 540]
    three = planning.Plan({job.id: planning.Slot((f"T{n}",), "Q", 540, 600) for n, job in enumerate(jobs)})
    assert planning.broken_rules(shop, jobs, three) == ["bay Q: 3 at once"] * 3


@pytest.mark.django_db
def test_the_plan_shows_lanes_and_how_many_of_them_are_taken(floor, client):
    with clock_at(9):
        for name in ("甲", "乙"):
            _order, [line] = make_agreed(floor, "MT-10")
            floor.give(line, floor.technician(name=name), "1")
        row = next(row for row in reads.board(floor.foreman, day=at(9).date()).rows if row.name == "1 号快保")
        assert (row.cars, row.room, [len(lane.bars) for lane in row.lanes]) == (2, 3, [1, 1, 0])
        _order, [line] = make_agreed(floor, "MT-10")
        floor.technician(name="丙")
        assert reads.proposals(line, after=at(9))[0].starts_at == at(9)
        assert read_problem(floor.shop.store).shop.bays[str(floor.bays["1"].uid)].room == 3
        client.force_login(floor.hire("foreman", "manager", name="蒋经理").user)
        page = client.get(reverse("plan")).content.decode()
        assert "lanes-3" in page
        assert "<b>2 / 3</b>" in page
        blocking.block_bay(
            bay_uid=floor.bays["1"].uid,
            starts_at=at(9),
            ends_at=at(11),
            reason="举升机检修",
            make_room=True,
            by=floor.foreman,
        )
        assert all(
            way.bay.pk != floor.bays["1"].pk or way.starts_at >= at(11) for way in reads.proposals(line, after=at(9))
        )


@pytest.mark.django_db
def test_the_number_is_set_on_the_page_and_over_the_api(floor, client):
    manager = floor.hire("manager", name="龙经理")
    client.force_login(manager.user)
    bay = floor.bays["1"]
    assert 'value="3"' in client.get(reverse("bays")).content.decode()
    client.post(reverse("bay-capacity", args=[bay.uid]), {"capacity": "4"})
    assert Resource.objects.get(pk=bay.pk).capacity == 4
    client.post(reverse("bay-capacity", args=[bay.uid]), {"capacity": "x"})
    assert Resource.objects.get(pk=bay.pk).capacity == 4
    api = ApiCaller("catalogue:write", store=floor.shop.store, acts_for=manager.user)
    assert api.act(f"bays/{bay.uid}", "set-capacity", {"capacity": 2}).json()["capacity"] == 2


@pytest.mark.django_db
def test_the_head_counts_the_cars_in_work_whatever_the_plan_says(floor):
    person = floor.technician()
    _order, [line] = make_agreed(floor, "MT-10")
    floor.give(line, person, "1", (9, 0))
    with clock_at(8, 30):
        clocking.clock_on(line_uid=line.uid, by=actor(person))  # before its hour
        assert head_of(floor) == (1, 3)
    with clock_at(9, 10):
        assert head_of(floor) == (1, 3)  # planned and in work: still one car
        clocking.clock_off(pause_cause="BREAK", by=actor(person))
    with clock_at(15):
        assert head_of(floor) == (0, 3)


def head_of(floor):
    board = reads.board(floor.foreman, day=date(2026, 11, 24))
    row = next(row for row in board.rows if row.uid == floor.bays["1"].uid)
    return row.cars, row.room
