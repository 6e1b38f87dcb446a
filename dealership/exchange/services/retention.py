"""What other systems and imports leave behind is forgotten after its time (7.2, 7.3)."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from oauth2_provider.models import clear_expired

from dealership.exchange import events
from dealership.exchange.limits import IMPORT_ROWS_DAYS
from dealership.exchange.models import ImportBatch, ImportState
from dealership.exchange.services.imports import abandon_preview
from dealership.kernel import clock, limits
from dealership.kernel.actors import machine
from dealership.kernel.history import record

ENDED = (ImportState.DONE, ImportState.UNDONE, ImportState.FAILED)


def prune() -> int:
    """Drops expired tokens and the personal data of imports that ended long ago; returns how many imports. Safe twice.

    A preview that nobody confirmed in that time is discarded first.
    """
    clear_expired()
    return sum(_empty(batch_id) for batch_id in _outlived())


def _outlived() -> list[int]:
    rows = ImportBatch.objects.exclude(summary__has_key="emptied_at").values_list("id", "store_id", "updated_at")
    now = clock.written_now()
    return [
        batch_id
        for batch_id, store_id, at in rows.order_by("id")
        if at < now - timedelta(days=limits.value(IMPORT_ROWS_DAYS, store_id=store_id))
    ]


@transaction.atomic
def _empty(batch_id: int) -> bool:
    """Empties the rows of one import: what was read, planned and overwritten; kinds, counts and reasons stay.

    From then on the import can't be undone (``import.undo_too_late``). False where it is still at work.
    """
    batch = ImportBatch.objects.locked().get(pk=batch_id)
    by = machine("retention", store_id=batch.store_id)
    if batch.state == ImportState.PREVIEW:
        abandon_preview(batch, by=by)
    if batch.state not in ENDED or "emptied_at" in batch.summary:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exchange_importrow SET raw = '{}', plan = '{}', written = '{}', notes = COALESCE("
            "(SELECT jsonb_agg(n - 'value') FROM jsonb_array_elements(notes) AS n), '[]') WHERE batch_id = %s",
            [batch.pk],
        )
        rows = cursor.rowcount
    batch.summary |= {"emptied_at": clock.now().isoformat()}
    batch.save(update_fields=["summary"])
    record(batch, events.IMPORT_EMPTIED, by=by, rows=rows)
    return True
