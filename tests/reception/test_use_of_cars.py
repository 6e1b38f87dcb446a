"""How a car is used: asked at reception, noted with why, forgotten with the owner (3.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from reception.models import Vehicle
from reception.selectors.vehicles import use_to_ask
from reception.services.vehicles import change_owner, note_use
from tests.factories.api import ApiCaller
from tests.factories.reception import make_customer, make_vehicle, rule
from tests.factories.staff import actor_for, make_employee
from tests.factories.workshop import Shop, make_received_visit, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def fresh(vehicle: Vehicle) -> tuple[str, list[str], bool]:
    vehicle.refresh_from_db()
    return vehicle.use, vehicle.hard_uses, vehicle.use_noted_at is not None


def test_it_is_noted_with_why_and_by_whom(shop: Shop) -> None:
    vehicle = make_vehicle()
    assert fresh(vehicle) == ("UNKNOWN", [], False)
    assert use_to_ask(vehicle, store_id=shop.store.pk)
    note_use(uid=vehicle.uid, hard_uses=["DUST", "TAXI"], by=shop.advisor)
    assert fresh(vehicle) == ("HARD", ["TAXI", "DUST"], True)
    line = History.objects.get(code="reception.vehicle.use_noted", vehicle_uid=vehicle.uid)
    assert (line.actor_id, line.changed["use"]) == (shop.advisor.id, ["UNKNOWN", "HARD"])
    note_use(uid=vehicle.uid, hard_uses=[], by=shop.advisor)
    assert fresh(vehicle) == ("ORDINARY", [], True)
    assert not use_to_ask(vehicle, store_id=shop.store.pk)
    with clock.moved_to(clock.now() + timedelta(days=366)):
        assert use_to_ask(vehicle, store_id=shop.store.pk)


def test_what_isnt_known_or_allowed_changes_nothing(shop: Shop) -> None:
    vehicle = make_vehicle()
    with rule("vehicle.use"):
        note_use(uid=vehicle.uid, hard_uses=["RACING"], by=shop.advisor)
    with pytest.raises(NotAllowed):
        note_use(uid=vehicle.uid, hard_uses=[], by=actor_for(make_employee(shop.store, "technician")))
    assert fresh(vehicle) == ("UNKNOWN", [], False)
    assert not History.objects.filter(code="reception.vehicle.use_noted").exists()


@pytest.mark.parametrize(
    "words",
    [
        "use = 'HARD', hard_uses = '{}', use_noted_at = now()",
        "use = 'HARD', hard_uses = '{TAXI}', use_noted_at = NULL",
        "use = 'HARD', hard_uses = '{RACING}', use_noted_at = now()",
        "use = 'ORDINARY', hard_uses = '{TAXI}', use_noted_at = now()",
        "use = 'UNKNOWN', use_noted_at = now()",
        "use = 'OFTEN'",
    ],
)
def test_the_database_keeps_use_and_why_together(refused: Any, words: str) -> None:
    vehicle = make_vehicle()
    with refused("vehicle_use") as sql:
        sql(f"UPDATE reception_vehicle SET {words} WHERE id = %s", [vehicle.pk])
    assert fresh(vehicle) == ("UNKNOWN", [], False)


def test_a_new_owner_is_asked_anew(shop: Shop) -> None:
    vehicle = make_vehicle()
    today = clock.today(shop.store.time_zone)
    change_owner(uid=vehicle.uid, owner_uid=make_customer().uid, on=today - timedelta(days=90), by=shop.advisor)
    note_use(uid=vehicle.uid, hard_uses=["TAXI"], by=shop.advisor)
    change_owner(uid=vehicle.uid, owner_uid=make_customer(name="顾示例").uid, on=today, by=shop.advisor)
    assert fresh(vehicle) == ("UNKNOWN", [], False)
    assert History.objects.filter(code="reception.vehicle.use_noted", vehicle_uid=vehicle.uid).count() == 2


def test_it_is_asked_at_reception_and_answered_in_one_tap(client: Client, shop: Shop) -> None:
    visit = make_received_visit(shop)  # greeted and walked around
    client.force_login(shop.employee.user)
    page = reverse("visit-detail", args=[visit.uid])
    shown = client.get(page).content.decode()
    assert "请询问这辆车的使用情况" in shown
    address = reverse("vehicle-use", args=[visit.vehicle.uid])
    assert client.get(address).status_code == 200
    assert client.post(address, {"use": "HARD"}).status_code == 422
    answer = client.post(address, {"use": "ORDINARY", "next": page})
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert fresh(visit.vehicle) == ("ORDINARY", [], True)
    client.post(address, {"use": "HARD", "hard_uses": ["TAXI", "TOWING"]})
    assert "出租车、牵引或满载" in client.get(reverse("vehicle-detail", args=[visit.vehicle.uid])).content.decode()
    assert "请询问这辆车的使用情况" not in client.get(page).content.decode()


def test_other_systems_note_it(shop: Shop) -> None:
    vehicle = make_vehicle()
    caller = ApiCaller("reception:read", "reception:write", store=shop.store)
    said = caller.act(f"vehicles/{vehicle.uid}", "note-use", {"hard_uses": ["DELIVERY"]})
    assert said.status_code == 200, said.content
    assert (said.json()["use"], said.json()["hard_uses"]) == ("HARD", ["DELIVERY"])
    assert caller.act(f"vehicles/{vehicle.uid}", "note-use", {"hard_uses": ["RACING"]}).status_code in (400, 422)
