"""6.2: control limits and run rules."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.rules import out_of_control, p_limits


def test_limits_are_three_sigma_and_stay_within_0_and_1():
    limits = p_limits(0.9, 100)
    assert (round(limits.lower, 4), round(limits.upper, 4)) == (0.81, 0.99)
    assert p_limits(0.99, 10).upper == 1.0
    assert p_limits(0.01, 10).lower == 0.0
    with pytest.raises(ValueError, match="population"):
        p_limits(0.5, 0)


def test_a_point_outside_its_limits_is_found():
    assert out_of_control([(95, 100), (90, 100)] * 5 + [(70, 100)]) == [10]


def test_the_seventh_point_on_one_side_is_found():
    assert out_of_control([(92, 100)] * 7 + [(88, 100)] * 6) == [6]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(50, 200)), max_size=20))
def test_points_found_are_points_given(shares):
    found = out_of_control([(float(a), float(b)) for a, b in shares])
    assert all(0 <= i < len(shares) for i in found)
    assert found == sorted(set(found))
