"""What chapter 8 does behind the outbox."""

from typing import Any

from compliance.services.archives import add_to_file, archive_order
from compliance.services.health_uploads import queue_upload
from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles
from delivery.core_models import CorePayout
from delivery.models import Deposit, Payment, Settlement
from delivery.rework_models import ReworkCase
from workshop.accident_models import Assessment
from workshop.core_models import CoreReturn
from workshop.models import Certificate, Clocking, RepairOrder
from workshop.old_part_models import OldPart
from workshop.sublet_models import SubletOrder
from workshop.warranty_claim_models import WarrantyClaim


# --- archive ---
@handles("reception.visit.departed", name="compliance.archive_orders")
def archive_orders(event: Event) -> None:
    """When the car has left, the file of each of its orders goes to the archive (3.3, 8.4); where it was written at an
    earlier departure, what came since is added."""
    by = machine("archive", store_id=event.store_id)
    for uid in RepairOrder.objects.filter(visit__uid=event.root_uid).order_by("id").values_list("uid", flat=True):
        archive_order(order_uid=uid, by=by)
        add_to_file(order_uid=uid, because=event.code, by=by)


ORDERS_OF: dict[str, tuple[Any, tuple[str, ...]]] = {
    "assessment": (Assessment, ("accident__order",)),
    "certificate": (Certificate, ("order",)),
    "clocking": (Clocking, ("line__order",)),
    "corepayout": (CorePayout, ("core__part_line__line__order",)),
    "corereturn": (CoreReturn, ("core__part_line__line__order",)),
    "deposit": (Deposit, ("order",)),
    "oldpart": (OldPart, ("line__order",)),
    "payment": (Payment, ("settlement__order",)),
    "reworkcase": (ReworkCase, ("line__order", "order")),
    "settlement": (Settlement, ("order",)),
    "subletorder": (SubletOrder, ("line__order",)),
    "warrantyclaim": (WarrantyClaim, ("order",)),
}
"""Kind of row that an event is about → the orders whose files it may belong to."""


@handles(
    "delivery.settlement.issued",
    "delivery.settlement.signed",
    "delivery.settlement.voided",
    "delivery.payment.taken",
    "delivery.payment.refunded",
    "delivery.deposit.returned",
    "delivery.core_payout.paid",
    "delivery.rework.opened",
    "delivery.rework.accepted",
    "delivery.rework.refused",
    "delivery.rework.started",
    "delivery.rework.mended",
    "delivery.rework.sent_out",
    "delivery.rework.paid",
    "delivery.rework.withdrawn",
    "workshop.assessment.agreed",
    "workshop.assessment.refused",
    "workshop.certificate.voided",
    "workshop.clocking.corrected",
    "workshop.core_return.came_in",
    "workshop.old_part.decided",
    "workshop.old_part.shown",
    "workshop.old_part.given",
    "workshop.old_part.returned",
    "workshop.old_part.scrapped",
    "workshop.sublet.accepted",
    "workshop.warranty_claim.submitted",
    "workshop.warranty_claim.returned",
    "workshop.warranty_claim.approved",
    "workshop.warranty_claim.rejected",
    "workshop.warranty_claim.paid",
    "workshop.warranty_claim.withdrawn",
    name="compliance.add_to_files",
)
def add_to_files(event: Event) -> None:
    """3.3: what happens to an order after its file was written enters there as an addendum; before it, nothing is owed."""
    model, paths = ORDERS_OF[event.root_type]
    of = [model.objects.filter(uid=event.root_uid).values(f"{path}_id") for path in paths]
    for pk in of:
        for order in RepairOrder.objects.filter(pk__in=pk):  # a return's first order may be another store's
            by = machine("archive", store_id=order.store_id)
            add_to_file(order_uid=order.uid, because=event.code, by=by)


# --- health records ---
@handles("delivery.settlement.signed", name="compliance.queue_health_record")
def queue_health_record(event: Event) -> None:
    """When the customer has signed the list, its health record is owed to the platform (3.3, domain 7.2)."""
    queue_upload(settlement_uid=event.root_uid, by=machine("health", store_id=event.store_id))
