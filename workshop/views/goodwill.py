"""Goodwill on a line is asked for (3.2)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel.saying import say_money
from workshop import permissions
from workshop.forms.goodwill import GoodwillForm
from workshop.models import LineGoodwill
from workshop.selectors.goodwill import asked_amount
from workshop.services import goodwill
from workshop.views.orders import LineCommandPage


class GoodwillPage(LineCommandPage):
    permission = permissions.GOODWILL_ASK
    form_class = GoodwillForm
    title = _("Ask for goodwill on the line")
    submit = _("Ask for it")
    done = _("Asked; the line goes ahead when somebody approves.")

    @property
    def explains(self) -> str:
        return gettext(
            "The customer owes nothing for this line: %(amount)s are borne by the maker or our shop, once somebody else "
            "approves. Goodwill bears whole lines; where the customer bears a share, write the work as two lines."
        ) % {"amount": say_money(asked_amount(self.line))}

    def run(self, form: GoodwillForm) -> LineGoodwill:
        data: dict[str, Any] = form.cleaned_data
        return goodwill.ask_line_goodwill(line_uid=self.line.uid, by=self.actor, **data)
