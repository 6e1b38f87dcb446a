"""A package put on an order in one tap, and taken apart (3.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView
from workshop import permissions
from workshop.forms.packages import DissolveForm
from workshop.models import RepairOrder
from workshop.package_models import OrderPackage
from workshop.selectors import maintenance
from workshop.selectors import orders as reads
from workshop.services import packages

from .orders import OrderCommandPage, order_url


class PutPackageView(ActionView):
    """Its lines say why each is due, in the customer's language."""

    permission = permissions.LINES_EDIT
    done = _("The package stands on the order.")

    @cached_property
    def order(self) -> RepairOrder:
        rows = RepairOrder.objects.for_actor(self.actor).select_related("vehicle__model", "visit__customer")
        return rows.get(uid=self.kwargs["uid"])

    def run(self, form: Any) -> OrderPackage:
        order = self.order  # first: an order that isn't there is no refusal of the package
        try:
            wanted = UUID(self.request.POST.get("package", ""))
        except ValueError as exc:
            raise RuleError("package.gone", _("This package isn't offered for this car today.")) from exc
        with translation.override(order.visit.customer.language):
            found = maintenance.due_list(order.vehicle, store_id=order.store_id)
        causes = (
            {row.operation.uid: (row.why, maintenance.due_facts(row.due)) for row in found.proposed} if found else {}
        )
        return packages.put_package(order_uid=order.uid, package_uid=wanted, causes=causes, by=self.actor)

    def location(self, result: OrderPackage) -> str:
        return order_url(self.order)


class DissolvePackagePage(OrderCommandPage):
    permission = permissions.LINES_EDIT
    form_class = DissolveForm
    title = _("Dissolve the package")
    explains = _("Its lines stay on the order, each at its single price of today; what was asked goes back to draft.")
    submit = _("Dissolve it")
    danger = True
    done = _("The package is dissolved; its lines cost their single prices again.")

    @cached_property
    def on_order(self) -> OrderPackage:
        return OrderPackage.objects.for_actor(self.actor).select_related("order").get(uid=self.kwargs["uid"])

    @cached_property
    def order(self) -> RepairOrder:
        return reads.get_order(self.on_order.order.uid, self.actor)

    def run(self, form: DissolveForm) -> OrderPackage:
        return packages.dissolve_package(uid=self.on_order.uid, reason=form.cleaned_data["reason"], by=self.actor)
