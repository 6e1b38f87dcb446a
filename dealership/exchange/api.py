"""Mounts the API: reads every chapter's ``api.py`` and makes addresses and the description of what they declare."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from dealership.exchange import scopes
from dealership.kernel.api import openapi, routes
from dealership.kernel.registry import OUR_PACKAGES


@cache
def load() -> None:
    """Imports each room's declarations once, in the order of INSTALLED_APPS."""
    for config in apps.get_app_configs():
        ours = config.name.split(".")[0] in OUR_PACKAGES and config.label not in ("kernel", "exchange")
        if ours and module_has_submodule(config.module, "api"):
            import_module(f"{config.name}.api")
    import_module("dealership.exchange.resources")


def patterns() -> list[Any]:
    load()
    return routes.patterns()


def description() -> dict[str, Any]:
    """The OpenAPI 3.1 description of everything declared."""
    load()
    return openapi.describe(scopes.sentences())
