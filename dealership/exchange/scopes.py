"""Scopes of API clients (7.3): a room's reading, a room's writing, personal data, the feed, or one permission.

``reception:read`` gives what reading the room's resources needs, ``reception:write`` also what its commands need, and
a permission's own code (``workshop.orders.open``) gives just that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from oauth2_provider.scopes import BaseScopes

from dealership.kernel.api.resources import LISTINGS, RESOURCES, Resource, codes
from dealership.kernel.permissions import EVENTS_READ, PERSONAL_READ
from dealership.kernel.registry import PERMISSIONS

PERSONAL, EVENTS = "personal:read", "events:read"


def _needed(resource: Resource, *, write: bool) -> set[str]:
    needed = set(codes(resource.view))
    if write:
        commands = [resource.create, resource.update, *resource.actions]
        needed |= {code for command in commands if command for code in command.permissions}
    return needed


def table() -> dict[str, frozenset[str]]:
    """Every scope with the permissions it gives."""
    made: dict[str, set[str]] = {PERSONAL: {PERSONAL_READ}, EVENTS: {EVENTS_READ}}
    for resource in RESOURCES.values():
        made.setdefault(f"{resource.room}:read", set()).update(_needed(resource, write=False))
        made.setdefault(f"{resource.room}:write", set()).update(_needed(resource, write=True))
    for listing in LISTINGS.values():
        if listing.view and listing.view != EVENTS_READ:
            for kind in ("read", "write"):
                made.setdefault(f"{listing.room}:{kind}", set()).add(listing.view)
    made |= {code: {code} for code in PERMISSIONS}
    return {scope: frozenset(codes) for scope, codes in made.items()}


@cache
def giving(permission: str) -> str:
    """The scope to ask for where a permission is missing: of a room, reading before writing, else its own code."""
    rooms = [scope for scope, held in table().items() if permission in held and scope != permission]
    return min(rooms, key=lambda scope: (not scope.endswith(":read"), scope), default=permission)


def permissions_of(scopes: Iterable[str]) -> frozenset[str]:
    known = table()
    return frozenset().union(*(known.get(scope, frozenset()) for scope in scopes))


def with_implied(scopes: Iterable[str]) -> set[str]:
    """Who may write a room's resources may ask for a token that only reads them."""
    given = set(scopes)
    return given | {f"{scope.removesuffix(':write')}:read" for scope in given if scope.endswith(":write")}


def sentences() -> dict[str, Any]:
    """The scopes of rooms and their sentences, for the description of the API."""
    made: dict[str, Any] = {
        PERSONAL: PERMISSIONS[PERSONAL_READ],
        EVENTS: PERMISSIONS[EVENTS_READ],
    }
    for resource in RESOURCES.values():
        made[f"{resource.room}:read"] = _("Read what this chapter keeps.")
        made[f"{resource.room}:write"] = _("Read, and carry out this chapter's commands.")
    return made


class ClientScopes(BaseScopes):
    """What a token may ask for: the scopes of its client, all of them unless it asks for fewer."""

    def get_all_scopes(self) -> dict[str, str]:
        said = sentences()
        return {scope: str(said.get(scope) or PERMISSIONS.get(scope, scope)) for scope in table()}

    def get_available_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any):
        client = getattr(application, "api_client", None)
        return sorted(with_implied(client.scopes)) if client is not None and client.active else []

    def get_default_scopes(self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any):
        client = getattr(application, "api_client", None)
        return list(client.scopes) if client is not None and client.active else []
