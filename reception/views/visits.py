"""Pages of the visit."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.pages import CommandPage, StaffPage

from .. import permissions
from ..forms.visits import ArrivalForm
from ..models import Visit
from ..selectors import visits as reads
from ..services import visits as commands


class NewVisitPage(CommandPage):
    """2.1.2: registers an arrival; a plate that is known fills in the rest."""

    permission = permissions.VISITS_RECEIVE
    template_name = "reception/visit_new.html"
    form_class = ArrivalForm
    done = _("Arrival registered; the greeting clock runs.")

    def get_initial(self) -> dict[str, Any]:
        known = reads.known_car(self.actor, plate=self.request.GET.get("plate", ""))
        return super().get_initial() | {"plate": self.request.GET.get("plate", "")} | (known.fills if known else {})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        plate = context["form"]["plate"].value() or ""
        return context | {"known": reads.known_car(self.actor, plate=plate), "plate_asked": plate}

    def run(self, form: ArrivalForm) -> Visit:
        data = dict(form.cleaned_data)
        return commands.register_arrival(by=self.actor, appointment_uid=data.pop("appointment"), **data)

    def location(self, result: Visit) -> str:
        return reverse("visit-detail", args=[result.uid])


class KnownCarView(StaffPage, View):
    """What is known of a plate, for the arrival page: fills the fields and shows the context beside them (htmx)."""

    permission = permissions.VISITS_RECEIVE

    def get(self, request: HttpRequest) -> HttpResponse:
        plate = request.GET.get("plate", "")
        known = reads.known_car(self.actor, plate=plate)
        typed = {name: request.GET.get(name, "") for name in ArrivalForm.base_fields}
        filled = (known.fills if known else {}) | {name: value for name, value in typed.items() if value}
        context = {"form": ArrivalForm(initial=filled), "known": known, "plate_asked": plate}
        return render(request, "reception/visit_new.html#asked", context)
