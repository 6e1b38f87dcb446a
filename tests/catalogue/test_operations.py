"""3.2: operations and parts of the master, hours by model, and what is worked out of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Operation, OperationHours, OperationPart, Part, VehicleModel
from dealership.catalogue.services import operations, part_master, prices
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from reception.selectors import capacity
from reception.services.quotations import give_quotation
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.packages import make_package
from tests.factories.reception import rule
from tests.factories.workshop import Shop, add_operation, make_order, make_received_visit, make_shop, operation, part
from workshop.services.packages import put_package

pytestmark = pytest.mark.django_db
CAR = "锐放 2.0L 豪华型"


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def model() -> VehicleModel:
    return VehicleModel.objects.get(series="锐放", name="2.0L 豪华型")


def longer(shop: Shop, code: str, model: VehicleModel, by: str = "0.35") -> Decimal:
    """Sets hours of the model that differ from the others'."""
    work = operation(code)
    hours = work.hours + Decimal(by)
    operations.set_model_hours(operation_uid=work.uid, model_uid=model.uid, hours=hours, by=shop.manager)
    return hours


def test_an_order_takes_the_hours_of_the_cars_model_and_another_model_the_usual_ones(
    shop: Shop, model: VehicleModel
) -> None:
    hours = longer(shop, "MT-50", model)
    own = add_operation(shop, make_order(shop, visit=make_received_visit(shop, model_text=CAR)), "MT-50")
    other = add_operation(shop, make_order(shop, visit=make_received_visit(shop, model_text="青禾 1.5L 手动")), "MT-50")
    assert own.order.vehicle.model == model
    assert (own.hours, other.hours) == (hours, operation("MT-50").hours)
    rate = prices.labor_rate(shop.store.pk, "CUSTOMER_PAY")
    assert own.labor_amount == (hours * rate).quantize(Decimal("0.01"))
    operations.set_model_hours(operation_uid=operation("MT-50").uid, model_uid=model.uid, hours=None, by=shop.manager)
    own.refresh_from_db()
    assert own.hours == hours  # what is written stays
    assert [line.changed for line in History.objects.filter(code="catalogue.operation.hours_set").order_by("id")] == [
        {"hours": [None, str(hours)]}, {"hours": [str(hours), None]},
    ]  # fmt: skip


def test_bookings_quotations_packages_and_the_list_of_work_reckon_with_it(
    shop: Shop, model: VehicleModel, client: Client
) -> None:
    hours = longer(shop, "MT-50", model)
    visit = make_received_visit(shop, model_text=CAR)
    work = operations.fit_hours([operation("MT-50")], model.pk)
    assert capacity.quote(shop.store, work).work_minutes == int(hours * 60)
    quotation = give_quotation(
        operation_uids=[operation("MT-50").uid], model_uids=[], plate=visit.vehicle.plate, contact_name="沈示例",
        contact_phone="13800138000", by=shop.advisor,
    )  # fmt: skip
    assert quotation.lines.get().hours == hours
    order = make_order(shop, visit=visit)
    client.force_login(shop.advisor.user)
    page = client.get(reverse("line-new", args=[order.uid]), {"q": "MT-50"})
    assert page.context["operations"][0].hours == hours
    put_package(order_uid=order.uid, package_uid=make_package(shop.manager).uid, by=shop.advisor)
    assert order.lines.get(operation__code="MT-50").hours == hours


def test_the_database_takes_a_quotation_with_the_models_hours_alone(
    shop: Shop, model: VehicleModel, refused: Any
) -> None:
    longer(shop, "MT-50", model)
    visit = make_received_visit(shop, model_text=CAR)
    quotation = give_quotation(
        operation_uids=[operation("MT-20").uid], model_uids=[], plate=visit.vehicle.plate, contact_name="沈示例",
        contact_phone="13800138000", by=shop.advisor,
    )  # fmt: skip
    made = type(quotation).objects.create(
        store=shop.store, number="QT-RAW-1", contact_name="沈示例", vehicle=visit.vehicle,
        valid_until=quotation.valid_until,
    )  # fmt: skip
    rate = prices.labor_rate(shop.store.pk, "CUSTOMER_PAY")
    usual = operation("MT-50").hours
    with refused("quotationline_live_price") as sql:
        sql(
            "INSERT INTO reception_quotationline (uid, quotation_id, position, operation_id, description, hours, rate,"
            " amount) VALUES (gen_random_uuid(), %s, 1, %s, '换液', %s, %s, %s)",
            [made.pk, operation("MT-50").pk, usual, rate, usual * rate],
        )


def test_hours_are_written_once_a_model_and_are_more_than_nothing(model: VehicleModel, refused: Any) -> None:
    work = operation("MT-50")
    OperationHours.objects.create(operation=work, model=model, hours=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        OperationHours.objects.create(operation=work, model=model, hours=2)
    with refused("operationhours_positive") as sql:
        sql("UPDATE catalogue_operationhours SET hours = 0", [])
    with refused("operationhours_fixed") as sql:
        sql("UPDATE catalogue_operationhours SET operation_id = operation_id + 1", [])


def facts(**more: Any) -> dict[str, Any]:
    return {
        "code": "ab-01",
        "name": "更换示例件",
        "hours": Decimal("0.8"),
        "skill_code": "",
        "category": "MINOR",
    } | more


def test_an_operation_is_added_found_by_pinyin_corrected_and_taken_out_of_use(shop: Shop) -> None:
    made = operations.add_operation(**facts(), by=shop.manager)
    assert (made.code, made.pinyin) == ("AB-01", "genghuanshilijian ghslj")
    operations.set_usual_part(
        operation_uid=made.uid, part_uid=part("BRK-PAD-F").uid, quantity=Decimal("1.5"), by=shop.manager
    )
    assert OperationPart.objects.get(operation=made).quantity == Decimal("1.50")
    operations.set_usual_part(
        operation_uid=made.uid, part_uid=part("BRK-PAD-F").uid, quantity=Decimal(0), by=shop.manager
    )
    assert not OperationPart.objects.filter(operation=made).exists()
    done = operations.correct_operation(uid=made.uid, **facts(hours=Decimal("1.2"), active=False), by=shop.manager)
    line = History.objects.get(code="catalogue.operation.corrected")
    assert (done.hours, line.changed) == (Decimal("1.20"), {"hours": ["0.80", "1.20"], "active": [True, False]})


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"code": " "}, "operation.code", "code"),
        ({"name": ""}, "operation.name", "name"),
        ({"hours": Decimal(0)}, "operation.hours", "hours"),
        ({"hours": Decimal("300.01")}, "operation.hours", "hours"),
        ({"category": "NONE"}, "operation.choice", "category"),
        ({"skill_code": "NOBODY"}, "operation.skill", "skill_code"),
        ({"skill_level": 5}, "operation.skill_level", "skill_level"),
        ({"code": "mt-50"}, "operation.exists", "code"),
    ],
)
def test_what_an_operation_cannot_be(shop: Shop, change: dict[str, Any], code: str, field: str) -> None:
    before = Operation.objects.count()
    with pytest.raises(RuleError) as refusal:
        operations.add_operation(**facts(**change), by=shop.manager)
    assert (refusal.value.code, refusal.value.field, Operation.objects.count()) == (code, field, before)


def test_an_advisor_sees_the_list_and_changes_nothing(shop: Shop, client: Client) -> None:
    client.force_login(shop.advisor.user)
    page = client.get(reverse("operations"), {"words": "MT-50"})
    assert [row.operation.code for row in page.context["found"].rows] == ["MT-50"]
    assert not page.context["may_manage"]
    assert client.get(reverse("operation", args=[operation("MT-50").uid])).status_code == 200
    assert client.get(reverse("operation-edit", args=[operation("MT-50").uid])).status_code == 403
    with pytest.raises(NotAllowed):
        operations.add_operation(**facts(), by=shop.advisor)


def test_the_pages_of_a_manager(shop: Shop, client: Client, model: VehicleModel) -> None:
    client.force_login(shop.manager.user)
    answer = client.post(
        reverse("operation-new"),
        {"code": "CD-01", "name": "示例作业", "category": "MINOR", "hours": "0.5", "skill_level": "3",
         "capability": "STANDARD_LIFT", "active": "on"},
    )  # fmt: skip
    made = Operation.objects.get(code="CD-01")
    assert answer["Location"] == reverse("operation", args=[made.uid])
    client.post(reverse("operation-hours", args=[made.uid]), {"model": str(model.uid), "hours": "0.9"})
    client.post(reverse("operation-part", args=[made.uid]), {"number": "brk-pad-f", "quantity": "2"})
    page = client.get(answer["Location"])
    assert [row.hours for row in page.context["models"]] == [Decimal("0.90")]
    assert "BRK-PAD-F" in page.content.decode()
    client.post(reverse("operation-hours-drop", args=[made.uid]), {"model": str(model.uid)})
    client.post(reverse("operation-part-drop", args=[made.uid]), {"part": str(part("BRK-PAD-F").uid)})
    assert not made.model_hours.exists()
    assert not made.parts.exists()
    wrong = client.post(reverse("operation-part", args=[made.uid]), {"number": "NO-SUCH", "quantity": "2"})
    assert (wrong.status_code, "NO-SUCH" in wrong.content.decode()) == (422, True)


def test_a_part_comes_into_the_master_and_its_number_stays(shop: Shop, client: Client, refused: Any) -> None:
    keeper = make_actor("parts", store=shop.store, name="库示例")
    client.force_login(keeper.user)
    answer = client.post(
        reverse("part-new"),
        {"number": "new-77", "name": "示例垫片", "unit": "件", "kind": "GENUINE", "guarantee_months": "12",
         "guarantee_km": "20000", "active": "on"},
    )  # fmt: skip
    made = Part.objects.get(number="NEW-77")
    assert answer["Location"] == reverse("part-replacements", args=[made.uid])
    with rule("part.exists"):
        part_master.add_master_part(number="NEW-77", name="另一个", unit="件", by=keeper)
    client.post(
        reverse("part-edit", args=[made.uid]),
        {
            "name": "示例垫圈",
            "unit": "件",
            "kind": "BRANDED",
            "guarantee_months": "6",
            "guarantee_km": "10000",
            "active": "on",
        },
    )
    made.refresh_from_db()
    assert (made.name, made.kind, made.number) == ("示例垫圈", "BRANDED", "NEW-77")
    with refused("part_number_fixed") as sql:
        sql("UPDATE catalogue_part SET number = 'X' WHERE id = %s", [made.pk])


def test_another_system_keeps_operations_and_parts(shop: Shop, model: VehicleModel) -> None:
    person = shop.manager.user
    assert person is not None
    client = ApiCaller("catalogue:read", "catalogue:write", store=shop.store, acts_for=person)
    body = {"code": "EF-01", "name": "示例作业", "hours": "0.50"}
    answer = client.post("operations", body)
    assert answer.status_code == 201, answer.content
    path = f"operations/{answer.json()['uid']}"
    problem(client.post("operations", body), 409, "operation.exists")
    timed = client.act(path, "set-hours", {"model_uid": str(model.uid), "hours": "0.75"})
    assert timed.json()["model_hours"] == [{"model_uid": str(model.uid), "hours": "0.75"}]
    needs = client.act(path, "set-usual-part", {"part_uid": str(part("BRK-PAD-F").uid), "quantity": "1"})
    assert needs.json()["parts"] == [{"part_uid": str(part("BRK-PAD-F").uid), "quantity": "1.00"}]
    changed = client.put(path, body | {"hours": "0.60"}, If_Match=client.get(path).headers["ETag"])
    assert (changed.status_code, changed.json()["hours"]) == (200, "0.60")
    added = client.post("parts", {"number": "NEW-88", "name": "示例件", "unit": "件"})
    assert (added.status_code, added.json()["guarantee_months"]) == (201, 12)


def test_a_keeper_finds_the_master_in_the_menu_and_a_new_part_where_the_shelf_has_none(
    shop: Shop, client: Client
) -> None:
    keeper = make_actor("parts", store=shop.store, name="库示例")
    client.force_login(keeper.user)
    page = client.get(reverse("stock-list"), {"words": "NO-SUCH-PART"})
    text = page.content.decode()
    assert reverse("part-new") in text
    assert reverse("reorder") in text
    bar = [entry.code for entry in page.context["shell"].phone_entries]
    assert bar[:2] == ["parts", "stock"]
    codes = [entry.code for group in page.context["shell"].groups for entry in group.entries]
    assert "parts-master" in codes
