"""Imports (7.2): preview without writing, the same by page and command, resumed after a kill, undone exactly."""

import hashlib
import io
import re
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.exchange import tasks
from dealership.exchange.models import ImportBatch, ImportRow
from dealership.exchange.selectors import imports as reads
from dealership.exchange.services import imports, retention
from dealership.kernel import clock, outbox
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Store
from reception.models import Appointment, Customer, Ownership, Vehicle
from reception.services.customers import record_consent
from reception.services.vehicles import change_owner, correct_vehicle
from tests.factories.dirty_files import HEADERS, as_csv, as_xlsx, dirty_rows, vin_of
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, rule

pytestmark = pytest.mark.django_db


def tables_of_reception() -> dict[str, list[str]]:
    """Every table of the room of customers, vehicles and owners → its columns; ``version`` and ``updated_at`` apart.

    The row's own count of changes and the moment of the last write go on when something is put back.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name LIKE 'reception\\_%%' AND column_name NOT IN ('version', 'updated_at')"
            " ORDER BY table_name, ordinal_position"
        )
        found: dict[str, list[str]] = {}
        for table, column in cursor.fetchall():
            found.setdefault(table, []).append(column)
    return found


def fingerprint() -> str:
    """A hash over every row of these tables."""
    digest = hashlib.sha256()
    tables = tables_of_reception()
    assert {"reception_customer", "reception_vehicle", "reception_ownership", "reception_odometerreading"} <= set(
        tables
    )
    with connection.cursor() as cursor:
        for table, columns in tables.items():
            cursor.execute(f"SELECT {', '.join(map(connection.ops.quote_name, columns))} FROM {table} ORDER BY id")
            digest.update(table.encode())
            for row in cursor.fetchall():
                digest.update(repr(row).encode())
    return digest.hexdigest()


def content_of_tables() -> list[tuple]:
    """What the tables hold, without keys and times: to compare two imports of one file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.name, c.phone, c.phone_2, c.kind, c.note, v.plate, v.plate_color, v.vin, v.model_text, v.powertrain,"
            " v.odometer_km, v.delivered_on, o.starts_on FROM reception_customer c"
            " FULL JOIN reception_ownership o ON o.customer_id = c.id FULL JOIN reception_vehicle v ON v.id = o.vehicle_id"
        )
        return sorted(map(repr, cursor.fetchall()))


@pytest.fixture
def clerk(store: Store) -> Actor:
    return make_actor("manager", store=store)


def bring(content: bytes, by: Actor, *, write: bool = True) -> ImportBatch:
    batch = imports.upload_import(content=content, file_name="客户.csv", by=by)
    batch = imports.read_import(uid=batch.uid)
    if write:
        imports.confirm_import(uid=batch.uid, by=by)
        batch = imports.write_import(uid=batch.uid, size=7)
    return batch


def one(*cells: object, **fields: str) -> bytes:
    return as_csv([list(cells)], titles=False)


def rows(batch: ImportBatch) -> dict[int, ImportRow]:
    return {row.number: row for row in batch.rows.all()}


def test_nothing_is_written_before_the_preview_is_confirmed(clerk: Actor) -> None:
    before = fingerprint()
    batch = bring(as_csv(dirty_rows(1, 60)), clerk, write=False)
    assert (batch.state, batch.total > 50) == ("PREVIEW", True)
    assert sum(batch.summary["counts"].values()) == batch.total
    assert fingerprint() == before
    assert not Customer.objects.exists()
    assert list(History.objects.filter(root_uid=batch.uid).order_by("id").values_list("code", flat=True)) == [
        "exchange.import.uploaded",
        "exchange.import.previewed",
    ]
    assert not imports._file(batch.uid).exists() or connection.in_atomic_block


def test_what_was_previewed_is_what_is_written(clerk: Actor) -> None:
    batch = bring(as_csv(dirty_rows(2, 150)), clerk, write=False)
    previewed = {n: (row.action, [said["code"] for said in row.notes]) for n, row in rows(batch).items()}
    will = batch.summary["will"]
    imports.confirm_import(uid=batch.uid, by=clerk)
    done = imports.write_import(uid=batch.uid, size=11)
    assert done.state == "DONE"
    assert {n: (row.action, [said["code"] for said in row.notes]) for n, row in rows(done).items()} == previewed
    assert done.summary["written"] == will
    assert (Customer.objects.count(), Vehicle.objects.count(), Ownership.objects.count()) == (
        will["customers"], will["vehicles"], will["ownerships"],
    )  # fmt: skip
    lines = History.objects.filter(facts__has_key="import", facts__import=str(batch.uid))
    assert lines.count() == sum(will.values())
    again = bring(as_csv(dirty_rows(2, 150)), clerk, write=False)
    assert again.summary["counts"]["CREATE"] == 0
    assert again.summary["will"] == {"customers": 0, "vehicles": 0, "ownerships": 0, "added": 0}
    with rule("import.nothing"):
        imports.confirm_import(uid=again.uid, by=clerk)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_every_encoding_reads_the_same(clerk: Actor, encoding: str) -> None:
    (customer,) = [
        bring(one(1, "单小红", "13900000001", "京A·8K312", vin_of(1), "途远", "5.2万公里", "2020年5月6日", ""), clerk)
    ]
    assert customer.summary["counts"] == {"CREATE": 1, "MATCH": 0, "UPDATE": 0, "REFUSE": 0}
    found = Vehicle.objects.get()
    assert (found.plate, found.odometer_km, str(found.delivered_on)) == ("京A8K312", 52_000, "2020-05-06")
    same = imports.upload_import(
        content=as_csv([[1, "单小红", "13900000001", "京A·8K312", vin_of(1), "途远", "", "", ""]], encoding=encoding),
        file_name="a.csv",
        by=clerk,
    )
    assert imports.read_import(uid=same.uid).summary["counts"]["MATCH"] == 1


def test_rows_are_matched_added_to_or_refused_with_the_reason(clerk: Actor) -> None:
    owner = make_customer(name="先来的", phone="13900000001")
    make_vehicle(plate="京A00001", vin="", owner_uid=owner.uid, model_text="途远")
    make_vehicle(plate="京A00002", vin=vin_of(2), model_text="途远")
    wrong = vin_of(9)[:8] + ("X" if vin_of(9)[8] != "X" else "0") + vin_of(9)[9:]
    content = as_csv(
        [
            [1, "先来的", 13900000001.0, "京A-00001", "", "途远", "", "", ""],  # there already
            [2, "先来的", "13900000001/13900000002", "京A00001", vin_of(1), "途远", "", "", ""],  # adds number and VIN
            [3, "别人", "13900000003", "京A00001", "", "途远", "", "", ""],  # somebody else's car
            [4, "李四试", "13900000004", "京A00001", vin_of(2), "途远", "", "", ""],  # two cars
            [5, "李四试", "13900000004", "京A00002", vin_of(3), "途远", "", "", ""],  # plate on another VIN
            [6, "李四试", "13900000004", "京A00006", wrong, "途远", "", "", ""],
            [7, "李四试", "1.38E+10", "京A00007", vin_of(7), "途远", "", "", ""],
            [8, "李四试", "", "京A00008", vin_of(8), "途远", "", "", ""],
            [9, "", "13900000009", "京A00009", vin_of(10), "途远", "", "", ""],
            [10, "=cmd|'/C calc'!A0", "13900000010", "京A00010", vin_of(11), "途远", "", "", ""],
            [11, "", "", "京A00011", vin_of(12), "", "", "", ""],  # a car without owner
            [12, "只有人", "０１０－８７６５４３２１", "", "", "", "", "", ""],
            [13, "改名的", "13900000001", "京AD00013", "", "途远", "", "", ""],  # shares a number
            [14, "李四试", "13900000004", "京A00014", vin_of(12), "途远", "", "", ""],  # VIN of row 12 with a plate
        ],
        titles=False,
    )
    batch = bring(content, clerk, write=False)
    found = {
        n - 1: (row.action, [s["code"] for s in row.notes if s["level"] != "INFO"]) for n, row in rows(batch).items()
    }
    assert found == {
        1: ("MATCH", []),
        2: ("UPDATE", []),
        3: ("REFUSE", ["vehicle.other_owner"]),
        4: ("REFUSE", ["vehicle.two"]),
        5: ("REFUSE", ["vehicle.other_vin"]),
        6: ("REFUSE", ["vin.check_digit"]),
        7: ("REFUSE", ["phone.scientific"]),
        8: ("REFUSE", ["customer.reachable"]),
        9: ("REFUSE", ["customer.name"]),
        10: ("REFUSE", ["text.hostile"]),
        11: ("CREATE", ["vehicle.model"]),
        12: ("CREATE", []),
        13: ("CREATE", ["customer.shared_phone"]),
        14: ("REFUSE", ["vehicle.vin_twice"]),
    }
    before = fingerprint()
    imports.confirm_import(uid=batch.uid, by=clerk)
    imports.write_import(uid=batch.uid, size=3)
    assert {n - 1: row.action for n, row in rows(batch).items()} == {n: action for n, (action, _notes) in found.items()}
    owner.refresh_from_db()
    assert owner.phone_2 == "13900000002"
    assert Vehicle.objects.get(plate="京A00001").vin == vin_of(1)
    assert Vehicle.objects.get(plate="京AD00013").powertrain == "BEV"
    assert Customer.objects.get(name="只有人").phone == "010-87654321"
    imports.undo_import(uid=batch.uid, by=clerk)
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "import.empty"),
        (b"   \r\n ", "import.empty"),
        (b"PK\x03\x04 not a zip", "import.broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 50, "import.old_excel"),
        (b"\x00\x01\x02\x03" * 50, "import.kind"),
        (b"\xff" * 50, "import.encoding"),
        ("甲,乙,丙\n1,2,3\n".encode(), "import.header"),
        ("车牌,姓名,电话\n".encode(), "import.no_rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_at_once(clerk: Actor, content: bytes, code: str) -> None:
    with rule(code):
        imports.upload_import(content=content, file_name="x", by=clerk)
    assert not ImportBatch.objects.exists()


def test_only_who_may_import_does(store: Store) -> None:
    with pytest.raises(NotAllowed):
        imports.upload_import(content=one(1), file_name="x", by=make_actor("receptionist", store=store))


def test_english_headers_in_any_order_and_unknown_columns(clerk: Actor) -> None:
    text = (
        "Loyalty,Model,Mobile,Owner Name,License Plate,VIN\ngold,Voyager,138 0000 0001,Ann Sample,京A12345," + vin_of(5)
    )
    batch = bring(text.encode(), clerk)
    assert batch.summary["ignored"] == ["Loyalty"]
    assert (Customer.objects.get().name, Customer.objects.get().phone) == ("Ann Sample", "13800000001")
    assert Ownership.objects.get().vehicle.vin == vin_of(5)


CHINESE = {
    "name": "客户姓名",
    "phone": "联系方式",
    "plate": "车牌号",
    "vin": "车架号",
    "model": "车型",
    "km": "行驶里程(km)",
}
ENGLISH = {
    "name": "Owner Name",
    "phone": "Mobile",
    "plate": "License Plate",
    "vin": "VIN",
    "model": "Model",
    "km": "Mileage",
}
CARS = [
    # as written → plate, VIN, first and second number, km
    ("张试", "１３８０００００００１", "京A·12345", 1, "12,300", ("京A12345", "13800000001", "", 12_300)),
    ("李例", "13800000002/010-87654321", "沪B 2345D", 2, 500, ("沪B2345D", "13800000002", "010-87654321", 500)),
    (
        "王样",
        "+86 138-0000-0003、13800000004",
        "粤ad00003",
        3,
        "1.5万公里",
        ("粤AD00003", "13800000003", "13800000004", 15_000),
    ),
]


@pytest.mark.parametrize("kind", ["utf-8 csv", "gbk csv", "xlsx"])
@pytest.mark.parametrize("names", [CHINESE, ENGLISH], ids=["zh", "en"])
@pytest.mark.parametrize("turn", [0, 2, 5])
def test_headers_in_any_order_language_and_kind_of_file(clerk: Actor, kind: str, names: dict, turn: int) -> None:
    order = [*names][turn:] + [*names][:turn]
    if turn == 5:
        order.reverse()
    cells = [
        dict(
            zip(
                ("name", "phone", "plate", "vin", "model", "km"),
                (name, phone, plate, vin_of(n), "途远", km),
                strict=True,
            )
        )
        for name, phone, plate, n, km, _read in CARS
    ]
    table = [[names[key] for key in order], *([row[key] for key in order] for row in cells)]
    if kind == "xlsx":
        from openpyxl import Workbook

        book, out = Workbook(), io.BytesIO()
        for row in table:
            book.active.append(row)
        book.save(out)
        content = out.getvalue()
    else:
        text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in table)
        content = text.encode(kind.split()[0])
    batch = bring(content, clerk)
    assert batch.summary["counts"] == {"CREATE": 3, "MATCH": 0, "UPDATE": 0, "REFUSE": 0}, batch.rows.values("notes")
    for name, _phone, _plate, number, _km, (plate, phone, second, km) in CARS:
        car = Vehicle.objects.get(vin=vin_of(number))
        owner = car.ownerships.get().customer
        assert (car.plate, car.odometer_km) == (plate, km)
        assert (owner.name, owner.phone, owner.phone_2) == (name, phone, second)


def test_formulas_without_values_and_numbers_as_numbers_in_a_workbook(clerk: Actor) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["车牌", "车主", "电话", "车型", "购车日期"])
    sheet.append(["京A00001", "张试", 13900000001, "途远", 43957])
    sheet.append(["京A00002", "=A1&B1", 13900000002, "途远", "2020-05-06"])
    content = io.BytesIO()
    book.save(content)
    batch = bring(content.getvalue(), clerk)
    assert {n: row.action for n, row in rows(batch).items()} == {2: "CREATE", 3: "REFUSE"}
    assert rows(batch)[3].notes[0]["code"] == "formula"
    assert str(Vehicle.objects.get().delivered_on) == "2020-05-06"


def test_a_killed_import_goes_on_where_it_stood(clerk: Actor) -> None:
    content = as_csv(dirty_rows(4, 80))
    batch = bring(content, clerk, write=False)
    imports.confirm_import(uid=batch.uid, by=clerk)
    imports.write_step(uid=batch.uid, size=20)  # and then the worker died
    half = ImportBatch.objects.get(uid=batch.uid)
    assert (half.state, half.done) == ("WRITING", 20)
    later = clock.written_now() + timedelta(minutes=2)
    with clock.moved_to(later):
        assert reads.standing_still() == [batch.uid]
    tasks.work_import(str(batch.uid))
    tasks.work_import(str(batch.uid))  # a message that came twice
    done = ImportBatch.objects.get(uid=batch.uid)
    assert (done.state, done.done) == ("DONE", done.total)
    assert done.summary["written"] == batch.summary["will"]


def test_somebody_quicker_makes_the_write_decide_again(clerk: Actor) -> None:
    batch = bring(one(1, "张试", "13900000001", "京A00001", vin_of(1), "途远", "", "", ""), clerk, write=False)
    imports.confirm_import(uid=batch.uid, by=clerk)
    other = make_customer(name="别人", phone="13900000009")
    make_vehicle(plate="京A00001", vin=vin_of(1), owner_uid=other.uid)
    done = imports.write_import(uid=batch.uid)
    (row,) = done.rows.all()
    assert (row.action, row.notes[-1]["code"]) == ("REFUSE", "vehicle.other_owner")
    assert done.summary["counts"]["REFUSE"] == 1
    assert Customer.objects.count() == 1


def test_a_race_between_look_and_write_ends_in_a_decision_not_in_an_error(clerk: Actor, monkeypatch) -> None:
    content = as_csv(
        [[n, f"客{n}", f"1390000000{n}", f"京A0000{n}", vin_of(n), "途远", "", "", ""] for n in (1, 2)], titles=False
    )
    batch = bring(content, clerk, write=False)
    imports.confirm_import(uid=batch.uid, by=clerk)
    write, raced = imports.bulk.write_rows, []

    def write_after_somebody(rows, **given):
        if not raced:
            raced.append(1)
            from django.db import IntegrityError

            raise IntegrityError("somebody inserted the VIN between look and write")
        write(rows, **given)

    monkeypatch.setattr(imports.bulk, "write_rows", write_after_somebody)
    assert imports.write_import(uid=batch.uid).summary["written"]["vehicles"] == 2
    assert Vehicle.objects.count() == 2


def test_undo_keeps_what_was_used_since_and_says_which(clerk: Actor, store: Store) -> None:
    content = as_csv(
        [[n, f"客{n}试", f"1390000000{n}", f"京A0000{n}", vin_of(n), "途远", "", "", ""] for n in range(1, 7)]
        + [[7, "客1试", "13900000001", "京A00007", vin_of(7), "途远", "", "", ""]],
        titles=False,
    )
    batch = bring(content, clerk)
    cars = {n: Vehicle.objects.get(vin=vin_of(n)) for n in range(1, 8)}
    people = {n: Customer.objects.get(name=f"客{n}试") for n in range(1, 7)}
    Appointment.objects.create(
        store=store, number="A-1", customer=people[2], vehicle=cars[2], contact_name="客2试", contact_phone="13900000002",
        starts_at=clock.now(), concern="保养",
    )  # fmt: skip
    correct_vehicle(uid=cars[3].uid, color="红", by=clerk)
    record_consent(customer_uid=people[4].uid, purpose="SURVEY", given=True, by=clerk)
    change_owner(uid=cars[7].uid, owner_uid=people[5].uid, on=clock.today(), by=clerk)
    undone = imports.undo_import(uid=batch.uid, by=clerk)
    kept = dict(reads.kept_rows(undone))
    # 3 appointment · 4 corrected · 5 consent · 8 its ownership went to the customer of 6, and its customer came from 2
    assert kept.keys() == {2, 3, 4, 5, 6, 8}
    assert Vehicle.objects.filter(vin=vin_of(6)).count() == 0
    assert Customer.objects.filter(name="客6试").count() == 0
    assert undone.summary["undone"]["kept"] == len(kept)
    assert undone.summary["undone"]["rows"] == 7 - len(kept)
    shown, _more = reads.rows_of(undone, show="KEPT")
    assert [row.number for row in shown] == sorted(kept)
    assert History.objects.filter(code="exchange.import.undone", root_uid=batch.uid).count() == 1
    with rule("state.move"):
        imports.undo_import(uid=batch.uid, by=clerk)


def test_undo_of_what_was_all_used_is_refused_and_changes_nothing(clerk: Actor) -> None:
    batch = bring(one(1, "张试", "13900000001", "京A00001", vin_of(1), "途远", "", "", ""), clerk)
    record_consent(customer_uid=Customer.objects.get().uid, purpose="SURVEY", given=True, by=clerk)
    before = fingerprint()
    with rule("import.undo_nothing"):
        imports.undo_import(uid=batch.uid, by=clerk)
    assert fingerprint() == before
    assert ImportBatch.objects.get().state == "DONE"
    imports.ask_undo(uid=batch.uid, by=clerk)
    with rule("import.undo_asked"):
        imports.ask_undo(uid=batch.uid, by=clerk)
    assert History.objects.filter(code="exchange.import.undo_asked", root_uid=batch.uid).count() == 1
    assert imports.undo_asked(uid=batch.uid).summary["undo_refused"] == "import.undo_nothing"


def test_a_preview_can_be_discarded(clerk: Actor) -> None:
    batch = bring(as_csv(dirty_rows(5, 10)), clerk, write=False)
    imports.discard_import(uid=batch.uid, by=clerk)
    assert not ImportRow.objects.exists()
    with rule("state.move"):
        imports.confirm_import(uid=batch.uid, by=clerk)


def test_the_pages_lead_through_an_import(client: Client, store: Store) -> None:
    client.force_login(make_user("manager", store=store))
    assert client.get(reverse("imports")).status_code == 200
    bad = client.post(reverse("imports"), {"file": io.BytesIO(b"nothing useful")})
    assert (bad.status_code, "file" in bad.context["form"].errors) == (422, True)
    file = io.BytesIO(as_xlsx(dirty_rows(6, 120)))
    file.name = "客户资料.xlsx"
    answer = client.post(reverse("imports"), {"file": file})
    batch = ImportBatch.objects.get()
    page = reverse("import-detail", args=[batch.uid])
    assert answer["Location"] == page
    assert "hx-trigger" in client.get(page).content.decode()
    tasks.work_import(str(batch.uid))
    moved = client.get(page, headers={"HX-Request": "true"})
    assert moved["HX-Refresh"] == "true"
    shown = client.get(page, {"show": "REFUSE"})
    assert {row.action for row in shown.context["rows"]} == {"REFUSE"}
    assert all(row.said for row in shown.context["rows"])
    assert b"<script>alert" not in shown.content
    assert client.post(reverse("import-confirm", args=[batch.uid]))["Location"] == page
    tasks.work_import(str(batch.uid))
    assert Vehicle.objects.count() == ImportBatch.objects.get().summary["written"]["vehicles"]
    client.post(reverse("import-undo", args=[batch.uid]))
    tasks.work_import(str(batch.uid))
    assert ImportBatch.objects.get().state == "UNDONE"
    assert not Vehicle.objects.exists()
    assert client.get(page).status_code == 200
    client.force_login(make_user("receptionist", store=store))
    assert client.get(page).status_code == 403
    client.force_login(make_user("manager", store=make_store()))
    assert client.get(page).status_code == 404


def test_the_outbox_hands_the_import_to_a_worker(clerk: Actor, monkeypatch, django_capture_on_commit_callbacks) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.work_import, "delay", sent.append)
    batch = imports.upload_import(content=as_csv(dirty_rows(7, 5)), file_name="a.csv", by=clerk)
    with django_capture_on_commit_callbacks(execute=True):
        outbox.drain()
    assert sent == [str(batch.uid)]


def test_the_command_says_what_it_did_and_undoes_it(store: Store, tmp_path) -> None:
    path = tmp_path / "客户.csv"
    path.write_bytes(as_csv(dirty_rows(8, 40), encoding="gb18030"))
    before, out = fingerprint(), io.StringIO()
    call_command("import_customers", str(path), yes=True, stdout=out)
    batch = ImportBatch.objects.get()
    assert f"--undo {batch.uid}" in out.getvalue()
    assert Vehicle.objects.count() == batch.summary["written"]["vehicles"] > 20
    call_command("import_customers", undo=batch.uid, stdout=out)
    assert "Undone:" in out.getvalue()
    assert fingerprint() == before
    for wrong in ({}, {"file": str(tmp_path / "none.csv")}, {"file": str(path), "store": "ZZ"}):
        with pytest.raises(CommandError):
            call_command("import_customers", *([wrong.pop("file")] if "file" in wrong else []), **wrong)


def grouped(number: int) -> set[str]:
    """A number as a page may write it."""
    return {str(number), f"{number:,}"}


@pytest.mark.django_db(transaction=True)
def test_twenty_thousand_dirty_rows_by_page_and_by_command_and_back(client: Client, tmp_path) -> None:
    store = make_store()
    owner = make_customer(name="张先来", phone="13900000001")
    make_vehicle(plate="京A99999", vin="", owner_uid=owner.uid)
    make_vehicle(plate="", vin=vin_of(1), plate_kind="UNREGISTERED", model_text="旧")
    before = fingerprint()
    rows_ = dirty_rows(20, 19_999)
    rows_.append([20_000, "张先来", "13900000001/13900000002", "京A99999", vin_of(9_000_001), "途远", "", "", ""])
    content = as_csv(rows_)

    client.force_login(make_user("manager", store=store))
    file = io.BytesIO(content)
    file.name = "客户.csv"
    client.post(reverse("imports"), {"file": file})
    paged = ImportBatch.objects.get()
    imports.read_import(uid=paged.uid)
    assert fingerprint() == before
    client.post(reverse("import-confirm", args=[paged.uid]))
    paged = imports.write_import(uid=paged.uid)
    assert paged.state == "DONE"
    by_page, page_counts = content_of_tables(), paged.summary["counts"]
    paged = imports.undo_import(uid=paged.uid, by=machine("tests"))
    assert fingerprint() == before
    assert paged.summary["undone"]["rows"] == paged.total - page_counts["REFUSE"]
    assert paged.summary["undone"]["kept"] == 0
    told = History.objects.get(code="exchange.import.undone", root_uid=paged.uid).facts
    assert {key: told[key] for key in paged.summary["undone"]} == paged.summary["undone"]
    shown = client.get(reverse("import-detail", args=[paged.uid])).content.decode()
    for what in ("rows", "customers", "vehicles", "ownerships"):
        assert grouped(paged.summary["undone"][what]) & set(re.findall(r"[\d,]+", shown)), what

    path = tmp_path / "客户.csv"
    path.write_bytes(content)
    call_command("import_customers", str(path), store=store.code, yes=True, stdout=io.StringIO())
    commanded = ImportBatch.objects.latest("id")
    assert content_of_tables() == by_page
    assert commanded.summary["counts"] == page_counts
    assert page_counts["CREATE"] > 14_000
    assert min(page_counts.values()) > 0
    assert commanded.summary["ignored"] == [HEADERS[0]]


# --- what an import forgets (7.3) ------------------------------------------------------------------------------------


def rows_say(batch: ImportBatch) -> str:
    return repr(list(batch.rows.order_by("number").values("raw", "plan", "written", "notes")))


def test_after_its_time_an_import_keeps_counts_and_reasons_but_nobodys_data(clerk: Actor, client: Client) -> None:
    table = [
        ["1", "王测试", "13900001234", "京A88888", vin_of(7), "星河 E5", "1000", "2024-05-01", ""],
        ["2", "赵拒", "1390000", "京", "X", "", "", "", ""],
    ]
    batch = bring(as_csv(table), clerk)
    assert batch.state == "DONE"
    counts = batch.summary["counts"]
    with clock.moved_to(clock.now() + timedelta(days=89)):
        assert retention.prune() == 0
        assert "王测试" in rows_say(batch)
    with clock.moved_to(clock.now() + timedelta(days=91)):
        assert (retention.prune(), retention.prune()) == (1, 0)
    batch.refresh_from_db()
    assert not re.search(r"王测试|赵拒|1390000|京A88888", rows_say(batch))
    assert (batch.state, batch.summary["counts"], batch.rows.count()) == ("DONE", counts, 2)
    assert batch.rows.get(action="REFUSE").notes[0]["code"]
    assert Customer.objects.filter(name="王测试").exists()
    line = History.objects.get(root_uid=batch.uid, code="exchange.import.emptied")
    assert (line.actor_id, line.facts) == ("retention", {"rows": 2})
    with rule("import.undo_too_late"):
        imports.ask_undo(uid=batch.uid, by=clerk)
    with rule("import.undo_too_late"):
        imports.undo_import(uid=batch.uid, by=clerk)
    client.force_login(clerk.user)
    page = client.get(reverse("import-detail", args=[batch.uid]))
    assert page.status_code == 200
    assert 'data-dialog="undo"' not in page.content.decode()


def test_a_preview_nobody_confirmed_is_discarded_with_its_rows(clerk: Actor) -> None:
    batch = bring(as_csv(dirty_rows(1, 5)), clerk, write=False)
    with clock.moved_to(clock.now() + timedelta(days=91)):
        assert retention.prune() == 1
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.rows.count()) == ("FAILED", "import.discarded", 0)


def test_days_of_registration_insurance_and_inspection_come_along(clerk: Actor) -> None:
    content = (
        "车牌,车主,电话,车型,上牌日期,保险到期日,检验有效期至,开票日期\n"
        "京A00001,张试,13900000001,途远,2022-03-05,2027-03-04,2027年3月,2022-03-01\n"
        "京A00002,李试,13900000002,途远,2099-01-01,2050-01-01,2027-13,\n"
    )
    english = (
        "Plate,Owner,Phone,Model,First registration,Insured until,Inspected until\n"
        "京A00003,王试,13900000003,途远,2021-06-30,2026-12-01,2027-06\n"
    )
    batch = bring(content.encode(), clerk)
    car = Vehicle.objects.get(plate="京A00001")
    assert (car.registered_on, car.invoiced_on) == (date(2022, 3, 5), date(2022, 3, 1))
    assert (car.insured_until, car.inspected_until) == (date(2027, 3, 4), date(2027, 3, 31))
    wrong = {(n["field"], n["code"]) for n in rows(batch)[3].notes if n["code"].startswith("day.")}
    assert wrong == {
        ("registered_on", "day.impossible"),
        ("insured_until", "day.end_impossible"),
        ("inspected_until", "day.unreadable"),
    }
    bring(english.encode(), clerk)
    car = Vehicle.objects.get(plate="京A00003")
    assert (car.registered_on, car.insured_until, car.inspected_until) == (
        date(2021, 6, 30), date(2026, 12, 1), date(2027, 6, 30),
    )  # fmt: skip
    update = bring(content.replace("2027-03-04", "2028-03-04").encode(), clerk, write=False)
    assert rows(update)[2].action == "MATCH"  # what stands there isn't overwritten
