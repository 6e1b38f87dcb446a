"""What the customer ticks on the link or the booking: a wish, answered once, never a yes (3.1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from dealership.kernel import clock, outbox
from dealership.kernel.actors import customer_link
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Message
from reception.models import Appointment, Visit
from reception.services.online import booking_path
from reception.services.vehicles import change_owner, note_use, read_odometer
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.staff import actor_for, make_employee
from tests.factories.wishes import make_booked
from tests.factories.workshop import Shop, add_operation, make_order, make_received_visit, make_shop, operation
from workshop.models import OrderLine
from workshop.selectors.maintenance import due_list, say_cause
from workshop.selectors.wishes import wishes_of_visit
from workshop.services import wishes
from workshop.services.orders import change_line, send_estimate
from workshop.wish_models import MaintenanceWish

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def visit(shop: Shop) -> Visit:
    """A car at 49,500 km, whose tyres are to be changed round at 50,000 km."""
    visit = make_received_visit(shop)
    read_odometer(vehicle=visit.vehicle, km=49500, by=shop.advisor)
    return visit


def holder(visit: Visit) -> Any:
    return customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))


def wish(visit: Visit, code: str = "TY-20") -> MaintenanceWish:
    [row] = wishes.wish_maintenance(visit_uid=visit.uid, operation_uids=[operation(code).uid], by=holder(visit))
    return row


def test_ticked_twice_and_sent_again_it_is_one_wish_and_no_yes(visit: Visit, shop: Shop) -> None:
    address = reverse("visit-link-wishes", args=[visit.link.token])
    phone = Client()
    page = phone.get(reverse("visit-link", args=[visit.link.token])).content.decode()
    assert address in page
    for _time in range(3):
        answer = phone.post(address, {"operation": [str(operation("TY-20").uid)] * 2})
        assert (answer.status_code, answer["Location"]) == (302, reverse("visit-link", args=[visit.link.token]))
    row = MaintenanceWish.objects.get()
    assert (row.state, row.visit, row.operation.code, str(row.amount)) == ("OPEN", visit, "TY-20", "160.00")
    assert History.objects.filter(code="workshop.wish.made", visit_uid=visit.uid).count() == 1
    assert not OrderLine.objects.exists()
    page = phone.get(reverse("visit-link", args=[visit.link.token])).content.decode()
    assert "您请求加做的项目" in page
    assert "已提出，等服务顾问回复" in page
    assert address not in page  # nothing else is due


def test_what_isnt_due_nothing_and_strangers_write_nothing(visit: Visit, shop: Shop) -> None:
    with rule("wish.none"):
        wishes.wish_maintenance(visit_uid=visit.uid, operation_uids=[], by=holder(visit))
    with rule("wish.gone"):
        wish(visit, "BR-10")
    with pytest.raises(NotAllowed):
        wishes.wish_maintenance(visit_uid=visit.uid, operation_uids=[operation("TY-20").uid], by=shop.advisor)
    other = make_received_visit(shop)
    with pytest.raises(Visit.DoesNotExist):
        wishes.wish_maintenance(visit_uid=visit.uid, operation_uids=[operation("TY-20").uid], by=holder(other))
    order = make_order(shop, visit=visit, with_diagnosis=False)
    add_operation(shop, order, "TY-20")
    with rule("wish.gone"):
        wish(visit)
    assert not MaintenanceWish.objects.exists()


def test_the_advisor_is_told_and_puts_it_on_in_one_tap(client: Client, visit: Visit, shop: Shop) -> None:
    row = wish(visit)
    outbox.drain()
    assert "客户希望加做到期的" in Message.objects.get(template="workshop.wish").body
    client.force_login(shop.employee.user)
    assert "客户希望加做" in client.get(reverse("visit-detail", args=[visit.uid])).content.decode()
    assert "1 个客户加做请求" in client.get(reverse("today")).content.decode()
    order = make_order(shop, visit=visit, with_diagnosis=False)
    page = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert reverse("order-wishes", args=[order.uid]) in page
    assert f'name="operation" value="{row.operation.uid}"' not in page, "a wish is offered once, not as due as well"
    answer = client.post(reverse("order-wishes", args=[order.uid]), {"wish": str(row.uid)})
    assert answer["Location"] == reverse("order-detail", args=[order.uid])
    line = order.lines.get()
    row.refresh_from_db()
    assert (row.state, row.line, line.state, line.operation) == ("TAKEN", line, "DRAFT", row.operation)
    assert line.authorizations.count() == 0
    again = client.post(reverse("order-wishes", args=[order.uid]), {"wish": str(row.uid)})
    assert (again.status_code, order.lines.count()) == (422, 1)
    assert [shown.said for shown in wishes_of_visit(visit)] == ["服务顾问正在写报价"]
    send_estimate(order_uid=order.uid, by=shop.advisor)
    assert [shown.said for shown in wishes_of_visit(visit)] == ["在上方等您决定"]
    assert "1 个客户加做请求" not in client.get(reverse("today")).content.decode()


def test_it_is_answered_with_words_the_customer_reads(client: Client, visit: Visit, shop: Shop) -> None:
    row = wish(visit)
    client.force_login(shop.employee.user)
    address = reverse("wish-decline", args=[row.uid])
    assert client.get(address).status_code == 200
    assert client.post(address, {"answer": " "}).status_code == 422
    assert client.post(address, {"answer": "今天工位已满，下次优先安排"}).status_code == 302
    page = Client().get(reverse("visit-link", args=[visit.link.token])).content.decode()
    assert "这次不做：今天工位已满，下次优先安排" in page
    with rule("wish.answered"):
        wishes.decline_wish(uid=row.uid, answer="再来", by=shop.advisor)
    order = make_order(shop, visit=visit, with_diagnosis=False)
    with rule("wish.answered"):
        wishes.take_wishes(order_uid=order.uid, wish_uids=[row.uid], by=shop.advisor)
    with pytest.raises(NotAllowed):
        wishes.decline_wish(uid=row.uid, answer="再来", by=actor_for(make_employee(shop.store, "technician")))
    assert wish(visit) == row  # sent again: the same wish, answered already


def test_work_that_was_asked_already_is_not_taken_twice(visit: Visit, shop: Shop) -> None:
    row = wish(visit)
    order = make_order(shop, visit=visit, with_diagnosis=False)
    line = add_operation(shop, order, "TY-20")
    assert wishes.take_wishes(order_uid=order.uid, by=shop.advisor) == [line]  # written meanwhile: the same line
    row.refresh_from_db()
    assert (row.state, order.lines.count()) == ("TAKEN", 1)
    with rule("wish.none"):
        wishes.take_wishes(order_uid=order.uid, by=shop.advisor)
    other = make_received_visit(shop)
    read_odometer(vehicle=other.vehicle, km=49500, by=shop.advisor)
    second = wish(other)
    late = make_order(shop, visit=other, with_diagnosis=False)
    add_operation(shop, late, "TY-20")
    send_estimate(order_uid=late.uid, by=shop.advisor)
    with rule("wish.there"):
        wishes.take_wishes(order_uid=late.uid, wish_uids=[second.uid], by=shop.advisor)
    with rule("wish.none"):
        wishes.take_wishes(order_uid=late.uid, wish_uids=[row.uid], by=shop.advisor)  # another visit's


def test_the_database_keeps_a_wish_a_wish(refused: Any, visit: Visit, shop: Shop) -> None:
    row = wish(visit)
    order = make_order(shop, visit=visit, with_diagnosis=False)
    other = add_operation(shop, order, "MT-10")
    for words, name in (
        ("state = 'TAKEN', ended_at = now()", "maintenancewish_ended"),
        ("state = 'DECLINED', ended_at = now()", "maintenancewish_ended"),
        ("amount = 1", "maintenancewish_fixed"),
        (f"state = 'TAKEN', ended_at = now(), line_id = {other.pk}", "maintenancewish_is_no_yes"),
    ):
        with refused(name) as sql:
            sql(f"UPDATE workshop_maintenancewish SET {words} WHERE id = %s", [row.pk])
    same = add_operation(shop, order, "TY-20")
    send_estimate(order_uid=order.uid, by=shop.advisor)  # asked: no draft any more
    with refused("maintenancewish_is_no_yes") as sql:
        sql(
            "UPDATE workshop_maintenancewish SET state = 'TAKEN', ended_at = now(), line_id = %s WHERE id = %s",
            [same.pk, row.pk],
        )
    copy = """
        INSERT INTO workshop_maintenancewish (uid, version, created_at, updated_at, store_id, vehicle_id, visit_id,
            operation_id, why, state, wished_at, answer)
        SELECT gen_random_uuid(), 1, now(), now(), store_id, {vehicle}, visit_id, {operation}, why, {state}, now(), ''
        FROM workshop_maintenancewish WHERE id = %s
    """
    foreign = make_received_visit(shop).vehicle_id
    for values, name in (
        ({}, "maintenancewish_once"),
        ({"vehicle": foreign, "operation": operation("MT-10").pk}, "maintenancewish_of_the_car"),
        ({"operation": operation("MT-10").pk, "state": "'TAKEN'"}, "maintenancewish_moves"),
    ):
        with refused(name) as sql:
            given = {"vehicle": "vehicle_id", "operation": "operation_id", "state": "'OPEN'"} | values
            sql(copy.format(**given), [row.pk])
    row.refresh_from_db()
    assert (row.state, MaintenanceWish.objects.count()) == ("OPEN", 1)


def booked(shop: Shop, visit: Visit, source: str = "PHONE") -> Appointment:
    """A booking for next week of a car that its customer owns."""
    if not visit.vehicle.ownerships.exists():
        change_owner(uid=visit.vehicle.uid, owner_uid=visit.customer.uid, on=clock.today(), by=shop.advisor)
    return make_booked(visit, source)


def test_it_is_ticked_on_the_booking_before_the_visit_without_the_cars_history(
    client: Client, visit: Visit, shop: Shop
) -> None:
    booking = booked(shop, visit)
    page = Client().get(booking_path(booking)).content.decode()
    address = booking_path(booking, "online-wishes")
    assert address in page
    assert "50,000" not in page  # how the car is driven and when it was here isn't told without a name
    for _time in range(2):
        assert Client().post(address, {"operation": str(operation("TY-20").uid)})["Location"] == booking_path(booking)
    row = MaintenanceWish.objects.get()
    assert (row.appointment, row.visit, row.state) == (booking, None, "OPEN")
    client.force_login(shop.employee.user)
    assert "客户希望加做" in client.get(reverse("appointment-detail", args=[booking.uid])).content.decode()
    Visit.objects.filter(pk=visit.pk).update(appointment=booking)
    visit.refresh_from_db()
    order = make_order(shop, visit=visit, with_diagnosis=False)
    [line] = wishes.take_wishes(order_uid=order.uid, by=shop.advisor)
    assert (line.operation, line.state) == (operation("TY-20"), "DRAFT")
    assert [shown.said for shown in wishes_of_visit(visit)] == ["服务顾问正在写报价"]


def test_who_books_online_under_any_plate_learns_nothing_of_the_car(visit: Visit, shop: Shop) -> None:
    booking = booked(shop, visit, source="CONSUMER_PORTAL")
    address = booking_path(booking, "online-wishes")
    assert address not in Client().get(booking_path(booking)).content.decode()
    answer = Client().post(address, {"operation": str(operation("TY-20").uid)})
    assert answer.status_code in (302, 422)
    assert not MaintenanceWish.objects.exists()


def test_the_cause_is_said_in_the_readers_language(client: Client, visit: Visit, shop: Shop) -> None:
    wish(visit)
    order = make_order(shop, visit=visit, with_diagnosis=False)
    [line] = wishes.take_wishes(order_uid=order.uid, by=shop.advisor)
    line.refresh_from_db()
    assert line.cause.startswith("本店无记录，")
    with translation.override("en"):
        assert say_cause(line).startswith("no record here, ")
    change_line(line_uid=line.uid, cause="轮胎偏磨", by=shop.advisor)
    line.refresh_from_db()
    with translation.override("en"):
        assert say_cause(line) == "轮胎偏磨"  # a person's words stay as written


def test_hard_use_brings_it_sooner_and_says_so(visit: Visit, shop: Shop) -> None:
    before = due_list(visit.vehicle, store_id=shop.store.pk)
    assert before is not None
    assert not any(row.due.sooner for row in before.rows)
    visit.vehicle.refresh_from_db()
    note_use(uid=visit.vehicle.uid, hard_uses=["TAXI"], by=shop.advisor)
    visit.vehicle.refresh_from_db()
    found = due_list(visit.vehicle, store_id=shop.store.pk)
    assert found is not None
    sooner = [row for row in found.rows if row.due.sooner]
    assert sooner
    assert all(row.why.endswith("（因严苛使用提前）") for row in sooner)
    assert found.driven.endswith("按严苛使用间隔：出租车")


def test_other_systems_read_and_answer_wishes(visit: Visit, shop: Shop) -> None:
    row = wish(visit)
    order = make_order(shop, visit=visit, with_diagnosis=False)
    caller = ApiCaller("workshop:read", "workshop:write", store=shop.store)
    assert caller.get(f"maintenance-wishes/{row.uid}").json()["operation_uid"] == str(row.operation.uid)
    said = caller.act(f"maintenance-wishes/{row.uid}", "take", {"order_uid": str(order.uid)})
    assert said.status_code == 200, said.content
    assert said.json()["state"] == "TAKEN"
    problem(caller.act(f"maintenance-wishes/{row.uid}", "decline", {"answer": "不"}), 409, "wish.answered")
