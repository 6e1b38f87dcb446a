"""Real ``kill -9`` while work is going on: nothing that was promised is lost, nothing happens twice (issue 4, 2).

``make test`` kills ten workers and the database once; ``make kill`` is the same code with 100 and 10
(``KILLS``, ``DATABASE_KILLS``, ``KILL_SEED``). ``WITHOUT_KEY=delivery_survey.visit_id`` drops that unique key first, to
see that the count notices. The report is ``VAR_DIR/kill-report.md`` and ``.json``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.reliability import system as reliability
from tests.reliability.system import Killer, System, until
from tools import servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
KILLS = int(os.environ.get("KILLS") or 10)
DATABASE_KILLS = int(os.environ.get("DATABASE_KILLS") or 1)
SEED = int(os.environ.get("KILL_SEED") or 4)
WITHOUT_KEY = os.environ.get("WITHOUT_KEY") or ""
REPORT = settings.VAR_DIR / "kill-report"


@pytest.fixture(scope="module")
def system(django_db_setup: None) -> Iterator[System]:
    var, alone = settings.VAR_DIR / "kill", settings.VAR_DIR / "test" / "kill-alone"
    alone.mkdir(parents=True, exist_ok=True)
    with servers._alone(alone):  # another worker of the same run may have the other test
        shutil.rmtree(var, ignore_errors=True)
        made = System(var)
        try:
            made.start()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def client(system: System) -> dict[str, str]:
    prepared = system.python("-m", "tests.reliability.causes", "prepare", stdout=subprocess.PIPE, stderr=None)
    said = prepared.communicate(timeout=reliability.CEILING)[0]
    assert prepared.returncode == 0, said
    return json.loads(said.strip().splitlines()[-1])


def drop_key(system: System, named: str) -> None:
    table, column = named.split(".")
    found = system.rows(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'u' AND conkey = ARRAY[("
        "SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = %s)]",
        [table, column],
    )
    assert found, f"no unique key on {named}"
    for (name,) in found:
        system.rows(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def test_no_effect_is_lost_or_doubled_when_its_workers_are_killed(system: System, client: dict[str, str]) -> None:
    if WITHOUT_KEY:
        drop_key(system, WITHOUT_KEY)
    beats = system.python(
        "-m", "celery", "-A", "dealership.celery", "beat", "-s", str(system.var / "second-beat"), "-l", "warning",
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    made = (system.var / "causes.log").open("w")
    causes = system.python("-m", "tests.reliability.causes", "run", str(SEED), stdin=subprocess.PIPE, stdout=made)
    killer = Killer(system, SEED)
    others = ("relay", "beat", "web")
    for number in range(1, KILLS + 1):
        killer.worker()
        if number % 3 == 0:
            killer.redis()
        if number % 3 == 2:
            killer.part(others[number // 3 % len(others)])
    assert causes.stdin
    causes.stdin.close()
    assert causes.wait(timeout=reliability.CEILING) == 0, (system.var / "causes.log").read_text()[-2000:]

    def complete() -> bool:
        return not any(count["lost"] for count in reliability.counted(system).values())

    with contextlib.suppress(AssertionError):  # what is lost is said by the counts below
        until(complete, "every effect", pause=0.5)
    # Whatever might come twice has its chance: every periodic task runs twice more, every resend interval passes.
    last = system.rows("SELECT COALESCE(max(id), 0) FROM kernel_periodicrun")[0][0]
    until(
        lambda: system.rows(
            "SELECT min(n) FROM (SELECT count(*) FILTER (WHERE id > %s AND finished_at IS NOT NULL) AS n"
            " FROM kernel_periodicrun WHERE job IN ('delivery.send_due_surveys', 'reception.remind',"
            " 'process.recompute_touched') GROUP BY job) AS jobs",
            [last],
        )[0][0] >= 2,
        "two more runs of everything periodic",
        pause=0.5,
    )  # fmt: skip
    beats.terminate()
    assert system.python("-m", "tests.reliability.causes", "again").wait(timeout=reliability.CEILING) == 0
    counts, provider = reliability.counted(system), reliability.at_the_provider(system)
    again = system.rows("SELECT count(*), COALESCE(sum(lost), 0) FROM kernel_outbox WHERE lost > 0")[0]
    report = {
        "Workers, relay, beat, web and Redis": {
            "seed": SEED, "worker kills": KILLS, "rows begun again": int(again[0]), "runs lost": int(again[1]),
            "dropped unique key": WITHOUT_KEY or "none", "effects": counts, "mail server": provider,
            "kills": killer.log,
        }
    }  # fmt: skip
    reliability.write_report(REPORT, report)
    assert sum(1 for entry in killer.log if "row" in entry) == KILLS
    if KILLS >= 10:
        assert set(others) <= {entry["killed"] for entry in killer.log}
    assert again[1] > 0, "no run was hit"
    assert min(count["causes"] for count in counts.values()) > 0
    assert {name: (c["lost"], c["doubled"]) for name, c in counts.items()} == dict.fromkeys(counts, (0, 0))
    assert provider["mails"] > 0
    assert (provider["taken_twice"], provider["sent_but_not_taken"], provider["taken_but_not_said"]) == (0, 0, 0)


class Desk(threading.Thread):
    """A program that registers arrivals over HTTP and repeats with the same Idempotency-Key until it has an answer."""

    def __init__(self, system: System, client: dict[str, str], number: int) -> None:
        super().__init__(daemon=True)
        self.system, self.client, self.number = system, client, number
        self.acknowledged: list[str] = []
        self.repeated = 0
        self.strange: list[str] = []
        self.closing = threading.Event()
        self.token = ""

    def run(self) -> None:
        serial = 0
        while not self.closing.is_set():
            serial += 1
            body = {
                "contact_name": "李送修", "contact_phone": "13900000001", "model_text": "途远", "need": "保养",
                "plate": f"沪{'ABCDEFGH'[self.number]}{serial:05d}",
            }  # fmt: skip
            key = str(uuid.uuid4())
            end = time.monotonic() + reliability.CEILING
            while (said := self.ask(body, key)) is None and time.monotonic() < end:
                self.repeated += 1
                time.sleep(0.05)
            if said is None:
                self.strange.append("no answer")
                return
            self.acknowledged.append(said)

    def ask(self, body: dict[str, str], key: str) -> str | None:
        """The visit's uid, None where it must be asked again."""
        address = f"http://127.0.0.1:{self.system.port}/api/v1"
        try:
            if not self.token:
                form = urllib.parse.urlencode({"grant_type": "client_credentials", **self.client}).encode()
                with urllib.request.urlopen(f"{address}/oauth/token", form, timeout=30) as answer:
                    self.token = json.load(answer)["access_token"]
            headers = {
                "Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Idempotency-Key": key,
            }  # fmt: skip
            asked = urllib.request.Request(f"{address}/visits", json.dumps(body).encode(), headers)
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return json.load(answer)["uid"]
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (409, 429):
                self.strange.append(f"{error.code} {error.read()[:300]!r}")
                self.closing.set()
        except (OSError, ValueError):
            pass
        return None


def test_every_acknowledged_command_survives_the_kill_of_the_database(system: System, client: dict[str, str]) -> None:
    before = {row[0] for row in system.rows("SELECT uid::text FROM reception_visit")}
    desks = [Desk(system, client, number) for number in range(4)]
    for desk in desks:
        desk.start()
    killer = Killer(system, SEED)

    def acknowledged() -> int:
        return sum(len(desk.acknowledged) for desk in desks)

    def all_well() -> None:
        assert not [desk.strange for desk in desks if desk.strange], [desk.strange for desk in desks]

    for _kill in range(DATABASE_KILLS):
        goal = acknowledged() + killer.random.randint(5, 25)
        until(lambda goal=goal: acknowledged() >= goal, "acknowledged arrivals", pause=0.01, alive=all_well)  # type: ignore[misc]
        killer.database()
    goal = acknowledged() + 5
    until(lambda: acknowledged() >= goal, "arrivals after the last kill", alive=all_well)
    for desk in desks:
        desk.closing.set()
    for desk in desks:
        desk.join(timeout=reliability.CEILING)
    all_well()
    owing = "SELECT handler, state, attempts, left(last_error, 200) FROM kernel_outbox WHERE state <> 'DONE'"
    with contextlib.suppress(AssertionError):  # what is still owed is said by the next line
        until(lambda: not system.rows(owing), "nothing owed", pause=0.5)
    assert system.rows(owing) == []
    uids = [uid for desk in desks for uid in desk.acknowledged]
    rows = {row[0] for row in system.rows("SELECT uid::text FROM reception_visit")} - before
    lines = [
        row[0]
        for row in system.rows("SELECT root_uid::text FROM kernel_history WHERE code = 'reception.visit.arrived'")
        if row[0] not in before
    ]
    owed = [
        row[0]
        for row in system.rows("SELECT root_uid::text FROM kernel_outbox WHERE code = 'reception.visit.arrived'")
        if row[0] not in before
    ]
    handlers = len(
        {
            row[0]
            for row in system.rows("SELECT DISTINCT handler FROM kernel_outbox WHERE code = 'reception.visit.arrived'")
        }
    )
    reliability.write_report(
        REPORT,
        {
            "PostgreSQL": {
                "seed": SEED, "kills of the database": DATABASE_KILLS, "acknowledged": len(uids),
                "asked again with the same key": sum(desk.repeated for desk in desks), "rows": len(rows),
                "lines of history": len(lines), "rows of the outbox": len(owed), "kills": killer.log,
            }
        },
    )  # fmt: skip
    assert len(uids) == len(set(uids)), "one key, one visit"
    assert rows == set(uids), "every acknowledged arrival is there, and no other"
    assert sorted(lines) == sorted(uids), "each has its one line of history"
    assert handlers > 0
    assert sorted(owed) == sorted(uids * handlers), "and owes what follows"
