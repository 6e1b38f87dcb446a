"""Dashboard and figure pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404

from dealership.kernel.pages import Page
from dealership.process.figures import FIGURES
from dealership.process.selectors.figures import by_day, by_dimension, read
from quality import permissions
from quality.selectors import dashboard as reads
from staff.models import Employee


class DashboardPage(Page):
    """6.2: six figures, what is out of control, why cars wait, advisors, arrivals."""

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
            "heat": reads.heat(self.actor, last),
        }


class FigurePage(Page):
    """6.1: one figure with its formula, population, days and people."""

    permission = permissions.DASHBOARD_VIEW
    template_name = "quality/figure.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = self.kwargs["code"]
        if code not in FIGURES:
            raise Http404(code)
        first, last = reads.period("month")
        people = by_dimension(self.actor, code, first, last)
        names = {
            str(uid): name
            for uid, name in Employee.objects.filter(uid__in=[r.dimension for r in people if len(r.dimension) == 36])
            .values_list("uid", "name")
        }  # fmt: skip
        return super().get_context_data(**kwargs) | {
            "figure": FIGURES[code],
            "whole": read(self.actor, code, first, last),
            "days": by_day(self.actor, code, last - timedelta(days=29), last)[::-1],
            "people": [(names.get(r.dimension, r.dimension), r) for r in people],
            "first": first,
            "last": last,
        }
