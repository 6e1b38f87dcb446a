"""Check sheets as they are read: what applies to a car, what is answered, what this car had before, what was offered (3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, Q, QuerySet
from django.utils.translation import pgettext_lazy

from dealership.catalogue.check_models import (
    BOUNDS,
    MEASURED,
    READINGS,
    CheckItem,
    CheckKind,
    CheckLimit,
    CheckStage,
    CheckTemplate,
)
from dealership.catalogue.models import PlanState
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile
from reception.models import Vehicle, Visit
from staff.selectors.employees import employee_of
from workshop import permissions
from workshop.check_models import (
    FINDINGS,
    VERDICT_STAGES,
    CheckAnswer,
    CheckPhoto,
    CheckSheet,
    SheetState,
    Verdict,
)
from workshop.check_rules import Bounds, possible
from workshop.models import Clocking, LineState, OrderLine, RepairOrder
from workshop.rules import CERTIFICATE_CATEGORIES, line_total, total_of
from workshop.selectors.same_work import GONE, same_line


def say_possible(unit: str, kind: str = "") -> str:
    """``0–100 %``: what a value of a unit can be at all; empty where it may be anything."""
    least, most = possible(unit, kind)
    if least is None:
        return ""
    return f"{least}–{most} {unit}" if most is not None else f"≥ {least} {unit}"


PLACES = (
    pgettext_lazy("wheel", "Left front"),
    pgettext_lazy("wheel", "Right front"),
    pgettext_lazy("wheel", "Left rear"),
    pgettext_lazy("wheel", "Right rear"),
)


@dataclass(frozen=True, slots=True)
class Before:
    """What the same item was at this car's sheet before."""

    on: date
    verdict: str
    readings: list[Decimal]


@dataclass(slots=True)
class Row:
    """One item of a sheet with its answer, if it has one, the bounds for this car and what was offered of it."""

    item: CheckItem
    bounds: Bounds
    answer: CheckAnswer | None = None
    photos: list[CheckPhoto] = field(default_factory=list)
    before: Before | None = None
    line: OrderLine | None = None
    same: OrderLine | None = None
    """Where nothing was offered of it: the line for its work that stands on the order already."""
    typed: dict[str, str] = field(default_factory=dict)
    """What was sent just now and couldn't be read, to be put right."""

    @property
    def verdict(self) -> str:
        return self.answer.verdict if self.answer else ""

    @property
    def least(self) -> Decimal | None:
        return possible(self.item.unit, self.item.kind)[0]

    @property
    def most(self) -> Decimal | None:
        return possible(self.item.unit, self.item.kind)[1]

    @property
    def said_possible(self) -> str:
        return say_possible(self.item.unit, self.item.kind)

    @property
    def stage(self) -> str:
        return VERDICT_STAGES[Verdict(self.answer.verdict)] if self.answer else ""

    @property
    def is_finding(self) -> bool:
        return self.verdict in FINDINGS

    @property
    def needs_words(self) -> bool:
        """What is bad is shown or said (3.1)."""
        return bool(self.answer and self.answer.verdict == Verdict.RED and not self.answer.note and not self.photos)

    @property
    def is_done(self) -> bool:
        if self.item.kind == CheckKind.NOTE:
            return True
        if self.item.kind == CheckKind.PHOTO:
            return bool(self.photos)
        return self.answer is not None and not self.needs_words

    @property
    def amount(self) -> Decimal | None:
        return _amount(self.line)

    @property
    def same_amount(self) -> Decimal | None:
        return _amount(self.same)

    @property
    def places(self) -> list[dict[str, Any]]:
        """The wheels of a map, or the one value: label, what it is now, what it was, its verdict."""
        count = READINGS.get(CheckKind(self.item.kind), 0)
        now = self.answer.readings if self.answer else []
        was = self.before.readings if self.before else []
        return [
            {
                "number": place,
                "label": PLACES[place] if count > 1 else "",
                "value": now[place] if place < len(now) else None,
                "before": was[place] if place < len(was) else None,
                "verdict": self.bounds.judge(now[place]) if place < len(now) else "",
                "typed": self.typed.get(f"v{place}"),
            }
            for place in range(count)
        ]


def _amount(line: OrderLine | None) -> Decimal | None:
    if line is None:
        return None
    return line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)


@dataclass(slots=True)
class Sheet:
    sheet: CheckSheet
    rows: list[Row]

    @property
    def sections(self) -> list[tuple[str, list[Row]]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row.item.get_section_display()].append(row)
        return list(found.items())

    @property
    def open_rows(self) -> list[Row]:
        return [row for row in self.rows if not row.is_done]

    @property
    def first_open(self) -> Row | None:
        return next(iter(self.open_rows), None)

    @property
    def counted(self) -> list[Row]:
        """What is counted: all but the words for the customer that nobody wrote; they may stay away."""
        return [row for row in self.rows if row.item.kind != CheckKind.NOTE or (row.answer and row.answer.note)]

    @property
    def asked(self) -> int:
        return len(self.counted)

    @property
    def done(self) -> int:
        return sum(row.is_done for row in self.counted)

    @property
    def wordless(self) -> list[Row]:
        """Bad, and neither words nor a photo say why: these are not done yet (3.1)."""
        return [row for row in self.rows if row.needs_words]

    @property
    def singly(self) -> int:
        """How many open items "the rest is good" doesn't answer: they are looked at one by one."""
        return sum(row.answer is None and not may_be_rest(row.item) for row in self.open_rows)

    @property
    def rest(self) -> int:
        """How many may be called good in one tap."""
        return sum(row.answer is None and may_be_rest(row.item) for row in self.rows)

    @property
    def findings(self) -> list[Row]:
        """The bad before the worn."""
        found = [row for row in self.rows if row.is_finding]
        return sorted(found, key=lambda row: (row.verdict != Verdict.RED, row.item.position))

    @property
    def names_instruments(self) -> bool:
        """Something is measured on a sheet that the law asks: whoever signs says with what (domain 3.4)."""
        return bool(self.sheet.template.stage) and any(row.item.kind in MEASURED for row in self.rows)

    @property
    def good(self) -> list[Row]:
        return [row for row in self.rows if row.verdict == Verdict.GREEN]

    @property
    def told(self) -> list[Row]:
        """Photos and words that judge nothing."""
        return [row for row in self.rows if row.verdict == Verdict.NOTED or (row.photos and row.answer is None)]

    def count(self, verdict: str) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def red(self) -> int:
        return self.count(Verdict.RED)

    @property
    def yellow(self) -> int:
        return self.count(Verdict.YELLOW)

    @property
    def green(self) -> int:
        return self.count(Verdict.GREEN)

    @property
    def other(self) -> int:
        """Answered without a judgement: not there, a photo, words. With it the chips add up to what is done."""
        return self.done + len(self.wordless) - self.green - self.yellow - self.red

    @property
    def offered(self) -> Decimal:
        """What the offered lines come to, CNY with VAT."""
        return total_of(row.amount for row in self.rows if row.amount is not None)


def may_be_rest(item: CheckItem) -> bool:
    """3.1: "the rest is good" is for what is judged by eye and no safety hangs on."""
    return item.kind == CheckKind.RATING and not item.is_safety


def templates_for(day: date) -> QuerySet[CheckTemplate]:
    """The versions that hold on a day, those of every maintenance first."""
    rows = CheckTemplate.objects.filter(state=PlanState.RELEASED, starts_on__lte=day)
    return rows.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day)).order_by("-with_maintenance", "code")


def items_for(template_id: int, powertrain: str) -> list[CheckItem]:
    """What applies to a car, in the order in which it is walked."""
    rows = CheckItem.objects.filter(template_id=template_id).select_related("operation").prefetch_related("limits")
    return [row for row in rows.order_by("position", "id") if not row.powertrains or powertrain in row.powertrains]


def bounds_for(item: CheckItem, *, model_id: int | None, powertrain: str) -> Bounds:
    """The bounds of an item for a car: its model's, else its energy's, else the item's own."""
    limits: list[CheckLimit] = list(item.limits.all())
    own = next((row for row in limits if row.model_id is not None and row.model_id == model_id), None)
    kind = next((row for row in limits if row.powertrain and row.powertrain == powertrain), None)
    found = own or kind or item
    return Bounds(**{name: getattr(found, name) for name in BOUNDS})


def get_sheet(uid: UUID, by: Actor) -> CheckSheet:
    rows = CheckSheet.objects.for_actor(by).select_related(
        "template", "order__visit", "vehicle", "store", "signed_by", "started_by"
    )
    return rows.get(uid=uid)


def read_sheet(sheet: CheckSheet) -> Sheet:
    """A sheet with everything that stands on its page, in a handful of questions."""
    return read_sheets([sheet])[0]


def read_sheets(sheets: Iterable[CheckSheet]) -> list[Sheet]:
    return [_read(sheet) for sheet in sheets]


def _read(sheet: CheckSheet) -> Sheet:
    answers = {row.item_id: row for row in sheet.answers.all()}
    photos: dict[int, list[CheckPhoto]] = defaultdict(list)
    for photo in sheet.photos.select_related("file"):
        photos[photo.item_id].append(photo)
    lines: dict[int, OrderLine] = {}
    there = _lines_there(sheet)
    for line in there:
        offer = getattr(line, "check_offer", None)
        if offer is not None and offer.sheet_id == sheet.pk:
            lines[offer.item_id] = line
    before = _before(sheet)
    rows = [
        Row(
            item=item,
            bounds=bounds_for(item, model_id=sheet.vehicle.model_id, powertrain=sheet.powertrain),
            answer=answers.get(item.pk),
            photos=photos.get(item.pk, []),
            before=before.get(item.code),
            line=lines.get(item.pk),
        )
        for item in items_for(sheet.template_id, sheet.powertrain)
    ]
    for row in rows:
        if row.line is None:
            row.same = same_line(there, operation=row.item.operation, names=(row.item.name, row.item.name_en))
    return Sheet(sheet, rows)


def _lines_there(sheet: CheckSheet) -> list[OrderLine]:
    """The lines of the sheet's order and those that were written for it, with what they were offered for."""
    rows = OrderLine.objects.filter(Q(order_id=sheet.order_id) | Q(check_offer__sheet=sheet)).exclude(state__in=GONE)
    return list(rows.select_related("operation", "check_offer").prefetch_related("part_lines").order_by("id"))


def _before(sheet: CheckSheet) -> dict[str, Before]:
    """The last signed answer of each item of this car, by the item's code; whichever store or sheet it was."""
    rows = (
        CheckAnswer.objects.filter(sheet__vehicle_id=sheet.vehicle_id, sheet__state=SheetState.SIGNED)
        .exclude(sheet_id=sheet.pk)
        .exclude(verdict__in=(Verdict.NA, Verdict.NOTED))
        .filter(sheet__started_at__lte=sheet.started_at)
        .order_by("item__code", "-sheet__signed_at")
        .distinct("item__code")
        .values_list("item__code", "sheet__signed_at", "verdict", "readings")
    )
    zone = ZoneInfo(sheet.store.time_zone)
    return {
        code: Before(at.astimezone(zone).date(), verdict, readings)
        for code, at, verdict, readings in rows
        if at is not None
    }


def sheets_of_order(order: RepairOrder) -> list[Sheet]:
    rows = order.sheets.select_related("template", "vehicle", "store", "signed_by", "order__visit").order_by("id")
    return read_sheets(rows)


def unsigned_of(order: RepairOrder) -> list[Sheet]:
    """Sheets of an order that are begun and not signed: whoever ends the work is told."""
    rows = order.sheets.filter(state=SheetState.OPEN).select_related("template", "vehicle", "store", "order__visit")
    return read_sheets(rows.order_by("id"))


def sheets_to_begin(order: RepairOrder, day: date) -> list[CheckTemplate]:
    """Sheets that hold today and that this order hasn't, or has to fill in again; those of the inspections that the law
    asks only where its work needs them (3.2)."""
    there = {row.template.code: row for row in order.sheets.select_related("template").order_by("turn")}
    staged = order.lines.exclude(state__in=GONE).filter(category__in=CERTIFICATE_CATEGORIES)
    rows = templates_for(day).filter(Q(stage="") | Exists(staged))
    return [row for row in rows if row.code not in there or may_begin_again(there[row.code])]


def may_begin_again(sheet: CheckSheet) -> bool:
    """A signed sheet of an inspection that the law asks, with something bad on it or work done since: it is looked at
    again (domain 3.4). The diagnosis before the repair stays what it was."""
    if sheet.template.stage not in (CheckStage.PROCESS, CheckStage.FINAL) or sheet.state != SheetState.SIGNED:
        return False
    since = OrderLine.objects.filter(order_id=sheet.order_id, completed_at__gt=sheet.signed_at)
    return sheet.answers.filter(verdict=Verdict.RED).exists() or since.exists()


def signer_of(sheet: CheckSheet, by: Actor) -> str:
    """Who has to sign a sheet that the law asks where the reader can't: ``TEAM``, ``FINAL``, ``OTHER`` (who didn't work on
    the car), or '' where the reader can (domain 3.4)."""
    stage = sheet.template.stage
    if stage == CheckStage.PROCESS and not (by.may(permissions.INSPECT_TEAM) or by.may(permissions.INSPECT_FINAL)):
        return "TEAM"
    if stage != CheckStage.FINAL:
        return ""
    if not by.may(permissions.INSPECT_FINAL):
        return "FINAL"
    me = employee_of(by)
    worked = me is not None and Clocking.objects.filter(line__order_id=sheet.order_id, employee=me).exists()
    return "OTHER" if worked else ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the three inspections that the law asks, as far as an order has it (3.2)."""

    stage: CheckStage
    sheet: CheckSheet | None
    lacks: str
    """What is missing: ``SHEET``, ``SIGNATURE``, ``AGAIN`` (work was done since), ``BAD`` (something is bad), or ''."""

    @property
    def label(self) -> str:
        return str(self.stage.label)


def asks_stages(line: OrderLine) -> bool:
    """Whether the law asks the three inspections of this line's work (domain 3.4)."""
    return line.category in CERTIFICATE_CATEGORIES


def stages_of(order: RepairOrder, lines: Iterable[OrderLine]) -> list[Stage]:
    """The three inspections of finished work that needs them, in their order; empty where none of it does (domain 3.4)."""
    done = [line for line in lines if line.state == LineState.COMPLETED]
    if not any(asks_stages(line) for line in done):
        return []
    last_work = max((line.completed_at for line in done if line.completed_at), default=None)
    rows = list(
        order.sheets.exclude(template__stage="")
        .select_related("template", "signed_by", "vehicle", "store", "order__visit")
        .prefetch_related("answers", "instruments__tool")
        .order_by("turn", "id")
    )
    newest = {row.template.code: row for row in rows}
    found = []
    for stage in CheckStage:
        of_stage = [row for row in newest.values() if row.template.stage == stage]
        lacks = {id(row): _lacks(row, last_work) for row in of_stage}
        worst = max(of_stage, key=lambda row: LACKS.index(lacks[id(row)]), default=None)
        found.append(Stage(stage, worst, lacks[id(worst)] if worst is not None else "SHEET"))
    return found


LACKS = ("", "SIGNATURE", "AGAIN", "BAD")


def _lacks(sheet: CheckSheet, last_work: datetime | None) -> str:
    if sheet.signed_at is None:
        return "SIGNATURE"
    if sheet.template.stage != CheckStage.FINAL:
        return ""
    if last_work is not None and sheet.signed_at < last_work:
        return "AGAIN"
    return "BAD" if any(row.verdict == Verdict.RED for row in sheet.answers.all()) else ""


def signed_for_visit(visit: Visit) -> list[Sheet]:
    """What the customer may read: signed sheets alone."""
    rows = CheckSheet.objects.filter(order__visit=visit, state=SheetState.SIGNED)
    return read_sheets(rows.select_related("template", "vehicle", "store", "order__visit").order_by("id"))


def last_signed(vehicle: Vehicle, by: Actor) -> list[CheckSheet]:
    """The car's signed sheets in the stores one may look into, the newest first."""
    rows = CheckSheet.objects.for_actor(by).filter(vehicle=vehicle, state=SheetState.SIGNED)
    return list(
        rows.select_related("template", "order__visit", "vehicle", "store", "signed_by").order_by("-signed_at")[:6]
    )


def photo_for(uid: UUID, by: Actor) -> StoredFile:
    """The file of a sheet's photo: for the store's staff, and for the holder of the visit's link once it is signed."""
    rows = CheckPhoto.objects.for_actor(by).select_related("file")
    if by.visit_id is not None:
        rows = rows.filter(sheet__state=SheetState.SIGNED)
    return rows.get(uid=uid).file
