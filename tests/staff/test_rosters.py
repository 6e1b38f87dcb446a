"""Rosters (5.1) and the desk that nobody untrained serves at (2.1.1)."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction

from dealership.kernel import clock, limits
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, Setting
from staff.models import Post, RosterDay, Shift
from staff.selectors.employees import on_duty
from staff.services import employees, rosters
from tests.factories.staff import SETUP, actor_for, make_actor, make_employee, make_store

pytestmark = pytest.mark.django_db


def refused(said, command, /, **given):
    before = RosterDay.objects.count(), History.objects.count()
    with pytest.raises(RuleError) as refusal, transaction.atomic():
        command(**given)
    assert refusal.value.code == said
    assert before == (RosterDay.objects.count(), History.objects.count())


@pytest.fixture
def store():
    return make_store()


@pytest.fixture
def hr(store):
    return make_actor(store, "hr")


def test_a_day_is_set_and_changed(store, hr):
    employee, today = make_employee(store, "technician"), clock.today()
    row = rosters.set_roster_day(employee_uid=employee.uid, day=today, shift_code="DAY", by=hr)
    assert [(r.employee, r.shift.code) for r in on_duty(store.pk, today)] == [(employee, "DAY")]
    again = rosters.set_roster_day(employee_uid=employee.uid, day=today, shift_code=None, absence="病假", by=hr)
    assert again.pk == row.pk
    assert list(on_duty(store.pk, today)) == []
    lines = History.objects.filter(root_uid=row.uid).order_by("id")
    assert [line.changed for line in lines] == [{"shift": [None, "DAY"]}, {"shift": ["DAY", None]}]


def test_a_day_is_refused(store, hr):
    employee, today = make_employee(store, "technician"), clock.today()
    set_day = rosters.set_roster_day
    refused("roster.shift", set_day, employee_uid=employee.uid, day=today, shift_code="NIGHT", by=hr)
    refused("roster.absent", set_day, employee_uid=employee.uid, day=today, shift_code="DAY", absence="ill", by=hr)
    refused(
        "roster.not_employed", set_day, employee_uid=employee.uid, day=today.replace(year=2020), shift_code="DAY", by=hr
    )
    with pytest.raises(NotAllowed):
        set_day(employee_uid=employee.uid, day=today, shift_code="DAY", by=actor_for(employee))
    stranger = make_employee(make_store("SH02"), "technician")
    with pytest.raises(ObjectDoesNotExist):
        set_day(employee_uid=stranger.uid, day=today, shift_code="DAY", by=hr)


def test_nobody_untrained_serves_at_the_desk(store, hr):
    newcomer = make_employee(store)
    employees.give_post(employee_uid=newcomer.uid, post_code="receptionist", starts_on=clock.today(), by=hr)
    given = {"employee_uid": newcomer.uid, "day": clock.today(), "shift_code": "DAY", "by": hr}
    refused("roster.untrained", rosters.set_roster_day, **given)
    week = dict.fromkeys(range(7), "DAY")
    refused(
        "roster.untrained",
        rosters.plan_roster,
        employee_uid=newcomer.uid,
        first=clock.today(),
        last=clock.today(),
        week=week,
        by=hr,
    )
    employees.grade_skill(employee_uid=newcomer.uid, skill_code="reception", level=2, by=hr)
    assert rosters.set_roster_day(**given).shift.code == "DAY"


def trained_until(store, hr, last, **posts):
    person = make_employee(store, **posts)
    employees.give_post(employee_uid=person.uid, post_code="receptionist", starts_on=clock.today(), by=hr)
    employees.grade_skill(
        employee_uid=person.uid, skill_code="reception", level=3, certificate_number="T-1", valid_until=last, by=hr
    )
    return person


def test_training_that_runs_out_before_the_rostered_day_doesn_t_count(store, hr):
    today = clock.today()
    person = trained_until(store, hr, today + timedelta(days=10))
    set_day = rosters.set_roster_day
    assert set_day(employee_uid=person.uid, day=today + timedelta(days=10), shift_code="DAY", by=hr).shift
    late = {"employee_uid": person.uid, "day": today + timedelta(days=11), "shift_code": "DAY", "by": hr}
    refused("roster.training_expired", set_day, **late)
    week = dict.fromkeys(range(7), "DAY")
    plan = {"employee_uid": person.uid, "first": today, "last": today + timedelta(days=20), "week": week, "by": hr}
    refused("roster.training_expired", rosters.plan_roster, **plan)
    employees.grade_skill(employee_uid=person.uid, skill_code="reception", level=3, by=hr)
    assert set_day(**late).shift.code == "DAY"


def test_the_database_keeps_the_untrained_from_the_desk(store, hr, refused):
    today = clock.today()
    newcomer, expired = make_employee(store), trained_until(store, hr, today + timedelta(days=3))
    employees.give_post(employee_uid=newcomer.uid, post_code="advisor", starts_on=today, by=hr)
    shift = Shift.objects.get(store=store, code="DAY")
    insert = (
        "INSERT INTO staff_rosterday (uid, version, created_at, updated_at, store_id, employee_id, day, shift_id, absence)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, '')"
    )
    with refused("rosterday_desk_trained") as sql:
        sql(insert, [store.pk, newcomer.pk, today, shift.pk])
    with refused("rosterday_training_valid") as sql:
        sql(insert, [store.pk, expired.pk, today + timedelta(days=4), shift.pk])
    away = rosters.set_roster_day(
        employee_uid=expired.uid, day=today + timedelta(days=5), shift_code=None, absence="年假", by=hr
    )
    with refused("rosterday_training_valid") as sql:
        sql("UPDATE staff_rosterday SET shift_id = %s WHERE id = %s", [shift.pk, away.pk])
    with connection.cursor() as cursor:
        cursor.execute(insert, [store.pk, expired.pk, today + timedelta(days=3), shift.pk])


def test_a_desk_post_isn_t_given_to_somebody_on_the_roster_without_training(store, hr, refused):
    today = clock.today()
    mechanic, advisor = make_employee(store, "technician"), make_employee(store, "advisor")
    rosters.set_roster_day(employee_uid=mechanic.uid, day=today + timedelta(days=2), shift_code="DAY", by=hr)
    desk = Post.objects.get(code="receptionist")
    span = [mechanic.pk, desk.pk, store.pk, today, today + timedelta(days=5)]
    with refused("postholding_desk_trained") as sql:
        sql(
            "INSERT INTO staff_postholding (uid, version, created_at, updated_at, employee_id, post_id, store_id,"
            " starts_on, ends_on) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s)",
            span,
        )
    with refused("deputyship_desk_trained") as sql:
        sql(
            "INSERT INTO staff_deputyship (uid, version, created_at, updated_at, deputy_id, post_id, store_id,"
            " starts_on, ends_on, absent_id, reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, %s, 'x')",
            [*span, advisor.pk],
        )
    employees.grade_skill(employee_uid=mechanic.uid, skill_code="reception", level=2, by=hr)
    assert employees.give_post(employee_uid=mechanic.uid, post_code="receptionist", starts_on=today, by=hr)


def test_the_level_that_counts_is_the_setting_of_the_day(store, hr, refused):
    today = clock.today()
    person = trained_until(store, hr, None)
    Setting.objects.create(key="staff.reception_skill_level", store=store, value=4, starts_on=today + timedelta(days=7))
    limits.forget()
    day = {"employee_uid": person.uid, "shift_code": "DAY", "by": hr}
    assert rosters.set_roster_day(day=today + timedelta(days=6), **day).shift
    row = rosters.set_roster_day(employee_uid=person.uid, day=today + timedelta(days=7), shift_code=None, by=hr)
    with refused("rosterday_desk_trained") as sql:
        sql(
            "UPDATE staff_rosterday SET shift_id = (SELECT min(id) FROM staff_shift WHERE store_id = %s) WHERE id = %s",
            [store.pk, row.pk],
        )


def test_a_plan_fills_only_empty_days(store, hr):
    employee, first = make_employee(store, "technician"), clock.today()
    rosters.set_roster_day(employee_uid=employee.uid, day=first, shift_code=None, absence="年假", by=hr)
    week = {weekday: ("DAY" if weekday < 5 else None) for weekday in range(7)}
    last = first + timedelta(days=6)
    rosters.plan_roster(employee_uid=employee.uid, first=first, last=last, week=week, by=hr)
    rows = list(RosterDay.objects.filter(employee=employee).order_by("day"))
    assert len(rows) == 7
    assert (rows[0].absence, rows[0].shift) == ("年假", None)
    assert sum(row.shift is not None for row in rows) == 5 - (first.weekday() < 5)
    line = History.objects.get(code="staff.roster.planned")
    assert line.facts["days"] == 6
    refused(
        "roster.period",
        rosters.plan_roster,
        employee_uid=employee.uid,
        first=last,
        last=first,
        week=week,
        by=hr,
    )


def test_a_shift_ends_after_it_starts(store):
    refused(
        "shift.order",
        rosters.define_shift,
        store=store,
        code="X",
        name="x",
        starts=time(12),
        ends=time(8),
        by=SETUP,
    )
