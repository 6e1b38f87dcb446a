"""Complaints and their clocks (chapter 6)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from delivery.models import Survey
from reception.models import Customer, Visit, to_standing_customer
from staff.models import Employee


class ComplaintLevel(models.TextChoices):
    """Domain 6.4."""

    ORDINARY = "ORDINARY", _("Ordinary")
    ESCALATED = "ESCALATED", _("Escalated")
    IMPORTANT = "IMPORTANT", _("Important")
    URGENT = "URGENT", _("Important and urgent")


class ComplaintState(models.TextChoices):
    """STAR CaseStatusTypes where it has the meaning."""

    OPEN = "OPEN", _("To be answered")
    RESPONDED = "RESPONDED", _("Answered")
    UNDER_REVIEW = "UNDER_REVIEW", _("Being looked into")
    RESOLVED = "RESOLVED", _("Solved, to be confirmed")
    CLOSED = "CLOSED", _("Closed")


C = ComplaintState
COMPLAINT_MOVES = {
    C.OPEN: {C.RESPONDED},
    C.RESPONDED: {C.UNDER_REVIEW, C.RESOLVED},
    C.UNDER_REVIEW: {C.RESOLVED},
    C.RESOLVED: {C.CLOSED, C.UNDER_REVIEW},
    C.CLOSED: {C.UNDER_REVIEW},
}


class Complaint(Root):
    """One complaint with its response clock (6.4). The breach is computed from the times, never typed."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="complaints")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="complaints")
    survey = models.OneToOneField(Survey, models.PROTECT, null=True, blank=True, related_name="complaint")
    level = models.CharField(max_length=10, choices=ComplaintLevel.choices, default=ComplaintLevel.ORDINARY)
    source = models.CharField(max_length=20)
    description = models.CharField(_("what the customer says"), max_length=1000)
    demand = models.CharField(_("what the customer wants"), max_length=300, blank=True)
    state = models.CharField(max_length=14, choices=C.choices, default=C.OPEN)
    handler = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    subject = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField(default=clock.now)
    response_due_at = models.DateTimeField()
    responded_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=500, blank=True)
    solution = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(COMPLAINT_MOVES, field="state", name="complaint_moves"),
            to_standing_customer("complaint_standing_customer"),
        ]
        constraints = [
            models.CheckConstraint(
                # domain 1.2: the person complained about doesn't handle it, and who handled it doesn't close it
                name="complaint_handler_not_subject",
                condition=Q(subject__isnull=True) | Q(handler__isnull=True) | ~Q(handler=F("subject")),
            ),
            models.CheckConstraint(
                name="complaint_closed_by_other",
                condition=~Q(state=C.CLOSED)
                | (Q(closed_by__isnull=False, closed_at__isnull=False) & ~Q(closed_by=F("handler"))),
            ),
            # 2.1.4: a bad rating opens one case for its visit, however often it is tapped.
            models.UniqueConstraint(fields=["visit"], name="complaint_one_per_rating", condition=Q(source="RATING")),
        ]
        indexes = [models.Index(fields=["store", "state", "response_due_at"], name="complaint_due")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        keys = self.visit.history_keys() if self.visit else {}
        return keys | {"customer": self.customer.uid}


class ComplaintNote(models.Model):
    """What was said at one step of a complaint: the answer, the cause, what was agreed, why it is open again (6.4).

    Written once: a later step never takes the place of an earlier one.
    """

    complaint = models.ForeignKey(Complaint, models.CASCADE, related_name="notes")
    state = models.CharField(max_length=14, choices=C.choices, help_text="what the step led to")
    reopens = models.BooleanField(default=False)
    words = models.CharField(max_length=500)
    author = models.ForeignKey(Employee, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="complaintnote_words", condition=~Q(words=""))]
        triggers = [pgtrigger.Protect(name="complaintnote_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


explain_constraint(
    "complaint_handler_not_subject", "complaint.subject", _("The person complained about can't handle the complaint.")
)
explain_constraint(
    "complaint_one_per_rating", "complaint.rated", _("The rating of this visit has opened a complaint already.")
)
explain_constraint("complaint_closed_by_other", "complaint.closer", _("Somebody else than the handler closes it."))
