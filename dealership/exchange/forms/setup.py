"""What the first page of an empty system asks for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_HOUR = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class SetupForm(forms.Form):
    setup_code = forms.CharField(
        label=_("Set-up code"),
        max_length=60,
        help_text=_("Printed at the start, and in the file setup-code of VAR_DIR."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
    )
    store_name = forms.CharField(label=_("Name of the store"), max_length=60)
    store_code = forms.CharField(
        label=_("Code of the store"),
        max_length=4,
        help_text=_("Two to four capital letters and digits, such as BJ01; it stands in every number and stays."),
    )
    brand = forms.CharField(label=_("Brand"), max_length=40)
    company = forms.CharField(label=_("Company"), max_length=100, required=False)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=20, required=False)
    opens = forms.TimeField(label=_("Opens"), initial="08:30", widget=_HOUR)
    closes = forms.TimeField(label=_("Closes"), initial="17:30", widget=_HOUR)
    break_from = forms.TimeField(label=_("Break from"), initial="12:00", required=False, widget=_HOUR)
    break_to = forms.TimeField(label=_("Break to"), initial="13:00", required=False, widget=_HOUR)
    bays = forms.IntegerField(label=_("Number of bays"), min_value=0, max_value=60, initial=4)
    labor_rate = forms.DecimalField(
        label=_("Price of an hour (CNY, with VAT)"), min_value=0, max_digits=8, decimal_places=2, required=False
    )
    person_name = forms.CharField(label=_("Your name"), max_length=60)
    username = forms.CharField(
        label=_("User name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=_("Ten characters or more."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )
    again = forms.CharField(
        label=_("Password once more"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        again = given.pop("again", None)
        if "password" in given and again is not None and given["password"] != again:
            self.add_error("again", _("The two passwords differ; type them anew."))
        return given
