"""Empty registries that the chapters fill once at start: events, permissions, roles and dated settings.

The kernel imports no chapter; each chapter declares what it brings in ``events.py``, ``permissions.py`` and
``limits.py``, and ``load()`` imports those modules in the order of INSTALLED_APPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from .stages import NONE, Stage


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of line in the history.

    ``code`` is ``<chapter>.<root>.<past participle>``; ``norm`` names the events allowed next and ``within`` the
    minutes they should take (working time of the store), None where the manual sets none. ``folds``: what the same
    person writes of the same root again and again (saved while it is written) is one line to a reader. Clause 1.1.
    """

    code: str
    label: Any
    clause: str
    stage: Stage = NONE
    norm: tuple[str, ...] = ()
    within: int | None = None
    folds: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """One number of the rules, kept as a dated setting: ``domain`` key, default, unit, label, clause and source.

    ``least``: what the law gives at the least, in the form of the default; no value below it is taken."""

    key: str
    default: Any
    unit: str
    label: Any
    clause: str
    source: str = ""
    least: Any = None

    def below(self, value: Any) -> list[tuple[str, Any]]:
        """Where ``value`` is less than the law gives: the place in it (dotted, "" for the whole) and the least there."""
        return list(_below(value, self.least, ""))


def _below(value: Any, least: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(least, Mapping):
        for name, part in least.items():
            inner = value.get(name) if isinstance(value, Mapping) else None
            yield from _below(inner, part, f"{place}.{name}".lstrip("."))
    elif least is not None and (not isinstance(value, int | float) or isinstance(value, bool) or value < least):
        yield place, least


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs behind the outbox for an event; ``name`` is stored, so it never changes.

    ``run_many`` does the same for many events at once, where doing it again changes nothing.
    """

    name: str
    run: Callable[[Any], None]
    run_many: Callable[[list[Any]], None] | None = None


EVENTS: dict[str, EventType] = {}
HANDLERS: dict[str, Handler] = {}
SUBSCRIPTIONS: dict[str, list[str]] = {}
PERMISSIONS: dict[str, Any] = {}
ROLES: dict[str, set[str]] = {}
ROLE_LABELS: dict[str, Any] = {}
LIMITS: dict[str, Limit] = {}

DECLARATIONS = ("permissions", "events", "limits", "kpis", "handlers", "panels", "approvals", "retention", "holidays")


def event(
    code: str,
    label,
    *,
    clause: str,
    stage: Stage = NONE,
    norm: Iterable[str] = (),
    within: int | None = None,
    folds: bool = False,
) -> str:
    """Declares an event code once and returns it; a second declaration is a defect."""
    if code in EVENTS:
        raise ValueError(f"Event {code} is declared twice.")
    if code.count(".") != 2:
        raise ValueError(f"Event {code} must read <chapter>.<root>.<past participle>.")
    EVENTS[code] = EventType(code, label, clause, stage, tuple(norm), within, folds)
    return code


def handles(*codes: str, name: str) -> Callable:
    """Subscribes a function to events; it is run once per event behind the outbox, in a transaction of its own."""

    def register(run: Callable[[Any], None]) -> Callable[[Any], None]:
        if name in HANDLERS:
            raise ValueError(f"Handler {name} is declared twice.")
        HANDLERS[name] = Handler(name, run)
        for code in codes:
            SUBSCRIPTIONS.setdefault(code, []).append(name)
        return run

    return register


def permission(code: str, sentence) -> str:
    """Declares a permission with one sentence that says what its holder may do."""
    if code in PERMISSIONS:
        raise ValueError(f"Permission {code} is declared twice.")
    PERMISSIONS[code] = sentence
    return code


def role(code: str, label=None, permissions: Iterable[str] = ()) -> str:
    """Adds permissions to a role; several chapters may add to one role. The label is given once."""
    ROLES.setdefault(code, set()).update(permissions)
    if label is not None:
        ROLE_LABELS[code] = label
    return code


def limit(key: str, default: Any, unit: str, label, *, clause: str, source: str = "", least: Any = None) -> str:
    """Declares a number of the rules as a dated setting and returns its key; ``least`` is what the law gives at least."""
    if key in LIMITS:
        raise ValueError(f"Setting {key} is declared twice.")
    LIMITS[key] = Limit(key, default, unit, label, clause, source, least)
    return key


def load() -> None:
    """Imports every room's declarations and checks that subscriptions name declared events."""
    for config in apps.get_app_configs():
        for name in DECLARATIONS:
            if config.name.split(".")[0] in OUR_PACKAGES and module_has_submodule(config.module, name):
                import_module(f"{config.name}.{name}")
    unknown = [code for code in SUBSCRIPTIONS if code not in EVENTS]
    if unknown:
        raise ValueError(f"Handlers subscribe to undeclared events: {', '.join(unknown)}")
    for code, permissions in ROLES.items():
        missing = permissions - PERMISSIONS.keys()
        if missing:
            raise ValueError(f"Role {code} has undeclared permissions: {', '.join(sorted(missing))}")


OUR_PACKAGES = {"dealership", "staff", "reception", "workshop", "delivery", "quality", "compliance"}
