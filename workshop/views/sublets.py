"""Pages of outside work: the list, one of them with its steps, and the giving out from the order (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.files import file_response
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage
from workshop import permissions
from workshop.forms import sublets as forms
from workshop.models import OrderLine, RepairOrder
from workshop.selectors import sublets as reads
from workshop.selectors.orders import get_order
from workshop.selectors.suppliers import choosable
from workshop.services import sublets as commands
from workshop.sublet_models import TO_GO, SubletLeaves, SubletOrder, SubletState
from workshop.supplier_models import Supplier, SupplierKind

SHOWS = ("open", "late", "back", "unbilled", "ended")


class SubletsPage(Page):
    permission = permissions.SUBLETS_VIEW
    template_name = "workshop/sublets.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "open")
        show = asked if asked in SHOWS else "open"
        found = reads.sublet_list(self.actor, show=show)
        rows = [(row, row.is_late(found.now)) for row in found.rows]
        return super().get_context_data(**kwargs) | {
            "list": found,
            "rows": rows,
            "show": show,
            "may_suppliers": self.actor.may(permissions.SUPPLIERS_VIEW),
        }


class NewSubletPage(CommandPage):
    """Agreed work of an order goes to an outside firm."""

    permission = permissions.SUBLETS_WORK
    template_name = "workshop/sublet_new.html"
    form_class = forms.NewSubletForm
    done = _("Noted. Send it when it goes out; a car leaves by its gate pass.")

    @cached_property
    def order(self) -> RepairOrder:
        return get_order(self.kwargs["uid"], self.actor)

    @cached_property
    def lines(self) -> list[OrderLine]:
        return reads.lines_to_give(self.order)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"lines": self.lines, "suppliers": self.suppliers}

    @cached_property
    def suppliers(self) -> list[Supplier]:
        return choosable(self.actor, SupplierKind.WORK)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = {"order": self.order, "lines": self.lines, "suppliers": self.suppliers}
        return super().get_context_data(**kwargs) | facts

    def run(self, form: forms.NewSubletForm) -> SubletOrder:
        return commands.order_sublet(by=self.actor, **form.given())

    def location(self, result: SubletOrder) -> str:
        return reverse("sublet", args=[result.uid])


class SubletPage(Page):
    permission = permissions.SUBLETS_VIEW
    template_name = "workshop/sublet.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        row = reads.get_sublet(self.kwargs["uid"], self.actor)
        works, car = self.actor.may(permissions.SUBLETS_WORK), row.leaves == SubletLeaves.CAR
        return super().get_context_data(**kwargs) | {
            "row": row,
            "order": row.line.order,
            "late": row.is_late(clock.now()),
            "may_send": works and not car and row.state in TO_GO,
            "needs_pass": car and row.state in TO_GO,
            "may_take_back": works and not car and row.state == SubletState.SENT,
            "may_check": row.state == SubletState.BACK and self.actor.may(permissions.SUBLETS_CHECK),
            "may_move": works and row.state in (*TO_GO, SubletState.SENT),
            "may_bill": works and row.state == SubletState.ACCEPTED and row.final_cost is None,
            "may_cancel": works and row.state in TO_GO,
        }


class _SubletAction(ActionView):
    permission = permissions.SUBLETS_WORK

    def location(self, result: SubletOrder) -> str:
        return reverse("sublet", args=[result.uid])


class SendView(_SubletAction):
    done = _("It is with the firm; the line waits for it.")

    def run(self, form: Any) -> SubletOrder:
        return commands.send_sublet(uid=self.kwargs["uid"], by=self.actor)


class BackView(_SubletAction):
    done = _("It is back; check it now.")

    def run(self, form: Any) -> SubletOrder:
        return commands.take_back_sublet(uid=self.kwargs["uid"], by=self.actor)


class _SubletStep(CommandPage):
    permission = permissions.SUBLETS_WORK
    template_name = "workshop/sublet_step.html"

    @cached_property
    def sublet(self) -> SubletOrder:
        return reads.get_sublet(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"row": self.sublet}

    def location(self, result: SubletOrder) -> str:
        return reverse("sublet", args=[result.uid])


class CheckPage(_SubletStep):
    permission = permissions.SUBLETS_CHECK
    form_class = forms.CheckForm
    extra_context = {"title": _("Check what came back"), "submit": _("Write it down")}
    done = _("What was found is written down.")

    def run(self, form: forms.CheckForm) -> SubletOrder:
        return commands.check_sublet(uid=self.sublet.uid, by=self.actor, **form.cleaned_data)


class DayPage(_SubletStep):
    form_class = forms.DayForm
    extra_context = {"title": _("The firm names another time"), "submit": _("Write it down")}
    done = _("The new time is written down; the order's promise is measured by it.")

    def get_initial(self) -> dict[str, Any]:
        return {"expected_at": self.sublet.expected_at}

    def run(self, form: forms.DayForm) -> SubletOrder:
        return commands.change_sublet_day(uid=self.sublet.uid, by=self.actor, **form.cleaned_data)


class BillPage(_SubletStep):
    form_class = forms.BillForm
    extra_context = {"title": _("Bill of the firm"), "submit": _("Enter the bill")}
    done = _("The bill is entered.")

    def get_initial(self) -> dict[str, Any]:
        return {"final_cost": self.sublet.agreed_cost}

    def run(self, form: forms.BillForm) -> SubletOrder:
        return commands.bill_sublet(uid=self.sublet.uid, by=self.actor, **form.given())


class BillPictureView(StaffPage, View):
    permission = permissions.SUBLETS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.bill_of(uid, self.actor))


class CancelPage(_SubletStep):
    form_class = forms.GiveUpForm
    extra_context = {
        "title": pgettext_lazy("outside work", "Give it up"),
        "submit": pgettext_lazy("outside work", "Give it up"),
        "variant": "danger",
    }
    done = _("Given up; the line goes on here.")

    def run(self, form: forms.GiveUpForm) -> SubletOrder:
        return commands.cancel_sublet(uid=self.sublet.uid, by=self.actor, **form.cleaned_data)
