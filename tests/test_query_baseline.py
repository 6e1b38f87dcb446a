"""Every list page and every list of the API × how many questions it asks, against ``query_baseline.json``.

The lists are derived: every page without a parameter, every resource and listing of the API. One that is missing from the
table fails, one that asks more than the table says fails, and one that asks more with more rows fails at once: a page's
cost must not grow with the dealership. After a change that is meant:

    WRITE_QUERIES=1 .venv/bin/python -m pytest tests/test_query_baseline.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from dealership.exchange import api
from dealership.exchange.services.imports import read_import, upload_import
from dealership.kernel import limits, navigation
from dealership.kernel.actors import machine
from dealership.kernel.api import auth
from dealership.kernel.api.resources import LISTINGS, RESOURCES
from quality.services.complaints import open_complaint
from tests.factories.api import ApiCaller
from tests.factories.departed import make_departed
from tests.factories.floor import clock_at, make_agreed
from tests.factories.kernel import make_actor
from tests.factories.staff import make_employee
from tests.factories.workshop import make_order, make_received_visit
from tests.test_permissions import MATRIX, method, ours
from workshop.models import OrderLine

TABLE = Path(__file__).with_name("query_baseline.json")
api.load()
PARAMETERS = {"search": "?q=1"}
# Takes a form and shows nothing (a drop also says who would do it); set-up is there on an empty system only, the style
# guide while DEBUG is on.
NO_LISTS = {"language", "plan-drop", "setup", "store-switch", "styleguide", "worker"}


def pages() -> list[str]:
    """Pages that are opened without naming anything."""
    found = []
    for pattern in ours(get_resolver().url_patterns):
        if not pattern.pattern.converters and method(pattern) == "get" and pattern.name not in NO_LISTS:
            found.append(str(pattern.name))
    return found


class Desk:
    """One log-in for each page, and an API client that reads everything unmasked."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.opens = {
            name: row.get("opens", []) + row.get("200", []) for name, row in json.loads(MATRIX.read_text()).items()
        }
        self.people: dict[str, Client] = {}
        rooms = {r.room for r in (*RESOURCES.values(), *LISTINGS.values())}
        scopes = {f"{room}:read" for room in rooms if room != "kernel"} | {
            "personal:read",
            "events:read",
            "kernel:read",
        }
        self.client = ApiCaller(*sorted(scopes), store=store)

    def person(self, page: str) -> Client:
        posts = [post for post in self.opens.get(page, []) if post != "anonymous"]
        post = "manager" if "manager" in posts else posts[0] if posts else "manager"
        if post not in self.people:
            self.people[post] = Client()
            user = make_employee(self.store, post).user
            assert user is not None
            self.people[post].force_login(user)
        return self.people[post]

    def ask(self, name: str) -> int:
        """The status of one list; what it costs is counted around it."""
        if name.startswith("api/"):
            return int(
                self.client.get(
                    f"{name.removeprefix('api/')}{PARAMETERS.get(name.removeprefix('api/'), '')}"
                ).status_code
            )
        return int(self.person(name).get(reverse(name) + PARAMETERS.get(name, "")).status_code)


def lists() -> list[str]:
    return sorted(pages()) + sorted(f"api/{path}" for path in (*RESOURCES, *LISTINGS))


@pytest.fixture
def _nothing_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers for seconds is remembered for the whole test, so that no count depends on the time it took."""
    monkeypatch.setattr(limits, "_CACHE_SECONDS", 1e9)
    monkeypatch.setattr(auth, "TOKEN_SECONDS", 1e9)
    monkeypatch.setattr(navigation, "COUNTS_SECONDS", 1_000_000)
    auth.forget()
    limits.forget()
    cache.clear()


def count(desk: Desk, names: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Questions and status of each list, warm."""
    counts, statuses = {}, {}
    for name in names:
        desk.ask(name)
        with CaptureQueriesContext(connection) as asked:
            statuses[name] = desk.ask(name)
        counts[name] = len(asked)
    return counts, statuses


def more(house: Any, cars: int) -> None:
    for _car in range(cars):
        make_order(house.floor.shop, visit=make_received_visit(house.floor.shop))
        make_agreed(house.floor, "BR-10")
        visit = make_received_visit(house.floor.shop)
        open_complaint(
            customer_uid=visit.customer.uid, description="等得太久", source="PHONE", visit_uid=visit.uid,
            by=machine("tests", store_id=visit.store_id),
        )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.usefixtures("_nothing_forgotten")
def test_every_list_costs_what_the_table_says_however_much_there_is() -> None:
    names = lists()
    assert len(names) > 60
    house, order = make_departed()
    with clock_at(10):
        more(house, 1)
        desk = Desk(order.store)
        PARAMETERS["dispatch-slots"] = f"?labor_operation_uid={OrderLine.objects.latest('pk').uid}"
        for of_a_car in ("statutory-warranty-counters", "maintenance-due", "vehicle-book"):
            PARAMETERS[of_a_car] = f"?vehicle_uid={order.vehicle.uid}"
        manager = make_actor("manager", store=order.store)
        batch = upload_import(content="姓名,手机\n张试驾,13900001234\n".encode(), file_name="客户.csv", by=manager)
        PARAMETERS["import-rows"] = f"?import_uid={read_import(uid=batch.uid).uid}"
        few, statuses = count(desk, names)
        assert {n: s for n, s in statuses.items() if s >= 400} == {}
    for _car in range(1):
        make_departed(house)
    with clock_at(10):
        more(house, 2)
        many, _statuses = count(desk, names)
    if os.environ.get("WRITE_QUERIES"):
        TABLE.write_text(json.dumps(many, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    grown = {name: (few[name], many[name]) for name in names if many[name] > few[name]}
    assert grown == {}, "these ask more the more there is (few, many)"
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    assert sorted(set(names) ^ set(table)) == [], "lists without a line in the table, or lines without a list"
    dearer = {name: (table[name], many[name]) for name in names if many[name] > table[name]}
    assert dearer == {}, "these ask more than the table says (table, now)"
