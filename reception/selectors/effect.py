"""What the reception achieves: wait, abandoned visits, rating, conversion, by advisor, hour, weekday or channel (2.1.4).

Every number is counted from visits and leads to them. A rating is the customer's tap on the link; where there is none,
the last score of a feedback note that was written down counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    Avg,
    Case,
    CharField,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, ExtractHour, ExtractIsoWeekDay
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from dealership.kernel import limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store

from ..limits import GREET_MINUTES
from ..models import AppointmentSource, ReceptionNote, V, Visit

GROUPS = {"advisor": _("Advisor"), "hour": _("Hour"), "weekday": _("Weekday"), "channel": _("Channel")}
WALK_IN = "WALK_IN"
LONGEST_DAYS = 366
ROWS_SHOWN = 30
UNDECIDED = (V.WAITING, V.IN_RECEPTION)
CONVERTED = (V.IN_SHOP, V.DEPARTED)
MEASURES: dict[str, tuple[Any, Q]] = {
    "visits": (_("All visits"), Q()),
    "waited": (_("Received"), Q(greeted_at__isnull=False)),
    "over": (_("Waited too long"), Q(over=True)),
    "signed": (_("Walk-around signed"), Q(signed_at__isnull=False)),
    "left": (_("Left without reception"), Q(state=V.LEFT_UNSERVED)),
    "rated": (_("Rated"), Q(score__isnull=False)),
    "noted": (_("Feedback written down"), Q(noted__gt=0)),
    "decided": (_("Ended or in the shop"), ~Q(state__in=UNDECIDED)),
    "converted": (_("Became an order"), Q(state__in=CONVERTED)),
}
"""What a number on the page leads to: its name and which visits it counts."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of the page. Durations are averages; None where nothing was counted."""

    key: str
    label: Any
    visits: int
    waited: int
    wait: timedelta | None
    over: int
    signed: int
    sign: timedelta | None
    left: int
    rated: int
    score: float | None
    noted: int
    decided: int
    converted: int

    @property
    def wait_minutes(self) -> float | None:
        return None if self.wait is None else self.wait.total_seconds() / 60

    @property
    def sign_minutes(self) -> float | None:
        return None if self.sign is None else self.sign.total_seconds() / 60

    @property
    def left_share(self) -> float | None:
        return 100 * self.left / self.visits if self.visits else None

    @property
    def conversion(self) -> float | None:
        return 100 * self.converted / self.decided if self.decided else None


def _minus(later: str, earlier: str) -> ExpressionWrapper:
    return ExpressionWrapper(F(later) - F(earlier), output_field=DurationField())


def visits_between(by: Actor, store: Store, first: date, last: date) -> QuerySet[Any]:
    """The store's arrivals of these days (both included, store time), each with what it is grouped and counted by."""
    zone = ZoneInfo(store.time_zone)
    span = (datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone))
    told = ReceptionNote.objects.filter(visit=OuterRef("pk"), score__isnull=False).order_by("-at", "-pk")
    notes = ReceptionNote.objects.filter(visit=OuterRef("pk")).order_by().values("visit").annotate(n=Count("pk"))
    limit = timedelta(minutes=limits.value(GREET_MINUTES, store_id=store.pk))
    return (
        Visit.objects.for_actor(by)
        .filter(store=store, arrived_at__gte=span[0], arrived_at__lt=span[1])
        .annotate(
            wait=_minus("greeted_at", "arrived_at"),
            gone_after=_minus("left_at", "arrived_at"),
            sign=_minus("signed_at", "greeted_at"),
            over=Case(When(greeted_at__gt=F("arrived_at") + limit, then=Value(True)), default=Value(False)),
            score=Coalesce("rating", Subquery(told.values("score")[:1])),
            noted=Coalesce(Subquery(notes.values("n")), 0),
            advisor_key=Cast("advisor__uid", CharField()),
            hour_key=Cast(ExtractHour("arrived_at", tzinfo=zone), CharField()),
            weekday_key=Cast(ExtractIsoWeekDay("arrived_at", tzinfo=zone), CharField()),
            channel_key=Coalesce("appointment__source", Value(WALK_IN), output_field=CharField()),
        )
    )


def _count(measure: str) -> Count:
    return Count("pk", filter=MEASURES[measure][1])


def effect(by: Actor, store: Store, first: date, last: date, group: str) -> tuple[list[Effect], Effect]:
    """The lines of one grouping and their sum; the sum counts every visit once."""
    names = ["visits", "waited", "over", "signed", "left", "rated", "decided", "converted"]
    counts: dict[str, Any] = {f"n_{name}": _count(name) for name in names if name != "visits"}
    counts |= {"n_visits": Count("pk"), "n_noted": Sum("noted")}
    means = {"a_wait": Avg("wait"), "a_sign": Avg("sign"), "a_score": Avg("score")}
    rows = visits_between(by, store, first, last)
    by_key = {"key": F(f"{group}_key")}
    if group == "advisor":
        by_key["name"] = F("advisor__name")
    got = rows.order_by().values(**by_key).annotate(**counts, **means)
    lines = [_line(row, str(row["key"] or ""), _label(group, row)) for row in got]
    whole = _line(rows.aggregate(**counts, **means), "", _("Whole store"))
    return sorted(lines, key=lambda line: _place(group, line)), whole


def _line(row: Any, key: str, label: Any) -> Effect:
    counted = ("visits", "waited", "over", "signed", "left", "rated", "noted", "decided", "converted")
    score = row["a_score"]
    return Effect(
        key=key,
        label=label,
        wait=row["a_wait"],
        sign=row["a_sign"],
        score=None if score is None else float(score),
        **{name: row[f"n_{name}"] or 0 for name in counted},
    )


def _label(group: str, row: Any) -> Any:
    key = row["key"]
    if group == "advisor":
        return row["name"] or _("Nobody yet")
    if group == "hour":
        return f"{int(key):02d}:00"
    if group == "weekday":
        return WEEKDAYS[int(key) - 1]
    return _("Walk-in") if key == WALK_IN else AppointmentSource(key).label


def _place(group: str, line: Effect) -> tuple[Any, ...]:
    return (int(line.key),) if group in ("hour", "weekday") else (-line.visits, str(line.label))


@dataclass(frozen=True, slots=True)
class VisitsBehind:
    rows: list[Any]
    count: int
    page: int

    @property
    def more(self) -> bool:
        return self.page * ROWS_SHOWN < self.count


def visits_behind(
    by: Actor, store: Store, first: date, last: date, *, group: str, key: str | None, measure: str, page: int
) -> VisitsBehind:
    """The visits that a number counts, newest first; ``key`` None is the whole store."""
    rows = visits_between(by, store, first, last).filter(MEASURES[measure][1])
    if key is not None:
        rows = rows.filter(**({f"{group}_key": key} if key else {f"{group}_key__isnull": True}))
    page = max(1, page)
    shown = rows.select_related("vehicle", "advisor", "appointment").order_by("-arrived_at", "-pk")
    return VisitsBehind(list(shown[(page - 1) * ROWS_SHOWN : page * ROWS_SHOWN]), rows.count(), page)


def notes_of(visit: Visit) -> Iterable[ReceptionNote]:
    """What was written down of what the customer said, oldest first."""
    return visit.notes.select_related("written_by")
