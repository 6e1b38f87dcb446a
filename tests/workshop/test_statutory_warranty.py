"""三包 (domain 3.6): every rule of the table by written cases, with the boundary day and kilometre on both sides."""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop import statutory_warranty as sw
from workshop.statutory_warranty import ORDER_43, ORDER_150, Alert, Finding, Remedy, Repair, SafetyFault

ZONE = ZoneInfo("Asia/Shanghai")
START = date(2024, 3, 1)


def at(day: date | int, hour: float = 9) -> datetime:
    """A moment by date, or by days after the beginning of the period."""
    on = START + timedelta(days=day) if isinstance(day, int) else day
    return datetime(on.year, on.month, on.day, tzinfo=ZONE) + timedelta(hours=hour)


def repair(day: int, hours: float = 10, fault: str = "noise", **more: object) -> Repair:
    begin = at(day)
    given_: dict[str, object] = {"km": day * 10, "ref": f"R{day}", **more}
    return Repair(begin, begin + timedelta(hours=hours), fault, **given_)  # type: ignore[arg-type]


def seen(*repairs: Repair, day: int = 400, km: int | None = 5000, rules: sw.Rules = ORDER_43) -> sw.Watch:
    return sw.watch(rules, START, repairs, at(day, 20), km)


# --- which table ---


@pytest.mark.parametrize(
    ("day", "table"),
    [
        (date(2013, 10, 1), ORDER_150),
        (date(2021, 12, 31), ORDER_150),
        (date(2022, 1, 1), ORDER_43),
        (date(2026, 11, 26), ORDER_43),
    ],
)
def test_the_table_in_force_on_the_day_applies(day: date, table: sw.Rules) -> None:
    assert sw.rules_on(day) is table


def test_before_the_first_table_there_is_none() -> None:
    with pytest.raises(ValueError, match="2013-09-30"):
        sw.rules_on(date(2013, 9, 30))


@pytest.mark.parametrize(
    ("invoiced", "delivered", "start"),
    [
        (date(2024, 3, 1), None, date(2024, 3, 1)),
        (date(2024, 3, 1), date(2024, 3, 1), date(2024, 3, 1)),
        (date(2024, 3, 1), date(2024, 3, 9), date(2024, 3, 9)),
        (date(2024, 3, 9), date(2024, 3, 1), date(2024, 3, 1)),
    ],
)
def test_the_period_begins_with_the_delivery(invoiced: date, delivered: date | None, start: date) -> None:
    assert sw.starts_on(invoiced, delivered) == start


# --- periods: the boundary day and kilometre on both sides ---


@pytest.mark.parametrize(
    ("start", "months", "last"),
    [
        (date(2024, 3, 1), 24, date(2026, 3, 1)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
        (date(2023, 12, 31), 36, date(2026, 12, 31)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 11, 30), 3, date(2025, 2, 28)),
    ],
)
def test_the_last_day_of_months(start: date, months: int, last: date) -> None:
    assert sw.last_day(start, months=months) == last


@pytest.mark.parametrize(
    ("day", "km", "inside"),
    [
        (date(2024, 2, 29), 0, False),  # before the delivery
        (date(2024, 3, 1), 0, True),
        (date(2026, 3, 1), 10_000, True),
        (date(2026, 3, 2), 10_000, False),
        (date(2025, 3, 1), 50_000, True),
        (date(2025, 3, 1), 50_001, False),
        (date(2026, 3, 1), 50_000, True),
        (date(2026, 3, 2), 50_001, False),
        (date(2025, 3, 1), None, True),  # kilometres unknown: the day decides
        (date(2026, 3, 2), None, False),
    ],
)
def test_replacement_period(day: date, km: int | None, inside: bool) -> None:
    assert sw.in_replace_period(ORDER_43, START, day, km) is inside


@pytest.mark.parametrize(
    ("day", "km", "inside"),
    [
        (date(2027, 3, 1), 10_000, True),
        (date(2027, 3, 2), 10_000, False),
        (date(2025, 3, 1), 60_000, True),
        (date(2025, 3, 1), 60_001, False),
        (date(2027, 3, 1), 60_001, False),
        (date(2024, 2, 29), 10, False),
    ],
)
def test_repair_period(day: date, km: int, inside: bool) -> None:
    assert sw.in_repair_period(ORDER_43, START, day, km) is inside


@pytest.mark.parametrize(
    ("day", "km", "inside"),
    [
        (60, 100, True),
        (61, 100, False),
        (10, 3_000, True),
        (10, 3_001, False),
        (60, 3_000, True),
        (0, 0, True),
        (-1, 0, False),
    ],
)
def test_early_period(day: int, km: int, inside: bool) -> None:
    assert sw.in_early_period(ORDER_43, START, START + timedelta(days=day), km) is inside


@pytest.mark.parametrize(("day", "inside"), [(0, True), (7, True), (8, False), (-1, False)])
def test_first_seven_days(day: int, inside: bool) -> None:
    assert sw.in_first_days(ORDER_43, START, START + timedelta(days=day)) is inside
    assert not sw.in_first_days(ORDER_150, START, START + timedelta(days=day)), "not in the older table"


# --- repair time ---


@pytest.mark.parametrize(
    ("hours", "days"), [(0, 0), (0.5, 1), (24, 1), (24.02, 2), (48, 2), (71.9, 3), (72, 3), (120, 5), (121, 6)]
)
def test_every_begun_day_counts(hours: float, days: int) -> None:
    assert sw.repair_days(repair(10, hours), at(400)) == days


def test_an_open_repair_counts_until_now() -> None:
    assert sw.repair_days(Repair(at(10), None, "noise"), at(12, 9.5)) == 3


@pytest.mark.parametrize(
    ("excluded", "days"),
    [
        ([], 10),
        ([(1, 4)], 7),
        ([(1, 4), (3, 6)], 5),  # overlapping spans count once
        ([(-5, 4)], 6),  # only what lies within the repair
        ([(8, 40)], 8),
        ([(-5, 40)], 0),
    ],
)
def test_transport_of_bound_parts_is_left_out_of_the_total_alone(excluded: list, days: int) -> None:
    one = repair(100, 240)
    spans = tuple((one.agreed_at + timedelta(days=b), one.agreed_at + timedelta(days=e)) for b, e in excluded)
    one = repair(100, 240, excluded=spans)
    assert sw.total_days([one], at(400)) == days
    assert sw.loan_days(ORDER_43, one, at(400)) == 5, "the rule of the sixth day knows no exceptions"


def stay(begin: float, end: float | None, **more: object) -> Repair:
    """A repair by hours after one moment; without an end it goes on."""
    zero = at(100, 0)
    spans = {
        name: tuple((zero + timedelta(hours=b), zero + timedelta(hours=e)) for b, e in more.pop(name, ()))  # type: ignore[attr-defined]
        for name in ("excluded", "away")
    }
    done = None if end is None else zero + timedelta(hours=end)
    return Repair(zero + timedelta(hours=begin), done, "noise", km=100, **spans, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stays", "days"),
    [
        ([(0, 24), (0, 24)], 1),  # two orders of one visit
        ([(0, 24), (24, 48)], 2),  # one after the other: each its own
        ([(0, 5), (6, 11)], 2),  # twice on one day: every begun day counts whole
        ([(0, 5), (5, 10)], 2),  # touching isn't sharing
        ([(0, 30), (20, 50)], 3),  # 50 hours, ten of them shared
        ([(0, 24), (23.9, 48)], 2),
        ([(0, 25), (24, 49)], 3),
        ([(0, 24), (12, 36)], 2),  # 36 hours
        ([(0, 72), (10, 20), (30, 40)], 3),  # short ones within a long one
        ([(0, 72), (60, 100), (90, 121)], 6),  # a chain: 121 hours
        ([(0, 72), (60, 100), (90, 120)], 5),
        ([(0, 2), (3, 5), (1, 4)], 2),  # the one that joins two takes none of their days away
        ([(0, 24 * 30), (24 * 10, 24 * 20)], 30),  # exactly the limit
        ([(0, 24 * 30), (24 * 10, 24 * 30 + 1)], 31),  # and an hour over it
    ],
)
def test_hours_that_repairs_share_count_once(stays: list, days: int) -> None:
    assert sw.total_days([stay(b, e) for b, e in stays], at(400)) == days
    watch = seen(*(stay(b, e) for b, e in stays))
    assert watch.days == days
    assert ("DAYS" in [f.subject for f in watch.findings]) is (days > 30)


@pytest.mark.parametrize(
    ("end", "away", "days", "owed"),
    [
        (240, [], 10, 5),
        (240, [(24, 144)], 5, 0),  # 120 hours are left: the fifth day is full, the sixth hasn't begun
        (241, [(24, 144)], 6, 1),
        (240, [(24, 120)], 6, 1),  # exactly 144
        (240, [(24, 119)], 7, 2),
        (240, [(24, 72), (100, 148)], 6, 1),
        (240, [(24, 100), (72, 148)], 5, 0),  # noted twice, away once
        (240, [(200, 400)], 9, 4),  # what lies beyond the end isn't taken off
        (240, [(-50, 24)], 9, 4),
        (240, [(0, 240)], 0, 0),
    ],
)
def test_while_the_owner_has_the_car_back_neither_clock_runs(end: float, away: list, days: int, owed: int) -> None:
    one = stay(0, end, away=away)
    assert sw.total_days([one], at(400)) == days
    assert sw.loan_days(ORDER_43, one, at(400)) == owed


def test_left_out_and_away_are_taken_off_once() -> None:
    one = stay(0, 240, away=[(24, 72)], excluded=[(48, 96)])
    assert (sw.repair_days(one, at(400)), sw.repair_days(one, at(400), exclude=False)) == (7, 8)


def test_a_repair_elsewhere_while_the_car_is_away_counts_by_itself() -> None:
    two_trips = stay(0, 240, away=[(24, 216)])
    assert sw.total_days([two_trips, stay(100, 102)], at(400)) == 2 + 1


@pytest.mark.parametrize(
    ("away", "hours"),
    [([], 120), ([(24, 72)], 168), ([(120, 130)], 130), ([(121, 130)], 120), ([(24, 72), (60, 100)], 196)],
)
def test_the_sixth_day_begins_when_the_car_has_been_here_for_five(away: list, hours: float) -> None:
    assert sw.loan_due_at(ORDER_43, stay(0, None, away=away)) == at(100, 0) + timedelta(hours=hours)


# --- art. 21 ---


@pytest.mark.parametrize(("hours", "owed"), [(24, 0), (120, 0), (120.1, 1), (144, 1), (145, 2), (240, 5)])
def test_a_loan_car_from_the_sixth_day(hours: float, owed: int) -> None:
    found = [f for f in seen(repair(100, hours)).findings if f.article == "21"]
    assert [f.count for f in found] == ([owed] if owed else [])
    assert all(f.remedy == Remedy.LOAN_OR_TRANSPORT for f in found)


@pytest.mark.parametrize(("day", "owed"), [(1096 - 1, 1), (1096, 0)])
def test_the_loan_car_is_owed_through_the_whole_repair_period(day: int, owed: int) -> None:
    """2027-03-01 is day 1,095 after the beginning: the last one."""
    assert START + timedelta(days=1095) == date(2027, 3, 1)
    assert len([f for f in seen(repair(day, 130, km=1000), day=1200).findings if f.article == "21"]) == owed


@pytest.mark.parametrize(("hours", "told"), [(71, False), (73, True), (119, True)])
def test_day_four_of_an_open_repair_is_told(hours: float, told: bool) -> None:
    one = Repair(at(100), None, "noise", km=100, ref="R")
    watch = sw.watch(ORDER_43, START, [one], at(100) + timedelta(hours=hours), 100)
    assert (Alert("21", sw.repair_days(one, at(100) + timedelta(hours=hours)), 5, "R") in watch.alerts) is told


# --- arts. 20, 22, 23 ---


@pytest.mark.parametrize(
    ("day", "km", "articles"),
    [
        (0, 10, ["22", "20"]),
        (7, 100, ["22", "20"]),
        (8, 100, ["20"]),
        (60, 2_999, ["20"]),
        (60, 3_000, ["20"]),
        (60, 3_001, []),
        (61, 100, []),
        (5, 3_001, ["22"]),  # the seven days know no kilometres
    ],
)
@pytest.mark.parametrize("assembly", sw.MAIN_ASSEMBLIES)
def test_a_main_part_of_one_of_the_four(day: int, km: int, articles: list[str], assembly: str) -> None:
    watch = seen(repair(day, km=km, main_part_needed=assembly))
    assert watch.articles() == articles
    assert [f.remedy for f in watch.findings] == [
        Remedy.REPLACE_OR_RETURN if article == "22" else Remedy.FREE_ASSEMBLY for article in articles
    ]
    assert not any(f.pays_for_use for f in watch.findings)


def test_other_systems_are_not_among_the_four() -> None:
    assert seen(repair(3, main_part_needed="STEERING")).articles() == []


@pytest.mark.parametrize("fault", list(SafetyFault))
@pytest.mark.parametrize(("day", "km", "found"), [(60, 3_000, True), (60, 3_001, False), (61, 3_000, False)])
def test_the_five_faults_of_article_23(fault: SafetyFault, day: int, km: int, found: bool) -> None:
    watch = seen(repair(day, km=km, safety=fault))
    assert watch.findings == (
        [Finding("23", Remedy.REPLACE_OR_RETURN, subject=fault.value, count=1, refs=(f"R{day}",))] if found else []
    )


# --- art. 24 ---


@pytest.mark.parametrize(("times", "found", "alert"), [(1, False, 1), (2, False, 2), (3, True, 0), (4, True, 0)])
def test_a_serious_safety_fault_after_two_repairs(times: int, found: bool, alert: int) -> None:
    watch = seen(*(repair(30 * n + 30, fault=f"f{n}", serious=True) for n in range(times)))
    assert ("24(1)" in watch.articles()) is found
    assert [a.count for a in watch.alerts if a.article == "24(1)"] == ([alert] if alert else [])


def test_a_third_serious_fault_counts_as_soon_as_it_appears() -> None:
    open_ = Repair(at(100), None, "x", km=100, serious=True, ref="R100")
    watch = seen(repair(30, serious=True), repair(60, serious=True), open_, day=100)
    (finding,) = [f for f in watch.findings if f.article == "24(1)"]
    assert (finding.pays_for_use, finding.count, finding.refs) == (True, 3, ("R30", "R60", "R100"))


@pytest.mark.parametrize("assembly", sw.MAIN_ASSEMBLIES)
def test_an_assembly_replaced_twice_and_still_unusable(assembly: str) -> None:
    once, twice = repair(100, replaced_assembly=assembly), repair(200, replaced_assembly=assembly)
    again = repair(300, main_part_needed=assembly)
    assert Alert("24(2)", 1, 2, assembly) in seen(once).alerts
    assert Alert("24(2)", 2, 2, assembly) in seen(once, twice).alerts
    assert "24(2)" not in seen(once, twice).articles()
    assert "24(2)" in seen(once, twice, again).articles()
    assert "24(2)" not in seen(once, repair(300, main_part_needed=assembly)).articles()


@pytest.mark.parametrize("system", sw.MAIN_SYSTEMS)
def test_the_same_main_part_replaced_twice(system: str) -> None:
    part = ((system, "p1"),)
    once, twice = repair(100, fault="a", replaced_parts=part), repair(200, fault="a", replaced_parts=part)
    assert Alert("24(3)", 1, 2, f"{system}:p1") in seen(once).alerts
    assert "24(3)" not in seen(once, twice).articles()
    assert "24(3)" in seen(once, twice, repair(300, fault="a")).articles(), "the same problem is there again"
    assert "24(3)" in seen(once, twice, repair(300, fault="b", replaced_parts=part)).articles()
    assert "24(3)" not in seen(once, twice, repair(300, fault="other")).articles()
    other = repair(200, fault="a", replaced_parts=((system, "p2"),))
    assert "24(3)" not in seen(once, other, repair(300, fault="a")).articles(), "two parts once each"


def test_a_part_of_no_main_system_never_counts() -> None:
    part = (("WIPER", "blade"),)
    watch = seen(*(repair(100 * n, fault=f"f{n}", replaced_parts=part) for n in (1, 2, 3)))
    assert watch.findings == []
    assert watch.alerts == []


@pytest.mark.parametrize(
    ("days", "found", "alert"), [(19, False, None), (20, False, 20), (30, False, 30), (31, True, None)]
)
def test_more_than_thirty_repair_days(days: int, found: bool, alert: int | None) -> None:
    half = days // 2
    watch = seen(repair(100, 24 * half, fault="a"), repair(200, 24 * (days - half), fault="b"))
    assert watch.days == days
    assert ("DAYS" in [f.subject for f in watch.findings]) is found
    assert [a.count for a in watch.alerts if a.subject == "DAYS"] == ([alert] if alert else [])


@pytest.mark.parametrize(("times", "found", "alert"), [(2, False, None), (3, False, 3), (4, False, 4), (5, True, None)])
def test_the_same_problem_more_than_four_times(times: int, found: bool, alert: int | None) -> None:
    watch = seen(*(repair(50 * n + 10, 5) for n in range(times)))
    assert ("noise" in [f.subject for f in watch.findings]) is found
    assert [a.count for a in watch.alerts if a.subject == "noise"] == ([alert] if alert else [])


def test_repairs_after_the_period_do_not_count() -> None:
    """Day 730 (2026-03-01) is the last; a fifth repair the day after gives no right."""
    four = [repair(100 * n, 5, km=100 * n) for n in range(1, 5)]
    assert START + timedelta(days=730) == date(2026, 3, 1)
    assert "24(4)" in seen(*four, repair(730, 5, km=900), day=800).articles()
    assert "24(4)" not in seen(*four, repair(731, 5, km=900), day=800).articles()
    assert "24(4)" not in seen(*four, repair(500, 5, km=50_001), day=800).articles()


@pytest.mark.parametrize(("times", "days", "articles"), [(5, 35, []), (6, 35, ["24(4)"]), (5, 36, ["24(4)"])])
def test_the_older_table_has_its_own_numbers(times: int, days: int, articles: list[str]) -> None:
    long = days - (times - 1)
    repairs = [repair(50 * n + 10, 24) for n in range(times - 1)] + [repair(400, 24 * long)]
    watch = seen(*repairs, day=500, rules=ORDER_150)
    assert [a for a in watch.articles() if a == "24(4)"] == articles


def test_a_car_without_repairs_has_only_its_periods() -> None:
    watch = seen(day=400)
    assert (watch.repair_period, watch.replace_period, watch.early_period) == (True, True, False)
    assert (watch.findings, watch.alerts, watch.days) == ([], [], 0)


# --- art. 27 ---


@pytest.mark.parametrize(
    ("price", "km", "n", "fee"),
    [
        ("200000", 10_000, "0.005", "10000.00"),
        ("200000", 0, "0.005", "0.00"),
        ("158800", 12_345, "0.003", "5881.16"),
        ("200000", 300_000, "0.005", "200000.00"),  # never more than the price
        ("200000", 10_000, "0", "0.00"),
    ],
)
def test_the_fee_for_use(price: str, km: int, n: str, fee: str) -> None:
    assert sw.use_fee(ORDER_43, Decimal(price), km, Decimal(n)) == Decimal(fee)


@pytest.mark.parametrize("n", ["0.00501", "-0.001", "0.008"])
def test_a_coefficient_outside_the_table_is_refused(n: str) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 0\.005"):
        sw.use_fee(ORDER_43, Decimal(200000), 1000, Decimal(n))


def test_the_older_table_had_a_lower_bound_too() -> None:
    assert sw.use_fee(ORDER_150, Decimal(200000), 1000, Decimal("0.008")) == Decimal("1600.00")
    with pytest.raises(ValueError, match=r"between 0\.005 and 0\.008"):
        sw.use_fee(ORDER_150, Decimal(200000), 1000, Decimal("0.004"))


# --- properties ---

repairs_ = st.lists(
    st.builds(
        lambda day, hours, fault, serious, part: repair(
            day, hours, fault=fault, serious=serious, km=day, replaced_parts=((part, "p"),)
        ),
        st.integers(0, 700), st.floats(0.1, 400), st.sampled_from("abc"), st.booleans(), st.sampled_from(sw.MAIN_SYSTEMS),
    ),
    max_size=12,
)  # fmt: skip


@given(repairs_, st.integers(0, 700), st.floats(0.1, 400))
def test_one_more_repair_never_takes_a_right_away(repairs: list[Repair], day: int, hours: float) -> None:
    before, after = seen(*repairs, day=760), seen(*repairs, repair(day, hours, fault="a", km=day), day=760)
    assert {(f.article, f.subject) for f in before.findings} <= {(f.article, f.subject) for f in after.findings}
    assert after.days >= before.days


stays_ = st.lists(
    st.builds(
        lambda begin, hours, off, back: stay(begin, begin + hours, away=[(begin + off, begin + off + back)]),
        st.integers(0, 200), st.floats(0.1, 90), st.floats(0, 90), st.sampled_from([0, 0, 5, 40]),
    ),
    max_size=7,
)  # fmt: skip


@given(stays_)
def test_the_days_lie_between_all_hours_together_and_each_repair_by_itself(stays: list[Repair]) -> None:
    now = at(400)
    spans = [span for one in stays for span in sw.counted_spans(one, now)]
    marks = sorted({moment for span in spans for moment in span})
    covered = sum(
        (b - a for a, b in itertools.pairwise(marks) if any(s <= a and b <= e for s, e in spans)),
        timedelta(),
    )
    days = sw.total_days(stays, now)
    assert -(-covered // timedelta(days=1)) <= days <= sum(sw.repair_days(one, now) for one in stays)
    assert days >= max((sw.repair_days(one, now) for one in stays), default=0)
    assert sw.total_days([*stays, *stays], now) == days, "entered twice, counted once"


@given(repairs_, st.randoms(use_true_random=False))
def test_the_order_in_which_repairs_are_known_changes_nothing(repairs: list[Repair], chance) -> None:
    mixed = list(repairs)
    chance.shuffle(mixed)
    one, other = seen(*repairs, day=760), seen(*mixed, day=760)
    assert sorted((f.article, f.subject, f.count) for f in one.findings) == sorted(
        (f.article, f.subject, f.count) for f in other.findings
    )


@given(repairs_)
def test_a_finding_names_the_repairs_it_stands_on(repairs: list[Repair]) -> None:
    refs = {r.ref for r in repairs}
    for finding in seen(*repairs, day=760).findings:
        assert finding.refs
        assert set(finding.refs) <= refs


@given(st.integers(0, 900), st.integers(0, 80_000))
def test_periods_lie_within_each_other(day: int, km: int) -> None:
    on = START + timedelta(days=day)
    early = sw.in_early_period(ORDER_43, START, on, km)
    replace = sw.in_replace_period(ORDER_43, START, on, km)
    assert not early or replace
    assert not replace or sw.in_repair_period(ORDER_43, START, on, km)
