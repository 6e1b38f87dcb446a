"""How long a kind of work takes on one model of car, where that differs from the catalogue's hours (3.2)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, VehicleModel
from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root


class OperationHours(Root):
    """Standard hours of an operation on one model. Prices of orders and quotations made after it are worked out of it."""

    store_path: ClassVar[str | None] = None

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="model_hours")
    model = models.ForeignKey(VehicleModel, models.PROTECT, related_name="+")
    hours = models.DecimalField(_("standard hours"), max_digits=5, decimal_places=2)

    class Meta:
        ordering = ["operation", "model"]
        triggers = [
            states.ShownIn("operation"),
            states.versioned(),
            states.fixed("operationhours_fixed", "operation_id", "model_id"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["operation", "model"], name="operationhours_once"),
            models.CheckConstraint(name="operationhours_positive", condition=Q(hours__gt=0)),
        ]


explain_constraint(
    "operationhours_once", "operation.hours_there", _("Somebody has just set the hours of this model; look again.")
)
explain_constraint("operationhours_positive", "operation.hours", _("Standard hours are more than nothing."))
