"""The customer's own question: public, phone first, without log-in and without anything we know of anybody (2.2.1)."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.generic import TemplateView

from dealership.kernel.pages import CommandPage

from ..forms.consultations import AskForm
from ..models import ClockKind, Consultation
from ..services import consultations as commands
from .booking import PublicPage

SALT = "online-question"
KEPT = 30 * 24 * 3600
"""Seconds for which the receipt of a question can be opened."""


class AskPage(PublicPage, CommandPage):
    """``/ask/<store code>/``: a question with a number or address to answer to."""

    template_name = "reception/ask.html"
    form_class = AskForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"store": self.store}

    def run(self, form: AskForm) -> Consultation:
        return commands.ask_online(
            store=self.store, address=self.request.META.get("REMOTE_ADDR", ""), **form.cleaned_data
        )

    def location(self, result: Consultation) -> str:
        return reverse("asked-online", args=[self.store.code, signing.dumps(str(result.uid), salt=SALT)])


class AskedPage(TemplateView):
    """The number and by when we answer, to whoever just asked; no name, number or word of the question."""

    template_name = "reception/asked.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            uid = signing.loads(kwargs["token"], salt=SALT, max_age=KEPT)
        except signing.BadSignature:
            raise Http404("No such question") from None
        asked = get_object_or_404(Consultation.objects.select_related("store"), uid=uid, store__code=kwargs["code"])
        first = asked.clocks.filter(kind=ClockKind.RESPONSE).first()
        with timezone.override(asked.store.time_zone):
            response = self.render_to_response({"store": asked.store, "asked": asked, "limit": first})
            assert isinstance(response, TemplateResponse)
            response.render()  # while the store's time zone holds
        response.headers["Cache-Control"] = "private, no-store"
        return response
