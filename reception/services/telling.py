"""Messages to customers: by their channel, in their language, and not in their quiet hours (2.3).

Every room that writes to a customer goes through ``tell``, so that a preference is honoured wherever the words come from.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Message, MessageChannel, Store
from dealership.kernel.services import queue_message
from reception import rules
from reception.models import Customer


def quiet_until(customer: Customer, store: Store) -> datetime | None:
    """When the customer's quiet hours that it is now in end (aware); None where it isn't in any."""
    local = clock.now().astimezone(ZoneInfo(store.time_zone))
    return rules.quiet_end(local, customer.quiet_from, customer.quiet_to)


def way_to(customer: Customer, phone: str) -> tuple[MessageChannel, str]:
    """Channel and recipient: what the customer prefers, else what there is. ``phone`` is the number left with us."""
    number = phone or customer.phone
    if customer.email and (customer.channel == MessageChannel.EMAIL or not number):
        return MessageChannel.EMAIL, customer.email
    if customer.channel == MessageChannel.WECHAT:
        return MessageChannel.WECHAT, number
    return MessageChannel.SMS, number


def tell(
    customer: Customer,
    *,
    store: Store,
    key: str,
    template: str,
    subject: str,
    body: str,
    by: Actor,
    phone: str = "",
    name: str = "",
    visit_uid: UUID | None = None,
    at_once: bool = False,
) -> Message:
    """Queues one message, once per ``key``; call it inside the customer's language.

    In the customer's quiet hours it waits until they end, unless ``at_once``: the customer stands there and asks for it.
    """
    channel, recipient = way_to(customer, phone)
    return queue_message(
        key=key,
        store=store,
        channel=channel,
        recipient=recipient,
        recipient_name=name or customer.name,
        template=template,
        subject=subject,
        body=body,
        language=customer.language,
        visit_uid=visit_uid,
        not_before=None if at_once else quiet_until(customer, store),
        by=by,
    )
