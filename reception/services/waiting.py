"""The waiting list of full days (2.4): joined by the desk or online, a freed time offered by message, the first takes it.

An offer is a link that takes its time once. One free place goes to a few customers at once; whoever is quicker books it
by the same command as the desk does, the others read that and stay on the list. Lock order: customer, vehicle, entry,
offer, resources, counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation
from dealership.catalogue.services.operations import fit_hours
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store

from .. import events, permissions
from ..limits import (
    QUIET_FROM,
    QUIET_TO,
    WAITING_DAYS,
    WAITING_NOTICE_MINUTES,
    WAITING_OFFER_MINUTES,
    WAITING_OFFERS,
)
from ..models import (
    EXPECTED_STATES,
    WAITING_STATES,
    A,
    Appointment,
    AppointmentSource,
    OfferState,
    PartOfDay,
    SlotOffer,
    Vehicle,
    W,
    WaitingEntry,
    WaitingMode,
)
from ..rules import Option, is_quiet
from ..selectors import capacity
from . import appointments, customers, telling

MIDDAY = 12
AT_ONCE = 50
"""Entries of a store that one round looks at, the oldest first."""


@transaction.atomic
def join_waiting_list(
    *,
    contact_name: str,
    contact_phone: str,
    concern: str,
    first_day: date,
    by: Actor,
    last_day: date | None = None,
    part_of_day: str = PartOfDay.ANY,
    customer_uid: UUID | None = None,
    vehicle_uid: UUID | None = None,
    plate: str = "",
    model_text: str = "",
    operation_uids: Sequence[UUID] = (),
    waiting_mode: str = WaitingMode.LEAVE,
    advisor_uid: UUID | None = None,
    replaces_uid: UUID | None = None,
) -> WaitingEntry:
    """2.4: puts a car on the list for ``first_day`` to ``last_day`` (store days; default that day alone).

    Car and customer are found or registered as for a booking. ``replaces_uid``: a booking of that car that stays until
    a time of the list is taken, and is moved to it then. Raises RuleError ``appointment.mandatory``,
    ``appointment.choice``, ``appointment.operation``, ``appointment.advisor``, ``waiting.days``, ``waiting.already`` and
    ``waiting.replaces``.
    """
    by.require(permissions.APPOINTMENTS_BOOK)
    store = Store.objects.get(pk=by.store_id)
    words = appointments.mandatory(contact_name=contact_name, contact_phone=contact_phone, concern=concern)
    if waiting_mode not in WaitingMode.values or part_of_day not in PartOfDay.values:
        raise RuleError("appointment.choice", _("Choose one of the list."), field="waiting_mode")
    phone = formats.demand(formats.check_phone(words["contact_phone"]), field="contact_phone")
    last_day = last_day or first_day
    today, most = clock.today(store.time_zone), limits.value(WAITING_DAYS, store_id=store.pk)
    if last_day < max(first_day, today) or last_day > today + timedelta(days=most):
        raise RuleError(
            "waiting.days",
            _("The list is kept for today and the next %(days)s days; the last day comes after the first."),
            field="last_day",
            days=most,
        )
    operations = appointments.offered_operations(operation_uids)
    advisor = appointments.receiving_advisor(advisor_uid, by)
    customer, vehicle = appointments.customer_and_vehicle(
        customer_uid=customer_uid,
        vehicle_uid=vehicle_uid,
        plate=plate,
        model_text=model_text,
        name=words["contact_name"],
        phone=phone,
        by=by,
    )
    held = WaitingEntry.objects.filter(store=store, vehicle=vehicle, state__in=WAITING_STATES).first()
    if held is not None:
        raise RuleError("waiting.already", _("This car is on the waiting list already."), field="plate", held_by=held)
    replaced = _replaced(replaces_uid, vehicle, by) if replaces_uid is not None else None
    entry = WaitingEntry.objects.create(
        store=store,
        replaces=replaced,
        replaced_time=replaced.starts_at if replaced else None,
        customer=customer,
        vehicle=vehicle,
        contact_name=words["contact_name"],
        contact_phone=phone,
        operation_uids=[operation.uid for operation in operations],
        what=" · ".join(operation.name for operation in operations)[:500] or words["concern"],
        concern=words["concern"],
        waiting_mode=waiting_mode,
        advisor=advisor,
        first_day=first_day,
        last_day=last_day,
        part_of_day=part_of_day,
    )
    record(
        entry,
        events.WAITING_JOINED,
        by=by,
        first_day=first_day,
        last_day=last_day,
        replaces=replaced.uid if replaced else None,
    )
    return entry


def _replaced(uid: UUID, vehicle: Vehicle, by: Actor) -> Appointment:
    """The booking that a time of the list would replace; the car's row is locked, so that it stands."""
    replaced = Appointment.objects.for_actor(by).filter(uid=uid, vehicle=vehicle, state__in=EXPECTED_STATES).first()
    if replaced is None:
        raise RuleError(
            "waiting.replaces",
            _("Only a booking of this car that still stands is moved to a time of the list."),
            field="replaces_uid",
        )
    return replaced


@transaction.atomic
def wait_instead(
    *,
    appointment_uid: UUID,
    first_day: date,
    by: Actor,
    last_day: date | None = None,
    part_of_day: str = PartOfDay.ANY,
) -> WaitingEntry:
    """2.4: a booked customer waits for a time on full days; the booking stays until one is taken and moves to it then.

    Raises like ``join_waiting_list``; Appointment.DoesNotExist for a foreign store's booking.
    """
    rows = Appointment.objects.for_actor(by).select_related("customer", "vehicle", "advisor")
    booked = rows.get(uid=appointment_uid)
    items = booked.items.select_related("operation").order_by("pk")
    return join_waiting_list(
        customer_uid=booked.customer.uid,
        vehicle_uid=booked.vehicle.uid,
        contact_name=booked.contact_name,
        contact_phone=booked.contact_phone,
        concern=booked.concern,
        operation_uids=[item.operation.uid for item in items if item.operation and item.operation.active],
        waiting_mode=booked.waiting_mode,
        advisor_uid=booked.advisor.uid if booked.advisor else None,
        first_day=first_day,
        last_day=last_day,
        part_of_day=part_of_day,
        replaces_uid=booked.uid,
        by=by,
    )


def stands_instead(entry: WaitingEntry) -> Appointment | None:
    """The booking that would be moved to a time of the list: it still stands, or nobody came to it."""
    replaced = entry.replaces
    return replaced if replaced is not None and replaced.state in (*EXPECTED_STATES, A.NO_SHOW) else None


def _locked(uid: UUID, by: Actor) -> WaitingEntry:
    return WaitingEntry.objects.for_actor(by).locked().get(uid=uid)


@transaction.atomic
def withdraw_entry(*, uid: UUID, reason: str, by: Actor) -> WaitingEntry:
    """2.4: takes a car off the list; an offer that is out ends. Raises RuleError ``waiting.reason``."""
    by.require(permissions.APPOINTMENTS_BOOK)
    entry = _locked(uid, by)
    _end(entry, W.WITHDRAWN, by, reason=customers.tidy(reason, field="reason", limit=200))
    return entry


def _end(entry: WaitingEntry, state: W, by: Actor, *, reason: str = "") -> None:
    before = entry.state
    entry.go(state, reason=reason)
    _close_offer(entry, OfferState.DECLINED if state == W.WITHDRAWN else OfferState.EXPIRED, by)
    entry.save(update_fields=["state", "offered_at", "offer_ends_at", "ended_reason"])
    record(entry, events.WAITING_ENDED, by=by, changed={"state": (before, entry.state)})


def _close_offer(entry: WaitingEntry, state: OfferState, by: Actor) -> None:
    for offer in SlotOffer.objects.filter(entry=entry, state=OfferState.OPEN).locked().order_by("pk"):
        before = offer.state
        offer.go(state)
        offer.save(update_fields=["state"])
        record(offer, events.OFFER_ENDED, by=by, store_id=entry.store_id, changed={"state": (before, offer.state)})


# --- offering ---


def work_of(entry: WaitingEntry) -> list[Operation]:
    """What is still offered of the entry's work, in its order, with the hours of the car's model."""
    work = Operation.objects.filter(uid__in=entry.operation_uids, active=True)
    rows = {o.uid: o for o in fit_hours(work, entry.vehicle.model_id)}
    return [rows[uid] for uid in entry.operation_uids if uid in rows]


def _suits(entry: WaitingEntry, at: datetime, zone: ZoneInfo) -> bool:
    hour = at.astimezone(zone).hour
    if entry.part_of_day == PartOfDay.MORNING:
        return hour < MIDDAY
    return entry.part_of_day != PartOfDay.AFTERNOON or hour >= MIDDAY


def free_time(entry: WaitingEntry) -> Option | None:
    """The first free time that suits an entry and that wasn't offered to it before; None where there is none.

    A place counts as free for the list while fewer customers than are set hold an offer for it.
    """
    store = entry.store
    zone = ZoneInfo(store.time_zone)
    first = max(entry.first_day, clock.today(store.time_zone))
    if entry.last_day < first:
        return None
    instead = stands_instead(entry)
    if instead is not None and instead.replan_from is not None:  # its part isn't there before
        first = max(first, instead.replan_from)
    if entry.last_day < first:
        return None
    days = min((entry.last_day - first).days + 1, capacity_days(store))
    earliest = clock.now() + timedelta(minutes=limits.value(WAITING_NOTICE_MINUTES, store_id=store.pk))
    most = limits.value(WAITING_OFFERS, store_id=store.pk)
    known = set(entry.offers.values_list("starts_at", flat=True))
    known |= {instead.starts_at} if instead is not None else set()
    out: dict[datetime, int] = {}
    for at in SlotOffer.objects.filter(entry__store=store, state=OfferState.OPEN).values_list("starts_at", flat=True):
        out[at] = out.get(at, 0) + 1
    found = capacity.free_days(
        store,
        work_of(entry),
        first=first,
        days=days,
        powertrain=entry.vehicle.powertrain,
        waiting_mode=entry.waiting_mode,
        advisor_id=entry.advisor_id,
        besides=instead,
        explain=False,
    )
    for option in (option for day in found for option in day.free):
        if option.at < earliest or option.at in known or not _suits(entry, option.at, zone):
            continue
        if out.get(option.at, 0) < option.count * most:
            return option
    return None


def capacity_days(store: Store) -> int:
    """Days that one look at the list reaches."""
    return min(31, int(limits.value(WAITING_DAYS, store_id=store.pk)) + 1)


def offer_times(*, store: Store) -> int:
    """2.4: offers what is free to the cars that wait, the longest waiting first; returns how many offers went out.

    Silent in the quiet hours of the customers' messages.
    """
    local = clock.now().astimezone(ZoneInfo(store.time_zone))
    quiet = (
        appointments.minute_of(limits.value(QUIET_FROM, store_id=store.pk)),
        appointments.minute_of(limits.value(QUIET_TO, store_id=store.pk)),
    )
    if is_quiet(local.hour * 60 + local.minute, *quiet):
        return 0
    by, sent = machine("waiting-list", store_id=store.pk), 0
    rows = WaitingEntry.objects.filter(store=store, state=W.WAITING, last_day__gte=local.date())
    for uid in list(rows.order_by("joined_at", "pk").values_list("uid", flat=True)[:AT_ONCE]):
        sent += offer_time(uid=uid, by=by) is not None
    return sent


@transaction.atomic
def offer_time(*, uid: UUID, by: Actor) -> SlotOffer | None:
    """2.4: offers one car the first time that suits it, with the link that takes it; None where nothing is free."""
    entry = WaitingEntry.objects.for_actor(by).locked().select_related("store", "customer", "vehicle").get(uid=uid)
    if entry.state != W.WAITING:
        return None
    option = free_time(entry)
    if option is None or option.ready_at is None:
        return None
    minutes = limits.value(WAITING_OFFER_MINUTES, store_id=entry.store_id)
    notice = limits.value(WAITING_NOTICE_MINUTES, store_id=entry.store_id)
    ends_at = min(clock.now() + timedelta(minutes=minutes), option.at - timedelta(minutes=notice))
    offer = SlotOffer.objects.create(
        entry=entry,
        starts_at=option.at,
        ready_at=option.ready_at,
        ends_at=max(ends_at, clock.now() + timedelta(minutes=5)),
    )
    before = entry.state
    entry.offered_at, entry.offer_ends_at = offer.starts_at, offer.ends_at
    entry.go(W.OFFERED)
    entry.save(update_fields=["state", "offered_at", "offer_ends_at"])
    record(
        offer,
        events.OFFER_SENT,
        by=by,
        store_id=entry.store_id,
        changed={"state": (before, entry.state)},
        starts_at=offer.starts_at,
        ends_at=offer.ends_at,
    )
    _tell(entry, offer, by)
    return offer


def offer_address(offer: SlotOffer) -> str:
    """The whole address that a customer opens from the message."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("slot-offer", args=[offer.token])


def _tell(entry: WaitingEntry, offer: SlotOffer, by: Actor) -> None:
    lost = entry.offers.filter(pk__lt=offer.pk).order_by("pk").last()
    with translation.override(entry.customer.language):
        words = {
            "store": entry.store.name,
            "car": str(entry.vehicle),
            "time": appointments.say_moment(offer.starts_at, entry.store),
            "until": appointments.say_moment(offer.ends_at, entry.store),
            "link": offer_address(offer),
        }
        body = gettext(
            "%(store)s: %(time)s is free for your car %(car)s. Whoever is first has it, until %(until)s: %(link)s"
        )
        if lost is not None and lost.state == OfferState.LOST:
            words["before"] = appointments.say_moment(lost.starts_at, entry.store)
            body = gettext(
                "%(store)s: %(before)s has just been taken. %(time)s is free for your car %(car)s instead. Whoever is"
                " first has it, until %(until)s: %(link)s"
            )
        telling.tell(
            entry.customer,
            store=entry.store,
            phone=entry.contact_phone,
            name=entry.contact_name,
            key=f"offer:{offer.uid}",
            template="slot_offer",
            subject=gettext("%(store)s: a time is free for your car") % words,
            body=body % words,
            by=by,
        )


# --- the customer's answer, by the link ---


def offer_by_token(token: str) -> SlotOffer:
    """What a link offers. Raises SlotOffer.DoesNotExist for a token that is none or whose day has passed."""
    rows = SlotOffer.objects.select_related(
        "entry__store", "entry__vehicle", "entry__customer", "entry__appointment", "entry__replaces"
    )
    return rows.get(token=token, starts_at__gt=clock.now())


def is_running(offer: SlotOffer) -> bool:
    """Whether an open offer can still be taken."""
    return offer.ends_at > clock.now()


def _open_offer(token: str, by: Actor) -> SlotOffer:
    """The offer with its car, entry and itself locked in that order; refused once it is over."""
    known = offer_by_token(token)
    vehicle = Vehicle.objects.locked().get(pk=known.entry.vehicle_id)
    entry = WaitingEntry.objects.for_actor(by).locked().select_related("store", "customer").get(pk=known.entry_id)
    entry.vehicle = vehicle
    offer = SlotOffer.objects.locked().get(pk=known.pk)
    offer.entry = entry
    if offer.state != OfferState.OPEN or offer.ends_at <= clock.now() or entry.state != W.OFFERED:
        raise RuleError("offer.over", _("This offer is over; you are told when another time gets free."))
    return offer


def _book(entry: WaitingEntry, offer: SlotOffer, by: Actor) -> Appointment:
    """The offered time: the booking that it replaces is moved there, else a new one is made and confirmed."""
    instead = stands_instead(entry)
    if instead is not None:
        with translation.override(settings.LANGUAGE_CODE):
            reason = gettext("The customer took a time of the waiting list.")
        return appointments.move_appointment(uid=instead.uid, starts_at=offer.starts_at, reason=reason, by=by)
    booked = appointments.book_appointment(
        contact_name=entry.contact_name,
        contact_phone=entry.contact_phone,
        starts_at=offer.starts_at,
        concern=entry.concern,
        customer_uid=entry.customer.uid,
        vehicle_uid=entry.vehicle.uid,
        operation_uids=[operation.uid for operation in work_of(entry)],
        waiting_mode=entry.waiting_mode,
        advisor_uid=entry.advisor.uid if entry.advisor else None,
        source=AppointmentSource.CONSUMER_PORTAL,
        by=by,
    )
    return appointments.confirm_appointment(uid=booked.uid, by=by)


@transaction.atomic
def take_offer(*, token: str) -> Appointment:
    """2.4: the customer takes the offered time; it is booked and confirmed at once. The link takes it once.

    A booking that the entry replaces is moved to it, so that its old time is free in the same moment.

    Raises SlotOffer.DoesNotExist for a wrong token, RuleError ``offer.over``, and RaceLost ``offer.lost`` where
    somebody was quicker: the car stays on the list.
    """
    known = offer_by_token(token)
    by = machine("waiting-list", store_id=known.entry.store_id)
    offer = _open_offer(token, by)
    entry = offer.entry
    try:
        with transaction.atomic():
            booked = _book(entry, offer, by)
    except RaceLost as refusal:
        raise RaceLost(
            "offer.lost", _("Somebody was quicker. You stay on the list and are told when another time gets free.")
        ) from refusal
    before = entry.state
    entry.go(W.BOOKED)
    entry.appointment = booked
    offer.go(OfferState.TAKEN)
    offer.save(update_fields=["state"])
    entry.save(update_fields=["state", "offered_at", "offer_ends_at", "appointment"])
    record(
        entry,
        events.WAITING_BOOKED,
        by=by,
        changed={"state": (before, entry.state)},
        appointment=booked.uid,
        starts_at=booked.starts_at,
    )
    return booked


@transaction.atomic
def decline_offer(*, token: str, leave: bool = False) -> WaitingEntry:
    """2.4: the customer says no; with ``leave`` the car leaves the list, else it goes on waiting for another time."""
    known = offer_by_token(token)
    by = machine("waiting-list", store_id=known.entry.store_id)
    offer = _open_offer(token, by)
    entry = offer.entry
    if leave:
        _end(entry, W.WITHDRAWN, by, reason=gettext("The customer no longer needs a time."))
        return entry
    _back_to_list(entry, OfferState.DECLINED, by)
    return entry


def _back_to_list(entry: WaitingEntry, state: OfferState, by: Actor) -> None:
    _close_offer(entry, state, by)
    entry.go(W.WAITING)
    entry.save(update_fields=["state", "offered_at", "offer_ends_at"])


# --- every minute ---


def tend_lists() -> int:
    """2.4: ends what ran out or was overtaken and offers what is free, in every store; returns how many changed."""
    changed = 0
    for store in Store.objects.all():
        by = machine("waiting-list", store_id=store.pk)
        rows = WaitingEntry.objects.filter(store=store, state__in=WAITING_STATES)
        for uid in list(rows.order_by("pk").values_list("uid", flat=True)):
            changed += tend_entry(uid=uid, by=by)
        changed += offer_times(store=store)
    return changed


@transaction.atomic
def tend_entry(*, uid: UUID, by: Actor) -> bool:
    """2.4: an entry whose days have passed ends, one whose offer ran out or was overtaken waits on. Says if it changed."""
    entry = WaitingEntry.objects.for_actor(by).locked().select_related("store", "vehicle").get(uid=uid)
    if not entry.is_open:
        return False
    if entry.last_day < clock.today(entry.store.time_zone):
        _end(entry, W.EXPIRED, by)
        return True
    if entry.replaces is not None and entry.replaces.state == A.ARRIVED:
        _end(entry, W.WITHDRAWN, by, reason=gettext("The car came to its booking."))
        return True
    if _booked_otherwise(entry):
        _end(entry, W.WITHDRAWN, by, reason=gettext("The car is booked for one of these days."))
        return True
    if entry.state != W.OFFERED or entry.offered_at is None or entry.offer_ends_at is None:
        return False
    if entry.offer_ends_at <= clock.now():
        _back_to_list(entry, OfferState.EXPIRED, by)
        return True
    if not _still_free(entry, entry.offered_at):
        _back_to_list(entry, OfferState.LOST, by)
        return True
    return False


def _booked_otherwise(entry: WaitingEntry) -> bool:
    """Whether the car came to a time in its days without the list."""
    zone = ZoneInfo(entry.store.time_zone)
    start = datetime(entry.first_day.year, entry.first_day.month, entry.first_day.day, tzinfo=zone)
    last = entry.last_day + timedelta(days=1)
    end = datetime(last.year, last.month, last.day, tzinfo=zone)
    since = Q(created_at__gt=entry.joined_at)
    if entry.replaces is not None and entry.replaces.starts_at != entry.replaced_time:
        since |= Q(pk=entry.replaces.pk)  # moved by hand meanwhile
    booked = Appointment.objects.filter(since, store=entry.store, vehicle=entry.vehicle, state__in=EXPECTED_STATES)
    return booked.filter(starts_at__gte=start, starts_at__lt=end).exists()


def _still_free(entry: WaitingEntry, at: datetime) -> bool:
    days = capacity.free_days(
        entry.store,
        work_of(entry),
        first=at.astimezone(ZoneInfo(entry.store.time_zone)).date(),
        days=1,
        powertrain=entry.vehicle.powertrain,
        waiting_mode=entry.waiting_mode,
        advisor_id=entry.advisor_id,
        besides=stands_instead(entry),
        explain=False,
    )
    return any(option.at == at for day in days for option in day.free)


def ask_online(*, store: Store, address: str = "", **given: Any) -> WaitingEntry:
    """2.4: a customer joins the list without log-in, throttled as an online booking is."""
    appointments.throttle(store, address)
    phone = formats.demand(formats.check_mobile(given.pop("contact_phone")), field="contact_phone")
    appointments.require_few(store, phone)
    appointments.require_offered_online(given.get("operation_uids", ()))
    try:
        return join_waiting_list(contact_phone=phone, by=machine("online-booking", store_id=store.pk), **given)
    except RuleError as refusal:
        if refusal.code != "waiting.already":
            raise
        raise RuleError(
            "appointment.call", _("This can't be booked online; please call us."), field="plate"
        ) from refusal
