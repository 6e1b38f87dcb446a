"""Reads of loan cars: which is where, what a visit has, what holds a car (2.1.2, 2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from dealership.catalogue.models import Reservation, Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile

from .. import permissions
from ..loan_models import LoanPhoto, LoanState, LoanTrip
from ..models import Appointment, Visit
from . import capacity

JOINED = ("visit__vehicle", "visit__appointment", "car", "given_by", "back_by", "signature")


@dataclass(frozen=True, slots=True)
class Where:
    """A loan car and where it is: with a customer (``trip``), kept for one now (``now``), or free; ``then`` comes next."""

    car: Resource
    trip: LoanTrip | None
    now: Reservation | None
    then: Reservation | None

    @property
    def is_free(self) -> bool:
        return self.trip is None and self.now is None


def loan_cars(by: Actor) -> list[Where]:
    """The store's loan cars: overdue first, then the ones that are out, kept, free."""
    of_store = Resource.objects.for_actor(by).filter(kind=ResourceKind.LOAN_CAR)
    # One that was taken out of use while it is out stays in the list until it is back.
    there = of_store.filter(Q(active=True) | Exists(LoanTrip.objects.filter(car=OuterRef("pk"), state=LoanState.OUT)))
    cars = list(there.order_by("position", "code"))
    ids = [car.pk for car in cars]
    trips = {
        trip.car_id: trip for trip in LoanTrip.objects.filter(car__in=ids, state=LoanState.OUT).select_related(*JOINED)
    }
    now = clock.now()
    kept: dict[int, list[Reservation]] = {}
    for plan in Reservation.objects.filter(resource__in=ids, live=True, period__endswith__gt=now).order_by("period"):
        kept.setdefault(plan.resource_id, []).append(plan)
    rows = []
    for car in cars:
        trip = trips.get(car.pk)
        booking = trip.visit.appointment if trip else None
        others = [plan for plan in kept.get(car.pk, []) if booking is None or plan.subject_uid != booking.uid]
        current = others[0] if others and others[0].period.lower <= now and trip is None else None
        rows.append(Where(car, trip, current, next((p for p in others if p is not current), None)))
    rows.sort(key=lambda row: (not (row.trip and row.trip.is_overdue), row.trip is None, row.is_free))
    return rows


def loans_ended(by: Actor) -> list[LoanTrip]:
    """The last twenty that came back within thirty days."""
    rows = LoanTrip.objects.for_actor(by).filter(state=LoanState.BACK, back_at__gte=clock.now() - timedelta(days=30))
    return list(rows.select_related(*JOINED).order_by("-back_at", "-pk")[:20])


def trip_of(by: Actor, uid: UUID) -> LoanTrip:
    """One trip with what its page shows. Raises LoanTrip.DoesNotExist for a foreign store's."""
    rows = LoanTrip.objects.for_actor(by).select_related(*JOINED, "visit__store").prefetch_related("photos__file")
    return rows.get(uid=uid)


def loan_photo(by: Actor, uid: UUID) -> StoredFile:
    return LoanPhoto.objects.select_related("file").get(uid=uid, trip__in=LoanTrip.objects.for_actor(by)).file


def loan_signature(by: Actor, uid: UUID) -> StoredFile:
    trip = LoanTrip.objects.for_actor(by).select_related("signature").get(uid=uid, signature__isnull=False)
    assert trip.signature is not None
    return trip.signature


def out_spans(resources: Iterable[Resource], subject_uid: UUID | None) -> Iterator[tuple[int, datetime, datetime]]:
    """When loan cars that are out aren't there for another plan; for the booking whose customer has one, it is theirs."""
    cars = {row.pk: row for row in resources if row.kind == ResourceKind.LOAN_CAR}
    if not cars:
        return
    if subject_uid is not None:
        theirs = LoanTrip.objects.filter(state=LoanState.OUT, visit__appointment__uid=subject_uid)
        for car_id in theirs.values_list("car_id", flat=True):
            cars.pop(car_id, None)
    for car_id, car in cars.items():
        yield from capacity.out_spans([car_id], ZoneInfo(car.store.time_zone))


def open_trip(visit: Visit) -> LoanTrip | None:
    """The loan car that this visit's customer has now."""
    return LoanTrip.objects.filter(visit=visit, state=LoanState.OUT).select_related("car").first()


def loans_out(by: Actor) -> int:
    """Loan cars that are with customers, for the rail."""
    return LoanTrip.objects.for_actor(by).filter(state=LoanState.OUT).count()


def overdue(by: Actor) -> list[LoanTrip]:
    """What should be back and isn't, the longest first."""
    rows = LoanTrip.objects.for_actor(by).filter(state=LoanState.OUT, expected_at__lte=clock.now())
    return list(rows.select_related("car", "visit__vehicle").order_by("expected_at", "pk"))


def has_overdue(by: Actor) -> bool:
    return LoanTrip.objects.for_actor(by).filter(state=LoanState.OUT, expected_at__lte=clock.now()).exists()


@dataclass(frozen=True, slots=True)
class Standing:
    """What visit and booking say of the loan car: the trip, else what the booking keeps and why it isn't free yet."""

    visit: Visit | None
    trip: LoanTrip | None = None
    plan: Reservation | None = None
    with_trip: LoanTrip | None = None
    other_plan: Reservation | None = None
    may_give: bool = False

    @property
    def is_early(self) -> bool:
        """It is kept for a later hour, and nobody has it before."""
        return bool(self.plan and self.plan.period.lower > clock.now() and not self.with_trip and not self.other_plan)


def standing(by: Actor, *, visit: Visit | None, appointment: Appointment | None) -> Standing | None:
    """None where no loan car is wanted, kept or given."""
    trip = (
        LoanTrip.objects.filter(visit=visit).select_related("car").order_by("-pk").first()
        if visit is not None
        else None
    )
    if trip is not None and trip.is_out:
        return Standing(visit, trip=trip)
    is_open = visit.is_open if visit is not None else appointment is not None and appointment.is_expected
    plan = capacity.loan_of(appointment) if appointment is not None and is_open else None
    may_give = visit is not None and visit.is_open and by.may(permissions.LOANS_WORK)
    if plan is None:
        wants = visit is not None and visit.is_open and visit.waiting_mode == "LOANER"
        return Standing(visit, trip=trip, may_give=may_give) if trip is not None or wants else None
    now = clock.now()
    with_trip = (
        LoanTrip.objects.filter(car=plan.resource, state=LoanState.OUT).select_related("visit__vehicle", "car").first()
    )
    other = (
        Reservation.objects.filter(resource=plan.resource, live=True, period__contains=now).exclude(pk=plan.pk).first()
        if with_trip is None
        else None
    )
    return Standing(visit, trip=trip, plan=plan, with_trip=with_trip, other_plan=other, may_give=may_give)


def choices_for(by: Actor, visit: Visit) -> dict[str, Any]:
    """The loan cars that may go now, the booking's own first; with when each is kept for somebody else next."""
    plan = capacity.loan_of(visit.appointment) if visit.appointment else None
    own = visit.appointment.uid if visit.appointment else None
    rows = [row for row in loan_cars(by) if row.trip is None and (row.now is None or row.now.subject_uid == own)]
    rows.sort(key=lambda row: plan is None or row.car.pk != plan.resource_id)
    return {"rows": rows, "plan": plan, "ids": [row.car.pk for row in rows]}
