"""An order whose car is to drive on until its part comes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from tests.factories.reception import make_signed_visit
from workshop.away_models import AwayWait
from workshop.services import away, clocking, orders


def make_away_wait(by: Actor) -> AwayWait:
    """A received car with one agreed line that is held for a part; the advisor notes that it may leave."""
    visit = make_signed_visit(by)
    order = orders.open_repair_order(visit_uid=visit.uid, complaint="雨刮刮不净", with_diagnosis=False, by=by)
    line = orders.add_line(order_uid=order.uid, description="更换雨刮", hours=Decimal(1), pay_type="INTERNAL", by=by)
    orders.send_estimate(order_uid=order.uid, by=by)
    clocking.hold_line(line_uid=line.uid, cause="PARTS", by=machine("tests", store_id=visit.store_id))
    return away.plan_away(
        order_uid=order.uid,
        reason="等雨刮",
        expected_on=clock.today() + timedelta(days=2),
        safe_to_drive=True,
        by=by,
    )
