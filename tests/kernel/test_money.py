"""Money: exact values and properties (4.1)."""

from decimal import Decimal as D

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dealership.kernel.money import (
    Taxed,
    exact,
    format_money,
    line_amount,
    round_money,
    split_amount,
    vat_excluded,
    vat_included,
)

amounts = st.decimals("-9999999999.99", "9999999999.99", places=2)
rates = st.sampled_from([D("0"), D("0.01"), D("0.03"), D("0.06"), D("0.09"), D("0.13")])
weights = st.lists(st.decimals("0", "99999", places=4), min_size=1, max_size=20).filter(any)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("2.675", "2.68"),
        ("1.004999", "1.00"),
        (3, "3.00"),
        ("-0.001", "0.00"),
    ],
)
def test_half_goes_away_from_zero(value, rounded):
    assert str(round_money(value)) == rounded


@pytest.mark.parametrize("value", [0.1, 1.0, True, None, b"1"])
def test_only_exact_numbers_are_money(value):
    for use in (exact, round_money, format_money, lambda v: line_amount(v, 1), lambda v: line_amount(1, v)):
        with pytest.raises(TypeError):
            use(value)
    with pytest.raises(TypeError):
        split_amount(1, [value])


@pytest.mark.parametrize("value", ["", "abc", "NaN", "Infinity", D("NaN")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        round_money(value)


def test_line_amount_rounds_once():
    assert line_amount("1.35", "180") == D("243.00")
    assert line_amount("0.3333", "99.99") == D("33.33")
    assert line_amount("-1", "0.005") == D("-0.01")


class TestSplit:
    def test_thirds(self):
        assert split_amount("100", [1, 1, 1]) == [D("33.34"), D("33.33"), D("33.33")]
        assert split_amount("-100", [1, 1, 1]) == [D("-33.34"), D("-33.33"), D("-33.33")]

    def test_largest_remainder_first(self):
        assert split_amount("0.05", [1, 2, 4]) == [D("0.01"), D("0.01"), D("0.03")]
        assert split_amount("0.01", [1, 2]) == [D("0.00"), D("0.01")]

    def test_zero_weight_gets_nothing(self):
        assert split_amount("10", [0, 3, 0]) == [D("0.00"), D("10.00"), D("0.00")]

    @pytest.mark.parametrize(("total", "shares"), [("1", []), ("1", [0, 0]), ("1", [1, -1]), ("1.001", [1])])
    def test_refused(self, total, shares):
        with pytest.raises(ValueError):
            split_amount(total, shares)

    @given(amounts, weights)
    def test_adds_up_and_is_within_a_fen(self, total, shares):
        parts = split_amount(total, shares)
        assert sum(parts) == total
        whole = sum(shares)
        for part, share in zip(parts, shares, strict=True):
            assert abs(part - total * share / whole) < D("0.0100001")
            assert share or part == 0
        assert split_amount(-total, shares) == [-part for part in parts]


class TestVat:
    def test_exact_values(self):
        assert vat_included("113", "0.13") == Taxed(D("100.00"), D("13.00"), D("113.00"))
        assert vat_included("100", "0.13") == Taxed(D("88.50"), D("11.50"), D("100.00"))
        assert vat_excluded("100", "0.13") == Taxed(D("100.00"), D("13.00"), D("113.00"))
        assert vat_excluded("0.04", "0.13") == Taxed(D("0.04"), D("0.01"), D("0.05"))

    @pytest.mark.parametrize("rate", ["13", "-0.01", "1"])
    def test_a_rate_is_a_fraction(self, rate):
        for use in (vat_included, vat_excluded):
            with pytest.raises(ValueError):
                use("100", rate)

    @given(amounts, rates)
    def test_parts_make_the_whole_and_signs_mirror(self, amount, rate):
        for use in (vat_included, vat_excluded):
            taxed, mirrored = use(amount, rate), use(-amount, rate)
            assert taxed.net + taxed.vat == taxed.gross
            assert mirrored == Taxed(-taxed.net, -taxed.vat, -taxed.gross)

    @given(amounts, rates)
    def test_there_and_back(self, net, rate):
        assert vat_included(vat_excluded(net, rate).gross, rate).net == net


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12345.6", "¥12,345.60"),
        ("-0.5", "-¥0.50"),
        (0, "¥0.00"),
        ("-0.001", "¥0.00"),
        ("1234567890.12", "¥1,234,567,890.12"),
    ],
)
def test_format(value, shown):
    assert format_money(value) == shown
    assert format_money(value, "").replace(",", "") == str(round_money(value))


@given(amounts, amounts)
def test_rounding_keeps_order_and_is_stable(one, other):
    assume(one <= other)
    assert round_money(one) <= round_money(other)
    assert round_money(round_money(one)) == round_money(one) == one
