"""What the pages of maintenance plans ask for; the rules stand in the commands."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Powertrain, VehicleModel
from dealership.catalogue.selectors.maintenance import offered_operations
from dealership.kernel import clock


class PlanForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=80)
    model = forms.ChoiceField(
        label=_("Only this model"), required=False, help_text=_("Or leave it empty and name make, series or energy.")
    )
    make = forms.CharField(
        label=_("Make"), max_length=40, required=False, help_text=_("Needed where a series is named.")
    )
    series = forms.CharField(label=_("Series"), max_length=60, required=False)
    powertrain = forms.ChoiceField(label=_("Energy"), choices=[("", "—"), *Powertrain.choices], required=False)
    source = forms.CharField(
        label=_("Taken from"), max_length=120, required=False, help_text=_("The maker's book and its edition.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        models = [(str(model.uid), str(model)) for model in VehicleModel.objects.all()]
        cast(forms.ChoiceField, self.fields["model"]).choices = [("", "—"), *models]


def _whole(label: Any, help_text: Any = "") -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=1, max_value=500_000, help_text=help_text)


class ItemForm(forms.Form):
    operation = forms.ChoiceField(label=_("Maintenance work"))
    every_km = _whole(_("Every so many km"))
    every_months = _whole(_("Every so many months"), _("Whichever comes first."))
    first_km = _whole(_("First time at km"), _("Only where it differs."))
    first_months = _whole(_("First time after months"))
    severe_km = _whole(_("Hard use: every so many km"), _("For cars driven much."))
    severe_months = _whole(_("Hard use: every so many months"))
    repeats = forms.BooleanField(label=_("Comes again and again"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(str(o.uid), f"{o.code} {o.name}") for o in offered_operations()]
        cast(forms.ChoiceField, self.fields["operation"]).choices = offered


class ReleaseForm(forms.Form):
    starts_on = forms.DateField(
        label=_("From"), initial=clock.today, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
