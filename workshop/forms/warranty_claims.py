"""What the pages of claims to the maker ask for; the rules stand in the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded
from workshop.models import OrderLine
from workshop.warranty_claim_models import ShopBears

WORDS = forms.Textarea(attrs={"rows": 3})
ACCOUNTS = [("", _("choose")), *ShopBears.choices]


def _account(help_text: Any) -> forms.Field:
    return demanded(
        forms.ChoiceField(label=_("The shop bears the rest as"), choices=ACCOUNTS, required=False, help_text=help_text)
    )


class OpenClaimForm(forms.Form):
    lines = forms.MultipleChoiceField(label=_("Lines that the maker is asked for"), widget=forms.CheckboxSelectMultiple)
    told_free = forms.TypedChoiceField(
        label=_("What was the customer told?"),
        choices=[("yes", _("It is free")), ("no", _("It depends on the maker's yes"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )

    def __init__(self, *args: Any, rows: Sequence[OrderLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lines"].choices = [(str(row.uid), row.said) for row in rows]  # type: ignore[attr-defined]
        self.fields["lines"].initial = [str(row.uid) for row in rows]

    def told(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"line_uids": [UUID(uid) for uid in data["lines"]], "told_free": data["told_free"]}


class StartRepairForm(forms.Form):
    authorised_as = demanded(
        forms.CharField(
            label=_("Number of the maker's yes"),
            max_length=40,
            required=False,
            help_text=_("Needed where the maker was asked."),
        )
    )


class SubmitForm(forms.Form):
    reference = forms.CharField(label=_("The maker's claim number"), max_length=40)
    late_reason = demanded(
        forms.CharField(
            label=_("Why it comes late"),
            max_length=200,
            required=False,
            help_text=_("Needed after the maker's last day."),
        )
    )


class ReturnForm(forms.Form):
    reason = forms.CharField(label=_("What the maker wants"), max_length=300, widget=WORDS)


class ApproveForm(forms.Form):
    amount = forms.DecimalField(label=_("Approved (¥, VAT included)"), max_digits=12, decimal_places=2, min_value=0)
    reason = demanded(
        forms.CharField(
            label=_("Why not in full"),
            max_length=300,
            required=False,
            help_text=_("Needed where the maker pays less than was asked."),
        )
    )
    shop_bears = _account(_("The customer never pays what the maker doesn't."))


class RejectForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=WORDS)
    shop_bears = _account(_("Needed where the customer was told that it is free."))


class PayClaimForm(forms.Form):
    amount = forms.DecimalField(
        label=_("Paid by the maker (¥, VAT included)"), max_digits=12, decimal_places=2, min_value=0
    )
    paid_on = forms.DateField(label=_("Paid on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reference = forms.CharField(label=_("Credit note or transfer"), max_length=40)
    reason = demanded(
        forms.CharField(
            label=_("Why not in full"),
            max_length=300,
            required=False,
            help_text=_("Needed where less came than was approved."),
        )
    )
    shop_bears = _account(_("The customer never pays what the maker doesn't."))
