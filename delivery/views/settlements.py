"""Pages of settlement and payment: the board, the list, its signature, money in and out, the day's close."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.models import Approval
from dealership.kernel.money import ZERO
from dealership.kernel.pages import CommandPage, Page, StaffPage
from dealership.kernel.papers import paper_answer
from reception.models import Appointment
from reception.permissions import VEHICLES_EDIT
from reception.selectors.capacity import deposit_open
from workshop.models import RepairOrder
from workshop.permissions import ORDERS_VIEW

from .. import permissions
from ..documents import old_parts_words, settlement_pdf
from ..forms.settlements import GoodwillForm, IssueForm, PaymentForm, ReasonForm, RefundForm, SignForm
from ..models import Deposit, Payment, Settlement
from ..selectors import exits, payments, settlements
from ..selectors.health_records import missing_for_list
from ..selectors.sales import unsettled_sales
from ..selectors.shares import share_of
from ..selectors.ways import address, next_way
from ..services import deposits as advance
from ..services import payments as money
from ..services import settlements as commands

BOARD_STEPS = (
    exits.ExitStep.LIST,
    exits.ExitStep.SIGNATURE,
    exits.ExitStep.PAYMENT,
    exits.ExitStep.HANDOVER,
    exits.ExitStep.GATE,
)
SHOWN_AS = {
    exits.ExitStep.WORK: exits.ExitStep.LIST,
    exits.ExitStep.INSPECTION: exits.ExitStep.LIST,
    exits.ExitStep.CERTIFICATE: exits.ExitStep.LIST,
    exits.ExitStep.PASS: exits.ExitStep.GATE,
}


LADDER = (exits.ExitStep.INSPECTION, exits.ExitStep.LIST, exits.ExitStep.SIGNATURE, exits.ExitStep.PAYMENT)


class BoardPage(Page):
    """4.1: the cars that are ready, what each still lacks, and the step beside it."""

    permission = permissions.BOARD_VIEW
    template_name = "delivery/board.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        cars = exits.board(by=self.actor)
        counts = Counter(SHOWN_AS.get(car.step, car.step) for car in cars)
        wanted = self.request.GET.get("step", "")
        shown = [c for c in cars if not wanted or SHOWN_AS.get(c.step, c.step) == wanted]
        return super().get_context_data(**kwargs) | {
            "cars": [self.row(car) for car in shown],
            "total": len(cars),
            "steps": [(step, counts[step], step == wanted) for step in BOARD_STEPS],
            "wanted": wanted,
            "on_all": not wanted,
            "may_scan": self.actor.may(permissions.GATE_SCAN),
            "may_see_payments": self.actor.may(permissions.PAYMENTS_VIEW),
            "form_token": uuid4(),
        }

    def row(self, car: exits.VisitExit) -> dict[str, Any]:
        passed = car.passed
        return {
            "exit": car,
            "way": next_way(car, self.actor),
            "visit_url": address("visit-detail", car.visit.uid),
            "ladder": [{"label": step.label, "passed": step in passed} for step in LADDER],
            "order_number": car.blocking.order.number if car.blocking and len(car.orders) > 1 else "",
        }


class IssuePage(CommandPage):
    """4.1: what the list of a finished order will say, with rounding and old parts; a plain POST issues it at once."""

    permission = permissions.SETTLEMENTS_ISSUE
    template_name = "delivery/issue.html"
    form_class = IssueForm
    done = _("The settlement list is issued; its lines are settled.")

    @cached_property
    def order(self) -> RepairOrder:
        rows = RepairOrder.objects.for_actor(self.actor).select_related("store", "visit", "vehicle", "customer")
        return rows.get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        draft = commands.draft_settlement(self.order)
        deposits = settlements.deposits_of(self.order)
        deposit = sum((row.left for row in deposits), ZERO)  # type: ignore[attr-defined]
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "deposit": deposit,
            "after_deposit": max(draft.totals.total - deposit, ZERO),
            "draft": draft,
            "rounding": commands.draft_settlement(self.order, round_off=True).totals,
            "deposits": deposits,
            "lacking": [(row.text, self.mended_at(row.place)) for row in missing_for_list(self.order, draft.rows)],
            "old_parts": old_parts_words(draft.old_parts),
            "back": address("order-detail", self.order.uid),
        }

    def mended_at(self, place: str) -> str:
        """The page on which a missing fact is written down, '' where there is none for this person."""
        if place == "vehicle" and self.actor.may(VEHICLES_EDIT):
            return reverse("vehicle-edit", args=[self.order.vehicle.uid])
        if place == "visit":
            return address("visit-detail", self.order.visit.uid)
        return address("order-detail", self.order.uid) if place == "order" else ""

    def run(self, form: IssueForm) -> Settlement:
        return commands.issue_settlement(order_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: Settlement) -> str:
        return reverse("settlement-detail", args=[result.uid])


class OrderStep(CommandPage):
    """A step of chapter 4 on an order that has no signed list yet."""

    template_name = "delivery/order_step.html"
    title: Any = ""
    explains: Any = ""
    submit: Any = ""
    variant = "primary"

    @cached_property
    def order(self) -> RepairOrder | Appointment:
        """What the step is about; a deposit may also be a booking's."""
        rows = RepairOrder.objects.for_actor(self.actor).select_related("visit", "vehicle", "customer")
        return rows.get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "title": self.title,
            "explains": self.explains,
            "submit": self.submit,
            "variant": self.variant,
            "back": self.location(None),
        }

    def location(self, result: Any) -> str:
        return address("order-detail", self.order.uid)


class DepositPage(OrderStep):
    permission = permissions.PAYMENTS_TAKE
    form_class = PaymentForm
    title = _("Take a deposit")
    explains = _(
        "Paid in advance, such as for a part that is ordered. It counts on the list when the customer signs it."
    )
    submit = _("Take")
    done = _("Deposit taken.")

    def run(self, form: PaymentForm) -> Deposit:
        return advance.take_deposit(order_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        may_read = self.actor.may(ORDERS_VIEW)
        return super().location(result) if may_read else reverse("payment-list")


class BookingDepositPage(OrderStep):
    """2.4: money in advance for a booking; it counts on the list of its visit."""

    permission = permissions.PAYMENTS_TAKE
    form_class = PaymentForm
    title = _("Take a deposit")
    explains = _("Paid in advance for the booking. It counts on the customer's list of that visit.")
    submit = _("Take")
    done = _("Deposit taken.")

    @cached_property
    def order(self) -> Appointment:
        rows = Appointment.objects.for_actor(self.actor).select_related("vehicle", "customer")
        return rows.get(uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return {"amount": deposit_open(self.order) or None}

    def run(self, form: PaymentForm) -> Deposit:
        return advance.take_booking_deposit(appointment_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return address("appointment-detail", self.order.uid)


class ReturnDepositPage(OrderStep):
    permission = permissions.PAYMENTS_REFUND
    form_class = RefundForm
    title = _("Give a deposit back")
    submit = _("Give back")
    variant = "danger"
    done = _("The counter-entry is written.")

    @cached_property
    def deposit(self) -> Deposit:
        rows = Deposit.objects.for_actor(self.actor).select_related("order", "appointment")
        return rows.get(uid=self.kwargs["uid"])

    @cached_property
    def order(self) -> RepairOrder | Appointment:
        return self.deposit.subject

    def get_initial(self) -> dict[str, Any]:
        return {"amount": advance.deposit_left(self.deposit) or None}

    def run(self, form: RefundForm) -> Deposit:
        return advance.return_deposit(deposit_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("payment-list")


class GoodwillPage(OrderStep):
    permission = permissions.GOODWILL_ASK
    form_class = GoodwillForm
    title = _("Ask for goodwill")
    explains = _("Somebody else decides, on the phone. Approved, it is taken off the next list that is issued.")
    submit = _("Ask")
    done = _("Asked; whoever may decide sees it now.")

    def run(self, form: GoodwillForm) -> Approval:
        return commands.ask_goodwill(order_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


def list_context(paper: settlements.Paper) -> dict[str, Any]:
    """What every page that shows a list needs."""
    return {
        "paper": paper,
        "settlement": paper.settlement,
        "order": paper.settlement.order,
        "visit": paper.settlement.order.visit,
        "vehicle": paper.settlement.order.vehicle,
        "old_parts": old_parts_words(paper.settlement.old_parts),
        "share": share_of(paper.settlement),
    }


class SettlementPage(Page):
    """Domain 3.5: one list as it is printed, with the next step at the right."""

    permission = permissions.SETTLEMENTS_VIEW
    template_name = "delivery/settlement.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        paper = settlements.read_settlement(uid=self.kwargs["uid"], by=self.actor)
        exit_ = exits.visit_exit(paper.settlement.order.visit)
        return (
            super().get_context_data(**kwargs)
            | list_context(paper)
            | {
                "exit": exit_,
                "way": next_way(exit_, self.actor),
                "payment_form": PaymentForm(initial={"amount": paper.due}),
                "may": {
                    "sign": self.actor.may(permissions.SETTLEMENTS_SIGN),
                    "void": self.actor.may(permissions.SETTLEMENTS_VOID),
                    "take": self.actor.may(permissions.PAYMENTS_TAKE),
                    "refund": self.actor.may(permissions.PAYMENTS_REFUND),
                    "ask": self.actor.may(permissions.UNPAID_EXIT_ASK),
                    "goodwill": self.actor.may(permissions.GOODWILL_ASK),
                },
                "form_token": uuid4(),
            }
        )


def pdf_answer(paper: settlements.Paper) -> HttpResponse:
    """The list as a PDF that opens beside the page."""
    return paper_answer(settlement_pdf(paper), paper.settlement.number)


class SettlementPdfView(StaffPage, View):
    """The list on paper."""

    permission = permissions.SETTLEMENTS_VIEW

    def get(self, request: HttpRequest, uid: Any) -> HttpResponse:
        return pdf_answer(settlements.read_settlement(uid=uid, by=self.actor))


class SettlementStep(CommandPage):
    """One step of a list as a small page of its own; the list's page carries the same form."""

    template_name = "delivery/step.html"
    title: Any = ""
    submit: Any = ""
    variant = "primary"

    @cached_property
    def paper(self) -> settlements.Paper:
        return settlements.read_settlement(uid=self.kwargs["uid"], by=self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return (
            super().get_context_data(**kwargs)
            | list_context(self.paper)
            | {
                "title": self.title,
                "submit": self.submit,
                "variant": self.variant,
                "back": reverse("settlement-detail", args=[self.paper.settlement.uid]),
            }
        )

    def location(self, result: Any) -> str:
        return reverse("settlement-detail", args=[self.paper.settlement.uid])


class SignPage(SettlementStep):
    permission = permissions.SETTLEMENTS_SIGN
    form_class = SignForm
    title = _("Signature on the settlement list")
    submit = _("Sign")
    done = _("The list is signed.")

    def run(self, form: SignForm) -> Settlement:
        return commands.sign_settlement(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class VoidPage(SettlementStep):
    permission = permissions.SETTLEMENTS_VOID
    form_class = ReasonForm
    title = _("Void the settlement list")
    submit = _("Void")
    variant = "danger"
    done = _("The list is voided; the order's lines are open again.")

    def run(self, form: ReasonForm) -> Settlement:
        return commands.void_settlement(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class PayPage(SettlementStep):
    permission = permissions.PAYMENTS_TAKE
    form_class = PaymentForm
    title = _("Take a payment")
    submit = _("Take")
    done = _("Payment taken.")

    def get_initial(self) -> dict[str, Any]:
        return {"amount": self.paper.due}

    def run(self, form: PaymentForm) -> Payment:
        return money.take_payment(settlement_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class UnpaidExitPage(SettlementStep):
    permission = permissions.UNPAID_EXIT_ASK
    form_class = ReasonForm
    title = _("Ask that the car may leave unpaid")
    submit = _("Ask")
    done = _("Asked; whoever may decide sees it now.")

    def run(self, form: ReasonForm) -> Approval:
        return commands.ask_unpaid_exit(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class RefundPage(SettlementStep):
    permission = permissions.PAYMENTS_REFUND
    form_class = RefundForm
    title = _("Give money back")
    submit = _("Give back")
    variant = "danger"
    done = _("The counter-entry is written.")

    @cached_property
    def payment(self) -> Payment:
        return Payment.objects.for_actor(self.actor).select_related("settlement").get(uid=self.kwargs["uid"])

    @cached_property
    def paper(self) -> settlements.Paper:
        return settlements.read_settlement(uid=self.payment.settlement.uid, by=self.actor)

    def get_initial(self) -> dict[str, Any]:
        return {"amount": next((p.left for p in self.paper.payments if p.pk == self.payment.pk), None)}  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"payment": self.payment}

    def run(self, form: RefundForm) -> Payment:
        return money.refund_payment(payment_uid=self.payment.uid, by=self.actor, **form.cleaned_data)


class PaymentsPage(Page):
    """4.1: lists that wait for money, and the cashier's close of a day by method."""

    permission = permissions.PAYMENTS_VIEW
    template_name = "delivery/payments.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            day = date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            day = None
        return super().get_context_data(**kwargs) | {
            "close": payments.day_close(by=self.actor, day=day),
            "unpaid": list(payments.unpaid_settlements(by=self.actor)),
            "unpaid_sales": unsettled_sales(self.actor),
            "may_take": self.actor.may(permissions.PAYMENTS_TAKE),
            "may_return": self.actor.may(permissions.PAYMENTS_REFUND),
        }
