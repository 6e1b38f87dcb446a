"""A payer's consent in advance, on the customer's page (3.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage
from reception.models import Customer
from reception.selectors.customers import customer_of
from workshop import permissions
from workshop.forms.orders import ReasonForm
from workshop.forms.standing import StandingForm
from workshop.services import standing as commands
from workshop.standing_models import StandingConsent


class _StandingPage(CommandPage):
    permission = permissions.AUTHORIZATIONS_RECORD
    template_name = "workshop/standing.html"
    title: ClassVar[Any] = ""
    explains: ClassVar[Any] = ""
    submit: ClassVar[Any] = ""

    @cached_property
    def customer(self) -> Customer:
        return customer_of(uid=self.kwargs["uid"], by=self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = {"title": self.title, "explains": self.explains, "submit": self.submit}
        return super().get_context_data(**kwargs) | words | {"customer": self.customer}

    def location(self, result: StandingConsent) -> str:
        return reverse("customer-detail", args=[result.customer.uid])


class GivePage(_StandingPage):
    form_class = StandingForm
    title = _("Consent in advance")
    explains = _(
        "Additions within this amount go ahead without a question, and the customer is told; anything above is asked about. "
        "It can be taken back at any time."
    )
    submit = _("Save")
    done = _("The consent is kept.")

    def get_initial(self) -> dict[str, Any]:
        name = self.customer.name if self.customer.kind == "PERSON" else ""
        return super().get_initial() | {"given_by": name, "ends_on": clock.today() + timedelta(days=365)}

    def run(self, form: StandingForm) -> StandingConsent:
        return commands.give_standing_consent(customer_uid=self.customer.uid, by=self.actor, **form.cleaned_data)


class EndPage(_StandingPage):
    form_class = ReasonForm
    title = _("Take the consent in advance back")
    explains = _("From now on every addition is asked about. What went ahead on it stays.")
    submit = _("Take the consent back")
    done = _("The consent in advance is taken back.")

    @cached_property
    def customer(self) -> Customer:
        row = StandingConsent.objects.for_actor(self.actor).select_related("customer").get(uid=self.kwargs["uid"])
        return row.customer

    def run(self, form: ReasonForm) -> StandingConsent:
        return commands.end_standing_consent(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)
