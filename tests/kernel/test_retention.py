"""7.1: what the frame forgets after its time, at its setting's day exactly, and only that."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from dealership.celery import NIGHTLY
from dealership.kernel import clock, limits, retention, tasks
from dealership.kernel.models import IdempotencyRecord, Outbox, OutboxState, Setting, Submission

pytestmark = pytest.mark.django_db


def days_ago(days: float):
    return clock.written_now() - timedelta(days=days)


def answer(days: float) -> str:
    made = IdempotencyRecord.objects.create(client="c", key=str(uuid4()), fingerprint="f", status=201, body="")
    IdempotencyRecord.objects.filter(pk=made.pk).update(created_at=days_ago(days))
    return made.key


def form_token(days: float):
    made = Submission.objects.create(token=uuid4(), location="/")
    Submission.objects.filter(pk=made.pk).update(created_at=days_ago(days))
    return made.token


def effect(state: str, days: float, number: int) -> int:
    Outbox.objects.create(
        event_id=number,
        event_at=days_ago(days),
        code="x",
        handler="h",
        root_uid=uuid4(),
        state=state,
        available_at=days_ago(days),
        done_at=days_ago(days) if state == OutboxState.DONE else None,
    )
    return number


def test_what_outlived_its_setting_goes_and_nothing_else():
    answer(30.1), form_token(14.1), effect(OutboxState.DONE, 90.1, 1)
    kept_answer, kept_token = answer(29.9), form_token(13.9)
    kept_effects = [effect(OutboxState.DONE, 89.9, 2), effect(OutboxState.PARKED, 400, 3), effect("DUE", 400, 4)]
    assert retention.prune() == {"answers": 1, "form_tokens": 1, "effects": 1}
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == [kept_answer]
    assert list(Submission.objects.values_list("token", flat=True)) == [kept_token]
    assert sorted(Outbox.objects.values_list("event_id", flat=True)) == kept_effects
    assert retention.prune() == {"answers": 0, "form_tokens": 0, "effects": 0}


def test_the_time_is_a_setting():
    token = form_token(3)
    tasks.prune()
    assert Submission.objects.filter(token=token).exists()
    Setting.objects.create(key=retention.KEEP_FORM_TOKENS_DAYS, value=2, starts_on=clock.today())
    limits.forget()
    tasks.prune()
    assert not Submission.objects.filter(token=token).exists()


def test_many_rows_go_in_steps(monkeypatch):
    monkeypatch.setattr(retention, "STEP", 2)
    for _number in range(5):
        form_token(20)
    assert retention.prune()["form_tokens"] == 5


def test_ended_sessions_go():
    live, ended = SessionStore(), SessionStore()
    for store in (live, ended):
        store["a"] = 1
        store.save()
    Session.objects.filter(pk=ended.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    retention.prune()
    assert list(Session.objects.values_list("pk", flat=True)) == [live.session_key]


def test_both_prunings_run_every_night():
    named = set(NIGHTLY)
    assert {"kernel.prune", "exchange.prune"} <= named
