"""The gate: who may leave, who is out and should come back, what went through today (4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from reception.models import TransportKind, TransportState, Visit, VisitState
from reception.selectors.search import EXACT, Hit, Typed
from workshop.away_models import AwayWait

from .. import permissions, rules
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
    since = now - timedelta(hours=12)
    passes = list(
        GatePass.objects.for_actor(by)
        .filter(cancelled_at__isnull=True)
        .exclude(kind=GatePassKind.RETURN, visit__state=VisitState.DEPARTED)  # signed for at the door
        .filter(
            Q(out_at__isnull=True, expires_at__gt=now)
            | Q(out_at__isnull=False, back_at__isnull=True, kind__in=COMES_BACK)
            | Q(out_at__gte=since)
            | Q(back_at__gte=since)
        )
        .select_related("visit__vehicle", "visit__customer", "issued_by")
        .order_by("-issued_at", "-pk")
    )
    return Gate(
        waiting=[p for p in passes if p.out_at is None],
        outside=[p for p in passes if p.out_at and not p.back_at and p.kind in COMES_BACK],
        recent=sorted(
            (p for p in passes if (p.back_at or p.out_at or since) > since),
            key=lambda p: p.back_at or p.out_at,  # type: ignore[arg-type, return-value]
            reverse=True,
        ),
    )


COMES_BACK = (
    GatePassKind.TEMPORARY, GatePassKind.ROAD_TEST, GatePassKind.SUBLET, GatePassKind.RETURN, GatePassKind.PARTS_WAIT,
)  # fmt: skip


def read_gate_pass(*, uid: object, by: Actor) -> GatePass:
    """One pass. Raises GatePass.DoesNotExist outside the actor's store."""
    return (
        GatePass.objects.for_actor(by)
        .select_related("visit__vehicle", "visit__customer", "visit__store", "issued_by", "store")
        .get(uid=uid)
    )


def gate_code_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """2.1.2, 4.1: a gate code that was scanned or typed into the search box leads to its pass."""
    code = rules.read_gate_code(typed.text)
    if len(code) != rules.GATE_LENGTH or not by.may(permissions.GATE_PASSES_VIEW):
        return
    for row in pass_with_code(code, by=by).select_related("visit__vehicle"):
        yield Hit(
            kind="gate",
            label=_("Gate pass"),
            url=reverse("gate-pass-detail", args=[row.uid]),
            title=row.visit.number,
            say=str(row.get_kind_display()),
            plate=row.visit.vehicle.plate,
            plate_color=row.visit.vehicle.plate_color,
            rank=EXACT,
            uid=row.uid,
        )


def goes_back(visit: Visit) -> bool:
    """2.1.2: somebody is planned to bring this car back to its customer."""
    return visit.transports.filter(kind=TransportKind.RETURN, state=TransportState.PLANNED).exists()


def waits_for_part(visit: Visit) -> bool:
    """3.2: it is noted on an order that this car drives on until its part comes."""
    return AwayWait.objects.filter(visit=visit, left_at__isnull=True, cancelled_at__isnull=True).exists()


def door_pass(visit: Visit) -> GatePass | None:
    """2.1.2: the pass with which the car is out to be handed over at the customer's door."""
    return visit.gate_passes.filter(kind=GatePassKind.RETURN, out_at__isnull=False, back_at__isnull=True).first()
