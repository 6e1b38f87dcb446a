"""Which labels are printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel.forms import set_choices
from workshop.models import Warehouse


class LabelsForm(forms.Form):
    """Labels of bins or of parts, of a warehouse, from one bin to another."""

    what = forms.ChoiceField(label=_("Labels of"), choices=[("BINS", _("Bins")), ("PARTS", _("Parts"))])
    warehouse = forms.ChoiceField(label=_("Warehouse"), required=False)
    first = forms.CharField(label=_("From bin"), max_length=20, required=False)
    last = forms.CharField(label=pgettext_lazy("range", "To bin"), max_length=20, required=False)

    def __init__(self, *args: Any, warehouses: Sequence[Warehouse], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "warehouse", [("", _("All")), *((str(row.uid), str(row)) for row in warehouses)])
