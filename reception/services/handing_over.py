"""What of chapter 2 changes hands when one person's work goes to a colleague (1.2): customers, visits with their promises."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from reception import events, permissions
from reception.models import OPEN_VISITS, Customer, Visit
from staff.models import Employee
from staff.selectors.employees import employed


@transaction.atomic
def name_contact(*, customer_uid: UUID, by: Actor, employee_uid: UUID | None = None) -> Customer:
    """1.2: the person whom a customer knows and asks for; None takes the name away.

    Raises RuleError ``customer.contact_left`` for somebody who no longer works here, ``customer.contact_same`` where
    nothing changes.
    """
    by.require(permissions.CUSTOMERS_EDIT)
    customer = Customer.objects.for_actor(by).locked().select_related("contact").standing(customer_uid)
    wanted = Employee.objects.for_actor(by).get(uid=employee_uid) if employee_uid else None
    if wanted is not None and not Employee.objects.filter(employed(clock.today()), pk=wanted.pk).exists():
        raise RuleError(
            "customer.contact_left",
            _("%(name)s doesn't work here; choose a colleague who does."),
            field="employee_uid",
            name=wanted.name,
        )
    if customer.contact_id == (wanted.pk if wanted else None):
        raise RuleError("customer.contact_same", _("This is the contact person already."), field="employee_uid")
    before, customer.contact = customer.contact, wanted
    customer.save(update_fields=["contact"])
    _note(customer, before, wanted, by)
    return customer


def hand_over_customers(giver: Employee, taker: Employee, by: Actor) -> int:
    """The customers who ask for ``giver`` get ``taker`` as their contact; returns how many."""
    rows = Customer.objects.for_actor(by).unmerged().filter(contact=giver).locked().order_by("pk")
    for customer in rows:
        customer.contact = taker
        customer.save(update_fields=["contact"])
        _note(customer, giver, taker, by)
    return len(rows)


def _note(customer: Customer, before: Employee | None, after: Employee | None, by: Actor) -> None:
    record(
        customer,
        events.CONTACT_NAMED,
        by=by,
        changed={"contact": (before.uid if before else None, after.uid if after else None)},
    )


def hand_over_visits(giver: Employee, taker: Employee, by: Actor) -> int:
    """The cars in the shop that ``giver`` looks after go to ``taker`` with what was promised; keys in hand as well.

    Returns how many visits changed hands.
    """
    rows = (
        Visit.objects.for_actor(by)
        .filter(state__in=OPEN_VISITS)
        .filter(advisor=giver)
        .select_related("customer", "vehicle", "key_holder")
        .locked()
        .order_by("pk")
    )
    for visit in rows:
        changed = {"advisor": (giver.uid, taker.uid)}
        visit.advisor = taker
        if visit.key_holder_id == giver.pk:
            visit.key_holder = taker
            changed["key_holder"] = (giver.uid, taker.uid)
        visit.save(update_fields=["advisor", "key_holder"])
        record(visit, events.VISIT_HANDED_OVER, by=by, changed=changed, promised_at=visit.promised_at)
    return len(rows)
