"""Input shapes of the archive."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded


class DestroyForm(forms.Form):
    reason = demanded(forms.CharField(label=_("Reason"), max_length=200, required=False))
