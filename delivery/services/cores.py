"""Core charges of orders: money back for old parts that came in after the list was signed (3.2, 4.1).

Lock order: order, core charge, counter.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.money import format_money
from workshop.models import CoreCharge, RepairOrder

from .. import events, permissions
from ..models import CorePayout
from ..selectors.cores import owed_back
from .receipts import read_amount, require_method, write_receipt


@transaction.atomic
def pay_core_back(*, core_uid: UUID, method: str, amount: Decimal, by: Actor) -> CorePayout:
    """Gives back in money (CNY, ``amount`` positive) what the signed list took for an old part that came in since.

    What came in before the list isn't on it, and a counter sale gives it back with its own payments. Raises RuleError
    ``core.payout``, ``payment.amount`` and ``payment.method``.
    """
    by.require(permissions.PAYMENTS_REFUND)
    require_method(method)
    amount = read_amount(amount, "payment.amount")
    order_id = CoreCharge.objects.for_actor(by).values_list("part_line__line__order_id", flat=True).get(uid=core_uid)
    list(RepairOrder.objects.locked().filter(pk=order_id).values_list("pk"))
    core = CoreCharge.objects.locked().select_related("store").get(uid=core_uid)
    left = owed_back([core])[core.pk]
    if amount > left:
        raise RuleError(
            "core.payout", _("Of this core charge %(left)s is to be given back; its list is signed and paid first."),
            field="amount", left=format_money(left),
        )  # fmt: skip
    return write_receipt(
        CorePayout, "YJ", events.CORE_PAID_BACK, store=core.store, by=by, told={"core": core.uid}, core=core,
        method=method, amount=-amount,
    )  # fmt: skip
