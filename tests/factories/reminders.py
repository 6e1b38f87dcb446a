"""A car whose insurance ends soon, of an owner who agreed to offers; through the commands."""

from __future__ import annotations

from datetime import timedelta

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from delivery.models import DateReminder
from delivery.services.reminders import remind_of_dates
from reception.models import Consent, Ownership, Visit
from reception.services.customers import record_consent
from reception.services.vehicles import correct_vehicle


def make_ending(visit: Visit, *, days: int = 20, by: Actor) -> None:
    """The insurance of the visit's car ends in so many days, and its owner agrees to offers."""
    owner = Ownership.objects.get(vehicle=visit.vehicle, ends_on__isnull=True).customer
    agreed = Consent.objects.filter(customer=owner, purpose="MARKETING").order_by("-at", "-id").first()
    if agreed is None or not agreed.given:
        record_consent(customer_uid=owner.uid, purpose="MARKETING", given=True, by=by)
    correct_vehicle(uid=visit.vehicle.uid, insured_until=clock.today() + timedelta(days=days), by=by)


def make_date_reminder(visit: Visit, *, by: Actor) -> DateReminder:
    """The owner of the visit's car was told that the insurance ends."""
    make_ending(visit, days=19, by=by)
    remind_of_dates(vehicle_uid=visit.vehicle.uid, store=visit.store, by=by)
    return DateReminder.objects.get(vehicle=visit.vehicle, kind="INSURANCE", state="OPEN")
