"""What a store can take on in the coming days: bays, people, shifts, plans, and the free times of a job (2.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Func, IntegerField, Q, QuerySet
from django.utils.translation import gettext as _

from dealership.catalogue.models import (
    BayCapability,
    Operation,
    Part,
    PayType,
    Reservation,
    ReservationPurpose,
    Resource,
    ResourceKind,
    ToolKind,
)
from dealership.catalogue.selectors.items import default_diagnosis, usual_parts
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import labor_rate, part_prices
from dealership.kernel import clock, limits, saying
from dealership.kernel.errors import RuleError
from dealership.kernel.models import CalendarDay, OpeningHours, Store
from dealership.kernel.money import line_amount
from dealership.kernel.postgres.kept import Kept
from dealership.kernel.worktime import CLOSED, Calendar, Hours
from staff.models import EmployeeSkill, RosterDay, Skill
from staff.selectors.employees import employees_with_role

from .. import rules
from ..limits import (
    APPOINTMENT_INSPECTION_MINUTES,
    APPOINTMENT_RECEPTION_MINUTES,
    APPOINTMENT_SLOT_MINUTES,
    APPOINTMENT_WALK_INS,
    APPOINTMENT_WASH_MINUTES,
)
from ..loan_models import LoanState, LoanTrip
from ..models import EXPECTED_STATES, Appointment, AppointmentState, WaitingMode

PLAIN_WORK = Decimal("1.00")
BUSY_SHARE = 3
"""A day counts as busy when at most one in this many of its times is left."""


def store_calendar(store: Store, *, since: date | None = None) -> Calendar:
    """The store's opening hours with its holidays and make-up days from ``since`` (default: a week ago) on."""

    def minutes(row: Any) -> Hours:
        opens, closes = row.opens.hour * 60 + row.opens.minute, row.closes.hour * 60 + row.closes.minute
        weekday = row.day.weekday() if hasattr(row, "day") else row.weekday
        # A make-up day on a weekday that is closed otherwise has the usual lunch.
        rest = breaks.get(weekday) if weekday in open_weekdays else next(iter(breaks.values()), None)
        if rest and opens < rest[0] and rest[1] < closes:
            return ((opens, rest[0]), (rest[1], closes))
        return ((opens, closes),)

    week_rows = _week(store_id=store.pk)
    breaks = {
        row.weekday: (
            row.break_from.hour * 60 + row.break_from.minute,
            row.break_to.hour * 60 + row.break_to.minute,
        )
        for row in week_rows
        if row.break_from and row.break_to
    }
    open_weekdays = {row.weekday for row in week_rows}
    week = {row.weekday: minutes(row) for row in week_rows}
    first = since or clock.today(store.time_zone) - timedelta(days=7)
    exceptions = {
        row.day: minutes(row) if row.opens and row.closes else CLOSED for row in _days(store_id=store.pk, first=first)
    }
    days = tuple(week.get(day, CLOSED) for day in range(7))
    return Calendar(days, exceptions, store.time_zone)  # type: ignore[arg-type]


_week: Kept[Any] = Kept(
    lambda store_id: OpeningHours.objects.filter(store_id=store_id).values_list(
        "weekday", "opens", "closes", "break_from", "break_to", named=True
    ),
    store_id=int,
)
_days: Kept[Any] = Kept(
    lambda store_id, first: CalendarDay.objects.filter(store_id=store_id, day__gte=first).values_list(
        "day", "opens", "closes", named=True
    ),
    store_id=int,
    first=date,
)


def times_of(store: Store) -> rules.Times:
    """The minutes around the work, as set for the store."""

    def value(key: str) -> int:
        return int(limits.value(key, store_id=store.pk))

    return rules.Times(
        reception=value(APPOINTMENT_RECEPTION_MINUTES),
        after=value(APPOINTMENT_INSPECTION_MINUTES) + value(APPOINTMENT_WASH_MINUTES),
        slot=max(5, value(APPOINTMENT_SLOT_MINUTES)),
        walk_ins=value(APPOINTMENT_WALK_INS),
    )


class _Minute(Func):
    """Whole minutes since 1970 of a moment, or of one ``end`` of a period; ``up`` rounds a begun minute up."""

    output_field = IntegerField()

    def __init__(self, column: str, end: str = "", *, up: bool = False) -> None:
        rounding = "ceil" if up else "floor"
        super().__init__(
            F(column), template=f"{rounding}(extract(epoch FROM {end}(%(expressions)s)) / 60)::integer", arity=1
        )


@dataclass(frozen=True, slots=True)
class Carried:
    """Work in the shop that the plan doesn't show yet.

    ``overruns`` are resources that will be busy longer than planned (key, from, until), ``waiting`` is agreed work
    that nobody has planned.
    """

    overruns: Sequence[tuple[int, datetime, datetime]] = ()
    waiting: Sequence[rules.Need] = ()


CARRIED: list[Callable[[Store], Carried]] = []
"""Where upper rooms say what is carried over from today."""


PART_DATES: list[Callable[[Store, Sequence[tuple[int, Decimal]]], date | None]] = []
"""Where upper rooms say on which store day parts (key, quantity) will be there; None: they are, or nobody knows."""


PARTS_THERE: list[Callable[[int, Sequence[tuple[int, Decimal]]], list[bool]]] = []
"""Where upper rooms say for each part (key, quantity) whether a store (key) has that much of it free."""


def parts_on(store: Store, operations: Sequence[Operation]) -> date | None:
    """The store day on which the usual parts of a job will be there."""
    needed: dict[int, Decimal] = {}
    for row in (row for operation in operations for row in operation.parts.all()):
        needed[row.part_id] = needed.get(row.part_id, Decimal(0)) + row.quantity
    days = [source(store, list(needed.items())) for source in PART_DATES] if needed else []
    return max((day for day in days if day is not None), default=None)


def _begins(store: Store, calendar: Calendar, first: date) -> date:
    """Today, where work carried over may still reach ``first``; else ``first`` itself."""
    today = clock.today(store.time_zone)
    if not CARRIED or first <= today:
        return first
    working = [day for day in (today + timedelta(days=n) for n in range(LONGEST)) if calendar.is_working_day(day)]
    return today if first <= (working[: rules.CARRIED_DAYS] or [today])[-1] else first


LONGEST = 15


def load_supply(
    store: Store,
    first: date,
    days: int,
    *,
    needs: Sequence[rules.Need] = (),
    loan_car: bool = False,
    parts_from: date | None = None,
    besides: Appointment | None = None,
    resources: Iterable[Any] | None = None,
) -> rules.Supply:
    """Everything the arithmetic needs for ``days`` days from ``first`` (store days).

    Tools and loan cars are read where ``needs`` or ``loan_car`` ask for them, ``parts_from`` is the day on which the
    job's parts are there. ``besides`` leaves the plans of one appointment out: it is being moved. ``resources`` are
    those of ``resources_of``, where the caller has locked them.
    """
    calendar = store_calendar(store)
    begin = _begins(store, calendar, first)
    line = rules.Line(calendar, begin, days + (first - begin).days)
    zone, start, end = line.zone, line.moment(line.midnights[0]), line.moment(line.end)
    last = calendar.local_day(end)
    held = resources_of(store, needs, loan_car=loan_car) if resources is None else resources
    resources = sorted(held, key=lambda row: (row.position, row.pk))
    skills: dict[int, dict[int, int]] = {}
    valid: dict[int, dict[int, date]] = {}
    for employee, skill, level, until in _skills(store_id=store.pk):
        skills.setdefault(employee, {})[skill] = level
        if until:
            valid.setdefault(employee, {})[skill] = until
    shifts: dict[tuple[int, date], rules.Span] = {}
    on_duty: dict[date, set[int]] = {}
    spans: dict[tuple[date, time, time], rules.Span] = {}
    for employee, day, starts, ends in _roster(store_id=store.pk, first=begin, last=last):
        if (day, starts, ends) not in spans:
            spans[day, starts, ends] = (datetime.combine(day, starts, zone), datetime.combine(day, ends, zone))
        shifts[employee, day] = spans[day, starts, ends]
        on_duty.setdefault(day, set()).add(employee)
    receive = set(_receivers(store_id=store.pk, on=clock.today()))
    carried = [source(store) for source in CARRIED] if begin <= clock.today(store.time_zone) else []
    when = {"store_id": store.pk, "start": start, "end": end}
    arrivals = _arrivals(**when) if besides is None else list(_arrivals.make(**when).exclude(pk=besides.pk))
    supply = rules.Supply(
        line=line,
        bays=[
            place
            for r in resources
            if r.kind == ResourceKind.BAY
            for place in rules.places_of(r.pk, r.capability, r.name, r.capacity)
        ],
        people=[
            rules.Person(
                r.pk,
                r.employee_id,
                r.name,
                skills.get(r.employee_id, {}),
                valid.get(r.employee_id, {}),
                r.efficiency,
            )
            for r in resources
            if r.kind == ResourceKind.PERSON and r.employee_id
        ],
        shifts=shifts,
        advisors={day: sorted(people & receive) for day, people in on_duty.items()},
        times=times_of(store),
        tools=[rules.Tool(r.pk, r.tool, r.name) for r in resources if r.kind == ResourceKind.TOOL],
        loan_cars=[rules.Tool(r.pk, "", r.name) for r in resources if r.kind == ResourceKind.LOAN_CAR],
        arrivals=arrivals,
        parts_on=parts_from,
        waiting=[need for found in carried for need in found.waiting],
    )
    if besides is None and all(row.kind in BAYS_AND_PEOPLE["kind__in"] for row in resources):
        plans = _plans(**when)
    else:
        own = {"purpose": ReservationPurpose.APPOINTMENT, "subject_uid": besides.uid if besides else None}
        rows = Reservation.objects.filter(resource__in=[row.pk for row in resources]).exclude(**own)
        plans = list(_planned(rows, start, end))
    for resource_id, since, until, purpose in plans:
        supply.take(
            resource_id,
            since,
            until,
            booking=purpose == ReservationPurpose.APPOINTMENT,
            blocked=purpose == ReservationPurpose.BLOCKED,
        )
    lent = [row.pk for row in resources if row.kind == ResourceKind.LOAN_CAR]
    for car_id, since_at, until_at in out_spans(lent, zone) if lent else ():
        if until_at > start:
            since_at = max(since_at, start)
            supply.take(
                car_id, rules.minute_of_epoch(since_at), rules.minute_of_epoch(until_at + timedelta(seconds=59))
            )
    for found in carried:
        for resource_id, since_at, until_at in found.overruns:
            supply.take(
                resource_id, rules.minute_of_epoch(since_at), rules.minute_of_epoch(until_at + timedelta(seconds=59))
            )
    return supply


# What is asked in every booking, under the lock of the store's plan.
BAYS_AND_PEOPLE: dict[str, Any] = {"active": True, "kind__in": (ResourceKind.BAY, ResourceKind.PERSON)}
RESOURCE = (
    "pk",
    "uid",
    "store_id",
    "kind",
    "capability",
    "tool",
    "name",
    "employee_id",
    "efficiency",
    "position",
    "capacity",
)


def _bays_and_people(store_id: int) -> Any:
    return Resource.objects.filter(store_id=store_id, **BAYS_AND_PEOPLE)


def _told(rows: Any) -> Any:
    return rows.values_list(*RESOURCE, named=True)


_plain_resources: Kept[Any] = Kept(lambda store_id: _told(_bays_and_people(store_id)), store_id=int)
_locked_resources: Kept[Any] = Kept(
    lambda store_id: _told(_bays_and_people(store_id).locked().order_by("pk")), store_id=int
)


def resources_of(store: Store, needs: Sequence[rules.Need], *, loan_car: bool, lock: bool = False) -> list[Any]:
    """The store's bays and people in use, and the tools and loan cars that are asked for (each with ``RESOURCE``).

    ``lock``: in the order of their keys, for who is going to plan them.
    """
    wanted = {need.tool for need in needs if need.tool}
    if not wanted and not loan_car:
        return (_locked_resources if lock else _plain_resources)(store_id=store.pk)
    kinds = Q(kind__in=BAYS_AND_PEOPLE["kind__in"])
    if wanted:
        kinds |= Q(kind=ResourceKind.TOOL, tool__in=wanted)
    if loan_car:
        kinds |= Q(kind=ResourceKind.LOAN_CAR)
    rows = Resource.objects.filter(kinds, store=store, active=True)
    return list(_told(rows.locked().order_by("pk") if lock else rows))


_skills: Kept[Any] = Kept(
    lambda store_id: EmployeeSkill.objects.filter(
        employee__resource__store_id=store_id,
        **{f"employee__resource__{name}": value for name, value in BAYS_AND_PEOPLE.items()},
    ).values_list("employee_id", "skill_id", "level", "valid_until"),
    store_id=int,
)
_roster: Kept[Any] = Kept(
    lambda store_id, first, last: RosterDay.objects.filter(
        store_id=store_id, day__gte=first, day__lt=last, shift__isnull=False
    ).values_list("employee_id", "day", "shift__starts", "shift__ends"),
    store_id=int,
    first=date,
    last=date,
)
_receivers: Kept[int] = Kept(
    lambda store_id, on: employees_with_role(store_id, "advisor", on).values_list("pk", flat=True),
    store_id=int,
    on=date,
)


def _planned(rows: QuerySet[Any, Any], start: datetime, end: datetime) -> QuerySet[Any, Any]:
    """Live plans that touch the time: resource, minutes from and to, purpose."""
    return rows.filter(live=True, period__overlap=(start, end)).values_list(
        "resource_id", _Minute("period", "lower"), _Minute("period", "upper", up=True), "purpose"
    )


_plans: Kept[Any] = Kept(
    lambda store_id, start, end: _planned(
        Reservation.objects.filter(
            resource__store_id=store_id, **{f"resource__{name}": value for name, value in BAYS_AND_PEOPLE.items()}
        ),
        start,
        end,
    ),
    store_id=int,
    start=datetime,
    end=datetime,
)
_arrivals: Kept[Any] = Kept(
    lambda store_id, start, end: Appointment.objects.filter(
        store_id=store_id, state__in=EXPECTED_STATES, starts_at__gte=start, starts_at__lt=end
    ).values_list(_Minute("starts_at"), "advisor_id"),
    store_id=int,
    start=datetime,
    end=datetime,
)


def out_spans(car_ids: Sequence[int], zone: ZoneInfo) -> Iterator[tuple[int, datetime, datetime]]:
    """From when to when a loan car that is out isn't there for anybody else; one that is overdue isn't there today."""
    now = clock.now()
    midnight = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(0), zone)
    out = LoanTrip.objects.filter(car__in=car_ids, state=LoanState.OUT)
    for car_id, given_at, expected_at in out.values_list("car_id", "given_at", "expected_at"):
        yield car_id, given_at, expected_at if expected_at > now else midnight


def work_of(operations: Sequence[Operation], powertrain: str = "") -> list[Operation]:
    """What a job consists of: words alone mean a diagnosis."""
    diagnosis = None if operations else default_diagnosis(powertrain)
    return list(operations) or ([diagnosis] if diagnosis else [])


def needs_of(work: Sequence[Operation]) -> list[rules.Need]:
    """Operations (``work_of``) as stretches of work: one per kind of bay, skill and tool."""
    if not work:
        return [rules.Need(BayCapability.STANDARD_LIFT, None, 0, int(PLAIN_WORK * 60))]
    stretches: dict[tuple[str, int | None, str], tuple[int, Decimal]] = {}
    for operation in work:
        key = (operation.capability, operation.skill_id, operation.tool)
        level, hours = stretches.get(key, (0, Decimal(0)))
        stretches[key] = (max(level, operation.skill_level if operation.skill_id else 0), hours + operation.hours)
    return [
        rules.Need(capability, skill, level, minutes_of(hours), tool)
        for (capability, skill, tool), (level, hours) in stretches.items()
    ]


def minutes_of(hours: Decimal) -> int:
    """Hours as whole minutes, rounded up."""
    return int((hours * 60).to_integral_value(ROUND_UP))


EASED = ("advisor", "loan_car", "waiting")
"""Wishes that a customer may give up, in the order in which they are proposed."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a booking asks for beside its work: an advisor, a loan car, or to wait for the car."""

    advisor_id: int | None = None
    waits: bool = False
    loan_car: bool = False

    @classmethod
    def of(cls, waiting_mode: str, advisor_id: int | None = None) -> Wishes:
        return cls(advisor_id, waiting_mode == WaitingMode.WAIT_AT_DEALER, waiting_mode == WaitingMode.LOANER)

    def without(self, wish: str) -> Wishes | None:
        """The same without one wish; None where it wasn't wished."""
        if wish == "advisor":
            return replace(self, advisor_id=None) if self.advisor_id is not None else None
        if wish == "loan_car":
            return replace(self, loan_car=False) if self.loan_car else None
        return replace(self, waits=False) if self.waits else None


@dataclass(frozen=True, slots=True)
class Way:
    """What would free a full day: leaving ``operation`` out, or giving up a ``wish``; ``option`` is then the first."""

    option: rules.Option
    operation: Operation | None = None
    wish: str = ""

    @property
    def words(self) -> str:
        if self.operation is not None:
            return _("Without %(name)s there is a time:") % {"name": self.operation.said}
        return {
            "advisor": _("With another advisor there is a time:"),
            "loan_car": _("Without a loan car there is a time:"),
            "waiting": _("If the customer comes back for the car, there is a time:"),
        }[self.wish]


@dataclass(slots=True)
class Day:
    """A day of the grid. ``reason`` says in words why nothing is free."""

    day: date
    options: list[rules.Option]
    is_open: bool
    is_today: bool
    name: str = ""
    reason: str = ""
    ways: list[Way] = field(default_factory=list)

    @property
    def weekday(self) -> str:
        return saying.say_weekday(self.day)

    @property
    def free(self) -> list[rules.Option]:
        return [option for option in self.options if option.count]

    @property
    def is_full(self) -> bool:
        return not self.free

    @property
    def is_over(self) -> bool:
        """All its times have passed: nothing is taken, it is just late in the day."""
        return bool(self.options) and all(o.cause is not None and o.cause.code == "past" for o in self.options)

    @property
    def is_busy(self) -> bool:
        return 0 < len(self.free) * BUSY_SHARE <= len(self.options)


def free_days(
    store: Store,
    operations: Sequence[Operation],
    *,
    first: date | None = None,
    days: int = 14,
    powertrain: str = "",
    waiting_mode: str = WaitingMode.LEAVE,
    advisor_id: int | None = None,
    besides: Appointment | None = None,
    explain: bool = True,
    notice: timedelta = timedelta(0),
) -> list[Day]:
    """Every day with its times, how many cars each could still take and, where a day is full, why and what frees it.

    ``explain`` False leaves reasons and ways out. ``notice`` ahead no time is offered: online booking has one (dated
    setting), the desk has none; everything else is the same for both.
    """
    today = clock.today(store.time_zone)
    first = max(first or today, today)
    wishes = Wishes.of(waiting_mode, advisor_id)
    needs = needs_of(work_of(operations, powertrain))
    supply = load_supply(
        store,
        first,
        days,
        needs=needs,
        loan_car=wishes.loan_car,
        parts_from=parts_on(store, operations),
        besides=besides,
    )
    now = clock.now() + max(timedelta(0), notice - timedelta(seconds=1))  # exactly so far ahead is far enough
    names = dict(
        CalendarDay.objects.filter(store=store, day__gte=first, day__lt=first + timedelta(days=days)).values_list(
            "day", "name"
        )
    )
    rows = []
    for day in (first + timedelta(days=n) for n in range(days)):
        options = list(options_of(supply, needs, day, wishes, now))
        row = Day(day, options, bool(options), day == today)
        row.name = names.get(day, "")
        if row.is_full and explain:
            row.reason = say_cause(rules.main_cause(row.options), names.get(day, ""))
            if row.is_over:
                row.reason = _("Today's times have passed.")
            elif row.is_open:
                row.ways = ways_of(supply, operations, powertrain, day, wishes, now)
        rows.append(row)
    return rows


def other_times(booked: Appointment, *, first: date, days: int, notice: timedelta = timedelta(0)) -> list[Day]:
    """The days to which a booking can be moved: ``free_days`` for its work, without its own plans."""
    items = booked.items.select_related("operation").prefetch_related("operation__parts")
    return free_days(
        booked.store,
        fit_hours((item.operation for item in items if item.operation), booked.vehicle.model_id),
        first=first,
        days=days,
        powertrain=booked.vehicle.powertrain,
        waiting_mode=booked.waiting_mode,
        advisor_id=booked.advisor_id,
        besides=booked,
        notice=notice,
    )


def options_of(
    supply: rules.Supply, needs: Sequence[rules.Need], day: date, wishes: Wishes, now: datetime
) -> Iterator[rules.Option]:
    """The arrival times of a day in their order."""
    for at in rules.starts_of_day(supply.line, day, supply.times.slot):
        yield rules.option_at(
            supply, needs, at, now=now, waits=wishes.waits, loan_car=wishes.loan_car, advisor=wishes.advisor_id
        )


def ways_of(
    supply: rules.Supply,
    operations: Sequence[Operation],
    powertrain: str,
    day: date,
    wishes: Wishes,
    now: datetime,
) -> list[Way]:
    """What would free a full day: one operation left out, or one wish given up."""

    def first_free(work: Sequence[Operation], wished: Wishes) -> rules.Option | None:
        needs = needs_of(work_of(work, powertrain))
        return next((option for option in options_of(supply, needs, day, wished, now) if option.count), None)

    found = []
    for left_out in operations if len(operations) > 1 else ():
        rest = [operation for operation in operations if operation.pk != left_out.pk]
        if (option := first_free(rest, wishes)) is not None:
            found.append(Way(option, operation=left_out))
    for wish in EASED:
        eased = wishes.without(wish)
        if eased is not None and (option := first_free(operations, eased)) is not None:
            found.append(Way(option, wish=wish))
    return found


def next_free(
    supply: rules.Supply, needs: Sequence[rules.Need], after: datetime, *, days: int, wishes: Wishes
) -> rules.Option | None:
    """The first free arrival time at or after ``after`` within the supply's days."""
    zone = supply.line.zone
    first = max(after, clock.now()).astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(days)):
        for option in options_of(supply, needs, day, wishes, clock.now()):
            if option.count and option.at >= after:
                return option
    return None


def say_cause(cause: rules.Cause | None, day_name: str = "") -> str:
    """Why a time or a day doesn't work, in the reader's language."""
    if cause is None or cause.code == "closed":
        return _("Closed: %(name)s") % {"name": day_name} if day_name else _("Shop closed")
    bay = BayCapability(cause.capability).label if cause.capability else ""
    skill = _skill_name(cause.skill)
    if cause.code == "past":
        return _("This time has passed.")
    if cause.code == "closing":
        return _("The work would not be finished before closing time.")
    if cause.code == "too_long":
        return _("The work takes longer than can be planned at once; book it in parts.")
    if cause.code in ("tool", "no_tool"):
        tool = {"tool": ToolKind(cause.tool).label}
        return _("Needs %(tool)s: taken.") % tool if cause.code == "tool" else _("The store has no %(tool)s.") % tool
    if cause.code == "parts" and cause.day is not None:
        return _("A part that it needs comes on %(day)s.") % {"day": saying.say_date(cause.day, today=clock.today())}
    if cause.code == "loan_car":
        return _("All loan cars are lent.")
    if cause.code == "no_loan_car":
        return _("The store has no loan car.")
    if cause.code == "advisor":
        return _("No advisor is free to receive the car.")
    if cause.code == "no_bay":
        return _("The store has no bay for: %(bay)s.") % {"bay": bay}
    if cause.code == "bay":
        return _("Needs a bay for %(bay)s: taken.") % {"bay": bay}
    if cause.code == "walk_ins":
        return _("What is left of %(bay)s is kept for customers without a booking.") % {"bay": bay}
    if cause.code == "carried":
        return _("What is left of the day is needed for work that is already in the shop.")
    if cause.code == "hours":
        return _("The technicians' hours of that day are booked.")
    if not skill:
        return _("No technician is free.")
    words = {"skill": skill, "level": cause.level}
    if cause.code == "no_person":
        return _("Nobody with %(skill)s level %(level)s is on duty for the whole work.") % words
    return _("Everybody with %(skill)s level %(level)s is taken.") % words


def _skill_name(skill_id: int | None) -> str:
    skill = Skill.objects.filter(pk=skill_id).first() if skill_id else None
    return skill.label if skill else ""


@dataclass(frozen=True, slots=True)
class QuotedItem:
    """Labour and usual parts of one operation on the day of booking; ``amount`` None where a price isn't set."""

    operation: Operation | None
    description: str
    hours: Decimal
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Quoted:
    """A job in hours and CNY with VAT; ``amount`` None where some price isn't set."""

    items: tuple[QuotedItem, ...]
    work_minutes: int
    whole_minutes: int
    amount: Decimal | None

    @property
    def work_hours(self) -> Decimal:
        return (Decimal(self.work_minutes) / 60).quantize(Decimal("0.1"))

    @property
    def whole_hours(self) -> Decimal:
        return (Decimal(self.whole_minutes) / 60).quantize(Decimal("0.1"))


def quote(store: Store, operations: Sequence[Operation], powertrain: str = "") -> Quoted:
    """What the operations take and cost today by the live price list, labour and usual parts (2.4, 3.2)."""
    try:
        rate = labor_rate(store.pk, PayType.CUSTOMER_PAY, clock.today(store.time_zone))
    except RuleError:
        rate = None
    rows = work_of(operations, powertrain)
    loaded = [getattr(o, "_prefetched_objects_cache", {}).get("parts") for o in rows]
    usual = [
        usual_parts(operation_id=o.pk) if held is None else list(held) for o, held in zip(rows, loaded, strict=True)
    ]
    prices = part_prices([p.part_id for parts in usual for p in parts], store.pk, clock.today(store.time_zone))
    items = []
    for operation, parts in zip(rows, usual, strict=True):
        amount = None
        if rate is not None and all(p.part_id in prices for p in parts):
            amount = line_amount(operation.hours, rate)
            amount += sum((line_amount(p.quantity, prices[p.part_id]) for p in parts), Decimal(0))
        items.append(QuotedItem(operation, operation.name, operation.hours, amount))
    minutes = sum(need.minutes for need in needs_of(rows))
    times = times_of(store)
    known = [item.amount for item in items if item.amount is not None]
    return Quoted(
        tuple(items),
        minutes,
        times.reception + minutes + times.after,
        sum(known, Decimal(0)) if items and len(known) == len(items) else None,
    )


def missing_parts_price(store: Store, operations: Sequence[Operation]) -> Decimal:
    """Price today (CNY with VAT) of those usual parts of a job that aren't free on the shelf, ordered already or not."""
    needed = [(part.pk, quantity) for part, quantity in parts_of(operations)]
    if not needed:
        return Decimal(0)
    there = [source(store.pk, needed) for source in PARTS_THERE]
    missing = [
        (part, quantity)
        for n, (part, quantity) in enumerate(needed)
        if not all(known[n] for known in there)
        or any(source(store, [(part, quantity)]) is not None for source in PART_DATES)
    ]
    prices = part_prices([part for part, _quantity in missing], store.pk, clock.today(store.time_zone))
    return sum((line_amount(quantity, prices[part]) for part, quantity in missing if part in prices), Decimal(0))


DEPOSITS: list[Callable[[Appointment], Decimal]] = []
"""Where upper rooms say what of a booking's deposit was paid (CNY)."""


def deposit_open(appointment: Appointment) -> Decimal:
    """What of the deposit that is asked isn't paid (CNY); nothing for a booking that has ended."""
    if not appointment.deposit_asked or appointment.state in (AppointmentState.CANCELLED, AppointmentState.NO_SHOW):
        return Decimal(0)
    return max(Decimal(0), appointment.deposit_asked - sum((paid(appointment) for paid in DEPOSITS), Decimal(0)))


def parts_of(operations: Sequence[Operation]) -> list[tuple[Part, Decimal]]:
    """The usual parts of the operations with their quantities, each part once."""
    rows: dict[int, tuple[Part, Decimal]] = {}
    for operation in operations:
        for row in operation.parts.all():
            known = rows[row.part_id][1] if row.part_id in rows else Decimal(0)
            rows[row.part_id] = (row.part, known + row.quantity)
    return list(rows.values())


def loan_of(appointment: Appointment) -> Reservation | None:
    """The loan car that a booking keeps, with its time; None where it keeps none."""
    rows = Reservation.objects.filter(
        purpose=ReservationPurpose.APPOINTMENT,
        subject_uid=appointment.uid,
        live=True,
        resource__kind=ResourceKind.LOAN_CAR,
    )
    return rows.select_related("resource").order_by("-period").first()


def plans_of(appointment: Appointment) -> list[Reservation]:
    """The live plans of an appointment, in the order of the work."""
    return list(
        Reservation.objects.filter(purpose=ReservationPurpose.APPOINTMENT, subject_uid=appointment.uid, live=True)
        .select_related("resource")
        .annotate(kind=F("resource__kind"))
        .order_by("period", "kind")
    )
