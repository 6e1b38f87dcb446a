"""What stands behind each door, for each post that may enter, with real rows: it answers, and never fails.

The doors themselves are ``tests/test_permissions.py``; here the whole page runs for each of the posts that its table
names. A form is shown, a button that needs a form's fields answers with a refusal; neither may be a 500.
"""

from __future__ import annotations

import json

import pytest
from django.db import connection, transaction
from django.test import Client

from dealership.kernel import registry
from dealership.kernel.models import User
from tests.test_permissions import MATRIX, NOBODY, method

from .real_rows import addresses, real_addresses, who_may_open

pytestmark = pytest.mark.django_db
ANSWERS = {200, 302, 400, 403, 404, 409, 422}
"""What a page may answer; a POST without its form's fields is refused."""
ROW_IN_THE_FORM = {"order-campaign", "system-retry"}
"""Buttons that name their row in the form instead of in the address: without it, it isn't found."""
OF_ONES_OWN = {"call-answer"}
"""Steps that a post may take on its own rows alone: 403 is the command's answer for another person's."""
LEADS_ON = {"old-part-scan", "stock-scan"}
"""Addresses that are no page but lead to one: the page that they lead to opens for the same post."""


@pytest.fixture
def clients(db: None) -> dict[str, Client]:
    found = {NOBODY: Client(raise_request_exception=False)}
    for post in registry.ROLE_LABELS:
        found[post] = Client(raise_request_exception=False)
        found[post].force_login(User.objects.get(username=post))
    return found


def ask(client: Client, verb: str, path: str, *, follow: bool = False) -> int:
    """The status; what the request wrote is taken back."""
    with transaction.atomic():
        status = getattr(client, verb)(path, follow=follow).status_code
        transaction.set_rollback(True)
    return int(status)


def test_every_page_opens_for_every_post_that_may_open_it(clients: dict[str, Client]) -> None:
    table = json.loads(MATRIX.read_text(encoding="utf-8"))
    without_row, failing, closed, asked = [], {}, {}, 0
    for route, pattern in addresses():
        row = table.get(str(pattern.name))
        if row is None:
            continue
        paths, verb = real_addresses(route, pattern), method(pattern)
        if not paths:
            without_row.append(pattern.name)
            continue
        posts = who_may_open(str(pattern.name), row)
        good: str | None = None
        for who in posts:
            statuses = {}
            for path in [good, *paths] if good else paths:
                asked += 1
                statuses[path] = status = ask(clients[who], verb, path, follow=pattern.name in LEADS_ON)
                if status >= 500 or status not in ANSWERS:
                    failing[f"{who}: {verb} {path}"] = status
                refused = (302, 404, 422) if pattern.name in ROW_IN_THE_FORM else (302, 422)
                refused += (403,) if pattern.name in OF_ONES_OWN else ()
                if status == 200 or (verb == "post" and status in refused):
                    good = path
                    break
            else:
                closed.setdefault(str(pattern.name), []).append((who, sorted(set(statuses.values()))))
    assert failing == {}
    assert without_row == [], "the simulated shop has no row for these: make one in conftest.py"
    assert closed == {}
    assert asked > 900
    assert connection.in_atomic_block
