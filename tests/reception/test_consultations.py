"""Questions of customers: the thread, its clocks and their escalation, and where a question leads (2.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, limits, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost
from dealership.kernel.models import CalendarDay, History, Message, OpeningHours
from dealership.kernel.services import set_setting
from dealership.process.selectors.figures import by_dimension, read, rows_behind
from dealership.process.services.rollup import recompute_touched
from reception.limits import CONSULTATION_RESOLUTION, CONSULTATION_RESPONSE
from reception.models import (
    AnswerTemplate,
    Consultation,
    ConsultationChannel,
    ConsultationClock,
    ConsultationEscalation,
    ConsultationMessage,
    SalesLead,
)
from reception.selectors import consultations as reads
from reception.services import consultations
from tests.factories.appointments import TUESDAY, at, booking, make_bookable
from tests.factories.reception import make_customer, make_vehicle, make_visit, rule
from tests.factories.staff import actor_for, make_actor, make_employee, make_store

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # a Monday, ten o'clock in the store


def local(text: str) -> datetime:
    """``local("2026-10-10 14:00")``: a moment of the store in Shanghai."""
    return (datetime.strptime(text, "%Y-%m-%d %H:%M") - timedelta(hours=8)).replace(tzinfo=UTC)


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def desk(store):
    return make_actor(store, "receptionist")


def ask(by, **values):
    given = {"channel": "WEB_FORM", "body": "保养多少钱？", "contact_name": "张试驾", "contact_phone": "13900001234"}
    return consultations.register_consultation(**given | values, by=by)


def set_minutes(store, key, **minutes):
    """Another limit of one channel; the other channels are left out of the row."""
    set_setting(key=key, value=minutes, starts_on=date(2026, 1, 1), store=store, by=machine("tests"))


def clock_of(consultation, kind="RESPONSE"):
    return ConsultationClock.objects.filter(consultation=consultation, kind=kind).latest("id")


def facts_of(uid):
    return list(History.objects.filter(root_uid=uid).order_by("id").values_list("code", "facts", "changed"))


# --- questions come in ---


def test_a_question_is_written_down_with_its_customer_car_and_clocks(desk):
    owner = make_customer(phone="13900007777", name="周试车")
    car = make_vehicle(owner_uid=owner.uid, plate="京A12345")
    with clock.moved_to(NOON):
        question = ask(desk, contact_name="", contact_phone="139 0000 7777", plate="京A·12345", topic="PRICE")
    assert (question.customer, question.vehicle, question.contact_name) == (owner, car, "周试车")
    assert (question.state, question.topic) == ("AWAITING", "PRICE")
    assert list(question.messages.values_list("direction", "way", "body")) == [("IN", "WEB_FORM", "保养多少钱？")]
    assert facts_of(question.uid) == [
        (
            "reception.consultation.asked",
            {"channel": "WEB_FORM", "topic": "PRICE", "known": True},
            {"state": [None, "AWAITING"]},
        )
    ]
    assert list(question.clocks.values_list("kind", "started_at", "limit", "working_only")) == [
        ("RESPONSE", NOON, timedelta(hours=1), True),
        ("RESOLUTION", NOON, timedelta(hours=16), True),
    ]


def test_two_customers_of_one_number_stay_undecided(desk):
    make_customer(phone="13900007777", name="周一")
    make_customer(phone="13900007777", name="周二")
    assert ask(desk, contact_phone="13900007777").customer is None


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"body": "  "}, "consultation.body"),
        ({"body": "长" * 20001}, "consultation.long"),
        ({"contact_name": " ", "contact_phone": ""}, "consultation.contact"),
        ({"received_at": datetime(2040, 1, 1, tzinfo=UTC)}, "consultation.future"),
    ],
)
def test_a_refusal_writes_nothing(desk, values, code):
    lines = History.objects.count()
    with rule(code):
        ask(desk, **values)
    assert (Consultation.objects.count(), ConsultationMessage.objects.count()) == (0, 0)
    assert History.objects.count() == lines


def test_who_may_not_work_on_questions_writes_none(store):
    with pytest.raises(NotAllowed):
        ask(make_actor(store, "technician"))
    assert Consultation.objects.count() == 0


# --- clocks (2.2.1) ---


def test_a_web_message_s_clock_stands_over_lunch_a_holiday_and_runs_on_a_make_up_day(store, desk):
    """24.5 h of opening time from Wednesday 15:00: 3 + 8.5 (Thursday the 8th) + 8.5 (Friday), on the make-up Saturday
    3.5 h until lunch and one hour after it. Saturdays are closed otherwise, and 1 to 7 October are the holiday."""
    OpeningHours.objects.filter(store=store, weekday__gte=5).delete()
    for day in range(1, 8):
        CalendarDay.objects.create(store=store, day=date(2026, 10, day), name="国庆节")
    CalendarDay.objects.create(store=store, day=date(2026, 10, 10), name="调休", opens=time(8, 30), closes=time(18))
    set_minutes(store, "reception.answer_minutes", WEB_FORM=24 * 60 + 30)
    set_minutes(store, "reception.settle_minutes", WEB_FORM=40 * 60)
    with clock.moved_to(local("2026-09-30 15:00")):
        question = ask(desk)
    due = local("2026-10-10 14:00")
    assert (clock_of(question).due_at, clock_of(question).met_at) == (due, None)
    for moment, count, late in (
        (local("2026-10-10 12:30"), 0, False),
        (due, 0, False),
        (due + timedelta(minutes=1), 1, True),
    ):
        with clock.moved_to(moment):
            assert reads.inbox(desk, "late")["strip"][3]["value"] == count
            assert reads.clocks_of(question)[0].late is late


def test_a_message_at_lunch_begins_to_run_after_it(desk):
    with clock.moved_to(local("2026-11-23 12:20")):
        question = ask(desk)
    assert clock_of(question).due_at == local("2026-11-23 14:00")


def test_an_e_mail_is_late_after_exactly_24_hours_whatever_the_calendar(store, desk):
    for day in (24, 25):
        CalendarDay.objects.create(store=store, day=date(2026, 11, day), name="盘点")
    received = local("2026-11-23 17:59")
    with clock.moved_to(received):
        question = ask(desk, channel="EMAIL", contact_email="someone@example.com", subject="保养周期")
    due = received + timedelta(hours=24)
    assert (clock_of(question).due_at, clock_of(question).working_only) == (due, False)
    for moment, late in ((due, False), (due + timedelta(microseconds=1), True)):
        with clock.moved_to(moment):
            assert reads.clocks_of(question)[0].late is late
    with clock.moved_to(due + timedelta(seconds=1)):
        consultations.answer_consultation(uid=question.uid, body="一万公里", way="EMAIL", by=desk)
    assert clock_of(question).late is True


def test_an_answer_in_time_isn_t_late_and_the_settlement_stands_until_the_customer_has_spoken(desk):
    with clock.moved_to(local("2026-11-23 10:00")):
        question = ask(desk)
        before = clock_of(question, "RESOLUTION").due_at
    with clock.moved_to(local("2026-11-23 10:59")):
        consultations.answer_consultation(uid=question.uid, body="小保养 468 元起", way="PHONE", by=desk)
    assert clock_of(question).late is False
    assert clock_of(question, "RESOLUTION").due_at is None
    assert before == local("2026-11-25 09:00")
    with clock.moved_to(local("2026-11-24 09:00")):
        again = consultations.receive_message(uid=question.uid, body="含机滤吗？", by=desk)
    assert again.state == "AWAITING"
    # 59 minutes are used; 15 h 1 min are left from Tuesday 9:00: 8 until the evening, 7 h 1 min on Wednesday.
    assert clock_of(question, "RESOLUTION").due_at == local("2026-11-25 16:31")
    assert clock_of(question).started_at == local("2026-11-24 09:00")
    assert question.clocks.filter(kind="RESPONSE").count() == 2


def test_each_step_of_the_escalation_is_taken_and_told_once(store, desk):
    person = make_employee(store, "receptionist", name="前台甲")
    manager = make_employee(store, "manager", name="经理甲")
    with clock.moved_to(local("2026-11-23 10:00")):
        question = ask(desk, channel="EMAIL", contact_email="someone@example.com")
    for moment, steps in (
        ("2026-11-24 03:59", []),
        ("2026-11-24 04:00", ["SOON"]),
        ("2026-11-24 10:00", ["SOON"]),
        ("2026-11-24 10:01", ["SOON", "BREACHED"]),
        ("2026-11-24 11:01", ["SOON", "BREACHED", "MANAGER"]),
    ):
        with clock.moved_to(local(moment)):
            consultations.escalate_due()
            assert consultations.escalate_due() == 0
        taken = ConsultationEscalation.objects.filter(on=clock_of(question)).order_by("id")
        assert list(taken.values_list("step", flat=True)) == steps
    outbox.drain()
    told = Message.objects.filter(template="consultation_limit").values_list("recipient", flat=True)
    assert list(told).count(manager.number) == 1
    assert list(told).count(person.number) == 2


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("consultationclock_computed", "UPDATE reception_consultationclock SET due_at = due_at + interval '1 day'"),
        ("consultationclock_computed", "UPDATE reception_consultationclock SET started_at = now()"),
        ("consultationclock_computed", "UPDATE reception_consultationclock SET \"limit\" = interval '9 days'"),
        ("consultationclock_met", "UPDATE reception_consultationclock SET met_at = started_at"),
        ("consultation_moves", "UPDATE reception_consultation SET state = 'CONFIRMED', ended_at = now()"),
        ("consultation_ended_at", "UPDATE reception_consultation SET state = 'CLOSED', ended_note = 'x'"),
        ("consultation_close_reason", "UPDATE reception_consultation SET state = 'CLOSED', ended_at = now()"),
        ("consultation_booking", "UPDATE reception_consultation SET state = 'BOOKED', ended_at = now()"),
        ("consultation_visit", "UPDATE reception_consultation SET state = 'VISITED', ended_at = now()"),
        ("consultation_contact", "UPDATE reception_consultation SET contact_name = '', contact_phone = ''"),
        ("consultationmessage_append_only", "UPDATE reception_consultationmessage SET body = '别的'"),
        ("consultationmessage_append_only", "DELETE FROM reception_consultationmessage"),
    ],
)
def test_the_database_refuses_what_the_rules_forbid(desk, refused, constraint, statement):
    ask(desk)
    with refused(constraint) as sql:
        sql(statement)


def test_nobody_types_that_a_limit_is_late(desk, refused):
    ask(desk)
    with refused(sqlstate="428C9") as sql:
        sql("UPDATE reception_consultationclock SET late = false")


def test_the_database_refuses_opening_hours_for_an_e_mail(desk, refused):
    question = ask(desk, channel="EMAIL", contact_email="someone@example.com")
    values = [question.pk, NOON]
    with refused("consultationclock_email") as sql:
        sql(
            'INSERT INTO reception_consultationclock (consultation_id, kind, started_at, "limit", working_only, due_at) '
            "VALUES (%s, 'RESPONSE', %s, interval '25 hours', false, now())",
            values,
        )


def test_a_setting_can_t_stretch_the_manual_s_24_hours(store, desk):
    set_minutes(store, "reception.answer_minutes", EMAIL=1500)
    question = ask(desk, channel="EMAIL", contact_email="someone@example.com")
    assert clock_of(question).limit == timedelta(hours=24)


# --- answers ---


def test_an_answer_by_e_mail_is_sent_and_one_by_telephone_is_written_down(desk):
    question = ask(desk, channel="EMAIL", contact_email="someone@example.com", subject="保养周期")
    consultations.answer_consultation(uid=question.uid, body="一万公里或一年", way="EMAIL", by=desk)
    consultations.answer_consultation(uid=question.uid, body="又打了电话", way="PHONE", by=desk)
    sent = Message.objects.get(template="consultation_answer")
    assert (sent.recipient, sent.subject, sent.body) == ("someone@example.com", "Re: 保养周期", "一万公里或一年")
    assert list(question.messages.values_list("direction", "way")) == [
        ("IN", "EMAIL"),
        ("OUT", "EMAIL"),
        ("OUT", "PHONE"),
    ]


def test_an_answer_without_an_address_is_refused(desk):
    question = ask(desk)
    with rule("consultation.no_address"):
        consultations.answer_consultation(uid=question.uid, body="您好", way="EMAIL", by=desk)
    assert question.messages.count() == 1


def test_a_note_touches_no_clock(desk):
    question = ask(desk)
    consultations.note_consultation(uid=question.uid, body="同事：这是老客户", by=desk)
    question.refresh_from_db()
    assert (question.state, clock_of(question).met_at) == ("AWAITING", None)


# --- who looks after it ---


def test_one_takes_it_and_the_other_is_told(store, desk):
    other = make_actor(store, "advisor")
    question = consultations.take_consultation(uid=ask(desk).uid, by=desk)
    assert question.state == "IN_PROGRESS"
    with pytest.raises(RaceLost) as lost:
        consultations.take_consultation(uid=question.uid, by=other)
    assert lost.value.code == "consultation.taken"


def test_it_is_handed_over_and_a_leaver_s_questions_go_along(store, desk):
    first, second = make_employee(store, "advisor"), make_employee(store, "advisor")
    question = ask(desk)
    consultations.assign_consultation(uid=question.uid, employee_uid=first.uid, by=desk)
    with rule("consultation.assignee_same"):
        consultations.assign_consultation(uid=question.uid, employee_uid=first.uid, by=desk)
    assert consultations.hand_over_consultations(first, second, desk) == 1
    question.refresh_from_db()
    assert question.assignee == second


def test_what_is_put_off_leaves_the_list_and_comes_back(desk):
    with clock.moved_to(NOON):
        question = ask(desk)
        with rule("consultation.snooze_past"):
            consultations.snooze_consultation(uid=question.uid, until=NOON, by=desk)
        consultations.snooze_consultation(uid=question.uid, until=NOON + timedelta(hours=2), by=desk)
        assert (reads.waiting_count(desk), len(reads.inbox(desk, "snoozed")["rows"])) == (0, 1)
    with clock.moved_to(NOON + timedelta(hours=2)):
        assert reads.waiting_count(desk) == 1


def test_two_who_open_one_thread_are_told_of_each_other(store, desk):
    other = make_employee(store, "advisor", name="顾问乙")
    question = ask(desk)
    with clock.moved_to(NOON):
        consultations.note_presence(uid=question.uid, by=actor_for(other))
        consultations.note_presence(uid=question.uid, by=actor_for(other))
        assert reads.others_present(desk, question) == ["顾问乙"]
        assert reads.others_present(actor_for(other), question) == []
    with clock.moved_to(NOON + timedelta(seconds=61)):
        assert reads.others_present(desk, question) == []


# --- how it ends ---


def test_the_end_meets_both_clocks_and_a_new_word_opens_it_again(desk):
    with clock.moved_to(NOON):
        question = ask(desk)
        with rule("state.move"):
            consultations.settle_consultation(uid=question.uid, by=desk)
        with rule("consultation.close_reason"):
            consultations.close_consultation(uid=question.uid, reason=" ", by=desk)
        ended = consultations.close_consultation(uid=question.uid, reason="广告", by=desk)
    assert (ended.state, ended.ended_at, ended.ended_note) == ("CLOSED", NOON, "广告")
    assert list(question.clocks.values_list("met_at", "late")) == [(NOON, False), (NOON, False)]
    with clock.moved_to(NOON + timedelta(days=1)):
        with rule("consultation.ended"):
            consultations.answer_consultation(uid=question.uid, body="您好", way="PHONE", by=desk)
        again = consultations.receive_message(uid=question.uid, body="还是想问", by=desk)
    assert (again.state, again.ended_at, question.clocks.filter(met_at__isnull=True).count()) == ("AWAITING", None, 2)
    with clock.moved_to(NOON + timedelta(days=1)):
        consultations.close_consultation(uid=question.uid, reason="已说明", by=desk)
    with clock.moved_to(NOON + timedelta(days=40)), rule("consultation.old"):
        consultations.receive_message(uid=question.uid, body="又来了", by=desk)


def test_sales_gets_contact_model_and_topic(desk):
    question = ask(desk, topic="MODEL")
    with rule("lead.contact"):
        consultations.hand_to_sales(
            uid=question.uid, contact_name="张试驾", contact_phone="13900001234", model_text=" ", topic="MODEL", by=desk
        )
    assert SalesLead.objects.count() == 0
    ended = consultations.hand_to_sales(
        uid=question.uid,
        contact_name="张试驾",
        contact_phone="13900001234",
        model_text="途远 2.0T",
        topic="MODEL",
        note="想试驾",
        by=desk,
    )
    lead = SalesLead.objects.get()
    assert (ended.state, lead.consultation, lead.model_text, lead.topic) == ("SALES_LEAD", ended, "途远 2.0T", "MODEL")
    assert facts_of(lead.uid)[0][0] == "reception.sales_lead.handed"


def test_a_question_becomes_a_visit_through_the_arrival_page(store, desk):
    client = Client()
    client.force_login(desk.user)
    question = ask(desk, body="右前轮异响")
    page = client.get(reverse("visit-new") + f"?consultation={question.uid}")
    assert "右前轮异响" in page.content.decode()
    sent = {
        "plate": "京A88888",
        "plate_kind": "NORMAL",
        "contact_name": "张试驾",
        "contact_phone": "13900001234",
        "model_text": "途远 2.0T",
        "need": "右前轮异响",
        "waiting_mode": "WAIT_AT_DEALER",
        "consultation": str(question.uid),
    }
    assert client.post(reverse("visit-new"), sent).status_code == 302
    question.refresh_from_db()
    assert (question.state, question.visit.contact_name) == ("VISITED", "张试驾")


def test_a_question_becomes_a_booking_through_the_booking_page():
    with clock.moved_to(at("9:00")):
        shop = make_bookable()
        client = Client()
        client.force_login(shop.desk.user)
        question = ask(shop.desk, body="想换刹车油")
        page = client.get(reverse("appointment-new") + f"?consultation={question.uid}").content.decode()
        assert str(question.uid) in page
        values = booking()
        sent = {
            "vehicle": str(values["vehicle_uid"]),
            "contact_name": "李试约",
            "contact_phone": "13900002290",
            "operations": [str(uid) for uid in values["operation_uids"]],
            "concern": "想换刹车油",
            "waiting_mode": "LEAVE",
            "source": "PHONE",
            "starts_at": at("9:30", TUESDAY).isoformat(),
            "consultation": str(question.uid),
        }
        answer = client.post(reverse("appointment-new"), sent)
    assert answer.status_code == 302, answer.context["form"].errors
    question.refresh_from_db()
    assert (question.state, question.appointment.contact_name) == ("BOOKED", "李试约")


def test_another_store_s_visit_is_not_found(desk):
    other = make_actor(make_store("SH02"), "receptionist")
    visit = make_visit(other)
    question = ask(desk)
    with pytest.raises(type(visit).DoesNotExist):
        consultations.convert_to_visit(uid=question.uid, visit_uid=visit.uid, by=desk)
    with pytest.raises(Consultation.DoesNotExist):
        consultations.take_consultation(uid=question.uid, by=other)


# --- templates ---


def test_a_template_is_filled_with_what_is_known(store, desk):
    care = make_actor(store, "care")
    template = consultations.save_template(
        title="保养价格", topic="PRICE", body="{name}您好，{model}小保养请致电{phone}。", by=care
    )
    question = ask(desk, model_text="途远 2.0T")
    assert consultations.fill_template(template, question, desk) == "张试驾您好，途远 2.0T小保养请致电____。"


@pytest.mark.parametrize("body", ["{naam}", "{name.__class__}", "{name!r}", "{name:>9}", "{", "{0}", "{}"])
def test_a_field_that_is_none_is_refused(store, body):
    with rule("template.field"):
        consultations.save_template(title="x", topic="PRICE", body=body, by=make_actor(store, "care"))
    assert AnswerTemplate.objects.count() == 0


def test_a_title_is_used_once(store):
    care = make_actor(store, "care")
    consultations.save_template(title="价格", topic="PRICE", body="a", by=care)
    with rule("template.title"):
        consultations.save_template(title="价格", topic="OTHER", body="b", by=care)


# --- pages ---


@pytest.fixture
def client(desk):
    client = Client()
    client.force_login(desk.user)
    return client


def test_the_inbox_is_empty_then_lists_and_answers(client, desk):
    assert reverse("consultation-new") in client.get(reverse("consultations")).content.decode()
    sent = {"channel": "MISSED_CALL", "contact_phone": "13900001234", "topic": "PRICE", "body": "未接来电"}
    answer = client.post(reverse("consultation-new"), sent)
    question = Consultation.objects.get()
    assert answer.url == reverse("consultation-detail", args=[question.uid])
    page = client.get(reverse("consultations")).content.decode()
    assert question.number in page
    template = consultations.save_template(title="回电", topic="OTHER", body="{name}您好", by=machine("tests"))
    page = client.get(answer.url + f"?template={template.uid}").content.decode()
    assert "____您好" in page
    refused = client.post(answer.url, {"body": "您好", "way": "EMAIL"})
    assert (refused.status_code, "您好" in refused.content.decode()) == (422, True)
    assert client.post(answer.url, {"body": "已回电", "way": "PHONE"}).status_code == 302
    question.refresh_from_db()
    assert question.state == "ANSWERED"
    assert client.post(reverse("consultation-settled", args=[question.uid])).status_code == 302
    assert client.get(reverse("consultations") + "?show=mine").status_code == 200


@pytest.mark.parametrize(
    ("name", "sent", "state"),
    [
        ("take", {}, "IN_PROGRESS"),
        ("note", {"body": "同事请看"}, "AWAITING"),
        ("received", {"body": "再问一句"}, "AWAITING"),
        ("snooze", {"until": "2040-01-01T09:00"}, "AWAITING"),
        ("close", {"reason": "广告"}, "CLOSED"),
        (
            "lead",
            {"contact_name": "张", "contact_phone": "13900001234", "model_text": "途远", "topic": "MODEL"},
            "SALES_LEAD",
        ),
    ],
)
def test_each_action_has_a_plain_form(client, desk, name, sent, state):
    question = ask(desk)
    address = reverse(f"consultation-{name}", args=[question.uid])
    if name != "take":
        assert client.get(address).status_code == 200
        assert client.post(address, {}).status_code == 422
    assert client.post(address, sent).status_code == 302
    question.refresh_from_db()
    assert question.state == state
    assert client.get(reverse("consultation-detail", args=[question.uid])).status_code == 200


def test_the_page_says_who_else_has_it_open(client, store, desk):
    question = ask(desk)
    consultations.note_presence(uid=question.uid, by=actor_for(make_employee(store, "advisor", name="顾问乙")))
    answer = client.post(reverse("consultation-present", args=[question.uid]))
    assert (answer.status_code, "顾问乙" in answer.content.decode()) == (200, True)


def test_the_schema_has_no_column_for_a_breach_that_a_person_writes():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, is_generated FROM information_schema.columns "
            "WHERE table_name IN ('reception_consultation', 'reception_consultationclock') "
            "AND (column_name LIKE '%late%' OR column_name LIKE '%breach%')"
        )
        assert cursor.fetchall() == [("late", "ALWAYS")]


def test_limits_are_declared_for_every_channel():
    for key in (CONSULTATION_RESPONSE, CONSULTATION_RESOLUTION):
        assert set(limits.value(key)) == set(ConsultationChannel.values)


def test_a_store_can_let_a_channel_run_around_the_clock(store, desk):
    set_setting(
        key="reception.elapsed_channels",
        value=["EMAIL", "WEB_FORM"],
        starts_on=date(2026, 1, 1),
        store=store,
        by=machine("tests"),
    )
    with clock.moved_to(local("2026-11-23 12:20")):
        question = ask(desk)
    assert clock_of(question).due_at == local("2026-11-23 13:20")


# --- figures (6.1) ---


def test_the_figure_of_each_channel_is_what_was_answered_within_its_limit(store, desk):
    day = date(2026, 11, 23)
    with clock.moved_to(NOON):
        quick, slow, open_one = ask(desk), ask(desk), ask(desk, channel="WECHAT")
    with clock.moved_to(NOON + timedelta(minutes=30)):
        consultations.answer_consultation(uid=quick.uid, body="答", way="PHONE", by=desk)
    with clock.moved_to(NOON + timedelta(days=1)):
        consultations.answer_consultation(uid=slow.uid, body="答", way="PHONE", by=desk)
        outbox.drain()
        recompute_touched()
    read_by = {
        r.dimension: (r.numerator, r.denominator) for r in by_dimension(desk, "reception.answered_in_time", day, day)
    }
    assert read_by == {"WEB_FORM": (1, 2), "WECHAT": (0, 1)}
    whole = read(desk, "reception.answered_in_time", day, day)
    assert (whole.numerator, whole.denominator, whole.value) == (1, 3, Decimal("33.3"))
    behind = rows_behind(desk, "reception.answered_in_time", day, day, dimension="WECHAT")
    assert [(row.kind, row.uid) for row in behind.rows] == [("consultation", open_one.uid)]


def test_the_figure_of_the_manual_page_leads_to_the_questions(store, desk):
    with clock.moved_to(NOON):
        ask(desk)
        outbox.drain()
        recompute_touched()
        manager = Client()
        manager.force_login(make_actor(store, "manager").user)
        page = manager.get(reverse("figure-detail", args=["reception.answered_in_time"])).content.decode()
    assert "网页留言" in page or "Web form" in page


def test_who_asks_for_the_car_in_the_shop_is_told_where_it_stands(store, desk):
    """Known by the customer or by the telephone alone; another store's cars and gone ones aren't there."""
    with clock.moved_to(NOON):
        visit = make_visit(desk)
        known = ask(desk, contact_phone=visit.contact_phone, body="我的车今天能取吗")
        stranger = ask(desk, contact_phone="13900009999", body="你们几点开门")
        [(found, placed, _lane)] = reads.cars_here(desk, known)
        assert (found, placed.lane) == (visit, "RECEPTION")
        assert reads.cars_here(desk, stranger) == []
        other = make_actor(make_store("NH09"), "receptionist")
        assert reads.cars_here(other, known) == []
        client = Client()
        client.force_login(desk.user)
        page = client.get(reverse("consultation-detail", args=[known.uid])).content.decode()
        assert "车已到店" in page
        assert reverse("visit-detail", args=[visit.uid]) in page
        assert "车已到店" not in client.get(reverse("consultation-detail", args=[stranger.uid])).content.decode()
