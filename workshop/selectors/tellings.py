"""Who told the customer of a new promised time, how and when; and who is still to be told (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from dealership.kernel.actors import Actor
from dealership.kernel.models import Message, MessageState
from workshop.models import OrderStage, PromiseChange, PromiseTold, RepairOrder

LEFT = (MessageState.SENT, MessageState.MAILBOX)
ON_ITS_WAY = (MessageState.QUEUED, *LEFT)


@dataclass(frozen=True, slots=True)
class Told:
    """One change of the promised time and how its customer heard of it; ``missing`` where nobody has told them."""

    change: PromiseChange
    how: str
    told_by: str = ""
    told_to: str = ""
    at: datetime | None = None
    missing: bool = False
    latest: bool = False


def message_key(change: PromiseChange) -> str:
    """The key of the message that tells of the change."""
    return f"promise:{change.uid}"


def tellings_of(order: RepairOrder) -> list[Told]:
    """The changes of the order's promised time, the newest first."""
    changes = list(order.promise_changes.select_related("telling__told_by"))
    return _told(changes)


def _told(changes: Iterable[PromiseChange]) -> list[Told]:
    rows = list(changes)
    keys = {message_key(c) for c in rows if c.told == PromiseTold.MESSAGE}
    messages = {m.key: m for m in Message.objects.filter(key__in=keys)} if keys else {}
    return [_one(change, messages.get(message_key(change)), latest=change is rows[0]) for change in rows]


def _one(change: PromiseChange, message: Message | None, *, latest: bool) -> Told:
    telling = getattr(change, "telling", None)
    if telling is not None:
        return Told(
            change, telling.get_how_display(), telling.told_by.name, telling.told_to, telling.told_at, latest=latest
        )
    if change.told == PromiseTold.NOT_YET:
        return Told(change, change.get_told_display(), missing=True, latest=latest)
    if change.told != PromiseTold.MESSAGE:
        return Told(change, change.get_told_display(), at=change.at, latest=latest)
    if message is None or message.state not in ON_ITS_WAY:
        state = message.get_state_display() if message else MessageState.FAILED.label
        return Told(change, f"{change.get_told_display()} · {state}", missing=True, latest=latest)
    how = (
        change.get_told_display()
        if message.state in LEFT
        else f"{change.get_told_display()} · {message.get_state_display()}"
    )
    return Told(change, how, told_to=message.recipient_name, at=message.sent_at, latest=latest)


def to_tell(by: Actor) -> QuerySet[PromiseChange]:
    """Promised times of running orders of which the customer hasn't heard: nobody has said it, or its message didn't
    leave. The oldest first."""
    newest = PromiseChange.objects.filter(order=OuterRef("order")).order_by("-pk").values("pk")[:1]
    key = Concat(Value("promise:"), Cast(OuterRef("uid"), CharField()))
    left = Message.objects.filter(key=key, state__in=ON_ITS_WAY)
    untold = Q(told=PromiseTold.NOT_YET) | Q(told=PromiseTold.MESSAGE) & ~Exists(left)
    return (
        PromiseChange.objects.for_actor(by)
        .filter(untold, telling__isnull=True, pk=Subquery(newest))
        .exclude(order__stage__in=(OrderStage.CLOSED, OrderStage.CANCELLED))
        .select_related("order__vehicle", "order__visit")
        .order_by("at", "pk")
    )
