"""Pages of long repairs under 三包: who is owed a loan car or money, and the record of a repair (domain 3.5, 3.6)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock, limits
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage
from dealership.kernel.papers import paper_answer
from workshop import permissions
from workshop.day_six_models import DaySixCare, RecordCopy
from workshop.documents import record_pdf
from workshop.forms import day_six as forms
from workshop.limits import TRANSPORT_MONEY_A_DAY
from workshop.models import RepairOrder
from workshop.selectors import day_six as reads
from workshop.selectors.repair_record import RecordField, record_of, total_of
from workshop.services import day_six as commands


class DaySixListPage(Page):
    permission = permissions.FAULTS_VIEW
    template_name = "workshop/day_six_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "list": reads.day_six_list(self.actor),
            "may_give": self.actor.may(permissions.DAY_SIX_GIVE),
        }


class OrderCommandPage(CommandPage):
    permission = permissions.DAY_SIX_GIVE

    @cached_property
    def order(self) -> RepairOrder:
        return reads.get_order(self.kwargs["uid"], self.actor)


class CarePage(OrderCommandPage):
    """Days that are owed, what was given, and what is given now."""

    template_name = "workshop/day_six.html"
    form_class = forms.CareForm
    done = _("Written down.")

    @cached_property
    def long(self) -> reads.DaySix | None:
        return reads.day_six_of(self.order)

    def get_initial(self) -> dict[str, Any]:
        today = clock.today(self.order.store.time_zone)
        missing = self.long.missing if self.long else []
        has = reads.loan_car_of(self.order)
        return {
            "kind": "LOAN_CAR",
            "starts_on": missing[0] if missing else today,
            "loan_car_uid": str(has.uid) if has is not None else "",
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"cars": reads.loan_cars(self.order)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "long": self.long,
            "missing": reads.span(self.long.missing) if self.long else "",
            "owed": reads.span(self.long.owed) if self.long else "",
            "per_day": limits.value(TRANSPORT_MONEY_A_DAY, store_id=self.order.store_id),
        }

    def run(self, form: forms.CareForm) -> DaySixCare:
        return commands.give_care(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: DaySixCare) -> str:
        return reverse("day-six", args=[self.order.uid])


class EndCareView(ActionView):
    permission = permissions.DAY_SIX_GIVE
    done = _("The loan car is back.")

    def run(self, form: Any) -> DaySixCare:
        return commands.end_care(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: DaySixCare) -> str:
        care = reads.get_care(self.kwargs["uid"], self.actor)
        return reverse("day-six", args=[care.order.uid])


class RecordPage(OrderCommandPage):
    """What the record of article 17 says and lacks, and who got a copy."""

    template_name = "workshop/repair_record.html"
    form_class = forms.RecordForm
    done = _("Noted: the owner has the record.")

    def get_initial(self) -> dict[str, Any]:
        return {"receiver": self.order.visit.contact_name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        record = record_of(self.order)
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "record": record,
            "total": total_of(record),
            "missing": [RecordField(code).label for code in record.missing],
            "copies": self.order.record_copies.select_related("given_by"),
            "is_done": self.order.stage in commands.DONE,
        }

    def run(self, form: forms.RecordForm) -> RecordCopy:
        return commands.hand_out_record(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: RecordCopy) -> str:
        return reverse("repair-record", args=[self.order.uid])


class RecordPdfView(StaffPage, View):
    permission = permissions.ORDERS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        order = reads.get_order(uid, self.actor)
        return paper_answer(record_pdf(order, record_of(order)), f"{order.number}-record")
