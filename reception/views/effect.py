"""The page of what the reception achieves, each number with the visits behind it (2.1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, limits
from dealership.kernel.models import Store
from dealership.kernel.pages import Page

from .. import permissions
from ..limits import GREET_MINUTES
from ..selectors import effect as reads

USUAL_DAYS = 14


def day_of(text: str, usual: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return usual


def decimal(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def share(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f} %"


class EffectPage(Page):
    """Wait, abandoned visits, rating and conversion by advisor, hour, weekday or channel."""

    permission = permissions.EFFECT_VIEW
    template_name = "reception/effect.html"

    @cached_property
    def store(self) -> Store:
        return self.request.store  # type: ignore[attr-defined]

    @cached_property
    def span(self) -> tuple[date, date]:
        """First and last day that are asked for, in order, a year at most."""
        today = clock.today(self.store.time_zone)
        last = min(day_of(self.request.GET.get("last", ""), today), today)
        first = day_of(self.request.GET.get("first", ""), last - timedelta(days=USUAL_DAYS - 1))
        return max(min(first, last), last - timedelta(days=reads.LONGEST_DAYS)), last

    @cached_property
    def group(self) -> str:
        asked = self.request.GET.get("by", "")
        return asked if asked in reads.GROUPS else "advisor"

    def query(self, **more: Any) -> str:
        first, last = self.span
        return urlencode({"by": self.group, "first": first, "last": last} | more)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        first, last = self.span
        lines, whole = reads.effect(self.actor, self.store, first, last, self.group)
        shown = self.behind(lines)
        longest = max((line.wait_minutes or 0 for line in lines), default=0)
        return (
            super().get_context_data(**kwargs)
            | {
                "first": first,
                "last": last,
                "group": self.group,
                "groups": [(code, label, f"?{self.query(by=code)}") for code, label in reads.GROUPS.items()],
                "group_label": reads.GROUPS[self.group],
                "lines": [(line, self.query(key=line.key)) for line in lines],
                "whole": whole,
                "strip": list(self.strip(whole)),
                "whole_query": self.query(),
                "limit": limits.value(GREET_MINUTES, store_id=self.store.pk),
                "longest": max(longest, 1),
                "may_open": self.actor.may(permissions.VISITS_VIEW),
            }
            | shown
        )

    def strip(self, whole: reads.Effect) -> Iterator[dict[str, Any]]:
        """The whole store in six numbers."""
        minutes = limits.value(GREET_MINUTES, store_id=self.store.pk)
        over = _("waited over %(minutes)s min") % {"minutes": minutes}
        shares = (
            ("visits", whole.visits, _("arrivals"), ""),
            ("waited", decimal(whole.wait_minutes), _("min until received"), ""),
            ("over", whole.over, over, "soon" if whole.over else ""),
            ("left", whole.left, _("left unreceived"), "late" if whole.left else ""),
            ("rated", decimal(whole.score), _("rating of 5"), ""),
            ("converted", share(whole.conversion), _("became an order"), ""),
        )
        for measure, value, label, tone in shares:
            yield {"value": value, "label": label, "tone": tone, "href": f"?{self.query(show=measure)}#rows"}

    def behind(self, lines: list[reads.Effect]) -> dict[str, Any]:
        """The visits behind the number that was followed, where one was."""
        measure = self.request.GET.get("show", "")
        if measure not in reads.MEASURES:
            return {"behind": None}
        key = self.request.GET.get("key")
        known = {line.key: line.label for line in lines}
        if key not in known:
            key = None
        text = self.request.GET.get("page", "")
        page = int(text) if text.isdecimal() and len(text) < 6 else 1
        found = reads.visits_behind(
            self.actor, self.store, *self.span, group=self.group, key=key, measure=measure, page=page
        )
        given = {"show": measure} | ({} if key is None else {"key": key})
        return {
            "behind": found,
            "measure": reads.MEASURES[measure][0],
            "of": _("Whole store") if key is None else known[key],
            "previous": self.query(**given, page=page - 1) if page > 1 else "",
            "next": self.query(**given, page=page + 1) if found.more else "",
        }
