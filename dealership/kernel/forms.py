"""Fills a form's fields with what a person may choose from, once the form is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.forms import BaseForm, ChoiceField, Field, ModelChoiceField

EMPTY = "---------"
"""What Django offers for nothing chosen; the house says a dash."""
F = TypeVar("F", bound=Field)


def demanded(field: F) -> F:
    """Gives the field the star of a required one, though the form lets it through empty.

    The command refuses it then in its own words, which say more than "required" and come back with all that was typed.
    """
    field.demanded = True  # type: ignore[attr-defined]
    return field


def demand(form: BaseForm, *names: str) -> None:
    """``demanded`` for what only this case asks for."""
    for name in names:
        demanded(form.fields[name])


def set_choices(form: BaseForm, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
    """Offers ``choices`` (value, label) in the form's ChoiceField ``name``."""
    field = form.fields[name]
    assert isinstance(field, ChoiceField)
    field.choices = list(choices)


def set_queryset(form: BaseForm, name: str, rows: QuerySet[Any]) -> None:
    """Offers ``rows`` in the form's ModelChoiceField ``name``."""
    field = form.fields[name]
    assert isinstance(field, ModelChoiceField)
    field.queryset = rows
    if field.empty_label == EMPTY:
        field.empty_label = "—"
