"""A car that stands in the shop again for work of ours that is under guarantee (3.2)."""

from __future__ import annotations

from dealership.kernel.actors import Actor
from delivery.models import Handover
from delivery.rework_models import ReworkCase
from delivery.services.rework import open_rework
from reception.models import OPEN_VISITS, Visit, VisitState
from tests.factories.reception import make_signed_visit
from workshop.models import OrderLine


def come_back(by: Actor) -> ReworkCase:
    """The last car that left the actor's store after work with a guarantee is here again; ``by`` is an advisor."""
    open_cars = Visit.objects.filter(state__in=OPEN_VISITS).values("vehicle_id")
    line = (
        OrderLine.objects.for_actor(by)
        .filter(
            state="INSPECTED",
            settled=True,
            order__settlements__state="SIGNED",
            order__settlements__guarantee_days__gt=0,
            order__visit__state=VisitState.DEPARTED,
        )
        .exclude(order__vehicle__plate="")
        .exclude(order__vehicle_id__in=open_cars)
        .select_related("order__vehicle")
        .order_by("-order__visit__handover__at", "pk")
        .first()
    )
    assert line is not None, "a car has left after work"
    out = Handover.objects.get(visit_id=line.order.visit_id)
    visit = make_signed_visit(by, plate=line.order.vehicle.plate, odometer_km=out.odometer_km + 9)
    return open_rework(visit_uid=visit.uid, line_uid=line.uid, complaint="又有异响", by=by)
