"""Input shapes of the visit pages."""

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats

from ..models import PlateKind, WaitingMode


class ArrivalForm(forms.Form):
    """2.1.2: what is asked at the gate; plate first, because it fills the rest of a known car."""

    plate = forms.CharField(
        label=_("Plate"),
        max_length=12,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "autocomplete": "off",
                "hx-get": reverse_lazy("visit-known-car"),
                "hx-trigger": "change",
                "hx-include": "closest form",
                "hx-target": "#arrival-body",
            }
        ),
    )
    vin = forms.CharField(label="VIN", max_length=20, required=False)
    plate_kind = forms.ChoiceField(label=_("Kind of plate"), choices=PlateKind.choices, initial=PlateKind.NORMAL)
    contact_name = forms.CharField(label=_("Brought by"), max_length=60)
    contact_phone = forms.CharField(label=_("Telephone"), max_length=20)
    model_text = forms.CharField(label=_("Model"), max_length=80)
    need = forms.CharField(
        label=_("What is needed, in the customer's words"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    waiting_mode = forms.ChoiceField(
        label=_("Meanwhile"), choices=WaitingMode.choices, initial=WaitingMode.WAIT_AT_DEALER
    )
    appointment = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean_contact_phone(self) -> str:
        return formats.clean_phone(self.cleaned_data["contact_phone"])

    def clean(self) -> dict:
        data = super().clean() or {}
        kind, plate, vin = data.get("plate_kind"), data.get("plate"), data.get("vin")
        if plate and kind:
            try:
                data["plate"] = formats.clean_plate(plate, kind)
            except forms.ValidationError as error:
                self.add_error("plate", error)
        if not plate and not vin:
            self.add_error("plate", _("Give the plate or, without one, the VIN."))
        return data
