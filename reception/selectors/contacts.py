"""Reads of the people around a customer and of the tags of the actor's store (2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from dealership.kernel.actors import Actor
from reception.models import CustomerContact, CustomerTag, CustomerTagging


def contacts_of(customer_id: int) -> list[CustomerContact]:
    """The people who stand for a customer today, in the order in which they were written down."""
    return list(CustomerContact.objects.filter(customer_id=customer_id, ended_at__isnull=True).order_by("pk"))


def contact_of(*, uid: UUID, by: Actor) -> CustomerContact:
    """One person of a customer; raises CustomerContact.DoesNotExist."""
    return CustomerContact.objects.for_actor(by).select_related("customer").get(uid=uid, ended_at__isnull=True)


def tags(*, by: Actor) -> list[CustomerTag]:
    """The tags of the actor's store in use, by name."""
    return list(CustomerTag.objects.filter(store_id=by.store_id, ended_at__isnull=True).order_by("name"))


def tags_with_counts(*, by: Actor) -> list[CustomerTag]:
    """The same with ``carried``: how many customers carry each."""
    carried = Count("taggings", filter=Q(taggings__ended_at__isnull=True, taggings__customer__merged_into__isnull=True))
    rows = CustomerTag.objects.filter(store_id=by.store_id, ended_at__isnull=True).annotate(carried=carried)
    return list(rows.order_by("name"))


def tag_of(*, uid: UUID, by: Actor) -> CustomerTag:
    """One tag in use; raises CustomerTag.DoesNotExist for another store's and for one no longer used."""
    return CustomerTag.objects.for_actor(by).get(uid=uid, ended_at__isnull=True)


def taggings_of(customer_ids: Iterable[int], *, by: Actor) -> dict[int, list[CustomerTagging]]:
    """What the actor's store has put on these customers, by customer; one query."""
    found: dict[int, list[CustomerTagging]] = {}
    rows = CustomerTagging.objects.filter(
        customer__in=customer_ids, ended_at__isnull=True, tag__ended_at__isnull=True, tag__store_id=by.store_id
    )
    for row in rows.select_related("tag").order_by("tag__name"):
        found.setdefault(row.customer_id, []).append(row)
    return found
