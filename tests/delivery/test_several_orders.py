"""A visit carries an insurance, a customer and a rework order, each with its payer and list, and has one exit (4.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.actors import machine
from delivery.models import GatePass, HandoverCheck, Settlement
from delivery.selectors.exits import ExitStep, visit_exit
from delivery.services.handovers import hand_over, issue_gate_pass, scan_out
from delivery.services.payments import take_payment
from delivery.services.settlements import ask_unpaid_exit, issue_settlement, sign_settlement
from reception.models import Customer, Visit, VisitState
from reception.services.contacts import add_contact
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import CHECKED
from tests.factories.floor import actor, at, clock_at, make_floor, work
from tests.factories.reception import make_customer, rule
from tests.factories.workshop import add_operation, agree_all, link_actor, make_order, make_received_visit
from workshop.models import OrderStage, RepairOrder
from workshop.services import inspections

pytestmark = pytest.mark.django_db
DONE = dict.fromkeys(HandoverCheck.values, "DONE") | {"NEXT_SERVICE": "NOT_APPLICABLE"}


class House:
    """A shop with everybody who has a hand in one car."""

    def __init__(self) -> None:
        self.floor = make_floor()
        self.shop = self.floor.shop
        self.worker = self.floor.technician()
        self.leader = self.floor.hire("leader", skills={"chassis": 4, "engine": 4}, name="马试长")
        self.inspector = self.floor.hire("inspector", name="邓试检")
        self.cashier = actor(self.floor.hire("cashier", name="苏试收"))
        self.guard = actor(self.floor.hire("receptionist", name="韩试接"))
        self.manager = actor(self.floor.hire("manager", name="高试理"))
        self.advisor = self.shop.advisor
        self.clients: dict[str, ApiCaller] = {}

    def repair(self, order: RepairOrder, *, hour: int) -> None:
        """Dispatches and does every agreed line of an order and passes its inspections."""
        for number, line in enumerate(order.lines.filter(state="AUTHORIZED")):
            with clock_at(hour, number * 20):
                self.floor.give(line, self.worker, start=(hour, number * 20), ends_at=at(hour, number * 20 + 15))
                work(self.floor, line, self.worker)
        for level, person in (("SELF", self.worker), ("TEAM", self.leader), ("FINAL", self.inspector)):
            with clock_at(hour, 50):
                inspections.inspect_order(
                    order_uid=order.uid, level=level, result="PASSED", road_test_km=2, by=actor(person)
                )
        order.refresh_from_db()

    def device(self, name: str) -> ApiCaller:
        """Somebody of the house speaking over HTTP."""
        if name not in self.clients:
            who = getattr(self, name)
            self.clients[name] = ApiCaller(
                "workshop:write", "delivery:write", "personal:read", store=self.shop.store, acts_for=who.user
            )
        return self.clients[name]


@pytest.fixture
def house() -> House:
    with clock_at(8):
        return House()


def insurer() -> Customer:
    payer = make_customer(name="示例财产保险", kind="COMPANY")
    add_contact(customer_uid=payer.uid, name="沈示例", roles=["AUTHORISES"], phone="13900005551", by=machine("tests"))
    return payer


def test_three_orders_each_with_its_payer_leave_on_one_gate_pass(house: House):
    with clock_at(9):
        payer = insurer()
        visit = make_received_visit(house.shop)
        own = make_order(house.shop, visit=visit, with_diagnosis=False)
        damage = make_order(house.shop, visit=visit, with_diagnosis=False, kind="INSURANCE", payer_uid=payer.uid)
        rework = make_order(house.shop, visit=visit, with_diagnosis=False, kind="REWORK", original_uid=own.uid)
        for order in (own, damage, rework):
            add_operation(house.shop, order, "BR-10", parts=[])
            agree_all(house.shop, order) if order is not rework else None
        from workshop.services.orders import send_estimate

        send_estimate(order_uid=rework.uid, by=house.advisor)  # nobody is asked: the shop bears it
    assert {o.lines.get().state for o in (own, damage, rework)} == {"AUTHORIZED"}
    for hour, order in ((9, own), (10, damage), (11, rework)):
        house.repair(order, hour=hour)
    with clock_at(14):
        lists = {o.kind: issue_settlement(order_uid=o.uid, by=house.advisor) for o in (own, damage, rework)}
        assert {kind: (row.payer.name, row.total) for kind, row in lists.items()} == {
            "CUSTOMER": ("沈示例", Decimal("136.00")),
            "INSURANCE": ("示例财产保险", lists["INSURANCE"].total),
            "REWORK": ("沈示例", Decimal("0.00")),
        }
        assert lists["INSURANCE"].total > 0
        assert visit_exit(Visit.objects.get(pk=visit.pk)).step == ExitStep.SIGNATURE
        for row in lists.values():
            sign_settlement(uid=row.uid, signed_name="沈示例", by=link_actor(own))
        take_payment(settlement_uid=lists["CUSTOMER"].uid, method="CASH", amount=Decimal("136.00"), by=house.cashier)
        state = visit_exit(Visit.objects.get(pk=visit.pk))
        assert (state.step, state.blocking.order.pk) == (ExitStep.PAYMENT, damage.pk)
        leave: dict[str, Any] = {
            "visit_uid": visit.uid, "checklist": CHECKED, "odometer_km": 48935, "received_by": "沈示例",
            "signed_on_paper": True, "by": house.advisor,
        }  # fmt: skip
        with rule("handover.payment"):
            hand_over(**leave)
        asked = ask_unpaid_exit(uid=lists["INSURANCE"].uid, reason="保险公司月结", by=house.advisor)
        from dealership.kernel.services import decide_approval

        decide_approval(uid=asked.uid, approve=True, by=house.manager)
        hand_over(**leave)
        gate_pass = issue_gate_pass(visit_uid=visit.uid, kind="DELIVERED", by=house.advisor)
        with rule("gatepass.exists"):
            issue_gate_pass(visit_uid=visit.uid, kind="DELIVERED", by=house.advisor)
        scan_out(code=gate_pass.code, by=house.guard)
    visit.refresh_from_db()
    assert visit.state == VisitState.DEPARTED
    assert set(visit.orders.values_list("stage", flat=True)) == {OrderStage.CLOSED}
    assert GatePass.objects.filter(visit=visit).count() == 1


def test_the_insurers_list_is_not_the_customers_debt_on_the_link(house: House):
    with clock_at(9):
        visit = make_received_visit(house.shop)
        damage = make_order(
            house.shop, visit=visit, with_diagnosis=False, kind="INSURANCE", payer_uid=insurer().uid
        )  # fmt: skip
        add_operation(house.shop, damage, "BR-10", parts=[])
        agree_all(house.shop, damage)
    house.repair(damage, hour=9)
    with clock_at(14):
        settlement = issue_settlement(order_uid=damage.uid, by=house.advisor)
        sign_settlement(uid=settlement.uid, signed_name="沈示例", by=link_actor(damage))
        shown = Client().get(reverse("visit-link", args=[visit.link.token])).content.decode()
    assert "由示例财产保险支付，您无需支付" in shown
    assert "这张清单您无需付款" in shown


def test_an_insurance_order_names_its_insurer(house: House):
    with clock_at(9):
        visit = make_received_visit(house.shop)
        with rule("order.payer"):
            make_order(house.shop, visit=visit, kind="INSURANCE")
        assert not RepairOrder.objects.exists()
        with rule("order.payer"):
            make_order(house.shop, visit=visit, kind="INSURANCE", payer_uid=visit.customer.uid)
        assert not RepairOrder.objects.exists()


def test_the_question_goes_to_who_holds_the_link_not_to_who_pays(house: House):
    from dealership.kernel.models import Message

    with clock_at(9):
        visit = make_received_visit(house.shop)
        damage = make_order(
            house.shop, visit=visit, with_diagnosis=False, kind="INSURANCE", payer_uid=insurer().uid
        )  # fmt: skip
        add_operation(house.shop, damage, "BR-10", parts=[])
        agree_all(house.shop, damage)
    message = Message.objects.get(template="workshop.estimate")
    assert (message.recipient, message.recipient_name) == (visit.customer.phone, "沈示例")


def test_two_orders_with_two_payers_over_http(house: House):
    def ok(response: Any, status: int = 200) -> dict[str, Any]:
        assert response.status_code == status, response.content.decode()
        return response.json()

    desk, till, gate = house.device("advisor"), house.device("cashier"), house.device("guard")
    with clock_at(9):
        payer = insurer()
        visit = make_received_visit(house.shop)
        start = {"visit_uid": str(visit.uid), "complaint": "追尾，后保险杠", "with_diagnosis": False}
        problem(desk.post("repair-orders", {**start, "kind": "INSURANCE"}), 409, "order.payer")
        own = ok(desk.post("repair-orders", start), 201)
        damage = ok(desk.post("repair-orders", {**start, "kind": "INSURANCE", "payer_uid": str(payer.uid)}), 201)
        assert (own["payer_uid"], damage["payer_uid"]) == (str(visit.customer.uid), str(payer.uid))
        for order in (own, damage):
            line = {"repair_order_uid": order["uid"], "description": "更换后杠卡扣", "hours": "0.50"}
            line = ok(desk.post("labor-operations", line), 201)
            ok(desk.act(f"repair-orders/{order['uid']}", "send-estimate"))
            decided = {
                "decisions": {line["uid"]: {"approve": True}}, "method": "VERBAL_PHONE", "authorized_by": "沈示例",
                "note": "电话同意",
            }  # fmt: skip
            ok(desk.act(f"repair-orders/{order['uid']}", "decide", decided))
    for hour, order in ((9, own), (10, damage)):
        house.repair(RepairOrder.objects.get(uid=order["uid"]), hour=hour)
    leave = {"visit_uid": str(visit.uid), "checklist": DONE, "odometer_out": 48935, "received_by": "沈示例"}
    leave["signed_on_paper"] = True
    with clock_at(14):
        bills = [ok(desk.post("settlements", {"repair_order_uid": o["uid"]}), 201) for o in (own, damage)]
        assert [b["payer_uid"] for b in bills] == [str(visit.customer.uid), str(payer.uid)]
        for bill in bills:
            ok(desk.act(f"settlements/{bill['uid']}", "sign", {"signed_name": "沈示例"}))
            problem(
                desk.post("deliveries", leave), 409, "handover.settlement" if bill is bills[0] else "handover.payment"
            )
            pay = {"settlement_uid": bill["uid"], "method": "TRANSFER", "amount": bill["total"]}
            if bill is bills[1]:
                ok(till.post("payments", {**pay, "settlement_uid": bills[0]["uid"], "amount": bills[0]["total"]}), 201)
                problem(desk.post("deliveries", leave), 409, "handover.payment")
                ok(till.post("payments", pay), 201)
        ok(desk.post("deliveries", leave), 201)
        passed = ok(desk.post("gate-passes", {"visit_uid": str(visit.uid), "kind": "DELIVERED"}), 201)
        problem(desk.post("gate-passes", {"visit_uid": str(visit.uid), "kind": "DELIVERED"}), 409, "gatepass.exists")
        ok(gate.act(f"gate-passes/{passed['uid']}", "scan-out"))
    assert set(RepairOrder.objects.values_list("stage", flat=True)) == {OrderStage.CLOSED}
    assert Settlement.objects.filter(state="SIGNED").count() == 2


def test_the_payer_is_found_and_chosen_on_the_page(house: House):
    with clock_at(9):
        payer = insurer()
        visit = make_received_visit(house.shop)
        desk = Client()
        desk.force_login(house.advisor.user)
        page = reverse("order-open", args=[visit.uid])
        assert "示例财产保险" not in desk.get(page).content.decode()
        typed = {"complaint": "追尾", "kind": "INSURANCE", "payer_q": "示例财产", "find_payer": "1"}
        found = desk.post(page, typed)
        shown = found.content.decode()
        assert (found.status_code, "追尾" in shown, str(payer.uid) in shown) == (200, True, True)
        assert not RepairOrder.objects.exists()
        refused = desk.post(page, {"complaint": "追尾", "kind": "INSURANCE", "payer": str(visit.customer.uid)})
        assert (refused.status_code, "须指定付款的保险公司" in refused.content.decode()) == (422, True)
        desk.post(page, {"complaint": "追尾", "kind": "INSURANCE", "payer": str(payer.uid)})
        order = RepairOrder.objects.get()
        assert (order.customer, order.kind) == (payer, "INSURANCE")
        assert "示例财产保险" in desk.get(reverse("order-detail", args=[order.uid])).content.decode()
        # the next order of another car is offered the insurer without a search
        other = make_received_visit(house.shop)
        assert "示例财产保险" in desk.get(reverse("order-open", args=[other.uid])).content.decode()
