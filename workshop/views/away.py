"""A car drives on until its part comes: noted on the order, taken back before it has left (3.2)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import ActionView
from workshop import permissions
from workshop.away_models import AwayWait
from workshop.forms.away import AwayForm
from workshop.models import PartLine
from workshop.selectors.away import kept_on_shelf
from workshop.services import away

from .orders import OrderCommandPage


class AwayPage(OrderCommandPage):
    permission = permissions.AWAY_PLAN
    form_class = AwayForm
    title = _("Car leaves until the part comes")
    explains = _(
        "The order stays open, its parts stay kept for it. Then issue a gate pass “Waits for a part”: bay, plan and "
        "promise get free when the car passes the gate, and stay until then."
    )
    submit = _("Note it")
    done = _("Noted; the gate lets the car out on a pass “Waits for a part”.")

    def get_initial(self) -> dict[str, Any]:
        coming = PartLine.objects.filter(line__order=self.order, expected_on__isnull=False).order_by("-expected_on")
        late = coming.select_related("part").first()
        known = {"expected_on": late.expected_on, "reason": late.part.said} if late else {}
        return super().get_initial() | known

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"here": kept_on_shelf(self.order)}

    def run(self, form: AwayForm) -> AwayWait:
        return away.plan_away(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)


class CancelAwayView(ActionView):
    permission = permissions.AWAY_PLAN
    done = _("The car stays.")

    def run(self, form: Any) -> AwayWait:
        return away.cancel_away(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: AwayWait) -> str:
        return reverse("order-detail", args=[result.order.uid])
