"""Pages of maintenance plans: the list, one version with its work, the next version, its release (3.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms import maintenance as forms
from dealership.catalogue.models import MaintenanceItem, MaintenancePlan, PlanState
from dealership.catalogue.selectors import maintenance as reads
from dealership.catalogue.services import maintenance as commands
from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage, Page


def plan_url(plan: MaintenancePlan) -> str:
    return reverse("maintenance-plan", args=[plan.uid])


class PlansPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/maintenance_plans.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.plan_list(),
            "may_manage": self.actor.may(permissions.MAINTENANCE_MANAGE),
        }


class NewPlanPage(CommandPage):
    permission = permissions.MAINTENANCE_MANAGE
    template_name = "catalogue/maintenance_plan_new.html"
    form_class = forms.PlanForm
    done = _("Add now what is to be done.")

    def run(self, form: forms.PlanForm) -> MaintenancePlan:
        data = dict(form.cleaned_data)
        model = data.pop("model")
        return commands.draft_plan(model_uid=UUID(model) if model else None, by=self.actor, **data)

    def location(self, result: MaintenancePlan) -> str:
        return plan_url(result)


class PlanPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/maintenance_plan.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plan = reads.get_plan(self.kwargs["uid"])
        return super().get_context_data(**kwargs) | {
            "plan": plan,
            "versions": reads.versions_of(plan),
            "holds": reads.holds(plan, clock.today()),
            "may_manage": self.actor.may(permissions.MAINTENANCE_MANAGE),
            "writing": self.actor.may(permissions.MAINTENANCE_MANAGE) and plan.state == PlanState.DRAFT,
            "release": forms.ReleaseForm(),
        }


class PlanItemPage(CommandPage):
    """One piece of work of a draft, new or changed."""

    permission = permissions.MAINTENANCE_MANAGE
    template_name = "catalogue/maintenance_item.html"
    form_class = forms.ItemForm
    done = _("The work stands in the plan.")

    @cached_property
    def plan(self) -> MaintenancePlan:
        return reads.get_plan(self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("operation", "")
        item: MaintenanceItem | None = next((i for i in self.plan.items.all() if str(i.operation.uid) == asked), None)
        kept = {name: getattr(item, name) for name in (*commands.INTERVALS, "repeats")} if item else {}
        return super().get_initial() | {"operation": asked} | kept

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"plan": self.plan}

    def run(self, form: forms.ItemForm) -> MaintenancePlan:
        data = dict(form.cleaned_data)
        return commands.put_item(
            plan_uid=self.plan.uid, operation_uid=UUID(data.pop("operation")), by=self.actor, **data
        )

    def location(self, result: MaintenancePlan) -> str:
        return plan_url(self.plan)


class DropItemView(ActionView):
    permission = permissions.MAINTENANCE_MANAGE
    done = _("Taken out of the plan.")

    def run(self, form: Any) -> MaintenancePlan:
        try:
            operation: UUID | None = UUID(self.request.POST.get("operation", ""))
        except ValueError:
            operation = None
        return commands.drop_item(plan_uid=self.kwargs["uid"], operation_uid=operation, by=self.actor)

    def location(self, result: MaintenancePlan) -> str:
        return plan_url(result)


class ReleasePlanPage(CommandPage):
    permission = permissions.MAINTENANCE_MANAGE
    template_name = "catalogue/maintenance_release.html"
    form_class = forms.ReleaseForm
    done = _("The plan holds from that day on.")

    @cached_property
    def plan(self) -> MaintenancePlan:
        return reads.get_plan(self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"plan": self.plan}

    def run(self, form: forms.ReleaseForm) -> MaintenancePlan:
        return commands.release_plan(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: MaintenancePlan) -> str:
        return plan_url(result)


class NextVersionView(ActionView):
    permission = permissions.MAINTENANCE_MANAGE
    done = _("This is the next version; nothing changes for the cars before it is released.")

    def run(self, form: Any) -> MaintenancePlan:
        return commands.draft_next(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: MaintenancePlan) -> str:
        return plan_url(result)


class DiscardPlanView(ActionView):
    permission = permissions.MAINTENANCE_MANAGE
    done = _("The draft is thrown away.")

    def run(self, form: Any) -> MaintenancePlan:
        return commands.discard_plan(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("maintenance-plans")
