"""What comes from the public pages without log-in: counted by network address, so that nobody floods the desk (7.3).

A booking's own page stands at an address that is signed: who got it in a message, or booked online, sees the time and
moves or cancels it there; it holds no name, number or plate, and opens until a month after the arrival.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import RuleError

from ..models import Appointment

_SIGNER = signing.Signer(salt="online-booking", sep=".")
OPENS_AFTER = timedelta(days=30)
"""How long after the booked arrival its page still opens."""


def booking_token(appointment: Appointment) -> str:
    """The booking's uid, signed."""
    return _SIGNER.sign(base64.urlsafe_b64encode(appointment.uid.bytes).decode().rstrip("="))


def booking_path(appointment: Appointment, page: str = "online-booked") -> str:
    """The path of the booking's own page, or of a ``page`` below it."""
    return reverse(page, args=[appointment.store.code, booking_token(appointment)])


def booking_address(appointment: Appointment) -> str:
    """The whole address that a customer opens from a message."""
    return settings.PUBLIC_URL.rstrip("/") + booking_path(appointment)


def booking_by_token(*, code: str, token: str) -> Appointment:
    """Raises Appointment.DoesNotExist for what isn't signed, for another store's and for one of long ago."""
    try:
        uid = UUID(bytes=base64.urlsafe_b64decode(_SIGNER.unsign(token) + "=="))
    except signing.BadSignature:
        raise Appointment.DoesNotExist("Not signed by us.") from None
    rows = Appointment.objects.select_related("store", "vehicle", "customer", "advisor")
    return rows.get(uid=uid, store__code=code, starts_at__gt=clock.now() - OPENS_AFTER)


def count_try(purpose: str, address: str, *, most: int, refusal: RuleError) -> None:
    """Counts the tries of one network address within an hour, refused ones too; the address itself isn't kept.

    Raises ``refusal`` above ``most``.
    """
    if not address:
        return
    key = f"{purpose}:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    cache.add(key, 0, 3600)
    try:
        tries = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    if tries > most:
        raise refusal
