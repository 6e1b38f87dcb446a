"""A store that can be booked: bays, technicians, an advisor, rosters and prices. Plainly fictional people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from dealership.catalogue.models import BayCapability, Operation, ResourceKind, ToolKind
from dealership.catalogue.seeds import seed, seed_store
from dealership.catalogue.services.resources import add_resource
from dealership.kernel.actors import Actor, machine
from dealership.kernel.models import Store
from reception.models import Appointment
from reception.services.appointments import book_appointment
from staff.models import Employee
from staff.services import rosters
from tests.factories.reception import make_customer, make_vehicle
from tests.factories.staff import actor_for, make_employee, make_store

MONDAY = date(2026, 11, 23)
SKILLS = {"engine": 4, "chassis": 3, "tyres": 3}
_codes = count(1)


@dataclass
class Bookable:
    """``desk``, ``parts`` and ``foreman`` are actors; ``advisor`` is the employee behind ``desk``."""

    store: Store
    desk: Actor
    parts: Actor
    foreman: Actor
    advisor: Employee
    technicians: list[Employee]


def at(text: str, day: date = MONDAY) -> datetime:
    """A moment of the store's day (Asia/Shanghai): ``at("9:30")``, ``at("9:30", MONDAY + timedelta(1))``."""
    hour, minute = text.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=UTC) - timedelta(hours=8)


TUESDAY = MONDAY + timedelta(days=1)


def make_bookable(
    *,
    bays: tuple[str, ...] = ("STANDARD_LIFT", "ALIGNMENT_RACK"),
    technicians: int = 1,
    advisors: int = 1,
    code: str = "",
    first: date = MONDAY,
) -> Bookable:
    """Open 8:30–18:00 with lunch 12–13; everybody works 8:30–17:30 from that day on for 40 days."""
    seed()
    store = make_store(code or f"K{next(_codes):03d}")
    seed_store(store)
    setup = machine("test", store_id=store.pk)
    people = [make_employee(store, "advisor", name=f"顾问{n}") for n in range(advisors)]
    crew = [make_employee(store, "technician", skills=SKILLS) for _ in range(technicians)]
    parts, foreman = make_employee(store, "parts"), make_employee(store, "foreman")
    for employee in [*people, *crew, parts, foreman]:
        rosters.plan_roster(
            employee_uid=employee.uid,
            first=first,
            last=first + timedelta(days=40),
            week=dict.fromkeys(range(7), "DAY"),
            by=setup,
        )
    for number, capability in enumerate(bays, 1):
        add_resource(
            store=store,
            kind=ResourceKind.BAY,
            code=str(number),
            name=f"{number} 号 {BayCapability(capability).label}",
            capability=capability,
            position=number,
            by=setup,
        )
    for tool in ToolKind.values:
        add_resource(
            store=store, kind=ResourceKind.TOOL, code=tool, name=str(ToolKind(tool).label), tool=tool, by=setup
        )
    for employee in crew:
        add_resource(
            store=store,
            kind=ResourceKind.PERSON,
            code=employee.number,
            name=employee.name,
            employee_uid=employee.uid,
            by=setup,
        )
    return Bookable(store, actor_for(people[0]), actor_for(parts), actor_for(foreman), people[0], crew)


def operation(code: str) -> UUID:
    return Operation.objects.get(code=code).uid


def booking(**values: Any) -> dict[str, Any]:
    """What a booking needs, with a car of its own: 9:30 on Tuesday, brake fluid (0.6 h on a lift)."""
    if "vehicle_uid" not in values and "plate" not in values:
        owner = make_customer()
        values |= {"vehicle_uid": make_vehicle(owner_uid=owner.uid).uid, "customer_uid": owner.uid}
    return {
        "contact_name": "李试约",
        "contact_phone": "13900002290",
        "starts_at": at("9:30", TUESDAY),
        "concern": "方向盘往左偏",
        "operation_uids": [operation("MT-50")],
    } | values


def make_appointment(shop: Bookable, **values: Any) -> Appointment:
    return book_appointment(**booking(**values), by=shop.desk)
