"""Trial parts: who has what for which car; lent, taken back, or issued to the order (3.2)."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import ActionView, CommandPage
from workshop import permissions
from workshop.forms.trials import LendForm, TrialBackForm
from workshop.models import PartTrial
from workshop.selectors import trials as reads
from workshop.services import trials as commands


class TrialsPage(CommandPage):
    permission = permissions.STOCK_VIEW
    template_name = "workshop/trials.html"
    form_class = LendForm
    done = _("Lent; it is due back today.")

    def get_form_kwargs(self) -> dict[str, Any]:
        may_lend = self.actor.may(permissions.PARTS_ISSUE)
        orders = reads.orders_in_the_shop(self.actor) if may_lend else []
        people = reads.who_tries(self.actor) if may_lend else []
        return super().get_form_kwargs() | {"orders": orders, "people": people, "store_id": self.actor.store_id}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.trials_out(self.actor),
            "ended": reads.trials_ended(self.actor),
            "may_lend": self.actor.may(permissions.PARTS_ISSUE),
        }

    def run(self, form: LendForm) -> PartTrial:
        return commands.lend_part(by=self.actor, **form.cleaned_data)

    def location(self, result: PartTrial) -> str:
        return reverse("part-trials")


class TrialBackPage(CommandPage):
    """A tried part comes back: the keeper says in what condition."""

    permission = permissions.PARTS_ISSUE
    template_name = "workshop/trial_back.html"
    form_class = TrialBackForm
    done = _("Taken back.")

    @cached_property
    def trial(self) -> PartTrial:
        rows = PartTrial.objects.for_actor(self.actor).select_related("item__part", "lot", "employee", "order__vehicle")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"trial": self.trial}

    def run(self, form: TrialBackForm) -> PartTrial:
        return commands.take_trial_back(uid=self.trial.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: PartTrial) -> str:
        return reverse("part-trials")


class TrialIssueView(ActionView):
    permission = permissions.PARTS_ISSUE
    done = _("Issued to the order.")

    def run(self, form: Any) -> PartTrial:
        return commands.issue_trial(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: PartTrial) -> str:
        return reverse("part-trials")
