"""The repair contract: read, printed, signed at the desk; on the customer's link as a paper (domain 3.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.pages import StaffPage
from dealership.kernel.papers import paper_answer
from reception.links import LinkDoor
from workshop import permissions
from workshop.contract_models import ContractSignature
from workshop.documents import contract_pdf
from workshop.forms.contracts import ContractForm
from workshop.models import RepairOrder
from workshop.selectors import orders as reads
from workshop.selectors.contracts import Contract, contract_of, order_paper
from workshop.services import contracts as commands

from .orders import OrderCommandPage, drawn_signature


def _version(request: HttpRequest) -> int:
    """Which version of the estimate is meant; 0 where the address doesn't say."""
    text = request.GET.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _paper(order: RepairOrder, version: int) -> HttpResponse:
    found = order_paper(order, version)
    if found is None:
        raise Http404("No estimate of this order was sent yet")
    return paper_answer(contract_pdf(found), f"{found.number}-contract")


class ContractPage(OrderCommandPage):
    permission = (permissions.ORDERS_VIEW, permissions.AUTHORIZATIONS_RECORD)
    template_name = "workshop/contract.html"
    form_class = ContractForm
    title = _("Repair contract")
    done = _("The contract is signed.")

    @cached_property
    def contract(self) -> Contract | None:
        return order_paper(self.order, _version(self.request))

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"signed_name": self.order.visit.contact_name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown, to_sign = self.contract, contract_of(self.order)
        return super().get_context_data(**kwargs) | {
            "contract": shown,
            "may_sign": shown
            and to_sign
            and shown.estimate == to_sign.estimate
            and not to_sign.signed_at
            and self.actor.may(permissions.AUTHORIZATIONS_RECORD),
        }

    def run(self, form: ContractForm) -> ContractSignature:
        return commands.sign_contract(
            order_uid=self.order.uid,
            signature=drawn_signature(self.request),
            by=self.actor,
            **form.cleaned_data,
        )


class ContractPdfView(StaffPage, View):
    permission = permissions.ORDERS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return _paper(reads.get_order(uid, self.actor), _version(request))


class ContractOnLink(LinkDoor, StaffPage, View):
    """The contract of the holder's own visit."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return _paper(RepairOrder.objects.for_actor(self.actor).get(uid=uid), _version(request))
