"""How a line's hours are divided among those who are given it: shares in whole per cent that add up to 100 (3.2, 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WHOLE = 100


def equal_parts(count: int) -> list[int]:
    """100 in ``count`` whole parts as equal as they get, the greater ones first."""
    return [WHOLE // count + (number < WHOLE % count) for number in range(count)]


def in_proportion(weights: Sequence[int], whole: int = WHOLE) -> list[int]:
    """``whole`` in whole parts after ``weights``; equal parts of it where they are all 0."""
    total = sum(weights)
    if not total:
        return [whole // len(weights) + (number < whole % len(weights)) for number in range(len(weights))]
    parts = [whole * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda number: (-(whole * weights[number] % total), number))
    for number in order[: whole - sum(parts)]:
        parts[number] += 1
    return parts


@dataclass(frozen=True, slots=True)
class Held:
    """The shares of a line by person as they stand; ``by_hand`` where somebody said them, else they are equal parts."""

    shares: Mapping[int, int] = field(default_factory=dict)
    by_hand: bool = False


def divide(people: Sequence[int], before: Held, said: Mapping[int, int]) -> Held | None:
    """The shares of ``people`` where ``said`` are spoken for; the others divide the rest as they did before.

    Without a word the parts are equal, but what somebody said before goes with the work: to the same people, and from
    who is gone to who has come in their place. None where ``said`` can't be: more than 100, or not 100 in all.
    """
    if said:
        left = WHOLE - sum(said.values())
        rest = [person for person in people if person not in said]
        if left < 0 or any(share < 0 for share in said.values()) or (left and not rest):
            return None
        parts = in_proportion([before.shares.get(person, 0) for person in rest], left) if rest else []
        return Held({**dict(zip(rest, parts, strict=True)), **said}, by_hand=True)
    if before.by_hand and len(before.shares) == len(people):
        gone = [share for person, share in before.shares.items() if person not in people]
        return Held({p: before.shares[p] if p in before.shares else gone.pop(0) for p in people}, by_hand=True)
    return Held(dict(zip(people, equal_parts(len(people)), strict=True)))


def without(before: Held, people: Sequence[int]) -> Held:
    """The shares of ``people`` who stay after somebody has left the line."""
    if before.by_hand and any(before.shares.get(person) for person in people):
        parts = in_proportion([before.shares.get(person, 0) for person in people])
        return Held(dict(zip(people, parts, strict=True)), by_hand=True)
    return Held(dict(zip(people, equal_parts(len(people)), strict=True)))
