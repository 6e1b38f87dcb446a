"""The public form for questions: no log-in, nothing told of anybody, counted and closed to machines (2.2.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from dealership.kernel import clock
from reception.models import Consultation, ConsultationClock
from tests.factories.reception import make_customer, make_vehicle
from tests.factories.staff import make_store

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)  # a Monday, half past eleven in the store: lunch is from 12 to 13
ASKED = {"body": "小保养多少钱？", "topic": "PRICE", "contact_name": "王试问", "contact_phone": "13900000077"}


@pytest.fixture(autouse=True)
def _noon():
    cache.clear()
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def store():
    return make_store("BJ01")


def ask(**given):
    return Client().post("/ask/BJ01/", ASKED | {"form_token": str(uuid4())} | given)


def test_a_customer_asks_and_reads_by_when_the_answer_comes(store):
    assert "王试问" not in Client().get("/ask/BJ01/").content.decode()
    answer = ask()
    question = Consultation.objects.get()
    assert (question.channel, question.topic, question.state) == ("WEB_FORM", "PRICE", "AWAITING")
    assert question.messages.get().body == "小保养多少钱？"
    limit = ConsultationClock.objects.get(consultation=question, kind="RESPONSE")
    assert limit.due_at == NOON + timedelta(hours=2)  # an hour of opening time, lunch between
    done = Client().get(answer.url).content.decode()
    assert question.number in done
    assert "13:30" in done
    assert not any(word in done for word in ("王试问", "13900000077", "小保养"))


def test_what_is_known_of_car_and_customer_is_matched_but_never_told(store):
    owner = make_customer(name="赵机主", phone="13911112222")
    make_vehicle(plate="京A7T777", owner_uid=owner.uid, model_text="别的车")
    answer = ask(plate="京A7T777", contact_phone="13911112222")
    question = Consultation.objects.get()
    assert (question.customer, question.vehicle.plate, question.contact_name) == (owner, "京A7T777", "王试问")
    done = Client().get(answer.url).content.decode()
    assert not any(word in done for word in ("赵机主", "别的车", "13911112222"))


@pytest.mark.parametrize(
    "given",
    [
        {"body": ""},
        {"body": "长" * 2001},
        {"contact_name": ""},
        {"contact_phone": ""},
        {"contact_phone": "123"},
        {"contact_email": "nobody"},
        {"topic": "NOTHING"},
        {"website": "https://spam.example.com"},
    ],
)
def test_what_is_missing_or_a_machine_s_is_refused_with_everything_kept(store, given):
    answer = ask(**given)
    assert answer.status_code == 422
    if given.get("body") is None:
        assert "小保养多少钱？" in answer.content.decode()
    assert Consultation.objects.count() == 0


def test_an_e_mail_address_alone_is_enough(store):
    assert ask(contact_phone="", contact_email="asks@example.com").status_code == 302
    assert Consultation.objects.get().contact_email == "asks@example.com"


def test_one_number_and_one_network_address_can_ask_so_often_and_no_more(store):
    assert [ask().status_code for _n in range(4)] == [302, 302, 302, 422]
    assert Consultation.objects.count() == 3
    assert [ask(contact_phone=f"139000001{n:02}").status_code for n in range(4, 11)] == [302] * 6 + [422]
    assert Consultation.objects.count() == 9
    with clock.moved_to(NOON + timedelta(hours=25)):
        cache.clear()
        assert ask().status_code == 302


def test_the_same_form_sent_twice_is_one_question(store):
    token = str(uuid4())
    assert ask(form_token=token).url == ask(form_token=token).url
    assert Consultation.objects.count() == 1


def test_no_store_no_form_and_a_forged_receipt_is_none(store):
    assert Client().get("/ask/NONE/").status_code == 404
    assert Client().get("/ask/BJ01/forged/").status_code == 404
