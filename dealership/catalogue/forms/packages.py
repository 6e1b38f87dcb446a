"""What the pages of packages ask for; the rules stand in the commands (3.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Powertrain
from dealership.catalogue.selectors.packages import offered_operations
from dealership.kernel import clock


class PackageForm(forms.Form):
    code = forms.CharField(
        label=pgettext_lazy("of a package", "Code"),
        max_length=12,
        help_text=_("The same code again makes the next version of a package."),
    )
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=60)
    name_en = forms.CharField(label=_("English name"), max_length=60, required=False)
    price = forms.DecimalField(
        label=_("Price of the package ¥"), max_digits=12, decimal_places=2, min_value=Decimal("0.01"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), help_text=_("CNY, VAT included."),
    )  # fmt: skip
    starts_on = forms.DateField(
        label=_("From"), initial=clock.today, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    make = forms.CharField(label=_("Make"), max_length=40, required=False, help_text=_("Empty: for all cars."))
    series = forms.CharField(label=_("Series"), max_length=60, required=False)
    powertrain = forms.ChoiceField(label=_("Energy"), choices=[("", "—"), *Powertrain.choices], required=False)
    operations = forms.MultipleChoiceField(
        label=_("What it holds, with the usual parts"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(str(o.uid), f"{o.code} {o.said}") for o in offered_operations()]
        cast(forms.MultipleChoiceField, self.fields["operations"]).choices = offered


class EndPackageForm(forms.Form):
    ends_on = forms.DateField(
        label=_("Last day"), initial=clock.today, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
