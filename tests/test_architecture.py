"""What the import order can't see: keys point down, adapters don't write, roots are versioned, rooms look alike.

design 2, style 2 and 5. The import order itself is import-linter's, in ``make check``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from dealership.kernel import registry
from dealership.kernel.models import Root

BASE: Path = settings.BASE_DIR
# Lower rooms first; rooms of one step may not know each other.
STEPS = (
    ("kernel",),
    ("process",),
    ("staff",),
    ("catalogue",),
    ("reception",),
    ("workshop",),
    ("delivery",),
    ("quality", "compliance"),
    ("exchange",),
)
HEIGHT = {label: step for step, labels in enumerate(STEPS) for label in labels}
ROOMS = {config.label: Path(config.path) for config in apps.get_app_configs() if config.label in HEIGHT}
WRITES = {"save", "create", "bulk_create", "update", "bulk_update", "delete", "get_or_create", "update_or_create"}
ADAPTERS = ("views", "api", "resources", "tasks", "handlers", "panels", "serializers", "forms", "selectors", "admin")
# What an adapter may write after all, with the reason.
ALLOWED_WRITES: dict[tuple[str, str], str] = {}
ALLOWED_CLOCKS = {"dealership/exchange/services/clients.py": "tokens are dated by the OAuth toolkit's own clock"}


def test_every_room_has_its_step() -> None:
    ours = {c.label for c in apps.get_app_configs() if c.name.split(".")[0] in registry.OUR_PACKAGES}
    assert ours == set(HEIGHT)


def test_foreign_keys_point_down() -> None:
    """A key given as a string escapes the import linter, so the models themselves are read."""
    wrong = []
    for model in apps.get_models():
        here = HEIGHT.get(model._meta.app_label)
        for field in model._meta.get_fields():
            if here is None or not isinstance(field, models.ForeignKey | models.ManyToManyField):
                continue
            target = field.related_model._meta.app_label  # type: ignore[union-attr]
            there = HEIGHT.get(target, -1)
            if there > here or (there == here and target != model._meta.app_label):
                wrong.append(f"{model._meta.label}.{field.name} points up to {target}")
    assert wrong == []


def adapter_files() -> Iterator[Path]:
    for place in ROOMS.values():
        for path in sorted(place.rglob("*.py")):
            parts = path.relative_to(place).parts
            if "migrations" not in parts and (parts[0] in ADAPTERS or parts[0].removesuffix(".py") in ADAPTERS):
                yield path


def writes_in(source: str) -> Iterator[tuple[int, str]]:
    """Lines that write rows: ``x.save()``, ``Model.objects.filter(…).update(…)`` and their kin.

    ``update`` counts only on something that is a queryset by its look (``objects`` or a chain of calls), because
    dictionaries have an ``update`` too; ``create`` and ``delete`` of a cache, a client or a file are told by the name.
    """
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES):
            continue
        owner = ast.unparse(node.func.value)
        if node.func.attr in {"update", "delete"} and "objects" not in owner and not owner.endswith(")"):
            continue
        if owner.split(".")[0] in {"cache", "views", "segno"}:  # a store of the process, a module, a drawing
            continue
        yield node.lineno, f"{owner[-40:]}.{node.func.attr}"


@pytest.mark.parametrize("line", ["row.save()", "A.objects.create(x=1)", "A.objects.filter(x=1).update(y=2)"])
def test_a_write_is_seen(line: str) -> None:
    assert list(writes_in(line))


@pytest.mark.parametrize("line", ["context.update(a=1)", "cache.delete('a')", "A.objects.filter(x=1).count()"])
def test_what_is_no_write_is_not(line: str) -> None:
    assert not list(writes_in(line))


def test_adapters_do_not_write() -> None:
    """style 4: services are the only callers of save, create, update and delete."""
    files = list(adapter_files())
    assert len(files) > 30
    wrong = [
        f"{path.relative_to(BASE)}:{line}: {what}"
        for path in files
        for line, what in writes_in(path.read_text(encoding="utf-8"))
        if (str(path.relative_to(BASE)), what) not in ALLOWED_WRITES
    ]
    assert wrong == []


def test_no_delay_inside_commands() -> None:
    """style 4: the outbox carries what follows, never a task started in the middle of a transaction."""
    wrong = [
        str(path.relative_to(BASE))
        for place in ROOMS.values()
        for path in place.rglob("*.py")
        if "services" in str(path.relative_to(place)) and re.search(r"\.(delay|apply_async)\(", path.read_text())
    ]
    assert wrong == []


def test_no_room_keeps_time_by_itself() -> None:
    """design 5: ``kernel.clock.now()`` everywhere, so that the simulator moves everything."""
    wrong = [
        f"{path.relative_to(BASE)}: {found[0]}"
        for place in ROOMS.values()
        for path in place.rglob("*.py")
        if path.name != "clock.py" and "migrations" not in path.parts
        if str(path.relative_to(BASE)) not in ALLOWED_CLOCKS
        for found in [re.search(r"timezone\.now\(|datetime\.now\(|date\.today\(|auto_now", path.read_text())]
        if found
    ]
    assert wrong == []


def roots() -> list[type[Root]]:
    return [model for model in apps.get_models() if issubclass(model, Root)]


@pytest.mark.parametrize("model", roots(), ids=lambda m: m._meta.label)
def test_every_root_counts_its_versions(model: type[Root]) -> None:
    """ETag and ``updated_gte`` stand on the trigger, so no root may lack it."""
    assert "versioned" in {trigger.name for trigger in model._meta.triggers}  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_the_database_has_the_trigger_of_every_root() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'pgtrigger_versioned_%'")
        there = {name for (name,) in cursor.fetchall()}
    assert {model._meta.db_table for model in roots()} <= there


@pytest.mark.parametrize("label", ROOMS)
def test_rooms_look_alike(label: str) -> None:
    """style 2: a reader knows the file before searching. The kernel is flat, the other rooms are packages by root."""
    place = ROOMS[label]
    names = {path.name for path in place.iterdir()}
    assert {"__init__.py", "apps.py", "models.py", "migrations", "permissions.py"} <= names
    if label != "kernel":
        assert {"services", "selectors", "views", "forms"} <= names
        for package in ("services", "selectors", "views", "forms"):
            tree = ast.parse((place / package / "__init__.py").read_text(encoding="utf-8"))
            assert all(isinstance(n, ast.Expr | ast.ImportFrom) for n in tree.body), f"{label}/{package} holds code"
    assert not names & {"utils.py", "helpers.py", "misc.py", "common.py", "signals.py"}


def test_names_of_clauses_exist() -> None:
    """Every clause that an event or a number names is one of the manual's."""
    from dealership.process.clauses import CLAUSES

    # A number may speak of a whole section (2.1) whose clauses stand below it (2.1.1).
    known = set(CLAUSES) | {number.rsplit(".", 1)[0] for number in CLAUSES if number.count(".") == 2}
    wrong = [f"event {e.code}: {e.clause}" for e in registry.EVENTS.values() if e.clause not in known]
    wrong += [f"number {n.key}: {n.clause}" for n in registry.LIMITS.values() if n.clause not in known]
    assert wrong == []


def test_events_name_their_own_room() -> None:
    wrong = [code for code in registry.EVENTS if code.split(".")[0] not in HEIGHT]
    assert wrong == []


def test_norms_name_declared_events() -> None:
    wrong = [
        f"{event.code} → {following}"
        for event in registry.EVENTS.values()
        for following in event.norm
        if following not in registry.EVENTS
    ]
    assert wrong == []
