"""Reads of bookings: a day, a week, one booking, the preparation list, and finding the car for a new one (2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from dealership.catalogue.models import Operation, Part, Reservation, ReservationPurpose, ResourceKind
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Message, Store
from dealership.kernel.saying import say_name
from dealership.process.selectors.timeline import timeline_of_roots

from .. import permissions
from ..limits import NO_SHOW_MINUTES
from ..models import (
    EXPECTED_STATES,
    OPEN_VISITS,
    WAITING_STATES,
    A,
    Appointment,
    Customer,
    Ownership,
    Vehicle,
    Visit,
    VisitState,
)
from . import capacity
from .search import Typed, customer_filter

FILTERS = ("all", "requested", "unprepared", "replan", "late", "arrived", "gone")
STAGE_OF = {
    A.REQUESTED: "consent",
    A.CONFIRMED: "booked",
    A.PREPARED: "ready",
    A.ARRIVED: "reception",
    A.CANCELLED: "wait",
    A.NO_SHOW: "late",
}
MOST_FOUND = 6


def store_of(by: Actor) -> Store:
    """The store the actor acts in."""
    return Store.objects.get(pk=by.store_id)


def day_bounds(store: Store, day: date) -> tuple[datetime, datetime]:
    """Midnight to midnight of a store day."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(store.time_zone))
    return start, start + timedelta(days=1)


def _between(by: Actor, store: Store, first: date, days: int) -> QuerySet[Appointment]:
    start, _end = day_bounds(store, first)
    return (
        Appointment.objects.for_actor(by)
        .filter(store=store, starts_at__gte=start, starts_at__lt=start + timedelta(days=days))
        .select_related("vehicle", "customer", "advisor")
        .prefetch_related("items")
        .order_by("starts_at", "pk")
    )


@dataclass(slots=True)
class Row:
    """A booking in a list."""

    appointment: Appointment
    late_minutes: int
    visit: Visit | None = None

    @property
    def stage(self) -> str:
        return "late" if self.late_minutes else STAGE_OF[A(self.appointment.state)]

    @property
    def what(self) -> str:
        names = [say_name(item.description) for item in self.appointment.items.all()]
        return " · ".join(names) or self.appointment.concern


@dataclass(frozen=True, slots=True)
class Counted:
    code: str
    label: str
    value: int
    tone: str = ""


def _passes(row: Row, show: str) -> bool:
    state = row.appointment.state
    if show == "requested":
        return state == A.REQUESTED
    if show == "unprepared":
        return state in (A.REQUESTED, A.CONFIRMED)
    if show == "replan":
        return row.appointment.needs_replan
    if show == "late":
        return bool(row.late_minutes)
    if show == "arrived":
        return state == A.ARRIVED
    if show == "gone":
        return state in (A.CANCELLED, A.NO_SHOW)
    return state not in (A.CANCELLED, A.NO_SHOW)


def day_list(by: Actor, day: date, show: str = "all") -> dict[str, Any]:
    """The bookings of a day with the counts that filter them; ``show`` is one of FILTERS."""
    store = store_of(by)
    rows = [Row(a, a.late_minutes) for a in _between(by, store, day, 1)]
    visits = {v.appointment_id: v for v in Visit.objects.filter(appointment__in=[r.appointment.pk for r in rows])}
    for row in rows:
        row.visit = visits.get(row.appointment.pk)
    labels = {
        "all": _("booked"),
        "requested": _("to be confirmed"),
        "unprepared": _("not prepared yet"),
        "replan": _("to be planned anew"),
        "late": _("late"),
        "arrived": _("arrived"),
        "gone": _("cancelled or not come"),
    }
    tones = {"requested": "soon", "replan": "late", "late": "late"}
    strip = []
    for code in FILTERS:
        n = sum(_passes(row, code) for row in rows)
        strip.append(Counted(code, labels[code], n, tones.get(code, "") if n else ""))
    return {"rows": [row for row in rows if _passes(row, show)], "strip": strip, "any": bool(rows)}


@dataclass(slots=True)
class WeekDay:
    day: date
    is_today: bool
    is_open: bool
    name: str
    rows: list[Row] = field(default_factory=list)


def week(by: Actor, first: date) -> list[WeekDay]:
    """Seven days from ``first`` with their bookings (cancelled ones left out)."""
    store = store_of(by)
    calendar = capacity.store_calendar(store)
    names = dict(
        store.calendar_days.filter(day__gte=first, day__lt=first + timedelta(days=7)).values_list("day", "name")
    )
    today = clock.today(store.time_zone)
    days = {
        day: WeekDay(day, day == today, calendar.is_working_day(day), names.get(day, ""))
        for day in (first + timedelta(days=n) for n in range(7))
    }
    for appointment in _between(by, store, first, 7).exclude(state=A.CANCELLED):
        days[calendar.local_day(appointment.starts_at)].rows.append(Row(appointment, appointment.late_minutes))
    return list(days.values())


def today_count(by: Actor) -> int:
    """Cars that are still expected today, for the rail."""
    store = store_of(by)
    return _between(by, store, clock.today(store.time_zone), 1).filter(state__in=EXPECTED_STATES).count()


def has_requests(by: Actor) -> bool:
    """Somebody asked online and waits for an answer: the rail's number turns red."""
    return Appointment.objects.for_actor(by).filter(state=A.REQUESTED, starts_at__gt=clock.now()).exists()


def appointment_page(by: Actor, uid: UUID) -> dict[str, Any]:
    """One booking with what belongs to it. Raises Appointment.DoesNotExist for a foreign store's."""
    appointment = (
        Appointment.objects.for_actor(by)
        .select_related("store", "vehicle", "customer", "advisor")
        .prefetch_related("items__operation")
        .get(uid=uid)
    )
    minutes = limits.value(NO_SHOW_MINUTES, store_id=appointment.store_id)
    gone = appointment.starts_at + timedelta(minutes=minutes) <= clock.now()
    return {
        "appointment": appointment,
        "stage": Row(appointment, appointment.late_minutes).stage,
        "late_minutes": appointment.late_minutes,
        "plans": (kept := capacity.plans_of(appointment)),
        "loan": next((plan for plan in kept if plan.resource.kind == ResourceKind.LOAN_CAR), None),
        "deposit_open": capacity.deposit_open(appointment),
        "events": timeline_of_roots(by, [appointment.uid]),
        "parts": parts_needed([appointment]).get(appointment.pk, []),
        "visit": Visit.objects.for_actor(by).filter(appointment=appointment).first(),
        "here": Visit.objects.for_actor(by).filter(vehicle=appointment.vehicle, state__in=OPEN_VISITS).first(),
        "messages_sent": list(
            Message.objects.for_actor(by)
            .filter(Q(key__startswith=f"appointment:{uid}:") | Q(key__startswith=f"reminder:{uid}:"))
            .order_by("pk")
        ),
        "other_time": appointment.waiting_for_another.filter(state__in=WAITING_STATES).first(),
        "pick_up": appointment.transports.select_related("driver").order_by("-pk").first(),
        "may_say_no_show": appointment.is_expected and gone,
        "no_show_minutes": minutes,
    }


@dataclass(frozen=True, slots=True)
class PartNeed:
    part: Part
    quantity: Decimal


def parts_needed(appointments: Sequence[Appointment]) -> dict[int, list[PartNeed]]:
    """What each booking's operations usually need, by the booking's key."""
    wanted: dict[int, dict[int, PartNeed]] = {}
    operation_ids = {item.operation_id for a in appointments for item in a.items.all() if item.operation_id}
    usual: dict[int, list[Any]] = {}
    for operation in Operation.objects.filter(pk__in=operation_ids).prefetch_related("parts__part"):
        usual[operation.pk] = list(operation.parts.all())
    for appointment in appointments:
        rows = wanted.setdefault(appointment.pk, {})
        for item in appointment.items.all():
            for row in usual.get(item.operation_id or 0, []):
                known = rows.get(row.part_id)
                rows[row.part_id] = PartNeed(row.part, row.quantity + (known.quantity if known else 0))
    return {pk: list(rows.values()) for pk, rows in wanted.items()}


@dataclass(slots=True)
class Prepared:
    """One line of the preparation list."""

    row: Row
    parts: list[PartNeed]
    plans: list[Reservation]


@dataclass(slots=True)
class PreparedDay:
    day: date
    lines: list[Prepared]

    @property
    def parts_left(self) -> int:
        return sum(line.row.appointment.parts_confirmed_at is None for line in self.lines)

    @property
    def workshop_left(self) -> int:
        return sum(line.row.appointment.workshop_confirmed_at is None for line in self.lines)


def preparation(by: Actor, days: int = 4) -> list[PreparedDay]:
    """The expected cars of the coming days (today first) with parts, bay and technician (2.4)."""
    store = store_of(by)
    first = clock.today(store.time_zone)
    rows = list(_between(by, store, first, days).filter(state__in=EXPECTED_STATES))
    parts = parts_needed(rows)
    plans: dict[UUID, list[Reservation]] = {}
    live = Reservation.objects.filter(
        subject_uid__in=[a.uid for a in rows], purpose=ReservationPurpose.APPOINTMENT, live=True
    )
    for plan in live.select_related("resource").order_by("period", "resource__kind"):
        plans.setdefault(plan.subject_uid, []).append(plan)
    by_day: dict[date, list[Prepared]] = {}
    zone = ZoneInfo(store.time_zone)
    for appointment in rows:
        line = Prepared(
            Row(appointment, appointment.late_minutes), parts.get(appointment.pk, []), plans.get(appointment.uid, [])
        )
        by_day.setdefault(appointment.starts_at.astimezone(zone).date(), []).append(line)
    return [PreparedDay(day, lines) for day, lines in sorted(by_day.items())]


@dataclass(frozen=True, slots=True)
class FoundCar:
    """A car that fits what was typed, with its owner, last visit, a booking it already has and its visit now."""

    vehicle: Vehicle
    owner: Customer | None
    last_visit: Visit | None
    booked: Appointment | None
    here: Visit | None


def find_cars(by: Actor, text: str) -> list[FoundCar]:
    """Cars by plate, VIN tail, or the owner's number, name or pinyin; at most MOST_FOUND, [] for too little."""
    typed = Typed(" ".join(formats.fold_width(text.replace("\x00", "")).split())[:60])
    if len(typed.plain) < 2 or not by.may(permissions.VEHICLES_VIEW):
        return []
    where = Q()
    if len(typed.plain) >= 3:
        for plate in typed.plates:
            where |= Q(plate__contains=plate)
        if len(typed.vin) >= 6 and typed.vin.isascii():
            where |= Q(vin__endswith=typed.vin)
    people = customer_filter(typed)
    if people is not None:
        owners = Customer.objects.for_actor(by).unmerged().filter(people).order_by("-updated_at").values("pk")[:50]
        where |= Q(
            pk__in=Ownership.objects.filter(
                ends_on__isnull=True, customer__in=list(owners.values_list("pk", flat=True))
            ).values("vehicle")
        )
    if not where:
        return []
    return _found(by, Vehicle.objects.for_actor(by).filter(where).order_by("-updated_at", "pk")[:MOST_FOUND])


def car_by_uid(by: Actor, uid: UUID) -> FoundCar | None:
    """One car as ``find_cars`` shows it; None where there is none."""
    rows = _found(by, Vehicle.objects.for_actor(by).filter(uid=uid))
    return rows[0] if rows else None


def _found(by: Actor, vehicles: QuerySet[Vehicle]) -> list[FoundCar]:
    owners = Ownership.objects.filter(ends_on__isnull=True).select_related("customer")
    last = Visit.objects.for_actor(by).filter(state=VisitState.DEPARTED).order_by("-arrived_at")
    inside = Visit.objects.for_actor(by).filter(state__in=OPEN_VISITS)
    ahead = Appointment.objects.for_actor(by).filter(state__in=EXPECTED_STATES, starts_at__gt=clock.now())
    rows = vehicles.prefetch_related(
        Prefetch("ownerships", owners, to_attr="present"),
        Prefetch("visits", last, to_attr="past"),
        Prefetch("visits", inside, to_attr="inside"),
        Prefetch("appointments", ahead.order_by("starts_at"), to_attr="ahead"),
    )
    return [
        FoundCar(
            row,
            row.present[0].customer if row.present else None,
            row.past[0] if row.past else None,
            row.ahead[0] if row.ahead else None,
            row.inside[0] if row.inside else None,
        )
        for row in rows
    ]
