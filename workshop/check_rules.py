"""How a measured value judges itself, and how many answers a sheet has (3.1). No Django."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

GREEN, YELLOW, RED = "GREEN", "YELLOW", "RED"
POSSIBLE: dict[str, tuple[Decimal, Decimal | None]] = {
    "%": (Decimal(0), Decimal(100)),
    "MΩ": (Decimal(0), None),
    "V": (Decimal(0), Decimal(1000)),
    "bar": (Decimal(0), Decimal(15)),
    "℃": (Decimal(-80), Decimal(200)),
}
"""By unit: the least and the most that can be measured at all; other units may be anything."""
POSSIBLE_AT_WHEELS = {"mm": (Decimal(0), Decimal(40))}
"""The same for treads and linings; millimetres of something else may lie below zero."""
AT_WHEELS = ("TYRE_MAP", "BRAKE_MAP")
BADNESS = {GREEN: 0, YELLOW: 1, RED: 2}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Under ``red_below`` or over ``red_above`` is bad, under ``yellow_below`` or over ``yellow_above`` worn; a value
    that is just at a bound is still on its good side. None: no bound there."""

    red_below: Decimal | None = None
    yellow_below: Decimal | None = None
    yellow_above: Decimal | None = None
    red_above: Decimal | None = None

    def judge(self, value: Decimal) -> str:
        if _under(value, self.red_below) or _over(value, self.red_above):
            return RED
        if _under(value, self.yellow_below) or _over(value, self.yellow_above):
            return YELLOW
        return GREEN

    def good(self) -> Decimal:
        """A value well on its good side; 1 where nothing bounds it."""
        low = self.yellow_below if self.yellow_below is not None else self.red_below
        high = self.yellow_above if self.yellow_above is not None else self.red_above
        if low is not None and high is not None:
            return round((low + high) / 2, 2)
        if low is not None:
            return low + 1
        return high - 1 if high is not None else Decimal(1)


def possible(unit: str, kind: str = "") -> tuple[Decimal | None, Decimal | None]:
    """The least and the most a value of a unit can be on an item of a kind; None: no limit there."""
    if kind in AT_WHEELS and unit in POSSIBLE_AT_WHEELS:
        return POSSIBLE_AT_WHEELS[unit]
    return POSSIBLE.get(unit, (None, None))


def is_possible(value: Decimal, unit: str, kind: str = "") -> bool:
    least, most = possible(unit, kind)
    return not (_under(value, least) or _over(value, most))


def _under(value: Decimal, bound: Decimal | None) -> bool:
    return bound is not None and value < bound


def _over(value: Decimal, bound: Decimal | None) -> bool:
    return bound is not None and value > bound


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts: one bad tyre makes the tyres bad."""
    return max(verdicts, key=BADNESS.__getitem__)
