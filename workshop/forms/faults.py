"""What the pages of 三包 ask for; the rules stand in the commands and in ``statutory_warranty``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.fault_models import ASSEMBLIES, LeftOut, MainSystem, SafetyFault
from workshop.selectors.wear import makes
from workshop.wear_models import WearPart

NONE = [("", _("none"))]
DAY = {"type": "date"}
MOMENT = {"type": "datetime-local"}


class JudgeForm(forms.Form):
    is_quality = forms.TypedChoiceField(
        label=_("What kind of fault was it?"),
        choices=[("yes", _("A fault of quality: it counts")), ("no", _("No fault of quality: it doesn't count"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        help_text=_("Wear, accident, misuse and maintenance are no faults of quality."),
    )
    same_as = forms.ChoiceField(
        label=_("Is it a fault this car has had before?"),
        required=False,
        help_text=_("The same problem repaired more than four times gives a right to another car."),
    )
    fault = forms.CharField(
        label=_("Name of the fault, where it is new"),
        max_length=60,
        required=False,
        help_text=_("Left empty: the words of the line."),
    )
    serious = forms.BooleanField(label=_("It is a serious safety fault"), required=False)
    safety = forms.ChoiceField(
        label=_("One of the five of article 23"), choices=[*NONE, *SafetyFault.choices], required=False
    )
    assembly = forms.ChoiceField(label=_("Assembly replaced as a whole"), choices=[*NONE, *ASSEMBLIES], required=False)
    system = forms.ChoiceField(
        label=_("Main part replaced: of which system?"), choices=[*NONE, *MainSystem.choices], required=False
    )
    part = forms.CharField(label=_("Which main part"), max_length=60, required=False)
    wear = forms.ChoiceField(
        label=_("Wear part"),
        choices=[*NONE, *WearPart.choices],
        required=False,
        help_text=_("It counts only within the period that the maker's list gives its kind."),
    )
    left_out_as = forms.ChoiceField(
        label=_("Time the 30 days leave out"), choices=[*NONE, *LeftOut.choices], required=False
    )
    left_out_from = forms.DateTimeField(
        label=_("From"), required=False, widget=forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M")
    )
    left_out_until = forms.DateTimeField(
        label=_("Until"), required=False, widget=forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M")
    )

    def __init__(self, *args: Any, known: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["same_as"].choices = [("", _("no, it is new")), *((name, name) for name in known)]  # type: ignore[attr-defined]
        if not known:
            del self.fields["same_as"]

    def told(self) -> dict[str, Any]:
        """What the command is told: an earlier fault goes before a new name."""
        data = dict(self.cleaned_data)
        earlier = data.pop("same_as", "")
        return data | {"fault": earlier or data["fault"]}


class WhatIfForm(forms.Form):
    start = forms.DateField(
        label=_("Invoice or delivery"),
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        help_text=_("The delivery where it was on another day."),
    )
    day = forms.DateField(label=_("Day in question"), widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))
    km = forms.IntegerField(label=_("Kilometres then"), min_value=0, max_value=2_000_000)
    days = forms.IntegerField(label=_("Days in repair in all"), min_value=0, max_value=400, required=False)
    longest = forms.IntegerField(
        label=_("Days in repair, this visit alone"), min_value=0, max_value=400, required=False
    )
    away = forms.IntegerField(
        label=_("Of this visit: days the owner had the car back"),
        min_value=0,
        max_value=400,
        required=False,
        help_text=_("A repair in two trips: they count neither for the total nor for the sixth day."),
    )
    at_once = forms.IntegerField(
        label=_("Of this visit: days on which another order ran too"),
        min_value=0,
        max_value=400,
        required=False,
        help_text=_("Hours that two orders share count once."),
    )
    same_fault = forms.IntegerField(label=_("Same fault, times"), min_value=0, max_value=40, required=False)
    serious = forms.IntegerField(label=_("Serious safety faults"), min_value=0, max_value=40, required=False)
    safety = forms.ChoiceField(
        label=_("One of the five of article 23"), choices=[*NONE, *SafetyFault.choices], required=False
    )
    assembly = forms.ChoiceField(label=_("Assembly replaced"), choices=[*NONE, *ASSEMBLIES], required=False)
    assembly_times = forms.IntegerField(
        label=_("How often this assembly, with today"), min_value=0, max_value=40, required=False
    )
    system = forms.ChoiceField(
        label=_("Main part replaced: of which system?"), choices=[*NONE, *MainSystem.choices], required=False
    )
    part_times = forms.IntegerField(
        label=_("How often this part, with today"), min_value=0, max_value=40, required=False
    )
    wear = forms.ChoiceField(
        label=_("Wear part"),
        choices=[*NONE, *WearPart.choices],
        required=False,
        help_text=_("It has a period of its own by the maker's list."),
    )
    make = forms.ChoiceField(label=_("Make"), required=False)
    price = forms.DecimalField(
        label=_("Price of the car (¥)"), min_value=0, max_digits=12, decimal_places=2, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["make"].choices = [("", _("all makes")), *((make, make) for make in makes())]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("start") and data.get("day") and data["day"] < data["start"]:
            self.add_error("day", _("The day in question is before the car was bought."))
        longest, at_once = data.get("longest") or 0, data.get("at_once") or 0
        if (data.get("away") or 0) > max(0, longest - 1):
            self.add_error("away", _("The owner has the car back for less than this visit lasts."))
        if at_once > longest:
            self.add_error("at_once", _("Both orders run during this visit: not more days than it has."))
        if data.get("days") is not None and data["days"] < longest:
            self.add_error("days", _("This visit alone lasts longer: all days in repair are at least as many."))
        elif longest + at_once > (data.get("days") or 0):
            data["days"] = longest + at_once
        return data
