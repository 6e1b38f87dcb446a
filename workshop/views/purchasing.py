"""Pages of purchases: what is on its way, what should be ordered, and what comes in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part
from dealership.kernel import clock, limits
from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop.forms.purchasing import EndForm, ExpectedForm, ReceiptForm, ReorderForm
from workshop.limits import PARTS_LEAD_DAYS
from workshop.models import PurchaseLine, PurchaseOrder, Warehouse
from workshop.selectors import purchasing as reads
from workshop.selectors.places import bin_names, usual_bins
from workshop.selectors.stock import warehouses
from workshop.selectors.suppliers import choosable, last_suppliers
from workshop.services import purchasing as commands
from workshop.supplier_models import Supplier, SupplierKind


class PurchasesPage(Page):
    """Orders at suppliers: what is on its way, the next delivery first, and what has ended."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/purchases.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = "ENDED" if self.request.GET.get("show") == "ENDED" else "OPEN"
        return super().get_context_data(**kwargs) | {
            "show": show,
            "rows": reads.purchases(self.actor, show=show)[:200],
            "today": clock.today(),
            "may_buy": self.actor.may(permissions.PARTS_BUY),
            "may_suppliers": self.actor.may(permissions.SUPPLIERS_VIEW),
        }


class ReorderPage(CommandPage):
    """What should be ordered, from use and from what work waits for; one tap makes an order of it."""

    permission = permissions.PARTS_BUY
    template_name = "workshop/reorder.html"
    form_class = ReorderForm
    done = _("Ordered; lines that wait know the day.")

    @cached_property
    def reckoned(self) -> list[reads.Proposal]:
        return reads.reckoned(self.actor)

    @cached_property
    def chosen(self) -> list[Part]:
        """Parts that were chosen by hand; they stand alone then."""
        return reads.parts_named(self.request.GET.getlist("part")[:100])

    @cached_property
    def proposals(self) -> list[reads.Proposal]:
        if self.chosen:
            wanted = {part.pk for part in self.chosen}
            return [row for row in self.reckoned if row.part.pk in wanted]
        return [row for row in self.reckoned if row.quantity]

    def get_form_kwargs(self) -> dict[str, Any]:
        parts = {row.part.uid: row.part for row in self.proposals} | {part.uid: part for part in self.chosen}
        typed = (re.fullmatch(r"quantity_([0-9a-f-]{36})", key) for key in self.request.POST)
        for part in reads.parts_named([found[1] for found in typed if found]):
            parts.setdefault(part.uid, part)  # what was typed stays, also where it is no longer proposed
        return super().get_form_kwargs() | {
            "parts": list(parts.values()), "suppliers": self.suppliers, "usual_days": self.usual_days,
        }  # fmt: skip

    @cached_property
    def suppliers(self) -> list[Supplier]:
        return choosable(self.actor, SupplierKind.PARTS)

    @cached_property
    def usual_days(self) -> int:
        return int(limits.value(PARTS_LEAD_DAYS, store_id=self.actor.store_id))

    def get_initial(self) -> dict[str, Any]:
        last = last_suppliers(self.actor.store_id or 0, [row.part.pk for row in self.proposals])
        same = {row.pk: row for row in last.values() if row.active}
        found: dict[str, Any] = {"supplier": next(iter(same.values())).name} if len(same) == 1 else {}
        days = next((row.lead_days for row in same.values() if len(same) == 1 and row.lead_days is not None), None)
        found["expected_on"] = clock.today() + timedelta(days=self.usual_days if days is None else days)
        found["number"] = self.request.GET.get("number", "")[:40]
        for row in self.proposals:
            found[f"quantity_{row.part.uid}"] = f"{row.quantity.normalize():f}" if row.quantity else None
            found[f"cost_{row.part.uid}"] = round(row.unit_cost, 2) if row.unit_cost else None
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form, why = context["form"], {row.part.uid: row for row in self.proposals}
        context["rows"] = [
            (part, why.get(part.uid), form[f"quantity_{part.uid}"], form[f"cost_{part.uid}"]) for part in form.parts
        ]
        return context | {"suppliers": self.suppliers, "chosen": self.chosen}

    def run(self, form: ReorderForm) -> PurchaseOrder:
        facts = form.cleaned_data
        return commands.order_parts(
            supplier=facts["supplier"], expected_on=facts["expected_on"], lines=facts["lines"], by=self.actor
        )

    def location(self, result: PurchaseOrder) -> str:
        return reverse("purchase", args=[result.uid])


class _PurchasePage(CommandPage):
    permission = permissions.PARTS_BUY

    @cached_property
    def purchase(self) -> PurchaseOrder:
        return get_object_or_404(PurchaseOrder.objects.for_actor(self.actor), uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"purchase": self.purchase}

    def location(self, result: PurchaseOrder) -> str:
        return reverse("purchase", args=[result.uid])


class PurchasePage(_PurchasePage):
    """One order with its lines; what comes in is received here."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/purchase.html"
    form_class = ReceiptForm
    done = _("On the shelf; lines that waited have their parts.")

    @cached_property
    def lines(self) -> list[PurchaseLine]:
        return list(reads.lines_of(self.purchase))

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"lines": self.lines, "warehouses": self.warehouses, "usual": self.usual}

    @cached_property
    def warehouses(self) -> list[Warehouse]:
        return list(warehouses(self.actor))

    @cached_property
    def usual(self) -> dict[int, dict[UUID | None, str]]:
        return usual_bins(self.actor, [line.part for line in self.lines])

    def get_initial(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for line in self.lines:
            if line.missing:
                found[f"came_{line.uid}"] = f"{line.missing.normalize():f}"
            where, name = next(iter(self.usual.get(line.part_id, {}).items()), (None, ""))
            found |= {f"bin_{line.uid}": name, f"warehouse_{line.uid}": str(where or "")}
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        running = self.purchase.is_running
        return context | {
            "rows": [
                (
                    line,
                    context["form"][f"came_{line.uid}"],
                    context["form"].lots_of(line),
                    context["form"].place_of(line),
                )
                for line in self.lines
            ],
            "bin_names": bin_names(self.actor),
            "may_receive": running and self.actor.may(permissions.STOCK_MOVE),
            "may_buy": running and self.actor.may(permissions.PARTS_BUY),
            "today": clock.today(),
        }

    def run(self, form: ReceiptForm) -> PurchaseOrder:
        facts = form.cleaned_data
        return commands.receive_purchase(
            uid=self.purchase.uid, lines=form.came(), note=facts["note"], reason=facts["reason"], by=self.actor,
            lots=form.lots(), places=form.places,
        )  # fmt: skip


class PurchaseDatePage(_PurchasePage):
    """The supplier names another day."""

    template_name = "workshop/purchase_step.html"
    form_class = ExpectedForm
    extra_context = {"title": _("Another day"), "submit": _("Change the day")}
    done = _("Changed; lines that wait know the day.")

    def get_initial(self) -> dict[str, Any]:
        return {"expected_on": self.purchase.expected_on}

    def run(self, form: ExpectedForm) -> PurchaseOrder:
        return commands.change_expected(uid=self.purchase.uid, by=self.actor, **form.cleaned_data)


class PurchaseEndPage(_PurchasePage):
    """The rest isn't coming any more."""

    template_name = "workshop/purchase_step.html"
    form_class = EndForm
    extra_context = {"title": _("The rest isn't coming"), "submit": _("Close the order"), "variant": "danger"}
    done = _("The order is closed.")

    def run(self, form: EndForm) -> PurchaseOrder:
        return commands.end_purchase(uid=self.purchase.uid, by=self.actor, **form.cleaned_data)
