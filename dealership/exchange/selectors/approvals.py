"""What waits for a decision, and one's own requests (1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from dealership.kernel import limits
from dealership.kernel.actors import Actor
from dealership.kernel.approvals import APPROVAL_LIMIT
from dealership.kernel.models import Approval, ApprovalState
from dealership.kernel.permissions import APPROVALS_DECIDE, APPROVALS_UNLIMITED
from reception.models import Visit

KINDS = {
    "workshop.discount": _("Discount on labour"),
    "workshop.part_discount": _("Discount on a part"),
    "workshop.goodwill": _("Goodwill on a line"),
    "workshop.payer": _("Work that the maker, our shop or a service contract pays"),
    "delivery.unpaid_exit": _("Car leaves before all is paid"),
    "delivery.goodwill": _("Goodwill on a bill"),
}
COLOURS = {
    ApprovalState.ASKED: "consent",
    ApprovalState.APPROVED: "ready",
    ApprovalState.REFUSED: "late",
    ApprovalState.WITHDRAWN: "booked",
}
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Request:
    """One request with the car it is about; ``why_not`` says why this actor can't approve it."""

    approval: Approval
    label: Any
    visit: Visit | None
    colour: str
    why_not: Any = ""


def _with_cars(approvals: Iterable[Approval], by: Actor) -> list[Request]:
    rows = list(approvals)
    visits = {
        visit.uid: visit
        for visit in Visit.objects.for_actor(by)
        .filter(uid__in=[row.visit_uid for row in rows if row.visit_uid])
        .select_related("vehicle")
    }
    highest = limits.value(APPROVAL_LIMIT, store_id=by.store_id)
    requests = []
    for row in rows:
        why: Any = ""
        if by.user is not None and row.asked_by_id == by.user.pk:
            why = _("You asked for this yourself; somebody else must decide.")
        elif row.amount is not None and row.amount > highest and not by.may(APPROVALS_UNLIMITED):
            why = _("Above your limit; the general manager decides.")
        requests.append(
            Request(
                row,
                KINDS.get(row.kind, row.kind),
                visits.get(row.visit_uid) if row.visit_uid else None,
                COLOURS[ApprovalState(row.state)],
                why,
            )
        )
    return requests


def waiting(by: Actor) -> list[Request]:
    """What somebody who may decide finds on the phone, oldest first; nothing for others."""
    if not by.may(APPROVALS_DECIDE):
        return []
    rows = Approval.objects.for_actor(by).filter(state=ApprovalState.ASKED).select_related("asked_by")
    return _with_cars(rows.order_by("pk")[:SHOWN], by)


def own(by: Actor) -> list[Request]:
    """What the actor asked for, newest first."""
    if by.user is None:
        return []
    rows = Approval.objects.for_actor(by).filter(asked_by=by.user).select_related("decided_by", "asked_by")
    return _with_cars(rows.order_by("-pk")[:SHOWN], by)


def decided(by: Actor) -> list[Request]:
    """The last decisions of the store, for those who decide."""
    if not by.may(APPROVALS_DECIDE):
        return []
    rows = Approval.objects.for_actor(by).exclude(state=ApprovalState.ASKED).select_related("asked_by", "decided_by")
    return _with_cars(rows.order_by("-pk")[:20], by)


def one(by: Actor, uid: UUID) -> Request:
    """Raises Approval.DoesNotExist for another store's."""
    rows = Approval.objects.for_actor(by).filter(uid=uid).select_related("asked_by", "decided_by")
    return _with_cars([rows.get()], by)[0]


def count_waiting(by: Actor) -> int:
    """How many requests this actor could decide on now."""
    if not by.may(APPROVALS_DECIDE):
        return 0
    rows = Approval.objects.for_actor(by).filter(state=ApprovalState.ASKED)
    return (rows.exclude(asked_by=by.user) if by.user else rows).count()
