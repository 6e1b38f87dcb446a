"""What the pages Staff and Roster show (5.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.process.selectors.timeline import Line, timeline_of_roots
from staff.limits import CERTIFICATE_WARN_DAYS
from staff.models import Deputyship, Employee, EmployeeSkill, PostHolding, RosterDay, Shift, Skill
from staff.selectors.employees import employed, in_force

LEVEL_SIGNS = "○◔◑◕●"
LEVELS = (
    (0, _("not learnt")),
    (1, _("learning")),
    (2, _("with help")),
    (3, _("alone")),
    (4, _("can teach")),
)
VIEWS = ("list", "skills")
SHOWS = ("all", "duty", "away", "certificates")


@dataclass(slots=True)
class Level:
    """One graded skill; ``running_out`` and ``expired`` speak of its certificate."""

    skill: Skill
    level: int
    certificate_number: str = ""
    valid_until: date | None = None
    expired: bool = False
    running_out: bool = False

    @property
    def sign(self) -> str:
        return LEVEL_SIGNS[self.level]

    @property
    def word(self) -> str:
        return str(LEVELS[self.level][1])


@dataclass(slots=True)
class Row:
    """One person of the list."""

    employee: Employee
    posts: list[str] = field(default_factory=list)
    deputising: list[str] = field(default_factory=list)
    levels: dict[str, Level] = field(default_factory=dict)
    today: RosterDay | None = None
    cells: list[Level | None] = field(default_factory=list)

    @property
    def best(self) -> list[Level]:
        """The skills worked in alone, best first."""
        return sorted((x for x in self.levels.values() if x.level >= 3), key=lambda x: (-x.level, x.skill.pk))

    @property
    def certificates(self) -> list[Level]:
        return [x for x in self.levels.values() if x.expired or x.running_out]

    @property
    def on_duty(self) -> bool:
        return self.today is not None and self.today.shift_id is not None


@dataclass(slots=True)
class Directory:
    rows: list[Row]
    counts: dict[str, int]
    skills: list[Skill]


def _level(graded: EmployeeSkill, today: date, warn: int) -> Level:
    until = graded.valid_until
    return Level(
        graded.skill,
        graded.level,
        graded.certificate_number,
        until,
        until is not None and until < today,
        until is not None and today <= until <= today + timedelta(days=warn),
    )


def directory(by: Actor, *, show: str = "all", words: str = "", department: str = "") -> Directory:
    """Everybody employed today, with posts, skills, deputies and today's shift; five queries however many people."""
    today = clock.today()
    people = Employee.objects.for_actor(by).filter(employed(today)).select_related("department", "store")
    rows = {e.pk: Row(e) for e in people.order_by("department_id", "pinyin", "pk")}
    for holding in PostHolding.objects.filter(in_force(today), employee_id__in=rows).select_related("post"):
        names = rows[holding.employee_id].posts
        if holding.post.label not in names:  # who has a post in several stores has it once here
            names.append(holding.post.label)
    for deputyship in Deputyship.objects.filter(in_force(today), deputy_id__in=rows).select_related("post"):
        rows[deputyship.deputy_id].deputising.append(deputyship.post.label)
    for day in RosterDay.objects.filter(day=today, employee_id__in=rows).select_related("shift"):
        rows[day.employee_id].today = day
    warn = limits.value(CERTIFICATE_WARN_DAYS)
    for graded in EmployeeSkill.objects.filter(employee_id__in=rows).select_related("skill"):
        rows[graded.employee_id].levels[graded.skill.code] = _level(graded, today, warn)
    found = [row for row in rows.values() if _matches(row, words, department)]
    chosen = {
        "all": found,
        "duty": [row for row in found if row.on_duty],
        "away": [row for row in found if row.today is not None and not row.on_duty],
        "certificates": [row for row in found if row.certificates],
    }
    counts = {code: len(group) for code, group in chosen.items()}
    skills = list(Skill.objects.order_by("pk"))
    for row in found:
        row.cells = [row.levels.get(skill.code) for skill in skills]
    return Directory(chosen.get(show, found), counts, skills)


def _matches(row: Row, words: str, department: str) -> bool:
    if department and row.employee.department.code != department:
        return False
    sought = words.strip().lower()
    texts = (row.employee.name, row.employee.pinyin, row.employee.number, row.employee.phone, *row.posts)
    return not sought or any(sought in text.lower() for text in texts)


@dataclass(slots=True)
class Person:
    """One employee with everything the page shows."""

    employee: Employee
    holdings: list[PostHolding]
    levels: list[Level]
    missing: list[Skill]
    deputies: list[Deputyship]
    deputising: list[Deputyship]
    today: RosterDay | None
    history: list[Line]
    day: date

    @property
    def posts_today(self) -> list[PostHolding]:
        return [h for h in self.holdings if _holds(h, self.day)]


def _holds(dated: PostHolding | Deputyship, day: date) -> bool:
    return dated.starts_on <= day and (dated.ends_on is None or dated.ends_on >= day)


def person(by: Actor, uid: UUID) -> Person:
    """Raises Employee.DoesNotExist for somebody of another store."""
    employee = Employee.objects.for_actor(by).select_related("store", "department", "user").get(uid=uid)
    today = clock.today()
    holdings = list(
        PostHolding.objects.filter(employee=employee).select_related("post", "store").order_by("-starts_on", "pk")
    )
    graded = list(
        EmployeeSkill.objects.filter(employee=employee).select_related("skill").order_by("-level", "skill_id")
    )
    warn = limits.value(CERTIFICATE_WARN_DAYS)
    ships = Deputyship.objects.filter(Q(absent=employee) | Q(deputy=employee)).select_related(
        "post", "absent", "deputy"
    )
    deputyships = list(ships.order_by("-starts_on", "pk"))
    roots: Iterable[UUID] = [
        employee.uid,
        *(h.uid for h in holdings),
        *(g.uid for g in graded),
        *(d.uid for d in deputyships),
    ]
    return Person(
        employee,
        holdings,
        [_level(g, today, warn) for g in graded],
        list(Skill.objects.exclude(pk__in=[g.skill_id for g in graded]).order_by("pk")),
        [d for d in deputyships if d.absent_id == employee.pk],
        [d for d in deputyships if d.deputy_id == employee.pk],
        RosterDay.objects.filter(employee=employee, day=today).select_related("shift").first(),
        timeline_of_roots(by, roots, limit=30),
        today,
    )


@dataclass(slots=True)
class Cell:
    """One person's day in the grid."""

    day: date
    row: RosterDay | None


@dataclass(slots=True)
class RosterRow:
    employee: Employee
    posts: list[str]
    cells: list[Cell]


@dataclass(slots=True)
class DayHead:
    """A day of the week over the grid: who is there, and which needed post nobody fills."""

    day: date
    is_today: bool
    on_duty: int
    advisors: int
    technicians: int
    missing: list[str]


@dataclass(slots=True)
class Week:
    monday: date
    groups: list[tuple[str, list[RosterRow]]]
    days: list[DayHead]
    shifts: list[Shift]

    @property
    def troubled(self) -> list[DayHead]:
        return [day for day in self.days if day.missing]

    @property
    def previous(self) -> date:
        return self.monday - timedelta(days=7)

    @property
    def following(self) -> date:
        return self.monday + timedelta(days=7)

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)


NEEDED = ("receptionist", "advisor", "foreman", "technician", "inspector", "cashier")
"""Roles without which a day stands still; a day on which nobody of one works is marked."""


def roster_week(by: Actor, monday: date) -> Week:
    """The grid of one week from ``monday`` on, people by department; six queries."""
    days = [monday + timedelta(days=n) for n in range(7)]
    people = (
        Employee.objects.for_actor(by)
        .filter(Q(left_on__isnull=True) | Q(left_on__gte=monday), hired_on__lte=days[-1])
        .select_related("department")
        .order_by("department_id", "pinyin", "pk")
    )
    rows: dict[int, dict[date, RosterDay]] = defaultdict(dict)
    for set_day in RosterDay.objects.for_actor(by).filter(day__range=(days[0], days[-1])).select_related("shift"):
        rows[set_day.employee_id][set_day.day] = set_day
    posts: dict[int, list[PostHolding | Deputyship]] = defaultdict(list)
    overlapping = Q(starts_on__lte=days[-1]) & (Q(ends_on__isnull=True) | Q(ends_on__gte=days[0]))
    holdings = PostHolding.objects.for_actor(by).filter(overlapping).select_related("post")
    for holding in holdings.order_by("starts_on", "pk"):
        posts[holding.employee_id].append(holding)
    for deputyship in Deputyship.objects.for_actor(by).filter(overlapping).select_related("post"):
        posts[deputyship.deputy_id].append(deputyship)
    names: dict[str, str] = {}
    there: dict[date, dict[str, int]] = {day: defaultdict(int) for day in days}
    count: dict[date, int] = defaultdict(int)
    groups: dict[str, list[RosterRow]] = {}
    for employee in people:
        for day, set_day in rows[employee.pk].items():
            if set_day.shift_id is None:
                continue
            count[day] += 1
            for role in {p.post.role for p in posts[employee.pk] if _holds(p, day)}:
                there[day][role] += 1
        held = list(dict.fromkeys(p.post.label for p in posts[employee.pk]))
        cells = [Cell(day, rows[employee.pk].get(day)) for day in days]
        groups.setdefault(employee.department.name, []).append(RosterRow(employee, held, cells))
        names |= {p.post.role: p.post.label for p in posts[employee.pk]}
    heads = [
        DayHead(
            day,
            day == clock.today(),
            count[day],
            there[day]["advisor"],
            there[day]["technician"],
            [names[role] for role in NEEDED if role in names and not there[day][role]] if count[day] else [],
        )
        for day in days
    ]
    store_ids = by.store_ids
    shifts = Shift.objects.all() if store_ids is None else Shift.objects.filter(store_id__in=store_ids)
    return Week(monday, list(groups.items()), heads, list(shifts.order_by("code")))
