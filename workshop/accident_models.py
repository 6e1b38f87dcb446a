"""Accident repairs that an insurer pays: case, assessments with supplements, structure and its check (3.2)."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, User
from staff.models import Employee
from workshop.models import OrderLine, RepairOrder


class AccidentCase(Root):
    """The damage behind an insurance order (事故车): the order's payer is the insurer. Amounts are CNY with VAT.

    ``own_share`` is what of the bill the customer bears (deductible), agreed by ``share_agreed_by``.
    """

    store_path = "order__store_id"

    order = models.OneToOneField(RepairOrder, models.PROTECT, related_name="accident")
    policy_number = models.CharField(max_length=40)
    report_number = models.CharField(_("report number"), max_length=40)
    happened_on = models.DateField()
    assessor = models.CharField(_("assessor"), max_length=60, blank=True)
    own_share = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    share_agreed_by = models.CharField(max_length=60, blank=True)
    opened_at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            states.fixed("accidentcase_fixed", "order_id", "opened_at"),
            states.guard(
                "accidentcase_of_insurance_order",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_repairorder o JOIN reception_visit v ON v.id = o.visit_id
                        WHERE o.id = NEW.order_id AND o.kind = 'INSURANCE' AND o.customer_id <> v.customer_id)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="accident.order",
                text=_("An accident belongs to an insurance order, whose payer is the insurer."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="accidentcase_numbers", condition=~Q(policy_number="") & ~Q(report_number="")),
            models.CheckConstraint(
                name="accidentcase_own_share",
                condition=Q(own_share=0) | (Q(own_share__gt=0) & ~Q(share_agreed_by="")),
            ),
        ]

    def __str__(self) -> str:
        return self.report_number

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


class AssessmentState(models.TextChoices):
    ASKED = "ASKED", pgettext_lazy("assessment", "With the insurer")
    AGREED = "AGREED", pgettext_lazy("assessment", "Agreed by the insurer")
    REFUSED = "REFUSED", pgettext_lazy("assessment", "Refused by the insurer")


Z = AssessmentState
ASSESSMENT_MOVES = {Z.ASKED: {Z.AGREED, Z.REFUSED}, Z.AGREED: set(), Z.REFUSED: set()}
ASSESSMENT_COLORS = {Z.ASKED: "consent", Z.AGREED: "ready", Z.REFUSED: "booked"}


class Assessment(Root):
    """One version of what the insurer is to pay (定损); those after the first are supplements (追加定损)."""

    store_path = "accident__order__store_id"

    accident = models.ForeignKey(AccidentCase, models.PROTECT, related_name="assessments")
    number = models.PositiveSmallIntegerField()
    reason = models.CharField(_("why it is added"), max_length=300, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=7, choices=Z.choices, default=Z.ASKED)
    asked_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(_("who decided for the insurer"), max_length=60, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["number"]
        triggers = [
            states.versioned(),
            states.fsm(ASSESSMENT_MOVES, field="state", name="assessment_moves"),
            states.fixed("assessment_fixed", "accident_id", "number", "amount", "reason", "asked_at"),
            states.guard(
                # 3.2: the insurer says yes to amounts that add up, and to a supplement only with a photo of each item.
                "assessment_shown",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'AGREED' AND OLD.state <> 'AGREED'"),
                func="""
                    IF NEW.amount IS DISTINCT FROM (SELECT sum(amount) FROM workshop_assessmentrow
                            WHERE assessment_id = NEW.id)
                        OR (NEW.number > 1 AND EXISTS (SELECT 1 FROM workshop_assessmentrow r
                            WHERE r.assessment_id = NEW.id
                            AND NOT EXISTS (SELECT 1 FROM workshop_linephoto f WHERE f.line_id = r.line_id)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="assessment.photo",
                text=_("A supplement is agreed with a photo of each of its items, and its amounts add up."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["accident", "number"], name="assessment_version"),
            models.UniqueConstraint(fields=["accident"], name="assessment_one_asked", condition=Q(state=Z.ASKED)),
            models.CheckConstraint(name="assessment_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="assessment_supplement_reason", condition=Q(number=1) | ~Q(reason="")),
            models.CheckConstraint(
                name="assessment_decided",
                condition=Q(state=Z.ASKED, decided_at__isnull=True)
                | (~Q(state=Z.ASKED) & Q(decided_at__isnull=False) & ~Q(decided_by="")),
            ),
            models.CheckConstraint(name="assessment_refused_why", condition=~Q(state=Z.REFUSED) | ~Q(note="")),
        ]

    @property
    def agreed(self) -> Decimal:
        """What the insurer pays of it, once it has agreed."""
        return sum((row.borne for row in self.rows.all()), Decimal("0.00"))

    @property
    def is_supplement(self) -> bool:
        return self.number > 1

    @property
    def state_color(self) -> str:
        return ASSESSMENT_COLORS[Z(self.state)]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.accident.order.history_keys()


class AssessmentRow(models.Model):
    """What the insurer is to pay for one line, and what it has agreed to, CNY with VAT; that is written once."""

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="rows")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="assessed_in")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    agreed_amount = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="empty: not answered, or all of it"
    )

    class Meta:
        ordering = ["id"]
        triggers = [
            states.ShownIn("assessment"),
            states.guard(
                "assessmentrow_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
                unchanged_passes=True,
                func="""
                    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'agreed_amount' = to_jsonb(OLD) - 'agreed_amount'
                        AND OLD.agreed_amount IS NULL AND EXISTS (SELECT 1 FROM workshop_assessment
                            WHERE id = NEW.assessment_id AND state = 'ASKED') THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="row.append_only",
                text=_("What was written here is never changed."),
            ),
            states.guard(
                "assessmentrow_of_insurer",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_assessment a JOIN workshop_accidentcase c ON c.id = a.accident_id
                        JOIN workshop_orderline l ON l.order_id = c.order_id
                        WHERE a.id = NEW.assessment_id AND a.state = 'ASKED' AND l.id = NEW.line_id
                        AND l.pay_type = 'INSURANCE') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="assessment.line",
                text=_("The insurer assesses items of this order that it pays."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "line"], name="assessmentrow_once"),
            models.CheckConstraint(name="assessmentrow_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="assessmentrow_agreed",
                condition=Q(agreed_amount__isnull=True)
                | (Q(agreed_amount__gte=0) & Q(agreed_amount__lte=models.F("amount"))),
            ),
        ]

    @property
    def borne(self) -> Decimal:
        """What the insurer pays of it, once its assessment is agreed to."""
        return self.amount if self.agreed_amount is None else self.agreed_amount


class StructurePart(models.TextChoices):
    """What of the body's structure is repaired or replaced (JT/T 795)."""

    RAIL = "RAIL", pgettext_lazy("structure", "Front or rear rail")
    PILLAR = "PILLAR", pgettext_lazy("structure", "Pillar")
    SILL = "SILL", pgettext_lazy("structure", "Sill")
    FLOOR = "FLOOR", pgettext_lazy("structure", "Floor")
    WHEEL_HOUSE = "WHEEL_HOUSE", pgettext_lazy("structure", "Wheel house")
    ROOF = "ROOF", pgettext_lazy("structure", "Roof frame")
    WHOLE = "WHOLE", pgettext_lazy("structure", "Body measured as a whole")
    BATTERY_FRAME = "BATTERY_FRAME", pgettext_lazy("structure", "Frame of the traction battery")


class StructuralJob(Root):
    """A line that repairs the body's structure: it needs its own check after the repair. Never taken back."""

    store_path = "line__order__store_id"

    line = models.OneToOneField(OrderLine, models.PROTECT, related_name="structural")
    part = models.CharField(max_length=13, choices=StructurePart.choices)
    marked_at = models.DateTimeField(default=clock.now)
    marked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        triggers = [states.versioned(), states.append_only("structuraljob_append_only")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.order.history_keys()


class StructureResult(models.TextChoices):
    PASSED = "PASSED", pgettext_lazy("structure", "Within the maker's tolerances")
    FAILED = "FAILED", pgettext_lazy("structure", "Out of tolerance")


class StructureCheck(Root):
    """The check of a structural repair by somebody who didn't do it: what was measured and what was found."""

    store_path = "job__line__order__store_id"

    job = models.ForeignKey(StructuralJob, models.PROTECT, related_name="checks")
    result = models.CharField(max_length=6, choices=StructureResult.choices)
    findings = models.CharField(_("what was measured"), max_length=500)
    inspector = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.append_only("structurecheck_append_only"),
            states.guard(
                "structurecheck_after_repair",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_structuraljob j JOIN workshop_orderline l ON l.id = j.line_id
                        WHERE j.id = NEW.job_id AND l.state = 'COMPLETED') OR EXISTS (
                        SELECT 1 FROM workshop_structuraljob j JOIN workshop_clocking c ON c.line_id = j.line_id
                        WHERE j.id = NEW.job_id AND c.employee_id = NEW.inspector_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="structure.check",
                text=_("The structure is checked after its repair, by somebody who didn't work on it."),
            ),
        ]
        constraints = [models.CheckConstraint(name="structurecheck_findings", condition=~Q(findings=""))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.job.line.order.history_keys()


explain_constraint("accidentcase_numbers", "accident.number", _("Write the numbers of the policy and of the report."))
explain_constraint(
    "accidentcase_own_share",
    "accident.own_share",
    _("The customer's own share isn't negative and has the name of who agreed to it."),
)
explain_constraint(
    "assessment_one_asked", "assessment.asked", _("An assessment is with the insurer already; wait for its answer.")
)
explain_constraint(
    "assessmentrow_agreed", "assessment.amount", _("The insurer agrees to no more than was laid before it.")
)
explain_constraint("assessment_supplement_reason", "assessment.reason", _("Say what makes the supplement necessary."))
explain_constraint("structurecheck_findings", "structure.findings", _("Write down what was measured."))
