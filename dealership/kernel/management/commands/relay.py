"""``manage.py relay``: hands what is due in the outbox to the workers, again and again, until it is stopped."""

import faulthandler
import signal
import time
from importlib import import_module
from typing import Any

import redis
import structlog
from django.conf import settings
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
        import_module(settings.WORK_QUEUE)  # without it tasks would go to Celery's own default, which nobody hears
        from dealership.kernel.tasks import deliver_outbox

        running = True

        def stop(*_: Any) -> None:
            nonlocal running
            running = False

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        broker = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5)
        while running:
            if not options["once"]:
                # A look that hangs ends this process with a traceback; the supervisor starts it again.
                faulthandler.dump_traceback_later(settings.STUCK_SECONDS, exit=True)
            sent = waiting = 0
            try:
                beat(name="relay")
                waiting = broker.llen(settings.CELERY_TASK_DEFAULT_QUEUE)
                sent = outbox.hand_over(deliver_outbox.delay, waiting=waiting)
            except Exception:
                # The database or Redis is away for a moment: rows stay due and are taken on a later look.
                log.exception("relay.look_failed")
                close_old_connections()
                time.sleep(min(2, settings.OUTBOX_RESEND_SECONDS))
            if options["once"]:
                return
            if not sent:
                time.sleep(options["interval"] if waiting < outbox.MOST_CARRIED else 0.1)
        faulthandler.cancel_dump_traceback_later()
