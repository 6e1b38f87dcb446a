"""1.2: one person's customers, bookings, cars with their promises, plans, orders and complaints go to a colleague."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from quality.models import Complaint
from quality.services import complaints
from reception.models import Customer, Visit
from reception.services import visits
from reception.services.handing_over import name_contact
from staff.services import employees
from tests.factories.floor import actor, clock_at, make_agreed, make_floor
from tests.factories.reception import make_customer, make_received_visit
from tests.factories.staff import HIRED, SETUP, actor_for, make_actor, make_employee, make_store
from workshop.models import Dispatch, RepairOrder
from workshop.services import clocking

pytestmark = pytest.mark.django_db


def hand(giver, taker, by) -> int:
    return employees.hand_over_work(from_uid=giver.uid, to_uid=taker.uid, reason="调岗", by=by)


def changes(root, code: str) -> dict:
    return History.objects.get(root_uid=root.uid, code=code).changed


def test_an_advisors_customers_cars_and_promises_go_to_the_colleague():
    store = make_store()
    giver, taker = make_employee(store, "advisor", name="林试"), make_employee(store, "advisor", name="陈试")
    by = actor_for(giver)
    customer = name_contact(customer_uid=make_customer().uid, employee_uid=giver.uid, by=by)
    visit = make_received_visit(by)
    visits.give_key(uid=visit.uid, key_tag="A7", holder_uid=giver.uid, by=by)
    promised = clock.now() + timedelta(hours=3)
    visits.promise_visit(uid=visit.uid, promised_at=promised, reason="首次约定", by=by)
    other = make_received_visit(actor_for(taker), plate="京B22222")
    gone = make_received_visit(by, plate="京B33333")
    visits.end_consultation(uid=gone.uid, outcome="CONSULTED", by=by)

    assert hand(giver, taker, make_actor(store, "manager")) == 2

    visit.refresh_from_db()
    assert (visit.advisor, visit.key_holder, visit.promised_at) == (taker, taker, promised)
    both = [str(giver.uid), str(taker.uid)]
    assert changes(visit, "reception.visit.handed_over") == {"advisor": both, "key_holder": both}
    assert Customer.objects.get(pk=customer.pk).contact == taker
    line = History.objects.filter(root_uid=customer.uid, code="reception.customer.contact_named").latest("id")
    assert line.changed == {"contact": both}
    assert Visit.objects.get(pk=gone.pk).advisor == giver  # what is over keeps the old name
    assert not History.objects.filter(root_uid=other.uid, code="reception.visit.handed_over").exists()


def test_an_advisors_running_orders_go_along():
    with clock_at(9):
        floor = make_floor()
        order, _lines = make_agreed(floor, "BR-20")
        giver = order.advisor
        taker = make_employee(floor.shop.store, "advisor")
        employees.give_post(employee_uid=giver.uid, post_code="advisor", starts_on=HIRED, by=SETUP)
        hand(giver, taker, make_actor(floor.shop.store, "manager"))
        assert RepairOrder.objects.get(pk=order.pk).advisor == taker
        assert Visit.objects.get(pk=order.visit_id).advisor == taker


def test_a_technicians_plans_go_to_who_can_do_them_and_the_rest_back_to_the_foreman():
    with clock_at(9):
        floor = make_floor()
        giver, taker = floor.technician("甲试"), floor.technician("乙试", engine=4, chassis=4)
        _one, [easy] = make_agreed(floor, "BR-20")
        _two, [busy] = make_agreed(floor, "BR-20")
        _three, [theirs] = make_agreed(floor, "MT-10")
        first = floor.give(easy, giver, start=(10, 0))
        floor.give(busy, giver, start=(14, 0))
        floor.give(theirs, taker, bay="1", start=(14, 30))

        assert hand(giver, taker, make_actor(floor.shop.store, "manager")) == 2

        assert not Dispatch.objects.filter(technician=giver, live=True).exists()
        moved = Dispatch.objects.get(line=easy, live=True)
        assert (moved.technician, moved.bay, moved.starts_at, moved.ends_at) == (
            taker,
            first.bay,
            first.starts_at,
            first.ends_at,
        )
        loose = Dispatch.objects.get(line=busy)
        assert (loose.live, loose.ended_reason) == (False, "甲试交接工作。")


def test_who_is_clocked_on_keeps_the_line_at_hand():
    with clock_at(9):
        floor = make_floor()
        giver, taker = floor.technician("甲试"), floor.technician("乙试")
        _order, [line] = make_agreed(floor, "BR-20")
        floor.give(line, giver, start=(9, 0))
        clocking.clock_on(line_uid=line.uid, by=actor(giver))
        assert hand(giver, taker, make_actor(floor.shop.store, "manager")) == 0
        assert Dispatch.objects.get(line=line, live=True).technician == giver


def test_open_complaints_go_along_but_never_to_the_person_complained_about():
    store = make_store()
    giver, taker = make_employee(store, "care"), make_employee(store, "care")
    by = actor_for(giver)
    made = [
        complaints.open_complaint(
            customer_uid=make_customer().uid, description="等太久", source="PHONE", subject_uid=subject, by=by
        )
        for subject in (None, taker.uid)
    ]
    for complaint in made:
        complaints.respond_complaint(uid=complaint.uid, words="已致电", by=by)
    assert hand(giver, taker, make_actor(store, "manager")) == 2
    assert [Complaint.objects.get(pk=c.pk).handler for c in made] == [taker, None]
    assert changes(made[1], "quality.complaint.handed_over") == {"handler": [str(giver.uid), None]}


def test_a_contact_person_works_here_and_is_named_by_who_may():
    store = make_store()
    customer, advisor = make_customer(), make_employee(store, "advisor")
    by = actor_for(advisor)

    def refused(code: str, **given) -> None:
        before = History.objects.count()
        with pytest.raises(RuleError) as refusal:
            name_contact(customer_uid=customer.uid, by=by, **given)
        assert (refusal.value.code, History.objects.count()) == (code, before)

    refused("customer.contact_same", employee_uid=None)
    gone = make_employee(store, "advisor")
    employees.end_employment(
        employee_uid=gone.uid, left_on=clock.today() - timedelta(days=1), by=make_actor(store, "hr")
    )
    refused("customer.contact_left", employee_uid=gone.uid)
    with pytest.raises(ObjectDoesNotExist):
        name_contact(customer_uid=customer.uid, employee_uid=uuid4(), by=by)
    with pytest.raises(NotAllowed):
        name_contact(customer_uid=customer.uid, employee_uid=advisor.uid, by=make_actor(store, "cashier"))
    assert Customer.objects.get(pk=customer.pk).contact is None


def test_the_customers_card_names_the_contact_person(client: Client):
    store = make_store()
    advisor, customer = make_employee(store, "advisor", name="林试"), make_customer()
    client.force_login(advisor.user)
    page = reverse("customer-detail", args=[customer.uid])
    address = reverse("customer-contact", args=[customer.uid])
    answer = client.post(address, {"employee_uid": str(advisor.uid)})
    assert (answer.status_code, answer["Location"]) == (302, page + "#contact-person")
    assert "selected>林试</option>" in client.get(page).content.decode()
    assert client.post(address, {"employee_uid": str(uuid4())}).status_code == 422
    assert client.post(address, {"employee_uid": ""}).status_code == 302
    assert Customer.objects.get(pk=customer.pk).contact is None
