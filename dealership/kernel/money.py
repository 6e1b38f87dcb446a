"""Money: Decimal yuan with two places, one rounding (half up), nothing lost when an amount is split (chapter 4.1).

A float is refused with TypeError everywhere: 0.1 + 0.2 has no place on a settlement list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
_PRECISION = 60

Number = Decimal | int | str


def exact(value: Number) -> Decimal:
    """The number as Decimal, unrounded. Raises TypeError for float and bool, ValueError for what is no number."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError(f"Amounts are Decimal, int or str, never {type(value).__name__}.")
    try:
        number = Decimal(value)
    except InvalidOperation as exc:
        raise ValueError(f"{value!r} is no number.") from exc
    if not number.is_finite():
        raise ValueError("An amount is finite.")
    return number


def round_money(value: Number) -> Decimal:
    """The one rounding of the house: two places, half a fen away from zero. Never returns a negative zero."""
    with localcontext(prec=_PRECISION):
        return exact(value).quantize(CENT, rounding=ROUND_HALF_UP) + ZERO


def line_amount(quantity: Number, price: Number) -> Decimal:
    """Quantity × unit price, rounded once."""
    with localcontext(prec=_PRECISION):
        return round_money(exact(quantity) * exact(price))


def split_amount(total: Number, weights: Sequence[Number]) -> list[Decimal]:
    """Shares of ``total`` in proportion to ``weights``, in whole fen, which add up to ``total`` exactly.

    Each share is less than one fen away from its exact proportion; the fen left over go to the largest remainders,
    the earlier one first. A weight of zero gets nothing. A negative total (a counter-line) splits as its positive.
    Raises ValueError where the total has more than two places, a weight is negative or all are zero.
    """
    amount = exact(total)
    if amount != round_money(amount):
        raise ValueError("Only an amount in whole fen can be split.")
    parts = [Fraction(exact(weight)) for weight in weights]
    whole = sum(parts)
    if any(part < 0 for part in parts) or whole == 0:
        raise ValueError("Weights are not negative and not all zero.")
    fen = int(Fraction(amount) * 100)
    sign = -1 if fen < 0 else 1
    ideal = [abs(fen) * part / whole for part in parts]
    shares = [int(share) for share in ideal]
    left = abs(fen) - sum(shares)
    by_remainder = sorted(range(len(parts)), key=lambda index: (shares[index] - ideal[index], index))
    for index in by_remainder[:left]:
        shares[index] += 1
    with localcontext(prec=_PRECISION):
        return [round_money(Decimal(sign * share) * CENT) for share in shares]


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount without tax, its VAT, and both together; ``net + vat == gross`` always."""

    net: Decimal
    vat: Decimal
    gross: Decimal


def _rate(rate: Number) -> Decimal:
    value = exact(rate)
    if not 0 <= value < 1:
        raise ValueError("A VAT rate is a fraction such as 0.13.")
    return value


def vat_included(gross: Number, rate: Number) -> Taxed:
    """Takes a price with VAT apart: 113.00 at 0.13 is 100.00 and 13.00."""
    total = round_money(gross)
    with localcontext(prec=_PRECISION):
        net = round_money(total / (1 + _rate(rate)))
        return Taxed(net, total - net, total)


def vat_excluded(net: Number, rate: Number) -> Taxed:
    """Adds VAT to a price without: 100.00 at 0.13 is 113.00."""
    base = round_money(net)
    with localcontext(prec=_PRECISION):
        vat = round_money(base * _rate(rate))
        return Taxed(base, vat, base + vat)


def format_money(value: Number, symbol: str = "¥") -> str:
    """¥12,345.60 and -¥0.50, the same in both languages."""
    amount = round_money(value)
    with localcontext(prec=_PRECISION):
        return f"{'-' if amount < 0 else ''}{symbol}{abs(amount):,.2f}"
