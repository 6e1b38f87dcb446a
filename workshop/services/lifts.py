"""Commands on the rounds of lifts (3.4, domain 3.7). Lock order: tool."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.lift_models import POINTS, LiftRound, RoundKind
from workshop.services.tools import locked_tool, today_of
from workshop.tool_models import AssetKind, ToolState


@transaction.atomic
def record_round(*, uid: UUID, kind: str, by: Actor, wrong: Sequence[str] = (), note: str = "") -> LiftRound:
    """3.4: a lift was looked at today (store's calendar); what is ``wrong`` takes it out of use until a test passes.

    Who takes tools makes the daily round, who tests them the monthly one. Raises RuleError ``lift.person``, ``.none``,
    ``.kind``, ``.point``, ``.note`` and ``.done``.
    """
    by.require(permissions.TOOLS_TAKE if kind == RoundKind.DAILY else permissions.TOOLS_CHECK)
    person = employee_of(by)
    if person is None:
        raise RuleError("lift.person", _("Only a colleague makes the round of a lift."))
    if kind not in RoundKind.values:
        raise RuleError("lift.kind", _("Say which round it was."), field="kind")
    tool = locked_tool(uid, by)
    if tool.kind != AssetKind.LIFT or tool.state == ToolState.SCRAPPED:
        raise RuleError("lift.none", _("Rounds are made on lifts that are in the shop (3.4)."))
    found, words = sorted(set(wrong)), note.strip()[:200]
    if set(found) - {str(point) for point in POINTS[RoundKind(kind)]}:
        raise RuleError("lift.point", _("Choose from the points of this round."), field="wrong")
    if found and not words:
        raise RuleError("lift.note", _("Say what is wrong with the lift."), field="note")
    today = today_of(tool)
    if not found and LiftRound.objects.filter(tool=tool, kind=kind, done_on=today, wrong=[]).exists():
        raise RuleError("lift.done", _("This round is written down for today already."))
    before = tool.state
    made = LiftRound.objects.create(
        store_id=tool.store_id, tool=tool, kind=kind, done_on=today, wrong=found, note=words, done_by=person
    )
    tool.refresh_from_db(fields=["state"])
    record(
        tool,
        events.LIFT_FAILED if found else events.LIFT_LOOKED_AT,
        by=by,
        changed={"state": (before, tool.state)} if before != tool.state else None,
        round=made.uid,
        kind=kind,
        wrong=len(found),
    )
    return made
