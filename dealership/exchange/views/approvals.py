"""Approvals, for the phone of whoever may decide (1.2)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.exchange.forms.system import DecisionForm
from dealership.exchange.selectors import approvals as reads
from dealership.kernel.models import Approval
from dealership.kernel.pages import ActionView, CommandPage, Page
from dealership.kernel.permissions import APPROVALS_DECIDE, APPROVALS_VIEW
from dealership.kernel.services import decide_approval, withdraw_approval


class ApprovalsPage(Page):
    permission = APPROVALS_VIEW
    template_name = "exchange/approvals.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "may_decide": self.actor.may(APPROVALS_DECIDE),
            "waiting": reads.waiting(self.actor),
            "own": reads.own(self.actor),
            "decided": reads.decided(self.actor),
        }


class DecisionPage(CommandPage):
    """One request with its reason; yes or no."""

    permission = APPROVALS_DECIDE
    template_name = "exchange/approval.html"
    form_class = DecisionForm
    done = _("Decided; the colleague sees it at once.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"request_row": reads.one(self.actor, self.kwargs["uid"])}

    def run(self, form: DecisionForm) -> Approval:
        return decide_approval(
            uid=self.kwargs["uid"],
            approve=form.cleaned_data["decision"] == "approve",
            answer=form.cleaned_data["answer"],
            by=self.actor,
        )

    def location(self, result: Approval) -> str:
        return reverse("approvals")


class WithdrawView(ActionView):
    permission = APPROVALS_VIEW
    done = _("The request is taken back.")

    def run(self, form: Any) -> Approval:
        return withdraw_approval(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Approval) -> str:
        return reverse("approvals")
