"""What the pages of settings and approvals ask for."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.registry import Limit


def _finite(text: str) -> float:
    """A number that the database can keep. Raises ValueError for NaN and what is endless."""
    if not isfinite(value := float(text)):
        raise ValueError(text)
    return value


class SettingForm(forms.Form):
    """A new value from a day on. The value keeps the form of the declared one: number, yes or no, words, list."""

    value = forms.CharField(label=_("New value"), max_length=2000)
    starts_on = forms.DateField(
        label=_("Valid from"),
        initial=clock.today,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    scope = forms.ChoiceField(label=_("For"), widget=forms.RadioSelect, initial="store")
    reason = forms.CharField(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, declared: Limit, store_name: str, **kwargs: Any) -> None:
        self.declared = declared
        super().__init__(*args, **kwargs)
        if isinstance(declared.default, dict | list):
            self.fields["value"].widget = forms.Textarea(attrs={"rows": 5})
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)
        scope.choices = [("store", store_name), ("group", _("The whole group"))]

    def clean_value(self) -> Any:
        typed, default = self.cleaned_data["value"].strip(), self.declared.default
        try:
            if isinstance(default, bool):
                return {
                    "true": True,
                    "yes": True,
                    "1": True,
                    "是": True,
                    "false": False,
                    "no": False,
                    "0": False,
                    "否": False,
                }[typed.lower()]
            if isinstance(default, int):
                return int(typed)
            if isinstance(default, float):
                return _finite(typed)
            if isinstance(default, str):
                return typed
            shown = typed if typed.startswith(("[", "{")) else f"[{typed}]"
            value = json.loads(shown, parse_float=_finite, parse_constant=_finite)
        except (ValueError, KeyError) as exc:
            raise forms.ValidationError(_("This can't be read; write it like the present value.")) from exc
        return value


class DecisionForm(forms.Form):
    """A yes or no with a word to who asked."""

    decision = forms.ChoiceField(choices=[("approve", _("Approve")), ("refuse", _("Refuse"))])
    answer = forms.CharField(label=_("Your answer"), max_length=300, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("decision") == "refuse" and not data.get("answer", "").strip():
            self.add_error("answer", _("Say why, so that the colleague knows what to do."))
        return data
