"""A repair contract that was signed at the desk, on the pad or on paper (domain 3.3).

A customer who decides on the link or signs a decision at the desk has agreed to the contract in writing with that; only
a decision by telephone leaves it to be signed.
"""

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
from workshop.models import Estimate, RepairOrder


class ContractSignature(Root):
    """Who signed the contract of an estimate, and when. Rows are never changed."""

    store_path = "order__store_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="contract_signatures")
    estimate = models.ForeignKey(Estimate, models.PROTECT, related_name="+")
    signed_name = models.CharField(_("signed by"), max_length=60)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    on_paper = models.BooleanField(default=False)
    signed_at = models.DateTimeField(default=clock.now)
    taken_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="contractsignature_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.3: a contract is the estimate that was sent with one, and belongs to its order.
                "contractsignature_of_a_contract",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_estimate e
                        WHERE e.id = NEW.estimate_id AND e.order_id = NEW.order_id AND e.content ? 'contract';
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="contract.none",
                text=_("This order has no contract to sign; send the estimate first."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="contractsignature_once", fields=["estimate"]),
            models.CheckConstraint(
                name="contractsignature_drawn",
                condition=Q(signature__isnull=False, on_paper=False) | Q(signature__isnull=True, on_paper=True),
            ),
            models.CheckConstraint(name="contractsignature_name", condition=~Q(signed_name="")),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("contractsignature_once", "contract.signed", _("This contract is signed already."))
explain_constraint(
    "contractsignature_drawn",
    "contract.signature",
    _("A contract is signed on the pad, or on paper: one of the two."),
)
explain_constraint("contractsignature_name", "contract.name", _("Write the name of the person who signs."))
