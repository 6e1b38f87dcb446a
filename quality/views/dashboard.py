"""Dashboard and figure pages."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

from django.http import Http404

from dealership.kernel import clock
from dealership.kernel.pages import Page
from dealership.process.figures import FIGURES
from dealership.process.selectors.figures import by_day, by_dimension, read, rows_behind
from quality import permissions
from quality.selectors import dashboard as reads
from staff.models import Employee


class DashboardPage(Page):
    """6.2: six figures, what is out of control, why cars wait, advisors, technicians, arrivals."""

    permission = permissions.DASHBOARD_VIEW
    template_name = "quality/dashboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        name = self.request.GET.get("period", "week")
        if name not in reads.PERIODS:
            name = "week"
        first, last = reads.period(name)
        return super().get_context_data(**kwargs) | {
            "period": name,
            "first": first,
            "last": last,
            "standing": reads.standing(self.actor),
            "tiles": reads.tiles(self.actor, first, last),
            "chart": reads.control_chart(self.actor, "delivery.on_time", last),
            "waiting": reads.waiting(self.actor, first, last),
            "advisors": reads.advisors(self.actor, first, last),
            "technicians": reads.technicians(self.actor, first, last),
            "heat": reads.heat(self.actor, last),
        }


class FigurePage(Page):
    """6.1: one figure with its formula, population, days, people and every row behind it."""

    permission = permissions.DASHBOARD_VIEW
    template_name = "quality/figure.html"

    def span(self) -> tuple[str, date, date]:
        """The days looked at: one day of the last year, or the last 1, 7 or 30."""
        given = self.request.GET.get("day", "")
        with suppress(ValueError):
            day = date.fromisoformat(given)
            if clock.today() - timedelta(days=3700) <= day <= clock.today():
                return "", day, day
        name = self.request.GET.get("period", "month")
        name = name if name in reads.PERIODS else "month"
        return name, *reads.period(name)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = self.kwargs["code"]
        if code not in FIGURES:
            raise Http404(code)
        period, first, last = self.span()
        who = self.request.GET.get("who")
        page = self.request.GET.get("page", "1")
        people = by_dimension(self.actor, code, first, last)
        uids = {r.dimension for r in people} | {who or ""}
        names = {
            str(uid): name
            for uid, name in Employee.objects.filter(uid__in=[uid for uid in uids if len(uid) == 36]).values_list(
                "uid", "name"
            )
        }
        behind = rows_behind(
            self.actor,
            code,
            first,
            last,
            dimension=who,
            page=int(page) if page.isdecimal() and 0 < len(page) < 6 and int(page) else 1,
        )
        return super().get_context_data(**kwargs) | {
            "figure": FIGURES[code],
            "whole": read(self.actor, code, first, last, dimension=who or ""),
            "days": by_day(self.actor, code, first, last, dimension=who or "")[::-1],
            "people": [(reads.dimension_label(r.dimension, names), r) for r in people],
            "behind": behind,
            "yes_or_no": FIGURES[code].scale == 100
            and all(r.numerator in (0, 1) and r.denominator == 1 for r in behind.rows),
            "who": who,
            "who_name": reads.dimension_label(who, names) if who is not None else "",
            "period": period,
            "first": first,
            "last": last,
            "query": f"day={first.isoformat()}" if not period else f"period={period}",
        }
