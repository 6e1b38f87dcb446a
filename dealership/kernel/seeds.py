"""Reference data that every installation needs; safe to run any number of times."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from .registry import OUR_PACKAGES


def seed_all() -> None:
    """Runs ``seed()`` of every room's ``seeds`` module in the order of INSTALLED_APPS."""
    for config in apps.get_app_configs():
        if (
            config.name.split(".")[0] in OUR_PACKAGES
            and config.label != "kernel"
            and module_has_submodule(config.module, "seeds")
        ):
            import_module(f"{config.name}.seeds").seed()
