"""Reads of visits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import VehicleModel
from dealership.kernel import clock, formats, stages
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile

from ..models import (
    EXPECTED_STATES,
    A,
    Appointment,
    Customer,
    CustomerContact,
    DamageMark,
    DamageSide,
    EveningCount,
    Vehicle,
    Visit,
    VisitPhoto,
    VisitState,
    WalkAround,
)
from .appointments import day_bounds, store_of
from .contacts import contacts_of
from .today import LANE_OF, Placement, placements

OPEN_STATES = (VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP)


@dataclass(frozen=True, slots=True)
class KnownCar:
    """A car found by its plate, with what the desk wants to see at once and what it fills in."""

    vehicle: Vehicle
    owner: Customer | None
    open_visit: Visit | None
    appointment: Appointment | None
    """Today's booking."""
    coming: Appointment | None = None
    """The next booking of another day, where today has none; the arrival doesn't take it along."""
    last_visits: list[Visit] = field(default_factory=list)
    people: list[CustomerContact] = field(default_factory=list)
    """The owner's driver, payer or whoever may authorise, any of whom may have brought it."""
    brought_by: CustomerContact | None = None
    """Who of them was chosen."""

    @property
    def fills(self) -> dict[str, Any]:
        """Field → value for the arrival form; a booking knows more than the file."""
        booked = self.appointment
        return {
            "plate": self.vehicle.plate,
            "vin": self.vehicle.vin,
            "plate_kind": self.vehicle.plate_kind,
            "model_text": self.vehicle.model_text,
            "contact_name": self._bringer[0],
            "contact_phone": self._bringer[1],
            "need": booked.concern if booked else "",
            "waiting_mode": booked.waiting_mode if booked else "WAIT_AT_DEALER",
            "appointment": booked.uid if booked else None,
        }

    @property
    def _bringer(self) -> tuple[str, str]:
        """Name and telephone: who was chosen, else who is booked, else the owner."""
        if self.brought_by:
            return self.brought_by.name, self.brought_by.phone
        if self.appointment:
            return self.appointment.contact_name, self.appointment.contact_phone
        return (self.owner.name, self.owner.phone) if self.owner else ("", "")


def known_car(by: Actor, *, plate: str, vin: str = "", contact: str = "") -> KnownCar | None:
    """The car with this plate or, where no plate leads to one, with this VIN; its owner, today's booking, and an open
    visit where it is already here. ``contact`` is the uid of the owner's contact who brought it, '' nobody in particular."""
    cars, vehicle = Vehicle.objects.for_actor(by), None
    if plate.strip():
        vehicle = cars.filter(plate=formats.normalise_plate(plate)).first()
    if vehicle is None and vin.strip():
        vehicle = cars.filter(vin=formats.normalise_vin(vin)).first()
    if vehicle is None:
        return None
    ownership = vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
    store = store_of(by)
    start, end = day_bounds(store, clock.today(store.time_zone))
    # One query: the first of today, where there is one, else the next that is still expected.
    booked = Appointment.objects.for_actor(by).filter(vehicle=vehicle, starts_at__gte=start).order_by("starts_at", "pk")
    ahead = list(booked.filter(state__in=[*EXPECTED_STATES, A.NO_SHOW])[:10])
    today = next((row for row in ahead if row.starts_at < end), None)
    people = contacts_of(ownership.customer_id) if ownership else []
    return KnownCar(
        vehicle=vehicle,
        owner=ownership.customer if ownership else None,
        open_visit=Visit.objects.for_actor(by).filter(vehicle=vehicle, state__in=OPEN_STATES).first(),
        appointment=today,
        coming=None if today else next((row for row in ahead if row.is_expected), None),
        last_visits=list(
            Visit.objects.for_actor(by)
            .filter(vehicle=vehicle, state=VisitState.DEPARTED)
            .select_related("advisor")
            .order_by("-arrived_at")[:3]
        ),
        people=people,
        brought_by=next((row for row in people if str(row.uid) == contact), None),
    )


SAME_BUILD = 8
"""Signs at the beginning of a VIN that cars of one maker and build share (WMI and the descriptor)."""


def model_by_vin(by: Actor, vin: str) -> str:
    """What most cars of the same build are called in our file; empty where we know none."""
    start = formats.normalise_vin(vin)[:SAME_BUILD]
    if len(start) < SAME_BUILD:
        return ""
    rows = Vehicle.objects.for_actor(by).filter(vin__startswith=start).values("model_text").annotate(n=Count("pk"))
    row = rows.order_by("-n", "model_text").first()
    return row["model_text"] if row else ""


def model_names() -> list[str]:
    """How the catalogue's models are written, to choose from."""
    return [str(model) for model in VehicleModel.objects.order_by("make", "series", "name")]


# --- the visit page, its photos and its walk-around ---


def visit_of(by: Actor, uid: UUID) -> Visit:
    """One visit with what its page shows. Raises Visit.DoesNotExist for a foreign store's."""
    return (
        Visit.objects.for_actor(by)
        .select_related("vehicle", "customer", "advisor", "key_holder", "appointment", "link", "store")
        .get(uid=uid)
    )


def walkaround_of(visit: Visit) -> WalkAround | None:
    """The visit's walk-around, None before it has begun."""
    return WalkAround.objects.filter(visit=visit).select_related("signature").first()


def photos_of(visit: Visit) -> list[VisitPhoto]:
    return list(visit.photos.select_related("file", "mark"))


def photo_for(by: Actor, uid: UUID) -> StoredFile:
    """The file of a photo whose visit the actor may see. Raises VisitPhoto.DoesNotExist otherwise."""
    photo = VisitPhoto.objects.select_related("file").get(uid=uid, visit__in=Visit.objects.for_actor(by))
    return photo.file


def signature_for(by: Actor, uid: UUID) -> StoredFile:
    """The drawn signature under a visit's walk-around. Raises WalkAround.DoesNotExist where there is none."""
    walkaround = (
        WalkAround.objects.for_actor(by).select_related("signature").get(visit__uid=uid, signature__isnull=False)
    )
    assert walkaround.signature is not None
    return walkaround.signature


FOLLOWED_UP: list[Callable[[Visit], bool]] = []
"""Rooms above say whether the visit was followed up; until one says yes it is only planned."""


def stage_steps(visit: Visit, stage: stages.Stage, *, over: bool = False, late: bool = False) -> list[dict[str, Any]]:
    """The stage bar for <c-stage-bar>: what lies behind is done, where the car stands is now.

    Who came without an appointment was never booked, and a follow-up is done when somebody has spoken, not when it is
    planned.
    """
    here = stages.BAR.index(stage)
    steps = []
    for place, step in enumerate(stages.BAR):
        state = "done" if place < here or (over and place <= here) else "now" if place == here else "todo"
        if state == "now" and late:
            state = "late"
        say: Any = ""
        if step == stages.BOOKING and visit.appointment_id is None:
            state, say = "none", _("came without an appointment")
        elif step == stages.FOLLOW_UP and place == here:
            followed = any(source(visit) for source in FOLLOWED_UP)
            state, say = ("done", "") if followed else ("todo", pgettext_lazy("follow-up", "planned"))
        steps.append({"label": step.label, "state": state, "stage": step.colour, "say": say})
    return steps


def placement_of(by: Actor, visit: Visit) -> Placement:
    """Where a visit stands, as the room that knows best says it."""
    return placements(by, [visit])[visit.pk]


def stage_of(by: Actor, visit: Visit) -> stages.Stage:
    placed = placement_of(by, visit)
    return placed.stage or LANE_OF[placed.lane].stage


@dataclass(frozen=True, slots=True)
class SketchMark:
    """A mark on the drawing of the car: its number and its point in the drawing's own units."""

    number: int
    mark: DamageMark
    cx: float
    cy: float
    photos: int

    @property
    def title(self) -> str:
        size = f" {self.mark.size_mm} mm" if self.mark.size_mm else ""
        return f"{self.mark.where} {self.mark.get_kind_display()}{size}"


def has_mark(walkaround: WalkAround | None, uid: UUID | None) -> bool:
    return walkaround is not None and uid is not None and walkaround.marks.filter(uid=uid).exists()


SKETCH_BOXES = {
    DamageSide.FRONT: (205, 6, 190, 64),
    DamageSide.LEFT: (30, 90, 110, 350),
    DamageSide.TOP: (205, 84, 190, 362),
    DamageSide.RIGHT: (460, 90, 110, 350),
    DamageSide.REAR: (205, 460, 190, 64),
}
"""Side → x, y, width, height of its part of the drawing (600 × 530); marks are thousandths of it."""


def sketch_marks(walkaround: WalkAround | None) -> list[SketchMark]:
    if walkaround is None:
        return []
    marks = walkaround.marks.annotate(photo_count=Count("photos")).order_by("pk")
    return [_place(number, mark) for number, mark in enumerate(marks, start=1)]


def _place(number: int, mark: Any) -> SketchMark:
    left, top, width, height = SKETCH_BOXES[DamageSide(mark.side)]
    return SketchMark(
        number,
        mark,
        round(left + width * mark.x / 1000, 1),
        round(top + height * mark.y / 1000, 1),
        mark.photo_count,
    )


def last_departed(by: Actor, vehicle: Vehicle) -> Visit | None:
    """This car's last visit, for what it had then."""
    rows = Visit.objects.for_actor(by).filter(vehicle=vehicle, state=VisitState.DEPARTED)
    return rows.order_by("-arrived_at").first()


# --- keys and the evening count ---


def key_board(by: Actor) -> list[Visit]:
    """Every car that is here, by key tag; those without a tag first, they are the gap."""
    return list(
        Visit.objects.for_actor(by)
        .filter(store_id=by.store_id, state__in=OPEN_STATES)
        .select_related("vehicle", "key_holder", "advisor")
        .order_by("key_tag", "arrived_at", "pk")
    )


def evening_of(by: Actor, day: date) -> EveningCount | None:
    """That day's evening count of the actor's store with its lines."""
    return (
        EveningCount.objects.for_actor(by)
        .filter(store_id=by.store_id, day=day)
        .select_related("counted_by")
        .prefetch_related("lines__visit__vehicle", "lines__visit__key_holder")
        .first()
    )
