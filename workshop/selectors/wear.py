"""How long the maker answers for a wear part of a car, by the list that held on its day of sale (domain 3.6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dealership.catalogue.models import VehicleModel
from reception.models import Vehicle
from workshop import statutory_warranty as law
from workshop.wear_models import WearPart, WearTerm


@dataclass(frozen=True, slots=True)
class WearCover:
    """A kind of wear part with the last day and kilometre of its period; ``running`` while neither is passed."""

    kind: str
    until: date
    km: int
    running: bool

    @property
    def name(self) -> str:
        return str(dict(WearPart.choices)[WearPart(self.kind)])


def terms() -> list[WearTerm]:
    """The whole list: by kind, the make's own entries after the general ones, the latest first."""
    return list(WearTerm.objects.select_related("entered_by").order_by("kind", "make", "-starts_on"))


def _holding(rows: Iterable[WearTerm], start: date, make: str) -> dict[str, WearTerm]:
    found: dict[str, WearTerm] = {}
    for row in sorted(rows, key=lambda row: (bool(row.make), row.starts_on)):
        if row.make in ("", make) and row.starts_on <= start:
            found[row.kind] = row  # the make's own and the latest stand last
    return found


def covers(start: date, make: str, day: date, km: int | None) -> list[WearCover]:
    """For a car sold on ``start``, every listed kind as it stands on ``day`` with ``km``; one query."""
    held = _holding(WearTerm.objects.all(), start, make)
    found = []
    for kind in WearPart.values:
        if (term := held.get(kind)) is not None:
            until = law.last_day(start, months=term.months)
            found.append(WearCover(kind, until, term.km, law.in_wear_period(start, day, km, term.months, term.km)))
    return found


def make_of(vehicle: Vehicle) -> str:
    return vehicle.model.make if vehicle.model is not None else ""


def makes() -> list[str]:
    """The makes of the catalogue."""
    return list(VehicleModel.objects.order_by("make").values_list("make", flat=True).distinct())
