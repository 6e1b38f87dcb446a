"""The register of suppliers: who sells parts to the store and which firms work for it (3.2)."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store


class SupplierKind(models.TextChoices):
    PARTS = "PARTS", pgettext_lazy("supplier", "Parts")
    WORK = "WORK", pgettext_lazy("supplier", "Outside work")
    BOTH = "BOTH", pgettext_lazy("supplier", "Parts and outside work")


PARTS_KINDS = (SupplierKind.PARTS, SupplierKind.BOTH)
WORK_KINDS = (SupplierKind.WORK, SupplierKind.BOTH)


class Supplier(Root):
    """A firm that a store buys parts or outside work from. ``lead_days``: days from the order to the delivery, where known.

    Papers keep the name under which they were written; whoever is not ``active`` is chosen no more.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=80)
    kind = models.CharField(max_length=5, choices=SupplierKind.choices)
    contact = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    tax_number = models.CharField(max_length=20, blank=True)
    lead_days = models.PositiveSmallIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name", "id"]
        triggers = [
            states.fixed("supplier_store_fixed", "store_id"),
            states.versioned(),
            pgtrigger.Protect(name="supplier_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(fields=["store", "name"], name="supplier_name_once"),
            models.CheckConstraint(name="supplier_named", condition=~Q(name="")),
            models.CheckConstraint(name="supplier_kind", condition=Q(kind__in=SupplierKind.values)),
            models.CheckConstraint(
                name="supplier_lead_days", condition=Q(lead_days__isnull=True) | Q(lead_days__lte=365)
            ),
        ]

    def __str__(self) -> str:
        return self.name


def of_the_register(name: str, kinds: tuple[str, ...]) -> pgtrigger.Trigger:
    """A paper's ``firm`` is an active supplier of its own store and of a kind that fits, read FOR SHARE."""
    allowed = ", ".join(f"'{kind.value}'" for kind in map(SupplierKind, kinds))
    return states.guard(
        name,
        operation=pgtrigger.Insert,
        func=f"""
            PERFORM 1 FROM workshop_supplier s WHERE s.id = NEW.firm_id AND s.store_id = NEW.store_id AND s.active
                AND s.kind IN ({allowed}) FOR SHARE;
            IF NOT FOUND THEN {{refuse}} END IF;
            RETURN NEW;
        """,
        code="supplier.unknown",
        text=_("Choose a supplier of this store's register that is active and sells what is ordered."),
    )


explain_constraint("supplier_name_once", "supplier.twice", _("The register has a supplier of this name already."))
explain_constraint("supplier_named", "supplier.name", _("Name the supplier."))
explain_constraint("supplier_lead_days", "supplier.lead_days", _("Give 0 to 365 days, or leave it empty."))
