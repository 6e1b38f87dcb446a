"""2.4: the plan on a screen on the wall: an address of its own, no log-in, no names of customers, nothing to press."""

from __future__ import annotations

import pytest
from django.test import Client

from dealership.catalogue.models import ReservationPurpose
from dealership.catalogue.services import plans
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from workshop.models import WallScreen
from workshop.services import screens


@pytest.fixture
def nine():
    with clock_at(9):
        yield


@pytest.mark.django_db
def test_whoever_has_the_address_sees_todays_plan_and_can_do_nothing(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person, "2", (10, 0))
    screen = screens.add_screen(name="车间大厅", by=floor.foreman)
    assert len(screen.key) == 43
    address = f"/wall/{screen.key}/"
    client = Client()
    page = client.get(address)
    text = page.content.decode()
    assert page.status_code == 200
    assert "2 号举升" in text
    assert order.vehicle.plate[2:] in text
    assert "<form" not in text
    assert "/plan/" not in text
    assert 'content="noindex"' in text
    for name in (order.visit.contact_name, order.visit.customer.name):
        assert name not in text
    assert client.get(f"{address}?seen={page.context['stamp']}").status_code == 204
    floor.give(make_agreed(floor, "BR-10")[1][0], person, "4", (14, 0))
    assert client.get(f"{address}?seen={page.context['stamp']}").status_code == 200
    assert "高试工" in client.get(f"{address}?rows=people").content.decode()
    assert client.post(address).status_code == 405
    foreign = make_floor()
    assert foreign.shop.store.name not in text


@pytest.mark.django_db
def test_a_booking_shows_its_plate_and_no_name(nine):
    floor = make_floor()
    screen = screens.add_screen(name="大厅", by=floor.foreman)
    plans.reserve_all(
        resource_uids=[floor.bays["2"].uid],
        starts_at=at(10),
        ends_at=at(12),
        purpose=ReservationPurpose.APPOINTMENT,
        subject_uid=None,
        note="张试驾",
        by=floor.foreman,
    )
    assert "张试驾" not in Client().get(f"/wall/{screen.key}/").content.decode()


@pytest.mark.django_db
def test_an_address_is_taken_back_and_shows_nothing_any_more(nine, refused):
    floor = make_floor()
    foreman = floor.hire("foreman", name="蒋试管")
    client = client_of(foreman)
    assert "No screen yet" in english(client, "/plan/screens/")
    assert client.post("/plan/screens/", {"name": "车间大厅"})["Location"] == "/plan/screens/"
    screen = WallScreen.objects.get()
    page = english(client, "/plan/screens/")
    assert f">http://testserver/wall/{screen.key}/</a>" in page, "the whole address, as it is typed on the screen"
    assert "Take the address back" in page
    assert f"/wall/{screen.key}/?rows=people" in page, "both ways to look at it are addresses to open"
    assert "<code>" not in page
    assert "needs a new address" in page, "what taking it back does is said before"
    client.post(f"/plan/screens/{screen.uid}/end/")
    assert Client().get(f"/wall/{screen.key}/").status_code == 404
    assert "No screen yet" in english(client, "/plan/screens/")
    codes = History.objects.filter(root_uid=screen.uid).order_by("id").values_list("code", flat=True)
    assert list(codes) == ["workshop.wall_screen.added", "workshop.wall_screen.ended"]
    with rule("screen.ended"):
        screens.end_screen(uid=screen.uid, by=floor.foreman)
    with rule("screen.name"):
        screens.add_screen(name=" ", by=floor.foreman)
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        screens.add_screen(name="x", by=actor(floor.technician()))
    for wrong in ("x", "a" * 43):
        assert Client().get(f"/wall/{wrong}/").status_code == 404
    with refused("wallscreen_key") as sql:
        sql(
            "INSERT INTO workshop_wallscreen (uid, version, created_at, updated_at, store_id, name, key, made_at)"
            " SELECT gen_random_uuid(), 1, now(), now(), store_id, name, 'short', now() FROM workshop_wallscreen"
        )
    with refused("wallscreen_fixed") as sql:
        sql("UPDATE workshop_wallscreen SET key = repeat('b', 43)")
