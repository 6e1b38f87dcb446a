"""Background work of chapter 3."""

from __future__ import annotations

from uuid import UUID

from billiard.exceptions import SoftTimeLimitExceeded
from celery import shared_task

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.tasks import periodic

from .selectors import replan
from .selectors.tools import to_remind_of
from .selectors.work import open_clockings
from .services import clocking, proposals
from .services.tools import remind_of_tool

TOO_LONG, LOST, BROKEN = "too_long", "lost", "broken"
"""Why there is no plan; the page puts them into words."""


@shared_task(name="workshop.propose_plan", soft_time_limit=120, time_limit=150)
def propose_plan(uid: str) -> None:
    """Works out the proposal that was asked for; what goes wrong is told on its page (2.4)."""
    try:
        proposals.work_out(uid=UUID(uid))
    except SoftTimeLimitExceeded:
        proposals.fail_proposal(uid=UUID(uid), problem=TOO_LONG)
    except Exception:
        proposals.fail_proposal(uid=UUID(uid), problem=BROKEN)
        raise


@periodic("workshop.tend_proposals", seconds=30)
def tend_proposals() -> int:
    """Every half minute: what nobody accepted is out of date, what its worker left is taken up again or given up (2.4)."""
    now = clock.written_now()
    still = replan.standing_still(now - proposals.LEASE)
    for proposal in still:
        if proposal.asked_at < now - proposals.GIVE_UP:
            proposals.fail_proposal(uid=proposal.uid, problem=LOST)
        else:
            propose_plan.delay(str(proposal.uid))
    return len(still) + proposals.expire_proposals()


@periodic("workshop.close_left_clocks", seconds=600)
def close_left_clocks() -> int:
    """Every ten minutes: clocks that were left open at the end of a shift are closed and flagged; returns how many (3.2)."""
    return sum(
        clocking.close_left_clocking(uid=row.uid, by=machine("clocks", store_id=row.store_id)) is not None
        for row in open_clockings()
        if clocking.left_since(row) is not None
    )


@periodic("workshop.remind_of_tools", seconds=3600)
def remind_of_tools() -> int:
    """Tells keepers of calibrations and tests that are due or overdue, each once; returns how many were told (3.4)."""
    return sum(remind_of_tool(uid=tool.uid, by=machine("tools", store_id=tool.store_id)) for tool in to_remind_of())
