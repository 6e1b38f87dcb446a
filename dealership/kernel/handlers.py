"""What the kernel does behind the outbox: hands queued messages to the channel that is configured (1.3)."""

from . import events
from .actors import machine
from .history import Event
from .models import Message, MessageState
from .registry import handles
from .services import close_message
from .transports import transport_for


@handles(events.MESSAGE_QUEUED, name="kernel.send_message")
def send_message(event: Event) -> None:
    """Sends the message once; an unsure answer of the channel is shown as such, never sent again by itself."""
    message = Message.objects.select_for_update().get(uid=event.root_uid)
    if message.state != MessageState.QUEUED:
        return
    state, reason = transport_for(message).send(message)
    close_message(message=message, state=state, reason=reason, by=machine("messages", store_id=message.store_id))
