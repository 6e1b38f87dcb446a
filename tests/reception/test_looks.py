"""Who looked at whole telephone numbers: listed for data protection, of the own store only (7.3)."""

import pytest
from django.test import Client
from django.urls import reverse

from reception.services.customers import unmask_customer
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer

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
