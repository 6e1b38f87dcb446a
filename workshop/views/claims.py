"""Pages of the demands under 三包: the list by its clocks, one file, and its steps (domain 3.6, art. 28)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel.pages import CommandPage, Page
from reception.models import Vehicle
from workshop import permissions
from workshop.claim_models import OTHER_CAR, ClaimState, StatutoryClaim
from workshop.forms import claims as forms
from workshop.selectors import claims as reads
from workshop.selectors import faults
from workshop.services import claims as commands


class ClaimListPage(Page):
    permission = permissions.FAULTS_VIEW
    template_name = "workshop/claims.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "all")
        show = asked if asked in reads.SHOWS else "all"
        return super().get_context_data(**kwargs) | {"list": reads.claim_list(self.actor, show=show), "show": show}


class ClaimPage(Page):
    permission = permissions.FAULTS_VIEW
    template_name = "workshop/claim.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        claim = reads.get_claim(self.kwargs["uid"], self.actor)
        answers, opens = (self.actor.may(p) for p in (permissions.CLAIMS_ANSWER, permissions.CLAIMS_OPEN))
        return super().get_context_data(**kwargs) | {
            "claim": claim,
            "grounds": reads.grounds_in_words(claim),
            "table": faults.SOURCES.get(claim.grounds["table"], claim.grounds["table"]),
            "start": reads.start_in(claim),
            "guessed": reads.guessed(claim),
            "answerers": [] if answers else reads.answerers_of(claim),
            "may_answer": answers and claim.state == ClaimState.OPEN,
            "may_finish": answers and claim.state == ClaimState.GRANTED,
            "may_withdraw": opens and claim.state in (ClaimState.OPEN, ClaimState.GRANTED),
        }


class OpenClaimPage(CommandPage):
    """Enters what an owner demands; the grounds are taken from the car as it stands."""

    permission = permissions.CLAIMS_OPEN
    template_name = "workshop/claim_new.html"
    form_class = forms.OpenClaimForm
    done = _("The demand is entered; the working days for the answer run.")

    @cached_property
    def vehicle(self) -> Vehicle:
        return get_object_or_404(Vehicle.objects.for_actor(self.actor), uid=self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"people": reads.people_of(self.vehicle, self.actor)}

    def get_initial(self) -> dict[str, Any]:
        return {"odometer_km": self.vehicle.odometer_km}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        standing = faults.standing_of(self.vehicle)
        return context | {
            "vehicle": self.vehicle,
            "standing": standing,
            "people": context["form"].fields["customer_uid"].choices,
            "rows": [row for row in faults.rows_of(standing) if row.right],
        }

    def run(self, form: forms.OpenClaimForm) -> StatutoryClaim:
        data = dict(form.cleaned_data)
        customer = UUID(data.pop("customer_uid"))
        return commands.open_claim(vehicle_uid=self.vehicle.uid, customer_uid=customer, by=self.actor, **data)

    def location(self, result: StatutoryClaim) -> str:
        if self.actor.may(permissions.FAULTS_VIEW):
            return reverse("statutory-claim", args=[result.uid])
        return reverse("vehicle-detail", args=[self.vehicle.uid])


class ClaimCommandPage(CommandPage):
    permission = permissions.CLAIMS_ANSWER
    template_name = "workshop/claim_form.html"
    title: Any = ""
    submit: Any = ""

    @cached_property
    def claim(self) -> StatutoryClaim:
        return reads.get_claim(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"claim": self.claim, "title": self.title, "submit": self.submit}

    def location(self, result: StatutoryClaim) -> str:
        return reverse("statutory-claim", args=[result.uid])


class GrantPage(ClaimCommandPage):
    form_class = forms.GrantForm
    title, submit = _("Grant the demand"), pgettext_lazy("demand", "Grant it")
    done = _("Granted; now it is carried out within the working days.")

    @property
    def pays(self) -> bool:
        return self.claim.pays_for_use and self.claim.remedy in OTHER_CAR

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"pays": self.pays}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"pays": self.pays}

    def run(self, form: forms.GrantForm) -> StatutoryClaim:
        return commands.grant_claim(uid=self.claim.uid, by=self.actor, **form.told())


class RefusePage(ClaimCommandPage):
    form_class = forms.RefuseForm
    title, submit = _("Refuse the demand"), pgettext_lazy("demand", "Refuse it")
    done = _("Refused; the answer with its reason is kept.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"stands": self.claim.right_stands}

    def run(self, form: forms.RefuseForm) -> StatutoryClaim:
        return commands.refuse_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class FinishPage(ClaimCommandPage):
    form_class = forms.ResultForm
    title, submit, done = _("The demand is carried out"), _("Close the file"), _("The file is closed.")

    def run(self, form: forms.ResultForm) -> StatutoryClaim:
        return commands.finish_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)


class TakeBackPage(ClaimCommandPage):
    permission = permissions.CLAIMS_OPEN
    form_class = forms.ResultForm
    title, submit, done = _("The owner takes the demand back"), _("Close the file"), _("The file is closed.")

    def run(self, form: forms.ResultForm) -> StatutoryClaim:
        return commands.withdraw_claim(uid=self.claim.uid, by=self.actor, **form.cleaned_data)
