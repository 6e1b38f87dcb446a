"""Repair orders and their lines: opened, priced, sent to the customer, changed, withdrawn (3.2).

Lock order (design 5): visit, order, lines by key, stock. A command locks the order first, so that writing a line and
sending the estimate run one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, Part, PartKind, PayType, RepairCategory
from dealership.catalogue.selectors.items import default_diagnosis, usual_parts
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import core_charge, labor_rate, price_operation, price_part
from dealership.kernel import clock, formats, limits, saying
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import one_statement, record
from dealership.kernel.models import Approval, ApprovalState, Store
from dealership.kernel.money import ZERO, line_amount, round_money
from dealership.kernel.numbering import next_number
from dealership.kernel.postgres.kept import Kept, forget, insert
from dealership.kernel.saying import say_plate
from dealership.kernel.services import ask_approval, store_file
from dealership.kernel.states import require
from reception.models import Customer, CustomerContact, QuotationLine, ToldBy, Visit, VisitState
from reception.pictures import clean_picture
from reception.services import telling
from reception.services.customers import hold_customers
from reception.services.visits import admit_visit, promise_visit, write_promise
from staff.selectors.employees import require_employee
from workshop import events, permissions, rules
from workshop.limits import (
    DISCOUNT_LARGE_PERCENT,
    DISCOUNT_SMALL_PERCENT,
    ESTIMATE_HOURS,
    PART_DISCOUNT_LARGE_PERCENT,
    PART_DISCOUNT_SMALL_PERCENT,
)
from workshop.models import (
    AGREED,
    LINE_MOVES,
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Clocking,
    Estimate,
    LineHold,
    LinePhoto,
    LineState,
    OrderKind,
    OrderLine,
    OrderStage,
    PartLine,
    PromiseChange,
    PromiseTold,
    ReassemblyAnswer,
    RepairOrder,
)
from workshop.package_models import OrderPackage
from workshop.promise_models import PromiseTelling
from workshop.selectors.accidents import accident_of, customer_pays
from workshop.selectors.apart import lying_apart
from workshop.selectors.contracts import contract_content
from workshop.selectors.entitled import deciders_of
from workshop.selectors.goodwill import waiting_for_goodwill
from workshop.selectors.payers import waiting_for_payer
from workshop.selectors.promises import proposed_in, with_asked
from workshop.selectors.quoted import quoted_operation
from workshop.selectors.same_work import same_line
from workshop.selectors.standing import covered_in_advance
from workshop.standing_models import StandingConsent
from workshop.warranty_claim_models import TO_BE_SUBMITTED, WarrantyClaimLine

L = LineState
NOT_REQUIRED = (PayType.WARRANTY, PayType.INTERNAL, PayType.SERVICE_CONTRACT, PayType.GOODWILL)
"""Who pays here has agreed beforehand; the customer is told but not asked. Goodwill is approved line by line."""
PAYER_OF_KIND = {
    OrderKind.CUSTOMER: PayType.CUSTOMER_PAY,
    OrderKind.WARRANTY: PayType.WARRANTY,
    OrderKind.INSURANCE: PayType.INSURANCE,
    OrderKind.REWORK: PayType.INTERNAL,
    OrderKind.INTERNAL: PayType.INTERNAL,
}
DISCOUNT = "workshop.discount"
PART_DISCOUNT = "workshop.part_discount"
MOST_PHOTOS = 12
FINISHED = (L.COMPLETED, L.INSPECTED)
"""States of work that is done: it is inspected and settled, no longer ended."""
BEFORE_WITHDRAWAL: list[Callable[[OrderLine, Actor], None]] = []
"""What the workshop and the parts shelf do before a line is withdrawn or an agreement taken back: plans and reserved
parts are given back. Each is called with the locked line; a refusal of one (RuleError) refuses the withdrawal."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Marks a field that a change leaves as it is."""


SAME = Unchanged()


def locked_order(uid: UUID, by: Actor, *, living: bool = True) -> RepairOrder:
    """The order, locked. Raises RuleError ``order.ended`` where it is settled, closed or withdrawn and ``living``."""
    order = (
        RepairOrder.objects.for_actor(by).locked().select_related("store", "visit", "vehicle", "customer").get(uid=uid)
    )
    if living and (order.settled_at or order.closed_at or order.withdrawn_at):
        raise RuleError(
            "order.ended", _("Order %(number)s is %(stage)s; nothing can be added or changed."),
            number=order.number, stage=order.get_stage_display(),
        )  # fmt: skip
    return order


def locked_line(uid: UUID, by: Actor, *, living: bool = True) -> OrderLine:
    """The line with its order, both locked, the order first."""
    order_uid = OrderLine.objects.for_actor(by).values_list("order__uid", flat=True).get(uid=uid)
    order = locked_order(order_uid, by, living=living)
    line = OrderLine.objects.locked().select_related("operation").get(uid=uid)
    line.order = order
    return line


def line_total(line: OrderLine) -> Decimal:
    """Labour after discount, parts and the other fee of one line, CNY with VAT."""
    return rules.line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)


# --- opening ---


@transaction.atomic
def open_repair_order(
    *,
    visit_uid: UUID,
    complaint: str,
    by: Actor,
    kind: str = OrderKind.CUSTOMER,
    promised_at: datetime | None = None,
    payer_uid: UUID | None = None,
    original_uid: UUID | None = None,
    with_diagnosis: bool = True,
    operation_uids: list[UUID] | None = None,
    diagnosis_agreed_by: str = "",
    signature: bytes | None = None,
    signed_on_paper: bool = False,
) -> RepairOrder:
    """Opens an order for a received car; it begins with the diagnosis, itself priced (3.2).

    ``operation_uids`` are written as lines at once (what was booked). ``diagnosis_agreed_by`` names who agreed to the
    diagnosis at the desk, with the drawn ``signature`` or ``signed_on_paper``: the line is authorised then and there.
    Raises RuleError ``order.complaint``, ``order.visit`` (car not received or gone), ``order.original``,
    ``order.payer``, ``authorization.signature`` (a typed name alone is no paper) and ``authorization.who``.
    """
    by.require(permissions.ORDERS_OPEN)
    words = complaint.strip()
    if not words:
        raise RuleError("order.complaint", _("Write down what the customer says."), field="complaint")
    hold_customers(uids=[payer_uid] if payer_uid else [], visit_uid=visit_uid)
    visit = _visit.first(by=by, uid=visit_uid)
    if visit is None:
        raise Visit.DoesNotExist
    if visit.state == VisitState.IN_RECEPTION:
        admit_visit(visit=visit, by=by)
        visit.refresh_from_db(fields=["state", "version"])
    if visit.state != VisitState.IN_SHOP:
        raise RuleError(
            "order.visit", _("A repair order needs a car that was received and has signed its walk-around (2.1.2).")
        )
    original = None
    if kind == OrderKind.REWORK:
        if original_uid is None:
            raise RuleError("order.original", _("Rework names the order it mends."), field="original")
        original = RepairOrder.objects.for_actor(by).get(uid=original_uid)
        if original.vehicle_id != visit.vehicle_id:
            raise RuleError("order.original", _("That order belongs to another car."), field="original")
    payer = Customer.objects.for_actor(by).standing(payer_uid) if payer_uid else visit.customer
    if kind == OrderKind.INSURANCE and payer.pk == visit.customer_id:
        raise RuleError(
            "order.payer",
            _(
                "An insurance order names the insurer who pays. Where the customer pays and claims it back, open a "
                "customer order."
            ),
            field="payer",
        )
    order = insert(
        RepairOrder(
            store=visit.store,
            number=next_number(visit.store, "RO"),
            visit=visit,
            customer=payer,
            vehicle=visit.vehicle,
            kind=kind,
            original=original,
            advisor_id=visit.advisor_id,  # type: ignore[misc]  # a greeted visit has one; the column demands it
            complaint=words[:500],
            promised_at=promised_at or _standing_promise(visit),
            opened_at=clock.now(),
        )
    )
    with one_statement(by=by):
        _begin(
            order,
            promised_at=promised_at,
            with_diagnosis=with_diagnosis,
            operation_uids=operation_uids or [],
            agreed_by=diagnosis_agreed_by.strip(),
            signature=signature,
            on_paper=signed_on_paper,
            by=by,
        )
    forget(order, "stage", "version", "updated_at")  # the lines have moved it
    return order


def _standing_promise(visit: Visit) -> datetime | None:
    """The visit's promise while it can be kept: one that has passed is nothing to begin new work with (3.2)."""
    return visit.promised_at if visit.promised_at is not None and visit.promised_at > clock.now() else None


_visit: Kept[Visit] = Kept(
    lambda by, uid: Visit.objects.for_actor(by).filter(uid=uid).locked().select_related("customer", "vehicle", "store"),
    by=Actor,
    uid=UUID,
)


def _begin(
    order: RepairOrder,
    *,
    promised_at: datetime | None,
    with_diagnosis: bool,
    operation_uids: list[UUID],
    agreed_by: str,
    signature: bytes | None,
    on_paper: bool,
    by: Actor,
) -> None:
    """The new order's promise, its diagnosis and what was booked."""
    visit, kind = order.visit, order.kind
    if promised_at is not None and visit.promised_at is None and promised_at > clock.now():
        promise_visit(
            uid=visit.uid,
            promised_at=promised_at,
            reason=gettext("Agreed when the order was opened"),
            told=ToldBy.IN_PERSON,
            by=by,
        )
    record(order, events.ORDER_OPENED, by=by, changed={"stage": (None, order.stage)}, kind=kind, number=order.number)
    pay_type = PAYER_OF_KIND[OrderKind(kind)]
    diagnosis = default_diagnosis(visit.vehicle.powertrain) if with_diagnosis else None
    if diagnosis is not None:
        line = _write_line(order, operation=diagnosis, pay_type=pay_type, complaint=order.complaint, position=1, by=by)
        if agreed_by:
            _agree_at_desk(line, name=agreed_by, signature=signature, on_paper=on_paper, by=by)
    booked = Operation.objects.filter(uid__in=operation_uids, active=True).order_by("code") if operation_uids else ()
    for operation in booked:
        if diagnosis is None or operation.pk != diagnosis.pk:
            _write_line(order, operation=operation, pay_type=pay_type, by=by)


def _agree_at_desk(line: OrderLine, *, name: str, signature: bytes | None, on_paper: bool, by: Actor) -> None:
    """The diagnosis is agreed to where the order is opened, at its named price (3.2)."""
    if line.pay_type in NOT_REQUIRED:
        if waiting_for_payer(line.order, [line]):
            raise payer_not_granted(line)
        authorize_unasked(line, by=by)
        return
    refuse_unsigned(signature, on_paper=on_paper, field="diagnosis_agreed_by")
    people = deciders_of(line.order)
    entitled, contact = people.entitle(name, line_total(line))
    if not entitled:
        raise RuleError(
            "authorization.who",
            _("%(name)s may not decide for %(payer)s; these may: %(names)s."),
            field="diagnosis_agreed_by",
            name=name,
            payer=line.order.customer.name,
            names=saying.say_list(people.names) or "–",
        )
    kept = (
        store_file(
            content=signature,
            name="signature.png",
            store_id=line.order.store_id,
            by=by,
            visit_uid=line.order.visit.uid,
        )
        if signature
        else None
    )
    method = (
        AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE if kept else AuthorizationMethod.IN_PERSON_PHYSICAL_SIGNATURE
    )
    write_decision(
        line,
        status=AuthorizationStatus.APPROVED,
        method=method,
        authorized_by=name,
        contact=contact,
        signature=kept,
        by=by,
    )


def refuse_unsigned(signature: bytes | None, *, on_paper: bool, field: str) -> None:
    """3.2: a typed name is neither a signature nor a paper. Raises RuleError ``authorization.signature``."""
    if not signature and not on_paper:
        raise RuleError(
            "authorization.signature",
            _("Let the customer sign here, or tick that it was signed on paper."),
            field=field,
        )


# --- lines ---


def _write_line(
    order: RepairOrder,
    *,
    by: Actor,
    operation: Operation | None = None,
    description: str = "",
    hours: Decimal | None = None,
    pay_type: str = PayType.CUSTOMER_PAY,
    category: str | None = None,
    parts: list[tuple[UUID, Decimal]] | None = None,
    is_addition: bool = False,
    complaint: str = "",
    cause: str = "",
    cause_due: dict[str, Any] | None = None,
    extra_minutes: int = 0,
    is_safety: bool | None = None,
    fee_amount: Decimal = ZERO,
    fee_note: str = "",
    is_dismantling: bool = False,
    reassembly_amount: Decimal | None = None,
    found_by: OrderLine | None = None,
    package: OrderPackage | None = None,
    position: int = 0,
) -> OrderLine:
    """One line with its parts at today's prices, or at quoted ones that bind the shop and aren't dearer (2.2.2).

    The caller holds the order's lock or has just made it. ``position`` 0: after the last one.
    """
    quoted = None
    if operation is not None and hours is None:
        fit_hours([operation], order.vehicle.model_id)
    if operation is not None and pay_type == PayType.CUSTOMER_PAY and hours is None and parts is None:
        quoted = quoted_line(order, operation)
    rate = quoted.rate if quoted else labor_rate(order.store_id, pay_type)
    _require_fee(fee_amount, fee_note)
    looks = bool(operation and operation.is_diagnosis)
    reassembly = _reassembly(reassembly_amount, is_diagnosis=looks, is_dismantling=is_dismantling)
    usual = quoted.hours if quoted else (operation.hours if operation else ZERO)
    real_hours = round_money(hours if hours is not None else usual)
    position = position or (order.lines.aggregate(last=Max("position"))["last"] or 0) + 1
    line = OrderLine(
        order=order,
        position=position,
        operation=operation,
        description=(description.strip() or (operation.name if operation else ""))[:120],
        category=category or (operation.category if operation else RepairCategory.MINOR),
        pay_type=pay_type,
        hours=real_hours,
        rate=rate,
        labor_amount=rules.labor_amount(real_hours, rate),
        is_diagnosis=looks,
        is_dismantling=is_dismantling,
        reassembly_amount=reassembly,
        found_by=found_by,
        package=package,
        is_addition=is_addition,
        is_safety=bool(operation and operation.is_safety) if is_safety is None else is_safety,
        extra_minutes=extra_minutes,
        complaint=complaint.strip()[:300],
        cause=cause.strip()[:300],
        cause_due=cause_due,
        fee_amount=round_money(fee_amount),
        fee_note=formats.one_line(fee_note)[:60] if fee_amount else "",
        quoted=quoted,
    )
    insert(line)
    if quoted is not None:
        wanted = [(p.part, p.quantity) for p in quoted.parts.select_related("part").order_by("id")]
    elif parts is None and operation is not None:
        wanted = [(need.part, need.quantity) for need in usual_parts(operation_id=operation.pk)]
    else:
        found = {p.uid: p for p in Part.objects.filter(uid__in=[uid for uid, _n in parts or []], active=True)}
        if len(found) != len({uid for uid, _n in parts or []}):
            raise RuleError("part.unknown", _("That part isn't in the catalogue any more."), field="parts")
        wanted = [(found[uid], quantity) for uid, quantity in parts or []]
    written = [_write_part(line, part=part, quantity=quantity, kind=part.kind) for part, quantity in wanted]
    record(
        line,
        events.LINE_ADDED,
        by=by,
        store_id=order.store_id,
        operation=operation.code if operation else None,
        pay_type=pay_type,
        amount=rules.line_total(line.labor_amount, [p.amount for p in written], line.fee_amount),
        parts=[p.part.uid for p in written] or None,
        is_addition=is_addition,
        quotation=quoted.quotation.uid if quoted else None,
        reassembly_amount=line.reassembly_amount if line.takes_apart else None,
        found_by=found_by.uid if found_by else None,
    )
    return line


write_line = _write_line
"""For commands beside this module that write lines of an order they hold."""


def quoted_line(order: RepairOrder, operation: Operation) -> QuotationLine | None:
    """The quoted price of an operation that binds the shop for this order and isn't dearer than today's (2.2.2).

    A line of the quotation is honoured once; one whose order line was taken off, withdrawn or declined is free again.
    """
    today = clock.today(order.store.time_zone)
    found = min(quoted_operation(order, operation.pk, today), key=_whole, default=None)
    if found is None:
        return None
    try:
        live = price_operation(operation, order.store_id, PayType.CUSTOMER_PAY, today).amount + sum(
            (
                line_amount(n.quantity, price_part(n.part, order.store_id, today))
                for n in operation.parts.select_related("part")
            ),
            ZERO,
        )
    except RuleError:  # no price today: the quoted one is the only one
        return found
    return found if _whole(found) <= live else None


def _whole(row: QuotationLine) -> Decimal:
    return row.amount + sum((p.amount for p in row.parts.all()), ZERO)


def _reassembly(amount: Decimal | None, *, is_diagnosis: bool, is_dismantling: bool) -> Decimal | None:
    """3.2: what putting together again costs if the repair is declined. Who only looks takes nothing apart: 0."""
    if amount is None:
        return ZERO if is_diagnosis and not is_dismantling else None
    if amount < 0:
        raise RuleError("line.reassembly", _("This price isn't negative."), field="reassembly_amount")
    if not is_diagnosis and not is_dismantling:
        raise RuleError(
            "line.reassembly",
            _("Only a diagnosis, or what takes something apart, states what putting it together again costs."),
            field="reassembly_amount",
        )
    return round_money(amount)


def no_reassembly(said: str, line: OrderLine | None = None) -> RuleError:
    """3.2: the customer agrees to the price of putting together again with the taking apart, so it is stated before."""
    return RuleError(
        "line.reassembly",
        _("“%(line)s” takes something apart: say what putting it together again costs if the repair is declined."),
        field="reassembly_amount",
        held_by=line,
        line=said,
    )


def _require_fee(amount: Decimal, note: str) -> None:
    """L12: a fee beside labour and parts (outside work, towing, a test) is named, and agreed to with its line."""
    if amount < 0:
        raise RuleError("line.fee", _("A fee isn't negative."), field="fee_amount")
    if amount > 0 and not note.strip():
        raise RuleError("line.fee", _("Say what the other fee is for."), field="fee_note")


@transaction.atomic
def add_line(
    *,
    order_uid: UUID,
    by: Actor,
    operation_uid: UUID | None = None,
    description: str = "",
    hours: Decimal | None = None,
    pay_type: str | None = None,
    category: str | None = None,
    parts: list[tuple[UUID, Decimal]] | None = None,
    is_addition: bool | None = None,
    complaint: str = "",
    cause: str = "",
    cause_due: dict[str, Any] | None = None,
    extra_minutes: int = 0,
    is_safety: bool | None = None,
    fee_amount: Decimal = ZERO,
    fee_note: str = "",
    is_dismantling: bool = False,
    reassembly_amount: Decimal | None = None,
    found_by_uid: UUID | None = None,
    although_there: bool = True,
) -> OrderLine:
    """Writes a line: an operation of the catalogue (which brings its parts where ``parts`` is None) or free words.

    A line written after the customer has agreed to work beyond the diagnosis is an addition: it waits for its own yes
    and stops no agreed work (3.2). ``fee_amount`` (CNY with VAT) is what costs besides labour and parts, named by
    ``fee_note``. What takes something apart (``is_dismantling``, or a diagnosis) states by ``reassembly_amount`` (CNY with
    VAT) what putting it together again costs if the repair is declined; ``cause_due`` are the facts of the due list
    behind ``cause``, from which it is said in another language (3.1); ``found_by_uid`` names the line that was taken
    apart to find this work. Raises RuleError ``line.description``, ``line.hours``, ``line.fee``, ``line.reassembly``,
    ``line.found_by``, ``line.there`` (not ``although_there``: the same work stands on the order) and ``order.ended``.
    """
    if not by.may(permissions.LINES_EDIT):
        by.require(permissions.LINES_PROPOSE)
    order = locked_order(order_uid, by)
    operation = Operation.objects.get(uid=operation_uid, active=True) if operation_uid else None
    if operation is None and not description.strip():
        raise RuleError("line.description", _("Choose an operation or describe the work."), field="description")
    if hours is not None and hours < 0:
        raise RuleError("line.hours", _("Hours are not negative."), field="hours")
    if not although_there:
        _refuse_twice(order, operation, description)
    if is_addition is None:
        agreed = order.lines.filter(state__in=(L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED))
        is_addition = agreed.filter(is_diagnosis=False).exists()
    found_by = None
    if found_by_uid is not None:
        found_by = order.lines.filter(uid=found_by_uid).first()
        if found_by is None or not found_by.takes_apart:
            raise RuleError(
                "line.found_by", _("Choose a line of this order that takes something apart."), field="found_by"
            )
    return _write_line(
        order,
        by=by,
        operation=operation,
        description=description,
        hours=hours,
        pay_type=pay_type or PAYER_OF_KIND[OrderKind(order.kind)],
        category=category,
        parts=parts,
        is_addition=is_addition,
        complaint=complaint,
        cause=cause,
        cause_due=cause_due,
        extra_minutes=extra_minutes,
        is_safety=is_safety,
        fee_amount=fee_amount,
        fee_note=fee_note,
        is_dismantling=is_dismantling,
        reassembly_amount=reassembly_amount,
        found_by=found_by,
    )


def _refuse_twice(order: RepairOrder, operation: Operation | None, description: str) -> None:
    there = same_line(order.lines.order_by("id"), operation=operation, names=[description])
    if there is not None:
        raise RuleError(
            "line.there",
            _(
                "“%(line)s” (%(state)s) stands on the order already; nothing was added. Tick this only if it comes on top."
            ),
            field="although_there",
            line=there.said,
            state=there.get_state_display(),
        )


# --- packages: several lines at one price (3.1) ---


def refuse_packaged(line: OrderLine) -> None:
    """Raises RuleError ``package.line``: what stands at the price of a package isn't changed by itself."""
    if line.package_id is not None:
        raise RuleError(
            "package.line",
            _("This line belongs to the package “%(package)s” at one price; dissolve the package first."),
            package=line.package.said if line.package else "",
        )


def dissolve_package_of(package: OrderPackage, *, reason: str, by: Actor) -> list[OrderLine]:
    """Each line of a package gets its single price of today and is asked about by itself; RuleError ``package.agreed``.

    The caller holds the order.
    """
    order = package.order
    lines = list(OrderLine.objects.filter(package=package).locked().prefetch_related("part_lines__part").order_by("pk"))
    if any(line.state in AGREED for line in lines):
        raise RuleError("package.agreed", _("The customer has agreed to this package; its lines stay at its price."))
    for line in lines:
        line.order = order
        _draft_again(line, by=by)
        line.package, line.discount = None, ZERO
        line.labor_amount = rules.labor_amount(line.hours, line.rate)
        line.save(update_fields=["package", "discount", "labor_amount"])
        _price_parts(line)
    package.dissolved_at, package.dissolved_reason = clock.now(), reason[:200]
    package.save(update_fields=["dissolved_at", "dissolved_reason"])
    record(package, events.PACKAGE_DISSOLVED, by=by, store_id=order.store_id, lines=[line.uid for line in lines])
    return lines


def _price_parts(line: OrderLine) -> None:
    """Each part of a drafted line costs what it costs today; what the customer brings stays free."""
    for part_line in line.part_lines.select_related("part").order_by("pk"):
        if part_line.kind == PartKind.CUSTOMER_SUPPLIED:
            continue
        part_line.unit_price, part_line.discount = price_part(part_line.part, line.order.store_id), ZERO
        part_line.amount = line_amount(part_line.quantity, part_line.unit_price)
        part_line.save(update_fields=["unit_price", "amount", "discount"])


def back_to_draft(line: OrderLine, *, by: Actor) -> None:
    """A line the customer was asked about is taken back, so that it may be changed and sent anew; a package as a whole."""
    if line.package_id is not None and line.state in (L.PENDING, L.DECLINED):
        others = OrderLine.objects.filter(package_id=line.package_id, state__in=(L.PENDING, L.DECLINED))
        for other in others.exclude(pk=line.pk).locked().order_by("pk"):
            other.order = line.order
            _draft_again(other, by=by)
    _draft_again(line, by=by)


def _draft_again(line: OrderLine, *, by: Actor) -> None:
    if line.state == L.DRAFT:
        return
    if line.state not in (L.PENDING, L.DECLINED):
        raise RuleError(
            "line.agreed",
            _("The customer has agreed to “%(line)s”; withdraw it or write another line."),
            line=line.said,
        )
    before, line.state = line.state, L.DRAFT
    line.declined_reason, line.declined_cause = "", ""
    line.save(update_fields=["state", "declined_reason", "declined_cause"])
    record(line, events.LINE_CHANGED, by=by, store_id=line.order.store_id, changed={"state": (before, line.state)})


@transaction.atomic
def change_line(
    *,
    line_uid: UUID,
    by: Actor,
    description: str | Unchanged = SAME,
    hours: Decimal | Unchanged = SAME,
    pay_type: str | Unchanged = SAME,
    category: str | Unchanged = SAME,
    is_safety: bool | Unchanged = SAME,
    extra_minutes: int | Unchanged = SAME,
    fee_amount: Decimal | Unchanged = SAME,
    fee_note: str | Unchanged = SAME,
    is_dismantling: bool | Unchanged = SAME,
    reassembly_amount: Decimal | Unchanged | None = SAME,
    complaint: str | Unchanged = SAME,
    cause: str | Unchanged = SAME,
    correction: str | Unchanged = SAME,
) -> OrderLine:
    """Changes a line. Work, hours and payer only before the customer's yes: an asked line goes back to draft (3.2).

    Another payer alone also after the yes, while nothing is begun: that yes was the other payer's, so the line is asked
    again (``line.begun`` afterwards). Complaint, cause and correction may be written until the line is settled.
    """
    by.require(permissions.LINES_EDIT)
    line = locked_line(line_uid, by)
    priced = {
        "description": description.strip() if isinstance(description, str) else description,
        "hours": round_money(hours) if isinstance(hours, Decimal) else hours,
        "pay_type": pay_type,
        "category": category,
        "is_safety": is_safety,
        "extra_minutes": extra_minutes,
        "fee_amount": round_money(fee_amount) if isinstance(fee_amount, Decimal) else fee_amount,
        "fee_note": formats.one_line(fee_note)[:60] if isinstance(fee_note, str) else fee_note,
        "is_dismantling": is_dismantling,
        "reassembly_amount": reassembly_amount,
    }
    if not isinstance(is_dismantling, Unchanged) or not isinstance(reassembly_amount, Unchanged):
        apart = line.is_dismantling if isinstance(is_dismantling, Unchanged) else is_dismantling
        stated = line.reassembly_amount if isinstance(reassembly_amount, Unchanged) else reassembly_amount
        if isinstance(reassembly_amount, Unchanged) and not apart and not line.is_diagnosis:
            stated = None  # it takes nothing apart any more
        priced["reassembly_amount"] = _reassembly(stated, is_diagnosis=line.is_diagnosis, is_dismantling=apart)
    told = {"complaint": complaint, "cause": cause, "correction": correction}
    new: dict[str, Any] = {k: v for k, v in priced.items() if not isinstance(v, Unchanged) and v != getattr(line, k)}
    words = {k: str(v).strip()[:300] for k, v in told.items() if not isinstance(v, Unchanged) and v != getattr(line, k)}
    if new.get("description") == "":
        raise RuleError("line.description", _("Choose an operation or describe the work."), field="description")
    if "hours" in new and new["hours"] < 0:
        raise RuleError("line.hours", _("Hours are not negative."), field="hours")
    _require_fee(new.get("fee_amount", line.fee_amount), new.get("fee_note", line.fee_note))
    if not new and not words:
        raise RuleError("line.unchanged", _("Nothing was changed."))
    if new:
        refuse_packaged(line)
    if line.state == L.AUTHORIZED and new.keys() == {"pay_type"}:
        _ask_other_payer(line, by=by)
    elif new:
        back_to_draft(line, by=by)
    free = ("description", "fee_note")
    changed = {name: (getattr(line, name), value) for name, value in new.items() if name not in free}
    before, gross = line.labor_amount, line_amount(line.hours, line.rate)
    for name, value in (new | words).items():
        setattr(line, name, value)
    assessed = "pay_type" in new and bool(line.discount_kind)
    if assessed:  # the insurer's assessment doesn't make it cheaper for anybody else
        line.discount, line.discount_kind = ZERO, ""
    if "pay_type" in new:
        kept = line.quoted if line.pay_type == PayType.CUSTOMER_PAY else None
        line.rate = kept.rate if kept else labor_rate(line.order.store_id, line.pay_type)
    if "hours" in new or "pay_type" in new:
        line.discount = rules.same_discount(line.discount, gross, line_amount(line.hours, line.rate))
        line.labor_amount = rules.labor_amount(line.hours, line.rate, line.discount)
        changed["labor_amount"] = (before, line.labor_amount)
    asked_again = line.authorized_amount is not None and line.state == L.DRAFT
    if asked_again:
        line.authorized_amount = None
    line.save(
        update_fields=[
            *new, *words, "rate", "discount", "labor_amount", "discount_kind",
            *(["state", "authorized_amount"] if asked_again else []),
        ]
    )  # fmt: skip
    if assessed:
        _price_parts(line)
    record(
        line,
        events.LINE_CHANGED,
        by=by,
        store_id=line.order.store_id,
        changed=changed | ({"state": (L.AUTHORIZED, L.DRAFT)} if asked_again else {}),
        words=sorted([*words, *(set(free) & new.keys())]) or None,
    )
    return line


def _ask_other_payer(line: OrderLine, *, by: Actor) -> None:
    """3.2: plans and reserved parts are given back, the yes is taken back on record; the caller writes the line."""
    if (
        Clocking.objects.filter(line=line).exists()
        or PartLine.objects.filter(line=line, issued_quantity__gt=0).exists()
    ):
        raise RuleError(
            "line.begun",
            _("Work on “%(line)s” has begun; withdraw it instead and settle what was done."),
            line=line.description,
        )
    for give_back in BEFORE_WITHDRAWAL:
        give_back(line, by)
    LineHold.objects.filter(line=line, ended_at__isnull=True).update(ended_at=clock.now())
    last = line.authorizations.exclude(status=AuthorizationStatus.NOT_ENTITLED).order_by("-id").first()
    Authorization.objects.create(
        order=line.order,
        line=line,
        estimate=last.estimate if last else None,
        status=AuthorizationStatus.REVOKED,
        method=AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION,
        amount=line_total(line),
        authorized_by=last.authorized_by if last else "",
        at=clock.now(),
    )
    line.state = L.DRAFT


@transaction.atomic
def cancel_line(*, line_uid: UUID, reason: str, by: Actor) -> OrderLine:
    """Takes a line off that nobody agreed to (a slip of the pen, the customer isn't asked any more)."""
    by.require(permissions.LINES_EDIT)
    line = locked_line(line_uid, by)
    require(LINE_MOVES, L(line.state), L.CANCELLED)
    if not reason.strip():
        raise RuleError("line.reason", _("Say why the line is taken off."), field="reason")
    if line.package is not None:  # the others cost their single prices again
        package = line.package
        package.order = line.order
        dissolve_package_of(package, reason=reason.strip(), by=by)
        order = line.order
        line = OrderLine.objects.select_related("operation").get(pk=line.pk)
        line.order = order
    before, line.state = line.state, L.CANCELLED
    line.declined_reason = reason.strip()[:200]
    line.save(update_fields=["state", "declined_reason"])
    record(line, events.LINE_CANCELLED, by=by, store_id=line.order.store_id, changed={"state": (before, line.state)})
    return line


@transaction.atomic
def add_line_photo(*, line_uid: UUID, content: bytes, by: Actor) -> LinePhoto:
    """Keeps a picture that shows why a line is offered; the customer sees it beside the price (domain 3.3).

    After the settlement too, while a claim to the maker waits for it (3.2). Raises RuleError ``file.kind`` for what is no
    picture, ``line.photos`` above twelve of one line and ``order.ended``.
    """
    if not by.may(permissions.LINES_EDIT):
        by.require(permissions.LINES_PROPOSE)
    claimed = WarrantyClaimLine.objects.filter(line__uid=line_uid, live=True, claim__state__in=TO_BE_SUBMITTED)
    line = locked_line(line_uid, by, living=not claimed.exists())
    if line.photos.count() >= MOST_PHOTOS:
        raise RuleError("line.photos", _("Twelve photos of one item are enough."), field="photos")
    kept = store_file(
        content=clean_picture(content),
        name="line.jpg",
        store_id=line.order.store_id,
        by=by,
        visit_uid=line.order.visit.uid,
    )
    photo = LinePhoto.objects.create(line=line, file=kept, taken_at=clock.now())
    record(line, events.LINE_PICTURED, by=by, store_id=line.order.store_id, photo=photo.uid, sha256=kept.sha256)
    return photo


@transaction.atomic
def add_line_photos(*, line_uid: UUID, contents: Sequence[bytes], by: Actor) -> OrderLine:
    """Several pictures of one line at once, all or none. Raises RuleError ``line.photos`` where there is none, and as
    ``add_line_photo``."""
    if not contents:
        raise RuleError("line.photos", _("Choose or take a photo first."), field="photos")
    kept = [add_line_photo(line_uid=line_uid, content=content, by=by) for content in contents]
    return kept[0].line


# --- parts on lines ---


def _write_part(line: OrderLine, *, part: Part, quantity: Decimal, kind: str) -> PartLine:
    if quantity <= 0:
        raise RuleError("part.quantity", _("A quantity is more than nothing."), field="quantity")
    own = kind == PartKind.CUSTOMER_SUPPLIED
    kept = (
        line.quoted.parts.filter(part=part).first() if line.quoted and line.pay_type == PayType.CUSTOMER_PAY else None
    )
    price = ZERO if own else (kept.unit_price if kept else price_part(part, line.order.store_id))
    return PartLine.objects.create(
        line=line,
        part=part,
        kind=kind,
        quantity=quantity,
        unit_price=price,
        amount=line_amount(quantity, price),
        core_price=ZERO if own or line.pay_type != PayType.CUSTOMER_PAY else core_charge(part, line.order.store_id),
    )


@transaction.atomic
def add_part(*, line_uid: UUID, part_uid: UUID, quantity: Decimal, by: Actor, kind: str | None = None) -> PartLine:
    """Puts a part on a line at today's price; a part the customer brings costs nothing and has no guarantee (3.2).

    A line the customer was asked about goes back to draft; on an agreed line RuleError ``line.agreed``.
    """
    by.require(permissions.LINES_EDIT)
    line = locked_line(line_uid, by)
    refuse_packaged(line)
    part = Part.objects.get(uid=part_uid, active=True)
    back_to_draft(line, by=by)
    part_line = _write_part(line, part=part, quantity=quantity, kind=kind or part.kind)
    record(
        part_line,
        events.PART_ADDED,
        by=by,
        store_id=line.order.store_id,
        part=part.uid,
        kind=part_line.kind,
        quantity=quantity,
        amount=part_line.amount,
    )
    return part_line


def reprice_part(part_line: PartLine, before: Decimal) -> None:
    """The sum of a part whose quantity or price changed; ``before`` is its price without discount until then. The
    discount never grows by it, in yuan or in per cent. The caller saves ``amount`` and ``discount``."""
    gross = line_amount(part_line.quantity, part_line.unit_price)
    part_line.discount = rules.same_discount(part_line.discount, before, gross)
    part_line.amount = gross - part_line.discount


def _part_of(part_line_uid: UUID, by: Actor) -> tuple[OrderLine, PartLine]:
    line_uid = PartLine.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=part_line_uid)
    line = locked_line(line_uid, by)
    part_line = PartLine.objects.locked().select_related("part").get(uid=part_line_uid)
    part_line.line = line
    return line, part_line


@transaction.atomic
def change_part(*, part_line_uid: UUID, quantity: Decimal, by: Actor) -> PartLine:
    """Changes how much of a part a line needs, before the customer's yes."""
    by.require(permissions.LINES_EDIT)
    line, part_line = _part_of(part_line_uid, by)
    refuse_packaged(line)
    if quantity <= 0:
        raise RuleError("part.quantity", _("A quantity is more than nothing."), field="quantity")
    back_to_draft(line, by=by)
    before, part_line.quantity = part_line.quantity, quantity
    reprice_part(part_line, line_amount(before, part_line.unit_price))
    part_line.save(update_fields=["quantity", "amount", "discount"])
    record(
        part_line,
        events.PART_CHANGED,
        by=by,
        store_id=line.order.store_id,
        changed={"quantity": (before, quantity)},
        amount=part_line.amount,
    )
    return part_line


@transaction.atomic
def remove_part(*, part_line_uid: UUID, by: Actor) -> OrderLine:
    """Takes a part off a line, before the customer's yes."""
    by.require(permissions.LINES_EDIT)
    line, part_line = _part_of(part_line_uid, by)
    refuse_packaged(line)
    back_to_draft(line, by=by)
    if part_line.reserved_quantity > 0:
        raise RuleError("part.reserved", _("This part is reserved; give it back to the shelf first."))
    record(part_line, events.PART_REMOVED, by=by, store_id=line.order.store_id, part=part_line.part.uid)
    part_line.delete()
    return line


# --- discounts ---


def allowed_percent(by: Actor, store_id: int) -> int:
    """Per cent of the labour this actor may take off alone (3.2)."""
    if by.may(permissions.DISCOUNT_LARGE):
        return limits.value(DISCOUNT_LARGE_PERCENT, store_id=store_id)
    if by.may(permissions.DISCOUNT_SMALL):
        return limits.value(DISCOUNT_SMALL_PERCENT, store_id=store_id)
    return 0


@transaction.atomic
def discount_line(*, line_uid: UUID, amount: Decimal, reason: str, by: Actor) -> OrderLine | Approval:
    """Takes ``amount`` (CNY) off a line's labour, before the customer's yes (3.2).

    Within the limit of the post it is done and the line is returned; above it an approval is asked and returned, and
    the discount is given when somebody else approves.
    """
    by.require(permissions.DISCOUNT_SMALL)
    line = locked_line(line_uid, by)
    gross = line_amount(line.hours, line.rate)
    if amount < 0 or amount > gross:
        raise RuleError(
            "discount.amount",
            _("A discount lies between nothing and the labour of the line, ¥%(gross)s."),
            field="amount",
            gross=saying.say_money(gross, sign=False),
        )
    if not reason.strip():
        raise RuleError("discount.reason", _("Say why the discount is given."), field="reason")
    if line.state not in (L.DRAFT, L.PENDING, L.DECLINED):
        raise RuleError(
            "line.agreed",
            _("The customer has agreed to “%(line)s”; withdraw it or write another line."),
            line=line.said,
        )
    refuse_packaged(line)
    if line.reassembles_id is not None:
        raise RuleError("line.agreed", _("This price was agreed together with the taking apart and stays."))
    if rules.discount_percent(amount, gross) > allowed_percent(by, line.order.store_id) and amount > 0:
        return ask_approval(
            kind=DISCOUNT,
            root=line,
            store=line.order.store,
            reason=reason,
            amount=amount,
            visit_uid=line.order.visit.uid,
            by=by,
        )
    _apply_discount(line, amount, by=by)
    return line


def _apply_discount(line: OrderLine, amount: Decimal, *, by: Actor) -> None:
    back_to_draft(line, by=by)
    before, line.discount = line.discount, round_money(amount)
    line.labor_amount = rules.labor_amount(line.hours, line.rate, line.discount)
    line.discount_by, line.discount_at, line.discount_kind = by.user, clock.now(), ""
    line.save(update_fields=["discount", "labor_amount", "discount_by", "discount_at", "discount_kind"])
    record(
        line,
        events.LINE_DISCOUNTED,
        by=by,
        store_id=line.order.store_id,
        changed={"discount": (before, line.discount)},
    )


@transaction.atomic
def give_approved_discount(*, approval: Approval) -> OrderLine | None:
    """What an approved discount does; on a line that was decided meanwhile it lapses, and history says so."""
    if approval.kind != DISCOUNT or approval.state != ApprovalState.APPROVED or approval.amount is None:
        return None
    by = machine("discounts", store_id=approval.store_id)
    line = locked_line(approval.root_uid, by, living=False)
    fits = approval.amount <= line_amount(line.hours, line.rate)
    if line.state in (L.DRAFT, L.PENDING, L.DECLINED) and fits:
        if line.discount != approval.amount:
            _apply_discount(line, approval.amount, by=by)
    else:
        record(line, events.DISCOUNT_LAPSED, by=by, store_id=approval.store_id, amount=approval.amount)
    return line


def allowed_part_percent(by: Actor, store_id: int) -> int:
    """Per cent of a part's price this actor may take off alone (3.2)."""
    if by.may(permissions.DISCOUNT_LARGE):
        return limits.value(PART_DISCOUNT_LARGE_PERCENT, store_id=store_id)
    if by.may(permissions.DISCOUNT_SMALL):
        return limits.value(PART_DISCOUNT_SMALL_PERCENT, store_id=store_id)
    return 0


@transaction.atomic
def discount_part(*, part_line_uid: UUID, amount: Decimal, reason: str, by: Actor) -> PartLine | Approval:
    """Takes ``amount`` (CNY with VAT) off the price of a part of a line, before the customer's yes (3.2).

    Within the limit of the post it is done and the part is returned; above it an approval is asked and returned, and
    the discount is given when somebody else approves. Raises RuleError ``discount.amount``, ``discount.reason``,
    ``line.agreed`` and ``package.line``; a core charge isn't discounted.
    """
    by.require(permissions.DISCOUNT_SMALL)
    line, part_line = _part_of(part_line_uid, by)
    gross = line_amount(part_line.quantity, part_line.unit_price)
    if amount < 0 or amount > gross:
        raise RuleError(
            "discount.amount",
            _("A discount lies between nothing and the price of the part, ¥%(gross)s."),
            field="amount",
            gross=saying.say_money(gross, sign=False),
        )
    if not (why := formats.one_line(reason)[:300]):
        raise RuleError("discount.reason", _("Say why the discount is given."), field="reason")
    if line.state not in (L.DRAFT, L.PENDING, L.DECLINED):
        raise RuleError(
            "line.agreed",
            _("The customer has agreed to “%(line)s”; withdraw it or write another line."),
            line=line.said,
        )
    refuse_packaged(line)
    if amount > 0 and rules.discount_percent(amount, gross) > allowed_part_percent(by, line.order.store_id):
        return ask_approval(
            kind=PART_DISCOUNT,
            root=part_line,
            store=line.order.store,
            reason=why,
            amount=amount,
            visit_uid=line.order.visit.uid,
            by=by,
        )
    _discount_part(line, part_line, amount, why, by=by)
    return part_line


def _discount_part(line: OrderLine, part_line: PartLine, amount: Decimal, reason: str, *, by: Actor) -> None:
    back_to_draft(line, by=by)
    before, part_line.discount = part_line.discount, round_money(amount)
    part_line.amount = rules.part_amount(part_line.quantity, part_line.unit_price, part_line.discount)
    part_line.discount_reason = reason if part_line.discount else ""
    part_line.discount_by, part_line.discount_at = by.user, clock.now()
    part_line.save(update_fields=["discount", "amount", "discount_reason", "discount_by", "discount_at"])
    record(
        part_line,
        events.PART_DISCOUNTED,
        by=by,
        store_id=line.order.store_id,
        changed={"discount": (before, part_line.discount)},
        line=line.uid,
        amount=part_line.amount,
    )


@transaction.atomic
def give_approved_part_discount(*, approval: Approval) -> PartLine | None:
    """What an approved discount on a part does; it lapses with a part that was taken off or a line that was decided."""
    if approval.kind != PART_DISCOUNT or approval.state != ApprovalState.APPROVED or approval.amount is None:
        return None
    by = machine("discounts", store_id=approval.store_id)
    line_uid = PartLine.objects.for_actor(by).filter(uid=approval.root_uid).values_list("line__uid", flat=True).first()
    if line_uid is None:
        return None
    line = locked_line(line_uid, by, living=False)
    part_line = PartLine.objects.locked().select_related("part").filter(uid=approval.root_uid).first()
    if part_line is None:
        return None
    part_line.line = line
    fits = approval.amount <= line_amount(part_line.quantity, part_line.unit_price)
    if line.state in (L.DRAFT, L.PENDING, L.DECLINED) and line.package_id is None and fits:
        if part_line.discount != approval.amount:
            _discount_part(line, part_line, approval.amount, approval.reason, by=by)
    else:
        record(part_line, events.PART_DISCOUNT_LAPSED, by=by, store_id=approval.store_id, amount=approval.amount)
    return part_line


# --- the estimate ---


def estimate_content(
    order: RepairOrder, lines: list[OrderLine], number: int, proposed: datetime | None = None
) -> dict[str, Any]:
    """What the customer is asked, in the canonical form that is hashed: codes, words and amounts as strings; and the
    hand-over that a yes means, where the promise doesn't hold with these lines."""
    return {
        "order": order.number,
        "version": number,
        "currency": "CNY",
        "lines": [
            {
                "uid": str(line.uid),
                "position": line.position,
                "description": line.description,
                "complaint": line.complaint,
                "cause": line.cause,
                "pay_type": line.pay_type,
                "category": line.category,
                "is_safety": line.is_safety,
                "is_addition": line.is_addition,
                "extra_minutes": line.extra_minutes,
                "hours": str(line.hours),
                "rate": str(line.rate),
                "discount": str(line.discount),
                "labor_amount": str(line.labor_amount),
                "fee_amount": str(line.fee_amount),
                "fee_note": line.fee_note,
                **({"reassembly_amount": str(line.reassembly_amount)} if line.reassembly_amount is not None else {}),
                **(
                    {
                        "package": {
                            "uid": str(line.package.uid),
                            "name": line.package.name,
                            "price": str(line.package.price),
                        }
                    }
                    if line.package
                    else {}
                ),
                "parts": [
                    {
                        "uid": str(p.uid),
                        "number": p.part.number,
                        "name": p.part.name,
                        "kind": p.kind,
                        "quantity": str(p.quantity),
                        "unit": p.part.unit,
                        "unit_price": str(p.unit_price),
                        "amount": str(p.amount),
                        "guarantee_months": p.part.guarantee_months,
                        "guarantee_km": p.part.guarantee_km,
                        **({"core_price": str(p.core_price)} if p.core_price else {}),
                        **({"discount": str(p.discount)} if p.discount else {}),
                    }
                    for p in line.part_lines.all()
                ],
                "total": str(line_total(line)),
            }
            for line in lines
        ],
        "total": str(rules.total_of(line_total(line) for line in lines)),
        **_promise_content(order, proposed),
        **contract_content(order, lines, [line_total(line) for line in lines], promised_at=proposed),
    }


def _promise_content(order: RepairOrder, proposed: datetime | None) -> dict[str, Any]:
    if proposed is None or order.promised_at is None:
        return {}
    return {"promise": {"before": order.promised_at.isoformat(), "proposed": proposed.isoformat()}}


def lines_of(order: RepairOrder, *states: str) -> list[OrderLine]:
    """Locked lines by key with their parts; the caller holds the order's lock."""
    rows = (
        OrderLine.objects.filter(order=order)
        .locked()
        .select_related("package")
        .prefetch_related("part_lines__part")
        .order_by("pk")
    )
    lines = list(rows.filter(state__in=states) if states else rows)
    for line in lines:
        line.order = order
    return lines


@transaction.atomic
def send_estimate(*, order_uid: UUID, by: Actor) -> Estimate:
    """Locks what is drafted as a new version and asks the customer on the one link of the visit (3.2).

    Drafted lines become PENDING; lines that others pay for and have agreed to beforehand need no yes. Lines asked
    earlier and still open stand in the new version too. Additions within what the payer agreed to in advance go ahead. A
    line on goodwill that nobody has approved yet stays drafted, and so does one above what its payer lets go ahead
    unasked. Where the promise doesn't hold with what is asked, the version says which hand-over a yes means (domain 3.3).
    Raises RuleError ``estimate.empty``, ``line.unpriced``, ``goodwill.not_granted`` and ``payer.not_granted`` (only
    such lines are drafted).
    """
    by.require(permissions.ESTIMATES_SEND)
    order = locked_order(order_uid, by)
    lines = lines_of(order, L.DRAFT, L.PENDING)
    waiting = waiting_for_goodwill(lines)
    beyond = waiting_for_payer(order, lines)
    lines = [line for line in lines if line not in waiting and line not in beyond]
    drafts = [line for line in lines if line.state == L.DRAFT]
    if not drafts and waiting:
        text = _("“%(line)s” is to be goodwill: ask for it first; it goes ahead when somebody approves.")
        raise RuleError("goodwill.not_granted", text, line=waiting[0].said)
    if not drafts and beyond:
        raise payer_not_granted(beyond[0])
    if not drafts:
        raise RuleError("estimate.empty", _("There is nothing new to ask the customer about."))
    for line in drafts:
        if line.is_dismantling and line.reassembly_amount is None:
            raise no_reassembly(line.said, line)
        if line.is_diagnosis and line.reassembly_amount is None:  # written before this was stated
            line.reassembly_amount = ZERO
            line.save(update_fields=["reassembly_amount"])
        free = line.hours == 0 and line.fee_amount == 0 and not line.part_lines.all()
        if line.pay_type not in NOT_REQUIRED and free:
            raise RuleError(
                "line.unpriced",
                _("“%(line)s” has neither hours nor parts; price it first."),
                field="hours",
                held_by=line,
                line=line.said,
            )
    asked = [line for line in lines if line.pay_type not in NOT_REQUIRED]
    number = (order.estimates.aggregate(last=Max("number"))["last"] or 0) + 1
    insured = accident_of(order) is not None  # its insurer says yes, and promises nobody's time
    outlook = with_asked(order, lines) if asked and not insured else None
    proposed = outlook.suggested if outlook is not None and not outlook.fits else None
    content = estimate_content(order, asked, number, proposed)
    valid = timedelta(hours=limits.value(ESTIMATE_HOURS, store_id=order.store_id))
    estimate = Estimate.objects.create(
        store=order.store,
        order=order,
        number=number,
        content=content,
        total=Decimal(content["total"]),
        seen_hash=rules.content_hash(content),
        sent_at=clock.now(),
        expires_at=clock.now() + valid,
    )
    record(
        order,
        events.ESTIMATE_SENT,
        by=by,
        estimate=estimate.uid,
        number=number,
        lines=len(asked),
        total=estimate.total,
        seen_hash=estimate.seen_hash,
    )
    for line in drafts:
        if line.pay_type in NOT_REQUIRED:
            authorize_unasked(line, by=by, estimate=estimate)
        else:
            line.state, line.told_cause = L.PENDING, line.cause
            line.save(update_fields=["state", "told_cause"])
    covered = [] if proposed or insured else _agreed_in_advance(order, drafts, estimate, by=by)
    left = [line for line in asked if line not in covered]
    if left:
        _ask_customer(order, estimate, left, by=by)
    return estimate


def _agreed_in_advance(
    order: RepairOrder, drafts: list[OrderLine], estimate: Estimate, *, by: Actor
) -> list[OrderLine]:
    """3.2: additions within what the payer agreed to in advance go ahead, and the customer is told. Returns these."""
    consent, rows = covered_in_advance(order, drafts)
    if consent is None:
        return []
    for line, contact in rows:
        write_decision(
            line,
            status=AuthorizationStatus.APPROVED,
            method=AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION,
            authorized_by=consent.given_by,
            contact=contact,
            estimate=estimate,
            standing=consent,
            by=by,
        )
    lines = [line for line, _contact in rows]
    with translation.override(order.visit.customer.language):
        told = gettext(
            "%(store)s: for %(plate)s, %(items)s (¥%(total)s) goes ahead as agreed in advance (up to ¥%(most)s a visit). "
            "You can take it back before work on it begins: %(link)s"
        ) % {
            "store": order.store.name,
            "plate": say_plate(order.vehicle.plate) or order.vehicle.vin[-6:],
            "items": saying.say_list(line.said for line in lines),
            "total": saying.say_money(rules.total_of(line_total(line) for line in lines), sign=False),
            "most": saying.say_money(consent.up_to, sign=False),
            "link": link_address(order.visit),
        }
        subject = gettext("Work that you agreed to in advance")
    tell_customer(
        order, key=f"standing:{estimate.uid}", template="workshop.standing", subject=subject, body=told, by=by
    )
    return lines


@transaction.atomic
def withdraw_estimate(*, order_uid: UUID, reason: str, by: Actor) -> Estimate:
    """Takes back what the customer is asked: the open lines of the last version are drafts again and can be changed (3.2).

    What was decided stays decided. The link shows the question no more. Raises RuleError ``estimate.reason`` and
    ``estimate.none`` (nothing is asked).
    """
    by.require(permissions.ESTIMATES_SEND)
    order = locked_order(order_uid, by)
    words = formats.one_line(reason)
    if not words:
        raise RuleError("estimate.reason", _("Say why the offer is taken back."), field="reason")
    estimate = order.estimates.locked().order_by("-number").first()
    asked = lines_of(order, L.PENDING)
    if estimate is None or not asked:
        raise RuleError("estimate.none", _("Nothing is asked on this order; there is no offer to take back."))
    for line in asked:
        _draft_again(line, by=by)
    estimate.withdrawn_at, estimate.withdrawn_reason = clock.now(), words[:200]
    estimate.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    record(order, events.ESTIMATE_WITHDRAWN, by=by, estimate=estimate.uid, number=estimate.number, lines=len(asked))
    return estimate


def _ask_customer(order: RepairOrder, estimate: Estimate, asked: list[OrderLine], *, by: Actor) -> None:
    insured = accident_of(order) is not None
    with translation.override(order.visit.customer.language):
        if insured:
            told = gettext(
                "%(store)s: for %(plate)s, %(insurer)s is asked about %(lines)s item(s), ¥%(total)s in all, of which you "
                "pay ¥%(share)s. To read: %(link)s"
            )
        elif proposed_in(estimate):
            told = gettext(
                "%(store)s: for %(plate)s, %(lines)s item(s) await your decision, ¥%(total)s in all; with them the car is "
                "ready at %(time)s. What you don't agree to isn't done and costs nothing: %(link)s"
            )
        else:
            told = gettext(
                "%(store)s: for %(plate)s, %(lines)s item(s) await your decision, ¥%(total)s in all. "
                "What you don't agree to isn't done and costs nothing: %(link)s"
            )
        living = order.lines.filter(state__in=(L.DRAFT, L.PENDING, *AGREED)).prefetch_related("part_lines")
        share = customer_pays(order, [(line, line_total(line)) for line in living]) if insured else ZERO
        body = told % {
            "store": order.store.name,
            "plate": say_plate(order.vehicle.plate) or order.vehicle.vin[-6:],
            "insurer": order.customer.name,
            "lines": len(asked),
            "total": saying.say_money(rules.total_of(line_total(line) for line in asked), sign=False),
            "share": saying.say_money(share, sign=False),
            "time": saying.say_time(proposed, now=clock.now()) if (proposed := proposed_in(estimate)) else "",
            "link": link_address(order.visit),
        }
        subject = (
            gettext("The insurer is asked about your car")
            if insured
            else gettext("Please decide on the work on your car")
        )
    tell_customer(
        order, key=f"estimate:{estimate.uid}", template="workshop.estimate", subject=subject, body=body, by=by
    )


def link_address(visit: Visit) -> str:
    """The one link of the visit, for messages (1.3)."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/v/{visit.link.token}/"


def tell_customer(order: RepairOrder, *, key: str, template: str, subject: str, body: str, by: Actor) -> None:
    """Queues one message to the customer of the visit, who holds its link, by the preferred channel.

    Who only pays (insurer, maker, company) is not asked: the link shows the car of somebody else.
    """
    customer = order.visit.customer
    telling.tell(
        customer,
        store=order.store,
        key=key,
        template=template,
        subject=subject,
        body=body,
        phone=customer.phone or ("" if customer.email else order.visit.contact_phone),
        visit_uid=order.visit.uid,
        by=by,
    )


# --- decisions (called here and by ``authorizations``) ---


def write_decision(
    line: OrderLine,
    *,
    status: AuthorizationStatus,
    method: str,
    authorized_by: str,
    by: Actor,
    reason: str = "",
    cause: str = "",
    note: str = "",
    contact: CustomerContact | None = None,
    signature: Any = None,
    estimate: Estimate | None = None,
    standing: StandingConsent | None = None,
) -> Authorization:
    """Writes one decision on one locked line: the append-only row, the line's state and the history (3.2)."""
    agreed = status in (AuthorizationStatus.APPROVED, AuthorizationStatus.NOT_REQUIRED)
    target = L.AUTHORIZED if agreed else L.DECLINED
    require(LINE_MOVES, L(line.state), target)
    amount = line_total(line)
    row = Authorization.objects.create(
        order=line.order,
        line=line,
        estimate=estimate,
        status=status,
        method=method,
        amount=amount,
        authorized_by=authorized_by[:60],
        contact=contact,
        note=note[:300],
        reason="" if agreed else reason[:200],
        decline_cause="" if agreed else cause,
        signature=signature,
        standing=standing,
        at=clock.now(),
    )
    before, line.state = line.state, target
    line.authorized_amount = amount if agreed else None
    line.declined_reason, line.declined_cause = ("", "") if agreed else (reason[:200], cause)
    line.save(update_fields=["state", "authorized_amount", "declined_reason", "declined_cause"])
    record(
        line,
        events.LINE_AUTHORIZED if agreed else events.LINE_DECLINED,
        by=by,
        store_id=line.order.store_id,
        changed={"state": (before, line.state)},
        authorization=row.uid,
        status=status,
        method=method,
        amount=amount,
        cause=row.decline_cause or None,
        contact=contact.uid if contact else None,
        estimate=estimate.uid if estimate else None,
    )
    return row


def keep_wish(
    line: OrderLine,
    *,
    method: str,
    authorized_by: str,
    note: str,
    signature: Any,
    estimate: Estimate,
    by: Actor,
) -> Authorization:
    """The yes of somebody who may not decide for the payer: kept as a message, the line stays asked (3.2)."""
    row = Authorization.objects.create(
        order=line.order,
        line=line,
        estimate=estimate,
        status=AuthorizationStatus.NOT_ENTITLED,
        method=method,
        amount=line_total(line),
        authorized_by=authorized_by[:60],
        note=note[:300],
        signature=signature,
        at=clock.now(),
    )
    record(
        line,
        events.LINE_WISHED,
        by=by,
        store_id=line.order.store_id,
        authorization=row.uid,
        method=method,
        amount=row.amount,
        estimate=estimate.uid,
    )
    return row


def payer_not_granted(line: OrderLine) -> RuleError:
    """3.2: the maker, the shop and service contracts let work go ahead by themselves only up to an amount of an order."""
    return RuleError(
        "payer.not_granted",
        _(
            "“%(line)s” is more than goes ahead by itself for this payer (%(payer)s): ask for it first, in the line's steps."
        ),
        held_by=line,
        line=line.said,
        payer=line.get_pay_type_display(),
    )


def authorize_unasked(line: OrderLine, *, by: Actor, estimate: Estimate | None = None) -> Authorization:
    """A line somebody else pays for under a standing agreement: no question, but a row that says so."""
    decision = write_decision(
        line,
        status=AuthorizationStatus.NOT_REQUIRED,
        method=AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION,
        authorized_by=str(PayType(line.pay_type).value),
        estimate=estimate,
        by=by,
    )
    if line.found_by_id is not None:
        from workshop.services.reassembly import follow_decisions

        follow_decisions(line.order, by=by)
    return decision


# --- withdrawing ---


def end_line(line: OrderLine, *, reason: str, by: Actor, code: str) -> None:
    """Ends an agreed line that isn't finished and leaves on it what was done: hours clocked, never more than agreed, and
    parts issued."""
    if line.state in FINISHED:
        raise RuleError(
            "line.finished",
            _(
                "“%(line)s” is finished: it is inspected and settled. What the customer isn't to pay of it is taken off "
                "the bill as goodwill, with a reason."
            ),
            line=line.said,
        )
    require(LINE_MOVES, L(line.state), L.WITHDRAWN)
    if Clocking.objects.filter(line=line, ended_at__isnull=True).exists():
        raise RuleError(
            "line.clocked_on", _("Somebody is still working on “%(line)s”; clock off first."), line=line.said
        )
    for give_back in BEFORE_WITHDRAWAL:
        give_back(line, by)
    LineHold.objects.filter(line=line, ended_at__isnull=True).update(ended_at=clock.now())
    agreed = line_total(line)
    before, line.state = line.state, L.WITHDRAWN
    line.declined_reason = reason.strip()[:200]
    line.save(update_fields=["state", "declined_reason"])
    if before == L.AUTHORIZED and line.fee_amount:
        line.fee_amount = ZERO  # nothing was begun, so nothing was spent
        line.save(update_fields=["fee_amount"])
    _settle_what_was_done(line)
    record(
        line,
        code,
        by=by,
        store_id=line.order.store_id,
        changed={"state": (before, line.state), "amount": (agreed, line_total(line))},
    )


def done_of(line: OrderLine) -> tuple[int, Decimal, Decimal]:
    """The minutes clocked on a line, and the hours and the discount that are settled for them."""
    spans = Clocking.objects.filter(line=line, ended_at__isnull=False).values_list("started_at", "ended_at")
    minutes = sum(int((ended - started).total_seconds() // 60) for started, ended in spans if ended)
    return minutes, *rules.share_done(line.hours, minutes, line.discount)


def _settle_what_was_done(line: OrderLine) -> None:
    _minutes, line.hours, line.discount = done_of(line)
    line.discount = min(line.discount, line_amount(line.hours, line.rate))
    line.labor_amount = rules.labor_amount(line.hours, line.rate, line.discount)
    line.save(update_fields=["hours", "discount", "labor_amount"])
    for part_line in PartLine.objects.filter(line=line).locked().order_by("pk"):
        if part_line.issued_quantity > 0 or part_line.has_history:
            price_what_stays(part_line)
        else:
            part_line.delete()


def price_what_stays(part_line: PartLine) -> None:
    """A part of an ended line counts for what stays in the car; of what was taken back the row stays at nothing."""
    if part_line.issued_quantity > 0:
        before, part_line.quantity = line_amount(part_line.quantity, part_line.unit_price), part_line.issued_quantity
        reprice_part(part_line, before)
    else:
        part_line.amount = part_line.discount = ZERO
    part_line.save(update_fields=["quantity", "amount", "discount"])


@transaction.atomic
def withdraw_line(*, line_uid: UUID, reason: str, by: Actor, reassembly: str = "") -> OrderLine:
    """Ends an agreed line that isn't finished; what was done is settled (domain 3.3).

    Issued parts that go back are returned to the shelf first; what stays issued is charged. Where something lies in
    pieces then, ``reassembly`` (``ReassemblyAnswer``) says what becomes of it. Raises RuleError ``line.reason``,
    ``line.finished``, ``line.clocked_on`` and ``line.apart`` (that isn't said).
    """
    from workshop.services import reassembly as again

    by.require(permissions.ORDERS_WITHDRAW)
    line = locked_line(line_uid, by)
    if not reason.strip():
        raise RuleError("line.reason", _("Say why the line is withdrawn."), field="reason")
    aparts = apart_after(line)
    again.refuse_unanswered(aparts, reassembly)
    if line.reassembles_id is not None and reassembly == ReassemblyAnswer.CHARGED:
        text = _("This line puts it together again: leave it as it is, or say that it isn't charged.")
        raise RuleError("line.apart", text, field="reassembly")
    end_line(line, reason=reason, by=by, code=events.LINE_WITHDRAWN)
    again.answer_apart([line if apart.pk == line.pk else apart for apart in aparts], reassembly, by=by)
    return line


def apart_after(line: OrderLine) -> list[OrderLine]:
    """What lies in pieces when this line is ended: taken apart by it, or what it was to repair or put together."""
    if line.state not in (L.AUTHORIZED, L.IN_PROGRESS):
        return []
    lines = list(line.order.lines.order_by("pk"))
    found = [
        apart
        for apart in lying_apart(lines, leaving={line.pk})
        if apart.pk in (line.pk, line.found_by_id, line.reassembles_id)
    ]
    for apart in found:
        apart.order = line.order
    return found


def apart_at_end(order: RepairOrder, lines: list[OrderLine]) -> list[OrderLine]:
    """What lies in pieces when the order is ended."""
    found = lying_apart(lines, leaving={line.pk for line in lines if _is_ended_with(line)})
    for apart in found:
        apart.order = order
    return found


def _is_ended_with(line: OrderLine) -> bool:
    """Whether the end of its order ends a line; what is being put together again goes on."""
    return line.state in (L.DRAFT, L.PENDING, L.AUTHORIZED) or (
        line.state == L.IN_PROGRESS and line.reassembles_id is None
    )


@transaction.atomic
def withdraw_order(*, order_uid: UUID, reason: str, by: Actor, reassembly: str = "") -> RepairOrder:
    """Ends what isn't finished of an order: open questions are cancelled, begun work is settled for what was done (3.3).

    Finished work is inspected and settled, so the order goes on until it is; without any the order is withdrawn as a
    whole. Where something lies in pieces then, ``reassembly`` (``ReassemblyAnswer``) says what becomes of it; charged, it
    is a line that is done and settled like others. Raises RuleError ``order.reason``, ``order.finished`` (there is nothing
    left to end) and ``line.apart`` (that isn't said).
    """
    from workshop.services import reassembly as again

    by.require(permissions.ORDERS_WITHDRAW)
    order = locked_order(order_uid, by)
    if not reason.strip():
        raise RuleError("order.reason", _("Say why the order is withdrawn."), field="reason")
    before = order.stage
    lines = lines_of(order)
    to_end = [line for line in lines if _is_ended_with(line)]
    goes_on = any(line.state in (*FINISHED, L.IN_PROGRESS) and line not in to_end for line in lines)
    if goes_on and not to_end:
        text = _("There is nothing left to end on this order: what is done is inspected and settled.")
        raise RuleError("order.finished", text)
    aparts = apart_at_end(order, lines)
    again.refuse_unanswered(aparts, reassembly)
    charged = {apart.pk for apart in aparts if reassembly == ReassemblyAnswer.CHARGED}
    kept = {line.reassembles_id for line in to_end if line.reassembles_id in charged}
    for line in to_end:
        if line.reassembles_id in charged:  # it stands there already and is done
            continue
        if line.state in (L.DRAFT, L.PENDING):
            was, line.state = line.state, L.CANCELLED
            line.save(update_fields=["state"])
            record(line, events.LINE_CANCELLED, by=by, store_id=order.store_id, changed={"state": (was, line.state)})
        else:
            end_line(line, reason=reason, by=by, code=events.LINE_WITHDRAWN)
    made = again.answer_apart([apart for apart in aparts if apart.pk not in kept], reassembly, by=by)
    goes_on = goes_on or bool(kept or made)
    if not goes_on:
        order.withdrawn_at, order.withdrawn_reason = clock.now(), reason.strip()[:200]
        order.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    order.refresh_from_db(fields=["stage", "version"])
    code = events.ORDER_REST_ENDED if goes_on else events.ORDER_WITHDRAWN
    record(order, code, by=by, changed={"stage": (before, order.stage)})
    return order


# --- the promised time ---


@transaction.atomic
def change_promise(
    *,
    order_uid: UUID,
    promised_at: datetime,
    reason: str,
    by: Actor,
    told: str = PromiseTold.MESSAGE,
    told_to: str = "",
) -> RepairOrder:
    """Promises another time (aware) and says how the customer hears of it (3.2).

    ``told``: by the system's own MESSAGE, or by ``by`` who has told ``told_to`` by PHONE or IN_PERSON, or NOT_YET: then it
    stands among what is to be told. Raises RuleError ``promise.reason``, ``promise.past``, ``promise.same``,
    ``promise.told`` and ``promise.told_to``.
    """
    by.require(permissions.PROMISE_CHANGE)
    visit_id = RepairOrder.objects.for_actor(by).values_list("visit_id", flat=True).get(uid=order_uid)
    visit = Visit.objects.locked().get(pk=visit_id)
    order = locked_order(order_uid, by)
    if not reason.strip():
        raise RuleError("promise.reason", _("Say why the promised time changes."), field="reason")
    if promised_at <= clock.now():
        raise RuleError("promise.past", _("The promised time lies ahead of now."), field="promised_at")
    if promised_at == order.promised_at:
        raise RuleError("promise.same", _("That time is promised already."), field="promised_at")
    if told not in PromiseTold.values or told == PromiseTold.AGREED:
        raise RuleError("promise.told", _("Choose how the customer was told."), field="told")
    by_somebody = told in (PromiseTold.PHONE, PromiseTold.IN_PERSON)
    if by_somebody:
        _require_told_to(told_to)
    change = _write_promise(order, promised_at, reason, told, by=by)
    if by_somebody:
        _write_telling(change, how=told, told_to=told_to, by=by)
    latest = _latest_promise(visit)
    if latest is not None:
        heard = "" if told == PromiseTold.NOT_YET else told
        write_promise(visit=visit, promised_at=latest, reason=reason, told=heard, by=by)
    if told == PromiseTold.MESSAGE:
        _tell_promise(order, change, by=by)
    return order


@transaction.atomic
def tell_promise(*, order_uid: UUID, how: str, told_to: str, by: Actor) -> PromiseTelling:
    """Writes down that ``by`` has told ``told_to`` of the time that is promised last, and how (``ToldBy``) (3.2).

    Raises RuleError ``promise.none`` (no time was changed), ``promise.told``, ``promise.told_to`` and RaceLost
    ``promise.is_told`` where somebody has written that down already.
    """
    by.require(permissions.PROMISE_CHANGE)
    order = locked_order(order_uid, by)
    if how not in ToldBy.values:
        raise RuleError("promise.told", _("Choose how the customer was told."), field="how")
    _require_told_to(told_to)
    change = order.promise_changes.order_by("-pk").first()
    if change is None:
        raise RuleError(
            "promise.none", _("The promised time of this order was never changed; there is nothing to tell.")
        )
    done = PromiseTelling.objects.filter(change=change).select_related("told_by").first()
    if done is not None:
        raise RaceLost(
            "promise.is_told",
            _("%(who)s has told %(name)s of this time already."),
            who=done.told_by.name,
            name=done.told_to,
        )
    telling = _write_telling(change, how=how, told_to=told_to, by=by)
    record(order, events.PROMISE_TOLD, by=by, how=how, promised_at=change.after)
    return telling


def _require_told_to(told_to: str) -> None:
    if not formats.one_line(told_to):
        raise RuleError("promise.told_to", _("Write who was told of the new time."), field="told_to")


def _write_telling(change: PromiseChange, *, how: str, told_to: str, by: Actor) -> PromiseTelling:
    telling: PromiseTelling = PromiseTelling.objects.create(
        change=change,
        how=how,
        told_to=formats.one_line(told_to)[:60],
        told_by=require_employee(by),
        told_at=clock.now(),
    )
    return telling


def _write_promise(order: RepairOrder, at: datetime, reason: str, told: str, *, by: Actor) -> PromiseChange:
    before, order.promised_at = order.promised_at, at
    order.save(update_fields=["promised_at"])
    change: PromiseChange = PromiseChange.objects.create(
        order=order, before=before, after=at, reason=reason.strip()[:200], told=told, at=clock.now()
    )
    record(order, events.PROMISE_CHANGED, by=by, changed={"promised_at": (before, at)}, told=told)
    return change


def _latest_promise(visit: Visit) -> datetime | None:
    """The last promise of its running orders, where the visit says another one and it lies ahead."""
    running = visit.orders.exclude(stage__in=(OrderStage.CLOSED, OrderStage.CANCELLED))
    latest: datetime | None = running.aggregate(last=Max("promised_at"))["last"]
    return latest if latest is not None and latest > clock.now() and latest != visit.promised_at else None


def lock_visit_of_promise(estimate: Estimate | None) -> Visit | None:
    """The visit whose promise a yes to this version moves, locked before its order; None where none is."""
    if proposed_in(estimate) is None or estimate is None:
        return None
    return Visit.objects.locked().get(pk=estimate.order.visit_id)


def promise_as_agreed(order: RepairOrder, visit: Visit | None, estimate: Estimate, *, method: str, by: Actor) -> None:
    """A yes to an estimate that names another hand-over is a yes to that one too (domain 3.3).

    Nothing is done where something else was promised meanwhile, or the named time is over. The caller holds ``visit``
    (``lock_visit_of_promise``) and the order.
    """
    proposed = proposed_in(estimate)
    if visit is None or proposed is None or order.promised_at != parse_datetime(estimate.content["promise"]["before"]):
        return
    with translation.override(order.visit.customer.language):
        reason = gettext("Additional work agreed to with estimate %(number)s") % {
            "number": f"{order.number}-{estimate.number}"
        }
    _write_promise(order, proposed, reason, PromiseTold.AGREED, by=by)
    latest = _latest_promise(visit)
    if latest is not None and visit.is_open:
        told = {AuthorizationMethod.VERBAL_PHONE: "PHONE", AuthorizationMethod.DIGITAL_PORTAL: "MESSAGE"}
        write_promise(
            visit=visit,
            promised_at=latest,
            reason=reason,
            told=told.get(AuthorizationMethod(method), "IN_PERSON"),
            by=by,
        )


def _tell_promise(order: RepairOrder, change: PromiseChange, *, by: Actor) -> None:
    store: Store = order.store
    with translation.override(order.visit.customer.language):
        body = gettext(
            "%(store)s: your car %(plate)s will be ready at %(time)s. Reason: %(reason)s. Progress: %(link)s"
        ) % {
            "store": store.name,
            "plate": say_plate(order.vehicle.plate) or order.vehicle.vin[-6:],
            "time": saying.say_time(change.after, now=clock.now()),
            "reason": change.reason,
            "link": link_address(order.visit),
        }
        subject = gettext("A new time for your car")
    tell_customer(order, key=f"promise:{change.uid}", template="workshop.promise", subject=subject, body=body, by=by)


def hand_over_orders(leaver: Any, successor: Any, by: Actor) -> int:
    """An advisor's running orders pass to a colleague (5.1); returns how many."""
    orders = (
        RepairOrder.objects.for_actor(by)
        .filter(advisor=leaver)
        .exclude(stage__in=(OrderStage.CLOSED, OrderStage.CANCELLED))
        .locked()
        .select_related("visit", "vehicle", "customer")
        .order_by("pk")
    )
    count = 0
    for order in orders:
        order.advisor = successor
        order.save(update_fields=["advisor"])
        record(order, events.ORDER_HANDED_OVER, by=by, changed={"advisor": (leaver.uid, successor.uid)})
        count += 1
    return count
