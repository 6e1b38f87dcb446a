"""Check sheets for tests, filled in through the commands."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from dealership.catalogue.check_models import CheckItem, CheckTemplate
from dealership.kernel.actors import Actor
from tests.factories.reception import make_picture
from workshop.check_models import CheckSheet
from workshop.models import RepairOrder
from workshop.services import sheets


def template(code: str = "SHORT") -> CheckTemplate:
    found: CheckTemplate = CheckTemplate.objects.get(code=code)
    return found


def begun(order: RepairOrder, by: Actor, code: str = "SHORT") -> CheckSheet:
    return sheets.begin_sheet(order_uid=order.uid, template_uid=template(code).uid, by=by)


def item(sheet: CheckSheet, code: str) -> UUID:
    return CheckItem.objects.get(template=sheet.template_id, code=code).uid


def answer(sheet: CheckSheet, code: str, by: Actor, *readings: str, verdict: str = "", note: str = "") -> CheckSheet:
    values = [Decimal(value) for value in readings]
    return sheets.answer_item(
        sheet_uid=sheet.uid, item_uid=item(sheet, code), verdict=verdict, readings=values, note=note, by=by
    )


def filled(order: RepairOrder, by: Actor, tread: str = "5.5") -> CheckSheet:
    """A short sheet that only waits for its signature."""
    sheet = begun(order, by)
    answer(sheet, "TYRE-TREAD", by, tread, "5.5", "5.0", "5.0", note="内侧吃胎" if Decimal(tread) < 2 else "")
    answer(sheet, "TYRE-PRESS", by, "2.4", "2.4", "2.4", "2.4")
    for code in ("TYRE-WALL", "WHEEL-BOLTS", "LAMPS-REAR"):
        answer(sheet, code, by, verdict="GREEN")
    return sheets.rest_is_good(uid=sheet.uid, by=by)


def pictured(order: RepairOrder, by: Actor) -> CheckSheet:
    """A signed short sheet with a bad tyre, its photo and its line."""
    sheet = filled(order, by, tread="1.5")
    bad = item(sheet, "TYRE-TREAD")
    sheets.add_check_photo(sheet_uid=sheet.uid, item_uid=bad, content=make_picture(), name="tyre.jpg", by=by)
    sheets.sign_sheet(uid=sheet.uid, by=by)
    sheets.offer_finding(sheet_uid=sheet.uid, item_uid=bad, by=by)
    return sheet
