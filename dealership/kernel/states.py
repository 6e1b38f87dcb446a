"""States: one MOVES table beside the model, checked in Python and compiled to a database trigger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pgtrigger
from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from .errors import RuleError, explain_constraint

S = TypeVar("S", bound=str)


def _literal(value: str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _states(values: Iterable[str]) -> str:
    return ", ".join(_literal(v) for v in sorted(values))


def fsm(
    moves: Mapping[S, Iterable[S]], *, field: str, name: str, births: Iterable[S] | None = None
) -> pgtrigger.Trigger:
    """The trigger that holds ``moves`` on INSERT and UPDATE of ``field``.

    A row is born in one of ``births`` (default: the first key of ``moves``). Violations carry ``name`` as the
    constraint's name, so that tests and error pages can tell which rule spoke.
    """
    first = [next(iter(moves))] if births is None else list(births)
    allowed = " OR ".join(
        f"(OLD.{field} = {_literal(old)} AND NEW.{field} IN ({_states(new)}))"
        for old, new in moves.items()
        if list(new)
    )
    explain_constraint(
        name, "state.move", _("This step isn't possible from the present state; reload the page to see it.")
    )
    raise_ = (
        f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {_literal(name)}, TABLE = TG_TABLE_NAME, "
        f"MESSAGE = {_literal(name)} || ': ' || {{}};"
    )
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(field),
        func=f"""
            IF TG_OP = 'INSERT' THEN
                IF NEW.{field} NOT IN ({_states(first)}) THEN
                    {raise_.format(f"'born as ' || NEW.{field}")}
                END IF;
            ELSIF NEW.{field} IS DISTINCT FROM OLD.{field} AND NOT ({allowed or "FALSE"}) THEN
                {raise_.format(f"OLD.{field} || ' -> ' || NEW.{field}")}
            END IF;
            RETURN NEW;
        """,
    )


def versioned() -> pgtrigger.Trigger:
    """Every change of a root counts its version up and stamps ``updated_at``: ETag and ``updated_gte`` stand on it."""
    return pgtrigger.Trigger(
        name="versioned",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func="NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp(); RETURN NEW;",
    )


class ShownIn(pgtrigger.Trigger):
    """What a root's item shows of this row moves the root's ``version`` and ``updated_at`` with it (If-Match, ``updated_gte``).

    ``path`` are the look-ups from this model to the root (``"walkaround__visit"``); or ``by`` is the look-up in ``root``
    ("room.Model", never of a higher room) that leads here. ``fields``: only a change of these is shown there. A root that
    this transaction has written already has moved. Guards of what is never changed let such an update pass
    (``unchanged_passes``).
    """

    when = pgtrigger.After

    def __init__(self, path: str = "", *, root: str = "", by: str = "", fields: tuple[str, ...] = ()) -> None:
        self.path, self.root, self.by, self.fields = path, root, by, fields
        change = pgtrigger.UpdateOf(*fields) if fields else pgtrigger.Update
        operation = change if by else pgtrigger.Insert | change | pgtrigger.Delete
        super().__init__(name=f"shown_in_{path or root.split('.')[1].lower()}", operation=operation)

    def root_model(self, model: type[models.Model]) -> Any:
        found: Any = apps.get_model(self.root) if self.by else model
        for part in () if self.by else self.path.split("__"):
            found = found._meta.get_field(part).related_model
        return found

    def get_func(self, model: Any) -> str:
        root = self.root_model(model)._meta
        if self.by:
            these = f"SELECT id FROM {root.db_table} WHERE {root.get_field(self.by).column} = NEW.id"  # noqa: S608
        else:
            first, *rest = self.path.split("__")
            key: Any = model._meta.get_field(first)
            these = f"NEW.{key.column}, OLD.{key.column}"
            for part in rest:
                between = key.related_model._meta
                key = between.get_field(part)
                these = f"SELECT {key.column} FROM {between.db_table} WHERE id IN ({these})"  # noqa: S608
        old, new = (", ".join(f"{row}.{name}" for name in self.fields) for row in ("OLD", "NEW"))
        same = f"ROW({old}) IS NOT DISTINCT FROM ROW({new})" if self.fields else "NEW *= OLD"
        return f"""
            IF TG_OP = 'UPDATE' AND {same} THEN RETURN NULL; END IF;
            UPDATE {root.db_table} SET version = version WHERE id IN (
                SELECT id FROM {root.db_table} WHERE id IN ({these}) AND xmin <> pg_current_xact_id()::xid
                ORDER BY id FOR NO KEY UPDATE);
            RETURN NULL;
        """  # noqa: S608


def append_only(name: str) -> pgtrigger.Trigger:
    """A row that items of the API show is never changed nor deleted; only its ``version`` may move on (see ``ShownIn``)."""
    return guard(
        name,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func="{refuse}",
        unchanged_passes=True,
        code="row.append_only",
        text=_("What was written here is never changed."),
    )


def fixed(name: str, *fields: str) -> pgtrigger.Trigger:
    """Columns (by their names in the table) that nothing changes once the row is there: codes that others know it by."""
    changed = ", ".join(f"OLD.{field}" for field in fields), ", ".join(f"NEW.{field}" for field in fields)
    return guard(
        name,
        operation=pgtrigger.UpdateOf(*fields),
        func=f"IF ROW({changed[0]}) IS DISTINCT FROM ROW({changed[1]}) THEN {{refuse}} END IF; RETURN NEW;",
        code="row.fixed",
        text=_("This is never changed: it stands in what was written before."),
    )


def guard(
    name: str,
    *,
    operation,
    func: str,
    when=pgtrigger.Before,
    code: str,
    text,
    declare=None,
    condition=None,
    unchanged_passes: bool = False,
    timing=None,
):
    """A named rule as a trigger: ``func`` is PL/pgSQL in which ``{refuse}`` raises under the rule's own name.

    ``code`` and ``text`` are what a person is told when it speaks. ``unchanged_passes``: an update that changes nothing
    is none, so that the version can move on with what the item shows of other rows (``ShownIn``).
    """
    explain_constraint(name, code, text)
    refuse = (
        f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {_literal(name)}, TABLE = TG_TABLE_NAME, "
        f"MESSAGE = {_literal(name)};"
    )
    if unchanged_passes:
        func = f"IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; {func}"
    return pgtrigger.Trigger(
        name=name,
        when=when,
        operation=operation,
        declare=declare,
        condition=condition,
        timing=timing,
        func=func.replace("{refuse}", refuse),
    )


def require(moves: Mapping[S, Iterable[S]], old: S, new: S) -> None:
    """Raises RuleError unless ``old`` → ``new`` is in the table; the sentence names both states."""
    if new not in moves.get(old, ()):
        raise RuleError(
            "state.move",
            _("This isn't possible now: the state is “%(old)s”, “%(new)s” doesn't follow from it."),
            old=getattr(old, "label", old),
            new=getattr(new, "label", new),
            state=str(old),
        )
