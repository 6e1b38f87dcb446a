"""What can be in one place only: bays, people at work, special tools, loan cars (2.4)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions, rules
from dealership.catalogue.models import (
    BayCapability,
    Reservation,
    ReservationPurpose,
    Resource,
    ResourceKind,
    ToolKind,
)
from dealership.catalogue.rules import MOST_CARS
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.saying import say_time
from staff.models import Employee

PLATE = 12
"""Signs of a plate at most."""


@transaction.atomic
def add_resource(
    *,
    store: Store,
    kind: str,
    code: str,
    name: str,
    by: Actor,
    capability: str = "",
    employee_uid: UUID | None = None,
    position: int = 0,
    tool: str = "",
    name_en: str = "",
    capacity: int = 1,
    plate: str = "",
) -> Resource:
    """Adds a bay, person, tool or loan car to a store; a person is always an employee of it.

    ``name_en`` is its name on English pages; empty: the Chinese one there as well. ``capacity`` is how many cars a bay
    takes at once, ``plate`` the one of a loan car (2.4).

    Raises RuleError for an unknown kind or capability, a code that is taken, a capacity out of reach, and a person who
    is none.
    """
    by.require(permissions.RESOURCES_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist
    if kind not in ResourceKind.values or (capability and capability not in BayCapability.values):
        raise RuleError("resource.kind", _("There is no such kind of resource."), field="kind")
    if kind == ResourceKind.BAY and not capability:
        raise RuleError("resource.capability", _("Say what the bay can do."), field="capability")
    if capability and kind != ResourceKind.BAY:
        raise RuleError("resource.capability", _("Only a bay has something it can do."), field="capability")
    if tool not in ("", *ToolKind.values) or (tool and kind != ResourceKind.TOOL):
        raise RuleError("resource.tool", _("Only a special tool is of a kind of tool."), field="tool")
    if not 1 <= capacity <= MOST_CARS or (capacity > 1 and kind != ResourceKind.BAY):
        raise _no_such_capacity()
    sign = formats.normalise_plate(plate)
    if sign and kind != ResourceKind.LOAN_CAR:
        raise RuleError("resource.plate", _("Only a loan car has a plate here."), field="plate")
    if len(sign) > PLATE:
        raise _no_such_plate()
    if Resource.objects.filter(store=store, kind=kind, code=code).exists():
        raise RuleError("resource.code", _("The store has a resource with this code."), field="code")
    employee = Employee.objects.filter(uid=employee_uid, store=store).first() if employee_uid else None
    if (kind == ResourceKind.PERSON) != (employee is not None):
        raise RuleError("resource.person", _("A person in the plan is an employee of the store."), field="employee_uid")
    resource = Resource.objects.create(
        store=store,
        kind=kind,
        code=code,
        name=name.strip(),
        name_en=name_en.strip()[:60],
        capability=capability,
        tool=tool,
        employee=employee,
        position=position,
        capacity=capacity,
        plate=sign,
    )
    record(resource, events.RESOURCE_ADDED, by=by, kind=kind, capability=capability or None)
    return resource


@transaction.atomic
def switch_resource(*, uid: UUID, active: bool, by: Actor) -> Resource:
    """Takes a bay, tool or loan car out of use or brings it back (2.4); people come and go with their employment.

    Raises RuleError "resource.planned" where time ahead is still planned in it, "resource.same" where it stands so.
    """
    by.require(permissions.RESOURCES_MANAGE)
    resource = Resource.objects.for_actor(by).exclude(kind=ResourceKind.PERSON).locked().get(uid=uid)
    if resource.active == active:
        raise RuleError("resource.same", _("Somebody has already changed this; look again."))
    ahead = Reservation.objects.filter(resource=resource, live=True, period__endswith__gt=clock.now())
    if not active and ahead.exists():
        raise RuleError(
            "resource.planned",
            _("Work is still planned in “%(name)s”; move it on the plan first."),
            name=resource.said,
        )
    resource.active = active
    resource.save(update_fields=["active"])
    record(resource, events.RESOURCE_SWITCHED, by=by, changed={"active": (not active, active)}, kind=resource.kind)
    return resource


@transaction.atomic
def set_capacity(*, uid: UUID, capacity: int, by: Actor) -> Resource:
    """Says how many cars a bay takes at once, 1 to 9; plans from now on are counted by it (2.4).

    Raises RuleError "resource.capacity" outside these, "resource.same" where it stands so, "resource.crowded" where more
    cars are planned at one time already.
    """
    by.require(permissions.RESOURCES_MANAGE)
    bay = Resource.objects.for_actor(by).filter(kind=ResourceKind.BAY).locked().select_related("store").get(uid=uid)
    if not 1 <= capacity <= MOST_CARS:
        raise _no_such_capacity()
    if bay.capacity == capacity:
        raise RuleError("resource.same", _("Somebody has already changed this; look again."))
    ahead = list(Reservation.objects.filter(resource=bay, live=True, period__endswith__gt=clock.now()))
    cars = [row for row in ahead if row.purpose != ReservationPurpose.BLOCKED]
    too_many = rules.crowded([(row.period.lower, row.period.upper) for row in cars], capacity + 1)
    if too_many:
        raise RuleError(
            "resource.crowded",
            _("From %(time)s on more cars are planned in “%(name)s” at once; move them on the plan first."),
            field="capacity",
            time=say_time(max(too_many[0][0], clock.now()), now=clock.now()),
            name=bay.said,
        )
    before, bay.capacity = bay.capacity, capacity
    bay.save(update_fields=["capacity"])
    Reservation.objects.filter(pk__in=[row.pk for row in ahead]).update(shared=capacity > 1)
    record(bay, events.RESOURCE_CAPACITY_SET, by=by, changed={"capacity": (before, capacity)})
    return bay


@transaction.atomic
def set_plate(*, uid: UUID, plate: str, by: Actor) -> Resource:
    """Writes down the plate of a loan car, by which its customers and the record of a repair name it (2.1.2).

    Raises RuleError "resource.plate" for none or one that is too long, "resource.same" where it stands so.
    """
    by.require(permissions.RESOURCES_MANAGE)
    car = Resource.objects.for_actor(by).filter(kind=ResourceKind.LOAN_CAR).locked().get(uid=uid)
    sign = formats.normalise_plate(plate)
    if not sign or len(sign) > PLATE:
        raise _no_such_plate()
    if car.plate == sign:
        raise RuleError("resource.same", _("Somebody has already changed this; look again."))
    car.plate = sign
    car.save(update_fields=["plate"])
    record(car, events.RESOURCE_PLATE_SET, by=by, kind=car.kind)
    return car


def _no_such_plate() -> RuleError:
    return RuleError("resource.plate", _("Write the plate of the loan car, 12 signs at most."), field="plate")


def _no_such_capacity() -> RuleError:
    return RuleError("resource.capacity", _("Only a bay takes several cars, nine at most."), field="capacity")


@transaction.atomic
def set_efficiency(*, uid: UUID, efficiency: int, by: Actor) -> Resource:
    """Says how many standard minutes a person does in 100 minutes of presence, 10 to 200; booking counts by it (2.4).

    Raises RuleError "resource.efficiency" outside these, "resource.same" where it stands so.
    """
    by.require(permissions.RESOURCES_MANAGE)
    resource = Resource.objects.for_actor(by).filter(kind=ResourceKind.PERSON).locked().get(uid=uid)
    if not 10 <= efficiency <= 200:
        raise RuleError(
            "resource.efficiency", _("A person's efficiency lies between 10 and 200 %."), field="efficiency"
        )
    if resource.efficiency == efficiency:
        raise RuleError("resource.same", _("Somebody has already changed this; look again."))
    before, resource.efficiency = resource.efficiency, efficiency
    resource.save(update_fields=["efficiency"])
    record(resource, events.RESOURCE_EFFICIENCY_SET, by=by, changed={"efficiency": (before, efficiency)})
    return resource
