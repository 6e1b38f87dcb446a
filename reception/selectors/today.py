"""The Today board: every car that is here or expected, in lanes, with what stands in the way (1.3, 2.1.2).

Reception knows only the first two lanes. The rooms above say where a car in the shop stands: they append one callable
each to ``LANE_SOURCES``; it gets the actor and the open visits and returns ``{visit.pk: Placement}`` for those it
knows something of. It is called once per board, so it reads all of them in one go. The room furthest up wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import Count, Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from dealership.catalogue.models import Powertrain
from dealership.kernel import clock, limits, stages
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.saying import say_span
from staff.selectors.employees import employee_of

from .. import permissions
from ..limits import GREET_MINUTES, LINK_QUIET
from ..models import OPEN_VISITS, A, Appointment, ArrivalKind, Visit, VisitState, WaitingMode


@dataclass(frozen=True, slots=True)
class Lane:
    """``colour`` is the stage colour, ``stage`` where a car of this lane stands in the visit, ``empty`` what is said."""

    code: str
    label: Any
    colour: str
    stage: stages.Stage
    empty: Any


EXPECTED = Lane(
    "EXPECTED", gettext_lazy("Expected"), "booked", stages.BOOKING, gettext_lazy("Nobody else is booked today.")
)
RECEPTION = Lane(
    "RECEPTION", pgettext_lazy("lane", "Reception"), "reception", stages.RECEPTION, gettext_lazy("Nobody is waiting.")
)
CONSENT = Lane(
    "CONSENT",
    pgettext_lazy("lane", "To be agreed"),
    "consent",
    stages.CONSENT,
    gettext_lazy("No estimate waits for an answer."),
)
DISPATCH = Lane(
    "DISPATCH",
    pgettext_lazy("lane", "Dispatch / parts"),
    "wait",
    stages.WORK,
    gettext_lazy("Nothing waits for a bay or parts."),
)
WORKSHOP = Lane("WORKSHOP", gettext_lazy("Workshop"), "work", stages.WORK, gettext_lazy("No car is being worked on."))
INSPECTION = Lane(
    "INSPECTION",
    pgettext_lazy("lane", "Final check"),
    "inspect",
    stages.INSPECTION,
    gettext_lazy("Nothing waits for the final inspection."),
)
DELIVERY = Lane(
    "DELIVERY",
    pgettext_lazy("lane", "Hand-over"),
    "ready",
    stages.SETTLEMENT,
    gettext_lazy("No car waits to be collected."),
)
LANES = (EXPECTED, RECEPTION, CONSENT, DISPATCH, WORKSHOP, INSPECTION, DELIVERY)
LANE_OF = {lane.code: lane for lane in LANES}


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out of trouble: a link, or a button (POST) where ``post``."""

    label: Any
    url: str
    post: bool = False


@dataclass(frozen=True, slots=True)
class Sign:
    """One small icon of a card with its word; ``tone`` is warn, ok, info, bad or empty."""

    icon: str
    label: Any
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one visit stands, as a source of a room above says it.

    ``line`` is what is done (model · job · amount); ``warning`` stands in the place of the time, coloured (red where
    ``late``); ``progress`` is 0–100; ``people`` are names of who works on it; ``expected_at`` is when it will really be
    ready (aware), compared with the promise; ``stage`` overrides the lane's where it is known better; ``asked`` where the
    customer has been asked something and hasn't answered.
    """

    lane: str
    line: str = ""
    warning: str = ""
    late: bool = False
    good: bool = False
    progress: int | None = None
    remedies: tuple[Remedy, ...] = ()
    people: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    expected_at: datetime | None = None
    stage: stages.Stage | None = None
    asked: bool = False


LaneSource = Callable[[Actor, Sequence[Visit]], Mapping[int, Placement]]
LANE_SOURCES: list[LaneSource] = []


@dataclass(slots=True)
class Card:
    """One car on the board or in the list."""

    lane: Lane
    url: str
    plate: str
    color: str
    name: str
    line: str
    at: datetime | None
    at_kind: str
    place: str = ""
    warning: str = ""
    late: bool = False
    good: bool = False
    expected_at: datetime | None = None
    progress: int | None = None
    people: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    note: str = ""
    visit: Visit | None = None
    booked_at: datetime | None = None
    promised_at: datetime | None = None
    unreceived: bool = False
    word: str = ""
    """Said where a time would stand, while there is none to say."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One number of the strip; ``code`` is the filter it sets. Without a code it leads to ``href``, if anywhere."""

    code: str
    label: str
    value: str
    tone: str = ""
    href: str = ""


TILE_SOURCES: list[Callable[[Actor, Store], Counted]] = []
"""Rooms above add a number of theirs to the end of the strip."""


@dataclass(slots=True)
class LaneShown:
    lane: Lane
    cards: list[Card]
    total: int

    @property
    def left(self) -> int:
        return self.total - len(self.cards)


@dataclass(slots=True)
class Board:
    """What the page shows: the strip, the lanes (each cut at ``MOST_IN_LANE``) and the rows of the list."""

    strip: list[Counted]
    lanes: list[LaneShown]
    cards: list[Card]
    summary: str
    booked: int = 0
    walk_ins: int = 0
    has_any: bool = field(default=False)


MOST_IN_LANE = 30
FILTERS = ("all", "unreceived", "consent", "parts", "late", "ready")
_MODE_SIGNS = {
    WaitingMode.WAIT_AT_DEALER: ("armchair", gettext_lazy("Waits in the shop")),
    WaitingMode.LOANER: ("car", gettext_lazy("Has a loan car")),
    WaitingMode.PICK_UP: ("truck-return", gettext_lazy("Picked up and returned")),
}


def placements(actor: Actor, visits: Sequence[Visit]) -> dict[int, Placement]:
    """Where each open visit stands: reception's own view, then what the rooms above say."""
    placed = {visit.pk: own_placement(visit) for visit in visits}
    in_shop = [visit for visit in visits if visit.state == VisitState.IN_SHOP]
    if in_shop:
        for source in sorted(LANE_SOURCES, key=_room_order):
            placed.update(source(actor, in_shop))
    return placed


def _room_order(source: LaneSource) -> int:
    """Lower rooms speak first, so that the room furthest on has the last word, whoever registered first."""
    rooms = [config.name for config in apps.get_app_configs()]
    own = [place for place, room in enumerate(rooms) if source.__module__.startswith(f"{room}.")]
    return own[-1] if own else len(rooms)


def own_placement(visit: Visit) -> Placement:
    """What reception itself knows of a visit."""
    if visit.state in (VisitState.WAITING, VisitState.LEFT_UNSERVED):
        return Placement(RECEPTION.code, stage=stages.ARRIVAL)
    if visit.state in (VisitState.IN_RECEPTION, VisitState.CONSULTED, VisitState.SALES_LEAD):
        return Placement(RECEPTION.code, stage=stages.RECEPTION)
    if visit.state == VisitState.AWAY:
        return Placement(DISPATCH.code, stage=stages.WORK)
    if visit.state == VisitState.DEPARTED:
        return Placement(DELIVERY.code, stage=stages.FOLLOW_UP)
    return Placement(WORKSHOP.code, stage=stages.DIAGNOSIS)


def key_and_place(visit: Visit) -> str:
    """钥07 · A1, as it stands on a card."""
    parts = [_("key %(tag)s") % {"tag": visit.key_tag}] if visit.key_tag else []
    return " · ".join([*parts, visit.parking_place] if visit.parking_place else parts)


def board(actor: Actor, *, mine: bool = False, show: str = "all") -> Board:
    """Today's cars of the actor's store. ``show`` is one of FILTERS; ``mine`` keeps what is the actor's or nobody's."""
    me = employee_of(actor) if mine else None
    store = Store.objects.get(pk=actor.store_id)
    visits = list(
        Visit.objects.for_actor(actor)
        .filter(state__in=OPEN_VISITS)
        .select_related("vehicle", "advisor", "appointment", "link", "walkaround")
        .order_by("arrived_at", "pk")
    )
    if me is not None:
        visits = [v for v in visits if v.advisor_id in (None, me.pk)]
    placed = placements(actor, visits)
    waits = limits.value(GREET_MINUTES, store_id=store.pk)
    # The queue stands before those being received; within both, who came first.
    visits.sort(key=lambda visit: visit.state != VisitState.WAITING)
    cards = [_visit_card(actor, visit, placed[visit.pk], waits) for visit in visits]
    expected = _expected(actor, store, me.pk if me else None)
    cards = [_expected_card(actor, booking) for booking in expected] + cards
    arrived = _arrived(actor, store, me.pk if me else None)
    strip = _strip(cards, arrived, len(expected), [tile(actor, store) for tile in TILE_SOURCES], waits)
    shown = [card for card in cards if _passes(card, show)]
    lanes = []
    for lane in LANES:
        there = [card for card in shown if card.lane is lane]
        lanes.append(LaneShown(lane, there[:MOST_IN_LANE], len(there)))
    return Board(
        strip=strip,
        lanes=lanes,
        cards=shown,
        summary=_("%(arrived)s cars came in: %(booked)s booked, %(walk_ins)s walk-ins; %(expected)s still expected")
        % {
            "arrived": arrived["all"],
            "booked": arrived["booked"],
            "walk_ins": arrived["all"] - arrived["booked"],
            "expected": len(expected),
        },
        has_any=bool(cards) or bool(arrived["all"]),
    )


def _day(store: Store) -> tuple[datetime, datetime]:
    zone = ZoneInfo(store.time_zone)
    start = clock.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=1, hours=2)).replace(hour=0)


def _expected(actor: Actor, store: Store, advisor_id: int | None) -> list[Appointment]:
    start, end = _day(store)
    rows = (
        Appointment.objects.for_actor(actor)
        .filter(store=store, state__in=[A.REQUESTED, A.CONFIRMED, A.PREPARED], starts_at__gte=start, starts_at__lt=end)
        .select_related("vehicle", "advisor")
        .order_by("starts_at", "pk")
    )
    if advisor_id is not None:
        rows = rows.filter(Q(advisor_id=advisor_id) | Q(advisor__isnull=True))
    return list(rows)


def _arrived(actor: Actor, store: Store, advisor_id: int | None) -> dict[str, int]:
    start, end = _day(store)
    rows = Visit.objects.for_actor(actor).filter(store=store, arrived_at__gte=start, arrived_at__lt=end)
    if advisor_id is not None:
        rows = rows.filter(Q(advisor_id=advisor_id) | Q(advisor__isnull=True))
    return rows.aggregate(all=Count("pk"), booked=Count("pk", filter=Q(appointment__isnull=False)))


def _strip(cards: list[Card], arrived: dict[str, int], expected: int, more: list[Counted], waits: int) -> list[Counted]:
    def counted(code: str) -> int:
        return sum(_passes(card, code) for card in cards)

    planned = _("came in (planned %(planned)s)") % {"planned": arrived["all"] + expected}
    late, unreceived, parts = counted("late"), counted("unreceived"), counted("parts")
    return [
        Counted("all", planned, str(arrived["all"])),
        Counted(
            "unreceived",
            _("not received within %(minutes)s min") % {"minutes": waits},
            str(unreceived),
            "late" if unreceived else "",
        ),
        Counted("consent", _("waiting for the customer"), str(counted("consent"))),
        Counted("parts", _("to dispatch / parts"), str(parts), "soon" if parts else ""),
        Counted("late", _("later than promised"), str(late), "late" if late else ""),
        Counted("ready", _("ready to hand over"), str(counted("ready"))),
        *more,
    ]


def _passes(card: Card, show: str) -> bool:
    if show == "unreceived":
        return card.unreceived
    if show == "consent":
        return card.lane is CONSENT
    if show == "parts":
        return card.lane is DISPATCH
    if show == "late":
        return card.promised_at is not None and card.late and card.lane is not EXPECTED
    if show == "ready":
        return card.lane is DELIVERY
    return True


_CAME_SIGNS = {
    ArrivalKind.PICKED_UP: ("steering-wheel", gettext_lazy("Fetched by us")),
    ArrivalKind.KEY_DROP: ("moon", gettext_lazy("Key dropped at night")),
    ArrivalKind.TOWED_IN: ("truck", gettext_lazy("Towed in")),
}


def _came_signs(visit: Visit) -> Iterable[Sign]:
    """How the car came where nobody brought it, and whether its customer has seen the walk-around."""
    if visit.arrival_kind in _CAME_SIGNS:
        icon, label = _CAME_SIGNS[ArrivalKind(visit.arrival_kind)]
        yield Sign(icon, label, "info")
    if visit.awaits_confirmation:
        yield Sign("clipboard-x", _("The customer hasn't confirmed the car's state yet"), "warn")


def _signs(mode: str, powertrain: str) -> Iterable[Sign]:
    if powertrain in (Powertrain.BEV, Powertrain.PHEV, Powertrain.FCEV):
        yield Sign("bolt", _("New energy: high voltage"), "warn")
    if mode in _MODE_SIGNS:
        icon, label = _MODE_SIGNS[WaitingMode(mode)]
        yield Sign(icon, label)


def _visit_card(actor: Actor, visit: Visit, placed: Placement, waits: int) -> Card:
    now = clock.now()
    vehicle = visit.vehicle
    waiting = visit.state == VisitState.WAITING
    unreceived = waiting and now - visit.arrived_at > timedelta(minutes=waits)
    overdue = visit.promised_at is not None and (
        visit.promised_at < now or (placed.expected_at is not None and placed.expected_at > visit.promised_at)
    )
    url = reverse("visit-detail", args=[visit.uid])
    remedies = placed.remedies
    if unreceived and actor.may(permissions.VISITS_RECEIVE):
        remedies = (
            Remedy(_("Receive now"), reverse("visit-greet", args=[visit.uid]), post=True),
            Remedy(_("Give to an advisor"), reverse("visit-assign", args=[visit.uid])),
        )
    elif overdue and not remedies and actor.may(permissions.VISITS_PROMISE):
        remedies = (
            Remedy(_("Call the customer"), url),
            Remedy(_("Promise anew"), reverse("visit-promise", args=[visit.uid])),
        )
    unseen = _unseen_minutes(visit, placed)
    if unseen is not None and not remedies and actor.may(permissions.VISITS_RECEIVE):
        remedies = (
            Remedy(_("Send the link again"), reverse("visit-link-send", args=[visit.uid]), post=True),
            Remedy(_("Call the customer"), url),
        )
    people = (*((visit.advisor.name,) if visit.advisor else ()), *placed.people)
    word = ""
    if visit.state == VisitState.IN_RECEPTION:
        word = _("order to be written") if visit.is_seen else _("being received")
    signs = (*_signs(visit.waiting_mode, vehicle.powertrain), *_came_signs(visit), *placed.signs)
    link = getattr(visit, "link", None)
    if link is not None and link.views and placed.lane == CONSENT.code:
        signs = (*signs, Sign("eye", _("The customer has looked at the page"), "info"))
    return Card(
        lane=LANE_OF[placed.lane],
        url=url,
        plate=vehicle.plate,
        color=vehicle.plate_color,
        name=visit.contact_name,
        line=placed.line or " · ".join(filter(None, (visit.model_text, visit.need))),
        at=visit.arrived_at if waiting else visit.promised_at,
        at_kind="wait" if waiting else "promise",
        expected_at=placed.expected_at,
        place=key_and_place(visit),
        warning=placed.warning,
        late=placed.late or overdue or unreceived,
        good=placed.good,
        progress=placed.progress,
        people=people,
        signs=signs,
        remedies=remedies,
        note=_note(unreceived, waits, unseen),
        visit=visit,
        booked_at=visit.appointment.starts_at if visit.appointment else None,
        promised_at=visit.promised_at,
        unreceived=unreceived,
        word=word,
    )


def _unseen_minutes(visit: Visit, placed: Placement) -> int | None:
    """Whole minutes for which a customer who is asked for a decision hasn't looked; None while all is well."""
    link = getattr(visit, "link", None)
    if placed.lane != CONSENT.code or not placed.asked or link is None:
        return None
    quiet = limits.value(LINK_QUIET, store_id=visit.store_id)
    since = int((clock.now() - (link.last_viewed_at or visit.signed_at or visit.arrived_at)).total_seconds() // 60)
    return since if since >= quiet else None


def _note(unreceived: bool, waits: int, unseen: int | None) -> str:
    if unreceived:
        return _("not received for over %(minutes)s min") % {"minutes": waits}
    if unseen is not None:
        return _("hasn't looked for %(span)s") % {"span": say_span(unseen)}
    return ""


def _expected_card(actor: Actor, booking: Appointment) -> Card:
    vehicle = booking.vehicle
    late = booking.starts_at < clock.now()
    arrive = f"{reverse('visit-new')}?plate={vehicle.plate}"
    detail = _address("appointment-detail", booking.uid)
    remedies: tuple[Remedy, ...] = ()
    if late and detail and actor.may(permissions.VISITS_RECEIVE):
        # 7.3: the booking's own page opens the number and says that it did.
        move = _address("appointment-move", booking.uid)
        remedies = (Remedy(_("Call"), detail), Remedy(_("Move the booking"), move))
    signs = tuple(_signs(booking.waiting_mode, vehicle.powertrain))
    if booking.parts_confirmed_at:
        signs = (*signs, Sign("package", _("Parts are ready"), "ok"))
    return Card(
        lane=EXPECTED,
        url=detail or arrive,
        plate=vehicle.plate,
        color=vehicle.plate_color,
        name=booking.contact_name,
        line=f"{vehicle.model_text} · {booking.concern}",
        at=booking.starts_at,
        at_kind="booked",
        late=False,
        people=(booking.advisor.name,) if booking.advisor else (),
        signs=signs,
        remedies=remedies,
        booked_at=booking.starts_at,
        promised_at=booking.ready_at,
    )


def _address(name: str, uid: Any) -> str:
    """A page that another room may not have brought yet; empty where it isn't there."""
    try:
        return reverse(name, args=[uid])
    except NoReverseMatch:
        return ""


def waiting_count(actor: Actor) -> int:
    """Customers who wait to be received, for the rail."""
    return Visit.objects.for_actor(actor).filter(state=VisitState.WAITING).count()


def has_unreceived(actor: Actor) -> bool:
    """Somebody waits longer than the limit: the rail's number turns red."""
    waits = limits.value(GREET_MINUTES, store_id=actor.store_id)
    too_long = clock.now() - timedelta(minutes=waits)
    return Visit.objects.for_actor(actor).filter(state=VisitState.WAITING, arrived_at__lt=too_long).exists()
