"""Core charges: what is still to come in, what lies here for the supplier, what the supplier owes (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Q

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from workshop.core_models import CoreCharge, CoreReturn

PAGE = 100
_FACTS = ("part", "store", "part_line__line__order__vehicle", "sale_line__sale__customer")


@dataclass(frozen=True, slots=True)
class CoreList:
    open: int
    late: int
    all: int
    rows: list[CoreCharge]


def core_list(by: Actor, *, show: str = "open") -> CoreList:
    """The store's core charges with their returns: those with old parts to come in, those past their day, or all."""
    rows = CoreCharge.objects.for_actor(by).filter(store_id=by.store_id)
    to_come = Q(returned__lt=F("quantity"))
    kinds = {"open": to_come & Q(due_on__gte=clock.today()), "late": to_come & Q(due_on__lt=clock.today())}
    sums = rows.aggregate(all=Count("pk"), **{name: Count("pk", filter=which) for name, which in kinds.items()})
    shown = rows.filter(kinds[show]).order_by("due_on", "pk") if show in kinds else rows.order_by("-pk")
    return CoreList(
        sums["open"], sums["late"], sums["all"], list(shown.select_related(*_FACTS).prefetch_related("returns")[:PAGE])
    )


def get_core(uid: UUID, by: Actor) -> CoreCharge:
    return CoreCharge.objects.for_actor(by).select_related(*_FACTS).get(uid=uid)


def get_core_return(uid: UUID, by: Actor) -> CoreReturn:
    return CoreReturn.objects.for_actor(by).select_related("core__part").get(uid=uid)
