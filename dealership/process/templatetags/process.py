"""``{% timeline visit=visit.uid %}``, ``{% panels "visit" visit %}`` and how a figure is said."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from dealership.kernel.panels import render_panels

from ..selectors.timeline import timeline as read_timeline

register = template.Library()


@register.inclusion_tag("process/timeline.html", takes_context=True)
def timeline(context: template.RequestContext, limit: int = 30, **key: Any) -> dict[str, Any]:
    """The history of one visit, vehicle, customer or order as the actor may see it."""
    actor = context.get("actor") or context["request"].actor
    return {"lines": read_timeline(actor, limit=limit, **key) if actor else []}


@register.simple_tag(takes_context=True)
def panels(context: template.RequestContext, place: str, root: Any, **extra: Any) -> SafeString:
    """The panels that upper rooms add at ``place``."""
    request = context["request"]
    actor = context.get("actor") or request.actor
    shared = {"form_token": context.get("form_token"), "view": context.get("view")}
    return render_panels(place, request=request, actor=actor, root=root, extra=shared | extra)
