"""6.1, 6.2: figures keep numerator and denominator, and only touched days are computed again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, outbox, registry
from dealership.process.clauses import CHAPTERS, CLAUSES, screens_of
from dealership.process.figures import FIGURES, TOUCH_HANDLER, Figure
from dealership.process.models import KpiTouchedDay, KpiValue
from dealership.process.selectors.figures import Reading, by_day, by_dimension, read
from dealership.process.services.rollup import recompute_day, recompute_touched, store_day, touch
from tests.factories.kernel import make_actor, make_store, make_user

DAY = date(2026, 11, 20)


@pytest.fixture
def counted(monkeypatch):
    """A figure of the tests: messages of the day that were sent, of all messages of the day."""
    sql = """
        SELECT '', count(*) FILTER (WHERE state = 'SENT'), count(*) FROM kernel_message
        WHERE store_id = %(store_id)s AND created_at >= %(day_start)s AND created_at < %(day_end)s
        UNION ALL SELECT template, count(*) FILTER (WHERE state = 'SENT'), count(*) FROM kernel_message
        WHERE store_id = %(store_id)s AND created_at >= %(day_start)s AND created_at < %(day_end)s GROUP BY template
    """
    figure = Figure("test.sent", "Sent", "1.3", "%", "sent ÷ all", "messages", sql, scale=100, target=Decimal(95))
    monkeypatch.setattr("dealership.process.figures.FIGURES", {"test.sent": figure})
    for module in ("services.rollup", "selectors.figures"):
        monkeypatch.setattr(f"dealership.process.{module}.FIGURES", {"test.sent": figure})
    return figure


def message(store, key, at, state="QUEUED"):
    from dealership.kernel.models import Message

    row = Message.objects.create(store=store, key=key, channel="SMS", recipient="1", template=key[0], body="x")
    if state != "QUEUED":
        row.state = state
        row.save()
    Message.objects.filter(pk=row.pk).update(created_at=at)


@pytest.mark.django_db
def test_a_day_of_a_store_is_counted_in_the_stores_own_time(counted):
    store = make_store()
    by = make_actor("manager", store=store)
    midnight_before = datetime(2026, 11, 19, 15, 59, tzinfo=UTC)  # 23:59 the day before in Shanghai
    message(store, "a0", midnight_before, "SENT")
    message(store, "a1", datetime(2026, 11, 19, 16, 0, tzinfo=UTC), "SENT")
    message(store, "b1", datetime(2026, 11, 20, 15, 59, tzinfo=UTC))
    message(store, "b2", datetime(2026, 11, 20, 16, 0, tzinfo=UTC))
    recompute_day(store_id=store.pk, day=DAY)
    reading = read(by, "test.sent", DAY, DAY)
    assert (reading.numerator, reading.denominator, reading.value) == (1, 2, Decimal("50.0"))
    assert reading.on_target is False
    assert [(r.dimension, r.value) for r in by_dimension(by, "test.sent", DAY, DAY)] == [
        ("a", Decimal("100.0")), ("b", Decimal("0.0")),
    ]  # fmt: skip


@pytest.mark.django_db
def test_recomputing_gives_the_same_rows_and_a_day_without_population_has_none(counted):
    store = make_store()
    message(store, "a1", datetime(2026, 11, 20, 3, tzinfo=UTC), "SENT")
    for _again in range(2):
        recompute_day(store_id=store.pk, day=DAY)
    assert KpiValue.objects.filter(dimension="").count() == 1
    recompute_day(store_id=store.pk, day=date(2026, 11, 21))
    assert not KpiValue.objects.filter(day=date(2026, 11, 21)).exists()
    empty = read(make_actor("manager", store=store), "test.sent", date(2026, 11, 21), date(2026, 11, 21))
    assert (empty.value, empty.on_target) == (None, None)


@pytest.mark.django_db
def test_only_touched_days_are_computed_and_another_store_sees_nothing(counted):
    store, other = make_store(), make_store()
    at = datetime(2026, 11, 20, 3, tzinfo=UTC)
    message(store, "a1", at)
    touch(store_id=store.pk, at=at)
    touch(store_id=store.pk, at=at)
    assert KpiTouchedDay.objects.count() == 1
    assert recompute_touched() == 1
    assert recompute_touched() == 0
    assert len(by_day(make_actor("manager", store=store), "test.sent", DAY, DAY)) == 1
    assert by_day(make_actor("manager", store=other), "test.sent", DAY, DAY) == []


@pytest.mark.django_db
def test_an_event_touches_its_day_through_the_outbox(monkeypatch):
    from dealership.kernel.actors import machine
    from dealership.kernel.services import queue_message

    monkeypatch.setitem(registry.SUBSCRIPTIONS, "kernel.message.queued", [TOUCH_HANDLER])
    store = make_store()
    with clock.moved_to(datetime(2026, 11, 20, 3, tzinfo=UTC)):
        queue_message(key="k", store=store, channel="SMS", recipient="1", template="t", body="b", by=machine("test"))
        outbox.drain()
    assert list(KpiTouchedDay.objects.values_list("store_id", "day")) == [(store.pk, DAY)]


@pytest.mark.django_db
def test_many_events_mark_their_days_in_one_go_and_a_failure_is_left_to_single_runs(monkeypatch):
    from dealership.kernel.actors import machine
    from dealership.kernel.models import Outbox
    from dealership.kernel.services import queue_message

    monkeypatch.setitem(registry.SUBSCRIPTIONS, "kernel.message.queued", [TOUCH_HANDLER])
    store, other = make_store(), make_store()
    with clock.moved_to(datetime(2026, 11, 20, 3, tzinfo=UTC)):
        for key, place in (("a", store), ("b", store), ("c", other)):
            queue_message(
                key=key, store=place, channel="SMS", recipient="1", template="t", body="b", by=machine("test")
            )
        ids = list(Outbox.objects.values_list("id", flat=True))
        handler = registry.HANDLERS[TOUCH_HANDLER]

        def breaks(events):
            handler.run_many(events)
            raise RuntimeError("in the middle")

        monkeypatch.setitem(registry.HANDLERS, TOUCH_HANDLER, registry.Handler(TOUCH_HANDLER, handler.run, breaks))
        assert outbox.deliver_together(ids) == ids
        assert (KpiTouchedDay.objects.count(), set(Outbox.objects.values_list("state", flat=True))) == (0, {"DUE"})
        assert outbox.deliver_all(ids[:1]) == 1, "alone it goes through"
        monkeypatch.setitem(registry.HANDLERS, TOUCH_HANDLER, handler)
        assert outbox.deliver_together(ids) == ids[:1], "what is done already isn't done again"
    assert set(Outbox.objects.values_list("state", "attempts")) == {("DONE", 1)}
    assert set(KpiTouchedDay.objects.values_list("store_id", "day")) == {(store.pk, DAY), (other.pk, DAY)}


def test_a_day_has_24_hours_at_the_store():
    from dealership.kernel.models import Store

    start, end = store_day(Store(time_zone="Asia/Shanghai"), DAY)
    assert (start.isoformat(), end.isoformat()) == ("2026-11-19T16:00:00+00:00", "2026-11-20T16:00:00+00:00")


def test_sums_add_up_and_ratios_divide():
    cars = Figure("x", "", "1.1", "", "", "", "", sums=True, decimals=0)
    assert Reading(cars, Decimal(7), Decimal(7)).value == 7
    share = Figure("x", "", "1.1", "", "", "", "", scale=100, decimals=1)
    assert Reading(share, Decimal(2), Decimal(3)).value == Decimal("66.7")


def test_every_clause_of_the_manual_is_there_in_order():
    numbers = list(CLAUSES)
    assert len(numbers) == 36
    assert sorted(numbers, key=lambda n: [int(p) for p in n.split(".")]) == numbers
    assert {clause.chapter for clause in CLAUSES.values()} == set(CHAPTERS) == set(range(1, 9))
    assert all(figure.clause in CLAUSES for figure in FIGURES.values())


@pytest.mark.django_db
def test_the_manual_page_lists_every_clause_and_says_what_comes_later():
    store = make_store()
    client = Client()
    client.force_login(make_user("manager", store=store))
    page = client.get("/manual/").content.decode()
    for number in CLAUSES:
        assert f'id="clause-{number}"' in page


def test_every_screen_of_a_clause_leads_somewhere():
    shown = {name for number in CLAUSES for name, _label in screens_of(number)}
    assert shown
    for name in shown:
        assert reverse(name).startswith("/")
