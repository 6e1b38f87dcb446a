"""Many at once against the production server, each on a connection of its own (issue: shown by 2)."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from dealership.kernel.models import History, IdempotencyRecord
from reception.models import Customer
from tests.exchange.served import production_server
from tests.factories.api import ApiCaller
from tests.factories.kernel import make_store
from tests.factories.reception import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Served:
    def __init__(self, url: str) -> None:
        self.url = url
        self.caller = ApiCaller("reception:write", "personal:read", store=make_store())

    def connect(self) -> http.client.HTTPConnection:
        made = http.client.HTTPConnection(str(urlsplit(self.url).netloc), timeout=120)
        made.connect()
        return made

    def send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.caller.token}", "Accept-Language": "en"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body), "application/json"
        connection.request(method, f"/api/v1/{path}", content, sent)
        got = connection.getresponse()
        return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())

    def together(self, count: int, ask: Callable[[http.client.HTTPConnection, int], Answer]) -> list[Answer]:
        """``count`` requests that leave at once, all connections open before."""
        connections = [self.connect() for _ in range(count)]
        start, answers, troubles = threading.Barrier(count), [], []

        def run(number: int) -> None:
            try:
                start.wait(60)
                answers.append(ask(connections[number], number))
            except Exception as trouble:
                troubles.append(trouble)
            finally:
                connections[number].close()

        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not troubles, troubles
        return answers


@pytest.fixture
def served(transactional_db: None, tmp_path) -> Iterator[Served]:
    with production_server(tmp_path) as url:
        yield Served(url)


def test_many_at_once(served: Served) -> None:
    """One server for both, because its start costs more than they do."""
    _128_retries_make_one_row_and_one_answer(served)
    _of_two_writers_one_is_told(served)


def _128_retries_make_one_row_and_one_answer(served: Served) -> None:
    body = {"name": "张试驾", "phone": "13800001111"}
    answers = served.together(
        128, lambda connection, _n: served.send(connection, "POST", "customers", body, Idempotency_Key="the-one-key")
    )
    assert {answer.status for answer in answers} == {201}
    assert len(answers) == 128
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert (Customer.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)
    assert History.objects.filter(code="reception.customer.registered").count() == 1


def _of_two_writers_one_is_told(served: Served) -> None:
    """Ten times over: whoever comes second reads 412 and has changed nothing."""
    for turn in range(10):
        path = f"customers/{make_customer(name='张试驾').uid}"
        reading = served.connect()
        etag = served.send(reading, "GET", path).headers["etag"]
        names = (f"李试驾{turn}", f"王试驾{turn}")

        def write(connection: http.client.HTTPConnection, number: int, path=path, names=names, etag=etag) -> Answer:
            return served.send(connection, "PUT", path, {"name": names[number], "phone": "13800001111"}, If_Match=etag)

        first, second = sorted(served.together(2, write), key=lambda answer: answer.status)
        assert (first.status, second.status, second.json["code"]) == (200, 412, "if_match.changed")
        kept = served.send(reading, "GET", path)
        assert (kept.json["name"], kept.json["version"]) == (first.json["name"], 2)
        reading.close()
