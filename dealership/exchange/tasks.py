"""Background tasks of chapter 7. Ids as arguments; safe to run twice."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from dealership.kernel.tasks import periodic

from .models import ImportState
from .selectors import imports as reads
from .services import imports, retention


@shared_task(name="exchange.work_import")
def work_import(uid: str) -> None:
    """Does what an import waits for: read, write or undo it."""
    batch = reads.any_import(uid=UUID(uid))
    if batch is None:
        return
    if batch.state == ImportState.READING:
        imports.read_import(uid=batch.uid)
    elif batch.state == ImportState.WRITING:
        imports.write_import(uid=batch.uid)
    elif batch.state == ImportState.DONE:
        imports.undo_asked(uid=batch.uid)


@periodic("exchange.resume_imports", seconds=30)
def resume_imports() -> int:
    """Takes up imports whose worker died: nothing moved for a minute."""
    still = reads.standing_still()
    for uid in still:
        work_import.delay(str(uid))
    return len(still)


@shared_task(name="exchange.prune")
def prune() -> None:
    """Drops expired tokens and the personal data of imports that ended long ago."""
    retention.prune()
