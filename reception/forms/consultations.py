"""Input shapes of the inbox."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.forms import set_queryset
from staff.models import Employee

from ..models import AnswerWay, Consultation, ConsultationChannel, ConsultationTopic

BY_HAND = (
    ConsultationChannel.PHONE,
    ConsultationChannel.MISSED_CALL,
    ConsultationChannel.WECHAT,
    ConsultationChannel.WALK_IN,
    ConsultationChannel.REVIEW,
    ConsultationChannel.EMAIL,
)


class NewConsultationForm(forms.Form):
    """2.2.1: a telephone note, a missed call, a pasted chat; whoever writes it down doesn't know everything."""

    channel = forms.ChoiceField(label=_("How it came"), choices=[(c.value, c.label) for c in BY_HAND])
    contact_phone = forms.CharField(
        label=_("Telephone"), max_length=20, required=False, help_text=_("One of telephone, name and e-mail is needed.")
    )
    contact_name = forms.CharField(label=_("Name"), max_length=60, required=False)
    contact_email = forms.CharField(label=_("E-mail"), max_length=120, required=False)
    plate = forms.CharField(label=_("Plate"), max_length=12, required=False)
    model_text = forms.CharField(label=_("Model"), max_length=80, required=False)
    topic = forms.ChoiceField(
        label=_("About"), choices=ConsultationTopic.choices, initial=ConsultationTopic.AFTER_SALES
    )
    body = forms.CharField(
        label=_("What was asked, in the customer's words"), max_length=20000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def clean_contact_phone(self) -> str:
        phone = self.cleaned_data["contact_phone"]
        return formats.clean_phone(phone) if phone else ""

    def clean_contact_email(self) -> str:
        email = self.cleaned_data["contact_email"]
        return formats.clean_email(email) if email else ""


class AnswerForm(forms.Form):
    body = forms.CharField(label=_("Answer"), max_length=20000, widget=forms.Textarea(attrs={"rows": 5}))
    way = forms.ChoiceField(label=_("How it goes out"), choices=AnswerWay.choices)

    def __init__(self, *args: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual = {"EMAIL": AnswerWay.EMAIL, "WECHAT": AnswerWay.WECHAT, "WALK_IN": AnswerWay.IN_PERSON}
        way = usual.get(consultation.channel, AnswerWay.PHONE)
        if consultation.channel in ("WEB_FORM", "API"):
            way = AnswerWay.EMAIL if consultation.contact_email else AnswerWay.SMS
        self.fields["way"].initial = way

    def clean(self) -> dict[str, Any]:
        """``cites``: the versions of articles ticked beside the form (2.2.2)."""
        return (super().clean() or {}) | {"cites": ticked(self.data)}


def ticked(given: Any) -> list[UUID]:
    """The uids under ``cites`` of a form or an address; what is no uid is left out."""
    found = []
    for text in given.getlist("cites") if hasattr(given, "getlist") else []:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


class WordsForm(forms.Form):
    """What the customer wrote again, or a note for colleagues."""

    body = forms.CharField(label=_("Text"), max_length=20000, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class AssignConsultationForm(forms.Form):
    employee = forms.ModelChoiceField(
        label=_("Who looks after it?"), queryset=Employee.objects.none(), to_field_name="uid"
    )

    def __init__(self, *args: Any, people: QuerySet[Employee], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "employee", people)


class SnoozeForm(forms.Form):
    until = forms.DateTimeField(
        label=_("Put off until"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Its limits run on."),
    )

    def __init__(self, *args: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class CloseForm(forms.Form):
    reason = forms.CharField(
        label=_("Why is it closed?"), max_length=300, help_text=_("Advertising, a wrong number, no more word …")
    )

    def __init__(self, *args: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class LeadForm(forms.Form):
    """2.2.2: what sales needs to go on."""

    contact_name = forms.CharField(label=_("Name"), max_length=60)
    contact_phone = forms.CharField(label=_("Telephone"), max_length=20)
    model_text = forms.CharField(label=_("Model"), max_length=80)
    topic = forms.ChoiceField(label=_("About"), choices=ConsultationTopic.choices)
    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("For sales: what the customer is interested in.")
    )

    def __init__(self, *args: Any, consultation: Consultation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("contact_name", "contact_phone", "model_text", "topic"):
            self.fields[name].initial = getattr(consultation, name)

    def clean_contact_phone(self) -> str:
        return formats.clean_phone(self.cleaned_data["contact_phone"])


class TemplateForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=60)
    topic = forms.ChoiceField(label=_("About"), choices=ConsultationTopic.choices)
    body = forms.CharField(
        label=_("Text"),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Fields: {name} {plate} {model} {store} {phone} {address} {advisor}"),
    )
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)
