"""Pages of the claims to the maker: list with ages, one claim with its papers, each step (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage, Page
from workshop import permissions
from workshop.forms import warranty_claims as forms
from workshop.models import RepairOrder
from workshop.selectors import warranty_claims as reads
from workshop.services import warranty_claims as commands
from workshop.warranty_claim_models import TO_BE_SUBMITTED, WARRANTY_CLAIM_MOVES, WarrantyClaim, WarrantyClaimState

W = WarrantyClaimState
SHOWS = ("open", "submit", "late", "maker", "pay", "all")


class WarrantyClaimsPage(Page):
    permission = permissions.WARRANTY_CLAIMS_VIEW
    template_name = "workshop/warranty_claims.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "open")
        show = asked if asked in SHOWS else "open"
        return super().get_context_data(**kwargs) | {
            "list": reads.warranty_claim_list(self.actor, show=show),
            "show": show,
            "today": clock.today(),
        }


class WarrantyClaimPage(Page):
    permission = permissions.WARRANTY_CLAIMS_VIEW
    template_name = "workshop/warranty_claim.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        claim = reads.get_warranty_claim(self.kwargs["uid"], self.actor)
        papers = reads.papers_of(claim)
        next_ones = WARRANTY_CLAIM_MOVES[W(claim.state)]
        works, pays = (
            self.actor.may(code) for code in (permissions.WARRANTY_CLAIMS_WORK, permissions.WARRANTY_CLAIMS_PAY)
        )
        may = {f"may_{state.lower()}": works and state in next_ones for state in W.values}
        return super().get_context_data(**kwargs) | {
            "claim": claim,
            "order": claim.order,
            "lines": reads.lines_of(claim),
            "papers": papers,
            "missing": [paper for paper in papers if not paper.there],
            "late": claim.is_late(clock.today(claim.store.time_zone)),
            "form_token": uuid4(),
            "may_photo": self.actor.may(permissions.LINES_EDIT) and claim.state in TO_BE_SUBMITTED,
            "here": reverse("warranty-claim", args=[claim.uid]),
            **may,
            "may_paid": pays and W.PAID in next_ones,
        }


class OpenWarrantyClaimPage(CommandPage):
    """On an order: its warranty lines are judged to be the maker's to pay."""

    permission = permissions.WARRANTY_CLAIMS_WORK
    template_name = "workshop/warranty_claim_new.html"
    form_class = forms.OpenClaimForm
    done = _("The claim to the maker is open.")

    @cached_property
    def order(self) -> RepairOrder:
        return RepairOrder.objects.for_actor(self.actor).select_related("vehicle").get(uid=self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"rows": list(reads.claimable(self.order))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "back": reverse("order-detail", args=[self.order.uid]),
        }

    def run(self, form: forms.OpenClaimForm) -> WarrantyClaim:
        return commands.open_warranty_claim(order_uid=self.order.uid, by=self.actor, **form.told())

    def location(self, result: WarrantyClaim) -> str:
        return reverse("warranty-claim", args=[result.uid])


class AskMakerView(ActionView):
    permission = permissions.WARRANTY_CLAIMS_WORK
    done = _("The claim waits for the maker's yes.")

    def run(self, form: Any) -> WarrantyClaim:
        return commands.ask_maker(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("warranty-claim", args=[self.kwargs["uid"]])


class CompleteView(ActionView):
    permission = permissions.WARRANTY_CLAIMS_WORK
    done = _("The papers are complete; submit the claim.")

    def run(self, form: Any) -> WarrantyClaim:
        return commands.complete_warranty_claim(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("warranty-claim", args=[self.kwargs["uid"]])


class _ClaimStep(CommandPage):
    permission = permissions.WARRANTY_CLAIMS_WORK
    template_name = "workshop/warranty_claim_step.html"

    @cached_property
    def claim(self) -> WarrantyClaim:
        return reads.get_warranty_claim(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"claim": self.claim}

    def location(self, result: WarrantyClaim) -> str:
        return reverse("warranty-claim", args=[result.uid])


class StartRepairPage(_ClaimStep):
    form_class = forms.StartRepairForm
    extra_context = {"title": _("Repair at the maker's cost"), "submit": _("The repair goes ahead")}
    done = _("The repair goes ahead; the customer pays nothing for it.")

    def run(self, form: forms.StartRepairForm) -> WarrantyClaim:
        return commands.start_warranty_repair(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class SubmitPage(_ClaimStep):
    form_class = forms.SubmitForm
    extra_context = {"title": _("Submit to the maker"), "submit": _("It is submitted")}
    done = _("The claim is with the maker.")

    def get_initial(self) -> dict[str, Any]:
        return {"reference": self.claim.reference}

    def run(self, form: forms.SubmitForm) -> WarrantyClaim:
        return commands.submit_warranty_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class ReturnPage(_ClaimStep):
    form_class = forms.ReturnForm
    extra_context = {"title": _("The maker sends it back"), "submit": _("Note it")}
    done = _("The claim is back; add what is missing and submit it again.")

    def run(self, form: forms.ReturnForm) -> WarrantyClaim:
        return commands.return_warranty_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class ApprovePage(_ClaimStep):
    form_class = forms.ApproveForm
    extra_context = {"title": _("The maker approves"), "submit": _("Note the approval")}
    done = _("The maker has approved.")

    def get_initial(self) -> dict[str, Any]:
        return {"amount": self.claim.claimed_amount}

    def run(self, form: forms.ApproveForm) -> WarrantyClaim:
        return commands.approve_warranty_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class RejectPage(_ClaimStep):
    form_class = forms.RejectForm
    extra_context = {"title": _("The maker rejects it"), "submit": _("Note the rejection"), "variant": "danger"}
    done = _("Rejected; the customer pays nothing where they were told that it is free.")

    def run(self, form: forms.RejectForm) -> WarrantyClaim:
        return commands.reject_warranty_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class GiveUpPage(_ClaimStep):
    form_class = forms.RejectForm
    extra_context = {"title": _("Give the claim up"), "submit": _("Give it up"), "variant": "danger"}
    done = _("The claim is given up.")

    def run(self, form: forms.RejectForm) -> WarrantyClaim:
        return commands.withdraw_warranty_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class PayClaimPage(_ClaimStep):
    permission = permissions.WARRANTY_CLAIMS_PAY
    form_class = forms.PayClaimForm
    extra_context = {"title": _("The maker has paid"), "submit": _("Note the maker's payment")}
    done = _("Paid; the claim is closed.")

    def get_initial(self) -> dict[str, Any]:
        return {"amount": self.claim.approved_amount, "paid_on": clock.today(self.claim.store.time_zone)}

    def run(self, form: forms.PayClaimForm) -> WarrantyClaim:
        return commands.pay_warranty_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)
