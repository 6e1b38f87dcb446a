"""Written consent to a part that isn't new, where the line was not agreed to in writing by the customer (domain 3.3)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, StoredFile
from staff.models import Employee
from workshop.models import Authorization, OrderLine


class PartConsent(Root):
    """Who signed that a line takes used, repaired or remanufactured parts, on the pad or on paper. Never changed.

    It completes ``decision``, the agreement that the line goes ahead on: asked anew, the line needs another one.
    """

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="part_consents")
    decision = models.OneToOneField(Authorization, models.PROTECT, related_name="part_consent")
    parts = models.JSONField(help_text="number, name, kind and quantity of each such part, as they were read")
    signed_name = models.CharField(_("signed by"), max_length=60)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    on_paper = models.BooleanField(default=False)
    signed_at = models.DateTimeField(default=clock.now)
    taken_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="partconsent_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.3: a consent belongs to the agreement that its line goes ahead on, and to parts that aren't new.
                "partconsent_of_its_line",
                operation=pgtrigger.Insert,
                func="""
                    IF (SELECT a.id FROM workshop_authorization a WHERE a.line_id = NEW.line_id
                            AND a.status <> 'NOT_ENTITLED' ORDER BY a.id DESC LIMIT 1) IS DISTINCT FROM NEW.decision_id
                        OR NOT EXISTS (SELECT 1 FROM workshop_authorization
                            WHERE id = NEW.decision_id AND status IN ('APPROVED', 'NOT_REQUIRED'))
                        OR NOT EXISTS (SELECT 1 FROM workshop_partline WHERE line_id = NEW.line_id
                            AND kind IN ('REMANUFACTURED', 'REPAIRED', 'USED'))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="part_consent.none",
                text=_("Nothing of this line needs the customer's written consent."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="partconsent_drawn",
                condition=Q(signature__isnull=False, on_paper=False) | Q(signature__isnull=True, on_paper=True),
            ),
            models.CheckConstraint(name="partconsent_name", condition=~Q(signed_name="")),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint(
    "partconsent_drawn",
    "part_consent.signature",
    _("The consent is signed on the pad, or on paper: one of the two."),
)
explain_constraint("partconsent_name", "part_consent.name", _("Write the name of the person who signs."))
