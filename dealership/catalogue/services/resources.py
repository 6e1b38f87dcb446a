"""What can be in one place only: bays, people at work, special tools, loan cars (2.4)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import BayCapability, Resource, ResourceKind
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
) -> Resource:
    """Adds a bay, person, tool or loan car to a store; a person is always an employee of it.

    Raises RuleError for an unknown kind or capability, a code that is taken, and a person who is none.
    """
    by.require(permissions.RESOURCES_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist
    if kind not in ResourceKind.values or (capability and capability not in BayCapability.values):
        raise RuleError("resource.kind", _("There is no such kind of resource."), field="kind")
    if kind == ResourceKind.BAY and not capability:
        raise RuleError("resource.capability", _("Say what the bay can do."), field="capability")
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
        capability=capability,
        employee=employee,
        position=position,
    )
    record(resource, events.RESOURCE_ADDED, by=by, kind=kind, capability=capability or None)
    return resource
