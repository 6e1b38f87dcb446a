"""Reads of trial parts (3.2): who has what for which car, and what is overdue."""

from __future__ import annotations

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from reception.selectors.capacity import store_calendar
from staff.models import Employee
from staff.selectors.employees import employees_with_role
from workshop.models import LineState, OrderStage, PartTrial, RepairOrder, ReturnCondition, TrialState

ISSUABLE = (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED)
ENDED = (OrderStage.SETTLED, OrderStage.CLOSED, OrderStage.CANCELLED)


def trials_out(by: Actor) -> list[PartTrial]:
    """What is being tried, the longest first; each says whether it is overdue (``late``)."""
    rows = PartTrial.objects.for_actor(by).filter(state=TrialState.OUT).order_by("id")
    found = list(rows.select_related("item__part", "lot", "employee", "order__vehicle")[:200])
    if found:
        store = Store.objects.get(pk=by.store_id)
        now, today = clock.now(), clock.today(store.time_zone)
        calendar = store_calendar(store)
        over = not calendar.is_open(now) and calendar.local_day(calendar.next_open(now)) > today
        for row in found:
            row.late = row.due_on < today or (row.due_on == today and over)
    return found


def trials_ended(by: Actor) -> list[PartTrial]:
    """The last ones that ended."""
    rows = PartTrial.objects.for_actor(by).exclude(state=TrialState.OUT).order_by("-ended_at", "-id")
    return list(rows.select_related("item__part", "lot", "employee", "order__vehicle")[:20])


def orders_in_the_shop(by: Actor) -> list[RepairOrder]:
    """Orders on whose cars a part may be tried, the last first."""
    rows = RepairOrder.objects.for_actor(by).exclude(stage__in=ENDED).filter(closed_at__isnull=True)
    return list(rows.select_related("vehicle").order_by("-id")[:200])


def who_tries(by: Actor) -> list[Employee]:
    """The store's technicians and team leaders of today."""
    people = [*employees_with_role(by.store_id, "technician"), *employees_with_role(by.store_id, "leader")]
    return list({person.pk: person for person in people}.values())


def trials_used(by: Actor) -> list[PartTrial]:
    """What came back opened or fitted from a trial and is no longer stock, the last first."""
    rows = PartTrial.objects.for_actor(by).filter(condition__in=(ReturnCondition.OPENED, ReturnCondition.FITTED))
    return list(
        rows.select_related("item__part", "lot", "employee", "order__vehicle").order_by("-ended_at", "-id")[:100]
    )
