"""Background work of chapter 1."""

from dealership.kernel.tasks import periodic

from .services.rollup import recompute_touched


@periodic("process.recompute_touched", seconds=60)
def recompute_touched_days() -> int:
    """Every minute: figures of the days that events have touched."""
    return recompute_touched()
