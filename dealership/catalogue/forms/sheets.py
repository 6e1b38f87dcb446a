"""What the pages of check sheets ask for; the rules stand in the commands."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.check_models import BOUNDS, MEASURED, CheckKind, CheckSection, CheckStage, CheckTemplate
from dealership.catalogue.forms.maintenance import ReleaseForm as ReleaseForm
from dealership.catalogue.models import Powertrain, VehicleModel
from dealership.catalogue.selectors.sheets import mending_operations

KEPT = ("code", "section", "kind", "name", "name_en", "hint", "unit", "is_safety", "powertrains", *BOUNDS)


class TemplateForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=12, help_text=_("Capital letters; the same in all versions."))
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=60)
    name_en = forms.CharField(label=_("Name in English"), max_length=60, required=False)
    with_maintenance = forms.BooleanField(label=_("Belongs to every maintenance"), required=False)
    stage = forms.ChoiceField(
        label=_("Inspection that the law asks"),
        choices=[("", "—"), *CheckStage.choices],
        required=False,
        help_text=_(
            "Second-class maintenance, assembly and whole-vehicle repair pass only with a signed sheet of each."
        ),
    )


def _bound(label: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, max_digits=8, decimal_places=2)


class Bounds(forms.Form):
    red_below = _bound(pgettext_lazy("check item", "Bad under"))
    yellow_below = _bound(pgettext_lazy("check item", "Soon under"))
    yellow_above = _bound(pgettext_lazy("check item", "Soon over"))
    red_above = _bound(pgettext_lazy("check item", "Bad over"))


class ItemForm(Bounds):
    code = forms.CharField(
        label=_("Code"), max_length=24, help_text=_("Stays the same, so that a car's earlier readings stand beside.")
    )
    section = forms.ChoiceField(label=_("Section"), choices=CheckSection.choices)
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=60)
    name_en = forms.CharField(label=_("Name in English"), max_length=80, required=False)
    hint = forms.CharField(label=_("How it is looked at"), max_length=120, required=False)
    kind = forms.ChoiceField(label=_("How it is answered"), choices=CheckKind.choices)
    unit = forms.CharField(
        label=_("Unit"), max_length=8, required=False, help_text=_("Only where something is measured.")
    )
    is_safety = forms.BooleanField(label=_("Concerns safety: answered one by one, never with the rest"), required=False)
    powertrains = forms.MultipleChoiceField(
        label=_("Only for cars of this energy"),
        choices=Powertrain.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: for all."),
    )
    operation = forms.ChoiceField(label=_("What mends it"), required=False)
    field_order = (*KEPT[:-4], "operation", *BOUNDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(str(o.uid), f"{o.code} {o.said}") for o in mending_operations()]
        cast(forms.ChoiceField, self.fields["operation"]).choices = [("", "—"), *offered]


class LimitForm(Bounds):
    code = forms.ChoiceField(label=_("Measured item"))
    powertrain = forms.ChoiceField(
        label=_("For cars of this energy"), choices=[("", "—"), *Powertrain.choices], required=False
    )
    model = forms.ChoiceField(
        label=_("Or for this model alone"),
        required=False,
        help_text=_("Saved without any bound, the item's own hold for these cars again."),
    )
    field_order = ("code", "powertrain", "model", *BOUNDS)

    def __init__(self, *args: Any, template: CheckTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        measured = [(item.code, item.name) for item in template.items.all() if item.kind in MEASURED]
        cast(forms.ChoiceField, self.fields["code"]).choices = measured
        models = [(str(model.uid), str(model)) for model in VehicleModel.objects.all()]
        cast(forms.ChoiceField, self.fields["model"]).choices = [("", "—"), *models]
