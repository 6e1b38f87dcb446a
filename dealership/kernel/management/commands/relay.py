"""``manage.py relay``: hands what is due in the outbox to the workers, again and again, until it is stopped."""

import signal
import time
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from dealership.kernel import outbox
from dealership.kernel.services import beat

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Hands due outbox rows to the workers. Redis only carries them: an empty Redis loses nothing."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--interval", type=float, default=0.5, help="seconds between looks (default 0.5)")
        parser.add_argument("--once", action="store_true", help="one look only")

    def handle(self, *args: Any, **options: Any) -> None:
        from dealership.kernel.tasks import deliver_outbox

        running = True

        def stop(*_: Any) -> None:
            nonlocal running
            running = False

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        while running:
            sent = 0
            try:
                for outbox_id in outbox.claim_due():
                    deliver_outbox.delay(outbox_id)
                    sent += 1
                beat(name="relay")
            except Exception:
                # The database or Redis is away for a moment: rows stay due and are taken on a later look.
                log.exception("relay.look_failed")
                close_old_connections()
                time.sleep(2)
            if options["once"]:
                return
            if not sent:
                time.sleep(options["interval"])
