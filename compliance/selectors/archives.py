"""Reads of the archive (8.4)."""

from __future__ import annotations

from django.db.models import QuerySet

from compliance.models import ArchiveRecord, ArchiveState
from compliance.services.archives import REPAIR_FILE, content_hash
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from reception.models import Visit


def archives(by: Actor, *, words: str = "", show: str = "ALL") -> QuerySet[ArchiveRecord]:
    """Newest first; DUE: whose time has run out; LISTED: on the destruction list. ``words`` is part of a number."""
    rows = ArchiveRecord.objects.for_actor(by).select_related("visit__vehicle").order_by("-id")
    if words:
        rows = rows.filter(number__icontains=words.strip())
    if show == "DUE":
        rows = rows.filter(state=ArchiveState.ARCHIVED, retain_until__lt=clock.today())
    elif show == "LISTED":
        rows = rows.filter(state=ArchiveState.TO_DESTROY)
    return rows


def archive_counts(by: Actor) -> dict[str, int]:
    return {show: archives(by, show=show).count() for show in ("ALL", "DUE", "LISTED")}


def archive(by: Actor, uid: object) -> ArchiveRecord:
    return ArchiveRecord.objects.for_actor(by).select_related("visit__vehicle", "first_signature", "store").get(uid=uid)


def untouched(record: ArchiveRecord) -> bool | None:
    """Whether the content still has the hash it was archived with; None for a destroyed file."""
    if record.state == ArchiveState.DESTROYED:
        return None
    return content_hash(record.content) == record.sha256


def kept_file(by: Actor, uid: object) -> ArchiveRecord:
    """A file that still has its content. Raises ArchiveRecord.DoesNotExist for a destroyed one."""
    rows = ArchiveRecord.objects.for_actor(by).exclude(state=ArchiveState.DESTROYED).select_related("store")
    return rows.get(uid=uid)


def files_of_visit(by: Actor, visit: Visit) -> QuerySet[ArchiveRecord]:
    """The files of a visit's orders that are still kept."""
    rows = ArchiveRecord.objects.for_actor(by).filter(visit=visit, kind=REPAIR_FILE)
    return rows.exclude(state=ArchiveState.DESTROYED).order_by("id")
