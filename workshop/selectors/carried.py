"""What the shop carries over from today into the coming bookings: work that overruns, work nobody has planned (2.4)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Prefetch

from dealership.catalogue.models import BayCapability, Reservation, ReservationPurpose, Resource
from dealership.kernel import clock
from dealership.kernel.models import Store
from reception.models import VisitState
from reception.rules import Need
from reception.selectors.capacity import Carried
from workshop import rules
from workshop.models import Clocking, Dispatch, LineHold, LineState, OrderLine
from workshop.selectors.plan import OPEN, SLACK, forecast_end


def carried_over(store: Store) -> Carried:
    """A source of ``reception.selectors.capacity.CARRIED``; four queries, whatever the number of cars.

    What runs longer than planned keeps its bay and person until the forecast end. Agreed lines of cars in the shop that
    nobody has planned, that don't wait for parts or an answer, and whose booking keeps no time any more, come first.
    """
    now = clock.now()
    running = (
        Dispatch.objects.filter(store=store, live=True, line__state=LineState.IN_PROGRESS)
        .filter(line__clockings__ended_at__isnull=True, line__clockings__isnull=False)
        .select_related("line")
        .prefetch_related(Prefetch("line__clockings", Clocking.objects.order_by("started_at", "id")))
        .distinct()
    )
    late = []
    for dispatch in running:
        ends = forecast_end(dispatch)
        if ends is not None and ends > dispatch.ends_at + SLACK:
            late.append((dispatch, ends))
    people = dict(
        Resource.objects.filter(employee__in=[d.technician_id for d, _ends in late]).values_list("employee_id", "pk")
    ) if late else {}  # fmt: skip
    overruns = []
    for dispatch, ends in late:
        for resource in filter(None, (dispatch.bay_id, people.get(dispatch.technician_id))):
            overruns.append((resource, max(now, dispatch.ends_at), ends))
    kept = Reservation.objects.filter(
        subject_uid=OuterRef("order__visit__appointment__uid"),
        live=True,
        purpose=ReservationPurpose.APPOINTMENT,
        period__endswith__gt=now,
    )
    loose = (
        OrderLine.objects.filter(order__store=store, order__visit__state=VisitState.IN_SHOP, state__in=OPEN)
        .exclude(Exists(Dispatch.objects.filter(line=OuterRef("pk"), live=True)))
        .exclude(Exists(LineHold.objects.filter(line=OuterRef("pk"), ended_at__isnull=True)))
        .exclude(Exists(kept))
        .select_related("operation")
        .prefetch_related("clockings")
    )
    waiting = []
    for line in loose:
        worked = sum(((c.ended_at or now) - c.started_at).total_seconds() for c in line.clockings.all()) / 60
        minutes = round(rules.plan_minutes(line.hours) - worked)
        if minutes > 0:
            operation = line.operation
            waiting.append(
                Need(
                    operation.capability if operation else BayCapability.STANDARD_LIFT,
                    operation.skill_id if operation else None,
                    operation.skill_level if operation else 0,
                    minutes,
                )
            )
    return Carried(overruns, waiting)
