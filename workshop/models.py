"""Repair orders, lines, authorisations, work, parts on the shelf, inspection and certificates (chapter 3)."""

from __future__ import annotations

import uuid
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, RangeOperators
from django.contrib.postgres.fields.ranges import DateTimeRangeField, RangeBoundary
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Operation, Part, PartKind, PayType, RepairCategory, Reservation, Resource
from dealership.kernel import clock, saying, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, StoredFile, User
from reception.models import Customer, CustomerContact, QuotationLine, Vehicle, Visit, to_standing_customer
from staff.models import Employee


class OrderStage(models.TextChoices):
    """The order's stage, derived from its lines by the database (trigger ``order_stage_follows_lines``)."""

    DRAFT = "DRAFT", _("Being written")
    AWAITING_AUTHORIZATION = "AWAITING_AUTHORIZATION", _("Waiting for the customer's yes")
    AUTHORIZED = "AUTHORIZED", _("Agreed, to be dispatched")
    IN_WORK = "IN_WORK", _("In work")
    ON_HOLD = "ON_HOLD", pgettext_lazy("order", "Waiting")
    INSPECTION = "INSPECTION", _("To be inspected")
    READY = "READY", _("Ready for settlement")
    SETTLED = "SETTLED", _("Settled")
    CLOSED = "CLOSED", _("Closed")
    CANCELLED = "CANCELLED", _("Cancelled")


ORDER_STAGE_COLORS = {
    OrderStage.DRAFT: "reception",
    OrderStage.AWAITING_AUTHORIZATION: "consent",
    OrderStage.AUTHORIZED: "wait",
    OrderStage.IN_WORK: "work",
    OrderStage.ON_HOLD: "wait",
    OrderStage.INSPECTION: "inspect",
    OrderStage.READY: "ready",
    OrderStage.SETTLED: "ready",
    OrderStage.CLOSED: "booked",
    OrderStage.CANCELLED: "booked",
}


class OrderKind(models.TextChoices):
    CUSTOMER = "CUSTOMER", _("Customer order")
    WARRANTY = "WARRANTY", _("Warranty order")
    INSURANCE = "INSURANCE", _("Insurance order")
    REWORK = "REWORK", _("Rework order")
    INTERNAL = "INTERNAL", _("Internal order")


class RepairOrder(Root):
    """One order of one visit (3.2). Its stage is derived from its lines; settlement and closing are set by chapter 4."""

    link_path = "visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="orders")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders", help_text="who pays")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="orders")
    kind = models.CharField(max_length=10, choices=OrderKind.choices, default=OrderKind.CUSTOMER)
    original = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reworks")
    stage = models.CharField(max_length=24, choices=OrderStage.choices, default=OrderStage.DRAFT)
    advisor = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    complaint = models.CharField(_("customer's own words"), max_length=500)
    promised_at = models.DateTimeField(_("promised"), null=True, blank=True)
    opened_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            states.fixed("repairorder_visit_fixed", "visit_id"),
            states.versioned(),
            to_standing_customer("repairorder_standing_customer"),
            states.guard(
                # design 5: the stage follows from the lines; nobody writes it.
                "repairorder_stage_is_derived",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("stage"),
                func="""
                    IF (TG_OP = 'INSERT' AND NEW.stage <> 'DRAFT')
                        OR (TG_OP = 'UPDATE' AND NEW.stage IS DISTINCT FROM OLD.stage AND pg_trigger_depth() < 2)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="order.stage",
                text=_("The order's stage follows from its lines and can't be set."),
            ),
            pgtrigger.Trigger(
                name="order_stage_follows_end",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("settled_at", "closed_at", "withdrawn_at"),
                func="PERFORM workshop_derive_stage(NEW.id); RETURN NULL;",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "stage"], name="repairorder_board"),
            models.Index(fields=["store", "-id"], name="repairorder_list"),
            models.Index(fields=["vehicle", "-id"], name="repairorder_vehicle"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stage_color(self) -> str:
        """The suffix of the stage's colour in the style sheet."""
        return ORDER_STAGE_COLORS[OrderStage(self.stage)]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {
            "visit": self.visit.uid,
            "vehicle": self.vehicle.uid,
            "customer": self.customer.uid,
            "order": self.uid,
        }


class PromiseTold(models.TextChoices):
    MESSAGE = "MESSAGE", _("By message")
    PHONE = "PHONE", _("By telephone")
    AGREED = "AGREED", _("Agreed to with the estimate")
    IN_PERSON = "IN_PERSON", _("In person")
    NOT_YET = "NOT_YET", _("Not told yet")


class PromiseChange(Root):
    """A change of the promised time with its reason and how the customer was told (3.2). Rows are never changed."""

    store_path = "order__store_id"
    link_path = "order__visit_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="promise_changes")
    before = models.DateTimeField(null=True, blank=True)
    after = models.DateTimeField()
    reason = models.CharField(_("reason"), max_length=200)
    told = models.CharField(max_length=10, choices=PromiseTold.choices)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="promisechange_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: what somebody has told says who told whom; looked at when everything is written.
                "promisechange_told_by_somebody",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.told IN ('PHONE', 'IN_PERSON')"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_promisetelling WHERE change_id = NEW.id)
                    THEN {refuse} END IF;
                    RETURN NULL;
                """,
                code="promise.told_to",
                text=_("Write who was told of the new time."),
            ),
        ]
        constraints = [models.CheckConstraint(name="promisechange_reason", condition=~Q(reason=""))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("promisechange_reason", "promise.reason", _("Say why the promised time changes."))


class LineState(models.TextChoices):
    """STAR LaborOperationStatusTypes where it has the meaning."""

    DRAFT = "DRAFT", _("Not sent")
    PENDING = "PENDING", _("Asked, no answer yet")
    AUTHORIZED = "AUTHORIZED", _("Agreed")
    DECLINED = "DECLINED", _("Declined")
    IN_PROGRESS = "IN_PROGRESS", _("In work")
    COMPLETED = "COMPLETED", _("Work done")
    INSPECTED = "INSPECTED", _("Inspected")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("line", "Withdrawn")
    CANCELLED = "CANCELLED", _("Cancelled")


class DeclineCause(models.TextChoices):
    """Why a customer says no to a line, to be counted and answered (3.2, 4.4)."""

    PRICE = "PRICE", _("Too dear")
    LATER = "LATER", _("Next time")
    ELSEWHERE = "ELSEWHERE", _("Elsewhere or by myself")
    TIME = "TIME", _("No time to wait")
    DOUBT = "DOUBT", _("Not convinced it is needed")


class DiscountKind(models.TextChoices):
    """Why a discount needs no post's limit (3.2)."""

    ASSESSMENT = "ASSESSMENT", _("The insurer's assessment")


class ReassemblyAnswer(models.TextChoices):
    """What becomes of something that lies in pieces when the work on it ends without a repair (3.2)."""

    CHARGED = "CHARGED", _("Put together again at the agreed price")
    FREE = "FREE", _("Put together again, not charged")
    APART = "APART", _("Stays in pieces, as the customer wants it")


L = LineState
LINE_MOVES = {
    L.DRAFT: {L.PENDING, L.AUTHORIZED, L.DECLINED, L.CANCELLED},
    L.PENDING: {L.AUTHORIZED, L.DECLINED, L.DRAFT, L.CANCELLED},
    L.AUTHORIZED: {L.IN_PROGRESS, L.WITHDRAWN, L.DRAFT, L.DECLINED},
    L.DECLINED: {L.PENDING, L.DRAFT, L.AUTHORIZED},
    L.IN_PROGRESS: {L.COMPLETED, L.WITHDRAWN},
    L.COMPLETED: {L.INSPECTED, L.IN_PROGRESS},
    L.INSPECTED: {L.IN_PROGRESS},
    L.WITHDRAWN: set(),
    L.CANCELLED: set(),
}
AGREED: tuple[LineState, ...] = (L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED, L.WITHDRAWN)
SMALL_DISCOUNTS = ("advisor", "gm", "manager")
LARGE_DISCOUNTS = ("gm", "manager")
"""The posts that may give a discount alone, as ``permissions`` grants it; the database reads their grants (3.2)."""


class OrderLine(Root):
    """A labour operation of an order with its price; what the customer agrees to or declines, one by one (3.2).

    Amounts are CNY with VAT. ``labor_amount`` = hours × rate − discount; parts hang on the line.
    """

    store_path = "order__store_id"
    link_path = "order__visit_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, blank=True, related_name="+")
    description = models.CharField(_("work"), max_length=120)
    category = models.CharField(max_length=20, choices=RepairCategory.choices, default=RepairCategory.MINOR)
    pay_type = models.CharField(max_length=20, choices=PayType.choices, default=PayType.CUSTOMER_PAY)
    hours = models.DecimalField(_("hours"), max_digits=5, decimal_places=2)
    rate = models.DecimalField(max_digits=10, decimal_places=2)
    discount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    labor_amount = models.DecimalField(max_digits=12, decimal_places=2)
    fee_amount = models.DecimalField(
        _("other fee"), max_digits=12, decimal_places=2, default=0, help_text="outside work, towing, tests"
    )
    fee_note = models.CharField(_("other fee for"), max_length=60, blank=True)
    is_diagnosis = models.BooleanField(default=False)
    is_addition = models.BooleanField(default=False)
    is_safety = models.BooleanField(default=False)
    extra_minutes = models.PositiveSmallIntegerField(default=0, help_text="how much later the car gets ready")
    complaint = models.CharField(_("complaint"), max_length=300, blank=True)
    cause = models.CharField(_("cause"), max_length=300, blank=True)
    correction = models.CharField(_("correction"), max_length=300, blank=True)
    cause_due = models.JSONField(
        null=True, blank=True, help_text="what the due list counted with, where the cause is its sentence (3.1)"
    )
    told_cause = models.CharField(
        max_length=300, blank=True, db_default="", help_text="the cause as the customer read it when deciding"
    )
    state = models.CharField(max_length=12, choices=L.choices, default=L.DRAFT)
    declined_reason = models.CharField(max_length=200, blank=True)
    declined_cause = models.CharField(max_length=10, choices=DeclineCause.choices, blank=True)
    authorized_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    settled = models.BooleanField(default=False)
    quoted = models.ForeignKey(QuotationLine, models.PROTECT, null=True, blank=True, related_name="+")
    is_dismantling = models.BooleanField(default=False, db_default=False, help_text="takes something apart to find out")
    reassembly_amount = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="putting it together again costs no more, if the repair is declined",
    )
    found_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="findings",
        help_text="what was taken apart to find it",
    )
    reassembles = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reassemblies",
        help_text="what it puts together again",
    )
    reassembly_answer = models.CharField(
        max_length=8,
        choices=ReassemblyAnswer.choices,
        blank=True,
        db_default="",
        default="",
        help_text="what was said when the work ended without a repair; a charged one is a line of its own",
    )
    package = models.ForeignKey(
        "workshop.OrderPackage", models.PROTECT, null=True, blank=True, related_name="lines", help_text="at one price"
    )
    discount_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    discount_at = models.DateTimeField(null=True, blank=True)
    discount_kind = models.CharField(
        max_length=10,
        choices=DiscountKind.choices,
        blank=True,
        db_default="",
        default="",
        help_text="empty: given by a post within its limit, or approved",
    )

    class Meta:
        ordering = ["order", "position"]
        triggers = [
            states.ShownIn(root="workshop.Advice", by="line", fields=("description",)),
            states.guard(
                # 2.2.2, L12: what was quoted isn't dearer, and a line begun under a quotation stays under it.
                "orderline_honours_quotation",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.quoted_id IS NOT NULL"),
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.quoted_id IS NOT NULL AND NEW.quoted_id <> OLD.quoted_id
                    THEN {refuse} END IF;
                    IF NEW.pay_type <> 'CUSTOMER_PAY' THEN RETURN NEW; END IF;
                    PERFORM 1 FROM reception_quotationline l JOIN reception_quotation q ON q.id = l.quotation_id
                        JOIN workshop_repairorder o ON o.id = NEW.order_id AND o.store_id = q.store_id
                        JOIN kernel_store s ON s.id = q.store_id
                        WHERE l.id = NEW.quoted_id AND q.total IS NOT NULL AND l.operation_id = NEW.operation_id
                            AND NEW.rate <= l.rate AND NEW.labor_amount <= l.amount
                            AND (TG_OP = 'UPDATE'
                                OR (NEW.created_at AT TIME ZONE s.time_zone)::date <= q.valid_until);
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="quotation.honoured",
                text=_("The customer was quoted a price for this work; it doesn't get dearer (2.2.2)."),
            ),
            states.guard(
                "orderline_quotation_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.quoted_id IS NOT NULL AND NEW.quoted_id IS NULL"),
                func="{refuse}",
                code="quotation.honoured",
                text=_("The customer was quoted a price for this work; it doesn't get dearer (2.2.2)."),
            ),
            states.fixed("orderline_order_fixed", "order_id"),
            states.fixed("orderline_reassembles_fixed", "reassembles_id"),
            states.guard(
                # 3.2: who lets something be taken apart knows beforehand what it costs to be put together again.
                "orderline_reassembly_stated",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "OLD.state = 'DRAFT' AND NEW.state IN ('PENDING', 'AUTHORIZED') "
                    "AND (NEW.is_diagnosis OR NEW.is_dismantling) AND NEW.reassembly_amount IS NULL"
                ),
                func="{refuse}",
                code="line.reassembly",
                text=_("Say what putting it together again costs if the repair is declined; 0 where it is free (3.2)."),
            ),
            states.guard(
                # 3.2: putting together again costs no more than was stated with the taking apart, and only follows it.
                "orderline_reassembly_as_agreed",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.reassembles_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM workshop_orderline d WHERE d.id = NEW.reassembles_id AND d.order_id = NEW.order_id
                        AND NEW.labor_amount + NEW.fee_amount <= d.reassembly_amount
                        AND COALESCE(NEW.authorized_amount, 0) <= d.reassembly_amount
                        AND (TG_OP = 'UPDATE' OR d.state IN ('IN_PROGRESS', 'COMPLETED', 'INSPECTED')
                            OR d.state = 'WITHDRAWN' AND EXISTS (SELECT 1 FROM workshop_clocking WHERE line_id = d.id))
                        FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.reassembly",
                text=_(
                    "Putting together again follows what was taken apart and costs no more than was agreed with it."
                ),
            ),
            states.guard(
                # 3.2: it is put together again once, not where somebody said that it isn't charged, and never beside a
                # repair found by it that was agreed to.
                "orderline_reassembly_instead_of_repair",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.reassembles_id IS NOT NULL"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline WHERE found_by_id = NEW.reassembles_id
                            AND state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED'))
                        OR EXISTS (SELECT 1 FROM workshop_orderline r JOIN workshop_clocking c ON c.line_id = r.id
                            WHERE r.reassembles_id = NEW.reassembles_id)
                        OR EXISTS (SELECT 1 FROM workshop_orderline
                            WHERE id = NEW.reassembles_id AND reassembly_answer = 'FREE')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.reassembly",
                text=_("What is repaired, or was put together once, isn't charged for being put together again (3.2)."),
            ),
            states.guard(
                # 3.2: a repair that is agreed to takes the place of putting together again, unless that has begun; looked
                # at when everything is written.
                "orderline_repair_instead_of_reassembly",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.found_by_id IS NOT NULL AND NEW.state = 'AUTHORIZED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline WHERE id = NEW.id AND state = 'AUTHORIZED')
                        AND EXISTS (SELECT 1 FROM workshop_orderline r WHERE r.reassembles_id = NEW.found_by_id
                            AND r.state = 'AUTHORIZED'
                            AND NOT EXISTS (SELECT 1 FROM workshop_clocking WHERE line_id = r.id))
                    THEN {refuse} END IF;
                    RETURN NULL;
                """,
                code="line.reassembly",
                text=_("The repair is done after all: putting together again is taken off first (3.2)."),
            ),
            states.guard(
                # 3.1: a line enters a package as it is written and leaves it only while nobody has agreed.
                "orderline_package_fixed",
                operation=pgtrigger.UpdateOf("package_id"),
                func="""
                    IF NEW.package_id IS DISTINCT FROM OLD.package_id
                        AND (NEW.package_id IS NOT NULL OR OLD.state <> 'DRAFT') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="package.agreed",
                text=_("The customer has agreed to this package; its lines stay at its price."),
            ),
            states.guard(
                # 3.1: what the customer is asked about as a package is whole, and costs what the package costs.
                "orderline_package_adds_up",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "NEW.package_id IS NOT NULL AND OLD.state = 'DRAFT' AND NEW.state IN ('PENDING', 'AUTHORIZED')"
                ),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderpackage p WHERE p.id = NEW.package_id
                        AND p.order_id = NEW.order_id AND p.dissolved_at IS NULL AND p.price = (
                            SELECT sum(CASE WHEN l.id = NEW.id THEN NEW.labor_amount + NEW.fee_amount
                                ELSE l.labor_amount + l.fee_amount END + COALESCE((SELECT sum(x.amount)
                                FROM workshop_partline x WHERE x.line_id = l.id), 0))
                            FROM workshop_orderline l WHERE l.package_id = p.id
                                AND l.state IN ('DRAFT', 'PENDING', 'AUTHORIZED'))
                        AND (SELECT count(*) FROM workshop_orderline l WHERE l.package_id = p.id)
                            = (SELECT count(*) FROM catalogue_packageitem i WHERE i.package_id = p.package_id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="package.sum",
                text=_("The lines of a package add up to its price, and none of them is missing."),
            ),
            states.guard(
                # 3.1: a package is agreed to or declined as a whole; looked at when everything is written.
                "orderline_package_whole",
                operation=pgtrigger.UpdateOf("state"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.package_id IS NOT NULL"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline WHERE package_id = NEW.package_id
                        AND state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED', 'WITHDRAWN'))
                    AND EXISTS (SELECT 1 FROM workshop_orderline WHERE package_id = NEW.package_id
                        AND state IN ('DRAFT', 'PENDING', 'DECLINED', 'CANCELLED'))
                    THEN {refuse} END IF;
                    RETURN NULL;
                """,
                code="package.whole",
                text=_("A package is agreed to or declined as a whole."),
            ),
            states.guard(
                # 3.2: who gives a discount stays within the limit of the post, or somebody else has approved the amount.
                # A discount that doesn't grow in per cent passes: what was done of a withdrawn line keeps its share. So does
                # one that brings an insured line down to what the insurer has agreed to pay, and no lower.
                "orderline_discount_within_limit",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.discount > 0 AND NEW.reassembles_id IS NULL AND NEW.package_id IS NULL"
                ),
                declare=[("gross", "numeric"), ("before", "numeric"), ("most", "numeric"), ("given", "record")],
                func="""
                    gross := round(NEW.hours * NEW.rate, 2);
                    IF TG_OP = 'UPDATE' THEN
                        before := round(OLD.hours * OLD.rate, 2);
                        IF OLD.discount > 0 AND before > 0 AND NEW.discount <= OLD.discount * gross / before + 0.01
                        THEN RETURN NEW; END IF;
                    END IF;
                    IF NEW.discount_kind = 'ASSESSMENT' AND NEW.pay_type = 'INSURANCE' AND workshop_insured(NEW.id) > 0
                        AND gross - NEW.discount + NEW.fee_amount + COALESCE((SELECT sum(amount) FROM workshop_partline
                            WHERE line_id = NEW.id), 0) >= workshop_insured(NEW.id) THEN RETURN NEW; END IF;
                    IF EXISTS (SELECT 1 FROM kernel_approval WHERE kind = 'workshop.discount' AND root_uid = NEW.uid
                        AND state = 'APPROVED' AND amount = NEW.discount) THEN RETURN NEW; END IF;
                    SELECT o.store_id, (COALESCE(NEW.discount_at, NEW.updated_at) AT TIME ZONE s.time_zone)::date AS day
                        INTO given FROM workshop_repairorder o JOIN kernel_store s ON s.id = o.store_id
                        WHERE o.id = NEW.order_id;
                    SELECT max(COALESCE((SELECT (v.value #>> '{}')::numeric FROM kernel_setting v
                        WHERE v.key = l.key AND (v.store_id IS NULL OR v.store_id = given.store_id)
                        AND v.starts_on <= given.day AND (v.ends_on IS NULL OR v.ends_on >= given.day)
                        ORDER BY v.store_id NULLS LAST LIMIT 1), l.usual)) INTO most
                    FROM (VALUES ('workshop.discount_small_percent', 5, ARRAY[{small}]),
                        ('workshop.discount_large_percent', 20, ARRAY[{large}])) AS l (key, usual, roles)
                    WHERE NEW.discount_by_id IS NULL OR EXISTS (SELECT 1 FROM kernel_rolegrant g
                        WHERE g.user_id = NEW.discount_by_id AND g.role = ANY(l.roles)
                        AND (g.store_id IS NULL OR g.store_id = given.store_id)
                        AND g.starts_on <= given.day AND (g.ends_on IS NULL OR g.ends_on >= given.day));
                    IF most IS NULL OR NEW.discount * 100 > most * gross THEN {refuse} END IF;
                    RETURN NEW;
                """.replace("{small}", ", ".join(f"'{role}'" for role in SMALL_DISCOUNTS)).replace(
                    "{large}", ", ".join(f"'{role}'" for role in LARGE_DISCOUNTS)
                ),
                code="discount.limit",
                text=_("This discount is more than the post allows; ask for an approval (3.2)."),
            ),
            states.versioned(),
            states.fsm(LINE_MOVES, field="state", name="orderline_moves"),
            states.guard(
                # 3.2: what is finished isn't ended as if it weren't done; it is inspected and settled.
                "orderline_finished_isnt_ended",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "OLD.state IN ('COMPLETED', 'INSPECTED') AND NEW.state IN ('WITHDRAWN', 'CANCELLED', 'DECLINED')"
                ),
                func="{refuse}",
                code="line.finished",
                text=_(
                    "What is finished is inspected and settled; take something off it as goodwill, with a reason (3.2)."
                ),
            ),
            states.guard(
                # 4.1, design 5: a settled line never changes; corrections are counter-lines. Only the mark itself may be
                # taken off, and chapter 4 (trigger ``orderline_released_by_void``) allows that for a voided list alone.
                "orderline_settled_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.settled"),
                func="""
                    IF TG_OP = 'UPDATE' AND NOT NEW.settled
                        AND to_jsonb(NEW) - ARRAY['settled', 'version', 'updated_at']
                            = to_jsonb(OLD) - ARRAY['settled', 'version', 'updated_at']
                    THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="line.settled",
                text=_("This line is settled; correct it with a counter-line."),
            ),
            states.guard(
                # 3.2: prices and work that the customer has agreed to stay as they were seen.
                "orderline_agreed_is_fixed",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state IN ('PENDING', 'AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED') AND "
                    "(OLD.hours, OLD.rate, OLD.discount, OLD.labor_amount, OLD.description, OLD.pay_type, OLD.fee_amount, "
                    "OLD.is_dismantling, OLD.reassembly_amount) IS DISTINCT FROM (NEW.hours, NEW.rate, NEW.discount, "
                    "NEW.labor_amount, NEW.description, NEW.pay_type, NEW.fee_amount, NEW.is_dismantling, "
                    "NEW.reassembly_amount) AND NEW.state NOT IN ('DRAFT')"
                ),
                func="{refuse}",
                code="line.agreed",
                text=_("The customer has seen or agreed to this line; take it back before changing it."),
            ),
            states.guard(
                # 3.2: a line is agreed by a decision that stands on record with its amount, by nothing else.
                "orderline_agreed_by_decision",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "NEW.state = 'AUTHORIZED' AND OLD.state <> 'AUTHORIZED' AND NEW.authorized_amount IS NOT NULL"
                ),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM workshop_authorization WHERE line_id = NEW.id AND amount = NEW.authorized_amount
                        AND status IN ('APPROVED', 'NOT_REQUIRED') AND id = (
                            SELECT max(id) FROM workshop_authorization
                            WHERE line_id = NEW.id AND status <> 'NOT_ENTITLED')
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.no_decision",
                text=_("Nobody who may has agreed to this line at this amount (3.2)."),
            ),
            states.guard(
                # 3.2: a fault is done when complaint, cause and correction stand there; a diagnosis when it says what was
                # found. Maintenance has none of them.
                "orderline_fault_explained",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'COMPLETED' AND OLD.state <> 'COMPLETED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM catalogue_operation WHERE id = NEW.operation_id AND is_maintenance)
                    THEN RETURN NEW; END IF;
                    IF NEW.cause = '' OR (NEW.correction = '' AND NOT NEW.is_diagnosis) OR (NEW.complaint = ''
                        AND NOT EXISTS (SELECT 1 FROM workshop_repairorder WHERE id = NEW.order_id AND complaint <> ''))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.correction",
                text=_("A fault is done when complaint, cause and correction are written down (3.2)."),
            ),
            states.guard(
                # 3.2: what the customer brings is fitted only when somebody has looked at it and found it fit: the last
                # check counts, and all of it was looked at. A check reads the line FOR SHARE.
                "orderline_own_parts_checked",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'COMPLETED' AND OLD.state <> 'COMPLETED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_partline p
                        WHERE p.line_id = NEW.id AND p.kind = 'CUSTOMER_SUPPLIED' AND NOT COALESCE(
                            (SELECT c.fits AND NOT c.damaged AND c.quantity >= (SELECT sum(q.quantity)
                                FROM workshop_partline q WHERE q.line_id = c.line_id AND q.part_id = c.part_id
                                    AND q.kind = 'CUSTOMER_SUPPLIED')
                            FROM workshop_ownpartcheck c WHERE c.line_id = p.line_id AND c.part_id = p.part_id
                            ORDER BY c.id DESC LIMIT 1), false))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="own_part.unchecked",
                text=_("A part that the customer brought isn't looked at, or was refused; it isn't fitted (3.2)."),
            ),
            states.guard(
                # 3.2: a payer changes before the work begins, and then the new one is asked: the yes was the other's.
                "orderline_payer_before_work",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("OLD.state = 'AUTHORIZED' AND NEW.state = 'DRAFT'"),
                func="""
                    IF NEW.authorized_amount IS NOT NULL OR NEW.pay_type = OLD.pay_type
                        OR EXISTS (SELECT 1 FROM workshop_clocking WHERE line_id = NEW.id)
                        OR EXISTS (SELECT 1 FROM workshop_partline WHERE line_id = NEW.id AND issued_quantity > 0)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.begun",
                text=_(
                    "An agreed line goes back to be asked again only for another payer, and before its work begins."
                ),
            ),
            states.guard(
                # 3.2: a yes becomes a no only by being taken back on record, before anything was done for it.
                "orderline_taken_back_on_record",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("OLD.state = 'AUTHORIZED' AND NEW.state = 'DECLINED'"),
                func="""
                    IF NEW.authorized_amount IS NOT NULL OR (SELECT status FROM workshop_authorization
                            WHERE line_id = NEW.id AND status <> 'NOT_ENTITLED' ORDER BY id DESC LIMIT 1) <> 'REVOKED'
                        OR EXISTS (SELECT 1 FROM workshop_clocking WHERE line_id = NEW.id)
                        OR EXISTS (SELECT 1 FROM workshop_partline WHERE line_id = NEW.id AND issued_quantity > 0)
                        OR EXISTS (SELECT 1 FROM workshop_linehold WHERE line_id = NEW.id AND cause = 'SUBLET')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.begun",
                text=_("An agreement is taken back before work begins; afterwards the line is withdrawn (3.2)."),
            ),
            states.guard(
                # 3.2: whoever was told that a warranty repair is free doesn't pay for it, whatever the maker says: the line
                # stays the maker's or becomes the shop's or goodwill, and the same work isn't written down for them once more.
                "orderline_told_free",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("pay_type", "operation_id"),
                condition=pgtrigger.Condition("NEW.pay_type NOT IN ('WARRANTY', 'INTERNAL', 'GOODWILL')"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_warrantyclaimline c JOIN workshop_warrantyclaim k
                        ON k.id = c.claim_id JOIN workshop_orderline l ON l.id = c.line_id
                        WHERE k.told_free AND k.order_id = NEW.order_id AND (c.line_id = NEW.id
                            OR (k.state IN ('REJECTED', 'WITHDRAWN') AND l.operation_id = NEW.operation_id)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="warranty_claim.told",
                text=_(
                    "The customer was told that this repair is free; a rejected claim doesn't come back to them (3.2)."
                ),
            ),
            states.guard(
                # 3.2: what the customer read when deciding stays, whatever is found at the car afterwards.
                "orderline_told_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state <> 'DRAFT' AND NEW.told_cause <> OLD.told_cause"),
                func="{refuse}",
                code="line.told",
                text=_("The customer has read this cause; write what was found beside it."),
            ),
            states.guard(
                # 3.2: a line isn't done, passed, withdrawn, asked anew or settled while something of it is with an
                # outside firm or came back not in order; who gives it out reads the line FOR SHARE.
                "orderline_outside_work_first",
                operation=pgtrigger.UpdateOf("state", "settled"),
                condition=pgtrigger.Condition(
                    "NEW.state <> OLD.state AND NEW.state <> 'IN_PROGRESS' OR NEW.settled AND NOT OLD.settled"
                ),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_subletorder
                        WHERE line_id = NEW.id AND state IN ('ASKED', 'SENT', 'BACK', 'NOT_OK')) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sublet.unfinished",
                text=_("Outside work on this line isn't checked and in order yet (3.2)."),
            ),
            pgtrigger.Trigger(
                name="order_stage_follows_lines",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="PERFORM workshop_derive_stage(COALESCE(NEW.order_id, OLD.order_id)); RETURN NULL;",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="orderline_position"),
            models.UniqueConstraint(
                fields=["quoted"],
                name="orderline_quoted_once",
                condition=~Q(state__in=[L.CANCELLED, L.WITHDRAWN, L.DECLINED]),
            ),
            models.CheckConstraint(
                # 3.2: nothing is worked on that nobody agreed to at a named amount.
                name="orderline_agreed_amount",
                condition=~Q(state__in=[L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED])
                | Q(authorized_amount__isnull=False, authorized_amount__gte=0),
            ),
            models.UniqueConstraint(
                fields=["reassembles"],
                name="orderline_reassembled_once",
                condition=~Q(state__in=[L.CANCELLED, L.WITHDRAWN]),
            ),
            models.CheckConstraint(
                # 3.2: only what takes something apart states what putting it together again costs.
                name="orderline_reassembly",
                condition=Q(reassembly_amount__isnull=True)
                | (Q(reassembly_amount__gte=0) & (Q(is_diagnosis=True) | Q(is_dismantling=True))),
            ),
            models.CheckConstraint(
                # 3.2: only of what takes something apart it is said whether it is put together again.
                name="orderline_reassembly_answer",
                condition=Q(reassembly_answer="") | Q(reassembly_amount__isnull=False),
            ),
            models.CheckConstraint(
                # 3.2: only what the insurer pays is priced by its assessment.
                name="orderline_assessed_discount",
                condition=Q(discount_kind="") | Q(discount_kind=DiscountKind.ASSESSMENT, pay_type="INSURANCE"),
            ),
            models.CheckConstraint(
                name="orderline_amount",
                condition=Q(hours__gte=0, rate__gte=0, discount__gte=0, labor_amount__gte=0),
            ),
            models.CheckConstraint(
                # L12 arts. 5-8: no fee that isn't named.
                name="orderline_fee_named",
                condition=Q(fee_amount=0) | (Q(fee_amount__gt=0) & ~Q(fee_note="")),
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def takes_apart(self) -> bool:
        """Whether something is taken apart that has to be put together again if the repair is declined (3.2)."""
        return self.is_dismantling or bool(self.reassembly_amount)

    @property
    def said(self) -> str:
        """The work in the reader's language: the operation's own name, else as somebody wrote it."""
        return saying.say_name(self.description)

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint(
    "orderline_quoted_once",
    "quotation.used",
    _("Another line has just taken this quoted price; look at the order again."),
)
explain_constraint(
    "orderline_reassembled_once", "line.reassembly", _("Putting this together again is on the order already.")
)
explain_constraint(
    "orderline_reassembly",
    "line.reassembly",
    _("Only a diagnosis, or what takes something apart, states what putting it together again costs."),
)
explain_constraint(
    "orderline_reassembly_answer",
    "line.reassembly",
    _("Only of what takes something apart it is said whether it is put together again."),
)
explain_constraint("orderline_fee_named", "line.fee", _("Say what the other fee is for."))
explain_constraint("orderline_agreed_amount", "line.amount", _("Work needs an amount the customer agreed to (3.2)."))


class LinePhoto(Root):
    """A picture of what was found, taken in the workshop; the customer sees it beside the question (3.2)."""

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="photos")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="linephoto_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


class HoldCause(models.TextChoices):
    PARTS = "PARTS", _("Parts")
    CUSTOMER = "CUSTOMER", _("Customer's decision")
    BAY = "BAY", _("Bay")
    TECHNICIAN = "TECHNICIAN", _("Technician")
    TOOL = "TOOL", _("Tool")
    HELP = "HELP", _("Technical help")
    SUBLET = "SUBLET", _("Outside work")


class LineHold(Root):
    """Why one line waits; other lines go on (issue: one undecided addition never stops agreed work)."""

    store_path = "line__order__store_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="holds")
    cause = models.CharField(max_length=12, choices=HoldCause.choices)
    note = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Trigger(
                name="order_stage_follows_holds",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("target", "bigint")],
                func="""
                    SELECT order_id INTO target FROM workshop_orderline WHERE id = COALESCE(NEW.line_id, OLD.line_id);
                    PERFORM workshop_derive_stage(target);
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="linehold_one_open", fields=["line"], condition=Q(ended_at__isnull=True)),
            models.CheckConstraint(
                name="linehold_period", condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at"))
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint("linehold_one_open", "hold.open", _("This line is already waiting; end that first."))


class PartLine(Root):
    """A part on a line: asked, reserved, issued, returned (3.2). Quantities in the part's unit, amounts CNY with VAT."""

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="part_lines")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=PartKind.choices, default=PartKind.GENUINE)
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reserved_quantity = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    issued_quantity = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    expected_on = models.DateField(null=True, blank=True)
    core_price = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    """Core charge of one unit as the customer saw it; charged with the issue (``CoreCharge``)."""
    discount = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    """What is taken off the price; ``amount`` = quantity × unit price − discount."""
    discount_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    discount_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    discount_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.guard(
                # 3.2: who gives a discount on a part stays within the limit of the post, or somebody else has approved the
                # amount. One that doesn't grow in per cent passes: what stays of an ended line keeps its share.
                "partline_discount_within_limit",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.discount > 0"),
                declare=[("gross", "numeric"), ("before", "numeric"), ("most", "numeric"), ("given", "record")],
                func="""
                    gross := round(NEW.quantity * NEW.unit_price, 2);
                    IF TG_OP = 'UPDATE' THEN
                        before := round(OLD.quantity * OLD.unit_price, 2);
                        IF OLD.discount > 0 AND before > 0 AND NEW.discount <= OLD.discount * gross / before + 0.01
                        THEN RETURN NEW; END IF;
                    END IF;
                    IF EXISTS (SELECT 1 FROM kernel_approval WHERE kind = 'workshop.part_discount' AND root_uid = NEW.uid
                        AND state = 'APPROVED' AND amount = NEW.discount) THEN RETURN NEW; END IF;
                    SELECT o.store_id, (COALESCE(NEW.discount_at, NEW.updated_at) AT TIME ZONE s.time_zone)::date AS day
                        INTO given FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN kernel_store s ON s.id = o.store_id WHERE l.id = NEW.line_id;
                    SELECT max(COALESCE((SELECT (v.value #>> '{}')::numeric FROM kernel_setting v
                        WHERE v.key = l.key AND (v.store_id IS NULL OR v.store_id = given.store_id)
                        AND v.starts_on <= given.day AND (v.ends_on IS NULL OR v.ends_on >= given.day)
                        ORDER BY v.store_id NULLS LAST LIMIT 1), l.usual)) INTO most
                    FROM (VALUES ('workshop.part_discount_small_percent', 3, ARRAY[{small}]),
                        ('workshop.part_discount_large_percent', 10, ARRAY[{large}])) AS l (key, usual, roles)
                    WHERE EXISTS (SELECT 1 FROM kernel_rolegrant g
                        WHERE g.user_id = NEW.discount_by_id AND g.role = ANY(l.roles)
                        AND (g.store_id IS NULL OR g.store_id = given.store_id)
                        AND g.starts_on <= given.day AND (g.ends_on IS NULL OR g.ends_on >= given.day));
                    IF most IS NULL OR NEW.discount * 100 > most * gross THEN {refuse} END IF;
                    RETURN NEW;
                """.replace("{small}", ", ".join(f"'{role}'" for role in SMALL_DISCOUNTS)).replace(
                    "{large}", ", ".join(f"'{role}'" for role in LARGE_DISCOUNTS)
                ),
                code="discount.limit",
                text=_("This discount is more than the post allows; ask for an approval (3.2)."),
            ),
            pgtrigger.Trigger(
                # 3.2: at the end of the transaction a core charge is for what is out of its part, and none is missing.
                name="partline_core_follows",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("issued_quantity"),
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.core_price > 0"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_partline p JOIN workshop_orderline l ON l.id = p.line_id
                        LEFT JOIN workshop_corecharge c ON c.part_line_id = p.id WHERE p.id = NEW.id
                        AND (c.quantity <> p.issued_quantity OR (c.id IS NULL AND p.issued_quantity > 0
                            AND l.pay_type = 'CUSTOMER_PAY')))
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'partline_core_follows', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'partline_core_follows'; END IF;
                    RETURN NULL;
                """,
            ),
            states.guard(
                # 3.2: a line's part stays, unless the catalogue names another one in its place and nothing of the old one
                # was touched; what was quoted doesn't get dearer by it.
                "partline_part_fixed",
                operation=pgtrigger.UpdateOf("part_id"),
                func="""
                    IF NEW.part_id = OLD.part_id THEN RETURN NEW; END IF;
                    IF NEW.reserved_quantity <> 0 OR NEW.issued_quantity <> 0 OR OLD.issued_quantity <> 0
                        OR OLD.kind = 'CUSTOMER_SUPPLIED'
                        OR EXISTS (SELECT 1 FROM workshop_stockmovement WHERE part_line_id = NEW.id)
                        OR EXISTS (SELECT 1 FROM workshop_partreturn WHERE part_line_id = NEW.id)
                        OR EXISTS (SELECT 1 FROM workshop_reservationmove WHERE NEW.id IN (source_id, target_id))
                        OR (NEW.unit_price > OLD.unit_price AND EXISTS (SELECT 1 FROM workshop_orderline l
                            WHERE l.id = NEW.line_id AND l.quoted_id IS NOT NULL AND l.pay_type = 'CUSTOMER_PAY'))
                        OR NOT EXISTS (
                            WITH RECURSIVE following AS (
                                SELECT other_id FROM catalogue_partreplacement
                                    WHERE part_id = OLD.part_id AND kind = 'SUCCESSOR' AND ended_at IS NULL
                                UNION SELECT r.other_id FROM following f JOIN catalogue_partreplacement r
                                    ON r.part_id = f.other_id AND r.kind = 'SUCCESSOR' AND r.ended_at IS NULL
                            ) SELECT 1 FROM following WHERE other_id = NEW.part_id
                            UNION ALL SELECT 1 FROM catalogue_partreplacement WHERE ended_at IS NULL AND (
                                (kind IN ('EITHER', 'STAND_IN') AND part_id = OLD.part_id AND other_id = NEW.part_id)
                                OR (kind = 'EITHER' AND part_id = NEW.part_id AND other_id = OLD.part_id)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="part.no_replacement",
                text=_("The catalogue doesn't name this part in place of the other one."),
            ),
            states.guard(
                "partline_honours_quotation",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("unit_price"),
                func="""
                    PERFORM 1 FROM workshop_orderline l JOIN reception_quotationpart p
                        ON p.line_id = l.quoted_id AND p.part_id = NEW.part_id
                        WHERE l.id = NEW.line_id AND l.pay_type = 'CUSTOMER_PAY' AND NEW.unit_price > p.unit_price;
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="quotation.honoured",
                text=_("The customer was quoted a price for this part; it doesn't get dearer (2.2.2)."),
            ),
            states.guard(
                "partline_settled_is_final",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("done", "boolean")],
                unchanged_passes=True,
                func="""
                    SELECT settled INTO done FROM workshop_orderline
                    WHERE id = COALESCE(NEW.line_id, OLD.line_id) FOR SHARE;
                    IF done THEN {refuse} END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
                code="line.settled",
                text=_("This line is settled; correct it with a counter-line."),
            ),
            states.guard(
                # 3.2: parts and their prices stay as the customer has seen or agreed to them; the line is read FOR
                # SHARE, so that no part slips in while the estimate is being sent.
                "partline_agreed_is_fixed",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("line_state", "text")],
                func="""
                    IF TG_OP = 'UPDATE' AND (OLD.line_id, OLD.part_id, OLD.kind, OLD.quantity, OLD.unit_price, OLD.amount,
                        OLD.core_price, OLD.discount) IS NOT DISTINCT FROM (NEW.line_id, NEW.part_id, NEW.kind,
                        NEW.quantity, NEW.unit_price, NEW.amount, NEW.core_price, NEW.discount)
                    THEN RETURN NEW; END IF;
                    SELECT CASE WHEN settled THEN '' ELSE state END INTO line_state FROM workshop_orderline
                        WHERE id = COALESCE(NEW.line_id, OLD.line_id) FOR SHARE;
                    -- An agreed line may take the part that replaces its own one: of the same kind, for no more money.
                    IF TG_OP = 'UPDATE' AND line_state IN ('AUTHORIZED', 'IN_PROGRESS') AND NEW.part_id <> OLD.part_id
                        AND (OLD.line_id, OLD.kind, OLD.quantity) = (NEW.line_id, NEW.kind, NEW.quantity)
                        AND NEW.unit_price <= OLD.unit_price AND NEW.amount <= OLD.amount
                        AND NEW.core_price <= OLD.core_price THEN RETURN NEW; END IF;
                    IF line_state IN ('PENDING', 'AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED')
                    THEN {refuse} END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
                code="line.agreed",
                text=_("The customer has seen or agreed to this line; take it back before changing it."),
            ),
            states.guard(
                # 3.2: parts go out only for work that the customer agreed to.
                "partline_issue_needs_agreement",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.issued_quantity > 0"),
                declare=[("line_state", "text")],
                func="""
                    IF TG_OP = 'UPDATE' AND NEW.issued_quantity <= OLD.issued_quantity THEN RETURN NEW; END IF;
                    SELECT state INTO line_state FROM workshop_orderline WHERE id = NEW.line_id FOR SHARE;
                    IF line_state NOT IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="part.not_agreed",
                text=_("Nobody has agreed to this line yet; parts are issued after the customer's yes."),
            ),
            states.guard(
                # 3.3: what isn't new goes out only when the customer has agreed to it in writing: with the line, which
                # they pay, or by a consent of its own for that very agreement.
                "partline_not_new_in_writing",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("issued_quantity", "kind"),
                condition=pgtrigger.Condition(
                    "NEW.issued_quantity > 0 AND NEW.kind IN ('REMANUFACTURED', 'REPAIRED', 'USED')"
                ),
                func="""
                    IF TG_OP = 'UPDATE' AND NEW.issued_quantity <= OLD.issued_quantity AND NEW.kind = OLD.kind
                    THEN RETURN NEW; END IF;
                    PERFORM 1 FROM workshop_orderline l JOIN LATERAL (SELECT a.id, a.status, a.method
                        FROM workshop_authorization a WHERE a.line_id = l.id AND a.status <> 'NOT_ENTITLED'
                        ORDER BY a.id DESC LIMIT 1) said ON true
                        WHERE l.id = NEW.line_id AND (EXISTS (SELECT 1 FROM workshop_partconsent c
                                WHERE c.decision_id = said.id)
                            OR l.pay_type = 'CUSTOMER_PAY' AND said.status = 'APPROVED' AND said.method IN (
                                'DIGITAL_PORTAL', 'IN_PERSON_DIGITAL_SIGNATURE', 'IN_PERSON_PHYSICAL_SIGNATURE'));
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="part.consent",
                text=_("This part isn't new: the customer agrees to it in writing before it is issued (3.3)."),
            ),
            states.guard(
                # 3.2: what the customer brings goes to the car only when somebody has looked at it and found it fit.
                "partline_own_checked",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("issued_quantity", "kind"),
                condition=pgtrigger.Condition("NEW.issued_quantity > 0 AND NEW.kind = 'CUSTOMER_SUPPLIED'"),
                func="""
                    IF NOT COALESCE((SELECT c.fits AND NOT c.damaged AND c.quantity >= NEW.issued_quantity
                        FROM workshop_ownpartcheck c WHERE c.line_id = NEW.line_id AND c.part_id = NEW.part_id
                        ORDER BY c.id DESC LIMIT 1), false) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="own_part.unchecked",
                text=_("A part that the customer brought isn't looked at, or was refused; it isn't fitted (3.2)."),
            ),
            states.guard(
                # 3.2: what is out comes back by a return, which says in what condition.
                "partline_back_by_return_only",
                operation=pgtrigger.UpdateOf("issued_quantity"),
                func="""
                    IF NEW.issued_quantity < OLD.issued_quantity AND pg_trigger_depth() < 2 THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="part.return",
                text=_("An issued part comes back by a return only, which says in what condition."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="partline_quantities",
                condition=Q(quantity__gt=0, reserved_quantity__gte=0, issued_quantity__gte=0)
                & Q(issued_quantity__lte=F("quantity")),
            ),
            models.CheckConstraint(name="partline_amount", condition=Q(unit_price__gte=0, amount__gte=0)),
            models.CheckConstraint(
                # 3.2: a discount has a reason, and the sum says it to the fen.
                name="partline_discount",
                condition=Q(discount=0)
                | (
                    Q(discount__gt=0, amount=Round(F("quantity") * F("unit_price"), 2) - F("discount"))
                    & ~Q(discount_reason="")
                ),
            ),
        ]

    @property
    def has_history(self) -> bool:
        """Something was issued, came back or went to or from another order: the row stays, whatever becomes of it."""
        return self.movements.exists() or self.returns.exists() or self.given_away.exists() or self.taken_over.exists()

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint("partline_discount", "discount.reason", _("Say why the discount is given."))
explain_constraint("partline_quantities", "part.quantity", _("No more than the agreed quantity can be issued."))


class Estimate(Root):
    """One version of what the customer was asked: the lines as sent, locked (3.2). ``seen_hash`` is its SHA-256."""

    link_path = "order__visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="estimates")
    number = models.PositiveSmallIntegerField()
    content = models.JSONField()
    total = models.DecimalField(max_digits=12, decimal_places=2)
    seen_hash = models.CharField(max_length=64)
    sent_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    first_viewed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True, db_default="", default="")

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                # 3.2: an offer is taken back once, with its reason, as long as nobody has decided on it.
                "estimate_withdrawn_once",
                operation=pgtrigger.UpdateOf("withdrawn_at", "withdrawn_reason"),
                condition=pgtrigger.Condition(
                    "ROW(OLD.withdrawn_at, OLD.withdrawn_reason) IS DISTINCT FROM ROW(NEW.withdrawn_at, NEW.withdrawn_reason)"
                ),
                func="""
                    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL OR btrim(NEW.withdrawn_reason) = ''
                        OR EXISTS (SELECT 1 FROM workshop_orderline WHERE order_id = NEW.order_id AND state = 'PENDING')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="estimate.withdrawn",
                text=_("An offer is taken back once, with its reason, and nothing of it stays asked."),
            ),
            states.guard(
                "estimate_locked",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.store_id, OLD.order_id, OLD.number, OLD.content, OLD.total, OLD.seen_hash,
                        OLD.sent_at, OLD.expires_at) IS DISTINCT FROM (NEW.store_id, NEW.order_id, NEW.number,
                        NEW.content, NEW.total, NEW.seen_hash, NEW.sent_at, NEW.expires_at) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="estimate.locked",
                text=_("An estimate that was sent is locked; send a new version."),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="estimate_version")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


class AuthorizationStatus(models.TextChoices):
    """STAR RepairAuthorizationStatusTypes (one set of it)."""

    APPROVED = "APPROVED", _("Agreed")
    DECLINED = "DECLINED", _("Declined")
    REVOKED = "REVOKED", _("Taken back")
    NOT_REQUIRED = "NOT_REQUIRED", _("Not required")
    NOT_ENTITLED = "NOT_ENTITLED", _("Said by somebody who may not decide")


class AuthorizationMethod(models.TextChoices):
    """STAR AuthorizationMethodTypes."""

    DIGITAL_PORTAL = "DIGITAL_PORTAL", _("On the link")
    IN_PERSON_DIGITAL_SIGNATURE = "IN_PERSON_DIGITAL_SIGNATURE", _("Signed at the desk")
    IN_PERSON_PHYSICAL_SIGNATURE = "IN_PERSON_PHYSICAL_SIGNATURE", _("Signed on paper")
    VERBAL_PHONE = "VERBAL_PHONE", _("By telephone")
    AUTOMATED_POLICY_PREAUTHORIZATION = "AUTOMATED_POLICY_PREAUTHORIZATION", _("By agreed policy")


class Authorization(Root):
    """One decision on one line: who, how, when, at what amount, on which estimate (3.2). Rows are never changed."""

    store_path = "order__store_id"
    link_path = "order__visit_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="authorizations")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="authorizations")
    estimate = models.ForeignKey(Estimate, models.PROTECT, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=14, choices=AuthorizationStatus.choices)
    method = models.CharField(max_length=40, choices=AuthorizationMethod.choices)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    authorized_by = models.CharField(max_length=60)
    contact = models.ForeignKey(
        CustomerContact,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the person whom the payer named for it",
    )
    note = models.CharField(max_length=300, blank=True)
    reason = models.CharField(_("why not"), max_length=200, blank=True)
    decline_cause = models.CharField(max_length=10, choices=DeclineCause.choices, blank=True)
    standing = models.ForeignKey(
        "workshop.StandingConsent",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="covered",
        help_text="what the payer agreed to in advance",
    )
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            states.ShownIn("estimate"),
            pgtrigger.Protect(name="authorization_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: a yes is of whom the payer named for it, in these days and up to that amount an order; a private
                # payer's own is always good, and so is the signature of whoever brings the car of a payer that has
                # named nobody. The named person is read FOR SHARE: nobody takes them off the list in between.
                "authorization_by_who_may",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'APPROVED'"),
                declare=[("payer", "record"), ("agreed", "numeric")],
                func="""
                    SELECT c.id, c.name, c.kind, (NEW.at AT TIME ZONE s.time_zone)::date AS today,
                        c.id = v.customer_id AS brings, l.order_id = o.id AS fits
                    INTO payer FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = NEW.order_id
                        JOIN reception_visit v ON v.id = o.visit_id JOIN reception_customer c ON c.id = o.customer_id
                        JOIN kernel_store s ON s.id = o.store_id WHERE l.id = NEW.line_id;
                    IF payer.fits IS NOT TRUE THEN {refuse} END IF;
                    PERFORM 1 FROM workshop_orderline l JOIN workshop_orderline d ON d.id = l.reassembles_id
                        JOIN workshop_authorization a ON a.line_id = d.id AND a.status = 'APPROVED'
                        AND a.authorized_by = NEW.authorized_by AND a.contact_id IS NOT DISTINCT FROM NEW.contact_id
                        WHERE l.id = NEW.line_id AND NEW.amount <= d.reassembly_amount;
                    IF FOUND THEN RETURN NEW; END IF;  -- agreed to together with the taking apart
                    IF NEW.contact_id IS NULL THEN
                        IF (payer.kind = 'PERSON' AND payer.name = NEW.authorized_by) OR (payer.brings AND NOT EXISTS (
                            SELECT 1 FROM reception_customercontact WHERE customer_id = payer.id AND ended_at IS NULL
                            AND 'AUTHORISES' = ANY(roles))) THEN RETURN NEW; END IF;
                        {refuse}
                    END IF;
                    SELECT COALESCE(sum(authorized_amount), 0) INTO agreed FROM workshop_orderline
                        WHERE order_id = NEW.order_id AND id <> NEW.line_id AND pay_type IN ('CUSTOMER_PAY', 'INSURANCE')
                        AND state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED');
                    -- What the customer bears of insured lines is nothing that the insurer's person has agreed to.
                    agreed := agreed - COALESCE((SELECT sum(d.amount) FROM workshop_differenceconsent d
                        JOIN workshop_orderline l ON l.id = d.line_id WHERE l.order_id = NEW.order_id
                        AND d.ended_at IS NULL AND (l.id = NEW.line_id
                            OR l.state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED'))), 0);
                    PERFORM 1 FROM reception_customercontact WHERE id = NEW.contact_id AND customer_id = payer.id
                        AND name = NEW.authorized_by AND ended_at IS NULL AND 'AUTHORISES' = ANY(roles)
                        AND COALESCE(authorises_from, payer.today) <= payer.today
                        AND COALESCE(authorises_until, payer.today) >= payer.today
                        AND (authorises_up_to IS NULL OR agreed + NEW.amount <= authorises_up_to) FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="authorization.who",
                text=_("This person may not decide for the payer, or not about so much (3.2)."),
            ),
            states.guard(
                # 3.2: where the insurer's case is entered, its yes to a line is an assessment that covers the price, or
                # all of it but what the customer has agreed to bear.
                "authorization_within_assessment",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'APPROVED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l JOIN workshop_accidentcase c ON c.order_id = l.order_id
                        WHERE l.id = NEW.line_id AND l.pay_type = 'INSURANCE')
                    AND workshop_insured(NEW.line_id) + COALESCE((SELECT amount FROM workshop_differenceconsent
                        WHERE line_id = NEW.line_id AND ended_at IS NULL), 0) < NEW.amount
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="assessment.covers",
                text=_("The insurer agrees to this item by an assessment that covers its price (3.2)."),
            ),
            states.guard(
                # 3.2: nobody is asked only where somebody else bears the line under a standing agreement.
                "authorization_unasked_for_others",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'NOT_REQUIRED'"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.line_id AND order_id = NEW.order_id
                        AND pay_type IN ('WARRANTY', 'INTERNAL', 'SERVICE_CONTRACT', 'GOODWILL');
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="authorization.who",
                text=_("The payer of this line is asked before it is worked on (3.2)."),
            ),
            states.guard(
                # 3.2: a yes that nobody is asked for stands on what this payer agreed to in advance: an addition of the
                # customer's, in these days, within the amount of the visit; nobody takes it back in between (FOR SHARE).
                "authorization_by_standing_consent",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.status = 'APPROVED' AND (NEW.method = 'AUTOMATED_POLICY_PREAUTHORIZATION' "
                    "OR NEW.standing_id IS NOT NULL)"
                ),
                declare=[("about", "record"), ("used", "numeric")],
                func="""
                    SELECT o.customer_id, o.visit_id, (NEW.at AT TIME ZONE s.time_zone)::date AS day,
                        l.is_addition AND l.pay_type = 'CUSTOMER_PAY' AS fits
                    INTO about FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN kernel_store s ON s.id = o.store_id WHERE l.id = NEW.line_id;
                    SELECT COALESCE(sum(l.authorized_amount), 0) INTO used FROM workshop_orderline l
                        JOIN workshop_repairorder o ON o.id = l.order_id WHERE o.visit_id = about.visit_id
                        AND l.id <> NEW.line_id AND l.state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED')
                        AND EXISTS (SELECT 1 FROM workshop_authorization a WHERE a.line_id = l.id
                            AND a.standing_id = NEW.standing_id);
                    PERFORM 1 FROM workshop_standingconsent c WHERE c.id = NEW.standing_id AND about.fits
                        AND NEW.method = 'AUTOMATED_POLICY_PREAUTHORIZATION' AND c.customer_id = about.customer_id
                        AND c.given_by = NEW.authorized_by AND c.ended_at IS NULL
                        AND c.starts_on <= about.day AND c.ends_on >= about.day AND used + NEW.amount <= c.up_to
                        FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="standing.not_covered",
                text=_("The payer hasn't agreed to this in advance, or not to so much (3.2)."),
            ),
            states.guard(
                # 3.2: above the amount that goes ahead unasked for a payer on an order (setting workshop.unasked_up_to) the
                # line was approved by somebody else, or the maker has authorised it. Rework, putting together again and
                # campaigns are owed already.
                "authorization_within_payer_limit",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'NOT_REQUIRED'"),
                declare=[("about", "record"), ("used", "numeric"), ("most", "numeric")],
                func="""
                    SELECT l.pay_type, o.store_id, (NEW.at AT TIME ZONE s.time_zone)::date AS day,
                        o.kind = 'REWORK' OR l.reassembles_id IS NOT NULL
                            OR EXISTS (SELECT 1 FROM workshop_campaignvehicle WHERE line_id = l.id) AS owed
                    INTO about FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN kernel_store s ON s.id = o.store_id WHERE l.id = NEW.line_id;
                    IF about.owed OR about.pay_type NOT IN ('WARRANTY', 'INTERNAL', 'SERVICE_CONTRACT')
                        OR EXISTS (SELECT 1 FROM workshop_payerapproval p LEFT JOIN kernel_approval a
                            ON a.id = p.approval_id WHERE p.line_id = NEW.line_id AND p.amount >= NEW.amount
                            AND (p.maker_number <> '' OR a.state = 'APPROVED')) THEN RETURN NEW; END IF;
                    SELECT COALESCE(sum(l.authorized_amount), 0) INTO used FROM workshop_orderline l
                        WHERE l.order_id = NEW.order_id AND l.id <> NEW.line_id AND l.pay_type = about.pay_type
                        AND l.state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED')
                        AND l.reassembles_id IS NULL
                        AND NOT EXISTS (SELECT 1 FROM workshop_campaignvehicle WHERE line_id = l.id)
                        AND NOT EXISTS (SELECT 1 FROM workshop_payerapproval p LEFT JOIN kernel_approval a
                            ON a.id = p.approval_id WHERE p.line_id = l.id AND p.amount >= l.authorized_amount
                            AND (p.maker_number <> '' OR a.state = 'APPROVED'));
                    most := COALESCE((SELECT (v.value ->> about.pay_type)::numeric FROM kernel_setting v
                        WHERE v.key = 'workshop.unasked_up_to' AND (v.store_id IS NULL OR v.store_id = about.store_id)
                        AND v.starts_on <= about.day AND (v.ends_on IS NULL OR v.ends_on >= about.day)
                        ORDER BY v.store_id NULLS LAST LIMIT 1),
                        CASE about.pay_type WHEN 'WARRANTY' THEN 5000 WHEN 'INTERNAL' THEN 2000 ELSE 3000 END);
                    IF used + NEW.amount > most THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="payer.not_granted",
                text=_("This is more than goes ahead for this payer by itself; somebody approves it first (3.2)."),
            ),
            states.guard(
                # 3.2: nobody but who approved the goodwill lets a line go ahead on it, and for no more than was approved;
                # putting together again is covered by the goodwill for taking apart, which names its price.
                "authorization_goodwill_granted",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status IN ('APPROVED', 'NOT_REQUIRED')"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline WHERE id = NEW.line_id AND pay_type = 'GOODWILL')
                    AND NOT EXISTS (SELECT 1 FROM workshop_orderline l
                        JOIN workshop_linegoodwill g ON g.line_id IN (l.id, l.reassembles_id)
                        JOIN kernel_approval a ON a.id = g.approval_id AND a.state = 'APPROVED'
                        WHERE l.id = NEW.line_id AND a.amount >= NEW.amount AND NEW.status = 'NOT_REQUIRED')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="goodwill.not_granted",
                text=_("Nobody has approved goodwill for this line, or not for so much (3.2)."),
            ),
            states.guard(
                # 3.2: “signed at the desk” is a drawing, and an offer that ran out binds nobody.
                "authorization_as_it_says",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'APPROVED'"),
                func="""
                    IF (NEW.method = 'IN_PERSON_DIGITAL_SIGNATURE' AND NEW.signature_id IS NULL)
                        OR EXISTS (SELECT 1 FROM workshop_estimate e JOIN workshop_orderline l ON l.id = NEW.line_id
                            WHERE e.id = NEW.estimate_id AND e.expires_at < NEW.at AND l.reassembles_id IS NULL)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="authorization.signature",
                text=_("Signed at the desk needs the drawn signature, and an offer that still holds."),
            ),
            states.guard(
                # 3.2: who declines what concerns safety was told the risk; the statement stands on the decision. A yes that
                # falls because another payer is asked declines nothing.
                "authorization_safety_statement",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.status IN ('DECLINED', 'REVOKED') AND btrim(NEW.note) = '' "
                    "AND NOT (NEW.status = 'REVOKED' AND NEW.method = 'AUTOMATED_POLICY_PREAUTHORIZATION')"
                ),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.line_id AND is_safety;
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="authorization.risk",
                text=_("This concerns safety: declining it needs the statement that the risk was explained (3.2)."),
            ),
            states.guard(
                # 3.2: an offer that was taken back binds nobody.
                "authorization_of_standing_offer",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'APPROVED' AND NEW.estimate_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM workshop_estimate WHERE id = NEW.estimate_id AND withdrawn_at IS NOT NULL FOR SHARE;
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="estimate.withdrawn",
                text=_("This offer was taken back; nothing of it can be agreed to."),
            ),
            states.guard(
                # 3.2: a yes is taken back before anything was done for it; afterwards the work is withdrawn and settled.
                "authorization_revoked_before_work",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'REVOKED'"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.line_id AND order_id = NEW.order_id
                        AND state = 'AUTHORIZED' AND NOT EXISTS (SELECT 1 FROM workshop_clocking WHERE line_id = NEW.line_id)
                        AND NOT EXISTS (SELECT 1 FROM workshop_partline
                            WHERE line_id = NEW.line_id AND issued_quantity > 0)
                        AND NOT EXISTS (SELECT 1 FROM workshop_linehold
                            WHERE line_id = NEW.line_id AND cause = 'SUBLET') FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="line.begun",
                text=_("An agreement is taken back before work begins; afterwards the line is withdrawn (3.2)."),
            ),
            pgtrigger.Trigger(
                name="authorization_ends_difference",  # 3.2: who takes the yes back bears no difference any more
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.status = 'REVOKED'"),
                func="""
                    UPDATE workshop_differenceconsent SET ended_at = NEW.at
                        WHERE line_id = NEW.line_id AND ended_at IS NULL;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # a spoken yes needs a note of who said what
                name="authorization_phone_note",
                condition=~Q(method="VERBAL_PHONE") | ~Q(note=""),
            )
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("authorization_phone_note", "authorization.note", _("For a spoken yes, note who said what."))


class Dispatch(Root):
    """A line given to a technician and a bay with the planned time; the plans themselves are reservations (2.4, 3.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="dispatches")
    technician = models.ForeignKey(Employee, models.PROTECT, related_name="dispatches")
    bay = models.ForeignKey(Resource, models.PROTECT, related_name="+")
    person_plan = models.OneToOneField(Reservation, models.PROTECT, null=True, related_name="+")
    bay_plan = models.OneToOneField(Reservation, models.PROTECT, null=True, related_name="+")
    tool_plan = models.OneToOneField(Reservation, models.PROTECT, null=True, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    live = models.BooleanField(default=True)
    ended_reason = models.CharField(max_length=200, blank=True)
    share = models.PositiveSmallIntegerField(
        default=100, db_default=100, help_text="per cent of the line's hours that are this person's"
    )
    share_said = models.BooleanField(
        default=False, db_default=False, help_text="somebody said the share; else equal parts"
    )
    share_reason = models.CharField(max_length=200, blank=True, db_default="", default="")

    class Meta:
        triggers = [
            states.guard(
                # 3.2, 6.1: those who are given a line share its hours whole; looked at when everything is written.
                "dispatch_shares_add_up",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("share", "live", "line_id"),
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                func="""
                    IF (SELECT sum(share) FROM workshop_dispatch WHERE line_id = NEW.line_id AND live) <> 100
                    THEN {refuse} END IF;
                    RETURN NULL;
                """,
                code="dispatch.shares",
                text=_("The shares of those who are given this line add up to 100 %."),
            ),
            states.guard(
                # 6.1: what was earned on a settled line stays, and on a finished one it is divided anew with a reason.
                "dispatch_share_settled",
                operation=pgtrigger.UpdateOf("share"),
                condition=pgtrigger.Condition("NEW.share <> OLD.share"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = OLD.line_id AND settled FOR SHARE;
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="dispatch.settled",
                text=_("This line is settled; its shares stay."),
            ),
            states.guard(
                "dispatch_share_with_reason",
                operation=pgtrigger.UpdateOf("share"),
                condition=pgtrigger.Condition("NEW.share <> OLD.share AND btrim(NEW.share_reason) = ''"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = OLD.line_id AND state IN ('COMPLETED', 'INSPECTED');
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="dispatch.reason",
                text=_("Say why the shares are set so."),
            ),
            states.guard(
                # 3.4: a special tool that is damaged, out of use or out of date isn't planned.
                "dispatch_tool_fit",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("tool_plan_id", "ends_at"),
                condition=pgtrigger.Condition("NEW.tool_plan_id IS NOT NULL AND NEW.live"),
                func="""
                    PERFORM 1 FROM catalogue_reservation r JOIN workshop_toolasset t ON t.resource_id = r.resource_id
                        JOIN kernel_store s ON s.id = t.store_id WHERE r.id = NEW.tool_plan_id
                        AND (t.state IN ('TO_CHECK', 'OUT_OF_ORDER', 'SCRAPPED') OR (t.check_months IS NOT NULL
                            AND COALESCE(t.valid_until, '-infinity') < (NEW.ends_at AT TIME ZONE s.time_zone)::date));
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="dispatch.tool_unfit",
                text=_("The special tool is damaged, out of use or out of date; it is checked first (3.4)."),
            ),
            states.guard(
                # 3.4: nothing is planned in the bay of a lift that is found wrong, waits for its check or is out of date.
                "dispatch_lift_fit",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("bay_id"),
                condition=pgtrigger.Condition("NEW.live"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_toolasset t JOIN kernel_store s ON s.id = t.store_id
                        WHERE t.bay_id = NEW.bay_id AND t.kind = 'LIFT' AND (t.state IN ('TO_CHECK', 'OUT_OF_ORDER')
                            OR (t.state <> 'SCRAPPED' AND COALESCE(t.valid_until, '-infinity')
                                < (NEW.ends_at AT TIME ZONE s.time_zone)::date)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="dispatch.lift",
                text=_("The lift of this bay is out of use, to be checked or past its test (3.4)."),
            ),
            states.versioned(),
        ]
        constraints = [
            models.UniqueConstraint(
                name="dispatch_one_live_per_person", fields=["line", "technician"], condition=Q(live=True)
            ),
            models.CheckConstraint(name="dispatch_period", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="dispatch_share", condition=Q(share__lte=100)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


class PauseCause(models.TextChoices):
    NONE = "", _("Work finished")
    PARTS = "PARTS", _("Parts")
    CUSTOMER = "CUSTOMER", _("Customer")
    BAY = "BAY", _("Bay")
    TOOL = "TOOL", _("Tool")
    HELP = "HELP", _("Help")
    BREAK = "BREAK", _("Break")
    OTHER_JOB = "OTHER_JOB", _("Another car")


class TimestampRange(Func):
    function = "tstzrange"
    output_field = DateTimeRangeField()


class Clocking(Root):
    """What a person really worked on a line (3.2). One open clocking per person; work only on agreed lines."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, models.PROTECT, related_name="clockings")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="clockings")
    bay = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    pause_cause = models.CharField(max_length=10, choices=PauseCause.choices, blank=True)
    pause_note = models.CharField(max_length=200, blank=True, db_default="")
    corrected_reason = models.CharField(max_length=200, blank=True)
    corrections = models.PositiveSmallIntegerField(
        db_default=0, default=0, help_text="how often its times were put right, each time with a reason"
    )
    left_open = models.BooleanField(
        db_default=False, default=False, help_text="closed for the person at the shift's end"
    )

    class Meta:
        triggers = [
            states.versioned(),
            states.fixed("clocking_whose_fixed", "store_id", "employee_id", "line_id"),
            pgtrigger.Protect(name="clocking_never_deleted", operation=pgtrigger.Delete),
            states.guard(
                # 3.2: nobody begins on a line while the maker is asked whether it pays for it.
                "clocking_not_while_maker_is_asked",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_warrantyclaimline c JOIN workshop_warrantyclaim k
                        ON k.id = c.claim_id WHERE c.line_id = NEW.line_id AND c.live AND k.state = 'TO_AUTHORISE')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.maker_asked",
                text=_("The maker is asked about this line; work begins when its yes is written down."),
            ),
            states.guard(
                # 3.2: what was clocked is put right with a reason, each time anew; closing an open clock needs none.
                "clocking_corrected_with_reason",
                operation=pgtrigger.UpdateOf("started_at", "ended_at"),
                condition=pgtrigger.Condition(
                    "NEW.started_at <> OLD.started_at "
                    "OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)"
                ),
                func="""
                    IF btrim(NEW.corrected_reason) = '' OR NEW.corrections <> OLD.corrections + 1
                        OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.reason",
                text=_("Say why the clocking is corrected."),
            ),
            states.guard(
                # 3.2, 4.1: the times behind a settled line stay; the line is read FOR SHARE, so a list can't slip between.
                "clocking_settled_is_final",
                operation=pgtrigger.UpdateOf("started_at", "ended_at", "pause_cause", "corrected_reason"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = OLD.line_id AND settled FOR SHARE;
                    IF FOUND AND ROW(NEW.started_at, NEW.ended_at, NEW.pause_cause, NEW.corrected_reason)
                        IS DISTINCT FROM ROW(OLD.started_at, OLD.ended_at, OLD.pause_cause, OLD.corrected_reason)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.settled",
                text=_("This line is settled; its clockings stay."),
            ),
            states.guard(
                # 3.2: no work on a line nobody agreed to; the line is read FOR SHARE, so a revocation can't slip between.
                "clocking_needs_agreement",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id"),
                declare=[("line_state", "text")],
                func="""
                    SELECT state INTO line_state FROM workshop_orderline WHERE id = NEW.line_id FOR SHARE;
                    IF line_state NOT IN ('AUTHORIZED', 'IN_PROGRESS') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.not_agreed",
                text=_("The customer hasn't agreed to this line, so nobody may work on it (3.2)."),
            ),
            states.guard(
                # 3.4: no work on a lift that is found wrong, waits for its check or is out of date; the lift is held, so a
                # round that finds it wrong can't slip between.
                "clocking_lift_fit",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("bay_id"),
                condition=pgtrigger.Condition("NEW.bay_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.bay_id = NEW.bay_id AND t.kind = 'LIFT' FOR SHARE;
                    IF EXISTS (SELECT 1 FROM workshop_toolasset t JOIN kernel_store s ON s.id = t.store_id
                        WHERE t.bay_id = NEW.bay_id AND t.kind = 'LIFT' AND (t.state IN ('TO_CHECK', 'OUT_OF_ORDER')
                            OR (t.state <> 'SCRAPPED' AND COALESCE(t.valid_until, '-infinity')
                                < (NEW.started_at AT TIME ZONE s.time_zone)::date)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.lift",
                text=_("The lift of this bay is out of use, to be checked or past its test (3.4)."),
            ),
            states.guard(
                # 3.2: a car that is away until its part comes isn't worked on. Who lets it away holds its orders, as who
                # clocks on does, so that the visit needs no lock here.
                "clocking_car_is_here",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN reception_visit v ON v.id = o.visit_id WHERE l.id = NEW.line_id AND v.state = 'AWAY')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="away.not_here",
                text=_("This car is away until its part comes; take it in again first."),
            ),
            states.guard(
                # 3.2: a car that is at an outside firm isn't worked on here.
                "clocking_car_not_at_a_firm",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN workshop_repairorder every ON every.visit_id = o.visit_id
                        JOIN workshop_orderline other ON other.order_id = every.id
                        JOIN workshop_subletorder s ON s.line_id = other.id AND s.state = 'SENT' AND s.leaves = 'CAR'
                        WHERE l.id = NEW.line_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sublet.car_out",
                text=_("This car is at an outside firm; nobody works on it before it is back."),
            ),
            states.guard(
                # 3.4, 8.1: high-voltage work is begun with insulating gloves that are in date, by each who works on it.
                "clocking_hv_gloves",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id", "employee_id"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l JOIN catalogue_operation o ON o.id = l.operation_id
                        JOIN staff_skill s ON s.id = o.skill_id WHERE l.id = NEW.line_id AND s.code = 'hv')
                    AND NOT EXISTS (SELECT 1 FROM workshop_toolissue i JOIN workshop_toolasset t ON t.id = i.tool_id
                        JOIN kernel_store st ON st.id = t.store_id
                        JOIN workshop_glovelook g ON g.tool_id = t.id AND g.done_by_id = NEW.employee_id
                            AND cardinality(g.wrong) = 0 AND g.at >= i.issued_at
                            AND g.done_on = (NEW.started_at AT TIME ZONE st.time_zone)::date
                        WHERE i.employee_id = NEW.employee_id AND i.returned_at IS NULL AND t.kind = 'GLOVES'
                        AND t.valid_until >= (NEW.started_at AT TIME ZONE st.time_zone)::date) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.gloves",
                text=_(
                    "High-voltage work is begun with gloves in date that were looked at today: scan, look, then start (3.4)."
                ),
            ),
            states.guard(
                # 3.2, 5.1: where the skill needs a certificate, who begins has one that is valid on that day.
                "clocking_certified",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id", "employee_id"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l JOIN catalogue_operation o ON o.id = l.operation_id
                        JOIN staff_skill s ON s.id = o.skill_id JOIN kernel_store st ON st.id = NEW.store_id
                        WHERE l.id = NEW.line_id AND s.certificate_required AND NOT EXISTS (
                            SELECT 1 FROM staff_employeeskill e WHERE e.employee_id = NEW.employee_id AND e.skill_id = s.id
                            AND e.level > 0 AND e.certificate_number <> ''
                            AND e.valid_until >= (NEW.started_at AT TIME ZONE st.time_zone)::date)) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.certificate",
                text=_("This work is begun only with a certificate that is valid today (3.2, 5.1)."),
            ),
            states.guard(
                # 8.1: high-voltage work is begun beside somebody else who is given it too and is certified that day.
                "clocking_hv_two",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id", "employee_id"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l JOIN catalogue_operation o ON o.id = l.operation_id
                        JOIN staff_skill s ON s.id = o.skill_id JOIN kernel_store st ON st.id = NEW.store_id
                        WHERE l.id = NEW.line_id AND s.code = 'hv' AND NOT EXISTS (
                            SELECT 1 FROM workshop_dispatch d JOIN staff_employeeskill e ON e.employee_id = d.technician_id
                            WHERE d.line_id = l.id AND d.live AND d.technician_id <> NEW.employee_id AND e.skill_id = s.id
                            AND e.level > 0 AND (NOT s.certificate_required OR (e.certificate_number <> ''
                                AND e.valid_until >= (NEW.started_at AT TIME ZONE st.time_zone)::date))))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.two_people",
                text=_("High-voltage work is begun beside a second dispatched person who is certified today (8.1)."),
            ),
            states.guard(
                # 2.1.2: nobody touches a car whose state its absent owner hasn't seen. A signature is never taken back,
                # so the visit needs no lock here (it stands before the line in the order of locks).
                "clocking_walkaround_seen",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("line_id"),
                func="""
                    IF EXISTS (
                        SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN reception_visit v ON v.id = o.visit_id
                        WHERE l.id = NEW.line_id AND v.arrival_kind <> 'IN_PERSON' AND v.signed_at IS NULL
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="clocking.walkaround",
                text=_("The customer hasn't seen and confirmed the car's state yet: no work before that (2.1.2)."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="clocking_one_open", fields=["employee"], condition=Q(ended_at__isnull=True)),
            ExclusionConstraint(
                name="clocking_no_overlap",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    (TimestampRange("started_at", "ended_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                name="clocking_period", condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at"))
            ),
        ]
        indexes = [models.Index(fields=["store", "started_at"], name="clocking_day")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint(
    "clocking_one_open", "clocking.open", _("You are still clocked on to another job; clock off there first.")
)
explain_constraint("clocking_no_overlap", "clocking.overlap", _("In this time the person is clocked on elsewhere."))


class StockItem(Root):
    """A part in a store: the sum of its bins. Never negative; changed by movements only (3.2).

    ``bin`` is where it usually lies in the main warehouse: a delivery goes there if nobody says otherwise.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    part = models.ForeignKey(Part, models.PROTECT, related_name="stock")
    bin = models.CharField(max_length=20, blank=True)
    on_hand = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    reserved = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    average_cost = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    reorder_level = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        triggers = [
            states.fixed("stockitem_part_fixed", "part_id"),
            states.guard(
                # 3.2: what is lent to be tried is nobody else's as long as it is out.
                "stockitem_trials_stay",
                operation=pgtrigger.UpdateOf("reserved"),
                condition=pgtrigger.Condition("NEW.reserved < OLD.reserved AND NEW.reserved >= 0"),
                func="""
                    IF NEW.reserved < (SELECT COALESCE(sum(quantity), 0) FROM workshop_parttrial
                        WHERE item_id = NEW.id AND state = 'OUT') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="trial.out",
                text=_("Some of this part is lent to be tried; take it back first."),
            ),
            states.versioned(),
            states.guard(
                # 3.2: the shelf never disagrees with its movements; only their trigger writes on_hand.
                "stockitem_by_movement_only",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("on_hand"),
                func="""
                    IF (TG_OP = 'INSERT' AND NEW.on_hand <> 0)
                        OR (TG_OP = 'UPDATE' AND NEW.on_hand IS DISTINCT FROM OLD.on_hand AND pg_trigger_depth() < 2)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.movement",
                text=_("Stock changes by a movement only: receipt, issue, return, transfer or count."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["store", "part"], name="stockitem_once"),
            models.CheckConstraint(
                name="stockitem_not_negative",
                condition=Q(on_hand__gte=0, reserved__gte=0) & Q(reserved__lte=F("on_hand")),
            ),
        ]


explain_constraint("stockitem_not_negative", "stock.short", _("There isn't that much on the shelf."))


class MovementKind(models.TextChoices):
    RECEIPT = "RECEIPT", _("Receipt")
    ISSUE = "ISSUE", _("Issue")
    RETURN = "RETURN", _("Return")
    COUNT = "COUNT", _("Count difference")
    TRANSFER = "TRANSFER", _("Transfer between bins")
    SALE = "SALE", _("Sale over the counter")
    SALE_BACK = "SALEBACK", _("Return of a sale")
    TRIED = "TRIED", _("Tried, no longer new")


class StockMovement(Root):
    """One change of stock in one bin; ``quantity`` is signed. Rows are never changed (3.2).

    A transfer is two of them with one ``transfer``: what leaves a bin comes into another one. ``moved_by`` is who did it;
    empty where a machine did, and on rows from before it was written down.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="movements")
    place = models.ForeignKey("workshop.StockBin", models.PROTECT, null=True, blank=True, related_name="movements")
    transfer = models.UUIDField(null=True, blank=True)
    purchase_line = models.ForeignKey(
        "workshop.PurchaseLine", models.PROTECT, null=True, blank=True, related_name="movements"
    )
    part_line = models.ForeignKey(PartLine, models.PROTECT, null=True, blank=True, related_name="movements")
    part_return = models.OneToOneField(
        "workshop.PartReturn", models.PROTECT, null=True, blank=True, related_name="movement"
    )
    lot = models.ForeignKey("workshop.StockLot", models.PROTECT, null=True, blank=True, related_name="movements")
    sale_line = models.ForeignKey("workshop.SaleLine", models.PROTECT, null=True, blank=True, related_name="movements")
    sale_return = models.OneToOneField(
        "workshop.SaleReturn", models.PROTECT, null=True, blank=True, related_name="movement"
    )
    take_line = models.ForeignKey(
        "workshop.StockTakeLine", models.PROTECT, null=True, blank=True, related_name="movements"
    )
    trial = models.ForeignKey("workshop.PartTrial", models.PROTECT, null=True, blank=True, related_name="movements")
    moved_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=8, choices=MovementKind.choices)
    quantity = models.DecimalField(max_digits=12, decimal_places=2)
    unit_cost = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    reason = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="stockmovement_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="stockmovement_moves_stock",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE workshop_stockitem SET
                        average_cost = CASE WHEN NEW.kind = 'RECEIPT' AND on_hand + NEW.quantity > 0
                            THEN round((on_hand * average_cost + NEW.quantity * NEW.unit_cost)
                                / (on_hand + NEW.quantity), 4)
                            ELSE average_cost END,
                        on_hand = on_hand + NEW.quantity
                    WHERE id = NEW.item_id;
                    UPDATE workshop_stockbin SET on_hand = on_hand + NEW.quantity WHERE id = NEW.place_id;
                    UPDATE workshop_stocklot SET on_hand = on_hand + NEW.quantity WHERE id = NEW.lot_id;
                    UPDATE workshop_purchaseline SET received = received + NEW.quantity WHERE id = NEW.purchase_line_id;
                    RETURN NULL;
                """,
            ),
            states.guard(
                # 3.2: what is traced comes and goes by its batch, or piece by piece by its serial number, which comes in
                # once. The part is read FOR SHARE: nobody changes in between how it is traced.
                "stockmovement_traced",
                operation=pgtrigger.Insert,
                declare=[("how", "text")],
                func="""
                    SELECT p.tracing INTO how FROM catalogue_part p JOIN workshop_stockitem i ON i.part_id = p.id
                        WHERE i.id = NEW.item_id FOR SHARE OF p;
                    IF NEW.kind = 'TRANSFER' OR how = 'NONE' THEN
                        IF NEW.lot_id IS NOT NULL THEN {refuse} END IF;
                        RETURN NEW;
                    END IF;
                    IF NEW.lot_id IS NULL THEN
                        -- What lay there before tracing began goes without a number, and may come back so.
                        IF NEW.kind IN ('ISSUE', 'COUNT', 'TRIED') AND NEW.quantity < 0 AND -NEW.quantity <= (
                            SELECT i.on_hand - (SELECT COALESCE(sum(l.on_hand), 0) FROM workshop_stocklot l
                                WHERE l.item_id = i.id)
                            FROM workshop_stockitem i WHERE i.id = NEW.item_id FOR NO KEY UPDATE OF i)
                        THEN RETURN NEW; END IF;
                        IF NEW.kind = 'RETURN' AND EXISTS (SELECT 1 FROM workshop_partreturn
                            WHERE id = NEW.part_return_id AND lot_id IS NULL) THEN RETURN NEW; END IF;
                        {refuse}
                    END IF;
                    IF NOT EXISTS (SELECT 1 FROM workshop_stocklot WHERE id = NEW.lot_id AND item_id = NEW.item_id)
                        OR (how = 'SERIAL' AND abs(NEW.quantity) <> 1)
                        OR (how = 'SERIAL' AND NEW.kind = 'RECEIPT' AND EXISTS (
                            SELECT 1 FROM workshop_stockmovement WHERE lot_id = NEW.lot_id AND kind = 'RECEIPT'))
                        OR (NEW.part_return_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workshop_partreturn
                            WHERE id = NEW.part_return_id AND lot_id = NEW.lot_id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.lot_missing",
                text=_("This part is traced: name its batch, or the serial number of each piece."),
            ),
            states.guard(
                # 3.2: a stock-take books what it counted, while it is open; meanwhile nobody counts its bins apart from it.
                "stockmovement_of_its_take",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.take_line_id IS NOT NULL OR NEW.kind = 'COUNT'"),
                func="""
                    IF NEW.take_line_id IS NULL THEN
                        IF EXISTS (SELECT 1 FROM workshop_stocktakeline l JOIN workshop_stocktake t ON t.id = l.take_id
                            WHERE l.place_id = NEW.place_id AND t.state = 'COUNTING') THEN {refuse} END IF;
                        RETURN NEW;
                    END IF;
                    PERFORM 1 FROM workshop_stocktakeline l JOIN workshop_stocktake t ON t.id = l.take_id
                        WHERE l.id = NEW.take_line_id AND l.place_id = NEW.place_id AND t.state = 'COUNTING'
                            AND NEW.kind = 'COUNT' FOR SHARE OF t;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="take.being_counted",
                text=_("A stock-take counts this bin; write it down there, or wait until it is closed."),
            ),
            pgtrigger.Trigger(
                # At the end of the transaction: what a stock-take booked belongs to one that is closed.
                name="stockmovement_take_closed",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.take_line_id IS NOT NULL"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_stocktakeline l JOIN workshop_stocktake t ON t.id = l.take_id
                        WHERE l.id = NEW.take_line_id AND t.state = 'CLOSED' AND t.ended_by_id = NEW.moved_by_id)
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'stockmovement_take_closed', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'stockmovement_take_closed'; END IF;
                    RETURN NULL;
                """,
            ),
            states.guard(
                # 3.2: what was tried and is no longer new leaves the shelf, as much of it as was lent, once.
                "stockmovement_of_its_trial",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.trial_id IS NOT NULL OR NEW.kind = 'TRIED'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_parttrial t WHERE t.id = NEW.trial_id AND NEW.kind = 'TRIED'
                        AND t.state = 'BACK' AND t.condition IN ('OPENED', 'FITTED') AND t.item_id = NEW.item_id
                        AND t.quantity >= -NEW.quantity + COALESCE((SELECT -sum(m.quantity) FROM workshop_stockmovement m
                            WHERE m.trial_id = t.id), 0)
                        AND t.lot_id IS NOT DISTINCT FROM NEW.lot_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="trial.movement",
                text=_("Only what came back opened or fitted from a trial leaves the shelf this way."),
            ),
            states.guard(
                # 3.2: what is sold over the counter is a part of its sale, in its store, as much of it and no more; and
                # back onto the shelf comes what nobody opened.
                "stockmovement_of_its_sale",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.sale_line_id IS NOT NULL OR NEW.sale_return_id IS NOT NULL OR NEW.kind IN ('SALE', 'SALEBACK')"
                ),
                declare=[("sold", "record")],
                func="""
                    SELECT l.quantity, s.state INTO sold FROM workshop_saleline l
                        JOIN workshop_countersale s ON s.id = l.sale_id
                        JOIN workshop_stockitem i ON i.part_id = l.part_id AND i.store_id = s.store_id
                        WHERE l.id = NEW.sale_line_id AND i.id = NEW.item_id FOR SHARE OF s;
                    IF NOT FOUND THEN {refuse} END IF;
                    IF NEW.kind = 'SALE' AND NEW.sale_return_id IS NULL AND sold.state = 'DRAFT'
                        AND sold.quantity >= -NEW.quantity - (SELECT COALESCE(sum(quantity), 0)
                            FROM workshop_stockmovement WHERE sale_line_id = NEW.sale_line_id AND kind = 'SALE')
                    THEN RETURN NEW; END IF;
                    IF NEW.kind = 'SALEBACK' AND EXISTS (SELECT 1 FROM workshop_salereturn r
                        WHERE r.id = NEW.sale_return_id AND r.line_id = NEW.sale_line_id AND r.condition = 'UNOPENED'
                        AND r.quantity = NEW.quantity AND r.lot_id IS NOT DISTINCT FROM NEW.lot_id)
                    THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="sale.movement",
                text=_("Parts leave the shelf for what stands on the sale, and only unopened ones come back onto it."),
            ),
            states.guard(
                # 3.2: what comes in of a purchase is its part, in its store, while it is running.
                "stockmovement_of_its_purchase",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.purchase_line_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM workshop_purchaseline l
                        JOIN workshop_purchaseorder p ON p.id = l.purchase_id
                        JOIN workshop_stockitem i ON i.part_id = l.part_id AND i.store_id = p.store_id
                        WHERE l.id = NEW.purchase_line_id AND i.id = NEW.item_id AND NEW.kind = 'RECEIPT'
                            AND p.state IN ('ORDERED', 'PARTLY') FOR SHARE OF p;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="purchase.ended",
                text=_("Nothing more is expected from this order."),
            ),
            states.guard(
                # 3.2: what moves lies in a bin of that very part in that very store; so bins add up to what is on hand.
                "stockmovement_in_its_bin",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_stockbin b JOIN workshop_stockitem i ON i.id = b.item_id
                        WHERE b.id = NEW.place_id AND i.id = NEW.item_id AND i.store_id = NEW.store_id)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.bin",
                text=_("This bin isn't one of the part in this store."),
            ),
            states.guard(
                # 3.2: only what nobody opened goes back onto the shelf, as much of it as came back.
                "stockmovement_return_unopened",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.kind = 'RETURN' OR NEW.part_return_id IS NOT NULL"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_partreturn r WHERE r.id = NEW.part_return_id
                        AND NEW.kind = 'RETURN' AND r.condition = 'UNOPENED' AND r.part_line_id = NEW.part_line_id
                        AND r.quantity = NEW.quantity) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="part.opened",
                text=_("Only unopened parts go back onto the shelf."),
            ),
            pgtrigger.Trigger(
                # At the end of the transaction: two rows, so that nothing is made or lost on the way.
                name="stockmovement_transfer_whole",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.transfer IS NOT NULL"),
                func="""
                    IF (SELECT (count(*), count(DISTINCT place_id), count(DISTINCT item_id), sum(quantity))
                        IS DISTINCT FROM (2, 2, 1, 0) FROM workshop_stockmovement WHERE transfer = NEW.transfer)
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'stockmovement_transfer_whole', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'stockmovement_transfer_whole'; END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="stockmovement_sign",
                condition=Q(kind__in=["RECEIPT", "RETURN", "SALEBACK"], quantity__gt=0)
                | Q(kind__in=["ISSUE", "SALE", "TRIED"], quantity__lt=0)
                | (Q(kind__in=["COUNT", "TRANSFER"]) & ~Q(quantity=0)),
            ),
            models.CheckConstraint(
                name="stockmovement_transfer",
                condition=Q(kind="TRANSFER", transfer__isnull=False) | (~Q(kind="TRANSFER") & Q(transfer__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["item", "-id"], name="stockmovement_item"),
            models.Index(fields=["transfer"], name="stockmovement_pair", condition=Q(transfer__isnull=False)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.part_line.history_keys() if self.part_line else {}


explain_constraint(
    "stockmovement_take_closed",
    "take.booked",
    _("A stock-take closes with its differences booked."),
)
explain_constraint(
    "stockmovement_transfer_whole",
    "stock.transfer",
    _("What leaves one bin comes into another one, no more and no less."),
)


class InspectionLevel(models.TextChoices):
    SELF = "SELF", _("Self check")
    TEAM = "TEAM", _("Team check")
    FINAL = "FINAL", _("Final inspection")


class InspectionResult(models.TextChoices):
    PASSED = "PASSED", _("Passed")
    FAILED = "FAILED", _("Failed")


class FailureCause(models.TextChoices):
    """Why work goes back from an inspection; the figure of internal rework is read by these (3.2, domain 3.4)."""

    LEFT_OUT = "LEFT_OUT", pgettext_lazy("cause of a failure", "Something was left out")
    DONE_WRONG = "DONE_WRONG", pgettext_lazy("cause of a failure", "Done wrong")
    TORQUE = "TORQUE", pgettext_lazy("cause of a failure", "Not tightened as prescribed")
    ADJUSTMENT = "ADJUSTMENT", pgettext_lazy("cause of a failure", "Adjusted or set wrong")
    FLUID = "FLUID", pgettext_lazy("cause of a failure", "Leak or wrong level")
    DIAGNOSIS = "DIAGNOSIS", pgettext_lazy("cause of a failure", "The cause of the fault wasn't found")
    PART = "PART", pgettext_lazy("cause of a failure", "Part faulty or wrong")
    DAMAGE = "DAMAGE", pgettext_lazy("cause of a failure", "Something was damaged by the work")
    CLEANLINESS = "CLEANLINESS", pgettext_lazy("cause of a failure", "Dirt or traces left")
    OTHER = "OTHER", pgettext_lazy("cause of a failure", "Something else")


class Inspection(Root):
    """One inspection of an order (3.2, domain 3.4). Team and final never by a person who worked on it.

    A road test goes with it: who drove, how far, between which readings, where, and what was found.
    """

    link_path: ClassVar[str | None] = "order__visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="inspections")
    level = models.CharField(max_length=5, choices=InspectionLevel.choices)
    result = models.CharField(max_length=6, choices=InspectionResult.choices)
    inspector = models.ForeignKey(Employee, models.PROTECT, related_name="inspections")
    failed_line = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="failures")
    reason = models.CharField(max_length=300, blank=True)
    cause = models.CharField(max_length=12, choices=FailureCause.choices, blank=True, db_default="")
    """Empty where it passed, or failed before causes were asked."""
    road_test_km = models.PositiveSmallIntegerField(null=True, blank=True)
    road_test_driver = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    road_test_from_km = models.PositiveIntegerField(null=True, blank=True)
    road_test_to_km = models.PositiveIntegerField(null=True, blank=True)
    road_test_route = models.CharField(max_length=120, blank=True, db_default="")
    road_test_findings = models.CharField(max_length=300, blank=True, db_default="")
    sheet_reason = models.CharField(max_length=200, blank=True, db_default="")
    """Why it passed although a check sheet of the car isn't signed."""
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.append_only("inspection_append_only"),  # its instruments move its version
            states.guard(
                # domain 3.4: the law's three inspections are on signed sheets before such work passes; the one at
                # completion came after the last work, and nothing on it is bad.
                "inspection_stages_signed",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level = 'FINAL' AND NEW.result = 'PASSED'"),
                declare=[("last_work", "timestamptz")],
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderline l WHERE l.order_id = NEW.order_id
                        AND l.state = 'COMPLETED' AND l.category IN ('WHOLE_VEHICLE', 'ASSEMBLY', 'SECOND_MAINTENANCE'))
                    THEN RETURN NEW; END IF;
                    SELECT max(completed_at) INTO last_work FROM workshop_orderline
                        WHERE order_id = NEW.order_id AND state = 'COMPLETED';
                    IF EXISTS (SELECT 1 FROM unnest(ARRAY['BEFORE', 'PROCESS', 'FINAL']) needed WHERE NOT EXISTS (
                        SELECT 1 FROM workshop_checksheet s JOIN catalogue_checktemplate t ON t.id = s.template_id
                        WHERE s.order_id = NEW.order_id AND t.stage = needed AND s.state = 'SIGNED'
                        AND (needed <> 'FINAL' OR s.signed_at >= COALESCE(last_work, '-infinity')))) THEN {refuse} END IF;
                    IF EXISTS (SELECT 1 FROM workshop_checksheet s
                        JOIN catalogue_checktemplate t ON t.id = s.template_id AND t.stage = 'FINAL'
                        JOIN workshop_checkanswer a ON a.sheet_id = s.id AND a.verdict = 'RED'
                        WHERE s.order_id = NEW.order_id AND NOT EXISTS (SELECT 1 FROM workshop_checksheet n
                            JOIN catalogue_checktemplate w ON w.id = n.template_id
                            WHERE n.order_id = s.order_id AND w.code = t.code AND n.turn > s.turn AND n.state = 'SIGNED'))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.stages",
                text=_(
                    "Second-class maintenance, assembly and whole-vehicle repair pass with the sheets before, during and "
                    "after the work signed, and nothing bad on the last one (3.2)."
                ),
            ),
            states.guard(
                # domain 3.4: such work is measured; looked at when everything is written.
                "inspection_measured_with",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.level = 'FINAL' AND NEW.result = 'PASSED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l WHERE l.order_id = NEW.order_id
                        AND l.state IN ('COMPLETED', 'INSPECTED')
                        AND l.category IN ('WHOLE_VEHICLE', 'ASSEMBLY', 'SECOND_MAINTENANCE'))
                    AND NOT EXISTS (SELECT 1 FROM workshop_inspectiontool u JOIN workshop_toolasset m ON m.id = u.tool_id
                        WHERE u.inspection_id = NEW.id AND m.tool_class = 'MEASURING')
                    THEN {refuse} END IF;
                    RETURN NULL;
                """,
                code="inspection.instruments",
                text=_("Name what was measured with: at least one measuring instrument that is in date (3.4)."),
            ),
            states.guard(
                # domain 3.4: what goes back does so with a cause that can be counted; a passed one has none.
                "inspection_failure_cause",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.result = 'FAILED' AND NEW.cause = '' OR NEW.result <> 'FAILED' AND NEW.cause <> ''"
                ),
                func="{refuse}",
                code="inspection.cause",
                text=_("Choose why the work goes back."),
            ),
            states.guard(
                "inspection_not_by_worker",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level IN ('TEAM', 'FINAL')"),
                func="""
                    PERFORM 1 FROM workshop_repairorder WHERE id = NEW.order_id FOR SHARE;
                    IF EXISTS (
                        SELECT 1 FROM workshop_clocking c JOIN workshop_orderline l ON l.id = c.line_id
                        WHERE l.order_id = NEW.order_id AND c.employee_id = NEW.inspector_id
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.own_work",
                text=_("Who worked on the car can't do its team or final inspection (3.2)."),
            ),
            states.guard(
                # 3.2, domain 3.4: three levels are three people; also where nobody was clocked on to the work.
                "inspection_other_person",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level IN ('TEAM', 'FINAL') AND NEW.result = 'PASSED'"),
                func="""
                    PERFORM 1 FROM workshop_repairorder WHERE id = NEW.order_id FOR SHARE;
                    IF EXISTS (SELECT 1 FROM workshop_inspection i
                        WHERE i.order_id = NEW.order_id AND i.level <> NEW.level AND i.result = 'PASSED'
                        AND i.inspector_id = NEW.inspector_id AND i.at >= COALESCE((SELECT max(completed_at)
                            FROM workshop_orderline WHERE order_id = NEW.order_id AND state = 'COMPLETED'), '-infinity'))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.same_person",
                text=_("Each level of inspection is passed by somebody else (3.2)."),
            ),
            states.guard(
                # 3.2, JT/T 795: structural work has its own check, passed since it was done.
                "inspection_structure_checked",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level = 'FINAL' AND NEW.result = 'PASSED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_structuraljob j JOIN workshop_orderline l ON l.id = j.line_id
                        WHERE l.order_id = NEW.order_id AND l.state IN ('COMPLETED', 'INSPECTED')
                        AND NOT EXISTS (SELECT 1 FROM workshop_structurecheck k WHERE k.job_id = j.id
                            AND k.result = 'PASSED' AND k.at >= COALESCE(l.completed_at, '-infinity')
                            AND k.id = (SELECT max(id) FROM workshop_structurecheck WHERE job_id = j.id)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="structure.unchecked",
                text=_("Structural work needs its check, passed after the repair, before this (3.2)."),
            ),
            states.guard(
                # 3.2, JT/T 795: work on the structure, and an accident of some size, have that check whoever forgot to
                # say so.
                "inspection_structure_demanded",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level = 'FINAL' AND NEW.result = 'PASSED'"),
                declare=[("amount_from", "jsonb"), ("day", "date")],
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l
                        JOIN catalogue_operation o ON o.id = l.operation_id AND o.is_structural
                        WHERE l.order_id = NEW.order_id AND l.state = 'COMPLETED'
                        AND NOT EXISTS (SELECT 1 FROM workshop_structuraljob j WHERE j.line_id = l.id))
                    THEN {refuse} END IF;
                    IF EXISTS (SELECT 1 FROM workshop_structuraljob j JOIN workshop_orderline l ON l.id = j.line_id
                        WHERE l.order_id = NEW.order_id) THEN RETURN NEW; END IF;
                    SELECT (NEW.at AT TIME ZONE s.time_zone)::date INTO day FROM kernel_store s WHERE s.id = NEW.store_id;
                    SELECT v.value INTO amount_from FROM kernel_setting v WHERE v.key = 'workshop.structure_amount'
                        AND (v.store_id IS NULL OR v.store_id = NEW.store_id) AND v.starts_on <= day
                        AND (v.ends_on IS NULL OR v.ends_on >= day) ORDER BY v.store_id NULLS LAST LIMIT 1;
                    IF COALESCE((SELECT sum(COALESCE(r.agreed_amount, r.amount)) FROM workshop_assessmentrow r
                        JOIN workshop_assessment a ON a.id = r.assessment_id AND a.state = 'AGREED'
                        JOIN workshop_accidentcase c ON c.id = a.accident_id WHERE c.order_id = NEW.order_id), -1)
                        >= COALESCE((amount_from #>> '{}')::numeric, 20000) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="structure.demanded",
                text=_(
                    "The body's structure is checked before this car passes: declare the item that is measured, then have "
                    "it checked (3.2)."
                ),
            ),
            states.guard(
                "inspection_in_order",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level = 'FINAL' AND NEW.result = 'PASSED'"),
                declare=[
                    ("last_work", "timestamptz"),
                    ("levels", "jsonb"),
                    ("samples", "jsonb"),
                    ("new_days", "jsonb"),
                    ("day", "date"),
                    ("ticket", "int"),
                ],
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline
                        WHERE order_id = NEW.order_id AND state IN ('AUTHORIZED', 'IN_PROGRESS')) THEN {refuse} END IF;
                    SELECT max(completed_at) INTO last_work FROM workshop_orderline
                        WHERE order_id = NEW.order_id AND state = 'COMPLETED';
                    SELECT v.value INTO levels FROM kernel_setting v JOIN kernel_store s ON s.id = NEW.store_id
                        WHERE v.key = 'workshop.inspection_levels' AND (v.store_id IS NULL OR v.store_id = s.id)
                        AND v.starts_on <= (NEW.at AT TIME ZONE s.time_zone)::date
                        AND (v.ends_on IS NULL OR v.ends_on >= (NEW.at AT TIME ZONE s.time_zone)::date)
                        ORDER BY v.store_id NULLS LAST LIMIT 1;
                    levels := COALESCE(levels, '{"FIRST_MAINTENANCE": 2, "MINOR": 2}');
                    SELECT (NEW.at AT TIME ZONE s.time_zone)::date INTO day FROM kernel_store s WHERE s.id = NEW.store_id;
                    SELECT v.value INTO samples FROM kernel_setting v WHERE v.key = 'workshop.inspection_samples'
                        AND (v.store_id IS NULL OR v.store_id = NEW.store_id) AND v.starts_on <= day
                        AND (v.ends_on IS NULL OR v.ends_on >= day) ORDER BY v.store_id NULLS LAST LIMIT 1;
                    SELECT v.value INTO new_days FROM kernel_setting v WHERE v.key = 'workshop.inspection_new_days'
                        AND (v.store_id IS NULL OR v.store_id = NEW.store_id) AND v.starts_on <= day
                        AND (v.ends_on IS NULL OR v.ends_on >= day) ORDER BY v.store_id NULLS LAST LIMIT 1;
                    SELECT ('x' || left(md5(o.uid::text), 8))::bit(32)::bigint % 100 INTO ticket
                        FROM workshop_repairorder o WHERE o.id = NEW.order_id;
                    IF EXISTS (SELECT 1 FROM unnest(ARRAY['SELF', 'TEAM']) needed
                        WHERE (needed = 'SELF' OR EXISTS (SELECT 1 FROM workshop_orderline l
                            WHERE l.order_id = NEW.order_id AND l.state = 'COMPLETED'
                            AND (l.is_safety OR COALESCE((levels ->> l.category)::int, 3) >= 3
                                OR ticket < COALESCE((samples ->> l.category)::int, 0)
                                OR EXISTS (SELECT 1 FROM workshop_clocking c
                                    JOIN staff_employee e ON e.id = c.employee_id
                                    WHERE c.line_id = l.id AND e.hired_on > day - COALESCE(new_days::int, 0)
                                    AND COALESCE(new_days::int, 0) > 0))))
                        AND NOT EXISTS (
                            SELECT 1 FROM workshop_inspection i WHERE i.order_id = NEW.order_id AND i.level = needed
                            AND i.result = 'PASSED' AND i.at >= COALESCE(last_work, '-infinity')
                    )) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.order",
                text=_(
                    "Before the final inspection passes, all agreed work is done and the levels before it have passed."
                ),
            ),
            states.guard(
                # domain 3.4: who did the work checks it; where nobody was clocked on, nobody can be named.
                "inspection_self_by_worker",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level = 'SELF'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_clocking c JOIN workshop_orderline l ON l.id = c.line_id
                        WHERE l.order_id = NEW.order_id)
                    AND NOT EXISTS (SELECT 1 FROM workshop_clocking c JOIN workshop_orderline l ON l.id = c.line_id
                        WHERE l.order_id = NEW.order_id AND c.employee_id = NEW.inspector_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.not_worker",
                text=_("The self check is done by somebody who worked on the car."),
            ),
            states.guard(
                # domain 3.4: one person's self check doesn't stand for another one's work.
                "inspection_self_each",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.level IN ('TEAM', 'FINAL') AND NEW.result = 'PASSED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline l
                        WHERE l.order_id = NEW.order_id AND l.state = 'COMPLETED'
                        AND EXISTS (SELECT 1 FROM workshop_clocking c WHERE c.line_id = l.id)
                        AND NOT EXISTS (SELECT 1 FROM workshop_inspection i
                            JOIN workshop_clocking c ON c.employee_id = i.inspector_id AND c.line_id = l.id
                            WHERE i.order_id = NEW.order_id AND i.level = 'SELF' AND i.result = 'PASSED'
                            AND i.at >= COALESCE(l.completed_at, '-infinity'))) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.self_missing",
                text=_("Each line is self-checked by somebody who worked on it before the team check passes (3.2)."),
            ),
            states.guard(
                # domain 3.4: what concerns safety is driven before the car passes, by a person who is named.
                "inspection_road_test",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition(
                    "NEW.level = 'FINAL' AND NEW.result = 'PASSED' AND (NEW.road_test_driver_id IS NULL OR "
                    "NEW.road_test_km IS NULL OR NEW.road_test_km = 0)"
                ),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline
                        WHERE order_id = NEW.order_id AND is_safety AND state = 'COMPLETED') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="inspection.road_test",
                text=_("Work that concerns safety passes only with its road test: how far, and who drove (3.2)."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="inspection_failure_reason", condition=~Q(result="FAILED") | ~Q(reason="")),
            models.CheckConstraint(
                name="inspection_road_test_readings",
                condition=Q(road_test_from_km__isnull=True, road_test_to_km__isnull=True)
                | Q(
                    road_test_from_km__isnull=False,
                    road_test_to_km__isnull=False,
                    road_test_km__isnull=False,
                    road_test_to_km=F("road_test_from_km") + F("road_test_km"),
                ),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("inspection_failure_reason", "inspection.reason", _("Say what failed and why."))
explain_constraint(
    "inspection_road_test_readings",
    "inspection.road_test",
    _("The two readings of the road test lie as far apart as was driven."),
)


class CertificateRange(Root):
    """Numbers of completion certificates allotted to a store (domain 3.2); each is used once or voided."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    prefix = models.CharField(max_length=12)
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    next = models.PositiveIntegerField()

    class Meta:
        triggers = [
            states.versioned(),
            states.fixed("certificaterange_fixed", "store_id", "prefix", "first", "last"),
            states.guard(
                # domain 3.2: a number that was given out is never given out again.
                "certificaterange_forward",
                operation=pgtrigger.UpdateOf("next") | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' AND NEW.next >= OLD.next THEN RETURN NEW; END IF;
                    IF TG_OP = 'DELETE' AND OLD.next = OLD.first THEN RETURN OLD; END IF;
                    {refuse}
                """,
                code="certificate.used",
                text=_("Certificate numbers that were given out stay used."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["prefix", "first"], name="certificaterange_once"),
            models.CheckConstraint(
                name="certificaterange_bounds",
                condition=Q(last__gte=F("first"), next__gte=F("first"), next__lte=F("last") + 1),
            ),
            ExclusionConstraint(
                name="certificaterange_apart",
                expressions=[
                    ("prefix", RangeOperators.EQUAL),
                    (
                        Func(
                            F("first"),
                            F("last"),
                            models.Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]


explain_constraint("certificaterange_apart", "certificate.overlap", _("Some of these numbers were entered before."))


class Certificate(Root):
    """竣工出厂合格证: only after a passed final inspection and signed by that inspector (domain 3.2)."""

    link_path: ClassVar[str | None] = "order__visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    order = models.ForeignKey(RepairOrder, models.PROTECT, null=True, related_name="certificates")
    range = models.ForeignKey(CertificateRange, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    inspector = models.ForeignKey(Employee, models.PROTECT, null=True, related_name="+")
    category = models.CharField(max_length=20, choices=RepairCategory.choices, blank=True)
    odometer_km = models.PositiveIntegerField(null=True, blank=True)
    guarantee_days = models.PositiveSmallIntegerField(default=0)
    guarantee_km = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField(default=clock.now)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    """Who voided it; empty where that was before names were kept, or where a machine did."""
    void_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            states.ShownIn("range"),
            states.guard(
                # 3.2, JT/T 795: structural work has its own check, passed since it was done.
                "certificate_structure_checked",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_structuraljob j JOIN workshop_orderline l ON l.id = j.line_id
                        WHERE l.order_id = NEW.order_id AND l.state IN ('COMPLETED', 'INSPECTED')
                        AND NOT EXISTS (SELECT 1 FROM workshop_structurecheck k WHERE k.job_id = j.id
                            AND k.result = 'PASSED' AND k.at >= COALESCE(l.completed_at, '-infinity')
                            AND k.id = (SELECT max(id) FROM workshop_structurecheck WHERE job_id = j.id)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="structure.unchecked",
                text=_("Structural work needs its check, passed after the repair, before this (3.2)."),
            ),
            states.versioned(),
            states.guard(
                "certificate_after_final_inspection",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.order_id IS NOT NULL"),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM workshop_inspection WHERE id = (SELECT max(id) FROM workshop_inspection
                            WHERE order_id = NEW.order_id AND level = 'FINAL')
                        AND result = 'PASSED' AND inspector_id = NEW.inspector_id
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="certificate.inspection",
                text=_("A certificate is signed by the inspector who passed the final inspection of this order."),
            ),
            states.guard(
                # domain 3.2: one of the numbers that the authority allotted, and one that is given out; a spoiled one
                # may lie ahead of it.
                "certificate_number_allotted",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_certificaterange r WHERE r.id = NEW.range_id
                        AND r.store_id = NEW.store_id AND left(NEW.number, length(r.prefix)) = r.prefix
                        AND substr(NEW.number, length(r.prefix) + 1) ~ '^([0-9]{8}|[1-9][0-9]{8,9})$'
                        AND substr(NEW.number, length(r.prefix) + 1)::bigint BETWEEN r.first
                            AND CASE WHEN NEW.order_id IS NULL THEN r.last ELSE r.next - 1 END)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="certificate.no_numbers",
                text=_("The number isn't among those that were allotted to the store."),
            ),
            states.fixed(
                "certificate_fixed",
                "store_id",
                "order_id",
                "range_id",
                "number",
                "inspector_id",
                "category",
                "odometer_km",
                "guarantee_days",
                "guarantee_km",
                "issued_at",
            ),
            states.guard(
                "certificate_voided_once",
                operation=pgtrigger.UpdateOf("voided_at", "void_reason", "voided_by_id") | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.voided_at IS NULL THEN RETURN NEW; END IF;
                    IF TG_OP = 'UPDATE' AND NEW.voided_at = OLD.voided_at AND NEW.void_reason = OLD.void_reason
                    AND NEW.voided_by_id IS NOT DISTINCT FROM OLD.voided_by_id THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="certificate.voided",
                text=_("This certificate is already void."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="certificate_one_valid", fields=["order"], condition=Q(voided_at__isnull=True, order__isnull=False)
            ),
            models.CheckConstraint(
                name="certificate_void_reason", condition=Q(voided_at__isnull=True) | ~Q(void_reason="")
            ),
            models.CheckConstraint(  # domain 3.2: a number of no order is a spoiled one
                name="certificate_unused_is_void", condition=Q(order__isnull=False) | Q(voided_at__isnull=False)
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys() if self.order else {}


explain_constraint("certificate_one_valid", "certificate.exists", _("This order already has a valid certificate."))
explain_constraint(
    "certificate_unused_is_void",
    "certificate.unused",
    _("A number that belongs to no order is voided, with its reason."),
)


class ProposalState(models.TextChoices):
    """Life of a proposed plan (2.4)."""

    RUNNING = "RUNNING", pgettext_lazy("proposed plan", "Being worked out")
    READY = "READY", pgettext_lazy("proposed plan", "To be looked at")
    ACCEPTED = "ACCEPTED", pgettext_lazy("proposed plan", "Accepted")
    REJECTED = "REJECTED", pgettext_lazy("proposed plan", "Not wanted")
    EXPIRED = "EXPIRED", pgettext_lazy("proposed plan", "Out of date")
    FAILED = "FAILED", pgettext_lazy("proposed plan", "Did not work")


P = ProposalState
PROPOSAL_MOVES = {
    P.RUNNING: {P.READY, P.REJECTED, P.FAILED},
    P.READY: {P.ACCEPTED, P.REJECTED, P.EXPIRED},
    P.ACCEPTED: set(),
    P.REJECTED: set(),
    P.EXPIRED: set(),
    P.FAILED: set(),
}


class ProposalCause(models.TextChoices):
    """What made somebody ask for a new plan."""

    WISH = "WISH", pgettext_lazy("why a plan is proposed", "Asked for")
    SLIP = "SLIP", pgettext_lazy("why a plan is proposed", "Work takes longer than planned")
    BLOCKED = "BLOCKED", pgettext_lazy("why a plan is proposed", "A bay is out of use")
    ABSENCE = "ABSENCE", pgettext_lazy("why a plan is proposed", "Somebody is away")
    PARTS = "PARTS", pgettext_lazy("why a plan is proposed", "A kept part went to another order")


class DispatchProposal(Root):
    """A plan for a store's open work that a worker proposes and the foreman accepts or not (2.4).

    ``basis`` holds uid → version of every plan that was read: another plan in force makes it stale. ``cost`` and
    ``bound`` are the planner's own measure (``workshop.planning.cost_of``), ``summary`` what it comes to in words' terms.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=P.choices, default=P.RUNNING)
    cause = models.CharField(max_length=8, choices=ProposalCause.choices, default=ProposalCause.WISH)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    seconds = models.PositiveSmallIntegerField()
    run = models.UUIDField(null=True, blank=True, help_text="the worker's run that is at it")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="the run's last sign of life")
    found = models.PositiveIntegerField(default=0, help_text="better plans found so far")
    cost = models.BigIntegerField(default=0)
    bound = models.BigIntegerField(default=0)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    basis = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    problem = models.CharField(max_length=60, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(PROPOSAL_MOVES, field="state", name="dispatchproposal_moves"),
            states.guard(
                # 2.4: what people work on now, and what begins within the hour, is never moved by a proposal. The lines
                # are read FOR SHARE, so that nobody clocks on between the look and the commit.
                "dispatchproposal_leaves_the_next_hour",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'ACCEPTED' AND OLD.state <> 'ACCEPTED'"),
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id IN (
                        SELECT line_id FROM workshop_planchange WHERE proposal_id = NEW.id) ORDER BY id FOR SHARE;
                    IF EXISTS (
                        SELECT 1 FROM workshop_planchange c JOIN workshop_clocking k ON k.line_id = c.line_id
                        WHERE c.proposal_id = NEW.id AND k.ended_at IS NULL
                    ) OR EXISTS (
                        SELECT 1 FROM workshop_planchange c JOIN workshop_dispatch d ON d.id = c.replaces_id
                        WHERE c.proposal_id = NEW.id AND d.ends_at > NEW.ended_at
                        AND d.starts_at < NEW.ended_at + interval '1 hour'
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="proposal.next_hour",
                text=_(
                    "Somebody works on one of these jobs now, or it begins within the hour; those stay as they are. "
                    "Ask for a new plan."
                ),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="dispatchproposal_one_open", fields=["store"], condition=Q(state__in=[P.RUNNING, P.READY])
            ),
            models.CheckConstraint(
                name="dispatchproposal_ready",
                condition=~Q(state__in=[P.READY, P.ACCEPTED])
                | Q(ready_at__isnull=False, expires_at__isnull=False, expires_at__gte=F("ready_at")),
            ),
            models.CheckConstraint(
                name="dispatchproposal_accepted_in_time",
                condition=~Q(state=P.ACCEPTED)
                | Q(ended_at__isnull=False, expires_at__isnull=False, ended_at__lte=F("expires_at")),
            ),
        ]
        indexes = [models.Index(fields=["store", "-id"], name="dispatchproposal_list")]


explain_constraint(
    "dispatchproposal_one_open",
    "proposal.running",
    _("A plan is being worked out already; look at that one first."),
)
explain_constraint(
    "dispatchproposal_accepted_in_time", "proposal.expired", _("This plan is out of date; ask for a new one.")
)


class ChangeKind(models.TextChoices):
    """How a job of the proposed plan differs from the plan in force."""

    NEW = "NEW", pgettext_lazy("change of plan", "Given out")
    PERSON = "PERSON", pgettext_lazy("change of plan", "Another technician")
    BAY = "BAY", pgettext_lazy("change of plan", "Another bay")
    TIME = "TIME", pgettext_lazy("change of plan", "Another time")
    LEFT = "LEFT", pgettext_lazy("change of plan", "No place")


class ChangeReason(models.TextChoices):
    CONFLICT = "CONFLICT", pgettext_lazy("change of plan", "Its place is still taken")
    BUSY = "BUSY", pgettext_lazy("change of plan", "The technician is still at work elsewhere")
    BAY = "BAY", pgettext_lazy("change of plan", "The bay is out of use")
    PERSON = "PERSON", pgettext_lazy("change of plan", "The technician isn't there")
    PARTS = "PARTS", pgettext_lazy("change of plan", "Parts come later")
    PROMISE = "PROMISE", pgettext_lazy("change of plan", "For the promised time")
    MAKES_ROOM = "MAKES_ROOM", pgettext_lazy("change of plan", "Makes room")
    NEEDED = "NEEDED", pgettext_lazy("change of plan", "The technician is needed more elsewhere")
    WAITING = "WAITING", pgettext_lazy("change of plan", "The customer waits in the shop")
    REWORK = "REWORK", pgettext_lazy("change of plan", "Rework first")
    EARLIER = "EARLIER", pgettext_lazy("change of plan", "Done sooner")
    NO_PLACE = "NO_PLACE", pgettext_lazy("change of plan", "No free place in these days")


class PlanChange(models.Model):
    """One line of a proposal: where the job stands now, where it would go, and why (2.4). Written once."""

    proposal = models.ForeignKey(DispatchProposal, models.PROTECT, related_name="changes")
    position = models.PositiveSmallIntegerField()
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6, choices=ChangeKind.choices)
    replaces = models.ForeignKey(Dispatch, models.PROTECT, null=True, blank=True, related_name="+")
    technician = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    second = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    bay = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, related_name="+")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=10, choices=ChangeReason.choices)
    other = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="+")
    until = models.DateTimeField(null=True, blank=True)
    saved = models.IntegerField(default=0, help_text="minutes of lateness less than in the plan in force")
    late = models.PositiveIntegerField(default=0, help_text="minutes after the promise that remain")

    class Meta:
        ordering = ["proposal", "position"]
        triggers = [
            states.ShownIn("proposal"),
            pgtrigger.Protect(name="planchange_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "position"], name="planchange_position"),
            models.UniqueConstraint(fields=["proposal", "line"], name="planchange_line"),
            models.CheckConstraint(
                name="planchange_place",
                condition=Q(kind=ChangeKind.LEFT)
                | Q(
                    technician__isnull=False,
                    bay__isnull=False,
                    starts_at__isnull=False,
                    ends_at__isnull=False,
                    ends_at__gt=F("starts_at"),
                ),
            ),
        ]


class ScreenKind(models.TextChoices):
    PLAN = "PLAN", _("Plan on the wall")
    KIOSK = "KIOSK", _("Clocking by scanning")


class WallScreen(Root):
    """A screen that shows the store's plan, or where people clock on and off by scanning; its address is the key (2.4).

    Nobody signs in there: the plan shows no names of customers, and who clocks is whoever's badge is scanned (3.2).
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=40)
    kind = models.CharField(
        max_length=5, choices=ScreenKind.choices, default=ScreenKind.PLAN, db_default=ScreenKind.PLAN
    )
    key = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [states.versioned(), states.fixed("wallscreen_fixed", "key", "store_id", "kind")]
        constraints = [
            models.CheckConstraint(name="wallscreen_key", condition=Q(key__regex=r"^[A-Za-z0-9_-]{32,64}$")),
        ]


class AdviceState(models.TextChoices):
    """Life of advice that a customer declined (3.1)."""

    OPEN = "OPEN", pgettext_lazy("declined advice", "To be offered again")
    TAKEN = "TAKEN", pgettext_lazy("declined advice", "Taken up")
    DROPPED = "DROPPED", pgettext_lazy("declined advice", "Not wanted")


A = AdviceState
ADVICE_MOVES = {A.OPEN: {A.TAKEN, A.DROPPED}, A.TAKEN: set(), A.DROPPED: set()}


class Advice(Root):
    """Work that a customer declined, kept when the car left, to be offered again (3.1, domain 3.1).

    ``amount`` is what it would have cost then, CNY with VAT; ``offer_on`` the day from which it is offered by telephone.
    At the car's next visit it is offered in any case.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="advice")
    line = models.OneToOneField(OrderLine, models.PROTECT, related_name="advice")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    cause = models.CharField(max_length=10, choices=DeclineCause.choices, blank=True)
    is_safety = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=A.choices, default=A.OPEN)
    declined_at = models.DateTimeField()
    offer_on = models.DateField()
    offered = models.PositiveSmallIntegerField(default=0, help_text="how often it was offered again")
    offered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)
    taken_as = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["offer_on", "id"]
        triggers = [
            states.versioned(),
            states.fsm(ADVICE_MOVES, field="state", name="advice_moves"),
            states.fixed(
                "advice_fixed", "store_id", "vehicle_id", "line_id", "amount", "cause", "is_safety", "declined_at"
            ),
            states.guard(
                "advice_of_a_declined_line",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE l.id = NEW.line_id AND l.state = 'DECLINED'
                        AND o.vehicle_id = NEW.vehicle_id AND o.store_id = NEW.store_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="advice.declined",
                text=_("Only work that the customer declined is kept as advice, with its own car."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="advice_ended",
                condition=Q(state=A.OPEN, ended_at__isnull=True, taken_as__isnull=True)
                | Q(state=A.TAKEN, ended_at__isnull=False, taken_as__isnull=False)
                | (Q(state=A.DROPPED, ended_at__isnull=False, taken_as__isnull=True) & ~Q(ended_reason="")),
            ),
        ]
        indexes = [
            models.Index(fields=["store", "offer_on"], name="advice_open", condition=Q(state=A.OPEN)),
            models.Index(fields=["vehicle"], name="advice_vehicle", condition=Q(state=A.OPEN)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.order.history_keys()


explain_constraint("advice_ended", "advice.reason", _("Say why the customer doesn't want it."))


# --- check sheets (3.1), where stock lies (3.2), tools (3.4) ---
from workshop.accident_models import (  # noqa: E402, F401  (found with the room's models)
    AccidentCase,
    Assessment,
    AssessmentRow,
    StructuralJob,
    StructureCheck,
)
from workshop.away_models import AwayWait  # noqa: E402, F401  (found with the room's models)
from workshop.call_models import CallPass, CallState, Need, TechnicianCall  # noqa: E402, F401  (found with the room's models)
from workshop.campaign_models import Campaign, CampaignAnswer, CampaignVehicle  # noqa: E402, F401  (found with the room's models)
from workshop.check_models import CheckAnswer, CheckOffer, CheckPhoto, CheckSheet  # noqa: E402, F401  (found with the room's models)
from workshop.claim_models import StatutoryClaim  # noqa: E402, F401  (found with the room's models)
from workshop.contract_models import ContractSignature  # noqa: E402, F401  (found with the room's models)
from workshop.core_models import CoreCharge, CoreReturn  # noqa: E402, F401  (found with the room's models)
from workshop.day_six_models import DaySixCare, RecordCopy  # noqa: E402, F401  (found with the room's models)
from workshop.difference_models import DifferenceConsent  # noqa: E402, F401  (found with the room's models)
from workshop.fault_models import FaultJudgement  # noqa: E402, F401  (found with the room's models)
from workshop.glove_models import GloveLook  # noqa: E402, F401  (found with the room's models)
from workshop.goodwill_models import LineGoodwill  # noqa: E402, F401  (found with the room's models)
from workshop.lift_models import LiftRound  # noqa: E402, F401  (found with the room's models)
from workshop.old_part_models import OldPart  # noqa: E402, F401  (found with the room's models)
from workshop.own_part_models import OwnPartCheck  # noqa: E402, F401  (found with the room's models)
from workshop.package_models import OrderPackage  # noqa: E402, F401  (found with the room's models)
from workshop.part_consent_models import PartConsent  # noqa: E402, F401  (found with the room's models)
from workshop.payer_models import PayerApproval  # noqa: E402, F401  (found with the room's models)
from workshop.promise_models import PromiseTelling  # noqa: E402, F401  (found with the room's models)
from workshop.sale_models import CounterSale, SaleLine, SaleReturn, SaleState  # noqa: E402, F401  (found with the room's models)
from workshop.standing_models import StandingConsent  # noqa: E402, F401  (found with the room's models)
from workshop.stock_models import (  # noqa: E402, F401  (found with the room's models)
    PartReturn,
    PurchaseLine,
    PurchaseOrder,
    PurchaseState,
    ReservationMove,
    ReturnCondition,
    StockBin,
    StockLot,
    Warehouse,
)
from workshop.stock_take_models import StockTake, StockTakeLine  # noqa: E402, F401  (found with the room's models)
from workshop.sublet_models import SubletOrder  # noqa: E402, F401  (found with the room's models)
from workshop.supplier_models import Supplier  # noqa: E402, F401  (found with the room's models)
from workshop.tool_models import InspectionTool, SheetTool, ToolAsset, ToolCheck, ToolCount, ToolCountRow, ToolIssue  # noqa: E402, F401  (found with the room's models)
from workshop.trial_models import PartTrial, TrialState  # noqa: E402, F401  (found with the room's models)
from workshop.warranty_claim_models import WarrantyClaim, WarrantyClaimLine  # noqa: E402, F401  (found with the room's models)
from workshop.wear_models import WearTerm  # noqa: E402, F401  (found with the room's models)
from workshop.wish_models import MaintenanceWish, WishState  # noqa: E402, F401  (found with the room's models)
