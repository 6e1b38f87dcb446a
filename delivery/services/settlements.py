"""Settlement lists: issued from what was done, signed at the desk or on the link, voided before the signature (4.1)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind, PayType, RepairCategory
from dealership.kernel import clock, formats, limits, numbering, states
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Approval, ApprovalState
from dealership.kernel.money import ZERO, line_amount, round_money
from dealership.kernel.services import ask_approval, store_file
from dealership.kernel.signatures import refuse_empty_pad
from reception.models import OldParts, WalkAround
from workshop.models import Certificate, CoreCharge, LineState, OrderKind, OrderLine, OrderStage, PartLine, RepairOrder
from workshop.services.sublets import refuse_while_out

from .. import events, permissions, rules
from ..limits import GUARANTEE, ROUND_TO
from ..models import (
    GOODWILL,
    SETTLEMENT_MOVES,
    UNPAID_EXIT,
    Payment,
    Settlement,
    SettlementLine,
    SettlementLineKind,
    SettlementState,
)
from ..selectors.health_records import missing_for_list
from ..selectors.rework import guarantee_after_rework
from .deposits import use_deposits

DONE = (LineState.INSPECTED, LineState.WITHDRAWN)
CERTIFIED = (RepairCategory.WHOLE_VEHICLE, RepairCategory.ASSEMBLY, RepairCategory.SECOND_MAINTENANCE)
THIRD_PARTY = {
    OrderKind.WARRANTY: PayType.WARRANTY,
    OrderKind.INSURANCE: PayType.INSURANCE,
    OrderKind.INTERNAL: PayType.INTERNAL,
    OrderKind.REWORK: PayType.INTERNAL,
}
OLD_PARTS = (*OldParts.values, "NONE")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a list would say, before it is issued; amounts are CNY with VAT. ``goodwill`` is approved and taken off."""

    rows: list[rules.Row]
    totals: rules.Totals
    goodwill: Decimal
    old_parts: str
    categories: list[str]


def draft_settlement(order: RepairOrder, *, round_off: bool = False) -> Draft:
    """The rows and sums of the order's list as it stands now; writes nothing (4.1, domain 3.5)."""
    lines = list(order.lines.filter(state__in=DONE).select_related("operation", "package").order_by("position"))
    return _draft(order, lines, round_off=round_off)


def _draft(order: RepairOrder, lines: list[OrderLine], *, round_off: bool) -> Draft:
    part_lines = list(PartLine.objects.filter(line__in=lines).select_related("part").order_by("pk"))
    rows = _rows(order, sorted(lines, key=lambda line: line.position), part_lines)
    goodwill = min(approved_goodwill(order), rules.add_up(rows).total)
    if goodwill > 0:
        rows.append(rules.Row(SettlementLineKind.DISCOUNT, gettext("Goodwill"), Decimal(1), goodwill, goodwill))
    step = limits.value(ROUND_TO, store_id=order.store_id) if round_off else 0
    return Draft(
        rows,
        rules.add_up(rows, round_to=step),
        goodwill,
        _old_parts(order, part_lines),
        [line.category for line in lines if line.state == LineState.INSPECTED],
    )


def approved_goodwill(order: RepairOrder) -> Decimal:
    """What somebody has approved to be waived on this order (CNY); the highest yes counts, not their sum."""
    approved = Approval.objects.filter(kind=GOODWILL, root_uid=order.uid, state=ApprovalState.APPROVED)
    return approved.aggregate(most=Max("amount"))["most"] or ZERO


@transaction.atomic
def issue_settlement(*, order_uid: UUID, by: Actor, round_off: bool = False, old_parts: str = "") -> Settlement:
    """Issues the list of a finished order to its payer and freezes the lines on it (4.1, domain 3.5).

    Labour, material and other fees apart, CNY with VAT. A withdrawn line is charged for what was done and the parts
    that stay issued. What another party pays stands on the list at 0.00. Approved goodwill is taken off;
    ``round_off`` takes off what lies above the store's step (抹零). ``old_parts`` (TAKE, LEAVE, NONE) says what becomes
    of them where it differs from the walk-around. Raises RuleError ``settlement.old_parts``, ``settlement.not_ready``,
    ``settlement.nothing``, ``sublet.unfinished``, ``settlement.certificate``, ``settlement.parts``, ``settlement.exists`` and
    ``settlement.health_record``, which names every fact that is missing (3.3, domain 7.2).
    """
    by.require(permissions.SETTLEMENTS_ISSUE)
    if old_parts and old_parts not in OLD_PARTS:
        raise RuleError("settlement.old_parts", _("Choose what becomes of the old parts."), field="old_parts")
    order = (
        RepairOrder.objects.for_actor(by)
        .locked()
        .select_related("store", "visit", "customer", "vehicle")
        .get(uid=order_uid)
    )
    if issued := order.settlements.exclude(state=SettlementState.VOIDED).first():
        text = _("This order already has a settlement list for this payer.")
        raise RuleError("settlement.exists", text, held_by=issued)
    if order.stage != OrderStage.READY:
        raise RuleError(
            "settlement.not_ready",
            _("The order is “%(stage)s”; a settlement list follows when all its lines are inspected or ended."),
            stage=order.get_stage_display(),
        )
    lines = list(order.lines.filter(state__in=DONE).order_by("pk").select_for_update(no_key=True))
    if not lines:
        raise RuleError("settlement.nothing", _("Nothing was done on this order, so there is nothing to settle."))
    for line in lines:
        refuse_while_out(line)
    _require_certificate(order, lines)
    reserved = (
        PartLine.objects.filter(line__in=lines, reserved_quantity__gt=0).select_related("part").order_by("pk").first()
    )
    if reserved is not None:
        raise RuleError(
            "settlement.parts",
            _("“%(part)s” is still reserved for this order: issue it or give it back to the shelf first."),
            part=reserved.part.name,
        )
    draft = _draft(order, lines, round_off=round_off)
    rows, totals = draft.rows, draft.totals
    if lacking := missing_for_list(order, rows):
        raise RuleError(
            "settlement.health_record",
            _("The list can't be issued: the vehicle's electronic health record still lacks %(what)s."),
            what="; ".join(str(row.text) for row in lacking),
        )
    table = limits.value(GUARANTEE, store_id=order.store_id)
    after_rework = guarantee_after_rework(order, draft.categories, table)
    days, km = after_rework or rules.strongest_guarantee(draft.categories, table)
    for line in lines:
        line.settled = True
        line.save(update_fields=["settled"])
    order.settled_at = clock.now()
    order.save(update_fields=["settled_at"])
    settlement = Settlement.objects.create(
        store=order.store,
        number=numbering.next_number(order.store, "JS"),
        order=order,
        payer=order.customer,
        labor_total=totals.labor,
        material_total=totals.material,
        other_total=totals.other,
        discount_total=totals.discount,
        rounding_total=totals.rounding,
        total=totals.total,
        old_parts=old_parts or draft.old_parts,
        guarantee_days=days,
        guarantee_km=km,
        issued_at=clock.now(),
    )
    positions: dict[str, int] = defaultdict(int)
    for row in rows:
        positions[row.kind] += 1
        SettlementLine.objects.create(
            settlement=settlement,
            kind=row.kind,
            position=positions[row.kind],
            order_line_id=row.order_line_id,
            part_line_id=row.part_line_id,
            description=row.description,
            code=row.code,
            brand=row.brand,
            part_kind=row.part_kind,
            quantity=row.quantity,
            unit_price=row.unit_price,
            amount=row.amount,
        )
    record(
        settlement,
        events.SETTLEMENT_ISSUED,
        by=by,
        changed={"state": (None, settlement.state)},
        number=settlement.number,
        total=settlement.total,
        labor=settlement.labor_total,
        material=settlement.material_total,
        discount=settlement.discount_total,
        other=settlement.other_total,
        rounding=settlement.rounding_total,
        goodwill=draft.goodwill or None,
    )
    return settlement


def _require_certificate(order: RepairOrder, lines: list[OrderLine]) -> None:
    """4.1: the certificate comes before the list where the kind of repair needs one (domain 3.2)."""
    needed = any(line.state == LineState.INSPECTED and line.category in CERTIFIED for line in lines)
    if needed and not Certificate.objects.filter(order=order, voided_at__isnull=True).exists():
        raise RuleError(
            "settlement.certificate", _("This kind of repair needs its certificate before the settlement list.")
        )


def _charged(order: RepairOrder, line: OrderLine) -> bool:
    """Whether the order's payer owes this line: the customer's own lines, and an insurer's or maker's on their order."""
    if line.pay_type == PayType.CUSTOMER_PAY:
        return True
    return order.customer_id != order.visit.customer_id and THIRD_PARTY.get(OrderKind(order.kind)) == line.pay_type


def _rows(order: RepairOrder, lines: list[OrderLine], part_lines: list[PartLine]) -> list[rules.Row]:
    by_line: dict[int, list[PartLine]] = defaultdict(list)
    for part_line in part_lines:
        by_line[part_line.line_id].append(part_line)
    rows: list[rules.Row] = []
    for line in lines:
        charged = _charged(order, line)
        rows += _labor(line, charged)
        rows += [row for part_line in by_line[line.pk] for row in _material(part_line, charged)]
        rows += [row for part_line in by_line[line.pk] if charged and (row := _core(part_line))]
        if line.fee_amount:
            fee = line.fee_amount if charged else ZERO
            rows.append(rules.Row(SettlementLineKind.OTHER, line.fee_note, Decimal(1), fee, fee, line.pk))
    return rows


def _labor(line: OrderLine, charged: bool) -> list[rules.Row]:
    """The line as it is priced; a withdrawn one was priced for what was done when it was withdrawn."""
    code = line.operation.code if line.operation else ""
    rate = line.rate if charged else ZERO
    amount = line.labor_amount + line.discount if charged else ZERO
    rows = [rules.Row(SettlementLineKind.LABOR, line.description, line.hours, rate, amount, line.pk, code=code)]
    if charged and line.discount:
        rows.append(
            rules.Row(SettlementLineKind.DISCOUNT, _discounted(line), Decimal(1), line.discount, line.discount, line.pk)
        )
    return rows


def _discounted(line: OrderLine) -> str:
    """What a discount is given on; the price of a package says its name."""
    if line.package is None:
        return line.description
    return gettext("%(package)s (package): %(work)s") % {"package": line.package.name, "work": line.description}


def _material(part_line: PartLine, charged: bool) -> list[rules.Row]:
    """A part as it stayed in the car: what was issued and not returned; the customer's own part at 0.00. What was taken
    off its price stands in a row of its own, for what stayed."""
    own = part_line.kind == PartKind.CUSTOMER_SUPPLIED
    quantity = part_line.quantity if own else part_line.issued_quantity
    if quantity <= 0:
        return []
    whole = quantity == part_line.quantity
    amount = part_line.amount + part_line.discount if whole else line_amount(quantity, part_line.unit_price)
    off = part_line.discount if whole else round_money(part_line.discount * quantity / part_line.quantity)
    price = part_line.unit_price if charged else ZERO
    rows = [
        rules.Row(
            SettlementLineKind.MATERIAL,
            part_line.part.name,
            quantity,
            price,
            amount if charged else ZERO,
            part_line.line_id,
            part_line.pk,
            code=part_line.part.number,
            brand=part_line.part.brand,
            part_kind=part_line.kind,
        )
    ]
    if charged and off:
        rows.append(
            rules.Row(
                SettlementLineKind.DISCOUNT, part_line.part.name, Decimal(1), off, off, part_line.line_id, part_line.pk,
                code=part_line.part.number,
            )
        )  # fmt: skip
    return rows


def _core(part_line: PartLine) -> rules.Row | None:
    """3.2: the core charge of a part whose old one hasn't come in; a row of its own, given back when it comes."""
    core = CoreCharge.objects.filter(part_line=part_line).first() if part_line.core_price > 0 else None
    if core is None or core.kept <= 0:
        return None
    words = gettext("Core charge: %(part)s") % {"part": part_line.part.name}
    return rules.Row(
        SettlementLineKind.OTHER, words[:120], Decimal(1), core.kept, core.kept, part_line.line_id, part_line.pk,
        code=part_line.part.number,
    )  # fmt: skip


def _old_parts(order: RepairOrder, part_lines: list[PartLine]) -> str:
    """Domain 3.3: the customer takes the old parts, leaves them to the shop, or there are none."""
    if not any(p.issued_quantity > 0 or p.kind == PartKind.CUSTOMER_SUPPLIED for p in part_lines):
        return "NONE"
    walkaround = WalkAround.objects.filter(visit_id=order.visit_id).first()
    return walkaround.old_parts if walkaround else ""


@transaction.atomic
def void_settlement(*, uid: UUID, reason: str, by: Actor) -> Settlement:
    """Takes a list back before its signature and opens its lines again; its number stays used (4.1, design 5)."""
    by.require(permissions.SETTLEMENTS_VOID)
    settlement = Settlement.objects.for_actor(by).select_related("order").get(uid=uid)
    order = RepairOrder.objects.locked().get(pk=settlement.order_id)
    settlement = Settlement.objects.for_actor(by).locked().select_related("store").get(uid=uid)
    before = SettlementState(settlement.state)
    if before == SettlementState.SIGNED:
        raise RuleError(
            "settlement.final", _("The customer has signed this list; correct it with a refund or a new order.")
        )
    states.require(SETTLEMENT_MOVES, before, SettlementState.VOIDED)
    if not reason.strip():
        raise RuleError("settlement.reason", _("Say why the list is voided."), field="reason")
    settlement.state, settlement.void_reason = SettlementState.VOIDED, reason.strip()
    settlement.save(update_fields=["state", "void_reason"])
    for line in order.lines.filter(settled=True).order_by("pk"):
        line.settled = False
        line.save(update_fields=["settled"])
    order.settled_at = None
    order.save(update_fields=["settled_at"])
    record(
        settlement,
        events.SETTLEMENT_VOIDED,
        by=by,
        changed={"state": (before, settlement.state)},
        number=settlement.number,
        total=settlement.total,
    )
    return settlement


@transaction.atomic
def sign_settlement(*, uid: UUID, signed_name: str, by: Actor, signature: bytes | None = None) -> Settlement:
    """The customer signs, on the link or at the desk; from here on nothing on the list changes (4.1).

    What was paid in advance on this order becomes a payment on the list (预付, domain 3.5).

    Raises RuleError ``settlement.signature`` without a name, ``signature.empty``
    for an empty pad and ``state.move`` for a list that is signed or voided.
    """
    if by.kind != ActorKind.LINK:
        by.require(permissions.SETTLEMENTS_SIGN)
    order_id = Settlement.objects.for_actor(by).values_list("order_id", flat=True).get(uid=uid)
    RepairOrder.objects.locked().get(pk=order_id)
    settlement = Settlement.objects.for_actor(by).locked().select_related("store", "order__visit").get(uid=uid)
    before = SettlementState(settlement.state)
    states.require(SETTLEMENT_MOVES, before, SettlementState.SIGNED)
    name = formats.one_line(signed_name)
    if not name:
        raise RuleError("settlement.signature", _("Write the name of the person who signs."), field="signed_name")
    refuse_empty_pad(signature)
    if signature:
        settlement.signature = store_file(
            content=signature,
            name="settlement-signature.png",
            store_id=settlement.store_id,
            by=by,
            visit_uid=settlement.order.visit.uid,
        )
    settlement.state, settlement.signed_at, settlement.signed_name = SettlementState.SIGNED, clock.now(), name[:60]
    settlement.save(update_fields=["state", "signed_at", "signed_name", "signature"])
    record(
        settlement,
        events.SETTLEMENT_SIGNED,
        by=by,
        changed={"state": (before, settlement.state)},
        number=settlement.number,
        total=settlement.total,
        signature=settlement.signature.sha256 if settlement.signature else None,
    )
    use_deposits(settlement, by=by)
    return settlement


def still_open(settlement: Settlement) -> Decimal:
    """What is still to be paid on a list (CNY)."""
    paid = Payment.objects.filter(settlement=settlement).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return settlement.total - paid


@transaction.atomic
def ask_unpaid_exit(*, uid: UUID, reason: str, by: Actor) -> Approval:
    """Asks that the car may leave while money is open; the yes covers the amount asked for and no more (4.1)."""
    by.require(permissions.UNPAID_EXIT_ASK)
    settlement = Settlement.objects.for_actor(by).locked().select_related("store", "order__visit").get(uid=uid)
    due = still_open(settlement)
    if settlement.state == SettlementState.VOIDED or due <= 0:
        raise RuleError("unpaid_exit.nothing_open", _("Nothing is open on this list, so no approval is needed."))
    return ask_approval(
        kind=UNPAID_EXIT,
        root=settlement,
        store=settlement.store,
        reason=reason,
        amount=due,
        visit_uid=settlement.order.visit.uid,
        by=by,
    )


@transaction.atomic
def ask_goodwill(*, order_uid: UUID, amount: Decimal, reason: str, by: Actor) -> Approval:
    """Asks that ``amount`` (CNY) of an order's bill is waived; approved, it stands on the next list issued (1.2, 4.1).

    Raises RuleError ``goodwill.amount``, ``goodwill.signed`` (the customer has signed: give money back instead),
    ``goodwill.ended`` and ``approval.*``.
    """
    by.require(permissions.GOODWILL_ASK)
    order = RepairOrder.objects.for_actor(by).locked().select_related("store", "visit").get(uid=order_uid)
    if amount <= 0 or round_money(amount) != amount:
        raise RuleError(
            "goodwill.amount", _("Write a positive amount in yuan with at most two places."), field="amount"
        )
    if order.closed_at is not None:
        raise RuleError("goodwill.ended", _("This order is closed."))
    if order.settlements.filter(state=SettlementState.SIGNED).exists():
        raise RuleError("goodwill.signed", _("The customer has signed the list; give money back instead."))
    return ask_approval(
        kind=GOODWILL,
        root=order,
        store=order.store,
        reason=reason,
        amount=amount,
        visit_uid=order.visit.uid,
        by=by,
    )
