"""A plate is shown with its dot wherever people read it: pages, the kiosk, lists to choose from, messages, tags, toasts."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from dealership.kernel import outbox
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Message
from dealership.kernel.saying import say_plate
from tests.factories.delivery import make_ready, make_team
from tests.factories.floor import actor, clock_at, make_agreed, make_floor
from tests.factories.kernel import make_actor
from tests.factories.reception import make_vehicle
from tests.factories.workshop import make_shop
from tests.workshop.test_kiosk import Tablet, given
from tests.workshop.test_old_parts import keep
from tests.workshop.test_stock import keeper, part_line, receive
from tests.workshop.test_trials import lend
from tests.workshop.test_two_trips import leave, waiting
from workshop.services import clocking

SHOWN = re.compile(r"\{\{[^}]*\.plate\b[^}]*\}\}")
FINE = ("plate_text", "plate_class", "urlencode")


def test_no_page_shows_a_plate_as_it_is_kept() -> None:
    wrong = []
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        text = path.read_text()
        for found in SHOWN.finditer(text):
            before = text[: found.start()]
            # the components write the dot themselves; an address takes the plate as it is kept
            if not before.endswith(('plate="', "?plate=")) and not any(word in found.group() for word in FINE):
                wrong.append((path.name, found.group()))
    # a shift's name and a tool's number stand there
    assert wrong == [("figure.html", '{{ row.plate|said|default:"—" }}'), ("figure.html", "{{ row.plate }}")]


@pytest.mark.django_db
def test_a_car_is_said_with_its_dot() -> None:
    assert str(make_vehicle(plate="京AF30260")) == "京A·F30260"
    assert say_plate("使014578") == "使014578"


@pytest.mark.django_db
def test_kiosk_refusal_toast_message_and_choice() -> None:
    floor = make_floor()
    with clock_at(9):
        person, order, [line] = given(floor, "MT-10")
        shown = str(order.vehicle)
        assert "·" in shown
        tablet = Tablet(floor)
        assert shown in tablet.scan(person.number).content.decode()
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        assert shown in tablet.scan(person.number).content.decode()
        _other, [second] = make_agreed(floor, "EL-10")
        floor.give(second, person, "4", (13, 0))
        with pytest.raises(RuleError, match="·"):
            clocking.clock_on(line_uid=second.uid, by=actor(person))
    with clock_at(14):
        away, _line = waiting(floor, hour=14)
        gate_pass = leave(floor, away)
        client = Client()
        client.force_login(floor.hire("safety").user)
        toast = client.post(reverse("gate"), {"code": gate_pass.code}, follow=True).content.decode()
        assert re.search(rf"{away.vehicle}[^<]*(已回|回来|返|is back)", toast)
        outbox.drain()
        told = Message.objects.filter(visit_uid=away.visit.uid)
        assert not [row.body for row in told if away.vehicle.plate in row.body]


@pytest.mark.django_db
def test_trial_parts_and_old_part_tag() -> None:
    shop, team = make_shop(), make_team()
    row = part_line(shop)
    receive(shop, row.part, 2)
    lend(shop, row, Decimal(1))
    client = Client()
    client.force_login(keeper(shop).user)
    page = client.get(reverse("part-trials")).content.decode()
    assert page.count(str(row.line.order.vehicle)) >= 2  # in the list of what is out, and to choose from
    old = keep(make_ready(team))
    client.force_login(make_actor("parts", store=team.store).user)
    assert str(old.line.order.vehicle) in client.get(reverse("old-part-tag", args=[old.uid])).content.decode()
