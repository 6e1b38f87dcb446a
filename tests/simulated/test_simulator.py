"""The simulator (issue: simulate): who writes, what a shop's days hold, and the same seed gives the same shop."""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from dealership.exchange.services import simulator
from dealership.exchange.services.simulator_words import MENDED
from dealership.kernel import registry
from dealership.kernel.models import History, Root
from delivery.models import FollowUpAttempt, Payment, ReworkCase, Survey
from quality.models import Complaint
from reception.models import Appointment, Consent, OdometerReading, ReceptionNote, Visit, VisitState
from tests.conftest import _drop, _schema_hash, owner_sql
from workshop.models import Authorization, Inspection, LineHold, OrderLine, PartLine, StockItem, StockMovement
from workshop.old_part_models import OldPart
from workshop.tool_models import ToolIssue

from .conftest import DAYS, FIRST, SEED, SHANGHAI, Run
from .fingerprint import LEFT_OUT, digest, fingerprint, tables_of

pytestmark = pytest.mark.django_db
WRITING = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}


# what its customers say and its cars show


def test_no_car_drives_backwards_and_customers_agree_rate_and_talk(run: Run) -> None:
    read: dict[int, list[int]] = defaultdict(list)
    for vehicle_id, km in OdometerReading.objects.order_by("pk").values_list("vehicle_id", "km"):
        read[vehicle_id].append(km)
    assert len(read) > 20
    assert [kms for kms in read.values() if kms != sorted(kms)] == []
    per_day = []
    for vehicle_id in read:
        rows = list(
            OdometerReading.objects.filter(vehicle_id=vehicle_id).order_by("read_at").values_list("read_at", "km")
        )
        for (at, km), (later, more) in pairwise(rows):
            per_day.append((more - km) / max(1.0, (later - at) / timedelta(days=1)))
    assert len(per_day) > 20
    assert max(per_day) < 300
    assert Consent.objects.values("purpose").distinct().count() == 4
    assert set(Visit.objects.exclude(rating=None).values_list("rating", flat=True)) >= {4, 5}
    assert ReceptionNote.objects.exists()


def test_no_line_waits_for_what_lies_free_on_the_shelf(run: Run) -> None:
    free = {(item.store_id, item.part_id): item.on_hand - item.reserved for item in StockItem.objects.all()}
    waiting = PartLine.objects.filter(
        line__holds__ended_at__isnull=True,
        line__holds__cause="PARTS",
        line__state__in=["AUTHORIZED", "IN_PROGRESS"],
        expected_on__isnull=False,
    ).select_related("line__order")
    assert [part for part in waiting if free.get((part.line.order.store_id, part.part_id), 0) > 0] == []


def test_gloves_are_back_tools_were_tested_before_their_first_loan_and_stock_is_older_than_its_use(run: Run) -> None:
    """3.4: at the end at most one pair is with somebody; nothing is lent before it was registered and tested."""
    lent = ToolIssue.objects.filter(tool__kind="GLOVES")
    assert lent.filter(returned_at__isnull=False).exists()
    assert lent.filter(returned_at__isnull=True).count() <= 1
    registered = dict(History.objects.filter(code="workshop.tool.registered").values_list("root_uid", "at"))
    assert registered
    loans = ToolIssue.objects.filter(tool__uid__in=registered).values_list("tool__uid", "issued_at")
    assert [uid for uid, at in loans if at < registered[uid]] == []
    opening = StockMovement.objects.filter(reason="期初入库")
    first = opening.order_by("-at").values_list("at", flat=True)[0]
    assert not StockMovement.objects.exclude(reason="期初入库").filter(at__lt=first, kind="ISSUE").exists()


def test_what_a_recall_must_find_again_is_traced_from_its_first_receipt(run: Run) -> None:
    traced = StockItem.objects.filter(part__tracing="SERIAL")
    assert {item.part.number for item in traced} == {"HV-BAT-PACK", "TRN-ASSY-01"}
    assert all(item.on_hand <= 4 for item in traced)
    assert all(item.bin for item in traced)
    assert StockItem.objects.filter(part__tracing="BATCH", lots__on_hand__gt=0).exists()


def test_what_customers_say_fits_what_is_done(run: Run) -> None:
    """A finished fault has the customer's words, its cause and its correction, each of the same story."""
    done = OrderLine.objects.filter(
        operation__code__in=MENDED, operation__is_maintenance=False, state="INSPECTED", is_diagnosis=False
    ).exclude(correction="按力矩重新紧固")
    assert done.count() > 5
    for line in done.select_related("operation"):
        said, cause, correction = MENDED[line.operation.code]
        assert (line.cause, line.correction) == (cause, correction)
        if line.is_addition:
            assert line.complaint
        elif line.order.original_id is None:
            assert said == line.order.complaint
    assert not OrderLine.objects.filter(complaint="增项").exists()
    overnight = Visit.objects.filter(state=VisitState.IN_SHOP, waiting_mode="WAIT_AT_DEALER")
    assert [v for v in overnight if v.arrived_at.astimezone(SHANGHAI).hour >= 14] == []


# who writes


def test_it_runs_as_the_applications_role_which_owns_nothing(run: Run) -> None:
    assert run.roles == {settings.DATABASE_APP_ROLE}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        )
        assert cursor.fetchone()[0] == 0


def test_every_write_comes_from_a_command_of_a_room(run: Run) -> None:
    """Each INSERT, UPDATE and DELETE of the run was seen with the module of ours nearest to it."""
    assert sum(run.writers.values()) > 1000
    kernel = {"dealership.kernel.history", "dealership.kernel.numbering", "dealership.kernel.outbox"}
    kernel |= {"dealership.kernel.stores", "dealership.kernel.limits", "dealership.kernel.models"}
    made_the_shop = {"dealership.exchange.services.demo", "dealership.exchange.services.demo_store"}
    outside = {
        module
        for module in run.writers
        if ".services" not in module and not module.endswith(".seeds") and module not in kernel
    }
    assert outside == set()
    assert simulator.__name__ not in run.writers
    assert {name for name in run.writers if name.startswith("dealership.exchange")} <= made_the_shop


def test_its_source_writes_nothing_itself() -> None:
    tree = ast.parse(Path(simulator.__file__).read_text(encoding="utf-8"))
    calls = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert calls & WRITING == set()
    imported = {
        (node.module or "", name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert not {pair for pair in imported if pair[0].startswith("django")}, "no connection, no cursor, no transaction"
    rooms = {"catalogue", *(name.split(".")[-1] for name in registry.OUR_PACKAGES)}
    allowed = {"models", "services", "selectors"}
    for module, _name in imported:
        parts = module.removeprefix("dealership.").split(".")
        if len(parts) > 1 and parts[0] in rooms - {"kernel"}:
            assert parts[1] in allowed or parts[1].endswith("_models"), module


# what the days hold


def test_arrivals_follow_hour_and_weekday() -> None:
    """Over two hundred days laid out from one seed, shares by hour and by weekday are what the tables say."""

    def local(day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), SHANGHAI)

    shop = SimpleNamespace(store=SimpleNamespace(code="BJ01"), local=local)
    plan = simulator.Simulation([], seed=SEED, cars_a_day=lambda _day: 40)
    hours: Counter[int] = Counter()
    days: dict[int, list[int]] = defaultdict(list)
    booked = 0
    for number in range(210):
        day = FIRST + timedelta(days=number)
        found = plan.arrivals(shop, day)
        days[day.weekday()].append(len(found))
        hours.update(at.hour for at, _booked in found)
        booked += sum(1 for _at, ahead in found if ahead)
    total = sum(hours.values())
    weights = simulator.ARRIVALS_BY_HOUR
    for hour, weight in weights.items():
        assert hours[hour] / total == pytest.approx(weight / sum(weights.values()), abs=0.02)
    mean = {weekday: sum(counts) / len(counts) for weekday, counts in days.items()}
    for weekday, share in enumerate(simulator.BY_WEEKDAY):
        assert mean[weekday] == pytest.approx(40 * share, rel=0.06)
    assert booked / total == pytest.approx(0.45, abs=0.02)


def test_the_days_hold_what_happens_in_a_shop(run: Run) -> None:
    visits = Visit.objects.all()
    happened = {
        "every day has cars": len({v.arrived_at.astimezone(SHANGHAI).date() for v in visits}) == DAYS + 1,
        "booked": visits.filter(appointment__isnull=False).exists(),
        "walk-in": visits.filter(appointment__isnull=True).exists(),
        "no-show": Appointment.objects.filter(state="NO_SHOW").exists(),
        "waited for parts": LineHold.objects.filter(cause="PARTS", ended_at__isnull=False).exists(),
        "paused": History.objects.filter(code="workshop.line.paused").exists(),
        "more work found": OrderLine.objects.filter(is_addition=True).exists(),
        "declined": Authorization.objects.filter(status="DECLINED").exists(),
        "sent back by the inspector": Inspection.objects.filter(result="FAILED").exists(),
        "paid": Payment.objects.exists(),
        "called back": FollowUpAttempt.objects.filter(result="REACHED").exists(),
        "call without answer": FollowUpAttempt.objects.exclude(result="REACHED").exists(),
        "survey answered": Survey.objects.filter(answered_at__isnull=False).exists(),
        "came back within the guarantee": ReworkCase.objects.filter(state="MENDED").exists(),
        "old part given to its customer": OldPart.objects.filter(state="GIVEN").exists(),
        "complaint": Complaint.objects.exists(),
        "complaint answered": Complaint.objects.filter(responded_at__isnull=False).exists(),
        "in the shop at the end": visits.filter(state=VisitState.IN_SHOP).exists(),
    }
    assert [what for what, there in happened.items() if not there] == []


# every root has its chain

ENDS = {
    # what ends a chain early, with a reason that is recorded
    "reception.appointment.cancelled", "reception.appointment.not_shown", "workshop.line.withdrawn",
    "workshop.line.cancelled", "workshop.repair_order.withdrawn", "delivery.settlement.voided",
}  # fmt: skip
OPEN_ENDED = {
    # a customer need not answer, and a callback is made on its day
    "delivery.survey.sent", "delivery.follow_up.planned", "quality.complaint.opened",
}  # fmt: skip


TOLD_WITH = {
    # roots whose events are told of the root they belong to
    "staff.RosterDay": "employee__uid", "reception.VisitLink": "visit__uid", "workshop.LineHold": "line__uid",
    "workshop.StockMovement": "part_line__line__uid", "workshop.StockItem": "part__uid",
    "workshop.StockBin": "item__part__uid", "workshop.StockLot": "item__part__uid",
    "workshop.CampaignVehicle": "campaign__uid", "workshop.SaleLine": "sale__uid", "workshop.PurchaseLine": "purchase__uid",
    "workshop.Warehouse": "bins__item__part__uid", "workshop.PartReturn": "part_line__uid",
    "workshop.WarrantyClaimLine": "claim__uid", "workshop.ToolIssue": "tool__uid", "workshop.CheckPhoto": "sheet__uid",
    "reception.LoanPhoto": "trip__uid",
    "workshop.LiftRound": "tool__uid", "workshop.GloveLook": "tool__uid",
    "workshop.PromiseChange": "order__uid",
    "workshop.TechnicianCall": "line__uid",
    "workshop.CallPass": "call__line__uid",
    "workshop.PromiseTelling": "change__order__uid",
    "workshop.StockTakeLine": "take__uid",
}  # fmt: skip
BEFORE_THE_RUN = {"catalogue.VehicleModel", "catalogue.Operation", "reception.Script"}
"""Reference data that a new system brings along."""
FOUND_BY_COMPARING = {"reception.Duplicate"}
"""No act of anybody: a nightly job finds them, what is decided about them is told."""


def with_its_line(part_line: PartLine) -> bool:
    """A part that came with its line's operation is named where the line was added."""
    added = History.objects.get(code="workshop.line.added", root_uid=part_line.line.uid)
    return str(part_line.part.uid) in (added.facts["parts"] or [])


def test_every_root_is_in_the_history(run: Run) -> None:
    """Every root of the rooms has its own line, or stands in the line of the root it belongs to."""
    said = set(map(str, History.objects.values_list("root_uid", flat=True)))
    for facts, changed in History.objects.values_list("facts", "changed"):
        said.update(str(value) for value in facts.values())
        said.update(str(value) for pair in changed.values() for value in pair)
    silent, seen = {}, 0
    for model in apps.get_models():
        if not issubclass(model, Root) or model._meta.proxy or model._meta.label in BEFORE_THE_RUN | FOUND_BY_COMPARING:
            continue
        path = TOLD_WITH.get(model._meta.label, "uid")
        rows = model._base_manager.values_list("uid", path)
        if model is StockItem:
            rows = rows.filter(movements__isnull=False)  # a shelf where nothing was put yet
        missing = [uid for uid, other in rows if str(uid) not in said and str(other) not in said]
        if model is PartLine:
            missing = [part.uid for part in PartLine.objects.filter(uid__in=missing) if not with_its_line(part)]
        seen += len(rows)
        if missing:
            silent[model._meta.label] = len(missing)
    assert seen > 3000
    assert silent == {}


def test_every_visit_that_ended_went_the_whole_way(run: Run) -> None:
    """After each event whose norm names what comes next, one of these came, or the chain ended with a reason."""
    departed = set(Visit.objects.filter(state=VisitState.DEPARTED).values_list("uid", flat=True))
    assert len(departed) >= 15
    lines = History.objects.filter(visit_uid__in=departed).order_by("id")
    by_visit: dict[object, list[History]] = defaultdict(list)
    for line in lines:
        by_visit[line.visit_uid].append(line)
    broken = []
    for events in by_visit.values():
        for place, event in enumerate(events):
            norm = registry.EVENTS[event.code].norm
            if not norm or event.code in OPEN_ENDED:
                continue
            same_root = all(code.split(".")[1] == event.code.split(".")[1] for code in norm)
            after = [
                later.code
                for later in events[place + 1 :]
                if not same_root or later.root_uid == event.root_uid or later.code in ENDS
            ]
            left_unrepaired = "workshop.repair_order.withdrawn" in {earlier.code for earlier in events[:place]}
            if left_unrepaired and "delivery.gate_pass.issued" in after:
                continue  # nothing to pay and nothing to hand over: settled, and out with a pass for an unrepaired car
            if not set(after) & {*norm, *ENDS}:
                broken.append((event.code, event.facts, after))
    assert broken == []
    for uid in departed:
        codes = {event.code for event in by_visit[uid]}
        assert {"reception.visit.arrived", "reception.visit.greeted", "reception.walkaround.signed"} <= codes
        assert {"workshop.repair_order.opened", "delivery.gate_pass.scanned_out", "reception.visit.departed"} <= codes
        if "workshop.repair_order.withdrawn" not in codes and "workshop.line.withdrawn" not in codes:
            assert {"delivery.settlement.issued", "delivery.settlement.signed", "delivery.handover.done"} <= codes


# the same seed, the same shop


def test_what_is_left_out_of_the_comparison_is_there_and_no_more(run: Run) -> None:
    with connection.cursor() as cursor:
        tables = tables_of(cursor)
    columns = {f"{table}.{name}" for table, names in tables.items() for name, _kind in names}
    assert columns | {"*.updated_at"} >= LEFT_OUT
    assert len(tables) > 60


def test_the_same_seed_and_start_give_the_same_shop(run: Run, worker_id: str, tmp_path: Path) -> None:
    """Two processes with different orders of Python's sets, two fresh databases: every table of every room is equal."""
    names = [f"test_{os.getpid()}_{worker_id}_{number}" for number in (1, 2)]
    with contextlib.closing(owner_sql()) as owner, owner.cursor() as cursor:
        try:
            for name in names:
                cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "tpl_{_schema_hash()}" STRATEGY file_copy')
            running = [simulate(name, tmp_path / name, hash_seed) for name, hash_seed in zip(names, "17", strict=True)]
            for process in running:
                said, _none = process.communicate()
                assert process.returncode == 0, said[-2000:]
            first, second = (read_all(name) for name in names)
        finally:
            for name in names:
                _drop(cursor, name)
    assert len(first["kernel_history"]) > 300
    for table in first:
        differ = [parting(a, b) for a, b in zip(first[table], second[table], strict=False) if a != b]
        assert (table, differ[:2], len(first[table])) == (table, [], len(second[table]))
    assert digest(first) == digest(second)


def read_all(database: str) -> dict[str, list[str]]:
    with contextlib.closing(owner_sql(database)) as there, there.cursor() as cursor:
        return fingerprint(cursor)


def parting(one: str, other: str) -> tuple[str, str]:
    """Where two rows begin to differ."""
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[max(0, place - 60) : place + 60], other[max(0, place - 60) : place + 60]


def simulate(database: str, var: Path, hash_seed: str) -> subprocess.Popen[str]:
    """``manage.py simulate`` on a database of its own, as the application's role."""
    var.mkdir()
    known = connection.settings_dict
    host = known["HOST"].replace("/", "%2F")
    port = f":{known['PORT']}" if known["PORT"] else ""
    word = f":{known['PASSWORD']}" if known["PASSWORD"] else ""
    where = f"@/{database}?host={host}" if host.startswith("%2F") else f"@{host}{port}/{database}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql://{known['USER']}{word}{where}",
        "VAR_DIR": str(var),
        "PYTHONHASHSEED": hash_seed,
    }
    words = ["--days", "2", "--stores", "1", "--cars", "3", "--seed", str(SEED), "--start", str(FIRST)]
    return subprocess.Popen(
        [sys.executable, "manage.py", "simulate", *words],
        cwd=settings.BASE_DIR,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
