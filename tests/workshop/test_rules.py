"""Arithmetic of the repair order holds for every amount (3.2)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop import rules

hours = st.decimals(min_value=0, max_value=999, places=2)
rates = st.decimals(min_value=0, max_value=9999, places=2)
amounts = st.decimals(min_value=0, max_value=99999, places=2)


@given(hours, rates, st.decimals(min_value=0, max_value=1, places=2))
def test_labour_less_discount_stays_in_whole_fen_and_never_negative(h: Decimal, rate: Decimal, share: Decimal) -> None:
    gross = rules.labor_amount(h, rate)
    discount = rules.round_money(gross * share)
    net = rules.labor_amount(h, rate, discount)
    assert net + discount == gross
    assert net >= 0
    assert net.as_tuple().exponent == -2


@given(amounts, st.lists(amounts, max_size=8))
def test_a_line_is_its_labour_and_its_parts(labor: Decimal, parts: list[Decimal]) -> None:
    assert rules.line_total(labor, parts) == labor + sum(parts)


@given(st.lists(amounts, max_size=20))
def test_a_sum_doesnt_depend_on_its_order(values: list[Decimal]) -> None:
    assert rules.total_of(values) == rules.total_of(sorted(values)) == sum(values, Decimal("0.00"))


@given(hours, st.integers(min_value=0, max_value=60_000), amounts)
def test_a_withdrawn_line_never_costs_more_than_agreed(h: Decimal, minutes: int, discount: Decimal) -> None:
    worked, kept = rules.share_done(h, minutes, discount)
    assert 0 <= worked <= h
    assert 0 <= kept <= discount


def test_a_discount_above_the_labour_is_refused() -> None:
    with pytest.raises(ValueError):
        rules.labor_amount(Decimal("1"), Decimal("100"), Decimal("100.01"))


def test_exact_values() -> None:
    assert rules.labor_amount(Decimal("1.80"), Decimal("170")) == Decimal("306.00")
    assert rules.labor_amount(Decimal("0.33"), Decimal("170.55")) == Decimal("56.28")
    assert rules.share_done(Decimal("1.80"), 27, Decimal("18")) == (Decimal("0.45"), Decimal("4.50"))
    assert rules.discount_percent(Decimal("15.30"), Decimal("306")) == Decimal("5")


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5))
def test_the_hash_doesnt_depend_on_the_order_of_keys(content: dict[str, str]) -> None:
    assert rules.content_hash(content) == rules.content_hash(dict(reversed(content.items())))
