"""Every declared resource becomes its addresses; what isn't declared is answered as problem+json too."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path

from . import feed, star, views  # noqa: F401  (feed and star map declare themselves)
from .resources import LISTINGS, RESOURCES, Resource


def patterns_of(resource: Resource) -> list[URLPattern | URLResolver]:
    name = f"api-{resource.path}"
    collection: dict[str, Any] = {"GET": views.listing(resource)}
    item: dict[str, Any] = {"GET": views.detail(resource)}
    named: dict[str, Any] = {"GET": views.detail_by_ref(resource)}
    if resource.create:
        collection["POST"] = views.create(resource)
    if resource.update:
        item["PUT"] = views.put(resource)
    if resource.create:
        named["PUT"] = views.put_by_ref(resource)
    below = [path("<uuid:uid>", views.endpoint(**item), name=f"{name}-detail")]
    if resource.actions:
        act = views.endpoint(POST=views.act(resource))
        below.append(path("<uuid:uid>/actions/<slug:verb>", act, name=f"{name}-action"))
    if resource.refs:
        by_ref = views.endpoint(**named)
        below.append(path("by-ref/<str:system>/<path:external_id>", by_ref, name=f"{name}-by-ref"))
    return [path(resource.path, views.endpoint(**collection), name=name), path(f"{resource.path}/", include(below))]


def patterns() -> list[URLPattern | URLResolver]:
    """All addresses under /api/v1/; call it when every chapter's ``api.py`` is read.

    Each resource is a branch, so that finding an address compares a few dozen beginnings, not every address.
    """
    made = [pattern for resource in RESOURCES.values() for pattern in patterns_of(resource)]
    for name, listing in LISTINGS.items():
        made.append(path(name, views.endpoint(GET=views.rows_of(listing)), name=f"api-{name.replace('/', '-')}"))
    return [path("api/v1/", include(made))]


# Last of all addresses: whatever else is asked under /api/ is a 404 as problem+json.
UNKNOWN = re_path(r"^api(?:/.*)?$", views.unknown, name="api-unknown")
