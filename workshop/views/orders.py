"""Pages of repair orders: the list, one order, its lines, estimate, promise and withdrawal (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.catalogue.models import Operation, Part, PayType
from dealership.catalogue.selectors.items import default_diagnosis, priced_operations, priced_parts
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import price_operation
from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.files import file_response
from dealership.kernel.formats import one_line
from dealership.kernel.models import Approval
from dealership.kernel.money import ZERO
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage, message_words
from dealership.kernel.saying import say_list, say_money, say_time
from dealership.kernel.signatures import EMPTY_PAD
from reception.models import Customer, CustomerKind, ToldBy, Visit
from reception.permissions import APPOINTMENTS_BOOK, CUSTOMERS_EDIT
from reception.selectors.customers import list_customers
from reception.services.customers import register_customer
from workshop import permissions
from workshop.forms import orders as forms
from workshop.models import (
    AuthorizationMethod,
    DeclineCause,
    Estimate,
    LineState,
    OrderKind,
    OrderLine,
    PartLine,
    RepairOrder,
)
from workshop.promise_models import PromiseTelling
from workshop.selectors import away
from workshop.selectors import orders as reads
from workshop.selectors.apart import BEGUN, Again, falls_due, lying_apart, price_again
from workshop.selectors.entitled import Deciders, deciders_of
from workshop.selectors.goodwill import goodwill_of
from workshop.selectors.own_parts import own_parts
from workshop.selectors.packages import packages_panel
from workshop.selectors.promises import do_not_fit
from workshop.selectors.quoted import quoted_for
from workshop.selectors.replacing import Offer, offers
from workshop.selectors.sublets import sublets_to_end
from workshop.selectors.tellings import tellings_of
from workshop.services import authorizations, orders, reassembly
from workshop.services.orders import NOT_REQUIRED, PAYER_OF_KIND

TABS = ("lines", "parts", "clockings", "inspections", "photos", "messages")


def order_url(order: RepairOrder) -> str:
    return reverse("order-detail", args=[order.uid])


class OrderListPage(Page):
    """The orders of the store as a dense list; the counts over it are its filters."""

    permission = permissions.ORDERS_VIEW
    template_name = "workshop/orders.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        show, mine = asked.get("show", "running"), asked.get("mine") == "1"
        found = reads.list_orders(
            self.actor, show=show, mine=mine, before=asked.get("before", ""), after=asked.get("after", "")
        )
        return super().get_context_data(**kwargs) | {"list": found, "show": show, "mine": mine}


class OrderPage(Page):
    """One order: what is wrong first, then its lines, people, promise and what happened."""

    permission = permissions.ORDERS_VIEW
    template_name = "workshop/order.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = reads.order_page(self.kwargs["uid"], self.actor)
        tab = self.request.GET.get("tab", "lines")
        may = {
            "edit": permissions.LINES_EDIT,
            "propose": permissions.LINES_PROPOSE,
            "send": permissions.ESTIMATES_SEND,
            "decide": permissions.AUTHORIZATIONS_RECORD,
            "withdraw": permissions.ORDERS_WITHDRAW,
            "promise": permissions.PROMISE_CHANGE,
            "discount": permissions.DISCOUNT_SMALL,
            "goodwill": permissions.GOODWILL_ASK,
            "payer": permissions.LINES_EDIT,
            "hold": permissions.LINES_HOLD,
            "issue": permissions.PARTS_ISSUE,
        }
        ended = page.order.stage in ("SETTLED", "CLOSED", "CANCELLED") or page.order.withdrawn_at is not None
        allowed = {name: self.actor.may(code) and not ended for name, code in may.items()}
        return super().get_context_data(**kwargs) | {
            "page": page,
            "order": page.order,
            "promises": tellings_of(page.order),
            "tab": tab if tab in TABS else "lines",
            "with_steps": {row.line.pk for row in page.rows if row.steps(allowed)},
            "may": allowed | {"away": bool(page.held) and not ended and away.may_leave(self.actor, page.order)},
            "book": away.booking_url(page.order) if page.held and self.actor.may(APPOINTMENTS_BOOK) else "",
            "form_token": uuid4(),
            "short": self.request.GET.get("history") != "all",
        }


class OpenOrderPage(CommandPage):
    """3.2: opens an order for a received car, beginning with the priced diagnosis."""

    permission = permissions.ORDERS_OPEN
    template_name = "workshop/order_new.html"
    form_class = forms.OpenOrderForm
    done = _("Repair order opened.")

    @cached_property
    def visit(self) -> Visit:
        rows = Visit.objects.for_actor(self.actor).select_related("vehicle", "customer", "appointment", "store")
        return rows.get(uid=self.kwargs["uid"])

    @cached_property
    def booked(self) -> list[int]:
        """Operations that were booked or quoted."""
        items = self.visit.appointment.items.filter(operation__isnull=False) if self.visit.appointment else []
        return [item.operation_id for item in items if item.operation_id] + [
            row.operation_id for row in quoted_for(self.visit) if row.operation_id
        ]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "earlier": RepairOrder.objects.for_actor(self.actor).filter(vehicle=self.visit.vehicle).order_by("-pk"),
            "booked": self.booked,
        }

    def get_initial(self) -> dict[str, Any]:
        booking = self.visit.appointment
        promised_at = self.visit.promised_at or (booking.ready_at if booking else None)
        walkaround = getattr(self.visit, "walkaround", None)
        return super().get_initial() | {
            "complaint": (walkaround.own_words if walkaround else "") or self.visit.need,
            "promised_at": promised_at if promised_at and promised_at > clock.now() else None,
            "with_diagnosis": self.diagnosed_on is None and not self.only_maintenance,
        }

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        missed = self.visit.promised_at
        if missed is not None and missed <= clock.now():
            words = _("The promise of %(time)s has passed: agree a new time with the customer.")
            form.fields["promised_at"].help_text = words % {"time": say_time(missed, now=clock.now())}
        return form

    @cached_property
    def only_maintenance(self) -> bool:
        """Whether all that was booked or quoted is maintenance: nothing is to be found out then."""
        known = Operation.objects.filter(pk__in=self.booked).values_list("is_maintenance", flat=True)
        return bool(known) and all(known)

    @cached_property
    def diagnosed_on(self) -> RepairOrder | None:
        return reads.diagnosed_on(self.visit, self.actor)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "find_payer" in request.POST:  # looks for another payer; nothing is opened and nothing typed is lost
            return render(request, self.get_template_names(), self.get_context_data(form=self.get_form()))
        if "register_payer" in request.POST:
            return self.register_payer(request)
        return super().post(request, *args, **kwargs)

    def register_payer(self, request: HttpRequest) -> HttpResponse:
        """3.2: the insurer or company that nobody has entered yet is, right here, and chosen; the form stays as it is."""
        self.actor.require(CUSTOMERS_EDIT)
        told = {name: request.POST.get(name, "") for name in ("new_payer", "new_payer_phone")}
        name = one_line(told["new_payer"])
        companies = Customer.objects.for_actor(self.actor).unmerged().filter(kind=CustomerKind.COMPANY, name=name)
        try:
            payer = companies.first() or register_customer(
                name=name, phone=told["new_payer_phone"], kind=CustomerKind.COMPANY, by=self.actor
            )
        except (RuleError, ValidationError) as refusal:
            words = str(refusal) if isinstance(refusal, RuleError) else " ".join(refusal.messages)
            context = self.get_context_data(form=self.get_form()) | {"payer_refusal": words} | told
            return render(request, self.get_template_names(), context, status=422)
        context = self.get_context_data(form=self.get_form(), chosen=str(payer.uid))
        return render(request, self.get_template_names(), context)

    def get_context_data(self, chosen: str = "", **kwargs: Any) -> dict[str, Any]:
        asked = "" if chosen else self.request.POST.get("payer_q", "")
        chosen = chosen or self.request.POST.get("payer", "")
        payers = reads.payers_for(self.visit, self.actor, words=asked, chosen=chosen)
        operation = default_diagnosis(self.visit.vehicle.powertrain)
        if operation:
            fit_hours([operation], self.visit.vehicle.model_id)
        quote = price_operation(operation, self.visit.store_id, "CUSTOMER_PAY") if operation else None
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "diagnosis": operation,
            "diagnosed_on": self.diagnosed_on,
            "quote": quote,
            "orders": reads.orders_of_visit(self.visit, self.actor),
            "payers": payers,
            "named_payers": reads.named_payers(self.visit),
            "payer": chosen or str(self.visit.customer.uid),
            "payer_q": asked,
            "nobody_found": bool(asked.strip()) and not list_customers(by=self.actor, words=asked).rows,
            "new_payer": self.request.POST.get("new_payer", "") or asked,
            "may_register": self.actor.may(CUSTOMERS_EDIT),
        }

    def run(self, form: forms.OpenOrderForm) -> RepairOrder:
        data = form.cleaned_data
        original = data.get("original")
        signature = drawn_signature(self.request) or None
        asks = data["with_diagnosis"] and PAYER_OF_KIND[OrderKind(data["kind"])] not in NOT_REQUIRED
        if asks and signature and not data["diagnosis_agreed_by"].strip():
            raise RuleError(
                "authorization.name", _("Write the name of the person who decides."), field="diagnosis_agreed_by"
            )
        return orders.open_repair_order(
            visit_uid=self.visit.uid,
            complaint=data["complaint"],
            kind=data["kind"],
            promised_at=data["promised_at"],
            original_uid=original.uid if original else None,
            payer_uid=data["payer"],
            with_diagnosis=data["with_diagnosis"],
            operation_uids=[operation.uid for operation in data.get("operations", [])],
            diagnosis_agreed_by=data["diagnosis_agreed_by"],
            signature=signature,
            signed_on_paper=data["signed_on_paper"],
            by=self.actor,
        )

    def location(self, result: RepairOrder) -> str:
        return order_url(result)


class OrderCommandPage(CommandPage):
    """A form in front of a command on one order; it leads back to the order."""

    template_name = "workshop/order_form.html"
    title: ClassVar[Any] = ""
    explains: ClassVar[Any] = ""
    submit: ClassVar[Any] = _("Save")
    danger: ClassVar[bool] = False

    @cached_property
    def order(self) -> RepairOrder:
        return reads.get_order(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "order": self.order,
            "title": self.title,
            "explains": self.explains,
            "submit": self.submit,
            "danger": self.danger,
        }

    def location(self, result: Any) -> str:
        return order_url(self.order)


FIRST_FOUND, MOST_FOUND = 20, 500
"""Operations that the list shows at once, and at most when all are asked for."""


def as_uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class NewLinePage(OrderCommandPage):
    """Writes a line: first what is done, an operation found in the catalogue or free words; then what is told of it."""

    permission = (permissions.LINES_EDIT, permissions.LINES_PROPOSE)
    template_name = "workshop/line_new.html"
    form_class = forms.NewLineForm
    done = _("Line added.")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.headers.get("HX-Request"):
            return render(request, "workshop/line_new.html#found", self.found())
        return super().get(request, *args, **kwargs)

    def found(self) -> dict[str, Any]:
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        asked, chosen = sent.get("q", ""), as_uid(sent.get("operation", ""))
        most = MOST_FOUND if sent.get("all") else FIRST_FOUND
        rows = priced_operations(
            asked,
            by=self.actor,
            pay_type=PAYER_OF_KIND[self.order.kind],  # type: ignore[index]
            limit=most + 1,
            chosen=chosen,
            model_id=self.order.vehicle.model_id,
        )
        return {"operations": rows[:most], "more": len(rows) > most, "q": asked, "picked": chosen}

    def get_initial(self) -> dict[str, Any]:
        open_now = reads.taken_apart(self.order).filter(state__in=BEGUN).first()
        found_by = {"found_by": open_now.uid} if open_now else {}
        kind = PAYER_OF_KIND[self.order.kind]  # type: ignore[index]
        return super().get_initial() | {"pay_type": kind, "category": "MINOR"} | found_by

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"apart": reads.taken_apart(self.order)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        panel = packages_panel(self.actor, self.order, None) or {}
        return super().get_context_data(**kwargs) | self.found() | {"packages": panel.get("offers")}

    def run(self, form: forms.NewLineForm) -> OrderLine:
        data = form.cleaned_data
        operation = data["operation"]
        chosen = Operation.objects.filter(uid=operation, active=True).first() if operation else None
        named = chosen.said if chosen else data["description"].strip()
        unsaid = data["is_dismantling"] and data["reassembly_amount"] is None
        if unsaid and named and self.actor.may(permissions.LINES_EDIT):
            raise orders.no_reassembly(named)
        words = {} if operation else {"hours": data["hours"], "category": data["category"] or None}
        return orders.add_line(
            order_uid=self.order.uid,
            operation_uid=operation,
            description="" if operation else data["description"],
            pay_type=data["pay_type"],
            complaint=data["complaint"],
            cause=data["cause"],
            extra_minutes=data["extra_minutes"] or 0,
            is_safety=data["is_safety"] or None,
            fee_amount=data["fee_amount"] or ZERO,
            fee_note=data["fee_note"],
            is_dismantling=data["is_dismantling"],
            reassembly_amount=data["reassembly_amount"],
            found_by_uid=data["found_by"].uid if data.get("found_by") else None,
            although_there=data["although_there"],
            by=self.actor,
            **words,
        )


class SendEstimateView(ActionView):
    """Locks what is drafted and asks the customer."""

    permission = permissions.ESTIMATES_SEND

    def run(self, form: Any) -> Estimate:
        return orders.send_estimate(order_uid=self.kwargs["uid"], by=self.actor)

    def mended_at(self, refusal: RuleError) -> str:
        line = refusal.held_by
        mends = isinstance(line, OrderLine) and self.actor.may(permissions.LINES_EDIT)
        return reverse("line-edit", args=[line.uid]) if mends else ""

    def words(self, result: Estimate) -> str:
        if not result.content["lines"]:
            return gettext("Agreed under a standing agreement; nothing to ask the customer.")
        said = gettext("The estimate can be decided on at the customer's link.")
        told = reads.message_about(result, self.actor)
        return format_html("{} {}", said, message_words(told, self.actor)) if told else said

    def location(self, result: Estimate) -> str:
        return super().location(result) if self.request.POST.get("next") else order_url(result.order)


class DecidePage(OrderCommandPage):
    """By telephone with a note, or at the desk with a signature: each line agreed to or declined."""

    permission = permissions.AUTHORIZATIONS_RECORD
    template_name = "workshop/order_decide.html"
    form_class = forms.DecideForm
    done = _("Decision recorded.")

    @cached_property
    def asked(self) -> reads.Asked | None:
        found = reads.asked_of(self.order.visit_id, self.actor)
        return next((asked for asked in found if asked.order.pk == self.order.pk), None)

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {
            "method": self.request.GET.get("method", "VERBAL_PHONE"),
            "authorized_by": self.deciders.proposed,
            "seen_hash": self.asked.estimate.seen_hash if self.asked else "",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "asked": self.asked,
            "deciders": self.deciders,
            "chosen": choices_of(self.request),
            "why": why_nots(self.request),
            "causes": DeclineCause.choices,
            "may_promise": self.actor.may(permissions.PROMISE_CHANGE),
        }

    @cached_property
    def deciders(self) -> Deciders:
        return deciders_of(self.order)

    def words(self, result: RepairOrder) -> Any:
        return wish_words(result, choices_of(self.request)) or self.done

    def run(self, form: forms.DecideForm) -> RepairOrder:
        data = form.cleaned_data
        return authorizations.decide_lines(
            order_uid=self.order.uid,
            decisions=decisions_of(self.request),
            method=data["method"],
            authorized_by=data["authorized_by"],
            note=data["note"],
            signature=drawn_at_desk(self.request),
            seen_hash=data["seen_hash"],
            by=self.actor,
        )


def wish_words(order: RepairOrder, choices: dict[str, str]) -> str:
    """What is said where a yes was kept as a message because somebody else has to decide; else nothing."""
    if not reads.still_asked(order, [uid for uid, answer in choices.items() if answer == "yes"]):
        return ""
    names = say_list(deciders_of(order).names)
    if not names:
        return gettext("Kept as a message, not as a yes: nobody is named yet who may decide for the payer.")
    return gettext("Kept as a message, not as a yes: these may decide, up to their amount: %(names)s.") % {
        "names": names
    }


def choices_of(request: HttpRequest) -> dict[str, str]:
    """What was ticked, by line uid: ``yes`` or ``no``; kept when a form comes back."""
    sent = request.POST if request.method == "POST" else request.GET
    return {key[9:]: value for key, value in sent.items() if key.startswith("decision_") and value in ("yes", "no")}


def decisions_of(request: HttpRequest) -> dict[UUID, tuple[bool, str, str]]:
    """``decision_<uid>``, ``reason_<uid>`` and ``cause_<uid>`` of a form as the command takes them; the rest is left
    out."""
    found: dict[UUID, tuple[bool, str, str]] = {}
    for text, choice in choices_of(request).items():
        try:
            uid = UUID(text)
        except ValueError:
            continue
        sent = request.POST
        found[uid] = (choice == "yes", sent.get(f"reason_{text}", "")[:200], sent.get(f"cause_{text}", ""))
    return found


def why_nots(request: HttpRequest) -> dict[str, dict[str, str]]:
    """What was written and chosen as the reason of a no, by line uid; kept when a form comes back."""
    kept: dict[str, dict[str, str]] = {"reason": {}, "cause": {}}
    for key, value in request.POST.items():
        kind, _bar, uid = key.partition("_")
        if kind in kept:
            kept[kind][uid] = str(value)
    return kept


def drawn_signature(request: HttpRequest) -> bytes | None:
    """The PNG behind the signature pad's data URL; None where only the name was typed, b"" for an empty pad."""
    from base64 import b64decode
    from binascii import Error

    if request.POST.get("signature") == EMPTY_PAD:
        return b""
    kind, _comma, data = request.POST.get("signature", "").partition(",")
    if not kind.startswith("data:image/png;base64") or not data:
        return None
    try:
        return b64decode(data, validate=True)
    except (Error, ValueError):
        return None


def drawn_at_desk(request: HttpRequest) -> bytes | None:
    """What was drawn where it is signed at the desk: by telephone or on paper nobody draws."""
    at_desk = request.POST.get("method") == AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE
    return drawn_signature(request) if at_desk else None


class PromisePage(OrderCommandPage):
    permission = permissions.PROMISE_CHANGE
    form_class = forms.PromiseForm
    title = _("Promise another time")
    explains = _("Say how the customer hears of it; who isn't told yet stands on Today's page until somebody has.")
    submit = _("Promise this time")

    def get_initial(self) -> dict[str, Any]:
        short = do_not_fit([self.order]).get(self.order.pk)
        at = short.suggested if short else self.order.promised_at
        return super().get_initial() | {"promised_at": at, "told_to": self.order.visit.contact_name}

    def words(self, result: RepairOrder) -> Any:
        short = do_not_fit([result]).get(result.pk)
        if short is None:
            return gettext("New time promised.")
        ready = say_time(short.ready_at, now=clock.now())
        return gettext("New time promised, but the work is done at %(time)s at the earliest.") % {"time": ready}

    def run(self, form: forms.PromiseForm) -> RepairOrder:
        return orders.change_promise(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)


class TellPromisePage(OrderCommandPage):
    """3.2: who told the customer of the time that is promised now, and how."""

    permission = permissions.PROMISE_CHANGE
    form_class = forms.TellPromiseForm
    title = _("The customer is told of the new time")
    submit = _("Write it down")
    done = _("It is written down who told the customer.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        at = self.order.promised_at
        words = gettext("Promised: %(time)s") % {"time": say_time(at, now=clock.now())} if at else ""
        return super().get_context_data(**kwargs) | {"explains": words}

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"how": ToldBy.PHONE, "told_to": self.order.visit.contact_name}

    def run(self, form: forms.TellPromiseForm) -> PromiseTelling:
        return orders.tell_promise(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)


class WithdrawEstimatePage(OrderCommandPage):
    """3.2: what the customer is asked is taken back; its lines are drafts again."""

    permission = permissions.ESTIMATES_SEND
    form_class = forms.WithdrawEstimateForm
    title = _("Take the offer back")
    explains = _("Its open lines can be changed then and sent anew; what was decided stays. The link asks no more.")
    submit = title
    danger = True
    done = _("The offer is taken back.")

    def run(self, form: forms.WithdrawEstimateForm) -> Estimate:
        return orders.withdraw_estimate(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)


def aparts_said(aparts: list[OrderLine]) -> list[tuple[str, Again]]:
    """What lies in pieces, with the price agreed for putting it together again."""
    prices = [(apart.said, price_again(apart)) for apart in aparts]
    return [(said, price) for said, price in prices if price is not None]


class WithdrawOrderPage(OrderCommandPage):
    permission = permissions.ORDERS_WITHDRAW
    form_class = forms.EndForm
    title = _("Withdraw the order")
    explains = _(
        "Open questions are cancelled. Agreed work ends here and is settled for the hours worked and the parts that "
        "stay in the car; parts that go back are returned to the shelf first. What is finished is inspected and settled."
    )
    submit = _("Withdraw the order")
    danger = True

    def words(self, result: RepairOrder) -> Any:
        if result.withdrawn_at is None:
            return gettext("The rest of the order is ended; what is left on it is finished, inspected and settled.")
        return gettext("Order withdrawn.")

    def get_form_kwargs(self) -> dict[str, Any]:
        aparts = orders.apart_at_end(self.order, list(self.order.lines.order_by("pk")))
        return super().get_form_kwargs() | {"aparts": aparts_said(aparts)}

    def run(self, form: forms.EndForm) -> RepairOrder:
        return orders.withdraw_order(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)


# --- one line ---


class LineCommandPage(OrderCommandPage):
    """A form in front of a command on one line."""

    @cached_property
    def line(self) -> OrderLine:
        rows = OrderLine.objects.for_actor(self.actor).prefetch_related("part_lines__part")
        return rows.get(uid=self.kwargs["uid"])

    @cached_property
    def order(self) -> RepairOrder:
        return reads.get_order(self.line.order.uid, self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"line": self.line}


class EditLinePage(LineCommandPage):
    """Words, hours, payer and parts of a line, and its discount."""

    permission = permissions.LINES_EDIT
    template_name = "workshop/line_edit.html"
    form_class = forms.EditLineForm
    done = _("Line changed.")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.headers.get("HX-Request"):
            return render(request, "workshop/line_edit.html#parts_found", self.found() | {"line": self.line})
        return super().get(request, *args, **kwargs)

    def found(self) -> dict[str, Any]:
        asked = self.request.GET.get("q", "")
        return {"parts": priced_parts(asked, by=self.actor, limit=12) if asked else [], "q": asked}

    def get_initial(self) -> dict[str, Any]:
        names = (
            "description",
            "hours",
            "pay_type",
            "category",
            "complaint",
            "cause",
            "extra_minutes",
            "is_safety",
            "correction",
            "fee_note",
            "is_dismantling",
            "reassembly_amount",
        )
        fee = {"fee_amount": self.line.fee_amount or None}
        return super().get_initial() | {name: getattr(self.line, name) for name in names} | fee

    @property
    def open(self) -> bool:
        return self.line.state in (LineState.DRAFT, LineState.PENDING, LineState.DECLINED)

    def parts_with_offers(self) -> list[tuple[PartLine, Sequence[Offer], Decimal | None]]:
        """The line's parts, each with what may be used in its place while nothing of it was issued, and the discount
        on it that somebody above is asked about."""
        rows = list(self.line.part_lines.select_related("part"))
        living = self.open or self.line.state in (LineState.AUTHORIZED, LineState.IN_PROGRESS)
        offered = offers(self.order.store_id, [p.part_id for p in rows if not p.issued_quantity]) if living else {}
        asked = reads.asked_off(self.line) if self.open else {}
        return [(p, offered.get(p.part_id, ()), asked.get(p.uid)) for p in rows]

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        if not self.open:
            agreed = (
                "description", "hours", "category", "extra_minutes", "is_safety", "fee_amount", "fee_note",
                "is_dismantling", "reassembly_amount",
            )  # fmt: skip
            for name in agreed:
                form.fields[name].disabled = True
            form.fields["pay_type"].disabled = self.line.state != LineState.AUTHORIZED
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        percent = orders.allowed_percent(self.actor, self.order.store_id)
        return (
            super().get_context_data(**kwargs)
            | self.found()
            | {
                "open": self.open,
                "part_rows": self.parts_with_offers(),
                "own_parts": own_parts([self.line]),
                "may_check_own": self.actor.may(permissions.PARTS_CHECK_OWN),
                "may_swap": self.open or self.actor.may(permissions.PARTS_RESERVE),
                "total": reads.total(self.line),
                "discount_form": forms.DiscountForm(initial={"amount": self.line.discount}),
                "percent": percent,
                "may_discount": self.actor.may(permissions.DISCOUNT_SMALL),
                "part_form": forms.AddPartForm(),
                "goodwill": goodwill_of(self.line) if self.line.pay_type == PayType.GOODWILL else [],
                "may_ask_goodwill": self.actor.may(permissions.GOODWILL_ASK)
                and "goodwill" in reads.allowed_on(self.line),
            }
        )

    def run(self, form: forms.EditLineForm) -> OrderLine:
        data = dict(form.cleaned_data)
        data["extra_minutes"] = data["extra_minutes"] or 0
        data["hours"] = data["hours"] if data["hours"] is not None else self.line.hours
        data["category"] = data["category"] or self.line.category
        data["fee_amount"] = data["fee_amount"] or ZERO
        if not data["fee_amount"]:
            data["fee_note"] = ""
        if self.open and data["is_dismantling"] and data["reassembly_amount"] is None:
            raise orders.no_reassembly(self.line.said)
        return orders.change_line(line_uid=self.line.uid, by=self.actor, **data)


class DiscountPage(LineCommandPage):
    permission = permissions.DISCOUNT_SMALL
    form_class = forms.DiscountForm
    title = _("Discount")
    submit = _("Give the discount")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"amount": self.line.discount}

    @property
    def explains(self) -> str:
        percent = orders.allowed_percent(self.actor, self.order.store_id)
        return gettext("Up to %(percent)s %% of the labour you decide yourself; more goes to your manager.") % {
            "percent": percent
        }

    def run(self, form: forms.DiscountForm) -> OrderLine | Approval:
        data = form.cleaned_data
        result = orders.discount_line(
            line_uid=self.line.uid, amount=data["amount"], reason=data["reason"], by=self.actor
        )
        if isinstance(result, Approval):
            messages.info(self.request, gettext("This is above your limit; your manager has been asked."))
        else:
            messages.success(self.request, gettext("Discount given."))
        return result


class PartDiscountPage(LineCommandPage):
    """Takes something off the price of a part."""

    permission = permissions.DISCOUNT_SMALL
    form_class = forms.PartDiscountForm
    title = _("Discount on a part")
    submit = _("Give the discount")

    @cached_property
    def part_line(self) -> PartLine:
        return PartLine.objects.for_actor(self.actor).select_related("part", "line").get(uid=self.kwargs["uid"])

    @cached_property
    def line(self) -> OrderLine:
        return OrderLine.objects.for_actor(self.actor).get(pk=self.part_line.line_id)

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"amount": self.part_line.discount, "reason": self.part_line.discount_reason}

    @property
    def explains(self) -> str:
        gross = self.part_line.amount + self.part_line.discount
        return gettext(
            "%(part)s, %(gross)s. Up to %(percent)s %% of it you decide yourself; more goes to your manager."
        ) % {
            "part": self.part_line.part.said,
            "gross": say_money(gross),
            "percent": orders.allowed_part_percent(self.actor, self.order.store_id),
        }

    def run(self, form: forms.PartDiscountForm) -> PartLine | Approval:
        data = form.cleaned_data
        result = orders.discount_part(
            part_line_uid=self.part_line.uid, amount=data["amount"], reason=data["reason"], by=self.actor
        )
        if isinstance(result, Approval):
            messages.info(self.request, gettext("This is above your limit; your manager has been asked."))
        else:
            messages.success(self.request, gettext("Discount given."))
        return result

    def location(self, result: Any) -> str:
        if self.actor.may(permissions.LINES_EDIT):
            return reverse("line-edit", args=[self.line.uid])
        return super().location(result)


class CancelLinePage(LineCommandPage):
    permission = permissions.LINES_EDIT
    form_class = forms.ReasonForm
    title = _("Take the line off")
    submit = _("Take it off")
    danger = True
    done = _("Line taken off.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {}
        if self.line.package is not None:
            more["explains"] = _(
                "It belongs to the package “%(package)s”: without it the package is dissolved and its other lines cost "
                "their single prices again."
            ) % {"package": self.line.package.said}
        return super().get_context_data(**kwargs) | more

    def words(self, result: OrderLine) -> Any:
        if self.line.package is None:
            return self.done
        return gettext(
            "Line taken off. The package “%(package)s” is dissolved; its other lines cost their single prices again."
        ) % {"package": self.line.package.said}

    def run(self, form: forms.ReasonForm) -> OrderLine:
        return orders.cancel_line(line_uid=self.line.uid, reason=form.cleaned_data["reason"], by=self.actor)


class _SignedLinePage(LineCommandPage):
    """By telephone with a note, on paper, or signed at the desk or on the tablet."""

    permission = permissions.AUTHORIZATIONS_RECORD
    template_name = "workshop/line_signed.html"

    def get_initial(self) -> dict[str, Any]:
        name = deciders_of(self.order).proposed or self.order.visit.contact_name
        return {"method": "VERBAL_PHONE", "revoked_by": name, "authorized_by": name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "total": reads.total(self.line),
            "deciders": deciders_of(self.order),
            "again": falls_due(self.line) if self.line.state == LineState.AUTHORIZED else None,
        }


class RevokeLinePage(_SignedLinePage):
    form_class = forms.TakeBackForm
    title = _("The customer takes the yes back")
    explains = _("Possible until work begins, a part is issued or outside work starts; afterwards withdraw the line.")
    submit = _("Record it")
    danger = True
    done = _("Agreement taken back.")

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        if not self.line.is_safety:
            del form.fields["risk"]
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"arranged": sublets_to_end(self.line)}

    def run(self, form: forms.TakeBackForm) -> OrderLine:
        return authorizations.revoke_line(
            line_uid=self.line.uid, signature=drawn_at_desk(self.request), by=self.actor, **form.cleaned_data
        )


class AgreeAfterAllPage(_SignedLinePage):
    form_class = forms.AfterAllForm
    title = _("The customer agrees after all")
    explains = _("Possible while the offer holds and its price is the same; otherwise offer the item again.")
    submit = _("Record it")
    done = _("Agreed after all.")

    def words(self, result: OrderLine) -> Any:
        if result.state == LineState.DECLINED:
            return gettext("Kept as a message, not as a yes: this person may not decide for the payer.")
        return self.done

    def run(self, form: forms.AfterAllForm) -> OrderLine:
        return authorizations.agree_after_all(
            line_uid=self.line.uid, signature=drawn_at_desk(self.request), by=self.actor, **form.cleaned_data
        )


class WithdrawLinePage(LineCommandPage):
    permission = permissions.ORDERS_WITHDRAW
    form_class = forms.EndForm
    title = _("Withdraw the line")
    submit = _("Withdraw the line")
    danger = True
    done = _("Line withdrawn.")

    @property
    def explains(self) -> str:
        if self.line.state in orders.FINISHED:
            return gettext(
                "It is finished: it is inspected and settled, not ended. What the customer isn't to pay of it is taken off "
                "the bill as goodwill, with a reason."
            )
        return reads.done_words(self.line)

    def get_form_kwargs(self) -> dict[str, Any]:
        aparts = aparts_said(orders.apart_after(self.line))
        return super().get_form_kwargs() | {"aparts": aparts, "stands": self.line.reassembles_id is not None}

    def run(self, form: forms.EndForm) -> OrderLine:
        return orders.withdraw_line(line_uid=self.line.uid, by=self.actor, **form.cleaned_data)


class ReassemblePage(LineCommandPage):
    """3.2: what was taken apart is put together again without a repair, at the price agreed with it."""

    permission = permissions.LINES_EDIT
    form_class = forms.PutTogetherForm
    title = _("Put it together again")
    submit = _("Put it together again")
    done = _("Putting it together again is on the order, agreed to with the taking apart.")

    @property
    def explains(self) -> str:
        lies = self.line.pk in {line.pk for line in lying_apart(list(self.line.order.lines.order_by("pk")))}
        price = price_again(self.line) if lies else None
        if price is None:
            return gettext(
                "Nothing of it lies in pieces, or what was found by it is agreed to or not decided yet. After a no it is put "
                "together again by itself."
            )
        return gettext(
            "¥%(amount)s, agreed by %(name)s together with the taking apart (%(time)s): nobody is asked again. It becomes a "
            "line that is clocked, inspected and settled like others. If the repair is agreed to before it is begun, it is "
            "taken off again."
        ) % {"amount": f"{price.price:,.2f}", "name": price.agreed_by, "time": price.agreed}

    def run(self, form: forms.PutTogetherForm) -> OrderLine:
        return reassembly.reassemble_line(line_uid=self.line.uid, by=self.actor)


class OfferAgainView(ActionView):
    permission = permissions.LINES_EDIT
    done = _("The line is a draft again; send a new estimate.")

    def run(self, form: Any) -> OrderLine:
        return authorizations.offer_again(line_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: OrderLine) -> str:
        return order_url(result.order)


class AddPartView(LineCommandPage):
    """Puts a part on a line."""

    permission = permissions.LINES_EDIT
    form_class = forms.AddPartForm
    title = _("Part")
    done = _("Part added.")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"part": self.request.GET.get("part", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.POST.get("part") or self.request.GET.get("part", "")
        try:
            part = Part.objects.filter(uid=UUID(asked)).first()
        except ValueError:
            part = None
        return super().get_context_data(**kwargs) | {"explains": f"{part.number} {part.said}" if part else ""}

    def run(self, form: forms.AddPartForm) -> Any:
        data = form.cleaned_data
        return orders.add_part(
            line_uid=self.line.uid,
            part_uid=data["part"],
            quantity=data["quantity"],
            kind=data["kind"] or None,
            by=self.actor,
        )

    def location(self, result: Any) -> str:
        return reverse("line-edit", args=[self.line.uid])


class LinePhotosView(ActionView):
    """Adds pictures that show why a line is offered."""

    permission = (permissions.LINES_EDIT, permissions.LINES_PROPOSE)
    done = _("Photos added.")

    def run(self, form: Any) -> None:
        OrderLine.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])  # another store's is 404 whatever is sent
        sent = [file.read() for file in self.request.FILES.getlist("photos")]
        orders.add_line_photos(line_uid=self.kwargs["uid"], contents=sent, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("line-edit", args=[self.kwargs["uid"]])


class LinePhotoView(StaffPage, View):
    permission = (permissions.ORDERS_VIEW, permissions.LINES_PROPOSE)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.photo_for(uid, self.actor))


class ChangePartView(ActionView):
    permission = permissions.LINES_EDIT
    done = _("Quantity changed.")

    def run(self, form: Any) -> Any:
        PartLine.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        asked = forms.QuantityForm(self.request.POST)
        if not asked.is_valid():
            raise RuleError("part.quantity", _("A quantity is a number above nothing."), field="quantity")
        return orders.change_part(
            part_line_uid=self.kwargs["uid"], quantity=asked.cleaned_data["quantity"], by=self.actor
        )

    def location(self, result: Any) -> str:
        return reverse("line-edit", args=[result.line.uid])


class RemovePartView(ActionView):
    permission = permissions.LINES_EDIT
    done = _("Part taken off.")

    def run(self, form: Any) -> OrderLine:
        return orders.remove_part(part_line_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: OrderLine) -> str:
        return reverse("line-edit", args=[result.uid])
