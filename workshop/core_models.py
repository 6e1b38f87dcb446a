"""Core charges (旧件押金): paid for a part until its old one comes in, and the old ones on their way to the supplier (3.2)."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Part
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from workshop.models import PartLine
from workshop.sale_models import SaleLine


class CoreCharge(Root):
    """A core charge of one issued or sold part (CNY), as it was agreed with its price.

    ``quantity`` is what is out of the part; ``returned`` and ``credited`` are what of it came in and was given back for
    it, written by its returns only; ``due_on`` is the last day on which an old part counts.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    part_line = models.OneToOneField(PartLine, models.PROTECT, null=True, blank=True, related_name="core")
    sale_line = models.OneToOneField(SaleLine, models.PROTECT, null=True, blank=True, related_name="core")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    unit_amount = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    charged_at = models.DateTimeField(default=clock.now)
    due_on = models.DateField()
    returned = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    credited = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.fixed(
                "corecharge_fixed", "store_id", "part_line_id", "sale_line_id", "part_id", "unit_amount", "charged_at"
            ),
            states.versioned(),
            pgtrigger.Protect(name="corecharge_never_deleted", operation=pgtrigger.Delete),
            states.guard(
                "corecharge_by_return_only",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("returned", "credited"),
                func="""
                    IF (TG_OP = 'INSERT' AND (NEW.returned <> 0 OR NEW.credited <> 0)) OR (TG_OP = 'UPDATE'
                        AND (NEW.returned, NEW.credited) IS DISTINCT FROM (OLD.returned, OLD.credited)
                        AND pg_trigger_depth() < 2) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="core.by_return",
                text=_("A core charge is given back by an old part that comes in only."),
            ),
            pgtrigger.Trigger(
                # At the end of the transaction: as much is charged for as is out of the part.
                name="corecharge_of_what_is_out",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_corecharge c
                        LEFT JOIN workshop_partline p ON p.id = c.part_line_id
                        LEFT JOIN workshop_saleline s ON s.id = c.sale_line_id
                        WHERE c.id = NEW.id AND c.part_id = COALESCE(p.part_id, s.part_id)
                        AND c.quantity = COALESCE(p.issued_quantity, s.quantity - s.returned))
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'corecharge_of_what_is_out', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'corecharge_of_what_is_out'; END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="corecharge_for_one",
                condition=Q(part_line__isnull=False, sale_line__isnull=True)
                | Q(part_line__isnull=True, sale_line__isnull=False),
            ),
            models.CheckConstraint(
                name="corecharge_amounts",
                condition=Q(unit_amount__gt=0, quantity__gte=0, returned__gte=0, credited__gte=0)
                & Q(returned__lte=F("quantity"), credited__lte=F("amount"))
                & Q(amount=Round(F("quantity") * F("unit_amount"), precision=2)),
            ),
        ]
        indexes = [
            models.Index(fields=["store", "due_on"], name="corecharge_open", condition=Q(returned__lt=F("quantity")))
        ]

    def __str__(self) -> str:
        return f"{self.part.number} {self.amount}"

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        if self.part_line is not None:
            return self.part_line.history_keys()
        assert self.sale_line is not None
        return self.sale_line.sale.history_keys()

    @property
    def left(self) -> Decimal:
        """How many old parts are still to come in."""
        return self.quantity - self.returned

    @property
    def kept(self) -> Decimal:
        """What isn't given back (CNY)."""
        return self.amount - self.credited

    def is_late(self, today: date) -> bool:
        return self.left > 0 and today > self.due_on


explain_constraint("corecharge_amounts", "core.credited", _("More old parts came in than would be out of this part."))
explain_constraint(
    "corecharge_of_what_is_out", "core.quantity", _("A core charge is for as much as is out of its part.")
)


class CoreCondition(models.TextChoices):
    WHOLE = "WHOLE", pgettext_lazy("core", "Whole")
    DAMAGED = "DAMAGED", pgettext_lazy("core", "Damaged or incomplete")


class CoreState(models.TextChoices):
    HERE = "HERE", pgettext_lazy("core", "Lies here")
    SENT = "SENT", pgettext_lazy("core", "Sent to the supplier")
    CREDITED = "CREDITED", pgettext_lazy("core", "Credited by the supplier")


CORE_MOVES = {CoreState.HERE: {CoreState.SENT}, CoreState.SENT: {CoreState.CREDITED}, CoreState.CREDITED: set()}


class CoreReturn(Root):
    """An old part came in for a core charge; ``credit`` (CNY) is given back for it: all of it for a whole one.

    ``supplier_credit`` is what the supplier credited for it when it was sent back; ``reference`` its parcel.
    """

    store_path = "core__store_id"

    core = models.ForeignKey(CoreCharge, models.PROTECT, related_name="returns")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    condition = models.CharField(max_length=7, choices=CoreCondition.choices)
    credit = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=120, blank=True)
    brought_by = models.CharField(max_length=60)
    at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=8, choices=CoreState.choices, default=CoreState.HERE)
    reference = models.CharField(max_length=60, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    supplier_credit = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    credited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.fixed(
                "corereturn_fixed", "core_id", "quantity", "condition", "credit", "reason", "brought_by", "at"
            ),
            states.versioned(),
            pgtrigger.Protect(name="corereturn_never_deleted", operation=pgtrigger.Delete),
            states.fsm(CORE_MOVES, field="state", name="corereturn_moves"),
            states.guard(
                # 3.2: within its days; all of it for a whole one, never more.
                "corereturn_as_agreed",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_corecharge c JOIN kernel_store s ON s.id = c.store_id
                        WHERE c.id = NEW.core_id AND (NEW.at AT TIME ZONE s.time_zone)::date <= c.due_on
                        AND NEW.credit <= round(NEW.quantity * c.unit_amount, 2)
                        AND (NEW.condition <> 'WHOLE' OR NEW.credit = round(NEW.quantity * c.unit_amount, 2)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="core.agreed",
                text=_(
                    "An old part counts within its days, with all of its charge if it is whole and never with more."
                ),
            ),
            pgtrigger.Trigger(
                name="corereturn_credits",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE workshop_corecharge SET returned = returned + NEW.quantity, credited = credited + NEW.credit
                        WHERE id = NEW.core_id;
                    UPDATE workshop_countersale SET returned_total = returned_total + NEW.credit WHERE id = (
                        SELECT l.sale_id FROM workshop_saleline l JOIN workshop_corecharge c ON c.sale_line_id = l.id
                        WHERE c.id = NEW.core_id);
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(name="corereturn_quantity", condition=Q(quantity__gt=0, credit__gte=0)),
            models.CheckConstraint(name="corereturn_condition", condition=Q(condition__in=CoreCondition.values)),
            models.CheckConstraint(name="corereturn_reason", condition=Q(condition="WHOLE") | ~Q(reason="")),
            models.CheckConstraint(name="corereturn_brought_by", condition=~Q(brought_by="")),
            models.CheckConstraint(
                name="corereturn_sent",
                condition=Q(state="HERE", sent_at__isnull=True)
                | (Q(state__in=["SENT", "CREDITED"], sent_at__isnull=False) & ~Q(reference="")),
            ),
            models.CheckConstraint(
                name="corereturn_credited",
                condition=Q(state="CREDITED", credited_at__isnull=False, supplier_credit__gte=0)
                | (~Q(state="CREDITED") & Q(credited_at__isnull=True, supplier_credit__isnull=True)),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.core.history_keys()


explain_constraint("corereturn_reason", "core.reason", _("Say what is damaged or missing."))
explain_constraint("corereturn_sent", "core.reference", _("Write the parcel's number."))
