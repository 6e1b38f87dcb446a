"""A car that was repaired, paid, handed over and has left, through the commands of every chapter."""

from __future__ import annotations

from typing import Any

from dealership.kernel import outbox
from delivery.services.handovers import hand_over, issue_gate_pass, scan_out
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from tests.delivery.test_whole_way import House
from tests.factories.delivery import CHECKED
from tests.factories.floor import clock_at
from tests.factories.workshop import link_actor
from workshop.models import RepairOrder


def make_departed(house: Any = None) -> tuple[Any, RepairOrder]:
    """(house, order): the car drove off at nine; everything owed behind the outbox is done."""
    with clock_at(9):
        house = house or House()
        order = house.repaired("MT-10")
        settlement = issue_settlement(order_uid=order.uid, by=house.advisor)
        sign_settlement(uid=settlement.uid, signed_name="沈示例", by=link_actor(order))
        take_payment(settlement_uid=settlement.uid, method="SCAN_CODE", amount=settlement.total, by=house.cashier)
        hand_over(
            visit_uid=order.visit.uid,
            checklist=CHECKED,
            odometer_km=48935,
            received_by="沈示例",
            signed_on_paper=True,
            by=house.advisor,
        )
        gate_pass = issue_gate_pass(visit_uid=order.visit.uid, kind="DELIVERED", by=house.advisor)
        scan_out(code=gate_pass.code, by=house.guard)
        outbox.drain()
    order.refresh_from_db()
    order.visit.refresh_from_db()
    return house, order
