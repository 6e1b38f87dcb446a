"""Declined advice: the queue of whom to ask again, and what comes of it (3.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage, Page
from reception.permissions import APPOINTMENTS_BOOK
from workshop import permissions
from workshop.forms import advice as forms
from workshop.models import Advice, RepairOrder
from workshop.selectors import advice as reads
from workshop.services import advice as commands

SHOWS = ("due", "later", "safety", "sold")


class AdvicePage(Page):
    permission = permissions.ADVICE_WORK
    template_name = "workshop/advice.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "due")
        show = asked if asked in SHOWS else "due"
        return super().get_context_data(**kwargs) | {
            "queue": reads.advice_queue(self.actor, show=show),
            "show": show,
            "most": reads.PAGE,
            "may_book": self.actor.may(APPOINTMENTS_BOOK),
        }


class AdviceCommandPage(CommandPage):
    permission = permissions.ADVICE_WORK
    template_name = "workshop/advice_form.html"
    title: Any = ""
    submit: Any = ""

    @cached_property
    def advice(self) -> Advice:
        return reads.get_advice(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "row": self.advice,
            "title": self.title,
            "submit": self.submit,
        }

    def location(self, result: Advice) -> str:
        return reverse("advice-list")


class OfferPage(AdviceCommandPage):
    """Asked again; the customer wants to think about it until a day."""

    form_class = forms.OfferForm
    title, submit, done = _("Ask again later"), _("Note it"), _("It is offered again on that day.")

    def run(self, form: forms.OfferForm) -> Advice:
        return commands.offer_advice(uid=self.advice.uid, by=self.actor, **form.cleaned_data)


class DropPage(AdviceCommandPage):
    form_class = forms.DropForm
    title, submit, done = _("The customer doesn't want it"), _("Stop asking"), _("Nobody asks for it again.")

    def run(self, form: forms.DropForm) -> Advice:
        return commands.drop_advice(uid=self.advice.uid, by=self.actor, **form.cleaned_data)


class TakeUpView(ActionView):
    """Puts declined work onto the order of the car's next visit."""

    permission = permissions.LINES_EDIT
    done = _("Line added.")

    def run(self, form: Any) -> Advice:
        order = RepairOrder.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        try:
            uid = UUID(self.request.POST.get("advice", ""))
        except ValueError:
            raise RuleError("advice.ended", _("Somebody has closed this advice already; look again.")) from None
        return commands.take_up_advice(uid=uid, order_uid=order.uid, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("order-detail", args=[self.kwargs["uid"]])
