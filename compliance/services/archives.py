"""Commands on the archive (8.4): a file per repair order, kept to its date, destroyed by two people and never early."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from compliance import events, permissions
from compliance.limits import RETAIN_ORDER_YEARS
from compliance.models import ARCHIVE_MOVES, ArchiveRecord, ArchiveState
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Message
from dealership.kernel.states import require
from delivery.models import Handover
from reception.models import VisitPhoto, WalkAround
from reception.services.customers import open_number
from workshop.check_models import CheckAnswer, CheckPhoto, CheckSheet
from workshop.models import LinePhoto, RepairOrder
from workshop.selectors.contracts import contract_facts
from workshop.selectors.part_consents import consent_facts
from workshop.selectors.tracing import lots_out

REPAIR_FILE = "REPAIR_FILE"
LINK = re.compile(r"/v/[A-Za-z0-9_-]{16,}/")
"""The customer's own door in a message: a key, so it doesn't go into a file that others read."""


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
        .select_related("visit", "vehicle", "customer", "store", "advisor")
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


def order_file(order: RepairOrder) -> dict[str, Any]:
    """Everything the law asks of a repair file (domain 3.5) and all that was said, signed and shown, as JSON values."""
    lines = order.lines.select_related("operation").prefetch_related("part_lines__part", "clockings__employee")
    named = lots_out(p for line in lines for p in line.part_lines.all())
    return {
        "order": {
            "number": order.number, "kind": order.kind, "complaint": order.complaint,
            "opened_at": order.opened_at.isoformat(), "advisor": order.advisor.name, "store": order.store.code,
        },
        "vehicle": {
            "plate": order.vehicle.plate, "vin": order.vehicle.vin, "model": order.vehicle.model_text,
            "odometer_in_km": order.visit.odometer_in_km, "odometer_out_km": order.visit.odometer_out_km,
        },
        "customer": {"name": order.customer.name, "phone": order.customer.phone, "brought_by": order.visit.contact_name},
        "lines": [
            {
                "position": line.position, "description": line.description, "category": line.category,
                "pay_type": line.pay_type, "hours": str(line.hours), "amount": str(line.labor_amount),
                "state": line.state, "complaint": line.complaint, "cause": line.cause, "correction": line.correction,
                "parts": [
                    {
                        "number": p.part.number, "name": p.part.name, "kind": p.kind,
                        "issued": str(p.issued_quantity), "amount": str(p.amount),
                        "lots": [lot.code for lot, _quantity in named.get(p.pk, [])],
                    }
                    for p in line.part_lines.all()
                ],
                "worked": [
                    {
                        "name": c.employee.name, "from": c.started_at.isoformat(),
                        "to": c.ended_at.isoformat() if c.ended_at else None,
                    }
                    for c in line.clockings.all()
                ],
            }
            for line in lines
        ],
        "contract": contract_facts(order),
        "part_consents": consent_facts(order),
        "authorizations": [
            {
                "line": a.line.position, "status": a.status, "method": a.method, "amount": str(a.amount),
                "by": a.authorized_by, "at": a.at.isoformat(), "seen": a.estimate.seen_hash if a.estimate else None,
            }
            for a in order.authorizations.select_related("line", "estimate").order_by("id")
        ],
        "inspections": [
            {"level": i.level, "result": i.result, "by": i.inspector.name, "at": i.at.isoformat(), "reason": i.reason}
            for i in order.inspections.select_related("inspector")
        ],
        "certificates": [c.number for c in order.certificates.filter(voided_at__isnull=True)],
        "settlements": [
            {
                "number": s.number, "total": str(s.total), "state": s.state, "signed_by": s.signed_name,
                "paid": str(sum(p.amount for p in s.payments.all())),
            }
            for s in order.settlements.prefetch_related("payments").order_by("id")
        ],
        "estimates": [
            {
                "number": e.number, "sent_at": e.sent_at.isoformat(), "total": str(e.total), "seen": e.seen_hash,
                "viewed_at": e.first_viewed_at.isoformat() if e.first_viewed_at else None,
            }
            for e in order.estimates.order_by("number")
        ],
        "walkaround": _walkaround(order),
        "sheets": [
            {
                "name": sheet.template.name, "version": sheet.template.number,
                "signed_by": sheet.signed_by.name if sheet.signed_by else "",
                "signed_at": sheet.signed_at.isoformat() if sheet.signed_at else None,
                "answers": [
                    {
                        "item": a.item.name, "verdict": a.verdict, "readings": [str(r) for r in a.readings],
                        "unit": a.item.unit, "note": a.note,
                    }
                    for a in sheet.answers.all()
                ],
            }
            for sheet in _sheets(order)
        ],
        "photos": _photos(order),
        "signatures": _signatures(order),
        "messages": [
            {
                "channel": m.channel, "subject": m.subject, "state": m.state,
                "sent_at": m.sent_at.isoformat() if m.sent_at else None, "body": LINK.sub("/…/", m.body),
            }
            for m in Message.objects.filter(visit_uid=order.visit.uid, store=order.store).order_by("id")
        ],
    }  # fmt: skip


def _walkaround(order: RepairOrder) -> dict[str, Any]:
    walk = WalkAround.objects.filter(visit_id=order.visit_id).first()
    if walk is None:
        return {}
    return {
        "odometer_km": walk.odometer_km, "energy_eighths": walk.energy_eighths, "words": walk.own_words,
        "old_parts": walk.old_parts, "belongings": walk.belongings, "warning_lights": walk.warning_lights,
        "marks": [
            {"side": m.side, "kind": m.kind, "place": m.place, "size_mm": m.size_mm, "note": m.note}
            for m in walk.marks.order_by("id")
        ],
    }  # fmt: skip


def _sheets(order: RepairOrder) -> QuerySet[CheckSheet]:
    rows = CheckSheet.objects.filter(order=order).select_related("template", "signed_by").order_by("id")
    answers = CheckAnswer.objects.select_related("item").order_by("item__position", "id")
    return rows.prefetch_related(Prefetch("answers", queryset=answers))


def _photos(order: RepairOrder) -> list[dict[str, Any]]:
    """Every picture by name and hash: the files themselves lie where they were stored and never change."""
    taken = [
        *VisitPhoto.objects.filter(visit_id=order.visit_id).select_related("file").order_by("id"),
        *LinePhoto.objects.filter(line__order=order).select_related("file").order_by("id"),
        *CheckPhoto.objects.filter(sheet__order=order).select_related("file").order_by("id"),
    ]
    return [
        {"of": type(p).__name__, "name": p.file.name, "sha256": p.file.sha256, "at": p.taken_at.isoformat()}
        for p in taken
    ]


def _signatures(order: RepairOrder) -> list[dict[str, Any]]:
    """Who signed what and when, with the hash of the drawn signature where one was drawn."""
    walk = WalkAround.objects.filter(visit_id=order.visit_id, signed_at__isnull=False).select_related("signature")
    lists = order.settlements.filter(signed_at__isnull=False).select_related("signature").order_by("id")
    out = Handover.objects.filter(visit_id=order.visit_id).select_related("signature")
    rows = [
        *(("WALKAROUND", w.signed_name, w.signed_at, w.signature) for w in walk),
        *(("SETTLEMENT", s.signed_name, s.signed_at, s.signature) for s in lists),
        *(("HANDOVER", h.received_by, h.at, h.signature) for h in out),
    ]
    return [
        {"what": what, "name": name, "at": at.isoformat(), "sha256": drawn.sha256 if drawn else None}
        for what, name, at, drawn in rows
    ]


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
    record(archive, events.DESTROYED, by=by, changed={"state": (before, archive.state)}, sha256=archive.sha256)
    return archive


def _may_go(archive: ArchiveRecord) -> None:
    if archive.legal_hold:
        raise RuleError("archive.legal_hold", _("A legal hold keeps this file."))
    if archive.retain_until >= clock.today(archive.store.time_zone):
        raise RuleError(
            "archive.retention", _("This file must be kept until %(day)s."), day=archive.retain_until.isoformat()
        )
