"""Pages of fetching and bringing back cars (取送车): the list, planning, and the driver's page on the phone (2.1.2)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import ActionView, CommandPage, Page

from .. import permissions
from ..forms.transports import CallOffForm, TakeOverForm, TransportForm
from ..models import Transport, TransportKind
from ..selectors import transports as reads
from ..services import transports as commands


class TransportsPage(Page):
    """Who fetches or brings back which car when."""

    permission = permissions.TRANSPORTS_VIEW
    template_name = "reception/transports/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = {"may_work": self.actor.may(permissions.TRANSPORTS_WORK)}
        return super().get_context_data(**kwargs) | reads.transport_lists(self.actor) | may


class NewTransportPage(CommandPage):
    """Plans a way: of the visit, the booking or the plate in the address."""

    permission = permissions.TRANSPORTS_WORK
    template_name = "reception/transports/new.html"
    form_class = TransportForm
    done = _("It is planned.")

    @cached_property
    def what(self) -> dict[str, Any]:
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        return reads.what_for(
            self.actor,
            visit=sent.get("visit", ""),
            appointment=sent.get("appointment", ""),
            vehicle=sent.get("vehicle", ""),
            plate=self.request.GET.get("plate", ""),
        )

    def get_initial(self) -> dict[str, Any]:
        contact, owner = self.what.get("contact"), self.what.get("owner")
        initial: dict[str, Any] = {
            name: self.what[name].uid for name in ("visit", "appointment", "vehicle") if name in self.what
        }
        if contact is not None:
            initial |= {"contact_name": contact.contact_name, "contact_phone": contact.contact_phone}
        elif owner is not None:
            initial |= {"contact_name": owner.name, "contact_phone": owner.phone}
        if "window" in self.what:
            initial["starts_at"], initial["ends_at"] = self.what["window"]
        return super().get_initial() | initial

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"store_id": self.actor.store_id, "brings_back": "visit" in self.what}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        plate = self.request.GET.get("plate", "")
        return super().get_context_data(**kwargs) | {"what": self.what, "plate_asked": plate}

    def run(self, form: TransportForm) -> Transport:
        data = dict(form.cleaned_data)
        visit, vehicle, appointment = data.pop("visit"), data.pop("vehicle"), data.pop("appointment")
        return commands.plan_transport(
            kind=TransportKind.RETURN if visit else TransportKind.PICK_UP,
            driver_uid=data.pop("driver").uid,
            visit_uid=visit,
            appointment_uid=appointment,
            vehicle_uid=vehicle,
            by=self.actor,
            **data,
        )

    def location(self, result: Transport) -> str:
        return reverse("transport-detail", args=[result.uid])


class TransportMixin:
    kwargs: dict[str, Any]
    actor: Any

    @cached_property
    def transport(self) -> Transport:
        return reads.transport_of(self.actor, self.kwargs["uid"])

    def location(self, result: Any) -> str:
        return reverse("transport-detail", args=[self.kwargs["uid"]])


class TransportPage(TransportMixin, Page):
    """One way on the driver's phone: whom to meet where, and what is next."""

    permission = permissions.TRANSPORTS_VIEW
    template_name = "reception/transports/detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "transport": self.transport,
            "form_token": uuid4(),
            "may_work": self.actor.may(permissions.TRANSPORTS_WORK),
        }


class SetOutView(TransportMixin, ActionView):
    permission = permissions.TRANSPORTS_WORK
    done = _("On the way.")

    def run(self, form: Any) -> Transport:
        return commands.set_out(uid=self.kwargs["uid"], by=self.actor)


class TakeOverPage(TransportMixin, CommandPage):
    """At the door: readings, then the walk-around that the customer signs there."""

    permission = permissions.TRANSPORTS_WORK
    template_name = "reception/transports/action.html"
    form_class = TakeOverForm
    done = _("Taken over; walk around the car together and let the customer sign.")

    def get_initial(self) -> dict[str, Any]:
        booking = self.transport.appointment
        return super().get_initial() | ({"need": booking.concern} if booking else {})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = {"title": _("Take over at the door"), "submit": _("Take over"), "variant": "primary"}
        return super().get_context_data(**kwargs) | words | {"transport": self.transport}

    def run(self, form: TakeOverForm) -> Transport:
        return commands.take_over(uid=self.transport.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Transport) -> str:
        assert result.visit is not None
        return reverse("visit-walkaround", args=[result.visit.uid])


class ArrivedView(TransportMixin, ActionView):
    permission = permissions.TRANSPORTS_WORK
    done = _("The car is in the shop.")

    def run(self, form: Any) -> Transport:
        return commands.arrive(uid=self.kwargs["uid"], by=self.actor)


class CallOffPage(TransportMixin, CommandPage):
    permission = permissions.TRANSPORTS_WORK
    template_name = "reception/transports/action.html"
    form_class = CallOffForm
    done = _("Called off.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = {"title": _("Call it off"), "submit": _("Call it off"), "variant": "danger"}
        return super().get_context_data(**kwargs) | words | {"transport": self.transport}

    def run(self, form: CallOffForm) -> Transport:
        return commands.call_off(uid=self.transport.uid, by=self.actor, **form.cleaned_data)
