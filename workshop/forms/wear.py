"""What the page of the wear parts' list asks for; the rules stand in the command."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.selectors.wear import makes
from workshop.wear_models import WearPart


class WearTermForm(forms.Form):
    kind = forms.ChoiceField(label=_("Wear part"), choices=WearPart.choices)
    make = forms.ChoiceField(
        label=_("Make"), required=False, help_text=_("A make's own entry goes before that for all.")
    )
    months = forms.IntegerField(label=_("Months"), min_value=1, max_value=120)
    km = forms.IntegerField(label=_("Kilometres"), min_value=1, max_value=500_000)
    starts_on = forms.DateField(
        label=_("For cars sold from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    source = forms.CharField(
        label=_("The maker's paper"), max_length=120, help_text=_("Name and version of the warranty booklet.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["make"].choices = [("", _("all makes")), *((make, make) for make in makes())]  # type: ignore[attr-defined]
