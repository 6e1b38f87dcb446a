"""A package on an order: several lines at one price, agreed to or declined as a whole (3.1)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import ServicePackage
from dealership.kernel import clock, saying, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root
from workshop.models import RepairOrder


class OrderPackage(Root):
    """One package that was put on an order; its lines add up to ``price`` (CNY with VAT) until it is dissolved."""

    store_path = "order__store_id"
    link_path = "order__visit_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="packages")
    package = models.ForeignKey(ServicePackage, models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    put_at = models.DateTimeField(default=clock.now)
    dissolved_at = models.DateTimeField(null=True, blank=True)
    dissolved_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.fixed("orderpackage_fixed", "order_id", "package_id", "name", "price"),
            states.guard(
                # 3.1: what the customer has agreed to as one price stays one price.
                "orderpackage_dissolved_before_yes",
                operation=pgtrigger.UpdateOf("dissolved_at"),
                func="""
                    IF OLD.dissolved_at IS NOT NULL OR EXISTS (
                        SELECT 1 FROM workshop_orderline WHERE package_id = NEW.id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="package.agreed",
                text=_("The customer has agreed to this package; its lines stay at its price."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="orderpackage_once", fields=["order", "package"], condition=Q(dissolved_at__isnull=True)
            ),
            models.CheckConstraint(name="orderpackage_price", condition=Q(price__gt=0)),
            models.CheckConstraint(
                name="orderpackage_dissolved",
                condition=Q(dissolved_at__isnull=True) | ~Q(dissolved_reason=""),
            ),
        ]

    @property
    def said(self) -> str:
        """Its name in the reader's language."""
        return saying.say_name(self.name)

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("orderpackage_once", "package.there", _("This package stands on the order already."))
explain_constraint("orderpackage_dissolved", "package.reason", _("Say why the package is dissolved."))
