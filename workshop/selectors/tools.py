"""Reads of the tool crib: the list, one tool, what is due, who has what (3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404

from dealership.catalogue.models import Resource, ResourceKind
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store, StoredFile
from dealership.process.selectors.timeline import Line, timeline_of_roots
from staff.models import Employee
from staff.selectors.employees import employed, employee_of
from workshop import permissions, tool_rules
from workshop.limits import TOOL_DUE_DAYS
from workshop.tool_models import (
    AssetKind,
    CountState,
    ToolAsset,
    ToolCheck,
    ToolClass,
    ToolCount,
    ToolCountRow,
    ToolIssue,
    ToolState,
)

S = ToolState
ALIVE = ~Q(state=S.SCRAPPED)
FILTERS = ("all", "available", "out", "to_check", "stopped", "soon", "overdue", "kept")


@dataclass(frozen=True, slots=True)
class Row:
    """One tool as the lists show it."""

    tool: ToolAsset
    due: str
    holder: str
    kept: bool = False
    """3.4: still out after the day on which it was taken."""

    @property
    def usable(self) -> bool:
        return self.tool.state == S.AVAILABLE and self.due != tool_rules.OVERDUE


def today_at(by: Actor) -> date:
    zone = Store.objects.filter(pk=by.store_id).values_list("time_zone", flat=True).first()
    return clock.today(zone or "Asia/Shanghai")


def tools(by: Actor) -> QuerySet[ToolAsset]:
    """The store's tools by number, each with who has it (``holder``)."""
    held = ToolIssue.objects.filter(tool=OuterRef("pk"), returned_at__isnull=True)
    return (
        ToolAsset.objects.for_actor(by)
        .select_related("keeper", "store", "resource", "bay")
        .annotate(holder=Subquery(held.values("employee__name")[:1]), held_since=Subquery(held.values("issued_at")[:1]))
        .order_by("number")
    )


def _due_at(today: date, soon_days: int) -> dict[str, Q]:
    tested = Q(check_months__isnull=False) & ALIVE
    return {
        "overdue": tested & (Q(valid_until__isnull=True) | Q(valid_until__lt=today)),
        "soon": tested & Q(valid_until__range=(today, today + timedelta(days=soon_days))),
    }


def _rows(found: Iterable[ToolAsset], today: date, soon_days: int) -> list[Row]:
    return [
        Row(
            tool,
            tool_rules.due(
                check_months=tool.check_months, valid_until=tool.valid_until, today=today, soon_days=soon_days
            )
            if tool.state != S.SCRAPPED
            else tool_rules.NONE,
            getattr(tool, "holder", None) or "",
            _kept(tool, today),
        )
        for tool in found
    ]


def _kept(tool: ToolAsset, today: date) -> bool:
    """What is taken out is brought back on that day; later it is missing for the others (3.4)."""
    since = getattr(tool, "held_since", None)
    return since is not None and since.astimezone(ZoneInfo(tool.store.time_zone)).date() < today


def _soon_days(by: Actor) -> int:
    return int(limits.value(TOOL_DUE_DAYS, store_id=by.store_id))


def tool_list(
    by: Actor, *, show: str = "all", words: str = "", tool_class: str = ""
) -> tuple[list[Row], dict[str, int]]:
    """The tools that fit, at most 300, and how many each filter has of what was searched for."""
    today, soon_days = today_at(by), _soon_days(by)
    found = tools(by)
    if text := words.strip():
        number = tool_rules.number_meant(text)
        found = found.filter(
            Q(number__icontains=number) | Q(name__icontains=text) | Q(place__icontains=text)
            | Q(serial__icontains=text) | Q(maker__icontains=text) | Q(keeper__name__icontains=text)
        )  # fmt: skip
    if tool_class in ToolClass.values:
        found = found.filter(tool_class=tool_class)
    rows = _rows(found[:1000], today, soon_days)
    picks = {
        "all": lambda row: True,
        "available": lambda row: row.usable,
        "out": lambda row: row.tool.state == S.ISSUED,
        "to_check": lambda row: row.tool.state == S.TO_CHECK,
        "stopped": lambda row: row.tool.state in (S.OUT_OF_ORDER, S.SCRAPPED),
        "soon": lambda row: row.due == tool_rules.SOON,
        "overdue": lambda row: row.due == tool_rules.OVERDUE,
        "kept": lambda row: row.kept,
    }
    counts = {name: sum(map(pick, rows)) for name, pick in picks.items()}
    return [row for row in rows if picks.get(show, picks["all"])(row)][:300], counts


def read_tool(uid: UUID, by: Actor) -> ToolAsset:
    return tools(by).select_related("photo").get(uid=uid)


def find_tool(typed: str, by: Actor) -> ToolAsset | None:
    """The tool with the number on the label; None where there is none."""
    return tools(by).filter(number=tool_rules.number_meant(typed)).first()


def row_of(tool: ToolAsset, by: Actor) -> Row:
    return _rows([tool], today_at(by), _soon_days(by))[0]


def issues_of(tool: ToolAsset) -> list[ToolIssue]:
    return list(tool.issues.select_related("employee")[:20])


def checks_of(tool: ToolAsset) -> list[ToolCheck]:
    return list(tool.checks.select_related("recorded_by", "certificate")[:20])


def history_of(tool: ToolAsset, by: Actor) -> list[Line]:
    return timeline_of_roots(by, [tool.uid], limit=30)


def held_by_me(by: Actor) -> list[ToolIssue]:
    """What the person has out, oldest first."""
    me = employee_of(by)
    if me is None:
        return []
    rows = ToolIssue.objects.for_actor(by).filter(employee=me, returned_at__isnull=True)
    return list(rows.select_related("tool").order_by("issued_at"))


def wears_gloves(person: Employee, day: date) -> bool:
    """Whether the person has insulating gloves out that are in date on the store's day (3.4, 8.1)."""
    held = ToolIssue.objects.filter(employee=person, returned_at__isnull=True, tool__kind=AssetKind.GLOVES)
    return held.filter(tool__valid_until__gte=day).exists()


def gloves_out(store_id: int) -> QuerySet[ToolIssue]:
    """Pairs of insulating gloves of a store that are with somebody (3.4)."""
    rows = ToolIssue.objects.filter(store_id=store_id, returned_at__isnull=True, tool__kind=AssetKind.GLOVES)
    return rows.select_related("tool", "employee").order_by("tool__number")


def gloves_until(store_id: int, until: date) -> tuple[set[int], int | None]:
    """Keys of the employees who have a pair tested through ``until``, and how many such pairs lie there; None where the
    store keeps no gloves in its tools at all (3.4)."""
    pairs = ToolAsset.objects.filter(ALIVE, store_id=store_id, kind=AssetKind.GLOVES)
    if not pairs.exists():
        return set(), None
    out = ToolIssue.objects.filter(tool__in=pairs.filter(valid_until__gte=until), returned_at__isnull=True)
    free = pairs.filter(valid_until__gte=until, state=S.AVAILABLE).count()
    return set(out.values_list("employee_id", flat=True)), free


def unfit_resources(store_id: int, day: date) -> QuerySet[Any, Any]:
    """Keys of the plan's special tools that nobody may use on the store's day: damaged, out of use, out of date (3.4)."""
    broken = Q(state__in=[S.TO_CHECK, S.OUT_OF_ORDER, S.SCRAPPED])
    late = Q(check_months__isnull=False) & (Q(valid_until__isnull=True) | Q(valid_until__lt=day))
    return ToolAsset.objects.filter(broken | late, store_id=store_id, resource__isnull=False).values("resource_id")


def plan_tools(by: Actor) -> QuerySet[Resource]:
    """Special tools of the plan that a tool may stand for."""
    return Resource.objects.for_actor(by).filter(kind=ResourceKind.TOOL, active=True).order_by("position", "pk")


def people(by: Actor) -> QuerySet[Employee]:
    """Who a tool may be given to."""
    return Employee.objects.for_actor(by).filter(employed(clock.today())).order_by("pinyin", "pk")


@dataclass(frozen=True, slots=True)
class DueMonth:
    """What runs out in one month; ``first`` None is what has run out already or was never tested."""

    first: date | None
    rows: list[Row]


def due_calendar(by: Actor, *, mine: bool = False) -> list[DueMonth]:
    """Overdue first, then month by month, of tools that are tested at intervals (3.4)."""
    today, soon_days = today_at(by), _soon_days(by)
    found = tools(by).filter(ALIVE, check_months__isnull=False).order_by("valid_until", "number")
    if mine:
        found = found.filter(keeper=employee_of(by))
    late: list[Row] = []
    months: dict[date, list[Row]] = {}
    for row in _rows(found[:1000], today, soon_days):
        if row.due == tool_rules.OVERDUE or row.tool.valid_until is None:
            late.append(row)
        else:
            months.setdefault(row.tool.valid_until.replace(day=1), []).append(row)
    late.sort(key=lambda row: (row.tool.valid_until or date.min, row.tool.number))
    return ([DueMonth(None, late)] if late else []) + [DueMonth(month, rows) for month, rows in sorted(months.items())]


def count_tools_due(by: Actor) -> int:
    """Overdue tools, for the rail and the front desk's button: all of them to who tests, to others what they keep."""
    found = ToolAsset.objects.for_actor(by).filter(_due_at(today_at(by), 0)["overdue"])
    if not by.may(permissions.TOOLS_CHECK):
        found = found.filter(keeper__user=by.user)
    return found.count() if by.user is not None else 0


def to_remind_of() -> list[ToolAsset]:
    """Tools of all stores that are due within the days of the setting, or overdue."""
    found: list[ToolAsset] = []
    for store in Store.objects.order_by("pk"):
        due = _due_at(clock.today(store.time_zone), int(limits.value(TOOL_DUE_DAYS, store_id=store.pk)))
        rows = ToolAsset.objects.filter(store=store).filter(due["overdue"] | due["soon"])
        found += rows.exclude(state=S.SCRAPPED).order_by("pk")
    return found


def instruments(by: Actor) -> list[Row]:
    """Measuring instruments and testers that an inspection may be done with, those in date first (domain 3.4)."""
    today, soon_days = today_at(by), _soon_days(by)
    found = tools(by).filter(tool_class__in=[ToolClass.MEASURING, ToolClass.DIAGNOSTIC])
    rows = _rows(found.filter(state__in=[S.AVAILABLE, S.ISSUED])[:100], today, soon_days)
    return [row for row in rows if row.due != tool_rules.OVERDUE]


def photo_of(uid: UUID, by: Actor) -> StoredFile:
    stored = ToolAsset.objects.for_actor(by).select_related("photo").get(uid=uid).photo
    if stored is None:
        raise Http404
    return stored


def certificate_of(uid: UUID, by: Actor) -> StoredFile:
    stored = ToolCheck.objects.for_actor(by).select_related("certificate").get(uid=uid).certificate
    if stored is None:
        raise Http404
    return stored


def next_number(by: Actor) -> str:
    """The number after the highest one of the form G-0001, proposed for a new tool."""
    numbers = ToolAsset.objects.for_actor(by).filter(number__regex=r"^G-\d{4}$").order_by("-number")
    last: Any = numbers.values_list("number", flat=True).first()
    return f"G-{int(last[2:]) + 1 if last else 1:04d}"


# --- stock-takes ---


@dataclass(frozen=True, slots=True)
class CountSheet:
    """A stock-take in four heaps; ``moved`` was out, or went out or came back meanwhile, so somebody has or had it."""

    unseen: list[ToolCountRow]
    seen: list[ToolCountRow]
    moved: list[ToolCountRow]
    missing: list[ToolCountRow]

    @property
    def expected(self) -> int:
        return len(self.unseen) + len(self.seen) + len(self.moved) + len(self.missing)

    @property
    def done(self) -> int:
        return len(self.seen) + len(self.moved)


def counts(by: Actor) -> list[ToolCount]:
    """The last stock-takes with what was expected, seen and missing."""
    rows = ToolCount.objects.for_actor(by).select_related("started_by", "ended_by")
    return list(
        rows.annotate(
            expected=Count("rows"),
            seen=Count("rows", filter=Q(rows__seen_at__isnull=False)),
            missing=Count("rows", filter=Q(rows__missing=True)),
        ).order_by("-id")[:50]
    )


def read_count(uid: UUID, by: Actor) -> ToolCount:
    return ToolCount.objects.for_actor(by).select_related("started_by", "ended_by").get(uid=uid)


def count_sheet(count: ToolCount) -> CountSheet:
    """The rows of a stock-take by place and number; of a closed one as it was closed."""
    sheet = CountSheet([], [], [], [])
    moved = moved_since(count)
    for row in count.rows.select_related("tool", "holder", "seen_by").order_by("tool__place", "tool__number"):
        if row.seen_at is not None:
            sheet.seen.append(row)
        elif row.missing:
            sheet.missing.append(row)
        elif row.tool_id in moved or count.state == CountState.CLOSED:
            sheet.moved.append(row)
        else:
            sheet.unseen.append(row)
    return sheet


def moved_since(count: ToolCount) -> set[int]:
    """Tools that are out, or went out or came back while it was counted: somebody had them in the hand."""
    until = count.ended_at or clock.now()
    issues = ToolIssue.objects.filter(store_id=count.store_id, issued_at__lte=until)
    open_then = Q(returned_at__isnull=True) | Q(returned_at__gte=count.started_at)
    return set(issues.filter(open_then).values_list("tool_id", flat=True))
