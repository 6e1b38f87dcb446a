"""Importing customers and vehicles from a spreadsheet: upload, preview, write in steps, undo (7.2).

Upload keeps the file until it is read; reading decides every row and writes nothing but the preview. Confirmed, the rows
are decided anew against the database of that moment and written in steps of one transaction each, so that a killed
import goes on where it stood. The undo puts back exactly what was there, except for rows that were used since.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from dealership.exchange import events, permissions
from dealership.exchange.imports_planning import KEPT, Car, Decision, Person, World, decide
from dealership.exchange.imports_reading import (
    HEADER_WITHIN,
    REFUSE,
    WARN,
    Reading,
    find_table,
    note,
    raw_of,
    read_cells,
    read_row,
)
from dealership.exchange.models import IMPORT_MOVES, ImportAction, ImportBatch, ImportRow, ImportState
from dealership.kernel import clock
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.states import require
from reception.models import Customer, Ownership, PlateKind, Vehicle
from reception.permissions import VIN_OVERRIDE
from reception.services import bulk

STEP = 1000
_PERSON = ("uid", "name", "kind", "phone", "phone_2", "email", "uscc", "note")
_CAR = (
    "pk", "uid", "plate", "plate_kind", "plate_color", "vin", "vin_note", "model_text", "powertrain", "engine_number",
    "battery_code", "color", "vehicle_type", "model_year", "invoiced_on", "delivered_on", "registered_on",
    "insured_until", "inspected_until", "odometer_km", "odometer_at",
)  # fmt: skip


def _file(uid: UUID) -> Path:
    return Path(settings.MEDIA_ROOT) / "imports" / str(uid)


@transaction.atomic
def upload_import(*, content: bytes, file_name: str, by: Actor, store: Store | None = None) -> ImportBatch:
    """Takes a file in; it is read in the background. Raises RuleError where it can't be a table of customers."""
    by.require(permissions.IMPORTS_RUN)
    store = store or Store.objects.get(pk=by.store_id)
    find_table(islice(read_cells(content), HEADER_WITHIN + 20))
    batch = ImportBatch.objects.create(
        store=store,
        file_name=Path(file_name).name.replace("\x00", "")[:120] or "—",
        sha256=hashlib.sha256(content).hexdigest(),
        started_by=by.user,
        summary={"by": [str(by.kind), by.id], "may_override": by.may(VIN_OVERRIDE)},
    )
    path = _file(batch.uid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    record(batch, events.IMPORT_UPLOADED, by=by, sha256=batch.sha256)
    return batch


def _move(batch: ImportBatch, state: ImportState) -> None:
    require(IMPORT_MOVES, ImportState(batch.state), state)
    batch.state = state


def _actor(batch: ImportBatch) -> Actor:
    kind, identity = batch.summary["by"]
    return Actor(ActorKind(kind), identity, store_ids=frozenset({batch.store_id}))


def read_import(*, uid: UUID) -> ImportBatch:
    """READING → PREVIEW: every row is read and decided; safe to run twice. A file that can't be read ends in FAILED."""
    try:
        with transaction.atomic():
            return _read(ImportBatch.objects.locked().select_related("store").get(uid=uid))
    except (RuleError, FileNotFoundError) as refusal:
        with transaction.atomic():
            batch = ImportBatch.objects.locked().get(uid=uid)
            _move(batch, ImportState.FAILED)
            batch.problem = refusal.code if isinstance(refusal, RuleError) else "import.lost"
            batch.save(update_fields=["state", "problem"])
            record(batch, events.IMPORT_FAILED, by=_actor(batch), problem=batch.problem)
            _forget_file(batch)
            return batch


def _read(batch: ImportBatch) -> ImportBatch:
    if batch.state != ImportState.READING:
        return batch
    sheet = find_table(read_cells(_file(batch.uid).read_bytes()))
    today = clock.today(batch.store.time_zone)
    raws = [(number, raw_of(sheet, cells)) for number, cells in sheet.rows]
    may_override = bool(batch.summary.get("may_override"))
    readings = [read_row(number, raw, today=today, may_override=may_override) for number, raw in raws]
    world = load_world(readings, made={})
    decisions = [decide(reading, world, new_uid=_new_uid, today=today) for reading in readings]
    ImportRow.objects.filter(batch=batch).delete()
    ImportRow.objects.bulk_create(
        (
            ImportRow(
                batch=batch,
                number=number,
                raw=raw,
                action=made.action,
                notes=made.notes,
                plan={"values": reading.values, "notes": reading.notes},
            )
            for (number, raw), reading, made in zip(raws, readings, decisions, strict=True)
        ),
        batch_size=1000,
    )
    _move(batch, ImportState.PREVIEW)
    batch.total, batch.done = len(raws), 0
    batch.summary |= {
        "columns": list(sheet.columns.values()),
        "ignored": sheet.ignored,
        "header_row": sheet.header_row,
        "counts": _counts(decisions),
        "will": _tally(decision.writes for decision in decisions),
    }
    batch.save(update_fields=["state", "total", "done", "summary"])
    record(batch, events.IMPORT_PREVIEWED, by=_actor(batch), rows=batch.total, **batch.summary["counts"])
    _forget_file(batch)
    return batch


def _forget_file(batch: ImportBatch) -> None:
    """The rows hold what is needed; the file with its personal data goes once they are committed."""

    def remove() -> None:
        with suppress(FileNotFoundError):
            _file(batch.uid).unlink()

    transaction.on_commit(remove)


def _new_uid() -> str:
    return str(uuid4())


def _counts(decisions: Iterable[Decision]) -> dict[str, int]:
    found = Counter(decision.action for decision in decisions)
    return {action: found.get(action, 0) for action in ImportAction.values}


def _tally(writes: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many customers, vehicles and owners are new, and how many things are added to."""
    total = {"customers": 0, "vehicles": 0, "ownerships": 0, "added": 0}
    for row in writes:
        for key, write in row.items():
            if write["op"] == "CREATE":
                total[f"{key}s"] += 1
            elif write["op"] == "UPDATE":
                total["added"] += 1
    return total


# --- what the database knows of the rows ----------------------------------------------------------------------------


def load_world(readings: list[Reading], *, made: dict[str, int], lock: bool = False) -> World:
    """What the group's file holds of the plates, VINs and numbers in ``readings``.

    ``made`` maps uids that this very import made to their row. With ``lock`` the rows are locked in the order of the
    house (customer, vehicle, by key) and read again, so that nobody changes them meanwhile.
    """
    values = [reading.values for reading in readings if not reading.refused]
    vins = {row["vin"] for row in values if row.get("vin")}
    plates = {row["plate"] for row in values if row.get("plate")}
    phones = {row[key] for row in values for key in ("phone", "phone_2") if row.get(key)}
    car_ids, person_ids = _find_ids(vins, plates, phones)
    if lock:
        list(Customer.objects.filter(pk__in=person_ids).order_by("pk").locked().values_list("pk"))
        list(Vehicle.objects.filter(pk__in=car_ids).order_by("pk").locked().values_list("pk"))
        car_ids, person_ids = _find_ids(vins, plates, phones)
    world = World()
    for row in Customer.objects.filter(pk__in=person_ids).order_by("pk").values(*_PERSON):
        uid = str(row.pop("uid"))
        world.add_person(Person(uid, row, made.get(uid, 0)))
    owners: dict[int, list[tuple[Any, Any]]] = {}
    rows = Ownership.objects.filter(vehicle_id__in=car_ids).order_by("starts_on")
    for vehicle_id, customer_uid, ends_on in rows.values_list("vehicle_id", "customer__uid", "ends_on"):
        owners.setdefault(vehicle_id, []).append((str(customer_uid), ends_on))
    for row in Vehicle.objects.filter(pk__in=car_ids).order_by("pk").values(*_CAR):
        uid, owned = str(row.pop("uid")), owners.get(row.pop("pk"), [])
        for name in (*bulk.DATES, "odometer_at"):
            row[name] = row[name].isoformat() if row[name] else None
        present = next((owner for owner, ends_on in owned if ends_on is None), None)
        until = max((ends_on for _owner, ends_on in owned if ends_on), default=None)
        world.add_car(Car(uid, row, present, until, made.get(uid, 0)))
    return world


def _find_ids(vins: set[str], plates: set[str], phones: set[str]) -> tuple[set[int], set[int]]:
    cars = set(Vehicle.objects.filter(vin__in=vins).exclude(vin="").values_list("pk", flat=True))
    cars |= set(Vehicle.objects.filter(plate__in=plates, plate_kind=PlateKind.NORMAL).values_list("pk", flat=True))
    people = set(Customer.objects.unmerged().filter(phone__in=phones).values_list("pk", flat=True))
    people |= set(
        Customer.objects.unmerged().exclude(phone_2="").filter(phone_2__in=phones).values_list("pk", flat=True)
    )
    people |= set(Ownership.objects.filter(vehicle_id__in=cars).values_list("customer_id", flat=True))
    return cars, people


# --- confirmed: written in steps ------------------------------------------------------------------------------------


@transaction.atomic
def confirm_import(*, uid: UUID, by: Actor) -> ImportBatch:
    """PREVIEW → WRITING. Raises RuleError where there is nothing to write."""
    by.require(permissions.IMPORTS_RUN)
    batch = ImportBatch.objects.for_actor(by).locked().get(uid=uid)
    _move(batch, ImportState.WRITING)
    counts = batch.summary["counts"]
    if not counts["CREATE"] + counts["UPDATE"]:
        raise RuleError("import.nothing", _("No row would change anything; there is nothing to write."))
    batch.summary |= {"by": [str(by.kind), by.id], "cursor": 0, "written": _tally([])}
    batch.done = 0
    batch.save(update_fields=["state", "summary", "done"])
    record(batch, events.IMPORT_CONFIRMED, by=by)
    return batch


@transaction.atomic
def discard_import(*, uid: UUID, by: Actor) -> ImportBatch:
    """PREVIEW → FAILED: the file isn't wanted; its rows are forgotten."""
    by.require(permissions.IMPORTS_RUN)
    batch = ImportBatch.objects.for_actor(by).locked().get(uid=uid)
    if batch.state != ImportState.PREVIEW:
        raise RuleError("import.discard", _("Only a preview can be discarded."))
    abandon_preview(batch, by=by)
    return batch


def abandon_preview(batch: ImportBatch, *, by: Actor) -> None:
    """Ends a locked preview without writing; its rows are forgotten."""
    _move(batch, ImportState.FAILED)
    batch.problem = "import.discarded"
    batch.save(update_fields=["state", "problem"])
    ImportRow.objects.filter(batch=batch).delete()
    record(batch, events.IMPORT_FAILED, by=by, problem=batch.problem)


def made_by(batch: ImportBatch) -> dict[str, int]:
    """Uids of customers and vehicles that this import has made so far → the row that made them."""
    made: dict[str, int] = {}
    for number, written in batch.rows.exclude(written={}).values_list("number", "written"):
        for key in ("customer", "vehicle"):
            if written.get(key, {}).get("op") == "CREATE":
                made[written[key]["uid"]] = number
    return made


@transaction.atomic
def write_step(*, uid: UUID, made: dict[str, int] | None = None, size: int = STEP) -> ImportBatch:
    """Decides and writes the next ``size`` rows in one transaction; after the last the import is DONE.

    ``made`` is kept by the caller between steps; None reads it from the rows. Who is quicker elsewhere with a VIN or a
    plate makes the step decide again.
    """
    batch = ImportBatch.objects.locked().select_related("store").get(uid=uid)
    if batch.state != ImportState.WRITING:
        return batch
    made = made_by(batch) if made is None else made
    rows = list(batch.rows.filter(number__gt=batch.summary["cursor"]).order_by("number")[:size])
    by = _actor(batch)
    readings = [Reading(row.number, row.plan["values"], row.plan["notes"]) for row in rows]
    try:
        decisions = _write(readings, batch=batch, made=made, by=by)
    except IntegrityError:
        decisions = [_write_alone(reading, batch=batch, made=made, by=by) for reading in readings]
    _keep(batch, rows, decisions)
    written = _tally(decision.writes for decision in decisions)
    batch.summary["written"] = {key: n + written[key] for key, n in batch.summary["written"].items()}
    batch.done += len(rows)
    if rows:
        batch.summary["cursor"] = rows[-1].number
    if len(rows) < size or batch.done >= batch.total:
        _move(batch, ImportState.DONE)
        found = Counter(batch.rows.values_list("action", flat=True))
        batch.summary["counts"] = {action: found.get(action, 0) for action in ImportAction.values}
        record(batch, events.IMPORT_WRITTEN, by=by, **batch.summary["written"])
    batch.save(update_fields=["state", "done", "summary"])
    return batch


def _write(readings: list[Reading], *, batch: ImportBatch, made: dict[str, int], by: Actor) -> list[Decision]:
    with transaction.atomic():
        world = load_world(readings, made=made, lock=True)
        today = clock.today(batch.store.time_zone)
        decisions = [decide(reading, world, new_uid=_new_uid, today=today) for reading in readings]
        writes = [decision.writes for decision in decisions if decision.writes]
        bulk.write_rows(writes, by=by, import_uid=batch.uid, store_id=batch.store_id)
    for reading, decision in zip(readings, decisions, strict=True):
        for key in ("customer", "vehicle"):
            if decision.writes.get(key, {}).get("op") == "CREATE":
                made[decision.writes[key]["uid"]] = reading.number
    return decisions


def _write_alone(reading: Reading, *, batch: ImportBatch, made: dict[str, int], by: Actor) -> Decision:
    """One row by itself, twice if need be; what the database still refuses is refused by name."""
    for _attempt in range(2):
        try:
            return _write([reading], batch=batch, made=made, by=by)[0]
        except IntegrityError:
            continue
    return Decision(ImportAction.REFUSE, [*reading.notes, note("database", "", REFUSE)])


def _keep(batch: ImportBatch, rows: list[ImportRow], decisions: list[Decision]) -> None:
    kept = [
        {"id": row.pk, "action": made.action, "notes": made.notes, "written": made.writes}
        for row, made in zip(rows, decisions, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exchange_importrow SET action = g.action, notes = g.notes, written = g.written"
            " FROM jsonb_to_recordset(%s::jsonb) AS g(id bigint, action text, notes jsonb, written jsonb)"
            " WHERE exchange_importrow.id = g.id",
            [orjson.dumps(kept).decode()],
        )


def write_import(*, uid: UUID, size: int = STEP, told: Any = None) -> ImportBatch:
    """Runs the steps until the import is DONE; ``told(batch)`` is called after each."""
    batch = ImportBatch.objects.get(uid=uid)
    made = made_by(batch)
    while batch.state == ImportState.WRITING:
        batch = write_step(uid=uid, made=made, size=size)
        if told:
            told(batch)
    return batch


# --- undo -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_undo(*, uid: UUID, by: Actor) -> ImportBatch:
    """Has a written import taken back in the background. Raises RuleError ``import.undo_asked``, ``.undo_too_late``."""
    by.require(permissions.IMPORTS_RUN)
    batch = ImportBatch.objects.for_actor(by).locked().get(uid=uid)
    require(IMPORT_MOVES, ImportState(batch.state), ImportState.UNDONE)
    _require_rows(batch)
    if "undo_by" in batch.summary:
        raise RuleError("import.undo_asked", _("This import is being taken back already."))
    batch.summary |= {"undo_by": [str(by.kind), by.id]}
    batch.save(update_fields=["summary"])
    record(batch, events.IMPORT_UNDO_ASKED, by=by)
    return batch


def _require_rows(batch: ImportBatch) -> None:
    if "emptied_at" in batch.summary:
        raise RuleError(
            "import.undo_too_late",
            _("The rows of this import were removed after their time; it can't be taken back any more."),
        )


def undo_asked(*, uid: UUID) -> ImportBatch:
    """Runs the undo that somebody asked for; where every row was used since, the wish is dropped and kept as such."""
    batch = ImportBatch.objects.get(uid=uid)
    if batch.state != ImportState.DONE or "undo_by" not in batch.summary:
        return batch
    kind, identity = batch.summary["undo_by"]
    by = Actor(ActorKind(kind), identity, frozenset({permissions.IMPORTS_RUN}), frozenset({batch.store_id}))
    try:
        return undo_import(uid=uid, by=by)
    except RuleError as refusal:
        with transaction.atomic():
            batch = ImportBatch.objects.locked().get(uid=uid)
            batch.summary = {k: v for k, v in batch.summary.items() if k != "undo_by"} | {"undo_refused": refusal.code}
            batch.save(update_fields=["summary"])
        return batch


@transaction.atomic
def undo_import(*, uid: UUID, by: Actor) -> ImportBatch:
    """DONE → UNDONE: deletes what the import made and empties what it filled, all in one transaction.

    A row whose customer or vehicle was used or changed since stays, with all that it needs; the import's own record and
    the row say so. Raises RuleError where every row was used.
    """
    by.require(permissions.IMPORTS_RUN)
    batch = ImportBatch.objects.for_actor(by).locked().get(uid=uid)
    _require_rows(batch)
    _move(batch, ImportState.UNDONE)
    rows = dict(batch.rows.exclude(written={}).order_by("number").values_list("number", "written"))
    kept = _rows_to_keep(rows)
    if rows and len(kept) == len(rows):
        raise RuleError("import.undo_nothing", _("Every row of this import was used since; nothing can be taken back."))
    gone: dict[str, list[str]] = {"customer": [], "vehicle": [], "ownership": []}
    before: dict[tuple[type, str], dict[str, Any]] = {}
    for number in sorted(rows.keys() - kept.keys(), reverse=True):
        for key, write in rows[number].items():
            if write["op"] == "CREATE":
                gone[key].append(write["uid"])
            elif write["op"] == "UPDATE":
                before.setdefault((_MODELS[key], write["uid"]), {}).update(write["before"])
    made = {*gone["customer"], *gone["vehicle"]}
    restore = [(model, uid_, columns) for (model, uid_), columns in before.items() if uid_ not in made]
    bulk.remove_rows(
        ownerships=gone["ownership"],
        vehicles=gone["vehicle"],
        customers=gone["customer"],
        restore=restore,
        by=by,
        import_uid=batch.uid,
        store_id=batch.store_id,
    )
    _mark_kept(batch, kept)
    batch.summary["undone"] = {
        "rows": len(rows) - len(kept),
        "customers": len(gone["customer"]),
        "vehicles": len(gone["vehicle"]),
        "ownerships": len(gone["ownership"]),
        "restored": len(restore),
        "kept": len(kept),
    }
    batch.save(update_fields=["state", "summary"])
    record(batch, events.IMPORT_UNDONE, by=by, **batch.summary["undone"])
    return batch


_MODELS: dict[str, Any] = {"customer": Customer, "vehicle": Vehicle, "ownership": Ownership}


def _rows_to_keep(rows: dict[int, dict[str, Any]]) -> dict[int, str]:
    """Rows that can't be taken back → why: used by a table, changed since, or needed by such a row."""
    touched: dict[str, dict[str, int]] = {"customer": {}, "vehicle": {}, "ownership": {}}
    made: dict[str, set[str]] = {"customer": set(), "vehicle": set(), "ownership": set()}
    for row in rows.values():
        for key, write in row.items():
            if write["op"] != "MATCH":
                touched[key][write["uid"]] = max(write["version"], touched[key].get(write["uid"], 0))
            if write["op"] == "CREATE":
                made[key].add(write["uid"])
    reasons: dict[str, str] = {}
    for key, versions in touched.items():
        found = _MODELS[key]._base_manager.filter(uid__in=list(versions)).values_list("uid", "version")
        now = {str(uid): version for uid, version in found}
        reasons |= {uid: "changed" for uid, version in versions.items() if now.get(uid) != version}
    for key in ("customer", "vehicle"):
        reasons |= bulk.used_since(_MODELS[key], made[key])
        untouched = made["ownership"] - reasons.keys()  # one that was changed since may point anywhere
        others = Ownership.objects.filter(**{f"{key}__uid__in": made[key]}).exclude(uid__in=untouched)
        reasons |= {str(uid): "ownership" for uid in others.values_list(f"{key}__uid", flat=True)}
    kept: dict[int, str] = {}
    while True:
        more = {
            number: reasons[write["uid"]]
            for number, row in rows.items()
            if number not in kept
            for write in row.values()
            if write["op"] != "MATCH" and write["uid"] in reasons
        }
        if not more:
            return kept
        kept |= more
        for number in more:
            for write in rows[number].values():
                reasons.setdefault(write["uid"], "needed")


def _mark_kept(batch: ImportBatch, kept: dict[int, str]) -> None:
    rows = list(batch.rows.filter(number__in=kept))
    for row in rows:
        row.notes = [*row.notes, note(KEPT, "", WARN, other=kept[row.number])]
    ImportRow.objects.bulk_update(rows, ["notes"], batch_size=500)
