"""Reads of reminders that a car is due for maintenance by its plan (3.1, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from dealership.kernel import clock, limits
from dealership.kernel.models import Store
from delivery.limits import SERVICE_AFTER_VISIT_DAYS, SERVICE_AGAIN_DAYS, SERVICE_HOUR
from delivery.models import DateKind, DateReminder, DateReminderState
from reception.models import (
    EXPECTED_STATES,
    OPEN_VISITS,
    Appointment,
    Consent,
    ConsentPurpose,
    Ownership,
    Vehicle,
    Visit,
)
from workshop.selectors.maintenance import DueRow, due_list


def service_due(vehicle: Vehicle, *, store_id: int) -> list[DueRow]:
    """What of the car's plan is overdue, due or due soon, by the workshop's dated settings; the most urgent first."""
    found = due_list(vehicle, store_id=store_id)
    return found.proposed if found is not None else []


def due_day(rows: list[DueRow], *, today: date) -> date:
    """The day on which the first of them is reached, as the car is driven now."""
    return min(row.due.expected_on or row.due.due_on or today for row in rows)


def may_be_reminded(cars: QuerySet[Vehicle], *, store: Store) -> QuerySet[Vehicle]:
    """Of ``cars``: those whose owner agreed to offers, which aren't here, aren't booked, weren't here in the last days and
    of which nobody was told in the last days; a car belongs to the store where it was last. Whoever didn't want it or had
    it done elsewhere isn't asked again before the car has been here."""
    visits = Visit.objects.filter(vehicle=OuterRef("pk"))
    owner = Ownership.objects.filter(vehicle=OuterRef("pk"), ends_on__isnull=True).order_by("pk")
    consent = Consent.objects.filter(customer=OuterRef("owner"), purpose=ConsentPurpose.MARKETING)
    here = clock.now() - timedelta(days=limits.value(SERVICE_AFTER_VISIT_DAYS, store_id=store.pk))
    told = clock.now() - timedelta(days=limits.value(SERVICE_AGAIN_DAYS, store_id=store.pk))
    reminders = DateReminder.objects.filter(vehicle=OuterRef("pk"), kind=DateKind.SERVICE)
    said_no = reminders.filter(
        state__in=[DateReminderState.NOT_WANTED, DateReminderState.ELSEWHERE], told_at__gte=OuterRef("last_left")
    )
    return (
        cars.filter(Exists(visits.filter(store=store)))
        .annotate(last_left=Subquery(visits.filter(left_at__isnull=False).order_by("-left_at").values("left_at")[:1]))
        .exclude(Exists(said_no))
        .exclude(Exists(visits.filter(state__in=OPEN_VISITS)))
        .exclude(Exists(visits.filter(left_at__gte=here)))
        .exclude(Exists(Appointment.objects.filter(vehicle=OuterRef("pk"), state__in=EXPECTED_STATES)))
        .exclude(Exists(reminders.filter(state=DateReminderState.OPEN)))
        .exclude(Exists(reminders.filter(told_at__gte=told)))
        .annotate(last_store=Subquery(visits.order_by("-arrived_at").values("store_id")[:1]))
        .annotate(owner=Subquery(owner.values("customer_id")[:1]))
        .annotate(agreed=Subquery(consent.order_by("-at", "-id").values("given")[:1]))
        .filter(last_store=store.pk, agreed=True)
        .order_by("pk")
    )


def services_due() -> Iterator[tuple[UUID, int]]:
    """(vehicle, store) of cars to be reminded of, in the hour of the day that the store has set."""
    for store in Store.objects.order_by("pk"):
        local = clock.now().astimezone(ZoneInfo(store.time_zone))
        if local.hour == limits.value(SERVICE_HOUR, store_id=store.pk):
            for car in may_be_reminded(Vehicle.objects.all(), store=store):
                if service_due(car, store_id=store.pk):
                    yield car.uid, store.pk


def services_met() -> Iterator[tuple[UUID, int]]:
    """(reminder, store) of open ones that need no call any more: the car is booked since, or has been here and isn't due."""
    rows = DateReminder.objects.filter(kind=DateKind.SERVICE, state=DateReminderState.OPEN).select_related("vehicle")
    booked = Appointment.objects.filter(vehicle=OuterRef("vehicle"), state__in=EXPECTED_STATES)
    came = Visit.objects.filter(vehicle=OuterRef("vehicle"), left_at__gt=OuterRef("told_at"))
    for row in rows.annotate(booked=Exists(booked), came=Exists(came)).order_by("pk"):
        if row.booked or (row.came and not service_due(row.vehicle, store_id=row.store_id)):
            yield row.uid, row.store_id
