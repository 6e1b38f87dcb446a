"""What the customer's page says about a visit, in plain words (1.3)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, stages
from dealership.kernel.actors import Actor

from ..models import EXPECTED_STATES, Appointment, Visit, VisitState
from .today import DISPATCH, LANE_OF
from .visits import placement_of

STEPS = (
    (_("Reception"), (stages.BOOKING, stages.ARRIVAL, stages.RECEPTION)),
    (_("Check"), (stages.DIAGNOSIS, stages.CONSENT)),
    (_("Repair"), (stages.WORK,)),
    (_("Final check"), (stages.INSPECTION,)),
    (_("Hand-over"), (stages.SETTLEMENT, stages.DELIVERY, stages.FOLLOW_UP)),
)
WORDS = {
    stages.BOOKING.code: _("You are booked"),
    stages.ARRIVAL.code: _("Somebody will be with you at once"),
    stages.RECEPTION.code: _("We are receiving you"),
    stages.DIAGNOSIS.code: _("We are checking your car"),
    stages.CONSENT.code: _("We are waiting for your decision"),
    stages.WORK.code: _("Your car is being worked on"),
    stages.INSPECTION.code: _("Your car is being checked once more"),
    stages.SETTLEMENT.code: _("Your car is ready, the list is being made"),
    stages.DELIVERY.code: _("Your car is ready for you"),
    stages.FOLLOW_UP.code: _("Your car has left us"),
}
WAITS_WORDS = _("Your car is waiting for its turn in the workshop")
"""Agreed, but nobody works on it: not given out yet, a part or a person is missing."""
ENDED_WORDS = {
    VisitState.DEPARTED: _("Thank you for your visit"),
    VisitState.AWAY: _("The part for your car is on its way; we write when it is here"),
    VisitState.CONSULTED: _("Thank you for your question"),
    VisitState.SALES_LEAD: _("Our sales team looks after you"),
    VisitState.LEFT_UNSERVED: _("This visit has ended"),
}


def state_words(by: Actor, visit: Visit) -> Any:
    """One sentence: what is happening to the car now."""
    if visit.state in ENDED_WORDS:
        return ENDED_WORDS[VisitState(visit.state)]
    placed = placement_of(by, visit)
    if placed.lane == DISPATCH.code:
        return WORDS[stages.CONSENT.code] if placed.asked else WAITS_WORDS
    return WORDS[(placed.stage or LANE_OF[placed.lane].stage).code]


def progress_of(by: Actor, visit: Visit) -> list[dict[str, Any]]:
    """The five steps a customer understands, for <c-stage-bar>."""
    if not visit.is_open:
        done = {VisitState.DEPARTED: len(STEPS), VisitState.AWAY: 2}.get(VisitState(visit.state), 1)
        return [
            {"label": label, "state": "done" if place < done else "todo", "stage": ""}
            for place, (label, _stages) in enumerate(STEPS)
        ]
    placed = placement_of(by, visit)
    stage = placed.stage or LANE_OF[placed.lane].stage
    here = next(place for place, (_label, held) in enumerate(STEPS) if stage in held)
    colour = DISPATCH.colour if placed.lane == DISPATCH.code else stage.colour
    return [
        {
            "label": label,
            "state": "done" if place < here else "now" if place == here else "todo",
            "stage": colour,
        }
        for place, (label, _stages) in enumerate(STEPS)
    ]


def next_booking(visit: Visit) -> Appointment | None:
    """The next booking of this customer's car (2.4)."""
    rows = Appointment.objects.filter(
        vehicle_id=visit.vehicle_id,
        customer_id=visit.customer_id,
        state__in=EXPECTED_STATES,
        starts_at__gt=clock.now(),
    )
    return rows.select_related("store").order_by("starts_at").first()
