"""Input shapes of the archive."""

from django import forms
from django.utils.translation import gettext_lazy as _


class DestroyForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)
