"""Reads of the archive (8.4)."""

from __future__ import annotations

from django.db.models import QuerySet

from compliance.addendum_models import ArchiveAddendum
from compliance.models import ArchiveRecord, ArchiveState
from compliance.services.archives import REPAIR_FILE, content_hash
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from reception.models import Visit
from workshop.models import RepairOrder
from workshop.permissions import ORDERS_VIEW


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
    """Whether file and addenda still have the hashes they were archived with, each naming the one before; None for a
    destroyed file."""
    if record.state == ArchiveState.DESTROYED:
        return None
    if content_hash(record.content) != record.sha256:
        return False
    after = record.sha256
    for one in record.addenda.order_by("number"):
        if one.content.get("after") != after or content_hash(one.content) != one.sha256:
            return False
        after = one.sha256
    return True


def addendum_of(record: ArchiveRecord, number: str) -> ArchiveAddendum:
    """An addendum of the file. Raises ArchiveAddendum.DoesNotExist where there is none of this number."""
    wanted = int(number) if number.isdecimal() and len(number) < 5 else 0
    found: ArchiveAddendum = record.addenda.get(number=wanted)
    return found


def order_of(by: Actor, record: ArchiveRecord) -> RepairOrder | None:
    """The order of a file, for who may look at orders."""
    if record.kind != REPAIR_FILE or not by.may(ORDERS_VIEW):
        return None
    found: RepairOrder | None = RepairOrder.objects.for_actor(by).filter(uid=record.subject_uid).first()
    return found


def file_of_order(by: Actor, order: RepairOrder) -> ArchiveRecord | None:
    """The file of an order that is still kept."""
    rows = ArchiveRecord.objects.for_actor(by).filter(kind=REPAIR_FILE, subject_uid=order.uid)
    found: ArchiveRecord | None = rows.exclude(state=ArchiveState.DESTROYED).first()
    return found


def kept_file(by: Actor, uid: object) -> ArchiveRecord:
    """A file that still has its content. Raises ArchiveRecord.DoesNotExist for a destroyed one."""
    rows = ArchiveRecord.objects.for_actor(by).exclude(state=ArchiveState.DESTROYED).select_related("store")
    return rows.get(uid=uid)


def files_of_visit(by: Actor, visit: Visit) -> QuerySet[ArchiveRecord]:
    """The files of a visit's orders that are still kept."""
    rows = ArchiveRecord.objects.for_actor(by).filter(visit=visit, kind=REPAIR_FILE)
    return rows.exclude(state=ArchiveState.DESTROYED).order_by("id")
