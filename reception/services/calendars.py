"""Addresses under which a calendar program fetches bookings: an advisor's own, a customer's own (2.4).

Whoever knows the address sees the calendar, as with every calendar that is subscribed to: it holds no telephone number
and no name, can be replaced and stopped, and can't be guessed.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from staff.models import Employee
from staff.selectors.employees import require_employee

from .. import events, permissions
from ..models import Appointment, CalendarFeed


def _own(by: Actor) -> Employee:
    """The employee behind the actor, locked. Raises RuleError ``employee.missing`` for who is none."""
    return Employee.objects.locked().get(pk=require_employee(by).pk)


@transaction.atomic
def issue_calendar(*, by: Actor) -> CalendarFeed:
    """2.4: a new address for the actor's own calendar of bookings; an older one stops at once."""
    by.require(permissions.APPOINTMENTS_VIEW)
    person = _own(by)
    _stop(person, by)
    feed = CalendarFeed.objects.create(store_id=person.store_id, employee=person)
    record(feed, events.CALENDAR_ISSUED, by=by, employee=person.uid)
    return feed


@transaction.atomic
def stop_calendar(*, by: Actor) -> CalendarFeed:
    """2.4: the actor's calendar address stops. Raises RuleError ``calendar.none`` where there is none."""
    by.require(permissions.APPOINTMENTS_VIEW)
    stopped = _stop(_own(by), by)
    if stopped is None:
        raise RuleError("calendar.none", _("There is no calendar address to stop."))
    return stopped


def _stop(person: Employee, by: Actor) -> CalendarFeed | None:
    feed = CalendarFeed.objects.filter(employee=person, stopped_at__isnull=True).locked().first()
    if feed is not None:
        feed.stopped_at = clock.now()
        feed.save(update_fields=["stopped_at"])
        record(feed, events.CALENDAR_STOPPED, by=by, employee=person.uid)
    return feed


def calendar_of_customer(*, appointment: Appointment, by: Actor) -> CalendarFeed:
    """2.4: the calendar of whoever booked, made with the first booking; call it inside a transaction."""
    feed = CalendarFeed.objects.filter(customer=appointment.customer, stopped_at__isnull=True).first()
    if feed is None:
        feed = CalendarFeed.objects.create(store=appointment.store, customer=appointment.customer)
        record(feed, events.CALENDAR_ISSUED, by=by, customer=appointment.customer.uid)
    return feed


def calendar_address(feed: CalendarFeed) -> str:
    """The whole address that a calendar program subscribes to."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("calendar-feed", args=[feed.token])
