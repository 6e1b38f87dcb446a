"""3.1, 4.2: the owner of a car that is due by its plan is told once, care sees why and books in one tap, and a car that is
booked, here, or done needs no call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import History, Message
from dealership.kernel.services import set_setting
from delivery.models import DateReminder
from delivery.selectors import service_reminders as reads
from delivery.selectors.service_reminders import service_due
from delivery.services.service_reminders import end_met_reminder, remind_due_services, remind_of_service
from delivery.tasks import remind_services
from reception.models import Appointment, Ownership, Visit
from reception.services.customers import record_consent
from tests.factories.departed import make_departed
from tests.factories.floor import DAY, at

pytestmark = pytest.mark.django_db
LATER = DAY + timedelta(days=400)
"""Over a year after the small service, which is due every twelve months."""


@pytest.fixture
def owner():
    """(care agent, store, car, its owner, the system): the car left 400 days ago; it is ten o'clock."""
    house, order = make_departed()
    care = house.floor.hire("care", name="林试访")
    customer = Ownership.objects.get(vehicle=order.vehicle, ends_on__isnull=True).customer
    by = machine("test", store_id=order.store_id)
    with clock.moved_to(at(10, day=LATER)):
        yield care, order.store, order.vehicle, customer, by


def agree(customer, by, given=True):
    record_consent(customer_uid=customer.uid, purpose="MARKETING", given=given, channel="PHONE", by=by)


def booked(vehicle, customer, store):
    return Appointment.objects.create(
        store=store,
        number="AP-TEST-1",
        customer=customer,
        vehicle=vehicle,
        contact_name=customer.name,
        contact_phone="13900000001",
        starts_at=clock.now() + timedelta(days=2),
        concern="保养",
    )


def test_an_owner_is_told_once_with_consent_and_care_sees_why(owner, client):
    care, store, vehicle, customer, by = owner
    assert "MT-10" in {row.operation.code for row in service_due(vehicle, store_id=store.pk)}
    assert remind_due_services() == 0  # nobody agreed to offers
    agree(customer, by)
    assert (remind_services(), remind_due_services()) == (1, 0)
    assert remind_of_service(vehicle_uid=vehicle.uid, store=store, by=by) is None
    reminder = DateReminder.objects.get()
    assert (reminder.kind, reminder.state, reminder.store) == ("SERVICE", "OPEN", store)
    assert reminder.due_on < clock.today()
    message = Message.objects.get(template="date_reminder")
    assert "小保养" in message.body
    assert History.objects.filter(code="delivery.date_reminder.sent", root_uid=reminder.uid).count() == 1
    client.force_login(care.user)
    book = f"{reverse('appointment-new')}?vehicle={vehicle.uid}"
    assert book in client.get(reverse("date-reminder-list")).content.decode()
    page = client.get(reverse("date-reminder", args=[reminder.uid])).content.decode()
    assert book in page
    assert "每 10,000 公里" in page


@pytest.mark.parametrize("kept", ["booked", "here", "withdrawn", "hour", "nothing due"])
def test_nobody_is_told_without_a_reason(owner, kept):
    _care, store, vehicle, customer, by = owner
    agree(customer, by)
    if kept == "booked":
        booked(vehicle, customer, store)
    elif kept == "here":
        Visit.objects.create(
            store=store,
            number="V-TEST-9",
            customer=customer,
            vehicle=vehicle,
            contact_name="李送修",
            contact_phone="13900000001",
            model_text=vehicle.model_text,
            need="保养",
        )
    elif kept == "withdrawn":
        agree(customer, by, given=False)
    day = DAY + timedelta(days=60) if kept == "nothing due" else LATER
    with clock.moved_to(at(11 if kept == "hour" else 10, day=day)):
        assert remind_due_services() == 0
        if kept != "hour":
            assert remind_of_service(vehicle_uid=vehicle.uid, store=store, by=by) is None
    assert not DateReminder.objects.exists()


def test_the_settings_decide(owner):
    _care, _store, _vehicle, customer, by = owner
    agree(customer, by)
    on = {"starts_on": DAY, "by": by}
    set_setting(key="delivery.maintenance_reminder_hour", value=9, **on)
    assert remind_due_services() == 0
    set_setting(key="delivery.maintenance_reminder_hour", value=10, **on | {"starts_on": DAY + timedelta(days=1)})
    set_setting(key="delivery.maintenance_reminder_after_visit_days", value=500, **on)
    assert remind_due_services() == 0  # the car was here 400 days ago
    set_setting(
        key="delivery.maintenance_reminder_after_visit_days", value=30, **on | {"starts_on": DAY + timedelta(days=1)}
    )
    assert remind_due_services() == 1
    first = DateReminder.objects.get()
    end_met_reminder(uid=first.uid, by=by)
    first.refresh_from_db()
    assert (first.state, end_met_reminder(uid=first.uid, by=by).closed_at) == ("WITH_US", first.closed_at)
    set_setting(key="delivery.maintenance_reminder_again_days", value=20, **on)
    for days, told in ((19, 0), (21, 1)):
        with clock.moved_to(at(10, day=LATER + timedelta(days=days))):
            assert remind_due_services() == told, days
    assert DateReminder.objects.get(state="OPEN").due_on == LATER + timedelta(days=21)  # told of its own day before
    DateReminder.objects.filter(state="OPEN").update(state="NOT_WANTED", closed_at=clock.now())
    with clock.moved_to(at(10, day=LATER + timedelta(days=200))):
        assert remind_due_services() == 0  # not before the car has been here


def test_a_booking_or_the_work_done_here_ends_it(owner, monkeypatch):
    _care, store, vehicle, customer, by = owner
    agree(customer, by)
    remind_due_services()
    made = booked(vehicle, customer, store)
    assert remind_due_services() == 0
    reminder = DateReminder.objects.get()
    assert (reminder.state, reminder.closed_at) == ("WITH_US", clock.now())
    made.delete()
    second = DateReminder.objects.create(
        store=store, vehicle=vehicle, customer=customer, kind="SERVICE", due_on=clock.today()
    )
    remind_due_services()
    second.refresh_from_db()
    assert second.state == "OPEN"  # still due, and nobody came
    with clock.moved_to(at(15, day=LATER)):
        Visit.objects.filter(vehicle=vehicle).update(left_at=clock.now())
        remind_due_services()
        second.refresh_from_db()
        assert second.state == "OPEN"  # was here, but the work wasn't done
        monkeypatch.setattr(reads, "service_due", lambda *_a, **_k: [])  # as after the work
        remind_due_services()
    second.refresh_from_db()
    assert second.state == "WITH_US"
