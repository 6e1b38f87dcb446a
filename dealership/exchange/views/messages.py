"""The mailbox: one row per message with its state, attempts and reason (1.3)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.exchange.selectors import messages as reads
from dealership.exchange.services.inbox import read_messages
from dealership.kernel.models import Message, MessageState
from dealership.kernel.pages import ActionView, Page
from dealership.kernel.permissions import MESSAGES_OWN, MESSAGES_RETRY, MESSAGES_VIEW
from dealership.kernel.services import retry_message


class MessagesPage(Page):
    """All messages for who watches over them; everybody else reads the own ones."""

    permission = (MESSAGES_VIEW, MESSAGES_OWN)
    template_name = "exchange/messages.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        sees_all = self.actor.may(MESSAGES_VIEW)
        own = not sees_all or asked.get("own") == "1"
        state = asked.get("state", "") if asked.get("state") in MessageState.values and not own else ""
        box = reads.box(self.actor, state=state, before=asked.get("before", ""), own=own)
        tones = {MessageState.FAILED: "late", MessageState.UNCERTAIN: "soon"}
        return super().get_context_data(**kwargs) | {
            "box": box,
            "rows": [(message, reads.colour(message)) for message in box.messages],
            "state": state,
            "own": own,
            "sees_all": sees_all,
            "unread": reads.unread(self.actor) if self.actor.may(MESSAGES_OWN) else 0,
            "states": [
                (s.value, s.label, box.counts.get(s, 0), tones.get(s, "") if box.counts.get(s) else "")
                for s in MessageState
            ],
        }


class MessagePage(Page):
    permission = MESSAGES_VIEW
    template_name = "exchange/message.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message, history = reads.one_message(self.actor, self.kwargs["uid"])
        return super().get_context_data(**kwargs) | {
            "message": message,
            "colour": reads.colour(message),
            "history": history,
            "may_retry": self.actor.may(MESSAGES_RETRY) and reads.may_retry(message),
        }


class ReadMessagesView(ActionView):
    """The bell is quiet again: all messages to oneself are read."""

    permission = MESSAGES_OWN
    done = _("Marked as read.")

    def run(self, form: Any) -> int:
        return read_messages(by=self.actor)

    def location(self, result: int) -> str:
        return f"{reverse('messages')}?own=1"


class RetryMessageView(ActionView):
    permission = MESSAGES_RETRY
    done = _("The message is in the queue again.")

    def run(self, form: Any) -> Message:
        return retry_message(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Message) -> str:
        return reverse("message", args=[result.uid])
