"""Consents and preferences on the customer's link: withdrawing is one tap, as giving is (2.3, 7.3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.actors import Actor, customer_link
from dealership.kernel.models import History
from reception.models import CONSENT_TEXT_VERSION, CONSENT_TEXTS, Consent, Visit
from reception.services import customers
from tests.factories.reception import rule
from tests.factories.workshop import make_received_visit, make_shop

pytestmark = pytest.mark.django_db


def on_link(visit: Visit) -> Actor:
    return customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))


@pytest.fixture
def visit() -> Any:
    return make_received_visit(make_shop())


def post(client: Client, visit: Visit, name: str, **sent: Any) -> Any:
    return client.post(reverse(name, args=[visit.link.token]), sent)


def test_one_tap_gives_and_one_tap_withdraws_with_the_text_shown(visit: Visit, client: Client) -> None:
    address = reverse("visit-link-privacy", args=[visit.link.token])
    assert address in client.get(reverse("visit-link", args=[visit.link.token])).content.decode()
    page = client.get(address).content.decode()
    assert str(CONSENT_TEXTS[CONSENT_TEXT_VERSION]["MARKETING"]) in page
    assert CONSENT_TEXT_VERSION in page
    for given in ("1", "0"):
        answer = post(client, visit, "visit-link-consent", purpose="MARKETING", given=given)
        assert (answer.status_code, answer["Location"]) == (302, address)
    rows = Consent.objects.order_by("id").values_list("purpose", "given", "channel", "text_version", "customer")
    assert list(rows) == [
        ("MARKETING", True, "LINK", CONSENT_TEXT_VERSION, visit.customer_id),
        ("MARKETING", False, "LINK", CONSENT_TEXT_VERSION, visit.customer_id),
    ]
    codes = History.objects.filter(root_uid=visit.customer.uid, actor_kind="LINK").order_by("id")
    assert [line.code for line in codes] == ["reception.customer.consent_given", "reception.customer.consent_withdrawn"]


@pytest.mark.parametrize(
    ("purpose", "given", "code"),
    [("SERVICE", False, "consent.purpose"), ("", True, "consent.purpose")],
)
def test_what_cannot_be_decided_writes_nothing(visit: Visit, purpose: str, given: bool, code: str) -> None:
    with rule(code):
        customers.decide_consent_on_link(purpose=purpose, given=given, by=on_link(visit))
    assert Consent.objects.count() == 0


def test_who_was_never_asked_can_say_no_once(visit: Visit, client: Client) -> None:
    address = reverse("visit-link-privacy", args=[visit.link.token])
    assert client.get(address).content.decode().count('name="given" value="0"') == 3
    assert post(client, visit, "visit-link-consent", purpose="SURVEY", given="0").status_code == 302
    assert [(row.purpose, row.given) for row in Consent.objects.all()] == [("SURVEY", False)]
    assert History.objects.filter(code="reception.customer.consent_refused").count() == 1
    page = client.get(address).content.decode()
    assert (page.count('name="given" value="0"'), "您已拒绝" in page) == (2, True)
    with rule("consent.unchanged"):
        customers.decide_consent_on_link(purpose="SURVEY", given=False, by=on_link(visit))
    assert Consent.objects.count() == 1


def test_a_driver_withdraws_but_neither_gives_nor_changes_in_the_owners_name(visit: Visit, client: Client) -> None:
    customers.record_consent(customer_uid=visit.customer.uid, purpose="SURVEY", given=True, by=on_desk(visit))
    Visit.objects.filter(pk=visit.pk).update(contact_phone="13700000009")
    with rule("customer.link_of_other"):
        customers.decide_consent_on_link(purpose="MARKETING", given=True, by=on_link(visit))
    with rule("customer.link_of_other"):
        customers.prefer_on_link(language="en", channel="SMS", by=on_link(visit))
    page = client.get(reverse("visit-link-privacy", args=[visit.link.token])).content.decode()
    assert ('value="0"' in page, 'value="1"' in page, "id_channel" in page) == (True, False, False)
    customers.decide_consent_on_link(purpose="SURVEY", given=False, by=on_link(visit))
    assert [row.given for row in Consent.objects.order_by("id")] == [True, False]


def on_desk(visit: Visit) -> Actor:
    from tests.factories.kernel import make_actor

    return make_actor("receptionist", store=visit.store)


def test_the_customer_says_how_to_be_reached(visit: Visit, client: Client) -> None:
    wrong = post(client, visit, "visit-link-privacy", language="en", channel="SMS", quiet_from="22:00")
    assert (wrong.status_code, 'value="22:00"' in wrong.content.decode()) == (422, True)
    sent = {"language": "en", "channel": "WECHAT", "no_calls": "on", "quiet_from": "22:00", "quiet_to": "08:00"}
    assert post(client, visit, "visit-link-privacy", **sent).status_code == 302
    customer = visit.customer
    customer.refresh_from_db()
    assert (customer.language, customer.channel, customer.no_calls) == ("en", "WECHAT", True)
    assert (customer.quiet_from, customer.quiet_to) == ("22:00", "08:00")
    line = History.objects.get(code="reception.customer.corrected")
    assert line.facts["columns"] == ["channel", "language", "no_calls", "quiet_from", "quiet_to"]
    with rule("customer.channel_address"):
        customers.prefer_on_link(language="en", channel="EMAIL", by=on_link(visit))
    with rule("customer.unchanged"):
        customers.prefer_on_link(
            language="en", channel="WECHAT", no_calls=True, quiet_from="22:00", quiet_to="08:00", by=on_link(visit)
        )
