"""The yes of a payer that isn't asked line by line, above the amount up to which such work goes ahead (3.2).

Below the amount of the setting ``workshop.unasked_up_to`` the maker's, the shop's and a service contract's lines go ahead by
themselves. Above it somebody else approves, or the maker's authorisation stands on record.
"""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Approval, Root
from workshop.models import OrderLine

PAYER = "workshop.payer"
"""The kind of approval; who decides depends on the amount, as with every approval (1.2)."""


class PayerApproval(Root):
    """One line above the amount: what was asked (CNY with VAT) and why, or the maker's number. Never changed.

    What became of a question stands in its approval.
    """

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="payer_approvals")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=300)
    approval = models.OneToOneField(Approval, models.PROTECT, null=True, blank=True, related_name="+")
    maker_number = models.CharField(_("the maker's authorisation"), max_length=40, blank=True)
    asked_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="payerapproval_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: it speaks of a line of a payer that isn't asked, of the very amount that is asked for it; a number of
                # the maker's is for the maker's lines alone.
                "payerapproval_of_its_line",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderline l WHERE l.id = NEW.line_id
                        AND (l.pay_type = 'WARRANTY' OR l.pay_type IN ('INTERNAL', 'SERVICE_CONTRACT')
                            AND NEW.maker_number = '')
                        AND (NEW.approval_id IS NULL OR EXISTS (SELECT 1 FROM kernel_approval a
                            WHERE a.id = NEW.approval_id AND a.kind = 'workshop.payer' AND a.root_uid = l.uid
                            AND a.amount = NEW.amount)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="payer.line",
                text=_("Only a line that the maker, our shop or a service contract pays is approved this way."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="payerapproval_one_way",
                condition=Q(approval__isnull=False, maker_number="") | (Q(approval__isnull=True) & ~Q(maker_number="")),
            ),
            models.CheckConstraint(name="payerapproval_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="payerapproval_amount", condition=Q(amount__gt=0)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint(
    "payerapproval_one_way", "payer.way", _("Either somebody approves, or the maker's number is written down.")
)
explain_constraint("payerapproval_reason", "payer.reason", _("Say why this work is needed."))
