"""What is said when a line is to be goodwill (3.2)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.goodwill_models import GoodwillBearer


class GoodwillForm(forms.Form):
    bearer = forms.ChoiceField(label=_("Who bears it"), choices=GoodwillBearer.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Why it is goodwill"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who decides reads it; the customer doesn't."),
    )  # fmt: skip
