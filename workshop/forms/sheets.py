"""What the page of a check sheet asks for; the rules stand in the commands."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.check_models import JUDGED
from workshop.forms.floor import Photos


class Measured(forms.DecimalField):
    """A value as it is typed on a phone: a comma is a point, also the wide one."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().replace("，", ".").replace(",", ".")
        return super().to_python(value)


def _value() -> forms.DecimalField:
    return Measured(
        label=_("Measured"),
        required=False,
        max_digits=8,
        decimal_places=2,
        error_messages={"invalid": _("A number, please: it is not saved like this.")},
    )


class AnswerForm(forms.Form):
    """One item: a verdict or its values, words, and pictures where no queue takes them."""

    verdict = forms.ChoiceField(
        label=_("What it is"), choices=[("", "—"), *((v.value, v.label) for v in JUDGED)], required=False
    )
    v0 = _value()
    v1 = _value()
    v2 = _value()
    v3 = _value()
    note = forms.CharField(label=_("What is wrong"), max_length=200, required=False)
    photos = Photos(label=_("Photos"), required=False)

    def readings(self) -> list[Decimal]:
        values = (self.cleaned_data[f"v{place}"] for place in range(4))
        return [value for value in values if value is not None]


class CheckPhotoForm(forms.Form):
    photos = Photos(label=_("Photos"))
    uid = forms.UUIDField(required=False)

    def clean_photos(self) -> list[Any]:
        if not self.cleaned_data["photos"]:
            raise forms.ValidationError(_("Choose or take a photo first."))
        return list(self.cleaned_data["photos"])
