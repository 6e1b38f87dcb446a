"""The work queue. The outbox in PostgreSQL decides what is due; Redis only carries it.

The schedule is code: each periodic task names its seconds where it is defined (``kernel.tasks.periodic``) and takes a
unique row (job, period) before it works, so that two beats do no harm. Each worker listens to itself: one that hears
nothing ends, and its supervisor starts it again (``kernel/pulse.py``).
"""

import faulthandler
import os
import sys
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, before_task_publish, worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dealership.settings")

app = Celery("dealership")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

HEARTBEAT = "kernel.heartbeat"
HEARTBEAT_SECONDS = 15.0
# what is done once a night, in hours of the settings' CELERY_TIMEZONE
NIGHTLY = {"kernel.prune": crontab(hour=3, minute=20), "exchange.prune": crontab(hour=3, minute=40)}


@app.on_after_finalize.connect
def write_schedule(sender: Celery, **_: object) -> None:
    """The heartbeat and every task that ``periodic`` has declared."""
    from dealership.kernel.tasks import PERIODS

    sender.loader.import_default_modules()
    pace = settings.SCHEDULE_PACE
    sender.conf.beat_schedule = {
        HEARTBEAT: {"task": HEARTBEAT, "schedule": HEARTBEAT_SECONDS / pace},
        **{name: {"task": name, "schedule": max(seconds / pace, 1.0)} for name, seconds in sorted(PERIODS.items())},
        **{name: {"task": name, "schedule": when} for name, when in NIGHTLY.items()},
    }


_in_beat = False


@beat_init.connect
def watch_beat(**_: object) -> None:
    """A beat that stops planning ends with a traceback, and the supervisor starts it again."""
    global _in_beat
    _in_beat = True
    _watch()


def _watch() -> None:
    # Celery puts a logger in the place of sys.stderr, which has no file to write a traceback to.
    faulthandler.dump_traceback_later(settings.STUCK_SECONDS, exit=True, file=sys.__stderr__ or 2)


@before_task_publish.connect(sender=HEARTBEAT)
def note_beat(**_: object) -> None:
    """Beat shows that it is alive as it plans the worker's sign of life; Celery logs it where the database is away."""
    from django.db import Error, connection

    from dealership.kernel.services import beat

    if _in_beat:
        _watch()
    try:
        beat(name="beat")
    except Error:
        connection.close()  # the next sign of life opens a new one
        raise


@worker_ready.connect
def watch_worker(sender: Any, **_: object) -> None:
    from dealership.kernel.pulse import listen

    listen(sender, silent=settings.WORKER_SILENT_SECONDS)
