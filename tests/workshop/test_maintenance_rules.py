"""The due list's arithmetic: boundary days and kilometres on both sides, and what holds for every car (3.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workshop.maintenance_rules import (
    URGENCY,
    Done,
    Interval,
    Reading,
    Standing,
    Trend,
    Window,
    add_months,
    due,
    includes,
    trend,
)

TODAY = date(2026, 11, 26)
WINDOW = Window(1000, 30)
OIL = Interval(every_km=10000, every_months=12, first_km=5000, first_months=6, severe_km=5000, severe_months=6)


def at(km: int, per_year: int = 15000) -> Trend:
    return Trend(km, per_year, True)


def stands(km: int = 0, *, last: Done | None = None, born: date | None = None, today: date = TODAY, **more) -> str:
    found = due(more.pop("interval", OIL), last=last, born=born, today=today, trend=at(km), window=WINDOW, **more)
    return "NONE" if found is None else str(found.standing)


LAST = Done(date(2026, 1, 3), 32100)


@pytest.mark.parametrize(
    ("km", "standing"),
    [
        (41099, "LATER"), (41100, "SOON"), (42099, "SOON"), (42100, "DUE"), (43100, "DUE"), (43101, "OVERDUE"),
    ],
)  # fmt: skip
def test_by_mileage_since_the_last_time(km: int, standing: str) -> None:
    assert stands(km, last=LAST) == standing


@pytest.mark.parametrize(
    ("today", "standing"),
    [
        (date(2026, 12, 3), "LATER"), (date(2026, 12, 4), "SOON"), (date(2027, 1, 2), "SOON"), (date(2027, 1, 3), "DUE"),
        (date(2027, 2, 2), "DUE"), (date(2027, 2, 3), "OVERDUE"),
    ],
)  # fmt: skip
def test_by_months_since_the_last_time(today: date, standing: str) -> None:
    assert stands(33000, last=LAST, today=today) == standing


@pytest.mark.parametrize(
    ("km", "born", "standing"),
    [
        (3999, None, "LATER"), (4000, None, "SOON"), (5000, None, "DUE"), (6000, None, "DUE"),
        (6001, None, "UNKNOWN"),  # the first one was passed; whether it was done elsewhere is asked
        (13999, None, "UNKNOWN"), (14000, None, "SOON"), (15000, None, "DUE"), (16000, None, "DUE"), (16001, None, "UNKNOWN"),
        (100, date(2026, 5, 26), "DUE"), (100, date(2026, 5, 27), "SOON"), (100, date(2026, 7, 1), "LATER"),
        (100, date(2026, 4, 27), "DUE"), (100, date(2026, 4, 26), "UNKNOWN"),
    ],
)  # fmt: skip
def test_without_a_record_it_is_counted_from_the_new_car(km: int, born: date | None, standing: str) -> None:
    assert stands(km, born=born) == standing


@pytest.mark.parametrize(
    ("born", "standing"),
    [
        (None, "UNREAD"), (date(2026, 7, 1), "UNREAD"), (date(2026, 5, 27), "SOON"), (date(2026, 5, 26), "DUE"),
        (date(2026, 4, 26), "UNKNOWN"),
    ],
)  # fmt: skip
def test_without_a_mileage_kilometres_tell_nothing(born: date | None, standing: str) -> None:
    unread = trend([], today=TODAY, usual_per_year=15000)
    found = due(OIL, last=None, born=born, today=TODAY, trend=unread, window=WINDOW)
    assert found is not None
    assert (found.standing, found.due_km) == (standing, None)
    assert found.expected_on == found.due_on  # nothing is reckoned from a mileage that nobody read
    by_months = due(Interval(every_months=24), last=None, born=born, today=TODAY, trend=unread, window=WINDOW)
    assert (by_months is None) == (born is None)
    assert by_months is None or by_months.standing == "LATER"
    recorded = due(Interval(every_km=9000), last=LAST, born=born, today=TODAY, trend=unread, window=WINDOW)
    assert recorded is not None
    assert (recorded.standing, recorded.due_km, recorded.expected_on) == ("UNREAD", 41100, None)


def test_hard_use_comes_sooner_and_once_is_once() -> None:
    recent = Done(date(2026, 9, 1), 32100)
    assert stands(37100, last=recent) == "LATER"
    assert stands(37100, last=recent, severe=True) == "DUE"
    once = Interval(every_km=90000, repeats=False)
    assert stands(89500, interval=once) == "SOON"
    assert stands(95000, interval=once) == "UNKNOWN"
    assert stands(95000, interval=once, last=Done(TODAY, 91000)) == "NONE"
    assert stands(95000, interval=Interval(every_months=24)) == "NONE"  # nobody knows when the car was new
    assert stands(95000, interval=Interval(every_km=9000), last=Done(TODAY, None)) == "NONE"


def test_the_points_say_where_they_come_from() -> None:
    found = due(OIL, last=LAST, born=None, today=TODAY, trend=at(40600, 14600), window=WINDOW)
    assert found is not None
    assert (found.due_km, found.due_on, found.expected_on) == (42100, date(2027, 1, 3), date(2027, 1, 2))
    fresh = due(OIL, last=None, born=date(2026, 9, 1), today=TODAY, trend=at(900), window=WINDOW)
    assert fresh is not None
    assert (fresh.due_km, fresh.due_on, fresh.every_km, fresh.every_months, fresh.first) == (
        5000,
        date(2027, 3, 1),
        5000,
        6,
        True,
    )


def test_trend_needs_two_readings_a_month_apart_since_the_instrument_went_back() -> None:
    def told(*rows: tuple[date, int]) -> tuple[int, int, bool]:
        found = trend([Reading(*row) for row in rows], today=TODAY, usual_per_year=15000)
        return found.km, found.per_year, found.measured

    assert told() == (0, 15000, False)
    assert told((TODAY, 8000)) == (8000, 15000, False)
    assert told((TODAY - timedelta(days=29), 7000), (TODAY, 8000)) == (8000, 15000, False)
    assert told((TODAY - timedelta(days=30), 7000), (TODAY, 8000)) == (8000, 12166, True)
    assert told((TODAY - timedelta(days=146), 2000), (TODAY - timedelta(days=73), 5000)) == (8000, 15000, True)
    assert told((date(2025, 1, 1), 90000), (TODAY - timedelta(days=365), 100), (TODAY, 9100)) == (9100, 9000, True)
    assert told((date(2020, 1, 1), 10), (TODAY - timedelta(days=73), 1000), (TODAY, 3000)) == (3000, 10000, True)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)), (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)), (date(2026, 12, 15), 12, date(2027, 12, 15)),
        (date(9998, 12, 31), 24, date(9999, 12, 31)),
    ],
)  # fmt: skip
def test_months_end_where_the_month_ends(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


kms = st.integers(0, 400_000)
calm = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no defect
intervals = st.builds(
    Interval,
    every_km=st.integers(500, 100_000),
    every_months=st.none() | st.integers(1, 120),
    first_km=st.none() | st.integers(500, 100_000),
    first_months=st.none() | st.integers(1, 120),
    repeats=st.just(True),
)
days = st.dates(date(2000, 1, 1), date(2026, 11, 26))


@calm
@given(intervals, kms, kms, days)
def test_more_kilometres_never_make_recorded_work_less_urgent(interval: Interval, km: int, more: int, on: date) -> None:
    last = Done(on, km)
    seen = [
        due(interval, last=last, born=None, today=TODAY, trend=at(km + extra), window=WINDOW)
        for extra in (more, more + 500)
    ]
    assert seen[0] is not None
    assert seen[1] is not None
    assert URGENCY[seen[1].standing] <= URGENCY[seen[0].standing]


@calm
@given(intervals, kms, st.none() | days)
def test_work_just_done_is_never_due(interval: Interval, km: int, born: date | None) -> None:
    found = due(interval, last=Done(TODAY, km), born=born, today=TODAY, trend=at(km), window=Window(100, 5))
    assert found is not None
    assert found.standing in (Standing.SOON, Standing.LATER)


@calm
@given(intervals, kms, st.none() | days)
def test_without_a_record_nothing_is_called_overdue(interval: Interval, km: int, born: date | None) -> None:
    found = due(interval, last=None, born=born, today=TODAY, trend=at(km), window=WINDOW)
    assert found is not None
    assert found.standing != Standing.OVERDUE
    assert found.due_km is None or km - WINDOW.km <= found.due_km <= km + max(
        interval.every_km or 0, interval.first_km or 0
    )


@calm
@given(st.lists(st.builds(Reading, on=days, km=kms), max_size=12), st.integers(1000, 60000))
def test_the_trend_never_goes_back(rows: list[Reading], usual: int) -> None:
    found = trend(rows, today=TODAY, usual_per_year=usual)
    assert found.per_year >= 0
    if rows:
        assert found.km >= max(rows, key=lambda r: (r.on, r.km)).km


def test_bigger_work_includes_smaller_with_the_same_parts_in_full() -> None:
    oil = {1: Decimal(4), 2: Decimal(1)}
    assert includes(oil | {3: Decimal(1)}, oil)
    assert not includes({1: Decimal(3), 2: Decimal(1)}, oil)
    assert not includes(oil, {})
