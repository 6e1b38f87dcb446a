"""What the page of a written consent asks for; the rules stand in the command (domain 3.3)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class PartConsentForm(forms.Form):
    signed_name = forms.CharField(label=_("Name of the person who signs"), max_length=60)
    on_paper = forms.BooleanField(
        label=_("Signed on paper"), required=False, help_text=_("The paper is kept with the order's papers.")
    )
