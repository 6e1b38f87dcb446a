"""What chapter 3 does behind the outbox."""

from dealership.kernel.events import APPROVAL_DECIDED
from dealership.kernel.history import Event
from dealership.kernel.models import Approval
from dealership.kernel.registry import handles
from workshop.services.orders import DISCOUNT, give_approved_discount


# --- orders ---
@handles(APPROVAL_DECIDED, name="workshop.give_approved_discount")
def on_discount_decided(event: Event) -> None:
    """An approved discount is given to its line."""
    if event.facts.get("kind") == DISCOUNT:
        give_approved_discount(approval=Approval.objects.get(uid=event.root_uid))
