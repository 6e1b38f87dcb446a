"""Pages of the waiting list: who waits, taking off, and the customer's link to an offered time (2.4)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import CommandMixin, CommandPage, Page

from .. import permissions
from ..forms.appointments import WithdrawForm
from ..models import OfferState, SlotOffer, WaitingEntry
from ..selectors import capacity
from ..selectors import waiting as reads
from ..services import waiting as commands
from ..services.online import booking_path


class WaitingListPage(Page):
    """Who waits for a time, what is offered, what became of the last ones."""

    permission = permissions.APPOINTMENTS_VIEW
    template_name = "reception/waiting_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return (
            super().get_context_data(**kwargs)
            | reads.waiting_list(self.actor)
            | {"may_book": self.actor.may(permissions.APPOINTMENTS_BOOK)}
        )


class WithdrawPage(CommandPage):
    """Taking a car off the list says why."""

    permission = permissions.APPOINTMENTS_BOOK
    template_name = "reception/waiting_withdraw.html"
    form_class = WithdrawForm
    done = _("Taken off the list.")

    @cached_property
    def entry(self) -> WaitingEntry:
        return WaitingEntry.objects.for_actor(self.actor).select_related("vehicle").get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"entry": self.entry}

    def run(self, form: forms.Form) -> WaitingEntry:
        return commands.withdraw_entry(uid=self.entry.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: WaitingEntry) -> str:
        return reverse("waiting-list")


class OfferPage(CommandMixin, TemplateView):
    """``/offer/<token>/``: the offered time without log-in: take it, pass it on, or leave the list. No name, no number."""

    template_name = "reception/slot_offer.html"
    http_method_names = ("get", "post")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with timezone.override(self.offer.entry.store.time_zone):
            response = super().dispatch(request, *args, **kwargs)
            if hasattr(response, "render"):
                response.render()
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @cached_property
    def offer(self) -> SlotOffer:
        try:
            return commands.offer_by_token(self.kwargs["token"])
        except SlotOffer.DoesNotExist:
            raise Http404("No such offer") from None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        entry = self.offer.entry
        work = commands.work_of(entry)
        return super().get_context_data(**kwargs) | {
            "store": entry.store,
            "offer": self.offer,
            "entry": entry,
            "open": self.offer.state == OfferState.OPEN and commands.is_running(self.offer),
            "taken": self.offer.state == OfferState.TAKEN,
            "quoted": capacity.quote(entry.store, work) if work else None,
            "instead": commands.stands_instead(entry),
            "booked_path": booking_path(entry.appointment) if entry.appointment else "",
            "form_token": self.request.POST.get("form_token") or uuid4(),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.execute()
        except RuleError as refusal:
            del self.offer  # as it stands now
            return self.render_to_response(self.get_context_data(refusal=str(refusal)), status=409)

    def run(self, form: Any = None) -> Any:
        answer = self.request.POST.get("answer", "")
        if answer == "take":
            return commands.take_offer(token=self.offer.token)
        if answer not in ("decline", "leave"):
            raise RuleError("appointment.choice", _("Choose one of the list."))
        return commands.decline_offer(token=self.offer.token, leave=answer == "leave")

    def location(self, result: Any) -> str:
        return self.request.path
