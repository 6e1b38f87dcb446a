"""Who looked at whole telephone numbers: listed for data protection, of the own store only (7.3)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import History
from reception.services import visits
from reception.services.customers import unmask_customer
from tests.factories.api import ApiCaller
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer, rule
from tests.factories.workshop import make_received_visit, make_shop

pytestmark = pytest.mark.django_db


def test_each_look_is_listed_with_who_whose_and_why(client: Client) -> None:
    store, other = make_store(), make_store()
    customer = make_customer(name="张被看", phone="13700000001")
    client.force_login(make_user("manager", store=store))
    assert client.get(reverse("customer-looks")).context["rows"] == []
    desk = make_actor("receptionist", store=store, name="陈前台")
    unmask_customer(uid=customer.uid, reason="CALL", by=desk)
    unmask_customer(uid=customer.uid, reason="COMPLAINT", by=desk)
    unmask_customer(uid=customer.uid, reason="CALL", by=make_actor("receptionist", store=other))
    page = client.get(reverse("customer-looks"))
    assert page.context["looks"].total == 2
    seen = [(look.who, look.customer, look.reason) for look, _label in page.context["rows"]]
    assert seen == [("陈前台", customer, "COMPLAINT"), ("陈前台", customer, "CALL")]
    assert "13700000001" not in page.content.decode()
    only = client.get(reverse("customer-looks"), {"reason": "CALL"}).context["rows"]
    assert [look.reason for look, _label in only] == ["CALL"]


def test_a_task_to_be_done_opens_its_number_once_a_day_and_says_so(client: Client) -> None:
    shop = make_shop()
    store, advisor = shop.store, shop.advisor
    visit = make_received_visit(shop, contact_phone="13700000002")
    address = reverse("visit-detail", args=[visit.uid])
    client.force_login(make_user("foreman", store=store))
    assert "13700000002" not in client.get(address).content.decode()
    assert History.objects.filter(code="reception.customer.unmasked").count() == 0
    client.force_login(advisor.user)
    for _again in range(2):
        assert "13700000002" in client.get(address).content.decode()
    line = History.objects.get(code="reception.customer.unmasked")
    assert (line.root_uid, line.facts) == (
        visit.customer.uid,
        {"reason": "TASK", "task": "visit", "task_uid": str(visit.uid)},
    )
    with clock.moved_to(clock.now() + timedelta(hours=25)):
        client.get(address)
    assert History.objects.filter(code="reception.customer.unmasked").count() == 2
    client.force_login(make_user("manager", store=store))
    rows = client.get(reverse("customer-looks"), {"reason": "TASK"}).context["rows"]
    assert [(look.who, look.customer, look.task) for look, _label in rows] == [("林示例", visit.customer, "visit")] * 2
    visits.end_consultation(uid=visit.uid, outcome="CONSULTED", by=advisor)
    client.force_login(advisor.user)
    assert "13700000002" not in client.get(address).content.decode()


def test_nobody_gives_the_task_as_a_reason() -> None:
    store = make_store()
    with rule("customer.unmask_reason"):
        unmask_customer(uid=make_customer().uid, reason="TASK", by=make_actor("receptionist", store=store))


def test_the_looks_are_read_over_the_api() -> None:
    store, customer = make_store(), make_customer()
    desk = make_actor("receptionist", store=store)
    for reason in ("CALL", "COMPLAINT", "CALL"):
        unmask_customer(uid=customer.uid, reason=reason, by=desk)
    unmask_customer(uid=customer.uid, reason="CALL", by=make_actor("receptionist", store=make_store()))
    caller = ApiCaller("reception:read", store=store)
    first = caller.get("number-looks?limit=2").json()
    assert [row["reason"] for row in first["data"]] == ["CALL", "COMPLAINT"]
    assert first["data"][0]["customer_uid"] == str(customer.uid)
    assert first["data"][0]["actor_uid"] == desk.id
    then = caller.get(f"number-looks?limit=2&cursor={first['next_cursor']}").json()
    assert ([row["reason"] for row in then["data"]], then["has_more"]) == (["CALL"], False)
    assert len(caller.get("number-looks?reason=COMPLAINT").json()["data"]) == 1
