"""The first page of an empty system: one store, one log-in, one code, once (1.2, 7.1)."""

from __future__ import annotations

import threading
from datetime import date, time
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import LaborRate, Resource
from dealership.exchange.services import setup
from dealership.kernel import clock, permissions
from dealership.kernel.errors import RuleError
from dealership.kernel.models import History, OpeningHours, Store, User
from staff.models import Employee
from tests.factories.kernel import make_store, make_user

pytestmark = pytest.mark.django_db
GIVEN = {
    "store_code": "gz01",
    "store_name": "试车店",
    "brand": "试牌",
    "person_name": "程试",
    "username": "chengshi",
    "password": "a-long-first-password",
    "opens": time(8, 30),
    "closes": time(17, 30),
    "break_from": time(12),
    "break_to": time(13),
    "bays": 2,
    "labor_rate": Decimal("180.00"),
}


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.SETUP_CODE = ""


def form(**changes):
    values = {key: f"{value:%H:%M}" if isinstance(value, time) else str(value) for key, value in GIVEN.items()}
    return values | {"setup_code": setup.printed_code(), "again": GIVEN["password"]} | changes


def counts() -> tuple[int, ...]:
    return (Store.objects.count(), User.objects.count(), Employee.objects.count(), History.objects.count())


def test_an_empty_system_leads_to_its_set_up_and_on_to_the_first_day(
    client: Client, django_capture_on_commit_callbacks
):
    assert client.get("/")["Location"] == reverse("setup")
    assert client.get(reverse("setup")).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("setup"), form())
    assert (answer.status_code, answer["Location"]) == (302, reverse("account_login"))
    assert not setup.code_path().exists()
    assert client.get(reverse("setup")).status_code == 404
    assert client.get("/")["Location"].startswith(reverse("account_login"))
    signed = client.post(reverse("account_login"), {"login": "chengshi", "password": GIVEN["password"]})
    assert signed["Location"] == "/"
    for page in ("staff", "staff-hire", "settings", "today", "system", "plan", "manual", "dashboard"):
        assert client.get(reverse(page)).status_code == 200, page


def test_what_the_first_store_has():
    store = setup.begin(setup_code=setup.printed_code(), **GIVEN)
    assert (store.code, store.name) == ("GZ01", "试车店")
    hours = OpeningHours.objects.filter(store=store)
    assert [(h.opens, h.break_from) for h in hours] == [(time(8, 30), time(12))] * 7
    assert [r.name for r in Resource.objects.filter(store=store).order_by("position")] == ["1 号工位", "2 号工位"]
    rates = LaborRate.objects.filter(store=store)
    assert {(r.rate, r.starts_on) for r in rates} == {(Decimal("180.00"), clock.today())}
    person = Employee.objects.get()
    assert sorted(person.posts.values_list("post__code", flat=True)) == ["admin", "hr", "manager"]
    assert person.hired_on == clock.today()
    assert isinstance(person.hired_on, date)
    codes = set(History.objects.values_list("code", flat=True))
    assert {"kernel.store.opened", "staff.employee.hired", "staff.post.given", "staff.employee.login_given"} <= codes


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"setup_code": "0000-0000"}, "setup.code", "setup_code"),
        ({"password": "short"}, "login.refused", "password"),
        ({"store_code": "试"}, "store.code", "code"),
        ({"opens": time(18)}, "store.hours", ""),
    ],
)
def test_a_refusal_changes_nothing(changes, code, field):
    before = counts()
    with pytest.raises(RuleError) as refusal:
        setup.begin(**({"setup_code": setup.printed_code()} | GIVEN | changes))
    assert (refusal.value.code, refusal.value.field or "") == (code, field)
    assert counts() == before


def test_a_refused_form_keeps_what_was_typed_but_no_password(client: Client):
    page = client.post(reverse("setup"), form(setup_code="wrong"))
    text = page.content.decode()
    assert page.status_code == 422
    assert 'value="试车店"' in text
    assert GIVEN["password"] not in text
    again = client.post(reverse("setup"), form(again="another-long-password"))
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["again"])
    store = client.post(reverse("setup"), form(store_code="试"))
    assert list(store.context["form"].errors) == ["store_code"]
    assert counts()[:3] == (0, 0, 0)


def test_once_anybody_can_sign_in_it_is_not_there(client: Client, capsys):
    make_user("admin", store=make_store())
    assert client.get(reverse("setup")).status_code == 404
    assert client.post(reverse("setup"), form()).status_code == 404
    with pytest.raises(RuleError) as refusal:
        setup.begin(setup_code=setup.printed_code(), **GIVEN)
    assert refusal.value.code == "setup.over"
    call_command("setup_code")
    assert capsys.readouterr().out == ""


def test_the_start_prints_the_code(capsys):
    call_command("setup_code")
    assert setup.printed_code() in capsys.readouterr().out
    assert setup.code_path().stat().st_mode & 0o077 == 0


def test_several_machines_share_one_code(settings):
    settings.SETUP_CODE = "Shared-Code"
    assert setup.begin(setup_code="shared-code", **GIVEN).code == "GZ01"
    assert not setup.code_path().exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_sets_it_up():
    code, said, start = setup.printed_code(), [], threading.Barrier(2)

    def begin(name: str) -> None:
        start.wait()
        try:
            setup.begin(setup_code=code, **(GIVEN | {"username": name, "store_code": name[:4].upper()}))
            said.append("done")
        except RuleError as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    both = [threading.Thread(target=begin, args=(name,)) for name in ("first1", "second")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(said) == ["done", "setup.over"]
    assert (Store.objects.count(), User.objects.count()) == (1, 1)


def test_the_first_person_may_open_stores_and_hire():
    setup.begin(setup_code=setup.printed_code(), **GIVEN)
    from dealership.kernel.services import actor_of

    by = actor_of(User.objects.get(), Store.objects.get())
    assert by.may(permissions.STORES_MANAGE)
    assert by.may("staff.employees.manage")
