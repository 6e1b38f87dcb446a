"""A line of the maker, the shop or a service contract above the amount is asked for (3.2)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel.saying import say_money
from workshop import permissions
from workshop.forms.payers import PayerForm
from workshop.payer_models import PayerApproval
from workshop.selectors.payers import UNASKED, unasked_up_to, whole
from workshop.services import payers
from workshop.views.orders import LineCommandPage


class PayerPage(LineCommandPage):
    permission = (permissions.LINES_EDIT, permissions.WARRANTY_CLAIMS_WORK)
    form_class = PayerForm
    title = _("Ask for the payer's yes")
    submit = _("Ask for it")

    @property
    def explains(self) -> str:
        if self.line.pay_type not in UNASKED:
            return gettext("Only a line that the maker, our shop or a service contract pays is approved this way.")
        return gettext(
            "%(line)s: %(amount)s, paid by %(payer)s. Up to %(most)s of an order goes ahead for this payer by itself; above "
            "that somebody else approves first."
        ) % {
            "line": self.line.said,
            "amount": say_money(whole(self.line)),
            "payer": self.line.get_pay_type_display(),
            "most": say_money(unasked_up_to(self.order, self.line.pay_type)),
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        maker = self.line.pay_type == PayType.WARRANTY and self.actor.may(permissions.WARRANTY_CLAIMS_WORK)
        return super().get_form_kwargs() | {"maker": maker}

    def words(self, result: PayerApproval) -> Any:
        if result.maker_number:
            return _("Written down; the line goes ahead.")
        return _("Asked; the line goes ahead when somebody approves.")

    def run(self, form: PayerForm) -> PayerApproval:
        return payers.ask_payer(line_uid=self.line.uid, by=self.actor, **form.cleaned_data)
