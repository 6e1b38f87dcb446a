"""Input shapes of quotations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats


class QuotationForm(forms.Form):
    """Whom it is for and until when; the items stand beside it (``op`` and ``model``, uids)."""

    plate = forms.CharField(
        label=_("Plate"),
        max_length=12,
        required=False,
        widget=forms.TextInput(
            attrs={
                "hx-post": reverse_lazy("quotation-new"),
                "hx-trigger": "change",
                "hx-vals": '{"look": "1"}',
                "hx-target": "#quotation",
                "hx-select": "#quotation",
                "hx-swap": "outerHTML",
            }
        ),
    )
    contact_name = forms.CharField(label=_("Name"), max_length=60, required=False)
    contact_phone = forms.CharField(label=_("Telephone"), max_length=20, required=False)
    model_text = forms.CharField(label=_("Model"), max_length=80, required=False)
    valid_until = forms.DateField(
        label=_("Valid until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Until this day the shop honours the prices."),
    )

    def clean_contact_phone(self) -> str:
        phone = self.cleaned_data["contact_phone"]
        return formats.clean_phone(phone) if phone else ""


def uids(given: Any, name: str) -> list[UUID]:
    """The uids under a name of an address or a form; what is no uid is left out."""
    found = []
    for text in given.getlist(name) if hasattr(given, "getlist") else []:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
