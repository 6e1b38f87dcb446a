"""What waits for an inspection, by level, with who worked on it (3.2, domain 3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Count, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Length, Substr
from django.utils.translation import gettext

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_list
from reception.models import Customer, Visit
from staff.models import Employee, PostHolding
from staff.selectors.employees import employed, employee_of, in_force
from workshop import rules
from workshop.limits import INSPECTION_LEVELS, INSPECTION_NEW_DAYS, INSPECTION_SAMPLES
from workshop.models import (
    Certificate,
    CertificateRange,
    Clocking,
    FailureCause,
    Inspection,
    InspectionLevel,
    InspectionResult,
    LineState,
    OrderLine,
    OrderStage,
    RepairOrder,
)

L = LineState
LEVELS = (InspectionLevel.SELF, InspectionLevel.TEAM, InspectionLevel.FINAL)


@dataclass
class Waiting:
    """One order whose work is done; ``level`` is the inspection that comes next."""

    order: RepairOrder
    lines: list[OrderLine]
    level: str
    since: datetime | None
    workers: dict[int, str]
    failures: int
    last_failure: Inspection | None
    driven: Inspection | None = None
    """The road test of an earlier level since the last work, to be taken over."""
    unchecked: list[OrderLine] = field(default_factory=list)
    """Finished lines that none of those who worked on them has self-checked."""
    passed_by: dict[int, str] = field(default_factory=dict)
    """Who passed a level before since the last work: three levels are three people (3.2)."""
    team_check_for: str = ""
    """Why the team check is asked (``LEVELS``, ``SAMPLE``, ``NEW``), where it comes next."""

    @property
    def worker_ids(self) -> set[int]:
        return set(self.workers)

    @property
    def done(self) -> list[tuple[OrderLine, str, bool]]:
        """Each line with the names of those who worked on it, and whether its self check is missing."""
        return [
            (line, say_list(sorted({c.employee.name for c in line.clockings.all()})), line in self.unchecked)
            for line in self.lines
        ]

    @property
    def owing(self) -> dict[int, str]:
        """Whose self check is missing: who worked on a line that nobody of its own has checked."""
        return {c.employee_id: c.employee.name for line in self.unchecked for c in line.clockings.all()}

    @property
    def level_label(self) -> str:
        return str(InspectionLevel(self.level).label)

    @property
    def asks_road_test(self) -> bool:
        """Brakes, steering, drive: what concerns safety is driven before the final inspection passes (domain 3.4)."""
        return any(line.is_safety and line.state == L.COMPLETED for line in self.lines)

    @property
    def certificate_category(self) -> str | None:
        return rules.certificate_category(line.category for line in self.lines)


def _checks() -> QuerySet[Inspection]:
    return Inspection.objects.select_related("inspector", "failed_line", "road_test_driver").order_by("id")


def _rows(actor: Actor) -> list[RepairOrder]:
    return list(
        RepairOrder.objects.for_actor(actor)
        .filter(stage=OrderStage.INSPECTION)
        .select_related("vehicle", "visit", "advisor", "store")
        .prefetch_related(
            Prefetch("lines", OrderLine.objects.filter(state__in=(L.COMPLETED, L.INSPECTED)).order_by("position")),
            Prefetch("lines__clockings", Clocking.objects.select_related("employee")),
            Prefetch(
                "inspections",
                Inspection.objects.select_related("inspector", "failed_line", "road_test_driver").order_by("id"),
            ),
        )
        .order_by(F("promised_at").asc(nulls_last=True), "pk")
    )


def waiting(actor: Actor, *, level: str = "") -> list[Waiting]:
    """Orders to be inspected, the earliest promise first; with ``level`` only those whose turn it is there."""
    found = [_waiting(order) for order in _rows(actor)]
    return [row for row in found if not level or row.level == level]


def levels_of(order: RepairOrder, lines: Iterable[OrderLine]) -> tuple[InspectionLevel, ...]:
    """The inspections that finished ``lines`` of the order need, by today's setting of the store (3.2)."""
    return LEVELS if team_check_for(order, lines) else (InspectionLevel.SELF, InspectionLevel.FINAL)


def team_check_for(order: RepairOrder, lines: Iterable[OrderLine]) -> str:
    """Why the order's finished lines need the team check: their category or safety (``LEVELS``), the sample (``SAMPLE``),
    somebody new (``NEW``), or ''."""
    lines = [line for line in lines if line.state == L.COMPLETED]
    today = clock.today(order.store.time_zone)

    def asked(key: Any) -> Any:
        return limits.value(key, store_id=order.store_id, on=today)

    if rules.needs_team_check([(line.category, line.is_safety) for line in lines], asked(INSPECTION_LEVELS)):
        return "LEVELS"
    if rules.is_drawn(order.uid, [line.category for line in lines], asked(INSPECTION_SAMPLES)):
        return "SAMPLE"
    since = today - timedelta(days=asked(INSPECTION_NEW_DAYS))
    new = since < today and any(c.employee.hired_on > since for line in lines for c in line.clockings.all())
    return "NEW" if new else ""


def _waiting(order: RepairOrder) -> Waiting:
    lines = list(order.lines.all())
    ends = [line.completed_at for line in lines if line.state == L.COMPLETED and line.completed_at]
    since = max(ends) if ends else None
    checks = list(order.inspections.all())
    passed = {
        check.level
        for check in checks
        if check.result == InspectionResult.PASSED and (since is None or check.at >= since)
    }
    failed = [check for check in checks if check.result == InspectionResult.FAILED]
    unchecked = not_self_checked(lines, checks)
    if unchecked:
        passed.discard(InspectionLevel.SELF)
    needed = levels_of(order, lines)
    level = next((str(level) for level in needed if level not in passed), str(InspectionLevel.FINAL))
    workers = {c.employee_id: c.employee.name for line in lines for c in line.clockings.all()}
    driven = [check for check in checks if check.road_test_km and (since is None or check.at >= since)]
    return Waiting(
        order,
        lines,
        level,
        since,
        workers,
        len(failed),
        failed[-1] if failed else None,
        driven[-1] if driven else None,
        unchecked,
        {
            check.inspector_id: check.inspector.name
            for check in checks
            if check.result == InspectionResult.PASSED and (since is None or check.at >= since)
        },
        team_check_for(order, lines) if level == InspectionLevel.TEAM else "",
    )


def not_self_checked(lines: Iterable[OrderLine], checks: Iterable[Inspection]) -> list[OrderLine]:
    """The finished lines that nobody who worked on them has self-checked since (domain 3.4).

    One person's check doesn't stand for another one's work; of several on one line one is enough. A line on which
    nobody was clocked asks for none.
    """
    own = [c for c in checks if c.level == InspectionLevel.SELF and c.result == InspectionResult.PASSED]
    found = []
    for line in lines:
        workers = {c.employee_id for c in line.clockings.all()}
        passed = (c for c in own if c.inspector_id in workers and (not line.completed_at or c.at >= line.completed_at))
        if line.state == L.COMPLETED and workers and not any(passed):
            found.append(line)
    return found


def last_reading(visit: Visit) -> int:
    """The highest mileage known of the visit's car (km): its own, at the arrival, after a road test (readings or distance)."""
    driven = Inspection.objects.filter(order__visit=visit).aggregate(
        to=Max("road_test_to_km"), alone=Max("road_test_km", filter=Q(road_test_to_km__isnull=True))
    )
    begun = visit.odometer_in_km or 0
    return max(begun + (driven["alone"] or 0), visit.vehicle.odometer_km, driven["to"] or 0)


DRIVERS = ("technician", "leader", "inspector", "foreman", "techdirector")


def drivers(actor: Actor) -> list[Employee]:
    """Who may have driven a road test: the people of the workshop, oneself first."""
    today = clock.today()
    posts = PostHolding.objects.filter(in_force(today), post__role__in=DRIVERS).values("employee_id")
    people = Employee.objects.for_actor(actor).filter(employed(today), pk__in=posts).order_by("pinyin", "pk")
    me = employee_of(actor)
    return ([] if me is None else [me]) + [person for person in people if person != me]


def waiting_for(actor: Actor, order_uid: UUID) -> Waiting:
    """One order as the inspection form needs it, whatever its stage."""
    order = (
        RepairOrder.objects.for_actor(actor)
        .select_related("vehicle", "visit", "advisor", "store")
        .prefetch_related(
            Prefetch("lines", OrderLine.objects.filter(state__in=(L.COMPLETED, L.INSPECTED)).order_by("position")),
            Prefetch("lines__clockings", Clocking.objects.select_related("employee")),
            Prefetch(
                "inspections",
                Inspection.objects.select_related("inspector", "failed_line", "road_test_driver").order_by("id"),
            ),
        )
        .get(uid=order_uid)
    )
    return _waiting(order)


@dataclass
class Queue:
    rows: list[Waiting]
    counts: dict[str, int]
    failed_today: int
    numbers_left: int
    certificates: list[RepairOrder]
    own_id: int | None


def queue(actor: Actor, *, level: str = "") -> Queue:
    """The page of inspections: what waits, how much at which level, certificates to be made out."""
    rows = waiting(actor)
    me = employee_of(actor)
    midnight = clock.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return Queue(
        rows=[row for row in rows if not level or row.level == level],
        counts={str(each): sum(row.level == each for row in rows) for each in LEVELS},
        failed_today=Inspection.objects.for_actor(actor)
        .filter(result=InspectionResult.FAILED, at__gte=midnight)
        .count(),
        numbers_left=sum(number_ranges(actor).values_list("left", flat=True)),
        certificates=without_certificate(actor),
        own_id=me.pk if me else None,
    )


@dataclass(frozen=True, slots=True)
class CauseCount:
    label: str
    count: int
    percent: int


@dataclass(frozen=True, slots=True)
class Causes:
    """Internal rework by cause: the failed of the ``inspected`` team and final inspections since a day (domain 6.1 内返率)."""

    since: date
    inspected: int
    failed: int
    rows: list[CauseCount]

    @property
    def percent(self) -> int:
        return round(100 * self.failed / self.inspected) if self.inspected else 0


CAUSE_DAYS = 30


def failures_by_cause(actor: Actor, *, days: int = CAUSE_DAYS) -> Causes:
    """What the figure “Failed at inspection” counts, grouped by its cause over the last ``days`` days, the most first.

    Failures from before causes were asked stand under "not recorded"; the rows add up to ``failed``.
    """
    since = clock.today() - timedelta(days=days)
    midnight = clock.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    found = Inspection.objects.for_actor(actor).filter(
        at__gte=midnight, level__in=(InspectionLevel.TEAM, InspectionLevel.FINAL)
    )
    failed = found.filter(result=InspectionResult.FAILED)
    counts = list(failed.order_by().values_list("cause").annotate(n=Count("pk")).order_by("-n", "cause"))
    total = sum(n for _cause, n in counts)
    rows = [
        CauseCount(str(FailureCause(cause).label) if cause else gettext("not recorded"), n, round(100 * n / total))
        for cause, n in counts
    ]
    return Causes(since, found.count(), total, rows)


def number_ranges(actor: Actor) -> QuerySet[Any]:
    """Allotted ranges, the newest first, with how many of their numbers are ``used``, ``void`` and ``left`` (domain 3.2).

    A number that was voided as spoiled ahead of its turn is void and no longer left.
    """
    there = Certificate.objects.filter(range=OuterRef("pk")).order_by().values("range")
    used, void = (there.filter(voided_at__isnull=valid).annotate(n=Count("pk")).values("n") for valid in (True, False))
    serial = Cast(Substr("number", Length("range__prefix") + 1), BigIntegerField())
    ahead = Certificate.objects.filter(range=OuterRef("pk"), order__isnull=True).alias(serial=serial)
    ahead = ahead.filter(serial__gte=OuterRef("next")).order_by().values("range").annotate(n=Count("pk")).values("n")
    spoiled = Coalesce(Subquery(ahead), 0)
    return (
        CertificateRange.objects.for_actor(actor)
        .annotate(
            used=Coalesce(Subquery(used), 0), void=Coalesce(Subquery(void), 0), left=F("last") - F("next") + 1 - spoiled
        )
        .order_by("-pk")
    )


def spoiled_numbers(actor: Actor) -> list[Certificate]:
    """The numbers that were voided without ever being given out, the newest first: which, why and by whom (domain 3.2)."""
    rows = Certificate.objects.for_actor(actor).filter(order__isnull=True).select_related("voided_by")
    return list(rows.order_by("-voided_at", "-pk")[:50])


def read_certificate(uid: UUID, by: Actor) -> tuple[Certificate, Customer | None]:
    """A certificate with the car's present owner, for staff or the holder of the visit's link (domain 3.2).

    Raises Certificate.DoesNotExist outside the store or visit, and for a number that was voided unused.
    """
    made = (
        Certificate.objects.for_actor(by)
        .filter(order__isnull=False)
        .select_related("store", "inspector", "order__visit", "order__vehicle", "order__customer")
        .get(uid=uid)
    )
    owned = made.order.vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
    return made, owned.customer if owned else None


def certificates_of_visit(visit_id: int, by: Actor) -> list[Certificate]:
    """The valid certificates of a visit, for the customer's link."""
    rows = Certificate.objects.for_actor(by).filter(order__visit_id=visit_id, voided_at__isnull=True)
    return list(rows.select_related("inspector").order_by("pk"))


def without_certificate(actor: Actor) -> list[RepairOrder]:
    """Orders that passed, need a certificate and have none: the car can't leave."""
    valid = Certificate.objects.filter(voided_at__isnull=True).values("order_id")
    return list(
        RepairOrder.objects.for_actor(actor)
        .filter(
            stage__in=(OrderStage.READY, OrderStage.SETTLED),
            lines__state=L.INSPECTED,
            lines__category__in=rules.CERTIFICATE_CATEGORIES,
        )
        .exclude(pk__in=valid)
        .select_related("vehicle", "visit")
        .annotate(n=Count("lines"))
        .order_by("promised_at", "pk")
    )


def count_waiting(actor: Actor) -> int:
    """For the rail: orders waiting for an inspection."""
    return RepairOrder.objects.for_actor(actor).filter(stage=OrderStage.INSPECTION).count()
