"""``manage.py api_client NAME --store CODE --scopes reception:read,reception:write``: credentials, shown once."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dealership.exchange import api, scopes
from dealership.exchange.services.clients import create_api_client
from dealership.kernel.actors import machine
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store, User


def _port() -> str:
    """The port that is named, else that of the running ``make run``, else its own default."""
    running = settings.VAR_DIR / "run" / "port"
    return os.environ.get("PORT") or (running.read_text().strip() if running.exists() else "") or "8000"


class Command(BaseCommand):
    help = "Let another system use the API; prints its id and secret once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="how the client is called in history")
        parser.add_argument(
            "--store",
            action="append",
            default=[],
            help="code of a store it acts in (repeatable); needless with one store",
        )
        parser.add_argument("--scopes", required=True, help="separated by commas: reception:read,reception:write,…")
        parser.add_argument("--acts-for", default="", help="log-in in whose name a device speaks")

    def handle(self, *args: Any, **options: Any) -> None:
        api.load()
        every = list(Store.objects.order_by("code"))
        codes = options["store"] or [store.code for store in every if len(every) == 1]
        if not codes:
            known = ", ".join(store.code for store in every) or "none yet"
            raise CommandError(f"Name a store with --store CODE; there are: {known}.")
        stores = [store for store in every if store.code in codes]
        if missing := set(codes) - {store.code for store in stores}:
            known = ", ".join(store.code for store in every)
            raise CommandError(f"There is no store {', '.join(sorted(missing))}; there are: {known}.")
        person = None
        if options["acts_for"]:
            person = User.objects.filter(username=options["acts_for"]).first()
            if person is None:
                raise CommandError(f"There is no log-in {options['acts_for']}.")
        wanted = [part.strip() for part in options["scopes"].split(",") if part.strip()]
        if unknown := sorted(set(wanted) - scopes.table().keys()):
            known = ", ".join(sorted(code for code in scopes.table() if ":" in code))
            raise CommandError(
                f"There is no scope {', '.join(unknown)}; there are: {known}, and each permission's code."
            )
        try:
            made = create_api_client(
                name=options["name"],
                stores=stores,
                scope=wanted,
                acts_for=person,
                by=machine("manage.py"),
            )
        except RuleError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"client_id:     {made.client_id}")
        self.stdout.write(f"client_secret: {made.client_secret}")
        address = f"http://127.0.0.1:{_port()}/api/v1/oauth/token"
        self.stdout.write("The secret isn't kept in readable form; write it down now. A token for an hour:")
        self.stdout.write(f"  curl -u {made.client_id}:SECRET -d grant_type=client_credentials {address}")
