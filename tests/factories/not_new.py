"""Agreed work whose part isn't new."""

from __future__ import annotations

from decimal import Decimal

from tests.factories.reception import make_picture
from tests.factories.workshop import Shop, make_order, part
from tests.workshop.test_stock import receive
from workshop.models import AuthorizationMethod, PartLine
from workshop.services import authorizations, orders

USED = "TRN-ASSY-U1"
PHONE, PAD = AuthorizationMethod.VERBAL_PHONE, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE


def agreed(shop: Shop, method: str | None = PHONE, *, pay_type: str = "CUSTOMER_PAY", number: str = USED) -> PartLine:
    """A line with one such part in stock, agreed to by ``method``; None: sent only."""
    order = make_order(shop, with_diagnosis=False)
    given = {"description": "更换变速箱", "hours": Decimal(1), "pay_type": pay_type, "category": "MINOR"}
    line = orders.add_line(order_uid=order.uid, parts=[(part(number).uid, Decimal(1))], by=shop.advisor, **given)
    receive(shop, part(number), 1)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    if method and pay_type == "CUSTOMER_PAY":
        authorizations.decide_lines(
            order_uid=order.uid, decisions={line.uid: (True, "")}, method=method, authorized_by="沈示例",
            note="电话同意", signature=make_picture() if method == PAD else None, by=shop.advisor,
        )  # fmt: skip
    return PartLine.objects.get(line=line)
