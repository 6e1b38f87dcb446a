"""A store's packages as they are read: all versions, and those that hold for a car on a day (3.1)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from dealership.catalogue.models import Operation, PackageItem, PackagePart, ServicePackage, VehicleModel
from dealership.kernel.actors import Actor


def _whole(rows: QuerySet[ServicePackage]) -> QuerySet[ServicePackage]:
    parts = Prefetch("parts", PackagePart.objects.select_related("part").order_by("id"))
    items = PackageItem.objects.select_related("operation").prefetch_related(parts).order_by("operation__code")
    return rows.prefetch_related(Prefetch("items", items))


def packages(by: Actor) -> list[ServicePackage]:
    """All versions of the actor's store, by code, the newest first."""
    return list(_whole(ServicePackage.objects.for_actor(by).filter(store_id=by.store_id)).order_by("code", "-number"))


def get_package(uid: UUID, by: Actor) -> ServicePackage:
    return _whole(ServicePackage.objects.for_actor(by)).get(uid=uid)


def packages_for(model: VehicleModel | None, powertrain: str, *, store_id: int, on: date) -> list[ServicePackage]:
    """What a store offers on a day for a car."""
    rows = ServicePackage.objects.filter(store_id=store_id, starts_on__lte=on).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=on), Q(powertrain="") | Q(powertrain=powertrain)
    )
    if model is None:
        rows = rows.filter(make="")
    else:
        rows = rows.filter(Q(make="") | Q(make=model.make), Q(series="") | Q(series=model.series))
    return list(_whole(rows).order_by("code"))


def offered_operations() -> list[Operation]:
    """Operations that a package may hold, maintenance first."""
    return list(Operation.objects.filter(active=True, is_diagnosis=False).order_by("-is_maintenance", "code"))
