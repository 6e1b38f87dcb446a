"""What still protects a car, as three different things: our work, the parts we put in, and the maker's 三包 (3.2, 3.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dealership.catalogue.models import PartKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from reception.models import Vehicle
from workshop import statutory_warranty as law
from workshop.models import PartLine, RepairOrder
from workshop.selectors.wear import WearCover, covers, make_of

from ..models import Handover, Settlement, SettlementState


@dataclass(frozen=True, slots=True)
class Cover:
    """One protection: until a day or a mileage, whichever comes first; ``running`` while neither is passed."""

    name: str
    until: date
    km: int
    running: bool
    order: RepairOrder | None = None


@dataclass(slots=True)
class Guarantees:
    work: Cover | None = None
    parts: list[Cover] = field(default_factory=list)
    wear: list[WearCover] = field(default_factory=list)
    repair_period: Cover | None = None
    replace_period: Cover | None = None


def guarantees_of(order: RepairOrder, by: Actor) -> Guarantees:
    """The vehicle's earlier hand-overs in the actor's store, and the statutory periods from its invoice."""
    vehicle, found = order.vehicle, Guarantees()
    today, km, zone = clock.today(order.store.time_zone), vehicle.odometer_km, ZoneInfo(order.store.time_zone)
    outs = {
        out.visit_id: out
        for out in Handover.objects.for_actor(by)
        .filter(visit__vehicle=vehicle)
        .exclude(visit_id=order.visit_id)
        .order_by("at")
    }
    lists = (
        Settlement.objects.for_actor(by)
        .filter(order__visit_id__in=outs, state=SettlementState.SIGNED, guarantee_days__gt=0)
        .select_related("order")
        .order_by("-signed_at")
    )
    covers = []
    for settlement in lists:
        out = outs[settlement.order.visit_id]
        until = out.at.astimezone(zone).date() + timedelta(days=settlement.guarantee_days)
        limit = out.odometer_km + settlement.guarantee_km
        covers.append(Cover(settlement.order.number, until, limit, today <= until and km <= limit, settlement.order))
    found.work = max(covers, key=lambda cover: (cover.running, cover.until), default=None)
    built_in = (
        PartLine.objects.filter(line__order__visit_id__in=outs, issued_quantity__gt=0, part__guarantee_months__gt=0)
        .exclude(kind=PartKind.CUSTOMER_SUPPLIED)
        .select_related("part", "line__order")
        .order_by("-pk")
    )
    for entry in built_in:
        out = outs[entry.line.order.visit_id]
        until = law.last_day(out.at.astimezone(zone).date(), months=entry.part.guarantee_months)
        limit = out.odometer_km + entry.part.guarantee_km
        if today <= until and km <= limit:
            found.parts.append(Cover(entry.part.said, until, limit, True, entry.line.order))
    _statutory(found, vehicle, today, km)
    return found


def _statutory(found: Guarantees, vehicle: Vehicle, today: date, km: int) -> None:
    if vehicle.invoiced_on is None:
        return
    start = law.starts_on(vehicle.invoiced_on, vehicle.delivered_on)
    rules = law.rules_on(start)
    found.repair_period = Cover(
        "", law.last_day(start, months=rules.repair_months), rules.repair_km,
        law.in_repair_period(rules, start, today, km),
    )  # fmt: skip
    found.replace_period = Cover(
        "", law.last_day(start, months=rules.replace_months), rules.replace_km,
        law.in_replace_period(rules, start, today, km),
    )  # fmt: skip
    found.wear = [cover for cover in covers(start, make_of(vehicle), today, km) if cover.running]


def statutory_of(vehicle: Vehicle) -> Guarantees | None:
    """三包 of a car by its invoice and delivery, as of today; None where the invoice isn't known (domain 3.6)."""
    if vehicle.invoiced_on is None:
        return None
    found = Guarantees()
    _statutory(found, vehicle, clock.today(), vehicle.odometer_km)
    return found
