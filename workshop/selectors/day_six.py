"""Long repairs under 三包: which days are owed a loan car or transport money, and what was given (domain 3.6, art. 21)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import F, Q

from dealership.catalogue.models import Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from reception.loan_models import LoanState, LoanTrip
from workshop import statutory_warranty as law
from workshop.day_six_models import DaySixCare
from workshop.models import OrderStage, RepairOrder
from workshop.selectors import faults

PAGE = 50
BACK_DAYS = 90
"""Repairs that ended longer ago aren't listed."""


@dataclass(slots=True)
class DaySix:
    """One repair on its fourth day or later. ``owed`` are the dates from the sixth day on, ``missing`` those of them for
    which nothing was given; ``day`` counts begun days of 24 hours from the agreement, waiting for parts included, the
    time the owner had the car back left out."""

    order: RepairOrder
    day: int
    running: bool
    owed: list[date]
    given: list[DaySixCare]

    @property
    def missing(self) -> list[date]:
        return [day for day in self.owed if not any(_covers(care, day) for care in self.given)]

    @property
    def prepare(self) -> bool:
        """Nothing is owed yet, but will be soon: a loan car is prepared now."""
        return self.running and not self.owed and not self.given


def _covers(care: DaySixCare, day: date) -> bool:
    return care.starts_on <= day and (care.ends_on is None or day <= care.ends_on)


def long_repairs(orders: Sequence[RepairOrder]) -> dict[int, DaySix]:
    """By the order's key, those of ``orders`` that count under 三包 and have reached the fourth day."""
    if not orders:
        return {}
    now = clock.now()
    standings = faults.standings(list({order.vehicle_id: order.vehicle for order in orders}.values()))
    wanted = {order.pk: order for order in orders}
    given: dict[int, list[DaySixCare]] = defaultdict(list)
    for care in (
        DaySixCare.objects.filter(order__in=wanted).select_related("given_by", "loan_car").order_by("starts_on")
    ):
        given[care.order_id].append(care)
    found: dict[int, DaySix] = {}
    for standing in standings:
        rules, start = standing.rules, standing.start
        if rules is None or start is None:
            continue
        for row in standing.counted:
            repair, order = row.repair, wanted.get(row.line.order_id)
            if order is None or order.pk in found:
                continue
            if not law.in_repair_period(rules, start, repair.agreed_at.date(), repair.km):
                continue
            days = law.repair_days(repair, now, exclude=False)
            if days < rules.alert_loan_day:
                continue
            owed = [law.moment_after(repair, timedelta(days=n)).date() for n in range(rules.loan_after_days, days)]
            found[order.pk] = DaySix(order, days, repair.completed_at is None, owed, given[order.pk])
    return found


def day_six_of(order: RepairOrder) -> DaySix | None:
    return long_repairs([order]).get(order.pk)


def get_order(uid: UUID, by: Actor) -> RepairOrder:
    return RepairOrder.objects.for_actor(by).select_related("vehicle", "store", "visit", "customer").get(uid=uid)


def loan_cars(order: RepairOrder) -> list[Resource]:
    """The loan cars of the order's store."""
    cars = Resource.objects.filter(store_id=order.store_id, kind=ResourceKind.LOAN_CAR, active=True)
    return list(cars.order_by("position", "code"))


def loan_car_of(order: RepairOrder) -> Resource | None:
    """The loan car that the order's customer has now."""
    trip = LoanTrip.objects.filter(visit_id=order.visit_id, state=LoanState.OUT).select_related("car").first()
    return trip.car if trip is not None else None


def get_care(uid: UUID, by: Actor) -> DaySixCare:
    return DaySixCare.objects.for_actor(by).select_related("order__vehicle", "order__store").get(uid=uid)


@dataclass(frozen=True, slots=True)
class DaySixList:
    rows: list[DaySix]
    late: int
    owed: int
    prepare: int


def day_six_list(by: Actor) -> DaySixList:
    """Long repairs of the store, days for which nothing was given first; ended ones only while something is missing."""
    now = clock.now()
    done = Q(stage__in=[OrderStage.SETTLED, OrderStage.CLOSED], closed_at__isnull=False)
    lasting = Q(closed_at__gt=F("opened_at") + timedelta(days=5)) & Q(closed_at__gt=now - timedelta(days=BACK_DAYS))
    orders = (
        RepairOrder.objects.for_actor(by)
        .filter(~done | lasting, store_id=by.store_id, withdrawn_at__isnull=True, opened_at__lt=now - timedelta(days=3))
        .filter(Q(lines__pay_type="WARRANTY") | Q(lines__judgements__isnull=False))
        .distinct()
        .select_related("vehicle", "advisor", "store")
        .order_by("pk")
    )
    rows = [row for row in long_repairs(list(orders)).values() if row.running or row.missing]
    rows.sort(key=lambda row: (-len(row.missing), -row.day, row.order.pk))
    return DaySixList(
        rows=rows[:PAGE],
        late=sum(bool(row.missing) for row in rows),
        owed=sum(bool(row.owed) for row in rows),
        prepare=sum(row.prepare for row in rows),
    )


def span(days: Iterable[date]) -> str:
    """The first and last of some days, as people write a stretch."""
    listed = sorted(days)
    if not listed:
        return ""
    return f"{listed[0]:%m-%d}" if len(listed) == 1 else f"{listed[0]:%m-%d}–{listed[-1]:%m-%d}"
