"""Commands on complaints (6.4): taken in, answered in time, looked into, solved, closed by somebody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, limits, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.states import require
from delivery.models import Survey
from quality import events, permissions
from quality.limits import RESPONSE_HOURS
from quality.models import COMPLAINT_MOVES, Complaint, ComplaintLevel, ComplaintNote, ComplaintState
from reception.models import Customer, Visit
from reception.services.customers import hold_customers
from staff.models import Employee
from staff.selectors.employees import employee_of, require_employee

RATING = "RATING"


@transaction.atomic
def open_complaint(
    *,
    customer_uid: UUID,
    description: str,
    source: str,
    by: Actor,
    level: str = ComplaintLevel.ORDINARY,
    visit_uid: UUID | None = None,
    survey_uid: UUID | None = None,
    demand: str = "",
    subject_uid: UUID | None = None,
) -> Complaint:
    """6.4: a complaint is taken in and its response clock starts (hours elapsed, by level).

    A survey opens one complaint only, and so does a visit's rating (source RATING): again returns the one that is there.
    """
    by.require(permissions.COMPLAINTS_OPEN)
    if not description.strip():
        raise RuleError("complaint.description", _("Write down what the customer says."), field="description")
    if level not in ComplaintLevel.values:
        raise RuleError("complaint.level", _("Choose a level."), field="level")
    hold_customers(uids=[customer_uid])
    customer = Customer.objects.for_actor(by).standing(customer_uid)
    survey = Survey.objects.for_actor(by).locked().get(uid=survey_uid) if survey_uid else None
    if survey is not None and (there := Complaint.objects.filter(survey=survey).first()):
        return there
    if source == RATING and visit_uid:
        rated = Complaint.objects.for_actor(by).filter(visit__uid=visit_uid, source=RATING)
        if (there := rated.first()) is not None:
            return there
    store = Store.objects.get(pk=by.store_id)
    hours, now = limits.value(RESPONSE_HOURS, store_id=store.pk)[level], clock.now()
    complaint = Complaint.objects.create(
        store=store,
        number=numbering.next_number(store, "TS"),
        customer=customer,
        visit=Visit.objects.for_actor(by).get(uid=visit_uid) if visit_uid else None,
        survey=survey,
        subject=Employee.objects.for_actor(by).get(uid=subject_uid) if subject_uid else None,
        level=level,
        source=source,
        description=description.strip()[:1000],
        demand=demand.strip()[:300],
        opened_at=now,
        response_due_at=now + timedelta(hours=hours),
    )
    record(complaint, events.COMPLAINT_OPENED, by=by, level=level, source=source, hours=hours)
    return complaint


@transaction.atomic
def explain_complaint(*, uid: UUID, words: str, by: Actor) -> Complaint:
    """2.1.4: what the customer writes after a bad rating stands as the complaint's words until it is closed."""
    complaint = _locked(uid, by, permissions.COMPLAINTS_OPEN)
    said = words.strip()[:1000]
    if not said or said == complaint.description or complaint.state == ComplaintState.CLOSED:
        return complaint
    complaint.description = said
    complaint.save(update_fields=["description"])
    record(complaint, events.COMPLAINT_EXPLAINED, by=by, source=complaint.source)
    return complaint


def _locked(uid: UUID, by: Actor, permission: str) -> Complaint:
    by.require(permission)
    return Complaint.objects.for_actor(by).select_related("customer", "visit").locked().get(uid=uid)


def _move(
    complaint: Complaint, state: ComplaintState, code: str, *, by: Actor, said: str = "", **fields: Any
) -> Complaint:
    """One step; ``said`` is kept as its note."""
    require(COMPLAINT_MOVES, ComplaintState(complaint.state), state)
    if said.strip():
        ComplaintNote.objects.create(
            complaint=complaint,
            state=state,
            reopens=code == events.COMPLAINT_REOPENED,
            words=said.strip()[:500],
            author=employee_of(by),
        )
    before, complaint.state = complaint.state, state
    for name, value in fields.items():
        setattr(complaint, name, value)
    complaint.save(update_fields=["state", *fields])
    record(complaint, code, by=by, changed={"state": (before, state)})
    return complaint


@transaction.atomic
def respond_complaint(*, uid: UUID, words: str, by: Actor) -> Complaint:
    """The first answer to the customer stops the response clock; who answers becomes the handler.

    The person complained about can't handle it.
    """
    complaint = _locked(uid, by, permissions.COMPLAINTS_HANDLE)
    if not words.strip():
        raise RuleError("complaint.words", _("Write down what you told the customer."), field="words")
    handler = require_employee(by)
    if handler == complaint.subject:
        raise RuleError("complaint.subject", _("The person complained about can't handle the complaint."))
    return _move(
        complaint,
        ComplaintState.RESPONDED,
        events.COMPLAINT_RESPONDED,
        by=by,
        handler=handler,
        responded_at=clock.now(),
        said=words,
        cause=words.strip()[:500],
    )


@transaction.atomic
def review_complaint(*, uid: UUID, cause: str, by: Actor) -> Complaint:
    """The cause is written down."""
    complaint = _locked(uid, by, permissions.COMPLAINTS_HANDLE)
    if not cause.strip():
        raise RuleError("complaint.cause", _("Write down the cause."), field="cause")
    return _move(
        complaint, ComplaintState.UNDER_REVIEW, events.COMPLAINT_REVIEWED, by=by, said=cause, cause=cause.strip()[:500]
    )


@transaction.atomic
def resolve_complaint(*, uid: UUID, solution: str, by: Actor) -> Complaint:
    """What was agreed with the customer."""
    complaint = _locked(uid, by, permissions.COMPLAINTS_HANDLE)
    if not solution.strip():
        raise RuleError("complaint.solution", _("Write down what was agreed with the customer."), field="solution")
    return _move(
        complaint,
        ComplaintState.RESOLVED,
        events.COMPLAINT_RESOLVED,
        by=by,
        said=solution,
        solution=solution.strip()[:500],
        resolved_at=clock.now(),
    )


@transaction.atomic
def close_complaint(*, uid: UUID, by: Actor) -> Complaint:
    """Closed by somebody else than the handler, after the customer confirmed (1.2, 6.4)."""
    complaint = _locked(uid, by, permissions.COMPLAINTS_CLOSE)
    closer = require_employee(by)
    if closer == complaint.handler:
        raise RuleError("complaint.closer", _("Somebody else than the handler closes it."))
    return _move(
        complaint, ComplaintState.CLOSED, events.COMPLAINT_CLOSED, by=by, closed_by=closer, closed_at=clock.now()
    )


@transaction.atomic
def reopen_complaint(*, uid: UUID, reason: str, by: Actor) -> Complaint:
    """The customer isn't content after all."""
    complaint = _locked(uid, by, permissions.COMPLAINTS_CLOSE)
    if not reason.strip():
        raise RuleError("complaint.reason", _("Say why it is opened again."), field="reason")
    return _move(
        complaint,
        ComplaintState.UNDER_REVIEW,
        events.COMPLAINT_REOPENED,
        by=by,
        closed_at=None,
        closed_by=None,
        said=reason,
        cause=reason.strip()[:500],
    )


def hand_over_complaints(giver: Employee, taker: Employee, by: Actor) -> int:
    """Open complaints that ``giver`` handles go to ``taker``; returns how many (1.2).

    A complaint about ``taker`` isn't theirs to handle: it loses its handler, and the board shows it as nobody's.
    """
    rows = (
        Complaint.objects.for_actor(by)
        .filter(handler=giver)
        .exclude(state=ComplaintState.CLOSED)
        .select_related("visit__vehicle", "visit__customer", "customer")
        .locked()
        .order_by("pk")
    )
    for complaint in rows:
        next_one = None if complaint.subject_id == taker.pk else taker
        complaint.handler = next_one
        complaint.save(update_fields=["handler"])
        record(
            complaint,
            events.COMPLAINT_HANDED_OVER,
            by=by,
            changed={"handler": (giver.uid, next_one.uid if next_one else None)},
        )
    return len(rows)
