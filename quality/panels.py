"""What chapter 6 adds to the pages of the chapters below: complaints about a visit and the way to take one in (6.3)."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from dealership.kernel.actors import Actor
from dealership.kernel.panels import Panel, register_panel
from reception.models import Customer, Visit

from . import permissions
from .models import Complaint


def visit_complaints(by: Actor, visit: Visit) -> dict[str, Any] | None:
    """Complaints about the visit for whoever may see them, and the button for whoever may take one in."""
    may_see, may_open = by.may(permissions.COMPLAINTS_VIEW), by.may(permissions.COMPLAINTS_OPEN)
    rows = list(Complaint.objects.for_actor(by).filter(visit=visit).order_by("pk")) if may_see else []
    may_open = may_open and visit.customer is not None
    if not rows and not may_open:
        return None
    return {"complaints": rows, "may_open": may_open, "visit": visit}


register_panel("visit_end", Panel("complaints", "quality/visit_complaints.html", visit_complaints, order=900))


def customer_complaints(by: Actor, customer: Customer) -> dict[str, Any] | None:
    """2.3: what this customer has complained about, the open ones first."""
    if not by.may(permissions.COMPLAINTS_VIEW):
        return None
    rows = Complaint.objects.for_actor(by).filter(customer=customer).select_related("handler")
    found = list(rows.order_by(F("closed_at").asc(nulls_first=True), "-pk")[:10])
    return {"complaints": found} if found else None


register_panel("customer", Panel("complaints", "quality/customer_complaints.html", customer_complaints, order=30))
