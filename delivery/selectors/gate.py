"""The gate: who may leave, who is out and should come back, what went through today (4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor

from .. import rules
from ..models import GatePass, GatePassKind


@dataclass(slots=True)
class Gate:
    """``waiting`` may leave now, ``outside`` should come back, ``recent`` went through in the last twelve hours."""

    waiting: list[GatePass]
    outside: list[GatePass]
    recent: list[GatePass]


def pass_with_code(typed: str, *, by: Actor) -> QuerySet[GatePass]:
    """The store's pass with a scanned or typed code; earlier passes carry longer codes that are taken to the letter."""
    return GatePass.objects.for_actor(by).filter(code__in={typed.strip(), rules.read_gate_code(typed)})


def gate(*, by: Actor) -> Gate:
    """Everything the guard looks at."""
    now = clock.now()
    passes = list(
        GatePass.objects.for_actor(by)
        .filter(cancelled_at__isnull=True)
        .filter(
            Q(out_at__isnull=True, expires_at__gt=now)
            | Q(out_at__isnull=False, back_at__isnull=True, kind__in=COMES_BACK)
            | Q(out_at__gte=now - timedelta(hours=12))
        )
        .select_related("visit__vehicle", "visit__customer", "issued_by")
        .order_by("-issued_at", "-pk")
    )
    return Gate(
        waiting=[p for p in passes if p.out_at is None],
        outside=[p for p in passes if p.out_at and not p.back_at and p.kind in COMES_BACK],
        recent=sorted(
            (p for p in passes if p.out_at and (p.back_at or p.kind not in COMES_BACK)),
            key=lambda p: p.back_at or p.out_at,  # type: ignore[arg-type, return-value]
            reverse=True,
        ),
    )


COMES_BACK = (GatePassKind.TEMPORARY, GatePassKind.ROAD_TEST, GatePassKind.SUBLET)


def read_gate_pass(*, uid: object, by: Actor) -> GatePass:
    """One pass. Raises GatePass.DoesNotExist outside the actor's store."""
    return (
        GatePass.objects.for_actor(by)
        .select_related("visit__vehicle", "visit__customer", "visit__store", "issued_by", "store")
        .get(uid=uid)
    )
