"""Clocking at a shared tablet: a badge, then the code of a job; what is written is written by the badge's person (3.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.services import actor_of
from staff.models import Employee
from workshop import permissions
from workshop.models import Clocking, OrderLine, PauseCause
from workshop.selectors.kiosk import PAUSE, lines_behind
from workshop.services.clocking import clock_off, clock_on, open_clocking


def person_behind(employee: Employee) -> Actor:
    """The badge's person, who may do at a kiosk what belongs to the own jobs and nothing else."""
    if employee.user is None or not employee.user.is_active:
        raise RuleError("kiosk.badge", _("This badge belongs to nobody who clocks work here."))
    whole = actor_of(employee.user, employee.store)
    own = replace(whole, permissions=whole.permissions & {permissions.JOBS_OWN})
    own.require(permissions.JOBS_OWN)
    return own


TWICE = timedelta(seconds=20)
"""The same job scanned again so soon is a slip of the scanner, no pause."""


@transaction.atomic
def clock_by_scan(*, employee_uid: UUID, code: str, by: Actor) -> Clocking:
    """The second scan: a job's code clocks on, the same job's once more pauses it, a pause's code says why (3.2).

    Who is clocked on elsewhere changes to the scanned job. ``by`` is the kiosk of the store; what happens is the
    person's. Raises RuleError ``kiosk.badge``, ``kiosk.again``, ``kiosk.unknown``, ``kiosk.which`` (several jobs
    of that order are the person's: scan the one's own code) and what clocking says.
    """
    employee = Employee.objects.for_actor(by).locked().select_related("user", "store").get(uid=employee_uid)
    person = person_behind(employee)
    scanned = code.strip().upper()
    if scanned.startswith(PAUSE):
        cause = scanned.removeprefix(PAUSE)
        return clock_off(pause_cause=cause, by=person)
    line = _the_one(lines_behind(scanned, employee))
    busy = open_clocking(employee)
    if busy is not None and busy.line_id == line.pk:
        if clock.now() - busy.started_at < TWICE:
            raise RuleError(
                "kiosk.again", _("You have just clocked on to this job; to pause it, scan again in a moment.")
            )
        return clock_off(pause_cause=PauseCause.BREAK, by=person)
    return clock_on(line_uid=line.uid, leave=True, by=person)


def _the_one(found: list[OrderLine]) -> OrderLine:
    if not found:
        raise RuleError("kiosk.unknown", _("No open job has this code; scan the job again, or ask the foreman."))
    if len(found) > 1:
        raise RuleError("kiosk.which", _("Several jobs of this order are yours: scan the code of the one."))
    return found[0]
