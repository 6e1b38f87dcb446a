"""Input shapes of the health record pages."""

from django import forms
from django.utils.translation import gettext_lazy as _


class EnteredForm(forms.Form):
    """Domain 7.2: a person has entered the record on the platform's page."""

    reference = forms.CharField(
        label=_("Number on the platform"), max_length=60, help_text=_("As the platform shows it after the entry.")
    )
