"""Uploads of electronic health records: what every signed settlement list owes the platform (3.3, domain 7.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, User
from delivery.health_record import NAMES
from delivery.models import Settlement


class UploadState(models.TextChoices):
    WAITING = "WAITING", _("To be uploaded")
    SENT = "SENT", _("Uploaded")
    FAILED = "FAILED", _("Not uploaded, tried again")
    MANUAL = "MANUAL", _("Left to a person")


UPLOAD_MOVES: dict[UploadState, set[UploadState]] = {
    UploadState.WAITING: {UploadState.SENT, UploadState.FAILED, UploadState.MANUAL},
    UploadState.FAILED: {UploadState.WAITING, UploadState.SENT, UploadState.MANUAL},
    UploadState.MANUAL: {UploadState.WAITING, UploadState.SENT},
    UploadState.SENT: set(),
}


class HealthUpload(Root):
    """One list's health record on its way to the platform, known there by the list's number; once for each list.

    ``payload`` is what is sent, empty where a fact was missing when it was drawn. ``next_at`` is when it may be tried,
    ``reference`` the platform's own number where a person entered the record there.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    settlement = models.OneToOneField(Settlement, models.PROTECT, related_name="health_upload")
    number = models.CharField(_("list no."), max_length=30, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=UploadState.choices, default=UploadState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=300, blank=True)
    settled_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=60, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(UPLOAD_MOVES, field="state", name="healthupload_moves"),
            states.fixed("healthupload_fixed", "store_id", "settlement_id", "number", "settled_at"),
            states.guard(
                # domain 7.2: what is sent is of a list that its customer signed, under that list's own number.
                "healthupload_of_signed_list",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("payload"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM delivery_settlement s WHERE s.id = NEW.settlement_id
                            AND s.state = 'SIGNED' AND s.number = NEW.number AND s.store_id = NEW.store_id)
                        OR (NEW.payload <> '{}'
                            AND NEW.payload #>> '{basicInfo,costlistcode}' IS DISTINCT FROM NEW.number)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="health_record.list",
                text=_("A health record belongs to one signed settlement list and carries its number."),
            ),
            states.guard(
                "healthupload_sent_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'SENT'"),
                func="{refuse}",
                unchanged_passes=True,
                code="health_record.sent",
                text=_("This health record is on the platform; it isn't changed here any more."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="healthupload_outcome",
                condition=Q(state=UploadState.WAITING, sent_at__isnull=True)
                | Q(state=UploadState.SENT, sent_at__isnull=False)
                | (Q(state__in=[UploadState.FAILED, UploadState.MANUAL], sent_at__isnull=True) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="healthupload_entered",
                condition=Q(reference="", entered_by__isnull=True)
                | (~Q(reference="") & Q(entered_by__isnull=False, state=UploadState.SENT)),
            ),
            models.CheckConstraint(
                name="healthupload_drawn",
                condition=~Q(payload={}) | Q(state=UploadState.MANUAL) | ~Q(reference="") | Q(attempts=0),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                name="healthupload_due",
                condition=Q(state__in=[UploadState.WAITING, UploadState.FAILED]),
            ),
            models.Index(fields=["store", "state", "settled_at"], name="healthupload_list"),
        ]

    @property
    def said_reason(self) -> str:
        """Why it isn't on the platform: names of missing facts in words, else what the platform said."""
        names = self.reason.split(", ")
        if not set(names) <= NAMES.keys():
            return self.reason
        return gettext("missing: %(what)s") % {"what": "; ".join(str(NAMES[name]) for name in names)}

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.settlement.order.history_keys()


explain_constraint(
    "healthupload_entered", "health_record.reference", _("Write the number under which the platform keeps the record.")
)
explain_constraint("healthupload_outcome", "health_record.reason", _("Say why the record isn't on the platform."))
explain_constraint("healthupload_drawn", "health_record.facts", _("This record lacks a fact that it can't do without."))
