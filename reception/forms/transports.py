"""Input shapes of fetching and bringing back cars (2.1.2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.forms import set_queryset
from staff.models import Employee
from staff.selectors.employees import employees_with_role

from .visits import staff_at


def moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )


class TransportForm(forms.Form):
    """Who drives when and where to."""

    driver = forms.ModelChoiceField(label=_("Driver"), queryset=Employee.objects.none(), to_field_name="uid")
    starts_at = moment(_("Fetched from"))
    ends_at = moment(_("Fetched until"))
    address = forms.CharField(label=_("Address"), max_length=200)
    contact_name = forms.CharField(label=_("Contact"), max_length=60)
    contact_phone = forms.CharField(label=_("Telephone"), max_length=20)
    visit = forms.UUIDField(required=False, widget=forms.HiddenInput)
    appointment = forms.UUIDField(required=False, widget=forms.HiddenInput)
    vehicle = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, store_id: int, brings_back: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if brings_back:
            self.fields["starts_at"].label, self.fields["ends_at"].label = _("Brought from"), _("Brought until")
        advisors = employees_with_role(store_id, "advisor", clock.today())
        set_queryset(self, "driver", advisors if advisors.exists() else staff_at(store_id))


class TakeOverForm(forms.Form):
    """At the customer's door."""

    odometer_km = forms.IntegerField(
        label=_("Mileage (km)"),
        min_value=0,
        max_value=2_000_000,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "big-figure"}),
    )
    energy_eighths = forms.TypedChoiceField(
        label=_("Fuel or charge (eighths)"), choices=[(n, str(n)) for n in range(9)], coerce=int
    )
    need = forms.CharField(
        label=_("What is needed, in the customer's words"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class CallOffForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200)
