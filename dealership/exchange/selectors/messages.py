"""Sent and unsent messages of a store (1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from dealership.kernel.actors import Actor
from dealership.kernel.models import MESSAGE_MOVES, Message, MessageState
from dealership.process.selectors.timeline import Line, timeline_of_roots

PAGE = 50
COLOURS = {
    MessageState.QUEUED: "wait",
    MessageState.SENT: "ready",
    MessageState.MAILBOX: "booked",
    MessageState.FAILED: "late",
    MessageState.UNCERTAIN: "consent",
}
TROUBLE = (MessageState.FAILED, MessageState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Box:
    """One page of the mailbox; ``counts`` by state, ``following`` the uid to go on before, None on the last page."""

    messages: list[Message]
    counts: dict[str, int]
    following: UUID | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def colour(message: Message) -> str:
    return COLOURS[MessageState(message.state)]


def may_retry(message: Message) -> bool:
    return MessageState.QUEUED in MESSAGE_MOVES[MessageState(message.state)]


def box(by: Actor, *, state: str = "", before: str = "") -> Box:
    """The newest messages, fifty at a time, from the one with uid ``before`` on downwards."""
    mine = Message.objects.for_actor(by)
    counts = dict(mine.values_list("state").annotate(n=Count("id")))
    rows = mine.filter(state=state) if state in MessageState.values else mine
    try:
        start = mine.filter(uid=UUID(before)).values_list("pk", flat=True).first() if before else None
    except ValueError:
        start = None
    if start is not None:
        rows = rows.filter(pk__lt=start)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    return Box(found[:PAGE], counts, found[PAGE - 1].uid if len(found) > PAGE else None)


def one_message(by: Actor, uid: UUID) -> tuple[Message, list[Line]]:
    """Raises Message.DoesNotExist for another store's."""
    message = Message.objects.for_actor(by).select_related("store").get(uid=uid)
    return message, timeline_of_roots(by, [message.uid])


def in_trouble(by: Actor) -> int:
    """How many messages weren't sent or may not have been."""
    return Message.objects.for_actor(by).filter(state__in=TROUBLE).count()
