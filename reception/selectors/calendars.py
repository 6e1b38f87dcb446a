"""What a calendar address gives: the bookings of an advisor or a customer (2.4)."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_name
from staff.selectors.employees import employee_of

from ..documents import CalendarEvent
from ..limits import APPOINTMENT_RECEPTION_MINUTES
from ..models import EXPECTED_STATES, A, Appointment, CalendarFeed

BACK, MOST = timedelta(days=30), 500
STATUS = {A.REQUESTED: "TENTATIVE", A.CANCELLED: "CANCELLED", A.NO_SHOW: "CANCELLED"}


def own_calendar(by: Actor) -> CalendarFeed | None:
    """The live address of the actor's own calendar."""
    person = employee_of(by)
    return CalendarFeed.objects.filter(employee=person, stopped_at__isnull=True).first() if person else None


def feed_by_token(token: str) -> CalendarFeed:
    """Raises CalendarFeed.DoesNotExist for a token that is none or was stopped, and for who has left."""
    rows = CalendarFeed.objects.select_related("store", "employee", "customer")
    feed = rows.get(token=token, stopped_at__isnull=True)
    if feed.employee is not None and feed.employee.left_on and feed.employee.left_on < clock.today():
        raise CalendarFeed.DoesNotExist("The employee has left.")
    return feed


def _bookings(feed: CalendarFeed) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(starts_at__gt=clock.now() - BACK).select_related("store", "vehicle")
    if feed.employee is not None:
        rows = rows.filter(advisor=feed.employee, state__in=[*EXPECTED_STATES, A.ARRIVED, A.CANCELLED])
    else:
        rows = rows.filter(customer=feed.customer)
    return rows.prefetch_related("items").order_by("starts_at", "pk")[:MOST]


def calendar_name(feed: CalendarFeed) -> str:
    if feed.employee is not None:
        return gettext("Bookings of %(name)s") % {"name": feed.employee.name}
    return gettext("Bookings at %(store)s") % {"store": feed.store.name}


def language_of(feed: CalendarFeed) -> str:
    if feed.customer is not None:
        return feed.customer.language
    return feed.employee.user.language if feed.employee and feed.employee.user else "zh-hans"


def calendar_events(feed: CalendarFeed) -> list[CalendarEvent]:
    """An advisor sees when which car comes, a customer when to come and when the car is ready; no names, no numbers."""
    found = []
    for row in _bookings(feed):
        what = " · ".join(say_name(item.description) for item in row.items.all()) or row.concern
        if feed.employee is not None:
            minutes = limits.value(APPOINTMENT_RECEPTION_MINUTES, store_id=row.store_id)
            ends, summary, text = row.starts_at + timedelta(minutes=minutes), f"{row.vehicle} {what}", row.number
        else:
            ends = row.ready_at or row.starts_at + timedelta(hours=1)
            summary = f"{row.store.name} · {row.vehicle}"
            text = "\n".join(
                filter(None, [what, row.number, gettext("To change it, call %(phone)s.") % {"phone": row.store.phone}])
            )
        found.append(
            CalendarEvent(
                uid=f"{row.uid}@{row.store.code.lower()}",
                version=row.version,
                changed_at=row.updated_at,
                starts_at=row.starts_at,
                ends_at=ends,
                summary=summary,
                place=row.store.address or row.store.name,
                text=text,
                status=STATUS.get(A(row.state), "CONFIRMED"),
            )
        )
    return found


def event_for_customer(row: Appointment) -> CalendarEvent:
    """A booking for the customer's own calendar: where and when, and whom to call; no name, number plate or work."""
    call = gettext("To change it, call %(phone)s.") % {"phone": row.store.phone} if row.store.phone else ""
    return CalendarEvent(
        uid=f"{row.uid}@{row.store.code.lower()}",
        version=row.version,
        changed_at=row.updated_at,
        starts_at=row.starts_at,
        ends_at=row.ready_at or row.starts_at + timedelta(hours=1),
        summary=row.store.name,
        place=row.store.address or row.store.name,
        text="\n".join(filter(None, [row.number, call])),
        status=STATUS.get(A(row.state), "CONFIRMED"),
    )


def in_language_of(feed: CalendarFeed) -> translation.override:
    """The language in which whoever subscribed reads."""
    return translation.override(language_of(feed))
