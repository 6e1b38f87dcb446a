"""Commands on visits: from the arrival at the gate to the departure (2.1.2)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits, numbering
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RaceLost, RuleError, constraint_name
from dealership.kernel.history import record
from dealership.kernel.models import Message, Store
from dealership.kernel.services import store_file
from staff.models import Employee
from staff.selectors.employees import employees_with_role, require_employee

from .. import events, permissions
from ..limits import LINK_DAYS, VISIT_PHOTOS
from ..models import (
    OPEN_VISITS,
    Appointment,
    Area,
    ArrivalKind,
    Customer,
    DamageMark,
    PlateKind,
    ReceptionNote,
    ToldBy,
    Vehicle,
    Visit,
    VisitLink,
    VisitPhoto,
    VisitPromise,
    VisitState,
    WaitingMode,
)
from ..pictures import clean_picture
from . import telling

OPEN_STATES = (VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP)
KEY_TAG = re.compile(r"[A-Z0-9][A-Z0-9-]{0,9}")
PLAIN = re.compile(r"[\x20-\x7e]*")


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
    arrival_kind: str = ArrivalKind.IN_PERSON,
    key_locker: str = "",
    key_left_at: datetime | None = None,
    tow_company: str = "",
    towed_from: str = "",
) -> Visit:
    """2.1.2: a car arrives; name, contact, model and need are mandatory.

    ``arrival_kind`` is how it came: a key dropped at night names envelope or locker and when it was left (aware), a car
    towed in who towed it and from where (``visit.key_drop``, ``visit.tow``). Nobody waits here for a car that they
    didn't bring: such a visit's customer comes back later, or has the car fetched and returned.

    A known car is found by uid, plate or VIN and brings its owner along; an unknown one is registered with whoever
    brings it. Raises RuleError ``visit.mandatory`` (names the field), ``visit.open`` (the car is already here),
    ``appointment.other_car`` and ``appointment.other_day``. Two arrivals of one car at once: one wins, the other is told.
    """
    by.require(permissions.VISITS_RECEIVE)
    store = Store.objects.get(pk=by.store_id)
    words = _mandatory(contact_name=contact_name, contact_phone=contact_phone, model_text=model_text, need=need)
    phone = formats.demand(formats.check_phone(words["contact_phone"]), field="contact_phone")
    came = _how_it_came(arrival_kind, key_locker, key_left_at, tow_company, towed_from)
    if arrival_kind != ArrivalKind.IN_PERSON and waiting_mode == WaitingMode.WAIT_AT_DEALER:
        waiting_mode = WaitingMode.PICK_UP if arrival_kind == ArrivalKind.PICKED_UP else WaitingMode.LEAVE
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
    if here := Visit.objects.filter(vehicle=vehicle, state__in=OPEN_STATES).first():
        text = _("This car is already in the shop; open its visit.")
        if here.store_id != store.pk:
            text = _("This car is in the shop of %(store)s; it has to leave there first.")
        raise RuleError("visit.open", text, field="plate", held_by=here, store=here.store.name)
    if away := Visit.objects.filter(vehicle=vehicle, state=VisitState.AWAY).first():
        raise RuleError(
            "visit.away",
            _("This car comes back to visit %(number)s for its part: take it in again there."),
            field="plate",
            held_by=away,
            number=away.number,
        )
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
        **came,
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
        came=None if arrival_kind == ArrivalKind.IN_PERSON else arrival_kind,
    )
    return visit


def _how_it_came(kind: str, locker: str, left_at: datetime | None, company: str, place: str) -> dict[str, Any]:
    """The visit's columns for how the car came; words of another kind are left out."""
    if kind not in ArrivalKind.values:
        raise RuleError("visit.arrival_kind", _("Choose how the car came."), field="arrival_kind")
    if kind == ArrivalKind.KEY_DROP:
        locker = formats.one_line(locker)[:20]
        text = _("For a key dropped at night write the envelope or locker and when the key was left.")
        if not locker or left_at is None:
            raise RuleError("visit.key_drop", text, field="key_left_at" if locker else "key_locker")
        if left_at > clock.now():
            raise RuleError("visit.key_drop", _("The key can't have been left in the future."), field="key_left_at")
        return {"arrival_kind": kind, "key_locker": locker, "key_left_at": left_at}
    if kind == ArrivalKind.TOWED_IN:
        company, place = formats.one_line(company)[:60], formats.one_line(place)[:120]
        if not company or not place:
            text = _("For a car towed in write who towed it and from where.")
            raise RuleError("visit.tow", text, field="towed_from" if company else "tow_company")
        return {"arrival_kind": kind, "tow_company": company, "towed_from": place}
    return {"arrival_kind": kind}


def _mandatory(**fields: str) -> dict[str, str]:
    """The four mandatory fields of 2.1.2, stripped; the first empty one is named."""
    sentences = {
        "contact_name": _("Ask for the name of whoever brings the car (2.1.2)."),
        "contact_phone": _("Ask for a telephone number (2.1.2)."),
        "model_text": _("Fill in the model of the car (2.1.2)."),
        "need": _("Ask what is needed, in the customer's words (2.1.2)."),
    }
    words = {name: formats.one_line(value) for name, value in fields.items()}
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
        return Customer.objects.standing(customer_uid)
    if vehicle is not None:
        owner = vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
        if owner is not None:
            return owner.customer
    return Customer.objects.unmerged().filter(phone=phone, name=name).first()


def _arrive_appointment(*, uid: UUID | None, vehicle: Vehicle, by: Actor) -> Appointment | None:
    """Turns the booking into an arrival; a booking of another car or another day is refused."""
    if uid is None:
        return None
    from .appointments import arrive_appointment

    appointment = Appointment.objects.for_actor(by).locked().get(uid=uid)
    if appointment.vehicle_id != vehicle.pk:
        raise RuleError("appointment.other_car", _("This booking is for another car."), field="plate")
    if not appointment.is_of_today:
        raise RuleError(
            "appointment.other_day",
            _("This booking is for %(day)s: move it to today first, or register the arrival without it."),
            field="appointment_uid",
            day=appointment.day.isoformat(),
        )
    return arrive_appointment(appointment=appointment, by=by)


# --- reception ---


def lock_visit(*, uid: UUID, by: Actor) -> Visit:
    """The visit, locked, as the actor may see it. Raises Visit.DoesNotExist for a foreign store's."""
    return Visit.objects.for_actor(by).locked().get(uid=uid)


@transaction.atomic
def greet_visit(*, uid: UUID, by: Actor, advisor_uid: UUID | None = None) -> Visit:
    """2.1.2: a waiting customer is received by the acting person, or by the advisor whom the desk names.

    Raises RaceLost ``visit.greeted`` where a colleague was quicker, RuleError ``state.move`` for an ended visit and
    ``employee.missing`` where the log-in belongs to nobody.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = lock_visit(uid=uid, by=by)
    if visit.state in (VisitState.IN_RECEPTION, VisitState.IN_SHOP):
        name = visit.advisor.name if visit.advisor else ""
        raise RaceLost("visit.greeted", _("%(name)s is already looking after this car."), name=name)
    if advisor_uid is None:
        advisor = require_employee(by)
    else:
        advisor = Employee.objects.for_actor(by).get(uid=advisor_uid, left_on__isnull=True)
    before, waited = visit.state, clock.now() - visit.arrived_at
    visit.greet(advisor=advisor)
    visit.save(update_fields=["state", "advisor", "greeted_at"])
    record(
        visit,
        events.VISIT_GREETED,
        by=by,
        changed={"state": (before, visit.state)},
        advisor=advisor.uid,
        waited_seconds=max(0, int(waited.total_seconds())),
    )
    return visit


@transaction.atomic
def leave_unserved(*, uid: UUID, reason: str, by: Actor) -> Visit:
    """1.1: the customer left before anybody received them. Raises RuleError without a reason or once received."""
    by.require(permissions.VISITS_RECEIVE)
    visit = lock_visit(uid=uid, by=by)
    before = visit.state
    visit.leave_unserved(reason=reason)
    visit.save(update_fields=["state", "left_at", "ended_note"])
    record(visit, events.VISIT_LEFT_UNSERVED, by=by, changed={"state": (before, visit.state)})
    return visit


@transaction.atomic
def end_consultation(*, uid: UUID, outcome: str, by: Actor, note: str = "") -> Visit:
    """2.1.2: the visit ends with an answer (CONSULTED) or goes on to sales (SALES_LEAD); no order was opened.

    Raises RuleError ``visit.outcome`` for another ending and ``visit.lead_note`` where sales wouldn't know why.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = lock_visit(uid=uid, by=by)
    if outcome == VisitState.SALES_LEAD and not note.strip():
        raise RuleError("visit.lead_note", _("Tell sales what the customer is interested in."), field="note")
    if outcome not in VisitState.values:
        raise RuleError("visit.outcome", _("A consultation ends answered or handed to sales."), field="outcome")
    before = visit.state
    visit.end_consultation(outcome=VisitState(outcome), note=note)
    visit.save(update_fields=["state", "left_at", "ended_note"])
    record(visit, events.VISIT_CONSULTED, by=by, changed={"state": (before, visit.state)}, outcome=outcome)
    return visit


@transaction.atomic
def lead_to_area(*, uid: UUID, area: str, by: Actor, taken_over_by_uid: UUID | None = None) -> Visit:
    """2.1.2 服务引导: the customer is led to an area (recorded), and who takes over there where somebody does.

    An advisor who takes over a customer that is being looked after is the visit's advisor from then on.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = lock_visit(uid=uid, by=by)
    if area not in Area.values:
        raise RuleError("visit.area", _("Choose the area from the list."), field="area")
    if not visit.is_open:
        raise RuleError("visit.ended", _("This visit has ended."))
    taken_over = Employee.objects.for_actor(by).get(uid=taken_over_by_uid) if taken_over_by_uid else None
    changed = {"area": (visit.area, area)}
    visit.area = area
    if taken_over and visit.greeted_at and visit.advisor != taken_over and _is_advisor(taken_over, visit.store_id):
        changed["advisor"] = (str(visit.advisor.uid) if visit.advisor else "", str(taken_over.uid))
        visit.advisor = taken_over
    visit.save(update_fields=["area", "advisor"])
    record(
        visit,
        events.VISIT_LED,
        by=by,
        changed=changed,
        taken_over_by=taken_over.uid if taken_over else None,
    )
    return visit


def _is_advisor(employee: Employee, store_id: int) -> bool:
    return employees_with_role(store_id, "advisor").filter(pk=employee.pk).exists()


# --- key and place ---


@transaction.atomic
def give_key(*, uid: UUID, key_tag: str, by: Actor, holder_uid: UUID | None = None, place: str = "") -> Visit:
    """2.1.2: the key's tag, who holds the key now (nobody: it hangs on the board) and where the car stands.

    Raises RuleError ``visit.key_tag`` for a tag that is no tag, RaceLost where the tag is on another car's key.
    """
    by.require(permissions.VISITS_KEYS)
    visit = lock_visit(uid=uid, by=by)
    if not visit.is_open:
        raise RuleError("visit.ended", _("This visit has ended."))
    tag = key_tag.strip().upper()
    if not KEY_TAG.fullmatch(tag):
        raise RuleError(
            "visit.key_tag_form", _("A key tag has up to ten letters and digits, such as 07 or A12."), field="key_tag"
        )
    holder = Employee.objects.for_actor(by).get(uid=holder_uid, left_on__isnull=True) if holder_uid else None
    place = formats.one_line(place)[:20]
    before = (visit.key_tag, visit.key_holder.uid if visit.key_holder else None, visit.parking_place)
    after = (tag, holder.uid if holder else None, place)
    if before == after:
        raise RuleError("visit.key_same", _("Key and place are already written down like this."))
    other = Visit.objects.filter(store_id=visit.store_id, key_tag=tag, state__in=OPEN_VISITS).exclude(pk=visit.pk)
    if other.exists():
        raise _tag_taken(visit, tag)
    visit.key_tag, visit.key_holder, visit.parking_place = tag, holder, place
    try:
        with transaction.atomic():
            visit.save(update_fields=["key_tag", "key_holder", "parking_place"])
    except IntegrityError as exc:
        if constraint_name(exc) != "visit_key_tag":
            raise
        raise _tag_taken(visit, tag) from exc
    record(
        visit,
        events.VISIT_KEY_GIVEN,
        by=by,
        changed={
            "key_tag": (before[0], tag),
            "key_holder": (before[1], after[1]),
            "place": (_plain(before[2]), _plain(place)),
        },
    )
    return visit


def _tag_taken(visit: Visit, tag: str) -> RaceLost:
    other = (
        Visit.objects.filter(store_id=visit.store_id, key_tag=tag, state__in=OPEN_VISITS)
        .exclude(pk=visit.pk)
        .select_related("vehicle")
        .first()
    )
    return RaceLost(
        "visit.key_tag",
        _("Tag %(tag)s is on the key of %(car)s; take another one."),
        field="key_tag",
        tag=tag,
        car=str(other.vehicle) if other else "—",
    )


def _plain(words: str) -> str:
    """A place as history may keep it: codes like A1 as they are, words only as “changed”."""
    return words if PLAIN.fullmatch(words) else "…"


# --- promise ---


@transaction.atomic
def promise_visit(*, uid: UUID, promised_at: datetime, reason: str, by: Actor, told: str = "") -> Visit:
    """1.3: promises a hand-over time (aware); every earlier promise stays readable with its reason.

    ``told`` is how the customer heard of it (IN_PERSON, PHONE, MESSAGE). Raises RuleError for a time that isn't
    ahead, the same time again, no reason, and an ended visit.
    """
    by.require(permissions.VISITS_PROMISE)
    return write_promise(visit=lock_visit(uid=uid, by=by), promised_at=promised_at, reason=reason, told=told, by=by)


def write_promise(*, visit: Visit, promised_at: datetime, reason: str, by: Actor, told: str = "") -> Visit:
    """The same for a visit that the caller has locked, and decided about: the customer's own yes. Refuses alike."""
    if not visit.is_open:
        raise RuleError("visit.ended", _("This visit has ended."))
    if promised_at.tzinfo is None:
        raise ValueError("A promise is an aware moment.")
    if promised_at <= clock.now():
        raise RuleError("visit.promise_past", _("A promise lies in the future."), field="promised_at")
    if promised_at == visit.promised_at:
        raise RuleError("visit.promise_same", _("This time is already promised."), field="promised_at")
    if told and told not in ToldBy.values:
        raise RuleError("visit.promise_told", _("Choose how the customer was told."), field="told")
    reason = formats.one_line(reason)[:200]
    if not reason:
        raise RuleError("visit.promise_reason", _("Say why this time is promised."), field="reason")
    before, visit.promised_at = visit.promised_at, promised_at
    visit.save(update_fields=["promised_at"])
    VisitPromise.objects.create(
        visit=visit,
        promised_at=promised_at,
        reason=reason,
        told=told,
        made_at=clock.now(),
        actor_kind=by.kind,
        actor_id=by.id,
    )
    record(visit, events.VISIT_PROMISED, by=by, changed={"promised_at": (before, promised_at)}, told=told)
    return visit


# --- into the shop and out again, called by the rooms above inside their own transaction ---


@transaction.atomic
def admit_visit(*, visit: Visit, by: Actor) -> Visit:
    """An order was opened: IN_RECEPTION → IN_SHOP. Raises RuleError ``visit.signature`` before the signature."""
    visit = Visit.objects.locked().get(pk=visit.pk)
    before = visit.state
    visit.admit()
    visit.save(update_fields=["state"])
    record(visit, events.VISIT_ADMITTED, by=by, changed={"state": (before, visit.state)})
    return visit


@transaction.atomic
def depart_visit(*, visit: Visit, odometer_km: int, by: Actor, odometer_reason: str = "") -> Visit:
    """4.1: the car leaves for good: IN_SHOP → DEPARTED, tag and place become free, the link stays for its days.

    Raises RuleError ``visit.odometer_out`` for a mileage (whole km) below that of the arrival without a reason.
    """
    from .vehicles import read_odometer

    read_odometer(vehicle=visit.vehicle, km=odometer_km, by=by, reason=odometer_reason)
    visit = Visit.objects.locked().get(pk=visit.pk)
    before = visit.state
    visit.depart(odometer_km=odometer_km, odometer_reason=odometer_reason)
    assert visit.left_at is not None  # set by depart()
    visit.save(update_fields=["state", "left_at", "odometer_out_km", "key_holder"])
    days = limits.value(LINK_DAYS, store_id=visit.store_id)
    VisitLink.objects.filter(visit=visit).update(expires_at=clock.now() + timedelta(days=days))
    record(
        visit,
        events.VISIT_DEPARTED,
        by=by,
        changed={"state": (before, visit.state)},
        odometer_km=odometer_km,
        on_time=None if visit.promised_at is None else visit.left_at <= visit.promised_at,
    )
    return visit


# --- the customer's link ---


@transaction.atomic
def rate_reception(*, uid: UUID, rating: int, by: Actor) -> Visit:
    """2.1.4: one tap from 1 to 5 by the customer on the link; a later tap corrects the earlier one."""
    if by.kind != ActorKind.LINK:
        raise RuleError("visit.rating_by_customer", _("Only the customer rates the reception, on the link."))
    visit = lock_visit(uid=uid, by=by)
    if visit.greeted_at is None:
        raise RuleError("visit.rating_early", _("The reception can be rated once it has begun."))
    if rating not in (1, 2, 3, 4, 5):
        raise RuleError("visit.rating", _("Rate from 1 to 5."), field="rating")
    if rating == visit.rating:
        return visit
    before, visit.rating = visit.rating, rating
    visit.save(update_fields=["rating"])
    record(
        visit,
        events.VISIT_RATED,
        by=by,
        changed={"rating": (before, rating)},
        advisor=visit.advisor.uid if visit.advisor else None,
    )
    return visit


@transaction.atomic
def explain_rating(*, uid: UUID, words: str, by: Actor) -> Visit:
    """2.1.4: why the reception was rated so, in the customer's words (up to 300 characters); later words replace them.

    Raises RuleError for anybody but the customer, before a rating and without words.
    """
    if by.kind != ActorKind.LINK:
        raise RuleError("visit.rating_by_customer", _("Only the customer rates the reception, on the link."))
    visit = lock_visit(uid=uid, by=by)
    said = words.strip()[:300]
    if visit.rating is None:
        raise RuleError("visit.rating_first", _("Rate the reception first, then say why."))
    if not said:
        raise RuleError("visit.rating_words", _("Write what we should know, in your own words."), field="words")
    if said == visit.rating_words:
        return visit
    visit.rating_words = said
    visit.save(update_fields=["rating_words"])
    record(visit, events.VISIT_RATING_EXPLAINED, by=by, rating=visit.rating)
    return visit


@transaction.atomic
def view_link(*, token: str) -> VisitLink:
    """1.3: the customer opens the link; looks are counted, the first one is written down.

    Raises VisitLink.DoesNotExist for an unknown or expired token.
    """
    link = VisitLink.objects.locked().select_related("visit").get(token=token, expires_at__gt=clock.now())
    first = link.first_viewed_at is None
    link.first_viewed_at = link.first_viewed_at or clock.now()
    link.last_viewed_at = clock.now()
    link.views = F("views") + 1
    link.save(update_fields=["first_viewed_at", "last_viewed_at", "views"])
    link.refresh_from_db(fields=["views"])
    if first:
        by = Actor(ActorKind.LINK, str(link.uid), store_ids=frozenset({link.visit.store_id}), visit_id=link.visit_id)
        record(link, events.LINK_OPENED, by=by, store_id=link.visit.store_id)
    return link


def link_address(link: VisitLink) -> str:
    """The whole address a customer can open from a phone."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("visit-link", args=[link.token])


@transaction.atomic
def send_link(*, uid: UUID, by: Actor) -> Message:
    """1.3: sends the link to whoever brought the car, by the customer's channel and in the customer's language.

    Raises RuleError ``visit.link_again`` within a minute of the last time.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = lock_visit(uid=uid, by=by)
    link = VisitLink.objects.get(visit=visit)
    sent = Message.objects.filter(visit_uid=visit.uid, template="visit_link")
    last = sent.order_by("-id").first()
    if last is not None and last.created_at > clock.now() - timedelta(minutes=1):
        raise RuleError("visit.link_again", _("The link was sent a moment ago; wait a minute before sending it again."))
    customer = visit.customer
    with translation.override(customer.language):
        body = gettext(
            "%(store)s: follow the service of your car %(car)s here, decide on repairs and reach us: %(address)s"
        ) % {"store": visit.store.name, "car": str(visit.vehicle), "address": link_address(link)}
        subject = gettext("Your car at %(store)s") % {"store": visit.store.name}
    message = telling.tell(
        customer,
        store=visit.store,
        key=f"visit-link:{visit.uid}:{sent.count() + 1}",
        template="visit_link",
        subject=subject,
        body=body,
        phone=visit.contact_phone,
        name=visit.contact_name,
        visit_uid=visit.uid,
        at_once=True,
        by=by,
    )
    record(visit, events.LINK_SENT, by=by, channel=message.channel, message=message.uid)
    return message


# --- feedback ---


@transaction.atomic
def note_feedback(*, uid: UUID, words: str, by: Actor, score: int | None = None) -> ReceptionNote:
    """2.1.4 服务反馈记录: writes down what the customer said about the reception; ``score`` 1 to 5 where it was plain.

    Also after the car has left. Raises RuleError without words and for a score off the scale.
    """
    by.require(permissions.VISITS_RECEIVE)
    person = require_employee(by)
    visit = lock_visit(uid=uid, by=by)
    said = formats.one_line(words)[:300]
    if not said:
        raise RuleError("note.words", _("Write down what the customer said."), field="words")
    if score is not None and score not in range(1, 6):
        raise RuleError("note.score", _("Rate from 1 to 5."), field="score")
    note = ReceptionNote.objects.create(visit=visit, words=said, score=score, written_by=person, at=clock.now())
    record(visit, events.FEEDBACK_NOTED, by=by, score=score)
    return note


# --- photos ---


@transaction.atomic
def add_photo(
    *,
    visit_uid: UUID,
    content: bytes,
    name: str,
    by: Actor,
    place: str = "",
    mark_uid: UUID | None = None,
    uid: UUID | None = None,
) -> VisitPhoto:
    """2.1.2: keeps a photo of the visit, turned upright and without place data of the camera.

    ``place`` says what it shows, ``mark_uid`` the damage it belongs to, ``uid`` the name a device without a connection
    gave it: the same one again is the same photo. Raises RuleError for something that is no
    picture, for an ended visit and when there are too many.
    """
    by.require(permissions.VISITS_PHOTOGRAPH)
    visit = lock_visit(uid=visit_uid, by=by)
    if uid is not None and (known := visit.photos.filter(uid=uid).first()) is not None:
        return known
    if not visit.is_open:
        raise RuleError("visit.ended", _("This visit has ended."))
    most = limits.value(VISIT_PHOTOS, store_id=visit.store_id)
    if visit.photos.count() >= most:
        raise RuleError("visit.photos", _("A visit carries %(most)s photos at most."), field="photos", most=most)
    mark = DamageMark.objects.get(uid=mark_uid, walkaround__visit=visit) if mark_uid else None
    file = store_file(content=clean_picture(content), name=name, store_id=visit.store_id, by=by, visit_uid=visit.uid)
    photo = VisitPhoto.objects.create(
        uid=uid or uuid4(),
        visit=visit,
        file=file,
        place=formats.one_line(place)[:20],
        mark=mark,
        taken_at=clock.now(),
    )
    record(visit, events.VISIT_PHOTO_ADDED, by=by, photo=photo.uid, sha256=file.sha256, mark=mark.uid if mark else None)
    return photo
