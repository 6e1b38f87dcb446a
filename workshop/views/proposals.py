"""The proposed plan: asked for, looked at with every change and its reason, accepted or not (2.4)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import ActionView, Page
from workshop import permissions
from workshop.models import DispatchProposal, ProposalCause
from workshop.selectors import proposed, replan
from workshop.services import proposals


class ProposeView(ActionView):
    permission = permissions.PLAN_DISPATCH

    def run(self, form: Any) -> DispatchProposal:
        cause = self.request.POST.get("cause") or ProposalCause.WISH
        return proposals.ask_proposal(cause=cause, by=self.actor)

    def location(self, result: DispatchProposal) -> str:
        return reverse("plan-proposal", args=[result.uid])


class ProposalPage(Page):
    """While it is worked out: how far. Then: the plan before and after, each change with its reason."""

    permission = permissions.PLAN_VIEW
    template_name = "workshop/proposal.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        proposal = replan.proposals(self.actor).get(uid=self.kwargs["uid"])
        try:
            day = date.fromisoformat(asked.get("day", ""))
        except ValueError:
            day = None
        return super().get_context_data(**kwargs) | {
            "shown": proposed.look_at(self.actor, proposal, day=day, before=asked.get("view") == "before"),
            "may_dispatch": False,
            "may_decide": self.actor.may(permissions.PLAN_DISPATCH),
        }


class AcceptView(ActionView):
    permission = permissions.PLAN_DISPATCH
    done = _("The new plan is in force.")

    def run(self, form: Any) -> DispatchProposal:
        return proposals.accept_proposal(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: DispatchProposal) -> str:
        return reverse("plan")


class RejectView(ActionView):
    permission = permissions.PLAN_DISPATCH
    done = _("The plan stays as it was.")

    def run(self, form: Any) -> DispatchProposal:
        return proposals.reject_proposal(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: DispatchProposal) -> str:
        return reverse("plan")
