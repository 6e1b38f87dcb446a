"""A part that the customer brings is looked at before it is fitted (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Part
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, StoredFile
from staff.models import Employee
from workshop.models import OrderLine


class OwnPartCondition(models.TextChoices):
    """How a part that the customer brought looks (3.2)."""

    NEW = "NEW", _("Brand new")
    USED = "USED", _("Used before")


class OwnPartPackaging(models.TextChoices):
    """In what a part that the customer brought comes (3.2)."""

    SEALED = "SEALED", _("Sealed")
    OPENED = "OPENED", pgettext_lazy("returned part", "Opened")
    NONE = "NONE", _("Without packaging")


class OwnPartCheck(Root):
    """Somebody looked at a part that the customer brought for a line: condition, packaging, damage, and whether it fits.

    The last check of a part on its line counts. Never changed: another part that is brought is another check.
    """

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="own_part_checks")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2, help_text="how many were looked at")
    condition = models.CharField(max_length=4, choices=OwnPartCondition.choices)
    packaging = models.CharField(max_length=6, choices=OwnPartPackaging.choices)
    damaged = models.BooleanField()
    fits = models.BooleanField()
    note = models.CharField(max_length=200, blank=True)
    photo = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    checked_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="ownpartcheck_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: what is looked at is a part that the customer brings for that line, before the work is done.
                "ownpartcheck_of_its_line",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.line_id AND NOT settled
                        AND state NOT IN ('COMPLETED', 'INSPECTED', 'WITHDRAWN', 'CANCELLED') FOR SHARE;
                    IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM workshop_partline WHERE line_id = NEW.line_id
                        AND part_id = NEW.part_id AND kind = 'CUSTOMER_SUPPLIED') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="own_part.none",
                text=_("This is no part that the customer brings, or the work with it is done already."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="ownpartcheck_quantity", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="ownpartcheck_why_not", condition=Q(fits=True, damaged=False) | ~Q(note="")),
        ]

    @property
    def accepted(self) -> bool:
        """It may be fitted: it fits the car and isn't damaged."""
        return self.fits and not self.damaged

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint("ownpartcheck_quantity", "part.quantity", _("A quantity is more than nothing."))
explain_constraint(
    "ownpartcheck_why_not", "own_part.note", _("Say why this part can't be fitted; the customer asks about it.")
)
