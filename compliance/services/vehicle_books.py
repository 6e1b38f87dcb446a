"""Looks into the book of a car: each is written down, with how much was read (3.3, 7.3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from compliance import events, permissions
from compliance.selectors.vehicle_books import book_of
from compliance.vehicle_book import Book
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.history import record
from reception.models import Vehicle, Visit


@transaction.atomic
def read_book(*, vehicle_uid: UUID, by: Actor) -> Book:
    """3.3: the car's repairs that ``by`` may see, without anything about its owners; history says who looked.

    A link reads the book of its own visit's car only. Raises Vehicle.DoesNotExist.
    """
    if by.kind == ActorKind.LINK:
        vehicle = Visit.objects.select_related("vehicle").get(pk=by.visit_id).vehicle
        if vehicle.uid != vehicle_uid:
            raise Vehicle.DoesNotExist
    else:
        by.require(permissions.BOOK_READ)
        vehicle = Vehicle.objects.for_actor(by).get(uid=vehicle_uid)
    book = book_of(vehicle, by)
    store_id = by.store_id if by.store_ids and len(by.store_ids) == 1 else None
    record(vehicle, events.BOOK_READ, by=by, store_id=store_id, repairs=len(book.stays), whole=book.whole)
    return book
