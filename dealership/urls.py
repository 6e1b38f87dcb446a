"""Addresses: each room brings its own ``urls.py``; this is the only place that joins them."""

from importlib import import_module

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path
from django.utils.module_loading import module_has_submodule

from dealership.kernel.registry import OUR_PACKAGES

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("allauth.urls")),
]
for _config in apps.get_app_configs():
    if _config.name.split(".")[0] in OUR_PACKAGES and module_has_submodule(_config.module, "urls"):
        urlpatterns += import_module(f"{_config.name}.urls").urlpatterns
# The API's own branch is asked first: it is one comparison for a page and saves a client all the pages' ones.
urlpatterns.sort(key=lambda found: str(found.pattern) != "api/v1/")
