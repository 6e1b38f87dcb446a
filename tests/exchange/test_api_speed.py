"""What makes the API quick, and that nothing is lost by it: the client's own road, leases, prepared reads, kept connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dealership.exchange.services.clients import withdraw_api_client
from dealership.kernel.actors import machine
from dealership.kernel.api import auth, ratelimit
from dealership.kernel.api.problems import Problem
from dealership.kernel.models import Store
from tests.factories.api import ApiCaller
from tests.factories.kernel import make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, make_vin

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(store: Store) -> ApiCaller:
    return ApiCaller("reception:write", store=store)


def test_a_client_asks_no_question_but_its_own(store: Store) -> None:
    """No session, no log-in, no look at the token within its seconds: one prepared statement reads the list."""
    office = ApiCaller("workshop:read", store=store)
    office.get("repair-orders")
    with CaptureQueriesContext(connection) as asked:
        assert office.get("repair-orders").json()["data"] == []
    assert [q["sql"].split()[0] for q in asked.captured_queries] == ["EXECUTE"]


def test_the_headers_of_security_stand_on_every_road(desk: ApiCaller, store: Store) -> None:
    browser = Client()
    browser.force_login(make_user("advisor", store=store))
    for answer in (desk.get("customers"), browser.get("/api/v1/customers")):
        assert answer.status_code == 200
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "frame-ancestors" in answer["Content-Security-Policy"]
        assert int(answer["Content-Length"]) == len(answer.content)


def test_a_strange_host_is_refused_on_the_clients_road(desk: ApiCaller) -> None:
    answer = desk.get("customers", Host="evil.example")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_bearer_token_opens_no_page(desk: ApiCaller) -> None:
    assert desk.get("/customers/").status_code == 302
    assert desk.get("/api/v1/docs").status_code in (200, 302)


def test_a_withdrawn_client_ends_within_the_stated_seconds(desk: ApiCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    assert auth.TOKEN_SECONDS == 10.0
    assert desk.get("customers").status_code == 200
    now = auth.time.monotonic()
    withdraw_api_client(uid=desk.credentials.client.uid, by=machine("tests"))
    monkeypatch.setattr(auth.time, "monotonic", lambda: now + auth.TOKEN_SECONDS + 0.1)
    assert desk.get("customers").status_code == 401


def caller(per_minute: int) -> auth.Caller:
    return auth.Caller(machine("tests"), f"client:lease-{per_minute}", per_minute)


@pytest.mark.parametrize("allowed", [1, 7, 250, 600])
def test_leases_never_give_more_than_the_allowance(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes take leases from the same count; what both give together is the allowance at most."""
    cache.clear()
    monkeypatch.setattr(ratelimit.time, "time", lambda: 1_700_000_000.0)
    given = 0
    processes: list[dict[str, tuple[int, int]]] = [{}, {}]
    for turn in range(3 * allowed):
        monkeypatch.setattr(ratelimit, "_leases", processes[turn % 2])
        with suppress(Problem):
            ratelimit.count(caller(allowed))
            given += 1
    assert given == allowed


def test_a_prepared_read_knows_stores_and_masks_like_any_other(desk: ApiCaller, store: Store) -> None:
    """One item and the list by the prepared statement are what the list by the queryset says."""
    customer = make_customer(name="单小红", phone="13900004321")
    plain = desk.get("customers?kind=PERSON").json()["data"]
    assert desk.get("customers").json()["data"] == plain
    assert desk.get(f"customers/{customer.uid}").json() == plain[0]
    assert "13900004321" not in desk.get("customers").content.decode()


def test_a_kept_connection_that_died_is_seen_without_a_question(transactional_db: None) -> None:
    connection.ensure_connection()
    with CaptureQueriesContext(connection) as asked:
        assert connection.is_usable()
    assert len(asked) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()
    assert not connection.is_usable()
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_each_connection_prepares_for_itself(transactional_db: None) -> None:
    """Another thread has its own connection; one that was closed is a new one."""
    caller = ApiCaller("reception:read", store=make_store())

    def status() -> int:
        try:
            return caller.get("customers").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        asked = [first.submit(status), second.submit(status), first.submit(status)]
        assert [answer.result() for answer in asked] == [200, 200, 200]


def test_the_search_box_over_the_api(desk: ApiCaller) -> None:
    owner = make_customer(name="单小红", phone="13900004321")
    car = make_vehicle(plate="京A8K012", vin=make_vin(123456), owner_uid=owner.uid)
    for typed in ("8K012", make_vin(123456)[-8:]):
        (hit,) = desk.get(f"search?q={typed}").json()["data"]
        assert (hit["kind"], hit["uid"], hit["plate"]) == ("vehicle", str(car.uid), "京A8K012")
    for typed in ("4321", "sxh", "shanxiaohong"):
        (hit,) = desk.get(f"search?q={typed}").json()["data"]
        assert (hit["kind"], hit["uid"]) == ("customer", str(owner.uid))
        assert "13900004321" not in str(hit)
        assert "单小红" not in str(hit)
    assert desk.get("search?q=nothing").json() == {"data": [], "has_more": False, "next_cursor": None}
