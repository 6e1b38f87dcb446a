"""States: one MOVES table beside the model, checked in Python and compiled to a database trigger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import pgtrigger
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


def guard(name: str, *, operation, func: str, when=pgtrigger.Before, code: str, text, declare=None, condition=None):
    """A named rule as a trigger: ``func`` is PL/pgSQL in which ``{refuse}`` raises under the rule's own name.

    ``code`` and ``text`` are what a person is told when it speaks.
    """
    explain_constraint(name, code, text)
    refuse = (
        f"RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = {_literal(name)}, TABLE = TG_TABLE_NAME, "
        f"MESSAGE = {_literal(name)};"
    )
    return pgtrigger.Trigger(
        name=name,
        when=when,
        operation=operation,
        declare=declare,
        condition=condition,
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
        )
