"""Input shapes of the workshop floor: plan, my jobs, inspections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation
from dealership.kernel.forms import demanded, set_choices, set_queryset
from staff.models import Employee
from workshop.models import FailureCause, HoldCause, OrderLine, PauseCause, ScreenKind
from workshop.services.findings import Need


class LocalMoment(forms.DateTimeField):
    """A day and hour typed at the store; comes out aware."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 300}, format="%Y-%m-%dT%H:%M")
    input_formats = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S")


class PauseForm(forms.Form):
    pause_cause = forms.ChoiceField(
        label=_("Why it pauses"),
        choices=[choice for choice in PauseCause.choices if choice[0]],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class FinishForm(forms.Form):
    """What was found and done; maintenance asks neither."""

    cause = forms.CharField(
        label=_("What was found"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    correction = forms.CharField(
        label=_("What was done"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class Photos(forms.FileField):
    """Several pictures at once."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(Photos, self).clean(one, initial) for one in files]


class MoreWorkForm(forms.Form):
    operation = forms.ModelChoiceField(
        label=_("Operation"),
        queryset=Operation.objects.none(),
        to_field_name="uid",
        required=False,
        empty_label=_("— in my own words —"),
    )
    description = forms.CharField(
        label=_("Work, in your own words"), max_length=120, required=False, help_text=_("Where the list has nothing.")
    )
    cause = forms.CharField(
        label=_("What was found (the customer reads it)"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    photos = Photos(required=False)
    although_there = demanded(
        forms.BooleanField(label=_("It comes on top of the line that stands there"), required=False)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "operation", Operation.objects.filter(active=True).order_by("code"))


class JobPhotosForm(forms.Form):
    photos = demanded(Photos(label=_("Pictures"), required=False))


class NeedForm(forms.Form):
    need = forms.ChoiceField(label=_("What is needed"), choices=Need.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("What exactly"),
        max_length=200,
        required=False,
        help_text=_("A part: which one and how many. A tool: which one. Help: what for."),
    )


class HoldForm(forms.Form):
    """Why a line waits; where its car may drive on until a part comes, that follows at once (two trips)."""

    cause = forms.ChoiceField(label=_("What the line waits for"), choices=HoldCause.choices, widget=forms.RadioSelect)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)
    drives_on = forms.BooleanField(
        label=_("The car drives on until the part comes"),
        help_text=_("For a part that is missing: next you say when it is expected and that the car is safe to drive."),
        required=False,
    )

    def __init__(self, *args: Any, may_leave: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_leave:
            del self.fields["drives_on"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("drives_on") and data.get("cause") not in (None, HoldCause.PARTS):
            self.add_error("drives_on", _("A car drives on only while a part is missing; choose parts or untick this."))
        return data


class CorrectionForm(forms.Form):
    started_at = LocalMoment(label=_("Started at"))
    ended_at = LocalMoment(label=_("Stopped at"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=200)
    past_finish = forms.BooleanField(
        label=_("Work after the line's finish is meant"),
        required=False,
        help_text=_("Needed where the clock would stop later than that."),
    )


class PlanForm(forms.Form):
    """Bay, technician and time of one line; a second person shares the work, for high voltage there has to be one."""

    technician = forms.ChoiceField(label=_("Technician"))
    second = forms.ChoiceField(label=_("Second person"), required=False)
    share = forms.IntegerField(
        label=_("The technician's share (%)"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_("Of the standard hours, where several do the line; the others have the rest. Empty: equal parts."),
    )
    bay = forms.ChoiceField(label=_("Bay"))
    starts_at = LocalMoment(label=_("From"))
    ends_at = LocalMoment(label=_("Until (empty: the line's hours)"), required=False)
    replaces = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, people: list[tuple[str, str]], bays: list[tuple[str, str]], two: bool, **kwargs: Any
    ):
        super().__init__(*args, **kwargs)
        set_choices(self, "technician", people)
        set_choices(self, "bay", bays)
        set_choices(self, "second", [("", "—"), *people])
        if two:
            self.fields["second"].label = _("Second person (high voltage)")


class SharesForm(forms.Form):
    """How much of a line's hours is whose, and why it is said so."""

    reason = forms.CharField(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, people: list[tuple[UUID, str, int]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        reason = self.fields.pop("reason")
        for uid, name, share in people:
            self.fields[f"share-{uid}"] = forms.IntegerField(
                label=f"{name} (%)", min_value=0, max_value=100, initial=share
            )
        self.fields["reason"] = reason

    @property
    def shares(self) -> dict[UUID, int]:
        return {uid: self.cleaned_data[f"share-{uid}"] for uid, _name, _share in self.people}


class WholeKm(forms.TextInput):
    """Whole kilometres, typed on the number pad of a phone."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "numeric", "autocomplete": "off"})


class ScreenForm(forms.Form):
    name = forms.CharField(label=_("Where the screen hangs"), max_length=40)
    kind = forms.ChoiceField(
        label=_("What it is for"), choices=ScreenKind.choices, initial=ScreenKind.PLAN, required=False
    )


class BlockForm(forms.Form):
    """A bay out of use for a time."""

    starts_at = LocalMoment(label=_("Out of use from"))
    ends_at = LocalMoment(label=_("Out of use until"))
    reason = forms.CharField(label=_("Why it is out of use"), max_length=120)
    make_room = forms.BooleanField(
        label=_("Make room"),
        required=False,
        help_text=_("Work planned there is to be given out again; bookings move to another bay that serves."),
    )


class InspectionForm(forms.Form):
    """The result; the road test in two readings, or the distance alone."""

    result = forms.ChoiceField(label=_("Result"), choices=(("PASSED", _("Passed")), ("FAILED", _("Failed"))))
    cause = forms.ChoiceField(
        label=_("Cause of the failure"),
        choices=[("", "—"), *FailureCause.choices],
        required=False,
        help_text=_("Needed where it failed."),
    )
    reason = forms.CharField(
        label=_("What failed and why"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed where it failed."),
    )
    sheet_reason = forms.CharField(
        label=_("Why the check sheet stays open"),
        max_length=200,
        required=False,
        help_text=_("Needed where it isn't filled in and signed."),
    )
    failed_line = forms.TypedChoiceField(label=_("Line that goes back"), required=False, coerce=UUID, empty_value=None)
    road_test_driver = forms.TypedChoiceField(label=_("Driven by"), required=False, coerce=UUID, empty_value=None)
    road_test_from_km = forms.IntegerField(
        label=_("Mileage before (km)"), required=False, min_value=0, max_value=2_000_000, widget=WholeKm
    )
    road_test_to_km = forms.IntegerField(
        label=_("Mileage after (km)"), required=False, min_value=0, max_value=2_000_000, widget=WholeKm
    )
    road_test_km = forms.IntegerField(
        label=_("or driven (km)"), required=False, min_value=0, max_value=500, widget=WholeKm
    )
    road_test_route = forms.CharField(
        label=_("Route"), max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    road_test_findings = forms.CharField(
        label=_("What the road test showed"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    instruments = forms.TypedMultipleChoiceField(
        label=_("Measuring instruments used"),
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only those in date stand here; one that has run out is tested first (3.4)."),
    )

    def __init__(
        self,
        *args: Any,
        lines: list[OrderLine],
        drivers: list[Employee],
        instruments: Iterable[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "instruments", instruments)
        set_choices(self, "road_test_driver", [(str(person.uid), person.name) for person in drivers])
        choices = [(str(line.uid), line.description) for line in lines]
        set_choices(self, "failed_line", [("", "—"), *choices] if len(choices) > 1 else choices)

    @property
    def road_test(self) -> dict[str, Any]:
        """The drive as the command takes it: empty where neither a reading after nor a distance was written."""
        data = self.cleaned_data
        if data["road_test_to_km"] is None and not data["road_test_km"]:
            return {}
        alone = data["road_test_to_km"] is None
        return {
            "road_test_driver_uid": data["road_test_driver"],
            "road_test_from_km": None if alone else data["road_test_from_km"],
            "road_test_to_km": data["road_test_to_km"],
            "road_test_km": data["road_test_km"] or None,
            "road_test_route": data["road_test_route"],
            "road_test_findings": data["road_test_findings"],
        }


class RangeForm(forms.Form):
    prefix = forms.CharField(label=_("Prefix"), max_length=12)  # type: ignore[assignment]  # a field, not Form.prefix
    first = forms.IntegerField(label=_("First number"), min_value=1)
    last = forms.IntegerField(label=_("Last number"), min_value=1)


class SpoiledNumberForm(forms.Form):
    """A number of an allotted range that is voided without having been given out."""

    range_uid = forms.TypedChoiceField(label=_("Range"), coerce=UUID, empty_value=None)
    serial = forms.IntegerField(label=_("Number on the form, without its prefix"), min_value=1, max_value=2_147_483_646)
    reason = forms.CharField(label=_("Why it is voided"), max_length=200)

    def __init__(self, *args: Any, ranges: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self, "range_uid", ranges)
