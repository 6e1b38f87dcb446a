"""Reads of reminders that a car's insurance or inspection ends (4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from delivery.limits import INSPECTION_DAYS, INSURANCE_DAYS
from delivery.models import DateKind, DateReminder, DateReminderState
from reception import rules
from reception.limits import INSPECTION_YEARS, QUIET_FROM, QUIET_TO, STICKER_YEARS
from reception.models import Consent, ConsentPurpose, Ownership, Vehicle, Visit
from reception.services.appointments import minute_of


@dataclass(frozen=True, slots=True)
class Due:
    """The day on which something of a car ends, within the days that are set."""

    kind: DateKind
    on: date


def due_dates(vehicle: Vehicle, *, store_id: int, today: date) -> list[Due]:
    """What of a car ends within the set days: its insurance as written down; the inspection as the licence says, else by
    the rule from the first registration."""
    found = []
    if _near(vehicle.insured_until, today, limits.value(INSURANCE_DAYS, store_id=store_id)):
        found.append(Due(DateKind.INSURANCE, vehicle.insured_until))  # type: ignore[arg-type]
    ends, kind = vehicle.inspected_until, DateKind.INSPECTION
    if ends is None and vehicle.registered_on is not None:
        ends, looked_at = rules.inspection_after(
            vehicle.registered_on,
            today,
            inspections=limits.value(INSPECTION_YEARS),
            stickers=limits.value(STICKER_YEARS),
        )
        kind = DateKind.INSPECTION if looked_at else DateKind.STICKER
    if _near(ends, today, limits.value(INSPECTION_DAYS, store_id=store_id)):
        found.append(Due(kind, ends))  # type: ignore[arg-type]
    return found


def _near(day: date | None, today: date, days: int) -> bool:
    return day is not None and today <= day <= today + timedelta(days=days)


def dates_due() -> Iterator[tuple[UUID, int]]:
    """(vehicle, store) of cars of which something ends soon and whose owner agreed to offers and wasn't told yet.

    A car belongs to the store where it was last. In a store's quiet hours nobody is due there.
    """
    for store in Store.objects.order_by("pk"):
        local = clock.now().astimezone(ZoneInfo(store.time_zone))
        quiet = (
            minute_of(limits.value(QUIET_FROM, store_id=store.pk)),
            minute_of(limits.value(QUIET_TO, store_id=store.pk)),
        )
        if not rules.is_quiet(local.hour * 60 + local.minute, *quiet):
            yield from _due_in(store, local.date())


def _due_in(store: Store, today: date) -> Iterator[tuple[UUID, int]]:
    last = Visit.objects.filter(vehicle=OuterRef("pk")).order_by("-arrived_at")
    owner = Ownership.objects.filter(vehicle=OuterRef("pk"), ends_on__isnull=True).order_by("pk")
    consent = Consent.objects.filter(customer=OuterRef("owner"), purpose=ConsentPurpose.MARKETING)
    days = max(limits.value(key, store_id=store.pk) for key in (INSURANCE_DAYS, INSPECTION_DAYS))
    until = today + timedelta(days=days)
    months = {(today + timedelta(days=n)).month for n in range(days + 1)}
    near = {"insured_until__range": (today, until)}, {"inspected_until__range": (today, until)}
    by_rule = {"inspected_until__isnull": True, "registered_on__month__in": months}
    soon = Vehicle.objects.filter(**near[0]) | Vehicle.objects.filter(**near[1]) | Vehicle.objects.filter(**by_rule)
    cars = (
        soon.filter(Exists(Visit.objects.filter(vehicle=OuterRef("pk"), store=store)))
        .annotate(last_store=Subquery(last.values("store_id")[:1]), owner=Subquery(owner.values("customer_id")[:1]))
        .annotate(agreed=Subquery(consent.order_by("-at", "-id").values("given")[:1]))
        .filter(last_store=store.pk, agreed=True)
        .order_by("pk")
    )
    told = set(
        DateReminder.objects.filter(due_on__range=(today, until), vehicle__in=cars.values("pk")).values_list(
            "vehicle_id", "kind", "due_on"
        )
    )
    for car in cars:
        if any((car.pk, due.kind, due.on) not in told for due in due_dates(car, store_id=store.pk, today=today)):
            yield car.uid, store.pk


def date_reminders(by: Actor, *, closed: bool = False) -> QuerySet[DateReminder]:
    """Those that care still asks about, what ends first on top; ``closed``: what came of the others, newest first."""
    rows = DateReminder.objects.for_actor(by).select_related("vehicle", "customer")
    if closed:
        return rows.exclude(state=DateReminderState.OPEN).order_by("-closed_at", "-pk")
    return rows.filter(state=DateReminderState.OPEN).order_by("due_on", "pk")
