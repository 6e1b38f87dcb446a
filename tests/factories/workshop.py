"""Repair orders for tests, opened and decided through the commands. Plainly fictional people and plates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from dealership.catalogue.models import Operation, Part
from dealership.catalogue.seeds import seed_store
from dealership.kernel.actors import Actor, customer_link
from dealership.kernel.models import Store
from reception.models import Visit
from reception.services import visits, walkarounds
from staff.models import Employee
from tests.factories.kernel import make_actor, make_store
from tests.factories.reception import make_vin
from workshop.models import AuthorizationMethod, OrderLine, RepairOrder
from workshop.services import authorizations, orders

_numbers = count(1)
YES = (True, "")
PHONE = AuthorizationMethod.VERBAL_PHONE


@dataclass
class Shop:
    """A store with prices, an advisor and a manager."""

    store: Store
    advisor: Actor
    manager: Actor
    employee: Employee


def make_shop() -> Shop:
    from dealership.kernel.actors import machine
    from staff.services import employees

    store = make_store()
    seed_store(store)
    setup = machine("test", store_id=store.pk)
    employees.open_department(store=store, code="SVC", name="客户服务部", by=setup)
    advisor = make_actor("advisor", store=store, name="林示例")
    employee = employees.hire_employee(
        store=store,
        department_code="SVC",
        name="林示例",
        number=f"W{next(_numbers):05d}",
        hired_on=store.created_at.date().replace(year=2024, month=1, day=1),
        user=advisor.user,
        by=setup,
    )
    return Shop(store, advisor, make_actor("manager", store=store, name="高示例"), employee)


def make_received_visit(shop: Shop, **values: Any) -> Visit:
    """A car that was registered, greeted, walked around and signed for: IN_RECEPTION, ready for an order."""
    number = next(_numbers)
    given = {
        "contact_name": "沈示例",
        "contact_phone": f"138{number:08d}",
        "model_text": "锐放 2.0L",
        "need": "刹车异响",
        "plate": f"京B{number:05d}",
        "vin": make_vin(number + 5_000_000),
    } | values
    visit = visits.register_arrival(**given, by=shop.advisor)
    visits.greet_visit(uid=visit.uid, advisor_uid=shop.employee.uid, by=shop.advisor)
    walkarounds.save_walkaround(
        visit_uid=visit.uid, odometer_km=48930, energy_eighths=4, old_parts="TAKE", no_valuables=True, by=shop.advisor
    )
    walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="沈示例", by=shop.advisor)
    visit.refresh_from_db()
    return visit


def make_order(shop: Shop, *, visit: Visit | None = None, **values: Any) -> RepairOrder:
    """An order with its diagnosis line, still a draft."""
    given = {"complaint": "慢慢踩刹车的时候前面吱吱响"} | values
    return orders.open_repair_order(visit_uid=(visit or make_received_visit(shop)).uid, by=shop.advisor, **given)


def operation(code: str) -> Operation:
    return Operation.objects.get(code=code)


def part(number: str) -> Part:
    return Part.objects.get(number=number)


def add_operation(shop: Shop, order: RepairOrder, code: str, **values: Any) -> OrderLine:
    return orders.add_line(order_uid=order.uid, operation_uid=operation(code).uid, by=shop.advisor, **values)


def agree_all(shop: Shop, order: RepairOrder) -> RepairOrder:
    """Sends what is drafted and records a spoken yes to every open line."""
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    open_lines = order.lines.filter(state="PENDING").values_list("uid", flat=True)
    return authorizations.decide_lines(
        order_uid=order.uid,
        decisions=dict.fromkeys(open_lines, YES),
        method=PHONE,
        authorized_by="沈示例",
        note="电话同意全部项目",
        by=shop.advisor,
    )


def link_actor(order: RepairOrder) -> Actor:
    """The customer who holds the visit's link."""
    return customer_link(visit_id=order.visit_id, store_id=order.store_id, token_id=str(order.visit.link.uid))


def money(text: str) -> Decimal:
    return Decimal(text)
