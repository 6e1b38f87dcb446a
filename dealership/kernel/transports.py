"""The ways a message leaves the house: SMTP, Apprise targets, else the mailbox page that shows what would have gone."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMessage

from .models import Message, MessageChannel, MessageState


class Transport(Protocol):
    def send(self, message: Message) -> tuple[MessageState, str]:
        """Returns the message's new state and, where it isn't plain success, the reason."""


class Mailbox:
    """Nothing leaves; the page Messages shows the text. Used while a channel has no configuration."""

    def send(self, message: Message) -> tuple[MessageState, str]:
        return MessageState.MAILBOX, ""


HEADERS: list[Callable[[Message], dict[str, str]]] = []
"""Rooms add headers to e-mails that they know more of (the thread of an answer)."""


class Smtp:
    """E-mail over the configured SMTP server; the message's key becomes the Message-ID, so that a copy is recognised."""

    def send(self, message: Message) -> tuple[MessageState, str]:
        domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2]
        headers = {"Message-ID": f"<{message.uid}@{domain}>"}
        for more in HEADERS:
            headers |= more(message)
        mail = EmailMessage(
            message.subject.replace("\n", " ").replace("\r", " "),
            message.body,
            to=[message.recipient],
            headers=headers,
        )
        try:
            mail.send()
        except BadHeaderError as exc:  # a line break in the address: it would add a header of its own
            return MessageState.FAILED, str(exc)
        except smtplib.SMTPServerDisconnected as exc:
            return MessageState.UNCERTAIN, str(exc)
        except (smtplib.SMTPException, OSError) as exc:
            return MessageState.FAILED, str(exc)
        return MessageState.SENT, ""


class AppriseTargets:
    """SMS gateways, WeCom, DingTalk, Feishu … through the configured Apprise addresses."""

    def send(self, message: Message) -> tuple[MessageState, str]:
        import apprise  # imported where it runs: heavy

        targets = apprise.Apprise()
        for target in settings.APPRISE_TARGETS:
            targets.add(target.replace("{recipient}", quote(message.recipient, safe="")))
        if targets.notify(title=message.subject, body=message.body):
            return MessageState.SENT, ""
        return MessageState.UNCERTAIN, "apprise: at least one target didn't confirm"


def transport_for(message: Message) -> Transport:
    if message.channel == MessageChannel.EMAIL and settings.EMAIL_HOST:
        return Smtp()
    if message.channel in (MessageChannel.SMS, MessageChannel.WECHAT) and settings.APPRISE_TARGETS:
        return AppriseTargets()
    return Mailbox()


def stays_here(message: Message) -> bool:
    """Whether the message is only kept on the page Messages, because its channel isn't configured."""
    return isinstance(transport_for(message), Mailbox)
