"""The customer's own change of a booking, on the page behind its signed address: another time, not coming, or waiting for a time
on a full day (2.4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, limits
from dealership.kernel.actors import machine
from dealership.kernel.errors import RuleError

from ..limits import ONLINE_CHANGE_HOURS
from ..models import Appointment, Vehicle, WaitingEntry
from . import appointments
from .waiting import wait_instead


def change_until(appointment: Appointment) -> datetime:
    """Until when the customer changes it without calling."""
    return appointment.starts_at - timedelta(hours=limits.value(ONLINE_CHANGE_HOURS, store_id=appointment.store_id))


def why_not(appointment: Appointment) -> RuleError | None:
    """Why the customer can't change it online (any more); None where it can be."""
    if not appointment.is_expected:
        return RuleError("appointment.online_ended", _("This booking can't be changed any more; please call us."))
    if clock.now() > change_until(appointment):
        return RuleError(
            "appointment.online_late",
            _("Less than %(hours)s hours before the arrival a booking is moved or cancelled by telephone; call us."),
            hours=limits.value(ONLINE_CHANGE_HOURS, store_id=appointment.store_id),
        )
    return None


def _lock(known: Appointment) -> Appointment:
    """Car and booking locked in this order; refused where it can't be changed online."""
    by = machine("online-booking", store_id=known.store_id)
    Vehicle.objects.locked().get(pk=known.vehicle_id)
    appointment = appointments.lock_appointment(uid=known.uid, by=by)
    refusal = why_not(appointment)
    if refusal is not None:
        raise refusal
    return appointment


def _reason(text: str, otherwise: Any) -> str:
    """What the customer wrote, else ``otherwise`` in the shop's language."""
    with translation.override(settings.LANGUAGE_CODE):
        return text.strip() or str(otherwise)


@transaction.atomic
def move_online(*, appointment: Appointment, starts_at: datetime, reason: str = "", address: str = "") -> Appointment:
    """2.4: the customer takes another time (aware) of the same search as the desk's; nothing is counted against the shop
    unless the shop couldn't keep the old one.

    ``address`` is the network address it comes from. Raises RuleError ``appointment.online_ended``,
    ``appointment.online_late``, ``appointment.notice``, ``appointment.many``, else like ``move_appointment``.
    """
    appointments.throttle(appointment.store, address)
    appointments.require_notice(appointment.store, starts_at)
    locked = _lock(appointment)
    return appointments.move_appointment(
        uid=locked.uid,
        starts_at=starts_at,
        reason=_reason(reason, _("The customer moved it online.")),
        by=machine("online-booking", store_id=locked.store_id),
        by_customer=True,
    )


@transaction.atomic
def cancel_online(*, appointment: Appointment, reason: str = "", address: str = "") -> Appointment:
    """2.4: the customer doesn't come; bay and technician are free at once. Raises like ``move_online``."""
    appointments.throttle(appointment.store, address)
    locked = _lock(appointment)
    return appointments.cancel_appointment(
        uid=locked.uid,
        reason=_reason(reason, _("The customer cancelled it online.")),
        by=machine("online-booking", store_id=locked.store_id),
        by_customer=True,
    )


@transaction.atomic
def wait_online(*, appointment: Appointment, day: date, address: str = "") -> WaitingEntry:
    """2.4: the customer waits for a time on a full ``day`` (store day); the booking stays until one is taken.

    Raises like ``move_online`` and ``waiting.wait_instead``.
    """
    appointments.throttle(appointment.store, address)
    locked = _lock(appointment)
    by = machine("online-booking", store_id=locked.store_id)
    return wait_instead(appointment_uid=locked.uid, first_day=day, by=by)
