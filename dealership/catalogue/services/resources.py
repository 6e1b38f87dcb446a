"""What can be in one place only: bays, people at work, special tools, loan cars (2.4)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import BayCapability, Reservation, Resource, ResourceKind, ToolKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from staff.models import Employee


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
) -> Resource:
    """Adds a bay, person, tool or loan car to a store; a person is always an employee of it.

    ``name_en`` is its name on English pages; empty: the Chinese one there as well.

    Raises RuleError for an unknown kind or capability, a code that is taken, and a person who is none.
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
