"""Input shapes of a technician's call (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel.forms import set_choices
from staff.models import Employee


class PassForm(forms.Form):
    """To whom a call goes on; nobody by name means everybody else who was called."""

    to = forms.TypedChoiceField(label=_("Passed on to"), required=False, coerce=UUID, empty_value=None)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, people: list[tuple[Employee, bool, bool]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = [("", gettext("the others who were called"))]
        for person, there, can_not in people:
            word = gettext("has said that they can't come") if can_not else "" if there else gettext("off duty today")
            rows.append((str(person.uid), f"{person.name} · {word}" if word else person.name))
        set_choices(self, "to", rows)
