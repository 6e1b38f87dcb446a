"""Arithmetic of places that take several cars at once (2.4): when one is full, how full it gets, who stands where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MOST_CARS = 9
"""How many cars one bay takes at once at most."""


def crowded(spans: Iterable[tuple[Any, Any]], room: int) -> list[tuple[Any, Any]]:
    """The times at which ``room`` or more of the spans run at once, in order and apart from one another.

    A span reaches from its beginning up to, not including, its end.
    """
    found: list[tuple[Any, Any]] = []
    running, since = 0, None
    for at, step in sorted(step for begin, end in spans if begin < end for step in ((begin, 1), (end, -1))):
        running += step
        if running == room and step > 0:
            since = at
        elif running == room - 1 and step < 0:
            if found and found[-1][1] == since:
                found[-1] = (found[-1][0], at)
            elif since != at:
                found.append((since, at))
    return found


def most_at_once(spans: Iterable[tuple[Any, Any]]) -> int:
    """How many of the spans run at the same moment at most."""
    running = most = 0
    for _at, step in sorted(step for begin, end in spans if begin < end for step in ((begin, 1), (end, -1))):
        running += step
        most = max(most, running)
    return most


def lanes_of(spans: Sequence[tuple[Any, Any]], room: int) -> list[int]:
    """The lane of each span, 0 first: the first that is free, and where none is (what really happens) the one that is
    free soonest."""
    ends: list[Any] = [None] * room
    lanes = [0] * len(spans)
    for n in sorted(range(len(spans)), key=lambda n: spans[n]):
        begin, end = spans[n]
        free = next((lane for lane, until in enumerate(ends) if until is None or until <= begin), None)
        lane = free if free is not None else min(range(room), key=lambda lane: ends[lane])
        ends[lane] = end if ends[lane] is None else max(ends[lane], end)
        lanes[n] = lane
    return lanes


POURED = ("升", "L", "千克", "kg", "毫升", "ml", "克", "g", "米", "m")
"""Units of what is poured in, weighed or cut off: nothing that could be handed back comes off a car for it."""
