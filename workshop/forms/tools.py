"""Input shapes of the tool crib."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Resource
from dealership.kernel.forms import demanded, set_choices
from staff.models import Employee
from workshop.tool_models import AssetKind, CheckResult, ToolCondition

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_PICTURE = forms.FileInput(attrs={"accept": "image/*", "capture": "environment"})
_NOTE: dict[str, Any] = {"max_length": 200, "widget": forms.Textarea(attrs={"rows": 2})}


def people_choices(people: list[Employee]) -> list[tuple[str, str]]:
    return [(str(person.uid), person.name) for person in people]


class ToolForm(forms.Form):
    """What a tool is; number and kind only of a new one."""

    number = forms.CharField(
        label=_("Number"), max_length=20, help_text=_("As it stands on the label; it never changes.")
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=AssetKind.choices)
    name = forms.CharField(label=_("What it is called"), max_length=60)
    place = forms.CharField(label=_("Kept at"), max_length=40, help_text=_("Cabinet, wall or bay"))
    keeper_uid = forms.TypedChoiceField(label=_("Keeper"), coerce=UUID, help_text=_("Is reminded of what is due."))
    check_months = forms.IntegerField(
        label=_("Tested every … months"),
        required=False,
        min_value=1,
        max_value=60,
        help_text=_("Empty: the usual interval of its kind, if it has one."),
    )
    resource_uid = forms.TypedChoiceField(
        label=_("Special tool of the plan"),
        required=False,
        coerce=UUID,
        empty_value=None,
        help_text=_("Where it is one: while it isn't fit, no work is planned with it."),
    )
    bay_uid = forms.TypedChoiceField(
        label=_("Bay of the lift"),
        required=False,
        coerce=UUID,
        empty_value=None,
        help_text=_("Where a lift stands: while it isn't fit, nothing is planned or begun there."),
    )
    maker = forms.CharField(label=_("Maker and type"), max_length=60, required=False)
    serial = forms.CharField(label=_("Serial number"), max_length=40, required=False)
    photo = forms.FileField(label=_("Photo"), required=False, widget=_PICTURE)

    def __init__(
        self,
        *args: Any,
        people: list[Employee],
        resources: Iterable[Resource],
        bays: Iterable[Resource],
        known: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "resource_uid", [("", "—"), *((str(r.uid), r.said) for r in resources)])
        set_choices(self, "keeper_uid", people_choices(people))
        set_choices(self, "bay_uid", [("", "—"), *((str(r.uid), r.said) for r in bays)])
        if known:
            del self.fields["number"], self.fields["kind"]
        if known and known != AssetKind.LIFT:
            del self.fields["bay_uid"]

    def given(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        file = data.pop("photo")
        return data | {"photo": file.read() if file else None}


class IssueForm(forms.Form):
    """To whom a tool goes."""

    employee_uid = forms.TypedChoiceField(label=_("Goes to"), coerce=UUID)
    note = forms.CharField(label=_("Remark"), max_length=200, required=False)

    def __init__(
        self, *args: Any, takers: tuple[list[Employee], list[Employee]], planned: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        floor, others = map(people_choices, takers)
        groups: list[tuple[Any, Any]] = [("", "—"), (_("Technicians"), floor), (_("Everybody else"), others)]
        set_choices(self, "employee_uid", [group for group in groups if group[1]])
        if planned:
            self.fields["note"].help_text = planned


class TakeForm(forms.Form):
    """A tap, with the reason where the plan keeps the tool for somebody else later in the day."""

    note = demanded(forms.CharField(label=_("What it is needed for"), required=False, **_NOTE))


class ReturnToolForm(forms.Form):
    condition = forms.ChoiceField(label=_("Condition"), choices=ToolCondition.choices)
    note = demanded(
        forms.CharField(label=_("What is damaged"), required=False, help_text=_("Needed where it is damaged."), **_NOTE)
    )


class DamageForm(forms.Form):
    note = forms.CharField(label=_("What is damaged"), **_NOTE)


class ReasonForm(forms.Form):
    note = forms.CharField(label=_("Reason"), **_NOTE)


class CheckForm(forms.Form):
    """A calibration, test or yearly check with its certificate."""

    done_on = forms.DateField(label=_("Done on"), widget=_DAY)
    result = forms.ChoiceField(label=_("Result"), choices=CheckResult.choices)
    body = forms.CharField(
        label=pgettext_lazy("tool", "Done by"), max_length=80, help_text=_("The institute, company or person")
    )
    certificate_number = demanded(
        forms.CharField(
            label=_("Certificate number"),
            max_length=40,
            required=False,
            help_text=_("Needed for measuring instruments."),
        )
    )
    valid_until = forms.DateField(
        label=_("Valid until"), required=False, widget=_DAY, help_text=_("Empty: the whole interval.")
    )
    certificate = forms.FileField(
        label=_("Certificate (PDF or picture)"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "application/pdf,image/*"}),
    )
    note = demanded(
        forms.CharField(
            label=pgettext_lazy("tool", "What was found"),
            required=False,
            help_text=_("Needed where it isn't fit for use."),
            **_NOTE,
        )
    )

    def given(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        file = data.pop("certificate")
        return data | {"certificate": file.read() if file else None}


class StartForm(forms.Form):
    """Beginning a stock-take asks nothing."""


class SeeForm(forms.Form):
    number = forms.CharField(label=_("Number on the label"), max_length=200)


class CloseCountForm(forms.Form):
    note = demanded(
        forms.CharField(
            label=_("What was done to find what is missing"),
            required=False,
            help_text=_("Needed where something is missing."),
            **_NOTE,
        )
    )
