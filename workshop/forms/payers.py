"""What is said when a line above the amount is to go ahead (3.2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class PayerForm(forms.Form):
    reason = forms.CharField(
        label=_("Why this work is needed"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who decides reads it; the customer doesn't."),
    )  # fmt: skip
    maker_number = forms.CharField(
        label=_("The maker's authorisation number"), max_length=40, required=False,
        help_text=_("Where the maker has said yes already: the line goes ahead at once."),
    )  # fmt: skip

    def __init__(self, *args: Any, maker: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not maker:
            del self.fields["maker_number"]
