"""What the kernel does behind the outbox: hands queued messages to the channel that is configured (1.3)."""

from . import clock, events
from .actors import machine
from .history import Event
from .models import Message, MessageState
from .outbox import NotYet
from .registry import handles
from .services import close_message
from .transports import Mailbox, transport_for

NOT_KNOWN = "the program died while it was sending"


@handles(events.MESSAGE_QUEUED, name="kernel.send_message")
def send_message(event: Event) -> None:
    """Sends the message once; what may have been sent is shown as such, never sent again by itself.

    After a run that was killed nobody knows whether the message had left, except for the mailbox, which is ours.
    """
    message = Message.objects.select_for_update().get(uid=event.root_uid)
    if message.state != MessageState.QUEUED:
        return
    if message.not_before is not None and clock.now() < message.not_before:
        raise NotYet(message.not_before)
    transport = transport_for(message)
    if event.again and not isinstance(transport, Mailbox):
        state, reason = MessageState.UNCERTAIN, NOT_KNOWN
    else:
        state, reason = transport.send(message)
    close_message(message=message, state=state, reason=reason, by=machine("messages", store_id=message.store_id))
