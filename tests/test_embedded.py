"""The embedded servers themselves: killed, started twice, side by side, under a long path, with a page on top."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from tools import prepare, run, servers

BASE = Path(settings.BASE_DIR)


@pytest.fixture
def var(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "var"
    yield place
    for started in (place, tmp_path / "second"):
        forget(started)


def forget(var: Path) -> None:
    """Stop the servers and remove what lies outside the test's folder."""
    if (var / "servers.json").exists():
        servers.stop(var)
        postgres = servers.Postgres(var)
        if servers.FALLBACK_ROOT in postgres.home().parents:
            shutil.rmtree(postgres.home(), ignore_errors=True)


def connect(var: Path, role: str = "owner"):
    made = psycopg2.connect(host=str(servers.Postgres(var).sockets()), user=role, dbname="dealership")
    made.autocommit = True
    return made


def rows(var: Path, statement: str, role: str = "owner") -> list[tuple]:
    connection = connect(var, role)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall() if cursor.description else []
    connection.close()
    return found


def postmaster(var: Path) -> int:
    """Its process, read as whoever owns the file."""
    return int((servers.Postgres(var).data / "postmaster.pid").read_text().split()[0])


def test_committed_rows_survive_kill_9_and_the_stale_pid_file(var: Path) -> None:
    servers.start(var)
    rows(var, "CREATE TABLE kept (n int)")
    rows(var, "INSERT INTO kept VALUES (1)", role="app")
    os.kill(postmaster(var), signal.SIGKILL)
    os.kill(int((var / "run" / "redis.pid").read_text()), signal.SIGKILL)
    time.sleep(0.2)
    assert servers.status(var) == {"postgres": False, "redis": False}
    assert postmaster(var), "the pid file is left behind"
    servers.start(var)
    assert servers.status(var) == {"postgres": True, "redis": True}
    assert rows(var, "SELECT n FROM kept") == [(1,)]
    assert rows(var, "SHOW fsync") == rows(var, "SHOW synchronous_commit") == [("on",)]


def test_starting_twice_changes_nothing(var: Path) -> None:
    said = servers.start(var)
    first = postmaster(var)
    assert servers.start(var) == said
    assert postmaster(var) == first
    servers.stop(var)
    servers.stop(var)
    assert servers.status(var) == {"postgres": False, "redis": False}


def test_two_side_by_side(var: Path, tmp_path: Path) -> None:
    servers.start(var)
    servers.start(tmp_path / "second")
    rows(var, "CREATE TABLE here (n int)")
    assert rows(tmp_path / "second", "SELECT to_regclass('here')::text") == [(None,)]
    servers.stop(tmp_path / "second")
    assert servers.status(var) == {"postgres": True, "redis": True}


def test_a_long_path_gets_a_short_socket(tmp_path: Path, monkeypatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    var = tmp_path / ("long" * 20) / ("longer" * 10)
    try:
        servers.start(var)
        assert len(str(servers.Postgres(var).sockets())) < 90
        assert rows(var, "SELECT 1", role="app") == [(1,)]
        assert servers.Redis(var).running()
    finally:
        forget(var)


def test_servers_named_by_the_environment_are_not_started(var: Path, monkeypatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/x")
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    assert servers.start(var) == {}
    assert not (var / "postgres").exists()


def test_only_the_owner_of_the_folder_reaches_the_sockets(var: Path) -> None:
    servers.start(var)
    assert rows(var, "SHOW listen_addresses") == [("",)]
    for place in (servers.Postgres(var).sockets(), servers.Redis(var).socket):
        assert place.stat().st_mode & 0o077 == 0


def test_an_unsuitable_python_is_named(monkeypatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    with pytest.raises(prepare.Missing, match=r"Python 3\.10 is not supported: install Python 3\.12"):
        prepare.check_python()


@pytest.mark.parametrize(
    ("node", "said"), [(None, "Node is missing: install Node 18"), ("v16.1.0", "v16.1.0 is too old")]
)
def test_a_missing_or_old_node_is_named(node: str | None, said: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(prepare, "NODE_MODULES", tmp_path / "node_modules")
    monkeypatch.setenv("PATH", str(tmp_path))
    if node:
        (tmp_path / "node").write_text(f"#!/bin/sh\necho {node}\n")
        (tmp_path / "node").chmod(0o755)
    with pytest.raises(prepare.Missing, match=said):
        prepare.install_node_packages()


def test_a_taken_port_is_one_clear_line(monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(servers.ServerError) as error:
            run.free_port(number)
    assert str(error.value).startswith(f"Port {number} can't be used (Address already in use): choose another")
    assert "\n" not in str(error.value)


def test_a_port_that_a_killed_run_still_holds_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    taken = socket.create_server(("127.0.0.1", 0))
    number = taken.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(servers.ServerError, match="can't be used"):
        run.clear_the_way(tmp_path, number)
    assert time.monotonic() - start < 1, "somebody else's port is refused at once"

    (tmp_path / "run" / "web.pid").write_text("999999999")  # a clean stop leaves none
    with pytest.raises(servers.ServerError, match="can't be used"):
        run.clear_the_way(tmp_path, number, patience=0.5)
    threading.Timer(1, taken.close).start()
    run.clear_the_way(tmp_path, number)


class Running:
    """``make run`` without the demo, in a folder of its own."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> list[str]:
        """What it printed until it was ready."""
        environment = {**os.environ, "VAR_DIR": str(self.var), "PORT": str(self.port), "DEMO": "false", "CI": ""}
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.run"], cwd=BASE, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said: list[str] = []
        for line in self.process.stdout:  # type: ignore[union-attr]
            said.append(line.strip())
            if line.startswith("Ready:"):
                return said
        pytest.fail("\n".join(said))

    def pids(self) -> dict[str, int]:
        return {path.stem: int(path.read_text()) for path in (self.var / "run").glob("*.pid")}

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = Running(tmp_path / "var", port)
    yield running
    running.stop()
    forget(running.var)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def eventually(holds, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.2)
    return bool(holds())


HANGS = 120
"""Seconds after which what was to come back counts as never coming; no measure of speed."""


def page(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=5) as answer:
            return answer.status
    except OSError:
        return 0


COMMANDS = """
import itertools, django
django.setup()
from dealership.kernel.actors import machine
from dealership.kernel.stores import open_store
for number in itertools.count(1):
    print(open_store(code=f"K{number:03d}", name="示例店", brand="星河", by=machine("test")).code, flush=True)
"""


def commands_without_end(var: Path) -> subprocess.Popen[str]:
    """A process that runs one command after the other and says each that is committed."""
    environment = {**os.environ, "VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "dealership.settings"}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        environment.pop(name, None)
    return subprocess.Popen(
        [sys.executable, "-c", COMMANDS], cwd=BASE, env=environment, text=True, stdout=subprocess.PIPE
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_whole_system_survives_kill_9_and_ends_cleanly(system: Running) -> None:
    said = system.start()
    assert said[-1] == f"Ready: http://127.0.0.1:{system.port}/"
    first = system.pids()
    assert set(first) == {"supervisord", "servers", "web", "worker", "relay", "beat", "redis"}
    rows(system.var, "CREATE TABLE kept (n int)")
    rows(system.var, "INSERT INTO kept VALUES (1)", role="app")

    # One part dies: the supervisor starts it again.
    os.kill(first["web"], signal.SIGKILL)
    assert eventually(lambda: system.pids()["web"] != first["web"] and page(system.port) == 200, HANGS)
    # The database dies: it is started again, and the page comes back.
    os.kill(postmaster(system.var), signal.SIGKILL)
    assert eventually(lambda: servers.Postgres(system.var).running() and page(system.port) == 200, HANGS)

    # Everything dies while commands are being committed one after the other.
    assert system.process
    writer = commands_without_end(system.var)
    said = [writer.stdout.readline() for _ in range(5)]  # type: ignore[union-attr]
    everything = [system.process.pid, *system.pids().values(), postmaster(system.var), writer.pid]
    for pid in everything:
        os.kill(pid, signal.SIGKILL)
    system.process.wait()
    committed = {line.strip() for line in [*said, *writer.stdout.read().splitlines()]}  # type: ignore[union-attr]
    writer.wait()
    system.start()
    assert rows(system.var, "SELECT n FROM kept") == [(1,)]
    stores = {code for (code,) in rows(system.var, "SELECT code FROM kernel_store")}
    assert len(committed) >= 5
    assert committed <= stores, "what was told to be done is there"
    lines = rows(system.var, "SELECT s.code FROM kernel_history h JOIN kernel_store s ON s.uid = h.root_uid")
    assert {code for (code,) in lines} == stores, "and its line of history with it"
    assert page(system.port) == 200

    # A second start with the same folder is told so and harms nothing.
    environment = {**os.environ, "VAR_DIR": str(system.var), "PORT": str(system.port)}
    second = subprocess.run(
        [sys.executable, "-m", "tools.run"], cwd=BASE, env=environment, capture_output=True, text=True
    )
    assert second.returncode == 1
    assert second.stderr.startswith("Already running with VAR_DIR")
    assert page(system.port) == 200

    # Ctrl-C ends all of it.
    last = [*system.pids().values(), postmaster(system.var)]
    system.stop()
    assert system.process.returncode == 0
    assert eventually(lambda: not [pid for pid in last if alive(pid)], HANGS)
