"""Forms of outside work (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel.forms import demanded, set_choices
from workshop.forms.orders import moment_field
from workshop.forms.suppliers import NewSupplierField, SupplierField, know_supplier
from workshop.models import OrderLine
from workshop.sublet_models import SubletLeaves
from workshop.supplier_models import Supplier


class NewSubletForm(forms.Form):
    line_uid = forms.TypedChoiceField(label=_("Item of the order"), coerce=UUID)
    supplier = SupplierField(label=_("Firm"))
    new_supplier = NewSupplierField()
    work = forms.CharField(label=_("What the firm is to do"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    leaves = forms.ChoiceField(label=_("What leaves"), choices=SubletLeaves.choices, widget=forms.RadioSelect)
    item = forms.CharField(
        label=_("Which part"), max_length=80, required=False, help_text=_("Where only a part goes to the firm.")
    )
    agreed_cost = forms.DecimalField(
        label=_("Agreed cost, without VAT (¥)"), max_digits=10, decimal_places=2, min_value=0
    )
    expected_at = moment_field(label=_("Expected back from the firm"))

    def __init__(self, *args: Any, lines: Sequence[OrderLine], suppliers: Sequence[Supplier], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.suppliers = suppliers
        set_choices(self, "line_uid", [(str(line.uid), f"{line.position} · {line.said}") for line in lines])

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        know_supplier(self, self.suppliers)
        return facts

    def given(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "new_supplier"}


class CheckForm(forms.Form):
    ok = forms.TypedChoiceField(
        label=_("Outcome of the check"),
        choices=[
            ("yes", pgettext_lazy("outside work", "In order")),
            ("no", pgettext_lazy("outside work", "Not in order, goes back to the firm")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    findings = demanded(
        forms.CharField(
            label=_("What was found"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Needed where it isn't in order: the firm reads it."),
        )
    )  # fmt: skip


class DayForm(forms.Form):
    expected_at = moment_field(label=_("Expected back from the firm"))


class BillForm(forms.Form):
    final_cost = forms.DecimalField(
        label=_("Cost of the bill, without VAT (¥)"), max_digits=10, decimal_places=2, min_value=0
    )
    bill_number = forms.CharField(label=_("Number of the bill"), max_length=40, required=False)
    reason = demanded(
        forms.CharField(
            label=_("Why it differs"), max_length=200, required=False,
            help_text=_("Needed where the bill differs from what was agreed."),
        )
    )  # fmt: skip
    bill = forms.FileField(
        label=_("Photo of the bill"), required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp", "capture": "environment"}),
    )  # fmt: skip

    def given(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        file = data.pop("bill")
        return data | {"bill": file.read() if file else None}


class GiveUpForm(forms.Form):
    reason = forms.CharField(label=_("Why it is given up"), max_length=200)
