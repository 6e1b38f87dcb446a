"""Input shapes of the hand-over and the gate."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded, set_choices

from ..models import CHECKS_THAT_MAY_NOT_APPLY, GatePassKind, HandoverCheck
from .settlements import SignatureField

DONE, NOT_APPLICABLE = "DONE", "NOT_APPLICABLE"


def _on_paper() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Signed on paper"), required=False, help_text=_("The paper is kept with the order's papers.")
    )


class HandoverForm(forms.Form):
    """4.1: the checks, the exit reading, the next service and the signature, in the order of a walk to the car."""

    odometer_km = forms.IntegerField(
        label=_("Mileage now (km)"),
        min_value=0,
        max_value=2_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    next_service_on = forms.DateField(
        label=_("Next service due on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    next_service_km = forms.IntegerField(
        label=_("and at (km), whichever comes first"),
        help_text=_("Where the next service was explained, both are written down."),
        required=False,
        min_value=0,
        max_value=2_000_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    key_tag = forms.CharField(
        label=_("Key tag"), max_length=10, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    place = forms.CharField(
        label=_("Place"), max_length=20, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    received_by = forms.CharField(label=_("Who takes the car"), max_length=60)
    risk_note_signed_by = demanded(
        forms.CharField(label=_("Customer who signed the note about the risk"), max_length=60, required=False)
    )
    signature = SignatureField()
    signed_on_paper = _on_paper()

    def __init__(self, *args: Any, known: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in known:  # what is recorded already is shown, not asked
            del self.fields[name]
        for check in HandoverCheck:
            choices: list[tuple[str, Any]] = [(DONE, _("Done"))]
            if check in CHECKS_THAT_MAY_NOT_APPLY:
                choices.append((NOT_APPLICABLE, _("Not needed")))
            self.fields[check.value] = forms.ChoiceField(
                label=check.label,
                choices=choices,
                error_messages={"required": _("Not checked yet.")},
                widget=forms.RadioSelect,
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get(HandoverCheck.NEXT_SERVICE.value) == DONE:
            for name in ("next_service_on", "next_service_km"):
                if data.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Explained to the customer, so write it down."))
        if data.get("place") and "key_tag" in self.fields and not data.get("key_tag"):
            self.add_error("key_tag", _("The place is kept with the key's tag; write the tag too."))
        return data

    @property
    def checks(self) -> list[Any]:
        """The bound fields of the checks in their order."""
        return [self[check.value] for check in HandoverCheck]

    @property
    def checklist(self) -> dict[str, str]:
        return {check.value: self.cleaned_data[check.value] for check in HandoverCheck}


class GatePassForm(forms.Form):
    """4.1: why a car leaves; the reason is asked for every kind but the delivery."""

    kind = forms.ChoiceField(label=_("Why it leaves"), choices=GatePassKind.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason, place or company"),
        max_length=200,
        required=False,
        help_text=_("Needed for every kind but the delivered car."),
    )
    risk_note_signed_by = demanded(
        forms.CharField(label=_("Customer who signed the note about the risk"), max_length=60, required=False)
    )
    signature = SignatureField()
    signed_on_paper = _on_paper()

    def __init__(self, *args: Any, kinds: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kinds is not None:
            set_choices(self, "kind", [c for c in GatePassKind.choices if c[0] in kinds])


class GateForm(forms.Form):
    """The scanner types the code and presses Enter."""

    code = forms.CharField(
        label=_("Code of the gate pass"),
        max_length=60,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"}),
    )
