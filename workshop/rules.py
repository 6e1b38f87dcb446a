"""Arithmetic of the repair order (3.2, domain 3.3). Hours have two places, amounts are CNY with VAT in whole fen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any
from uuid import UUID

import orjson

from dealership.kernel.money import ZERO, line_amount, round_money

# --- orders: lines, totals, estimates ---


def labor_amount(hours: Decimal, rate: Decimal, discount: Decimal = ZERO) -> Decimal:
    """Hours × rate − discount. ValueError for negative numbers and for a discount above the labour."""
    if min(hours, rate, discount) < 0:
        raise ValueError("Hours, rate and discount are not negative.")
    gross = line_amount(hours, rate)
    if discount > gross:
        raise ValueError("A discount isn't larger than the labour it is given on.")
    return round_money(gross - discount)


def line_total(labor: Decimal, parts: Iterable[Decimal], fee: Decimal = ZERO) -> Decimal:
    """What one line costs: labour after discount, its parts and the other fee named on it."""
    return round_money(sum(parts, labor + fee))


def total_of(amounts: Iterable[Decimal]) -> Decimal:
    """A sum of whole fen; of nothing it is 0.00."""
    return round_money(sum(amounts, ZERO))


def discount_percent(discount: Decimal, gross: Decimal) -> Decimal:
    """The discount in per cent of the labour or part it is given on; 100 where that costs nothing."""
    return Decimal(100) if gross <= 0 else discount * 100 / gross


def same_discount(discount: Decimal, before: Decimal, after: Decimal) -> Decimal:
    """A discount when the price it is given on changes from ``before`` to ``after``: never more, in yuan or in per cent."""
    if discount <= 0 or before <= 0 or after >= before:
        return discount if after > 0 else ZERO
    return (discount * after / before).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)


def part_amount(quantity: Decimal, unit_price: Decimal, discount: Decimal = ZERO) -> Decimal:
    """Quantity × price − discount of a part. ValueError for a discount below nothing or above the price."""
    gross = line_amount(quantity, unit_price)
    if not 0 <= discount <= gross:
        raise ValueError("A discount lies between nothing and the price it is given on.")
    return gross - discount


def reassembly_hours(amount: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Hours at ``rate`` that come to ``amount`` (CNY) or just above it, and what is taken off to meet it exactly."""
    if amount <= 0 or rate <= 0:
        return Decimal("0.00"), ZERO
    hours = (amount / rate).quantize(Decimal("0.01"), rounding=ROUND_CEILING)
    return hours, line_amount(hours, rate) - amount


def share_done(agreed_hours: Decimal, worked_minutes: int, discount: Decimal) -> tuple[Decimal, Decimal]:
    """What of a withdrawn line is settled: hours worked, never more than agreed, and its share of the discount."""
    if agreed_hours <= 0 or worked_minutes <= 0:
        return Decimal("0.00"), ZERO
    worked = min(agreed_hours, round_money(Decimal(worked_minutes) / 60))
    return worked, round_money(discount * worked / agreed_hours)


def canonical(content: dict[str, Any]) -> bytes:
    """The one way to write an estimate as bytes: sorted keys, UTF-8, amounts as decimal strings."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical content: what the customer saw is what was sent (3.2)."""
    return hashlib.sha256(canonical(content)).hexdigest()


# --- dispatch, clocking, inspections ---

BAYS_THAT_SERVE: dict[str, frozenset[str]] = {
    "QUICK_LUBE": frozenset({"QUICK_LUBE", "STANDARD_LIFT", "EV_DIAGNOSTIC", "ALIGNMENT_RACK"}),
    "STANDARD_LIFT": frozenset({"STANDARD_LIFT", "EV_DIAGNOSTIC"}),
    "ALIGNMENT_RACK": frozenset({"ALIGNMENT_RACK"}),
    "EV_DIAGNOSTIC": frozenset({"EV_DIAGNOSTIC"}),
    "BODY_AND_FRAME": frozenset({"BODY_AND_FRAME"}),
    "PAINT": frozenset({"PAINT"}),
    "DETAIL_AND_WASH": frozenset({"DETAIL_AND_WASH"}),
}
"""Which bays can do what an operation needs (2.4): a lift also serves a quick service, a quick bay no more than that."""
CERTIFICATE_CATEGORIES = ("WHOLE_VEHICLE", "ASSEMBLY", "SECOND_MAINTENANCE")
"""Repair categories that leave only with a completion certificate (domain 3.2), the gravest first."""
HIGH_VOLTAGE = "hv"


def bay_serves(needed: str, capability: str) -> bool:
    """Whether a bay with ``capability`` can do work that needs ``needed``."""
    return capability in BAYS_THAT_SERVE[needed]


LEAST_REST_MINUTES = 15
"""What running work is taken to need from now on at the least, also where its hours are used up."""


def plan_minutes(hours: Decimal, efficiency: int = 100) -> int:
    """How long a line is planned, in whole five minutes and never under a quarter of an hour.

    ``efficiency``: standard minutes that the person does in 100 minutes of presence.
    """
    return max(15, -(-int(hours * 6000) // (5 * efficiency)) * 5)


def rest_minutes(hours: Decimal, worked: int) -> int:
    """How many minutes a line is still taken to need after ``worked`` ones: what the plan draws and the phone says."""
    return max(LEAST_REST_MINUTES, plan_minutes(hours) - worked)


def core_total(parts: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Core charges (旧件押金) of parts, each as its quantity and the charge of one, CNY."""
    return total_of(line_amount(quantity, charge) for quantity, charge in parts)


def certificate_category(categories: Iterable[str]) -> str | None:
    """The category a certificate is made out for, None where none of the work needs one."""
    there = set(categories)
    return next((category for category in CERTIFICATE_CATEGORIES if category in there), None)


def needs_team_check(lines: Iterable[tuple[str, bool]], levels: Mapping[str, int]) -> bool:
    """Whether the team check stands between self check and final inspection; ``lines``: category, concerns safety.

    ``levels``: how many levels a category has. One line that needs three makes the order need them (domain 3.4).
    """
    return any(safety or levels.get(category, 3) >= 3 for category, safety in lines)


def is_drawn(order_uid: UUID, categories: Iterable[str], samples: Mapping[str, int]) -> bool:
    """Whether an order is in the sample (3.2): its own number decides, the same in Python and in ``inspection_in_order``.

    ``samples``: percent by repair category; the largest of the order's categories counts.
    """
    share = max((samples.get(category, 0) for category in categories), default=0)
    return int(hashlib.md5(str(order_uid).encode(), usedforsecurity=False).hexdigest()[:8], 16) % 100 < share


def road_test(from_km: int | None, to_km: int | None, km: int | None) -> tuple[int | None, int | None, int] | None:
    """A test drive out of any two of reading before, reading after and distance, or the distance alone (whole km).

    None where nothing was driven. ValueError where one reading stands alone, the three disagree, or nothing was driven
    between the readings.
    """
    if from_km is None and to_km is None:
        if not km:
            return None
        return None, None, km
    if from_km is not None and to_km is not None:
        driven = to_km - from_km
        if km is not None and km != driven:
            raise ValueError("The distance isn't the difference of the readings.")
    elif km is None:
        raise ValueError("One reading alone says nothing about the distance.")
    else:
        driven = km
        from_km = to_km - km if from_km is None and to_km is not None else from_km
        to_km = from_km + km if to_km is None and from_km is not None else to_km
    if driven <= 0 or from_km is None or from_km < 0:
        raise ValueError("Nothing was driven between the readings.")
    return from_km, to_km, driven


# --- parts ---
def value_classes(values: Mapping[int, Decimal]) -> dict[int, str]:
    """Parts by what lies of them (CNY), the dearest first (3.2): A until four fifths of the whole value are reached, B until
    95 % are, C the rest; equal values go by their key. What is worth nothing is C."""
    whole, reached, found = sum(values.values(), ZERO), ZERO, {}
    for key, value in sorted(values.items(), key=lambda row: (-row[1], row[0])):
        if value <= 0:
            found[key] = "C"
        else:
            found[key] = "A" if reached * 100 < whole * 80 else "B" if reached * 100 < whole * 95 else "C"
        reached += value
    return found


def reorder_quantity(
    *,
    free: Decimal,
    on_the_way: Decimal,
    missing: Decimal,
    level: Decimal,
    used: Decimal,
    days: int,
    lead: int,
    cover: int,
) -> Decimal:
    """How many whole units to order (3.2); 0 while what is free or coming lasts until the next delivery.

    ``level`` is the lowest stock of the part, ``used`` its use in the last ``days`` days, ``lead`` the days until a
    delivery, ``cover`` the days that it covers beyond. What work is ``missing`` is served first.
    """
    daily = used / days
    there = free + on_the_way - missing
    if there >= max(level, daily * lead):
        return ZERO
    wanted = max(level, daily * (lead + cover)) - there
    return wanted.to_integral_value(rounding=ROUND_CEILING)
