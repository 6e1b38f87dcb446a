"""``manage.py setup_code``: the one-time code of the set-up page, while nobody can sign in yet."""

from typing import Any

from django.core.management.base import BaseCommand

from dealership.exchange.services import setup


class Command(BaseCommand):
    help = "Print the one-time code of the set-up page, while nobody can sign in yet"

    def handle(self, *args: Any, **options: Any) -> None:
        if setup.is_open():
            self.stdout.write(f"Empty system: open /setup/ and use the set-up code {setup.printed_code()}")
