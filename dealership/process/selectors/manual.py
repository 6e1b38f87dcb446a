"""The Manual page (手册): every clause with its screens and last week's figures (1.1, 6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import NoReverseMatch, resolve, reverse

from dealership.kernel import clock, registry
from dealership.kernel.actors import Actor

from ..clauses import CHAPTERS, CLAUSES, Clause, screens_of
from .figures import Reading, read_many


@dataclass(frozen=True, slots=True)
class Row:
    """One clause as shown. A screen that the reader's posts don't open has no
    address. ``events`` counts the kinds of event that name it; empty screens are said in words."""

    clause: Clause
    screens: list[tuple[str, Any]]
    figures: list[Reading]
    events: int


@dataclass(frozen=True, slots=True)
class Chapter:
    number: int
    title: Any
    rows: list[Row]


def last_week(today: date | None = None) -> tuple[date, date]:
    """Monday to Sunday of the week before."""
    day = today or clock.today()
    monday = day - timedelta(days=day.weekday() + 7)
    return monday, monday + timedelta(days=6)


def manual(by: Actor) -> list[Chapter]:
    """All clauses in order, with the readings of last week."""
    readings = read_many(by, *last_week())
    chapters = []
    for number, title in CHAPTERS.items():
        rows = [
            Row(
                clause,
                [(_if_may(by, url), label) for name, label in screens_of(clause.number) if (url := _address(name))],
                [reading for reading in readings.values() if reading.figure.clause == clause.number],
                sum(1 for kind in registry.EVENTS.values() if kind.clause == clause.number),
            )
            for clause in CLAUSES.values()
            if clause.chapter == number
        ]
        chapters.append(Chapter(number, title, rows))
    return chapters


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _if_may(by: Actor, url: str) -> str:
    """The address where the reader may open its page, else ''."""
    needed = getattr(getattr(resolve(url).func, "view_class", None), "permission", "")
    names = (needed,) if isinstance(needed, str) else needed
    return url if not any(names) or any(by.may(name) for name in names) else ""
