"""The form for a car that drives on until its part comes (3.2)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded


class AwayForm(forms.Form):
    reason = forms.CharField(
        label=_("What it comes back for"), max_length=200, widget=forms.TextInput(attrs={"autofocus": True})
    )
    expected_on = forms.DateField(
        label=_("Part expected"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    safe_to_drive = demanded(
        forms.BooleanField(label=_("The car is safe to drive; I have told the customer so"), required=False)
    )
    although_here = demanded(forms.BooleanField(label=_("It leaves although the part is on the shelf"), required=False))

    def __init__(self, *args: Any, here: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if here:
            words = _("Kept for this order: %(parts)s. The work could be done now.") % {"parts": here}
            self.fields["although_here"].help_text = words
        else:
            del self.fields["although_here"]
