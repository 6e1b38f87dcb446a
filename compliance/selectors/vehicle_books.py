"""Reads of the book of a car (3.3): settled orders as they are known of any car, whoever owned it."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet

from compliance.vehicle_book import Book, DoneWork, FittedPart, Stay
from dealership.catalogue.models import PartKind
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.saying import say_name
from delivery.models import Settlement, SettlementState
from reception.models import Ownership, Vehicle, Visit
from workshop.models import Certificate, LineState, OrderLine, PartLine, RepairOrder


def book_of(vehicle: Vehicle, by: Actor) -> Book:
    """The book as ``by`` may read it, the newest stay first.

    Colleagues and other systems: the settled orders of their stores. The link's holder: every settled order of the group
    where the visit's customer owns the car today, else only those of that customer's own visits.
    """
    owner = Ownership.objects.filter(vehicle=vehicle, ends_on__isnull=True).order_by("pk").first()
    owner_id = owner.customer_id if owner else None
    rows = RepairOrder.objects.filter(vehicle=vehicle, settled_at__isnull=False)
    whole = True
    if by.kind == ActorKind.LINK:
        reader = Visit.objects.values_list("customer_id", flat=True).get(Q(pk=by.visit_id), vehicle=vehicle)
        whole = reader == owner_id
        rows = rows if whole else rows.filter(visit__customer_id=reader)
        own_id: int | None = reader
    else:
        own_id = owner_id
        rows = rows & RepairOrder.objects.for_actor(by)
    opens = by.kind != ActorKind.LINK
    return Book(vehicle, [_stay(order, own_id, opens=opens) for order in _with_what_was_done(rows)], whole)


def _with_what_was_done(rows: QuerySet[RepairOrder]) -> QuerySet[RepairOrder]:
    parts = PartLine.objects.select_related("part").order_by("pk")
    lines = OrderLine.objects.filter(state=LineState.INSPECTED).select_related("operation").order_by("position")
    lists = Settlement.objects.exclude(state=SettlementState.VOIDED).order_by("pk")
    return (
        rows.select_related("visit", "store")
        .prefetch_related(
            Prefetch("lines", queryset=lines.prefetch_related(Prefetch("part_lines", queryset=parts)), to_attr="done"),
            Prefetch("settlements", queryset=lists, to_attr="lists"),
            Prefetch("certificates", queryset=Certificate.objects.filter(voided_at__isnull=True), to_attr="valid"),
        )
        .order_by("-visit__arrived_at", "-pk")
    )


def _stay(order: RepairOrder, own_id: int | None, *, opens: bool) -> Stay:
    visit, own = order.visit, order.visit.customer_id == own_id
    done: list[OrderLine] = order.done  # type: ignore[attr-defined]
    bill = next(iter(order.lists), None)  # type: ignore[attr-defined]
    return Stay(
        day=visit.arrived_at.astimezone(ZoneInfo(order.store.time_zone)).date(),
        store=order.store.name,
        km_in=visit.odometer_in_km,
        km_out=visit.odometer_out_km,
        works=[DoneWork(_name(line, own=own), str(line.get_category_display())) for line in done],
        parts=[part for line in done for part in _parts(line)],
        guarantee_days=bill.guarantee_days if bill else 0,
        guarantee_km=bill.guarantee_km if bill else 0,
        certified=bool(order.valid),  # type: ignore[attr-defined]
        order_uid=order.uid if opens else None,
    )


def _name(line: OrderLine, *, own: bool) -> str:
    if line.operation:
        return line.operation.said
    return say_name(line.description) if own else str(line.get_category_display())


def _parts(line: OrderLine) -> list[FittedPart]:
    fitted = []
    for row in line.part_lines.all():
        own = row.kind == PartKind.CUSTOMER_SUPPLIED
        quantity = row.quantity if own else row.issued_quantity
        if quantity > Decimal(0):
            fitted.append(FittedPart(row.part.said, row.part.number, str(row.get_kind_display()), quantity))
    return fitted
