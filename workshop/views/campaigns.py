"""Pages of recalls and service campaigns (3.2, domain 4.2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage, Page
from reception.models import Visit
from reception.permissions import VISITS_VIEW
from workshop import permissions
from workshop.campaign_models import Campaign, CampaignAnswer, CampaignVehicle
from workshop.forms import campaigns as forms
from workshop.models import OrderLine, RepairOrder
from workshop.selectors import campaigns as reads
from workshop.services import campaigns as commands


class CampaignListPage(Page):
    permission = permissions.ORDERS_VIEW
    template_name = "workshop/campaigns.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.campaign_rows(),
            "today": clock.today(),
            "may_manage": self.actor.may(permissions.CAMPAIGNS_MANAGE),
        }


class CampaignPage(Page):
    permission = permissions.ORDERS_VIEW
    template_name = "workshop/campaign.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        campaign = reads.get_campaign(self.kwargs["uid"])
        return super().get_context_data(**kwargs) | {
            "campaign": campaign,
            "row": reads.campaign_rows(uid=campaign.uid)[0],
            "cars": reads.cars_of(campaign, self.actor),
            "may_manage": self.actor.may(permissions.CAMPAIGNS_MANAGE),
        }


class NewCampaignPage(CommandPage):
    permission = permissions.CAMPAIGNS_MANAGE
    template_name = "workshop/campaign_form.html"
    form_class = forms.CampaignForm
    done = _("The campaign is there; now add its VINs.")

    def get_initial(self) -> dict[str, Any]:
        return {"kind": "RECALL", "starts_on": clock.today()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "title": _("New recall or campaign"),
            "submit": _("Open it"),
            "back": reverse("campaigns"),
        }

    def run(self, form: forms.CampaignForm) -> Campaign:
        data = dict(form.cleaned_data)
        operation = UUID(data.pop("operation_uid"))
        return commands.open_campaign(operation_uid=operation, by=self.actor, **data)

    def location(self, result: Campaign) -> str:
        return reverse("campaign-vins", args=[result.uid])


class CampaignCommandPage(CommandPage):
    permission = permissions.CAMPAIGNS_MANAGE

    @cached_property
    def campaign(self) -> Campaign:
        return reads.get_campaign(self.kwargs["uid"])

    def location(self, result: Campaign) -> str:
        return reverse("campaign", args=[self.campaign.uid])


class AddVinsPage(CampaignCommandPage):
    """A list is read and shown with its bad lines; the second press writes what is good."""

    template_name = "workshop/campaign_vins.html"
    form_class = forms.VinsForm
    done = _("The VINs are on the list.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"campaign": self.campaign}

    def form_valid(self, form: forms.VinsForm) -> HttpResponse:
        if "write" in self.request.POST:
            return super().form_valid(form)
        text = form.cleaned_data["vins"]
        again = forms.VinsForm(initial={"vins": text})
        return self.render_to_response(self.get_context_data(form=again, read=reads.read_vins(text, self.campaign)))

    def run(self, form: forms.VinsForm) -> Campaign:
        found = reads.read_vins(form.cleaned_data["vins"], self.campaign)
        return commands.add_vins(uid=self.campaign.uid, vins=[*found.new, *found.known], by=self.actor)


class EndCampaignPage(CampaignCommandPage):
    template_name = "workshop/campaign_form.html"
    form_class = forms.EndForm
    done = _("The last day is written down.")

    def get_initial(self) -> dict[str, Any]:
        return {"ends_on": self.campaign.ends_on or clock.today()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "title": _("Last day of the campaign"),
            "say": f"{self.campaign.number} · {self.campaign.title}",
            "submit": _("Write it down"),
            "back": reverse("campaign", args=[self.campaign.uid]),
        }

    def run(self, form: forms.EndForm) -> Campaign:
        return commands.end_campaign(uid=self.campaign.uid, by=self.actor, **form.cleaned_data)


class PutOnOrderView(ActionView):
    """One tap on the order: the campaign's line, paid by the maker."""

    permission = permissions.LINES_EDIT
    done = _("The campaign's line is on the order; the maker pays.")

    def run(self, form: Any) -> OrderLine:
        order = RepairOrder.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        try:
            row = reads.row_of(self.request.POST.get("row", ""))
        except CampaignVehicle.DoesNotExist:
            raise RuleError("campaign.other_car", _("This campaign isn't for the car of this order.")) from None
        return commands.put_on_order(uid=row.uid, order_uid=order.uid, by=self.actor)

    def location(self, result: OrderLine) -> str:
        return reverse("order-detail", args=[self.kwargs["uid"]])


class AnswerPage(CommandPage):
    """What the customer was told about a campaign that isn't done, before the car leaves."""

    permission = permissions.CAMPAIGNS_ANSWER
    template_name = "workshop/campaign_answer.html"
    form_class = forms.AnswerForm
    done = _("The answer is written down.")

    @cached_property
    def visit(self) -> Visit:
        rows = Visit.objects.for_actor(self.actor).select_related("vehicle", "customer")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    @cached_property
    def rows(self) -> list[reads.OpenCampaign]:
        return [*reads.open_for(self.visit.vehicle, self.visit), *reads.said_done(self.visit)]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"rows": self.rows}

    def get_initial(self) -> dict[str, Any]:
        return {"told_to": self.visit.contact_name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "rows": self.rows,
            "back": reverse("visit-detail", args=[self.visit.uid]) if self.actor.may(VISITS_VIEW) else "",
        }

    def run(self, form: forms.AnswerForm) -> CampaignAnswer:
        data = dict(form.cleaned_data)
        row = UUID(data.pop("row"))
        return commands.answer_campaign(uid=row, visit_uid=self.visit.uid, by=self.actor, **data)

    def location(self, result: CampaignAnswer) -> str:
        return reverse("visit-campaign", args=[self.visit.uid])
