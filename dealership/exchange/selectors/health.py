"""Whether the system can serve and works off what it owes (7.1): for machines and for the health page of IT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min, Q
from django.utils.translation import gettext_lazy as _

from dealership.exchange.limits import BEAT_SECONDS, QUEUE_MINUTES
from dealership.kernel import clock, limits, registry
from dealership.kernel.actors import Actor
from dealership.kernel.models import Heartbeat, Outbox, OutboxState

PROCESSES = {
    "relay": _("Relay: sends what is owed to the workers"),
    "worker": _("Worker: does what is owed"),
    "beat": _("Beat: starts what is due by the clock"),
}
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One question with its answer; ``detail`` is for people and names no secret."""

    code: str
    label: Any
    ok: bool
    detail: Any = ""


@dataclass(frozen=True, slots=True)
class Beat:
    """When a process was last alive (UTC); ``age`` in whole seconds, None where it never was."""

    name: str
    label: Any
    at: datetime | None
    age: int | None
    ok: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """What the outbox owes; ``oldest`` is the age of the oldest row that is due, in seconds."""

    due: int
    waiting: int
    parked: int
    oldest: int
    late: bool


def _database() -> tuple[bool, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return True, f"PostgreSQL {cursor.fetchone()[0].split()[0]}"


def _migrations() -> tuple[bool, Any]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not missing, _("all applied") if not missing else ", ".join(str(m[0]) for m in missing[:5])


def _broker() -> tuple[bool, Any]:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        version = client.info("server")["redis_version"]
    finally:
        client.close()
    return True, f"Redis {version}"


def _beats() -> tuple[bool, Any]:
    silent = [beat.name for beat in heartbeats() if not beat.ok]
    return not silent, ", ".join(silent)


QUESTIONS: dict[str, tuple[Any, Callable[[], tuple[bool, Any]]]] = {
    "database": (_("Database"), _database),
    "migrations": (_("Tables of the database"), _migrations),
    "broker": (_("Redis"), _broker),
    "background": (_("Background processes"), _beats),
}


def readiness() -> list[Check]:
    """All answers; a question that can't be answered is answered with no. Never raises."""
    answers = []
    for code, (label, ask) in QUESTIONS.items():
        try:
            ok, detail = ask()
        except Exception as exc:  # the point is to say what is wrong, whatever it is
            ok, detail = False, type(exc).__name__
        answers.append(Check(code, label, ok, detail))
    return answers


def heartbeats() -> list[Beat]:
    """Relay, worker and beat with the age of their last sign of life."""
    seen = dict(Heartbeat.objects.values_list("name", "at"))
    longest, now = limits.value(BEAT_SECONDS), clock.written_now()
    beats = []
    for name, label in PROCESSES.items():
        at = seen.get(name)
        age = None if at is None else max(int((now - at).total_seconds()), 0)
        beats.append(Beat(name, label, at, age, age is not None and age <= longest))
    return beats


def queue() -> Queue:
    """The whole installation's outbox; rows that wait for a later attempt count as ``waiting``, not as due."""
    now = clock.written_now()
    counts = Outbox.objects.exclude(state=OutboxState.DONE).aggregate(
        due=Count("id", filter=Q(state=OutboxState.DUE, available_at__lte=now)),
        waiting=Count("id", filter=Q(state=OutboxState.DUE, available_at__gt=now)),
        parked=Count("id", filter=Q(state=OutboxState.PARKED)),
        oldest=Min("available_at", filter=Q(state=OutboxState.DUE, available_at__lte=now)),
    )
    oldest = int((now - counts["oldest"]).total_seconds()) if counts["oldest"] else 0
    late = timedelta(seconds=oldest) > timedelta(minutes=limits.value(QUEUE_MINUTES))
    return Queue(counts["due"], counts["waiting"], counts["parked"], oldest, late)


def failed_events(by: Actor) -> list[dict[str, Any]]:
    """Effects that failed at least once and are still owed: parked first, then those that will be tried again."""
    rows = Outbox.objects.filter(Q(state=OutboxState.PARKED) | Q(state=OutboxState.DUE, attempts__gt=0))
    if by.store_ids is not None:
        rows = rows.filter(Q(store_id__in=by.store_ids) | Q(store_id__isnull=True))
    return [
        {
            "row": row,
            "label": registry.EVENTS[row.code].label if row.code in registry.EVENTS else row.code,
            "parked": row.state == OutboxState.PARKED,
        }
        for row in rows.order_by("-state", "available_at", "id")[:SHOWN]
    ]
