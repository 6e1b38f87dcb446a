"""The evening count as one form: four controls for each car that is here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ..models import Visit


class EveningForm(forms.Form):
    """One row per open visit; a browser sends an unticked box as nothing, so every box says what it found."""

    remark = forms.CharField(label=_("Remark on the whole count"), max_length=300, required=False)

    def __init__(self, *args: Any, visits: Iterable[Visit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visits = list(visits)
        for visit in self.visits:
            uid, car = visit.uid, str(visit.vehicle)
            self.fields[f"car_{uid}"] = forms.BooleanField(label=_("Car found"), required=False)
            self.fields[f"key_{uid}"] = forms.BooleanField(label=_("Key found"), required=False)
            self.fields[f"place_{uid}"] = forms.CharField(
                label=_("Car stands at"), max_length=20, required=False, initial=visit.parking_place
            )
            self.fields[f"remark_{uid}"] = forms.CharField(label=_("Remark"), max_length=120, required=False)
            for kind in ("car", "key", "place", "remark"):
                field = self.fields[f"{kind}_{uid}"]
                field.widget.attrs["aria-label"] = f"{car}: {field.label}"

    def rows(self) -> Iterator[dict[str, Any]]:
        """What the template shows for each car."""
        for visit in self.visits:
            bound = {kind: self[f"{kind}_{visit.uid}"] for kind in ("car", "key", "place", "remark")}
            labels = {f"{kind}_label": field.field.widget.attrs["aria-label"] for kind, field in bound.items()}
            yield {"visit": visit} | bound | labels

    def lines(self) -> list[dict[str, Any]]:
        """What the command takes."""
        data = self.cleaned_data
        return [
            {
                "visit_uid": visit.uid,
                "car_found": data[f"car_{visit.uid}"],
                "key_found": data[f"key_{visit.uid}"],
                "place": data[f"place_{visit.uid}"],
                "remark": data[f"remark_{visit.uid}"],
            }
            for visit in self.visits
        ]
