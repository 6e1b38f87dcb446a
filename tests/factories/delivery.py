"""A finished car for tests of chapter 4: a visit in the shop with an order that has passed its final inspection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import Any

from dealership.catalogue.models import Part, PartKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store, User
from dealership.kernel.money import line_amount
from dealership.kernel.services import actor_of
from delivery.models import HandoverCheck
from reception.models import CustomerContact, OldParts, Visit, VisitLink, VisitState, WalkAround
from staff.models import Department, Employee
from tests.factories.kernel import make_store, make_user
from tests.factories.quality import sign_stages
from tests.factories.reception import make_customer, make_vehicle
from workshop.models import (
    Authorization,
    Certificate,
    CertificateRange,
    Clocking,
    Inspection,
    InspectionTool,
    LineState,
    OrderLine,
    PartLine,
    RepairOrder,
    ToolAsset,
)
from workshop.own_part_models import OwnPartCheck

_serial = count(1)
CHECKED = dict.fromkeys(HandoverCheck.values, True) | {"NEXT_SERVICE": "NOT_APPLICABLE"}
"""Everything is done; no service was due to be explained, so neither day nor mileage are needed."""
TEAM = ("advisor", "cashier", "accountant", "manager", "receptionist", "inspector", "technician")


def make_employee(store: Store, user: User | None = None, name: str = "") -> Employee:
    number = next(_serial)
    department, _made = Department.objects.get_or_create(store=store, code="SERVICE", defaults={"name": "售后部"})
    return Employee.objects.create(
        store=store,
        department=department,
        user=user,
        number=f"E{number:05d}",
        name=name or f"员工{number}",
        hired_on=date(2020, 1, 1),
    )


def make_team(store: Store | None = None) -> SimpleNamespace:
    """One log-in, employee and actor per post: ``team.advisor``, ``team.people["advisor"]``."""
    store = store or make_store()
    people: dict[str, Employee] = {}
    actors: dict[str, Actor] = {}
    for role in TEAM:
        user = make_user(role, store=store)
        people[role] = make_employee(store, user)
        actors[role] = actor_of(user, store)
    return SimpleNamespace(store=store, people=people, **actors)


def make_visit(team: SimpleNamespace, **fields: Any) -> Visit:
    """A visit in the shop with a signed walk-around and its link."""
    owner = fields.pop("customer", None) or make_customer()
    vehicle = fields.pop("vehicle", None) or make_vehicle(owner_uid=owner.uid)
    visit = Visit.objects.create(
        store=team.store,
        number=f"V-TEST-{next(_serial):06d}",
        customer=owner,
        vehicle=vehicle,
        contact_name="李送修",
        contact_phone="13900000001",
        model_text=vehicle.model_text,
        need="换机油",
        advisor=team.people["advisor"],
        odometer_in_km=50000,
        **fields,
    )
    VisitLink.objects.create(visit=visit, expires_at=clock.now() + timedelta(days=30))
    WalkAround.objects.create(
        visit=visit, odometer_km=50000, energy_eighths=4, old_parts=OldParts.LEAVE, signed_name="李送修"
    )
    visit.state, visit.greeted_at = VisitState.IN_RECEPTION, clock.now()
    visit.save()
    visit.state, visit.signed_at = VisitState.IN_SHOP, clock.now()
    visit.save()
    return visit


def make_order(visit: Visit, team: SimpleNamespace, **fields: Any) -> RepairOrder:
    return RepairOrder.objects.create(
        store=visit.store,
        number=f"RO-TEST-{next(_serial):06d}",
        visit=visit,
        customer=fields.pop("customer", visit.customer),
        vehicle=visit.vehicle,
        advisor=team.people["advisor"],
        complaint="换机油",
        **fields,
    )


def add_line(
    order: RepairOrder, *, state: str = LineState.AUTHORIZED, parts: Sequence[dict[str, Any]] = (), **fields: Any
) -> OrderLine:
    """A line taken through its states; one hour at 240.00 unless said otherwise.

    ``parts`` are written before the customer's yes (the database lets nobody add one later) and issued after it.
    """
    values: dict[str, Any] = {"hours": Decimal("1.00"), "rate": Decimal("240.00"), "discount": Decimal("0.00")} | fields
    values = {"cause": "机油到期", "correction": "已更换"} | values
    values.setdefault("labor_amount", line_amount(values["hours"], values["rate"]) - values["discount"])
    line = OrderLine.objects.create(
        order=order,
        position=order.lines.count() + 1,
        description=values.pop("description", "更换机油机滤"),
        authorized_amount=values["labor_amount"],
        **values,
    )
    written = [(_add_part(line, **part), part.get("issued")) for part in parts]
    move_line(line, state)
    for part_line, issued in written:
        part_line.issued_quantity = part_line.quantity if issued is None else Decimal(issued)
        part_line.save(update_fields=["issued_quantity"])
    return line


PATHS = {
    LineState.DRAFT: (),
    LineState.PENDING: (LineState.PENDING,),
    LineState.AUTHORIZED: (LineState.AUTHORIZED,),
    LineState.DECLINED: (LineState.DECLINED,),
    LineState.CANCELLED: (LineState.CANCELLED,),
    LineState.IN_PROGRESS: (LineState.AUTHORIZED, LineState.IN_PROGRESS),
    LineState.COMPLETED: (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED),
    LineState.INSPECTED: (LineState.AUTHORIZED, LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED),
    LineState.WITHDRAWN: (LineState.AUTHORIZED, LineState.WITHDRAWN),
}


def move_line(line: OrderLine, state: str) -> OrderLine:
    for step in PATHS[LineState(state)]:
        line.state = step
        if step == LineState.AUTHORIZED:
            _agree(line)
        if step == LineState.COMPLETED:
            line.completed_at = clock.now()
        line.save()
    return line


def _agree(line: OrderLine) -> None:
    """The decision by which the line is agreed: the payer's own, or of whom another payer named for it."""
    order, asked = line.order, line.pay_type in ("CUSTOMER_PAY", "INSURANCE")
    own = order.customer_id == order.visit.customer_id
    contact = None
    if asked and not own:
        contact, _made = CustomerContact.objects.get_or_create(
            customer=order.customer, name="李付款", phone="13900000002", roles=["AUTHORISES"]
        )
    Authorization.objects.create(
        order=order,
        line=line,
        status="APPROVED" if asked else "NOT_REQUIRED",
        method="IN_PERSON_PHYSICAL_SIGNATURE" if asked else "AUTOMATED_POLICY_PREAUTHORIZATION",
        amount=line.authorized_amount,
        authorized_by=contact.name if contact else order.customer.name,
        contact=contact,
        at=clock.now(),
    )


def _add_part(
    line: OrderLine, *, quantity: str = "1.00", price: str = "100.00", issued: str | None = None, **fields: Any
) -> PartLine:
    """A part of a line that is being written; ``add_line`` issues it, in full unless ``issued`` says otherwise."""
    number = next(_serial)
    part = Part.objects.create(number=f"P{number:06d}", name=fields.pop("name", "机油滤清器"), brand="示例")
    amount = Decimal(quantity)
    part_line = PartLine.objects.create(
        line=line,
        part=part,
        quantity=amount,
        unit_price=Decimal(price),
        amount=line_amount(amount, Decimal(price)),
        **fields,
    )
    if part_line.kind == PartKind.CUSTOMER_SUPPLIED:  # looked at when it was brought
        OwnPartCheck.objects.create(
            line=line, part=part, quantity=amount, condition="NEW", packaging="SEALED", damaged=False, fits=True,
            checked_by=line.order.advisor,
        )  # fmt: skip
    return part_line


def work(line: OrderLine, person: Employee, *, minutes: int) -> Clocking:
    """A finished clocking that ended just now."""
    now = clock.now()
    return Clocking.objects.create(
        store=person.store, employee=person, line=line, started_at=now - timedelta(minutes=minutes), ended_at=now
    )


def inspect(order: RepairOrder, team: SimpleNamespace) -> None:
    """The three levels, by three people."""
    worked = Clocking.objects.filter(line__order=order).select_related("employee").first()
    inspector = team.people["inspector"]
    people = {
        "SELF": worked.employee if worked else make_employee(order.store),
        "TEAM": make_employee(order.store),
        "FINAL": inspector,
    }
    sign_stages(order, inspector)
    for level, person in people.items():
        made = Inspection.objects.create(
            store=order.store, order=order, level=level, result="PASSED", inspector=person,
            road_test_km=2, road_test_driver=inspector,
        )  # fmt: skip
        for tool in ToolAsset.objects.filter(store=order.store, number="QC-1"):
            InspectionTool.objects.create(inspection=made, tool=tool)


def certify(order: RepairOrder, team: SimpleNamespace, **fields: Any) -> Certificate:
    number = next(_serial)
    allotted = CertificateRange.objects.create(store=order.store, prefix=f"T{number}", first=1, last=10, next=2)
    return Certificate.objects.create(
        store=order.store, order=order, range=allotted, number=f"T{number}00000001", inspector=team.people["inspector"],
        **fields,
    )  # fmt: skip


def make_ready(team: SimpleNamespace, **line: Any) -> RepairOrder:
    """An order ready for settlement: one line at 240.00 with a part at 100.00, inspected."""
    visit = make_visit(team)
    order = make_order(visit, team)
    made = add_line(order, state=LineState.AUTHORIZED, parts=[{}], **line)
    for step in (LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED):
        made.state = step
        made.save()
    inspect(order, team)
    order.refresh_from_db()
    return order
