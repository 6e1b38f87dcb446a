"""Reads of customers: lists, one record with what belongs to it, consents as they stand (2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.models import History, User
from dealership.kernel.money import format_money
from reception import events
from reception.models import (
    CONSENT_TEXT_VERSION,
    CONSENT_TEXTS,
    EXPECTED_STATES,
    MERGE_COLUMNS,
    OPEN_VISITS,
    Appointment,
    Consent,
    ConsentPurpose,
    Consultation,
    Customer,
    CustomerKind,
    CustomerMerge,
    CustomerTier,
    Duplicate,
    DuplicateCue,
    DuplicateState,
    MergeState,
    Ownership,
    Quotation,
    UnmaskReason,
    Visit,
    WaitingEntry,
    WaitingState,
)
from reception.selectors.contacts import contacts_of, taggings_of
from reception.selectors.search import Typed, customer_filter
from staff.models import Employee
from staff.selectors.employees import employees_with_role

PAGE = 50
LOOK_DAYS = 31
FILTERS = {"": Q(), "PERSON": Q(kind=CustomerKind.PERSON), "COMPANY": Q(kind=CustomerKind.COMPANY)}
LOST = "LOST"
SEGMENTS = {LOST: Q(lost_risk=True)} | {tier: Q(tier=tier) for tier in CustomerTier.values}


@dataclass(frozen=True, slots=True)
class CustomerList:
    """One page of customers, newest first; ``next_before`` and ``previous`` are cursors, None at the ends."""

    rows: Sequence[Customer]
    counts: dict[str, int]
    next_before: int | None


def customer_of(*, uid: UUID, by: Actor) -> Customer:
    """One customer; raises Customer.DoesNotExist."""
    return Customer.objects.for_actor(by).select_related("home_store", "contact").standing(uid)


def list_customers(
    *, by: Actor, words: str = "", kind: str = "", segment: str = "", tag: int | None = None, before: int | None = None
) -> CustomerList:
    """Fifty customers from a cursor on, with their cars, tags and the last visit to the actor's stores.

    ``segment`` is a tier or LOST: nobody came for as long as the setting says; ``tag`` the key of a tag of the store.
    """
    found: QuerySet[Customer] = Customer.objects.for_actor(by).unmerged()
    if words:
        where = customer_filter(Typed(formats.fold_width(words)[:100]))
        found = found.filter(where) if where is not None else found.none()
    found = found.filter(SEGMENTS.get(segment, Q()))
    if tag is not None:
        found = found.filter(taggings__tag=tag, taggings__ended_at__isnull=True)
    persons = found.filter(kind=CustomerKind.PERSON).count()
    companies = found.filter(kind=CustomerKind.COMPANY).count()
    rows = found.filter(FILTERS.get(kind, Q()))
    if before is not None:
        rows = rows.filter(id__lt=before)
    cars = Ownership.objects.filter(ends_on__isnull=True).select_related("vehicle").order_by("-starts_on")
    page = list(
        rows.order_by("-id")
        .select_related("home_store")
        .prefetch_related(Prefetch("ownerships", cars, to_attr="present"))[: PAGE + 1]
    )
    more = len(page) > PAGE
    page = page[:PAGE]
    visits = Visit.objects.for_actor(by).filter(customer__in=page).order_by().values("customer_id")
    last = {row["customer_id"]: row["at"] for row in visits.annotate(at=Max("arrived_at"))}
    tagged = taggings_of([row.pk for row in page], by=by)
    for row in page:
        row.last_visit_at = last.get(row.pk)  # type: ignore[attr-defined]
        row.tagged = tagged.get(row.pk, [])  # type: ignore[attr-defined]
    counts = {"": persons + companies, "PERSON": persons, "COMPANY": companies}
    return CustomerList(page, counts, page[-1].pk if more else None)


def others_with_phone(*, phone: str, by: Actor, besides: UUID | None = None) -> list[Customer]:
    """Customers who already have this number: the same person, or a family that shares one."""
    number = formats.normalise_phone(phone)
    if not number or formats.phone_kind(phone) is None:
        return []
    rows = Customer.objects.for_actor(by).unmerged().filter(Q(phone=number) | Q(phone_2=number)).exclude(uid=besides)
    return list(rows.order_by("id")[:5])


@dataclass(frozen=True, slots=True)
class Alike:
    """Somebody who may be the same customer, or with whom a number is shared: why, and the pair if there is one."""

    customer: Customer
    labels: list[Any]
    pair: Duplicate | None

    @property
    def apart(self) -> bool:
        """A person has said that these are two."""
        return self.pair is not None and self.pair.state == DuplicateState.DIFFERENT


def alike(customer: Customer, *, by: Actor) -> list[Alike]:
    """2.3: who may be the same customer as this one: pairs that were found, and who else has the number since."""
    rows = Duplicate.objects.for_actor(by).filter(Q(first=customer) | Q(second=customer))
    rows = rows.exclude(state=DuplicateState.MERGED).select_related("first", "second")
    found = []
    for pair in rows.order_by("state", "-id")[:PAGE]:
        other = pair.second if pair.first_id == customer.pk else pair.first
        if other.merged_into_id is None:
            found.append(Alike(other, pair.cue_labels, pair))
    seen = {row.customer.pk for row in found}
    others = others_with_phone(phone=customer.phone, by=by, besides=customer.uid)
    found += [Alike(other, [DuplicateCue.PHONE.label], None) for other in others if other.pk not in seen]
    return sorted(found, key=lambda row: row.apart)[:10]


def who_merges(*, by: Actor) -> list[Employee]:
    """The people of the actor's store who may decide whether two customers are one."""
    if by.store_id is None:
        return []
    found: dict[int, Employee] = {}
    for code in ("care", "manager"):
        found |= {row.pk: row for row in employees_with_role(by.store_id, code)}
    return list(found.values())[:4]


@dataclass(frozen=True, slots=True)
class OpenPromise:
    """What the shop still owes a customer: what, for when or until when, and the page that settles it."""

    label: Any
    text: str
    at: datetime | None
    until: date | None
    page: str
    uid: UUID | None
    late: bool = False


def open_promises(customer: Customer, *, by: Actor) -> list[OpenPromise]:
    """2.3: promised hand-overs, bookings, a place on the waiting list, prices that bind and questions without an answer.

    One query for each kind, whatever there is; of each kind the next one first.
    """
    now = clock.now()
    visits = Visit.objects.for_actor(by).filter(customer=customer, state__in=OPEN_VISITS, promised_at__isnull=False)
    booked = Appointment.objects.for_actor(by).filter(customer=customer, state__in=EXPECTED_STATES)
    waiting = WaitingEntry.objects.for_actor(by).filter(
        customer=customer, state__in=(WaitingState.WAITING, WaitingState.OFFERED)
    )
    quoted = Quotation.objects.for_actor(by).filter(
        customer=customer, total__isnull=False, valid_until__gte=clock.today()
    )
    asked = Consultation.objects.for_actor(by).filter(customer=customer, ended_at__isnull=True)
    found = [
        OpenPromise(
            _("Hand-over promised"), str(row.vehicle), row.promised_at, None, "visit-detail", row.uid,
            late=row.promised_at < now,
        )
        for row in visits.select_related("vehicle").order_by("promised_at")[:10]
    ]  # fmt: skip
    found += [
        OpenPromise(
            _("Booking"), f"{row.vehicle} · {row.concern}", row.starts_at, None, "appointment-detail", row.uid,
            late=row.late_minutes > 0,
        )
        for row in booked.select_related("vehicle").order_by("starts_at")[:10]
    ]  # fmt: skip
    found += [
        OpenPromise(_("Question"), row.subject or row.number, row.asked_at, None, "consultation-detail", row.uid)
        for row in asked.order_by("asked_at")[:10]
    ]
    found += [
        OpenPromise(_("On the waiting list"), row.what, None, row.last_day, "waiting-list", None)
        for row in waiting.order_by("last_day")[:10]
    ]
    found += [
        OpenPromise(
            _("Quoted price"), f"{row.number} · {format_money(row.total)}", None, row.valid_until, "quotation-detail",
            row.uid,
        )
        for row in quoted.order_by("valid_until")[:10]
    ]  # fmt: skip
    return found


def customer_page(*, uid: UUID, by: Actor) -> dict[str, Any]:
    """Everything the customer's page shows but the timeline; raises Customer.DoesNotExist."""
    customer = customer_of(uid=uid, by=by)
    ownerships = list(customer.ownerships.select_related("vehicle").order_by("-ends_on", "-starts_on"))
    visits = Visit.objects.for_actor(by).filter(customer=customer).select_related("vehicle", "advisor")
    appointments = Appointment.objects.for_actor(by).filter(customer=customer).select_related("vehicle")
    merges = list(
        CustomerMerge.objects.filter(kept=customer, state=MergeState.DONE).select_related("merged").order_by("-id")
    )
    return {
        "customer": customer,
        "ownerships": ownerships,
        "cars_now": sum(1 for row in ownerships if row.ends_on is None),
        "visits": list(visits.order_by("-arrived_at")[:20]),
        "appointments": list(appointments.order_by("-starts_at")[:5]),
        "promises": open_promises(customer, by=by),
        "consents": consents_of(customer),
        "people": contacts_of(customer.pk),
        "taggings": taggings_of([customer.pk], by=by).get(customer.pk, []),
        "timeline_uids": [customer.uid, *(row.merged.uid for row in merges)],
        "merges": merges,
        "alike": alike(customer, by=by),
    }


def duplicates(*, by: Actor, state: str = DuplicateState.OPEN) -> list[Duplicate]:
    """The newest fifty pairs of customers who may be one, in one state of the decision."""
    rows = Duplicate.objects.for_actor(by).filter(state=state).select_related("first", "second")
    return list(rows.order_by("-id")[:PAGE])


def duplicate_counts(*, by: Actor) -> dict[str, int]:
    counted = Duplicate.objects.for_actor(by).order_by().values("state").annotate(n=Count("id"))
    return dict.fromkeys(DuplicateState.values, 0) | {row["state"]: row["n"] for row in counted}


def duplicate_of(*, uid: UUID, by: Actor) -> Duplicate:
    """One pair with both customers; raises Duplicate.DoesNotExist."""
    rows = Duplicate.objects.for_actor(by).select_related("first__contact", "second__contact")
    return rows.get(uid=uid)


def belongings(pair: Duplicate, *, by: Actor) -> list[dict[str, Any]]:
    """What hangs on each of the two: present cars, last visit, the day of registering."""
    owned = Ownership.objects.filter(customer__in=(pair.first, pair.second), ends_on__isnull=True)
    visits = Visit.objects.for_actor(by).filter(customer__in=(pair.first, pair.second)).order_by()
    last = {
        row["customer_id"]: row for row in visits.values("customer_id").annotate(at=Max("arrived_at"), n=Count("id"))
    }
    cars: dict[int, list[Any]] = {}
    for row in owned.select_related("vehicle").order_by("-starts_on"):
        cars.setdefault(row.customer_id, []).append(row.vehicle)
    return [
        {"customer": one, "cars": cars.get(one.pk, []), "visits": last.get(one.pk, {"n": 0, "at": None})}
        for one in (pair.first, pair.second)
    ]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a customer's whole number: who, when, whose, why."""

    at: datetime
    who: str
    customer: Customer | None
    reason: str
    task: str = ""

    @property
    def task_label(self) -> Any:
        """What the task was that opened the number; empty for an unmasking with a reason."""
        return TASKS.get(self.task, self.task)


@dataclass(frozen=True, slots=True)
class Looks:
    """The newest hundred of the last ``days`` days in the actor's store; ``counts`` by reason over all of them."""

    rows: list[Look]
    counts: dict[str, int]
    total: int


TASKS: dict[str, Any] = {
    "followup": _("Callback"),
    "visit": _("Visit"),
    "appointment": _("Booking"),
    "consultation": _("Question"),
    "complaint": _("Complaint taken in"),
}


def list_looks(
    *, by: Actor, reason: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[list[dict[str, Any]], bool]:
    """7.3: the looks at whole numbers in the actor's stores, newest first, and whether there are more."""
    lines = History.objects.filter(code=events.CUSTOMER_UNMASKED)
    if by.store_ids is not None:
        lines = lines.filter(store_id__in=by.store_ids)
    if reason:
        lines = lines.filter(facts__reason=reason)
    if before is not None:
        lines = lines.filter(id__lt=before)
    rows = list(lines.order_by("-id")[: limit + 1])
    found = [
        {
            "id": row.id,
            "at": row.at,
            "actor_kind": row.actor_kind,
            "actor_uid": row.actor_id if row.actor_kind == ActorKind.USER else None,
            "customer_uid": row.customer_uid,
            "reason": row.facts.get("reason", ""),
            "task": row.facts.get("task", ""),
            "task_uid": row.facts.get("task_uid"),
        }
        for row in rows[:limit]
    ]
    return found, len(rows) > limit


def looks(*, by: Actor, reason: str = "", days: int = LOOK_DAYS) -> Looks:
    """7.3: who looked at whole telephone numbers, for whoever answers for data protection."""
    since = clock.now() - timedelta(days=days)
    lines = History.objects.filter(store_id=by.store_id, code=events.CUSTOMER_UNMASKED, at__gte=since)
    counted = lines.order_by().values_list("facts__reason").annotate(n=Count("id"))
    counts = dict.fromkeys(UnmaskReason.values, 0) | {str(code): n for code, n in counted}
    shown = list((lines.filter(facts__reason=reason) if reason else lines).order_by("-at", "-id")[: 2 * PAGE])
    asked = {row.actor_id for row in shown if row.actor_kind == ActorKind.USER}
    people = {str(uid): name for uid, name in User.objects.filter(uid__in=asked).values_list("uid", "name")}
    whose = Customer.objects.for_actor(by).in_bulk({row.root_uid for row in shown}, field_name="uid")
    rows = [
        Look(
            row.at,
            people.get(row.actor_id, ""),
            whose.get(row.root_uid),
            str(row.facts.get("reason", "")),
            str(row.facts.get("task", "")),
        )
        for row in shown
    ]
    return Looks(rows, counts, sum(counts.values()))


def both_sides(pair: Duplicate) -> list[dict[str, Any]]:
    """The columns of a pair side by side, with whether they differ."""
    return [
        {
            "name": name,
            "label": _LABELS[name],
            "first": _shown(pair.first, name),
            "second": _shown(pair.second, name),
            "differs": getattr(pair.first, name) != getattr(pair.second, name),
        }
        for name in MERGE_COLUMNS
    ]


_LABELS: dict[str, Any] = {
    "name": _("Name"),
    "kind": _("Person or company"),
    "phone": _("Telephone"),
    "phone_2": _("Second telephone"),
    "email": _("E-mail"),
    "uscc": _("Unified social credit code"),
    "language": _("Language"),
    "channel": _("Reached best by"),
    "no_calls": _("Doesn't want to be called"),
    "quiet_from": _("No messages"),
    "note": _("Note"),
    "contact_id": _("Contact person"),
}
_LANGUAGES = {"zh-hans": "中文", "en": "English"}


def _shown(customer: Customer, name: str) -> Any:
    if name in ("kind", "channel"):
        return getattr(customer, f"get_{name}_display")()
    if name == "no_calls":
        return _("yes") if customer.no_calls else _("no")
    if name == "quiet_from":
        return f"{customer.quiet_from}–{customer.quiet_to}" if customer.quiet_from else ""
    if name == "language":
        return _LANGUAGES.get(customer.language, customer.language)
    if name == "contact_id":
        return customer.contact.name if customer.contact else ""
    if name in ("phone", "phone_2"):
        return formats.mask_phone(getattr(customer, name))
    return formats.mask_email(customer.email) if name == "email" else getattr(customer, name)


def consents_of(customer: Customer) -> list[dict[str, Any]]:
    """Each purpose with what stands now and every decision before it, newest first."""
    rows: dict[str, list[Consent]] = {}
    for row in customer.consents.order_by("-at", "-id"):
        rows.setdefault(row.purpose, []).append(row)
    return [
        {
            "purpose": purpose.value,
            "label": purpose.label,
            "given": bool(rows.get(purpose) and rows[purpose][0].given),
            "text": CONSENT_TEXTS[_version(rows.get(purpose, []))][purpose],
            "version": _version(rows.get(purpose, [])),
            "last": rows[purpose][0] if purpose in rows else None,
            "refused": purpose in rows and not any(row.given for row in rows[purpose]),
            "rows": rows.get(purpose, []),
        }
        for purpose in ConsentPurpose
    ]


def _version(rows: list[Consent]) -> str:
    """The text that a standing consent was given to, else the one that would be shown now."""
    return rows[0].text_version if rows and rows[0].given else CONSENT_TEXT_VERSION
