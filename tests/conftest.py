"""Test servers, test database, roles and browser.

The servers are the embedded ones of ``VAR_DIR/test`` (or those that ``DATABASE_OWNER_URL`` / ``DATABASE_URL`` /
``REDIS_URL`` name). The schema is migrated once into a template database that is named after a hash of models and
migrations; each run and each xdist worker works on a copy of it. Alias ``default`` is the application's role, which
owns nothing; alias ``owner`` is the owner, on the same database.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import hypothesis
import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction
from django.test import TransactionTestCase

from dealership.kernel import limits
from tools import servers

from .kept_rows import KeptRows

# A busy machine is no defect: examples have no deadline and may be slow to draw.
hypothesis.settings.register_profile("calm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("calm")

CI = os.environ.get("CI", "").lower() in {"true", "1"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
GET_CHROMIUM = "apt-get install -y chromium fonts-noto-cjk"
TEST_VAR = settings.VAR_DIR / "test"
settings.DEMO_CLOCK = timedelta(0)  # a demo that runs meanwhile has a clock of its own
_users_lock: Any = None
_first_state: KeptRows | None = None
_browser_tests_left_out = 0


# servers and settings


def pytest_configure(config: pytest.Config) -> None:
    global _users_lock
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in the test's thread
    TEST_VAR.mkdir(parents=True, exist_ok=True)
    _users_lock = (TEST_VAR / "users.lock").open("w")
    fcntl.flock(_users_lock, fcntl.LOCK_SH)
    said = servers.start(TEST_VAR, throwaway=True)
    for alias, key in (("default", "database_url"), ("owner", "database_owner_url")):
        if key in said:
            connections.settings[alias].update(_database_settings(said[key]))
        connections.settings[alias]["CONN_MAX_AGE"] = 0
    settings.REDIS_URL = said.get("redis_url", settings.REDIS_URL)
    if settings.REDIS_URL.startswith("unix://"):
        settings.CELERY_BROKER_URL = "redis+socket://" + settings.REDIS_URL.removeprefix("unix://").replace(
            "?db=", "?virtual_host="
        )
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = TEST_VAR / "files"
    _keep_to_this_machine()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last run to end stops the servers."""
    if _users_lock is None or hasattr(config, "workerinput"):
        return
    fcntl.flock(_users_lock, fcntl.LOCK_UN)
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(_users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        servers.stop(TEST_VAR)


def _database_settings(url: str) -> dict[str, Any]:
    from dealership.settings import database

    return database(url)


def _keep_to_this_machine() -> None:
    """No test talks to anything beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        local = (
            self.family == socket.AF_UNIX or str(address[0]).startswith("127.") or address[0] in {"::1", "localhost"}
        )
        if not local:
            raise OSError(f"tests must not reach {address!r}")
        connect(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]


# the test database


def owner_sql(database: str = "postgres") -> Any:
    """An autocommit connection as the owner, outside Django's own connections."""
    known = connections.settings["owner"]
    made = psycopg2.connect(
        dbname=database,
        user=known["USER"],
        password=known["PASSWORD"] or None,
        host=known["HOST"] or None,
        port=known["PORT"] or None,
    )
    made.autocommit = True
    return made


def _schema_hash() -> str:
    digest = hashlib.sha256()
    base = settings.BASE_DIR
    places = [base / "dealership", *(base / app for app in settings.INSTALLED_APPS if (base / app).is_dir())]
    for place in places:
        for path in sorted(place.rglob("*.py")):
            if {"migrations", "models"} & set(path.parts) or path.name in {"models.py", "seeds.py", "settings.py"}:
                digest.update(str(path.relative_to(base)).encode() + b"\0" + path.read_bytes())
    for path in (base / "requirements.txt", base / "tools" / "servers.py"):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]


def _use_database(name: str) -> None:
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
        connections.settings[alias]["NAME"] = name


def _make_template(cursor: Any, name: str) -> None:
    """Migrate and seed once; the name is given only when all of it went through."""
    from dealership.kernel.seeds import seed_all

    cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tpl\\_%'")
    for (old,) in cursor.fetchall():
        _drop(cursor, old)
    draft = f"tpl_draft_{name[4:]}"
    cursor.execute(f'CREATE DATABASE "{draft}"')
    _use_database(draft)
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    seed_all()
    for alias in ("default", "owner"):
        connections[alias].close()
    cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _drop(cursor: Any, name: str) -> None:
    """Drop a database; while autovacuum (not ours to end) looks at it, wait; the next run sweeps what stays."""
    for _attempt in range(20):
        try:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ObjectInUse):
            time.sleep(0.5)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any, worker_id: str) -> Iterator[None]:
    global _first_state
    template = f"tpl_{_schema_hash()}"
    mine = f"test_{os.getpid()}_{worker_id}_{uuid.uuid4().hex[:6]}"
    with django_db_blocker.unblock(), contextlib.closing(owner_sql()) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('dealership test template'))")
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'")
        for (old,) in cursor.fetchall():
            if (found := re.match(r"test_(\d+)_", old)) and not _alive(int(found[1])):
                _drop(cursor, old)
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        if not cursor.fetchone():
            _make_template(cursor, template)
        cursor.execute(f'CREATE DATABASE "{mine}" TEMPLATE "{template}" STRATEGY file_copy')
        cursor.execute("SELECT pg_advisory_unlock(hashtext('dealership test template'))")
        _use_database(mine)
        with contextlib.closing(owner_sql(mine)) as here, here.cursor() as reader:
            _first_state = KeptRows(reader)
    yield
    with django_db_blocker.unblock(), contextlib.closing(owner_sql()) as owner, owner.cursor() as cursor:
        connections.close_all()
        _drop(cursor, mine)


def _flush_as_owner(self: TransactionTestCase) -> None:
    """Put everything back as it was before the first test, as the owner (the application's role can't)."""
    assert _first_state is not None
    connections.close_all()
    with contextlib.closing(owner_sql(connection.settings_dict["NAME"])) as owner, owner.cursor() as cursor:
        _first_state.put_back(cursor)


TransactionTestCase._fixture_teardown = _flush_as_owner  # type: ignore[attr-defined]


# what tests use


@pytest.fixture(autouse=True)
def settings_as_stored() -> None:
    """What the test before set was rolled back with it, but this process would remember it for seconds."""
    limits.forget()


@pytest.fixture
def as_owner(transactional_db: None) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """``as_owner("UPDATE …", [values])``: one statement as the owner, committed at once; returns the rows.

    The owner sees only what is committed, so the test runs outside a transaction.
    """
    with contextlib.closing(owner_sql(connection.settings_dict["NAME"])) as owner, owner.cursor() as cursor:

        def run(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def refused(db: None) -> Callable[..., Any]:
    """``with refused("constraint_or_trigger") as sql: sql("UPDATE …", [values])``.

    Runs raw SQL as the application's role in a savepoint and demands that the database refuse it, by the name of the
    constraint or trigger, or by ``sqlstate``. That nothing changed is for the test to assert.
    """

    @contextlib.contextmanager
    def expect(name: str = "", *, sqlstate: str = "") -> Iterator[Callable[..., Any]]:
        assert name or sqlstate, "say which constraint, trigger or sqlstate refuses"

        def run(statement: str, values: Any = None) -> None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_user")
                assert cursor.fetchone()[0] == settings.DATABASE_APP_ROLE
                cursor.execute(statement, values)

        try:
            with transaction.atomic():
                yield run
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except DatabaseError as error:
            diag = error.__cause__.diag  # type: ignore[union-attr]
            assert not sqlstate or diag.sqlstate == sqlstate, f"refused with {diag.sqlstate}: {diag.message_primary}"
            # Triggers made by django-pgtrigger name themselves in the function of the context only.
            said = [diag.constraint_name] if diag.constraint_name else [diag.context or "", diag.message_primary or ""]
            assert not name or any(name in part for part in said), (
                f"refused by {diag.constraint_name or diag.message_primary!r}, not by {name!r}"
            )
        else:
            pytest.fail(f"not refused: {name or sqlstate}")

    return expect


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium, kept to this machine."""
    return {
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        ],
    }  # fmt: skip


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}


# what this machine can't run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    global _browser_tests_left_out
    if CHROMIUM or CI:
        return
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            _browser_tests_left_out += 1
            item.add_marker(pytest.mark.skip(reason=f"needs Chromium: {GET_CHROMIUM}"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _browser_tests_left_out:
        terminalreporter.write_line(
            f"Not run on this machine: {_browser_tests_left_out} browser tests. To run them: {GET_CHROMIUM}",
            yellow=True,
        )


def _fail_if_skipped(report: Any) -> None:
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but in CI nothing may be: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report = yield
    _fail_if_skipped(report)
    return report  # type: ignore[return-value]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    _fail_if_skipped(report)
    return report  # type: ignore[return-value]
