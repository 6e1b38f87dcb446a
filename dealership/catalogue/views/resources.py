"""Bays, special tools and loan cars: what the plan may use (2.4)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms import catalogue as forms
from dealership.catalogue.models import Resource
from dealership.catalogue.selectors import prices as reads
from dealership.catalogue.services import resources as commands
from dealership.kernel.models import Store
from dealership.kernel.pages import ActionView, CommandPage, Page


class BaysPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/bays.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "places": reads.places(self.actor),
            "people": reads.plan_people(self.actor),
            "may_manage": self.actor.may(permissions.RESOURCES_MANAGE),
        }


class NewResourcePage(CommandPage):
    permission = permissions.RESOURCES_MANAGE
    template_name = "catalogue/bay_new.html"
    form_class = forms.ResourceForm
    done = _("It can be planned from now on.")

    def run(self, form: forms.ResourceForm) -> Resource:
        store = Store.objects.for_actor(self.actor).get(pk=self.actor.store_id)
        data = form.cleaned_data
        return commands.add_resource(
            store=store, by=self.actor, **data | {"position": data["position"] or 0, "capacity": data["capacity"] or 1}
        )

    def location(self, result: Any) -> str:
        return reverse("bays")


class EfficiencyView(ActionView):
    """How many standard minutes a person does in 100 minutes of presence."""

    permission = permissions.RESOURCES_MANAGE
    done = _("Saved; new bookings count by it.")

    def run(self, form: Any = None) -> Resource:
        asked = forms.EfficiencyForm(self.request.POST)
        efficiency = asked.cleaned_data["efficiency"] if asked.is_valid() else 0  # 0 is refused with its sentence
        return commands.set_efficiency(uid=self.kwargs["uid"], efficiency=efficiency, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("bays")


class CapacityView(ActionView):
    """How many cars a bay takes at once."""

    permission = permissions.RESOURCES_MANAGE
    done = _("Saved; the plan and new bookings count by it.")

    def run(self, form: Any = None) -> Resource:
        asked = forms.CapacityForm(self.request.POST)
        capacity = asked.cleaned_data["capacity"] if asked.is_valid() else 0  # 0 is refused with its sentence
        return commands.set_capacity(uid=self.kwargs["uid"], capacity=capacity, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("bays")


class PlateView(ActionView):
    """The plate of a loan car."""

    permission = permissions.RESOURCES_MANAGE
    done = _("Saved; the record of a repair names the loan car by it.")

    def run(self, form: Any = None) -> Resource:
        return commands.set_plate(uid=self.kwargs["uid"], plate=self.request.POST.get("plate", ""), by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("bays")


class SwitchResourceView(ActionView):
    """In use or not: ``active`` is 1 or empty, so that a second press changes nothing by mistake."""

    permission = permissions.RESOURCES_MANAGE
    done = _("Saved; the plan follows it.")

    def run(self, form: Any = None) -> Resource:
        return commands.switch_resource(
            uid=self.kwargs["uid"], active=bool(self.request.POST.get("active")), by=self.actor
        )

    def location(self, result: Any) -> str:
        return reverse("bays")
