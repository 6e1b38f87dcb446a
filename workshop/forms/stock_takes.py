"""What the pages of the parts' stock-take ask for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel.forms import demanded, set_choices
from workshop.forms.parts import QUANTITY, LotsField, name_lots
from workshop.models import Warehouse
from workshop.stock_take_models import ValueClass


class StartTakeForm(forms.Form):
    """What is counted: a warehouse, some of its bins, a class of its parts by value."""

    warehouse_uid = forms.TypedChoiceField(label=_("Warehouse"), coerce=UUID)
    bin_from = forms.CharField(label=_("From bin"), max_length=20, required=False)
    bin_to = forms.CharField(
        label=pgettext_lazy("range", "To bin"),
        max_length=20,
        required=False,
        help_text=_("Left empty, the whole warehouse is counted."),
    )
    value_class = forms.ChoiceField(
        label=pgettext_lazy("parts by value", "Only class"), choices=[("", "—"), *ValueClass.choices], required=False
    )

    def __init__(self, *args: Any, warehouses: Sequence[Warehouse], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "warehouse_uid", [(str(row.uid), str(row)) for row in warehouses])


class CountLineForm(forms.Form):
    """One count: the bin's label, the part's label or number, and how much of it lies there."""

    bin = forms.CharField(
        label=_("Bin"), max_length=200, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    part = forms.CharField(
        label=_("Part number"), max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    counted = forms.DecimalField(
        label=_("Counted"), min_value=Decimal(0), **QUANTITY,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        next_one = next((name for name in ("bin", "part") if not self.initial.get(name)), "counted")
        self.fields[next_one].widget.attrs["autofocus"] = True


class NumbersForm(forms.Form):
    """The batch or serial numbers of a difference."""

    codes = LotsField(help_text=_("Of what is missing or was found; - stands for pieces without a number."))

    def __init__(self, *args: Any, tracing: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_lots(self, tracing, "codes")


class CloseTakeForm(forms.Form):
    note = demanded(
        forms.CharField(
            label=_("What explains the differences"), max_length=200, required=False,
            help_text=_("Needed where something differs; it stands on every movement."),
        )
    )  # fmt: skip


class CancelTakeForm(forms.Form):
    note = forms.CharField(label=_("Reason"), max_length=200)
