"""4.2: owners are told once that insurance or inspection ends, only with their consent to offers, and care asks afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, Message
from dealership.kernel.services import set_setting
from delivery.models import DateReminder
from delivery.services.reminders import close_date_reminder, remind_due_dates, remind_of_dates
from delivery.tasks import remind_dates
from reception.models import Ownership
from reception.services.customers import correct_customer, record_consent
from reception.services.vehicles import correct_vehicle
from tests.factories.api import ApiCaller
from tests.factories.departed import make_departed
from tests.factories.floor import DAY, actor, at
from tests.factories.staff import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    """(care agent, store, car, its owner) of a car that left; 9:00 of the day after, insurance ends in 20 days."""
    house, order = make_departed()
    care = house.floor.hire("care", name="林试访")
    vehicle = order.vehicle
    customer = Ownership.objects.get(vehicle=vehicle, ends_on__isnull=True).customer
    with clock.moved_to(at(9, day=DAY + timedelta(days=1))):
        correct_vehicle(uid=vehicle.uid, insured_until=clock.today() + timedelta(days=20), by=actor(care))
        yield care, order.store, vehicle, customer


def agree(customer, by, given=True):
    record_consent(customer_uid=customer.uid, purpose="MARKETING", given=given, channel="PHONE", by=by)


def test_an_owner_is_told_once_a_day_of_ending_and_not_without_consent(owner, refused):
    _care, store, vehicle, customer = owner
    by = machine("test", store_id=store.pk)
    assert remind_due_dates() == 0
    with refused("datereminder_consent") as sql:
        sql(
            "INSERT INTO delivery_datereminder (uid, version, created_at, updated_at, store_id, vehicle_id, customer_id,"
            " kind, due_on, state, told_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'INSURANCE', now(),"
            " 'OPEN', now())",
            [store.pk, vehicle.pk, customer.pk],
        )
    agree(customer, by)
    assert (remind_dates(), remind_due_dates()) == (1, 0)
    [message] = Message.objects.filter(template="date_reminder")
    assert "京" in message.body
    assert "保险" in message.body
    [reminder] = DateReminder.objects.all()
    assert (reminder.kind, reminder.due_on) == ("INSURANCE", clock.today() + timedelta(days=20))
    assert History.objects.filter(code="delivery.date_reminder.sent", root_uid=reminder.uid).count() == 1
    with refused("datereminder_once") as sql:
        sql(
            "INSERT INTO delivery_datereminder (uid, version, created_at, updated_at, store_id, vehicle_id, customer_id,"
            " kind, due_on, state, told_at) SELECT gen_random_uuid(), 1, now(), now(), store_id, vehicle_id, customer_id,"
            " kind, due_on, 'OPEN', now() FROM delivery_datereminder"
        )
    correct_vehicle(uid=vehicle.uid, insured_until=clock.today() + timedelta(days=25), by=by)
    agree(customer, by, given=False)
    assert remind_of_dates(vehicle_uid=vehicle.uid, store=store, by=by) == []
    assert remind_due_dates() == 0


def test_days_before_quiet_hours_channel_and_the_rule_of_inspections_decide(owner):
    _care, store, vehicle, customer = owner
    by = machine("test", store_id=store.pk)
    agree(customer, by)
    today = clock.today()
    set_setting(key="delivery.insurance_reminder_days", value=10, starts_on=today, by=by)
    assert remind_due_dates() == 0  # 20 days ahead
    correct_vehicle(uid=vehicle.uid, registered_on=today.replace(year=today.year - 6), by=by)
    correct_customer(uid=customer.uid, channel="WECHAT", quiet_from="08:00", quiet_to="10:00", by=by)
    with clock.moved_to(at(22, day=today)):
        assert remind_due_dates() == 0  # the store's quiet hours
    assert remind_due_dates() == 1  # the sixth year: looked at until the end of the month
    message = Message.objects.get(template="date_reminder")
    assert (message.channel, message.not_before) == ("WECHAT", at(10, day=today))
    assert DateReminder.objects.get().kind == "INSPECTION"
    set_setting(key="delivery.inspection_reminder_days", value=1, starts_on=today, by=by)
    DateReminder.objects.all().delete()
    assert remind_due_dates() == 0


def test_care_asks_and_writes_down_what_came_of_it(owner, client):
    care, store, vehicle, customer = owner
    agree(customer, machine("test", store_id=store.pk))
    remind_due_dates()
    reminder = DateReminder.objects.get()
    client.force_login(care.user)
    assert vehicle.plate[2:] in client.get(reverse("date-reminder-list")).content.decode().replace("·", "")
    page = reverse("date-reminder", args=[reminder.uid])
    assert customer.phone in client.get(page).content.decode()
    assert client.post(page, {"result": "OPEN"}).status_code == 422
    api = ApiCaller("delivery:write", store=store, acts_for=care.user)
    assert api.act(f"date-reminders/{reminder.uid}", "close", {"result": "WITH_US"}).status_code == 200
    reminder.refresh_from_db()
    assert (reminder.state, reminder.closed_at) == ("WITH_US", clock.now())
    bystander = make_actor(store, "technician")
    lines = History.objects.count()
    with pytest.raises(RuleError) as refusal:
        close_date_reminder(uid=reminder.uid, result="ELSEWHERE", by=actor(care))
    assert refusal.value.code == "date_reminder.closed"
    with pytest.raises(NotAllowed):
        close_date_reminder(uid=reminder.uid, result="ELSEWHERE", by=bystander)
    assert History.objects.count() == lines
