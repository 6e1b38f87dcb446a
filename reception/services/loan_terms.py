"""When a loan car that is out is expected back: shared by the commands on loan cars and on bookings (2.4)."""

from __future__ import annotations

from datetime import datetime

from dealership.kernel.actors import Actor
from dealership.kernel.history import record

from .. import events
from ..loan_models import LoanState, LoanTrip
from ..models import Appointment


def expect_back(*, trip: LoanTrip, expected_at: datetime, by: Actor) -> LoanTrip:
    """Called with the trip locked, inside the caller's transaction."""
    before, trip.expected_at = trip.expected_at, expected_at
    trip.save(update_fields=["expected_at"])
    record(
        trip,
        events.LOAN_KEPT_LONGER,
        by=by,
        store_id=trip.visit.store_id,
        changed={"expected_at": (before, expected_at)},
        car=trip.car.uid,
    )
    return trip


def loan_is_extended(*, appointment: Appointment, expected_at: datetime, by: Actor) -> None:
    """Called by ``extend_loan``: the booking's loan car, where it is out, is expected back then."""
    out = LoanTrip.objects.locked().filter(visit__appointment=appointment, state=LoanState.OUT).first()
    if out is not None and out.expected_at < expected_at:
        expect_back(trip=out, expected_at=expected_at, by=by)
