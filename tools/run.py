"""``make run``: the whole system on one machine, under one supervisor, until Ctrl-C.

Everything it starts ends with it. After ``kill -9`` of any or all of it, the next start clears what is left and goes
on with every committed command. ``python -m tools.run --child NAME -- COMMAND`` is how the supervisor starts each part.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tools import demo_clock, servers

BASE_DIR = Path(__file__).resolve().parent.parent
BIN = BASE_DIR / ".venv" / "bin"
READY_SECONDS = 120


def say(text: str) -> None:
    print(text, flush=True)


def port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise servers.ServerError(f"PORT must be a number from 1 to 65535, not {given!r}.")
    return int(given)


def parts(number: int, var: Path) -> dict[str, list[str]]:
    """Name of each part → its command."""
    host = os.environ.get("HOST") or "127.0.0.1"
    celery = [str(BIN / "python"), "-m", "celery", "-A", "dealership.celery"]
    return {
        "servers": [str(BIN / "python"), "-m", "tools.servers", "watch"],
        "web": [
            str(BIN / "python"), "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(number),
            "--workers", "2", "--blocking-threads", "1", "--respawn-failed-workers", "--no-ws", "--http", "1",
            "--log-level", "warning", "dealership.wsgi:application",
        ],
        "worker": [*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle", "-l", "warning"],
        "relay": [str(BIN / "python"), "manage.py", "relay"],
        "beat": [*celery, "beat", "-s", str(var / "run" / "beat-schedule"), "-l", "warning"],
    }  # fmt: skip


def write_configuration(number: int, var: Path) -> Path:
    """The supervisor's configuration: what dies is started again."""
    logs = var / "log"
    logs.mkdir(parents=True, exist_ok=True)

    def safe(text: object) -> str:
        return str(text).replace("%", "%%")

    lines = [
        "[supervisord]", "nodaemon=true", "loglevel=warn", f"logfile={safe(logs / 'supervisord.log')}",
        f"pidfile={safe(var / 'run' / 'supervisord.pid')}", f"directory={safe(BASE_DIR)}",
        *(["user=root"] if os.geteuid() == 0 else []),
    ]  # fmt: skip
    for name, command in parts(number, var).items():
        quoted = " ".join('"' + safe(part).replace('"', '\\"') + '"' for part in child(name, command))
        lines += [
            "", f"[program:{name}]", f"command={quoted}", f"directory={safe(BASE_DIR)}", "autorestart=true",
            "startsecs=3", "startretries=100000", "stopwaitsecs=20", "stopasgroup=true", "killasgroup=true",
            "redirect_stderr=true", f"stdout_logfile={safe(logs / (name + '.log'))}", "stdout_logfile_maxbytes=10MB",
            "stdout_logfile_backups=2",
        ]  # fmt: skip
    path = var / "run" / "supervisord.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


# leftovers of a run that was killed


def child(name: str, command: list[str]) -> list[str]:
    return [str(BIN / "python"), "-m", "tools.run", "--child", name, "--", *command]


def _group_members(group: int) -> list[int]:
    """Living processes of this repository in a process group."""
    found = []
    if Path("/proc/self/stat").exists():
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split() if entry.name.isdigit() else []
                if fields and int(fields[2]) == group and fields[0] != "Z":
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append((int(entry.name), command))
    else:
        listing = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,command="], capture_output=True, text=True).stdout
        for line in listing.splitlines():
            pid, pgid, command = [*line.split(None, 2), "", "", ""][:3]
            if pgid == str(group):
                found.append((int(pid), command))
    return [pid for pid, command in found if str(BASE_DIR) in command and pid != os.getpid()]


def clear_leftovers(var: Path, name: str, *, patience: float = 0) -> bool:
    """End what an earlier start of this part left alive; True if there was something."""
    with contextlib.suppress(OSError, ValueError):
        group = int((var / "run" / f"{name}.pid").read_text())
        if group == os.getpgrp() or not _group_members(group):
            return False
        end = time.monotonic() + patience
        if patience:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(group, signal.SIGTERM)
        while time.monotonic() < end and _group_members(group):
            time.sleep(0.1)
        if _group_members(group):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        for _ in range(50):
            if not _group_members(group):
                break
            time.sleep(0.1)
        return True
    return False


def _supervisor(var: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((var / "run" / "supervisord.pid").read_text())
    return None


def be_child(name: str, command: list[str]) -> None:
    """Become one part: alone under its name, and ended by the system when its supervisor dies."""
    var = servers.var_dir()
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    clear_leftovers(var, name)
    (var / "run" / f"{name}.pid").write_text(str(os.getpid()))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG outlives exec
        if name != "supervisord" and os.getppid() != _supervisor(var):
            sys.exit(1)  # it died before its death could reach us
    os.execv(command[0], command)


# the run


def clear_the_way(var: Path, number: int, *, patience: float = 15) -> None:
    """End what a killed run left, and wait until the port is free of it: a part that was just being started again,
    or a process whose last thread is still ending, may hold it a moment longer.
    """
    killed = any((var / "run" / f"{name}.pid").exists() for name in ("supervisord", *parts(number, var)))
    if clear_leftovers(var, "supervisord", patience=25):
        say("Ended what an earlier start had left running.")
    end = time.monotonic() + (patience if killed else 0)
    while True:
        for name in parts(number, var):
            clear_leftovers(var, name, patience=5)
        try:
            return free_port(number)
        except servers.ServerError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.2)


def free_port(number: int) -> None:
    host = os.environ.get("HOST") or "127.0.0.1"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            raise servers.ServerError(
                f"Port {number} can't be used ({error.strerror}): choose another, for example "
                f"PORT={number + 1 if number < 65535 else 8000} make run"
            ) from error


def healthy(number: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{number}/health/", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def serve(var: Path) -> int:
    number = port()
    clear_the_way(var, number)
    os.environ.setdefault("DEMO", "true")
    os.environ["VAR_DIR"], os.environ["PORT"] = str(var), str(number)
    counters = var / "run" / "metrics"  # what /metrics adds up over all web processes, afresh with each start
    shutil.rmtree(counters, ignore_errors=True)
    counters.mkdir(parents=True)
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(counters))

    static = subprocess.Popen([str(BIN / "python"), "tools/prepare.py"], cwd=BASE_DIR)  # beside the database
    say("Starting PostgreSQL and Redis …")
    said = servers.start(var)
    demo = ["--demo"] if os.environ["DEMO"].lower() in {"true", "1", "yes"} else []
    demo_clock.file(var).unlink(missing_ok=True)
    shown = None
    if demo and "DEMO_CLOCK_SECONDS" not in os.environ:
        shown = demo_clock.set_clock(var, said.get("database_owner_url") or os.environ["DATABASE_OWNER_URL"])
    say("Bringing the database up to date …")
    done = subprocess.run([str(BIN / "python"), "-m", "tools.database", *demo], cwd=BASE_DIR)
    if done.returncode:
        raise servers.ServerError("The database could not be brought up to date (see above).")
    if static.wait():
        raise servers.ServerError("The static files could not be collected (see above).")

    conf = write_configuration(number, var)
    command = child("supervisord", [str(BIN / "python"), "-m", "supervisor.supervisord", "-c", str(conf)])
    with (var / "log" / "supervisord.out").open("w") as out:
        supervisor = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + READY_SECONDS
        while not healthy(number):
            if supervisor.poll() is not None:
                raise servers.ServerError(f"The supervisor stopped; see {var / 'log'}")
            if time.monotonic() > end:
                raise servers.ServerError(f"No page after {READY_SECONDS} s; see {var / 'log' / 'web.log'}")
            time.sleep(0.2)
        logins = var / "demo-logins.txt"
        if demo and logins.exists():
            say("\n" + logins.read_text().rstrip() + "\n")
        (var / "run" / "port").write_text(str(number))  # for manage.py in another shell
        if shown:
            hour = f"{shown.astimezone(demo_clock.ZONE):%H:%M}"
            say(f"The demo's clock shows {hour}, its shop is at work. Real time instead: DEMO_CLOCK_SECONDS=0 make run")
        say(f"Ready: http://127.0.0.1:{number}/")
        say("Ctrl-C stops it.")
        return supervisor.wait()
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        say("Stopping …")
        (var / "run" / "port").unlink(missing_ok=True)
        demo_clock.file(var).unlink(missing_ok=True)
        if supervisor.poll() is None:
            supervisor.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                supervisor.wait(timeout=45)
        for name in ("supervisord", *parts(number, var)):
            clear_leftovers(var, name)
            (var / "run" / f"{name}.pid").unlink(missing_ok=True)  # what is left tells of a killed run


def main() -> int:
    if len(sys.argv) > 4 and sys.argv[1] == "--child":
        be_child(sys.argv[2], sys.argv[4:])
    var = servers.var_dir()
    (var / "run").mkdir(parents=True, exist_ok=True)
    lock = (var / "run.lock").open("w")  # freed by the system however this process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"Already running with VAR_DIR {var}: stop it there (Ctrl-C), or name another VAR_DIR.", file=sys.stderr)
        return 1

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)
    failed = 0
    try:
        serve(var)
    except KeyboardInterrupt:
        pass
    except servers.ServerError as error:
        print(error, file=sys.stderr)
        failed = 1
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    if (var / "servers.json").exists():
        with contextlib.suppress(servers.ServerError):
            servers.stop(var)
    if not failed:
        say("Stopped.")
    return failed


if __name__ == "__main__":
    sys.exit(main())
