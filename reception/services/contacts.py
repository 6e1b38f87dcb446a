"""The people around a customer: who drives, owns, pays, runs the fleet or may authorise work (2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from reception import events, permissions
from reception.models import ContactRole, Customer, CustomerContact
from reception.services.customers import read_customer, tidy

# A name brings its pinyin along.
_WITH_NAME = ("pinyin", "pinyin_initials")
AUTHORISES = ("authorises_up_to", "authorises_from", "authorises_until")
"""Up to what amount (CNY with VAT, an order) and between which days (inclusive) a person may authorise work (3.2)."""


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a contact from what was typed or sent; only the keys given. Raises RuleError."""
    read = {
        key: value
        for key, value in read_customer(
            {k: v for k, v in values.items() if k not in ("roles", "note", *AUTHORISES)}
        ).items()
        if key in ("name", "phone", "email", *_WITH_NAME)
    }
    if "roles" in values:
        chosen = set(values["roles"])
        if not chosen or chosen - set(ContactRole.values):
            raise RuleError("contact.roles", _("Choose at least one role from the list."), field="roles")
        read["roles"] = [code.value for code in ContactRole if code in chosen]
    for key in AUTHORISES:
        if key in values:
            read[key] = values[key]
    if "note" in values:
        read["note"] = read_customer({"note": tidy(values["note"], field="note", limit=200, lines=True)})["note"]
    return read


def _require_period(roles: Iterable[str], up_to: Decimal | None, starts_on: date | None, ends_on: date | None) -> None:
    """3.2: how much and how long is said of who may authorise work, and makes sense."""
    if ContactRole.AUTHORISES not in roles:
        if up_to is not None or starts_on or ends_on:
            raise RuleError(
                "contact.authorises",
                _("Amount and days are of who may authorise work: choose that role, or leave them empty."),
                field="roles",
            )
        return
    if up_to is not None and up_to <= 0:
        raise RuleError(
            "contact.authorises", _("Write an amount above nothing, or leave it empty."), field=AUTHORISES[0]
        )
    if starts_on and ends_on and ends_on < starts_on:
        raise RuleError("contact.authorises", _("The last day doesn't lie before the first."), field=AUTHORISES[2])


def _require_reachable(roles: Iterable[str], phone: str, email: str) -> None:
    """3.2: work is agreed with somebody who can be asked."""
    if ContactRole.AUTHORISES in roles and not phone and not email:
        raise RuleError(
            "contact.reachable",
            _("Whoever may authorise work needs a telephone number or an e-mail address."),
            field="phone",
        )


@transaction.atomic
def add_contact(
    *,
    customer_uid: UUID,
    name: str,
    roles: Iterable[str],
    by: Actor,
    phone: str = "",
    email: str = "",
    note: str = "",
    authorises_up_to: Decimal | None = None,
    authorises_from: date | None = None,
    authorises_until: date | None = None,
) -> CustomerContact:
    """2.3: writes down a person around a customer; who may authorise work does so up to an amount (CNY with VAT, an
    order) and between two days of the store, inclusive; None: without a limit (3.2). Raises RuleError without a name or
    a role, for an unreadable number or address, for limits of somebody who may not authorise, for somebody who may and
    can't be reached, and where the person stands there already."""
    by.require(permissions.CUSTOMERS_EDIT)
    read = _read({"name": name, "phone": phone, "email": email, "roles": roles, "note": note})
    _require_reachable(read["roles"], read["phone"], read["email"])
    _require_period(read["roles"], authorises_up_to, authorises_from, authorises_until)
    read |= dict(zip(AUTHORISES, (authorises_up_to, authorises_from, authorises_until), strict=True))
    customer = Customer.objects.for_actor(by).locked().standing(customer_uid)
    if customer.contacts.filter(ended_at__isnull=True, name=read["name"], phone=read["phone"]).exists():
        raise RuleError("contact.known", _("This person stands there already; correct the roles there."), field="name")
    contact = CustomerContact.objects.create(customer=customer, **read)
    record(contact, events.CONTACT_ADDED, by=by, roles=contact.roles, authorises_up_to=contact.authorises_up_to)
    return contact


def _standing(uid: UUID, by: Actor) -> CustomerContact:
    contact: CustomerContact = CustomerContact.objects.for_actor(by).locked().select_related("customer").get(uid=uid)
    if contact.ended_at is not None:
        raise RaceLost("contact.ended", _("This person was taken off the list; write them down anew."))
    return contact


@transaction.atomic
def correct_contact(*, uid: UUID, by: Actor, **changes: Any) -> CustomerContact:
    """2.3: corrects any of name, phone, email, roles, note. History names the columns, never their content. Raises
    RuleError where nothing changes and for somebody taken off the list."""
    by.require(permissions.CUSTOMERS_EDIT)
    contact = _standing(uid, by)
    wanted = _read(changes)
    if ContactRole.AUTHORISES not in wanted.get("roles", contact.roles):
        _require_period(wanted.get("roles", contact.roles), *(wanted.get(key) for key in AUTHORISES))
        wanted |= dict.fromkeys(AUTHORISES)  # who no longer authorises has no limit either
    read = {key: value for key, value in wanted.items() if getattr(contact, key) != value}
    if not read:
        raise RuleError("contact.unchanged", _("Nothing was changed."))
    for key, value in read.items():
        setattr(contact, key, value)
    _require_reachable(contact.roles, contact.phone, contact.email)
    _require_period(contact.roles, *(getattr(contact, key) for key in AUTHORISES))
    contact.save(update_fields=list(read))
    record(
        contact,
        events.CONTACT_CORRECTED,
        by=by,
        columns=sorted(read.keys() - set(_WITH_NAME)),
        roles=contact.roles,
        authorises_up_to=contact.authorises_up_to,
    )
    return contact


@transaction.atomic
def end_contact(*, uid: UUID, by: Actor) -> CustomerContact:
    """2.3: the person no longer drives, pays or speaks for the customer; the row stays for what was agreed with them."""
    by.require(permissions.CUSTOMERS_EDIT)
    contact = _standing(uid, by)
    contact.ended_at = clock.now()
    contact.save(update_fields=["ended_at"])
    record(contact, events.CONTACT_ENDED, by=by, roles=contact.roles)
    return contact
