"""The relay: takes what is due from the outbox, runs its handler once, backs off and parks what keeps failing (1.1)."""

from __future__ import annotations

import traceback
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction

from . import clock, registry
from .history import Event
from .models import History, Outbox, OutboxState

log = structlog.get_logger(__name__)
BACK_OFF_SECONDS = (5, 30, 120, 600, 1800, 3600, 7200)


def claim_due(*, limit: int = 200) -> list[int]:
    """Ids of rows that are due, each pushed ahead by the resend interval so that a lost message is sent again."""
    with transaction.atomic():
        ids = list(
            Outbox.objects.filter(state=OutboxState.DUE, available_at__lte=clock.written_now())
            .order_by("available_at", "id")
            .select_for_update(skip_locked=True)
            .values_list("id", flat=True)[:limit]
        )
        if ids:
            again = clock.written_now() + timedelta(seconds=settings.OUTBOX_RESEND_SECONDS)
            Outbox.objects.filter(id__in=ids).update(available_at=again)
    return ids


def deliver(outbox_id: int) -> bool:
    """Runs the handler of one row and marks it done in the same transaction; True when this call did it.

    Safe to call any number of times at once: the row is locked, a done row is left alone. A failing handler leaves its
    error, the next attempt's time and, after the last, the parked state where a person sees it.
    """
    try:
        with transaction.atomic():
            row = Outbox.objects.select_for_update(skip_locked=True).filter(id=outbox_id, state=OutboxState.DUE).first()
            if row is None:
                return False
            handler = registry.HANDLERS[row.handler]
            handler.run(_event(row))
            Outbox.objects.filter(id=row.id).update(
                state=OutboxState.DONE, done_at=clock.now(), attempts=row.attempts + 1, last_error=""
            )
            return True
    except Exception as exc:
        log.warning("outbox.failed", outbox_id=outbox_id, error=repr(exc))
        _note_failure(outbox_id, exc)
        return False


def _event(row: Outbox) -> Event:
    line = History.objects.get(id=row.event_id, at=row.event_at)
    return Event(line.id, line.at, line.code, line.root_type, line.root_uid, line.store_id, line.facts, line.changed)


def _note_failure(outbox_id: int, exc: Exception) -> None:
    with transaction.atomic():
        row = Outbox.objects.select_for_update().filter(id=outbox_id, state=OutboxState.DUE).first()
        if row is None:
            return
        row.attempts += 1
        row.last_error = "".join(traceback.format_exception_only(exc)).strip()[:2000]
        if row.attempts > len(BACK_OFF_SECONDS):
            row.state = OutboxState.PARKED
        else:
            row.available_at = clock.written_now() + timedelta(seconds=BACK_OFF_SECONDS[row.attempts - 1])
        row.save(update_fields=["attempts", "last_error", "state", "available_at"])


def drain(*, rounds: int = 50) -> int:
    """Runs everything that is due in this process until nothing is; the simulator and tests use it. Returns how many."""
    done = 0
    for _round in range(rounds):
        ids = claim_due()
        if not ids:
            return done
        done += sum(deliver(i) for i in ids)
    return done


def retry(outbox_id: int) -> None:
    """Makes a parked row due again (the button on the health page)."""
    with transaction.atomic():
        row = Outbox.objects.select_for_update().get(id=outbox_id, state=OutboxState.PARKED)
        row.state, row.attempts, row.available_at = OutboxState.DUE, 0, clock.written_now()
        row.save(update_fields=["state", "attempts", "available_at"])
