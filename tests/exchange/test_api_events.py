"""The feed of events loses nothing, not even what commits late (1.1)."""

from __future__ import annotations

import contextlib
import threading

import psycopg2
import pytest
from django.db import connection, connections, transaction

from dealership.kernel.actors import machine
from dealership.kernel.api.feed import resources_by_type
from tests.exchange.conftest import all_served
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_store
from tests.factories.reception import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reader(store) -> ApiCaller:
    return ApiCaller("events:read", store=store)


def _all(reader: ApiCaller, after: str = "", limit: int = 2) -> tuple[list[dict], str]:
    found = []
    while True:
        said = reader.get(f"events?limit={limit}" + (f"&after={after}" if after else "")).json()
        found += said["data"]
        after = said["next_cursor"] or after
        if not said["has_more"]:
            return found, after


def test_every_event_once_in_order(reader) -> None:
    made = [str(make_customer(by=machine("tests")).uid) for _ in range(5)]
    all_served()
    events, cursor = _all(reader)
    assert [e["root_uid"] for e in events if e["type"] == "reception.customer.registered"] == made
    assert len({e["id"] for e in events}) == len(events)
    assert _all(reader, cursor) == ([], cursor)
    later = str(make_customer().uid)
    all_served()
    assert [e["root_uid"] for e in _all(reader, cursor)[0]] == [later]


def test_an_event_names_the_resource_to_read(reader, store) -> None:
    desk = ApiCaller("reception:write", store=store)
    body = {"contact_name": "张试驾", "contact_phone": "13800001111", "model_text": "途远", "need": "异响"}
    visit = desk.post("visits", {**body, "plate": "京A12345"}).json()
    all_served()
    events, _cursor = _all(reader, limit=100)
    (arrived,) = [e for e in events if e["type"] == "reception.visit.arrived"]
    assert (arrived["resource"], arrived["root_uid"]) == ("visits", visit["uid"])
    assert desk.get(f"{arrived['resource']}/{arrived['root_uid']}").status_code == 200
    named = {e["root_type"]: e["resource"] for e in events}
    assert named["apiclient"] is None
    of_type = resources_by_type()
    assert (of_type["orderline"], of_type["handover"], of_type["archiverecord"], of_type["resource"]) == (
        "labor-operations",
        "deliveries",
        "archives",
        None,
    )


def test_a_cursor_of_another_installation_is_refused(reader) -> None:
    """A mirror that waits at a place which this database hasn't reached would stand still for ever."""
    _events, cursor = _all(reader)
    assert reader.get(f"events?after={cursor}").status_code == 200
    txid, line = cursor.split("-")
    said = problem(reader.get(f"events?after={int(txid) + 10**9}-{line}"), 400, "validation")
    assert said["errors"][0]["pointer"] == "?after"


def test_late_commit_is_not_lost(reader) -> None:
    """A transaction takes its number, another one commits after it first: by plain id the slow one would be lost."""
    wrote, go = threading.Event(), threading.Event()
    slow: list[str] = []

    def late() -> None:
        try:
            with transaction.atomic():
                slow.append(str(make_customer().uid))
                wrote.set()
                go.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=late)
    all_served()
    _before, cursor = _all(reader)
    thread.start()
    assert wrote.wait(20)
    quick = str(make_customer().uid)
    seen, cursor = _all(reader, cursor)
    assert seen == []  # the quick one waits behind the slow one
    go.set()
    thread.join()
    all_served()
    seen, _cursor = _all(reader, cursor)
    assert [e["root_uid"] for e in seen] == [slow[0], quick]


def test_another_database_of_the_server_holds_nothing_back(reader) -> None:
    """Its transactions stand in every snapshot of the server, but can't write here."""
    settings = connection.settings_dict
    elsewhere = psycopg2.connect(
        dbname="postgres",
        user=settings["USER"],
        password=settings["PASSWORD"],
        host=settings["HOST"],
        port=settings["PORT"],
    )
    with contextlib.closing(elsewhere), elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        open_since = cursor.fetchone()[0]
        uid = str(make_customer().uid)
        with connection.cursor() as ours:
            ours.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            assert ours.fetchone()[0] <= open_since
        assert [e["root_uid"] for e in _all(reader)[0]][-1:] == [uid]


def test_events_of_other_stores_stay_there(reader) -> None:
    from dealership.kernel.services import queue_message

    other = make_store()
    queue_message(key="k", store=other, channel="SMS", recipient="1", template="t", body="b", by=machine("tests"))
    all_served()
    assert [e for e in _all(reader)[0] if e["type"] == "kernel.message.queued"] == []
    seen, _cursor = _all(ApiCaller("events:read", store=other))
    assert [e["store_code"] for e in seen if e["type"] == "kernel.message.queued"] == [other.code]


def test_needs_its_scope_and_a_cursor_of_its_own(reader, store) -> None:
    problem(ApiCaller("reception:read", store=store).get("events"), 403, "permission")
    problem(reader.get("events?after=x"), 400, "validation")
    problem(reader.post("events", {}), 405, "method")
