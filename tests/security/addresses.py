"""Every address of the pages, from the URL table, and how to ask it without a browser's detours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver, reverse
from django_htmx.middleware import HtmxDetails

from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import Store, User
from tests.test_permissions import ours

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# A parameter beside ``uid`` that names a row of its own, and what else stands in an address.
SECOND = {"mark_uid": "reception.DamageMark", "holding": "staff.PostHolding", "deputyship": "staff.Deputyship"}
PLAIN = {"day": "2026-11-27", "level": "FINAL"}


@dataclass(frozen=True)
class Address:
    name: str
    view: Any
    parameters: tuple[str, ...]

    @property
    def method(self) -> str:
        """GET where the page can be looked at, else POST."""
        known = getattr(self.view, "view_class", None)
        reads = known is None or (hasattr(known, "get") and "get" in known.http_method_names)
        return "GET" if reads else "POST"

    def path(self, uid: UUID | str, second: UUID | str | None = None, **more: Any) -> str:
        return reverse(self.name, kwargs=self.values(uid, second) | more)

    def values(self, uid: UUID | str, second: UUID | str | None = None) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name in self.parameters:
            given[name] = uid if name == "uid" else second if name in SECOND else PLAIN.get(name)
        return {name: value for name, value in given.items() if value is not None}

    @property
    def second(self) -> str | None:
        """The kind of row that the other parameter names."""
        return next((SECOND[name] for name in self.parameters if name in SECOND), None)


def addresses() -> Iterator[Address]:
    for pattern in patterns():
        yield Address(str(pattern.name), pattern.callback, tuple(pattern.pattern.converters))


def patterns() -> Iterator[URLPattern]:
    yield from ours(get_resolver().url_patterns)


def of_rows() -> list[Address]:
    """The addresses of staff that name a row by its uid."""
    return [a for a in addresses() if "uid" in a.parameters and "token" not in a.parameters]


def of_links() -> list[Address]:
    """The addresses behind a customer's token."""
    return [a for a in addresses() if "token" in a.parameters and a.name not in SIGNED]


SIGNED = ("asked-online", "online-booked", "online-move", "online-cancel", "online-wishes")
"""Under a signature of ours rather than a token that was drawn."""


def ask(address: Address, values: dict[str, Any], *, actor: Actor, user: User, store: Store) -> int:
    """The view's own answer, with everything in front of it as a signed-in person finds it."""
    path = reverse(address.name, kwargs=values)
    request: HttpRequest = getattr(RequestFactory(), address.method.lower())(path)
    request.user, request.actor, request.store, request.stores = user, actor, store, [store]  # type: ignore[attr-defined]
    request.session = {}  # type: ignore[assignment]
    request.htmx = HtmxDetails(request)  # type: ignore[attr-defined]
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    try:
        return int(address.view(request, **values).status_code)
    except (Http404, ObjectDoesNotExist):
        return 404
    except NotAllowed:
        return 403
    except RuleError:
        return 422
