"""Pages of the cars that came back within the guarantee of our work (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage, Page
from reception.models import Visit
from workshop.permissions import ORDERS_OPEN

from .. import permissions
from ..forms import rework as forms
from ..rework_models import ReworkCase, ReworkState
from ..selectors import rework as reads
from ..selectors.ways import address
from ..services import rework as commands
from .handovers import visit_of

SHOWS = ("sought", "soon", "mend", "out", "all")


class ReworkListPage(Page):
    permission = permissions.REWORK_VIEW
    template_name = "delivery/rework.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "all")
        show = asked if asked in SHOWS else "all"
        return super().get_context_data(**kwargs) | {
            "list": reads.rework_list(self.actor, show=show),
            "show": show,
            "now": clock.now(),
        }


class OpenReworkPage(CommandPage):
    """At the reception: the car came back for work that is still under guarantee."""

    permission = permissions.REWORK_OPEN
    template_name = "delivery/rework_open.html"
    form_class = forms.OpenReworkForm
    done = _("The return is entered; the days to find its cause begin.")

    @cached_property
    def visit(self) -> Visit:
        return visit_of(self.kwargs["uid"], self)

    @cached_property
    def rows(self) -> list[reads.Covered]:
        found = reads.covered_lines(
            self.visit.vehicle, self.actor, km=self.visit.odometer_in_km, but_visit=self.visit.pk
        )
        return [row for row in found if row.running and row.case is None]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"rows": self.rows}

    def get_initial(self) -> dict[str, Any]:
        return {"complaint": self.visit.need}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "rows": self.rows,
            "back": address("visit-detail", self.visit.uid) or reverse("rework-list"),
        }

    def run(self, form: forms.OpenReworkForm) -> ReworkCase:
        data = form.cleaned_data
        return commands.open_rework(
            visit_uid=self.visit.uid, line_uid=UUID(data["line_uid"]), complaint=data["complaint"], by=self.actor
        )

    def location(self, result: ReworkCase) -> str:
        return reverse("rework-case", args=[result.uid])


class ReworkPage(Page):
    permission = permissions.REWORK_VIEW
    template_name = "delivery/rework_case.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        case = reads.get_case(self.kwargs["uid"], self.actor)
        judges, opens = (self.actor.may(p) for p in (permissions.REWORK_JUDGE, permissions.REWORK_OPEN))
        accepted = case.state == ReworkState.ACCEPTED and (case.order is None or case.order.withdrawn_at is not None)
        return super().get_context_data(**kwargs) | {
            "case": case,
            "workers": reads.workers_of(case.line),
            "now": clock.now(),
            "may_judge": judges and case.state == ReworkState.OPEN,
            "may_start": self.actor.may(ORDERS_OPEN) and accepted and not case.goes_out,
            "may_send": judges and accepted,
            "may_pay": judges and case.state == ReworkState.SENT_OUT,
            "may_withdraw": opens and (case.state == ReworkState.OPEN or accepted),
            "form_token": uuid4(),
        }


class ReworkCommandPage(CommandPage):
    permission = permissions.REWORK_JUDGE
    template_name = "delivery/rework_form.html"
    title: Any = ""
    submit: Any = ""

    @cached_property
    def case(self) -> ReworkCase:
        return reads.get_case(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"case": self.case, "title": self.title, "submit": self.submit}

    def location(self, result: ReworkCase) -> str:
        return reverse("rework-case", args=[result.uid])


class JudgePage(ReworkCommandPage):
    form_class = forms.JudgeForm
    title, submit, done = _("Verdict on the return"), _("Write the verdict"), _("The verdict is written.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"others": clock.now() < self.case.evidence_due_at}

    def run(self, form: forms.JudgeForm) -> ReworkCase:
        return commands.judge_rework(uid=self.case.uid, by=self.actor, **form.cleaned_data)


class StartView(ActionView):
    """Opens the rework order; the next step stands there."""

    permission = ORDERS_OPEN
    done = _("The rework order is open: add what is needed and send it.")

    def run(self, form: Any) -> ReworkCase:
        return commands.start_rework(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        order = result.order if result is not None else None
        return reverse("order-detail", args=[order.uid]) if order else reverse("rework-case", args=[self.kwargs["uid"]])


class SendOutPage(ReworkCommandPage):
    form_class = forms.SendOutForm
    title, submit, done = (
        _("Another repairer mends it"),
        _("Give it away"),
        _("Another repairer mends it, at our cost."),
    )

    def run(self, form: forms.SendOutForm) -> ReworkCase:
        return commands.send_rework_out(uid=self.case.uid, by=self.actor, **form.cleaned_data)


class PayPage(ReworkCommandPage):
    form_class = forms.PayForm
    title, submit, done = _("The other repairer is paid"), _("Note the payment"), _("Paid; the return is closed.")

    def run(self, form: forms.PayForm) -> ReworkCase:
        return commands.pay_rework(uid=self.case.uid, by=self.actor, **form.cleaned_data)


class WithdrawPage(ReworkCommandPage):
    permission = permissions.REWORK_OPEN
    form_class = forms.WithdrawForm
    title, submit, done = _("Take the return back"), _("Take back"), _("The return is taken back.")

    def run(self, form: forms.WithdrawForm) -> ReworkCase:
        return commands.withdraw_rework(uid=self.case.uid, by=self.actor, **form.cleaned_data)
