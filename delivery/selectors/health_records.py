"""The facts of an order's health record, as they stand (domain 7.2)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from dealership.kernel import clock, limits
from delivery.health_record import Facts, Missing, missing
from delivery.limits import HEALTH_RECORD
from delivery.models import Settlement, SettlementLineKind
from reception.models import PlateKind
from workshop.models import LineState, RepairOrder

NOT_YET = "—"


def facts_of(order: RepairOrder, rows: Iterable[Any], *, number: str, at: Any) -> Facts:
    """From an order and the rows of its list; ``at`` is when it was settled, days are the store's.

    A line that was ended before anybody worked on it is no job of the record, though the list names it.
    """
    zone = ZoneInfo(order.store.time_zone)
    car, visit = order.vehicle, order.visit
    rows = list(rows)
    undone = set(order.lines.filter(state=LineState.WITHDRAWN, hours=0).values_list("pk", flat=True))
    return Facts(
        company=order.store.company or order.store.name,
        plate=car.plate,
        unregistered=car.plate_kind == PlateKind.UNREGISTERED,
        vin=car.vin,
        repaired_on=visit.arrived_at.astimezone(zone).date() if visit.arrived_at else None,
        odometer_km=visit.odometer_in_km,
        settled_on=at.astimezone(zone).date(),
        fault=order.complaint,
        list_number=number,
        projects=[
            (row.description, Decimal(row.quantity))
            for row in rows
            if row.kind == SettlementLineKind.LABOR and row.order_line_id not in undone
        ],
        parts=[
            (row.description, row.code, Decimal(row.quantity))
            for row in rows
            if row.kind == SettlementLineKind.MATERIAL
        ],
    )


def facts_of_list(settlement: Settlement) -> Facts:
    """From a list that was issued: its own rows and number."""
    order = settlement.order
    return facts_of(order, settlement.lines.all(), number=settlement.number, at=settlement.issued_at)


def missing_for_list(order: RepairOrder, rows: Iterable[Any]) -> list[Missing]:
    """What keeps the list of an order from being issued, where the store sends health records; [] elsewhere.

    A list on which nothing was done owes no record, so it lacks no job.
    """
    if not limits.value(HEALTH_RECORD, store_id=order.store_id):
        return []
    facts = facts_of(order, rows, number=NOT_YET, at=clock.now())
    return [row for row in missing(facts) if row.fact != "repairprojectlist" or facts.has_work]
