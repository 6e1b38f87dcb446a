"""Input shapes of knowledge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock
from dealership.kernel.forms import set_queryset
from staff.models import Employee

from ..models import ConsultationTopic

HALF_A_YEAR = timedelta(days=182)


def _day(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=help_text, required=required, widget=widget)


class ReviseForm(forms.Form):
    """2.2.2: the words of an article from a day on."""

    title = forms.CharField(label=_("Title"), max_length=80, help_text=_("The question as a customer asks it."))
    body = forms.CharField(
        label=_("Answer"),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("Plain words, to be said or sent as they are. Prices are left to the price list."),
    )
    source = forms.CharField(
        label=_("Where it comes from"),
        max_length=160,
        required=False,
        help_text=_("The maker's manual, a law, a notice."),
    )
    starts_on = _day(pgettext_lazy("version", "In force from"))
    ends_on = _day(pgettext_lazy("version", "Last day"), _("Empty: until the next version."), required=False)
    review_on = _day(_("Look at it again by"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].initial = clock.today()
        self.fields["review_on"].initial = clock.today() + HALF_A_YEAR


class ArticleForm(ReviseForm):
    topic = forms.ChoiceField(label=_("About"), choices=ConsultationTopic.choices)

    field_order = ("title", "topic", "body", "source", "starts_on", "ends_on", "review_on")


class ReviewForm(forms.Form):
    review_on = _day(_("Look at it again by"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["review_on"].initial = clock.today() + HALF_A_YEAR


class OwnerForm(forms.Form):
    employee = forms.ModelChoiceField(
        label=_("Who looks after it?"), queryset=Employee.objects.none(), to_field_name="uid"
    )

    def __init__(self, *args: Any, people: QuerySet[Employee], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "employee", people)


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("Why is it withdrawn?"), max_length=200)
