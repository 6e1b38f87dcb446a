"""Input shapes of the settlement and payment pages."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.signatures import EMPTY_PAD

from ..models import MONEY, PaymentMethod

PNG = "data:image/png;base64,"


class SignatureField(forms.CharField):
    """A drawn signature as a PNG data URL. Cleans to bytes, None (only the name was typed) or b"" (an empty pad)."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "max_length": 400_000, "strip": False} | kwargs)

    def clean(self, value: Any) -> bytes | None:
        text = super().clean(value)
        if not text:
            return None
        if text == EMPTY_PAD:
            return b""
        if not text.startswith(PNG):
            raise forms.ValidationError(_("The signature can't be read; please sign again."))
        try:
            return base64.b64decode(text.removeprefix(PNG), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise forms.ValidationError(_("The signature can't be read; please sign again.")) from exc


class SignForm(forms.Form):
    """4.1: the customer signs the list."""

    signed_name = forms.CharField(label=_("Name of the person who signs"), max_length=60)
    signature = SignatureField()


class ReasonForm(forms.Form):
    """A step that needs its reason."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2, "maxlength": 200})
    )


class MoneyField(forms.DecimalField):
    """Yuan with two places."""

    def __init__(self, **kwargs: Any) -> None:
        options: dict[str, Any] = {
            "max_digits": 12,
            "decimal_places": 2,
            "min_value": Decimal("0.01"),
            "widget": forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        }
        super().__init__(**options | kwargs)


class PaymentForm(forms.Form):
    """4.1: money comes in."""

    method = forms.ChoiceField(
        label=_("How it is paid"),
        choices=[(method.value, method.label) for method in MONEY],
        initial=PaymentMethod.SCAN_CODE,
        widget=forms.RadioSelect,
    )
    amount = MoneyField(label=_("Amount ¥"))
    reference = forms.CharField(
        label=_("Receipt or transaction number"), max_length=60, required=False, widget=forms.TextInput
    )


class RefundForm(ReasonForm):
    """4.1: money goes back as a counter-entry."""

    amount = MoneyField(label=_("Amount to give back ¥"))
    field_order = ("amount", "reason")


class IssueForm(forms.Form):
    """4.1: what the advisor may still say when the list is issued."""

    round_off = forms.BooleanField(label=_("Round off"), required=False)
    old_parts = forms.ChoiceField(
        label=_("Old parts"),
        required=False,
        choices=[
            ("", _("as agreed at the walk-around")),
            ("TAKE", _("Customer takes them")),
            ("LEAVE", _("Shop disposes of them, with the customer's consent")),
            ("NONE", _("No old parts")),
        ],
    )


class GoodwillForm(ReasonForm):
    """1.2: how much of the bill is waived, and why."""

    amount = MoneyField(label=_("Amount to waive ¥"))
    field_order = ("amount", "reason")
