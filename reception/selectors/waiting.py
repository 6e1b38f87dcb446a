"""Reads of the waiting list (2.4)."""

from __future__ import annotations

from dataclasses import dataclass

from dealership.kernel import clock
from dealership.kernel.actors import Actor

from ..models import WAITING_STATES, W, WaitingEntry

STAGE_OF = {W.WAITING: "wait", W.OFFERED: "consent", W.BOOKED: "ready", W.WITHDRAWN: "booked", W.EXPIRED: "booked"}
SHOWN_ENDED = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One car of the list with the colour of its state."""

    entry: WaitingEntry

    @property
    def stage(self) -> str:
        return STAGE_OF[W(self.entry.state)]


def waiting_list(by: Actor) -> dict[str, list[Waiting]]:
    """Who waits, the longest first, and the last that ended."""
    rows = WaitingEntry.objects.for_actor(by).select_related("vehicle", "advisor", "appointment", "replaces")
    there = rows.filter(state__in=WAITING_STATES).order_by("joined_at", "pk")
    ended = rows.exclude(state__in=WAITING_STATES).order_by("-updated_at", "-pk")[:SHOWN_ENDED]
    return {"there": [Waiting(row) for row in there], "ended": [Waiting(row) for row in ended]}


def waiting_count(by: Actor) -> int:
    """How many cars wait for a time."""
    return WaitingEntry.objects.for_actor(by).filter(state__in=WAITING_STATES, joined_at__lte=clock.now()).count()
