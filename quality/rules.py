"""Arithmetic of chapter 6: control limits and run rules (6.2). No Django."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Limits:
    """Centre and three-sigma limits of one point of a p chart, as shares between 0 and 1."""

    centre: float
    lower: float
    upper: float


def p_limits(centre: float, n: float) -> Limits:
    """p̄ ± 3√(p̄(1−p̄)/n), cut at 0 and 1 (domain 1.4). ``n`` is the population of the point."""
    if n <= 0:
        raise ValueError("A point of a control chart has a population.")
    spread = 3 * sqrt(max(0.0, centre * (1 - centre)) / n)
    return Limits(centre, max(0.0, centre - spread), min(1.0, centre + spread))


def out_of_control(shares: list[tuple[float, float]]) -> list[int]:
    """Indices of points outside their limits or ending a run of seven on one side (6.2).

    ``shares`` is (numerator, population) per point, in order; points without population don't count.
    """
    total = sum(n for _, n in shares)
    if not total:
        return []
    centre, found, run, side = sum(x for x, _ in shares) / total, [], 0, 0
    for index, (x, n) in enumerate(shares):
        if n <= 0:
            continue
        share, limits = x / n, p_limits(centre, n)
        here = (share > centre) - (share < centre)
        run = run + 1 if here and here == side else 1 if here else 0
        side = here
        if not limits.lower - 1e-12 <= share <= limits.upper + 1e-12 or run >= 7:
            found.append(index)
    return found
