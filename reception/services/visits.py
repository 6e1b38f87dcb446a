"""Commands on visits: from the arrival at the gate to the departure (2.1.2)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store

from .. import events, permissions
from ..limits import LINK_DAYS
from ..models import Appointment, Customer, PlateKind, Vehicle, Visit, VisitLink, VisitState, WaitingMode

OPEN_STATES = (VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP)


@transaction.atomic
def register_arrival(
    *,
    contact_name: str,
    contact_phone: str,
    model_text: str,
    need: str,
    by: Actor,
    plate: str = "",
    vin: str = "",
    plate_kind: str = PlateKind.NORMAL,
    customer_uid: UUID | None = None,
    vehicle_uid: UUID | None = None,
    appointment_uid: UUID | None = None,
    waiting_mode: str = WaitingMode.WAIT_AT_DEALER,
) -> Visit:
    """2.1.2: a car arrives; name, contact, model and need are mandatory.

    A known car is found by uid, plate or VIN and brings its owner along; an unknown one is registered with whoever
    brings it. Raises RuleError ``visit.mandatory`` (names the field), ``visit.open`` (the car is already here) and
    ``appointment.other_car``. Two arrivals of one car at once: one wins, the other is told.
    """
    by.require(permissions.VISITS_RECEIVE)
    store = Store.objects.get(pk=by.store_id)
    words = _mandatory(contact_name=contact_name, contact_phone=contact_phone, model_text=model_text, need=need)
    phone = formats.clean_phone(words["contact_phone"])
    vehicle = _find_vehicle(vehicle_uid=vehicle_uid, plate=plate, vin=vin, plate_kind=plate_kind)
    from . import customers, vehicles

    customer = _find_customer(customer_uid=customer_uid, vehicle=vehicle, phone=phone, name=words["contact_name"])
    if customer is None:
        customer = customers.register_customer(name=words["contact_name"], phone=phone, by=by)
    if vehicle is None:
        vehicle = vehicles.register_vehicle(
            plate=plate, vin=vin, plate_kind=plate_kind, model_text=words["model_text"], owner_uid=customer.uid, by=by
        )
    # Lock order (design 5): customer, vehicle, visit, counter. The car's row makes two arrivals run one by one.
    vehicle = Vehicle.objects.locked().get(pk=vehicle.pk)
    if Visit.objects.filter(vehicle=vehicle, state__in=OPEN_STATES).exists():
        raise RuleError("visit.open", _("This car is already in the shop; open its visit."), field="plate")
    appointment = _arrive_appointment(uid=appointment_uid, vehicle=vehicle, by=by)
    visit = Visit.objects.create(
        store=store,
        number=numbering.next_number(store, "V"),
        appointment=appointment,
        customer=customer,
        vehicle=vehicle,
        contact_name=words["contact_name"],
        contact_phone=phone,
        model_text=words["model_text"],
        need=words["need"],
        advisor=appointment.advisor if appointment else None,
        waiting_mode=waiting_mode,
        arrived_at=clock.now(),
    )
    days = limits.value(LINK_DAYS, store_id=store.pk)
    VisitLink.objects.create(visit=visit, expires_at=clock.now() + timedelta(days=days))
    record(
        visit,
        events.VISIT_ARRIVED,
        by=by,
        changed={"state": (None, visit.state)},
        booked=appointment is not None,
        waiting_mode=waiting_mode,
    )
    return visit


def _mandatory(**fields: str) -> dict[str, str]:
    """The four mandatory fields of 2.1.2, stripped; the first empty one is named."""
    sentences = {
        "contact_name": _("Ask for the name of whoever brings the car (2.1.2)."),
        "contact_phone": _("Ask for a telephone number (2.1.2)."),
        "model_text": _("Fill in the model of the car (2.1.2)."),
        "need": _("Ask what is needed, in the customer's words (2.1.2)."),
    }
    words = {name: " ".join(value.split()) for name, value in fields.items()}
    for name, sentence in sentences.items():
        if not words[name]:
            raise RuleError("visit.mandatory", sentence, field=name)
    return words


def _find_vehicle(*, vehicle_uid: UUID | None, plate: str, vin: str, plate_kind: str) -> Vehicle | None:
    """The known car, or None; one of plate and VIN must be given for an unknown one."""
    if vehicle_uid is not None:
        return Vehicle.objects.get(uid=vehicle_uid)
    if vin and (known := Vehicle.objects.filter(vin=formats.normalise_vin(vin)).first()):
        return known
    if plate and plate_kind == PlateKind.NORMAL:
        return Vehicle.objects.filter(plate=formats.normalise_plate(plate), plate_kind=plate_kind).first()
    if not plate and not vin:
        raise RuleError("visit.vehicle", _("Give the plate or, without one, the VIN."), field="plate")
    return None


def _find_customer(*, customer_uid: UUID | None, vehicle: Vehicle | None, phone: str, name: str) -> Customer | None:
    """Who is named, else the car's present owner, else the one customer with this name and number."""
    if customer_uid is not None:
        return Customer.objects.get(uid=customer_uid)
    if vehicle is not None:
        owner = vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
        if owner is not None:
            return owner.customer
    return Customer.objects.filter(phone=phone, name=name).first()


def _arrive_appointment(*, uid: UUID | None, vehicle: Vehicle, by: Actor) -> Appointment | None:
    """Turns the booking into an arrival; a booking of another car is refused."""
    if uid is None:
        return None
    from .appointments import arrive_appointment

    appointment = Appointment.objects.for_actor(by).locked().get(uid=uid)
    if appointment.vehicle_id != vehicle.pk:
        raise RuleError("appointment.other_car", _("This booking is for another car."), field="plate")
    return arrive_appointment(appointment=appointment, by=by)
