"""Working time: exact across lunch, holidays and make-up days; clocks that pause (2.2.1, 6.4)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dealership.kernel.worktime import (
    CLOSED,
    Calendar,
    DayKind,
    Pause,
    Sla,
    every_day,
    hours,
    official_until,
    statutory_calendar,
    statutory_day,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOP = every_day(
    hours("08:30-12:00", "13:00-17:30"),
    exceptions={date(2026, 2, 17): CLOSED, date(2026, 2, 18): hours("09:00-12:00")},
)
OFFICE = statutory_calendar()


def at(month, day, hour=0, minute=0, year=2026):
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda moment: moment.replace(tzinfo=SHANGHAI))
durations = st.timedeltas(timedelta(0), timedelta(hours=100))
calendars = st.sampled_from([SHOP, OFFICE])
limits = st.timedeltas(timedelta(0), timedelta(hours=40))
pauses = st.lists(
    st.builds(
        lambda start, length: Pause(start, start + length), moments, st.timedeltas(timedelta(0), timedelta(days=9))
    ),
    max_size=4,
).map(tuple)


class TestHours:
    def test_read(self):
        assert hours("08:30-12:00", "13:00-24:00") == ((510, 720), (780, 1440))
        assert hours() == CLOSED == ()

    @pytest.mark.parametrize("wrong", [("12:00-08:00",), ("08:00-25:00",), ("8-12",), ("08:00-12:00", "11:00-13:00")])
    def test_refused(self, wrong):
        with pytest.raises(ValueError):
            hours(*wrong)

    def test_a_calendar_checks_its_exceptions(self):
        with pytest.raises(ValueError):
            every_day(hours("08:00-12:00"), exceptions={date(2026, 1, 1): ((600, 500),)})
        with pytest.raises(ValueError):
            Calendar((CLOSED,) * 6)


class TestShop:
    def test_across_lunch_to_the_minute(self):
        assert SHOP.add_working(at(3, 2, 11, 45), 30) == at(3, 2, 13, 15)
        assert SHOP.working_minutes_between(at(3, 2, 11, 45), at(3, 2, 13, 15)) == 30
        assert SHOP.add_working(at(3, 2, 8, 30), 210) == at(3, 2, 12, 0)
        assert SHOP.add_working(at(3, 2, 8, 30), 211) == at(3, 2, 13, 1)

    def test_over_night_and_weekend(self):
        assert SHOP.add_working(at(3, 6, 17, 20), 15) == at(3, 7, 8, 35)  # Saturday is open

    def test_closed_day_and_short_day(self):
        assert SHOP.add_working(at(2, 16, 17, 0), 60) == at(2, 18, 9, 30)
        assert SHOP.add_working(at(2, 18, 11, 30), 31) == at(2, 19, 8, 31)

    def test_open(self):
        assert SHOP.is_open(at(3, 2, 8, 30))
        assert not SHOP.is_open(at(3, 2, 12, 0))
        assert not SHOP.is_open(at(2, 17, 10, 0))
        assert SHOP.is_open(datetime(2026, 3, 2, 0, 30, tzinfo=UTC))
        assert SHOP.next_open(at(3, 2, 10, 0)) == at(3, 2, 10, 0)
        assert SHOP.next_open(at(3, 2, 12, 0)) == at(3, 2, 13, 0)
        assert SHOP.next_open(at(2, 16, 17, 30)) == at(2, 18, 9, 0)

    def test_answers_are_in_the_stores_time(self):
        due = SHOP.add_working(datetime(2026, 3, 2, 9, 29, tzinfo=UTC), 2)
        assert (due, due.tzinfo) == (at(3, 3, 8, 31), SHANGHAI)

    def test_naive_moments_are_refused(self):
        naive = datetime(2026, 3, 2, 9)
        for call in (SHOP.is_open, SHOP.next_open, lambda moment: SHOP.add_working(moment, 1)):
            with pytest.raises(ValueError):
                call(naive)
        for pair in ((naive, at(3, 2)), (at(3, 2), naive)):
            with pytest.raises(ValueError):
                SHOP.working_time_between(*pair)
        with pytest.raises(ValueError):
            Sla(naive, timedelta(hours=1))
        with pytest.raises(ValueError):
            Pause(naive)

    def test_a_calendar_that_never_opens_says_so(self):
        never = every_day(CLOSED)
        for call in (lambda: never.add_working(at(1, 1), 1), lambda: never.next_open(at(1, 1))):
            with pytest.raises(ValueError):
                call()
        with pytest.raises(ValueError):
            never.add_working_days(date(2026, 1, 1), 1)
        with pytest.raises(ValueError):
            SHOP.add_working(at(1, 1), -1)

    def test_summer_time_elsewhere_counts_real_hours(self):
        berlin = every_day(hours("00:00-24:00"), zone="Europe/Berlin")
        start = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))  # a day of 23 hours
        assert berlin.working_minutes_between(start, start + timedelta(days=1)) == 23 * 60
        assert berlin.add_working(start, 23 * 60) == start + timedelta(days=1)

    @given(calendars, moments, durations)
    def test_inverse(self, calendar, start, duration):
        end = calendar.add_working_time(start, duration)
        assert calendar.working_time_between(start, end) == duration
        assert not duration or calendar.working_time_between(end - timedelta(microseconds=1), end) > timedelta(0)

    @given(calendars, moments, durations, durations)
    def test_adding_is_additive(self, calendar, start, one, other):
        together = calendar.add_working_time(start, one + other)
        assert calendar.add_working_time(calendar.add_working_time(start, one), other) == together

    @given(calendars, moments, moments, moments)
    def test_measuring_is_additive(self, calendar, one, two, three):
        first, middle, last = sorted([one, two, three])
        parts = calendar.working_time_between(first, middle) + calendar.working_time_between(middle, last)
        assert parts == calendar.working_time_between(first, last)
        assert calendar.working_time_between(last, first) == timedelta(0)

    @given(calendars, moments, moments, durations)
    def test_later_start_is_never_due_earlier(self, calendar, one, other, duration):
        first, later = sorted([one, other])
        assert calendar.add_working_time(first, duration) <= calendar.add_working_time(later, duration)

    @given(calendars, moments)
    def test_next_open_is_open_and_nothing_lies_between(self, calendar, moment):
        opens = calendar.next_open(moment)
        assert calendar.is_open(opens)
        assert calendar.working_time_between(moment, opens) == timedelta(0)


class TestStatutory:
    @pytest.mark.parametrize(
        ("day", "kind", "name"),
        [
            (date(2026, 2, 14), DayKind.MAKE_UP, "Spring Festival"),
            (date(2026, 2, 17), DayKind.HOLIDAY, "Spring Festival"),
            (date(2026, 10, 10), DayKind.MAKE_UP, "National Day"),
            (date(2026, 11, 21), DayKind.WEEKEND, ""),
            (date(2026, 11, 23), DayKind.WORKING, ""),
            (date(2020, 1, 24), DayKind.HOLIDAY, "Spring Festival"),
            (date(2024, 5, 11), DayKind.MAKE_UP, "Labour Day"),
        ],
    )
    def test_listed_days(self, day, kind, name):
        known = statutory_day(day)
        assert (known.kind, known.name, known.official) == (kind, name, True)
        assert OFFICE.is_working_day(day) is known.is_working

    def test_beyond_the_list_only_weekends_are_known(self):
        known = statutory_day(date(official_until().year + 1, 1, 1))
        assert (known.official, known.name) == (False, "")
        far = date(2090, 10, 2)
        assert (statutory_day(far).kind, statutory_day(far).official) == (DayKind.WORKING, False)
        assert OFFICE.is_working_day(far)
        assert not statutory_day(date(2019, 10, 1)).official

    def test_the_list_reaches_this_system_s_first_year(self):
        assert official_until() >= date(2026, 12, 31)

    def test_ten_working_days_over_spring_festival(self):
        # Thu 12 Feb; working: 13, 14 (make-up), 24–28 (28 is make-up), 2, 3, 4 March
        assert OFFICE.add_working_days(date(2026, 2, 12), 10) == date(2026, 3, 4)
        assert OFFICE.end_of_working_days(at(2, 12, 16, 0), 10) == at(3, 5, 0, 0)
        assert OFFICE.working_days_between(date(2026, 2, 12), date(2026, 3, 4)) == 10

    def test_hours_run_on_a_make_up_saturday_and_stand_on_a_holiday(self):
        assert OFFICE.add_working(at(2, 13, 17, 30), 60) == at(2, 14, 9, 30)
        assert OFFICE.add_working(at(2, 14, 17, 30), 60) == at(2, 24, 9, 30)
        assert not OFFICE.is_open(at(2, 17, 10, 0))

    @given(calendars, st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(1, 60))
    def test_working_days_count_back(self, calendar, day, days):
        end = calendar.add_working_days(day, days)
        assert calendar.is_working_day(end)
        assert calendar.working_days_between(day, end) == days


class TestSla:
    def test_mail_within_24_elapsed_hours(self):
        """2.2.1: elapsed, not working hours; the due moment itself is in time."""
        sla = Sla(at(2, 14, 18, 0), timedelta(hours=24))
        assert sla.due_at == at(2, 15, 18, 0)
        assert not sla.breached(at(2, 15, 18, 0))
        assert sla.breached(at(2, 15, 18, 1))
        assert not sla.breached(at(3, 1), met_at=at(2, 15, 17, 59))
        assert sla.breached(at(2, 15), met_at=at(2, 15, 18, 1))
        assert sla.remaining(at(2, 15, 17, 0)) == timedelta(hours=1)
        assert sla.remaining(at(2, 15, 19, 0)) == timedelta(hours=-1)
        assert sla.remaining(at(3, 1), met_at=at(2, 15, 17, 30)) == timedelta(minutes=30)

    def test_working_clock_with_a_pause_over_lunch(self):
        sla = Sla(at(3, 2, 11, 0), timedelta(minutes=90), SHOP, (Pause(at(3, 2, 11, 30), at(3, 2, 13, 30)),))
        assert sla.due_at == at(3, 2, 14, 30)
        assert sla.used(at(3, 2, 13, 0)) == timedelta(minutes=30)
        assert sla.used(at(3, 2, 14, 0)) == timedelta(minutes=60)

    def test_standing_clock_has_no_due_time_and_is_not_breached(self):
        sla = Sla(at(3, 2, 9, 0), timedelta(hours=1), SHOP, (Pause(at(3, 2, 9, 20)),))
        assert sla.due_at is None
        assert not sla.breached(at(4, 1))
        assert sla.remaining(at(4, 1)) == timedelta(minutes=40)

    def test_a_pause_after_the_due_time_saves_nothing(self):
        sla = Sla(at(3, 2, 9, 0), timedelta(hours=1), SHOP, (Pause(at(3, 2, 10, 30)),))
        assert sla.due_at == at(3, 2, 10, 0)
        assert sla.breached(at(3, 2, 10, 31))

    def test_refused(self):
        with pytest.raises(ValueError):
            Sla(at(3, 2), timedelta(minutes=-1))
        with pytest.raises(ValueError):
            Pause(at(3, 2), at(3, 1))

    @given(moments, limits, st.none() | calendars, pauses)
    def test_pauses_never_shorten_and_due_is_when_the_time_is_used(self, start, limit, calendar, stops):
        sla = Sla(start, limit, calendar, stops)
        assert sla.due_at >= Sla(start, limit, calendar).due_at
        assert sla.used(sla.due_at) == limit
        assert sla.remaining(sla.due_at) == timedelta(0)

    @given(moments, limits, st.none() | calendars, pauses, moments)
    def test_one_more_pause_never_shortens_and_order_is_nothing(self, start, limit, calendar, stops, more):
        extra = Pause(more, more + timedelta(hours=5))
        longer = Sla(start, limit, calendar, (extra, *stops))
        assert longer.due_at >= Sla(start, limit, calendar, stops).due_at
        assert longer.due_at == Sla(start, limit, calendar, (*reversed(stops), extra)).due_at

    @given(moments, limits, st.none() | calendars, pauses, moments, moments)
    def test_a_clock_never_runs_back(self, start, limit, calendar, stops, one, other):
        sla = Sla(start, limit, calendar, stops)
        first, later = sorted([one, other])
        assert sla.used(first) <= sla.used(later)
        assert not sla.breached(first) or sla.breached(later)
