"""Input shapes of the inbox."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.forms import set_queryset
from staff.models import Employee

from ..models import AnswerWay, Consultation, ConsultationChannel, ConsultationTopic
from .quotations import uids

BY_HAND = (
    ConsultationChannel.PHONE,
    ConsultationChannel.MISSED_CALL,
    ConsultationChannel.WECHAT,
    ConsultationChannel.WALK_IN,
    ConsultationChannel.REVIEW,
    ConsultationChannel.EMAIL,
)


LOOKS_UP = {
    "hx-get": reverse_lazy("consultation-new"),
    "hx-trigger": "change",
    "hx-include": "[name=contact_phone], [name=plate]",
    "hx-target": "#known",
    "hx-select": "#known",
    "hx-swap": "outerHTML",
}
"""A field that shows beside the form who calls, as soon as it is filled in."""


class NewConsultationForm(forms.Form):
    """2.2.1: a telephone note, a missed call, a pasted chat; whoever writes it down doesn't know everything."""

    channel = forms.ChoiceField(label=_("How it came"), choices=[(c.value, c.label) for c in BY_HAND])
    contact_phone = forms.CharField(
        label=_("Telephone"),
        max_length=20,
        required=False,
        help_text=_("One of telephone, name and e-mail is needed."),
        widget=forms.TextInput(attrs=LOOKS_UP),
    )
    contact_name = forms.CharField(label=_("Name"), max_length=60, required=False)
    contact_email = forms.CharField(label=_("E-mail"), max_length=120, required=False)
    plate = forms.CharField(label=_("Plate"), max_length=12, required=False, widget=forms.TextInput(attrs=LOOKS_UP))
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


class AskForm(forms.Form):
    """A customer asks without log-in. ``website`` is seen by no person: whoever fills it in is a machine."""

    body = forms.CharField(
        label=_("What would you like to know?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5})
    )
    topic = forms.ChoiceField(
        label=_("About"), choices=ConsultationTopic.choices, initial=ConsultationTopic.AFTER_SALES
    )
    contact_name = forms.CharField(
        label=_("Your name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    contact_phone = forms.CharField(
        label=_("Your telephone number"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("A number or an e-mail address, so that we can answer."),
    )
    contact_email = forms.CharField(
        label=_("Your e-mail address"),
        max_length=120,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    plate = forms.CharField(label=_("Plate, if it is about your car"), max_length=12, required=False)
    model_text = forms.CharField(label=_("Model"), max_length=80, required=False)
    website = forms.CharField(required=False, max_length=200)

    def clean_contact_phone(self) -> str:
        phone = self.cleaned_data["contact_phone"]
        return formats.clean_phone(phone) if phone else ""

    def clean_contact_email(self) -> str:
        email = self.cleaned_data["contact_email"]
        return formats.clean_email(email) if email else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.pop("website", ""):
            raise forms.ValidationError(_("This was filled in by a machine. Please call us."))
        if not self.errors and not data.get("contact_phone") and not data.get("contact_email"):
            self.add_error(
                "contact_phone", _("Tell us a telephone number or an e-mail address, so that we can answer.")
            )
        return data


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
        return (super().clean() or {}) | {"cites": uids(self.data, "cites")}


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
        if not consultation.model_text and consultation.vehicle is not None:
            self.fields["model_text"].initial = consultation.vehicle.model_text
        if consultation.topic == ConsultationTopic.AFTER_SALES:  # a lead is about a car to buy
            self.fields["topic"].initial = ConsultationTopic.MODEL

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
