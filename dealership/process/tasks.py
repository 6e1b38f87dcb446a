"""Background work of chapter 1."""

from celery import shared_task

from .services.rollup import recompute_touched


@shared_task(name="process.recompute_touched")
def recompute_touched_days() -> int:
    """Every minute: figures of the days that events have touched."""
    return recompute_touched()
