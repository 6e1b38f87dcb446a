"""The whole system as ``make run`` starts it, in a folder of its own, to be killed by its parts; and what SQL says of it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connections

from tools import servers

BASE = Path(settings.BASE_DIR)
CEILING = 300  # seconds until a condition must hold, on however slow a machine; nothing waits for it to pass
SPEED = {
    "OUTBOX_RESEND_SECONDS": "2",
    "WORKER_SILENT_SECONDS": "20",
    "SCHEDULE_PACE": "100",  # what runs every five minutes runs every three seconds
    "DEMO": "false",
    "CI": "",
}


def until(holds: Callable[[], Any], what: str, *, pause: float = 0.1, alive: Callable[[], None] | None = None) -> Any:
    """What ``holds`` returns as soon as it is true. A database that is away counts as no."""
    end = time.monotonic() + CEILING
    while True:
        with contextlib.suppress(psycopg2.Error, OSError, ValueError, KeyError):
            if found := holds():
                return found
        if alive:
            alive()
        assert time.monotonic() < end, f"not within {CEILING} s: {what}"
        time.sleep(pause)


class Mailbox:
    """An SMTP server that counts each Message-ID it has taken responsibility for."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        box = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 here")
                while line := self.rfile.readline():
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.say("354 go on")
                        named = ""
                        while (part := self.rfile.readline()) not in (b".\r\n", b""):
                            if part.lower().startswith(b"message-id:"):
                                named = part.split(b":", 1)[1].strip().decode()
                        if part:
                            box.taken[named] += 1
                            self.say("250 taken")
                    elif word == b"QUIT":
                        return self.say("221 bye")
                    else:
                        self.say("250 ok")
                return None

            def say(self, text: str) -> None:
                with contextlib.suppress(OSError):
                    self.wfile.write(text.encode() + b"\r\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Talk)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class System:
    """``start`` runs ``make run`` without its demo on a copy of the test's schema; ``stop`` ends all of it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.mailbox = Mailbox()
        self.started: list[subprocess.Popen[str]] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PYTEST_CURRENT_TEST", "DEMO")
        self.environment = {k: v for k, v in os.environ.items() if k not in names} | SPEED
        self.environment |= {
            "VAR_DIR": str(var), "PORT": str(self.port), "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.mailbox.port), "ALLOWED_HOSTS": "127.0.0.1",
        }  # fmt: skip

    # life

    def start(self) -> None:
        self._copy_schema()
        self.log = (self.var / "run.log").open("w")
        self.main = self.python("-m", "tools.run", stdout=self.log)
        until(lambda: "Ready:" in (self.var / "run.log").read_text(), "ready", alive=self._still_runs)
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), timeout=10)):
            pass

    def _still_runs(self) -> None:
        assert self.main.poll() is None, (self.var / "run.log").read_text()

    def _copy_schema(self) -> None:
        """Migrating takes longer than the whole test: the schema and the seeds come from the test's own database."""
        self.var.mkdir(parents=True)
        done = subprocess.run(
            [sys.executable, "-m", "tools.servers", "start"],
            cwd=BASE,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        postgres = servers.Postgres(self.var)
        known = connections.settings["owner"]
        dump = self.var / "schema.sql"
        source = ["-h", known["HOST"] or "127.0.0.1", "-U", known["USER"], known["NAME"]]
        secret = {**self.environment, "PGPASSWORD": known["PASSWORD"] or ""}
        with dump.open("w") as out:
            subprocess.run([str(postgres.binaries() / "pg_dump"), *source], stdout=out, env=secret, check=True)
        with dump.open() as given:
            subprocess.run(
                [str(postgres.binaries() / "psql"), "-Xq", "-h", str(postgres.sockets()), "-U", "postgres", servers.DATABASE],
                stdin=given, stdout=subprocess.DEVNULL, check=True, env=self.environment,
            )  # fmt: skip

    def python(self, *arguments: str, **given: Any) -> subprocess.Popen[str]:
        made = subprocess.Popen(
            [sys.executable, *arguments], cwd=BASE, env=self.environment, text=True,
            **({"stderr": subprocess.STDOUT, "start_new_session": True} | given),
        )  # fmt: skip
        self.started.append(made)
        return made

    def stop(self) -> None:
        for made in reversed(self.started):
            if made.poll() is None:
                made.send_signal(signal.SIGINT if made is getattr(self, "main", None) else signal.SIGTERM)
        for made in self.started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                made.wait(timeout=90)
            made.kill()
        servers.stop(self.var)
        self.mailbox.close()
        postgres = servers.Postgres(self.var)
        if servers.FALLBACK_ROOT in postgres.home().parents:
            shutil.rmtree(postgres.home(), ignore_errors=True)

    # what the database says

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        made = psycopg2.connect(
            host=str(servers.Postgres(self.var).sockets()), user="owner", dbname=servers.DATABASE, connect_timeout=5
        )
        made.autocommit = True
        with contextlib.closing(made), made.cursor() as cursor:
            yield cursor

    def rows(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        with self.connected() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    # killing

    def pid(self, name: str) -> int:
        return int((self.var / "run" / f"{name}.pid").read_text())

    def lives(self, name: str) -> bool:
        try:
            return Path(f"/proc/{self.pid(name)}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except (OSError, ValueError):
            return False

    def group(self, name: str) -> list[int]:
        """The living processes of one part, the first of them the part itself."""
        leader, found = self.pid(name), []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split() if entry.name.isdigit() else []
                if fields and int(fields[2]) == leader and fields[0] != "Z":
                    found.append(int(entry.name))
        return sorted(found, key=lambda pid: pid != leader)

    def postmaster(self) -> int:
        return int((servers.Postgres(self.var).data / "postmaster.pid").read_text().split()[0])


def signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


RUNNING = """
SELECT id, handler, clock_timestamp() FROM kernel_outbox
WHERE state = 'DUE' AND started_at > %s ORDER BY started_at DESC LIMIT 1
"""


class Killer:
    """Kills by a seed, and writes down what and when. Each kill of a worker hits a run that has begun and not ended."""

    def __init__(self, system: System, seed: int) -> None:
        self.system, self.random = system, random.Random(seed)
        self.log: list[dict[str, Any]] = []
        self.since = datetime.now(UTC)

    def note(self, what: str, **more: Any) -> None:
        self.log.append({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "killed": what, **more})

    def worker(self) -> None:
        """Stops the worker's processes in mid-run, looks that a row still says started, then ends them for good."""
        whole = self.random.random() < 0.5
        wait = self.random.uniform(0, 0.03)

        def hit() -> tuple[int, str, int] | None:
            members = self.system.group("worker") if self.system.lives("worker") else []
            if not members:
                return None
            with self.system.connected() as cursor:
                for _look in range(200):
                    cursor.execute(RUNNING, [self.since])
                    if not cursor.fetchone():
                        time.sleep(0.002)
                        continue
                    time.sleep(wait)
                    members = self.system.group("worker")
                    signal_all(members, signal.SIGSTOP)
                    time.sleep(0.02)  # a commit that had left is through by then
                    cursor.execute(RUNNING, [self.since])
                    if row := cursor.fetchone():
                        victims = members if whole else members[1:]
                        signal_all(victims, signal.SIGKILL)
                        signal_all(members, signal.SIGCONT)
                        self.since = row[2]  # what began before died now
                        return row[0], row[1], len(victims)
                    signal_all(members, signal.SIGCONT)
            return None

        row, handler, count = until(hit, "a run in work to kill", pause=0.02)
        self.note(
            "worker and its processes" if whole else "processes of the worker", processes=count, row=row, effect=handler
        )

    def redis(self) -> None:
        """Empties Redis; every second time it is killed instead, which empties it too."""
        if self.random.random() < 0.5:
            with contextlib.suppress(OSError):
                servers.Redis(self.system.var)._ask(b"FLUSHALL")
            self.note("contents of Redis")
        else:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self.system.var / "run" / "redis.pid").read_text()), signal.SIGKILL)
            self.note("Redis")
            until(servers.Redis(self.system.var).running, "Redis again")

    def part(self, name: str) -> None:
        """Relay, beat or web with all its processes."""
        until(lambda: self.system.lives(name), f"{name} to kill")
        signal_all(self.system.group(name), signal.SIGKILL)
        self.note(name)

    def database(self) -> None:
        signal_all([self.system.postmaster()], signal.SIGKILL)
        self.note("PostgreSQL")


# counts: what should be once for each cause → (how many causes, with none, with more than one)
COUNTS = {
    "callback planned for a car that left": (
        "SELECT v.id, (SELECT count(*) FROM delivery_followup f WHERE f.visit_id = v.id)"
        " FROM reception_visit v WHERE v.state = 'DEPARTED'"
    ),
    "survey for a car that left": (
        "SELECT v.id, (SELECT count(*) FROM delivery_survey s WHERE s.visit_id = v.id)"
        " FROM reception_visit v WHERE v.state = 'DEPARTED'"
    ),
    "message with the survey": (
        "SELECT v.id, (SELECT count(*) FROM kernel_message m WHERE m.visit_uid = v.uid AND m.template = 'delivery.survey')"
        " FROM reception_visit v WHERE v.state = 'DEPARTED'"
    ),
    "archive record of an order": (
        "SELECT o.id, (SELECT count(*) FROM compliance_archiverecord a WHERE a.subject_uid = o.uid)"
        " FROM workshop_repairorder o JOIN reception_visit v ON v.id = o.visit_id WHERE v.state = 'DEPARTED'"
    ),
    "reminder of a booking": (
        "SELECT a.id, (SELECT count(*) FROM kernel_message m WHERE m.key LIKE 'reminder:' || a.uid || ':%%')"
        " FROM reception_appointment a"
    ),
    "reminder in the history": (
        "SELECT a.id, (SELECT count(*) FROM kernel_history h WHERE h.root_uid = a.uid"
        " AND h.code = 'reception.appointment.reminded') FROM reception_appointment a"
    ),
    "message closed": (
        "SELECT m.id, (SELECT count(*) FROM kernel_history h WHERE h.root_uid = m.uid"
        " AND h.code IN ('kernel.message.sent', 'kernel.message.failed')) FROM kernel_message m"
    ),
    "effect owed by an event": "SELECT id, (state = 'DONE')::int FROM kernel_outbox",
    "day's figure of cars handed over": (
        "SELECT h.store_id, CASE WHEN count(*) = COALESCE((SELECT sum(numerator) FROM process_kpivalue k"
        " WHERE k.code = 'delivery.cars_out' AND k.dimension = '' AND k.store_id = h.store_id), 0) THEN 1 ELSE 0 END"
        " FROM delivery_handover h GROUP BY h.store_id"
    ),
}


def counted(system: System) -> dict[str, dict[str, int]]:
    found = {}
    for name, statement in COUNTS.items():
        effects = system.rows(statement.replace("%%", "%"))
        found[name] = {
            "causes": len(effects),
            "lost": sum(1 for row in effects if row[1] == 0),
            "doubled": sum(1 for row in effects if row[1] > 1),
        }
    return found


def at_the_provider(system: System) -> dict[str, int]:
    """E-mails by state beside what the mail server has taken: nothing twice; what nobody knows of is marked so."""
    mails = system.rows("SELECT uid, state FROM kernel_message WHERE channel = 'EMAIL'")
    taken = {named.strip("<>").split("@")[0]: count for named, count in system.mailbox.taken.items()}
    return {
        "mails": len(mails),
        "taken_twice": sum(1 for count in taken.values() if count > 1),
        "sent_but_not_taken": sum(1 for uid, state in mails if state == "SENT" and not taken.get(str(uid))),
        "taken_but_not_said": sum(
            1 for uid, state in mails if state not in ("SENT", "UNCERTAIN") and taken.get(str(uid))
        ),
        "shown_as_uncertain": sum(1 for _uid, state in mails if state == "UNCERTAIN"),
    }


def write_report(path: Path, report: dict[str, Any]) -> None:
    """``kill-report.json`` and the same to read, ``kill-report.md``; each part of the test adds its section."""
    whole = json.loads(path.with_suffix(".json").read_text()) if path.with_suffix(".json").exists() else {}
    whole |= report
    path.with_suffix(".json").write_text(json.dumps(whole, indent=1, ensure_ascii=False))
    lines = ["# What was killed, and what was lost", ""]
    for name, part in whole.items():
        lines += [f"## {name}", ""]
        lines += [f"- {key}: {value}" for key, value in part.items() if not isinstance(value, dict | list)]
        for key, table in part.items():
            if isinstance(table, dict) and table and isinstance(next(iter(table.values())), dict):
                lines += ["", f"| {key} | causes | lost | doubled |", "|---|---|---|---|"]
                lines += [f"| {k} | {v['causes']} | {v['lost']} | {v['doubled']} |" for k, v in table.items()]
            elif isinstance(table, dict):
                lines += ["", f"{key}: " + ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in table.items())]
            elif isinstance(table, list):
                lines += ["", f"| {key}: at | killed | in the middle of |", "|---|---|---|"]
                lines += [f"| {e['at']} | {e['killed']} | {e.get('effect', '')} {e.get('row', '')} |" for e in table]
        lines.append("")
    path.with_suffix(".md").write_text("\n".join(lines))
