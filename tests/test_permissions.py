"""Every address × every post → the answer, compared with the committed table ``permission_matrix.json``.

An address that is missing from the table fails, so nobody adds a page without saying who may open it. After a change
that is meant, write the table again and read the difference before committing it:

    WRITE_PERMISSIONS=1 .venv/bin/python -m pytest tests/test_permissions.py

Each request goes through the whole stack up to the page's own door: ``opens`` means that the door let the person in,
403 that it didn't, 302 that a stranger was sent to the sign-in. What stands behind the door is run once per address,
for the first who may enter, and must not fail; the pages' own tests look at it. Chapter 1.2, 7.1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.views.generic import View

from dealership.kernel import middleware, registry
from tests.factories.staff import make_employee, make_store

MATRIX = Path(__file__).with_name("permission_matrix.json")
NOBODY = "anonymous"
VALUES = {"key": "delivery.callback_day", "day": "2026-01-05", "code": "BJ01", "store_code": "BJ01"}
# Bearer tokens and scopes open the API, not posts: tests/api ask every resource with and without them. Health looks at
# nobody: tests/exchange ask it.
NOT_BY_POST = (
    "dealership.kernel.api",
    "dealership.exchange.views.api_docs",
    "dealership.exchange.views.health",
    "dealership.exchange.views.metrics",
)
# What anybody may open without signing in: the customer's link (the token is the key), booking, the page's language, the
# plan on a screen on the wall (the address is the key), the script that shows kept pages without a network.
PUBLIC = {
    "ask-online",
    "asked-online",
    "calendar-feed",
    "kiosk",
    "language",
    "link-settlement",
    "link-settlement-pdf",
    "link-book",
    "link-book-pdf",
    "link-file",
    "link-file-pdf",
    "link-file-json",
    "link-survey",
    "online-booked",
    "online-booking",
    "online-cancel",
    "online-move",
    "online-waiting",
    "online-wishes",
    "slot-offer",
    "setup",  # not there once anybody can sign in
    "visit-link",
    "visit-link-certificate-pdf",
    "visit-link-contract",
    "visit-link-consent",
    "visit-link-change",
    "visit-link-decide",
    "visit-link-difference",
    "visit-link-dispute",
    "visit-link-line-photo",
    "visit-link-parts",
    "visit-link-photo",
    "visit-link-privacy",
    "visit-link-rate",
    "visit-link-rating-words",
    "visit-link-sheet-photo",
    "visit-link-total",
    "visit-link-walkaround",
    "visit-link-wishes",
    "wall",
    "worker",
}


def ours(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from ours(pattern.url_patterns)
            continue
        module = getattr(pattern.callback, "view_class", pattern.callback).__module__
        if module.split(".")[0] in registry.OUR_PACKAGES and not module.startswith(NOT_BY_POST):
            yield pattern


def address(pattern: URLPattern) -> str:
    values = {}
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__
        stand_in = UUID(int=0) if kind == "UUIDConverter" else 1 if kind == "IntConverter" else "x"
        values[name] = VALUES.get(name, stand_in)
    return reverse(pattern.name, kwargs=values)


def method(pattern: URLPattern) -> str:
    view = getattr(pattern.callback, "view_class", None)
    return "get" if view is None or (hasattr(view, "get") and "get" in view.http_method_names) else "post"


class Doors:
    """Stops each request behind the door: what the page would do is left out while ``shut`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shut, self.entered = True, False
        go_on = View.dispatch

        def dispatch(view: View, request: Any, *args: Any, **kwargs: Any) -> Any:
            self.entered = True
            return HttpResponse() if self.shut else go_on(view, request, *args, **kwargs)

        monkeypatch.setattr(View, "dispatch", dispatch)
        # The refusal's page with its rail is drawn in other tests; here its status is enough and two thousand times quicker.
        monkeypatch.setattr(middleware, "render", lambda *_args, status=200, **_given: HttpResponse(status=status))

    def ask(self, client: Client, pattern: URLPattern, *, shut: bool) -> tuple[str, int]:
        """What the door says, and the status; whatever the request wrote is taken back."""
        self.shut, self.entered = shut, False
        with transaction.atomic():
            answer = getattr(client, method(pattern))(address(pattern))
            transaction.set_rollback(True)
        return ("opens" if self.entered else str(answer.status_code)), answer.status_code


@pytest.fixture
def clients(db: None) -> dict[str, Client]:
    store = make_store()
    found = {NOBODY: Client(raise_request_exception=False)}
    for post in registry.ROLE_LABELS:
        client = found[post] = Client(raise_request_exception=False)
        user = make_employee(store, post).user
        assert user is not None
        client.force_login(user)
    return found


def test_every_address_has_a_name_of_its_own() -> None:
    patterns = list(ours(get_resolver().url_patterns))
    assert len(patterns) > 30
    assert [str(p.pattern) for p in patterns if not p.name] == []
    names = [p.name for p in patterns]
    assert sorted(n for n in set(names) if names.count(n) > 1) == []


def test_every_post_gets_what_the_table_says(clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch) -> None:
    doors = Doors(monkeypatch)
    found: dict[str, dict[str, list[str]]] = {}
    failing = {}
    for pattern in ours(get_resolver().url_patterns):
        row = found[str(pattern.name)] = {}
        for who, client in clients.items():
            said, _status = doors.ask(client, pattern, shut=True)
            row.setdefault(said, []).append(who)
        inside = row.get("opens", row.get("200", []))
        if inside:
            _said, status = doors.ask(clients[inside[-1]], pattern, shut=False)
            if status >= 500:
                failing[pattern.name] = status
    assert failing == {}, "these addresses fail instead of answering"
    if os.environ.get("WRITE_PERMISSIONS"):
        lines = [f"  {json.dumps(name)}: {json.dumps(found[name], sort_keys=True)}" for name in sorted(found)]
        MATRIX.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    table = json.loads(MATRIX.read_text(encoding="utf-8"))
    assert sorted(set(found) - set(table)) == [], "not in the table: say who may open these"
    assert sorted(set(table) - set(found)) == [], "in the table, but no longer an address"
    wrong = {name: {"table": table[name], "answer": row} for name, row in found.items() if table[name] != row}
    assert wrong == {}


def test_a_stranger_opens_only_what_is_public() -> None:
    """A page that anybody may open is named in PUBLIC and nowhere else; all others send strangers to the sign-in."""
    table = json.loads(MATRIX.read_text(encoding="utf-8"))
    opened = {name for name, row in table.items() if NOBODY not in row.get("302", []) + row.get("403", [])}
    assert opened == PUBLIC
