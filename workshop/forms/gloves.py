"""Input shape of the look at insulating gloves."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.glove_models import GlovePoint


class LookForm(forms.Form):
    """3.4: one look at a pair; nothing ticked means that it may be worn."""

    wrong = forms.MultipleChoiceField(
        label=_("What is wrong? Nothing ticked: all in order."),
        choices=GlovePoint.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("What was found"),
        help_text=_("Needed where something is wrong."),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 200}),
    )
