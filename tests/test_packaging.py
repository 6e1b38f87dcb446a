"""Dockerfile, docker-compose.yml, locks and CI say what the settings and the embedded servers say."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tools import check, run, servers

BASE = Path(settings.BASE_DIR)
COMPOSE: dict[str, Any] = yaml.safe_load((BASE / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "relay", "beat")
DOCKERFILE = (BASE / "Dockerfile").read_text()


def filled(value: str) -> str:
    """The value with every ``${NAME…}`` given by a word in place of it."""
    value = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
    return re.sub(r"\$\{\w+:\?[^}]*\}", "given", value)


def load_settings(environment: dict[str, str], tmp_path: Path) -> dict[str, Any]:
    """The databases and addresses that the settings make of a container's environment, read in a process of its own."""
    code = (
        "import json, dealership.settings as s;"
        "print(json.dumps({'db': s.DATABASES, 'redis': s.REDIS_URL, 'broker': s.CELERY_BROKER_URL,"
        " 'hosts': s.ALLOWED_HOSTS, 'secure': s.SESSION_COOKIE_SECURE, 'debug': s.DEBUG, 'demo': s.DEMO}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE, env={"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", OURS)
def test_a_container_reads_its_environment(name: str, tmp_path: Path) -> None:
    environment = {key: filled(value) for key, value in SERVICES[name]["environment"].items()}
    read = load_settings(environment, tmp_path)
    default, owner = read["db"]["default"], read["db"]["owner"]
    assert (default["USER"], default["NAME"]) == ("app", "dealership")
    assert (owner["USER"], owner["NAME"], owner["HOST"]) == ("owner", "dealership", "postgres")
    straight = name == "migrate"
    assert (default["HOST"], default["PORT"]) == (("postgres", "5432") if straight else ("pgbouncer", "6432"))
    assert default["DISABLE_SERVER_SIDE_CURSORS"] is not straight
    assert read["redis"] == read["broker"] == "redis://redis:6379/0"
    assert (read["secure"], read["debug"], read["demo"]) == (True, False, False)


def test_every_variable_of_the_compose_file_is_read_by_the_settings() -> None:
    read = (BASE / "dealership" / "settings.py").read_text()
    unknown = [key for name in OURS for key in SERVICES[name]["environment"] if f'"{key}"' not in read]
    assert unknown == []


def test_secrets_have_no_default() -> None:
    text = (BASE / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD"):
        assert re.search(rf"\$\{{{name}:\?", text)
        assert not re.search(rf"\$\{{{name}(:-|\}})", text)


def test_services_wait_for_healthy_ones() -> None:
    for name in OURS:
        for needed, how in SERVICES[name]["depends_on"].items():
            if how["condition"] == "service_healthy":
                assert SERVICES[needed]["healthcheck"]["test"], f"{name} waits for the health of {needed}"
            else:
                assert (needed, how["condition"]) == ("migrate", "service_completed_successfully")
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/health/alive/" in DOCKERFILE  # a container isn't ill because PostgreSQL is away


def test_a_scaled_service_has_no_name_of_its_own() -> None:
    assert not [name for name, service in SERVICES.items() if "container_name" in service]
    assert all("ports" not in SERVICES[name] for name in SERVICES if name != "web")


def test_containers_run_what_the_supervisor_runs(tmp_path: Path) -> None:
    """Same programs and options on one machine and on several."""
    alone = {
        name: [Path(part).name if "/" in part else part for part in c] for name, c in run.parts(8000, tmp_path).items()
    }
    assert set(alone) == {"servers", "web", "worker", "relay", "beat"}
    for name in ("worker", "relay", "beat"):
        here = [Path(part).name if "/" in part else part for part in SERVICES[name]["command"]]
        assert here == alone[name]
    in_image = json.loads(DOCKERFILE.rsplit("\nCMD ", 1)[1])
    options = {"--interface": "wsgi", "--workers": "2", "--blocking-threads": "1"}
    for option, value in options.items():
        assert in_image[in_image.index(option) + 1] == value == alone["web"][alone["web"].index(option) + 1]
    assert in_image[-1] == alone["web"][-1] == "dealership.wsgi:application"


def test_the_roles_are_the_embedded_ones() -> None:
    script = (BASE / "docker" / "postgres" / "10-roles.sh").read_text()
    for statement in servers.BOOTSTRAP_TEMPLATE.split("END $$;")[1].strip().splitlines():
        assert statement in script
    for role in ("CREATE ROLE owner LOGIN CREATEDB", "CREATE ROLE app LOGIN"):
        assert role in script
        assert role in servers.BOOTSTRAP_TEMPLATE
    assert os.access(BASE / "docker" / "postgres" / "10-roles.sh", os.X_OK)
    assert "./docker/postgres:/docker-entrypoint-initdb.d:ro" in SERVICES["postgres"]["volumes"]
    assert "--locale-provider=builtin --locale=C.UTF-8" in SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]


def test_the_image_runs_unprivileged_with_locked_packages() -> None:
    assert re.search(r"^USER service$", DOCKERFILE, re.M)
    assert "--require-hashes -r requirements.txt" in DOCKERFILE
    assert "npm ci" in DOCKERFILE
    wanted = tomllib.loads((BASE / "pyproject.toml").read_text())["project"]["requires-python"]
    pythons = re.findall(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.M)
    assert wanted == ">=3.11,<3.13"
    assert pythons
    assert set(map(int, pythons)) <= {11, 12}


def test_what_is_copied_into_the_image_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M):
        for source in shlex.split(line)[:-1]:
            assert (BASE / source).exists()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_locks_hold_every_package_with_hashes(name: str) -> None:
    text = (BASE / name).read_text()
    pinned = {re.sub(r"[-_.]+", "-", found.lower()) for found in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.M)}
    project = tomllib.loads((BASE / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(project["optional-dependencies"]["dev"] if "dev" in name else [])]
    names = {re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9_.-]+", w)[0].lower()) for w in wanted}  # type: ignore[index]
    assert names - pinned == set()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_locks_name_no_addresses() -> None:
    assert check.locks_name_no_addresses()
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (BASE / name).read_text()
    assert "resolved" not in (BASE / "package-lock.json").read_text()


def test_both_locks_agree() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", (BASE / name).read_text(), re.M))

    ordinary, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert ordinary.items() <= development.items()


def test_ci_is_a_valid_script() -> None:
    script = BASE / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    commands = [line for line in script.read_text().splitlines() if line.startswith("make ")]
    assert [c.split()[1] for c in commands] == ["check", "test"]
