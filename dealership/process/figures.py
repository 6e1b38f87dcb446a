"""The registry of figures (6.1): each chapter declares its own with formula, population and SQL for a store-day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dealership.kernel import registry

from .clauses import CLAUSES

TOUCH_HANDLER = "process.touch_day"


@dataclass(frozen=True, slots=True)
class Figure:
    """``sql`` selects (dimension, numerator, denominator) for one store and day.

    It gets ``%(store_id)s``, ``%(day_start)s`` and ``%(day_end)s`` (the store's day, aware); dimension '' is the whole
    store, else the uid of an advisor or technician. The value is numerator ÷ denominator × ``scale``. Where the count
    depends on the hour, ``%(now)s`` is the moment of the count.

    An event touches its own day. Where it changes the count of another day, ``days`` selects these days (dates at the
    store) from the event's ``%(root_uid)s``. Where time alone changes a count, ``run_out`` selects (store, moment within
    the day) of what has run out by ``%(now)s`` since the day was counted.

    ``rows`` selects what stands behind it for one store and any span of days, one row for each thing that was counted:
    (kind, uid, plate, plate colour, moment, dimension, person's name, numerator, denominator). It gets the same values
    and ``%(zone)s``; its sums are the figure. ``kind`` is visit, order, appointment,
    consultation, complaint, tool (its number in the plate's place), attendance (the shift's name there) or opening (a
    checklist).
    """

    code: str
    label: Any
    clause: str
    unit: Any
    formula: Any
    population: Any
    sql: str
    scale: int = 1
    decimals: int = 1
    higher_is_better: bool | None = True
    target: Decimal | None = None
    sums: bool = False
    days: str = ""
    run_out: str = ""
    rows: str = ""


FIGURES: dict[str, Figure] = {}
OTHER_DAYS: dict[str, list[str]] = {}
"""Event → what selects the other days on which it changes a count."""


def figure(
    code: str,
    *,
    label: Any,
    clause: str,
    unit: Any,
    formula: Any,
    population: Any,
    sql: str,
    touched_by: Iterable[str],
    scale: int = 1,
    decimals: int = 1,
    higher_is_better: bool | None = True,
    target: str | None = None,
    sums: bool = False,
    days: str = "",
    run_out: str = "",
    rows: str = "",
) -> str:
    """Declares a figure; ``touched_by`` are the events after which its day is computed again (see ``Figure.days``).

    ``sums`` marks an amount that adds up over days (cars, money) instead of a ratio. ``rows`` leads to what was counted.
    """
    if code in FIGURES:
        raise ValueError(f"Figure {code} is declared twice.")
    if clause not in CLAUSES:
        raise ValueError(f"Figure {code} names no clause of the manual.")
    FIGURES[code] = Figure(
        code,
        label,
        clause,
        unit,
        formula,
        population,
        sql,
        scale,
        decimals,
        higher_is_better,
        Decimal(target) if target is not None else None,
        sums,
        days,
        run_out,
        rows,
    )
    for event in touched_by:
        handlers = registry.SUBSCRIPTIONS.setdefault(event, [])
        if TOUCH_HANDLER not in handlers:
            handlers.append(TOUCH_HANDLER)
        if days and days not in OTHER_DAYS.setdefault(event, []):
            OTHER_DAYS[event].append(days)
    return code
