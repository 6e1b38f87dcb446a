"""2.1.2: an arrival, from the command to the page; what is refused writes nothing. The pattern for every command."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from reception.models import Customer, Vehicle, Visit, VisitState
from reception.services.visits import greet_visit, register_arrival
from tests.factories import staff
from tests.factories.kernel import make_actor, make_store, make_user

ARRIVAL = {
    "plate": "沪A·12345",
    "contact_name": "周敏",
    "contact_phone": "138 0013 8000",
    "model_text": "途安 1.4T",
    "need": "5 万公里保养",
}


def counts() -> tuple[int, ...]:
    return (Visit.objects.count(), Vehicle.objects.count(), Customer.objects.count(), History.objects.count())


@pytest.mark.django_db
def test_an_unknown_car_is_registered_with_its_customer_and_one_line_of_history_each():
    store = make_store("BJ01")
    with clock.moved_to(datetime(2026, 11, 23, 2, 42, tzinfo=UTC)):
        visit = register_arrival(**ARRIVAL, by=make_actor("receptionist", store=store))
    assert visit.number == "V-BJ01-261123-0001"
    assert visit.state == VisitState.WAITING
    assert visit.arrived_at == datetime(2026, 11, 23, 2, 42, tzinfo=UTC)
    assert (visit.vehicle.plate, visit.contact_phone, visit.customer.phone) == (
        "沪A12345",
        "13800138000",
        "13800138000",
    )
    assert visit.vehicle.ownerships.get().customer == visit.customer
    assert visit.link.token
    line = History.objects.get(code="reception.visit.arrived")
    assert (line.root_uid, line.visit_uid, line.vehicle_uid, line.customer_uid, line.store_id) == (
        visit.uid,
        visit.uid,
        visit.vehicle.uid,
        visit.customer.uid,
        store.pk,
    )
    assert line.changed == {"state": [None, "WAITING"]}
    assert line.facts == {"booked": False, "waiting_mode": "WAIT_AT_DEALER"}


@pytest.mark.django_db
def test_a_known_car_brings_its_owner_and_makes_no_second_one():
    by = make_actor("receptionist", store=make_store())
    first = register_arrival(**ARRIVAL, by=by)
    Visit.objects.filter(pk=first.pk).update(state=VisitState.LEFT_UNSERVED, ended_note="x")
    second = register_arrival(**ARRIVAL | {"plate": "沪a 12345", "contact_name": "别人"}, by=by)
    assert (second.vehicle_id, second.customer_id) == (first.vehicle_id, first.customer_id)
    assert second.contact_name == "别人"
    assert counts()[1:3] == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["contact_name", "contact_phone", "model_text", "need"])
def test_each_mandatory_field_is_named_and_nothing_is_written(field):
    by = make_actor("receptionist", store=make_store())
    before = counts()
    with pytest.raises(RuleError) as refusal:
        register_arrival(**ARRIVAL | {field: "   "}, by=by)
    assert (refusal.value.code, refusal.value.field) == ("visit.mandatory", field)
    assert counts() == before


@pytest.mark.django_db
def test_a_car_that_is_here_cannot_arrive_again():
    by = make_actor("receptionist", store=make_store())
    register_arrival(**ARRIVAL, by=by)
    before = counts()
    with pytest.raises(RuleError) as refusal:
        register_arrival(**ARRIVAL, by=by)
    assert refusal.value.code == "visit.open"
    assert counts() == before


@pytest.mark.django_db
def test_who_may_not_receive_is_refused():
    by = make_actor("technician", store=make_store())
    with pytest.raises(NotAllowed, match=r"reception\.visits\.receive"):
        register_arrival(**ARRIVAL, by=by)
    assert counts()[0] == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("visit_mandatory_fields", "need = ''"),
        ("visit_mandatory_fields", "contact_name = ''"),
        ("visit_moves", "state = 'DEPARTED'"),
        ("visit_greeted_before_reception", "state = 'IN_RECEPTION'"),
    ],
)
def test_the_database_refuses_what_the_clause_forbids(refused, rule, change):
    visit = register_arrival(**ARRIVAL, by=make_actor("receptionist", store=make_store()))
    before = Visit.objects.filter(pk=visit.pk).values().get()
    with refused(rule) as sql:
        sql(f"UPDATE reception_visit SET {change} WHERE id = %s", [visit.pk])
    assert Visit.objects.filter(pk=visit.pk).values().get() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_desks_registering_one_car_at_once_one_wins_and_one_is_told():
    store = make_store()
    actors = [make_actor("receptionist", store=store) for _ in range(2)]
    register_arrival(**ARRIVAL, by=actors[0])
    Visit.objects.update(state=VisitState.LEFT_UNSERVED, ended_note="x")
    barrier, outcomes = threading.Barrier(2), []

    def arrive(by):
        try:
            barrier.wait()
            outcomes.append(register_arrival(**ARRIVAL, by=by).state)
        except RuleError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=arrive, args=[by]) for by in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["WAITING", "visit.open"]
    assert Visit.objects.filter(state=VisitState.WAITING).count() == 1


@pytest.mark.django_db
def test_the_page_registers_once_for_one_form_and_keeps_what_was_typed_when_it_refuses():
    store = make_store()
    client = Client()
    client.force_login(make_user("receptionist", store=store))
    form = ARRIVAL | {"plate_kind": "NORMAL", "waiting_mode": "LEAVE", "form_token": str(uuid4())}
    refused = client.post("/visits/new/", form | {"contact_phone": "12"})
    assert refused.status_code == 422
    assert "5 万公里保养" in refused.content.decode()
    assert counts()[0] == 0
    first, second = client.post("/visits/new/", form), client.post("/visits/new/", form)
    visit = Visit.objects.get()
    assert first.url == second.url == f"/visits/{visit.uid}/"


@pytest.mark.django_db
def test_a_late_entry_shows_both_times():
    store = make_store()
    client = Client()
    client.force_login(make_user("receptionist", store=store))
    stated = clock.now().astimezone().replace(microsecond=0)
    form = ARRIVAL | {
        "plate_kind": "NORMAL",
        "waiting_mode": "LEAVE",
        "happened_at": stated.isoformat(),
        "happened_reason": "停电",
    }
    assert client.post("/visits/new/", form).status_code == 302
    line = History.objects.get(code="reception.visit.arrived")
    assert line.at == stated
    assert line.written_at > line.at
    assert line.late_reason == "停电"


@pytest.mark.django_db
def test_every_step_of_reception_can_be_entered_late():
    """1.1: arrival, walk-around, evening count and leaving without service carry the hour and the reason."""
    employee = staff.make_employee(staff.make_store(), "receptionist", "advisor")
    client = Client()
    client.force_login(employee.user)
    by = staff.actor_for(employee)
    with clock.moved_to(datetime(2026, 11, 23, 2, 0, tzinfo=UTC)):
        visit = register_arrival(**ARRIVAL, by=by)
    with clock.moved_to(datetime(2026, 11, 23, 4, 0, tzinfo=UTC)):
        leaving = f"/visits/{visit.uid}/left/"
        for address in ("/visits/new/", "/evening-count/", leaving):
            page = client.get(address).content.decode()
            assert ('name="happened_at"' in page, 'name="happened_reason"' in page) == (True, True), address
        stated = {"happened_at": "2026-11-23T11:15", "happened_reason": "停电"}
        assert client.post(leaving, {"reason": "不等了"} | stated).status_code == 302
        greeted = greet_visit(uid=register_arrival(**ARRIVAL | {"plate": "沪A·12346"}, by=by).uid, by=by)
        walk = f"/visits/{greeted.uid}/walkaround/"
        assert 'name="happened_at"' in client.get(f"{walk}?step=sign").content.decode()
        assert 'name="happened_at"' not in client.get(walk).content.decode(), "it saves by itself with each change"
    line = History.objects.get(root_uid=visit.uid, code="reception.visit.left_unserved")
    assert (line.at, line.late_reason) == (datetime(2026, 11, 23, 3, 15, tzinfo=UTC), "停电")
