"""The dated settings as the page shows them: value in force, where it comes from, earlier and later rows (7.1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import RepairCategory
from dealership.kernel import clock, limits, registry
from dealership.kernel.actors import Actor
from dealership.kernel.models import Setting
from dealership.process.selectors.timeline import Line, timeline_of_roots
from quality.models import ComplaintLevel
from reception.models import ConsultationChannel

UNITS = {
    "s": _("seconds"),
    "min": _("minutes"),
    "h": _("clock hours"),
    "d": _("days"),
    "wd": _("working days"),
    "y": _("years"),
    "m": _("months"),
    "km": _("km"),
    "CNY": _("CNY"),
    "%": "%",
}
SOURCES = {
    "MAN": _("The manual"),
    "L": _("The law"),
    "W": _("The law"),
    "domain": _("Custom of the trade"),
    "P": _("Custom of the trade"),
}
"""Whose number it is, by the first word of its source (its letters alone); else it is our proposal."""
CODES: dict[str, Any] = {
    **dict(ConsultationChannel.choices),
    **dict(RepairCategory.choices),
    **dict(ComplaintLevel.choices),
    "days": _("days"),
    "km": _("km"),
}
"""The codes that stand in lists and tables of numbers, as people say them."""
CHAPTERS = {
    "1": _("Process"),
    "2": _("Reception"),
    "3": _("Workshop"),
    "4": _("Delivery"),
    "5": _("Staff"),
    "6": _("Quality"),
    "7": _("Systems"),
    "8": _("Safety and law"),
}


def say_value(value: Any) -> str:
    """A value as people read it: yes or no, a list with commas, a number as it is."""
    if isinstance(value, bool):
        return _now("yes") if value else _now("no")
    if isinstance(value, list | tuple):
        return ", ".join(say_value(v) for v in value)
    if isinstance(value, dict):
        return " · ".join(say_part(key, v) for key, v in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    return str(CODES.get(value, value))


def say_part(key: str, value: Any) -> str:
    """One row of a table of numbers: what it is about and its number, or its numbers with their units."""
    if isinstance(value, dict):
        return f"{CODES.get(key, key)} " + " / ".join(f"{say_value(v)} {CODES.get(k, k)}" for k, v in value.items())
    return f"{CODES.get(key, key)} {say_value(value)}"


@dataclass(frozen=True, slots=True)
class Shown:
    """One declared number with what holds today; ``own`` where the store has its own, ``changed`` where not the default."""

    declared: registry.Limit
    value: Any
    since: Setting | None
    later: Setting | None
    changed: bool

    @property
    def said(self) -> str:
        return say_value(self.value)

    @property
    def lines(self) -> list[str]:
        """The value line by line: a table of numbers has one line for each of its rows."""
        if isinstance(self.value, dict):
            return [say_part(key, part) for key, part in self.value.items()]
        return [self.said]

    @property
    def long(self) -> bool:
        return isinstance(self.value, dict | list | tuple) or len(self.said) > 24

    @property
    def typed(self) -> str:
        """The value as the form takes it."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return (
            str(self.value) if isinstance(self.value, int | float | str) else json.dumps(self.value, ensure_ascii=False)
        )

    @property
    def default(self) -> str:
        return say_value(self.declared.default)

    @property
    def least(self) -> str:
        """What the law gives at the least; no value below it is taken. "" where no law speaks."""
        return "" if self.declared.least is None else say_value(self.declared.least)

    @property
    def unit(self) -> Any:
        return UNITS.get(self.declared.unit, self.declared.unit)

    @property
    def source(self) -> Any:
        letters = re.match(r"[A-Za-z]*", self.declared.source)
        return SOURCES.get(letters.group() if letters else "", _("Our proposal"))

    @property
    def chapter(self) -> str:
        return self.declared.clause.split(".")[0]

    @property
    def own(self) -> bool:
        return self.since is not None and self.since.store_id is not None


def _rows(by: Actor) -> dict[str, list[Setting]]:
    """Rows of the group and of the actor's stores by key, newest first."""
    rows: dict[str, list[Setting]] = {}
    for row in Setting.objects.select_related("store").order_by("-starts_on", "store_id"):
        if row.store_id is None or by.in_store(row.store_id):
            rows.setdefault(row.key, []).append(row)
    return rows


def _shown(declared: registry.Limit, rows: list[Setting], by: Actor) -> Shown:
    today = clock.today()
    value = limits.value(declared.key, store_id=by.store_id)
    holding = [r for r in rows if r.starts_on <= today and (r.ends_on is None or r.ends_on >= today)]
    since = next((r for r in holding if r.store_id is not None), holding[0] if holding else None)
    later = next((r for r in reversed(rows) if r.starts_on > today), None)
    return Shown(declared, value, since, later, value != declared.default)


def settings_list(by: Actor, *, chapter: str = "", words: str = "") -> list[Shown]:
    """All declared numbers by clause, of one chapter or matching ``words`` where given."""
    limits.read_all()
    rows = _rows(by)
    shown = [_shown(declared, rows.get(key, []), by) for key, declared in registry.LIMITS.items()]
    sought = words.strip().lower()
    return sorted(
        (
            s
            for s in shown
            if (not chapter or s.chapter == chapter)
            and (not sought or sought in s.declared.key.lower() or sought in str(s.declared.label).lower())
        ),
        key=lambda s: ([int(n) for n in s.declared.clause.split(".") if n.isdigit()], s.declared.key),
    )


@dataclass(frozen=True, slots=True)
class OneSetting:
    shown: Shown
    rows: list[tuple[Setting, str, str]]
    history: list[Line]


def one_setting(by: Actor, key: str) -> OneSetting:
    """One number with its dated rows (row, value as read, ``past | now | later``); Http404 for an undeclared key."""
    declared = registry.LIMITS.get(key)
    if declared is None:
        raise Http404(key)
    limits.forget()
    rows, today = _rows(by).get(key, []), clock.today()
    states = [
        (
            row,
            say_value(row.value),
            "later" if row.starts_on > today else "now" if row.ends_on is None or row.ends_on >= today else "past",
        )
        for row in rows
    ]
    return OneSetting(_shown(declared, rows, by), states, timeline_of_roots(by, [row.uid for row in rows]))
