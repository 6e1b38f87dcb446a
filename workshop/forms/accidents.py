"""What the pages of accident repairs ask for; the rules stand in the commands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import demanded
from workshop.accident_models import StructurePart, StructureResult
from workshop.models import AuthorizationMethod, OrderLine

WORDS = forms.Textarea(attrs={"rows": 3})


class _ShareForm(forms.Form):
    assessor = forms.CharField(label=_("Assessor"), max_length=60, required=False)
    own_share = forms.DecimalField(
        label=_("The customer's own share (¥)"),
        max_digits=12,
        decimal_places=2,
        min_value=0,
        initial=0,
        help_text=_("Deductible and what the insurer doesn't bear; paid before the car leaves."),
    )
    share_agreed_by = demanded(
        forms.CharField(
            label=_("Who agreed to the share"),
            max_length=60,
            required=False,
            help_text=_("Needed where the customer bears a share."),
        )
    )


class ChangeAccidentForm(_ShareForm):
    pass


class OpenAccidentForm(_ShareForm):
    policy_number = forms.CharField(label=_("Policy number"), max_length=40)
    report_number = forms.CharField(label=_("Report number"), max_length=40)
    happened_on = forms.DateField(
        label=_("Day of the accident"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    field_order = ["policy_number", "report_number", "happened_on", "assessor", "own_share", "share_agreed_by"]


class _AmountsForm(forms.Form):
    """An amount for each line, in a field of its own."""

    def __init__(self, *args: Any, rows: Sequence[tuple[OrderLine, Decimal]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = {f"amount_{line.uid}": line.uid for line, _price in rows}
        for line, price in rows:
            self.fields[f"amount_{line.uid}"] = forms.DecimalField(
                label=line.said, max_digits=12, decimal_places=2, min_value=0, required=False, initial=price
            )
        others = [name for name in self.fields if name not in self.lines]
        self.order_fields([*self.lines, *others])


class AssessmentForm(_AmountsForm):
    """What is left empty isn't part of this assessment."""

    reason = demanded(
        forms.CharField(
            label=_("What makes the supplement necessary"),
            max_length=300,
            required=False,
            widget=WORDS,
            help_text=_("Needed from the second assessment on, with a photo of each item."),
        )
    )

    def told(self) -> dict[UUID, Decimal]:
        given = {uid: self.cleaned_data.get(name) for name, uid in self.lines.items()}
        return {uid: amount for uid, amount in given.items() if amount}


class AgreeForm(_AmountsForm):
    """The insurer's yes with what it pays of each line: all that was asked, unless it said less."""

    decided_by = forms.CharField(label=_("Who decided for the insurer"), max_length=60)
    note = forms.CharField(
        label=_("What was said"),
        max_length=300,
        required=False,
        help_text=_("Needed where it pays less than was asked."),
    )

    def told(self) -> dict[UUID, Decimal]:
        """What was left empty is agreed to as it was asked."""
        given = {uid: self.cleaned_data.get(name) for name, uid in self.lines.items()}
        return {uid: amount for uid, amount in given.items() if amount is not None}


class DifferenceForm(forms.Form):
    """The customer bears what the insurer doesn't: who said so, and how."""

    method = forms.ChoiceField(
        label=_("How"),
        choices=[
            (value, label)
            for value, label in AuthorizationMethod.choices
            if value not in (AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION)
        ],
    )
    agreed_by = forms.CharField(label=_("Who agrees to bear it"), max_length=60)
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("By telephone: who said what, at what number."),
    )
    amount = forms.DecimalField(max_digits=12, decimal_places=2, widget=forms.HiddenInput)


class RefuseForm(forms.Form):
    decided_by = forms.CharField(label=_("Who decided for the insurer"), max_length=60)
    note = forms.CharField(label=_("Why"), max_length=300)


class StructureForm(forms.Form):
    part = forms.ChoiceField(label=_("What of the structure"), choices=StructurePart.choices)


class StructureCheckForm(forms.Form):
    result = forms.ChoiceField(label=_("Result"), choices=StructureResult.choices, widget=forms.RadioSelect)
    findings = forms.CharField(label=_("What was measured"), max_length=500, widget=WORDS)
