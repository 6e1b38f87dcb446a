"""Small look-ups for the workshop's pages."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def chosen(choices: Mapping[str, str], uid: str) -> str:
    """``yes``, ``no`` or nothing: what was ticked for a line."""
    return choices.get(str(uid), "") if choices else ""
