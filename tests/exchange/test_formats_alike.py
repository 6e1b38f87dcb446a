"""Plate, VIN, telephone and company code: page, API and import take and refuse the same, and the database with them (2.3)."""

import uuid
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from dealership.exchange.models import ImportBatch
from dealership.exchange.services import imports
from dealership.kernel.actors import Actor
from dealership.kernel.models import History, Store
from reception.models import Customer, Vehicle, Visit
from tests.factories.api import ApiCaller
from tests.factories.kernel import make_actor, make_user
from tests.factories.reception import make_vehicle, make_vin

pytestmark = pytest.mark.django_db

# (kind of plate, plate, VIN, reason) → what stands in the file afterwards, or the code of the refusal
TAKEN = [
    ("NORMAL", "沪a·12345", "LDC613P23A1305189", "沪A12345", "LDC613P23A1305189"),
    ("NORMAL", "粤BD12345", " lsja24u62jg269225 ", "粤BD12345", "LSJA24U62JG269225"),
    ("NORMAL", "粤B12345D", "LZZ1BLMJ4TJ465057", "粤B12345D", "LZZ1BLMJ4TJ465057"),
    ("NORMAL", "京AF0236", "WP0AA2973DL017067", "京AF0236", "WP0AA2973DL017067"),
    ("NORMAL", "粤Z1234港", "1M8GDM9AXKP042788", "粤Z1234港", "1M8GDM9AXKP042788"),
    ("NORMAL", "苏A1234学", "9BWZZZ377VT004251", "苏A1234学", "9BWZZZ377VT004251"),
    ("DIPLOMATIC", "使 014578", "LDC613P23A1305189", "使014578", "LDC613P23A1305189"),
    ("MILITARY", "VA·12345", "LDC613P23A1305189", "VA12345", "LDC613P23A1305189"),
    ("TEMPORARY", "沪A1234I", "LDC613P23A1305189", "沪A1234I", "LDC613P23A1305189"),
    ("UNREGISTERED", "", "LDC613P23A1305189", "", "LDC613P23A1305189"),
]
REFUSED = [
    ("NORMAL", "沪A1234I", "", "plate.letters", "沪A12341"),
    ("NORMAL", "沪AD123456", "", "plate.pattern", ""),
    ("NORMAL", "使014578", "", "plate.pattern", ""),
    ("NORMAL", "沪A12345", "LSVXZ60E0H2345678", "vin.check_digit", ""),
    ("NORMAL", "沪A12345", "LDC6I3P23AI3O5I89", "vin.characters", "LDC613P23A1305189"),
    ("NORMAL", "沪A12345", "1M8GDM9AXKPQ42788", "vin.characters", "1M8GDM9AXKP042788"),
    ("NORMAL", "沪A12345", "11111111111111111", "vin.repeated", ""),
    ("NORMAL", "沪A12345", "LDC613P23A130518", "vin.length", ""),
]
PEOPLE_REFUSED = [
    ("phone", "12812345678", "phone.pattern"),
    ("phone", "1381234567", "phone.pattern"),
    ("phone", "87654321", "phone.pattern"),
    ("uscc", "91350100M000100Y44", "uscc.check_character"),
    ("uscc", "9135O100M000100Y43", "uscc.characters"),
    ("uscc", "91350100M000100Y4", "uscc.length"),
    ("email", "zhang@example,com", "email.pattern"),
    ("note", "身份证 11010519491231002X", "text.id_number"),
]
KINDS = {
    "NORMAL": "小型汽车号牌",
    "DIPLOMATIC": "使馆汽车",
    "MILITARY": "军用",
    "TEMPORARY": "临时行驶车",
    "UNREGISTERED": "未上牌",
}


@pytest.fixture
def supervisor(store: Store) -> Client:
    """Somebody who may keep a VIN that doesn't fit, with a reason."""
    client = Client()
    client.force_login(make_user("manager", store=store))
    return client


@pytest.fixture
def program(store: Store) -> ApiCaller:
    return ApiCaller(
        "reception:write", "reception.vehicles.override_vin", store=store, acts_for=make_user("manager", store=store)
    )


def by_page(client: Client, kind: str, plate: str, vin: str, **more: str):
    form = {"form_token": str(uuid.uuid4()), "plate": plate, "plate_kind": kind, "vin": vin, "model_text": "途远"}
    return client.post(reverse("vehicle-new"), form | more)


def by_import(by: Actor, names: list[str], cells: list[str]) -> ImportBatch:
    content = "\n".join(",".join(f'"{cell}"' for cell in line) for line in (names, cells)).encode()
    batch = imports.upload_import(content=content, file_name="客户.csv", by=by)
    batch = imports.read_import(uid=batch.uid)
    if not batch.summary["counts"]["CREATE"]:
        return batch
    imports.confirm_import(uid=batch.uid, by=by)
    return imports.write_import(uid=batch.uid, size=7)


def import_vehicle(by: Actor, kind: str, plate: str, vin: str, reason: str = "") -> ImportBatch:
    names = ["号牌种类", "车牌号", "VIN", "VIN说明", "车型"]
    return by_import(by, names, [KINDS[kind], plate, vin, reason, "途远"])


def stands() -> list[tuple]:
    return list(Vehicle.objects.values_list("plate_kind", "plate", "plate_color", "powertrain", "vin", "vin_note"))


@pytest.mark.parametrize(("kind", "typed", "vin", "plate", "kept"), TAKEN)
def test_what_one_way_takes_every_way_takes_the_same(
    supervisor: Client, program: ApiCaller, store: Store, kind, typed, vin, plate, kept
) -> None:
    assert by_page(supervisor, kind, typed, vin).status_code == 302
    first = stands()
    assert [(row[0], row[1], row[4]) for row in first] == [(kind, plate, kept)]
    Vehicle.objects.all()._raw_delete("default")
    body = {"plate": typed, "plate_kind": kind, "vin": vin, "model_text": "途远"}
    assert program.post("vehicles", body).status_code == 201
    assert stands() == first
    Vehicle.objects.all()._raw_delete("default")
    import_vehicle(make_actor("manager", store=store), kind, typed, vin)
    assert stands() == first


@pytest.mark.parametrize(("kind", "plate", "vin", "code", "meant"), REFUSED)
def test_what_one_way_refuses_every_way_refuses(
    supervisor: Client, program: ApiCaller, store: Store, kind, plate, vin, code, meant
) -> None:
    field = code.split(".")[0]
    page = by_page(supervisor, kind, plate, vin)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert meant in page.context["form"].errors[field][0]
    answer = program.post("vehicles", {"plate": plate, "plate_kind": kind, "vin": vin, "model_text": "途远"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"
    assert meant in answer.json()["detail"]
    batch = import_vehicle(make_actor("manager", store=store), kind, plate, vin)
    row = batch.rows.get()
    assert (row.action, [said["code"] for said in row.notes]) == ("REFUSE", [code])
    assert row.notes[0].get("suggestion", "") == meant
    assert not Vehicle.objects.exists()
    assert not History.objects.filter(code="reception.vehicle.registered").exists()


def test_a_vin_that_does_not_fit_is_kept_with_a_reason_by_who_may_in_each_way(
    supervisor: Client, program: ApiCaller, store: Store
) -> None:
    vin, why = "LSVXZ60E0H2345678", "行驶证如此"
    assert by_page(supervisor, "NORMAL", "沪A12345", vin, vin_override_reason=why).status_code == 302
    body = {"plate": "沪A12345", "vin": vin, "vin_override_reason": why, "model_text": "途远"}
    first = stands()
    assert first[0][4:] == (vin, why)
    Vehicle.objects.all()._raw_delete("default")
    assert program.post("vehicles", body).status_code == 201
    assert stands() == first
    Vehicle.objects.all()._raw_delete("default")
    import_vehicle(make_actor("manager", store=store), "NORMAL", "沪A12345", vin, why)
    assert stands() == first
    overridden = History.objects.filter(code="reception.vehicle.registered", facts__vin_overridden=True)
    assert overridden.count() == 3
    Vehicle.objects.all()._raw_delete("default")
    clerk = make_actor("manager", store=store)
    mere = replace(clerk, permissions=clerk.permissions - {"reception.vehicles.override_vin"})
    assert import_vehicle(mere, "NORMAL", "沪A12345", vin, why).rows.get().action == "REFUSE"
    own = ApiCaller("reception:write", store=store)
    assert own.post("vehicles", body).status_code == 403
    assert not Vehicle.objects.exists()


@pytest.mark.parametrize(("field", "value", "code"), PEOPLE_REFUSED)
def test_a_persons_number_or_code_is_refused_alike(
    supervisor: Client, program: ApiCaller, store: Store, field, value, code
) -> None:
    person = {"name": "张试驾", "phone": "13900000001"}
    form = person | {"form_token": str(uuid.uuid4()), "kind": "PERSON", "language": "zh-hans", "channel": "SMS"}
    page = supervisor.post(reverse("customer-new"), form | {field: value})
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    answer = program.post("customers", person | {field: value})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    names = {"name": "姓名", "phone": "手机", "uscc": "统一社会信用代码", "email": "邮箱", "note": "备注"}
    cells = {name: (person | {field: value}).get(name, "") for name in names}
    batch = by_import(make_actor("manager", store=store), list(names.values()), list(cells.values()))
    assert code in [said["code"] for said in batch.rows.get().notes]
    assert not Customer.objects.filter(**{field: value}).exists()


def test_a_name_is_one_line_and_a_note_keeps_its_lines_in_each_way(
    supervisor: Client, program: ApiCaller, store: Store
) -> None:
    """A line break in a name is a space; marks of direction, unseen in what was copied, are dropped with every way."""
    typed = {
        "name": "\u2067单\r\n小\u202e\u200f红\u2069",
        "phone": "\u202d139 0000 0001\u202c",
        "note": "先打电话\n\u202e再来",
    }
    form = typed | {"form_token": str(uuid.uuid4()), "kind": "PERSON", "language": "zh-hans", "channel": "SMS"}
    assert supervisor.post(reverse("customer-new"), form).status_code == 302
    kept = Customer.objects.values_list("name", "phone", "pinyin_initials", "note")
    assert list(kept) == [("单 小红", "13900000001", "sxh", "先打电话\n再来")]
    Customer.objects.all()._raw_delete("default")
    assert program.post("customers", typed).status_code == 201
    assert list(kept) == [("单 小红", "13900000001", "sxh", "先打电话\n再来")]
    Customer.objects.all()._raw_delete("default")
    by_import(make_actor("manager", store=store), ["姓名", "手机", "备注"], list(typed.values()))
    assert list(kept) == [("单 小红", "13900000001", "sxh", "先打电话\n再来")]


def test_a_name_of_unseen_marks_is_none_and_hides_no_identity_number(
    supervisor: Client, program: ApiCaller, store: Store
) -> None:
    assert program.post("customers", {"name": "\u202e\u200f", "phone": "13900000001"}).json()["code"] == "customer.name"
    hidden = {"name": "张试驾", "phone": "13900000001", "note": "1101051949\u200e1231002X"}
    assert program.post("customers", hidden).json()["code"] == "text.id_number"
    body = {
        "contact_name": "张\u202e试\n驾",
        "contact_phone": "13900000001",
        "model_text": "途\u2066远",
        "need": "异响",
    }
    answer = program.post("visits", body | {"plate": "京A12345"})
    assert answer.status_code == 201, answer.content
    visit = Visit.objects.get()
    assert (visit.contact_name, visit.customer.name, visit.model_text) == ("张试 驾", "张试 驾", "途远")


def test_a_plate_that_can_come_again_needs_a_vin_in_an_import(store: Store) -> None:
    row = import_vehicle(make_actor("manager", store=store), "TEMPORARY", "京A临1234", "").rows.get()
    assert (row.action, [said["code"] for said in row.notes]) == ("REFUSE", ["plate.needs_vin"])


@pytest.mark.parametrize(
    "vin", ["LSVXZ60E0H2345678", "1M8GDM9A0KP042788", "11111111111111111", "LDC613P23A130518", "LDC613P2OA1305189"]
)
def test_the_database_refuses_a_vin_that_cannot_be_right(refused, vin: str) -> None:
    car = make_vehicle()
    with refused("vehicle_vin_written") as sql:
        sql("UPDATE reception_vehicle SET vin = %s WHERE id = %s", [vin, car.pk])
    car.refresh_from_db()
    assert car.vin != vin


@pytest.mark.parametrize("vin", [row[2].strip().upper() for row in TAKEN[:6]] + [make_vin(n) for n in range(1, 40)])
def test_the_database_takes_what_the_module_takes(vin: str) -> None:
    car = make_vehicle(vin="")
    Vehicle.objects.filter(pk=car.pk).update(vin=vin)
    assert Vehicle.objects.get().vin == vin


@pytest.mark.parametrize("plate", ["沪A1234I", "沪AD123456", "使014578", "A12345", "沪a12345"])
def test_the_database_refuses_what_is_no_ordinary_plate(refused, plate: str) -> None:
    car = make_vehicle()
    with refused("vehicle_plate_written") as sql:
        sql("UPDATE reception_vehicle SET plate = %s WHERE id = %s", [plate, car.pk])
    Vehicle.objects.filter(pk=car.pk).update(plate=plate, plate_kind="TEMPORARY")
    with refused("vehicle_plate_written") as sql:
        sql("UPDATE reception_vehicle SET plate_kind = 'NORMAL' WHERE id = %s", [car.pk])
