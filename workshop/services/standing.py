"""A payer agrees in advance to additions up to an amount of a visit, and takes that back (3.2)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.money import round_money
from reception.models import ContactRole, Customer, CustomerContact, CustomerKind
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.selectors.standing import live_consent
from workshop.standing_models import ConsentGiven, StandingConsent


@transaction.atomic
def give_standing_consent(
    *, customer_uid: UUID, up_to: Decimal, given_by: str, how: str, ends_on: date, by: Actor, note: str = ""
) -> StandingConsent:
    """3.2: from today until ``ends_on`` additions up to ``up_to`` (CNY with VAT, of one visit) need no question.

    Raises RuleError ``standing.exists``, ``.amount``, ``.who`` (given by somebody who may not decide for the payer, or not
    about so much), ``.how``, ``.note`` (a spoken consent) and ``.days``.
    """
    by.require(permissions.AUTHORIZATIONS_RECORD)
    customer = Customer.objects.for_actor(by).locked().standing(customer_uid)
    if live_consent(customer) is not None:
        raise RuleError("standing.exists", _("There is such a consent already; take it back first."))
    today = clock.today()
    amount, name = round_money(up_to), formats.one_line(given_by)[:60]
    if amount <= 0:
        raise RuleError("standing.amount", _("Write an amount above nothing."), field="up_to")
    if how not in ConsentGiven.values:
        raise RuleError("standing.how", _("Choose how it was given."), field="how")
    if how == ConsentGiven.PHONE and not note.strip():
        raise RuleError("standing.note", _("For a spoken consent, note who said what."), field="note")
    if ends_on < today:
        raise RuleError("standing.days", _("The last day doesn't lie before the first."), field="ends_on")
    if not _may_decide(customer, name, amount, today):
        raise RuleError(
            "standing.who",
            _("This person may not decide for the payer, or not about so much (3.2)."),
            field="given_by",
        )
    made: StandingConsent = StandingConsent.objects.create(
        customer=customer,
        up_to=amount,
        given_by=name,
        how=how,
        note=formats.one_line(note)[:200],
        starts_on=today,
        ends_on=ends_on,
        taken_by=employee_of(by),
    )
    record(made, events.STANDING_GIVEN, by=by, store_id=by.store_id, up_to=amount, how=how, ends_on=ends_on)
    return made


def _may_decide(customer: Customer, name: str, amount: Decimal, today: date) -> bool:
    if customer.kind == CustomerKind.PERSON and customer.name == name:
        return True
    people = CustomerContact.objects.filter(customer=customer, ended_at__isnull=True, name=name)
    return any(
        person.authorises_on(today) and (person.authorises_up_to is None or amount <= person.authorises_up_to)
        for person in people
        if ContactRole.AUTHORISES in person.roles
    )


@transaction.atomic
def end_standing_consent(*, uid: UUID, reason: str, by: Actor) -> StandingConsent:
    """3.2: from now on every addition is asked about again; what went ahead on it stays. Raises RuleError
    ``standing.reason`` and RaceLost ``standing.ended``."""
    by.require(permissions.AUTHORIZATIONS_RECORD)
    consent: StandingConsent = StandingConsent.objects.for_actor(by).locked().select_related("customer").get(uid=uid)
    words = formats.one_line(reason)[:200]
    if not words:
        raise RuleError("standing.reason", _("Say why it is taken back."), field="reason")
    if consent.ended_at is not None:
        raise RaceLost("standing.ended", _("This consent was taken back already."))
    consent.ended_at, consent.ended_reason = clock.now(), words
    consent.save(update_fields=["ended_at", "ended_reason"])
    record(consent, events.STANDING_ENDED, by=by, store_id=by.store_id)
    return consent
