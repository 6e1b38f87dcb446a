"""What is asked of a part that the customer brought; the rules stand in the command (3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.own_part_models import OwnPartCondition, OwnPartPackaging

_PICTURE = forms.FileInput(attrs={"accept": "image/*", "capture": "environment"})


class OwnPartForm(forms.Form):
    condition = forms.ChoiceField(label=_("Condition"), choices=OwnPartCondition.choices, widget=forms.RadioSelect)
    packaging = forms.ChoiceField(label=_("Packaging"), choices=OwnPartPackaging.choices, widget=forms.RadioSelect)
    fits = forms.TypedChoiceField(
        label=_("Does it fit the car?"),
        choices=[("yes", _("It fits")), ("no", _("It doesn't fit"))],
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )
    damaged = forms.BooleanField(label=_("It is damaged"), required=False)
    quantity = forms.DecimalField(label=_("Looked at"), max_digits=10, decimal_places=2, min_value=Decimal("0.01"))
    note = forms.CharField(
        label=_("Remark"),
        max_length=200,
        required=False,
        help_text=_("Needed where it isn't fitted: the customer asks why."),
    )
    photo = forms.FileField(label=_("Photo"), required=False, widget=_PICTURE)

    def given(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        file = data.pop("photo")
        return data | {"photo": file.read() if file else None}
