"""One error for every refusal, and one place that turns a database refusal into the same error."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.db.utils import DatabaseError
from django.utils.translation import gettext_lazy as _


class RuleError(Exception):
    """A command was refused; nothing was written.

    ``code`` is stable and machine-readable (``repair_order.amount``), ``text`` says what is wrong and what to do in
    the reader's language, ``field`` names the input it belongs to. ``held_by`` is the root that stands in the way (the
    car that has this plate), for who may see it. Pages answer 422, the API answers 409.
    """

    def __init__(self, code: str, text, *, field: str | None = None, held_by: Any = None, **params) -> None:
        self.code, self.text, self.field, self.held_by, self.params = code, text, field, held_by, params
        super().__init__(code)

    def __str__(self) -> str:
        return str(self.text) % self.params if self.params else str(self.text)


class NotAllowed(Exception):
    """The actor lacks a permission. Pages and API answer 403 and name the permission's sentence."""

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(permission)


class RaceLost(RuleError):
    """Somebody else was quicker; trying again with fresh data may succeed."""


_explanations: dict[str, tuple[str, object]] = {}


def explain_constraint(name: str, code: str, text) -> None:
    """Declares what a violated constraint or trigger means to a person (kept beside the model that owns it)."""
    _explanations[name] = (code, text)


def constraint_name(exc: DatabaseError) -> str:
    """The name of the constraint or trigger that refused, '' where the database names none."""
    diag = getattr(exc.__cause__, "diag", None)
    return (diag and diag.constraint_name) or ""


def from_database(exc: DatabaseError) -> RuleError | None:
    """The refusal behind a database error, or None where the error is no refusal (then it is a defect)."""
    name = constraint_name(exc)
    if name in _explanations:
        code, text = _explanations[name]
        return RuleError(code, text)
    if isinstance(exc, IntegrityError) and name:
        return RuleError(
            f"database.{name}",
            _(
                "The database refused this (%(name)s): it would break a rule that must always hold. Nothing was changed."
            ),
            name=name,
        )
    return None
