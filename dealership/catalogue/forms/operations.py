"""What the pages of operations and of new parts ask for; the rules stand in the commands (3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import BayCapability, Part, PartKind, RepairCategory, ToolKind, VehicleModel
from dealership.catalogue.services.operations import MOST_HOURS, MOST_QUANTITY
from dealership.catalogue.services.part_master import MOST_KM, MOST_MONTHS
from staff.models import Skill
from staff.selectors.pages import LEVELS


def _hours(help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Standard hours"), max_digits=5, decimal_places=2, min_value=Decimal("0.01"), max_value=MOST_HOURS,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), help_text=help_text,
    )  # fmt: skip


class OperationForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=30)
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    category = forms.ChoiceField(label=_("Kind of repair"), choices=RepairCategory.choices)
    hours = _hours(_("A model that takes longer or less has its own below."))
    skill_code = forms.ChoiceField(label=_("Skill"), required=False)
    skill_level = forms.TypedChoiceField(
        label=_("Level at least"),
        choices=[(level, words) for level, words in LEVELS if level],
        coerce=int,
        initial=3,
        help_text=_("Counts where a skill is named."),
    )
    capability = forms.ChoiceField(
        label=_("What the bay can do"), choices=BayCapability.choices, initial=BayCapability.STANDARD_LIFT
    )
    tool = forms.ChoiceField(label=_("Special tool"), choices=[("", "—"), *ToolKind.choices], required=False)
    is_maintenance = forms.BooleanField(label=pgettext_lazy("kind of work", "Maintenance"), required=False)
    is_diagnosis = forms.BooleanField(label=_("Diagnosis"), required=False)
    is_safety = forms.BooleanField(label=_("Matters for safety"), required=False)
    is_structural = forms.BooleanField(
        label=_("On the body's structure"), required=False, help_text=_("It has its own check after the repair.")
    )
    bookable_online = forms.BooleanField(label=_("Customers may book it online"), required=False)
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        skills = [(skill.code, skill.label) for skill in Skill.objects.order_by("pk")]
        cast(forms.ChoiceField, self.fields["skill_code"]).choices = [("", "—"), *skills]


class OperationHoursForm(forms.Form):
    model = forms.ChoiceField(label=_("Model"))
    hours = _hours()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        models = [(str(model.uid), f"{model.make} {model}") for model in VehicleModel.objects.order_by("make", "pk")]
        cast(forms.ChoiceField, self.fields["model"]).choices = [("", "—"), *models]


class UsualPartForm(forms.Form):
    number = forms.CharField(label=_("Part number"), max_length=40)
    quantity = forms.DecimalField(
        label=_("Quantity"), max_digits=8, decimal_places=2, min_value=Decimal("0.01"), max_value=MOST_QUANTITY,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip

    def clean_number(self) -> Part:
        part = Part.objects.filter(number=self.cleaned_data["number"].strip().upper()).first()
        if part is None:
            raise forms.ValidationError(_("No part has this number; look it up among the parts."))
        return part


class PartForm(forms.Form):
    number = forms.CharField(label=_("Part number"), max_length=40, help_text=_("It stays for good."))
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    unit = forms.CharField(label=_("Unit"), max_length=10, help_text=_("In what it is counted: piece, litre, set …"))
    brand = forms.CharField(label=_("Brand"), max_length=40, required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=PartKind.choices)
    guarantee_months = forms.IntegerField(label=_("Guarantee (months)"), min_value=0, max_value=MOST_MONTHS, initial=12)
    guarantee_km = forms.IntegerField(label=_("Guarantee (km)"), min_value=0, max_value=MOST_KM, initial=20_000)
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)


class CorrectPartForm(PartForm):
    number = None  # type: ignore[assignment]
