"""What the pages of core charges ask for; the rules stand in the commands."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded
from workshop.core_models import CoreCondition


class TakeCoreForm(forms.Form):
    condition = forms.ChoiceField(
        label=_("How does it come in?"), choices=CoreCondition.choices, initial=CoreCondition.WHOLE,
        widget=forms.RadioSelect,
    )  # fmt: skip
    quantity = forms.DecimalField(label=_("Quantity"), max_digits=8, decimal_places=2)
    brought_by = forms.CharField(label=_("Who brings it"), max_length=60)
    credit = demanded(
        forms.DecimalField(
            label=_("Given back for it ¥"), max_digits=10, decimal_places=2, required=False,
            help_text=_("Decided for a damaged one; a whole one gets all of its charge."),
        )
    )  # fmt: skip
    reason = demanded(forms.CharField(label=_("What is damaged or missing"), max_length=120, required=False))


class SendCoreForm(forms.Form):
    reference = forms.CharField(label=_("Parcel number"), max_length=60)


class CreditCoreForm(forms.Form):
    amount = forms.DecimalField(
        label=_("Credited by the supplier ¥"), max_digits=10, decimal_places=2, min_value=0,
        help_text=_("0 where the supplier refused it."),
    )  # fmt: skip
