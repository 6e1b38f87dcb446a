"""An accident that an insurer pays: the insurer with whom it names, and an order with items that are offered (3.2)."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

from dealership.kernel import clock
from dealership.kernel.actors import machine
from reception.models import Customer, Visit
from reception.services.contacts import add_contact
from staff.models import Employee
from tests.factories.delivery import add_line, make_order, make_visit, work
from tests.factories.reception import make_customer
from tests.factories.workshop import Shop, add_operation, make_received_visit
from workshop.accident_models import AccidentCase, StructuralJob
from workshop.models import OrderLine, RepairOrder
from workshop.selectors.accidents import price_of
from workshop.services import accidents, orders

AGREES = "高定损"


def make_insurer(up_to: int | None = None) -> Customer:
    insurer = make_customer(name="示例财险", kind="COMPANY")
    add_contact(
        customer_uid=insurer.uid, name=AGREES, phone="13900000088", roles=["AUTHORISES"],
        authorises_up_to=None if up_to is None else Decimal(up_to), by=machine("tests"),
    )  # fmt: skip
    return insurer


def make_accident_order(shop: Shop, *, visit: Visit | None = None, up_to: int | None = None) -> RepairOrder:
    """An insurance order whose items were offered to the insurer."""
    order = orders.open_repair_order(
        visit_uid=(visit or make_received_visit(shop)).uid,
        complaint="追尾，前部受损",
        kind="INSURANCE",
        payer_uid=make_insurer(up_to).uid,
        with_diagnosis=False,
        by=shop.advisor,
    )
    add_operation(shop, order, "BR-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    order.refresh_from_db()
    return order


def make_accident(shop: Shop, order: RepairOrder, **fields: object) -> AccidentCase:
    told = {"policy_number": "PDAA-1", "report_number": "RDAA-1", "happened_on": clock.today()} | fields
    return accidents.open_accident(order_uid=order.uid, by=shop.advisor, **told)  # type: ignore[arg-type]


def structural(team: SimpleNamespace, *also: Employee) -> StructuralJob:
    """A finished repair of a rail that waits for its check."""
    order = make_order(make_visit(team), team)
    line = add_line(order, state="IN_PROGRESS", description="前纵梁校正")
    job = accidents.mark_structural(line_uid=line.uid, part="RAIL", by=team.advisor)
    for person in (team.people["technician"], *also):
        work(line, person, minutes=5)
    line.state, line.completed_at = "COMPLETED", clock.now()
    line.save()
    return job


def make_assessed(shop: Shop, visit: Visit) -> AccidentCase:
    """An accident whose assessment waits for the insurer; its item is on the body's structure."""
    order = make_accident_order(shop, visit=visit)
    case, line = make_accident(shop, order), order.lines.get()
    accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: Decimal(9999)}, by=shop.advisor)
    accidents.mark_structural(line_uid=line.uid, part="RAIL", by=shop.advisor)
    return case


def assessed_below(shop: Shop, amount: str = "300.00", **fields: object) -> OrderLine:
    """An item of an accident of which the insurer has agreed to ``amount``, less than it costs."""
    order = make_accident_order(shop)
    case, line = make_accident(shop, order, **fields), order.lines.get()
    asked = accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: price_of(line)}, by=shop.advisor)
    accidents.agree_assessment(
        uid=asked.uid, decided_by=AGREES, amounts={line.uid: Decimal(amount)}, note="核损", by=shop.advisor
    )
    line.refresh_from_db()
    return line
