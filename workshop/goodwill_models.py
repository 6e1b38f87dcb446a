"""Goodwill on a line: the maker or the shop bears work that the customer would owe, when somebody approves (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Approval, Root

GOODWILL = "workshop.goodwill"
"""The kind of approval; who decides depends on the amount, as with every approval (1.2)."""


class GoodwillBearer(models.TextChoices):
    MAKER = "MAKER", pgettext_lazy("bears the cost", "Maker")
    SHOP = "SHOP", pgettext_lazy("bears the cost", "Our shop")


class LineGoodwill(Root):
    """One request that a line be goodwill: who bears it, why and up to what amount (CNY with VAT). Never changed.

    What became of it stands in its approval. The amount covers putting together again what the line takes apart.
    """

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey("workshop.OrderLine", models.PROTECT, related_name="goodwill")
    bearer = models.CharField(max_length=5, choices=GoodwillBearer.choices)
    reason = models.CharField(max_length=300)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    approval = models.OneToOneField(Approval, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="linegoodwill_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: a request speaks of a line that is to be goodwill, and of the very amount that is asked for it.
                "linegoodwill_of_its_approval",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderline l JOIN kernel_approval a ON a.id = NEW.approval_id
                        WHERE l.id = NEW.line_id AND l.pay_type = 'GOODWILL' AND a.kind = 'workshop.goodwill'
                        AND a.root_uid = l.uid AND a.amount = NEW.amount) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="goodwill.payer",
                text=_("Goodwill is asked for a line whose payer is goodwill; change the payer first."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="linegoodwill_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="linegoodwill_amount", condition=Q(amount__gt=0)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint("linegoodwill_reason", "goodwill.reason", _("Say why this is goodwill."))
