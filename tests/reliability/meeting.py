"""Two people do the same thing at the same moment, on two connections; what comes of it, and that nothing is half done.

``meet(command, …)`` holds the quicker one's transaction open until the other waits for it or has come to its own end, so
that the two really overlap on however slow a machine. The story goes on with what the winner made.
"""

from __future__ import annotations

import ast
import contextvars
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, connection, transaction

from dealership.kernel.errors import RuleError, from_database
from dealership.kernel.models import History

BASE = Path(settings.BASE_DIR)
LOCKS = {"select_for_update", "locked"}
PATIENCE = 60


def locking_commands() -> set[str]:
    """``room.command`` of every function in a services module that is one transaction and locks, itself or through what
    it calls there."""
    files = [
        *BASE.glob("*/services/*.py"),
        *BASE.glob("dealership/*/services/*.py"),
        BASE / "dealership/kernel/services.py",
    ]
    calls: dict[str, set[str]] = {}
    commands: dict[str, str] = {}
    for path in files:
        room = path.relative_to(BASE).parts[-2 if path.name == "services.py" else -3]
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            called = {
                part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
                for part in ast.walk(node)
                if isinstance(part, ast.Call)
            }
            calls[node.name] = calls.get(node.name, set()) | called
            if any("atomic" in ast.unparse(how) for how in node.decorator_list) and not node.name.startswith("_"):
                commands[node.name] = f"{room}.{node.name}"
    locking = {name for name, called in calls.items() if called & LOCKS}
    while more := {name for name, called in calls.items() if called & locking} - locking:
        locking |= more
    return {commands[name] for name in locking & commands.keys()}


class _Person(threading.Thread):
    def __init__(self, act: Callable[[], Any], start: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.act, self.barrier = act, start
        self.pid = 0
        self.other: _Person | None = None
        self.done = threading.Event()
        self.result: Any = None
        self.refusal = ""
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.pid = cursor.fetchone()[0]
            self.barrier.wait(timeout=PATIENCE)
            with transaction.atomic():
                self.result = self.act()
                self._hold()
        except RuleError as refusal:
            self.refusal = refusal.code
        except ObjectDoesNotExist:
            self.refusal = "404"  # as pages and API answer it
        except IntegrityError as refusal:
            explained = from_database(refusal)  # as pages and API answer it
            self.refusal, self.failure = (explained.code, None) if explained else ("", refusal)
        except BaseException as failure:
            self.failure = failure
        finally:
            self.done.set()
            connection.close()

    def _hold(self) -> None:
        """Until the other waits for what this one has locked, or is through."""
        end = time.monotonic() + PATIENCE
        assert self.other
        while not self.other.done.is_set() and time.monotonic() < end:
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [self.pid, self.other.pid])
                if cursor.fetchone()[0] or self.other.result is not None:
                    return
            self.other.done.wait(0.01)


def meet(command: Callable[..., Any], /, second: dict[str, Any] | None = None, **given: Any) -> tuple[Any, str]:
    """(what the winner returned, what happened): ``both``, ``same`` (both answered, one wrote) or ``one: refusal``.

    ``second`` changes what the other one asks for. A deadlock or any other failure is raised.
    """
    before = History.objects.order_by("-id").values_list("id", flat=True).first() or 0
    start = threading.Barrier(2)
    people = []
    for wanted in (given, given | (second or {})):
        context = contextvars.copy_context()  # the moved clock goes along
        people.append(_Person(lambda context=context, wanted=wanted: context.run(command, **wanted), start))
    people[0].other, people[1].other = people[1], people[0]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=PATIENCE * 2)
        assert not person.is_alive(), f"{command.__name__}: stuck"
        if person.failure:
            raise person.failure
    won = [person for person in people if not person.refusal]
    assert won, f"{command.__name__}: both were refused: {[person.refusal for person in people]}"
    lines = list(History.objects.filter(id__gt=before).order_by("id"))
    writers = len({line.txid for line in lines})
    _states_follow(lines)
    refused = next((person.refusal for person in people if person.refusal), "")
    if refused:
        assert writers == 1, f"{command.__name__}: refused, and yet {writers} wrote"
        return won[0].result, f"one: {refused}"
    return won[0].result, {0: "silent", 1: "same", 2: "both"}[writers]


def _states_follow(lines: list[History]) -> None:
    """Each change of state begins where the one before it ended."""
    last: dict[tuple[Any, str], Any] = {}
    for line in lines:
        for name in ("state", "stage"):
            if name in line.changed:
                old, new = line.changed[name]
                key = (line.root_uid, name)
                assert last.get(key, old) == old, f"{line.code}: from {old}, but it was {last[key]}"
                last[key] = new
