"""What the frame itself forgets after its time: stored answers, used form tokens, done effects, ended sessions (7.1).

The registers of the trade (orders, consents, history) are not touched here: their time is the archive's (8.4).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from . import clock, limits
from .models import IdempotencyRecord, Outbox, OutboxState, Submission
from .registry import limit

KEEP_ANSWERS_DAYS = limit(
    "kernel.keep_answers_days",
    30,
    "d",
    _("Days for which the API gives a stored answer again"),
    clause="7.3",
    source="design",
)
KEEP_FORM_TOKENS_DAYS = limit(
    "kernel.keep_form_tokens_days",
    14,
    "d",
    _("Days for which a form sent twice is known"),
    clause="7.1",
    source="design",
)
KEEP_EFFECTS_DAYS = limit(
    "kernel.keep_effects_days",
    90,
    "d",
    _("Days for which a done effect of an event is kept"),
    clause="7.1",
    source="design",
)
STEP = 5000


def drop_in_steps(table: str, key: str, where: str, values: list[datetime | str]) -> int:
    """Deletes rows in short transactions, so that nobody waits for a long one; returns how many.

    ``table``, ``key`` and ``where`` are our own words, ``values`` fill the placeholders of ``where``.
    """
    dropped = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT "{key}" FROM "{table}" WHERE {where}'  # noqa: S608
                f" LIMIT {STEP} FOR UPDATE SKIP LOCKED)",
                values,
            )
            gone = cursor.rowcount
        dropped += gone
        if gone < STEP:
            return dropped


def before(key: str) -> datetime:
    """Rows written before this moment have outlived the setting ``key``."""
    return clock.written_now() - timedelta(days=limits.value(key))


def prune() -> dict[str, int]:
    """Forgets what has outlived its setting; returns table → rows. Safe to run twice and beside another run."""
    found = {
        "answers": drop_in_steps(
            IdempotencyRecord._meta.db_table, "id", "created_at < %s", [before(KEEP_ANSWERS_DAYS)]
        ),
        "form_tokens": drop_in_steps(
            Submission._meta.db_table, "token", "created_at < %s", [before(KEEP_FORM_TOKENS_DAYS)]
        ),
        "effects": drop_in_steps(
            Outbox._meta.db_table,
            "id",
            "state = %s AND done_at < %s",
            [OutboxState.DONE, before(KEEP_EFFECTS_DAYS)],
        ),
    }
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return found
