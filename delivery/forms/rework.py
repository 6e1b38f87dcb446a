"""What the pages of returns within the guarantee ask for; the rules stand in the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..rework_models import OTHERS, OURS, CostBearer, ReworkCause
from ..selectors.rework import Covered

WORDS = forms.Textarea(attrs={"rows": 3})


class OpenReworkForm(forms.Form):
    """Which work of ours it is about, and the customer's words."""

    line_uid = forms.ChoiceField(label=_("Which work of ours"), widget=forms.RadioSelect)
    complaint = forms.CharField(label=_("What the customer says"), max_length=500, widget=WORDS)

    def __init__(self, *args: Any, rows: Sequence[Covered], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line_uid"].choices = [  # type: ignore[attr-defined]
            (str(row.line.uid), f"{row.line.said} · {row.line.order.number}") for row in rows
        ]
        if len(rows) == 1:
            self.fields["line_uid"].initial = str(rows[0].line.uid)


class JudgeForm(forms.Form):
    """The verdict; once the days are over only what is ours can be chosen."""

    cause = forms.ChoiceField(label=_("What it came from"))
    findings = forms.CharField(
        label=_("What was found"),
        max_length=500,
        widget=WORDS,
        help_text=_("Readings, photos and what was taken apart: this is what has to convince the customer."),
    )
    bearer = forms.ChoiceField(
        label=_("Who bears the cost"),
        required=False,
        choices=[(b.value, b.label) for b in CostBearer if b != CostBearer.CUSTOMER],
        help_text=_("Where it is ours to mend, never the customer."),
    )

    def __init__(self, *args: Any, others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ours = [(c.value, c.label) for c in OURS if c != ReworkCause.NO_EVIDENCE]
        groups = [(_("Ours to mend, free of charge"), ours)]
        if others:
            groups.append((_("Another cause, shown by what was found"), [(c.value, c.label) for c in OTHERS]))
        self.fields["cause"].choices = [("", _("choose")), *groups]  # type: ignore[attr-defined]


class SendOutForm(forms.Form):
    repairer = forms.CharField(label=_("Other repairer"), max_length=80)


class PayForm(forms.Form):
    amount = forms.DecimalField(label=_("Paid (¥, VAT included)"), max_digits=12, decimal_places=2, min_value=0)
    paper = forms.CharField(label=_("Number of their invoice"), max_length=40)


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200)
