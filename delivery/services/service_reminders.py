"""Reminders that a car is due for maintenance by its plan and its own history (3.1, 4.2): written to once, then called.

Lock order: customer, vehicle, reminder.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from dealership.kernel import clock, saying
from dealership.kernel.actors import Actor, machine
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.states import require
from delivery import events
from delivery.models import DATE_REMINDER_MOVES, DateKind, DateReminder, DateReminderState
from delivery.selectors.service_reminders import due_day, may_be_reminded, service_due, services_due, services_met
from reception.models import Customer, Ownership, Vehicle
from reception.services import telling


@transaction.atomic
def remind_of_service(*, vehicle_uid: UUID, store: Store, by: Actor) -> DateReminder | None:
    """3.1: the owner of a car is told what its plan asks for, and customer care is to ask; None where there is no reason.

    Nobody is told who didn't agree to offers, whose car is here or booked, was here in the last days, or who was told in
    the last days. The message goes by the owner's channel, in the own language, after the owner's quiet hours.
    """
    owner = Ownership.objects.filter(vehicle__uid=vehicle_uid, ends_on__isnull=True).order_by("pk").first()
    if owner is None:
        return None
    customer = Customer.objects.locked().get(pk=owner.customer_id)
    vehicle = Vehicle.objects.locked().get(uid=vehicle_uid)
    today = clock.today(store.time_zone)
    if not may_be_reminded(Vehicle.objects.filter(pk=vehicle.pk), store=store).exists():
        return None
    rows = service_due(vehicle, store_id=store.pk)
    if not rows:
        return None
    due_on = due_day(rows, today=today)
    if DateReminder.objects.filter(vehicle=vehicle, kind=DateKind.SERVICE, due_on=due_on).exists():
        due_on = today  # told of this day before, long enough ago, and still not done
    reminder = DateReminder.objects.create(
        store=store, vehicle=vehicle, customer=customer, kind=DateKind.SERVICE, due_on=due_on
    )
    with translation.override(customer.language):
        words = {
            "store": store.name,
            "car": str(vehicle),
            "work": gettext(", ").join(str(row.operation.said) for row in rows[:3]),
            "day": saying.say_date(due_on, today=today),
            "phone": store.phone,
        }
        body = (
            gettext("%(store)s: your car %(car)s is due for %(work)s since %(day)s. Book a time: %(phone)s.")
            if due_on < today
            else gettext("%(store)s: your car %(car)s is due for %(work)s about %(day)s. Book a time: %(phone)s.")
        )
        leave = gettext("No more such messages? Tell us; it changes nothing in the service.")
        telling.tell(
            customer,
            store=store,
            key=f"date:{vehicle.uid}:{DateKind.SERVICE}:{due_on}",
            template="date_reminder",
            subject=gettext("Your car is due for maintenance"),
            body=f"{body % words} {leave}",
            by=by,
        )
    record(reminder, events.DATE_REMINDED, by=by, kind=DateKind.SERVICE, due_on=due_on)
    return reminder


@transaction.atomic
def end_met_reminder(*, uid: UUID, by: Actor) -> DateReminder:
    """The car is booked or has been here since: nobody has to call. One that is closed already stays as it is."""
    reminder = DateReminder.objects.for_actor(by).locked().get(uid=uid)
    if reminder.state != DateReminderState.OPEN:
        return reminder
    require(DATE_REMINDER_MOVES, DateReminderState(reminder.state), DateReminderState.WITH_US)
    before, reminder.state, reminder.closed_at = reminder.state, DateReminderState.WITH_US, clock.now()
    reminder.save(update_fields=["state", "closed_at"])
    record(reminder, events.DATE_REMINDER_CLOSED, by=by, changed={"state": (before, reminder.state)})
    return reminder


def remind_due_services() -> int:
    """Closes what is met and reminds of what is due now, safe to run twice; returns how many were told."""
    for uid, store_id in list(services_met()):
        end_met_reminder(uid=uid, by=machine("reminders", store_id=store_id))
    stores = {store.pk: store for store in Store.objects.all()}
    told = 0
    for vehicle_uid, store_id in list(services_due()):
        by = machine("reminders", store_id=store_id)
        told += remind_of_service(vehicle_uid=vehicle_uid, store=stores[store_id], by=by) is not None
    return told
