"""Small look-ups for the workshop's pages."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from workshop.models import OrderLine
from workshop.selectors.maintenance import say_cause

register = template.Library()


@register.filter
def cause_said(line: OrderLine) -> str:
    """A line's cause in the page's language, where it is the due list's own sentence (3.1)."""
    return say_cause(line)


@register.filter
def chosen(choices: Mapping[str, str], uid: str) -> str:
    """``yes``, ``no`` or nothing: what was ticked for a line."""
    return choices.get(str(uid), "") if choices else ""
