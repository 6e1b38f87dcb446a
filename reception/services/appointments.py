"""Commands on bookings: book, confirm, prepare, move, cancel, remind, arrive (2.4).

A booking keeps a bay and a technician for its work as live plans. Who books, moves or confirms again locks the store's
bays and people first, in the order of their keys, so that two bookers run one after the other and the second one sees
what the first one took. Lock order: customer, vehicle, appointment, resources, counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, Reservation, ReservationPurpose
from dealership.catalogue.services import plans
from dealership.catalogue.services.operations import fit_hours
from dealership.kernel import clock, formats, limits, numbering, saying
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import one_statement, record
from dealership.kernel.models import Message, MessageChannel, PeriodicRun, Store
from dealership.kernel.postgres.kept import Kept, insert
from dealership.kernel.services import queue_message, take_period
from staff.models import Employee
from staff.selectors.employees import employees_with_role

from .. import events, permissions, rules
from ..limits import (
    APPOINTMENT_AHEAD_DAYS,
    DEPOSIT_AMOUNT,
    DEPOSIT_NO_SHOWS,
    DEPOSIT_PARTS,
    NO_SHOW_MINUTES,
    ONLINE_NOTICE_MINUTES,
    ONLINE_PER_ADDRESS,
    ONLINE_PER_PHONE,
    PREPARATION_TIME,
    QUIET_FROM,
    QUIET_TO,
    REMINDER_DAYS,
    REMINDER_HOURS,
)
from ..models import (
    EXPECTED_STATES,
    OPEN_VISITS,
    A,
    Appointment,
    AppointmentItem,
    AppointmentSource,
    Customer,
    DepositReason,
    Ownership,
    PlateKind,
    Vehicle,
    Visit,
    WaitingEntry,
    WaitingMode,
)
from ..selectors import capacity
from . import calendars, customers, loan_terms, telling, vehicles
from .online import booking_address, count_try

LOOK_AHEAD = 14
CALENDAR_CHANNELS = (MessageChannel.EMAIL, MessageChannel.WECHAT)
"""Channels whose messages have room for the address of the customer's calendar."""
FROM_OUTSIDE = (AppointmentSource.CONSUMER_PORTAL, AppointmentSource.DMS_DIRECT)
"""What is booked from outside waits for the desk to confirm it."""


@dataclass(frozen=True, slots=True)
class Booked:
    """Times and plans found for a booking."""

    work_at: datetime
    ready_at: datetime
    plans: list[tuple[Any, rules.Span]]
    """Each resource (``capacity.RESOURCE``) with its time."""
    parts_from: date | None = None
    """The store day on which the job's parts will be there; None where they are, or nobody knows."""


@transaction.atomic
def book_appointment(
    *,
    contact_name: str,
    contact_phone: str,
    starts_at: datetime,
    concern: str,
    by: Actor,
    customer_uid: UUID | None = None,
    vehicle_uid: UUID | None = None,
    plate: str = "",
    model_text: str = "",
    operation_uids: Sequence[UUID] = (),
    waiting_mode: str = WaitingMode.LEAVE,
    advisor_uid: UUID | None = None,
    source: str = AppointmentSource.PHONE,
) -> Appointment:
    """2.4: books an arrival at ``starts_at`` (aware) with a bay and a technician for every stretch of the work.

    A car that isn't known is registered by ``plate`` and ``model_text`` with whoever books. Bookings from outside wait
    for the desk (REQUESTED), the desk's own are CONFIRMED. Raises RuleError ``appointment.mandatory`` (names the
    field), ``appointment.past``, ``appointment.too_far``, ``appointment.vehicle_booked``, ``appointment.operation``
    and ``appointment.advisor``; RaceLost ``appointment.taken`` names the next free time.
    """
    by.require(permissions.APPOINTMENTS_BOOK)
    store = _store.first(pk=by.store_id)
    if store is None:
        raise Store.DoesNotExist
    starts_at = starts_at.replace(second=0, microsecond=0)
    words = mandatory(contact_name=contact_name, contact_phone=contact_phone, concern=concern)
    if waiting_mode not in WaitingMode.values or source not in AppointmentSource.values:
        raise RuleError("appointment.choice", _("Choose one of the list."), field="waiting_mode")
    phone = formats.demand(formats.check_phone(words["contact_phone"]), field="contact_phone")
    _require_bookable(store, starts_at)
    operations = offered_operations(operation_uids)
    advisor = receiving_advisor(advisor_uid, by)
    customer, vehicle = customer_and_vehicle(
        customer_uid=customer_uid,
        vehicle_uid=vehicle_uid,
        plate=plate,
        model_text=model_text,
        name=words["contact_name"],
        phone=phone,
        by=by,
    )
    _require_unbooked(store, vehicle, starts_at)
    work = fit_hours(capacity.work_of(operations, vehicle.powertrain), vehicle.model_id)
    found = _find(store, work, starts_at, waiting_mode=waiting_mode, advisor=advisor)
    quoted = capacity.quote(store, work)
    deposit, deposit_reason = deposit_for(store, customer, operations)
    appointment = insert(
        Appointment(
            store=store,
            number=numbering.next_number(store, "AP"),
            customer=customer,
            vehicle=vehicle,
            contact_name=words["contact_name"],
            contact_phone=phone,
            starts_at=starts_at,
            work_starts_at=found.work_at,
            ready_at=found.ready_at,
            advisor=advisor,
            source=source,
            concern=words["concern"],
            waiting_mode=waiting_mode,
            estimated_amount=quoted.amount or 0,
            state=A.REQUESTED if source in FROM_OUTSIDE else A.CONFIRMED,
            deposit_asked=deposit,
            deposit_reason=deposit_reason,
        )
    )
    for item in quoted.items:
        insert(
            AppointmentItem(
                appointment=appointment,
                operation=item.operation,
                description=item.description[:120],
                hours=item.hours,
                amount=item.amount or 0,
            )
        )
    with one_statement(by=by):
        _reserve(appointment, found, by)
        record(
            appointment,
            events.APPOINTMENT_BOOKED,
            by=by,
            changed={"state": (None, appointment.state)},
            starts_at=starts_at,
            ready_at=found.ready_at,
            source=source,
            operations=[operation.code for operation in operations],
            deposit=deposit or None,
            deposit_reason=deposit_reason or None,
        )
    return appointment


def deposit_for(store: Store, customer: Customer | None, operations: Sequence[Operation]) -> tuple[Decimal, str]:
    """What deposit is asked for a booking (CNY) and why; (0, "") for most.

    It is asked of who missed bookings, and for dear parts that aren't free on the shelf, whether ordered yet or not.

    Nobody is refused without it: the booking says that it isn't paid.
    """
    amount = Decimal(limits.value(DEPOSIT_AMOUNT, store_id=store.pk))
    least = limits.value(DEPOSIT_NO_SHOWS, store_id=store.pk)
    if amount <= 0:
        return Decimal(0), ""
    if (
        least
        and customer is not None
        and _missed(customer_id=customer.pk, since=clock.now() - timedelta(days=365)) >= least
    ):
        return amount, DepositReason.NO_SHOWS
    dear = limits.value(DEPOSIT_PARTS, store_id=store.pk)
    if dear and capacity.missing_parts_price(store, operations) >= dear:
        return amount, DepositReason.PARTS
    return Decimal(0), ""


def _missed(*, customer_id: int, since: datetime) -> int:
    missed = Appointment.objects.filter(customer_id=customer_id, state=A.NO_SHOW, starts_at__gte=since)
    return missed.count()


_store: Kept[Store] = Kept(lambda pk: Store.objects.filter(pk=pk), pk=int)


def mandatory(**fields: str) -> dict[str, str]:
    sentences = {
        "contact_name": _("Ask for a name."),
        "contact_phone": _("Ask for a telephone number."),
        "concern": _("Ask what is to be done, in the customer's words."),
    }
    words = {
        name: customers.tidy(value, field=name, limit=_WIDTH[name], lines=name == "concern")
        for name, value in fields.items()
    }
    for name, sentence in sentences.items():
        if not words[name]:
            raise RuleError("appointment.mandatory", sentence, field=name)
    return words


_WIDTH = {"contact_name": 60, "contact_phone": 60, "concern": 500}


def _require_bookable(store: Store, starts_at: datetime) -> None:
    if starts_at.tzinfo is None:
        raise ValueError("An arrival is booked for an aware moment.")
    if starts_at <= clock.now():
        raise RuleError("appointment.past", _("This time has passed; choose a later one."), field="starts_at")
    days = limits.value(APPOINTMENT_AHEAD_DAYS, store_id=store.pk)
    if starts_at > clock.now() + timedelta(days=days):
        raise RuleError(
            "appointment.too_far",
            _("Bookings are taken %(days)s days ahead at most."),
            field="starts_at",
            days=days,
        )


def offered_operations(uids: Sequence[UUID]) -> list[Operation]:
    wanted = list(dict.fromkeys(uids))
    if not wanted:
        return []
    rows = {row.uid: row for row in Operation.objects.filter(uid__in=wanted, active=True).prefetch_related("parts")}
    if len(rows) != len(wanted):
        raise RuleError("appointment.operation", _("One of these operations isn't offered any more."), field="add")
    return [rows[uid] for uid in wanted]


def receiving_advisor(uid: UUID | None, by: Actor) -> Employee | None:
    if uid is None:
        return None
    advisor = employees_with_role(by.store_id, "advisor").filter(uid=uid).first()
    if advisor is None:
        raise RuleError("appointment.advisor", _("This person doesn't receive customers here."), field="advisor")
    return advisor


def customer_and_vehicle(
    *,
    customer_uid: UUID | None,
    vehicle_uid: UUID | None,
    plate: str,
    model_text: str,
    name: str,
    phone: str,
    by: Actor,
) -> tuple[Customer, Vehicle]:
    """The known car with who books, or both registered now; the car's row is locked."""
    vehicle = None
    if vehicle_uid is not None:
        vehicle = _lock_vehicle.first(by=by, uid=vehicle_uid)
        if vehicle is None:
            raise Vehicle.DoesNotExist
    elif plate.strip():
        number = formats.demand(formats.check_plate(plate), field="plate")
        vehicle = Vehicle.objects.filter(plate=number, plate_kind=PlateKind.NORMAL).first()
    else:
        raise RuleError("appointment.vehicle", _("Find the car, or give its plate."), field="plate")
    customer = Customer.objects.for_actor(by).standing(customer_uid) if customer_uid is not None else None
    if customer is None and vehicle is not None:
        owner = _owner.first(vehicle_id=vehicle.pk)
        if owner is not None and (vehicle_uid is not None or phone in (owner.customer.phone, owner.customer.phone_2)):
            customer = owner.customer
    if customer is None:
        customer = Customer.objects.unmerged().filter(phone=phone, name=name).first()
    if customer is None:
        customer = customers.register_customer(name=name, phone=phone, by=by)
    if vehicle is None:
        if not model_text.strip():
            raise RuleError("appointment.mandatory", _("Fill in the model of the car."), field="model_text")
        vehicle = vehicles.register_vehicle(plate=plate, model_text=model_text, owner_uid=customer.uid, by=by)
    return customer, vehicle if vehicle_uid is not None else Vehicle.objects.locked().get(pk=vehicle.pk)


_lock_vehicle: Kept[Vehicle] = Kept(
    lambda by, uid: Vehicle.objects.for_actor(by).filter(uid=uid).locked(), by=Actor, uid=UUID
)
_owner: Kept[Ownership] = Kept(
    lambda vehicle_id: (
        Ownership.objects.filter(vehicle_id=vehicle_id, ends_on__isnull=True).select_related("customer").order_by("pk")
    ),
    vehicle_id=int,
)
_expected: Kept[Appointment] = Kept(
    lambda vehicle_id, start, end: Appointment.objects.filter(
        vehicle_id=vehicle_id, state__in=EXPECTED_STATES, starts_at__gte=start, starts_at__lt=end
    ).order_by("pk"),
    vehicle_id=int,
    start=datetime,
    end=datetime,
)


def _day_of(store: Store, at: datetime) -> tuple[datetime, datetime]:
    start = at.astimezone(ZoneInfo(store.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def _require_unbooked(store: Store, vehicle: Vehicle, starts_at: datetime, besides: Appointment | None = None) -> None:
    """One car comes once a day."""
    start, end = _day_of(store, starts_at)
    expected = _expected(vehicle_id=vehicle.pk, start=start, end=end)
    other = next((row for row in expected if besides is None or row.pk != besides.pk), None)
    if other is not None:
        raise RuleError(
            "appointment.vehicle_booked",
            _("This car is already booked for that day (%(number)s); move that booking."),
            number=other.number,
            held_by=other,
        )


def _find(
    store: Store,
    work: Sequence[Operation],
    starts_at: datetime,
    *,
    waiting_mode: str,
    advisor: Employee | None,
    besides: Appointment | None = None,
) -> Booked:
    """Bay, technician, tool and loan car for the work, with the store's plan locked. RaceLost names the next time."""
    zone = ZoneInfo(store.time_zone)
    wishes = capacity.Wishes.of(waiting_mode, advisor.pk if advisor else None)
    needs = capacity.needs_of(work)
    resources = capacity.resources_of(store, needs, loan_car=wishes.loan_car, lock=True)
    first, parts_from = starts_at.astimezone(zone).date(), capacity.parts_on(store, work)

    def supply_of(days: int) -> rules.Supply:
        return capacity.load_supply(
            store,
            first,
            days,
            needs=needs,
            loan_car=wishes.loan_car,
            parts_from=parts_from,
            besides=besides,
            resources=resources,
        )

    supply = supply_of(1)
    option = rules.option_at(
        supply,
        needs,
        starts_at.astimezone(zone),
        now=clock.now(),
        waits=wishes.waits,
        loan_car=wishes.loan_car,
        advisor=wishes.advisor_id,
    )
    if option.count:
        assert option.work_at is not None
        assert option.ready_at is not None
        rows = {row.pk: row for row in resources}
        chosen = [(rows[pk], span) for pk, span in rules.choose(supply, option)]
        return Booked(option.work_at, option.ready_at, chosen, parts_from)
    closed = option.cause is None or option.cause.code == "closed"
    why = _("The shop is closed then.") if closed else capacity.say_cause(option.cause)
    later = capacity.next_free(supply_of(LOOK_AHEAD), needs, starts_at, days=LOOK_AHEAD, wishes=wishes)
    if later is None:
        raise RaceLost(
            "appointment.taken",
            _("%(why)s Nothing is free in the %(days)s days after it."),
            field="starts_at",
            why=why,
            days=LOOK_AHEAD,
        )
    raise RaceLost(
        "appointment.taken",
        _("%(why)s The next free time is %(next)s."),
        field="starts_at",
        why=why,
        next=say_moment(later.at, store),
        free_at=later.at.isoformat(),
    )


def _reserve(appointment: Appointment, found: Booked, by: Actor) -> None:
    """The plans that ``_find`` found free under the lock of the store's bays and people."""
    plans.reserve_found(
        found.plans,
        purpose=ReservationPurpose.APPOINTMENT,
        subject_uid=appointment.uid,
        note=appointment.number,
        by=by,
    )


def release_plans(*, appointment: Appointment, by: Actor) -> int:
    """Frees what the booking still keeps; returns how many plans. Safe where nothing is left."""
    live = Reservation.objects.filter(
        purpose=ReservationPurpose.APPOINTMENT, subject_uid=appointment.uid, live=True
    ).order_by("pk")
    freed = 0
    for uid in live.values_list("uid", flat=True):
        plans.release(reservation_uid=uid, by=by)
        freed += 1
    return freed


def lock_appointment(*, uid: UUID, by: Actor) -> Appointment:
    """The booking, locked, as the actor may see it. Raises Appointment.DoesNotExist for a foreign store's."""
    return Appointment.objects.for_actor(by).locked().get(uid=uid)


@transaction.atomic
def confirm_appointment(*, uid: UUID, by: Actor) -> Appointment:
    """2.4: the desk confirms what was asked for online: REQUESTED → CONFIRMED."""
    by.require(permissions.APPOINTMENTS_BOOK)
    appointment = lock_appointment(uid=uid, by=by)
    if appointment.state == A.NO_SHOW:
        raise RuleError("appointment.move_first", _("The booked time has passed; move the booking to a new one."))
    before = appointment.state
    if before == A.PREPARED:
        raise RuleError("appointment.confirmed", _("This booking is already confirmed."))
    appointment.go(A.CONFIRMED)
    appointment.save(update_fields=["state"])
    record(appointment, events.APPOINTMENT_CONFIRMED, by=by, changed={"state": (before, appointment.state)})
    return appointment


@transaction.atomic
def move_appointment(
    *, uid: UUID, starts_at: datetime, reason: str, by: Actor, by_customer: bool = False
) -> Appointment:
    """2.4 改约: another time (aware), agreed with the customer; parts and workshop confirm anew.

    The old plans are freed and new ones found; who did not come may come another time. ``by_customer``: on the
    customer's own page, where what the desk hasn't confirmed yet still waits for it. Raises like
    ``book_appointment``, and ``appointment.same`` and ``appointment.move_reason``.
    """
    by.require(permissions.APPOINTMENTS_BOOK)
    vehicle = _lock_car(uid, by)
    appointment = lock_appointment(uid=uid, by=by)
    store = appointment.store
    if appointment.state not in (*EXPECTED_STATES, A.NO_SHOW):
        raise RuleError("appointment.ended", _("This booking has ended; book a new one."))
    reason = customers.tidy(reason, field="reason", limit=200)
    if not reason:
        raise RuleError("appointment.move_reason", _("Say why the booking is moved."), field="reason")
    starts_at = starts_at.replace(second=0, microsecond=0)
    _require_bookable(store, starts_at)
    if starts_at == appointment.starts_at and appointment.is_expected:
        raise RuleError("appointment.same", _("The booking is already at this time."), field="starts_at")
    first = appointment.replan_from
    if first is not None and starts_at.astimezone(ZoneInfo(store.time_zone)).date() < first:
        raise RuleError(
            "appointment.parts_later",
            _("The part comes on %(day)s; choose a time from then on."),
            field="starts_at",
            day=saying.say_date(first, today=clock.today(store.time_zone)),
        )
    _require_unbooked(store, vehicle, starts_at, besides=appointment)
    operations = [item.operation for item in appointment.items.select_related("operation") if item.operation]
    found = _find(
        store,
        fit_hours(capacity.work_of(operations, vehicle.powertrain), vehicle.model_id),
        starts_at,
        waiting_mode=appointment.waiting_mode,
        advisor=appointment.advisor,
        besides=appointment,
    )
    release_plans(appointment=appointment, by=by)
    before, by_shop = (appointment.state, appointment.starts_at), appointment.needs_replan
    if by_shop:  # the shop's own doing: counted against it, the price stays
        appointment.shop_moves += 1
        appointment.replan_reason, appointment.replan_from = "", None
    if appointment.state != A.CONFIRMED and not (by_customer and appointment.state == A.REQUESTED):
        appointment.go(A.CONFIRMED)
    appointment.starts_at, appointment.ready_at = starts_at, found.ready_at
    appointment.work_starts_at = found.work_at
    appointment.parts_confirmed_at = appointment.workshop_confirmed_at = None
    appointment.ended_reason = reason
    appointment.save(
        update_fields=[
            "state",
            "starts_at",
            "ready_at",
            "work_starts_at",
            "parts_confirmed_at",
            "workshop_confirmed_at",
            "ended_reason",
            "replan_reason",
            "replan_from",
            "shop_moves",
        ]
    )
    _reserve(appointment, found, by)
    record(
        appointment,
        events.APPOINTMENT_MOVED,
        by=by,
        changed={"state": (before[0], appointment.state), "starts_at": (before[1], starts_at)},
        ready_at=found.ready_at,
        by_shop=by_shop,
        by_customer=by_customer,
    )
    _take_along(appointment, by, starts_at - before[1])
    return appointment


LOAN_DAYS = 31
"""A loan car is kept so many days longer at once at most."""


@transaction.atomic
def extend_loan(*, uid: UUID, ends_at: datetime, by: Actor) -> Appointment:
    """2.4: the customer keeps the loan car until ``ends_at`` (aware), as far as its next customer leaves room.

    Raises RuleError ``appointment.no_loan``, ``appointment.ended`` (the car was given back), ``appointment.past`` and
    ``appointment.too_far``, and like ``plans.extend``: RaceLost ``reservation.taken`` says what is next.
    """
    by.require(permissions.APPOINTMENTS_BOOK)
    ends_at = ends_at.replace(second=0, microsecond=0)
    appointment = lock_appointment(uid=uid, by=by)
    loan = capacity.loan_of(appointment)
    if loan is None:
        raise RuleError("appointment.no_loan", _("This booking keeps no loan car."))
    if Visit.objects.filter(appointment=appointment).exclude(state__in=OPEN_VISITS).exists():
        raise RuleError("appointment.ended", _("This visit has ended, and the loan car with it."))
    if ends_at <= clock.now():
        raise RuleError("appointment.past", _("This time has passed; choose a later one."), field="ends_at")
    if ends_at > max(loan.period.upper, clock.now()) + timedelta(days=LOAN_DAYS):
        raise RuleError(
            "appointment.too_far",
            _("A loan car is kept %(days)s days longer at most."),
            field="ends_at",
            days=LOAN_DAYS,
        )
    before = loan.period.upper
    plans.extend(reservation_uid=loan.uid, ends_at=ends_at, by=by)
    loan_terms.loan_is_extended(appointment=appointment, expected_at=ends_at, by=by)
    record(
        appointment,
        events.APPOINTMENT_LOAN_EXTENDED,
        by=by,
        changed={"loan_ends_at": (before, ends_at)},
        loan_car=loan.resource.uid,
    )
    return appointment


@transaction.atomic
def cancel_appointment(*, uid: UUID, reason: str, by: Actor, by_customer: bool = False) -> Appointment:
    """2.4: the customer doesn't come; bay and technician are free again. Raises RuleError without a reason."""
    by.require(permissions.APPOINTMENTS_BOOK)
    _lock_car(uid, by)
    appointment = lock_appointment(uid=uid, by=by)
    before = appointment.state
    appointment.go(A.CANCELLED, reason=customers.tidy(reason, field="reason", limit=200))
    appointment.save(update_fields=["state", "ended_reason"])
    release_plans(appointment=appointment, by=by)
    record(
        appointment,
        events.APPOINTMENT_CANCELLED,
        by=by,
        changed={"state": (before, appointment.state)},
        by_customer=by_customer,
    )
    _take_along(appointment, by)
    return appointment


def _lock_car(uid: UUID, by: Actor) -> Vehicle:
    """The booking's car, which is locked before the booking and its pick-up."""
    vehicle_id = Appointment.objects.for_actor(by).values_list("vehicle_id", flat=True).get(uid=uid)
    return Vehicle.objects.locked().get(pk=vehicle_id)


def _take_along(appointment: Appointment, by: Actor, shift: timedelta | None = None) -> None:
    """A pick-up that is planned for the booking moves or ends with it."""
    from .transports import follow_booking

    follow_booking(appointment, by=by, shift=shift)


@transaction.atomic
def confirm_parts(*, uid: UUID, by: Actor) -> Appointment:
    """2.4 备件预检: the parts keeper says that the parts of a confirmed booking are there."""
    by.require(permissions.APPOINTMENTS_PARTS)
    return _confirm(uid, "parts_confirmed_at", events.APPOINTMENT_PARTS_CONFIRMED, by)


@transaction.atomic
def confirm_workshop(*, uid: UUID, by: Actor) -> Appointment:
    """2.4: the foreman says that bay, technician and tools are there for a confirmed booking."""
    by.require(permissions.APPOINTMENTS_WORKSHOP)
    return _confirm(uid, "workshop_confirmed_at", events.APPOINTMENT_WORKSHOP_CONFIRMED, by)


def _confirm(uid: UUID, column: str, code: str, by: Actor) -> Appointment:
    """One of the two confirmations; with both of them the booking is PREPARED."""
    appointment = lock_appointment(uid=uid, by=by)
    if appointment.state == A.REQUESTED:
        raise RuleError("appointment.unconfirmed", _("The desk has to confirm this booking with the customer first."))
    if not appointment.is_expected:
        raise RuleError("appointment.ended", _("This booking has ended; book a new one."))
    if getattr(appointment, column):
        raise RuleError("appointment.confirmed", _("This booking is already confirmed."))
    setattr(appointment, column, clock.now())
    if column == "parts_confirmed_at":  # what was missing is there after all
        appointment.replan_reason, appointment.replan_from = "", None
    appointment.save(update_fields=[column, "replan_reason", "replan_from"])
    record(appointment, code, by=by)
    if appointment.parts_confirmed_at and appointment.workshop_confirmed_at:
        before = appointment.state
        appointment.go(A.PREPARED)
        appointment.save(update_fields=["state"])
        record(appointment, events.APPOINTMENT_PREPARED, by=by, changed={"state": (before, appointment.state)})
    return appointment


@transaction.atomic
def report_part_missing(
    *, uid: UUID, reason: str, by: Actor, part_number: str = "", expected_on: date | None = None
) -> Appointment:
    """2.4: a part of a booking was taken away or comes late: it is no longer prepared, the desk plans it anew.

    ``expected_on`` is the store day on which the part will be there, None where nobody knows. Price and work stay, the
    move that follows counts against the shop. Raises RuleError ``appointment.missing_reason``,
    ``appointment.unconfirmed``, ``appointment.ended``, ``appointment.replan_known``, and ``appointment.in_time`` where
    the part comes before the car.
    """
    by.require(permissions.APPOINTMENTS_PARTS)
    appointment = lock_appointment(uid=uid, by=by)
    reason = customers.tidy(reason, field="reason", limit=200)
    if not reason:
        raise RuleError("appointment.missing_reason", _("Say what is missing and why."), field="reason")
    if appointment.state == A.REQUESTED:
        raise RuleError("appointment.unconfirmed", _("The desk has to confirm this booking with the customer first."))
    if not appointment.is_expected:
        raise RuleError("appointment.ended", _("This booking has ended; book a new one."))
    if appointment.needs_replan:
        raise RuleError("appointment.replan_known", _("The desk already knows that this booking is planned anew."))
    if expected_on is not None and expected_on <= appointment.day:
        raise RuleError(
            "appointment.in_time", _("The part comes before the car; the time can be kept."), field="expected_on"
        )
    before = appointment.state
    if before == A.PREPARED:
        appointment.go(A.CONFIRMED)
    appointment.parts_confirmed_at = None
    appointment.replan_reason, appointment.replan_from = reason, expected_on
    appointment.save(update_fields=["state", "parts_confirmed_at", "replan_reason", "replan_from"])
    record(
        appointment,
        events.APPOINTMENT_UNPREPARED,
        by=by,
        changed={"state": (before, appointment.state)},
        part=part_number,
        expected_on=expected_on,
    )
    return appointment


@transaction.atomic
def mark_no_show(*, uid: UUID, by: Actor) -> Appointment:
    """2.4 爽约: the customer did not come; refused (``appointment.not_late``) before the minutes that are set."""
    by.require(permissions.APPOINTMENTS_BOOK)
    _lock_car(uid, by)
    appointment = lock_appointment(uid=uid, by=by)
    minutes = limits.value(NO_SHOW_MINUTES, store_id=appointment.store_id)
    if appointment.is_expected and clock.now() < appointment.starts_at + timedelta(minutes=minutes):
        raise RuleError(
            "appointment.not_late",
            _("Wait %(minutes)s minutes after the booked time before saying that nobody came."),
            minutes=minutes,
        )
    before = appointment.state
    appointment.go(A.NO_SHOW)
    appointment.save(update_fields=["state"])
    release_plans(appointment=appointment, by=by)
    record(appointment, events.APPOINTMENT_NOT_SHOWN, by=by, changed={"state": (before, appointment.state)})
    _take_along(appointment, by)
    return appointment


def arrive_appointment(*, appointment: Appointment, by: Actor) -> Appointment:
    """2.1.2: called by ``register_arrival`` inside its transaction, with the booking locked; the plans stay.

    Dispatching the order's lines takes them over. Raises RuleError ``state.move`` for a booking that has ended.
    """
    before = appointment.state
    appointment.go(A.ARRIVED)
    appointment.save(update_fields=["state"])
    record(
        appointment,
        events.APPOINTMENT_KEPT,
        by=by,
        changed={"state": (before, appointment.state)},
        late_minutes=max(0, int((clock.now() - appointment.starts_at).total_seconds() // 60)),
    )
    return appointment


# --- booked online by the customer ---


@transaction.atomic
def request_appointment(
    *,
    store: Store,
    contact_name: str,
    contact_phone: str,
    plate: str,
    model_text: str,
    starts_at: datetime,
    concern: str,
    operation_uids: Sequence[UUID] = (),
    waiting_mode: str = WaitingMode.LEAVE,
    address: str = "",
) -> Appointment:
    """2.4: a customer books without log-in; the desk confirms. Only operations that are offered online.

    ``address`` is the network address it comes from. Raises RuleError ``appointment.many`` where one number or
    address books too often, ``appointment.notice`` for a time too near to be confirmed, else like
    ``book_appointment``. Nothing of what we know about car or customer comes back.
    """
    by = machine("online-booking", store_id=store.pk)
    throttle(store, address)
    phone = formats.demand(formats.check_mobile(contact_phone), field="contact_phone")
    require_few(store, phone)
    require_offered_online(operation_uids)
    require_notice(store, starts_at)
    try:
        return book_appointment(
            contact_name=contact_name,
            contact_phone=phone,
            plate=plate,
            model_text=model_text,
            starts_at=starts_at,
            concern=concern,
            operation_uids=operation_uids,
            waiting_mode=waiting_mode,
            source=AppointmentSource.CONSUMER_PORTAL,
            by=by,
        )
    except RuleError as refusal:
        if refusal.code != "appointment.vehicle_booked":
            raise
        raise RuleError(
            "appointment.call", _("This can't be booked online; please call us."), field="plate"
        ) from refusal


def online_notice(store: Store) -> timedelta:
    """How long ahead an online booking lies at least, so that the desk can confirm it (2.4)."""
    return timedelta(minutes=limits.value(ONLINE_NOTICE_MINUTES, store_id=store.pk))


def require_notice(store: Store, starts_at: datetime) -> None:
    """Refused (``appointment.notice``) where an arrival lies too near to be taken online."""
    notice = online_notice(store)
    if clock.now() <= starts_at < clock.now() + notice:
        raise RuleError(
            "appointment.notice",
            _("Online a time lies at least %(minutes)s minutes ahead; please call us for a sooner one."),
            field="starts_at",
            minutes=int(notice.total_seconds() // 60),
        )


def require_few(store: Store, phone: str) -> None:
    """Refused (``appointment.many``) where one number booked or joined the waiting list online too often in a day."""
    since = clock.now() - timedelta(hours=24)
    booked = Appointment.objects.filter(
        contact_phone=phone, source=AppointmentSource.CONSUMER_PORTAL, created_at__gt=since
    ).count()
    waiting = WaitingEntry.objects.filter(contact_phone=phone, created_at__gt=since).count()
    if booked + waiting >= limits.value(ONLINE_PER_PHONE, store_id=store.pk):
        raise RuleError(
            "appointment.many",
            _("There are already several bookings from this number; please call us."),
            field="contact_phone",
        )


def require_offered_online(operation_uids: Sequence[UUID]) -> None:
    """Refused (``appointment.operation``) where one of them can't be booked online."""
    offered = set(Operation.objects.filter(active=True, bookable_online=True).values_list("uid", flat=True))
    if not set(operation_uids) <= offered:
        raise RuleError("appointment.operation", _("One of these operations isn't offered any more."), field="add")


def throttle(store: Store, address: str) -> None:
    """Counts the tries of one network address within an hour, refused ones too; the address itself isn't kept."""
    count_try(
        "online-booking",
        address,
        most=limits.value(ONLINE_PER_ADDRESS, store_id=store.pk),
        refusal=RuleError("appointment.many", _("Too many bookings came from here; please call us.")),
    )


# --- messages ---


def say_moment(at: datetime, store: Store) -> str:
    """11月24日 周二 09:30 at the store, in the active language."""
    there = at.astimezone(ZoneInfo(store.time_zone))
    return f"{saying.say_date(there.date(), today=clock.today(store.time_zone))} {there:%H:%M}"


def _tell(appointment: Appointment, *, key: str, template: str, subject: str, body: str, by: Actor) -> Message:
    """One message to the customer by the preferred channel; call it inside the customer's language."""
    return telling.tell(
        appointment.customer,
        store=appointment.store,
        key=key,
        template=template,
        subject=subject,
        body=body,
        phone=appointment.contact_phone,
        name=appointment.contact_name,
        by=by,
    )


def tell_booking(*, appointment: Appointment, key: str, by: Actor) -> Message | None:
    """Tells the customer what was booked, moved or cancelled; nothing about a booking that ended otherwise."""
    words = {
        "store": appointment.store.name,
        "car": str(appointment.vehicle),
        "phone": appointment.store.phone,
        "number": appointment.number,
        "link": booking_address(appointment),
    }
    with translation.override(appointment.customer.language):
        words["time"] = say_moment(appointment.starts_at, appointment.store)
        if appointment.state in (A.CONFIRMED, A.PREPARED):
            template = "appointment_confirmed"
            subject = gettext("Your booking at %(store)s") % words
            body = (
                gettext(
                    "%(store)s: your car %(car)s is booked for %(time)s (%(number)s). To move or cancel it: %(link)s or "
                    "call %(phone)s."
                )
                % words
            )
        elif appointment.state == A.CANCELLED:
            template = "appointment_cancelled"
            subject = gettext("Your booking at %(store)s is cancelled") % words
            body = (
                gettext("%(store)s: the booking of your car %(car)s for %(time)s is cancelled. New booking: %(phone)s.")
                % words
            )
        else:
            return None
        still_open = capacity.deposit_open(appointment)
        if template == "appointment_confirmed" and still_open:
            words["deposit"] = saying.say_money(still_open)
            body += " " + (
                gettext(
                    "We ask for a deposit of %(deposit)s; it counts on your bill. Pay at the desk or call %(phone)s."
                )
                % words
            )
        if template == "appointment_confirmed" and appointment.customer.channel in CALENDAR_CHANNELS:
            address = calendars.calendar_address(calendars.calendar_of_customer(appointment=appointment, by=by))
            body += " " + gettext("In your calendar: %(address)s") % {"address": address}
        return _tell(appointment, key=key, template=template, subject=subject, body=body, by=by)


def ladder(store_id: int) -> list[timedelta]:
    """How long before an arrival the customer is reminded."""
    days = [timedelta(days=n) for n in limits.value(REMINDER_DAYS, store_id=store_id)]
    return days + [timedelta(hours=n) for n in limits.value(REMINDER_HOURS, store_id=store_id)]


def minute_of(text: str) -> int:
    """Minutes after midnight of an hour such as 16:00."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


@transaction.atomic
def remind_customer(*, uid: UUID, by: Actor) -> Message | None:
    """2.4: sends the reminder that is due now, once per booking and step; None where none is.

    Silent in the quiet hours of store and customer (the step stays due), for bookings that aren't confirmed and after
    arrival or end.
    """
    appointment = Appointment.objects.for_actor(by).locked().select_related("store", "customer", "vehicle").get(uid=uid)
    if appointment.state not in (A.CONFIRMED, A.PREPARED):
        return None
    store = appointment.store
    local = clock.now().astimezone(ZoneInfo(store.time_zone))
    quiet = (
        minute_of(limits.value(QUIET_FROM, store_id=store.pk)),
        minute_of(limits.value(QUIET_TO, store_id=store.pk)),
    )
    if rules.is_quiet(local.hour * 60 + local.minute, *quiet) or telling.quiet_until(appointment.customer, store):
        return None
    step = rules.due_step(ladder(store.pk), appointment.starts_at, appointment.created_at, clock.now())
    if step is None:
        return None
    hours = int(step.total_seconds() // 3600)
    key = f"reminder:{appointment.uid}:{hours}h:{appointment.starts_at:%y%m%d%H%M}"
    if Message.objects.filter(key=key).exists():
        return None
    with translation.override(appointment.customer.language):
        words = {
            "store": store.name,
            "car": str(appointment.vehicle),
            "time": say_moment(appointment.starts_at, store),
            "phone": store.phone,
            "link": booking_address(appointment),
        }
        message = _tell(
            appointment,
            key=key,
            template="appointment_reminder",
            subject=gettext("Reminder: your booking at %(store)s") % words,
            body=gettext(
                "%(store)s: we expect your car %(car)s at %(time)s. To move or cancel it: %(link)s or call %(phone)s."
            )
            % words,
            by=by,
        )
    record(appointment, events.APPOINTMENT_REMINDED, by=by, hours_before=hours, message=message.uid)
    return message


def remind_due() -> int:
    """Every few minutes: the reminders of all stores that are due; safe to run twice. Returns how many were sent."""
    sent = 0
    for store in Store.objects.all():
        longest = max(ladder(store.pk), default=timedelta(0))
        due = Appointment.objects.filter(
            store=store,
            state__in=(A.CONFIRMED, A.PREPARED),
            starts_at__gt=clock.now(),
            starts_at__lte=clock.now() + longest,
        )
        by = machine("reminders", store_id=store.pk)
        for uid in list(due.order_by("starts_at").values_list("uid", flat=True)):
            sent += remind_customer(uid=uid, by=by) is not None
    return sent


# --- preparation list ---


def send_preparation_lists() -> int:
    """At the hour that is set: the next working day's bookings to parts and workshop, once per store and day."""
    sent = 0
    for store in Store.objects.all():
        local = clock.now().astimezone(ZoneInfo(store.time_zone))
        hour = minute_of(limits.value(PREPARATION_TIME, store_id=store.pk))
        if local.hour * 60 + local.minute >= hour:
            sent += send_preparation_list(store=store)
    return sent


@transaction.atomic
def send_preparation_list(*, store: Store) -> int:
    """2.4: one message per parts keeper and foreman about the next working day; taken once. Returns how many."""
    today = clock.today(store.time_zone)
    run = take_period(job=f"reception.preparation:{store.code}", period=today.isoformat())
    if run is None:
        return 0
    day = capacity.store_calendar(store).add_working_days(today, 1)
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(store.time_zone))
    rows = Appointment.objects.filter(
        store=store, state__in=EXPECTED_STATES, starts_at__gte=midnight, starts_at__lt=midnight + timedelta(days=1)
    )
    by = machine("preparation", store_id=store.pk)
    sent = 0
    for role, column in (("parts", "parts_confirmed_at"), ("foreman", "workshop_confirmed_at")):
        todo = rows.filter(**{f"{column}__isnull": True}).count()
        for employee in employees_with_role(store.pk, role, today).select_related("user") if todo else []:
            language = employee.user.language if employee.user else "zh-hans"
            with translation.override(language):
                words = {"day": saying.say_date(day, today=today), "all": rows.count(), "todo": todo}
                queue_message(
                    key=f"preparation:{store.code}:{day}:{role}:{employee.number}",
                    store=store,
                    channel=MessageChannel.STAFF,
                    recipient=employee.number,
                    recipient_name=employee.name,
                    template="preparation_list",
                    language=language,
                    subject=gettext("Preparation list for %(day)s") % words,
                    body=gettext("%(day)s: %(all)s cars are booked, %(todo)s of them still wait for you.") % words,
                    by=by,
                )
                sent += 1
    run.finished_at = clock.now()
    run.save(update_fields=["finished_at"])
    return sent


def ask_at_once(*, appointment: Appointment, key: str, by: Actor) -> int:
    """2.4: who books after the day's preparation list has gone out lets parts and workshop know at once.

    Returns how many were told; 0 before the list, for what isn't confirmed and for a car that has come.
    """
    store = appointment.store
    today = clock.today(store.time_zone)
    listed = PeriodicRun.objects.filter(job=f"reception.preparation:{store.code}", period=today.isoformat()).exists()
    last = capacity.store_calendar(store).add_working_days(today, 1) if listed else today
    if appointment.state != A.CONFIRMED or appointment.day > last:
        return 0
    told = 0
    for role in ("parts", "foreman"):
        told += _tell_staff(
            store,
            role,
            key=key,
            template="late_booking",
            say=_say_late,
            appointment=appointment,
            by=by,
        )
    if told:
        record(appointment, events.APPOINTMENT_ASKED, by=by, told=told)
    return told


def _say_late(words: dict[str, str]) -> tuple[str, str]:
    return (
        gettext("Booked after the preparation list"),
        gettext("%(car)s comes %(time)s (%(number)s) and isn't on the list yet: confirm it now.") % words,
    )


def _say_replan(words: dict[str, str]) -> tuple[str, str]:
    return (
        gettext("Agree another time with a customer"),
        gettext("%(car)s, %(time)s (%(number)s): %(reason)s The price stays as it was.") % words,
    )


def ask_to_replan(*, appointment: Appointment, key: str, by: Actor) -> int:
    """2.4: the desk and the booked advisor read that the shop can't keep a time; returns how many were told."""
    return _tell_staff(
        appointment.store,
        "receptionist",
        key=key,
        template="replan",
        say=_say_replan,
        appointment=appointment,
        by=by,
        also=appointment.advisor,
    )


def _say_moved(words: dict[str, str]) -> tuple[str, str]:
    return (
        gettext("A customer moved a booking online"),
        gettext("%(car)s now comes %(time)s (%(number)s).") % words,
    )


def _say_cancelled(words: dict[str, str]) -> tuple[str, str]:
    return (
        gettext("A customer cancelled a booking online"),
        gettext("%(car)s doesn't come %(time)s (%(number)s); the time is free again.") % words,
    )


def tell_of_customers_change(*, appointment: Appointment, key: str, by: Actor) -> int:
    """2.4: desk and booked advisor read what a customer changed on the own page; returns how many were told."""
    cancelled = appointment.state == A.CANCELLED
    return _tell_staff(
        appointment.store,
        "receptionist",
        key=key,
        template="booking_changed",
        say=_say_cancelled if cancelled else _say_moved,
        appointment=appointment,
        by=by,
        also=appointment.advisor,
    )


def _tell_staff(
    store: Store,
    role: str,
    *,
    key: str,
    template: str,
    say: Callable[[dict[str, str]], tuple[str, str]],
    appointment: Appointment,
    by: Actor,
    also: Employee | None = None,
) -> int:
    def holding(post: str) -> dict[int, Employee]:
        rows = employees_with_role(store.pk, post, clock.today(store.time_zone))
        return {employee.pk: employee for employee in rows.select_related("user")}

    people = holding(role)
    if also is not None:
        people[also.pk] = also
    if not people and role == "receptionist":  # a small shop without a desk of its own
        people = holding("advisor")
    for _pk, employee in sorted(people.items()):
        language = employee.user.language if employee.user else "zh-hans"
        with translation.override(language):
            words = {
                "car": str(appointment.vehicle),
                "time": say_moment(appointment.starts_at, store),
                "number": appointment.number,
                "reason": appointment.replan_reason,
            }
            subject, body = say(words)
            queue_message(
                key=f"{key}:{employee.number}",
                store=store,
                channel=MessageChannel.STAFF,
                recipient=employee.number,
                recipient_name=employee.name,
                template=template,
                language=language,
                subject=subject,
                body=body,
                by=by,
            )
    return len(people)


# --- hand-over of an advisor's work (1.2) ---


def hand_over_appointments(giver: Employee, taker: Employee, by: Actor) -> int:
    """The bookings that ``giver`` would have received go to ``taker``; returns how many."""
    rows = Appointment.objects.filter(advisor=giver, state__in=EXPECTED_STATES).locked().order_by("pk")
    for appointment in rows:
        appointment.advisor = taker
        appointment.save(update_fields=["advisor"])
        record(appointment, events.APPOINTMENT_HANDED_OVER, by=by, changed={"advisor": (giver.uid, taker.uid)})
    return len(rows)
