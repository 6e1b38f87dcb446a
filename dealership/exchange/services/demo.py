"""The demo dealership: its stores, its last days, and what is added on later starts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.db import transaction

from dealership.catalogue.seeds import seed_store
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import PeriodicRun, Store
from workshop.models import CertificateRange
from workshop.services.inspections import allot_certificates
from workshop.services.stock import stock_up

from .demo_store import make_demo_stores
from .simulator import Report, Simulation

JOB, MARK = "demo", "database"
DAYS = 14
CARS_A_DAY = {"BJ01": 12, "NH02": 3}
QUIET_DAYS = {"BJ01": 4, "NH02": 1}
"""Cars a day of the last two days, and of the days before: the first start must not take long."""


class NotADemo(Exception):
    """The database holds a dealership that isn't the demo; nothing is simulated into it."""


def mark_demo() -> None:
    """Marks an empty database as a demo, or raises NotADemo."""
    if PeriodicRun.objects.filter(job=JOB, period=MARK).exists():
        return
    with transaction.atomic():
        if Store.objects.exists():
            raise NotADemo("This database holds a dealership that is not the demo. Use an empty database.")
        PeriodicRun.objects.create(job=JOB, period=MARK)


def done_days() -> set[date]:
    """The days that are in the demo already."""
    periods = PeriodicRun.objects.filter(job=JOB, finished_at__isnull=False).exclude(period=MARK)
    return {date.fromisoformat(period) for period in periods.values_list("period", flat=True)}


def missing_days(today: date) -> list[date]:
    """The days that the demo lacks up to today, oldest first: two weeks at first, later the days since."""
    done = done_days()
    first = max(done) + timedelta(days=1) if done else today - timedelta(days=DAYS - 1)
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def equip(stores: list[Store]) -> None:
    """Prices, opening stock and certificate numbers, where a store has none yet."""
    for store in stores:
        by = machine("demo", store_id=store.pk)
        seed_store(store)
        stock_up(store=store, by=by)
        if not CertificateRange.objects.filter(store=store).exists():
            first = store.pk * 100_000 + 1
            allot_certificates(prefix="京HG", first=first, last=first + 4999, by=by)


def load_stores(*, count: int = 2) -> list[Store]:
    """The stores of the demo with their people, prices and stock, made once and topped up."""
    mark_demo()
    stores = make_demo_stores(count=count)
    equip(stores)
    return stores


def forget_unfinished() -> None:
    """Days that an interrupted run has begun and not finished are loaded again."""
    PeriodicRun.objects.filter(job=JOB, finished_at__isnull=True).exclude(period=MARK).delete()


def load_days(days: list[date], *, seed: int = 4, progress: Callable[[datetime], None] | None = None) -> Report | None:
    """Simulates the cars of ``days`` up to now; each day is marked, so that nothing is loaded twice."""
    if not days:
        return None
    with transaction.atomic():
        taken = [day for day in days if PeriodicRun.objects.get_or_create(job=JOB, period=day.isoformat())[1]]
    if not taken:
        return None
    until = clock.now()
    report = Report()
    for code, cars in CARS_A_DAY.items():
        store = Store.objects.get(code=code)
        quiet = QUIET_DAYS[code]

        def a_day(day: date, cars: int = cars, quiet: int = quiet) -> int:
            return cars if (until.date() - day).days < 2 else quiet

        ran = Simulation([store], seed=seed + taken[0].toordinal(), cars_a_day=a_day).run(
            taken[0], taken[-1], until, resume=True, progress=progress
        )
        report.cars += ran.cars
        report.steps += ran.steps
        report.refusals += ran.refusals
    PeriodicRun.objects.filter(job=JOB, period__in=[day.isoformat() for day in taken]).update(finished_at=until)
    return report
