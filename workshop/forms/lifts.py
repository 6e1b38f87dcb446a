"""Input shapes of the lift pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workshop.lift_models import POINTS, LiftPoint, RoundKind


class RoundForm(forms.Form):
    """3.4: one round; nothing ticked means that everything is in order."""

    kind = forms.ChoiceField(label=_("Which round?"), choices=RoundKind.choices)
    wrong = forms.MultipleChoiceField(
        label=_("What is wrong? Nothing ticked: all in order."),
        choices=LiftPoint.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("What was found"),
        help_text=_("Needed where something is wrong."),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 200}),
    )

    def __init__(self, *args: Any, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(str(k), k.label) for k in RoundKind if k in kinds]  # type: ignore[attr-defined]
        most = max((POINTS[RoundKind(kind)] for kind in kinds), key=len, default=tuple(LiftPoint))
        self.fields["wrong"].choices = [(str(p), p.label) for p in most]  # type: ignore[attr-defined]
