"""What the pages of vehicle models ask for; the rules stand in the commands."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Powertrain


class Names(forms.CharField):
    """Several names, one a line; comes out as a list."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def run_validators(self, value: Any) -> None:
        for line in value:
            super().run_validators(line)


class ModelForm(forms.Form):
    make = forms.CharField(label=_("Make"), max_length=40)
    series = forms.CharField(label=_("Series"), max_length=60)
    name = forms.CharField(label=_("Model"), max_length=80)
    powertrain = forms.ChoiceField(label=_("Energy"), choices=Powertrain.choices)
    service_interval_km = forms.IntegerField(
        label=_("Maintenance every (km)"), min_value=1_000, max_value=200_000, initial=10_000
    )
    service_interval_months = forms.IntegerField(
        label=_("Maintenance every (months)"), min_value=1, max_value=120, initial=12
    )
    aliases = Names(
        label=_("Also called"),
        required=False,
        max_length=80,
        help_text=_("One name a line, as customers and papers write it; a car written so is known as this model."),
    )


class EndModelForm(forms.Form):
    ends_on = forms.DateField(
        label=_("Last day on sale"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Leave it empty where it is sold until further notice. Its cars are served as before."),
    )
