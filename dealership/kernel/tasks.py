"""Background tasks of the kernel. Ids as arguments; safe to run twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.conf import settings

from . import clock, outbox, retention
from .services import beat, end_period, take_period

KEPT = 2000  # periods of each job that stay to be looked at
PERIODS: dict[str, int] = {}  # task → seconds between its runs, read by the schedule in dealership/celery.py


def periodic(name: str, *, seconds: int) -> Callable[[Callable[[], int]], Any]:
    """A task that the schedule starts every so many seconds, once per period however many beats there are.

    A run takes the unique row (job, period) and returns how much it did; a second run of the same period returns 0.
    A run that dies leaves its period taken: the next one looks for what is due then, so nothing waits longer.
    """
    PERIODS[name] = seconds

    def register(run: Callable[[], int]) -> Any:
        def once() -> int:
            every = max(seconds / settings.SCHEDULE_PACE, 1)
            number = int(clock.written_now().timestamp() // every)
            period = take_period(job=name, period=f"{number:015d}", drop_before=f"{number - KEPT:015d}")
            if period is None:
                return 0
            done = run()
            end_period(period)
            return done

        once.__doc__ = run.__doc__
        once.__name__, once.__module__ = run.__name__, run.__module__
        return shared_task(name=name)(once)

    return register


@shared_task(name="kernel.deliver_outbox")
def deliver_outbox(outbox_id: int, attempts: int | None = None) -> None:
    """Runs the handler of one outbox row; a second delivery of the same message finds it done."""
    outbox.deliver(outbox_id, attempts)


@shared_task(name="kernel.heartbeat")
def heartbeat() -> None:
    """Shows that beat plans and a worker works."""
    beat(name="worker")


@shared_task(name="kernel.prune")
def prune() -> None:
    """Forgets stored answers, form tokens and done effects that have outlived their settings."""
    retention.prune()


@shared_task(name="kernel.pulse")
def pulse() -> None:
    """What a worker sends to itself: that it arrives is all it has to do."""
