"""Check sheets: begun on an order, answered item by item, signed at the car, offered as lines (3.1).

Lock order (design 5): the order and its lines before the sheet. Who only answers or signs holds the sheet alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from dealership.catalogue.check_models import MEASURED, READINGS, CheckItem, CheckKind, CheckStage, CheckTemplate
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.services import file_path, store_file
from dealership.kernel.states import require
from reception.pictures import clean_picture
from staff.models import Employee
from staff.selectors.employees import employee_of, require_employee
from workshop import check_rules, events, permissions
from workshop.check_models import (
    FINDINGS,
    JUDGED,
    SHEET_MOVES,
    CheckAnswer,
    CheckOffer,
    CheckPhoto,
    CheckSheet,
    SheetState,
    Verdict,
)
from workshop.models import Clocking, LinePhoto, OrderLine
from workshop.selectors import sheets as reads
from workshop.services.orders import MOST_PHOTOS, add_line, locked_order
from workshop.services.tools import demand_measuring, name_sheet_instruments

MOST_READING = Decimal(99999)
MOST_ITEM_PHOTOS = 6


@transaction.atomic
def begin_sheet(*, order_uid: UUID, template_uid: UUID, by: Actor) -> CheckSheet:
    """Begins a sheet on an order that isn't settled or withdrawn, by the version that holds today (3.1).

    A signed sheet of an inspection that the law asks is begun again after rework or where something on it is bad (3.2).
    Raises RuleError ``order.ended``, ``sheet.not_held`` for a version that doesn't hold today, and RaceLost
    ``sheet.there`` where the order has this sheet.
    """
    by.require(permissions.CHECKS_FILL)
    order = locked_order(order_uid, by)
    template = CheckTemplate.objects.get(uid=template_uid)
    if not reads.templates_for(clock.today(order.store.time_zone)).filter(pk=template.pk).exists():
        raise RuleError("sheet.not_held", _("This version of the sheet doesn't hold today; look again."))
    there = order.sheets.filter(template__code=template.code).select_related("template").order_by("-turn").first()
    if there is not None and not reads.may_begin_again(there):
        raise RaceLost("sheet.there", _("This order has this sheet already; go on with that one."))
    sheet: CheckSheet = CheckSheet.objects.create(
        store_id=order.store_id,
        order=order,
        vehicle=order.vehicle,
        template=template,
        powertrain=order.vehicle.powertrain,
        turn=there.turn + 1 if there is not None else 1,
        started_at=clock.now(),
        started_by=employee_of(by),
    )
    record(sheet, events.SHEET_BEGUN, by=by, template=template.code, number=template.number)
    return sheet


def _open_sheet(uid: UUID, by: Actor) -> CheckSheet:
    sheet: CheckSheet = (
        CheckSheet.objects.for_actor(by)
        .locked()
        .select_related("order__visit", "vehicle", "store", "template")
        .get(uid=uid)
    )
    if sheet.state != SheetState.OPEN:
        raise RuleError("sheet.signed", _("This sheet is signed and stays as it is."))
    return sheet


def _item_of(sheet: CheckSheet, uid: UUID) -> CheckItem:
    """An item of this sheet's version that applies to the car."""
    item = (
        CheckItem.objects.prefetch_related("limits")
        .select_related("operation")
        .get(uid=uid, template=sheet.template_id)
    )
    if item.powertrains and sheet.powertrain not in item.powertrains:
        raise RuleError("sheet.not_this_car", _("This item isn't for cars of this kind."))
    return item


def _read(item: CheckItem, verdict: str, readings: Sequence[Decimal | None]) -> tuple[str, list[Decimal]]:
    """What was given, checked against the item's kind: (verdict or "", values)."""
    values = [value for value in readings if value is not None]
    if item.kind in (CheckKind.PHOTO, CheckKind.NOTE):
        if values or verdict not in ("", Verdict.NOTED):
            raise RuleError("sheet.answer", _("This answer doesn't fit the item; look at the sheet again."))
        return Verdict.NOTED, []
    if item.kind == CheckKind.RATING:
        if values or verdict not in JUDGED:
            raise RuleError("sheet.verdict", _("Choose good, soon, bad or not there."), field="verdict")
        return verdict, []
    if verdict == Verdict.NA and not values:
        return verdict, []
    count = READINGS[CheckKind(item.kind)]
    if len(values) != count:
        text = _("Write a value for each wheel.") if count > 1 else _("Write the value.")
        raise RuleError("sheet.readings", text, field="" if count > 1 else "v0")
    for place, value in enumerate(values):
        if not value.is_finite() or abs(value) > MOST_READING or round(value, 2) != value:
            raise RuleError(
                "sheet.readings", _("A value has at most two decimal places and five digits."), field=f"v{place}"
            )
        if not check_rules.is_possible(value, item.unit, item.kind):
            raise RuleError(
                "sheet.impossible",
                _("%(value)s %(unit)s can't be measured; read it again: %(range)s."),
                field=f"v{place}",
                value=f"{value.normalize():f}",
                unit=item.unit,
                range=reads.say_possible(item.unit, item.kind),
            )
    return "", values


@transaction.atomic
def answer_item(
    *,
    sheet_uid: UUID,
    item_uid: UUID,
    by: Actor,
    verdict: str = "",
    readings: Sequence[Decimal | None] = (),
    note: str = "",
) -> CheckSheet:
    """Writes what an item is, or corrects it while the sheet isn't signed (3.1). The same answer again changes nothing.

    Measured values judge themselves by the bounds for this car; ``readings`` are left front, right front, left rear,
    right rear, or one value. A bad item's words or photo may come after it; without them the sheet isn't signed.
    Raises RuleError ``sheet.signed``, ``sheet.not_this_car``, ``sheet.verdict``, ``sheet.readings``, ``sheet.answer``,
    and ``sheet.impossible`` for what can't be measured (150 %).
    """
    by.require(permissions.CHECKS_FILL)
    sheet = _open_sheet(sheet_uid, by)
    item = _item_of(sheet, item_uid)
    judged, values = _read(item, verdict, readings)
    if item.kind in MEASURED and not judged:
        bounds = reads.bounds_for(item, model_id=sheet.vehicle.model_id, powertrain=sheet.powertrain)
        judged = check_rules.worst(bounds.judge(value) for value in values)
    words = formats.one_line(note)[:200]
    row = CheckAnswer.objects.filter(sheet=sheet, item=item).first()
    if row is not None and (row.verdict, row.readings, row.note) == (judged, values, words) and not row.as_rest:
        return sheet
    before = row.verdict if row else None
    CheckAnswer.objects.update_or_create(
        sheet=sheet,
        item=item,
        defaults={
            "verdict": judged,
            "readings": values,
            "note": words,
            "as_rest": False,
            "answered_at": clock.now(),
            "answered_by": employee_of(by),
        },
    )
    sheet.refresh_from_db(fields=["version", "updated_at"])
    record(sheet, events.SHEET_ANSWERED, by=by, item=item.code, changed={"verdict": (before, judged)})
    return sheet


@transaction.atomic
def rest_is_good(*, uid: UUID, by: Actor) -> CheckSheet:
    """Everything that is judged by eye, that no safety hangs on and that has no answer yet is good (3.1).

    Raises RuleError ``sheet.signed``, and ``sheet.no_rest`` where nothing of that kind is left.
    """
    by.require(permissions.CHECKS_FILL)
    sheet = _open_sheet(uid, by)
    answered = set(sheet.answers.values_list("item_id", flat=True))
    items = reads.items_for(sheet.template_id, sheet.powertrain)
    left = [item for item in items if item.pk not in answered and reads.may_be_rest(item)]
    if not left:
        raise RuleError("sheet.no_rest", _("Nothing is left that may be answered together."))
    person = employee_of(by)
    CheckAnswer.objects.bulk_create(
        CheckAnswer(
            sheet=sheet,
            item=item,
            verdict=Verdict.GREEN,
            as_rest=True,
            answered_at=clock.now(),
            answered_by=person,
        )
        for item in left
    )
    sheet.refresh_from_db(fields=["version", "updated_at"])
    record(sheet, events.SHEET_REST_GOOD, by=by, items=len(left))
    return sheet


@transaction.atomic
def add_check_photo(
    *, sheet_uid: UUID, item_uid: UUID, content: bytes, by: Actor, name: str = "check.jpg", uid: UUID | None = None
) -> CheckPhoto:
    """Keeps a picture of an item (3.1); ``uid`` is the name a device gave it: the same again is the same photo.

    Raises RuleError ``sheet.signed``, ``sheet.photos`` above six of one item, ``file.kind`` for what is no picture.
    """
    by.require(permissions.CHECKS_FILL)
    if uid is not None:
        known = CheckPhoto.objects.for_actor(by).filter(uid=uid, sheet__uid=sheet_uid, item__uid=item_uid).first()
        if known is not None:
            return known
    sheet = _open_sheet(sheet_uid, by)
    item = _item_of(sheet, item_uid)
    if sheet.photos.filter(item=item).count() >= MOST_ITEM_PHOTOS:
        raise RuleError("sheet.photos", _("Six photos of one item are enough."), field="photos")
    kept = store_file(
        content=clean_picture(content),
        name=name,
        store_id=sheet.store_id,
        by=by,
        visit_uid=sheet.order.visit.uid,
    )
    photo: CheckPhoto = CheckPhoto.objects.create(
        uid=uid or uuid4(), sheet=sheet, item=item, file=kept, taken_at=clock.now()
    )
    record(sheet, events.SHEET_PICTURED, by=by, item=item.code, photo=photo.uid, sha256=kept.sha256)
    return photo


@transaction.atomic
def sign_sheet(*, uid: UUID, by: Actor, instrument_uids: Sequence[UUID] = ()) -> CheckSheet:
    """The person at the car signs for what stands there; from now on nothing of it changes (3.1).

    A sheet of an inspection that the law asks (3.2, domain 3.4) names what it was measured with (``instrument_uids``, in
    order and in date); the one during the repair is signed by who may do team checks or final inspections, the one at
    completion by who may do final inspections and didn't work on the car.
    Raises RuleError ``sheet.signed``, ``sheet.incomplete`` with what is missing first, ``sheet.own_work``,
    ``sheet.instruments``, ``tool.unknown``, ``tool.unavailable``, ``tool.expired``; NotAllowed for who may not sign it.
    """
    by.require(permissions.CHECKS_FILL)
    person = require_employee(by)
    sheet = _open_sheet(uid, by)
    _check_signer(sheet, person, by)
    read = reads.read_sheet(sheet)
    missing = read.first_open
    if missing is not None:
        if missing.needs_words:
            text = _("“%(item)s” is bad: say what is wrong or take a photo.")
        else:
            text = _("%(n)s items have no answer yet; the first is “%(item)s”.")
        raise RuleError("sheet.incomplete", text, item=missing.item.said, n=len(read.open_rows))
    instruments = name_sheet_instruments(sheet, instrument_uids, by)
    if sheet.template.stage and any(row.answer and row.answer.readings for row in read.rows):
        demand_measuring(instruments, "sheet.instruments")
    before = SheetState(sheet.state)
    require(SHEET_MOVES, before, SheetState.SIGNED)
    sheet.state, sheet.signed_at, sheet.signed_by = SheetState.SIGNED, clock.now(), person
    sheet.save(update_fields=["state", "signed_at", "signed_by"])
    sheet.refresh_from_db(fields=["version", "updated_at"])
    record(
        sheet,
        events.SHEET_SIGNED,
        by=by,
        changed={"state": (before, sheet.state)},
        green=read.green,
        yellow=read.yellow,
        red=read.red,
        instruments=[tool.uid for tool in instruments] or None,
    )
    return sheet


def _check_signer(sheet: CheckSheet, person: Employee, by: Actor) -> None:
    """Who may sign a sheet of an inspection that the law asks (domain 3.4)."""
    stage = sheet.template.stage
    if stage == CheckStage.PROCESS and not by.may(permissions.INSPECT_TEAM):
        by.require(permissions.INSPECT_FINAL)
    if stage == CheckStage.FINAL:
        by.require(permissions.INSPECT_FINAL)
        if Clocking.objects.filter(line__order_id=sheet.order_id, employee=person).exists():
            raise RuleError("sheet.own_work", _("Who worked on the car can't sign its check at completion (3.2)."))


def _why(row: reads.Row) -> str:
    """``Brake pad thickness: left front 2.5 mm; scored``: what the customer reads beside the price."""
    parts = []
    for place in row.places:
        if place["value"] is not None and place["verdict"] in FINDINGS:
            value = f"{place['value'].normalize():f} {row.item.unit}"
            parts.append(f"{place['label']} {value}" if place["label"] else value)
    if row.answer and row.answer.note:
        parts.append(row.answer.note)
    found = " · ".join(parts) or (str(Verdict(row.verdict).label))
    return f"{row.item.said}: {found}"[:300]


@transaction.atomic
def offer_finding(*, sheet_uid: UUID, item_uid: UUID, by: Actor, although_there: bool = False) -> OrderLine:
    """Writes the line that mends a worn or bad item onto the order, with why and its photos, in one tap (3.1).

    The item's operation brings hours and parts; without one the line has the item's name and waits to be priced.
    Raises RuleError ``sheet.finding`` for what is good or unanswered, ``sheet.offered`` where a line of it stands there,
    ``sheet.line_there`` where somebody else wrote the same work (unless ``although_there``), and what ``add_line`` says.
    """
    if not by.may(permissions.LINES_EDIT):
        by.require(permissions.LINES_PROPOSE)
    order_uid = CheckSheet.objects.for_actor(by).values_list("order__uid", flat=True).get(uid=sheet_uid)
    order = locked_order(order_uid, by)
    sheet = reads.get_sheet(sheet_uid, by)
    item = _item_of(sheet, item_uid)
    row = next(row for row in reads.read_sheet(sheet).rows if row.item.pk == item.pk)
    if not row.is_finding:
        raise RuleError("sheet.finding", _("Only what was found worn or bad is offered, on the order of this sheet."))
    if row.line is not None:
        raise RuleError("sheet.offered", _("A line for this stands on the order already."))
    if row.same is not None and not although_there:
        raise RuleError(
            "sheet.line_there",
            _("“%(line)s” (%(state)s) stands on the order already; nothing was added."),
            line=row.same.said,
            state=row.same.get_state_display(),
        )
    active = item.operation is not None and item.operation.active
    with override(order.visit.customer.language):
        cause, said = _why(row), item.said
    line = add_line(
        order_uid=order_uid,
        operation_uid=item.operation.uid if item.operation is not None and active else None,
        description="" if active else said,
        cause=cause,
        is_safety=True if item.is_safety and row.verdict == Verdict.RED else None,
        by=by,
    )
    for photo in row.photos[:MOST_PHOTOS]:
        content = file_path(photo.file.sha256, photo.file.media_type).read_bytes()
        kept = store_file(content=content, name="line.jpg", store_id=sheet.store_id, by=by, visit_uid=order.visit.uid)
        shown = LinePhoto.objects.create(line=line, file=kept, taken_at=photo.taken_at)
        record(line, events.LINE_PICTURED, by=by, store_id=sheet.store_id, photo=shown.uid, sha256=kept.sha256)
    CheckOffer.objects.create(sheet=sheet, item=item, line=line)
    sheet.refresh_from_db(fields=["version", "updated_at"])
    record(sheet, events.SHEET_OFFERED, by=by, item=item.code, line=line.uid)
    return line
