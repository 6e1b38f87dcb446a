"""The book of a car across its owners: what was done to it, and nothing about the people who brought it (3.3).

A stay holds the fields below and no others: no name, telephone, plate, words, message or photo of anybody has a place here.
Work that was written by hand and not from the catalogue is called by its kind of repair in a stay of another owner, as
such words may speak of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from dealership.kernel.papers import render_paper
from dealership.kernel.saying import say_plate
from reception.models import Vehicle

PAPER = Path(__file__).parent / "papers" / "repair_file.typ"


@dataclass(frozen=True, slots=True)
class FittedPart:
    """What stayed in the car."""

    name: str
    number: str
    kind: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class DoneWork:
    """One job that passed its inspection, by the catalogue's name or, typed by hand, by its kind of repair."""

    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Stay:
    """One settled order. ``order_uid`` is only for colleagues who may open it; it stands on no paper."""

    day: date
    store: str
    km_in: int | None
    km_out: int | None
    works: Sequence[DoneWork]
    parts: Sequence[FittedPart]
    guarantee_days: int
    guarantee_km: int
    certified: bool
    order_uid: UUID | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """A car and its stays, the newest first; ``whole`` is whether those of former owners are among them."""

    vehicle: Vehicle
    stays: Sequence[Stay]
    whole: bool


def book_data(book: Book, *, store: str) -> dict[str, Any]:
    """Facts and one table for each stay, in words of the active language: for a page and for the paper."""
    car = book.vehicle
    facts = [
        [_("Plate"), say_plate(car.plate) or "—"],
        ["VIN", car.vin or "—"],
        [_("Model"), car.model_text],
        [_("Vehicle type"), str(car.get_powertrain_display())],
        [_("First registration"), car.registered_on.isoformat() if car.registered_on else "—"],
        [_("Last mileage (km)"), f"{car.odometer_km:,}" if car.odometer_at else "—"],
        [_("Repairs"), str(len(book.stays))],
    ]
    return {
        "title": _("Vehicle book"),
        "number": car.vin or say_plate(car.plate),
        "store": store,
        "page": _("Page {n} of {all}"),
        "facts": facts,
        "sections": [_section(stay) for stay in book.stays],
        "hash": _("What was done to the car, whoever owned it; nothing about people stands here."),
    }


def shown_book(book: Book, *, store: str) -> dict[str, Any]:
    """The same for a page: each cell with the head of its column and whether it is a figure."""
    data = book_data(book, store=store)
    sections = []
    for section, stay in zip(data["sections"], book.stays, strict=True):
        columns = [(head, at in section["figures"]) for at, head in enumerate(section["heads"])]
        rows = [
            [(head, cell, is_figure) for (head, is_figure), cell in zip(columns, row, strict=True)]
            for row in section["rows"]
        ]
        sections.append({"title": section["title"], "columns": columns, "rows": rows, "order_uid": stay.order_uid})
    return data | {"sections": sections}


def book_pdf(book: Book, *, store: str) -> bytes:
    """The book on A4 in the active language."""
    return render_paper(PAPER, book_data(book, store=store))


def _section(stay: Stay) -> dict[str, Any]:
    title = [stay.day.isoformat(), stay.store]
    if stay.km_in is not None:
        title.append(_("%(km)s km") % {"km": f"{stay.km_in:,}"})
    if stay.guarantee_days:
        given = {"days": stay.guarantee_days, "km": f"{stay.guarantee_km:,}"}
        title.append(_("guarantee %(days)s days / %(km)s km") % given)
    if stay.certified:
        title.append(_("with certificate"))
    rows = [[work.name, work.category, "", ""] for work in stay.works]
    rows += [[part.name, part.kind, part.number, f"{part.quantity.normalize():f}"] for part in stay.parts]
    return {
        "title": " · ".join(title),
        "heads": [_("Work and parts"), _("Kind"), _("Part number"), _("Quantity")],
        "rows": rows,
        "wide": 0,
        "figures": [3],
    }
