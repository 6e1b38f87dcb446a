"""Input shapes of the people around a customer and of tags; what the values must be is checked by the commands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel.forms import set_choices
from reception.models import ContactRole, CustomerTag, TagColor


class CustomerContactForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=60, widget=forms.TextInput(attrs={"autofocus": True}))
    roles = forms.MultipleChoiceField(
        label=_("What this person is"), choices=ContactRole.choices, widget=forms.CheckboxSelectMultiple
    )
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        help_text=_("Whoever may authorise work must be reachable."),
    )
    email = forms.CharField(
        label=_("E-mail"), max_length=254, required=False, widget=forms.TextInput(attrs={"inputmode": "email"})
    )
    authorises_up_to = forms.DecimalField(
        label=_("May authorise up to ¥ an order"),
        max_digits=12,
        decimal_places=2,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("Only for who may authorise work. Empty: any amount."),
    )
    authorises_from = forms.DateField(
        label=_("May authorise from"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    authorises_until = forms.DateField(
        label=_("May authorise until"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("When to call, or what this person decides."),
    )


class TagForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    color = forms.ChoiceField(label=_("Colour"), choices=TagColor.choices, initial=TagColor.GREY)


class TagCustomerForm(forms.Form):
    tag_uid = forms.TypedChoiceField(label=pgettext_lazy("customer", "Tag"), coerce=UUID, choices=())

    def __init__(self, *args: Any, tags: list[CustomerTag], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "tag_uid", [(str(tag.uid), tag.name) for tag in tags])
