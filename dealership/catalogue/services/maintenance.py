"""Maintenance plans: written as a draft, released from a day on, followed by the next version (3.1).

Whoever changes a draft holds its row; whoever releases one holds the draft and the version it follows, in that order
of their keys.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import (
    MaintenanceItem,
    MaintenancePlan,
    Operation,
    PlanState,
    Powertrain,
    VehicleModel,
)
from dealership.catalogue.services.versions import Kind, release_version
from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record

INTERVALS = ("every_km", "every_months", "first_km", "first_months", "severe_km", "severe_months")
MOST_KM, MOST_MONTHS = 500_000, 240
PLANS = Kind(
    root="plan",
    empty=_("A plan without work can't be released; add what is to be done."),
    released=events.MAINTENANCE_PLAN_RELEASED,
    followed=events.MAINTENANCE_PLAN_FOLLOWED,
)


def same_cars(plan: MaintenancePlan) -> QuerySet:
    """All versions for the cars of this plan."""
    return MaintenancePlan.objects.filter(
        make=plan.make, series=plan.series, model=plan.model_id, powertrain=plan.powertrain
    )


def _draft(uid: UUID) -> MaintenancePlan:
    plan: MaintenancePlan = MaintenancePlan.objects.locked().get(uid=uid)
    if plan.state != PlanState.DRAFT:
        raise RuleError("plan.released", _("This version is released and stays as it is; write the next version."))
    return plan


@transaction.atomic
def draft_plan(
    *,
    name: str,
    by: Actor,
    make: str = "",
    series: str = "",
    model_uid: UUID | None = None,
    powertrain: str = "",
    source: str = "",
) -> MaintenancePlan:
    """Begins the first version of a plan for some cars; an empty make, series, model or powertrain means any.

    Raises RuleError ``plan.name``, ``plan.scope`` (a series without a make, a model beside other words), and
    ``plan.exists`` where these cars have a version already.
    """
    by.require(permissions.MAINTENANCE_MANAGE)
    words = formats.one_line(name)
    if not words:
        raise RuleError("plan.name", _("Give the plan a name."), field="name")
    if powertrain not in ("", *Powertrain.values):
        raise RuleError("plan.scope", _("There is no such kind of energy."), field="powertrain")
    model = VehicleModel.objects.get(uid=model_uid) if model_uid else None
    make, series = make.strip()[:40], series.strip()[:60]
    if series and not make:
        raise RuleError("plan.scope", _("A series belongs to a make; name it too."), field="make")
    if model is not None and (make or series or powertrain):
        raise RuleError("plan.scope", _("A model says everything; leave make, series and energy empty."), field="model")
    plan = MaintenancePlan(
        name=words[:80],
        number=1,
        make=make,
        series=series,
        model=model,
        powertrain=powertrain,
        source=source.strip()[:120],
    )
    if same_cars(plan).exists():
        raise RuleError("plan.exists", _("These cars have a plan already; write its next version."), field="make")
    plan.save(force_insert=True)
    record(plan, events.MAINTENANCE_PLAN_DRAFTED, by=by, number=plan.number)
    return plan


@transaction.atomic
def draft_next(*, uid: UUID, by: Actor) -> MaintenancePlan:
    """Begins the next version for the same cars with the items of this one; ``plan.draft_exists`` where one is begun."""
    by.require(permissions.MAINTENANCE_MANAGE)
    plan = MaintenancePlan.objects.locked().get(uid=uid)
    if same_cars(plan).filter(state=PlanState.DRAFT).exists():
        raise RuleError("plan.draft_exists", _("A next version for these cars is being written already."))
    last = same_cars(plan).aggregate(last=Max("number"))["last"]
    made: MaintenancePlan = MaintenancePlan.objects.create(
        name=plan.name,
        number=last + 1,
        make=plan.make,
        series=plan.series,
        model_id=plan.model_id,
        powertrain=plan.powertrain,
        source=plan.source,
    )
    MaintenanceItem.objects.bulk_create(
        MaintenanceItem(
            plan=made,
            operation_id=item.operation_id,
            repeats=item.repeats,
            **{name: getattr(item, name) for name in INTERVALS},
        )
        for item in plan.items.order_by("id")
    )
    record(made, events.MAINTENANCE_PLAN_DRAFTED, by=by, number=made.number, follows=plan.uid)
    return made


@transaction.atomic
def put_item(
    *,
    plan_uid: UUID,
    operation_uid: UUID,
    by: Actor,
    every_km: int | None = None,
    every_months: int | None = None,
    first_km: int | None = None,
    first_months: int | None = None,
    severe_km: int | None = None,
    severe_months: int | None = None,
    repeats: bool = True,
) -> MaintenancePlan:
    """Writes an operation of a draft with its intervals, or changes it where it stands there already.

    Raises RuleError ``plan.released``, ``plan_item.interval`` and ``plan_item.severe`` (rarer than the ordinary one).
    """
    by.require(permissions.MAINTENANCE_MANAGE)
    plan = _draft(plan_uid)
    operation = Operation.objects.get(uid=operation_uid, active=True)
    given = {
        "every_km": every_km,
        "every_months": every_months,
        "first_km": first_km,
        "first_months": first_months,
        "severe_km": severe_km,
        "severe_months": severe_months,
    }
    for name, value in given.items():
        least, most = (500, MOST_KM) if name.endswith("km") else (1, MOST_MONTHS)
        if value is not None and not least <= value <= most:
            raise RuleError(
                "plan_item.interval",
                _("An interval lies between %(least)s and %(most)s."), field=name, least=least, most=most,
            )  # fmt: skip
    if every_km is None and every_months is None:
        raise RuleError("plan_item.interval", _("Say after how many km or months it is due."), field="every_km")
    for unit in ("km", "months"):
        severe, usual = given[f"severe_{unit}"], given[f"every_{unit}"]
        if severe is not None and (usual is None or severe > usual):
            raise RuleError(
                "plan_item.severe",
                _("Cars driven hard come in more often than others, not less."),
                field=f"severe_{unit}",
            )
    before = MaintenanceItem.objects.filter(plan=plan, operation=operation).first()
    MaintenanceItem.objects.update_or_create(plan=plan, operation=operation, defaults=given | {"repeats": repeats})
    record(
        plan,
        events.MAINTENANCE_PLAN_CHANGED,
        by=by,
        operation=operation.code,
        changed={name: (getattr(before, name, None), value) for name, value in given.items()},
    )
    plan.refresh_from_db(fields=["version", "updated_at"])
    return plan


@transaction.atomic
def drop_item(*, plan_uid: UUID, operation_uid: UUID | None, by: Actor) -> MaintenancePlan:
    """Takes an operation out of a draft. Raises RuleError ``plan.released``, ``plan_item.gone`` where it isn't in it."""
    by.require(permissions.MAINTENANCE_MANAGE)
    plan = _draft(plan_uid)
    item = next((row for row in plan.items.select_related("operation") if row.operation.uid == operation_uid), None)
    if item is None:
        raise RuleError("plan_item.gone", _("This work isn't in the plan any more; look again."))
    item.delete()
    record(plan, events.MAINTENANCE_PLAN_CHANGED, by=by, operation=item.operation.code, taken_out=True)
    plan.refresh_from_db(fields=["version", "updated_at"])
    return plan


@transaction.atomic
def release_plan(*, uid: UUID, starts_on: date, by: Actor) -> MaintenancePlan:
    """The draft holds from a day on; the version that held until then ends the day before (3.1).

    Raises RuleError ``plan.released``, ``plan.empty``, and ``plan.later`` where a version from that day or later holds.
    """
    by.require(permissions.MAINTENANCE_MANAGE)
    asked = MaintenancePlan.objects.get(uid=uid)
    return release_version(asked, same_cars(asked), starts_on=starts_on, kind=PLANS, by=by)


@transaction.atomic
def discard_plan(*, uid: UUID, by: Actor) -> MaintenancePlan:
    """Throws a draft away. Raises RuleError ``plan.released``."""
    by.require(permissions.MAINTENANCE_MANAGE)
    plan = _draft(uid)
    record(plan, events.MAINTENANCE_PLAN_DISCARDED, by=by, number=plan.number)
    key = plan.pk
    plan.delete()
    plan.pk = key
    return plan
