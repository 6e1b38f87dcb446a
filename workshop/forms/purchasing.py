"""Input shapes of purchases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part
from dealership.kernel import clock
from dealership.kernel.forms import demanded
from workshop.forms.parts import BinField, LotsField, Place, Usual, WarehouseChoice, name_lots, settle_bin
from workshop.forms.suppliers import NewSupplierField, SupplierField, know_supplier
from workshop.models import PurchaseLine, Warehouse
from workshop.supplier_models import Supplier

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _number(label: str, *, places: int, **kwargs: Any) -> forms.DecimalField:
    """A number in a cell of a table; the row and the column name it."""
    attrs = {"class": "form-control num", "inputmode": "decimal", "aria-label": label}
    return forms.DecimalField(
        label=label, required=False, max_digits=8, decimal_places=places, min_value=Decimal(0),
        widget=forms.TextInput(attrs=attrs), **kwargs,
    )  # fmt: skip


class ReorderForm(forms.Form):
    """What is ordered of each part; an empty quantity orders none."""

    supplier = SupplierField()
    new_supplier = NewSupplierField()
    expected_on = forms.DateField(
        label=_("Expected on"), widget=_DAY, required=False,
        help_text=_("Left empty, it is reckoned from the supplier's lead time."),
    )  # fmt: skip
    number = forms.CharField(
        label=_("One more part (number)"), max_length=40, required=False, help_text=_("A part that isn't proposed.")
    )
    more = forms.DecimalField(label=_("How many of it"), max_digits=8, decimal_places=2, required=False)
    cost = forms.DecimalField(
        label=_("Cost of one, without VAT (¥)"), max_digits=10, decimal_places=2, required=False, min_value=Decimal(0)
    )

    def __init__(
        self, *args: Any, parts: Sequence[Part], suppliers: Sequence[Supplier], usual_days: int, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.parts, self.suppliers, self.usual_days = parts, suppliers, usual_days
        for part in parts:
            self.fields[f"quantity_{part.uid}"] = _number(f"{part.said} · {pgettext('purchase', 'Order')}", places=2)
            self.fields[f"cost_{part.uid}"] = _number(f"{part.said} · {gettext('Cost of one')}", places=2)

    def head(self) -> list[forms.BoundField]:
        return [self[name] for name in ("supplier", "new_supplier", "expected_on", "number", "more", "cost")]

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        lines = []
        for part in self.parts:
            quantity = facts.get(f"quantity_{part.uid}")
            if quantity:
                lines.append((part.uid, quantity, self._cost(facts, f"cost_{part.uid}")))
        if facts.get("number"):
            extra = Part.objects.filter(number__iexact=facts["number"].strip(), active=True).first()
            if extra is None:
                self.add_error("number", _("There is no part of this number."))
            elif not facts.get("more"):
                self.add_error("more", _("Say how many."))
            else:
                lines.append((extra.uid, facts["more"], self._cost(facts, "cost")))
        facts["lines"] = lines
        chosen = know_supplier(self, self.suppliers)
        if facts.get("expected_on") is None and "expected_on" not in self.errors:
            known = chosen.lead_days if chosen is not None else None
            days = self.usual_days if known is None else known
            facts["expected_on"] = clock.today() + timedelta(days=days)
        return facts

    def _cost(self, facts: dict[str, Any], field: str) -> Decimal:
        """What one costs; it moves the mean cost when it comes in, so it is never guessed."""
        found: Decimal | None = facts.get(field)
        if found is None and field not in self.errors:
            self.add_error(field, _("Give the cost of one."))
        return found or Decimal(0)


class ReceiptForm(forms.Form):
    """What came in of each line of an order."""

    note = forms.CharField(label=_("Delivery note"), max_length=120, required=False)
    reason = demanded(
        forms.CharField(
            label=_("Why more is kept than was ordered"),
            max_length=120,
            required=False,
            help_text=_("Needed where more came in."),
        )
    )

    def __init__(
        self,
        *args: Any,
        lines: Sequence[PurchaseLine],
        warehouses: Sequence[Warehouse] = (),
        usual: Mapping[int, Usual] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines, self.warehouses, self.usual = lines, warehouses, usual or {}
        self.places: dict[UUID, Place] = {}
        for line in lines:
            self.fields[f"came_{line.uid}"] = _number(f"{line.part.said} · {gettext('Came in')}", places=2)
            self.fields[f"lots_{line.uid}"] = LotsField()
            name_lots(self, line.part.tracing, f"lots_{line.uid}")
            if f"lots_{line.uid}" in self.fields:
                self.fields[f"lots_{line.uid}"].widget.attrs |= {"class": "form-control"}
            self.fields[f"bin_{line.uid}"] = BinField()
            self._said(f"bin_{line.uid}", f"{line.part.said} · {gettext('Bin')}")
            if len(warehouses) > 1:
                choice = WarehouseChoice()
                self.fields[f"warehouse_{line.uid}"] = choice
                choice.offer(warehouses)
                self._said(f"warehouse_{line.uid}", f"{line.part.said} · {gettext('Warehouse')}")

    def _said(self, name: str, label: str) -> None:
        """The row and the column name a field of the table."""
        self.fields[name].label = label
        self.fields[name].widget.attrs |= {"aria-label": label}
        if name.startswith("bin_"):
            self.fields[name].widget.attrs |= {"class": "form-control"}
        else:
            self.fields[name].widget.attrs |= {"class": "form-select"}

    def clean(self) -> dict[str, Any]:
        """Each part that came in has its bin: the proposed one, another one or a new one."""
        facts = super().clean() or {}
        for line in self.lines:
            bin = f"bin_{line.uid}"
            if facts.get(f"came_{line.uid}") and bin not in self.errors:
                self.places[line.uid] = settle_bin(
                    self, bin=bin, warehouse=f"warehouse_{line.uid}", warehouses=self.warehouses,
                    usual=self.usual.get(line.part_id, {}),
                )  # fmt: skip
        return facts

    def place_of(self, line: PurchaseLine) -> list[forms.BoundField]:
        return [self[name] for name in (f"warehouse_{line.uid}", f"bin_{line.uid}") if name in self.fields]

    def head(self) -> list[forms.BoundField]:
        return [self["note"], self["reason"]]

    def lots_of(self, line: PurchaseLine) -> forms.BoundField | None:
        """The field for the numbers of a traced part."""
        name = f"lots_{line.uid}"
        return self[name] if name in self.fields else None

    def lots(self) -> dict[UUID, list[str]]:
        return {line.uid: self.cleaned_data.get(f"lots_{line.uid}") or [] for line in self.lines}

    def came(self) -> list[tuple[UUID, Decimal]]:
        found = [(line.uid, self.cleaned_data.get(f"came_{line.uid}")) for line in self.lines]
        return [(uid, quantity) for uid, quantity in found if quantity]


class ExpectedForm(forms.Form):
    expected_on = forms.DateField(label=_("Expected on"), widget=_DAY)


class EndForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=120)
