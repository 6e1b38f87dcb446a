"""Input shapes of callbacks and surveys."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import CallResult, DateReminderState, SurveyDimension

SCORES = [
    (1, _("Very dissatisfied")),
    (2, _("Dissatisfied")),
    (3, _("So-so")),
    (4, _("Satisfied")),
    (5, _("Very satisfied")),
]
"""From bad to good, as the recommendation and the rating of the reception run on the same link."""
CHOOSE = {"required": _("Choose one of the answers.")}


class CallForm(forms.Form):
    """4.2: one call; the words of a reached customer are mandatory."""

    result = forms.ChoiceField(label=_("Result"), choices=CallResult.choices)
    note = forms.CharField(
        label=_("What the customer said"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed once somebody was reached."),
    )


class DateReminderForm(forms.Form):
    """4.2: what came of a reminder."""

    result = forms.ChoiceField(
        label=_("What came of it"),
        choices=[choice for choice in DateReminderState.choices if choice[0] != DateReminderState.OPEN],
        widget=forms.RadioSelect(attrs={"class": "options"}),
    )


class SurveyForm(forms.Form):
    """4.3: five dimensions, one number, words."""

    recommend = forms.TypedChoiceField(
        label=_("How likely is it that you recommend us? 0 not at all, 10 very"),
        choices=[(n, str(n)) for n in range(11)],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )
    words = forms.CharField(
        label=_("Anything else?"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = {
            dimension.value: forms.TypedChoiceField(
                label=dimension.label,
                choices=SCORES,
                coerce=int,
                widget=forms.RadioSelect,
                error_messages=CHOOSE,
            )
            for dimension in SurveyDimension
        }
        self.fields = {**asked, **self.fields}

    @property
    def dimensions(self) -> list[forms.BoundField]:
        return [self[dimension] for dimension in SurveyDimension.values]
