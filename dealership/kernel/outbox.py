"""The relay: takes what is due from the outbox, runs its handler once, backs off and parks what keeps failing (1.1).

The database decides; Redis only carries numbers of rows. A run says in a transaction of its own that it begins
(``started_at``), then works and marks the row done in one transaction. A run that never said how it ended is begun
again; its handler is told (``Event.again``), because an effect outside may have happened.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from . import clock, registry
from .history import Event
from .models import History, Outbox, OutboxState

log = structlog.get_logger(__name__)
BACK_OFF_SECONDS = (5, 30, 120, 600, 1800, 3600, 7200)
LOST_RUNS = 20  # so many runs that ended without a word park a row: it may be what ends them
MOST_CARRIED = 200  # so many messages wait in Redis at most: more would not be worked off sooner, only sent again


class NotYet(Exception):
    """A handler says that its effect is owed later: at ``at`` (aware). Neither an attempt nor a failure."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.at = at


def claim(*, limit: int = 200) -> list[tuple[int, int]]:
    """(id, attempts so far) of due rows, each pushed ahead by the resend interval: a lost message is sent again."""
    with transaction.atomic():
        rows = list(
            Outbox.objects.filter(state=OutboxState.DUE, available_at__lte=clock.written_now())
            .order_by("available_at", "id")
            .select_for_update(skip_locked=True)
            .values_list("id", "attempts")[:limit]
        )
        if rows:
            again = clock.written_now() + timedelta(seconds=settings.OUTBOX_RESEND_SECONDS)
            Outbox.objects.filter(id__in=[row[0] for row in rows]).update(available_at=again)
    return rows


def claim_due(*, limit: int = 200) -> list[int]:
    """Ids of due rows, claimed."""
    return [row[0] for row in claim(limit=limit)]


def hand_over(send: Callable[[int, int], object], *, waiting: int = 0) -> int:
    """Gives what is due to ``send(id, attempts)``; returns how many went. What can't be sent is due again at once.

    ``waiting`` is how many messages Redis carries already: no more than it can hold usefully are added.
    """
    if waiting >= MOST_CARRIED:
        return 0
    rows = claim(limit=min(200, MOST_CARRIED - waiting))
    sent = 0
    try:
        for outbox_id, attempts in rows:
            send(outbox_id, attempts)
            sent += 1
    except Exception:
        unsent = [row[0] for row in rows[sent:]]
        Outbox.objects.filter(id__in=unsent, state=OutboxState.DUE).update(available_at=clock.written_now())
        raise
    return sent


def deliver(outbox_id: int, attempts: int | None = None) -> bool:
    """Runs the handler of one row and marks it done in the same transaction; True when this call did it.

    Safe to call any number of times at once: a done row is left alone, a row that somebody else has just begun too, and
    a message sent for an earlier attempt (``attempts``) is out of date. A failing handler leaves its error, the next
    attempt's time and, after the last, the parked state where a person sees it.
    """
    begun = _begin(outbox_id, attempts)
    if begun is None:
        return False
    started_at, again = begun
    try:
        with transaction.atomic():
            # Somebody who took this for a lost run meanwhile has put another time here: then it is no longer ours.
            row = (
                Outbox.objects.select_for_update(skip_locked=True)
                .filter(id=outbox_id, state=OutboxState.DUE, started_at=started_at)
                .first()
            )
            if row is None:
                return False
            handler = registry.HANDLERS[row.handler]
            handler.run(_event(row, again))
            Outbox.objects.filter(id=row.id).update(
                state=OutboxState.DONE, done_at=clock.now(), attempts=row.attempts + 1, last_error=""
            )
            return True
    except NotYet as later:
        wait = max(later.at - clock.now(), timedelta(0))
        due = Outbox.objects.filter(id=outbox_id, state=OutboxState.DUE, started_at=started_at)
        due.update(started_at=None, available_at=clock.written_now() + wait)
        return False
    except Exception as exc:
        log.warning("outbox.failed", outbox_id=outbox_id, error=repr(exc))
        _note_failure(outbox_id, exc)
        return False


_BEGIN = """
UPDATE kernel_outbox SET started_at = clock_timestamp(), lost = lost + (started_at IS NOT NULL)::int
WHERE id = %(id)s RETURNING started_at
"""


def _begin(outbox_id: int, attempts: int | None) -> tuple[datetime, bool] | None:
    """Says that a run begins; (its mark, whether an earlier run was lost), None where there is nothing to run."""
    with transaction.atomic():
        row = Outbox.objects.select_for_update(skip_locked=True).filter(id=outbox_id, state=OutboxState.DUE).first()
        if row is None or (attempts is not None and row.attempts != attempts):
            return None
        with connection.cursor() as cursor:
            if row.started_at is not None:
                # Between its two transactions a run holds no lock; that moment is its own.
                cursor.execute("SELECT clock_timestamp() - %s", [row.started_at])
                if cursor.fetchone()[0] < timedelta(seconds=min(10, settings.OUTBOX_RESEND_SECONDS)):
                    return None
                if row.lost + 1 >= LOST_RUNS:
                    row.state, row.started_at = OutboxState.PARKED, None
                    row.last_error = f"{LOST_RUNS} runs ended without a word: whoever ran this effect died."
                    row.save(update_fields=["state", "started_at", "last_error"])
                    log.error("outbox.parked", outbox_id=outbox_id, error=row.last_error)
                    return None
            cursor.execute(_BEGIN, {"id": outbox_id})
            return cursor.fetchone()[0], row.started_at is not None


def deliver_together(ids: list[int]) -> list[int]:
    """Runs what may be done many at once (``Handler.run_many``) in one transaction; returns the ids that are left.

    What fails here, was begun before or is held by somebody else is left to ``deliver``, which knows how to back off.
    """
    names = [name for name, handler in registry.HANDLERS.items() if handler.run_many is not None]
    mine = Q(id__in=ids, state=OutboxState.DUE, handler__in=names, started_at=None, attempts=0)
    try:
        with transaction.atomic():
            rows = list(Outbox.objects.select_for_update(skip_locked=True).filter(mine).order_by("id"))
            if not rows:
                return ids
            hours = [row.event_at for row in rows]
            lines = History.objects.filter(
                id__in=[row.event_id for row in rows], at__gte=min(hours), at__lte=max(hours)
            ).in_bulk()
            events: dict[str, list[Event]] = {}
            for row in rows:
                events.setdefault(row.handler, []).append(_said(lines[row.event_id], again=False))
            for name, many in events.items():
                run_many = registry.HANDLERS[name].run_many
                assert run_many is not None
                run_many(many)
            done = {row.id for row in rows}
            Outbox.objects.filter(id__in=done).update(
                state=OutboxState.DONE, started_at=clock.written_now(), done_at=clock.now(), attempts=1, last_error=""
            )
    except Exception:
        log.exception("outbox.together_failed", rows=len(ids))
        return ids
    return [each for each in ids if each not in done]


def _event(row: Outbox, again: bool) -> Event:
    return _said(History.objects.get(id=row.event_id, at=row.event_at), again=again)


def _said(line: History, *, again: bool) -> Event:
    return Event(
        line.id, line.at, line.code, line.root_type, line.root_uid, line.store_id, line.facts, line.changed, again
    )


def _note_failure(outbox_id: int, exc: Exception) -> None:
    with transaction.atomic():
        row = Outbox.objects.select_for_update().filter(id=outbox_id, state=OutboxState.DUE).first()
        if row is None:
            return
        row.attempts += 1
        row.started_at = None
        row.last_error = "".join(traceback.format_exception_only(exc)).strip()[:2000]
        if row.attempts > len(BACK_OFF_SECONDS):
            row.state = OutboxState.PARKED
        else:
            row.available_at = clock.written_now() + timedelta(seconds=BACK_OFF_SECONDS[row.attempts - 1])
        row.save(update_fields=["attempts", "started_at", "last_error", "state", "available_at"])


def drain(*, rounds: int = 50) -> int:
    """Runs everything that is due in this process until nothing is; the simulator and tests use it. Returns how many."""
    done = 0
    for _round in range(rounds):
        ids = claim_due()
        if not ids:
            return done
        done += deliver_all(ids)
    return done


def deliver_all(ids: list[int]) -> int:
    """Runs these rows in this process, marks first and together; returns how many are done."""
    left = deliver_together(ids)
    return len(ids) - len(left) + sum(deliver(each) for each in left)


def retry(outbox_id: int) -> None:
    """Makes a parked row due again (the button on the health page)."""
    with transaction.atomic():
        make_due(Outbox.objects.select_for_update().get(id=outbox_id, state=OutboxState.PARKED))


def make_due(row: Outbox) -> None:
    """Makes a locked row due at once, with all its attempts before it."""
    row.state, row.attempts, row.lost, row.available_at = OutboxState.DUE, 0, 0, clock.written_now()
    row.save(update_fields=["state", "attempts", "lost", "available_at"])
