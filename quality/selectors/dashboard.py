"""What managers look at (6.2): tiles, one control chart, why cars wait, advisors and the heat of arrivals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO
from dealership.process.figures import FIGURES
from dealership.process.selectors.figures import Reading, by_day, by_dimension, read_many
from delivery.models import Payment, Settlement, SettlementState
from quality.rules import out_of_control, p_limits
from reception.models import OPEN_VISITS, ConsultationChannel, ConsultationTopic, Visit
from staff.models import Employee

TILES = (
    "reception.cars_in", "delivery.on_time", "workshop.external_rework", "delivery.hours_per_order",
    "delivery.revenue", "delivery.csi",
)  # fmt: skip
PERIODS = {"day": 1, "week": 7, "month": 30}
CAUSES: dict[str, tuple[Any, str]] = {
    "PARTS": (_("Waiting for parts"), "wait"),
    "CUSTOMER": (_("Customer's decision"), "consent"),
    "BAY": (_("Waiting for a bay"), "booked"),
    "TECHNICIAN": (_("Waiting for a technician"), "work"),
    "TOOL": (_("Waiting for a tool"), "inspect"),
    "HELP": (_("Waiting for help"), "reception"),
    "SUBLET": (_("Outside work"), "booked"),
}
WIDTH, HEIGHT, LABELS = 620, 236, 84
"""Of a chart in SVG units; the labels of its limits stand at the right."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with the change against the period before and the points of its line (SVG units)."""

    reading: Reading
    before: Reading
    line: str

    @property
    def change(self) -> Decimal | None:
        if self.reading.value is None or self.before.value is None:
            return None
        return self.reading.value - self.before.value

    @property
    def better(self) -> bool | None:
        up = self.reading.figure.higher_is_better
        return None if up is None or not self.change else (self.change > 0) == up


def period(name: str, today: date | None = None) -> tuple[date, date]:
    """First and last day: the last 1, 7 or 30 days ending today."""
    last = today or clock.today()
    return last - timedelta(days=PERIODS[name] - 1), last


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the shop now, whatever the period: cars overnight, over three days, money not yet in (CNY)."""

    overnight: int
    over_three_days: int
    receivable: Decimal


def standing(by: Actor) -> Standing:
    """Cars that came before today (store time) and are still here; what signed lists ask for less what was paid."""
    store = Store.objects.get(pk=by.store_id)
    midnight = datetime.combine(clock.today(store.time_zone), time(), tzinfo=ZoneInfo(store.time_zone))
    here = Visit.objects.for_actor(by).filter(state__in=OPEN_VISITS, arrived_at__lt=midnight)
    signed = Settlement.objects.for_actor(by).filter(state=SettlementState.SIGNED)
    asked = signed.aggregate(sum=Sum("total"))["sum"] or ZERO
    paid = Payment.objects.filter(settlement__in=signed).aggregate(sum=Sum("amount"))["sum"] or ZERO
    return Standing(here.count(), here.filter(arrived_at__lt=midnight - timedelta(days=2)).count(), asked - paid)


def tiles(by: Actor, first: date, last: date) -> list[Tile]:
    span = last - first + timedelta(days=1)
    now, before = read_many(by, first, last), read_many(by, first - span, last - span)
    start = min(first, last - timedelta(days=13))
    return [Tile(now[code], before[code], sparkline(by_day(by, code, start, last))) for code in TILES if code in now]


def sparkline(days: list[Reading], *, width: int = 160, height: int = 28) -> str:
    """Points of a polyline in a ``width`` × ``height`` box; '' for fewer than two days."""
    values = [float(r.value) for r in days if r.value is not None]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or 1
    step = width / (len(values) - 1)
    return " ".join(
        f"{i * step:.1f},{height - 2 - (v - low) / spread * (height - 4):.1f}" for i, v in enumerate(values)
    )


def control_chart(by: Actor, code: str, last: date, *, days: int = 28) -> dict[str, Any]:
    """A p chart of a share by day: points, centre and limits in SVG units, with what is out of control."""
    readings = by_day(by, code, last - timedelta(days=days - 1), last)
    shares = [(float(r.numerator), float(r.denominator)) for r in readings]
    total = sum(n for _, n in shares)
    if len(shares) < 2 or not total:
        return {"points": [], "code": code}
    centre = sum(x for x, _ in shares) / total
    flagged = set(out_of_control(shares))
    step = (WIDTH - 44 - LABELS) / (len(shares) - 1)

    def y(share: float) -> float:
        return round(12 + (1 - share) * (HEIGHT - 52), 1)

    points = [
        {
            "x": round(44 + i * step, 1), "y": y(x / n), "day": r.day, "value": r.value, "n": int(n), "out": i in flagged,
        }
        for i, (r, (x, n)) in enumerate(zip(readings, shares, strict=True))
    ]  # fmt: skip
    limits = p_limits(centre, total / len(shares))
    return {
        "code": code,
        "figure": FIGURES[code],
        "points": points,
        "line": " ".join(f"{p['x']},{p['y']}" for p in points),
        "centre": {"y": y(centre), "value": round(centre * 100, 1)},
        "upper": {"y": y(limits.upper), "value": round(limits.upper * 100, 1)},
        "lower": {"y": y(limits.lower), "value": round(limits.lower * 100, 1)},
        "grid": [{"y": y(v / 100), "value": v} for v in (0, 25, 50, 75, 100)],
        "marks": points[:: max(1, -(-len(points) // 8))],
        "end": WIDTH - LABELS,
        "n": int(total),
        "width": WIDTH,
        "height": HEIGHT,
    }


def waiting(by: Actor, first: date, last: date) -> dict[str, Any]:
    """Hours waited by cause, longest first, with each cause's share of the whole."""
    found = by_dimension(by, "workshop.waiting_hours", first, last)
    total = sum((r.numerator for r in found), Decimal(0))
    most = max((r.numerator for r in found), default=Decimal(0))
    rows = [
        {
            "cause": r.dimension,
            "label": CAUSES.get(r.dimension, (r.dimension, "booked"))[0],
            "colour": CAUSES.get(r.dimension, ("", "booked"))[1],
            "hours": round(r.numerator, 1),
            "share": round(100 * r.numerator / total) if total else 0,
            "bar": round(100 * r.numerator / most) if most else 0,
        }
        for r in sorted(found, key=lambda r: -r.numerator)
    ]  # fmt: skip
    return {"rows": rows, "total": round(total, 1)}


def dimension_label(dimension: str, names: dict[str, str]) -> Any:
    """The person, cause, channel, topic or hour that a figure is split by, in words."""
    if dimension in names:
        return names[dimension]
    if dimension in CAUSES:
        return CAUSES[dimension][0]
    for words in (ConsultationChannel, ConsultationTopic):
        if dimension in words.values:
            return words(dimension).label
    if len(dimension) == 3 and dimension[0] == "h":
        return f"{dimension[1:]}:00"
    return dimension or _("nobody")


def advisors(by: Actor, first: date, last: date) -> list[dict[str, Any]]:
    """Each advisor's figures; the last row takes what no advisor has, so that the columns add up to the store."""
    codes = ("reception.cars_in", "delivery.hours_per_order", "delivery.on_time", "delivery.csi", "delivery.revenue")
    readings = {code: {r.dimension: r for r in by_dimension(by, code, first, last)} for code in codes}
    uids = sorted(set().union(*readings.values()))
    names = {str(uid): name for uid, name in Employee.objects.filter(uid__in=uids).values_list("uid", "name")}
    rows = [
        {"name": names.get(uid, ""), "uid": uid, **{c.split(".")[1]: readings[c].get(uid) for c in codes}}
        for uid in uids
    ]
    rows.sort(key=lambda row: -(row["cars_in"].numerator if row["cars_in"] else 0))
    whole = read_many(by, first, last)["reception.cars_in"]
    rest = whole.numerator - sum((row["cars_in"].numerator for row in rows if row["cars_in"]), Decimal(0))
    if rest:
        rows.append({"name": "", "uid": "", "cars_in": Reading(whole.figure, rest, rest)})
    return rows


LABOUR = ("workshop.efficiency", "workshop.utilisation", "workshop.productivity")


def technicians(by: Actor, first: date, last: date) -> list[dict[str, Any]]:
    """The three figures of each technician (6.1), who attended most first, and the whole store in the last row."""
    readings = {code: {r.dimension: r for r in by_dimension(by, code, first, last)} for code in LABOUR}
    uids = sorted(set().union(*readings.values()))
    if not uids:
        return []
    names = {str(uid): name for uid, name in Employee.objects.filter(uid__in=uids).values_list("uid", "name")}
    rows = [
        {"name": names.get(uid, ""), "uid": uid, **{code.split(".")[1]: readings[code].get(uid) for code in LABOUR}}
        for uid in uids
    ]
    rows.sort(key=lambda row: (-(row["utilisation"].denominator if row["utilisation"] else 0), row["name"]))
    whole = read_many(by, first, last)
    return [*rows, {"name": "", "uid": "", **{code.split(".")[1]: whole[code] for code in LABOUR}}]


def heat(by: Actor, last: date, *, weeks: int = 8) -> dict[str, Any]:
    """Mean arrivals per weekday and hour over the last weeks; ``shade`` 0–5 for the colour."""
    from dealership.process.models import KpiValue

    first = last - timedelta(days=weeks * 7 - 1)
    cells: dict[tuple[int, int], Decimal] = {}
    days: dict[int, set[date]] = {}
    rows = KpiValue.objects.for_actor(by).filter(code="reception.arrivals_by_hour", day__range=(first, last))
    for day, dimension, number in rows.exclude(dimension="").values_list("day", "dimension", "numerator"):
        key = (day.weekday(), int(dimension[1:]))
        cells[key] = cells.get(key, Decimal(0)) + number
        days.setdefault(day.weekday(), set()).add(day)
    if not cells:
        return {"rows": [], "hours": []}
    hours = list(range(min(h for _, h in cells), max(h for _, h in cells) + 1))
    mean = {key: number / len(days[key[0]]) for key, number in cells.items()}
    top = max(mean.values())
    table = [
        {
            "weekday": weekday,
            "cells": [
                {
                    "hour": f"h{h:02d}",
                    "mean": round(mean.get((weekday, h), Decimal(0)), 1),
                    "shade": int(mean.get((weekday, h), 0) * 5 / top),
                }
                for h in hours
            ],
        }
        for weekday in range(7)
    ]  # fmt: skip
    return {"rows": table, "hours": hours}
