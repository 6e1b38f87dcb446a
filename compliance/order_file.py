"""What the file of a repair order holds (3.3, domain 3.5): composed once, then never again from the tables.

``FORM`` is the version of its shape. A file keeps the shape it was archived in; what reads it takes what is there.
Lists consist of rows with a ``uid`` of their own, so that an addendum can name what came or changed after departure.
What the shop pays its suppliers or gets from the maker is its own business: the file goes to the customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q

from dealership.kernel.models import Approval, ApprovalState, History, Message, StoredFile, User
from delivery.core_models import CorePayout
from delivery.models import Deposit, Handover, Payment, SettlementLine
from delivery.rework_models import ReworkCase
from reception.models import VisitPhoto, WalkAround
from workshop import events
from workshop.accident_models import AccidentCase, Assessment, StructureCheck
from workshop.check_models import CheckAnswer, CheckPhoto, CheckSheet
from workshop.contract_models import ContractSignature
from workshop.core_models import CoreCharge
from workshop.difference_models import DifferenceConsent
from workshop.goodwill_models import GOODWILL, LineGoodwill
from workshop.models import Clocking, Inspection, LineHold, LinePhoto, OrderLine, PartLine, RepairOrder
from workshop.old_part_models import OldPart
from workshop.own_part_models import OwnPartCheck
from workshop.part_consent_models import PartConsent
from workshop.payer_models import PAYER, PayerApproval
from workshop.rules import line_total
from workshop.selectors.contracts import contract_facts
from workshop.selectors.tracing import lots_out
from workshop.stock_models import PartReturn
from workshop.sublet_models import SubletOrder
from workshop.trial_models import PartTrial
from workshop.warranty_claim_models import WarrantyClaim

FORM = 2
LINK = re.compile(r"/v/[A-Za-z0-9_-]{16,}/")
"""The customer's own door in a message: a key, so it doesn't go into a file that others read."""
Rows = list[dict[str, Any]]


def order_file(order: RepairOrder) -> dict[str, Any]:
    """Everything the law asks of a repair file and all that was said, signed and shown, as JSON values."""
    walk = WalkAround.objects.filter(visit_id=order.visit_id).select_related("signature").first()
    out = Handover.objects.filter(visit_id=order.visit_id).select_related("signature", "advisor").first()
    return {
        "form": FORM,
        "order": {
            "number": order.number, "kind": order.kind, "complaint": order.complaint,
            "opened_at": order.opened_at.isoformat(), "advisor": order.advisor.name, "store": order.store.code,
            "original": order.original.number if order.original else None,
        },
        "vehicle": {
            "plate": order.vehicle.plate, "vin": order.vehicle.vin, "model": order.vehicle.model_text,
            "vehicle_type": order.vehicle.vehicle_type,
            "odometer_in_km": order.visit.odometer_in_km, "odometer_out_km": order.visit.odometer_out_km,
        },
        "customer": {"name": order.customer.name, "phone": order.customer.phone, "brought_by": order.visit.contact_name},
        "contract": contract_facts(order),
        "walkaround": _walkaround(walk),
        "handover": _handover(out),
        "accident": _accident(order),
        **moving_rows(order, walk, out),
    }  # fmt: skip


def moving_rows(order: RepairOrder, walk: WalkAround | None, out: Handover | None) -> dict[str, Rows]:
    """The lists of a file: what may grow or change after departure, and then enters as an addendum."""
    return {
        "lines": _lines(order),
        "estimates": _estimates(order),
        "authorizations": _decisions(order),
        "contracts": _contracts(order),
        "part_consents": _part_consents(order),
        "differences": _differences(order),
        "goodwill": _goodwill(order),
        "approvals": _approvals(order),
        "promises": _promises(order),
        "holds": _holds(order),
        "sublets": _sublets(order),
        "returned_parts": _returned_parts(order),
        "trials": _trials(order),
        "inspections": _inspections(order),
        "structure_checks": _structure_checks(order),
        "certificates": _certificates(order),
        "assessments": _assessments(order),
        "settlements": _settlements(order),
        "settlement_rows": _settlement_rows(order),
        "payments": _payments(order),
        "cores": _cores(order),
        "old_parts": _old_parts(order),
        "reworks": _reworks(order),
        "claims": _claims(order),
        "sheets": _sheets(order),
        "photos": _photos(order),
        "signatures": list(_signatures(order, walk, out)),
        "messages": _messages(order),
    }


def file_rows(order: RepairOrder) -> dict[str, Rows]:
    """The lists of an order's file as they are now."""
    walk = WalkAround.objects.filter(visit_id=order.visit_id).select_related("signature").first()
    out = Handover.objects.filter(visit_id=order.visit_id).select_related("signature", "advisor").first()
    return moving_rows(order, walk, out)


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _drawn(stored: StoredFile | None) -> str | None:
    return stored.sha256 if stored else None


def _name(person: Any) -> str:
    return person.name if person else ""


def _lines(order: RepairOrder) -> Rows:
    rows = order.lines.select_related("operation", "package", "discount_by").order_by("position", "id")
    clockings = Clocking.objects.select_related("employee").order_by("started_at", "id")
    lines = list(
        rows.prefetch_related("part_lines__part", "part_lines__discount_by", Prefetch("clockings", queryset=clockings))
    )
    named = lots_out(part for line in lines for part in line.part_lines.all())
    moved = _moved_clockings(lines)
    brought = {
        (c.line_id, c.part_id): {
            "condition": c.condition, "packaging": c.packaging, "damaged": c.damaged, "fits": c.fits, "note": c.note,
            "quantity": str(c.quantity), "by": c.checked_by.name, "at": c.checked_at.isoformat(),
        }
        for c in OwnPartCheck.objects.filter(line__order=order).select_related("checked_by").order_by("id")
    }  # fmt: skip
    return [
        {
            "uid": str(line.uid), "position": line.position, "description": line.description,
            "category": line.category, "pay_type": line.pay_type, "state": line.state,
            "hours": str(line.hours), "rate": str(line.rate), "discount": str(line.discount),
            "discount_by": _name(line.discount_by), "amount": str(line.labor_amount),
            "fee": str(line.fee_amount), "fee_note": line.fee_note,
            "total": str(line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)),
            "agreed": _money(line.authorized_amount), "package": line.package.name if line.package else "",
            "is_addition": line.is_addition, "is_safety": line.is_safety,
            "complaint": line.complaint, "cause": line.cause, "correction": line.correction,
            "declined_reason": line.declined_reason,
            "parts": [
                {
                    "number": p.part.number, "name": p.part.name, "kind": p.kind, "quantity": str(p.quantity),
                    "unit": p.part.unit, "unit_price": str(p.unit_price), "issued": str(p.issued_quantity),
                    "amount": str(p.amount), "discount": str(p.discount), "discount_by": _name(p.discount_by),
                    "discount_reason": p.discount_reason, "lots": [lot.code for lot, _quantity in named.get(p.pk, [])],
                    **({"looked_at": seen} if (seen := brought.get((line.pk, p.part_id))) else {}),
                }
                for p in sorted(line.part_lines.all(), key=lambda p: p.pk)
            ],
            "worked": [
                {
                    "name": c.employee.name, "from": c.started_at.isoformat(), "to": _at(c.ended_at),
                    "pause": c.pause_cause, "left_open": c.left_open, "corrections": c.corrections,
                    "corrected_reason": c.corrected_reason, "before": moved.get(str(c.uid), []),
                }
                for c in line.clockings.all()
            ],
        }
        for line in lines
    ]  # fmt: skip


def _moved_clockings(lines: list[OrderLine]) -> dict[str, list[list[str | None]]]:
    """Clocking → the times that it had before each correction."""
    uids = [c.uid for line in lines for c in line.clockings.all() if c.corrections]
    found: dict[str, list[list[str | None]]] = {}
    for uid, changed in (
        History.objects.filter(root_uid__in=uids, code=events.CLOCKING_CORRECTED)
        .order_by("id")
        .values_list("root_uid", "changed")
    ):
        was = [changed.get(side, [None])[0] for side in ("started_at", "ended_at")]
        found.setdefault(str(uid), []).append(was)
    return found


def _estimates(order: RepairOrder) -> Rows:
    """Each version with what it said: ``seen`` is the hash of ``content``."""
    return [
        {
            "uid": str(e.uid), "number": e.number, "sent_at": e.sent_at.isoformat(), "total": str(e.total),
            "seen": e.seen_hash, "viewed_at": _at(e.first_viewed_at), "content": e.content,
        }
        for e in order.estimates.order_by("number")
    ]  # fmt: skip


def _decisions(order: RepairOrder) -> Rows:
    rows = order.authorizations.select_related("line", "estimate", "contact", "signature").order_by("id")
    return [
        {
            "uid": str(a.uid), "line": a.line.position, "status": a.status, "method": a.method,
            "amount": str(a.amount), "by": a.authorized_by, "contact": _name(a.contact), "at": a.at.isoformat(),
            "note": a.note, "reason": a.reason, "cause": a.decline_cause,
            "seen": a.estimate.seen_hash if a.estimate else None, "signature": _drawn(a.signature),
        }
        for a in rows
    ]  # fmt: skip


def _contracts(order: RepairOrder) -> Rows:
    rows = ContractSignature.objects.filter(order=order).select_related("estimate", "signature", "taken_by")
    return [
        {
            "uid": str(c.uid), "version": c.estimate.number, "seen": c.estimate.seen_hash, "by": c.signed_name,
            "on_paper": c.on_paper, "at": c.signed_at.isoformat(), "taken_by": _name(c.taken_by),
            "signature": _drawn(c.signature),
        }
        for c in rows.order_by("id")
    ]  # fmt: skip


def _part_consents(order: RepairOrder) -> Rows:
    rows = PartConsent.objects.filter(line__order=order).select_related("line", "signature", "taken_by")
    return [
        {
            "uid": str(c.uid), "line": c.line.position, "parts": c.parts, "by": c.signed_name,
            "on_paper": c.on_paper, "at": c.signed_at.isoformat(), "taken_by": _name(c.taken_by),
            "signature": _drawn(c.signature),
        }
        for c in rows.order_by("id")
    ]  # fmt: skip


def _differences(order: RepairOrder) -> Rows:
    rows = DifferenceConsent.objects.filter(line__order=order).select_related("line", "signature").order_by("id")
    return [
        {
            "uid": str(d.uid), "line": d.line.position, "amount": str(d.amount), "by": d.agreed_by,
            "method": d.method, "note": d.note, "at": d.at.isoformat(), "ended_at": _at(d.ended_at),
            "signature": _drawn(d.signature), "agreed": d.agreed, "seen": d.seen_hash,
        }
        for d in rows
    ]  # fmt: skip


def _goodwill(order: RepairOrder) -> Rows:
    """Who bears which line and up to what amount; what was refused is nobody's business but the shop's."""
    rows = LineGoodwill.objects.filter(line__order=order, approval__state=ApprovalState.APPROVED)
    return [
        {
            "uid": str(g.uid), "line": g.line.position, "bearer": g.bearer, "amount": str(g.amount),
            "state": g.approval.state, "decided_by": _name(g.approval.decided_by),
            "asked_at": g.asked_at.isoformat(), "decided_at": _at(g.approval.decided_at),
        }
        for g in rows.select_related("line", "approval__decided_by").order_by("id")
    ]  # fmt: skip


def _approvals(order: RepairOrder) -> Rows:
    """What somebody above approved of the order, its lines and lists (1.2), and the maker's numbers in their place."""
    lines = {line.uid: line.position for line in order.lines.all()}
    lines |= dict(PartLine.objects.filter(line__order=order).values_list("uid", "line__position"))
    about = [order.uid, *lines, *order.settlements.values_list("uid", flat=True)]
    granted = Approval.objects.filter(root_uid__in=about, state=ApprovalState.APPROVED).exclude(kind=GOODWILL)
    numbers = PayerApproval.objects.filter(line__order=order, approval__isnull=True).select_related("line")
    return [
        *(
            {
                "uid": str(a.uid), "kind": a.kind, "line": lines.get(a.root_uid), "amount": _money(a.amount),
                "by": _name(a.decided_by), "at": _at(a.decided_at), "number": "",
            }
            for a in granted.select_related("decided_by").order_by("id")
        ),
        *(
            {
                "uid": str(n.uid), "kind": PAYER, "line": n.line.position, "amount": str(n.amount), "by": "",
                "at": n.asked_at.isoformat(), "number": n.maker_number,
            }
            for n in numbers.order_by("id")
        ),
    ]  # fmt: skip


def _promises(order: RepairOrder) -> Rows:
    """Every change of the promised time: why, how the customer was told and by whom, as history has it."""
    said = History.objects.filter(root_uid=order.uid, code=events.PROMISE_CHANGED).order_by("id")
    told: dict[str | None, list[History]] = {}
    for row in said:
        told.setdefault(row.changed.get("promised_at", [None, None])[1], []).append(row)
    names = _actors([row for rows in told.values() for row in rows])
    found = []
    for change in order.promise_changes.select_related("telling__told_by").order_by("id"):
        telling = getattr(change, "telling", None)
        rows = told.get(change.after.isoformat(), [])
        by = names[rows.pop(0).id] if rows else ""
        found.append(
            {
                "uid": str(change.uid), "before": _at(change.before), "after": change.after.isoformat(),
                "reason": change.reason, "told": telling.how if telling else change.told, "by": by, "at": change.at.isoformat(),
                "told_to": telling.told_to if telling else "", "told_by": telling.told_by.name if telling else "",
                "told_at": _at(telling.told_at) if telling else None,
            }
        )  # fmt: skip
    for row in told.get(None, []):  # the car drove on until its part came
        before, at = row.changed["promised_at"][0], row.at.isoformat()
        found.append(
            {"uid": at, "before": before, "after": None, "reason": "", "told": "", "by": names[row.id], "at": at}
        )
    return found


def _actors(rows: list[History]) -> dict[int, str]:
    """Line of history → the name of who did it; a machine by its own."""
    people = {row.actor_id for row in rows if row.actor_kind == "USER"}
    names = {str(user.uid): user.name for user in User.objects.filter(uid__in=people)}
    return {row.id: names.get(row.actor_id, "") for row in rows}


def _holds(order: RepairOrder) -> Rows:
    rows = LineHold.objects.filter(line__order=order).select_related("line").order_by("id")
    return [
        {
            "uid": str(h.uid), "line": h.line.position, "cause": h.cause, "from": h.started_at.isoformat(),
            "to": _at(h.ended_at),
        }
        for h in rows
    ]  # fmt: skip


def _sublets(order: RepairOrder) -> Rows:
    rows = SubletOrder.objects.filter(line__order=order).select_related("line", "checked_by").order_by("id")
    return [
        {
            "uid": str(s.uid), "number": s.number, "line": s.line.position, "supplier": s.supplier, "work": s.work,
            "state": s.state, "sent_at": _at(s.sent_at), "times_sent": s.times_sent, "back_at": _at(s.back_at),
            "checked_at": _at(s.checked_at), "checked_by": _name(s.checked_by), "findings": s.findings,
        }
        for s in rows
    ]  # fmt: skip


def _returned_parts(order: RepairOrder) -> Rows:
    rows = PartReturn.objects.filter(part_line__line__order=order)
    return [
        {
            "uid": str(r.uid), "line": r.part_line.line.position, "number": r.part_line.part.number,
            "name": r.part_line.part.name, "condition": r.condition, "quantity": str(r.quantity),
            "reason": r.reason, "at": r.at.isoformat(),
        }
        for r in rows.select_related("part_line__line", "part_line__part").order_by("id")
    ]  # fmt: skip


def _trials(order: RepairOrder) -> Rows:
    rows = PartTrial.objects.filter(order=order).select_related("item__part", "employee", "lot").order_by("id")
    return [
        {
            "uid": str(t.uid), "number": t.item.part.number, "name": t.item.part.name, "quantity": str(t.quantity),
            "lot": t.lot.code if t.lot else "", "with": t.employee.name, "state": t.state,
            "from": t.lent_at.isoformat(), "to": _at(t.ended_at),
        }
        for t in rows
    ]  # fmt: skip


def _inspections(order: RepairOrder) -> Rows:
    rows = Inspection.objects.filter(order=order).select_related("inspector", "failed_line", "road_test_driver")
    return [
        {
            "uid": str(i.uid), "level": i.level, "result": i.result, "by": i.inspector.name, "at": i.at.isoformat(),
            "reason": i.reason, "cause": i.cause, "failed_line": i.failed_line.position if i.failed_line else None,
            "sheet_reason": i.sheet_reason,
            "road_test": {
                "km": i.road_test_km, "from_km": i.road_test_from_km, "to_km": i.road_test_to_km,
                "driver": _name(i.road_test_driver), "route": i.road_test_route, "findings": i.road_test_findings,
            } if i.road_test_km is not None else None,
            "instruments": [
                {"number": used.tool.number, "name": used.tool.name, "serial": used.tool.serial}
                for used in sorted(i.instruments.all(), key=lambda used: used.pk)
            ],
        }
        for i in rows.prefetch_related("instruments__tool").order_by("id")
    ]  # fmt: skip


def _structure_checks(order: RepairOrder) -> Rows:
    rows = StructureCheck.objects.filter(job__line__order=order).select_related("job__line", "inspector")
    return [
        {
            "uid": str(c.uid), "line": c.job.line.position, "part": c.job.part, "result": c.result,
            "findings": c.findings, "by": c.inspector.name, "at": c.at.isoformat(),
        }
        for c in rows.order_by("id")
    ]  # fmt: skip


def _certificates(order: RepairOrder) -> Rows:
    return [
        {
            "uid": str(c.uid), "number": c.number, "by": _name(c.inspector), "at": c.issued_at.isoformat(),
            "category": c.category, "odometer_km": c.odometer_km, "guarantee_days": c.guarantee_days,
            "guarantee_km": c.guarantee_km, "voided_at": _at(c.voided_at), "void_reason": c.void_reason,
            "voided_by": _name(c.voided_by),
        }
        for c in order.certificates.select_related("inspector", "voided_by").order_by("id")
    ]  # fmt: skip


def _accident(order: RepairOrder) -> dict[str, Any]:
    case = AccidentCase.objects.filter(order=order).first()
    if case is None:
        return {}
    return {
        "report_number": case.report_number, "policy_number": case.policy_number,
        "happened_on": case.happened_on.isoformat(), "assessor": case.assessor, "own_share": str(case.own_share),
        "share_agreed_by": case.share_agreed_by,
    }  # fmt: skip


def _assessments(order: RepairOrder) -> Rows:
    rows = Assessment.objects.filter(accident__order=order).prefetch_related("rows__line").order_by("number")
    return [
        {
            "uid": str(a.uid), "number": a.number, "reason": a.reason, "amount": str(a.amount), "state": a.state,
            "asked_at": a.asked_at.isoformat(), "decided_at": _at(a.decided_at), "decided_by": a.decided_by,
            "note": a.note,
            "rows": [
                {"line": r.line.position, "amount": str(r.amount), "agreed": _money(r.agreed_amount)}
                for r in sorted(a.rows.all(), key=lambda r: r.pk)
            ],
        }
        for a in rows
    ]  # fmt: skip


def _settlements(order: RepairOrder) -> Rows:
    return [
        {
            "uid": str(s.uid), "number": s.number, "payer": s.payer.name, "state": s.state,
            "labor": str(s.labor_total), "material": str(s.material_total), "other": str(s.other_total),
            "discount": str(s.discount_total), "rounding": str(s.rounding_total), "total": str(s.total),
            "old_parts": s.old_parts, "guarantee_days": s.guarantee_days, "guarantee_km": s.guarantee_km,
            "issued_at": s.issued_at.isoformat(), "signed_at": _at(s.signed_at), "signed_by": s.signed_name,
            "void_reason": s.void_reason, "paid": str(sum((p.amount for p in s.payments.all()), Decimal("0.00"))),
        }
        for s in order.settlements.select_related("payer").prefetch_related("payments").order_by("id")
    ]  # fmt: skip


def _settlement_rows(order: RepairOrder) -> Rows:
    """The rows of the lists as they were printed."""
    rows = SettlementLine.objects.filter(settlement__order=order).select_related("settlement").order_by("id")
    return [
        {
            "uid": f"{r.settlement.number}/{r.kind}/{r.position}", "list": r.settlement.number, "kind": r.kind,
            "position": r.position, "description": r.description, "code": r.code, "brand": r.brand,
            "part_kind": r.part_kind, "quantity": str(r.quantity), "unit_price": str(r.unit_price),
            "amount": str(r.amount),
        }
        for r in rows
    ]  # fmt: skip


def _payments(order: RepairOrder) -> Rows:
    """Money that came and went: on the lists, as deposits of this order, and core charges given back."""
    on_lists = Payment.objects.filter(settlement__order=order).select_related("settlement").order_by("id")
    before = Deposit.objects.filter(order=order).order_by("id")
    back = CorePayout.objects.filter(core__part_line__line__order=order).order_by("id")
    return [
        {
            "uid": str(p.uid), "number": p.number, "of": of, "list": list_number, "method": p.method,
            "amount": str(p.amount), "reason": getattr(p, "reason", ""), "at": p.at.isoformat(),
        }
        for of, list_number, p in (
            *(("DEPOSIT", "", p) for p in before),
            *(("PAYMENT", p.settlement.number, p) for p in on_lists),
            *(("CORE", "", p) for p in back),
        )
    ]  # fmt: skip


def _cores(order: RepairOrder) -> Rows:
    rows = CoreCharge.objects.filter(part_line__line__order=order).select_related("part", "part_line__line")
    return [
        {
            "uid": str(c.uid), "line": c.part_line.line.position if c.part_line else None, "number": c.part.number,
            "name": c.part.name, "quantity": str(c.quantity), "amount": str(c.amount),
            "returned": str(c.returned), "credited": str(c.credited), "due_on": c.due_on.isoformat(),
            "returns": [
                {
                    "quantity": str(r.quantity), "condition": r.condition, "credit": str(r.credit),
                    "reason": r.reason, "brought_by": r.brought_by, "at": r.at.isoformat(),
                }
                for r in sorted(c.returns.all(), key=lambda r: r.pk)
            ],
        }
        for c in rows.prefetch_related("returns").order_by("id")
    ]  # fmt: skip


def _old_parts(order: RepairOrder) -> Rows:
    rows = OldPart.objects.filter(line__order=order).select_related("line", "part_line__part", "signature", "ended_by")
    return [
        {
            "uid": str(o.uid), "tag": o.tag, "line": o.line.position, "number": o.part_line.part.number,
            "name": o.part_line.part.name, "quantity": str(o.quantity), "disposition": o.disposition,
            "consent_by": o.consent_by, "state": o.state, "told_at": _at(o.told_at), "given_to": o.given_to,
            "ended_at": _at(o.ended_at), "ended_by": _name(o.ended_by), "signature": _drawn(o.signature),
            "signed_on_paper": o.signed_on_paper,
        }
        for o in rows.order_by("id")
    ]  # fmt: skip


def _reworks(order: RepairOrder) -> Rows:
    """Returns of this order's work, and the return that this order mends; never a later owner's words."""
    rows = ReworkCase.objects.filter(Q(line__order=order) | Q(order=order)).distinct()
    return [
        {
            "uid": str(r.uid), "first_order": r.line.order.number, "line": r.line.position, "attempt": r.attempt,
            "complaint": r.complaint if r.visit.customer_id == order.visit.customer_id else "",
            "claimed_on": r.claimed_on.isoformat(), "odometer_km": r.odometer_km,
            "state": r.state, "cause": r.cause, "findings": r.findings, "bearer": r.bearer,
            "judged_at": _at(r.judged_at), "order": r.order.number if r.order else None, "repairer": r.repairer,
            "ended_at": _at(r.ended_at),
        }
        for r in rows.select_related("line__order", "order", "visit").order_by("id")
    ]  # fmt: skip


def _claims(order: RepairOrder) -> Rows:
    return [
        {
            "uid": str(c.uid), "number": c.number, "state": c.state, "told_free": c.told_free,
            "lines": [row.line.position for row in sorted(c.lines.all(), key=lambda row: row.pk) if row.live],
            "opened_at": c.opened_at.isoformat(), "reference": c.reference,
            "submitted_on": c.submitted_on.isoformat() if c.submitted_on else None,
            "decided_on": c.decided_on.isoformat() if c.decided_on else None,
            "paid_on": c.paid_on.isoformat() if c.paid_on else None,
        }
        for c in WarrantyClaim.objects.filter(order=order).prefetch_related("lines__line").order_by("id")
    ]  # fmt: skip


def _walkaround(walk: WalkAround | None) -> dict[str, Any]:
    if walk is None:
        return {}
    return {
        "odometer_km": walk.odometer_km, "odometer_unread": walk.odometer_unread,
        "energy_eighths": walk.energy_eighths, "words": walk.own_words,
        "old_parts": walk.old_parts, "belongings": walk.belongings, "warning_lights": walk.warning_lights,
        "dispute": walk.dispute,
        "marks": [
            {"side": m.side, "kind": m.kind, "place": m.place, "size_mm": m.size_mm, "note": m.note}
            for m in walk.marks.order_by("id")
        ],
    }  # fmt: skip


def _handover(out: Handover | None) -> dict[str, Any]:
    if out is None:
        return {}
    return {
        "at": out.at.isoformat(), "by": out.advisor.name, "received_by": out.received_by,
        "odometer_km": out.odometer_km, "checklist": out.checklist, "risk_note_signed_by": out.risk_note_signed_by,
        "next_service_on": out.next_service_on.isoformat() if out.next_service_on else None,
        "next_service_km": out.next_service_km, "signed_on_paper": out.signed_on_paper,
    }  # fmt: skip


def _sheets(order: RepairOrder) -> Rows:
    answers = CheckAnswer.objects.select_related("item").order_by("item__position", "id")
    rows = CheckSheet.objects.filter(order=order).select_related("template", "signed_by").order_by("id")
    return [
        {
            "uid": str(sheet.uid), "name": sheet.template.name, "version": sheet.template.number,
            "signed_by": _name(sheet.signed_by), "signed_at": _at(sheet.signed_at), "stage": sheet.template.stage,
            "instruments": [
                {"number": used.tool.number, "name": used.tool.name, "serial": used.tool.serial}
                for used in sorted(sheet.instruments.all(), key=lambda used: used.pk)
            ],
            "answers": [
                {
                    "item": a.item.name, "verdict": a.verdict, "readings": [str(r) for r in a.readings],
                    "unit": a.item.unit, "note": a.note,
                }
                for a in sheet.answers.all()
            ],
        }
        for sheet in rows.prefetch_related(Prefetch("answers", queryset=answers), "instruments__tool")
    ]  # fmt: skip


def _photos(order: RepairOrder) -> Rows:
    """Every picture by name and hash: the files themselves lie where they were stored and never change."""
    visit = VisitPhoto.objects.filter(visit_id=order.visit_id).select_related("file").order_by("id")
    line = LinePhoto.objects.filter(line__order=order).select_related("file", "line").order_by("id")
    sheet = CheckPhoto.objects.filter(sheet__order=order).select_related("file", "item").order_by("id")
    taken: list[tuple[str, str, Any]] = [
        *(("VisitPhoto", p.place, p) for p in visit),
        *(("LinePhoto", str(p.line.position), p) for p in line),
        *(("CheckPhoto", p.item.name, p) for p in sheet),
    ]
    return [
        {
            "uid": str(p.uid), "of": of, "place": place, "name": p.file.name, "media": p.file.media_type,
            "sha256": p.file.sha256, "at": p.taken_at.isoformat(),
        }
        for of, place, p in taken
    ]  # fmt: skip


def _signatures(order: RepairOrder, walk: WalkAround | None, out: Handover | None) -> Iterator[dict[str, Any]]:
    """Who signed what and when, with the hash of the drawn signature where one was drawn."""
    signed = Q(signature__isnull=False)
    rows: list[tuple[str, Any, str, datetime | None]] = []
    if walk is not None and walk.signed_at is not None:
        rows.append(("WALKAROUND", walk, walk.signed_name, walk.signed_at))
    for a in order.authorizations.filter(signed).select_related("signature").order_by("id"):
        rows.append(("DECISION", a, a.authorized_by, a.at))
    for c in ContractSignature.objects.filter(order=order).select_related("signature").order_by("id"):
        rows.append(("CONTRACT", c, c.signed_name, c.signed_at))
    for p in PartConsent.objects.filter(line__order=order).select_related("signature").order_by("id"):
        rows.append(("PART_CONSENT", p, p.signed_name, p.signed_at))
    for d in DifferenceConsent.objects.filter(signed, line__order=order).select_related("signature").order_by("id"):
        rows.append(("DIFFERENCE", d, d.agreed_by, d.at))
    for s in order.settlements.filter(signed_at__isnull=False).select_related("signature").order_by("id"):
        rows.append(("SETTLEMENT", s, s.signed_name, s.signed_at))
    if out is not None:
        rows.append(("HANDOVER", out, out.received_by, out.at))
    drawn_or_written = signed | Q(signed_on_paper=True)
    for o in OldPart.objects.filter(drawn_or_written, line__order=order).select_related("signature").order_by("id"):
        name, at = (o.given_to, o.ended_at) if o.given_to else (o.consent_by, o.decided_at)
        rows.append(("OLD_PART", o, name, at))
    for what, row, name, at in rows:
        yield {"uid": f"{what}/{row.uid}", "what": what, "name": name, "at": _at(at), "sha256": _drawn(row.signature)}


def _messages(order: RepairOrder) -> Rows:
    return [
        {
            "uid": str(m.uid), "channel": m.channel, "subject": m.subject, "state": m.state,
            "sent_at": _at(m.sent_at), "body": LINK.sub("/…/", m.body),
        }
        for m in Message.objects.filter(visit_uid=order.visit.uid, store=order.store).order_by("id")
    ]  # fmt: skip
