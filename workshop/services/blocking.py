"""Bays out of use for a time: a lift that leaks, equipment that is calibrated (2.4). A block is a plan like any other.

Lock order (design 5): resources, orders, lines. Plans never overlap, so what is planned in that time makes room first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
from dealership.catalogue.services import plans
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.saying import say_time
from workshop import events, permissions, rules
from workshop.models import Dispatch, OrderLine, RepairOrder
from workshop.services.dispatch import take_back

LONGEST = timedelta(days=31)


@dataclass
class _Hits:
    work: list[Reservation]
    bookings: list[Reservation]


@transaction.atomic
def block_bay(
    *, bay_uid: UUID, starts_at: datetime, ends_at: datetime, reason: str, by: Actor, make_room: bool = False
) -> Reservation:
    """Takes a bay out of use for a time, with the reason (2.4). Times are aware.

    ``make_room``: work planned there goes back to be given out, who is clocked on goes on, bookings move to another bay
    that serves. Raises RuleError ``block.reason``, ``.period``, ``.hits`` (something is planned there and no room is to be
    made), ``.booking`` (no other bay for a booking); RaceLost ``reservation.taken`` where it is blocked already.
    """
    by.require(permissions.PLAN_DISPATCH)
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise ValueError("A plan's times are aware.")
    if not reason.strip():
        raise RuleError("block.reason", _("Say why the bay is out of use."), field="reason")
    if ends_at <= starts_at or ends_at <= clock.now() or ends_at - starts_at > LONGEST:
        raise RuleError(
            "block.period", _("The end lies after the beginning and ahead, 31 days later at most."), field="ends_at"
        )
    bay = Resource.objects.for_actor(by).get(uid=bay_uid, kind=ResourceKind.BAY)
    bays = plans.lock_resources(
        Resource.objects.filter(store_id=bay.store_id, kind=ResourceKind.BAY, active=True).values_list("pk", flat=True)
    )
    hits = _hits(bay, starts_at, ends_at)
    if (hits.work or hits.bookings) and not make_room:
        raise RuleError(
            "block.hits",
            _("In this time %(work)s jobs and %(bookings)s bookings are planned in %(bay)s; tick that room is made."),
            field="make_room",
            work=len(hits.work),
            bookings=len(hits.bookings),
            bay=bay.said,
        )
    given_back = _free_work(hits.work, reason=reason, by=by)
    for booking in hits.bookings:
        _move_booking(booking, bay, list(bays.values()), by)
    block = plans.reserve(
        resource_uid=bay.uid,
        starts_at=starts_at,
        ends_at=ends_at,
        purpose=ReservationPurpose.BLOCKED,
        subject_uid=None,
        note=reason.strip(),
        by=by,
    )
    block.refresh_from_db(fields=["period"])
    record(block, events.BAY_BLOCKED, by=by, bay=bay.uid, given_back=given_back, bookings=len(hits.bookings))
    return block


def _hits(bay: Resource, starts_at: datetime, ends_at: datetime) -> _Hits:
    rows = Reservation.objects.filter(
        resource=bay, live=True, period__startswith__lt=ends_at, period__endswith__gt=starts_at
    )
    found = list(rows.locked().order_by("pk"))
    return _Hits(
        [row for row in found if row.purpose == ReservationPurpose.WORK],
        [row for row in found if row.purpose == ReservationPurpose.APPOINTMENT],
    )


def _free_work(held: list[Reservation], *, reason: str, by: Actor) -> int:
    """Work goes back to be given out; who is clocked on goes on where the car stands, without the bay's plan."""
    uids = [row.subject_uid for row in held]
    orders = OrderLine.objects.filter(uid__in=uids).values("order_id")
    list(RepairOrder.objects.filter(pk__in=orders).locked().order_by("pk"))
    lines = {line.uid: line for line in OrderLine.objects.filter(uid__in=uids).locked().order_by("pk")}
    done = 0
    for row in held:
        line = lines.get(row.subject_uid) if row.subject_uid else None
        if line is None or line.clockings.filter(ended_at__isnull=True).exists():
            plans.release(reservation_uid=row.uid, by=by)
            continue
        for pk in _planned_here(line, row).values_list("pk", flat=True):
            dispatch = Dispatch.objects.select_related("technician", "bay", "bay_plan", "tool_plan", "person_plan").get(
                pk=pk
            )
            if dispatch.live:
                dispatch.line = line
                why = gettext("%(bay)s is out of use: %(reason)s") % {
                    "bay": dispatch.bay.said,
                    "reason": reason.strip(),
                }
                take_back(dispatch, by=by, reason=why[:200])
                done += 1
        if Reservation.objects.filter(pk=row.pk, live=True).exists():
            plans.release(reservation_uid=row.uid, by=by)
    return done


def _planned_here(line: OrderLine, row: Reservation):
    return line.dispatches.filter(
        live=True, bay_id=row.resource_id, starts_at__lt=row.period.upper, ends_at__gt=row.period.lower
    ).order_by("pk")


def _move_booking(booking: Reservation, bay: Resource, bays: list[Resource], by: Actor) -> None:
    """A car that is expected gets another bay for the same time: the plainest that serves what this one does."""
    start, end = booking.period.lower, booking.period.upper
    fitting = [
        other
        for other in bays
        if other.pk != bay.pk and bay.capability and rules.bay_serves(bay.capability, other.capability)
    ]
    for other in sorted(fitting, key=lambda one: (one.capability != bay.capability, one.position, one.pk)):
        held = Reservation.objects.filter(
            resource=other, live=True, period__startswith__lt=end, period__endswith__gt=start
        )
        taken = plans.taken_spans(held.values_list(*plans.PLANNED)).get(other.pk, ())
        if not any(lower < end and upper > start for lower, upper in taken):
            plans.release(reservation_uid=booking.uid, by=by)
            plans.reserve(
                resource_uid=other.uid,
                starts_at=start,
                ends_at=end,
                purpose=ReservationPurpose.APPOINTMENT,
                subject_uid=booking.subject_uid,
                note=booking.note,
                by=by,
            )
            return
    raise RuleError(
        "block.booking",
        _("No other bay is free for the booking %(number)s at %(time)s; move that booking first."),
        number=booking.note,
        time=say_time(start, now=clock.now()),
    )


@transaction.atomic
def unblock_bay(*, uid: UUID, by: Actor) -> Reservation:
    """The bay is to be had again; what was of the block stays as it was (2.4). Refused where it has ended."""
    by.require(permissions.PLAN_DISPATCH)
    block = (
        Reservation.objects.for_actor(by)
        .filter(purpose=ReservationPurpose.BLOCKED)
        .locked()
        .select_related("resource")
        .get(uid=uid)
    )
    now = clock.now()
    if not block.live or block.period.upper <= now:
        raise RuleError("block.ended", _("This block has ended already; the bay is to be had."))
    if block.period.lower < now:
        block.period = (block.period.lower, now)
        block.save(update_fields=["period"])
    else:
        plans.release(reservation_uid=block.uid, by=by)
    block.refresh_from_db(fields=["live", "period"])
    record(block, events.BAY_UNBLOCKED, by=by, bay=block.resource.uid)
    return block
