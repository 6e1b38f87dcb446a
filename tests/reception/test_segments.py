"""RFM tiers and customers who may be lost: worked out from visits and spending, idempotent, shown and filterable (2.3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import Store
from dealership.kernel.services import set_setting
from reception import tasks
from reception.models import Customer
from reception.services import segments
from reception.services.merging import merge_customers
from reception.services.segments import recompute_segments
from reception.services.visits import leave_unserved
from tests.factories.api import ApiCaller
from tests.factories.kernel import make_user
from tests.factories.reception import make_customer, make_visit
from tests.factories.staff import make_actor, make_store

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def store() -> Store:
    return make_store("BJ01")


@pytest.fixture
def desk(store: Store):
    return make_actor(store, "receptionist")


def come(customer: Customer, desk, *days_ago: int):
    visit = None
    for days in days_ago:
        with clock.moved_to(NOON - timedelta(days=days)):
            visit = make_visit(desk, customer_uid=customer.uid)
    return visit


def stands(customer: Customer) -> tuple[str, str, date | None, bool]:
    customer.refresh_from_db()
    return customer.tier, customer.rfm, customer.last_visit_on, customer.lost_risk


def run(at: datetime = NOON) -> int:
    with clock.moved_to(at):
        return recompute_segments()


def test_tiers_follow_from_visits_and_the_second_run_changes_nothing(desk, monkeypatch) -> None:
    never, fresh, lost, regular, unserved = (make_customer() for _ in range(5))
    come(fresh, desk, 60)
    come(lost, desk, 900, 181)
    come(regular, desk, 700, 600, 500, 400, 300, 200, 100, 0)
    with clock.moved_to(NOON):
        leave_unserved(uid=come(unserved, desk, 0).uid, reason="x", by=desk)
    spent = {regular.pk: Decimal("10000.00"), lost.pk: Decimal("499.99")}
    monkeypatch.setattr(segments, "SPENT", [lambda first, last, since: spent])
    assert run() == 3
    assert stands(never) == stands(unserved) == ("", "", None, False)
    assert stands(fresh) == ("C", "511", (NOON - timedelta(days=60)).date(), False)
    assert stands(lost) == ("D", "211", (NOON - timedelta(days=181)).date(), True)
    assert stands(regular) == ("A", "555", NOON.date(), False)
    versions = dict(Customer.objects.values_list("pk", "version"))
    assert run() == 0
    assert dict(Customer.objects.values_list("pk", "version")) == versions


def test_time_alone_makes_a_customer_one_who_may_be_lost(desk) -> None:
    customer = make_customer()
    come(customer, desk, 0)
    run()
    assert run(NOON + timedelta(days=180)) == 1
    assert not stands(customer)[3]
    assert run(NOON + timedelta(days=181)) == 1
    assert stands(customer)[3]
    come(customer, desk, -182)
    assert run(NOON + timedelta(days=182)) == 1
    assert stands(customer) == ("C", "521", (NOON + timedelta(days=182)).date(), False)


def test_the_numbers_are_settings(desk) -> None:
    customer = make_customer()
    come(customer, desk, 40)
    by = machine("tests")
    with clock.moved_to(NOON):
        set_setting(key="reception.lost_customer_days", value=30, starts_on=NOON.date(), by=by)
        set_setting(key="reception.tier_scores", value=[7, 6, 5], starts_on=NOON.date(), by=by)
    run()
    assert stands(customer)[0::3] == ("A", True)


def test_what_both_paid_counts_after_a_merge_and_the_merged_one_is_left_alone(desk, store: Store) -> None:
    kept, merged = make_customer(), make_customer()
    come(merged, desk, 10)
    merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=make_actor(store, "manager"))
    assert run() == 1
    assert stands(kept)[:2] == ("C", "511")
    assert stands(merged) == ("", "", None, False)


def test_the_task_runs_it_in_batches_and_misses_nobody(desk, monkeypatch) -> None:
    people = [make_customer() for _ in range(5)]
    for person in people:
        come(person, desk, 1)
    monkeypatch.setattr(segments, "BATCH", 2)
    with clock.moved_to(NOON):
        assert tasks.recompute_segments() == 5
    assert Customer.objects.filter(tier="C", rfm="511").count() == 5


def test_segments_are_shown_and_filtered_on_page_and_api(client: Client, desk, store: Store) -> None:
    fresh, lost = make_customer(name="常客"), make_customer(name="久未来")
    come(fresh, desk, 1)
    come(lost, desk, 300)
    run()
    client.force_login(make_user("manager", store=store))

    def found(segment: str) -> list[str]:
        page = client.get(reverse("customers"), {"segment": segment}).context["page"]
        assert page.counts[""] == len(page.rows)
        return [row.name for row in page.rows]

    assert (found("LOST"), found("C"), found("A"), found("")) == (["久未来"], ["常客"], [], ["久未来", "常客"])
    assert found("'; DROP") == ["久未来", "常客"]
    shown = client.get(reverse("customer-detail", args=[lost.uid])).content.decode()
    assert "最近到店 2 分、到店次数 1 分、消费 1 分" in shown
    assert "可能流失" in shown
    program = ApiCaller("reception:read", store=store)
    rows = program.get("customers?lost_risk=true").json()["data"]
    assert [(row["uid"], row["tier"], row["rfm"], row["lost_risk"]) for row in rows] == [
        (str(lost.uid), "D", "211", True)
    ]
    assert len(program.get("customers?tier=C").json()["data"]) == 1


def test_the_database_refuses_a_tier_without_its_scores(refused) -> None:
    customer = make_customer()
    for columns in (
        "tier = 'A'",
        "rfm = '555'",
        "tier = 'E', rfm = '555', last_visit_on = '2026-01-01'",
        "lost_risk = true",
    ):
        with refused("customer_tier_has_scores") as sql:
            sql(f"UPDATE reception_customer SET {columns} WHERE id = %s", [customer.pk])
