"""三包 of a household car as pure rules (domain 3.6, SAMR Order 43, in force from 2022-01-01). No Django, no clock.

The table in force on a day applies (``rules_on``). Days are calendar dates in the store's time zone, a period counts from
the day after its beginning and its last day is in it (Civil Code art. 201), and a limit "within" includes its number
(art. 1259): at exactly 60 days or 3,000 km the early rules still apply. Amounts are CNY; repair times are aware moments.

``watch`` is the whole answer for one car: what the owner may demand and by which article, and what comes close. It decides
nothing: whether a fault is one of quality, and whether it is a serious safety fault, is a person's judgement, entered with
the repair.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from dealership.kernel.money import round_money

MAIN_ASSEMBLIES = ("ENGINE", "TRANSMISSION", "TRACTION_BATTERY", "DRIVE_MOTOR")
"""发动机、变速器、动力蓄电池、行驶驱动电机: the four of arts. 20, 22 and 24(2)."""
MAIN_SYSTEMS = (*MAIN_ASSEMBLIES, "STEERING", "BRAKES", "SUSPENSION", "DRIVELINE", "EMISSION_CONTROL", "BODY")
"""The ten whose main parts count for art. 24(3)."""


class SafetyFault(StrEnum):
    """The faults of art. 23: one of them within the early period is enough."""

    STEERING_LOST = "STEERING_LOST"
    BRAKES_LOST = "BRAKES_LOST"
    BODY_CRACKED = "BODY_CRACKED"
    FUEL_LEAK = "FUEL_LEAK"
    BATTERY_FIRE = "BATTERY_FIRE"


@dataclass(frozen=True, slots=True)
class Rules:
    """One dated table. ``replace_*`` is the 三包有效期, ``repair_*`` the 包修期; ``total_days`` and ``same_fault`` are
    passed, not reached: more than 30 days, more than 4 times."""

    since: date
    source: str
    replace_months: int = 24
    replace_km: int = 50_000
    repair_months: int = 36
    repair_km: int = 60_000
    early_days: int = 60
    early_km: int = 3_000
    first_days: int | None = 7
    total_days: int = 30
    same_fault: int = 4
    serious: int = 2
    assembly: int = 2
    main_part: int = 2
    loan_after_days: int = 5
    coefficient_max: Decimal = Decimal("0.005")
    coefficient_min: Decimal = Decimal("0")
    answer_working_days: int = 10
    finish_working_days: int = 20
    alert_total_days: tuple[int, ...] = (20, 25, 30)
    alert_same_fault: tuple[int, ...] = (3, 4)
    alert_serious: tuple[int, ...] = (1,)
    alert_loan_day: int = 4


ORDER_150 = Rules(
    since=date(2013, 10, 1),
    source="AQSIQ Order 150",
    first_days=None,
    total_days=35,
    same_fault=5,
    coefficient_min=Decimal("0.005"),
    coefficient_max=Decimal("0.008"),
    answer_working_days=10,
    finish_working_days=15,
    alert_total_days=(25, 30, 35),
    alert_same_fault=(4, 5),
)
ORDER_43 = Rules(since=date(2022, 1, 1), source="SAMR Order 43")
TABLES = (ORDER_150, ORDER_43)


def rules_on(day: date, tables: Sequence[Rules] = TABLES) -> Rules:
    """The table in force on a day. ValueError for a day before the first."""
    found = [rules for rules in tables if rules.since <= day]
    if not found:
        raise ValueError(f"No 三包 rules were in force on {day}.")
    return max(found, key=lambda rules: rules.since)


# --- periods ---


def starts_on(invoiced_on: date, delivered_on: date | None) -> date:
    """Art. 18: the day of the invoice; where the car was delivered on another day, that day."""
    return delivered_on or invoiced_on


def last_day(start: date, *, months: int = 0, days: int = 0) -> date:
    """The last day of a period that began on ``start``: its own number in the month, or the month's end."""
    if days:
        return start + timedelta(days=days)
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def _within(day: date, km: int | None, last: date, limit: int) -> bool:
    return day <= last and (km is None or km <= limit)


def in_repair_period(rules: Rules, start: date, day: date, km: int | None) -> bool:
    """包修期: labour and material free of charge, whichever limit is reached first. Kilometres may be unknown."""
    return start <= day and _within(day, km, last_day(start, months=rules.repair_months), rules.repair_km)


def in_replace_period(rules: Rules, start: date, day: date, km: int | None) -> bool:
    """三包有效期: replacement or return of the car may be demanded."""
    return start <= day and _within(day, km, last_day(start, months=rules.replace_months), rules.replace_km)


def in_early_period(rules: Rules, start: date, day: date, km: int | None) -> bool:
    """Arts. 20 and 23: 60 days or 3,000 km, whichever is first."""
    return start <= day and _within(day, km, last_day(start, days=rules.early_days), rules.early_km)


def in_wear_period(start: date, day: date, km: int | None, months: int, limit: int) -> bool:
    """A wear part: the period that the maker states for its kind, whichever limit is reached first."""
    return start <= day and _within(day, km, last_day(start, months=months), limit)


def in_first_days(rules: Rules, start: date, day: date) -> bool:
    """Art. 22: seven days; not in the older table."""
    return rules.first_days is not None and start <= day <= last_day(start, days=rules.first_days)


# --- repair time ---


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair of a quality fault, as far as 三包 counts it.

    ``agreed_at`` and ``completed_at`` are aware, in the store's time zone; an open repair has no end. ``excluded`` are
    spans that the total of 30 days leaves out (transport of VIN-bound parts and of the traction battery, rescue travel;
    art. 24), never the rule of the sixth day. ``away`` are spans in which the owner had the car back between two trips of
    one repair: they count for neither. ``fault`` names the same problem across repairs. ``replaced_assembly`` is
    one of ``MAIN_ASSEMBLIES``, ``replaced_parts`` are (system, part) with a system of ``MAIN_SYSTEMS``.
    """

    agreed_at: datetime
    completed_at: datetime | None
    fault: str
    km: int | None = None
    serious: bool = False
    safety: SafetyFault | None = None
    replaced_assembly: str | None = None
    replaced_parts: tuple[tuple[str, str], ...] = ()
    main_part_needed: str | None = None
    excluded: tuple[tuple[datetime, datetime], ...] = ()
    away: tuple[tuple[datetime, datetime], ...] = ()
    ref: str = ""


Span = tuple[datetime, datetime]


def counted_spans(repair: Repair, now: datetime, *, exclude: bool = True) -> list[Span]:
    """What counts of a repair, in order: from the agreement to the completion (or now), without the time the owner had
    the car back and, unless they are asked for, without the excluded spans."""
    end, upto = max(repair.agreed_at, repair.completed_at or now), repair.agreed_at
    found: list[Span] = []
    for begin, stop in sorted([*repair.away, *(repair.excluded if exclude else ())]):
        begin, stop = max(begin, upto), min(stop, end)
        if stop > begin:
            if begin > upto:
                found.append((upto, begin))
            upto = stop
    if end > upto:
        found.append((upto, end))
    return found


def _together(spans: Iterable[Span]) -> timedelta:
    """How much time spans cover; what several of them share counts once."""
    taken, upto = timedelta(), None
    for begin, stop in sorted(spans):
        begin = begin if upto is None else max(begin, upto)
        if stop > begin:
            taken += stop - begin
        upto = stop if upto is None else max(upto, stop)
    return taken


def _begun_days(taken: timedelta) -> int:
    """Art. 40: hours ÷ 24, every begun day counts whole."""
    return -(-taken // timedelta(days=1))


def repair_time(repair: Repair, now: datetime, *, exclude: bool = True) -> timedelta:
    """The hours of one repair that count."""
    return _together(counted_spans(repair, now, exclude=exclude))


def repair_days(repair: Repair, now: datetime, *, exclude: bool = True) -> int:
    """Art. 40: hours ÷ 24, every begun day counts whole."""
    return _begun_days(repair_time(repair, now, exclude=exclude))


def total_days(repairs: Iterable[Repair], now: datetime) -> int:
    """All repair days of the car together, without what may be left out.

    Each repair's hours make its own begun days (art. 40). Hours that several repairs share count once: the car is in
    repair, not the order. A repair that joins two others never makes their days fewer than they are without it.
    """
    stays = [stay for stay in (counted_spans(repair, now) for repair in repairs) if stay]
    return sum(_days_of(group) for group in _sharing(stays))


def _sharing(stays: Iterable[list[Span]]) -> list[list[list[Span]]]:
    """Stays in groups: those that share time, by themselves or through others."""
    groups: list[list[list[Span]]] = []
    for stay in stays:
        met = [group for group in groups if any(_share(stay, other) for other in group)]
        groups = [group for group in groups if group not in met]
        groups.append([stay, *(other for group in met for other in group)])
    return groups


def _share(one: list[Span], other: list[Span]) -> bool:
    return any(begin < until and start < stop for begin, stop in one for start, until in other)


def _days_of(group: list[list[Span]]) -> int:
    """The most begun days of a group by stretches that don't overlap, each with the hours of the stays within it."""
    best: list[tuple[datetime, int]] = []
    for end in sorted({stay[-1][1] for stay in group}):
        here = [stay for stay in group if stay[-1][1] <= end]
        most = best[-1][1] if best else 0
        for begin in {stay[0][0] for stay in here}:
            before = max((days for upto, days in best if upto <= begin), default=0)
            within = _together(span for stay in here if stay[0][0] >= begin for span in stay)
            most = max(most, before + _begun_days(within))
        best.append((end, most))
    return best[-1][1]


def loan_days(rules: Rules, repair: Repair, now: datetime) -> int:
    """Art. 21: days for which a loan car or transport money is owed: from the sixth on, waiting for parts included."""
    return max(0, repair_days(repair, now, exclude=False) - rules.loan_after_days)


def loan_due_at(rules: Rules, repair: Repair) -> datetime:
    """The moment from which the loan car is owed, if the repair isn't done by then."""
    return moment_after(repair, timedelta(days=rules.loan_after_days))


def moment_after(repair: Repair, taken: timedelta) -> datetime:
    """When so much of the repair has passed; while the owner has the car back its time stands still."""
    at, upto = repair.agreed_at + taken, repair.agreed_at
    for begin, stop in sorted(repair.away):
        begin = max(begin, upto)
        if begin > at:
            break
        if stop > begin:
            at += stop - begin
            upto = stop
    return at


# --- what the owner may demand ---


class Remedy(StrEnum):
    REPLACE_OR_RETURN = "REPLACE_OR_RETURN"
    FREE_ASSEMBLY = "FREE_ASSEMBLY"
    LOAN_OR_TRANSPORT = "LOAN_OR_TRANSPORT"


@dataclass(frozen=True, slots=True)
class Finding:
    """``article`` of the table, the remedy, whether use is paid for (art. 27), and the repairs it stands on."""

    article: str
    remedy: Remedy
    pays_for_use: bool = False
    subject: str = ""
    count: int = 0
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """What comes close: ``count`` of ``limit`` (the limit itself is still allowed where it must be passed)."""

    article: str
    count: int
    limit: int
    subject: str = ""


@dataclass(slots=True)
class Watch:
    repair_period: bool
    replace_period: bool
    early_period: bool
    days: int = 0
    findings: list[Finding] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def articles(self) -> list[str]:
        return [finding.article for finding in self.findings]


def watch(rules: Rules, start: date, repairs: Sequence[Repair], now: datetime, km: int | None) -> Watch:
    """What stands for one car at ``now`` with ``km`` on the clock; ``repairs`` of all stores and owners, any order.

    Each rule is read on the day its own repair was agreed (its kilometres then); a right once come about stays while the
    三包有效期 of the day it came about had not ended.
    """
    day = now.date()
    ordered = sorted(repairs, key=lambda repair: repair.agreed_at)
    found = Watch(
        repair_period=in_repair_period(rules, start, day, km),
        replace_period=in_replace_period(rules, start, day, km),
        early_period=in_early_period(rules, start, day, km),
    )
    inside = [repair for repair in ordered if in_replace_period(rules, start, repair.agreed_at.date(), repair.km)]
    found.days = total_days(inside, now)
    for repair in ordered:
        _early(rules, start, repair, found)
    _serious(rules, inside, found)
    _assemblies(rules, inside, found)
    _parts(rules, inside, found)
    _days(rules, inside, now, found)
    _same_fault(rules, inside, found)
    for repair in ordered:
        _loan(rules, start, repair, now, found)
    return found


def _early(rules: Rules, start: date, repair: Repair, found: Watch) -> None:
    on = repair.agreed_at.date()
    if repair.safety is not None and in_early_period(rules, start, on, repair.km):
        found.findings.append(
            Finding("23", Remedy.REPLACE_OR_RETURN, subject=repair.safety.value, count=1, refs=(repair.ref,))
        )
    needed = repair.replaced_assembly or repair.main_part_needed
    if needed not in MAIN_ASSEMBLIES:
        return
    if in_first_days(rules, start, on):
        found.findings.append(Finding("22", Remedy.REPLACE_OR_RETURN, subject=needed, count=1, refs=(repair.ref,)))
    if repair.main_part_needed in MAIN_ASSEMBLIES and in_early_period(rules, start, on, repair.km):
        found.findings.append(Finding("20", Remedy.FREE_ASSEMBLY, subject=needed, count=1, refs=(repair.ref,)))


def _serious(rules: Rules, inside: Sequence[Repair], found: Watch) -> None:
    """Art. 24(1): repaired twice for a serious safety fault, and the fault is there again or a new one appears."""
    serious = [repair for repair in inside if repair.serious]
    done = [repair for repair in serious if repair.completed_at is not None]
    again = len(serious) > rules.serious
    if again and len(done) >= rules.serious:
        found.findings.append(
            Finding("24(1)", Remedy.REPLACE_OR_RETURN, pays_for_use=True, count=len(serious), refs=_refs(serious))
        )
    elif len(serious) in rules.alert_serious or len(serious) == rules.serious:
        found.alerts.append(Alert("24(1)", len(serious), rules.serious))


def _assemblies(rules: Rules, inside: Sequence[Repair], found: Watch) -> None:
    """Art. 24(2): one of the four assemblies replaced twice, and it still can't be used normally."""
    for name in MAIN_ASSEMBLIES:
        replaced = [repair for repair in inside if repair.replaced_assembly == name]
        if len(replaced) < rules.assembly:
            if replaced:
                found.alerts.append(Alert("24(2)", len(replaced), rules.assembly, name))
            continue
        second = replaced[rules.assembly - 1]
        later = [
            repair
            for repair in inside
            if repair.agreed_at > second.agreed_at
            and name in (repair.replaced_assembly, repair.main_part_needed, *(s for s, _ in repair.replaced_parts))
        ]
        if later:
            found.findings.append(
                Finding(
                    "24(2)",
                    Remedy.REPLACE_OR_RETURN,
                    pays_for_use=True,
                    subject=name,
                    count=len(replaced),
                    refs=_refs([*replaced, *later]),
                )
            )
        else:
            found.alerts.append(Alert("24(2)", len(replaced), rules.assembly, name))


def _parts(rules: Rules, inside: Sequence[Repair], found: Watch) -> None:
    """Art. 24(3): the same main part of one of the ten systems replaced twice, and it still can't be used normally."""
    by_part: dict[tuple[str, str], list[Repair]] = defaultdict(list)
    for repair in inside:
        for part in set(repair.replaced_parts):
            if part[0] in MAIN_SYSTEMS:
                by_part[part].append(repair)
    for key, replaced in sorted(by_part.items()):
        name = ":".join(key)
        if len(replaced) < rules.main_part:
            found.alerts.append(Alert("24(3)", len(replaced), rules.main_part, name))
            continue
        second = replaced[rules.main_part - 1]
        faults = {repair.fault for repair in replaced}
        later = [
            repair
            for repair in inside
            if repair.agreed_at > second.agreed_at and (key in repair.replaced_parts or repair.fault in faults)
        ]
        if later:
            found.findings.append(
                Finding(
                    "24(3)",
                    Remedy.REPLACE_OR_RETURN,
                    pays_for_use=True,
                    subject=name,
                    count=len(replaced),
                    refs=_refs([*replaced, *later]),
                )
            )
        else:
            found.alerts.append(Alert("24(3)", len(replaced), rules.main_part, name))


def _days(rules: Rules, inside: Sequence[Repair], now: datetime, found: Watch) -> None:
    if found.days > rules.total_days:
        found.findings.append(
            Finding(
                "24(4)",
                Remedy.REPLACE_OR_RETURN,
                pays_for_use=True,
                subject="DAYS",
                count=found.days,
                refs=_refs(inside),
            )
        )
    elif found.days >= min(rules.alert_total_days):
        found.alerts.append(Alert("24(4)", found.days, rules.total_days, "DAYS"))


def _same_fault(rules: Rules, inside: Sequence[Repair], found: Watch) -> None:
    by_fault: dict[str, list[Repair]] = defaultdict(list)
    for repair in inside:
        by_fault[repair.fault].append(repair)
    for fault, repairs in sorted(by_fault.items()):
        if len(repairs) > rules.same_fault:
            found.findings.append(
                Finding(
                    "24(4)",
                    Remedy.REPLACE_OR_RETURN,
                    pays_for_use=True,
                    subject=fault,
                    count=len(repairs),
                    refs=_refs(repairs),
                )
            )
        elif len(repairs) >= min(rules.alert_same_fault):
            found.alerts.append(Alert("24(4)", len(repairs), rules.same_fault, fault))


def _loan(rules: Rules, start: date, repair: Repair, now: datetime, found: Watch) -> None:
    """Art. 21 holds through the whole 包修期."""
    if not in_repair_period(rules, start, repair.agreed_at.date(), repair.km):
        return
    owed = loan_days(rules, repair, now)
    if owed:
        found.findings.append(
            Finding("21", Remedy.LOAN_OR_TRANSPORT, subject=repair.ref, count=owed, refs=(repair.ref,))
        )
    elif repair.completed_at is None and repair_days(repair, now, exclude=False) >= rules.alert_loan_day:
        days = repair_days(repair, now, exclude=False)
        found.alerts.append(Alert("21", days, rules.loan_after_days, repair.ref))


def _refs(repairs: Iterable[Repair]) -> tuple[str, ...]:
    return tuple(repair.ref for repair in repairs)


# --- money and clocks ---


def use_fee(rules: Rules, price: Decimal, km: int, coefficient: Decimal) -> Decimal:
    """Art. 27: car price × km ÷ 1,000 × n, for cases of art. 24 alone, never more than the price.

    ValueError for negative numbers and for a coefficient outside the table.
    """
    if price < 0 or km < 0:
        raise ValueError("Price and kilometres are not negative.")
    if not rules.coefficient_min <= coefficient <= rules.coefficient_max:
        raise ValueError(f"The coefficient lies between {rules.coefficient_min} and {rules.coefficient_max}.")
    return min(round_money(price), round_money(price * km / 1000 * coefficient))
