"""4.2, 4.3: callbacks from day 3, surveys on the link, and a bad answer that opens a case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.translation import override

from dealership.kernel import clock, outbox, stages
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, Message
from delivery.models import FollowUp, FollowUpAttempt, Survey, SurveyAnswer
from delivery.services.followups import answer_survey, plan_follow_up, record_call, send_survey
from delivery.tasks import send_due_surveys
from quality.models import Complaint
from reception.selectors.visits import stage_steps
from reception.services.customers import record_consent
from tests.factories.departed import make_departed
from tests.factories.floor import actor, clock_at
from tests.factories.kernel import make_actor, make_user
from tests.factories.workshop import link_actor

GOOD = {"RECEPTION": 5, "FACILITY": 4, "PROCESS": 5, "QUALITY": 5, "DELIVERY": 4}


@pytest.fixture
def left(db):
    """(order, care agent, follow-up) of a car that left."""
    house, order = make_departed()
    care = actor(house.floor.hire("care", name="林试访"))
    return order, care, FollowUp.objects.get(visit=order.visit)


def on_day(order, days, hours=1):
    return clock.moved_to(order.visit.left_at + timedelta(days=days, hours=hours))


def test_the_callback_is_planned_for_day_3_once(left):
    order, care, follow_up = left
    local = order.visit.left_at.astimezone(clock.ZoneInfo("Asia/Shanghai")).date()
    assert (follow_up.due_on, follow_up.state) == (local + timedelta(days=3), "DUE")
    plan_follow_up(visit_uid=order.visit.uid, by=care)
    assert FollowUp.objects.count() == 1
    assert History.objects.filter(code="delivery.follow_up.planned").count() == 1
    assert last_step(order) == ("todo", "planned")


def last_step(order):
    """How the follow-up stands on the visit's stage bar."""
    with override("en"):
        step = stage_steps(order.visit, stages.FOLLOW_UP, over=True)[-1]
        return step["state"], str(step["say"])


def test_a_reached_customer_is_done_with_the_words_kept(left):
    order, care, follow_up = left
    with pytest.raises(RuleError) as refusal:
        record_call(uid=follow_up.uid, result="REACHED", by=care)
    assert (refusal.value.code, FollowUpAttempt.objects.count()) == ("follow_up.words", 0)
    done = record_call(uid=follow_up.uid, result="REACHED", note="很满意", by=care)
    assert (done.state, done.words, done.attempts) == ("REACHED", "很满意", 1)
    assert last_step(order) == ("done", "")
    with pytest.raises(RuleError) as refusal:
        record_call(uid=follow_up.uid, result="NO_ANSWER", by=care)
    assert refusal.value.code == "follow_up.closed"


def test_five_days_without_an_answer_end_in_one_message(left):
    order, care, follow_up = left
    for day in range(5):
        with on_day(order, 3 + day):
            row = record_call(uid=follow_up.uid, result="NO_ANSWER", by=care)
            assert row.state == ("DUE" if day < 4 else "GIVEN_UP")
            if day < 4:
                assert row.due_on == clock.today() + timedelta(days=1)
    assert Message.objects.filter(key=f"follow_up:{follow_up.uid}").count() == 1


@pytest.mark.parametrize("result", ["REFUSED", "DO_NOT_CALL"])
def test_who_doesnt_want_it_is_not_called_again(left, result):
    _order, care, follow_up = left
    assert record_call(uid=follow_up.uid, result=result, by=care).state == "NOT_WANTED"


def test_only_care_calls(left):
    order, _care, follow_up = left
    with pytest.raises(NotAllowed):
        record_call(uid=follow_up.uid, result="REFUSED", by=make_actor("cashier", store=order.store))


def test_who_does_not_want_calls_is_not_called_again(left):
    """2.3: said on the telephone it stays with the customer, and the next visit plans no callback."""
    order, care, follow_up = left
    customer = order.visit.customer
    record_call(uid=follow_up.uid, result="DO_NOT_CALL", by=care)
    customer.refresh_from_db()
    assert customer.no_calls
    follow_up.delete()
    planned = plan_follow_up(visit_uid=order.visit.uid, by=care)
    assert (planned.state, planned.attempts) == ("NOT_WANTED", 0)
    codes = History.objects.filter(root_uid=planned.uid).order_by("id").values_list("code", flat=True)
    assert list(codes) == ["delivery.follow_up.planned", "delivery.follow_up.closed"]
    assert plan_follow_up(visit_uid=order.visit.uid, by=care).pk == planned.pk


def test_surveys_go_out_on_day_3_once_and_not_without_consent(left):
    order, _care, _follow_up = left
    with on_day(order, 2):
        assert send_due_surveys() == 0
    with on_day(order, 3):
        assert send_due_surveys() == 1
        assert send_due_surveys() == 0
    assert Message.objects.filter(template="delivery.survey").count() == 1
    Survey.objects.all().delete()
    for given in (True, False):
        record_consent(
            customer_uid=order.visit.customer.uid, purpose="SURVEY", given=given, channel="PHONE",
            by=make_actor("receptionist", store=order.store),
        )  # fmt: skip
    with on_day(order, 4):
        assert send_due_surveys() == 0


def answered(order, care, **words):
    send_survey(visit_uid=order.visit.uid, by=care)
    return answer_survey(visit_uid=order.visit.uid, by=link_actor(order), **({"scores": GOOD, "recommend": 9} | words))


def test_a_good_answer_is_kept_once_and_opens_nothing(left):
    order, care, _follow_up = left
    survey = answered(order, care, words="不错")
    assert (survey.recommend, SurveyAnswer.objects.count()) == (9, 5)
    outbox.drain()
    assert Complaint.objects.count() == 0
    with pytest.raises(RuleError) as refusal:
        answer_survey(visit_uid=order.visit.uid, scores=GOOD, recommend=1, by=link_actor(order))
    assert refusal.value.code == "survey.answered"


@pytest.mark.parametrize("bad", [{"recommend": 6}, {"scores": GOOD | {"QUALITY": 2}}])
def test_a_bad_answer_opens_one_complaint_with_its_clock(left, bad):
    order, care, _follow_up = left
    with clock_at(10):
        answered(order, care, words="异响还在", **bad)
        outbox.drain()
        complaint = Complaint.objects.get()
        assert complaint.response_due_at - complaint.opened_at == timedelta(hours=24)
    assert (complaint.description, complaint.source, complaint.visit) == ("异响还在", "SURVEY", order.visit)


@pytest.mark.parametrize("wrong", [{"scores": GOOD | {"QUALITY": 6}}, {"scores": {}}, {"recommend": 11}])
def test_a_wrong_answer_is_refused_and_writes_nothing(left, wrong):
    order, care, _follow_up = left
    with pytest.raises(RuleError):
        answered(order, care, **wrong)
    assert SurveyAnswer.objects.count() == 0
    assert Survey.objects.get().answered_at is None


def test_the_database_keeps_an_answered_survey(left, refused):
    order, care, _follow_up = left
    answered(order, care)
    before = Survey.objects.values().get()
    with refused("survey_answered_once") as sql:
        sql("UPDATE delivery_survey SET recommend = 0")
    with refused("followup_moves") as sql:
        sql("UPDATE delivery_followup SET state = 'REACHED'; UPDATE delivery_followup SET state = 'DUE'")
    assert Survey.objects.values().get() == before


def test_the_pages_and_the_customers_survey(left):
    order, care, follow_up = left
    client = Client()
    client.force_login(care.user)
    with on_day(order, 3):
        assert order.vehicle.plate[2:] in client.get("/follow-ups/").content.decode()
        page = client.post(f"/follow-ups/{follow_up.uid}/", {"result": "REACHED", "note": ""})
        assert page.status_code == 422
        assert client.post(f"/follow-ups/{follow_up.uid}/", {"result": "NO_ANSWER"}).status_code == 302
        send_survey(visit_uid=order.visit.uid, by=care)
        public, address = Client(), f"/v/{order.visit.link.token}/survey/"
        assert public.get(address).status_code == 200
        assert public.post(address, {"recommend": "9"}).status_code == 422
        assert Survey.objects.get().answered_at is None
        assert public.post(address, GOOD | {"recommend": "9", "words": "好"}).status_code == 302
        assert Survey.objects.get().recommend == 9
        assert client.get("/satisfaction/").status_code == 200
    stranger = Client()
    stranger.force_login(make_user("technician", store=order.store))
    assert stranger.get("/follow-ups/").status_code == 403


def test_the_callback_opens_its_number_and_says_so_only_while_it_is_due(left, client):
    order, care, follow_up = left
    number = order.visit.contact_phone
    address = f"/follow-ups/{follow_up.uid}/"
    client.force_login(make_user("manager", store=order.store))
    with on_day(order, 3):
        client.force_login(care.user)
        assert number in client.get(address).content.decode()
        line = History.objects.get(code="reception.customer.unmasked")
        assert (line.actor_id, line.facts["task"], line.root_uid) == (care.id, "followup", order.visit.customer.uid)
        record_call(uid=follow_up.uid, result="REACHED", note="很好", by=care)
        assert number not in client.get(address).content.decode()
    assert History.objects.filter(code="reception.customer.unmasked").count() == 1
