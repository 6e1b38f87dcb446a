"""Health, settings, messages and approvals: what the pages show, what the commands refuse (1.2, 1.3, 7.1)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.urls import reverse

from dealership.exchange import events as own_events
from dealership.exchange.selectors import health as health_reads
from dealership.exchange.services.health import retry_event
from dealership.kernel import clock, limits, outbox, registry, services
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import (
    Approval,
    ApprovalState,
    History,
    Message,
    MessageState,
    Outbox,
    OutboxState,
    Setting,
)
from tests.factories.staff import actor_for, make_actor, make_employee, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    limits.forget()
    yield make_store()
    limits.forget()


def sign_in(client, store, *posts):
    employee = make_employee(store, *posts)
    client.force_login(employee.user)
    return employee


def refused(code, command, /, **given):
    with pytest.raises(RuleError) as refusal, transaction.atomic():
        command(**given)
    assert refusal.value.code == code
    assert str(refusal.value)


# health


def test_machines_learn_what_is_missing(client, db):
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": True, "migrations": True, "broker": True, "background": False}
    for name in health_reads.PROCESSES:
        services.beat(name=name)
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_an_unreachable_broker_is_said(client, settings, db):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/health/ready/")
    assert answer.json()["checks"]["broker"] is False


def test_a_silent_process_is_told_from_a_living_one(store):
    services.beat(name="relay")
    with clock.moved_to(clock.now() + timedelta(seconds=limits.value("exchange.beat_seconds") + 1)):
        services.beat(name="worker")
        assert [(b.name, b.ok) for b in health_reads.heartbeats()] == [
            ("relay", False),
            ("worker", True),
            ("beat", False),
        ]


def test_beat_shows_that_it_lives_when_it_plans_the_heartbeat(store):
    from celery.signals import before_task_publish

    import dealership.celery  # noqa: F401  (connects the signal)

    before_task_publish.send(sender="kernel.heartbeat")
    assert [b.name for b in health_reads.heartbeats() if b.ok] == ["beat"]


@pytest.fixture
def failed(store):
    """An effect that failed until it was parked."""
    message = services.queue_message(
        key="t1",
        store=store,
        channel="SMS",
        recipient="13900001234",
        template="test",
        body="您好",
        by=machine("test", store_id=store.pk),
    )
    row = Outbox.objects.get(root_uid=message.uid)
    Outbox.objects.filter(pk=row.pk).update(state=OutboxState.PARKED, attempts=8, last_error="OSError: gateway away")
    row.refresh_from_db()
    return row


def test_a_parked_event_is_retried_with_the_button(client, store, failed):
    sign_in(client, store, "admin")
    page = client.get(reverse("system"))
    assert "gateway away" in page.content.decode()
    client.post(reverse("system-retry"), {"event": failed.event_id, "handler": failed.handler})
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (OutboxState.DUE, 0)
    line = History.objects.get(code=own_events.EVENT_RETRIED)
    assert line.facts == {"event": failed.event_id, "handler": failed.handler}
    outbox.drain()
    assert Message.objects.get(uid=failed.root_uid).state == MessageState.MAILBOX


def test_a_retry_is_refused(store, failed):
    admin = make_actor(store, "admin")
    given = {"event_id": failed.event_id, "handler": failed.handler}
    with pytest.raises(NotAllowed):
        retry_event(**given, by=make_actor(store, "manager"))
    with pytest.raises(ObjectDoesNotExist):
        retry_event(**given, by=make_actor(make_store("SH02"), "admin"))
    retry_event(**given, by=admin)
    refused("event.not_failed", retry_event, **given, by=admin)
    assert History.objects.filter(code=own_events.EVENT_RETRIED).count() == 1


def test_the_queue_knows_its_age(store, failed):
    assert (health_reads.queue().parked, health_reads.queue().due) == (1, 0)
    outbox.retry(failed.pk)
    with clock.moved_to(clock.now() + timedelta(minutes=6)):
        queue = health_reads.queue()
    assert (queue.due, queue.late) == (1, True)
    assert 360 <= queue.oldest < 420


# settings


def test_every_declared_number_stands_on_the_page(client, store):
    sign_in(client, store, "admin")
    html = client.get(reverse("settings")).content.decode()
    assert len(registry.LIMITS) > 10
    for key in registry.LIMITS:
        assert key in html


def test_a_value_changes_from_a_day_on(client, store):
    admin = sign_in(client, store, "admin")
    tomorrow = clock.today() + timedelta(days=1)
    address = reverse("setting", args=["delivery.callback_day"])
    answer = client.post(
        address, {"value": "2", "starts_on": tomorrow.isoformat(), "scope": "store", "reason": "客户希望更早"}
    )
    assert answer.status_code == 302
    assert limits.value("delivery.callback_day", store_id=store.pk) == 3
    assert limits.value("delivery.callback_day", store_id=store.pk, on=tomorrow) == 2
    assert limits.value("delivery.callback_day", on=tomorrow) == 3
    page = client.get(address)
    assert "客户希望更早" in page.content.decode()
    assert admin.name in page.content.decode()


@pytest.mark.parametrize(("key", "value"), [("delivery.callback_day", "soon"), ("delivery.callback_day", "")])
def test_a_value_that_cannot_be_read_is_refused(client, store, key, value):
    sign_in(client, store, "admin")
    given = {"value": value, "starts_on": clock.today().isoformat(), "scope": "group", "reason": "x"}
    answer = client.post(reverse("setting", args=[key]), given)
    assert answer.status_code == 422
    assert not Setting.objects.exists()


def test_a_manager_sees_numbers_but_changes_none(client, store):
    sign_in(client, store, "manager")
    address = reverse("setting", args=["delivery.callback_day"])
    assert client.get(address).status_code == 200
    given = {"value": "2", "starts_on": clock.today().isoformat(), "scope": "store", "reason": "x"}
    assert client.post(address, given).status_code == 403
    assert not Setting.objects.exists()


def test_an_unknown_number_is_not_there(client, store):
    sign_in(client, store, "admin")
    assert client.get(reverse("setting", args=["no.such.number"])).status_code == 404


def test_another_stores_own_value_is_not_shown(client, store):
    sign_in(client, store, "admin")
    other = make_store("SH02")
    services.set_setting(
        key="delivery.callback_day", value=9, starts_on=clock.today(), store=other, reason="秘密", by=machine("t")
    )
    assert "秘密" not in client.get(reverse("setting", args=["delivery.callback_day"])).content.decode()


# messages


@pytest.fixture
def unsent(store):
    message = services.queue_message(
        key="m1",
        store=store,
        channel="SMS",
        recipient="13900005678",
        recipient_name="周示例",
        template="test",
        body="您的车可以取了",
        by=machine("test", store_id=store.pk),
    )
    return services.close_message(
        message=message, state=MessageState.FAILED, reason="gateway said no", by=machine("test", store_id=store.pk)
    )


def test_an_unsent_message_is_seen_and_tried_again(client, store, unsent):
    sign_in(client, store, "care")
    html = client.get(reverse("messages"), {"state": "FAILED"}).content.decode()
    assert "gateway said no" in html
    assert "周示例" in html
    assert "周示例" not in client.get(reverse("messages"), {"state": "SENT"}).content.decode()
    page = client.get(reverse("message", args=[unsent.uid])).content.decode()
    assert "您的车可以取了" in page
    client.post(reverse("message-retry", args=[unsent.uid]))
    unsent.refresh_from_db()
    assert unsent.state == MessageState.QUEUED
    outbox.drain()
    unsent.refresh_from_db()
    assert (unsent.state, unsent.attempts) == (MessageState.MAILBOX, 2)
    # the button is gone and a second press is told why
    assert "message-retry" not in client.get(reverse("message", args=[unsent.uid])).content.decode()
    assert client.post(reverse("message-retry", args=[unsent.uid])).status_code == 422


def test_messages_of_another_store_are_not_there(client, unsent):
    sign_in(client, make_store("SH02"), "care")
    assert "周示例" not in client.get(reverse("messages")).content.decode()
    assert client.get(reverse("message", args=[unsent.uid])).status_code == 404
    assert client.post(reverse("message-retry", args=[unsent.uid])).status_code == 404


def test_messages_are_paged(client, store):
    by = machine("test", store_id=store.pk)
    for n in range(51):
        services.queue_message(
            key=f"p{n}", store=store, channel="SMS", recipient=f"no-{n:02d}-end", template="t", body="x", by=by
        )
    sign_in(client, store, "care")
    first = client.get(reverse("messages"))
    assert "no-50-end" in first.content.decode()
    assert "no-00-end" not in first.content.decode()
    second = client.get(reverse("messages"), {"before": str(first.context["box"].following)})
    assert [message.recipient for message in second.context["box"].messages] == ["no-00-end"]


# approvals


def ask(store, by, amount="500"):
    return services.ask_approval(
        kind="workshop.discount", root=store, store=store, reason="老客户", amount=Decimal(amount), by=by
    )


def test_a_request_reaches_the_deciders_and_is_approved_on_the_phone(client, store):
    advisor, manager = make_employee(store, "advisor"), make_employee(store, "manager")
    manager.phone = "13900001111"
    manager.save(update_fields=["phone"])
    approval = ask(store, actor_for(advisor))
    outbox.drain()
    told = Message.objects.get(template="approval.asked")
    assert told.recipient == "13900001111"
    assert "老客户" in told.body
    client.force_login(manager.user)
    assert "老客户" in client.get(reverse("approvals")).content.decode()
    client.post(reverse("approval", args=[approval.uid]), {"decision": "approve", "answer": "可以"})
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by, approval.answer) == (ApprovalState.APPROVED, manager.user, "可以")
    client.force_login(advisor.user)
    assert "可以" in client.get(reverse("approvals")).content.decode()
    assert client.get(reverse("approval", args=[approval.uid])).status_code == 403


def test_a_no_needs_a_word(client, store):
    approval = ask(store, make_actor(store, "advisor"))
    sign_in(client, store, "manager")
    address = reverse("approval", args=[approval.uid])
    assert client.post(address, {"decision": "refuse", "answer": " "}).status_code == 422
    approval.refresh_from_db()
    assert approval.state == ApprovalState.ASKED
    client.post(address, {"decision": "refuse", "answer": "超过毛利"})
    approval.refresh_from_db()
    assert approval.state == ApprovalState.REFUSED


def test_a_decision_is_refused(store):
    manager, gm = make_actor(store, "manager"), make_actor(store, "gm")
    mine, large = ask(store, manager), None
    refused("approval.four_eyes", services.decide_approval, uid=mine.uid, approve=True, by=manager)
    services.decide_approval(uid=mine.uid, approve=True, by=gm)
    refused("state.move", services.decide_approval, uid=mine.uid, approve=False, by=gm)
    large = ask(store, make_actor(store, "advisor"), "20000.01")
    refused("approval.limit", services.decide_approval, uid=large.uid, approve=True, by=manager)
    with pytest.raises(NotAllowed):
        services.decide_approval(uid=large.uid, approve=True, by=make_actor(store, "advisor"))
    with pytest.raises(ObjectDoesNotExist):
        services.decide_approval(uid=large.uid, approve=True, by=make_actor(make_store("SH02"), "gm"))
    assert Approval.objects.get(uid=large.uid).state == ApprovalState.ASKED
    services.decide_approval(uid=large.uid, approve=True, by=gm)


def test_only_the_asker_takes_a_request_back(client, store):
    advisor = sign_in(client, store, "advisor")
    approval = ask(store, actor_for(advisor))
    refused("approval.not_asker", services.withdraw_approval, uid=approval.uid, by=make_actor(store, "advisor"))
    client.post(reverse("approval-withdraw", args=[approval.uid]))
    approval.refresh_from_db()
    assert approval.state == ApprovalState.WITHDRAWN
    assert client.post(reverse("approval-withdraw", args=[approval.uid])).status_code == 422


@pytest.mark.parametrize(
    ("post", "name"), [("admin", "system"), ("admin", "settings"), ("care", "messages"), ("manager", "approvals")]
)
def test_empty_pages_say_what_to_do(client, store, post, name):
    sign_in(client, store, post)
    page = client.get(reverse(name), {"q": "no-such-thing"} if name == "settings" else {})
    assert page.status_code == 200
    assert 'class="nothing"' in page.content.decode()
