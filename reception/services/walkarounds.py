"""Commands on the walk-around (环检): what the car is like when it comes, until the customer signs it (2.1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import TextChoices
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor, ActorKind, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Message
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad

from .. import events, permissions
from ..models import (
    ArrivalKind,
    Belonging,
    ConsultationChannel,
    ConsultationTopic,
    DamageKind,
    DamageMark,
    DamageSide,
    OldParts,
    SignedWhere,
    Vehicle,
    Visit,
    VisitLink,
    VisitPhoto,
    VisitState,
    WaitingMode,
    WalkAround,
    WalkAroundState,
    WarningLight,
)
from . import consultations, telling, visits
from .vehicles import most_km, read_odometer

add_photo = visits.add_photo
"""A photo belongs to the visit; it is offered here too, where most are taken."""

MOST_MARKS = 60
FREE_TEXT = ("own_words", "odometer_reason", "odometer_unread")
"""Words as they were said: history only knows that there are some."""


def _open_walkaround(visit: Visit, *, sent_too: bool = False) -> WalkAround:
    """The walk-around of a visit in reception, made on first use; that of a car whose customer wasn't there stays open
    until they have confirmed it. Raises RuleError once it is signed, and while it is with the customer unless ``sent_too``.
    """
    if visit.state == VisitState.WAITING:
        raise RuleError("walkaround.not_greeted", _("Receive the customer first; then walk around the car together."))
    walkaround = WalkAround.objects.locked().filter(visit=visit).first()
    if walkaround is not None and walkaround.state == WalkAroundState.SIGNED:
        raise RuleError(
            "walkaround.signed", _("The customer has signed this walk-around; it can't be changed any more.")
        )
    if walkaround is not None and walkaround.state == WalkAroundState.SENT and not sent_too:
        raise RuleError(
            "walkaround.sent", _("The customer has this walk-around on the link; take it back before you change it.")
        )
    if visit.state != VisitState.IN_RECEPTION and not visit.awaits_confirmation:
        raise RuleError("walkaround.late", _("The walk-around belongs to the reception; this visit is past it."))
    return walkaround or WalkAround.objects.create(visit=visit)


def _codes(values: Iterable[str], allowed: type[TextChoices], *, field: str) -> list[str]:
    chosen = set(values)
    if unknown := chosen - set(allowed.values):
        raise RuleError("walkaround.choice", _("“%(value)s” isn't on the list."), field=field, value=min(unknown))
    return [value for value in allowed.values if value in chosen]


def _whole_or_none(value: Any, *, lowest: int, highest: int, field: str, text: Any) -> int | None:
    return None if value is None else _whole(value, lowest=lowest, highest=highest, field=field, text=text)


def _whole(value: Any, *, lowest: int, highest: int, field: str, text: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise RuleError("walkaround.range", text, field=field)
    return value


def _read_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """The given fields, checked one by one. Raises TypeError for a field a walk-around doesn't have."""
    read: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "odometer_km":
            text = _("The mileage lies between 0 and 2,000,000 km.")
            read[name] = _whole_or_none(value, lowest=0, highest=2_000_000, field=name, text=text)
        elif name == "energy_eighths":
            read[name] = _whole_or_none(
                value, lowest=0, highest=8, field=name, text=_("Fuel or charge is 0 to 8 eighths.")
            )
        elif name == "warning_lights":
            read[name] = _codes(value, WarningLight, field=name)
        elif name == "belongings":
            read[name] = _codes(value, Belonging, field=name)
        elif name in ("kit_fitted", "no_valuables"):
            read[name] = bool(value)
        elif name == "old_parts":
            if value and value not in OldParts.values:
                raise RuleError("walkaround.choice", _("Choose what happens to old parts."), field=name)
            read[name] = value or ""
        elif name in ("odometer_reason", "odometer_unread"):
            read[name] = formats.one_line(value or "")[:200]
        elif name == "own_words":
            read[name] = (value or "").strip()[:500]
        else:
            raise TypeError(f"A walk-around has no field {name}.")
    return read


def _check_odometer(walkaround: WalkAround, vehicle: Vehicle, *, most: int | None = None) -> None:
    """2.1.2: a lower reading than the last one needs a reason; so does one above ``most`` where somebody can be asked."""
    km = walkaround.odometer_km
    if km is not None and most is not None and km > most and not walkaround.odometer_reason:
        raise RuleError(
            "walkaround.odometer_far",
            _(
                "%(km)s km is %(more)s km more than the last reading, %(before)s km. Read it again, or say why it is right."
            ),
            field="odometer_reason",
            km=km,
            more=km - vehicle.odometer_km,
            before=vehicle.odometer_km,
        )
    if km is not None and km < vehicle.odometer_km and not walkaround.odometer_reason:
        raise RuleError(
            "walkaround.odometer",
            _("The last reading was %(before)s km. Read it again, or say why it is lower now."),
            field="odometer_reason",
            before=vehicle.odometer_km,
        )


@transaction.atomic
def save_walkaround(
    *, visit_uid: UUID, by: Actor, waiting_mode: str | None = None, asks: bool = False, **fields: Any
) -> WalkAround:
    """2.1.2: writes down any of odometer_km (whole km), odometer_reason, odometer_unread (why a towed car's mileage can't
    be read), energy_eighths (0–8), warning_lights, belongings, kit_fitted, no_valuables, old_parts, own_words;
    ``waiting_mode`` is the visit's own.

    What isn't named stays. Raises RuleError for a lower mileage without a reason, once signed, or before the customer
    was received; with ``asks``, as somebody reads it beside the car, also ``walkaround.odometer_far``.
    Saving what is already there writes nothing.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    read = _read_fields(fields)
    changed = {name: value for name, value in read.items() if getattr(walkaround, name) != value}
    before = {name: getattr(walkaround, name) for name in changed}
    for name, value in changed.items():
        setattr(walkaround, name, value)
    if walkaround.odometer_unread and visit.arrival_kind != ArrivalKind.TOWED_IN:
        text = _("Only the mileage of a car that was towed in may stay unread.")
        raise RuleError("walkaround.unread", text, field="odometer_unread")
    most = most_km(visit.vehicle, store_id=visit.store_id) if asks else None
    _check_odometer(walkaround, visit.vehicle, most=most)
    if changed:
        walkaround.save(update_fields=list(changed))
    facts = {name: (before[name], value) for name, value in changed.items() if name not in FREE_TEXT}
    if waiting_mode is not None and waiting_mode != visit.waiting_mode:
        if waiting_mode not in WaitingMode.values:
            raise RuleError("walkaround.choice", _("Choose where the customer waits."), field="waiting_mode")
        facts["waiting_mode"] = (visit.waiting_mode, waiting_mode)
        visit.waiting_mode = waiting_mode
        visit.save(update_fields=["waiting_mode"])
    if changed or facts:
        record(
            walkaround,
            events.WALKAROUND_SAVED,
            by=by,
            store_id=visit.store_id,
            changed=facts,
            own_words=True if "own_words" in changed else None,
        )
    return walkaround


@transaction.atomic
def add_damage(
    *,
    visit_uid: UUID,
    side: str,
    kind: str,
    by: Actor,
    place: str = "",
    x: int = 500,
    y: int = 500,
    size_mm: int | None = None,
    note: str = "",
    uid: UUID | None = None,
) -> DamageMark:
    """2.1.2: marks a damage; ``x`` and ``y`` in thousandths of that side's drawing, ``size_mm`` its length.

    ``uid`` is the name a device without a connection gave it: the same one again is the same mark. Raises RuleError
    for a side or kind off the list, a point outside, and once the walk-around is signed.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    if uid is not None and (known := walkaround.marks.filter(uid=uid).first()) is not None:
        return known
    if side not in DamageSide.values:
        raise RuleError("damage.side", _("Choose the side of the car."), field="side")
    if kind not in DamageKind.values:
        raise RuleError("damage.kind", _("Choose the kind of damage."), field="kind")
    outside = _("The mark lies outside the drawing.")
    if walkaround.marks.count() >= MOST_MARKS:
        raise RuleError("damage.many", _("That is too many marks; describe the rest in a note."), field="note")
    mark = DamageMark.objects.create(
        uid=uid or uuid4(),
        walkaround=walkaround,
        side=side,
        kind=kind,
        place=formats.one_line(place)[:40],
        x=_whole(x, lowest=0, highest=1000, field="x", text=outside),
        y=_whole(y, lowest=0, highest=1000, field="y", text=outside),
        size_mm=_whole_or_none(size_mm, lowest=1, highest=9999, field="size_mm", text=_("The size is 1 to 9,999 mm.")),
        note=formats.one_line(note)[:120],
    )
    record(walkaround, events.DAMAGE_ADDED, by=by, store_id=visit.store_id, mark=mark.uid, side=side, kind=kind)
    return mark


@transaction.atomic
def remove_damage(*, visit_uid: UUID, mark_uid: UUID, by: Actor) -> WalkAround:
    """2.1.2: takes a mark back before the signature; its photos stay with the visit."""
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit)
    mark = DamageMark.objects.get(uid=mark_uid, walkaround=walkaround)
    record(
        walkaround,
        events.DAMAGE_REMOVED,
        by=by,
        store_id=visit.store_id,
        mark=mark.uid,
        side=mark.side,
        kind=mark.kind,
    )
    VisitPhoto.objects.filter(mark=mark).update(mark=None)
    mark.delete()
    return walkaround


@transaction.atomic
def sign_walkaround(*, visit_uid: UUID, signed_name: str, by: Actor, signature: bytes | None = None) -> WalkAround:
    """2.1.2: the customer signs beside the car, drawn (``signature`` is a PNG) or by the typed name alone: in the shop,
    or at the door of a car that we fetch. A customer who comes by signs what was on their link in the same way.

    The mileage becomes the car's, the visit may go on into the shop. Raises RuleError naming the first thing that is
    missing; what was signed is never changed again.
    """
    by.require(permissions.VISITS_RECEIVE)
    return _sign(visit_uid=visit_uid, signed_name=signed_name, signature=signature, by=by)


def _sign(
    *,
    visit_uid: UUID,
    signed_name: str,
    by: Actor,
    signature: bytes | None = None,
    agreed: dict[str, Any] | None = None,
) -> WalkAround:
    """Puts the name under the walk-around; ``agreed`` are the answers that come with it."""
    # Lock order (design 5): vehicle before visit.
    unlocked = Visit.objects.for_actor(by).get(uid=visit_uid)
    vehicle = Vehicle.objects.locked().get(pk=unlocked.vehicle_id)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _open_walkaround(visit, sent_too=True)
    if agreed is not None:
        if walkaround.state != WalkAroundState.SENT:
            raise RuleError(
                "walkaround.not_sent", _("There is nothing to confirm at the moment; we are looking again.")
            )
        for field, value in agreed.items():
            setattr(walkaround, field, value)
    name = formats.one_line(signed_name)[:60]
    _require_complete(walkaround, name)
    _check_odometer(walkaround, vehicle)
    refuse_empty_pad(signature)
    before = walkaround.state
    if by.visit_id is not None:
        walkaround.signed_where = SignedWhere.LINK
    else:
        at_door = visit.arrival_kind == ArrivalKind.PICKED_UP and visit.state == VisitState.IN_RECEPTION
        walkaround.signed_where = SignedWhere.DOOR if at_door else SignedWhere.DESK
    walkaround.signature = (
        store_file(content=signature, name="walkaround.png", store_id=visit.store_id, by=by, visit_uid=visit.uid)
        if signature
        else None
    )
    walkaround.state, walkaround.signed_at, walkaround.signed_name = WalkAroundState.SIGNED, clock.now(), name
    walkaround.save(
        update_fields=["state", "signed_at", "signed_name", "signed_where", "signature", "old_parts", "no_valuables"]
    )
    visit.signed_at, visit.odometer_in_km = walkaround.signed_at, walkaround.odometer_km
    visit.save(update_fields=["signed_at", "odometer_in_km"])
    if walkaround.odometer_km is not None:
        reader = by if by.visit_id is None else machine("walkaround", store_id=visit.store_id)
        read_odometer(vehicle=vehicle, km=walkaround.odometer_km, by=reader, reason=walkaround.odometer_reason)
    record(
        walkaround,
        events.WALKAROUND_SIGNED,
        by=by,
        store_id=visit.store_id,
        changed={"state": (before, walkaround.state)},
        where=walkaround.signed_where if visit.arrival_kind != ArrivalKind.IN_PERSON else None,
        odometer_km=walkaround.odometer_km,
        energy_eighths=walkaround.energy_eighths,
        marks=walkaround.marks.count(),
        photos=visit.photos.count(),
        signature=walkaround.signature.sha256 if walkaround.signature else None,
    )
    return walkaround


# --- seen elsewhere: the customer didn't bring the car (2.1.2) ---


@transaction.atomic
def send_walkaround(*, visit_uid: UUID, by: Actor) -> WalkAround:
    """2.1.2: puts the walk-around of a car that wasn't handed over in person on the customer's link and tells them.

    The order may be written from now on; work begins once the customer has confirmed. Raises RuleError
    ``walkaround.in_person``, ``walkaround.incomplete`` and ``walkaround.sent``.
    """
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    if visit.arrival_kind == ArrivalKind.IN_PERSON:
        raise RuleError(
            "walkaround.in_person", _("The customer brought this car: they sign the walk-around beside it.")
        )
    walkaround = _open_walkaround(visit)
    for field, text in missing_of(walkaround):
        if field in ("odometer_km", "energy_eighths"):
            raise RuleError("walkaround.incomplete", text, field=field)
    _check_odometer(walkaround, visit.vehicle)
    walkaround.state = WalkAroundState.SENT
    walkaround.save(update_fields=["state"])
    visit.shown_at = clock.now()
    visit.save(update_fields=["shown_at"])
    message = _tell_of_walkaround(visit, by)
    record(
        walkaround,
        events.WALKAROUND_SENT,
        by=by,
        store_id=visit.store_id,
        changed={"state": (WalkAroundState.DRAFT, walkaround.state)},
        marks=walkaround.marks.count(),
        photos=visit.photos.count(),
        message=message.uid,
    )
    return walkaround


def _tell_of_walkaround(visit: Visit, by: Actor) -> Message:
    """Asks the customer to look at the car's state on the link, in their language."""
    link, store = VisitLink.objects.get(visit=visit), visit.store
    sent = Message.objects.filter(visit_uid=visit.uid, template="walkaround").count()
    address = settings.PUBLIC_URL.rstrip("/") + reverse("visit-link-walkaround", args=[link.token])
    with translation.override(visit.customer.language):
        words = {"store": store.name, "car": str(visit.vehicle), "address": address}
        body = (
            gettext(
                "%(store)s: your car %(car)s is with us. Please look at its state here and confirm it, "
                "so that we can begin: %(address)s"
            )
            % words
        )
        subject = gettext("Please confirm the state of your car %(car)s") % words
    return telling.tell(
        visit.customer,
        store=store,
        key=f"walkaround:{visit.uid}:{sent + 1}",
        template="walkaround",
        subject=subject,
        body=body,
        phone=visit.contact_phone,
        name=visit.contact_name,
        visit_uid=visit.uid,
        by=by,
    )


@transaction.atomic
def take_back_walkaround(*, visit_uid: UUID, by: Actor) -> WalkAround:
    """2.1.2: takes the walk-around off the link again to change it. Raises RuleError ``walkaround.not_sent``."""
    by.require(permissions.VISITS_RECEIVE)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _sent_walkaround(visit)
    walkaround.state = WalkAroundState.DRAFT
    walkaround.save(update_fields=["state"])
    record(
        walkaround,
        events.WALKAROUND_TAKEN_BACK,
        by=by,
        store_id=visit.store_id,
        changed={"state": (WalkAroundState.SENT, walkaround.state)},
    )
    return walkaround


def _sent_walkaround(visit: Visit) -> WalkAround:
    walkaround = WalkAround.objects.locked().filter(visit=visit).first()
    if walkaround is None or walkaround.state != WalkAroundState.SENT:
        raise RuleError("walkaround.not_sent", _("There is nothing to confirm at the moment; we are looking again."))
    return walkaround


@transaction.atomic
def confirm_walkaround(
    *, visit_uid: UUID, signed_name: str, old_parts: str, no_valuables: bool, by: Actor
) -> WalkAround:
    """2.1.2: the customer confirms on the link what they read there; it is signed with the typed name.

    Raises RuleError ``walkaround.by_customer``, ``walkaround.not_sent`` and, naming the field, ``walkaround.incomplete``.
    """
    _require_customer(by)
    agreed = _read_fields({"old_parts": old_parts, "no_valuables": no_valuables})
    return _sign(visit_uid=visit_uid, signed_name=signed_name, by=by, agreed=agreed)


@transaction.atomic
def dispute_walkaround(*, visit_uid: UUID, words: str, by: Actor) -> WalkAround:
    """2.1.2: the customer sees the car's state otherwise: the walk-around is open again, and a question with its clock
    goes to the advisor.

    Raises RuleError ``walkaround.by_customer``, ``walkaround.not_sent`` and ``walkaround.dispute`` without words.
    """
    _require_customer(by)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    walkaround = _sent_walkaround(visit)
    said = words.replace("\x00", "").strip()[:500]
    if not said:
        raise RuleError("walkaround.dispute", _("Tell us what isn't right."), field="words")
    walkaround.state, walkaround.dispute, walkaround.disputed_at = WalkAroundState.DRAFT, said, clock.now()
    walkaround.save(update_fields=["state", "dispute", "disputed_at"])
    desk = machine("walkaround", store_id=visit.store_id)
    question = consultations.register_consultation(
        channel=ConsultationChannel.WEB_FORM,
        topic=ConsultationTopic.OTHER,
        subject=gettext("State of the car at visit %(number)s") % {"number": visit.number},
        body=said,
        contact_name=visit.contact_name,
        contact_phone=visit.contact_phone,
        plate=visit.vehicle.plate,
        model_text=visit.model_text,
        by=desk,
    )
    if visit.advisor is not None and visit.advisor.left_on is None:
        consultations.assign_consultation(uid=question.uid, employee_uid=visit.advisor.uid, by=desk)
    record(
        walkaround,
        events.WALKAROUND_DISPUTED,
        by=by,
        store_id=visit.store_id,
        changed={"state": (WalkAroundState.SENT, walkaround.state)},
        question=question.uid,
    )
    return walkaround


def _require_customer(by: Actor) -> None:
    if by.kind != ActorKind.LINK:
        raise RuleError("walkaround.by_customer", _("Only the customer answers to the walk-around, on the link."))


def missing_of(walkaround: WalkAround | None) -> list[tuple[str, Any]]:
    """What has to be written down before the customer signs: the field and what to do, in the order of the steps."""
    known = walkaround or WalkAround()
    unread = walkaround is not None and bool(walkaround.odometer_unread)
    asked = (
        (known.odometer_km is None and not unread, "odometer_km", _("Read the mileage first.")),
        (known.energy_eighths is None and not unread, "energy_eighths", _("Read fuel or charge first.")),
        (not known.no_valuables, "no_valuables", _("Ask the customer to take valuables along and confirm it.")),
        (not known.old_parts, "old_parts", _("Ask what happens to old parts.")),
    )
    return [(field, text) for lacks, field, text in asked if lacks]


def _require_complete(walkaround: WalkAround, name: str) -> None:
    missing = missing_of(walkaround)
    if not name:
        missing.append(("signed_name", _("Write the name of the person who signs.")))
    if missing:
        field, text = missing[0]
        raise RuleError("walkaround.incomplete", text, field=field)
