"""Background tasks of the kernel. Ids as arguments; safe to run twice."""

from celery import shared_task

from . import outbox, retention
from .services import beat


@shared_task(name="kernel.deliver_outbox")
def deliver_outbox(outbox_id: int) -> None:
    """Runs the handler of one outbox row; a second delivery of the same message finds it done."""
    outbox.deliver(outbox_id)


@shared_task(name="kernel.heartbeat")
def heartbeat() -> None:
    """Shows that beat plans and a worker works."""
    beat(name="worker")


@shared_task(name="kernel.prune")
def prune() -> None:
    """Forgets stored answers, form tokens and done effects that have outlived their settings."""
    retention.prune()
