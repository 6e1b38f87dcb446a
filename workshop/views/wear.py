"""The maker's list of wear parts with their own periods (domain 3.6)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop.forms.wear import WearTermForm
from workshop.selectors.wear import terms
from workshop.services.wear import enter_wear_term
from workshop.wear_models import WearTerm


class WearPartsPage(Page):
    permission = permissions.FAULTS_VIEW
    template_name = "workshop/wear_parts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": terms(),
            "may_enter": self.actor.may(permissions.WEAR_LIST),
        }


class EnterWearTermPage(CommandPage):
    permission = permissions.WEAR_LIST
    template_name = "workshop/wear_part_new.html"
    form_class = WearTermForm
    done = _("The period is on the list; judgements and guarantees go by it.")

    def get_initial(self) -> dict[str, Any]:
        return {"starts_on": clock.today()}

    def run(self, form: WearTermForm) -> WearTerm:
        return enter_wear_term(by=self.actor, **form.cleaned_data)

    def location(self, result: WearTerm) -> str:
        return reverse("wear-parts")
