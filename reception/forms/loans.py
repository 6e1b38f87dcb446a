"""Input shapes of giving a loan car, keeping it longer and taking it back (2.1.2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Resource
from dealership.kernel.forms import set_queryset

from ..loan_models import LicenceClass
from .transports import moment
from .walkarounds import PictureField, SignatureForm


def mileage() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Mileage (km)"),
        min_value=0,
        max_value=2_000_000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


def energy() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=_("Fuel or charge (eighths)"), choices=[("", "—"), *((n, f"{n}/8") for n in range(9))], coerce=int
    )


class PhotosMixin(forms.Form):
    """Photos as their contents."""

    def clean_photos(self) -> list[bytes]:
        return [photo.read() for photo in self.cleaned_data["photos"] if photo]


class LoanCarChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return obj.said


class GiveForm(PhotosMixin, SignatureForm):
    """Which car until when, the driver's licence, and the car as it leaves."""

    car = LoanCarChoice(label=_("Loan car"), queryset=Resource.objects.none(), to_field_name="uid")
    expected_at = moment(_("Expected back"))
    licence_seen = forms.BooleanField(
        label=_("I have seen the licence itself"),
        error_messages={"required": _("See the driver's licence itself before you give the car.")},
    )
    licence_class = forms.ChoiceField(
        label=pgettext_lazy("driving licence", "Class"), choices=[("", "—"), *LicenceClass.choices]
    )
    licence_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        help_text=_("Leave it empty for a licence without an end."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    licence_last4 = forms.CharField(
        label=_("Last four of its number"),
        max_length=4,
        min_length=4,
        help_text=_("The whole number is never kept."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    odometer_km = mileage()
    energy_eighths = energy()
    condition = forms.CharField(
        label=_("What the car looks like"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
    photos = PictureField(label=_("Photos"), required=False)

    def __init__(self, *args: Any, ids: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "car", Resource.objects.filter(pk__in=ids).order_by("position", "code"))


class TakeBackForm(PhotosMixin):
    """The car as it comes back."""

    odometer_km = mileage()
    energy_eighths = energy()
    condition = forms.CharField(
        label=_("What the car looks like"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
    damage = forms.CharField(
        label=_("New damage"),
        max_length=300,
        required=False,
        help_text=_("Leave it empty where there is none."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    photos = PictureField(label=_("Photos"), required=False)


class KeepLongerForm(forms.Form):
    expected_at = moment(_("Expected back"))
