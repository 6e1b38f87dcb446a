"""Reads of the lifts: which was looked at today, whose monthly service is due (3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef

from dealership.kernel.actors import Actor
from workshop.lift_models import LiftRound, RoundKind
from workshop.maintenance_rules import add_months
from workshop.selectors.tools import today_at, tools
from workshop.tool_models import AssetKind, ToolAsset, ToolState


@dataclass(frozen=True, slots=True)
class LiftRow:
    """A lift with today's look, the last monthly service and the day until which the next one is due."""

    tool: ToolAsset
    today: LiftRound | None
    monthly: LiftRound | None
    due_on: date | None
    late: bool

    @property
    def ready(self) -> bool:
        """Whether it may be used today: in order and looked at."""
        return self.tool.state == ToolState.AVAILABLE and self.today is not None and not self.today.wrong


def lifts(by: Actor) -> list[LiftRow]:
    """Every lift that isn't scrapped, by number."""
    day = today_at(by)
    rows = tools(by).filter(kind=AssetKind.LIFT).exclude(state=ToolState.SCRAPPED).order_by("number", "pk")
    return [lift_row(tool, day) for tool in rows.prefetch_related("rounds__done_by")]


def lift_row(tool: ToolAsset, day: date) -> LiftRow:
    """The rounds of one lift as they stand on ``day``, newest first."""
    rounds = list(tool.rounds.all())
    today = next((row for row in rounds if row.kind == RoundKind.DAILY and row.done_on == day), None)
    monthly = next((row for row in rounds if row.kind == RoundKind.MONTHLY and not row.wrong), None)
    due = add_months(monthly.done_on, 1) if monthly else None
    return LiftRow(tool, today, monthly, due, due is None or due < day)


def not_looked_at(store_id: int, day: date) -> dict[str, ToolAsset]:
    """Lifts in order that nobody has looked at on ``day``, by the name of the bay where they stand (their place)."""
    looked = LiftRound.objects.filter(tool=OuterRef("pk"), kind=RoundKind.DAILY, done_on=day)
    rows = ToolAsset.objects.filter(store_id=store_id, kind=AssetKind.LIFT, state=ToolState.AVAILABLE)
    return {tool.place: tool for tool in rows.filter(~Exists(looked)).order_by("-number")}


def rounds_of(tool: ToolAsset, *, shown: int = 30) -> list[LiftRound]:
    """The last rounds of a lift, newest first."""
    return list(tool.rounds.select_related("done_by")[:shown])
