"""Input shapes of parts and stock."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

QUANTITY: dict[str, Any] = {"max_digits": 10, "decimal_places": 2}


class ReturnForm(forms.Form):
    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    reason = forms.CharField(label=_("Reason"), max_length=120)


class ReceiveForm(forms.Form):
    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    unit_cost = forms.DecimalField(label=_("Cost of one, without VAT (¥)"), max_digits=12, decimal_places=2)
    bin = forms.CharField(label=_("Bin"), max_length=20, required=False)
    reason = forms.CharField(label=_("Delivery note"), max_length=120, required=False)


class CountForm(forms.Form):
    counted = forms.DecimalField(label=_("Counted"), **QUANTITY)
    reason = forms.CharField(
        label=_("What explains a difference"),
        max_length=120,
        required=False,
        help_text=_("Needed where the count differs."),
    )
