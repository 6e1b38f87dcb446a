"""Shifts and rosters: who works when (5.1), and nobody untrained at the desk (2.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from dealership.kernel import limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from staff import events, permissions
from staff.limits import RECEPTION_SKILL_LEVEL
from staff.models import DESK_ROLES, Employee, EmployeeSkill, RosterDay, Shift
from staff.selectors.employees import roles_on

LONGEST_PLAN = 400


@transaction.atomic
def define_shift(
    *,
    store: Store,
    code: str,
    name: str,
    starts: time,
    ends: time,
    by: Actor,
    break_from: time | None = None,
    break_to: time | None = None,
) -> Shift:
    """Adds a kind of working day to a store (store time); the same code again changes its hours."""
    by.require(permissions.ROSTER_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist
    if ends <= starts:
        raise RuleError("shift.order", _("A shift ends after it starts."), field="ends")
    shift, _created = Shift.objects.update_or_create(
        store=store,
        code=code,
        defaults={"name": name, "starts": starts, "ends": ends, "break_from": break_from, "break_to": break_to},
    )
    return shift


def _shift(employee: Employee, code: str) -> Shift:
    shift = Shift.objects.filter(store_id=employee.store_id, code=code).first()
    if shift is None:
        raise RuleError("roster.shift", _("The store has no shift “%(wanted)s”."), field="shift_code", wanted=code)
    return shift


def _require_trained(employee: Employee, day: date) -> None:
    """2.1.1: who serves at the desk has completed the pre-job training, and it still counts on that day."""
    if not set(DESK_ROLES) & roles_on(employee, day):
        return
    needed = limits.value(RECEPTION_SKILL_LEVEL, store_id=employee.store_id, on=day)
    graded = EmployeeSkill.objects.filter(employee=employee, skill__code="reception", level__gte=needed).first()
    if graded is None:
        raise RuleError(
            "roster.untrained",
            _("%(name)s has no current pre-job training for the desk (2.1.1); grade the skill “Reception” first."),
            field="shift_code",
            name=employee.name,
        )
    if graded.valid_until is not None and graded.valid_until < day:
        raise RuleError(
            "roster.training_expired",
            _(
                "%(name)s's pre-job training for the desk runs out on %(until)s (2.1.1); renew the skill “Reception” first."
            ),
            field="shift_code",
            name=employee.name,
            until=date_format(graded.valid_until, "Y-m-d"),
        )


def _require_employed(employee: Employee, first: date, last: date) -> None:
    if first < employee.hired_on or (employee.left_on is not None and last > employee.left_on):
        raise RuleError("roster.not_employed", _("The person isn't employed on that day."), field="day")


@transaction.atomic
def set_roster_day(*, employee_uid: UUID, day: date, shift_code: str | None, by: Actor, absence: str = "") -> RosterDay:
    """Sets one person's day: a shift, or free (``shift_code`` None) with the kind of absence where there is one (5.1).

    Raises RuleError "roster.untrained" and "roster.training_expired" for the desk (2.1.1), "roster.absent" for a shift
    on a day of absence.
    """
    by.require(permissions.ROSTER_MANAGE)
    employee = Employee.objects.for_actor(by).locked().get(uid=employee_uid)
    _require_employed(employee, day, day)
    shift = _shift(employee, shift_code) if shift_code else None
    absence = absence.strip()[:40]
    if shift is not None:
        if absence:
            raise RuleError("roster.absent", _("Who is absent works no shift; choose one of both."), field="absence")
        _require_trained(employee, day)
    row = RosterDay.objects.filter(employee=employee, day=day).select_related("shift").first()
    before = row.shift.code if row and row.shift else None
    if row is None:
        row = RosterDay(employee=employee, day=day, store_id=employee.store_id)
    row.shift, row.absence = shift, absence
    row.save()
    record(
        row,
        events.ROSTER_SET,
        by=by,
        changed={"shift": (before, shift.code if shift else None)},
        employee=employee.uid,
        day=day,
        absent=bool(absence),
    )
    return row


@transaction.atomic
def plan_roster(*, employee_uid: UUID, first: date, last: date, week: Mapping[int, str | None], by: Actor) -> Employee:
    """Fills the days from ``first`` to ``last`` that have no row yet by weekday (0 = Monday → shift code or None).

    Days that are already set stay as they are. One event for the whole plan.
    """
    by.require(permissions.ROSTER_MANAGE)
    employee = Employee.objects.for_actor(by).locked().get(uid=employee_uid)
    if not first <= last <= first + timedelta(days=LONGEST_PLAN):
        raise RuleError(
            "roster.period", _("A roster is planned from a day to a later one, a year at most."), field="last"
        )
    _require_employed(employee, first, last)
    shifts = {code: _shift(employee, code) for code in set(week.values()) if code}
    if shifts:
        for day in (first, last):
            _require_trained(employee, day)
    taken = set(RosterDay.objects.filter(employee=employee, day__range=(first, last)).values_list("day", flat=True))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [
        RosterDay(
            employee=employee,
            day=day,
            store_id=employee.store_id,
            shift=shifts.get(week.get(day.weekday()) or ""),
        )
        for day in days
        if day not in taken
    ]
    RosterDay.objects.bulk_create(rows)
    record(employee, events.ROSTER_PLANNED, by=by, first=first, last=last, days=len(rows))
    return employee
