"""Panels that an upper room adds to a lower room's page, rendered in the page itself without JavaScript (design 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe


@dataclass(frozen=True, slots=True)
class Panel:
    """``context`` gets (actor, root) and returns the template's context, or None where there is nothing to show."""

    name: str
    template: str
    context: Callable[[Any, Any], dict[str, Any] | None]
    order: int = 100


_places: dict[str, list[Panel]] = {}


def register_panel(place: str, panel: Panel) -> None:
    """Adds a panel to a place such as ``visit`` or ``visit_link``; called once from ``<room>/panels.py``."""
    panels = _places.setdefault(place, [])
    if any(p.name == panel.name for p in panels):
        raise ValueError(f"Panel {panel.name} stands at {place} twice.")
    panels.append(panel)
    panels.sort(key=lambda p: (p.order, p.name))


def render_panels(place: str, *, request: HttpRequest, actor: Any, root: Any, extra: dict[str, Any]) -> SafeString:
    """All panels of a place, one after the other; every panel is escaped by its own template."""
    html = []
    for panel in _places.get(place, []):
        context = panel.context(actor, root)
        if context is not None:
            html.append(render_to_string(panel.template, extra | context | {"actor": actor, "root": root}, request))
    return mark_safe("".join(html))  # noqa: S308  (each part was rendered by the template engine)
