"""Commands on the archive (8.4): a file per repair order, kept to its date, destroyed by two people and never early."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import events, permissions
from compliance.addendum_models import ArchiveAddendum
from compliance.limits import RETAIN_ORDER_YEARS
from compliance.models import ARCHIVE_MOVES, ArchiveRecord, ArchiveState
from compliance.order_file import FORM, file_rows, order_file
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.states import require
from reception.services.customers import open_number
from workshop.models import RepairOrder

REPAIR_FILE = "REPAIR_FILE"


def years_later(day: date, years: int) -> date:
    """The same day ``years`` on; 29 February becomes 1 March, so that nothing is kept a day too short."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


@transaction.atomic
def archive_order(*, order_uid: UUID, by: Actor) -> ArchiveRecord:
    """3.3, 8.4: the complete file of a closed order with its SHA-256; archiving again returns what is there."""
    order = (
        RepairOrder.objects.for_actor(by)
        .select_related("visit", "vehicle", "customer", "store", "advisor", "original")
        .locked()
        .get(uid=order_uid)
    )
    there = ArchiveRecord.objects.filter(kind=REPAIR_FILE, subject_uid=order.uid).first()
    if there is not None:
        return there
    content = order_file(order)
    today = clock.today(order.store.time_zone)
    years = limits.value(RETAIN_ORDER_YEARS, store_id=order.store_id)
    archive = ArchiveRecord.objects.create(
        store=order.store,
        kind=REPAIR_FILE,
        subject_type="repairorder",
        subject_uid=order.uid,
        number=order.number,
        visit=order.visit,
        content=content,
        sha256=content_hash(content),
        archived_on=today,
        retain_until=years_later(today, years),
    )
    record(archive, events.ARCHIVED, by=by, order=order.uid, sha256=archive.sha256, retain_until=archive.retain_until)
    return archive


@transaction.atomic
def take_file(*, uid: UUID, by: Actor) -> ArchiveRecord:
    """A file that still has its content, to be taken out as paper or data; history says who had the numbers in it (7.3).

    Raises ArchiveRecord.DoesNotExist for a destroyed one.
    """
    by.require(permissions.ARCHIVE_VIEW)
    rows = (
        ArchiveRecord.objects.for_actor(by)
        .exclude(state=ArchiveState.DESTROYED)
        .select_related("store", "visit__customer")
    )
    archive = rows.get(uid=uid)
    open_number(task=archive, customer=archive.visit.customer if archive.visit else None, by=by)
    return archive


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON (sorted keys), so that any later change shows."""
    return hashlib.sha256(canonical(content)).hexdigest()


def canonical(content: dict[str, Any]) -> bytes:
    """The content as JSON with sorted keys: what the hash is over."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


@transaction.atomic
def add_to_file(*, order_uid: UUID, because: str, by: Actor) -> ArchiveAddendum | None:
    """3.3: what came or changed since the order's file was written enters as a hashed addendum; the file stays as it is.

    ``because`` is the code of the event that asked for it. Each addendum names the hash of what it follows. Returns the
    newest addendum, also where nothing is new; None where there is no file, or only a destroyed one.
    """
    order = RepairOrder.objects.for_actor(by).select_related("visit", "vehicle", "store").locked().get(uid=order_uid)
    archive = ArchiveRecord.objects.filter(kind=REPAIR_FILE, subject_uid=order.uid).locked().first()
    if archive is None or archive.state == ArchiveState.DESTROYED:
        return None
    before = list(archive.addenda.order_by("number"))
    last = before[-1] if before else None
    added = _new_rows(archive, before, order)
    if not added:
        return last
    content = {
        "form": FORM,
        "file": archive.number,
        "number": len(before) + 1,
        "after": last.sha256 if last else archive.sha256,
        "because": because,
        "at": clock.now().isoformat(),
        "added": added,
    }
    addendum: ArchiveAddendum = ArchiveAddendum.objects.create(
        archive=archive,
        number=content["number"],
        because=because,
        content=content,
        sha256=content_hash(content),
        added_at=clock.now(),
    )
    record(archive, events.ADDED, by=by, number=addendum.number, sha256=addendum.sha256, because=because)
    return addendum


def _new_rows(archive: ArchiveRecord, before: list[ArchiveAddendum], order: RepairOrder) -> dict[str, Any]:
    """List of the file → its rows that are new or no longer as file and addenda have them. A file of an older form named
    no rows: its first addendum holds the lists whole."""
    known: dict[str, dict[str, Any]] = {}
    for content in (archive.content, *(one.content["added"] for one in before)):
        for name, rows in content.items():
            if isinstance(rows, list):
                named = {row["uid"]: row for row in rows if isinstance(row, dict) and "uid" in row}
                known.setdefault(name, {}).update(named)
    now = orjson.loads(canonical(dict(file_rows(order))))
    fresh = {name: [row for row in rows if known.get(name, {}).get(row["uid"]) != row] for name, rows in now.items()}
    return {name: rows for name, rows in fresh.items() if rows}


@transaction.atomic
def mark_for_destruction(*, uid: UUID, by: Actor) -> ArchiveRecord:
    """Puts a file whose time has run out on the destruction list; earlier or under a legal hold it is refused."""
    by.require(permissions.ARCHIVE_DESTROY)
    archive = ArchiveRecord.objects.for_actor(by).locked().get(uid=uid)
    require(ARCHIVE_MOVES, ArchiveState(archive.state), ArchiveState.TO_DESTROY)
    _may_go(archive)
    before, archive.state = archive.state, ArchiveState.TO_DESTROY
    archive.save(update_fields=["state"])
    record(archive, events.MARKED, by=by, changed={"state": (before, archive.state)})
    return archive


@transaction.atomic
def sign_destruction(*, uid: UUID, reason: str, by: Actor) -> ArchiveRecord:
    """The first signature, then another person's second, which destroys the content and keeps its hash."""
    by.require(permissions.ARCHIVE_DESTROY)
    archive = ArchiveRecord.objects.for_actor(by).locked().get(uid=uid)
    if archive.state != ArchiveState.TO_DESTROY:
        raise RuleError("archive.not_listed", _("Put the file on the destruction list first."))
    if by.user is None:
        raise RuleError("archive.person", _("Only a person signs a destruction."))
    _may_go(archive)
    if archive.first_signature_id is None:
        if not reason.strip():
            raise RuleError("archive.reason", _("Say why the file is destroyed."), field="reason")
        archive.first_signature, archive.destroyed_reason = by.user, reason.strip()[:200]
        archive.save(update_fields=["first_signature", "destroyed_reason"])
        record(archive, events.SIGNED, by=by)
        return archive
    if archive.first_signature_id == by.user.pk:
        raise RuleError("archive.signatures", _("Destruction needs two different signatures."))
    before, archive.state = archive.state, ArchiveState.DESTROYED
    archive.second_signature, archive.destroyed_at, archive.content = by.user, clock.now(), {}
    archive.save(update_fields=["state", "second_signature", "destroyed_at", "content"])
    archive.addenda.update(content={})
    record(archive, events.DESTROYED, by=by, changed={"state": (before, archive.state)}, sha256=archive.sha256)
    return archive


def _may_go(archive: ArchiveRecord) -> None:
    if archive.legal_hold:
        raise RuleError("archive.legal_hold", _("A legal hold keeps this file."))
    if archive.retain_until >= clock.today(archive.store.time_zone):
        raise RuleError(
            "archive.retention", _("This file must be kept until %(day)s."), day=archive.retain_until.isoformat()
        )
