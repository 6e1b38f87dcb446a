"""The work queue. The outbox in PostgreSQL decides what is due; Redis only carries it.

The schedule is code. An entry names an idempotent task; two beats do no harm, because a periodic run takes a unique
row (job, period) before it works.
"""

import os

from celery import Celery
from celery.schedules import crontab, schedule
from celery.signals import before_task_publish

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dealership.settings")

app = Celery("dealership")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# name → task, when (hours of the settings' CELERY_TIMEZONE), arguments
SCHEDULE: dict[str, tuple[str, crontab | schedule, tuple[int | str, ...]]] = {
    "heartbeat": ("kernel.heartbeat", schedule(15.0), ()),
    "imports": ("exchange.resume_imports", schedule(30.0), ()),
    "surveys": ("delivery.send_due_surveys", schedule(300.0), ()),
    "figures": ("process.recompute_touched", schedule(60.0), ()),
    "prune": ("kernel.prune", crontab(hour=3, minute=20), ()),
    "prune-exchange": ("exchange.prune", crontab(hour=3, minute=40), ()),
    "reminders": ("reception.remind", crontab(minute="*/5"), ()),
    "preparation": ("reception.prepare", crontab(minute="*/5"), ()),
}
app.conf.beat_schedule = {
    name: {"task": task, "schedule": when, "args": args} for name, (task, when, args) in SCHEDULE.items()
}


@before_task_publish.connect(sender="kernel.heartbeat")
def note_beat(**_: object) -> None:
    """Beat shows that it is alive as it plans the worker's sign of life; Celery logs it where the database is away."""
    from django.db import Error, connection

    from dealership.kernel.services import beat

    try:
        beat(name="beat")
    except Error:
        connection.close()  # the next sign of life opens a new one
        raise
