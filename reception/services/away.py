"""A car that drives on while a part is on its way, and comes back for it (3.2): called by the rooms above."""

from __future__ import annotations

from django.db import transaction

from dealership.catalogue.models import Reservation, ReservationPurpose
from dealership.catalogue.services import plans
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.history import record
from reception import events
from reception.models import EXPECTED_STATES, Appointment, Visit
from reception.services.appointments import arrive_appointment


@transaction.atomic
def let_away(*, visit: Visit, by: Actor) -> Visit:
    """IN_SHOP → AWAY: key tag, place, promise and what its booking still keeps get free. The caller holds the visit."""
    before, promised = visit.state, visit.promised_at
    visit.go_away()
    visit.save(update_fields=["state", "key_tag", "key_holder", "parking_place", "promised_at"])
    if visit.appointment is not None:
        kept = Reservation.objects.filter(
            subject_uid=visit.appointment.uid,
            purpose=ReservationPurpose.APPOINTMENT,
            live=True,
            period__endswith__gt=clock.now(),
        )
        for uid in kept.order_by("pk").values_list("uid", flat=True):
            plans.release(reservation_uid=uid, by=by)
    record(
        visit,
        events.VISIT_WENT_AWAY,
        by=by,
        changed={"state": (before, visit.state), "promised_at": (promised, None)},
    )
    return visit


@transaction.atomic
def take_in_again(*, visit: Visit, by: Actor) -> Visit:
    """AWAY → IN_SHOP; a booking of the car for today has arrived with it. The caller holds the visit."""
    before = visit.state
    visit.come_back()
    booked = (
        Appointment.objects.filter(vehicle_id=visit.vehicle_id, store_id=visit.store_id, state__in=EXPECTED_STATES)
        .locked()
        .order_by("starts_at", "pk")
    )
    came = next((booking for booking in booked if booking.is_of_today), None)
    if came is not None:
        visit.appointment = arrive_appointment(appointment=came, by=by)
    visit.save(update_fields=["state", "appointment"])
    record(
        visit,
        events.VISIT_CAME_BACK,
        by=by,
        changed={"state": (before, visit.state)},
        appointment=came.uid if came else None,
    )
    return visit
