"""Who does something: a signed-in person, a customer by link, an API client or a machine (never a bare user)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from .errors import NotAllowed

if TYPE_CHECKING:
    from .models import User


class ActorKind(models.TextChoices):
    USER = "USER", _("Person")
    LINK = "LINK", _("Customer by link")
    CLIENT = "CLIENT", _("Other system")
    MACHINE = "MACHINE", _("System")


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting party of one command.

    ``permissions`` hold in every store of ``store_ids``; ``store_ids`` None means every store (machines only).
    A person acts in one store at a time. ``visit_id`` is the one visit a customer's link opens. Clause 1.2.
    """

    kind: ActorKind
    id: str
    permissions: frozenset[str] = frozenset()
    store_ids: frozenset[int] | None = frozenset()
    visit_id: int | None = None
    user: User | None = field(default=None, compare=False, repr=False)
    roles: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """Of a person, held today in the store; what is allowed goes by ``permissions`` alone."""

    def may(self, permission: str) -> bool:
        return self.kind == ActorKind.MACHINE or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises NotAllowed unless the actor has the permission."""
        if not self.may(permission):
            raise NotAllowed(permission)

    def in_store(self, store_id: int) -> bool:
        return self.store_ids is None or store_id in self.store_ids

    @property
    def store_id(self) -> int:
        """The one store this actor acts in; an actor of several stores must name one itself."""
        if self.store_ids is None or len(self.store_ids) != 1:
            raise LookupError("This actor doesn't act in exactly one store.")
        return next(iter(self.store_ids))


def machine(name: str, *, store_id: int | None = None) -> Actor:
    """A background job or the system itself; bound to one store where the job is."""
    return Actor(ActorKind.MACHINE, name, store_ids=None if store_id is None else frozenset({store_id}))


def customer_link(*, visit_id: int, store_id: int, token_id: str) -> Actor:
    """The customer who holds the link of one visit (1.3)."""
    return Actor(ActorKind.LINK, token_id, store_ids=frozenset({store_id}), visit_id=visit_id)
