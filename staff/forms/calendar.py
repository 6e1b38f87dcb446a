"""What the page of the working calendar asks for."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from dealership.kernel.models import PublicDayKind
from dealership.kernel.stores import DayHours
from staff.forms.employees import day_field

_HOUR = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PublicDayForm(forms.Form):
    day = day_field(_("Day"))
    kind = forms.ChoiceField(label=_("Kind"), choices=PublicDayKind.choices)
    name = forms.CharField(label=_("Holiday"), max_length=40)


class StoreDayForm(forms.Form):
    day = day_field(_("Day"))
    name = forms.CharField(label=_("Why"), max_length=60)
    opens = forms.TimeField(label=_("Opens"), required=False, widget=_HOUR, help_text=_("Empty: closed all day."))
    closes = forms.TimeField(label=_("Closes"), required=False, widget=_HOUR)


HOURS = ("opens", "closes", "break_from", "break_to")


class WeekForm(forms.Form):
    """Four times for each weekday; a day with neither opening nor closing time is closed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {
            "opens": _("Opens"),
            "closes": _("Closes"),
            "break_from": _("Break from"),
            "break_to": _("Break until"),
        }
        for weekday, name in WEEKDAYS.items():
            for part in HOURS:
                label = _("%(day)s: %(what)s") % {"day": name, "what": words[part]}
                self.fields[f"{part}_{weekday}"] = forms.TimeField(
                    label=label,
                    required=False,
                    widget=forms.TimeInput(
                        attrs={"type": "time", "class": "form-control", "aria-label": label}, format="%H:%M"
                    ),
                )

    def days(self) -> list[dict[str, Any]]:
        """The rows of the table: name of the day and its four fields with their errors."""
        rows = []
        for weekday, name in WEEKDAYS.items():
            cells = [self[f"{part}_{weekday}"] for part in HOURS]
            errors = [error for cell in cells for error in cell.errors]
            rows.append({"name": name, "cells": cells, "errors": errors})
        return rows

    def clean(self) -> dict[str, Any]:
        """Half-filled days are refused here; the order of the hours is the command's."""
        data = super().clean() or {}
        for weekday in WEEKDAYS:
            given = [data.get(f"{part}_{weekday}") for part in HOURS]
            if any(given) and not all(given[:2]) and not self._failed(weekday):
                self.add_error(f"opens_{weekday}", _("Give opening and closing time, or leave the whole day empty."))
        return data

    def _failed(self, weekday: int) -> bool:
        return any(f"{part}_{weekday}" in self.errors for part in HOURS)

    def week(self) -> dict[int, DayHours | None]:
        def of(weekday: int) -> DayHours | None:
            opens, closes, start, end = (self.cleaned_data[f"{part}_{weekday}"] for part in HOURS)
            return DayHours(opens, closes, start, end) if opens and closes else None

        return {weekday: of(weekday) for weekday in WEEKDAYS}

    @staticmethod
    def initial_of(week: dict[int, DayHours | None]) -> dict[str, time | None]:
        return {f"{part}_{weekday}": getattr(hours, part) for weekday, hours in week.items() if hours for part in HOURS}
