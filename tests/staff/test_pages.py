"""Pages of Staff and Roster: what they show, what they refuse, and how many queries they take."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import History
from staff.models import Deputyship, Employee, EmployeeSkill, PostHolding, RosterDay
from staff.services import employees as commands
from tests.factories.staff import HIRED, SETUP, make_employee, make_shift, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_store()


@pytest.fixture
def hr(store, client):
    employee = make_employee(store, "hr", name="温岚")
    client.force_login(employee.user)
    return employee


def send(client, name, /, *args, **data):
    return client.post(reverse(name, args=args), {k: str(v) for k, v in data.items()})


def test_the_list_shows_people_of_the_own_store_only(client, store, hr):
    advisor = make_employee(store, "advisor", name="林晓", skills={"hv": 3})
    make_employee(make_store("SH02"), "advisor", name="外人")
    page = client.get(reverse("staff"))
    assert page.status_code == 200
    html = page.content.decode()
    assert "林晓" in html
    assert "服务顾问" in html
    assert "外人" not in html
    assert reverse("staff-person", args=[advisor.uid]) in html
    assert "林晓" not in client.get(reverse("staff"), {"q": "xyz"}).content.decode()
    assert "linxiao" not in html
    assert "林晓" in client.get(reverse("staff"), {"q": "linx", "view": "skills"}).content.decode()
    assert page.context["found"].counts == {"all": 2, "duty": 0, "away": 0, "certificates": 0}


def test_a_post_held_in_two_stores_is_named_once(client, store, hr):
    other = make_store("SH02")
    manager = make_employee(store, "manager", name="高敏")
    commands.give_post(employee_uid=manager.uid, post_code="manager", starts_on=HIRED, store=other, by=SETUP)
    found = client.get(reverse("staff")).context["found"]
    row = next(row for row in found.rows if row.employee == manager)
    assert row.posts == ["服务经理"]


@pytest.mark.parametrize(("name", "query"), [("staff", {}), ("staff", {"view": "skills"}), ("roster", {})])
def test_queries_stay_the_same_however_many_people(client, store, hr, django_assert_num_queries, name, query):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    address = reverse(name)
    client.get(address, query)
    with CaptureQueriesContext(connection) as few:
        client.get(address, query)
    for _ in range(5):
        make_employee(store, "technician", skills={"engine": 3})
    with django_assert_num_queries(len(few)):
        client.get(address, query)


def test_a_person_of_another_store_is_not_there(client, store, hr):
    stranger = make_employee(make_store("SH02"), "advisor")
    assert client.get(reverse("staff-person", args=[stranger.uid])).status_code == 404
    assert client.get(reverse("staff-post", args=[stranger.uid])).status_code == 404
    answer = send(client, "staff-post", stranger.uid, post_code="gm", starts_on=clock.today())
    assert answer.status_code == 404
    assert not PostHolding.objects.filter(post__code="gm").exists()


def test_hire_and_give_a_post_and_a_login(client, store, hr):
    answer = send(
        client, "staff-hire", name="新人甲", number="N1", department_code="SVC", phone="", hired_on=clock.today()
    )
    person = Employee.objects.get(number="N1")
    assert answer.url == reverse("staff-person", args=[person.uid])
    send(client, "staff-post", person.uid, post_code="care", starts_on=clock.today())
    send(client, "staff-login", person.uid, username="newcomer", password="kite-Harbour-92")
    person.refresh_from_db()
    assert [g.role for g in person.user.role_grants.all()] == ["care"]
    html = client.get(reverse("staff-person", args=[person.uid])).content.decode()
    assert "客服专员" in html
    assert "newcomer" in html
    assert "kite-Harbour" not in html


def test_a_forgotten_password_is_set_anew_and_ends_the_sessions(client, store, hr):
    person = make_employee(store, "technician")
    elsewhere = Client()
    elsewhere.force_login(person.user)
    assert elsewhere.get(reverse("my-jobs")).status_code == 200
    assert send(client, "staff-password", person.uid, password="short").status_code == 422
    send(client, "staff-password", person.uid, password="lamp-River-4711")
    person.user.refresh_from_db()
    assert person.user.check_password("lamp-River-4711")
    assert elsewhere.get(reverse("my-jobs")).status_code == 302
    assert History.objects.filter(code="staff.employee.password_set", root_uid=person.uid).count() == 1
    assert send(client, "staff-password", hr.uid, password="lamp-River-4712").status_code == 422


def test_a_refusal_keeps_what_was_typed(client, store, hr):
    answer = send(client, "staff-hire", name="新人乙", number=hr.number, department_code="SVC", hired_on=clock.today())
    assert answer.status_code == 422
    assert "新人乙" in answer.content.decode()
    assert Employee.objects.count() == 1


def test_a_form_sent_twice_hires_once(client, store, hr):
    token = client.get(reverse("staff-hire")).context["form_token"]
    given = {
        "name": "新人丙",
        "number": "N2",
        "department_code": "SVC",
        "hired_on": clock.today(),
        "form_token": token,
    }
    first, second = send(client, "staff-hire", **given), send(client, "staff-hire", **given)
    assert first.url == second.url
    assert Employee.objects.filter(number="N2").count() == 1


def test_skill_deputy_and_their_ends(client, store, hr):
    foreman, leader = make_employee(store, "foreman"), make_employee(store, "leader")
    send(client, "staff-skill", foreman.uid, skill_code="engine", level=4)
    assert EmployeeSkill.objects.get(employee=foreman).level == 4
    refused = send(client, "staff-skill", foreman.uid, skill_code="hv", level=4)
    assert refused.status_code == 422
    send(
        client,
        "staff-deputy",
        foreman.uid,
        post_code="foreman",
        deputy_uid=leader.uid,
        starts_on=clock.today(),
        ends_on=clock.today() + timedelta(days=5),
        reason="休假",
    )
    ship = Deputyship.objects.get()
    assert (ship.absent, ship.deputy, ship.reason) == (foreman, leader, "休假")
    send(client, "staff-deputy-end", foreman.uid, ship.uid, ends_on=clock.today())
    ship.refresh_from_db()
    assert ship.ends_on == clock.today()
    holding = foreman.posts.get()
    send(client, "staff-post-end", foreman.uid, holding.uid, ends_on=clock.today())
    holding.refresh_from_db()
    assert holding.ends_on == clock.today()
    send(client, "staff-leave", foreman.uid, left_on=clock.today())
    foreman.refresh_from_db()
    assert foreman.left_on == clock.today()
    assert "林" not in client.get(reverse("staff-person", args=[foreman.uid])).content.decode()


def test_hand_over_says_how_much(client, store, monkeypatch):
    manager = make_employee(store, "manager")
    client.force_login(manager.user)
    giver, taker = make_employee(store, "advisor"), make_employee(store, "advisor")
    monkeypatch.setattr(commands, "HANDOVERS", [lambda a, b, by: 7])
    address = reverse("staff-hand-over", args=[giver.uid])
    page = client.post(address, {"to_uid": str(taker.uid), "reason": "病假"}, follow=True)
    assert "7" in str(next(iter(page.context["messages"])))


def test_the_roster_marks_a_day_without_an_inspector(client, store, hr):
    make_employee(store, "inspector", name="沈静")
    technician = make_employee(store, "technician")
    today = clock.today()
    send(client, "roster-day", technician.uid, today.isoformat(), shift_code="DAY", absence="")
    assert RosterDay.objects.get(employee=technician).shift.code == "DAY"
    page = client.get(reverse("roster"))
    head = next(day for day in page.context["week"].days if day.is_today)
    assert (head.on_duty, head.technicians) == (1, 1)
    assert "质检员" in head.missing
    refused = send(client, "roster-day", technician.uid, today.isoformat(), shift_code="DAY", absence="病假")
    assert refused.status_code == 422
    assert client.get(reverse("roster-day", args=[technician.uid, "nonsense"])).status_code == 404


def test_weeks_are_planned(client, store, hr):
    technician, today = make_employee(store, "technician"), clock.today()
    make_shift(store, "LATE")
    answer = client.post(
        reverse("roster-plan"),
        {
            "employee_uid": str(technician.uid),
            "first": today.isoformat(),
            "last": (today + timedelta(days=13)).isoformat(),
            "shift_code": "LATE",
            "weekdays": ["0", "1"],
        },
    )
    assert answer.url == f"{reverse('roster')}?week={today.isoformat()}"
    rows = RosterDay.objects.filter(employee=technician)
    assert (rows.count(), rows.filter(shift__code="LATE").count()) == (14, 4)


def test_an_empty_search_says_what_to_do(client, store, hr):
    html = client.get(reverse("staff"), {"q": "nobody-of-this-name"}).content.decode()
    assert reverse("staff") in html
    assert "nothing" in html
