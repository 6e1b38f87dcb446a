"""What is written down when a payer agrees in advance (3.2)."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.standing_models import ConsentGiven


class StandingForm(forms.Form):
    up_to = forms.DecimalField(
        label=_("Additions up to (¥, each visit)"), max_digits=12, decimal_places=2, min_value=Decimal("0.01")
    )
    given_by = forms.CharField(label=_("Given by"), max_length=60)
    how = forms.ChoiceField(label=_("How"), choices=ConsentGiven.choices)
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("By telephone: who said what, at what number.")
    )
    ends_on = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
