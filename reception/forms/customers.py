"""Input shapes of the pages of customers and vehicles; what the values must be is checked by the commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Powertrain
from dealership.kernel.actors import Actor
from dealership.kernel.forms import set_choices
from dealership.kernel.models import MessageChannel
from reception.models import (
    ConsentPurpose,
    Customer,
    CustomerKind,
    HardUse,
    PlateColor,
    PlateKind,
    UnmaskReason,
    VehicleUse,
)
from staff.selectors.employees import employees_with_role

LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
ON_LINK = [("LINK", _("On the visit's link"))]
CONSENT_CHANNELS = [("DESK", _("At the desk")), ("PHONE", _("By telephone")), ("WRITTEN", _("In writing"))]
_HOUR = forms.TextInput(attrs={"type": "time"})
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class CustomerForm(forms.Form):
    """A customer; ``anyway`` says that somebody with the same number is another person."""

    name = forms.CharField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autofocus": True}))
    kind = forms.ChoiceField(label=_("Person or company"), choices=CustomerKind.choices, initial=CustomerKind.PERSON)
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        help_text=_("This or an e-mail address is needed."),
    )
    phone_2 = forms.CharField(
        label=_("Second telephone"), max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    email = forms.CharField(
        label=_("E-mail"), max_length=254, required=False, widget=forms.TextInput(attrs={"inputmode": "email"})
    )
    uscc = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        required=False,
        help_text=_("For a company's invoice only."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, initial="zh-hans")
    channel = forms.ChoiceField(
        label=_("Reached best by"),
        choices=[c for c in MessageChannel.choices if c[0] != MessageChannel.STAFF],
        initial=MessageChannel.SMS,
    )
    no_calls = forms.BooleanField(
        label=_("Doesn't want to be called"), required=False, help_text=_("Callbacks are then left out.")
    )
    quiet_from = forms.CharField(label=_("No messages from"), required=False, max_length=8, widget=_HOUR)
    quiet_to = forms.CharField(
        label=_("Messages again from"),
        required=False,
        max_length=8,
        widget=_HOUR,
        help_text=_("Messages written in these hours wait until they end."),
    )
    note = forms.CharField(label=_("Note"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class NewCustomerForm(CustomerForm):
    anyway = forms.BooleanField(label=_("This is another person with the same number"), required=False)


class PreferencesForm(forms.Form):
    """How the customer wants to be reached, asked on the visit's link."""

    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    channel = forms.ChoiceField(label=_("Write to me by"), choices=())
    no_calls = forms.BooleanField(
        label=_("Please don't call me"), required=False, help_text=_("Callbacks are then left out.")
    )
    quiet_from = forms.CharField(
        label=_("No messages from"), required=False, max_length=8, widget=_HOUR, help_text=_("Empty: at any hour.")
    )
    quiet_to = forms.CharField(
        label=_("Messages again from"),
        required=False,
        max_length=8,
        widget=_HOUR,
        help_text=_("Messages written in these hours wait until they end."),
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [c for c in MessageChannel.choices if c[0] != MessageChannel.STAFF]
        set_choices(self, "channel", [c for c in ways if c[0] != MessageChannel.EMAIL or customer.email])


class UnmaskForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Reason"), choices=[c for c in UnmaskReason.choices if c[0] != UnmaskReason.TASK]
    )


class ContactForm(forms.Form):
    """Who of the store a customer asks for (1.2); empty: nobody."""

    employee_uid = forms.TypedChoiceField(
        label=_("Contact person"), required=False, coerce=UUID, empty_value=None, choices=()
    )

    def __init__(self, *args: Any, by: Actor, customer: Customer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = list(employees_with_role(by.store_id, "advisor").values_list("uid", "name"))
        known = customer.contact if customer else None
        if known is not None:
            self.initial["employee_uid"] = known.uid
            if known.uid not in {uid for uid, _name in people}:
                people.append((known.uid, known.name))
        set_choices(self, "employee_uid", [("", _("Nobody in particular")), *people])


class MergeForm(forms.Form):
    """Whose content stands where the two differ; without a word the first one's."""

    def __init__(self, *args: Any, sides: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in sides:
            if row["differs"]:
                self.fields[row["name"]] = forms.ChoiceField(
                    label=row["label"], choices=[("first", "first"), ("second", "second")], initial="first"
                )

    @property
    def taken(self) -> list[str]:
        return [name for name, side in self.cleaned_data.items() if side == "second"]


class OtherForm(forms.Form):
    other_uid = forms.UUIDField()


class ConsentForm(forms.Form):
    purpose = forms.ChoiceField(choices=ConsentPurpose.choices)
    given = forms.TypedChoiceField(choices=[("1", "1"), ("0", "0")], coerce=lambda value: value == "1")
    channel = forms.ChoiceField(choices=CONSENT_CHANNELS)


VEHICLE_TYPES = (
    "小型轿车", "小型普通客车", "小型越野客车", "小型专用客车", "小型面包车", "微型轿车", "微型普通客车", "微型面包车",
    "中型普通客车", "轻型普通货车", "轻型厢式货车", "轻型多用途货车",
)  # fmt: skip
"""Words of the licence (GA 802) that are proposed; any other may be typed."""


class VehicleForm(forms.Form):
    """A car. ``vin_override_reason`` counts only for whoever may keep a VIN that doesn't fit."""

    plate = forms.CharField(
        label=_("Plate"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("This or the VIN is needed."),
    )
    plate_kind = forms.ChoiceField(label=_("Kind of plate"), choices=PlateKind.choices, initial=PlateKind.NORMAL)
    vin = forms.CharField(
        label="VIN", max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    model_text = forms.CharField(label=_("Model"), max_length=80)
    plate_color = forms.ChoiceField(
        label=_("Colour of the plate"),
        choices=[("", _("as the plate says")), *PlateColor.choices],
        required=False,
    )
    powertrain = forms.ChoiceField(
        label=_("Drive"), choices=[("", _("as plate and model say")), *Powertrain.choices], required=False
    )
    vehicle_type = forms.CharField(
        label=_("Vehicle type"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"list": "vehicle-types", "autocomplete": "off"}),
        help_text=_("As the vehicle licence says; it stands on settlement list and certificate."),
    )
    color = forms.CharField(label=_("Colour of the car"), max_length=20, required=False)
    model_year = forms.IntegerField(label=_("Model year"), required=False)
    engine_number = forms.CharField(label=_("Engine or motor number"), max_length=40, required=False)
    battery_code = forms.CharField(label=_("Battery code"), max_length=40, required=False)
    invoiced_on = forms.DateField(label=_("Invoice date"), required=False, widget=_DAY)
    delivered_on = forms.DateField(label=_("Delivery date"), required=False, widget=_DAY)
    registered_on = forms.DateField(label=_("First registration"), required=False, widget=_DAY)
    inspected_until = forms.DateField(
        label=_("Inspected until"),
        required=False,
        widget=_DAY,
        help_text=_("As the licence says; left empty, it follows from the first registration."),
    )
    insured_until = forms.DateField(label=_("Insured until"), required=False, widget=_DAY)
    vin_override_reason = forms.CharField(label=_("Why a VIN that doesn't fit is kept"), max_length=200, required=False)

    def __init__(self, *args: Any, may_override: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_override:
            del self.fields["vin_override_reason"]


class NewVehicleForm(VehicleForm):
    odometer_km = forms.IntegerField(
        label=_("Mileage (km)"), min_value=0, required=False, widget=forms.NumberInput(attrs={"inputmode": "numeric"})
    )
    owner = forms.UUIDField(required=False, widget=forms.HiddenInput)


class OwnerForm(forms.Form):
    """``owner`` is a customer's uid, or empty: the car belongs to nobody known."""

    owner = forms.UUIDField(required=False)
    on = forms.DateField(label=_("From this day on"), widget=_DAY)


class UseForm(forms.Form):
    """How the owner uses the car (3.1); hard use says why."""

    use = forms.ChoiceField(
        label=_("How is this car used?"),
        choices=[(code, VehicleUse(code).label) for code in (VehicleUse.ORDINARY, VehicleUse.HARD)],
        widget=forms.RadioSelect,
    )
    hard_uses = forms.MultipleChoiceField(
        label=_("Why its use is hard"),
        choices=HardUse.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only for hard use: maintenance then comes sooner, where its plan says so."),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("use") == VehicleUse.HARD and not given.get("hard_uses"):
            self.add_error("hard_uses", _("Choose why its use is hard."))
        if given.get("use") == VehicleUse.ORDINARY:
            given["hard_uses"] = []
        return given


class OdometerForm(forms.Form):
    odometer_km = forms.IntegerField(
        label=_("Mileage (km)"),
        min_value=0,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autofocus": True}),
    )
    odometer_reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Only for a reading lower than the last one: new instrument, mistyped before."),
    )
