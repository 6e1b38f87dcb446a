"""Reads of imports: the list, one with its rows by action, and those that stand still (7.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from dealership.exchange.imports_planning import KEPT
from dealership.exchange.imports_reading import FIELD_LABELS
from dealership.exchange.models import ImportAction, ImportBatch, ImportRow, ImportState
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor

PAGE = 100
STILL = timedelta(seconds=60)

NOTES: dict[str, tuple[Any, Any]] = {
    "formula": (_("A formula without its value."), _("Open the file, copy the column and paste it as values.")),
    "vin.characters": (_("A VIN never contains I, O or Q."), _("Compare it with the licence.")),
    "vin.length": (_("A VIN has 17 characters."), _("Compare it with the licence.")),
    "vin.repeated": (_("The same character seventeen times is not a VIN."), _("Compare it with the licence.")),
    "vin.check_digit": (
        _("The check digit of the VIN doesn't fit: a character is probably mistyped."),
        _("Compare it with the licence; whoever may keep it gives the reason in a column of its own."),
    ),
    "vin.year": (_("The tenth character stands for no model year."), _("Compare it with the licence.")),
    "plate.pattern": (_("This is no plate pattern."), _("Correct the plate, or leave the cell empty.")),
    "plate.letters": (_("The letters I and O are not used in a plate."), _("Correct the plate.")),
    "plate.empty": (_("This is no plate pattern."), _("Correct the plate, or leave the cell empty.")),
    "plate.needs_vin": (
        _("A plate of this kind can be given again; without a VIN the car can't be told apart."),
        _("Add the VIN."),
    ),
    "vehicle.plate_kind": (
        _("This is no kind of plate."),
        _("Write ordinary, temporary, diplomatic, military or not yet registered."),
    ),
    "text.id_number": (_("An identity number isn't kept here."), _("Delete it from the cell.")),
    "text.hostile": (_("These characters belong to a program, not to a text."), _("Correct the cell.")),
    "text.too_long": (_("Longer than %(limit)s characters."), _("Shorten the text.")),
    "phone.scientific": (
        _("The spreadsheet cut this number to its first digits."),
        _("Format the column as text and export it again."),
    ),
    "phone.pattern": (_("This is no telephone number."), _("Correct the number, or leave the cell empty.")),
    "phone.rest": (_("The words beside the number were left out."), ""),
    "phone.third": (_("Only two numbers are kept."), ""),
    "email.pattern": (_("This is no e-mail address."), _("Add it on the customer's page.")),
    "uscc.length": (_("A unified social credit code has 18 characters."), _("Add it on the customer's page.")),
    "uscc.characters": (_("This is no unified social credit code."), _("Add it on the customer's page.")),
    "uscc.check_character": (
        _("The check character of the company code doesn't fit."),
        _("Add it on the customer's page."),
    ),
    "km": (_("This is no mileage up to 2,000,000 km."), _("Read it at the next visit.")),
    "year": (_("This is no model year."), _("Add it on the vehicle's page.")),
    "day.unreadable": (_("This day could mean two days, or none."), _("Write it like 2024-05-31.")),
    "day.end_impossible": (
        _("This day lies before 1990 or more than ten years ahead."),
        _("Add it on the vehicle's page."),
    ),
    "day.impossible": (_("This day lies in the future or before 1950."), _("Add it on the vehicle's page.")),
    "customer.reachable": (_("A name without a telephone number."), _("Add a number, or leave the name empty.")),
    "customer.name": (_("A telephone number without a name."), _("Add the name.")),
    "row.nothing": (_("Neither a vehicle nor a customer."), _("Delete the row.")),
    "vehicle.model": (_("The model is missing."), _("Add it at the next visit.")),
    "vehicle.two": (
        _("Plate and VIN belong to two different vehicles; the other VIN ends in %(other)s."),
        _("Compare both with the licence."),
    ),
    "vehicle.other_vin": (
        _("This plate is on a vehicle whose VIN ends in %(other)s."),
        _("If the plate moved to another car, take it from the old one first."),
    ),
    "vehicle.vin_twice": (
        _("This VIN already stands in the file with the plate %(other)s."),
        _("Keep the row that is right."),
    ),
    "vehicle.other_owner": (
        _("The vehicle belongs to %(other)s."),
        _("Enter the change of owner on the vehicle's page."),
    ),
    "vehicle.plate_kept": (
        _("The vehicle has the plate %(other)s; it was kept."),
        _("Correct the plate on the vehicle's page."),
    ),
    "vehicle.in_file": (_("The same vehicle as in an earlier row."), ""),
    "customer.in_file": (_("The same customer as in an earlier row."), ""),
    "customer.shared_phone": (
        _("%(other)s has this number too; both are kept."),
        _("If they are one person, correct the name."),
    ),
    "customer.phone_kept": (_("The customer has two other numbers; they were kept."), _("Correct them on the page.")),
    "database": (
        _("Somebody else wrote the same vehicle or customer meanwhile."),
        _("Import this row again."),
    ),
    KEPT: (_("Not taken back: used or changed since the import."), _("Remove it by hand where it must go.")),
}
NAMES_SOMEBODY = {"vehicle.other_owner", "customer.shared_phone"}
PROBLEMS: dict[str, Any] = {
    "import.discarded": _("The preview was discarded."),
    "import.lost": _("The file was lost before it was read; take it in again."),
    "import.rows": _("More than 50,000 rows; split the file."),
    "import.broken": _("The file can't be opened as a spreadsheet; save it anew."),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One note in the reader's language: where, what is wrong, what to do."""

    code: str
    field: str
    level: str
    where: Any
    value: str
    text: str
    todo: Any
    row: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the preview; telephone numbers are masked."""

    number: int
    action: str
    label: Any
    plate: str
    vin: str
    name: str
    phone: str
    model: str
    said: list[Said]


def any_import(*, uid: UUID) -> ImportBatch | None:
    """One import whatever its store, for the worker."""
    return ImportBatch.objects.filter(uid=uid).first()


def import_of(*, uid: UUID, by: Actor) -> ImportBatch:
    return ImportBatch.objects.for_actor(by).select_related("store", "started_by").get(uid=uid)


def list_imports(*, by: Actor) -> list[ImportBatch]:
    """The last fifty imports of the actor's stores, newest first."""
    return list(ImportBatch.objects.for_actor(by).select_related("started_by").order_by("-id")[:50])


def standing_still() -> list[UUID]:
    """Imports in work that nothing has moved for a minute."""
    since = clock.written_now() - STILL
    rows = ImportBatch.objects.filter(state__in=[ImportState.READING, ImportState.WRITING], updated_at__lt=since)
    asked = ImportBatch.objects.filter(state=ImportState.DONE, summary__has_key="undo_by", updated_at__lt=since)
    return [*rows.values_list("uid", flat=True), *asked.values_list("uid", flat=True)]


def problem_of(code: str) -> Any:
    """Why an import failed, in words."""
    return PROBLEMS.get(code, _("The file can't be read as a table of customers."))


def rows_of(
    batch: ImportBatch, *, show: str = "", after: int = 0, most: int = PAGE, masked: bool = False
) -> tuple[list[Shown], int | None]:
    """``most`` rows from ``after`` on and the next cursor. ``show``: an action, ``NOTES`` (rows with a remark) or
    ``KEPT`` (rows an undo left). ``masked``: names are, too."""
    rows = batch.rows.filter(number__gt=after).order_by("number")
    if show in ImportAction.values:
        rows = rows.filter(action=show)
    elif show == "NOTES":
        rows = rows.exclude(notes=[]).exclude(action=ImportAction.REFUSE)
    elif show == "KEPT":
        rows = rows.filter(notes__contains=[{"code": KEPT}])
    page = list(rows[: most + 1])
    more = len(page) > most
    page = page[:most]
    return [_shown(row, masked=masked) for row in page], page[-1].number if more else None


def noted(batch: ImportBatch) -> int:
    """How many rows that aren't refused carry a remark."""
    return batch.rows.exclude(notes=[]).exclude(action=ImportAction.REFUSE).count()


def reasons_of(batch: ImportBatch) -> list[tuple[Any, int]]:
    """Why rows are refused, the commonest first: sentence and count."""
    found: Counter[str] = Counter()
    for notes in batch.rows.filter(action=ImportAction.REFUSE).values_list("notes", flat=True):
        found.update({said["code"] for said in notes if said["level"] == "REFUSE"})
    return [(_said({"code": code, "field": "", "level": "REFUSE"}).text, n) for code, n in found.most_common(8)]


def _shown(row: ImportRow, *, masked: bool) -> Shown:
    raw = {key: str(value)[:60] for key, value in row.raw.items()}
    phones = formats.split_phones(raw.get("phone", "")).phones
    return Shown(
        row.number,
        row.action,
        row.get_action_display(),
        raw.get("plate", ""),
        raw.get("vin", ""),
        formats.mask_name(raw.get("name", "")) if masked else raw.get("name", ""),
        " ".join(formats.mask_phone(number) for number in phones) or formats.mask_phone(raw.get("phone", "")),
        raw.get("model_text", ""),
        [_said(said, masked=masked) for said in row.notes],
    )


def _said(said: dict[str, Any], *, masked: bool = False) -> Said:
    text, todo = NOTES.get(said["code"], (said["code"], ""))
    params = {"other": said.get("other", "…"), "limit": said.get("limit", "")}
    if masked and said["code"] in NAMES_SOMEBODY:
        params["other"] = formats.mask_name(str(params["other"]))
    field = said.get("field", "")
    value = str(said.get("value", ""))
    if field in ("phone", "phone_2") and formats.phone_kind(value):
        value = formats.mask_phone(value)
    where = FIELD_LABELS.get(field, "")
    return Said(said["code"], field, said["level"], where, value, str(text) % params, todo, said.get("row", 0))


def kept_rows(batch: ImportBatch) -> list[tuple[int, str]]:
    """Rows an undo left in place, each with the table that uses it (or ``changed``, ``needed``)."""
    rows = batch.rows.filter(notes__contains=[{"code": KEPT}]).order_by("number").values_list("number", "notes")
    return [(number, next(said["other"] for said in notes if said["code"] == KEPT)) for number, notes in rows]
