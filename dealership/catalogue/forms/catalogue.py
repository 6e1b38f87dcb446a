"""What the pages of prices and of places in the plan ask for; the rules stand in the commands."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import BayCapability, PayType, ResourceKind, ToolKind
from dealership.catalogue.rules import MOST_CARS
from dealership.kernel import clock


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, initial=clock.today, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


def _money(label: Any, help_text: Any, *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=10, decimal_places=2, min_value=0, help_text=help_text, required=required
    )


class LaborRateForm(forms.Form):
    pay_type = forms.ChoiceField(label=_("Who pays"), choices=PayType.choices)
    rate = _money(_("Price of one hour"), _("CNY, VAT included."))
    starts_on = _day(_("From"))


class PartPriceForm(forms.Form):
    price = _money(_("Price per unit"), _("CNY, VAT included."))
    core = _money(
        _("Core charge per unit"),
        _("Given back when the old part comes in; empty: as before, 0: none."),
        required=False,
    )
    starts_on = _day(_("From"))


class ModelPriceForm(forms.Form):
    price = _money(_("Price of a new car"), _("CNY, VAT included."))
    starts_on = _day(_("From"))


class ResourceForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[choice for choice in ResourceKind.choices if choice[0] != ResourceKind.PERSON]
    )
    code = forms.CharField(label=_("Code"), max_length=20)
    name = forms.CharField(label=_("Name on the plan"), max_length=60)
    name_en = forms.CharField(
        label=_("Name in English"),
        max_length=60,
        required=False,
        help_text=_("For people who work in English; empty: the name on the plan."),
    )
    capability = forms.ChoiceField(
        label=_("What the bay can do"),
        choices=[("", "—"), *BayCapability.choices],
        required=False,
        help_text=_("Needed for a bay, and only there."),
    )
    capacity = forms.IntegerField(
        label=_("Cars at once"),
        min_value=1,
        max_value=MOST_CARS,
        initial=1,
        required=False,
        help_text=_(
            "More than one for a bay where several cars are worked on beside one another, as in quick service."
        ),
    )
    tool = forms.ChoiceField(
        label=_("What the tool is"),
        choices=[("", "—"), *ToolKind.choices],
        required=False,
        help_text=_("For special tools only; operations ask for it."),
    )
    plate = forms.CharField(
        label=_("Plate of the loan car"), max_length=12, required=False, help_text=_("For loan cars only.")
    )
    position = forms.IntegerField(
        label=_("Place in the order of the plan"), min_value=0, max_value=999, initial=0, required=False
    )


class CapacityForm(forms.Form):
    capacity = forms.IntegerField(label=_("Cars at once"), min_value=1, max_value=MOST_CARS)


class EfficiencyForm(forms.Form):
    efficiency = forms.IntegerField(label=_("Efficiency"), min_value=10, max_value=200)
