"""What the answer to a customer's wish asks for; the rules stand in the commands."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Why not this time"),
        max_length=200,
        help_text=_("The customer reads this on the link."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
