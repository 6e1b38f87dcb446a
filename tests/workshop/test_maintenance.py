"""What a car is due for: from its own history, on the order in one tap, at booking and on the customer's link (3.1)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from dealership.catalogue.models import MaintenancePlan, Part, VehicleModel
from dealership.catalogue.services.prices import set_part_price
from dealership.kernel import clock
from reception.models import Vehicle
from reception.services.vehicles import read_odometer
from tests.factories.api import ApiCaller
from tests.factories.delivery import move_line
from tests.factories.reception import make_vehicle
from tests.factories.staff import make_employee
from tests.factories.workshop import (
    Shop,
    add_operation,
    agree_all,
    make_order,
    make_received_visit,
    make_shop,
    operation,
)
from workshop.models import OrderLine, RepairOrder
from workshop.selectors.maintenance import DueList, due_list
from workshop.services.orders import cancel_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def due_of(vehicle: Vehicle, shop: Shop) -> DueList:
    vehicle.refresh_from_db()
    found = due_list(vehicle, store_id=shop.store.pk)
    assert found is not None
    return found


def standings(found: DueList) -> dict[str, str]:
    return {row.operation.code: str(row.standing) for row in found.rows}


def serviced(shop: Shop, code: str, *, months: int) -> RepairOrder:
    """A car on which the work was done so many months ago at 48,930 km."""
    with clock.moved_to(clock.now() - timedelta(days=30 * months)):
        order = make_order(shop, with_diagnosis=False)
        line = add_operation(shop, order, code, parts=[])
        agree_all(shop, order)
        line.refresh_from_db()
        move_line(line, "COMPLETED")
        OrderLine.objects.filter(pk=line.pk).update(completed_at=clock.now())
    return order


def test_it_is_counted_from_the_cars_own_history(shop: Shop) -> None:
    order = serviced(shop, "MT-20", months=14)
    vehicle = order.vehicle
    read_odometer(vehicle=vehicle, km=57000, by=shop.advisor)
    found = due_of(vehicle, shop)
    there = standings(found)
    # the regular service brings the small one's oil and filter: both are counted from it
    assert (there["MT-10"], there["MT-20"], there["MT-50"]) == ("OVERDUE", "LATER", "UNKNOWN")
    assert (found.trend.km, found.trend.measured, found.severe) == (57000, True, False)
    oil = next(row for row in found.rows if row.operation.code == "MT-10")
    last = oil.due.last
    assert last is not None
    assert (last.km, oil.due.due_km) == (48930, 58930)
    assert f"上次 {last.on.isoformat()} / 48,930 公里，每 10,000 公里 或 12 个月 → 58,930 公里 或 " in oil.why
    with translation.override("en"):
        english = next(row for row in due_of(vehicle, shop).rows if row.operation.code == "MT-10").why
    assert english.startswith(f"last {last.on.isoformat()} / 48,930 km, every 10,000 km or 12 months → 58,930 km or ")
    assert oil.amount == Decimal("402.00")  # half an hour at 170, four litres of oil at 68, a filter at 45


def test_a_car_whose_mileage_nobody_read_is_due_for_nothing_by_kilometres(shop: Shop) -> None:
    known = make_order(shop, with_diagnosis=False).vehicle
    unread = make_vehicle()
    Vehicle.objects.filter(pk=unread.pk).update(model=known.model, powertrain=known.powertrain)
    found = due_of(unread, shop)
    assert set(standings(found).values()) == {"UNREAD"}
    assert {str(row.label) for row in found.rows} == {"里程未知，无法判断"}
    assert all("→" not in row.why for row in found.rows)
    assert "里程未知" in found.driven
    assert found.proposed == []


def test_a_line_that_was_only_agreed_to_is_no_record(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    add_operation(shop, order, "MT-10")
    agree_all(shop, order)
    assert all(row.due.last is None for row in due_of(order.vehicle, shop).rows)


def test_a_car_driven_much_follows_the_intervals_for_hard_use(shop: Shop) -> None:
    order = serviced(shop, "MT-10", months=3)
    read_odometer(vehicle=order.vehicle, km=56930, by=shop.advisor)  # 8,000 km in three months
    found = due_of(order.vehicle, shop)
    assert found.severe
    assert standings(found)["MT-10"] == "OVERDUE"  # every 5,000 km
    assert "按严苛使用间隔" in found.driven


def test_bigger_work_that_is_due_brings_the_smaller_along(shop: Shop) -> None:
    order = serviced(shop, "MT-30", months=30)
    read_odometer(vehicle=order.vehicle, km=100000, by=shop.advisor)
    found = due_of(order.vehicle, shop)
    proposed = {row.operation.code: row for row in found.proposed}
    assert "MT-30" in proposed
    assert not {"MT-10", "MT-20", "MT-50"} & set(proposed)
    assert "小保养（机油、机滤）" in proposed["MT-30"].brings


def test_without_a_price_the_sum_is_left_open(shop: Shop) -> None:
    order = serviced(shop, "MT-10", months=14)
    filters = Part.objects.get(number="FLT-OIL-01")
    other = make_employee(_other_store(shop), "advisor").store
    found = due_list(order.vehicle, store_id=other.pk)
    assert found is not None
    assert {row.amount for row in found.proposed} == {None}
    set_part_price(store=shop.store, part=filters, price=Decimal("46.00"), starts_on=clock.today(), by=shop.manager)
    assert next(r for r in due_of(order.vehicle, shop).rows if r.operation.code == "MT-10").amount == Decimal("403.00")


def _other_store(shop: Shop) -> Any:
    from tests.factories.staff import make_store

    return make_store("OT01")


def test_a_car_for_which_no_plan_holds_has_no_list(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    Vehicle.objects.filter(pk=order.vehicle_id).update(powertrain="FCEV", model=None)
    order.vehicle.refresh_from_db()
    assert due_list(order.vehicle, store_id=shop.store.pk) is None


def test_one_tap_writes_the_line_with_parts_price_and_why(client: Client, shop: Shop) -> None:
    order = serviced(shop, "MT-20", months=14)
    client.force_login(shop.employee.user)
    page = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "此车到期保养" in page
    address, oil = reverse("order-maintenance", args=[order.uid]), operation("MT-10")
    assert client.post(address, {"operation": str(oil.uid)})["Location"] == reverse("order-detail", args=[order.uid])
    line = order.lines.get(operation=oil)
    assert (line.state, line.part_lines.count(), line.is_addition) == ("DRAFT", 2, True)
    assert line.cause.startswith("上次 ")
    again = client.post(address, {"operation": str(oil.uid)})
    assert again.status_code == 422
    assert "请刷新查看" in again.content.decode()
    assert order.lines.count() == 2
    cancel_line(line_uid=line.uid, reason="客户自己做", by=shop.advisor)
    assert client.post(address, {"operation": str(oil.uid)}).status_code == 302


def test_who_may_not_write_lines_adds_nothing(client: Client, shop: Shop) -> None:
    before = serviced(shop, "MT-10", months=14)
    client.force_login(make_employee(shop.store, "technician").user)
    answer = client.post(reverse("order-maintenance", args=[before.uid]), {"operation": str(operation("MT-10").uid)})
    assert answer.status_code == 403
    assert before.lines.count() == 1


def test_booking_offers_it_and_takes_it_among_the_operations(client: Client, shop: Shop) -> None:
    before = serviced(shop, "MT-10", months=14)
    client.force_login(make_employee(shop.store, "receptionist").user)
    address = reverse("appointment-new")
    assert "此车到期保养" in client.get(address, {"q": before.vehicle.plate}).content.decode()
    oil = operation("MT-10")
    page = client.post(address, {"q": before.vehicle.plate, "take": str(oil.uid)})
    assert page.status_code == 200
    assert page.context["operations"] == [oil]


def test_the_cars_page_and_the_customers_link_say_why(client: Client, shop: Shop) -> None:
    visit = make_received_visit(shop)
    read_odometer(vehicle=visit.vehicle, km=49500, by=shop.advisor)
    address = reverse("visit-link", args=[visit.link.token])
    link = Client().get(address).content.decode()
    assert "您的车该做这些保养" in link
    assert "¥160.00" in link
    assert "本店无记录，每 10,000 公里 → 50,000 公里 到期" in link
    assert "小保养" not in link  # nobody knows when it was done last: asked by the advisor, not told to the customer
    order = make_order(shop, visit=visit, with_diagnosis=False)
    add_operation(shop, order, "TY-20")
    assert "您的车该做这些保养" not in Client().get(address).content.decode()
    client.force_login(shop.employee.user)
    page = client.get(reverse("vehicle-detail", args=[order.vehicle.uid])).content.decode()
    assert "燃油车保养" in page
    assert "即将到期" in page


def test_every_model_of_the_catalogue_has_a_plan() -> None:
    from dealership.catalogue.selectors.maintenance import plan_for

    assert MaintenancePlan.objects.filter(state="RELEASED").exists()
    assert [str(m) for m in VehicleModel.objects.all() if plan_for(m, m.powertrain) is None] == []


def test_other_systems_read_what_a_car_is_due_for(shop: Shop) -> None:
    order = serviced(shop, "MT-10", months=14)
    caller = ApiCaller("workshop:read", store=shop.store)
    rows = caller.get(f"maintenance-due?vehicle_uid={order.vehicle.uid}").json()["data"]
    found = due_of(order.vehicle, shop)
    assert [(row["operation_code"], row["standing"]) for row in rows] == [
        (row.operation.code, row.standing) for row in found.rows
    ]
    (oil,) = (row for row in rows if row["operation_code"] == "MT-10")
    assert (oil["standing"], oil["last_km"]) == ("OVERDUE", order.visit.odometer_in_km)
    assert oil["why"]
    assert caller.get(f"maintenance-due?vehicle_uid={order.uid}").json()["data"] == []
    assert caller.get(f"maintenance-due?vehicle_uid={order.vehicle.uid}&store_code=ZZZZ").json()["data"] == []
    assert caller.get("maintenance-due").status_code == 400
