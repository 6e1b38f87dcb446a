"""Plans for bays, people, tools and loan cars: reserved once, released, never overlapping (2.4).

A bay that takes several cars is free as long as fewer are planned there.

Lock order (design 5): resources come before order and line. The rows of all resources that a plan needs are locked in
the order of their keys first, so that two planners run one after the other; the exclusion constraint
``reservation_no_overlap`` stays as the backstop, for bays with several cars the trigger ``reservation_room``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from psycopg2.extras import DateTimeTZRange

from dealership.catalogue import events, rules
from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.postgres.kept import insert
from staff.models import Employee

Held = tuple[int, datetime, datetime]
HELD_BY_OTHERS: list[Callable[[Iterable[Resource], UUID | None], Iterable[Held]]] = []
"""Rooms above that hold a resource without a plan (a loan car that is with a customer): called with resources, their stores
at hand, and the subject that plans, they say from when to when which one isn't to be had."""


def held_by_others(resources: Iterable[Resource], subject_uid: UUID | None) -> list[Held]:
    wanted = list(resources)
    return [span for hold in HELD_BY_OTHERS for span in hold(wanted, subject_uid)]


def lock_resources(ids: Iterable[int]) -> dict[int, Resource]:
    """Locks these resources in the order of their keys (FOR NO KEY UPDATE); call it before order and line."""
    rows = Resource.objects.filter(pk__in=set(ids)).locked().select_related("store").order_by("pk")
    return {row.pk: row for row in rows}


def taken_spans(
    rows: Iterable[tuple[int, int, DateTimeTZRange, str]], *, whole: bool = False
) -> dict[int, list[tuple[datetime, datetime]]]:
    """When each resource takes no further car, from live plans as (resource, its capacity, period, purpose).

    A blocked bay takes none, however many it takes otherwise; ``whole``: somebody wants all of it.
    """
    room: dict[int, int] = {}
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for resource, capacity, period, purpose in rows:
        room[resource] = 1 if whole else capacity
        times = capacity if purpose == ReservationPurpose.BLOCKED else 1
        spans.setdefault(resource, []).extend([(period.lower, period.upper)] * times)
    return {resource: rules.crowded(found, room[resource]) for resource, found in spans.items()}


PLANNED = ("resource_id", "resource__capacity", "period", "purpose")
"""What ``taken_spans`` reads of a live plan."""


def next_free(
    ids: Iterable[int],
    *,
    starts_at: datetime,
    length: timedelta,
    whole: bool = False,
    held: Iterable[Held] = (),
) -> datetime:
    """The earliest moment from ``starts_at`` on at which all of these resources are free for ``length`` (by plan, and by
    what is ``held`` without one)."""
    rows = Reservation.objects.filter(resource_id__in=set(ids), live=True, period__endswith__gt=starts_at)
    taken = taken_spans(rows.values_list(*PLANNED), whole=whole)
    free = starts_at
    held_spans = [(begin, end) for _pk, begin, end in held]
    for begin, end in sorted([*(span for spans in taken.values() for span in spans), *held_spans]):
        if begin >= free + length:
            break
        free = max(free, end)
    return free


@transaction.atomic
def reserve_all(
    *,
    resource_uids: Iterable[UUID],
    starts_at: datetime,
    ends_at: datetime,
    purpose: str,
    subject_uid: UUID | None,
    by: Actor,
    note: str = "",
) -> list[Reservation]:
    """Plans several resources for one time, all of them or none; the answers stand in the order of the uids (2.4).

    Times are aware. Raises RuleError ``reservation.period`` and ``reservation.inactive``; RaceLost
    ``reservation.taken`` where one of them is planned elsewhere, naming it and the next time at which all are free.
    """
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError("A plan's times are aware.")
    if ends_at <= starts_at:
        raise RuleError("reservation.period", _("A plan needs a beginning and an end after it."), field="ends_at")
    if purpose not in ReservationPurpose.values:
        raise ValueError(f"{purpose} is no purpose of a plan.")
    uids = list(dict.fromkeys(resource_uids))
    found = dict(Resource.objects.for_actor(by).filter(uid__in=uids).values_list("uid", "pk"))
    if len(found) != len(uids):
        raise Resource.DoesNotExist("No such resource in this store.")
    rows = lock_resources(found.values())
    for row in rows.values():
        if not row.active:
            raise RuleError("reservation.inactive", _("“%(name)s” isn't in use at present."), name=row.name)
    planned = Reservation.objects.filter(
        resource_id__in=rows, live=True, period__startswith__lt=ends_at, period__endswith__gt=starts_at
    )
    whole = purpose == ReservationPurpose.BLOCKED
    held = held_by_others(rows.values(), subject_uid)
    spans_of = taken_spans(planned.values_list(*PLANNED), whole=whole)
    taken = [(begin, end, pk) for pk, spans in spans_of.items() for begin, end in spans]
    taken += [(begin, end, pk) for pk, begin, end in held]
    clash = min((span for span in taken if span[0] < ends_at and span[1] > starts_at), default=None)
    if clash is not None:
        begin, end, pk = clash
        busy = rows[pk]
        free = next_free(rows, starts_at=starts_at, length=ends_at - starts_at, whole=whole, held=held)
        raise RaceLost(
            "reservation.taken",
            _("%(name)s is taken from %(from)s to %(to)s. Next free time: %(free)s."),
            field="starts_at",
            name=busy.name,
            **{"from": _local(begin, busy), "to": _local(end, busy)},
            free=_local(free, busy),
            free_at=free.isoformat(),
        )
    made = []
    for uid in uids:
        reservation = Reservation.objects.create(
            store_id=rows[found[uid]].store_id,
            resource=rows[found[uid]],
            period=(starts_at, ends_at),
            purpose=purpose,
            subject_uid=subject_uid,
            note=note.strip()[:120],
        )
        made.append(_recorded(reservation, uid, starts_at, ends_at, by=by))
    return made


def reserve_found(
    chosen: Iterable[tuple[Any, tuple[datetime, datetime]]],
    *,
    purpose: str,
    subject_uid: UUID | None,
    by: Actor,
    note: str = "",
) -> list[Reservation]:
    """Writes plans that the caller has found free with the resources (``pk``, ``uid``, ``store_id``) locked (2.4).

    The constraint ``reservation_no_overlap`` and the trigger ``reservation_room`` stay behind it: a plan that isn't free
    is refused by the database.
    """
    made = []
    for resource, period in chosen:
        row = Reservation(
            store_id=resource.store_id,
            resource_id=resource.pk,
            period=DateTimeTZRange(*period),
            purpose=purpose,
            subject_uid=subject_uid,
            note=note.strip()[:120],
        )
        made.append(_recorded(insert(row), resource.uid, *period, by=by))
    return made


def _recorded(
    reservation: Reservation, resource_uid: UUID, starts_at: datetime, ends_at: datetime, *, by: Actor
) -> Reservation:
    record(
        reservation,
        events.RESOURCE_RESERVED,
        by=by,
        resource=resource_uid,
        purpose=reservation.purpose,
        subject=reservation.subject_uid,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    return reservation


def _local(moment: datetime, resource: Resource) -> str:
    """23.11. 15:30 at the store, without the day where it is today."""
    zone = ZoneInfo(resource.store.time_zone)
    there = moment.astimezone(zone)
    return f"{there:%H:%M}" if there.date() == clock.now().astimezone(zone).date() else f"{there:%m-%d %H:%M}"


@transaction.atomic
def reserve(
    *,
    resource_uid: UUID,
    starts_at: datetime,
    ends_at: datetime,
    purpose: str,
    subject_uid: UUID | None,
    by: Actor,
    note: str = "",
) -> Reservation:
    """Plans one resource for a time; refusals as in ``reserve_all`` (2.4)."""
    [made] = reserve_all(
        resource_uids=[resource_uid],
        starts_at=starts_at,
        ends_at=ends_at,
        purpose=purpose,
        subject_uid=subject_uid,
        note=note,
        by=by,
    )
    return made


@transaction.atomic
def extend(*, reservation_uid: UUID, ends_at: datetime, by: Actor) -> Reservation:
    """A plan ends later (aware), as far as the next one of its resource leaves room (2.4).

    The resource is locked, then the plan. Raises RuleError ``reservation.released``, ``reservation.not_later``;
    RaceLost ``reservation.taken``, which says from when the resource is planned again and for what.
    """
    resource_id = Reservation.objects.for_actor(by).values_list("resource_id", flat=True).get(uid=reservation_uid)
    resource = lock_resources([resource_id])[resource_id]
    plan = Reservation.objects.locked().get(uid=reservation_uid)
    if not plan.live:
        raise RuleError("reservation.released", _("This plan was already taken back."))
    before = plan.period.upper
    if ends_at <= before:
        raise RuleError("reservation.not_later", _("Choose an end after the present one."), field="ends_at")
    following = next_plan(plan)
    if following is not None and following.period.lower < ends_at and resource.capacity == 1:
        raise RaceLost(
            "reservation.taken",
            _("%(name)s is planned again from %(from)s on (%(what)s); until then it can stay."),
            field="ends_at",
            name=resource.said,
            what=following.note or following.get_purpose_display(),
            free_until=following.period.lower.isoformat(),
            **{"from": _local(following.period.lower, resource)},
        )
    plan.period = DateTimeTZRange(plan.period.lower, ends_at)
    plan.save(update_fields=["period"])
    record(
        plan,
        events.RESOURCE_EXTENDED,
        by=by,
        changed={"ends_at": (before, ends_at)},
        resource=resource.uid,
        subject=plan.subject_uid,
    )
    return plan


def next_plan(plan: Reservation) -> Reservation | None:
    """The plan that follows in the same resource."""
    rows = Reservation.objects.filter(
        resource_id=plan.resource_id, live=True, period__startswith__gte=plan.period.upper
    )
    return rows.exclude(pk=plan.pk).order_by("period").first()


@transaction.atomic
def release(*, reservation_uid: UUID, by: Actor) -> Reservation:
    """Gives a planned time back. What is freed needs no lock of its resource. A second release is refused."""
    reservation = Reservation.objects.for_actor(by).locked().get(uid=reservation_uid)
    if not reservation.live:
        raise RuleError("reservation.released", _("This plan was already taken back."))
    reservation.live = False
    reservation.save(update_fields=["live"])
    record(reservation, events.RESOURCE_RELEASED, by=by, subject=reservation.subject_uid)
    return reservation


@transaction.atomic
def person_in_plan(*, employee: Employee, by: Actor) -> Resource:
    """The person as a row of the plan; who is given work for the first time is added to it (2.4)."""
    resource, created = Resource.objects.get_or_create(
        employee=employee,
        defaults={
            "store_id": employee.store_id,
            "kind": ResourceKind.PERSON,
            "code": employee.number,
            "name": employee.name,
        },
    )
    if created:
        record(resource, events.RESOURCE_ADDED, by=by, kind=ResourceKind.PERSON, employee=employee.uid)
    return resource
