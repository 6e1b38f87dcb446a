"""The workshop floor for tests: bays, people with skills and rosters, agreed orders; all through the commands."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from dealership.catalogue.models import Resource, ResourceKind, ToolKind
from dealership.catalogue.services.resources import add_resource
from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from staff.models import Employee
from staff.services import rosters
from tests.factories import staff as people
from tests.factories.workshop import Shop, add_operation, agree_all, make_order, make_shop
from workshop.models import OrderLine, RepairOrder
from workshop.services import clocking, dispatch

DAY = date(2026, 11, 24)
BAYS = (("1", "1 号快保", "QUICK_LUBE"), ("2", "2 号举升", "STANDARD_LIFT"), ("4", "4 号新能源", "EV_DIAGNOSTIC"))


def at(hour: int, minute: int = 0, *, day: date = DAY) -> datetime:
    """An hour of the store's day (Asia/Shanghai) as UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


@contextmanager
def clock_at(hour: int, minute: int = 0):
    with clock.moved_to(at(hour, minute)):
        yield


@dataclass
class Floor:
    """A shop with bays and a roster: 08:30–17:30, lunch 12–13, on the test's day and the three after it."""

    shop: Shop
    foreman: Actor
    bays: dict[str, Resource] = field(default_factory=dict)
    tools: dict[str, Resource] = field(default_factory=dict)

    def hire(self, *posts: str, skills: dict[str, int] | None = None, name: str = "", roster: bool = True) -> Employee:
        person = people.make_employee(self.shop.store, *posts, skills=skills, name=name)
        if roster:
            setup = machine("test", store_id=self.shop.store.pk)
            rosters.plan_roster(
                employee_uid=person.uid,
                first=DAY,
                last=DAY + timedelta(days=3),
                week=dict.fromkeys(range(7), "DAY"),
                by=setup,
            )
        return person

    def technician(self, name: str = "高试工", **skills: int) -> Employee:
        return self.hire("technician", skills=skills or {"engine": 4, "chassis": 4}, name=name)

    def give(self, line: OrderLine, person: Employee, bay: str = "2", start: tuple[int, int] = (9, 0), **more):
        return dispatch.dispatch_line(
            line_uid=line.uid,
            technician_uid=person.uid,
            bay_uid=self.bays[bay].uid,
            starts_at=at(*start),
            by=self.foreman,
            **more,
        )


def make_floor() -> Floor:
    shop = make_shop()
    people.make_shift(shop.store)
    setup = machine("test", store_id=shop.store.pk)
    floor = Floor(shop, machine("test", store_id=shop.store.pk))
    for position, (code, name, capability) in enumerate(BAYS):
        floor.bays[code] = add_resource(
            store=shop.store,
            kind=ResourceKind.BAY,
            code=code,
            name=name,
            capability=capability,
            position=position,
            by=setup,
        )
    for kind in ToolKind.values:
        floor.tools[kind] = add_resource(
            store=shop.store, kind=ResourceKind.TOOL, code=kind, name=str(ToolKind(kind).label), tool=kind, by=setup
        )
    floor.foreman = people.actor_for(floor.hire("foreman", name="蒋试管"))
    return floor


def make_agreed(floor: Floor, *codes: str, **values) -> tuple[RepairOrder, list[OrderLine]]:
    """An order without diagnosis whose lines the customer has agreed to."""
    order = make_order(floor.shop, with_diagnosis=False, **values)
    lines = [add_operation(floor.shop, order, code, parts=[]) for code in codes]
    agree_all(floor.shop, order)
    for line in lines:
        line.refresh_from_db()
    order.refresh_from_db()
    return order, lines


def actor(person: Employee) -> Actor:
    return people.actor_for(person)


def work(floor: Floor, line: OrderLine, person: Employee, *, bay: str = "2") -> OrderLine:
    """Dispatches, clocks on, and finishes the line at the moved hour."""
    if not line.dispatches.filter(live=True, technician=person).exists():
        floor.give(line, person, bay)
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    return clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="换新片", by=actor(person))
