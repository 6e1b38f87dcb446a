"""``manage.py import_customers FILE``: the same import as on the page, from the command line (7.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from dealership.exchange.models import ImportAction, ImportBatch, ImportState
from dealership.exchange.selectors import imports as reads
from dealership.exchange.services import imports
from dealership.kernel.actors import machine
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store


class Command(BaseCommand):
    help = (
        "Imports customers and vehicles from an xlsx or csv file: preview first, then --yes writes; --undo takes back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="xlsx or csv")
        parser.add_argument("--store", default="", help="code of the store it belongs to (default: the only one)")
        parser.add_argument("--yes", action="store_true", help="write without asking")
        parser.add_argument("--resume", metavar="UID", type=UUID, help="go on with an import that was killed")
        parser.add_argument("--undo", metavar="UID", type=UUID, help="take a written import back")

    def handle(self, *args: Any, **options: Any) -> None:
        given = [options["file"], options["resume"], options["undo"]]
        if sum(value is not None for value in given) != 1:
            raise CommandError("Name a FILE, or --resume UID, or --undo UID.")
        try:
            if options["undo"]:
                self.undo(options["undo"])
            elif options["resume"]:
                self.write(ImportBatch.objects.get(uid=options["resume"]))
            else:
                self.bring_in(Path(options["file"]), self.store(options["store"]), options["yes"])
        except RuleError as refusal:
            raise CommandError(str(refusal)) from refusal
        except ImportBatch.DoesNotExist as missing:
            raise CommandError("There is no import with this UID.") from missing
        except DatabaseError as broken:
            raise CommandError(f"The database refused: {broken}. Run --resume with the UID to go on.") from broken

    def store(self, code: str) -> Store:
        stores = list(Store.objects.filter(code=code) if code else Store.objects.all()[:2])
        if len(stores) != 1:
            codes = ", ".join(Store.objects.values_list("code", flat=True))
            raise CommandError(f"Name the store with --store CODE ({codes or 'there is none yet'}).")
        return stores[0]

    def bring_in(self, path: Path, store: Store, yes: bool) -> None:
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise CommandError(f"{path} can't be read: {exc.strerror}.") from exc
        by = machine("import_customers", store_id=store.pk)
        batch = imports.upload_import(content=content, file_name=path.name, by=by, store=store)
        batch = imports.read_import(uid=batch.uid)
        if batch.state == ImportState.FAILED:
            raise CommandError(f"The file was not read: {batch.problem}.")
        self.say_preview(batch)
        if not yes and input("Write it? [y/N] ").strip().lower() not in ("y", "yes"):
            self.stdout.write(f"Nothing was written. The preview is kept as {batch.uid}.")
            return
        imports.confirm_import(uid=batch.uid, by=by)
        self.write(batch)

    def say_preview(self, batch: ImportBatch) -> None:
        counts = batch.summary["counts"]
        self.stdout.write(f"Import {batch.uid}: {batch.total} rows, column names in row {batch.summary['header_row']}.")
        for action in ImportAction:
            self.stdout.write(f"  {action.label}: {counts[action.value]}")
        for text, number in reads.reasons_of(batch):
            self.stdout.write(f"    {number} × {text}")
        if batch.summary["ignored"]:
            self.stdout.write(f"  Columns not used: {', '.join(batch.summary['ignored'])}")

    def write(self, batch: ImportBatch) -> None:
        batch = imports.write_import(uid=batch.uid, told=self.say_progress)
        self.stdout.write("")
        if batch.state != ImportState.DONE:
            raise CommandError(f"The import stands at {batch.get_state_display()}.")
        written = batch.summary["written"]
        self.stdout.write(
            f"Written: {written['customers']} customers, {written['vehicles']} vehicles, "
            f"{written['ownerships']} owners; added to {written['added']}. Undo: --undo {batch.uid}"
        )

    def say_progress(self, batch: ImportBatch) -> None:
        share = batch.done / (batch.total or 1)
        bar = "█" * round(share * 30) + "·" * (30 - round(share * 30))
        self.stdout.write(f"\r{bar} {batch.done}/{batch.total}", ending="")
        self.stdout.flush()

    def undo(self, uid: UUID) -> None:
        batch = imports.undo_import(uid=uid, by=machine("import_customers"))
        undone = batch.summary["undone"]
        self.stdout.write(
            f"Undone: {undone['rows']} rows, {undone['customers']} customers, {undone['vehicles']} vehicles, "
            f"{undone['ownerships']} owners removed, {undone['restored']} restored; {undone['kept']} rows kept."
        )
        for number, reason in reads.kept_rows(batch):
            self.stdout.write(f"  row {number}: kept, {reason}")
