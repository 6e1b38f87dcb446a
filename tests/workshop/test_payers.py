"""Who is offered as payer of a new order and why (3.2), and who of the owner's people brought the car (2.1.2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.actors import Actor
from reception.models import Visit
from reception.services.contacts import add_contact
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, make_visit
from workshop.selectors.orders import payers_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Any:
    return make_store(code="BJ01")


@pytest.fixture
def desk(store: Any) -> Actor:
    return make_actor("receptionist", store=store)


def offered(visit: Visit, by: Actor) -> list[tuple[str, str]]:
    return [(row.name, str(why)) for row, why in payers_for(visit, by)]


def test_owner_bringer_and_payer_of_the_card_are_named_as_what_they_are(desk: Actor) -> None:
    owner = make_customer(name="杨例宁", phone="13700008299")
    car = make_vehicle(owner_uid=owner.uid)
    add_contact(customer_uid=owner.uid, name="杨付款", phone="13700000077", roles=["PAYER"], by=desk)
    make_customer(name="杨付款", phone="13700000077")
    make_customer(name="杨小弟", phone="13700000055")
    visit = make_visit(desk, plate=car.plate, contact_name="杨小弟", contact_phone="13700000055")
    assert visit.customer == owner
    assert sorted(offered(visit, desk)) == [("杨付款", "档案中的付款人"), ("杨例宁", "车主"), ("杨小弟", "送修人")]
    assert offered(visit, desk)[0] == ("杨例宁", "车主")


def test_an_owner_who_came_and_a_stranger_who_is_no_owner(desk: Actor) -> None:
    owner = make_customer(name="杨自来", phone="13700008299")
    own = make_visit(
        desk, plate=make_vehicle(owner_uid=owner.uid).plate, contact_name="杨自来", contact_phone="13700008299"
    )
    assert offered(own, desk) == [("杨自来", "车主 · 本人送修")]
    nobodys = make_vehicle()
    other = make_customer(name="钱送来", phone="13700001111")
    came = make_visit(
        desk, plate=nobodys.plate, customer_uid=other.uid, contact_name="钱送来", contact_phone="13700001111"
    )
    assert offered(came, desk)[0] == ("钱送来", "送修人")


def test_the_arrival_offers_the_owners_people_and_one_tap_fills_them_in(
    store: Any, desk: Actor, client: Client
) -> None:
    owner = make_customer(name="试运物流", kind="COMPANY", phone="13700009000")
    car = make_vehicle(owner_uid=owner.uid)
    driver = add_contact(customer_uid=owner.uid, name="赵司机", phone="13700009001", roles=["DRIVER"], by=desk)
    client.force_login(make_user("receptionist", store=store))
    page = client.get(reverse("visit-new"), {"plate": car.plate})
    shown = page.content.decode()
    assert [word in shown for word in ("赵司机", "…9001", f"contact={driver.uid}")] == [True, True, True]
    assert page.context["form"]["contact_name"].value() == "试运物流"
    chosen = client.get(reverse("visit-new"), {"plate": car.plate, "contact": str(driver.uid)})
    values = [chosen.context["form"][name].value() for name in ("contact_name", "contact_phone")]
    assert values == ["赵司机", "13700009001"]
    typed = {"plate": car.plate, "contact_name": "试运物流", "contact_phone": "13700009000", "need": "保养"}
    again = client.get(reverse("visit-known-car"), typed | {"contact": str(driver.uid)})
    values = [again.context["form"][name].value() for name in ("contact_name", "contact_phone", "need")]
    assert values == ["赵司机", "13700009001", "保养"], "what else was typed stays"
