"""Commands on customers: success, refusals that change nothing, consents, unmasking (2.3, 7.3)."""

import uuid

import pytest
from django.db import connection

from dealership.kernel.actors import Actor, ActorKind, machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from reception.models import Consent, Customer
from reception.selectors.customers import consents_of
from reception.services.customers import correct_customer, record_consent, register_customer, unmask_customer
from tests.factories.reception import make_customer, rule

BY = machine("tests")
pytestmark = pytest.mark.django_db


def lines(code: str) -> list[History]:
    return list(History.objects.filter(code=code).order_by("id"))


def test_a_customer_is_kept_the_same_way_however_it_was_typed() -> None:
    customer = register_customer(name=" 单　小红 ", phone="＋86 139-0000-0001", email="Xh@EXAMPLE.com", by=BY)
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.email) == ("单 小红", "13900000001", "Xh@example.com")
    assert (customer.pinyin, customer.pinyin_initials) == ("shanxiaohong", "sxh")
    (line,) = lines("reception.customer.registered")
    assert (line.customer_uid, line.facts) == (customer.uid, {"kind": "PERSON"})


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": "", "phone": "13900000001"}, "customer.name", "name"),
        ({"name": "王试", "phone": ""}, "customer.reachable", "phone"),
        ({"name": "王试", "phone": "1390000"}, "phone.pattern", "phone"),
        ({"name": "王试", "email": "wang.example.com"}, "email.pattern", "email"),
        ({"name": "王" * 61, "phone": "13900000001"}, "text.too_long", "name"),
        ({"name": "王\x00试", "phone": "13900000001"}, "text.control", "name"),
        ({"name": "某公司", "phone": "13900000001", "uscc": "91350100M000100Y44"}, "uscc.check_character", "uscc"),
        ({"name": "王试", "phone": "13900000001", "kind": "ROBOT"}, "customer.choice", "kind"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_written(values, code, field) -> None:
    lines = History.objects.count()
    with pytest.raises(RuleError) as refusal:
        register_customer(**values, by=BY)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert str(refusal.value)
    assert not Customer.objects.exists()
    assert History.objects.count() == lines


def test_a_correction_names_the_columns_and_never_their_content() -> None:
    customer = make_customer(phone="13900000001")
    correct_customer(uid=customer.uid, name="李改名", phone="13900000002", by=BY)
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.pinyin_initials, customer.version) == (
        "李改名", "13900000002", "lgm", 2,
    )  # fmt: skip
    (line,) = lines("reception.customer.corrected")
    assert (line.facts, line.changed) == ({"columns": ["name", "phone"]}, {})


def test_a_correction_that_changes_nothing_or_leaves_nobody_reachable_is_refused() -> None:
    customer = make_customer(name="李不变", phone="13900000001")
    with rule("customer.unchanged"):
        correct_customer(uid=customer.uid, name="李不变", by=BY)
    with rule("customer.reachable"):
        correct_customer(uid=customer.uid, phone="", by=BY)
    customer.refresh_from_db()
    assert (customer.phone, customer.version) == ("13900000001", 1)


def test_consents_are_given_and_withdrawn_as_new_rows() -> None:
    customer = make_customer()
    record_consent(customer_uid=customer.uid, purpose="MARKETING", given=True, channel="PHONE", by=BY)
    record_consent(customer_uid=customer.uid, purpose="MARKETING", given=False, by=BY)
    assert [(c.given, c.channel) for c in customer.consents.order_by("id")] == [(True, "PHONE"), (False, "DESK")]
    assert {c["purpose"]: c["given"] for c in consents_of(customer)} == {
        "SERVICE": False, "MARKETING": False, "SURVEY": False, "SHARING": False,
    }  # fmt: skip
    assert len(lines("reception.customer.consent_given")) == len(lines("reception.customer.consent_withdrawn")) == 1


def test_a_consent_that_already_stands_is_not_recorded_twice() -> None:
    customer = make_customer()
    record_consent(customer_uid=customer.uid, purpose="SURVEY", given=False, by=BY)
    with rule("consent.unchanged"):
        record_consent(customer_uid=customer.uid, purpose="SURVEY", given=False, by=BY)
    with rule("consent.purpose"):
        record_consent(customer_uid=customer.uid, purpose="EVERYTHING", given=True, by=BY)
    assert Consent.objects.count() == len(lines("reception.customer.consent_refused")) == 1
    assert {c["purpose"]: c["refused"] for c in consents_of(customer)}["SURVEY"] is True


def test_looking_at_a_number_is_logged_with_its_reason_and_needs_the_right() -> None:
    customer = make_customer(phone="13900000001")
    clerk = Actor(ActorKind.USER, str(uuid.uuid4()), frozenset({"reception.customers.unmask"}), frozenset())
    assert unmask_customer(uid=customer.uid, reason="CALL", by=clerk).phone == "13900000001"
    (line,) = lines("reception.customer.unmasked")
    assert (line.actor_id, line.facts, line.customer_uid) == (clerk.id, {"reason": "CALL"}, customer.uid)
    with rule("customer.unmask_reason"):
        unmask_customer(uid=customer.uid, reason="curious", by=clerk)
    with pytest.raises(NotAllowed):
        unmask_customer(uid=customer.uid, reason="CALL", by=Actor(ActorKind.USER, "x"))
    assert len(lines("reception.customer.unmasked")) == 1


def test_the_database_refuses_a_customer_without_a_way_to_be_reached(refused) -> None:
    customer = make_customer(phone="13900000001")
    with refused("customer_reachable") as sql:
        sql("UPDATE reception_customer SET phone = '', email = '' WHERE id = %s", [customer.pk])
    with refused("customer_named") as sql:
        sql("UPDATE reception_customer SET name = '' WHERE id = %s", [customer.pk])
    customer.refresh_from_db()
    assert (customer.phone, customer.version) == ("13900000001", 1)


@pytest.mark.parametrize("statement", ["UPDATE reception_consent SET given = false", "DELETE FROM reception_consent"])
def test_the_database_refuses_to_change_a_consent(refused, statement) -> None:
    customer = make_customer()
    record_consent(customer_uid=customer.uid, purpose="SURVEY", given=True, by=BY)
    with refused("consent_append_only") as sql:
        sql(statement)
    with connection.cursor() as cursor:
        cursor.execute("SELECT purpose, given FROM reception_consent")
        assert cursor.fetchall() == [("SURVEY", True)]
