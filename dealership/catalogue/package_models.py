"""Packages: several pieces of work with their parts at one price, for some cars, from a day on (3.1)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import DateRange, Operation, Part, Powertrain
from dealership.kernel import saying, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store


class ServicePackage(Root):
    """One version of a store's package: what it holds and costs (CNY with VAT) from a day on.

    The cars it is for: make, series, powertrain; an empty one means any. Only its last day may be written later, once.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    code = models.CharField(_("code"), max_length=12)
    number = models.PositiveSmallIntegerField(_("version"))
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=60, blank=True)
    make = models.CharField(_("make"), max_length=40, blank=True)
    series = models.CharField(_("series"), max_length=60, blank=True)
    powertrain = models.CharField(max_length=5, choices=Powertrain.choices, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["code", "-number"]
        triggers = [
            states.versioned(),
            states.guard(
                # 3.1: what a package held and cost stays readable; a change is a new version from a day on.
                "servicepackage_is_fixed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' AND (OLD.ends_on IS NULL OR NEW.ends_on = OLD.ends_on)
                        AND to_jsonb(NEW) - ARRAY['ends_on', 'version', 'updated_at']
                            = to_jsonb(OLD) - ARRAY['ends_on', 'version', 'updated_at']
                    THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="package.fixed",
                text=_("A package stays as it was offered; write its next version."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="servicepackage_number", fields=["store", "code", "number"]),
            models.CheckConstraint(name="servicepackage_price", condition=Q(price__gt=0)),
            models.CheckConstraint(name="servicepackage_named", condition=~Q(name="") & ~Q(code="")),
            models.CheckConstraint(
                name="servicepackage_period", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            ExclusionConstraint(
                name="servicepackage_one_a_day",
                expressions=[
                    ("store", RangeOperators.EQUAL),
                    ("code", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        """Its name in the reader's language."""
        return saying.say_name(self.name)

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {}


def _written_once(name: str) -> pgtrigger.Trigger:
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


class PackageItem(models.Model):
    """One piece of work of a package; its parts stand beside it as they were when the version was written."""

    package = models.ForeignKey(ServicePackage, models.PROTECT, related_name="items")
    operation = models.ForeignKey(Operation, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["package", "operation__code"]
        triggers = [states.ShownIn("package"), _written_once("packageitem_append_only")]
        constraints = [models.UniqueConstraint(name="packageitem_once", fields=["package", "operation"])]


class PackagePart(models.Model):
    item = models.ForeignKey(PackageItem, models.PROTECT, related_name="parts")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        ordering = ["item", "id"]
        triggers = [_written_once("packagepart_append_only")]
        constraints = [
            models.UniqueConstraint(name="packagepart_once", fields=["item", "part"]),
            models.CheckConstraint(name="packagepart_quantity", condition=Q(quantity__gt=0)),
        ]


explain_constraint(
    "servicepackage_one_a_day", "package.later", _("On some of these days this package has a price already.")
)
explain_constraint("servicepackage_price", "package.price", _("A package costs more than nothing."))
