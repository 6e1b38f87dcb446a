"""What every page's shell shows: the rail, the person, the store, the bell. Worked out only when a page asks for it."""

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from dealership.kernel import clock, navigation
from dealership.kernel.permissions import MESSAGES_OWN, MESSAGES_VIEW

PHONE_ENTRIES = 4
"""Entries in the bar of a phone; the fifth place is the one that opens all of them."""


class Shell:
    """Lazy facts of the frame around a page; a page without a rail costs nothing here."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.actor: Any = getattr(request, "actor", None)
        self.store: Any = getattr(request, "store", None)
        self.stores: list[Any] = getattr(request, "stores", [])
        self.version = settings.VERSION
        self.demo = settings.DEMO
        self.demo_clock = bool(settings.DEMO_CLOCK)

    @property
    def signed_in(self) -> bool:
        user = getattr(self._request, "user", None)
        return bool(user and user.is_authenticated)

    @property
    def layout(self) -> str:
        """The frame for a page that both a signed-in person and a stranger may meet, such as 404."""
        return "base.html" if self.signed_in else "base_entrance.html"

    @cached_property
    def groups(self) -> list[navigation.Group]:
        if not self.signed_in:
            return []
        store = getattr(self.store, "pk", None)
        user = getattr(self._request, "user", None)
        who = f"{getattr(user, 'pk', None)}:{store}"
        return navigation.groups_for(self.actor, path=self._request.path, who=who)

    @cached_property
    def phone_entries(self) -> list[navigation.Shown]:
        every = [entry for group in self.groups for entry in group.entries]
        return sorted(every, key=lambda entry: (not entry.starts, not entry.phone))[:PHONE_ENTRIES]

    @cached_property
    def bell(self) -> int:
        return sum(count(self.actor) for count in navigation.bell_counts) if self.actor else 0

    @cached_property
    def post(self) -> str:
        return next((name for say in navigation.post_names if (name := say(self.actor))), "") if self.actor else ""

    @property
    def search_url(self) -> str | None:
        return navigation.resolve("search")

    @property
    def messages_url(self) -> str | None:
        may = self.actor is not None and (self.actor.may(MESSAGES_VIEW) or self.actor.may(MESSAGES_OWN))
        return navigation.resolve("messages") if may else None

    @property
    def now(self) -> Any:
        return clock.written_now()

    @property
    def here(self) -> str:
        return self._request.get_full_path()


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell(request)}
