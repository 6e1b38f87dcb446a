"""Hiring, posts, deputies, skills, hand-over of work (1.2, 5.1): success, each refusal, and the race of two deputies."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, RoleGrant, User
from dealership.kernel.services import actor_of
from staff.models import Deputyship, Employee, EmployeeSkill, PostHolding
from staff.selectors.employees import employee_of, employees_with_role, require_employee
from staff.services import employees as commands
from tests.factories.api import ApiCaller
from tests.factories.staff import HIRED, actor_for, make_actor, make_employee, make_store

pytestmark = pytest.mark.django_db


def events_of(root: Any) -> list[str]:
    return list(History.objects.filter(root_uid=root.uid).order_by("id").values_list("code", flat=True))


def refused(code: str, command: Any, /, **given: Any) -> None:
    """The command is refused with ``code`` and nothing is written."""
    before = (
        History.objects.count(),
        RoleGrant.objects.count(),
        PostHolding.objects.count(),
        Deputyship.objects.count(),
        EmployeeSkill.objects.count(),
        Employee.objects.count(),
    )
    with pytest.raises(RuleError) as refusal, transaction.atomic():
        command(**given)
    assert refusal.value.code == code
    assert str(refusal.value)
    assert before == (
        History.objects.count(),
        RoleGrant.objects.count(),
        PostHolding.objects.count(),
        Deputyship.objects.count(),
        EmployeeSkill.objects.count(),
        Employee.objects.count(),
    )


@pytest.fixture
def store():
    return make_store()


@pytest.fixture
def hr(store):
    return make_actor(store, "hr")


@pytest.fixture
def manager(store):
    return make_actor(store, "manager")


def hiring(store, by, **changes):
    return {
        "store": store,
        "department_code": "SVC",
        "name": "单小红",
        "number": "A1",
        "hired_on": HIRED,
        "by": by,
        **changes,
    }


def test_hire(store, hr):
    employee = commands.hire_employee(**hiring(store, hr, phone="138 0000 0000"))
    assert (employee.pinyin, employee.phone, employee.user) == ("shanxiaohong", "13800000000", None)
    assert events_of(employee) == ["staff.employee.hired"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "  "}, "employee.name"),
        ({"department_code": "NONE"}, "employee.department"),
        ({"number": ""}, "employee.number"),
        ({"phone": "12"}, "employee.phone"),
    ],
)
def test_hire_refused(store, hr, changes, code):
    refused(code, commands.hire_employee, **hiring(store, hr, **changes))


def test_hire_refuses_a_number_and_a_login_that_are_taken(store, hr):
    other = make_employee(store, "advisor")
    refused("employee.number", commands.hire_employee, **hiring(store, hr, number=other.number))
    refused("employee.user", commands.hire_employee, **hiring(store, hr, user=other.user))


def test_hire_needs_the_permission_and_the_own_store(store, hr):
    advisor = make_actor(store, "advisor")
    with pytest.raises(NotAllowed):
        commands.hire_employee(**hiring(store, advisor))
    with pytest.raises(ObjectDoesNotExist):
        commands.hire_employee(**hiring(make_store("SH02"), hr))


def test_a_post_grants_its_role_for_its_days(store, hr):
    employee = make_employee(store)
    start = clock.today() + timedelta(days=3)
    holding = commands.give_post(
        employee_uid=employee.uid, post_code="advisor", starts_on=start, ends_on=start + timedelta(days=10), by=hr
    )
    grant = RoleGrant.objects.get(user=employee.user)
    assert (grant.role, grant.store, grant.starts_on, grant.ends_on) == (
        "advisor", store, start, start + timedelta(days=10),
    )  # fmt: skip
    assert grant.source == f"postholding:{holding.uid}"
    assert events_of(holding) == ["staff.post.given"]
    assert list(employees_with_role(store.pk, "advisor")) == []
    assert list(employees_with_role(store.pk, "advisor", start)) == [employee]


def test_a_post_is_refused_for_oneself_twice_and_before_hiring(store, hr):
    employee = make_employee(store, "advisor")
    me = employee_of(hr)
    assert me is not None
    give = commands.give_post
    refused("post.own", give, employee_uid=me.uid, post_code="gm", starts_on=clock.today(), by=hr)
    refused("post.overlap", give, employee_uid=employee.uid, post_code="advisor", starts_on=clock.today(), by=hr)
    refused("post.unknown", give, employee_uid=employee.uid, post_code="pope", starts_on=clock.today(), by=hr)
    refused("post.not_employed", give, employee_uid=employee.uid, post_code="care", starts_on=date(2020, 1, 1), by=hr)
    refused(
        "period.order",
        give,
        employee_uid=employee.uid,
        post_code="care",
        starts_on=clock.today(),
        ends_on=clock.today() - timedelta(days=1),
        by=hr,
    )


def test_the_database_refuses_the_same_post_twice(store):
    holding = make_employee(store, "advisor").posts.get()
    with pytest.raises(IntegrityError, match="postholding_once"), transaction.atomic():
        PostHolding.objects.create(
            employee=holding.employee, post=holding.post, store=store, starts_on=clock.today(), ends_on=None
        )


def test_ending_a_post_ends_its_role(store, hr):
    employee = make_employee(store, "advisor")
    holding = employee.posts.get()
    yesterday = clock.today() - timedelta(days=1)
    commands.end_post(holding_uid=holding.uid, ends_on=yesterday, by=hr)
    assert RoleGrant.objects.get(user=employee.user).ends_on == yesterday
    assert actor_for(employee).permissions == frozenset()
    assert events_of(holding) == ["staff.post.given", "staff.post.ended"]
    refused("post.ended", commands.end_post, holding_uid=holding.uid, ends_on=clock.today(), by=hr)
    refused("post.ended", commands.end_post, holding_uid=holding.uid, ends_on=yesterday, by=hr)


def test_a_login_brings_the_roles_of_the_posts(store, hr):
    employee = make_employee(store, "advisor", login=False)
    commands.give_login(employee_uid=employee.uid, username="new-person", password="kite-Harbour-92", by=hr)
    user = User.objects.get(username="new-person")
    assert user.check_password("kite-Harbour-92")
    assert [g.role for g in user.role_grants.all()] == ["advisor"]
    refused(
        "login.exists", commands.give_login, employee_uid=employee.uid, username="x", password="kite-Harbour-92", by=hr
    )


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [("", "kite-Harbour-92", "login.username"), ("taken", "kite-Harbour-92", "login.username"),
     ("free", "1234", "login.refused"), ("not allowed!", "kite-Harbour-92", "login.refused")],
)  # fmt: skip
def test_a_login_is_refused(store, hr, username, password, code):
    User.objects.create(username="TAKEN", name="x")
    employee = make_employee(store, "advisor", login=False)
    refused(code, commands.give_login, employee_uid=employee.uid, username=username, password=password, by=hr)
    assert not User.objects.filter(username="free").exists()


def appointing(absent, deputy, by, **changes):
    return {
        "absent_uid": absent.uid,
        "deputy_uid": deputy.uid,
        "post_code": "foreman",
        "starts_on": clock.today(),
        "ends_on": clock.today() + timedelta(days=2),
        "reason": "holiday",
        "by": by,
        **changes,
    }


def test_a_deputy_acts_under_the_own_name_for_the_days(store, manager):
    absent, deputy = make_employee(store, "foreman"), make_employee(store, "leader")
    before = actor_for(deputy).permissions
    deputyship = commands.appoint_deputy(**appointing(absent, deputy, manager))
    acting = actor_for(deputy)
    assert acting.id == str(deputy.user.uid)
    assert acting.permissions == before | actor_for(absent).permissions
    assert set(employees_with_role(store.pk, "foreman")) == {absent, deputy}
    with clock.moved_to(clock.now() + timedelta(days=3)):
        assert actor_for(deputy).permissions == before
    assert events_of(deputyship) == ["staff.deputy.appointed"]
    facts = History.objects.get(root_uid=deputyship.uid).facts
    assert (facts["absent"], facts["deputy"]) == (str(absent.uid), str(deputy.uid))


def test_a_deputy_is_refused(store, manager, hr):
    absent, deputy = make_employee(store, "foreman"), make_employee(store, "leader")
    appoint = commands.appoint_deputy
    refused("deputy.self", appoint, **appointing(absent, absent, manager))
    refused("deputy.reason", appoint, **appointing(absent, deputy, manager, reason=" "))
    refused("period.order", appoint, **appointing(absent, deputy, manager, ends_on=clock.today() - timedelta(days=1)))
    refused("deputy.post_not_held", appoint, **appointing(absent, deputy, manager, post_code="gm"))
    refused("deputy.no_login", appoint, **appointing(absent, make_employee(store, login=False), manager))
    refused("post.own", appoint, **appointing(absent, employee_of(manager), manager))
    appoint(**appointing(absent, deputy, manager))
    refused("deputy.overlap", appoint, **appointing(absent, make_employee(store, "leader"), hr))
    with pytest.raises(NotAllowed):
        appoint(**appointing(absent, deputy, actor_for(deputy)))
    with pytest.raises(ObjectDoesNotExist):
        appoint(**appointing(absent, make_employee(make_store("SH02"), "leader"), manager))


def test_the_database_refuses_two_deputies_on_one_day(store, manager, request):
    absent = make_employee(store, "foreman")
    first = commands.appoint_deputy(**appointing(absent, make_employee(store, "leader"), manager))
    day = first.ends_on + timedelta(days=1)
    second = commands.appoint_deputy(
        **appointing(absent, make_employee(store, "leader"), manager, starts_on=day, ends_on=day)
    )
    with request.getfixturevalue("refused")("deputyship_one_a_day") as sql:
        sql("UPDATE staff_deputyship SET starts_on = %s WHERE id = %s", [first.ends_on, second.pk])


def test_a_deputyship_can_end_early(store, manager):
    absent, deputy = make_employee(store, "foreman"), make_employee(store, "leader")
    deputyship = commands.appoint_deputy(**appointing(absent, deputy, manager))
    commands.end_deputyship(uid=deputyship.uid, ends_on=clock.today(), by=manager)
    refused("deputy.ended", commands.end_deputyship, uid=deputyship.uid, ends_on=clock.today(), by=manager)
    with clock.moved_to(clock.now() + timedelta(days=1)):
        assert "foreman" not in {g.role for g in deputy.user.role_grants.all() if g.ends_on is None}
        assert set(employees_with_role(store.pk, "foreman")) == {absent}
    refused(
        "deputy.ended",
        commands.end_deputyship,
        uid=deputyship.uid,
        ends_on=clock.today() + timedelta(days=1),
        by=manager,
    )


@pytest.mark.django_db(transaction=True)
def test_two_deputies_for_the_same_days_meet():
    store = make_store()
    absent = make_employee(store, "foreman")
    deputies = [make_employee(store, "leader") for _ in range(2)]
    by = machine("race", store_id=store.pk)
    start, answers = threading.Barrier(2), []

    def appoint(deputy: Employee) -> None:
        start.wait()
        try:
            commands.appoint_deputy(**appointing(absent, deputy, by))
            answers.append("appointed")
        except RuleError as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=appoint, args=(deputy,)) for deputy in deputies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == ["appointed", "deputy.overlap"]
    assert Deputyship.objects.count() == 1


def test_a_skill_is_graded_and_changed(store, hr):
    employee = make_employee(store, "technician")
    commands.grade_skill(employee_uid=employee.uid, skill_code="engine", level=2, by=hr)
    graded = commands.grade_skill(employee_uid=employee.uid, skill_code="engine", level=3, by=hr)
    assert [(s.skill.code, s.level) for s in employee.skills.all()] == [("engine", 3)]
    line = History.objects.filter(root_uid=graded.uid).latest("id")
    assert (line.changed, line.store_id) == ({"level": [2, 3]}, store.pk)


def test_a_skill_is_refused(store, hr):
    employee = make_employee(store, "technician")
    grade = commands.grade_skill
    refused("skill.level", grade, employee_uid=employee.uid, skill_code="engine", level=5, by=hr)
    refused("skill.unknown", grade, employee_uid=employee.uid, skill_code="flying", level=1, by=hr)
    refused("skill.certificate", grade, employee_uid=employee.uid, skill_code="hv", level=3, by=hr)
    with pytest.raises(NotAllowed):
        grade(employee_uid=employee.uid, skill_code="engine", level=1, by=actor_for(employee))


def test_work_is_handed_over_to_a_colleague_of_the_same_post(store, manager, monkeypatch):
    giver, taker = make_employee(store, "advisor"), make_employee(store, "advisor")
    handed = []
    monkeypatch.setattr(commands, "HANDOVERS", [lambda a, b, by: handed.append((a, b, by)) or 3, lambda a, b, by: 2])
    assert commands.hand_over_work(from_uid=giver.uid, to_uid=taker.uid, reason="ill", by=manager) == 5
    assert handed == [(giver, taker, manager)]
    line = History.objects.get(root_uid=giver.uid, code="staff.work.handed_over")
    assert line.facts == {"taker": str(taker.uid), "moved": 5}


def test_work_is_not_handed_over(store, manager, monkeypatch):
    giver, other = make_employee(store, "advisor"), make_employee(store, "cashier")
    monkeypatch.setattr(commands, "HANDOVERS", [lambda a, b, by: pytest.fail("must not be called")])
    hand = commands.hand_over_work
    refused("handover.same", hand, from_uid=giver.uid, to_uid=giver.uid, reason="ill", by=manager)
    refused("handover.reason", hand, from_uid=giver.uid, to_uid=other.uid, reason="", by=manager)
    refused("handover.post", hand, from_uid=giver.uid, to_uid=other.uid, reason="ill", by=manager)
    with pytest.raises(ObjectDoesNotExist):
        hand(from_uid=giver.uid, to_uid=uuid4(), reason="ill", by=manager)


def test_leaving_ends_posts_roles_and_rosters(store, hr, manager):
    employee, absent = make_employee(store, "advisor"), make_employee(store, "foreman")
    commands.appoint_deputy(**appointing(absent, employee, manager, ends_on=clock.today() + timedelta(days=30)))
    commands.end_employment(employee_uid=employee.uid, left_on=clock.today(), by=hr)
    assert {g.ends_on for g in employee.user.role_grants.all()} == {clock.today()}
    assert Deputyship.objects.get().ends_on == clock.today()
    with clock.moved_to(clock.now() + timedelta(days=1)):
        assert actor_for(employee).permissions == frozenset()
        assert employee_of(actor_for(employee)) is None
    refused("employee.left", commands.end_employment, employee_uid=employee.uid, left_on=clock.today(), by=hr)


def test_the_employee_behind_an_actor(store, hr):
    assert require_employee(hr).user == hr.user
    assert employee_of(machine("x")) is None
    lonely = actor_of(User.objects.create(username="lonely", name="x"), store)
    with pytest.raises(RuleError) as refusal:
        require_employee(lonely)
    assert refusal.value.code == "employee.missing"


def test_the_api_lists_who_holds_a_post_today(store, hr) -> None:
    """Not who held it and not who will; somebody who holds it in two stores stands there once."""
    holder, past, coming, _other = (
        make_employee(store, post) for post in ("technician", "advisor", "advisor", "advisor")
    )
    today = clock.today()
    give = {"post_code": "technician", "by": hr}
    commands.give_post(employee_uid=past.uid, starts_on=HIRED, ends_on=today - timedelta(days=1), **give)
    commands.give_post(employee_uid=coming.uid, starts_on=today + timedelta(days=1), **give)
    PostHolding.objects.create(
        employee=holder, post=holder.posts.get().post, store=make_store("BJ02"), starts_on=today, ends_on=today
    )
    caller = ApiCaller("staff:read", store=store)
    assert [row["uid"] for row in caller.get("employees?post=technician").json()["data"]] == [str(holder.uid)]
    assert len(caller.get("employees?post=advisor").json()["data"]) == 3
    assert caller.get("employees?post=nobody").json()["data"] == []
    first = caller.get("employees?post=advisor&limit=2").json()
    then = caller.get(f"employees?post=advisor&limit=2&cursor={first['next_cursor']}").json()
    assert (len(first["data"]), len(then["data"]), then["has_more"]) == (2, 1, False)
