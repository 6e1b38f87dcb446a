"""What the customer reads and signs on the link of the visit (1.3, 4.1)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.pages import CommandPage, StaffPage
from reception.links import LinkDoor

from ..forms.settlements import SignForm
from ..models import Settlement
from ..selectors import settlements
from ..services import settlements as commands
from .settlements import list_context, pdf_answer


class LinkSettlementPage(LinkDoor, CommandPage):
    """4.1: the customer reads the list and signs it on the phone."""

    template_name = "delivery/link_settlement.html"
    form_class = SignForm
    done = _("Thank you; the list is signed.")

    @cached_property
    def paper(self) -> settlements.Paper:
        return settlements.read_settlement(uid=self.kwargs["uid"], by=self.actor)

    def get_initial(self) -> dict[str, Any]:
        return {"signed_name": self.link.visit.contact_name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return (
            super().get_context_data(**kwargs)
            | list_context(self.paper)
            | {
                "store": self.link.visit.store,
                "back": reverse("visit-link", args=[self.link.token]),
                "pdf": reverse("link-settlement-pdf", args=[self.link.token, self.paper.settlement.uid]),
            }
        )

    def run(self, form: SignForm) -> Settlement:
        return commands.sign_settlement(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class LinkSettlementPdfView(LinkDoor, StaffPage, View):
    """The paper of the list."""

    def get(self, request: HttpRequest, uid: Any) -> HttpResponse:
        return pdf_answer(settlements.read_settlement(uid=uid, by=self.actor))
