"""What the pages of long repairs under 三包 ask for; the rules stand in the commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Resource
from dealership.kernel.forms import set_choices
from dealership.kernel.saying import say_plate
from workshop.day_six_models import CareKind

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CareForm(forms.Form):
    kind = forms.ChoiceField(label=_("What the owner is given"), choices=CareKind.choices, widget=forms.RadioSelect)
    starts_on = forms.DateField(label=_("First day"), widget=DAY)
    ends_on = forms.DateField(
        label=_("Last day"), widget=DAY, required=False, help_text=_("Left empty for a loan car: until it is back.")
    )
    loan_car_uid = forms.TypedChoiceField(
        label=_("Loan car"), coerce=UUID, empty_value=None, required=False, help_text=_("Where a loan car is given.")
    )
    note = forms.CharField(
        label=_("What was agreed"), max_length=200, required=False, help_text=_("Where something else was agreed.")
    )

    def __init__(self, *args: Any, cars: Iterable[Resource], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = [(str(car.uid), " · ".join(filter(None, (say_plate(car.plate), car.said)))) for car in cars]
        set_choices(self, "loan_car_uid", [("", "—"), *said])


class RecordForm(forms.Form):
    receiver = forms.CharField(label=_("Handed to"), max_length=60)
