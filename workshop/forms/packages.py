"""Forms of packages on an order (3.1)."""

from django import forms

from .orders import reason_field


class DissolveForm(forms.Form):
    reason = reason_field(widget=forms.TextInput(attrs={"autofocus": True}))
