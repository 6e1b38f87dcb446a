"""What a car is due for, put onto its order in one tap (3.1)."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView
from workshop import permissions
from workshop.models import OrderLine, RepairOrder
from workshop.selectors import maintenance as reads
from workshop.services import orders
from workshop.views.orders import order_url


class AddMaintenanceView(ActionView):
    """Writes a line for each chosen piece of work that is due, with why in the customer's language."""

    permission = permissions.LINES_EDIT

    @cached_property
    def order(self) -> RepairOrder:
        rows = RepairOrder.objects.for_actor(self.actor).select_related("vehicle__model", "visit__customer")
        return rows.get(uid=self.kwargs["uid"])

    def run(self, form: Any) -> list[OrderLine]:
        wanted = set(self.request.POST.getlist("operation"))
        with translation.override(self.order.visit.customer.language):
            found = reads.due_list(self.order.vehicle, store_id=self.order.store_id)
        rows = [row for row in (found.rows if found else []) if str(row.operation.uid) in wanted]
        rows = reads.not_on([self.order], rows)
        if not rows:
            raise RuleError(
                "maintenance.gone", _("That isn't due any more, or stands on the order already; look again.")
            )
        return [
            orders.add_line(
                order_uid=self.order.uid,
                operation_uid=row.operation.uid,
                cause=row.why,
                cause_due=reads.due_facts(row.due),
                by=self.actor,
            )
            for row in rows
        ]

    def words(self, result: list[OrderLine]) -> str:
        return ngettext("%(n)s line added.", "%(n)s lines added.", len(result)) % {"n": len(result)}

    def location(self, result: list[OrderLine]) -> str:
        return order_url(self.order)
