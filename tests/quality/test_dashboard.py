"""6.2: the dashboard adds up, says what it lacks, and opens to managers only."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from dealership.kernel import clock
from dealership.process.models import KpiValue
from quality.selectors.dashboard import advisors, heat, period, sparkline, tiles
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
