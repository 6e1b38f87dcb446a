"""Declined advice as it is read: for one car, and the queue of whom to ask again, with its value (3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateField,
    DateTimeField,
    Exists,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    When,
)
from django.db.models.functions import Cast

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO
from reception.models import Ownership, Vehicle
from workshop.models import Advice, AdviceState

PAGE = 50


@dataclass(frozen=True, slots=True)
class AdviceQueue:
    """``rows`` are the first ``PAGE`` of ``found``; sums are CNY with VAT over all that is open in the store."""

    rows: list[Advice]
    found: int
    today: date
    due: int
    due_value: Decimal
    later: int
    later_value: Decimal
    safety: int
    sold: int


def sold_on() -> Q:
    """3.1: the car has another owner than when it was declined, or none known: who said no isn't asked about it again, and
    nobody else reads what that person said. It is offered for the car, at its next visit."""
    owned = Ownership.objects.filter(vehicle=OuterRef("vehicle"))
    said_no = OuterRef("line__order__visit__customer")
    there = Func(
        OuterRef("store__time_zone"), OuterRef("declined_at"), function="timezone", output_field=DateTimeField()
    )
    bought = owned.filter(ends_on__isnull=True, starts_on__gt=Cast(there, DateField())).exclude(customer=said_no)
    sold = owned.filter(ends_on__isnull=False, customer=said_no)
    keeps = owned.filter(ends_on__isnull=True, customer=said_no)
    return Q(Exists(bought)) | (Q(Exists(sold)) & ~Q(Exists(keeps)))


def _with_facts(rows: QuerySet[Advice]) -> QuerySet[Advice]:
    return rows.select_related("line__operation", "line__order__visit__customer", "vehicle").annotate(
        sold_on=Case(When(sold_on(), then=True), default=False, output_field=BooleanField())
    )


def open_of(vehicle: Vehicle, *, store_id: int, customer_id: int | None = None) -> list[Advice]:
    """What was declined for this car in the store and isn't closed, safety first; only of one customer where named."""
    rows = Advice.objects.filter(vehicle=vehicle, store_id=store_id, state=AdviceState.OPEN)
    if customer_id is not None:
        rows = rows.filter(line__order__visit__customer_id=customer_id)
    return list(_with_facts(rows).order_by("-is_safety", "-declined_at", "pk"))


def get_advice(uid: UUID, by: Actor) -> Advice:
    return _with_facts(Advice.objects.for_actor(by)).get(uid=uid)


def advice_queue(by: Actor, *, show: str = "due") -> AdviceQueue:
    """Whom to ask again: what is due, safety and value first; ``later`` what comes, ``safety`` what concerns safety. Of a
    car that was sold nobody is asked by telephone; ``sold`` lists those, to be offered at the car's next visit."""
    store = Store.objects.get(pk=by.store_id)
    today = clock.today(store.time_zone)
    every = Advice.objects.for_actor(by).filter(store=store, state=AdviceState.OPEN)
    rows = every.exclude(sold_on())
    due, later = Q(offer_on__lte=today), Q(offer_on__gt=today)
    sums = rows.aggregate(
        due=Count("pk", filter=due),
        due_value=Sum("amount", filter=due),
        later=Count("pk", filter=later),
        later_value=Sum("amount", filter=later),
        safety=Count("pk", filter=Q(is_safety=True)),
    )
    sold = every.filter(sold_on())
    shown = {"later": rows.filter(later), "safety": rows.filter(is_safety=True), "sold": sold}.get(
        show, rows.filter(due)
    )
    order = ("offer_on", "-amount", "pk") if show == "later" else ("-is_safety", "-amount", "pk")
    of_sold = sold.count()
    found = {"later": sums["later"], "safety": sums["safety"], "sold": of_sold}.get(show, sums["due"])
    return AdviceQueue(
        list(_with_facts(shown).order_by(*order)[:PAGE]),
        found,
        today,
        sums["due"],
        sums["due_value"] or ZERO,
        sums["later"],
        sums["later_value"] or ZERO,
        sums["safety"],
        of_sold,
    )


def due_count(by: Actor) -> int:
    """How many are to be asked today, for the rail."""
    rows = Advice.objects.for_actor(by).filter(store_id=by.store_id, state=AdviceState.OPEN).exclude(sold_on())
    return rows.filter(offer_on__lte=clock.today()).count()
