"""Wishes of customers, and bookings on which they tick (3.1)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from dealership.catalogue.models import Operation
from dealership.kernel import clock
from dealership.kernel.actors import customer_link
from dealership.kernel.history import record
from reception.models import Appointment, Visit
from workshop import events
from workshop.wish_models import MaintenanceWish


@transaction.atomic
def make_wish(visit: Visit, code: str) -> MaintenanceWish:
    """A wish for any work, whether the car is due for it or not."""
    operation = Operation.objects.get(code=code)
    wish: MaintenanceWish = MaintenanceWish.objects.create(
        store_id=visit.store_id, vehicle_id=visit.vehicle_id, visit=visit, operation=operation, why="上次 2025-11-03"
    )
    holder = customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))
    record(wish, events.WISH_MADE, by=holder, store_id=visit.store_id, operation=code)
    return wish


def make_booked(visit: Visit, source: str = "PHONE") -> Appointment:
    """A booking in a week of the visit's car by its customer."""
    made: Appointment = Appointment.objects.create(
        store=visit.store,
        number=f"SH01-AP-{visit.pk}",
        customer=visit.customer,
        vehicle=visit.vehicle,
        contact_name="沈示例",
        contact_phone="13800000001",
        starts_at=clock.now() + timedelta(days=7),
        concern="保养",
        source=source,
        state="CONFIRMED",
    )
    return made
