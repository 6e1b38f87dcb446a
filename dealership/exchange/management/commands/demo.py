"""``manage.py demo``: the demo dealership with its last days, once; later calls add the days since."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dealership.exchange.services.demo import NotADemo, load_days, load_stores, missing_days, one_at_a_time
from dealership.kernel import clock


class Command(BaseCommand):
    help = "Loads the demo dealership with its last two weeks, or tops it up to today."

    def handle(self, *args: Any, **options: Any) -> None:
        with one_at_a_time(lambda: self.stdout.write("Another process is loading the demo; waiting for it …")):
            self.load()

    def load(self) -> None:
        try:
            load_stores()
        except NotADemo as refusal:
            raise CommandError(str(refusal)) from None
        days = missing_days(clock.today())
        if not days:
            return
        begin, total = days[0], max(1, len(days))

        shown: date | None = None

        def progress(at: datetime) -> None:
            nonlocal shown
            if not self.stdout.isatty():  # a file gets a line a day instead of a bar that moves
                if shown != at.date():
                    self.stdout.write(f"  demo {at:%Y-%m-%d}")
                shown = at.date()
                return
            part = min(1.0, ((at.date() - begin).days + at.hour / 24) / total)
            filled = round(part * 30)
            self.stdout.write(f"\r  demo {'#' * filled}{'.' * (30 - filled)} {at:%Y-%m-%d}", ending="")
            self.stdout.flush()

        report = load_days(days, progress=progress)
        if report is not None:
            bar = f"\r  demo {'#' * 30}" if self.stdout.isatty() else "  demo"
            self.stdout.write(f"{bar} {report.cars} cars, {report.steps} steps")
