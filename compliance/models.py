"""The archive with its retention dates (chapter 8)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, User
from reception.models import Visit


class ArchiveState(models.TextChoices):
    ARCHIVED = "ARCHIVED", _("Archived")
    TO_DESTROY = "TO_DESTROY", _("To be destroyed")
    DESTROYED = "DESTROYED", _("Destroyed")


ARCHIVE_MOVES: dict[ArchiveState, set[ArchiveState]] = {
    ArchiveState.ARCHIVED: {ArchiveState.TO_DESTROY},
    ArchiveState.TO_DESTROY: {ArchiveState.ARCHIVED, ArchiveState.DESTROYED},
    ArchiveState.DESTROYED: set(),
}


class ArchiveRecord(Root):
    """One file of the archive (8.4): content, its SHA-256 and the day until which it must be kept."""

    link_path = "visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    subject_type = models.CharField(max_length=40)
    subject_uid = models.UUIDField()
    number = models.CharField(max_length=40)
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="archive_records")
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    archived_on = models.DateField()
    retain_until = models.DateField()
    legal_hold = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=ArchiveState.choices, default=ArchiveState.ARCHIVED)
    first_signature = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_signature = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    destroyed_at = models.DateTimeField(null=True, blank=True)
    destroyed_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(ARCHIVE_MOVES, field="state", name="archive_moves"),
            states.guard(
                # 8.4: nothing is destroyed before its day, and nothing at all under a legal hold; the date is never shortened.
                "archive_retention",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR NEW.retain_until < OLD.retain_until
                        OR (NEW.sha256 IS DISTINCT FROM OLD.sha256)
                        OR (NEW.content IS DISTINCT FROM OLD.content AND NEW.state <> 'DESTROYED')
                        OR (NEW.state IN ('TO_DESTROY', 'DESTROYED')
                            AND (OLD.legal_hold <> '' OR OLD.retain_until >= COALESCE(NEW.destroyed_at, now())::date
                                 OR OLD.retain_until >= now()::date))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="archive.retention",
                text=_("This record must still be kept; it can't be destroyed before its date or under a legal hold."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_uid"], name="archive_once"),
            models.CheckConstraint(
                name="archive_two_signatures",
                condition=~Q(state=ArchiveState.DESTROYED)
                | (
                    Q(first_signature__isnull=False, second_signature__isnull=False, destroyed_at__isnull=False)
                    & ~Q(first_signature=F("second_signature"))
                ),
            ),
        ]
        indexes = [models.Index(fields=["store", "retain_until"], name="archive_due")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys() if self.visit else {}


explain_constraint("archive_two_signatures", "archive.signatures", _("Destruction needs two different signatures."))


# --- addenda (3.3), health records (3.3, domain 7.2) ---
from compliance.addendum_models import ArchiveAddendum  # noqa: E402, F401  (found with the room's models)
from compliance.health_models import HealthUpload, UploadState  # noqa: E402, F401  (found with the room's models)
