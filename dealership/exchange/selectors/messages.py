"""Sent and unsent messages of a store (1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import MESSAGE_MOVES, Message, MessageChannel, MessageState
from dealership.kernel.permissions import MESSAGES_OWN, MESSAGES_VIEW
from dealership.process.selectors.timeline import Line, timeline_of_roots
from staff.models import Employee

PAGE = 50
COLOURS = {
    MessageState.QUEUED: "wait",
    MessageState.SENT: "ready",
    MessageState.MAILBOX: "booked",
    MessageState.FAILED: "late",
    MessageState.UNCERTAIN: "consent",
}
TROUBLE = (MessageState.FAILED, MessageState.UNCERTAIN)
UNREAD_FOR = timedelta(days=7)
"""How long an unread message stays on the bell."""


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


def readable(by: Actor) -> QuerySet[Message]:
    """The store's messages for who watches over them, else those to oneself."""
    rows = Message.objects.for_actor(by)
    return rows if by.may(MESSAGES_VIEW) else rows.filter(to_me(by))


def box(by: Actor, *, state: str = "", before: str = "", own: bool = False) -> Box:
    """The newest messages, fifty at a time, from the one with uid ``before`` on downwards; ``own``: those to oneself."""
    mine = readable(by).filter(to_me(by)) if own else readable(by)
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


def to_me(by: Actor) -> Q:
    """Messages to the person (1.2): by staff number, approvals by telephone, those of before by the name of the log-in."""
    if by.user is None:
        return Q(pk__in=[])
    me = Employee.objects.filter(user_id=by.user.pk)
    mine = Q(recipient__in=me.values("number")) | Q(recipient__in=me.exclude(phone="").values("phone"))
    return Q(channel=MessageChannel.STAFF) & (mine | Q(recipient=by.user.username))


def _unread(by: Actor) -> Q:
    return to_me(by) & Q(read_at__isnull=True, created_at__gte=clock.now() - UNREAD_FOR)


def unread(by: Actor) -> int:
    """How many of the last days' messages to this person are not read."""
    return Message.objects.for_actor(by).filter(_unread(by)).count()


def on_the_bell(by: Actor) -> int:
    """Unread messages to oneself and, for who watches over messages, those that weren't sent or may not have been."""
    found = Q(pk__in=[])
    if by.may(MESSAGES_OWN):
        found |= _unread(by)
    if by.may(MESSAGES_VIEW):
        found |= Q(state__in=TROUBLE)
    return Message.objects.for_actor(by).filter(found).count() if found != Q(pk__in=[]) else 0
