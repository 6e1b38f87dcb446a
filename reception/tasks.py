"""Background work of chapter 2."""

from celery import shared_task

from .services import appointments


@shared_task(name="reception.remind")
def remind() -> int:
    """Every five minutes: reminders of booked arrivals that are due (2.4)."""
    return appointments.remind_due()


@shared_task(name="reception.prepare")
def prepare() -> int:
    """Every five minutes: the preparation list once its hour has come (2.4)."""
    return appointments.send_preparation_lists()
