"""Loading the demo: one process at a time, and what a killed run began is gone on with, not begun again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from dealership.catalogue.models import PartReplacement
from dealership.exchange.services import demo
from dealership.exchange.services.demo_stories import tell_stories
from dealership.exchange.services.simulator import Shop, Simulation
from dealership.exchange.services.simulator_words import MENDED
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import PeriodicRun, Store
from delivery.models import GatePass, Settlement
from delivery.selectors.sales import unsettled_sales
from reception.models import Visit
from tests.conftest import owner_sql
from tests.factories.kernel import make_store
from workshop.accident_models import AccidentCase
from workshop.call_models import TechnicianCall
from workshop.campaign_models import Campaign, CampaignVehicle
from workshop.claim_models import StatutoryClaim
from workshop.day_six_models import DaySixCare
from workshop.models import CounterSale, OrderLine, PurchaseOrder
from workshop.old_part_models import OldPart
from workshop.package_models import OrderPackage
from workshop.selectors.fitness import needs_two
from workshop.trial_models import PartTrial
from workshop.warranty_claim_models import WarrantyClaim

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 6, 17, tzinfo=SHANGHAI)
DAYS = [date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)]


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, settings, tmp_path) -> Iterator[None]:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(demo, "DAYS", len(DAYS))
    monkeypatch.setattr(demo, "CARS_A_DAY", {"BJ01": 4})
    monkeypatch.setattr(demo, "QUIET_DAYS", {"BJ01": 3})
    monkeypatch.setattr(demo, "STORIES_IN", "")
    stores = demo.make_demo_stores
    monkeypatch.setattr(demo, "make_demo_stores", lambda count: stores(count=1))
    with clock.moved_to(EVENING):
        yield


def kill_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run dies after so many steps, between a command and what the relay would have done for it."""
    left = iter(range(steps))
    deliver = Simulation.deliver_due

    def die(self: Simulation) -> None:
        if next(left, None) is None:
            raise Killed
        deliver(self)

    monkeypatch.setattr(Simulation, "deliver_due", die)


def planned(until: datetime) -> list[tuple[datetime, datetime | None]]:
    """What the seed lays out for the days, up to the end of the run."""
    store = Store.objects.get()

    def cars(day: date) -> int:
        return 4 if (until.astimezone(UTC).date() - day).days < 2 else 3

    plan = Simulation([store], seed=4 + DAYS[0].toordinal(), cars_a_day=cars)
    shop: Shop = plan.shops[0]
    return [found for day in DAYS for found in plan.arrivals(shop, day) if found[0] <= until]


def test_a_run_that_was_killed_three_times_goes_on_and_no_car_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in (4, 30, 25):
        with monkeypatch.context() as patch:
            kill_after(steps, patch)
            with pytest.raises(Killed):
                call_command("demo", stdout=StringIO())
        assert demo.begun_days() == DAYS
        assert demo.missing_days(clock.today()) == DAYS, "what was begun is not done"
    out = StringIO()
    call_command("demo", stdout=out)
    assert "cars" in out.getvalue()
    assert demo.begun_days() == demo.missing_days(clock.today()) == []

    plan = planned(EVENING)
    visits = list(Visit.objects.order_by("arrived_at"))
    walk_ins = Counter(visit.arrived_at for visit in visits if visit.appointment_id is None)
    laid_out = Counter(arrival for arrival, booked_at in plan if booked_at is None)
    assert walk_ins - laid_out == Counter(), "each walk-in comes when it was laid out, once"
    assert sum((laid_out - walk_ins).values()) <= 3, "at most the one that came in the very minute of a kill is missing"
    booked = Counter(v.arrived_at.astimezone(SHANGHAI).date() for v in visits if v.appointment_id is not None)
    asked = Counter(arrival.astimezone(SHANGHAI).date() for arrival, booked_at in plan if booked_at is not None)
    assert all(booked[day] <= asked[day] for day in booked)
    assert len(visits) >= len(plan) * 0.6
    inside: dict[int, Visit] = {}
    for visit in visits:  # by arrival: a car that comes back on the same day has left before
        before_it = inside.get(visit.vehicle_id)
        assert before_it is None or (before_it.left_at and before_it.left_at <= visit.arrived_at), visit
        inside[visit.vehicle_id] = visit

    before = len(visits), PeriodicRun.objects.count()
    call_command("demo", stdout=StringIO())
    assert (Visit.objects.count(), PeriodicRun.objects.count()) == before


def test_a_later_start_adds_the_days_since_and_a_booking_that_nobody_kept_is_a_no_show(monkeypatch) -> None:
    monkeypatch.setattr(demo, "DAYS", 1)
    call_command("demo", stdout=StringIO())
    earlier = set(Visit.objects.values_list("pk", flat=True))
    with clock.moved_to(EVENING + timedelta(days=1)):
        assert demo.missing_days(clock.today()) == [date(2026, 3, 7)]
        call_command("demo", stdout=StringIO())
        added = Visit.objects.exclude(pk__in=earlier)
        assert {v.arrived_at.astimezone(SHANGHAI).date() for v in added} == {date(2026, 3, 7)}
        assert demo.missing_days(clock.today()) == []


def test_a_newcomer_finds_one_of_each_rare_thing_at_work() -> None:
    """The stories alone, in a shop without other cars: nothing is refused, and each thing stands where it is tried."""
    demo.load_stores()
    store, today = Store.objects.get(), clock.today()
    simulation = Simulation([store], seed=4, cars_a_day=lambda _day: 0)
    tell_stories(simulation, simulation.shops[0], today)
    morning = EVENING.replace(hour=10, minute=40)
    report = simulation.run(today + timedelta(days=1), today, morning)
    assert set(report.refusals) <= {"dispatch.off_duty"}, "nobody was on duty in the evening; nothing else was refused"
    case = AccidentCase.objects.get()
    assert list(case.assessments.order_by("number").values_list("state", flat=True)) == ["AGREED", "ASKED"]
    assert {campaign.kind for campaign in Campaign.objects.all()} == {"RECALL", "CAMPAIGN"}
    assert Visit.objects.filter(state="IN_SHOP", vehicle__vin__in=CampaignVehicle.objects.values("vin")).count() == 2
    assert StatutoryClaim.objects.get().state == "OPEN"
    assert DaySixCare.objects.get().kind == "LOAN_CAR"
    assert PartTrial.objects.get().state == "OUT"
    assert TechnicianCall.objects.get().state == "OPEN"
    assert Visit.objects.get(vehicle__plate="京A88876").orders.get().stage == "INSPECTION"
    assert Settlement.objects.get(order__vehicle__plate="京A88886").state == "SIGNED"
    assert GatePass.objects.get(visit__vehicle__plate="京A88896").out_at is None
    volts = OrderLine.objects.get(order__vehicle__plate="京AD88866")
    assert (volts.state, needs_two(volts), volts.dispatches.exists()) == ("AUTHORIZED", True, False)
    assert OrderPackage.objects.get().order.customer.kind == "COMPANY"
    assert set(PartReplacement.objects.values_list("kind", flat=True)) == {"SUCCESSOR", "STAND_IN"}
    assert PurchaseOrder.objects.filter(state="ORDERED", expected_on=today + timedelta(days=1)).exists()
    with clock.moved_to(morning):
        assert len(unsettled_sales(machine("tests", store_id=store.pk))) == 1
    assert CounterSale.objects.filter(sold_at__gt=morning - timedelta(hours=3)).count() == 2
    maker = WarrantyClaim.objects.get(order__vehicle__plate="京A88846")
    line = maker.lines.get().line
    assert (line.order.complaint, line.cause, line.correction) == MENDED["CH-30"]
    assert OldPart.objects.filter(disposition="MAKER", state="KEPT", line=line).exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_loader_waits_for_the_first() -> None:
    """The lock is held by another connection; the command waits for it (here no longer than 100 ms) and writes nothing."""
    other = owner_sql(connection.settings_dict["NAME"])
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [demo.LOCK])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        out = StringIO()
        with pytest.raises(OperationalError) as refused:
            call_command("demo", stdout=out)
        assert isinstance(refused.value.__cause__, psycopg2.errors.LockNotAvailable)
        assert "Another process is loading the demo" in out.getvalue()
        assert not Store.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        with demo.one_at_a_time(lambda: pytest.fail("nobody holds it any more")), other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [demo.LOCK])
            assert cursor.fetchone() == (False,), "and now it is held here"
    finally:
        other.close()
        connection.close()


def test_a_dealership_that_is_no_demo_is_left_alone() -> None:
    make_store()
    with pytest.raises(CommandError, match="not the demo"):
        call_command("demo", stdout=StringIO())
    with pytest.raises(CommandError, match="not the demo"):
        call_command("simulate", stdout=StringIO())
    assert Store.objects.count() == 1
