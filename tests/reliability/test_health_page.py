"""The page of IT while Redis is gone and while everything is parked; and the relay's and a run's own rules (7.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from dealership.exchange.selectors import health
from dealership.kernel import clock, outbox, registry, services
from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.models import Message, Outbox, PeriodicRun
from dealership.kernel.tasks import PERIODS
from tests.factories.staff import make_employee, make_store

pytestmark = pytest.mark.django_db
GONE = "unix:///nowhere/redis.sock?db=0"


@pytest.fixture
def no_redis(settings: Any) -> None:
    """The cache of the running system, with a Redis that isn't there."""
    settings.REDIS_URL = GONE
    settings.CACHES = {"default": {"BACKEND": "dealership.kernel.cache.ForgivingCache", "LOCATION": GONE}}


def owed(count: int = 1, **fields: Any) -> list[Outbox]:
    store = make_store()
    by = machine("test", store_id=store.pk)
    given = {"store": store, "channel": "SMS", "recipient": "1", "template": "t", "body": "您好", "by": by}
    uids = [services.queue_message(key=f"k{number}", **given).uid for number in range(count)]
    rows = Outbox.objects.filter(root_uid__in=uids, handler="kernel.send_message").order_by("id")
    rows.update(**fields) if fields else None
    return list(rows)


def test_the_page_works_without_redis_and_a_retry_does_too(client: Any, no_redis: None) -> None:
    (row,) = owed(state="PARKED", attempts=8, last_error="OSError: gateway away")
    client.force_login(make_employee(make_store(), "admin").user)
    page = client.get(reverse("system"))
    assert page.status_code == 200
    assert [check.code for check in page.context["troubled"]] == ["broker", "background"]
    assert "gateway away" in page.content.decode()
    again = client.post(reverse("system-retry"), {"event": row.event_id, "handler": row.handler})
    assert again.status_code == 302
    row.refresh_from_db()
    assert (row.state, row.attempts, row.lost) == ("DUE", 0, 0)
    assert client.get(reverse("home"), follow=True).status_code == 200


def test_the_cache_forgets_and_fails_nobody(no_redis: None) -> None:
    assert cache.get("a", 7) == 7
    assert cache.get_many(["a"]) == {}
    assert cache.add("a", 1) is True
    assert cache.incr("a") == 1
    cache.set("a", 1)
    cache.set_many({"a": 1})
    cache.delete("a")
    assert "a" not in cache


def test_the_page_works_with_everything_parked(client: Any) -> None:
    owed(250, state="PARKED", attempts=8, last_error="x")
    client.force_login(make_employee(make_store(), "admin").user)
    page = client.get(reverse("system"))
    assert (page.status_code, page.context["queue"].parked, len(page.context["failed"])) == (200, 250, health.SHOWN)
    assert page.content.decode().count(reverse("system-retry")) == health.SHOWN


def test_what_redis_refuses_is_due_again_at_once() -> None:
    owed(3)
    sent: list[int] = []

    def send(outbox_id: int, attempts: int) -> None:
        if sent:
            raise ConnectionError("gone")
        sent.append(outbox_id)

    with pytest.raises(ConnectionError):
        outbox.hand_over(send)
    assert len(sent) == 1
    due = Outbox.objects.filter(state="DUE", available_at__lte=clock.written_now())
    assert due.count() == Outbox.objects.count() - 1


def test_a_full_redis_gets_no_more() -> None:
    owed(3)
    assert outbox.hand_over(lambda *_: None, waiting=outbox.MOST_CARRIED) == 0
    assert outbox.hand_over(lambda *_: None, waiting=outbox.MOST_CARRIED - 1) == 1


def test_a_message_of_an_earlier_attempt_does_nothing() -> None:
    (row,) = owed()
    Outbox.objects.filter(pk=row.pk).update(attempts=2)
    assert outbox.deliver(row.pk, 1) is False
    assert outbox.deliver(row.pk, 2) is True


def lost(row: Outbox, runs: int = 0) -> None:
    """A run began long ago and never said how it ended."""
    Outbox.objects.filter(pk=row.pk).update(started_at=clock.now() - timedelta(hours=1), lost=runs)


def test_a_run_that_somebody_has_just_begun_is_left_alone() -> None:
    (row,) = owed()
    Outbox.objects.filter(pk=row.pk).update(started_at=clock.now())
    assert outbox.deliver(row.pk) is False
    assert Message.objects.get(uid=row.root_uid).state == "QUEUED"


def test_a_handler_learns_that_an_earlier_run_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = owed()
    seen: list[Event] = []
    monkeypatch.setitem(registry.HANDLERS, row.handler, registry.Handler(row.handler, seen.append))
    lost(row)
    assert outbox.deliver(row.pk) is True
    assert [event.again for event in seen] == [True]


def test_what_may_have_left_is_never_sent_again_by_itself(settings: Any) -> None:
    (row,) = owed()
    settings.APPRISE_TARGETS = ["json://127.0.0.1:1/"]
    lost(row)
    assert outbox.deliver(row.pk) is True
    message = Message.objects.get(uid=row.root_uid)
    assert (message.state, message.reason) == ("UNCERTAIN", "the program died while it was sending")


def test_an_effect_that_ends_its_worker_each_time_is_parked() -> None:
    (row,) = owed()
    lost(row, outbox.LOST_RUNS - 1)
    assert outbox.deliver(row.pk) is False
    row.refresh_from_db()
    assert (row.state, row.started_at) == ("PARKED", None)
    assert "died" in row.last_error


def test_two_beats_do_no_harm() -> None:
    import dealership.process.tasks
    import delivery.tasks
    from reception.tasks import remind

    assert delivery.tasks
    assert dealership.process.tasks
    assert {"reception.remind", "delivery.send_due_surveys", "process.recompute_touched"} <= PERIODS.keys()
    for _beat in range(2):
        remind()
    (run,) = PeriodicRun.objects.filter(job="reception.remind")
    assert run.finished_at is not None
    with clock.moved_to(clock.now() + timedelta(minutes=5)):
        remind()
    assert PeriodicRun.objects.filter(job="reception.remind").count() == 2


class _Consumer:
    """A worker's consumer that hears nothing."""

    hostname = "celery@test"

    def call_soon(self, *_: Any) -> None:
        pass

    def add_task_queue(self, _queue: str) -> None:
        pass


@pytest.mark.parametrize("redis_answers", [True, False])
def test_a_deaf_worker_ends_but_not_for_a_redis_that_is_away(
    monkeypatch: pytest.MonkeyPatch, redis_answers: bool
) -> None:
    from dealership.kernel import pulse

    now = [0.0]
    monkeypatch.setattr(pulse.time, "monotonic", lambda: now[0])

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] > 600:
            raise TimeoutError

    monkeypatch.setattr(pulse.time, "sleep", sleep)
    listening = pulse.Pulse(_Consumer(), silent=60)
    monkeypatch.setattr(listening, "send", lambda: redis_answers)

    def end() -> None:
        raise SystemExit(pulse.ENDED)

    monkeypatch.setattr(listening, "end", end)
    with pytest.raises(SystemExit if redis_answers else TimeoutError):
        listening.run()
    assert (60 < now[0] <= 90) is redis_answers
