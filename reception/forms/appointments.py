"""Input shapes of the booking pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation
from dealership.kernel import formats
from dealership.kernel.forms import demanded
from staff.selectors.employees import employees_with_role

from ..models import AppointmentSource, PartOfDay, WaitingMode


def live(target: str) -> dict[str, Any]:
    """Attributes of a field whose change renders a part of the booking page anew."""
    return {
        "hx-post": reverse_lazy("appointment-new"),
        "hx-trigger": "change",
        "hx-include": "closest form",
        "hx-vals": '{"look": "1"}',
        "hx-target": target,
        "hx-select": target,
        "hx-swap": "outerHTML",
        "hx-sync": "closest form:replace",
    }


class MomentField(forms.CharField):
    """An aware moment as the grid's radio buttons carry it (ISO with offset)."""

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError(_("Choose a time.")) from None
        if moment.tzinfo is None:
            raise forms.ValidationError(_("Choose a time."))
        return moment


def read_moment(text: str) -> datetime | None:
    """The chosen time of a form that is shown again; None where it is none."""
    try:
        return MomentField(required=False).clean(text)
    except forms.ValidationError:
        return None


class OperationsField(forms.Field):
    """The uids of the chosen operations, in their order."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[UUID]:
        try:
            return [UUID(text) for text in dict.fromkeys(value or [])]
        except (ValueError, TypeError):
            raise forms.ValidationError(_("One of these operations isn't offered any more.")) from None


def advisor_choices(store_id: int) -> list[tuple[str, str]]:
    """Who may receive in the store, after "whoever is free"."""
    people = employees_with_role(store_id, "advisor").values_list("uid", "name")
    return [("", str(_("Whoever is free"))), *((str(uid), name) for uid, name in people)]


class BookingForm(forms.Form):
    """2.4: one box finds the car; then what to do, and when."""

    q = forms.CharField(
        label=_("Plate, telephone or name"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", **live("#booking-body")}),
    )
    vehicle = forms.UUIDField(required=False)
    filled_for = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    consultation = forms.UUIDField(required=False, widget=forms.HiddenInput)
    contact_name = forms.CharField(label=_("Who calls"), max_length=60)
    contact_phone = forms.CharField(label=_("Telephone"), max_length=20)
    plate = demanded(forms.CharField(label=_("Plate"), max_length=12, required=False))
    model_text = demanded(forms.CharField(label=_("Model"), max_length=80, required=False))
    operations = OperationsField(required=False)
    add = forms.ChoiceField(label=_("Add an operation"), required=False)
    concern = forms.CharField(
        label=_("In the customer's words"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    waiting_mode = forms.ChoiceField(
        label=_("Meanwhile"),
        choices=WaitingMode.choices,
        initial=WaitingMode.LEAVE,
        widget=forms.Select(attrs=live("#booking-body")),
    )
    advisor = forms.ChoiceField(label=_("Advisor"), required=False, widget=forms.Select(attrs=live("#booking-body")))
    source = forms.ChoiceField(
        label=_("How it came"),
        choices=[
            (AppointmentSource.PHONE.value, AppointmentSource.PHONE.label),
            (AppointmentSource.SERVICE_ADVISOR_INITIATED.value, AppointmentSource.SERVICE_ADVISOR_INITIATED.label),
        ],
        initial=AppointmentSource.PHONE,
    )
    starts_at = MomentField(error_messages={"required": _("Choose a time.")})

    def __init__(self, *args: Any, store_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        advisor = self.fields["advisor"]
        assert isinstance(advisor, forms.ChoiceField)
        advisor.choices = advisor_choices(store_id)
        add = self.fields["add"]
        assert isinstance(add, forms.ChoiceField)
        offered = Operation.objects.filter(active=True).order_by("code")
        add.choices = [
            ("", str(_("Choose …"))),
            *((str(o.uid), f"{o.name} · {o.hours.normalize():f} h") for o in offered),
        ]
        add.widget.attrs.update(live("#booking-body"))

    def clean_contact_phone(self) -> str:
        return formats.clean_phone(self.cleaned_data["contact_phone"])

    def clean_advisor(self) -> UUID | None:
        return UUID(self.cleaned_data["advisor"]) if self.cleaned_data["advisor"] else None


class WaitForm(BookingForm):
    """2.4: the same questions without a time: the car waits for one on full days."""

    wait = forms.DateField()
    wait_until = forms.DateField(required=False)
    part_of_day = forms.ChoiceField(choices=PartOfDay.choices, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["starts_at"]

    def clean_part_of_day(self) -> str:
        return self.cleaned_data["part_of_day"] or PartOfDay.ANY


class WithdrawForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, error_messages={"required": _("Write down why.")})


class MoveForm(forms.Form):
    """改约: another time and why."""

    starts_at = MomentField(label=_("New time"), error_messages={"required": _("Choose a time.")})
    reason = forms.CharField(label=_("Why"), max_length=200, error_messages={"required": _("Write down why.")})


class MoveWaitForm(forms.Form):
    """改约 to a full day: the car waits for a time there and keeps what was agreed so far."""

    starts_at = MomentField(required=False)
    reason = demanded(forms.CharField(label=_("Why"), max_length=200, required=False))
    wait = forms.DateField()


class PartMissingForm(forms.Form):
    """A part was taken away or comes late."""

    part_number = forms.ChoiceField(label=_("Part"), required=False)
    expected_on = forms.DateField(
        label=_("Will be there on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty where nobody knows."),
    )
    reason = forms.CharField(label=_("What is missing and why"), max_length=200)

    def __init__(self, *args: Any, parts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["part_number"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *parts]


class CancelForm(forms.Form):
    reason = forms.CharField(label=_("Why"), max_length=200, error_messages={"required": _("Write down why.")})


class OnlineForm(forms.Form):
    """A customer books without log-in: as few questions as the shop can work with."""

    op = OperationsField(required=False)
    starts_at = MomentField(error_messages={"required": _("Choose a time.")})
    contact_name = forms.CharField(
        label=_("Your name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    contact_phone = forms.CharField(
        label=_("Your mobile number"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    plate = forms.CharField(label=_("Plate"), max_length=12)
    model_text = forms.CharField(label=_("Model of the car"), max_length=80)
    concern = forms.CharField(
        label=_("What shall we do or look into?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    waiting_mode = forms.ChoiceField(
        label=_("Meanwhile you"),
        choices=[
            (WaitingMode.WAIT_AT_DEALER.value, _("wait in the shop")),
            (WaitingMode.LEAVE.value, _("come back later")),
        ],
    )

    wait = forms.DateField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.data.get("wait"):  # no time: the car waits for one on that day
            self.fields["starts_at"].required = False

    def clean_contact_phone(self) -> str:
        return formats.clean_mobile(self.cleaned_data["contact_phone"])

    def clean_plate(self) -> str:
        """This page asks no kind of plate: what isn't an ordinary one is booked by telephone."""
        checked = formats.check_plate(self.cleaned_data["plate"])
        if checked.level == formats.Level.REFUSED:
            raise ValidationError(
                _("This is no usual plate, such as 京A·12345 or 京A·D12345. For another kind of plate please call us."),
                code=checked.code,
            )
        return checked.value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("op") and not data.get("concern"):
            self.add_error("concern", _("Choose what is to be done, or say it in your words."))
        return data


class LoanForm(forms.Form):
    ends_at = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": _("Choose a time.")},
    )


class OnlineCancelForm(forms.Form):
    """The customer's own cancellation; nobody has to say why."""

    reason = forms.CharField(label=_("Why (you needn't say)"), max_length=200, required=False)


class OnlineMoveForm(OnlineCancelForm):
    """The customer's own move to another free time."""

    starts_at = MomentField(error_messages={"required": _("Choose a time.")})
    field_order = ("starts_at", "reason")


class OnlineWaitForm(forms.Form):
    """A full day: the car waits for a time there and keeps the one it has."""

    wait = forms.DateField()


def first_day(text: str, store_today: date) -> date:
    """The first day of the grid from the address; today where nothing sensible is given."""
    try:
        return max(date.fromisoformat(text), store_today)
    except ValueError:
        return store_today
