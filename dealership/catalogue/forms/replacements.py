"""What the page of a part's replacements asks for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, ReplacementKind
from dealership.kernel import clock


class ReplacementForm(forms.Form):
    number = forms.CharField(
        label=_("Part number"),
        max_length=40,
        help_text=_("The part that is used instead of this one."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    kind = forms.ChoiceField(
        label=_("How does it replace this part?"),
        choices=ReplacementKind.choices,
        initial=ReplacementKind.SUCCESSOR,
        widget=forms.RadioSelect,
    )
    starts_on = forms.DateField(
        label=_("From"), initial=clock.today, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    note = forms.CharField(
        label=_("Note"), max_length=120, required=False, help_text=_("For example the maker's bulletin.")
    )

    other_kind = forms.BooleanField(
        label=_("It is of another kind, and I know it"), required=False,
        help_text=_("A line that a customer agreed to never takes it without a new yes."),
    )  # fmt: skip

    def clean_number(self) -> Any:
        part = Part.objects.filter(number__iexact=self.cleaned_data["number"].strip()).first()
        if part is None:
            raise forms.ValidationError(_("There is no part of this number."))
        return part
