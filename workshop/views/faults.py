"""Pages of 三包: who needs care, the judgement of a repair, and what would follow if (domain 3.6)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop import statutory_warranty as law
from workshop.fault_models import FaultJudgement
from workshop.forms import faults as forms
from workshop.models import OrderLine
from workshop.selectors import faults as reads
from workshop.selectors.claims import claim_counts
from workshop.selectors.day_six import day_six_list
from workshop.services import faults as commands

SHOWS = ("all", "rights", "loans", "near")


class AlertsPage(Page):
    permission = permissions.FAULTS_VIEW
    template_name = "workshop/fault_alerts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "all")
        show = asked if asked in (*SHOWS, "judge") else "all"
        return super().get_context_data(**kwargs) | {
            "list": reads.alert_list(self.actor, show=show),
            "lines": list(reads.to_judge(self.actor)[: reads.PAGE]) if show == "judge" else [],
            "show": show,
            "may_judge": self.actor.may(permissions.FAULTS_JUDGE),
            "claims": claim_counts(self.actor),
            "day_six": day_six_list(self.actor),
            "may_campaigns": self.actor.may(permissions.ORDERS_VIEW),
        }


class JudgePage(CommandPage):
    """Whether a line mended a fault of quality, which one, and what was replaced."""

    permission = permissions.FAULTS_JUDGE
    template_name = "workshop/fault_judge.html"
    form_class = forms.JudgeForm
    done = _("The judgement is written; the counters of the car follow it.")

    @cached_property
    def line(self) -> OrderLine:
        return reads.get_line(self.kwargs["uid"], self.actor)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"known": reads.known_faults(self.line)}

    def get_initial(self) -> dict[str, Any]:
        last = reads.judged(self.line)
        if last is None:
            return {"is_quality": "yes"}
        names = (
            "serious",
            "safety",
            "assembly",
            "system",
            "part",
            "wear",
            "left_out_as",
            "left_out_from",
            "left_out_until",
        )
        return {name: getattr(last, name) for name in names} | {
            "is_quality": "yes" if last.is_quality else "no",
            "same_as": last.fault,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        vehicle = self.line.order.vehicle
        return super().get_context_data(**kwargs) | {
            "line": self.line,
            "vehicle": vehicle,
            "standing": reads.standing_of(vehicle),
            "back": reverse("order-detail", args=[self.line.order.uid]),
        }

    def run(self, form: forms.JudgeForm) -> FaultJudgement:
        return commands.judge_fault(line_uid=self.line.uid, by=self.actor, **form.told())

    def location(self, result: FaultJudgement) -> str:
        return reverse("vehicle-detail", args=[self.line.order.vehicle.uid]) + "#faults"


class WhatIfPage(Page):
    """Inputs of the day, and which rule gives which right, and why, by the table for that car. Nothing is written."""

    permission = permissions.FAULTS_VIEW
    template_name = "workshop/fault_what_if.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = (
            forms.WhatIfForm(self.request.GET) if self.request.GET else forms.WhatIfForm(initial={"day": clock.today()})
        )
        context |= {"form": form, "answered": False}
        if not form.is_bound or not form.is_valid():
            return context
        given = dict(form.cleaned_data)
        price = given.pop("price")
        asked = reads.Asked(**{name: value for name, value in given.items() if value is not None})
        rules, found = reads.imagine(asked)
        context |= {"answered": True, "asked": asked, "rules": rules, "found": found}
        if rules is not None and found is not None:
            context |= reads.told(rules, asked, found)
            if price is not None and any(finding.pays_for_use for finding in found.findings):
                context["fee"] = law.use_fee(rules, price, asked.km, rules.coefficient_max)
        return context
