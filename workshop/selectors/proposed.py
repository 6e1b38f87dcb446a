"""A proposed plan as people look at it: figures before and after, each change in words, the board as it would be (2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_plate, say_span, say_time
from workshop.models import (
    ChangeKind,
    ChangeReason,
    Clocking,
    Dispatch,
    DispatchProposal,
    LineHold,
    PlanChange,
    ProposalState,
)
from workshop.selectors import replan
from workshop.selectors.fitness import needs_two
from workshop.selectors.plan import Board, board


@dataclass
class Told:
    """One change: from where, to where, and why, in the reader's words."""

    change: PlanChange
    before: str
    after: str
    why: str
    late: str


@dataclass
class Figure:
    label: str
    before: int
    after: int
    is_span: bool = False
    """Minutes, said as hours and days where they are many."""

    @property
    def tone(self) -> str:
        return "good" if self.after < self.before else "late" if self.after > self.before else ""


@dataclass
class Look:
    """What the page shows; the board only once there is a proposal."""

    proposal: DispatchProposal
    elapsed: int
    told: list[Told]
    figures: list[Figure]
    board: Board | None
    day: date | None
    days: list[date]
    before: bool
    stale: bool
    waiting: int
    left: int
    problem: str

    @property
    def running(self) -> bool:
        return self.proposal.state == ProposalState.RUNNING

    @property
    def ready(self) -> bool:
        return self.proposal.state == ProposalState.READY

    @property
    def acceptable(self) -> bool:
        return self.ready and not self.stale and bool(self.told)

    @property
    def per_cent(self) -> int:
        return min(99, self.elapsed * 100 // max(1, self.proposal.seconds))

    @property
    def fresh(self) -> dict[str, int]:
        """The lines that only the new plan gives out: how many, how many after the promise and by how much."""
        return self.proposal.summary.get("fresh") or {}

    @property
    def gap(self) -> float:
        return round(float(self.proposal.summary.get("gap", 0)) * 100, 1)


def look_at(actor: Actor, proposal: DispatchProposal, *, day: date | None, before: bool) -> Look:
    """The proposal with its changes; ``before`` shows the board as it is, with the same jobs marked."""
    changes = _changes(proposal)
    zone = ZoneInfo(proposal.store.time_zone)
    days = sorted({c.starts_at.astimezone(zone).date() for c in changes if c.starts_at is not None})
    shown = day if day in days else (days[0] if days else None)
    decided = proposal.state not in (ProposalState.RUNNING, ProposalState.READY)
    marked = frozenset(c.line_id for c in changes)
    made = None
    if shown is not None and not decided:
        instead = None if before else [d for change in changes for d in _would_be(change)]
        made = board(actor, day=shown, instead=instead, marked=marked)
    summary = proposal.summary
    stale = proposal.state == ProposalState.READY and (_expired(proposal) or replan.is_stale(proposal))
    return Look(
        proposal=proposal,
        elapsed=int((clock.now() - proposal.asked_at).total_seconds()),
        told=[_tell(change) for change in changes],
        figures=_figures(summary),
        board=made,
        day=shown,
        days=days,
        before=before,
        stale=stale,
        waiting=len(summary.get("waiting", [])),
        left=len(summary.get("left", [])),
        problem=_problem(proposal.problem),
    )


def _expired(proposal: DispatchProposal) -> bool:
    return proposal.expires_at is not None and proposal.expires_at < clock.now()


def _changes(proposal: DispatchProposal) -> list[PlanChange]:
    return list(
        proposal.changes.select_related(
            "line__operation__skill",
            "line__order__vehicle",
            "line__order__visit",
            "replaces__technician",
            "replaces__bay",
            "technician",
            "second",
            "bay",
            "other__order__vehicle",
        )
        .prefetch_related(
            Prefetch("line__clockings", Clocking.objects.order_by("started_at", "id")),
            Prefetch("line__holds", LineHold.objects.filter(ended_at__isnull=True)),
        )
        .order_by("position")
    )


def _would_be(change: PlanChange) -> list[Dispatch]:
    """The plan as it would stand, not kept anywhere."""
    if change.bay is None or change.technician is None or change.starts_at is None or change.ends_at is None:
        return []
    people = [person for person in (change.technician, change.second) if person is not None]
    return [
        Dispatch(
            line=change.line, technician=person, bay=change.bay, starts_at=change.starts_at, ends_at=change.ends_at
        )
        for person in people
    ]


def _figures(summary: dict) -> list[Figure]:
    before, after = summary.get("before"), summary.get("after")
    if not before or not after:
        return []
    return [
        Figure(_("Not given out"), before["open"], after["open"]),
        Figure(_("Can't run as planned"), before["broken"], after["broken"]),
        Figure(_("After the promise"), before["late"], after["late"]),
        Figure(_("Time after the promise"), before["minutes"], after["minutes"], is_span=True),
    ]


def _place(bay: str, people: str, start: datetime) -> str:
    return f"{say_time(start, now=clock.now())} · {bay} · {people}"


def _tell(change: PlanChange) -> Told:
    old, new = change.replaces, ""
    was = _place(old.bay.said, old.technician.name, old.starts_at) if old is not None else _("not given out")
    if change.bay is not None and change.technician is not None and change.starts_at is not None:
        people = "、".join(p.name for p in (change.technician, change.second) if p is not None)
        new = _place(change.bay.said, people, change.starts_at)
    late = _("still %(span)s after the promise") % {"span": say_span(change.late)} if change.late else ""
    return Told(change, was, new or _("no place"), _why(change), late)


def _who_goes(change: PlanChange, old: Dispatch) -> str:
    """Who did the job in the plan in force and doesn't any more: the leading person, else the one who stood by."""
    staying = {change.technician_id, change.second_id}
    if old.technician_id not in staying:
        return old.technician.name
    mates = Dispatch.objects.filter(line=old.line_id, bay=old.bay_id, starts_at=old.starts_at, ends_at=old.ends_at)
    gone = mates.exclude(technician__in=staying - {None}).select_related("technician").order_by("-pk").first()
    return gone.technician.name if gone is not None else old.technician.name


def _why(change: PlanChange) -> str:
    """The reason as a sentence."""
    now = clock.now()
    other = say_plate(change.other.order.vehicle.plate) if change.other is not None else ""
    until = say_time(change.until, now=now) if change.until is not None else ""
    old, promised = change.replaces, change.line.order.promised_at
    reason = change.reason
    if reason == ChangeReason.CONFLICT:
        return _("%(plate)s stands in its place until %(time)s.") % {"plate": other, "time": until}
    if reason == ChangeReason.BUSY and old is not None:
        words = _("%(name)s is at work on %(plate)s until %(time)s.")
        return words % {"name": _who_goes(change, old), "plate": other, "time": until}
    if reason == ChangeReason.NEEDED and old is not None:
        return _("%(name)s is needed more for %(plate)s.") % {"name": _who_goes(change, old), "plate": other}
    if reason == ChangeReason.BAY and old is not None:
        return _("%(bay)s is out of use until %(time)s.") % {"bay": old.bay.said, "time": until or "—"}
    if reason == ChangeReason.PERSON and old is not None:
        return _("%(name)s isn't there at that time.") % {"name": old.technician.name}
    if reason == ChangeReason.PARTS:
        return _("Its parts come on %(time)s.") % {"time": until}
    if reason == ChangeReason.MAKES_ROOM:
        return _("Makes room for %(plate)s, which needs the place more.") % {"plate": other}
    if reason == ChangeReason.PROMISE and change.kind == ChangeKind.NEW and promised is not None:
        return pgettext("why it is planned so", "Promised for %(time)s.") % {"time": say_time(promised, now=now)}
    if reason == ChangeReason.PROMISE:
        return _("As planned it would be ready %(span)s later after the promise.") % {"span": say_span(change.saved)}
    if reason == ChangeReason.WAITING:
        return _("The customer waits in the shop.")
    if reason == ChangeReason.REWORK:
        return _("Rework comes first.")
    if reason == ChangeReason.NO_PLACE and needs_two(change.line):
        return _("No two people with that skill, tested gloves for both and a bay are free in these days.")
    if reason == ChangeReason.NO_PLACE:
        return _("No technician with that skill and no bay is free in these days; choose by hand.")
    return _("Was not given out yet.") if change.kind == ChangeKind.NEW else _("Is done sooner there.")


def _problem(code: str) -> str:
    return {
        "too_long": _("The search took too long and was ended."),
        "lost": _("The background worker didn't answer. Health shows whether it runs."),
        "broken": _("The planner stopped with an error; it is in the log."),
    }.get(code, code)
