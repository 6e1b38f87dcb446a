"""Pages of vehicles (2.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.pages import CommandPage, Page
from reception import permissions
from reception.forms.customers import VEHICLE_TYPES, NewVehicleForm, OdometerForm, OwnerForm, UseForm, VehicleForm
from reception.models import Vehicle
from reception.selectors import customers as customer_reads
from reception.selectors import vehicles as reads
from reception.services import vehicles as commands


class VehiclePage(Page):
    """Facts, owners over time, readings, visits, panels of upper rooms and timeline."""

    permission = permissions.VEHICLES_VIEW
    template_name = "reception/vehicle.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = reads.vehicle_page(uid=self.kwargs["uid"], by=self.actor)
        vehicle = shown["vehicle"]
        checked = formats.check_vin(vehicle.vin) if vehicle.vin else None
        return (
            super().get_context_data(**kwargs)
            | shown
            | {
                "form_token": uuid4(),
                "vin_trouble": checked if checked and checked.level is not formats.Level.OK else None,
                "may_edit": self.actor.may(permissions.VEHICLES_EDIT),
                "may_see_customers": self.actor.may(permissions.CUSTOMERS_VIEW),
                "may_receive": self.actor.may(permissions.VISITS_RECEIVE),
            }
        )


class _VehicleFormPage(CommandPage):
    permission = permissions.VEHICLES_EDIT
    template_name = "reception/vehicle_form.html"
    extra_context = {"types": VEHICLE_TYPES}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"may_override": self.actor.may(permissions.VIN_OVERRIDE)}

    def location(self, result: Vehicle) -> str:
        return reverse("vehicle-detail", args=[result.uid])


class NewVehiclePage(_VehicleFormPage):
    form_class = NewVehicleForm
    done = _("Vehicle registered.")

    def get_initial(self) -> dict[str, Any]:
        return {"owner": self.request.GET.get("owner", ""), "plate": self.request.GET.get("plate", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"owner": self.owner(context["form"]["owner"].value())}

    def owner(self, value: Any) -> Any:
        try:
            return customer_reads.customer_of(uid=UUID(str(value)), by=self.actor)
        except (ValueError, customer_reads.Customer.DoesNotExist):
            return None

    def run(self, form: NewVehicleForm) -> Vehicle:
        values = dict(form.cleaned_data)
        values["odometer_km"] = values["odometer_km"] or 0
        return commands.register_vehicle(owner_uid=values.pop("owner"), **values, by=self.actor)


class EditVehiclePage(_VehicleFormPage):
    form_class = VehicleForm
    done = _("Vehicle corrected.")

    def get_initial(self) -> dict[str, Any]:
        vehicle = reads.vehicle_of(uid=self.kwargs["uid"], by=self.actor)
        names = [name for name in VehicleForm.base_fields if name != "vin_override_reason"]
        return {name: getattr(vehicle, name) for name in names}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        vehicle = reads.vehicle_of(uid=self.kwargs["uid"], by=self.actor)
        return super().get_context_data(**kwargs) | {"vehicle": vehicle}

    def run(self, form: VehicleForm) -> Vehicle:
        return commands.correct_vehicle(uid=self.kwargs["uid"], **form.cleaned_data, by=self.actor)


class OwnerPage(CommandPage):
    """Look for the new owner by name or number, pick one, say from which day on; works without JavaScript."""

    permission = permissions.VEHICLES_EDIT
    template_name = "reception/vehicle_owner.html"
    form_class = OwnerForm
    done = _("Owner changed.")

    def get_initial(self) -> dict[str, Any]:
        return {"on": clock.today()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = self.request.GET.get("q", "").strip()
        found = customer_reads.list_customers(by=self.actor, words=words).rows[:20] if words else []
        shown = reads.vehicle_page(uid=self.kwargs["uid"], by=self.actor)
        return super().get_context_data(**kwargs) | {
            "vehicle": shown["vehicle"],
            "owner": shown["owner"],
            "words": words,
            "found": found,
        }

    def run(self, form: OwnerForm) -> Vehicle:
        values = form.cleaned_data
        return commands.change_owner(uid=self.kwargs["uid"], owner_uid=values["owner"], on=values["on"], by=self.actor)

    def location(self, result: Vehicle) -> str:
        return reverse("vehicle-detail", args=[result.uid])


class UsePage(CommandPage):
    """3.1: how the owner uses the car, and why its use is hard; back to the visit at which it was asked."""

    permission = permissions.VEHICLES_EDIT
    template_name = "reception/vehicle_use.html"
    form_class = UseForm
    done = _("The use of the car is noted.")

    @cached_property
    def vehicle(self) -> Vehicle:
        return reads.vehicle_of(uid=self.kwargs["uid"], by=self.actor)

    def get_initial(self) -> dict[str, Any]:
        known = self.vehicle.use_noted_at is not None
        return {"use": self.vehicle.use if known else "", "hard_uses": self.vehicle.hard_uses}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        back = self.request.POST.get("next") or self.request.GET.get("next", "")
        return super().get_context_data(**kwargs) | {"vehicle": self.vehicle, "next": back}

    def run(self, form: UseForm) -> Vehicle:
        return commands.note_use(uid=self.kwargs["uid"], hard_uses=form.cleaned_data["hard_uses"], by=self.actor)

    def location(self, result: Vehicle) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        return reverse("vehicle-detail", args=[result.uid])


class OdometerPage(CommandPage):
    permission = permissions.VEHICLES_EDIT
    template_name = "reception/vehicle_odometer.html"
    form_class = OdometerForm
    done = _("Mileage written down.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"vehicle": reads.vehicle_of(uid=self.kwargs["uid"], by=self.actor)}

    def run(self, form: OdometerForm) -> Vehicle:
        return commands.read_odometer(
            vehicle=reads.vehicle_of(uid=self.kwargs["uid"], by=self.actor),
            km=form.cleaned_data["odometer_km"],
            reason=form.cleaned_data["odometer_reason"],
            by=self.actor,
        )

    def location(self, result: Vehicle) -> str:
        return reverse("vehicle-detail", args=[result.uid])
