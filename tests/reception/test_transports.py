"""2.1.2 取送车: a car is fetched from its customer and brought back; what is refused changes nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.models import History
from reception.models import Appointment, Transport, Visit
from reception.services import transports, walkarounds
from tests.factories.reception import make_customer, make_received_visit, make_vehicle
from tests.factories.staff import actor_for, make_actor, make_employee, make_store

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def morning():
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def driver(store):
    return make_employee(store, "advisor", name="林晓")


@pytest.fixture
def by(driver):
    return actor_for(driver)


def plan(by, driver, *, vehicle=None, hour=1, **changes):
    car = vehicle or make_vehicle(owner_uid=make_customer().uid)
    given = {
        "kind": "PICK_UP",
        "vehicle_uid": car.uid,
        "driver_uid": driver.uid,
        "starts_at": NOW + timedelta(hours=hour),
        "ends_at": NOW + timedelta(hours=hour, minutes=30),
        "address": "示例路 1 号 2 单元",
        "contact_name": "周试车",
        "contact_phone": "13800138000",
    } | changes
    return transports.plan_transport(**given, by=by)


def all_of():
    return (list(Transport.objects.order_by("pk").values()), Visit.objects.count(), History.objects.count())


def refusal_of(command, *args, **values):
    before = all_of()
    with pytest.raises(RuleError) as refusal:
        command(*args, **values)
    assert all_of() == before
    return refusal.value.code


def test_a_car_is_fetched_signed_for_at_the_door_and_brought_to_the_shop(by, driver):
    way = plan(by, driver)
    assert History.objects.get(code="reception.transport.planned").changed == {"state": [None, "PLANNED"]}
    assert refusal_of(transports.take_over, uid=way.uid, odometer_km=1, energy_eighths=1, need="保养", by=by) == (
        "transport.not_under_way"
    )
    transports.set_out(uid=way.uid, by=by)
    assert refusal_of(transports.arrive, uid=way.uid, by=by) == "transport.reading"
    taken = transports.take_over(uid=way.uid, odometer_km=51200, energy_eighths=3, need="异响", by=by)
    visit = taken.visit
    assert (visit.arrival_kind, visit.waiting_mode, visit.advisor, visit.state) == (
        "PICKED_UP",
        "PICK_UP",
        driver,
        "IN_RECEPTION",
    )
    assert (visit.walkaround.odometer_km, visit.walkaround.energy_eighths) == (51200, 3)
    assert refusal_of(transports.call_off, uid=way.uid, reason="改天", by=by) == "transport.taken_over"
    walkarounds.save_walkaround(visit_uid=visit.uid, no_valuables=True, old_parts="TAKE", by=by)
    signed = walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="周试车", by=by)
    assert signed.signed_where == "DOOR"
    done = transports.arrive(uid=way.uid, by=by)
    assert (done.state, done.done_at, done.odometer_km) == ("DONE", NOW, 51200)
    assert refusal_of(transports.arrive, uid=way.uid, by=by) == "state.move"


def test_a_driver_is_on_one_way_at_a_time_and_a_car_on_one(by, driver):
    way = plan(by, driver)
    other = make_vehicle(owner_uid=make_customer().uid)
    assert refusal_of(plan, by, driver, vehicle=other) == "transport.driver_busy"
    assert refusal_of(plan, by, driver, vehicle=way.vehicle, hour=3) == "transport.open"
    plan(by, driver, vehicle=other, hour=3)
    transports.call_off(uid=way.uid, reason="客户自己送来", by=by)
    assert plan(by, driver, vehicle=way.vehicle).state == "PLANNED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ends_at": NOW + timedelta(hours=1)}, "transport.window"),
        ({"starts_at": NOW - timedelta(hours=2), "ends_at": NOW - timedelta(hours=1)}, "transport.past"),
        ({"address": " "}, "transport.address"),
        ({"contact_name": " "}, "transport.contact"),
        ({"vehicle_uid": None}, "transport.car"),
        ({"kind": "RETURN"}, "transport.visit"),
        ({"kind": "FLY"}, "transport.kind"),
    ],
)
def test_what_is_missing_is_named(by, driver, changes, code):
    car = make_vehicle(owner_uid=make_customer().uid)
    assert refusal_of(plan, by, driver, vehicle=car, **changes) == code


def test_a_car_that_is_here_is_not_fetched_and_one_brought_back_goes_through_the_gate(by, driver):
    visit = make_received_visit(by)
    assert refusal_of(plan, by, driver, vehicle=visit.vehicle) == "transport.here"
    back = plan(by, driver, kind="RETURN", visit_uid=visit.uid, contact_name="", contact_phone="")
    assert (back.visit, back.contact_name) == (visit, visit.contact_name)
    assert refusal_of(transports.set_out, uid=back.uid, by=by) == "transport.by_gate"
    assert refusal_of(transports.call_off, uid=back.uid, reason=" ", by=by) == "transport.reason"


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("transport_moves", "state = 'DONE'"),
        ("transport_window", "ends_at = starts_at"),
        ("transport_where", "address = ''"),
        ("transport_return_of_visit", "kind = 'RETURN'"),
        ("transport_cancelled_why", "state = 'CANCELLED'"),
        ("transport_energy", "energy_eighths = 9"),
    ],
)
def test_the_database_holds_it(refused, by, driver, rule, change):
    plan(by, driver)
    before = all_of()
    with refused(rule) as sql:
        sql(f"UPDATE reception_transport SET {change}")
    assert all_of() == before


def test_the_database_knows_no_driver_twice_and_no_arrival_without_a_reading(refused, by, driver):
    way = plan(by, driver)
    second = plan(by, driver, hour=3)
    with refused("transport_driver_free") as sql:
        sql("UPDATE reception_transport SET starts_at = %s WHERE id = %s", [way.starts_at, second.pk])
    with refused("transport_one_open") as sql:
        sql("UPDATE reception_transport SET vehicle_id = %s WHERE id = %s", [way.vehicle_id, second.pk])
    transports.set_out(uid=way.uid, by=by)
    with refused("transport_done_read") as sql:
        sql("UPDATE reception_transport SET state = 'DONE' WHERE id = %s", [way.pk])


@pytest.mark.django_db(transaction=True)
def test_of_two_plans_for_one_driver_at_once_one_wins(by, driver):
    cars = [make_vehicle(owner_uid=make_customer().uid) for _each in range(2)]
    said: list[str] = []

    def run(car):
        try:
            with clock.moved_to(NOW):
                plan(by, driver, vehicle=car)
            said.append("planned")
        except RaceLost as lost:
            said.append(lost.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(car,)) for car in cars]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["planned", "transport.driver_busy"]


def test_another_stores_ways_are_not_there(by, driver):
    way = plan(by, driver)
    stranger = make_actor(make_store("BJ02"), "advisor")
    with pytest.raises(Transport.DoesNotExist):
        transports.set_out(uid=way.uid, by=stranger)


def test_the_page_fills_in_owner_and_next_booking(store, by, driver):
    client = Client()
    client.force_login(driver.user)
    owner = make_customer()
    car = make_vehicle(owner_uid=owner.uid)
    page = client.get("/transports/new/", {"plate": car.plate})
    assert {name: page.context["form"].initial.get(name) for name in ("contact_name", "contact_phone", "starts_at")} == {
        "contact_name": owner.name, "contact_phone": owner.phone, "starts_at": None,
    }  # fmt: skip
    booking = Appointment.objects.create(
        store=store,
        number="AP-BJ01-261123-0001",
        customer=owner,
        vehicle=car,
        contact_name="孔来接",
        contact_phone="13700000008",
        starts_at=NOW + timedelta(days=1, hours=1),
        concern="保养",
        state="CONFIRMED",
    )
    page = client.get("/transports/new/", {"plate": car.plate})
    said = page.content.decode()
    assert f'value="{booking.uid}"' in said
    assert booking.number in said
    assert "取车时间（从）" in said
    assert 'value="孔来接"' in said
    assert 'value="13700000008"' in said
    assert 'value="2026-11-24T09:00"' in said
    assert 'value="2026-11-24T10:00"' in said


def test_the_pages_plan_fetch_and_call_off(store, by, driver):
    client = Client()
    client.force_login(driver.user)
    car = make_vehicle(owner_uid=make_customer().uid)
    assert "没有要取送的车" in client.get("/transports/").content.decode()
    asked = client.get("/transports/new/", {"plate": car.plate}).content.decode()
    assert f'value="{car.uid}"' in asked
    sent = {
        "vehicle": str(car.uid), "driver": str(driver.uid), "starts_at": "2026-11-23T10:00", "ends_at": "2026-11-23T09:00",
        "address": "示例路 1 号", "contact_name": "周试车", "contact_phone": "13800138000",
    }  # fmt: skip
    wrong = client.post("/transports/new/", sent)
    assert (wrong.status_code, Transport.objects.count()) == (422, 0)
    assert "示例路 1 号" in wrong.content.decode()
    assert client.post("/transports/new/", sent | {"ends_at": "2026-11-23T10:30"}).status_code == 302
    way = Transport.objects.get()
    page = f"/transports/{way.uid}/"
    assert f"{page}set-out/" in client.get(page).content.decode()
    client.post(f"{page}set-out/")
    answer = client.post(f"{page}take-over/", {"odometer_km": 900, "energy_eighths": 4, "need": "保养"})
    visit = Visit.objects.get()
    assert answer["Location"] == f"/visits/{visit.uid}/walkaround/"
    assert f"{page}arrived/" in client.get(page).content.decode()
    client.post(f"{page}arrived/")
    assert "已送达" in client.get("/transports/").content.decode()
    assert client.get(f"/transports/new/?visit={visit.uid}").status_code == 200
