"""Fills a form's fields with what a person may choose from, once the form is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm, ChoiceField, ModelChoiceField


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
