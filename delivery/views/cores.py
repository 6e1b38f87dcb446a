"""The page on which money goes back for an old part that came in after the list (3.2, 4.1)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import CommandPage
from workshop.models import CoreCharge

from .. import permissions
from ..forms.settlements import MoneyField
from ..models import MONEY, CorePayout, PaymentMethod
from ..selectors.cores import owed_back
from ..services import cores as commands


class PayoutForm(forms.Form):
    method = forms.ChoiceField(
        label=_("How it is paid"), choices=[(method.value, method.label) for method in MONEY],
        initial=PaymentMethod.CASH, widget=forms.RadioSelect,
    )  # fmt: skip
    amount = MoneyField(label=_("Amount to give back ¥"))


class CorePayoutPage(CommandPage):
    permission = permissions.PAYMENTS_REFUND
    template_name = "workshop/core_step.html"
    form_class = PayoutForm
    extra_context = {"title": _("Give a core charge back"), "submit": _("Give back")}
    done = _("The money is given back.")

    @cached_property
    def core(self) -> CoreCharge:
        return get_object_or_404(
            CoreCharge.objects.for_actor(self.actor).select_related("part"), uid=self.kwargs["uid"]
        )

    def get_initial(self) -> dict[str, Any]:
        return {"amount": owed_back([self.core])[self.core.pk] or None}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"core": self.core}

    def run(self, form: PayoutForm) -> CorePayout:
        return commands.pay_core_back(core_uid=self.core.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: CorePayout) -> str:
        return reverse("payment-list")
