"""Input shapes of the opening checklists: going through one, putting a point right, writing one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from staff.models import Shift

from ..models import CheckArea, Checklist, ChecklistItem, OpeningAnswer

FOUND = (("IN_ORDER", _("In order")), ("WRONG", _("Not in order")))
SPARE_ROWS = 4


@dataclass(frozen=True, slots=True)
class CheckRow:
    item: ChecklistItem
    drawn: bool
    found: Any
    remark: Any
    photo: Any


class CheckForm(forms.Form):
    """Every item with what was found, then what was left open before, then a word for the next shift."""

    note = forms.CharField(
        label=_("For the next shift"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self, *args: Any, items: list[ChecklistItem], drawn: ChecklistItem, points: list[OpeningAnswer], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.items, self.drawn, self.points = items, drawn, points
        for item in items:
            self.fields[f"found_{item.uid}"] = forms.ChoiceField(
                label=item.text, choices=FOUND, widget=forms.RadioSelect
            )
            self.fields[f"remark_{item.uid}"] = forms.CharField(
                label=_("What isn't in order"), max_length=120, required=False
            )
            self.fields[f"photo_{item.uid}"] = forms.FileField(label=_("Photo"), required=False)
        for point in points:
            self.fields[f"how_{point.uid}"] = forms.CharField(
                label=_("How it was put right"),
                max_length=120,
                required=False,
                help_text=_("Empty: it stays open."),
            )

    @property
    def rows(self) -> Iterator[CheckRow]:
        for item in self.items:
            of = [self[f"{name}_{item.uid}"] for name in ("found", "remark", "photo")]
            yield CheckRow(item, item == self.drawn, *of)

    @property
    def carried(self) -> Iterator[tuple[OpeningAnswer, Any]]:
        for point in self.points:
            yield point, self[f"how_{point.uid}"]

    def answers(self) -> list[dict[str, Any]]:
        """As the command takes them."""
        data = self.cleaned_data
        return [
            {
                "item_uid": item.uid,
                "in_order": data[f"found_{item.uid}"] == "IN_ORDER",
                "remark": data[f"remark_{item.uid}"],
                "photo": photo.read() if (photo := data[f"photo_{item.uid}"]) else None,
            }
            for item in self.items
        ]

    def righted(self) -> dict[UUID, str]:
        told = {point.uid: self.cleaned_data[f"how_{point.uid}"] for point in self.points}
        return {uid: how for uid, how in told.items() if how}


class RightForm(forms.Form):
    how = forms.CharField(label=_("How it was put right"), max_length=120)


class ChecklistForm(forms.Form):
    """A checklist with its rows; an empty row counts for nothing, an emptied one ends."""

    area = forms.ChoiceField(label=_("Area"), choices=CheckArea.choices)
    shift = forms.ChoiceField(label=_("Shift"))
    due_minutes = forms.IntegerField(
        label=_("Due so many minutes after the shift begins"), min_value=0, max_value=240, initial=15
    )
    rows = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=40)

    def __init__(
        self,
        *args: Any,
        shifts: list[Shift],
        checklist: Checklist | None = None,
        items: list[tuple[str, str, bool]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        shift = self.fields["shift"]
        assert isinstance(shift, forms.ChoiceField)
        shift.choices = [(row.code, f"{row.name} {row.starts:%H:%M}") for row in shifts]
        if checklist is not None:
            del self.fields["area"], self.fields["shift"]
            self.fields["due_minutes"].initial = checklist.due_minutes
        sent = str(self.data.get("rows", "")) if self.is_bound else ""
        self.count = min(int(sent), 40) if sent.isdecimal() and len(sent) < 3 else len(items) + SPARE_ROWS
        self.fields["rows"].initial = self.count
        for number in range(self.count):
            uid, text, photo = items[number] if number < len(items) else ("", "", False)
            self.fields[f"uid_{number}"] = forms.UUIDField(
                required=False, widget=forms.HiddenInput, initial=uid or None
            )
            self.fields[f"text_{number}"] = forms.CharField(
                label=_("What is looked at"),
                max_length=80,
                required=False,
                initial=text,
                widget=forms.TextInput(attrs={"aria-label": _("What is looked at"), "autocomplete": "off"}),
            )
            self.fields[f"photo_{number}"] = forms.BooleanField(
                label=_("Photo if not in order"), required=False, initial=photo
            )

    @property
    def lines(self) -> Iterator[tuple[Any, Any, Any]]:
        for number in range(self.count):
            yield self[f"uid_{number}"], self[f"text_{number}"], self[f"photo_{number}"]

    def given(self) -> list[dict[str, Any]]:
        data = self.cleaned_data
        return [
            {"uid": data[f"uid_{n}"], "text": data[f"text_{n}"], "photo_if_wrong": data[f"photo_{n}"]}
            for n in range(self.count)
        ]
