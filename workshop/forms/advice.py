"""What the pages of declined advice ask for; the rules stand in the commands."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class OfferForm(forms.Form):
    again_on = forms.DateField(
        label=_("Ask again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Left empty: after the usual days."),
    )


class DropForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200)
