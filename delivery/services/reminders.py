"""Reminders that a car's insurance or inspection ends: once per car, kind and day (4.2).

Lock order: customer, vehicle.
"""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, saying
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.states import require
from delivery import events, permissions
from delivery.models import DATE_REMINDER_MOVES, DateKind, DateReminder, DateReminderState
from delivery.selectors.reminders import Due, dates_due, due_dates
from reception.models import Consent, ConsentPurpose, Customer, Ownership, Vehicle
from reception.services import telling


@transaction.atomic
def remind_of_dates(*, vehicle_uid: UUID, store: Store, by: Actor) -> list[DateReminder]:
    """4.2: the owner of a car is told what of it ends within the set days and wasn't told of yet; [] where nothing is.

    The owner's consent to offers and news stands before it: without it nothing is written. The message goes by the
    owner's channel, in the own language, and waits for the end of the owner's quiet hours.
    """
    owner = Ownership.objects.filter(vehicle__uid=vehicle_uid, ends_on__isnull=True).order_by("pk").first()
    if owner is None:
        return []
    customer = Customer.objects.locked().get(pk=owner.customer_id)
    vehicle = Vehicle.objects.locked().get(uid=vehicle_uid)
    decided = Consent.objects.filter(customer=customer, purpose=ConsentPurpose.MARKETING).order_by("-at", "-id").first()
    if decided is None or not decided.given:
        return []
    today = clock.now().astimezone(ZoneInfo(store.time_zone)).date()
    made = []
    for due in due_dates(vehicle, store_id=store.pk, today=today):
        if DateReminder.objects.filter(vehicle=vehicle, kind=due.kind, due_on=due.on).exists():
            continue
        reminder = DateReminder.objects.create(
            store=store, vehicle=vehicle, customer=customer, kind=due.kind, due_on=due.on
        )
        _tell(reminder, due, by)
        record(reminder, events.DATE_REMINDED, by=by, kind=due.kind, due_on=due.on)
        made.append(reminder)
    return made


def _tell(reminder: DateReminder, due: Due, by: Actor) -> None:
    store, customer = reminder.store, reminder.customer
    with translation.override(customer.language):
        words = {
            "store": store.name,
            "car": str(reminder.vehicle),
            "day": saying.say_date(due.on, today=clock.today(store.time_zone)),
            "phone": store.phone,
        }
        if due.kind == DateKind.INSURANCE:
            subject = gettext("The insurance of your car ends soon")
            body = gettext(
                "%(store)s: the insurance of your car %(car)s ends on %(day)s. We help you to renew it: %(phone)s."
            )
        elif due.kind == DateKind.INSPECTION:
            subject = gettext("The inspection of your car is due")
            body = gettext(
                "%(store)s: the annual inspection of your car %(car)s is due by %(day)s. We take it there: %(phone)s."
            )
        else:
            subject = gettext("Your car needs a new inspection sticker")
            body = gettext(
                "%(store)s: your car %(car)s needs its new inspection sticker by %(day)s. We help you: %(phone)s."
            )
        leave = gettext("No more such messages? Tell us; it changes nothing in the service.")
        telling.tell(
            customer,
            store=store,
            key=f"date:{reminder.vehicle.uid}:{due.kind}:{due.on}",
            template="date_reminder",
            subject=subject,
            body=f"{body} {leave}" % words,
            by=by,
        )


def remind_due_dates() -> int:
    """Reminds of everything that is due now, safe to run twice; returns how many were told."""
    told = 0
    stores = {store.pk: store for store in Store.objects.all()}
    for vehicle_uid, store_id in list(dates_due()):
        by = machine("reminders", store_id=store_id)
        told += len(remind_of_dates(vehicle_uid=vehicle_uid, store=stores[store_id], by=by))
    return told


@transaction.atomic
def close_date_reminder(*, uid: UUID, result: str, by: Actor) -> DateReminder:
    """4.2: customer care has asked; ``result`` is one of the ends of ``DateReminderState``.

    Raises RuleError ``date_reminder.closed`` and ``date_reminder.result``.
    """
    by.require(permissions.FOLLOW_UPS_CALL)
    reminder = DateReminder.objects.for_actor(by).locked().get(uid=uid)
    if reminder.state != DateReminderState.OPEN:
        raise RuleError("date_reminder.closed", _("What came of this reminder is written down already."))
    if result not in DateReminderState.values or result == DateReminderState.OPEN:
        raise RuleError("date_reminder.result", _("Choose what came of it."), field="result")
    require(DATE_REMINDER_MOVES, DateReminderState(reminder.state), DateReminderState(result))
    before, reminder.state, reminder.closed_at = reminder.state, result, clock.now()
    reminder.save(update_fields=["state", "closed_at"])
    record(reminder, events.DATE_REMINDER_CLOSED, by=by, changed={"state": (before, result)})
    return reminder
