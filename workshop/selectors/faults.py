"""三包 of a car as its repairs stand: counters, rights and what comes close, across all stores (domain 3.6).

A repair counts from the customer's agreement to the inspection that passed it, without the time the owner had the car
back between two trips; hours that several lines or orders of a car share count once. A warranty line that nobody has judged
counts for its own operation until somebody has, so that no car is overlooked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    TextChoices,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dealership.catalogue.models import PayType
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from reception.models import Vehicle
from workshop import statutory_warranty as law
from workshop.away_models import AwayWait
from workshop.fault_models import FaultJudgement, MainSystem, SafetyFault
from workshop.models import (
    AGREED,
    Authorization,
    AuthorizationStatus,
    Inspection,
    InspectionResult,
    LineState,
    OrderLine,
    OrderStage,
    RepairOrder,
)
from workshop.selectors.wear import WearCover, covers, make_of

PAGE = 50
RULES = {
    "20": (
        gettext_lazy("A main part fails in the early period"),
        gettext_lazy("The whole assembly is replaced free of charge."),
    ),
    "21": (
        gettext_lazy("Days owed for this repair"),
        gettext_lazy("From the sixth day on the owner gets a loan car or transport money."),
    ),
    "22": (
        gettext_lazy("An assembly or its main part is replaced in the first days"),
        gettext_lazy("The owner may demand replacement or return of the car."),
    ),
    "23": (
        gettext_lazy("Safety fault in the early period"),
        gettext_lazy("The owner may demand replacement or return of the car."),
    ),
    "24(1)": (
        gettext_lazy("Serious safety fault"),
        gettext_lazy("Not cured by two repairs, or a new one: replacement or return of the car."),
    ),
    "24(2)": (
        gettext_lazy("Assembly replaced"),
        gettext_lazy("Replaced twice and still faulty: replacement or return of the car."),
    ),
    "24(3)": (
        gettext_lazy("Main part replaced"),
        gettext_lazy("Replaced twice and still faulty: replacement or return of the car."),
    ),
    "24(4)": (
        gettext_lazy("Same fault again"),
        gettext_lazy("More than that: replacement or return of the car."),
    ),
}
"""Each article's trigger and what follows, as the pages and the API say it."""
SOURCES = {"AQSIQ Order 150": gettext_lazy("AQSIQ Order 150"), "SAMR Order 43": gettext_lazy("SAMR Order 43")}
DONE = (OrderStage.READY, OrderStage.SETTLED, OrderStage.CLOSED)


@dataclass(slots=True)
class Counted:
    """A line that counts, with the judgement in force; without one it counts for its own words."""

    line: OrderLine
    judgement: FaultJudgement | None
    repair: law.Repair

    @property
    def fault(self) -> str:
        return self.repair.fault


@dataclass(slots=True)
class Standing:
    """Where a car stands: ``watch`` is None where its invoice date is missing or no table was in force then."""

    vehicle: Vehicle
    start: date | None
    rules: law.Rules | None
    counted: list[Counted] = field(default_factory=list)
    watch: law.Watch | None = None

    @property
    def to_judge(self) -> list[OrderLine]:
        return [row.line for row in self.counted if row.judgement is None]

    def fault_counts(self) -> list[tuple[str, int]]:
        """In how many orders each fault was repaired, the most frequent first."""
        seen: dict[str, set[int]] = defaultdict(set)
        for row in self.counted:
            seen[row.fault].add(row.line.order_id)
        return sorted(((fault, len(orders)) for fault, orders in seen.items()), key=lambda pair: (-pair[1], pair[0]))

    def assembly_counts(self) -> list[tuple[str, int]]:
        names = dict(MainSystem.choices)
        return _counts(str(names.get(row.repair.replaced_assembly or "", "")) for row in self.counted)

    def part_counts(self) -> list[tuple[str, int]]:
        names = dict(MainSystem.choices)
        return _counts(
            f"{names[system]} · {part}" for row in self.counted for system, part in row.repair.replaced_parts
        )

    @property
    def serious(self) -> int:
        return len({row.line.order_id for row in self.counted if row.repair.serious})


def _counts(names: Iterable[str | None]) -> list[tuple[str, int]]:
    found: dict[str, int] = defaultdict(int)
    for name in names:
        if name:
            found[name] += 1
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


def rules_for(start: date | None) -> law.Rules | None:
    """The table for a car whose periods began on ``start``; None without a day, and before the first table."""
    if start is None or start < min(table.since for table in law.TABLES):
        return None
    return law.rules_on(start)


def start_of(vehicle: Vehicle) -> date | None:
    return law.starts_on(vehicle.invoiced_on, vehicle.delivered_on) if vehicle.invoiced_on else vehicle.delivered_on


def _counting() -> Q:
    """Lines that count until somebody judges them otherwise: agreed work that the maker pays, and what was judged."""
    judged = Exists(FaultJudgement.objects.filter(line=OuterRef("pk")))
    return Q(state__in=[s for s in AGREED if s != LineState.WITHDRAWN]) & (Q(pay_type=PayType.WARRANTY) | Q(judged))


def standings(vehicles: Sequence[Vehicle]) -> list[Standing]:
    """Each car's standing now, in the order given; repairs of all stores and owners count."""
    now = clock.now()
    lines = list(
        OrderLine.objects.filter(_counting(), order__vehicle__in=vehicles)
        .select_related("order__store", "order__visit", "operation")
        .order_by("pk")
    )
    latest: dict[int, FaultJudgement] = {}
    for judgement in FaultJudgement.objects.filter(line__in=lines).select_related("line").order_by("pk"):
        latest[judgement.line_id] = judgement
    orders = {line.order_id for line in lines}
    agreed = _moments(
        Authorization.objects.filter(
            line__in=lines, status__in=[AuthorizationStatus.APPROVED, AuthorizationStatus.NOT_REQUIRED]
        )
        .values_list("order_id")
        .annotate(at=Min("at"))
    )
    passed = _moments(
        Inspection.objects.filter(order__in=orders, result=InspectionResult.PASSED)
        .values_list("order_id")
        .annotate(at=Max("at"))
    )
    left_out: dict[int, list[law.Span]] = defaultdict(list)
    for judgement in latest.values():
        if judgement.is_quality and judgement.left_out_from and judgement.left_out_until:
            left_out[judgement.line.order_id].append((judgement.left_out_from, judgement.left_out_until))
    away = _away({line.order.visit_id for line in lines}, now)
    by_car: dict[int, list[Counted]] = defaultdict(list)
    for line in lines:
        judgement = latest.get(line.pk)
        if judgement is not None and not judgement.is_quality:
            continue
        order = line.order
        zone = ZoneInfo(order.store.time_zone)
        begun = agreed.get(order.pk, order.opened_at).astimezone(zone)
        ended = None
        if order.stage in DONE:
            ended = (passed.get(order.pk) or order.settled_at or order.closed_at or now).astimezone(zone)
        repair = _repair(line, judgement, begun, ended, left_out=left_out[order.pk], away=away.get(order.visit_id, []))
        by_car[order.vehicle_id].append(Counted(line, judgement, repair))
    return [_standing(vehicle, by_car.get(vehicle.pk, []), now) for vehicle in vehicles]


def _moments(rows: Iterable[tuple[int, datetime]]) -> dict[int, datetime]:
    return dict(rows)


def _away(visits: set[int], now: datetime) -> dict[int, list[law.Span]]:
    """By the visit, when its car was with its owner while the order waited for a part (3.2)."""
    found: dict[int, list[law.Span]] = defaultdict(list)
    rows = AwayWait.objects.filter(visit__in=visits, left_at__isnull=False).order_by("pk")
    for visit_id, left_at, back_at in rows.values_list("visit_id", "left_at", "back_at"):
        if left_at is not None:
            found[visit_id].append((left_at, back_at or now))
    return found


def _repair(
    line: OrderLine,
    judgement: FaultJudgement | None,
    begun: datetime,
    ended: datetime | None,
    *,
    left_out: Sequence[law.Span],
    away: Sequence[law.Span],
) -> law.Repair:
    """One line as 三包 sees it. ``left_out`` is what the judgements of its order leave out of the 30 days."""
    replaced = ((judgement.system, judgement.part),) if judgement is not None and judgement.system else ()
    return law.Repair(
        agreed_at=begun,
        completed_at=ended,
        fault=(judgement.fault if judgement is not None else line.description[:60]),
        km=line.order.visit.odometer_in_km,
        serious=judgement is not None and judgement.serious,
        safety=law.SafetyFault(judgement.safety) if judgement is not None and judgement.safety else None,
        replaced_assembly=(judgement.assembly or None) if judgement is not None else None,
        replaced_parts=replaced,
        main_part_needed=judgement.main_part_needed if judgement is not None else None,
        excluded=tuple(left_out),
        away=tuple(away),
        ref=line.order.number,
    )


def _standing(vehicle: Vehicle, counted: list[Counted], now: datetime) -> Standing:
    start = start_of(vehicle)
    rules = rules_for(start)
    found = Standing(vehicle, start, rules, counted)
    if start is not None and rules is not None:
        zone = ZoneInfo(counted[-1].line.order.store.time_zone) if counted else ZoneInfo(settings.TIME_ZONE)
        repairs = [row.repair for row in counted]
        found.watch = law.watch(rules, start, repairs, now.astimezone(zone), vehicle.odometer_km)
        found.watch.findings = list({_key(finding): finding for finding in found.watch.findings}.values())
        found.watch.alerts = list({_key(alert): alert for alert in found.watch.alerts}.values())
    return found


def _key(row: law.Finding | law.Alert) -> tuple[str, str]:
    return row.article, row.subject


def rule_words(article: str, subject: str) -> str:
    """What a rule counts, with what it counts it for."""
    if article == "24(4)" and subject == "DAYS":
        return _("Days in repair in all")
    system, _sign, part = subject.partition(":")
    names = {"20": MainSystem, "22": MainSystem, "23": SafetyFault, "24(2)": MainSystem, "24(3)": MainSystem}
    about = str(dict(names[article].choices).get(system, system)) if article in names else subject
    return " · ".join(str(word) for word in (RULES[article][0], about, part) if word)


def standing_of(vehicle: Vehicle) -> Standing:
    return standings([vehicle])[0]


class Sign(TextChoices):
    """How near a counter is to its limit."""

    COUNTED = "COUNTED", gettext_lazy("Counted")
    NEAR = "NEAR", gettext_lazy("Comes close")
    RIGHT = "RIGHT", gettext_lazy("May be demanded")


@dataclass(frozen=True, slots=True)
class Row:
    """A car with one thing to care for: a ``right`` that has come about, or what comes close; ``rank`` 0 presses most."""

    standing: Standing
    article: str
    subject: str
    count: int
    limit: int
    right: law.Remedy | None
    rank: int

    @property
    def what(self) -> str:
        return rule_words(self.article, self.subject)

    @property
    def follows(self) -> Any:
        return RULES[self.article][1]

    @property
    def tone(self) -> str:
        return "late" if self.right else "soon" if self.count >= self.limit else ""


@dataclass(frozen=True, slots=True)
class AlertList:
    rows: list[Row]
    rights: int
    loans: int
    near: int
    to_judge: int


def rows_of(standing: Standing) -> list[Row]:
    """Rights that have come about and what comes close; a loan car is owed while the repair goes on."""
    watch, rules = standing.watch, standing.rules
    if watch is None or rules is None:
        return []
    rows = []
    for finding in watch.findings:
        if finding.remedy == law.Remedy.LOAN_OR_TRANSPORT and not _still_open(standing, finding.subject):
            continue
        rank = 0 if finding.remedy != law.Remedy.LOAN_OR_TRANSPORT else 1
        limit = {"24(4)": rules.total_days if finding.subject == "DAYS" else rules.same_fault}.get(finding.article, 0)
        rows.append(Row(standing, finding.article, finding.subject, finding.count, limit, finding.remedy, rank))
    rows += [
        Row(
            standing,
            alert.article,
            alert.subject,
            alert.count,
            alert.limit,
            None,
            2 + max(0, alert.limit - alert.count),
        )
        for alert in watch.alerts
    ]
    return rows


def _still_open(standing: Standing, number: str) -> bool:
    return any(row.repair.ref == number and row.repair.completed_at is None for row in standing.counted)


def watched(by: Actor) -> list[Standing]:
    """Standings of the cars of the actor's store that may have come near a limit: picked by the database, then counted.

    A car is picked for three orders that count, a judgement with something serious or replaced, an order that has been
    open for some days, or many days in all; hours are taken from the opening to the end, which is never too short.
    """
    now, today = clock.now(), clock.today()
    loan, days = timedelta(days=3), timedelta(days=19)
    since = law.last_day(today, months=-37)
    young = Q(vehicle__invoiced_on__gte=since) | Q(vehicle__delivered_on__gte=since)
    counts = OrderLine.objects.filter(_counting(), order=OuterRef("pk"))
    marked = FaultJudgement.objects.filter(line__order=OuterRef("pk"), is_quality=True).exclude(
        serious=False, assembly="", system=""
    )
    spent = ExpressionWrapper(
        Coalesce(F("closed_at"), now, output_field=DateTimeField()) - F("opened_at"), DurationField()
    )
    orders = RepairOrder.objects.filter(young, Exists(counts), withdrawn_at__isnull=True)
    picked = (
        orders.annotate(marked=Exists(marked))
        .values("vehicle_id")
        .annotate(
            n=Count("pk"),
            spent=Sum(spent),
            marks=Count("pk", filter=Q(marked=True)),
            long=Count("pk", filter=Q(opened_at__lt=now - loan) & ~Q(stage__in=DONE)),
            here=Count("pk", filter=Q(store_id=by.store_id)),
        )
        .filter(Q(n__gte=3) | Q(marks__gt=0) | Q(long__gt=0) | Q(spent__gte=days), here__gt=0)
        .order_by("vehicle_id")
    )
    cars = Vehicle.objects.in_bulk([row["vehicle_id"] for row in picked])
    return standings(list(cars.values()))


def to_judge(by: Actor) -> QuerySet[OrderLine]:
    """Warranty lines of the store that nobody has judged, the newest first."""
    judged = Exists(FaultJudgement.objects.filter(line=OuterRef("pk")))
    rows = OrderLine.objects.for_actor(by).filter(
        ~Q(judged), order__store_id=by.store_id, pay_type=PayType.WARRANTY, state__in=AGREED
    )
    return rows.exclude(state=LineState.WITHDRAWN).select_related("order__vehicle", "operation").order_by("-pk")


def alert_list(by: Actor, *, show: str = "all") -> AlertList:
    """Who needs care: cars of the store for which a right has come about or comes close, what presses most first."""
    rows = sorted(
        (row for standing in watched(by) for row in rows_of(standing)),
        key=lambda row: (row.rank, -row.count, row.standing.vehicle.pk, row.article, row.subject),
    )
    kinds = {
        "rights": [row for row in rows if row.rank == 0],
        "loans": [row for row in rows if row.article == "21"],
        "near": [row for row in rows if row.rank > 1],
    }
    return AlertList(
        rows=kinds.get(show, rows)[:PAGE],
        rights=len(kinds["rights"]),
        loans=len(kinds["loans"]),
        near=len(kinds["near"]),
        to_judge=to_judge(by).count(),
    )


def counters_of(standing: Standing) -> list[dict[str, Any]]:
    """Every counter of a car with its limit, and whether its right has come about or comes close (for the API)."""
    watch, rules = standing.watch, standing.rules
    if watch is None or rules is None:
        return []
    rows = [replace(row, subject="") if row.article == "21" else row for row in rows_of(standing)]
    signs = {(row.article, row.subject): Sign.RIGHT if row.right else Sign.NEAR for row in rows}
    counted = {
        ("24(4)", "DAYS"): (watch.days, rules.total_days),
        ("24(1)", ""): (standing.serious, rules.serious),
        **{("24(4)", fault): (n, rules.same_fault) for fault, n in standing.fault_counts()},
        **{
            ("24(2)", name): (n, rules.assembly)
            for name, n in _counts(r.repair.replaced_assembly for r in standing.counted)
        },
        **{
            ("24(3)", name): (n, rules.main_part)
            for name, n in _counts(":".join(key) for r in standing.counted for key in r.repair.replaced_parts)
        },
    }
    for row in rows:
        counted.setdefault((row.article, row.subject), (row.count, row.limit))
    return [
        {
            "article": article,
            "subject": subject,
            "what": rule_words(article, subject),
            "follows": str(RULES[article][1]),
            "count": count,
            "limit": limit,
            "sign": signs.get((article, subject), Sign.COUNTED),
        }
        for (article, subject), (count, limit) in counted.items()
    ]


class Free(TextChoices):
    """A repair that is free under 三包 while the customer is still its payer."""

    CHANGE = "CHANGE", gettext_lazy("The payer is changed to the maker")
    BEGUN = "BEGUN", gettext_lazy("Work has begun: it is taken off the bill as goodwill")


def _free(line: OrderLine, judgement: FaultJudgement | None, standing: Standing) -> Free | None:
    order = line.order
    ended = order.settled_at or order.closed_at or order.withdrawn_at
    if judgement is None or not judgement.is_quality or line.pay_type != PayType.CUSTOMER_PAY or ended:
        return None
    row = next((row for row in standing.counted if row.line.pk == line.pk), None)
    rules, start = standing.rules, standing.start
    if row is None or rules is None or start is None:
        return None
    if not law.in_repair_period(rules, start, row.repair.agreed_at.date(), row.repair.km):
        return None
    begun = line.state != LineState.AUTHORIZED or line.clockings.exists()
    begun = begun or line.part_lines.filter(issued_quantity__gt=0).exists()
    return Free.BEGUN if begun else Free.CHANGE


@dataclass(frozen=True, slots=True)
class Judged:
    """``free`` says how a line that is judged to be free still reaches the customer's bill, and so what is to be done."""

    line: OrderLine
    judgement: FaultJudgement | None
    free: Free | None = None


def judged_lines(order: RepairOrder, standing: Standing | None = None) -> list[Judged]:
    """The order's lines that count or were judged, each with the judgement in force, and with ``standing`` what is to be
    done where one that is free has the customer for its payer."""
    latest: dict[int, FaultJudgement] = {}
    for judgement in FaultJudgement.objects.filter(line__order=order).order_by("pk"):
        latest[judgement.line_id] = judgement
    lines = OrderLine.objects.filter(_counting(), order=order).select_related("operation").order_by("position")
    found = []
    for line in lines:
        judgement = latest.get(line.pk)
        line.order = order
        found.append(Judged(line, judgement, _free(line, judgement, standing) if standing is not None else None))
    return found


def known_faults(line: OrderLine) -> list[str]:
    """Faults that were judged on this car before, to be chosen where the same one is back."""
    rows = FaultJudgement.objects.filter(line__order__vehicle_id=line.order.vehicle_id, is_quality=True)
    return list(rows.order_by("fault").values_list("fault", flat=True).distinct())


def judged(line: OrderLine) -> FaultJudgement | None:
    """The judgement in force."""
    return FaultJudgement.objects.filter(line=line).order_by("-pk").first()


def get_line(uid: UUID, by: Actor) -> OrderLine:
    return OrderLine.objects.for_actor(by).select_related("order__vehicle", "order__visit", "operation").get(uid=uid)


def wear_cover(line: OrderLine, wear: str) -> WearCover | None:
    """How the wear part stood on the day the repair was agreed; None where it isn't listed or the sale isn't known."""
    vehicle, order = line.order.vehicle, line.order
    start = start_of(vehicle)
    if start is None:
        return None
    said = Authorization.objects.filter(
        order=order, status__in=[AuthorizationStatus.APPROVED, AuthorizationStatus.NOT_REQUIRED]
    )
    at = said.aggregate(at=Min("at"))["at"] or order.opened_at
    day = at.astimezone(ZoneInfo(order.store.time_zone)).date()
    found = covers(start, make_of(vehicle), day, order.visit.odometer_in_km)
    return next((cover for cover in found if cover.kind == wear), None)


# --- what if ---
AT_ONCE = "at once"
"""The other order that runs during the present repair: it adds no right of its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a what-if page is asked: a day, a mileage and how often each thing has happened up to it.

    ``days`` is the repair time in all, ``longest`` the part of it that the present repair takes. Of that one's days the
    owner had the car back on ``away``, and on ``at_once`` another order of the car ran too: both come off.
    """

    start: date
    day: date
    km: int
    days: int = 0
    longest: int = 0
    away: int = 0
    at_once: int = 0
    same_fault: int = 0
    serious: int = 0
    safety: str = ""
    assembly: str = ""
    assembly_times: int = 0
    system: str = ""
    part_times: int = 0
    wear: str = ""
    make: str = ""


def imagine(asked: Asked) -> tuple[law.Rules | None, law.Watch | None]:
    """The table for that car, and what would stand for it: the very rules of ``watch`` over repairs made to measure.

    It is noon of ``day``; repairs that take no time stand a second apart just before it. The present repair ends now, days of
    earlier ones stand a second apart before it, one begun day each; the owner's days stand at the present repair's middle.
    """
    rules = rules_for(asked.start)
    if rules is None:
        return None, None
    noon = datetime.combine(asked.day, time(12), ZoneInfo(settings.TIME_ZONE))
    repairs: list[law.Repair] = []

    def add(fault: str, **more: Any) -> None:
        begun = noon - timedelta(seconds=1000 - len(repairs))
        given: dict[str, Any] = {"agreed_at": begun, "completed_at": begun, "km": asked.km, "ref": fault} | more
        repairs.append(law.Repair(fault=fault, **given))

    first = noon - timedelta(days=max(asked.longest, 1))
    if asked.longest:
        back = first + timedelta(hours=12)
        away = ((back, back + timedelta(days=asked.away)),) if asked.away else ()
        add(_("this repair"), agreed_at=first, completed_at=None, away=away)
        if asked.at_once:
            add(AT_ONCE, agreed_at=noon - timedelta(days=asked.at_once), completed_at=noon, away=away)
    for number in range(asked.days - asked.longest - asked.at_once):
        begun = first - timedelta(seconds=2 * number + 2)
        add(f"day {number}", agreed_at=begun, completed_at=begun + timedelta(seconds=1))
    for _time in range(asked.same_fault):
        add(_("the same fault"))
    for number in range(asked.serious):
        add(f"serious {number}", serious=True)
    if asked.safety:
        add("safety", safety=law.SafetyFault(asked.safety))
    for number in range(asked.assembly_times if asked.assembly else 0):
        add(f"assembly {number}", replaced_assembly=asked.assembly)
    for number in range(asked.part_times if asked.system else 0):
        needed = asked.system if asked.system in law.MAIN_ASSEMBLIES else None
        add(f"part {number}", replaced_parts=((asked.system, ""),), main_part_needed=needed)
    found = law.watch(rules, asked.start, repairs, noon, asked.km)
    found.findings = [finding for finding in found.findings if finding.subject != AT_ONCE]
    return rules, found


def told(rules: law.Rules, asked: Asked, found: law.Watch) -> dict[str, Any]:
    """An answer in words: rights with their reason, what comes close, and the periods with their last day."""
    standing = Standing(Vehicle(), asked.start, rules, watch=found)
    rights = {(f.article, f.subject if f.article != "24(3)" else asked.system): f for f in found.findings}
    worn = covers(asked.start, asked.make, asked.day, asked.km) if asked.wear else []
    return {
        "wear": next((cover for cover in worn if cover.kind == asked.wear), None),
        "source": SOURCES.get(rules.source, rules.source),
        "rights": [
            {
                "article": f.article,
                "what": rule_words(*key),
                "follows": RULES[f.article][1],
                "count": f.count,
                "pays_for_use": f.pays_for_use,
            }
            for key, f in rights.items()
        ],
        "near": [row for row in rows_of(standing) if row.right is None],
        "repair_until": law.last_day(asked.start, months=rules.repair_months),
        "replace_until": law.last_day(asked.start, months=rules.replace_months),
        "early_until": law.last_day(asked.start, days=rules.early_days),
    }
