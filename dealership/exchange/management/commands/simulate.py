"""``manage.py simulate --days N --stores S --seed K``: runs a dealership through the commands, on the moved clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dealership.exchange.services.demo import NotADemo, load_stores, mark_demo
from dealership.exchange.services.simulator import Simulation
from dealership.kernel import clock


class Command(BaseCommand):
    help = "Runs stores for some days through the same commands a person uses. Refuses a database that isn't a demo."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--days", type=int, default=3)
        parser.add_argument("--stores", type=int, default=1)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--cars", type=int, default=14, help="cars a day and store")
        parser.add_argument("--start", type=date.fromisoformat, help="first day (default: so that the last is today)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            mark_demo()
        except NotADemo as refusal:
            raise CommandError(str(refusal)) from None
        days = options["days"]
        if days < 1 or options["stores"] < 1 or options["cars"] < 1:
            raise CommandError("--days, --stores and --cars are at least 1.")
        first = options["start"] or clock.today() - timedelta(days=days - 1)
        last = first + timedelta(days=days - 1)
        start = datetime.combine(first - timedelta(days=1), time(0), UTC)
        with clock.moved_to(start):
            stores = load_stores(count=options["stores"])
        until = datetime.combine(last, time(16), UTC)
        simulation = Simulation(stores, seed=options["seed"], cars_a_day=lambda _day: options["cars"])
        report = simulation.run(first, last, until)
        self.stdout.write(f"{report.cars} cars, {report.steps} steps")
        for code, times in report.refusals.most_common():
            self.stdout.write(f"  refused {times} × {code}")
