"""6.2: the dashboard adds up, says what it lacks, and opens to managers only."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from dealership.kernel import clock
from dealership.process.models import KpiValue
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from quality.selectors.dashboard import Standing, advisors, heat, period, sparkline, standing, tiles
from tests.factories.delivery import make_ready, make_team, make_visit
from tests.factories.kernel import make_actor, make_store, make_user


def value(store, code, numerator, denominator, day, dimension=""):
    KpiValue.objects.create(
        store=store, code=code, day=day, dimension=dimension, numerator=Decimal(numerator),
        denominator=Decimal(denominator),
    )  # fmt: skip


@pytest.mark.django_db
def test_the_empty_dashboard_says_so_and_who_may_not_is_refused():
    store, client = make_store(), Client()
    client.force_login(make_user("manager", store=store))
    page = client.get("/dashboard/")
    assert page.status_code == 200
    assert "Not enough days yet" in page.content.decode() or "天数还不够" in page.content.decode()
    client.force_login(make_user("technician", store=store))
    assert client.get("/dashboard/").status_code == 403


@pytest.mark.django_db
def test_tiles_compare_with_the_period_before():
    store = make_store()
    first, last = period("week")
    value(store, "delivery.on_time", 9, 10, last)
    value(store, "delivery.on_time", 8, 10, first - timedelta(days=1))
    tile = next(
        t for t in tiles(make_actor("manager", store=store), first, last) if t.reading.figure.code.endswith("on_time")
    )
    assert (tile.reading.value, tile.change, tile.better) == (Decimal("90.0"), Decimal("10.0"), True)


@pytest.mark.django_db
def test_advisors_and_the_rest_add_up_to_the_store():
    store, today = make_store(), clock.today()
    uid = "11111111-1111-4111-8111-111111111111"
    value(store, "reception.cars_in", 12, 12, today)
    value(store, "reception.cars_in", 9, 9, today, uid)
    rows = advisors(make_actor("manager", store=store), today, today)
    assert [(r["uid"], r["cars_in"].value) for r in rows] == [(uid, 9), ("", 3)]


@pytest.mark.django_db
def test_the_heat_of_arrivals_is_a_mean_per_weekday_and_hour():
    store, today = make_store(), clock.today()
    for weeks, cars in ((0, 4), (1, 2)):
        value(store, "reception.arrivals_by_hour", cars, cars, today - timedelta(days=7 * weeks), "h09")
    row = heat(make_actor("manager", store=store), today)["rows"][today.weekday()]
    assert row["cells"] == [{"mean": Decimal("3.0"), "shade": 5}]


@pytest.mark.django_db
def test_a_figures_page_shows_formula_and_days():
    store, client = make_store(), Client()
    client.force_login(make_user("manager", store=store))
    value(store, "delivery.on_time", 9, 10, clock.today())
    page = client.get("/figures/delivery.on_time/").content.decode()
    assert "90" in page
    assert client.get("/figures/no.such/").status_code == 404


def test_a_line_needs_two_days():
    assert sparkline([]) == ""


@pytest.mark.django_db
def test_the_head_says_what_stands_in_the_shop_and_what_is_not_paid_yet():
    team = make_team()
    midnight = datetime.combine(clock.today(team.store.time_zone), time(), tzinfo=ZoneInfo(team.store.time_zone))
    make_visit(team)
    make_visit(team, arrived_at=midnight - timedelta(minutes=1))
    make_visit(team, arrived_at=midnight - timedelta(days=2, minutes=1))
    assert standing(team.manager) == Standing(2, 1, Decimal(0))
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    assert standing(team.advisor).receivable == 0  # not signed: nothing is owed yet
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    assert standing(team.advisor).receivable == settlement.total
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("10.00"), by=team.cashier)
    assert standing(team.advisor).receivable == settlement.total - 10
