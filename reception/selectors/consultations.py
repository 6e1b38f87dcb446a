"""Reads of consultations: the inbox with its counts, one thread with its clocks, templates (2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, DateTimeField, F, Min, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile
from staff.models import Employee
from staff.selectors.employees import employee_of

from ..models import (
    CONSULTATION_ENDS,
    OPEN_VISITS,
    AnswerTemplate,
    ClockKind,
    Consultation,
    ConsultationAttachment,
    ConsultationClock,
    ConsultationState,
    Visit,
)
from .today import LANE_OF, Placement, placements

PRESENT = timedelta(seconds=60)
"""Who said within this time that the thread is open has it open."""
PAGE = 100

FILTERS: dict[str, Any] = {
    "open": pgettext_lazy("questions", "open"),
    "awaiting": _("wait for an answer"),
    "soon": _("limit is near"),
    "late": _("limit has passed"),
    "mine": pgettext_lazy("questions", "mine"),
    "unassigned": _("nobody looks after"),
    "snoozed": _("put off"),
    "leads": _("handed to sales"),
    "ended": pgettext_lazy("questions", "ended"),
}


def _rows(by: Actor) -> QuerySet[Consultation]:
    """Consultations of the actor's store with the nearest running limit of each."""

    def nearest(field: str) -> Subquery:
        running = ConsultationClock.objects.filter(consultation=OuterRef("pk"), met_at__isnull=True)
        return Subquery(
            running.values("consultation").annotate(at=Min(field)).values("at"), output_field=DateTimeField()
        )

    return (
        Consultation.objects.for_actor(by)
        .filter(store_id=by.store_id)
        .annotate(next_due=nearest("due_at"), next_soon=nearest("soon_at"))
    )


def _filters(by: Actor, now: datetime) -> dict[str, Q]:
    me = employee_of(by)
    running = ~Q(state__in=CONSULTATION_ENDS)
    here = running & (Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))
    return {
        "open": here,
        "awaiting": here & Q(state__in=[ConsultationState.AWAITING, ConsultationState.IN_PROGRESS]),
        "soon": running & Q(next_soon__lte=now) & Q(next_due__gte=now),
        "late": running & Q(next_due__lt=now),
        "mine": running & Q(assignee=me) if me else Q(pk__isnull=True),
        "unassigned": here & Q(assignee__isnull=True),
        "snoozed": running & Q(snoozed_until__gt=now),
        "leads": Q(state=ConsultationState.SALES_LEAD),
        "ended": Q(state__in=CONSULTATION_ENDS),
    }


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the inbox."""

    consultation: Any
    tone: str

    @property
    def stage(self) -> str:
        """The chip's colour."""
        state = self.consultation.state
        if self.tone == "late":
            return "late"
        return STAGES.get(state, "ready")


STAGES = {
    ConsultationState.AWAITING: "consent",
    ConsultationState.IN_PROGRESS: "reception",
    ConsultationState.ANSWERED: "wait",
}


def inbox(by: Actor, show: str) -> dict[str, Any]:
    """The rows of one filter, most pressing first, and the counts of all."""
    now = clock.now()
    filters = _filters(by, now)
    counts = _rows(by).aggregate(**{code: Count("pk", filter=condition) for code, condition in filters.items()})
    rows = _rows(by).filter(filters[show]).select_related("customer", "vehicle", "assignee", "lead")
    order = (
        (F("ended_at").desc(),) if show in ("leads", "ended") else (F("next_due").asc(nulls_last=True), F("asked_at"))
    )
    tones = {"late": "late", "soon": "soon"}
    return {
        "rows": [Row(row, _tone(row, now)) for row in rows.order_by(*order, "pk")[:PAGE]],
        "strip": [
            {"code": code, "value": counts[code], "label": label, "tone": tones.get(code, "") if counts[code] else ""}
            for code, label in FILTERS.items()
        ],
        "any": sum(counts[code] for code in ("open", "snoozed", "ended")) > 0,
    }


def _tone(row: Any, now: datetime) -> str:
    if not row.is_open or row.next_due is None:
        return ""
    if row.next_due < now:
        return "late"
    return "soon" if row.next_soon is not None and row.next_soon <= now else ""


def waiting_count(by: Actor) -> int:
    """How many questions wait for an answer, for the rail."""
    return (
        Consultation.objects.for_actor(by)
        .filter(
            Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=clock.now()),
            store_id=by.store_id,
            state__in=[ConsultationState.AWAITING, ConsultationState.IN_PROGRESS],
        )
        .count()
    )


def has_late(by: Actor) -> bool:
    """Whether the limit of any open question has passed."""
    return ConsultationClock.objects.filter(
        consultation__store_id=by.store_id, met_at__isnull=True, due_at__lt=clock.now()
    ).exists()


def consultation_of(by: Actor, uid: UUID) -> Consultation:
    """One consultation with what its page shows. Raises Consultation.DoesNotExist for a foreign store's."""
    return (
        Consultation.objects.for_actor(by)
        .select_related("store", "customer", "vehicle", "assignee", "appointment", "visit", "lead")
        .get(uid=uid)
    )


@dataclass(frozen=True, slots=True)
class ClockShown:
    """A clock as its page says it: breach is worked out from the moments, it stands in no column a person writes."""

    kind: str
    due_at: datetime | None
    met_at: datetime | None
    late: bool
    soon: bool
    paused: bool
    working_only: bool


def clocks_of(consultation: Consultation) -> list[ClockShown]:
    """The latest clock of each kind."""
    now = clock.now()
    latest = {row.kind: row for row in consultation.clocks.all()}
    return [
        ClockShown(
            kind=str(ClockKind(kind).label),
            due_at=row.due_at,
            met_at=row.met_at,
            late=bool(row.due_at and (row.met_at or now) > row.due_at),
            soon=bool(row.met_at is None and row.soon_at and row.soon_at <= now),
            paused=row.met_at is None and row.due_at is None,
            working_only=row.working_only,
        )
        for kind, row in latest.items()
    ]


def attachment_for(by: Actor, uid: UUID) -> StoredFile:
    """The file of a mail whose thread the actor may see. Raises ConsultationAttachment.DoesNotExist otherwise."""
    row = ConsultationAttachment.objects.select_related("file").get(
        uid=uid, file__isnull=False, message__consultation__in=Consultation.objects.for_actor(by)
    )
    assert row.file is not None
    return row.file


def others_present(by: Actor, consultation: Consultation) -> list[str]:
    """Names of colleagues who have the thread open."""
    me = employee_of(by)
    rows = consultation.presences.filter(at__gte=clock.now() - PRESENT).exclude(employee=me)
    return list(rows.order_by("employee__pinyin").values_list("employee__name", flat=True))


def neighbours(by: Actor, consultation: Consultation) -> tuple[UUID | None, UUID | None]:
    """The open question before and after this one in the inbox, for K and J."""
    now = clock.now()
    rows = _rows(by).filter(_filters(by, now)["open"]).order_by(F("next_due").asc(nulls_last=True), "asked_at", "pk")
    uids = list(rows.values_list("uid", flat=True)[:PAGE])
    if consultation.uid not in uids:
        return None, (uids[0] if uids else None)
    place = uids.index(consultation.uid)
    return (uids[place - 1] if place else None), (uids[place + 1] if place + 1 < len(uids) else None)


def cars_here(by: Actor, consultation: Consultation) -> list[tuple[Visit, Placement, Any]]:
    """Cars in the shop of who asks, with where each stands and the lane's word: most callers ask when it is ready.

    Open visits of the customer, of the car and of whoever gave this telephone number at the gate, five at most.
    """
    same = Q()
    if consultation.customer_id:
        same |= Q(customer_id=consultation.customer_id)
    if consultation.vehicle_id:
        same |= Q(vehicle_id=consultation.vehicle_id)
    if consultation.contact_phone:
        same |= Q(contact_phone=consultation.contact_phone)
    if not same:
        return []
    rows = Visit.objects.for_actor(by).filter(same, state__in=OPEN_VISITS).select_related("vehicle", "store")
    visits = list(rows.order_by("arrived_at")[:5])
    placed = placements(by, visits)
    return [(visit, placed[visit.pk], LANE_OF[placed[visit.pk].lane].label) for visit in visits]


def earlier_of(by: Actor, consultation: Consultation) -> list[Consultation]:
    """Other questions of the same person."""
    same = Q()
    if consultation.customer_id:
        same |= Q(customer_id=consultation.customer_id)
    if consultation.contact_phone:
        same |= Q(contact_phone=consultation.contact_phone)
    if consultation.contact_email:
        same |= Q(contact_email__iexact=consultation.contact_email)
    if not same:
        return []
    rows = Consultation.objects.for_actor(by).filter(same).exclude(pk=consultation.pk)
    return list(rows.order_by("-asked_at")[:5])


def colleagues(by: Actor) -> QuerySet[Employee]:
    """Who may look after a question: the people of the store with a log-in."""
    return Employee.objects.filter(store_id=by.store_id, left_on__isnull=True, user__isnull=False).order_by(
        "pinyin", "pk"
    )


def templates(*, active_only: bool = True) -> QuerySet[AnswerTemplate]:
    rows = AnswerTemplate.objects.order_by("topic", "title")
    return rows.filter(active=True) if active_only else rows


def asked_by(by: Actor, uid: str) -> dict[str, Any]:
    """What a question fills into the form of a booking or an arrival; {} where none is named or visible."""
    try:
        consultation = Consultation.objects.for_actor(by).filter(uid=UUID(uid)).first()
    except ValueError:
        return {}
    if consultation is None or not consultation.is_open:
        return {}
    first = consultation.messages.order_by("at", "id").values_list("body", flat=True).first() or ""
    known = {
        "contact_name": consultation.contact_name,
        "contact_phone": consultation.contact_phone,
        "model_text": consultation.model_text,
        "need": first[:500],
    }
    return {name: value for name, value in known.items() if value} | {"consultation": consultation.uid}
