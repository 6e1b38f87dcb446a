"""Forms of the suppliers' register, and the choice of one in other forms (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workshop.supplier_models import Supplier, SupplierKind


class SupplierField(forms.CharField):
    """A supplier by its name, chosen from the register while it is typed."""

    def __init__(self, **kwargs: Any) -> None:
        facts: dict[str, Any] = {
            "label": _("Supplier"), "max_length": 80,
            "widget": forms.TextInput(attrs={"list": "suppliers", "autocomplete": "off"}),
        }  # fmt: skip
        super().__init__(**(facts | kwargs))


class NewSupplierField(forms.BooleanField):
    """Says that a name that the register hasn't is meant, and no slip."""

    def __init__(self) -> None:
        super().__init__(
            label=_("It is a new one: enter it in the register"), required=False,
            help_text=_("Contact, tax number and lead time are added there."),
        )  # fmt: skip


def know_supplier(form: forms.Form, suppliers: Sequence[Supplier]) -> Supplier | None:
    """The chosen supplier; a name that isn't in the register is refused until it is said to be a new one."""
    name = " ".join(str(form.cleaned_data.get("supplier") or "").split())
    found = next((row for row in suppliers if row.name == name), None)
    found = found or next((row for row in suppliers if row.name.casefold() == name.casefold()), None)
    if name and found is None and not form.cleaned_data.get("new_supplier"):
        form.add_error("supplier", _("The register has no such name. Choose one, or tick that it is a new one."))
    if found is not None:
        form.cleaned_data["supplier"] = found.name
    return found


class SupplierForm(forms.Form):
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=80)
    kind = forms.ChoiceField(
        label=_("What it sells"), choices=SupplierKind.choices, initial=SupplierKind.PARTS, widget=forms.RadioSelect
    )
    contact = forms.CharField(label=pgettext_lazy("supplier", "Contact person"), max_length=60, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=30, required=False)
    tax_number = forms.CharField(label=_("Tax number"), max_length=20, required=False)
    lead_days = forms.IntegerField(
        label=_("Lead time (days)"), min_value=0, max_value=365, required=False,
        help_text=_("From the order to the delivery; parts that are missing are expected by it."),
    )  # fmt: skip


class SupplierEditForm(SupplierForm):
    active = forms.BooleanField(label=_("Is used: can be chosen for orders"), required=False)
