"""6.2: the dashboard adds up, says what it lacks, and opens to managers only."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.templatetags.shell import plate_text
from dealership.process.figures import FIGURES
from dealership.process.models import KpiValue
from dealership.process.selectors import figures
from dealership.process.selectors.figures import rows_behind, store_day
from delivery.models import SurveyDimension
from delivery.services.followups import answer_survey, send_survey
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from quality.selectors.dashboard import Standing, advisors, heat, period, sparkline, standing, tiles
from quality.services.complaints import open_complaint, respond_complaint
from reception.services.visits import leave_unserved, rate_reception
from tests.factories.delivery import make_ready, make_team, make_visit
from tests.factories.departed import make_departed
from tests.factories.floor import clock_at
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_visit as make_arrival
from tests.factories.staff import make_actor as make_staff_actor
from tests.factories.workshop import link_actor


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
    assert row["cells"] == [{"hour": "h09", "mean": Decimal("3.0"), "shade": 5}]


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


# --- from a figure to what it counted (6.2) ---------------------------------------------------------------------------


def counted(code, store, day):
    """Numerator and denominator of one store-day by the figure's own SQL."""
    start, end = store_day(store, day)
    with connection.cursor() as cursor:
        cursor.execute(
            FIGURES[code].sql, {"store_id": store.pk, "day_start": start, "day_end": end, "now": clock.now()}
        )
        rows = {str(d or ""): (Decimal(n or 0), Decimal(m or 0)) for d, n, m in cursor.fetchall()}
    return rows


@pytest.fixture
def shop(db):
    """A day on which a car went the whole way, one left unserved, one didn't come, and somebody complained."""
    house, order = make_departed()
    visit = order.visit
    link = link_actor(order)
    with clock_at(17):
        rate_reception(uid=visit.uid, rating=4, by=link)
        send_survey(visit_uid=visit.uid, by=machine("test"))
        answer_survey(visit_uid=visit.uid, scores=dict.fromkeys(SurveyDimension.values, 3), recommend=9, by=link)
        gone = make_arrival(house.advisor, plate="京B22222")
        leave_unserved(uid=gone.uid, reason="等太久", by=house.advisor)
        care = make_staff_actor(order.store, "care")
        complaint = open_complaint(
            customer_uid=visit.customer.uid, description="等", source="PHONE", visit_uid=visit.uid, by=care
        )
        respond_complaint(uid=complaint.uid, words="已致电", by=care)
    return order


def test_every_figure_is_the_sum_of_its_rows(shop):
    by = machine("test", store_id=shop.store.pk)
    empty = set()
    with clock_at(18):
        days = [clock.today() + timedelta(days=n) for n in range(-1, 5)]  # the callback is due three days later
    for code in FIGURES:
        seen = 0
        for day in days:
            for dimension, expected in ({"": (Decimal(0), Decimal(0))} | counted(code, shop.store, day)).items():
                behind = rows_behind(by, code, day, day, dimension=dimension or None)
                found = (round(behind.numerator, 6), round(behind.denominator, 6))
                assert found == (round(expected[0], 6), round(expected[1], 6)), (code, day, dimension)
                seen += behind.count
        if not seen:
            empty.add(code)
    # nobody booked or asked anything, nothing was added, no time was promised, no area was looked at on that day;
    # tests/reception shows these with their rows
    assert empty == {
        "reception.no_show",
        "reception.moved_by_shop",
        "reception.answered_in_time",
        "reception.answers_cited",
        "reception.opened_in_time",
        "reception.standard_kept",
        "workshop.additions_agreed",
        "workshop.efficiency",  # the clock of that day ran for no time; tests/workshop/test_labour_figures.py
        "workshop.tools_in_time",  # tests/workshop/test_tools.py
        "delivery.on_time",
        "delivery.internal_cost",  # tests/workshop/test_goodwill.py
    }


def test_a_figure_leads_to_its_rows_with_plate_and_link(shop):
    client = Client()
    client.force_login(make_staff_actor(shop.store, "manager").user)
    with clock_at(18):
        page = client.get("/figures/delivery.cars_out/?period=day").content.decode()
        assert f'href="/visits/{shop.visit.uid}/"' in page
        assert plate_text(shop.vehicle.plate) in page
        money = client.get(f"/figures/delivery.revenue/?period=day&who={shop.advisor.uid}").content.decode()
        assert f'href="/orders/{shop.uid}/"' in money
        nobody = client.get("/figures/delivery.revenue/?period=day&who=nobody")
        assert nobody.context["behind"].count == 0
        other = client.get(f"/figures/delivery.cars_out/?day={clock.today() - timedelta(days=1)}")
        assert (other.context["behind"].count, other.context["first"]) == (0, clock.today() - timedelta(days=1))
        for odd in ("day=x", "day=9999-12-31", "page=0", "page=x", "page=99", "period=year", "who="):
            assert client.get(f"/figures/delivery.cars_out/?{odd}").status_code == 200, odd


def test_another_stores_rows_are_not_there(shop):
    by = make_actor("manager", store=make_store())
    with clock_at(18):
        assert rows_behind(by, "reception.cars_in", clock.today(), clock.today()).count == 0


def test_long_lists_come_in_pages(shop, monkeypatch):
    monkeypatch.setattr(figures, "ROWS_SHOWN", 1)
    by = machine("test", store_id=shop.store.pk)
    with clock_at(18):
        first, second = (rows_behind(by, "reception.cars_in", clock.today(), clock.today(), page=n) for n in (1, 2))
    assert (first.count, first.more, second.more) == (2, True, False)
    assert first.rows[0].at > second.rows[0].at
