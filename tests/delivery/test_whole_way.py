"""4.1: the way of a car from its arrival to the street through the commands of every chapter on it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dealership.kernel.actors import machine
from dealership.kernel.models import History
from delivery.models import Settlement
from delivery.services.handovers import hand_over, issue_gate_pass, scan_out
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from reception.models import VisitState
from tests.factories.delivery import CHECKED
from tests.factories.floor import actor, clock_at, make_agreed, make_floor, work
from tests.factories.quality import sign_stages
from tests.factories.reception import rule
from tests.factories.workshop import link_actor
from workshop.models import OrderStage
from workshop.services import inspections
from workshop.services.orders import withdraw_order


class House:
    """A shop with everybody who has a hand in one car."""

    def __init__(self) -> None:
        self.floor = make_floor()
        self.worker = self.floor.technician()
        self.leader = self.floor.hire("leader", skills={"chassis": 4, "engine": 4}, name="马试长")
        self.inspector = self.floor.hire("inspector", name="邓试检")
        self.cashier = actor(self.floor.hire("cashier", name="苏试收"))
        self.guard = actor(self.floor.hire("receptionist", name="韩试接"))
        self.advisor = self.floor.shop.advisor

    def repaired(self, code: str):
        """An order that was worked on and passed all three levels."""
        order, lines = make_agreed(self.floor, code)
        self.floor.give(lines[0], self.worker)
        with clock_at(9):
            work(self.floor, lines[0], self.worker)
        sign_stages(order, self.inspector)
        for level, person in (("SELF", self.worker), ("TEAM", self.leader), ("FINAL", self.inspector)):
            inspections.inspect_order(
                order_uid=order.uid, level=level, result="PASSED", road_test_km=2, by=actor(person)
            )
        order.refresh_from_db()
        return order


@pytest.mark.django_db
def test_a_second_class_maintenance_from_the_arrival_to_the_street():
    with clock_at(9):
        house = House()
        order = house.repaired("MT-80")
        visit = order.visit
        with rule("settlement.certificate"):
            issue_settlement(order_uid=order.uid, by=house.advisor)
        setup = machine("test", store_id=order.store_id)
        inspections.allot_certificates(prefix="沪A", first=101, last=102, by=setup)
        inspections.issue_certificate(order_uid=order.uid, by=actor(house.inspector))
        settlement = issue_settlement(order_uid=order.uid, by=house.advisor)
        assert (settlement.guarantee_days, settlement.guarantee_km) == (30, 5000)
        assert settlement.total == sum(order.lines.values_list("labor_amount", flat=True), Decimal(0))
        sign_settlement(uid=settlement.uid, signed_name="沈示例", by=link_actor(order))
        take_payment(settlement_uid=settlement.uid, method="SCAN_CODE", amount=settlement.total, by=house.cashier)
        hand_over(
            visit_uid=visit.uid, checklist=CHECKED, odometer_km=48935, received_by="沈示例", signed_on_paper=True,
            by=house.advisor,
        )  # fmt: skip
        gate_pass = issue_gate_pass(visit_uid=visit.uid, kind="DELIVERED", by=house.advisor)
        scan_out(code=gate_pass.code, by=house.guard)
    order.refresh_from_db()
    visit.refresh_from_db()
    visit.vehicle.refresh_from_db()
    assert (order.stage, visit.state, visit.odometer_out_km, visit.vehicle.odometer_km) == (
        OrderStage.CLOSED,
        VisitState.DEPARTED,
        48935,
        48935,
    )
    codes = list(History.objects.filter(visit_uid=visit.uid).order_by("id").values_list("code", flat=True))
    exit_codes = [code for code in codes if code.startswith("delivery.")]
    assert exit_codes == [
        "delivery.settlement.issued",
        "delivery.settlement.signed",
        "delivery.payment.taken",
        "delivery.handover.done",
        "delivery.gate_pass.issued",
        "delivery.gate_pass.scanned_out",
    ]
    assert codes.index("workshop.certificate.issued") < codes.index("delivery.settlement.issued")
    assert "reception.visit.departed" in codes


@pytest.mark.django_db
def test_an_order_withdrawn_before_any_work_leaves_unrepaired_without_a_list():
    with clock_at(9):
        house = House()
        order, _lines = make_agreed(house.floor, "BR-10")
        withdraw_order(order_uid=order.uid, reason="客户改主意", by=house.advisor)
        with rule("gatepass.risk_note"):
            issue_gate_pass(visit_uid=order.visit.uid, kind="UNREPAIRED", reason="客户改主意", by=house.advisor)
        gate_pass = issue_gate_pass(
            visit_uid=order.visit.uid,
            kind="UNREPAIRED",
            reason="客户改主意",
            risk_note_signed_by="沈示例",
            signed_on_paper=True,
            by=house.advisor,
        )
        scan_out(code=gate_pass.code, by=house.guard)
    order.refresh_from_db()
    assert (order.stage, order.visit.state) == (OrderStage.CLOSED, VisitState.DEPARTED)
    assert not Settlement.objects.exists()
