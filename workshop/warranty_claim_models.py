"""Claims to the maker for repairs under its warranty: papers, submission, verdict, money (3.2, domain 3.6)."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, User
from workshop.models import OrderLine, RepairOrder


class WarrantyClaimState(models.TextChoices):
    """判定 → (需厂家授权) → 维修 → 资料齐 → 已提交 → (退回) → 已批 → 已回款."""

    JUDGED = "JUDGED", pgettext_lazy("warranty claim", "Judged to be warranty")
    TO_AUTHORISE = "TO_AUTHORISE", pgettext_lazy("warranty claim", "Waiting for the maker's yes")
    REPAIRING = "REPAIRING", pgettext_lazy("warranty claim", "In repair")
    COMPLETE = "COMPLETE", pgettext_lazy("warranty claim", "Papers complete")
    SUBMITTED = "SUBMITTED", pgettext_lazy("warranty claim", "Submitted")
    RETURNED = "RETURNED", pgettext_lazy("warranty claim", "Sent back by the maker")
    APPROVED = "APPROVED", pgettext_lazy("warranty claim", "Approved")
    PAID = "PAID", pgettext_lazy("warranty claim", "Paid by the maker")
    REJECTED = "REJECTED", pgettext_lazy("warranty claim", "Rejected")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("warranty claim", "Given up")


W = WarrantyClaimState
WARRANTY_CLAIM_MOVES = {
    W.JUDGED: {W.TO_AUTHORISE, W.REPAIRING, W.WITHDRAWN},
    W.TO_AUTHORISE: {W.REPAIRING, W.REJECTED, W.WITHDRAWN},
    W.REPAIRING: {W.COMPLETE, W.WITHDRAWN},
    W.COMPLETE: {W.SUBMITTED, W.WITHDRAWN},
    W.SUBMITTED: {W.RETURNED, W.APPROVED, W.REJECTED},
    W.RETURNED: {W.SUBMITTED, W.WITHDRAWN},
    W.APPROVED: {W.PAID},
    W.PAID: set(),
    W.REJECTED: set(),
    W.WITHDRAWN: set(),
}
WARRANTY_CLAIM_COLORS = {
    W.JUDGED: "booked",
    W.TO_AUTHORISE: "consent",
    W.REPAIRING: "work",
    W.COMPLETE: "inspect",
    W.SUBMITTED: "wait",
    W.RETURNED: "late",
    W.APPROVED: "ready",
    W.PAID: "ready",
    W.REJECTED: "late",
    W.WITHDRAWN: "booked",
}
TO_BE_SUBMITTED = (W.JUDGED, W.TO_AUTHORISE, W.REPAIRING, W.COMPLETE, W.RETURNED)
WITH_THE_MAKER = (W.SUBMITTED, W.APPROVED)


class ShopBears(models.TextChoices):
    """On what account the shop bears what the maker doesn't pay; the customer is not among them."""

    INTERNAL = "INTERNAL", pgettext_lazy("bears the cost", "The shop's own cost")
    GOODWILL = "GOODWILL", pgettext_lazy("bears the cost", "Goodwill of the shop")


class WarrantyClaim(Root):
    """What one order's warranty repair costs the maker (保修索赔). Amounts are CNY with VAT.

    ``told_free``: the customer was told that it costs them nothing, which is never taken back. ``repaired_on`` is the
    day on which the last of its lines was done, ``submit_until`` the maker's last day for the claim.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="warranty_claims")
    state = models.CharField(max_length=12, choices=W.choices, default=W.JUDGED)
    told_free = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    authorised_as = models.CharField(_("the maker's authorisation"), max_length=40, blank=True)
    repaired_on = models.DateField(null=True, blank=True)
    submit_until = models.DateField(null=True, blank=True)
    reference = models.CharField(_("the maker's claim number"), max_length=40, blank=True)
    claimed_amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    submitted_on = models.DateField(null=True, blank=True)
    times_submitted = models.PositiveSmallIntegerField(default=0)
    late_reason = models.CharField(max_length=200, blank=True)
    return_reason = models.CharField(max_length=300, blank=True)
    approved_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    decided_on = models.DateField(null=True, blank=True)
    reason = models.CharField(_("why not in full"), max_length=300, blank=True)
    shop_bears = models.CharField(max_length=8, choices=ShopBears.choices, blank=True)
    paid_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    paid_on = models.DateField(null=True, blank=True)
    payment_reference = models.CharField(max_length=40, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(WARRANTY_CLAIM_MOVES, field="state", name="warrantyclaim_moves"),
            states.fixed("warrantyclaim_fixed", "store_id", "number", "order_id", "opened_at"),
            states.guard(
                "warrantyclaim_told_stays",
                operation=pgtrigger.UpdateOf("told_free"),
                condition=pgtrigger.Condition("OLD.told_free AND NOT NEW.told_free"),
                func="{refuse}",
                code="warranty_claim.told",
                text=_("The customer was told that it is free; that isn't taken back."),
            ),
            states.guard(
                # domain 3.6: nothing goes to the maker without its papers: each line done, with complaint, cause,
                # correction, a photo, the mileage, and the tag of every part that came off.
                "warrantyclaim_papers",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state IN ('COMPLETE', 'SUBMITTED') AND OLD.state <> NEW.state"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_warrantyclaimline WHERE claim_id = NEW.id) OR EXISTS (
                        SELECT 1 FROM workshop_warrantyclaimline c JOIN workshop_orderline l ON l.id = c.line_id
                        JOIN workshop_repairorder o ON o.id = l.order_id JOIN reception_visit v ON v.id = o.visit_id
                        WHERE c.claim_id = NEW.id AND (
                            l.state NOT IN ('COMPLETED', 'INSPECTED') OR l.cause = '' OR l.correction = ''
                            OR (l.complaint = '' AND o.complaint = '') OR v.odometer_in_km IS NULL
                            OR NOT EXISTS (SELECT 1 FROM workshop_linephoto f WHERE f.line_id = l.id)
                            OR EXISTS (SELECT 1 FROM workshop_partline p JOIN catalogue_part a ON a.id = p.part_id
                                WHERE p.line_id = l.id AND p.issued_quantity > 0 AND p.kind <> 'CUSTOMER_SUPPLIED'
                                AND a.leaves_old
                                AND NOT EXISTS (SELECT 1 FROM workshop_oldpart t WHERE t.part_line_id = p.id)))
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="warranty_claim.papers",
                text=_("Papers of this claim are missing; it isn't complete and can't be submitted."),
            ),
            states.guard(
                "warrantyclaim_amount_stands",
                operation=pgtrigger.UpdateOf("claimed_amount", "approved_amount", "paid_amount"),
                condition=pgtrigger.Condition("OLD.state IN ('APPROVED', 'PAID', 'REJECTED', 'WITHDRAWN')"),
                func="""
                    IF NEW.claimed_amount <> OLD.claimed_amount
                        OR NEW.approved_amount IS DISTINCT FROM OLD.approved_amount
                        OR (OLD.state <> 'APPROVED' AND NEW.paid_amount IS DISTINCT FROM OLD.paid_amount)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="warranty_claim.decided",
                text=_("The maker has decided; the amounts stay as they are."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # whoever repairs under warranty has told the customer that it is free
                name="warrantyclaim_repair_is_free",
                condition=Q(state__in=[W.JUDGED, W.TO_AUTHORISE, W.REJECTED, W.WITHDRAWN]) | Q(told_free=True),
            ),
            models.CheckConstraint(
                name="warrantyclaim_submitted",
                condition=Q(state__in=[W.JUDGED, W.TO_AUTHORISE, W.REPAIRING, W.COMPLETE, W.REJECTED, W.WITHDRAWN])
                | Q(
                    claimed_amount__gt=0,
                    submitted_on__isnull=False,
                    submit_until__isnull=False,
                    times_submitted__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="warrantyclaim_in_time",
                condition=Q(submitted_on__isnull=True)
                | Q(submitted_on__lte=F("submit_until"))
                | ~Q(late_reason="")
                | Q(times_submitted__gt=1),
            ),
            models.CheckConstraint(
                name="warrantyclaim_returned", condition=~Q(state=W.RETURNED) | ~Q(return_reason="")
            ),
            models.CheckConstraint(
                name="warrantyclaim_approved",
                condition=~Q(state__in=[W.APPROVED, W.PAID])
                | Q(approved_amount__gt=0, approved_amount__lte=F("claimed_amount"), decided_on__isnull=False),
            ),
            models.CheckConstraint(
                name="warrantyclaim_rest_is_ours",
                condition=~Q(state__in=[W.APPROVED, W.PAID])
                | Q(approved_amount=F("claimed_amount"))
                | (~Q(reason="") & ~Q(shop_bears="")),
            ),
            models.CheckConstraint(
                name="warrantyclaim_rejected",
                condition=~Q(state__in=[W.REJECTED, W.WITHDRAWN])
                | (~Q(reason="") & (Q(told_free=False) | ~Q(shop_bears=""))),
            ),
            models.CheckConstraint(
                name="warrantyclaim_bearer", condition=Q(shop_bears="") | Q(shop_bears__in=ShopBears.values)
            ),
            models.CheckConstraint(
                name="warrantyclaim_paid",
                condition=~Q(state=W.PAID)
                | (
                    Q(paid_amount__gt=0, paid_amount__lte=F("approved_amount"), paid_on__isnull=False)
                    & (Q(paid_amount=F("approved_amount")) | (~Q(reason="") & ~Q(shop_bears="")))
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="warrantyclaim_list"),
            models.Index(
                fields=["store", "submitted_on"],
                name="warrantyclaim_with_maker",
                condition=Q(state__in=["SUBMITTED", "APPROVED"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def state_color(self) -> str:
        return WARRANTY_CLAIM_COLORS[W(self.state)]

    @property
    def is_running(self) -> bool:
        return self.state in (*TO_BE_SUBMITTED, *WITH_THE_MAKER)

    @property
    def borne_by_shop(self) -> Decimal:
        """What the shop bears after the maker's verdict or payment, CNY with VAT."""
        if not self.shop_bears:
            return Decimal(0)
        got = self.paid_amount if self.state == W.PAID else self.approved_amount
        return self.claimed_amount - (got or Decimal(0))

    def is_late(self, today: date) -> bool:
        return self.state in TO_BE_SUBMITTED and self.submit_until is not None and self.submit_until < today

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


class WarrantyClaimLine(Root):
    """A line of the order that the maker is asked to pay. One live claim for a line; rows only lose their claim."""

    store_path = "claim__store_id"

    claim = models.ForeignKey(WarrantyClaim, models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="claimed_in")
    live = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.ShownIn("claim"),
            states.fixed("warrantyclaimline_fixed", "claim_id", "line_id"),
            states.guard(
                "warrantyclaimline_of_warranty",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_orderline l JOIN workshop_warrantyclaim c ON c.order_id = l.order_id
                        WHERE l.id = NEW.line_id AND c.id = NEW.claim_id AND l.pay_type = 'WARRANTY'
                        AND l.state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED') FOR NO KEY UPDATE OF l;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="warranty_claim.line",
                text=_("The maker is asked for agreed warranty lines of this order only."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="warrantyclaimline_once", fields=["line"], condition=Q(live=True)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.claim.history_keys()


explain_constraint(
    "warrantyclaim_repair_is_free",
    "warranty_claim.told",
    _("Who repairs under warranty tells the customer that it is free."),
)
explain_constraint("warrantyclaim_submitted", "warranty_claim.amount", _("A claim has an amount and a last day."))
explain_constraint(
    "warrantyclaim_in_time", "warranty_claim.late", _("The maker's last day is over: say why it comes late.")
)
explain_constraint("warrantyclaim_returned", "warranty_claim.reason", _("Write what the maker wants."))
explain_constraint(
    "warrantyclaim_approved", "warranty_claim.amount", _("The maker approves more than nothing and no more than asked.")
)
explain_constraint(
    "warrantyclaim_rest_is_ours",
    "warranty_claim.rest",
    _("What the maker doesn't pay is the shop's: write why, and on what account."),
)
explain_constraint(
    "warrantyclaim_rejected",
    "warranty_claim.rest",
    _("What the maker doesn't pay is the shop's: write why, and on what account."),
)
explain_constraint(
    "warrantyclaim_paid",
    "warranty_claim.paid",
    _("The maker pays no more than it approved; what is missing has a reason and an account of the shop."),
)
explain_constraint(
    "warrantyclaimline_once", "warranty_claim.claimed", _("Another claim asks the maker for this line already.")
)
