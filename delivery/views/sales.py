"""Pages of the sale over the counter: scan, quantity, Enter; sold, paid, and taken back (3.2)."""

from __future__ import annotations

from typing import Any

from django.db.models import ObjectDoesNotExist
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from dealership.kernel.money import ZERO
from dealership.kernel.pages import ActionView, CommandPage, Page
from workshop import permissions as goods
from workshop.models import CounterSale, SaleLine, SaleReturn
from workshop.services import sales as commands

from .. import permissions
from ..forms.sales import SaleChangeForm, SaleReturnForm, SaleScanForm
from ..forms.settlements import PaymentForm, RefundForm
from ..models import SalePayment
from ..selectors import sales as reads
from ..services import sales as money


class CounterSalesPage(Page):
    permission = goods.SALES_VIEW
    template_name = "delivery/counter_sales.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_sell = self.actor.may(goods.SALES_SELL)
        return super().get_context_data(**kwargs) | {"rows": reads.sales(self.actor), "may_sell": may_sell}


class BeginSaleView(ActionView):
    permission = goods.SALES_SELL

    def run(self, form: Any) -> CounterSale:
        return commands.begin_sale(by=self.actor)

    def location(self, result: CounterSale) -> str:
        return reverse("counter-sale", args=[result.uid])


class _SalePage(CommandPage):
    """A page about one sale."""

    title: Any = ""
    submit: Any = ""
    template_name = "delivery/counter_sale_step.html"

    @cached_property
    def paper(self) -> reads.SalePaper:
        try:
            return reads.read_sale(uid=self.sale_uid, by=self.actor)
        except ObjectDoesNotExist:
            raise Http404 from None

    @property
    def sale_uid(self) -> Any:
        return self.kwargs["uid"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"paper": self.paper, "title": self.title, "submit": self.submit}

    def location(self, result: Any) -> str:
        return reverse("counter-sale", args=[self.paper.sale.uid])


class CounterSalePage(_SalePage):
    """One sale: scan a part, a quantity if it is more than one, Enter. What is sold shows its money and what came back."""

    permission = goods.SALES_VIEW
    template_name = "delivery/counter_sale.html"
    form_class = SaleScanForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "may_sell": self.actor.may(goods.SALES_SELL),
            "may_return": self.actor.may(goods.SALES_RETURN),
            "may_take": self.actor.may(permissions.PAYMENTS_TAKE),
            "may_refund": self.actor.may(permissions.PAYMENTS_REFUND),
        }

    def run(self, form: SaleScanForm) -> SaleLine:
        return commands.put_on_sale(uid=self.sale_uid, by=self.actor, **form.cleaned_data)

    def words(self, result: SaleLine) -> str:
        facts = {"part": result.part.said, "quantity": f"{result.quantity.normalize():f}", "unit": result.part.unit}
        return gettext("%(part)s: %(quantity)s %(unit)s") % facts


class ChangeSalePage(_SalePage):
    permission = goods.SALES_SELL
    form_class = SaleChangeForm
    title, submit, done = _("Customer and discount"), _("Save"), _("Saved.")

    def get_initial(self) -> dict[str, Any]:
        sale = self.paper.sale
        phone = sale.customer.phone if sale.customer else ""
        return {"phone": phone, "discount": sale.discount or None, "reason": sale.discount_reason}

    def run(self, form: SaleChangeForm) -> CounterSale:
        facts = form.cleaned_data
        return commands.change_sale(
            uid=self.sale_uid, customer_uid=facts["phone"], discount=facts["discount"], reason=facts["reason"],
            by=self.actor,
        )  # fmt: skip


class TakeOffSaleView(ActionView):
    permission = goods.SALES_SELL
    done = _("Taken off.")

    def run(self, form: Any) -> CounterSale:
        return commands.take_off_sale(line_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CounterSale) -> str:
        return reverse("counter-sale", args=[result.uid])


class SellView(BeginSaleView):
    done = _("Sold; the cashier takes the money.")

    def run(self, form: Any) -> CounterSale:
        return commands.sell(uid=self.kwargs["uid"], by=self.actor)


class DropSaleView(BeginSaleView):
    done = _("Dropped; nothing has left the shelf.")

    def run(self, form: Any) -> CounterSale:
        return commands.drop_sale(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CounterSale) -> str:
        return reverse("counter-sales")


class SaleReturnPage(_SalePage):
    permission = goods.SALES_RETURN
    form_class = SaleReturnForm
    title, submit = _("Take back what was sold"), pgettext_lazy("counter sale", "Take back")
    done = _("Taken back; the cashier gives the money back.")

    @cached_property
    def line(self) -> SaleLine:
        rows = SaleLine.objects.for_actor(self.actor).select_related("sale", "part")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    @property
    def sale_uid(self) -> Any:
        return self.line.sale.uid

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"lots": self.line.lot_codes}

    def get_initial(self) -> dict[str, Any]:
        left = "1" if len(self.line.lot_codes) > 1 else f"{self.line.left.normalize():f}"
        return {"quantity": left, "condition": "UNOPENED"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"line": self.line}

    def run(self, form: SaleReturnForm) -> SaleReturn:
        return commands.take_back_sold(line_uid=self.line.uid, by=self.actor, **form.cleaned_data)


class PaySalePage(_SalePage):
    permission = permissions.PAYMENTS_TAKE
    form_class = PaymentForm
    title, submit, done = _("Take a payment"), _("Take the payment"), _("The payment is taken.")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"amount": max(ZERO, self.paper.due) or None}

    def run(self, form: PaymentForm) -> SalePayment:
        return money.take_sale_payment(sale_uid=self.sale_uid, by=self.actor, **form.cleaned_data)


class RefundSalePage(_SalePage):
    permission = permissions.PAYMENTS_REFUND
    form_class = RefundForm
    title, submit, done = _("Give money back"), _("Give back"), _("The counter-entry is written.")

    @cached_property
    def payment(self) -> SalePayment:
        rows = SalePayment.objects.for_actor(self.actor).select_related("sale")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    @property
    def sale_uid(self) -> Any:
        return self.payment.sale.uid

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"payment": self.payment}

    def get_initial(self) -> dict[str, Any]:
        return {"amount": min(self.payment.amount, self.paper.to_give_back) or None}

    def run(self, form: RefundForm) -> SalePayment:
        return money.refund_sale_payment(payment_uid=self.payment.uid, by=self.actor, **form.cleaned_data)
