"""The proposed plan: asked for, worked out by a worker, looked at, accepted or not (2.4).

Lock order: proposal, then resources, orders, lines as everywhere. What a person accepts goes through the dispatch
commands in one transaction: all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Resource, ResourceKind
from dealership.catalogue.services import plans
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.states import require
from workshop import events, permissions, planning
from workshop.limits import PLANNER_SECONDS
from workshop.models import (
    PROPOSAL_MOVES,
    ChangeKind,
    ChangeReason,
    Clocking,
    Dispatch,
    DispatchProposal,
    OrderLine,
    PlanChange,
    ProposalCause,
    ProposalState,
    RepairOrder,
)
from workshop.selectors import replan
from workshop.services import shares
from workshop.services.dispatch import give_back_plans, give_out, release_booking

P = ProposalState
LEASE = timedelta(seconds=30)
"""A run that gives no sign of life for so long is taken for dead."""
GIVE_UP = timedelta(minutes=10)
PULSE = 0.5
BROKEN = (ChangeReason.CONFLICT, ChangeReason.BUSY, ChangeReason.BAY, ChangeReason.PERSON)
"""Reasons why a job can't run where it stands."""


class Ended(Exception):
    """The proposal isn't wanted any more, or another run has taken it over."""


# --- asking and ending ---


@transaction.atomic
def ask_proposal(*, by: Actor, cause: str = ProposalCause.WISH, store: Store | None = None) -> DispatchProposal:
    """Asks a worker to plan the store's open work anew (2.4). One that waits to be looked at goes out of date.

    Raises RuleError ``proposal.cause``; RaceLost ``proposal.running`` while one is being worked out.
    """
    by.require(permissions.PLAN_DISPATCH)
    if cause not in ProposalCause.values:
        raise RuleError("proposal.cause", _("There is no such reason for a new plan."), field="cause")
    store = store or Store.objects.get(pk=by.store_id)
    for earlier in DispatchProposal.objects.filter(store=store, state__in=(P.RUNNING, P.READY)).locked().order_by("pk"):
        if earlier.state == P.RUNNING:
            raise RaceLost(
                "proposal.running",
                _("A plan is being worked out already; look at that one first."),
                proposal=earlier.uid,
            )
        _end(earlier, P.EXPIRED, events.PROPOSAL_EXPIRED, by)
    proposal = DispatchProposal.objects.create(
        store=store,
        cause=cause,
        asked_by=by.user,
        seconds=limits.value(PLANNER_SECONDS, store_id=store.pk),
    )
    record(proposal, events.PROPOSAL_ASKED, by=by, cause=cause)
    return proposal


def plan_without_part(*, line_uid: UUID, store_id: int) -> DispatchProposal | None:
    """Asks for a new plan where the line has a plan ahead that counted on a part which is gone (3.2); None where not."""
    planned = Dispatch.objects.filter(line__uid=line_uid, live=True, starts_at__gt=clock.now())
    if not planned.exists():
        return None
    return ask_proposal(by=machine("parts", store_id=store_id), cause=ProposalCause.PARTS)


def _end(proposal: DispatchProposal, state: ProposalState, event: str, by: Actor, **facts: Any) -> DispatchProposal:
    require(PROPOSAL_MOVES, ProposalState(proposal.state), state)
    before, proposal.state, proposal.ended_at = proposal.state, state, clock.now()
    proposal.save(update_fields=["state", "ended_at", "problem"])
    record(proposal, event, by=by, changed={"state": (before, state)}, **facts)
    return proposal


def _locked(uid: UUID, by: Actor) -> DispatchProposal:
    return DispatchProposal.objects.for_actor(by).locked().select_related("store").get(uid=uid)


@transaction.atomic
def reject_proposal(*, uid: UUID, by: Actor) -> DispatchProposal:
    """The proposal isn't wanted; one that is being worked out is stopped. The plan stays as it is (2.4)."""
    by.require(permissions.PLAN_DISPATCH)
    return _end(_locked(uid, by), P.REJECTED, events.PROPOSAL_REJECTED, by)


@transaction.atomic
def fail_proposal(*, uid: UUID, problem: str) -> DispatchProposal | None:
    """The worker couldn't do it; ``problem`` is a code that the page puts into words."""
    proposal = DispatchProposal.objects.locked().filter(uid=uid, state=P.RUNNING).first()
    if proposal is None:
        return None
    proposal.problem = problem[:60]
    by = machine("planner", store_id=proposal.store_id)
    return _end(proposal, P.FAILED, events.PROPOSAL_FAILED, by, problem=proposal.problem)


def expire_proposals() -> int:
    """Proposals that nobody accepted in their time are out of date; returns how many (every minute)."""
    done = 0
    for found in replan.out_of_date():
        with transaction.atomic():
            row = DispatchProposal.objects.locked().filter(pk=found.pk, state=P.READY).first()
            if row is not None:
                _end(row, P.EXPIRED, events.PROPOSAL_EXPIRED, machine("planner", store_id=row.store_id))
                done += 1
    return done


# --- working it out ---


@dataclass
class Search:
    """What the solver's thread tells the worker."""

    found: int = 0
    cost: int = 0
    bound: int = 0
    plan: planning.Plan | None = None
    error: BaseException | None = None
    enders: list[Callable[[], None]] = field(default_factory=list)

    def note(self, cost: int, bound: int) -> None:
        self.found, self.cost, self.bound = self.found + 1, cost, bound


def work_out(*, uid: UUID) -> DispatchProposal | None:
    """RUNNING → READY: reads the shop, lets the solver look for its time, writes what would change and why (2.4).

    Safe to run twice: one run at a time holds the proposal, and what another has ended is left alone. None where there
    was nothing to do.
    """
    run = uuid4()
    with transaction.atomic():
        proposal = DispatchProposal.objects.locked().select_related("store").filter(uid=uid, state=P.RUNNING).first()
        now = clock.written_now()
        if proposal is None or (proposal.seen_at is not None and proposal.seen_at > now - LEASE):
            return None
        proposal.run, proposal.seen_at = run, now
        proposal.save(update_fields=["run", "seen_at"])
        problem = replan.read_problem(proposal.store)
    try:
        plan = _search(proposal, problem, run)
    except Ended:
        return None
    return _propose(proposal.uid, run, problem, plan)


def _search(proposal: DispatchProposal, problem: replan.Problem, run: UUID) -> planning.Plan:
    """The solver in a thread of its own, while this one writes the progress and looks whether it is still wanted."""
    search = Search()
    limited = getattr(settings, "PLANNER_DETERMINISTIC", None)

    def look() -> None:
        try:
            search.plan = planning.optimize(
                problem.shop,
                problem.jobs,
                seconds=600 if limited else proposal.seconds,
                workers=1 if limited else 2,
                deterministic=limited,
                progress=search.note,
                begun=search.enders.append,
            )
        except BaseException as error:  # it is raised where the worker sees it
            search.error = error

    thread = Thread(target=look, name="planner", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(PULSE)
            if thread.is_alive() and not _sign_of_life(proposal.pk, run, search):
                raise Ended
    except BaseException:
        for end in search.enders:
            end()
        raise
    if search.error is not None:
        raise search.error
    assert search.plan is not None
    return search.plan


def _sign_of_life(pk: int, run: UUID, search: Search) -> bool:
    """Writes how far the search is; False where the proposal was ended or another run has it."""
    rows = DispatchProposal.objects.filter(pk=pk, run=run, state=P.RUNNING)
    return bool(rows.update(seen_at=clock.written_now(), found=search.found, cost=search.cost, bound=search.bound))


@transaction.atomic
def _propose(uid: UUID, run: UUID, problem: replan.Problem, plan: planning.Plan) -> DispatchProposal | None:
    proposal = DispatchProposal.objects.locked().filter(uid=uid, run=run, state=P.RUNNING).first()
    if proposal is None:
        return None
    rows = [
        _change(proposal, position, change, problem)
        for position, change in enumerate(planning.changes(problem.jobs, plan, problem.shop), 1)
        if not (change.kind == ChangeKind.LEFT and change.before is None)
    ]
    for row in rows:
        row.save()
    left = [change for change in plan.left if not problem.plans.get(change)]
    require(PROPOSAL_MOVES, ProposalState(proposal.state), P.READY)
    proposal.state, proposal.ready_at = P.READY, clock.now()
    proposal.expires_at = max(problem.usable_until, proposal.ready_at)
    proposal.cost, proposal.bound, proposal.basis = plan.cost, plan.bound, problem.basis
    proposal.summary = _summary(problem, plan, rows, left)
    proposal.save(update_fields=["state", "ready_at", "expires_at", "cost", "bound", "basis", "summary"])
    record(
        proposal,
        events.PROPOSAL_READY,
        by=machine("planner", store_id=proposal.store_id),
        changed={"state": (P.RUNNING, P.READY)},
        changes=len(rows),
        proven=plan.proven,
    )
    return proposal


def _change(proposal: DispatchProposal, position: int, change: planning.Change, problem: replan.Problem) -> PlanChange:
    slot = change.after
    job = next(job for job in problem.jobs if job.id == change.job)
    people = [problem.people[who] for who in slot.people] if slot else []
    earlier = problem.plans.get(change.job, [])
    return PlanChange(
        proposal=proposal,
        position=position,
        line=problem.lines[change.job],
        kind=change.kind,
        replaces=earlier[0] if earlier else None,
        technician=people[0] if people else None,
        second=people[1] if len(people) > 1 else None,
        bay=problem.bays[slot.bay] if slot else None,
        starts_at=problem.at(slot.start) if slot else None,
        ends_at=problem.at(slot.end) if slot else None,
        reason=_reason_of_new(job) if change.kind == ChangeKind.NEW else change.reason,
        other=problem.lines.get(change.other),
        until=problem.at(change.until) if change.until else None,
        saved=max(0, change.saved),
        late=_late(problem, job, slot.end) if slot else 0,
    )


def _reason_of_new(job: planning.Job) -> str:
    if job.waiting:
        return ChangeReason.WAITING
    if job.rework:
        return ChangeReason.REWORK
    return ChangeReason.PROMISE if job.due is not None else ChangeReason.EARLIER


def _late(problem: replan.Problem, job: planning.Job, end: int) -> int:
    """Minutes after the promise the customer was given; 0 without one."""
    return planning.lateness(job, end) if problem.lines[job.id].order.promised_at is not None else 0


def _summary(problem: replan.Problem, plan: planning.Plan, rows: list[PlanChange], left: list[str]) -> dict[str, Any]:
    """Before and after in figures; lines stand by their uid.

    What is late is counted over the lines given out both before and after, so that the two sides can be compared; the
    lines that only the new plan gives out stand apart (``fresh``).
    """
    before = [(job, job.now.end) for job in problem.jobs if job.now is not None and job.id in plan.slots]
    after = [(job, plan.slots[job.id].end) for job, _end in before]
    fresh = [(job, plan.slots[job.id].end) for job in problem.jobs if job.now is None and job.id in plan.slots]

    def late(pairs: list[tuple[planning.Job, int]]) -> dict[str, int]:
        minutes = [(job, _late(problem, job, end)) for job, end in pairs]
        return {
            "late": sum(1 for _job, more in minutes if more),
            "minutes": sum(more for _job, more in minutes),
            "waiting_late": sum(1 for job, more in minutes if more and job.waiting),
        }

    impossible = [row for row in rows if row.reason in BROKEN]
    return {
        "jobs": len(problem.jobs),
        "kept": sum(1 for job in problem.jobs if job.now is not None and plan.slots.get(job.id) == job.now),
        "moved": sum(1 for row in rows if row.kind != ChangeKind.NEW),
        "new": sum(1 for row in rows if row.kind == ChangeKind.NEW),
        "left": left,
        "waiting": [str(line.uid) for line in problem.waiting],
        "before": late(before) | {"open": sum(1 for job in problem.jobs if job.now is None), "broken": len(impossible)},
        "after": late(after) | {"open": len(plan.left), "broken": 0},
        "fresh": late(fresh) | {"lines": len(fresh)},
        "gap": round(plan.gap, 4),
        "proven": plan.proven,
    }


# --- accepting ---


@transaction.atomic
def accept_proposal(*, uid: UUID, by: Actor) -> DispatchProposal:
    """The foreman accepts: every change is carried out through the dispatch commands, all of them or none (2.4).

    Raises RuleError ``proposal.nothing``, ``proposal.expired``; RaceLost ``proposal.stale`` where the plan has changed
    since, ``proposal.next_hour`` where somebody works on one of the jobs or it begins within the hour (the database
    refuses that as well), and whatever a dispatch command refuses.
    """
    by.require(permissions.PLAN_DISPATCH)
    proposal = _locked(uid, by)
    require(PROPOSAL_MOVES, ProposalState(proposal.state), P.ACCEPTED)
    now = clock.now()
    if proposal.expires_at is None or now > proposal.expires_at:
        raise RuleError("proposal.expired", _("This plan is out of date; ask for a new one."))
    changes = list(
        proposal.changes.select_related(
            "line__order__store", "line__operation", "proposal", "replaces", "technician", "second", "bay"
        ).order_by("position")
    )
    if not changes:
        raise RuleError("proposal.nothing", _("There is nothing to change; the plan stays as it is."))
    _lock_resources(changes)
    if replan.is_stale(proposal):
        raise RaceLost("proposal.stale", _("The plan has changed since this was worked out; ask for a new one."))
    lines = _lock_lines(changes)
    _leave_the_next_hour(changes)
    said = {change.line_id: shares.held_of(lines[change.line_id]) for change in changes}
    for change in changes:
        line = lines[change.line_id]
        give_back_plans(line, by, gettext("A new plan was accepted."))
        release_booking(line, by=by)
    for uid_of_left in proposal.summary.get("left", []):
        left = OrderLine.objects.select_related("order__visit__appointment").get(uid=uid_of_left)
        release_booking(left, by=by)
    for change in sorted(changes, key=lambda row: (row.starts_at or now, row.position)):  # tools of a kind go round
        if (
            change.kind == ChangeKind.LEFT
            or change.technician is None
            or change.bay is None
            or change.starts_at is None
        ):
            continue
        give_out(
            line_uid=change.line.uid,
            technician_uid=change.technician.uid,
            bay_uid=change.bay.uid,
            starts_at=change.starts_at,
            ends_at=change.ends_at,
            second_uid=change.second.uid if change.second else None,
            by=by,
        )
        if said[change.line_id].by_hand:  # what was said of who does how much goes with the work
            shares.divide_among(lines[change.line_id], said[change.line_id], {})
    return _end(proposal, P.ACCEPTED, events.PROPOSAL_ACCEPTED, by, changes=len(changes))


def _lock_resources(changes: list[PlanChange]) -> None:
    employees = {c.technician_id for c in changes} | {c.second_id for c in changes}
    old = Dispatch.objects.filter(line__in=[c.line_id for c in changes], live=True)
    employees |= set(old.values_list("technician_id", flat=True))
    wanted = {c.bay_id for c in changes if c.bay_id} | set(old.values_list("bay_id", flat=True))
    kinds = {c.line.operation.tool for c in changes if c.line.operation is not None} - {""}
    tools = Resource.objects.filter(store_id=changes[0].proposal.store_id, kind=ResourceKind.TOOL, tool__in=kinds)
    wanted |= set(tools.values_list("pk", flat=True))
    people = Resource.objects.filter(employee_id__in=employees - {None}).values_list("pk", flat=True)
    plans.lock_resources(wanted | set(people))


def _lock_lines(changes: list[PlanChange]) -> dict[int, OrderLine]:
    orders = {
        order.pk: order
        for order in RepairOrder.objects.filter(pk__in={c.line.order_id for c in changes})
        .locked()
        .select_related("store", "visit__appointment")
        .order_by("pk")
    }
    lines = {
        line.pk: line for line in OrderLine.objects.filter(pk__in={c.line_id for c in changes}).locked().order_by("pk")
    }
    for line in lines.values():
        line.order = orders[line.order_id]
    return lines


def _leave_the_next_hour(changes: list[PlanChange]) -> None:
    """Said with its name; the trigger ``dispatchproposal_leaves_the_next_hour`` holds it."""
    now = clock.now()
    running = set(
        Clocking.objects.filter(line__in=[c.line_id for c in changes], ended_at__isnull=True).values_list(
            "line_id", flat=True
        )
    )
    for change in changes:
        old = change.replaces
        soon = old is not None and old.live and old.ends_at > now and old.starts_at < now + replan.FROZEN
        if change.line_id in running or soon:
            raise RaceLost(
                "proposal.next_hour",
                _("Somebody works on “%(line)s” now, or it begins within the hour; that stays. Ask for a new plan."),
                line=change.line.said,
            )
