"""Shares of a line: how its standard hours are divided among those who are given it (3.2, 6.1).

Live dispatches of a line share 100 per cent between them; the database adds up (``dispatch_shares_add_up``). Callers hold
the line's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import saying
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from workshop import events, permissions
from workshop.models import Clocking, Dispatch, OrderLine
from workshop.services.orders import locked_line
from workshop.share_rules import WHOLE, Held, divide, equal_parts, without


def live_rows(line: OrderLine) -> list[Dispatch]:
    return list(line.dispatches.filter(live=True).select_related("technician").order_by("pk"))


def held_of(line: OrderLine) -> Held:
    """The shares as they stand, by the person's key."""
    rows = live_rows(line)
    return Held({row.technician_id: row.share for row in rows}, any(row.share_said for row in rows))


def write_shares(line: OrderLine, held: Held, *, reason: str = "") -> list[tuple[Dispatch, int]]:
    """Brings the live dispatches to these shares; returns what changed with the share before."""
    changed = []
    for row in live_rows(line):
        share = held.shares[row.technician_id]
        if (row.share, row.share_said) == (share, held.by_hand):
            continue
        before, row.share, row.share_said = row.share, share, held.by_hand
        if reason:
            row.share_reason = reason
        row.save(update_fields=["share", "share_said", "share_reason"])
        if before != share:
            changed.append((row, before))
    return changed


def divide_among(line: OrderLine, before: Held, said: Mapping[int, int]) -> None:
    """After the line was given out: shares as ``said``, else as they were. Raises RuleError ``dispatch.shares``."""
    people = [row.technician_id for row in live_rows(line)]
    held = divide(people, before, said)
    if held is None and len(people) == 1:
        raise RuleError(
            "dispatch.shares",
            _("A second person is missing: name who does the rest, or leave the share empty."),
            field="share",
        )
    if held is None:
        raise RuleError(
            "dispatch.shares",
            _("The shares of those who are given this line add up to 100 %."),
            field="share",
        )
    write_shares(line, held)


def divide_among_the_rest(line: OrderLine, *, reason: str = "") -> None:
    """After somebody was taken off the line: their share goes to those who stay."""
    rows = live_rows(line)
    if rows and sum(row.share for row in rows) != WHOLE:
        held = Held({row.technician_id: row.share for row in rows}, any(row.share_said for row in rows))
        write_shares(line, without(held, [row.technician_id for row in rows]), reason=reason)


def leave_to_who_worked(line: OrderLine) -> None:
    """As the line is finished: who was given it and never clocked on has no share, unless somebody has said the shares."""
    rows = live_rows(line)
    if len(rows) < 2 or any(row.share_said for row in rows):
        return
    clocked = set(Clocking.objects.filter(line=line).values_list("employee_id", flat=True))
    at_it = [row.technician_id for row in rows if row.technician_id in clocked]
    if at_it:
        shares = dict.fromkeys((row.technician_id for row in rows), 0)
        write_shares(line, Held(shares | dict(zip(at_it, equal_parts(len(at_it)), strict=True))))


@transaction.atomic
def set_shares(*, line_uid: UUID, shares: Mapping[UUID, int], reason: str, by: Actor) -> OrderLine:
    """The foreman says how a line is divided among those who are given it, with a reason, until it is settled (3.2, 6.1).

    ``shares``: per cent by the employee's uid, of each who is given the line. Raises RuleError ``dispatch.reason``,
    ``dispatch.settled``, ``dispatch.shares`` and ``dispatch.shares_people``.
    """
    by.require(permissions.PLAN_DISPATCH)
    if not reason.strip():
        raise RuleError("dispatch.reason", _("Say why the shares are set so."), field="reason")
    line = locked_line(line_uid, by, living=False)
    if line.settled:
        raise RuleError("dispatch.settled", _("This line is settled; its shares stay."))
    rows = live_rows(line)
    given = {row.technician.uid: row.technician_id for row in rows}
    if set(shares) != set(given):
        raise RuleError(
            "dispatch.shares_people",
            _("Name the share of each who is given this line: %(names)s."),
            names=saying.say_list([row.technician.name for row in rows]) or "—",
        )
    if any(share < 0 for share in shares.values()) or sum(shares.values()) != WHOLE:
        raise RuleError(
            "dispatch.shares",
            _("The shares of those who are given this line add up to 100 %."),
            field="share",
        )
    held = Held({given[uid]: share for uid, share in shares.items()}, by_hand=True)
    for row, before in write_shares(line, held, reason=reason.strip()[:200]):
        row.line = line
        record(
            row,
            events.DISPATCH_SHARED,
            by=by,
            changed={"share": (before, row.share)},
            employee=row.technician.uid,
            line=line.uid,
        )
    return line
