"""Imports over the API (7.2): the same services as page and command, with preview, progress and undo."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from dealership.exchange.models import ImportBatch
from dealership.exchange.selectors.integration import EXAMPLES
from dealership.exchange.services import imports
from dealership.exchange.tasks import work_import
from dealership.kernel.models import History, Store
from reception.models import Customer, Ownership, Vehicle
from tests.factories.api import ApiCaller, make_credentials, problem
from tests.factories.kernel import make_store, make_user
from tests.factories.reception import make_customer, make_vehicle

TABLE = """车牌,车型,姓名,电话
京A10001,途远 2.0T,张试驾,13800001111
京A10002,途远 2.0T,李试驾,13800002222
京A10003,途远 2.0T,王试驾,
京A10004,途远 2.0T,赵试驾,13800004444
"""


@pytest.fixture
def clerk(store: Store) -> ApiCaller:
    return ApiCaller("exchange:write", store=store)


def body(table: str | bytes = TABLE, name: str = "客户.csv") -> dict[str, str]:
    content = table if isinstance(table, bytes) else table.encode()
    return {"file_name": name, "content": base64.b64encode(content).decode()}


def ok(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


def work() -> None:
    """What the workers do with every import that waits."""
    for uid in ImportBatch.objects.values_list("uid", flat=True):
        work_import(str(uid))


@pytest.mark.django_db(transaction=True)
class TestImports:
    def test_from_the_file_to_the_undo(self, clerk: ApiCaller, store: Store) -> None:
        other = make_customer(name="钱试驾", phone="13800009999")
        make_vehicle(plate="京A10004", owner_uid=other.uid)
        made = ok(clerk.post("imports", body()), 201)
        assert (made["state"], made["total"], made["transitions"]) == ("READING", 0, [])
        path = f"imports/{made['uid']}"
        work()
        seen = ok(clerk.get(path))
        assert (seen["state"], seen["total"], seen["done"]) == ("PREVIEW", 4, 0)
        assert seen["counts"] == {"CREATE": 2, "MATCH": 0, "UPDATE": 0, "REFUSE": 2}
        assert seen["will"] == {"customers": 2, "vehicles": 2, "ownerships": 2, "added": 0}
        assert seen["transitions"] == ["confirm", "discard"]
        assert (Customer.objects.count(), Vehicle.objects.count()) == (1, 1)

        rows = f"import-rows?import_uid={made['uid']}"
        first = ok(clerk.get(f"{rows}&limit=3"))
        assert [row["number"] for row in first["data"]] == [2, 3, 4]
        assert (first["data"][0]["name"], first["data"][0]["phone"]) == ("张**", "138****1111")
        (rest,) = ok(clerk.get(f"{rows}&limit=3&cursor={first['next_cursor']}"))["data"]
        assert rest["number"] == 5
        refused = ok(clerk.get(f"{rows}&verdict=REFUSE", Accept_Language="en"))["data"]
        assert [(row["number"], row["notes"][0]["code"]) for row in refused] == [
            (4, "customer.reachable"),
            (5, "vehicle.other_owner"),
        ]
        assert refused[0]["notes"][0]["text"] == "A name without a telephone number."
        assert refused[1]["notes"][0]["text"] == "The vehicle belongs to 钱**."

        confirmed = ok(clerk.act(path, "confirm"))
        assert (confirmed["state"], confirmed["transitions"]) == ("WRITING", [])
        problem(clerk.act(path, "confirm"), 409, "state.move")
        work()
        written = ok(clerk.get(path))
        assert (written["state"], written["done"], written["transitions"]) == ("DONE", 4, ["undo"])
        assert written["written"] == {"customers": 2, "vehicles": 2, "ownerships": 2, "added": 0}
        assert Ownership.objects.get(vehicle__plate="京A10001").customer.name == "张试驾"

        asked = ok(clerk.act(path, "undo"))
        assert (asked["state"], asked["undoing"], asked["transitions"]) == ("DONE", True, [])
        problem(clerk.act(path, "undo"), 409, "import.undo_asked")
        work()
        undone = ok(clerk.get(path))
        assert (undone["state"], undone["undone"]["rows"]) == ("UNDONE", 2)
        assert (Customer.objects.count(), Vehicle.objects.count()) == (1, 1)
        said = History.objects.filter(root_uid=made["uid"]).order_by("id").values_list("code", "actor_kind")
        assert [code.rpartition(".")[2] for code, _kind in said] == [
            "uploaded", "previewed", "confirmed", "written", "undo_asked", "undone",
        ]  # fmt: skip
        assert {kind for _code, kind in said} == {"CLIENT"}

    def test_what_cannot_be_read_fails_in_words(self, clerk: ApiCaller) -> None:
        said = problem(clerk.post("imports", body(b"")), 409, "import.empty")
        assert said["errors"][0]["pointer"] == "/content"
        problem(clerk.post("imports", {"file_name": "a.csv", "content": "no base64"}), 422, "validation")
        made = ok(clerk.post("imports", body()), 201)
        ok(clerk.post("imports", body()), 201)
        imports._file(UUID(made["uid"])).unlink()
        work()
        said = ok(clerk.get(f"imports/{made['uid']}", Accept_Language="en"))
        assert (said["state"], said["problem"]) == ("FAILED", "import.lost")
        assert said["problem_text"] == "The file was lost before it was read; take it in again."
        (other,) = ok(clerk.get("imports?state=PREVIEW"))["data"]
        assert ok(clerk.act(f"imports/{other['uid']}", "discard"))["problem"] == "import.discarded"

    def test_the_same_upload_twice_is_one(self, clerk: ApiCaller) -> None:
        first, again = (clerk.post("imports", body(), key="upload-1") for _ in range(2))
        assert ok(first, 201)["uid"] == ok(again, 201)["uid"]
        assert again.headers["Idempotent-Replayed"] == "true"
        assert ImportBatch.objects.count() == 1

    def test_reading_is_not_running(self, clerk: ApiCaller, store: Store) -> None:
        made = ok(clerk.post("imports", body()), 201)
        reader = ApiCaller("exchange:read", store=store)
        assert ok(reader.get(f"imports/{made['uid']}"))["transitions"] == []
        said = problem(reader.post("imports", body()), 403, "permission")
        assert (said["permission"], said["scope"]) == ("exchange.imports.run", "exchange:write")
        problem(ApiCaller("reception:write", store=store).get("imports"), 403, "permission")
        device = ApiCaller("exchange:write", store=store, acts_for=make_user("advisor", store=store))
        assert "scope" not in problem(device.post("imports", body()), 403, "permission")

    def test_another_stores_import_is_not_there(self, clerk: ApiCaller) -> None:
        made = ok(clerk.post("imports", body()), 201)
        work()
        elsewhere = ApiCaller("exchange:write", store=make_store())
        problem(elsewhere.get(f"imports/{made['uid']}"), 404, "not_found")
        said = problem(elsewhere.get(f"import-rows?import_uid={made['uid']}"), 400, "validation")
        assert said["errors"][0]["pointer"] == "?import_uid"
        assert ok(elsewhere.get("imports"))["data"] == []


@pytest.mark.django_db(transaction=True)
def test_the_guides_example(live_server: Any, store: Store) -> None:
    """The program of docs/integrators.md as it stands there; the background work is done meanwhile."""
    made = make_credentials("exchange:write", stores=[store])
    over = threading.Event()

    def worker() -> None:
        try:
            while not over.wait(0.1):
                work()
        finally:
            connections.close_all()

    beside = threading.Thread(target=worker)
    beside.start()
    try:
        given = {"BASE": live_server.url, "CLIENT_ID": made.client_id, "CLIENT_SECRET": made.client_secret, "UNDO": "1"}
        ran = subprocess.run(
            [sys.executable, "-S", str(EXAMPLES / "bring_in.py")],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **given},
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        over.set()
        beside.join()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = ran.stdout
    assert "written {'added': 0, 'vehicles': 1, 'customers': 1, 'ownerships': 1}" in said
    assert "row 3 ['A name without a telephone number." in said
    assert "UNDONE 2/2" in said
    assert not Vehicle.objects.exists()
