"""Pages of the suppliers' register (3.2)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop.forms.suppliers import SupplierEditForm, SupplierForm
from workshop.selectors import suppliers as reads
from workshop.services import suppliers as commands
from workshop.supplier_models import Supplier


class SuppliersPage(Page):
    permission = permissions.SUPPLIERS_VIEW
    template_name = "workshop/suppliers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words, gone = self.request.GET.get("words", "")[:80], self.request.GET.get("show") == "gone"
        return super().get_context_data(**kwargs) | {
            "words": words,
            "gone": gone,
            "rows": list(reads.supplier_list(self.actor, words=words, gone=gone)[:200]),
            "may_manage": self.actor.may(permissions.SUPPLIERS_MANAGE),
        }


class NewSupplierPage(CommandPage):
    permission = permissions.SUPPLIERS_MANAGE
    template_name = "workshop/supplier_new.html"
    form_class = SupplierForm
    done = _("The supplier is in the register.")

    def run(self, form: SupplierForm) -> Supplier:
        return commands.enter_supplier(by=self.actor, **form.cleaned_data)

    def location(self, result: Supplier) -> str:
        return reverse("suppliers")


class SupplierPage(CommandPage):
    """One supplier: its facts, put right here, and what was ordered of it."""

    permission = permissions.SUPPLIERS_VIEW
    template_name = "workshop/supplier.html"
    form_class = SupplierEditForm
    done = _("Written down.")

    @cached_property
    def supplier(self) -> Supplier:
        return reads.get_supplier(self.kwargs["uid"], self.actor)

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.supplier, name) for name in commands.FACTS}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        purchases, works = reads.bought_of(self.supplier)
        return super().get_context_data(**kwargs) | {
            "supplier": self.supplier,
            "purchases": purchases,
            "works": works,
            "may_manage": self.actor.may(permissions.SUPPLIERS_MANAGE),
            "may_stock": self.actor.may(permissions.STOCK_VIEW),
            "may_sublets": self.actor.may(permissions.SUBLETS_VIEW),
        }

    def run(self, form: SupplierEditForm) -> Supplier:
        return commands.correct_supplier(uid=self.supplier.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Supplier) -> str:
        return reverse("supplier", args=[result.uid])
