"""Reads of the lifts: which was looked at today, whose monthly service is due, which bay one shuts (3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext

from dealership.catalogue.models import Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_date, say_name
from workshop.lift_models import LiftRound, RoundKind
from workshop.maintenance_rules import add_months
from workshop.models import Dispatch, LineState
from workshop.selectors.tools import today_at, tools
from workshop.tool_models import STOPPED, AssetKind, ToolAsset, ToolState


@dataclass(frozen=True, slots=True)
class LiftRow:
    """A lift with today's look, the last monthly service and the day until which the next one is due."""

    tool: ToolAsset
    today: LiftRound | None
    monthly: LiftRound | None
    due_on: date | None
    late: bool
    fit: bool
    """In order and in date: its bay may be used."""
    looked: bool
    """Somebody looked at it today and found all in order."""

    @property
    def ready(self) -> bool:
        """Whether it may be used today: in order, in date and looked at."""
        return self.fit and self.looked


def lifts(by: Actor) -> list[LiftRow]:
    """Every lift that isn't scrapped, by number."""
    day = today_at(by)
    rows = tools(by).filter(kind=AssetKind.LIFT).exclude(state=ToolState.SCRAPPED).order_by("number", "pk")
    return [lift_row(tool, day) for tool in rows.select_related("bay").prefetch_related("rounds__done_by")]


def lift_row(tool: ToolAsset, day: date) -> LiftRow:
    """The rounds of one lift as they stand on ``day``, newest first."""
    rounds = list(tool.rounds.all())
    daily = [row for row in rounds if row.kind == RoundKind.DAILY and row.done_on == day]
    monthly = next((row for row in rounds if row.kind == RoundKind.MONTHLY and not row.wrong), None)
    due = add_months(monthly.done_on, 1) if monthly else None
    return LiftRow(
        tool,
        next(iter(daily), None),
        monthly,
        due,
        due is None or due < day,
        last_day(tool) >= day,
        any(not row.wrong for row in daily),
    )


def last_day(lift: ToolAsset) -> date:
    """The last day on which a lift may be used as it stands; ``date.min`` where it may not be used at all."""
    return date.min if lift.state in STOPPED or lift.valid_until is None else lift.valid_until


def why_unfit(lift: ToolAsset, day: date) -> str:
    """Why a lift isn't to be used on ``day``, for whoever wants its bay; "" where it may."""
    if lift.state in STOPPED:
        state = lift.get_state_display()
        found = gettext("%(state)s: %(note)s") % {"state": state, "note": lift.state_note} if lift.state_note else state
    elif lift.valid_until is None:
        found = gettext("never tested")
    elif lift.valid_until < day:
        found = gettext("its test runs out on %(day)s") % {"day": say_date(lift.valid_until, today=day)}
    else:
        return ""
    return f"{say_name(lift.name)} – {found}"


@dataclass(frozen=True, slots=True)
class BayLift:
    """The lift by which a bay stands or falls: of several the one that may be used the shortest."""

    lift: ToolAsset
    looked: bool

    @property
    def last_day(self) -> date:
        return last_day(self.lift)

    @property
    def name(self) -> str:
        return self.lift.name

    def unfit(self, day: date) -> str:
        return why_unfit(self.lift, day)

    def unseen(self, day: date) -> bool:
        """In order, and nobody has looked at it on the day it was asked for."""
        return not self.looked and self.last_day >= day


def bay_lifts(store_id: int, day: date) -> dict[int, BayLift]:
    """The lift of each bay that has one, by the bay's key, with whether it was found in order on ``day``."""
    looked = LiftRound.objects.filter(tool=OuterRef("pk"), kind=RoundKind.DAILY, done_on=day, wrong=[])
    rows = ToolAsset.objects.filter(store_id=store_id, kind=AssetKind.LIFT, bay__isnull=False)
    rows = rows.exclude(state=ToolState.SCRAPPED).annotate(looked=Exists(looked))
    found: dict[int, BayLift] = {}
    for tool in sorted(rows, key=lambda row: (last_day(row), row.looked, row.number)):
        assert tool.bay_id is not None
        found.setdefault(tool.bay_id, BayLift(tool, bool(tool.looked)))
    return found


def lift_of(bay: Resource) -> BayLift | None:
    """The lift by which one bay stands or falls."""
    return bay_lifts(bay.store_id, clock.today()).get(bay.pk)


def jobs_ahead(lift: ToolAsset) -> int:
    """How many jobs are planned from now on in the bay where the lift stands."""
    plans = Dispatch.objects.filter(bay_id=lift.bay_id, live=True, ends_at__gt=clock.now())
    return plans.filter(line__state__in=(LineState.AUTHORIZED, LineState.IN_PROGRESS)).values("line").distinct().count()


def bays_to_tie(by: Actor) -> Iterable[Resource]:
    """Bays in which a lift may stand."""
    return Resource.objects.for_actor(by).filter(kind=ResourceKind.BAY, active=True).order_by("position", "pk")


def rounds_of(tool: ToolAsset, *, shown: int = 30) -> list[LiftRound]:
    """The last rounds of a lift, newest first."""
    return list(tool.rounds.select_related("done_by")[:shown])


@dataclass(frozen=True, slots=True)
class ShutBay:
    """A bay that its lift shuts, with what is planned there from now on."""

    bay: Resource
    lift: ToolAsset
    why: str
    plans: list[Any]
