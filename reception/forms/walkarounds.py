"""Input shapes of the walk-around page: one per step, one for a mark, one for photos, one for the signature."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded
from dealership.kernel.signatures import EMPTY_PAD

from ..models import (
    ArrivalKind,
    Belonging,
    DamageKind,
    DamageSide,
    OldParts,
    Visit,
    WaitingMode,
    WalkAround,
    WarningLight,
)


class StepForm(forms.Form):
    """What one step of the walk-around asks; the names are those of the command."""

    visit_fields = ("waiting_mode",)

    def __init__(self, *args: Any, visit: Visit, walkaround: WalkAround | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            source = visit if name in self.visit_fields else walkaround
            if source is not None:
                field.initial = getattr(source, name)


class ArrivalStep(StepForm):
    """1: who brings the car, and where they wait."""

    waiting_mode = forms.ChoiceField(label=_("Meanwhile"), choices=WaitingMode.choices, widget=forms.RadioSelect)


class LookStep(StepForm):
    """2: the car as it stands there."""

    odometer_km = demanded(
        forms.IntegerField(
            label=_("Mileage (km)"),
            min_value=0,
            max_value=2_000_000,
            required=False,
            widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "big-figure"}),
        )
    )
    odometer_reason = forms.CharField(
        label=_("Why it isn't as expected"),
        max_length=200,
        required=False,
        help_text=_(
            "Only where the mileage is lower than last time or far higher: new instrument, wrongly read before, long journey."
        ),
    )
    odometer_unread = forms.CharField(
        label=_("Why the mileage can't be read"),
        max_length=200,
        required=False,
        help_text=_("Only for a car that was towed in with a dead instrument."),
    )
    energy_eighths = demanded(
        forms.TypedChoiceField(
            label=_("Fuel or charge (eighths)"),
            choices=[(n, str(n)) for n in range(9)],
            coerce=int,
            empty_value=None,
            required=False,
            widget=forms.RadioSelect,
        )
    )
    warning_lights = forms.MultipleChoiceField(
        label=_("Warning lights that are on"),
        choices=WarningLight.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    belongings = forms.MultipleChoiceField(
        label=_("In the car"), choices=Belonging.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    kit_fitted = forms.BooleanField(label=_("Protective kit fitted in front of the customer"), required=False)
    no_valuables = demanded(forms.BooleanField(label=_("Customer confirms: no valuables left"), required=False))

    def __init__(self, *args: Any, visit: Visit, walkaround: WalkAround | None, **kwargs: Any) -> None:
        super().__init__(*args, visit=visit, walkaround=walkaround, **kwargs)
        if visit.arrival_kind != ArrivalKind.TOWED_IN:
            del self.fields["odometer_unread"]


class NeedStep(StepForm):
    """3: the customer's own words and what was agreed."""

    own_words = forms.CharField(
        label=_("Customer's own words"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("As it was said: what, when, at which speed, warm or cold."),
    )
    old_parts = demanded(
        forms.ChoiceField(label=_("Old parts"), choices=OldParts.choices, required=False, widget=forms.RadioSelect)
    )


class DamageForm(forms.Form):
    """One mark; x and y come from the tap, the middle of the side stands for them without one."""

    side = forms.ChoiceField(label=_("Seen from"), choices=DamageSide.choices)
    kind = forms.ChoiceField(label=_("Damage"), choices=DamageKind.choices, widget=forms.RadioSelect, initial="SCRATCH")
    place = forms.CharField(
        label=_("Where exactly"), max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    size_mm = forms.IntegerField(label=_("Length (mm)"), min_value=1, max_value=9999, required=False)
    note = forms.CharField(label=_("Note"), max_length=120, required=False)
    x = forms.IntegerField(min_value=0, max_value=1000, initial=500, widget=forms.HiddenInput, required=False)
    y = forms.IntegerField(min_value=0, max_value=1000, initial=500, widget=forms.HiddenInput, required=False)
    uid = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("x", "y"):
            if data.get(name) is None:
                data[name] = 500
        return data


class PictureInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class PictureField(forms.FileField):
    """Several pictures at once."""

    widget = PictureInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data]
        if not files and self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return [super(PictureField, self).clean(file, initial) for file in files]


class PhotoForm(forms.Form):
    """Pictures with what they show."""

    photos = PictureField(label=_("Photos"))
    place = forms.CharField(
        label=_("What they show"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"list": "photo-places", "autocomplete": "off"}),
    )
    mark = forms.UUIDField(required=False)
    uid = forms.UUIDField(required=False)


class SignatureForm(forms.Form):
    """A drawn signature (PNG data URL) or the typed name alone."""

    signed_name = forms.CharField(label=_("Signed by"), max_length=60)
    signature = forms.CharField(required=False, max_length=700_000)

    def clean_signature(self) -> bytes | None:
        text = self.cleaned_data["signature"]
        if not text:
            return None
        if text == EMPTY_PAD:
            return b""
        head, _comma, body = text.partition(",")
        if head != "data:image/png;base64":
            raise forms.ValidationError(_("The signature can't be read; sign again."))
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as exc:
            raise forms.ValidationError(_("The signature can't be read; sign again.")) from exc


class SeenForm(forms.Form):
    """2.1.2: what a customer who didn't bring the car answers to the walk-around on the link."""

    old_parts = forms.ChoiceField(
        label=_("Old parts that are replaced"),
        choices=[(OldParts.TAKE, _("I take them along")), (OldParts.LEAVE, _("You dispose of them"))],
        widget=forms.RadioSelect,
    )
    no_valuables = forms.BooleanField(
        label=_("I left no valuables in the car"),
        error_messages={
            "required": _("Please confirm it; if something valuable is in the car, tell the advisor below.")
        },
    )
    signed_name = forms.CharField(
        label=_("Your name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class DisputeForm(forms.Form):
    """2.1.2: what isn't right about the walk-around."""

    words = forms.CharField(
        label=_("What isn't right?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Such as: the scratch on the left door wasn't there. Your advisor calls you."),
    )
