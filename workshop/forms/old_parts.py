"""What the pages of old parts ask for; the rules stand in the commands."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded
from workshop.old_part_models import Disposition


def _on_paper() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Signed on paper"), required=False, help_text=_("The paper is kept with the order's papers.")
    )


class DecideForm(forms.Form):
    disposition = forms.ChoiceField(
        label=_("What becomes of it"), choices=Disposition.choices, widget=forms.RadioSelect
    )
    consent_by = demanded(
        forms.CharField(
            label=_("Who of the customer agreed"),
            max_length=60,
            required=False,
        )
    )
    note = demanded(
        forms.CharField(
            label=_("Why"), max_length=200, required=False, help_text=_("Needed where no old part came off.")
        )
    )

    signed_on_paper = _on_paper()

    def __init__(self, *args: Any, makers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [choice for choice in Disposition.choices if makers or choice[0] != Disposition.MAKER]
        self.fields["disposition"].choices = kinds  # type: ignore[attr-defined]


class PlaceForm(forms.Form):
    place = forms.CharField(
        label=_("Where it lies"), max_length=20,
        widget=forms.TextInput(attrs={
            "list": "places", "autofocus": True, "autocomplete": "off", "autocapitalize": "characters",
        }),
    )  # fmt: skip


class ReleaseForm(forms.Form):
    reference = forms.CharField(
        label=_("The maker's word"), max_length=60, help_text=_("Number or date of the maker's release.")
    )


class SendForm(forms.Form):
    reference = forms.CharField(label=_("Number of the parcel"), max_length=60)


class GiveForm(forms.Form):
    given_to = forms.CharField(label=_("Who takes it"), max_length=60)
    signed_on_paper = _on_paper()


class ScrapForm(forms.Form):
    note = demanded(forms.CharField(label=_("Where it goes"), max_length=200, required=False))
