"""What chapter 8 does behind the outbox."""

from compliance.services.archives import archive_order
from compliance.services.health_uploads import queue_upload
from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles
from workshop.models import RepairOrder


# --- archive ---
@handles("reception.visit.departed", name="compliance.archive_orders")
def archive_orders(event: Event) -> None:
    """When the car has left, the file of each of its orders goes to the archive (3.3, 8.4)."""
    by = machine("archive", store_id=event.store_id)
    for uid in RepairOrder.objects.filter(visit__uid=event.root_uid).order_by("id").values_list("uid", flat=True):
        archive_order(order_uid=uid, by=by)


# --- health records ---
@handles("delivery.settlement.signed", name="compliance.queue_health_record")
def queue_health_record(event: Event) -> None:
    """When the customer has signed the list, its health record is owed to the platform (3.3, domain 7.2)."""
    queue_upload(settlement_uid=event.root_uid, by=machine("health", store_id=event.store_id))
