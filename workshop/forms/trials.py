"""What the page of trial parts asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part
from dealership.kernel.forms import demanded, set_choices
from dealership.kernel.saying import say_plate
from staff.models import Employee
from workshop.models import RepairOrder, ReturnCondition, StockLot
from workshop.selectors.places import code_meant


class LendForm(forms.Form):
    code = forms.CharField(
        label=_("Part, batch or serial number"), max_length=200,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    quantity = forms.DecimalField(label=_("Quantity"), max_digits=8, decimal_places=2, initial=1)
    order_uid = forms.TypedChoiceField(label=_("For"), coerce=UUID)
    employee_uid = forms.TypedChoiceField(label=_("Technician"), coerce=UUID)

    def __init__(
        self, *args: Any, orders: Sequence[RepairOrder], people: Sequence[Employee], store_id: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.store_id = store_id
        set_choices(
            self,
            "order_uid",
            [("", "—"), *((str(row.uid), f"{say_plate(row.vehicle.plate) or '—'} · {row.number}") for row in orders)],
        )
        set_choices(self, "employee_uid", [("", "—"), *((str(row.uid), row.name) for row in people)])

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        text = code_meant(facts.pop("code", ""))
        if not text:
            return facts
        part = Part.objects.filter(number__iexact=text, active=True).first()
        lots = StockLot.objects.filter(item__store=self.store_id, code=text.upper(), on_hand__gt=0)
        found = list(lots.select_related("item__part")[:2]) if part is None else []
        if part is None and len(found) != 1:
            self.add_error("code", _("No part and no batch or serial number is called that."))
            return facts
        facts["part_uid"] = part.uid if part else found[0].item.part.uid
        facts["lot"] = "" if part else found[0].code
        return facts


class TrialBackForm(forms.Form):
    """In what condition a tried part comes back."""

    condition = forms.ChoiceField(
        label=_("How does it come back?"), choices=ReturnCondition.choices, widget=forms.RadioSelect,
        help_text=_("Only unopened parts go back onto the shelf; the others stand among old and trial parts."),
    )  # fmt: skip
    reason = demanded(
        forms.CharField(
            label=_("What was tried"), max_length=120, required=False,
            help_text=_("Needed where it is no longer new."),
        )
    )  # fmt: skip
