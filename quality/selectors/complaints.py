"""Reads of complaints (6.4); a breach is computed from the times, never stored."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from quality.models import Complaint, ComplaintState

OPEN = (ComplaintState.OPEN, ComplaintState.RESPONDED, ComplaintState.UNDER_REVIEW, ComplaintState.RESOLVED)


def complaints(by: Actor, *, show: str = "OPEN") -> QuerySet[Complaint]:
    """Open ones by their clock, unanswered first; LATE: the clock ran out unanswered; CLOSED: newest first."""
    rows = Complaint.objects.for_actor(by).select_related("customer", "visit__vehicle", "handler", "survey")
    if show == "LATE":
        return rows.filter(late()).order_by("response_due_at")
    if show == "CLOSED":
        return rows.filter(state=ComplaintState.CLOSED).order_by("-closed_at")
    return rows.filter(state__in=OPEN).order_by("responded_at", "response_due_at")


def late() -> Q:
    """Not answered and the clock has run out."""
    return Q(state=ComplaintState.OPEN, response_due_at__lt=clock.now())


def complaint_counts(by: Actor) -> dict[str, int]:
    return {show: complaints(by, show=show).count() for show in ("OPEN", "LATE", "CLOSED")}


def complaint(by: Actor, uid: object) -> Complaint:
    """One complaint of the actor's store."""
    return Complaint.objects.for_actor(by).select_related(
        "customer", "visit__vehicle", "visit__advisor", "handler", "subject", "survey", "closed_by"
    ).get(uid=uid)  # fmt: skip
