"""What the pages of long repairs under 三包 ask for; the rules stand in the commands."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.day_six_models import CareKind

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CareForm(forms.Form):
    kind = forms.ChoiceField(label=_("What the owner is given"), choices=CareKind.choices, widget=forms.RadioSelect)
    starts_on = forms.DateField(label=_("First day"), widget=DAY)
    ends_on = forms.DateField(
        label=_("Last day"), widget=DAY, required=False, help_text=_("Left empty for a loan car: until it is back.")
    )
    loan_plate = forms.CharField(
        label=_("Plate of the loan car"), max_length=12, required=False, help_text=_("Where a loan car is given.")
    )
    note = forms.CharField(
        label=_("What was agreed"), max_length=200, required=False, help_text=_("Where something else was agreed.")
    )


class RecordForm(forms.Form):
    receiver = forms.CharField(label=_("Handed to"), max_length=60)
