"""What the pages of the sale over the counter ask for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.formats import normalise_phone
from dealership.kernel.forms import demanded, set_choices
from reception.models import Customer
from workshop.models import ReturnCondition


class SaleScanForm(forms.Form):
    code = forms.CharField(
        label=_("Part, batch or serial number"), max_length=60,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    quantity = forms.DecimalField(label=_("Quantity"), max_digits=8, decimal_places=2, initial=1)
    reason = forms.CharField(
        label=_("Why is it sold over the counter?"), max_length=120, required=False,
        help_text=_("Asked of high-voltage and traced parts; the customer is named as well."),
    )  # fmt: skip


class SaleChangeForm(forms.Form):
    phone = forms.CharField(
        label=_("Customer's telephone"), max_length=20, required=False,
        help_text=_("Of a customer we know; empty: an anonymous sale."),
    )  # fmt: skip
    discount = forms.DecimalField(label=_("Discount ¥"), max_digits=10, decimal_places=2, required=False)
    reason = demanded(forms.CharField(label=_("Reason of the discount"), max_length=120, required=False))

    def clean_phone(self) -> Any:
        text = self.cleaned_data["phone"]
        if not text:
            return None
        found = Customer.objects.unmerged().filter(phone=normalise_phone(text)).order_by("pk").first()
        if found is None:
            raise forms.ValidationError(
                _("No customer has this telephone; enter the customer first, or sell anonymously.")
            )
        return found.uid

    def clean_discount(self) -> Decimal:
        return self.cleaned_data["discount"] or Decimal(0)


class SaleReturnForm(forms.Form):
    condition = forms.ChoiceField(
        label=_("How does it come back?"), choices=ReturnCondition.choices, initial=ReturnCondition.UNOPENED,
        widget=forms.RadioSelect,
    )  # fmt: skip
    lot = forms.ChoiceField(label=_("Batch or serial number"), required=False)
    quantity = forms.DecimalField(label=_("Quantity"), max_digits=8, decimal_places=2)
    reason = forms.CharField(label=_("Reason"), max_length=120)

    def __init__(self, *args: Any, lots: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if lots:
            set_choices(self, "lot", [(code, code) for code in lots])
        else:
            del self.fields["lot"]
