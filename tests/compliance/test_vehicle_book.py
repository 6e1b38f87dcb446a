"""3.3: the book of a car tells its next owner what was done to it, and nothing about the people before."""

from __future__ import annotations

import subprocess
from dataclasses import fields
from decimal import Decimal

import pytest
from django.db import models
from django.test import Client
from django.urls import reverse

from compliance.services.vehicle_books import read_book
from compliance.vehicle_book import Book, DoneWork, FittedPart, Stay, book_pdf
from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Message
from delivery.models import Handover, Payment, Settlement
from delivery.services.handovers import hand_over, issue_gate_pass, scan_out
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from reception.models import Vehicle, Visit, WalkAround
from reception.services.vehicles import change_owner, correct_vehicle
from tests.factories.api import ApiCaller
from tests.factories.delivery import CHECKED, make_ready, make_team, make_visit
from tests.factories.kernel import make_actor, make_store
from tests.factories.reception import make_customer, make_vehicle
from tests.factories.workshop import link_actor
from workshop.models import Authorization, Certificate, Inspection, OrderLine, RepairOrder

pytestmark = pytest.mark.django_db
BY_HAND = "按王前主电话 13712345678 的要求改线"


@pytest.fixture
def sold():
    """(first order, the new owner's visit): a car that was repaired, sold, given a new plate, and has come back."""
    team = make_team()
    order = make_ready(team, description=BY_HAND)
    bill = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=bill.uid, signed_name="李送修", by=team.advisor)
    take_payment(settlement_uid=bill.uid, method="CASH", amount=bill.total, by=team.cashier)
    out = {"checklist": CHECKED, "odometer_km": 50007, "received_by": "李送修"}
    hand_over(visit_uid=order.visit.uid, **out, by=team.advisor)
    code = issue_gate_pass(visit_uid=order.visit.uid, kind="DELIVERED", by=team.advisor).code
    scan_out(code=code, by=team.receptionist)
    outbox.drain()
    order.old_plate = order.vehicle.plate
    by = machine("t", store_id=order.store_id)
    buyer = make_customer(name="郑新主", phone="13600000002")
    change_owner(uid=order.vehicle.uid, owner_uid=buyer.uid, on=clock.today(), by=by)
    correct_vehicle(uid=order.vehicle.uid, plate="沪B77777", by=by)
    visit = make_visit(team, customer=buyer, vehicle=Vehicle.objects.get(pk=order.vehicle_id))
    order.visit.refresh_from_db()
    return order, visit


def words_of(order):
    """Every text that stands in the rows of a former owner's stay, codes and what the trade knows anyway apart."""
    rows = [
        order.visit.customer,
        *Visit.objects.filter(pk=order.visit_id),
        *RepairOrder.objects.filter(pk=order.pk),
        *OrderLine.objects.filter(order=order),
        *Authorization.objects.filter(order=order),
        *Inspection.objects.filter(order=order),
        *WalkAround.objects.filter(visit=order.visit),
        *Settlement.objects.filter(order=order),
        *Payment.objects.filter(settlement__order=order),
        *Handover.objects.filter(visit=order.visit),
        *Certificate.objects.filter(order=order),
        *Message.objects.filter(visit_uid=order.visit.uid),
    ]
    known = {order.vehicle.vin, order.visit.model_text, "zh-hans"}
    found = {order.old_plate, order.visit.link.token, order.advisor.name}
    for row in rows:
        for field in row._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField) and not field.choices:
                found.add(str(getattr(row, field.name)).strip())
    return {text for text in found if len(text) > 1} - known


def squeezed(text):
    """Without spaces, as a paper sets them between scripts."""
    return "".join(text.split())


def read_on_paper(made):
    return subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=made, capture_output=True, check=True
    ).stdout.decode()


def test_the_next_owner_reads_what_was_done_and_nothing_about_people(sold):
    order, visit = sold
    words = words_of(order)
    assert {order.visit.contact_name, order.visit.contact_phone, order.complaint, BY_HAND} <= words
    assert len(words) > 15
    phone = Client()
    door = phone.get(f"/v/{visit.link.token}/").content.decode()
    assert reverse("link-book", args=[visit.link.token]) in door
    page = phone.get(reverse("link-book", args=[visit.link.token])).content.decode()
    shown = page[page.index("<main") :]
    paper = read_on_paper(phone.get(reverse("link-book-pdf", args=[visit.link.token])).content)
    book = read_book(vehicle_uid=visit.vehicle.uid, by=link_actor_of(visit))
    (stay,) = book.stays
    assert (book.whole, stay.order_uid, stay.km_in, stay.km_out) == (True, None, 50000, 50007)
    assert [work.name for work in stay.works] == [str(OrderLine.objects.get(order=order).get_category_display())]
    for text in (squeezed(shown), squeezed(paper)):
        assert squeezed(order.store.name) in text
        assert visit.vehicle.vin in text
        leaked = {word for word in words if squeezed(word) in text}
        assert leaked == set()
    looks = History.objects.filter(code="compliance.vehicle.book_read", vehicle_uid=visit.vehicle.uid)
    assert [(row.actor_kind, row.facts["repairs"]) for row in looks] == [("LINK", 1)] * 3


def link_actor_of(visit):
    return link_actor(RepairOrder(visit=visit))


def test_a_stay_has_no_place_for_a_person():
    assert {f.name for kind in (Book, Stay, DoneWork, FittedPart) for f in fields(kind)} == {
        "vehicle", "stays", "whole", "day", "store", "km_in", "km_out", "works", "parts", "guarantee_days",
        "guarantee_km", "certified", "order_uid", "name", "category", "number", "kind", "quantity",
    }  # fmt: skip


def test_who_only_drives_the_car_reads_the_own_visits(sold):
    order, visit = sold
    other = make_customer(name="借车人", phone="13600000003")
    Visit.objects.filter(pk=visit.pk).update(customer=other)
    book = read_book(vehicle_uid=visit.vehicle.uid, by=link_actor_of(visit))
    assert (book.whole, book.stays) == (False, [])
    with pytest.raises(Vehicle.DoesNotExist):
        read_book(vehicle_uid=make_vehicle().uid, by=link_actor_of(visit))
    former = Client().get(reverse("link-book", args=[order.visit.link.token])).content.decode()
    assert BY_HAND in former, "the own words of the own stay"
    assert order.visit.contact_phone not in former[former.index("<main") :]


def test_colleagues_read_their_stores_and_are_written_down(sold, client):
    order, visit = sold
    advisor = make_actor("advisor", store=order.store)
    elsewhere = make_actor("advisor", store=make_store())
    assert len(read_book(vehicle_uid=visit.vehicle.uid, by=advisor).stays) == 1
    assert read_book(vehicle_uid=visit.vehicle.uid, by=elsewhere).stays == []
    with pytest.raises(NotAllowed):
        read_book(vehicle_uid=visit.vehicle.uid, by=make_actor("technician", store=order.store))
    client.force_login(advisor.user)
    car = client.get(reverse("vehicle-detail", args=[visit.vehicle.uid])).content.decode()
    assert reverse("vehicle-book", args=[visit.vehicle.uid]) in car
    page = client.get(reverse("vehicle-book", args=[visit.vehicle.uid])).content.decode()
    assert reverse("order-detail", args=[order.uid]) in page
    assert BY_HAND not in page
    assert client.get(reverse("vehicle-book-pdf", args=[visit.vehicle.uid])).content.startswith(b"%PDF-")
    who = History.objects.filter(code="compliance.vehicle.book_read", actor_id=str(advisor.user.uid))
    assert who.count() == 3


def test_other_systems_read_it(sold):
    order, visit = sold
    caller = ApiCaller("compliance:read", store=order.store)
    (row,) = caller.get(f"vehicle-book?vehicle_uid={visit.vehicle.uid}").json()["data"]
    assert (row["repair_order_uid"], row["odometer_in"], row["certified"]) == (str(order.uid), 50000, False)
    assert BY_HAND not in str(row)
    assert caller.get(f"vehicle-book?vehicle_uid={order.uid}").json()["data"] == []
    assert caller.get("vehicle-book").status_code == 400


def test_hostile_words_are_text_in_the_book(sold):
    """The paper sets names as they are written and reads nothing that they name."""
    order, _visit = sold
    words = '#panic("x") $ \\ ] #image("/etc/passwd") *_`'
    stay = Stay(
        clock.today(), words, 1, 2, [DoneWork(words, words)], [FittedPart(words, words, words, Decimal(1))], 10, 1, True
    )
    order.vehicle.model_text = words
    text = read_on_paper(book_pdf(Book(order.vehicle, [stay], True), store=words))
    assert text.count('#image("/etc/passwd")') >= 3
    assert "root:" not in text
