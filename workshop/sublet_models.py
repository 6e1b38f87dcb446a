"""Work that an outside firm does for an order: asked, sent, taken back, checked, billed (3.2)."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, StoredFile
from staff.models import Employee
from workshop.supplier_models import WORK_KINDS, Supplier, of_the_register


class SubletState(models.TextChoices):
    ASKED = "ASKED", pgettext_lazy("outside work", "Agreed, not sent yet")
    SENT = "SENT", pgettext_lazy("outside work", "With the firm")
    BACK = "BACK", pgettext_lazy("outside work", "Back, to be checked")
    NOT_OK = "NOT_OK", pgettext_lazy("outside work", "Not in order, goes back")
    ACCEPTED = "ACCEPTED", pgettext_lazy("outside work", "Checked and in order")
    CANCELLED = "CANCELLED", pgettext_lazy("outside work", "Given up")


class SubletLeaves(models.TextChoices):
    """What goes to the firm; a car leaves by its gate pass only."""

    CAR = "CAR", pgettext_lazy("outside work", "The car")
    PART = "PART", pgettext_lazy("outside work", "Only a part")
    NOTHING = "NOTHING", pgettext_lazy("outside work", "Nothing, the firm comes to us")


S = SubletState
SUBLET_MOVES = {
    S.ASKED: {S.SENT, S.CANCELLED},
    S.SENT: {S.BACK},
    S.BACK: {S.ACCEPTED, S.NOT_OK},
    S.NOT_OK: {S.SENT, S.CANCELLED},
    S.ACCEPTED: set(),
    S.CANCELLED: set(),
}
SUBLET_COLORS = {
    S.ASKED: "booked",
    S.SENT: "wait",
    S.BACK: "inspect",
    S.NOT_OK: "late",
    S.ACCEPTED: "ready",
    S.CANCELLED: "booked",
}
OPEN = (S.ASKED, S.SENT, S.BACK, S.NOT_OK)
TO_GO = (S.ASKED, S.NOT_OK)


class SubletOrder(Root):
    """One piece of outside work for one line. Costs are CNY without VAT; the guarantee for it stays the shop's own.

    ``times_sent`` counts how often it went there, ``findings`` are the words of the last check.
    """

    link_path = "line__order__visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    line = models.ForeignKey("workshop.OrderLine", models.PROTECT, related_name="sublets")
    firm = models.ForeignKey(Supplier, models.PROTECT, related_name="works")
    supplier = models.CharField(max_length=80)
    work = models.CharField(max_length=300)
    leaves = models.CharField(max_length=7, choices=SubletLeaves.choices)
    item = models.CharField(max_length=80, blank=True)
    agreed_cost = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=9, choices=S.choices, default=S.ASKED)
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    expected_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    times_sent = models.PositiveSmallIntegerField(default=0)
    back_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    findings = models.CharField(max_length=300, blank=True)
    final_cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    cost_reason = models.CharField(max_length=200, blank=True)
    bill_number = models.CharField(max_length=40, blank=True)
    bill = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    billed_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(SUBLET_MOVES, field="state", name="subletorder_moves"),
            states.fixed(
                "subletorder_fixed",
                "store_id",
                "number",
                "line_id",
                "supplier",
                "firm_id",
                "work",
                "leaves",
                "item",
                "agreed_cost",
                "asked_at",
                "asked_by_id",
            ),
            of_the_register("subletorder_supplier_known", WORK_KINDS),
            pgtrigger.Protect(name="subletorder_never_deleted", operation=pgtrigger.Delete),
            states.guard(
                # 3.2: nothing goes to an outside firm that the payer of the line hasn't agreed to. The line is read FOR
                # SHARE: it isn't finished, withdrawn or given to another payer in between.
                "subletorder_of_agreed_work",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE l.id = NEW.line_id AND o.store_id = NEW.store_id AND NOT l.settled
                        AND l.state IN ('AUTHORIZED', 'IN_PROGRESS') FOR SHARE OF l;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sublet.not_agreed",
                text=_("Only work that its payer agreed to and that isn't done is given to an outside firm (3.2)."),
            ),
            states.guard(
                # 3.2: while the car drives to the firm nobody is clocked on to it.
                "subletorder_nobody_works",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'SENT' AND OLD.state <> 'SENT' AND NEW.leaves = 'CAR'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_orderline mine JOIN workshop_repairorder o ON o.id = mine.order_id
                        JOIN workshop_repairorder every ON every.visit_id = o.visit_id
                        JOIN workshop_orderline l ON l.order_id = every.id
                        JOIN workshop_clocking c ON c.line_id = l.id AND c.ended_at IS NULL
                        WHERE mine.id = NEW.line_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sublet.clocked_on",
                text=_("Somebody is clocked on to this car; it leaves when nobody works on it."),
            ),
            states.guard(
                "subletorder_bill_stands",
                operation=pgtrigger.UpdateOf("final_cost", "cost_reason", "bill_id", "bill_number"),
                condition=pgtrigger.Condition(
                    "OLD.final_cost IS NOT NULL AND (OLD.final_cost, OLD.cost_reason, OLD.bill_id, OLD.bill_number) "
                    "IS DISTINCT FROM (NEW.final_cost, NEW.cost_reason, NEW.bill_id, NEW.bill_number)"
                ),
                func="{refuse}",
                code="sublet.billed",
                text=_("The firm's bill is entered already and stays."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="subletorder_one_open", fields=["line"], condition=Q(state__in=["ASKED", "SENT", "BACK", "NOT_OK"])
            ),
            models.CheckConstraint(name="subletorder_supplier", condition=~Q(supplier="")),
            models.CheckConstraint(name="subletorder_work", condition=~Q(work="")),
            models.CheckConstraint(
                name="subletorder_item", condition=(Q(leaves="PART") & ~Q(item="")) | (~Q(leaves="PART") & Q(item=""))
            ),
            models.CheckConstraint(
                name="subletorder_costs",
                condition=Q(agreed_cost__gte=0) & (Q(final_cost__isnull=True) | Q(final_cost__gte=0)),
            ),
            models.CheckConstraint(
                # 3.2: what costs more or less than was agreed says why, and only accepted work is paid.
                name="subletorder_bill",
                condition=Q(final_cost__isnull=True, billed_at__isnull=True)
                | (
                    Q(state="ACCEPTED", billed_at__isnull=False) & (Q(final_cost=F("agreed_cost")) | ~Q(cost_reason=""))
                ),
            ),
            models.CheckConstraint(
                name="subletorder_sent",
                condition=Q(state__in=["ASKED", "CANCELLED"]) | Q(sent_at__isnull=False, times_sent__gt=0),
            ),
            models.CheckConstraint(
                name="subletorder_back",
                condition=~Q(state__in=["BACK", "NOT_OK", "ACCEPTED"]) | Q(back_at__gte=F("sent_at")),
            ),
            models.CheckConstraint(
                # 3.2: what comes back is looked at; what isn't in order goes back with words.
                name="subletorder_checked",
                condition=~Q(state__in=["NOT_OK", "ACCEPTED"])
                | (Q(checked_at__gte=F("back_at")) & (Q(state="ACCEPTED") | ~Q(findings=""))),
            ),
            models.CheckConstraint(name="subletorder_given_up", condition=~Q(state="CANCELLED") | ~Q(ended_reason="")),
        ]
        indexes = [
            models.Index(
                fields=["store", "expected_at"],
                name="subletorder_open",
                condition=Q(state__in=["ASKED", "SENT", "BACK", "NOT_OK"]),
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def state_color(self) -> str:
        """The suffix of its colour in the style sheet."""
        return SUBLET_COLORS[SubletState(self.state)]

    @property
    def cost(self) -> Decimal:
        """What it costs as far as is known: the bill, before it what was agreed; CNY without VAT."""
        return self.agreed_cost if self.final_cost is None else self.final_cost

    def is_late(self, now: datetime) -> bool:
        """Whether it should be back by now and isn't accepted."""
        return self.state in (S.ASKED, S.SENT, S.NOT_OK) and self.expected_at < now

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint("subletorder_one_open", "sublet.open", _("This line is at an outside firm already; end that first."))
explain_constraint("subletorder_supplier", "sublet.supplier", _("Name the firm."))
explain_constraint("subletorder_work", "sublet.work", _("Say what the firm is to do."))
explain_constraint(
    "subletorder_item", "sublet.item", _("Name the part that goes to the firm, and only where one does.")
)
explain_constraint("subletorder_costs", "sublet.cost", _("The cost can't be negative."))
explain_constraint(
    "subletorder_bill", "sublet.cost_reason", _("Say why the bill differs from what was agreed; accepted work only.")
)
explain_constraint("subletorder_checked", "sublet.findings", _("Say what isn't in order; the firm reads it."))
explain_constraint("subletorder_given_up", "sublet.reason", _("Say why it is given up."))
