"""What came to the file of an order after it was archived (3.3): appended and hashed, the file itself stays as it is."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from compliance.models import ArchiveRecord
from dealership.kernel import clock, states


class ArchiveAddendum(models.Model):
    """One addendum: rows that are new or changed since the file and the addenda before it. Destroyed only with its file."""

    store_path = "archive__store_id"
    link_path = "archive__visit_id"

    archive = models.ForeignKey(ArchiveRecord, models.PROTECT, related_name="addenda")
    number = models.PositiveSmallIntegerField()
    because = models.CharField(max_length=80, help_text="code of the event that it enters for")
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["archive", "number"]
        triggers = [
            states.ShownIn("archive"),
            states.guard(
                # 3.3, 8.4: an addendum is never changed; its content goes when two people have destroyed its file.
                "archiveaddendum_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR NEW.content <> '{}'::jsonb
                        OR ROW(NEW.archive_id, NEW.number, NEW.because, NEW.sha256, NEW.added_at)
                            IS DISTINCT FROM ROW(OLD.archive_id, OLD.number, OLD.because, OLD.sha256, OLD.added_at)
                        OR NOT EXISTS (SELECT 1 FROM compliance_archiverecord
                            WHERE id = OLD.archive_id AND state = 'DESTROYED')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="archive.retention",
                text=_("This record must still be kept; it can't be destroyed before its date or under a legal hold."),
            ),
            states.guard(
                # 3.3: addenda are numbered without a gap, each names the hash of what it follows, and nothing comes to a
                # destroyed file.
                "archiveaddendum_follows",
                operation=pgtrigger.Insert,
                declare=[("kept", "record"), ("last", "record")],
                func="""
                    SELECT state, sha256 INTO kept FROM compliance_archiverecord
                        WHERE id = NEW.archive_id FOR NO KEY UPDATE;
                    SELECT number, sha256 INTO last FROM compliance_archiveaddendum
                        WHERE archive_id = NEW.archive_id ORDER BY number DESC LIMIT 1;
                    IF kept.state = 'DESTROYED' OR NEW.number <> COALESCE(last.number, 0) + 1
                        OR NEW.content->>'after' IS DISTINCT FROM COALESCE(last.sha256, kept.sha256)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="archive.addendum",
                text=_("An addendum follows the file or the addendum before it, and a destroyed file gets none."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["archive", "number"], name="archiveaddendum_once"),
            models.CheckConstraint(name="archiveaddendum_because", condition=~Q(because="")),
        ]
