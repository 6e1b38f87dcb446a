"""What a colleague has read of the messages to him or her (1.2)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from dealership.exchange.selectors.messages import to_me
from dealership.kernel import clock, events
from dealership.kernel.actors import Actor
from dealership.kernel.history import record
from dealership.kernel.models import Message
from dealership.kernel.permissions import MESSAGES_OWN


@transaction.atomic
def read_messages(*, by: Actor, uid: UUID | None = None) -> int:
    """Marks the messages to oneself, or the one with ``uid``, as read; returns how many were not (1.2)."""
    by.require(MESSAGES_OWN)
    rows = Message.objects.for_actor(by).filter(to_me(by), read_at__isnull=True)
    found = list((rows if uid is None else rows.filter(uid=uid)).order_by("id").locked())
    for message in found:
        message.read_at = clock.now()
        message.save(update_fields=["read_at"])
        record(message, events.MESSAGE_READ, by=by)
    return len(found)
