"""Commands on fetching and bringing back cars (取送车): planned, set out, taken over at the door, arrived (2.1.2).

Lock order: vehicle, visit, transport. A car that is brought back goes through the gate with its pass and is signed for at
the door by the hand-over: the room above calls ``return_sets_out``, ``return_comes_back`` and ``return_is_done``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError, constraint_name
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel, Store
from dealership.kernel.services import queue_message
from staff.models import Employee
from staff.selectors.employees import employed

from .. import events, permissions
from ..models import (
    EXPECTED_STATES,
    OPEN_TRANSPORTS,
    OPEN_VISITS,
    A,
    Appointment,
    ArrivalKind,
    Transport,
    TransportKind,
    TransportState,
    Vehicle,
    Visit,
)
from . import visits, walkarounds
from .appointments import say_moment


@transaction.atomic
def plan_transport(
    *,
    kind: str,
    driver_uid: UUID,
    starts_at: datetime,
    ends_at: datetime,
    address: str,
    by: Actor,
    visit_uid: UUID | None = None,
    appointment_uid: UUID | None = None,
    vehicle_uid: UUID | None = None,
    contact_name: str = "",
    contact_phone: str = "",
) -> Transport:
    """2.1.2: a driver fetches a car between ``starts_at`` and ``ends_at`` (aware), or brings it back.

    A car to fetch is named by its booking or itself, one to bring back by its visit; contact and number come from there
    where they aren't given. Raises RuleError ``transport.window``, ``transport.past``, ``transport.address``,
    ``transport.car``, ``transport.visit``, ``transport.here``, ``transport.contact``; RaceLost ``transport.open`` and
    ``transport.driver_busy``.
    """
    by.require(permissions.TRANSPORTS_WORK)
    if kind not in TransportKind.values:
        raise RuleError("transport.kind", _("Choose whether the car is fetched or brought back."), field="kind")
    if ends_at <= starts_at:
        raise RuleError("transport.window", _("The window ends after it begins."), field="ends_at")
    if ends_at <= clock.now():
        raise RuleError("transport.past", _("The window lies in the past."), field="ends_at")
    where = formats.one_line(address)[:200]
    if not where:
        raise RuleError("transport.address", _("Write the address."), field="address")
    visit = Visit.objects.for_actor(by).get(uid=visit_uid) if visit_uid else None
    booking = Appointment.objects.for_actor(by).get(uid=appointment_uid) if appointment_uid else None
    if kind == TransportKind.RETURN and (visit is None or not visit.is_open):
        raise RuleError("transport.visit", _("Only a car that is in the shop is brought back."), field="kind")
    source = visit or booking
    car = source.vehicle if source else Vehicle.objects.for_actor(by).filter(uid=vehicle_uid).first()
    if car is None:
        raise RuleError("transport.car", _("Name the car, its booking or its visit."), field="kind")
    vehicle = Vehicle.objects.locked().get(pk=car.pk)
    if kind == TransportKind.PICK_UP and Visit.objects.filter(vehicle=vehicle, state__in=OPEN_VISITS).exists():
        raise RuleError("transport.here", _("This car is already in the shop."), field="kind")
    name = formats.one_line(contact_name or (source.contact_name if source else ""))[:60]
    number = contact_phone or (source.contact_phone if source else "")
    if not name or not number:
        raise RuleError("transport.contact", _("Write whom the driver meets, with a number."), field="contact_name")
    phone = formats.demand(formats.check_phone(number), field="contact_phone")
    store = Store.objects.get(pk=by.store_id)
    driver = Employee.objects.for_actor(by).locked().filter(employed(clock.today(store.time_zone))).get(uid=driver_uid)
    _require_free(vehicle, driver, starts_at, ends_at)
    try:
        with transaction.atomic():
            transport = Transport.objects.create(
                store=store,
                kind=kind,
                vehicle=vehicle,
                appointment=booking,
                visit=visit if kind == TransportKind.RETURN else None,
                driver=driver,
                starts_at=starts_at,
                ends_at=ends_at,
                address=where,
                contact_name=name,
                contact_phone=phone,
            )
    except IntegrityError as exc:
        if constraint_name(exc) not in ("transport_one_open", "transport_driver_free"):
            raise
        raise _taken(constraint_name(exc) == "transport_driver_free", driver) from exc
    record(
        transport,
        events.TRANSPORT_PLANNED,
        by=by,
        changed={"state": (None, transport.state)},
        kind=kind,
        driver=driver.uid,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    return transport


def _require_free(vehicle: Vehicle, driver: Employee, starts_at: datetime, ends_at: datetime) -> None:
    """Car and driver are locked: two plans at once come one after the other; the constraints stay behind it."""
    there = Transport.objects.filter(state__in=OPEN_TRANSPORTS)
    if there.filter(vehicle=vehicle).exists():
        raise _taken(False, driver)
    if there.filter(driver=driver, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise _taken(True, driver)


def _taken(driver_busy: bool, driver: Employee) -> RaceLost:
    if driver_busy:
        return RaceLost(
            "transport.driver_busy",
            _("%(name)s is on another way in this time; choose another window or driver."),
            field="driver",
            name=driver.name,
        )
    return RaceLost("transport.open", _("This car is already to be fetched or brought back."), field="kind")


def _locked(uid: UUID, by: Actor, kind: TransportKind | None = None) -> Transport:
    """Car and transport, locked in that order."""
    by.require(permissions.TRANSPORTS_WORK)
    vehicle_id = Transport.objects.for_actor(by).values_list("vehicle_id", flat=True).get(uid=uid)
    Vehicle.objects.locked().get(pk=vehicle_id)
    transport = Transport.objects.for_actor(by).locked().get(uid=uid)
    if kind is not None and transport.kind != kind:
        raise RuleError(
            "transport.by_gate",
            _("A car that is brought back sets out with its gate pass and is signed for at the hand-over."),
        )
    return transport


def _move(transport: Transport, state: TransportState, event: str, by: Actor, note: str = "") -> Transport:
    before = transport.state
    transport.go(state, note=note)
    transport.save(
        update_fields=["state", "set_out_at", "done_at", "ended_note", "visit", "odometer_km", "energy_eighths"]
    )
    record(transport, event, by=by, changed={"state": (before, transport.state)}, kind=transport.kind)
    return transport


@transaction.atomic
def set_out(*, uid: UUID, by: Actor) -> Transport:
    """2.1.2: the driver sets out to fetch the car. Raises RuleError ``transport.by_gate`` for a car to bring back."""
    return _move(_locked(uid, by, TransportKind.PICK_UP), TransportState.UNDERWAY, events.TRANSPORT_SET_OUT, by)


@transaction.atomic
def take_over(*, uid: UUID, odometer_km: int, energy_eighths: int, need: str, by: Actor) -> Transport:
    """2.1.2: at the customer's door: the visit begins, mileage (whole km) and fuel (eighths) are read, and the
    walk-around goes on there on the phone until the customer signs.

    Raises RuleError ``transport.not_under_way``, ``transport.taken_over`` and what the arrival and walk-around refuse.
    """
    transport = _locked(uid, by, TransportKind.PICK_UP)
    if transport.state != TransportState.UNDERWAY:
        raise RuleError("transport.not_under_way", _("Set out first; then the car is taken over at the door."))
    if transport.visit is not None:
        raise RuleError("transport.taken_over", _("This car is already taken over."), held_by=transport.visit)
    visit = visits.register_arrival(
        vehicle_uid=transport.vehicle.uid,
        contact_name=transport.contact_name,
        contact_phone=transport.contact_phone,
        model_text=transport.vehicle.model_text,
        need=need,
        appointment_uid=_booking_today(transport),
        arrival_kind=ArrivalKind.PICKED_UP,
        by=by,
    )
    visit = visits.greet_visit(uid=visit.uid, advisor_uid=transport.driver.uid, by=by)
    walkarounds.save_walkaround(visit_uid=visit.uid, odometer_km=odometer_km, energy_eighths=energy_eighths, by=by)
    transport.visit, transport.odometer_km, transport.energy_eighths = visit, odometer_km, energy_eighths
    transport.save(update_fields=["visit", "odometer_km", "energy_eighths"])
    record(
        transport,
        events.TRANSPORT_TAKEN_OVER,
        by=by,
        odometer_km=odometer_km,
        energy_eighths=energy_eighths,
    )
    return transport


def _booking_today(transport: Transport) -> UUID | None:
    """The booking this car is fetched for, where it is one of today that can still arrive."""
    booking = transport.appointment
    arrives = booking is not None and booking.state in (*EXPECTED_STATES, A.NO_SHOW) and booking.is_of_today
    return booking.uid if booking is not None and arrives else None


@transaction.atomic
def arrive(*, uid: UUID, by: Actor) -> Transport:
    """2.1.2: the fetched car is in the shop. Raises RuleError ``transport.reading`` before it was taken over."""
    transport = _locked(uid, by, TransportKind.PICK_UP)
    if transport.visit is None:
        raise RuleError("transport.reading", _("First take the car over: the mileage is read at the door."))
    return _move(transport, TransportState.DONE, events.TRANSPORT_ARRIVED, by)


@transaction.atomic
def call_off(*, uid: UUID, reason: str, by: Actor) -> Transport:
    """2.1.2: it isn't fetched or brought back after all. Raises RuleError without a reason and ``transport.taken_over``
    for a car that is with the driver."""
    transport = _locked(uid, by)
    if transport.state == TransportState.UNDERWAY and transport.visit is not None:
        raise RuleError("transport.taken_over", _("The driver has the car: bring it to the shop or back first."))
    return _move(transport, TransportState.CANCELLED, events.TRANSPORT_CALLED_OFF, by, note=reason)


# --- called by the commands on bookings inside their own transaction, car and booking locked (2.4) ---


def follow_booking(appointment: Appointment, *, by: Actor, shift: timedelta | None = None) -> Transport | None:
    """The planned pick-up of a booking that ended is called off; of one that moved (``shift``) it moves along.

    Where the driver isn't free then, or is on the way already, it is called off and planned anew. The driver is told.
    """
    rows = Transport.objects.locked().select_related("driver__user", "vehicle", "store")
    transport = rows.filter(
        appointment=appointment, kind=TransportKind.PICK_UP, state__in=OPEN_TRANSPORTS, visit__isnull=True
    ).first()
    if transport is None:
        return None
    if shift is not None and transport.state == TransportState.PLANNED and _moves_along(transport, shift):
        before = transport.starts_at
        transport.starts_at, transport.ends_at = transport.starts_at + shift, transport.ends_at + shift
        transport.save(update_fields=["starts_at", "ends_at"])
        changed = {"starts_at": (before, transport.starts_at)}
        record(transport, events.TRANSPORT_MOVED, by=by, changed=changed, ends_at=transport.ends_at)
    else:
        with translation.override(settings.LANGUAGE_CODE):
            why = gettext("The booking was moved.") if shift is not None else gettext("The booking has ended.")
        _move(transport, TransportState.CANCELLED, events.TRANSPORT_CALLED_OFF, by, note=why)
    _tell_driver(transport, by)
    return transport


def _moves_along(transport: Transport, shift: timedelta) -> bool:
    """Whether the driver, who is locked, is free in the window as it would be."""
    driver = Employee.objects.locked().get(pk=transport.driver_id)
    starts_at, ends_at = transport.starts_at + shift, transport.ends_at + shift
    other = Transport.objects.filter(driver=driver, state__in=OPEN_TRANSPORTS).exclude(pk=transport.pk)
    return ends_at > clock.now() and not other.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists()


def _tell_driver(transport: Transport, by: Actor) -> None:
    driver = transport.driver
    with translation.override(driver.user.language if driver.user else settings.LANGUAGE_CODE):
        words = {"car": str(transport.vehicle), "time": say_moment(transport.starts_at, transport.store)}
        if transport.state == TransportState.CANCELLED:
            said = gettext("%(car)s isn't fetched (%(time)s): its booking was moved or has ended.") % words
        else:
            said = gettext("%(car)s is fetched at another time: %(time)s.") % words
        queue_message(
            key=f"transport:{transport.uid}:{transport.version}",
            store=transport.store,
            channel=MessageChannel.STAFF,
            recipient=driver.number,
            recipient_name=driver.name,
            template="transport_changed",
            language=translation.get_language(),
            subject=gettext("Pick-up changed"),
            body=said,
            by=by,
        )


# --- called by the room above inside its own transaction: the gate and the hand-over (4.1) ---


def open_return(visit: Visit) -> Transport | None:
    """The planned or running way back of this visit's car, locked."""
    rows = Transport.objects.locked().filter(visit=visit, kind=TransportKind.RETURN, state__in=OPEN_TRANSPORTS)
    return rows.first()


def return_sets_out(*, visit: Visit, by: Actor) -> None:
    """4.1: the car left through the gate with its pass."""
    transport = open_return(visit)
    if transport is not None and transport.state == TransportState.PLANNED:
        _move(transport, TransportState.UNDERWAY, events.TRANSPORT_SET_OUT, by)


def return_comes_back(*, visit: Visit, by: Actor) -> None:
    """4.1: nobody took the car at the door; it is back and the way is planned anew."""
    transport = open_return(visit)
    if transport is not None and transport.state == TransportState.UNDERWAY:
        _move(transport, TransportState.PLANNED, events.TRANSPORT_CAME_BACK, by)


def return_is_done(*, visit: Visit, odometer_km: int, by: Actor) -> None:
    """4.1: the customer signed at the door."""
    transport = open_return(visit)
    if transport is not None and transport.state == TransportState.UNDERWAY:
        transport.odometer_km = odometer_km
        _move(transport, TransportState.DONE, events.TRANSPORT_ARRIVED, by)
