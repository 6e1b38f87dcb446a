"""Input shapes of standard phrases and of observations on the floor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import set_queryset
from staff.models import Employee

from ..models import COURTESY_CLAUSES, Courtesy, ScriptLanguage, Situation

POINTS = (("2", _("kept")), ("1", _("partly")), ("0", _("not kept")), ("", _("not seen")))


class ScriptForm(forms.Form):
    situation = forms.ChoiceField(label=_("Situation"), choices=Situation.choices)
    language = forms.ChoiceField(label=_("Language"), choices=ScriptLanguage.choices)
    text = forms.CharField(label=_("Phrase"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    active = forms.BooleanField(label=_("In use"), required=False, initial=True)


class ObservationForm(forms.Form):
    """Who, where, and each point of the standard that could be seen."""

    employee = forms.ModelChoiceField(label=_("Who was watched"), queryset=Employee.objects.none(), to_field_name="uid")
    situation = forms.ChoiceField(label=_("Situation"), choices=Situation.choices)
    remark = forms.CharField(
        label=_("Remark"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    photo = forms.FileField(label=_("Evidence"), required=False)

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "employee", people)
        for item in Courtesy:
            self.fields[f"points_{item}"] = forms.ChoiceField(
                label=item.label, choices=POINTS, required=False, widget=forms.RadioSelect
            )
            self.fields[f"seen_{item}"] = forms.CharField(label=_("What was seen"), max_length=120, required=False)

    @property
    def points(self) -> Iterator[tuple[str, Any, Any]]:
        for item in Courtesy:
            yield COURTESY_CLAUSES.get(item, "2.1.3"), self[f"points_{item}"], self[f"seen_{item}"]

    def given(self) -> dict[str, Any]:
        """As the command takes it."""
        data = self.cleaned_data
        photo = data["photo"]
        return {
            "employee_uid": data["employee"].uid,
            "situation": data["situation"],
            "remark": data["remark"],
            "photo": photo.read() if photo else None,
            "scores": {item.value: int(data[f"points_{item}"]) for item in Courtesy if data[f"points_{item}"]},
            "seen": {item.value: data[f"seen_{item}"] for item in Courtesy},
        }
