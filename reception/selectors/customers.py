"""Reads of customers: lists, one record with what belongs to it, consents as they stand (2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Max, Prefetch, Q, QuerySet

from dealership.kernel import formats
from dealership.kernel.actors import Actor
from reception.models import Appointment, Consent, ConsentPurpose, Customer, CustomerKind, Ownership, Visit
from reception.selectors.search import Typed, customer_filter

PAGE = 50
FILTERS = {"": Q(), "PERSON": Q(kind=CustomerKind.PERSON), "COMPANY": Q(kind=CustomerKind.COMPANY)}


@dataclass(frozen=True, slots=True)
class CustomerList:
    """One page of customers, newest first; ``next_before`` and ``previous`` are cursors, None at the ends."""

    rows: Sequence[Customer]
    counts: dict[str, int]
    next_before: int | None


def customer_of(*, uid: UUID, by: Actor) -> Customer:
    """One customer; raises Customer.DoesNotExist."""
    return Customer.objects.for_actor(by).select_related("home_store", "contact").get(uid=uid)


def list_customers(*, by: Actor, words: str = "", kind: str = "", before: int | None = None) -> CustomerList:
    """Fifty customers from a cursor on, with their cars and the last visit to the actor's stores."""
    found: QuerySet[Customer] = Customer.objects.for_actor(by)
    if words:
        where = customer_filter(Typed(formats.fold_width(words)[:100]))
        found = found.filter(where) if where is not None else found.none()
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
    for row in page:
        row.last_visit_at = last.get(row.pk)  # type: ignore[attr-defined]
    counts = {"": persons + companies, "PERSON": persons, "COMPANY": companies}
    return CustomerList(page, counts, page[-1].pk if more else None)


def others_with_phone(*, phone: str, by: Actor, besides: UUID | None = None) -> list[Customer]:
    """Customers who already have this number: the same person, or a family that shares one."""
    number = formats.normalise_phone(phone)
    if not number or formats.phone_kind(phone) is None:
        return []
    rows = Customer.objects.for_actor(by).filter(Q(phone=number) | Q(phone_2=number)).exclude(uid=besides)
    return list(rows.order_by("id")[:5])


def customer_page(*, uid: UUID, by: Actor) -> dict[str, Any]:
    """Everything the customer's page shows but the timeline; raises Customer.DoesNotExist."""
    customer = customer_of(uid=uid, by=by)
    ownerships = list(customer.ownerships.select_related("vehicle").order_by("-ends_on", "-starts_on"))
    visits = Visit.objects.for_actor(by).filter(customer=customer).select_related("vehicle", "advisor")
    appointments = Appointment.objects.for_actor(by).filter(customer=customer).select_related("vehicle")
    return {
        "customer": customer,
        "ownerships": ownerships,
        "cars_now": sum(1 for row in ownerships if row.ends_on is None),
        "visits": list(visits.order_by("-arrived_at")[:20]),
        "appointments": list(appointments.order_by("-starts_at")[:5]),
        "consents": consents_of(customer),
        "same_phone": others_with_phone(phone=customer.phone, by=by, besides=customer.uid),
    }


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
            "last": rows[purpose][0] if purpose in rows else None,
            "rows": rows.get(purpose, []),
        }
        for purpose in ConsentPurpose
    ]
