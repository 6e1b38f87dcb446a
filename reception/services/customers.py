"""Customers: registering, correcting, consents and looking at a masked number (2.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import History, MessageChannel, Root
from dealership.kernel.postgres.prepared import run_prepared
from reception import events, permissions
from reception.models import (
    CONSENT_TEXT_VERSION,
    CONSENT_TEXTS,
    HOUR,
    Consent,
    ConsentPurpose,
    Customer,
    CustomerKind,
    UnmaskReason,
    Visit,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LANGUAGES = ("zh-hans", "en")
LOOK_HOLDS = timedelta(hours=24)


def tidy(value: Any, *, field: str, limit: int, lines: bool = False) -> str:
    """Text without surrounding and doubled space and marks of direction; ``lines``: one of several lines keeps them.

    Raises RuleError where it holds control characters or is too long.
    """
    text = str(value or "")
    text = formats.lines(text) if lines and "\n" in text else formats.one_line(text)
    if _CONTROL.search(text):
        raise RuleError("text.control", _("This holds characters that can't be kept; type it anew."), field=field)
    if len(text) > limit:
        raise RuleError(
            "text.too_long",
            _("At most %(limit)s characters fit here, these are %(length)s."),
            field=field,
            limit=limit,
            length=len(text),
        )
    return text


def _words(value: Any, *, field: str, limit: int, lines: bool = False) -> str:
    """Text about a person, without an identity number (7.3)."""
    text = tidy(value, field=field, limit=limit, lines=lines)
    return formats.demand(formats.check_without_id_number(text), field=field)


def _hour(value: Any, *, field: str) -> str:
    """12:30, or nothing. Raises RuleError for what is no hour of the day."""
    text = tidy(value, field=field, limit=8)[:5]
    if text and not re.fullmatch(HOUR, text):
        raise RuleError("customer.hour", _("Write the hour like 12:30."), field=field)
    return text


def read_customer(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a customer from what was typed, sent or imported; only the keys given. Raises RuleError."""
    read: dict[str, Any] = {}
    for key, value in values.items():
        if key == "name":
            read["name"] = _words(value, field="name", limit=60)
            if not read["name"]:
                raise RuleError("customer.name", _("Enter the customer's name."), field="name")
            read["pinyin"] = formats.pinyin_full(read["name"])[:160]
            read["pinyin_initials"] = formats.pinyin_initials(read["name"])[:40]
        elif key in ("phone", "phone_2"):
            text = tidy(value, field=key, limit=60)
            read[key] = formats.demand(formats.check_phone(text), field=key) if text else ""
        elif key == "email":
            text = tidy(value, field=key, limit=254)
            read[key] = formats.demand(formats.check_email(text), field=key) if text else ""
        elif key == "uscc":
            text = tidy(value, field=key, limit=60)
            read[key] = formats.demand(formats.check_uscc(text), field=key) if text else ""
        elif key in ("quiet_from", "quiet_to"):
            read[key] = _hour(value, field=key)
        elif key == "no_calls":
            read[key] = bool(value)
        elif key == "note":
            read[key] = _words(value, field=key, limit=300, lines=True)
        elif key in _CHOICES:
            if value not in _CHOICES[key]:
                raise RuleError(
                    "customer.choice", _("“%(value)s” isn't one of the choices."), field=key, value=str(value)[:40]
                )
            read[key] = str(value)
        else:
            raise TypeError(f"A customer has no column {key}.")
    return read


_CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(CustomerKind.values),
    "channel": tuple(MessageChannel.values),
    "language": LANGUAGES,
}


def _require_reachable(phone: str, email: str) -> None:
    if not phone and not email:
        raise RuleError("customer.reachable", _("Give a telephone number or an e-mail address."), field="phone")


def _require_quiet(quiet_from: str, quiet_to: str) -> None:
    """2.3: quiet hours are two different hours, or none."""
    if bool(quiet_from) != bool(quiet_to) or (quiet_from and quiet_from == quiet_to):
        field = "quiet_to" if quiet_from else "quiet_from"
        text = _("Give both hours, from and to, and two different ones.")
        raise RuleError("customer.quiet_hours", text, field=field)


def _store_of(by: Actor) -> int | None:
    """The one store that somebody acts in; None for whoever acts in several."""
    return next(iter(by.store_ids)) if by.store_ids is not None and len(by.store_ids) == 1 else None


@transaction.atomic
def register_customer(
    *,
    name: str,
    by: Actor,
    phone: str = "",
    phone_2: str = "",
    email: str = "",
    kind: str = CustomerKind.PERSON,
    uscc: str = "",
    language: str = "zh-hans",
    channel: str = MessageChannel.SMS,
    no_calls: bool = False,
    quiet_from: str = "",
    quiet_to: str = "",
    note: str = "",
) -> Customer:
    """Takes a customer into the group's file (2.1.2: a name and a way to be reached).

    A number that another customer already has is allowed, families share one; the page asks first. Raises RuleError
    for an unreadable number, address or company code, for no name and for no way to be reached.
    """
    read = read_customer(
        {
            "name": name,
            "phone": phone,
            "phone_2": phone_2,
            "email": email,
            "kind": kind,
            "uscc": uscc,
            "language": language,
            "channel": channel,
            "no_calls": no_calls,
            "quiet_from": quiet_from,
            "quiet_to": quiet_to,
            "note": note,
        }
    )
    _require_reachable(read["phone"], read["email"])
    _require_quiet(read["quiet_from"], read["quiet_to"])
    home = _store_of(by)
    customer = Customer.objects.create(home_store_id=home, **read)
    record(customer, events.CUSTOMER_REGISTERED, by=by, store_id=home, kind=customer.kind)
    return customer


@transaction.atomic
def correct_customer(*, uid: UUID, by: Actor, **changes: Any) -> Customer:
    """Corrects any of name, phone, phone_2, email, kind, uscc, language, channel, no_calls, quiet_from, quiet_to
    (12:30, store's time), note (2.3).

    History names the columns that changed, never their content. Raises RuleError where nothing changes.
    """
    return _correct(Customer.objects.for_actor(by).locked().standing(uid), changes, by)


def _correct(customer: Customer, changes: dict[str, Any], by: Actor) -> Customer:
    read = {key: value for key, value in read_customer(changes).items() if getattr(customer, key) != value}
    if not read:
        raise RuleError("customer.unchanged", _("Nothing was changed."))
    _require_reachable(read.get("phone", customer.phone), read.get("email", customer.email))
    _require_quiet(read.get("quiet_from", customer.quiet_from), read.get("quiet_to", customer.quiet_to))
    for key, value in read.items():
        setattr(customer, key, value)
    customer.save(update_fields=list(read))
    record(customer, events.CUSTOMER_CORRECTED, by=by, columns=sorted(read.keys() - {"pinyin", "pinyin_initials"}))
    return customer


def hold_customers(*, uids: Iterable[UUID] = (), visit_uid: UUID | None = None) -> None:
    """Holds these customers and the visit's until the transaction ends, so that none of them is merged away while a
    paper is written for them. Taken before any other lock (design 5); several papers may hold one customer at once."""
    run_prepared("hold customers", _HOLD, [[str(uid) for uid in uids], visit_uid])


_HOLD = """
    SELECT id FROM reception_customer
    WHERE uid = ANY($1::text[]::uuid[]) OR id = (SELECT customer_id FROM reception_visit WHERE uid = $2)
    ORDER BY id FOR SHARE
"""


@transaction.atomic
def record_consent(
    *,
    customer_uid: UUID,
    purpose: str,
    given: bool,
    by: Actor,
    channel: str = "DESK",
    text_version: str = CONSENT_TEXT_VERSION,
) -> Consent:
    """Writes one given, refused or withdrawn consent to the text of ``text_version``; a no is as easy as a yes (2.3).

    Raises RuleError where the last decision for this purpose already says the same, and for a text that isn't kept.
    """
    if purpose not in ConsentPurpose.values:
        raise RuleError("consent.purpose", _("Choose what the consent is for."), field="purpose")
    if text_version not in CONSENT_TEXTS:
        raise RuleError("consent.text_version", _("There is no text of this version."), field="text_version")
    customer = Customer.objects.for_actor(by).locked().standing(customer_uid)
    return _decide(customer, purpose, given, channel, text_version, by)


def _decide(customer: Customer, purpose: str, given: bool, channel: str, text_version: str, by: Actor) -> Consent:
    last = customer.consents.filter(purpose=purpose).order_by("-at", "-id").first()
    if last is not None and last.given == given:
        raise RuleError("consent.unchanged", _("This is what already stands; there is nothing to record."))
    consent = Consent.objects.create(
        customer=customer,
        purpose=purpose,
        given=given,
        channel=tidy(channel, field="channel", limit=20) or "DESK",
        text_version=text_version,
    )
    refused = events.CONSENT_REFUSED if last is None else events.CONSENT_WITHDRAWN
    code = events.CONSENT_GIVEN if given else refused
    record(customer, code, by=by, purpose=purpose, text_version=consent.text_version, consent=consent.uid)
    return consent


ON_LINK = (ConsentPurpose.MARKETING, ConsentPurpose.SURVEY, ConsentPurpose.SHARING)
"""What is given and withdrawn on the customer's link; the service itself rests on the order, not on a consent (7.3)."""


def is_own_number(visit: Visit) -> bool:
    """Whether the visit's link went to the customer's own number; a driver sends no wishes in the owner's name."""
    return bool(visit.contact_phone) and visit.contact_phone in (visit.customer.phone, visit.customer.phone_2)


def _customer_on_link(by: Actor) -> tuple[Customer, bool]:
    """The customer of the link's visit, locked, and whether the link is on their own number."""
    visit = Visit.objects.for_actor(by).select_related("customer").get(pk=by.visit_id)
    return Customer.objects.locked().standing(visit.customer.uid), is_own_number(visit)


def _not_yours() -> RuleError:
    text = _("This link was sent to another number than the customer's own; please ask the customer, or tell the desk.")
    return RuleError("customer.link_of_other", text)


@transaction.atomic
def decide_consent_on_link(*, purpose: str, given: bool, by: Actor) -> Consent:
    """2.3, 7.3: one tap on the visit's link gives, refuses or withdraws a consent, to the text that stands there.

    Whoever holds the link may withdraw; giving takes the customer's own number. Raises RuleError ``consent.purpose``,
    ``consent.unchanged`` and ``customer.link_of_other``.
    """
    customer, own = _customer_on_link(by)
    if purpose not in ON_LINK:
        raise RuleError("consent.purpose", _("Choose what the consent is for."), field="purpose")
    if given and not own:
        raise _not_yours()
    return _decide(customer, purpose, given, "LINK", CONSENT_TEXT_VERSION, by)


@transaction.atomic
def prefer_on_link(
    *, language: str, channel: str, by: Actor, no_calls: bool = False, quiet_from: str = "", quiet_to: str = ""
) -> Customer:
    """2.3: the customer says on the visit's link how to be reached: language, channel, no calls, quiet hours (12:30).

    Raises RuleError ``customer.link_of_other``, ``customer.channel_address`` for a way without an address,
    ``customer.quiet_hours`` and ``customer.unchanged``.
    """
    customer, own = _customer_on_link(by)
    if not own:
        raise _not_yours()
    if channel == MessageChannel.STAFF or (channel == MessageChannel.EMAIL and not customer.email):
        text = _("We have no e-mail address of yours; choose another way or tell the desk.")
        raise RuleError("customer.channel_address", text, field="channel")
    changes = {
        "language": language, "channel": channel, "no_calls": no_calls, "quiet_from": quiet_from, "quiet_to": quiet_to,
    }  # fmt: skip
    return _correct(customer, changes, by)


@transaction.atomic
def unmask_customer(*, uid: UUID, reason: str, by: Actor) -> Customer:
    """Shows the whole number to one person once; the look itself is logged with its reason (7.3)."""
    by.require(permissions.CUSTOMERS_UNMASK)
    if reason not in UnmaskReason.values or reason == UnmaskReason.TASK:
        raise RuleError("customer.unmask_reason", _("Say why the whole number is needed."), field="reason")
    customer = Customer.objects.for_actor(by).standing(uid)
    record(customer, events.CUSTOMER_UNMASKED, by=by, store_id=_store_of(by), reason=reason)
    return customer


@transaction.atomic
def open_number(*, task: Root, customer: Customer | None, by: Actor) -> bool:
    """7.3: a task that is to be done (a callback, an open visit, booking, question or complaint) shows whom to call.

    Once a day one line of history says who had the number opened by which task; True where this look wrote it. A caller
    who may not do the task doesn't come here: the page then shows the number masked.
    """
    about = customer or task
    looks = History.objects.filter(root_uid=about.uid, at__gte=clock.now() - LOOK_HOLDS, code=events.CUSTOMER_UNMASKED)
    if by.kind != ActorKind.USER or looks.filter(actor_id=by.id, facts__task_uid=str(task.uid)).exists():
        return False
    record(
        about,
        events.CUSTOMER_UNMASKED,
        by=by,
        store_id=by.store_id,
        reason=UnmaskReason.TASK,
        task=str(task._meta.model_name),
        task_uid=task.uid,
    )
    return True
