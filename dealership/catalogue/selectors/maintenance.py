"""Maintenance plans as they are read: the list, one version, the one that holds for a car on a day (3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Prefetch, Q

from dealership.catalogue.models import MaintenanceItem, MaintenancePlan, Operation, PlanState, VehicleModel
from dealership.kernel import clock

_items = Prefetch("items", MaintenanceItem.objects.select_related("operation").order_by("operation__code"))


@dataclass(frozen=True, slots=True)
class PlanCars:
    """All versions for the same cars: the one that holds, the one to come, the draft, and how many were before."""

    now: MaintenancePlan | None
    coming: MaintenancePlan | None
    draft: MaintenancePlan | None
    newest: MaintenancePlan
    earlier: int


def plan_list() -> list[PlanCars]:
    """Every kind of car with a plan, the most general first."""
    today = clock.today()
    grouped: dict[tuple[object, ...], list[MaintenancePlan]] = {}
    rows = MaintenancePlan.objects.select_related("model").annotate(works=Count("items"))
    for row in rows.order_by("make", "series", "model__name", "powertrain", "-number"):
        grouped.setdefault((row.make, row.series, row.model_id, row.powertrain), []).append(row)
    found = []
    for versions in grouped.values():
        released = [row for row in versions if row.state == PlanState.RELEASED]
        now = next((row for row in released if holds(row, today)), None)
        coming = next((row for row in released if row.starts_on and row.starts_on > today), None)
        draft = next((row for row in versions if row.state == PlanState.DRAFT), None)
        past = [row for row in released if row is not now and row is not coming]
        found.append(PlanCars(now, coming, draft, draft or coming or now or versions[0], len(past)))
    return found


def holds(plan: MaintenancePlan, on: date) -> bool:
    return bool(
        plan.state == PlanState.RELEASED
        and plan.starts_on
        and plan.starts_on <= on
        and (plan.ends_on is None or plan.ends_on >= on)
    )


def get_plan(uid: UUID) -> MaintenancePlan:
    return MaintenancePlan.objects.select_related("model").prefetch_related(_items).get(uid=uid)


def versions_of(plan: MaintenancePlan) -> list[MaintenancePlan]:
    """The other versions for the same cars, newest first."""
    rows = MaintenancePlan.objects.filter(
        make=plan.make, series=plan.series, model=plan.model_id, powertrain=plan.powertrain
    )
    return list(rows.exclude(pk=plan.pk).order_by("-number"))


def plan_for(model: VehicleModel | None, powertrain: str, *, on: date | None = None) -> MaintenancePlan | None:
    """The released version that holds on a day for a car, the narrowest scope first: model, series, make, energy."""
    day = on or clock.today()
    rows = (
        MaintenancePlan.objects.filter(state=PlanState.RELEASED, starts_on__lte=day)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))
        .filter(Q(powertrain="") | Q(powertrain=powertrain))
    )
    if model is None:
        rows = rows.filter(make="", series="", model__isnull=True)
    else:
        rows = rows.filter(Q(make="") | Q(make=model.make), Q(series="") | Q(series=model.series)).filter(
            Q(model__isnull=True) | Q(model=model)
        )
    found = list(rows.prefetch_related(_items))
    return max(found, key=_narrowness, default=None)


def _narrowness(plan: MaintenancePlan) -> tuple[bool, bool, bool, bool]:
    return plan.model_id is not None, bool(plan.series), bool(plan.make), bool(plan.powertrain)


def offered_operations() -> list[Operation]:
    """Operations that a plan may ask for, maintenance first."""
    return list(Operation.objects.filter(active=True, is_diagnosis=False).order_by("-is_maintenance", "code"))
