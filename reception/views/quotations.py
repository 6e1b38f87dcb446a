"""Pages of the price list for customers and of quotations (2.2.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits
from dealership.kernel.pages import CommandPage, Page

from .. import permissions
from ..forms.quotations import QuotationForm, uids
from ..limits import QUOTATION_DAYS
from ..models import Quotation
from ..selectors import consultations
from ..selectors import quotations as reads
from ..selectors.appointments import find_cars
from ..services import quotations as commands


class PriceListPage(Page):
    """2.2.2: what work and new cars cost today; ticked items become a quotation."""

    permission = permissions.QUOTATIONS_VIEW
    template_name = "reception/quotations/prices.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        cars, words = asked.get("show") == "cars", asked.get("words", "")[:80]
        return (
            super().get_context_data(**kwargs)
            | reads.chosen(self.actor, operations=uids(asked, "op"), models=uids(asked, "model"))
            | {
                "rows": reads.price_list(self.actor, text=words, cars=cars),
                "cars": cars,
                "words": words,
                "consultation": asked.get("consultation", ""),
                "may_give": self.actor.may(permissions.QUOTATIONS_GIVE),
            }
        )


class QuotationListPage(Page):
    permission = permissions.QUOTATIONS_VIEW
    template_name = "reception/quotations/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = self.request.GET.get("show", "valid")
        show = show if show in reads.FILTERS else "valid"
        return (
            super().get_context_data(**kwargs)
            | reads.quotations(self.actor, show)
            | {"show": show, "may_give": self.actor.may(permissions.QUOTATIONS_GIVE)}
        )


class QuotationPage(Page):
    permission = permissions.QUOTATIONS_VIEW
    template_name = "reception/quotations/quotation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        quotation = reads.quotation_of(self.actor, self.kwargs["uid"])
        lines = reads.lines_of(quotation)
        return super().get_context_data(**kwargs) | {
            "quotation": quotation,
            "lines": lines,
            "booking": self._booking(quotation, [row["line"].operation for row in lines]),
            "holds": quotation.holds(clock.today(quotation.store.time_zone)),
        }

    def _booking(self, quotation: Quotation, work: list[Any]) -> str:
        """Where what was quoted is booked for that car or caller; empty where nothing of it is work, or for who books
        nothing."""
        operations = [operation.uid for operation in work if operation is not None and operation.active]
        if not operations or not self.actor.may(permissions.APPOINTMENTS_BOOK):
            return ""
        asked = {"vehicle": quotation.vehicle.uid} if quotation.vehicle else {"q": quotation.contact_phone}
        concern = gettext("By quotation %(number)s") % {"number": quotation.number}
        return f"{reverse('appointment-new')}?{urlencode(asked | {'operation': operations, 'concern': concern}, doseq=True)}"


class NewQuotationPage(CommandPage):
    """The ticked items at today's prices, whom they are for and until when."""

    permission = permissions.QUOTATIONS_GIVE
    template_name = "reception/quotations/new.html"
    form_class = QuotationForm
    done = _("Quoted. The shop honours these prices until their day.")

    @cached_property
    def asked(self) -> Any:
        return self.request.POST if self.request.method == "POST" else self.request.GET

    @cached_property
    def question(self) -> dict[str, Any]:
        return consultations.asked_by(self.actor, self.asked.get("consultation", ""))

    def get_initial(self) -> dict[str, Any]:
        days = limits.value(QUOTATION_DAYS, store_id=self.actor.store_id)
        known = {
            name: self.question[name]
            for name in ("contact_name", "contact_phone", "model_text")
            if name in self.question
        }
        return super().get_initial() | known | {"valid_until": clock.today() + timedelta(days=days)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.look() if "look" in request.POST else super().post(request, *args, **kwargs)

    def look(self) -> HttpResponse:
        """The plate is known: its model stands there, owner and telephone where nothing was typed yet."""
        values = {name: self.request.POST.get(name, "") for name in QuotationForm.base_fields}
        cars = [
            car
            for car in find_cars(self.actor, values["plate"])
            if car.vehicle.plate == formats.normalise_plate(values["plate"])
        ]
        if len(cars) == 1:
            values["model_text"] = cars[0].vehicle.model_text
            if cars[0].owner is not None:
                values["contact_name"] = values["contact_name"] or cars[0].owner.name
                values["contact_phone"] = values["contact_phone"] or cars[0].owner.phone
        return self.render_to_response(self.get_context_data(form=QuotationForm(initial=values)))

    @property
    def items(self) -> dict[str, list[UUID]]:
        return {"operations": uids(self.asked, "op"), "models": uids(self.asked, "model")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return (
            super().get_context_data(**kwargs)
            | reads.chosen(self.actor, **self.items)
            | {"consultation": self.question.get("consultation", "")}
        )

    def run(self, form: QuotationForm) -> Quotation:
        items = self.items
        return commands.give_quotation(
            operation_uids=items["operations"],
            model_uids=items["models"],
            consultation_uid=self.question.get("consultation"),
            by=self.actor,
            **form.cleaned_data,
        )

    def location(self, result: Quotation) -> str:
        if result.consultation is not None:
            return reverse("consultation-detail", args=[result.consultation.uid])
        return reverse("quotation-detail", args=[result.uid])
