"""Reads of what a special tool is planned for: who needs it when, for which car (2.4, 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from dealership.catalogue.models import Reservation, ReservationPurpose
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_plate
from staff.models import Employee
from staff.selectors.employees import employed, employees_with_role
from workshop.limits import TOOL_PLANNED_MINUTES
from workshop.models import Dispatch
from workshop.tool_models import ToolAsset


@dataclass(frozen=True, slots=True)
class PlannedUse:
    """One time for which the plan keeps a tool: from when to when, who does the work, which car."""

    starts_at: datetime
    ends_at: datetime
    people: frozenset[int]
    names: str
    """Who it is planned for; "" where a booking keeps it and nobody has the work yet."""
    car: str
    closed: bool = False
    """So near (``workshop.tool_planned_minutes``) that nobody else gets the tool any more."""


def planned_uses(tool: ToolAsset) -> list[PlannedUse]:
    """What the plan keeps the tool for in the rest of the store's day, earliest first."""
    if tool.resource_id is None:
        return []
    now, zone = clock.now(), ZoneInfo(tool.store.time_zone)
    end = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
    near = now + timedelta(minutes=int(limits.value(TOOL_PLANNED_MINUTES, store_id=tool.store_id)))
    held = Reservation.objects.filter(
        resource_id=tool.resource_id,
        live=True,
        purpose__in=(ReservationPurpose.WORK, ReservationPurpose.APPOINTMENT),
        period__startswith__lt=end,
        period__endswith__gt=now,
    ).order_by("period")
    found = []
    for row in held:
        plans = list(_plans_behind(row))
        start = row.period.lower
        found.append(
            PlannedUse(
                starts_at=start,
                ends_at=row.period.upper,
                people=frozenset(plan.technician_id for plan in plans),
                names=", ".join(dict.fromkeys(plan.technician.name for plan in plans)),
                car=(say_plate(plans[0].line.order.vehicle.plate) or plans[0].line.order.number) if plans else row.note,
                closed=start <= near,
            )
        )
    return found


def _plans_behind(row: Reservation) -> QuerySet[Dispatch]:
    """Who is given the work that a time is kept for: of its line, or of the car that was booked."""
    of_line, of_booking = Q(line__uid=row.subject_uid), Q(line__order__visit__appointment__uid=row.subject_uid)
    rows = Dispatch.objects.filter(of_line if row.purpose == ReservationPurpose.WORK else of_booking, live=True)
    return rows.select_related("technician", "line__order__vehicle").order_by("pk")


def others_use(uses: Iterable[PlannedUse], person: Employee | None) -> PlannedUse | None:
    """The next planned use that isn't the person's own; None where the person is the next one, or nobody is."""
    first = next(iter(uses), None)
    return None if first is None or (person is not None and person.pk in first.people) else first


def takers(by: Actor) -> tuple[list[Employee], list[Employee]]:
    """Who a tool may be given to: technicians first, then the others; each by name."""
    people = list(Employee.objects.for_actor(by).filter(employed(clock.today())).order_by("pinyin", "pk"))
    ids = set(employees_with_role(by.store_id or 0, "technician", clock.today()).values_list("pk", flat=True))
    return [one for one in people if one.pk in ids], [one for one in people if one.pk not in ids]
