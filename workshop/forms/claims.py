"""What the pages of demands under 三包 ask for; the rules stand in the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reception.models import Customer
from workshop.claim_models import ClaimRefusal, ClaimRemedy

WORDS = forms.Textarea(attrs={"rows": 4})


class OpenClaimForm(forms.Form):
    customer_uid = forms.ChoiceField(label=_("Who demands it"), widget=forms.RadioSelect)
    remedy = forms.ChoiceField(label=_("What is demanded"), choices=ClaimRemedy.choices, widget=forms.RadioSelect)
    words = forms.CharField(label=_("In the customer's words"), max_length=1000, widget=WORDS)
    asked_at = forms.DateTimeField(
        label=_("Demanded on"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("The working days count from the day after. Left empty: now."),
    )
    odometer_km = forms.IntegerField(label=_("Kilometres then"), min_value=0, max_value=2_000_000)

    def __init__(self, *args: Any, people: Sequence[Customer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(person.uid), person.name) for person in people]
        self.fields["customer_uid"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["customer_uid"].initial = choices[0][0]


class GrantForm(forms.Form):
    """The price and the coefficient are asked for where the use is paid for (art. 27)."""

    car_price = forms.DecimalField(label=_("Price of the car (¥)"), min_value=1, max_digits=12, decimal_places=2)
    coefficient = forms.DecimalField(
        label=_("Coefficient n of the maker (%)"),
        min_value=0,
        max_value=1,
        max_digits=4,
        decimal_places=3,
        help_text=_("It stands on the warranty certificate of the car."),
    )
    answer = forms.CharField(label=_("What the customer is told"), max_length=1000, widget=WORDS)

    def __init__(self, *args: Any, pays: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not pays:
            del self.fields["car_price"], self.fields["coefficient"]

    def told(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        if "coefficient" in data:
            data["coefficient"] /= 100
        return data


class RefuseForm(forms.Form):
    refusal = forms.ChoiceField(label=_("Why it is refused"), widget=forms.RadioSelect)
    answer = forms.CharField(
        label=_("What the customer is told"),
        max_length=1000,
        widget=WORDS,
        help_text=_("Article 28 wants the reasons in the answer. Care in another workshop is no reason."),
    )

    def __init__(self, *args: Any, stands: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["refusal"].choices = [  # type: ignore[attr-defined]
            (value, label) for value, label in ClaimRefusal.choices if not (stands and value == ClaimRefusal.NOT_MET)
        ]


class ResultForm(forms.Form):
    result = forms.CharField(label=_("How it ended"), max_length=500, widget=WORDS)
