"""Accident repairs: the insurer's case, its assessments and supplements, the structure's check (3.2).

Lock order (design 5): order, lines, case, assessment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import ZERO, round_money
from dealership.kernel.states import require
from staff.selectors.employees import require_employee
from workshop import events, permissions
from workshop.accident_models import (
    ASSESSMENT_MOVES,
    AccidentCase,
    Assessment,
    AssessmentRow,
    AssessmentState,
    StructuralJob,
    StructureCheck,
    StructurePart,
    StructureResult,
)
from workshop.models import AuthorizationMethod, Clocking, L, OrderKind, OrderLine
from workshop.rules import total_of
from workshop.selectors.accidents import insured_of, price_of
from workshop.selectors.entitled import deciders_of
from workshop.services.authorizations import decide_lines, latest_estimate
from workshop.services.orders import locked_line, locked_order

Z = AssessmentState
ASSESSED = (L.DRAFT, L.PENDING, L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED)


def _share(own_share: Decimal, agreed_by: str) -> tuple[Decimal, str]:
    amount, name = round_money(own_share), formats.one_line(agreed_by)[:60]
    if amount < 0 or (amount and not name):
        raise RuleError(
            "accident.own_share",
            _("The customer's own share isn't negative and has the name of who agreed to it."),
            field="share_agreed_by" if amount > 0 else "own_share",
        )
    return amount, name if amount else ""


@transaction.atomic
def open_accident(
    *,
    order_uid: UUID,
    policy_number: str,
    report_number: str,
    happened_on: date,
    by: Actor,
    assessor: str = "",
    own_share: Decimal = Decimal(0),
    share_agreed_by: str = "",
) -> AccidentCase:
    """Enters the insurer's case of an insurance order: policy, report number (报案号), assessor, the customer's share.

    Raises RuleError ``accident.order``, ``accident.exists``, ``accident.number``, ``accident.day`` and
    ``accident.own_share``.
    """
    by.require(permissions.ACCIDENTS_WORK)
    policy, report = formats.one_line(policy_number)[:40], formats.one_line(report_number)[:40]
    for field, value in (("policy_number", policy), ("report_number", report)):
        if not value:
            raise RuleError("accident.number", _("Write the numbers of the policy and of the report."), field=field)
    share, agreed_by = _share(own_share, share_agreed_by)
    order = locked_order(order_uid, by)
    if happened_on > clock.today(order.store.time_zone):
        raise RuleError("accident.day", _("The accident happened before it is entered."), field="happened_on")
    if order.kind != OrderKind.INSURANCE or order.customer_id == order.visit.customer_id:
        raise RuleError("accident.order", _("An accident belongs to an insurance order, whose payer is the insurer."))
    if known := AccidentCase.objects.filter(order=order).first():
        raise RuleError("accident.exists", _("The insurer's case of this order is entered already."), held_by=known)
    case = AccidentCase.objects.create(
        order=order,
        policy_number=policy,
        report_number=report,
        happened_on=happened_on,
        assessor=formats.one_line(assessor)[:60],
        own_share=share,
        share_agreed_by=agreed_by,
        opened_at=clock.now(),
    )
    record(case, events.ACCIDENT_OPENED, by=by, store_id=order.store_id, own_share=share)
    return case


@transaction.atomic
def change_accident(
    *, uid: UUID, by: Actor, assessor: str = "", own_share: Decimal = Decimal(0), share_agreed_by: str = ""
) -> AccidentCase:
    """Another assessor or another share of the customer, until the list is issued. Raises ``accident.own_share``."""
    by.require(permissions.ACCIDENTS_WORK)
    share, agreed_by = _share(own_share, share_agreed_by)
    case = _locked_accident(uid, by)
    before = case.own_share
    case.assessor, case.own_share, case.share_agreed_by = formats.one_line(assessor)[:60], share, agreed_by
    case.save(update_fields=["assessor", "own_share", "share_agreed_by"])
    changed = {"own_share": (before, share)} if before != share else {}
    record(case, events.ACCIDENT_CHANGED, by=by, store_id=case.order.store_id, changed=changed)
    return case


def _locked_accident(uid: UUID, by: Actor) -> AccidentCase:
    order_uid = AccidentCase.objects.for_actor(by).values_list("order__uid", flat=True).get(uid=uid)
    order = locked_order(order_uid, by)
    case = AccidentCase.objects.locked().get(uid=uid)
    case.order = order
    return case


@transaction.atomic
def ask_assessment(*, accident_uid: UUID, amounts: Mapping[UUID, Decimal], by: Actor, reason: str = "") -> Assessment:
    """Lays before the insurer what it is to pay for each line (``amounts`` by the line's uid, CNY with VAT).

    The first is the assessment (定损), each later one a supplement (追加定损) with its reason and a photo of each line.
    Raises RuleError ``assessment.asked``, ``assessment.line``, ``assessment.amount``, ``assessment.reason``,
    ``assessment.photo``, ``assessment.not_sent`` (a line wasn't offered yet) and ``assessment.agreed`` (the insurer has
    agreed to the line's whole price already). What was agreed to below the price may be asked for once more.
    """
    by.require(permissions.ACCIDENTS_WORK)
    case = _locked_accident(accident_uid, by)
    if case.assessments.filter(state=Z.ASKED).exists():
        raise RuleError(
            "assessment.asked", _("An assessment is with the insurer already; wait for its answer."), held_by=case
        )
    rows = {uid: round_money(amount) for uid, amount in amounts.items()}
    if not rows or any(amount <= 0 for amount in rows.values()):
        raise RuleError("assessment.amount", _("Give each assessed item an amount above nothing."), field="amounts")
    found = OrderLine.objects.filter(order=case.order, uid__in=rows, pay_type=PayType.INSURANCE, state__in=ASSESSED)
    lines = list(found.select_related("operation").prefetch_related("photos", "part_lines").order_by("pk"))
    if len(lines) != len(rows):
        raise RuleError("assessment.line", _("The insurer assesses items of this order that it pays."), field="amounts")
    _require_open(lines)
    number = (case.assessments.aggregate(last=Max("number"))["last"] or 0) + 1
    words = formats.one_line(reason)[:300]
    if number > 1:
        if not words:
            raise RuleError("assessment.reason", _("Say what makes the supplement necessary."), field="reason")
        _require_pictures(lines)
    assessment = Assessment.objects.create(
        accident=case, number=number, reason=words, amount=total_of(rows.values()), asked_at=clock.now()
    )
    for line in lines:
        AssessmentRow.objects.create(assessment=assessment, line=line, amount=rows[line.uid])
    record(
        assessment,
        events.ASSESSMENT_ASKED,
        by=by,
        store_id=case.order.store_id,
        changed={"state": (None, assessment.state)},
        number=number,
        amount=assessment.amount,
        lines=[line.uid for line in lines],
    )
    return assessment


def _require_open(lines: list[OrderLine]) -> None:
    insured = insured_of([line.pk for line in lines])
    for line in lines:
        if line.state == L.DRAFT:
            raise RuleError("assessment.not_sent", _("Send the estimate first: “%(line)s” is a draft."), line=line.said)
        if line.pk in insured and (line.state != L.PENDING or insured[line.pk] >= price_of(line)):
            raise RuleError("assessment.agreed", _("The insurer has agreed to “%(line)s” already."), line=line.said)


def _require_pictures(lines: list[OrderLine]) -> None:
    for line in lines:
        if not line.photos.all():
            raise RuleError(
                "assessment.photo", _("A supplement shows a photo of each item; “%(line)s” has none."), line=line.said
            )


def _locked_assessment(uid: UUID, by: Actor) -> Assessment:
    accident_uid = Assessment.objects.for_actor(by).values_list("accident__uid", flat=True).get(uid=uid)
    case = _locked_accident(accident_uid, by)
    assessment = Assessment.objects.locked().get(uid=uid)
    assessment.accident = case
    return assessment


def _write_answer(
    assessment: Assessment,
    new: AssessmentState,
    name: str,
    note: str,
    by: Actor,
    event: str,
    amount: Decimal | None = None,
) -> None:
    before = Z(assessment.state)
    require(ASSESSMENT_MOVES, before, new)
    assessment.state, assessment.decided_by, assessment.note = new, name, note
    assessment.decided_at = clock.now()
    assessment.save(update_fields=["state", "decided_by", "note", "decided_at"])
    record(
        assessment,
        event,
        by=by,
        store_id=assessment.accident.order.store_id,
        changed={"state": (before, new)},
        amount=assessment.amount if amount is None else amount,
        asked=assessment.amount,
    )


def _answers(rows: list[AssessmentRow], amounts: Mapping[UUID, Decimal] | None) -> dict[UUID, Decimal]:
    """What the insurer agrees to of each row, by the line's uid; all of it where nothing else is said."""
    given = {row.line.uid: row.amount for row in rows}
    for uid, amount in (amounts or {}).items():
        if uid not in given or not 0 <= round_money(amount) <= given[uid]:
            raise RuleError(
                "assessment.amount", _("The insurer agrees to no more than was laid before it."), field=f"amount_{uid}"
            )
        given[uid] = round_money(amount)
    if not total_of(given.values()):
        raise RuleError("assessment.amount", _("An insurer that pays nothing refuses; note its no."), field="amounts")
    return given


@transaction.atomic
def agree_assessment(
    *, uid: UUID, decided_by: str, by: Actor, note: str = "", amounts: Mapping[UUID, Decimal] | None = None
) -> Assessment:
    """The insurer's entitled person says yes to ``amounts`` (by the line's uid, CNY with VAT; else to all that was asked).

    A line whose price that covers is agreed to and may be begun. Of a dearer one the difference stands open: see
    ``services.differences``. Raises RuleError ``assessment.who`` (not named by the insurer, or not about so much),
    ``assessment.amount``, ``assessment.note`` (less than was asked needs the insurer's words) and ``state.move``.
    """
    by.require(permissions.AUTHORIZATIONS_RECORD)
    name, words = formats.one_line(decided_by)[:60], formats.one_line(note)[:300]
    assessment = _locked_assessment(uid, by)
    require(ASSESSMENT_MOVES, Z(assessment.state), Z.AGREED)
    order = assessment.accident.order
    rows = list(assessment.rows.select_related("line__operation").prefetch_related("line__part_lines").order_by("pk"))
    given = _answers(rows, amounts)
    if not words and total_of(given.values()) < assessment.amount:
        raise RuleError(
            "assessment.note", _("The insurer pays less than was asked: write down what it said."), field="note"
        )
    before = insured_of([row.line_id for row in rows])
    paid, covered = [], []
    for row in rows:
        if row.line.state not in (L.DRAFT, L.PENDING):
            continue
        left = price_of(row.line) - before.get(row.line_id, ZERO)
        paid.append(min(left, given[row.line.uid]))
        if row.line.state == L.PENDING and given[row.line.uid] >= left:
            covered.append(row.line.uid)
    entitled, _contact = deciders_of(order).entitle(name, total_of(paid))
    if not name or not entitled:
        raise RuleError(
            "assessment.who", _("The insurer hasn't named this person to decide about so much."), field="decided_by"
        )
    for row in rows:
        row.agreed_amount = given[row.line.uid]
        row.save(update_fields=["agreed_amount"])
    _write_answer(assessment, Z.AGREED, name, words, by, events.ASSESSMENT_AGREED, amount=total_of(given.values()))
    offer = latest_estimate(order)
    if covered and offer is not None and offer.expires_at >= clock.now():
        decide_lines(
            order_uid=order.uid,
            decisions=dict.fromkeys(covered, (True, "")),
            method=AuthorizationMethod.VERBAL_PHONE,
            authorized_by=name,
            note=words or f"{assessment.accident.report_number} #{assessment.number}",
            by=by,
        )
    return assessment


@transaction.atomic
def refuse_assessment(*, uid: UUID, decided_by: str, note: str, by: Actor) -> Assessment:
    """The insurer says no, with its reason. Raises RuleError ``assessment.note``, ``assessment.who``, ``state.move``."""
    by.require(permissions.ACCIDENTS_WORK)
    name, words = formats.one_line(decided_by)[:60], formats.one_line(note)[:300]
    if not words:
        raise RuleError("assessment.note", _("Write why the insurer refuses."), field="note")
    if not name:
        raise RuleError("assessment.who", _("Write who decided for the insurer."), field="decided_by")
    assessment = _locked_assessment(uid, by)
    _write_answer(assessment, Z.REFUSED, name, words, by, events.ASSESSMENT_REFUSED)
    return assessment


@transaction.atomic
def mark_structural(*, line_uid: UUID, part: str, by: Actor) -> StructuralJob:
    """Says that a line repairs the body's structure: its own check comes before the final inspection (JT/T 795).

    Raises RuleError ``structure.part``, ``structure.marked`` and ``structure.line`` (ended work).
    """
    by.require(permissions.STRUCTURE_MARK)
    if part not in StructurePart.values:
        raise RuleError("structure.part", _("Choose what of the structure it is."), field="part")
    line = locked_line(line_uid, by)
    if line.state in (L.INSPECTED, L.CANCELLED, L.WITHDRAWN, L.DECLINED):
        raise RuleError("structure.line", _("This item is inspected or ended already."))
    if known := StructuralJob.objects.filter(line=line).first():
        raise RuleError("structure.marked", _("This item is marked as structural already."), held_by=known)
    job = StructuralJob.objects.create(line=line, part=part, marked_at=clock.now(), marked_by=by.user)
    record(job, events.STRUCTURE_MARKED, by=by, store_id=line.order.store_id, line=line.uid, part=part)
    return job


@transaction.atomic
def check_structure(*, job_uid: UUID, result: str, findings: str, by: Actor) -> StructureCheck:
    """Writes down the check of a finished structural repair: what was measured, within tolerance or not.

    Raises RuleError ``structure.result``, ``structure.findings`` and ``structure.check`` (not done yet, or by a worker).
    """
    by.require(permissions.STRUCTURE_CHECK)
    inspector = require_employee(by)
    words = findings.strip()[:500]
    if result not in StructureResult.values:
        raise RuleError("structure.result", _("Choose the result."), field="result")
    if not words:
        raise RuleError("structure.findings", _("Write down what was measured."), field="findings")
    line_uid = StructuralJob.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=job_uid)
    line = locked_line(line_uid, by)
    job = StructuralJob.objects.locked().get(uid=job_uid)
    job.line = line
    if line.state != L.COMPLETED or Clocking.objects.filter(line=line, employee=inspector).exists():
        raise RuleError(
            "structure.check", _("The structure is checked after its repair, by somebody who didn't work on it.")
        )
    check = StructureCheck.objects.create(job=job, result=result, findings=words, inspector=inspector, at=clock.now())
    record(check, events.STRUCTURE_CHECKED, by=by, store_id=line.order.store_id, line=line.uid, result=result)
    return check
