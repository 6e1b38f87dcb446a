"""Declined advice: kept with reason and value when the car leaves, offered again, taken up or closed (3.1)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from reception.services.vehicles import change_owner
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import move_line
from tests.factories.departed import make_departed
from tests.factories.reception import make_customer, rule
from tests.factories.staff import actor_for, make_employee
from tests.factories.workshop import (
    Shop,
    add_operation,
    agree_all,
    make_order,
    make_received_visit,
    make_shop,
    operation,
)
from workshop.models import Advice, OrderLine, RepairOrder
from workshop.selectors.advice import advice_queue, due_count, open_of
from workshop.selectors.declined import declined_advice
from workshop.selectors.maintenance import falls_due
from workshop.services import advice
from workshop.services.authorizations import decide_lines
from workshop.services.orders import send_estimate

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def system(shop: Shop) -> Any:
    return machine("tests", store_id=shop.store.pk)


def declined(shop: Shop, *codes: str, order: RepairOrder | None = None) -> RepairOrder:
    """An order on which the customer said no to everything, too dear."""
    order = order or make_order(shop, with_diagnosis=False)
    lines = [add_operation(shop, order, code) for code in codes]
    send_estimate(order_uid=order.uid, by=shop.advisor)
    decide_lines(
        order_uid=order.uid,
        decisions={line.uid: (False, "下次再做", "LATER") for line in lines},
        method="VERBAL_PHONE",
        authorized_by="沈示例",
        note="电话",
        by=shop.advisor,
    )
    return order


def kept(shop: Shop, *codes: str) -> list[Advice]:
    return advice.keep_advice(visit_uid=declined(shop, *codes).visit.uid, by=system(shop))


def test_it_is_kept_once_with_reason_and_value(shop: Shop) -> None:
    order = declined(shop, "MT-10", "AC-10")
    today = clock.today(shop.store.time_zone)
    first = advice.keep_advice(visit_uid=order.visit.uid, by=system(shop))
    assert [(row.amount, row.cause, row.offer_on, row.state) for row in first] == [
        (Decimal("402.00"), "LATER", today + timedelta(days=90), "OPEN"),
        (Decimal("160.00"), "LATER", today + timedelta(days=90), "OPEN"),
    ]
    assert advice.keep_advice(visit_uid=order.visit.uid, by=system(shop)) == []
    assert Advice.objects.count() == 2
    assert History.objects.filter(code="workshop.advice.kept", vehicle_uid=order.vehicle.uid).count() == 2


def test_what_is_no_advice_is_not_kept(shop: Shop) -> None:
    order = make_order(shop)  # its diagnosis is declined, another line only asked
    diagnosis = order.lines.get()
    send_estimate(order_uid=order.uid, by=shop.advisor)
    decide_lines(
        order_uid=order.uid,
        decisions={diagnosis.uid: (False, "")},
        method="VERBAL_PHONE",
        authorized_by="沈示例",
        note="电话",
        by=shop.advisor,
    )
    add_operation(shop, order, "MT-10")
    assert advice.keep_advice(visit_uid=order.visit.uid, by=system(shop)) == []


def test_it_is_offered_again_at_the_next_visit_and_taken_up_in_one_tap(client: Client, shop: Shop) -> None:
    [row] = kept(shop, "MT-10")
    order = make_order(shop, visit=row.line.order.visit, with_diagnosis=False)
    client.force_login(shop.employee.user)
    page = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "以前未采纳的建议" in page
    assert "下次再做" in page
    answer = client.post(reverse("order-advice", args=[order.uid]), {"advice": str(row.uid)})
    assert answer["Location"] == reverse("order-detail", args=[order.uid])
    line = order.lines.get()
    row.refresh_from_db()
    assert (row.state, row.taken_as, line.operation, line.part_lines.count()) == ("TAKEN", line, row.line.operation, 2)
    assert open_of(order.vehicle, store_id=shop.store.pk) == []
    again = client.post(reverse("order-advice", args=[order.uid]), {"advice": str(row.uid)})
    assert again.status_code == 422
    assert order.lines.count() == 1


def test_free_words_and_their_parts_come_back_as_they_were(shop: Shop) -> None:
    [row] = kept(shop, "MT-10")
    row.line.operation.active = False
    row.line.operation.save(update_fields=["active"])
    order = make_order(shop, visit=row.line.order.visit, with_diagnosis=False)
    advice.take_up_advice(uid=row.uid, order_uid=order.uid, by=shop.advisor)
    line = order.lines.get()
    assert (line.operation, line.description, line.hours) == (None, row.line.description, row.line.hours)
    assert line.part_lines.count() == 2


def test_what_was_done_meanwhile_ends_the_advice(shop: Shop) -> None:
    [row] = kept(shop, "AC-10")
    order = make_order(shop, visit=row.line.order.visit, with_diagnosis=False)
    line = add_operation(shop, order, "AC-10", parts=[])
    send_estimate(order_uid=order.uid, by=shop.advisor)
    decide_lines(
        order_uid=order.uid,
        decisions={line.uid: (True, "")},
        method="VERBAL_PHONE",
        authorized_by="沈示例",
        note="电话",
        by=shop.advisor,
    )
    move_line(OrderLine.objects.get(pk=line.pk), "COMPLETED")
    assert advice.keep_advice(visit_uid=order.visit.uid, by=system(shop)) == []
    row.refresh_from_db()
    assert (row.state, row.taken_as) == ("TAKEN", line)


def test_the_queue_asks_again_from_its_day_on_safety_and_value_first(client: Client, shop: Shop) -> None:
    small, large, safety = kept(shop, "AC-10", "MT-10", "BR-10")
    assert safety.is_safety
    today = clock.today(shop.store.time_zone)
    assert safety.offer_on == today + timedelta(days=14)
    assert advice_queue(shop.advisor).rows == []
    with clock.moved_to(clock.now() + timedelta(days=90)):
        queue = advice_queue(shop.advisor)
        assert queue.rows == [safety, large, small]
        assert (queue.due, queue.due_value, queue.later, queue.safety) == (
            3,
            small.amount + large.amount + safety.amount,
            0,
            1,
        )
        client.force_login(make_employee(shop.store, "care").user)
        page = client.get(reverse("advice-list")).content.decode()
        assert "¥402.00" not in page  # amounts in the column stand without their sign
        assert "402.00" in page
        client.post(reverse("advice-offer", args=[small.uid]), {})
        client.post(reverse("advice-drop", args=[large.uid]), {"reason": "在别处做了"})
        assert advice_queue(shop.advisor).rows == [safety]
        assert advice_queue(shop.advisor, show="later").rows == [small]
        empty = client.post(reverse("advice-drop", args=[safety.uid]), {"reason": " "})
        assert (empty.status_code, list(empty.context["form"].errors)) == (422, ["reason"])
    small.refresh_from_db()
    large.refresh_from_db()
    assert (small.offered, small.offer_on) == (1, today + timedelta(days=180))
    assert (large.state, large.ended_reason) == ("DROPPED", "在别处做了")


def test_an_empty_queue_says_what_will_stand_here(client: Client, shop: Shop) -> None:
    client.force_login(make_employee(shop.store, "care").user)
    assert "这里没有需要询问的客户" in client.get(reverse("advice-list")).content.decode()


def test_refusals_write_nothing(shop: Shop) -> None:
    [row] = kept(shop, "MT-10")
    other = make_order(shop, visit=make_received_visit(shop), with_diagnosis=False)
    today = clock.today(shop.store.time_zone)
    technician = actor_for(make_employee(shop.store, "technician"))
    before = History.objects.count()
    for code, command, given in (
        ("advice.car", advice.take_up_advice, {"uid": row.uid, "order_uid": other.uid}),
        ("advice.same_order", advice.take_up_advice, {"uid": row.uid, "order_uid": row.line.order.uid}),
        ("advice.again_on", advice.offer_advice, {"uid": row.uid, "again_on": today}),
        ("advice.again_on", advice.offer_advice, {"uid": row.uid, "again_on": today + timedelta(days=731)}),
        ("advice.reason", advice.drop_advice, {"uid": row.uid, "reason": " "}),
    ):
        with rule(code):
            command(by=shop.advisor, **given)
    for command, given in (
        (advice.offer_advice, {"uid": row.uid}),
        (advice.drop_advice, {"uid": row.uid, "reason": "不要"}),
        (advice.take_up_advice, {"uid": row.uid, "order_uid": other.uid}),
    ):
        with pytest.raises(NotAllowed):
            command(by=technician, **given)
    assert (History.objects.count(), other.lines.count()) == (before, 0)
    advice.drop_advice(uid=row.uid, reason="不要", by=shop.advisor)
    for command, given in ((advice.offer_advice, {}), (advice.drop_advice, {"reason": "不要"})):
        with rule("advice.ended"):
            command(uid=row.uid, by=shop.advisor, **given)


def test_the_database_keeps_what_was_declined(shop: Shop, refused: Any) -> None:
    [row] = kept(shop, "MT-10")
    order = make_order(shop, visit=row.line.order.visit, with_diagnosis=False)
    drafted = add_operation(shop, order, "AC-10")
    with refused("advice_fixed") as run:
        run("UPDATE workshop_advice SET amount = 1 WHERE id = %s", [row.pk])
    with refused("advice_ended") as run:
        run("UPDATE workshop_advice SET state = 'DROPPED', ended_at = now() WHERE id = %s", [row.pk])
    with refused("advice_ended") as run:
        run("UPDATE workshop_advice SET state = 'TAKEN', ended_at = now() WHERE id = %s", [row.pk])
    insert = (
        "INSERT INTO workshop_advice (uid, version, created_at, updated_at, store_id, vehicle_id, line_id, amount, cause, "
        "is_safety, state, declined_at, offer_on, offered, ended_reason) SELECT %s, 1, now(), now(), store_id, vehicle_id, "
        "%s, 1, '', false, {state}, now(), now(), 0, '' FROM workshop_advice WHERE id = %s"
    )
    with refused("advice_of_a_declined_line") as run:
        run(insert.format(state="'OPEN'"), [uuid4(), drafted.pk, row.pk])
    with refused("advice_moves") as run:
        run(insert.format(state="'TAKEN'"), [uuid4(), row.line_id, row.pk])
    advice.drop_advice(uid=row.uid, reason="不要", by=shop.advisor)
    with refused("advice_moves") as run:
        run("UPDATE workshop_advice SET state = 'OPEN', ended_at = NULL WHERE id = %s", [row.pk])


def test_booking_and_the_customers_own_link_name_it(client: Client, shop: Shop) -> None:
    [row] = kept(shop, "MT-10")
    vehicle, visit = row.vehicle, row.line.order.visit
    assert "上次未做的项目" in Client().get(reverse("visit-link", args=[visit.link.token])).content.decode()
    client.force_login(make_employee(shop.store, "receptionist").user)
    page = client.get(reverse("appointment-new"), {"q": vehicle.plate}).content.decode()
    assert "以前未采纳的建议" in page
    assert open_of(vehicle, store_id=shop.store.pk, customer_id=0) == []  # another customer's no isn't told


def test_a_car_that_left_leaves_nothing_behind_where_all_was_agreed() -> None:
    make_departed()
    assert not Advice.objects.exists()


def test_the_api_reads_it_and_closes_it(shop: Shop) -> None:
    [row] = kept(shop, "MT-10")
    caller = ApiCaller("workshop:read", "workshop:write", store=shop.store)
    path = f"declined-advices/{row.uid}"
    assert caller.get("declined-advices?state=OPEN").json()["data"][0]["amount"] == "402.00"
    assert caller.act(path, "offer").json()["offered"] == 1
    assert caller.act(path, "drop", {"reason": "不要"}).json()["state"] == "DROPPED"
    problem(caller.act(path, "drop", {"reason": "不要"}), 409, "advice.ended")


def test_of_a_sold_car_nobody_is_asked_and_nothing_of_the_former_owner_is_read(client: Client, shop: Shop) -> None:
    with clock.moved_to(clock.now() - timedelta(days=120)):
        [row] = kept(shop, "MT-10")
    care = actor_for(make_employee(shop.store, "care"))
    assert (advice_queue(care).due, advice_queue(care).sold, due_count(care)) == (1, 0, 1)
    former = row.line.order.visit.customer
    assert len(declined_advice(former, shop.advisor)) == 1
    buyer = make_customer(name="顾示例")
    change_owner(uid=row.vehicle.uid, owner_uid=buyer.uid, on=clock.today(), by=shop.advisor)
    queue = advice_queue(care, show="sold")
    assert (queue.due, queue.due_value, queue.later, queue.sold, queue.rows) == (0, Decimal(0), 0, 1, [row])
    assert due_count(care) == 0
    assert declined_advice(former, shop.advisor) == []
    with rule("advice.sold"):
        advice.offer_advice(uid=row.uid, by=care)
    row.refresh_from_db()
    assert row.offered == 0
    client.force_login(make_employee(shop.store, "care").user)
    page = client.get(reverse("advice-list"), {"show": "sold"}).content.decode()
    assert "已换车主" in page
    assert "下次再做" not in page  # why the former owner said no
    assert row.line.order.visit.contact_name not in page
    client.force_login(shop.employee.user)
    page = client.get(reverse("vehicle-detail", args=[row.vehicle.uid])).content.decode()
    assert "前车主" in page
    assert "下次再做" not in page


def test_a_driver_who_brings_another_owners_car_is_asked_as_before(shop: Shop) -> None:
    with clock.moved_to(clock.now() - timedelta(days=120)):
        [row] = kept(shop, "MT-10")
        company = make_customer(name="示例租赁", kind="COMPANY")
        row.vehicle.ownerships.update(customer=company)
    care = actor_for(make_employee(shop.store, "care"))
    assert (advice_queue(care).due, advice_queue(care).sold) == (1, 0)


def test_it_is_offered_again_when_the_plan_asks_for_it_sooner(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    today = clock.today(shop.store.time_zone)
    day = today + timedelta(days=30)
    due = {operation("MT-10").pk: day, operation("AC-10").pk: today + timedelta(days=300)}
    monkeypatch.setattr(advice, "falls_due", lambda *_args, **_more: due)
    rows = kept(shop, "MT-10", "AC-10")
    assert [row.offer_on for row in rows] == [day, today + timedelta(days=90)]
    care = actor_for(make_employee(shop.store, "care"))
    assert advice.offer_advice(uid=rows[0].uid, by=care).offer_on == day
    later = today + timedelta(days=200)
    assert advice.offer_advice(uid=rows[0].uid, by=care, again_on=later).offer_on == later  # as the customer wishes


def test_when_the_plan_asks_for_it_is_known_by_a_record(shop: Shop) -> None:
    """The small service was done half a year ago: by its mileage it falls due in two months; what has no record here says
    nothing."""
    with clock.moved_to(clock.now() - timedelta(days=180)):
        order = make_order(shop, with_diagnosis=False)
        done = add_operation(shop, order, "MT-10", parts=[])
        agree_all(shop, order)
        done.refresh_from_db()
        move_line(done, "COMPLETED")
        OrderLine.objects.filter(pk=done.pk).update(completed_at=clock.now())
    order.vehicle.refresh_from_db()
    today = clock.today(shop.store.time_zone)
    found = falls_due(order.vehicle, store_id=shop.store.pk, after=today)
    assert today < found[operation("MT-10").pk] < today + timedelta(days=90)
    assert operation("MT-20").pk not in found
    assert operation("MT-10").pk not in falls_due(
        order.vehicle, store_id=shop.store.pk, after=today + timedelta(days=90)
    )
