"""Input shapes of parts and stock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Tracing
from dealership.kernel import clock
from dealership.kernel.forms import demanded, set_choices
from dealership.kernel.saying import say_name, say_plate, say_time
from workshop.models import PartLine, ReturnCondition, StockBin, StockLot, Warehouse
from workshop.selectors.places import read_bin
from workshop.services.stock import UNNAMED
from workshop.stock_models import MAIN

Place = tuple[UUID | None, str]
Usual = Mapping[UUID | None, str]
QUANTITY: dict[str, Any] = {"max_digits": 10, "decimal_places": 2}


class ReturnForm(forms.Form):
    condition = forms.ChoiceField(
        label=_("How does it come back?"), choices=ReturnCondition.choices, widget=forms.RadioSelect,
        help_text=_("Only unopened parts go back onto the shelf; the others stand among old and trial parts."),
    )  # fmt: skip
    lot = forms.ChoiceField(label=_("Batch or serial number"), required=False)
    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    reason = forms.CharField(label=_("Reason"), max_length=120)

    def __init__(self, *args: Any, lots: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if lots:
            named = [(code, gettext("Without a number") if code == UNNAMED else code) for code in lots]
            set_choices(self, "lot", named)
        else:
            del self.fields["lot"]


class ScanForm(forms.Form):
    """One scan: a part's number or a bin's label; a tap names the part line instead."""

    code = forms.CharField(
        label=_("Part number or bin"), max_length=200, required=False,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "autocapitalize": "characters"}),
    )  # fmt: skip
    line = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        if not self.errors and not facts.get("code") and not facts.get("line"):
            self.add_error("code", _("Scan or type a part number or the label of a bin."))
        return facts


class ScanBackForm(ScanForm):
    condition = forms.ChoiceField(
        label=_("How does it come back?"), choices=ReturnCondition.choices, initial=ReturnCondition.UNOPENED,
        widget=forms.RadioSelect,
    )  # fmt: skip
    reason = forms.CharField(label=_("Reason"), max_length=120)
    field_order = ("condition", "reason", "code")


class GiveForm(forms.Form):
    """Which order gives the part up, and why."""

    source = forms.ChoiceField(label=_("Kept for"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason"), max_length=120, help_text=_("The advisor who loses the part reads it, and the foremen.")
    )

    def __init__(self, *args: Any, keepers: Sequence[PartLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = [(str(row.uid), keeper_said(row)) for row in keepers]  # type: ignore[attr-defined]


def keeper_said(row: PartLine) -> str:
    """For whom a part is kept: "京A·10001 · 更换前刹车片 · 2 件已预留 · 承诺 今天 17:30"."""
    order = row.line.order
    return gettext("%(plate)s · %(line)s · %(kept)s %(unit)s kept · promised %(promised)s") % {
        "plate": say_plate(order.visit.vehicle.plate) or order.number,
        "line": say_name(row.line.description),
        "kept": f"{row.reserved_quantity.normalize():f}",
        "unit": say_name(row.part.unit),
        "promised": say_time(order.promised_at, now=clock.now()) if order.promised_at else "—",
    }


class WarehouseChoice(forms.ChoiceField):
    """The store's warehouses, the main one first; none is asked for where there is one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("Warehouse"), required=False, **kwargs)

    def offer(self, warehouses: Sequence[Warehouse]) -> None:
        self.choices = [(str(row.uid), row.name) for row in warehouses]


class BinField(forms.CharField):
    """A bin: one of the store's is proposed while it is typed, a new one may be named, a label may be scanned."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={
            "list": "bins", "autocomplete": "off", "autocapitalize": "characters", "data-scanned": "",
        })  # fmt: skip
        facts: dict[str, Any] = {"label": _("Bin"), "max_length": 200, "required": False, "widget": widget}
        super().__init__(**(facts | kwargs))


def settle_bin(form: forms.Form, *, bin: str, warehouse: str, warehouses: Sequence[Warehouse], usual: Usual) -> Place:
    """Warehouse (None: the main one) and bin as they were typed, chosen or scanned; refuses a part without a bin there."""
    named, text = read_bin(form.cleaned_data.get(bin) or "", warehouses)
    chosen = next((row for row in warehouses if str(row.uid) == form.cleaned_data.get(warehouse)), None)
    place = named or chosen
    uid = None if place is None or place.code == MAIN else place.uid
    if len(text) > 20:
        form.add_error(bin, _("A bin has 20 characters at most."))
    elif not text and not usual.get(uid):
        form.add_error(bin, _("Say which bin it goes into; a new one may be named."))
    return uid, text


class LotsField(forms.CharField):
    """Batch or serial numbers, one a line; read as a list."""

    def __init__(self, **kwargs: Any) -> None:
        facts: dict[str, Any] = {
            "label": _("Batch number"), "max_length": 4000, "required": False,
            "widget": forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
        }  # fmt: skip
        super().__init__(**(facts | kwargs))

    def clean(self, value: Any) -> list[str]:
        text = str(super().clean(value) or "")
        return [row.strip() for row in text.replace("，", ",").replace(",", "\n").splitlines() if row.strip()]


def name_lots(form: forms.Form, tracing: str, name: str = "lots") -> None:
    """Asks for a batch or for serial numbers, as the part is traced; for nothing where it isn't."""
    if tracing == Tracing.NONE:
        del form.fields[name]
        return
    field = demanded(form.fields[name])
    if tracing == Tracing.SERIAL:
        field.label = gettext("Serial numbers, one a line")
        field.widget = forms.Textarea(attrs={"rows": 3, "autocapitalize": "characters"})


class IssueLotForm(forms.Form):
    """Which batch, or which pieces, go out to the line."""

    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    lots = forms.MultipleChoiceField(label=_("Serial numbers"), widget=forms.CheckboxSelectMultiple)

    def __init__(
        self,
        *args: Any,
        lots: Sequence[StockLot],
        tracing: str,
        unit: str,
        unnamed: Decimal = Decimal(0),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [(row.code, f"{row.code} · {row.on_hand.normalize():f} {say_name(unit)}") for row in lots]
        if unnamed > 0:
            said = gettext("Without a number, from before tracing · %(left)s %(unit)s")
            choices.append((UNNAMED, said % {"left": f"{unnamed.normalize():f}", "unit": say_name(unit)}))
        if tracing == Tracing.SERIAL and unnamed <= 0:
            del self.fields["quantity"]
            set_choices(self, "lots", [(row.code, row.code) for row in lots])
        elif tracing == Tracing.SERIAL:
            self.fields["quantity"].help_text = gettext(
                "Counts for pieces without a number; the others are counted by it."
            )
            set_choices(self, "lots", choices)
        else:
            self.fields["lots"] = forms.ChoiceField(label=_("Batch"), choices=choices, widget=forms.RadioSelect)

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        chosen = facts.get("lots", [])
        facts["lots"] = [chosen] if isinstance(chosen, str) else chosen
        if not isinstance(chosen, str) and UNNAMED not in chosen:
            facts["quantity"] = Decimal(len(chosen))
        elif not isinstance(chosen, str) and len(chosen) > 1:
            self.add_error("lots", _("Issue pieces with a number and those without one after another."))
        return facts


class NameForm(forms.Form):
    """The numbers of what lies there from before tracing."""

    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    lots = LotsField()

    def __init__(self, *args: Any, tracing: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_lots(self, tracing)
        if tracing != Tracing.BATCH:
            del self.fields["quantity"]


class ReceiveForm(forms.Form):
    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    unit_cost = forms.DecimalField(label=_("Cost of one, without VAT (¥)"), max_digits=12, decimal_places=2)
    warehouse = WarehouseChoice()
    bin = BinField()
    lots = LotsField()
    reason = forms.CharField(label=_("Delivery note"), max_length=120, required=False)

    def __init__(
        self, *args: Any, warehouses: Sequence[Warehouse], tracing: str, usual: Usual | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.warehouses, self.usual = warehouses, usual or {}
        name_lots(self, tracing)
        demanded(self.fields["bin"])
        if len(warehouses) > 1:
            self.fields["warehouse"].offer(warehouses)  # type: ignore[attr-defined]
        else:
            del self.fields["warehouse"]

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        if "bin" not in self.errors:
            facts["warehouse"], facts["bin"] = settle_bin(
                self, bin="bin", warehouse="warehouse", warehouses=self.warehouses, usual=self.usual
            )
        return facts


class PutAwayForm(forms.Form):
    """Which stock without a bin goes into which one."""

    source = forms.UUIDField(widget=forms.HiddenInput)
    bin = BinField(required=True)


class TransferForm(forms.Form):
    source = forms.ChoiceField(label=_("Taken out of"))
    quantity = forms.DecimalField(label=_("Quantity"), **QUANTITY)
    warehouse = WarehouseChoice()
    to_bin = BinField(label=_("To bin"), required=True)

    def __init__(
        self, *args: Any, bins: Sequence[StockBin], warehouses: Sequence[Warehouse], unit: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.warehouses = warehouses
        several = [("", "—")] if len(bins) > 1 else []
        set_choices(self, "source", [*several, *bin_choices(bins, unit)])
        if len(warehouses) > 1:
            self.fields["warehouse"].offer(warehouses)  # type: ignore[attr-defined]
        else:
            del self.fields["warehouse"]

    def clean(self) -> dict[str, Any]:
        facts = super().clean() or {}
        if facts.get("to_bin"):
            named, facts["to_bin"] = read_bin(facts["to_bin"], self.warehouses)
            facts["warehouse"] = str(named.uid) if named else facts.get("warehouse", "")
        return facts


def bin_choices(bins: Sequence[StockBin], unit: str) -> list[tuple[str, str]]:
    """Where a part lies, with how much is there: "Main warehouse A-01 · 4 件"."""
    return [(str(row.uid), f"{row} · {row.on_hand.normalize():f} {say_name(unit)}") for row in bins]


class WarehouseForm(forms.Form):
    code = forms.CharField(label=_("Short code"), max_length=10)
    name = forms.CharField(label=pgettext_lazy("thing", "Name"), max_length=60)


class CountForm(forms.Form):
    bin = forms.ChoiceField(label=_("Bin"), required=False)
    counted = forms.DecimalField(label=_("Counted"), **QUANTITY)
    lots = LotsField(
        help_text=_("Of what is missing or was found, where the count differs; - stands for pieces without a number.")
    )
    reason = forms.CharField(
        label=_("What explains a difference"),
        max_length=120,
        required=False,
        help_text=_("Needed where the count differs."),
    )

    def __init__(self, *args: Any, bins: Sequence[StockBin], unit: str, tracing: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_lots(self, tracing)
        if len(bins) > 1:  # nothing is chosen beforehand: a count belongs to the bin in which one stands
            set_choices(self, "bin", [("", "—"), *((str(row.uid), str(row)) for row in bins)])
            demanded(self.fields["bin"])
        else:
            del self.fields["bin"]
        self.fields["counted"].label = gettext("Counted (%(unit)s)") % {"unit": unit}
