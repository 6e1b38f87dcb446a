"""Settlement, payment, hand-over, gate passes, follow-up and surveys (chapter 4)."""

from __future__ import annotations

import uuid
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import PartKind
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, StoredFile, User
from reception.models import Appointment, Customer, Vehicle, Visit
from staff.models import Employee
from workshop.models import OrderLine, PartLine, RepairOrder

from . import rules


class SettlementState(models.TextChoices):
    ISSUED = "ISSUED", _("Issued, to be signed")
    SIGNED = "SIGNED", _("Signed by the customer")
    VOIDED = "VOIDED", _("Voided")


SETTLEMENT_MOVES: dict[SettlementState, set[SettlementState]] = {
    SettlementState.ISSUED: {SettlementState.SIGNED, SettlementState.VOIDED},
    SettlementState.SIGNED: set(),
    SettlementState.VOIDED: set(),
}


class Settlement(Root):
    """结算清单 of one order and payer (4.1, domain 3.5): labour and material apart, CNY with VAT, gapless number."""

    link_path = "order__visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="settlements")
    payer = models.ForeignKey(Customer, models.PROTECT, related_name="settlements")
    state = models.CharField(max_length=6, choices=SettlementState.choices, default=SettlementState.ISSUED)
    labor_total = models.DecimalField(max_digits=12, decimal_places=2)
    material_total = models.DecimalField(max_digits=12, decimal_places=2)
    other_total = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    discount_total = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    rounding_total = models.DecimalField(
        _("rounded off"), max_digits=12, decimal_places=2, default=0, help_text="taken off the sum, less than ten yuan"
    )
    total = models.DecimalField(max_digits=12, decimal_places=2)
    old_parts = models.CharField(max_length=20, blank=True)
    guarantee_days = models.PositiveSmallIntegerField(default=0)
    guarantee_km = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField(default=clock.now)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_name = models.CharField(max_length=60, blank=True)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(SETTLEMENT_MOVES, field="state", name="settlement_moves"),
            states.guard(
                "settlement_amounts_fixed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.labor_total, OLD.material_total, OLD.other_total, OLD.discount_total,
                        OLD.rounding_total, OLD.total, OLD.number, OLD.order_id, OLD.payer_id) IS DISTINCT FROM
                        (NEW.labor_total, NEW.material_total, NEW.other_total, NEW.discount_total, NEW.rounding_total,
                        NEW.total, NEW.number, NEW.order_id, NEW.payer_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="settlement.fixed",
                text=_(
                    "An issued settlement list is never changed; void it before the signature or write a counter-entry."
                ),
            ),
            states.guard(
                # 4.1: what the customer signed, and what was voided, stays as it is.
                "settlement_signed_is_final",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state <> 'ISSUED'"),
                func="{refuse}",
                unchanged_passes=True,
                code="settlement.final",
                text=_("A signed or voided settlement list is never changed."),
            ),
            states.guard(
                # 3.3, domain 7.2: where the store sends health records, no list without what they can't do without.
                "settlement_health_record",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN reception_vehicle c ON c.id = o.vehicle_id
                        JOIN reception_visit v ON v.id = o.visit_id JOIN kernel_store s ON s.id = o.store_id
                        WHERE o.id = NEW.order_id AND (length(c.vin) <> 17
                            OR (c.plate = '' AND c.plate_kind <> 'UNREGISTERED')
                            OR v.odometer_in_km IS NULL OR btrim(o.complaint) = ''
                            OR btrim(COALESCE(NULLIF(s.company, ''), s.name)) = '')
                        AND COALESCE((SELECT (k.value #>> '{}')::int FROM kernel_setting k
                            WHERE k.key = 'delivery.health_record' AND (k.store_id IS NULL OR k.store_id = s.id)
                            AND k.starts_on <= (NEW.issued_at AT TIME ZONE s.time_zone)::date
                            AND (k.ends_on IS NULL OR k.ends_on >= (NEW.issued_at AT TIME ZONE s.time_zone)::date)
                            ORDER BY k.store_id NULLS LAST LIMIT 1), 1) = 1
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="settlement.health_record",
                text=_("The vehicle's electronic health record lacks a fact that it can't do without."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="settlement_one_live", fields=["order", "payer"], condition=~Q(state=SettlementState.VOIDED)
            ),
            models.CheckConstraint(
                name="settlement_sum",
                condition=Q(
                    total=models.F("labor_total")
                    + models.F("material_total")
                    + models.F("other_total")
                    - models.F("discount_total")
                    - models.F("rounding_total")
                ),
            ),
            # 4.1: rounding goes down and stays small, else it is a discount that somebody must approve.
            models.CheckConstraint(
                name="settlement_rounding", condition=Q(rounding_total__gte=0, rounding_total__lt=10)
            ),
            models.CheckConstraint(
                name="settlement_signature",
                condition=~Q(state=SettlementState.SIGNED) | (Q(signed_at__isnull=False) & ~Q(signed_name="")),
            ),
            models.CheckConstraint(
                name="settlement_void_reason", condition=~Q(state=SettlementState.VOIDED) | ~Q(void_reason="")
            ),
        ]
        indexes = [models.Index(fields=["store", "-id"], name="settlement_list")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint(
    "settlement_one_live", "settlement.exists", _("This order already has a settlement list for this payer.")
)
explain_constraint("settlement_signature", "settlement.signature", _("Write the name of the person who signs."))
explain_constraint("settlement_void_reason", "settlement.reason", _("Say why the list is voided."))
explain_constraint(
    "settlement_adds_up", "settlement.rows", _("The rows of this settlement list don't add up to its totals.")
)
explain_constraint(
    "orderline_released_by_void",
    "line.settled",
    _("This line stands on a valid settlement list; void the list before its signature to open the line again."),
)
explain_constraint("settlement_rounding", "settlement.rounding", _("Less than ten yuan may be rounded off."))
UNPAID_EXIT = "delivery.unpaid_exit"
GOODWILL = "delivery.goodwill"


class SettlementLineKind(models.TextChoices):
    LABOR = "LABOR", _("Labour")
    MATERIAL = "MATERIAL", _("Material")
    OTHER = "OTHER", _("Other")
    DISCOUNT = "DISCOUNT", _("Discount")


class SettlementLine(models.Model):
    """One row of a settlement list as printed. Never changed, never deleted."""

    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=8, choices=SettlementLineKind.choices)
    position = models.PositiveSmallIntegerField()
    order_line = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="+")
    part_line = models.ForeignKey(PartLine, models.PROTECT, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=120)
    code = models.CharField(max_length=40, blank=True)
    brand = models.CharField(max_length=40, blank=True)
    part_kind = models.CharField(max_length=20, choices=PartKind.choices, blank=True)
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["settlement", "kind", "position"]
        triggers = [
            pgtrigger.Protect(name="settlementline_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.ShownIn("settlement"),
            states.guard(
                # 3.2: a claim that the maker rejects never comes back to a customer who was told that the repair is free.
                "settlementline_told_free",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind <> 'DISCOUNT' AND NEW.amount > 0"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_warrantyclaimline c
                        JOIN workshop_warrantyclaim k ON k.id = c.claim_id
                        JOIN delivery_settlement s ON s.id = NEW.settlement_id
                        JOIN workshop_repairorder o ON o.id = s.order_id
                        JOIN reception_visit v ON v.id = o.visit_id
                        WHERE c.line_id = NEW.order_line_id AND k.told_free AND s.payer_id = v.customer_id)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="warranty_claim.told",
                text=_(
                    "The customer was told that this repair is free; a rejected claim doesn't come back to them (3.2)."
                ),
            ),
            states.guard(
                # 3.2: nobody is billed for what nobody agreed to, or what isn't done.
                "settlementline_work_agreed",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.order_line_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.order_line_id AND authorized_amount IS NOT NULL
                        AND state IN ('COMPLETED', 'INSPECTED', 'WITHDRAWN');
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="settlement.not_agreed",
                text=_("Nobody has agreed to this item, or it isn't done; it doesn't stand on a settlement list."),
            ),
            states.guard(
                # 4.1, 1.2: a reduction that belongs to no line is goodwill and needs somebody's yes.
                "settlementline_goodwill_approved",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind = 'DISCOUNT' AND NEW.order_line_id IS NULL"),
                func="""
                    IF NEW.amount > COALESCE((
                        SELECT max(a.amount) FROM kernel_approval a
                        JOIN workshop_repairorder o ON o.uid = a.root_uid
                        JOIN delivery_settlement s ON s.order_id = o.id
                        WHERE s.id = NEW.settlement_id AND a.kind = 'delivery.goodwill' AND a.state = 'APPROVED'), 0)
                    OR EXISTS (SELECT 1 FROM delivery_settlementline r WHERE r.settlement_id = NEW.settlement_id
                        AND r.kind = 'DISCOUNT' AND r.order_line_id IS NULL)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="settlement.goodwill",
                text=_("Goodwill stands on a list only up to what somebody has approved."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["settlement", "kind", "position"], name="settlementline_position")
        ]


class PaymentMethod(models.TextChoices):
    CASH = "CASH", _("Cash")
    CARD = "CARD", _("Card")
    TRANSFER = "TRANSFER", _("Bank transfer")
    SCAN_CODE = "SCAN_CODE", _("Scan code")
    DEPOSIT = "DEPOSIT", _("From the deposit")


MONEY: tuple[PaymentMethod, ...] = (
    PaymentMethod.CASH,
    PaymentMethod.CARD,
    PaymentMethod.TRANSFER,
    PaymentMethod.SCAN_CODE,
)
"""How money comes in over the counter; DEPOSIT only moves what came in before."""


class Deposit(Root):
    """预付: money received on an order before its list, or for a booking before its car comes (4.1, 2.4, domain 3.5), or
    given back (negative, naming what it reverses). Never changed. When the list is signed, it becomes a payment on it:
    a booking's on the customer's own list of that visit."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    order = models.ForeignKey(RepairOrder, models.PROTECT, null=True, blank=True, related_name="deposits")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="deposits")
    method = models.CharField(max_length=10, choices=PaymentMethod.choices)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reversals")
    reference = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    cashier = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            states.append_only("deposit_append_only"),
            states.guard(
                # 4.1: not back more than is left of it; the deposit is locked while it is summed.
                "deposit_refund_within",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.reverses_id IS NOT NULL"),
                declare=[("was", "numeric")],
                func="""
                    SELECT amount INTO was FROM delivery_deposit
                        WHERE id = NEW.reverses_id AND order_id IS NOT DISTINCT FROM NEW.order_id
                        AND appointment_id IS NOT DISTINCT FROM NEW.appointment_id AND reverses_id IS NULL
                        FOR NO KEY UPDATE;
                    SELECT was + COALESCE(sum(amount), 0) INTO was FROM delivery_deposit
                        WHERE reverses_id = NEW.reverses_id;
                    SELECT was - COALESCE(sum(amount), 0) INTO was FROM delivery_payment
                        WHERE deposit_id = NEW.reverses_id;
                    IF was IS NULL OR was + NEW.amount < 0 THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="deposit.amount",
                text=_("Not more is given back than is left of the deposit."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="deposit_sign",
                condition=Q(amount__gt=0, reverses__isnull=True)
                | (Q(amount__lt=0, reverses__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(name="deposit_is_money", condition=Q(method__in=MONEY)),
            models.CheckConstraint(
                name="deposit_for_one",
                condition=Q(order__isnull=False, appointment__isnull=True)
                | Q(order__isnull=True, appointment__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["store", "at"], name="deposit_day")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.subject.history_keys()

    @property
    def subject(self) -> RepairOrder | Appointment:
        """The order or booking that it was paid for."""
        subject = self.order or self.appointment
        assert subject is not None
        return subject


explain_constraint("deposit_sign", "deposit.refund", _("A deposit is given back as a counter-entry, with a reason."))
explain_constraint("deposit_for_one", "deposit.subject", _("A deposit is for one order or for one booking."))
explain_constraint("deposit_is_money", "payment.method", _("Choose how it is paid."))


class Payment(Root):
    """Money received (positive) or given back (negative, naming the payment it reverses). Never changed (4.1)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="payments")
    method = models.CharField(max_length=10, choices=PaymentMethod.choices)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reversals")
    deposit = models.ForeignKey(Deposit, models.PROTECT, null=True, blank=True, related_name="payments")
    reference = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    cashier = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                # domain 3.5: of a deposit no more is used than came in and is left; both belong to one order, or to a
                # booking and the list of its visit that its customer pays.
                "payment_within_deposit",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.deposit_id IS NOT NULL"),
                declare=[("was", "numeric")],
                func="""
                    SELECT d.amount INTO was FROM delivery_deposit d
                        LEFT JOIN reception_appointment a ON a.id = d.appointment_id
                        JOIN delivery_settlement s ON s.id = NEW.settlement_id
                        JOIN workshop_repairorder o ON o.id = s.order_id
                        JOIN reception_visit v ON v.id = o.visit_id
                        WHERE d.id = NEW.deposit_id AND d.reverses_id IS NULL
                        AND (d.order_id = s.order_id OR (a.id = v.appointment_id AND a.customer_id = s.payer_id))
                        FOR NO KEY UPDATE OF d;
                    SELECT was + COALESCE(sum(amount), 0) INTO was FROM delivery_deposit
                        WHERE reverses_id = NEW.deposit_id;
                    SELECT was - COALESCE(sum(amount), 0) INTO was FROM delivery_payment
                        WHERE deposit_id = NEW.deposit_id;
                    IF was IS NULL OR NEW.amount > was THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="deposit.amount",
                text=_("No more is used than is left of the deposit."),
            ),
            states.append_only("payment_append_only"),
            states.ShownIn("settlement"),
            states.guard(
                # 4.1: not more than the list, not back more than came in; the list is locked while it is summed.
                "payment_within_settlement",
                operation=pgtrigger.Insert,
                declare=[("due", "numeric"), ("paid", "numeric"), ("was", "numeric"), ("list_state", "text")],
                func="""
                    SELECT total, state INTO due, list_state FROM delivery_settlement
                        WHERE id = NEW.settlement_id FOR NO KEY UPDATE;
                    SELECT COALESCE(sum(amount), 0) INTO paid FROM delivery_payment
                        WHERE settlement_id = NEW.settlement_id;
                    IF list_state <> 'SIGNED' OR paid + NEW.amount > due OR paid + NEW.amount < 0 THEN {refuse} END IF;
                    IF NEW.reverses_id IS NOT NULL THEN
                        SELECT p.amount + COALESCE((SELECT sum(r.amount) FROM delivery_payment r
                            WHERE r.reverses_id = p.id), 0) INTO was FROM delivery_payment p
                            WHERE p.id = NEW.reverses_id AND p.settlement_id = NEW.settlement_id;
                        IF was IS NULL OR was + NEW.amount < 0 THEN {refuse} END IF;
                    END IF;
                    RETURN NEW;
                """,
                code="payment.amount",
                text=_(
                    "Money is taken on a signed list only, never more than is open and never back more than was paid."
                ),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="payment_sign",
                condition=Q(amount__gt=0, reverses__isnull=True)
                | (Q(amount__lt=0, reverses__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="payment_deposit_named",
                condition=Q(method=PaymentMethod.DEPOSIT, deposit__isnull=False)
                | (~Q(method=PaymentMethod.DEPOSIT) & Q(deposit__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["store", "at"], name="payment_day")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.settlement.order.history_keys()


explain_constraint(
    "payment_sign", "payment.refund", _("Money is given back as a counter-entry to a payment, with a reason.")
)


explain_constraint("payment_deposit_named", "payment.method", _("Choose how it is paid."))


class HandoverCheck(models.TextChoices):
    """What the advisor checks before the customer takes the car (domain 4.1)."""

    WORK_DONE = "WORK_DONE", _("Everything on the order is done")
    ESTIMATE_COMPARED = "ESTIMATE_COMPARED", _("Bill compared with the estimate")
    WASHED = "WASHED", _("Car washed")
    KIT_REMOVED = "KIT_REMOVED", _("Protective kit taken out")
    TOOLS_REMOVED = "TOOLS_REMOVED", _("No tools or rags left in the car")
    OLD_PARTS_SHOWN = "OLD_PARTS_SHOWN", _("Old parts shown to the customer")
    NEXT_SERVICE = "NEXT_SERVICE", _("Next service explained and sticker in place")
    BELONGINGS = "BELONGINGS", _("Belongings complete")
    PLACE = "PLACE", _("Parking place known, car in front of the door")
    KEY = "KEY", _("Key in hand")


CHECKS_THAT_MAY_NOT_APPLY = frozenset(
    {HandoverCheck.WASHED, HandoverCheck.OLD_PARTS_SHOWN, HandoverCheck.NEXT_SERVICE, HandoverCheck.KIT_REMOVED}
)


class Handover(Root):
    """The car goes back to its customer (4.1). The database opens the gate only when everything before it is done."""

    link_path = "visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    visit = models.OneToOneField(Visit, models.PROTECT, related_name="handover")
    checklist = models.JSONField(default=dict)
    odometer_km = models.PositiveIntegerField()
    next_service_on = models.DateField(null=True, blank=True)
    next_service_km = models.PositiveIntegerField(null=True, blank=True)
    received_by = models.CharField(max_length=60)
    risk_note_signed_by = models.CharField(max_length=60, blank=True, db_default="")
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    signed_on_paper = models.BooleanField(default=False, db_default=False)
    advisor = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    punctual = models.BooleanField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="handover_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "handover_gate_inspection",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_repairorder WHERE visit_id = NEW.visit_id ORDER BY id FOR SHARE;
                    IF EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id
                        AND l.state IN ('DRAFT', 'PENDING', 'AUTHORIZED', 'IN_PROGRESS', 'COMPLETED')
                    ) OR EXISTS (
                        SELECT 1 FROM workshop_repairorder o WHERE o.visit_id = NEW.visit_id
                        AND EXISTS (SELECT 1 FROM workshop_orderline l WHERE l.order_id = o.id AND l.state = 'INSPECTED')
                        AND NOT EXISTS (SELECT 1 FROM workshop_inspection i WHERE i.order_id = o.id
                            AND i.level = 'FINAL' AND i.result = 'PASSED')
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.inspection",
                text=_("No hand-over before the final inspection has passed on every order (4.1)."),
            ),
            states.guard(
                # domain 3.3, 3.2: where begun work was withdrawn, or safety work was declined by word of mouth alone, the
                # customer signs that the car drives without it, on the pad or on paper; a name that somebody typed is none.
                # What was last declined on the link or at the desk, with the statement of the risk, is signed.
                "handover_risk_note",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.risk_note_signed_by = '' OR (NEW.signature_id IS NULL AND NOT NEW.signed_on_paper)"
                ),
                func="""
                    IF EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id AND l.state = 'WITHDRAWN'
                        AND (EXISTS (SELECT 1 FROM workshop_clocking c WHERE c.line_id = l.id)
                            OR EXISTS (SELECT 1 FROM workshop_partline p WHERE p.line_id = l.id
                                AND p.issued_quantity > 0))
                    ) OR EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id AND l.state = 'DECLINED' AND l.is_safety
                        AND NOT EXISTS (SELECT 1 FROM workshop_authorization a WHERE a.line_id = l.id
                            AND a.id = (SELECT max(id) FROM workshop_authorization
                                WHERE line_id = l.id AND status <> 'NOT_ENTITLED')
                            AND a.status IN ('DECLINED', 'REVOKED') AND a.note <> ''
                            AND (a.signature_id IS NOT NULL
                                OR a.method IN ('DIGITAL_PORTAL', 'IN_PERSON_PHYSICAL_SIGNATURE')))
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.risk_note",
                text=_(
                    "Begun work was withdrawn, or safety work was declined without a signature: the customer must sign the "
                    "note about the risk, on the pad or on paper."
                ),
            ),
            states.guard(
                # domain 4.1: an explained next service has its day and its mileage, above the exit reading.
                "handover_next_service",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.checklist ->> 'NEXT_SERVICE' = 'DONE' AND (NEW.next_service_on IS NULL "
                    "OR NEW.next_service_km IS NULL OR NEW.next_service_km <= NEW.odometer_km)"
                ),
                func="{refuse}",
                code="handover.next_service",
                text=_("Where the next service was explained, its day and its mileage above today's are written down."),
            ),
            states.guard(
                # 3.2: what of an accident the customer bears is paid before the car goes, whoever else pays later.
                "handover_own_share",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_accidentcase c JOIN workshop_repairorder o ON o.id = c.order_id
                        JOIN delivery_settlement s ON s.order_id = o.id AND s.state = 'SIGNED'
                        WHERE o.visit_id = NEW.visit_id AND LEAST(workshop_own_share(c.id), s.total) > (
                            SELECT COALESCE(sum(p.amount), 0) FROM delivery_payment p WHERE p.settlement_id = s.id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.own_share",
                text=_("The customer's own share of the accident isn't paid yet (3.2)."),
            ),
            states.guard(
                # domain 3.3: the customer's old parts go along, the maker's were shown; nobody is left without them.
                "handover_old_parts",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM workshop_oldpart p JOIN workshop_orderline l ON l.id = p.line_id
                        JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE o.visit_id = NEW.visit_id AND p.state = 'KEPT'
                        AND (p.disposition = 'CUSTOMER' OR p.told_at IS NULL)
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.old_parts",
                text=_("The customer's old parts go along with the car, and the maker's are shown before (3.2)."),
            ),
            states.guard(
                # domain 4.2: no car with an open recall leaves without its customer being told; done is what an inspected
                # line or another shop has done.
                "handover_recall",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM reception_visit s JOIN reception_vehicle v ON v.id = s.vehicle_id
                        JOIN kernel_store shop ON shop.id = s.store_id
                        JOIN workshop_campaignvehicle r ON r.vin = v.vin
                        JOIN workshop_campaign c ON c.id = r.campaign_id
                        WHERE s.id = NEW.visit_id AND v.vin <> '' AND c.kind = 'RECALL'
                        AND (NEW.at AT TIME ZONE shop.time_zone)::date BETWEEN c.starts_on
                            AND coalesce(c.ends_on, 'infinity'::date)
                        AND NOT EXISTS (SELECT 1 FROM workshop_orderline l
                            WHERE l.id = r.line_id AND l.state = 'INSPECTED')
                        AND NOT COALESCE((SELECT said.reply FROM workshop_campaignanswer said
                        WHERE said.vehicle_id = r.id ORDER BY said.id DESC LIMIT 1), '') = 'ELSEWHERE'
                        AND NOT EXISTS (SELECT 1 FROM workshop_campaignanswer a
                            WHERE a.visit_id = s.id AND a.vehicle_id = r.id)
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.recall",
                text=_("A recall of this car is open: do it, or write down what the customer was told."),
            ),
            states.guard(
                "handover_gate_certificate",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM workshop_repairorder o WHERE o.visit_id = NEW.visit_id
                        AND EXISTS (SELECT 1 FROM workshop_orderline l WHERE l.order_id = o.id AND l.state = 'INSPECTED'
                            AND l.category IN ('WHOLE_VEHICLE', 'ASSEMBLY', 'SECOND_MAINTENANCE'))
                        AND NOT EXISTS (SELECT 1 FROM workshop_certificate c
                            WHERE c.order_id = o.id AND c.voided_at IS NULL)
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.certificate",
                text=_("This kind of repair needs its certificate before the hand-over (domain 3.2)."),
            ),
            states.guard(
                "handover_gate_settlement",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id
                        AND (l.settled OR l.state = 'INSPECTED' OR (l.state = 'WITHDRAWN' AND (
                            l.fee_amount > 0 OR EXISTS (SELECT 1 FROM workshop_clocking c WHERE c.line_id = l.id)
                            OR EXISTS (SELECT 1 FROM workshop_partline p WHERE p.line_id = l.id
                                AND (p.issued_quantity > 0 OR p.reserved_quantity > 0)))))
                        AND (NOT l.settled OR NOT EXISTS (SELECT 1 FROM delivery_settlement s
                            WHERE s.order_id = o.id AND s.state = 'SIGNED'))
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.settlement",
                text=_("The settlement list must be issued and signed before the hand-over (4.1)."),
            ),
            states.guard(
                "handover_gate_payment",
                operation=pgtrigger.Insert,
                func="""
                    -- the lists are locked while their payments are summed, so no refund slips between
                    PERFORM 1 FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
                        WHERE o.visit_id = NEW.visit_id ORDER BY s.id FOR SHARE OF s;
                    IF EXISTS (
                        SELECT 1 FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
                        CROSS JOIN LATERAL (SELECT s.total - COALESCE(sum(p.amount), 0) AS due
                            FROM delivery_payment p WHERE p.settlement_id = s.id) still
                        WHERE o.visit_id = NEW.visit_id AND s.state = 'SIGNED' AND still.due > 0
                        AND NOT EXISTS (SELECT 1 FROM kernel_approval a WHERE a.kind = 'delivery.unpaid_exit'
                            AND a.root_uid = s.uid AND a.state = 'APPROVED' AND a.amount >= still.due)
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="handover.payment",
                text=_("Not everything is paid, and nobody has approved an unpaid exit (4.1)."),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()


class GatePassKind(models.TextChoices):
    DELIVERED = "DELIVERED", _("Delivered")
    UNREPAIRED = "UNREPAIRED", _("Leaves unrepaired")
    TEMPORARY = "TEMPORARY", _("Leaves for a while")
    ROAD_TEST = "ROAD_TEST", _("Road test")
    SUBLET = "SUBLET", _("To outside work")
    RETURN = "RETURN", _("Brought back to the customer")
    PARTS_WAIT = "PARTS_WAIT", _("Waits for a part")


class GatePass(Root):
    """Lets one car out of the gate once (4.1); each kind has its own conditions, held by the database."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="gate_passes")
    kind = models.CharField(max_length=10, choices=GatePassKind.choices)
    code = models.CharField(max_length=40, unique=True, default=rules.new_gate_code)
    reason = models.CharField(max_length=200, blank=True)
    risk_note_signed_by = models.CharField(max_length=60, blank=True)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    signed_on_paper = models.BooleanField(default=False, db_default=False)
    issued_by = models.ForeignKey(Employee, models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    out_at = models.DateTimeField(null=True, blank=True)
    back_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                "gatepass_needs_handover",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind = 'DELIVERED'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM delivery_handover WHERE visit_id = NEW.visit_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gatepass.handover",
                text=_("A gate pass for a delivered car needs the signed hand-over."),
            ),
            states.guard(
                "gatepass_unrepaired_settled",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind IN ('UNREPAIRED', 'RETURN')"),
                func="""
                    PERFORM 1 FROM workshop_repairorder WHERE visit_id = NEW.visit_id ORDER BY id FOR SHARE;
                    IF EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id
                        AND (l.state NOT IN ('DECLINED', 'WITHDRAWN', 'CANCELLED', 'INSPECTED')
                            OR (l.state = 'INSPECTED' AND NOT l.settled)
                            OR (l.state = 'WITHDRAWN' AND NOT l.settled AND (
                                l.fee_amount > 0 OR EXISTS (SELECT 1 FROM workshop_clocking c WHERE c.line_id = l.id)
                                OR EXISTS (SELECT 1 FROM workshop_partline p WHERE p.line_id = l.id
                                    AND (p.issued_quantity > 0 OR p.reserved_quantity > 0)))))
                    ) OR EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN delivery_settlement s ON s.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id AND s.state = 'ISSUED'
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gatepass.unrepaired",
                text=_("Settle what was done and take the parts back before the car leaves unrepaired."),
            ),
            states.guard(
                "gatepass_unrepaired_paid",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind IN ('UNREPAIRED', 'RETURN')"),
                func="""
                    -- the lists are locked while their payments are summed, so no refund slips between
                    PERFORM 1 FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
                        WHERE o.visit_id = NEW.visit_id ORDER BY s.id FOR SHARE OF s;
                    IF EXISTS (
                        SELECT 1 FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
                        CROSS JOIN LATERAL (SELECT s.total - COALESCE(sum(p.amount), 0) AS due
                            FROM delivery_payment p WHERE p.settlement_id = s.id) still
                        WHERE o.visit_id = NEW.visit_id AND s.state = 'SIGNED' AND still.due > 0
                        AND NOT EXISTS (SELECT 1 FROM kernel_approval a WHERE a.kind = 'delivery.unpaid_exit'
                            AND a.root_uid = s.uid AND a.state = 'APPROVED' AND a.amount >= still.due)
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gatepass.payment",
                text=_("What was done is not paid, and nobody has approved an unpaid exit (4.1)."),
            ),
            states.guard(
                # 2.1.2: a car is brought back by somebody who is planned to.
                "gatepass_return_planned",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind = 'RETURN'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM reception_transport
                        WHERE visit_id = NEW.visit_id AND kind = 'RETURN' AND state = 'PLANNED') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gatepass.return",
                text=_("First plan who brings the car back, when and where to."),
            ),
            states.guard(
                # A car that comes back must have work to come back to; nobody may be working on it as it leaves.
                "gatepass_comes_back",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind IN ('TEMPORARY', 'ROAD_TEST', 'SUBLET', 'PARTS_WAIT')"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM reception_visit WHERE id = NEW.visit_id AND state = 'IN_SHOP')
                    OR (NEW.kind = 'ROAD_TEST' AND NOT EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        WHERE o.visit_id = NEW.visit_id AND l.state IN ('IN_PROGRESS', 'COMPLETED', 'INSPECTED')))
                    OR (NEW.kind = 'SUBLET' AND NOT EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        JOIN workshop_subletorder f ON f.line_id = l.id AND f.leaves = 'CAR'
                            AND f.state IN ('ASKED', 'NOT_OK')
                        WHERE o.visit_id = NEW.visit_id AND l.state IN ('AUTHORIZED', 'IN_PROGRESS')))
                    OR (NEW.kind = 'PARTS_WAIT' AND NOT EXISTS (SELECT 1 FROM workshop_awaywait
                        WHERE visit_id = NEW.visit_id AND left_at IS NULL AND cancelled_at IS NULL))
                    OR (NEW.kind IN ('TEMPORARY', 'SUBLET', 'PARTS_WAIT') AND EXISTS (
                        SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
                        JOIN workshop_clocking c ON c.line_id = l.id
                        WHERE o.visit_id = NEW.visit_id AND c.ended_at IS NULL))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gatepass.comes_back",
                text=_(
                    "A road test needs started work, outside work that it is noted on the order with its firm, a wait for "
                    "a part that it is noted there; for a while away nobody may be clocked on to the car."
                ),
            ),
            states.guard(
                # domain 3.3: a car that leaves unrepaired leaves with a signed note about the risk, on the pad or on paper.
                "gatepass_unsigned_risk",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.kind = 'UNREPAIRED' AND NEW.risk_note_signed_by <> '' "
                    "AND NEW.signature_id IS NULL AND NOT NEW.signed_on_paper"
                ),
                func="{refuse}",
                code="gatepass.risk_note",
                text=_("The customer signs the note about the risk: on the pad, or tick that it was signed on paper."),
            ),
            states.guard(
                "gatepass_used_once",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.visit_id, OLD.kind, OLD.code, OLD.reason, OLD.risk_note_signed_by,
                            OLD.signature_id, OLD.signed_on_paper)
                            IS DISTINCT FROM (NEW.visit_id, NEW.kind, NEW.code, NEW.reason, NEW.risk_note_signed_by,
                            NEW.signature_id, NEW.signed_on_paper)
                        OR OLD.cancelled_at IS NOT NULL OR OLD.back_at IS NOT NULL
                        OR (OLD.out_at IS NOT NULL AND NEW.out_at IS DISTINCT FROM OLD.out_at)
                        OR (OLD.out_at IS NOT NULL AND NEW.cancelled_at IS NOT NULL)
                        OR (NEW.back_at IS NOT NULL AND NEW.kind IN ('DELIVERED', 'UNREPAIRED'))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gatepass.used",
                text=_("A gate pass opens the gate once; issue a new one."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="gatepass_risk_note", condition=~Q(kind=GatePassKind.UNREPAIRED) | ~Q(risk_note_signed_by="")
            ),
            models.CheckConstraint(name="gatepass_reason", condition=Q(kind=GatePassKind.DELIVERED) | ~Q(reason="")),
            models.CheckConstraint(
                name="gatepass_back_after_out",
                condition=Q(back_at__isnull=True) | Q(out_at__isnull=False, back_at__gte=models.F("out_at")),
            ),
            models.UniqueConstraint(
                name="gatepass_one_live",
                fields=["visit"],
                condition=Q(back_at__isnull=True, cancelled_at__isnull=True),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()

    @property
    def said_code(self) -> str:
        """The code in groups, to be read aloud and typed."""
        return rules.group_gate_code(self.code)


explain_constraint("gatepass_risk_note", "gatepass.risk_note", _("The customer must sign the note about the risk."))
explain_constraint("gatepass_reason", "gatepass.reason", _("Say why the car leaves."))
explain_constraint("gatepass_one_live", "gatepass.exists", _("This car already has a valid gate pass."))


class FollowUpState(models.TextChoices):
    DUE = "DUE", _("To be called")
    REACHED = "REACHED", _("Reached")
    GIVEN_UP = "GIVEN_UP", _("Not reached, written to")
    NOT_WANTED = "NOT_WANTED", _("Not wanted")


FOLLOWUP_MOVES: dict[FollowUpState, set[FollowUpState]] = {
    FollowUpState.DUE: {FollowUpState.REACHED, FollowUpState.GIVEN_UP, FollowUpState.NOT_WANTED},
    FollowUpState.REACHED: set(),
    FollowUpState.GIVEN_UP: set(),
    FollowUpState.NOT_WANTED: set(),
}


class CallResult(models.TextChoices):
    """Domain 4.2."""

    REACHED = "REACHED", _("Reached")
    NO_ANSWER = "NO_ANSWER", _("No answer")
    SWITCHED_OFF = "SWITCHED_OFF", _("Switched off or out of service")
    WRONG_NUMBER = "WRONG_NUMBER", _("Wrong number")
    REFUSED = "REFUSED", _("Refused to talk")
    OTHER_TIME = "OTHER_TIME", _("Another time")
    DO_NOT_CALL = "DO_NOT_CALL", _("Do not call again")


class FollowUp(Root):
    """The callback after a hand-over (4.2): due on day 3, tried up to five days, then a letter."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    visit = models.OneToOneField(Visit, models.PROTECT, related_name="follow_up")
    state = models.CharField(max_length=10, choices=FollowUpState.choices, default=FollowUpState.DUE)
    due_on = models.DateField()
    attempts = models.PositiveSmallIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    words = models.CharField(_("what the customer said"), max_length=500, blank=True)

    class Meta:
        triggers = [states.versioned(), states.fsm(FOLLOWUP_MOVES, field="state", name="followup_moves")]
        indexes = [models.Index(fields=["store", "state", "due_on"], name="followup_due")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()


class FollowUpAttempt(models.Model):
    """One call."""

    follow_up = models.ForeignKey(FollowUp, models.CASCADE, related_name="calls")
    result = models.CharField(max_length=12, choices=CallResult.choices)
    note = models.CharField(max_length=300, blank=True)
    caller = models.ForeignKey(Employee, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [states.ShownIn("follow_up")]


class DateKind(models.TextChoices):
    """What of a car ends or is due on a day (2.3, 3.1, domain 2.3)."""

    INSURANCE = "INSURANCE", _("Insurance")
    INSPECTION = "INSPECTION", _("Annual inspection")
    STICKER = "STICKER", _("Inspection sticker")
    SERVICE = "SERVICE", pgettext_lazy("reminder", "Maintenance by its plan")


class DateReminderState(models.TextChoices):
    OPEN = "OPEN", pgettext_lazy("reminder", "To be asked")
    WITH_US = "WITH_US", pgettext_lazy("reminder", "Comes to us")
    ELSEWHERE = "ELSEWHERE", pgettext_lazy("reminder", "Done elsewhere")
    NOT_WANTED = "NOT_WANTED", pgettext_lazy("reminder", "Not wanted")
    NOT_REACHED = "NOT_REACHED", pgettext_lazy("reminder", "Not reached")


DATE_REMINDER_MOVES: dict[DateReminderState, set[DateReminderState]] = {
    DateReminderState.OPEN: set(DateReminderState) - {DateReminderState.OPEN},
    **{state: set() for state in DateReminderState if state != DateReminderState.OPEN},
}


class DateReminder(Root):
    """A car's owner was told that insurance or inspection ends on a day, or that maintenance is due then; once for each
    of them (3.1, 4.2).

    It is an offer, not part of a service: only who agreed to offers and news is written to, and the database refuses
    the others. Customer care asks afterwards and writes down what came of it.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="date_reminders")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="date_reminders")
    kind = models.CharField(max_length=10, choices=DateKind.choices)
    due_on = models.DateField(_("ends on"))
    state = models.CharField(max_length=11, choices=DateReminderState.choices, default=DateReminderState.OPEN)
    told_at = models.DateTimeField(default=clock.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(DATE_REMINDER_MOVES, field="state", name="datereminder_moves"),
            states.fixed("datereminder_fixed", "store_id", "vehicle_id", "kind", "due_on", "told_at"),
            states.guard(
                # 2.3, PIPL art. 13: no offer without the owner's consent; the customer is locked while it is looked up.
                "datereminder_consent",
                operation=pgtrigger.Insert,
                declare=[("agreed", "boolean")],
                func="""
                    PERFORM 1 FROM reception_customer WHERE id = NEW.customer_id FOR SHARE;
                    SELECT given INTO agreed FROM reception_consent
                        WHERE customer_id = NEW.customer_id AND purpose = 'MARKETING' ORDER BY at DESC, id DESC LIMIT 1;
                    IF agreed IS NOT TRUE THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="date_reminder.consent",
                text=_("This customer hasn't agreed to offers and news, so nothing is written."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["vehicle", "kind", "due_on"], name="datereminder_once"),
            models.CheckConstraint(
                name="datereminder_closed",
                condition=Q(state=DateReminderState.OPEN, closed_at__isnull=True)
                | (~Q(state=DateReminderState.OPEN) & Q(closed_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["store", "state", "due_on"], name="datereminder_due")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid, "vehicle": self.vehicle.uid}


class Survey(Root):
    """The survey on the visit's link (4.3); answered once."""

    link_path: ClassVar[str | None] = "visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    visit = models.OneToOneField(Visit, models.PROTECT, related_name="survey")
    sent_at = models.DateTimeField(default=clock.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    recommend = models.PositiveSmallIntegerField(null=True, blank=True, help_text="NPS, 0 to 10")
    words = models.CharField(max_length=500, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                "survey_answered_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.answered_at IS NOT NULL"),
                func="{refuse}",
                unchanged_passes=True,
                code="survey.answered",
                text=_("This survey has been answered; thank you."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="survey_recommend", condition=Q(recommend__isnull=True) | Q(recommend__lte=10))
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()


class SurveyDimension(models.TextChoices):
    """Domain 4.3 with its weights 25, 15, 20, 25, 15."""

    RECEPTION = "RECEPTION", _("Reception")
    FACILITY = "FACILITY", _("Facility")
    PROCESS = "PROCESS", _("Course of the work")
    QUALITY = "QUALITY", _("Quality of the work")
    DELIVERY = "DELIVERY", _("Hand-over")


class SurveyAnswer(models.Model):
    """One dimension, 1 (very dissatisfied) to 5 (very satisfied)."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="answers")
    dimension = models.CharField(max_length=10, choices=SurveyDimension.choices)
    score = models.PositiveSmallIntegerField()

    class Meta:
        triggers = [states.ShownIn("survey")]
        constraints = [
            models.UniqueConstraint(fields=["survey", "dimension"], name="surveyanswer_once"),
            models.CheckConstraint(name="surveyanswer_score", condition=Q(score__gte=1, score__lte=5)),
        ]


# --- rework within the guarantee (3.2) ---
# --- core charges (3.2) ---
from delivery.core_models import CorePayout  # noqa: E402, F401  (found with the room's models)
from delivery.rework_models import CostBearer, ReworkCase, ReworkCause, ReworkState  # noqa: E402, F401  (found with the room's models)

# --- sales over the counter (3.2) ---
from delivery.sale_models import SalePayment  # noqa: E402, F401  (found with the room's models)
