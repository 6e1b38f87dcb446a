"""Arithmetic of the settlement list: what it adds up to, what is open, what is guaranteed (4.1, domain 3.3 and 3.5)."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dealership.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list. ``quantity`` is hours for labour and the part's unit for material; amounts are CNY with VAT."""

    kind: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    order_line_id: int | None = None
    part_line_id: int | None = None
    code: str = ""
    brand: str = ""
    part_kind: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """``total`` = labour + material + other − discount − rounding, always (domain 3.3)."""

    labor: Decimal
    material: Decimal
    other: Decimal
    discount: Decimal
    rounding: Decimal
    total: Decimal


def add_up(rows: Iterable[Row], *, round_to: int = 0) -> Totals:
    """Sums the rows of a list by kind; ``round_to`` takes off what lies above whole yuan or tens (0: nothing)."""
    sums = {"LABOR": ZERO, "MATERIAL": ZERO, "OTHER": ZERO, "DISCOUNT": ZERO}
    for row in rows:
        sums[row.kind] += row.amount
    total = sums["LABOR"] + sums["MATERIAL"] + sums["OTHER"] - sums["DISCOUNT"]
    rounding = round_off(total, round_to)
    return Totals(sums["LABOR"], sums["MATERIAL"], sums["OTHER"], sums["DISCOUNT"], rounding, total - rounding)


def round_off(total: Decimal, step: int) -> Decimal:
    """抹零: what is taken off ``total`` to come down to a multiple of ``step`` yuan; nothing where step is 0."""
    return total % step if step > 0 and total > 0 else ZERO


def strongest_guarantee(categories: Iterable[str], table: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """(days, km) of the strongest category on the list (domain 3.2); (0, 0) where nothing was repaired."""
    found = [(table[c]["days"], table[c]["km"]) for c in categories if c in table]
    return max(found, default=(0, 0))


def open_amount(total: Decimal, payments: Iterable[Decimal]) -> Decimal:
    """What is still to be paid; refunds are negative payments."""
    return total - sum(payments, ZERO)


def next_service(
    *, on: date, odometer_km: int, interval_months: int | None, interval_km: int | None
) -> tuple[date | None, int | None]:
    """Day and mileage of the next service, counted from the hand-over; None where the model names no interval."""
    day = None
    if interval_months:
        months = on.month - 1 + interval_months
        year, month = on.year + months // 12, months % 12 + 1
        last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
        day = date(year, month, min(on.day, last))
    return day, odometer_km + interval_km if interval_km else None


GATE_SIGNS = "ACDEFGHJKMNPQRTVWXY34679"
"""Signs of a gate code; none looks like another, whatever the printer or the hand: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V."""
GATE_LENGTH = 12
"""24 signs to the power of 12: 55 bits from the system's source, in a store's own passes only."""


def new_gate_code() -> str:
    """What a scanner reads and a guard can type from paper."""
    return "".join(secrets.choice(GATE_SIGNS) for _ in range(GATE_LENGTH))


def read_gate_code(typed: str) -> str:
    """The code as it is kept: typed small or large, full width, with spaces or strokes between the groups."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    return "".join(sign for sign in plain if sign.isalnum())


def group_gate_code(code: str) -> str:
    """``JWTM-4K7R-XQ9A``: three groups of four to be read aloud; codes of earlier passes stay as they are."""
    if len(code) != GATE_LENGTH:
        return code
    return "-".join(code[at : at + 4] for at in range(0, GATE_LENGTH, 4))
