"""The evening count: cars, keys and open visits compared; one count a day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from reception.models import EveningCount, EveningCountLine
from reception.services import visits
from reception.services.evening import count_evening
from tests.factories.reception import make_visit
from tests.factories.staff import actor_for, make_actor, make_employee, make_store
from tests.reception.test_visits import run_both

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def advisor():
    return make_actor(make_store("BJ01"), "advisor")


def found(visit, **values):
    return {"visit_uid": visit.uid, "car_found": True, "key_found": True, "place": "", "remark": ""} | values


def unchanged(**values):
    before = (EveningCount.objects.count(), EveningCountLine.objects.count(), History.objects.count())
    with pytest.raises(RuleError) as refusal:
        count_evening(**values)
    after = (EveningCount.objects.count(), EveningCountLine.objects.count(), History.objects.count())
    assert before == after
    return refusal.value


def test_every_car_and_key_is_counted_and_a_found_place_becomes_the_visit_s(advisor):
    with clock.moved_to(EVENING):
        one, two = make_visit(advisor), make_visit(advisor)
        visits.give_key(uid=one.uid, key_tag="07", place="A1", by=advisor)
        count = count_evening(
            lines=[found(one, place="B3"), found(two, key_found=False, remark="客户带走")], remark="雨", by=advisor
        )
    one.refresh_from_db()
    assert (count.day, count.all_found, one.parking_place) == (date(2026, 11, 23), False, "B3")
    assert list(count.lines.order_by("id").values_list("visit", "car_found", "key_found", "place", "remark")) == [
        (one.pk, True, True, "B3", ""),
        (two.pk, True, False, "", "客户带走"),
    ]
    assert History.objects.get(code="reception.evening_count.counted").facts == {
        "day": "2026-11-23",
        "cars": 2,
        "cars_missing": 0,
        "keys_missing": 1,
    }


def test_an_uncounted_car_is_named(advisor):
    one, two = make_visit(advisor), make_visit(advisor)
    refusal = unchanged(lines=[found(one)], by=advisor)
    assert (refusal.code, refusal.params) == ("evening.lines", {"cars": str(two.vehicle)})


def test_a_car_that_left_meanwhile_is_not_counted(advisor):
    visit = make_visit(advisor)
    visits.leave_unserved(uid=visit.uid, reason="改天再来", by=advisor)
    assert unchanged(lines=[found(visit)], by=advisor).code == "evening.gone"


def test_something_missing_needs_a_word(advisor):
    visit = make_visit(advisor)
    refusal = unchanged(lines=[found(visit, car_found=False)], by=advisor)
    assert (refusal.code, refusal.field) == ("evening.remark", f"remark_{visit.uid}")


def test_a_day_is_counted_once(advisor):
    with clock.moved_to(EVENING):
        count_evening(lines=[], by=advisor)
        assert unchanged(lines=[], by=advisor).code == "evening.counted"


@pytest.mark.django_db(transaction=True)
def test_two_count_at_once_and_one_is_told():
    store = make_store("BJ01")
    one, two = make_employee(store, "advisor"), make_employee(store, "advisor")
    results = run_both(
        lambda: count_evening(lines=[], by=actor_for(one)), lambda: count_evening(lines=[], by=actor_for(two))
    )
    assert sorted(type(r).__name__ for r in results) == ["EveningCount", "RaceLost"]
    assert next(r for r in results if isinstance(r, RaceLost)).code == "evening.counted"
    assert EveningCount.objects.count() == 1


def test_a_technician_does_not_count(advisor):
    with pytest.raises(NotAllowed, match=r"reception\.evening\.count"):
        count_evening(lines=[], by=make_actor(make_store("BJ01"), "technician"))
    assert EveningCount.objects.count() == 0
