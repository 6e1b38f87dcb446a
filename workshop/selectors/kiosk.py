"""What a scanned code means at a kiosk: a person, a job, a pause (3.2)."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Q

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from staff.models import Employee
from staff.selectors.employees import employees_with_role
from workshop.models import LineState, OrderLine, PauseCause, RepairOrder, WallScreen

PAUSE = "PAUSE-"
OPEN = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


def employee_of_badge(screen: WallScreen, scanned: str) -> Employee | None:
    """Who works in the kiosk's store under this badge; without a badge the staff number is the code."""
    code = scanned.strip()
    today = clock.today(screen.store.time_zone)
    rows = Employee.objects.filter(store=screen.store, user__isnull=False).filter(
        Q(left_on__isnull=True) | Q(left_on__gte=today)
    )
    return (
        rows.filter(Q(badge=code) | Q(badge="", number__iexact=code)).select_related("user").first() if code else None
    )


def job_code(line: OrderLine) -> str:
    """What stands on a job's label: the order's number and the item."""
    return f"{line.order.number}-{line.position}"


def lines_behind(scanned: str, employee: Employee) -> list[OrderLine]:
    """The open jobs behind a job's code, or those of an order's number that were given to the person."""
    rows = OrderLine.objects.filter(order__store_id=employee.store_id, state__in=OPEN).select_related("order")
    whole = rows.filter(order__number=scanned, dispatches__live=True, dispatches__technician=employee).distinct()
    if whole.exists():
        return list(whole.order_by("position"))
    found = re.fullmatch(r"(.+)-(\d{1,4})", scanned)
    return list(rows.filter(order__number=found[1], position=int(found[2]))) if found else []


def jobs_of(employee: Employee) -> list[OrderLine]:
    """What was given to a person and isn't done, as big buttons beside the scanner."""
    rows = OrderLine.objects.filter(state__in=OPEN, dispatches__live=True, dispatches__technician=employee)
    return list(rows.select_related("order__vehicle").distinct().order_by("order_id", "position")[:8])


def pauses() -> list[tuple[str, str]]:
    return [(f"{PAUSE}{cause.value}", str(cause.label)) for cause in PauseCause if cause.value]


def order_codes(order: RepairOrder) -> list[OrderLine]:
    """The jobs of an order that can be clocked on to, for their labels."""
    return list(order.lines.filter(state__in=OPEN).select_related("order").order_by("position"))


WORK_ON_CARS = ("technician", "leader")
"""The posts that clock work; nobody else needs a badge for the kiosk."""


def badges(by: Actor, person: UUID | None = None) -> list[tuple[Employee, str]]:
    """Who of the store works on cars today and has a log-in, with the code of the badge; or one of them."""
    rows = {e.pk: e for role in WORK_ON_CARS for e in employees_with_role(by.store_id, role) if e.user_id is not None}
    found = sorted(rows.values(), key=lambda e: (e.pinyin, e.pk))
    return [(e, badge_of(e)) for e in found if person is None or e.uid == person]


def badge_of(employee: Employee) -> str:
    return employee.badge or employee.number
