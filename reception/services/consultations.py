"""Commands on consultations: the thread, its clocks and their escalation, and where a question leads (2.2)."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits, numbering, registry
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel, Store
from dealership.kernel.saying import say_plate
from dealership.kernel.services import queue_message
from dealership.kernel.worktime import Calendar, Pause, Sla
from staff.models import Employee
from staff.selectors.employees import employed, employee_of, employees_with_role, require_employee

from .. import events, permissions
from ..limits import (
    ASKED_PER_ADDRESS,
    ASKED_PER_CONTACT,
    CONSULTATION_ELAPSED,
    CONSULTATION_MANAGER_MINUTES,
    CONSULTATION_REOPEN_DAYS,
    CONSULTATION_RESOLUTION,
    CONSULTATION_RESPONSE,
    CONSULTATION_WARN_SHARE,
)
from ..models import (
    CONSULTATION_ENDS,
    AnswerTemplate,
    AnswerWay,
    Appointment,
    ClockKind,
    Consultation,
    ConsultationChannel,
    ConsultationClock,
    ConsultationEscalation,
    ConsultationMessage,
    ConsultationPause,
    ConsultationPresence,
    ConsultationState,
    ConsultationTopic,
    Customer,
    EscalationStep,
    MessageDirection,
    Ownership,
    SalesLead,
    Vehicle,
    Visit,
)
from ..selectors.capacity import store_calendar
from .knowledge import cite
from .online import count_try

LONGEST_TEXT = 20_000
TEMPLATE_FIELDS = ("name", "plate", "model", "store", "phone", "address", "advisor")


def lock_consultation(*, uid: UUID, by: Actor) -> Consultation:
    """The consultation, locked, as the actor may see it. Raises Consultation.DoesNotExist for a foreign store's."""
    # Nothing is joined: what a joined row says may be older than the row that the lock waited for.
    return Consultation.objects.for_actor(by).locked().get(uid=uid)


# --- clocks (2.2.1): computed here and nowhere else ---


def _sla(row: ConsultationClock, calendar: Calendar, pauses: list[ConsultationPause], share: int = 100) -> Sla:
    held = () if row.kind == ClockKind.RESPONSE else tuple(Pause(p.started_at, p.ended_at) for p in pauses)
    return Sla(row.started_at, row.limit * share / 100, calendar if row.working_only else None, held)


def _compute(row: ConsultationClock, store: Store, pauses: list[ConsultationPause]) -> None:
    day = (row.started_at - timedelta(days=1)).date()
    calendar = store_calendar(store, since=day) if row.working_only else Calendar(((),) * 7)
    row.due_at = _sla(row, calendar, pauses).due_at
    row.soon_at = _sla(row, calendar, pauses, limits.value(CONSULTATION_WARN_SHARE, store_id=store.pk)).due_at


def _limit(key: str, channel: str, store: Store) -> timedelta:
    """The channel's minutes; a channel that the store's row leaves out has the declared ones."""
    given = registry.LIMITS[key].default | limits.value(key, store_id=store.pk)
    return timedelta(minutes=given[channel])


def _start(consultation: Consultation, kind: ClockKind, at: datetime) -> None:
    """A clock begins, with the limit that holds on its day; one that runs already goes on."""
    if consultation.clocks.filter(kind=kind, met_at__isnull=True).exists():
        return
    store, channel = consultation.store, consultation.channel
    email = channel == ConsultationChannel.EMAIL
    length = _limit(CONSULTATION_RESPONSE if kind == ClockKind.RESPONSE else CONSULTATION_RESOLUTION, channel, store)
    if email and kind == ClockKind.RESPONSE:
        length = min(length, timedelta(hours=24))  # 2.2.1: a store may be quicker, not slower
    row = ConsultationClock(
        consultation=consultation,
        kind=kind,
        started_at=at,
        limit=length,
        working_only=not email and channel not in limits.value(CONSULTATION_ELAPSED, store_id=store.pk),
    )
    _compute(row, store, list(consultation.pauses.all()))
    row.save()


def _pause(consultation: Consultation, at: datetime) -> None:
    """The customer has the word: the settlement's clock stands."""
    if not consultation.pauses.filter(ended_at__isnull=True).exists():
        ConsultationPause.objects.create(consultation=consultation, started_at=at)
    _again(consultation)


def _go_on(consultation: Consultation, at: datetime) -> None:
    """The pause ends and the settlement's clock goes on."""
    for pause in consultation.pauses.filter(ended_at__isnull=True):
        pause.ended_at = max(at, pause.started_at)
        pause.save(update_fields=["ended_at"])
    _again(consultation)


def _again(consultation: Consultation) -> None:
    """Works the settlement's due time out anew after a pause began or ended."""
    pauses = list(consultation.pauses.all())
    for row in consultation.clocks.filter(kind=ClockKind.RESOLUTION, met_at__isnull=True):
        _compute(row, consultation.store, pauses)
        row.save(update_fields=["due_at", "soon_at"])


def _meet(consultation: Consultation, kinds: tuple[ClockKind, ...], at: datetime) -> None:
    for row in consultation.clocks.filter(kind__in=kinds, met_at__isnull=True):
        row.met_at = at
        row.save(update_fields=["met_at"])


# --- questions come in ---


@transaction.atomic
def register_consultation(
    *,
    channel: str,
    body: str,
    by: Actor,
    contact_name: str = "",
    contact_phone: str = "",
    contact_email: str = "",
    plate: str = "",
    model_text: str = "",
    topic: str = ConsultationTopic.OTHER,
    subject: str = "",
    received_at: datetime | None = None,
) -> Consultation:
    """2.2.1: a question comes in and its clocks run from ``received_at`` (aware; default: now).

    Customer and car are matched by telephone, e-mail and plate, or stay unknown. Raises RuleError
    ``consultation.body``, ``consultation.contact`` and ``consultation.future``.
    """
    by.require(permissions.CONSULTATIONS_WORK)
    words = _words(body)
    at = _moment(received_at)
    phone = formats.demand(formats.check_phone(contact_phone), field="contact_phone") if contact_phone.strip() else ""
    email = formats.demand(formats.check_email(contact_email), field="contact_email") if contact_email.strip() else ""
    name = formats.one_line(contact_name)[:60]
    if not (name or phone or email):
        raise RuleError(
            "consultation.contact",
            _("Write down a name, a telephone number or an e-mail address."),
            field="contact_name",
        )
    vehicle, customer = match_contact(phone=phone, email=email, plate=plate)
    store = Store.objects.get(pk=by.store_id)
    consultation = Consultation.objects.create(
        store=store,
        number=numbering.next_number(store, "Q"),
        channel=ConsultationChannel(channel),
        topic=ConsultationTopic(topic),
        subject=formats.one_line(subject)[:160],
        contact_name=name or (customer.name if customer else ""),
        contact_phone=phone or (customer.phone if customer else ""),
        contact_email=email or (customer.email if customer else ""),
        model_text=formats.one_line(model_text)[:80] or (vehicle.model_text if vehicle else ""),
        customer=customer,
        vehicle=vehicle,
        asked_at=at,
    )
    _say(consultation, MessageDirection.IN, channel, words, by=by, at=at)
    _start(consultation, ClockKind.RESPONSE, at)
    _start(consultation, ClockKind.RESOLUTION, at)
    record(
        consultation,
        events.CONSULTATION_ASKED,
        by=by,
        changed={"state": (None, consultation.state)},
        channel=consultation.channel,
        topic=consultation.topic,
        known=customer is not None,
    )
    return consultation


@transaction.atomic
def ask_online(
    *,
    store: Store,
    contact_name: str,
    body: str,
    topic: str,
    contact_phone: str = "",
    contact_email: str = "",
    plate: str = "",
    model_text: str = "",
    address: str = "",
) -> Consultation:
    """2.2.1: a customer asks over the public form; nothing of what we know about car or person comes back.

    ``address`` is the network address it comes from. Raises RuleError ``consultation.reach`` without telephone and
    e-mail, ``consultation.many`` where one number, e-mail or network address asks too often.
    """
    by = machine("web-form", store_id=store.pk)
    many = RuleError("consultation.many", _("Several questions came from here already; please call us."))
    count_try("online-question", address, most=limits.value(ASKED_PER_ADDRESS, store_id=store.pk), refusal=many)
    phone = formats.demand(formats.check_phone(contact_phone), field="contact_phone") if contact_phone.strip() else ""
    email = formats.clean_email(contact_email) if contact_email.strip() else ""
    if not (phone or email):
        raise RuleError(
            "consultation.reach",
            _("Tell us a telephone number or an e-mail address, so that we can answer."),
            field="contact_phone",
        )
    same = (Q(contact_phone=phone) if phone else Q(pk__isnull=True)) | (
        Q(contact_email__iexact=email) if email else Q(pk__isnull=True)
    )
    recent = Consultation.objects.filter(
        same, channel=ConsultationChannel.WEB_FORM, asked_at__gt=clock.now() - timedelta(hours=24)
    )
    if recent.count() >= limits.value(ASKED_PER_CONTACT, store_id=store.pk):
        raise many
    return register_consultation(
        channel=ConsultationChannel.WEB_FORM,
        body=body,
        contact_name=contact_name,
        contact_phone=phone,
        contact_email=email,
        plate=plate,
        model_text=model_text,
        topic=topic,
        by=by,
    )


def _words(body: str) -> str:
    words = body.replace("\x00", "").strip()
    if not words:
        raise RuleError("consultation.body", _("Write down what was said."), field="body")
    if len(words) > LONGEST_TEXT:
        raise RuleError(
            "consultation.long",
            _("The text is longer than %(most)s characters; shorten it."),
            field="body",
            most=LONGEST_TEXT,
        )
    return words


def _moment(received_at: datetime | None) -> datetime:
    now = clock.now()
    if received_at is not None and received_at > now:
        raise RuleError("consultation.future", _("A question can't come from the future."), field="received_at")
    return received_at or now


def match_contact(*, phone: str, email: str, plate: str) -> tuple[Vehicle | None, Customer | None]:
    """The car with this plate and whose number or address it is; two customers of one number stay undecided."""
    vehicle = None
    if plate.strip():
        vehicle = Vehicle.objects.filter(plate=formats.normalise_plate(plate)).first()
    found: list[Customer] = []
    if phone:
        found = list(Customer.objects.unmerged().filter(phone=phone).order_by("pk")[:2])
    if not found and email:
        found = list(Customer.objects.unmerged().filter(email__iexact=email).order_by("pk")[:2])
    customer = found[0] if len(found) == 1 else None
    if vehicle is not None and customer is None and not found:
        owner = Ownership.objects.filter(vehicle=vehicle, ends_on__isnull=True).select_related("customer").first()
        customer = owner.customer if owner else None
    return vehicle, customer


def _say(
    consultation: Consultation, direction: MessageDirection, way: str, body: str, *, by: Actor, at: datetime
) -> ConsultationMessage:
    return ConsultationMessage.objects.create(
        consultation=consultation,
        direction=direction,
        way=way,
        body=body,
        at=at,
        author=employee_of(by),
        actor_kind=by.kind,
        actor_id=by.id,
    )


@transaction.atomic
def receive_message(
    *, uid: UUID, body: str, by: Actor, way: str = "", received_at: datetime | None = None
) -> Consultation:
    """2.2.1: the customer writes again; the answer's clock runs anew and an ended thread opens.

    Raises RuleError ``consultation.old`` for a thread that ended too long ago: it becomes a question of its own.
    """
    by.require(permissions.CONSULTATIONS_WORK)
    words, at = _words(body), _moment(received_at)
    consultation = lock_consultation(uid=uid, by=by)
    days = limits.value(CONSULTATION_REOPEN_DAYS, store_id=consultation.store_id)
    if consultation.ended_at and at - consultation.ended_at > timedelta(days=days):
        raise RuleError("consultation.old", _("This question ended long ago; write down a new one."))
    before = consultation.state
    if before == ConsultationState.ANSWERED or not consultation.is_open:
        consultation.move(ConsultationState.AWAITING)
    consultation.snoozed_until = None
    consultation.save(update_fields=["state", "ended_at", "ended_note", "snoozed_until"])
    _say(consultation, MessageDirection.IN, way or consultation.channel, words, by=by, at=at)
    _go_on(consultation, at)
    _start(consultation, ClockKind.RESPONSE, at)
    _start(consultation, ClockKind.RESOLUTION, at)
    record(consultation, events.CONSULTATION_WRITTEN, by=by, changed={"state": (before, consultation.state)})
    return consultation


# --- answers and notes ---


@transaction.atomic
def answer_consultation(*, uid: UUID, body: str, way: str, by: Actor, cites: Iterable[UUID] = ()) -> Consultation:
    """2.2.1: the customer is answered; e-mail and SMS are sent, the other ways are written down.

    The answer's clock is met, the settlement's stands until the customer has the word no longer. ``cites`` are the
    versions of articles that it was taken from (2.2.2). Raises RuleError ``consultation.no_address`` where there is
    nothing to send to, ``consultation.ended`` for an ended thread, ``consultation.cite`` for a version not in force.
    """
    by.require(permissions.CONSULTATIONS_WORK)
    words = _words(body)
    consultation = lock_consultation(uid=uid, by=by)
    _require_open(consultation)
    recipient = {AnswerWay.EMAIL: consultation.contact_email, AnswerWay.SMS: consultation.contact_phone}.get(
        AnswerWay(way), "-"
    )
    if not recipient:
        raise RuleError(
            "consultation.no_address",
            _("There is no address for this way; choose another, or write down the address first."),
            field="way",
        )
    now = clock.now()
    before, employee = consultation.state, employee_of(by)
    if consultation.state != ConsultationState.ANSWERED:
        consultation.move(ConsultationState.ANSWERED)
    if consultation.assignee is None:
        consultation.assignee = employee
    consultation.snoozed_until = None
    consultation.save(update_fields=["state", "assignee", "snoozed_until"])
    said = _say(consultation, MessageDirection.OUT, way, words, by=by, at=now)
    cited = cite(said, cites, time_zone=consultation.store.time_zone)
    _meet(consultation, (ClockKind.RESPONSE,), now)
    _pause(consultation, now)
    if way in (AnswerWay.EMAIL, AnswerWay.SMS):
        queue_message(
            key=f"consultation:{said.uid}",
            store=consultation.store,
            channel=MessageChannel.EMAIL if way == AnswerWay.EMAIL else MessageChannel.SMS,
            recipient=recipient,
            recipient_name=consultation.contact_name,
            template="consultation_answer",
            subject=_reply_subject(consultation),
            body=words,
            by=by,
        )
    record(
        consultation,
        events.CONSULTATION_ANSWERED,
        by=by,
        changed={"state": (before, consultation.state)},
        way=way,
        channel=consultation.channel,
        cited=[version.uid for version in cited] or None,
    )
    return consultation


def _reply_subject(consultation: Consultation) -> str:
    subject = consultation.subject or str(consultation.number)
    return (subject if subject.lower().startswith("re:") else f"Re: {subject}")[:160]


def _require_open(consultation: Consultation) -> None:
    if not consultation.is_open:
        raise RuleError("consultation.ended", _("This question has ended; a new word of the customer opens it again."))


@transaction.atomic
def note_consultation(*, uid: UUID, body: str, by: Actor) -> Consultation:
    """A word for colleagues; the customer never sees it and no clock is touched."""
    by.require(permissions.CONSULTATIONS_WORK)
    words = _words(body)
    consultation = lock_consultation(uid=uid, by=by)
    _say(consultation, MessageDirection.NOTE, "NOTE", words, by=by, at=clock.now())
    record(consultation, events.CONSULTATION_NOTED, by=by)
    return consultation


# --- who looks after it ---


@transaction.atomic
def take_consultation(*, uid: UUID, by: Actor) -> Consultation:
    """The acting person looks after it. Raises RaceLost ``consultation.taken`` where a colleague was quicker."""
    by.require(permissions.CONSULTATIONS_WORK)
    employee = require_employee(by)
    consultation = lock_consultation(uid=uid, by=by)
    _require_open(consultation)
    if consultation.assignee is not None:
        raise RaceLost(
            "consultation.taken", _("%(name)s is already looking after this."), name=consultation.assignee.name
        )
    _give(consultation, employee, by)
    return consultation


@transaction.atomic
def assign_consultation(*, uid: UUID, employee_uid: UUID, by: Actor) -> Consultation:
    """It is given to a colleague, or handed over. Raises RuleError ``consultation.assignee_same``."""
    by.require(permissions.CONSULTATIONS_WORK)
    consultation = lock_consultation(uid=uid, by=by)
    _require_open(consultation)
    employee = Employee.objects.filter(employed(clock.today()), store_id=consultation.store_id).get(uid=employee_uid)
    if consultation.assignee_id == employee.pk:
        raise RuleError("consultation.assignee_same", _("This person looks after it already."), field="employee_uid")
    _give(consultation, employee, by)
    return consultation


def _give(consultation: Consultation, employee: Employee, by: Actor) -> None:
    before, state = consultation.assignee, consultation.state
    consultation.assignee = employee
    if state == ConsultationState.AWAITING:
        consultation.move(ConsultationState.IN_PROGRESS)
    consultation.save(update_fields=["assignee", "state"])
    record(
        consultation,
        events.CONSULTATION_ASSIGNED,
        by=by,
        changed={"assignee": (before.uid if before else None, employee.uid), "state": (state, consultation.state)},
    )


def hand_over_consultations(giver: Employee, taker: Employee, by: Actor) -> int:
    """The open questions that ``giver`` looks after go to ``taker``; returns how many."""
    rows = Consultation.objects.for_actor(by).filter(assignee=giver).exclude(state__in=CONSULTATION_ENDS)
    found = list(rows.locked().order_by("pk"))
    for consultation in found:
        _give(consultation, taker, by)
    return len(found)


@transaction.atomic
def snooze_consultation(*, uid: UUID, until: datetime, by: Actor) -> Consultation:
    """It leaves the list until a moment (aware); its clocks run on. Raises RuleError ``consultation.snooze_past``."""
    by.require(permissions.CONSULTATIONS_WORK)
    consultation = lock_consultation(uid=uid, by=by)
    _require_open(consultation)
    if until <= clock.now():
        raise RuleError("consultation.snooze_past", _("Put it off to a time ahead."), field="until")
    before, consultation.snoozed_until = consultation.snoozed_until, until
    consultation.save(update_fields=["snoozed_until"])
    record(consultation, events.CONSULTATION_SNOOZED, by=by, changed={"snoozed_until": (before, until)})
    return consultation


@transaction.atomic
def note_presence(*, uid: UUID, by: Actor) -> None:
    """The acting person has the thread open now; said again every few seconds."""
    by.require(permissions.CONSULTATIONS_WORK)
    employee = require_employee(by)
    consultation = Consultation.objects.for_actor(by).get(uid=uid)
    ConsultationPresence.objects.update_or_create(
        consultation=consultation, employee=employee, defaults={"at": clock.now()}
    )


# --- how it ends ---


def _end(consultation: Consultation, state: ConsultationState, note: str, by: Actor, **facts: Any) -> None:
    """Every end: the pause is over, both clocks are met by the end itself."""
    before = consultation.state
    consultation.move(state)
    assert consultation.ended_at is not None
    at = consultation.ended_at
    consultation.ended_note = formats.one_line(note)[:300]
    consultation.snoozed_until = None
    if consultation.assignee is None:
        consultation.assignee = employee_of(by)
    consultation.save()
    _go_on(consultation, at)
    _meet(consultation, (ClockKind.RESPONSE, ClockKind.RESOLUTION), at)
    record(
        consultation,
        events.CONSULTATION_ENDED,
        by=by,
        changed={"state": (before, state)},
        channel=consultation.channel,
        **facts,
    )


@transaction.atomic
def settle_consultation(*, uid: UUID, by: Actor) -> Consultation:
    """The customer says that the answer settles it (客户确认); only after an answer."""
    by.require(permissions.CONSULTATIONS_WORK)
    consultation = lock_consultation(uid=uid, by=by)
    _end(consultation, ConsultationState.CONFIRMED, "", by)
    return consultation


@transaction.atomic
def close_consultation(*, uid: UUID, reason: str, by: Actor) -> Consultation:
    """It is closed for a reason: advertising, a wrong number, no more word. Raises ``consultation.close_reason``."""
    by.require(permissions.CONSULTATIONS_WORK)
    if not reason.strip():
        raise RuleError("consultation.close_reason", _("Say why it is closed."), field="reason")
    consultation = lock_consultation(uid=uid, by=by)
    _end(consultation, ConsultationState.CLOSED, reason, by)
    return consultation


@transaction.atomic
def convert_to_appointment(*, uid: UUID, appointment_uid: UUID, by: Actor) -> Consultation:
    """转预约: the question became a booking of the same store."""
    by.require(permissions.CONSULTATIONS_WORK)
    appointment = Appointment.objects.for_actor(by).select_related("customer", "vehicle").get(uid=appointment_uid)
    consultation = lock_consultation(uid=uid, by=by)
    consultation.appointment = appointment
    consultation.customer, consultation.vehicle = appointment.customer, appointment.vehicle
    _end(consultation, ConsultationState.BOOKED, "", by, appointment=appointment.uid)
    return consultation


@transaction.atomic
def convert_to_visit(*, uid: UUID, visit_uid: UUID, by: Actor) -> Consultation:
    """The customer who asked is here: the question became a visit of the same store."""
    by.require(permissions.CONSULTATIONS_WORK)
    visit = Visit.objects.for_actor(by).select_related("customer", "vehicle").get(uid=visit_uid)
    consultation = lock_consultation(uid=uid, by=by)
    consultation.visit = visit
    consultation.customer, consultation.vehicle = visit.customer, visit.vehicle
    _end(consultation, ConsultationState.VISITED, "", by, visit=visit.uid)
    return consultation


@transaction.atomic
def hand_to_sales(
    *, uid: UUID, contact_name: str, contact_phone: str, model_text: str, topic: str, by: Actor, note: str = ""
) -> Consultation:
    """转销售线索: sales goes on with contact, model and topic (2.2.2). Raises ``lead.contact`` naming what is missing."""
    by.require(permissions.CONSULTATIONS_WORK)
    consultation = lock_consultation(uid=uid, by=by)
    values = {"contact_name": contact_name, "contact_phone": contact_phone, "model_text": model_text}
    for field, value in values.items():
        if not value.strip():
            raise RuleError("lead.contact", _("Sales needs a name, a telephone number and the model."), field=field)
    earlier = SalesLead.objects.filter(consultation=consultation).first()
    if earlier is not None:
        raise RaceLost("lead.exists", _("This question is with sales already."))
    lead = SalesLead.objects.create(
        store=consultation.store,
        consultation=consultation,
        contact_name=formats.one_line(contact_name)[:60],
        contact_phone=formats.demand(formats.check_phone(contact_phone), field="contact_phone"),
        model_text=formats.one_line(model_text)[:80],
        topic=ConsultationTopic(topic),
        note=formats.one_line(note)[:300],
        handed_by=employee_of(by),
    )
    _end(consultation, ConsultationState.SALES_LEAD, note, by, lead=lead.uid)
    record(lead, events.LEAD_HANDED, by=by, topic=lead.topic, consultation=consultation.uid)
    return consultation


# --- escalation (2.2.1) ---


def escalate_due() -> int:
    """Takes every step that is due: near the limit, past it, and to the manager. Returns how many; again does none."""
    now = clock.now()
    running = ConsultationClock.objects.filter(met_at__isnull=True).filter(Q(soon_at__lte=now) | Q(due_at__lte=now))
    taken = 0
    for pk in running.order_by("consultation_id", "pk").values_list("consultation_id", flat=True).distinct():
        taken += _escalate(pk, now)
    return taken


@transaction.atomic
def _escalate(pk: int, now: datetime) -> int:
    consultation = Consultation.objects.locked().get(pk=pk)
    by = machine("consultations", store_id=consultation.store_id)
    later = timedelta(minutes=limits.value(CONSULTATION_MANAGER_MINUTES, store_id=consultation.store_id))
    taken = 0
    for row in consultation.clocks.filter(met_at__isnull=True):
        due = {
            EscalationStep.SOON: row.soon_at is not None and row.soon_at <= now,
            EscalationStep.BREACHED: row.due_at is not None and row.due_at < now,
            EscalationStep.MANAGER: row.due_at is not None and row.due_at + later < now,
        }
        done = set(row.escalations.values_list("step", flat=True))
        for step in [step for step, is_due in due.items() if is_due and step not in done]:
            ConsultationEscalation.objects.create(on=row, step=step, at=now)
            record(consultation, events.CONSULTATION_ESCALATED, by=by, clock=row.kind, step=step, due_at=row.due_at)
            taken += 1
    return taken


def tell_escalation(*, consultation: Consultation, kind: str, step: str, key: str, by: Actor) -> int:
    """Whoever looks after it reads that the limit is near or has passed, else the desk; the manager at the last step."""
    if step == EscalationStep.MANAGER:
        people = list(employees_with_role(consultation.store_id, "manager"))
    elif consultation.assignee is not None:
        people = [consultation.assignee]
    else:
        people = list(employees_with_role(consultation.store_id, "receptionist"))
    for employee in people:
        language = employee.user.language if employee.user else "zh-hans"
        with translation.override(language):
            words = {
                "number": consultation.number,
                "channel": ConsultationChannel(consultation.channel).label,
                "clock": ClockKind(kind).label,
            }
            body = {
                EscalationStep.SOON: gettext("%(number)s (%(channel)s): the limit for “%(clock)s” is near."),
                EscalationStep.BREACHED: gettext("%(number)s (%(channel)s): the limit for “%(clock)s” has passed."),
                EscalationStep.MANAGER: gettext(
                    "%(number)s (%(channel)s): the limit for “%(clock)s” passed a while ago and nobody has acted."
                ),
            }[EscalationStep(step)]
            queue_message(
                key=f"{key}:{employee.pk}",
                store=consultation.store,
                channel=MessageChannel.STAFF,
                recipient=employee.number,
                recipient_name=employee.name,
                template="consultation_limit",
                language=language,
                body=body % words,
                by=by,
            )
    return len(people)


# --- templates for answers (2.2.2) ---


@transaction.atomic
def save_template(
    *, title: str, topic: str, body: str, by: Actor, uid: UUID | None = None, active: bool = True
) -> AnswerTemplate:
    """Writes a new template, or another text of one. Raises ``template.field`` for a field in braces that isn't there."""
    by.require(permissions.TEMPLATES_MANAGE)
    words = _words(body)
    if not _fields_known(words):
        raise RuleError(
            "template.field",
            _("Only these fields stand in braces: %(known)s."),
            field="body",
            known=" ".join(f"{{{name}}}" for name in TEMPLATE_FIELDS),
        )
    if uid is None:
        template = AnswerTemplate(title=formats.one_line(title)[:60], topic=topic, body=words, active=active)
    else:
        template = AnswerTemplate.objects.locked().get(uid=uid)
        template.title, template.topic, template.body, template.active = (
            formats.one_line(title)[:60],
            topic,
            words,
            active,
        )
    if AnswerTemplate.objects.filter(title=template.title).exclude(pk=template.pk).exists():
        raise RuleError("template.title", _("There is a template with this title."), field="title")
    template.save()
    record(template, events.TEMPLATE_SAVED, by=by, topic=topic, active=active)
    return template


def _fields_known(text: str) -> bool:
    """Whether every pair of braces holds one of the known fields and nothing else."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return False
    return all(name is None or (name in TEMPLATE_FIELDS and not spec and not sign) for _text, name, spec, sign in parts)


def fill_template(template: AnswerTemplate, consultation: Consultation, by: Actor) -> str:
    """The template's text with what is known of the question; a field without a value leaves a blank to fill."""
    store, employee = consultation.store, employee_of(by)
    values: Mapping[str, str] = {
        "name": consultation.contact_name,
        "plate": say_plate(consultation.vehicle.plate) if consultation.vehicle else "",
        "model": consultation.model_text,
        "store": store.name,
        "phone": store.phone,
        "address": store.address,
        "advisor": employee.name if employee else "",
    }
    return template.body.format_map({name: value or "____" for name, value in values.items()})
