"""Labour rates and part prices: what holds, and a new one from a day on (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms import catalogue as forms
from dealership.catalogue.models import LaborRate, ModelPrice, Part, PartPrice, VehicleModel
from dealership.catalogue.selectors import prices as reads
from dealership.catalogue.services import prices as commands
from dealership.kernel import clock
from dealership.kernel.models import Store
from dealership.kernel.pages import CommandPage, Page


class LaborRatesPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/rates.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rates": reads.labor_rates(self.actor),
            "may_set": self.actor.may(permissions.PRICES_MANAGE),
        }


class NewLaborRatePage(CommandPage):
    permission = permissions.PRICES_MANAGE
    template_name = "catalogue/rate_new.html"
    form_class = forms.LaborRateForm
    done = _("The rate holds from that day on.")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"pay_type": self.request.GET.get("pay_type", "")}

    def run(self, form: forms.LaborRateForm) -> LaborRate:
        store = Store.objects.for_actor(self.actor).get(pk=self.actor.store_id)
        return commands.set_labor_rate(store=store, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("labor-rates")


class PartPricesPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/part_prices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words, missing = self.request.GET.get("words", "")[:80], bool(self.request.GET.get("missing"))
        return super().get_context_data(**kwargs) | {
            "found": reads.price_list(self.actor, text=words, missing=missing),
            "words": words,
            "missing": missing,
            "most": reads.SHOWN,
            "may_set": self.actor.may(permissions.PRICES_MANAGE),
            "may_manage": self.actor.may(permissions.PARTS_MANAGE),
        }


class PartPricePage(CommandPage):
    """One part: its prices in this store, and a new one from a day on."""

    permission = permissions.PRICES_MANAGE
    template_name = "catalogue/part_price.html"
    form_class = forms.PartPriceForm
    done = _("The price holds from that day on.")

    @cached_property
    def part(self) -> Part:
        return Part.objects.get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "part": self.part,
            "prices": reads.prices_of(self.part, self.actor),
            "today": clock.today(),
        }

    def run(self, form: forms.PartPriceForm) -> PartPrice:
        store = Store.objects.for_actor(self.actor).get(pk=self.actor.store_id)
        return commands.set_part_price(store=store, part=self.part, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("part-price", args=[self.part.uid])


class ModelPricesPage(Page):
    """2.2.2: what a new car of each model costs in this store."""

    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/model_prices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = self.request.GET.get("words", "")[:80]
        return super().get_context_data(**kwargs) | {
            "rows": reads.model_prices(self.actor, text=words),
            "words": words,
            "may_set": self.actor.may(permissions.PRICES_MANAGE),
            "may_manage": self.actor.may(permissions.MODELS_MANAGE),
        }


class ModelPricePage(CommandPage):
    """One model: its prices in this store, and a new one from a day on."""

    permission = permissions.PRICES_MANAGE
    template_name = "catalogue/model_price.html"
    form_class = forms.ModelPriceForm
    done = _("The price holds from that day on.")

    @cached_property
    def model(self) -> VehicleModel:
        return VehicleModel.objects.get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "model": self.model,
            "prices": reads.prices_of_model(self.model, self.actor),
        }

    def run(self, form: forms.ModelPriceForm) -> ModelPrice:
        store = Store.objects.for_actor(self.actor).get(pk=self.actor.store_id)
        return commands.set_model_price(store=store, model=self.model, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("model-price", args=[self.model.uid])
