"""What chapter 4 does behind the outbox."""

from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles
from delivery.models import Handover
from delivery.services.followups import plan_follow_up
from delivery.services.rework import mend_reworks


# --- follow-up and surveys ---
@handles("reception.visit.departed", name="delivery.plan_follow_up")
def plan_callback(event: Event) -> None:
    """A car that left after work is followed up on day 3."""
    plan_follow_up(visit_uid=event.root_uid, by=machine("follow-up", store_id=event.store_id))


# --- rework within the guarantee ---
@handles("delivery.handover.done", name="delivery.mend_reworks")
def mend_returns(event: Event) -> None:
    """A car that is handed over after its rework order is mended (3.2)."""
    handover = Handover.objects.select_related("visit").get(uid=event.root_uid)
    mend_reworks(visit_uid=handover.visit.uid, by=machine("rework", store_id=event.store_id))
