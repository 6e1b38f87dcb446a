"""How the price of a package falls on its lines, to the fen (3.1). Amounts are CNY with VAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from dealership.kernel.money import ZERO, line_amount

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Shares:
    """Labour of each line after its discount, and the price of a unit of each part."""

    labor: tuple[Decimal, ...]
    units: tuple[Decimal, ...]


def single_price(labor: Sequence[Decimal], parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """What work (``labor``) and parts (quantity, price of a unit) cost one by one."""
    return sum((line_amount(quantity, unit) for quantity, unit in parts), sum(labor, ZERO))


def share_price(price: Decimal, labor: Sequence[Decimal], parts: Sequence[tuple[Decimal, Decimal]]) -> Shares:
    """Shares that add up to ``price`` exactly, none above its single price.

    What the package saves comes off the labour while that is no more than half of it, else off labour and parts alike.
    ValueError where the price isn't less than the single prices, or can't be met to the fen.
    """
    single, gross = single_price(labor, parts), sum(labor, ZERO)
    saved = single - price
    if price <= 0 or saved <= 0:
        raise ValueError("A package costs less than its work one by one, and more than nothing.")
    if 2 * saved <= gross:
        units = tuple(unit for _quantity, unit in parts)
    else:
        units = tuple((unit * price / single).quantize(CENT, rounding=ROUND_FLOOR) for _quantity, unit in parts)
    material = sum((line_amount(q, unit) for (q, _old), unit in zip(parts, units, strict=True)), ZERO)
    if not 0 <= price - material <= gross:
        raise ValueError("This price can't be met to the fen by labour and parts.")
    return Shares(_share(price - material, labor), units)


def _share(amount: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """``amount`` shared by weight, none above its weight; what rounding leaves goes to who lost most by it."""
    whole = sum(weights, ZERO)
    if not whole:
        return tuple(ZERO for _weight in weights)
    exact = [amount * weight / whole for weight in weights]
    shares = [share.quantize(CENT, rounding=ROUND_FLOOR) for share in exact]
    left = amount - sum(shares, ZERO)
    for place in sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i)):
        if left <= 0:
            break
        if shares[place] + CENT <= weights[place]:
            shares[place] += CENT
            left -= CENT
    return tuple(shares)
