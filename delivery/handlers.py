"""What chapter 4 does behind the outbox."""

from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles
from delivery.services.followups import plan_follow_up


# --- follow-up and surveys ---
@handles("reception.visit.departed", name="delivery.plan_follow_up")
def plan_callback(event: Event) -> None:
    """A car that left after work is followed up on day 3."""
    plan_follow_up(visit_uid=event.root_uid, by=machine("follow-up", store_id=event.store_id))
